//! English: how messages travel.

use super::routes::RouteWords;
use crate::model::route::{Blocked, HttpVersion, Route, RouteInUse};

/// English.
pub(super) static ENGLISH: RouteWords = RouteWords {
    transport: "Transport",
    automatic: "Automatic",
    websocket: "WebSocket",
    sse: "Server-sent events",
    stream: "HTTP streaming",
    long_poll: "Long polling",
    poll: "Polling",
    only_hint: "Only this transport is used, even where it is blocked and another would work.",
    via,
};

fn via(used: &RouteInUse) -> String {
    let via = match used.route {
        Route::WebSocket => "via WebSocket",
        Route::Sse => "via server-sent events",
        Route::Stream => "via HTTP streaming",
        Route::LongPoll => "via long polling",
        Route::Poll => "via polling",
    };
    let delay = used.delay_ms.map(|ms| format!(" (up to {} s delay)", ms.div_ceil(1000)));
    let version = if used.http == Some(HttpVersion::Http2) { " over HTTP/2" } else { "" };
    let why = used.blocked.map(|why| format!(": {}", blocked(why)));
    format!("{via}{version}{}{}", delay.unwrap_or_default(), why.unwrap_or_default())
}

fn blocked(why: Blocked) -> String {
    match why {
        Blocked::Refused(status) => format!("WebSocket was refused ({status} by a proxy)"),
        Blocked::Stripped => "WebSocket was blocked (a proxy removed the upgrade)".to_owned(),
        Blocked::Garbled => "WebSocket was blocked (a proxy garbled the handshake)".to_owned(),
        Blocked::Ended => "WebSocket was blocked (the handshake was cut off)".to_owned(),
        Blocked::Unanswered => "WebSocket was blocked (no answer to the handshake)".to_owned(),
        Blocked::Mute => "WebSocket was blocked (it opened, but nothing came through)".to_owned(),
        Blocked::Cut => "WebSocket was cut off repeatedly by the network".to_owned(),
    }
}
