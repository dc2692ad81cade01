//! Who takes part: people and devices as a server names them.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

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

/// Maximum length of what somebody says of themselves, in characters.
pub const MAX_STATUS_CHARS: usize = 100;

/// What a person may do, beside their kind. What each may do is in [`super::rights`].
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Reads.
    Guest,
    /// Chats.
    Member,
    /// Chats and gives commands to devices.
    Operator,
    /// Does everything.
    Admin,
}

impl Role {
    /// All of them, the least first.
    pub const ALL: [Role; 4] = [Role::Guest, Role::Member, Role::Operator, Role::Admin];

    /// Its word on the wire and on the disk.
    pub fn word(self) -> &'static str {
        match self {
            Role::Guest => "guest",
            Role::Member => "member",
            Role::Operator => "operator",
            Role::Admin => "admin",
        }
    }

    /// The kind of a principal that has it.
    pub fn kind(self) -> PrincipalKind {
        if self == Role::Admin { PrincipalKind::Admin } else { PrincipalKind::Person }
    }

    /// The role of a word; none where this version does not know it.
    pub fn from_word(word: &str) -> Option<Role> {
        Role::ALL.into_iter().find(|role| role.word() == word)
    }
}

impl Serialize for Role {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

impl<'de> Deserialize<'de> for Role {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        Role::from_word(&word).ok_or_else(|| de::Error::custom("invalid value: a role that is not known"))
    }
}

/// A role of a later version is read as none.
pub(super) fn role_if_known<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Role>, D::Error> {
    let word: Option<String> = Deserialize::deserialize(deserializer)?;
    Ok(word.and_then(|word| Role::from_word(&word)))
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
    /// What they may do, where the hub says so.
    #[serde(default, deserialize_with = "role_if_known", skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
}

impl Principal {
    /// What they may do. A server that has no roles lets every person do what an operator may.
    pub fn role(&self) -> Role {
        match (self.kind, self.role) {
            (PrincipalKind::Admin, _) => Role::Admin,
            (_, Some(role)) => role.min(Role::Operator),
            (_, None) => Role::Operator,
        }
    }
}

/// The author of an entry, as the hub stamped it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Sender {
    /// The hub's key for them.
    pub id: PrincipalId,
    /// Their name at that time.
    pub name: String,
}
