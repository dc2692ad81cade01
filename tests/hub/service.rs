//! `duplexctl hub` as a service: signals, systemd's socket and watchdog, renewed certificates.

#![cfg(unix)]

use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use duplex::hub::{Options, Tls};
use duplex::model::profile::Socket;
use duplex::transport::{Endpoint, dial};
use duplex::wire::duplex::message::{HubMessage, close};

use super::client::{Client, within};

/// A hub in a process of its own.
struct Service {
    child: Child,
    url: String,
}

impl Service {
    fn start(dir: &Path, prepare: impl FnOnce(&mut Command)) -> Service {
        let mut command = Command::new(env!("CARGO_BIN_EXE_duplexctl"));
        command.env("DUPLEX_HUB_LISTEN", "127.0.0.1:0");
        command.arg("hub").stdin(Stdio::null());
        prepare(&mut command);
        command.env("DUPLEX_HUB_DATA_DIR", dir).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim().strip_prefix("hub at ").unwrap_or_else(|| panic!("no hub: {line}")).to_owned();
        Service { child, url }
    }

    fn signal(&self, signal: rustix::process::Signal) {
        rustix::process::kill_process(rustix::process::Pid::from_child(&self.child), signal).unwrap();
    }

    async fn ended(&mut self) -> Option<i32> {
        within("the hub to end", async {
            loop {
                if let Some(status) = self.child.try_wait().unwrap() {
                    return status.code();
                }
                tokio::task::yield_now().await;
            }
        })
        .await
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn sighup_does_not_end_a_service_and_sigterm_closes_cleanly() {
    let dir = tempfile::tempdir().unwrap();
    let mut service = Service::start(dir.path(), |_| {});
    let token = duplex::hub::token(dir.path()).unwrap();
    let (mut client, _) = Client::enter(&service.url, token.reveal(), None).await;
    for _ in 0..3 {
        service.signal(rustix::process::Signal::HUP);
        let id = client.send("hi").await;
        client.acked(id).await;
    }
    service.signal(rustix::process::Signal::TERM);
    client.find(|heard| matches!(heard, HubMessage::Bye { code: close::GOING_AWAY, .. }).then_some(())).await;
    assert_eq!(client.closed().await.0, close::GOING_AWAY);
    assert_eq!(service.ended().await, Some(0));
}

#[tokio::test]
async fn a_passed_socket_is_used() {
    let dir = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    // Connections made before the hub runs are served once it does.
    let early = tokio::net::TcpStream::connect(address).await.unwrap();
    let hub = env!("CARGO_BIN_EXE_duplexctl");
    let mut shell = Command::new("sh");
    // Descriptor 3 in the process that replaces the shell.
    shell.args([
        "-c",
        r#"exec 3<&0 0</dev/null; LISTEN_FDS=1 LISTEN_PID=$$ exec "$0" hub --listen 127.0.0.1:1"#,
        hub,
    ]);
    let service = Service::start(dir.path(), |command| {
        *command = shell;
        command.stdin(Stdio::from(OwnedFd::from(listener)));
    });
    assert_eq!(service.url, format!("ws://{address}/v1/socket"));
    drop(early);
    let token = duplex::hub::token(dir.path()).unwrap();
    Client::enter(&service.url, token.reveal(), None).await;
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn systemd_is_notified_of_ready_watchdog_reload_and_stop() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("notify");
    let notices = tokio::net::UnixDatagram::bind(&path).unwrap();
    let data = dir.path().join("data");
    let mut service = Service::start(&data, |command| {
        command.env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "200000");
    });
    let heard = async |what: &str| {
        within(what, async {
            loop {
                let mut notice = [0; 256];
                let length = notices.recv(&mut notice).await.unwrap();
                if String::from_utf8_lossy(&notice[..length]).contains(what) {
                    return;
                }
            }
        })
        .await;
    };
    heard("READY=1").await;
    heard("WATCHDOG=1").await;
    heard("WATCHDOG=1").await;
    service.signal(rustix::process::Signal::HUP);
    heard("RELOADING=1").await;
    heard("READY=1").await;
    service.signal(rustix::process::Signal::TERM);
    heard("STOPPING=1").await;
    assert_eq!(service.ended().await, Some(0));
}

/// Writes a new certificate and its key; returns the certificate.
fn certify(dir: &Path) -> String {
    let pair = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    std::fs::write(dir.join("cert.pem"), pair.cert.pem()).unwrap();
    std::fs::write(dir.join("key.pem"), pair.signing_key.serialize_pem()).unwrap();
    pair.cert.pem()
}

#[tokio::test]
async fn a_renewed_certificate_is_used_and_an_invalid_one_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let first = certify(dir.path());
    let tls = Tls::Files { cert: dir.path().join("cert.pem"), key: dir.path().join("key.pem") };
    let hub = duplex::hub::start(Options { tls, ..Options::embedded(dir.path().join("hub")) }).await.unwrap();
    let greets = async |certificate: &str| greets(&hub.url, hub.addr, dir.path(), certificate).await;
    assert!(greets(&first).await);
    let second = certify(dir.path());
    hub.reload().await;
    assert!(greets(&second).await && !greets(&first).await);
    std::fs::write(dir.path().join("key.pem"), "no key").unwrap();
    hub.reload().await;
    assert!(greets(&second).await, "the previous one stays in use");
    let third = certify(dir.path());
    // Without a signal: the hub notices by itself.
    let found = tokio::time::timeout(std::time::Duration::from_secs(60), async {
        while !greets(&third).await {
            tokio::task::yield_now().await;
        }
    });
    found.await.unwrap();
}

async fn greets(url: &str, address: SocketAddr, dir: &Path, certificate: &str) -> bool {
    assert!(url.contains(&address.to_string()));
    let authority = dir.join("authority.pem");
    std::fs::write(&authority, certificate).unwrap();
    let target = Endpoint { ca_file: Some(authority), ..Endpoint::new(url) };
    within("TLS", dial(Socket::Tungstenite, target)).await.is_ok()
}
