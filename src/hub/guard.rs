//! Rejects requests whose `Host` is not this hub's (DNS rebinding) and requests from foreign web pages.

use std::net::IpAddr;

use http::request::Parts;
use http::{HeaderMap, header};

/// Allowed hosts and origins.
#[derive(Clone, Debug, Default)]
pub(super) struct Guard {
    /// Host names besides IP addresses and `localhost`.
    pub hosts: Vec<String>,
    /// Origins of web pages that may connect, such as `https://chat.example`.
    pub origins: Vec<String>,
}

/// Why a request is rejected.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Rejected {
    /// It names another host, or none.
    Host,
    /// It comes from a foreign web page.
    Origin,
}

impl Guard {
    /// Checks a request. `also`: additional host names of the listener that accepted it.
    pub(super) fn check(&self, request: &Parts, also: &[String]) -> Result<(), Rejected> {
        // RFC 9112 §3.2.2: a URL in the request line takes precedence over the header; here both must be valid.
        let in_line = request.uri.authority().is_none_or(|authority| self.is_host(authority.as_str(), also));
        let host = single(&request.headers, header::HOST);
        if !in_line || !host.is_some_and(|host| self.is_host(host, also)) {
            return Err(Rejected::Host);
        }
        let has_origin = request.headers.contains_key(header::ORIGIN);
        let origin = single(&request.headers, header::ORIGIN);
        let allowed = |origin: &str| self.origins.iter().any(|own| own.eq_ignore_ascii_case(origin));
        if has_origin && !origin.is_some_and(allowed) {
            return Err(Rejected::Origin);
        }
        Ok(())
    }

    /// An IP address cannot be rebound, and `localhost` is always this computer.
    fn is_host(&self, text: &str, also: &[String]) -> bool {
        let Some(host) = without_port(text) else {
            return false;
        };
        let is_v6 =
            host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).is_some_and(|v6| v6.contains(':'));
        is_v6
            || host.parse::<IpAddr>().is_ok()
            || host.eq_ignore_ascii_case("localhost")
            || self.hosts.iter().chain(also).any(|own| own.eq_ignore_ascii_case(host))
    }
}

fn single(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(first)
}

fn without_port(text: &str) -> Option<&str> {
    let end_of_host = text.rfind(']').map_or(0, |bracket| bracket + 1);
    match text[end_of_host..].rfind(':') {
        None => Some(text),
        Some(colon) => {
            let (host, port) = text.split_at(end_of_host + colon);
            port[1..].bytes().all(|digit| digit.is_ascii_digit()).then_some(host)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(guard: &Guard, headers: &[(&str, &str)], uri: &str) -> Result<(), Rejected> {
        let mut request = http::Request::builder().uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        guard.check(&request.body(()).unwrap().into_parts().0, &["duplex-1a2b3c4d.local".to_owned()])
    }

    #[test]
    fn a_rebound_host_name_is_rejected() {
        let guard = Guard { hosts: vec!["hub.example".to_owned()], origins: Vec::new() };
        for host in [
            "127.0.0.1:7870",
            "localhost",
            "LOCALHOST:1",
            "[::1]:7870",
            "[::1]",
            "Hub.Example:7870",
            "Duplex-1a2b3c4d.local:1",
        ] {
            assert_eq!(check(&guard, &[("host", host)], "/healthz"), Ok(()), "{host}");
        }
        let bad =
            ["evil.example", "evil.example:7870", "localhost.evil.example", "127.0.0.1.evil.example", ""];
        for host in bad.into_iter().chain(["localhost:7870:x", "[evil]", "user@localhost"]) {
            assert_eq!(check(&guard, &[("host", host)], "/healthz"), Err(Rejected::Host), "{host}");
        }
        assert_eq!(check(&guard, &[], "/healthz"), Err(Rejected::Host));
        let both = [("host", "localhost"), ("host", "evil.example")];
        assert_eq!(check(&guard, &both, "/healthz"), Err(Rejected::Host));
        let line = "http://evil.example/healthz";
        assert_eq!(check(&guard, &[("host", "localhost")], line), Err(Rejected::Host));
    }

    #[test]
    fn a_foreign_page_is_rejected() {
        let guard = Guard { hosts: Vec::new(), origins: vec!["https://chat.example".to_owned()] };
        let check = |origin| check(&guard, &[("host", "localhost"), ("origin", origin)], "/v1/socket");
        assert_eq!(check("https://chat.example"), Ok(()));
        for origin in ["https://evil.example", "null", "http://localhost:7870", "", "http://chat.example"] {
            assert_eq!(check(origin), Err(Rejected::Origin), "{origin}");
        }
    }
}
