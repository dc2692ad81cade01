//! Of which messages to tell, each room at its pace, and all of them together where there are many.

use std::collections::BTreeMap;

use super::{Level, Moment, News, Notice, Out, Target, Topic, mentions};
use crate::model::entry::Entry;
use crate::model::id::{ConnectionId, Offset, PrincipalId, RoomId, RoomName};
use crate::model::known::Known;
use crate::model::principal::Sender;
use crate::model::reducer::Model;
use crate::model::time::BootMs;

/// A room has a notice no oftener than this, in milliseconds.
pub(super) const ROOM_GAP_MS: u64 = 10_000;
/// What is replayed is told once all of it is there: looked at so often, in milliseconds.
const REPLAY_LOOK_MS: u64 = 1_000;
/// So much of a sender's name is in a notice, in characters: a short id has room beside it.
const SENDER_CHARS: usize = 30;
/// So much of a message is in a notice, in characters.
pub(super) const TEXT_CHARS: usize = 240;

/// Maximum number of rooms of which something is to be told.
const MAX_ROOMS: usize = 500;

type Key = (ConnectionId, RoomId);

/// What was written while the person looked elsewhere.
#[derive(Clone, Debug, Default)]
pub(super) struct Talks {
    rooms: BTreeMap<Key, Talk>,
    /// A notice of several rooms is shown.
    together: bool,
}

/// What was written in a room since the person last looked.
#[derive(Clone, Debug, Default)]
struct Talk {
    /// No notice has told of these.
    waiting: u64,
    /// All of them.
    count: u64,
    sender: String,
    text: String,
    mention: bool,
    newest: Offset,
    /// No notice before.
    next: BootMs,
    shown: bool,
}

/// What a room is to be told of.
pub(super) fn level(model: &Model, connection: ConnectionId, room: &RoomId) -> Level {
    model.notice_choices.room(connection, room).unwrap_or(model.preferences.notices.rooms)
}

/// Who wrote it, told apart from others whose names look the same.
fn sender(model: &Model, connection: ConnectionId, entry: &Entry) -> String {
    let Sender { id, name } = &entry.sender;
    match model.connections.get(&connection) {
        Some(connection) => connection.chat.shown(&entry.sender, SENDER_CHARS).label(),
        None => Known::default().shown(id, name, SENDER_CHARS).label(),
    }
}

impl Talks {
    /// Somebody wrote something that the person does not see.
    pub(super) fn hear(
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
        if !level(model, id, &entry.draft.room).wants(mention) {
            return;
        }
        let key = (id, entry.draft.room.clone());
        if self.rooms.len() >= MAX_ROOMS && !self.rooms.contains_key(&key) {
            // What no notice is shown or due of can be forgotten.
            self.rooms.retain(|_, talk| talk.waiting > 0 || talk.shown);
            if self.rooms.len() >= MAX_ROOMS {
                return;
            }
        }
        let talk = self.rooms.entry(key).or_default();
        // What was told is told: a plain message after a mention is the last one again.
        if mention || !talk.mention || talk.waiting == 0 {
            talk.sender = sender(model, id, entry);
            talk.text = entry.draft.content.body().chars().take(TEXT_CHARS).collect();
            talk.mention = mention;
        }
        talk.waiting += 1;
        talk.count += 1;
        talk.newest = entry.offset;
        talk.next = talk.next.max(at.boot_ms);
    }

    /// The person has read a room up to here.
    pub(super) fn read(&mut self, id: ConnectionId, room: &RoomId, offset: Offset, out: &mut Out) {
        let key = (id, room.clone());
        if self.rooms.get(&key).is_some_and(|talk| talk.newest <= offset)
            && let Some(talk) = self.rooms.remove(&key)
            && talk.shown
        {
            out.withdraw(Topic::Room(key.0, key.1));
        }
    }

    /// The person looks at the window.
    pub(super) fn seen(&mut self, out: &mut Out) {
        if std::mem::take(&mut self.together) {
            out.withdraw(Topic::Rooms);
        }
    }

    /// A connection's rooms are not what they were.
    pub(super) fn forget(&mut self, id: ConnectionId, out: &mut Out) {
        self.rooms.retain(|(connection, room), talk| {
            if *connection == id && talk.shown {
                out.withdraw(Topic::Room(id, room.clone()));
            }
            *connection != id
        });
    }

    /// What waits is not told any more.
    pub(super) fn hush(&mut self) {
        self.rooms.values_mut().for_each(|talk| talk.waiting = 0);
    }

    /// When there may be something to show.
    pub(super) fn due(&self) -> Option<BootMs> {
        self.rooms.values().filter(|talk| talk.waiting > 0).map(|talk| talk.next).min()
    }

    /// Shows what is due: each room apart while the minute bears it, else all together.
    pub(super) fn settle(
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
                talk.next = now + REPLAY_LOOK_MS;
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
        (talk.waiting, talk.next, talk.shown) = (0, now + ROOM_GAP_MS, true);
        let connection = model.connections.get(&key.0);
        let room = connection.map_or_else(|| RoomName::of_id(&key.1), |of| of.chat.name_of(&key.1));
        let news = News::Messages {
            room,
            count: talk.count,
            sender: talk.sender.clone(),
            text: model.preferences.notices.show_text.then(|| talk.text.clone()),
            mention: talk.mention,
        };
        let topic = Topic::Room(key.0, key.1.clone());
        out.show(now, Notice { topic, news, target: Target::Room(key.0, key.1) });
    }

    fn show_together(&mut self, now: BootMs, due: Vec<Key>, out: &mut Out) {
        let (mut count, mut best) = (0, None);
        let rooms = due.len();
        for key in due {
            let Some(talk) = self.rooms.get_mut(&key) else { continue };
            count += talk.waiting;
            (talk.waiting, talk.next) = (0, now + ROOM_GAP_MS);
            if best.as_ref().is_none_or(|(mention, _)| talk.mention && !mention) {
                best = Some((talk.mention, key));
            }
        }
        let Some((mention, (id, room))) = best else { return };
        self.together = true;
        let news = News::ManyMessages { count, rooms, mention };
        out.show(now, Notice { topic: Topic::Rooms, news, target: Target::Room(id, room) });
    }
}
