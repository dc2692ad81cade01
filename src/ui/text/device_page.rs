//! What the page of one device says.

use crate::model::device::CommandState;
use crate::model::time::WallMs;

/// How much of the past a plot shows.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Stretch {
    /// Five minutes.
    Minutes,
    /// An hour.
    Hour,
    /// Six hours.
    Hours,
    /// A day.
    Day,
    /// A week.
    Week,
    /// Thirty days.
    Month,
    /// A year.
    Year,
}

impl Stretch {
    /// All, from short to long.
    pub const ALL: [Stretch; 7] = [
        Stretch::Minutes,
        Stretch::Hour,
        Stretch::Hours,
        Stretch::Day,
        Stretch::Week,
        Stretch::Month,
        Stretch::Year,
    ];

    /// Its length in milliseconds.
    pub fn ms(self) -> i64 {
        match self {
            Stretch::Minutes => 300_000,
            Stretch::Hour => 3_600_000,
            Stretch::Hours => 6 * 3_600_000,
            Stretch::Day => 86_400_000,
            Stretch::Week => 7 * 86_400_000,
            Stretch::Month => 30 * 86_400_000,
            Stretch::Year => 365 * 86_400_000,
        }
    }
}

/// Why a device's controls are locked.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Lock {
    /// Our link is down, or just came back.
    Link,
    /// The hub does not know yet whether the device is there.
    Unheard,
    /// The device says nothing.
    Silent,
    /// The device is gone.
    Offline,
}

/// Why a range of time that was typed cannot be shown.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum BadRange {
    /// The first moment is no time.
    From,
    /// The last moment is no time.
    To,
    /// The first is not before the last.
    Order,
    /// It lies in the future.
    Future,
    /// It is longer than two years.
    Long,
    /// It is shorter than two seconds.
    Short,
}

/// The page of one device, in one language. Text from outside comes in harmless.
#[derive(Copy, Clone)]
#[allow(missing_docs)] // The names say it; the sentences are in the language's file.
pub struct PageWords {
    pub back: &'static str,
    pub gone: &'static str,
    pub last_heard: fn(&str, &str) -> String,
    pub muted: &'static str,
    pub clock_off: fn(i64) -> String,
    pub never: &'static str,

    // Readings
    pub readings: &'static str,
    pub no_readings: &'static str,
    pub plot_it: fn(&str) -> String,
    pub plots_full: fn(usize) -> String,
    pub reading: fn(&str, &str, &str) -> String,

    // Plots
    pub plots: &'static str,
    pub stretch: fn(Stretch) -> &'static str,
    pub stretch_named: fn(Stretch) -> &'static str,
    pub range: &'static str,
    pub range_named: &'static str,
    pub range_from: &'static str,
    pub range_to: &'static str,
    pub range_hint: &'static str,
    pub month: fn(i32, u32) -> String,
    /// Short names of the days of a week, in its order.
    pub weekdays: [&'static str; 7],
    pub weeks_begin_on_sunday: bool,
    pub month_before: &'static str,
    pub month_after: &'static str,
    pub range_show: &'static str,
    pub bad_range: fn(BadRange) -> &'static str,
    pub y_axis: &'static str,
    pub y_axis_of: fn(&str) -> String,
    pub y_auto: &'static str,
    pub y_low: &'static str,
    pub y_high: &'static str,
    pub y_bad: &'static str,
    pub y_set: &'static str,
    pub live: &'static str,
    pub go_live: &'static str,
    pub plot_of: fn(&str, &str, &str) -> String,
    pub plot_help: &'static str,
    pub strip_of: fn(&str, &str, &str) -> String,
    pub since: fn(&str, &str) -> String,
    pub changes: fn(usize) -> String,
    pub said_for: fn(&str, i64) -> String,
    pub more_values: fn(usize) -> String,
    pub no_data: &'static str,
    pub no_data_between: fn(&str, &str) -> String,
    pub more_gaps: fn(usize) -> String,
    pub loading: &'static str,
    pub nothing_chosen: &'static str,
    pub moment: fn(WallMs, i64) -> String,
    pub tick: fn(WallMs, i64) -> String,

    // Controls
    pub controls: &'static str,
    pub locked: fn(Lock) -> &'static str,
    pub slide: fn(&str) -> String,
    /// Of what was typed.
    pub not_a_number: fn(&str) -> String,
    /// Of a number that no value holds.
    pub not_held: fn(&str) -> String,
    /// Of a number beyond the lowest or the highest.
    pub not_within: fn(&str, Option<&str>, Option<&str>) -> String,
    pub set: &'static str,
    pub set_named: fn(&str, &str) -> String,
    pub not_set_yet: &'static str,
    /// The field that picks a property's colour.
    pub pick_colour: fn(&str) -> String,
    pub forget: fn(&str) -> String,
    pub now_is: fn(&str) -> String,
    /// What became of a wish: its state, what a switch was to be, the value, and how long ago it was asked for.
    pub command: fn(&CommandState, Option<bool>, &str, &str) -> String,
    pub device_changed: fn(&str) -> String,
    pub value_changed: fn(&str) -> String,
    pub confirm_void: fn(&str) -> String,
    /// "Turn on heater?": what a switch would be, else the value.
    pub confirm_title: fn(&str, Option<bool>, &str) -> String,
    pub confirm_text: fn(&str) -> String,
    pub confirm: fn(Option<bool>, &str) -> String,
    pub understood: &'static str,

    // The rest
    pub attributes: &'static str,
    pub log: &'static str,
    pub log_empty: &'static str,
    pub came: &'static str,
    pub went: fn(&str) -> String,
    pub fell_silent: &'static str,
    pub asked: fn(&str, &str, &str) -> String,
    pub became: fn(&CommandState) -> String,
    pub raw: &'static str,
    pub copy_raw: &'static str,
}
