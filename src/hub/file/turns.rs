//! [`Turns`]: one request at a time for each upload. A later request ends an earlier one: after a lost connection the client is
//! back long before the hub notices.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedMutexGuard, watch};

use crate::model::file::FileId;

/// The uploads that are under way.
#[derive(Default)]
pub(super) struct Turns(Arc<Mutex<HashMap<FileId, Arc<Upload>>>>);

/// The requests for one upload.
struct Upload {
    /// The number of the latest request.
    latest: watch::Sender<u64>,
    turn: Arc<tokio::sync::Mutex<()>>,
}

impl Default for Upload {
    fn default() -> Self {
        Upload { latest: watch::Sender::new(0), turn: Arc::default() }
    }
}

/// The turn of one request.
pub(super) struct Turn {
    id: FileId,
    number: u64,
    upload: Arc<Upload>,
    turns: Arc<Mutex<HashMap<FileId, Arc<Upload>>>>,
    guard: Option<OwnedMutexGuard<()>>,
}

impl Turns {
    /// Ends earlier requests for this upload and waits until they have ended. `None` if a later one came meanwhile.
    pub(super) async fn take(&self, id: FileId) -> Option<Turn> {
        let (upload, number) = {
            let mut uploads = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let upload = Arc::clone(uploads.entry(id).or_default());
            let number = *upload.latest.borrow() + 1;
            upload.latest.send_replace(number);
            (upload, number)
        };
        let turns = Arc::clone(&self.0);
        let mut turn = Turn { id, number, upload, turns, guard: None };
        turn.guard = Some(Arc::clone(&turn.upload.turn).lock_owned().await);
        turn.is_latest().then_some(turn)
    }
}

impl Turn {
    fn is_latest(&self) -> bool {
        *self.upload.latest.borrow() == self.number
    }

    /// Waits until a later request came.
    pub(super) async fn ended(&self) {
        let mut latest = self.upload.latest.subscribe();
        // Its sender lives as long as this.
        let _ = latest.wait_for(|latest| *latest != self.number).await;
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.guard.take();
        let mut uploads = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        // The map's and this one.
        if Arc::strong_count(&self.upload) <= 2 {
            uploads.remove(&self.id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_later_request_ends_an_earlier_one() {
        let turns = Arc::new(Turns::default());
        let id = FileId::from_random([1; 16]);
        let first = turns.take(id).await.unwrap();
        let waiting = tokio::spawn({
            let turns = Arc::clone(&turns);
            async move { turns.take(id).await.is_some() }
        });
        first.ended().await;
        assert!(!waiting.is_finished(), "not before the first has put things in order");
        drop(first);
        assert!(waiting.await.unwrap());
        assert!(turns.0.lock().unwrap().is_empty(), "nothing is left of it");
    }
}
