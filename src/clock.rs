//! The only place that reads the clocks: [`now`] returns both. The boot clock counts through suspend.

use std::time::{SystemTime, UNIX_EPOCH};

use chrono::Timelike as _;

use crate::model::Time;
use crate::model::time::BootMs;
use crate::model::time::WallMs;

/// The current time on both clocks.
pub fn now() -> Time {
    Time { boot_ms: BootMs(boot_ms()), wall_ms: WallMs(wall_ms()) }
}

fn wall_ms() -> i64 {
    let ms = |duration: std::time::Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => ms(since),
        Err(before) => -ms(before.duration()),
    }
}

/// Linux: `CLOCK_BOOTTIME`. Elsewhere on Unix `CLOCK_MONOTONIC`, which on macOS counts while the system sleeps
/// (clock_gettime(3)).
#[cfg(unix)]
fn boot_ms() -> u64 {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    const CLOCK: rustix::time::ClockId = rustix::time::ClockId::Boottime;
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    const CLOCK: rustix::time::ClockId = rustix::time::ClockId::Monotonic;
    let time = rustix::time::clock_gettime(CLOCK);
    u64::try_from(time.tv_sec).unwrap_or(0) * 1000 + u64::try_from(time.tv_nsec).unwrap_or(0) / 1_000_000
}

/// Windows: `GetTickCount64` includes time spent in sleep or hibernation.
#[cfg(windows)]
#[allow(unsafe_code)]
fn boot_ms() -> u64 {
    // SAFETY: takes no arguments, cannot fail and accesses no memory of ours.
    unsafe { windows_sys::Win32::System::SystemInformation::GetTickCount64() }
}

/// Minutes since local midnight.
pub fn minute_of_day() -> u16 {
    let now = chrono::Local::now();
    u16::try_from(now.hour() * 60 + now.minute()).unwrap_or(0)
}

/// The current time in UTC, for logs: `2026-11-30T04:12:33.123Z`.
pub fn utc_text() -> String {
    chrono::Utc::now().format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// The current time in UTC, for names of files: `20261130-041233`.
pub fn utc_stamp() -> String {
    chrono::Utc::now().format("%Y%m%d-%H%M%S").to_string()
}

/// `N` random bytes from the system, for message ids and tokens.
///
/// # Errors
/// If the system's random number generator fails.
pub fn random<const N: usize>() -> Result<[u8; N], getrandom::Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}
