//! [`Batch`]: entries of the log in one frame that both ends take, encoded once for all clients.

use std::sync::{Arc, OnceLock};

use serde::Serialize;

use super::message::MAX_FRAME_BYTES;
use crate::model::{Entry, Offset};

const BEGIN: &str = r#"{"type":"log","entries":["#;
const END: &str = "]}";
/// What a page of history or a device's log has around its entries, at most.
const AROUND_HISTORY: usize = 1024;

/// What one place between entries takes that are told of as hidden, in bytes, at most.
const SKIP_BYTES: usize = 40;
/// What surrounds all of them.
const SKIPS: (&str, &str) = (r#"],"skip":["#, "]}");

/// Entries of a stretch of the log, with the frame that carries them. What lies between them is not for the client.
#[derive(Debug)]
pub struct Batch {
    /// The entries, in order.
    pub entries: Vec<Entry>,
    /// The stretch's first offset, and its last one. What is hidden behind the last entry is not told of by this frame.
    stretch: (Offset, Offset),
    frame: OnceLock<Arc<str>>,
}

impl Batch {
    /// A batch of these entries, from the first to the last of them; `None` without entries.
    pub fn new(entries: Vec<Entry>) -> Option<Arc<Batch>> {
        let stretch = (entries.first()?.offset, entries.last()?.offset);
        Some(Arc::new(Batch { entries, stretch, frame: OnceLock::new() }))
    }

    /// What is left of it for somebody: the same stretch with those entries alone that they may see.
    pub fn seen(self: &Arc<Self>, sees: impl Fn(&Entry) -> bool) -> Arc<Batch> {
        if self.entries.iter().all(&sees) {
            return Arc::clone(self);
        }
        let entries = self.entries.iter().filter(|entry| sees(entry)).cloned().collect();
        Arc::new(Batch { entries, stretch: self.stretch, frame: OnceLock::new() })
    }

    /// The same for a client that was told of the log up to an earlier place than where it begins.
    pub(super) fn told_from(self: &Arc<Self>, first: Offset) -> Arc<Batch> {
        if first == self.stretch.0 {
            return Arc::clone(self);
        }
        let stretch = (first, self.stretch.1);
        Arc::new(Batch { entries: self.entries.clone(), stretch, frame: OnceLock::new() })
    }

    /// As many batches as it takes to keep each frame within [`MAX_FRAME_BYTES`]. The first one's stretch begins at `first`.
    pub fn cut(first: Offset, entries: Vec<Entry>) -> Vec<Arc<Batch>> {
        let mut batches = Vec::new();
        let (mut held, mut frame, mut skips, mut next) = (Vec::new(), String::new(), Skips::default(), first);
        let mut begins = first;
        for entry in entries {
            let text = encode(&entry);
            let around = SKIPS.0.len() + END.len() + skips.0.len() + SKIP_BYTES;
            if !held.is_empty() && frame.len() + 1 + text.len() + around > MAX_FRAME_BYTES {
                let (held, frame) = (std::mem::take(&mut held), std::mem::take(&mut frame));
                batches.push(Batch::encoded(begins, held, frame, &std::mem::take(&mut skips)));
                begins = next;
            }
            skips.between(next, entry.offset);
            next = entry.offset.next();
            frame.push_str(if held.is_empty() { BEGIN } else { "," });
            frame.push_str(&text);
            held.push(entry);
        }
        if !held.is_empty() {
            batches.push(Batch::encoded(begins, held, frame, &skips));
        }
        batches
    }

    fn encoded(first: Offset, entries: Vec<Entry>, mut frame: String, skips: &Skips) -> Arc<Batch> {
        frame.push_str(&skips.end());
        let stretch = (first, entries.last().map_or(first, |entry| entry.offset));
        Arc::new(Batch { entries, stretch, frame: OnceLock::from(Arc::from(frame)) })
    }

    /// The first offset of its stretch.
    pub fn first(&self) -> Offset {
        self.stretch.0
    }

    /// The last offset of its stretch.
    pub fn last(&self) -> Offset {
        self.stretch.1
    }

    /// Whether the frame is within [`MAX_FRAME_BYTES`]; always so after [`Batch::cut`].
    pub fn fits(&self) -> bool {
        self.entries.is_empty() || self.text().len() <= MAX_FRAME_BYTES
    }

    /// The text frame.
    pub fn text(&self) -> Arc<str> {
        let all = || {
            let (mut skips, mut next) = (Skips::default(), self.stretch.0);
            for entry in &self.entries {
                skips.between(next, entry.offset);
                next = entry.offset.next();
            }
            let entries: Vec<String> = self.entries.iter().map(encode::<Entry>).collect();
            Arc::from([BEGIN, &entries.join(","), &skips.end()].concat())
        };
        Arc::clone(self.frame.get_or_init(all))
    }
}

/// The places between entries that are not for the client, as JSON.
#[derive(Default)]
struct Skips(String);

impl Skips {
    /// The entry after `next - 1` is the one at `offset`.
    fn between(&mut self, next: Offset, offset: Offset) {
        if offset > next {
            let comma = if self.0.is_empty() { "" } else { "," };
            self.0.push_str(&format!("{comma}[{next},{}]", offset - 1));
        }
    }

    /// How a frame ends.
    fn end(&self) -> String {
        if self.0.is_empty() { END.to_owned() } else { [SKIPS.0, &self.0, SKIPS.1].concat() }
    }
}

/// The newest of these that fit into one frame, at least one, and whether that is all of them.
pub fn newest_that_fit<T: Serialize>(mut entries: Vec<T>) -> (Vec<T>, bool) {
    let mut room = MAX_FRAME_BYTES - AROUND_HISTORY;
    let fitting = entries.iter().rev().take_while(|entry| {
        let bytes = encode(entry).len() + 1;
        let fits = bytes <= room;
        room = room.saturating_sub(bytes);
        fits
    });
    let kept = fitting.count().max(1).min(entries.len());
    let gone = entries.len() - kept;
    entries.drain(..gone);
    (entries, gone == 0)
}

fn encode<T: Serialize>(entry: &T) -> String {
    // Serialising these cannot fail: no maps with other keys than texts, no failing `Serialize` of our own.
    serde_json::to_string(entry).unwrap_or_default()
}
