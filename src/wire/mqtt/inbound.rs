//! [`Inbound`]: acknowledgements of what comes with QoS 1 and 2, in the order in which it came (MQTT 5 §4.6), each after what it
//! is about is on disk.

use std::collections::{BTreeSet, VecDeque};

use super::packet::AckKind;
use crate::model::publication::Qos;
use crate::wire::Mark;

/// A message that is not acknowledged.
#[derive(Debug)]
struct Waiting {
    id: u16,
    qos: Qos,
    /// It is acknowledged once this is on disk; `None`: nothing of it waits for the disk.
    mark: Option<Mark>,
}

/// What came on one connection.
#[derive(Debug, Default)]
pub(super) struct Inbound {
    waiting: VecDeque<Waiting>,
    /// Ids of QoS 2 that were taken and not released.
    taken: BTreeSet<u16>,
    committed: u64,
    next: u64,
}

impl Inbound {
    /// Begins with the ids of QoS 2 that were taken before.
    pub(super) fn new(taken: BTreeSet<u16>) -> Inbound {
        Inbound { taken, ..Inbound::default() }
    }

    /// A mark for what is to be on disk before it is acknowledged.
    pub(super) fn mark(&mut self) -> Mark {
        self.next += 1;
        Mark(self.next)
    }

    /// Whether a message with QoS 2 was taken before: it is only acknowledged again (MQTT-4.3.3-10).
    pub(super) fn is_taken(&self, id: u16) -> bool {
        self.taken.contains(&id)
    }

    /// A message came.
    pub(super) fn received(&mut self, id: u16, qos: Qos, mark: Option<Mark>) {
        if qos == Qos::ExactlyOnce {
            self.taken.insert(id);
        }
        self.waiting.push_back(Waiting { id, qos, mark });
    }

    /// This mark and all before it are on disk.
    pub(super) fn committed(&mut self, mark: Mark) {
        self.committed = self.committed.max(mark.0);
    }

    /// The server released an id of QoS 2.
    pub(super) fn released(&mut self, id: u16) {
        self.taken.remove(&id);
    }

    /// The next acknowledgement that may be sent.
    pub(super) fn next_ack(&mut self) -> Option<(AckKind, u16)> {
        let committed = self.committed;
        let first = self.waiting.front()?;
        if first.mark.is_some_and(|mark| mark.0 > committed) {
            return None;
        }
        let Waiting { id, qos, .. } = self.waiting.pop_front()?;
        Some((if qos == Qos::ExactlyOnce { AckKind::Pubrec } else { AckKind::Puback }, id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acknowledgements_keep_the_order_and_wait_for_the_disk() {
        let mut inbound = Inbound::default();
        let (first, second) = (inbound.mark(), inbound.mark());
        inbound.received(7, Qos::AtLeastOnce, Some(first));
        inbound.received(8, Qos::AtLeastOnce, None);
        inbound.received(9, Qos::ExactlyOnce, Some(second));
        assert_eq!(inbound.next_ack(), None);
        inbound.committed(first);
        assert_eq!(inbound.next_ack(), Some((AckKind::Puback, 7)));
        assert_eq!(inbound.next_ack(), Some((AckKind::Puback, 8)));
        assert_eq!(inbound.next_ack(), None);
        assert!(inbound.is_taken(9) && !inbound.is_taken(7));
        inbound.committed(second);
        assert_eq!(inbound.next_ack(), Some((AckKind::Pubrec, 9)));
        inbound.released(9);
        assert!(!inbound.is_taken(9));
    }
}
