//! Korean: servers that speak MQTT.

use super::mqtt::MqttWords;
use crate::model::mqtt::BadTopic;
use crate::ui::harmless;

/// Korean.
pub(super) static KOREAN: MqttWords = MqttWords {
    address_hint: "mqtt://server.example, mqtts://server.example 또는 wss://server.example/mqtt",
    user_hint: "선택 사항: 서버의 사용자 이름",
    headers: "WebSocket 요청의 헤더",
    subscriptions: "구독",
    subscriptions_hint: "#",
    subscriptions_help: "한 줄에 하나씩 쓰세요. 비워 두면 서버가 보여 주는 모든 토픽(#)을 구독합니다. 다른 QoS를 쓰려면: alarms/# | qos: 1",
    chats: "여기서 대화하기: 내가 접속 중임을 다른 사용자에게 표시",
    your_name: "대화에 표시할 이름",
    your_name_hint: "선택 사항: 비워 두면 사용자 이름",
    chat: "대화방의 상위 토픽",
    chat_help: "Duplex 사용자끼리 같은 토픽을 쓰면 서로 대화할 수 있습니다.",
    client_id: "클라이언트 ID",
    client_id_hint: "선택 사항: 비워 두면 자동으로 정해 계속 사용",
    version: "버전",
    version_automatic: "자동",
    keeps_session: "자리를 비운 동안의 메시지를 서버에 보관",
    exactly_once: "대화 메시지를 정확히 한 번만 전달(QoS 2)",
    bad: |bad| match bad {
        BadTopic::Empty => "토픽을 입력하세요.".to_owned(),
        BadTopic::TooMuch => "토픽이 너무 길거나 너무 많습니다.".to_owned(),
        BadTopic::Control => "토픽에 제어 문자가 있습니다.".to_owned(),
        BadTopic::Wildcard(text) => format!(
            "‘+’와 ‘#’은 빗금 사이에 단독으로, ‘#’은 맨 끝에만 쓸 수 있습니다: {}",
            harmless::line(text, 60)
        ),
        BadTopic::NoWildcard => "발행할 토픽에는 ‘+’와 ‘#’을 쓸 수 없습니다.".to_owned(),
        BadTopic::Qos => "QoS는 0, 1, 2 중 하나이며, 대화에는 1이나 2를 씁니다.".to_owned(),
    },
    reason: |code| match code {
        0x80 => "서버에서 알 수 없는 오류가 발생했습니다.",
        0x81 => "서버가 Duplex의 메시지를 읽지 못했습니다.",
        0x82 => "서버가 Duplex의 메시지를 프로토콜 오류로 판단했습니다.",
        0x83 => "서버가 처리할 수 없는 요청입니다.",
        0x84 => "서버가 이 MQTT 버전을 지원하지 않습니다.",
        0x85 => "서버가 클라이언트 ID를 허용하지 않습니다.",
        0x86 => "서버가 사용자 이름 또는 암호를 거부했습니다.",
        0x87 => "이 사용자에게는 권한이 없습니다.",
        0x88 => "서버를 지금 사용할 수 없습니다.",
        0x89 => "서버가 바쁩니다.",
        0x8A => "서버가 이 클라이언트를 차단했습니다.",
        0x8B => "서버가 종료되고 있습니다.",
        0x8C => "서버가 요구하는 확장 인증(enhanced authentication)을 Duplex가 지원하지 않습니다.",
        0x8D => "서버가 오랫동안 Duplex의 신호를 받지 못했습니다.",
        0x8E => "다른 프로그램이 같은 클라이언트 ID로 접속했습니다.",
        0x8F => "서버가 토픽 필터를 허용하지 않습니다.",
        0x90 => "서버가 토픽을 허용하지 않습니다.",
        0x91 => "서버에서 이미 사용 중인 패킷 ID입니다.",
        0x92 => "서버가 모르는 패킷 ID입니다.",
        0x93 => "서버가 한 번에 받을 수 있는 것보다 많은 메시지를 보냈습니다.",
        0x94 => "서버가 토픽 별칭을 허용하지 않습니다.",
        0x95 => "서버가 받기에는 메시지가 너무 큽니다.",
        0x96 => "서버가 허용하는 것보다 메시지를 빠르게 보냈습니다.",
        0x97 => "서버의 할당량을 모두 사용했습니다.",
        0x98 => "서버 관리자가 연결을 끊었습니다.",
        0x99 => "내용이 표시된 형식과 다릅니다.",
        0x9A => "서버가 보관(retain) 메시지를 지원하지 않습니다.",
        0x9B => "서버가 이 QoS를 지원하지 않습니다.",
        0x9C => "서버가 당분간 다른 서버를 사용하라고 합니다.",
        0x9D => "서버의 주소가 바뀌었습니다.",
        0x9E => "서버가 공유 구독을 지원하지 않습니다.",
        0x9F => "서버에 새 연결이 너무 많이 몰리고 있습니다.",
        0xA0 => "서버가 정한 최대 연결 시간이 지났습니다.",
        0xA1 => "서버가 구독 식별자를 지원하지 않습니다.",
        0xA2 => "서버가 구독에서 와일드카드를 지원하지 않습니다.",
        _ => "서버에서 Duplex가 모르는 오류가 발생했습니다.",
    },
};

/// What to do about a reason code after which Duplex does not try again.
pub(super) fn fix(code: u8) -> &'static str {
    match code {
        0x85 => "연결 편집에서 클라이언트 ID를 바꾸세요.",
        0x86 | 0x87 | 0x8A => "연결 편집에서 사용자 이름, 암호, 클라이언트 ID를 확인하세요.",
        0x9C | 0x9D => "연결 편집에서 주소를 바꾸세요.",
        _ => "연결 편집에서 옵션을 확인하세요.",
    }
}
