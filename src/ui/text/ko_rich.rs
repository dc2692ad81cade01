//! Korean about links, code and selected messages.

use super::rich::RichWords;

/// Korean about links, code and selected messages.
pub static KOREAN: RichWords = RichWords {
    code_in: |language, code| format!("{language} 코드: {code}"),
    copy_code: "코드 복사",

    open_title: "이 링크를 열까요?",
    leads_to: "연결되는 주소",
    open: "열기",
    copy_address: "주소 복사",
    other_than_text: |claim, host| format!("글에는 “{claim}” 주소가 적혀 있지만 실제로 연결되는 곳: {host}"),
    user_in_address: |user, host| {
        format!("“{user}” 부분은 로그인 이름일 뿐입니다. 실제로 연결되는 곳: {host}")
    },
    letters: |name| format!("호스트 이름에 a~z가 아닌 글자가 있습니다. 같은 이름: {name}"),
    mixed_alphabets: |name| {
        format!("호스트 이름에 모양이 비슷한 여러 문자가 섞여 있습니다. 실제 이름: {name}")
    },

    selected: |count| format!("메시지 {count}개 선택됨"),
    copy_selected: "글로 복사",
    clear_selection: "선택 해제",

    with_new_line: |hint, keys| format!("{hint}   (줄 바꿈: {keys})"),
    paste_too_long: |length, most| {
        format!(
            "붙여 넣지 않았습니다. {length}자는 너무 깁니다. 남은 자리: {most}자. 복사한 내용은 그대로 있으니 나누어 붙여 \
             넣으세요."
        )
    },
};
