//! Finds out what a server speaks, by trying: a Duplex server's answer, an Engine.IO handshake, a subprotocol of STOMP or MQTT,
//! a `CONNACK`, a WebSocket that opens.
//! No credentials are sent.

use std::time::Duration;

use tokio::time::timeout;

use super::access::Access;
use super::trial::try_out;
use crate::clock;
use crate::frame::Frame;
use crate::model::Address;
use crate::model::address::{is_mqtt, is_stomp, is_stream, mqtt_url, stomp_url, websocket_url};
use crate::model::event::{Reached, TestOutcome};
use crate::model::link_state::{Phase, Why};
use crate::model::profile::{Profile, Protocol};
use crate::model::socketio::Carriers;
use crate::model::socketio_address::{candidates, socketio_url};
use crate::transport::{self, Connection, Endpoint, Incoming};
use crate::wire::mqtt;
use crate::wire::socketio::engine::{Handshake, Packet, Revision};
use crate::wire::socketio::packet::MAIN;
use crate::wire::stomp::subprotocols;

/// How long each attempt may take.
const MAX_ATTEMPT: Duration = Duration::from_secs(5);

/// What was found: the protocol, the address at which it is spoken, and a namespace that the address meant.
struct Found {
    protocol: Protocol,
    url: String,
    namespace: Option<String>,
}

/// Tries the address of a profile, as a person wrote it, with the profile's ways to verify the server.
pub async fn detect(profile: Profile) -> TestOutcome {
    let began = clock::now();
    let text = profile.urls.first().cloned().unwrap_or_default();
    let (duplex, socketio, stomp, mqtt, plain) = tokio::join!(
        duplex(&profile, &text),
        socketio(&profile, &text),
        stomp(&profile, &text),
        mqtt(&profile, &text),
        plain(&profile, &text)
    );
    let took_ms = clock::now().boot_ms.since(began.boot_ms);
    // The most particular one counts: all of them open a WebSocket.
    // Of failures, that of the stream says most where the address names one.
    let rest = match (is_stream(&text), is_stomp(&text)) {
        (true, true) => stomp,
        (true, false) if is_mqtt(&text) => mqtt,
        (true, false) => mqtt.or(stomp),
        (false, _) => stomp.or(mqtt).or(plain),
    };
    match duplex.or(socketio).or(rest) {
        Ok(Found { protocol, url, namespace }) => {
            TestOutcome::Reached { found: Reached::Speaks { protocol, url, namespace }, took_ms }
        }
        Err(why) => TestOutcome::Failed(why),
    }
}

async fn duplex(profile: &Profile, text: &str) -> Result<Found, Why> {
    let address = Address::parse(text).map_err(|bad| Why::BadUrl { detail: bad.to_string() })?;
    let profile = Profile { urls: vec![address.url.clone()], protocol: Protocol::Duplex, ..profile.clone() };
    let outcome = timeout(MAX_ATTEMPT, try_out(profile, Access::Nobody)).await;
    let protocol = Protocol::Duplex;
    match outcome.map_err(|_| Why::TimedOut { during: Phase::Handshake })? {
        TestOutcome::Passed { .. } | TestOutcome::Reached { .. } => {
            Ok(Found { protocol, url: address.url, namespace: None })
        }
        TestOutcome::Failed(why) => Err(why),
        TestOutcome::Running => Err(Why::Silent),
    }
}

async fn socketio(profile: &Profile, text: &str) -> Result<Found, Why> {
    let url = socketio_url(text).map_err(|bad| Why::BadUrl { detail: bad.to_string() })?;
    let mut failure = Why::NotSocketIo { said: String::new() };
    for (url, namespace) in candidates(&url) {
        let mut target = target(profile, &url);
        target.engine_io = Some(Carriers::Automatic);
        let opened = timeout(MAX_ATTEMPT, async {
            let mut connection = transport::dial(profile.socket, target).await?;
            let is_one = is_engine_io(&mut connection).await;
            drop(connection);
            is_one
        });
        match opened.await {
            Ok(Ok(())) => {
                let namespace = namespace.filter(|namespace| namespace != MAIN);
                return Ok(Found { protocol: Protocol::SocketIo, url, namespace });
            }
            Ok(Err(why)) => failure = why,
            Err(_) => failure = Why::TimedOut { during: Phase::Handshake },
        }
        // Where nothing can be reached, the other paths cannot either.
        if !matches!(failure, Why::Http { .. } | Why::NotWebSocket { .. } | Why::NotSocketIo { .. }) {
            break;
        }
    }
    Err(failure)
}

/// Whether the first frame opens an Engine.IO session.
async fn is_engine_io(connection: &mut Connection) -> Result<(), Why> {
    let said = match connection.recv().await {
        Some(Incoming::Frame(Frame::Text(text))) => text,
        Some(Incoming::Closed(why)) => return Err(why),
        _ => String::new(),
    };
    match Packet::from_frame(Revision::V4, Frame::Text(said.clone())) {
        Ok(Packet::Open(json)) if Handshake::parse(&json).is_ok() => Ok(()),
        _ => Err(Why::NotSocketIo { said }),
    }
}

/// A server that accepts a subprotocol of STOMP, or answers `CONNECT` where nothing can be agreed on: over TCP, and behind
/// SockJS.
async fn stomp(profile: &Profile, text: &str) -> Result<Found, Why> {
    let url = stomp_url(text).map_err(|bad| Why::BadUrl { detail: bad.to_string() })?;
    let mut target = target(profile, &url);
    target.subprotocols = subprotocols();
    target.sockjs = true;
    let found = Ok(Found { protocol: Protocol::Stomp, url, namespace: None });
    let asked = timeout(MAX_ATTEMPT, async {
        let is_sockjs = async |target: &Endpoint| transport::sockjs::socket_url(target).await.is_some();
        let mut connection = transport::dial(profile.socket, target.clone()).await?;
        if connection.subprotocol.is_some() {
            connection.close(1000, "").await;
            return Ok(());
        }
        if !connection.is_stream && !is_sockjs(&target).await {
            return Err(Why::NotWebSocket { detail: String::new() });
        }
        answers_connect(&mut connection).await
    });
    match asked.await {
        Ok(Ok(())) => found,
        Ok(Err(why)) => Err(why),
        Err(_) => Err(Why::TimedOut { during: Phase::Handshake }),
    }
}

/// Whether a `CONNECT` without login is answered as STOMP has it: accepted or refused.
async fn answers_connect(connection: &mut Connection) -> Result<(), Why> {
    let connect = "CONNECT\naccept-version:1.2,1.1,1.0\nheart-beat:0,0\n\n\0";
    connection.send(Frame::Text(connect.to_owned())).await;
    let said = match connection.recv().await {
        Some(Incoming::Frame(Frame::Text(text))) => text,
        Some(Incoming::Closed(why)) => return Err(why),
        _ => String::new(),
    };
    match said.trim_start().starts_with("CONNECTED") || said.trim_start().starts_with("ERROR\n") {
        true => Ok(()),
        false => Err(Why::Violation { detail: "this is not STOMP".to_owned() }),
    }
}

/// A server that accepts the subprotocol of MQTT, or answers `CONNECT` over TCP. A bare host is tried over TCP, too, without and
/// with TLS.
async fn mqtt(profile: &Profile, text: &str) -> Result<Found, Why> {
    if is_stomp(text) {
        return Err(Why::BadUrl { detail: String::new() });
    }
    let bad = |bad: crate::model::address::BadAddress| Why::BadUrl { detail: bad.to_string() };
    let url = mqtt_url(text).map_err(bad)?;
    let first = mqtt_at(profile, &url).await;
    // Over WebSocket if the host was meant so; with TLS where the port for it was not named.
    let others: &[String] = match (&first, text.contains("://")) {
        (Ok(_), _) | (_, true) => &[],
        (Err(_), false) => &[format!("mqtts://{text}"), format!("ws://{text}/mqtt")],
    };
    for other in others.iter().filter_map(|text| mqtt_url(text).ok()) {
        if let Ok(found) = mqtt_at(profile, &other).await {
            return Ok(found);
        }
    }
    first
}

async fn mqtt_at(profile: &Profile, url: &str) -> Result<Found, Why> {
    let mut target = target(profile, url);
    target.subprotocols = vec![mqtt::SUBPROTOCOL.to_owned()];
    let asked = timeout(MAX_ATTEMPT, async {
        let mut connection = transport::dial(profile.socket, target).await?;
        if !connection.is_stream && connection.subprotocol.is_none() {
            return Err(Why::NoSubprotocol { offered: vec![mqtt::SUBPROTOCOL.to_owned()] });
        }
        answers_mqtt(&mut connection).await
    });
    match asked.await {
        Ok(Ok(())) => Ok(Found { protocol: Protocol::Mqtt, url: url.to_owned(), namespace: None }),
        Ok(Err(why)) => Err(why),
        Err(_) => Err(Why::TimedOut { during: Phase::Handshake }),
    }
}

/// Whether a `CONNECT` without a user is answered by a `CONNACK`, accepted or refused. The version that every server knows.
async fn answers_mqtt(connection: &mut Connection) -> Result<(), Why> {
    let connect = mqtt::encode::Connect { is_clean: true, keep_alive: 30, ..Default::default() };
    let packet = mqtt::encode::connect(mqtt::packet::Version::V311, &connect);
    let packet = packet.map_err(|bad| Why::Unsupported { detail: bad.to_string() })?;
    connection.send(Frame::Binary(packet)).await;
    let said = match connection.recv().await {
        Some(Incoming::Frame(Frame::Binary(bytes))) => bytes,
        Some(Incoming::Frame(Frame::Text(text))) => text.into_bytes(),
        Some(Incoming::Closed(why)) => return Err(why),
        _ => Vec::new(),
    };
    match said.first() {
        Some(0x20) => {
            connection.send(Frame::Binary(mqtt::encode::disconnect(mqtt::packet::Version::V311, 0))).await;
            Ok(())
        }
        _ => Err(Why::Violation { detail: "this is not MQTT".to_owned() }),
    }
}

async fn plain(profile: &Profile, text: &str) -> Result<Found, Why> {
    let url = websocket_url(text).map_err(|bad| Why::BadUrl { detail: bad.to_string() })?;
    let connection = transport::dial(profile.socket, target(profile, &url)).await?;
    connection.close(1000, "").await;
    Ok(Found { protocol: Protocol::WebSocket, url, namespace: None })
}

fn target(profile: &Profile, url: &str) -> Endpoint {
    let mut target = Endpoint::new(url);
    // A certificate cannot be checked where there is none.
    if url.starts_with("wss:") || url.starts_with("stomps:") || url.starts_with("mqtts:") {
        target.ca_file.clone_from(&profile.ca_file);
        target.fingerprint.clone_from(&profile.fingerprint);
    }
    target.deadline = MAX_ATTEMPT;
    target.client_certificate.clone_from(&profile.network.client_certificate);
    target.proxy.clone_from(&profile.network.proxy);
    target.proxy_password.clone_from(&profile.network.proxy_password);
    target
}
