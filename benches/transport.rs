//! What the transport costs: latency, a burst, a flood, over each socket and beside bare tokio-tungstenite in the same run.
//! `DUPLEX_BENCH_QUICK=1` makes it a check that the numbers can be taken, not a measurement.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a bench program"
)]

#[path = "../tests/common/ws_server.rs"]
#[allow(dead_code)] // The tests use the rest.
mod server;

use std::sync::mpsc;
use std::time::{Duration, Instant};

use duplex::frame::Frame;
use duplex::model::profile::Socket;
use duplex::transport::{Connection, Endpoint, Incoming, Outgoing, dial};
use futures_util::{SinkExt, StreamExt};
use serde::Deserialize;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

/// As long as a short chat message with its fields.
const MESSAGE: &str = r#"{"type":"message","room":"general","sender":"ada","id":"0190a3c2-7d1e-7cc0-9f6e-3b1f4f0e2a11","offset":123456,"body":"The pump is at 41 degrees again."}"#;

#[derive(Deserialize)]
struct Body<'a> {
    body: &'a str,
}

/// One client under measurement.
enum Client {
    Bare(Box<WebSocketStream<MaybeTlsStream<TcpStream>>>),
    Ours(Connection),
}

const NAMES: [&str; 3] = ["bare tokio-tungstenite", "socket tungstenite", "socket ewebsock"];

impl Client {
    async fn open(name: &str, url: &str) -> Client {
        match name {
            "socket tungstenite" => {
                Client::Ours(dial(Socket::Tungstenite, Endpoint::new(url)).await.unwrap())
            }
            "socket ewebsock" => Client::Ours(dial(Socket::Ewebsock, Endpoint::new(url)).await.unwrap()),
            _ => {
                let (socket, _) =
                    tokio_tungstenite::connect_async_with_config(url, None, true).await.unwrap();
                Client::Bare(Box::new(socket))
            }
        }
    }

    async fn send(&mut self, text: String) {
        match self {
            Client::Bare(socket) => socket.send(Message::text(text)).await.unwrap(),
            Client::Ours(connection) => assert!(connection.send(Frame::Text(text)).await),
        }
    }

    async fn receive(&mut self) -> usize {
        match self {
            Client::Bare(socket) => socket.next().await.unwrap().unwrap().len(),
            Client::Ours(connection) => match connection.recv().await {
                Some(Incoming::Frame(frame)) => frame.len(),
                other => panic!("{other:?}"),
            },
        }
    }

    /// Takes `count` messages as they come, and looks at each.
    async fn drain(&mut self, count: usize, mut look: impl FnMut(&str)) {
        match self {
            Client::Bare(socket) => {
                for _ in 0..count {
                    let message = socket.next().await.unwrap().unwrap();
                    look(message.to_text().unwrap());
                }
            }
            Client::Ours(connection) => {
                let mut batch = Vec::new();
                let mut taken = 0;
                while taken < count {
                    taken += connection.recv_many(&mut batch, 64).await;
                    for item in batch.drain(..) {
                        match item {
                            Incoming::Frame(Frame::Text(text)) => look(&text),
                            other => panic!("{other:?}"),
                        }
                    }
                }
            }
        }
    }
}

/// Servers with a thread of their own: an echo, and one that sends `flood` messages at once.
fn servers(flood: usize) -> (String, String) {
    let (tell, told) = mpsc::sync_channel(1);
    let serve = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let echo = server::websocket(server::echo).await;
            let flood = server::upgraded(move |mut stream| async move {
                let mut frame = vec![0x81, 126];
                frame.extend((MESSAGE.len() as u16).to_be_bytes());
                frame.extend(MESSAGE.as_bytes());
                let many = frame.repeat(1_000);
                for _ in 0..flood / 1_000 {
                    if stream.write_all(&many).await.is_err() {
                        return;
                    }
                }
                // Until the client hangs up.
                server::read_frame(&mut stream).await;
            });
            tell.send((echo, flood.await)).unwrap();
            std::future::pending::<()>().await;
        });
    };
    std::thread::Builder::new().name("servers".to_owned()).spawn(serve).unwrap();
    told.recv().unwrap()
}

fn percentile(samples: &mut [Duration], percent: usize) -> f64 {
    samples.sort();
    samples[(samples.len() * percent / 100).min(samples.len() - 1)].as_secs_f64() * 1e3
}

/// One message at a time, at uneven moments; then two of them 1 ms apart, timed by the second.
async fn latency(name: &str, url: &str, rounds: usize) {
    let mut client = Client::open(name, url).await;
    let (mut single, mut second) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        tokio::time::sleep(Duration::from_micros(500 + (round as u64 * 7919) % 3000)).await;
        let start = Instant::now();
        client.send(MESSAGE.to_owned()).await;
        client.receive().await;
        single.push(start.elapsed());
    }
    for _ in 0..rounds / 4 {
        client.send(MESSAGE.to_owned()).await;
        tokio::time::sleep(Duration::from_millis(1)).await;
        let start = Instant::now();
        client.send(MESSAGE.to_owned()).await;
        client.receive().await;
        client.receive().await;
        second.push(start.elapsed());
    }
    println!(
        "latency          {name:<24} p50 {:.3} ms  p99 {:.3} ms   second of two 1 ms apart: p50 {:.3} ms",
        percentile(&mut single, 50),
        percentile(&mut single, 99),
        percentile(&mut second, 50),
    );
}

/// 5,000 messages out, their echoes back.
async fn burst(name: &str, url: &str) {
    const COUNT: usize = 5_000;
    let client = Client::open(name, url).await;
    let start = Instant::now();
    match client {
        Client::Bare(socket) => {
            let (mut sink, mut stream) = socket.split();
            let sending = async {
                for _ in 0..COUNT {
                    sink.feed(Message::text(MESSAGE)).await.unwrap();
                }
                sink.flush().await.unwrap();
            };
            let receiving = async {
                for _ in 0..COUNT {
                    stream.next().await.unwrap().unwrap();
                }
            };
            tokio::join!(sending, receiving);
        }
        Client::Ours(connection) => {
            let outgoing = connection.outgoing.clone();
            let sending = async {
                for _ in 0..COUNT {
                    let frame = Frame::Text(MESSAGE.to_owned());
                    outgoing.send(Outgoing::Frame(frame)).await.unwrap();
                }
            };
            let mut client = Client::Ours(connection);
            tokio::join!(sending, client.drain(COUNT, |_| {}));
        }
    }
    println!("burst of 5,000   {name:<24} {:.1} ms", start.elapsed().as_secs_f64() * 1e3);
}

/// Messages a second, the best of some rounds: first as frames, then each read as JSON.
async fn flood(url: &str, count: usize, rounds: usize) {
    let mut best = [[0.0_f64; 2]; NAMES.len()];
    for _ in 0..rounds {
        for (name, best) in NAMES.iter().zip(&mut best) {
            for (parsed, best) in best.iter_mut().enumerate() {
                let mut client = Client::open(name, url).await;
                let mut bytes = 0;
                let start = Instant::now();
                let look = |text: &str| {
                    bytes += match parsed {
                        0 => text.len(),
                        _ => serde_json::from_str::<Body>(text).unwrap().body.len(),
                    }
                };
                client.drain(count, look).await;
                *best = best.max(count as f64 / start.elapsed().as_secs_f64());
                assert!(bytes > count);
            }
        }
    }
    for (name, [frames, parsed]) in NAMES.iter().zip(&best) {
        println!(
            "flood            {name:<24} frames {:>5.0} k/s (ratio {:.2})   with serde_json {:>5.0} k/s (ratio {:.2})",
            frames / 1e3,
            frames / best[0][0],
            parsed / 1e3,
            parsed / best[0][1],
        );
    }
}

fn main() {
    let quick = std::env::var_os("DUPLEX_BENCH_QUICK").is_some();
    let (rounds, count, repeats) = if quick { (40, 20_000, 1) } else { (1_000, 300_000, 5) };
    let (echo, flooding) = servers(count);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        for name in NAMES {
            latency(name, &echo, rounds).await;
        }
        for name in NAMES {
            burst(name, &echo).await;
        }
        flood(&flooding, count, repeats).await;
    });
}
