//! Korean: the mapping of a foreign server.

use super::mapping::MappingWords;
use crate::ui::mapping::Kind;

/// Korean.
pub(super) static KOREAN: MappingWords = MappingWords {
    title: "메시지 매핑",
    menu: "메시지 매핑…",
    about: "Duplex는 메시지, 사용자, 측정값을 형태로 알아봅니다. 이 서버가 다르게 동작하면 여기에 적어 주세요. 저장하면 다시 연결합니다.",
    recognize: "메시지는 대화로, 측정값은 기기로 표시",
    recognize_hint: "끄면 모든 메시지를 받은 그대로 표시합니다. 알아보지 못한 메시지는 언제나 받은 그대로 표시됩니다.",
    offer: "대화와 기기로 표시…",
    offer_hint: "이 서버는 사용자의 메시지나 측정값을 보냅니다. 어떻게 표시될지 먼저 확인할 수 있습니다.",
    your_name: "이 서버에서 쓰는 이름",
    your_name_hint: "매핑의 {name} 자리에 들어갑니다",
    begin_with: "기본 매핑:",
    choose: "서버 선택…",
    document: "매핑(JSON)",
    preview: "이 매핑으로 본 최근 수신 내용",
    nothing_yet: "Duplex를 시작한 뒤 받은 내용이 없습니다. 연결하면 여기에 표시됩니다.",
    times: |count| format!("× {count}"),
    kind: |kind| match kind {
        Kind::Unmapped => "알 수 없음",
        Kind::Message => "메시지",
        Kind::Notice => "서버 알림",
        Kind::ComesAndGoes => "입장 또는 퇴장",
        Kind::Typing => "입력 중",
        Kind::People => "사용자 목록",
        Kind::Readings => "기기 측정값",
        Kind::Me => "내 정보",
        Kind::Nothing => "무시",
    },
    as_message: "메시지로",
    as_readings: "측정값으로",
    as_nothing: "무시",
    copy: "JSON 복사",
    copy_hint: "파일로 저장해 duplexctl --map에 쓰거나 다른 연결의 매핑에 붙여 넣을 수 있습니다",
};
