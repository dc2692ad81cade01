//! Two clients as real processes with their disks, chatting over MQTT while they are killed at random and their connections are cut:
//! with QoS 2 each message is at both once, with QoS 1 at least once. `MQTT_ROUNDS` says how often something is killed or cut.
//!
//! At the broker of these tests, which forgets nothing; or with `MQTT_BROKER=PROGRAM` at Mosquitto, which is ended and started again
//! instead: orderly, or with `MQTT_KILL=9` by SIGKILL. Then Mosquitto itself loses what it confirmed after it last saved, and tells
//! earlier states again, which is counted and printed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test program"
)]

#[path = "common/mqtt_broker.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod broker;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use duplex::link::backoff::Jitter;
use duplex::model::content::Content;
use duplex::model::event::Side;
use duplex::model::intent::{ChatIntent, Jump};
use duplex::model::mqtt::{Filter, MqttOptions};
use duplex::model::profile::{Profile, Protocol, Socket, WebSocketOptions};
use duplex::model::publication::Qos;
use duplex::model::topic::Subscribed;
use duplex::model::{ConnectionId, Delivery, Intent, RoomId, SharedModel};
use duplex::store::client::ClientStore;
use duplex::worker::{Options, Worker};

use broker::{Broker, Policy};

/// How long anything may take before the test gives up.
const PATIENCE: Duration = Duration::from_secs(120);
const CONNECTION: ConnectionId = ConnectionId::COMMAND_LINE;
/// How often each message is there.
type Counts = BTreeMap<String, u32>;
/// Messages read from a client's disk at once.
const PAGE: u32 = 10_000;

fn room() -> RoomId {
    RoomId::new("duplex/chat/general").unwrap()
}

fn options(name: String, qos: Qos) -> MqttOptions {
    MqttOptions {
        name,
        chat_qos: qos,
        subscriptions: vec![Filter { filter: "nothing".into(), qos: Qos::AtMostOnce }],
        ..MqttOptions::default()
    }
}

/// Not a test by itself: the client processes run it.
#[test]
fn client_process() {
    let Ok(dir) = std::env::var("DUPLEX_ROUNDS_DIR") else { return };
    let variable = |name: &str| std::env::var(name).unwrap();
    let name = variable("DUPLEX_ROUNDS_NAME");
    let qos = Qos::of(variable("DUPLEX_ROUNDS_QOS").parse().unwrap()).unwrap();
    let profile = Profile {
        id: CONNECTION,
        name: String::new(),
        urls: vec![variable("DUPLEX_ROUNDS_URL")],
        protocol: Protocol::Mqtt,
        socket: Socket::Tungstenite,
        route: Default::default(),
        ca_file: None,
        fingerprint: None,
        auto_connect: true,
        websocket: WebSocketOptions {
            mqtt: Box::new(options(name.clone(), qos)),
            ..WebSocketOptions::default()
        },
        network: Default::default(),
    };
    let mut next = variable("DUPLEX_ROUNDS_NEXT").parse::<u64>().unwrap();
    let model = SharedModel::default();
    let (woken, wakes) = mpsc::sync_channel(1);
    let wake = Arc::new(move |_| _ = woken.try_send(()));
    let options = Options { data_dir: PathBuf::from(dir), only: Some((profile, None)), tell: None };
    let worker = Worker::spawn(options, model.clone(), wake).unwrap();
    // The parent says go and stop by lines on our standard input, and ends us by closing it.
    let typing = Arc::new(Mutex::new(next > 0));
    // How often it was told to stop: each time it says when everything is delivered, also where it had no time to type.
    let stops = Arc::new(AtomicU64::new(0));
    let stopped = Arc::clone(&stops);
    let told = Arc::clone(&typing);
    let (end, ended) = mpsc::sync_channel::<()>(1);
    std::thread::Builder::new()
        .name("stop".into())
        .spawn(move || {
            for line in std::io::stdin().lines().map_while(Result::ok) {
                *told.lock().unwrap() = line == "go";
                if line == "stop" {
                    stopped.fetch_add(1, Ordering::Release);
                }
            }
            let _ = end.send(());
        })
        .unwrap();
    let (mut ready, mut settled) = (false, 0);
    let mut due = Instant::now();
    while ended.try_recv().is_err() {
        let _ = wakes.recv_timeout(due.saturating_duration_since(Instant::now()));
        let (outbox, is_online, is_ready) = model.read(|model| {
            let Some(connection) = model.connections.get(&CONNECTION) else {
                return (Vec::new(), false, false);
            };
            let items = connection.chat.outbox.values();
            let outbox: Vec<_> =
                items.map(|item| (item.draft.content.body().to_owned(), item.delivery.clone())).collect();
            // It was asked for last.
            let mut subscriptions = connection.topics.subscriptions().iter();
            let is_ready = subscriptions.any(|one| matches!(one.state, Subscribed::Granted(_)));
            (outbox, connection.link.is_online(), is_ready)
        });
        for (body, delivery) in &outbox {
            assert!(!matches!(delivery, Delivery::Failed(_)), "refused: {body} {delivery:?}");
        }
        if is_ready && !std::mem::replace(&mut ready, true) {
            println!("ready");
        }
        let is_typing = *typing.lock().unwrap();
        if is_typing && Instant::now() >= due {
            due = Instant::now() + Duration::from_millis(10);
            println!("typed {next}");
            let content = Content::text(format!("{name}:{next}"));
            next += 1;
            let send = ChatIntent::Send { connection: CONNECTION, room: room(), content };
            assert!(worker.want(Intent::Chat(send)).is_ok());
        } else if !is_typing {
            due = Instant::now() + Duration::from_millis(100);
            let stops = stops.load(Ordering::Acquire);
            if outbox.is_empty() && is_online && settled < stops {
                println!("settled");
                settled = stops;
            }
        }
    }
    worker.shut_down();
}

/// A client process and what it said.
struct Client {
    name: &'static str,
    qos: Qos,
    dir: PathBuf,
    url: String,
    child: Child,
    stdin: Option<ChildStdin>,
    said: mpsc::Receiver<String>,
    next: u64,
}

impl Client {
    fn spawn(name: &'static str, qos: Qos, dir: PathBuf, url: &str, next: u64) -> Client {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "client_process", "--nocapture"])
            .env("DUPLEX_ROUNDS_DIR", &dir)
            .env("DUPLEX_ROUNDS_URL", url)
            .env("DUPLEX_ROUNDS_NAME", name)
            .env("DUPLEX_ROUNDS_QOS", qos.number().to_string())
            .env("DUPLEX_ROUNDS_NEXT", next.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdin = child.stdin.take();
        let out = BufReader::new(child.stdout.take().unwrap());
        let (tell, said) = mpsc::sync_channel(100_000);
        std::thread::Builder::new()
            .name(name.into())
            .spawn(move || {
                for line in out.lines().map_while(Result::ok) {
                    let _ = tell.send(line);
                }
            })
            .unwrap();
        Client { name, qos, dir, url: url.to_owned(), child, stdin, said, next }
    }

    fn listen(&mut self, line: &str) {
        if let Some((_, number)) = line.rsplit_once("typed ") {
            self.next = self.next.max(number.parse::<u64>().unwrap() + 1);
        }
    }

    /// Waits until it says this.
    fn until(&mut self, word: &str) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let line = self.said.recv_timeout(deadline.saturating_duration_since(Instant::now()));
            let line = line.unwrap_or_else(|_| panic!("{} did not say {word} in {PATIENCE:?}", self.name));
            self.listen(&line);
            if line.ends_with(word) {
                return;
            }
        }
    }

    fn hear(&mut self) {
        while let Ok(line) = self.said.try_recv() {
            self.listen(&line);
        }
    }

    /// Kills it, and starts it again with the next numbers.
    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        while let Ok(line) = self.said.recv() {
            self.listen(&line);
        }
        *self = Client::spawn(self.name, self.qos, self.dir.clone(), &self.url, self.next);
    }

    fn tell(&mut self, line: &str) {
        use std::io::Write as _;
        self.stdin.as_mut().unwrap().write_all(line.as_bytes()).unwrap();
    }

    /// It types no more; waits until all it typed is delivered.
    fn settle(&mut self) {
        self.tell("stop\n");
        self.until("settled");
    }

    fn end(&mut self) {
        self.stdin = None;
        self.child.wait().unwrap();
    }

    /// All bodies on its disk, in order.
    fn held(&self) -> Vec<String> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let store = ClientStore::open(&self.dir).store;
            let mut page = store.jump(CONNECTION, room(), Jump::Start, PAGE).await.unwrap();
            let mut bodies = Vec::new();
            while let Some(last) = page.messages.last().map(|message| message.position) {
                bodies.extend(page.messages.into_iter().map(|message| message.body().to_owned()));
                page = store.page(CONNECTION, room(), last, Side::Newer, PAGE).await.unwrap();
            }
            bodies
        })
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The broker in the middle.
enum Middle {
    Own(Broker),
    Mosquitto { program: String, dir: PathBuf, port: u16, child: Child },
}

impl Middle {
    fn start(dir: &Path) -> Middle {
        match std::env::var("MQTT_BROKER") {
            Ok(program) => {
                let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
                let port = listener.local_addr().unwrap().port();
                drop(listener);
                std::fs::create_dir_all(dir).unwrap();
                let configuration = format!(
                    "user root\nlistener {port} 127.0.0.1\nallow_anonymous true\npersistence true\n\
                     persistence_location {}/\nautosave_interval 1\nmax_queued_messages 0\n",
                    dir.display()
                );
                std::fs::write(dir.join("mosquitto.conf"), configuration).unwrap();
                let child = Middle::run(&program, dir, port);
                Middle::Mosquitto { program, dir: dir.to_owned(), port, child }
            }
            Err(_) => {
                let (tell, told) = mpsc::sync_channel(1);
                std::thread::Builder::new()
                    .name("broker".into())
                    .spawn(move || {
                        let runtime =
                            tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                        runtime.block_on(async {
                            let _ = tell.send(Broker::start(Policy::default()).await);
                            std::future::pending::<()>().await;
                        });
                    })
                    .unwrap();
                Middle::Own(told.recv().unwrap())
            }
        }
    }

    fn run(program: &str, dir: &Path, port: u16) -> Child {
        let mut command = Command::new(program);
        let child = command.arg("-c").arg(dir.join("mosquitto.conf")).stderr(Stdio::null()).spawn().unwrap();
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < deadline, "the broker does not listen");
            let_pass(Duration::from_millis(20));
        }
        child
    }

    fn url(&self) -> String {
        match self {
            Middle::Own(broker) => broker.url.clone(),
            Middle::Mosquitto { port, .. } => format!("mqtt://127.0.0.1:{port}"),
        }
    }

    /// Its connections are cut; Mosquitto is ended and started again.
    fn cut(&mut self) {
        match self {
            Middle::Own(broker) => broker.cut(),
            Middle::Mosquitto { program, dir, port, child } => {
                let signal = std::env::var("MQTT_KILL").unwrap_or_else(|_| "15".to_owned());
                let pid = child.id().to_string();
                assert!(Command::new("kill").args([format!("-{signal}"), pid]).status().unwrap().success());
                child.wait().unwrap();
                *child = Middle::run(program, dir, *port);
            }
        }
    }
}

impl Drop for Middle {
    fn drop(&mut self) {
        if let Middle::Mosquitto { child, .. } = self {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Lets the clients type for a while: the pace of the rounds, not a wait for a result.
fn let_pass(time: Duration) {
    let (_nobody, told) = mpsc::sync_channel::<()>(1);
    let _ = told.recv_timeout(time);
}

fn rounds_with(qos: Qos) {
    let rounds = std::env::var("MQTT_ROUNDS").map_or(4, |rounds| rounds.parse::<u32>().unwrap());
    let seed = std::env::var("MQTT_SEED").map_or(7, |seed| seed.parse::<u64>().unwrap());
    let is_crashing = std::env::var("MQTT_KILL").is_ok_and(|signal| signal == "9");
    let mut rng = Jitter::new(seed + u64::from(qos.number()));
    let root = tempfile::tempdir().unwrap();
    let mut middle = Middle::start(&root.path().join("broker"));
    let url = middle.url();
    let mut clients: Vec<Client> = ["mina", "jun"]
        .into_iter()
        .map(|name| Client::spawn(name, qos, root.path().join(name), &url, 0))
        .collect();
    // What one says before the other has subscribed is not for it.
    clients.iter_mut().for_each(|client| client.until("ready"));
    clients.iter_mut().for_each(|client| client.tell("go\n"));
    for _ in 0..rounds {
        let_pass(Duration::from_millis(150 + rng.up_to(400)));
        clients.iter_mut().for_each(Client::hear);
        match rng.up_to(2) {
            0 => middle.cut(),
            victim => clients[usize::try_from(victim - 1).unwrap()].kill(),
        }
    }
    clients.iter_mut().for_each(Client::settle);
    // What the others sent last is on its way.
    let expected = |clients: &[Client]| {
        let held: Vec<Vec<String>> = clients.iter().map(Client::held).collect();
        let of = |bodies: &[String], name: &str| {
            let mut counts = Counts::new();
            for body in bodies.iter().filter(|body| body.starts_with(name)) {
                *counts.entry(body.clone()).or_default() += 1;
            }
            counts
        };
        ["mina", "jun"].map(|name| (of(&held[0], name), of(&held[1], name)))
    };
    let is_complete =
        |pairs: &[(Counts, Counts); 2]| pairs.iter().all(|(one, two)| one.keys().eq(two.keys()));
    let deadline = Instant::now() + if is_crashing { Duration::from_secs(10) } else { PATIENCE };
    while !is_complete(&expected(&clients)) && Instant::now() < deadline {
        let_pass(Duration::from_millis(200));
    }
    clients.iter_mut().for_each(Client::end);
    let pairs = expected(&clients);
    let (mut total, mut lost, mut twice) = (0, 0, 0);
    for (at, (one, two)) in pairs.iter().enumerate() {
        // What its author has delivered, the other has.
        let (mine, theirs) = if at == 0 { (one, two) } else { (two, one) };
        total += mine.len();
        lost += mine.keys().filter(|body| !theirs.contains_key(*body)).count();
        twice += theirs.values().chain(mine.values()).filter(|count| **count > 1).count();
    }
    println!(
        "QoS {}: {rounds} rounds, seed {seed}: {total} messages, {lost} lost, {twice} twice",
        qos.number()
    );
    assert!(total > 0);
    if !is_crashing {
        assert_eq!(lost, 0);
        assert!(qos == Qos::AtLeastOnce || twice == 0);
    }
}

#[test]
fn with_qos_1_nothing_is_lost() {
    rounds_with(Qos::AtLeastOnce);
}

#[test]
fn with_qos_2_everything_is_there_once() {
    rounds_with(Qos::ExactlyOnce);
}
