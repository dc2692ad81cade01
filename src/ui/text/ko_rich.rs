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
    other_than_text: |claim, host| {
        format!("링크에 적힌 주소는 “{claim}”이지만 실제 연결 주소는 {host}입니다.")
    },
    user_in_address: |user, host| {
        format!("“{user}” 부분은 사용자 이름일 뿐입니다. 실제 연결 주소는 {host}입니다.")
    },
    letters: |name| format!("호스트 이름에 a~z가 아닌 문자가 있습니다. 실제 이름: {name}"),
    mixed_alphabets: |name| {
        format!("호스트 이름에 모양이 비슷한 여러 문자가 섞여 있습니다. 실제 이름: {name}")
    },

    selected: |count| format!("메시지 {count}개 선택됨"),
    copy_selected: "텍스트로 복사",
    clear_selection: "선택 해제",

    people_found: "사람",
    emoji_found: "이모지",
    suggestion: |name, at, of| format!("{name}, {of}개 중 {at}번째"),

    message_menu: "메시지 메뉴",
    mention: |name| format!("{name} 님 멘션하기"),
    mentions_you: "나를 멘션함",

    show_people: "사람 목록 보기",
    people_list: "이 서버의 사람",
    filter_people: "이름 필터",
    no_person_found: "일치하는 항목이 없습니다.",
    only_you: "아직 다른 참가자가 없습니다.",
    people_left_out: |count| format!("이 서버의 사람 중 {count}명만 표시합니다"),
    online_section: |count| format!("온라인: {count}명"),
    offline_section: |count| format!("오프라인: {count}명"),
    devices_section: |count| format!("기기: {count}대"),

    with_new_line: |hint, keys| format!("{hint}   (줄 바꿈: {keys})"),
    paste_too_long: |length, most| {
        format!("너무 길어서 붙여 넣지 않았습니다. {length}자 중 {most}자까지만 넣을 수 있습니다.")
    },
    save_as_file: "파일로 저장",
    paste_saved: |path| format!("저장 위치: {path}"),
    paste_not_saved: |detail| format!("파일을 저장하지 못했습니다({detail})."),
    paste_no_answer: "붙여 넣지 못했습니다. 복사한 프로그램이 응답하지 않습니다. 다시 복사해 보세요.",
    paste_no_text: "붙여 넣을 텍스트가 클립보드에 없습니다.",
};
