//! Korean: connections as a person sets them up.

use super::profiles::ProfileWords;
use crate::model::device_choices::{MAX_CHOSEN_DEVICES, MAX_CHOSEN_READINGS};
use crate::model::transfer::BadList;
use crate::ui::harmless;

/// Korean.
pub(super) static KOREAN: ProfileWords = ProfileWords {
    ask_title: |name| format!("{name} 토큰"),
    ask_unknown: "이 연결에 쓸 토큰이 없습니다.",
    ask_refused: "서버 관리자에게 새 토큰을 받아 여기에 입력하세요.",
    no_keyring: "이 컴퓨터에는 토큰을 안전하게 보관할 곳(키링)이 없어 시작할 때마다 토큰을 입력해야 합니다.",
    token_of: |name| format!("{name} 연결의 토큰"),

    no_keyring_invite: "이 컴퓨터에는 키링이 없어 토큰을 저장할 수 없고, 초대 링크는 한 번만 쓸 수 있습니다. 토큰을 파일에 \
                        보관하거나 참가한 뒤 복사해 두세요. 다시 시작하면 필요합니다.",
    no_keyring_token: "이 컴퓨터에는 키링이 없어 다시 시작하면 토큰을 다시 입력해야 합니다.",
    keep_in_file: "나만 읽을 수 있는 파일에 토큰 보관",
    keep_in_file_short: "파일에 보관",
    keep_in_file_warning: "파일은 암호화되지 않습니다. 내 계정을 쓰거나 디스크를 읽을 수 있는 사람은 토큰을 읽을 수 있습니다. \
                           연결을 삭제하거나 키링을 쓸 수 있게 되면 파일에서 지웁니다.",
    token_title: |name| format!("{name} 서버의 내 토큰"),
    token_text: "비밀번호 관리자처럼 안전한 곳에 보관하세요. 이 토큰이 있으면 누구나 나로 로그인할 수 있습니다.",

    transfer: "연결 내보내기/가져오기",
    transfer_text: "모든 연결과 기기에 대한 내 설정을 텍스트로 복사합니다. 토큰은 포함되지 않습니다. 다른 컴퓨터에서 복사한 텍스트를 여기에 붙여넣으면 추가됩니다.",
    copy_all: |count| format!("연결 {count}개 복사"),
    paste_here: "다른 컴퓨터에서 가져온 연결",
    bad_list,
    will_add: |names, known, devices| {
        let known = match (known, devices) {
            (0, _) => String::new(),
            (_, 0) => format!(" {known}개는 이미 있어 그대로 둡니다."),
            (..) => format!(" 기기 {devices}대의 내 설정이 바뀝니다."),
        };
        match names {
            [] => format!("추가할 연결이 없습니다.{known}"),
            names => format!("추가할 연결: {}.{known}", names.join(", ")),
        }
    },
    left_out: |devices| {
        format!(
            "기기 {devices}대의 설정은 제외됩니다. 기기 {MAX_CHOSEN_DEVICES}대와 측정값 {MAX_CHOSEN_READINGS}개까지만 설정을 \
             저장할 수 있습니다."
        )
    },
    add: "추가",
    take_over: "이 기기 설정 사용",

    duplicate: "연결 복제",
    copy_of: |name| format!("{name} (사본)"),
};

fn bad_list(bad: &BadList) -> String {
    match bad {
        BadList::NotJson { line, column } => {
            format!(
                "텍스트가 잘렸거나 변경되었습니다({line}번째 줄, {column}번째 칸). 전체를 다시 복사하세요."
            )
        }
        BadList::NotConnections => {
            "연결 목록이 아닙니다. 다른 컴퓨터의 Duplex 설정에서 복사하세요.".to_owned()
        }
        BadList::Newer => "최신 버전의 Duplex에서 만든 목록입니다. Duplex를 업데이트하세요.".to_owned(),
        BadList::Entry { number, detail } => {
            format!(
                "{number}번째 연결을 사용할 수 없습니다({}). 아무것도 추가하지 않았습니다.",
                harmless::line(detail, 120)
            )
        }
        BadList::NewerEntry { number } => {
            format!("{number}번째 연결에는 최신 버전의 Duplex가 필요합니다. 아무것도 추가하지 않았습니다.")
        }
        BadList::Address { number, bad } => {
            format!("{number}번째 연결: {} 아무것도 추가하지 않았습니다.", (super::KOREAN.bad_address)(*bad))
        }
    }
}
