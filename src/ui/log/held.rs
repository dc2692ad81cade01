//! What of a connection's log is looked at: the lines as they were taken, and those of them that the filter lets through.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use super::line;
use crate::model::log::{Line, Log, Way, What};
use crate::ui::text::Words;

/// Most kinds that are offered to choose from: a server can make up any number.
const MOST_KINDS: usize = 40;

/// Which lines are shown.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Show {
    /// All.
    #[default]
    Everything,
    /// Frames that came.
    Received,
    /// Frames that went.
    Sent,
    /// No frames.
    Notes,
}

/// What the person looks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Filter {
    /// Anywhere in it.
    pub(super) text: String,
    /// Of which way.
    pub(super) show: Show,
    /// Of which kind alone.
    pub(super) kind: Option<String>,
}

impl Filter {
    /// Whether it lets everything through.
    pub(super) fn is_open(&self) -> bool {
        self.text.trim().is_empty() && self.show == Show::Everything && self.kind.is_none()
    }

    fn matches(&self, words: &Words, line: &Line) -> bool {
        let text = self.text.trim();
        match &line.what {
            What::Note(note) => {
                matches!(self.show, Show::Everything | Show::Notes)
                    && self.kind.is_none()
                    && contains(&line::note(words, note), text)
            }
            What::Frame(passed) => {
                let right_way = match self.show {
                    Show::Everything => true,
                    Show::Received => passed.way == Way::Received,
                    Show::Sent => passed.way == Way::Sent,
                    Show::Notes => false,
                };
                right_way
                    && self.kind.as_ref().is_none_or(|kind| *kind == passed.kind)
                    && (contains(&passed.text, text) || contains(&passed.kind, text))
            }
        }
    }
}

/// Whether a text contains another in whatever case.
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

/// The lines that are looked at.
#[derive(Default)]
pub(super) struct Held {
    lines: VecDeque<Arc<Line>>,
    shown: VecDeque<Arc<Line>>,
    kinds: BTreeSet<String>,
    /// The first line that is not taken yet.
    next: u64,
    meanwhile: u64,
}

impl Held {
    /// Lets go of what the log let go of, and returns what is new in it, to be added.
    pub(super) fn take(&mut self, log: &Log) -> Vec<Arc<Line>> {
        self.meanwhile = 0;
        self.lines.retain(|line| log.holds(line));
        let new: Vec<_> = log.since(self.next).cloned().collect();
        self.next = log.next();
        new
    }

    /// Only counts what is new.
    pub(super) fn count(&mut self, log: &Log) {
        self.meanwhile = log.next().saturating_sub(self.next);
    }

    /// Adds what was taken, once the model is let go. Returns whether other lines are shown than before.
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
                && self.kinds.len() < MOST_KINDS
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

    /// The person looks for something else.
    pub(super) fn filter(&mut self, words: &Words, filter: &Filter) {
        self.shown = self.lines.iter().filter(|line| filter.matches(words, line)).cloned().collect();
    }

    /// Lets go of all lines; those that come later are taken.
    pub(super) fn clear(&mut self) {
        *self = Held { next: self.next + self.meanwhile, ..Held::default() };
    }

    /// The lines that the filter lets through, oldest first.
    pub(super) fn shown(&self) -> &VecDeque<Arc<Line>> {
        &self.shown
    }

    /// How many lines there are in all.
    pub(super) fn len(&self) -> usize {
        self.lines.len()
    }

    /// How many came and were not taken.
    pub(super) fn meanwhile(&self) -> u64 {
        self.meanwhile
    }

    /// The kinds of frames there were.
    pub(super) fn kinds(&self) -> impl Iterator<Item = &String> {
        self.kinds.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::log::{FRAMES, Note, Passed};
    use crate::ui::text::ENGLISH;

    fn passed(way: Way, kind: &str, text: &str) -> Passed {
        let (kind, text) = (kind.to_owned(), text.to_owned());
        Passed { way, bytes: text.len(), kind, binary: false, counts: None, text, cut: false }
    }

    fn log() -> Log {
        let mut log = Log::default();
        log.watch(true);
        log.note(0, Note::State { text: "online".into(), why: None });
        log.frame(1, passed(Way::Sent, "send", "Boiler 한국 ÄÖ"));
        log.frame(2, passed(Way::Received, "log", "boiler"));
        log.frame(3, passed(Way::Received, "ack", "7"));
        log
    }

    fn numbers(held: &Held) -> Vec<u64> {
        held.shown().iter().map(|line| line.number).collect()
    }

    fn take(held: &mut Held, log: &Log, filter: &Filter) -> bool {
        let new = held.take(log);
        held.add(&ENGLISH, filter, new)
    }

    #[test]
    fn a_filter_looks_at_way_kind_and_text_together() {
        let (log, open) = (log(), Filter::default());
        let mut held = Held::default();
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
        assert_eq!(only(text("ack")), [3], "a kind is text too");
        assert_eq!(only(text("connection: online")), [0], "as the person reads it");
        assert_eq!(only(Filter { show: Show::Received, ..text("boiler") }), [2]);
        assert_eq!(only(Filter { show: Show::Sent, ..Filter::default() }), [1]);
        assert_eq!(only(Filter { show: Show::Notes, ..Filter::default() }), [0]);
        assert_eq!(only(Filter { kind: Some("log".into()), ..Filter::default() }), [2]);
        assert_eq!(held.kinds().collect::<Vec<_>>(), ["ack", "log", "send"]);
    }

    #[test]
    fn what_comes_is_taken_once_and_what_is_gone_is_let_go() {
        let (mut log, mut held) = (log(), Held::default());
        let filter = Filter { show: Show::Received, ..Filter::default() };
        assert!(take(&mut held, &log, &filter));
        assert!(!take(&mut held, &log, &filter), "nothing new");
        log.frame(4, passed(Way::Sent, "send", "x"));
        assert!(!take(&mut held, &log, &filter), "nothing new that is shown");
        assert_eq!((numbers(&held), held.len()), (vec![2, 3], 5));
        for _ in 0..FRAMES {
            log.frame(5, passed(Way::Received, "log", "y"));
        }
        assert!(take(&mut held, &log, &filter));
        assert_eq!((held.shown().len(), held.len()), (FRAMES, FRAMES + 1), "the note is there still");
        assert_eq!(held.shown()[0].number, 5);
        log.clear();
        assert!(take(&mut held, &log, &filter));
        assert_eq!((held.shown().len(), held.len()), (0, 0));
    }

    #[test]
    fn while_it_is_paused_what_comes_is_counted_and_then_taken() {
        let (mut log, mut held, open) = (log(), Held::default(), Filter::default());
        take(&mut held, &log, &open);
        log.frame(4, passed(Way::Received, "log", "y"));
        log.note(5, Note::State { text: "waiting".into(), why: None });
        held.count(&log);
        assert_eq!((held.len(), held.meanwhile()), (4, 2));
        take(&mut held, &log, &open);
        assert_eq!((held.len(), held.meanwhile()), (6, 0));
        log.frame(6, passed(Way::Received, "log", "z"));
        held.count(&log);
        held.clear();
        take(&mut held, &log, &open);
        assert_eq!(held.len(), 0, "what came before it was cleared is cleared too");
    }
}
