//! Flush reports: never too many, never after the end, and only if requested.

use std::time::Duration;

use duplex::model::link_state::Why;
use duplex::model::profile::Socket;
use duplex::transport::{Connection, Endpoint, Incoming, capabilities};
use futures_util::{SinkExt, StreamExt};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

use crate::{Way, server, text};

crate::over_every_way![
    every_frame_is_reported_once_flushed,
    reports_come_while_the_server_floods,
    no_reports_unless_requested,
];
crate::over_both_sockets![flushed_frames_are_reported_before_the_loss, what_is_stuck_is_not_reported,];

async fn open_reporting(way: impl Into<Way>, url: &str) -> Connection {
    let way = way.into();
    let mut target = Endpoint::new(way.before(url).await);
    target.report_flushed = true;
    way.dial(target).await.expect("a connection")
}

/// All reports until the end, and the reason for it.
async fn reports(connection: &mut Connection) -> (Vec<u64>, Why) {
    let mut reports = Vec::new();
    loop {
        match connection.recv().await.expect("a reason") {
            Incoming::Flushed(total) => {
                assert!(reports.last().is_none_or(|last| *last < total), "{total} after {reports:?}");
                reports.push(total);
            }
            Incoming::Closed(why) => {
                assert_eq!(connection.recv().await, None, "the reason comes last");
                return (reports, why);
            }
            Incoming::Frame(_) | Incoming::Pong | Incoming::Route(_) => {}
        }
    }
}

async fn every_frame_is_reported_once_flushed(way: Way) {
    const COUNT: u64 = 1_000;
    let url = server::websocket(server::echo).await;
    let mut connection = open_reporting(way, &url).await;
    let outgoing = connection.outgoing.clone();
    let sending = tokio::spawn(async move {
        for index in 0..COUNT {
            let frame = duplex::transport::Outgoing::Frame(text(index.to_string()));
            outgoing.send(frame).await.unwrap();
        }
    });
    let (mut flushed, mut echoed) = (0, 0);
    while echoed < COUNT || (way.capabilities().flush && flushed < COUNT) {
        match connection.recv().await {
            Some(Incoming::Frame(_)) => echoed += 1,
            Some(Incoming::Flushed(total)) => {
                assert!(flushed < total && total <= COUNT, "{total} after {flushed}");
                flushed = total;
            }
            other => panic!("{other:?}"),
        }
    }
    sending.await.unwrap();
    connection.close(1000, "").await;
    let (late, _) = reports(&mut connection).await;
    assert!(late.is_empty(), "nothing more was sent: {late:?}");
    assert_eq!(flushed, if way.capabilities().flush { COUNT } else { 0 });
}

async fn flushed_frames_are_reported_before_the_loss(socket: Socket) {
    let url = server::upgraded(|mut stream| async move {
        server::read_frame(&mut stream).await.unwrap();
        server::read_frame(&mut stream).await.unwrap();
    });
    let mut connection = open_reporting(socket, &url.await).await;
    connection.send(text("one")).await;
    connection.send(text("two")).await;
    let (reports, why) = reports(&mut connection).await;
    assert!(matches!(why, Why::Lost { .. }), "{why:?}");
    assert_eq!(reports.last().copied(), capabilities(socket).flush.then_some(2));
}

/// The server never reads. Frames waiting for the socket have not been flushed, even when the server closes later.
async fn what_is_stuck_is_not_reported(socket: Socket) {
    let (hang_up, hung_up) = mpsc::channel::<()>(1);
    let hung_up = std::sync::Arc::new(tokio::sync::Mutex::new(hung_up));
    let url = server::upgraded(move |stream| {
        let hung_up = hung_up.clone();
        async move {
            hung_up.lock().await.recv().await.unwrap();
            drop(stream);
        }
    });
    let mut connection = open_reporting(socket, &url.await).await;
    let frame = text("x".repeat(64 * 1024));
    let mut given = 0;
    while timeout(Duration::from_millis(500), connection.send(frame.clone())).await.is_ok() {
        given += 1;
    }
    hang_up.send(()).await.unwrap();
    let (reports, why) = reports(&mut connection).await;
    assert!(matches!(why, Why::Lost { .. }), "{why:?}");
    // The queue is full of frames that were not written.
    let written = given - duplex::transport::QUEUE as u64;
    assert!(reports.last().is_none_or(|total| *total <= written), "{reports:?} of {written}");
}

async fn reports_come_while_the_server_floods(way: Way) {
    let url = server::websocket(|socket| async move {
        let (mut sink, mut stream) = socket.split();
        let reading = tokio::spawn(async move { while let Some(Ok(_)) = stream.next().await {} });
        while sink.send(Message::text("flood")).await.is_ok() {}
        reading.await.unwrap();
    });
    let mut connection = open_reporting(way, &url.await).await;
    connection.send(text("one")).await;
    for _ in 0..100_000 {
        match connection.recv().await {
            Some(Incoming::Flushed(1)) => return assert!(way.capabilities().flush),
            Some(Incoming::Frame(_)) => {}
            other => panic!("{other:?}"),
        }
    }
    assert!(!way.capabilities().flush, "no report came in 100,000 messages");
}

async fn no_reports_unless_requested(way: Way) {
    let url = server::websocket(server::echo).await;
    let mut connection = way.open(&url).await;
    connection.send(text("one")).await;
    assert_eq!(connection.recv().await, Some(Incoming::Frame(text("one"))));
    connection.close(1000, "").await;
    assert!(matches!(connection.recv().await, Some(Incoming::Closed(_))));
    assert_eq!(connection.recv().await, None);
}

/// A close frame is flushed with the frames before it.
#[tokio::test]
async fn frames_before_our_close_are_reported() {
    crate::within(async {
        let url = server::websocket(server::echo).await;
        let mut connection = open_reporting(Socket::Tungstenite, &url).await;
        for index in 0..10 {
            connection.send(text(index.to_string())).await;
        }
        connection.close(1000, "done").await;
        let (reports, _) = reports(&mut connection).await;
        assert_eq!(reports.last(), Some(&10));
    })
    .await;
}
