//! When a search is to end: time is up, or a newer one has begun. Asked between rows, and by SQLite while it looks for
//! the next one.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use crate::model::search::Patience;

/// SQLite asks each time it has taken so many steps. A page of an index is about three.
const STEPS: i32 = 100;

/// What this thread is looking for.
struct Run {
    newest: Arc<AtomicU64>,
    ticket: u64,
    until: Instant,
}

thread_local! {
    static RUN: RefCell<Option<Run>> = const { RefCell::new(None) };
}

/// How long a search may take.
fn budget(patience: Patience) -> Duration {
    match patience {
        // With what it takes to hand it out and draw it, within the 50 ms after which people notice.
        Patience::Typing => Duration::from_millis(30),
        Patience::Thorough => Duration::from_secs(3),
    }
}

/// Has SQLite ask, for all that is read by this connection.
pub(in super::super) fn install(db: &mut Connection) -> rusqlite::Result<()> {
    db.progress_handler(STEPS, Some(is_over))
}

/// Runs a search under its limits. `newest`: the ticket of the newest search.
pub(in super::super) fn within<R>(
    newest: Arc<AtomicU64>,
    ticket: u64,
    patience: Patience,
    look: impl FnOnce() -> R,
) -> R {
    struct End;
    impl Drop for End {
        fn drop(&mut self) {
            RUN.set(None);
        }
    }
    RUN.set(Some(Run { newest, ticket, until: Instant::now() + budget(patience) }));
    let _end = End;
    look()
}

/// Whether this thread's search, if it has one, is to end.
pub(super) fn is_over() -> bool {
    is_superseded() || RUN.with_borrow(|run| run.as_ref().is_some_and(|run| Instant::now() >= run.until))
}

/// Whether a newer search has begun.
pub(super) fn is_superseded() -> bool {
    RUN.with_borrow(|run| run.as_ref().is_some_and(|run| run.newest.load(Ordering::Relaxed) != run.ticket))
}
