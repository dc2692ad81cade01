//! English: the settings.

use super::sheet::SheetWords;

/// English.
pub(super) static ENGLISH: SheetWords = SheetWords {
    search: "Search settings",
    found: |count| match count {
        1 => "1 setting".into(),
        _ => format!("{count} settings"),
    },
    nothing_found: "No matching settings.",
    as_system: "Match system",
    categories: "Categories",

    general: "General",
    appearance: "Appearance",
    writing: "Writing",
    data: "Data",

    language: "Language",
    language_text: "Language of the interface; messages and names are shown as they were written.",
    hours: "Time format",
    hours_text: "How times are written everywhere except in the connection log.",
    hours_twenty_four: "24 hours (21:07)",
    hours_twelve: "12 hours (9:07 PM)",
    tell_seen: "Send read receipts",
    tell_seen_text: "Others in a room see which of its messages you have seen. What they were told stays with them when you turn this off.",
    reset_all: "Reset all settings",
    reset_all_text: "Restores all settings to their defaults; connections and messages are kept.",
    reset_question: "Reset all settings?",
    reset_really: "Reset settings",

    theme: "Theme",
    theme_text: "Colours of the interface; high contrast uses black, white and a few strong colours.",
    theme_light: "Light",
    theme_dark: "Dark",
    theme_high_contrast: "High contrast",
    english: "English",
    korean: "Korean",
    density: "Spacing",
    density_text: "How much space is left around messages, rooms and devices.",
    density_comfortable: "Comfortable",
    density_compact: "Compact",
    zoom: "Zoom",
    zoom_text: "Interface scale; Ctrl with +, − or 0 changes it anywhere (Command on a Mac).",
    percent: |percent| format!("{percent} %"),
    motion: "Animations",
    motion_text: "Whether messages that appear by themselves, such as warnings, fade in.",
    motion_full: "On",
    motion_reduced: "Off",

    enter_sends: "Enter sends",
    enter_sends_text: "Enter sends the message and Shift+Enter starts a new line; when off, Enter starts a new line and Ctrl+Enter sends (Command+Enter on a Mac).",

    connect_at_start: "Connect when Duplex starts",
    connect_at_start_text: "When off, no saved connection connects at startup.",

    raw_readings: "Space for raw readings",
    raw_readings_text: "When it is full, the oldest raw readings are deleted; the minimum, mean and maximum of each minute are kept for a year.",

    folder: "Data folder",
    folder_text: "Where messages, readings and settings are stored; start Duplex with --data-dir to use another folder.",
    folder_open: "Open folder",
    folder_copy: "Copy path",
    logs: "Log files",
    logs_text: "What Duplex did and what failed, without messages and tokens; kept on this computer only, up to 4 MiB.",
    logs_show: "Show log files",

    autostart: "Start Duplex when you sign in",
    autostart_text: "Duplex then starts in the tray, or minimized where there is none, and connects.",
    autostart_failed: |detail| format!("This couldn't be changed ({detail})."),

    crash_title: "Crash report",
    crash_text: "This report is stored on this computer only and is never sent. It has no messages or tokens in it. Copy it if you want to report the problem.",
    crash_show: "Show",
    crash_copy: "Copy report",

    about: "About",
    version: "Version and licences",
    version_text: "Duplex is licensed under MIT or Apache 2.0, at your option; the licences of its components come with the installer.",
    version_copy: "Copy version",
    font_licences: "Show font and icon licences",

    less: |name| format!("{name}: decrease"),
    more: |name| format!("{name}: increase"),
    usual: |name| format!("{name}: reset to default"),
    reset: "Reset",
};
