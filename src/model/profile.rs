//! [`Profile`]: one server as a person set it up. Credentials are never part of it.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::id::ConnectionId;

/// The protocol spoken over the transport.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// Duplex's own; see `src/wire/duplex/PROTOCOL.md`.
    #[default]
    Duplex,
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
    /// A PEM file with a certificate authority to trust for this server alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
    /// SHA-256 of the server's certificate in DER, 64 hexadecimal digits: trusted instead of any authority.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// Whether to connect at start.
    #[serde(default = "yes")]
    pub auto_connect: bool,
}

fn yes() -> bool {
    true
}

/// A token or an invite's code. Never printed, never logged, never part of a [`Profile`].
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes a secret.
    pub fn new(text: impl Into<String>) -> Self {
        Secret(text.into())
    }

    /// The secret itself, for the wire alone.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}
