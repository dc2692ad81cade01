//! One line of the log in words: as it stands in its row, as it is read aloud, and as it is copied and saved.

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::model::log::{Line, Note, Passed, What, json};
use crate::ui::text::{StateWord, Words, log};
use crate::ui::{harmless, value};

/// What does not fit into any row is not looked at.
const ROW_CHARS: usize = 400;
/// A server's own words are shown up to so many characters.
const NOTE_CHARS: usize = 2_000;

/// A note's sentence.
pub(super) fn note(all: &Words, note: &Note) -> String {
    let words = all.log;
    match note {
        Note::State { text, why } => {
            let cause = why.as_ref().map(|why| (all.why)(why).what);
            let text = match StateWord::of_code(text) {
                Some(word) => (all.state)(word).to_owned(),
                None => harmless::line(text, NOTE_CHARS),
            };
            (words.state)(&text, cause.map(|cause| harmless::line(&cause, NOTE_CHARS)).as_deref())
        }
        Note::Malformed { detail } => (words.malformed)(&harmless::line(detail, NOTE_CHARS)),
        Note::ServerError { code, detail } => {
            (words.server_error)(&harmless::line(code, 64), &harmless::line(detail, NOTE_CHARS))
        }
    }
}

/// A line's kind.
pub(super) fn kind(words: &Words, line: &Line) -> String {
    let log = words.log;
    match &line.what {
        What::Note(_) => log.note.to_owned(),
        What::Frame(passed) if passed.binary => log.binary.to_owned(),
        What::Frame(passed) if passed.kind.is_empty() => log.no_kind.to_owned(),
        What::Frame(passed) => harmless::line(&passed.kind, 40),
    }
}

/// A frame's size.
pub(super) fn size(words: &Words, passed: &Passed) -> String {
    value::bytes(words, "B", passed.bytes as f64)
}

/// What a line says, in one row.
pub(super) fn row(words: &Words, line: &Line) -> String {
    match &line.what {
        What::Note(what) => note(words, what),
        What::Frame(Passed { counts: Some(counts), .. }) => (words.log.counts)(counts),
        What::Frame(passed) => harmless::verbatim(&passed.text, ROW_CHARS),
    }
}

/// A line as it is read aloud.
pub(super) fn spoken(words: &Words, line: &Line) -> String {
    let (moment, kind, row) = (log::moment(line.at), kind(words, line), row(words, line));
    match &line.what {
        What::Note(_) => format!("{moment}, {kind}: {row}"),
        What::Frame(passed) => {
            let way = (words.log.way)(passed.way);
            format!("{moment}, {way}, {kind}, {}: {row}", size(words, passed))
        }
    }
}

/// All of a line, laid out, as it is shown.
pub(super) fn whole(words: &Words, line: &Line) -> String {
    match &line.what {
        What::Note(what) => note(words, what),
        What::Frame(passed) => harmless::text(&laid_out(passed)).into_owned(),
    }
}

/// All of a line as it is copied: a head, then the frame as it passed, laid out.
pub(super) fn copied(words: &Words, line: &Line) -> String {
    let mut text = head(words, line);
    match &line.what {
        What::Note(what) => text.push_str(&note(words, what)),
        What::Frame(passed) => {
            text.push('\n');
            text.push_str(&laid_out(passed));
            if passed.cut {
                text.push('\n');
                text.push_str(&(words.log.cut)(&size(words, passed)));
            }
        }
    }
    text
}

fn laid_out(passed: &Passed) -> Cow<'_, str> {
    if passed.binary { Cow::Borrowed(&passed.text) } else { Cow::Owned(json::pretty(&passed.text)) }
}

/// Adds a line to a text of many, in one row that ends.
pub(super) fn listed(words: &Words, line: &Line, text: &mut String) {
    text.push_str(&head(words, line));
    match &line.what {
        What::Note(what) => text.push_str(&note(words, what)),
        What::Frame(passed) => {
            text.push_str(&harmless::verbatim(&passed.text, usize::MAX));
            if passed.cut {
                let _ = write!(text, "… ({})", (words.log.cut)(&size(words, passed)));
            }
        }
    }
    text.push('\n');
}

fn head(words: &Words, line: &Line) -> String {
    let (stamp, kind) = (log::stamp(line.at), kind(words, line));
    match &line.what {
        What::Note(_) => format!("{stamp}  {kind}  "),
        What::Frame(passed) => {
            format!("{stamp}  {}  {kind}  {} B  ", (words.log.way)(passed.way), passed.bytes)
        }
    }
}
