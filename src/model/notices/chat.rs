//! Notifications about messages: per room with a minimum interval, or one for all rooms if there are too
//! many.

use std::collections::BTreeMap;

use super::{ClickTarget, Level, Moment, Notice, NoticeContent, Out, Topic, mentions};
use crate::model::entry::Entry;
use crate::model::id::{ConnectionId, MessageId, Offset, PrincipalId, RoomId, RoomName};
use crate::model::known::Known;
use crate::model::principal::Sender;
use crate::model::reducer::{Connection, Model};
use crate::model::time::BootMs;

/// Minimum interval between two notifications about a room, in milliseconds.
pub(super) const MIN_ROOM_INTERVAL_MS: u64 = 10_000;
/// Interval of checking whether a replay is complete, in milliseconds; only then is it notified about.
const REPLAY_CHECK_MS: u64 = 1_000;
/// Maximum length of a sender's name in a notification, in characters; leaves space for a short id.
const MAX_SENDER_CHARS: usize = 30;
/// Maximum length of a message in a notification, in characters.
pub(super) const MAX_TEXT_CHARS: usize = 240;

/// Maximum number of rooms with pending notifications.
const MAX_ROOMS: usize = 500;

type Key = (ConnectionId, RoomId);

/// Messages that arrived while the person was not looking.
#[derive(Clone, Debug, Default)]
pub(super) struct UnseenMessages {
    rooms: BTreeMap<Key, UnseenRoom>,
    /// Whether a summary of several rooms is shown.
    together: bool,
}

/// Messages in a room since the person last looked.
#[derive(Clone, Debug, Default)]
struct UnseenRoom {
    /// Messages not covered by a notification yet.
    waiting: u64,
    /// All messages.
    count: u64,
    sender: String,
    text: String,
    mention: bool,
    newest: Offset,
    /// Earliest time of the next notification.
    next: BootMs,
    shown: bool,
}

/// The notification level in effect for a room.
pub(super) fn level(model: &Model, connection: ConnectionId, room: &RoomId) -> Level {
    let usual = || {
        let known = model.connections.get(&connection).and_then(|at| at.chat.rooms.get(room));
        known.map_or(model.preferences.notices.rooms, |room| model.preferences.notices.of_room(&room.info))
    };
    model.notice_choices.room(connection, room).unwrap_or_else(usual)
}

/// The sender, distinguishable from others with similar names.
pub(super) fn sender(model: &Model, connection: ConnectionId, entry: &Entry) -> String {
    let Sender { id, name } = &entry.sender;
    match model.connections.get(&connection) {
        Some(connection) => connection.chat.shown(&entry.sender, MAX_SENDER_CHARS).label(),
        None => Known::default().shown(id, name, MAX_SENDER_CHARS).label(),
    }
}

impl UnseenMessages {
    /// Records a message that the person does not see.
    pub(super) fn add_message(
        &mut self,
        at: Moment,
        model: &Model,
        (id, me): (ConnectionId, Option<&(PrincipalId, String)>),
        entry: &Entry,
    ) {
        if !entry.draft.content.is_text() || me.is_some_and(|(me, _)| *me == entry.sender.id) {
            return;
        }
        let mention = me.is_some_and(|(_, name)| mentions(entry.draft.content.body(), name));
        let has_left = |connection: &Connection| {
            connection.chat.rooms.get(&entry.draft.room).is_some_and(|room| room.info.left)
        };
        if model.connections.get(&id).is_some_and(has_left) {
            return;
        }
        // Of a thread those are told who take part in it; of its first reply, who wrote what it replies to.
        let is_followed = |root: MessageId| {
            let room = model.connections.get(&id).and_then(|at| at.chat.rooms.get(&entry.draft.room));
            room.is_some_and(|room| match room.threads.get(&root) {
                Some(thread) => thread.followed,
                None => room.message(root).is_some_and(|own| me.is_some_and(|(me, _)| *me == own.sender.id)),
            })
        };
        let thread = entry.draft.content.thread().filter(|_| entry.draft.content.is_aside());
        if !mention && thread.is_some_and(|root| !is_followed(root)) {
            return;
        }
        let is_told_of = mention || (thread.is_some() && model.preferences.notices.threads);
        if !level(model, id, &entry.draft.room).wants(is_told_of) {
            return;
        }
        let key = (id, entry.draft.room.clone());
        if self.rooms.len() >= MAX_ROOMS && !self.rooms.contains_key(&key) {
            // Rooms with nothing pending or shown can be dropped.
            self.rooms.retain(|_, talk| talk.waiting > 0 || talk.shown);
            if self.rooms.len() >= MAX_ROOMS {
                return;
            }
        }
        let talk = self.rooms.entry(key).or_default();
        // Keep showing a pending mention instead of a later message without one. Messages already notified
        // about do not count.
        if mention || !talk.mention || talk.waiting == 0 {
            talk.sender = sender(model, id, entry);
            talk.text = entry.draft.content.body().chars().take(MAX_TEXT_CHARS).collect();
            talk.mention = mention;
        }
        talk.waiting += 1;
        talk.count += 1;
        talk.newest = entry.offset;
        talk.next = talk.next.max(at.boot_ms);
    }

    /// The person has read a room up to this offset.
    pub(super) fn mark_read(&mut self, id: ConnectionId, room: &RoomId, offset: Offset, out: &mut Out) {
        let key = (id, room.clone());
        if self.rooms.get(&key).is_some_and(|talk| talk.newest <= offset)
            && let Some(talk) = self.rooms.remove(&key)
            && talk.shown
        {
            out.withdraw(Topic::Room(key.0, key.1));
        }
    }

    /// The person is looking at the window.
    pub(super) fn mark_all_seen(&mut self, out: &mut Out) {
        if std::mem::take(&mut self.together) {
            out.withdraw(Topic::Rooms);
        }
    }

    /// The rooms of a connection were reset.
    pub(super) fn forget(&mut self, id: ConnectionId, out: &mut Out) {
        self.rooms.retain(|(connection, room), talk| {
            if *connection == id && talk.shown {
                out.withdraw(Topic::Room(id, room.clone()));
            }
            *connection != id
        });
    }

    /// Drops pending notifications.
    pub(super) fn drop_pending(&mut self) {
        self.rooms.values_mut().for_each(|talk| talk.waiting = 0);
    }

    /// Earliest time at which a notification may be due.
    pub(super) fn due(&self) -> Option<BootMs> {
        self.rooms.values().filter(|talk| talk.waiting > 0).map(|talk| talk.next).min()
    }

    /// Shows what is due: a notification per room within the limit per minute, otherwise a summary.
    pub(super) fn show_due(
        &mut self,
        now: BootMs,
        model: &Model,
        may_tell: impl Fn(&ConnectionId) -> bool,
        out: &mut Out,
    ) {
        if self.due().is_none_or(|due| due > now) {
            return;
        }
        for ((id, room), talk) in &mut self.rooms {
            if level(model, *id, room) == Level::Nothing {
                talk.waiting = 0;
            } else if talk.waiting > 0 && talk.next <= now && !may_tell(id) {
                talk.next = now + REPLAY_CHECK_MS;
            }
        }
        let due: Vec<Key> = self
            .rooms
            .iter()
            .filter(|(_, talk)| talk.waiting > 0 && talk.next <= now)
            .map(|(key, _)| key.clone())
            .collect();
        match out.free(now) {
            0 => {}
            free if due.len() <= free => due.into_iter().for_each(|key| self.show(now, model, key, out)),
            _ => self.show_together(now, due, out),
        }
    }

    fn show(&mut self, now: BootMs, model: &Model, key: Key, out: &mut Out) {
        let Some(talk) = self.rooms.get_mut(&key) else { return };
        (talk.waiting, talk.next, talk.shown) = (0, now + MIN_ROOM_INTERVAL_MS, true);
        let connection = model.connections.get(&key.0);
        let room = connection.map_or_else(|| RoomName::of_id(&key.1), |of| of.chat.name_of(&key.1));
        let news = NoticeContent::Messages {
            room,
            count: talk.count,
            sender: talk.sender.clone(),
            text: model.preferences.notices.show_text.then(|| talk.text.clone()),
            mention: talk.mention,
        };
        let topic = Topic::Room(key.0, key.1.clone());
        out.show(now, Notice { topic, news, target: ClickTarget::Room(key.0, key.1) });
    }

    fn show_together(&mut self, now: BootMs, due: Vec<Key>, out: &mut Out) {
        let (mut count, mut best) = (0, None);
        let rooms = due.len();
        for key in due {
            let Some(talk) = self.rooms.get_mut(&key) else { continue };
            count += talk.waiting;
            (talk.waiting, talk.next) = (0, now + MIN_ROOM_INTERVAL_MS);
            if best.as_ref().is_none_or(|(mention, _)| talk.mention && !mention) {
                best = Some((talk.mention, key));
            }
        }
        let Some((mention, (id, room))) = best else { return };
        self.together = true;
        let news = NoticeContent::ManyMessages { count, rooms, mention };
        out.show(now, Notice { topic: Topic::Rooms, news, target: ClickTarget::Room(id, room) });
    }
}
