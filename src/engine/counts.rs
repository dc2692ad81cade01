//! Schedules counting of unread messages on disk: one room after the other, each once.

use std::collections::BTreeSet;

use super::{Effect, Engine};
use crate::model::event::{ChatEvent, LinkEvent, LogRestart, Update};
use crate::model::{ConnectionId, Entry, Event, Offset, Position, RoomId};

/// Rooms to be counted.
#[derive(Default)]
pub(super) struct Counts {
    rooms: BTreeSet<(ConnectionId, RoomId)>,
    is_counting: bool,
}

/// What counting needs to know of a connection's log.
#[derive(Default)]
pub(super) struct LogEnd {
    head: Offset,
    /// After a new log has been replayed up to here, unread messages are counted again, because those known before do
    /// not count as new.
    recount_at: Option<Offset>,
}

impl Engine {
    /// Schedules counts that an event makes necessary.
    pub(super) fn count_after(&mut self, id: ConnectionId, event: &Event) {
        match event {
            Event::Link(LinkEvent::Welcomed { log, .. }) => {
                self.log_end(id, |end| end.head = log.head());
            }
            Event::Chat(ChatEvent::LogStarted { why, .. }) if *why != LogRestart::First => {
                self.log_end(id, |end| end.recount_at = Some(end.head));
            }
            Event::Chat(ChatEvent::Entries { entries, .. }) => self.count_replayed(id, entries),
            Event::Chat(ChatEvent::ReadMarker { room, .. } | ChatEvent::MarkedUnread { room, .. }) => {
                self.count(id, room.clone())
            }
            Event::Chat(ChatEvent::Listed(listed)) => self.count_listed(id, &listed.read),
            _ => {}
        }
    }

    fn log_end(&mut self, id: ConnectionId, change: impl FnOnce(&mut LogEnd)) {
        if let Some(known) = self.connections.get_mut(&id) {
            change(&mut known.log_end);
        }
    }

    /// Counts rooms whose unread messages may not all be in the window's memory.
    pub(super) fn count(&mut self, connection: ConnectionId, room: RoomId) {
        self.counts.rooms.insert((connection, room));
        self.count_next();
    }

    /// A room was counted, or counting failed.
    pub(super) fn counted(&mut self, connection: ConnectionId, counted: Option<Event>) {
        self.updates.extend(counted.map(|event| Update::Connection(connection, event)));
        self.counts.is_counting = false;
        self.count_next();
    }

    fn count_next(&mut self) {
        if self.counts.is_counting {
            return;
        }
        if let Some((connection, room)) = self.counts.rooms.pop_first() {
            self.counts.is_counting = true;
            self.effects.push_back(Effect::CountUnread { connection, room });
        }
    }

    /// Counts the rooms in which another client has read further.
    fn count_listed(&mut self, id: ConnectionId, read: &[(RoomId, Offset)]) {
        let rooms = self.model.read(|model| {
            let Some(connection) = model.connections.get(&id) else { return Vec::new() };
            let is_news = |(room, offset): &&(RoomId, Offset)| {
                let known = connection.chat.rooms.get(room).map(|room| room.read).unwrap_or_default();
                Position { era: connection.chat.era(), offset: *offset } > known
            };
            read.iter().filter(is_news).map(|(room, _)| room.clone()).collect::<Vec<_>>()
        });
        rooms.into_iter().for_each(|room| self.count(id, room));
    }

    fn count_replayed(&mut self, id: ConnectionId, entries: &[Entry]) {
        let Some(known) = self.connections.get_mut(&id) else { return };
        let is_there = |head: &mut Offset| entries.last().is_some_and(|last| last.offset >= *head);
        if known.log_end.recount_at.take_if(is_there).is_some() {
            let rooms = self.model.read(|model| {
                let rooms = model.connections.get(&id).map(|connection| connection.chat.rooms.keys());
                rooms.into_iter().flatten().cloned().collect::<Vec<_>>()
            });
            rooms.into_iter().for_each(|room| self.count(id, room));
        }
    }
}
