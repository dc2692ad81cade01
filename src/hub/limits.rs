//! [`Limits`]: limits on what a hub stores, with defaults well above a team's needs. An admin can change each one
//! (`duplexctl hub --help`); 0 means no limit.

use crate::store::LogLimits;
use crate::store::hub::file::FileQuotas;

const MIB: u64 = 1024 * 1024;

/// Limits on what a hub stores.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Rooms, people, messages and retention.
    pub log: LogLimits,
    /// Devices.
    pub devices: DeviceLimits,
    /// Files of messages.
    pub files: FileQuotas,
}

/// Limits on devices; 0 means no limit.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct DeviceLimits {
    /// Maximum number of devices.
    pub devices: u32,
    /// Maximum number of devices of one principal: the one whose token published them first.
    pub devices_per_principal: u32,
    /// Maximum memory for devices, in bytes: descriptions, last values, texts.
    pub bytes: u64,
    /// Maximum memory for the devices of one principal, in bytes.
    pub bytes_per_principal: u64,
}

impl Default for Limits {
    fn default() -> Self {
        let log = LogLimits {
            rooms: 2_000,
            rooms_per_person: 200,
            rooms_per_day: 50,
            people: 10_000,
            messages_per_day: 200_000,
            bytes_per_day: 1024 * MIB,
            log_bytes: 0,
            keep_ms: 0,
            drop_oldest: false,
        };
        let files = FileQuotas {
            file_bytes: 512 * MIB,
            bytes_per_person: 8 * 1024 * MIB,
            bytes: 32 * 1024 * MIB,
            keep_ms: 0,
            unfinished_ms: 7 * 86_400_000,
        };
        Limits { log, devices: DeviceLimits::default(), files }
    }
}

impl Default for DeviceLimits {
    fn default() -> Self {
        DeviceLimits {
            devices: 20_000,
            devices_per_principal: 10_000,
            bytes: 64 * MIB,
            bytes_per_principal: 32 * MIB,
        }
    }
}
