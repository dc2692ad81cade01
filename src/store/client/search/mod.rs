//! Finds messages. An index of grams ([`index`]) gives candidates, newest first; each is held against its body before it
//! counts. A search ends when a page is full, time is up or a newer search has begun ([`limit`]).

pub(super) mod index;
pub(super) mod limit;

use rusqlite::fallible_streaming_iterator::FallibleStreamingIterator as _;
use rusqlite::{Connection, ErrorCode, Row, params};

use super::super::error::StoreError;
use super::identity::StoredId;
use super::read::{self, HUB_MAY_HOLD_OLDER};
use crate::model::search::{End, Folded, Found, Hit, HitPlace, PAGE, Query, Scope, Search, excerpt};
use crate::model::{ConnectionId, Content, Extra, Position, PrincipalId, RoomId, RoomName, Sender};
use index::Slot;

type Result<T> = std::result::Result<T, StoreError>;

const COLUMNS: &str =
    "entry.key, message.era, message.offset, message.id, principal, sender_name, received, body,
    room.connection, room.name, message.extra, room.id";
/// Whether a message is pinned.
const IS_PINNED: &str = "EXISTS (SELECT 1 FROM message_change WHERE message_change.room = message.room
    AND message_change.era = message.era AND message_change.offset = message.offset AND pinned)";
const JOINS: &str = "CROSS JOIN message ON message.rowid = entry.message
    CROSS JOIN room ON room.id = message.room CROSS JOIN sender ON sender.id = message.sender";

/// Finds a page of messages. `None`: a newer search has begun.
pub(super) fn find(db: &Connection, search: &Search) -> Result<Option<Found>> {
    let mut found = Found::nothing(search.number);
    match look(db, search, &mut found) {
        Err(StoreError::Sqlite(error))
            if error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted) => {}
        other => other?,
    }
    if limit::is_superseded() {
        return Ok(None);
    }
    // The index has them in the order in which they came, as far as they came within the same few seconds.
    found.hits.sort_by_key(|hit| std::cmp::Reverse(hit.at));
    Ok(Some(found))
}

/// Looks through what is indexed and what is not yet, newest first.
///
/// Long: both walks share one cursor and one set of bounds.
fn look(db: &Connection, search: &Search, found: &mut Found) -> Result<()> {
    let query = &search.query;
    found.next = search.behind;
    // Until it is known better: whatever interrupts this leaves it so.
    found.end = End::TimeUp(None);
    let rooms = rooms(db, search)?;
    let authors = authors(db, query)?;
    found.no_room = rooms.as_ref().is_some_and(Vec::is_empty);
    found.nobody = authors.as_ref().is_some_and(Vec::is_empty);
    found.more_at_hub = more_at_hub(db, rooms.as_deref())?;
    if found.no_room || found.nobody {
        found.end = End::Complete;
        return Ok(());
    }
    let (from, to) = index::range(db, query.after, query.before)?;
    let to = search.behind.map_or(to, |behind| to.min(behind));
    let pattern = pattern(query, rooms.as_deref(), authors.as_deref());
    let pinned = if query.pinned { IS_PINNED } else { "1" };
    let sql = match pattern {
        Some(_) => format!(
            "SELECT {COLUMNS}, {pinned} FROM search CROSS JOIN search_entry AS entry ON entry.key = search.rowid {JOINS}
             WHERE search MATCH ?3 AND search.rowid >= ?1 AND search.rowid < ?2 ORDER BY search.rowid DESC"
        ),
        None => format!(
            "SELECT {COLUMNS}, {pinned} FROM search_entry AS entry {JOINS}
             WHERE ?3 IS NULL AND entry.key >= ?1 AND entry.key < ?2 ORDER BY entry.key DESC"
        ),
    };
    // What asks the index misses those whose grams are not in it yet.
    let behind = if pattern.is_some() { behind(db, from, to)? } else { Vec::new() };
    let mut behind = behind.into_iter().peekable();
    let mut read_behind = db.prepare_cached(&format!(
        "SELECT {COLUMNS}, {pinned},
             (SELECT id FROM search_author WHERE search_author.sender = message.sender AND name = sender_name)
         FROM search_entry AS entry {JOINS} WHERE entry.key = ?1"
    ))?;
    let mut statement = db.prepare_cached(&sql)?;
    let mut rows = statement.query(params![from, to, pattern])?;
    rows.advance()?;
    let is_wanted =
        |ids: Option<&[i64]>, id: Option<i64>| ids.is_none_or(|ids| id.is_some_and(|id| ids.contains(&id)));
    loop {
        let next: Option<i64> = rows.get().map(|row| row.get(0)).transpose()?;
        if let Some(key) = behind.next_if(|key| next.is_none_or(|next| *key > next)) {
            let mut one = read_behind.query([key])?;
            // One of a connection that was removed is not there any more.
            if let Some(row) = one.next()? {
                let is_meant =
                    is_wanted(rooms.as_deref(), row.get(11)?) && is_wanted(authors.as_deref(), row.get(13)?);
                if consider(row, query, is_meant, found)? {
                    return Ok(());
                }
            }
        } else if let Some(row) = rows.get() {
            if consider(row, query, true, found)? {
                return Ok(());
            }
            rows.advance()?;
        } else {
            break;
        }
    }
    found.end = End::Complete;
    Ok(())
}

/// The numbers of messages whose grams are not in the index yet, the newest first. There are never many.
fn behind(db: &Connection, from: i64, to: i64) -> Result<Vec<i64>> {
    let mut query = db.prepare_cached(
        "SELECT key FROM search_entry WHERE message > (SELECT since FROM search_state)
             AND key >= ?1 AND key < ?2
         ORDER BY key DESC",
    )?;
    let keys = query.query_map([from, to], |row| row.get(0))?;
    Ok(keys.collect::<std::result::Result<_, _>>()?)
}

/// Takes a row in, if it is what is looked for. Returns whether the search ends here: the page is full, or time is up.
fn consider(row: &Row<'_>, query: &Query, is_meant: bool, found: &mut Found) -> Result<bool> {
    let hit = if is_meant { hit(row, query)? } else { None };
    if let Some(hit) = hit {
        if found.hits.len() == PAGE {
            found.end = End::More;
            return Ok(true);
        }
        found.hits.push(hit);
    }
    found.next = Some(row.get(0)?);
    found.end = End::TimeUp(Some(row.get(6)?));
    Ok(limit::is_over())
}

/// The message of a row, if it is what is looked for.
fn hit(row: &Row<'_>, query: &Query) -> Result<Option<Hit>> {
    let at = row.get(6)?;
    let body = row.get_ref(7)?.as_str().map_err(|error| StoreError::Nonsense(error.to_string()))?;
    let folded = Folded::of(body);
    let extra = row.get_ref(10)?.as_str().map(Extra::from_json).unwrap_or_default();
    let content = Content::Text { body: String::new(), extra };
    // Nothing is left of one that was deleted.
    let is_meant = row.get::<_, bool>(12)? && (!query.in_thread || content.thread().is_some());
    if body.is_empty() || !is_meant || !query.is_when(at) || !query.is_said(&folded) {
        return Ok(None);
    }
    if query.has_file && content.file().is_none() {
        return Ok(None);
    }
    let connection: i64 = row.get(8)?;
    Ok(Some(Hit {
        connection: ConnectionId(connection.cast_unsigned()),
        room: RoomId::new(row.get::<_, String>(9)?)
            .map_err(|error| StoreError::Nonsense(error.to_string()))?,
        place: HitPlace::Logged(Position { era: row.get(1)?, offset: row.get(2)? }),
        id: row.get::<_, StoredId>(3)?.0,
        thread: content.thread().filter(|_| content.is_aside()),
        sender: Sender { id: PrincipalId(row.get(4)?), name: row.get(5)? },
        at,
        excerpt: excerpt(body, &folded, &query.terms),
    }))
}

/// What to ask the index; nothing where it cannot help.
fn pattern(query: &Query, rooms: Option<&[i64]>, authors: Option<&[i64]>) -> Option<String> {
    let mut all: Vec<String> = Vec::new();
    let any = |ids: &[i64], slot: Slot| {
        let words: Vec<String> = ids.iter().map(|id| format!("\"{}\"", slot.word(*id))).collect();
        format!("({})", words.join(" OR "))
    };
    // No gram has a quotation mark in it.
    all.extend(query.terms.iter().flat_map(|term| term.grams()).map(|gram| format!("\"{gram}\"")));
    all.extend(rooms.map(|ids| any(ids, Slot::Room)));
    all.extend(authors.map(|ids| any(ids, Slot::Author)));
    (!all.is_empty()).then(|| all.join(" AND "))
}

/// In which rooms to look; `None`: in all.
fn rooms(db: &Connection, search: &Search) -> Result<Option<Vec<i64>>> {
    let only = match &search.scope {
        Scope::Everywhere if search.query.rooms.is_empty() => return Ok(None),
        Scope::Everywhere => None,
        Scope::Room(connection, room) => match read::room_id(db, *connection, room)? {
            Some(id) => Some(id),
            None => return Ok(Some(Vec::new())),
        },
    };
    let mut query = db.prepare_cached("SELECT id, name FROM room WHERE ?1 IS NULL OR id = ?1")?;
    let mut rows = query.query([only])?;
    let mut ids = Vec::new();
    while let Some(row) = rows.next()? {
        if RoomName::new(row.get::<_, String>(1)?).is_ok_and(|name| search.query.is_in(&name)) {
            ids.push(row.get(0)?);
        }
    }
    Ok(Some(ids))
}

/// By which authors; `None`: by anybody.
fn authors(db: &Connection, query: &Query) -> Result<Option<Vec<i64>>> {
    if query.from.is_empty() {
        return Ok(None);
    }
    let mut all = db.prepare_cached(
        "SELECT author.id, author.name, principal IS me_id FROM search_author AS author
         JOIN sender ON sender.id = author.sender JOIN connection ON connection.id = sender.connection",
    )?;
    let mut rows = all.query(())?;
    let mut ids = Vec::new();
    while let Some(row) = rows.next()? {
        let name = row.get_ref(1)?.as_str().map_err(|error| StoreError::Nonsense(error.to_string()))?;
        if query.is_from(name, row.get(2)?) {
            ids.push(row.get(0)?);
        }
    }
    Ok(Some(ids))
}

/// Whether the hub may hold older messages of one of these rooms (`read::page` says when).
fn more_at_hub(db: &Connection, rooms: Option<&[i64]>) -> Result<bool> {
    let mut query = db.prepare_cached(&format!(
        "SELECT room.id FROM connection JOIN room ON room.connection = connection.id WHERE {HUB_MAY_HOLD_OLDER}",
    ))?;
    let mut rows = query.query(())?;
    while let Some(row) = rows.next()? {
        let id: i64 = row.get(0)?;
        if rooms.is_none_or(|rooms| rooms.contains(&id)) {
            return Ok(true);
        }
    }
    Ok(false)
}
