//! The rows of a server whose messages are frames, as they came: text word for word, bytes as a dump, and what is said of the
//! socket itself. Nothing is folded into anything else, and what is shown of one row never depends on another.

use super::json::{self, NotFormatted};
use super::literal::{Literal, dump};
use super::rows::{Fold, Progress, fold};
use crate::model::content::Content;
use crate::model::socket_row::{self, Row as Came};
use crate::model::time::WallMs;
use crate::ui::harmless;
use crate::ui::icons::Icon;
use crate::ui::text::{Words, local};

/// Longer bytes are folded.
const FOLD_BYTES: usize = 512;
/// So many of them are shown.
const FOLDED_BYTES: usize = 256;
/// A longer text is drawn line by line, in bytes.
const MAX_WHOLE_BYTES: usize = 16 * 1024;
/// Longest text of the server's that a line about the socket holds, in characters.
const MAX_WORDS_CHARS: usize = 300;
/// What a screen reader is given of a literal, in bytes.
const MAX_READ_BYTES: usize = 2_000;

/// What is special about a row of a frame.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) kind: Kind,
    /// The moment to the millisecond.
    pub(super) moment: String,
    /// How much was sent or received, in bytes.
    pub(super) bytes: usize,
    /// Drawn line by line, where it is long or no text.
    pub(super) literal: Option<Literal>,
    /// Whether it is, or may be, JSON that can be put on lines of its own.
    pub(super) may_be_json: bool,
    /// Whether that was asked for.
    pub(super) formatted: bool,
    /// Why it is not.
    pub(super) note: Option<String>,
}

/// What came or went.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Bytes,
    /// A line about the socket.
    Socket(Icon),
}

/// A frame prepared, with the text of its row and how that is folded.
pub(super) struct Prepared {
    pub(super) frame: Frame,
    pub(super) text: String,
    pub(super) fold: Fold,
}

/// Prepares what is shown of some content.
pub(super) fn prepare(
    content: &Content,
    at: WallMs,
    expanded: bool,
    formatted: bool,
    words: &Words,
) -> Prepared {
    let body = content.body();
    let moment = local::precise(at);
    let frame =
        |kind, bytes| Frame { kind, moment, bytes, literal: None, may_be_json: false, formatted, note: None };
    if let Some((icon, text)) = socket(content, words) {
        return Prepared { frame: frame(Kind::Socket(icon), 0), text, fold: Fold::None };
    }
    if socket_row::is_binary(content.extra()) {
        let all = body.len() / 2;
        let fold = if all > FOLD_BYTES { Fold::Bytes(all) } else { Fold::None };
        let shown =
            if expanded || fold == Fold::None { body } else { body.get(..2 * FOLDED_BYTES).unwrap_or(body) };
        // What no version of this program wrote is shown as the text that it is.
        if let Ok(bytes) = socket_row::bytes_of(shown) {
            let text = dump(&bytes[..bytes.len().min(FOLDED_BYTES)]);
            let literal = Some(Literal::Bytes(bytes));
            return Prepared { frame: Frame { literal, ..frame(Kind::Bytes, all) }, text, fold };
        }
    }
    let mut frame = frame(Kind::Text, body.len());
    frame.may_be_json = json::looks_like_json(body);
    let laid_out = match (formatted && frame.may_be_json).then(|| json::format(body)) {
        Some(Ok(text)) => Some(text),
        Some(Err(NotFormatted::NotJson(line, column))) => {
            frame.note = Some((words.plain.not_json)(line, column));
            None
        }
        Some(Err(NotFormatted::TooLong)) | None => None,
    };
    let whole = laid_out.as_deref().unwrap_or(body);
    let (part, fold) = fold(whole);
    let shown = harmless::text(if expanded { whole } else { part });
    let mut text = shown.into_owned();
    if text.len() > MAX_WHOLE_BYTES {
        let mut read = MAX_READ_BYTES;
        while !text.is_char_boundary(read) {
            read -= 1;
        }
        let beginning = text[..read].to_owned();
        frame.literal = Some(Literal::text(std::mem::replace(&mut text, beginning)));
    }
    Prepared { frame, text, fold }
}

/// What is said of the socket, where the content is that.
pub(super) fn socket(content: &Content, words: &Words) -> Option<(Icon, String)> {
    if !socket_row::is_socket(content.extra()) {
        return None;
    }
    let line = |text: &str| harmless::line(text, MAX_WORDS_CHARS);
    match Came::of("", content.extra()) {
        Came::Opened { subprotocol, extensions } => {
            let subprotocol = subprotocol.map(|name| line(&name));
            Some((Icon::Connect, (words.plain.opened)(subprotocol.as_deref(), &line(&extensions))))
        }
        Came::Closed { code, reason, clean, by_us } => {
            let reason = line(&reason);
            Some((Icon::Disconnect, (words.plain.closed)(by_us, code, &reason, clean)))
        }
        Came::Lost { detail } => Some((Icon::Alert, (words.plain.lost)(&line(&detail)))),
        Came::Text(_) | Came::Binary(_) => None,
    }
}

/// Which way a message went, and how sure that is.
pub(super) fn direction(mine: bool, progress: &Progress, words: &Words) -> &'static str {
    match progress {
        _ if !mine => words.plain.received,
        Progress::Logged { .. } | Progress::Ours | Progress::Acknowledged => words.plain.sent,
        Progress::Sent => words.sent_unconfirmed,
        Progress::Pending => words.waiting_to_send,
        Progress::Attempted => words.sending,
        // What became of these stands below them.
        Progress::Unsure | Progress::Failed(_) => words.plain.to_server,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::content::Extra;
    use crate::ui::text::{ENGLISH, KOREAN};

    fn text(body: &str) -> Content {
        Content::text(body)
    }

    fn bytes(count: usize) -> Content {
        Content::Text { body: "0a".repeat(count), extra: socket_row::binary() }
    }

    fn about(json: &str) -> Content {
        Content::Text { body: "…".into(), extra: Extra::from_json(json) }
    }

    #[test]
    fn text_is_shown_as_it_came_and_json_on_request() {
        let plain = prepare(&text("**bold** {\"a\":1}"), WallMs(0), false, true, &ENGLISH);
        assert_eq!((plain.text.as_str(), plain.frame.may_be_json), ("**bold** {\"a\":1}", false));
        let json = |formatted| prepare(&text("{\"a\":[1]}"), WallMs(0), false, formatted, &ENGLISH);
        assert_eq!(json(false).text, "{\"a\":[1]}");
        assert_eq!(json(true).text, "{\n  \"a\": [\n    1\n  ]\n}");
        let broken = prepare(&text("{\"a\":}"), WallMs(0), false, true, &ENGLISH);
        assert_eq!(broken.text, "{\"a\":}");
        assert!(broken.frame.note.unwrap().contains("line 1, column 6"));
        let harmful = prepare(&text("a\u{202e}b\u{1b}[31m"), WallMs(0), false, false, &ENGLISH);
        assert!(!harmful.text.contains(['\u{202e}', '\u{1b}']));
    }

    #[test]
    fn a_mebibyte_is_folded_and_its_whole_is_drawn_line_by_line() {
        let long = text(&"x".repeat(1024 * 1024));
        let folded = prepare(&long, WallMs(0), false, false, &ENGLISH);
        assert!(folded.fold == Fold::Characters(1024 * 1024) && folded.frame.literal.is_none());
        let whole = prepare(&long, WallMs(0), true, false, &ENGLISH);
        assert!(whole.frame.literal.is_some() && whole.text.len() <= MAX_READ_BYTES);
        let folded = prepare(&bytes(1024 * 1024), WallMs(0), false, false, &ENGLISH);
        assert_eq!(folded.fold, Fold::Bytes(1024 * 1024));
        let Some(Literal::Bytes(shown)) = folded.frame.literal else { panic!() };
        assert_eq!(shown.len(), FOLDED_BYTES);
        assert_eq!(
            prepare(&bytes(3), WallMs(0), false, false, &ENGLISH).text,
            "00000000  0a 0a 0a ".to_owned() + &" ".repeat(41) + "..."
        );
    }

    #[test]
    fn the_socket_is_spoken_of_in_each_language() {
        let closed =
            about(r#"{"socket":{"is":"closed","code":1000,"reason":"Bye!","clean":true,"by":"server"}}"#);
        let said = |content, words| socket(content, words).unwrap().1;
        assert_eq!(said(&closed, &ENGLISH), "Closed by the server: 1000 (normal closure), “Bye!”, clean");
        assert_eq!(said(&closed, &KOREAN), "서버가 연결을 닫음: 1000(정상 종료), “Bye!”, 정상 종료");
        let own = about(r#"{"socket":{"is":"closed","code":4001,"reason":"","clean":false,"by":"server"}}"#);
        assert!(said(&own, &ENGLISH).contains("4001 (the server's own code)"));
        let lost = about(r#"{"socket":{"is":"lost","detail":"reset"}}"#);
        assert!(said(&lost, &ENGLISH).contains("without a close frame (1006)"));
        let opened = about(r#"{"socket":{"is":"opened","subprotocol":"v12.stomp","extensions":""}}"#);
        assert_eq!(said(&opened, &ENGLISH), "Connection opened, subprotocol v12.stomp");
        assert!(socket(&text("x"), &ENGLISH).is_none());
    }
}
