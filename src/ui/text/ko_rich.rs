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
};
