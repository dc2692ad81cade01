//! Search: queries and results. Pure: [`parse`] parses the typed text, [`fold`] matches terms and defines the
//! grams of an index, [`day`] parses dates.

pub mod day;
mod excerpt;
pub mod fold;
mod hangul;
pub mod parse;

use std::sync::Arc;

use super::id::{ConnectionId, MessageId, RoomId, RoomName};
use super::lookup::LookupFound;
use super::message::Position;
use super::principal::Sender;
use super::time::WallMs;

pub use excerpt::{Piece, excerpt};
pub use fold::{Folded, Term};
pub use parse::{Fault, Filter, Parsed};

/// Number of hits per page.
pub const PAGE: usize = 50;

/// A query. A message must meet all of its conditions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// Terms that must all occur in the message.
    pub terms: Vec<Term>,
    /// Folded prefixes, one of which must begin a word of the author's name. Empty for any author.
    pub from: Vec<String>,
    /// Folded texts, one of which must occur in the room's name. Empty for any room.
    pub rooms: Vec<String>,
    /// Whether only pinned messages are meant.
    pub pinned: bool,
    /// Whether only messages of threads are meant.
    pub in_thread: bool,
    /// Earliest time received by the hub, inclusive.
    pub after: Option<WallMs>,
    /// Latest time received by the hub, exclusive.
    pub before: Option<WallMs>,
    /// Whether only messages with a file are wanted.
    pub has_file: bool,
}

impl Query {
    /// Whether it has no conditions; such a query is not run.
    pub fn is_empty(&self) -> bool {
        *self == Query::default()
    }

    /// Whether an author matches `from`. `me` and `나` match ourselves.
    pub fn is_from(&self, name: &str, is_me: bool) -> bool {
        self.from.is_empty() || {
            let name = fold::folded_name(name);
            let is = |from: &String| {
                begins_a_word(&name, from) || (is_me && ["me", "나"].contains(&from.as_str()))
            };
            self.from.iter().any(is)
        }
    }

    /// Whether a room matches `rooms`.
    pub fn is_in(&self, room: &RoomName) -> bool {
        self.rooms.is_empty() || {
            let name = fold::folded_name(room.as_str());
            self.rooms.iter().any(|wanted| name.contains(wanted.as_str()))
        }
    }

    /// Whether a time is between `after` and `before`.
    pub fn is_when(&self, at: WallMs) -> bool {
        self.after.is_none_or(|after| at >= after) && self.before.is_none_or(|before| at < before)
    }

    /// Whether a text contains every term.
    pub fn is_said(&self, text: &Folded) -> bool {
        self.terms.iter().all(|term| term.find(text, 0).is_some())
    }
}

fn begins_a_word(name: &str, part: &str) -> bool {
    name.match_indices(part)
        .any(|(at, _)| name[..at].chars().next_back().is_none_or(|c| !c.is_alphanumeric()))
}

/// Where to search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All rooms of all connections.
    Everywhere,
    /// One room.
    Room(ConnectionId, RoomId),
}

/// How long to search before returning partial results.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Patience {
    /// Briefly: the person is still typing.
    Typing,
    /// Longer: the person asked for more.
    Thorough,
}

/// A search request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Search {
    /// Chosen by the caller; repeated in the answer.
    pub number: u64,
    /// The query.
    pub query: Query,
    /// The scope.
    pub scope: Scope,
    /// Continue after this position of an earlier answer ([`Found::next`]).
    pub behind: Option<i64>,
    /// The time limit.
    pub patience: Patience,
}

/// Where a hit is stored.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum HitPlace {
    /// At this position of the room's log.
    Logged(Position),
    /// In the outbox: not sent yet.
    Outbox,
}

/// A message that matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// The connection.
    pub connection: ConnectionId,
    /// The room.
    pub room: RoomId,
    /// Position in the room's log, or the outbox.
    pub place: HitPlace,
    /// Id of the message.
    pub id: MessageId,
    /// The thread that alone shows it.
    pub thread: Option<MessageId>,
    /// The author.
    pub sender: Sender,
    /// When the hub received it; if it is in the outbox, when it was typed.
    pub at: WallMs,
    /// The matching part of its text.
    pub excerpt: Vec<Piece>,
}

/// How a list of hits ends.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// There are no more hits.
    Complete,
    /// There may be more hits.
    More,
    /// The time limit was reached. Messages older than this were not searched; `None` if it is unknown how
    /// far the search got.
    TimeUp(Option<WallMs>),
}

/// An answer to a search, newest hits first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Number of the request.
    pub number: u64,
    /// The hits.
    pub hits: Vec<Hit>,
    /// How the list ends.
    pub end: End,
    /// Position to continue from for older hits.
    pub next: Option<i64>,
    /// Whether no known author matches `from`.
    pub nobody: bool,
    /// Whether no room matches `rooms`.
    pub no_room: bool,
    /// Whether the hub may have older messages in the scope that are not on disk.
    pub more_at_hub: bool,
    /// Whether the disk could not be read.
    pub failed: bool,
}

impl Found {
    /// An answer without hits because the disk could not be read.
    pub fn failed(number: u64) -> Found {
        Found { failed: true, ..Found::nothing(number) }
    }

    /// An answer without hits.
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

/// The answer to a jump to a date: the first message of that day or later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayFound {
    /// Number of the request.
    pub number: u64,
    /// The connection.
    pub connection: ConnectionId,
    /// The room.
    pub room: RoomId,
    /// Its position and the time the hub received it; `None` if all messages are older.
    pub first: Option<(Position, WallMs)>,
    /// When the hub received the room's newest message; `None` if the room is empty.
    pub newest: Option<WallMs>,
    /// Whether messages before it may be only on the hub.
    pub older_at_hub: bool,
}

/// The answer to a search for one message by its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageFound {
    /// Number of the request.
    pub number: u64,
    /// Its position; `None` if it is not on the disk in this room.
    pub position: Option<Position>,
    /// The thread that alone shows it.
    pub thread: Option<MessageId>,
}

/// State of searching in the model: the latest answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Searching {
    /// The latest search answer.
    pub found: Option<Arc<Found>>,
    /// The latest answer to a jump to a date.
    pub day: Option<DayFound>,
    /// The latest answer to a search for one message.
    pub message: Option<MessageFound>,
    /// The latest answer of the disk about a room, with the number of its question.
    pub lookup: Option<(u64, Arc<LookupFound>)>,
    /// Progress of indexing older messages, in percent; `None` once it is complete.
    pub indexed: Option<u8>,
}
