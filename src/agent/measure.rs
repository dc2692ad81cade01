//! Pure functions for measurements: rounding, rates from counters, names of devices and metrics.

use crate::model::MetricName;
use crate::model::device::{DeviceId, NAME_CHARS};
use crate::model::time::BootMs;

/// The device id of a computer without a host name.
pub const NAMELESS: &str = "this-computer";

/// Rounds to a number of decimal places, so that an unchanged value gives the same text. Never returns negative zero.
pub fn round(value: f64, precision: u8) -> f64 {
    let factor = 10f64.powi(i32::from(precision.min(15)));
    let rounded = (value * factor).round() / factor;
    // A value too large to scale has no decimal places.
    if rounded.is_finite() { rounded + 0.0 } else { value }
}

/// Turns a monotonic counter into a rate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rate(Option<(u64, BootMs)>);

impl Rate {
    /// The increase per second since the last call. `None` on the first call, if no time has passed, or if the
    /// counter was reset.
    pub fn per_second(&mut self, count: u64, now: BootMs) -> Option<f64> {
        let last = self.0.replace((count, now));
        let (before, then) = last?;
        let passed_ms = Some(now - then).filter(|passed| *passed > 0)?;
        let more = count.checked_sub(before)?;
        Some(more as f64 * 1000.0 / passed_ms as f64)
    }
}

/// Derives a device id from a host name: letters, digits, `-`, `_` and `.`, in lower case, without a `.local` suffix.
pub fn device_id(host: &str) -> DeviceId {
    let host = host.trim().to_lowercase();
    let host = host.strip_suffix(".local").unwrap_or(&host);
    let keep = |c: char| if c.is_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '-' };
    let id: String = host.chars().map(keep).take(NAME_CHARS).collect();
    let id = id.trim_matches(|c| matches!(c, '-' | '.'));
    let id = if id.is_empty() || id == "localhost" { NAMELESS } else { id };
    // The characters kept are all valid; the fallback is a constant.
    #[allow(clippy::expect_used, reason = "NAMELESS keeps the rule")]
    DeviceId::new(id).unwrap_or_else(|_| DeviceId::new(NAMELESS).expect("a name that keeps the rule"))
}

/// A metric's name from a kind and a label, cut to the allowed length; `None` if nothing is left.
pub fn metric_name(of: &str, which: &str) -> Option<MetricName> {
    let visible: String =
        format!("{of} {which}").chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let cut: String = visible.trim().chars().take(NAME_CHARS).collect();
    MetricName::new(cut.trim()).ok()
}

/// Whether an interface carries traffic in or out of this computer. Loopback does not; traffic of tunnels, bridges
/// and virtual machines also passes a physical interface.
pub fn is_real(interface: &str) -> bool {
    const BEGINS: [&str; 5] = ["br-", "docker", "veth", "virbr", "vnet"];
    const NUMBERED: [&str; 7] = ["bridge", "dummy", "lo", "tap", "tun", "utun", "wg"];
    let name = interface.to_lowercase();
    let is_numbered = |prefix: &&str| {
        name.strip_prefix(prefix).is_some_and(|rest| rest.chars().all(|c| c.is_ascii_digit()))
    };
    !(BEGINS.iter().any(|prefix| name.starts_with(prefix))
        || NUMBERED.iter().any(is_numbered)
        || name.contains("loopback"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_rounded_to_the_announced_precision() {
        assert_eq!(round(12.3456, 1), 12.3);
        assert_eq!(round(12.35, 0), 12.0);
        assert_eq!(round(99.96, 1), 100.0);
        assert_eq!(round(-0.04, 1).to_string(), "0");
        assert_eq!(round(1e308, 15), 1e308);
        assert!(round(f64::NAN, 1).is_nan());
    }

    #[test]
    fn a_rate_needs_two_counts_and_time_between() {
        let mut rate = Rate::default();
        assert_eq!(rate.per_second(1_000, BootMs(5_000)), None);
        assert_eq!(rate.per_second(1_000, BootMs(5_000)), None, "no time has passed");
        assert_eq!(rate.per_second(4_000, BootMs(7_000)), Some(1_500.0));
        assert_eq!(rate.per_second(4_000, BootMs(8_000)), Some(0.0));
    }

    #[test]
    fn a_counter_reset_gives_no_rate_once() {
        let mut rate = Rate::default();
        assert_eq!(rate.per_second(4_294_967_000, BootMs(0)), None);
        assert_eq!(rate.per_second(500, BootMs(1_000)), None);
        assert_eq!(rate.per_second(1_500, BootMs(2_000)), Some(1_000.0));
        assert_eq!(rate.per_second(u64::MAX, BootMs(1_000)), None, "time does not go back");
    }

    #[test]
    fn an_id_is_derived_from_the_host_name() {
        let id = |host: &str| device_id(host).to_string();
        assert_eq!(id("Raspberry-Pi.local"), "raspberry-pi");
        assert_eq!(id("Jun's iMac"), "jun-s-imac");
        assert_eq!(id("작업실-컴퓨터"), "작업실-컴퓨터");
        assert_eq!(id("~tilde"), "tilde", "a leading ~ is reserved");
        for nameless in ["", "  ", "localhost", "---", "\u{0}"] {
            assert_eq!(id(nameless), NAMELESS, "{nameless:?}");
        }
        assert_eq!(id(&"x".repeat(300)).chars().count(), NAME_CHARS);
    }

    #[test]
    fn metric_names_are_valid() {
        assert_eq!(metric_name("disk", "/home").unwrap().as_str(), "disk /home");
        assert_eq!(metric_name("disk", "").unwrap().as_str(), "disk");
        assert_eq!(metric_name("temperature", "a\nb").unwrap().as_str(), "temperature a b");
        assert_eq!(metric_name("disk", &"x".repeat(300)).unwrap().as_str().chars().count(), NAME_CHARS);
        assert!(metric_name(" ", "\n").is_none());
    }

    #[test]
    fn only_physical_interfaces_count() {
        for real in ["eth0", "enp3s0", "wlan0", "wlp2s0", "en0", "Ethernet", "Wi-Fi", "lowpan0", "tundra"] {
            assert!(is_real(real), "{real}");
        }
        for inner in ["lo", "lo0", "veth12ab", "docker0", "br-5f2a", "virbr0", "tun0", "wg0", "utun3"] {
            assert!(!is_real(inner), "{inner}");
        }
        assert!(!is_real("Loopback Pseudo-Interface 1"));
    }
}
