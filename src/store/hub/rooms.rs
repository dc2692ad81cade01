//! [`Rooms`]: what the hub's writer remembers of the rooms on disk: their ids, and what their names look like.

use std::collections::HashMap;

use rusqlite::Connection;

use super::super::error::StoreError;
use super::read;
use crate::model::RoomName;
use crate::model::name::Looks;

/// Rooms as the writer knows them. Rooms are never removed. After a failed transaction everything is read anew.
#[derive(Default)]
pub(super) struct Rooms {
    ids: HashMap<RoomName, i64>,
    /// Which room has this look; read with the first room that is made.
    looks: Option<HashMap<String, RoomName>>,
}

impl Rooms {
    /// The row of a room; none where there is no such room.
    pub(super) fn id(&self, db: &Connection, name: &RoomName) -> Result<Option<i64>, StoreError> {
        match self.ids.get(name) {
            Some(id) => Ok(Some(*id)),
            None => read::room_id(db, name),
        }
    }

    /// The room that a reader would take this one for.
    pub(super) fn like(&mut self, db: &Connection, name: &RoomName) -> Result<Option<RoomName>, StoreError> {
        let looks = match &mut self.looks {
            Some(looks) => looks,
            none => none.insert(all_looks(db)?),
        };
        Ok(Looks::of(name.as_str()).keys().find_map(|key| looks.get(key)).cloned())
    }

    /// A room is on disk, or will be with this transaction.
    pub(super) fn insert(&mut self, name: &RoomName, id: i64) {
        if self.ids.insert(name.clone(), id).is_none()
            && let Some(looks) = &mut self.looks
        {
            add_look(looks, name);
        }
    }

    /// A transaction failed: what was remembered may not be on disk.
    pub(super) fn clear(&mut self) {
        *self = Rooms::default();
    }
}

fn all_looks(db: &Connection) -> Result<HashMap<String, RoomName>, StoreError> {
    let mut looks = HashMap::new();
    for room in read::rooms(db)? {
        add_look(&mut looks, &room);
    }
    Ok(looks)
}

/// Rooms of older hubs may look alike: the first one stands for them.
fn add_look(looks: &mut HashMap<String, RoomName>, room: &RoomName) {
    for key in Looks::of(room.as_str()).keys() {
        looks.entry(key.to_owned()).or_insert_with(|| room.clone());
    }
}
