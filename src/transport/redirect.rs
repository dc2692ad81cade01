//! Which redirects of a handshake are followed: those within one host that don't give up encryption. What a handshake carries, the
//! token above all, goes nowhere else.

use super::UrlParts;

/// Maximum number of redirects followed for one connection.
pub(super) const MAX_FOLLOWED: usize = 5;

/// The URL to dial instead, if a redirect to `location` is followed. Both are absolute; `http` means `ws`.
pub(super) fn followed(url: &str, status: u16, location: &str) -> Option<String> {
    if !matches!(status, 301..=303 | 307 | 308) {
        return None;
    }
    let location = location.split('#').next().unwrap_or_default();
    let (scheme, rest) = location.split_once("://")?;
    let scheme = match scheme.to_ascii_lowercase().as_str() {
        "ws" | "http" => "ws",
        "wss" | "https" => "wss",
        _ => return None,
    };
    let next = format!("{scheme}://{rest}");
    let (from, to) = (UrlParts::parse(url).ok()?, UrlParts::parse(&next).ok()?);
    let is_same_host = from.host.eq_ignore_ascii_case(&to.host) && from.zone.is_none();
    let keeps_encryption = to.secure || !from.secure;
    (is_same_host && keeps_encryption).then_some(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects_stay_within_a_host_and_keep_encryption() {
        let followed = |url, location| followed(url, 302, location);
        for (url, location, next) in [
            ("ws://a.example/x", "ws://a.example/y?z#f", "ws://a.example/y?z"),
            ("ws://a.example/x", "https://A.example/y", "wss://A.example/y"),
            ("wss://a.example/x", "https://a.example:8443/y", "wss://a.example:8443/y"),
            ("ws://[::1]:7/x", "http://[::1]:8/y", "ws://[::1]:8/y"),
        ] {
            assert_eq!(followed(url, location).as_deref(), Some(next), "{url} to {location}");
        }
        for (url, location) in [
            ("wss://a.example/x", "http://a.example/x"),
            ("wss://a.example/x", "ws://a.example/x"),
            ("ws://a.example/x", "ws://b.example/x"),
            ("ws://a.example/x", "ws://a.example.evil/x"),
            ("ws://a.example/x", "ws://a.example@b.example/x"),
            ("ws://a.example/x", "ws://me:x@a.example/x"),
            ("ws://a.example/x", "ftp://a.example/x"),
            ("ws://a.example/x", "nonsense"),
            ("ws://127.0.0.1/x", "ws://localhost/x"),
            ("ws://[fe80::1%25eth0]/x", "ws://[fe80::1]/x"),
        ] {
            assert_eq!(followed(url, location), None, "{url} to {location}");
        }
        assert_eq!(super::followed("ws://a/x", 300, "ws://a/y"), None);
    }
}
