//! What compression saves and costs over each route: a thousand messages that a client was not there for, and a thousand readings a second. Bytes
//! are those on the wire, below HTTP and WebSocket; CPU time is that of the hub and the client together, and of the publisher of the readings.
//!
//! `DUPLEX_BENCH_SECONDS` sets for how long readings come (10).
#![allow(
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a bench prints, or fails at once"
)]

use std::sync::Arc;
use std::time::Duration;

use duplex::frame::Frame;
use duplex::hub::{Options, Running};
use duplex::model::content::{Content, Draft};
use duplex::model::features::Features;
use duplex::model::profile::{Secret, Socket};
use duplex::model::route::{Route, RouteChoice};
use duplex::model::time::WallMs;
use duplex::model::{MessageId, Offset, RoomId};
use duplex::transport::channel::RoutePlan;
use duplex::transport::{Compression, Connection, Endpoint, Incoming, Outgoing, WireMeter, dial};
use duplex::wire::duplex::deflate;
use duplex::wire::duplex::message::{ClientMessage, Decoded, Hello, HubMessage, VERSIONS, decode, encode};
use http::{HeaderValue, header};

const MESSAGES: usize = 1_000;
/// Of ten values each, a hundred times a second.
const VALUES: usize = 10;
const EVERY: Duration = Duration::from_millis(10);
const WORDS: &str = "the pump of line three was stopped at noon because its bearing ran hot please look at it before you start \
    the shift thanks 내일 아침 회의 전에 확인해 주세요 it is running again since two and the temperature is back to normal";

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let seconds = std::env::var("DUPLEX_BENCH_SECONDS").map_or(10, |text| text.parse().unwrap());
    let seconds = if std::env::var_os("DUPLEX_BENCH_QUICK").is_some() { 1 } else { seconds };
    let dir = tempfile::tempdir().unwrap();
    let hub = duplex::hub::start(Options::embedded(dir.path())).await.unwrap();
    fill(&hub).await;
    for route in Route::ALL {
        let [(plain, plain_cpu), (packed, packed_cpu)] =
            [replay(&hub, route, Compression::Off).await, replay(&hub, route, Compression::Offered).await];
        println!(
            "{}: {MESSAGES} messages: {plain} bytes, {packed} compressed ({:.2}); {plain_cpu:.1} and {packed_cpu:.1} ms of CPU time",
            route.name(),
            packed as f64 / plain as f64,
        );
        let plain = readings(&hub, route, Compression::Off, seconds).await;
        let packed = readings(&hub, route, Compression::Offered, seconds).await;
        println!(
            "{}: 1,000 readings a second: {:.0} bytes/s, {:.0} compressed ({:.2}); {:.1} and {:.1} ms of CPU time a second",
            route.name(),
            plain.0,
            packed.0,
            packed.0 / plain.0,
            plain.1,
            packed.1,
        );
    }
    hub.shutdown().await;
}

async fn enter(
    hub: &Running,
    route: Route,
    wants: Compression,
    since: Offset,
) -> (Connection, Arc<WireMeter>) {
    let meter = Arc::new(WireMeter::default());
    let mut target = Endpoint::new(&hub.url);
    let bearer = HeaderValue::try_from(format!("Bearer {}", Secret::reveal(&hub.admin_token))).unwrap();
    target.headers.push((header::AUTHORIZATION, bearer));
    target.routes = Some(RoutePlan { choice: RouteChoice::Only(route), ..RoutePlan::default() });
    (target.compression, target.meter) = (wants, Some(Arc::clone(&meter)));
    let connection = dial(Socket::Tungstenite, target).await.unwrap();
    let words: &[&str] = if wants == Compression::Off { &[] } else { &[deflate::WORD] };
    let hello = Hello {
        versions: VERSIONS,
        client: "bench".to_owned(),
        features: Features::new(words.iter().copied()),
        token: None,
        invite: None,
        challenge: None,
        resume: None,
        since: Some(since),
    };
    connection.send(encode(&ClientMessage::Hello(hello))).await;
    (connection, meter)
}

async fn hear(connection: &mut Connection) -> Option<HubMessage> {
    loop {
        match connection.recv().await.expect("not the end") {
            Incoming::Frame(frame) => match decode::<HubMessage>(&frame).unwrap() {
                Decoded::Known(message) => return Some(message),
                Decoded::UnknownType(kind) => panic!("{kind}"),
            },
            Incoming::Closed(why) => panic!("{why:?}"),
            _ => {}
        }
    }
}

async fn fill(hub: &Running) {
    let (mut connection, _) = enter(hub, Route::WebSocket, Compression::Off, Offset::MAX).await;
    let words: Vec<&str> = WORDS.split_whitespace().collect();
    let outgoing = connection.outgoing.clone();
    let sending = async {
        for number in 0..MESSAGES {
            let count = 4 + number * 7 % 13;
            let text: Vec<&str> =
                (0..count).map(|word| words[(number * 31 + word * 17) % words.len()]).collect();
            let id = MessageId::from_random(duplex::clock::random().unwrap());
            let at = WallMs(1_790_000_000_000 + number as i64 * 937);
            let draft = Draft { id, room: RoomId::general(), content: Content::text(text.join(" ")), at };
            let message = ClientMessage::Send { draft, seq: number as u64 + 1, retry: false };
            outgoing.send(Outgoing::Frame(encode(&message))).await.unwrap();
        }
    };
    let hearing = async {
        let mut acknowledged = 0;
        while acknowledged < MESSAGES {
            if let Some(HubMessage::Ack { .. }) = hear(&mut connection).await {
                acknowledged += 1;
            }
        }
    };
    tokio::join!(sending, hearing);
}

/// Bytes on the wire until all messages have come, and CPU time in milliseconds.
async fn replay(hub: &Running, route: Route, wants: Compression) -> (u64, f64) {
    let begun = cpu_ms();
    let (mut connection, meter) = enter(hub, route, wants, Offset(0)).await;
    let mut heard = 0;
    while heard < MESSAGES {
        if let Some(HubMessage::Log { entries, .. }) = hear(&mut connection).await {
            heard += entries.iter().filter(|entry| entry.draft.content.is_text()).count();
        }
    }
    (meter.down(), cpu_ms() - begun)
}

/// Bytes on the wire and milliseconds of CPU time a second while readings come.
async fn readings(hub: &Running, route: Route, wants: Compression, seconds: u64) -> (f64, f64) {
    let (mut connection, meter) = enter(hub, route, wants, Offset::MAX).await;
    connection.send(encode(&ClientMessage::Watch)).await;
    while !matches!(hear(&mut connection).await, Some(HubMessage::Devices { .. })) {}
    let (mut publisher, _) = enter(hub, Route::WebSocket, Compression::Off, Offset::MAX).await;
    while !matches!(hear(&mut publisher).await, Some(HubMessage::Welcome(_))) {}
    let metrics: Vec<String> =
        (0..VALUES).map(|at| format!(r#"{{"name":"metric-{at}","unit":"°C"}}"#)).collect();
    for device in 0..100 {
        let text = format!(
            r#"{{"type":"announce","device":"line-{device}","name":"Line {device}","kind":"line","metrics":[{}]}}"#,
            metrics.join(",")
        );
        publisher.send(Frame::Text(text)).await;
    }
    let (before, begun) = (meter.down(), cpu_ms());
    let mut tick = tokio::time::interval(EVERY);
    let frames = seconds * 1_000 / u64::try_from(EVERY.as_millis()).unwrap();
    for number in 0..frames {
        tick.tick().await;
        let value =
            |at: u64| format!(r#""metric-{at}":{}.{}"#, 20 + (number * 7 + at * 13) % 40, (number + at) % 10);
        let values: Vec<String> = (0..VALUES as u64).map(value).collect();
        let text = format!(
            r#"{{"type":"publish","samples":[{{"device":"line-{}","at":{},"values":{{{}}}}}]}}"#,
            number % 100,
            1_790_000_000_000 + number * 10,
            values.join(",")
        );
        publisher.send(Frame::Text(text)).await;
        while let Ok(Some(item)) = tokio::time::timeout(Duration::ZERO, connection.recv()).await {
            assert!(!matches!(item, Incoming::Closed(_)));
        }
        while let Ok(Some(_)) = tokio::time::timeout(Duration::ZERO, publisher.recv()).await {}
    }
    let seconds = seconds as f64;
    ((meter.down() - before) as f64 / seconds, (cpu_ms() - begun) / seconds)
}

/// CPU time of this process, in milliseconds; 0 where the system does not tell.
fn cpu_ms() -> f64 {
    #[cfg(unix)]
    {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
        time.tv_sec as f64 * 1e3 + time.tv_nsec as f64 / 1e6
    }
    #[cfg(not(unix))]
    0.0
}
