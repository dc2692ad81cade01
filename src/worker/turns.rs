//! Whose turn it is: what came over the sockets is looked at slice by slice, one connection after the other. One for which
//! the disk does not keep up is left out, and its server held back.

use super::desk::{Desk, Seat};
use super::line::{Post, Tray};
use crate::link;
use crate::link::courier::Input;
use crate::model::ConnectionId;

impl Desk {
    /// Whether a connection for which the disk keeps up has something to look at.
    pub(super) fn can_take_up(&self) -> bool {
        self.trays.iter().any(|tray| self.has_room(*tray.key()))
    }

    pub(super) fn has_room(&self, id: ConnectionId) -> bool {
        self.seats.get(&id).is_none_or(Seat::has_room)
    }

    /// Puts what came over a socket into its connection's tray.
    pub(super) fn lay_down(&mut self, post: Post<ConnectionId>) {
        let id = *post.key();
        match self.trays.iter_mut().find(|tray| *tray.key() == *post.key()) {
            Some(tray) => tray.add(post),
            None => self.trays.push_back(Tray::new(post)),
        }
        self.hold_back_if_full(id);
    }

    /// Looks at a slice of one connection's tray; the next time it is another one's turn. What waits in the tray of one for
    /// which the disk does not keep up stays there, and its server is held back.
    pub(super) fn take_up(&mut self) {
        let ready = self.trays.iter().position(|tray| self.has_room(*tray.key()));
        let Some(mut tray) = ready.and_then(|ready| self.trays.remove(ready)) else { return };
        let id = *tray.key();
        self.hold_back(id, false);
        for input in tray.slice() {
            self.record_received(id, &input);
            self.tell(id, Input::Link(input));
        }
        if !tray.is_empty() {
            self.trays.push_back(tray);
            self.hold_back_if_full(id);
        }
    }

    /// What lies in the tray of a connection for which the disk does not keep up is not looked at for now.
    pub(super) fn hold_back_if_full(&mut self, id: ConnectionId) {
        if !self.has_room(id) {
            self.hold_back(id, true);
        }
    }

    /// Tells a link whether it is we who do not read what its server says.
    pub(super) fn hold_back(&mut self, id: ConnectionId, held: bool) {
        if self.seats.get(&id).is_some_and(|seat| seat.courier.link().is_held_back() != held) {
            self.tell(id, Input::Link(link::Input::HeldBack(held)));
        }
    }
}
