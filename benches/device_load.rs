//! Devices that publish at a given rate through one connection: the load that `device_figures.sh` puts on a hub. With no
//! argument, as `cargo bench` runs it, it does nothing.
//!
//!   device_load ADDRESS TOKEN DEVICES METRICS RATE SECONDS
//!
//! prints `published N` once the hub has answered for all of them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, reason = "a bench")]

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{WebSocketStream, client_async};

/// How often a batch is published.
const TICK: Duration = Duration::from_millis(10);

type Socket = WebSocketStream<TcpStream>;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [address, token, numbers @ ..] = &args[..] else { return };
    let numbers: Vec<u64> = numbers.iter().filter_map(|number| number.parse().ok()).collect();
    let [devices, metrics, rate, seconds] = numbers[..] else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let published = runtime.block_on(publish(address, token, devices, metrics, rate, seconds));
    println!("published {published}");
}

/// Publishes, and returns how many readings the hub has taken.
pub(crate) async fn publish(
    address: &str,
    token: &str,
    devices: u64,
    metrics: u64,
    rate: u64,
    seconds: u64,
) -> u64 {
    let mut socket = come_in(address, token).await;
    for device in 0..devices {
        let announced: Vec<String> =
            (0..metrics).map(|m| format!(r#"{{"name":"m{m}","unit":"°C","precision":1}}"#)).collect();
        let announce = format!(
            r#"{{"type":"announce","device":"load-{device}","name":"Load {device}","kind":"load","expect_every_s":60,"metrics":[{}]}}"#,
            announced.join(",")
        );
        socket.send(Message::text(announce)).await.unwrap();
    }
    let (began, end) = (Instant::now(), Duration::from_secs(seconds));
    let (mut published, mut next) = (0u64, 0u64);
    while began.elapsed() < end {
        // What the clock says is due, in whole samples, however late this tick is.
        let due = (began.elapsed().as_secs_f64() * rate as f64) as u64;
        let mut samples = String::new();
        while published + metrics <= due && samples.len() < 200_000 {
            sample(&mut samples, next % devices, metrics, next);
            next += 1;
            published += metrics;
        }
        if !samples.is_empty() {
            let text = format!(r#"{{"type":"publish","samples":[{samples}]}}"#);
            socket.send(Message::text(text)).await.unwrap();
        }
        let until = tokio::time::Instant::now() + TICK;
        while let Ok(Some(Ok(_))) = tokio::time::timeout_at(until, socket.next()).await {}
    }
    socket.send(Message::text(r#"{"type":"ping","nonce":4711}"#)).await.unwrap();
    while let Some(Ok(message)) = socket.next().await {
        if message.to_text().is_ok_and(|text| text.contains("4711")) {
            break;
        }
    }
    published
}

fn sample(samples: &mut String, device: u64, metrics: u64, step: u64) {
    let comma = if samples.is_empty() { "" } else { "," };
    let _ = write!(samples, r#"{comma}{{"device":"load-{device}","values":{{"#);
    for metric in 0..metrics {
        let comma = if metric == 0 { "" } else { "," };
        let value = 20.0 + ((step / 7 + metric * 13) % 200) as f64 / 10.0;
        let _ = write!(samples, r#"{comma}"m{metric}":{value:.1}"#);
    }
    samples.push_str("}}");
}

async fn come_in(address: &str, token: &str) -> Socket {
    let mut request = format!("ws://{address}/v1/socket").into_client_request().unwrap();
    request.headers_mut().insert("Authorization", format!("Bearer {token}").parse().unwrap());
    let stream = TcpStream::connect(address).await.expect("the hub is there");
    stream.set_nodelay(true).unwrap();
    let (mut socket, _) = client_async(request, stream).await.expect("the hub lets us in");
    socket.send(Message::text(r#"{"type":"hello","versions":[1,1],"client":"device load"}"#)).await.unwrap();
    while let Some(Ok(message)) = socket.next().await {
        if message.to_text().is_ok_and(|text| text.contains(r#""welcome""#)) {
            return socket;
        }
    }
    panic!("no welcome")
}
