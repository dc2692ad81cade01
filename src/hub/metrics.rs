//! Counters of a hub and their Prometheus text (exposition format 0.0.4).

use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::channel::{Totals, Transport};
use super::process::Figures;

/// Upper bounds of the buckets of the append latency, in milliseconds.
const BUCKETS_MS: [u64; 11] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 5_000];

/// Why a request or a client was refused.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// The `Host` is not one of the hub's.
    Host,
    /// The request comes from a web page that is not allowed.
    Origin,
    /// The token is missing or unknown.
    Token,
    /// The principal's kind may not do this.
    Kind,
    /// Too many bad tokens from one address.
    Guessing,
    /// The invite is invalid.
    Invite,
    /// The hub has reached its connection limit.
    Full,
    /// The principal has reached its connection limit.
    Share,
    /// An anonymous connection was evicted for another one.
    Evicted,
    /// An incomplete message missed its deadline, or was evicted as the largest.
    Unfinished,
    /// The handshake is invalid or uses another protocol.
    Handshake,
    /// The log could not be written or read.
    Unavailable,
    /// The client did not read fast enough.
    TooSlow,
    /// A storage limit is reached.
    Quota,
    /// An HTTP/2 client gave up too many of its requests.
    Resets,
}

impl Refused {
    const ALL: [(Refused, &str); 15] = [
        (Refused::Host, "host"),
        (Refused::Origin, "origin"),
        (Refused::Token, "token"),
        (Refused::Kind, "kind"),
        (Refused::Guessing, "guessing"),
        (Refused::Invite, "invite"),
        (Refused::Full, "full"),
        (Refused::Share, "share"),
        (Refused::Evicted, "crowded"),
        (Refused::Unfinished, "unfinished"),
        (Refused::Handshake, "handshake"),
        (Refused::Unavailable, "unavailable"),
        (Refused::TooSlow, "too_slow"),
        (Refused::Quota, "quota"),
        (Refused::Resets, "resets"),
    ];
}

/// A counter that only grows.
#[derive(Debug, Default)]
pub(super) struct Counter(AtomicU64);

impl Counter {
    pub(super) fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The hub's counters since its start.
#[derive(Debug, Default)]
pub(super) struct Metrics {
    /// WebSockets opened.
    pub sockets: Counter,
    /// Channels opened.
    pub channels: Counter,
    /// Requests that receive frames of a channel, by transport.
    pub channel_requests: [Counter; Transport::ALL.len()],
    /// Entries appended.
    pub appended: Counter,
    /// Appends of entries that were already stored.
    pub repeated: Counter,
    /// Bytes of frames received.
    pub received: Counter,
    /// Bytes of frames sent.
    pub sent: Counter,
    /// Times that a client began to exceed its rate.
    pub slowed: Counter,
    /// Readings accepted.
    pub readings: Counter,
    /// Readings sent to clients.
    pub relayed: Counter,
    /// Readings skipped for clients that did not keep up.
    pub conflated: Counter,
    /// Commands accepted.
    pub commands: Counter,
    refused: [Counter; Refused::ALL.len()],
    append_buckets: [Counter; BUCKETS_MS.len()],
    append_count: Counter,
    append_micros: Counter,
}

/// Values that are measured elsewhere.
#[derive(Default)]
pub(super) struct Gauges {
    /// Open sockets.
    pub sockets: usize,
    /// Connected principals.
    pub principals: usize,
    /// The log's newest offset.
    pub head: u64,
    /// Devices.
    pub devices: usize,
    /// Memory used by devices, in bytes, as estimated.
    pub device_bytes: u64,
    /// The log's oldest offset.
    pub oldest: u64,
    /// Bytes in use in the log's database.
    pub log_bytes: u64,
    /// Whether messages are refused because the log is full.
    pub is_log_full: bool,
    /// Anonymous connections.
    pub anonymous: usize,
    /// Bytes of incomplete messages.
    pub unfinished: usize,
    /// Bytes that compression saved.
    pub saved: u64,
    /// Figures of channels.
    pub channels: Option<Arc<Totals>>,
    /// Figures of this process.
    pub process: Figures,
}

impl Metrics {
    pub(super) fn refuse(&self, why: Refused) {
        self.refused[why as usize].add(1);
    }

    /// Records the latency of an append.
    pub(super) fn append_took(&self, took: Duration) {
        let bucket = BUCKETS_MS.iter().position(|end| took <= Duration::from_millis(*end));
        if let Some(bucket) = bucket {
            self.append_buckets[bucket].add(1);
        }
        self.append_count.add(1);
        self.append_micros.add(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
    }

    /// The metrics as Prometheus text.
    pub(super) fn text(&self, gauges: &Gauges) -> String {
        let mut text = String::new();
        let mut metric = |name: &str, kind: &str, help: &str, value: u64| {
            let head = format!("# HELP duplex_{name} {help}\n# TYPE duplex_{name} {kind}\n");
            text.push_str(&head);
            // Writing to a `String` cannot fail.
            let _ = writeln!(text, "duplex_{name} {value}");
        };
        metric("connections", "gauge", "Open sockets and channels.", gauges.sockets as u64);
        metric(
            "principals_connected",
            "gauge",
            "Principals with an open socket or channel.",
            gauges.principals as u64,
        );
        metric("log_head", "gauge", "The newest offset of the log.", gauges.head);
        metric("log_oldest", "gauge", "The oldest offset that the log holds.", gauges.oldest);
        metric("log_bytes", "gauge", "Bytes of the log's database in use.", gauges.log_bytes);
        let help = "Whether messages are refused because the log is full.";
        metric("log_full", "gauge", help, gauges.is_log_full.into());
        metric("device_bytes", "gauge", "Memory that devices take.", gauges.device_bytes);
        let help = "Connections whose token is not known yet.";
        metric("strangers", "gauge", help, gauges.anonymous as u64);
        metric("unfinished_bytes", "gauge", "Bytes of unfinished messages.", gauges.unfinished as u64);
        metric("sockets_opened_total", "counter", "Sockets opened.", self.sockets.get());
        metric("channels_opened_total", "counter", "Channels opened.", self.channels.get());
        let held = gauges.channels.as_ref().map_or(0, |totals| totals.held());
        metric("channel_bytes", "gauge", "Bytes that channels keep.", held as u64);
        metric("messages_total", "counter", "Entries appended to the log.", self.appended.get());
        metric("messages_repeated_total", "counter", "Appends known already.", self.repeated.get());
        metric("received_bytes_total", "counter", "Bytes of frames received.", self.received.get());
        metric("sent_bytes_total", "counter", "Bytes of frames sent.", self.sent.get());
        let help = "Bytes that were not sent because they were compressed.";
        metric("compression_saved_bytes_total", "counter", help, gauges.saved);
        metric("slowed_total", "counter", "Clients told to send less.", self.slowed.get());
        metric("devices", "gauge", "Devices known.", gauges.devices as u64);
        metric("readings_total", "counter", "Readings taken in.", self.readings.get());
        metric("readings_relayed_total", "counter", "Readings sent to clients.", self.relayed.get());
        let help = "Readings left out for clients that did not keep up.";
        metric("readings_conflated_total", "counter", help, self.conflated.get());
        metric("commands_total", "counter", "Commands taken on for devices.", self.commands.get());
        text.push_str("# HELP duplex_refused_total Refused requests and clients.\n");
        text.push_str("# TYPE duplex_refused_total counter\n");
        for (why, word) in Refused::ALL {
            let count = self.refused[why as usize].get();
            let _ = writeln!(text, "duplex_refused_total{{reason=\"{word}\"}} {count}");
        }
        self.transports(&mut text, gauges);
        self.histogram(&mut text);
        text.push_str("# HELP duplex_build_info The version that runs.\n# TYPE duplex_build_info gauge\n");
        let _ = writeln!(text, "duplex_build_info{{version=\"{}\"}} 1", env!("CARGO_PKG_VERSION"));
        gauges.process.write(&mut text);
        text
    }

    /// What there is of each transport.
    fn transports(&self, text: &mut String, gauges: &Gauges) {
        let totals = gauges.channels.as_deref();
        let in_channels = totals.map_or(0, Totals::channels);
        let clients = |transport| {
            let joined = totals.map_or(0, |totals| totals.clients(transport));
            // Those with a WebSocket from the first, and those whose WebSocket has joined a channel.
            match transport {
                Transport::WebSocket => gauges.sockets.saturating_sub(in_channels) + joined,
                _ => joined,
            }
        };
        text.push_str(
            "# HELP duplex_clients Clients by what carries their frames.\n# TYPE duplex_clients gauge\n",
        );
        for (transport, name) in Transport::ALL {
            let _ = writeln!(text, "duplex_clients{{transport=\"{name}\"}} {}", clients(transport));
        }
        text.push_str("# HELP duplex_channel_requests_total Requests that receive frames.\n");
        text.push_str("# TYPE duplex_channel_requests_total counter\n");
        for (transport, name) in Transport::ALL.into_iter().skip(1) {
            let count = self.channel_requests[transport as usize].get();
            let _ = writeln!(text, "duplex_channel_requests_total{{transport=\"{name}\"}} {count}");
        }
    }

    fn histogram(&self, text: &mut String) {
        let name = "duplex_append_seconds";
        let _ = writeln!(text, "# HELP {name} From an append being asked for to its being on disk.");
        let _ = writeln!(text, "# TYPE {name} histogram");
        let mut below = 0;
        for (end, count) in BUCKETS_MS.iter().zip(&self.append_buckets) {
            below += count.get();
            let _ = writeln!(text, "{name}_bucket{{le=\"{}.{:03}\"}} {below}", end / 1000, end % 1000);
        }
        let (count, micros) = (self.append_count.get(), self.append_micros.get());
        let _ = writeln!(text, "{name}_bucket{{le=\"+Inf\"}} {count}");
        let _ = writeln!(text, "{name}_sum {}.{:06}", micros / 1_000_000, micros % 1_000_000);
        let _ = writeln!(text, "{name}_count {count}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_valid_prometheus_exposition() {
        let metrics = Metrics::default();
        metrics.refuse(Refused::Origin);
        metrics.append_took(Duration::from_micros(1_500));
        metrics.append_took(Duration::from_secs(60));
        let process = Figures { cpu_seconds: Some(1.5), open_fds: Some(12), ..Figures::default() };
        let gauges = Gauges {
            sockets: 3,
            principals: 2,
            head: 9,
            devices: 4,
            device_bytes: 5,
            oldest: 6,
            log_bytes: 7,
            is_log_full: true,
            anonymous: 5,
            unfinished: 6,
            saved: 8,
            channels: None,
            process,
        };
        let text = metrics.text(&gauges);
        for line in [
            "duplex_connections 3",
            "duplex_log_head 9",
            "duplex_devices 4",
            "duplex_device_bytes 5",
            "duplex_log_oldest 6",
            "duplex_log_bytes 7",
            "duplex_log_full 1",
            "duplex_readings_conflated_total 0",
            "duplex_refused_total{reason=\"origin\"} 1",
            "duplex_refused_total{reason=\"host\"} 0",
            "duplex_append_seconds_bucket{le=\"0.001\"} 0",
            "duplex_append_seconds_bucket{le=\"0.002\"} 1",
            "duplex_append_seconds_bucket{le=\"5.000\"} 1",
            "duplex_append_seconds_bucket{le=\"+Inf\"} 2",
            "duplex_append_seconds_sum 60.001500",
            "duplex_append_seconds_count 2",
            "duplex_strangers 5",
            "duplex_unfinished_bytes 6",
            "duplex_compression_saved_bytes_total 8",
            concat!("duplex_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"} 1"),
            "# TYPE process_cpu_seconds_total counter",
            "process_cpu_seconds_total 1.5",
            "process_open_fds 12",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is missing in\n{text}");
        }
        assert!(!text.contains("process_max_fds"), "what is not known is left out");
        for (index, (why, _)) in Refused::ALL.into_iter().enumerate() {
            assert_eq!(why as usize, index);
        }
    }

    /// OpenMetrics names a counter without `_total`, as do many parsers.
    #[test]
    fn no_two_metrics_share_a_name() {
        let text = Metrics::default().text(&Gauges::default());
        let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
        let mut names: Vec<&str> =
            types.map(|(name, _)| name.strip_suffix("_total").unwrap_or(name)).collect();
        let all = names.len();
        assert!(all > 15);
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
