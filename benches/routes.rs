//! What an idle client costs a hub over each route: memory and CPU time. The clients are real ones, with
//! their signs of life, in a process of their own; each route has a hub of its own. Linux only.
//!
//! `DUPLEX_BENCH_CLIENTS` and `DUPLEX_BENCH_SECONDS` set how many and for how long.
#![allow(
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a bench prints, or fails at once"
)]

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use duplex::hub::{Options, spawn};
use duplex::model::event::LinkEvent;
use duplex::model::link_state::LinkState;
use duplex::model::profile::{NetworkOptions, Profile, Protocol, Secret, Socket, WebSocketOptions};
use duplex::model::route::{Route, RouteChoice};
use duplex::model::time::WallMs;
use duplex::model::{ConnectionId, Epoch, Event, MessageId, Offset, Principal, PrincipalId, PrincipalKind};
use duplex::store::HubStore;
use duplex::wire::SavedState;
use duplex::worker::access::Access;
use duplex::worker::single::Single;
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;

/// Clients that come at once.
const AT_ONCE: usize = 25;
/// After the last one came, before anything is measured.
const SETTLE: Duration = Duration::from_secs(10);

fn main() {
    let args: Vec<String> = std::env::args().collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [_, "clients", url, route, count] => {
            runtime().block_on(clients(url, Route::named(route).unwrap(), count.parse().unwrap()));
        }
        [_, "measure", route] => measure(Route::named(route).unwrap()),
        _ => {
            for route in Route::ALL {
                let me = std::env::current_exe().unwrap();
                assert!(Command::new(me).args(["measure", route.name()]).status().unwrap().success());
            }
        }
    }
}

fn number(name: &str, usual: u64) -> u64 {
    std::env::var(name).map_or(usual, |text| text.parse().unwrap())
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

#[allow(
    clippy::disallowed_methods,
    reason = "what is measured is a stretch of time in which nothing happens"
)]
fn measure(route: Route) {
    let quick = std::env::var_os("DUPLEX_BENCH_QUICK").is_some();
    let count = number("DUPLEX_BENCH_CLIENTS", if quick { 100 } else { 1_000 });
    let seconds = number("DUPLEX_BENCH_SECONDS", if quick { 5 } else { 60 });
    raise_file_limit();
    let dir = tempfile::tempdir().unwrap();
    fill(dir.path(), count);
    let hub = spawn(Options::embedded(dir.path())).unwrap();
    let memory = kilobytes();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["clients", &hub.url, route.name(), &count.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line.trim(), "ready");
    std::thread::sleep(SETTLE);
    let cpu = cpu_seconds();
    std::thread::sleep(Duration::from_secs(seconds));
    let (cpu, memory) = (cpu_seconds() - cpu, kilobytes().saturating_sub(memory));
    println!(
        "{}: {count} idle clients: {:.1} kB of the hub's memory each, {:.2} s of its CPU time a minute for all",
        route.name(),
        memory as f64 / count as f64,
        cpu * 60.0 / seconds as f64,
    );
    end(child);
    hub.shutdown();
}

fn end(mut child: Child) {
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
}

fn token(number: usize) -> String {
    format!("{number:064x}")
}

/// A person for each client.
fn fill(dir: &Path, people: u64) {
    let store = HubStore::open(dir, Epoch(1), WallMs(0), MessageId::from_random([7; 16])).unwrap();
    runtime().block_on(async {
        let make = |number: usize| {
            let id = PrincipalId(format!("{number:016x}"));
            let kind = if number == 0 { PrincipalKind::Admin } else { PrincipalKind::Person };
            let person = Principal { id, kind, name: format!("Person {number}"), role: None };
            store.create_principal(person, Sha256::digest(token(number)).into())
        };
        for made in futures_util::future::join_all((0..people as usize).map(make)).await {
            made.unwrap();
        }
        // The owner: without this file the hub would give the only admin there is another token.
        duplex::settings::private_file::write(&dir.join("token"), token(0).as_bytes()).unwrap();
    });
}

/// Comes online with so many clients over one route, says so, and stays until the other process has looked.
async fn clients(url: &str, route: Route, count: usize) {
    raise_file_limit();
    let (tell, mut online) = mpsc::channel(AT_ONCE);
    for from in (0..count).step_by(AT_ONCE) {
        let some = from..count.min(from + AT_ONCE);
        for number in some.clone() {
            let profile = profile(url, route);
            let access = Access::Token(Secret::new(token(number)));
            let saved = SavedState { resume: None, since: Some(Offset::MAX) };
            let (mut single, tell) = (Single::start(profile, access, saved, false), tell.clone());
            tokio::spawn(async move {
                loop {
                    if let Event::Link(LinkEvent::State(state)) = single.next().await {
                        match state {
                            LinkState::Online { rtt_ms: None, .. } => drop(tell.send(()).await),
                            LinkState::Waiting { why, .. } | LinkState::Stopped { why } => panic!("{why:?}"),
                            _ => {}
                        }
                    }
                }
            });
        }
        for _ in some {
            online.recv().await.unwrap();
        }
    }
    println!("ready");
    std::io::stdout().flush().unwrap();
    let _ = tokio::task::spawn_blocking(|| std::io::stdin().read_line(&mut String::new())).await;
    // Their ends are not waited for.
    std::process::exit(0);
}

fn profile(url: &str, route: Route) -> Profile {
    Profile {
        id: ConnectionId::COMMAND_LINE,
        name: String::new(),
        urls: vec![url.to_owned()],
        protocol: Protocol::Duplex,
        socket: Socket::Tungstenite,
        route: RouteChoice::Only(route),
        ca_file: None,
        fingerprint: None,
        auto_connect: true,
        websocket: WebSocketOptions::default(),
        network: NetworkOptions::default(),
    }
}

fn raise_file_limit() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, getrlimit, setrlimit};
        let limit = getrlimit(Resource::Nofile);
        let _ = setrlimit(Resource::Nofile, rustix::process::Rlimit { current: limit.maximum, ..limit });
    }
}

/// Resident memory of this process, in kB; 0 where the system does not tell.
fn kilobytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or_default()
}

/// CPU time of this process, in seconds; 0 where the system does not tell.
fn cpu_seconds() -> f64 {
    #[cfg(unix)]
    {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
        time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
    }
    #[cfg(not(unix))]
    0.0
}
