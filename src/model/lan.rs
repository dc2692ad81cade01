//! The own server on the local network: whether it is open to it, how it is reached there, and which servers others have
//! announced.

use percent_encoding::percent_decode_str;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::address::{Address, DEFAULT_PORT, SOCKET_PATH};

/// Maximum number of servers that are listed of those that others announce.
pub const MAX_NEARBY: usize = 32;
/// Maximum number of addresses that are kept of one announced server, and put into an invite beside the first.
pub const MAX_ADDRESSES: usize = 4;
/// Maximum number of characters of an announced server's name.
pub const MAX_NEARBY_NAME_CHARS: usize = 64;
/// How many digits of a certificate's fingerprint an announcement has: enough to find a known server again, and never
/// enough to trust one.
pub const ANNOUNCED_DIGITS: usize = 16;

/// What the person has chosen for the own server.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LanChoice {
    /// Whether it is open to the local network.
    pub open: bool,
    /// The port it listens on there; 0 takes any free one.
    pub port: u16,
}

impl Default for LanChoice {
    fn default() -> Self {
        LanChoice { open: false, port: DEFAULT_PORT }
    }
}

/// How the own server stands on the local network.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Lan {
    /// There is no own server in this run.
    #[default]
    None,
    /// It is not open.
    Closed {
        /// How many connections from other computers ended when it was closed; none where it was not open in this run.
        ended: Option<usize>,
        /// The port that it would have.
        port: u16,
    },
    /// It is about to be opened or closed.
    Changing,
    /// It listens.
    Open(LanOpen),
    /// It could not be opened.
    Failed {
        /// The port that was wanted.
        port: u16,
        /// Why.
        why: NotOpened,
    },
}

impl Lan {
    /// How it is reached, where it is open.
    pub fn opened(&self) -> Option<&LanOpen> {
        match self {
            Lan::Open(open) => Some(open),
            _ => None,
        }
    }
}

/// Why the own server could not be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotOpened {
    /// Another program has the port.
    PortInUse,
    /// The system's words.
    Other {
        /// What it says.
        detail: String,
    },
}

/// An own server that listens on the local network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LanOpen {
    /// The port.
    pub port: u16,
    /// This computer's addresses, the likeliest first. Empty without a network.
    pub addresses: Vec<IpAddr>,
    /// The name by which it is announced to be resolved: `duplex-1a2b3c4d.local`.
    pub host: String,
    /// The server's name for people.
    pub name: String,
    /// SHA-256 of its certificate, 64 hexadecimal digits.
    pub fingerprint: String,
    /// SHA-256 of its public key as curl's `--pinnedpubkey` takes it; empty where it is not known.
    pub public_key_pin: String,
    /// How many connections have come from other computers since it was opened.
    pub visits: u64,
    /// How many of those are there now.
    pub visitors: usize,
    /// Why it is not announced, in the system's words; none where it is.
    pub not_announced: Option<String>,
}

impl LanOpen {
    /// The socket's URL at the likeliest address; none without a network.
    pub fn url(&self) -> Option<String> {
        self.addresses.first().map(|ip| url(&host_of(*ip), self.port))
    }

    /// The other hosts it is reached by.
    pub fn also(&self) -> Vec<String> {
        let others = self.addresses.iter().skip(1).take(MAX_ADDRESSES - 1).map(|ip| host_of(*ip));
        others.chain((!self.host.is_empty()).then(|| self.host.clone())).collect()
    }
}

/// A server that somebody announces on the local network. All of it is what they say; nothing of it is to be trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NearbyServer {
    /// What it calls itself: harmless, of bounded length, never empty.
    pub name: String,
    /// Its addresses, the likeliest first; at least one.
    pub addresses: Vec<IpAddr>,
    /// Its port.
    pub port: u16,
    /// The beginning of its certificate's fingerprint, by which a known one is found again.
    pub id: String,
}

impl NearbyServer {
    /// The socket's URL at each of its addresses.
    pub fn urls(&self) -> Vec<String> {
        self.addresses.iter().map(|ip| url(&host_of(*ip), self.port)).collect()
    }

    /// `host:port` for people.
    pub fn place(&self) -> String {
        let host = self.addresses.first().map(|ip| host_of(*ip)).unwrap_or_default();
        format!("{host}:{}", self.port)
    }

    /// Whether a certificate of this fingerprint may be its own.
    pub fn may_be(&self, fingerprint: &str) -> bool {
        self.id.len() == ANNOUNCED_DIGITS && fingerprint.starts_with(&self.id)
    }
}

/// What is known of servers that others announce.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Nearby {
    /// Nobody looks for them.
    #[default]
    Off,
    /// These were found so far.
    Looking(Vec<NearbyServer>),
    /// They cannot be looked for, in the system's words.
    Failed(String),
}

/// An address as a URL's host.
pub fn host_of(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    }
}

fn url(host: &str, port: u16) -> String {
    format!("wss://{host}:{port}{SOCKET_PATH}")
}

/// An invite as a link: an [`Address`], other hosts that lead to the same server, and the server's name. Both stand in the
/// fragment, where older readers pass over them: `&at=HOST` for each host, `&name=NAME`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InviteLink {
    /// The address, the code and the fingerprint.
    pub address: Address,
    /// Other hosts of the same server: the port and the path are the address's.
    pub also: Vec<String>,
    /// What the server calls itself; empty where that is not said. It is foreign text.
    pub name: String,
}

impl InviteLink {
    /// What a link says beside its [`Address`]: the URLs at the other hosts, and the server's name.
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

/// The text that [`Address::parse`] and [`InviteLink::extras`] read. It holds the invite's code: it is for the person, never
/// for a log.
impl std::fmt::Display for InviteLink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.address)?;
        // Without a fragment there is nothing to go on with.
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

/// The same URL at another host; none where that is no host.
fn at_host(url: &str, host: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let end = rest.find('/').unwrap_or(rest.len());
    let authority: http::uri::Authority = rest[..end].parse().ok()?;
    let port = authority.port().map(|port| format!(":{port}")).unwrap_or_default();
    // A host alone: neither a port nor a name and a password.
    let is_host = host.parse::<http::uri::Authority>().is_ok_and(|other| other.as_str() == other.host());
    let moved = format!("{scheme}://{host}{port}{}", &rest[end..]);
    (is_host && !host.is_empty() && moved.parse::<http::Uri>().is_ok()).then_some(moved)
}

/// Text as it was before it was percent-encoded; bytes that are not UTF-8 become replacement characters.
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
    fn an_invite_leads_to_all_addresses_and_says_whose_it_is() {
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
    fn what_a_link_says_is_bounded_and_harmless() {
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
    fn a_server_is_found_again_by_a_part_of_its_fingerprint_and_never_by_less() {
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
