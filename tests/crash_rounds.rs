//! A hub and two clients as real processes, killed at random while both clients type: what was shown as pending is there
//! once and in order, at the hub and at both clients. `CRASH_ROUNDS` says how often something is killed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test program"
)]

#[path = "common/hello.rs"]
mod hello;

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use duplex::link::backoff::Jitter;
use duplex::model::content::Content;
use duplex::model::event::Side;
use duplex::model::intent::{ChatIntent, Jump};
use duplex::model::profile::{Profile, Protocol, Secret, Socket};
use duplex::model::{Address, ConnectionId, Delivery, Intent, RoomId, SharedModel};
use duplex::store::client::ClientStore;
use duplex::transport::{self, Endpoint, Incoming};
use duplex::wire::duplex::message::{ClientMessage, Decoded, Hello, HubMessage, Redeem, decode, encode};
use duplex::worker::{Options, Worker};
use hello::hello;

const HUB: &str = env!("CARGO_BIN_EXE_duplexctl");
/// How long anything may take before the test gives up.
const PATIENCE: Duration = Duration::from_secs(60);
/// The last message of all: whoever has it has everything.
const END: &str = "end";
const CONNECTION: ConnectionId = ConnectionId::COMMAND_LINE;
/// Messages read from a client's disk at once.
const PAGE: u32 = 10_000;

/// Not a test by itself: the client processes run it.
#[test]
fn client_process() {
    let Ok(dir) = std::env::var("DUPLEX_CRASH_DIR") else { return };
    let variable = |name: &str| std::env::var(name).unwrap();
    let profile = Profile {
        id: CONNECTION,
        name: String::new(),
        urls: vec![variable("DUPLEX_CRASH_URL")],
        protocol: Protocol::Duplex,
        socket: Socket::Tungstenite,
        route: Default::default(),
        ca_file: None,
        fingerprint: None,
        auto_connect: true,
        websocket: Default::default(),
        network: Default::default(),
    };
    let only = Some((profile, Some(Secret::new(variable("DUPLEX_CRASH_TOKEN")))));
    let (name, mut next) =
        (variable("DUPLEX_CRASH_NAME"), variable("DUPLEX_CRASH_NEXT").parse::<u64>().unwrap());
    let model = SharedModel::default();
    let (woken, wakes) = mpsc::sync_channel(1);
    let wake = Arc::new(move |_| _ = woken.try_send(()));
    let worker =
        Worker::spawn(Options { data_dir: PathBuf::from(dir), only, tell: None }, model.clone(), wake)
            .unwrap();
    let typing = Arc::new(Mutex::new(true));
    let stop = Arc::clone(&typing);
    // The parent says stop by closing our standard input, and ends us by a message to the room.
    std::thread::Builder::new()
        .name("stop".into())
        .spawn(move || {
            let _ = std::io::stdin().lines().count();
            *stop.lock().unwrap() = false;
        })
        .unwrap();
    let (mut queued, mut online, mut settled) = (BTreeSet::new(), false, false);
    let mut due = Instant::now();
    loop {
        let _ = wakes.recv_timeout(due.saturating_duration_since(Instant::now()));
        let (outbox, is_online, ended) = model.read(|model| {
            let Some(connection) = model.connections.get(&CONNECTION) else {
                return (Vec::new(), false, false);
            };
            let outbox: Vec<_> = connection
                .chat
                .outbox
                .values()
                .map(|i| (i.draft.content.body().to_owned(), i.delivery.clone()))
                .collect();
            let last = connection.chat.rooms.get(&RoomId::general()).and_then(|room| room.window.last());
            (outbox, connection.link.is_online(), last.is_some_and(|message| message.body() == END))
        });
        for (body, delivery) in &outbox {
            assert!(!matches!(delivery, Delivery::Failed(_)), "refused: {delivery:?}");
            if queued.insert(body.clone()) {
                println!("queued {body}");
            }
        }
        if is_online != online {
            online = is_online;
            println!("{}", if online { "online" } else { "down" });
        }
        let is_typing = *typing.lock().unwrap();
        if is_typing && Instant::now() >= due {
            due = Instant::now() + Duration::from_millis(15);
            let body = format!("{name}:{next}");
            next += 1;
            let intent = Intent::Chat(ChatIntent::Send {
                connection: CONNECTION,
                room: RoomId::general(),
                content: Content::text(body),
            });
            assert!(worker.want(intent).is_ok());
        } else if !is_typing {
            due = Instant::now() + Duration::from_millis(100);
            if outbox.is_empty() && is_online && !std::mem::replace(&mut settled, true) {
                println!("settled");
            }
            if ended {
                break;
            }
        }
    }
    worker.shut_down();
    println!("ended");
}

/// A client process and what it said.
struct Client {
    name: &'static str,
    dir: PathBuf,
    token: String,
    url: String,
    child: Child,
    stdin: Option<ChildStdin>,
    said: mpsc::Receiver<String>,
    queued: Vec<String>,
    next: u64,
}

impl Client {
    fn spawn(name: &'static str, dir: PathBuf, url: &str, token: String, next: u64) -> Client {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "client_process", "--nocapture"])
            .env("DUPLEX_CRASH_DIR", &dir)
            .env("DUPLEX_CRASH_URL", url)
            .env("DUPLEX_CRASH_TOKEN", &token)
            .env("DUPLEX_CRASH_NAME", name)
            .env("DUPLEX_CRASH_NEXT", next.to_string())
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
        let url = url.to_owned();
        Client { name, dir, token, url, child, stdin, said, queued: Vec::new(), next }
    }

    fn listen(&mut self, line: &str) {
        if let Some(body) = line.rsplit_once("queued ").map(|(_, body)| body.to_owned()) {
            let number: u64 = body.split_once(':').unwrap().1.parse().unwrap();
            self.next = self.next.max(number + 1);
            if !self.queued.contains(&body) {
                self.queued.push(body);
            }
        }
    }

    /// Waits until it says this.
    fn until(&mut self, word: &str) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let line = self.said.recv_timeout(left);
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

    /// Kills it, and starts it again with the next numbers. Numbers that it had taken and not yet shown are skipped.
    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        while let Ok(line) = self.said.recv() {
            self.listen(&line);
        }
        let queued = std::mem::take(&mut self.queued);
        *self = Client::spawn(self.name, self.dir.clone(), &self.url, self.token.clone(), self.next + 1_000);
        self.queued = queued;
    }
}

struct Hub {
    dir: PathBuf,
    listen: String,
    child: Child,
}

impl Hub {
    /// Starts it; the first time the system chooses the port.
    fn start(dir: &Path, listen: &str) -> (Hub, String) {
        let _ = std::fs::remove_file(dir.join("hub.json"));
        let mut child = Command::new(HUB)
            .args(["hub", "--listen", listen, "--data-dir"])
            .arg(dir)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // Its first line says where it listens.
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.split_whitespace().find(|word| word.starts_with("ws://"));
        let url = url.unwrap_or_else(|| panic!("the hub said {line:?}")).to_owned();
        let listen = url.trim_start_matches("ws://").split('/').next().unwrap().to_owned();
        (Hub { dir: dir.to_owned(), listen, child }, url)
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn nothing_is_lost_whoever_is_killed() {
    let rounds = std::env::var("CRASH_ROUNDS").map_or(3, |rounds| rounds.parse::<u32>().unwrap());
    let seed = std::env::var("CRASH_SEED").map_or(7, |seed| seed.parse::<u64>().unwrap());
    let mut rng = Jitter::new(seed);
    let root = tempfile::tempdir().unwrap();
    let (mut hub, url) = Hub::start(&root.path().join("hub"), "127.0.0.1:0");
    let mut clients: Vec<Client> = ["mina", "jun"]
        .into_iter()
        .map(|name| {
            let token = join(&hub.dir, name);
            Client::spawn(name, root.path().join(name), &url, token, 0)
        })
        .collect();
    clients.iter_mut().for_each(|client| client.until("online"));
    let mut back_ms = Vec::new();
    for _ in 0..rounds {
        let_pass(Duration::from_millis(200 + rng.up_to(800)));
        clients.iter_mut().for_each(Client::hear);
        match rng.up_to(2) {
            0 => {
                hub.kill();
                let_pass(Duration::from_millis(rng.up_to(2_500)));
                let dir = hub.dir.clone();
                let listen = hub.listen.clone();
                hub = Hub::start(&dir, &listen).0;
                let returned = Instant::now();
                clients.iter_mut().for_each(|client| client.until("online"));
                back_ms.push(returned.elapsed().as_millis());
            }
            victim => {
                let client = &mut clients[usize::try_from(victim - 1).unwrap()];
                client.kill();
                client.until("online");
            }
        }
    }
    clients.iter_mut().for_each(|client| client.stdin = None);
    clients.iter_mut().for_each(|client| client.until("settled"));
    let sent = Command::new(HUB)
        .args(["send", &url, "--room", "general", END, "--data-dir"])
        .arg(&hub.dir)
        .status()
        .unwrap();
    assert!(sent.success());
    clients.iter_mut().for_each(|client| client.until("ended"));
    let log = log_of(&hub.dir, &url, &clients);
    let mut total = 0;
    for client in &clients {
        let mine: Vec<&String> = log.iter().filter(|b| b.starts_with(&format!("{}:", client.name))).collect();
        let once: BTreeSet<&String> = mine.iter().copied().collect();
        assert_eq!(mine.len(), once.len(), "{}: each message is there once", client.name);
        let missing: Vec<&String> = client.queued.iter().filter(|body| !once.contains(body)).collect();
        assert!(missing.is_empty(), "{}: shown as pending and lost: {missing:?}", client.name);
        let numbers: Vec<u64> =
            mine.iter().map(|body| body.split_once(':').unwrap().1.parse().unwrap()).collect();
        assert!(numbers.is_sorted(), "{}: in order: {numbers:?}", client.name);
        assert_eq!(held_by(client), log, "{} holds what the hub holds", client.name);
        total += mine.len();
    }
    back_ms.sort_unstable();
    println!(
        "{rounds} rounds, seed {seed}: {total} messages once and in order at all three; after {} returns of the hub both \
         clients were online within {:?} ms at most",
        back_ms.len(),
        back_ms.last()
    );
}

/// Lets the clients type for a while, or the hub be away: the pace of the rounds, not a wait for a result.
fn let_pass(time: Duration) {
    let (_nobody, told) = mpsc::sync_channel::<()>(1);
    let _ = told.recv_timeout(time);
}

/// Redeems an invite, as the app does, and returns the token.
fn join(hub_dir: &Path, name: &str) -> String {
    let invited = Command::new(HUB).args(["invite", "--data-dir"]).arg(hub_dir).output().unwrap();
    assert!(invited.status.success(), "{}", String::from_utf8_lossy(&invited.stderr));
    let address = Address::parse(String::from_utf8(invited.stdout).unwrap().trim()).unwrap();
    let token = format!("{:064x}", name.len() as u128 + 0xABCD);
    let redeem =
        Redeem { code: address.invite.unwrap().reveal().into(), name: name.into(), token: token.clone() };
    let hello = Hello { invite: Some(redeem), ..hello() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut connection = transport::dial(Socket::Tungstenite, Endpoint::new(address.url)).await.unwrap();
        assert!(connection.send(encode(&ClientMessage::Hello(hello))).await);
        match connection.recv().await {
            Some(Incoming::Frame(frame)) => {
                let welcome = decode::<HubMessage>(&frame).unwrap();
                assert!(matches!(welcome, Decoded::Known(HubMessage::Welcome(_))), "{welcome:?}");
            }
            other => panic!("{other:?}"),
        }
        connection.close(1000, "").await;
    });
    token
}

/// All bodies at the hub, in order, as a stranger reads them.
fn log_of(hub_dir: &Path, url: &str, clients: &[Client]) -> Vec<String> {
    let most = clients.iter().map(|client| held_by(client).len()).max().unwrap();
    let tail = Command::new(HUB)
        .args(["tail", url, "--json", "--since", "0", "--count", &most.to_string(), "--data-dir"])
        .arg(hub_dir)
        .output()
        .unwrap();
    assert!(tail.status.success(), "{}", String::from_utf8_lossy(&tail.stderr));
    let lines = String::from_utf8(tail.stdout).unwrap();
    let objects = lines.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let messages = objects.filter(|object| object["event"] == "message");
    messages.map(|message| message["body"].as_str().unwrap().to_owned()).collect()
}

/// All bodies on a client's disk, in order.
fn held_by(client: &Client) -> Vec<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = ClientStore::open(&client.dir).store;
        let room = RoomId::general;
        let mut page = store.jump(CONNECTION, room(), Jump::Start, PAGE).await.unwrap();
        let mut bodies = Vec::new();
        while let Some(last) = page.messages.last().map(|message| message.position) {
            bodies.extend(page.messages.into_iter().map(|message| message.body().to_owned()));
            page = store.page(CONNECTION, room(), last, Side::Newer, PAGE).await.unwrap();
        }
        bodies
    })
}
