//! The lines of a connection's log taken over by the view, and those that pass the filter.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use super::line;
use crate::model::log::{Line, Log, Way, What};
use crate::ui::text::Words;

/// Maximum number of kinds offered in the filter: a server can send any number.
const MAX_KINDS: usize = 40;

/// Which lines are shown.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum LineKinds {
    /// All lines.
    #[default]
    Everything,
    /// Received frames.
    Received,
    /// Sent frames.
    Sent,
    /// Notes only.
    Notes,
}

/// The filter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Filter {
    /// Text that the line must contain.
    pub(super) text: String,
    /// Direction.
    pub(super) show: LineKinds,
    /// Kind of frame; `None` for all.
    pub(super) kind: Option<String>,
}

impl Filter {
    /// Whether every line passes.
    pub(super) fn is_open(&self) -> bool {
        self.text.trim().is_empty() && self.show == LineKinds::Everything && self.kind.is_none()
    }

    fn matches(&self, words: &Words, line: &Line) -> bool {
        let text = self.text.trim();
        match &line.what {
            What::Note(note) => {
                matches!(self.show, LineKinds::Everything | LineKinds::Notes)
                    && self.kind.is_none()
                    && contains(&line::note(words, note), text)
            }
            What::Frame(passed) => {
                let right_way = match self.show {
                    LineKinds::Everything => true,
                    LineKinds::Received => passed.way == Way::Received,
                    LineKinds::Sent => passed.way == Way::Sent,
                    LineKinds::Notes => false,
                };
                right_way
                    && self.kind.as_ref().is_none_or(|kind| *kind == passed.kind)
                    && (contains(&passed.text, text) || contains(&passed.kind, text))
            }
        }
    }
}

/// Whether a text contains another, ignoring case.
fn contains(text: &str, part: &str) -> bool {
    if part.is_empty() || text.contains(part) {
        return true;
    }
    if part.is_ascii() {
        let (text, part) = (text.as_bytes(), part.as_bytes());
        return text.windows(part.len()).any(|window| window.eq_ignore_ascii_case(part));
    }
    text.to_lowercase().contains(&part.to_lowercase())
}

/// The lines of the view.
#[derive(Default)]
pub(super) struct LineBuffer {
    lines: VecDeque<Arc<Line>>,
    shown: VecDeque<Arc<Line>>,
    kinds: BTreeSet<String>,
    /// Number of the first line that was not taken over yet.
    next: u64,
    meanwhile: u64,
}

impl LineBuffer {
    /// Drops lines that the log evicted. Returns the new ones, for [`LineBuffer::add`].
    pub(super) fn take(&mut self, log: &Log) -> Vec<Arc<Line>> {
        self.meanwhile = 0;
        self.lines.retain(|line| log.holds(line));
        let new: Vec<_> = log.since(self.next).cloned().collect();
        self.next = log.next();
        new
    }

    /// Counts new lines without taking them over, while paused.
    pub(super) fn count(&mut self, log: &Log) {
        self.meanwhile = log.next().saturating_sub(self.next);
    }

    /// Adds lines after the model lock is released. Returns whether the visible lines changed.
    pub(super) fn add(&mut self, words: &Words, filter: &Filter, new: Vec<Arc<Line>>) -> bool {
        let before = (self.shown.front().map(|line| line.number), self.shown.len());
        let oldest = |lines: &VecDeque<Arc<Line>>, is_frame: bool| {
            let mut of_it = lines.iter().filter(|line| matches!(line.what, What::Frame(_)) == is_frame);
            of_it.next().map_or(u64::MAX, |line| line.number)
        };
        let (notes, frames) = (oldest(&self.lines, false), oldest(&self.lines, true));
        self.shown
            .retain(|line| line.number >= if matches!(line.what, What::Frame(_)) { frames } else { notes });
        let mut changed = before != (self.shown.front().map(|line| line.number), self.shown.len());
        for line in new {
            if let What::Frame(passed) = &line.what
                && !passed.kind.is_empty()
                && self.kinds.len() < MAX_KINDS
                && !self.kinds.contains(&passed.kind)
            {
                self.kinds.insert(passed.kind.clone());
            }
            if filter.matches(words, &line) {
                self.shown.push_back(Arc::clone(&line));
                changed = true;
            }
            self.lines.push_back(line);
        }
        changed
    }

    /// Applies another filter.
    pub(super) fn filter(&mut self, words: &Words, filter: &Filter) {
        self.shown = self.lines.iter().filter(|line| filter.matches(words, line)).cloned().collect();
    }

    /// Drops all lines, including those not taken over yet.
    pub(super) fn clear(&mut self) {
        *self = LineBuffer { next: self.next + self.meanwhile, ..LineBuffer::default() };
    }

    /// The lines that pass the filter, oldest first.
    pub(super) fn shown(&self) -> &VecDeque<Arc<Line>> {
        &self.shown
    }

    /// Number of lines, filtered or not.
    pub(super) fn len(&self) -> usize {
        self.lines.len()
    }

    /// Number of lines that arrived while paused.
    pub(super) fn meanwhile(&self) -> u64 {
        self.meanwhile
    }

    /// The kinds of frames seen.
    pub(super) fn kinds(&self) -> impl Iterator<Item = &String> {
        self.kinds.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::log::{FRAMES, Note, Passed};
    use crate::model::time::WallMs;
    use crate::ui::text::ENGLISH;

    fn passed(way: Way, kind: &str, text: &str) -> Passed {
        let (kind, text) = (kind.to_owned(), text.to_owned());
        Passed { way, bytes: text.len(), kind, binary: false, counts: None, text, cut: false }
    }

    fn log() -> Log {
        let mut log = Log::default();
        log.watch(true);
        log.note(WallMs(0), Note::State { text: "online".into(), why: None });
        log.frame(WallMs(1), passed(Way::Sent, "send", "Boiler 한국 ÄÖ"));
        log.frame(WallMs(2), passed(Way::Received, "log", "boiler"));
        log.frame(WallMs(3), passed(Way::Received, "ack", "7"));
        log
    }

    fn numbers(held: &LineBuffer) -> Vec<u64> {
        held.shown().iter().map(|line| line.number).collect()
    }

    fn take(held: &mut LineBuffer, log: &Log, filter: &Filter) -> bool {
        let new = held.take(log);
        held.add(&ENGLISH, filter, new)
    }

    #[test]
    fn a_filter_combines_direction_kind_and_text() {
        let (log, open) = (log(), Filter::default());
        let mut held = LineBuffer::default();
        assert!(take(&mut held, &log, &open));
        let mut only = |filter: Filter| {
            held.filter(&ENGLISH, &filter);
            numbers(&held)
        };
        let text = |text: &str| Filter { text: text.into(), ..Filter::default() };
        assert_eq!(only(open), [0, 1, 2, 3]);
        assert_eq!(only(text(" BOILER ")), [1, 2]);
        assert_eq!(only(text("äö")), [1]);
        assert_eq!(only(text("한국")), [1]);
        assert_eq!(only(text("ack")), [3], "the text filter also matches kinds");
        assert_eq!(only(text("connection: online")), [0], "notes match in the interface language");
        assert_eq!(only(Filter { show: LineKinds::Received, ..text("boiler") }), [2]);
        assert_eq!(only(Filter { show: LineKinds::Sent, ..Filter::default() }), [1]);
        assert_eq!(only(Filter { show: LineKinds::Notes, ..Filter::default() }), [0]);
        assert_eq!(only(Filter { kind: Some("log".into()), ..Filter::default() }), [2]);
        assert_eq!(held.kinds().collect::<Vec<_>>(), ["ack", "log", "send"]);
    }

    #[test]
    fn new_lines_are_taken_once_and_evicted_ones_dropped() {
        let (mut log, mut held) = (log(), LineBuffer::default());
        let filter = Filter { show: LineKinds::Received, ..Filter::default() };
        assert!(take(&mut held, &log, &filter));
        assert!(!take(&mut held, &log, &filter), "nothing new");
        log.frame(WallMs(4), passed(Way::Sent, "send", "x"));
        assert!(!take(&mut held, &log, &filter), "nothing new that is shown");
        assert_eq!((numbers(&held), held.len()), (vec![2, 3], 5));
        for _ in 0..FRAMES {
            log.frame(WallMs(5), passed(Way::Received, "log", "y"));
        }
        assert!(take(&mut held, &log, &filter));
        assert_eq!((held.shown().len(), held.len()), (FRAMES, FRAMES + 1), "the note is still there");
        assert_eq!(held.shown()[0].number, 5);
        log.clear();
        assert!(take(&mut held, &log, &filter));
        assert_eq!((held.shown().len(), held.len()), (0, 0));
    }

    #[test]
    fn while_paused_lines_are_counted_and_taken_on_resume() {
        let (mut log, mut held, open) = (log(), LineBuffer::default(), Filter::default());
        take(&mut held, &log, &open);
        log.frame(WallMs(4), passed(Way::Received, "log", "y"));
        log.note(WallMs(5), Note::State { text: "waiting".into(), why: None });
        held.count(&log);
        assert_eq!((held.len(), held.meanwhile()), (4, 2));
        take(&mut held, &log, &open);
        assert_eq!((held.len(), held.meanwhile()), (6, 0));
        log.frame(WallMs(6), passed(Way::Received, "log", "z"));
        held.count(&log);
        held.clear();
        take(&mut held, &log, &open);
        assert_eq!(held.len(), 0, "lines that arrived before clearing are dropped too");
    }
}
