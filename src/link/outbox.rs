//! [`Outbox`]: what one connection still has to deliver, in order, and how much of it may be under way.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::model::event::Follows;
use crate::model::{Delivery, MessageId, Offset, OutboxItem, Refusal, RoomId};

/// Maximum number of messages sent and not yet acknowledged.
pub const WINDOW: usize = 32;

/// State of an item in this connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Not sent over this connection.
    Waiting,
    /// Being marked as attempted on disk.
    Marking,
    /// Sent; the answer is outstanding.
    InFlight,
    /// Handed to the operating system, for a server that confirms nothing; removed once the server has sent something.
    Sent,
    /// Nobody knows whether it arrived; the person decides.
    Unsure,
    /// Acknowledged; removed when it comes back as an entry of the log.
    Acknowledged,
    /// Acknowledged over an earlier connection. Until the replay has shown whether the hub still has it, nothing is
    /// sent: a hub restored from a backup may have lost it, and then it must be sent first.
    Unconfirmed,
    /// Refused; the person decides.
    Refused,
    /// Being replaced on disk: nothing overtakes it.
    Edited,
}

/// Items by `seq`.
#[derive(Debug, Default)]
pub struct Outbox {
    items: BTreeMap<u64, (OutboxItem, Stage)>,
    /// Items sent to a socket only once, over this connection. A hub that refuses one has not stored it.
    tried_once: BTreeSet<MessageId>,
    /// Items that may have been sent to a socket before that.
    tried_before: BTreeSet<MessageId>,
    /// Items that came back before their answer, newest last; the answer may still come.
    unanswered: VecDeque<MessageId>,
}

/// Maximum number of items whose answers may come after their entries.
const MAX_UNANSWERED: usize = 2 * WINDOW;

/// What to do next for the outbox.
#[derive(Debug, Default, PartialEq)]
pub struct Batch {
    /// Send these, in this order.
    pub send: Vec<OutboxItem>,
    /// Mark these as attempted on disk, then continue.
    pub mark: Vec<MessageId>,
}

impl Outbox {
    /// Adds an item that an earlier run of the program left.
    pub fn restore(&mut self, item: OutboxItem) {
        if item.delivery == Delivery::Attempted {
            self.tried_before.insert(item.draft.id);
        }
        self.push(item);
    }

    /// Adds an item. The room that it was typed into may have been refused while the disk was writing it.
    pub fn push(&mut self, mut item: OutboxItem) {
        if item.makes().is_none()
            && item.delivery == Delivery::Pending
            && let Some(refusal) = self.refusal_of_room(&item.draft.room)
        {
            item.delivery = Delivery::Failed(refusal.clone());
        }
        let stage = match item.delivery {
            Delivery::Pending | Delivery::Attempted => Stage::Waiting,
            Delivery::Acknowledged { .. } => Stage::Unconfirmed,
            // The caller decides whether it is sent again.
            Delivery::Sent | Delivery::Unsure => Stage::Unsure,
            Delivery::Failed(_) => Stage::Refused,
        };
        self.items.insert(item.seq, (item, stage));
    }

    /// Whether an item added now would be sent at once, so that it can be stored as attempted in the first place.
    pub fn is_clear(&self) -> bool {
        let mut under_way = 0;
        for (_, stage) in self.items.values() {
            match stage {
                Stage::Waiting | Stage::Marking | Stage::Unconfirmed | Stage::Edited => return false,
                Stage::InFlight | Stage::Sent => under_way += 1,
                Stage::Acknowledged | Stage::Refused | Stage::Unsure => {}
            }
        }
        under_way < WINDOW
    }

    /// What may be sent or marked now. Order is kept: nothing overtakes an item that is being marked.
    pub fn turn(&mut self) -> Batch {
        let mut turn = Batch::default();
        if self.items.values().any(|(_, stage)| *stage == Stage::Unconfirmed) {
            return turn;
        }
        let mut room = WINDOW.saturating_sub(self.under_way());
        // Items are marked by the half window: marking one per acknowledgement would cost a commit per message.
        let may_mark = room >= WINDOW / 2;
        let unmade = self.unmade();
        for (item, stage) in self.items.values_mut() {
            let maker = unmade.get(&item.draft.room).filter(|_| item.makes().is_none());
            match (*stage, &item.delivery) {
                // An item typed into a room waits until the room has been made, and so does everything behind it,
                // unless the item that makes the room is among it.
                (Stage::Waiting, _) if maker.is_some_and(|seq| *seq > item.seq) => {}
                (Stage::Waiting, _) if maker.is_some() => break,
                (
                    Stage::InFlight
                    | Stage::Sent
                    | Stage::Unsure
                    | Stage::Acknowledged
                    | Stage::Unconfirmed
                    | Stage::Refused,
                    _,
                ) => {}
                _ if room == 0 => break,
                (Stage::Marking | Stage::Edited, _) => break,
                (Stage::Waiting, Delivery::Attempted) if turn.mark.is_empty() => {
                    *stage = Stage::InFlight;
                    if !self.tried_before.contains(&item.draft.id) && !self.tried_once.insert(item.draft.id) {
                        self.tried_before.insert(item.draft.id);
                        self.tried_once.remove(&item.draft.id);
                    }
                    turn.send.push(item.clone());
                    room -= 1;
                }
                (Stage::Waiting, Delivery::Attempted) => break,
                (Stage::Waiting, _) if !may_mark => break,
                (Stage::Waiting, _) => {
                    *stage = Stage::Marking;
                    turn.mark.push(item.draft.id);
                    room -= 1;
                }
            }
        }
        turn
    }

    /// These were sent, and nothing will confirm them.
    pub fn sent(&mut self, ids: &[MessageId]) {
        for (item, stage) in self.items.values_mut().filter(|(item, _)| ids.contains(&item.draft.id)) {
            if *stage == Stage::InFlight {
                (*stage, item.delivery) = (Stage::Sent, Delivery::Sent);
            }
        }
    }

    /// Nobody will know whether these arrived; the person decides.
    pub fn unsure(&mut self, ids: &[MessageId]) {
        for (item, stage) in self.items.values_mut().filter(|(item, _)| ids.contains(&item.draft.id)) {
            (*stage, item.delivery) = (Stage::Unsure, Delivery::Unsure);
        }
    }

    /// Items that may be under way and have no answer.
    pub fn under_way_ids(&self) -> Vec<MessageId> {
        let under_way = |stage: &Stage| matches!(stage, Stage::InFlight | Stage::Sent);
        self.items.values().filter(|(_, stage)| under_way(stage)).map(|(item, _)| item.draft.id).collect()
    }

    /// These are marked as attempted on disk.
    pub fn marked(&mut self, ids: &[MessageId]) {
        for (item, stage) in self.items.values_mut().filter(|(item, _)| ids.contains(&item.draft.id)) {
            item.delivery = Delivery::Attempted;
            if *stage == Stage::Marking {
                *stage = Stage::Waiting;
            }
        }
    }

    /// Whether an answer to this item may come: it is in the outbox, or came back before its answer.
    pub fn expects(&self, id: MessageId) -> bool {
        self.unanswered.contains(&id) || self.items.values().any(|(item, _)| item.draft.id == id)
    }

    /// The hub has stored it.
    pub fn acknowledged(&mut self, id: MessageId, delivery: Delivery) {
        self.unanswered.retain(|known| *known != id);
        if let Some((item, stage)) = self.get(id) {
            *stage = Stage::Acknowledged;
            item.deliver(delivery);
        }
    }

    /// Removes an item: it came back as an entry.
    pub fn remove(&mut self, id: MessageId) {
        let in_flight = |(item, stage): &(OutboxItem, Stage)| {
            item.draft.id == id && matches!(stage, Stage::InFlight | Stage::Sent)
        };
        if self.items.values().any(in_flight) {
            self.unanswered.drain(..(self.unanswered.len() + 1).saturating_sub(MAX_UNANSWERED));
            self.unanswered.push_back(id);
        }
        self.items.retain(|_, (item, _)| item.draft.id != id);
        self.tried_once.remove(&id);
        self.tried_before.remove(&id);
    }

    /// The hub refused it; the person decides. Items typed into a room are refused with the room.
    pub fn refused(&mut self, id: MessageId, refusal: &Refusal) {
        let Some((item, stage)) = self.get(id) else { return };
        *stage = Stage::Refused;
        item.delivery = Delivery::Failed(refusal.clone());
        if let Some(room) = item.makes().cloned() {
            for id in self.typed_into(&room) {
                self.refused(id, refusal);
            }
        }
    }

    /// The hub will accept it later: it keeps its place. Returns whether the hub cannot have it; `None` if it was not
    /// under way.
    pub fn postponed(&mut self, id: MessageId) -> Option<bool> {
        let unseen = self.tried_once.contains(&id);
        let (item, stage) = self.get(id).filter(|(_, stage)| *stage == Stage::InFlight)?;
        *stage = Stage::Waiting;
        if unseen {
            item.delivery = Delivery::Pending;
            self.tried_once.remove(&id);
        }
        Some(unseen)
    }

    /// Rooms that the hub has not acknowledged, each with the `seq` of the item that makes it.
    fn unmade(&self) -> BTreeMap<RoomId, u64> {
        let is_open = |stage: &Stage| !matches!(stage, Stage::Acknowledged | Stage::Refused);
        let open = self.items.values().filter(|(_, stage)| is_open(stage));
        open.filter_map(|(item, _)| Some((item.makes()?.clone(), item.seq))).collect()
    }

    /// Whether a room still has to be made.
    pub fn is_unmade(&self, room: &RoomId) -> bool {
        self.items.values().any(|(item, stage)| {
            item.makes() == Some(room) && !matches!(stage, Stage::Acknowledged | Stage::Refused)
        })
    }

    /// Why a room was not made.
    pub fn refusal_of_room(&self, room: &RoomId) -> Option<&Refusal> {
        self.items.values().find_map(|(item, _)| match &item.delivery {
            Delivery::Failed(refusal) if item.makes() == Some(room) => Some(refusal),
            _ => None,
        })
    }

    /// Items to send again together with a refused one: those typed into a room follow the one that makes it.
    pub fn to_send_again(&self, id: MessageId) -> Vec<MessageId> {
        let room =
            self.items.values().find(|(item, _)| item.draft.id == id).map(|(item, _)| &item.draft.room);
        let maker = room.and_then(|room| {
            let mut items = self.items.values().map(|(item, _)| item);
            items.find(|item| item.makes() == Some(room) && matches!(item.delivery, Delivery::Failed(_)))
        });
        match maker {
            Some(maker) => [vec![maker.draft.id], self.typed_into(&maker.draft.room)].concat(),
            None => vec![id],
        }
    }

    /// The item that makes a room is given up, so items typed into the room cannot be sent. Returns those refused by
    /// this.
    pub fn strand(&mut self, room: &RoomId) -> Vec<MessageId> {
        let mut typed = self.typed_into(room);
        typed.retain(|id| self.get(*id).is_some_and(|(_, stage)| *stage != Stage::Refused));
        typed.iter().for_each(|id| self.refused(*id, &Refusal::NoSuchRoom));
        typed
    }

    /// Items typed into a room, in order, except those that the hub has acknowledged.
    fn typed_into(&self, room: &RoomId) -> Vec<MessageId> {
        let is_in = |item: &OutboxItem| item.makes().is_none() && item.draft.room == *room;
        let is_open = |item: &OutboxItem| !matches!(item.delivery, Delivery::Acknowledged { .. });
        let items = self.items.values().filter(|(item, _)| is_in(item) && is_open(item));
        items.map(|(item, _)| item.draft.id).collect()
    }

    /// Removes an item that needs nothing more. Items of a room that exists under another id move to that room.
    pub fn done(&mut self, id: MessageId, follows: &Follows) {
        self.unanswered.retain(|known| *known != id);
        let unmade = self.items.values().find(|(item, _)| item.draft.id == id);
        let unmade = unmade.and_then(|(item, _)| item.makes().cloned());
        self.items.retain(|_, (item, _)| item.draft.id != id);
        self.tried_once.remove(&id);
        self.tried_before.remove(&id);
        if let (Some(unmade), Follows::OtherRoom(to)) = (unmade, follows) {
            let typed = self.items.values_mut().filter(|(item, _)| item.draft.room == unmade);
            typed.for_each(|(item, _)| item.draft.room = to.clone());
        }
    }

    /// Whether an item keeps its place if the hub refuses it for a while. A room must not delay everything else for as
    /// long as a quota takes.
    pub fn postpones(&self, id: MessageId, refusal: &Refusal) -> bool {
        let known = self.items.values().find(|(item, _)| item.draft.id == id);
        known.is_some_and(|(item, _)| item.makes().is_none() || !matches!(refusal, Refusal::Quota { .. }))
    }

    /// Whether this item makes a room.
    pub fn is_room(&self, id: MessageId) -> bool {
        self.items.values().any(|(item, _)| item.draft.id == id && item.makes().is_some())
    }

    /// Whether it contains this item.
    pub fn holds(&self, id: MessageId) -> bool {
        self.items.values().any(|(item, _)| item.draft.id == id)
    }

    /// Takes out an item that the hub cannot have seen, or has refused. `None` if the hub may have it, or there is no
    /// such item.
    pub fn take_back(&mut self, id: MessageId) -> Option<OutboxItem> {
        let (item, stage) = self.get(id)?;
        let unseen = *stage == Stage::Waiting && item.delivery == Delivery::Pending;
        let is_left_to_the_person = matches!(*stage, Stage::Refused | Stage::Unsure);
        let item = (unseen || is_left_to_the_person).then(|| item.clone());
        if item.is_some() {
            self.remove(id);
        }
        item
    }

    /// Keeps the place of an item that was taken out, until another with the same `seq` is added.
    pub fn keep_place(&mut self, item: OutboxItem) {
        self.items.insert(item.seq, (item, Stage::Edited));
    }

    /// Whether any item waits for its answer.
    pub fn is_in_flight(&self) -> bool {
        self.items.values().any(|(_, stage)| *stage == Stage::InFlight)
    }

    /// The connection is gone: items without an answer are sent again over the next one.
    pub fn disconnected(&mut self) {
        self.unanswered.clear();
        for (_, stage) in self.items.values_mut() {
            match stage {
                Stage::InFlight | Stage::Marking => *stage = Stage::Waiting,
                Stage::Acknowledged => *stage = Stage::Unconfirmed,
                Stage::Sent => *stage = Stage::Unsure,
                Stage::Waiting | Stage::Unconfirmed | Stage::Refused | Stage::Unsure | Stage::Edited => {}
            }
        }
    }

    /// The hub's log ends at `head`: items acknowledged for an offset beyond that are sent again.
    pub fn welcomed(&mut self, head: Offset) {
        for (item, stage) in self.items.values_mut() {
            if item.beyond(head) {
                *stage = Stage::Waiting;
            }
        }
    }

    /// The log was received up to `offset`: items acknowledged for an offset up to there that did not come back are
    /// sent again.
    pub fn passed_by(&mut self, offset: Offset) {
        for (item, stage) in self.items.values_mut() {
            if item.passed_by(offset) {
                *stage = Stage::Waiting;
            }
        }
    }

    /// Whether it is empty.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    fn under_way(&self) -> usize {
        self.items
            .values()
            .filter(|(_, stage)| matches!(stage, Stage::InFlight | Stage::Sent | Stage::Marking))
            .count()
    }

    fn get(&mut self, id: MessageId) -> Option<&mut (OutboxItem, Stage)> {
        self.items.values_mut().find(|(item, _)| item.draft.id == id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::WallMs;
    use crate::model::{Content, Draft, RoomName};

    fn id(number: u128) -> MessageId {
        MessageId::from_random(number.to_be_bytes())
    }

    fn item(seq: u64, content: Content) -> OutboxItem {
        let draft = Draft { id: id(seq.into()), room: id(0).into(), content, at: WallMs(0) };
        OutboxItem { draft, seq, delivery: Delivery::Pending }
    }

    fn maker(seq: u64) -> OutboxItem {
        item(seq, Content::room(RoomName::new("attic").unwrap()))
    }

    fn typed(seq: u64) -> OutboxItem {
        item(seq, Content::text("the first".to_owned()))
    }

    fn marked(outbox: &mut Outbox) -> Vec<MessageId> {
        outbox.turn().mark
    }

    #[test]
    fn what_was_typed_into_a_room_is_refused_with_it_though_the_disk_was_still_writing_it() {
        let mut outbox = Outbox::default();
        outbox.push(maker(1));
        let (maker, typed) = (maker(1).draft.id, typed(2));
        outbox.refused(maker, &Refusal::NotAllowed);
        outbox.push(typed.clone());
        assert_eq!(marked(&mut outbox), []);
        assert_eq!(outbox.to_send_again(maker), [maker, typed.draft.id]);
    }

    #[test]
    fn what_makes_a_room_is_sent_though_something_for_the_room_is_before_it() {
        let mut outbox = Outbox::default();
        let (typed, maker) = (typed(1), maker(2));
        outbox.push(typed.clone());
        outbox.push(maker.clone());
        assert_eq!(marked(&mut outbox), [maker.draft.id]);
        outbox.done(maker.draft.id, &Follows::Nothing);
        assert_eq!(marked(&mut outbox), [typed.draft.id]);
    }
}
