//! [`Window`]: the part of a room that is in memory. Bounded; the rest is on disk or at the hub.

use std::collections::{BTreeMap, HashMap};

use super::change::Quote;
use super::id::MessageId;
use super::message::{Message, Position};
use super::page::{Page, Side};

/// Most messages a window holds.
pub const CAPACITY: usize = 600;
/// Maximum number of bytes of messages that a window holds, as far as it holds more than one.
pub const MAX_WINDOW_BYTES: usize = 8 * 1024 * 1024;
/// What a message takes beside its texts, about.
const MESSAGE_BYTES: usize = 320;

/// What lies beyond one end of a window.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub enum Edge {
    /// Nothing: the room's start or end.
    #[default]
    End,
    /// More on disk.
    Disk,
    /// More at the hub, perhaps.
    Hub,
}

/// A contiguous run of a room's messages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Window {
    messages: BTreeMap<Position, Message>,
    by_id: HashMap<MessageId, Position>,
    bytes: usize,
    /// What lies before the first message.
    pub before: Edge,
    /// What lies after the last message; never `Hub`, since new entries come by themselves.
    pub after: Edge,
}

impl Window {
    /// A window without messages.
    pub fn empty(before: Edge) -> Self {
        Window { before, ..Window::default() }
    }

    /// A window of one page.
    pub fn from_page(page: Page) -> Self {
        let mut window = Window {
            before: edge(page.older_on_disk, page.older_on_hub),
            after: if page.newer_on_disk { Edge::Disk } else { Edge::End },
            ..Window::default()
        };
        for message in page.messages {
            window.insert(message);
        }
        window.trim(Side::Older);
        window
    }

    /// About how many bytes its messages take.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Lets go of the oldest messages until the rest takes no more than this: they are on disk.
    pub fn shrink(&mut self, bytes: usize) {
        while self.bytes > bytes && self.drop_one(Side::Older) {}
        if self.messages.is_empty() {
            (self.messages, self.by_id) = Default::default();
        }
    }

    /// Lets go of what lies before a position. What is beyond is `before`.
    pub fn begin_at(&mut self, position: Position, before: Edge) {
        while self.first().is_some_and(|first| first.position < position) && self.drop_one(Side::Older) {}
        self.before = before;
    }

    /// The messages, oldest first.
    pub fn messages(&self) -> impl DoubleEndedIterator<Item = &Message> {
        self.messages.values()
    }

    /// The messages at and after a position, oldest first.
    pub fn from(&self, position: Position) -> impl DoubleEndedIterator<Item = &Message> {
        self.messages.range(position..).map(|(_, message)| message)
    }

    /// The messages before a position, oldest first.
    pub fn until(&self, position: Position) -> impl DoubleEndedIterator<Item = &Message> {
        self.messages.range(..position).map(|(_, message)| message)
    }

    /// The oldest message.
    pub fn first(&self) -> Option<&Message> {
        self.messages.values().next()
    }

    /// The newest message.
    pub fn last(&self) -> Option<&Message> {
        self.messages.values().next_back()
    }

    /// How many messages it holds; at most [`CAPACITY`].
    pub fn len(&self) -> usize {
        self.messages.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// Whether a message of this id is in it.
    pub fn contains(&self, id: MessageId) -> bool {
        self.by_id.contains_key(&id)
    }

    /// Where a message of this id stands, if it is in it.
    pub fn position(&self, id: MessageId) -> Option<Position> {
        self.by_id.get(&id).copied()
    }

    /// Changes a message, if it is in it.
    pub fn change(&mut self, id: MessageId, change: impl FnOnce(&mut Message)) {
        let Some(message) = self.by_id.get(&id).and_then(|place| self.messages.get_mut(place)) else {
            return;
        };
        self.bytes -= cost(message);
        change(message);
        self.bytes += cost(message);
        self.trim(Side::Older);
    }

    /// Has a message quote what it replies to, if both are in it.
    pub fn quote(&mut self, id: MessageId) {
        let quoted = self.get(id).and_then(|message| self.get(message.content.reply_to()?)).map(Quote::of);
        if let Some(quote) = quoted {
            self.change(id, |message| message.quote = (!message.is_deleted()).then(|| Box::new(quote)));
        }
    }

    /// Has the replies to a message quote it as it is now.
    pub fn requote(&mut self, id: MessageId) {
        let Some(quote) = self.by_id.get(&id).and_then(|place| self.messages.get(place)).map(Quote::of)
        else {
            return;
        };
        for message in self.messages.values_mut().filter(|message| message.content.reply_to() == Some(id)) {
            self.bytes -= cost(message);
            message.quote = (!message.is_deleted()).then(|| Box::new(quote.clone()));
            self.bytes += cost(message);
        }
    }

    /// The message of this id, if it is in it.
    pub fn get(&self, id: MessageId) -> Option<&Message> {
        self.messages.get(self.by_id.get(&id)?)
    }

    /// Takes the room's newest message if the window reaches the room's end.
    pub fn append(&mut self, message: Message) {
        let known = self.contains(message.id);
        let is_next = self.last().is_none_or(|last| last.position < message.position);
        if known || (self.after == Edge::End && is_next) {
            self.insert(message);
            self.trim(Side::Older);
        }
    }

    /// Takes a page that lies next to the window.
    pub fn extend(&mut self, side: Side, page: Page) {
        match side {
            Side::Older => self.before = edge(page.older_on_disk, page.older_on_hub),
            Side::Newer => self.after = if page.newer_on_disk { Edge::Disk } else { Edge::End },
        }
        for message in page.messages {
            self.insert(message);
        }
        self.trim(match side {
            Side::Older => Side::Newer,
            Side::Newer => Side::Older,
        });
    }

    /// Puts a message in its place; one that moved to another position (a log that began anew) leaves its old one.
    /// One that is here already is merged with what is known of it.
    fn insert(&mut self, mut message: Message) {
        if let Some(old) = self.by_id.insert(message.id, message.position)
            && let Some(known) = self.messages.remove(&old)
        {
            self.bytes -= cost(&known);
            if old == message.position {
                message.merge(known);
            }
        }
        self.bytes += cost(&message);
        if let Some(replaced) = self.messages.insert(message.position, message) {
            self.bytes -= cost(&replaced);
        }
    }

    fn trim(&mut self, side: Side) {
        let is_too_much = |window: &Window| {
            window.len() > CAPACITY || (window.bytes > MAX_WINDOW_BYTES && window.len() > 1)
        };
        while is_too_much(self) && self.drop_one(side) {}
    }

    /// Lets go of the message at one end. False: there is none.
    fn drop_one(&mut self, side: Side) -> bool {
        let gone = match side {
            Side::Older => self.messages.pop_first(),
            Side::Newer => self.messages.pop_last(),
        };
        let Some((_, message)) = gone else { return false };
        self.by_id.remove(&message.id);
        self.bytes -= cost(&message);
        match side {
            Side::Older => self.before = Edge::Disk,
            Side::Newer => self.after = Edge::Disk,
        }
        true
    }
}

/// About how many bytes a message takes.
fn cost(message: &Message) -> usize {
    let changes = message.changes.as_ref().map_or(0, |changes| changes.bytes());
    let quote = message.quote.as_ref().map_or(0, |quote| quote.bytes());
    let sender = message.sender.name.len() + message.sender.id.0.len();
    message.content.bytes() + changes + quote + sender + MESSAGE_BYTES
}

fn edge(on_disk: bool, on_hub: bool) -> Edge {
    match (on_disk, on_hub) {
        (true, _) => Edge::Disk,
        (false, true) => Edge::Hub,
        (false, false) => Edge::End,
    }
}
