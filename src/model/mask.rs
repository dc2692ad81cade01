//! Masks secrets in text that is shown, logged or saved: given ones, and anything that looks like one. Pure;
//! the process-wide list of secrets is in `privacy`.

use std::borrow::Cow;

use super::log::json::HIDDEN;

/// Minimum length of a secret, in bytes; shorter ones would match ordinary words.
pub const MIN_SECRET_BYTES: usize = 6;
/// Minimum length of a bearer token without a name before it, in characters; anything shorter may be a word.
const MIN_BEARER_CHARS: usize = 16;
/// Maximum distance of a password from the start of its URL, in bytes. Bounds the time spent on a text full
/// of URLs.
const MAX_URL_BYTES: usize = 2048;
/// Names that precede a secret, separated from it by `=` or `:`.
const NAMES: &[&str] = &[
    "authorization",
    "invite",
    "token",
    "access_token",
    "password",
    "passwd",
    "secret",
    "api_key",
    "apikey",
    "mac",
];
/// Authentication schemes, which may be between `Authorization:` and the secret.
const SCHEMES: &[&str] = &["bearer", "basic", "token"];

/// Masks the given secrets, also in JSON-escaped form.
pub fn hide<'a>(secrets: &[&str], text: &'a str) -> Cow<'a, str> {
    let mut clean = Cow::Borrowed(text);
    for secret in secrets.iter().filter(|secret| secret.len() >= MIN_SECRET_BYTES) {
        if clean.contains(secret) {
            clean = Cow::Owned(clean.replace(secret, HIDDEN));
        }
        let written = serde_json::to_string(secret).unwrap_or_default();
        let written = written.trim_matches('"');
        if written != *secret && clean.contains(written) {
            clean = Cow::Owned(clean.replace(written, HIDDEN));
        }
    }
    clean
}

/// Masks everything that looks like a secret: `user:password@` in a URL, `invite=…`, `token=…`, `"password":
/// "…"`, `Authorization: …`, `Bearer …`.
pub fn hide_shapes(text: &str) -> Cow<'_, str> {
    let spans = spans(text);
    if spans.is_empty() {
        return Cow::Borrowed(text);
    }
    let (mut clean, mut from) = (String::with_capacity(text.len()), 0);
    for (start, end) in spans {
        clean.push_str(&text[from..start]);
        clean.push_str(HIDDEN);
        from = end;
    }
    clean.push_str(&text[from..]);
    Cow::Owned(clean)
}

/// Masks a typed address before it is shown again. Masks more than [`hide_shapes`], since the address may be
/// malformed: everything before the last `@`, and the invite in the fragment.
pub fn hide_address(text: &str) -> String {
    let clean = match text.rfind('@') {
        None => text.to_owned(),
        Some(at) => {
            let start = text.find("://").map(|scheme| scheme + 3).filter(|start| *start <= at).unwrap_or(0);
            format!("{}{HIDDEN}{}", &text[..start], &text[at..])
        }
    };
    hide_shapes(&clean).into_owned()
}

/// Ranges of secrets in the text, in bytes, in order.
pub fn spans(text: &str) -> Vec<(usize, usize)> {
    let mut spans = Vec::new();
    let mut from = 0;
    while let Some((start, end)) = next_span(text, from) {
        spans.push((start, end));
        from = end;
    }
    spans
}

fn next_span(text: &str, from: usize) -> Option<(usize, usize)> {
    let mut begins_word = true;
    let bytes = text.as_bytes();
    for at in from..bytes.len() {
        let span = match bytes[at] {
            b':' if text[at..].starts_with("://") => userinfo(text, at + 3),
            byte if byte.is_ascii_alphabetic() && begins_word => named(text, at).or_else(|| bearer(text, at)),
            _ => None,
        };
        // Skip what is already masked.
        if let Some((start, end)) = span.filter(|(start, end)| start < end && &text[*start..*end] != HIDDEN) {
            return Some((start, end));
        }
        begins_word = !bytes[at].is_ascii_alphanumeric() && bytes[at] != b'_';
    }
    None
}

/// `user:password` of a URL whose authority begins at `start`.
fn userinfo(text: &str, start: usize) -> Option<(usize, usize)> {
    let is_end = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>' | '`' | '\\');
    let url = &text[start..text.floor_char_boundary(start + MAX_URL_BYTES)];
    let url = &url[..url.find(is_end).unwrap_or(url.len())];
    let authority = &url[..url.find(['/', '?', '#']).unwrap_or(url.len())];
    if let Some(at) = authority.rfind('@') {
        return Some((start, start + at));
    }
    // A slash in the password ends the authority early, leaving the password where the port would be.
    let port = authority.rsplit_once(':').map(|(_, port)| port).filter(|_| !authority.ends_with(']'))?;
    let is_port = port.bytes().all(|byte| byte.is_ascii_digit());
    let at = url.rfind('@').filter(|_| !is_port)?;
    Some((start, start + at))
}

/// The value after a name that begins at `at`.
fn named(text: &str, at: usize) -> Option<(usize, usize)> {
    let rest = &text[at..];
    let length = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
    let name = &rest[..length];
    NAMES.iter().find(|known| known.eq_ignore_ascii_case(name))?;
    let mut value = skip(text, at + length, |c| matches!(c, '"' | '\'' | '\\' | ' '));
    if !text[value..].starts_with([':', '=']) {
        return None;
    }
    value = skip(text, value + 1, |c| matches!(c, '"' | '\'' | '\\' | ' '));
    // The debug format of an `Option`.
    if text[value..].starts_with("Some(") {
        value = skip(text, value + "Some(".len(), |c| matches!(c, '"' | '\\'));
    }
    let word = &text[value..word_end(text, value)];
    if name.eq_ignore_ascii_case("authorization")
        && SCHEMES.iter().any(|scheme| scheme.eq_ignore_ascii_case(word))
    {
        value = skip(text, value + word.len(), |c| c == ' ');
    }
    Some((value, word_end(text, value)))
}

/// The token after `Bearer`, if it is long enough to be one.
fn bearer(text: &str, at: usize) -> Option<(usize, usize)> {
    let scheme = text[at..].get(..7).filter(|scheme| scheme.eq_ignore_ascii_case("bearer "))?;
    let start = at + scheme.len();
    let end = word_end(text, start);
    (end - start >= MIN_BEARER_CHARS).then_some((start, end))
}

fn skip(text: &str, from: usize, is_skipped: impl Fn(char) -> bool) -> usize {
    text[from..].find(|c| !is_skipped(c)).map_or(text.len(), |length| from + length)
}

fn word_end(text: &str, from: usize) -> usize {
    let is_end = |c: char| {
        c.is_whitespace() || matches!(c, '"' | '\'' | '\\' | ',' | '&' | ';' | '<' | '>' | ')' | '}')
    };
    text[from..].find(is_end).map_or(text.len(), |length| from + length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_recognized_by_their_shape() {
        for (text, clean) in [
            ("wss://me:pass@hub.example/v1: no", "wss://•••@hub.example/v1: no"),
            ("wss://me:pa/ss@hub.example", "wss://•••@hub.example"),
            ("wss://me:p@ss@hub.example", "wss://•••@hub.example"),
            ("wss://t0ken@hub.example, wss://a:b@c", "wss://•••@hub.example, wss://•••@c"),
            (
                "see wss://hub.example:7870#invite=ABC-DEF&sha256=0f",
                "see wss://hub.example:7870#invite=•••&sha256=0f",
            ),
            ("https://hub.example/?token=abc&x=1", "https://hub.example/?token=•••&x=1"),
            (r#"{"type":"hello","token":"abc","x":1}"#, r#"{"type":"hello","token":"•••","x":1}"#),
            (r#""{\"token\":\"abc\"}""#, r#""{\"token\":\"•••\"}""#),
            (r#"{"authorization": "Bearer abc"}"#, r#"{"authorization": "Bearer •••"}"#),
            ("GET /\r\nAuthorization: Basic YWJj\r\nHost: x", "GET /\r\nAuthorization: Basic •••\r\nHost: x"),
            ("Bearer 0123456789abcdef0123", "Bearer •••"),
            (r#"Hello { token: Some("abc"), x: 1 }"#, r#"Hello { token: Some("•••"), x: 1 }"#),
            ("PASSWORD = 'geheim' 한글", "PASSWORD = '•••' 한글"),
        ] {
            assert_eq!(hide_shapes(text), clean);
            assert_eq!(hide_shapes(clean), clean, "masking is idempotent");
        }
    }

    #[test]
    fn other_text_is_unchanged() {
        for text in [
            "https://hub.example:7870/a/@me",
            "the token is in /srv/duplex/token",
            "give one by --token or DUPLEX_TOKEN",
            "Bearer tokens are words",
            "macaroni=1, tokens=2, 토큰: 하나",
            "a@b ws://[::1]:7870/v1/socket at 10:30",
            "",
        ] {
            assert!(matches!(hide_shapes(text), Cow::Borrowed(_)), "{text} became {}", hide_shapes(text));
        }
    }

    #[test]
    fn the_password_in_a_malformed_address_is_masked() {
        for (text, clean) in [
            ("me:secret@hub.example", "•••@hub.example"),
            ("wss://me:se cret@hub.example", "wss://•••@hub.example"),
            ("ftp://me:1/2@hub.example#invite=A", "ftp://•••@hub.example#invite=•••"),
            ("hub.example#invite=A B", "hub.example#invite=••• B"),
            ("wss://hub.example:99999", "wss://hub.example:99999"),
            ("@://", "•••@://"),
        ] {
            assert_eq!(hide_address(text), clean);
        }
    }

    #[test]
    fn given_secrets_are_masked_also_in_json() {
        assert_eq!(hide(&["pa\"ss word"], r#"a pa"ss word, "pa\"ss word""#), r#"a •••, "•••""#);
        assert_eq!(hide(&["", "a"], "a banana"), "a banana", "a single letter is not a secret");
    }
}
