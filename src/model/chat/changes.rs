//! What changes messages and replies to them: applied where the message is in memory, and remembered for a moment for pages
//! that were read from the disk before.

use std::collections::{HashMap, VecDeque};

use super::{Chat, Position};
use crate::model::entry::Entry;
use crate::model::event::{Page, Side};
use crate::model::id::RoomId;
use crate::model::message::Message;

/// Maximum number of entries that are remembered for pages which are being read. A page takes some milliseconds.
const MAX_RECENT: usize = 1_024;
/// Maximum number of bytes of them.
const MAX_RECENT_BYTES: usize = 256 * 1024;

/// The last entries that changed messages or replied to them.
#[derive(Clone, Debug, Default)]
pub(super) struct Recent {
    entries: VecDeque<(Position, Entry)>,
    bytes: usize,
}

impl Recent {
    fn push(&mut self, entry: Entry, place: Position) {
        let cost = |entry: &Entry| entry.draft.content.bytes();
        self.bytes += cost(&entry);
        self.entries.push_back((place, entry));
        while self.entries.len() > MAX_RECENT || (self.bytes > MAX_RECENT_BYTES && self.entries.len() > 1) {
            let gone = self.entries.pop_front();
            self.bytes -= gone.map_or(0, |(_, entry)| cost(&entry));
        }
    }
}

impl Chat {
    /// An entry changes a message. Where that is not in memory, the disk has taken it in.
    pub(super) fn changed(&mut self, entry: Entry, place: Position) {
        let Some(target) = entry.draft.content.target() else { return };
        let Some(room) = self.rooms.get_mut(&entry.draft.room) else { return };
        let before = room.bytes();
        room.changes.0 += 1;
        let threads = room.threads.values_mut().filter_map(|thread| thread.window.as_mut());
        for window in std::iter::once(&mut room.window).chain(threads) {
            let mut is_changed = false;
            window.change(target, |message| is_changed = message.change(&entry, place));
            if is_changed {
                window.requote(target);
            }
        }
        let after = room.bytes();
        self.count_messages(before, after);
        self.recent.0.push(entry, place);
    }

    /// A message replies to another one.
    pub(super) fn replied(&mut self, entry: Entry, place: Position) {
        if let Some(root) = entry.draft.content.thread()
            && let Some(room) = self.rooms.get_mut(&entry.draft.room)
        {
            let threads = room.threads.values_mut().filter_map(|thread| thread.window.as_mut());
            for window in std::iter::once(&mut room.window).chain(threads) {
                window.change(root, |message| message.count_reply(&entry, place));
            }
        }
        self.recent.0.push(entry, place);
    }

    /// Takes in a page that lies next to a room's window, and `changes` that came with it.
    pub(super) fn extend(&mut self, room: &RoomId, side: Side, page: Page, changes: &[(Position, Entry)]) {
        let page = self.up_to_date(page, changes);
        self.change_window(room, |room| {
            room.window.extend(side, page);
            room.mend_end();
        });
    }

    /// A page with what came after it was read.
    pub(super) fn up_to_date(&self, mut page: Page, changes: &[(Position, Entry)]) -> Page {
        if page.messages.is_empty() || (self.recent.0.entries.is_empty() && changes.is_empty()) {
            return page;
        }
        let place_of: HashMap<_, _> =
            page.messages.iter().enumerate().map(|(index, message)| (message.id, index)).collect();
        for (place, entry) in changes.iter().chain(&self.recent.0.entries) {
            let content = &entry.draft.content;
            if let Some(index) = content.target().and_then(|id| place_of.get(&id)) {
                page.messages[*index].change(entry, *place);
            }
            if let Some(index) = content.thread().and_then(|id| place_of.get(&id)) {
                page.messages[*index].count_reply(entry, *place);
            }
        }
        page
    }
}

impl Message {
    /// A message of the thread that this one begins has come. One that was counted counts no more.
    fn count_reply(&mut self, entry: &Entry, place: Position) {
        if entry.draft.content.thread() == Some(self.id)
            && place > self.replies.newest
            && place > self.position
        {
            self.replies.count = self.replies.count.saturating_add(1);
            self.replies.newest = place;
        }
    }
}
