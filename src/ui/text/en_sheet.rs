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
    writing: "Writing",
    data: "Data",

    language: "Language",
    language_text: "What the window speaks. Messages and names stay as they were written.",
    hours: "Time of day",
    hours_text: "How the time is written, in the chat and everywhere else but the connection log.",
    hours_twenty_four: "24 hours (21:07)",
    hours_twelve: "12 hours (9:07 PM)",
    reset_all: "Reset all settings",
    reset_all_text: "Everything on this sheet becomes as it was at first; connections and messages stay as they are.",
    reset_question: "Reset every setting?",
    reset_really: "Reset them",

    theme: "Colours",
    theme_text: "The colours of the window. High contrast is black and white with few strong colours.",
    theme_light: "Light",
    theme_dark: "Dark",
    theme_high_contrast: "High contrast",
    english: "English",
    korean: "Korean",
    density: "Spacing",
    density_text: "How much room there is around messages, rooms and devices.",
    density_comfortable: "Comfortable",
    density_compact: "Compact",
    zoom: "Zoom",
    zoom_text: "How large everything is. Ctrl with +, − and 0 does the same anywhere; on a Mac, Command.",
    percent: |percent| format!("{percent} %"),

    enter_sends: "Enter sends",
    enter_sends_text: "Enter sends the message and Shift+Enter breaks the line; without this Enter breaks the line, and Ctrl+Enter sends (on a Mac, Command+Enter).",

    connect_at_start: "Connect when Duplex starts",
    connect_at_start_text: "Without this no saved connection is dialled by itself, whatever its own setting says.",

    raw_readings: "Space for raw readings",
    raw_readings_text: "When it is used up the oldest raw readings go; the minimum, mean and maximum of each minute stay for a year.",

    folder: "Data folder",
    folder_text: "Where messages, readings and settings are; --data-dir chooses another.",
    folder_open: "Open folder",
    folder_copy: "Copy path",

    about: "About",
    version: "Version and licences",
    version_text: "Duplex is under MIT or Apache 2.0, as you like; the licences of all it is made of come with the installer.",
    version_copy: "Copy version",
    font_licences: "Show the licences of font and icons",

    less: |name| format!("{name}: less"),
    more: |name| format!("{name}: more"),
    usual: |name| format!("{name}: back to usual"),
    reset: "Reset",
};
