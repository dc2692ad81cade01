//! Authentication and access: who may connect.

use std::net::{Ipv4Addr, SocketAddr};

use duplex::hub::{HubError, InviteOptions, Options, Tls};
use duplex::model::PrincipalKind;
use duplex::model::address::Address;
use duplex::model::link_state::Why;
use duplex::model::profile::Socket;
use duplex::transport::{Endpoint, dial};
use duplex::wire::duplex::message::{ClientMessage, Hello, HubMessage, Redeem, close};
use duplex::wire::duplex::proof;
use tempfile::TempDir;

use super::client::{Client, get, hello, hub, new_token, refused};

fn redeem(code: &str, token: &str, name: &str) -> ClientMessage {
    let redeem = Redeem { code: code.to_owned(), name: name.to_owned(), token: token.to_owned() };
    ClientMessage::Hello(Hello { invite: Some(redeem), ..hello() })
}

fn new_code(dir: &TempDir, options: &InviteOptions) -> String {
    duplex::hub::invite(dir.path(), options).unwrap().code.reveal().to_owned()
}

#[tokio::test]
async fn tokens_are_checked_before_the_upgrade() {
    let (_dir, hub) = hub().await;
    let unknown = refused(&hub.url, &[("authorization", "Bearer 1234")]).await;
    assert_eq!(unknown.status(), 401);
    assert_eq!(unknown.headers()["www-authenticate"], "Bearer");
    let basic = refused(&hub.url, &[("authorization", "Basic 1234")]).await;
    assert_eq!(basic.status(), 401);

    let mut client = Client::dial(&hub.url, None).await;
    client.say(&ClientMessage::Hello(Hello { token: Some("1234".to_owned()), ..hello() })).await;
    assert_eq!(client.closed().await.0, close::UNAUTHORIZED);
    let mut client = Client::dial(&hub.url, None).await;
    client.say(&ClientMessage::Hello(hello())).await;
    assert_eq!(client.closed().await.0, close::UNAUTHORIZED);
}

#[tokio::test]
async fn a_token_may_be_sent_in_the_hello() {
    let (_dir, hub) = hub().await;
    let mut client = Client::dial(&hub.url, None).await;
    let token = Some(hub.admin_token.reveal().to_owned());
    client.say(&ClientMessage::Hello(Hello { token, ..hello() })).await;
    assert_eq!(client.welcome().await.me.kind, PrincipalKind::Admin);
}

#[tokio::test]
async fn guessing_tokens_is_blocked_and_others_can_connect() {
    let (_dir, hub) = hub().await;
    for _ in 0..20 {
        assert_eq!(refused(&hub.url, &[("authorization", "Bearer x")]).await.status(), 401);
    }
    let limited = refused(&hub.url, &[("authorization", "Bearer x")]).await;
    assert_eq!(limited.status(), 429);
    let seconds: u64 = limited.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=60).contains(&seconds));
    Client::enter(&hub.url, hub.admin_token.reveal(), None).await;
}

#[tokio::test]
async fn rebound_names_and_foreign_pages_are_refused_everywhere() {
    let (_dir, hub) = hub().await;
    let token = format!("Bearer {}", hub.admin_token.reveal());
    let rebound = refused(&hub.url, &[("host", "evil.example"), ("authorization", &token)]).await;
    assert_eq!(rebound.status(), 421);
    assert!(String::from_utf8_lossy(rebound.body().as_deref().unwrap()).contains("--allow-host"));
    let page = refused(&hub.url, &[("origin", "https://evil.example"), ("authorization", &token)]).await;
    assert_eq!(page.status(), 403);
    for path in ["/healthz", "/metrics", "/elsewhere"] {
        let answer = get(hub.addr, path, "Host: evil.example\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 421 "), "{path}: {answer}");
        let answer = get(hub.addr, path, "Host: localhost\r\nOrigin: null\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 403 "), "{path}: {answer}");
    }
    assert!(get(hub.addr, "/healthz", "").await.starts_with("HTTP/1.1 4"), "without a Host header");
}

#[tokio::test]
async fn allowed_hosts_and_origins_are_accepted() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options {
        allowed_hosts: vec!["hub.example".to_owned()],
        allowed_origins: vec!["https://chat.example".to_owned()],
        ..Options::embedded(dir.path())
    };
    let hub = duplex::hub::start(options).await.unwrap();
    assert!(hub.url.starts_with("ws://hub.example:"));
    let headers = "Host: hub.example:80\r\nOrigin: https://chat.example\r\n";
    assert!(get(hub.addr, "/healthz", headers).await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn health_is_public_and_metrics_are_for_admins() {
    let (dir, hub) = hub().await;
    let (mut ben, ben_token) = Client::join(&dir, &hub.url, "Ben").await;
    let id = ben.send("hi").await;
    ben.acked(id).await;
    let health = get(hub.addr, "/healthz", "Host: localhost\r\n").await;
    assert!(health.starts_with("HTTP/1.1 200 ") && health.contains(r#""status":"ok""#), "{health}");
    let metrics = |token: String| async move {
        get(hub.addr, "/metrics", &format!("Host: localhost\r\nAuthorization: Bearer {token}\r\n")).await
    };
    assert!(get(hub.addr, "/metrics", "Host: localhost\r\n").await.starts_with("HTTP/1.1 401 "));
    assert!(metrics(ben_token).await.starts_with("HTTP/1.1 403 "));
    let text = metrics(hub.admin_token.reveal().to_owned()).await;
    for line in
        ["duplex_connections 1", "duplex_messages_total 1", "duplex_refused_total{reason=\"token\"} 1"]
    {
        assert!(text.contains(line), "{line} is missing in {text}");
    }
}

#[tokio::test]
async fn an_invite_creates_one_principal_even_if_its_answer_is_lost() {
    let (dir, hub) = hub().await;
    let (code, token) = (new_code(&dir, &InviteOptions::default()), new_token());
    let enter = async |code: &str, token: &str, name: &str| {
        let mut client = Client::dial(&hub.url, None).await;
        client.say(&redeem(code, token, name)).await;
        client
    };
    let me = enter(&code, &token, "Ben").await.welcome().await.me;
    assert_eq!(enter(&code.to_uppercase(), &token, "Ben").await.welcome().await.me, me);
    let (_, welcome) = Client::enter(&hub.url, &token, None).await;
    assert_eq!(welcome.me, me);
    assert_eq!(enter(&code, &new_token(), "Eve").await.closed().await.0, close::INVITE_REFUSED, "used");

    let expired = new_code(&dir, &InviteOptions { expires_ms: 0, ..InviteOptions::default() });
    assert_eq!(enter(&expired, &new_token(), "Eve").await.closed().await.0, close::INVITE_REFUSED);
    assert_eq!(enter("no-such", &new_token(), "Eve").await.closed().await.0, close::INVITE_REFUSED);
    let code = new_code(&dir, &InviteOptions::default());
    for (token, name) in [("short", "Eve"), (&*new_token(), " "), (&*token, "Eve"), (&*new_token(), "a\nb")] {
        let closed = enter(&code, token, name).await.closed().await;
        assert_eq!(closed.0, close::INVITE_REFUSED, "{token} {name:?}");
    }
    enter(&code, &new_token(), "Carl").await.welcome().await;
}

#[tokio::test]
async fn an_invite_contains_address_and_fingerprint() {
    let dir = tempfile::tempdir().unwrap();
    let none = duplex::hub::invite(dir.path(), &InviteOptions::default());
    assert!(matches!(none, Err(HubError::NotRunning { .. })));
    let options = Options { tls: Tls::SelfSigned, ..Options::embedded(dir.path()) };
    let hub = duplex::hub::start(options).await.unwrap();
    let invite = duplex::hub::invite(dir.path(), &InviteOptions::default()).unwrap();
    let link = Address::parse(&invite.link.to_string()).unwrap();
    assert_eq!(link, invite.link);
    assert_eq!((link.url, link.fingerprint), (hub.url.clone(), hub.fingerprint.clone()));
    let url = Some("wss://hub.example/v1/socket".to_owned());
    let invite = duplex::hub::invite(dir.path(), &InviteOptions { url, ..InviteOptions::default() }).unwrap();
    assert!(invite.link.to_string().starts_with("wss://hub.example/v1/socket#invite="));
}

#[tokio::test]
async fn the_hubs_proof_is_bound_to_the_dialed_address() {
    let (dir, hub) = hub().await;
    let secret = duplex::hub::secret(dir.path()).unwrap();
    let mut client = Client::dial(&hub.url, None).await;
    let challenge = new_token();
    client.say(&ClientMessage::Hello(Hello { challenge: Some(challenge.clone()), ..hello() })).await;
    let HubMessage::Proof { mac } = client.hear().await else { panic!("no proof") };
    assert!(proof::verify(&secret, &hub.addr.to_string(), &challenge, &mac));
    assert!(!proof::verify(&secret, "127.0.0.1:1", &challenge, &mac), "an impostor's port");
    assert!(!proof::verify(&[0; 32], &hub.addr.to_string(), &challenge, &mac));
    let token = duplex::hub::token(dir.path()).unwrap().reveal().to_owned();
    client.say(&ClientMessage::Auth { token: token.as_str().into() }).await;
    assert_eq!(client.welcome().await.me.kind, PrincipalKind::Admin);
}

#[tokio::test]
async fn a_self_signed_hub_keeps_its_fingerprint() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options { tls: Tls::SelfSigned, ..Options::embedded(dir.path()) };
    let hub = duplex::hub::start(options.clone()).await.unwrap();
    let fingerprint = hub.fingerprint.clone().unwrap();
    assert!(hub.url.starts_with("wss://127.0.0.1:"), "{}", hub.url);
    let pinned = Endpoint { fingerprint: Some(fingerprint.clone()), ..Endpoint::new(&hub.url) };
    dial(Socket::Tungstenite, pinned.clone()).await.unwrap();
    let wrong = Endpoint { fingerprint: Some("0".repeat(64)), ..pinned.clone() };
    assert!(!matches!(dial(Socket::Tungstenite, wrong).await, Ok(_) | Err(Why::Unsupported { .. })));
    assert!(dial(Socket::Tungstenite, Endpoint::new(&hub.url)).await.is_err(), "no authority signed it");
    let plain = hub.url.replace("wss://", "ws://");
    assert!(dial(Socket::Tungstenite, Endpoint::new(plain)).await.is_err());
    hub.shutdown().await;
    let again = duplex::hub::start(options).await.unwrap();
    assert_eq!(again.fingerprint, Some(fingerprint));
    dial(Socket::Tungstenite, pinned).await.unwrap();
}

#[tokio::test]
async fn own_certificates_are_used_and_bad_ones_reported() {
    let dir = tempfile::tempdir().unwrap();
    let pair = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let (cert, key) = (dir.path().join("cert.pem"), dir.path().join("key.pem"));
    std::fs::write(&cert, pair.cert.pem()).unwrap();
    std::fs::write(&key, pair.signing_key.serialize_pem()).unwrap();
    let with = |cert, key| Options { tls: Tls::Files { cert, key }, ..Options::embedded(dir.path()) };
    let hub = duplex::hub::start(with(cert.clone(), key.clone())).await.unwrap();
    assert_eq!(hub.fingerprint, None);
    let target = Endpoint { ca_file: Some(cert.clone()), ..Endpoint::new(&hub.url) };
    dial(Socket::Tungstenite, target).await.unwrap();
    hub.shutdown().await;
    for (bad_cert, bad_key) in
        [(key.clone(), key.clone()), (cert.clone(), cert), (dir.path().join("none"), key)]
    {
        let refused = duplex::hub::start(with(bad_cert, bad_key)).await.err();
        assert!(matches!(refused, Some(HubError::Certificate { .. })), "{refused:?}");
    }
}

#[tokio::test]
async fn beyond_loopback_tls_or_insecure_is_required() {
    let dir = tempfile::tempdir().unwrap();
    let listen = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
    let options = Options { listen, embedded: false, ..Options::embedded(dir.path()) };
    let refused = duplex::hub::start(options.clone()).await.err().unwrap();
    assert!(matches!(refused, HubError::TlsRequired { .. }));
    assert!(refused.to_string().contains("--insecure"), "{refused}");
    let hub = duplex::hub::start(Options { insecure: true, ..options.clone() }).await.unwrap();
    assert!(!hub.url.contains("0.0.0.0"), "{}", hub.url);
    hub.shutdown().await;
    let hub = duplex::hub::start(Options { tls: Tls::SelfSigned, ..options }).await.unwrap();
    assert!(hub.url.starts_with("wss://"));
}

#[tokio::test]
async fn an_invite_can_be_checked_without_using_it_but_not_guessed() {
    let (dir, hub) = hub().await;
    let check = |code: &str| ClientMessage::CheckInvite { code: code.into() };
    let code = new_code(&dir, &InviteOptions::default());
    for _ in 0..2 {
        let mut client = Client::dial(&hub.url, None).await;
        // In any spelling.
        client.say(&check(&code.to_uppercase().replace('-', " "))).await;
        let good = |message: &HubMessage| match message {
            HubMessage::InviteGood { hub, expires } => Some((hub.clone(), *expires)),
            _ => None,
        };
        let (name, expires) = client.find(good).await;
        assert!(!name.is_empty() && expires > duplex::clock::now().wall_ms);
        assert_eq!(client.closed().await.0, 1000);
    }
    let (mut joined, _) = (Client::dial(&hub.url, None).await, ());
    joined.say(&redeem(&code, &new_token(), "Mina")).await;
    assert_eq!(joined.welcome().await.me.name, "Mina", "it was not used up");
    let expired = new_code(&dir, &InviteOptions { expires_ms: 0, ..InviteOptions::default() });
    for bad in [code.as_str(), expired.as_str(), "0000-0000-0000-0000", ""] {
        let mut client = Client::dial(&hub.url, None).await;
        client.say(&check(bad)).await;
        assert_eq!(client.closed().await.0, close::INVITE_REFUSED, "{bad}");
    }
    // Each bad code counts as a bad token does.
    for _ in 0..20 {
        let mut client = Client::dial(&hub.url, None).await;
        client.say(&check("0000-0000-0000-0000")).await;
        client.closed().await;
    }
    assert_eq!(refused(&hub.url, &[("authorization", "Bearer x")]).await.status(), 429);
}
