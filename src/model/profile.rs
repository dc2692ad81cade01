//! [`Profile`]: one server as a person set it up. Credentials are never saved with it.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::id::ConnectionId;
use super::mqtt::MqttOptions;
use super::proxy::ProxyChoice;
use super::route::RouteChoice;
use super::socketio::SocketIoOptions;
use super::stomp::StompOptions;

pub use super::secret::Secret;

/// The protocol spoken over the transport.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// Duplex's own; see `src/wire/duplex/PROTOCOL.md`.
    #[default]
    Duplex,
    /// Plain WebSocket: every message as it comes.
    #[serde(rename = "websocket")]
    WebSocket,
    /// Socket.IO, over Engine.IO.
    #[serde(rename = "socketio")]
    SocketIo,
    /// STOMP, over WebSocket or TCP.
    Stomp,
    /// MQTT 3.1.1 and 5, over WebSocket or TCP.
    Mqtt,
}

impl Protocol {
    /// Whether a person signs in by a [`Login`]; at a Duplex server by a token.
    pub fn has_login(self) -> bool {
        self != Protocol::Duplex
    }

    /// Whether what a server sends can be mapped to messages, people and devices.
    pub fn is_mapped(self) -> bool {
        matches!(self, Protocol::WebSocket | Protocol::SocketIo | Protocol::Stomp)
    }
}

/// How a WebSocket is used that is not a Duplex server's. What is secret of it, the values of headers and the password, is a [`Login`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct WebSocketOptions {
    /// Subprotocols to offer, in this order; the server must choose one if there are any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub subprotocols: Vec<String>,
    /// The names of further headers of the handshake.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<String>,
    /// The user of HTTP's basic authentication; empty for none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub user: String,
    /// Whether a connection that ended is dialed again.
    pub reconnect: bool,
    /// How what is typed becomes a frame; the last one that was chosen.
    #[serde(skip_serializing_if = "FrameFormat::is_default")]
    pub format: FrameFormat,
    /// Messages to send with one click.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub snippets: Vec<Snippet>,
    /// Of protocol [`Protocol::SocketIo`]: what belongs to it alone.
    #[serde(skip_serializing_if = "SocketIoOptions::is_default")]
    pub socketio: SocketIoOptions,
    /// Of protocol [`Protocol::WebSocket`]: whether messages and readings are recognized; if not, everything is shown as received.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub recognize: bool,
    /// What on this server means what, where that is not recognized: a `mapping::Mapping` as JSON.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub mapping: Map<String, Value>,
    /// Of protocol [`Protocol::Stomp`]: what belongs to it alone.
    #[serde(skip_serializing_if = "StompOptions::is_default")]
    pub stomp: StompOptions,
    /// Of protocol [`Protocol::Mqtt`]: what belongs to it alone.
    #[serde(skip_serializing_if = "MqttOptions::is_default")]
    pub mqtt: Box<MqttOptions>,
}

impl Default for WebSocketOptions {
    fn default() -> Self {
        WebSocketOptions {
            subprotocols: Vec::new(),
            headers: Vec::new(),
            user: String::new(),
            reconnect: true,
            format: FrameFormat::Text,
            snippets: Vec::new(),
            socketio: SocketIoOptions::default(),
            recognize: false,
            mapping: Map::new(),
            stomp: StompOptions::default(),
            mqtt: Box::default(),
        }
    }
}

/// Maximum number of further headers.
pub const MAX_HEADERS: usize = 20;
/// Maximum number of subprotocols.
pub const MAX_SUBPROTOCOLS: usize = 20;
/// Longest value of a header, and longest password, in bytes of UTF-8.
pub const MAX_VALUE_BYTES: usize = 8 * 1024;
/// Maximum number of snippets of one connection.
pub const MAX_SNIPPETS: usize = 100;
/// Longest text of a snippet, in bytes of UTF-8.
pub const MAX_SNIPPET_BYTES: usize = 64 * 1024;
/// Longest name of a snippet, in characters.
pub const MAX_SNIPPET_NAME_CHARS: usize = 64;

impl WebSocketOptions {
    fn is_default(&self) -> bool {
        *self == WebSocketOptions::default()
    }
}

/// How a typed message becomes a frame.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FrameFormat {
    /// A text frame, as it is.
    #[default]
    Text,
    /// A text frame; only what is JSON is sent.
    Json,
    /// A binary frame, from hexadecimal digits.
    Hex,
}

impl FrameFormat {
    fn is_default(&self) -> bool {
        *self == FrameFormat::default()
    }
}

/// A message to send with one click.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snippet {
    /// What the person calls it.
    pub name: String,
    /// What is sent.
    pub text: String,
    /// As what.
    #[serde(default)]
    pub format: FrameFormat,
}

/// What is secret of a connection that is not a Duplex server's: what its handshake carries. Kept as one secret, as JSON.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Login {
    /// The password of HTTP's basic authentication.
    pub password: Option<Secret>,
    /// The values of [`WebSocketOptions::headers`], by name.
    pub headers: Vec<(String, Secret)>,
    /// What a Socket.IO server is told to sign in: a JSON object.
    pub auth: Option<Secret>,
}

impl Login {
    /// From the secret that [`Login::to_secret`] made; nothing where it is none.
    pub fn of_secret(secret: &Secret) -> Login {
        let read: LoginJson = serde_json::from_str(secret.reveal()).unwrap_or_default();
        let headers = read.headers.into_iter().map(|(name, value)| (name, Secret::new(value)));
        Login {
            password: read.password.map(Secret::new),
            headers: headers.collect(),
            auth: read.auth.map(Secret::new),
        }
    }

    /// Whether a secret was made by [`Login::to_secret`], and so is no token.
    pub fn is_one(secret: &Secret) -> bool {
        serde_json::from_str::<Map<String, Value>>(secret.reveal())
            .is_ok_and(|fields| fields.contains_key("headers"))
    }

    /// As one secret.
    pub fn to_secret(&self) -> Secret {
        let headers = self.headers.iter().map(|(name, value)| (name.clone(), value.reveal().to_owned()));
        let json = LoginJson {
            password: self.password.as_ref().map(|password| password.reveal().to_owned()),
            headers: headers.collect(),
            auth: self.auth.as_ref().map(|auth| auth.reveal().to_owned()),
        };
        Secret::new(serde_json::to_string(&json).unwrap_or_default())
    }

    /// What is to be kept from now on: what was given, and of what was kept before whatever the options still name.
    /// `before`: the options until now.
    #[must_use]
    pub fn completed(self, kept: &Login, before: &WebSocketOptions, now: &WebSocketOptions) -> Login {
        let keeps_password = !now.user.is_empty() || before.user.is_empty();
        let password = self.password.clone().or_else(|| kept.password.clone().filter(|_| keeps_password));
        let value =
            |name: &String| Some((name.clone(), self.header(name).or_else(|| kept.header(name))?.clone()));
        let auth = self.auth.clone().or_else(|| kept.auth.clone()).filter(|_| now.socketio.has_auth);
        Login { password, headers: now.headers.iter().filter_map(value).collect(), auth }
    }

    /// Whether there is nothing to keep.
    pub fn is_empty(&self) -> bool {
        self.password.is_none() && self.headers.is_empty() && self.auth.is_none()
    }

    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&Secret> {
        let known = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        known.map(|(_, value)| value)
    }

    /// The texts in the data to sign in with, each of which may be secret alone.
    pub fn auth_texts(&self) -> Vec<String> {
        fn gather(value: Value, texts: &mut Vec<String>) {
            match value {
                Value::String(text) => texts.push(text),
                Value::Array(values) => values.into_iter().for_each(|value| gather(value, texts)),
                Value::Object(fields) => fields.into_iter().for_each(|(_, value)| gather(value, texts)),
                _ => {}
            }
        }
        let mut texts = Vec::new();
        let auth = self.auth.as_ref().and_then(|auth| serde_json::from_str(auth.reveal()).ok());
        gather(auth.unwrap_or_default(), &mut texts);
        texts
    }

    /// All that must never be shown.
    pub fn secrets(&self) -> impl Iterator<Item = &Secret> {
        let headers = self.headers.iter().map(|(_, value)| value);
        self.password.iter().chain(headers).chain(&self.auth)
    }
}

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct LoginJson {
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<String>,
    headers: Vec<(String, String)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth: Option<String>,
}

/// Which implementation carries the socket.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Socket {
    /// tokio-tungstenite: close codes, own CA, headers, dial deadline.
    #[default]
    Tungstenite,
    /// ewebsock: as a browser has it; fewer capabilities.
    Ewebsock,
}

/// One server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// Its key in this app.
    pub id: ConnectionId,
    /// What the person calls it.
    pub name: String,
    /// `ws://` or `wss://` addresses, tried in turn; at least one.
    pub urls: Vec<String>,
    /// The protocol spoken there.
    #[serde(default)]
    pub protocol: Protocol,
    /// What carries the socket.
    #[serde(default)]
    pub socket: Socket,
    /// Of protocol [`Protocol::Duplex`]: how its frames travel.
    #[serde(default, skip_serializing_if = "RouteChoice::is_automatic")]
    pub route: RouteChoice,
    /// A PEM file with a certificate authority to trust for this server alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
    /// SHA-256 of the server's certificate in DER, 64 hexadecimal digits: trusted instead of any authority.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// Whether to connect at start.
    #[serde(default = "yes")]
    pub auto_connect: bool,
    /// Of protocols other than [`Protocol::Duplex`]: how it is used.
    #[serde(default, skip_serializing_if = "WebSocketOptions::is_default")]
    pub websocket: WebSocketOptions,
    /// How the server is reached.
    #[serde(default, skip_serializing_if = "NetworkOptions::is_default")]
    pub network: NetworkOptions,
}

/// How a server is reached.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NetworkOptions {
    /// By way of which proxy.
    #[serde(skip_serializing_if = "ProxyChoice::is_automatic")]
    pub proxy: ProxyChoice,
    /// The password for a proxy that was chosen. Kept in the keyring; never saved, exported or shown with the rest.
    #[serde(skip)]
    pub proxy_password: Option<Secret>,
    /// The certificate that is shown to a server that asks for one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_certificate: Option<ClientCertificate>,
}

/// A certificate of one's own, in PEM files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientCertificate {
    /// The certificate, and after it those of the authorities up to the one that the server trusts.
    pub certificate: PathBuf,
    /// Its private key, unencrypted; none: it is in the same file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<PathBuf>,
}

impl NetworkOptions {
    /// The same without the password.
    #[must_use]
    pub fn without_password(&self) -> NetworkOptions {
        NetworkOptions { proxy_password: None, ..self.clone() }
    }

    fn is_default(&self) -> bool {
        *self == NetworkOptions::default()
    }
}

impl Profile {
    /// What of it may be shown and saved.
    #[must_use]
    pub fn without_password(&self) -> Profile {
        Profile { network: self.network.without_password(), ..self.clone() }
    }

    /// Whether a connection that ended is dialed again by itself.
    pub fn reconnects(&self) -> bool {
        self.protocol != Protocol::WebSocket || self.websocket.reconnect
    }
}

/// A server as a newer version set it up: this one cannot connect it, and leaves it as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewerProfile {
    /// Its key in this app.
    pub id: ConnectionId,
    /// What the person calls it; may be empty.
    pub name: String,
    /// The protocol's word.
    pub protocol: String,
}

impl NewerProfile {
    /// Whether a profile's fields name a protocol, a socket or a route that this version does not know.
    pub fn has_unknown_words(fields: &Map<String, Value>) -> bool {
        let unknown = |name: &str, is_known: fn(&Value) -> bool| {
            fields.get(name).is_some_and(|value| value.is_string() && !is_known(value))
        };
        unknown("protocol", |value| Protocol::deserialize(value).is_ok())
            || unknown("socket", |value| Socket::deserialize(value).is_ok())
            || unknown("route", |value| RouteChoice::deserialize(value).is_ok())
    }
}

fn yes() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login(password: Option<&str>, headers: &[(&str, &str)]) -> Login {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), Secret::new(*value)));
        Login { password: password.map(Secret::new), headers: headers.collect(), auth: None }
    }

    fn options(user: &str, headers: &[&str]) -> WebSocketOptions {
        let headers = headers.iter().map(|name| (*name).to_owned()).collect();
        WebSocketOptions { user: user.into(), headers, ..Default::default() }
    }

    #[test]
    fn what_is_not_given_anew_is_kept_as_long_as_it_is_named() {
        let kept = login(Some("old"), &[("X-Key", "1"), ("X-Gone", "2")]);
        let before = options("me", &["X-Key", "X-Gone"]);
        let now = options("me", &["x-key", "X-New"]);
        let given = login(None, &[("X-New", "3")]);
        let all = given.completed(&kept, &before, &now);
        assert_eq!(all, login(Some("old"), &[("x-key", "1"), ("X-New", "3")]));
        let given = login(Some("new"), &[("x-key", "9")]);
        assert_eq!(given.completed(&kept, &before, &now), login(Some("new"), &[("x-key", "9")]));
        // Without a user there is no password, unless there was none before either.
        assert_eq!(Login::default().completed(&kept, &before, &options("", &[])), Login::default());
        let alone = login(Some("old"), &[]);
        assert_eq!(Login::default().completed(&alone, &options("", &[]), &options("", &[])), alone);
    }
}
