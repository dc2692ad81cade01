//! Threads: their replies, what of them is unread, and those of their messages that are in memory.

use super::{Chat, Position};
use crate::model::entry::Entry;
use crate::model::event::{ChatEvent, Page, Side};
use crate::model::id::{MessageId, RoomId};
use crate::model::message::Message;
use crate::model::notices::mentions;
use crate::model::thread::MAX_THREADS;
use crate::model::window::{Edge, Window};

/// Maximum number of threads of a room whose messages are in memory.
const MAX_OPEN: usize = 4;

impl Chat {
    /// Something of a thread, or of what a draft or message replies to, happened here.
    pub(super) fn thread_event(&mut self, event: ChatEvent) {
        match event {
            ChatEvent::ThreadPaged { room, root, is_end, page } => {
                self.thread_page(&room, root, is_end, page)
            }
            ChatEvent::ThreadLoading { room, root, loading } => {
                if let Some(room) = self.rooms.get_mut(&room) {
                    room.threads.entry(root).or_default().loading = loading;
                }
            }
            ChatEvent::ThreadSeen { room, root, position } => {
                let thread = self.rooms.get_mut(&room).and_then(|room| room.threads.get_mut(&root));
                thread.into_iter().for_each(|thread| thread.seen(position));
            }
            ChatEvent::ThreadDraft { room, root, text, reply } => {
                if let Some(room) = self.rooms.get_mut(&room) {
                    let thread = room.threads.entry(root).or_default();
                    (thread.draft, thread.draft_reply) = (text, reply);
                }
            }
            ChatEvent::DraftReply { room, reply } => {
                if let Some(room) = self.rooms.get_mut(&room) {
                    room.draft_reply = reply;
                }
            }
            ChatEvent::Quoted { room, message } => self.quoted(&room, &message),
            _ => {}
        }
    }

    /// A reply that is shown in its thread alone.
    pub(super) fn aside(&mut self, entry: Entry, position: Position, live: bool, mine: bool) {
        let Some(room) = self.make_room(&entry.draft.room) else { return };
        room.typing.remove(&entry.sender.id);
        self.in_thread(&entry, position, (live, mine), false);
        self.replied(entry, position);
    }

    /// A reply belongs to its thread, whether the room shows it or not. `counted`: it counted as unread in an earlier log.
    pub(super) fn in_thread(
        &mut self,
        entry: &Entry,
        position: Position,
        (live, mine): (bool, bool),
        counted: bool,
    ) {
        let Some(root) = entry.draft.content.thread() else { return };
        let me = self.me.as_ref();
        let names_me = !mine && me.is_some_and(|me| mentions(entry.draft.content.body(), &me.name));
        let my_id = me.map(|me| me.id.clone());
        let Some(room) = self.rooms.get_mut(&entry.draft.room) else { return };
        let is_root_mine =
            room.message(root).is_some_and(|message| Some(&message.sender.id) == my_id.as_ref());
        let (before, read) = (room.bytes(), room.read);
        if room.threads.len() >= MAX_THREADS && !room.threads.contains_key(&root) {
            // What is read and not looked at is on the disk.
            room.threads
                .retain(|_, thread| thread.unread > 0 || thread.window.is_some() || !thread.draft.is_empty());
        }
        let thread = room.threads.entry(root).or_default();
        thread.followed |= is_root_mine;
        let counted = counted
            || thread
                .window
                .as_ref()
                .and_then(|window| window.position(entry.draft.id))
                .is_some_and(|at| at > thread.read);
        thread.replied(position, read, (mine, names_me), counted);
        if let Some(window) = &mut thread.window {
            window.append(Message::new(entry.clone(), position, live));
            window.quote(entry.draft.id);
        }
        let after = room.bytes();
        self.count_messages(before, after);
    }

    /// A message of a page of history: where its thread is looked at, it is shown there.
    pub(super) fn old_of_thread(&mut self, entry: &Entry, position: Position) {
        let root = entry.draft.content.thread().unwrap_or(entry.draft.id);
        let Some(room) = self.rooms.get_mut(&entry.draft.room) else { return };
        let before = room.bytes();
        let Some(window) = room.threads.get_mut(&root).and_then(|thread| thread.window.as_mut()) else {
            return;
        };
        let is_root = entry.draft.id == root;
        let page = Page {
            messages: vec![Message::new(entry.clone(), position, false)],
            older_on_disk: window.before == Edge::Disk,
            older_on_hub: window.before == Edge::Hub && !is_root,
            newer_on_disk: false,
        };
        window.extend(Side::Older, page);
        let after = room.bytes();
        self.count_messages(before, after);
    }

    fn thread_page(&mut self, room: &RoomId, root: MessageId, is_end: bool, page: Page) {
        let page = self.up_to_date(page, &[]);
        let Some(room) = self.rooms.get_mut(room) else { return };
        let before = room.bytes();
        let open = room.threads.iter().filter(|(id, thread)| **id != root && thread.window.is_some()).count();
        if open >= MAX_OPEN {
            room.threads.values_mut().for_each(|thread| thread.window = None);
        }
        let thread = room.threads.entry(root).or_default();
        thread.loading = false;
        match (&mut thread.window, is_end) {
            (Some(window), false) => window.extend(Side::Older, page),
            (window, true) => *window = Some(Window::from_page(page)),
            // It was closed meanwhile.
            (None, false) => {}
        }
        let after = room.bytes();
        self.count_messages(before, after);
    }

    /// What a message in memory replies to.
    fn quoted(&mut self, room: &RoomId, read: &Message) {
        let Some(room) = self.rooms.get_mut(room) else { return };
        let before = room.bytes();
        let threads = room.threads.values_mut().filter_map(|thread| thread.window.as_mut());
        for window in std::iter::once(&mut room.window).chain(threads) {
            window.change(read.id, |message| {
                if message.quote.is_none() && !message.is_deleted() {
                    message.quote.clone_from(&read.quote);
                }
            });
        }
        let after = room.bytes();
        self.count_messages(before, after);
    }
}

impl super::Room {
    /// Bytes of its messages in memory.
    pub(super) fn bytes(&self) -> usize {
        let threads = self.threads.values().filter_map(|thread| thread.window.as_ref());
        self.window.bytes() + threads.map(Window::bytes).sum::<usize>()
    }
}
