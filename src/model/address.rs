//! [`Address`]: what a person types or pastes to reach a server: a URL, a bare host, or an invite link.

use std::fmt;

use super::profile::Secret;

/// The port a hub listens on unless told otherwise.
pub const DEFAULT_PORT: u16 = 7870;
/// The path of a hub's socket.
pub const SOCKET_PATH: &str = "/v1/socket";

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
    /// Neither a URL nor a host name.
    #[error("this is no URL; try wss://host.example:7870")]
    NoUrl,
    /// A scheme other than `ws`, `wss`, `http` and `https`.
    #[error("the address must begin with ws:// or wss://")]
    Scheme,
    /// A user name or password in the URL.
    #[error("a password does not belong into the address")]
    Userinfo,
    /// The fragment's fingerprint is not 64 hexadecimal digits.
    #[error("the invite's fingerprint is damaged; copy the whole invite")]
    Fingerprint,
}

impl Address {
    /// Reads what a person typed. `http` and `https` mean `ws` and `wss`. A bare host means `wss`, and `ws` on loopback,
    /// with port [`DEFAULT_PORT`]; an empty path means [`SOCKET_PATH`].
    pub fn parse(text: &str) -> Result<Address, BadAddress> {
        let text = text.trim();
        if text.is_empty() {
            return Err(BadAddress::Empty);
        }
        let (place, fragment) = text.split_once('#').unwrap_or((text, ""));
        let (scheme, rest) = match place.split_once("://") {
            Some((scheme, rest)) => match scheme.to_ascii_lowercase().as_str() {
                "ws" | "http" => (Some("ws"), rest),
                "wss" | "https" => (Some("wss"), rest),
                _ => return Err(BadAddress::Scheme),
            },
            None => (None, place),
        };
        let end_of_authority = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end_of_authority);
        if authority.contains('@') {
            return Err(BadAddress::Userinfo);
        }
        let authority: http::uri::Authority = authority.parse().map_err(|_| BadAddress::NoUrl)?;
        // A port that is no number up to 65535 counts as none there, though it stands in the text.
        let bad_port = authority.port_u16().is_none() && authority.as_str() != authority.host();
        if authority.host().is_empty() || bad_port || path.contains(char::is_whitespace) {
            return Err(BadAddress::NoUrl);
        }
        let (scheme, port) = match scheme {
            Some(scheme) => (scheme, authority.port_u16()),
            None if is_loopback(authority.host()) => {
                ("ws", Some(authority.port_u16().unwrap_or(DEFAULT_PORT)))
            }
            None => ("wss", Some(authority.port_u16().unwrap_or(DEFAULT_PORT))),
        };
        let port = port.map(|port| format!(":{port}")).unwrap_or_default();
        let path = if path.is_empty() || path == "/" { SOCKET_PATH } else { path };
        let url = format!("{scheme}://{}{port}{path}", authority.host());
        url.parse::<http::Uri>().map_err(|_| BadAddress::NoUrl)?;
        let field =
            |name: &str| fragment.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        Ok(Address {
            url,
            invite: field("invite").filter(|code| !code.is_empty()).map(Secret::new),
            fingerprint: field("sha256").map(fingerprint).transpose()?,
        })
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
    if !scheme.eq_ignore_ascii_case("ws") && !scheme.eq_ignore_ascii_case("http") {
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
        assert_eq!(url("two words"), Err(BadAddress::NoUrl));
        assert_eq!(url("wss://hub.example:99999"), Err(BadAddress::NoUrl));
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
    fn an_invite_survives_being_written_and_read() {
        let hex = "0f".repeat(32);
        let address = Address::parse(&format!("wss://hub.example:7870#invite=abc-def&sha256={hex}")).unwrap();
        assert_eq!(address.invite, Some(Secret::new("abc-def")));
        assert_eq!(address.fingerprint, Some(hex));
        assert_eq!(Address::parse(&address.to_string()), Ok(address));
        assert_eq!(Address::parse("wss://a.example#sha256=12"), Err(BadAddress::Fingerprint));
    }
}
