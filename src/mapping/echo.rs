//! [`Echoes`]: which of the messages that come are our own coming back. By id where the server returns it; else the same text in the
//! same room within [`ECHO_MS`], first in, first out, and only where nobody else is named. In doubt it is somebody else's.

use std::collections::VecDeque;

use crate::model::MessageId;
use crate::model::time::BootMs;

/// How long after it was sent a message without an id is awaited, in milliseconds.
pub const ECHO_MS: u64 = 10_000;
/// Maximum number of messages that are awaited.
const MAX_AWAITED: usize = 1024;

/// What we sent over one connection and may come back.
#[derive(Debug, Default)]
pub struct Echoes(VecDeque<Sent>);

#[derive(Debug)]
struct Sent {
    id: MessageId,
    room: String,
    text: String,
    at: BootMs,
}

impl Echoes {
    /// A message was sent at this boot time.
    pub fn sent(&mut self, now: BootMs, id: MessageId, room: &str, text: &str) {
        self.forget(now);
        if self.0.len() == MAX_AWAITED {
            self.0.pop_front();
        }
        self.0.push_back(Sent { id, room: room.to_owned(), text: text.to_owned(), at: now });
    }

    /// Which of ours has come back with the id that we gave it.
    pub fn by_id(&mut self, id: &str) -> Option<MessageId> {
        let id: MessageId = id.parse().ok()?;
        let place = self.0.iter().position(|sent| sent.id == id)?;
        self.0.remove(place).map(|sent| sent.id)
    }

    /// Which of ours has come back with these words.
    pub fn by_text(&mut self, now: BootMs, room: &str, text: &str) -> Option<MessageId> {
        self.take(now, text, |sent| sent == room)
    }

    /// The same where the server does not say in which room: one whose id begins so.
    pub fn by_text_below(&mut self, now: BootMs, scope: &str, text: &str) -> Option<MessageId> {
        self.take(now, text, |sent| sent.starts_with(scope))
    }

    fn take(&mut self, now: BootMs, text: &str, is_there: impl Fn(&str) -> bool) -> Option<MessageId> {
        self.forget(now);
        let place = self.0.iter().position(|sent| is_there(&sent.room) && same(&sent.text, text))?;
        self.0.remove(place).map(|sent| sent.id)
    }

    fn forget(&mut self, now: BootMs) {
        while self.0.front().is_some_and(|sent| now.since(sent.at) > ECHO_MS) {
            self.0.pop_front();
        }
    }
}

/// Servers trim what they pass on.
fn same(sent: &str, received: &str) -> bool {
    sent == received || sent.trim() == received.trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u8) -> MessageId {
        MessageId::from_random([number; 16])
    }

    #[test]
    fn each_comes_back_once_the_first_first() {
        let mut echoes = Echoes::default();
        echoes.sent(BootMs(0), id(1), "a", "ok");
        echoes.sent(BootMs(1), id(2), "a", "ok");
        echoes.sent(BootMs(2), id(3), "b", "ok");
        assert_eq!(echoes.by_text(BootMs(3), "b", "ok"), Some(id(3)));
        assert_eq!(echoes.by_text(BootMs(3), "a", " ok "), Some(id(1)));
        assert_eq!(echoes.by_text(BootMs(3), "a", "ok"), Some(id(2)));
        assert_eq!(echoes.by_text(BootMs(3), "a", "ok"), None);
    }

    #[test]
    fn without_a_room_it_is_one_below_a_place() {
        let mut echoes = Echoes::default();
        echoes.sent(BootMs(0), id(1), "/a#x", "ok");
        echoes.sent(BootMs(0), id(2), "/b#x", "ok");
        assert_eq!(echoes.by_text_below(BootMs(1), "/b#", "ok"), Some(id(2)));
        assert_eq!(echoes.by_text_below(BootMs(1), "/b#", "ok"), None);
        assert_eq!(echoes.by_text_below(BootMs(1), "", "ok"), Some(id(1)));
    }

    #[test]
    fn after_ten_seconds_it_is_somebody_elses() {
        let mut echoes = Echoes::default();
        echoes.sent(BootMs(0), id(1), "a", "ok");
        echoes.sent(BootMs(0), id(2), "a", "in time");
        assert_eq!(echoes.by_text(BootMs(ECHO_MS), "a", "in time"), Some(id(2)));
        assert_eq!(echoes.by_text(BootMs(ECHO_MS) + 1, "a", "ok"), None);
    }

    #[test]
    fn an_id_counts_whatever_the_words_are() {
        let mut echoes = Echoes::default();
        echoes.sent(BootMs(0), id(1), "a", "<b>");
        assert_eq!(echoes.by_id("nonsense"), None);
        assert_eq!(echoes.by_id(&id(1).to_string()), Some(id(1)));
        assert_eq!(echoes.by_id(&id(1).to_string()), None);
    }
}
