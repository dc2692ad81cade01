//! What `tail` prints: JSON lines for scripts, text for people. A reader that went away ends the program quietly.

use std::io::Write;

use serde_json::json;

use crate::model::link_state::{LinkState, Why};
use crate::model::time::WallMs;
use crate::model::{Entry, Status, Time, Value};

use super::devices::{Reading, Turn};
use super::{Exit, Failure};

/// Writes a line to standard output. A closed pipe is no failure of ours.
pub(super) fn line(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    let written =
        out.write_all(text.as_bytes()).and_then(|()| out.write_all(b"\n")).and_then(|()| out.flush());
    written.map_err(|error| match error.kind() {
        std::io::ErrorKind::BrokenPipe => Failure::new(Exit::Done, ""),
        _ => Failure::new(Exit::Failed, format!("the output cannot be written: {error}")),
    })
}

/// A message as a JSON object. `at` is in Unix milliseconds, by the sender's clock.
pub(super) fn message_json(entry: &Entry) -> String {
    json!({
        "event": "message",
        "room": entry.room,
        "sender": entry.sender.name,
        "body": entry.body,
        "id": entry.id,
        "offset": entry.offset,
        "at": entry.at,
    })
    .to_string()
}

/// A message as a line for people: what could command a terminal is shown instead of obeyed.
pub(super) fn message_text(entry: &Entry) -> String {
    let time = time_text(entry.at);
    let body = entry.body.replace('\n', "\n    ");
    format!(
        "{time} [{}] {}: {}",
        harmless(entry.room.as_str()),
        harmless(&entry.sender.name),
        harmless(&body)
    )
}

fn time_text(at: WallMs) -> String {
    let time = chrono::DateTime::from_timestamp_millis(at).map(|at| at.with_timezone(&chrono::Local));
    time.map(|at| at.format("%H:%M:%S").to_string()).unwrap_or_default()
}

/// A reading as a JSON object. `at` is in Unix milliseconds by the device's clock, `received` by the hub's.
pub(super) fn reading_json(reading: &Reading<'_>) -> String {
    json!({
        "event": "reading",
        "device": reading.sample.device,
        "name": reading.name,
        "metric": reading.metric,
        "value": reading.value,
        "unit": reading.unit(),
        "at": reading.sample.at,
        "received": reading.sample.received,
    })
    .to_string()
}

/// A reading as a line for people.
pub(super) fn reading_text(reading: &Reading<'_>) -> String {
    let value = match reading.value {
        Value::Missing => "none".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Flag(flag) => flag.to_string(),
        Value::Text(text) => text.to_string(),
    };
    let text = format!("{}: {} {value} {}", reading.name, reading.metric, reading.unit());
    format!("{} {}", time_text(reading.sample.received), harmless(text.trim_end()))
}

/// A device's new status as a JSON object. `since` is in Unix milliseconds by the hub's clock; null where nobody knows.
pub(super) fn status_json(turn: &Turn) -> String {
    json!({
        "event": "status",
        "device": turn.device,
        "name": turn.name,
        "status": status(turn.status),
        "since": turn.since,
    })
    .to_string()
}

/// A device's new status as a line for people.
pub(super) fn status_text(turn: &Turn) -> String {
    let since = turn.since.map(|since| format!(" since {}", time_text(since))).unwrap_or_default();
    harmless(&format!("{}: {}{since}", turn.name, status(turn.status)))
}

fn status(status: Status) -> &'static str {
    match status {
        Status::Online => "online",
        Status::Silent => "silent",
        Status::Offline => "offline",
        Status::Unknown => "unknown",
    }
}

/// A state of the link as a JSON object: `code` is an HTTP status or a close code.
pub(super) fn link_json(state: &LinkState, now: Time) -> String {
    let why = state.why();
    let retry_in_ms = match state {
        LinkState::Waiting { retry_at, .. } => Some(retry_at.saturating_sub(now.boot_ms)),
        _ => None,
    };
    json!({
        "event": "link",
        "state": state.code(),
        "why": why.map(Why::code),
        "code": why.and_then(code),
        "retry_in_ms": retry_in_ms,
    })
    .to_string()
}

/// A state of the link for people.
pub(super) fn link_text(state: &LinkState, now: Time) -> String {
    match state {
        LinkState::Waiting { why, retry_at, .. } => {
            let seconds = retry_at.saturating_sub(now.boot_ms).div_ceil(1_000);
            format!("waiting: {}; trying again in {seconds} s", reason(why))
        }
        LinkState::Stopped { why } => format!("stopped: {}", reason(why)),
        state => state.code().to_owned(),
    }
}

/// What happened and what to do, in one clause.
pub(super) fn reason(why: &Why) -> String {
    let text = match why {
        Why::BadUrl { detail } => format!("the address cannot be used ({detail})"),
        Why::NameNotFound { host } => format!("the name {host} has no address; check its spelling"),
        Why::ConnectionRefused => "nothing listens there; is the server running?".to_owned(),
        Why::Unreachable { detail } => format!("the network does not reach the server ({detail})"),
        Why::TimedOut { .. } => "the server does not answer".to_owned(),
        Why::TlsUntrusted { detail } => {
            format!("the server's certificate is not trusted ({detail}); give its authority by --ca-file")
        }
        Why::TlsFailed { detail } => format!("no secure connection can be made ({detail})"),
        Why::Http { status: 401, .. } | Why::Unauthorized => {
            "the server does not know this token; give one by --token or DUPLEX_TOKEN".to_owned()
        }
        Why::Withdrawn => "your access was withdrawn; ask for a new token".to_owned(),
        Why::Http { status: 403, .. } | Why::Forbidden => "this token may not do that".to_owned(),
        Why::Http { status: 404, .. } => "there is no hub at this path; check the address".to_owned(),
        Why::Http { status, .. } => format!("the server answers with HTTP status {status}"),
        Why::NotWebSocket { detail } => format!("what answers there is no hub ({detail})"),
        Why::Closed { code: Some(code), reason, .. } => {
            format!("the server closed the connection ({code} {reason})")
        }
        Why::Closed { code: None, reason, .. } => format!("the server closed the connection ({reason})"),
        Why::Lost { detail } => format!("the connection broke ({detail})"),
        Why::Silent => "the server stopped answering".to_owned(),
        Why::Violation { detail } => format!("what the server says makes no sense ({detail}); is it a hub?"),
        Why::NoCommonVersion { ours, theirs } => {
            format!(
                "the server speaks version {} to {}, this program {} to {}",
                theirs.0, theirs.1, ours.0, ours.1
            )
        }
        Why::InviteRefused => "the invite was used or has expired; ask for another".to_owned(),
        Why::Impostor => "what listens there is not your hub; your token was not told".to_owned(),
        Why::BadCaFile { path, detail } => {
            format!("{} is no certificate authority ({detail})", path.display())
        }
        Why::Unsupported { detail } => detail.clone(),
        Why::HubFailed { detail } => format!("the hub failed ({detail})"),
        Why::NoToken => "a token is needed; give one by --token or DUPLEX_TOKEN".to_owned(),
    };
    harmless(&text)
}

fn code(why: &Why) -> Option<u16> {
    match why {
        Why::Http { status, .. } => Some(*status),
        Why::Closed { code, .. } => *code,
        _ => None,
    }
}

/// Text from outside, with everything shown that a terminal would obey or that would turn its direction.
pub(super) fn harmless(text: &str) -> String {
    let is_control = |c: char| c.is_control() && c != '\n' && c != '\t';
    let is_bidi =
        |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_control(c) || is_bidi(c) {
            shown.push_str(&format!("<U+{:04X}>", u32::from(c)));
        } else {
            shown.push(c);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_is_never_commanded() {
        assert_eq!(harmless("a\u{1b}[2Jb\u{202e}c\td"), "a<U+001B>[2Jb<U+202E>c\td");
    }
}
