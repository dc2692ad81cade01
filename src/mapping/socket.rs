//! Messages of a plain WebSocket as events: it has no names for them, so what a message calls itself counts as the name.

use serde_json::Value;

use super::shape::{self, Fields};

/// The source of what names itself nothing.
pub const SERVER: &str = "server";
/// Maximum number of values in one message.
const MAX_VALUES: usize = 1_000;
/// Maximum length of a name, in bytes of UTF-8.
const MAX_NAME_BYTES: usize = 128;
/// Ends each message of SignalR.
const RECORD_SEPARATOR: char = '\u{1e}';

/// The values in a message, each with its text: one in JSON, or objects that are separated by lines or by the record separator;
/// else the text itself.
pub fn values(text: &str) -> Vec<(Value, &str)> {
    let text = text.trim_end_matches(RECORD_SEPARATOR);
    if let Ok(value) = serde_json::from_str(text) {
        return vec![(value, text)];
    }
    let separator = if text.contains(RECORD_SEPARATOR) { RECORD_SEPARATOR } else { '\n' };
    let objects = || {
        let parts = text.split(separator).map(str::trim).filter(|part| !part.is_empty());
        let mut values = Vec::new();
        for part in parts {
            let value = serde_json::from_str(part).ok().filter(Value::is_object)?;
            if values.len() == MAX_VALUES {
                return None;
            }
            values.push((value, part));
        }
        (!values.is_empty()).then_some(values)
    };
    objects().unwrap_or_else(|| vec![(Value::String(text.to_owned()), text)])
}

/// What a value calls itself: `{"type": "chat", …}`.
pub fn source(value: &Value) -> &str {
    let named = value.as_object().and_then(|map| shape::kind(&Fields::of(map)));
    let named = named.map(|(_, name)| name).filter(|name| !name.is_empty() && name.len() <= MAX_NAME_BYTES);
    named.unwrap_or(SERVER)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_message_is_one_value_or_several_objects_or_text() {
        for (text, found) in [
            ("hi", json!(["hi"])),
            ("", json!([""])),
            ("21.5", json!([21.5])),
            (r#"{"a":1}"#, json!([{"a": 1}])),
            (r#"[1,2]"#, json!([[1, 2]])),
            ("{\"a\":1}\n{\"a\":2}\n", json!([{"a": 1}, {"a": 2}])),
            ("{\"type\":6}\u{1e}", json!([{"type": 6}])),
            ("{\"type\":6}\u{1e}{\"type\":1}\u{1e}", json!([{"type": 6}, {"type": 1}])),
            ("two\nlines", json!(["two\nlines"])),
            ("{\"a\":1}\nand words", json!(["{\"a\":1}\nand words"])),
        ] {
            let values: Vec<Value> = values(text).into_iter().map(|(value, _)| value).collect();
            assert_eq!(json!(values), found, "{text:?}");
        }
        let many = "{}\n".repeat(MAX_VALUES + 1);
        assert_eq!(values(&many), [(json!(many), many.as_str())]);
    }

    #[test]
    fn what_a_message_calls_itself_is_its_source() {
        for (value, named) in [
            (json!({"type": "chat", "text": "x"}), "chat"),
            (json!({"Event": "joined"}), "joined"),
            (json!({"type": 6}), SERVER),
            (json!({"type": ""}), SERVER),
            (json!({"type": "x".repeat(200)}), SERVER),
            (json!("hi"), SERVER),
        ] {
            assert_eq!(source(&value), named, "{value}");
        }
    }
}
