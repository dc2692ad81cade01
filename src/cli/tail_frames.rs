//! `duplexctl tail` of a plain WebSocket: every message as received, and events of the socket.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::args::Tail;
use super::follow::Follow;
use super::reason::{close_code, close_meaning, reason_of};
use super::{Exit, Failure, print};
use crate::clock;
use crate::model::event::{ChatEvent, LinkEvent};
use crate::model::link_state::{LinkState, Why};
use crate::model::socket_row::Row;
use crate::model::time::WallMs;
use crate::model::{Entry, Event, harmless};
use crate::privacy;
use crate::wire::SavedState;

/// Bytes per line of a dump.
const ROW_BYTES: usize = 16;
/// Codes that stand for a missing code and a missing close frame (RFC 6455 §7.4.1).
const NO_CODE: u16 = 1005;
const NO_CLOSE_FRAME: u16 = 1006;

pub(super) async fn run(command: Tail) -> Result<(), Failure> {
    let mut follow = Follow::start(&command.server, SavedState::default(), false)?;
    let left = command.count;
    let mut printer = Printer { command, left, has_said_why: false };
    while printer.event(follow.next().await)? {}
    follow.end().await;
    Ok(())
}

struct Printer {
    command: Tail,
    /// Number of messages left to print.
    left: Option<u64>,
    /// A line about the end of the connection was printed.
    has_said_why: bool,
}

impl Printer {
    /// Prints an event. `false` if it was the last one.
    fn event(&mut self, event: Event) -> Result<bool, Failure> {
        match event {
            Event::Chat(ChatEvent::Entries { entries, .. }) => self.rows(&entries),
            Event::Link(LinkEvent::State(state)) => self.link(&state),
            _ => Ok(true),
        }
    }

    fn rows(&mut self, entries: &[Entry]) -> Result<bool, Failure> {
        for entry in entries {
            let (content, at) = (&entry.draft.content, entry.draft.at);
            let row = Row::of(content.body(), content.extra());
            if !matches!(row, Row::Text(_) | Row::Binary(_)) {
                self.has_said_why = !matches!(row, Row::Opened { .. });
                match self.command.json {
                    true => print::line(&print::object(&row_json(&row, at)))?,
                    false => print::error(&socket_text(&row)),
                }
                continue;
            }
            print::line(&match self.command.json {
                true => print::object(&row_json(&row, at)),
                false => message_text(&row, &print::local_text(at, "%H:%M:%S")),
            })?;
            if let Some(left) = &mut self.left {
                *left -= 1;
                if *left == 0 {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// Scripts get every state; people only the next attempt, and the reason unless it was printed.
    fn link(&mut self, state: &LinkState) -> Result<bool, Failure> {
        let is_news =
            !matches!(state, LinkState::Online { rtt_ms: Some(_), .. } | LinkState::Handshaking { .. });
        // It would announce another attempt.
        let is_last_wait = self.command.no_reconnect && matches!(state, LinkState::Waiting { .. });
        if self.command.json && is_news && !is_last_wait {
            print::line(&print::link_json(state, None, clock::now()))?;
        }
        match state {
            LinkState::Stopped { why } => return self.ended(why),
            LinkState::Waiting { why, .. } if is_last_wait => return self.ended(why),
            _ => {}
        }
        if let LinkState::Waiting { why, retry_at, .. } = state {
            let seconds = retry_at.since(clock::now().boot_ms).div_ceil(1_000);
            match std::mem::take(&mut self.has_said_why) {
                _ if self.command.json => {}
                true => print::error(&format!("reconnecting in {seconds} s")),
                false => {
                    let reason = reason_of(&self.command.server, why);
                    print::error(&format!("waiting: {reason}; retrying in {seconds} s"));
                }
            }
        }
        Ok(true)
    }

    /// There will be no other connection.
    fn ended(&self, why: &Why) -> Result<bool, Failure> {
        let exit = match why {
            _ if !self.command.no_reconnect => Exit::Refused,
            Why::Closed { code: None | Some(1000 | 1001), closing, .. } if closing.is_clean() => {
                return Ok(false);
            }
            Why::Closed { .. } => Exit::Failed,
            why if why.is_retryable() => Exit::Failed,
            _ => Exit::Refused,
        };
        Err(Failure::new(exit, reason_of(&self.command.server, why)))
    }
}

/// A message as text. The first word tells text from bytes; further lines are indented, so that none looks like another
/// message.
/// message.
fn message_text(row: &Row, time: &str) -> String {
    match row {
        Row::Binary(bytes) => {
            let mut text = format!("{time} binary, {} bytes:", bytes.len());
            for (number, row) in bytes.chunks(ROW_BYTES).enumerate() {
                match bytes.len() {
                    ..=ROW_BYTES => text.push(' '),
                    _ => _ = write!(text, "{}{:08x}  ", print::INDENT, number * ROW_BYTES),
                }
                dump_row(&mut text, row, if bytes.len() > ROW_BYTES { ROW_BYTES } else { bytes.len() });
            }
            text
        }
        Row::Text(text) => {
            let text = harmless::text(text);
            format!("{time} text: {}", text.trim_end_matches('\n').replace('\n', print::INDENT))
        }
        row => socket_text(row),
    }
}

/// Bytes as hexadecimal digits, padded to `width` bytes, and as text.
fn dump_row(out: &mut String, bytes: &[u8], width: usize) {
    for at in 0..width {
        _ = match bytes.get(at) {
            Some(byte) => write!(out, "{byte:02x} "),
            None => write!(out, "   "),
        };
    }
    let shown = |byte: &u8| if (0x20..0x7f).contains(byte) { char::from(*byte) } else { '.' };
    out.push_str(" |");
    out.extend(bytes.iter().map(shown));
    out.push('|');
}

/// An event of the socket as text. The server's own words come last.
fn socket_text(row: &Row) -> String {
    match row {
        Row::Opened { subprotocol, extensions } => {
            let mut text = "connected".to_owned();
            if let Some(subprotocol) = subprotocol {
                text.push_str(&format!(", subprotocol {subprotocol}"));
            }
            if !extensions.is_empty() {
                text.push_str(&format!(", extensions {extensions}"));
            }
            text
        }
        Row::Closed { code, reason, clean, by_us } => {
            let by = if *by_us { "this program" } else { "the server" };
            let clean = match clean {
                Some(true) => ", clean",
                Some(false) => ", not clean: the closing handshake is incomplete",
                None => "",
            };
            let said = if reason.is_empty() { String::new() } else { format!(". It said: {reason}") };
            format!("closed by {by}: {}{clean}{said}", close_code(code.unwrap_or(NO_CODE)))
        }
        Row::Lost { detail } => format!("connection lost: {}. {detail}", close_code(NO_CLOSE_FRAME)),
        Row::Text(_) | Row::Binary(_) => String::new(),
    }
}

/// A row as a JSON object. `at` is in Unix milliseconds by this computer's clock.
fn row_json(row: &Row, at: WallMs) -> Value {
    // A server could echo what it received.
    let masked = |text: &str| privacy::mask(text).into_owned();
    match row {
        Row::Text(text) => json!({"event": "message", "direction": "received", "text": text, "at": at}),
        Row::Binary(bytes) => {
            let hex = data_encoding::HEXLOWER.encode(bytes);
            json!({"event": "message", "direction": "received", "hex": hex, "at": at})
        }
        Row::Opened { subprotocol, extensions } => json!({
            "event": "socket", "is": "opened", "subprotocol": subprotocol, "extensions": extensions, "at": at,
        }),
        Row::Closed { code, reason, clean, by_us } => {
            let code = code.unwrap_or(NO_CODE);
            json!({
                "event": "socket", "is": "closed", "code": code, "meaning": close_meaning(code),
                "reason": masked(reason), "clean": clean, "by": if *by_us { "us" } else { "server" }, "at": at,
            })
        }
        Row::Lost { detail } => json!({
            "event": "socket", "is": "lost", "code": NO_CLOSE_FRAME, "detail": masked(detail), "at": at,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_harmless_and_its_kind_cannot_be_forged() {
        let text = |text: &str| message_text(&Row::Text(text.to_owned()), "12:00:00");
        assert_eq!(text("{\"a\": 1}"), "12:00:00 text: {\"a\": 1}");
        assert_eq!(text(""), "12:00:00 text: ");
        assert_eq!(
            text("a\r\n12:00:00 binary, 1 bytes: 00\u{1b}[2J\u{202e}\n"),
            "12:00:00 text: a\n    12:00:00 binary, 1 bytes: 00␛[2J⟨U+202E⟩"
        );
    }

    #[test]
    fn bytes_stand_beside_their_text() {
        let bytes = |bytes: &[u8]| message_text(&Row::Binary(bytes.to_vec()), "12:00:00");
        assert_eq!(bytes(b"\x00\x01\xfe\xff a"), "12:00:00 binary, 6 bytes: 00 01 fe ff 20 61  |.... a|");
        assert_eq!(bytes(b""), "12:00:00 binary, 0 bytes:");
        assert_eq!(
            bytes(b"0123456789abcdefg"),
            "12:00:00 binary, 17 bytes:\n    \
             00000000  30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66  |0123456789abcdef|\n    \
             00000010  67                                               |g|"
        );
    }

    #[test]
    fn the_end_of_a_socket_is_told_with_the_meaning_of_its_code() {
        let closed = |code, clean, by_us| {
            let row = Row::Closed { code, reason: "Bye!".into(), clean, by_us };
            (socket_text(&row), row_json(&row, WallMs(7)))
        };
        let (text, json) = closed(Some(1000), Some(true), false);
        assert_eq!(text, "closed by the server: 1000 (normal closure), clean. It said: Bye!");
        assert_eq!(
            json,
            json!({"event": "socket", "is": "closed", "code": 1000, "meaning": "normal closure", "reason": "Bye!",
                   "clean": true, "by": "server", "at": 7})
        );
        let (text, json) = closed(None, Some(false), false);
        assert!(text.contains("1005 (no code), not clean"), "{text}");
        assert_eq!(json["code"], 1005);
        let lost = Row::Lost { detail: "reset".into() };
        assert_eq!(socket_text(&lost), "connection lost: 1006 (no close frame). reset");
        assert_eq!(row_json(&lost, WallMs(7))["code"], 1006);
    }
}
