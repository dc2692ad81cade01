//! One connection of the engine.

use super::counts::LogEnd;
use super::figures::Figures;
use super::{Effect, Engine, NewConnection};
use crate::link::durable::{DurableLink, Input};
use crate::link::{self, Link};
use crate::model::event::ChatEvent;
use crate::model::{ConnectionId, Event, Time};

/// One connection.
pub(super) struct Connection {
    pub(super) durable: DurableLink,
    /// Number of this instance; outcomes for an instance that was replaced are ignored.
    pub(super) number: u64,
    /// Whether its server sends everything only once.
    pub(super) is_said_once: bool,
    pub(super) log_end: LogEnd,
    pub(super) figures: Figures,
    /// Bytes of its changes that are not saved or shown yet.
    pub(super) unsaved_bytes: usize,
}

impl Engine {
    /// Adds a connection and shows its stored state at once.
    pub(super) fn add(&mut self, now: Time, new: NewConnection) {
        let NewConnection { id, urls, setup, reconnects, is_said_once, stored, saved, seed } = new;
        let me = stored.me.as_ref().map(|me| me.id.clone());
        let mut link = Link::new(urls, setup, saved, me, seed);
        link.set_reconnects(reconnects);
        link.know_rooms(stored.rooms.iter().map(|room| &room.id));
        self.queues.retain(|queue| queue.connection() != id);
        if let Some(old) = self.connections.get(&id) {
            // Dials of the old instance must not be taken for ones of this instance.
            link.count_dials_from(old.durable.link().current_dial());
        }
        let durable = DurableLink::new(link, now, stored.outbox.clone());
        self.taken_in += 1;
        let connection = Connection {
            durable,
            number: self.taken_in,
            is_said_once,
            log_end: LogEnd::default(),
            figures: Figures::default(),
            unsaved_bytes: 0,
        };
        self.connections.insert(id, connection);
        self.effects.push_back(Effect::Event(id, Event::Chat(ChatEvent::Restored(stored))));
        self.take_outputs(now, id);
        self.behind.remove(&id);
        if self.restarts.remove(&id) {
            self.tell(now, id, Input::Link(link::Input::Start));
        }
    }

    pub(super) fn remove(&mut self, id: ConnectionId) {
        self.connections.remove(&id);
        self.queues.retain(|queue| queue.connection() != id);
        self.watched.remove(&id);
        self.behind.remove(&id);
        self.restarts.remove(&id);
        self.pending.forget(id);
    }
}
