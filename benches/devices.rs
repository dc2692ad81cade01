//! Devices in figures: what a reading costs under the model's lock, and what a million of them leave in memory. `DUPLEX_BENCH_QUICK=1` takes smaller sizes.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a bench says what it sees")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use duplex::model::event::{DeviceEvent, SetupUpdate, Update};
use duplex::model::profile::{Profile, Protocol, Socket};
use duplex::model::readings::SLICE_VALUES;
use duplex::model::time::WallMs;
use duplex::model::{ConnectionId, Event, Model, Readings, ShortName, Time, Value};

const CONNECTION: ConnectionId = ConnectionId(1);
const START: i64 = 1_790_000_000_000;
const METRICS: [&str; 5] = ["temperature", "humidity", "pressure", "voltage", "current"];

fn main() {
    let quick =
        std::env::var_os("DUPLEX_BENCH_QUICK").is_some() || std::env::args().any(|arg| arg == "--test");
    let readings = if quick { 50_000 } else { 1_000_000 };
    for devices in [200, 10_000] {
        measure(devices, readings);
    }
}

fn measure(devices: usize, readings: usize) {
    let before = rss_kb();
    let mut model = model();
    let ids: Vec<ShortName> = (0..devices).map(|at| name(&format!("device-{at}"))).collect();
    let metrics = METRICS.map(name);
    let (mut spent, mut slowest) = (Duration::ZERO, Duration::ZERO);
    let rounds = readings / (devices * METRICS.len()).max(1);
    for round in 0..rounds.max(1) {
        let frame = frame(&ids, &metrics, START + round as i64 * 1_000, round as f64);
        for part in frame.parts(SLICE_VALUES) {
            let began = Instant::now();
            model.read(CONNECTION, &part);
            let took = began.elapsed();
            spent += took;
            // In the first round everything is new.
            slowest = if round > 0 { slowest.max(took) } else { slowest };
        }
    }
    let known = &model.connections[&CONNECTION].devices;
    println!(
        "{devices} devices × {}: {:.0} ns a reading; the slowest slice of about {SLICE_VALUES} {} µs; \
         after {} readings {:.1} MB held, {:.1} MB more resident",
        METRICS.len(),
        spent.as_nanos() as f64 / known.readings() as f64,
        slowest.as_micros(),
        known.readings(),
        known.bytes() as f64 / 1e6,
        rss_kb().saturating_sub(before) as f64 / 1e3,
    );
    let to = START + rounds as i64 * 1_000;
    let began = Instant::now();
    model.apply(
        Time::default(),
        Update::Connection(
            CONNECTION,
            Event::Device(DeviceEvent::Readings(Arc::new(frame(&ids, &metrics, to, 0.0)))),
        ),
    );
    println!("  a frame of all devices at once, made and applied: {} µs", began.elapsed().as_micros());
}

fn frame(ids: &[ShortName], metrics: &[ShortName], at: i64, value: f64) -> Readings {
    let mut frame = Readings::default();
    for id in ids {
        let values = metrics.iter().map(|metric| (metric.clone(), Value::Number(value))).collect();
        let one = Readings::of(id.clone(), WallMs(at), WallMs(at), values);
        frame.samples.extend(one.samples);
        frame.values.extend(one.values);
    }
    frame
}

fn name(text: &str) -> ShortName {
    ShortName::new(text).unwrap()
}

fn model() -> Model {
    let mut model = Model::default();
    let profile = Profile {
        id: CONNECTION,
        name: "hub".to_owned(),
        urls: vec!["ws://hub".to_owned()],
        protocol: Protocol::Duplex,
        socket: Socket::Tungstenite,
        route: Default::default(),
        ca_file: None,
        fingerprint: None,
        auto_connect: true,
        websocket: Default::default(),
        network: Default::default(),
    };
    model.apply(Time::default(), Update::Setup(SetupUpdate::Configured(Box::new(profile))));
    model
}

fn rss_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok()).unwrap_or(0)
}
