//! Korean: how messages travel.

use super::routes::RouteWords;
use crate::model::route::{Blocked, HttpVersion, Route, RouteInUse};

/// Korean.
pub(super) static KOREAN: RouteWords = RouteWords {
    transport: "전송 방식",
    automatic: "자동",
    websocket: "WebSocket",
    sse: "서버 전송 이벤트(SSE)",
    stream: "HTTP 스트리밍",
    long_poll: "롱 폴링",
    poll: "폴링",
    only_hint: "이 방식만 사용합니다. 차단된 네트워크에서도 다른 방식으로 바꾸지 않습니다.",
    via,
};

fn via(used: &RouteInUse) -> String {
    let via = match used.route {
        Route::WebSocket => "WebSocket으로 연결됨",
        Route::Sse => "서버 전송 이벤트(SSE)로 연결됨",
        Route::Stream => "HTTP 스트리밍으로 연결됨",
        Route::LongPoll => "롱 폴링으로 연결됨",
        Route::Poll => "폴링으로 연결됨",
    };
    let delay = used.delay_ms.map(|ms| format!("(최대 {}초 지연)", ms.div_ceil(1000)));
    let version = if used.http == Some(HttpVersion::Http2) { "(HTTP/2)" } else { "" };
    let why = used.blocked.map(|why| format!(": {}", blocked(why)));
    format!("{via}{version}{}{}", delay.unwrap_or_default(), why.unwrap_or_default())
}

fn blocked(why: Blocked) -> String {
    match why {
        Blocked::Refused(status) => format!("WebSocket이 거부됨(프록시 응답 {status})"),
        Blocked::Stripped => "WebSocket이 차단됨(프록시가 업그레이드 요청을 제거함)".to_owned(),
        Blocked::Garbled => "WebSocket이 차단됨(프록시가 핸드셰이크를 변경함)".to_owned(),
        Blocked::Ended => "WebSocket이 차단됨(핸드셰이크 중 연결이 끊김)".to_owned(),
        Blocked::Unanswered => "WebSocket이 차단됨(핸드셰이크에 응답 없음)".to_owned(),
        Blocked::Mute => "WebSocket이 차단됨(연결 후 데이터가 오지 않음)".to_owned(),
        Blocked::Cut => "네트워크에서 WebSocket이 반복해서 끊김".to_owned(),
    }
}
