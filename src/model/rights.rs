//! Who may come in at a server, as an admin sees it and changes it: people, devices with a token, invites.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::id::PrincipalId;
use super::name;
use super::principal::{Principal, PrincipalKind, Sender};
use super::profile::Secret;
use super::time::WallMs;

/// How long an invite is good unless said otherwise, in milliseconds: a day.
pub const INVITE_MS: u64 = 24 * 60 * 60 * 1_000;
/// Maximum time that an invite is good, in milliseconds: a year.
pub const MAX_INVITE_MS: u64 = 366 * 24 * 60 * 60 * 1_000;

/// Somebody who has a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Who.
    #[serde(flatten)]
    pub who: Principal,
    /// Whether any of their apps is connected.
    #[serde(default)]
    pub online: bool,
    /// Whether this is the server's owner, whose token is in its data directory.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub owner: bool,
}

/// An invite, used or not. Its code is known to nobody but whoever was given it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitation {
    /// By which it is removed: 10 hexadecimal digits.
    pub id: String,
    /// What whoever uses it becomes.
    pub kind: PrincipalKind,
    /// Who made it, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Sender>,
    /// When it was made, where that is known, by the server's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made: Option<WallMs>,
    /// Until when it is good, by the server's clock.
    pub expires: WallMs,
    /// Who used it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used_by: Option<Sender>,
    /// When it was used, by the server's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used: Option<WallMs>,
}

/// What an admin asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub enum Manage {
    /// A page of the people, admins included.
    People {
        /// The `next` of the page before; none for the first page.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<String>,
    },
    /// A page of the devices that have a token.
    Devices {
        /// As in `People`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<String>,
    },
    /// A page of the invites, the newest first.
    Invites {
        /// As in `People`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<String>,
    },
    /// Make an invite.
    Invite {
        /// What whoever uses it becomes: a person or an admin.
        kind: PrincipalKind,
        /// How long it is good, in milliseconds.
        expires_in_ms: u64,
    },
    /// Make an invite good for nothing.
    RemoveInvite {
        /// Its id.
        invite: String,
    },
    /// Give a device a token. One that it had before is good for nothing from then on.
    AddDevice {
        /// The device's id.
        who: PrincipalId,
        /// Its name for people; may be empty.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        name: String,
        /// The token: 64 hexadecimal digits, made by whoever asks.
        #[serde(with = "secret")]
        token: Secret,
    },
    /// Give somebody another name.
    Rename {
        /// Whom.
        who: PrincipalId,
        /// The name.
        name: String,
    },
    /// Take somebody's access away. What they wrote stays.
    Remove {
        /// Whose.
        who: PrincipalId,
    },
    /// Make a person an admin, or an admin a person.
    SetKind {
        /// Whom.
        who: PrincipalId,
        /// What.
        kind: PrincipalKind,
    },
    /// Give somebody another token. The one that they had is good for nothing from then on.
    RotateToken {
        /// Whom.
        who: PrincipalId,
        /// The token: 64 hexadecimal digits, made by whoever asks.
        #[serde(with = "secret")]
        token: Secret,
    },
}

/// What became of a [`Manage`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum Managed {
    /// A page of the people.
    People {
        /// Those of this page.
        people: Vec<Member>,
        /// What to ask for the next page with; none after the last one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        next: Option<String>,
    },
    /// A page of the devices.
    Devices {
        /// Those of this page.
        devices: Vec<Member>,
        /// As in `People`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        next: Option<String>,
    },
    /// A page of the invites.
    Invites {
        /// Those of this page.
        invites: Vec<Invitation>,
        /// As in `People`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        next: Option<String>,
    },
    /// An invite was made.
    Invited {
        /// Its code.
        #[serde(with = "secret")]
        code: Secret,
        /// Until when it is good, by the server's clock.
        expires: WallMs,
        /// The server's address as it knows it itself.
        url: String,
        /// SHA-256 of its certificate, where it signed that itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        fingerprint: Option<String>,
        /// Other hosts by which it is reached at the same port.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        also: Vec<String>,
    },
    /// It is done.
    Done,
    /// It is done, and this is the token that somebody has from now on. Never from a server: whoever asks makes the token.
    #[serde(skip)]
    Token {
        /// The token.
        token: Secret,
    },
    /// Nothing was changed.
    Refused {
        /// Why.
        why: Unmanaged,
        /// For people; may be empty.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        detail: String,
    },
}

/// Why nothing was changed.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Unmanaged {
    /// Whoever asks is no admin.
    #[error("only an admin may do that")]
    NotAllowed,
    /// There is nobody of this id, and no such invite.
    #[error("nobody and nothing there has this id")]
    Unknown,
    /// Nobody would be left who may do this.
    #[error("this is the last admin: make somebody else an admin first")]
    LastAdmin,
    /// The owner's rights are not taken away.
    #[error("the owner's access is not taken away; give the owner a new token instead")]
    Owner,
    /// A name that is none.
    #[error("a name has 1 to 64 characters that can be seen, and no control characters")]
    BadName,
    /// A token that is none, is in use, or was withdrawn.
    #[error("this token cannot be used: it is another's, or was withdrawn, or is not 64 hexadecimal digits")]
    BadToken,
    /// An id that no device can have, or that somebody else has.
    #[error(
        "a device cannot have this id: it has 1 to 64 characters, does not begin with ~, is not . or .., and is nobody else's"
    )]
    BadId,
    /// A person does not become a device, nor a device a person.
    #[error("a device does not become a person, nor a person a device")]
    BadKind,
    /// There are as many as there may be.
    #[error("there are as many as the server takes; remove some first")]
    TooMany,
    /// The server's database cannot be read or written at the moment.
    #[error("the server's database cannot be read or written at the moment")]
    Unavailable,
    /// Of a later version.
    #[serde(other)]
    #[error("the server refused it")]
    Other,
}

/// A secret on the wire.
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

/// A person's name as it is kept. `None` where it is none.
pub fn proper_name(name: &str) -> Option<String> {
    name::make(name, name::MAX_PERSON_CHARS).ok()
}

/// Maximum number of answers kept for whoever asked.
const MAX_ANSWERS: usize = 16;

/// What an admin's requests came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Management {
    answers: VecDeque<(u64, Managed)>,
}

impl Management {
    /// The answer to the request of this number, if it has come. The last 16 answers are kept.
    pub fn answer(&self, number: u64) -> Option<&Managed> {
        self.answers.iter().find(|(id, _)| *id == number).map(|(_, managed)| managed)
    }

    pub(super) fn answered(&mut self, id: u64, managed: Managed) {
        if self.answers.len() == MAX_ANSWERS {
            self.answers.pop_front();
        }
        self.answers.push_back((id, managed));
    }
}
