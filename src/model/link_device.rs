//! The link as a device: its announcement and the readings made from its counters. These come from the app,
//! not the hub, so they are available while the link is down.

use std::sync::LazyLock;

use super::device::{Metric, MetricName, MetricType, Readings, ShortName, Spec, Value};
use super::link_state::LinkState;
use super::time::{BootMs, WallMs};

/// First character of the ids of local devices; a hub's devices never begin with it.
pub const LOCAL_MARK: char = '~';
/// Id of the device described by [`link_spec`].
pub const LINK: &str = "~link";

/// A snapshot of a link's counters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LinkCounters {
    /// Last measured round-trip time, in milliseconds; `None` while the link is down.
    pub round_trip_ms: Option<u64>,
    /// Number of reconnections.
    pub reconnects: u64,
    /// Bytes received.
    pub received: u64,
    /// Bytes sent.
    pub sent: u64,
    /// Messages in the outbox at present.
    pub queue: u64,
    /// Readings received.
    pub readings: u64,
    /// Readings dropped by the hub.
    pub conflated: u64,
    /// When data was last received.
    pub heard: Option<BootMs>,
}

/// Name of the metric for the time since data was last received, in seconds.
pub const LAST_HEARD: &str = "last_heard";

/// Name, unit and decimals of each metric.
const METRICS: [(&str, &str, Option<u8>); 9] = [
    ("state", "", None),
    ("round_trip", "ms", Some(0)),
    ("reconnects", "", Some(0)),
    ("received", "B/s", Some(0)),
    ("sent", "B/s", Some(0)),
    ("queue", "", Some(0)),
    ("readings", "/s", Some(0)),
    ("conflated", "", Some(0)),
    (LAST_HEARD, "s", Some(0)),
];

struct Names {
    device: ShortName,
    metrics: Vec<MetricName>,
}

#[expect(clippy::expect_used, reason = "the names above are valid")]
static NAMES: LazyLock<Names> = LazyLock::new(|| {
    let name = |text: &str| ShortName::new(text).expect("a valid name");
    Names { device: name(LINK), metrics: METRICS.iter().map(|(text, ..)| name(text)).collect() }
});

/// Id of the link as a device.
pub fn link_id() -> ShortName {
    NAMES.device.clone()
}

/// The link's announcement as a device. The window provides its display name.
pub fn link_spec() -> Spec {
    let metric = |(name, (_, unit, precision)): (&MetricName, &(&str, &str, Option<u8>))| {
        let kind = if name.as_str() == "state" { MetricType::Text } else { MetricType::Number };
        Metric { unit: (*unit).to_owned(), precision: *precision, ..Metric::new(name.clone(), kind) }
    };
    Spec {
        kind: "link".to_owned(),
        metrics: NAMES.metrics.iter().zip(&METRICS).map(metric).collect(),
        expect_every_s: Some(1.0),
        ..Spec::unannounced(NAMES.device.clone())
    }
}

/// The counters as readings of the device, for [`super::DeviceEvent::LocalReadings`]. `now` is by the hub's
/// clock. Rates are averages since `before`, the previous counters; without it there are none.
pub fn link_readings(
    state: &LinkState,
    counters: &LinkCounters,
    boot: BootMs,
    before: Option<(BootMs, &LinkCounters)>,
    now: WallMs,
) -> Readings {
    let rate = |of: fn(&LinkCounters) -> u64| match before {
        Some((earlier, before)) if boot > earlier => {
            let count = of(counters).saturating_sub(of(before));
            Value::number(count as f64 * 1000.0 / (boot - earlier) as f64)
        }
        _ => Value::Missing,
    };
    let count = |count: u64| Value::number(count as f64);
    let values = [
        Value::Text(state.code().into()),
        counters.round_trip_ms.filter(|_| state.is_online()).map_or(Value::Missing, count),
        count(counters.reconnects),
        rate(|counters| counters.received),
        rate(|counters| counters.sent),
        count(counters.queue),
        rate(|counters| counters.readings),
        count(counters.conflated),
        counters.heard.map_or(Value::Missing, |heard| count(boot.since(heard) / 1_000)),
    ];
    let values = NAMES.metrics.iter().cloned().zip(values).collect();
    Readings::of(NAMES.device.clone(), now, now, values)
}
