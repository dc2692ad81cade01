//! [`DeviceWords`]: what is said about devices, their values and how far they are to be believed.

use crate::model::device::{Freshness, Status};

/// A stretch of time in the largest unit that fits, rounded down.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Span {
    /// Less than a second.
    Moment,
    /// 1 to 59.
    Seconds(u64),
    /// 1 to 59.
    Minutes(u64),
    /// 1 to 47.
    Hours(u64),
    /// 2 or more.
    Days(u64),
}

/// How many devices are in which status.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// That speak, and are well.
    pub online: usize,
    /// That say nothing although they should.
    pub silent: usize,
    /// That speak, and of which a sensor failed.
    pub faulty: usize,
    /// That said that they go.
    pub offline: usize,
    /// Of which nothing is known now.
    pub unknown: usize,
}

impl Counts {
    /// All of them.
    pub fn all(&self) -> usize {
        self.online + self.silent + self.faulty + self.offline + self.unknown
    }
}

/// All that is said about devices in one language. Text from outside comes in harmless.
#[allow(missing_docs)] // The names say it; the sentences are in the language's file.
pub struct DeviceWords {
    // Values
    pub status: fn(Status) -> &'static str,
    /// Of a device that speaks, and of which a sensor failed.
    pub faulty: &'static str,
    /// "temperature has no value".
    pub no_value: fn(&str) -> String,
    pub freshness: fn(Freshness) -> &'static str,
    pub on: &'static str,
    pub off: &'static str,
    /// In place of a value that there is not.
    pub missing: &'static str,
    /// Between groups of three digits.
    pub thousands: char,
    /// Before the fraction.
    pub point: char,
    /// "3 s ago".
    pub ago: fn(Span) -> String,
    /// Two units of a long stretch of seconds: "3 d 4 h".
    pub duration: fn(u64) -> String,

    // The pane
    pub devices: &'static str,
    pub device_list: &'static str,
    /// "2 silent": a status, and how many devices have it.
    pub count: fn(&str, usize) -> String,
    pub left_out: fn(u64) -> String,
    /// Of servers that have more devices than are shown.
    pub devices_left_out: fn(u64) -> String,
    /// Readings that this disk did not take.
    pub not_kept: fn(u64) -> String,
    pub filter: &'static str,
    pub clear_filter: &'static str,
    pub matches: fn(usize, usize) -> String,
    pub sort: fn(&str) -> String,
    pub sort_name: &'static str,
    pub sort_trouble: &'static str,
    pub sort_changed: &'static str,
    pub group: fn(&str) -> String,
    pub group_none: &'static str,
    pub group_kind: &'static str,
    pub group_status: &'static str,
    pub no_kind: &'static str,
    /// The heading above pinned devices.
    pub pinned: &'static str,
    /// The heading above devices that are in no group.
    pub not_grouped: &'static str,
    /// Grouped by the person's own groups.
    pub group_own: &'static str,
    pub all_hidden: &'static str,
    pub show_hidden: &'static str,
    /// How many devices are hidden, while they are.
    pub hidden: fn(usize) -> String,
    /// The same while they are listed.
    pub hide_hidden: fn(usize) -> String,
    pub layout: fn(&str) -> String,
    pub layout_auto: &'static str,
    pub layout_rows: &'static str,
    pub layout_table: &'static str,
    pub layout_cards: &'static str,
    pub column_name: &'static str,
    pub column_state: &'static str,
    pub column_kind: &'static str,
    /// What has no column of its own.
    pub column_others: &'static str,
    /// The button that chooses columns.
    pub columns: &'static str,
    /// The same where some of the chosen ones have no room.
    pub columns_left_out: fn(usize) -> String,
    pub find_column: &'static str,
    pub no_column: &'static str,
    pub usual_columns: &'static str,
    pub devices_with: fn(usize) -> String,
    pub sort_by: fn(&str) -> String,
    pub column_width: fn(&str) -> String,
    /// "Connection to Workshop".
    pub connection_to: fn(&str) -> String,
    pub open_connection: fn(&str) -> String,
    /// "last heard 12 s ago".
    /// Of a value that the server had kept: nobody knows since when.
    pub age_unknown: &'static str,
    pub last_heard: fn(&str) -> String,
    pub link_kind: &'static str,
    /// What a metric of the link itself is called; none: it has no other name.
    pub link_metric: fn(&str) -> Option<&'static str>,
    /// A connection's state when its devices are not known: since when it is down, if that is known.
    pub link_down: fn(Option<&str>) -> String,
    pub connecting: &'static str,
    pub asking: &'static str,
    /// "silent since 14:02".
    pub status_since: fn(&str, &str) -> String,
    /// "silent, 2 min ago": a status or freshness, and when the device last spoke.
    pub last_spoke: fn(&str, &str) -> String,
    pub never_spoke: fn(&str) -> String,
    pub no_data_yet: &'static str,

    // Nothing to show
    pub none_title: &'static str,
    pub none_curl: &'static str,
    pub none_curl_token: &'static str,
    pub none_agent: &'static str,
    pub copy_line: fn(&str) -> String,
    pub copy: &'static str,
    pub no_match: fn(&str) -> String,
    pub no_connection: &'static str,
}
