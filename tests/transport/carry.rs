//! Frames arrive whole, in order, each once; memory stays bounded with slow peers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use duplex::frame::Frame;
use duplex::model::link_state::Why;
use duplex::model::profile::Socket;
use duplex::transport::{Endpoint, Outgoing, Traffic, dial};
use futures_util::{SinkExt, StreamExt};
use http::{HeaderValue, header};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};

use crate::{Way, ending, next_frame, open, server, text};

crate::over_every_way![
    text_and_binary_frames_are_echoed_unchanged,
    the_largest_frame_is_accepted,
    a_burst_keeps_its_order,
    a_ping_is_answered_while_only_reading,
    a_slow_reader_applies_backpressure,
    a_server_that_does_not_read_applies_backpressure,
    dropping_a_connection_closes_it,
    dropping_a_flooded_connection_closes_it,
];
crate::over_both_sockets![headers_and_subprotocol_reach_the_server,];

async fn text_and_binary_frames_are_echoed_unchanged(way: Way) {
    let url = server::websocket(server::echo).await;
    let mut connection = way.open(&url).await;
    let frames = [
        // Of the Duplex protocol none is empty, and a line without anything is a sign of life there.
        text(if matches!(way, Way::Socket(_)) { "" } else { "{}" }),
        text("한글 🦀 \u{202e}rtl\u{0}\u{7f}"),
        Frame::Binary((0..=255).collect()),
        text("가".repeat(20_000)),
        Frame::Binary(Vec::new()),
    ];
    for frame in &frames {
        assert!(connection.send(frame.clone()).await);
        assert_eq!(next_frame(&mut connection).await, *frame);
    }
    let bytes = frames.iter().map(|frame| frame.len() as u64).sum();
    let count = frames.len() as u64;
    let expected = Traffic { frames_in: count, bytes_in: bytes, frames_out: count, bytes_out: bytes };
    assert_eq!(connection.counters.traffic(), expected);
}

async fn the_largest_frame_is_accepted(way: Way) {
    let url = server::websocket(server::echo).await;
    let mut connection = way.open(&url).await;
    let largest = text("x".repeat(1 << 20));
    connection.send(largest.clone()).await;
    assert!(next_frame(&mut connection).await == largest);
}

async fn a_burst_keeps_its_order(way: Way) {
    const COUNT: usize = 5_000;
    let url = server::websocket(server::echo).await;
    let mut connection = way.open(&url).await;
    let outgoing = connection.outgoing.clone();
    let sending = tokio::spawn(async move {
        for index in 0..COUNT {
            outgoing.send(Outgoing::Frame(text(format!("message {index}")))).await.unwrap();
        }
    });
    for index in 0..COUNT {
        assert_eq!(next_frame(&mut connection).await, text(format!("message {index}")));
    }
    sending.await.unwrap();
}

async fn headers_and_subprotocol_reach_the_server(socket: Socket) {
    let (seen, mut requests) = mpsc::channel(1);
    let address = server::tcp(move |stream| {
        let seen = seen.clone();
        async move {
            #[allow(clippy::result_large_err)] // tungstenite's own signature
            let answer = |request: &Request, mut response: Response| {
                seen.try_send(request.headers().clone()).unwrap();
                let chosen = request.headers()[header::SEC_WEBSOCKET_PROTOCOL].clone();
                response.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, chosen);
                Ok(response)
            };
            server::echo(tokio_tungstenite::accept_hdr_async(stream, answer).await.unwrap()).await;
        }
    })
    .await;
    let mut target = Endpoint::new(format!("ws://{address}/socket"));
    target.headers.push((header::AUTHORIZATION, HeaderValue::from_static("Bearer token")));
    target.subprotocols.push("mqtt".to_owned());
    let connection = dial(socket, target).await.unwrap();
    assert_eq!(connection.subprotocol.as_deref(), Some("mqtt"));
    assert!(connection.extensions.is_empty());
    let headers = requests.recv().await.unwrap();
    assert_eq!(headers[header::AUTHORIZATION], "Bearer token");
    assert_eq!(headers[header::HOST], address.to_string());
}

async fn a_ping_is_answered_while_only_reading(way: Way) {
    let url = server::websocket(|mut socket| async move {
        socket.send(Message::Ping(b"are you there".as_slice().into())).await.unwrap();
        let answer = socket.next().await.unwrap().unwrap();
        assert_eq!(answer, Message::Pong(b"are you there".as_slice().into()));
        socket.send(Message::text("answered")).await.unwrap();
        server::echo(socket).await;
    });
    let mut connection = way.open(&url.await).await;
    assert_eq!(next_frame(&mut connection).await, text("answered"));
}

/// The server sends 64 MiB; until somebody reads, no more than the system's buffers hold is accepted.
async fn a_slow_reader_applies_backpressure(way: Way) {
    const FRAMES: u64 = 4096;
    const SIZE: usize = 16 * 1024;
    let sent = Arc::new(AtomicU64::new(0));
    let (stuck, mut is_stuck) = mpsc::channel(1);
    let url = server::websocket({
        let sent = sent.clone();
        move |mut socket| {
            let (sent, stuck) = (sent.clone(), stuck.clone());
            async move {
                for index in 0..FRAMES {
                    let frame = Message::text(format!("{index:0>SIZE$}"));
                    let mut sending = Box::pin(socket.send(frame));
                    if timeout(Duration::from_millis(500), &mut sending).await.is_err() {
                        let _ = stuck.try_send(());
                        sending.await.unwrap();
                    }
                    sent.store(index, Ordering::Relaxed);
                }
                server::echo(socket).await;
            }
        }
    });
    let mut connection = way.open(&url.await).await;
    is_stuck.recv().await.unwrap();
    let bytes = sent.load(Ordering::Relaxed) * SIZE as u64;
    assert!(bytes < 32 << 20, "{bytes} bytes were accepted from the server");
    for index in 0..FRAMES {
        assert!(next_frame(&mut connection).await == text(format!("{index:0>SIZE$}")), "frame {index}");
    }
}

/// Our sends wait, and the server's frames still arrive.
async fn a_server_that_does_not_read_applies_backpressure(way: Way) {
    const SIZE: u64 = 4096;
    let (speak, hear) = mpsc::channel(1);
    let hear = Arc::new(tokio::sync::Mutex::new(hear));
    let url = server::websocket(move |mut socket| {
        let hear = hear.clone();
        async move {
            let () = hear.lock().await.recv().await.unwrap();
            socket.send(Message::text("still here")).await.unwrap();
            std::future::pending::<()>().await;
        }
    });
    let mut connection = way.open(&url.await).await;
    let frame = text("x".repeat(SIZE as usize));
    let mut frames = 0;
    while timeout(Duration::from_millis(500), connection.send(frame.clone())).await.is_ok() {
        frames += 1;
        assert!(frames * SIZE < 64 << 20, "more than 64 MiB were accepted");
    }
    speak.send(()).await.unwrap();
    assert_eq!(next_frame(&mut connection).await, text("still here"));
}

async fn dropping_a_connection_closes_it(way: Way) {
    let (ended, mut has_ended) = mpsc::channel(1);
    let url = server::websocket(move |mut socket| {
        let ended = ended.clone();
        async move {
            while let Some(Ok(_)) = socket.next().await {}
            ended.send(()).await.unwrap();
        }
    });
    drop(way.open(&url.await).await);
    has_ended.recv().await.unwrap();
}

async fn dropping_a_flooded_connection_closes_it(way: Way) {
    let (ended, mut has_ended) = mpsc::channel(1);
    let (stuck, mut is_stuck) = mpsc::channel(1);
    let url = server::websocket(move |mut socket| {
        let (ended, stuck) = (ended.clone(), stuck.clone());
        async move {
            loop {
                let mut sending = Box::pin(socket.send(Message::text("x".repeat(16 * 1024))));
                let sent = match timeout(Duration::from_millis(500), &mut sending).await {
                    Ok(sent) => sent,
                    Err(_) => {
                        let _ = stuck.try_send(());
                        sending.await
                    }
                };
                if sent.is_err() {
                    return ended.send(()).await.unwrap();
                }
            }
        }
    });
    let connection = way.open(&url.await).await;
    is_stuck.recv().await.unwrap();
    drop(connection);
    has_ended.recv().await.unwrap();
}

#[tokio::test]
async fn frames_sent_before_a_close_arrive() {
    crate::within(async {
        let (seen, mut messages) = mpsc::channel(2_000);
        let url = server::websocket(move |mut socket| {
            let seen = seen.clone();
            async move {
                while let Some(Ok(message)) = socket.next().await {
                    seen.send(message).await.unwrap();
                }
            }
        });
        let mut connection = open(Socket::Tungstenite, &url.await).await;
        for index in 0..1_000 {
            connection.send(text(index.to_string())).await;
        }
        connection.close(1000, "done").await;
        let why = ending(&mut connection).await;
        assert!(matches!(why, Why::Closed { code: Some(1000), .. }), "{why:?}");
        for index in 0..1_000 {
            assert_eq!(messages.recv().await, Some(Message::text(index.to_string())));
        }
        assert!(matches!(messages.recv().await, Some(Message::Close(Some(frame))) if frame.reason == "done"));
    })
    .await;
}
