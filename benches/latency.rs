//! One message from being sent in one app to standing in another app's model, over a hub on loopback, at ten a second:
//! two workers with their databases, every commit on disk. What drawing adds is in the `frames` bench.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "a bench")]

use std::collections::HashMap;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use duplex::hub::{self, Options as HubOptions};
use duplex::model::profile::{Profile, Protocol, Socket};
use duplex::model::{ConnectionId, Intent, RoomName, SharedModel};
use duplex::worker::{Options, Worker};

const CONNECTION: ConnectionId = ConnectionId::COMMAND_LINE;
const PATIENCE: Duration = Duration::from_secs(60);

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
            ca_file: None,
            fingerprint: None,
            auto_connect: true,
        };
        let only = Some((profile, Some(hub.admin_token.clone())));
        let model = SharedModel::default();
        let (tell, wakes) = mpsc::sync_channel(1);
        let wake = Arc::new(move |_| _ = tell.try_send(()));
        let options = Options { data_dir: dir.path().to_owned(), only };
        let worker = Worker::spawn(options, model.clone(), wake).unwrap();
        let app = App { model, worker, wakes, _dir: dir };
        while !app.model.read(|m| m.connections.get(&CONNECTION).is_some_and(|c| c.link.is_online())) {
            app.wakes.recv_timeout(PATIENCE).expect("it does not come online");
        }
        app
    }

    fn newest(&self) -> Option<String> {
        self.model.read(|model| {
            let room = model.connections.get(&CONNECTION)?.rooms.get(&RoomName::general())?;
            room.window.last().map(|message| message.body.clone())
        })
    }
}

fn main() {
    let count = if std::env::var_os("DUPLEX_BENCH_QUICK").is_some() { 20 } else { 300 };
    let dir = tempfile::tempdir().unwrap();
    let hub = hub::spawn(HubOptions::embedded(dir.path())).unwrap();
    let (sender, receiver) = (App::at(&hub), App::at(&hub));
    let mut took = Vec::new();
    let mut sent: HashMap<String, Instant> = HashMap::new();
    for n in 0..count {
        let body = format!("message {n}");
        sent.insert(body.clone(), Instant::now());
        let intent = Intent::Send { connection: CONNECTION, room: RoomName::general(), body: body.clone() };
        assert!(sender.worker.want(intent).is_ok());
        while receiver.newest().as_ref() != Some(&body) {
            receiver.wakes.recv_timeout(PATIENCE).expect("it does not arrive");
        }
        took.push(sent[&body].elapsed());
        // The pace: what wakes us meanwhile is of no interest.
        let until = sent[&body] + Duration::from_millis(100);
        while !until.saturating_duration_since(Instant::now()).is_zero() {
            let _ = receiver.wakes.recv_timeout(until.saturating_duration_since(Instant::now()));
        }
    }
    took.sort_unstable();
    let at = |percent: usize| took[(took.len() - 1) * percent / 100].as_secs_f64() * 1_000.0;
    println!(
        "one message, sent to in the other's model, 10 a second, {count} messages: p50 {:.1} ms, p99 {:.1} ms",
        at(50),
        at(99)
    );
    sender.worker.shut_down();
    receiver.worker.shut_down();
    hub.shutdown();
}
