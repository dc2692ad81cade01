//! The steps on the way to a server, each with its own deadline.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesOrdered;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use crate::model::diagnosis::{Dial, Found, Step, Tls};
use crate::model::link_state::{Phase, Why};
use crate::transport::Endpoint;
use crate::transport::inspect::{self, Place, Stream};

/// Microseconds since a moment.
pub(super) fn us_since(began: Instant) -> u64 {
    u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX)
}

/// The outcome of a step; that it took too long is one of them.
async fn within<T>(
    limit: Duration,
    during: Phase,
    step: impl Future<Output = Result<T, Why>>,
) -> Result<T, Why> {
    timeout(limit, step).await.unwrap_or(Err(Why::TimedOut { during }))
}

/// The host's addresses; `None` where the way ends here.
pub(super) async fn look_up(place: &Place, limit: Duration) -> (Step, Option<Vec<SocketAddr>>) {
    let began = Instant::now();
    let result = within(limit, Phase::Dial, place.look_up()).await;
    let took_us = us_since(began);
    let (addresses, failed) = match result {
        Ok(addresses) => (addresses, None),
        Err(why) => (Vec::new(), Some(why)),
    };
    let found = Found::Name {
        host: place.host().to_owned(),
        addresses: addresses.iter().map(SocketAddr::ip).collect(),
    };
    let step = Step { found, took_us, failed };
    (step, (!addresses.is_empty()).then_some(addresses))
}

/// Connects to all addresses beside each other. Returns the first one's stream that answered, in the system's order.
pub(super) async fn connect(
    addresses: Vec<SocketAddr>,
    limit: Duration,
) -> (Step, Option<(SocketAddr, TcpStream)>) {
    let began = Instant::now();
    let mut dialing: FuturesOrdered<_> = addresses
        .into_iter()
        .map(|address| async move {
            let result = within(limit, Phase::Dial, inspect::connect(address)).await;
            (address, us_since(began), result)
        })
        .collect();
    let (mut dials, mut first, mut failed) = (Vec::new(), None, None);
    while let Some((address, took_us, result)) = dialing.next().await {
        let why = match result {
            Ok(stream) => {
                first.get_or_insert((address, stream));
                None
            }
            Err(why) => Some(why),
        };
        // "Connection refused" says more than "no route" for an address family that this computer lacks.
        if failed.is_none() || why == Some(Why::ConnectionRefused) {
            failed.clone_from(&why);
        }
        dials.push(Dial { address, took_us, failed: why });
    }
    let took_us = dials.iter().filter(|dial| dial.failed.is_none()).map(|dial| dial.took_us).min();
    let failed = if first.is_some() { None } else { failed };
    (Step { found: Found::Tcp(dials), took_us: took_us.unwrap_or_else(|| us_since(began)), failed }, first)
}

/// TLS, and whether the server is trusted; without trust the way ends here.
pub(super) async fn greet(
    target: &Endpoint,
    place: &Place,
    stream: TcpStream,
    limit: Duration,
) -> (Step, Option<Stream>) {
    let began = Instant::now();
    let result = within(limit, Phase::Handshake, inspect::greet(target, place, stream)).await;
    let took_us = us_since(began);
    let (tls, stream, failed) = match result {
        Ok((tls, stream)) => {
            let failed = tls.distrust.as_ref().map(inspect::untrusted);
            (tls, stream, failed)
        }
        Err(why) => (Tls::default(), None, Some(inspect::explain(why, place, target).await)),
    };
    (Step { found: Found::Tls(Box::new(tls)), took_us, failed }, stream)
}

/// The answer to a plain request.
pub(super) async fn request(place: &Place, path: &str, stream: Stream, limit: Duration) -> Step {
    let began = Instant::now();
    let result = within(limit, Phase::Handshake, inspect::get(place, path, stream)).await;
    let took_us = us_since(began);
    match result {
        Ok(answer) => Step { found: Found::Http(Some(answer)), took_us, failed: None },
        Err(why) => Step { found: Found::Http(None), took_us, failed: Some(why) },
    }
}

/// The answer to the request for a WebSocket, over a connection of its own.
pub(super) async fn ask_upgrade(
    target: &Endpoint,
    place: &Place,
    address: SocketAddr,
    limit: Duration,
) -> Step {
    let began = Instant::now();
    let ask = async {
        let stream = inspect::connect(address).await?;
        let stream = match place.is_secure() {
            false => Stream::Plain(stream),
            true => match inspect::greet(target, place, stream).await? {
                (_, Some(stream)) => stream,
                // It was trusted a moment ago.
                (tls, None) => {
                    let untrusted = tls.distrust.as_ref().map(inspect::untrusted);
                    return Err(untrusted.unwrap_or(Why::Silent));
                }
            },
        };
        inspect::ask_upgrade(target, place, stream).await
    };
    let result = within(limit, Phase::Handshake, ask).await;
    let took_us = us_since(began);
    match result {
        Ok(upgrade) => {
            let failed = refused(upgrade.answer.status, upgrade.answer.location.clone());
            let (subprotocol, extensions) = (upgrade.subprotocol, upgrade.extensions);
            let found = Found::Handshake { answer: Some(upgrade.answer), subprotocol, extensions };
            Step { found, took_us, failed }
        }
        Err(why) => {
            let found = Found::Handshake { answer: None, subprotocol: None, extensions: String::new() };
            Step { found, took_us, failed: Some(why) }
        }
    }
}

/// Why a status is not what a WebSocket begins with.
fn refused(status: u16, location: Option<String>) -> Option<Why> {
    match status {
        101 => None,
        300..=303 | 307 | 308 => Some(Why::Redirected { status, location }),
        _ => Some(Why::Http { status, retry_after_ms: None }),
    }
}
