//! The client's address: the peer of the connection, or the one named by a trusted proxy.

use std::net::{IpAddr, SocketAddr};

use http::{HeaderMap, HeaderName, header};
use ipnet::IpNet;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// Maximum number of hops considered.
const MAX_HOPS: usize = 32;

/// The trusted proxies.
#[derive(Clone, Debug, Default)]
pub(super) struct Proxies(Vec<IpNet>);

impl Proxies {
    pub(super) fn new(trusted: Vec<IpNet>) -> Proxies {
        Proxies(trusted)
    }

    /// Whether this address is a trusted proxy.
    pub(super) fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// The client's address. Behind a trusted proxy it is the last hop that is not a trusted proxy; if the headers
    /// are missing, malformed or contradictory, it is the proxy's own address.
    pub(super) fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let peer = peer.to_canonical();
        if !self.trusts(peer) {
            return peer;
        }
        let forwarded =
            texts(headers, &header::FORWARDED).map(|text| self.walk(split(&text, ','), forwarded));
        let x_forwarded = texts(headers, &X_FORWARDED_FOR)
            .map(|text| self.walk(Some(text.split(',').collect()), |hop| node(hop.trim())));
        match (forwarded, x_forwarded) {
            (Some(one), None) | (None, Some(one)) => one.unwrap_or(peer),
            // A proxy may pass on one of the headers as the client sent it: both must agree.
            (Some(one), Some(other)) => one.filter(|_| one == other).unwrap_or(peer),
            (None, None) => peer,
        }
    }

    /// Walks from the last hop to the first while they are trusted.
    fn walk(&self, hops: Option<Vec<&str>>, address: impl Fn(&str) -> Option<IpAddr>) -> Option<IpAddr> {
        let mut client = None;
        for hop in hops?.into_iter().rev().take(MAX_HOPS) {
            let address = address(hop)?.to_canonical();
            client = Some(address);
            if !self.trusts(address) {
                break;
            }
        }
        client
    }
}

/// All values of a header joined (RFC 9110 §5.3). A value that is not text makes it empty, which is malformed.
fn texts(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let values: Vec<_> = headers.get_all(name).iter().map(|value| value.to_str()).collect();
    if values.is_empty() {
        return None;
    }
    Some(values.into_iter().collect::<Result<Vec<_>, _>>().map(|values| values.join(",")).unwrap_or_default())
}

/// Splits at a separator outside of quotes; `None` if a quote is not closed.
fn split(text: &str, sign: char) -> Option<Vec<&str>> {
    let (mut parts, mut start, mut quoted, mut escaped) = (Vec::new(), 0, false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if c == sign && !quoted => {
                parts.push(&text[start..at]);
                start = at + c.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    (!quoted).then_some(parts)
}

/// The `for` of one element of `Forwarded` (RFC 7239 §4), which must appear exactly once.
fn forwarded(element: &str) -> Option<IpAddr> {
    let mut found = None;
    for pair in split(element, ';')? {
        let (name, value) = pair.trim().split_once('=')?;
        if name.eq_ignore_ascii_case("for") {
            let quoted = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
            let address = node(&quoted.unwrap_or(value).replace('\\', ""))?;
            if found.replace(address).is_some() {
                return None;
            }
        }
    }
    found
}

/// Parses `192.0.2.1`, `192.0.2.1:80`, `[2001:db8::1]`, `[2001:db8::1]:80` and, in `X-Forwarded-For` only,
/// `2001:db8::1`.
fn node(text: &str) -> Option<IpAddr> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(address);
    }
    if let Ok(address) = text.parse::<SocketAddr>() {
        return Some(address.ip());
    }
    text.strip_prefix('[')?.strip_suffix(']')?.parse().ok().map(IpAddr::V6)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies() -> Proxies {
        Proxies::new(vec!["10.0.0.0/8".parse().unwrap(), "2001:db8:1::/48".parse().unwrap()])
    }

    fn client(peer: &str, headers: &[(&'static str, &str)]) -> String {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        proxies().client(peer.parse().unwrap(), &map).to_string()
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        let header = [("x-forwarded-for", "192.0.2.7")];
        assert_eq!(client("10.1.2.3", &header), "192.0.2.7");
        assert_eq!(client("::ffff:10.1.2.3", &header), "192.0.2.7", "IPv4-mapped IPv6");
        assert_eq!(client("192.0.2.1", &header), "192.0.2.1");
        assert_eq!(client("192.0.2.1", &[("forwarded", "for=192.0.2.7")]), "192.0.2.1");
        assert_eq!(client("10.1.2.3", &[]), "10.1.2.3");
    }

    #[test]
    fn the_chain_is_walked_from_its_end() {
        let chain = [("x-forwarded-for", "1.1.1.1, 192.0.2.7, 10.9.9.9")];
        assert_eq!(client("10.1.2.3", &chain), "192.0.2.7", "earlier hops come from the client");
        let lines = [("x-forwarded-for", "1.1.1.1, 192.0.2.7"), ("x-forwarded-for", "10.9.9.9:4711")];
        assert_eq!(client("10.1.2.3", &lines), "192.0.2.7");
        assert_eq!(client("10.1.2.3", &[("x-forwarded-for", "10.0.0.1, 10.0.0.2")]), "10.0.0.1");
        assert_eq!(client("10.1.2.3", &[("x-forwarded-for", "rubbish, 192.0.2.7")]), "192.0.2.7");
    }

    #[test]
    fn forwarded_is_parsed_as_in_rfc_7239() {
        for (text, address) in [
            ("for=192.0.2.43", "192.0.2.43"),
            (r#"For="[2001:db8:cafe::17]:4711""#, "2001:db8:cafe::17"),
            (r#"for="192.0.2.43:47011";proto=http;by=203.0.113.43"#, "192.0.2.43"),
            (r#"by="a,b;c\"d"; for=192.0.2.9 ;host=x"#, "192.0.2.9"),
            (r#"for=1.1.1.1, for="[2001:db8:7::1]", for="[2001:db8:1::9]""#, "2001:db8:7::1"),
            ("for=::ffff:192.0.2.5", "192.0.2.5"),
        ] {
            assert_eq!(client("10.1.2.3", &[("forwarded", text)]), address, "{text}");
        }
    }

    #[test]
    fn malformed_or_contradictory_headers_give_the_proxys_address() {
        let bad = ["", "for=", "for=unknown", "for=_hidden", "proto=http", r#"for="192.0.2.1"#, "192.0.2.1"];
        for text in bad.into_iter().chain(["for=192.0.2.1;for=192.0.2.2", "for=192.0.2.1,", "for=a;x"]) {
            assert_eq!(client("10.1.2.3", &[("forwarded", text)]), "10.1.2.3", "{text}");
        }
        for text in ["", "unknown", "192.0.2.1 192.0.2.2", "[192.0.2.1]", "192.0.2.1,", "192.0.2.1:x"] {
            assert_eq!(client("10.1.2.3", &[("x-forwarded-for", text)]), "10.1.2.3", "{text}");
        }
        let both = [("forwarded", "for=192.0.2.1"), ("x-forwarded-for", "192.0.2.2")];
        assert_eq!(client("10.1.2.3", &both), "10.1.2.3");
        let both = [("forwarded", "for=192.0.2.1"), ("x-forwarded-for", "192.0.2.1")];
        assert_eq!(client("10.1.2.3", &both), "192.0.2.1");
    }
}
