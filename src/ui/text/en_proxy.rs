//! English: proxies.

use super::Sentence;
use super::en::{detail, say};
use super::proxy::ProxyWords;
use crate::model::proxy::{BadProxy, ProxyAddress, ProxyKind, ProxyProblem, ProxySource, ProxyUsed};
use crate::ui::harmless;

/// English.
pub(super) static ENGLISH: ProxyWords = ProxyWords {
    proxy: "Proxy",
    automatic: "Automatic",
    none: "None",
    other: "This one:",
    address: "Proxy address",
    address_hint: "http://proxy.example:3128 or socks5://proxy.example:1080",
    password: "Proxy password",
    password_new: "Only if the proxy asks for one",
    password_keep: "Leave empty to keep the saved password",
    help: "Automatic follows HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY, or else this computer's settings. This computer \
           itself is never reached through a proxy.",
    ewebsock: "ewebsock can't use a proxy.",
    opened: |used| {
        let by = match &used.source {
            ProxySource::Chosen => String::new(),
            ProxySource::Variable(name) => format!(" ({})", harmless::line(name, 40)),
            ProxySource::System => " (this computer's settings)".to_owned(),
        };
        format!("Connected through the proxy {}{by}", shown(&used.address))
    },
    used: |used| format!("via proxy {}", shown(&used.address)),
    bad,
};

fn shown(address: &ProxyAddress) -> String {
    harmless::line(&address.to_string(), 100)
}

fn bad(bad: BadProxy) -> &'static str {
    match bad {
        BadProxy::Empty => "Enter the proxy's address.",
        BadProxy::TooLong => "The proxy's address is too long.",
        BadProxy::Scheme => "A proxy's address begins with http://, https:// or socks5://.",
        BadProxy::Socks4 => "SOCKS 4 isn't supported. Try socks5:// instead.",
        BadProxy::Host => "The proxy's host name isn't valid.",
        BadProxy::Port => "The proxy's port must be a number from 1 to 65535.",
        BadProxy::Path => "Nothing may follow the proxy's host and port.",
        BadProxy::Login => {
            "The proxy's user name and password may have up to 255 bytes each and no control characters, and the name no colon."
        }
    }
}

/// Where a proxy is set.
fn place(source: Option<&ProxySource>) -> String {
    match source {
        Some(ProxySource::Chosen) | None => "under Edit connection".to_owned(),
        Some(ProxySource::Variable(name)) => {
            format!("in the environment variable {}, or under Edit connection", harmless::line(name, 40))
        }
        Some(ProxySource::System) => {
            "in this computer's network settings, or under Edit connection".to_owned()
        }
    }
}

/// Why a proxy doesn't let us through.
pub(super) fn why(proxy: Option<&ProxyUsed>, problem: &ProxyProblem) -> Sentence {
    let name = proxy.map(|used| shown(&used.address)).unwrap_or_default();
    let place = place(proxy.map(|used| &used.source));
    let check = format!("Retrying automatically. Check the proxy {place}.");
    let host = |host: &str| harmless::line(host, 100);
    match problem {
        ProxyProblem::Bad { source, bad: b } => say(
            format!("The proxy's address can't be used. {}", bad(*b)),
            format!("Change it {}.", self::place(Some(source))),
        ),
        ProxyProblem::NameNotFound => say(format!("The proxy {name} was not found."), check),
        ProxyProblem::Unreachable { detail: d } => {
            say(format!("The proxy {name} can't be reached{}.", detail(d)), check)
        }
        ProxyProblem::TimedOut => {
            say(format!("The proxy {name}, or the server behind it, didn't answer in time."), check)
        }
        ProxyProblem::WantsLogin { was_told: false } => say(
            format!("The proxy {name} asks for a user name and a password."),
            "Enter them with the proxy's address under Edit connection: http://user:password@host:port.",
        ),
        ProxyProblem::WantsLogin { was_told: true } => say(
            format!("The proxy {name} doesn't accept the user name or the password."),
            format!("Correct them {place}."),
        ),
        ProxyProblem::UnknownLogin { wants } => say(
            format!(
                "The proxy {name} asks to sign in in a way that Duplex doesn't support{}.",
                detail(wants)
            ),
            "Ask your network's admin to allow sign-in by user name and password (Basic).",
        ),
        ProxyProblem::Forbids { host: h, code } => say(
            format!("The proxy {name} doesn't allow connections to {} ({code}).", host(h)),
            "Many proxies only allow port 443. Ask your network's admin to allow this one.",
        ),
        ProxyProblem::NoWay { host: h, code } => say(
            format!("The proxy {name} can't reach {} ({code}).", host(h)),
            "Retrying automatically. Check the server's address and that it is running.",
        ),
        ProxyProblem::NotAProxy { said } => say(
            format!("What answers at {name} isn't a proxy{}.", detail(said)),
            format!("Check the proxy {place}. On a public network, sign in with a browser first."),
        ),
        ProxyProblem::WrongKind { kind } => {
            let (kind, scheme) = match kind {
                ProxyKind::Http => ("an HTTP", "http://"),
                ProxyKind::Https => ("an encrypted HTTP", "https://"),
                ProxyKind::Socks5 => ("a SOCKS", "socks5://"),
            };
            say(
                format!("The proxy {name} is {kind} proxy."),
                format!("Begin its address with {scheme} {place}."),
            )
        }
        ProxyProblem::TlsFailed { detail: d } => say(
            format!("Couldn't set up an encrypted connection to the proxy {name}{}.", detail(d)),
            format!("If it doesn't use encryption, begin its address with http:// {place}."),
        ),
    }
}
