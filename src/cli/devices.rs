//! [`Seen`]: the devices known to a command, in the window's own model for one connection.

use std::collections::HashMap;

use crate::clock;
use crate::model::device::{Metric, Sample};
use crate::model::event::{DeviceEvent, LinkEvent, SetupUpdate, Update};
use crate::model::profile::{Protocol, Socket};
use crate::model::time::WallMs;
use crate::model::{
    Connection, ConnectionId, Device, DeviceId, Event, MetricName, Model, Profile, Status, Value,
};

/// Maximum number of devices that are listed for a person who named none of them.
const MAX_EXAMPLES: usize = 20;

/// The devices of one connection.
pub(super) struct Seen {
    model: Model,
    /// The status printed last for each device.
    told: HashMap<DeviceId, Status>,
}

/// A change of a device's status.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Turn {
    pub(super) device: DeviceId,
    /// Its display name.
    pub(super) name: String,
    /// Its id, if the name is ambiguous.
    pub(super) mark: Option<String>,
    pub(super) status: Status,
    /// Since when (hub's clock); `None` while the link is down.
    pub(super) since: Option<WallMs>,
}

impl Default for Seen {
    fn default() -> Self {
        let profile = Profile {
            id: ConnectionId::COMMAND_LINE,
            name: String::new(),
            urls: Vec::new(),
            protocol: Protocol::Duplex,
            socket: Socket::Tungstenite,
            route: Default::default(),
            ca_file: None,
            fingerprint: None,
            auto_connect: true,
            websocket: Default::default(),
            network: Default::default(),
        };
        let mut model = Model::default();
        model.apply(clock::now(), Update::Setup(SetupUpdate::Configured(Box::new(profile))));
        Seen { model, told: HashMap::new() }
    }
}

impl Seen {
    /// Applies an event about devices.
    pub(super) fn take(&mut self, event: Event) {
        let concerns = matches!(
            event,
            Event::Link(LinkEvent::State(_))
                | Event::Link(LinkEvent::Welcomed { .. })
                | Event::Device(DeviceEvent::Listed { .. })
                | Event::Device(DeviceEvent::Announced(_))
                | Event::Device(DeviceEvent::Presence { .. })
                | Event::Device(DeviceEvent::Silent { .. })
                | Event::Device(DeviceEvent::Readings(_))
        );
        if concerns {
            self.model.apply(clock::now(), Update::Connection(ConnectionId::COMMAND_LINE, event));
        }
    }

    fn connection(&self) -> Option<&Connection> {
        self.model.connections.get(&ConnectionId::COMMAND_LINE)
    }

    /// Whether the hub's list of devices is complete.
    pub(super) fn is_complete(&self) -> bool {
        self.connection().is_some_and(|connection| connection.devices.is_complete())
    }

    /// One device.
    pub(super) fn get(&self, id: &str) -> Option<&Device> {
        self.connection()?.devices.get(id)
    }

    /// The device with this id, else the only one that is called so.
    pub(super) fn find(&self, text: &str) -> Option<&Device> {
        let devices = &self.connection()?.devices;
        let named = || {
            let name = text.to_lowercase();
            let mut named = devices.iter().filter(|device| device.spec.title().to_lowercase() == name);
            named.next().filter(|_| named.next().is_none())
        };
        devices.get(text).or_else(named)
    }

    /// The ids of some devices, for a person who named none of them.
    pub(super) fn examples(&self) -> String {
        let devices = self.connection().into_iter().flat_map(|connection| connection.devices.iter());
        devices.map(|device| device.spec.id.as_str()).take(MAX_EXAMPLES).collect::<Vec<_>>().join(", ")
    }

    /// A number that changes when statuses may have changed.
    pub(super) fn version(&self) -> u64 {
        self.connection().map_or(0, |connection| connection.devices.version())
    }

    /// Devices whose status differs from the one printed last.
    pub(super) fn turns(&mut self) -> Vec<Turn> {
        let Some(connection) = self.model.connections.get(&ConnectionId::COMMAND_LINE) else {
            return Vec::new();
        };
        // While the list is arriving, devices missing from it are unknown; this takes only a moment.
        if connection.link.is_online() && !connection.devices.is_complete() {
            return Vec::new();
        }
        let told = &mut self.told;
        // Nothing is kept of devices that are gone.
        if told.len() > 2 * connection.devices.len() + 1_000 {
            told.retain(|id, _| connection.devices.get(id.as_str()).is_some());
        }
        let turned = connection.devices.iter().filter_map(|device| {
            let status = connection.status(device);
            let id = device.spec.id.clone();
            if told.insert(id.clone(), status) == Some(status) {
                return None;
            }
            let since = (status != Status::Unknown).then_some(device.since);
            let mark = connection.known_devices.device_mark(&device.spec);
            Some(Turn { device: id, name: device.spec.title().to_owned(), mark, status, since })
        });
        turned.collect()
    }

    /// Names and units of a moment's values.
    pub(super) fn reading<'a>(
        &'a self,
        sample: &'a Sample,
        (metric, value): &'a (MetricName, Value),
    ) -> Reading<'a> {
        let device = self.get(sample.device.as_str());
        let latest = device.and_then(|device| device.metric(metric.as_str()));
        let of = latest.map(|latest| &*latest.metric);
        let name = device.map_or(sample.device.as_str(), |device| device.spec.title());
        let known = self.connection().map(|connection| &connection.known_devices);
        let mark = device.and_then(|device| known?.device_mark(&device.spec));
        Reading { sample, name, mark, metric, value, of }
    }
}

/// A value with its description.
pub(super) struct Reading<'a> {
    pub(super) sample: &'a Sample,
    /// The device's display name.
    pub(super) name: &'a str,
    /// Its id, if the name is ambiguous.
    pub(super) mark: Option<String>,
    pub(super) metric: &'a MetricName,
    pub(super) value: &'a Value,
    of: Option<&'a Metric>,
}

impl Reading<'_> {
    /// Its unit; may be empty.
    pub(super) fn unit(&self) -> &str {
        self.of.map_or("", |metric| &metric.unit)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test")]
    use super::*;
    use crate::model::{DeviceState, Spec};

    #[test]
    fn a_device_is_found_by_its_id_or_by_a_name_that_only_it_has() {
        let named = |id: &str, name: &str| {
            let mut spec = Spec::unannounced(DeviceId::new(id).unwrap());
            spec.name = name.to_owned();
            DeviceState {
                spec,
                incarnation: 1,
                online: true,
                since: WallMs(0),
                reason: String::new(),
                heard: None,
                every_ms: None,
                values: Vec::new(),
            }
        };
        let mut seen = Seen::default();
        let devices = vec![named("a", "Desk lamp"), named("b", "Pump"), named("c", "Pump"), named("d", "A")];
        seen.take(Event::Device(DeviceEvent::Listed { devices, started: WallMs(0), more: false }));
        let found = |text: &str| seen.find(text).map(|device| device.spec.id.as_str());
        assert_eq!(found("desk LAMP"), Some("a"));
        assert_eq!(found("a"), Some("a"), "an id goes before a name");
        assert_eq!((found("Pump"), found("none")), (None, None));
        assert_eq!(seen.examples(), "a, b, c, d");
    }
}
