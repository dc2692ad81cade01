//! [`IncomingQueue`]: the queue from a socket to its reader, bounded in frames and bytes, so that large frames cause
//! backpressure as early as many small ones.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{Notify, Semaphore, mpsc};

use super::{Incoming, QUEUE};

/// Maximum number of bytes of frames queued between a socket and its reader. A larger frame is queued alone.
pub const MAX_QUEUED_BYTES: usize = 512 * 1024;

/// The reader's end.
#[derive(Debug)]
pub struct IncomingQueue {
    items: mpsc::Receiver<Incoming>,
    room: Arc<Semaphore>,
}

/// The socket's end.
#[derive(Clone)]
pub(super) struct Intake {
    items: mpsc::Sender<Incoming>,
    room: Arc<Semaphore>,
    /// `None` if the reader did not request reports.
    flushed: Option<Arc<Flushed>>,
}

/// Number of frames flushed, and of those reported to the reader.
#[derive(Default)]
struct Flushed {
    total: AtomicU64,
    reported: AtomicU64,
    /// Notified when there is something to report.
    more: Notify,
}

/// Creates both ends of a queue.
pub(super) fn inflow(report_flushed: bool) -> (Intake, IncomingQueue) {
    let (to_reader, items) = mpsc::channel(QUEUE);
    let room = Arc::new(Semaphore::new(MAX_QUEUED_BYTES));
    let flushed = report_flushed.then(Arc::default);
    (Intake { items: to_reader, room: Arc::clone(&room), flushed }, IncomingQueue { items, room })
}

/// Size of an item in the queue's byte limit.
fn cost(item: &Incoming) -> usize {
    match item {
        Incoming::Frame(frame) => frame.len().min(MAX_QUEUED_BYTES),
        Incoming::Flushed(_) | Incoming::Pong | Incoming::Route(_) | Incoming::Closed(_) => 0,
    }
}

impl IncomingQueue {
    /// Receives the next item; cancel-safe. `None` after [`Incoming::Closed`].
    pub async fn recv(&mut self) -> Option<Incoming> {
        let item = self.items.recv().await?;
        self.room.add_permits(cost(&item));
        Some(item)
    }

    /// Appends at least one and at most `limit` available items; cancel-safe. Returns 0 after [`Incoming::Closed`].
    pub async fn recv_many(&mut self, into: &mut Vec<Incoming>, limit: usize) -> usize {
        let count = self.items.recv_many(into, limit).await;
        self.room.add_permits(into.iter().rev().take(count).map(cost).sum());
        count
    }
}

impl Drop for IncomingQueue {
    fn drop(&mut self) {
        // Wakes senders that wait for space.
        self.room.close();
    }
}

impl Intake {
    /// Queues an item, waiting for space. Returns false if the reader is gone. The last report precedes
    /// [`Incoming::Closed`].
    pub(super) async fn send(&self, item: Incoming) -> bool {
        if matches!(item, Incoming::Closed(_)) {
            self.report().await;
        }
        let cost = u32::try_from(cost(&item)).unwrap_or(u32::MAX);
        // `acquire` is expensive compared to handling a small frame, and rarely needed.
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

    /// Queues these in order; flush counts are recorded and reported at their place. Returns false if the reader is gone.
    pub(super) async fn deliver(&self, items: VecDeque<Incoming>) -> bool {
        for item in items {
            let is_taken = match item {
                Incoming::Flushed(frames) => {
                    self.flushed(frames);
                    self.report().await;
                    true
                }
                item => self.send(item).await,
            };
            if !is_taken {
                return false;
            }
        }
        true
    }

    /// Whether the reader requested flush reports.
    pub(super) fn is_reporting(&self) -> bool {
        self.flushed.is_some()
    }

    /// Records that `total` frames have been flushed so far. [`Intake::report`] tells the reader.
    pub(super) fn flushed(&self, total: u64) {
        let Some(flushed) = &self.flushed else { return };
        if total > flushed.total.load(Ordering::Relaxed) {
            flushed.total.store(total, Ordering::Relaxed);
            flushed.more.notify_one();
        }
    }

    /// Waits until there are flushed frames to report; cancel-safe. Never returns if no reports were requested.
    pub(super) async fn has_report(&self) {
        match &self.flushed {
            Some(flushed) => {
                while !flushed.is_behind() {
                    flushed.more.notified().await;
                }
            }
            None => std::future::pending().await,
        }
    }

    /// Reports the number of flushed frames if it has changed, waiting for space; cancel-safe.
    pub(super) async fn report(&self) {
        let Some(flushed) = self.flushed.as_ref().filter(|flushed| flushed.is_behind()) else { return };
        // The reader is gone.
        let Ok(permit) = self.items.reserve().await else { return };
        let total = flushed.total.load(Ordering::Relaxed);
        permit.send(Incoming::Flushed(total));
        flushed.reported.store(total, Ordering::Relaxed);
    }

    /// Waits until the reader is gone.
    pub(super) async fn closed(&self) {
        self.items.closed().await;
    }
}

impl Flushed {
    fn is_behind(&self) -> bool {
        self.total.load(Ordering::Relaxed) > self.reported.load(Ordering::Relaxed)
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

    /// Whether an item is accepted without waiting.
    fn takes(intake: &Intake, item: Incoming) -> bool {
        use futures_util::FutureExt as _;
        intake.send(item).now_or_never() == Some(true)
    }

    #[tokio::test]
    async fn a_queue_is_bounded_in_bytes_and_in_frames() {
        let (intake, mut inflow) = inflow(false);
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
    async fn an_oversized_frame_is_queued_alone_and_a_close_always_fits() {
        let (intake, mut inflow) = inflow(false);
        let closed = Incoming::Closed(Why::Unauthorized);
        assert!(takes(&intake, frame(2 * MAX_QUEUED_BYTES)));
        assert!(!takes(&intake, frame(1)));
        assert!(takes(&intake, closed.clone()));
        assert_eq!(inflow.recv().await, Some(frame(2 * MAX_QUEUED_BYTES)));
        assert_eq!(inflow.recv().await, Some(closed));
        assert!(takes(&intake, frame(MAX_QUEUED_BYTES)), "all of its bytes were released");
    }

    #[tokio::test]
    async fn reports_are_merged_while_the_queue_is_full_and_the_last_precedes_the_close() {
        use futures_util::FutureExt as _;
        let (intake, mut inflow) = inflow(true);
        assert!((0..QUEUE).all(|_| takes(&intake, frame(0))));
        for total in 1..=3 {
            intake.flushed(total);
            assert_eq!(intake.has_report().now_or_never(), Some(()));
            assert_eq!(intake.report().now_or_never(), None, "the queue is full");
        }
        for _ in 0..QUEUE {
            assert_eq!(inflow.recv().await, Some(frame(0)));
        }
        intake.report().await;
        assert_eq!(inflow.recv().await, Some(Incoming::Flushed(3)));
        intake.report().await;
        intake.flushed(3);
        assert_eq!(intake.has_report().now_or_never(), None, "nothing new to report");
        intake.flushed(4);
        let closed = Incoming::Closed(Why::Unauthorized);
        assert!(takes(&intake, closed.clone()));
        drop(intake);
        let mut rest = Vec::new();
        assert_eq!(inflow.recv_many(&mut rest, 9).await, 2);
        assert_eq!(rest, [Incoming::Flushed(4), closed]);
    }

    #[tokio::test]
    async fn a_socket_waiting_for_space_ends_with_its_reader() {
        let (intake, inflow) = inflow(false);
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
