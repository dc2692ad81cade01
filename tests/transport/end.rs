//! However a connection ends, the reason is the last item.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use duplex::model::link_state::{Closing, Why};
use duplex::model::profile::Socket;
use duplex::transport::capabilities;
use futures_util::{SinkExt, StreamExt};
use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use crate::{LARGEST, Way, closed, ending, next_frame, open, server, text};

crate::over_every_way![a_close_by_the_server_has_code_and_reason, the_end_of_the_stream_is_a_loss,];
crate::over_both_sockets![
    a_close_without_a_code_is_reported,
    reserved_close_codes_are_ignored,
    a_reset_within_a_frame_is_a_loss,
    our_close_reaches_the_server,
    a_server_that_ignores_our_close_is_disconnected,
    closing_the_connection_does_not_answer_our_close_frame,
    a_hundred_megabytes_are_refused,
    the_size_limit_applies_to_fragmented_messages,
    invalid_utf8_is_a_violation,
    a_masked_frame_is_a_violation,
    a_compressed_frame_that_nobody_agreed_to_is_a_violation,
];

async fn a_close_by_the_server_has_code_and_reason(way: Way) {
    let url = server::websocket(|mut socket| async move {
        socket.send(Message::text("goodbye")).await.unwrap();
        let kick = CloseFrame { code: 4001.into(), reason: "kicked".into() };
        socket.close(Some(kick)).await.unwrap();
        while let Some(Ok(_)) = socket.next().await {}
    });
    let mut connection = way.open(&url.await).await;
    assert_eq!(next_frame(&mut connection).await, text("goodbye"));
    let (code, reason) = if way.capabilities().close_code { (Some(4001), "kicked") } else { (None, "") };
    assert_eq!(ending(&mut connection).await, closed(code, reason, Closing::ByServer));
    assert!(!connection.send(text("too late")).await);
}

async fn a_close_without_a_code_is_reported(socket: Socket) {
    let (seen, mut answers) = mpsc::channel(1);
    let url = server::upgraded(move |mut stream| {
        let seen = seen.clone();
        async move {
            stream.write_all(&[0x88, 0]).await.unwrap();
            seen.send(server::read_frame(&mut stream).await).await.unwrap();
        }
    });
    assert_eq!(ending(&mut open(socket, &url.await).await).await, closed(None, "", Closing::ByServer));
    assert_eq!(answers.recv().await, Some(Some((0x88, Vec::new()))));
}

async fn reserved_close_codes_are_ignored(socket: Socket) {
    for code in [1005_u16, 1006, 1015, 999, 2999] {
        let url = server::upgraded(move |mut stream| async move {
            let [high, low] = code.to_be_bytes();
            stream.write_all(&[0x88, 4, high, low, b'h', b'i']).await.unwrap();
            server::read_frame(&mut stream).await;
        });
        assert_eq!(
            ending(&mut open(socket, &url.await).await).await,
            closed(None, "", Closing::ByServer),
            "{code}"
        );
    }
}

async fn a_reset_within_a_frame_is_a_loss(socket: Socket) {
    let url = server::upgraded(|mut stream| async move {
        stream.write_all(&[0x81, 3, b'a', b'b', b'c', 0x81, 100, b'x']).await.unwrap();
        // Closing with unread data resets the connection on every system.
        server::read_frame(&mut stream).await.unwrap();
        stream.readable().await.unwrap();
    });
    let mut connection = open(socket, &url.await).await;
    assert_eq!(next_frame(&mut connection).await, text("abc"));
    connection.send(text("read")).await;
    connection.send(text("unread")).await;
    let why = ending(&mut connection).await;
    assert!(matches!(why, Why::Lost { .. }), "{why:?}");
}

async fn the_end_of_the_stream_is_a_loss(way: Way) {
    let url = server::upgraded(|mut stream| async move {
        stream.write_all(&[0x81, 3, b'a', b'b', b'c']).await.unwrap();
    });
    let mut connection = way.open(&url.await).await;
    assert_eq!(next_frame(&mut connection).await, text("abc"));
    let why = ending(&mut connection).await;
    assert!(matches!(why, Why::Lost { .. }), "{why:?}");
}

async fn our_close_reaches_the_server(socket: Socket) {
    let (seen, mut closes) = mpsc::channel(1);
    let url = server::websocket(move |mut socket| {
        let seen = seen.clone();
        async move {
            while let Some(Ok(message)) = socket.next().await {
                if let Message::Close(frame) = message {
                    seen.send(frame.map(|frame| (u16::from(frame.code), frame.reason.to_string())))
                        .await
                        .unwrap();
                }
            }
        }
    });
    let mut connection = open(socket, &url.await).await;
    connection.close(4123, "enough").await;
    let why = ending(&mut connection).await;
    if capabilities(socket).close_code {
        assert_eq!(why, closed(Some(4123), "enough", Closing::ByUs));
        assert_eq!(closes.recv().await, Some(Some((4123, "enough".to_owned()))));
    } else {
        let Why::Closed { code: None, closing, .. } = why else { panic!("{why:?}") };
        assert!(closing.is_ours());
        assert_eq!(closes.recv().await, Some(None));
    }
}

async fn a_server_that_ignores_our_close_is_disconnected(socket: Socket) {
    let url = server::upgraded(|stream| async move {
        std::future::pending::<()>().await;
        drop(stream);
    });
    let mut connection = open(socket, &url.await).await;
    connection.close(1000, "").await;
    assert_eq!(ending(&mut connection).await, closed(None, "", Closing::ByUsUnanswered));
}

async fn closing_the_connection_does_not_answer_our_close_frame(socket: Socket) {
    let url = server::upgraded(|mut stream| async move {
        server::read_frame(&mut stream).await.unwrap();
    });
    let mut connection = open(socket, &url.await).await;
    connection.close(1000, "").await;
    assert_eq!(ending(&mut connection).await, closed(None, "", Closing::ByUsUnanswered));
}

/// The server closes while our frames, and our answer behind them, are blocked.
#[tokio::test]
async fn a_close_that_cannot_be_answered_is_not_clean() {
    crate::within(async {
        let (ask, asked) = mpsc::channel::<()>(1);
        let asked = Arc::new(tokio::sync::Mutex::new(asked));
        let url = server::upgraded(move |mut stream| {
            let asked = asked.clone();
            async move {
                asked.lock().await.recv().await.unwrap();
                stream.write_all(&[0x88, 5, 0x03, 0xe8, b'b', b'y', b'e']).await.unwrap();
                std::future::pending::<()>().await;
            }
        });
        let mut connection = open(Socket::Tungstenite, &url.await).await;
        let large = text("x".repeat(64 * 1024));
        while timeout(Duration::from_millis(500), connection.send(large.clone())).await.is_ok() {}
        ask.send(()).await.unwrap();
        let expected = closed(Some(1000), "bye", Closing::ByServerUnanswered);
        assert_eq!(ending(&mut connection).await, expected);
    })
    .await;
}

/// Sends `bytes` while reading; returns the client's close code, `None` if it just closed the connection.
async fn code_in_answer_to(stream: tokio::net::TcpStream, head: Vec<u8>, filling: u64) -> Option<u16> {
    let (mut reading, mut writing) = stream.into_split();
    let sending = tokio::spawn(async move {
        let part = vec![b'x'; 64 * 1024];
        let mut left = filling;
        writing.write_all(&head).await?;
        while left > 0 {
            let size = left.min(part.len() as u64);
            writing.write_all(&part[..size as usize]).await?;
            left -= size;
        }
        Ok::<_, std::io::Error>(writing)
    });
    let answer = server::read_frame(&mut reading).await;
    sending.abort();
    let (first, payload) = answer?;
    assert_eq!(first, 0x88);
    Some(u16::from_be_bytes([payload[0], payload[1]]))
}

/// Serves `head` and `filling`, and asserts a violation and the close code sent to the server.
async fn violates(socket: Socket, head: Vec<u8>, filling: u64, code: u16) {
    let (seen, mut codes) = mpsc::channel(1);
    let url = server::upgraded(move |stream| {
        let (seen, head) = (seen.clone(), head.clone());
        async move { seen.send(code_in_answer_to(stream, head, filling).await).await.unwrap() }
    });
    let mut connection = open(socket, &url.await).await;
    let why = ending(&mut connection).await;
    assert!(matches!(why, Why::Violation { .. }), "{why:?}");
    let told = codes.recv().await.unwrap();
    assert_eq!(told, capabilities(socket).close_code.then_some(code));
}

async fn a_hundred_megabytes_are_refused(socket: Socket) {
    violates(socket, server::frame_head(0x82, 100 << 20), 100 << 20, 1009).await;
    let largest = LARGEST.load(Ordering::Relaxed);
    assert!(largest < 8 << 20, "{largest} bytes were allocated at once");
}

async fn the_size_limit_applies_to_fragmented_messages(socket: Socket) {
    let mut pieces = Vec::new();
    for first in [0x02, 0x00, 0x80] {
        pieces.extend(server::frame_head(first, 500_000));
        pieces.resize(pieces.len() + 500_000, 0);
    }
    violates(socket, pieces, 0, 1009).await;
}

async fn invalid_utf8_is_a_violation(socket: Socket) {
    violates(socket, vec![0x81, 2, 0xc3, 0x28], 0, 1007).await;
}

async fn a_masked_frame_is_a_violation(socket: Socket) {
    violates(socket, vec![0x81, 0x81, 1, 2, 3, 4, b'x'], 0, 1002).await;
}

/// RFC 7692 marks compressed frames with the first reserved bit.
async fn a_compressed_frame_that_nobody_agreed_to_is_a_violation(socket: Socket) {
    violates(socket, vec![0xc1, 1, b'x'], 0, 1002).await;
}
