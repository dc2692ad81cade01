//! What clients that only listen cost a hub, on each route: memory for each of 1,000 clients, requests a minute, and the hub's CPU while nothing happens.
//! Clients ping after 25 s of silence, as the app does; those that poll ask every 10 s. Each route has a hub and clients in processes of their own.
//!
//! `cargo bench --bench idle_routes`; `DUPLEX_BENCH_QUICK=1` takes 100 clients and 10 s.
#![allow(
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a bench prints, or fails at once"
)]

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use duplex::hub::{Options, spawn};
use duplex::model::time::WallMs;
use duplex::model::{Epoch, MessageId, Principal, PrincipalId, PrincipalKind};
use duplex::store::HubStore;
use futures_util::{SinkExt, StreamExt};
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use sha2::{Digest, Sha256};
use tokio::net::TcpStream;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

/// The routes, and what asks for frames on each.
const ROUTES: [(&str, &str); 5] = [
    ("websocket", ""),
    ("sse", "/v1/channels/events?from="),
    ("stream", "/v1/channels/stream?from="),
    ("longpoll", "/v1/channels/poll?wait_ms=25000&from="),
    ("poll", "/v1/channels/poll?from="),
];
/// How often a client pings.
const PING_EVERY: Duration = Duration::from_secs(25);
/// How often a client polls.
const POLL_EVERY: Duration = Duration::from_secs(10);
const HELLO: &str = r#"{"type":"hello","versions":[1,1],"client":"bench","since":1000000000}"#;
const PING: &str = r#"{"type":"ping","nonce":7}"#;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [_, "clients", address, route, count] => {
            runtime().block_on(clients(address, route, count.parse().unwrap()));
        }
        [_, "hub", route] => measure(route),
        _ => {
            for (route, _) in ROUTES {
                let mut command = Command::new(std::env::current_exe().unwrap());
                assert!(command.args(["hub", route]).status().unwrap().success(), "{route}");
            }
        }
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

fn measure(route: &str) {
    let quick = std::env::var_os("DUPLEX_BENCH_QUICK").is_some();
    let (count, seconds) = if quick { (100, 10) } else { (1_000, 60) };
    raise_file_limit();
    let dir = tempfile::tempdir().unwrap();
    fill(dir.path(), count);
    let hub = spawn(Options::embedded(dir.path())).unwrap();
    let address = hub.url.trim_start_matches("ws://").trim_end_matches("/v1/socket").to_owned();
    let before = resident();
    let (child, mut stdin, mut lines) = start_clients(&address, route, count);
    assert_eq!(lines.next().unwrap().unwrap(), "ready");
    // The rush is over, and what polls waits.
    std::thread::sleep(Duration::from_secs(3));
    let (memory, cpu) = (resident(), cpu_seconds());
    stdin.write_all(b"count\n").unwrap();
    let requests: u64 = lines.next().unwrap().unwrap().parse().unwrap();
    std::thread::sleep(Duration::from_secs(seconds));
    stdin.write_all(b"count\n").unwrap();
    let requests = lines.next().unwrap().unwrap().parse::<u64>().unwrap() - requests;
    let cpu = cpu_seconds().zip(cpu).map_or(f64::NAN, |(after, before)| after - before);
    let memory = memory.zip(before).map_or(f64::NAN, |(after, before)| after.saturating_sub(before) as f64);
    println!(
        "{route}: {count} idle clients: {:.1} kB of memory for each, {:.1} requests a minute from each, {:.2} % of a core",
        memory / count as f64,
        requests as f64 * 60.0 / seconds as f64 / count as f64,
        cpu * 100.0 / seconds as f64,
    );
    drop(stdin);
    end_clients(child);
    hub.shutdown();
}

/// A person for each client, and an owner.
fn fill(dir: &Path, people: usize) {
    let store = HubStore::open(dir, Epoch(1), WallMs(0), MessageId::from_random([7; 16])).unwrap();
    runtime().block_on(async {
        let make = |number: usize, kind: PrincipalKind| {
            let id = PrincipalId(format!("{number:016x}"));
            let person = Principal { id, kind, name: format!("Person {number}"), role: None };
            store.create_principal(person, Sha256::digest(token(number)).into())
        };
        let all = (0..people).map(|number| make(number, PrincipalKind::Person));
        for made in futures_util::future::join_all(all).await {
            made.unwrap();
        }
        make(people, PrincipalKind::Admin).await.unwrap();
        duplex::settings::private_file::write(&dir.join("token"), token(people).as_bytes()).unwrap();
    });
}

fn token(number: usize) -> String {
    format!("{number:064x}")
}

type Lines = std::io::Lines<BufReader<std::process::ChildStdout>>;

fn start_clients(address: &str, route: &str, count: usize) -> (Child, ChildStdin, Lines) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["clients", address, route, &count.to_string()]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    (child, stdin, BufReader::new(stdout).lines())
}

fn end_clients(mut child: Child) {
    assert!(child.wait().unwrap().success());
}

async fn clients(address: &str, route: &str, count: usize) {
    raise_file_limit();
    let path = ROUTES.iter().find(|(name, _)| *name == route).unwrap().1;
    let requests = Arc::<AtomicU64>::default();
    for from in (0..count).step_by(20) {
        let some = (from..count.min(from + 20)).map(|number| {
            let requests = Arc::clone(&requests);
            async move {
                if path.is_empty() {
                    socket(address, number, &requests).await;
                } else {
                    channel(address.to_owned(), path, number, requests).await;
                }
            }
        });
        futures_util::future::join_all(some).await;
    }
    println!("ready");
    let told = tokio::task::spawn_blocking(move || {
        for line in std::io::stdin().lines() {
            assert_eq!(line.unwrap(), "count");
            println!("{}", requests.load(Ordering::Relaxed));
            std::io::stdout().flush().unwrap();
        }
    });
    told.await.unwrap();
}

/// Comes in over a WebSocket; a task keeps it.
async fn socket(address: &str, number: usize, requests: &Arc<AtomicU64>) {
    let mut request = format!("ws://{address}/v1/socket").into_client_request().unwrap();
    request.headers_mut().insert("authorization", format!("Bearer {}", token(number)).parse().unwrap());
    requests.fetch_add(1, Ordering::Relaxed);
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut socket, _) = client_async(request, stream).await.unwrap();
    socket.send(Message::text(HELLO)).await.unwrap();
    let Some(Ok(Message::Text(_))) = socket.next().await else { panic!("no welcome") };
    tokio::spawn(async move {
        loop {
            tokio::select! {
                got = socket.next() => match got {
                    Some(Ok(_)) => {}
                    other => panic!("{other:?}"),
                },
                () = tokio::time::sleep(PING_EVERY) => socket.send(Message::text(PING)).await.unwrap(),
            }
        }
    });
}

/// A connection that is opened again when the hub has closed it.
struct Http {
    address: String,
    channel: Option<String>,
    number: usize,
    connection: Option<SendRequest<Full<Bytes>>>,
    requests: Arc<AtomicU64>,
}

impl Http {
    async fn call(&mut self, method: &str, path: &str, first: u64, body: &str) -> Incoming {
        let mut kept = self.connection.take();
        let is_ready = match &mut kept {
            Some(connection) => connection.ready().await.is_ok(),
            None => false,
        };
        let mut connection = match kept.filter(|_| is_ready) {
            Some(connection) => connection,
            None => {
                let stream = TcpStream::connect(&self.address).await.unwrap();
                let (connection, driver) = http1::handshake(TokioIo::new(stream)).await.unwrap();
                tokio::spawn(driver);
                connection
            }
        };
        let mut request = Request::builder().method(method).uri(path).header("host", &self.address);
        request = match &self.channel {
            Some(id) => request.header("duplex-channel", id).header("duplex-first", first),
            None => request.header("authorization", format!("Bearer {}", token(self.number))),
        };
        self.requests.fetch_add(1, Ordering::Relaxed);
        let request = request.body(Full::new(Bytes::from(body.to_owned()))).unwrap();
        let response = connection.send_request(request).await.unwrap();
        assert!(response.status().is_success(), "{}", response.status());
        self.connection = Some(connection);
        response.into_body()
    }
}

async fn whole(body: Incoming) -> String {
    String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

/// Comes in over a channel; tasks keep it.
async fn channel(address: String, path: &'static str, number: usize, requests: Arc<AtomicU64>) {
    let http = |channel, requests| {
        let address = address.clone();
        Http { address, channel, number, connection: None, requests }
    };
    let opened = whole(http(None, Arc::clone(&requests)).call("POST", "/v1/channels", 0, "").await).await;
    let opened: serde_json::Value = serde_json::from_str(&opened).unwrap();
    let id = opened["channel"].as_str().unwrap().to_owned();
    let mut up = http(Some(id.clone()), Arc::clone(&requests));
    let mut down = http(Some(id), requests);
    whole(up.call("POST", "/v1/channels/send", 1, HELLO).await).await;
    let is_poll = path.contains("poll");
    // The welcome, and what else there is at once.
    let (mut from, mut open) = (1, None);
    while from == 1 {
        let mut body = down.call("GET", &format!("{path}{from}"), 0, "").await;
        if is_poll {
            from += whole(body).await.lines().count() as u64;
        } else {
            while from == 1 {
                from += count_frames(&mut body).await.unwrap();
            }
            open = Some(body);
        }
    }
    tokio::spawn(async move {
        for first in 2.. {
            tokio::time::sleep(PING_EVERY).await;
            whole(up.call("POST", "/v1/channels/send", first, PING).await).await;
        }
    });
    tokio::spawn(async move {
        loop {
            match open.take() {
                Some(mut body) => {
                    while let Some(frames) = count_frames(&mut body).await {
                        from += frames;
                    }
                }
                None if is_poll && !path.contains("wait_ms") => tokio::time::sleep(POLL_EVERY).await,
                None => {}
            }
            let body = down.call("GET", &format!("{path}{from}"), 0, "").await;
            match is_poll {
                true => from += whole(body).await.lines().count() as u64,
                false => open = Some(body),
            }
        }
    });
}

/// The frames of the next piece of a stream; `None` at its end. A hub writes whole lines and events.
async fn count_frames(body: &mut Incoming) -> Option<u64> {
    let piece = body.frame().await?.ok()?.into_data().unwrap();
    let text = std::str::from_utf8(&piece).unwrap();
    Some(text.lines().filter(|line| line.starts_with('{') || line.starts_with("data:")).count() as u64)
}

/// Some connections for each client, at both ends.
fn raise_file_limit() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, getrlimit, setrlimit};
        let limit = getrlimit(Resource::Nofile);
        let _ = setrlimit(Resource::Nofile, rustix::process::Rlimit { current: limit.maximum, ..limit });
    }
}

/// This process's resident memory, in kB.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.parse().ok())
}

/// What this process has computed so far.
fn cpu_seconds() -> Option<f64> {
    #[cfg(unix)]
    {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
        Some(time.tv_sec as f64 + time.tv_nsec as f64 / 1e9)
    }
    #[cfg(not(unix))]
    None
}
