//! [`Sweep`]: copies values out of the model for a search or a sort by value. It copies a bounded number of
//! devices per frame, so that the cost of a frame does not grow with the number of devices.

use super::entry::{FilterTerms, NeededValues};
use super::order::{CHUNK, DEVICES_A_MS, Section};
use super::view::{Sort, View};
use crate::model::device::MetricName;
use crate::model::time::BootMs;
use crate::ui::Cx;

/// Pause between two rounds, in milliseconds.
const PAUSE_MS: u64 = 250;

/// Progress of a round over all devices.
#[derive(Default)]
pub(super) struct Sweep {
    /// Next section and index in it; `None` between rounds.
    next: Option<(usize, usize)>,
    /// The values that the last round copied.
    done_for: Option<NeededValues>,
    need: NeededValues,
    /// Number of readings received when the last round began.
    readings: u64,
    due: BootMs,
}

impl Sweep {
    /// Starts over: the copied values belong to a different set of devices.
    pub(super) fn restart(&mut self) {
        (self.done_for, self.next) = (None, None);
    }

    /// Copies the next part. Returns whether this completed a round.
    pub(super) fn go_on(
        &mut self,
        cx: &mut Cx,
        view: &View,
        asked: &FilterTerms,
        hold: bool,
        sections: &mut [Section],
    ) -> bool {
        let need = needed(view, asked, sections);
        if need == NeededValues::default() {
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

    /// Whether to start a round now.
    fn begins(&mut self, cx: &mut Cx, hold: bool, sections: &[Section]) -> bool {
        let readings = cx.model.read(|model| {
            model.connections.values().map(|connection| connection.devices.readings()).sum::<u64>()
        });
        if self.done_for.as_ref() == Some(&self.need) {
            // The order must not change under the pointer.
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

/// The values needed for the filter and the sort order.
fn needed(view: &View, asked: &FilterTerms, sections: &[Section]) -> NeededValues {
    let sort = match &view.sort {
        Sort::Metric(name) => Some(MetricName::clone(name)),
        _ => None,
    };
    let numbers = asked.has_numbers();
    let wordy = sections.iter().any(|section| section.wordy > 0);
    NeededValues { words: !asked.is_empty() && (numbers || wordy), numbers, sort }
}

/// Copies the values of some devices. Returns the next index, or `None` at the end.
fn step(
    cx: &Cx,
    need: &NeededValues,
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
