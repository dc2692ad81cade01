//! [`Batch`]: entries of the log in one frame that both ends take, encoded once for all clients.

use std::sync::{Arc, OnceLock};

use serde::Serialize;

use super::message::MAX_FRAME_BYTES;
use crate::model::{Entry, Offset};

const BEGIN: &str = r#"{"type":"log","entries":["#;
const END: &str = "]}";
/// What a page of history or a device's log has around its entries, at most.
const AROUND_HISTORY: usize = 1024;

/// Entries that were committed together, with the frame that carries them.
#[derive(Debug)]
pub struct Batch {
    /// The entries, gapless, in order; at least one.
    pub entries: Vec<Entry>,
    frame: OnceLock<Arc<str>>,
}

impl Batch {
    /// A batch of these entries; `None` without entries.
    pub fn new(entries: Vec<Entry>) -> Option<Arc<Batch>> {
        (!entries.is_empty()).then(|| Arc::new(Batch { entries, frame: OnceLock::new() }))
    }

    /// As many batches as it takes to keep each frame within [`MAX_FRAME_BYTES`].
    pub fn cut(entries: Vec<Entry>) -> Vec<Arc<Batch>> {
        let mut batches = Vec::new();
        let (mut held, mut frame) = (Vec::new(), String::new());
        for entry in entries {
            let text = encode(&entry);
            if !held.is_empty() && frame.len() + 1 + text.len() + END.len() > MAX_FRAME_BYTES {
                batches.push(Batch::encoded(std::mem::take(&mut held), std::mem::take(&mut frame)));
            }
            frame.push_str(if held.is_empty() { BEGIN } else { "," });
            frame.push_str(&text);
            held.push(entry);
        }
        if !held.is_empty() {
            batches.push(Batch::encoded(held, frame));
        }
        batches
    }

    fn encoded(entries: Vec<Entry>, mut frame: String) -> Arc<Batch> {
        frame.push_str(END);
        Arc::new(Batch { entries, frame: OnceLock::from(Arc::from(frame)) })
    }

    /// The first entry's offset.
    pub fn first(&self) -> Offset {
        self.entries.first().map_or(0, |entry| entry.offset)
    }

    /// The last entry's offset.
    pub fn last(&self) -> Offset {
        self.entries.last().map_or(0, |entry| entry.offset)
    }

    /// Whether the frame is within [`MAX_FRAME_BYTES`]; always so after [`Batch::cut`].
    pub fn fits(&self) -> bool {
        self.text().len() <= MAX_FRAME_BYTES
    }

    /// The text frame.
    pub fn text(&self) -> Arc<str> {
        let all = || {
            let entries: Vec<String> = self.entries.iter().map(encode::<Entry>).collect();
            Arc::from([BEGIN, &entries.join(","), END].concat())
        };
        Arc::clone(self.frame.get_or_init(all))
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
