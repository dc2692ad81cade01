//! Who takes part: people and devices as a server names them.

use serde::{Deserialize, Serialize};

use super::id::PrincipalId;

/// What a principal may do.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PrincipalKind {
    /// Publishes and answers commands for itself alone; never chats.
    Device,
    /// A person who may also invite and see metrics.
    Admin,
    /// Chats and gives commands. A kind of a later version is treated as one.
    #[serde(other)]
    Person,
}

impl PrincipalKind {
    /// Whether it may take part in chat.
    pub fn chats(self) -> bool {
        matches!(self, PrincipalKind::Person | PrincipalKind::Admin)
    }
}

/// Somebody or something that a hub knows by its token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Principal {
    /// The hub's key for it.
    pub id: PrincipalId,
    /// What it may do.
    pub kind: PrincipalKind,
    /// The name people see.
    pub name: String,
}

/// The author of an entry, as the hub stamped it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sender {
    /// The hub's key for them.
    pub id: PrincipalId,
    /// Their name at that time.
    pub name: String,
}
