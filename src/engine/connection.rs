//! One connection of the engine's.

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
    /// Which of all that were ever taken in: an outcome for one that was replaced since does not concern this one.
    pub(super) number: u64,
    /// What its server says is said once.
    pub(super) is_said_once: bool,
    pub(super) log_end: LogEnd,
    pub(super) figures: Figures,
    /// Bytes of its changes that wait for the disk, and of their copies that wait to be shown.
    pub(super) unsaved_bytes: usize,
}

impl Engine {
    /// What the disk holds of it shows at once.
    pub(super) fn add(&mut self, now: Time, new: NewConnection) {
        let NewConnection { id, urls, setup, reconnects, is_said_once, stored, saved, seed } = new;
        let me = stored.me.as_ref().map(|me| me.id.clone());
        let mut link = Link::new(urls, setup, saved, me, seed);
        link.set_reconnects(reconnects);
        link.know_rooms(stored.rooms.iter().map(|room| &room.id));
        self.queues.retain(|queue| queue.connection() != id);
        if let Some(old) = self.connections.get(&id) {
            // What is still on its way over the old one's sockets is not for this one.
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
