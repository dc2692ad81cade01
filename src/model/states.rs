//! [`StateChange`] and [`States`]: the history of text and enumeration values.

use std::sync::Arc;

use super::device::Value;
use super::time::WallMs;

/// Maximum length of a text in the history, in bytes.
const MAX_STATE_BYTES: usize = 1_024;

/// A change of a text value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateChange {
    /// Time by the hub's clock.
    pub at: WallMs,
    /// The new value; `None` if it is unknown from here on.
    pub value: Option<Arc<str>>,
}

/// The history of a text value, in order of time.
pub type States = Arc<[StateChange]>;

/// A value as stored in the history; `None` if it is not a text.
pub fn state_of(value: &Value) -> Option<Arc<str>> {
    let Value::Text(text) = value else { return None };
    Some(match text.get(..text.floor_char_boundary(MAX_STATE_BYTES)) {
        Some(beginning) if beginning.len() < text.len() => beginning.into(),
        _ => Arc::clone(text),
    })
}

/// Whether a value is a change from the previous one: another text, or a change between a text and another
/// type.
pub fn is_change(before: Option<&Value>, value: &Value) -> bool {
    let is_text = |value: &Value| matches!(value, Value::Text(_));
    (is_text(value) || before.is_some_and(is_text)) && before != Some(value)
}
