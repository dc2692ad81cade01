//! [`Rooms`]: what the hub's writer remembers of the rooms on disk: their rows, and what their names look like.

use std::collections::{HashMap, HashSet};

use rusqlite::Connection;

use super::super::error::StoreError;
use super::read;
use crate::model::name::Looks;
use crate::model::{RoomId, RoomName};

/// Rooms as the writer knows them. Rooms are never removed. After a failed transaction everything is read anew.
#[derive(Default)]
pub(super) struct Rooms {
    rows: HashMap<RoomId, i64>,
    /// Those that take no new messages; read with the first message.
    archived: Option<HashSet<i64>>,
    /// The private ones, and whether each is a direct message; read with the first message.
    private: Option<HashMap<i64, bool>>,
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

    /// A room has another name from now on.
    pub(super) fn renamed(&mut self) {
        // A name that another one looks like may be free now: they are read anew.
        self.looks = None;
    }

    /// The name of another room that a reader would take this one for; `but`: what this room is called now.
    pub(super) fn like(
        &mut self,
        db: &Connection,
        name: &RoomName,
        but: Option<&RoomName>,
    ) -> Result<Option<RoomName>, StoreError> {
        let looks = match &mut self.looks {
            Some(looks) => looks,
            none => none.insert(all_looks(db)?),
        };
        let others = |key| looks.get(key).filter(|other| Some(*other) != but);
        Ok(Looks::of(name.as_str()).keys().find_map(others).cloned())
    }

    /// Whether a room takes no new messages.
    pub(super) fn is_archived(&mut self, db: &Connection, row: i64) -> Result<bool, StoreError> {
        let archived = match &self.archived {
            Some(archived) => archived,
            None => {
                let mut query = db.prepare_cached("SELECT id FROM room WHERE archived")?;
                let rows = query.query_map((), |row| row.get(0))?.collect::<Result<_, _>>()?;
                self.archived.insert(rows)
            }
        };
        Ok(archived.contains(&row))
    }

    /// A room takes no new messages, or takes them again.
    pub(super) fn set_archived(&mut self, row: i64, archived: bool) {
        if let Some(rows) = &mut self.archived {
            if archived {
                rows.insert(row)
            } else {
                rows.remove(&row)
            };
        }
    }

    /// Whether only its members know of a room; if so, whether it is a direct message.
    pub(super) fn privacy(&mut self, db: &Connection, row: i64) -> Result<Option<bool>, StoreError> {
        let private = match &self.private {
            Some(private) => private,
            None => {
                let mut query = db.prepare_cached("SELECT id, direct IS NOT NULL FROM room WHERE private")?;
                let rows = query.query_map((), |row| Ok((row.get(0)?, row.get(1)?)))?;
                self.private.insert(rows.collect::<Result<_, _>>()?)
            }
        };
        Ok(private.get(&row).copied())
    }

    /// A private room is on disk, or will be with this transaction.
    pub(super) fn insert_private(&mut self, room: &RoomId, row: i64, is_direct: bool) {
        self.rows.insert(room.clone(), row);
        if let Some(rows) = &mut self.private {
            rows.insert(row, is_direct);
        }
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
    // Nobody is told of a private room's name, not even by its being taken.
    for room in read::rooms(db)?.into_iter().filter(|room| !room.info.private) {
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
