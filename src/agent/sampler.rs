//! [`Sampler`]: measures this computer. Cheap values are read every time, expensive ones every few seconds; values
//! that the system does not provide are omitted.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use starship_battery::units::ratio::percent;
use starship_battery::{Battery, Manager, State};
use sysinfo::{
    Components, CpuRefreshKind, DiskRefreshKind, Disks, MemoryRefreshKind, Networks, RefreshKind, System,
};

use super::board::{Board, Kind, RESERVE_STATES, Sensor};
use super::measure::{self, Rate};
use crate::model::time::BootMs;
use crate::model::{DeviceId, Metric, MetricName, MetricType, Spec, Value};

/// The property for the publishing interval of this computer, in seconds.
pub const INTERVAL: &str = "interval";
/// Allowed values of [`INTERVAL`], in seconds.
pub const INTERVALS: std::ops::RangeInclusive<u16> = 1..=60;

/// Minimum time between two readings of a counter for a meaningful rate, in milliseconds.
const SPAN_MS: u64 = 200;
/// How often temperatures are read, in milliseconds: some sensors are slow.
const TEMPERATURES_MS: u64 = 5_000;
/// How often disks and batteries are read, in milliseconds.
const SLOW_MS: u64 = 10_000;
/// Maximum number of sensors, disks and batteries each.
const MOST: usize = 16;
const MIB: f64 = 1_048_576.0;

/// The source of a metric.
#[derive(Clone, Debug, PartialEq, Eq)]
enum What {
    Cpu,
    Load,
    Memory,
    Swap,
    NetworkIn,
    NetworkOut,
    Temperature(String),
    Disk(PathBuf),
    Battery(usize),
    BatteryState(usize),
    Board(Kind, String),
    Uptime,
    Interval,
}

/// A metric and its source.
struct Gauge {
    metric: Metric,
    what: What,
}

/// What was refreshed in this round.
#[derive(Copy, Clone, Debug, Default)]
struct Asked {
    cpu: bool,
    network: Option<(f64, f64)>,
    interval: bool,
    temperatures: bool,
    slow: bool,
}

/// Measures this computer.
pub struct Sampler {
    id: DeviceId,
    name: String,
    interval_s: u16,
    system: Option<System>,
    networks: Option<Networks>,
    traffic: HashMap<OsString, (Rate, Rate)>,
    components: Option<Components>,
    disks: Option<Disks>,
    batteries: Vec<Battery>,
    manager: Option<Manager>,
    board: Board,
    attributes: BTreeMap<String, String>,
    gauges: Vec<Gauge>,
    /// Whether the interval was published since it was set.
    interval_said: bool,
    /// When the counters were last read, in boot milliseconds.
    counted_at: Option<BootMs>,
    temperatures_due: BootMs,
    slow_due: BootMs,
}

/// The computer's host name, if it has one.
pub fn host_name() -> Option<String> {
    System::host_name().ok().map(|name| name.trim().to_owned()).filter(|name| !name.is_empty())
}

/// This computer's id as a device.
pub fn host_id() -> DeviceId {
    measure::device_id(&host_name().unwrap_or_default())
}

impl Sampler {
    /// Finds out what can be measured. Takes some milliseconds.
    pub fn new(id: DeviceId, name: String) -> Sampler {
        Sampler::with(id, name, Board::new(Path::new("/")))
    }

    fn with(id: DeviceId, name: String, board: Board) -> Sampler {
        let told =
            |what: &'static str| move |error| log::info!("cannot read this computer's {what}: {error}");
        let manager = Manager::new().inspect_err(|error| log::info!("cannot read batteries: {error}")).ok();
        let mut sampler = Sampler {
            id,
            name,
            interval_s: *INTERVALS.start(),
            system: System::new_with_specifics(
                RefreshKind::nothing().with_memory(memory()).with_cpu(CpuRefreshKind::nothing()),
            )
            .map_err(told("CPU and memory"))
            .ok(),
            networks: Networks::new().map_err(told("networks")).ok(),
            traffic: HashMap::new(),
            components: Components::new().map_err(told("temperatures")).ok(),
            disks: Disks::new().map_err(told("disks")).ok(),
            batteries: Vec::new(),
            manager,
            board,
            attributes: BTreeMap::new(),
            gauges: Vec::new(),
            interval_said: false,
            counted_at: None,
            temperatures_due: BootMs(0),
            slow_due: BootMs(0),
        };
        sampler.refresh_slow();
        sampler.refresh_temperatures();
        sampler.attributes = sampler.look();
        sampler.gauges = sampler.plan();
        sampler
    }

    /// The id of the device.
    pub fn id(&self) -> &DeviceId {
        &self.id
    }

    /// The device's announcement.
    pub fn spec(&self) -> Spec {
        Spec {
            id: self.id.clone(),
            name: self.name.clone(),
            kind: "computer".to_owned(),
            metrics: self.gauges.iter().map(|gauge| gauge.metric.clone()).collect(),
            attributes: self.attributes.clone(),
            expect_every_s: Some(f64::from(self.interval_s)),
            will: String::new(),
        }
    }

    /// The interval between measurements, in milliseconds.
    pub fn every_ms(&self) -> u64 {
        u64::from(self.interval_s) * 1_000
    }

    /// Sets a writable property; announce the device again afterwards.
    ///
    /// # Errors
    /// An English sentence that says why the value was refused.
    pub fn set(&mut self, property: &MetricName, value: &Value) -> Result<(), String> {
        let gauge = self.gauges.iter().find(|gauge| gauge.metric.name == *property && gauge.metric.writable);
        let gauge = gauge.ok_or_else(|| format!("{property} cannot be set"))?;
        gauge.metric.check(value).map_err(|what| format!("{property} takes {what}"))?;
        let Value::Number(seconds) = value else { return Err(format!("{property} takes a number")) };
        let seconds = seconds.round().clamp(f64::from(*INTERVALS.start()), f64::from(*INTERVALS.end()));
        // The value is between 1 and 60, so the cast is exact.
        self.interval_s = seconds as u16;
        self.interval_said = false;
        Ok(())
    }

    /// Measures. Returns whether the device must be announced again (a new disk), and the values. Values that were
    /// not refreshed this time are omitted.
    pub fn sample(&mut self, now: BootMs) -> (bool, Vec<(MetricName, Value)>) {
        let asked = self.refresh(now);
        let mut anew = false;
        if asked.slow || asked.temperatures {
            let plan = self.plan();
            anew = !plan.iter().map(|gauge| &gauge.metric).eq(self.gauges.iter().map(|gauge| &gauge.metric));
            self.gauges = plan;
        }
        let values = self.gauges.iter().filter_map(|gauge| {
            let value = self.measure(&gauge.what, asked)?;
            let value = match value {
                Value::Number(number) => {
                    Value::number(measure::round(number, gauge.metric.precision.unwrap_or(15)))
                }
                value => value,
            };
            Some((gauge.metric.name.clone(), value))
        });
        (anew, values.collect())
    }

    fn refresh(&mut self, now: BootMs) -> Asked {
        let mut asked = Asked::default();
        if let Some(system) = &mut self.system {
            system.refresh_memory_specifics(memory());
        }
        if self.counted_at.is_none_or(|at| now.since(at) >= SPAN_MS) {
            self.system.iter_mut().for_each(System::refresh_cpu_usage);
            // The first reading has nothing to compare with.
            asked.cpu = self.counted_at.replace(now).is_some();
            asked.network = self.traffic(now);
        }
        if now >= self.temperatures_due {
            self.temperatures_due = now + TEMPERATURES_MS;
            self.refresh_temperatures();
            asked.temperatures = true;
        }
        if now >= self.slow_due {
            self.slow_due = now + SLOW_MS;
            self.refresh_slow();
            asked.slow = true;
        }
        asked.interval = !std::mem::replace(&mut self.interval_said, true) || asked.slow;
        asked
    }

    /// Bytes per second in and out, over all physical interfaces; `None` until there are two readings.
    fn traffic(&mut self, now: BootMs) -> Option<(f64, f64)> {
        let networks = self.networks.as_mut()?;
        networks.refresh(true);
        self.traffic.retain(|name, _| networks.contains_key(name));
        let mut sum = None;
        for (name, data) in networks.iter() {
            if !measure::is_real(&name.to_string_lossy()) {
                continue;
            }
            if !self.traffic.contains_key(name) {
                self.traffic.insert(name.clone(), Default::default());
            }
            let Some((received, sent)) = self.traffic.get_mut(name) else { continue };
            let received = received.per_second(data.total_received(), now);
            let sent = sent.per_second(data.total_transmitted(), now);
            if let (Some(received), Some(sent)) = (received, sent) {
                let (sum_in, sum_out) = sum.get_or_insert((0.0, 0.0));
                (*sum_in, *sum_out) = (*sum_in + received, *sum_out + sent);
            }
        }
        sum
    }

    fn refresh_temperatures(&mut self) {
        if let Some(components) = &mut self.components {
            components.refresh(true);
        }
        self.board.refresh();
    }

    fn refresh_slow(&mut self) {
        if let Some(disks) = &mut self.disks {
            disks.refresh_specifics(true, DiskRefreshKind::nothing().with_storage());
        }
        self.batteries = match self.manager.as_ref().map(Manager::batteries) {
            Some(Ok(batteries)) => batteries.filter_map(Result::ok).take(MOST).collect(),
            Some(Err(_)) | None => Vec::new(),
        };
    }

    /// Everything that can be measured here.
    fn plan(&self) -> Vec<Gauge> {
        let mut plan = Plan::default();
        if let Some(system) = &self.system {
            plan.number("cpu", "%", 1, Some(100.0), What::Cpu);
            // Windows has no load average.
            if !cfg!(windows) {
                plan.number("load", "", 2, None, What::Load);
            }
            let mib = |bytes: u64| Some(measure::round(bytes as f64 / MIB, 0)).filter(|mib| *mib > 0.0);
            plan.number("memory", "MiB", 0, mib(system.total_memory()), What::Memory);
            if let Some(total) = mib(system.total_swap()) {
                plan.number("swap", "MiB", 0, Some(total), What::Swap);
            }
        }
        if self.networks.is_some() {
            plan.number("network in", "B/s", 0, None, What::NetworkIn);
            plan.number("network out", "B/s", 0, None, What::NetworkOut);
        }
        for component in self.components.iter().flat_map(|components| components.iter()) {
            // A sensor without a finite value is ignored.
            if component.temperature().is_some_and(f32::is_finite) {
                let label = component.label().to_owned();
                plan.of("temperature", &label, MetricType::Number, What::Temperature(label.clone()));
            }
        }
        for sensor in self.board.sensors() {
            if sensor.kind != Kind::Temperature || !self.is_component(&sensor.which) {
                plan.board(sensor);
            }
        }
        // A disk mounted in several places, such as private `/tmp` mounts of services, counts once.
        let mut known = BTreeSet::new();
        for disk in self.disks.iter().flat_map(|disks| disks.iter()).filter(|disk| disk.total_space() > 0) {
            if !known.insert((disk.name(), disk.total_space())) {
                continue;
            }
            let place = disk.mount_point();
            plan.of("disk", &place.to_string_lossy(), MetricType::Number, What::Disk(place.to_owned()));
        }
        for place in 0..self.batteries.len() {
            let number = if place == 0 { String::new() } else { (place + 1).to_string() };
            plan.of("battery", &number, MetricType::Number, What::Battery(place));
            plan.of("battery state", &number, MetricType::Enum, What::BatteryState(place));
        }
        plan.number("uptime", "h", 1, None, What::Uptime);
        plan.number(INTERVAL, "s", 0, Some(f64::from(*INTERVALS.end())), What::Interval);
        plan.gauges
    }

    /// Attributes that do not change.
    fn look(&self) -> BTreeMap<String, String> {
        let system = self.system.as_ref();
        let cpu = system.and_then(|system| system.cpus().first()).map(|cpu| cpu.brand().trim().to_owned());
        let cores = system.map(|system| system.cpus().len()).filter(|cores| *cores > 0);
        let memory = system.map(|system| format!("{:.1} GiB", system.total_memory() as f64 / MIB / 1024.0));
        let known = [
            ("model", self.board.model()),
            ("os", System::long_os_version().ok()),
            ("kernel", System::kernel_version().ok()),
            ("host", host_name()),
            ("architecture", Some(System::cpu_arch())),
            ("cpu", cpu),
            ("cores", cores.map(|cores| cores.to_string())),
            ("memory", memory),
        ];
        let known = known.into_iter().filter_map(|(name, text)| Some((name.to_owned(), text?)));
        known.filter(|(_, text)| !text.trim().is_empty()).collect()
    }

    /// Reads one value; `None` if it was not refreshed this time.
    fn measure(&self, what: &What, asked: Asked) -> Option<Value> {
        let system = self.system.as_ref();
        let number = |value: Option<f64>| value.map_or(Value::Missing, Value::number);
        match what {
            What::Cpu if asked.cpu => Some(number(system.map(|s| f64::from(s.global_cpu_usage())))),
            What::Cpu => None,
            What::Load => Some(number(System::load_average().ok().map(|load| load.one))),
            What::Memory => Some(number(system.map(|s| s.used_memory() as f64 / MIB))),
            What::Swap => Some(number(system.map(|s| s.used_swap() as f64 / MIB))),
            What::NetworkIn => asked.network.map(|(received, _)| Value::number(received)),
            What::NetworkOut => asked.network.map(|(_, sent)| Value::number(sent)),
            What::Temperature(label) if asked.temperatures => Some(number(self.temperature(label))),
            What::Disk(place) if asked.slow => Some(number(self.disk_use(place))),
            What::Battery(place) if asked.slow => {
                let charge = |battery: &Battery| f64::from(battery.state_of_charge().get::<percent>());
                Some(number(self.batteries.get(*place).map(charge)))
            }
            What::BatteryState(place) if asked.slow => {
                let state = |battery: &Battery| Value::Text(battery_state(battery.state()).into());
                Some(self.batteries.get(*place).map_or(Value::Missing, state))
            }
            What::Board(kind, which) if asked.temperatures => Some(self.board.value(*kind, which)),
            What::Board(..) => None,
            What::Temperature(_) | What::Disk(_) | What::Battery(_) | What::BatteryState(_) => None,
            What::Uptime => Some(number(System::uptime().ok().map(|seconds| seconds as f64 / 3_600.0))),
            What::Interval => asked.interval.then(|| Value::Number(f64::from(self.interval_s))),
        }
    }

    fn temperature(&self, label: &str) -> Option<f64> {
        let components = self.components.as_ref()?;
        components.iter().find(|component| component.label() == label)?.temperature().map(f64::from)
    }

    /// Whether `sysinfo` reports a thermal zone already: as a hwmon chip, whose name has no `-`, or, where there are
    /// no such chips, as a zone, which it gives no label.
    fn is_component(&self, zone: &str) -> bool {
        let chip = zone.replace('-', "_");
        let components = self.components.iter().flat_map(|components| components.iter());
        let mut labels = components.map(|component| component.label());
        labels.any(|label| label.is_empty() || label.starts_with(&chip))
    }

    fn disk_use(&self, place: &Path) -> Option<f64> {
        let disk = self.disks.as_ref()?.iter().find(|disk| disk.mount_point() == place)?;
        let (total, free) = (disk.total_space(), disk.available_space());
        (total > 0).then(|| total.saturating_sub(free) as f64 / total as f64 * 100.0)
    }
}

/// Memory and swap.
fn memory() -> MemoryRefreshKind {
    MemoryRefreshKind::nothing().with_ram().with_swap()
}

/// States of a battery.
const BATTERY_STATES: [&str; 6] = ["charging", "discharging", "empty", "full", "paused", "unknown"];

fn battery_state(state: State) -> &'static str {
    match state {
        State::Charging => BATTERY_STATES[0],
        State::Discharging => BATTERY_STATES[1],
        State::Empty => BATTERY_STATES[2],
        State::Full => BATTERY_STATES[3],
        State::Paused => BATTERY_STATES[4],
        State::Unknown => BATTERY_STATES[5],
    }
}

/// A list of gauges under construction: unique names, at most [`MOST`] of a kind.
#[derive(Default)]
struct Plan {
    gauges: Vec<Gauge>,
}

impl Plan {
    fn number(&mut self, name: &str, unit: &str, precision: u8, max: Option<f64>, what: What) {
        let Ok(name) = MetricName::new(name) else { return };
        let mut metric = Metric::new(name, MetricType::Number);
        (metric.unit, metric.precision) = (unit.to_owned(), Some(precision));
        (metric.min, metric.max) = (Some(0.0.into()), max.map(Into::into));
        if what == What::Interval {
            (metric.min, metric.writable) = (Some(f64::from(*INTERVALS.start()).into()), true);
        }
        self.gauges.push(Gauge { metric, what });
    }

    fn board(&mut self, sensor: &Sensor) {
        let (called, of, unit) = match sensor.kind {
            Kind::Temperature => ("temperature", MetricType::Number, "°C"),
            Kind::UnderVoltage => ("under-voltage", MetricType::Flag, ""),
            Kind::Throttled => ("throttled", MetricType::Flag, ""),
            Kind::Fan => ("fan", MetricType::Number, "rpm"),
            Kind::Signal => ("wifi signal", MetricType::Number, "dBm"),
            Kind::Wear => ("storage wear", MetricType::Number, "%"),
            Kind::Reserve => ("storage reserve", MetricType::Enum, ""),
            Kind::Written => ("storage written", MetricType::Number, "MiB"),
        };
        let Some(name) = measure::metric_name(called, &sensor.which) else { return };
        if self.gauges.iter().any(|gauge| gauge.metric.name == name) {
            return;
        }
        let mut metric = Metric::new(name, of);
        metric.unit = unit.to_owned();
        match sensor.kind {
            Kind::Temperature => metric.precision = Some(1),
            Kind::Wear => {
                (metric.precision, metric.min, metric.max) = (Some(0), Some(0.0.into()), Some(100.0.into()));
            }
            Kind::Fan | Kind::Written => (metric.precision, metric.min) = (Some(0), Some(0.0.into())),
            Kind::Signal => metric.precision = Some(0),
            Kind::Reserve => metric.options = RESERVE_STATES.map(str::to_owned).to_vec(),
            Kind::UnderVoltage | Kind::Throttled => {}
        }
        self.gauges.push(Gauge { metric, what: What::Board(sensor.kind, sensor.which.clone()) });
    }

    /// Adds one of several gauges of a kind.
    fn of(&mut self, kind: &str, which: &str, of: MetricType, what: What) {
        let Some(name) = measure::metric_name(kind, which) else { return };
        let same = |gauge: &&Gauge| std::mem::discriminant(&gauge.what) == std::mem::discriminant(&what);
        if self.gauges.iter().any(|gauge| gauge.metric.name == name)
            || self.gauges.iter().filter(same).count() >= MOST
        {
            return;
        }
        let mut metric = Metric::new(name, of);
        match what {
            What::Temperature(_) => (metric.unit, metric.precision) = ("°C".to_owned(), Some(1)),
            What::BatteryState(_) => metric.options = BATTERY_STATES.map(str::to_owned).to_vec(),
            _ => {
                (metric.unit, metric.precision) = ("%".to_owned(), Some(1));
                (metric.min, metric.max) = (Some(0.0.into()), Some(100.0.into()));
            }
        }
        self.gauges.push(Gauge { metric, what });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Number;

    fn sampler() -> Sampler {
        Sampler::new(DeviceId::new("bench").unwrap(), "Bench".to_owned())
    }

    #[test]
    fn samples_match_the_announcement() {
        let mut sampler = sampler();
        let spec = sampler.spec();
        assert_eq!((spec.kind.as_str(), spec.every_ms()), ("computer", Some(1_000)));
        for round in 0..3 {
            let (_, values) = sampler.sample(BootMs(1_000_000 + round * 1_000));
            for (name, value) in values {
                let metric = spec.metric(name.as_str()).unwrap_or_else(|| panic!("{name} was not announced"));
                match (metric.kind, value) {
                    (_, Value::Missing) => {}
                    (MetricType::Number, Value::Number(number)) => {
                        let precision = metric.precision.unwrap();
                        assert_eq!(measure::round(number, precision), number, "{name}");
                        // Temperatures have no minimum.
                        assert!(number >= metric.min.map_or(f64::MIN, Number::nearest), "{name} = {number}");
                        assert!(number <= metric.max.map_or(f64::MAX, Number::nearest), "{name} = {number}");
                    }
                    (MetricType::Flag, Value::Flag(_)) => {}
                    (MetricType::Enum, Value::Text(text)) => {
                        assert!(metric.options.iter().any(|option| **option == *text), "{name} = {text}");
                    }
                    (kind, value) => panic!("{name} is {kind:?} but its value is {value:?}"),
                }
            }
        }
    }

    #[test]
    fn what_the_board_says_is_announced_and_measured_once() {
        let root = tempfile::tempdir().unwrap();
        let write = |path: &str, content: &str| {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        };
        write("proc/device-tree/model", "Raspberry Pi 5 Model B Rev 1.0\0");
        write("sys/class/hwmon/hwmon0/name", "pwmfan\n");
        write("sys/class/hwmon/hwmon0/fan1_input", "3054\n");
        write("sys/class/hwmon/hwmon1/name", "rpi_volt\n");
        write("sys/class/hwmon/hwmon1/in0_lcrit_alarm", "1\n");
        write("sys/block/mmcblk0/device/pre_eol_info", "0x02\n");
        let mut sampler =
            Sampler::with(DeviceId::new("pi").unwrap(), "Pi".to_owned(), Board::new(root.path()));
        let spec = sampler.spec();
        assert_eq!(spec.attributes["model"], "Raspberry Pi 5 Model B Rev 1.0");
        let names: BTreeSet<&MetricName> = spec.metrics.iter().map(|metric| &metric.name).collect();
        assert_eq!(names.len(), spec.metrics.len(), "{names:?}");
        let fan = spec.metric("fan pwmfan 1").unwrap();
        assert_eq!((fan.unit.as_str(), fan.precision), ("rpm", Some(0)));

        let (anew, values) = sampler.sample(BootMs(1_000_000));
        let value = |values: &[(MetricName, Value)], name: &str| {
            values.iter().find(|(n, _)| n.as_str() == name).map(|(_, value)| value.clone())
        };
        assert!(!anew);
        assert_eq!(value(&values, "fan pwmfan 1"), Some(Value::Number(3_054.0)));
        assert_eq!(value(&values, "under-voltage"), Some(Value::Flag(true)));
        assert_eq!(value(&values, "storage reserve mmcblk0"), Some(Value::Text("warning".into())));
        write("sys/class/hwmon/hwmon0/fan1_input", "damaged");
        let (anew, values) = sampler.sample(BootMs(1_010_000));
        assert!(!anew, "a value that is gone for a while is no reason to announce the device again");
        assert_eq!(value(&values, "fan pwmfan 1"), Some(Value::Missing));
    }

    #[test]
    fn the_first_round_has_no_rates_and_slow_values_are_read_rarely() {
        let mut sampler = sampler();
        let has = |values: &[(MetricName, Value)], what: &str| {
            values.iter().any(|(n, _)| n.as_str().starts_with(what))
        };
        let (_, first) = sampler.sample(BootMs(1_000_000));
        let (_, second) = sampler.sample(BootMs(1_001_000));
        let (_, later) = sampler.sample(BootMs(1_010_000));
        for rate in ["cpu", "network"] {
            assert!(!has(&first, rate), "{rate}");
        }
        assert!(has(&second, "cpu") && has(&first, "memory") && has(&second, "memory"));
        assert!(!has(&second, "disk") && !has(&second, "temperature") && !has(&second, "battery"));
        assert_eq!(has(&first, "disk"), has(&later, "disk"));
        assert!(has(&first, INTERVAL) && !has(&second, INTERVAL));
        let (_, hasty) = sampler.sample(BootMs(1_010_100));
        assert!(
            !has(&hasty, "cpu") && !has(&hasty, "network"),
            "a tenth of a second is too short for a rate"
        );
    }

    #[test]
    fn the_interval_can_be_set() {
        let mut sampler = sampler();
        let interval = MetricName::new(INTERVAL).unwrap();
        assert_eq!(sampler.set(&interval, &Value::Number(12.4)), Ok(()));
        assert_eq!((sampler.every_ms(), sampler.spec().expect_every_s), (12_000, Some(12.0)));
        assert!(sampler.set(&interval, &Value::Number(61.0)).is_err());
        assert!(sampler.set(&interval, &Value::Missing).is_err());
        assert_eq!(sampler.every_ms(), 12_000);
    }
}
