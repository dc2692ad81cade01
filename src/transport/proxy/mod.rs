//! Opens streams of bytes through proxies: which of them applies ([`find`]), HTTP's `CONNECT` ([`http`]) and SOCKS 5
//! ([`socks`]).

mod find;
mod http;
#[cfg(all(unix, not(target_os = "macos")))]
mod portal;
mod socks;
mod system;

use std::io;
use std::time::Duration;

use ::http::HeaderValue;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::MaybeTlsStream;

use super::reach::connect;
use super::{Endpoint, UrlParts, tls};
use crate::model::link_state::Why;
use crate::model::proxy::{
    BadProxy, Destination, Proxy, ProxyKind, ProxyProblem, ProxySetting, ProxySource, ProxyUsed,
};
use crate::model::upgrade;

/// Of the time to connect, how much a proxy may take, in percent: what it is that doesn't answer is said before the rest runs out.
const PROXY_PERCENT: u32 = 85;
/// How long a proxy may take where another one can be tried after it.
const MAX_FIRST: Duration = Duration::from_secs(3);

/// A stream of bytes, to which TLS and all else comes yet: TCP, or TLS to a proxy.
pub(super) type ByteStream = MaybeTlsStream<TcpStream>;

/// An open stream.
pub(super) struct Opened {
    pub(super) stream: ByteStream,
    /// The proxy that it goes through.
    pub(super) proxy: Option<ProxyUsed>,
    /// The stream is to the proxy, which forwards requests: their URIs are absolute, and they carry what is here.
    pub(super) forward: Option<Forward>,
}

impl Opened {
    fn direct(stream: TcpStream) -> Opened {
        Opened { stream: MaybeTlsStream::Plain(stream), proxy: None, forward: None }
    }
}

/// A way to a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Hop {
    /// Without a proxy.
    Direct,
    /// Through this one.
    Through(Proxy, ProxySource),
}

/// The way that a setting means.
fn hop(setting: Option<&ProxySetting>) -> Result<Hop, Why> {
    match setting {
        None => Ok(Hop::Direct),
        Some(ProxySetting { source, proxy: Ok(proxy) }) => Ok(Hop::Through(proxy.clone(), source.clone())),
        Some(ProxySetting { source, proxy: Err(bad) }) => Err(unreadable(source.clone(), *bad)),
    }
}

fn unreadable(source: ProxySource, bad: BadProxy) -> Why {
    let proxy: Option<Box<ProxyUsed>> = None;
    Why::Proxy { proxy, problem: ProxyProblem::Bad { source, bad } }
}

/// What is opened.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// A stream of bytes to the server.
    Stream,
    /// One for HTTP requests: what is not encrypted is given to an HTTP proxy request by request, as proxies that tunnel to few
    /// ports only allow it.
    Requests,
}

/// Opens a stream by the first way that works. Of several failures, the first is returned.
pub(super) async fn open(place: &UrlParts, target: &Endpoint, purpose: Purpose) -> Result<Opened, Why> {
    let hops = find::hops(place, target).await?;
    let (mut failure, count) = (None, hops.len());
    for (index, hop) in hops.into_iter().enumerate() {
        let (opened, is_final) = match hop {
            Hop::Direct => {
                let stream = connect(&place.dialed(), place.port).await;
                (stream.map(Opened::direct), false)
            }
            Hop::Through(proxy, source) => {
                let all = target.deadline * PROXY_PERCENT / 100;
                let within = if index + 1 < count { all.min(MAX_FIRST) } else { all };
                let through = timeout(within, through(place, target, &proxy, purpose)).await;
                let opened = through.unwrap_or(Err(ProxyProblem::TimedOut));
                let is_final = opened.as_ref().is_err_and(|problem| !problem.is_of_proxy());
                let used = ProxyUsed { address: proxy.address, source };
                match opened {
                    Ok((stream, forward)) => {
                        log::debug!("connected through the proxy {}", used.address);
                        return Ok(Opened { stream, proxy: Some(used), forward });
                    }
                    Err(problem) => (Err(Why::Proxy { proxy: Some(Box::new(used)), problem }), is_final),
                }
            }
        };
        match opened {
            Ok(opened) => return Ok(opened),
            Err(why) if is_final => return Err(failure.unwrap_or(why)),
            Err(why) => failure = failure.or(Some(why)),
        }
    }
    Err(failure.unwrap_or(Why::Unreachable { detail: "there is no way to the server".to_owned() }))
}

/// Whether a connection to this target would use a proxy.
pub(super) async fn is_used(place: &UrlParts, target: &Endpoint) -> Result<bool, Why> {
    Ok(find::hops(place, target).await?.iter().any(|hop| matches!(hop, Hop::Through(..))))
}

/// What requests to a proxy need, that forwards them.
#[derive(Clone, Debug)]
pub(super) struct Forward {
    /// `Proxy-Authorization`.
    pub(super) authorization: Option<HeaderValue>,
}

impl Forward {
    /// A status that only a proxy answers with.
    pub(super) fn check(&self, status: u16, proxy: Option<&ProxyUsed>) -> Result<(), Why> {
        if status != 407 {
            return Ok(());
        }
        let problem = ProxyProblem::WantsLogin { was_told: self.authorization.is_some() };
        Err(Why::Proxy { proxy: proxy.cloned().map(Box::new), problem })
    }
}

async fn through(
    place: &UrlParts,
    target: &Endpoint,
    proxy: &Proxy,
    purpose: Purpose,
) -> Result<(ByteStream, Option<Forward>), ProxyProblem> {
    let address = &proxy.address;
    let mut stream = reach(proxy, target).await?;
    let to = place.destination();
    if address.kind == ProxyKind::Socks5 {
        socks::connect(&mut stream, &to, proxy).await?;
        return Ok((stream, None));
    }
    let authorization = authorization(proxy)?;
    if purpose == Purpose::Requests && !place.secure {
        return Ok((stream, Some(Forward { authorization })));
    }
    let answered = http::connect(&mut stream, &to, authorization.as_ref()).await;
    // What speaks SOCKS hangs up on what it cannot read.
    let is_mute = matches!(&answered, Err(ProxyProblem::NotAProxy { said }) if !said.starts_with("HTTP "));
    if is_mute && address.kind == ProxyKind::Http && is_socks(proxy).await {
        return Err(ProxyProblem::WrongKind { kind: ProxyKind::Socks5 });
    }
    answered.map(|()| (stream, None))
}

/// A connection to the proxy itself.
async fn reach(proxy: &Proxy, target: &Endpoint) -> Result<ByteStream, ProxyProblem> {
    let address = &proxy.address;
    let stream = connect(&address.host, address.port).await.map_err(|why| match why {
        Why::NameNotFound { .. } => ProxyProblem::NameNotFound,
        Why::ConnectionRefused => ProxyProblem::Unreachable {
            detail: io::Error::from(io::ErrorKind::ConnectionRefused).to_string(),
        },
        Why::TimedOut { .. } => ProxyProblem::TimedOut,
        Why::Unreachable { detail } => ProxyProblem::Unreachable { detail },
        other => ProxyProblem::Unreachable { detail: format!("{other:?}") },
    })?;
    if address.kind != ProxyKind::Https {
        return Ok(MaybeTlsStream::Plain(stream));
    }
    // The pinned certificate is the server's; that of the proxy is the system's business, or of the same authority.
    let trust = Endpoint { fingerprint: None, ..target.clone() };
    let failed = |why: Why| match why {
        Why::TlsUntrusted { detail }
        | Why::TlsFailed { detail }
        | Why::Lost { detail }
        | Why::BadUrl { detail } => ProxyProblem::TlsFailed { detail },
        other => ProxyProblem::TlsFailed { detail: format!("{other:?}") },
    };
    let connector = tls::connector(&trust).await.map_err(failed)?;
    let stream = tls::greet(&connector, &address.host, stream).await.map_err(failed)?;
    Ok(MaybeTlsStream::Rustls(stream))
}

fn authorization(proxy: &Proxy) -> Result<Option<HeaderValue>, ProxyProblem> {
    let user = &proxy.address.user;
    if user.is_empty() && proxy.password.is_none() {
        return Ok(None);
    }
    let nothing = crate::model::profile::Secret::new("");
    let value = upgrade::basic(user, proxy.password.as_ref().unwrap_or(&nothing));
    let bad = |_| ProxyProblem::Bad { source: ProxySource::Chosen, bad: BadProxy::Login };
    value.map(Some).map_err(bad)
}

/// Whether a proxy that is written as HTTP speaks SOCKS 5.
async fn is_socks(proxy: &Proxy) -> bool {
    let ask = async {
        let stream = connect(&proxy.address.host, proxy.address.port).await.ok()?;
        socks::answers(stream).await
    };
    timeout(Duration::from_secs(2), ask).await.ok().flatten().is_some()
}

impl UrlParts {
    /// What a proxy is asked for.
    pub(super) fn destination(&self) -> Destination<'_> {
        Destination { scheme: self.uri.scheme_str().unwrap_or_default(), host: &self.host, port: self.port }
    }
}

/// `host:port` as a proxy is told it.
fn authority(to: &Destination<'_>) -> String {
    if to.host.contains(':') {
        format!("[{}]:{}", to.host, to.port)
    } else {
        format!("{}:{}", to.host, to.port)
    }
}
