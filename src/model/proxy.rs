//! Proxies: what a person may write for one, [`ProxyChoice`], and which of the environment's or the system's applies to
//! an address ([`ProxySettings`]). Pure; `transport::proxy` finds them and dials through them.

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::address::{self, BadAddress, MAX_ADDRESS_BYTES};
use super::secret::Secret;

/// Maximum length of a user's name and of a password, in bytes of UTF-8 (RFC 1929 §2).
pub const MAX_LOGIN_BYTES: usize = 255;
/// Maximum number of rules in a list of exceptions; more are left out, so that the proxy is used.
pub const MAX_RULES: usize = 1_000;
/// Maximum number of proxies tried for one connection.
pub const MAX_TRIED: usize = 8;

/// What a proxy speaks.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum ProxyKind {
    /// HTTP, with `CONNECT` for everything that isn't plain HTTP.
    Http,
    /// The same over TLS.
    Https,
    /// SOCKS 5. Names are resolved by the proxy.
    Socks5,
}

impl ProxyKind {
    /// The scheme of its address.
    pub fn scheme(self) -> &'static str {
        match self {
            ProxyKind::Http => "http",
            ProxyKind::Https => "https",
            ProxyKind::Socks5 => "socks5",
        }
    }

    fn default_port(self) -> u16 {
        match self {
            ProxyKind::Http => 80,
            ProxyKind::Https => 443,
            ProxyKind::Socks5 => 1080,
        }
    }
}

/// Where a proxy is. Shown without its user, and never has a password.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ProxyAddress {
    /// What it speaks.
    pub kind: ProxyKind,
    /// Its host, in ASCII; an IPv6 address without brackets.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The user to sign in as; empty for none.
    pub user: String,
}

impl ProxyAddress {
    /// The text that [`Proxy::parse`] reads, with the user.
    pub fn text(&self) -> String {
        if self.user.is_empty() {
            return self.to_string();
        }
        let user = utf8_percent_encode(&self.user, NON_ALPHANUMERIC);
        format!("{}://{user}@{}", self.kind.scheme(), self.place())
    }

    /// Host and port.
    pub fn place(&self) -> String {
        match self.host.contains(':') {
            true => format!("[{}]:{}", self.host, self.port),
            false => format!("{}:{}", self.host, self.port),
        }
    }
}

impl fmt::Display for ProxyAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.kind.scheme(), self.place())
    }
}

/// A proxy, and the password for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy {
    /// Where it is, and the user.
    pub address: ProxyAddress,
    /// The user's password.
    pub password: Option<Secret>,
}

/// Why a text is no proxy's address.
#[derive(Copy, Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadProxy {
    /// Nothing was written.
    #[error("the address of the proxy is empty")]
    Empty,
    /// Longer than an address may be.
    #[error("the address of the proxy is too long")]
    TooLong,
    /// Another kind of proxy.
    #[error("a proxy's address begins with http://, https:// or socks5://")]
    Scheme,
    /// SOCKS 4 knows no names and no passwords.
    #[error("SOCKS 4 is not supported; most such proxies understand socks5://, too")]
    Socks4,
    /// Its host is none.
    #[error("the proxy's host name is not valid")]
    Host,
    /// Its port is none.
    #[error("the proxy's port must be a number from 1 to 65535")]
    Port,
    /// Something follows the port.
    #[error("nothing may follow the proxy's host and port")]
    Path,
    /// A user or a password that no proxy can be told.
    #[error(
        "the proxy's user name and password may have up to 255 bytes each and no control characters, and the name no colon"
    )]
    Login,
}

impl Proxy {
    /// Reads `http://user:password@host:port`, with `https`, `socks5`, `socks5h` or `socks` as further schemes. Without a
    /// scheme it is HTTP, without a port the scheme's own: 80, 443, 1080. User and password are percent-encoded.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn parse(text: &str) -> Result<Proxy, BadProxy> {
        let text = text.trim();
        if text.is_empty() {
            return Err(BadProxy::Empty);
        }
        if text.len() > MAX_ADDRESS_BYTES {
            return Err(BadProxy::TooLong);
        }
        let (kind, rest) = match text.split_once("://") {
            None => (ProxyKind::Http, text),
            Some((scheme, rest)) => match scheme.to_ascii_lowercase().as_str() {
                "http" => (ProxyKind::Http, rest),
                "https" => (ProxyKind::Https, rest),
                "socks" | "socks5" | "socks5h" => (ProxyKind::Socks5, rest),
                "socks4" | "socks4a" => return Err(BadProxy::Socks4),
                _ => return Err(BadProxy::Scheme),
            },
        };
        // A password may have been written with any of these in it.
        let end = rest.find(['/', '?', '#']).filter(|end| !rest[*end..].contains('@'));
        let (authority, path) = rest.split_at(end.unwrap_or(rest.len()));
        if !matches!(path, "" | "/") {
            return Err(BadProxy::Path);
        }
        let (userinfo, place) = authority.rsplit_once('@').unwrap_or(("", authority));
        let (user, password) = match userinfo.split_once(':') {
            Some((user, password)) => (decoded(user), Some(decoded(password))),
            None => (decoded(userinfo), None),
        };
        check_login(&user, password.as_deref())?;
        let (host, port) = address::host_and_port(place).map_err(|bad| match bad {
            BadAddress::Port => BadProxy::Port,
            _ => BadProxy::Host,
        })?;
        if host.contains('%') {
            return Err(BadProxy::Host);
        }
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let port = port.unwrap_or(kind.default_port());
        let password = password.filter(|password| !password.is_empty()).map(Secret::new);
        Ok(Proxy { address: ProxyAddress { kind, host, port, user }, password })
    }
}

impl Proxy {
    /// What a keyring keeps: the password, with the address that it is for.
    pub fn to_secret(&self) -> Secret {
        let password = self.password.as_ref().map_or("", Secret::reveal);
        let encoded = |text| utf8_percent_encode(text, NON_ALPHANUMERIC);
        let ProxyAddress { kind, user, .. } = &self.address;
        let text = format!(
            "{}://{}:{}@{}",
            kind.scheme(),
            encoded(user.as_str()),
            encoded(password),
            self.address.place()
        );
        Secret::new(text)
    }
}

impl ProxyAddress {
    /// The password for this proxy of what [`Proxy::to_secret`] made; none where that is for another one.
    pub fn password_of(&self, secret: &Secret) -> Option<Secret> {
        let kept = Proxy::parse(secret.reveal()).ok()?;
        kept.password.filter(|_| kept.address == *self)
    }
}

/// Takes a password out of an address that is being written, and leaves the user.
pub fn take_typed_password(text: &mut String) -> Option<Secret> {
    let start = text.find("://").map_or(0, |scheme| scheme + 3);
    let at = start + text[start..].rfind('@')?;
    let colon = start + text[start..at].find(':')?;
    let password = Secret::new(decoded(&text[colon + 1..at]));
    text.replace_range(colon..at, "");
    Some(password)
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// Whether a proxy can be told a user and a password (RFC 7617 §2, RFC 1929 §2).
///
/// # Errors
/// If not.
pub fn check_login(user: &str, password: Option<&str>) -> Result<(), BadProxy> {
    let fits = |text: &str| text.len() <= MAX_LOGIN_BYTES && !text.chars().any(char::is_control);
    let is_good = fits(user) && !user.contains(':') && password.is_none_or(fits);
    if is_good { Ok(()) } else { Err(BadProxy::Login) }
}

/// What a saved connection says about proxies. In settings, a text: an address, `none`; nothing for automatic.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ProxyChoice {
    /// As the environment, and else the system, has it.
    #[default]
    Automatic,
    /// None.
    None,
    /// This one. Its password is in the keyring.
    At(ProxyAddress),
    /// What settings say and this version cannot read: kept as it is, and not dialed.
    Unreadable(String),
}

impl ProxyChoice {
    /// Reads `none`, `automatic`, nothing (which is automatic), or an address; the password is returned beside it.
    ///
    /// # Errors
    /// What is wrong with the address.
    pub fn parse(text: &str) -> Result<(ProxyChoice, Option<Secret>), BadProxy> {
        let text = text.trim();
        if text.is_empty() || text.eq_ignore_ascii_case("automatic") {
            return Ok((ProxyChoice::Automatic, None));
        }
        if text.eq_ignore_ascii_case("none") {
            return Ok((ProxyChoice::None, None));
        }
        let Proxy { address, password } = Proxy::parse(text)?;
        Ok((ProxyChoice::At(address), password))
    }

    /// The text that [`ProxyChoice::parse`] reads. Never has a password, unless it is one that cannot be read.
    pub fn text(&self) -> Cow<'_, str> {
        match self {
            ProxyChoice::Automatic => Cow::Borrowed("automatic"),
            ProxyChoice::None => Cow::Borrowed("none"),
            ProxyChoice::At(address) => Cow::Owned(address.text()),
            ProxyChoice::Unreadable(text) => Cow::Borrowed(text),
        }
    }

    /// Whether it is the default.
    pub fn is_automatic(&self) -> bool {
        *self == ProxyChoice::Automatic
    }
}

impl Serialize for ProxyChoice {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text())
    }
}

/// A password that somebody wrote into the settings file is left in the text, for [`take_password`].
impl<'de> Deserialize<'de> for ProxyChoice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Ok(match ProxyChoice::parse(&text) {
            Ok((choice, None)) => choice,
            Ok((_, Some(_))) | Err(_) => ProxyChoice::Unreadable(text),
        })
    }
}

/// Takes a password out of a proxy's address as somebody wrote it into the settings file.
pub fn take_password(choice: &mut ProxyChoice) -> Option<Secret> {
    let ProxyChoice::Unreadable(text) = choice else { return None };
    let (read, password) = ProxyChoice::parse(text).ok()?;
    *choice = read;
    password
}

/// Who said that a proxy is to be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProxySource {
    /// The saved connection, or an option of the command.
    Chosen,
    /// A variable of the environment, by its name.
    Variable(String),
    /// The system's settings.
    System,
}

/// A proxy that a connection was made through, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxyUsed {
    /// Where it is.
    pub address: ProxyAddress,
    /// Who said so.
    pub source: ProxySource,
}

/// What a server's address is asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination<'a> {
    /// The scheme: `ws`, `wss`, `mqtt`, `mqtts`, `stomp`, `stomps`.
    pub scheme: &'a str,
    /// The host, in ASCII, without brackets.
    pub host: &'a str,
    /// The port.
    pub port: u16,
}

impl Destination<'_> {
    /// Whether no proxy is ever used for it: this computer, and what only this computer's own network knows.
    pub fn is_local(&self) -> bool {
        let host = self.host.trim_end_matches('.');
        // RFC 6761 §6.3.
        host.rsplit('.').next().is_some_and(|last| last.eq_ignore_ascii_case("localhost"))
            || host.parse::<IpAddr>().is_ok_and(|ip| match ip.to_canonical() {
                IpAddr::V4(ip) => ip.is_loopback() || ip.is_unspecified(),
                IpAddr::V6(ip) => ip.is_loopback() || ip.is_unspecified() || ip.is_unicast_link_local(),
            })
    }
}

/// The proxies of the environment or of the system, by what they are for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProxySettings {
    /// For `ws://`.
    pub http: Option<ProxySetting>,
    /// For `wss://`.
    pub https: Option<ProxySetting>,
    /// For everything else, and where the one above is not set.
    pub all: Option<ProxySetting>,
    /// What is reached without.
    pub exceptions: Exceptions,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxySetting {
    /// Who said so.
    pub source: ProxySource,
    /// The proxy; or why what stands there is none.
    pub proxy: Result<Proxy, BadProxy>,
}

impl ProxySettings {
    /// From the environment, as curl reads it: the lower-case name of a variable counts first; an empty one is not set.
    pub fn from_environment(variable: impl Fn(&str) -> Option<String>) -> ProxySettings {
        let value = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
        let either = |name: &str| {
            let names = [name.to_ascii_lowercase(), name.to_owned()];
            names.into_iter().find_map(|name| Some((value(&name)?, name)))
        };
        let setting = |name| {
            let (text, name) = either(name)?;
            Some(ProxySetting { source: ProxySource::Variable(name), proxy: Proxy::parse(&text) })
        };
        ProxySettings {
            http: setting("HTTP_PROXY"),
            https: setting("HTTPS_PROXY"),
            all: setting("ALL_PROXY"),
            exceptions: either("NO_PROXY").map(|(text, _)| Exceptions::parse(&text)).unwrap_or_default(),
        }
    }

    /// Whether no proxy is set at all.
    pub fn is_empty(&self) -> bool {
        self.http.is_none() && self.https.is_none() && self.all.is_none()
    }

    /// The proxy for a destination. `ws://` goes through that of HTTP, `wss://` through that of HTTPS, all else through that
    /// for all; where it is not set, through that for all, and then that of HTTPS, which tunnels anything (RFC 6455 §4.1).
    pub fn of(&self, to: &Destination<'_>) -> Option<&ProxySetting> {
        if to.is_local() || self.exceptions.contain(to) {
            return None;
        }
        let own = match to.scheme {
            "ws" => self.http.as_ref(),
            "wss" => self.https.as_ref(),
            _ => None,
        };
        own.or(self.all.as_ref()).or(self.https.as_ref())
    }
}

/// What is reached without a proxy: the rules of `NO_PROXY`, and those of Windows and macOS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exceptions(Vec<Rule>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Rule {
    host: HostRule,
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum HostRule {
    /// `*`.
    Any,
    /// `<local>` of Windows: a name without a dot.
    Plain,
    /// A network, or one address.
    Network(IpNet),
    /// A domain and all below it, in lower case.
    Domain(String),
    /// A pattern with `*` within, in lower case.
    Pattern(String),
}

impl Exceptions {
    /// Reads a list, with commas, semicolons or spaces between: domains (`example.com` and `.example.com` mean it and all
    /// below it), addresses, networks (`10.0.0.0/8`), patterns (`192.168.*`), `*` for everything, `<local>` for names without a
    /// dot; each with `:port` behind it if it is meant for one port only. What is none of these is left out.
    pub fn parse(text: &str) -> Exceptions {
        let parts = text.split(|c: char| c == ',' || c == ';' || c.is_whitespace());
        let parts = parts.filter(|part| !part.is_empty());
        Exceptions(parts.filter_map(Rule::parse).take(MAX_RULES).collect())
    }

    /// Whether a destination is one of them.
    pub fn contain(&self, to: &Destination<'_>) -> bool {
        let host = to.host.trim_end_matches('.').to_ascii_lowercase();
        let ip = host.parse::<IpAddr>().ok().map(|ip| ip.to_canonical());
        self.0.iter().any(|rule| rule.port.is_none_or(|port| port == to.port) && rule.host.fits(&host, ip))
    }
}

impl Rule {
    fn parse(text: &str) -> Option<Rule> {
        let text = text.split_once("://").map_or(text, |(_, rest)| rest);
        if let Some(network) = network(text) {
            return Some(Rule { host: HostRule::Network(network), port: None });
        }
        // An IPv6 address with a port has brackets; any other text with two colons is none.
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
                (host, Some(port.parse().ok().filter(|port| *port > 0)?))
            }
            Some(_) => return None,
            None => (text, None),
        };
        if let Some(network) = network(host) {
            return Some(Rule { host: HostRule::Network(network), port });
        }
        let host = host.to_ascii_lowercase();
        let host = match host.strip_prefix("*.").unwrap_or(&host) {
            "*" => HostRule::Any,
            "<local>" => HostRule::Plain,
            pattern if pattern.contains('*') => HostRule::Pattern(host),
            domain => {
                let domain = domain.trim_matches('.');
                // A name in another script is asked for in punycode.
                let domain =
                    url::Host::parse(domain).map_or_else(|_| domain.to_owned(), |host| host.to_string());
                (!domain.is_empty()).then_some(HostRule::Domain(domain))?
            }
        };
        Some(Rule { host, port })
    }
}

impl HostRule {
    fn fits(&self, host: &str, ip: Option<IpAddr>) -> bool {
        match self {
            HostRule::Any => true,
            HostRule::Plain => ip.is_none() && !host.contains('.'),
            HostRule::Network(network) => ip.is_some_and(|ip| network.contains(&ip)),
            HostRule::Domain(domain) => {
                let before = host.strip_suffix(domain.as_str());
                ip.is_none() && before.is_some_and(|before| before.is_empty() || before.ends_with('.'))
            }
            HostRule::Pattern(pattern) => matches_pattern(pattern, host),
        }
    }
}

/// An address, or a network; macOS leaves zeros at the end out (`169.254/16`).
fn network(text: &str) -> Option<IpNet> {
    let text = text.trim_start_matches('[').trim_end_matches(']');
    if let Ok(ip) = text.parse::<IpAddr>() {
        return Some(IpNet::from(ip.to_canonical()));
    }
    let (address, bits) = text.split_once('/')?;
    let is_v4 = address.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let missing = 3_usize.saturating_sub(address.matches('.').count());
    let address = if is_v4 { format!("{address}{}", ".0".repeat(missing)) } else { address.to_owned() };
    format!("{}/{bits}", address.trim_end_matches(']')).parse().ok()
}

/// Whether a text is as a pattern has it, in which `*` stands for anything.
fn matches_pattern(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = text.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, between)) = parts.split_last() else { return rest.is_empty() };
    for part in between {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// What is wrong at a proxy. `host` is the place that it was asked for: host and port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProxyProblem {
    /// What is written for it is no address.
    Bad {
        /// Where it is written.
        source: ProxySource,
        /// What is wrong.
        bad: BadProxy,
    },
    /// Its name has no address.
    NameNotFound,
    /// It cannot be reached.
    Unreachable {
        /// The system's words.
        detail: String,
    },
    /// It doesn't answer.
    TimedOut,
    /// It wants a user and a password.
    WantsLogin {
        /// Whether it was told some, which it does not accept.
        was_told: bool,
    },
    /// It wants to know who asks in a way that is not supported: not by `Basic`, or not by a user and a password.
    UnknownLogin {
        /// What it wants, in its words.
        wants: String,
    },
    /// It does not let anybody there.
    Forbids {
        /// Where to.
        host: String,
        /// What it answered: an HTTP status, or a code of SOCKS.
        code: u16,
    },
    /// It cannot reach it.
    NoWay {
        /// Where to.
        host: String,
        /// What it answered: an HTTP status, or a code of SOCKS.
        code: u16,
    },
    /// What answers there is no proxy of this kind.
    NotAProxy {
        /// What it said instead.
        said: String,
    },
    /// It is a proxy of another kind.
    WrongKind {
        /// Which.
        kind: ProxyKind,
    },
    /// TLS with it failed.
    TlsFailed {
        /// What happened.
        detail: String,
    },
}

impl ProxyProblem {
    /// Whether an automatic retry can help.
    pub fn is_retryable(&self) -> bool {
        match self {
            ProxyProblem::NameNotFound
            | ProxyProblem::Unreachable { .. }
            | ProxyProblem::TimedOut
            | ProxyProblem::NoWay { .. } => true,
            ProxyProblem::Bad { .. }
            | ProxyProblem::WantsLogin { .. }
            | ProxyProblem::UnknownLogin { .. }
            | ProxyProblem::Forbids { .. }
            | ProxyProblem::NotAProxy { .. }
            | ProxyProblem::WrongKind { .. }
            | ProxyProblem::TlsFailed { .. } => false,
        }
    }

    /// For changing each text from elsewhere.
    pub fn texts(&mut self) -> Option<&mut String> {
        match self {
            ProxyProblem::Unreachable { detail: text }
            | ProxyProblem::UnknownLogin { wants: text }
            | ProxyProblem::NotAProxy { said: text }
            | ProxyProblem::TlsFailed { detail: text } => Some(text),
            _ => None,
        }
    }

    /// Whether the proxy itself cannot be used, so that another one may be tried. Otherwise the destination is what it refuses.
    pub fn is_of_proxy(&self) -> bool {
        !matches!(self, ProxyProblem::Forbids { .. } | ProxyProblem::NoWay { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write_for_a_proxy_is_read() {
        for (text, clean, user, password) in [
            ("http://proxy.example:3128", "http://proxy.example:3128", "", None),
            ("proxy.example:8080", "http://proxy.example:8080", "", None),
            ("HTTP://Proxy.Example/", "http://proxy.example:80", "", None),
            ("https://proxy.example", "https://proxy.example:443", "", None),
            ("socks5h://me:pass@10.0.0.1", "socks5://10.0.0.1:1080", "me", Some("pass")),
            ("socks://[::1]:9", "socks5://[::1]:9", "", None),
            ("http://m%40e:p%3Ass@proxy.example:1", "http://proxy.example:1", "m@e", Some("p:ss")),
            ("http://me:p@/?#ss@proxy.example:1", "http://proxy.example:1", "me", Some("p@/?#ss")),
            ("http://me@bücher.example:1", "http://xn--bcher-kva.example:1", "me", None),
        ] {
            let proxy = Proxy::parse(text).unwrap();
            assert_eq!(proxy.address.to_string(), clean, "{text}");
            assert_eq!(proxy.address.user, user);
            assert_eq!(proxy.password, password.map(Secret::new));
            let again = Proxy::parse(&proxy.address.text()).unwrap();
            assert_eq!(again.address, proxy.address, "{text} once more");
        }
        let long = format!("http://{}:x@a:1", "x".repeat(300));
        for (text, bad) in [
            ("", BadProxy::Empty),
            ("ftp://a", BadProxy::Scheme),
            ("socks4://a:1", BadProxy::Socks4),
            ("http://", BadProxy::Host),
            ("http://a b:1", BadProxy::Host),
            ("http://[fe80::1%25eth0]:1", BadProxy::Host),
            ("http://a:0", BadProxy::Port),
            ("http://a:x", BadProxy::Port),
            ("http://a:1/path", BadProxy::Path),
            ("http://a:1?x", BadProxy::Path),
            ("http://me%0d%0a:x@a:1", BadProxy::Login),
            (long.as_str(), BadProxy::Login),
        ] {
            assert_eq!(Proxy::parse(text), Err(bad), "{text}");
        }
        let everything = format!("{:?}", Proxy::parse("http://me:hunter2@a:1"));
        assert!(!everything.contains("hunter2"), "{everything}");
    }

    #[test]
    fn a_choice_is_a_text_in_the_settings_and_what_cannot_be_read_is_kept() {
        let read = |text: &str| serde_json::from_value::<ProxyChoice>(text.into()).unwrap();
        for text in ["automatic", "none", "http://me@proxy.example:3128", "quic://proxy.example"] {
            assert_eq!(serde_json::to_value(read(text)).unwrap(), text);
        }
        let mut written = read("http://me:hunter2@proxy.example:3128");
        assert_eq!(take_password(&mut written), Some(Secret::new("hunter2")));
        assert_eq!(written.text(), "http://me@proxy.example:3128");
        assert_eq!(take_password(&mut written), None);
        assert_eq!(take_password(&mut read("quic://me:x@a")), None);
    }

    #[test]
    fn a_password_is_kept_with_the_proxy_that_it_is_for() {
        let proxy = Proxy::parse("socks5://m%40e:p%3A%40ss@proxy.example:9").unwrap();
        let secret = proxy.to_secret();
        assert_eq!(proxy.address.password_of(&secret), Some(Secret::new("p:@ss")));
        for other in
            ["socks5://m%40e@proxy.example:8", "socks5://you@proxy.example:9", "http://m%40e@proxy.example:9"]
        {
            assert_eq!(Proxy::parse(other).unwrap().address.password_of(&secret), None, "{other}");
        }
        for (text, clean, password) in [
            ("http://me:p%40ss@proxy", "http://me@proxy", Some("p@ss")),
            ("me:pass@", "me@", Some("pass")),
            ("http://me@proxy:1", "http://me@proxy:1", None),
            ("http://proxy:1", "http://proxy:1", None),
            ("http://me:pa", "http://me:pa", None),
        ] {
            let mut typed = text.to_owned();
            assert_eq!(take_typed_password(&mut typed), password.map(Secret::new), "{text}");
            assert_eq!(typed, clean);
        }
    }

    fn to<'a>(scheme: &'a str, host: &'a str) -> Destination<'a> {
        Destination { scheme, host, port: 443 }
    }

    fn environment(variables: &'static [(&str, &str)]) -> ProxySettings {
        ProxySettings::from_environment(|name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_environment_is_read_as_curl_reads_it() {
        let host = |settings: &ProxySettings, scheme: &str| {
            let found = settings.of(&to(scheme, "hub.example"))?;
            Some(found.proxy.as_ref().unwrap().address.host.clone())
        };
        let all = environment(&[
            ("HTTPS_PROXY", "http://secure:1"),
            ("HTTP_PROXY", "http://upper:1"),
            ("http_proxy", "http://lower:1"),
            ("ALL_PROXY", "socks5://all:1"),
        ]);
        assert_eq!(host(&all, "wss").as_deref(), Some("secure"));
        assert_eq!(host(&all, "ws").as_deref(), Some("lower"));
        for scheme in ["mqtt", "mqtts", "stomp", "stomps"] {
            assert_eq!(host(&all, scheme).as_deref(), Some("all"));
        }
        let one = environment(&[("https_proxy", "http://secure:1"), ("http_proxy", " ")]);
        for scheme in ["ws", "wss", "mqtt", "stomps"] {
            assert_eq!(host(&one, scheme).as_deref(), Some("secure"), "{scheme}");
        }
        let plain = environment(&[("http_proxy", "http://plain:1")]);
        assert_eq!((host(&plain, "wss"), host(&plain, "mqtt")), (None, None));
        let broken = environment(&[("ALL_PROXY", "gopher://x")]);
        let found = broken.of(&to("ws", "hub.example")).unwrap();
        assert_eq!(found.source, ProxySource::Variable("ALL_PROXY".into()));
        assert_eq!(found.proxy, Err(BadProxy::Scheme));
        assert!(environment(&[("ALL_PROXY", "")]).is_empty());
    }

    #[test]
    fn this_computer_is_never_reached_through_a_proxy() {
        let settings = environment(&[("ALL_PROXY", "http://proxy:1")]);
        for host in
            ["localhost", "LOCALHOST.", "hub.localhost", "127.0.0.1", "127.9.9.9", "::1", "0.0.0.0", "::"]
        {
            assert_eq!(settings.of(&to("ws", host)), None, "{host}");
        }
        for host in ["fe80::1", "::ffff:127.0.0.1"] {
            assert_eq!(settings.of(&to("ws", host)), None, "{host}");
        }
        for host in ["localhost.example", "128.0.0.1", "10.0.0.1", "notlocalhost", "2001:db8::1"] {
            assert!(settings.of(&to("ws", host)).is_some(), "{host}");
        }
    }

    #[test]
    fn exceptions_are_domains_addresses_networks_and_patterns() {
        let contain = |list: &str, host: &str| Exceptions::parse(list).contain(&to("wss", host));
        for (list, inside, outside) in [
            ("example.com", "example.com", "notexample.com"),
            ("example.com", "a.b.Example.com.", "example.com.evil"),
            (".example.com, other", "a.example.com", "example.org"),
            ("*.example.com", "a.example.com", "xexample.com"),
            ("a b\tc", "b", "d"),
            ("10.0.0.0/8", "10.1.2.3", "11.0.0.1"),
            ("169.254/16", "169.254.7.7", "169.255.0.1"),
            ("192.168.0.1", "192.168.0.1", "192.168.0.10"),
            ("192.168.*", "192.168.4.4", "192.169.4.4"),
            ("2001:db8::/32", "2001:db8::7", "2001:db9::7"),
            ("[2001:db8::1]", "2001:db8::1", "2001:db8::2"),
            ("::ffff:10.0.0.1", "10.0.0.1", "10.0.0.2"),
            ("hub.example:443", "hub.example", "hub2.example"),
            ("<local>;x", "nas", "nas.example"),
            ("한국.kr", "xn--3e0b707e.kr", "한국"),
            ("https://example.com:443", "example.com", "example.org"),
            ("build-*-eu.example", "build-7-eu.example", "build-7-us.example"),
        ] {
            assert!(contain(list, inside), "{inside} is in {list}");
            assert!(!contain(list, outside), "{outside} is not in {list}");
        }
        assert!(contain("*", "anything") && contain("*:443", "anything") && !contain("*:80", "anything"));
        assert!(!contain("hub.example:80", "hub.example"));
        assert!(contain("[::1]:443", "::1") && !contain("[2001:db8::1]:80", "2001:db8::1"));
        assert!(!contain("", "a") && !contain(", ,", "a") && !contain("a:x b:0", "a"));
        // A network is of addresses: what a name resolves to is not asked.
        assert!(!contain("0.0.0.0/0", "hub.example"));
        let endless = "*a".repeat(5_000);
        assert!(!contain(&endless, &"a".repeat(250)));
    }
}
