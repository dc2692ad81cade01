//! Management of people, devices with tokens, and invites of a server, as an admin sees and changes them.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::id::PrincipalId;
use super::name;
use super::principal::{Principal, PrincipalKind, Role, Sender, role_if_known};
use super::profile::Secret;
use super::time::WallMs;

/// Default lifetime of an invite, in milliseconds: a day.
pub const INVITE_MS: u64 = 24 * 60 * 60 * 1_000;
/// Maximum lifetime of an invite, in milliseconds: a year.
pub const MAX_INVITE_MS: u64 = 366 * 24 * 60 * 60 * 1_000;

/// Something that not everybody may do. PROTOCOL.md has the table.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Write, in rooms that they see.
    Write,
    /// Make a room, or a direct message.
    MakeRoom,
    /// Rename, describe or archive a room that they made.
    ChangeOwnRoom,
    /// Rename, describe or archive any public room.
    ChangeRoom,
    /// Delete what others wrote.
    DeleteOthers,
    /// Give commands to devices.
    Command,
    /// Change who may do what.
    Manage,
}

impl Role {
    /// Whether this role permits the action.
    pub fn may(self, act: Act) -> bool {
        let least = match act {
            Act::Write | Act::MakeRoom | Act::ChangeOwnRoom => Role::Member,
            Act::ChangeRoom | Act::Command => Role::Operator,
            Act::DeleteOthers | Act::Manage => Role::Admin,
        };
        self >= least
    }
}

/// A principal with a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The principal.
    #[serde(flatten)]
    pub who: Principal,
    /// Whether any of their apps is connected.
    #[serde(default)]
    pub online: bool,
    /// Whether this is the owner, whose token is in the server's data directory.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub owner: bool,
}

/// An invite, used or not. Its code is known only to whoever received it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitation {
    /// Id, 10 hexadecimal digits; used to remove the invite.
    pub id: String,
    /// Kind of the account that it creates.
    pub kind: PrincipalKind,
    /// Role of the account that it creates, if the server says so.
    #[serde(default, deserialize_with = "role_if_known", skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// Who created it, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Sender>,
    /// When it was created, by the server's clock, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made: Option<WallMs>,
    /// When it expires, by the server's clock.
    pub expires: WallMs,
    /// Who used it, if anybody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used_by: Option<Sender>,
    /// When it was used, by the server's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used: Option<WallMs>,
}

/// A request by an admin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub enum ManageRequest {
    /// A page of the people, including admins.
    People {
        /// The `next` of the previous page; `None` for the first page.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<String>,
    },
    /// A page of the devices that have a token.
    Devices {
        /// As in `People`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<String>,
    },
    /// A page of the invites, newest first.
    Invites {
        /// As in `People`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<String>,
    },
    /// Create an invite.
    Invite {
        /// Kind of the account: person or admin.
        kind: PrincipalKind,
        /// Role of a person's account; none: operator.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        role: Option<Role>,
        /// Lifetime, in milliseconds.
        expires_in_ms: u64,
    },
    /// Revoke an invite.
    RemoveInvite {
        /// Id of the invite.
        invite: String,
    },
    /// Give a device a token. Revokes any previous token.
    AddDevice {
        /// Id of the device.
        who: PrincipalId,
        /// Display name; may be empty.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        name: String,
        /// The token, 64 hexadecimal digits, made by the requester.
        #[serde(with = "secret")]
        token: Secret,
    },
    /// Rename a principal.
    Rename {
        /// The principal.
        who: PrincipalId,
        /// The new name.
        name: String,
    },
    /// Revoke a principal's access. Their messages are kept.
    Remove {
        /// The principal.
        who: PrincipalId,
    },
    /// Make a person an admin, or an admin a person.
    SetKind {
        /// The principal.
        who: PrincipalId,
        /// The new role.
        kind: PrincipalKind,
    },
    /// Give a person another role; an admin is made and unmade by it.
    SetRole {
        /// The principal.
        who: PrincipalId,
        /// The new role.
        role: Role,
    },
    /// Replace a principal's token. The previous one is revoked.
    RotateToken {
        /// The principal.
        who: PrincipalId,
        /// The token, 64 hexadecimal digits, made by the requester.
        #[serde(with = "secret")]
        token: Secret,
    },
}

/// The answer to a [`Manage`] request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum ManageAnswer {
    /// A page of the people.
    People {
        /// The people on this page.
        people: Vec<Member>,
        /// Cursor of the next page; `None` on the last one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        next: Option<String>,
    },
    /// A page of the devices.
    Devices {
        /// The devices on this page.
        devices: Vec<Member>,
        /// As in `People`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        next: Option<String>,
    },
    /// A page of the invites.
    Invites {
        /// The invites on this page.
        invites: Vec<Invitation>,
        /// As in `People`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        next: Option<String>,
    },
    /// An invite was created.
    Invited {
        /// Its code.
        #[serde(with = "secret")]
        code: Secret,
        /// When it expires, by the server's clock.
        expires: WallMs,
        /// The server's address as it knows it.
        url: String,
        /// SHA-256 of its certificate, if self-signed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        fingerprint: Option<String>,
        /// Alternative hosts of the server, with the same port.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        also: Vec<String>,
    },
    /// The change was made.
    Done,
    /// The change was made, and this is the new token. Never sent by a server, since the requester makes it.
    #[serde(skip)]
    Token {
        /// The token.
        token: Secret,
    },
    /// Nothing was changed.
    Refused {
        /// The reason.
        why: ManageRefusal,
        /// The server's explanation; may be empty.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        detail: String,
    },
}

/// Why nothing was changed.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum ManageRefusal {
    /// The requester is not an admin.
    #[error("only an admin can do that")]
    NotAllowed,
    /// There is no principal or invite with this id.
    #[error("there is no person, device or invite with this id")]
    Unknown,
    /// No admin would be left.
    #[error("this is the last admin; make somebody else an admin first")]
    LastAdmin,
    /// The owner's rights cannot be revoked.
    #[error("the owner's access cannot be revoked; give the owner a new token instead")]
    Owner,
    /// The name is invalid.
    #[error("a name must have 1 to 64 visible characters and no control characters")]
    BadName,
    /// The token is invalid, in use, or was revoked.
    #[error("this token cannot be used: it is in use, was revoked, or is not 64 hexadecimal digits")]
    BadToken,
    /// The id is not valid for a device, or is in use.
    #[error(
        "a device cannot have this id: it must have 1 to 64 characters, must not begin with ~, must not be . or .., and must not be in use"
    )]
    BadId,
    /// Devices and people cannot be converted into each other.
    #[error("a device cannot become a person, nor a person a device")]
    BadKind,
    /// The server's limit is reached.
    #[error("the server's limit is reached; remove some first")]
    TooMany,
    /// The server's database is currently unavailable.
    #[error("the server's database is currently unavailable")]
    Unavailable,
    /// A reason of a later version.
    #[serde(other)]
    #[error("the server refused the request")]
    Other,
}

impl ManageRefusal {
    /// All of them.
    pub const ALL: [ManageRefusal; 11] = [
        ManageRefusal::NotAllowed,
        ManageRefusal::Unknown,
        ManageRefusal::LastAdmin,
        ManageRefusal::Owner,
        ManageRefusal::BadName,
        ManageRefusal::BadToken,
        ManageRefusal::BadId,
        ManageRefusal::BadKind,
        ManageRefusal::TooMany,
        ManageRefusal::Unavailable,
        ManageRefusal::Other,
    ];
}

/// Serialization of secrets for the wire.
mod secret {
    use serde::{Deserialize as _, Deserializer, Serializer};

    use super::Secret;

    pub(super) fn serialize<S: Serializer>(secret: &Secret, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(secret.reveal())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Secret, D::Error> {
        String::deserialize(from).map(Secret::new)
    }
}

/// A person's name in normalized form; `None` if invalid.
pub fn proper_name(name: &str) -> Option<String> {
    name::make(name, name::MAX_PERSON_CHARS).ok()
}

/// Maximum number of answers kept for the requesters.
const MAX_ANSWERS: usize = 16;

/// Answers to an admin's recent requests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Management {
    answers: VecDeque<(u64, ManageAnswer)>,
}

impl Management {
    /// The answer to the request with this number, if it has arrived. The last 16 answers are kept.
    pub fn answer(&self, number: u64) -> Option<&ManageAnswer> {
        self.answers.iter().find(|(id, _)| *id == number).map(|(_, managed)| managed)
    }

    pub(super) fn answered(&mut self, id: u64, managed: ManageAnswer) {
        if self.answers.len() == MAX_ANSWERS {
            self.answers.pop_front();
        }
        self.answers.push_back((id, managed));
    }
}
