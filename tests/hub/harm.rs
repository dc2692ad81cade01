//! Misbehaving clients, and a failing disk.

use duplex::model::RoomId;
use duplex::model::content::{Content, Draft, Extra};
use duplex::model::id::Offset;
use duplex::model::time::WallMs;
use duplex::wire::duplex::message::{ClientMessage, HubMessage, close};
use futures_util::SinkExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use super::client::{Client, get, hub, new_id, within};

fn error(message: &HubMessage) -> Option<String> {
    match message {
        HubMessage::Error { code, .. } => Some(code.clone()),
        _ => None,
    }
}

#[tokio::test]
async fn invalid_messages_are_reported_or_close_the_connection() {
    let (_dir, hub) = hub().await;
    let token = hub.admin_token.reveal();
    let mut client = Client::dial(&hub.url, Some(token)).await;
    client.raw(Message::text("garbage")).await;
    assert_eq!(client.closed().await.0, close::VIOLATION, "before the hello");

    let (mut client, _) = Client::enter(&hub.url, token, None).await;
    client.raw(Message::binary(vec![1, 2, 3])).await;
    assert_eq!(client.find(error).await, "malformed");
    client.raw(Message::text("{")).await;
    assert_eq!(client.find(error).await, "malformed");
    client.raw(Message::text(r#"{"type":"of tomorrow"}"#)).await;
    assert_eq!(client.find(error).await, "unknown_type");
    client.raw(Message::text("[".repeat(100_000))).await;
    assert_eq!(client.find(error).await, "malformed");
    let id = client.send("still here").await;
    client.acked(id).await;

    let text = Frame::message(vec![0xff, 0xfe], OpCode::Data(Data::Text), true);
    client.raw(Message::Frame(text)).await;
    assert_eq!(client.closed().await.0, 1007);
}

#[tokio::test]
async fn an_oversized_frame_is_not_read() {
    let (_dir, hub) = hub().await;
    let (mut client, _) = Client::enter(&hub.url, hub.admin_token.reveal(), None).await;
    client.raw(Message::text("x".repeat(1024 * 1024))).await;
    assert_eq!(client.find(error).await, "malformed", "as large as allowed");
    // Its header alone is enough; the rest may never be accepted.
    let _ = tokio::join!(client.ws.send(Message::text("x".repeat(8 * 1024 * 1024))), async {});
    assert_eq!(client.closed().await.0, 1009);
}

#[tokio::test]
async fn invalid_frames_close_with_1002() {
    let (_dir, hub) = hub().await;
    let mut stream = TcpStream::connect(hub.addr).await.unwrap();
    let handshake = "GET /v1/socket HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive, Upgrade\r\n\
        Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    stream.write_all(handshake.as_bytes()).await.unwrap();
    stream.write_all(&[0xff; 64]).await.unwrap();
    let mut answer = Vec::new();
    within("the close", stream.read_to_end(&mut answer)).await.unwrap();
    let text = String::from_utf8_lossy(&answer);
    assert!(text.starts_with("HTTP/1.1 101 ") && text.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "{text}");
    let head = answer.windows(4).position(|end| end == b"\r\n\r\n").unwrap() + 4;
    assert_eq!((answer[head], &answer[head + 2..head + 4]), (0x88, &1002u16.to_be_bytes()[..]));
}

#[tokio::test]
async fn http_without_a_handshake_gets_an_explanation() {
    let (_dir, hub) = hub().await;
    let status = async |path: &str, headers: &str| {
        let answer = get(hub.addr, path, &format!("Host: localhost\r\n{headers}")).await;
        answer.split(' ').nth(1).unwrap().to_owned()
    };
    assert_eq!(status("/v1/socket", "").await, "426");
    assert_eq!(status("/elsewhere", "").await, "404");
    let upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\n";
    assert_eq!(status("/v1/socket", &format!("{upgrade}Sec-WebSocket-Version: 8\r\n")).await, "426");
    assert_eq!(status("/v1/socket", &format!("{upgrade}Sec-WebSocket-Version: 13\r\n")).await, "400");
    assert_eq!(status("/healthz", &format!("X: {}\r\n", "x".repeat(20_000))).await, "431");
    assert_eq!(status("/healthz", &"X: x\r\n".repeat(100)).await, "431");
}

#[tokio::test]
async fn a_client_that_does_not_read_delays_nobody_and_misses_nothing() {
    let (dir, hub) = hub().await;
    let (mut slow, _) = Client::enter(&hub.url, hub.admin_token.reveal(), None).await;
    let mut writers = Vec::new();
    for number in 0..8 {
        let (mut writer, _) = Client::join(&dir, &hub.url, &format!("writer {number}")).await;
        // More in total than both ends can buffer.
        writers.push(tokio::spawn(async move {
            for _ in 0..20 {
                let id = writer.send(&"x".repeat(60 * 1024)).await;
                writer.acked(id).await;
                writer.messages(1).await;
            }
        }));
    }
    for writer in writers {
        writer.await.unwrap();
    }
    let read = slow.messages(160).await;
    assert!(read.windows(2).all(|pair| pair[1].offset == pair[0].offset + 1));
    assert_eq!(read.len(), 160);
}

#[tokio::test]
async fn a_failing_disk_is_reported_and_nothing_is_half_written() {
    let (dir, hub) = hub().await;
    let (mut anna, _) = Client::enter(&hub.url, hub.admin_token.reveal(), None).await;
    let id = anna.send("before").await;
    anna.acked(id).await;
    // Simulates a full disk: longer texts do not fit.
    let disk = rusqlite::Connection::open(dir.path().join("hub.db")).unwrap();
    let full = "CREATE TRIGGER full BEFORE INSERT ON entry WHEN length(NEW.body) > 5
        BEGIN SELECT RAISE(FAIL, 'no room'); END";
    disk.execute_batch(full).unwrap();
    // Both in one write, so that the hub has both before the first one fails.
    let send = |seq, body: &str| {
        let (id, room, body) = (new_id(), RoomId::general(), body.to_owned());
        Message::text(super::client::frame(&ClientMessage::Send {
            draft: Draft { id, room, content: Content::text(body), at: WallMs(0) },
            seq,
            retry: false,
        }))
    };
    anna.ws.feed(send(2, "too long")).await.unwrap();
    anna.ws.feed(send(3, "short")).await.unwrap();
    anna.ws.flush().await.unwrap();
    let retry = anna
        .find(|message| match message {
            HubMessage::Bye { code: close::UNAVAILABLE, retry_after_ms, .. } => Some(*retry_after_ms),
            HubMessage::Ack { .. } => panic!("acknowledged"),
            _ => None,
        })
        .await;
    assert_eq!(retry, Some(5_000));
    assert_eq!(anna.closed().await.0, close::UNAVAILABLE);
    assert!(get(hub.addr, "/healthz", "Host: localhost\r\n").await.starts_with("HTTP/1.1 503 "));
    disk.execute_batch("DROP TRIGGER full").unwrap();

    let (mut anna, welcome) = Client::enter(&hub.url, hub.admin_token.reveal(), None).await;
    assert_eq!(welcome.head, Offset(2), "the second must not be there without the first");
    let id = anna.send("after the disk was full").await;
    assert_eq!(anna.acked(id).await, Offset(3));
    assert!(get(hub.addr, "/healthz", "Host: localhost\r\n").await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn a_group_of_appends_is_written_whole_or_not_at_all() {
    use duplex::model::{Epoch, PrincipalId, Sender};
    use duplex::store::{Append, Appended, HubStore};
    let dir = tempfile::tempdir().unwrap();
    let store = HubStore::open(dir.path(), Epoch(1), WallMs(0), new_id()).unwrap();
    let append = |content| Append {
        role: duplex::model::Role::Operator,
        draft: Draft { id: new_id(), room: RoomId::general(), content, at: WallMs(0) },
        sender: Sender { id: PrincipalId("a".to_owned()), name: "a".to_owned() },
        received: WallMs(0),
        only_known: false,
    };
    let unknown = Content::from_fields("poll", None, Extra::default()).unwrap();
    let (one, bad) = (append(Content::text("one")), append(unknown));
    assert!(store.append_all(vec![one.clone(), bad]).await.is_err());
    assert_eq!(store.head(), Offset(1));
    let two = append(Content::text("two"));
    let mut elsewhere = append(Content::text(""));
    elsewhere.draft.room = RoomId::new("none").unwrap();
    let written = store.append_all(vec![one.clone(), elsewhere, two, one]).await.unwrap();
    let offsets = written.iter().map(|appended| match appended {
        Appended::New(entry) => entry.offset,
        Appended::Known { offset, .. } => *offset + 100,
        _ => Offset(0),
    });
    assert_eq!(offsets.collect::<Vec<_>>(), [2, 0, 3, 102].map(Offset));
}
