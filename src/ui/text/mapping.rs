//! [`MappingWords`]: what is said of the mapping of a foreign server.

use crate::ui::mapping::Kind;

/// All that is said of it in one language. Text from outside comes in harmless.
#[allow(missing_docs)] // The names say it; the sentences are in the language's file.
pub struct MappingWords {
    pub title: &'static str,
    pub menu: &'static str,
    pub about: &'static str,
    pub recognize: &'static str,
    pub recognize_hint: &'static str,
    pub offer: &'static str,
    pub offer_hint: &'static str,
    pub your_name: &'static str,
    pub your_name_hint: &'static str,
    pub begin_with: &'static str,
    pub choose: &'static str,
    pub document: &'static str,
    pub preview: &'static str,
    pub nothing_yet: &'static str,
    pub times: fn(usize) -> String,
    pub(in crate::ui) kind: fn(Kind) -> &'static str,
    pub as_message: &'static str,
    pub as_readings: &'static str,
    pub as_nothing: &'static str,
    pub copy: &'static str,
    pub copy_hint: &'static str,
}
