//! Finds out what a server speaks, by trying: a Duplex server's answer, an Engine.IO handshake, a subprotocol of STOMP, a WebSocket
//! that opens.
//! No credentials are sent.

use std::time::Duration;

use tokio::time::timeout;

use super::access::Access;
use super::trial::try_out;
use crate::clock;
use crate::frame::Frame;
use crate::model::Address;
use crate::model::address::{is_stream, stomp_url, websocket_url};
use crate::model::event::{Reached, TestOutcome};
use crate::model::link_state::{Phase, Why};
use crate::model::profile::{Profile, Protocol};
use crate::model::socketio::Carriers;
use crate::model::socketio_address::{candidates, socketio_url};
use crate::transport::{self, Connection, Endpoint, Incoming};
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
    let (duplex, socketio, stomp, plain) = tokio::join!(
        duplex(&profile, &text),
        socketio(&profile, &text),
        stomp(&profile, &text),
        plain(&profile, &text)
    );
    let took_ms = clock::now().boot_ms.since(began.boot_ms);
    // The most particular one counts: all of them open a WebSocket.
    // Of failures, that of the stream says most where the address names one.
    let rest = if is_stream(&text) { stomp } else { stomp.or(plain) };
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

async fn plain(profile: &Profile, text: &str) -> Result<Found, Why> {
    let url = websocket_url(text).map_err(|bad| Why::BadUrl { detail: bad.to_string() })?;
    let connection = transport::dial(profile.socket, target(profile, &url)).await?;
    connection.close(1000, "").await;
    Ok(Found { protocol: Protocol::WebSocket, url, namespace: None })
}

fn target(profile: &Profile, url: &str) -> Endpoint {
    let mut target = Endpoint::new(url);
    // A certificate cannot be checked where there is none.
    if url.starts_with("wss:") || url.starts_with("stomps:") {
        target.ca_file.clone_from(&profile.ca_file);
        target.fingerprint.clone_from(&profile.fingerprint);
    }
    target.deadline = MAX_ATTEMPT;
    target
}
