//! JSON as devices write it: read leniently, and flattened into readings.

use std::borrow::Cow;

use serde_json::Value as Json;

use super::text;
use crate::model::device::Value;

/// Maximum number of readings taken from one payload.
pub(super) const MAX_FIELDS: usize = 256;
/// Maximum depth that is flattened.
const MAX_DEPTH: usize = 8;
/// An array with more items than this is a record of the past or raw data, not readings.
const MAX_ITEMS: usize = 8;

/// A payload as JSON; `None` if it is none. NaN and infinities, which some programs write, are read as `null`, and bytes that are
/// not UTF-8 as the replacement character.
pub(super) fn parse(payload: &[u8]) -> Option<Json> {
    let payload = payload.strip_prefix(b"\xef\xbb\xbf").unwrap_or(payload);
    let first = payload.iter().find(|byte| !byte.is_ascii_whitespace())?;
    if !matches!(first, b'{' | b'[' | b'"' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n') {
        return None;
    }
    if let Ok(json) = serde_json::from_slice(payload) {
        return Some(json);
    }
    if !matches!(first, b'{' | b'[') {
        return None;
    }
    let lossy = String::from_utf8_lossy(payload);
    serde_json::from_str(&lossy).or_else(|_| serde_json::from_str(&without_nan(&lossy))).ok()
}

/// An object; `None` if the payload is none.
pub(super) fn object(payload: &[u8]) -> Option<serde_json::Map<String, Json>> {
    match parse(payload)? {
        Json::Object(map) => Some(map),
        _ => None,
    }
}

fn without_nan(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut in_string, mut rest) = (false, text);
    while let Some(c) = rest.chars().next() {
        if in_string && c == '\\' {
            let end = rest.char_indices().nth(2).map_or(rest.len(), |(at, _)| at);
            out.push_str(&rest[..end]);
            rest = &rest[end..];
            continue;
        }
        in_string ^= c == '"';
        let word = ["-Infinity", "Infinity", "NaN", "nan", "-inf", "inf"]
            .into_iter()
            .find(|word| !in_string && rest.starts_with(word));
        match word {
            Some(word) => {
                out.push_str("null");
                rest = &rest[word.len()..];
            }
            None => {
                out.push(c);
                rest = &rest[c.len_utf8()..];
            }
        }
    }
    out
}

/// A scalar as a value; a text is kept as text. `None` for objects and arrays.
pub(super) fn scalar(json: &Json) -> Option<Value> {
    Some(match json {
        Json::Null => Value::Missing,
        Json::Bool(flag) => Value::Flag(*flag),
        Json::Number(number) => whole(number),
        Json::String(string) if text::is_no_number(string) => Value::Missing,
        Json::String(string) => text::text(string),
        Json::Array(_) | Json::Object(_) => return None,
    })
}

/// A scalar as a value; a text that is a number counts as one.
pub(super) fn reading(json: &Json) -> Option<Value> {
    match json {
        Json::String(string) => Some(match text::number(string) {
            Some(number) => number,
            None if text::is_no_number(string) => Value::Missing,
            None => text::text(string),
        }),
        other => scalar(other),
    }
}

fn whole(number: &serde_json::Number) -> Value {
    if let Some(whole) = number.as_i64() {
        return Value::from(whole);
    }
    match number.as_u64() {
        Some(whole) => Value::from(whole),
        None => text::tidied(number.as_f64().map_or(Value::Missing, Value::number)),
    }
}

/// The number of a field that may be a number or a text.
pub(super) fn number(json: Option<&Json>) -> Option<f64> {
    match json? {
        Json::Number(number) => number.as_f64(),
        Json::String(text) => text.trim().parse().ok().filter(|number: &f64| number.is_finite()),
        _ => None,
    }
}

/// The text of a field that may be a text, a number or a flag.
pub(super) fn string(json: &Json) -> Option<Cow<'_, str>> {
    Some(match json {
        Json::String(text) => Cow::Borrowed(text),
        Json::Number(number) => Cow::Owned(number.to_string()),
        Json::Bool(flag) => Cow::Owned(flag.to_string()),
        _ => return None,
    })
}

/// Calls `take` with the path and the value of every scalar in it. Items of arrays are numbered from 1; texts in an array are
/// one text. `separator` stands between the parts of a path.
pub(super) fn flatten(json: &Json, separator: &str, take: &mut dyn FnMut(&str, &Json)) {
    let mut path = String::new();
    let mut left = MAX_FIELDS;
    flatten_at(json, separator, &mut path, MAX_DEPTH, &mut left, take);
}

fn flatten_at(
    json: &Json,
    separator: &str,
    path: &mut String,
    depth: usize,
    left: &mut usize,
    take: &mut dyn FnMut(&str, &Json),
) {
    if *left == 0 || depth == 0 {
        return;
    }
    match json {
        Json::Object(map) => {
            for (name, json) in map {
                let before = path.len();
                if !path.is_empty() {
                    path.push_str(separator);
                }
                path.push_str(name);
                flatten_at(json, separator, path, depth - 1, left, take);
                path.truncate(before);
            }
        }
        Json::Array(items) if items.len() <= MAX_ITEMS && items.iter().any(|item| !item.is_string()) => {
            for (at, json) in items.iter().enumerate() {
                let before = path.len();
                if !path.is_empty() {
                    path.push(' ');
                }
                path.push_str(&(at + 1).to_string());
                flatten_at(json, separator, path, depth - 1, left, take);
                path.truncate(before);
            }
        }
        Json::Array(items) if !items.is_empty() && items.iter().all(Json::is_string) => {
            let texts: Vec<&str> = items.iter().filter_map(Json::as_str).take(MAX_ITEMS * 4).collect();
            *left -= 1;
            take(path, &Json::String(texts.join(", ")));
        }
        Json::Array(_) => {}
        scalar => {
            *left -= 1;
            take(path, scalar);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_some_programs_write_instead_of_json_is_read() {
        assert_eq!(
            parse(br#"{"a":NaN,"b":"NaN \" inf","c":[-Infinity,1]}"#),
            Some(json!({"a":null,"b":"NaN \" inf","c":[null,1]}))
        );
        assert_eq!(parse(b"\xef\xbb\xbf {\"a\":1}"), Some(json!({"a":1})));
        assert_eq!(parse(b"{\"a\":\"\xe4\xf1\"}"), Some(json!({"a":"\u{fffd}\u{fffd}"})));
        assert_eq!(parse(b"online"), None);
        assert_eq!(parse(b"{\"a\":"), None);
        assert_eq!(parse(&b"[".repeat(100_000)), None);
    }

    #[test]
    fn arrays_are_numbered_and_long_ones_left_out() {
        let mut found = Vec::new();
        let json = json!({"p":[1,0],"t":["a","b"],"long":[0,0,0,0,0,0,0,0,0],"e":{"x":{"y":true}},"none":[]});
        flatten(&json, ".", &mut |path, json| found.push(format!("{path}={json}")));
        assert_eq!(found, ["e.x.y=true", "p 1=1", "p 2=0", "t=\"a, b\""]);
    }
}
