//! Each way in which a connection can fail to open has its own reason.

use std::time::Duration;

use duplex::model::link_state::{Phase, Why};
use duplex::model::profile::Socket;
use duplex::transport::{Endpoint, capabilities, dial};
use http::{HeaderValue, header};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;

use crate::{Way, server};

crate::over_every_way![
    silence_after_accepting_ends_at_the_deadline,
    dropping_a_dial_closes_the_connection,
    nobody_listens,
    the_name_is_unknown,
    refusals_report_their_status,
    closing_without_an_answer_is_a_loss,
];
crate::over_both_sockets![
    a_web_page_is_not_a_web_socket,
    a_redirect_to_another_host_is_not_followed,
    a_redirect_within_the_host_is_followed,
    noise_is_not_a_web_socket,
    an_endless_answer_is_not_a_web_socket,
    an_answer_to_another_key_is_rejected,
    a_subprotocol_that_was_not_offered_is_a_violation,
    a_server_without_a_required_subprotocol_is_rejected,
    the_server_chooses_among_several_subprotocols,
    urls_are_requested_with_a_path,
    urls_that_cannot_be_used,
    requests_that_cannot_be_sent,
];
#[cfg(target_os = "linux")]
mod backlog {
    crate::over_both_sockets![nobody_accepts];
    use super::nobody_accepts;
}

async fn refused(way: impl Into<Way>, url: impl Into<String>) -> Why {
    way.into().dial(Endpoint::new(url)).await.expect_err("no connection")
}

async fn silence_after_accepting_ends_at_the_deadline(way: Way) {
    let (ended, mut has_ended) = mpsc::channel(1);
    let address = server::tcp(move |mut stream| {
        let ended = ended.clone();
        async move {
            while stream.read_u8().await.is_ok() {}
            ended.send(()).await.unwrap();
        }
    })
    .await;
    let mut target = Endpoint::new(format!("ws://{address}/"));
    target.deadline = Duration::from_millis(300);
    let during = if way.capabilities().timeout_phase { Phase::Handshake } else { Phase::Dial };
    assert_eq!(way.dial(target).await.unwrap_err(), Why::TimedOut { during });
    has_ended.recv().await.unwrap();
}

/// On Linux a full backlog does not answer; other systems refuse.
#[cfg(target_os = "linux")]
async fn nobody_accepts(socket: Socket) {
    let listening = tokio::net::TcpSocket::new_v4().unwrap();
    listening.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = listening.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut waiting = Vec::new();
    loop {
        let connecting = tokio::net::TcpStream::connect(address);
        match tokio::time::timeout(Duration::from_millis(300), connecting).await {
            Ok(stream) => waiting.push(stream.unwrap()),
            Err(_) => break,
        }
        assert!(waiting.len() < 100, "the backlog fills up");
    }
    let mut target = Endpoint::new(format!("ws://{address}/"));
    target.deadline = Duration::from_millis(300);
    assert_eq!(dial(socket, target).await.unwrap_err(), Why::TimedOut { during: Phase::Dial });
}

async fn dropping_a_dial_closes_the_connection(way: Way) {
    let (event, mut events) = mpsc::channel(2);
    let address = server::tcp(move |mut stream| {
        let event = event.clone();
        async move {
            server::read_request(&mut stream).await;
            event.send("asked").await.unwrap();
            while stream.read_u8().await.is_ok() {}
            event.send("hung up").await.unwrap();
        }
    })
    .await;
    tokio::select! {
        _ = way.dial(Endpoint::new(format!("ws://{address}/"))) => panic!("nothing was answered"),
        event = events.recv() => assert_eq!(event, Some("asked")),
    }
    assert_eq!(events.recv().await, Some("hung up"));
}

async fn nobody_listens(way: Way) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    assert_eq!(refused(way, format!("ws://{address}/")).await, Why::ConnectionRefused);
}

async fn the_name_is_unknown(way: Way) {
    let mut target = Endpoint::new("ws://nonexistent.invalid/");
    target.deadline = Duration::from_secs(50);
    let expected = Why::NameNotFound { host: "nonexistent.invalid".to_owned() };
    assert_eq!(way.dial(target).await.unwrap_err(), expected);
}

async fn refusals_report_their_status(way: Way) {
    for (status, stops) in [(401, true), (403, true), (404, true), (500, false), (503, false)] {
        let url = server::answering(format!("HTTP/1.1 {status} No\r\nContent-Length: 2\r\n\r\nno")).await;
        let why = refused(way, url).await;
        assert_eq!(why, Why::Http { status, retry_after_ms: None });
        assert_eq!(why.is_retryable(), !stops);
    }
    let url = server::answering("HTTP/1.1 503 Busy\r\nRetry-After: 7\r\n\r\n").await;
    let retry_after_ms = way.capabilities().retry_after.then_some(7_000);
    assert_eq!(refused(way, url).await, Why::Http { status: 503, retry_after_ms });
    // Only ewebsock does not understand an HTTP/1.0 server.
    let why = refused(way, server::answering("HTTP/1.0 401 No\r\n\r\n").await).await;
    match way {
        Way::Socket(Socket::Ewebsock) => assert!(matches!(why, Why::NotWebSocket { .. }), "{why:?}"),
        _ => assert_eq!(why, Why::Http { status: 401, retry_after_ms: None }),
    }
}

async fn no_web_socket(socket: Socket, answer: impl Into<Vec<u8>>) {
    let why = refused(socket, server::answering(answer).await).await;
    assert!(matches!(why, Why::NotWebSocket { .. }), "{why:?}");
}

async fn a_web_page_is_not_a_web_socket(socket: Socket) {
    let page = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<!doctype html><title>Hi</title>";
    let why = refused(socket, server::answering(page).await).await;
    assert_eq!(why, Why::Http { status: 200, retry_after_ms: None });
    assert!(!why.is_retryable());
}

async fn a_redirect_to_another_host_is_not_followed(socket: Socket) {
    for status in [301, 302, 303, 307, 308] {
        let answer = format!("HTTP/1.1 {status} Away\r\nLocation: wss://other.example/x\r\n\r\n");
        let location = match socket {
            Socket::Tungstenite => Some("wss://other.example/x".to_owned()),
            Socket::Ewebsock => None,
        };
        let why = refused(socket, server::answering(answer).await).await;
        assert_eq!(why, Why::Redirected { status, location });
        assert!(!why.is_retryable());
    }
}

async fn a_redirect_within_the_host_is_followed(socket: Socket) {
    if socket == Socket::Ewebsock {
        // It cannot tell where a redirect leads.
        return;
    }
    let hub = server::websocket(server::echo).await;
    let (asked, mut requests) = mpsc::channel(16);
    let to = hub.clone();
    let redirecting = server::tcp(move |mut stream| {
        let (asked, to) = (asked.clone(), to.clone());
        async move {
            let request = server::read_request(&mut stream).await;
            let location = if request.starts_with("GET /again ") { to } else { "/again".to_owned() };
            asked.send(request).await.unwrap();
            let answer = format!("HTTP/1.1 307 There\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n");
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    })
    .await;
    let mut target = Endpoint::new(format!("ws://{redirecting}/first"));
    target.headers.push((header::AUTHORIZATION, HeaderValue::from_static("Bearer t0ken")));
    let mut connection = dial(socket, target).await.unwrap();
    connection.send(crate::text("arrived")).await;
    assert_eq!(crate::next_frame(&mut connection).await, crate::text("arrived"));
    for path in ["/first", "/again"] {
        let request = requests.recv().await.unwrap();
        assert!(request.starts_with(&format!("GET {path} ")) && request.contains("t0ken"), "{request}");
    }
    // One that never ends does, and so does one to itself.
    for location in ["/x?again", "/first"] {
        let (count, mut counted) = mpsc::channel(64);
        let endless = server::tcp(move |mut stream| {
            let count = count.clone();
            async move {
                let request = server::read_request(&mut stream).await;
                let more = if location == "/first" { String::new() } else { request.len().to_string() };
                count.send(()).await.unwrap();
                let answer =
                    format!("HTTP/1.1 302 On\r\nLocation: {location}{more}\r\nContent-Length: 0\r\n\r\n");
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        })
        .await;
        let why = refused(socket, format!("ws://{endless}/first")).await;
        assert!(matches!(why, Why::Redirected { status: 302, location: Some(_) }), "{why:?}");
        counted.close();
        let mut times = 0;
        while counted.recv().await.is_some() {
            times += 1;
        }
        assert!((1..=6).contains(&times), "{times} requests");
    }
}

async fn noise_is_not_a_web_socket(socket: Socket) {
    no_web_socket(socket, "SSH-2.0-OpenSSH_9.2\r\n").await;
    no_web_socket(socket, vec![0xff; 4096]).await;
}

async fn an_endless_answer_is_not_a_web_socket(socket: Socket) {
    let address = server::tcp(|mut stream| async move {
        server::read_request(&mut stream).await;
        let mut part = b"HTTP/1.1 200 OK\r\nX: ".to_vec();
        while stream.write_all(&part).await.is_ok() {
            part = vec![b'x'; 4096];
        }
    })
    .await;
    let why = refused(socket, format!("ws://{address}/")).await;
    assert!(matches!(why, Why::NotWebSocket { .. }), "{why:?}");
}

async fn an_answer_to_another_key_is_rejected(socket: Socket) {
    let answer = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                  Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
    no_web_socket(socket, answer).await;
}

async fn closing_without_an_answer_is_a_loss(way: Way) {
    let why = refused(way, server::answering("").await).await;
    assert!(matches!(why, Why::Lost { .. }), "{why:?}");
}

/// A server that accepts the upgrade, with more headers in its response.
async fn agreeing(lines: &'static str) -> String {
    let address = server::tcp(move |mut stream| async move {
        let request = server::read_request(&mut stream).await;
        let key = server::header(&request, "sec-websocket-key").unwrap();
        let accept = tokio_tungstenite::tungstenite::handshake::derive_accept_key(key.as_bytes());
        let answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {accept}\r\n{lines}\r\n"
        );
        stream.write_all(answer.as_bytes()).await.unwrap();
        // Until the client closes.
        while stream.read_u8().await.is_ok() {}
    });
    format!("ws://{}/", address.await)
}

async fn a_subprotocol_that_was_not_offered_is_a_violation(socket: Socket) {
    let url = agreeing("Sec-WebSocket-Protocol: stomp\r\n").await;
    for offered in [Vec::new(), vec!["mqtt".to_owned()]] {
        for needed in [true, false] {
            let mut target = Endpoint::new(&url);
            target.subprotocols.clone_from(&offered);
            target.subprotocol_needed = needed;
            let why = dial(socket, target).await.unwrap_err();
            assert!(matches!(why, Why::Violation { .. }), "{why:?}");
        }
    }
}

async fn a_server_without_a_required_subprotocol_is_rejected(socket: Socket) {
    let mut target = Endpoint::new(agreeing("").await);
    target.subprotocols.push("mqtt".to_owned());
    for needed in [true, false] {
        target.subprotocol_needed = needed;
        match dial(socket, target.clone()).await {
            Ok(connection) => {
                assert!(!needed && capabilities(socket).agreement);
                assert_eq!(connection.subprotocol, None);
            }
            Err(why) => {
                assert!(needed || !capabilities(socket).agreement);
                assert_eq!(why, Why::NoSubprotocol { offered: vec!["mqtt".to_owned()] });
                assert!(!why.is_retryable());
            }
        }
    }
}

async fn the_server_chooses_among_several_subprotocols(socket: Socket) {
    let mut target = Endpoint::new(agreeing("Sec-WebSocket-Protocol: v1.chat\r\n").await);
    target.subprotocols.extend(["v2.chat".to_owned(), "v1.chat".to_owned()]);
    match dial(socket, target).await {
        Ok(connection) => assert_eq!(connection.subprotocol.as_deref(), Some("v1.chat")),
        Err(why) => {
            assert!(!capabilities(socket).agreement);
            assert!(matches!(why, Why::Unsupported { .. }), "{why:?}");
        }
    }
}

/// A server that compresses without having been asked.
#[tokio::test]
async fn an_extension_that_was_not_offered_is_a_violation() {
    let url = agreeing("Sec-WebSocket-Extensions: permessage-deflate\r\n").await;
    let why = refused(Socket::Tungstenite, url).await;
    assert!(matches!(&why, Why::Violation { detail } if detail.contains("permessage-deflate")), "{why:?}");
}

async fn urls_are_requested_with_a_path(socket: Socket) {
    let (seen, mut requests) = mpsc::channel(8);
    let address = server::tcp(move |mut stream| {
        let seen = seen.clone();
        async move {
            seen.send(server::read_request(&mut stream).await).await.unwrap();
            stream.write_all(b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n").await.unwrap();
        }
    })
    .await;
    for (behind, asked) in
        [("", "/"), ("?x=1", "/?x=1"), ("/a%20b//c?d=%ea%b0%80&e", "/a%20b//c?d=%ea%b0%80&e")]
    {
        refused(socket, format!("WS://{address}{behind}")).await;
        let request = requests.recv().await.unwrap();
        assert_eq!(request.lines().next(), Some(format!("GET {asked} HTTP/1.1").as_str()));
    }
}

async fn urls_that_cannot_be_used(socket: Socket) {
    for url in [
        "",
        "localhost",
        "http://localhost/",
        "ws://",
        "ws://user:secret@localhost/",
        "ws://localhost:70000/",
        "ws://localhost/#fragment",
        "ws://localhost/a b",
        "ws://[::g]/",
    ] {
        let why = refused(socket, url).await;
        assert!(matches!(why, Why::BadUrl { .. }), "{url}: {why:?}");
    }
}

async fn requests_that_cannot_be_sent(socket: Socket) {
    let address = server::tcp(|_| std::future::pending()).await;
    let mut target = Endpoint::new(format!("ws://{address}/"));
    for name in [header::HOST, header::UPGRADE, header::SEC_WEBSOCKET_PROTOCOL, header::CONTENT_LENGTH] {
        target.headers = vec![(name, HeaderValue::from_static("elsewhere"))];
        let why = dial(socket, target.clone()).await.unwrap_err();
        assert!(matches!(why, Why::BadUpgrade { .. }), "{why:?}");
        assert!(!why.is_retryable());
    }
    target.headers.clear();
    target.subprotocols.push("a b".to_owned());
    let why = dial(socket, target).await.unwrap_err();
    assert!(matches!(why, Why::BadUpgrade { .. }), "{why:?}");
}
