//! [`Board`]: what Linux says in files about the board it runs on and `sysinfo` does not read: power, throttling, fans,
//! Wi-Fi, and the wear of SD and eMMC storage. Whatever is not there, damaged or out of range is left out.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::model::Value;

/// Maximum number of sensors of a kind.
const MAX_SENSORS: usize = 16;
/// Maximum number of entries read from a folder.
const MAX_ENTRIES: usize = 256;
/// Maximum number of bytes read from a file with a value.
const MAX_VALUE_BYTES: u64 = 256;
/// Maximum number of bytes read from a file with a table.
const MAX_TABLE_BYTES: u64 = 16 * 1024;
/// Maximum length of a sensor's name, and of the model's, in characters.
const MAX_NAME_CHARS: usize = 64;
/// Fans are slower than this, in revolutions per minute.
const MAX_RPM: u32 = 50_000;
/// The signal of a network that can be used, in dBm.
const SIGNAL_DBM: std::ops::RangeInclusive<i32> = -120..=-1;
/// Temperatures of a chip that works, in thousandths of a degree.
const MILLIDEGREES: std::ops::RangeInclusive<i32> = -60_000..=200_000;
/// Bits of `get_throttled`: the supply's voltage is too low.
const UNDER_VOLTAGE: u32 = 1;
/// Bits of `get_throttled`: the clock is capped, throttled, or lowered by the soft temperature limit. The bits from 16
/// on say the same of the past; the kernel's own driver resets them, so they say nothing definite.
const SLOWED: u32 = 0b1110;
/// What eMMC says of its spare blocks (JESD84-B51, PRE_EOL_INFO 1 to 3).
pub(super) const RESERVE_STATES: [&str; 3] = ["normal", "warning", "urgent"];

/// What a sensor measures.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Temperature of the system on a chip, in °C.
    Temperature,
    /// Whether the supply's voltage is too low, or was within the last seconds.
    UnderVoltage,
    /// Whether the firmware slows the processor down.
    Throttled,
    /// Speed of a fan, in revolutions per minute.
    Fan,
    /// Signal of the Wi-Fi network, in dBm.
    Signal,
    /// How much of its estimated life the storage has used up at least, in percent.
    Wear,
    /// One of [`RESERVE_STATES`].
    Reserve,
    /// Written to the storage since the computer started, in MiB.
    Written,
}

/// A sensor and its last value; [`Value::Missing`] while it has none.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sensor {
    pub(super) kind: Kind,
    /// Which of several; may be empty.
    pub(super) which: String,
    pub(super) value: Value,
}

/// The sensors of this board. One that had a value once stays, so that the device is not announced again each time a
/// network is lost and found.
pub(super) struct Board {
    /// `/`, except in tests.
    root: PathBuf,
    sensors: Vec<Sensor>,
}

impl Board {
    pub(super) fn new(root: &Path) -> Board {
        Board { root: root.to_owned(), sensors: Vec::new() }
    }

    /// The board's name, such as `Raspberry Pi 4 Model B Rev 1.4`.
    pub(super) fn model(&self) -> Option<String> {
        name(&self.root.join("proc/device-tree/model"))
    }

    pub(super) fn sensors(&self) -> &[Sensor] {
        &self.sensors
    }

    /// The last value of a sensor.
    pub(super) fn value(&self, kind: Kind, which: &str) -> Value {
        let found = self.sensors.iter().find(|sensor| sensor.kind == kind && sensor.which == which);
        found.map_or(Value::Missing, |sensor| sensor.value.clone())
    }

    /// Reads all sensors.
    pub(super) fn refresh(&mut self) {
        let found = Found::read(&self.root).0;
        self.sensors.iter_mut().for_each(|sensor| sensor.value = Value::Missing);
        for sensor in found {
            let of_kind = self.sensors.iter().filter(|known| known.kind == sensor.kind).count();
            let known = |known: &&mut Sensor| known.kind == sensor.kind && known.which == sensor.which;
            match self.sensors.iter_mut().find(known) {
                Some(known) => known.value = sensor.value,
                None if sensor.value != Value::Missing && of_kind < MAX_SENSORS => self.sensors.push(sensor),
                None => {}
            }
        }
    }
}

/// The sensors found in one round, those without a value included.
#[derive(Default)]
struct Found(Vec<Sensor>);

impl Found {
    fn read(root: &Path) -> Found {
        let mut found = Found::default();
        found.hwmon(&root.join("sys/class/hwmon"));
        // Reading this file makes newer kernels log a warning, as it has been deprecated since hwmon tells of under-voltage.
        if !found.0.iter().any(|sensor| sensor.kind == Kind::UnderVoltage) {
            found.throttled(root);
        }
        found.thermal(&root.join("sys/class/thermal"));
        found.wireless(&root.join("proc/net/wireless"));
        found.storage(&root.join("sys/block"));
        found
    }

    /// Adds a sensor; a second one of the same name gets a number.
    fn add(&mut self, kind: Kind, which: &str, value: Option<Value>) {
        let is_taken = |which: &str| self.0.iter().any(|known| known.kind == kind && known.which == which);
        let mut name = which.to_owned();
        for number in 2..=MAX_ENTRIES {
            if !is_taken(&name) {
                break;
            }
            name = format!("{which} {number}");
        }
        self.0.push(Sensor { kind, which: name, value: value.unwrap_or_default() });
    }

    /// Documentation/hwmon/sysfs-interface.rst and raspberrypi-hwmon.rst in the kernel.
    fn hwmon(&mut self, class: &Path) {
        for chip in entries(class, "hwmon") {
            let Some(chip_name) = name(&chip.join("name")) else { continue };
            if chip_name == "rpi_volt"
                && let Some(text) = text(&chip.join("in0_lcrit_alarm"), MAX_VALUE_BYTES)
            {
                let alarm = match text.trim() {
                    "0" => Some(false),
                    "1" => Some(true),
                    _ => None,
                };
                self.add(Kind::UnderVoltage, "", alarm.map(Value::Flag));
            }
            for file in entries(&chip, "fan") {
                let Some(number) =
                    ending(&file).and_then(|name| name.strip_suffix("_input")?.parse::<u8>().ok())
                else {
                    continue;
                };
                let label = name(&chip.join(format!("fan{number}_label")));
                let which = label.unwrap_or_else(|| format!("{chip_name} {number}"));
                let rpm = number_in(&file).filter(|rpm: &u32| *rpm <= MAX_RPM);
                self.add(Kind::Fan, &which, rpm.map(|rpm| Value::Number(f64::from(rpm))));
            }
        }
    }

    /// The firmware driver of Raspberry Pi OS. The folder's name differs from model to model.
    fn throttled(&mut self, root: &Path) {
        let folders = entries(&root.join("sys/bus/platform/drivers/raspberrypi-firmware"), "");
        let places = entries(&root.join("sys/devices/platform"), "soc");
        let folders = folders.into_iter().chain(places.iter().flat_map(|place| entries(place, "")));
        let is_firmware = |folder: &PathBuf| folder.to_string_lossy().ends_with("firmware");
        let texts =
            folders.filter(is_firmware).map(|folder| text(&folder.join("get_throttled"), MAX_VALUE_BYTES));
        let Some(text) = texts.flatten().next() else { return };
        let text = text.trim();
        let bits = u32::from_str_radix(text.strip_prefix("0x").unwrap_or(text), 16).ok();
        let is_set = |mask: u32| bits.map(|bits| Value::Flag(bits & mask != 0));
        self.add(Kind::UnderVoltage, "", is_set(UNDER_VOLTAGE));
        self.add(Kind::Throttled, "", is_set(SLOWED));
    }

    /// Documentation/driver-api/thermal/sysfs-api.rst in the kernel: the zones of the system on a chip.
    fn thermal(&mut self, class: &Path) {
        for zone in entries(class, "thermal_zone") {
            let Some(zone_name) = name(&zone.join("type")) else { continue };
            if ["bcm2835_thermal", "cpu-thermal", "cpu_thermal", "soc-thermal", "soc_thermal"]
                .contains(&zone_name.as_str())
            {
                let temperature = number_in(&zone.join("temp")).filter(|t: &i32| MILLIDEGREES.contains(t));
                let value = temperature.map(|thousandths| Value::Number(f64::from(thousandths) / 1_000.0));
                self.add(Kind::Temperature, &zone_name, value);
            }
        }
    }

    /// Two lines of titles, then one for each interface: its name, status, quality and level. A level in dBm is negative.
    fn wireless(&mut self, table: &Path) {
        let Some(table) = text(table, MAX_TABLE_BYTES) else { return };
        for line in table.lines().skip(2).take(MAX_ENTRIES) {
            let Some((interface, rest)) = line.split_once(':') else { continue };
            let Some(interface) = readable(interface) else { continue };
            let level =
                rest.split_whitespace().nth(2).and_then(|level| level.trim_end_matches('.').parse().ok());
            let level = level.filter(|dbm: &i32| SIGNAL_DBM.contains(dbm));
            self.add(Kind::Signal, &interface, level.map(|dbm| Value::Number(f64::from(dbm))));
        }
    }

    /// Documentation/mmc/mmc-dev-attrs.rst and Documentation/block/stat.rst in the kernel. Cards have no `life_time`.
    fn storage(&mut self, block: &Path) {
        for disk in entries(block, "mmcblk") {
            // Its boot partitions are disks of their own there.
            if ending(&disk)
                .is_none_or(|number| number.is_empty() || !number.bytes().all(|b| b.is_ascii_digit()))
            {
                continue;
            }
            let Some(which) = disk.file_name().and_then(|name| readable(&name.to_string_lossy())) else {
                continue;
            };
            if let Some(text) = text(&disk.join("device/life_time"), MAX_VALUE_BYTES) {
                self.add(Kind::Wear, &which, wear(&text).map(Value::Number));
            }
            if let Some(text) = text(&disk.join("device/pre_eol_info"), MAX_VALUE_BYTES) {
                let state = hexadecimal(&text).and_then(|state| RESERVE_STATES.get(state.checked_sub(1)?));
                self.add(Kind::Reserve, &which, state.map(|state| Value::Text((*state).into())));
            }
            if let Some(text) = text(&disk.join("stat"), MAX_VALUE_BYTES) {
                // In units of 512 bytes, whatever the disk's own are.
                let sectors = text.split_whitespace().nth(6).and_then(|sectors| sectors.parse::<u64>().ok());
                self.add(
                    Kind::Written,
                    &which,
                    sectors.map(|sectors| Value::Number(sectors as f64 / 2_048.0)),
                );
            }
        }
    }
}

/// Two estimates for two kinds of memory: 1 is at most 10 % used, 10 at most all of it, 11 more than that; 0 is unknown.
/// The worse one as the percentage used at least.
fn wear(text: &str) -> Option<f64> {
    let mut worst = 0;
    for estimate in text.split_whitespace().take(2) {
        worst = worst.max(hexadecimal(estimate).filter(|estimate| *estimate <= 11)?);
    }
    // At most 11, so the cast is exact.
    worst.checked_sub(1).map(|tenths| tenths as f64 * 10.0)
}

fn hexadecimal(text: &str) -> Option<usize> {
    usize::from_str_radix(text.trim().strip_prefix("0x")?, 16).ok()
}

/// What begins so in a folder, in order of names.
fn entries(folder: &Path, begins: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let is_meant = |path: &PathBuf| {
        path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with(begins))
    };
    let mut paths: Vec<PathBuf> =
        entries.take(MAX_ENTRIES).filter_map(|entry| Some(entry.ok()?.path())).filter(is_meant).collect();
    paths.sort();
    paths
}

/// A file's name from its number on: `1_input` of `fan1_input`.
fn ending(path: &Path) -> Option<&str> {
    Some(path.file_name()?.to_str()?.trim_start_matches(|c: char| c.is_ascii_lowercase()))
}

fn text(path: &Path, max_bytes: u64) -> Option<String> {
    let mut text = String::new();
    File::open(path).ok()?.take(max_bytes).read_to_string(&mut text).ok()?;
    Some(text)
}

fn number_in<N: std::str::FromStr>(path: &Path) -> Option<N> {
    text(path, MAX_VALUE_BYTES)?.trim().parse().ok()
}

fn name(path: &Path) -> Option<String> {
    readable(&text(path, MAX_VALUE_BYTES)?)
}

/// Without the zero that ends texts of the device tree; `None` for what is no name.
fn readable(text: &str) -> Option<String> {
    let text = text.trim_end_matches('\0').trim();
    let is_name =
        !text.is_empty() && !text.contains(char::is_control) && text.chars().count() <= MAX_NAME_CHARS;
    is_name.then(|| text.to_owned())
}

#[cfg(test)]
#[path = "board_tests.rs"]
mod tests;
