//! [`Sweep`]: copies values out of the model for a search or an order by value, a part of all devices in each frame, so
//! that no frame does more for 10,000 devices than for a few hundred.

use super::entry::{Asked, Need};
use super::order::{CHUNK, DEVICES_A_MS, Section};
use super::view::{Sort, View};
use crate::model::device::MetricName;
use crate::model::time::BootMs;
use crate::ui::Cx;

/// The pause between two rounds, in milliseconds.
const PAUSE_MS: u64 = 250;

/// A way through all devices.
#[derive(Default)]
pub(super) struct Sweep {
    /// The section and the place in it that are next; none: it is at rest.
    next: Option<(usize, usize)>,
    /// What the values were copied for last.
    done_for: Option<Need>,
    need: Need,
    /// How many readings had been received when the last round began.
    readings: u64,
    due: BootMs,
}

impl Sweep {
    /// What was copied is not of the devices that are there now.
    pub(super) fn restart(&mut self) {
        (self.done_for, self.next) = (None, None);
    }

    /// Goes a part of the way. Returns whether a round ended with this.
    pub(super) fn go_on(
        &mut self,
        cx: &mut Cx,
        view: &View,
        asked: &Asked,
        hold: bool,
        sections: &mut [Section],
    ) -> bool {
        let need = needed(view, asked, sections);
        if need == Need::default() {
            (self.need, self.done_for, self.next) = (need, None, None);
            return false;
        }
        if self.need != need {
            (self.need, self.next) = (need, None);
        }
        if self.next.is_none() && !self.begins(cx, hold, sections) {
            return false;
        }
        let Some((section, place)) = self.next else { return false };
        self.next = step(cx, &self.need, sections, (section, place), CHUNK);
        if self.next.is_some() {
            cx.deadline.at(cx.now.boot_ms);
            return false;
        }
        self.done_for = Some(self.need.clone());
        let devices: usize = sections.iter().map(|section| section.entries.len()).sum();
        self.due = cx.now.boot_ms + PAUSE_MS.max(devices as u64 / DEVICES_A_MS);
        true
    }

    /// Whether a round begins now.
    fn begins(&mut self, cx: &mut Cx, hold: bool, sections: &[Section]) -> bool {
        let readings = cx.model.read(|model| {
            model.connections.values().map(|connection| connection.devices.readings()).sum::<u64>()
        });
        if self.done_for.as_ref() == Some(&self.need) {
            // What is pointed at stays.
            if hold || readings == self.readings {
                return false;
            }
            if cx.now.boot_ms < self.due {
                cx.deadline.at(self.due);
                return false;
            }
        }
        self.readings = readings;
        self.next = Some((0, 0));
        !sections.is_empty()
    }
}

/// What values are needed for.
fn needed(view: &View, asked: &Asked, sections: &[Section]) -> Need {
    let sort = match &view.sort {
        Sort::Metric(name) => Some(MetricName::clone(name)),
        _ => None,
    };
    let numbers = asked.has_numbers();
    let wordy = sections.iter().any(|section| section.wordy > 0);
    Need { words: !asked.is_empty() && (numbers || wordy), numbers, sort }
}

/// Copies the values of some devices. Returns the place after them; none: that was all.
fn step(
    cx: &Cx,
    need: &Need,
    sections: &mut [Section],
    (mut section, mut place): (usize, usize),
    mut budget: usize,
) -> Option<(usize, usize)> {
    while budget > 0 {
        let here = sections.get_mut(section)?;
        let end = here.entries.len().min(place + budget);
        let (id, entries) = (here.connection, &mut here.entries[place.min(end)..end]);
        cx.model.read(|model| {
            let Some(connection) = model.connections.get(&id) else { return };
            for (at, entry) in entries.iter_mut().enumerate() {
                if let Some(device) = connection.devices.at(place + at).filter(|device| entry.is_of(device)) {
                    entry.copy_values(device, need);
                }
            }
        });
        entries.iter_mut().for_each(|entry| entry.fold_values(cx.words));
        budget = budget.saturating_sub(end.saturating_sub(place)).min(budget - 1);
        place = end;
        if end >= here.entries.len() {
            (section, place) = (section + 1, 0);
        }
    }
    (section < sections.len()).then_some((section, place))
}
