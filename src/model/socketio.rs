//! How a Socket.IO server is used: [`SocketIoOptions`].

use serde::{Deserialize, Serialize};

/// Maximum number of namespaces of one connection.
pub const MAX_NAMESPACES: usize = 16;
/// Maximum length of a namespace with its query, in bytes.
pub const MAX_NAMESPACE_BYTES: usize = 512;

/// How a Socket.IO server is used. What is secret of it, the data to sign in with, is a part of [`Login`].
///
/// [`Login`]: super::profile::Login
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SocketIoOptions {
    /// Namespaces, such as `/chat`; none: the main one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub namespaces: Vec<String>,
    /// Which transports may be used.
    #[serde(skip_serializing_if = "Carriers::is_default")]
    pub carriers: Carriers,
    /// Whether there is data to sign in with.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub has_auth: bool,
}

impl SocketIoOptions {
    /// Whether nothing is set.
    pub fn is_default(&self) -> bool {
        *self == SocketIoOptions::default()
    }

    /// Whether they are within their limits.
    pub fn are_few(&self) -> bool {
        self.namespaces.len() <= MAX_NAMESPACES
            && self.namespaces.iter().all(|namespace| namespace.len() <= MAX_NAMESPACE_BYTES)
    }
}

/// Which transports of Engine.IO may be used.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Carriers {
    /// WebSocket; HTTP long polling where that is refused.
    #[default]
    Automatic,
    /// HTTP long polling, and WebSocket once that is known to work.
    PollingFirst,
    /// HTTP long polling alone.
    Polling,
    /// WebSocket alone.
    WebSocket,
}

impl Carriers {
    fn is_default(&self) -> bool {
        *self == Carriers::default()
    }
}
