//! Hostile and crowded connections over HTTP/2: what one of them may do, and for whom its requests count.

use std::time::Duration;

use duplex::wire::duplex::message::HubMessage;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::client::conn::http2;
use hyper::{Method, Request, StatusCode, Version};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::channel_client::{Caller, Http, Route};
use super::channels::figure;
use super::client::{Client, hello, hub, within};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
/// End of the stream and of the headers (RFC 9113 §6.2).
const WHOLE: u8 = 0x5;
/// `GET http://localhost/`, as HPACK has it (RFC 7541).
const ASK: &[u8] = b"\x82\x86\x84\x41\x09localhost";
/// Reset by a client that has changed its mind.
const CANCEL: [u8; 4] = [0, 0, 0, 8];
const ENHANCE_YOUR_CALM: u32 = 11;
const MAX_CONCURRENT_STREAMS: u8 = 3;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let head = [&length[1..], &[kind, flags], &stream.to_be_bytes()].concat();
    [&head, payload].concat()
}

/// The frames that came: kind and payload.
fn frames(mut bytes: &[u8]) -> Vec<(u8, &[u8])> {
    let mut all = Vec::new();
    while bytes.len() >= 9 {
        let length = usize::from(bytes[0]) << 16 | usize::from(bytes[1]) << 8 | usize::from(bytes[2]);
        let Some(payload) = bytes.get(9..9 + length) else { break };
        all.push((bytes[3], payload));
        bytes = &bytes[9 + length..];
    }
    all
}

#[tokio::test]
async fn a_flood_of_requests_that_are_given_up_at_once_ends_its_connection_alone() {
    let (_dir, hub) = hub().await;
    let (mut other, _) = Client::enter(&hub.url, hub.admin_token.reveal(), None).await;
    let mut stream = TcpStream::connect(hub.addr).await.unwrap();
    let mut flood = [PREFACE, &frame(SETTINGS, 0, 0, b"")].concat();
    for request in 0..2_000 {
        let stream = 2 * request + 1;
        flood.extend(frame(HEADERS, WHOLE, stream, ASK));
        flood.extend(frame(RST_STREAM, 0, stream, &CANCEL));
    }
    let (mut reader, mut writer) = stream.split();
    let mut heard = Vec::new();
    // The hub may hang up before it has read all of it.
    let (read, _) =
        within("the end", async { tokio::join!(reader.read_to_end(&mut heard), writer.write_all(&flood)) })
            .await;
    log_end(read);
    let heard = frames(&heard);
    let settings = heard.iter().find(|(kind, _)| *kind == SETTINGS).expect("settings").1;
    let streams = settings.chunks(6).find(|setting| setting[1] == MAX_CONCURRENT_STREAMS).expect("a limit");
    assert_eq!(streams[2..], [0, 0, 0, 32]);
    let goaway = heard.iter().find(|(kind, _)| *kind == GOAWAY).expect("a GOAWAY").1;
    assert_eq!(u32::from_be_bytes(goaway[4..8].try_into().unwrap()), ENHANCE_YOUR_CALM);
    let sent = other.send("undisturbed").await;
    other.acked(sent).await;
}

/// A hub that hangs up in the midst of what is sent resets the connection, which is fine.
fn log_end(read: std::io::Result<usize>) {
    if let Err(error) = read {
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    }
}

#[tokio::test]
async fn too_many_requests_that_are_given_up_later_end_their_connection_and_nothing_else() {
    let (_dir, hub) = hub().await;
    let mut caller = Caller::open(hub.addr, Some(hub.admin_token.reveal()), Route::LongPoll).await;
    let stream = TcpStream::connect(hub.addr).await.unwrap();
    let (mut requests, driver) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(driver);
    let mut given_up = 0;
    while !requests.is_closed() && given_up < 500 {
        let request = Request::builder()
            .uri(format!("http://{}/v1/channels/poll?from=1&wait_ms=20000", hub.addr))
            .header("duplex-channel", &caller.id)
            .body(Full::new(Bytes::new()))
            .unwrap();
        let _ = timeout(Duration::from_millis(5), requests.send_request(request)).await;
        given_up += 1;
    }
    assert!((100..150).contains(&given_up), "{given_up}");
    assert_eq!(figure(&hub, "duplex_refused_total{reason=\"resets\"}").await, 1);
    // The channel goes on, over another connection.
    caller.hello(hello()).await;
    assert!(matches!(caller.hear().await, HubMessage::Welcome(_)));
}

#[tokio::test]
async fn requests_over_one_connection_of_a_proxy_count_for_the_client_of_each() {
    let dir = tempfile::tempdir().unwrap();
    let mut options = duplex::hub::Options::embedded(dir.path());
    options.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
    let hub = duplex::hub::start(options).await.unwrap();
    let mut proxy = Http::open_by(hub.addr, Version::HTTP_2).await;
    let mut ask = async |client: &str| {
        let headers = [("x-forwarded-for", client), ("authorization", "Bearer 1234")];
        proxy.ask(Method::GET, "/metrics", &headers, "").await.0
    };
    let mut guesses = 0;
    while ask("203.0.113.1").await == StatusCode::UNAUTHORIZED {
        guesses += 1;
        assert!(guesses < 40, "guessing is limited");
    }
    assert_eq!(ask("203.0.113.1").await, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(ask("203.0.113.2").await, StatusCode::UNAUTHORIZED, "somebody else");
}
