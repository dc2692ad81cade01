//! [`Background`]: what the writer does when nobody waits, in small turns: the search index follows the messages, removed
//! rooms are purged.

use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::watch;

use super::super::error::StoreError;
use super::super::migrate;
use super::counts;
use super::identity::Filters;
use super::later;
use super::search::index::{self, Merge};
use super::write;

/// Messages of removed connections that are deleted at a time.
const MAX_PURGED: u32 = 500;
/// Entries that are put where they belong at a time.
const MAX_PROJECTED: u32 = 48;
/// Messages from before the search index that are taken in at a time.
const MAX_OLD: u32 = 48;
/// New messages whose grams are taken in at a time.
const MAX_NEW: u32 = 8_192;
/// Messages whose grams may be behind while more keep coming.
const MAX_BEHIND: i64 = 8_192;
/// Messages that are counted at a time.
const MAX_COUNTED: u32 = 2_000;
/// Commits of so many bytes are a replay.
const REPLAY_BYTES: usize = 256 * 1024;
/// How much of the file the writer has in memory: during a replay, which comes upon pages everywhere, and else. In KiB.
const CACHE_KIB: (i64, i64) = (16_384, 2_048);
/// The pause between two turns, in which commits have theirs.
const PAUSE: Duration = Duration::from_millis(5);
/// How long deletions are collected before the search index is rewritten without the deleted text. Tests don't wait.
const GATHER: Duration = Duration::from_secs(if cfg!(test) { 0 } else { 10 });
/// How often the search index is rewritten for the same deletions, while others come meanwhile.
const MAX_PASSES: u32 = 4;

/// What there is to do. What is left over from the last time is found out by looking.
pub(super) struct Background {
    purging: bool,
    /// Whether entries may have been kept that this version knows.
    projecting: bool,
    /// Whether the grams of new messages may be behind.
    is_behind: bool,
    /// Whether messages that were there before the search index are still to be taken in.
    indexing: bool,
    /// Whether the search index may have segments to put together.
    merging: bool,
    /// Whether the writer has much of the file in memory.
    is_roomy: bool,
    /// Where ids need not be looked for, during a replay.
    filters: Filters,
    /// Whether some messages may not be counted yet.
    counting: bool,
    /// Whether what was deleted may still be in the write-ahead log.
    is_erased: bool,
    erasing: Erasing,
    indexed: watch::Sender<Option<u8>>,
}

/// How far the grams of what was deleted have left the search index.
#[derive(Copy, Clone)]
enum Erasing {
    Done,
    /// To begin at that moment, for the so-manieth time.
    Due(Instant, u32),
    /// Segments are being put together.
    Merging(u32),
}

impl Background {
    pub(super) fn new(db: Option<&Connection>, indexed: watch::Sender<Option<u8>>) -> Self {
        if let Some(percent) = db.and_then(|db| index::progress(db).ok()) {
            indexed.send_replace(percent);
        }
        Background {
            purging: true,
            projecting: true,
            is_behind: true,
            indexing: true,
            merging: true,
            is_roomy: false,
            filters: Filters::default(),
            counting: true,
            // A crash may have left it there.
            is_erased: true,
            erasing: match db.is_some_and(|db| index::is_to_be_erased(db).unwrap_or_default()) {
                true => Erasing::Due(Instant::now(), 0),
                false => Erasing::Done,
            },
            indexed,
        }
    }

    /// Something was committed. `purging`: rooms were removed.
    pub(super) fn committed(&mut self, purging: bool) {
        (self.is_behind, self.counting) = (true, true);
        self.purging |= purging;
    }

    /// A message was deleted.
    pub(super) fn erased(&mut self) {
        (self.is_erased, self.merging) = (true, true);
        self.erasing = match self.erasing {
            Erasing::Done => Erasing::Due(Instant::now() + GATHER, 0),
            Erasing::Due(at, _) => Erasing::Due(at, 0),
            Erasing::Merging(_) => Erasing::Merging(0),
        };
    }

    /// Another file, or an index that is made anew.
    pub(super) fn begin_anew(&mut self, percent: Option<u8>) {
        (self.indexing, self.is_behind) = (true, true);
        self.indexed.send_replace(percent);
    }

    /// Before so many bytes are written.
    pub(super) fn make_room(&mut self, db: &mut Connection, bytes: usize) -> Result<(), StoreError> {
        if bytes > REPLAY_BYTES && !self.is_roomy {
            db.pragma_update(None, "cache_size", -CACHE_KIB.0)?;
            self.is_roomy = true;
        }
        if self.is_roomy {
            unhurried(db, |db| self.filters.load(db))?;
        }
        Ok(())
    }

    /// Where ids need not be looked for.
    pub(super) fn filters(&self) -> &Filters {
        &self.filters
    }

    /// The file is another one, or is opened anew.
    pub(super) fn forget(&mut self) {
        self.filters.clear();
        (self.is_roomy, self.counting) = (false, true);
    }

    /// Nothing can be done.
    pub(super) fn stop(&mut self) {
        (self.purging, self.projecting) = (false, false);
        (self.is_behind, self.indexing) = (false, false);
        (self.merging, self.is_roomy, self.counting, self.is_erased) = (false, false, false, false);
        self.erasing = Erasing::Done;
    }

    /// When the next turn is due; none where there is nothing to do.
    pub(super) fn pause(&self) -> Option<Duration> {
        let is_some = self.projecting
            || self.purging
            || self.is_behind
            || self.indexing
            || self.merging
            || self.is_roomy
            || self.counting
            || self.is_erased;
        match self.erasing {
            _ if is_some => Some(PAUSE),
            Erasing::Done => None,
            Erasing::Due(at, _) => Some(at.saturating_duration_since(Instant::now()).max(PAUSE)),
            Erasing::Merging(_) => Some(PAUSE),
        }
    }

    /// One turn. What is lost of that by a power cut is done again, so that no turn waits for the disk. `waits`: whether
    /// something else is to be done.
    pub(super) fn turn(&mut self, db: &mut Connection, waits: &dyn Fn() -> bool) -> Result<(), StoreError> {
        unhurried(db, |db| {
            // Segments before what makes more of them: the more there are, the more a search has to look at.
            if self.is_erased && !self.is_behind && !self.merging {
                self.is_erased = !migrate::empty_log(db)?;
            } else if self.is_behind {
                self.is_behind = index::take_in(db, MAX_NEW, waits)?;
                self.merging = true;
            } else if self.merging {
                self.merging = index::merge(db, Merge::Idle)?;
            } else if self.is_erasing_due() {
                self.erasing = self.erase(db)?;
            } else if self.projecting {
                self.projecting = later::project(db, &self.filters, MAX_PROJECTED)?;
                self.is_behind = true;
            } else if self.purging {
                self.purging = write::purge(db, MAX_PURGED)?;
                self.merging = true;
            } else if self.counting {
                self.counting = counts::take_in_old(db, MAX_COUNTED)?;
            } else if self.is_roomy && !self.indexing {
                db.pragma_update(None, "cache_size", -CACHE_KIB.1)?;
                db.execute_batch("PRAGMA shrink_memory")?;
                self.filters.clear();
                self.is_roomy = false;
            } else if self.indexing {
                let percent = index::take_in_old(db, MAX_OLD)?;
                self.indexed.send_if_modified(|known| std::mem::replace(known, percent) != percent);
                self.indexing = percent.is_some();
                self.merging = true;
            }
            Ok(())
        })
    }

    fn is_erasing_due(&self) -> bool {
        match self.erasing {
            Erasing::Done => false,
            Erasing::Due(at, _) => at <= Instant::now(),
            Erasing::Merging(_) => true,
        }
    }

    /// Goes on to rewrite the search index without what was deleted.
    fn erase(&mut self, db: &Connection) -> Result<Erasing, StoreError> {
        Ok(match self.erasing {
            Erasing::Done => Erasing::Done,
            Erasing::Due(_, pass) if pass < MAX_PASSES && index::begin_erasing(db)? => {
                Erasing::Merging(pass + 1)
            }
            // What is left is erased with the next deletion, or at the next start.
            Erasing::Due(..) => {
                self.is_erased = true;
                Erasing::Done
            }
            Erasing::Merging(pass) if index::merge(db, Merge::Erase)? => Erasing::Merging(pass),
            Erasing::Merging(pass) => Erasing::Due(Instant::now(), pass),
        })
    }

    /// While commits keep coming the index follows at a bounded distance: a search reads what is between.
    pub(super) fn keep_up(&mut self, db: &mut Connection) -> Result<(), StoreError> {
        while self.is_behind && index::behind(db)? > MAX_BEHIND {
            unhurried(db, |db| {
                self.is_behind = index::take_in(db, MAX_NEW, &|| false)?;
                self.merging = true;
                index::merge(db, Merge::Replay)?;
                Ok(())
            })?;
        }
        Ok(())
    }
}

/// Does something that need not survive a power cut.
fn unhurried(
    db: &mut Connection,
    work: impl FnOnce(&mut Connection) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    db.pragma_update(None, "synchronous", "NORMAL")?;
    let done = work(db);
    if let Err(error) = db.pragma_update(None, "synchronous", "FULL") {
        log::error!("commits no longer wait for the disk: {error}");
    }
    done
}
