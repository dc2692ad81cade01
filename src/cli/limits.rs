//! The limits of `duplexctl hub`: what it keeps at most.

use clap::Args as Flags;

use crate::hub::{DeviceLimits, Limits};
use crate::store::LogLimits;
use crate::store::hub::file::FileQuotas;

const KIB: u64 = 1024;

/// Days beyond which nothing is ever too old.
const MAX_DAYS: i64 = 36_500;

#[derive(Debug, Flags)]
#[command(next_help_heading = "Limits (0: none; a day begins at midnight UTC)")]
pub(super) struct LimitFlags {
    /// Rooms, in all.
    #[arg(long, value_name = "N", env = "DUPLEX_HUB_MAX_ROOMS", default_value_t = defaults().log.rooms)]
    max_rooms: u32,
    /// Rooms that one person makes.
    #[arg(long, value_name = "N", env = "DUPLEX_HUB_MAX_ROOMS_PER_PERSON", default_value_t = defaults().log.rooms_per_person)]
    max_rooms_per_person: u32,
    /// Rooms that one person makes in a day.
    #[arg(long, value_name = "N", env = "DUPLEX_HUB_ROOMS_PER_DAY", default_value_t = defaults().log.rooms_per_day)]
    rooms_per_day: u32,
    /// People and admins, in all; invites beyond are refused.
    #[arg(long, value_name = "N", env = "DUPLEX_HUB_MAX_PEOPLE", default_value_t = defaults().log.people)]
    max_people: u32,
    /// Messages that one person writes in a day.
    #[arg(long, value_name = "N", env = "DUPLEX_HUB_MESSAGES_PER_DAY", default_value_t = defaults().log.messages_per_day)]
    messages_per_day: u64,
    /// Bytes of text that one person writes in a day, with k, M or G.
    #[arg(long, value_name = "BYTES", env = "DUPLEX_HUB_BYTES_PER_DAY", value_parser = bytes, default_value = "1G")]
    bytes_per_day: u64,
    /// Devices, in all.
    #[arg(long, value_name = "N", env = "DUPLEX_HUB_MAX_DEVICES", default_value_t = defaults().devices.devices)]
    max_devices: u32,
    /// Devices that one token publishes.
    #[arg(long, value_name = "N", env = "DUPLEX_HUB_MAX_DEVICES_PER_TOKEN", default_value_t = defaults().devices.devices_per_principal)]
    max_devices_per_token: u32,
    /// Memory for devices: descriptions, last values, texts.
    #[arg(long, value_name = "BYTES", env = "DUPLEX_HUB_DEVICE_BYTES", value_parser = bytes, default_value = "64M")]
    device_bytes: u64,
    /// Memory for the devices of one token.
    #[arg(long, value_name = "BYTES", env = "DUPLEX_HUB_DEVICE_BYTES_PER_TOKEN", value_parser = bytes, default_value = "32M")]
    device_bytes_per_token: u64,
    /// Size of one file.
    #[arg(long, value_name = "BYTES", env = "DUPLEX_HUB_MAX_FILE_BYTES", value_parser = bytes, default_value = "512M")]
    max_file_bytes: u64,
    /// Files of one person.
    #[arg(long, value_name = "BYTES", env = "DUPLEX_HUB_FILE_BYTES_PER_PERSON", value_parser = bytes, default_value = "8G")]
    file_bytes_per_person: u64,
    /// All files; beyond it uploads are refused until there is room.
    #[arg(long, value_name = "BYTES", env = "DUPLEX_HUB_FILES_BYTES", value_parser = bytes, default_value = "32G")]
    files_bytes: u64,
    /// Remove files whose messages are older than this; the messages stay. 0 keeps them as long as their messages.
    #[arg(long, value_name = "DAYS", env = "DUPLEX_HUB_KEEP_FILES_DAYS", default_value_t = 0)]
    keep_files_days: u32,
    /// Remove uploads that were not finished or not sent after this long.
    #[arg(long, value_name = "DAYS", env = "DUPLEX_HUB_UNFINISHED_FILES_DAYS", default_value_t = 7)]
    unfinished_files_days: u32,
    /// Size of the message database; beyond it messages are refused until there is room.
    #[arg(long, value_name = "BYTES", env = "DUPLEX_HUB_LOG_BYTES", value_parser = bytes, default_value = "0")]
    log_bytes: u64,
    /// Delete messages that are older than this; 0 keeps them for ever.
    #[arg(long, value_name = "DAYS", env = "DUPLEX_HUB_KEEP_DAYS", default_value_t = 0)]
    keep_days: u32,
    /// When the database is nearly as large as --log-bytes, delete the oldest messages instead of refusing new ones.
    #[arg(long, env = "DUPLEX_HUB_DROP_OLDEST", requires = "log_bytes")]
    drop_oldest: bool,
}

fn defaults() -> Limits {
    Limits::default()
}

impl LimitFlags {
    pub(super) fn limits(&self) -> Limits {
        let log = LogLimits {
            rooms: self.max_rooms,
            rooms_per_person: self.max_rooms_per_person,
            rooms_per_day: self.rooms_per_day,
            people: self.max_people,
            messages_per_day: self.messages_per_day,
            bytes_per_day: self.bytes_per_day,
            log_bytes: self.log_bytes,
            keep_ms: i64::from(self.keep_days).min(MAX_DAYS) * 86_400_000,
            drop_oldest: self.drop_oldest,
        };
        let devices = DeviceLimits {
            devices: self.max_devices,
            devices_per_principal: self.max_devices_per_token,
            bytes: self.device_bytes,
            bytes_per_principal: self.device_bytes_per_token,
        };
        let days = |days: u32| i64::from(days).min(MAX_DAYS) * 86_400_000;
        let files = FileQuotas {
            file_bytes: self.max_file_bytes,
            bytes_per_person: self.file_bytes_per_person,
            bytes: self.files_bytes,
            keep_ms: days(self.keep_files_days),
            unfinished_ms: days(self.unfinished_files_days),
        };
        Limits { log, devices, files }
    }
}

/// `1000`, `64k`, `32M`, `4G`, `1T`: by 1024.
fn bytes(text: &str) -> Result<u64, String> {
    let (digits, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let wrong = || "a number of bytes, with k, M, G or T".to_owned();
    let power = match unit.trim_end_matches("iB").trim_end_matches('B') {
        "" => 0,
        "k" | "K" => 1,
        "M" => 2,
        "G" => 3,
        "T" => 4,
        _ => return Err(wrong()),
    };
    let number: u64 = digits.parse().map_err(|_| wrong())?;
    number.checked_mul(KIB.pow(power)).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct Only {
        #[command(flatten)]
        flags: LimitFlags,
    }

    #[test]
    fn without_flags_they_are_the_defaults() {
        assert_eq!(Only::parse_from(["x"]).flags.limits(), Limits::default());
    }

    #[test]
    fn each_can_be_set() {
        let args =
            ["x", "--max-rooms=1", "--keep-days=2", "--log-bytes=3M", "--drop-oldest", "--device-bytes", "0"];
        let limits = Only::parse_from(args).flags.limits();
        assert_eq!((limits.log.rooms, limits.log.keep_ms), (1, 2 * 86_400_000));
        assert_eq!((limits.log.log_bytes, limits.log.drop_oldest, limits.devices.bytes), (3 << 20, true, 0));
    }

    #[test]
    fn sizes_have_units() {
        for (text, right) in
            [("0", 0), ("1000", 1000), ("64k", 65_536), ("2M", 2 << 20), ("1GiB", 1 << 30), ("3TB", 3 << 40)]
        {
            assert_eq!(bytes(text), Ok(right), "{text}");
        }
        for text in ["", "M", "1.5G", "-1", "1m", "99999999999T", "1 G"] {
            assert!(bytes(text).is_err(), "{text}");
        }
    }
}
