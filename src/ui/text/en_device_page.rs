//! What the page of one device says, in English.

use chrono::{Local, TimeZone};

use super::device_page::{Lock, PageWords, Stretch};
use crate::model::device::{CommandRefusal, CommandState};
use crate::model::time::WallMs;
use crate::ui::harmless;

/// English.
pub static ENGLISH: PageWords = PageWords {
    back: "Back to the devices",
    gone: "This device is not known to its server any more.",
    last_heard: |status, age| format!("{status}, last heard {age}"),
    clock_off: |ms| {
        let way = if ms > 0 { "behind" } else { "ahead" };
        format!("Its clock is {} {way}.", length(ms.saturating_abs()))
    },
    never: "never",

    readings: "Readings",
    no_readings: "It has said nothing yet.",
    plot_it: |name| format!("Plot {name}"),
    plots_full: |most| format!("At most {most} readings are plotted at once."),
    reading: |name, value, freshness| format!("{name} {value}, {freshness}"),

    plots: "Plots",
    stretch: |stretch| match stretch {
        Stretch::Minutes => "5 min",
        Stretch::Hour => "1 h",
        Stretch::Hours => "6 h",
        Stretch::Day => "1 d",
        Stretch::Week => "1 week",
        Stretch::Year => "1 year",
    },
    stretch_named: |stretch| match stretch {
        Stretch::Minutes => "Show 5 minutes",
        Stretch::Hour => "Show 1 hour",
        Stretch::Hours => "Show 6 hours",
        Stretch::Day => "Show 1 day",
        Stretch::Week => "Show 1 week",
        Stretch::Year => "Show 1 year",
    },
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
    nothing_chosen: "Choose readings below to plot them.",
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
    tick: |at, step_ms| {
        let pattern = match step_ms {
            ..60_000 => "%H:%M:%S",
            60_000..86_400_000 => "%H:%M",
            _ => "%e %b",
        };
        local(at, pattern)
    },

    controls: "Controls",
    locked: |lock| match lock {
        Lock::Link => "Locked: unknown: the link is down",
        Lock::Unheard => "Locked: unknown: the server has not heard of it since it was started",
        Lock::Silent => "Locked: the device is silent",
        Lock::Offline => "Locked: the device is offline",
    },
    slide: |name| format!("{name}, slider"),
    set: "Set",
    set_named: |name, value| format!("Set {name} to {value}"),
    not_set_yet: "not set yet",
    forget: |name| format!("Leave {name} as it is"),
    now_is: |value| format!("now {value}"),
    command: |state, value, age| match state {
        CommandState::Pending => format!("{value}: asked {age}"),
        CommandState::Done => format!("{value}: done, asked {age}"),
        CommandState::Expired => {
            format!("{value}: timed out, asked {age}: the device did not answer in time")
        }
        CommandState::Unknown => {
            format!("{value}: unknown: the link went down before the answer, asked {age}")
        }
        other => format!("{value}: {}, asked {age}", became(other)),
    },
    device_changed: |name| {
        format!(
            "Nothing was sent: the device or its connection changed while {name} was touched. Look again, then repeat it."
        )
    },
    value_changed: |name| {
        format!(
            "Nothing was sent: {name} changed by itself while it was touched. Look again, then repeat it."
        )
    },
    confirm_void: |name| {
        format!("Nothing was sent: the device or its connection changed before setting {name} was confirmed.")
    },
    confirm_title: |device, name| format!("Set {name} of {device}?"),
    confirm_text: |name, old, new| {
        format!("{name} is {old} now, and would be set to {new}. This is marked as risky.")
    },
    confirm: |value| format!("Set to {value}"),
    understood: "Understood",

    attributes: "Attributes",
    log: "Log",
    log_empty: "Nothing happened yet.",
    came: "came online",
    went: |reason| if reason.is_empty() { "went offline".into() } else { format!("went offline: {reason}") },
    fell_silent: "fell silent",
    asked: |who, name, value| format!("{who} asked: {name} = {value}"),
    became,
    raw: "What it last said",
    copy_raw: "Copy what it last said",
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
        CommandState::Unknown => "unknown: the link went down before the answer".into(),
        CommandState::Refused { why, detail } => {
            let why = match why {
                CommandRefusal::UnknownDevice => "refused: there is no such device",
                CommandRefusal::NotWritable => "refused: it cannot be set",
                CommandRefusal::BadValue => "refused: not a value that it takes",
                CommandRefusal::Changed => "refused: the device is not what it was",
                CommandRefusal::NotAllowed => "refused: you may not do that",
                CommandRefusal::Other => "refused",
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
    match Local.timestamp_millis_opt(at).earliest() {
        Some(time) => time.format(pattern).to_string().trim_start().to_owned(),
        None => "?".to_owned(),
    }
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
