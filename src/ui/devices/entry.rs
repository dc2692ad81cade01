//! [`Entry`]: what is known of one device for sorting and filtering.

use std::cmp::{Ordering, Reverse};

use super::order::{Grouping, Sort};
use crate::model::device::{DeviceId, MetricName, Status};
use crate::model::devices::Device;
use crate::model::search::fold::folded_name;
use crate::model::time::WallMs;
use crate::ui::text::devices::DeviceWords;

/// A device's id that stands for the link itself.
pub(super) const LINK: &str = "~link";

/// What a device is sorted by beside its name.
pub(super) type SortedBy = (Status, WallMs);
/// Below all others of its group.
pub(super) const LAST: SortedBy = (Status::Online, WallMs::MIN);

/// One device.
#[derive(Debug)]
pub(super) struct Entry {
    /// Which.
    pub(super) id: DeviceId,
    /// What kind of thing it is.
    pub(super) kind: String,
    /// Whether it is this app's own view of a link.
    pub(super) local: bool,
    /// Its status, as of the last look.
    pub(super) status: Status,
    /// Whether it passes the filter.
    pub(super) matches: bool,
    /// Whether its status changed since the last look.
    pub(super) changed: bool,
    since: WallMs,
    /// By which status and time it is sorted: those of the last time at which it might move.
    by: SortedBy,
    name: String,
    metrics: usize,
    /// Its name, to be compared: in small letters, numbers by their size.
    order: String,
    /// Everything that can be searched for, in small letters.
    text: String,
}

/// A device's keys, as copied out of the model.
pub(super) struct Fresh {
    /// Its place in the model.
    pub(super) place: usize,
    /// Which.
    pub(super) id: DeviceId,
    name: String,
    kind: String,
    local: bool,
    metrics: Vec<MetricName>,
    status: Status,
    since: WallMs,
}

impl Fresh {
    pub(super) fn of(place: usize, device: &Device, status: Status) -> Fresh {
        Fresh {
            place,
            id: device.spec.id.clone(),
            name: device.spec.name.clone(),
            kind: device.spec.kind.clone(),
            local: device.is_local(),
            metrics: device.latest.iter().map(|latest| latest.metric.name.clone()).collect(),
            status,
            since: device.since,
        }
    }
}

impl Entry {
    /// `by`: what the same device was sorted by before.
    pub(super) fn new(fresh: Fresh, by: Option<SortedBy>, words: &DeviceWords) -> Entry {
        let Fresh { id, name, kind, local, metrics, status, since, .. } = fresh;
        let title = if !name.is_empty() {
            &name
        } else if id.as_str() == LINK {
            words.link_name
        } else {
            id.as_str()
        };
        let names = [title, id.as_str(), &kind].into_iter().chain(metrics.iter().map(MetricName::as_str));
        let text: Vec<String> = names.map(folded_name).collect();
        Entry {
            order: in_order(title),
            text: text.join("\n"),
            metrics: metrics.len(),
            by: by.unwrap_or((status, since)),
            matches: false,
            changed: true,
            id,
            name,
            kind,
            local,
            status,
            since,
        }
    }

    /// Whether this entry is still right about the device, its status apart.
    pub(super) fn is_of(&self, device: &Device) -> bool {
        self.id == device.spec.id
            && self.name == device.spec.name
            && self.kind == device.spec.kind
            && self.metrics == device.latest.len()
    }

    /// Takes the device's status over.
    pub(super) fn now(&mut self, device: &Device, status: Status) {
        self.changed |= (self.status, self.since) != (status, device.since);
        (self.status, self.since) = (status, device.since);
    }

    /// By what it stands where it stands.
    pub(super) fn sorted_by(&self) -> SortedBy {
        self.by
    }

    /// Whether it would stand somewhere else, if it might move.
    pub(super) fn is_held(&self) -> bool {
        self.by != (self.status, self.since)
    }

    /// Lets it stand where it belongs. Returns whether that can be another place.
    pub(super) fn settle(&mut self, sort: Sort, grouping: Grouping) -> bool {
        let (status, since) = std::mem::replace(&mut self.by, (self.status, self.since));
        let by_status = sort == Sort::Status || grouping == Grouping::Status;
        (by_status && status != self.status) || (sort == Sort::Changed && since != self.since)
    }

    /// Whether it has all of these words.
    pub(super) fn has(&self, all: &[String], words: &DeviceWords) -> bool {
        let status = (words.status)(self.by.0);
        all.iter().all(|word| self.text.contains(word.as_str()) || status.contains(word.as_str()))
    }

    /// Which of two stands first.
    pub(super) fn order(&self, other: &Entry, sort: Sort, grouping: Grouping) -> Ordering {
        let group = || match grouping {
            Grouping::None => Ordering::Equal,
            // What is of no kind comes last.
            Grouping::Kind => (self.kind.is_empty(), &self.kind).cmp(&(other.kind.is_empty(), &other.kind)),
            Grouping::Status => rank(self.by.0).cmp(&rank(other.by.0)),
        };
        let key = || match sort {
            Sort::Name => Ordering::Equal,
            Sort::Status => rank(self.by.0).cmp(&rank(other.by.0)),
            Sort::Changed => Reverse(self.by.1).cmp(&Reverse(other.by.1)),
        };
        let name = || (&self.order, &self.id).cmp(&(&other.order, &other.id));
        self.local.cmp(&other.local).then_with(group).then_with(key).then_with(name)
    }

    /// Whether both stand under the same heading.
    pub(super) fn is_beside(&self, other: &Entry, grouping: Grouping) -> bool {
        self.local == other.local
            && match grouping {
                Grouping::None => true,
                Grouping::Kind => self.kind == other.kind,
                Grouping::Status => self.by.0 == other.by.0,
            }
    }

    /// The status under whose heading it stands.
    pub(super) fn group_status(&self) -> Status {
        self.by.0
    }
}

/// What needs a look comes first.
fn rank(status: Status) -> u8 {
    match status {
        Status::Silent => 0,
        Status::Offline => 1,
        Status::Unknown => 2,
        Status::Online => 3,
    }
}

/// A name to be compared: in small letters, each number behind its count of digits, so that 9 comes before 10.
fn in_order(title: &str) -> String {
    let lower = folded_name(title);
    let mut out = String::with_capacity(lower.len() + 4);
    let mut rest = lower.as_str();
    while let Some(first) = rest.chars().next() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        if digits > 0 {
            let number = rest[..digits].trim_start_matches('0');
            // Names have 64 characters, so this stays among the ASCII signs; whoever sends more only sorts oddly.
            out.push(char::from(b'0' + number.len().min(64) as u8));
            out.push_str(number);
            rest = &rest[digits..];
        } else {
            out.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_names_are_sorted_by_size() {
        let mut names = ["Pump 10", "pump 9", "Pump 009b", "온실 12번", "온실 3번", "Pump"];
        names.sort_by_key(|name| in_order(name));
        assert_eq!(names, ["Pump", "pump 9", "Pump 009b", "Pump 10", "온실 3번", "온실 12번"]);
    }
}
