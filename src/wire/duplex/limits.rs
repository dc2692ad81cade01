//! What a hub takes of one device: how many, how long. What goes beyond is answered with `publish_refused`.

use std::collections::HashSet;

use crate::model::Spec;
use crate::model::device::{METRICS, NAME_CHARS};
use crate::model::time::WallMs;

/// Most samples of one `publish`.
pub const SAMPLES: usize = 4_096;
/// Longest text of a reading, in bytes: a device with all its metrics still fits into a frame.
pub const TEXT_BYTES: usize = 1_024;
/// Longest text of an attribute or a command, in bytes of UTF-8.
pub const LONG_TEXT_BYTES: usize = 4_096;
/// Largest announcement, in bytes of JSON.
pub const SPEC_BYTES: usize = 65_536;
/// Most attributes of a device.
pub const ATTRIBUTES: usize = 64;
/// Most options of one enumeration.
pub const OPTIONS: usize = 256;
/// Longest name, kind, unit, option and attribute's name, in characters.
pub const TITLE_CHARS: usize = 128;
/// Longest name of a person, as it is told, in characters.
pub const PERSON_CHARS: usize = 64;
/// Longest will, and reason of going, in characters.
pub const REASON_CHARS: usize = 256;
/// Longest detail of a command's result, in characters.
pub const DETAIL_CHARS: usize = 512;

/// Most bytes of JSON of the fields of a message that the hub does not know.
pub const EXTRA_BYTES: usize = 16 * 1024;
/// Deepest nesting of such a field.
pub const EXTRA_DEPTH: usize = 8;

/// Something beyond a limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excess {
    /// A stable word: `bad_name`, `too_many`, `too_large`.
    pub code: &'static str,
    /// For people.
    pub detail: String,
}

fn excess(code: &'static str, detail: impl Into<String>) -> Result<(), Excess> {
    Err(Excess { code, detail: detail.into() })
}

/// Whether this is not a name that apps keep for what they say of themselves.
pub fn is_of_a_hub(device: &str) -> bool {
    !device.starts_with('~')
}

/// A time from 1970 to the last one that every reader of JSON has exactly, so that two of them have a difference.
pub fn time(told: WallMs) -> WallMs {
    told.clamp(WallMs(0), WallMs(1 << 53))
}

/// Whether a hub takes this announcement.
///
/// # Errors
/// Says what is beyond which limit.
pub fn check_spec(spec: &Spec) -> Result<(), Excess> {
    check_id(spec.id.as_str())?;
    if spec.metrics.len() > METRICS {
        return excess("too_many", format!("at most {METRICS} metrics"));
    }
    if spec.attributes.len() > ATTRIBUTES {
        return excess("too_many", format!("at most {ATTRIBUTES} attributes"));
    }
    let mut names = HashSet::new();
    if let Some(twice) = spec.metrics.iter().find(|metric| !names.insert(&metric.name)) {
        return excess("bad_name", format!("two metrics are called `{}`", twice.name));
    }
    if spec.metrics.iter().any(|metric| metric.options.len() > OPTIONS) {
        return excess("too_many", format!("at most {OPTIONS} options"));
    }
    let of_metrics = spec.metrics.iter().flat_map(|metric| metric.options.iter().chain([&metric.unit]));
    let mut titles = [&spec.name, &spec.kind].into_iter().chain(spec.attributes.keys()).chain(of_metrics);
    if titles.any(|title| longer_than(title, TITLE_CHARS)) {
        return excess(
            "too_large",
            format!("names, kinds, units and options have at most {TITLE_CHARS} characters"),
        );
    }
    if spec.attributes.values().any(|value| value.len() > LONG_TEXT_BYTES) {
        return excess("too_large", format!("an attribute has at most {LONG_TEXT_BYTES} bytes"));
    }
    Ok(())
}

/// Whether a hub takes a device of this id.
///
/// # Errors
/// Where it is one that apps keep for themselves.
pub fn check_id(device: &str) -> Result<(), Excess> {
    if is_of_a_hub(device) { Ok(()) } else { excess("bad_name", "a device's id does not begin with `~`") }
}

/// Cuts a text to this many characters.
pub fn cut(text: &str, chars: usize) -> String {
    text.chars().take(chars).collect()
}

/// A device's name as it was told, cut so that it can be told again.
pub fn cut_name(device: &str) -> String {
    cut(device, NAME_CHARS)
}

fn longer_than(text: &str, chars: usize) -> bool {
    text.len() > chars && text.chars().nth(chars).is_some()
}
