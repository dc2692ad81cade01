//! Secrets of the real console program: what other users, children, logs and error messages see of them.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a test that fails should say so at once")]

#[path = "common/hello.rs"]
mod hello;

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use duplex::frame::Frame;
use duplex::model::event::TestOutcome;
use duplex::model::intent::{Credential, LinkIntent};
use duplex::model::profile::{Secret, Socket};
use duplex::model::{Address, ConnectionId, Intent, LinkState, Model, SharedModel};
use duplex::transport::{self, Endpoint, Incoming, Outgoing};
use duplex::wire::duplex::message::{ClientMessage, Hello, Redeem, encode};
use duplex::worker::{Options, Worker};
use hello::hello;

const DUPLEXCTL: &str = env!("CARGO_BIN_EXE_duplexctl");
/// How long anything may take before a test gives up.
const PATIENCE: Duration = Duration::from_secs(60);
const SECRET: &str = "5ecret-of-jun-5ecret-of-jun-5ecret-of-jun";

/// The program with nothing of ours in its environment, and a home of its own.
fn duplexctl(home: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(DUPLEXCTL);
    command.args(arguments).env_clear().env("HOME", home).stdin(Stdio::null());
    for name in ["PATH", "SystemRoot", "LOCALAPPDATA", "LLVM_PROFILE_FILE"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// A process that is ended with its test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A hub with TLS, and everything that it and its clients write down.
struct Hub {
    dir: tempfile::TempDir,
    log: PathBuf,
    url: String,
    fingerprint: String,
    _process: Running,
}

impl Hub {
    fn start(rust_log: &str) -> Hub {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("hub.log");
        let data = dir.path().join("data");
        let data = data.to_str().unwrap();
        let arguments = ["hub", "--listen", "127.0.0.1:0", "--data-dir", data, "--tls-self-signed"];
        let mut process = duplexctl(dir.path(), &arguments)
            .env("RUST_LOG", rust_log)
            .stdout(Stdio::piped())
            .stderr(File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let process = Running(process);
        let mut line = |start: &str| {
            let line = lines.next().unwrap().unwrap();
            line.strip_prefix(start).unwrap_or_else(|| panic!("{line}")).to_owned()
        };
        let (url, fingerprint) = (line("hub at "), line("certificate sha256 "));
        Hub { dir, log, url, fingerprint, _process: process }
    }

    fn data(&self) -> String {
        self.dir.path().join("data").to_str().unwrap().to_owned()
    }

    /// The address by which a client trusts it.
    fn address(&self) -> String {
        format!("{}#sha256={}", self.url, self.fingerprint)
    }

    fn token(&self) -> String {
        fs::read_to_string(self.dir.path().join("data/token")).unwrap().trim().to_owned()
    }

    fn run(&self, arguments: &[&str]) -> Output {
        duplexctl(self.dir.path(), arguments).output().unwrap()
    }
}

/// Uses an invite up; the frames pass by the hub's log.
fn redeem(link: &str, token: &str) {
    let address = Address::parse(link).unwrap();
    let code = address.invite.unwrap().reveal().to_owned();
    let hello = Hello { invite: Some(Redeem { code, name: "Mina".into(), token: token.into() }), ..hello() };
    let mut target = Endpoint::new(address.url);
    target.fingerprint = address.fingerprint;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut connection = transport::dial(Socket::Tungstenite, target).await.unwrap();
        let frame = encode(&ClientMessage::Hello(hello));
        connection.outgoing.send(Outgoing::Frame(frame)).await.unwrap();
        match connection.recv().await {
            Some(Incoming::Frame(Frame::Text(text))) if text.contains("\"welcome\"") => {}
            other => panic!("{other:?}"),
        }
    });
}

fn private_file(path: &Path, content: &str) {
    fs::write(path, content).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    }
}

/// Asserts that a text holds none of these secrets.
fn assert_hidden(what: &str, text: &str, secrets: &[&str]) {
    for secret in secrets {
        assert!(!text.contains(secret), "{what} says {secret}:\n{}", &text[..text.len().min(4000)]);
    }
}

#[test]
fn no_log_at_any_level_holds_a_token_or_an_invite() {
    for rust_log in ["trace", "trace,tungstenite=trace,tokio_tungstenite=trace,hyper=trace,rustls=trace"] {
        let hub = Hub::start(rust_log);
        let (url, admin, mina) = (hub.address(), hub.token(), "ab".repeat(32));
        let link = said(&hub.run(&["invite", "--data-dir", &hub.data(), "--url", &hub.url]));
        let code = Address::parse(link.trim()).unwrap().invite.unwrap().reveal().to_owned();
        redeem(link.trim(), &mina);
        let file = hub.dir.path().join("token-of-mina");
        private_file(&file, &mina);
        let secrets = [admin.as_str(), mina.as_str(), code.as_str()];
        let traced = |arguments: &[&str]| {
            let mut command = duplexctl(hub.dir.path(), arguments);
            command.env("RUST_LOG", rust_log).env("RUST_BACKTRACE", "1");
            command
        };
        let by_proof = ["send", &url, "--data-dir", &hub.data(), "--room", "general", "hi"];
        let by_file = ["tail", &url, "--token-file", file.to_str().unwrap(), "--since", "0", "--count", "1"];
        let by_variable = ["tail", &url, "--since", "0", "--count", "1", "--json"];
        let wrong = ["tail", &url, "--token", "wrong-wrong-wrong", "--json"];
        for (arguments, token, code) in [
            (&by_proof[..], "", 0),
            (&by_file[..], "", 0),
            (&by_variable[..], &*admin, 0),
            (&wrong[..], "", 3),
        ] {
            let done = traced(arguments).env("DUPLEX_TOKEN", token).output().unwrap();
            assert_eq!(done.status.code(), Some(code), "{arguments:?}: {}", said(&done));
            assert_hidden(arguments[0], &said(&done), &[&secrets[..], &["wrong-wrong-wrong"]].concat());
        }
        let log = fs::read_to_string(&hub.log).unwrap();
        assert!(log.contains("listening on"), "{log}");
        assert_hidden("the hub's log", &log, &secrets);
    }
}

/// Waits until `/proc/PID/NAME` shows `kept` and no secret. It is read while the program rewrites it, so a secret can be
/// half overwritten in one reading.
#[cfg(target_os = "linux")]
fn await_hidden(process: &Running, name: &str, secrets: &[&str], kept: &[&str]) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let seen = fs::read(format!("/proc/{}/{name}", process.0.id())).unwrap();
        let seen = String::from_utf8_lossy(&seen).replace('\0', " ");
        // Before it has begun, the child is still a copy of this process.
        let has_begun = name != "cmdline" || seen.starts_with(DUPLEXCTL);
        let is_hidden = !secrets.iter().any(|secret| seen.contains(secret));
        if has_begun && is_hidden && kept.iter().all(|text| seen.contains(text)) {
            return;
        }
        assert!(Instant::now() < deadline, "others see: {seen}");
        std::thread::yield_now();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn neither_the_command_line_nor_the_environment_shows_a_token_while_a_command_runs() {
    let home = tempfile::tempdir().unwrap();
    // Nobody accepts there: each command goes on trying.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    let inviting = format!("{url}#invite=C0DE-C0DE-C0DE");
    let attached = format!("--token={SECRET}");
    let header = format!("X-Key: {SECRET}");
    let attached_header = format!("--header=X-Key: {SECRET}");
    let with_password = url.replace("ws://", &format!("ws://jun:{SECRET}@"));
    for arguments in [
        &["tail", "--token", SECRET, &inviting][..],
        &["tail", &url, &attached],
        &["send", &url, "--timeout", "60s", "--room", "general", "hello", "--token", SECRET],
        &["agent", "--token", SECRET, "--url", &inviting],
        &["command", &url, "shed", "relay", "on", "--timeout", "60s", &attached],
        &["tail", &url, "--protocol", "websocket", "--header", &header],
        &["send", &with_password, "hello", "--timeout", "60s", "--protocol", "websocket", &attached_header],
    ] {
        let mut command = duplexctl(home.path(), arguments);
        command.env("DUPLEX_TOKEN", SECRET).env("DUPLEX_OTHER_SECRET", SECRET).env("KEPT", "kept");
        command.env("DUPLEX_PASSWORD", SECRET);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let process = Running(command.spawn().unwrap());
        let masked = "x".repeat(SECRET.len());
        await_hidden(&process, "cmdline", &[SECRET, "C0DE-C0DE"], &[arguments[0], &masked]);
        await_hidden(&process, "environ", &[SECRET, "DUPLEX_TOKEN", "DUPLEX_PASSWORD"], &["KEPT=kept"]);
    }
}

#[test]
fn a_token_comes_from_a_file_that_is_private_or_from_standard_input() {
    let hub = Hub::start("warn");
    let (url, token) = (hub.address(), hub.token());
    let file = hub.dir.path().join("my-token");
    private_file(&file, &format!("{token}\n"));
    let send = ["send", &url, "--room", "general", "hi", "--token-file"];
    let send_from = |place: &str| duplexctl(hub.dir.path(), &[&send[..], &[place]].concat());
    let done = send_from(file.to_str().unwrap()).output().unwrap();
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));

    let mut process =
        send_from("-").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    process.stdin.take().unwrap().write_all(token.as_bytes()).unwrap();
    let done = process.wait_with_output().unwrap();
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));

    let both = ["send", &url, "--room", "general", "-", "--token-file", "-"];
    let done = hub.run(&both);
    assert!(done.status.code() == Some(1) && said(&done).contains("cannot be both"), "{}", said(&done));

    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        let variable = duplexctl(hub.dir.path(), &send[..5]).env("DUPLEX_TOKEN_FILE", &file).output();
        for done in [send_from(file.to_str().unwrap()).output(), variable] {
            let done = done.unwrap();
            assert_eq!(done.status.code(), Some(1));
            assert!(said(&done).contains("chmod 600"), "{}", said(&done));
            assert_hidden("the refusal", &said(&done), &[&token]);
        }
    }
}

#[test]
fn no_token_goes_to_another_computer_in_the_clear_unless_it_is_asked_for() {
    let home = tempfile::tempdir().unwrap();
    // A name that nobody has (RFC 6761).
    let url = "ws://hub.invalid:7870";
    let commands = [
        &["tail", url][..],
        &["send", url, "--room", "general", "hi", "--timeout", "1s"],
        &["agent", "--url", url],
        &["command", url, "shed", "relay", "on", "--timeout", "1s"],
    ];
    for arguments in commands {
        let done = duplexctl(home.path(), arguments).env("DUPLEX_TOKEN", SECRET).output().unwrap();
        assert_eq!(done.status.code(), Some(3), "{arguments:?}: {}", said(&done));
        assert!(
            said(&done).contains("not encrypted") && said(&done).contains("--insecure"),
            "{}",
            said(&done)
        );
        assert_hidden("the refusal", &said(&done), &[SECRET]);
    }
    let arguments = [commands[1], &["--insecure"]].concat();
    let done = duplexctl(home.path(), &arguments).env("DUPLEX_TOKEN", SECRET).output().unwrap();
    assert_eq!(done.status.code(), Some(4), "it tried: {}", said(&done));
    assert_eq!(said(&done).matches("is not encrypted").count(), 1, "{}", said(&done));
}

#[test]
fn a_password_in_an_address_is_not_said_back() {
    let home = tempfile::tempdir().unwrap();
    for url in
        ["wss://me:hunter22@hub.invalid", "wss://me:hun/hunter22@hub.invalid", "me:hunter22@hub.invalid"]
    {
        for arguments in [
            &["tail", url][..],
            &["send", url, "--room", "general", "hi"],
            &["agent", "--url", url],
            &["command", url, "shed", "relay", "on"],
            &["health", url],
            &["invite", "--data-dir", ".", "--url", url],
        ] {
            let done = duplexctl(home.path(), arguments)
                .env("RUST_LOG", "trace")
                .env("DUPLEX_TOKEN", SECRET)
                .output()
                .unwrap();
            assert!(!done.status.success() && said(&done).contains("•••@hub.invalid"), "{}", said(&done));
            assert_hidden(arguments[0], &said(&done), &["hunter22", SECRET]);
        }
    }
}

#[test]
fn a_hub_says_how_it_is() {
    let hub = Hub::start("warn");
    for arguments in [&["health", "--data-dir", &hub.data()][..], &["health", &hub.address()]] {
        let done = hub.run(arguments);
        assert_eq!((done.status.code(), said(&done).trim()), (Some(0), "ok"));
    }
    let empty = hub.dir.path().join("empty");
    fs::create_dir(&empty).unwrap();
    assert_eq!(hub.run(&["health", "--data-dir", empty.to_str().unwrap()]).status.code(), Some(1));
    // Another certificate than the one that is expected.
    let other = format!("{}#sha256={}", hub.url, "00".repeat(32));
    assert_eq!(hub.run(&["health", &other]).status.code(), Some(1));
}

/// A server that says each client's token back as it closes. Returns its address.
fn parrot() -> String {
    use futures_util::StreamExt as _;
    use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
    use tokio_tungstenite::tungstenite::protocol::CloseFrame;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    let serve = async move {
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        while let Ok((stream, _)) = listener.accept().await {
            let mut said = String::new();
            let hear = |request: &Request, response: Response| -> Result<Response, ErrorResponse> {
                said = request.headers()["authorization"].to_str().unwrap().to_owned();
                Ok(response)
            };
            let mut socket = tokio_tungstenite::accept_hdr_async(stream, hear).await.unwrap();
            let close = CloseFrame { code: 4500.into(), reason: format!("I do not know {said}").into() };
            let _ = socket.close(Some(close)).await;
            // Until the client has read it.
            while socket.next().await.is_some_and(|message| message.is_ok()) {}
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    // It ends with the test's process.
    std::thread::Builder::new().name("parrot".into()).spawn(move || runtime.block_on(serve)).unwrap();
    url
}

#[test]
fn a_token_that_a_server_repeats_is_shown_by_neither_program() {
    let (home, url) = (tempfile::tempdir().unwrap(), parrot());
    for arguments in [&["tail", &url][..], &["tail", &url, "--json"], &["agent", "--url", &url]] {
        let done = duplexctl(home.path(), arguments).env("DUPLEX_TOKEN", SECRET).output().unwrap();
        assert_eq!(done.status.code(), Some(3), "{}", said(&done));
        assert!(said(&done).contains("I do not know"), "{}", said(&done));
        assert_hidden(arguments[0], &said(&done), &[SECRET]);
    }

    let model = SharedModel::default();
    let (woken, wakes) = std::sync::mpsc::sync_channel(1);
    let mut profile = duplex::model::Profile {
        id: ConnectionId::COMMAND_LINE,
        name: String::new(),
        urls: vec![Address::parse(&url).unwrap().url],
        protocol: Default::default(),
        socket: Socket::Tungstenite,
        route: Default::default(),
        ca_file: None,
        fingerprint: None,
        auto_connect: true,
        websocket: Default::default(),
        network: Default::default(),
    };
    let only = Some((profile.clone(), Some(Secret::new(SECRET))));
    let options = Options { data_dir: home.path().join("app"), only, tell: None };
    let worker = Worker::spawn(options, model.clone(), Arc::new(move |_| _ = woken.try_send(()))).unwrap();
    let until = |what: &str, look: &dyn Fn(&Model) -> Option<String>| {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = model.read(look) {
                return found;
            }
            assert!(Instant::now() < deadline, "waited too long for {what}");
            let _ = wakes.recv_timeout(Duration::from_secs(1));
        }
    };
    let stopped = until("the connection to stop", &|model| match &model.connections.values().next()?.link {
        LinkState::Stopped { why } => Some(format!("{why:?}")),
        _ => None,
    });
    profile.id = ConnectionId(7);
    let credential = Credential::Token(Secret::new(SECRET));
    worker.want(Intent::Link(LinkIntent::TestConnection { profile, credential })).unwrap();
    let tested = until("the test", &|model| match model.test.as_ref()? {
        TestOutcome::Failed(why) => Some(format!("{why:?}")),
        _ => None,
    });
    for shown in [stopped, tested] {
        assert!(shown.contains("I do not know"), "{shown}");
        assert_hidden("the window", &shown, &[SECRET]);
    }
    worker.shut_down();
}
