//! [`Rooms`]: what the hub's writer remembers of the rooms on disk: their rows, and what their names look like.

use std::collections::HashMap;

use rusqlite::Connection;

use super::super::error::StoreError;
use super::read;
use crate::model::name::Looks;
use crate::model::{RoomId, RoomName};

/// Rooms as the writer knows them. Rooms are never removed. After a failed transaction everything is read anew.
#[derive(Default)]
pub(super) struct Rooms {
    rows: HashMap<RoomId, i64>,
    /// Which name has this look; read with the first room that is made.
    looks: Option<HashMap<String, RoomName>>,
}

impl Rooms {
    /// The row of a room; none where there is no such room.
    pub(super) fn row(&self, db: &Connection, room: &RoomId) -> Result<Option<i64>, StoreError> {
        match self.rows.get(room) {
            Some(row) => Ok(Some(*row)),
            None => read::room_id(db, room),
        }
    }

    /// The name of a room that a reader would take this one for.
    pub(super) fn like(&mut self, db: &Connection, name: &RoomName) -> Result<Option<RoomName>, StoreError> {
        let looks = match &mut self.looks {
            Some(looks) => looks,
            none => none.insert(all_looks(db)?),
        };
        Ok(Looks::of(name.as_str()).keys().find_map(|key| looks.get(key)).cloned())
    }

    /// A room was written in.
    pub(super) fn remember(&mut self, room: &RoomId, row: i64) {
        if !self.rows.contains_key(room) {
            self.rows.insert(room.clone(), row);
        }
    }

    /// A room is on disk, or will be with this transaction.
    pub(super) fn insert(&mut self, room: &RoomId, name: &RoomName, row: i64) {
        self.rows.insert(room.clone(), row);
        if let Some(looks) = &mut self.looks {
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
        add_look(&mut looks, &room.name);
    }
    Ok(looks)
}

/// Rooms of older hubs may look alike: the first one stands for them.
fn add_look(looks: &mut HashMap<String, RoomName>, name: &RoomName) {
    for key in Looks::of(name.as_str()).keys() {
        looks.entry(key.to_owned()).or_insert_with(|| name.clone());
    }
}
