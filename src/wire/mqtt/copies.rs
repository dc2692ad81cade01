//! [`Copies`]: with version 3.1.1, some servers (RabbitMQ) send a message once for each subscription that it matches, and do not say for
//! which. Whether this one does is learnt from our own presence, which comes back as often. Then every second of two equal messages
//! within a moment is a copy.

use std::collections::VecDeque;

use super::chat::fingerprint;
use crate::model::Time;
use crate::model::time::BootMs;

/// Copies come within this time, in milliseconds.
const MOMENT_MS: u64 = 2_000;
/// Maximum number of messages whose copies are awaited.
const MAX_AWAITED: usize = 256;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Copies {
    /// How often our presence came back on this connection.
    back: u32,
    awaited: VecDeque<(BootMs, u64)>,
}

impl Copies {
    /// Our presence came back.
    pub(super) fn came_back(&mut self) {
        self.back += 1;
    }

    /// Whether a message is the copy of one that came a moment before.
    pub(super) fn is_copy(&mut self, now: Time, topic: &str, payload: &[u8]) -> bool {
        if self.back < 2 {
            return false;
        }
        while self.awaited.front().is_some_and(|(at, _)| now.boot_ms.since(*at) > MOMENT_MS) {
            self.awaited.pop_front();
        }
        let fingerprint = fingerprint(topic, payload);
        if let Some(at) = self.awaited.iter().position(|(_, known)| *known == fingerprint) {
            self.awaited.remove(at);
            return true;
        }
        if self.awaited.len() == MAX_AWAITED {
            self.awaited.pop_front();
        }
        self.awaited.push_back((now.boot_ms, fingerprint));
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::WallMs;

    #[test]
    fn every_second_of_equal_messages_is_a_copy_where_the_server_makes_them() {
        let now = |ms| Time { boot_ms: BootMs(ms), wall_ms: WallMs(0) };
        let mut copies = Copies::default();
        assert!(
            !copies.is_copy(now(0), "a", b"hi") && !copies.is_copy(now(1), "a", b"hi"),
            "nothing is known yet"
        );
        copies.came_back();
        copies.came_back();
        let found: Vec<bool> = (0..4).map(|ms| copies.is_copy(now(ms), "a", b"hi")).collect();
        assert_eq!(found, [false, true, false, true]);
        assert!(!copies.is_copy(now(10), "a", b"ho") && !copies.is_copy(now(10), "b", b"hi"));
        assert!(!copies.is_copy(now(10 + MOMENT_MS + 1), "a", b"ho"), "it is another one by then");
    }
}
