//! What a hub carries: messages acknowledged a second from 100 clients that all read along, and memory for each client
//! that only listens; readings a second taken in from 200 devices and relayed to 1 and to 10 who watch. The clients live in a process of their own, so that what is measured is the hub's.
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
use std::time::{Duration, Instant};

use duplex::hub::{Options, spawn};
use duplex::model::time::WallMs;
use duplex::model::{Epoch, MessageId, Principal, PrincipalId, PrincipalKind};
use duplex::store::HubStore;
use futures_util::{SinkExt, StreamExt};
use sha2::{Digest, Sha256};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

/// Writers, all of whom read along.
const WRITERS: usize = 100;
/// Unacknowledged sends of one writer, as the app has them.
const WINDOW: u64 = 32;
/// Devices that publish, over one connection.
const DEVICES: usize = 200;
/// Metrics of each.
const METRICS: usize = 5;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [_, "clients", address, mode, count, seconds] => {
            runtime().block_on(clients(address, mode, count.parse().unwrap(), seconds.parse().unwrap()));
        }
        _ => measure(),
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

fn measure() {
    let quick = std::env::var_os("DUPLEX_BENCH_QUICK").is_some();
    let (seconds, idle) = if quick { (2, 500) } else { (10, 5_000) };
    raise_file_limit();
    let dir = tempfile::tempdir().unwrap();
    fill(dir.path(), idle);
    let hub = spawn(Options::embedded(dir.path())).unwrap();
    let address = hub.url.trim_start_matches("ws://").trim_end_matches("/v1/socket").to_owned();

    // Memory first: what a burst leaves to the allocator would hide it.
    let before = resident();
    let (child, stdin, line) = start_clients(&address, "idle", idle, 0);
    let after = resident();
    assert_eq!(line.trim(), "ready");
    end_clients(child, stdin);
    match (before, after) {
        (Some(before), Some(after)) => println!(
            "hub: memory per idle client at {idle}: {:.1} kB (aim 20 kB; {} MB in all)",
            after.saturating_sub(before) as f64 / idle as f64,
            after / 1000,
        ),
        _ => println!("hub: memory per idle client: not measured on this system"),
    }

    for (mode, what) in [("steady", "50 a second each"), ("burst", "as fast as acknowledged")] {
        let cpu = cpu_seconds();
        let (child, stdin, line) = start_clients(&address, mode, WRITERS, seconds);
        let cpu = cpu_seconds().zip(cpu).map_or(f64::NAN, |(after, before)| after - before);
        end_clients(child, stdin);
        println!(
            "hub: {WRITERS} clients, {what}: {} (aim 5,000/s; the hub took {cpu:.1} s of CPU in {seconds} s)",
            line.trim()
        );
    }
    for watchers in [1, 10] {
        for (mode, what) in [("readings-steady", "20,000 a second"), ("readings-burst", "as fast as taken")] {
            let cpu = cpu_seconds();
            let (child, stdin, line) = start_clients(&address, mode, watchers, seconds);
            let cpu = cpu_seconds().zip(cpu).map_or(f64::NAN, |(after, before)| after - before);
            end_clients(child, stdin);
            println!(
                "hub: readings of {DEVICES} devices, {what}, {watchers} watching: {} (the hub took {cpu:.1} s of CPU)",
                line.trim()
            );
        }
    }
    hub.shutdown();
}

/// A person for each client.
fn fill(dir: &Path, people: usize) {
    let store = HubStore::open(dir, Epoch(1), WallMs(0), MessageId::from_random([7; 16])).unwrap();
    runtime().block_on(async {
        let make = |number: usize| {
            let id = PrincipalId(format!("{number:016x}"));
            let person =
                Principal { id, kind: PrincipalKind::Person, name: format!("Person {number}"), role: None };
            store.create_principal(person, Sha256::digest(token(number)).into())
        };
        for made in futures_util::future::join_all((0..people).map(make)).await {
            made.unwrap();
        }
        let id = PrincipalId("gateway".to_owned());
        let gateway = Principal { id, kind: PrincipalKind::Admin, name: "Gateway".to_owned(), role: None };
        store.create_principal(gateway, Sha256::digest(token(GATEWAY)).into()).await.unwrap();
        // The owner: without this file the hub would give the only admin there is another token.
        duplex::settings::private_file::write(&dir.join("token"), token(GATEWAY).as_bytes()).unwrap();
    });
}

/// The number of the one who publishes.
const GATEWAY: usize = 1_000_000;

fn token(number: usize) -> String {
    format!("{number:064x}")
}

/// Starts the other process, and waits for its one line.
fn start_clients(address: &str, mode: &str, count: usize, seconds: u64) -> (Child, ChildStdin, String) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["clients", address, mode, &count.to_string(), &seconds.to_string()]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line).unwrap();
    (child, stdin, line)
}

fn end_clients(mut child: Child, stdin: ChildStdin) {
    drop(stdin);
    assert!(child.wait().unwrap().success());
}

type Socket = WebSocketStream<TcpStream>;

/// Connects and waits for the welcome and the log so far.
async fn enter(address: String, number: usize) -> Socket {
    let mut request = format!("ws://{address}/v1/socket").into_client_request().unwrap();
    let bearer = format!("Bearer {}", token(number));
    request.headers_mut().insert("authorization", bearer.parse().unwrap());
    let stream = TcpStream::connect(&address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let config = WebSocketConfig::default().read_buffer_size(4096);
    let (mut socket, _) = client_async_with_config(request, stream, Some(config)).await.unwrap();
    let hello = r#"{"type":"hello","versions":[1,1],"client":"bench","since":1000000000}"#;
    socket.send(Message::text(hello)).await.unwrap();
    // The welcome and, in a hub with many people, the rest of its lists: whoever does not read holds up what follows.
    let is_list =
        |text: &str| text.starts_with(r#"{"type":"welcome""#) || text.starts_with(r#"{"type":"lists""#);
    loop {
        let text = next(&mut socket).await;
        if is_list(&text) && !text.contains(r#""more":true"#) {
            return socket;
        }
    }
}

async fn next(socket: &mut Socket) -> String {
    loop {
        match socket.next().await {
            Some(Ok(Message::Text(text))) => return text.as_str().to_owned(),
            Some(Ok(_)) => {}
            other => panic!("{other:?}"),
        }
    }
}

async fn clients(address: &str, mode: &str, count: usize, seconds: u64) {
    raise_file_limit();
    let mut sockets = Vec::new();
    // Not all at once: what is measured is who is there, not the rush.
    for from in (0..count).step_by(50) {
        let some = (from..count.min(from + 50)).map(|number| enter(address.to_owned(), number));
        sockets.extend(futures_util::future::join_all(some).await);
    }
    if mode == "idle" {
        println!("ready");
    } else if let Some(pace) = mode.strip_prefix("readings-") {
        readings(address, &mut sockets, pace == "steady", seconds).await;
    } else {
        let pace = (mode == "steady").then(|| Duration::from_millis(20));
        let (tell, mut told) = mpsc::channel(WRITERS);
        let (begin, end) = (Instant::now(), Instant::now() + Duration::from_secs(seconds));
        for (number, socket) in sockets.drain(..).enumerate() {
            tokio::spawn(write(socket, number, pace, end, tell.clone()));
        }
        drop(tell);
        let (mut acked, mut read, mut waits) = (0, 0, Vec::new());
        while let Some(one) = told.recv().await {
            acked += one.acked;
            read += one.read;
            waits.extend(one.waits);
        }
        waits.sort_unstable();
        let at = |percent: usize| waits.get(waits.len() * percent / 100).copied().unwrap_or_default();
        let took = begin.elapsed().as_secs_f64();
        println!(
            "{:.0} acknowledged/s, {:.0} read/s, acknowledged after p50 {:.1} ms p99 {:.1} ms",
            acked as f64 / took,
            read as f64 / took,
            at(50).as_secs_f64() * 1e3,
            at(99).as_secs_f64() * 1e3,
        );
    }
    std::io::stdout().flush().unwrap();
    // Stays until the other process has looked.
    let _ = tokio::task::spawn_blocking(|| std::io::stdin().read_line(&mut String::new())).await;
}

/// Publishes for so long while these watch, and counts what is told and what is left out.
async fn readings(address: &str, watchers: &mut Vec<Socket>, steady: bool, seconds: u64) {
    let mut gateway = enter(address.to_owned(), GATEWAY).await;
    // All devices are known, and all who watch have the list, before it is measured.
    publish(&mut gateway, 0).await;
    settled(&mut gateway).await;
    for socket in watchers.iter_mut() {
        socket.send(Message::text(r#"{"type":"watch"}"#)).await.unwrap();
        while !next(socket).await.ends_with(r#""more":false}"#) {}
    }
    let (tell, mut told) = mpsc::channel(16);
    let (done, is_done) = tokio::sync::watch::channel(0u64);
    let count = watchers.len() as u64;
    for socket in watchers.drain(..) {
        tokio::spawn(count_readings(socket, is_done.clone(), tell.clone()));
    }
    drop(tell);
    let round = (DEVICES * METRICS) as u64;
    let (begin, end) = (Instant::now(), Instant::now() + Duration::from_secs(seconds));
    let (mut rounds, mut tick) = (0, tokio::time::interval(Duration::from_millis(50)));
    while Instant::now() < end {
        if steady {
            tick.tick().await;
        }
        rounds += 1;
        publish(&mut gateway, rounds).await;
    }
    settled(&mut gateway).await;
    let took = begin.elapsed().as_secs_f64();
    done.send_replace(rounds * round);
    let (mut read, mut conflated) = (0, 0);
    while let Some((one, left_out)) = told.recv().await {
        assert_eq!(one + left_out, rounds * round, "nothing is unaccounted for");
        (read, conflated) = (read + one, conflated + left_out);
    }
    println!(
        "{:.0} taken in/s, {:.0} relayed/s to each, {conflated} of {} conflated",
        (rounds * round) as f64 / took,
        read as f64 / took / count as f64,
        rounds * round * count,
    );
}

/// One round of readings, in batches of 100.
async fn publish(gateway: &mut Socket, round: u64) {
    for batch in 0..DEVICES * METRICS / 100 {
        let mut text = String::from(r#"{"type":"publish","samples":["#);
        for device in 0..100 / METRICS {
            let comma = if device == 0 { "" } else { "," };
            let number = batch * (100 / METRICS) + device;
            text.push_str(&format!(
                r#"{comma}{{"device":"device-{number:03}","at":1700000000000,"values":{{"#
            ));
            for metric in 0..METRICS {
                let comma = if metric == 0 { "" } else { "," };
                text.push_str(&format!(r#"{comma}"metric{metric}":{}.5"#, round + metric as u64));
            }
            text.push_str("}}");
        }
        text.push_str("]}");
        gateway.send(Message::text(text)).await.unwrap();
    }
}

async fn settled(gateway: &mut Socket) {
    gateway.send(Message::text(r#"{"type":"ping","nonce":7}"#)).await.unwrap();
    while !next(gateway).await.starts_with(r#"{"type":"pong""#) {}
}

/// Counts what one who watches is told and what is left out, until it is all that was published.
async fn count_readings(
    mut socket: Socket,
    mut done: tokio::sync::watch::Receiver<u64>,
    tell: mpsc::Sender<(u64, u64)>,
) {
    let (mut read, mut left_out) = (0, 0);
    while *done.borrow_and_update() == 0 || read + left_out < *done.borrow() {
        let text = tokio::select! {
            text = next(&mut socket) => text,
            changed = done.changed() => {
                changed.unwrap();
                continue;
            }
        };
        if text.starts_with(r#"{"type":"readings""#) {
            read += text.matches(r#""metric"#).count() as u64;
            let conflated = text.rsplit_once(r#""conflated":"#).and_then(|(_, rest)| rest.strip_suffix('}'));
            left_out += conflated.map_or(0, |count| count.parse::<u64>().unwrap());
        }
    }
    let _ = tell.send((read, left_out)).await;
}

/// What one writer saw.
struct Seen {
    acked: u64,
    read: u64,
    waits: Vec<Duration>,
}

async fn write(
    socket: Socket,
    number: usize,
    pace: Option<Duration>,
    end: Instant,
    tell: mpsc::Sender<Seen>,
) {
    let run = u128::from(pace.is_some()) + 1;
    let (mut sink, mut stream) = socket.split();
    let mut seen = Seen { acked: 0, read: 0, waits: Vec::new() };
    let mut sent: Vec<Instant> = Vec::new();
    let mut due = tokio::time::interval(pace.unwrap_or(Duration::from_secs(3600)));
    loop {
        let open = Instant::now() < end;
        let room = sent.len() as u64 - seen.acked < WINDOW;
        if !open && sent.len() as u64 == seen.acked {
            break;
        }
        if pace.is_none() && open && room {
            sink.feed(message(run, number, &mut sent)).await.unwrap();
            if sent.len() as u64 - seen.acked < WINDOW {
                continue;
            }
            sink.flush().await.unwrap();
        }
        tokio::select! {
            got = stream.next() => match got {
                Some(Ok(Message::Text(text))) => look(text.as_str(), &sent, &mut seen),
                Some(Ok(Message::Close(frame))) => panic!("the hub closed: {frame:?}"),
                Some(Ok(_)) => {}
                other => panic!("{other:?}"),
            },
            _ = due.tick(), if pace.is_some() && open && room => {
                sink.send(message(run, number, &mut sent)).await.unwrap();
            }
        }
    }
    let _ = tell.send(seen).await;
}

fn message(run: u128, number: usize, sent: &mut Vec<Instant>) -> Message {
    sent.push(Instant::now());
    let seq = sent.len();
    let id = MessageId::from_random((run << 100 | (number as u128) << 64 | seq as u128).to_be_bytes());
    let body =
        "A message as people write them, of a hundred characters or so, which is about what they do write.";
    Message::text(format!(
        r#"{{"type":"send","id":"{id}","seq":{seq},"room":"general","body":"{body}","at":1700000000000}}"#
    ))
}

fn look(text: &str, sent: &[Instant], seen: &mut Seen) {
    if text.starts_with(r#"{"type":"ack""#) {
        if let Some(at) = sent.get(seen.acked as usize) {
            seen.waits.push(at.elapsed());
        }
        seen.acked += 1;
    } else if text.starts_with(r#"{"type":"log""#) {
        seen.read += text.matches(r#""received":"#).count() as u64;
    }
}

/// A socket each, at both ends.
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
