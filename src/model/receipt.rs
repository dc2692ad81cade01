//! [`Receipts`]: what others let one know that they have seen, in the rooms that were looked at last. Each of them tells one
//! stretch of a room's messages, so that nobody counts as having read what they passed over.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

use super::id::{Offset, PrincipalId, RoomId};

/// Maximum number of rooms of one connection of which receipts are known: those that were looked at last.
pub const MAX_RECEIPT_ROOMS: usize = 16;
/// Maximum number of people of one room whose receipts are known.
pub const MAX_RECEIPTS: usize = 200;

/// Somebody has seen every message of a room from one offset to another, and lets others know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Who.
    pub id: PrincipalId,
    /// The first message seen.
    pub first: Offset,
    /// The last one.
    pub last: Offset,
}

/// The first and the last message that each person has seen.
type ByPerson = BTreeMap<PrincipalId, (Offset, Offset)>;

/// Receipts by room and person, for offsets of the current log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Receipts {
    /// The room that was told of last is the last one.
    rooms: VecDeque<(RoomId, ByPerson)>,
}

impl Receipts {
    /// Takes in what the server says of a room. `all`: instead of what was known.
    pub fn take(&mut self, room: RoomId, by: Vec<Receipt>, all: bool) {
        let known = self.rooms.iter().position(|(known, _)| *known == room);
        let mut people = match known.and_then(|at| self.rooms.remove(at)) {
            Some((_, people)) if !all => people,
            _ => BTreeMap::new(),
        };
        for Receipt { id, first, last } in by.into_iter().filter(|receipt| receipt.first <= receipt.last) {
            if people.len() < MAX_RECEIPTS || people.contains_key(&id) {
                people.insert(id, (first, last));
            }
        }
        if self.rooms.len() == MAX_RECEIPT_ROOMS {
            self.rooms.pop_front();
        }
        self.rooms.push_back((room, people));
    }

    /// Somebody is nobody at this server any more.
    pub fn forget(&mut self, who: &PrincipalId) {
        self.rooms.iter_mut().for_each(|(_, people)| _ = people.remove(who));
    }

    /// The room is not for the person any more.
    pub fn forget_room(&mut self, room: &RoomId) {
        self.rooms.retain(|(known, _)| known != room);
    }

    /// The log was restarted, with other offsets.
    pub fn clear(&mut self) {
        self.rooms.clear();
    }

    /// The last offset of a room that anybody has seen.
    pub fn last(&self, room: &RoomId) -> Option<Offset> {
        self.of(room)?.values().map(|(_, last)| *last).max()
    }

    /// Who has seen the message of a room at an offset.
    pub fn readers<'a>(
        &'a self,
        room: &RoomId,
        at: Offset,
    ) -> impl Iterator<Item = &'a PrincipalId> + use<'a> {
        let has_seen =
            move |(_, (first, last)): &(&PrincipalId, &(Offset, Offset))| *first <= at && at <= *last;
        self.of(room).into_iter().flatten().filter(has_seen).map(|(who, _)| who)
    }

    fn of(&self, room: &RoomId) -> Option<&ByPerson> {
        self.rooms.iter().find(|(known, _)| known == room).map(|(_, people)| people)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(name: &str) -> RoomId {
        RoomId::new(name).unwrap()
    }

    fn receipt(who: &str, first: u64, last: u64) -> Receipt {
        Receipt { id: PrincipalId(who.into()), first: Offset(first), last: Offset(last) }
    }

    fn readers(receipts: &Receipts, name: &str, at: u64) -> Vec<String> {
        receipts.readers(&room(name), Offset(at)).map(|who| who.0.clone()).collect()
    }

    #[test]
    fn nobody_has_read_what_they_passed_over() {
        let mut receipts = Receipts::default();
        receipts.take(
            room("a"),
            vec![receipt("ana", 40, 50), receipt("ben", 10, 45), receipt("no", 9, 8)],
            true,
        );
        assert_eq!(readers(&receipts, "a", 42), ["ana", "ben"]);
        assert_eq!(readers(&receipts, "a", 12), ["ben"]);
        assert_eq!(readers(&receipts, "a", 51), [""; 0]);
        assert_eq!(readers(&receipts, "b", 42), [""; 0]);
        receipts.take(room("a"), vec![receipt("ana", 40, 60)], false);
        assert_eq!(
            (readers(&receipts, "a", 60), receipts.last(&room("a"))),
            (vec!["ana".into()], Some(Offset(60)))
        );
        receipts.forget(&PrincipalId("ana".into()));
        assert_eq!(readers(&receipts, "a", 42), ["ben"]);
        receipts.take(room("a"), vec![receipt("eve", 1, 2)], true);
        assert_eq!(readers(&receipts, "a", 42), [""; 0]);
    }

    #[test]
    fn no_more_rooms_and_people_than_the_limits_are_kept() {
        let mut receipts = Receipts::default();
        for n in 0..100 {
            let by = (0..1_000).map(|who| receipt(&who.to_string(), 1, 2)).collect();
            receipts.take(room(&n.to_string()), by, n % 2 == 0);
        }
        assert_eq!(receipts.rooms.len(), MAX_RECEIPT_ROOMS);
        assert!(receipts.rooms.iter().all(|(_, people)| people.len() == MAX_RECEIPTS));
        assert_eq!(readers(&receipts, "83", 1), [""; 0]);
        assert_eq!(readers(&receipts, "99", 1).len(), MAX_RECEIPTS);
    }
}
