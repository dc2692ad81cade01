//! Notifications about devices that went offline or silent. Devices of a connection that go together share a
//! notification, which is withdrawn when they are back.

use std::collections::BTreeMap;

use super::{ClickTarget, Moment, Notice, NoticeContent, Out, Topic};
use crate::model::device::DeviceId;
use crate::model::devices::Presence;
use crate::model::event::{DeviceEvent, Event};
use crate::model::id::ConnectionId;
use crate::model::reducer::Model;
use crate::model::time::BootMs;

/// How long to wait for further devices after the first one, in milliseconds.
pub(super) const GROUPING_MS: u64 = 2_000;
/// Minimum interval between two notifications about a connection's devices, in milliseconds.
pub(super) const MIN_INTERVAL_MS: u64 = 10_000;
/// Maximum length of a device's title in a notification, in characters; leaves space for an id.
const MAX_TITLE_CHARS: usize = 30;
/// Maximum number of device names in a notification.
const MAX_NAMES: usize = 3;

/// How devices were lost.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Gone {
    /// All are offline.
    Offline,
    /// All are silent.
    Silent,
    /// Some are offline, some silent.
    Both,
}

/// The lost devices of a connection.
#[derive(Clone, Debug, Default)]
pub(super) struct Fleet {
    /// Whether the hub's device list arrived once; only later changes are notified about.
    listed: bool,
    gone: BTreeMap<DeviceId, Missing>,
    /// Number of devices that were notified about.
    notified: usize,
    due: Option<BootMs>,
    /// Earliest time of the next notification.
    next: BootMs,
    shown: bool,
}

#[derive(Copy, Clone, Debug)]
struct Missing {
    how: Gone,
    notified: bool,
}

/// Context of an event.
pub(super) struct EventContext<'a> {
    pub(super) at: Moment,
    pub(super) model: &'a Model,
    pub(super) connection: ConnectionId,
    /// The device that the person is looking at.
    pub(super) viewed: Option<&'a DeviceId>,
}

impl EventContext<'_> {
    fn presence(&self, device: &DeviceId) -> Option<Presence> {
        let devices = &self.model.connections.get(&self.connection)?.devices;
        devices.get(device.as_str()).map(|device| device.presence)
    }

    /// Whether to notify about a device: enabled, not muted, and not on screen.
    fn wants(&self, device: &DeviceId) -> bool {
        let preferences = &self.model.preferences.notices;
        preferences.devices
            && !preferences.is_quiet_at(self.at.minute)
            && !self.model.notice_choices.is_muted(self.connection, device)
            && self.viewed != Some(device)
    }
}

impl Fleet {
    /// Whether a silent device may come back by publishing alone.
    pub(super) fn misses_some(&self) -> bool {
        !self.gone.is_empty()
    }

    /// Earliest time at which a notification may be due.
    pub(super) fn due(&self) -> Option<BootMs> {
        self.due
    }

    /// Handles an event of the connection.
    pub(super) fn handle_event(&mut self, context: EventContext<'_>, event: &Event, out: &mut Out) {
        let was_there = |presence| matches!(presence, Some(Presence::Online | Presence::Silent));
        match event {
            Event::Device(DeviceEvent::Listed { devices, more, .. }) => {
                for state in devices {
                    let id = &state.spec.id;
                    if state.online {
                        self.back(context.connection, id, out);
                    } else if self.listed && was_there(context.presence(id)) {
                        self.lost(&context, id, Gone::Offline);
                    }
                }
                self.listed |= !more;
            }
            Event::Device(DeviceEvent::Announced(state)) => {
                self.back(context.connection, &state.spec.id, out)
            }
            Event::Device(DeviceEvent::Presence { device, online: true, .. }) => {
                self.back(context.connection, device, out)
            }
            Event::Device(DeviceEvent::Presence { device, .. }) if was_there(context.presence(device)) => {
                self.lost(&context, device, Gone::Offline);
            }
            Event::Device(DeviceEvent::Silent { device, .. })
                if context.presence(device) == Some(Presence::Online) =>
            {
                self.lost(&context, device, Gone::Silent);
            }
            Event::Device(DeviceEvent::Readings(readings)) if self.misses_some() => {
                for sample in &readings.samples {
                    self.back(context.connection, &sample.device, out);
                }
            }
            _ => {}
        }
    }

    fn lost(&mut self, context: &EventContext<'_>, device: &DeviceId, how: Gone) {
        if !context.wants(device) {
            return;
        }
        let known = self.gone.insert(device.clone(), Missing { how, notified: false });
        self.notified -= usize::from(known.is_some_and(|known| known.notified));
        let due = self.next.max(context.at.boot_ms.saturating_add(GROUPING_MS));
        self.due.get_or_insert(due);
    }

    fn back(&mut self, connection: ConnectionId, device: &DeviceId, out: &mut Out) {
        if let Some(back) = self.gone.remove(device) {
            self.notified -= usize::from(back.notified);
            self.withdraw_if_over(connection, out);
        }
    }

    /// The link went down: pending notifications are dropped, since the state is unknown. `for_ever`: shown
    /// ones are withdrawn too.
    pub(super) fn link_lost(&mut self, connection: ConnectionId, for_ever: bool, out: &mut Out) {
        self.gone.retain(|_, missing| missing.notified && !for_ever);
        self.notified = self.gone.len();
        self.withdraw_if_over(connection, out);
    }

    fn withdraw_if_over(&mut self, connection: ConnectionId, out: &mut Out) {
        if self.notified == self.gone.len() {
            self.due = None;
        }
        if self.shown && self.notified == 0 {
            self.shown = false;
            out.withdraw(Topic::Devices(connection));
        }
    }

    /// Shows what is due.
    pub(super) fn show_due(
        &mut self,
        now: BootMs,
        model: &Model,
        connection: ConnectionId,
        wanted: bool,
        out: &mut Out,
    ) {
        if self.due.is_none_or(|due| due > now) {
            return;
        }
        self.gone.retain(|id, missing| missing.notified || !model.notice_choices.is_muted(connection, id));
        if !wanted {
            self.gone.retain(|_, missing| missing.notified);
        }
        self.notified = self.gone.values().filter(|missing| missing.notified).count();
        if self.notified == self.gone.len() {
            self.due = None;
            return;
        }
        if out.free(now) == 0 {
            return;
        }
        (self.due, self.next, self.shown) = (None, now + MIN_INTERVAL_MS, true);
        out.show(now, self.notice(model, connection));
        self.gone.values_mut().for_each(|missing| missing.notified = true);
        self.notified = self.gone.len();
    }

    fn notice(&self, model: &Model, connection: ConnectionId) -> Notice {
        let at = model.connections.get(&connection);
        let name = |id: &DeviceId| {
            let known =
                at.and_then(|at| Some(at.device_title(at.devices.get(id.as_str())?, MAX_TITLE_CHARS)));
            known.unwrap_or_else(|| id.to_string())
        };
        // Devices not notified about yet come first.
        let mut ids: Vec<_> = self.gone.iter().collect();
        ids.sort_by_key(|(_, missing)| missing.notified);
        let same = ids.windows(2).all(|pair| pair[0].1.how == pair[1].1.how);
        let target = match ids[..] {
            [(id, _)] => ClickTarget::Device(connection, id.clone()),
            _ => ClickTarget::Devices,
        };
        let news = NoticeContent::Devices {
            count: ids.len(),
            names: ids.iter().take(MAX_NAMES).map(|(id, _)| name(id)).collect(),
            gone: ids.first().filter(|_| same).map_or(Gone::Both, |(_, missing)| missing.how),
        };
        Notice { topic: Topic::Devices(connection), news, target }
    }
}
