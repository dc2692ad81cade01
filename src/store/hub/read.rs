//! What is read from a hub's log.

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::Value;
use uuid::Uuid;

use super::super::error::{StoreError, saturated, unsigned};
use crate::model::content::{EDIT, MESSAGE, ROOM};
use crate::model::time::WallMs;
use crate::model::{
    Content, Draft, Entry, Extra, MessageId, NamedRoom, Offset, PrincipalId, RoomId, RoomInfo, RoomName,
    Sender,
};

type Result<T> = std::result::Result<T, StoreError>;

const COLUMNS: &str =
    "entry.offset, entry.id, principal, sender_name, kind, uid, body, at, received, extra, name, target,
     private";

pub(super) fn at(db: &Connection, offset: Offset) -> Result<Option<(MessageId, WallMs)>> {
    let mut query = db.prepare_cached("SELECT id, received FROM entry WHERE offset = ?1")?;
    let at = query.query_row([saturated(offset)], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    Ok(at.map(|(id, received)| (MessageId(Uuid::from_bytes(id)), received)))
}

/// Entries of a stretch of the log.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stretch {
    /// Those that were wanted, in order.
    pub entries: Vec<Entry>,
    /// The first offset of the stretch, which is not the one that was asked for where that is held no more.
    pub from: Offset,
    /// The last offset of the stretch.
    pub to: Offset,
}

/// Maximum number of entries that one read passes over without taking any.
const MAX_PASSED: u32 = 4_096;

/// Consecutive entries from an offset on.
pub(super) fn entries(db: &Connection, from: Offset, limit: u32, max_bytes: usize) -> Result<Vec<Entry>> {
    let to = Offset::MAX;
    let whole = stretch(db, (from, to), limit, max_bytes, limit, |_, _, _| true)?;
    Ok(whole.map(|whole| whole.entries).unwrap_or_default())
}

/// The entries from one offset to another that somebody may see, at most so many; `sees` is asked about private rooms, with
/// an entry's room, kind and fields. `None`: there are no entries.
pub(super) fn visible(
    db: &Connection,
    range: (Offset, Offset),
    limit: u32,
    max_bytes: usize,
    sees: impl Fn(&str, &str, Option<&str>) -> bool,
) -> Result<Option<Stretch>> {
    stretch(db, range, limit, max_bytes, limit.max(MAX_PASSED), sees)
}

fn stretch(
    db: &Connection,
    (from, to): (Offset, Offset),
    limit: u32,
    max_bytes: usize,
    most_rows: u32,
    sees: impl Fn(&str, &str, Option<&str>) -> bool,
) -> Result<Option<Stretch>> {
    let mut query = db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM entry JOIN room ON room.id = entry.room
         WHERE entry.offset >= ?1 AND entry.offset <= ?2 ORDER BY entry.offset LIMIT ?3"
    ))?;
    let mut rows = query.query(params![saturated(from), saturated(to), most_rows])?;
    let mut taken = Taken::new(max_bytes);
    let (mut first, mut last) = (Offset(0), None::<Offset>);
    while let Some(row) = rows.next()? {
        let offset: Offset = row.get(0)?;
        if let Some(last) = last.filter(|last| last.next() != offset) {
            return Err(missing(last.next(), offset.previous()));
        }
        let is_wanted = !row.get::<_, bool>(12)? || {
            let text = |column: usize| row.get_ref(column)?.as_str_or_null().map_err(rusqlite::Error::from);
            sees(text(5)?.unwrap_or_default(), text(4)?.unwrap_or_default(), text(9)?)
        };
        if is_wanted && (taken.entries.len() >= limit as usize || !taken.take(entry(row)?)) {
            break;
        }
        if last.is_none() {
            first = offset;
        }
        last = Some(offset);
    }
    Ok(last.map(|to| Stretch { entries: taken.entries, from: first, to }))
}

/// Reads what a start needs: the rooms, and the last entries, which are there without a hole.
pub(super) fn look_over(db: &Connection, head: Offset) -> Result<()> {
    const LAST: u64 = 64;
    rooms(db)?;
    let first: Option<Offset> = db.query_row("SELECT min(offset) FROM entry", (), |row| row.get(0))?;
    let from = (head - (LAST - 1)).max(first.unwrap_or(Offset(1)));
    let mut next = from;
    while next <= head {
        match entries(db, next, LAST as u32, usize::MAX)?.as_slice() {
            [first, .., last] | [first @ last] if first.offset == next => next = last.offset.next(),
            _ => return Err(missing(next, head)),
        }
    }
    Ok(())
}

/// The log has a hole, which it never has by itself.
pub(super) fn missing(from: Offset, to: Offset) -> StoreError {
    StoreError::Damaged { detail: format!("entries {from} to {to} are missing") }
}

pub(super) fn history(
    db: &Connection,
    name: &RoomId,
    (before, head): (Offset, Offset),
    limit: u32,
    max_bytes: usize,
) -> Result<(Vec<Entry>, bool)> {
    let Some(room) = room_id(db, name)? else {
        return Ok((Vec::new(), true));
    };
    let mut query = db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM entry JOIN room ON room.id = entry.room
         WHERE entry.room = ?1 AND entry.offset < ?2 ORDER BY entry.offset DESC LIMIT ?3"
    ))?;
    // Who may see what is known for entries up to the head alone.
    let before = saturated(before).min(saturated(head).saturating_add(1));
    let mut rows = query.query(params![room, before, i64::from(limit) + 1])?;
    let mut taken = Taken::new(max_bytes);
    let mut complete = true;
    while let Some(row) = rows.next()? {
        if taken.entries.len() >= limit as usize || !taken.take(entry(row)?) {
            complete = false;
            break;
        }
    }
    taken.entries.reverse();
    Ok((taken.entries, complete))
}

/// All rooms. Of a direct message one of the two is named.
pub(super) fn rooms(db: &Connection) -> Result<Vec<NamedRoom>> {
    let mut query = db.prepare_cached(
        "SELECT uid, name, private, CASE WHEN json_valid(direct) THEN json_extract(direct, '$[0]') END
         FROM room ORDER BY offset",
    )?;
    let mut rows = query.query(())?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let direct = row.get::<_, Option<String>>(3)?.map(PrincipalId);
        let info = RoomInfo { private: row.get(2)?, direct, ..RoomInfo::default() };
        all.push(NamedRoom { info, ..NamedRoom::new(room_uid(row.get(0)?)?, room_name(row.get(1)?)?) });
    }
    Ok(all)
}

pub(super) fn room_id(db: &Connection, room: &RoomId) -> Result<Option<i64>> {
    let mut query = db.prepare_cached("SELECT id FROM room WHERE uid = ?1")?;
    Ok(query.query_row([room.as_str()], |row| row.get(0)).optional()?)
}

/// The room of which everybody knows that is called this: its row and its id.
pub(super) fn room_called(db: &Connection, name: &str) -> Result<Option<(i64, RoomId)>> {
    let mut query =
        db.prepare_cached("SELECT id, uid FROM room WHERE name = ?1 AND NOT private ORDER BY id LIMIT 1")?;
    let found: Option<(i64, String)> =
        query.query_row([name], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    found.map(|(id, uid)| Ok((id, room_uid(uid)?))).transpose()
}

/// Entries up to a size; the first one is always taken.
struct Taken {
    entries: Vec<Entry>,
    left: usize,
}

impl Taken {
    fn new(max_bytes: usize) -> Self {
        Taken { entries: Vec::new(), left: max_bytes }
    }

    fn take(&mut self, entry: Entry) -> bool {
        let size = json_size(&entry);
        if size > self.left && !self.entries.is_empty() {
            return false;
        }
        self.left = self.left.saturating_sub(size);
        self.entries.push(entry);
        true
    }
}

fn entry(row: &Row<'_>) -> Result<Entry> {
    let nonsense = |error: &str| StoreError::Nonsense(error.to_owned());
    let kind = row.get_ref(4)?.as_str().map_err(|error| nonsense(&error.to_string()))?;
    let body: String = row.get(6)?;
    let extra = row.get::<_, Option<String>>(9)?.map(|json| Extra::from_json(&json)).unwrap_or_default();
    let mut extra = extra;
    // One that was made again, or by an older version, does not say it.
    if kind == ROOM && extra.get("name").is_none() {
        extra.insert("name", Value::String(row.get(10)?));
    }
    // Of an unknown kind all is among the fields.
    let body = (kind == MESSAGE || kind == EDIT || !body.is_empty()).then_some(Value::String(body));
    let room = room_uid(row.get(5)?)?;
    let draft = Draft {
        id: MessageId(Uuid::from_bytes(row.get(1)?)),
        content: match row.get::<_, Option<i64>>(11)? {
            None => Content::from_fields(kind, body, extra).map_err(nonsense)?,
            Some(target) => Content::from_fields(kind, body, extra)
                .map_err(nonsense)?
                .with_target_offset(Some(Offset(unsigned(target)))),
        },
        room,
        at: row.get(7)?,
    };
    Ok(Entry {
        draft,
        offset: row.get(0)?,
        sender: Sender { id: PrincipalId(row.get(2)?), name: row.get(3)? },
        received: row.get(8)?,
    })
}

/// About how many bytes of JSON an entry makes; never less than it does.
pub(super) fn json_size(entry: &Entry) -> usize {
    // The field names, two numbers of 20 digits, an offset, a UUID and the punctuation.
    const FRAME: usize = 256;
    let content = &entry.draft.content;
    let texts =
        [content.body(), content.kind(), &entry.sender.name, &entry.sender.id.0, entry.draft.room.as_str()];
    FRAME
        + content.fields_json().map_or(0, |json| json.len())
        + texts.into_iter().map(escaped_len).sum::<usize>()
}

/// RFC 8259 §7: control characters become `\u00XX` at worst, quotes and backslashes two bytes.
fn escaped_len(text: &str) -> usize {
    let of = |byte: u8| match byte {
        0..=0x1f => 6,
        b'"' | b'\\' => 2,
        _ => 1,
    };
    text.bytes().map(of).sum()
}

pub(super) fn room_uid(text: String) -> Result<RoomId> {
    RoomId::new(text).map_err(|error| StoreError::Nonsense(error.to_string()))
}

pub(super) fn room_name(text: String) -> Result<RoomName> {
    RoomName::new(text).map_err(|error| StoreError::Nonsense(error.to_string()))
}
