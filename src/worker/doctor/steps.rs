//! The steps on the way to a server, each with its own deadline.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesOrdered;
use tokio::time::{Instant, timeout};

use crate::model::diagnosis::{Dial, Found, Step, Tls};
use crate::model::link_state::{Phase, Why};
use crate::model::proxy::ProxyUsed;
use crate::transport::Endpoint;
use crate::transport::inspect::{self, Bare, Place, Stream};

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
) -> (Step, Option<(SocketAddr, Bare)>) {
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

/// How a second stream to the server is opened.
#[derive(Copy, Clone)]
pub(super) enum Way {
    /// To this address.
    Address(SocketAddr),
    /// Through the proxy.
    Proxy,
}

impl Way {
    async fn open(self, target: &Endpoint, place: &Place) -> Result<Bare, Why> {
        match self {
            Way::Address(address) => inspect::connect(address).await,
            Way::Proxy => Ok(inspect::open(target, place).await?.0),
        }
    }
}

/// The way through the proxy, where one is used; otherwise `None`.
pub(super) async fn by_proxy(
    target: &Endpoint,
    place: &Place,
    limit: Duration,
) -> Option<(Step, Option<Bare>)> {
    let began = Instant::now();
    match within(limit, Phase::Dial, inspect::is_by_proxy(target, place)).await {
        Ok(false) => return None,
        Ok(true) => {}
        Err(why) => {
            let step = Step { found: Found::Proxy(None), took_us: us_since(began), failed: Some(why) };
            return Some((step, None));
        }
    }
    let opened = within(limit, Phase::Dial, inspect::open(target, place)).await;
    let took_us = us_since(began);
    Some(match opened {
        Ok((stream, used)) => (Step { found: Found::Proxy(used), took_us, failed: None }, Some(stream)),
        Err(why) => (Step { found: Found::Proxy(used_by(&why)), took_us, failed: Some(why) }, None),
    })
}

/// The proxy that a failure is of.
fn used_by(why: &Why) -> Option<ProxyUsed> {
    match why {
        Why::Proxy { proxy, .. } => proxy.as_deref().cloned(),
        _ => None,
    }
}

/// TLS, and whether the server is trusted; without trust the way ends here.
pub(super) async fn greet(
    target: &Endpoint,
    place: &Place,
    stream: Bare,
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
pub(super) async fn ask_upgrade(target: &Endpoint, place: &Place, way: Way, limit: Duration) -> Step {
    let began = Instant::now();
    let ask = async {
        let stream = way.open(target, place).await?;
        let stream = match place.is_secure() {
            false => Stream::Plain(Box::new(stream)),
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
