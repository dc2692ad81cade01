//! English: the settings.

use super::sheet::SheetWords;

/// English.
pub(super) static ENGLISH: SheetWords = SheetWords {
    search: "Search settings",
    found: |count| match count {
        1 => "1 setting".into(),
        _ => format!("{count} settings"),
    },
    nothing_found: "No setting has these words.",
    as_system: "As the system",

    general: "General",
    appearance: "Appearance",

    language: "Language",
    language_text: "What the window speaks. Messages and names stay as they were written.",

    theme: "Colours",
    theme_text: "The colours of the window. High contrast is black and white with few strong colours.",
    theme_light: "Light",
    theme_dark: "Dark",
    theme_high_contrast: "High contrast",
    zoom: "Zoom",
    zoom_text: "How large everything is. Ctrl with +, − and 0 does the same anywhere; on a Mac, Command.",
    percent: |percent| format!("{percent} %"),

    less: |name| format!("{name}: less"),
    more: |name| format!("{name}: more"),
    usual: |name| format!("{name}: back to usual"),
    reset: "Reset",
};
