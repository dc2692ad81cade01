//! Messages as a client keeps them, and what waits in the outbox.

use super::change::{Changes, MAX_QUOTE_CHARS, Mark, Quote, Reaction, Replies};
use super::content::{Content, Draft};
use super::entry::Entry;
pub use super::id::Position;
use super::id::{MessageId, Offset, RoomId};
use super::principal::Sender;
use super::refusal::Refusal;
use super::time::WallMs;

/// Longest message body, in bytes of UTF-8.
pub const MAX_BODY_BYTES: usize = 64 * 1024;

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

    /// Whether it tells what became of the room or its members, and nobody's words.
    pub fn is_event(&self) -> bool {
        !self.content.is_text()
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

impl Message {
    /// Takes in an entry that changes this message, from its place. One from before the message is of another log and changes
    /// nothing, nor does one that was taken in already. Returns whether anything changed.
    pub fn change(&mut self, entry: &Entry, place: Position) -> bool {
        if entry.draft.content.target() != Some(self.id) || place <= self.position {
            return false;
        }
        let mut changes = self.changes.take().unwrap_or_default();
        let (is_changed, words) = changes.apply(entry, place, &self.sender.id);
        if let Some(words) = words {
            let content = std::mem::replace(&mut self.content, Content::text(String::new()));
            self.content = content.with_body(words);
        }
        if changes.deleted.is_some() && is_changed {
            self.erase();
        }
        self.changes = (*changes != Changes::default()).then_some(changes);
        is_changed
    }

    /// Takes in what is known of the same message from elsewhere: either may lack changes that the other has.
    pub(super) fn merge(&mut self, other: Message) {
        let changes = match (self.changes.take(), other.changes) {
            (Some(mut changes), Some(others)) => {
                if changes.merge(*others) {
                    self.content = other.content;
                }
                Some(changes)
            }
            (None, Some(others)) => {
                self.content = other.content;
                Some(others)
            }
            (changes, None) => changes,
        };
        self.changes = changes;
        let rank = |quote: &Option<Box<Quote>>| quote.as_ref().map(|quote| (quote.deleted, quote.revision));
        if rank(&other.quote) >= rank(&self.quote) {
            self.quote = other.quote;
        }
        if self.is_deleted() {
            self.quote = None;
        }
        let rank = |replies: &Replies| (replies.newest, replies.count);
        if rank(&other.replies) > rank(&self.replies) {
            self.replies = other.replies;
        }
        self.live |= other.live;
    }

    /// Lets go of what a deleted message said. What it replied to stays, so that its thread keeps its shape.
    fn erase(&mut self) {
        let content = std::mem::replace(&mut self.content, Content::text(String::new()));
        self.content = content.deleted(None);
        self.quote = None;
    }

    /// Whether it was deleted.
    pub fn is_deleted(&self) -> bool {
        self.changes.as_ref().is_some_and(|changes| changes.deleted.is_some())
    }

    /// Its last edit.
    pub fn edited(&self) -> Option<&Mark> {
        self.changes.as_ref()?.edited.as_ref()
    }

    /// Its deletion.
    pub fn deleted(&self) -> Option<&Mark> {
        self.changes.as_ref()?.deleted.as_ref()
    }

    /// Who pinned it, while it is.
    pub fn pinned(&self) -> Option<&Mark> {
        self.changes.as_ref()?.pinned()
    }

    /// The emoji on it; see [`Changes::reactions`].
    pub fn reactions(&self) -> Vec<Reaction<'_>> {
        self.changes.as_ref().map(|changes| changes.reactions()).unwrap_or_default()
    }
}

impl Quote {
    /// A quote of a message as it is now.
    pub fn of(message: &Message) -> Self {
        Quote {
            id: message.id,
            position: message.position,
            sender: message.sender.clone(),
            text: message.body().chars().take(MAX_QUOTE_CHARS).collect(),
            deleted: message.is_deleted(),
            revision: message.changes.as_deref().map_or(message.position, Changes::newest),
        }
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
