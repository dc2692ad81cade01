//! [`StateChange`] and [`States`]: the past of what is said in words: a text, or one of an enumeration's options.

use std::sync::Arc;

use super::device::Value;
use super::time::WallMs;

/// A past keeps no more of one text than this, in bytes.
const STATE_BYTES: usize = 1_024;

/// What a text became.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateChange {
    /// From when on, by the hub's clock.
    pub at: WallMs,
    /// What it said. None: from here on it is not known what it would have said.
    pub value: Option<Arc<str>>,
}

/// A text's past, in order of time.
pub type States = Arc<[StateChange]>;

/// A value as the past keeps it. None for what is no text.
pub fn state_of(value: &Value) -> Option<Arc<str>> {
    let Value::Text(text) = value else { return None };
    Some(match text.get(..text.floor_char_boundary(STATE_BYTES)) {
        Some(beginning) if beginning.len() < text.len() => beginning.into(),
        _ => Arc::clone(text),
    })
}

/// Whether a value after this one is a change of a text: from one to another, or between a text and what is none.
pub fn is_change(before: Option<&Value>, value: &Value) -> bool {
    let is_text = |value: &Value| matches!(value, Value::Text(_));
    (is_text(value) || before.is_some_and(is_text)) && before != Some(value)
}
