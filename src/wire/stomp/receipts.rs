//! [`Receipts`]: messages that were sent and have no receipt yet. A receipt is the confirmation of delivery. Where a server
//! never sends one, its messages count as sent, unconfirmed.
//!
//! Brokers answer with a receipt whatever asks for one. A server may instead hand some destinations to its own program, which
//! sends none (Spring's `/app`), or be a broker that does not know receipts (Spring's simple broker).

use std::collections::{BTreeSet, VecDeque};

use crate::model::MessageId;
use crate::model::time::BootMs;

/// A message without a receipt for this long is unconfirmed if its destination has never had one, in milliseconds.
pub const RECEIPT_MS: u64 = 5_000;
/// Maximum number of destinations whose behavior is remembered.
const MAX_DESTINATIONS: usize = 1_024;
/// What the destinations of brokers begin with; these are never handed to another program.
const OF_BROKERS: [&str; 8] =
    ["/topic/", "/queue/", "/exchange/", "/amq/queue/", "/temp-queue/", "/reply-queue/", "jms.", "/dsub/"];

/// A message under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// The message.
    pub id: MessageId,
    /// Where it went.
    pub destination: String,
    /// When, as boot time in milliseconds.
    at: BootMs,
}

/// Messages under way, the oldest first.
#[derive(Debug, Default)]
pub struct Receipts {
    sent: VecDeque<Sent>,
    /// Whether the server has answered anything with a receipt.
    is_answering: bool,
    /// Destinations from which a receipt came, and from which none comes.
    with: BTreeSet<String>,
    without: BTreeSet<String>,
}

impl Receipts {
    /// A server that is known from earlier: none of these destinations sends receipts.
    pub fn knowing(without: BTreeSet<String>) -> Receipts {
        Receipts { without, ..Receipts::default() }
    }

    /// The destinations that send no receipts.
    pub fn without(&self) -> &BTreeSet<String> {
        &self.without
    }

    /// A message was sent.
    pub fn sent(&mut self, id: MessageId, destination: String, at: BootMs) {
        self.sent.push_back(Sent { id, destination, at });
    }

    /// The messages under way, the oldest first.
    pub fn under_way(&self) -> impl ExactSizeIterator<Item = &Sent> {
        self.sent.iter()
    }

    /// The server answered something else than a message with a receipt.
    pub fn server_answers(&mut self) {
        self.is_answering = true;
    }

    /// The receipt of a message came. Returns whether it was under way.
    pub fn received(&mut self, id: MessageId) -> bool {
        self.is_answering = true;
        let Some(at) = self.sent.iter().position(|sent| sent.id == id) else { return false };
        if let Some(sent) = self.sent.remove(at) {
            self.without.remove(&sent.destination);
            remember(&mut self.with, sent.destination);
        }
        true
    }

    /// The message is no longer waited for.
    pub fn forget(&mut self, id: MessageId) {
        self.sent.retain(|sent| sent.id != id);
    }

    /// Whether a receipt must come from this destination: without one, the message is sent again.
    pub fn is_expected(&self, destination: &str) -> bool {
        let is_brokers = OF_BROKERS.iter().any(|prefix| destination.starts_with(prefix));
        self.with.contains(destination) || (self.is_answering && is_brokers)
    }

    /// When [`Receipts::take_unconfirmed`] may have something, as boot time in milliseconds.
    pub fn deadline(&self) -> Option<BootMs> {
        let is_doubtful = |sent: &&Sent| !self.is_expected(&sent.destination);
        self.sent.iter().find(is_doubtful).map(|sent| self.due(sent))
    }

    fn due(&self, sent: &Sent) -> BootMs {
        let is_known = self.without.contains(&sent.destination);
        sent.at.saturating_add(if is_known { 0 } else { RECEIPT_MS })
    }

    /// Messages whose receipt will not come. `heard_at`: when the server last sent something, so that it may have received
    /// what was sent before.
    pub fn take_unconfirmed(&mut self, now: BootMs, heard_at: BootMs) -> Vec<MessageId> {
        let mut ids = Vec::new();
        for sent in std::mem::take(&mut self.sent) {
            let is_due = !self.is_expected(&sent.destination) && now >= self.due(&sent) && heard_at > sent.at;
            if is_due {
                ids.push(sent.id);
                remember(&mut self.without, sent.destination);
            } else {
                self.sent.push_back(sent);
            }
        }
        ids
    }

    /// Whether a message may be sent again over the next connection: its receipt would have come if it had arrived.
    pub fn may_resend(&self, id: MessageId) -> bool {
        let sent = self.sent.iter().find(|sent| sent.id == id);
        sent.is_none_or(|sent| !self.without.contains(&sent.destination))
    }
}

fn remember(known: &mut BTreeSet<String>, destination: String) {
    if known.len() < MAX_DESTINATIONS {
        known.insert(destination);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u8) -> MessageId {
        MessageId::from_random([n; 16])
    }

    #[test]
    fn a_broker_that_answers_is_waited_for() {
        let mut receipts = Receipts::default();
        receipts.server_answers();
        receipts.sent(id(1), "/queue/a".into(), BootMs(1_000));
        assert_eq!(
            (receipts.deadline(), receipts.take_unconfirmed(BootMs(99_000), BootMs(98_000))),
            (None, vec![])
        );
        assert!(receipts.may_resend(id(1)) && receipts.received(id(1)) && !receipts.received(id(1)));
    }

    #[test]
    fn a_destination_without_receipts_is_found_out_once() {
        let mut receipts = Receipts::default();
        receipts.server_answers();
        receipts.sent(id(1), "/app/chat".into(), BootMs(1_000));
        assert_eq!(receipts.deadline(), Some(BootMs(6_000)));
        assert_eq!(
            receipts.take_unconfirmed(BootMs(6_000), BootMs(900)),
            vec![],
            "the server said nothing since"
        );
        assert!(receipts.may_resend(id(1)));
        assert_eq!(receipts.take_unconfirmed(BootMs(6_000), BootMs(1_500)), vec![id(1)]);
        receipts.sent(id(2), "/app/chat".into(), BootMs(7_000));
        assert!(!receipts.may_resend(id(2)));
        assert_eq!(
            (receipts.deadline(), receipts.take_unconfirmed(BootMs(7_001), BootMs(7_001))),
            (Some(BootMs(7_000)), vec![id(2)])
        );
        // A receipt after all: a server that was slow.
        receipts.sent(id(3), "/app/chat".into(), BootMs(8_000));
        assert!(receipts.received(id(3)) && receipts.is_expected("/app/chat"));
        receipts.sent(id(4), "/app/chat".into(), BootMs(9_000));
        assert!(
            receipts.may_resend(id(4))
                && receipts.take_unconfirmed(BootMs(99_000), BootMs(98_000)).is_empty()
        );
    }
}
