//! Korean: private rooms, their members and direct messages.

use super::private::PrivateWords;

/// Korean.
pub(super) static KOREAN: PrivateWords = PrivateWords {
    hole: |from, to| {
        format!(
            "이 방의 멤버가 아니었던 {from}부터 {to}까지의 메시지는 아직 불러오지 않았습니다. 최신 메시지로 이동한 뒤 위로 스크롤하면 불러옵니다."
        )
    },
};
