//! [`Packer`]: compresses what the hub sends, as far as its share of a processor allows. Beyond that, frames go out as they are.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::rate::{Bucket, PACKING};
use super::socket::Outgoing;
use crate::clock;
use crate::wire::duplex::deflate::{Deflater, GzipStream, MIN_BYTES};

/// What a frame costs besides its bytes: a compressor takes as long to begin as for so many bytes.
const FRAME_COST: usize = 2_000;
/// Maximum number of shared frames whose compressed form is kept, and maximum size of them.
const MAX_RECENT: usize = 8;
const MAX_RECENT_BYTES: usize = 2 * 1024 * 1024;

/// See the module. One compressor serves all clients.
#[derive(Debug)]
pub(super) struct Packer {
    inner: Mutex<Inner>,
    saved: AtomicU64,
}

/// A frame for many clients, and the compressed one if that is smaller.
type Shared = (Arc<str>, Option<Arc<[u8]>>);

#[derive(Debug)]
struct Inner {
    deflater: Deflater,
    budget: Bucket,
    /// Frames that many clients are sent, the newest last.
    recent: VecDeque<Shared>,
}

impl Default for Packer {
    fn default() -> Self {
        let budget = Bucket::new(PACKING, clock::now().boot_ms);
        let inner = Inner { deflater: Deflater::default(), budget, recent: VecDeque::new() };
        Packer { inner: Mutex::new(inner), saved: AtomicU64::new(0) }
    }
}

impl Packer {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The compressed form of a frame, where it is worth it.
    pub(super) fn packed(&self, frame: &Outgoing) -> Option<Arc<[u8]>> {
        if frame.len() < MIN_BYTES {
            return None;
        }
        let packed = match frame {
            Outgoing::Own(text) => self.lock().pack(text),
            Outgoing::Shared(text) => self.lock().pack_shared(text),
            Outgoing::Ping => None,
        }?;
        self.count(frame.len(), packed.len());
        Some(packed)
    }

    /// The compressed form of a body, where it is worth it.
    pub(super) fn gzip(&self, body: &[u8]) -> Option<Vec<u8>> {
        let mut inner = self.lock();
        let packed = if inner.may_take(body.len()) { inner.deflater.gzip(body) } else { None }?;
        drop(inner);
        self.count(body.len(), packed.len());
        Some(packed)
    }

    /// The next piece of a body that goes on.
    pub(super) fn piece(&self, stream: &mut GzipStream, piece: &[u8]) -> Vec<u8> {
        let mut inner = self.lock();
        let may = inner.may_take(piece.len());
        let packed = stream.piece(piece, may.then_some(&mut inner.deflater));
        drop(inner);
        self.count(piece.len(), packed.len());
        packed
    }

    fn count(&self, before: usize, after: usize) {
        self.saved.fetch_add(before.saturating_sub(after) as u64, Ordering::Relaxed);
    }

    /// Bytes that were not sent because they were compressed.
    pub(super) fn saved(&self) -> u64 {
        self.saved.load(Ordering::Relaxed)
    }
}

impl Inner {
    fn may_take(&mut self, bytes: usize) -> bool {
        let cost = u32::try_from(FRAME_COST + bytes).unwrap_or(u32::MAX);
        self.budget.try_take(cost, clock::now().boot_ms) == 0
    }

    fn pack(&mut self, text: &str) -> Option<Arc<[u8]>> {
        if self.may_take(text.len()) { self.deflater.pack(text).map(Arc::from) } else { None }
    }

    fn pack_shared(&mut self, text: &Arc<str>) -> Option<Arc<[u8]>> {
        if let Some((_, packed)) = self.recent.iter().rev().find(|(known, _)| Arc::ptr_eq(known, text)) {
            return packed.clone();
        }
        let packed = self.pack(text);
        self.recent.push_back((Arc::clone(text), packed.clone()));
        let bytes =
            |recent: &VecDeque<(Arc<str>, _)>| recent.iter().map(|(text, _)| text.len()).sum::<usize>();
        while self.recent.len() > MAX_RECENT || bytes(&self.recent) > MAX_RECENT_BYTES {
            self.recent.pop_front();
        }
        packed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_many_are_sent_is_compressed_once_and_all_of_it_within_a_budget() {
        let packer = Packer::default();
        let shared = Outgoing::Shared("x".repeat(100_000).into());
        let first = packer.packed(&shared).unwrap();
        assert!((0..1_000).all(|_| Arc::ptr_eq(&packer.packed(&shared).unwrap(), &first)));
        assert!(packer.saved() > 1_000 * 99_000);
        for number in 0..20 {
            packer.packed(&Outgoing::Shared(number.to_string().repeat(100_000).into()));
        }
        assert_eq!(packer.lock().recent.len(), MAX_RECENT);
        assert!(packer.packed(&Outgoing::Own("x".repeat(MIN_BYTES - 1))).is_none());
        let own = Outgoing::Own("x".repeat(1_000_000));
        let taken = (0..100).take_while(|_| packer.packed(&own).is_some()).count();
        assert!((5..40).contains(&taken), "{taken} megabytes at once");
        let mut stream = GzipStream::default();
        let piece = packer.piece(&mut stream, &[b'x'; 20_000_000]);
        assert!(piece.len() > 20_000_000, "stored, since nothing of the budget is left");
    }
}
