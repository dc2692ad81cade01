//! Compressed frames and bodies, by hand.

use std::io::{Read, Write};

use duplex::hub::{Options, Running};
use duplex::model::features::Features;
use duplex::model::{Offset, RoomId};
use duplex::wire::duplex::deflate::{self, Deflater, GZIP};
use duplex::wire::duplex::message::{ClientMessage, Decoded, Hello, HubMessage, Welcome, decode};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::{DeflateEncoder, GzEncoder};
use futures_util::StreamExt;
use http_body_util::BodyExt;
use hyper::{Method, StatusCode};
use tokio_tungstenite::tungstenite::Message;

use super::channel_client::{Caller, Http, Route};
use super::client::{Client, frame, hello, hub, within};

fn wanting() -> Hello {
    Hello { features: Features::new([deflate::WORD]), since: Some(Offset(0)), ..hello() }
}

/// What comes over a WebSocket until a message is this: each as it came, and whether it was compressed.
async fn until(client: &mut Client, is_it: impl Fn(&HubMessage) -> bool) -> Vec<(HubMessage, bool)> {
    let mut all = Vec::new();
    loop {
        let (text, is_packed) = match within("a frame", client.ws.next()).await.unwrap().unwrap() {
            Message::Text(text) => (text.as_str().to_owned(), false),
            Message::Binary(bytes) => (deflate::unpack(&bytes, 1 << 20).unwrap(), true),
            _ => continue,
        };
        let Decoded::Known(message) = decode(&duplex::frame::Frame::Text(text)).unwrap() else { panic!() };
        let is_last = is_it(&message);
        all.push((message, is_packed));
        if is_last {
            return all;
        }
    }
}

fn is_welcome(message: &HubMessage) -> bool {
    matches!(message, HubMessage::Welcome(_))
}

async fn enter(hub: &Running, hello: Hello) -> (Client, Welcome) {
    let mut client = Client::dial(&hub.url, Some(hub.admin_token.reveal())).await;
    client.say(&ClientMessage::Hello(hello)).await;
    match until(&mut client, is_welcome).await.pop() {
        Some((HubMessage::Welcome(welcome), _)) => (client, welcome),
        other => panic!("{other:?}"),
    }
}

fn offers(welcome: &Welcome) -> bool {
    welcome.features.as_ref().unwrap().has_word(deflate::WORD)
}

/// Messages that fill a page of history.
async fn fill(hub: &Running) {
    let (mut client, _) = Client::enter(&hub.url, hub.admin_token.reveal(), None).await;
    let mut last = None;
    for number in 0..60 {
        last = Some(client.send(&format!("message number {number} of a conversation that goes on")).await);
    }
    client.acked(last.unwrap()).await;
}

fn page() -> ClientMessage {
    ClientMessage::History { room: RoomId::general(), before: Offset(1_000), limit: 200 }
}

fn is_page(message: &HubMessage) -> bool {
    matches!(message, HubMessage::History { .. })
}

#[tokio::test]
async fn what_is_long_is_compressed_over_a_websocket_for_who_asked_for_it() {
    let (_dir, hub) = hub().await;
    fill(&hub).await;
    let (mut client, welcome) = enter(&hub, wanting()).await;
    assert!(offers(&welcome));
    client.say(&page()).await;
    let heard = until(&mut client, is_page).await;
    assert!(heard.last().unwrap().1, "a page of history");
    assert!(heard.iter().any(|(message, is_packed)| matches!(message, HubMessage::Log { .. }) && *is_packed));
    client.say(&ClientMessage::Ping { nonce: 1, pad: String::new() }).await;
    let heard = until(&mut client, |message| matches!(message, HubMessage::Pong { nonce: 1, .. })).await;
    assert!(!heard.last().unwrap().1, "short ones go as they are");
    // The other way, too.
    let body = "long enough to be worth it\n".repeat(100);
    let draft = duplex::model::content::Draft {
        id: super::client::new_id(),
        room: RoomId::general(),
        content: duplex::model::content::Content::text(body.trim()),
        at: duplex::model::time::WallMs(7),
    };
    let packed =
        Deflater::default().pack(&frame(&ClientMessage::Send { draft, seq: 1, retry: false })).unwrap();
    client.raw(Message::binary(packed)).await;
    until(&mut client, |message| matches!(message, HubMessage::Ack { .. })).await;
    // Whoever did not ask gets none.
    let (mut plain, welcome) = enter(&hub, Hello { since: Some(Offset(0)), ..hello() }).await;
    assert!(!offers(&welcome));
    plain.say(&page()).await;
    assert!(until(&mut plain, is_page).await.iter().all(|(_, is_packed)| !is_packed));
    let off = tempfile::tempdir().unwrap();
    let options = Options { compresses: false, ..Options::embedded(off.path()) };
    let off = duplex::hub::start(options).await.unwrap();
    assert!(!offers(&enter(&off, wanting()).await.1));
}

fn deflated(bytes: &[u8], times: usize) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    (0..times).for_each(|_| encoder.write_all(bytes).unwrap());
    encoder.finish().unwrap()
}

#[tokio::test]
async fn bombs_and_damaged_frames_end_the_connection_with_the_reason() {
    let (_dir, hub) = hub().await;
    let bomb = deflated(&[b' '; 1 << 20], 64);
    assert!(bomb.len() < 100_000);
    let largest = deflated(&[b' '; 1 << 20], 1);
    for (bytes, code) in [
        (bomb, 1009),
        (deflated(&[b' '; (1 << 20) + 1], 1), 1009),
        (b"no deflate".to_vec(), 1002),
        (Vec::new(), 1002),
        (largest[..largest.len() - 2].to_vec(), 1002),
        (deflated(&[0xff; 2_000], 1), 1007),
    ] {
        let (mut client, _) = enter(&hub, wanting()).await;
        client.raw(Message::binary(bytes)).await;
        let closed = client.closed().await;
        assert!(closed.0 == code && closed.1.len() > 10, "{closed:?}");
    }
    let (mut client, _) = enter(&hub, wanting()).await;
    client.raw(Message::binary(largest)).await;
    client.find(|heard| matches!(heard, HubMessage::Error { .. }).then_some(())).await;
    // Not agreed on: a malformed frame, as any other.
    let (mut plain, _) = enter(&hub, hello()).await;
    plain.raw(Message::binary(deflated(b"{}", 1))).await;
    plain
        .find(|heard| matches!(heard, HubMessage::Error { code, .. } if code == "malformed").then_some(()))
        .await;
}

fn gzipped(bytes: &[u8], times: usize) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    (0..times).for_each(|_| encoder.write_all(bytes).unwrap());
    encoder.finish().unwrap()
}

#[tokio::test]
async fn posts_may_be_compressed_and_bombs_are_refused() {
    let (_dir, hub) = hub().await;
    let (mut caller, _) = Caller::enter(hub.addr, hub.admin_token.reveal(), Route::LongPoll).await;
    let mut http = Http::open(hub.addr).await;
    let bearer = format!("Bearer {}", hub.admin_token.reveal());
    let opened = http.call(Method::POST, "/v1/channels", &[("authorization", &bearer)], "").await;
    assert_eq!(opened.headers()["accept-encoding"], GZIP);
    let id = caller.id.clone();
    let headers =
        |coding| [("duplex-channel", id.as_str()), ("duplex-first", "2"), ("content-encoding", coding)];
    let spaces = vec![b' '; 1 << 20];
    for (coding, body, status) in [
        ("gzip", gzipped(&spaces, 64), 413),
        ("gzip", gzipped(&spaces, 2), 413),
        ("gzip", b"no gzip".to_vec(), 400),
        ("gzip", gzipped(&spaces, 1)[..900].to_vec(), 400),
        ("br", b"{}".to_vec(), 415),
    ] {
        let (got, answer) = http.ask(Method::POST, "/v1/channels/send", &headers(coding), body).await;
        assert!(got.as_u16() == status && answer.len() > 20, "{got} {answer}");
    }
    let ping = frame(&ClientMessage::Ping { nonce: 5, pad: String::new() });
    let (status, body) =
        http.ask(Method::POST, "/v1/channels/send", &headers("gzip"), gzipped(ping.as_bytes(), 1)).await;
    assert_eq!((status, body.as_str()), (StatusCode::OK, r#"{"received":2}"#));
    caller.find(|heard| matches!(heard, HubMessage::Pong { nonce: 5, .. }).then_some(())).await;
}

#[tokio::test]
async fn answers_are_compressed_for_who_accepts_that() {
    let (_dir, hub) = hub().await;
    fill(&hub).await;
    let mut sizes = Vec::new();
    for accepts in [None, Some("identity, gzip;q=0"), Some("deflate, GZIP;q=0.5")] {
        let wants = accepts == Some("deflate, GZIP;q=0.5");
        for path in ["poll?wait_ms=20000&", "stream?", "events?"] {
            let mut caller = Caller::open(hub.addr, Some(hub.admin_token.reveal()), Route::Poll).await;
            caller.hello(Hello { since: Some(Offset(0)), ..hello() }).await;
            let path = format!("/v1/channels/{path}from=1");
            let id = caller.id.clone();
            let mut headers = vec![("duplex-channel", id.as_str())];
            headers.extend(accepts.map(|accepts| ("accept-encoding", accepts)));
            let mut answer = caller.down.call(Method::GET, &path, &headers, "").await;
            let is_packed = answer.headers().get("content-encoding").is_some();
            assert!(
                !is_packed || (wants && answer.headers()["content-encoding"] == GZIP),
                "{path} {accepts:?}"
            );
            let mut raw = Vec::new();
            while let Some(piece) = within("a piece", answer.frame()).await {
                raw.extend(piece.unwrap().into_data().unwrap());
                let text = if is_packed { unzipped(&raw) } else { String::from_utf8(raw.clone()).unwrap() };
                // The last of them, of which nothing is held back.
                if text.contains("number 59 ") {
                    break;
                }
            }
            if !path.contains("poll") {
                assert_eq!(is_packed, wants, "{path} {accepts:?}");
                sizes.push(raw.len());
            }
        }
    }
    let [one, two, three, four, five, six] = sizes[..] else { panic!("{sizes:?}") };
    assert!(one.abs_diff(three) < 500 && two.abs_diff(four) < 500, "{sizes:?}");
    assert!(five * 2 < one && six * 2 < two, "{sizes:?}");
}

/// What has come of it so far.
fn unzipped(raw: &[u8]) -> String {
    let mut text = Vec::new();
    // It has not ended.
    let _ = GzDecoder::new(raw).read_to_end(&mut text);
    String::from_utf8(text).unwrap()
}
