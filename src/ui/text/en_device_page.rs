//! What the page of one device says, in English.

use super::device_page::{BadRange, Lock, PageWords, Stretch};
use super::local;
use crate::model::device::{CommandRefusal, CommandState};
use crate::model::time::WallMs;
use crate::ui::harmless;

/// English.
pub static ENGLISH: PageWords = PageWords {
    back: "Back to devices",
    gone: "The server no longer knows this device.",
    last_heard: |status, age| format!("{status}, last heard {age}"),
    clock_off: |ms| {
        let way = if ms > 0 { "behind" } else { "ahead" };
        format!("Its clock is {} {way}.", length(ms.saturating_abs()))
    },
    muted: "Notifications muted",
    never: "never",

    readings: "Readings",
    no_readings: "No readings yet.",
    plot_it: |name| format!("Plot {name}"),
    plots_full: |most| format!("At most {most} readings can be plotted at once. Remove one first."),
    reading: |name, value, freshness| format!("{name} {value}, {freshness}"),

    plots: "Plots",
    stretch: |stretch| match stretch {
        Stretch::Minutes => "5 min",
        Stretch::Hour => "1 h",
        Stretch::Hours => "6 h",
        Stretch::Day => "1 d",
        Stretch::Week => "1 week",
        Stretch::Month => "30 days",
        Stretch::Year => "1 year",
    },
    stretch_named: |stretch| match stretch {
        Stretch::Minutes => "Show 5 minutes",
        Stretch::Hour => "Show 1 hour",
        Stretch::Hours => "Show 6 hours",
        Stretch::Day => "Show 1 day",
        Stretch::Week => "Show 1 week",
        Stretch::Month => "Show 30 days",
        Stretch::Year => "Show 1 year",
    },
    range: "From–to…",
    range_named: "Choose a time range",
    range_from: "From",
    range_to: "To",
    range_hint: "For example 2026-11-03 14:30, yesterday 9:00, or 14:30",
    month: |year, month| {
        let first = chrono::NaiveDate::from_ymd_opt(year, month, 1);
        first.map(|first| first.format("%B %Y").to_string()).unwrap_or_default()
    },
    weekdays: ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"],
    weeks_begin_on_sunday: false,
    month_before: "Previous month",
    month_after: "Next month",
    range_show: "Show range",
    bad_range: |why| match why {
        BadRange::From => "“From” isn't a date and time.",
        BadRange::To => "“To” isn't a date and time.",
        BadRange::Order => "“From” must be before “To”.",
        BadRange::Future => "“From” is in the future.",
        BadRange::Long => "The range can be at most 2 years.",
        BadRange::Short => "The range must be at least 2 seconds.",
    },
    y_axis: "Y axis",
    y_axis_of: |names| format!("Y axis of {names}"),
    y_auto: "Automatic",
    y_low: "Lowest value",
    y_high: "Highest value",
    y_bad: "Enter two numbers, the lower one first.",
    y_set: "Set",
    live: "Live",
    go_live: "Back to live",
    plot_of: |names, from, to| format!("Plot of {names}, {from} to {to}"),
    plot_help: "Drag or ← → to move, Ctrl+wheel or + − to zoom, End for live",
    strip_of: |name, from, to| format!("States of {name}, {from} to {to}"),
    since: |value, at| format!("{value}, since {at}"),
    changes: |count| format!("{count} changes"),
    said_for: |value, ms| format!("{value} for {}.", length(ms)),
    more_values: |count| {
        if count == 1 { "1 more value.".into() } else { format!("{count} more values.") }
    },
    no_data: "No data",
    no_data_between: |from, to| format!("No data {from} to {to}."),
    more_gaps: |count| {
        if count == 1 {
            "1 more stretch without data.".into()
        } else {
            format!("{count} more stretches without data.")
        }
    },
    loading: "Loading…",
    nothing_chosen: "Tick a reading to plot it.",
    moment: |at, shown_ms| {
        local(
            at,
            if shown_ms < 86_400_000 {
                "%H:%M:%S"
            } else if shown_ms < 30 * 86_400_000 {
                "%a %e %b, %H:%M"
            } else {
                "%e %b %Y, %H:%M"
            },
        )
    },
    tick: |at, step_ms| match step_ms {
        ..60_000 => local(at, "%H:%M:%S"),
        60_000..86_400_000 => local(at, "%H:%M"),
        _ => local::day(at, |time| time.format("%-d %b").to_string()),
    },

    controls: "Controls",
    locked: |lock| match lock {
        Lock::Link => "Controls are disabled: not connected to the server.",
        Lock::Unheard => "Controls are disabled: the server has received no data from this device yet.",
        Lock::Silent => "Controls are disabled: the device has stopped sending data.",
        Lock::Offline => "Controls are disabled: the device is offline.",
    },
    slide: |name| format!("{name}, slider"),
    set: "Set",
    not_a_number: |typed| format!("Nothing was sent: “{typed}” is not a number."),
    not_held: |typed| {
        format!(
            "Nothing was sent: {typed} is out of range. Whole numbers go from -9,223,372,036,854,775,808 to 18,446,744,073,709,551,615."
        )
    },
    not_within: |typed, low, high| {
        let range = match (low, high) {
            (Some(low), Some(high)) => format!("from {low} to {high}"),
            (Some(low), None) => format!("of at least {low}"),
            (None, Some(high)) => format!("of at most {high}"),
            (None, None) => "that the device takes".to_owned(),
        };
        format!("Nothing was sent: {typed} is out of range. Enter a number {range}.")
    },
    set_named: |name, value| format!("Set {name} to {value}"),
    not_set_yet: "Not set yet",
    pick_colour: |name| format!("Pick {name}"),
    forget: |name| format!("Discard the new value of {name}"),
    now_is: |value| format!("now {value}"),
    command: |state, switch, value, age| {
        let (doing, done, to_do) = match switch {
            Some(true) => ("Turning on…".to_owned(), "Turned on".to_owned(), "turn on".to_owned()),
            Some(false) => ("Turning off…".to_owned(), "Turned off".to_owned(), "turn off".to_owned()),
            None => (format!("Setting to {value}…"), format!("Set to {value}"), format!("set to {value}")),
        };
        match state {
            CommandState::Pending => doing,
            CommandState::Done => format!("{done}, {age}"),
            CommandState::Unknown => {
                format!("Connection lost before the answer: may not have been done ({to_do}, {age})")
            }
            CommandState::Expired => format!("Couldn't {to_do}: the device didn't answer in time, {age}"),
            other => format!("Couldn't {to_do}: {}, {age}", became(other)),
        }
    },
    device_changed: |name| {
        format!(
            "Nothing was sent: the device or its connection changed while you were using {name}. Check the value and try again."
        )
    },
    value_changed: |name| {
        format!("Nothing was sent: {name} changed while you were using it. Check the value and try again.")
    },
    confirm_void: |name| {
        format!("Nothing was sent: the device or its connection changed before you confirmed {name}.")
    },
    confirm_title: |name, switch, value| match switch {
        Some(true) => format!("Turn on {name}?"),
        Some(false) => format!("Turn off {name}?"),
        None => format!("Set {name} to {value}?"),
    },
    confirm_text: |old| format!("It is {old} now. This control is marked as risky."),
    confirm: |switch, value| match switch {
        Some(true) => "Turn on".to_owned(),
        Some(false) => "Turn off".to_owned(),
        None => format!("Set to {value}"),
    },
    understood: "OK",

    attributes: "Attributes",
    log: "History",
    log_empty: "Nothing yet.",
    came: "Online",
    went: |reason| if reason.is_empty() { "Offline".into() } else { format!("Offline: {reason}") },
    fell_silent: "No data",
    asked: |who, name, value| format!("{who} set {name} to {value}"),
    became,
    raw: "Last message (raw)",
    copy_raw: "Copy the last message",
};

/// English, with twelve hours before noon and twelve after.
pub(super) static TWELVE_HOURS: PageWords = PageWords {
    moment: |at, shown_ms| {
        let pattern = match shown_ms {
            ..86_400_000 => "%-I:%M:%S %p",
            86_400_000..2_592_000_000 => "%a %e %b, %-I:%M %p",
            _ => "%e %b %Y, %-I:%M %p",
        };
        local(at, pattern)
    },
    tick: |at, step_ms| match step_ms {
        ..60_000 => local(at, "%-I:%M:%S"),
        60_000..86_400_000 => local(at, "%-I:%M %p"),
        _ => (ENGLISH.tick)(at, step_ms),
    },
    ..ENGLISH
};

fn became(state: &CommandState) -> String {
    let with = |what: &str, detail: &str| {
        if detail.trim().is_empty() {
            what.to_owned()
        } else {
            format!("{what}: {}", harmless::line(detail.trim(), 300))
        }
    };
    match state {
        CommandState::Pending => "pending".into(),
        CommandState::Done => "done".into(),
        CommandState::Failed { detail } => with("failed", detail),
        CommandState::Expired => "timed out".into(),
        CommandState::Unknown => "unknown: connection lost before the answer".into(),
        CommandState::Refused { why, detail } => {
            let why = match why {
                CommandRefusal::UnknownDevice => "the server doesn't know this device",
                CommandRefusal::NotWritable => "it can't be set",
                CommandRefusal::BadValue => "the value isn't allowed",
                CommandRefusal::Changed => "the device has changed",
                CommandRefusal::NotAllowed => "you don't have permission",
                CommandRefusal::Other => "refused by the server",
            };
            with(why, detail)
        }
    }
}

/// A length of time: `12 s`, `1 h 2 min`, `3 d 4 h`.
fn length(ms: i64) -> String {
    let seconds = ms / 1_000;
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    match seconds {
        ..60 => format!("{seconds} s"),
        60..3_600 => two(minutes, "min", seconds % 60, "s"),
        3_600..86_400 => two(hours, "h", minutes % 60, "min"),
        _ => two(days, "d", hours % 24, "h"),
    }
}

fn two(many: i64, large: &str, rest: i64, little: &str) -> String {
    if rest == 0 { format!("{many} {large}") } else { format!("{many} {large} {rest} {little}") }
}

fn local(at: WallMs, pattern: &str) -> String {
    local::moment(at, |time| time.format(pattern).to_string().trim_start().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_off_says_how_far() {
        assert_eq!((ENGLISH.clock_off)(3_720_000), "Its clock is 1 h 2 min behind.");
        assert_eq!((ENGLISH.clock_off)(-7_000), "Its clock is 7 s ahead.");
        assert_eq!((ENGLISH.clock_off)(i64::MIN), "Its clock is 106751991167 d 7 h ahead.");
    }
}
