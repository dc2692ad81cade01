//! How `client.db` is opened, whatever state the disk is in, and what is saved from a damaged one.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::{Connection, OpenFlags};
use tokio::sync::watch;

use super::super::error::StoreError;
use super::super::readers::{ReaderConnections, Readers};
use super::super::writer::Writer;
use super::super::{files, migrate};
use super::held::{ClientWriter, WAITING};
use super::identity::Filters;
use super::schema::SCHEMA;
use super::{ClientStore, FILE, Health, Opened, Shared, Write, later, read, search};
use crate::model::event::ChatEvent;
use crate::model::{Banner, ConnectionId, Delivery, Event, RoomId};

/// Reader threads.
const READERS: usize = 2;
/// A database in memory, which stands in for one of a later version, grows up to so many pages of 4 KiB.
const MEMORY_PAGES: u32 = 65_536;

/// Where the data is.
#[derive(Clone, Debug)]
pub(super) enum Location {
    File(PathBuf),
    /// Nothing is kept beyond the process; the name is this process's alone.
    Memory(String),
}

/// How a file was found.
pub(super) struct Found {
    /// The database, for writing.
    pub db: Result<Connection, StoreError>,
    /// A damaged one was there before.
    pub set_aside: Option<SetAside>,
}

/// A damaged file was moved out of the way.
pub(super) struct SetAside {
    pub path: PathBuf,
    /// What it held that no hub can send again.
    pub rescued: Vec<(ConnectionId, Write)>,
}

pub(super) fn open(dir: &Path) -> Opened {
    let path = dir.join(FILE);
    let mut banners = Vec::new();
    let mut place = Location::File(path.clone());
    let found = open_file(&path);
    let mut rescued = Vec::new();
    if let Some(set_aside) = found.set_aside {
        banners.push(Banner::DatabaseSetAside { path: set_aside.path });
        rescued = set_aside.rescued;
    }
    let db = match found.db {
        Err(StoreError::Newer { .. }) => {
            banners.push(Banner::DatabaseNewer { path });
            static COUNT: AtomicU64 = AtomicU64::new(0);
            let name = format!("duplex-client-{}", COUNT.fetch_add(1, Ordering::Relaxed));
            place = Location::Memory(name.clone());
            open_memory(&name)
        }
        other => other,
    };
    let trouble = db.as_ref().err().map(trouble);
    banners.extend(trouble.clone());
    Opened { store: start(place, db.ok(), trouble, rescued), banners }
}

fn start(
    place: Location,
    db: Option<Connection>,
    trouble: Option<Banner>,
    rescued: Vec<(ConnectionId, Write)>,
) -> ClientStore {
    let (health, watcher) = watch::channel(Health { trouble, ..Health::default() });
    let (indexed, indexed_watcher) = watch::channel(None);
    let readers_place = place.clone();
    let slots = ReaderConnections::new(READERS, Box::new(move || open_to_read(&readers_place)));
    let mut keeper = ClientWriter::new(place, db, Arc::clone(&slots), health, indexed);
    keeper.rescue(rescued);
    let writer = Writer::start("store-writer", WAITING, keeper);
    let readers = Readers::start("store-reader", &slots);
    // Without threads nothing can be kept; every answer says so.
    if let Some(error) = writer.as_ref().err().or(readers.as_ref().err()) {
        log::error!("the database's threads cannot be started: {error}");
    }
    ClientStore {
        shared: Arc::new(Shared {
            readers: readers.ok(),
            writer: writer.ok(),
            health: watcher,
            indexed: indexed_watcher,
            newest_search: Arc::default(),
        }),
    }
}

/// Opens, or reopens, a file. A damaged one is set aside first.
pub(super) fn open_file(path: &Path) -> Found {
    let mut db = migrate::open(path, &SCHEMA).and_then(|db| looks_whole(&db).map(|()| db));
    if let Ok(db) = &mut db
        && let Err(error) = later::project(db, &Filters::default(), later::AT_ONCE)
    {
        log::warn!("what a later version understands waits: {error}");
    }
    match db {
        Err(error) if error.is_damage() => {
            log::warn!("{} is set aside: {error}", path.display());
            begin_anew(path)
        }
        db => Found { db, set_aside: None },
    }
}

/// Sets a damaged file aside and begins a new one. No connection may be open.
pub(super) fn begin_anew(path: &Path) -> Found {
    match set_aside(path) {
        Ok(set_aside) => Found { db: migrate::open(path, &SCHEMA), set_aside: Some(set_aside) },
        Err(error) => Found { db: Err(error), set_aside: None },
    }
}

/// Moves a damaged file out of the way, after reading from it what can be read.
fn set_aside(path: &Path) -> Result<SetAside, StoreError> {
    let rescued = rescue(path);
    Ok(SetAside { path: files::set_aside(path)?, rescued })
}

/// Every table can be read. (A check of every page takes seconds in a large file; damage found later is dealt with then.)
fn looks_whole(db: &Connection) -> Result<(), StoreError> {
    let tables = ["connection", "room", "sender", "message", "outbox", "purge"];
    for table in tables.into_iter().chain(["search_author", "search_entry", "search_state"]) {
        let ends = format!("SELECT (SELECT min(rowid) FROM {table}), (SELECT max(rowid) FROM {table})");
        db.query_row(&ends, (), |_| Ok(()))?;
    }
    Ok(())
}

fn open_memory(name: &str) -> Result<Connection, StoreError> {
    let db = migrate::open_memory(Some(name), &SCHEMA)?;
    db.pragma_update(None, "max_page_count", MEMORY_PAGES)?;
    Ok(db)
}

pub(super) fn open_to_read(place: &Location) -> Result<Connection, StoreError> {
    let mut db = match place {
        Location::File(path) if is_empty(path) => migrate::open_memory(None, &SCHEMA),
        Location::File(path) => migrate::open_read_only(path),
        Location::Memory(name) => migrate::connect_memory(name),
    }?;
    search::limit::install(&mut db)?;
    Ok(db)
}

/// Where nothing was ever kept, there is nothing to be read.
fn is_empty(path: &Path) -> bool {
    let tables = |db: Connection| db.query_row("SELECT count(*) FROM sqlite_schema", (), |row| row.get(0));
    !path.exists()
        || migrate::open_read_only(path).is_ok_and(|db| tables(db).is_ok_and(|count: i64| count == 0))
}

/// What a person is told about it.
pub(super) fn trouble(error: &StoreError) -> Banner {
    match error {
        StoreError::Full => Banner::DiskFull,
        other => Banner::DiskReadOnly { detail: other.to_string() },
    }
}

/// What the damaged file holds that no hub can send again: the outbox and drafts, as far as they can be read. Opened so
/// that not a byte of it changes.
fn rescue(path: &Path) -> Vec<(ConnectionId, Write)> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut rescued = Vec::new();
    if let Ok(db) = Connection::open_with_flags(path, flags) {
        // Whatever stops this, what was read before counts.
        let _ = rescue_outbox(&db, &mut rescued);
        let _ = rescue_drafts(&db, &mut rescued);
    }
    rescued
}

fn rescue_outbox(db: &Connection, rescued: &mut Vec<(ConnectionId, Write)>) -> Result<(), StoreError> {
    let items = |content: &str| {
        db.prepare(&format!(
            "SELECT id, seq, room, body, at, delivery, offset, received, refusal, {content}, connection FROM outbox
             ORDER BY connection, seq"
        ))
    };
    // A file of an older version has messages alone.
    let mut query = items("kind, extra").or_else(|_| items("'message', NULL"))?;
    let mut rows = query.query(())?;
    while let Some(row) = rows.next()? {
        let mut item = read::outbox_item(row)?;
        // The entry that would take it out of the outbox may have been in the damaged part: the hub will say it again.
        if matches!(item.delivery, Delivery::Acknowledged { .. }) {
            item.delivery = Delivery::Attempted;
        }
        let connection: i64 = row.get(11)?;
        rescued.push((ConnectionId(connection.cast_unsigned()), Write::Queue(item)));
    }
    Ok(())
}

fn rescue_drafts(db: &Connection, rescued: &mut Vec<(ConnectionId, Write)>) -> Result<(), StoreError> {
    let drafts =
        |id: &str| db.prepare(&format!("SELECT connection, {id}, draft FROM room WHERE draft <> ''"));
    // In a file of an older version a room's name is its id.
    let mut query = drafts("uid").or_else(|_| drafts("name"))?;
    let mut rows = query.query(())?;
    while let Some(row) = rows.next()? {
        let connection: i64 = row.get(0)?;
        if let Ok(room) = RoomId::new(row.get::<_, String>(1)?) {
            let write = Write::Draft { room, text: row.get(2)? };
            rescued.push((ConnectionId(connection.cast_unsigned()), write));
        }
    }
    Ok(())
}

/// Whether a write may be let go when memory runs short: a server that numbers its log can send it again.
pub(super) fn can_be_replayed(write: &Write) -> bool {
    match write {
        Write::Event(event @ Event::Chat(ChatEvent::Entries { .. })) => !event.is_unnumbered(),
        Write::Event(Event::Chat(ChatEvent::History { .. } | ChatEvent::Skipped { .. })) => true,
        _ => false,
    }
}
