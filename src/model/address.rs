//! [`Address`]: what a person types or pastes to reach a server: a URL, a bare host, or an invite link.

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use std::borrow::Cow;
use std::fmt;
use std::net::Ipv6Addr;

use super::secret::Secret;

/// The port a hub listens on unless told otherwise.
pub const DEFAULT_PORT: u16 = 7870;
/// The path of a hub's socket.
pub const SOCKET_PATH: &str = "/v1/socket";
/// Maximum length of an address with its invite, in bytes.
pub const MAX_ADDRESS_BYTES: usize = 2_048;
/// Maximum length of a host's name, in bytes (RFC 1035 §2.3.4).
const MAX_NAME_BYTES: usize = 253;
/// Maximum length of a network interface's name, in bytes; systems allow less.
const MAX_ZONE_BYTES: usize = 64;
/// Maximum length of an invite's code, in bytes.
const MAX_CODE_BYTES: usize = 256;

/// A server's address, perhaps with an invite to it.
///
/// An invite link is the server's URL with `#invite=CODE` behind it, and `&sha256=HEX` for a server that signed its own
/// certificate. The fragment is never sent to the server as part of the URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// `ws://` or `wss://`, with host, port where it is not the scheme's own, and path.
    pub url: String,
    /// A single-use code.
    pub invite: Option<Secret>,
    /// SHA-256 of the server's certificate, 64 lower-case hexadecimal digits.
    pub fingerprint: Option<String>,
}

/// Why a text is no address.
#[derive(Copy, Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadAddress {
    /// Nothing was typed.
    #[error("the address is empty")]
    Empty,
    /// Longer than [`MAX_ADDRESS_BYTES`].
    #[error("the address is longer than {MAX_ADDRESS_BYTES} bytes")]
    TooLong,
    /// White space or a control character within it.
    #[error("there is a space or a control character in the address")]
    Space,
    /// Neither a URL nor a host name.
    #[error("this isn't a valid address; try wss://hub.example:7870")]
    NoUrl,
    /// A scheme other than `ws`, `wss`, `http` and `https`.
    #[error("the address must begin with wss:// or ws://")]
    Scheme,
    /// A user name or password in the URL.
    #[error("a user name or password must not be part of the address; use --token-file for the token")]
    Userinfo,
    /// No host's name can look like this.
    #[error("the host name is not valid")]
    Host,
    /// Only numbers and dots, or hexadecimal ones, that are no IPv4 address.
    #[error("this isn't a valid IPv4 address")]
    Ipv4,
    /// In brackets, and no IPv6 address.
    #[error("this isn't a valid IPv6 address")]
    Ipv6,
    /// An IPv6 address without brackets, whose end could be a port.
    #[error("write an IPv6 address in brackets: [::1]:7870")]
    Brackets,
    /// The part behind `%` names no network interface, or stands behind an address that needs none.
    #[error("only a link-local IPv6 address takes the name of a network interface: [fe80::1%eth0]:7870")]
    Zone,
    /// The port is not a number from 1 to 65535.
    #[error("the port must be a number from 1 to 65535")]
    Port,
    /// A part behind `#` in a plain WebSocket's address (RFC 6455 §3).
    #[error("remove the part from # on: it is never sent to a server")]
    Fragment,
    /// The fragment's invite has no code, or one that no server makes.
    #[error("the invite's code is missing or damaged; copy the whole invite")]
    Invite,
    /// The fragment's fingerprint is not 64 hexadecimal digits.
    #[error("the invite's fingerprint is damaged; copy the whole invite")]
    Fingerprint,
}

impl Address {
    /// Reads what a person typed. `http` and `https` mean `ws` and `wss`. A bare host means `wss`, and `ws` on loopback,
    /// with port [`DEFAULT_PORT`]; an empty path means [`SOCKET_PATH`].
    ///
    /// The URL is ASCII: a host's name is in punycode (UTS 46), the rest percent-encoded. As in a browser, `0x7f.1` is
    /// `127.0.0.1`; an IPv4 address within an IPv6 one (`::ffff:127.0.0.1`) becomes that IPv4 address.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn parse(text: &str) -> Result<Address, BadAddress> {
        let text = text.trim();
        if text.is_empty() {
            return Err(BadAddress::Empty);
        }
        if text.len() > MAX_ADDRESS_BYTES {
            return Err(BadAddress::TooLong);
        }
        let (place, fragment) = text.split_once('#').unwrap_or((text, ""));
        let url = url_of(place, Some(DEFAULT_PORT), SOCKET_PATH)?;
        let field =
            |name: &str| fragment.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        Ok(Address {
            url,
            invite: field("invite").map(code).transpose()?,
            fingerprint: field("sha256").map(fingerprint).transpose()?,
        })
    }
}

/// Reads the address of a plain WebSocket: any `ws://` or `wss://` URL, as [`Address::parse`] does but that its port is
/// the scheme's own and its path the root unless they are named.
///
/// # Errors
/// What is wrong with the text.
pub fn websocket_url(text: &str) -> Result<String, BadAddress> {
    let text = text.trim();
    if text.is_empty() {
        return Err(BadAddress::Empty);
    }
    if text.len() > MAX_ADDRESS_BYTES {
        return Err(BadAddress::TooLong);
    }
    let url = url_of(text.split('#').next().unwrap_or_default(), None, "/")?;
    if text.contains('#') { Err(BadAddress::Fragment) } else { Ok(url) }
}

/// The ports of STOMP over TCP, plain and with TLS.
pub const STOMP_PORT: u16 = 61_613;
/// See [`STOMP_PORT`].
pub const STOMPS_PORT: u16 = 61_614;

/// The ports of MQTT over TCP, plain and with TLS.
pub const MQTT_PORT: u16 = 1_883;
/// See [`MQTT_PORT`].
pub const MQTTS_PORT: u16 = 8_883;

/// Whether a URL is dialed by TCP alone, without WebSocket.
pub fn is_stream(url: &str) -> bool {
    stream_scheme(url).is_some() || mqtt_scheme(url).is_some()
}

/// Whether a URL's scheme says that MQTT is spoken there.
pub fn is_mqtt(url: &str) -> bool {
    let scheme = url.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
    scheme.is_some_and(|scheme| matches!(scheme.as_str(), "mqtt" | "mqtts" | "mqtt+ssl" | "mqtt+tls"))
}

/// Whether a URL's scheme says that STOMP is spoken there.
pub fn is_stomp(url: &str) -> bool {
    url.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("stomp")) && stream_scheme(url).is_some()
}

/// As [`stream_scheme`], of MQTT.
fn mqtt_scheme(url: &str) -> Option<(&'static str, &str)> {
    let (scheme, rest) = url.split_once("://")?;
    let scheme = match scheme.to_ascii_lowercase().as_str() {
        "mqtt" | "tcp" => "mqtt",
        "mqtts" | "mqtt+ssl" | "mqtt+tls" | "ssl" | "tls" => "mqtts",
        _ => return None,
    };
    Some((scheme, rest))
}

/// Reads the address of a server that speaks MQTT: over WebSocket as [`websocket_url`] does, or over TCP: `mqtt://host` and
/// `mqtts://host`, with port [`MQTT_PORT`] or [`MQTTS_PORT`] unless it is named, and without a path. A bare host is one over TCP, with
/// TLS at the port for it.
///
/// # Errors
/// What is wrong with the text.
pub fn mqtt_url(text: &str) -> Result<String, BadAddress> {
    let text = text.trim();
    if text.is_empty() {
        return Err(BadAddress::Empty);
    }
    let (scheme, rest) = match mqtt_scheme(text) {
        Some(found) => found,
        None if text.contains("://") => return websocket_url(text),
        None if text.ends_with(&format!(":{MQTTS_PORT}")) => ("mqtts", text),
        None => ("mqtt", text),
    };
    of_stream(scheme, rest)
}

/// The scheme of a URL for a stream by TCP, in the spelling that is dialed, and what follows it.
fn stream_scheme(url: &str) -> Option<(&'static str, &str)> {
    let (scheme, rest) = url.split_once("://")?;
    let scheme = match scheme.to_ascii_lowercase().as_str() {
        "stomp" | "tcp" | "stomp+tcp" => "stomp",
        "stomps" | "stomp+ssl" | "stomp+tls" | "ssl" => "stomps",
        _ => return None,
    };
    Some((scheme, rest))
}

/// Reads the address of a server that speaks STOMP: over WebSocket as [`websocket_url`] does, or over TCP: `stomp://host` and
/// `stomps://host`, with port [`STOMP_PORT`] or [`STOMPS_PORT`] unless it is named, and without a path. A bare host with one of
/// these ports is one over TCP.
///
/// # Errors
/// What is wrong with the text.
pub fn stomp_url(text: &str) -> Result<String, BadAddress> {
    let text = text.trim();
    let of_port = |port: u16| !text.contains("://") && text.ends_with(&format!(":{port}"));
    let (scheme, rest) = match stream_scheme(text) {
        Some(found) => found,
        None if of_port(STOMP_PORT) => ("stomp", text),
        None if of_port(STOMPS_PORT) => ("stomps", text),
        None => return websocket_url(text),
    };
    of_stream(scheme, rest)
}

/// The URL of a host for a stream by TCP.
fn of_stream(scheme: &str, rest: &str) -> Result<String, BadAddress> {
    let url = websocket_url(&format!("ws://{rest}"))?;
    let place = url.strip_prefix("ws://").and_then(|place| place.strip_suffix('/'));
    let place = place.filter(|place| !place.contains(['/', '?'])).ok_or(BadAddress::NoUrl)?;
    Ok(format!("{scheme}://{place}"))
}

/// Several such addresses in one text, with commas between them. A comma within a path or a query is a part of it.
pub fn websocket_urls(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let ends = text.match_indices(',').map(|(at, _)| at).find(|at| {
            let next = text[at + 1..].trim_start().to_ascii_lowercase();
            let is_websocket = ["ws://", "wss://", "http://", "https://"].iter().any(|s| next.starts_with(s));
            next.is_empty() || is_websocket || is_stream(&next)
        });
        rest = ends.map(|at| &text[at + 1..]);
        Some(text[..ends.unwrap_or(text.len())].trim())
    })
    .filter(|part| !part.is_empty())
}

/// The URL that a text without a fragment stands for. Without a scheme, the port is `bare_port` unless it is named.
fn url_of(place: &str, bare_port: Option<u16>, root: &str) -> Result<String, BadAddress> {
    let (scheme, rest) = scheme(place)?;
    let end_of_authority = rest.find(['/', '?', '\\']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end_of_authority);
    if authority.contains('@') {
        return Err(BadAddress::Userinfo);
    }
    if place.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(BadAddress::Space);
    }
    if path.starts_with('\\') {
        return Err(BadAddress::NoUrl);
    }
    let (host, port) = host_and_port(authority)?;
    let (scheme, port) = match scheme {
        Some(scheme) => (scheme, port),
        None if is_loopback(&host) => ("ws", port.or(bare_port)),
        None => ("wss", port.or(bare_port)),
    };
    let port = port.map(|port| format!(":{port}")).unwrap_or_default();
    let url = format!("{scheme}://{host}{port}{}", target(path, root));
    // Checked last, by the code that dials it.
    without_zone(&url).0.parse::<http::Uri>().map_err(|_| BadAddress::NoUrl)?;
    Ok(url)
}

/// The scheme, where one stands there, and what follows it.
fn scheme(place: &str) -> Result<(Option<&'static str>, &str), BadAddress> {
    let known = |scheme: &str| match scheme.to_ascii_lowercase().as_str() {
        "ws" | "http" => Some("ws"),
        "wss" | "https" => Some("wss"),
        _ => None,
    };
    if let Some((scheme, rest)) = place.split_once("://") {
        return known(scheme).map(|scheme| (Some(scheme), rest)).ok_or(BadAddress::Scheme);
    }
    // `wss:hub.example` misses its slashes; `ws:7870` is a computer called ws.
    match place.split_once(':') {
        Some((scheme, rest))
            if known(scheme).is_some() && !rest.starts_with(|c: char| c.is_ascii_digit()) =>
        {
            Err(BadAddress::Scheme)
        }
        _ => Ok((None, place)),
    }
}

/// The host as it stands in a URL, and the port.
pub(super) fn host_and_port(authority: &str) -> Result<(String, Option<u16>), BadAddress> {
    if let Some(inner) = authority.strip_prefix('[') {
        let (v6, rest) = inner.split_once(']').ok_or(BadAddress::Ipv6)?;
        let port = match rest.strip_prefix(':') {
            Some(text) => port(text)?,
            None if rest.is_empty() => None,
            None => return Err(BadAddress::NoUrl),
        };
        return Ok((ipv6(v6)?, port));
    }
    if authority.matches(':').count() > 1 {
        return Ok((bare_ipv6(authority)?, None));
    }
    let (name, port) = match authority.split_once(':') {
        Some((name, text)) => (name, port(text)?),
        None => (authority, None),
    };
    Ok((named(name)?, port))
}

/// An empty port is the scheme's own, as in any URL (RFC 3986 §3.2.3).
fn port(text: &str) -> Result<Option<u16>, BadAddress> {
    if text.is_empty() {
        return Ok(None);
    }
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse::<u16>() {
        Ok(port) if digits && port > 0 => Ok(Some(port)),
        _ => Err(BadAddress::Port),
    }
}

/// A host's name or IPv4 address, in ASCII.
fn named(name: &str) -> Result<String, BadAddress> {
    use url::{Host, ParseError};
    match Host::parse(name) {
        Ok(Host::Domain(name)) => {
            // DNS (RFC 1035 §2.3.4); a dot at the end stands for the root.
            let labels = name.strip_suffix('.').unwrap_or(&name);
            let fits = labels.len() <= MAX_NAME_BYTES
                && labels.split('.').all(|label| (1..=63).contains(&label.len()));
            if fits { Ok(name) } else { Err(BadAddress::Host) }
        }
        Ok(Host::Ipv4(ip)) => Ok(ip.to_string()),
        Ok(Host::Ipv6(_)) | Err(ParseError::InvalidIpv6Address) => Err(BadAddress::Ipv6),
        Err(ParseError::InvalidIpv4Address) => Err(BadAddress::Ipv4),
        Err(ParseError::EmptyHost) => Err(BadAddress::NoUrl),
        Err(_) => Err(BadAddress::Host),
    }
}

/// What stands in brackets: an IPv6 address, and the interface of a link-local one behind `%25` (RFC 6874) or `%`.
fn ipv6(text: &str) -> Result<String, BadAddress> {
    let (address, zone) = match text.split_once('%') {
        Some((address, zone)) => {
            (address, Some(zone.strip_prefix("25").filter(|rest| !rest.is_empty()).unwrap_or(zone)))
        }
        None => (text, None),
    };
    let ip: Ipv6Addr = address.parse().map_err(|_| BadAddress::Ipv6)?;
    match zone {
        Some(zone) if ip.is_unicast_link_local() && is_zone(zone) => Ok(format!("[{ip}%25{zone}]")),
        Some(_) => Err(BadAddress::Zone),
        None => Ok(match ip.to_ipv4_mapped() {
            Some(ip) => ip.to_string(),
            None => format!("[{ip}]"),
        }),
    }
}

/// An IPv6 address without brackets, unless its last group could be meant as a port.
fn bare_ipv6(text: &str) -> Result<String, BadAddress> {
    let host = ipv6(text).map_err(|bad| if bad == BadAddress::Zone { bad } else { BadAddress::Brackets })?;
    let could_be_port = |group: &str| group.bytes().all(|byte| byte.is_ascii_digit());
    match text.rsplit_once(':') {
        Some((front, last)) if could_be_port(last) && ipv6(front).is_ok() => Err(BadAddress::Brackets),
        _ => Ok(host),
    }
}

/// Whether an interface can be called so.
fn is_zone(zone: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    (1..=MAX_ZONE_BYTES).contains(&zone.len()) && zone.bytes().all(is_allowed)
}

/// A URL without the interface of a link-local host, and that: it means something on this computer alone, and is never
/// sent (RFC 6874 §1).
pub fn without_zone(url: &str) -> (Cow<'_, str>, Option<&str>) {
    let found = || {
        let open = url.find("://")? + 3;
        let inner = url[open..].strip_prefix('[')?;
        let close = open + 1 + inner.find(']')?;
        let mark = open + url[open..close].find("%25")?;
        Some((mark, close))
    };
    match found() {
        Some((mark, close)) => {
            (Cow::Owned(format!("{}{}", &url[..mark], &url[close..])), Some(&url[mark + 3..close]))
        }
        None => (Cow::Borrowed(url), None),
    }
}

/// Path and query as they are asked for: with a path, and in ASCII (RFC 3986 §2.1).
fn target(path: &str, root: &str) -> String {
    let (path, query) = match path.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (path, None),
    };
    let mut out = encoded(if path.is_empty() || path == "/" { root } else { path });
    if let Some(query) = query {
        out.push('?');
        out.push_str(&encoded(query));
    }
    out
}

/// What a request line cannot hold, or what servers take for something else.
const NOT_IN_TARGETS: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NOT_IN_TARGETS).to_string()
}

fn code(text: &str) -> Result<Secret, BadAddress> {
    let is_sound =
        !text.is_empty() && text.len() <= MAX_CODE_BYTES && text.chars().all(|c| c.is_ascii_graphic());
    if is_sound { Ok(Secret::new(text)) } else { Err(BadAddress::Invite) }
}

/// The same URL with the other of encrypted and not.
pub fn other_scheme(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    match scheme {
        "ws" => Some(format!("wss://{rest}")),
        "wss" => Some(format!("ws://{rest}")),
        "stomp" => Some(format!("stomps://{rest}")),
        "stomps" => Some(format!("stomp://{rest}")),
        "mqtt" => Some(format!("mqtts://{rest}")),
        "mqtts" => Some(format!("mqtt://{rest}")),
        _ => None,
    }
}

/// The text that [`Address::parse`] reads. It holds the invite's code: it is for the person, never for a log.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url)?;
        let mut mark = '#';
        if let Some(code) = &self.invite {
            write!(f, "{mark}invite={}", code.reveal())?;
            mark = '&';
        }
        if let Some(fingerprint) = &self.fingerprint {
            write!(f, "{mark}sha256={fingerprint}")?;
        }
        Ok(())
    }
}

/// Takes `user:password@` out of one or several addresses (with commas between), and returns the password. A user alone
/// stays: it may be a mistake in writing, and [`Address::parse`] says so.
pub fn take_password(text: &mut String) -> Option<Secret> {
    let mut taken = None;
    let parts: Vec<String> = text.split(',').map(|part| without_password(part, &mut taken)).collect();
    if taken.is_some() {
        *text = parts.join(",");
    }
    taken
}

fn without_password(part: &str, taken: &mut Option<Secret>) -> String {
    let start = part.find("://").map_or(part.len() - part.trim_start().len(), |scheme| scheme + 3);
    let length = part[start..].find(['/', '?', '#']).unwrap_or(part.len() - start);
    let authority = &part[start..start + length];
    let Some((userinfo, place)) = authority.rsplit_once('@') else { return part.to_owned() };
    let Some((user, password)) = userinfo.split_once(':') else { return part.to_owned() };
    *taken = Some(Secret::new(if password.is_empty() { user } else { password }));
    format!("{}{place}{}", &part[..start], &part[start + length..])
}

/// The user and the password that stood in an address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Userinfo {
    /// The user; may be empty.
    pub user: String,
    /// The password, where there was a colon before it.
    pub password: Option<Secret>,
}

/// Takes `user:password@` out of one or several addresses of plain WebSockets, and returns the last of them, decoded
/// (RFC 3986 §3.2.1).
pub fn take_userinfo(text: &mut String) -> Option<Userinfo> {
    let mut taken = None;
    let starts: Vec<usize> =
        websocket_urls(text).map(|part| part.as_ptr() as usize - text.as_ptr() as usize).collect();
    for start in starts.into_iter().rev() {
        let part = &text[start..];
        let authority = start + part.find("://").map_or(0, |scheme| scheme + 3);
        let end = text[authority..].find(['/', '?', '#']).map_or(text.len(), |length| authority + length);
        let Some(at) = text[authority..end].rfind('@') else { continue };
        let userinfo = text[authority..authority + at].to_owned();
        let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        taken.get_or_insert_with(|| match userinfo.split_once(':') {
            Some((user, password)) => {
                Userinfo { user: decoded(user), password: Some(Secret::new(decoded(password))) }
            }
            None => Userinfo { user: decoded(&userinfo), password: None },
        });
        text.replace_range(authority..=authority + at, "");
    }
    taken
}

/// Whether a URL's host names this computer by itself.
pub fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.to_canonical().is_loopback())
}

/// The host of a URL over which everything can be read on the way: another computer's, and not encrypted. What a name
/// resolves to does not count: the answer may be another one when it is dialed.
pub fn unencrypted_host(url: &str) -> Option<&str> {
    let (scheme, rest) = url.split_once("://")?;
    if !["ws", "http", "stomp", "mqtt"].iter().any(|plain| scheme.eq_ignore_ascii_case(plain)) {
        return None;
    }
    let authority = &rest[..rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len())];
    let place = authority.rsplit_once('@').map_or(authority, |(_, place)| place);
    let host = match place.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, _)) => host,
        None => place.rsplit_once(':').map_or(place, |(host, _)| host),
    };
    (!is_loopback(host)).then_some(host)
}

fn fingerprint(text: &str) -> Result<String, BadAddress> {
    let digits: String = text.chars().filter(|c| *c != ':').map(|c| c.to_ascii_lowercase()).collect();
    let is_hex = digits.len() == 64 && digits.bytes().all(|b| b.is_ascii_hexdigit());
    if is_hex { Ok(digits) } else { Err(BadAddress::Fingerprint) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_type_becomes_a_url() {
        let url = |text: &str| Address::parse(text).map(|address| address.url);
        assert_eq!(url("localhost").as_deref(), Ok("ws://localhost:7870/v1/socket"));
        assert_eq!(url("127.0.0.1:9000").as_deref(), Ok("ws://127.0.0.1:9000/v1/socket"));
        assert_eq!(url("[::1]").as_deref(), Ok("ws://[::1]:7870/v1/socket"));
        assert_eq!(url(" hub.example ").as_deref(), Ok("wss://hub.example:7870/v1/socket"));
        assert_eq!(url("https://hub.example/").as_deref(), Ok("wss://hub.example/v1/socket"));
        assert_eq!(url("WS://hub.example:1/other?x=1").as_deref(), Ok("ws://hub.example:1/other?x=1"));
        assert_eq!(url(""), Err(BadAddress::Empty));
        assert_eq!(url("ftp://hub.example"), Err(BadAddress::Scheme));
        assert_eq!(url("wss://me:secret@hub.example"), Err(BadAddress::Userinfo));
        assert_eq!(url("two words"), Err(BadAddress::Space));
        assert_eq!(url("wss://hub.example:99999"), Err(BadAddress::Port));
    }

    #[test]
    fn every_way_to_write_a_host_becomes_the_one_that_is_dialed() {
        for (text, url) in [
            ("::1", "ws://[::1]:7870/v1/socket"),
            ("2001:db8::1", "wss://[2001:db8::1]:7870/v1/socket"),
            ("ws://::1", "ws://[::1]/v1/socket"),
            ("2001:DB8:0:0:0:0:0:1", "wss://[2001:db8::1]:7870/v1/socket"),
            ("[::ffff:127.0.0.1]:19000", "ws://127.0.0.1:19000/v1/socket"),
            ("::ffff:127.0.0.1", "ws://127.0.0.1:7870/v1/socket"),
            ("ws://[::ffff:192.0.2.1]:1/x", "ws://192.0.2.1:1/x"),
            ("ws://0x7f.1:19000", "ws://127.0.0.1:19000/v1/socket"),
            ("2130706433", "ws://127.0.0.1:7870/v1/socket"),
            ("wss://bücher.test", "wss://xn--bcher-kva.test/v1/socket"),
            ("BÜCHER.Test:1", "wss://xn--bcher-kva.test:1/v1/socket"),
            ("한국.kr", "wss://xn--3e0b707e.kr:7870/v1/socket"),
            ("wss://faß.example", "wss://xn--fa-hia.example/v1/socket"),
            ("my_nas:80", "wss://my_nas:80/v1/socket"),
            ("hub.example:", "wss://hub.example:7870/v1/socket"),
            ("ws://[fe80::1%25lo]:7870", "ws://[fe80::1%25lo]:7870/v1/socket"),
            ("fe80::1%eth0", "wss://[fe80::1%25eth0]:7870/v1/socket"),
            ("[fe80::1%25]", "wss://[fe80::1%2525]:7870/v1/socket"),
        ] {
            let read = Address::parse(text).map(|address| address.url);
            assert_eq!(read.as_deref(), Ok(url), "{text}");
            assert_eq!(Address::parse(url).map(|address| address.url).as_deref(), Ok(url), "{url} once more");
        }
    }

    #[test]
    fn what_is_no_address_is_refused_by_its_cause() {
        for (text, bad) in [
            ("::1:7870", BadAddress::Brackets),
            ("a:b:c", BadAddress::Brackets),
            ("[::1", BadAddress::Ipv6),
            ("[hub.example]:1", BadAddress::Ipv6),
            ("[::1]x", BadAddress::NoUrl),
            ("[::1%25lo]", BadAddress::Zone),
            ("[fe80::1%25a b]", BadAddress::Space),
            ("[fe80::1%25a/b]", BadAddress::Ipv6),
            ("wss://a..b", BadAddress::Host),
            ("wss://a b", BadAddress::Space),
            ("wss://a\u{7}b", BadAddress::Space),
            ("wss://ex%41mple^.test", BadAddress::Host),
            ("wss://1.2.3.4.5", BadAddress::Ipv4),
            ("wss://256.0.0.1", BadAddress::Ipv4),
            ("hub.example:0", BadAddress::Port),
            ("hub.example:x", BadAddress::Port),
            ("hub.example:+1", BadAddress::Port),
            ("wss:hub.example", BadAddress::Scheme),
            ("mqtt://hub.example", BadAddress::Scheme),
            ("wss://", BadAddress::NoUrl),
            ("wss://:80", BadAddress::NoUrl),
            ("wss://hub.example#invite=", BadAddress::Invite),
            ("wss://hub.example#invite=a b", BadAddress::Invite),
        ] {
            assert_eq!(Address::parse(text), Err(bad), "{text}");
        }
        let long = |count: usize| Address::parse(&"x".repeat(count));
        assert_eq!(
            (long(64), long(MAX_ADDRESS_BYTES + 1)),
            (Err(BadAddress::Host), Err(BadAddress::TooLong))
        );
    }

    #[test]
    fn what_follows_the_host_is_asked_for_in_ascii_and_with_a_path() {
        for (text, url) in [
            ("ws://127.0.0.1:19121?x=1", "ws://127.0.0.1:19121/v1/socket?x=1"),
            ("ws://127.0.0.1/?x=ü", "ws://127.0.0.1/v1/socket?x=%C3%BC"),
            ("ws://127.0.0.1/ü/한?q=\"a\"", "ws://127.0.0.1/%C3%BC/%ED%95%9C?q=%22a%22"),
            ("ws://127.0.0.1/%C3%BC%2f", "ws://127.0.0.1/%C3%BC%2f"),
        ] {
            assert_eq!(Address::parse(text).map(|address| address.url).as_deref(), Ok(url), "{text}");
        }
    }

    #[test]
    fn the_interface_of_a_host_is_taken_out_of_its_url() {
        let (url, zone) = without_zone("ws://[fe80::1%25eth0]:7870/x%25y");
        assert_eq!((&*url, zone), ("ws://[fe80::1]:7870/x%25y", Some("eth0")));
        for url in ["ws://[::1]:7870/x%25y", "ws://hub.example/[a%25b]", "nonsense"] {
            assert_eq!(without_zone(url), (Cow::Borrowed(url), None));
        }
    }

    #[test]
    fn only_this_computer_is_reached_without_encryption_and_nobody_reading_along() {
        for url in [
            "ws://localhost:7870/v1/socket",
            "WS://LOCALHOST",
            "http://127.0.0.1:1",
            "ws://127.8.9.1",
            "ws://[::1]:7870/x",
            "ws://[::ffff:127.0.0.1]",
            "wss://hub.example",
            "https://10.0.0.1",
        ] {
            assert_eq!(unencrypted_host(url), None, "{url}");
        }
        for (url, host) in [
            ("ws://hub.example:7870/v1/socket", "hub.example"),
            ("http://10.0.0.1", "10.0.0.1"),
            ("Ws://[2001:db8::1]:7870", "2001:db8::1"),
            ("ws://localhost.example", "localhost.example"),
            ("ws://localhost:1@hub.example", "hub.example"),
            ("ws://127.0.0.1.example/localhost", "127.0.0.1.example"),
            ("ws://0.0.0.0:1", "0.0.0.0"),
        ] {
            assert_eq!(unencrypted_host(url), Some(host), "{url}");
        }
    }

    #[test]
    fn a_password_is_taken_out_of_an_address() {
        for (text, clean, password) in [
            ("wss://me:p@ss@hub.example/x?y", "wss://hub.example/x?y", Some("p@ss")),
            (" me:pass@hub.example", " hub.example", Some("pass")),
            ("wss://t0ken:@hub.example", "wss://hub.example", Some("t0ken")),
            ("wss://a.example, ws://:pass@b.example:1", "wss://a.example, ws://b.example:1", Some("pass")),
            ("wss://me@hub.example", "wss://me@hub.example", None),
            ("wss://hub.example:7870/a:b@c", "wss://hub.example:7870/a:b@c", None),
            ("", "", None),
        ] {
            let mut address = text.to_owned();
            assert_eq!(take_password(&mut address), password.map(Secret::new), "{text}");
            assert_eq!(address, clean);
        }
    }

    #[test]
    fn a_plain_websocket_may_be_at_any_url() {
        for (text, url) in [
            ("ws://127.0.0.1:9000", "ws://127.0.0.1:9000/"),
            ("wss://echo.example", "wss://echo.example/"),
            ("wss://echo.example/", "wss://echo.example/"),
            ("https://echo.example/a/b?c=d,e", "wss://echo.example/a/b?c=d,e"),
            ("ws://echo.example?token=x", "ws://echo.example/?token=x"),
            ("ws://[::1]:9000/x", "ws://[::1]:9000/x"),
            ("[2001:db8::1]", "wss://[2001:db8::1]/"),
            ("localhost:8080/ws", "ws://localhost:8080/ws"),
            ("localhost", "ws://localhost/"),
            ("echo.example", "wss://echo.example/"),
        ] {
            assert_eq!(websocket_url(text).as_deref(), Ok(url), "{text}");
            assert_eq!(websocket_url(url).as_deref(), Ok(url), "{url} once more");
        }
        for (text, bad) in [
            ("", BadAddress::Empty),
            ("ws://echo.example/#x", BadAddress::Fragment),
            ("wss://echo.example#invite=K7Q2", BadAddress::Fragment),
            ("ws://me:x@echo.example", BadAddress::Userinfo),
            ("mqtt://echo.example", BadAddress::Scheme),
            ("ws://echo.example:0", BadAddress::Port),
        ] {
            assert_eq!(websocket_url(text), Err(bad), "{text}");
        }
        let several = |text| websocket_urls(text).collect::<Vec<_>>();
        assert_eq!(several("ws://a/?x=1,2, wss://b"), ["ws://a/?x=1,2", "wss://b"]);
        assert_eq!(several("ws://a,WS://b ,"), ["ws://a", "WS://b"]);
        assert_eq!(several(" , "), Vec::<&str>::new());
    }

    #[test]
    fn a_user_and_a_password_are_taken_out_of_a_plain_websockets_address() {
        for (text, clean, user, password) in [
            ("wss://me:p@ss@a.example/x?y@z", "wss://a.example/x?y@z", "me", Some("p@ss")),
            ("ws://m%40e:%ED%95%9C@a.example", "ws://a.example", "m@e", Some("한")),
            ("ws://me@a.example", "ws://a.example", "me", None),
            ("ws://:pass@[::1]:9", "ws://[::1]:9", "", Some("pass")),
            ("ws://a.example, ws://me:pass@b.example", "ws://a.example, ws://b.example", "me", Some("pass")),
        ] {
            let mut address = text.to_owned();
            let expected = Userinfo { user: user.into(), password: password.map(Secret::new) };
            assert_eq!(take_userinfo(&mut address), Some(expected), "{text}");
            assert_eq!(address, clean);
        }
        for text in ["", "ws://a.example/me:pass@x", "a.example"] {
            let mut address = text.to_owned();
            assert_eq!((take_userinfo(&mut address), address.as_str()), (None, text));
        }
    }

    #[test]
    fn mqtt_is_at_a_websocket_or_at_a_host() {
        for (text, url) in [
            ("mqtt://broker.example", "mqtt://broker.example"),
            ("MQTT://broker.example:1884/", "mqtt://broker.example:1884"),
            ("tcp://[::1]:1883", "mqtt://[::1]:1883"),
            ("ssl://broker.example", "mqtts://broker.example"),
            ("tls://broker.example:8884", "mqtts://broker.example:8884"),
            ("localhost", "mqtt://localhost"),
            ("broker.example:8883", "mqtts://broker.example:8883"),
            ("broker.example:1883", "mqtt://broker.example:1883"),
            ("ws://broker.example:8083/mqtt", "ws://broker.example:8083/mqtt"),
            ("wss://broker.example/mqtt", "wss://broker.example/mqtt"),
        ] {
            assert_eq!(mqtt_url(text).as_deref(), Ok(url), "{text}");
            assert_eq!(mqtt_url(url).as_deref(), Ok(url), "{url} once more");
        }
        for (text, bad) in [
            ("", BadAddress::Empty),
            ("mqtt://", BadAddress::NoUrl),
            ("mqtt://broker.example/path", BadAddress::NoUrl),
            ("stomp://broker.example", BadAddress::Scheme),
            ("mqtt://me:x@broker.example", BadAddress::Userinfo),
        ] {
            assert_eq!(mqtt_url(text), Err(bad), "{text}");
        }
        assert!(
            is_mqtt("MQTTS://a") && !is_mqtt("tcp://a") && is_stream("tcp://a") && is_stream("mqtts://a")
        );
        assert!(is_stomp("stomp+ssl://a") && !is_stomp("ssl://a") && !is_stomp("mqtt://a"));
        assert_eq!(unencrypted_host("mqtt://a.example"), Some("a.example"));
        assert_eq!(other_scheme("mqtts://a").as_deref(), Some("mqtt://a"));
    }

    #[test]
    fn stomp_is_at_a_websocket_or_at_a_host() {
        for (text, url) in [
            ("stomp://broker.example", "stomp://broker.example"),
            ("STOMP://broker.example:61613/", "stomp://broker.example:61613"),
            ("stomp+ssl://[::1]:61614", "stomps://[::1]:61614"),
            ("stomps://broker.example", "stomps://broker.example"),
            ("broker.example:61613", "stomp://broker.example:61613"),
            ("localhost:61614", "stomps://localhost:61614"),
            ("localhost:15674/ws", "ws://localhost:15674/ws"),
            ("https://broker.example/ws?access_token=x", "wss://broker.example/ws?access_token=x"),
        ] {
            assert_eq!(stomp_url(text).as_deref(), Ok(url), "{text}");
            assert_eq!(stomp_url(url).as_deref(), Ok(url), "{url} once more");
        }
        for (text, bad) in [
            ("", BadAddress::Empty),
            ("stomp://", BadAddress::NoUrl),
            ("stomp://broker.example/path", BadAddress::NoUrl),
            ("stomp://broker.example?x", BadAddress::NoUrl),
            ("stomp://me:x@broker.example", BadAddress::Userinfo),
            ("amqp://broker.example", BadAddress::Scheme),
        ] {
            assert_eq!(stomp_url(text), Err(bad), "{text}");
        }
        let several = websocket_urls("stomp://a,stomps://b, ws://c/?x=1,2").collect::<Vec<_>>();
        assert_eq!(several, ["stomp://a", "stomps://b", "ws://c/?x=1,2"]);
        let mut address = "stomp://me:pass@a.example".to_owned();
        let expected = Userinfo { user: "me".into(), password: Some(Secret::new("pass")) };
        assert_eq!((take_userinfo(&mut address), address.as_str()), (Some(expected), "stomp://a.example"));
        assert_eq!(unencrypted_host("stomp://a.example:61613"), Some("a.example"));
        assert_eq!(unencrypted_host("stomps://a.example"), None);
    }

    #[test]
    fn an_invite_survives_being_written_and_read() {
        let hex = "0f".repeat(32);
        let address = Address::parse(&format!("wss://hub.example:7870#invite=abc-def&sha256={hex}")).unwrap();
        assert_eq!(address.invite, Some(Secret::new("abc-def")));
        assert_eq!(address.fingerprint, Some(hex));
        assert_eq!(Address::parse(&address.to_string()), Ok(address));
        assert_eq!(Address::parse("wss://a.example#sha256=12"), Err(BadAddress::Fingerprint));
    }
}
