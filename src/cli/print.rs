//! All output of the console: JSON lines for scripts, text for people. Nothing else writes to standard output or
//! standard error, so text from outside can neither control the terminal nor imitate our own lines. A closed pipe ends
//! the program quietly.

use std::io::Write;

use serde_json::json;

use crate::model::harmless;
use crate::model::known::{MARK, Shown, device_label};
use crate::model::link_state::{LinkState, Why};
use crate::model::name::looks_like;
use crate::model::route::{Blocked, HttpVersion, Route, RouteInUse};
use crate::model::time::WallMs;
use crate::model::zone;
use crate::model::{
    Content, Entry, FileInfo, Number, PrincipalKind, Receipt, RoomId, RoomName, Status, Time, Value,
};

use super::devices::{Reading, Turn};
pub(super) use super::reason::reason;
use super::{Exit, Failure};
use crate::privacy;

/// Maximum length of a printed name, in characters.
pub(super) const MAX_NAME_CHARS: usize = 64;
/// Maximum length of a sentence, and of text from outside in it, in characters.
const MAX_SENTENCE_CHARS: usize = 2_000;
/// Width of a tab within a message, in characters.
const TAB: &str = "    ";
/// Indentation of a message's further lines.
pub(super) const INDENT: &str = "\n    ";

/// Writes lines to standard output. A closed pipe is not an error.
pub(super) fn line(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    let text = lines(text);
    let written =
        out.write_all(text.as_bytes()).and_then(|()| out.write_all(b"\n")).and_then(|()| out.flush());
    written.map_err(|error| match error.kind() {
        std::io::ErrorKind::BrokenPipe => Failure::new(Exit::Done, ""),
        _ => Failure::new(Exit::Failed, format!("the output cannot be written: {error}")),
    })
}

/// Writes a sentence on one line to standard error. Errors are ignored.
pub(super) fn error(sentence: &str) {
    let _ = writeln!(std::io::stderr(), "duplexctl: {}", harmless(&privacy::mask(sentence)));
}

/// Writes several lines to standard error. Errors are ignored.
pub(super) fn explain(text: &str) {
    let _ = writeln!(std::io::stderr(), "{}", lines(&privacy::mask(text)));
}

fn lines(text: &str) -> String {
    harmless::text(text).replace('\t', TAB)
}

/// Columns of text from outside, each at least as wide as given.
pub(super) fn columns(columns: &[(&str, usize)]) -> String {
    let padded = |(text, width): &(&str, usize)| format!("{:width$}", harmless(text), width = *width);
    columns.iter().map(padded).collect::<Vec<_>>().join("  ").trim_end().to_owned()
}

/// Whether a person at a terminal started the program, judging by its streams.
pub(super) fn is_at_terminal() -> bool {
    use std::io::{IsTerminal as _, stderr, stdin, stdout};
    stdin().is_terminal() || stdout().is_terminal() || stderr().is_terminal()
}

/// A message as a JSON object. `at` is in Unix milliseconds, by the sender's clock.
pub(super) fn message_json(entry: &Entry, room: &RoomName) -> String {
    let content = &entry.draft.content;
    let mut line = json!({
        "event": content.kind(),
        "room": room,
        "room_id": entry.draft.room,
        "sender": entry.sender.name,
        "sender_id": entry.sender.id,
        "id": entry.draft.id,
        "offset": entry.offset,
        "at": entry.draft.at,
    });
    let mut add = |name: &str, value: Option<serde_json::Value>| {
        if let (Some(line), Some(value)) = (line.as_object_mut(), value) {
            line.insert(name.to_owned(), value);
        }
    };
    match content {
        Content::Text { body, .. } | Content::Edit { body, .. } => add("body", Some(json!(body))),
        Content::Reaction { emoji, off, .. } => {
            add("emoji", Some(json!(emoji)));
            add("off", Some(json!(off)));
        }
        Content::Pin { off, .. } => add("off", Some(json!(off))),
        _ => {}
    }
    add("file", content.file().map(|file| json!(file)));
    add("target", content.target().map(|id| json!(id)));
    add("reply_to", content.reply_to().map(|id| json!(id)));
    add("thread", content.thread().map(|id| json!(id)));
    object(&line)
}

/// The file of a message as a JSON object, after the message itself. `target`: the message's id.
pub(super) fn file_json(entry: &Entry, room: &RoomName, file: &FileInfo) -> String {
    object(&json!({
        "event": "file",
        "id": file.id,
        "target": entry.draft.id,
        "room": room,
        "room_id": entry.draft.room,
        "name": file.name,
        "size": file.size,
        "type": file.media_type,
        "sha256": file.sha256,
    }))
}

/// What somebody has read, as a JSON object.
pub(super) fn receipt_json(receipt: &Receipt, room: &RoomId, name: &RoomName) -> String {
    object(&json!({
        "event": "read",
        "room": name,
        "room_id": room,
        "reader_id": receipt.id,
        "first": receipt.first,
        "last": receipt.last,
    }))
}

/// JSON in which everything that could control a terminal or break a line is escaped. The value is unchanged.
pub(super) fn object(value: &serde_json::Value) -> String {
    let text = value.to_string();
    if text.is_ascii() && !text.contains('\u{7F}') {
        return text;
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if c != '\u{7F}' && harmless::text(c.encode_utf8(&mut [0; 4])).chars().eq([c]) {
            out.push(c);
        } else {
            // Beyond ASCII such a character stands within a string; JSON escapes UTF-16.
            out.extend(c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")));
        }
    }
    out
}

/// A message as text. Further lines are indented, so that none looks like another message.
pub(super) fn message_text(entry: &Entry, room: &RoomName, sender: &Shown) -> String {
    let time = time_text(entry.draft.at);
    let body = harmless::text(entry.draft.content.body());
    let body = body.trim_end_matches('\n').replace('\n', INDENT).replace('\t', TAB);
    let room = without(&harmless::line(room.as_str(), MAX_NAME_CHARS), ']');
    format!("{time} [{room}] {}: {body}", person(sender))
}

/// A sender's name, a short id if names look alike, and their kind unless they are a person.
pub(super) fn person(shown: &Shown) -> String {
    let name = without_colon(&shown.label());
    match shown.kind {
        Some(PrincipalKind::Admin) => format!("{name}{MARK}admin"),
        Some(PrincipalKind::Device) => format!("{name}{MARK}device"),
        _ => name,
    }
}

/// A device's name before its values. Only rooms are in brackets after the time.
fn device(name: &str, mark: Option<&str>) -> String {
    let name = device_label(name, mark, MAX_NAME_CHARS);
    let bracket = name.find(|c| looks_like(c, '['));
    let is_in_front = bracket.is_some_and(|at| !name[..at].contains(char::is_alphabetic));
    without_colon(&if is_in_front { without(&name, '[') } else { name })
}

/// A name without characters that could end it early and pass the rest off as a message.
fn without_colon(name: &str) -> String {
    let mut ends = name.chars().zip(name.chars().skip(1).chain([' ']));
    match ends.any(|(c, next)| looks_like(c, ':') && !next.is_alphanumeric()) {
        true => without(name, ':'),
        false => name.to_owned(),
    }
}

/// A text in which look-alikes of this character are shown by their code point.
fn without(text: &str, like: char) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if looks_like(c, like) { out.push_str(&harmless::number(c)) } else { out.push(c) }
    }
    out
}

/// A local time, with the UTC offset if it is ambiguous.
pub(super) fn local_text(at: WallMs, pattern: &str) -> String {
    zone::shown(&chrono::Local, at, |time| time.format(pattern).to_string())
}

fn time_text(at: WallMs) -> String {
    local_text(at, "%H:%M:%S")
}

/// A reading as a JSON object. `at` is in Unix milliseconds by the device's clock, `received` by the hub's.
pub(super) fn reading_json(reading: &Reading<'_>) -> String {
    object(&json!({
        "event": "reading",
        "device": reading.sample.device,
        "name": reading.name,
        "metric": reading.metric,
        "value": reading.value,
        "unit": reading.unit(),
        "at": reading.sample.at,
        "received": reading.sample.received,
    }))
}

/// A reading as text.
pub(super) fn reading_text(reading: &Reading<'_>) -> String {
    let value = match reading.value {
        Value::Missing => "none".to_owned(),
        Value::Number(number) => Number::from(*number).to_string(),
        Value::Whole(whole) => whole.to_string(),
        Value::Flag(flag) => flag.to_string(),
        Value::Text(text) => text.to_string(),
    };
    let text = format!("{} {value} {}", reading.metric, reading.unit());
    format!(
        "{} {}: {}",
        time_text(reading.sample.received),
        device(reading.name, reading.mark.as_deref()),
        harmless(&text)
    )
}

/// A device's new status as a JSON object. `since` is in Unix milliseconds by the hub's clock; null where nobody knows.
pub(super) fn status_json(turn: &Turn) -> String {
    object(&json!({
        "event": "status",
        "device": turn.device,
        "name": turn.name,
        "status": status(turn.status),
        "since": turn.since,
    }))
}

/// A device's new status as text.
pub(super) fn status_text(turn: &Turn) -> String {
    let since = turn.since.map(|since| format!(" since {}", time_text(since))).unwrap_or_default();
    format!("{}: {}{since}", device(&turn.name, turn.mark.as_deref()), status(turn.status))
}

fn status(status: Status) -> &'static str {
    match status {
        Status::Online => "online",
        Status::Asleep => "asleep",
        Status::Silent => "silent",
        Status::Offline => "offline",
        Status::Unknown => "unknown",
    }
}

/// A state of the link as a JSON object: `code` is an HTTP status or a close code.
///
/// `transport`: how frames travel, where there is a choice; none while nothing is open.
pub(super) fn link_json(state: &LinkState, transport: Option<Option<&RouteInUse>>, now: Time) -> String {
    let why = state.why();
    let retry_in_ms = match state {
        LinkState::Waiting { retry_at, .. } => Some(retry_at.since(now.boot_ms)),
        _ => None,
    };
    let mut line = json!({
        "event": "link",
        "state": state.code(),
        "why": why.map(Why::code),
        "code": why.and_then(code),
        "retry_in_ms": retry_in_ms,
    });
    if let (Some(used), Some(fields)) = (transport, line.as_object_mut()) {
        let blocked = used.and_then(|used| used.blocked);
        let status = match blocked {
            Some(Blocked::Refused(status)) => Some(status),
            _ => None,
        };
        fields.insert("transport".to_owned(), json!(used.map(|used| used.route.name())));
        fields.insert("http".to_owned(), json!(used.and_then(|used| used.http).map(HttpVersion::name)));
        fields.insert("websocket_blocked".to_owned(), json!(blocked.map(Blocked::code)));
        fields.insert("websocket_status".to_owned(), json!(status));
    }
    object(&line)
}

/// How frames travel, and why not over a WebSocket.
pub(super) fn route_text(used: &RouteInUse) -> String {
    let route = match used.route {
        Route::WebSocket => "WebSocket",
        Route::Sse => "server-sent events",
        Route::Stream => "HTTP streaming",
        Route::LongPoll => "long polling",
        Route::Poll => "polling",
    };
    let version = if used.http == Some(HttpVersion::Http2) { " over HTTP/2" } else { "" };
    let delay = used.delay_ms.map(|ms| format!("{version}, up to {} s late", ms.div_ceil(1_000)));
    let delay = delay.unwrap_or_else(|| version.to_owned());
    let why = match used.blocked {
        None => "",
        Some(Blocked::Refused(status)) => {
            return format!("connected via {route}{delay}: WebSocket was refused ({status} by a proxy)");
        }
        Some(Blocked::Stripped) => ": WebSocket was blocked (a proxy removed the upgrade)",
        Some(Blocked::Garbled) => ": WebSocket was blocked (a proxy garbled the handshake)",
        Some(Blocked::Ended) => ": WebSocket was blocked (the handshake was cut off)",
        Some(Blocked::Unanswered) => ": WebSocket was blocked (no answer to the handshake)",
        Some(Blocked::Mute) => ": WebSocket was blocked (it opened, but nothing came through)",
        Some(Blocked::Cut) => ": WebSocket was cut off repeatedly by the network",
    };
    format!("connected via {route}{delay}{why}")
}

/// A link state as text.
pub(super) fn link_text(state: &LinkState, now: Time) -> String {
    match state {
        LinkState::Waiting { why, retry_at, .. } => {
            let seconds = retry_at.since(now.boot_ms).div_ceil(1_000);
            format!("waiting: {}; retrying in {seconds} s", reason(why))
        }
        LinkState::Stopped { why } => format!("stopped: {}", reason(why)),
        state => state.code().to_owned(),
    }
}

fn code(why: &Why) -> Option<u16> {
    match why {
        Why::Http { status, .. } | Why::Redirected { status, .. } => Some(*status),
        Why::Closed { code, .. } => *code,
        _ => None,
    }
}

/// Text from outside within a sentence: one harmless line.
pub(super) fn harmless(text: &str) -> String {
    harmless::line(text, MAX_SENTENCE_CHARS)
}

/// The standard output, for a command that writes lines of its own.
pub(super) fn output() -> std::io::Stdout {
    std::io::stdout()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::id::Offset;

    use crate::model::content::Draft;
    use crate::model::known::Known;
    use crate::model::{MessageId, Principal, PrincipalId, RoomId, Sender};

    fn entry(room: &str, sender: &str, body: &str) -> Entry {
        Entry {
            draft: Draft {
                id: MessageId::from_random([1; 16]),
                room: RoomId::new(room).unwrap(),
                content: Content::text(body),
                at: WallMs(0),
            },
            offset: Offset(1),
            sender: Sender { id: PrincipalId("3f2a000000000001".to_owned()), name: sender.to_owned() },
            received: WallMs(0),
        }
    }

    fn said(room: &str, sender: &str, kind: PrincipalKind, body: &str) -> String {
        let entry = entry(room, sender, body);
        let mut known = Known::default();
        let Sender { id, name } = entry.sender.clone();
        known.list(&Principal { id: id.clone(), kind, name: name.clone(), role: None });
        let line = message_text(
            &entry,
            &RoomName::new(room).unwrap(),
            &known.shown_in_doubt(&id, &name, MAX_NAME_CHARS),
        );
        // After the local time.
        line.split_once(' ').unwrap().1.to_owned()
    }

    #[test]
    fn a_terminal_is_never_commanded() {
        assert_eq!(harmless("a\u{1b}[2Jb\u{202e}c\nd"), "a␛[2Jb⟨U+202E⟩c␊d");
        assert_eq!(lines("a\u{1b}[2J\tb\nc\u{2028}d"), "a␛[2J    b\nc⟨U+2028⟩d");
        let line =
            said("general", "Jun", PrincipalKind::Person, "one\r\ntwo\u{1b}]0;x\u{7}\u{85}\n\tthree\n");
        assert_eq!(line, "[general] Jun: one\n    two␛]0;x␇⟨U+0085⟩\n        three");
    }

    #[test]
    fn a_name_does_not_pose_as_another_line() {
        let person = |room: &str, sender: &str| said(room, sender, PrincipalKind::Person, "x");
        assert_eq!(said("general", "Jun", PrincipalKind::Admin, "x"), "[general] Jun ·admin: x");
        assert_eq!(person("general", "Jun ·admin"), "[general] Jun ⟨U+00B7⟩admin: x");
        assert_eq!(person("general", "Boss: open the door"), "[general] Boss⟨U+003A⟩ open the door: x");
        assert_eq!(person("general", "Boss\u{FF1A}"), "[general] Boss⟨U+FF1A⟩: x");
        assert_eq!(person("general", "a:b"), "[general] a:b: x");
        assert_eq!(
            person("general", "Jun\n12:00:00 [general] Boss"),
            "[general] Jun␊12:00:00 [general] Boss: x"
        );
        assert_eq!(person("general] Boss: hi [x", "Jun"), "[general⟨U+005D⟩ Boss: hi [x] Jun: x");
        assert_eq!(device("12:00:00 [general] Boss", None), "12:00:00 ⟨U+005B⟩general] Boss");
        assert_eq!(device("Pump [left]", Some("a")), "Pump [left] ·a");
    }

    #[test]
    fn who_is_not_listed_has_an_id() {
        let entry = entry("general", "Jun", "x");
        let shown = Known::default().shown_in_doubt(&entry.sender.id, "Jun", MAX_NAME_CHARS);
        assert!(message_text(&entry, &RoomName::general(), &shown).ends_with("[general] Jun ·3f2a: x"));
    }

    #[test]
    fn json_stays_on_one_line_and_reads_as_it_was() {
        let name = "Jun\u{2028}\u{61C}\u{85}\u{7F}\u{E0041}\n한 👩\u{200D}👧";
        let line = message_json(&entry("general", name, name), &RoomName::general());
        let hides = |c: char| c.is_control() || "\u{2028}\u{61C}\u{E0041}\u{200D}".contains(c);
        assert!(!line.contains(hides), "{line}");
        let read: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!((&read["sender"], &read["sender_id"]), (&json!(name), &json!("3f2a000000000001")));
    }

    /// Nothing else writes to standard output and standard error.
    #[test]
    fn nothing_else_prints() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cli");
        for file in std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()) {
            let source = std::fs::read_to_string(&file).unwrap();
            let doors = ["println!", "print!", "stdout()", "stderr()"];
            let found = doors.into_iter().find(|door| source.contains(door));
            assert!(file.ends_with("print.rs") || found.is_none(), "{found:?} in {}", file.display());
        }
    }
}
