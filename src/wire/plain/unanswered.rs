//! [`Unanswered`]: messages that were given to a socket, as long as nothing was received after them. A ping checks whether the
//! server is still there.

use std::collections::VecDeque;

use crate::model::time::BootMs;
use crate::model::{MessageId, OutboxItem, Time};

/// If the server sends nothing for this long after a message, a ping checks whether it is still there. In milliseconds.
const WORD_MS: u64 = 500;
/// With this many unchecked messages, the ping is sent at once.
const MAX_WITHOUT_WORD: usize = 16;

/// See the module.
#[derive(Default)]
pub(super) struct Unanswered {
    /// Given to the transport, and possibly not sent.
    sending: VecDeque<OutboxItem>,
    /// Sent, but nothing was received since.
    without_word: VecDeque<OutboxItem>,
    /// When to send a ping because of these.
    ping_at: Option<BootMs>,
    /// When the unanswered ping was sent.
    pinged_at: Option<BootMs>,
}

impl Unanswered {
    /// This was given to the transport.
    pub(super) fn given(&mut self, item: OutboxItem) {
        self.sending.push_back(item);
    }

    /// These were sent. Returns whether to send a ping now.
    #[must_use]
    pub(super) fn flushed(&mut self, now: Time, ids: &[MessageId]) -> bool {
        let is_flushed = |item: &OutboxItem| ids.contains(&item.draft.id);
        let (flushed, sending) = std::mem::take(&mut self.sending).into_iter().partition(is_flushed);
        self.sending = sending;
        self.without_word.extend::<VecDeque<_>>(flushed);
        if self.pinged_at.is_some() {
            return false;
        }
        if !self.without_word.is_empty() {
            self.ping_at.get_or_insert(now.boot_ms.saturating_add(WORD_MS));
        }
        self.without_word.len() >= MAX_WITHOUT_WORD
    }

    /// The server sent something, so it may have received these. It confirms nothing.
    pub(super) fn take(&mut self) -> VecDeque<OutboxItem> {
        self.ping_at = None;
        std::mem::take(&mut self.without_word)
    }

    /// The connection ended: whether the last messages arrived is unknown.
    pub(super) fn forget(&mut self) {
        self.without_word.clear();
    }

    /// A ping is sent.
    pub(super) fn pinged(&mut self, now: Time) {
        self.ping_at = None;
        self.pinged_at = Some(now.boot_ms);
    }

    /// It was answered: the round trip, in milliseconds.
    pub(super) fn pong(&mut self, now: Time) -> Option<u64> {
        Some(now.boot_ms.since(self.pinged_at.take()?))
    }

    /// When to send a ping.
    pub(super) fn ping_at(&self) -> Option<BootMs> {
        self.ping_at
    }

    /// Whether to send a ping now.
    pub(super) fn is_due(&self, now: Time) -> bool {
        self.ping_at.is_some_and(|at| now.boot_ms >= at)
    }
}
