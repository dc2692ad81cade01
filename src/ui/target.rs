//! The target of a link, and the concerns to raise before opening it.

use unicode_security::MixedScript as _;

use super::harmless;
use crate::model::deep_link::SCHEME;

/// Maximum length of an address, in bytes; longer ones are not links.
const MAX_BYTES: usize = 4 * 1024;

/// An address that may be opened: `http`, `https`, `mailto`, or `duplex`, which the window opens itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LinkTarget {
    url: String,
}

/// A reason to be suspicious of an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Concern {
    /// The link's text shows another address.
    OtherThanText(String),
    /// The user name before `@` looks like a host.
    User(String),
    /// The host has non-ASCII letters; this is its ASCII or Unicode form.
    Letters(String),
    /// The host mixes scripts with similar letters; this is its ASCII form.
    MixedAlphabets(String),
}

impl LinkTarget {
    /// Parses a link's target. `None` if it is not of a kind that is opened, or contains hidden characters.
    pub(super) fn parse(url: &str) -> Option<LinkTarget> {
        let url = url.trim();
        let hides =
            |c: char| c.is_whitespace() || c.is_control() || matches!(c, '\\' | '⟨' | '<' | '>' | '"');
        if url.len() > MAX_BYTES || url.contains(hides) || harmless::text(url) != url {
            return None;
        }
        let (scheme, rest) = url.split_once(':')?;
        let is = |name: &str| scheme.eq_ignore_ascii_case(name);
        let target = LinkTarget { url: url.to_owned() };
        let leads = match rest.strip_prefix("//") {
            Some(_) if is("http") || is("https") || is(SCHEME) => !target.host().is_empty(),
            _ => is("mailto") && rest.contains('@'),
        };
        leads.then_some(target)
    }

    /// The whole address.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// The address in three parts: before the host, the host, after it.
    pub(super) fn parts(&self) -> (&str, &str, &str) {
        let scheme = self.url.find(':').map_or(0, |colon| colon + 1);
        let start = scheme + if self.url[scheme..].starts_with("//") { 2 } else { 0 };
        let end = self.url[start..].find(['/', '?', '#']).map_or(self.url.len(), |at| start + at);
        let start = self.url[start..end].rfind('@').map_or(start, |at| start + at + 1);
        let place = &self.url[start..end];
        let port = match place.rfind(':') {
            Some(colon) if !place[colon..].contains(']') => place.len() - colon,
            _ => 0,
        };
        let end = end - port;
        (&self.url[..start], &self.url[start..end], &self.url[end..])
    }

    /// The host; for `mailto`, that of the first recipient.
    pub(super) fn host(&self) -> &str {
        self.parts().1
    }

    /// The concerns about opening it. `claimed` is the address that the link's text shows, if any.
    pub(super) fn concerns(&self, claimed: Option<&str>) -> Vec<Concern> {
        let mut concerns = Vec::new();
        let (before, host, _) = self.parts();
        if let Some(claim) = claimed.filter(|claim| !same_host(host_of(claim), host)) {
            concerns.push(Concern::OtherThanText(harmless::line(claim, 80)));
        }
        if let Some((_, user)) = before.strip_suffix('@').and_then(|before| before.split_once("://")) {
            concerns.push(Concern::User(harmless::line(user, 80)));
        }
        if !host.is_ascii() {
            let name = on_the_wire(host);
            let mixed = !host.split('.').all(|label| label.is_single_script());
            concerns.push(if mixed { Concern::MixedAlphabets(name) } else { Concern::Letters(name) });
        } else if let Some(name) = spelled_out(host) {
            concerns.push(Concern::Letters(name));
        }
        concerns
    }
}

/// The host of an address that may lack a scheme.
fn host_of(claim: &str) -> &str {
    let rest = claim.split_once("://").map_or(claim, |(_, rest)| rest);
    let rest = rest.strip_prefix("mailto:").unwrap_or(rest);
    let place = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let place = place.rsplit_once('@').map_or(place, |(_, place)| place);
    place.split_once(':').map_or(place, |(place, _)| place)
}

fn same_host(one: &str, other: &str) -> bool {
    let bare = |host: &str| {
        let host = host.trim_end_matches('.').to_lowercase();
        host.strip_prefix("www.").map(str::to_owned).unwrap_or(host)
    };
    bare(one) == bare(other)
}

/// The ASCII (Punycode) form of a host, as used in DNS.
fn on_the_wire(host: &str) -> String {
    let label = |label: &str| match label.is_ascii() {
        true => label.to_owned(),
        false => punycode::encode(&label.to_lowercase())
            .map_or_else(|()| label.to_owned(), |name| format!("xn--{name}")),
    };
    host.split('.').map(label).collect::<Vec<_>>().join(".")
}

/// The Unicode form of an ASCII host, if it differs.
fn spelled_out(host: &str) -> Option<String> {
    let label = |label: &str| {
        let spelled = label.get(..4).filter(|start| start.eq_ignore_ascii_case("xn--"));
        spelled.and_then(|_| punycode::decode(&label[4..]).ok()).unwrap_or_else(|| label.to_owned())
    };
    let name = host.split('.').map(label).collect::<Vec<_>>().join(".");
    (name != host).then(|| harmless::line(&name, 100))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(url: &str) -> LinkTarget {
        LinkTarget::parse(url).unwrap_or_else(|| panic!("{url} is no target"))
    }

    #[test]
    fn only_web_and_mail_addresses_are_targets() {
        for url in [
            "https://example.com",
            "HTTP://example.com:80/x",
            "mailto:mina@example.com",
            "http://[::1]:8080/",
        ] {
            assert_eq!(target(url).url(), url);
        }
        for url in [
            "javascript:alert(1)",
            "file:///etc/passwd",
            "https:/example.com",
            "https://",
            "https:///example.com",
            "data:text/html,x",
            "example.com",
            "mailto:",
            "https://exa mple.com",
            "https://good.example\\@bad.example",
            "https://a.example/\u{202E}x",
            "https://a.example/⟨U+202E⟩x",
            "https://@",
        ] {
            assert_eq!(LinkTarget::parse(url), None, "{url}");
        }
        assert_eq!(LinkTarget::parse(&format!("https://a.example/{}", "x".repeat(5_000))), None);
    }

    #[test]
    fn the_host_is_found_in_any_address() {
        let cases = [
            ("https://example.com/a@b", ("https://", "example.com", "/a@b")),
            (
                "https://bank.example@evil.example:8443/x",
                ("https://bank.example@", "evil.example", ":8443/x"),
            ),
            ("http://[fe80::1]/", ("http://", "[fe80::1]", "/")),
            ("https://example.com?next=https://x", ("https://", "example.com", "?next=https://x")),
            ("mailto:mina@example.com?subject=x", ("mailto:mina@", "example.com", "?subject=x")),
        ];
        for (url, parts) in cases {
            assert_eq!(target(url).parts(), parts);
        }
    }

    #[test]
    fn deceptive_addresses_raise_the_right_concern() {
        let concerns = |url: &str, text: Option<&str>| target(url).concerns(text);
        assert_eq!(concerns("https://example.com/x", Some("www.example.com")), []);
        assert_eq!(concerns("mailto:mina@example.com", None), []);
        assert_eq!(
            concerns("https://evil.example/x", Some("https://bank.example/login")),
            [Concern::OtherThanText("https://bank.example/login".into())]
        );
        assert_eq!(
            concerns("https://bank.example@evil.example/", None),
            [Concern::User("bank.example".into())]
        );
        assert_eq!(concerns("https://한국.kr/", None), [Concern::Letters("xn--3e0b707e.kr".into())]);
        assert_eq!(concerns("https://xn--3e0b707e.kr/", None), [Concern::Letters("한국.kr".into())]);
        // Japanese and Korean text legitimately mixes scripts.
        for host in ["東京タワーのサイト.jp", "漢字와한글.kr", "ー12.jp", "한국-1.kr"] {
            let concerns = concerns(&format!("https://{host}/"), None);
            assert!(matches!(concerns[..], [Concern::Letters(_)]), "{host}: {concerns:?}");
        }
        for host in ["\u{3b1}bc.example", "한글カナ.example", "a.б\u{3b2}.example"] {
            let concerns = concerns(&format!("https://{host}/"), None);
            assert!(matches!(concerns[..], [Concern::MixedAlphabets(_)]), "{host}: {concerns:?}");
        }
        // A Cyrillic а.
        let [Concern::MixedAlphabets(name)] = &concerns("https://p\u{430}ypal.example/", None)[..] else {
            panic!("not seen")
        };
        assert!(name.starts_with("xn--") && name.ends_with(".example"), "{name}");
    }
}
