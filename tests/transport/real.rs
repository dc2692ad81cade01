//! The transport against real servers: `tests/real/plain_servers.py` and `plain_ws.mjs`. Run by
//! `tests/real/transport.py`, which starts them.
#![allow(clippy::print_stdout, reason = "what was seen is this test's report")]

use std::time::Duration;

use duplex::frame::Frame;
use duplex::model::link_state::{Closing, Why};
use duplex::model::profile::{Secret, Socket};
use duplex::model::upgrade;
use duplex::transport::{Connection, Endpoint, Incoming, Outgoing, QUEUE, capabilities, dial};
use http::header;
use serde_json::Value;
use tokio::time::timeout;

use crate::{ending, next_frame, text};

const SOCKETS: [Socket; 2] = [Socket::Tungstenite, Socket::Ewebsock];

/// One program with all its servers.
struct Peer {
    name: String,
    ws: String,
    /// Its TLS address, and the file with the CA certificate.
    secure: Option<(String, String)>,
}

fn peers() -> Vec<Peer> {
    let text = std::env::var("PLAIN_SERVERS").expect("run this by tests/real/transport.py");
    let peers: Vec<Value> = serde_json::from_str(&text).unwrap();
    let word = |peer: &Value, key: &str| peer[key].as_str().map(str::to_owned);
    let peer = |peer: &Value| Peer {
        name: word(peer, "server").unwrap(),
        ws: word(peer, "ws").unwrap(),
        secure: word(peer, "wss").zip(word(peer, "ca")),
    };
    peers.iter().map(peer).collect()
}

impl Peer {
    fn target(&self, path: &str) -> Endpoint {
        let mut target = Endpoint::new(format!("{}{path}", self.ws));
        target.report_flushed = true;
        target
    }

    async fn open(&self, socket: Socket, path: &str) -> Connection {
        dial(socket, self.target(path)).await.unwrap_or_else(|why| panic!("{}{path}: {why:?}", self.name))
    }
}

/// The next frame; reports before it are skipped.
async fn frame(connection: &mut Connection) -> Frame {
    loop {
        match connection.recv().await {
            Some(Incoming::Frame(frame)) => return frame,
            Some(Incoming::Flushed(_)) => {}
            other => panic!("{other:?}"),
        }
    }
}

async fn echoes(connection: &mut Connection, sent: Frame) {
    assert!(connection.send(sent.clone()).await);
    assert!(frame(connection).await == sent);
}

/// Prints and returns how the connection ended.
async fn end_of(connection: &mut Connection, of: &str) -> Why {
    let why = ending(connection).await;
    println!("{of}: {why:?}");
    why
}

fn closed(socket: Socket, code: Option<u16>, reason: &str, closing: Closing) -> Why {
    match capabilities(socket).close_code {
        true => crate::closed(code, reason, closing),
        false => crate::closed(None, "", closing),
    }
}

#[tokio::test]
#[ignore = "needs the servers of tests/real/transport.py"]
async fn plain_servers() {
    for peer in peers() {
        for socket in SOCKETS {
            println!("--- {} by {socket:?}", peer.name);
            carries(&peer, socket).await;
            agrees(&peer, socket).await;
            ends(&peer, socket).await;
            holds_back(&peer, socket).await;
        }
        trusts(&peer).await;
    }
}

async fn carries(peer: &Peer, socket: Socket) {
    let mut connection = peer.open(socket, "/echo").await;
    assert!(connection.extensions.is_empty(), "the server would have compressed");
    for sent in
        [text(""), text("한글 🦀\u{0}\u{1b}"), text("aaaa".repeat(50_000)), Frame::Binary(vec![0, 255])]
    {
        echoes(&mut connection, sent).await;
    }
    connection.outgoing.send(Outgoing::Ping).await.unwrap();
    assert_eq!(connection.recv().await, Some(Incoming::Pong));
    connection.close(1000, "enough").await;
    let why = end_of(&mut connection, "/echo, closed by us").await;
    match socket {
        Socket::Tungstenite => {
            assert!(matches!(why, Why::Closed { code: Some(1000), closing: Closing::ByUs, .. }), "{why:?}")
        }
        Socket::Ewebsock => assert!(matches!(why, Why::Closed { closing, .. } if closing.is_ours())),
    }

    let mut connection = peer.open(socket, "/ping").await;
    assert_eq!(next_frame(&mut connection).await, text("alive"));

    let mut connection = peer.open(socket, "/frames").await;
    let mut seen = Vec::new();
    for _ in 0..8 {
        seen.push(frame(&mut connection).await);
    }
    assert!(matches!(&seen[0], Frame::Binary(bytes) if bytes[..4] == [0, 1, 254, 255]));
    assert_eq!(seen[1], text("안녕하세요, 한글 메시지입니다. 🦀"));
    assert_eq!(seen[4], text("terminal \u{1b}[31mred\u{1b}[0m \u{1b}]0;title\u{7} \u{1b}[2J"));
    assert_eq!(seen[5..7], [Frame::Binary(Vec::new()), text("")]);
}

async fn agrees(peer: &Peer, socket: Socket) {
    let mut target = peer.target("/headers");
    target.headers.push(upgrade::header("Origin", "https://app.example").unwrap());
    target.headers.push(upgrade::header("X-Key", "hunter2").unwrap());
    let Frame::Text(headers) = frame(&mut dial(socket, target).await.unwrap()).await else {
        panic!("no text")
    };
    let headers = headers.to_ascii_lowercase();
    assert!(headers.contains("https://app.example") && headers.contains("hunter2"), "{headers}");
    assert!(!headers.contains("extensions"), "none is offered: {headers}");

    let mut target = peer.target("/subprotocol");
    assert_eq!(
        dial(socket, target.clone()).await.unwrap_err(),
        Why::Http { status: 400, retry_after_ms: None }
    );
    target.subprotocols.push("v1.chat".to_owned());
    target.subprotocol_needed = true;
    let mut connection = dial(socket, target.clone()).await.unwrap();
    assert_eq!(connection.subprotocol.as_deref(), Some("v1.chat"));
    assert_eq!(frame(&mut connection).await, text("chosen: v1.chat"));
    target.subprotocols.insert(0, "v2.chat".to_owned());
    match dial(socket, target.clone()).await {
        Ok(connection) => assert_eq!(connection.subprotocol.as_deref(), Some("v1.chat")),
        Err(why) => assert!(!capabilities(socket).agreement && matches!(why, Why::Unsupported { .. })),
    }
    target.subprotocols.truncate(1);
    for (path, is_violation) in [("/echo", false), ("/subprotocol/other", true)] {
        target.url = format!("{}{path}", peer.ws);
        let why = dial(socket, target.clone()).await.unwrap_err();
        println!("{path} with v2.chat needed: {why:?}");
        assert_eq!(why.is_violation(), is_violation, "{why:?}");
    }

    let mut target = peer.target("/basic");
    assert_eq!(
        dial(socket, target.clone()).await.unwrap_err(),
        Why::Http { status: 401, retry_after_ms: None }
    );
    let basic = upgrade::basic("alice", &Secret::new("open sesame")).unwrap();
    target.headers.push((header::AUTHORIZATION, basic));
    echoes(&mut dial(socket, target).await.unwrap(), text("in")).await;
    let why = dial(socket, peer.target("/nowhere")).await.unwrap_err();
    assert_eq!(why, Why::Http { status: 404, retry_after_ms: None });
}

async fn ends(peer: &Peer, socket: Socket) {
    let mut connection = peer.open(socket, "/bye").await;
    assert_eq!(frame(&mut connection).await, text("Welcome!"));
    connection.send(text("hello")).await;
    assert_eq!(frame(&mut connection).await, text("You said: hello"));
    let why = end_of(&mut connection, "/bye").await;
    assert_eq!(why, closed(socket, Some(1000), "Bye!", Closing::ByServer));

    for path in ["/drop", "/reset"] {
        let mut connection = peer.open(socket, path).await;
        assert_eq!(frame(&mut connection).await, text("Welcome!"));
        connection.send(text("hello")).await;
        let mut flushed = None;
        let why = loop {
            match connection.recv().await.unwrap() {
                Incoming::Flushed(total) => flushed = Some(total),
                Incoming::Closed(why) => break why,
                other => panic!("{other:?}"),
            }
        };
        println!("{path}: {why:?}");
        assert!(matches!(why, Why::Lost { .. }), "{why:?}");
        assert_eq!(flushed, capabilities(socket).flush.then_some(1));
    }
    for (path, code, reason) in [
        ("/close/4001", Some(4001), "kicked: 규칙 위반"),
        ("/close/1011", Some(1011), "internal error"),
        ("/close/none", None, ""),
    ] {
        let why = end_of(&mut peer.open(socket, path).await, path).await;
        assert_eq!(why, closed(socket, code, reason, Closing::ByServer));
    }
}

/// Servers that never read, never send, or never stop.
async fn holds_back(peer: &Peer, socket: Socket) {
    let connection = peer.open(socket, "/deaf").await;
    let large = text("x".repeat(256 * 1024));
    let mut given = 0;
    while timeout(Duration::from_secs(1), connection.send(large.clone())).await.is_ok() {
        given += 1;
        assert!(given < 4096, "a gigabyte was taken from us");
    }
    println!("/deaf: {given} frames of 256 KiB were taken");

    let mut connection = peer.open(socket, "/sink").await;
    for _ in 0..2 * QUEUE {
        assert!(connection.send(text("into the void")).await);
    }
    if capabilities(socket).flush {
        let last = 2 * QUEUE as u64;
        while connection.recv().await != Some(Incoming::Flushed(last)) {}
    }
    assert!(timeout(Duration::from_millis(300), connection.recv()).await.is_err(), "it sends nothing");

    let mut connection = peer.open(socket, "/flood").await;
    for number in 0..20_000 {
        assert_eq!(frame(&mut connection).await, text(format!("message {number}")));
    }
    connection.close(1000, "").await;
    end_of(&mut connection, "/flood, closed by us").await;
}

async fn trusts(peer: &Peer) {
    let Some((url, authority)) = &peer.secure else { return };
    let mut target = Endpoint::new(format!("{url}/echo"));
    let why = dial(Socket::Tungstenite, target.clone()).await.unwrap_err();
    println!("wss without its authority: {why:?}");
    assert!(matches!(why, Why::TlsUntrusted { .. }), "{why:?}");
    target.ca_file = Some(authority.into());
    echoes(&mut dial(Socket::Tungstenite, target.clone()).await.unwrap(), text("encrypted")).await;
    target.url = target.url.replace("wss://", "ws://");
    target.ca_file = None;
    assert_eq!(dial(Socket::Tungstenite, target).await.unwrap_err(), Why::WrongScheme { is_tls: true });
}
