//! What readings cost: decoded alone, into the model, and from a loopback socket into the model, beside bare
//! tokio-tungstenite and `serde_json` on the same frames in the same run. The figures that count are ratios of CPU time.
//! `DUPLEX_BENCH_QUICK=1` makes it a check that the numbers can be taken, not a measurement.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a bench program"
)]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use duplex::frame::Frame;
use duplex::link::{Input, Link, Output};
use duplex::model::event::{DeviceEvent, SetupUpdate, Update};
use duplex::model::id::Offset;
use duplex::model::profile::{Protocol, Secret, Socket};
use duplex::model::time::BootMs;
use duplex::model::time::WallMs;
use duplex::model::{
    ConnectionId, DeviceId, Epoch, Event, Model, Principal, PrincipalId, PrincipalKind, Profile,
};
use duplex::model::{Time, Value};
use duplex::transport::{Connection, Endpoint, Incoming, Outgoing, dial};
use duplex::wire::duplex::client::{Config, Credentials};
use duplex::wire::duplex::message::{HubMessage, Start, Welcome, encode};
use duplex::wire::duplex::readings::{self, Names};
use duplex::wire::{Agreed, Saved, Setup};
use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpListener;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

const DEVICES: usize = 200;
const METRICS: [&str; 5] = ["temperature", "humidity", "pressure", "power", "on"];
/// Samples of one frame: what a hub sends at once at 4,000 readings a second and 20 frames a second, or so.
const SAMPLES: usize = 40;
const PER_FRAME: usize = SAMPLES * METRICS.len();
const NOW: Time = Time { boot_ms: BootMs(1_000_000), wall_ms: WallMs(1_790_000_000_000) };
const CONNECTION: ConnectionId = ConnectionId(1);

/// A plain reader's idea of the message.
#[derive(serde::Deserialize)]
#[allow(dead_code, reason = "decoded, and not looked at")]
struct Plain {
    samples: Vec<PlainSample>,
}

#[derive(serde::Deserialize)]
#[allow(dead_code, reason = "decoded, and not looked at")]
struct PlainSample {
    device: String,
    at: i64,
    received: i64,
    values: BTreeMap<String, serde_json::Value>,
}

/// Frames as a hub sends them, all devices in turn.
fn frames(count: usize) -> Vec<String> {
    let devices: Vec<DeviceId> =
        (0..DEVICES).map(|at| DeviceId::new(format!("device-{at:03}")).unwrap()).collect();
    let metrics = METRICS.map(|name| DeviceId::new(name).unwrap());
    let mut said = 0u32;
    let mut sample = || {
        let device = &devices[said as usize % DEVICES];
        said += 1;
        let noise = |of: u32| f64::from(said.wrapping_mul(2_654_435_761).rotate_left(of) % 1_000) / 10.0;
        let values = metrics.iter().zip(0..).map(|(metric, of)| match of {
            4 => (metric.clone(), Value::Flag(said.is_multiple_of(3))),
            of => (metric.clone(), Value::Number(noise(of))),
        });
        let at = NOW.wall_ms + i64::from(said);
        readings::encode_sample(device, at, at + 3, &values.collect::<Vec<_>>())
    };
    let frame = |_| {
        let samples: Vec<String> = (0..SAMPLES).map(|_| sample()).collect();
        readings::encode(samples.iter().map(String::as_str), 0)
    };
    (0..count).map(frame).collect()
}

fn model() -> Model {
    let mut model = Model::default();
    let profile = Profile {
        id: CONNECTION,
        name: String::new(),
        urls: Vec::new(),
        protocol: Protocol::Duplex,
        socket: Socket::Tungstenite,
        route: Default::default(),
        ca_file: None,
        fingerprint: None,
        auto_connect: false,
        websocket: Default::default(),
        network: Default::default(),
    };
    model.apply(NOW, Update::Setup(SetupUpdate::Configured(Box::new(profile))));
    model
}

/// CPU time of this thread.
fn cpu() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}

/// Readings a second of CPU time, of so many frames.
fn rate(frames: usize, work: impl FnOnce()) -> f64 {
    let before = cpu();
    work();
    (frames * PER_FRAME) as f64 / (cpu() - before).as_secs_f64()
}

fn show(what: &str, rate: f64, beside: f64) {
    println!("  {what:<42} {:>6.2} M readings/s   {:>5.2} of it", rate / 1e6, rate / beside);
}

fn decoding(frames: &[String], rounds: usize) {
    let (mut plain, mut value, mut ours, mut applied) = (vec![], vec![], vec![], vec![]);
    let (mut names, mut model) = (Names::default(), model());
    for _ in 0..rounds {
        plain.push(rate(frames.len(), || {
            for frame in frames {
                black_box(serde_json::from_str::<Plain>(frame).unwrap());
            }
        }));
        value.push(rate(frames.len(), || {
            for frame in frames {
                black_box(serde_json::from_str::<serde_json::Value>(frame).unwrap());
            }
        }));
        ours.push(rate(frames.len(), || {
            for frame in frames {
                black_box(readings::decode(&mut names, frame).unwrap().unwrap());
            }
        }));
        applied.push(rate(frames.len(), || {
            for frame in frames {
                let received = readings::decode(&mut names, frame).unwrap().unwrap();
                let event = Event::Device(DeviceEvent::Readings(Arc::new(received.readings)));
                model.apply(NOW, Update::Connection(CONNECTION, event));
            }
        }));
    }
    let value = median(value);
    println!("decoding, beside serde_json into a Value");
    show("serde_json into a Value", value, value);
    show("serde_json into a plain struct", median(plain), value);
    show("ours", median(ours), value);
    show("ours, and into the model", median(applied), value);
}

/// A hub of one thread that welcomes whoever comes and sends all frames `times` times over.
fn hub(frames: Arc<Vec<Utf8Bytes>>, times: usize) -> String {
    let (tell, told) = mpsc::sync_channel(1);
    let serve = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            tell.send(format!("ws://{}/v1/socket", listener.local_addr().unwrap())).unwrap();
            while let Ok((stream, _)) = listener.accept().await {
                stream.set_nodelay(true).unwrap();
                let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
                socket.next().await.unwrap().unwrap();
                let Frame::Text(text) = encode(&HubMessage::Welcome(welcome())) else { unreachable!() };
                socket.send(Message::text(text)).await.unwrap();
                for frame in std::iter::repeat_n(&*frames, times).flatten() {
                    socket.feed(Message::Text(frame.clone())).await.unwrap();
                }
                socket.flush().await.unwrap();
                // Until the client hangs up.
                while let Some(Ok(_)) = socket.next().await {}
            }
        });
    };
    std::thread::Builder::new().name("hub".to_owned()).spawn(serve).unwrap();
    told.recv().unwrap()
}

fn welcome() -> Welcome {
    Welcome {
        version: 1,
        hub: "bench".to_owned(),
        me: Principal {
            id: PrincipalId("p-1".to_owned()),
            kind: PrincipalKind::Person,
            name: "Ada".to_owned(),
            role: None,
        },
        epoch: Epoch(1),
        head: Offset(0),
        from: Offset(1),
        start: Start::Recent,
        now: NOW.wall_ms,
        max_body: 65_536,
        files: None,
        rooms: Vec::new(),
        people: Vec::new(),
        read: Vec::new(),
        features: None,
        more: false,
    }
}

/// Bare tokio-tungstenite and serde_json: every frame a tree.
async fn bare(url: &str, count: usize) -> f64 {
    let (mut socket, _) = tokio_tungstenite::connect_async_with_config(url, None, true).await.unwrap();
    socket.send(Message::text("go")).await.unwrap();
    socket.next().await.unwrap().unwrap();
    let before = cpu();
    for _ in 0..count {
        let message = socket.next().await.unwrap().unwrap();
        black_box(serde_json::from_str::<serde_json::Value>(message.to_text().unwrap()).unwrap());
    }
    (count * PER_FRAME) as f64 / (cpu() - before).as_secs_f64()
}

/// Ours: transport, link and session, and the model, which ends up with every reading.
async fn ours(url: &str, count: usize) -> f64 {
    let credentials = Credentials::Token(Secret::new("t"));
    let setup = Setup::Duplex(Config {
        client: "bench".to_owned(),
        credentials,
        watch: true,
        race_ms: 0,
        compresses: false,
    });
    let mut link = Link::new(vec![url.to_owned()], Box::new(setup), Saved::default(), None, 1);
    let mut model = model();
    link.handle(NOW, Input::Start);
    let mut connection = dial(Socket::Tungstenite, Endpoint::new(url)).await.unwrap();
    link.handle(NOW, Input::Opened { dial: 1, entropy: [0; 32], agreed: Agreed::default() });
    settle(&mut link, &mut model, &connection);
    let mut batch = Vec::new();
    let mut before = None;
    let all = (count * PER_FRAME) as u64;
    while model.connections[&CONNECTION].devices.readings() < all {
        assert!(connection.recv_many(&mut batch, 64).await > 0, "the hub went away");
        before.get_or_insert_with(cpu);
        for incoming in batch.drain(..) {
            let Incoming::Frame(frame) = incoming else { panic!("{incoming:?}") };
            link.handle(NOW, Input::Frame { dial: 1, frame });
            settle(&mut link, &mut model, &connection);
        }
    }
    (count * PER_FRAME) as f64 / (cpu() - before.unwrap()).as_secs_f64()
}

fn settle(link: &mut Link, model: &mut Model, connection: &Connection) {
    while let Some(output) = link.poll() {
        match output {
            Output::Event(event, _) => model.apply(NOW, Update::Connection(CONNECTION, event)),
            Output::Send(frame) => connection.outgoing.try_send(Outgoing::Frame(frame)).unwrap(),
            Output::Dial { .. } => {}
            other => panic!("{other:?}"),
        }
    }
}

fn main() {
    let quick = std::env::var_os("DUPLEX_BENCH_QUICK").is_some();
    let (count, times, rounds) = if quick { (50, 1, 1) } else { (250, 20, 7) };
    let frames = frames(count);
    let bytes: usize = frames.iter().map(String::len).sum();
    println!(
        "{DEVICES} devices with {} metrics, {PER_FRAME} readings and {} bytes a frame",
        METRICS.len(),
        bytes / count
    );
    decoding(&frames, if quick { 1 } else { 15 });

    let shared = Arc::new(frames.into_iter().map(Utf8Bytes::from).collect::<Vec<_>>());
    let url = hub(shared, times);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (mut theirs, mut own, mut ratios) = (vec![], vec![], vec![]);
    for _ in 0..rounds {
        let (bare, ours) =
            runtime.block_on(async { (bare(&url, count * times).await, ours(&url, count * times).await) });
        theirs.push(bare);
        own.push(ours);
        ratios.push(ours / bare);
    }
    let theirs = median(theirs);
    println!("socket to model, beside bare tokio-tungstenite and a serde_json Value");
    show("bare", theirs, theirs);
    show("ours", median(own), theirs);
    println!("  ratio, median of {rounds} rounds: {:.2}", median(ratios));
}
