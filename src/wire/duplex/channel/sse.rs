//! Server-sent events, as the HTML Standard describes them (§9.2, "Server-sent events"): a writer of frames and a reader of
//! anybody's events.

use super::line::LineDecoder;
use super::{MAX_LINE_BYTES, Violation};

/// The media type.
pub const MEDIA_TYPE: &str = "text/event-stream";
/// A sign of life: a comment.
pub const ALIVE: &str = ":\n\n";
/// Maximum size of an event's id and type, in bytes. Longer ones are ignored.
const MAX_NAME_BYTES: usize = 1_024;
/// How long a stream says that a client should wait before it asks again, in milliseconds.
pub const RETRY_MS: u64 = 1_000;

/// Writes what a stream begins with: how long to wait before asking again, and thereby the first piece of the body.
pub fn opening() -> String {
    format!("retry: {RETRY_MS}\n\n")
}

/// Appends an event. `line` is a frame as [`line`](super::line) writes it, with the end of its line.
pub fn write(out: &mut Vec<u8>, number: u64, line: &[u8]) {
    out.extend_from_slice(format!("id: {number}\n").as_bytes());
    for part in line.strip_suffix(b"\n").unwrap_or(line).split(|byte| *byte == b'\n') {
        out.extend_from_slice(b"data: ");
        out.extend_from_slice(part);
        out.push(b'\n');
    }
    out.push(b'\n');
}

/// What was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received {
    /// An event.
    Event(Event),
    /// How long to wait before asking again, in milliseconds.
    Retry(u64),
    /// A comment, which is a sign of life.
    Comment,
}

/// An event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its type; `message` where it has none.
    pub event: String,
    /// Its data, the lines joined by line feeds.
    pub data: String,
    /// The last id that the stream has named, this event's or an earlier one's.
    pub id: String,
}

/// Reads an event stream, in pieces of any size.
#[derive(Debug, Default)]
pub struct SseReader {
    lines: LineDecoder,
    /// The stream has begun: a byte order mark is no longer skipped.
    has_begun: bool,
    event: String,
    data: String,
    /// Whether there was a line of data, which may be empty.
    has_data: bool,
    id: String,
}

impl SseReader {
    /// A reader of a stream that goes on after the event with this id; empty where there was none.
    pub fn after(id: impl Into<String>) -> Self {
        SseReader { id: id.into(), ..SseReader::default() }
    }

    /// Takes a piece in and returns what it completes.
    ///
    /// # Errors
    /// Where a line or an event is longer than a frame may be.
    pub fn push(&mut self, piece: &[u8]) -> Result<Vec<Received>, Violation> {
        let mut received = Vec::new();
        let mut lines = std::mem::take(&mut self.lines);
        let pushed = lines.push(piece, |line| self.line(line, &mut received));
        self.lines = lines;
        pushed.map(|()| received)
    }

    fn line(&mut self, line: &[u8], received: &mut Vec<Received>) -> Result<(), Violation> {
        let is_first = !std::mem::replace(&mut self.has_begun, true);
        let line = if is_first { line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(line) } else { line };
        if line.is_empty() {
            received.extend(self.dispatch().map(Received::Event));
            return Ok(());
        }
        let colon = memchr::memchr(b':', line);
        let (field, value) = match colon {
            Some(0) => {
                received.push(Received::Comment);
                return Ok(());
            }
            Some(colon) => (&line[..colon], &line[colon + 1..]),
            None => (line, &b""[..]),
        };
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match field {
            b"data" => self.data(value)?,
            b"event" if value.len() <= MAX_NAME_BYTES => {
                self.event = String::from_utf8_lossy(value).into_owned();
            }
            b"id" if value.len() <= MAX_NAME_BYTES && !value.contains(&0) => {
                self.id = String::from_utf8_lossy(value).into_owned();
            }
            b"retry" if !value.is_empty() && value.iter().all(u8::is_ascii_digit) => {
                let retry = std::str::from_utf8(value).ok().and_then(|value| value.parse().ok());
                received.extend(retry.map(Received::Retry));
            }
            _ => {}
        }
        Ok(())
    }

    fn data(&mut self, value: &[u8]) -> Result<(), Violation> {
        if std::mem::replace(&mut self.has_data, true) {
            self.data.push('\n');
        }
        let value = String::from_utf8_lossy(value);
        if self.data.len() + value.len() > MAX_LINE_BYTES {
            let detail = format!("an event is longer than {MAX_LINE_BYTES} bytes");
            return Err(Violation::Unreadable { detail });
        }
        self.data.push_str(&value);
        Ok(())
    }

    /// An event without data is none, but for its id.
    fn dispatch(&mut self) -> Option<Event> {
        let (event, data) = (std::mem::take(&mut self.event), std::mem::take(&mut self.data));
        let had_data = std::mem::take(&mut self.has_data);
        had_data.then(|| Event {
            event: if event.is_empty() { "message".to_owned() } else { event },
            data,
            id: self.id.clone(),
        })
    }
}
