//! What a person may add to the HTTP request that opens a WebSocket: headers, subprotocols, a user and a password.

use data_encoding::BASE64;
use http::{HeaderName, HeaderValue};

use super::mqtt::BadTopic;
use super::profile::{
    MAX_HEADERS, MAX_SNIPPET_BYTES, MAX_SNIPPET_NAME_CHARS, MAX_SNIPPETS, MAX_SUBPROTOCOLS, MAX_VALUE_BYTES,
    Secret, WebSocketOptions,
};
use super::stomp::BadDestination;

/// Why a request cannot be sent as a person wants it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadUpgrade {
    /// Not a token (RFC 9110 §5.1).
    #[error("\"{name}\" is not a header name")]
    HeaderName {
        /// What was given as a name.
        name: String,
    },
    /// Set by the handshake itself (RFC 6455 §4.1), or about a connection or a body (RFC 9110 §7.6.1, §8.6).
    #[error("the header {name} is part of the handshake and can't be set")]
    Reserved {
        /// The header.
        name: String,
    },
    /// The value has a line break or another control character (RFC 9110 §5.5).
    #[error("the value of the header {name} has a line break or another control character")]
    HeaderValue {
        /// The header.
        name: String,
    },
    /// One header twice: servers differ in which of them counts.
    #[error("the header {name} is there twice")]
    HeaderTwice {
        /// The header.
        name: String,
    },
    /// Not a token (RFC 6455 §4.1).
    #[error("\"{name}\" is not a subprotocol: only ASCII letters, digits and !#$%&'*+-.^_`|~ are allowed")]
    Subprotocol {
        /// What was given as a subprotocol.
        name: String,
    },
    /// One subprotocol twice, which RFC 6455 §4.1 forbids.
    #[error("the subprotocol {name} is there twice")]
    SubprotocolTwice {
        /// The subprotocol.
        name: String,
    },
    /// The user's name has a colon, or it or the password has a control character (RFC 7617 §2).
    #[error("a user name can't have a colon, and neither it nor the password a control character")]
    Credentials,
}

/// Beside everything that begins with `sec-websocket-`.
const RESERVED: [&str; 10] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// A header as a person wrote it. The value may hold credentials and is marked as sensitive.
///
/// # Errors
/// Where no request can have it.
pub fn header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), BadUpgrade> {
    let name = name.trim();
    let parsed = HeaderName::from_bytes(name.as_bytes())
        .map_err(|_| BadUpgrade::HeaderName { name: name.to_owned() })?;
    if is_reserved(&parsed) {
        return Err(BadUpgrade::Reserved { name: name.to_owned() });
    }
    // Space around it would be no part of it (RFC 9110 §5.5).
    let mut value = HeaderValue::from_bytes(value.trim_matches([' ', '\t']).as_bytes())
        .map_err(|_| BadUpgrade::HeaderValue { name: name.to_owned() })?;
    value.set_sensitive(true);
    Ok((parsed, value))
}

fn is_reserved(name: &HeaderName) -> bool {
    name.as_str().starts_with("sec-websocket-") || RESERVED.contains(&name.as_str())
}

/// Whether a request can have all of these headers beside those of the handshake.
///
/// # Errors
/// The first that it cannot have.
pub fn check_headers(headers: &[(HeaderName, HeaderValue)]) -> Result<(), BadUpgrade> {
    for (index, (name, _)) in headers.iter().enumerate() {
        if is_reserved(name) {
            return Err(BadUpgrade::Reserved { name: name.to_string() });
        }
        if headers[..index].iter().any(|(other, _)| other == name) {
            return Err(BadUpgrade::HeaderTwice { name: name.to_string() });
        }
    }
    Ok(())
}

/// Whether these subprotocols can be offered.
///
/// # Errors
/// The first that cannot.
pub fn check_subprotocols(names: &[String]) -> Result<(), BadUpgrade> {
    for (index, name) in names.iter().enumerate() {
        // A header's name is the same token as a subprotocol, but for its case.
        if HeaderName::from_bytes(name.as_bytes()).is_err() {
            return Err(BadUpgrade::Subprotocol { name: name.clone() });
        }
        if names[..index].contains(name) {
            return Err(BadUpgrade::SubprotocolTwice { name: name.clone() });
        }
    }
    Ok(())
}

/// The value of `Authorization` for a user and a password (RFC 7617), in UTF-8.
///
/// # Errors
/// [`BadUpgrade::Credentials`].
pub fn basic(user: &str, password: &Secret) -> Result<HeaderValue, BadUpgrade> {
    let password = password.reveal();
    if user.contains(':') || user.chars().chain(password.chars()).any(char::is_control) {
        return Err(BadUpgrade::Credentials);
    }
    let encoded = BASE64.encode(format!("{user}:{password}").as_bytes());
    let mut value = HeaderValue::try_from(format!("Basic {encoded}")).map_err(|_| BadUpgrade::Credentials)?;
    value.set_sensitive(true);
    Ok(value)
}

/// Why options cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadOptions {
    /// More or longer than the limits.
    #[error("more headers, subprotocols or snippets, or longer ones, than the limits")]
    TooMuch,
    /// No handshake can have it.
    #[error(transparent)]
    Upgrade(#[from] BadUpgrade),
    /// A topic or another option of MQTT cannot be used.
    #[error(transparent)]
    Topic(#[from] BadTopic),
    /// A destination of STOMP cannot be used.
    #[error(transparent)]
    Destination(#[from] BadDestination),
}

impl WebSocketOptions {
    /// Whether it keeps to the limits, and a handshake can have all of it.
    ///
    /// # Errors
    /// The first that it cannot have.
    pub fn check(&self) -> Result<(), BadOptions> {
        let too_many = self.headers.len() > MAX_HEADERS
            || self.subprotocols.len() > MAX_SUBPROTOCOLS
            || self.snippets.len() > MAX_SNIPPETS
            || self.snippets.iter().any(|snippet| {
                snippet.text.len() > MAX_SNIPPET_BYTES
                    || snippet.name.chars().count() > MAX_SNIPPET_NAME_CHARS
            });
        if too_many || self.user.len() > MAX_VALUE_BYTES || !self.socketio.are_few() {
            return Err(BadOptions::TooMuch);
        }
        self.stomp.check()?;
        self.mqtt.check()?;
        let headers: Result<Vec<_>, _> = self.headers.iter().map(|name| header(name, "")).collect();
        check_headers(&headers?)?;
        check_subprotocols(&self.subprotocols)?;
        basic(&self.user, &Secret::new(""))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::profile::{FrameFormat, Snippet};

    fn options(user: &str, headers: &[&str]) -> WebSocketOptions {
        let headers = headers.iter().map(|name| (*name).to_owned()).collect();
        WebSocketOptions { user: user.into(), headers, ..Default::default() }
    }

    #[test]
    fn options_beyond_the_limits_or_unfit_for_a_handshake_are_refused() {
        assert_eq!(options("me", &["X-Key", "Cookie"]).check(), Ok(()));
        assert!(matches!(options("a:b", &[]).check(), Err(BadOptions::Upgrade(_))));
        assert!(matches!(options("", &["Host"]).check(), Err(BadOptions::Upgrade(_))));
        assert!(matches!(options("", &["X", "x"]).check(), Err(BadOptions::Upgrade(_))));
        let many = WebSocketOptions {
            subprotocols: (0..=MAX_SUBPROTOCOLS).map(|n| format!("p{n}")).collect(),
            ..Default::default()
        };
        assert_eq!(many.check(), Err(BadOptions::TooMuch));
        let snippet =
            Snippet { name: "x".into(), text: "x".repeat(MAX_SNIPPET_BYTES + 1), format: FrameFormat::Text };
        let long = WebSocketOptions { snippets: vec![snippet], ..Default::default() };
        assert_eq!(long.check(), Err(BadOptions::TooMuch));
    }

    #[test]
    fn headers_of_a_persons_own_are_taken_as_they_are() {
        for (name, value, sent) in [
            ("Origin", "https://app.example", &b"https://app.example"[..]),
            ("X-Api-Key", "  hunter2\t", b"hunter2"),
            ("Cookie", "a=b; c=\"d\"", b"a=b; c=\"d\""),
            ("X-Name", "가\tb", "가\tb".as_bytes()),
            ("X-Empty", "", b""),
        ] {
            let (parsed, value) = header(name, value).unwrap();
            assert!(parsed.as_str().eq_ignore_ascii_case(name) && value.is_sensitive());
            assert_eq!(value.as_bytes(), sent);
        }
    }

    #[test]
    fn a_header_cannot_break_out_of_its_line_or_change_the_handshake() {
        for name in ["", "X Y", "X:", "X\r\nY", "한글", "(x)"] {
            assert!(matches!(header(name, "x"), Err(BadUpgrade::HeaderName { .. })), "{name:?}");
        }
        for value in ["a\r\nX: y", "a\nb", "a\rb", "\0", "a\u{7f}", "\u{1b}[31m"] {
            assert!(matches!(header("X", value), Err(BadUpgrade::HeaderValue { .. })), "{value:?}");
        }
        for name in [
            "Host",
            "upgrade",
            "Connection",
            "Sec-WebSocket-Key",
            "sec-websocket-protocol",
            "SEC-WEBSOCKET-EXTENSIONS",
            "Sec-WebSocket-Anything",
            "Content-Length",
            "Transfer-Encoding",
        ] {
            assert_eq!(header(name, "x"), Err(BadUpgrade::Reserved { name: name.to_owned() }));
        }
    }

    #[test]
    fn a_header_is_there_once() {
        let headers = |names: &[&'static str]| -> Vec<_> {
            names.iter().map(|name| (HeaderName::from_static(name), HeaderValue::from_static("x"))).collect()
        };
        assert_eq!(check_headers(&headers(&["origin", "cookie"])), Ok(()));
        let twice = BadUpgrade::HeaderTwice { name: "origin".to_owned() };
        assert_eq!(check_headers(&headers(&["origin", "cookie", "origin"])), Err(twice));
        let reserved = BadUpgrade::Reserved { name: "host".to_owned() };
        assert_eq!(check_headers(&headers(&["host"])), Err(reserved));
    }

    #[test]
    fn subprotocols_are_tokens_and_each_is_there_once() {
        let check = |names: &[&str]| {
            check_subprotocols(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
        };
        assert_eq!(check(&[]), Ok(()));
        assert_eq!(check(&["mqtt", "MQTT", "v12.stomp", "graphql-ws"]), Ok(()));
        for bad in ["", "a b", "a,b", "a\r\nb", "한글", "a/b"] {
            assert!(matches!(check(&["mqtt", bad]), Err(BadUpgrade::Subprotocol { .. })), "{bad:?}");
        }
        assert_eq!(check(&["a", "b", "a"]), Err(BadUpgrade::SubprotocolTwice { name: "a".to_owned() }));
    }

    /// The examples of RFC 7617 §2 and §2.1.
    #[test]
    fn a_user_and_a_password_are_encoded() {
        let encoded = |user: &str, password: &str| basic(user, &Secret::new(password));
        assert_eq!(encoded("Aladdin", "open sesame").unwrap(), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        assert_eq!(encoded("test", "123£").unwrap(), "Basic dGVzdDoxMjPCow==");
        assert_eq!(encoded("", ":").unwrap(), "Basic Ojo=");
        assert!(encoded("a", "b").unwrap().is_sensitive());
        for (user, password) in [("a:b", "c"), ("a", "b\r\nc"), ("a\0", "b")] {
            assert_eq!(encoded(user, password), Err(BadUpgrade::Credentials));
        }
    }
}
