//! Notifications about reactions to the person's own messages: per room, with a minimum interval.

use std::collections::BTreeMap;

use super::chat::{self, MAX_TEXT_CHARS, MIN_ROOM_INTERVAL_MS};
use super::{ClickTarget, Level, Moment, Notice, NoticeContent, Out, Topic};
use crate::model::content::Content;
use crate::model::entry::Entry;
use crate::model::id::{ConnectionId, MessageId, Offset, PrincipalId, RoomId, RoomName};
use crate::model::reducer::Model;
use crate::model::time::BootMs;

/// Maximum number of rooms with pending or shown notifications.
const MAX_ROOMS: usize = 200;

type Key = (ConnectionId, RoomId);

/// Reactions that came while the person was not looking.
#[derive(Clone, Debug, Default)]
pub(super) struct UnseenReactions(BTreeMap<Key, UnseenRoom>);

/// Reactions in a room since the person last looked.
#[derive(Clone, Debug, Default)]
struct UnseenRoom {
    /// Those that no notification covers yet: message, who and emoji. One that is taken back leaves it.
    waiting: Vec<(MessageId, PrincipalId, String)>,
    /// All of them.
    count: u64,
    sender: String,
    emoji: String,
    /// The message of the last one.
    text: String,
    newest: Offset,
    /// Earliest time of the next notification.
    next: BootMs,
    shown: bool,
}

/// Maximum number of reactions of a room that wait.
const MAX_WAITING: usize = 100;

impl UnseenReactions {
    /// Takes in an entry; only a reaction to one of the person's messages in memory is of interest.
    pub(super) fn add(
        &mut self,
        at: Moment,
        model: &Model,
        (id, me): (ConnectionId, &PrincipalId),
        entry: &Entry,
    ) {
        let Content::Reaction { target, emoji, off, .. } = &entry.draft.content else { return };
        let key = (id, entry.draft.room.clone());
        if *off {
            if let Some(room) = self.0.get_mut(&key) {
                let before = room.waiting.len();
                let is_it = |one: &(MessageId, PrincipalId, String)| {
                    one.0 == *target && one.1 == entry.sender.id && one.2 == *emoji
                };
                room.waiting.retain(|one| !is_it(one));
                room.count -= (before - room.waiting.len()) as u64;
            }
            return;
        }
        let Some(room) = model.connections.get(&id).and_then(|at| at.chat.rooms.get(&key.1)) else { return };
        let own = room.message(*target).filter(|message| message.sender.id == *me && !message.is_deleted());
        let is_wanted =
            model.preferences.notices.reactions && chat::level(model, id, &key.1) != Level::Nothing;
        let Some(own) = own.filter(|_| is_wanted && !room.info.left && entry.sender.id != *me) else {
            return;
        };
        if self.0.len() >= MAX_ROOMS && !self.0.contains_key(&key) {
            self.0.retain(|_, room| !room.waiting.is_empty() || room.shown);
            if self.0.len() >= MAX_ROOMS {
                return;
            }
        }
        let unseen = self.0.entry(key).or_default();
        if unseen.waiting.len() >= MAX_WAITING {
            return;
        }
        unseen.waiting.push((*target, entry.sender.id.clone(), emoji.clone()));
        unseen.count += 1;
        unseen.sender = chat::sender(model, id, entry);
        unseen.emoji = emoji.clone();
        unseen.text = own.body().chars().take(MAX_TEXT_CHARS).collect();
        unseen.newest = entry.offset;
        unseen.next = unseen.next.max(at.boot_ms);
    }

    /// The person has read a room up to this offset.
    pub(super) fn mark_read(&mut self, id: ConnectionId, room: &RoomId, offset: Offset, out: &mut Out) {
        let key = (id, room.clone());
        if self.0.get(&key).is_some_and(|unseen| unseen.newest <= offset)
            && let Some(unseen) = self.0.remove(&key)
            && unseen.shown
        {
            out.withdraw(Topic::Reactions(key.0, key.1));
        }
    }

    /// The rooms of a connection were reset.
    pub(super) fn forget(&mut self, id: ConnectionId, out: &mut Out) {
        self.0.retain(|(connection, room), unseen| {
            if *connection == id && unseen.shown {
                out.withdraw(Topic::Reactions(id, room.clone()));
            }
            *connection != id
        });
    }

    /// Drops pending notifications.
    pub(super) fn drop_pending(&mut self) {
        self.0.values_mut().for_each(|unseen| unseen.waiting.clear());
    }

    /// Earliest time at which a notification may be due.
    pub(super) fn due(&self) -> Option<BootMs> {
        self.0.values().filter(|unseen| !unseen.waiting.is_empty()).map(|unseen| unseen.next).min()
    }

    /// Shows what is due, as far as the limit per minute allows; the others wait.
    pub(super) fn show_due(&mut self, now: BootMs, model: &Model, out: &mut Out) {
        if self.due().is_none_or(|due| due > now) {
            return;
        }
        for ((id, room), unseen) in &mut self.0 {
            if unseen.waiting.is_empty() || unseen.next > now {
                continue;
            }
            if out.free(now) == 0 {
                return;
            }
            unseen.waiting.clear();
            (unseen.next, unseen.shown) = (now + MIN_ROOM_INTERVAL_MS, true);
            let name = model.connections.get(id).map(|at| at.chat.name_of(room));
            let news = NoticeContent::Reactions {
                room: name.unwrap_or_else(|| RoomName::of_id(room)),
                count: unseen.count,
                sender: unseen.sender.clone(),
                emoji: unseen.emoji.clone(),
                text: model.preferences.notices.show_text.then(|| unseen.text.clone()),
            };
            let topic = Topic::Reactions(*id, room.clone());
            out.show(now, Notice { topic, news, target: ClickTarget::Room(*id, room.clone()) });
        }
    }
}
