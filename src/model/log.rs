//! The connection log: decoded lines about one connection, for people. Bounded; secrets never reach it.

pub mod json;

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;

use super::event::LogEvent;
pub use super::note::{Counts, Note, Passed, TEXT_BYTES, Way};
use super::time::{Time, WallMs};

/// Most notes kept for a connection.
pub const NOTES: usize = 500;
/// Most frames kept for a connection.
pub const FRAMES: usize = 2_000;
/// Most bytes of frames kept for a connection.
pub const FRAME_BYTES: usize = 2 * 1024 * 1024;
/// What a frame costs beside its text, in bytes, about.
const LINE_BYTES: usize = 160;

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Counts all lines of the log from 0; never given twice.
    pub number: u64,
    /// When.
    pub at: WallMs,
    /// What.
    pub what: What,
}

/// What a line is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// Kept always.
    Note(Note),
    /// Kept while the log is watched.
    Frame(Passed),
}

/// The newest [`NOTES`], and while the log is watched the newest [`FRAMES`], at most [`FRAME_BYTES`] of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Log {
    notes: VecDeque<Arc<Line>>,
    frames: VecDeque<Arc<Line>>,
    frame_bytes: usize,
    next: u64,
    watched: bool,
    /// Where it was saved last, or why it was not, in the system's words.
    pub saved: Option<Result<PathBuf, String>>,
}

impl Log {
    /// Takes one event in.
    pub fn apply(&mut self, now: Time, event: LogEvent) {
        match event {
            LogEvent::Note(note) => self.note(now.wall_ms, note),
            LogEvent::Passed(passed) => self.frame(now.wall_ms, *passed),
            LogEvent::Watched(watched) => self.watch(watched),
            LogEvent::Cleared => self.clear(),
            LogEvent::Saved(saved) => self.saved = Some(saved),
        }
    }

    /// Adds a note; the oldest makes room.
    pub fn note(&mut self, at: WallMs, note: Note) {
        if self.notes.len() == NOTES {
            self.notes.pop_front();
        }
        let number = self.take_number();
        self.notes.push_back(Arc::new(Line { number, at, what: What::Note(note) }));
    }

    /// Adds a frame; the oldest ones make room. Nothing is kept unless the log is watched.
    pub fn frame(&mut self, at: WallMs, passed: Passed) {
        if !self.watched {
            return;
        }
        self.frame_bytes += cost(&passed);
        let number = self.take_number();
        self.frames.push_back(Arc::new(Line { number, at, what: What::Frame(passed) }));
        while self.frames.len() > FRAMES || self.frame_bytes > FRAME_BYTES {
            let Some(oldest) = self.frames.pop_front() else { break };
            if let What::Frame(passed) = &oldest.what {
                self.frame_bytes -= cost(passed);
            }
        }
    }

    /// Begins to keep frames, or stops and lets go of those it has.
    pub fn watch(&mut self, watched: bool) {
        self.watched = watched;
        if !watched {
            self.frames = VecDeque::new();
            self.frame_bytes = 0;
            self.saved = None;
        }
    }

    /// Whether frames are kept.
    pub fn is_watched(&self) -> bool {
        self.watched
    }

    /// Lets go of every line. Numbers go on.
    pub fn clear(&mut self) {
        self.notes.clear();
        self.frames.clear();
        self.frame_bytes = 0;
        self.saved = None;
    }

    /// The lines from this number on, oldest first.
    pub fn since(&self, number: u64) -> impl Iterator<Item = &Arc<Line>> {
        let mut notes = tail(&self.notes, number).peekable();
        let mut frames = tail(&self.frames, number).peekable();
        std::iter::from_fn(move || match (notes.peek(), frames.peek()) {
            (Some(note), Some(frame)) if note.number < frame.number => notes.next(),
            (_, Some(_)) => frames.next(),
            _ => notes.next(),
        })
    }

    /// Whether a line that was once in it still is.
    pub fn holds(&self, line: &Line) -> bool {
        let kept = match line.what {
            What::Note(_) => &self.notes,
            What::Frame(_) => &self.frames,
        };
        kept.front().is_some_and(|oldest| oldest.number <= line.number)
    }

    /// The number of the next line: the count of all that ever were.
    pub fn next(&self) -> u64 {
        self.next
    }

    fn take_number(&mut self) -> u64 {
        let number = self.next;
        self.next += 1;
        number
    }
}

fn tail(lines: &VecDeque<Arc<Line>>, number: u64) -> impl Iterator<Item = &Arc<Line>> {
    lines.range(lines.partition_point(|line| line.number < number)..)
}

fn cost(passed: &Passed) -> usize {
    passed.text.capacity() + passed.kind.capacity() + LINE_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passed(text: &str) -> Passed {
        Passed {
            way: Way::Received,
            bytes: text.len(),
            kind: "log".into(),
            binary: false,
            counts: None,
            text: text.into(),
            cut: false,
        }
    }

    fn state(text: &str) -> Note {
        Note::State { text: text.into(), why: None }
    }

    fn numbers(log: &Log) -> Vec<u64> {
        log.since(0).map(|line| line.number).collect()
    }

    #[test]
    fn frames_are_kept_only_while_somebody_looks() {
        let mut log = Log::default();
        log.frame(WallMs(1), passed("a"));
        assert!(numbers(&log).is_empty(), "nobody looks");
        log.note(WallMs(2), state("online"));
        log.watch(true);
        log.frame(WallMs(3), passed("b"));
        log.note(WallMs(4), state("waiting"));
        log.frame(WallMs(5), passed("c"));
        assert_eq!(numbers(&log), [0, 1, 2, 3], "notes and frames in the order in which they came");
        assert_eq!(log.since(2).map(|line| line.at).collect::<Vec<_>>(), [WallMs(4), WallMs(5)]);
        log.watch(false);
        assert_eq!(numbers(&log), [0, 2], "notes stay");
        assert_eq!(log.frame_bytes, 0);
    }

    #[test]
    fn the_oldest_frames_make_room_and_notes_outlive_them() {
        let mut log = Log::default();
        log.watch(true);
        log.note(WallMs(0), state("online"));
        let first = log.since(0).next().unwrap().clone();
        for _ in 0..FRAMES + 7 {
            log.frame(WallMs(1), passed("x"));
        }
        assert_eq!(log.frames.len(), FRAMES);
        assert_eq!(numbers(&log)[..2], [0, 8], "seven frames are gone");
        assert!(
            log.holds(&first)
                && !log.holds(&Line { number: 7, at: WallMs(1), what: What::Frame(passed("x")) })
        );
        let large = "x".repeat(TEXT_BYTES);
        for _ in 0..FRAMES {
            log.frame(WallMs(1), passed(&large));
            assert!(log.frame_bytes <= FRAME_BYTES);
        }
        let held = log.frames.len();
        assert!((FRAME_BYTES / (TEXT_BYTES + 300)..FRAMES).contains(&held), "{held}");
        for _ in 0..NOTES + 3 {
            log.note(WallMs(2), state("waiting"));
        }
        assert_eq!(log.notes.len(), NOTES);
        assert!(!log.holds(&first));
    }

    #[test]
    fn what_is_cleared_is_gone_and_its_numbers_are_not_given_again() {
        let mut log = Log::default();
        log.watch(true);
        log.note(WallMs(0), state("online"));
        log.frame(WallMs(1), passed("a"));
        let frame = log.since(1).next().unwrap().clone();
        log.clear();
        assert_eq!((numbers(&log), log.frame_bytes, log.next()), (vec![], 0, 2));
        assert!(!log.holds(&frame));
        log.frame(WallMs(2), passed("b"));
        assert_eq!(numbers(&log), [2]);
        assert!(log.is_watched());
    }
}
