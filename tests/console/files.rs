//! Files are sent and got by the console, over connections that are lost, and checked.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use duplex::hub::{self, Options, Tls};
use serde_json::Value;

use super::{done, fails, run};

/// Bytes that do not repeat.
pub fn noise(count: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    (0..count).map(|_| next()).collect()
}

/// Passes connections on, and cuts those that carry more than `budget` bytes to the server, a few times.
struct Cutter {
    addr: SocketAddr,
    sent: Arc<AtomicU64>,
    received: Arc<AtomicU64>,
}

/// Each end gets this many bytes, in all connections together, before one of them is cut.
const CUT_AFTER: u64 = 1_500_000;

fn cutter(to: SocketAddr, cuts: i64) -> Cutter {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let (sent, received, left) =
        (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)), Arc::new(AtomicI64::new(cuts)));
    let counters = (Arc::clone(&sent), Arc::clone(&received));
    let thread = std::thread::Builder::new().name("cutter".to_owned());
    let accept = move || {
        for client in listener.incoming() {
            let client = client.unwrap();
            let server = TcpStream::connect(to).unwrap();
            for (from, into, count) in [
                (client.try_clone().unwrap(), server.try_clone().unwrap(), Arc::clone(&counters.0)),
                (server, client, Arc::clone(&counters.1)),
            ] {
                let left = Arc::clone(&left);
                let thread = std::thread::Builder::new().name("one way".to_owned());
                thread.spawn(move || pass(from, into, &count, &left)).unwrap();
            }
        }
    };
    thread.spawn(accept).unwrap();
    Cutter { addr, sent, received }
}

fn pass(mut from: TcpStream, mut into: TcpStream, count: &AtomicU64, left: &AtomicI64) {
    let mut buffer = [0; 16 * 1024];
    let mut own = 0;
    while let Ok(read) = from.read(&mut buffer) {
        if read == 0 || into.write_all(&buffer[..read]).is_err() {
            break;
        }
        own += read as u64;
        count.fetch_add(read as u64, Ordering::Relaxed);
        if own > CUT_AFTER && left.fetch_sub(1, Ordering::Relaxed) > 0 {
            break;
        }
    }
    // Both directions of it end.
    let _ = into.shutdown(Shutdown::Both);
    let _ = from.shutdown(Shutdown::Both);
}

fn addr_of(url: &str) -> SocketAddr {
    url.split("://").nth(1).unwrap().split('/').next().unwrap().parse().unwrap()
}

fn write(dir: &Path, name: &str, content: &[u8]) -> PathBuf {
    let path = dir.join(name);
    std::fs::write(&path, content).unwrap();
    path
}

#[test]
fn a_file_goes_there_and_back_across_lost_connections() {
    let dir = tempfile::tempdir().unwrap();
    let hub = hub::spawn(Options::embedded(dir.path())).unwrap();
    let content = noise(6_000_000);
    let source = write(dir.path(), "pump log.txt", &content);
    let cutter = cutter(addr_of(&hub.url), 3);
    let url = format!("ws://{}", cutter.addr);
    let token = hub.admin_token.reveal().to_owned();
    let file = |words: &[&str]| done(dir.path(), &[words, &["--token", &token]].concat());
    let id = file(&["file", "send", &url, "--room", "general", source.to_str().unwrap()]);
    let sent = cutter.sent.load(Ordering::Relaxed);
    assert!(sent < 6_000_000 + 3 * (1 << 20) + 100_000, "{sent}: at most the last part is sent again");
    let target = dir.path().join("got.txt");
    let to = target.to_str().unwrap();
    assert_eq!(file(&["file", "get", &url, &id, "-o", to]), to);
    assert!(std::fs::read(&target).unwrap() == content);
    let received = cutter.received.load(Ordering::Relaxed);
    assert!(received < 6_000_000 + 3 * (1 << 20), "{received}: what is here is not fetched again");

    let (code, why) = fails(dir.path(), &["file", "get", &url, &id, "-o", to, "--token", &token]);
    assert!(code == 1 && why.contains("--force"), "{code} {why}");
    std::fs::write(&target, "mine").unwrap();
    file(&["file", "get", &url, &id, "-o", to, "--force"]);
    assert_eq!(std::fs::read(&target).unwrap().len(), content.len());

    let lines = done(
        dir.path(),
        &["tail", &hub.url, "--json", "--since", "0", "--count", "1", "--no-readings", "--token", &token],
    );
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let message = lines.iter().find(|line| line["event"] == "message").unwrap();
    assert_eq!(message["body"], "pump log.txt (6.0 MB)");
    assert_eq!(message["file"]["id"], id.as_str());
    let event = lines.iter().find(|line| line["event"] == "file").unwrap();
    assert_eq!((&event["id"], &event["target"]), (&message["file"]["id"], &message["id"]));
    assert_eq!(event["name"], "pump log.txt");
    hub.shutdown();
}

#[test]
fn a_part_that_was_damaged_is_noticed_and_fetched_anew() {
    let dir = tempfile::tempdir().unwrap();
    let hub = hub::spawn(Options::embedded(dir.path())).unwrap();
    let source = write(dir.path(), "a.bin", &noise(400_000));
    let words = ["file", "send", &hub.url, "--room", "general", source.to_str().unwrap()];
    // Its own hub needs no token: it proves who it is on the same connection.
    let id = done(dir.path(), &words);
    let part = dir.path().join(format!("b.bin.{}.part", &id[..8]));
    std::fs::write(&part, vec![7; 100_000]).unwrap();
    let target = dir.path().join("b.bin");
    let get = ["file", "get", &hub.url, &id, "-o", target.to_str().unwrap()];
    let (code, why) = fails(dir.path(), &get);
    assert!(code == 3 && why.contains("checksum"), "{code} {why}");
    assert!(!part.exists() && !target.exists(), "nothing of it is left");
    done(dir.path(), &get);
    assert!(std::fs::read(&target).unwrap() == noise(400_000));
    // Without -o it is saved under its name, in the current folder.
    let folder = tempfile::tempdir().unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_duplexctl"))
        .args(["file", "get", &hub.url, &id, "--data-dir"])
        .arg(dir.path())
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(output.status.success());
    assert!(folder.path().join("a.bin").exists());
    let (code, why) = fails(dir.path(), &["file", "get", &hub.url, "0b1a9c6e-3d55-4b52-9d8e-5f4f6f0a7c11"]);
    assert!(code == 3 && why.contains("no such file"), "{code} {why}");
    hub.shutdown();
}

#[test]
fn sending_again_with_the_same_id_stores_nothing_twice() {
    let dir = tempfile::tempdir().unwrap();
    let hub = hub::spawn(Options::embedded(dir.path())).unwrap();
    let source = write(dir.path(), "a.bin", &noise(300_000));
    let id = "0b1a9c6e-3d55-4b52-9d8e-5f4f6f0a7c11";
    let words = [
        "file",
        "send",
        &hub.url,
        "--room",
        "general",
        source.to_str().unwrap(),
        "--text",
        "Look",
        "--id",
        id,
    ];
    let first = done(dir.path(), &words);
    assert_eq!(done(dir.path(), &words), first);
    let tail = ["tail", &hub.url, "--json", "--since", "0", "--count", "1", "--no-readings"];
    let lines = done(dir.path(), &tail);
    assert_eq!(lines.lines().filter(|line| line.contains("\"message\"")).count(), 1, "{lines}");
    assert!(lines.contains("Look"));
    hub.shutdown();
}

#[test]
fn the_token_goes_only_to_the_certificate_that_is_pinned() {
    let dir = tempfile::tempdir().unwrap();
    let hub = hub::spawn(Options { tls: Tls::SelfSigned, ..Options::embedded(dir.path()) }).unwrap();
    let source = write(dir.path(), "a.bin", &noise(50_000));
    let token = hub.admin_token.reveal();
    let send = |fingerprint: &str| {
        let url = format!("wss://{}#sha256={fingerprint}", addr_of(&hub.url));
        let words = ["file", "send", &url, "--room", "general", source.to_str().unwrap(), "--token", token];
        run(dir.path(), &words)
    };
    let right = hub.fingerprint.clone().unwrap();
    let output = send(&right);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let output = send(&"00".repeat(32));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(3) && said.contains("certificate"), "{said}");
    hub.shutdown();
}

#[test]
fn a_redirect_is_not_followed() {
    let dir = tempfile::tempdir().unwrap();
    let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (to, addr) = (elsewhere.local_addr().unwrap(), listener.local_addr().unwrap());
    let thread = std::thread::Builder::new().name("redirects".to_owned());
    let accept = move || {
        for client in listener.incoming() {
            let mut client = client.unwrap();
            let mut buffer = [0; 4096];
            let _ = client.read(&mut buffer);
            let answer = format!(
                "HTTP/1.1 307 Temporary Redirect\r\nLocation: http://{to}/\r\nContent-Length: 0\r\n\r\n"
            );
            let _ = client.write_all(answer.as_bytes());
        }
    };
    thread.spawn(accept).unwrap();
    let source = write(dir.path(), "a.bin", b"x");
    let url = format!("ws://{addr}");
    let words = ["file", "send", &url, "--room", "general", source.to_str().unwrap(), "--token", "secret"];
    let (code, why) = fails(dir.path(), &words);
    assert!(code == 3 && !why.contains("secret"), "{code} {why}");
    assert!(elsewhere.accept().is_err(), "nobody was asked elsewhere");
}
