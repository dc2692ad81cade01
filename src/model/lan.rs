//! The app's own server on the local network: its state and addresses, invite links, and servers announced by
//! other computers.

use percent_encoding::percent_decode_str;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::address::{Address, DEFAULT_PORT, SOCKET_PATH};

/// Maximum number of announced servers listed.
pub const MAX_NEARBY: usize = 32;
/// Maximum number of addresses kept of an announced server, and of alternative hosts in an invite link.
pub const MAX_ADDRESSES: usize = 4;
/// Maximum length of an announced server's name, in characters.
pub const MAX_NEARBY_NAME_CHARS: usize = 64;
/// Number of digits of the certificate's fingerprint in an announcement: enough to recognize a known server,
/// too few to trust one.
pub const ANNOUNCED_DIGITS: usize = 16;

/// The person's settings for the app's own server.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LanChoice {
    /// Whether it is open to the local network.
    pub open: bool,
    /// Port to listen on; 0 for any free one.
    pub port: u16,
}

impl Default for LanChoice {
    fn default() -> Self {
        LanChoice { open: false, port: DEFAULT_PORT }
    }
}

/// State of the app's own server on the local network.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Lan {
    /// There is no own server in this run.
    #[default]
    None,
    /// Not open to the network.
    Closed {
        /// Number of connections from other computers that ended when it was closed; `None` if it was never
        /// open in this run.
        ended: Option<usize>,
        /// Port that it would use.
        port: u16,
    },
    /// Opening or closing.
    Changing,
    /// Listening.
    Open(LanOpen),
    /// Opening failed.
    Failed {
        /// The requested port.
        port: u16,
        /// The reason.
        why: NotOpened,
    },
}

impl Lan {
    /// The details if it is open.
    pub fn opened(&self) -> Option<&LanOpen> {
        match self {
            Lan::Open(open) => Some(open),
            _ => None,
        }
    }
}

/// Why the server could not be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotOpened {
    /// Another program uses the port.
    PortInUse,
    /// Another error.
    Other {
        /// The system's error message.
        detail: String,
    },
}

/// The app's own server, listening on the local network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LanOpen {
    /// The port.
    pub port: u16,
    /// This computer's addresses, the most likely to be reachable first. Empty without a network.
    pub addresses: Vec<IpAddr>,
    /// Announced host name, such as `duplex-1a2b3c4d.local`.
    pub host: String,
    /// Display name of the server.
    pub name: String,
    /// SHA-256 of its certificate, 64 hexadecimal digits.
    pub fingerprint: String,
    /// SHA-256 of its public key in the format of curl's `--pinnedpubkey`; empty if unknown.
    pub public_key_pin: String,
    /// Number of connections from other computers since it was opened.
    pub visits: u64,
    /// Number of current connections from other computers.
    pub visitors: usize,
    /// The system's error message if it could not be announced.
    pub not_announced: Option<String>,
}

impl LanOpen {
    /// The URL at the first address; `None` without a network.
    pub fn url(&self) -> Option<String> {
        self.addresses.first().map(|ip| url(&host_of(*ip), self.port))
    }

    /// Its other addresses, as hosts.
    pub fn also(&self) -> Vec<String> {
        let others = self.addresses.iter().skip(1).take(MAX_ADDRESSES - 1).map(|ip| host_of(*ip));
        others.chain((!self.host.is_empty()).then(|| self.host.clone())).collect()
    }
}

/// A server announced on the local network. All of it is untrusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NearbyServer {
    /// Announced name: sanitized, of bounded length, never empty.
    pub name: String,
    /// Addresses, the most likely to be reachable first; at least one.
    pub addresses: Vec<IpAddr>,
    /// Its port.
    pub port: u16,
    /// Prefix of its certificate's fingerprint, to recognize a known server.
    pub id: String,
}

impl NearbyServer {
    /// The URL at each of its addresses.
    pub fn urls(&self) -> Vec<String> {
        self.addresses.iter().map(|ip| url(&host_of(*ip), self.port)).collect()
    }

    /// `host:port` for display.
    pub fn place(&self) -> String {
        let host = self.addresses.first().map(|ip| host_of(*ip)).unwrap_or_default();
        format!("{host}:{}", self.port)
    }

    /// Whether a certificate with this fingerprint may be its own.
    pub fn may_be(&self, fingerprint: &str) -> bool {
        self.id.len() == ANNOUNCED_DIGITS && fingerprint.starts_with(&self.id)
    }
}

/// State of the discovery of announced servers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Nearby {
    /// Discovery is off.
    #[default]
    Off,
    /// Discovery is on; the servers found so far.
    Looking(Vec<NearbyServer>),
    /// Discovery failed, with the system's error message.
    Failed(String),
}

/// An address as the host of a URL.
pub fn host_of(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    }
}

fn url(host: &str, port: u16) -> String {
    format!("wss://{host}:{port}{SOCKET_PATH}")
}

/// An invite link: an [`Address`], alternative hosts of the same server, and the server's name. Host and name
/// are in the fragment, where older versions ignore them: `&at=HOST` for each host, and `&name=NAME`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InviteLink {
    /// The URL, invite code and fingerprint.
    pub address: Address,
    /// Alternative hosts of the server; port and path are the same.
    pub also: Vec<String>,
    /// Name of the server, untrusted; empty if not given.
    pub name: String,
}

impl InviteLink {
    /// Parses what a link has in addition to its [`Address`]: the URLs at the alternative hosts, and the
    /// server's name.
    pub fn extras(text: &str, address: &Address) -> (Vec<String>, String) {
        let fragment = text.split_once('#').map_or("", |(_, fragment)| fragment);
        let field = |name: &'static str| {
            fragment.split('&').filter_map(move |pair| pair.strip_prefix(name)?.strip_prefix('='))
        };
        let others = field("at").filter_map(|host| at_host(&address.url, host));
        let mut urls: Vec<String> = Vec::new();
        for url in others.take(MAX_ADDRESSES + 1) {
            if url != address.url && !urls.contains(&url) {
                urls.push(url);
            }
        }
        let name = field("name").next().map(unpercent).unwrap_or_default();
        (urls, super::harmless::line(&name, MAX_NEARBY_NAME_CHARS))
    }
}

/// Formats the link for [`Address::parse`] and [`InviteLink::extras`]. It contains the invite code, so it
/// must not be logged.
impl std::fmt::Display for InviteLink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.address)?;
        // Extras need a fragment to be appended to.
        if self.address.invite.is_none() && self.address.fingerprint.is_none() {
            return Ok(());
        }
        for host in &self.also {
            write!(f, "&at={host}")?;
        }
        if !self.name.is_empty() {
            let name: String = self.name.chars().take(MAX_NEARBY_NAME_CHARS).collect();
            write!(f, "&name={}", super::publish::percent(&name))?;
        }
        Ok(())
    }
}

/// The URL with another host; `None` if that is not a valid host.
fn at_host(url: &str, host: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let end = rest.find('/').unwrap_or(rest.len());
    let authority: http::uri::Authority = rest[..end].parse().ok()?;
    let port = authority.port().map(|port| format!(":{port}")).unwrap_or_default();
    // Only a host: no port, and no user name or password.
    let is_host = host.parse::<http::uri::Authority>().is_ok_and(|other| other.as_str() == other.host());
    let moved = format!("{scheme}://{host}{port}{}", &rest[end..]);
    (is_host && !host.is_empty() && moved.parse::<http::Uri>().is_ok()).then_some(moved)
}

/// Decodes percent-encoding; invalid UTF-8 becomes replacement characters.
fn unpercent(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::profile::Secret;

    fn open(addresses: &[&str]) -> LanOpen {
        LanOpen {
            port: 7870,
            addresses: addresses.iter().map(|ip| ip.parse().unwrap()).collect(),
            host: "duplex-0f0f0f0f.local".into(),
            name: "Workshop".into(),
            fingerprint: "0f".repeat(32),
            public_key_pin: String::new(),
            visits: 0,
            visitors: 0,
            not_announced: None,
        }
    }

    #[test]
    fn an_invite_has_all_addresses_and_the_servers_name() {
        let lan = open(&["192.168.1.7", "10.0.0.3", "2001:db8::7"]);
        let url = lan.url().unwrap();
        assert_eq!(url, "wss://192.168.1.7:7870/v1/socket");
        let address =
            Address { url, invite: Some(Secret::new("abcd")), fingerprint: Some(lan.fingerprint.clone()) };
        let link = InviteLink { address: address.clone(), also: lan.also(), name: "작업실 & more".into() };
        let text = link.to_string();
        assert_eq!(Address::parse(&text), Ok(address.clone()), "{text}");
        let (also, name) = InviteLink::extras(&text, &address);
        assert_eq!(
            also,
            [
                "wss://10.0.0.3:7870/v1/socket",
                "wss://[2001:db8::7]:7870/v1/socket",
                "wss://duplex-0f0f0f0f.local:7870/v1/socket",
            ]
        );
        assert_eq!(name, "작업실 & more");
        assert!(!text.contains([',', ' ', '#']) || text.matches('#').count() == 1, "{text}");
        assert_eq!(open(&[]).url(), None);
    }

    #[test]
    fn the_contents_of_a_link_are_bounded_and_sanitized() {
        let address = Address::parse("wss://a.example:1/x#invite=abcd").unwrap();
        let many: String = (0..50).map(|n| format!("&at=10.0.0.{n}")).collect();
        let text =
            format!("wss://a.example:1/x#invite=abcd{many}&name=%E2%80%AEevil%0A%FF{}", "x".repeat(500));
        let (also, name) = InviteLink::extras(&text, &address);
        assert_eq!(also.len(), MAX_ADDRESSES + 1);
        assert!(name.chars().count() <= MAX_NEARBY_NAME_CHARS + 1, "{name}");
        assert!(!name.contains(['\u{202e}', '\n']), "{name}");
        for bad in ["me:pw@evil.example", "evil.example:9", "a/b", "", "a b", "[::1"] {
            let text = format!("wss://a.example:1/x#invite=abcd&at={bad}");
            assert!(InviteLink::extras(&text, &address).0.is_empty(), "{bad}");
        }
    }

    #[test]
    fn a_server_is_recognized_only_by_enough_of_its_fingerprint() {
        let server = |id: &str| NearbyServer {
            name: "x".into(),
            addresses: vec!["10.0.0.1".parse().unwrap()],
            port: 1,
            id: id.into(),
        };
        let fingerprint = "0f".repeat(32);
        assert!(server(&"0f".repeat(8)).may_be(&fingerprint));
        for id in ["", "0f", &"0f".repeat(16), &"0e".repeat(8)] {
            assert!(!server(id).may_be(&fingerprint), "{id}");
        }
    }
}
