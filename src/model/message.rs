//! Messages as a client keeps them, and what waits in the outbox.

use serde::{Deserialize, Serialize};

use super::change::{Changes, Quote, Replies};
use super::content::{Content, Draft};
use super::entry::Entry;
use super::id::{MessageId, Offset, RoomId};
use super::principal::Sender;
use super::refusal::Refusal;
use super::time::WallMs;

/// Longest message body, in bytes of UTF-8.
pub const MAX_BODY_BYTES: usize = 64 * 1024;

/// Where a message stands in a room: first the *era*, then the offset.
///
/// An era is an unbroken stretch of one log as this client saw it. A changed epoch, or entries that the hub no longer
/// holds, begin the next era: neighbours of different eras have a gap between them.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Position {
    /// 1 for the first.
    pub era: u32,
    /// The hub's offset within it.
    pub offset: Offset,
}

/// A message as a client keeps and shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Where it stands.
    pub position: Position,
    /// Its id.
    pub id: MessageId,
    /// Its author.
    pub sender: Sender,
    /// What it says now.
    pub content: Content,
    /// When, by the sender's clock.
    pub at: WallMs,
    /// When, by the hub's clock.
    pub received: WallMs,
    /// What came to it since; none for most.
    pub changes: Option<Box<Changes>>,
    /// What it replies to, where that is known.
    pub quote: Option<Box<Quote>>,
    /// The messages of the thread that it begins.
    pub replies: Replies,
    /// Whether it came while the link was live (`false`: replayed or read from disk).
    pub live: bool,
}

impl Message {
    /// The message of an entry.
    pub fn new(entry: Entry, position: Position, live: bool) -> Self {
        let Entry { mut draft, sender, received, .. } = entry;
        // What was deleted before it came here. The entry that did so comes, too, and has a later place.
        let deleted = draft.content.take_deleted();
        let changes = deleted.map(|(by, at)| Box::new(Changes::deleted(by, at, position)));
        if changes.is_some() {
            draft.content = draft.content.deleted(None);
        }
        Message {
            position,
            id: draft.id,
            sender,
            content: draft.content,
            at: draft.at,
            received,
            changes,
            quote: None,
            replies: Replies::default(),
            live,
        }
    }

    /// The words for a person.
    pub fn body(&self) -> &str {
        self.content.body()
    }

    /// The newest place that anything of what it shows comes from. With its id it is the key of whatever is prepared from it.
    pub fn revision(&self) -> Position {
        let changed = self.changes.as_ref().map(|changes| changes.newest()).unwrap_or_default();
        let quoted = self.quote.as_ref().map(|quote| quote.revision).unwrap_or_default();
        self.position.max(changed).max(quoted).max(self.replies.newest)
    }
}

/// How far something typed has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// Waits for its turn: the hub has not seen it, and it can be edited and deleted.
    Pending,
    /// Given to the socket at least once: the hub may have it, so it can no longer be changed.
    Attempted,
    /// On disk at the hub, at this offset; shown as sent until the entry itself arrives.
    Acknowledged {
        /// Its place in the hub's log.
        offset: Offset,
        /// When, by the hub's clock.
        received: WallMs,
    },
    /// Given to the operating system, at a server that confirms nothing. The server has said nothing since.
    Sent,
    /// It may not have arrived: the connection ended before that could be known. Kept until the person sends it again or
    /// deletes it.
    Unsure,
    /// Refused by the hub: kept until the person retries, edits or deletes it.
    Failed(Refusal),
}

/// Something typed that has not yet come back as an entry of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxItem {
    /// What was typed. Its id is made then; `at` is by our clock.
    pub draft: Draft,
    /// Order of sending within the connection; grows, may skip.
    pub seq: u64,
    /// How far it has come.
    pub delivery: Delivery,
}

impl OutboxItem {
    /// The room that it makes.
    pub fn makes(&self) -> Option<&RoomId> {
        self.draft.content.is_room().then_some(&self.draft.room)
    }

    /// Whether it has a row of its own where messages are shown: what changes a message shows at that message.
    pub fn is_row(&self) -> bool {
        self.draft.content.target().is_none()
    }

    /// A later word never weakens an earlier one: what is acknowledged stays so.
    pub fn deliver(&mut self, delivery: Delivery) {
        let is_acknowledged = |delivery: &Delivery| matches!(delivery, Delivery::Acknowledged { .. });
        if !is_acknowledged(&self.delivery) || is_acknowledged(&delivery) {
            self.delivery = delivery;
        }
    }

    /// A hub's log ends at `head`. Whoever acknowledged this for a place beyond has lost it: it is to be sent again.
    /// Returns whether that is so.
    pub fn beyond(&mut self, head: Offset) -> bool {
        let lost = matches!(self.delivery, Delivery::Acknowledged { offset, .. } if offset > head);
        if lost {
            self.delivery = Delivery::Attempted;
        }
        lost
    }

    /// The log has been received up to `offset` and this was not in it. Whoever acknowledged it for a place up to there
    /// has lost it (a log restored from a backup): it is to be sent again. Returns whether that is so.
    pub fn passed_by(&mut self, offset: Offset) -> bool {
        let lost = matches!(self.delivery, Delivery::Acknowledged { offset: place, .. } if place <= offset);
        if lost {
            self.delivery = Delivery::Attempted;
        }
        lost
    }
}
