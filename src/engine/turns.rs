//! Whose turn it is: what came over the sockets is looked at slice by slice, one connection after the other. One for
//! which the disk does not keep up is left out, and its server held back.

use std::collections::VecDeque;

use super::{Effect, Engine};
use crate::link::{self, durable};
use crate::model::{ConnectionId, Time};

/// A slice of a queue ends with so many inputs, or so many bytes of frames.
const SLICE: (usize, usize) = (32, 64 * 1024);

/// What came over one connection and is looked at slice by slice.
pub(super) struct Queue {
    connection: ConnectionId,
    inputs: VecDeque<link::Input>,
    /// Bytes beyond its share that earlier slices had, because a frame is not divided.
    debt: usize,
}

impl Queue {
    fn new(connection: ConnectionId, inputs: Vec<link::Input>) -> Queue {
        Queue { connection, inputs: inputs.into(), debt: 0 }
    }

    pub(super) fn connection(&self) -> ConnectionId {
        self.connection
    }

    pub(super) fn into_inputs(self) -> impl Iterator<Item = link::Input> {
        self.inputs.into_iter()
    }

    /// The next inputs: as many as take little time. None, where a large frame has used up this turn's share already.
    fn slice(&mut self) -> Vec<link::Input> {
        let (mut count, mut bytes) = (0, self.debt);
        for input in &self.inputs {
            if count == SLICE.0 || bytes >= SLICE.1 {
                break;
            }
            count += 1;
            bytes += match input {
                link::Input::Frame { frame, .. } => frame.len(),
                _ => 0,
            };
        }
        self.debt = bytes.saturating_sub(SLICE.1);
        self.inputs.drain(..count).collect()
    }
}

impl Engine {
    /// Puts what came over a socket into its connection's queue. Where nothing else waits, it is looked at right away.
    pub(super) fn received(&mut self, now: Time, connection: ConnectionId, inputs: Vec<link::Input>) {
        if !self.connections.contains_key(&connection) {
            return self.effects.push_back(Effect::ReadOn(connection));
        }
        let is_alone = self.queues.is_empty();
        match self.queues.iter_mut().find(|queue| queue.connection == connection) {
            Some(queue) => queue.inputs.extend(inputs),
            None => self.queues.push_back(Queue::new(connection, inputs)),
        }
        self.hold_back_if_full(now, connection);
        if is_alone {
            self.take_turn(now);
        }
    }

    /// Looks at a slice of one connection's queue; the next time it is another one's turn. What waits in the queue of one
    /// for which the disk does not keep up stays there, and its server is held back.
    pub(super) fn take_turn(&mut self, now: Time) {
        let ready = self.queues.iter().position(|queue| self.has_room(queue.connection));
        let Some(mut queue) = ready.and_then(|ready| self.queues.remove(ready)) else { return };
        let connection = queue.connection;
        self.hold_back(now, connection, false);
        for input in queue.slice() {
            self.show_frame(connection, &input);
            self.tell(now, connection, durable::Input::Link(input));
        }
        if queue.inputs.is_empty() {
            self.effects.push_back(Effect::ReadOn(connection));
        } else {
            self.queues.push_back(queue);
            self.hold_back_if_full(now, connection);
        }
    }

    /// A frame comes in, before the link sees it. A copy is made only while somebody looks.
    fn show_frame(&mut self, connection: ConnectionId, input: &link::Input) {
        if let link::Input::Frame { dial, frame } = input
            && self.watched.contains(&connection)
            && let Some(known) = self.connections.get(&connection)
            && known.durable.link().current_dial() == *dial
        {
            self.effects.push_back(Effect::Received(connection, frame.clone()));
        }
    }

    /// What lies in the queue of a connection for which the disk does not keep up is not looked at for now.
    fn hold_back_if_full(&mut self, now: Time, connection: ConnectionId) {
        if !self.has_room(connection) {
            self.hold_back(now, connection, true);
        }
    }

    /// Tells a link whether it is we who do not read what its server says.
    pub(super) fn hold_back(&mut self, now: Time, connection: ConnectionId, held: bool) {
        let known = self.connections.get(&connection);
        if known.is_some_and(|known| known.durable.link().is_held_back() != held) {
            self.tell(now, connection, durable::Input::Link(link::Input::HeldBack(held)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Frame;

    fn frames(sizes: impl IntoIterator<Item = usize>) -> Vec<link::Input> {
        let frame =
            |bytes: usize| link::Input::Frame { dial: bytes as u64, frame: Frame::Text("x".repeat(bytes)) };
        sizes.into_iter().map(frame).collect()
    }

    fn queue(sizes: impl IntoIterator<Item = usize>) -> Queue {
        Queue::new(ConnectionId(1), frames(sizes))
    }

    fn sizes(slice: &[link::Input]) -> Vec<u64> {
        let size = |input: &link::Input| match input {
            link::Input::Frame { dial, .. } => *dial,
            _ => panic!("only frames were given"),
        };
        slice.iter().map(size).collect()
    }

    #[test]
    fn a_queue_is_emptied_in_slices_and_in_order() {
        let mut queue = queue([60_000, 6_000, 70_000]);
        queue.inputs.extend(frames(0..100));
        assert_eq!(sizes(&queue.slice()), [60_000, 6_000], "these are more than 64 KiB");
        queue.inputs.extend(frames([9]));
        assert_eq!(sizes(&queue.slice()), [70_000]);
        let mut rest = Vec::new();
        while !queue.inputs.is_empty() {
            let slice = queue.slice();
            assert!((1..=SLICE.0).contains(&slice.len()));
            rest.extend(sizes(&slice));
        }
        assert_eq!(rest, (0..100).chain([9]).collect::<Vec<_>>());
    }

    #[test]
    fn large_frames_have_no_larger_share_than_small_ones() {
        let mut queue = queue([1_000_000, 1]);
        assert_eq!(sizes(&queue.slice()), [1_000_000]);
        let turns = (1..).find(|_| !queue.slice().is_empty()).unwrap();
        assert_eq!(turns, 1_000_000 / SLICE.1, "so many turns of others are worth that frame");
        assert!(queue.inputs.is_empty());
    }
}
