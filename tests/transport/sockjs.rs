//! A SockJS endpoint's WebSocket is found from its root, and only there.

use duplex::model::link_state::Why;
use duplex::model::profile::Socket;
use duplex::transport::{Endpoint, dial, sockjs};
use futures_util::StreamExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;

use crate::{next_frame, server, text};

crate::over_both_sockets![
    the_socket_below_the_root_is_dialed,
    a_server_that_is_something_else_keeps_its_answer,
    nobody_looks_unless_told_to,
];

/// Greets at `/ws`, with a WebSocket at `/ws/websocket?x=1`.
async fn sockjs_server(mut stream: TcpStream) {
    let request = server::read_request(&mut stream).await;
    let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
    match path.as_str() {
        "/ws/websocket?x=1" => {
            let accept = derive_accept_key(server::header(&request, "sec-websocket-key").unwrap().as_bytes());
            let answer = format!(
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                 Sec-WebSocket-Accept: {accept}\r\n\r\n"
            );
            stream.write_all(answer.as_bytes()).await.unwrap();
            let socket =
                tokio_tungstenite::WebSocketStream::from_raw_socket(stream, Role::Server, None).await;
            server::echo(socket).await;
        }
        "/ws" | "/ws?x=1" => {
            assert!(
                server::header(&request, "x-secret").is_none() || path != "/ws",
                "no credentials at the root"
            );
            // As Node sends it: in chunks.
            let answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n\
                          13\r\nWelcome to SockJS!\n\r\n0\r\n\r\n";
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
        _ => stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").await.unwrap(),
    }
}

async fn target(path: &str) -> Endpoint {
    let mut target = Endpoint::new(format!("ws://{}{path}", server::tcp(sockjs_server).await));
    target.sockjs = true;
    target
}

async fn the_socket_below_the_root_is_dialed(socket: Socket) {
    let mut target = target("/ws?x=1").await;
    target.headers.push((http::HeaderName::from_static("x-secret"), http::HeaderValue::from_static("s")));
    assert!(sockjs::socket_url(&target).await.unwrap().ends_with("/ws/websocket?x=1"));
    let mut connection = dial(socket, target).await.unwrap();
    connection.send(text("hello")).await;
    assert_eq!(next_frame(&mut connection).await, text("hello"));
}

async fn a_server_that_is_something_else_keeps_its_answer(socket: Socket) {
    let target = target("/other").await;
    assert_eq!(sockjs::socket_url(&target).await, None);
    let why = dial(socket, target).await.unwrap_err();
    assert!(matches!(why, Why::Http { status: 404, .. }), "{why:?}");
}

async fn nobody_looks_unless_told_to(socket: Socket) {
    let mut target = target("/ws?x=1").await;
    target.sockjs = false;
    let why = dial(socket, target).await.unwrap_err();
    assert!(matches!(why, Why::Http { status: 200, .. }), "{why:?}");
    let plain = server::websocket(|mut socket| async move { while socket.next().await.is_some() {} }).await;
    assert!(dial(socket, Endpoint::new(plain)).await.is_ok());
}
