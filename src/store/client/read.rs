//! What is read from the database: a connection as a start needs it, pages of a room, counts. Every query goes by an
//! index, and takes a room of a million messages like one of a hundred.

use rusqlite::{CachedStatement, Connection, OptionalExtension, Row, params};
use serde_json::Value;
use uuid::Uuid;

use super::super::error::{StoreError, saturated, unsigned};
use super::changes;
use super::events;
use super::identity::{Filters, Rows};
use super::rooms;
use super::threads;
use super::write::key;
use super::{FirstAt, Loaded};
use crate::model::chat::MAX_ROOMS;
use crate::model::content::{EDIT, MESSAGE};
use crate::model::event::{ChatEvent, Event, Page, Side, Stored, StoredRoom};
use crate::model::intent::Jump;
use crate::model::time::WallMs;
use crate::model::{
    ConnectionId, Content, Delivery, Draft, Epoch, Extra, Features, Message, MessageId, Offset, OutboxItem,
    Position, Principal, PrincipalId, PrincipalKind, ResumePoint, Role, RoomId, RoomName,
};
use crate::wire::{Saved, SavedState};

type Result<T> = std::result::Result<T, StoreError>;

/// Messages read at start of each of the rooms that were last written in.
const FIRST_ROWS: u32 = 100;
/// So many rooms get [`FIRST_ROWS`]; the rest gets fewer.
const BUSY_ROOMS: usize = 10;
/// Messages read at start of each other room.
const FEW_ROWS: u32 = 10;
/// Maximum number of rooms of which messages are read at start, and of bytes of them in all: those of other rooms are read
/// when somebody opens one.
const MAX_READ: (usize, usize) = (1_000, 16 * 1024 * 1024);
/// A page ends early when its bodies reach so many bytes.
const PAGE_BYTES: usize = 1024 * 1024;

/// All that a start needs to know about a connection.
pub(super) fn load(db: &Connection, connection: ConnectionId) -> Result<Loaded> {
    let Some(row) = connection_row(db, connection)? else {
        return Ok(Loaded::default());
    };
    let is_local = row.is_local();
    let stored = Stored {
        me: row.me,
        features: row.features,
        era: row.era,
        era_from: row.era_from,
        era_has_entries: row.era_has_entries,
        is_local,
        epoch: row.epoch,
        received_to: row.next.previous(),
        rooms: rooms(db, connection)?,
        threads: threads::load(db, connection)?,
        outbox: outbox(db, connection)?,
    };
    // A log of which nothing came yet is asked for from where it began, and never where an earlier one was held.
    let is_begun = row.resume.is_none() && row.era > 0 && !is_local;
    let since = is_begun.then(|| row.next.previous());
    let saved = Saved { log: SavedState { resume: row.resume, since }, state: row.state };
    Ok(Loaded { stored, saved })
}

struct ConnectionRow {
    me: Option<Principal>,
    features: Option<Features>,
    era: u32,
    era_from: Offset,
    era_has_entries: bool,
    next: Offset,
    resume: Option<ResumePoint>,
    /// That of the server's log.
    epoch: Option<Epoch>,
    state: Option<Vec<u8>>,
}

impl ConnectionRow {
    /// A log that has no epoch is numbered here.
    fn is_local(&self) -> bool {
        self.era > 0 && self.epoch.is_none()
    }
}

fn connection_row(db: &Connection, connection: ConnectionId) -> Result<Option<ConnectionRow>> {
    let mut query = db.prepare_cached(
        "SELECT me_id, me_kind, me_name, era, era_from, era_has_entries, next_offset,
                resume_epoch, resume_offset, resume_id, resume_received, features,
                log_epoch, state, me_role
         FROM connection WHERE id = ?1",
    )?;
    let read = |row: &Row<'_>| {
        let me: (Option<String>, Option<String>, Option<String>) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let resume: (Option<i64>, Option<i64>, Option<[u8; 16]>, Option<i64>) =
            (row.get(7)?, row.get(8)?, row.get(9)?, row.get(10)?);
        Ok(ConnectionRow {
            me: match me {
                (Some(id), Some(kind), Some(name)) => {
                    let role = row.get_ref(14)?.as_str().ok().and_then(Role::from_word);
                    Some(Principal { id: PrincipalId(id), kind: kind_from(&kind), name, role })
                }
                _ => None,
            },
            // What cannot be read is as if it had never been told.
            features: row.get::<_, Option<String>>(11)?.and_then(|json| serde_json::from_str(&json).ok()),
            era: row.get(3)?,
            era_from: row.get(4)?,
            era_has_entries: row.get(5)?,
            next: row.get(6)?,
            resume: match resume {
                (Some(epoch), Some(offset), Some(id), Some(received)) => Some(ResumePoint {
                    epoch: Epoch(epoch.cast_unsigned()),
                    offset: Offset(unsigned(offset)),
                    id: MessageId(Uuid::from_bytes(id)),
                    received: WallMs(received),
                }),
                _ => None,
            },
            epoch: row.get::<_, Option<i64>>(12)?.map(|epoch| Epoch(epoch.cast_unsigned())),
            state: row.get(13)?,
        })
    };
    Ok(query.query_row([key(connection)], read).optional()?)
}

fn rooms(db: &Connection, connection: ConnectionId) -> Result<Vec<StoredRoom>> {
    let mut query = db.prepare_cached(
        "SELECT id, uid, newest_era, newest_offset, read_era, read_offset, unread, draft, mentions, name, unmade, info,
             hole_era, hole_offset, draft_reply
         FROM room
         WHERE connection = ?1 ORDER BY newest_era DESC, newest_offset DESC, id LIMIT ?2",
    )?;
    // One more than is shown tells that there are more.
    let mut rows = query.query(params![key(connection), MAX_ROOMS as i64 + 1])?;
    let (mut rooms, mut bytes) = (Vec::new(), 0);
    while let Some(row) = rows.next()? {
        let id: i64 = row.get(0)?;
        let uid = room_uid(row.get(1)?)?;
        let newest = Position { era: row.get(2)?, offset: row.get(3)? };
        let limit = if rooms.len() < BUSY_ROOMS { FIRST_ROWS } else { FEW_ROWS };
        let page = if rooms.len() < MAX_READ.0 && bytes < MAX_READ.1 {
            run_older(db, id, None, limit)?
        } else {
            Found { messages: Vec::new(), more: newest.offset > Offset(0) }
        };
        bytes += page.messages.iter().map(|message| message.content.bytes()).sum::<usize>();
        rooms.push(StoredRoom {
            name: RoomName::new(row.get::<_, String>(9)?).unwrap_or_else(|_| RoomName::of_id(&uid)),
            id: uid,
            older_on_hub: !page.more && hub_may_hold_older(db, id)?,
            messages: page.messages,
            older_on_disk: page.more,
            newest,
            read: Position { era: row.get(4)?, offset: row.get(5)? },
            unread: unsigned(row.get(6)?),
            draft: row.get(7)?,
            draft_reply: row.get::<_, Option<[u8; 16]>>(14)?.map(|id| MessageId(Uuid::from_bytes(id))),
            mentions: unsigned(row.get(8)?),
            unmade: row.get(10)?,
            info: rooms::info_of(row.get_ref(11)?.as_str().ok()),
            hole: match row.get(12)? {
                0 => None,
                era => Some(Position { era, offset: row.get(13)? }),
            },
        });
    }
    Ok(rooms)
}

/// A hub is asked for what came before the first entry of the first era, and in every era for what was not for the person
/// when it came. Of a private room it tells members alone.
pub(super) const HUB_MAY_HOLD_OLDER: &str =
    "NOT start_known AND ((era = 1 AND era_from > 1) OR (era > 0 AND hole_era = era))
     AND NOT coalesce(json_extract(info, '$.private') AND json_extract(info, '$.left'), 0)";

pub(super) fn hub_may_hold_older(db: &Connection, room: i64) -> Result<bool> {
    let mut query = db.prepare_cached(&format!(
        "SELECT {HUB_MAY_HOLD_OLDER}
         FROM room JOIN connection ON connection.id = room.connection WHERE room.id = ?1",
    ))?;
    Ok(query.query_row([room], |row| row.get(0))?)
}

/// The place before which the hub may be asked for what is missing, while it can be.
fn open_hole(db: &Connection, room: i64) -> Result<Option<Position>> {
    let mut query =
        db.prepare_cached("SELECT hole_era, hole_offset FROM room WHERE id = ?1 AND hole_era > 0")?;
    let hole =
        query.query_row([room], |row| Ok(Position { era: row.get(0)?, offset: row.get(1)? })).optional()?;
    Ok(if hole.is_some() && hub_may_hold_older(db, room)? { hole } else { None })
}

/// The newest messages before a position, or of all. Those of before a hole come once it is filled.
fn run_older(db: &Connection, room: i64, before: Option<Position>, limit: u32) -> Result<Found> {
    let mut found = run(db, room, Run::Before(before), limit)?;
    let hole = open_hole(db, room)?.filter(|hole| before.is_none_or(|before| before >= *hole));
    if let Some(hole) = hole
        && found.messages.first().is_some_and(|first| first.position < hole)
    {
        found.messages.retain(|message| message.position >= hole);
        found.more = false;
    }
    Ok(found)
}

/// All that is not yet an entry of the log, by `seq`.
pub(super) fn outbox(db: &Connection, connection: ConnectionId) -> Result<Vec<OutboxItem>> {
    let mut query = db.prepare_cached(
        "SELECT id, seq, room, body, at, delivery, offset, received, refusal, kind, extra FROM outbox
         WHERE connection = ?1 ORDER BY seq",
    )?;
    let mut rows = query.query([key(connection)])?;
    let mut items = Vec::new();
    while let Some(row) = rows.next()? {
        items.push(outbox_item(row)?);
    }
    Ok(items)
}

pub(super) fn outbox_item(row: &Row<'_>) -> Result<OutboxItem> {
    let word: String = row.get(5)?;
    let delivery = match word.as_str() {
        "pending" => Delivery::Pending,
        "attempted" => Delivery::Attempted,
        "acknowledged" => Delivery::Acknowledged { offset: row.get(6)?, received: row.get(7)? },
        "sent" => Delivery::Sent,
        "unsure" => Delivery::Unsure,
        "failed" => {
            let refusal: String = row.get(8)?;
            Delivery::Failed(
                serde_json::from_str(&refusal).map_err(|error| StoreError::Nonsense(error.to_string()))?,
            )
        }
        other => return Err(StoreError::Nonsense(format!("the delivery {other:?}"))),
    };
    let room = room_uid(row.get(2)?)?;
    Ok(OutboxItem {
        draft: Draft {
            id: MessageId(Uuid::from_bytes(row.get(0)?)),
            content: content(row.get(9)?, row.get(3)?, row.get(10)?)?,
            room,
            at: row.get(4)?,
        },
        seq: unsigned(row.get(1)?),
        delivery,
    })
}

/// Content from its kind, its words and its other fields as JSON.
fn content(kind: String, body: String, extra: Option<String>) -> Result<Content> {
    let extra = extra.map(|json| Extra::from_json(&json)).unwrap_or_default();
    // Of an unknown kind all is among the fields.
    let body = (kind == MESSAGE || kind == EDIT || !body.is_empty()).then_some(Value::String(body));
    Content::from_fields(&kind, body, extra).map_err(|error| StoreError::Nonsense(error.to_owned()))
}

/// The next free `seq`; never one that was used before.
pub(super) fn next_seq(db: &Connection, connection: ConnectionId) -> Result<u64> {
    let mut query = db.prepare_cached("SELECT last_seq FROM connection WHERE id = ?1")?;
    let last: Option<i64> = query.query_row([key(connection)], |row| row.get(0)).optional()?;
    Ok(last.map_or(1, |last| unsigned(last) + 1))
}

/// What is unread in a room, as [`ChatEvent::Counted`] wants it.
pub(super) fn unread(db: &Connection, connection: ConnectionId, room: &RoomId) -> Result<Event> {
    let mut query = db.prepare_cached(
        "SELECT read_era, read_offset, newest_era, newest_offset, unread, mentions FROM room
         WHERE connection = ?1 AND uid = ?2",
    )?;
    let counts = query.query_row(params![key(connection), room.as_str()], |row| {
        let read = Position { era: row.get(0)?, offset: row.get(1)? };
        let newest = Position { era: row.get(2)?, offset: row.get(3)? };
        Ok((read, newest, unsigned(row.get(4)?), unsigned(row.get(5)?)))
    });
    let (read, newest, unread, mentions) = counts.optional()?.unwrap_or_default();
    Ok(Event::Chat(ChatEvent::Counted { room: room.clone(), read, newest, unread, mentions }))
}

/// Messages next to a position, which itself is not among them.
pub(super) fn page(
    db: &Connection,
    connection: ConnectionId,
    name: &RoomId,
    from: Position,
    side: Side,
    limit: u32,
) -> Result<Page> {
    let Some(room) = room_id(db, connection, name)? else {
        return Ok(empty());
    };
    match side {
        Side::Older => {
            let older = run_older(db, room, Some(from), limit)?;
            let newer_on_disk = older.messages.is_empty() || exists(db, room, Run::From(from))?;
            as_page(db, room, older.messages, older.more, newer_on_disk)
        }
        Side::Newer => {
            let newer = run(db, room, Run::After(from), limit)?;
            let until = Position { offset: from.offset.next(), ..from };
            let older_on_disk = exists(db, room, Run::Before(Some(until)))?;
            as_page(db, room, newer.messages, older_on_disk, newer.more)
        }
    }
}

/// A page around a place.
pub(super) fn jump(
    db: &Connection,
    connection: ConnectionId,
    name: &RoomId,
    jump: Jump,
    limit: u32,
) -> Result<Page> {
    let Some(room) = room_id(db, connection, name)? else {
        return Ok(empty());
    };
    match jump {
        Jump::Start => {
            let newer = run(db, room, Run::From(Position::default()), limit)?;
            as_page(db, room, newer.messages, false, newer.more)
        }
        Jump::End => {
            let older = run_older(db, room, None, limit)?;
            as_page(db, room, older.messages, older.more, false)
        }
        Jump::To(position) => {
            // Half of it before, half of it after; where one side is short, the other has its place.
            let mut newer = run(db, room, Run::From(position), limit)?;
            let count = u32::try_from(newer.messages.len()).unwrap_or(limit);
            let older = run_older(db, room, Some(position), limit - count.min(limit - limit / 2))?;
            let keep = (limit as usize).saturating_sub(older.messages.len());
            newer.more |= newer.messages.len() > keep;
            newer.messages.truncate(keep);
            let messages = older.messages.into_iter().chain(newer.messages).collect();
            as_page(db, room, messages, older.more, newer.more)
        }
    }
}

/// The first message of a room that the hub took at a moment or later. Within an era a hub's clock goes forward, so that
/// it is found by halves.
pub(super) fn first_at(
    db: &Connection,
    connection: ConnectionId,
    name: &RoomId,
    at: WallMs,
) -> Result<FirstAt> {
    let Some(room) = room_id(db, connection, name)? else {
        return Ok(FirstAt::default());
    };
    let place = |which: Run| place(db, room, which);
    let Some((end, newest)) = place(Run::Before(None))? else {
        return Ok(FirstAt { older_at_hub: hub_may_hold_older(db, room)?, ..FirstAt::default() });
    };
    let mut found = FirstAt { newest: Some(newest), ..FirstAt::default() };
    let mut next = place(Run::From(Position::default()))?;
    let oldest = next.map(|(position, _)| position);
    while let Some((first, received)) = next.filter(|_| found.first.is_none()) {
        let beyond = Position { era: first.era + 1, offset: Offset(0) };
        let (last, last_received) = place(Run::Before(Some(beyond)))?.unwrap_or((first, received));
        if last_received >= at {
            let (mut low, mut high) = (first.offset, last.offset);
            while low < high {
                let middle = low + (high - low) / 2;
                // There is one: at `high` at the latest.
                let Some((there, received)) = place(Run::From(Position { offset: middle, ..first }))? else {
                    break;
                };
                if received >= at {
                    high = middle;
                } else {
                    low = there.offset + 1;
                }
            }
            found.first = place(Run::From(Position { offset: high, ..first }))?;
        }
        next = if last == end { None } else { place(Run::From(beyond))? };
    }
    let is_oldest = found.first.map(|(position, _)| position) == oldest;
    found.older_at_hub = is_oldest && hub_may_hold_older(db, room)?;
    Ok(found)
}

/// Where a message of a room is, whoever sent it. Each sender is looked through by the index of their messages.
pub(super) fn find_message(
    db: &Connection,
    connection: ConnectionId,
    name: &RoomId,
    id: MessageId,
) -> Result<Option<Position>> {
    let Some(room) = room_id(db, connection, name)? else { return Ok(None) };
    let (rows, filters) = (Rows::new(db)?, Filters::default());
    let mut senders = db.prepare_cached("SELECT id FROM sender WHERE connection = ?1")?;
    let mut senders = senders.query([key(connection)])?;
    while let Some(sender) = senders.next()? {
        let found = rows.find(db, &filters, sender.get(0)?, id, false)?;
        if let Some(found) = found.filter(|found| found.room == room) {
            return Ok(Some(found.position));
        }
    }
    Ok(None)
}

/// Where the first message of a run stands, and when the hub took it.
fn place(db: &Connection, room: i64, which: Run) -> Result<Option<(Position, WallMs)>> {
    let (condition, position) = which.sql();
    let mut query = db.prepare_cached(&format!(
        "SELECT era, offset, received FROM message WHERE room = ?1 AND {condition} LIMIT 1"
    ))?;
    let read = |row: &Row<'_>| Ok((Position { era: row.get(0)?, offset: row.get(1)? }, row.get(2)?));
    Ok(query.query_row(params![room, position.era, saturated(position.offset)], read).optional()?)
}

fn as_page(db: &Connection, room: i64, messages: Vec<Message>, older: bool, newer: bool) -> Result<Page> {
    // What lies before the hole is all that there is.
    let first = messages.first().map(|message| message.position);
    let is_before_hole = open_hole(db, room)?.is_some_and(|hole| first.is_some_and(|first| first < hole));
    let older_on_hub = !older && !is_before_hole && hub_may_hold_older(db, room)?;
    Ok(Page { messages, older_on_disk: older, older_on_hub, newer_on_disk: newer })
}

fn empty() -> Page {
    Page { messages: Vec::new(), older_on_disk: false, older_on_hub: false, newer_on_disk: false }
}

/// Which messages, and read in which direction.
#[derive(Copy, Clone)]
pub(super) enum Run {
    /// The newest before a position, or of all.
    Before(Option<Position>),
    /// The oldest at or after a position.
    From(Position),
    /// The oldest after a position.
    After(Position),
}

impl Run {
    /// The condition and the order, and the position that it speaks of.
    pub(super) fn sql(self) -> (&'static str, Position) {
        match self {
            Run::Before(position) => (
                "(era, offset) < (?2, ?3) ORDER BY era DESC, offset DESC",
                position.unwrap_or(Position { era: u32::MAX, offset: Offset::MAX }),
            ),
            Run::From(position) => ("(era, offset) >= (?2, ?3) ORDER BY era, offset", position),
            Run::After(position) => ("(era, offset) > (?2, ?3) ORDER BY era, offset", position),
        }
    }
}

/// Oldest first, and whether there are more in the direction they were read in.
struct Found {
    messages: Vec<Message>,
    more: bool,
}

/// At most `limit` messages after a position, those in threads included.
pub(super) fn stretch(
    db: &Connection,
    connection: ConnectionId,
    name: &RoomId,
    after: Position,
    limit: u32,
) -> Result<Vec<Message>> {
    let Some(room) = room_id(db, connection, name)? else { return Ok(Vec::new()) };
    let mut query = messages(db, Run::After(after))?;
    let mut rows = query.query(params![room, after.era, saturated(after.offset)])?;
    let (mut messages, mut bytes) = (Vec::new(), 0);
    while messages.len() < limit as usize
        && bytes < PAGE_BYTES
        && let Some(row) = rows.next()?
    {
        let message = changes::message(row)?;
        bytes += message.content.bytes();
        messages.push(message);
    }
    drop(rows);
    changes::fill(db, room, &mut messages)?;
    Ok(messages)
}

/// The query for the messages of a run: room, era, offset.
fn messages(db: &Connection, which: Run) -> Result<CachedStatement<'_>> {
    let (condition, _) = which.sql();
    Ok(db.prepare_cached(&format!(
        "SELECT era, offset, message.id, principal, sender_name, at, received, body, extra
         FROM message JOIN sender ON sender.id = message.sender
         WHERE room = ?1 AND {condition}"
    ))?)
}

fn run(db: &Connection, room: i64, which: Run, limit: u32) -> Result<Found> {
    let (_, position) = which.sql();
    let mut query = messages(db, which)?;
    // Read until there are enough: what is shown in threads alone is passed over.
    let mut rows = query.query(params![room, position.era, saturated(position.offset)])?;
    let (mut messages, mut bytes, mut more) = (Vec::new(), 0, false);
    while let Some(row) = rows.next()? {
        let message = changes::message(row)?;
        if message.content.is_aside() {
            continue;
        }
        if messages.len() >= limit as usize || (bytes >= PAGE_BYTES && !messages.is_empty()) {
            more = true;
            break;
        }
        bytes += message.content.bytes();
        messages.push(message);
    }
    drop(rows);
    let events = events::run(db, room, which, limit.saturating_add(1))?;
    if !events.is_empty() {
        more = merge(&mut messages, events, which, (limit as usize, more));
    }
    if matches!(which, Run::Before(_)) {
        messages.reverse();
    }
    changes::fill(db, room, &mut messages)?;
    Ok(Found { messages, more })
}

/// Puts events between the messages of a run. Returns whether there are more of either.
fn merge(
    messages: &mut Vec<Message>,
    events: Vec<Message>,
    which: Run,
    (limit, more): (usize, bool),
) -> bool {
    let is_backward = matches!(which, Run::Before(_));
    // Beyond the last message others may lie between the events.
    let last = messages.last().map(|message| message.position).filter(|_| more);
    let is_within = |event: &Message| match last {
        Some(last) if is_backward => event.position > last,
        Some(last) => event.position < last,
        None => true,
    };
    let all = events.len();
    messages.extend(events.into_iter().filter(is_within));
    messages.sort_by_key(|message| message.position);
    if is_backward {
        messages.reverse();
    }
    let is_cut = messages.len() > limit || all > limit;
    messages.truncate(limit);
    more || is_cut
}

fn exists(db: &Connection, room: i64, which: Run) -> Result<bool> {
    let (condition, position) = which.sql();
    let mut query =
        db.prepare_cached(&format!("SELECT 1 FROM message WHERE room = ?1 AND {condition} LIMIT 1"))?;
    Ok(query.exists(params![room, position.era, saturated(position.offset)])?
        || events::exists(db, room, which)?)
}

pub(super) fn room_id(db: &Connection, connection: ConnectionId, name: &RoomId) -> Result<Option<i64>> {
    let mut find = db.prepare_cached("SELECT id FROM room WHERE connection = ?1 AND uid = ?2")?;
    Ok(find.query_row(params![key(connection), name.as_str()], |row| row.get(0)).optional()?)
}

pub(super) fn room_uid(text: String) -> Result<RoomId> {
    RoomId::new(text).map_err(|error| StoreError::Nonsense(error.to_string()))
}

pub(super) fn kind_text(kind: PrincipalKind) -> &'static str {
    match kind {
        PrincipalKind::Person => "person",
        PrincipalKind::Device => "device",
        PrincipalKind::Admin => "admin",
    }
}

fn kind_from(text: &str) -> PrincipalKind {
    match text {
        "admin" => PrincipalKind::Admin,
        "device" => PrincipalKind::Device,
        _ => PrincipalKind::Person,
    }
}
