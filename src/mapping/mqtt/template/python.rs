//! Values written as Python writes them, since that is what the authors of templates saw; and as JSON. Lists may be longer than the
//! memory: only so much of them is looked at.

use std::fmt::Write as _;

use minijinja::Value;
use minijinja::value::ValueKind;
use serde_json::Value as Json;

/// Maximum number of items of a list that are looked at.
pub(super) const MAX_ITEMS: usize = 1_000;
/// Maximum number of values in JSON.
const MAX_VALUES: usize = 10_000;

/// A value as JSON; `None` if it is too large.
fn to_json(value: &Value, left: &mut usize) -> Option<Json> {
    *left = left.checked_sub(1)?;
    Some(match value.kind() {
        ValueKind::Undefined | ValueKind::None => Json::Null,
        ValueKind::Bool => Json::Bool(value.is_true()),
        ValueKind::Number => match value.as_i64() {
            Some(whole) => Json::from(whole),
            None => f64::try_from(value.clone())
                .ok()
                .and_then(serde_json::Number::from_f64)
                .map_or(Json::Null, Json::Number),
        },
        ValueKind::Seq | ValueKind::Iterable => {
            let items = value.try_iter().ok()?;
            Json::Array(items.map(|item| to_json(&item, left)).collect::<Option<_>>()?)
        }
        ValueKind::Map => {
            let mut map = serde_json::Map::new();
            for key in value.try_iter().ok()? {
                let item = value.get_item(&key).ok()?;
                map.insert(display(&key), to_json(&item, left)?);
            }
            Json::Object(map)
        }
        _ => Json::String(display(value)),
    })
}

/// A value as the text of JSON; `None` if it is too large.
pub(super) fn json_text(value: &Value) -> Option<String> {
    let mut left = MAX_VALUES;
    Some(to_json(value, &mut left)?.to_string())
}

/// A value as text.
pub(super) fn display(value: &Value) -> String {
    match value.kind() {
        ValueKind::Undefined => String::new(),
        ValueKind::None => "None".to_owned(),
        ValueKind::Bool => if value.is_true() { "True" } else { "False" }.to_owned(),
        ValueKind::String => value.as_str().unwrap_or_default().to_owned(),
        ValueKind::Seq | ValueKind::Iterable => {
            let mut out = String::from("[");
            write_items(&mut out, value);
            out + "]"
        }
        ValueKind::Map => {
            let mut out = String::from("{");
            for (at, key) in value.try_iter().into_iter().flatten().take(MAX_ITEMS).enumerate() {
                let item = value.get_item(&key).unwrap_or_default();
                let separator = if at == 0 { "" } else { ", " };
                let _ = write!(out, "{separator}{}: {}", repr(&key), repr(&item));
            }
            out + "}"
        }
        _ => value.to_string(),
    }
}

fn write_items(out: &mut String, value: &Value) {
    for (at, item) in value.try_iter().into_iter().flatten().take(MAX_ITEMS).enumerate() {
        let separator = if at == 0 { "" } else { ", " };
        let _ = write!(out, "{separator}{}", repr(&item));
    }
}

fn repr(value: &Value) -> String {
    match value.as_str() {
        Some(text) => format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'")),
        None => display(value),
    }
}
