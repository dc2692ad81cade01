//! [`Shelf`] and [`RoomList`]: in which part of the list a room is shown, and all rooms of a connection in that order.

use std::collections::BTreeSet;

use super::id::{RoomId, RoomName};
use super::room::RoomInfo;

/// The parts of the list of rooms, in their order.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shelf {
    /// Rooms of several people.
    Rooms,
    /// Direct messages.
    Direct,
    /// Rooms that take no new messages.
    Archived,
    /// Rooms that the person has left: not in the list.
    Left,
}

impl RoomInfo {
    /// The part of the list in which the room is shown.
    pub fn shelf(&self) -> Shelf {
        match (self.left, self.archived, &self.direct) {
            (true, ..) => Shelf::Left,
            (_, true, _) => Shelf::Archived,
            (.., Some(_)) => Shelf::Direct,
            _ => Shelf::Rooms,
        }
    }
}

/// A room's place in the list.
pub type RoomPlace = (Shelf, RoomName, RoomId);

/// All rooms of a connection by shelf, then by name.
#[derive(Clone, Debug, Default)]
pub struct RoomList {
    places: BTreeSet<RoomPlace>,
    counts: [usize; 4],
    version: u64,
}

/// Whether the same rooms are in it.
impl PartialEq for RoomList {
    fn eq(&self, other: &Self) -> bool {
        self.places == other.places
    }
}

impl Eq for RoomList {}

impl RoomList {
    /// Adds a room.
    pub fn insert(&mut self, place: RoomPlace) {
        let shelf = place.0;
        if self.places.insert(place) {
            self.counts[shelf as usize] += 1;
            self.version += 1;
        }
    }

    /// Takes a room out.
    pub fn remove(&mut self, place: &RoomPlace) {
        if self.places.remove(place) {
            self.counts[place.0 as usize] -= 1;
            self.version += 1;
        }
    }

    /// How many rooms are on a shelf.
    pub fn count(&self, shelf: Shelf) -> usize {
        self.counts[shelf as usize]
    }

    /// Another number after each change.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The rooms in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &RoomId> {
        self.places.iter().map(|(.., id)| id)
    }

    /// At which place a room is.
    pub fn position(&self, place: &RoomPlace) -> Option<usize> {
        self.places.iter().position(|known| known == place)
    }

    /// The first room that is called this.
    pub fn called(&self, name: &RoomName) -> Option<&RoomId> {
        let on = |shelf| {
            // No id is smaller than this one.
            let from = (shelf, name.clone(), RoomId::least());
            self.places.range(from..).next().filter(|place| (place.0, &place.1) == (shelf, name))
        };
        [Shelf::Rooms, Shelf::Direct, Shelf::Archived, Shelf::Left]
            .into_iter()
            .find_map(on)
            .map(|(.., id)| id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(shelf: Shelf, name: &str) -> RoomPlace {
        (shelf, RoomName::new(name).unwrap(), RoomId::new(name).unwrap())
    }

    #[test]
    fn rooms_are_in_order_counted_and_found_on_every_shelf() {
        let mut list = RoomList::default();
        let all = [(Shelf::Left, "a"), (Shelf::Rooms, "b"), (Shelf::Archived, "c"), (Shelf::Rooms, "d")];
        for (shelf, name) in all {
            list.insert(place(shelf, name));
            list.insert(place(shelf, name));
        }
        let order: Vec<_> = list.iter().map(|id| id.as_str()).collect();
        assert_eq!(order, ["b", "d", "c", "a"]);
        assert_eq!((list.count(Shelf::Rooms), list.count(Shelf::Left), list.count(Shelf::Direct)), (2, 1, 0));
        for (_, name) in all {
            assert_eq!(list.called(&RoomName::new(name).unwrap()).unwrap().as_str(), name);
        }
        assert_eq!(list.called(&RoomName::new("e").unwrap()), None);
        list.remove(&place(Shelf::Rooms, "d"));
        list.remove(&place(Shelf::Rooms, "d"));
        assert_eq!((list.count(Shelf::Rooms), list.position(&place(Shelf::Archived, "c"))), (1, Some(1)));
    }

    #[test]
    fn a_room_that_was_left_is_not_shown_whatever_else_it_is() {
        let info = RoomInfo { left: true, archived: true, ..RoomInfo::default() };
        assert_eq!(info.shelf(), Shelf::Left);
        assert_eq!(RoomInfo { left: false, ..info }.shelf(), Shelf::Archived);
        assert_eq!(RoomInfo::default().shelf(), Shelf::Rooms);
    }
}
