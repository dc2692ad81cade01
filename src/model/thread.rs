//! [`Thread`]: what is known of a thread of a room beside its messages, and those of its messages that are in memory.

use super::id::MessageId;
use super::message::Position;
use super::window::Window;

/// Maximum number of threads of one connection that are known at a start, and of one room in memory.
pub const MAX_THREADS: usize = 500;

/// A thread.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Thread {
    /// Its newest reply.
    pub newest: Position,
    /// What the person has read of it.
    pub read: Position,
    /// Replies by others after that.
    pub unread: u64,
    /// How many of these name the person.
    pub mentions: u64,
    /// Whether the person takes part in it: they began it, wrote in it or were named in it.
    pub followed: bool,
    /// Typed and not sent, as last kept.
    pub draft: String,
    /// What that replies to.
    pub draft_reply: Option<MessageId>,
    /// Its messages in memory, while somebody looks at it.
    pub window: Option<Window>,
    /// Whether older ones are being read.
    pub loading: bool,
}

impl Thread {
    /// A reply came to this place. `counted`: it counted as unread where it was in an earlier log.
    pub fn replied(
        &mut self,
        place: Position,
        room_read: Position,
        (mine, names_me): (bool, bool),
        counted: bool,
    ) {
        self.followed |= mine || names_me;
        if place <= self.newest {
            return;
        }
        self.newest = place;
        if mine {
            // Whoever answers has read what is there.
            self.seen(place);
        } else if place > self.read && place > room_read && !counted {
            self.unread += 1;
            self.mentions += u64::from(names_me);
        }
    }

    /// The person has read it up to a position. It is read from its end: what is seen is all there is.
    pub fn seen(&mut self, to: Position) {
        if to > self.read {
            self.read = to;
        }
        if to >= self.newest {
            (self.unread, self.mentions) = (0, 0);
        }
    }

    /// Replies that the person is told of in the list of rooms.
    pub fn told(&self) -> u64 {
        if self.followed { self.unread } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::id::Offset;

    fn at(offset: u64) -> Position {
        Position { era: 1, offset: Offset(offset) }
    }

    #[test]
    fn only_what_is_new_to_the_person_is_unread() {
        let mut thread = Thread::default();
        let none = Position::default();
        thread.replied(at(2), at(5), (false, false), false);
        assert_eq!((thread.unread, thread.followed), (0, false), "the room was read further elsewhere");
        thread.replied(at(6), none, (false, false), false);
        thread.replied(at(6), none, (false, false), false);
        assert_eq!((thread.unread, thread.told()), (1, 0));
        thread.replied(at(7), none, (false, true), false);
        assert_eq!((thread.unread, thread.mentions, thread.told()), (2, 1, 2));
        thread.seen(at(6));
        assert_eq!(thread.unread, 2, "not all of it");
        thread.replied(at(8), none, (true, false), false);
        assert_eq!((thread.unread, thread.mentions), (0, 0));
        thread.replied(at(9), none, (false, false), true);
        assert_eq!(thread.unread, 0, "it came from an earlier log");
    }
}
