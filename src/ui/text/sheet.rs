//! [`SheetWords`]: what is said in the settings.

/// All that is said in the settings in one language.
#[allow(missing_docs)] // The names say it; the sentences are in the language's file.
pub struct SheetWords {
    pub search: &'static str,
    pub found: fn(usize) -> String,
    pub nothing_found: &'static str,
    pub as_system: &'static str,
    pub categories: &'static str,

    // Groups
    pub general: &'static str,
    pub appearance: &'static str,
    pub writing: &'static str,
    pub data: &'static str,

    // General
    pub language: &'static str,
    pub language_text: &'static str,
    pub hours: &'static str,
    pub hours_text: &'static str,
    pub hours_twenty_four: &'static str,
    pub hours_twelve: &'static str,
    pub tell_seen: &'static str,
    pub tell_seen_text: &'static str,
    pub reset_all: &'static str,
    pub reset_all_text: &'static str,
    pub reset_question: &'static str,
    pub reset_really: &'static str,

    // Appearance
    pub theme: &'static str,
    pub theme_text: &'static str,
    pub theme_light: &'static str,
    pub theme_dark: &'static str,
    pub theme_high_contrast: &'static str,
    /// What English is called.
    pub english: &'static str,
    /// What Korean is called.
    pub korean: &'static str,
    pub density: &'static str,
    pub density_text: &'static str,
    pub density_comfortable: &'static str,
    pub density_compact: &'static str,
    pub zoom: &'static str,
    pub zoom_text: &'static str,
    pub percent: fn(u16) -> String,
    pub motion: &'static str,
    pub motion_text: &'static str,
    pub motion_full: &'static str,
    pub motion_reduced: &'static str,

    // Writing
    pub enter_sends: &'static str,
    pub enter_sends_text: &'static str,

    // Connections
    pub connect_at_start: &'static str,
    pub connect_at_start_text: &'static str,

    // Data
    pub raw_readings: &'static str,
    pub raw_readings_text: &'static str,

    pub folder: &'static str,
    pub folder_text: &'static str,
    pub folder_open: &'static str,
    pub folder_copy: &'static str,
    pub logs: &'static str,
    pub logs_text: &'static str,
    pub logs_show: &'static str,

    // Starting with the computer
    pub autostart: &'static str,
    pub autostart_text: &'static str,
    /// In the system's words.
    pub autostart_failed: fn(&str) -> String,

    // Crashes
    pub crash_title: &'static str,
    pub crash_text: &'static str,
    pub crash_show: &'static str,
    pub crash_copy: &'static str,

    // About
    pub about: &'static str,
    pub version: &'static str,
    pub version_text: &'static str,
    pub version_copy: &'static str,
    pub font_licences: &'static str,

    // What every number has
    pub less: fn(&str) -> String,
    pub more: fn(&str) -> String,
    pub usual: fn(&str) -> String,
    pub reset: &'static str,
}
