//! The check of a connection, against servers on loopback that work, and that fail in every way on the way there.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test program")]

#[path = "common/middleboxes.rs"]
mod middleboxes;
#[path = "common/proxies.rs"]
mod proxies;
#[allow(dead_code, reason = "some of its servers are for other tests")]
#[path = "common/ws_server.rs"]
mod server;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use duplex::doctor::{ENGLISH, KOREAN, Said, text};
use duplex::hub::{self, Options, Running, Tls};
use duplex::model::ConnectionId;
use duplex::model::diagnosis::{Distrust, Found, Login, Report, StepKind, Trust, Verdict};
use duplex::model::link_state::Why;
use duplex::model::profile::{NetworkOptions, Profile, Protocol, Secret, Socket, WebSocketOptions};
use duplex::model::proxy::{Proxy as Written, ProxyChoice, ProxyProblem};
use duplex::model::route::{Blocked, HttpVersion, Route, RouteChoice};
use duplex::worker::access::Access;
use duplex::worker::doctor::{Limits, check};
use middleboxes::Faults;
use proxies::{Proxy, Rules};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;

/// Turns a hang into a failure.
const GUARD: Duration = Duration::from_secs(60);
/// Measuring takes no longer than a test needs.
const QUICK: Limits = Limits {
    measure: Duration::from_millis(200),
    measure_poll: Duration::from_millis(500),
    ..Limits::DEFAULT
};
/// Where nothing answers, nobody waits long for it here.
const SHORT: Limits = Limits { step: Duration::from_millis(300), open: Duration::from_millis(300), ..QUICK };

fn profile(url: &str, protocol: Protocol) -> Profile {
    Profile {
        id: ConnectionId::COMMAND_LINE,
        name: String::new(),
        urls: vec![url.to_owned()],
        protocol,
        socket: Socket::Tungstenite,
        ca_file: None,
        fingerprint: None,
        auto_connect: true,
        route: RouteChoice::Automatic,
        websocket: WebSocketOptions::default(),
        network: NetworkOptions::default(),
    }
}

async fn check_with(profile: Profile, access: Access, limits: Limits) -> Report {
    let (progress, mut steps) = mpsc::channel(64);
    let report =
        tokio::time::timeout(GUARD, check(profile, access, progress, limits)).await.expect("in time");
    // What was said meanwhile is the beginning of it.
    let mut last = 0;
    while let Ok(partial) = steps.try_recv() {
        assert!(partial.steps.len() >= last || report.protocol != Protocol::Duplex);
        last = partial.steps.len();
    }
    report
}

async fn at(url: &str) -> Report {
    check_with(profile(url, Protocol::Duplex), Access::Nobody, QUICK).await
}

async fn hub() -> (tempfile::TempDir, Running) {
    let dir = tempfile::tempdir().unwrap();
    let running = hub::start(Options::embedded(dir.path())).await.unwrap();
    (dir, running)
}

fn token(running: &Running) -> Access {
    Access::Token(running.admin_token.clone())
}

fn say(why: &Why) -> Said {
    Said { what: format!("{why:?}"), then: String::new() }
}

fn kinds(report: &Report) -> Vec<StepKind> {
    report.steps.iter().map(|step| step.kind()).collect()
}

#[tokio::test]
async fn a_hub_that_works_is_measured() {
    let (_dir, hub) = hub().await;
    let report = check_with(profile(&hub.url, Protocol::Duplex), token(&hub), QUICK).await;
    assert_eq!((report.verdict().is_usable(), &report.login), (true, &Login::In), "{report:#?}");
    assert_eq!(kinds(&report), [StepKind::Name, StepKind::Tcp, StepKind::Http, StepKind::Handshake]);
    assert!(report.failure().is_none(), "{:?}", report.failure());
    let socket = report.route(Route::WebSocket).unwrap();
    assert!(socket.samples > 10 && socket.first_message_us.is_some());
    assert!(socket.rtt_p50_us.unwrap() > 0 && socket.rtt_p50_us <= socket.rtt_p99_us);
    // A frame of 100 bytes has a head of 2 bytes, and 4 more for the client's mask.
    assert_eq!((socket.bytes_up, socket.bytes_down), (Some(106), Some(102)));
    assert_eq!(socket.idle_requests_per_hour, Some(0));
    assert_eq!(report.verdict(), Verdict::Works, "{report:#?}");
    for route in Route::ALL {
        let one = report.route(route).unwrap();
        assert!(one.works == Some(true) && one.samples > 0, "{one:?}");
        assert!(one.bytes_up >= Some(106) && one.bytes_down >= Some(102), "HTTP costs more: {one:?}");
    }
    assert!(report.route(Route::LongPoll).unwrap().idle_requests_per_hour > Some(0));
    hub.shutdown().await;
}

#[tokio::test]
async fn without_a_token_it_is_said_how_far_it_leads() {
    let (_dir, hub) = hub().await;
    let report = at(&hub.url).await;
    assert_eq!((report.verdict(), &report.login), (Verdict::Reached, &Login::NoCredentials), "{report:#?}");
    let socket = report.route(Route::WebSocket).unwrap();
    assert_eq!((socket.works, socket.bytes_up, socket.bytes_down), (Some(true), Some(106), Some(102)));
    for route in Route::ALL {
        let one = report.route(route).unwrap();
        assert!(one.works == Some(true) && one.samples > 0, "{one:?}");
    }
    hub.shutdown().await;
}

#[tokio::test]
async fn a_token_that_is_not_known_is_shown_once_and_refused() {
    let (_dir, hub) = hub().await;
    let bad = Access::Token(Secret::new("0".repeat(64)));
    let report = check_with(profile(&hub.url, Protocol::Duplex), bad, QUICK).await;
    assert!(matches!(report.verdict(), Verdict::LoginRefused(_)), "{report:#?}");
    assert_eq!(report.route(Route::WebSocket).unwrap().works, Some(true), "the way there is good");
    hub.shutdown().await;
}

#[tokio::test]
async fn nothing_listens() {
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    for (protocol, url) in [
        (Protocol::Duplex, format!("ws://{gone}/v1/socket")),
        (Protocol::WebSocket, format!("ws://{gone}/")),
        (Protocol::Mqtt, format!("mqtt://{gone}")),
        (Protocol::Stomp, format!("stomp://{gone}")),
        (Protocol::SocketIo, format!("ws://{gone}/socket.io/")),
    ] {
        let report = check_with(profile(&url, protocol), Access::Nobody, QUICK).await;
        assert_eq!(report.verdict(), Verdict::NothingListens { at: gone.to_string() });
        assert_eq!(kinds(&report), [StepKind::Name, StepKind::Tcp]);
        assert!(report.routes.is_empty(), "nothing else was tried");
    }
}

#[tokio::test]
async fn a_server_that_says_nothing() {
    let address = server::tcp(|stream| async move {
        let _open = stream;
        std::future::pending::<()>().await;
    })
    .await;
    let url = format!("ws://{address}/v1/socket");
    let report = check_with(profile(&url, Protocol::Duplex), Access::Nobody, SHORT).await;
    assert_eq!(report.verdict(), Verdict::Silent { at: address.to_string() }, "{report:#?}");
    let url = format!("wss://{address}/v1/socket");
    let report = check_with(profile(&url, Protocol::Duplex), Access::Nobody, SHORT).await;
    assert_eq!(report.verdict(), Verdict::Silent { at: address.to_string() }, "{report:#?}");
    assert_eq!(report.failure().map(|(step, _)| step.kind()), Some(StepKind::Tls));
}

#[tokio::test]
async fn a_server_without_tls() {
    let (_dir, hub) = hub().await;
    let report = at(&hub.url.replace("ws://", "wss://")).await;
    let why = Why::WrongScheme { is_tls: false };
    assert_eq!(report.verdict(), Verdict::Failed { step: StepKind::Tls, why }, "{report:#?}");
    hub.shutdown().await;
}

#[tokio::test]
async fn a_web_page_instead_of_the_server() {
    let page = "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nServer: portal\r\nContent-Length: 5\r\n\r\nhello";
    let report = at(&server::answering(page).await).await;
    assert_eq!(report.verdict(), Verdict::Page { status: 200, location: None }, "{report:#?}");
    let moved = "HTTP/1.1 302 Found\r\nLocation: http://portal.example/login?token=hunter2\r\nContent-Length: 0\r\n\r\n";
    let report = at(&server::answering(moved).await).await;
    let location = Some("http://portal.example/login".to_owned());
    assert_eq!(report.verdict(), Verdict::Page { status: 302, location }, "{report:#?}");
    let sign_in = "HTTP/1.1 511 Network Authentication Required\r\nContent-Length: 0\r\n\r\n";
    let report = at(&server::answering(sign_in).await).await;
    assert_eq!(report.verdict(), Verdict::SignIn { status: 511 }, "{report:#?}");
}

#[tokio::test]
async fn a_websocket_that_is_not_of_a_duplex_server() {
    let url = server::websocket(server::echo).await;
    let report = at(&url).await;
    assert!(!report.verdict().is_reached(), "{report:#?}");
    let report = check_with(profile(&url, Protocol::WebSocket), Access::Nobody, QUICK).await;
    assert_eq!(report.verdict(), Verdict::Works, "{report:#?}");
    let Found::Handshake { answer: Some(answer), .. } = &report.steps.last().unwrap().found else {
        panic!("{report:#?}")
    };
    assert_eq!(answer.status, 101);
    let refusing = server::answering("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n").await;
    let report = check_with(profile(&refusing, Protocol::WebSocket), Access::Nobody, QUICK).await;
    let why = Why::Http { status: 403, retry_after_ms: None };
    assert_eq!(report.verdict(), Verdict::Failed { step: StepKind::Handshake, why }, "{report:#?}");
}

/// A CA, and the certificates that it signs.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    file: PathBuf,
    _dir: tempfile::TempDir,
}

impl Authority {
    fn new() -> Authority {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "Test authority");
        let key = KeyPair::generate().unwrap();
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("ca.pem");
        std::fs::write(&file, params.self_signed(&key).unwrap().pem()).unwrap();
        Authority { issuer: Issuer::new(params, key), file, _dir: dir }
    }

    /// A server with a certificate of this authority, that never answers what comes by TLS.
    async fn serve(&self, name: &str, (from, until): (i32, i32)) -> SocketAddr {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_before = date_time_ymd(from, 1, 1);
        params.not_after = date_time_ymd(until, 6, 15);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap().der().clone();
        serve(certificate, &key).await
    }
}

async fn serve(certificate: CertificateDer<'static>, key: &KeyPair) -> SocketAddr {
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    server::tcp(move |stream| {
        let acceptor = acceptor.clone();
        async move {
            if let Ok(mut stream) = acceptor.accept(stream).await {
                let mut heard = Vec::new();
                let _ = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut heard).await;
                assert!(heard.is_empty(), "something was said to a server that is not trusted");
            }
        }
    })
    .await
}

async fn distrusted(address: SocketAddr, ca_file: Option<PathBuf>) -> (Distrust, Report) {
    let profile = Profile { ca_file, ..profile(&format!("wss://{address}/v1/socket"), Protocol::Duplex) };
    let report = check_with(profile, Access::Token(Secret::new("1".repeat(64))), QUICK).await;
    assert_eq!(kinds(&report), [StepKind::Name, StepKind::Tcp, StepKind::Tls]);
    assert!(report.routes.is_empty(), "nothing else was tried");
    match report.verdict() {
        Verdict::Untrusted { distrust, .. } => (distrust, report),
        other => panic!("{other:?} {report:#?}"),
    }
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted_and_why() {
    let authority = Authority::new();
    let file = || Some(authority.file.clone());
    let expired = authority.serve("127.0.0.1", (2020, 2021)).await;
    let (distrust, report) = distrusted(expired, file()).await;
    assert_eq!(distrust, Distrust::Expired);
    let said = ENGLISH.verdict(&report, &say);
    assert!(said.what.contains("expired on 2021-06-15"), "{said:?}");
    assert!(KOREAN.verdict(&report, &say).what.contains("2021-06-15"));
    let tls = report.tls().unwrap();
    assert_eq!((tls.version.as_str(), tls.chain.len()), ("TLS 1.3", 1));
    assert_eq!(tls.chain[0].names, ["127.0.0.1"]);

    let early = authority.serve("127.0.0.1", (2099, 2100)).await;
    assert_eq!(distrusted(early, file()).await.0, Distrust::NotYetValid);
    let other = authority.serve("other.example", (2020, 2100)).await;
    let (distrust, report) = distrusted(other, file()).await;
    assert_eq!(distrust, Distrust::WrongName);
    assert!(ENGLISH.verdict(&report, &say).what.contains("other.example"));
    assert_eq!(distrusted(other, None).await.0, Distrust::UnknownIssuer);

    let key = KeyPair::generate().unwrap();
    let own = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap().self_signed(&key).unwrap();
    let own = serve(own.der().clone(), &key).await;
    assert_eq!(distrusted(own, None).await.0, Distrust::SelfSigned);
}

#[tokio::test]
async fn a_certificate_that_is_trusted_and_why() {
    let dir = tempfile::tempdir().unwrap();
    let hub = hub::start(Options { tls: Tls::SelfSigned, ..Options::embedded(dir.path()) }).await.unwrap();
    let pinned = Profile { fingerprint: hub.fingerprint.clone(), ..profile(&hub.url, Protocol::Duplex) };
    let report = check_with(pinned.clone(), token(&hub), QUICK).await;
    assert!(report.verdict().is_usable(), "{report:#?}");
    assert_eq!(report.tls().unwrap().trust, Some(Trust::Pinned));
    let socket = report.route(Route::WebSocket).unwrap();
    assert!(socket.bytes_up.unwrap() > 106, "TLS is counted, too: {socket:?}");
    let versions: Vec<_> = report.routes.iter().map(|route| route.http).collect();
    let http2 = Some(HttpVersion::Http2);
    assert_eq!(versions, [None, http2, http2, http2, http2]);
    assert!(text(&ENGLISH, &report, &say).contains("yes, HTTP/2"));
    let other = Profile { fingerprint: Some("0".repeat(64)), ..pinned };
    let report = check_with(other, token(&hub), QUICK).await;
    assert!(
        matches!(report.verdict(), Verdict::Untrusted { distrust: Distrust::NotPinned, .. }),
        "{report:#?}"
    );
    hub.shutdown().await;
}

#[tokio::test]
async fn a_name_that_leads_nowhere() {
    let report = at("wss://nowhere.invalid/v1/socket").await;
    assert_eq!(report.verdict(), Verdict::NameNotFound { host: "nowhere.invalid".to_owned() });
}

#[tokio::test]
async fn a_report_holds_no_secret() {
    let url = server::answering("HTTP/1.1 403 hunter2\r\nServer: hunter2\r\nContent-Length: 0\r\n\r\n").await;
    let access = Access::Token(Secret::new("hunter2".to_owned()));
    let report = check_with(profile(&format!("{url}?key=hunter3"), Protocol::Duplex), access, QUICK).await;
    for words in [&ENGLISH, &KOREAN] {
        let text = text(words, &report, &say);
        assert!(!text.contains("hunter"), "{text}");
    }
    assert!(!format!("{report:?}").contains("hunter2"), "{report:?}");
}

/// What a proxy of these tests does to the request for a WebSocket.
#[derive(Copy, Clone)]
enum Blocks {
    /// Removes what asks for it.
    Strips,
    /// Answers in the server's place.
    Refuses,
    /// Never answers.
    Swallows,
    /// Ends the connection.
    Cuts,
    /// Lets it open, and nothing through it after that.
    Mutes,
}

/// A proxy before a hub, that passes everything on but WebSockets. Returns its address.
async fn proxy(hub: SocketAddr, blocks: Blocks) -> SocketAddr {
    server::tcp(move |mut near| async move {
        let mut far = tokio::net::TcpStream::connect(hub).await.unwrap();
        let head = server::read_request(&mut near).await;
        let asks = server::header(&head, "upgrade").is_some();
        let passed = match blocks {
            _ if !asks => head,
            Blocks::Strips => {
                let kept = head.split("\r\n").filter(|line| {
                    let line = line.to_ascii_lowercase();
                    !line.starts_with("upgrade:") && !line.starts_with("connection:")
                });
                kept.collect::<Vec<_>>().join("\r\n")
            }
            Blocks::Refuses => {
                let no = "HTTP/1.1 403 Forbidden\r\nVia: 1.1 proxy\r\nContent-Length: 0\r\n\r\n";
                return drop(tokio::io::AsyncWriteExt::write_all(&mut near, no.as_bytes()).await);
            }
            Blocks::Swallows => {
                std::future::pending::<()>().await;
                return;
            }
            Blocks::Cuts => return,
            Blocks::Mutes => {
                tokio::io::AsyncWriteExt::write_all(&mut far, head.as_bytes()).await.unwrap();
                let answer = server::read_request(&mut far).await;
                tokio::io::AsyncWriteExt::write_all(&mut near, answer.as_bytes()).await.unwrap();
                std::future::pending::<()>().await;
                return;
            }
        };
        tokio::io::AsyncWriteExt::write_all(&mut far, passed.as_bytes()).await.unwrap();
        let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
    })
    .await
}

async fn behind(blocks: Blocks, limits: Limits) -> Report {
    let (_dir, hub) = hub().await;
    let url = format!("ws://{}/v1/socket", proxy(hub.addr, blocks).await);
    let report = check_with(profile(&url, Protocol::Duplex), token(&hub), limits).await;
    hub.shutdown().await;
    report
}

#[tokio::test]
async fn a_websocket_that_is_blocked_and_why() {
    let patient = Limits { step: Duration::from_secs(1), open: Duration::from_secs(2), ..QUICK };
    for (blocks, why, limits) in [
        (Blocks::Strips, Blocked::Stripped, QUICK),
        (Blocks::Refuses, Blocked::Refused(403), QUICK),
        (Blocks::Swallows, Blocked::Unanswered, patient),
        (Blocks::Cuts, Blocked::Ended, QUICK),
        (Blocks::Mutes, Blocked::Mute, patient),
    ] {
        let report = behind(blocks, limits).await;
        assert_eq!(report.login, Login::In);
        assert_eq!(report.verdict(), Verdict::Fallback { to: Route::Sse, blocked: Some(why) }, "{report:#?}");
        let said = ENGLISH.verdict(&report, &say);
        assert!(
            said.what.contains("WebSocket is blocked") && said.what.contains("server-sent events"),
            "{said:?}"
        );
    }
}

/// A hub by a name that only a proxy resolves.
async fn hidden_hub() -> (tempfile::TempDir, Running) {
    let dir = tempfile::tempdir().unwrap();
    let options = Options { allowed_hosts: vec!["hub.test".to_owned()], ..Options::embedded(dir.path()) };
    let running = hub::start(options).await.unwrap();
    (dir, running)
}

async fn through(proxy: &str, hub: &Running) -> Report {
    let Written { address, password } = Written::parse(proxy).unwrap();
    let network = NetworkOptions {
        proxy: ProxyChoice::At(address),
        proxy_password: password,
        ..NetworkOptions::default()
    };
    let profile = Profile { network, ..profile("ws://hub.test:7870/v1/socket", Protocol::Duplex) };
    check_with(profile, token(hub), QUICK).await
}

#[tokio::test]
async fn through_a_proxy() {
    let (_dir, hub) = hidden_hub().await;
    let http = Proxy::http(Rules::of("hub.test", hub.addr)).await;
    let socks = Proxy::socks5(Rules::of("hub.test", hub.addr)).await;
    for proxy in [format!("http://{}", http.address), format!("socks5://{}", socks.address)] {
        let report = through(&proxy, &hub).await;
        assert_eq!(report.verdict(), Verdict::Works, "{report:#?}");
        assert_eq!(kinds(&report), [StepKind::Proxy, StepKind::Http, StepKind::Handshake]);
        let text = text(&ENGLISH, &report, &say);
        assert!(text.contains(&format!("Proxy: {proxy} (chosen for this connection)")), "{text}");
    }
    let closed = Proxy::http(Rules::of("hub.test", hub.addr).with_login("somebody", "hunter2")).await;
    let report = through(&format!("http://somebody:hunter2@{}", closed.address), &hub).await;
    assert_eq!(report.verdict(), Verdict::Works, "{report:#?}");
    let text = text(&ENGLISH, &report, &say);
    assert!(!text.contains("hunter2") && !text.contains("somebody"), "{text}");
    hub.shutdown().await;
}

#[tokio::test]
async fn a_proxy_that_lets_nobody_through_and_one_that_passes_on_requests_alone() {
    let (_dir, hub) = hidden_hub().await;
    let closed = Proxy::http(Rules::of("hub.test", hub.addr).with_login("me", "hunter2")).await;
    let report = through(&format!("http://{}", closed.address), &hub).await;
    let Verdict::Failed { step: StepKind::Proxy, why: Why::Proxy { problem, .. } } = report.verdict() else {
        panic!("{report:#?}")
    };
    assert_eq!(problem, ProxyProblem::WantsLogin { was_told: false });
    let rules = Rules { refuses_connect: true, ..Rules::of("hub.test", hub.addr) };
    let forwarding = Proxy::http(rules).await;
    let report = through(&format!("http://{}", forwarding.address), &hub).await;
    assert!(matches!(report.verdict(), Verdict::Fallback { to: Route::Sse, .. }), "{report:#?}");
    hub.shutdown().await;
}

#[tokio::test]
async fn a_proxy_that_buffers_leaves_long_polling() {
    let (_dir, hub) = hub().await;
    let faults = Faults { strips_upgrade: true, buffers_bytes: Some(16 * 1024), ..Faults::default() };
    let url = format!("ws://{}/v1/socket", middleboxes::reverse_proxy(hub.addr, faults).await);
    let patient = Limits { open: Duration::from_secs(2), ..QUICK };
    let report = check_with(profile(&url, Protocol::Duplex), token(&hub), patient).await;
    let blocked = Some(Blocked::Stripped);
    assert_eq!(report.verdict(), Verdict::Fallback { to: Route::LongPoll, blocked }, "{report:#?}");
    for route in [Route::Sse, Route::Stream] {
        assert_eq!(report.route(route).unwrap().works, Some(false), "{report:#?}");
    }
    hub.shutdown().await;
}

#[tokio::test]
async fn a_captive_portal() {
    let url = format!("ws://{}/v1/socket", middleboxes::captive_portal().await);
    let report = check_with(profile(&url, Protocol::Duplex), Access::Nobody, QUICK).await;
    assert!(matches!(report.verdict(), Verdict::Page { .. } | Verdict::SignIn { .. }), "{report:#?}");
}
