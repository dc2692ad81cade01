//! Korean: connections as a person sets them up.

use super::profiles::ProfileWords;

/// Korean.
pub(super) static KOREAN: ProfileWords = ProfileWords {
    ask_title: |name| format!("{name} 토큰"),
    ask_unknown: "이 연결에 쓸 토큰이 없습니다.",
    ask_refused: "서버를 운영하는 사람에게 새 토큰을 받아 여기에 넣으세요.",
    no_keyring: |detail| {
        format!(
            "이 시스템에는 토큰을 보관할 키링이 없어서({detail}) 시작할 때마다 묻습니다. 토큰은 결코 파일에 쓰지 \
             않습니다."
        )
    },
    token_of: |name| format!("{name} 연결의 토큰"),
};
