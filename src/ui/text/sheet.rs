//! [`SheetWords`]: what is said in the settings.

/// All that is said in the settings in one language.
#[allow(missing_docs)] // The names say it; the sentences are in the language's file.
pub struct SheetWords {
    pub search: &'static str,
    pub found: fn(usize) -> String,
    pub nothing_found: &'static str,
    pub as_system: &'static str,

    // Groups
    pub general: &'static str,
    pub appearance: &'static str,

    // General
    pub language: &'static str,
    pub language_text: &'static str,

    // Appearance
    pub theme: &'static str,
    pub theme_text: &'static str,
    pub theme_light: &'static str,
    pub theme_dark: &'static str,
    pub theme_high_contrast: &'static str,
    pub zoom: &'static str,
    pub zoom_text: &'static str,
    pub percent: fn(u16) -> String,

    // What every number has
    pub less: fn(&str) -> String,
    pub more: fn(&str) -> String,
    pub usual: fn(&str) -> String,
    pub reset: &'static str,
}
