//! [`DeviceChoices`]: the person's settings for individual devices: name, group, pinned, hidden, and names and units of
//! readings. Local to this app; the server's names and ids are not changed.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::device::{DeviceId, METRICS, Metric, MetricName};
use super::id::ConnectionId;

/// Maximum number of devices with settings, over all servers.
pub const MAX_CHOSEN_DEVICES: usize = 4_096;
/// Maximum length of a chosen device or group name, in characters.
pub const MAX_CHOSEN_NAME_CHARS: usize = 64;
/// Maximum number of readings with settings, over all devices.
pub const MAX_CHOSEN_READINGS: usize = 16_384;
/// Maximum length of a chosen unit, in characters.
pub const MAX_CHOSEN_UNIT_CHARS: usize = 16;

/// The settings of one reading.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ReadingChoice {
    /// Chosen name; empty for the announced one.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Chosen unit, which may be empty; `None` for the announced one. Values are not converted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Whether it is hidden.
    #[serde(skip_serializing_if = "is_false")]
    pub hidden: bool,
    /// Settings of later versions, kept as they are.
    #[serde(flatten)]
    unknown: Map<String, Value>,
}

impl ReadingChoice {
    /// With these settings.
    pub fn new(name: &str, unit: Option<&str>, hidden: bool) -> ReadingChoice {
        let mut choice = ReadingChoice { hidden, ..ReadingChoice::default() };
        choice.set(name, unit.map(str::to_owned));
        choice
    }

    fn set(&mut self, name: &str, unit: Option<String>) {
        self.name = chosen_name(name);
        self.unit = unit.map(|unit| chosen_name(&unit).chars().take(MAX_CHOSEN_UNIT_CHARS).collect());
    }

    /// Takes over settings that this version does not know.
    pub fn with_unknown_of(mut self, other: &ReadingChoice) -> ReadingChoice {
        self.unknown.clone_from(&other.unknown);
        self
    }

    /// Whether all settings are the defaults.
    pub fn is_default(&self) -> bool {
        *self == ReadingChoice::default()
    }
}

/// The settings of a device's readings.
pub type ReadingChoices = BTreeMap<MetricName, ReadingChoice>;

/// The settings of one device.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DeviceChoice {
    /// Chosen name; empty for the announced one.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Chosen group; empty for none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub group: String,
    /// Whether it is pinned to the top of lists.
    #[serde(skip_serializing_if = "is_false")]
    pub pinned: bool,
    /// Whether it is hidden from lists.
    #[serde(skip_serializing_if = "is_false")]
    pub hidden: bool,
    /// Settings of its readings.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub readings: ReadingChoices,
    /// Settings of later versions, kept as they are.
    #[serde(flatten)]
    unknown: Map<String, Value>,
}

fn is_false(flag: &bool) -> bool {
    !flag
}

impl DeviceChoice {
    /// Whether all settings are the defaults.
    pub fn is_default(&self) -> bool {
        *self == DeviceChoice::default()
    }

    fn apply(&mut self, change: DeviceChange) {
        match change {
            DeviceChange::Name(name) => self.name = chosen_name(&name),
            DeviceChange::Group(group) => self.group = chosen_name(&group),
            DeviceChange::Pinned(pinned) => self.pinned = pinned,
            DeviceChange::Hidden(hidden) => self.hidden = hidden,
            DeviceChange::Readings(readings) => {
                self.readings = readings;
                self.tidy_readings();
            }
        }
    }

    /// Normalizes the settings of readings; what equals the defaults goes.
    fn tidy_readings(&mut self) {
        self.readings.retain(|_, reading| {
            let (name, unit) = (std::mem::take(&mut reading.name), reading.unit.take());
            reading.set(&name, unit);
            !reading.is_default()
        });
        while self.readings.len() > METRICS {
            self.readings.pop_last();
        }
    }

    /// Normalizes what was read from a file.
    fn tidy(&mut self) {
        self.name = chosen_name(&self.name);
        self.group = chosen_name(&self.group);
        self.tidy_readings();
    }

    /// A metric as the person wants it.
    pub fn corrected(&self, metric: &Metric) -> Metric {
        let mut metric = metric.clone();
        if let Some(reading) = self.readings.get(&metric.name) {
            metric.title.clone_from(&reading.name);
            metric.hidden = reading.hidden;
            if let Some(unit) = &reading.unit {
                metric.unit.clone_from(unit);
            }
        }
        metric
    }

    /// The change that reverts `change`.
    pub fn inverse_of(&self, change: &DeviceChange) -> DeviceChange {
        match change {
            DeviceChange::Name(_) => DeviceChange::Name(self.name.clone()),
            DeviceChange::Group(_) => DeviceChange::Group(self.group.clone()),
            DeviceChange::Pinned(_) => DeviceChange::Pinned(self.pinned),
            DeviceChange::Hidden(_) => DeviceChange::Hidden(self.hidden),
            DeviceChange::Readings(_) => DeviceChange::Readings(self.readings.clone()),
        }
    }
}

/// A change to a device's settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeviceChange {
    /// Set the name; empty for the announced one.
    Name(String),
    /// Set the group; empty for none.
    Group(String),
    /// Pin or unpin it.
    Pinned(bool),
    /// Hide it, or show it again.
    Hidden(bool),
    /// Set names, units and visibility of all its readings.
    Readings(ReadingChoices),
}

/// Normalizes a name: one line, trimmed, at most [`MAX_CHOSEN_NAME_CHARS`] characters.
pub fn chosen_name(typed: &str) -> String {
    let line = typed.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).filter(|c| !c.is_control());
    let line: String = line.collect();
    let short: String = line.trim().chars().take(MAX_CHOSEN_NAME_CHARS).collect();
    short.trim_end().to_owned()
}

/// The settings of devices as written in a list of connections.
pub(super) fn write_list(choices: &BTreeMap<DeviceId, DeviceChoice>) -> Vec<Value> {
    let line = |(device, choice): (&DeviceId, &DeviceChoice)| {
        serde_json::to_value(Listed { device: device.clone(), choice: choice.clone() }).ok()
    };
    choices.iter().filter_map(line).collect()
}

/// Reads what [`write_list`] has written.
///
/// # Errors
/// If one of them is invalid, or if there are too many.
pub(super) fn read_list(list: Vec<Value>) -> Result<BTreeMap<DeviceId, DeviceChoice>, String> {
    if list.len() > MAX_CHOSEN_DEVICES {
        return Err(format!("it has settings for more than {MAX_CHOSEN_DEVICES} devices"));
    }
    let mut choices = BTreeMap::new();
    for value in list {
        let Listed { device, mut choice } =
            serde_json::from_value(value).map_err(|error| error.to_string())?;
        choice.tidy();
        choices.insert(device, choice);
    }
    Ok(choices)
}

/// The settings of one server's devices.
pub type ServerChoices = Arc<BTreeMap<DeviceId, DeviceChoice>>;

/// The settings of all devices, by server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<Value>", into = "Vec<Value>")]
pub struct DeviceChoices {
    servers: BTreeMap<ConnectionId, ServerChoices>,
    /// Entries of the file that this version does not understand; written back unchanged.
    unreadable: Vec<Value>,
}

/// An entry of the file.
#[derive(Serialize, Deserialize)]
struct Line {
    connection: ConnectionId,
    device: DeviceId,
    #[serde(flatten)]
    choice: DeviceChoice,
}

/// An entry of a list of one connection's devices.
#[derive(Serialize, Deserialize)]
struct Listed {
    device: DeviceId,
    #[serde(flatten)]
    choice: DeviceChoice,
}

impl DeviceChoices {
    /// The settings of a server's devices.
    pub fn of(&self, connection: ConnectionId) -> ServerChoices {
        self.servers.get(&connection).cloned().unwrap_or_default()
    }

    /// Number of devices with settings.
    pub fn len(&self) -> usize {
        self.servers.values().map(|server| server.len()).sum()
    }

    /// Whether there is nothing to save.
    pub fn is_empty(&self) -> bool {
        self.servers.is_empty() && self.unreadable.is_empty()
    }

    /// Number of readings with settings, without those of one device.
    fn readings_beside(&self, connection: ConnectionId, device: &DeviceId) -> usize {
        let all = self.servers.values().flat_map(|server| server.values());
        let own = self.servers.get(&connection).and_then(|server| server.get(device));
        all.map(|choice| choice.readings.len()).sum::<usize>() - own.map_or(0, |own| own.readings.len())
    }

    /// Whether a device's settings can be stored, with so many readings among them.
    fn fits(&self, connection: ConnectionId, device: &DeviceId, readings: usize) -> bool {
        self.has_room(connection, device)
            && (readings == 0 || self.readings_beside(connection, device) + readings <= MAX_CHOSEN_READINGS)
    }

    /// Whether settings for this device can be stored.
    pub fn has_room(&self, connection: ConnectionId, device: &DeviceId) -> bool {
        self.len() < MAX_CHOSEN_DEVICES
            || self.servers.get(&connection).is_some_and(|server| server.contains_key(device))
    }

    /// Applies a change. Returns `false`, without changing anything, if [`MAX_CHOSEN_DEVICES`] or [`MAX_CHOSEN_READINGS`] is
    /// reached.
    pub fn change(&mut self, connection: ConnectionId, device: DeviceId, change: DeviceChange) -> bool {
        let readings = if let DeviceChange::Readings(all) = &change { all.len().min(METRICS) } else { 0 };
        if !self.fits(connection, &device, readings) {
            return false;
        }
        let server = Arc::make_mut(self.servers.entry(connection).or_default());
        let choice = server.entry(device.clone()).or_default();
        choice.apply(change);
        if choice.is_default() {
            server.remove(&device);
        }
        self.servers.retain(|_, server| !server.is_empty());
        true
    }

    /// Takes over the settings of a server's devices from elsewhere, as far as there is space; those of other devices stay.
    /// Returns the number of devices for which there was none.
    pub fn take_over(
        &mut self,
        connection: ConnectionId,
        choices: &BTreeMap<DeviceId, DeviceChoice>,
    ) -> usize {
        let mut left_out = 0;
        for (device, choice) in choices {
            if self.fits(connection, device, choice.readings.len()) {
                let server = Arc::make_mut(self.servers.entry(connection).or_default());
                server.insert(device.clone(), choice.clone());
            } else {
                left_out += 1;
            }
        }
        left_out
    }

    /// Removes the settings of a server's devices.
    pub fn forget(&mut self, connection: ConnectionId) {
        self.servers.remove(&connection);
    }
}

impl From<Vec<Value>> for DeviceChoices {
    fn from(lines: Vec<Value>) -> Self {
        let mut choices = DeviceChoices::default();
        let mut readings = 0;
        for value in lines {
            let Ok(Line { connection, device, mut choice }) = Line::deserialize(&value) else {
                choices.unreadable.push(value);
                continue;
            };
            choice.tidy();
            readings += choice.readings.len();
            if !choices.has_room(connection, &device) || readings > MAX_CHOSEN_READINGS {
                readings -= choice.readings.len();
                choices.unreadable.push(value);
                continue;
            }
            let server = choices.servers.entry(connection).or_default();
            Arc::make_mut(server).insert(device, choice);
        }
        choices
    }
}

impl From<DeviceChoices> for Vec<Value> {
    fn from(choices: DeviceChoices) -> Self {
        let mut lines = Vec::new();
        for (connection, server) in choices.servers {
            // `--url` may name another server in the next run.
            if connection == ConnectionId::COMMAND_LINE {
                continue;
            }
            for (device, choice) in server.iter() {
                let line = Line { connection, device: device.clone(), choice: choice.clone() };
                lines.extend(serde_json::to_value(line));
            }
        }
        lines.extend(choices.unreadable);
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const SERVER: ConnectionId = ConnectionId(3);

    fn id(text: &str) -> DeviceId {
        DeviceId::new(text).unwrap()
    }

    #[test]
    fn choices_and_unknown_entries_survive_a_round_trip() {
        let text = json!([
            {"connection": 3, "device": "kiln", "name": "가마", "pinned": true, "colour": "red"},
            {"connection": 3, "device": "not an id\n"},
            {"connection": 4, "device": "pump", "group": "Cellar", "hidden": true},
            "of a later version",
        ]);
        let mut choices: DeviceChoices = serde_json::from_value(text).unwrap();
        let kiln = choices.of(SERVER)[&id("kiln")].clone();
        assert_eq!((kiln.name.as_str(), kiln.pinned, kiln.hidden), ("가마", true, false));
        assert_eq!(choices.of(ConnectionId(4))[&id("pump")].group, "Cellar");
        assert!(choices.change(SERVER, id("kiln"), DeviceChange::Pinned(false)));
        assert_eq!(
            serde_json::to_value(&choices).unwrap(),
            json!([
                {"connection": 3, "device": "kiln", "name": "가마", "colour": "red"},
                {"connection": 4, "device": "pump", "group": "Cellar", "hidden": true},
                {"connection": 3, "device": "not an id\n"},
                "of a later version",
            ])
        );
        choices.forget(ConnectionId(4));
        assert_eq!((choices.len(), choices.of(ConnectionId(4)).len()), (1, 0));
    }

    #[test]
    fn readings_are_renamed_and_given_units_without_losing_what_later_versions_know() {
        let text = json!([{"connection": 3, "device": "kiln", "readings": {
            "t1": {"name": "Flue", "unit": "°C", "colour": "red"},
            "t2": {"hidden": true},
            "t3": {},
        }}]);
        let mut choices: DeviceChoices = serde_json::from_value(text).unwrap();
        let kiln = choices.of(SERVER)[&id("kiln")].clone();
        let mut metric = Metric::new(id("t1"), super::super::device::MetricType::Number);
        metric.unit = "K".into();
        let corrected = kiln.corrected(&metric);
        assert_eq!((corrected.label(), corrected.unit.as_str(), corrected.hidden), ("Flue", "°C", false));
        assert!(kiln.corrected(&Metric { name: id("t2"), ..metric.clone() }).hidden);
        assert_eq!(kiln.corrected(&Metric { name: id("t9"), ..metric.clone() }).label(), "t9");
        let saved = json!([{"connection": 3, "device": "kiln", "readings": {
            "t1": {"name": "Flue", "unit": "°C", "colour": "red"}, "t2": {"hidden": true},
        }}]);
        assert_eq!(serde_json::to_value(&choices).unwrap(), saved);
        let undo = kiln.inverse_of(&DeviceChange::Readings(ReadingChoices::new()));
        assert!(choices.change(SERVER, id("kiln"), DeviceChange::Readings(ReadingChoices::new())));
        assert_eq!(choices.len(), 0);
        assert!(choices.change(SERVER, id("kiln"), undo));
        assert_eq!(serde_json::to_value(&choices).unwrap(), saved);
    }

    #[test]
    fn the_settings_of_readings_are_bounded() {
        let mut choices = DeviceChoices::default();
        let readings = |count: usize| -> ReadingChoices {
            (0..count).map(|at| (id(&format!("r{at}")), ReadingChoice::new("x", Some("y"), true))).collect()
        };
        for number in 0..MAX_CHOSEN_READINGS / METRICS {
            let change = DeviceChange::Readings(readings(METRICS));
            assert!(choices.change(SERVER, id(&format!("d{number}")), change));
        }
        assert!(!choices.change(SERVER, id("more"), DeviceChange::Readings(readings(1))));
        assert!(choices.change(SERVER, id("d0"), DeviceChange::Readings(readings(METRICS + 7))));
        assert!(choices.change(SERVER, id("more"), DeviceChange::Hidden(true)));
        let long = ReadingChoice::new(&"x".repeat(1_000), Some(&"y".repeat(1_000)), false);
        assert_eq!(long.name.len(), MAX_CHOSEN_NAME_CHARS);
        assert_eq!(long.unit.unwrap().len(), MAX_CHOSEN_UNIT_CHARS);
    }

    #[test]
    fn a_reverted_choice_leaves_nothing() {
        let mut choices = DeviceChoices::default();
        let undo = DeviceChoice::default().inverse_of(&DeviceChange::Name("Shed".into()));
        choices.change(SERVER, id("a"), DeviceChange::Name("  Shed\u{0}\n ".into()));
        assert_eq!(choices.of(SERVER)[&id("a")].name, "Shed");
        choices.change(SERVER, id("a"), undo);
        assert_eq!(choices, DeviceChoices::default());
    }

    #[test]
    fn names_and_numbers_are_bounded() {
        let mut choices = DeviceChoices::default();
        for number in 0..MAX_CHOSEN_DEVICES {
            assert!(choices.change(SERVER, id(&format!("d{number}")), DeviceChange::Hidden(true)));
        }
        assert!(!choices.change(SERVER, id("more"), DeviceChange::Hidden(true)));
        assert!(choices.change(SERVER, id("d7"), DeviceChange::Group("x".repeat(1_000))));
        assert_eq!(choices.of(SERVER)[&id("d7")].group.len(), MAX_CHOSEN_NAME_CHARS);
        assert_eq!(choices.len(), MAX_CHOSEN_DEVICES);
    }

    #[test]
    fn choices_for_a_command_line_server_are_not_saved() {
        let mut choices = DeviceChoices::default();
        choices.change(ConnectionId::COMMAND_LINE, id("a"), DeviceChange::Pinned(true));
        assert_eq!(serde_json::to_value(&choices).unwrap(), json!([]));
    }
}
