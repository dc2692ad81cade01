//! Of which devices to tell that they are gone: those of a connection that go together are told together, and what is back
//! is taken back.

use std::collections::BTreeMap;

use super::{Moment, News, Notice, Out, Target, Topic};
use crate::model::device::DeviceId;
use crate::model::devices::Presence;
use crate::model::event::{DeviceEvent, Event};
use crate::model::id::ConnectionId;
use crate::model::reducer::Model;
use crate::model::time::BootMs;

/// So long after the first one the others of a fleet may follow it, in milliseconds.
pub(super) const TOGETHER_MS: u64 = 2_000;
/// A connection's devices have a notice no oftener than this, in milliseconds.
pub(super) const GAP_MS: u64 = 10_000;
/// So much of a title is in a notice, in characters: an id has room beside it.
const TITLE_CHARS: usize = 30;
/// So many names are in a notice.
const NAMES: usize = 3;

/// How devices are gone.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Gone {
    /// They, or their wills, said so.
    Offline,
    /// They say nothing.
    Silent,
    /// Some so, some so.
    Both,
}

/// A connection's devices that are gone.
#[derive(Clone, Debug, Default)]
pub(super) struct Fleet {
    /// The hub's list was heard once: what differs from it is news.
    listed: bool,
    gone: BTreeMap<DeviceId, Missing>,
    /// How many of them were told of.
    told: usize,
    due: Option<BootMs>,
    /// No notice before.
    next: BootMs,
    shown: bool,
}

#[derive(Copy, Clone, Debug)]
struct Missing {
    how: Gone,
    told: bool,
}

/// What a fleet hears by.
pub(super) struct Ears<'a> {
    pub(super) at: Moment,
    pub(super) model: &'a Model,
    pub(super) connection: ConnectionId,
    /// The device that the person looks at.
    pub(super) viewed: Option<&'a DeviceId>,
}

impl Ears<'_> {
    fn presence(&self, device: &DeviceId) -> Option<Presence> {
        let devices = &self.model.connections.get(&self.connection)?.devices;
        devices.get(device.as_str()).map(|device| device.presence)
    }

    /// Whether the person wants to be told of this one, and does not see it.
    fn wants(&self, device: &DeviceId) -> bool {
        let preferences = &self.model.preferences.notices;
        preferences.devices
            && !preferences.is_quiet_at(self.at.minute)
            && !self.model.notice_choices.is_muted(self.connection, device)
            && self.viewed != Some(device)
    }
}

impl Fleet {
    /// Whether a device is gone that may come back by a reading alone.
    pub(super) fn misses_some(&self) -> bool {
        !self.gone.is_empty()
    }

    /// When there may be something to show.
    pub(super) fn due(&self) -> Option<BootMs> {
        self.due
    }

    /// Something happens on its connection.
    pub(super) fn hear(&mut self, ears: Ears<'_>, event: &Event, out: &mut Out) {
        let was_there = |presence| matches!(presence, Some(Presence::Online | Presence::Silent));
        match event {
            Event::Device(DeviceEvent::Listed { devices, more, .. }) => {
                for state in devices {
                    let id = &state.spec.id;
                    if state.online {
                        self.back(ears.connection, id, out);
                    } else if self.listed && was_there(ears.presence(id)) {
                        self.lost(&ears, id, Gone::Offline);
                    }
                }
                self.listed |= !more;
            }
            Event::Device(DeviceEvent::Announced(state)) => self.back(ears.connection, &state.spec.id, out),
            Event::Device(DeviceEvent::Presence { device, online: true, .. }) => {
                self.back(ears.connection, device, out)
            }
            Event::Device(DeviceEvent::Presence { device, .. }) if was_there(ears.presence(device)) => {
                self.lost(&ears, device, Gone::Offline);
            }
            Event::Device(DeviceEvent::Silent { device, .. })
                if ears.presence(device) == Some(Presence::Online) =>
            {
                self.lost(&ears, device, Gone::Silent);
            }
            Event::Device(DeviceEvent::Readings(readings)) if self.misses_some() => {
                for sample in &readings.samples {
                    self.back(ears.connection, &sample.device, out);
                }
            }
            _ => {}
        }
    }

    fn lost(&mut self, ears: &Ears<'_>, device: &DeviceId, how: Gone) {
        if !ears.wants(device) {
            return;
        }
        let known = self.gone.insert(device.clone(), Missing { how, told: false });
        self.told -= usize::from(known.is_some_and(|known| known.told));
        let due = self.next.max(ears.at.boot_ms.saturating_add(TOGETHER_MS));
        self.due.get_or_insert(due);
    }

    fn back(&mut self, connection: ConnectionId, device: &DeviceId, out: &mut Out) {
        if let Some(back) = self.gone.remove(device) {
            self.told -= usize::from(back.told);
            self.mend(connection, out);
        }
    }

    /// Our own link is down: what is not told yet is not known any more. `for_ever`: nor is the rest.
    pub(super) fn link_lost(&mut self, connection: ConnectionId, for_ever: bool, out: &mut Out) {
        self.gone.retain(|_, missing| missing.told && !for_ever);
        self.told = self.gone.len();
        self.mend(connection, out);
    }

    fn mend(&mut self, connection: ConnectionId, out: &mut Out) {
        if self.told == self.gone.len() {
            self.due = None;
        }
        if self.shown && self.told == 0 {
            self.shown = false;
            out.withdraw(Topic::Devices(connection));
        }
    }

    /// Shows what is due.
    pub(super) fn settle(
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
        self.gone.retain(|id, missing| missing.told || !model.notice_choices.is_muted(connection, id));
        if !wanted {
            self.gone.retain(|_, missing| missing.told);
        }
        self.told = self.gone.values().filter(|missing| missing.told).count();
        if self.told == self.gone.len() {
            self.due = None;
            return;
        }
        if out.free(now) == 0 {
            return;
        }
        (self.due, self.next, self.shown) = (None, now + GAP_MS, true);
        out.show(now, self.notice(model, connection));
        self.gone.values_mut().for_each(|missing| missing.told = true);
        self.told = self.gone.len();
    }

    fn notice(&self, model: &Model, connection: ConnectionId) -> Notice {
        let at = model.connections.get(&connection);
        let name = |id: &DeviceId| {
            let known = at.and_then(|at| Some(at.device_title(at.devices.get(id.as_str())?, TITLE_CHARS)));
            known.unwrap_or_else(|| id.to_string())
        };
        // What is new comes first.
        let mut ids: Vec<_> = self.gone.iter().collect();
        ids.sort_by_key(|(_, missing)| missing.told);
        let same = ids.windows(2).all(|pair| pair[0].1.how == pair[1].1.how);
        let target = match ids[..] {
            [(id, _)] => Target::Device(connection, id.clone()),
            _ => Target::Devices,
        };
        let news = News::Devices {
            count: ids.len(),
            names: ids.iter().take(NAMES).map(|(id, _)| name(id)).collect(),
            gone: ids.first().filter(|_| same).map_or(Gone::Both, |(_, missing)| missing.how),
        };
        Notice { topic: Topic::Devices(connection), news, target }
    }
}
