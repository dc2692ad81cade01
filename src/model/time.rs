//! [`Time`]: the two clocks side by side. Always an argument here; [`crate::model`] reads no clock.

/// Milliseconds since 1970-01-01 00:00 UTC, as people see time. May jump.
pub type WallMs = i64;

/// Milliseconds of a clock that never steps back and counts through suspend. Timers use it; it means nothing across
/// a reboot.
pub type BootMs = u64;

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
            boot_ms: self.boot_ms.saturating_add(ms),
            wall_ms: self.wall_ms.saturating_add(i64::try_from(ms).unwrap_or(i64::MAX)),
        }
    }
}
