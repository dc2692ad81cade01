//! Pings and the pongs that answer them.

use duplex::model::profile::Socket;
use duplex::transport::{Incoming, Outgoing, capabilities};
use tokio::io::AsyncWriteExt;

use crate::{open, server, text};

crate::over_both_sockets![pings_are_answered, only_answers_to_our_pings_count];

async fn pings_are_answered(socket: Socket) {
    assert!(capabilities(socket).ping);
    let url = server::websocket(server::echo).await;
    let mut connection = open(socket, &url).await;
    for _ in 0..3 {
        connection.outgoing.send(Outgoing::Ping).await.unwrap();
        assert_eq!(connection.recv().await, Some(Incoming::Pong));
    }
    assert_eq!(connection.counters.traffic().frames_out, 0, "pings do not count as frames");
}

async fn only_answers_to_our_pings_count(socket: Socket) {
    let url = server::upgraded(|mut stream| async move {
        // Unsolicited pongs.
        let mut unasked = vec![0x8a, 0, 0x8a, 3, b'a', b'b', b'c', 0x8a, 16];
        unasked.extend([7; 16]);
        stream.write_all(&unasked).await.unwrap();
        let (first, payload) = server::read_frame(&mut stream).await.unwrap();
        assert_eq!(first, 0x89);
        let (_, next) = server::read_frame(&mut stream).await.unwrap();
        assert_ne!(next, payload, "each ping has its own payload");
        let mut pong = vec![0x8a, u8::try_from(payload.len()).unwrap()];
        pong.extend(payload);
        // The second copy no longer answers a ping.
        stream.write_all(&[unasked, pong.clone(), pong].concat()).await.unwrap();
        stream.write_all(&[0x81, 1, b'x']).await.unwrap();
        std::future::pending::<()>().await;
    });
    let mut connection = open(socket, &url.await).await;
    for _ in 0..2 {
        connection.outgoing.send(Outgoing::Ping).await.unwrap();
    }
    assert_eq!(connection.recv().await, Some(Incoming::Pong));
    assert_eq!(connection.recv().await, Some(Incoming::Frame(text("x"))));
}
