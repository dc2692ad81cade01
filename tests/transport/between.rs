//! What stands between this computer and a server: what a WebSocket meets there.

use std::time::Duration;

use duplex::model::link_state::{Phase, Why};
use duplex::model::profile::Socket;
use duplex::transport::{Endpoint, Outgoing, dial, request};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;

use crate::middleboxes::{Faults, captive_portal, forgets_idle, reverse_proxy};
use crate::{next_frame, server, text, within};

async fn echo() -> std::net::SocketAddr {
    let url = server::websocket(server::echo).await;
    url.split('/').nth(2).unwrap().parse().unwrap()
}

async fn refused(to: std::net::SocketAddr) -> Why {
    let target = Endpoint::new(format!("ws://{to}/v1/socket"));
    within(dial(Socket::Tungstenite, target)).await.expect_err("no connection")
}

#[tokio::test]
async fn a_reverse_proxy_that_does_not_pass_upgrades_refuses() {
    let through = reverse_proxy(echo().await, Faults::default()).await;
    let mut connection =
        within(dial(Socket::Tungstenite, Endpoint::new(format!("ws://{through}/")))).await.unwrap();
    connection.send(text("passes")).await;
    assert_eq!(within(next_frame(&mut connection)).await, text("passes"));
    // What the server makes of a request without `Upgrade`: no WebSocket in any case.
    let web = server::answering("HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\n\r\n").await;
    let web = web.split('/').nth(2).unwrap().parse().unwrap();
    let stripping = reverse_proxy(web, Faults { strips_upgrade: true, ..Faults::default() }).await;
    assert_eq!(refused(stripping).await, Why::Http { status: 426, retry_after_ms: None });
    let refusing =
        reverse_proxy(echo().await, Faults { refuses_websockets: true, ..Faults::default() }).await;
    assert_eq!(refused(refusing).await, Why::Http { status: 403, retry_after_ms: None });
    assert_eq!(refused(captive_portal().await).await, Why::Http { status: 200, retry_after_ms: None });
}

#[tokio::test]
async fn a_buffering_proxy_holds_a_response_back() {
    let (go, waits) = mpsc::channel::<()>(1);
    let waits = std::sync::Arc::new(tokio::sync::Mutex::new(waits));
    let web = server::tcp(move |mut stream| {
        let waits = std::sync::Arc::clone(&waits);
        async move {
            server::read_request(&mut stream).await;
            stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nfirst").await.unwrap();
            waits.lock().await.recv().await;
            stream.write_all(b" last").await.unwrap();
        }
    })
    .await;
    let through = reverse_proxy(web, Faults { buffers_bytes: Some(16 * 1024), ..Faults::default() }).await;
    let mut stream = tokio::net::TcpStream::connect(through).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    while !answer.windows(4).any(|four| four == b"\r\n\r\n") {
        within(stream.read_buf(&mut answer)).await.unwrap();
    }
    assert!(!String::from_utf8_lossy(&answer).contains("first"), "the head alone has passed");
    go.send(()).await.unwrap();
    within(stream.read_to_end(&mut answer)).await.unwrap();
    let answer = String::from_utf8(answer).unwrap();
    assert!(answer.contains("first") && answer.contains("last"), "{answer}");
    let target = Endpoint::new(format!("ws://{through}/"));
    go.send(()).await.unwrap();
    assert_eq!(within(request::get(&target, "/")).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_network_that_forgets_idle_connections_says_nothing() {
    let through = forgets_idle(echo().await, Duration::from_millis(100)).await;
    let mut connection =
        within(dial(Socket::Tungstenite, Endpoint::new(format!("ws://{through}/")))).await.unwrap();
    // Once it has forgotten the connection, no ping is answered, and nothing ends.
    loop {
        tokio::time::sleep(Duration::from_millis(150)).await;
        connection.outgoing.send(Outgoing::Ping).await.unwrap();
        if tokio::time::timeout(Duration::from_secs(2), connection.recv()).await.is_err() {
            break;
        }
    }
    let silent = forgets_idle(
        server::tcp(|stream| async move {
            let _open = stream;
            std::future::pending().await
        })
        .await,
        Duration::from_secs(60),
    )
    .await;
    let mut target = Endpoint::new(format!("ws://{silent}/"));
    target.deadline = Duration::from_millis(300);
    let why = within(dial(Socket::Tungstenite, target)).await.unwrap_err();
    assert_eq!(why, Why::TimedOut { during: Phase::Handshake });
}
