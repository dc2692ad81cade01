//! A log line as text: in its row, for screen readers, and when copied or saved.

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::model::log::{Line, Note, Passed, What, json};
use crate::ui::text::{StateWord, Words, log};
use crate::ui::{harmless, value};

/// Maximum number of characters of a line considered for its row.
const MAX_ROW_CHARS: usize = 400;
/// Maximum number of characters of text from the server.
const MAX_NOTE_CHARS: usize = 2_000;

/// Text of a note.
pub(super) fn note(all: &Words, note: &Note) -> String {
    let words = all.log;
    match note {
        Note::State { text, why } => {
            let cause = why.as_ref().map(|why| (all.why)(why).what);
            let text = match StateWord::of_code(text) {
                Some(word) => (all.state)(word).to_owned(),
                None => harmless::line(text, MAX_NOTE_CHARS),
            };
            (words.state)(&text, cause.map(|cause| harmless::line(&cause, MAX_NOTE_CHARS)).as_deref())
        }
        Note::Proxy(used) => (all.proxy.opened)(used),
        Note::Route(used) => (all.routes.via)(used),
        Note::Malformed { detail } => (words.malformed)(&harmless::line(detail, MAX_NOTE_CHARS)),
        Note::ServerError { code, detail } => {
            (words.server_error)(&harmless::line(code, 64), &harmless::line(detail, MAX_NOTE_CHARS))
        }
    }
}

/// Kind of a line.
pub(super) fn kind(words: &Words, line: &Line) -> String {
    let log = words.log;
    match &line.what {
        What::Note(_) => log.note.to_owned(),
        What::Frame(passed) if passed.binary => log.binary.to_owned(),
        What::Frame(passed) if passed.kind.is_empty() => log.no_kind.to_owned(),
        What::Frame(passed) => harmless::line(&passed.kind, 40),
    }
}

/// Size of a frame.
pub(super) fn size(words: &Words, passed: &Passed) -> String {
    value::bytes(words, "B", passed.bytes as f64)
}

/// Text of a line's row.
pub(super) fn row(words: &Words, line: &Line) -> String {
    match &line.what {
        What::Note(what) => note(words, what),
        What::Frame(Passed { counts: Some(counts), .. }) => (words.log.counts)(counts),
        What::Frame(passed) => harmless::verbatim(&passed.text, MAX_ROW_CHARS),
    }
}

/// Text for screen readers.
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

/// A line in full, formatted, as shown.
pub(super) fn whole(words: &Words, line: &Line) -> String {
    match &line.what {
        What::Note(what) => note(words, what),
        What::Frame(passed) => harmless::text(&laid_out(passed)).into_owned(),
    }
}

/// A line in full, as copied: its head, then the formatted frame.
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

/// Appends a line as one row of text.
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
