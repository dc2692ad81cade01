//! What a hub refuses and bounds, on every route and over either version of HTTP alike: strangers, what is too large, and who does not read.

use std::time::Duration;

use duplex::model::Offset;
use duplex::wire::duplex::message::{ClientMessage, Hello, HubMessage};
use futures_util::SinkExt;
use hyper::{Method, StatusCode, Version};
use tokio_tungstenite::tungstenite::Message;

use super::channel_client::{Caller, Http, Route, Way, ways};
use super::channels::figure;
use super::client::{Client, hello, hub, refused, within};

/// Longer than a hub waits for a client that takes nothing.
const DEADLINE: Duration = Duration::from_secs(120);

#[tokio::test]
async fn strangers_are_refused_on_every_route_as_on_the_socket() {
    let (_dir, hub) = hub().await;
    let (caller, _) = Caller::enter(hub.addr, hub.admin_token.reveal(), Route::Poll).await;
    let (id, other) = (caller.id.clone(), "0".repeat(64));
    let foreign: [(&str, &str, u16); 2] =
        [("origin", "https://evil.example", 403), ("host", "evil.example", 421)];
    for (name, value, status) in foreign {
        assert_eq!(refused(&hub.url, &[(name, value)]).await.status(), status, "the socket");
        let joining = [("duplex-channel", id.as_str()), ("duplex-from", "1"), (name, value)];
        assert_eq!(refused(&hub.url, &joining).await.status(), status, "a socket that joins");
    }
    let requests = [
        (Method::POST, "/v1/channels"),
        (Method::POST, "/v1/channels/send"),
        (Method::GET, "/v1/channels/events?from=1"),
        (Method::GET, "/v1/channels/stream?from=1"),
        (Method::GET, "/v1/channels/poll?from=1"),
        (Method::DELETE, "/v1/channels"),
    ];
    let versions = [Version::HTTP_11, Version::HTTP_2];
    for ((method, path), version) in requests.iter().flat_map(|request| versions.map(|one| (request, one))) {
        let (method, path, mut http) = (method.clone(), *path, Http::open_by(hub.addr, version).await);
        for (name, value, status) in foreign {
            let headers = [("duplex-channel", id.as_str()), (name, value)];
            let (got, answer) = http.ask(method.clone(), path, &headers, "").await;
            assert!(got.as_u16() == status && answer.len() > 20, "{method} {path} {name}: {got} {answer}");
        }
        if (&method, path) == (&Method::POST, "/v1/channels") {
            let (got, answer) = http.ask(method, path, &[("authorization", "Bearer 1234")], "").await;
            assert_eq!(got, StatusCode::UNAUTHORIZED, "{answer}");
            continue;
        }
        // The id of a channel stands for the token.
        let (got, answer) = http.ask(method.clone(), path, &[], "").await;
        assert_eq!(got, StatusCode::BAD_REQUEST, "{method} {path}: {answer}");
        let (got, answer) = http.ask(method.clone(), path, &[("duplex-channel", &other)], "").await;
        assert_eq!(got, StatusCode::NOT_FOUND, "{method} {path}: {answer}");
    }
    assert_eq!(refused(&hub.url, &[("authorization", "Bearer 1234")]).await.status(), 401);
    // Without a token nobody is let in, however they come.
    for route in ways() {
        let mut nobody = Caller::open(hub.addr, None, route).await;
        nobody.hello(hello()).await;
        assert!(matches!(nobody.hear().await, HubMessage::Bye { code: 4501, .. }), "{route:?}");
        let (status, body) = within("the end", nobody.try_hear()).await.unwrap_err();
        assert!(status == StatusCode::GONE && body.contains("4501"), "{route:?}: {body}");
    }
    let mut nobody = Client::dial(&hub.url, None).await;
    nobody.say(&ClientMessage::Hello(hello())).await;
    assert!(matches!(nobody.hear().await, HubMessage::Bye { code: 4501, .. }));
}

#[tokio::test]
async fn what_is_too_large_is_refused_on_every_route_as_on_the_socket() {
    let (_dir, hub) = hub().await;
    for route in ways() {
        // Before the welcome: 8 KiB.
        let mut early = Caller::open(hub.addr, None, route).await;
        let headers = [("duplex-channel", early.id.as_str()), ("duplex-first", "1")];
        early.up.ask(Method::POST, "/v1/channels/send", &headers, "x".repeat(9_000)).await;
        let (status, body) = loop {
            if let Err(ended) = within("the end", early.try_hear()).await {
                break ended;
            }
        };
        assert!(status == StatusCode::GONE && body.contains("1009"), "{route:?}: {body}");
        // After it: a frame of 1 MiB, and no more.
        let (mut caller, _) = Caller::enter(hub.addr, hub.admin_token.reveal(), route).await;
        let headers = [("duplex-channel", caller.id.as_str()), ("duplex-first", "2")];
        let large = "x".repeat((1 << 20) + 100);
        let (status, _) = caller.up.ask(Method::POST, "/v1/channels/send", &headers, large).await;
        assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE, "{route:?}");
        let sent = caller.send("nothing was lost by it").await;
        caller.acked(sent).await;
        // Over a WebSocket that has joined it is the WebSocket that ends, and the channel goes on.
        caller.join(hub.addr).await;
        let sent = caller.send("over the WebSocket").await;
        caller.acked(sent).await;
        let _ = caller.socket.as_mut().unwrap().send(Message::text("x".repeat((1 << 20) + 1))).await;
        within("the end", caller.ended()).await;
    }
}

/// The channel's own limit is reached long before the system's buffers are full, so that a WebSocket takes most.
#[tokio::test]
async fn who_does_not_read_is_given_up_on_every_route_and_disturbs_nobody() {
    let (dir, hub) = hub().await;
    let mut callers = Vec::new();
    for (number, route) in ways().enumerate() {
        let (_, token) = Client::join(&dir, &hub.url, &format!("Ben {number}")).await;
        callers.push(Caller::enter(hub.addr, &token, route).await.0);
    }
    let (_, token) = Client::join(&dir, &hub.url, "Socket").await;
    let (_socket, _) = Client::enter(&hub.url, &token, None).await;
    let (mut other, _) = Client::enter(&hub.url, hub.admin_token.reveal(), None).await;
    let body = "x".repeat(60_000);
    for _ in 0..200 {
        let sent = other.send(&body).await;
        other.acked(sent).await;
    }
    let held = figure(&hub, "duplex_channel_bytes").await;
    assert!(held < ways().count() as u64 * 1_400_000, "12 MB were sent, {held} bytes are kept");
    let given_up = async {
        let mut tick = tokio::time::interval(Duration::from_millis(200));
        // Only the one who reads is left.
        while figure(&hub, "duplex_connections").await > 1 {
            tick.tick().await;
            other.say(&ClientMessage::Ping { nonce: 1, pad: String::new() }).await;
            other.find(|heard| matches!(heard, HubMessage::Pong { .. }).then_some(())).await;
        }
    };
    tokio::time::timeout(DEADLINE, given_up).await.expect("all of them are given up");
    let refused = figure(&hub, "duplex_refused_total{reason=\"too_slow\"}").await;
    assert!(refused > ways().count() as u64, "{refused} are said to be too slow");
    for mut caller in callers {
        let ended = loop {
            if let Err(ended) = within("the end", caller.try_hear()).await {
                break ended;
            }
        };
        assert_eq!(ended.0, StatusCode::GONE, "{:?}: {}", caller.route, ended.1);
        assert!(ended.1.contains("1006"), "{:?}: {}", caller.route, ended.1);
    }
    let sent = other.send("undisturbed").await;
    other.acked(sent).await;
}

/// The WebSocket that joined takes nothing: it is given up, the channel goes on with requests, and all of it arrives.
#[tokio::test]
async fn a_joined_websocket_that_is_not_read_is_left_and_nothing_is_lost() {
    let (dir, hub) = hub().await;
    let (mut other, _) = Client::enter(&hub.url, hub.admin_token.reveal(), None).await;
    let (_, token) = Client::join(&dir, &hub.url, "Ben").await;
    let http2 = Way(Route::Stream, Version::HTTP_2);
    for route in [Way::from(Route::LongPoll), Way::from(Route::Stream), http2] {
        let head = last_offset(&mut other).await;
        let mut slow = Caller::open(hub.addr, Some(&token), route).await;
        slow.hello(Hello { since: Some(head), ..hello() }).await;
        slow.hear().await;
        slow.join(hub.addr).await;
        let body = "x".repeat(60_000);
        for number in 0..12 {
            let sent = other.send(&format!("{number} {body}")).await;
            other.acked(sent).await;
        }
        // The connection stays open and nobody reads it, as on a network that forgets it.
        let socket = slow.socket.take();
        slow.leave();
        let heard = slow.bodies(12).await;
        for (number, text) in heard.iter().enumerate() {
            assert!(text.starts_with(&format!("{number} ")), "{route:?}: {number}");
        }
        assert_eq!(heard.len(), 12, "{route:?}");
        let sent = slow.send("and back").await;
        slow.acked(sent).await;
        drop(socket);
    }
}

async fn last_offset(client: &mut Client) -> Offset {
    let sent = client.send("a mark").await;
    client.acked(sent).await
}
