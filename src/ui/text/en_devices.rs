//! English about devices.

use super::devices::{DeviceWords, Span};
use crate::model::device::{Freshness, Status};

/// English about devices.
pub static ENGLISH: DeviceWords = DeviceWords {
    status,
    faulty: "faulty",
    no_value: |metric| format!("no value for {metric}"),
    freshness,
    on: "on",
    off: "off",
    missing: "—",
    thousands: ',',
    point: '.',
    ago: |span| match span {
        Span::Moment => "now".to_owned(),
        Span::Seconds(count) => format!("{count} s ago"),
        Span::Minutes(count) => format!("{count} min ago"),
        Span::Hours(count) => format!("{count} h ago"),
        Span::Days(count) => format!("{count} days ago"),
    },
    duration: |seconds| {
        let minutes = seconds / 60;
        let (days, hours, minutes) = (minutes / 1_440, minutes / 60 % 24, minutes % 60);
        if days > 0 { format!("{days} d {hours} h") } else { format!("{hours} h {minutes} min") }
    },

    devices: "Devices",
    device_list: "List of devices",
    count: |word, count| format!("{count} {word}"),
    left_out: |count| {
        if count == 1 {
            "1 reading left out: too many arrived at once".to_owned()
        } else {
            format!("{count} readings left out: too many arrived at once")
        }
    },
    devices_left_out: |count| format!("Showing {count} devices: the server has more than fit in memory"),
    not_kept: |count| {
        if count == 1 {
            "1 reading was not saved to disk".to_owned()
        } else {
            format!("{count} readings were not saved to disk")
        }
    },
    filter: "Filter devices",
    clear_filter: "Clear filter",
    matches: |shown, all| format!("{shown} of {all}"),
    sort: |by| format!("Sort: {by}"),
    sort_name: "name",
    sort_trouble: "problems first",
    sort_changed: "recently changed",
    group: |by| format!("Group: {by}"),
    group_none: "none",
    group_kind: "kind",
    group_status: "status",
    no_kind: "other",
    pinned: "Pinned",
    not_grouped: "Other devices",
    group_own: "my groups",
    all_hidden: "All devices are hidden.",
    show_hidden: "Show hidden devices",
    hidden: |count| format!("{count} hidden"),
    hide_hidden: |count| format!("Showing {count} hidden"),
    layout: |name| format!("View: {name}"),
    layout_auto: "automatic",
    layout_rows: "list",
    layout_table: "table",
    layout_cards: "cards",
    column_name: "Name",
    column_state: "Status",
    column_kind: "Kind",
    column_others: "Values",
    columns: "Choose columns",
    columns_left_out: |count| {
        if count == 1 {
            "Choose columns (1 doesn't fit)".to_owned()
        } else {
            format!("Choose columns ({count} don't fit)")
        }
    },
    find_column: "Search columns",
    no_column: "No matches",
    usual_columns: "Reset columns",
    devices_with: |count| {
        if count == 1 { "1 device has it".to_owned() } else { format!("{count} devices have it") }
    },
    sort_by: |column| format!("Sort by {column}"),
    column_width: |column| format!("Width of {column}"),
    connection_to: |server| format!("Connection to {server}"),
    open_connection: |server| format!("Show details of the connection to {server}"),
    age_unknown: "age unknown",
    last_heard: |ago| format!("last heard {ago}"),
    link_kind: "connection",
    link_metric: |metric| match metric {
        "round_trip" => Some("round trip"),
        "reconnects" => Some("reconnections"),
        "queue" => Some("waiting to send"),
        "last_heard" => Some("last heard"),
        "conflated" => Some("left out"),
        _ => None,
    },
    link_down: |since| match since {
        Some(since) => format!("Not connected since {since}: device status unknown"),
        None => "Not connected: device status unknown".to_owned(),
    },
    connecting: "Connecting…",
    asking: "Loading devices…",
    status_since: |word, since| format!("{word} since {since}"),
    last_spoke: |word, ago| format!("{word}, {ago}"),
    never_spoke: |word| format!("{word}, no data yet"),
    no_data_yet: "no data yet",

    none_title: "No devices yet",
    none_curl: "Anything that can send HTTP requests becomes a device with its first reading:",
    none_curl_token: "Run “duplexctl device add” on the server's computer to create a token for a device.",
    none_agent: "To monitor a computer, such as a Raspberry Pi, run this on it:",
    copy_line: |line| format!("Copy: {line}"),
    copy: "Copy",
    no_match: |filter| format!("No devices match “{filter}”."),
    no_connection: "Connect to a server to see its devices here.",
};

fn status(status: Status) -> &'static str {
    match status {
        Status::Online => "online",
        Status::Asleep => "asleep",
        Status::Silent => "silent",
        Status::Offline => "offline",
        Status::Unknown => "unknown",
    }
}

fn freshness(freshness: Freshness) -> &'static str {
    match freshness {
        Freshness::Live => "live",
        Freshness::Replayed => "last known",
        Freshness::Stale => "outdated",
        Freshness::Unknown => "unknown",
    }
}
