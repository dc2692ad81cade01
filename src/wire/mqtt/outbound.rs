//! [`Outbound`]: what is sent with QoS 1 and 2 until the server has it, and the packet ids that this takes.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

use super::encode::Outgoing;
use super::packet::AckKind;
use crate::model::MessageId;
use crate::model::publication::Qos;

/// Maximum number of messages that wait because the server takes no more at a time.
pub(super) const MAX_WAITING: usize = 1_024;
/// Maximum number of messages under way, also where the server takes more.
const MAX_UNDER_WAY: u16 = 64;

/// What a message is about.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Of {
    /// A message of the chat.
    Chat(MessageId),
    /// A command to a device.
    Command(MessageId),
    /// Something that nothing waits for: presence, or what a mapping answers.
    Nothing,
    /// Something that a person published, by the number of the request.
    Request(u64),
}

/// How far a message with QoS 2 has come. It outlives the connection, so that none is sent twice.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Twice {
    /// Of the chat: which; `None`: nothing waits for it any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) message: Option<MessageId>,
    /// Whether the server has it, and the id is about to be released.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) is_released: bool,
}

/// All with QoS 2 that is under way, by packet id.
pub(super) type TwiceById = BTreeMap<u16, Twice>;

#[derive(Debug)]
struct UnderWay {
    of: Of,
    qos: Qos,
}

/// What to do after an acknowledgement.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum After {
    /// It was not expected.
    Nothing,
    /// Send `PUBREL`.
    Release,
    /// The server has it.
    Done(Of),
    /// The server does not take it.
    Refused(Of),
}

/// What is to be sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Send `PUBLISH`.
    Publish {
        /// The packet id.
        id: u16,
        /// What.
        message: Outgoing,
        /// Whether it was sent before.
        is_repeated: bool,
    },
    /// Send `PUBREL`.
    Release(u16),
}

/// What is under way to the server.
#[derive(Debug)]
pub(super) struct Outbound {
    next_id: u16,
    under_way: BTreeMap<u16, UnderWay>,
    waiting: VecDeque<(Of, Outgoing)>,
    /// What outlives the connection.
    twice: TwiceById,
    /// Ids of `SUBSCRIBE` and `UNSUBSCRIBE` without an answer.
    others: Vec<u16>,
    window: usize,
}

impl Outbound {
    /// Begins with what was under way before.
    pub(super) fn new(twice: TwiceById) -> Outbound {
        Outbound {
            next_id: 1,
            under_way: BTreeMap::new(),
            waiting: VecDeque::new(),
            twice,
            others: Vec::new(),
            window: MAX_UNDER_WAY.into(),
        }
    }

    /// The server takes so many at a time.
    pub(super) fn set_window(&mut self, receive_maximum: u16) {
        self.window = receive_maximum.clamp(1, MAX_UNDER_WAY).into();
    }

    /// With QoS 2: what outlives the connection.
    pub(super) fn twice(&self) -> &TwiceById {
        &self.twice
    }

    /// The server knows nothing of earlier messages.
    pub(super) fn forget(&mut self) {
        self.twice.clear();
    }

    /// Messages of QoS 2 that nothing waits for: their ids are to be released before they can be used again.
    pub(super) fn release_left(&mut self) -> Vec<u16> {
        let left = self.twice.iter_mut().filter(|(_, twice)| twice.message.is_none());
        let mut ids = Vec::new();
        for (id, twice) in left {
            twice.is_released = true;
            ids.push(*id);
        }
        for id in &ids {
            self.under_way.insert(*id, UnderWay { of: Of::Nothing, qos: Qos::ExactlyOnce });
        }
        ids
    }

    /// A packet id for `SUBSCRIBE` or `UNSUBSCRIBE`.
    pub(super) fn other_id(&mut self) -> Option<u16> {
        let id = self.free_id()?;
        self.others.push(id);
        Some(id)
    }

    /// It was answered.
    pub(super) fn other_done(&mut self, id: u16) {
        self.others.retain(|other| *other != id);
    }

    fn free_id(&mut self) -> Option<u16> {
        for _ in 0..u16::MAX {
            let id = self.next_id;
            self.next_id = self.next_id.checked_add(1).unwrap_or(1);
            let is_used =
                self.under_way.contains_key(&id) || self.twice.contains_key(&id) || self.others.contains(&id);
            if !is_used {
                return Some(id);
            }
        }
        None
    }

    /// Queues a message with QoS 1 or 2. Returns `false` if there are too many.
    pub(super) fn queue(&mut self, of: Of, message: Outgoing) -> bool {
        let is_known = |(known, _): &(Of, Outgoing)| matches!(of, Of::Chat(_)) && *known == of;
        let is_under_way = |sent: &UnderWay| matches!(of, Of::Chat(_)) && sent.of == of;
        if self.waiting.iter().any(is_known) || self.under_way.values().any(is_under_way) {
            return true;
        }
        if self.waiting.len() >= MAX_WAITING {
            return false;
        }
        self.waiting.push_back((of, message));
        true
    }

    /// The next that may be sent; with QoS 2, [`Outbound::twice`] is to be on disk before.
    pub(super) fn next(&mut self) -> Option<Next> {
        if self.under_way.len() >= self.window {
            return None;
        }
        let (of, message) = self.waiting.pop_front()?;
        let qos = message.qos;
        if let Of::Chat(message_id) = of
            && let Some((id, twice)) = self.twice.iter().find(|(_, twice)| twice.message == Some(message_id))
        {
            let (id, is_released) = (*id, twice.is_released);
            self.under_way.insert(id, UnderWay { of, qos: Qos::ExactlyOnce });
            let qos = Qos::ExactlyOnce;
            return Some(match is_released {
                true => Next::Release(id),
                false => Next::Publish { id, message: Outgoing { qos, ..message }, is_repeated: true },
            });
        }
        let Some(id) = self.free_id() else {
            self.waiting.push_front((of, message));
            return None;
        };
        if qos == Qos::ExactlyOnce {
            let message = if let Of::Chat(id) = of { Some(id) } else { None };
            self.twice.insert(id, Twice { message, is_released: false });
        }
        self.under_way.insert(id, UnderWay { of, qos });
        Some(Next::Publish { id, message, is_repeated: false })
    }

    /// A message came back, so that the server has it: nothing waits for its acknowledgement any more.
    pub(super) fn came_back(&mut self, message: MessageId) {
        for twice in self.twice.values_mut().filter(|twice| twice.message == Some(message)) {
            twice.message = None;
        }
    }

    /// The server answered. With QoS 2, [`Outbound::twice`] may have changed.
    pub(super) fn acked(&mut self, kind: AckKind, id: u16, code: u8) -> After {
        let qos = self.under_way.get(&id).map(|sent| sent.qos);
        let is_released = self.twice.get(&id).is_some_and(|twice| twice.is_released);
        match (kind, qos) {
            // RabbitMQ takes QoS 2 as 1, and says so by answering as to 1.
            (AckKind::Puback, Some(_)) => self.done(id, code),
            (AckKind::Pubrec, Some(Qos::ExactlyOnce)) if code >= 0x80 => self.done(id, code),
            (AckKind::Pubrec, Some(Qos::ExactlyOnce)) => {
                if let Some(twice) = self.twice.get_mut(&id) {
                    twice.is_released = true;
                }
                After::Release
            }
            (AckKind::Pubcomp, Some(Qos::ExactlyOnce)) if is_released => self.done(id, 0),
            _ => After::Nothing,
        }
    }

    fn done(&mut self, id: u16, code: u8) -> After {
        self.twice.remove(&id);
        match self.under_way.remove(&id) {
            Some(sent) if code >= 0x80 => After::Refused(sent.of),
            Some(sent) => After::Done(sent.of),
            None => After::Nothing,
        }
    }

    /// A message cannot be sent after all.
    pub(super) fn give_up(&mut self, id: u16) -> Option<Of> {
        self.twice.remove(&id);
        self.under_way.remove(&id).map(|sent| sent.of)
    }

    /// Number of messages under way or waiting.
    pub(super) fn load(&self) -> usize {
        self.under_way.len() + self.waiting.len()
    }

    /// What was under way or waited, of which nobody knows whether the server has it.
    pub(super) fn left(&self) -> impl Iterator<Item = Of> {
        let waiting = self.waiting.iter().map(|(of, _)| *of);
        self.under_way.values().map(|sent| sent.of).chain(waiting)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(qos: Qos) -> Outgoing {
        Outgoing { topic: "t".into(), qos, ..Outgoing::default() }
    }

    fn id(n: u8) -> MessageId {
        MessageId::from_random([n; 16])
    }

    #[test]
    fn a_message_with_qos_1_is_done_with_its_acknowledgement() {
        let mut outbound = Outbound::new(TwiceById::new());
        outbound.set_window(1);
        assert!(outbound.queue(Of::Chat(id(1)), message(Qos::AtLeastOnce)));
        assert!(outbound.queue(Of::Chat(id(2)), message(Qos::AtLeastOnce)));
        assert!(matches!(outbound.next(), Some(Next::Publish { id: 1, is_repeated: false, .. })));
        assert_eq!(outbound.next(), None, "the server takes one at a time");
        assert_eq!(outbound.acked(AckKind::Pubcomp, 1, 0), After::Nothing);
        assert_eq!(outbound.acked(AckKind::Puback, 1, 0), After::Done(Of::Chat(id(1))));
        assert_eq!(outbound.acked(AckKind::Puback, 1, 0), After::Nothing);
        assert!(matches!(outbound.next(), Some(Next::Publish { id: 2, .. })));
        assert_eq!(outbound.acked(AckKind::Puback, 2, 0x87), After::Refused(Of::Chat(id(2))));
    }

    #[test]
    fn a_message_with_qos_2_keeps_its_packet_id_over_connections() {
        let mut outbound = Outbound::new(TwiceById::new());
        outbound.queue(Of::Chat(id(1)), message(Qos::ExactlyOnce));
        outbound.queue(Of::Nothing, message(Qos::ExactlyOnce));
        assert!(matches!(outbound.next(), Some(Next::Publish { id: 1, .. })));
        assert!(matches!(outbound.next(), Some(Next::Publish { id: 2, .. })));
        // The connection is lost before the answer: the same id again.
        let mut outbound = Outbound::new(outbound.twice().clone());
        assert_eq!(outbound.release_left(), [2]);
        assert_eq!(outbound.acked(AckKind::Pubcomp, 2, 0), After::Done(Of::Nothing));
        outbound.queue(Of::Chat(id(1)), message(Qos::ExactlyOnce));
        assert!(matches!(outbound.next(), Some(Next::Publish { id: 1, is_repeated: true, .. })));
        assert_eq!(outbound.acked(AckKind::Pubrec, 1, 0), After::Release);
        // And before the id is released: only that is left to do.
        let mut outbound = Outbound::new(outbound.twice().clone());
        outbound.queue(Of::Chat(id(1)), message(Qos::ExactlyOnce));
        assert_eq!(outbound.next(), Some(Next::Release(1)));
        assert_eq!(outbound.acked(AckKind::Pubcomp, 1, 0), After::Done(Of::Chat(id(1))));
        assert!(outbound.twice().is_empty());
    }

    #[test]
    fn a_server_may_take_qos_2_as_1() {
        let mut outbound = Outbound::new(TwiceById::new());
        outbound.queue(Of::Chat(id(1)), message(Qos::ExactlyOnce));
        assert!(matches!(outbound.next(), Some(Next::Publish { id: 1, .. })));
        assert_eq!(outbound.acked(AckKind::Puback, 1, 0), After::Done(Of::Chat(id(1))));
        assert!(outbound.twice().is_empty());
    }

    #[test]
    fn ids_in_use_are_not_given_again() {
        let mut outbound =
            Outbound::new(TwiceById::from([(1, Twice { message: Some(id(9)), is_released: false })]));
        assert_eq!(outbound.other_id(), Some(2));
        outbound.queue(Of::Nothing, message(Qos::AtLeastOnce));
        assert!(matches!(outbound.next(), Some(Next::Publish { id: 3, .. })));
        outbound.next_id = u16::MAX;
        assert_eq!((outbound.other_id(), outbound.other_id()), (Some(u16::MAX), Some(4)));
        outbound.other_done(2);
        outbound.next_id = 1;
        assert_eq!(outbound.other_id(), Some(2));
    }
}
