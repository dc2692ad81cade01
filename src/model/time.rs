//! [`Time`]: the two clocks side by side. Always an argument here; [`crate::model`] reads no clock.

use std::ops::{Add, AddAssign, Sub};

/// Milliseconds since 1970-01-01 00:00 UTC, as people see time. May jump.
#[derive(
    Copy, Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(transparent)]
pub struct WallMs(pub i64);

impl WallMs {
    /// Before every other moment.
    pub const MIN: WallMs = WallMs(i64::MIN);
    /// After every other moment.
    pub const MAX: WallMs = WallMs(i64::MAX);

    /// How long after `earlier` this is, in milliseconds; negative if it is before.
    #[must_use]
    pub const fn since(self, earlier: WallMs) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// So many milliseconds after this.
    #[must_use]
    pub const fn saturating_add(self, ms: i64) -> WallMs {
        WallMs(self.0.saturating_add(ms))
    }

    /// So many milliseconds before this.
    #[must_use]
    pub const fn before(self, ms: i64) -> WallMs {
        WallMs(self.0.saturating_sub(ms))
    }

    /// Its place on the time axis of a plot.
    #[must_use]
    pub const fn coordinate(self) -> f64 {
        self.0 as f64
    }

    /// The begin of the interval that this is in, if all time is divided into intervals of `step_ms` milliseconds.
    #[must_use]
    pub const fn floor(self, step_ms: i64) -> WallMs {
        WallMs(self.0.div_euclid(step_ms).saturating_mul(step_ms))
    }
}

/// So many milliseconds later.
impl Add<i64> for WallMs {
    type Output = WallMs;

    fn add(self, ms: i64) -> WallMs {
        self.saturating_add(ms)
    }
}

impl AddAssign<i64> for WallMs {
    fn add_assign(&mut self, ms: i64) {
        *self = *self + ms;
    }
}

/// So many milliseconds earlier.
impl Sub<i64> for WallMs {
    type Output = WallMs;

    fn sub(self, ms: i64) -> WallMs {
        self.before(ms)
    }
}

/// How long it is from one moment to another, in milliseconds.
impl Sub for WallMs {
    type Output = i64;

    fn sub(self, earlier: WallMs) -> i64 {
        self.since(earlier)
    }
}

/// Milliseconds of a clock that never steps back and counts through suspend. Timers use it; it means nothing across
/// a reboot.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BootMs(pub u64);

impl BootMs {
    /// How long after `earlier` this is, in milliseconds; 0 if it is before.
    #[must_use]
    pub const fn since(self, earlier: BootMs) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// So many milliseconds after this.
    #[must_use]
    pub const fn saturating_add(self, ms: u64) -> BootMs {
        BootMs(self.0.saturating_add(ms))
    }

    /// So many milliseconds before this.
    #[must_use]
    pub const fn before(self, ms: u64) -> BootMs {
        BootMs(self.0.saturating_sub(ms))
    }
}

/// So many milliseconds later.
impl Add<u64> for BootMs {
    type Output = BootMs;

    fn add(self, ms: u64) -> BootMs {
        BootMs(self.0.saturating_add(ms))
    }
}

impl AddAssign<u64> for BootMs {
    fn add_assign(&mut self, ms: u64) {
        *self = *self + ms;
    }
}

/// How long it is from one moment to a later one, in milliseconds.
impl Sub for BootMs {
    type Output = u64;

    fn sub(self, earlier: BootMs) -> u64 {
        self.since(earlier)
    }
}

/// One moment on both clocks.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Time {
    /// For timers.
    pub boot_ms: BootMs,
    /// For people.
    pub wall_ms: WallMs,
}

impl Time {
    /// This moment, `ms` milliseconds later on both clocks.
    #[must_use]
    pub fn plus(self, ms: u64) -> Time {
        Time {
            boot_ms: self.boot_ms + ms,
            wall_ms: self.wall_ms.saturating_add(i64::try_from(ms).unwrap_or(i64::MAX)),
        }
    }
}
