//! One message from being sent in one app to standing in another app's model, over a hub on loopback, at ten a second:
//! two workers with their databases, every commit on disk; then the same while readings come by the thousand. What drawing adds is in the `frames` bench.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "a bench")]

use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use duplex::hub::{self, Options as HubOptions};
use duplex::model::content::Content;
use duplex::model::intent::ChatIntent;
use duplex::model::profile::{Profile, Protocol, Socket};
use duplex::model::{ConnectionId, Intent, RoomId, SharedModel};
use duplex::worker::{Options, Worker};

const CONNECTION: ConnectionId = ConnectionId::COMMAND_LINE;
/// Readings a second.
const RATE: u64 = 20_000;
const PATIENCE: Duration = Duration::from_secs(60);

#[path = "device_load.rs"]
#[allow(dead_code, reason = "its own program is not this one")]
mod device_load;

struct App {
    model: SharedModel,
    worker: Worker,
    wakes: mpsc::Receiver<()>,
    _dir: tempfile::TempDir,
}

impl App {
    fn at(hub: &hub::Handle) -> App {
        let dir = tempfile::tempdir().unwrap();
        let profile = Profile {
            id: CONNECTION,
            name: String::new(),
            urls: vec![hub.url.clone()],
            protocol: Protocol::Duplex,
            socket: Socket::Tungstenite,
            route: Default::default(),
            ca_file: None,
            fingerprint: None,
            auto_connect: true,
            websocket: Default::default(),
            network: Default::default(),
        };
        let only = Some((profile, Some(hub.admin_token.clone())));
        let model = SharedModel::default();
        let (tell, wakes) = mpsc::sync_channel(1);
        let wake = Arc::new(move |_| _ = tell.try_send(()));
        let options = Options { data_dir: dir.path().to_owned(), only, tell: None };
        let worker = Worker::spawn(options, model.clone(), wake).unwrap();
        let app = App { model, worker, wakes, _dir: dir };
        while !app.model.read(|m| m.connections.get(&CONNECTION).is_some_and(|c| c.link.is_online())) {
            app.wakes.recv_timeout(PATIENCE).expect("it does not come online");
        }
        app
    }

    fn readings(&self) -> u64 {
        self.model.read(|model| model.connections.get(&CONNECTION).map_or(0, |c| c.devices.readings()))
    }

    fn newest(&self) -> Option<String> {
        self.model.read(|model| {
            let room = model.connections.get(&CONNECTION)?.chat.rooms.get(&RoomId::general())?;
            room.window.last().map(|message| message.body().to_owned())
        })
    }
}

fn main() {
    let quick = std::env::var_os("DUPLEX_BENCH_QUICK").is_some();
    let count = if quick { 20 } else { 300 };
    let dir = tempfile::tempdir().unwrap();
    let hub = hub::spawn(HubOptions::embedded(dir.path())).unwrap();
    let (sender, receiver) = (App::at(&hub), App::at(&hub));
    let alone = exchange(&sender, &receiver, "alone", count);
    println!(
        "one message, sent to in the other's model, 10 a second, {count} messages: p50 {:.1} ms, p99 {:.1} ms",
        alone.0, alone.1
    );
    let (address, token) = (authority(&hub.url), hub.admin_token.reveal().to_owned());
    let seconds = u64::from(count) / 10 + 2;
    let load = std::thread::Builder::new().name("load".to_owned()).spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(device_load::publish(&address, &token, 200, 10, RATE, seconds))
    });
    while receiver.readings() < RATE {
        receiver.wakes.recv_timeout(PATIENCE).expect("no readings arrive");
    }
    let beside = exchange(&sender, &receiver, "beside readings", count);
    println!(
        "the same beside {RATE} readings a second: p50 {:.1} ms, p99 {:.1} ms, {:.2} times as long at p99",
        beside.0,
        beside.1,
        beside.1 / alone.1
    );
    println!("readings published meanwhile: {}", load.unwrap().join().unwrap());
    sender.worker.shut_down();
    receiver.worker.shut_down();
    hub.shutdown();
}

fn authority(url: &str) -> String {
    url.trim_start_matches("ws://").split('/').next().unwrap_or_default().to_owned()
}

/// Sends messages one after the other. Returns the median and the 99th percentile of their way, in milliseconds.
fn exchange(sender: &App, receiver: &App, name: &str, count: u32) -> (f64, f64) {
    let mut took = Vec::new();
    for n in 0..count {
        let body = format!("{name} {n}");
        let sent = Instant::now();
        let intent = Intent::Chat(ChatIntent::Send {
            connection: CONNECTION,
            room: RoomId::general(),
            content: Content::text(body.clone()),
        });
        assert!(sender.worker.want(intent).is_ok());
        while receiver.newest().as_ref() != Some(&body) {
            receiver.wakes.recv_timeout(PATIENCE).expect("it does not arrive");
        }
        took.push(sent.elapsed());
        // The pace: what wakes us meanwhile is of no interest.
        let until = sent + Duration::from_millis(100);
        while !until.saturating_duration_since(Instant::now()).is_zero() {
            let _ = receiver.wakes.recv_timeout(until.saturating_duration_since(Instant::now()));
        }
    }
    took.sort_unstable();
    let at = |percent: usize| took[(took.len() - 1) * percent / 100].as_secs_f64() * 1_000.0;
    (at(50), at(99))
}
