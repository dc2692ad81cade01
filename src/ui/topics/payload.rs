//! What a payload is and how it is shown: text, JSON, hexadecimal, or a list of what differs from another one.

use std::fmt::Write as _;

use serde_json::Value;

use super::binary;
use super::row::Last;
use crate::model::file::size_text;
use crate::ui::harmless;
use crate::ui::text::Words;

/// Longest value in a row, in characters.
const MAX_PREVIEW_CHARS: usize = 160;
/// How much of a payload is looked at for a row, in bytes.
const MAX_PREVIEW_BYTES: usize = 512;
/// How much of a payload is shown, in bytes of what it is shown as.
const MAX_SHOWN_BYTES: usize = 128 * 1024;
/// Longest line that is shown, in characters.
const MAX_LINE_CHARS: usize = 2_000;
/// Maximum number of differences that are shown.
const MAX_DIFFERENCES: usize = 200;
/// Deeper levels of JSON are indented no further.
const MAX_INDENT: usize = 20;
/// Bytes in a line of hexadecimal.
const HEX_LINE: usize = 16;

/// A way to show a payload.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Form {
    /// As it is.
    Text,
    /// Laid out as JSON.
    Json,
    /// CBOR, as JSON.
    Cbor,
    /// MessagePack, as JSON.
    MessagePack,
    /// Its bytes.
    Hex,
}

/// What a payload can be shown as, the most fitting first.
pub(super) fn forms(payload: &[u8]) -> Vec<Form> {
    match std::str::from_utf8(payload) {
        Ok(text) if looks_like_json(text) => vec![Form::Json, Form::Text, Form::Hex],
        Ok(_) => vec![Form::Text, Form::Hex],
        Err(_) => {
            let mut forms = vec![Form::Hex, Form::Text];
            // Only what is read to its end, and is more than one number, is likely to be meant so.
            if binary::cbor(payload).is_some() {
                forms.insert(0, Form::Cbor);
            } else if binary::message_pack(payload).is_some() {
                forms.insert(0, Form::MessagePack);
            }
            forms
        }
    }
}

fn looks_like_json(text: &str) -> bool {
    let text = text.trim_start();
    text.starts_with(['{', '[']) && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

/// The kind of a picture, by what it begins with.
pub(super) fn picture(payload: &[u8]) -> Option<&'static str> {
    let kinds: [(&[u8], &str); 4] =
        [(b"\x89PNG\r\n", "PNG"), (b"\xff\xd8\xff", "JPEG"), (b"GIF8", "GIF"), (b"RIFF", "WebP")];
    let kind = kinds.into_iter().find(|(begin, _)| payload.starts_with(begin))?;
    (kind.1 != "WebP" || payload.get(8..12) == Some(b"WEBP")).then_some(kind.1)
}

/// A payload on one line.
pub(super) fn preview(words: &Words, last: &Last) -> String {
    if last.size == 0 {
        return words.topics.empty.to_owned();
    }
    let head = &last.payload[..last.payload.len().min(MAX_PREVIEW_BYTES)];
    // The cut may go through a character.
    let text = match std::str::from_utf8(head) {
        Ok(text) => Some(text),
        Err(error) if error.error_len().is_none() => std::str::from_utf8(&head[..error.valid_up_to()]).ok(),
        Err(_) => None,
    };
    match text {
        Some(text) => harmless::line(text, MAX_PREVIEW_CHARS),
        None => (words.topics.binary)(picture(&last.payload), &size_text(u64::from(last.size))),
    }
}

/// A payload as lines to be drawn. The second is whether it is longer than is shown.
pub(super) fn lines(payload: &[u8], form: Form) -> (Vec<String>, bool) {
    let text = match form {
        Form::Text => String::from_utf8_lossy(&payload[..payload.len().min(MAX_SHOWN_BYTES)]).into_owned(),
        Form::Json => std::str::from_utf8(payload).map(laid_out).unwrap_or_default(),
        Form::Cbor | Form::MessagePack => {
            value(payload, form).map(|value| pretty(&value)).unwrap_or_default()
        }
        Form::Hex => return hex(payload),
    };
    let is_cut = text.len() > MAX_SHOWN_BYTES || (form == Form::Text && payload.len() > MAX_SHOWN_BYTES);
    let end = text.floor_char_boundary(MAX_SHOWN_BYTES.min(text.len()));
    let lines = text[..end].split('\n').map(|line| harmless::verbatim(line, MAX_LINE_CHARS)).collect();
    (lines, is_cut)
}

/// What there is in a payload of this form.
fn value(payload: &[u8], form: Form) -> Option<Value> {
    match form {
        Form::Json => serde_json::from_slice(payload).ok(),
        Form::Cbor => binary::cbor(payload),
        Form::MessagePack => binary::message_pack(payload),
        Form::Text | Form::Hex => None,
    }
}

/// JSON with line breaks and indents. Nothing else is changed: the order of members and every digit stay as they came.
fn laid_out(json: &str) -> String {
    let mut out = String::with_capacity(json.len() * 2);
    let mut depth = 0usize;
    let mut chars = json.trim().chars().peekable();
    let line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.extend(std::iter::repeat_n("  ", depth.min(MAX_INDENT)));
    };
    while let Some(c) = chars.next() {
        match c {
            '"' => {
                out.push(c);
                while let Some(c) = chars.next() {
                    out.push(c);
                    match c {
                        '\\' => out.extend(chars.next()),
                        '"' => break,
                        _ => {}
                    }
                }
            }
            '{' | '[' => {
                out.push(c);
                while chars.next_if(|c| c.is_whitespace()).is_some() {}
                match chars.next_if(|c| matches!(c, '}' | ']')) {
                    Some(end) => out.push(end),
                    None => {
                        depth += 1;
                        line(&mut out, depth);
                    }
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                line(&mut out, depth);
                out.push(c);
            }
            ',' => {
                out.push(c);
                line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            c if c.is_whitespace() => {}
            c => out.push(c),
        }
    }
    out
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

/// Offset, bytes and what they are as text.
fn hex(payload: &[u8]) -> (Vec<String>, bool) {
    // A line is about five times as long as its bytes.
    let most = MAX_SHOWN_BYTES / 5 / HEX_LINE * HEX_LINE;
    let line = |(at, bytes): (usize, &[u8])| {
        let mut line = format!("{:06x}  ", at * HEX_LINE);
        for place in 0..HEX_LINE {
            // Writing into a text doesn't fail.
            _ = match bytes.get(place) {
                Some(byte) => write!(line, "{byte:02x} "),
                None => write!(line, "   "),
            };
        }
        line.push(' ');
        line.extend(bytes.iter().map(|byte| match byte {
            b' '..=b'~' => char::from(*byte),
            _ => '.',
        }));
        line
    };
    let shown = &payload[..payload.len().min(most)];
    (shown.chunks(HEX_LINE).enumerate().map(line).collect(), payload.len() > most)
}

/// Something that two payloads differ in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Difference {
    /// Where: a path into JSON, or the number of a line. Empty: the whole.
    pub(super) at: String,
    /// What it was before; none: it was not there.
    pub(super) before: Option<String>,
    /// What it is now; none: it is no longer there.
    pub(super) now: Option<String>,
}

/// What differs between two payloads, and whether that is more than is listed.
pub(super) fn differences(before: &[u8], now: &[u8]) -> (Vec<Difference>, bool) {
    let mut found = Vec::new();
    let parsed = |payload: &[u8]| {
        let form = forms(payload).into_iter().find(|form| !matches!(form, Form::Text | Form::Hex))?;
        value(payload, form)
    };
    match (parsed(before), parsed(now)) {
        (Some(before), Some(now)) => compare(&before, &now, &mut String::new(), &mut found),
        _ => match (std::str::from_utf8(before), std::str::from_utf8(now)) {
            (Ok(before), Ok(now)) => compare_lines(before, now, &mut found),
            _ if before != now => {
                let [before, now] = [before, now].map(|payload| Some(size_text(payload.len() as u64)));
                found.push(Difference { at: String::new(), before, now });
            }
            _ => {}
        },
    }
    let is_cut = found.len() > MAX_DIFFERENCES;
    found.truncate(MAX_DIFFERENCES);
    (found, is_cut)
}

fn short(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    harmless::line(&text, MAX_PREVIEW_CHARS)
}

fn compare(before: &Value, now: &Value, path: &mut String, found: &mut Vec<Difference>) {
    if before == now || found.len() > MAX_DIFFERENCES {
        return;
    }
    let deeper =
        |path: &mut String, key: &str, before: Option<&Value>, now: Option<&Value>, found: &mut Vec<_>| {
            let length = path.len();
            if !path.is_empty() {
                path.push('.');
            }
            path.push_str(key);
            match (before, now) {
                (Some(before), Some(now)) => compare(before, now, path, found),
                (before, now) => {
                    let (before, now) = (before.map(short), now.map(short));
                    found.push(Difference { at: harmless::line(path, MAX_PREVIEW_CHARS), before, now });
                }
            }
            path.truncate(length);
        };
    match (before, now) {
        (Value::Object(before), Value::Object(now)) => {
            for (key, value) in before {
                deeper(path, key, Some(value), now.get(key), found);
            }
            for (key, value) in now.iter().filter(|(key, _)| !before.contains_key(*key)) {
                deeper(path, key, None, Some(value), found);
            }
        }
        (Value::Array(before), Value::Array(now)) => {
            for at in 0..before.len().max(now.len()).min(MAX_DIFFERENCES) {
                deeper(path, &at.to_string(), before.get(at), now.get(at), found);
            }
        }
        (before, now) => {
            let (before, now) = (Some(short(before)), Some(short(now)));
            found.push(Difference { at: harmless::line(path, MAX_PREVIEW_CHARS), before, now });
        }
    }
}

/// Line by line, where the lines at the beginning and the end that are the same are skipped.
fn compare_lines(before: &str, now: &str, found: &mut Vec<Difference>) {
    let (before, now): (Vec<&str>, Vec<&str>) = (before.lines().collect(), now.lines().collect());
    let same = |(one, other): &(&&str, &&str)| one == other;
    let begin = before.iter().zip(&now).take_while(same).count();
    let rest = (before.len() - begin).min(now.len() - begin);
    let end = before.iter().rev().zip(now.iter().rev()).take(rest).take_while(same).count();
    let (before_end, now_end) = (before.len() - end, now.len() - end);
    let is_one = before.len().max(now.len()) <= 1;
    for line in begin..before_end.max(now_end).min(begin + MAX_DIFFERENCES + 1) {
        let shown =
            |lines: &[&str], end: usize| (line < end).then(|| harmless::line(lines[line], MAX_PREVIEW_CHARS));
        let at = if is_one { String::new() } else { (line + 1).to_string() };
        found.push(Difference { at, before: shown(&before, before_end), now: shown(&now, now_end) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn difference(at: &str, before: Option<&str>, now: Option<&str>) -> Difference {
        Difference { at: at.into(), before: before.map(Into::into), now: now.map(Into::into) }
    }

    #[test]
    fn the_most_fitting_form_comes_first() {
        assert_eq!(forms(b" {\"a\": 1}")[0], Form::Json);
        assert_eq!(forms(b"{\"a\": 1")[0], Form::Text);
        assert_eq!(forms(b"21.5")[0], Form::Text);
        assert_eq!(forms(b"\xff\xfe\x00")[0], Form::Hex);
        assert_eq!(forms(b"\xa1\x61\x61\x18\xff")[0], Form::Cbor);
        assert_eq!(forms(b"\x81\xa1a\xcc\xff")[0], Form::MessagePack);
    }

    #[test]
    fn bytes_are_shown_beside_their_letters() {
        let (lines, is_cut) = lines(b"0123456789abcdef\x00z", Form::Hex);
        assert_eq!(lines[0], "000000  30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66  0123456789abcdef");
        assert!(lines[1].starts_with("000010  00 7a ") && lines[1].ends_with(" .z"));
        assert!(!is_cut);
    }

    #[test]
    fn json_is_laid_out_and_otherwise_left_as_it_is() {
        let json = br#" {"z":1.50,"a":[ ],"t":"x, {\"y\": 1}","n":[{"b":12345678901234567890123}]} "#;
        let (lines, _) = lines(json, Form::Json);
        let expected = [
            "{",
            r#"  "z": 1.50,"#,
            r#"  "a": [],"#,
            r#"  "t": "x, {\"y\": 1}","#,
            r#"  "n": ["#,
            "    {",
            r#"      "b": 12345678901234567890123"#,
            "    }",
            "  ]",
            "}",
        ];
        assert_eq!(lines, expected);
    }

    proptest::proptest! {
        #[test]
        fn laying_out_changes_no_value(numbers in proptest::collection::vec("[a-z\\\\\"]{0,5}", 0..9), depth in 0usize..40) {
            let mut value = serde_json::json!(numbers);
            (0..depth).for_each(|at| value = if at % 2 == 0 { serde_json::json!({"a": value}) } else { serde_json::json!([value]) });
            let laid_out = laid_out(&value.to_string());
            proptest::prop_assert_eq!(serde_json::from_str::<Value>(&laid_out).unwrap(), value);
        }
    }

    #[test]
    fn long_payloads_are_cut_in_every_form() {
        let long = vec![b'x'; 2 * MAX_SHOWN_BYTES];
        for form in [Form::Text, Form::Hex] {
            let (lines, is_cut) = lines(&long, form);
            assert!(is_cut && lines.iter().map(String::len).sum::<usize>() <= MAX_SHOWN_BYTES);
        }
    }

    #[test]
    fn json_is_compared_by_its_members() {
        let before = br#"{"t":21.5,"gone":true,"list":[1,2],"deep":{"a":"x"}}"#;
        let now = br#"{"t":21.7,"list":[1,3],"deep":{"a":"x"},"new":null}"#;
        let (found, is_cut) = differences(before, now);
        let mut found = found;
        found.sort_by(|one, other| one.at.cmp(&other.at));
        assert_eq!(
            found,
            [
                difference("gone", Some("true"), None),
                difference("list.1", Some("2"), Some("3")),
                difference("new", None, Some("null")),
                difference("t", Some("21.5"), Some("21.7")),
            ]
        );
        assert!(!is_cut);
    }

    #[test]
    fn text_is_compared_line_by_line_and_bytes_by_their_number() {
        assert_eq!(differences(b"on", b"off").0, [difference("", Some("on"), Some("off"))]);
        let (found, _) = differences(b"a\nb\nc", b"a\nx\ny\nc");
        assert_eq!(found, [difference("2", Some("b"), Some("x")), difference("3", None, Some("y"))]);
        assert_eq!(differences(b"\xff", b"\xff\xff").0, [difference("", Some("1 B"), Some("2 B"))]);
        assert_eq!(differences(b"same", b"same").0, []);
    }
}
