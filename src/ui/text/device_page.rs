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
    /// A year.
    Year,
}

impl Stretch {
    /// All, from short to long.
    pub const ALL: [Stretch; 6] =
        [Stretch::Minutes, Stretch::Hour, Stretch::Hours, Stretch::Day, Stretch::Week, Stretch::Year];

    /// Its length in milliseconds.
    pub fn ms(self) -> i64 {
        match self {
            Stretch::Minutes => 300_000,
            Stretch::Hour => 3_600_000,
            Stretch::Hours => 6 * 3_600_000,
            Stretch::Day => 86_400_000,
            Stretch::Week => 7 * 86_400_000,
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

/// The page of one device, in one language. Text from outside comes in harmless.
#[derive(Copy, Clone)]
#[allow(missing_docs)] // The names say it; the sentences are in the language's file.
pub struct PageWords {
    pub back: &'static str,
    pub gone: &'static str,
    pub last_heard: fn(&str, &str) -> String,
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
    pub set: &'static str,
    pub set_named: fn(&str, &str) -> String,
    pub not_set_yet: &'static str,
    pub forget: fn(&str) -> String,
    pub now_is: fn(&str) -> String,
    pub command: fn(&CommandState, &str, &str) -> String,
    pub device_changed: fn(&str) -> String,
    pub value_changed: fn(&str) -> String,
    pub confirm_void: fn(&str) -> String,
    pub confirm_title: fn(&str, &str) -> String,
    pub confirm_text: fn(&str, &str, &str) -> String,
    pub confirm: fn(&str) -> String,
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
