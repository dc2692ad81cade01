//! Search: what a person looks for, and what was found. Pure: [`parse`] reads what is typed, [`fold`] says when a text
//! contains a term and what an index needs to know of it, [`day`] understands dates.

pub mod day;
mod excerpt;
pub mod fold;
mod hangul;
pub mod parse;

use std::sync::Arc;

use super::id::{ConnectionId, MessageId, RoomId, RoomName};
use super::message::Position;
use super::principal::Sender;
use super::time::WallMs;

pub use excerpt::{Piece, excerpt};
pub use fold::{Folded, Term};
pub use parse::{Fault, Filter, Parsed};

/// Hits on one page.
pub const PAGE: usize = 50;

/// What to look for. All of it must be true of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// Each of these is in the message.
    pub terms: Vec<Term>,
    /// A word of its author's name begins with one of these; folded. Empty: anybody.
    pub from: Vec<String>,
    /// Its room's name contains one of these; folded. Empty: any room.
    pub rooms: Vec<String>,
    /// The hub took it at this moment or later.
    pub after: Option<WallMs>,
    /// The hub took it before this moment.
    pub before: Option<WallMs>,
}

impl Query {
    /// Whether it says nothing: then nothing is looked for.
    pub fn is_empty(&self) -> bool {
        *self == Query::default()
    }

    /// Whether an author is one that `from` asks for, by their name as it is. `me` and `나` are ourselves.
    pub fn is_from(&self, name: &str, is_me: bool) -> bool {
        self.from.is_empty() || {
            let name = fold::folded_name(name);
            let is = |from: &String| {
                begins_a_word(&name, from) || (is_me && ["me", "나"].contains(&from.as_str()))
            };
            self.from.iter().any(is)
        }
    }

    /// Whether a room is one that `rooms` asks for.
    pub fn is_in(&self, room: &RoomName) -> bool {
        self.rooms.is_empty() || {
            let name = fold::folded_name(room.as_str());
            self.rooms.iter().any(|wanted| name.contains(wanted.as_str()))
        }
    }

    /// Whether a moment is between `after` and `before`.
    pub fn is_when(&self, at: WallMs) -> bool {
        self.after.is_none_or(|after| at >= after) && self.before.is_none_or(|before| at < before)
    }

    /// Whether each term is in this text.
    pub fn is_said(&self, text: &Folded) -> bool {
        self.terms.iter().all(|term| term.find(text, 0).is_some())
    }
}

fn begins_a_word(name: &str, part: &str) -> bool {
    name.match_indices(part)
        .any(|(at, _)| name[..at].chars().next_back().is_none_or(|c| !c.is_alphanumeric()))
}

/// Where to look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Everywhere.
    Everywhere,
    /// In one room.
    Room(ConnectionId, RoomId),
}

/// How long to look before saying what was found so far.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Patience {
    /// While somebody types.
    Typing,
    /// Somebody asked to go on.
    Thorough,
}

/// One search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Search {
    /// Chosen by whoever asks; the answer bears it.
    pub number: u64,
    /// What.
    pub query: Query,
    /// Where.
    pub scope: Scope,
    /// Go on behind this place of an earlier answer ([`Found::next`]).
    pub behind: Option<i64>,
    /// How long.
    pub patience: Patience,
}

/// Where a hit stands.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum HitPlace {
    /// In the room's log.
    Logged(Position),
    /// In the outbox: it is not sent yet.
    Outbox,
}

/// A message that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// Of which connection.
    pub connection: ConnectionId,
    /// In which room.
    pub room: RoomId,
    /// Where there.
    pub place: HitPlace,
    /// Its id.
    pub id: MessageId,
    /// Its author.
    pub sender: Sender,
    /// When the hub took it; for one in the outbox, when it was typed.
    pub at: WallMs,
    /// The part of it that matches.
    pub excerpt: Vec<Piece>,
}

/// How an answer ends.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// There is no more.
    Complete,
    /// There may be more.
    More,
    /// Time was up: what is older than this was not looked at. None: it is not known how far it came.
    TimeUp(Option<WallMs>),
}

/// What was found, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Of which search.
    pub number: u64,
    /// The hits.
    pub hits: Vec<Hit>,
    /// How it ends.
    pub end: End,
    /// Where to go on for what is older.
    pub next: Option<i64>,
    /// Nobody here bears a name that was asked for.
    pub nobody: bool,
    /// No room bears a name that was asked for.
    pub no_room: bool,
    /// The hub may hold older messages of what was looked at, which are not on this disk.
    pub more_at_hub: bool,
    /// The disk could not be read.
    pub failed: bool,
}

impl Found {
    /// Nothing, since the disk could not be read.
    pub fn failed(number: u64) -> Found {
        Found { failed: true, ..Found::nothing(number) }
    }

    /// Nothing.
    pub fn nothing(number: u64) -> Found {
        Found {
            number,
            hits: Vec::new(),
            end: End::Complete,
            next: None,
            nobody: false,
            no_room: false,
            more_at_hub: false,
            failed: false,
        }
    }
}

/// The first message of a day or after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayFound {
    /// Chosen by whoever asked.
    pub number: u64,
    /// Of which connection.
    pub connection: ConnectionId,
    /// In which room.
    pub room: RoomId,
    /// Where it stands, and when the hub took it; none where everything is older.
    pub first: Option<(Position, WallMs)>,
    /// When the hub took the room's newest message; none in an empty room.
    pub newest: Option<WallMs>,
    /// Whether what comes before it may be at the hub only.
    pub older_at_hub: bool,
}

/// What the model holds of searching: the last answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Searching {
    /// The last answer.
    pub found: Option<Arc<Found>>,
    /// The last answer to a jump to a date.
    pub day: Option<DayFound>,
    /// While older messages are still being made searchable: how many of a hundred are.
    pub indexed: Option<u8>,
}
