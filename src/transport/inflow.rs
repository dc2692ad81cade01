//! [`Inflow`]: the queue from a socket to whoever reads it, bounded in frames and in bytes, so that a server that sends
//! large frames is held back as early as one that sends many.

use std::sync::Arc;

use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{Semaphore, mpsc};

use super::{Incoming, QUEUE};

/// Maximum number of bytes of frames queued between a socket and its reader. A larger frame is queued alone.
pub const MAX_QUEUED_BYTES: usize = 512 * 1024;

/// The reader's end.
#[derive(Debug)]
pub struct Inflow {
    items: mpsc::Receiver<Incoming>,
    room: Arc<Semaphore>,
}

/// The socket's end.
#[derive(Clone)]
pub(super) struct Intake {
    items: mpsc::Sender<Incoming>,
    room: Arc<Semaphore>,
}

/// Makes both ends of a queue.
pub(super) fn inflow() -> (Intake, Inflow) {
    let (to_reader, items) = mpsc::channel(QUEUE);
    let room = Arc::new(Semaphore::new(MAX_QUEUED_BYTES));
    (Intake { items: to_reader, room: Arc::clone(&room) }, Inflow { items, room })
}

/// What an item takes of the queue's bytes.
fn cost(item: &Incoming) -> usize {
    match item {
        Incoming::Frame(frame) => frame.len().min(MAX_QUEUED_BYTES),
        Incoming::Closed(_) => 0,
    }
}

impl Inflow {
    /// Takes what comes next; cancel-safe. `None` after [`Incoming::Closed`].
    pub async fn recv(&mut self) -> Option<Incoming> {
        let item = self.items.recv().await?;
        self.room.add_permits(cost(&item));
        Some(item)
    }

    /// Appends whatever is ready, at least one and at most `limit`; cancel-safe. Returns 0 after [`Incoming::Closed`].
    pub async fn recv_many(&mut self, into: &mut Vec<Incoming>, limit: usize) -> usize {
        let count = self.items.recv_many(into, limit).await;
        self.room.add_permits(into.iter().rev().take(count).map(cost).sum());
        count
    }
}

impl Drop for Inflow {
    fn drop(&mut self) {
        // Whoever waits for room in it learns that there is no reader any more.
        self.room.close();
    }
}

impl Intake {
    /// Queues an item, waiting for room. False when the reader is gone.
    pub(super) async fn send(&self, item: Incoming) -> bool {
        let cost = u32::try_from(cost(&item)).unwrap_or(u32::MAX);
        // Waiting costs a good part of what a small frame costs in all, and is seldom needed.
        let room = match self.room.try_acquire_many(cost) {
            Ok(room) => room,
            Err(_) => match self.room.acquire_many(cost).await {
                Ok(room) => room,
                Err(_) => return false,
            },
        };
        room.forget();
        match self.items.try_send(item) {
            Err(TrySendError::Full(item)) => self.items.send(item).await.is_ok(),
            sent => sent.is_ok(),
        }
    }

    /// Waits until the reader is gone.
    pub(super) async fn closed(&self) {
        self.items.closed().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Frame;
    use crate::model::link_state::Why;

    fn frame(bytes: usize) -> Incoming {
        Incoming::Frame(Frame::Binary(vec![0; bytes]))
    }

    /// Whether an item is taken at once.
    fn takes(intake: &Intake, item: Incoming) -> bool {
        use futures_util::FutureExt as _;
        intake.send(item).now_or_never() == Some(true)
    }

    #[tokio::test]
    async fn a_queue_is_full_by_its_bytes_or_by_its_frames() {
        let (intake, mut inflow) = inflow();
        assert!(takes(&intake, frame(MAX_QUEUED_BYTES - 10)));
        assert!(takes(&intake, frame(10)));
        assert!(!takes(&intake, frame(1)), "the bytes are used up");
        assert_eq!(inflow.recv().await, Some(frame(MAX_QUEUED_BYTES - 10)));
        assert!(takes(&intake, frame(1)));
        let mut batch = Vec::new();
        assert_eq!(inflow.recv_many(&mut batch, 9).await, 2);
        assert!((0..QUEUE).all(|_| takes(&intake, frame(0))));
        assert!(!takes(&intake, frame(0)), "the frames are used up");
    }

    #[tokio::test]
    async fn a_frame_larger_than_the_queue_passes_alone_and_a_close_always() {
        let (intake, mut inflow) = inflow();
        let closed = Incoming::Closed(Why::Unauthorized);
        assert!(takes(&intake, frame(2 * MAX_QUEUED_BYTES)));
        assert!(!takes(&intake, frame(1)));
        assert!(takes(&intake, closed.clone()));
        assert_eq!(inflow.recv().await, Some(frame(2 * MAX_QUEUED_BYTES)));
        assert_eq!(inflow.recv().await, Some(closed));
        assert!(takes(&intake, frame(MAX_QUEUED_BYTES)), "all of its bytes were given back");
    }

    #[tokio::test]
    async fn a_socket_that_waits_for_room_ends_with_its_reader() {
        let (intake, inflow) = inflow();
        assert!(takes(&intake, frame(MAX_QUEUED_BYTES)));
        let waiting = tokio::spawn({
            let intake = intake.clone();
            async move { intake.send(frame(1)).await }
        });
        tokio::task::yield_now().await;
        drop(inflow);
        assert!(!waiting.await.unwrap());
        intake.closed().await;
    }
}
