//! The app's hub opens and closes its LAN listener while its own clients stay connected.

use std::net::TcpListener;
use std::path::Path;

use duplex::frame::Frame;
use duplex::hub::{Handle, HubAddressFile, HubError, InviteOptions, Options};
use duplex::model::lan::{Lan, LanChoice, LanOpen, NotOpened};
use duplex::model::link_state::Why;
use duplex::model::profile::Socket;
use duplex::transport::{Connection, Endpoint, Incoming, Outgoing, dial};
use duplex::wire::duplex::message::{ClientMessage, Decoded, Hello, HubMessage, Redeem, close, decode};
use tokio::sync::watch;

use super::client::{Client, frame, get, hello, new_token, within};

/// The app's hub, without announcements.
fn start(dir: &Path, wanted: watch::Receiver<LanChoice>) -> Result<Handle, HubError> {
    let options = Options { announce: false, ..Options::embedded(dir) };
    duplex::hub::spawn_with(options, wanted)
}

/// Waits until the state satisfies a condition.
async fn until<T>(lan: &mut watch::Receiver<Lan>, what: &str, is_so: impl Fn(&Lan) -> Option<T>) -> T {
    within(what, async {
        loop {
            if let Some(found) = is_so(&lan.borrow_and_update()) {
                return found;
            }
            lan.changed().await.unwrap();
        }
    })
    .await
}

async fn opened(lan: &mut watch::Receiver<Lan>) -> LanOpen {
    until(lan, "the hub to open", |lan| lan.opened().cloned()).await
}

/// The LAN listener as this computer dials it.
fn target(open: &LanOpen) -> Endpoint {
    let mut target = Endpoint::new(format!("wss://127.0.0.1:{}/v1/socket", open.port));
    target.fingerprint = Some(open.fingerprint.clone());
    target
}

async fn come_in(open: &LanOpen, hello: Hello) -> Connection {
    let connection = dial(Socket::Tungstenite, target(open)).await.unwrap();
    let text = frame(&ClientMessage::Hello(hello));
    assert!(connection.send(Frame::Text(text)).await);
    connection
}

async fn hear(connection: &mut Connection) -> Result<HubMessage, Why> {
    match within("a message", connection.recv()).await {
        Some(Incoming::Frame(frame)) => match decode::<HubMessage>(&frame).unwrap() {
            Decoded::Known(message) => Ok(message),
            Decoded::UnknownType(kind) => panic!("an unknown type: {kind}"),
        },
        Some(Incoming::Flushed(_) | Incoming::Pong | Incoming::Route(_)) => panic!("nobody has asked for it"),
        Some(Incoming::Closed(why)) => Err(why),
        None => panic!("the connection ended before"),
    }
}

#[tokio::test]
async fn the_lan_listener_opens_and_closes_while_local_clients_stay() {
    let dir = tempfile::tempdir().unwrap();
    let (want, wanted) = watch::channel(LanChoice::default());
    let hub = start(dir.path(), wanted).unwrap();
    let mut lan = hub.lan();
    assert!(hub.url.starts_with("ws://127.0.0.1:"), "{}", hub.url);
    let (mut own, _) = Client::enter(&hub.url, hub.admin_token.reveal(), None).await;
    let before = HubAddressFile::read(dir.path()).unwrap();

    want.send_replace(LanChoice { open: true, port: 0 });
    let open = opened(&mut lan).await;
    assert_ne!(open.port, 0);
    assert_eq!(open.host, format!("duplex-{}.local", &open.fingerprint[..8]));
    assert!(open.public_key_pin.starts_with("sha256//"), "{}", open.public_key_pin);
    let beacon = HubAddressFile::read(dir.path()).unwrap();
    assert_eq!(
        HubAddressFile { lan: before.lan.clone(), ..beacon.clone() },
        before,
        "loopback is not affected"
    );
    if let Some(way) = beacon.lan {
        assert_eq!((way.url, way.fingerprint), (open.url().unwrap(), open.fingerprint.clone()));
    }

    // With an invite, trusting only the certificate.
    let invite = duplex::hub::invite(dir.path(), &InviteOptions::default()).unwrap();
    let redeem =
        Redeem { code: invite.code.reveal().to_owned(), name: "Mina".to_owned(), token: new_token() };
    let mut guest = come_in(&open, Hello { invite: Some(redeem), ..hello() }).await;
    assert!(matches!(hear(&mut guest).await, Ok(HubMessage::Welcome(welcome)) if welcome.me.name == "Mina"));
    let mut other = target(&open);
    other.fingerprint = Some("0f".repeat(32));
    let refused = dial(Socket::Tungstenite, other).await.unwrap_err();
    assert!(matches!(refused, Why::TlsUntrusted { .. }), "{refused:?}");
    let plain = Endpoint::new(format!("ws://127.0.0.1:{}/v1/socket", open.port));
    assert!(dial(Socket::Tungstenite, plain).await.is_err(), "there is no way in without TLS");

    want.send_replace(LanChoice { open: false, port: open.port });
    let port = until(&mut lan, "the hub to close", |lan| match lan {
        Lan::Closed { ended: Some(_), port } => Some(*port),
        _ => None,
    })
    .await;
    assert_eq!(port, open.port);
    let why = loop {
        match hear(&mut guest).await {
            Ok(_) => {}
            Err(why) => break why,
        }
    };
    assert!(matches!(&why, Why::Closed { .. } | Why::Lost { .. }), "{why:?}");
    assert!(dial(Socket::Tungstenite, target(&open)).await.is_err(), "the listener is closed");
    assert_eq!(HubAddressFile::read(dir.path()).unwrap(), before);
    let id = own.send("still here").await;
    own.acked(id).await;

    // The same certificate and port again: an earlier invite is still valid.
    want.send_replace(LanChoice { open: true, port: open.port });
    let again = opened(&mut lan).await;
    assert_eq!((again.port, &again.fingerprint), (open.port, &open.fingerprint));
    hub.shutdown();
    assert!(dial(Socket::Tungstenite, target(&open)).await.is_err(), "it closes with the hub");
}

#[tokio::test]
async fn a_port_in_use_is_reported_and_another_one_works() {
    let dir = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("0.0.0.0:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    // It was open when the app was closed.
    let (want, wanted) = watch::channel(LanChoice { open: true, port });
    let hub = start(dir.path(), wanted).unwrap();
    let mut lan = hub.lan();
    let failed = until(&mut lan, "the refusal", |lan| match lan {
        Lan::Failed { port, why } => Some((*port, why.clone())),
        _ => None,
    })
    .await;
    assert_eq!(failed, (port, NotOpened::PortInUse));
    let (_own, _) = Client::enter(&hub.url, hub.admin_token.reveal(), None).await;
    want.send_replace(LanChoice { open: true, port: 0 });
    assert_ne!(opened(&mut lan).await.port, port);
    hub.shutdown();
}

#[tokio::test]
async fn guessing_over_the_network_is_blocked_even_from_this_computer() {
    let dir = tempfile::tempdir().unwrap();
    let (_want, wanted) = watch::channel(LanChoice { open: true, port: 0 });
    let hub = start(dir.path(), wanted).unwrap();
    let open = opened(&mut hub.lan()).await;
    let mut last = None;
    for _ in 0..40 {
        let mut target = target(&open);
        let wrong = format!("Bearer {}", new_token()).parse().unwrap();
        target.headers.push((http::header::AUTHORIZATION, wrong));
        match dial(Socket::Tungstenite, target).await.unwrap_err() {
            Why::Http { status: 401, .. } | Why::Unauthorized => {}
            other => {
                last = Some(other);
                break;
            }
        }
    }
    assert!(matches!(last, Some(Why::Http { status: 429, .. })), "{last:?}");
    // Over loopback it can still connect.
    let addr = hub.url.strip_prefix("ws://").unwrap().split('/').next().unwrap().parse().unwrap();
    assert!(get(addr, "/healthz", "Host: localhost\r\n").await.starts_with("HTTP/1.1 200"));
    let (_own, _) = Client::enter(&hub.url, hub.admin_token.reveal(), None).await;
    hub.shutdown();
}

#[tokio::test]
async fn closed_clients_are_told_why() {
    let dir = tempfile::tempdir().unwrap();
    let (want, wanted) = watch::channel(LanChoice { open: true, port: 0 });
    let hub = start(dir.path(), wanted).unwrap();
    let mut lan = hub.lan();
    let open = opened(&mut lan).await;
    let token = hub.admin_token.reveal().to_owned();
    let mut guest = come_in(&open, Hello { token: Some(token), ..hello() }).await;
    assert!(matches!(hear(&mut guest).await, Ok(HubMessage::Welcome(_))));
    want.send_replace(LanChoice::default());
    let bye = loop {
        match hear(&mut guest).await {
            Ok(HubMessage::Bye { code, reason, .. }) => break (code, reason),
            Ok(_) => {}
            Err(why) => panic!("closed without a reason: {why:?}"),
        }
    };
    assert_eq!(bye, (close::GOING_AWAY, "this server is no longer open to the network".to_owned()));
    drop(guest.outgoing.send(Outgoing::Close { code: 1000, reason: String::new() }).await);
    hub.shutdown();
}
