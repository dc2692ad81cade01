//! [`DoctorWords`]: what is said where a connection is checked.

/// All that is said of it in one language, besides what a report says itself.
#[allow(missing_docs)] // The names say it; the sentences are in the language's file.
pub struct DoctorWords {
    pub title: fn(&str) -> String,
    pub menu: &'static str,
    pub find_out: &'static str,
    pub running: &'static str,
    pub copy: &'static str,
    pub copied: &'static str,
    pub again: &'static str,
    pub show_steps: &'static str,
    pub hide_steps: &'static str,
    pub table: &'static str,
    pub figures: &'static str,
    /// What a report says.
    pub report: &'static crate::doctor::Words,
}
