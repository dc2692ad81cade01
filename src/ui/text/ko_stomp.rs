//! Korean: servers that speak STOMP.

use super::stomp::StompWords;
use crate::model::stomp::BadDestination;
use crate::ui::harmless;

/// Korean.
pub(super) static KOREAN: StompWords = StompWords {
    address_hint: "ws://server.example:15674/ws 또는 stomp://server.example",
    user_hint: "선택 사항: 서버의 로그인 이름",
    headers: "CONNECT와 WebSocket 요청의 헤더",
    destinations: "목적지(destination)",
    destinations_hint: "/topic/chat\n/topic/public -> /app/chat.sendMessage",
    destinations_help: "한 줄에 하나씩 쓰면 각각 방이 됩니다. 메시지를 다른 목적지로 보내려면 ‘->’ 뒤에, 추가 헤더(예: \
                        x-queue-type: quorum)는 ‘|’ 뒤에 쓰세요.",
    host: "가상 호스트",
    host_hint: "선택 사항: 서버의 기본값",
    bad: |bad| match bad {
        BadDestination::Empty => "이름이 없는 목적지가 있습니다.".to_owned(),
        BadDestination::TooMuch => "목적지가 너무 길거나 너무 많습니다.".to_owned(),
        BadDestination::Control => "목적지에 제어 문자가 있습니다.".to_owned(),
        BadDestination::Header(text) => {
            format!("목적지의 헤더는 ‘이름: 값’으로 쓰세요(입력한 내용: {}).", harmless::line(text, 60))
        }
        BadDestination::Reserved(name) => {
            format!("{} 헤더는 Duplex가 직접 설정합니다.", harmless::line(name, 60))
        }
    },
};
