//! The link itself as a device: what it is, and what its counters say. Its readings come from the app and not from the
//! hub, so they are known while the link is down.

use std::sync::LazyLock;

use super::device::{Metric, MetricName, MetricType, Readings, ShortName, Spec, Value};
use super::link_state::LinkState;
use super::time::{BootMs, WallMs};

/// Local devices' ids begin so; a hub's never do.
pub const LOCAL_MARK: char = '~';
/// The id of what [`link_spec`] describes.
pub const LINK: &str = "~link";

/// A link's counters, as they stand at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LinkCounters {
    /// The last measured round trip, in milliseconds; none while the link is down.
    pub round_trip_ms: Option<u64>,
    /// How often it came back after it was lost.
    pub reconnects: u64,
    /// Bytes received in all.
    pub received: u64,
    /// Bytes sent in all.
    pub sent: u64,
    /// Messages that wait now.
    pub queue: u64,
    /// Readings received in all.
    pub readings: u64,
    /// Readings that the hub left out in all.
    pub conflated: u64,
    /// When something was last received over it.
    pub heard: Option<BootMs>,
}

/// The metric that says how long ago something was last received, in seconds.
pub const LAST_HEARD: &str = "last_heard";

/// Each metric: its name, its unit, the digits after its point.
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

#[expect(clippy::expect_used, reason = "the names stand above, and keep the rule")]
static NAMES: LazyLock<Names> = LazyLock::new(|| {
    let name = |text: &str| ShortName::new(text).expect("a name that keeps the rule");
    Names { device: name(LINK), metrics: METRICS.iter().map(|(text, ..)| name(text)).collect() }
});

/// The id of the link as a device.
pub fn link_id() -> ShortName {
    NAMES.device.clone()
}

/// What the link is, as a device. Its name for people is the window's to give.
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

/// What the counters say, as readings of [`link_spec`]'s device for [`super::DeviceEvent::LocalReadings`]. `now`: by the hub's
/// clock. Rates are over the time since `before`, the counters as they stood then; without it there are none yet.
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
        counters.heard.map_or(Value::Missing, |heard| count(boot.saturating_sub(heard) / 1_000)),
    ];
    let values = NAMES.metrics.iter().cloned().zip(values).collect();
    Readings::of(NAMES.device.clone(), now, now, values)
}
