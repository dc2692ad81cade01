//! Servers for tests: a WebSocket one, and raw TCP for those that misbehave. Each lives as long as the test's runtime.

use std::future::Future;
use std::net::SocketAddr;

use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

/// Serves every connection with `serve` and returns where.
pub async fn tcp<F, R>(serve: F) -> SocketAddr
where
    F: Fn(TcpStream) -> R + Send + 'static,
    R: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            stream.set_nodelay(true).unwrap();
            tokio::spawn(serve(stream));
        }
    });
    address
}

/// A WebSocket server's URL.
pub async fn websocket<F, R>(serve: F) -> String
where
    F: Fn(WebSocketStream<TcpStream>) -> R + Clone + Send + 'static,
    R: Future<Output = ()> + Send + 'static,
{
    let address = tcp(move |stream| {
        let serve = serve.clone();
        async move {
            let config =
                WebSocketConfig::default().max_frame_size(Some(64 << 20)).max_message_size(Some(64 << 20));
            if let Ok(socket) = tokio_tungstenite::accept_async_with_config(stream, Some(config)).await {
                serve(socket).await;
            }
        }
    });
    format!("ws://{}/socket", address.await)
}

/// Sends every message back until the connection ends.
pub async fn echo<S>(socket: WebSocketStream<S>)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    let (mut sink, mut stream) = socket.split();
    while let Some(Ok(message)) = stream.next().await {
        if (message.is_text() || message.is_binary()) && sink.send(message).await.is_err() {
            break;
        }
    }
}

/// The URL of a server that reads a request, answers it with `answer`, and hangs up.
pub async fn answering(answer: impl Into<Vec<u8>>) -> String {
    let answer = answer.into();
    let address = tcp(move |mut stream| {
        let answer = answer.clone();
        async move {
            read_request(&mut stream).await;
            // The client may have heard enough already.
            let _ = stream.write_all(&answer).await;
        }
    });
    format!("ws://{}/socket", address.await)
}

/// Agrees to the upgrade and leaves the bytes after it to `serve`. Returns the URL.
pub async fn upgraded<F, R>(serve: F) -> String
where
    F: Fn(TcpStream) -> R + Clone + Send + 'static,
    R: Future<Output = ()> + Send + 'static,
{
    let address = tcp(move |mut stream| {
        let serve = serve.clone();
        async move {
            let request = read_request(&mut stream).await;
            let key = header(&request, "sec-websocket-key").unwrap_or_default();
            let accept = derive_accept_key(key.as_bytes());
            let answer = format!(
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                 Sec-WebSocket-Accept: {accept}\r\n\r\n"
            );
            stream.write_all(answer.as_bytes()).await.unwrap();
            serve(stream).await;
        }
    });
    format!("ws://{}/socket", address.await)
}

/// Reads a request's head.
pub async fn read_request(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8(head).unwrap()
}

/// A header's value in a request's head.
pub fn header(head: &str, name: &str) -> Option<String> {
    head.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
    })
}

/// An unmasked frame's head, for a payload of `size` bytes.
pub fn frame_head(first: u8, size: u64) -> Vec<u8> {
    let mut head = vec![first, 127];
    head.extend(size.to_be_bytes());
    head
}

/// Reads a short masked frame: its first byte and its payload. `None` when the client hung up.
pub async fn read_frame(stream: &mut (impl AsyncReadExt + Unpin)) -> Option<(u8, Vec<u8>)> {
    let first = stream.read_u8().await.ok()?;
    let size = stream.read_u8().await.ok()? & 0x7f;
    assert!(size < 126, "a short frame");
    let mut mask = [0; 4];
    stream.read_exact(&mut mask).await.ok()?;
    let mut payload = vec![0; usize::from(size)];
    stream.read_exact(&mut payload).await.ok()?;
    payload.iter_mut().zip(mask.iter().cycle()).for_each(|(byte, mask)| *byte ^= mask);
    Some((first, payload))
}
