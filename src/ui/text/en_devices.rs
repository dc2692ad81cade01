//! English about devices.

use super::devices::{Counts, DeviceWords, Span};
use crate::model::device::{Freshness, Status};

/// English about devices.
pub static ENGLISH: DeviceWords = DeviceWords {
    status,
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
    counts,
    left_out: |count| {
        if count == 1 {
            "1 reading left out: too many came at once".to_owned()
        } else {
            format!("{count} readings left out: too many came at once")
        }
    },
    devices_left_out: |count| format!("Showing {count} devices: the server has more than fit into memory"),
    not_kept: |count| {
        if count == 1 {
            "1 reading was not kept on disk".to_owned()
        } else {
            format!("{count} readings were not kept on disk")
        }
    },
    filter: "Filter devices",
    clear_filter: "Clear filter",
    matches: |shown, all| format!("{shown} of {all}"),
    sort: |by| format!("Sort: {by}"),
    sort_name: "name",
    sort_status: "status",
    sort_changed: "recently changed",
    group: |by| format!("Group: {by}"),
    group_none: "none",
    group_kind: "kind",
    group_status: "status",
    no_kind: "other",
    link_name: "Link",
    link_kind: "link",
    link_metric: |metric| match metric {
        "round_trip" => Some("round trip"),
        "conflated" => Some("left out"),
        _ => None,
    },
    link_down: |since| match since {
        Some(since) => format!("Unknown since {since}: the link is down"),
        None => "Unknown: not connected".to_owned(),
    },
    connecting: "Connecting…",
    asking: "Asking the server for its devices…",
    status_since: |word, since| format!("{word} since {since}"),
    last_spoke: |word, ago| format!("{word}, {ago}"),
    never_spoke: |word| format!("{word}, no word yet"),

    none_title: "No devices yet",
    none_curl: "Anything that can send HTTP becomes a device with its first reading:",
    none_curl_token: "“duplexctl device add” on the server's computer prints a token for a device.",
    none_agent: "A computer that reaches this server, such as a Raspberry Pi, sends its own readings with:",
    copy_line: |line| format!("Copy: {line}"),
    copy: "Copy",
    no_match: |filter| format!("No device matches “{filter}”."),
    no_connection: "Devices are shown here once there is a connection.",
};

fn status(status: Status) -> &'static str {
    match status {
        Status::Online => "online",
        Status::Silent => "silent",
        Status::Offline => "offline",
        Status::Unknown => "unknown",
    }
}

fn freshness(freshness: Freshness) -> &'static str {
    match freshness {
        Freshness::Live => "live",
        Freshness::Replayed => "replayed",
        Freshness::Stale => "stale",
        Freshness::Unknown => "unknown",
    }
}

fn counts(counts: &Counts) -> String {
    let all = [
        (counts.online, "online"),
        (counts.silent, "silent"),
        (counts.offline, "offline"),
        (counts.unknown, "unknown"),
    ];
    let some = all.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}"));
    some.collect::<Vec<_>>().join(", ")
}
