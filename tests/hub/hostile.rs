//! Hostile clients: floods without a token, tokens with too many connections, messages that never end. Whatever they
//! do, others can connect and are answered.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use duplex::hub::{Options, Running, Tls};
use duplex::model::profile::Socket;
use duplex::transport::{Endpoint, dial};
use duplex::wire::duplex::message::{ClientMessage, Hello, HubMessage, close};
use futures_util::{SinkExt, StreamExt};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use super::client::{Client, get, hello, hub, refused, within};

/// More than the limit of anonymous connections.
const CROWD: usize = 600;
/// The limit of connections of one token.
const SHARE: usize = 128;
const ASK: &str = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
/// Close code 1013, "Try Again Later".
const TRY_AGAIN: u16 = 1013;
/// Maximum time to wait for one of the hub's deadlines.
const DEADLINE: Duration = Duration::from_secs(60);

/// Other systems have only one loopback address by default.
fn attacker() -> IpAddr {
    let last = if cfg!(target_os = "linux") { 2 } else { 1 };
    IpAddr::from(Ipv4Addr::new(127, 0, 0, last))
}

/// Opens connections from the attacker's address, and sends this over each.
async fn crowd(hub: SocketAddr, count: usize, first: &str) -> Vec<TcpStream> {
    let mut all = Vec::new();
    for _ in 0..count {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::new(attacker(), 0)).unwrap();
        let mut stream = within("a connection", socket.connect(hub)).await.unwrap();
        // The hub may have closed it.
        let _ = stream.write_all(first.as_bytes()).await;
        all.push(stream);
    }
    all
}

/// Checks that a new client can connect and an existing one still works.
async fn works(hub: &Running, member: &mut Client) {
    let id = member.send("still here").await;
    member.acked(id).await;
    let (mut newcomer, _) = Client::enter(&hub.url, hub.admin_token.reveal(), None).await;
    let id = newcomer.send("here at last").await;
    newcomer.acked(id).await;
    assert!(get(hub.addr, "/healthz", "Host: localhost\r\n").await.starts_with("HTTP/1.1 200 "));
}

/// A value from the hub's metrics.
async fn metric(hub: &Running, name: &str) -> f64 {
    let headers = format!("Host: localhost\r\nAuthorization: Bearer {}\r\n", hub.admin_token.reveal());
    let text = get(hub.addr, "/metrics", &headers).await;
    let found = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok());
    found.unwrap_or_else(|| panic!("{name} is missing in {text}"))
}

#[tokio::test]
async fn floods_without_a_token_keep_nobody_out() {
    let (dir, hub) = hub().await;
    let (mut member, _) = Client::join(&dir, &hub.url, "Mina").await;
    let half_a_head = "GET /v1/socket HTTP/1.1\r\nHost: localhost\r\n";
    let many_requests = ASK.repeat(300);
    for first in ["", half_a_head, ASK, &many_requests] {
        let crowd = crowd(hub.addr, CROWD, first).await;
        works(&hub, &mut member).await;
        let strangers = metric(&hub, "duplex_strangers").await;
        assert!(strangers < CROWD as f64, "{strangers} strangers");
        drop(crowd);
    }
    assert!(metric(&hub, "duplex_refused_total{reason=\"crowded\"}").await > 0.0);
}

#[tokio::test]
async fn a_flood_that_is_silent_in_tls_keeps_nobody_out() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options { tls: Tls::SelfSigned, ..Options::embedded(dir.path()) };
    let hub = duplex::hub::start(options).await.unwrap();
    let _crowd = crowd(hub.addr, CROWD, "").await;
    let target = Endpoint { fingerprint: hub.fingerprint.clone(), ..Endpoint::new(&hub.url) };
    within("a newcomer's TLS", dial(Socket::Tungstenite, target)).await.unwrap();
}

#[tokio::test]
async fn sockets_that_never_say_hello_keep_nobody_out() {
    let (dir, hub) = hub().await;
    let (mut member, _) = Client::join(&dir, &hub.url, "Mina").await;
    let upgrade = "GET /v1/socket HTTP/1.1\r\nHost: localhost\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\
                   Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    let _crowd = crowd(hub.addr, CROWD, upgrade).await;
    works(&hub, &mut member).await;
}

#[tokio::test]
async fn requests_per_connection_are_limited() {
    let (_dir, hub) = hub().await;
    let mut stream = TcpStream::connect(hub.addr).await.unwrap();
    let mut answers = String::new();
    let asking = async {
        let mut piece = [0; 1024];
        loop {
            // Writing may still succeed after the hub has closed.
            let _ = stream.write_all(ASK.as_bytes()).await;
            match stream.read(&mut piece).await {
                Ok(read) if read > 0 => answers.push_str(&String::from_utf8_lossy(&piece[..read])),
                _ => return,
            }
        }
    };
    within("the hub to close", asking).await;
    assert_eq!(answers.matches("HTTP/1.1 200 ").count(), 100);
    assert_eq!(answers.to_lowercase().matches("connection: close").count(), 1, "the last one says so");
}

#[tokio::test]
async fn connections_per_token_are_limited() {
    let (dir, hub) = hub().await;
    let (member, token) = Client::join(&dir, &hub.url, "Mallory").await;
    let mut sockets = vec![member];
    while sockets.len() < SHARE {
        sockets.push(Client::dial(&hub.url, Some(&token)).await);
    }
    let one_more = refused(&hub.url, &[("authorization", &format!("Bearer {token}"))]).await;
    assert_eq!(one_more.status(), 503);
    assert!(one_more.headers().contains_key("retry-after"));
    // The same if the token is sent in the hello.
    let mut late = Client::dial(&hub.url, None).await;
    late.say(&ClientMessage::Hello(Hello { token: Some(token.clone()), ..hello() })).await;
    assert!(matches!(late.hear().await, HubMessage::Bye { code: TRY_AGAIN, retry_after_ms: Some(_), .. }));
    assert_eq!(late.closed().await.0, TRY_AGAIN);
    Client::join(&dir, &hub.url, "Mina").await;
    // Closed connections free their slots.
    let mut gone = sockets.pop().unwrap();
    gone.say(&ClientMessage::Bye).await;
    gone.closed().await;
    while metric(&hub, "duplex_connections").await > SHARE as f64 - 1.0 {
        tokio::task::yield_now().await;
    }
    Client::enter(&hub.url, &token, None).await;
}

#[tokio::test]
async fn before_the_welcome_messages_and_frames_are_limited() {
    let (_dir, hub) = hub().await;
    for token in [None, Some(hub.admin_token.reveal())] {
        let mut large = Client::dial(&hub.url, token).await;
        let _ = large.ws.send(Message::text("x".repeat(8 * 1024 + 1))).await;
        assert_eq!(large.closed().await.0, 1009);
        let mut many = Client::dial(&hub.url, token).await;
        for _ in 0..17 {
            let _ = many.ws.send(Message::Ping("x".into())).await;
        }
        assert_eq!(many.closed().await.0, 1008);
        let mut endless = Client::dial(&hub.url, token).await;
        for opcode in std::iter::once(Data::Text).chain([Data::Continue; 16]) {
            let _ = endless.ws.send(fragment(opcode, "", false)).await;
        }
        assert_eq!(endless.closed().await.0, 1008);
    }
    let (mut member, _) = Client::enter(&hub.url, hub.admin_token.reveal(), None).await;
    member.raw(Message::text(" ".repeat(1024 * 1024))).await;
    member.find(|heard| matches!(heard, HubMessage::Error { .. }).then_some(())).await;
    let _ = member.ws.send(Message::text(" ".repeat(1024 * 1024 + 1))).await;
    assert_eq!(member.closed().await.0, 1009);
}

fn fragment(opcode: Data, text: &str, is_last: bool) -> Message {
    Message::Frame(Frame::message(text.to_owned(), OpCode::Data(opcode), is_last))
}

#[tokio::test]
async fn incomplete_messages_are_counted_and_the_largest_is_evicted() {
    let (dir, hub) = hub().await;
    let (member, token) = Client::join(&dir, &hub.url, "Mallory").await;
    let mut clients = vec![member];
    for _ in 1..12 {
        clients.push(Client::enter(&hub.url, &token, None).await.0);
    }
    let half = "x".repeat(900_000);
    for client in &mut clients {
        let _ = client.ws.send(fragment(Data::Text, &half, false)).await;
    }
    // Ten of them exceed the limit of one token.
    let mut ends: futures_util::stream::FuturesUnordered<_> =
        clients.iter_mut().map(|client| client.closed()).collect();
    assert_eq!(ends.next().await.unwrap().0, TRY_AGAIN);
    drop(ends);
    let held = metric(&hub, "duplex_unfinished_bytes").await;
    assert!((900_000.0..=8.0 * 1024.0 * 1024.0).contains(&held), "{held}");
    // Others are not affected, and complete messages are processed.
    let (mut other, _) = Client::join(&dir, &hub.url, "Mina").await;
    other.raw(fragment(Data::Text, "{\"type\":\"ping\",", false)).await;
    other.raw(Message::Ping("x".into())).await;
    other.raw(fragment(Data::Continue, "\"nonce\":7}", true)).await;
    other.find(|heard| matches!(heard, HubMessage::Pong { nonce: 7, .. }).then_some(())).await;
    drop(clients);
    while metric(&hub, "duplex_unfinished_bytes").await > 0.0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_message_must_end_whatever_arrives_in_between() {
    let (_dir, hub) = hub().await;
    let (mut client, _) = Client::enter(&hub.url, hub.admin_token.reveal(), None).await;
    client.raw(fragment(Data::Text, "{", false)).await;
    let ended = tokio::time::timeout(DEADLINE, async {
        let mut pause = tokio::time::interval(Duration::from_millis(500));
        loop {
            tokio::select! {
                heard = client.ws.next() => match heard {
                    Some(Ok(Message::Close(frame))) => return frame.map(|frame| u16::from(frame.code)),
                    Some(Ok(_)) => {}
                    other => panic!("{other:?}"),
                },
                _ = pause.tick() => {
                    let _ = client.ws.send(fragment(Data::Continue, "", false)).await;
                    let _ = client.ws.send(Message::Ping("x".into())).await;
                }
            }
        }
    });
    assert_eq!(ended.await.unwrap(), Some(close::TIMED_OUT));
}

#[tokio::test]
async fn pings_and_empty_fragments_count_as_frames() {
    let (dir, hub) = hub().await;
    let (mut member, _) = Client::join(&dir, &hub.url, "Mina").await;
    for many in [vec![Message::Ping("x".into()); 1_000], {
        let mut fragments = vec![fragment(Data::Continue, "", false); 1_000];
        fragments[0] = fragment(Data::Text, "", false);
        fragments
    }] {
        let (client, _) = Client::enter(&hub.url, hub.admin_token.reveal(), None).await;
        let (mut sink, mut stream) = client.ws.split();
        let flood = async {
            for frame in many {
                sink.feed(frame).await.unwrap();
            }
            sink.flush().await.unwrap();
        };
        let slowed = async {
            loop {
                if let Message::Text(text) = stream.next().await.unwrap().unwrap()
                    && text.contains("slow_down")
                {
                    return;
                }
            }
        };
        within("the hub to slow the client down", async { tokio::join!(flood, slowed) }).await;
        works(&hub, &mut member).await;
    }
}

/// A hub that trusts a proxy on this computer, or none.
async fn behind(proxies: &[&str]) -> (TempDir, Running) {
    let dir = tempfile::tempdir().unwrap();
    let trusted_proxies = proxies.iter().map(|proxy| proxy.parse().unwrap()).collect();
    let options = Options { trusted_proxies, ..Options::embedded(dir.path()) };
    let hub = duplex::hub::start(options).await.unwrap();
    (dir, hub)
}

async fn guess(hub: &Running, header: &str) -> String {
    let headers = format!("Host: localhost\r\nAuthorization: Bearer x\r\n{header}\r\n");
    get(hub.addr, "/metrics", &headers).await.split(' ').nth(1).unwrap().to_owned()
}

#[tokio::test]
async fn only_a_trusted_proxys_headers_count() {
    let (_dir, hub) = behind(&["127.0.0.0/8", "10.0.0.0/8"]).await;
    for _ in 0..20 {
        assert_eq!(guess(&hub, "X-Forwarded-For: 1.1.1.1, 192.0.2.1, 10.0.0.1").await, "401");
    }
    assert_eq!(guess(&hub, r#"Forwarded: for="192.0.2.1:4711""#).await, "429");
    assert_eq!(guess(&hub, r#"Forwarded: for="[2001:db8::1]:4711";proto=https"#).await, "401");
    assert_eq!(guess(&hub, "X-Forwarded-For: 192.0.2.2").await, "401");
    let (_dir, hub) = behind(&[]).await;
    for last in 0..20 {
        assert_eq!(guess(&hub, &format!("X-Forwarded-For: 192.0.2.{last}")).await, "401");
    }
    assert_eq!(guess(&hub, "X-Forwarded-For: 192.0.2.77").await, "429", "all are one address");
}

#[tokio::test]
async fn connections_of_a_trusted_proxy_are_not_one_address() {
    let (dir, hub) = behind(&["127.0.0.1/32"]).await;
    let (mut member, _) = Client::join(&dir, &hub.url, "Mina").await;
    let waiting = TcpStream::connect(hub.addr).await.unwrap();
    let _crowd = crowd(hub.addr, CROWD, "").await;
    works(&hub, &mut member).await;
    if cfg!(target_os = "linux") {
        let mut waiting = waiting;
        let ask = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        waiting.write_all(ask.as_bytes()).await.unwrap();
        let mut answer = String::new();
        within("the answer", waiting.read_to_string(&mut answer)).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 "), "the oldest connection was evicted");
    }
}
