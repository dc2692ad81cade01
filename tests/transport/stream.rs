//! A stream by TCP: the same promises as of a WebSocket, as far as a stream can keep them.

use std::time::Duration;

use duplex::frame::Frame;
use duplex::model::link_state::{Closing, Phase, Why};
use duplex::model::profile::Socket;
use duplex::transport::{Connection, Endpoint, Incoming, Outgoing, Traffic, dial};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::{closed, ending, server, text, within};

async fn echo(mut stream: TcpStream) {
    let mut buffer = vec![0; 1 << 16];
    while let Ok(size) = stream.read(&mut buffer).await {
        if size == 0 || stream.write_all(&buffer[..size]).await.is_err() {
            break;
        }
    }
}

async fn at<F, R>(serve: F) -> Endpoint
where
    F: Fn(TcpStream) -> R + Send + 'static,
    R: Future<Output = ()> + Send + 'static,
{
    let mut target = Endpoint::new(format!("stomp://{}", server::tcp(serve).await));
    target.report_flushed = true;
    target
}

async fn open(target: Endpoint) -> Connection {
    let connection = within(dial(Socket::Tungstenite, target)).await.expect("a connection");
    assert!(connection.is_stream);
    connection
}

/// The bytes that came so far, until there are `size`, and the largest flush report.
async fn read(connection: &mut Connection, size: usize) -> (Vec<u8>, u64) {
    let (mut bytes, mut flushed) = (Vec::new(), 0);
    while bytes.len() < size {
        match within(connection.recv()).await.expect("no end") {
            Incoming::Frame(Frame::Text(text)) => bytes.extend(text.into_bytes()),
            Incoming::Frame(Frame::Binary(more)) => bytes.extend(more),
            Incoming::Flushed(total) => flushed = total,
            other => panic!("{other:?}"),
        }
    }
    (bytes, flushed)
}

#[tokio::test]
async fn bytes_are_carried_in_order_and_each_once() {
    let mut connection = open(at(echo).await).await;
    let sent =
        [text("한글 🦀\u{0}"), Frame::Binary((0..=255).collect()), text("x".repeat(1 << 20)), text("")];
    let mut bytes: Vec<u8> = Vec::new();
    for frame in &sent {
        bytes.extend(match frame {
            Frame::Text(text) => text.as_bytes(),
            Frame::Binary(bytes) => bytes,
        });
    }
    let outgoing = connection.outgoing.clone();
    tokio::spawn(async move {
        for frame in sent {
            outgoing.send(Outgoing::Frame(frame)).await.unwrap();
        }
        outgoing.send(Outgoing::Ping).await.unwrap();
    });
    let (received, _) = read(&mut connection, bytes.len()).await;
    assert!(received == bytes);
    let Traffic { bytes_in, frames_out, bytes_out, .. } = connection.counters.traffic();
    assert_eq!((bytes_in, frames_out, bytes_out), (bytes.len() as u64, 4, bytes.len() as u64));
    connection.close(1000, "").await;
    assert_eq!(within(ending(&mut connection)).await, closed(None, "", Closing::ByUs));
    assert!(!connection.send(text("too late")).await);
}

#[tokio::test]
async fn what_was_flushed_is_reported_before_the_end() {
    let target = at(|mut stream| async move {
        let mut got = [0; 4];
        stream.read_exact(&mut got).await.unwrap();
    });
    let mut connection = open(target.await).await;
    assert!(connection.send(text("ab")).await && connection.send(text("cd")).await);
    let mut last = 0;
    let why = loop {
        match within(connection.recv()).await.expect("a reason") {
            Incoming::Flushed(total) => {
                assert!(total > last, "reports only grow");
                last = total;
            }
            Incoming::Closed(why) => break why,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!((last, why), (2, closed(None, "", Closing::ByServer)));
}

#[tokio::test]
async fn a_reset_is_a_loss_and_a_server_that_stays_is_left() {
    let reset = at(|stream| async move {
        stream.set_zero_linger().unwrap();
        drop(stream);
    });
    assert!(matches!(within(ending(&mut open(reset.await).await)).await, Why::Lost { .. }));
    let deaf = at(|stream| async move {
        std::future::pending::<()>().await;
        drop(stream);
    });
    let mut connection = open(deaf.await).await;
    connection.close(1000, "").await;
    assert_eq!(within(ending(&mut connection)).await, closed(None, "", Closing::ByUsUnanswered));
}

#[tokio::test]
async fn slow_ends_hold_the_other_back() {
    let (told, mut written) = mpsc::channel(1);
    let flood = at(move |mut stream| {
        let told = told.clone();
        async move {
            let piece = vec![b'x'; 1 << 16];
            let mut total = 0;
            while let Ok(Ok(())) = timeout(Duration::from_millis(500), stream.write_all(&piece)).await {
                total += piece.len();
            }
            told.send(total).await.unwrap();
        }
    });
    let connection = open(flood.await).await;
    assert!(within(written.recv()).await.unwrap() < 64 << 20, "nobody reads");
    drop(connection);
    let deaf = at(|stream| async move {
        std::future::pending::<()>().await;
        drop(stream);
    });
    let connection = open(deaf.await).await;
    let filling = async { while connection.send(text("x".repeat(1 << 16))).await {} };
    assert!(timeout(Duration::from_secs(2), filling).await.is_err(), "the queue is full");
}

#[tokio::test]
async fn a_dropped_connection_ends() {
    let (told, mut ended) = mpsc::channel(1);
    let target = at(move |mut stream| {
        let told = told.clone();
        async move {
            let read = stream.read(&mut [0; 16]).await;
            told.send(read.unwrap_or(0)).await.unwrap();
        }
    });
    drop(open(target.await).await);
    assert_eq!(within(ended.recv()).await, Some(0));
}

#[tokio::test]
async fn what_cannot_be_dialed_says_why() {
    let unused = server::tcp(echo).await.port();
    let fails = |url: String, change: fn(&mut Endpoint)| async move {
        let mut target = Endpoint::new(url);
        target.deadline = Duration::from_secs(2);
        change(&mut target);
        within(dial(Socket::Tungstenite, target)).await.expect_err("no connection")
    };
    assert_eq!(fails("stomp://127.0.0.1:1".into(), |_| {}).await, Why::ConnectionRefused);
    let pinned =
        fails(format!("stomp://127.0.0.1:{unused}"), |target| target.fingerprint = Some("0f".repeat(32)));
    assert!(matches!(pinned.await, Why::BadUrl { .. }), "there is no certificate to check");
    // An echo is no TLS server.
    assert!(matches!(
        fails(format!("stomps://127.0.0.1:{unused}"), |_| {}).await,
        Why::TlsFailed { .. } | Why::Lost { .. }
    ));
    let silent = server::tcp(|stream| async move {
        std::future::pending::<()>().await;
        drop(stream);
    });
    assert_eq!(
        fails(format!("stomps://{}", silent.await), |_| {}).await,
        Why::TimedOut { during: Phase::Handshake }
    );
}
