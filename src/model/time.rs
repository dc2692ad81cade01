//! [`Time`]: the two clocks side by side. Always an argument here; [`crate::model`] reads no clock.

use std::ops::{Add, AddAssign, Sub};

/// Milliseconds since 1970-01-01 00:00 UTC, as people see time. May jump.
pub type WallMs = i64;

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
