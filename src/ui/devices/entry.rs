//! [`Entry`]: what is known of one device for sorting and filtering.

use std::cmp::{Ordering, Reverse};
use std::sync::Arc;

use super::view::{Grouping, Sort, Trouble, View};
use crate::model::device::{DeviceId, Metric, MetricName, MetricType, Status, Value};
use crate::model::devices::Device;
use crate::model::search::fold::folded_name;
use crate::model::time::WallMs;
use crate::ui::text::Words;
use crate::ui::text::devices::DeviceWords;
use crate::ui::value;

/// What a device is sorted by beside its name.
pub(super) type SortedBy = (Trouble, WallMs);
/// Below all others of its group.
pub(super) const LAST: SortedBy = (Trouble::None, WallMs::MIN);
/// Maximum number of bytes of a text value that are searched.
const MAX_SEARCHED_BYTES: usize = 256;

/// One device.
#[derive(Debug)]
pub(super) struct Entry {
    /// Which.
    pub(super) id: DeviceId,
    /// What kind of thing it is.
    pub(super) kind: String,
    /// Whether it is this app's own view of a link, which is no device of the list.
    pub(super) local: bool,
    /// What it needs, as of the last look.
    pub(super) trouble: Trouble,
    /// Whether it passes the filter.
    pub(super) matches: bool,
    /// Whether its status changed since the last look.
    pub(super) changed: bool,
    /// Its metrics.
    pub(super) metrics: Vec<MetricName>,
    /// Whether it has metrics whose values are words.
    pub(super) has_words: bool,
    since: WallMs,
    /// By which status and time it is sorted: those of the last time at which it might move.
    by: SortedBy,
    name: String,
    /// Its name, to be compared: in small letters, numbers by their size.
    order: String,
    /// Everything that can be searched for, in small letters, its values apart.
    text: String,
    /// Its values, as last copied for a search.
    values: Vec<(Arc<Metric>, Value)>,
    /// The same in small letters.
    said: String,
    /// Whether `said` is older than `values`.
    stale: bool,
    /// The last value of the metric that is sorted by.
    sort_value: Value,
}

/// A device's keys, as copied out of the model.
pub(super) struct Fresh {
    /// Its place in the model.
    pub(super) place: usize,
    /// Which.
    pub(super) id: DeviceId,
    /// Its metrics.
    pub(super) metrics: Vec<Arc<Metric>>,
    name: String,
    kind: String,
    local: bool,
    trouble: Trouble,
    since: WallMs,
}

impl Fresh {
    /// Whether it is this app's own view of a link.
    pub(super) fn is_local(&self) -> bool {
        self.local
    }

    pub(super) fn of(place: usize, device: &Device, status: Status) -> Fresh {
        Fresh {
            place,
            id: device.spec.id.clone(),
            name: device.spec.name.clone(),
            kind: device.spec.kind.clone(),
            local: device.is_local(),
            metrics: device.latest.iter().map(|latest| latest.metric.clone()).collect(),
            trouble: Trouble::of(status, device.failing > 0),
            since: device.since,
        }
    }
}

/// What the values of devices are needed for.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Need {
    /// To be searched, words alone.
    pub(super) words: bool,
    /// Numbers too.
    pub(super) numbers: bool,
    /// To sort by this one.
    pub(super) sort: Option<MetricName>,
}

/// What a filter asks for.
#[derive(Clone, Debug, Default)]
pub(super) struct Asked {
    /// Each word, and which troubles are called so.
    words: Vec<(String, [bool; 5])>,
}

impl Asked {
    /// By a filter in small letters.
    pub(super) fn of(filter: &str, words: &DeviceWords) -> Asked {
        let said = |trouble: Trouble| folded_name(words.trouble(trouble));
        let all = [Trouble::Silent, Trouble::Offline, Trouble::Faulty, Trouble::Unknown, Trouble::None];
        let all = all.map(said);
        let asked = |word: &str| (word.to_owned(), std::array::from_fn(|at| all[at].contains(word)));
        Asked { words: filter.split_whitespace().map(asked).collect() }
    }

    /// Whether it asks for nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Whether a number could be meant.
    pub(super) fn has_digits(&self) -> bool {
        self.words.iter().any(|(word, _)| word.contains(|c: char| c.is_ascii_digit()))
    }
}

impl Entry {
    /// `by`: what the same device was sorted by before.
    pub(super) fn new(fresh: Fresh, by: Option<SortedBy>) -> Entry {
        let Fresh { id, name, kind, local, metrics, trouble, since, .. } = fresh;
        let title = if name.is_empty() { id.as_str() } else { &name };
        let has_words = metrics.iter().any(|metric| metric.kind != MetricType::Number);
        let metrics: Vec<MetricName> = metrics.iter().map(|metric| metric.name.clone()).collect();
        let names = [title, id.as_str(), &kind].into_iter().chain(metrics.iter().map(MetricName::as_str));
        let text: Vec<String> = names.map(folded_name).collect();
        Entry {
            order: in_order(title),
            text: text.join("\n"),
            metrics,
            has_words,
            by: by.unwrap_or((trouble, since)),
            matches: false,
            changed: true,
            values: Vec::new(),
            said: String::new(),
            stale: false,
            sort_value: Value::Missing,
            id,
            name,
            kind,
            local,
            trouble,
            since,
        }
    }

    /// Whether this entry is still right about the device, its status apart.
    pub(super) fn is_of(&self, device: &Device) -> bool {
        self.id == device.spec.id
            && self.name == device.spec.name
            && self.kind == device.spec.kind
            && self.metrics.len() == device.latest.len()
    }

    /// Takes the device's status over.
    pub(super) fn now(&mut self, device: &Device, status: Status) {
        let trouble = Trouble::of(status, device.failing > 0);
        self.changed |= (self.trouble, self.since) != (trouble, device.since);
        (self.trouble, self.since) = (trouble, device.since);
    }

    /// Copies the values that are needed. The model is locked: nothing is made of them here.
    pub(super) fn copy_values(&mut self, device: &Device, need: &Need) {
        if let Some(name) = &need.sort {
            let is_it = |latest: &&crate::model::devices::Latest| latest.metric.name == *name;
            let value = device.latest.iter().find(is_it).map_or(&Value::Missing, |latest| &latest.value);
            if self.sort_value != *value {
                self.sort_value.clone_from(value);
            }
        }
        if !need.words || !(need.numbers || self.has_words) {
            return;
        }
        let wanted = || {
            device.latest.iter().filter(|latest| {
                latest.received > 0 && (need.numbers || latest.metric.kind != MetricType::Number)
            })
        };
        if !wanted().map(|latest| &latest.value).eq(self.values.iter().map(|(_, value)| value)) {
            self.values.clear();
            self.values.extend(wanted().map(|latest| (latest.metric.clone(), latest.value.clone())));
            self.stale = true;
        }
    }

    /// Makes what can be searched of the values that were copied.
    pub(super) fn fold_values(&mut self, words: &Words) {
        if !std::mem::take(&mut self.stale) {
            return;
        }
        self.said.clear();
        for (metric, value) in &self.values {
            match value {
                Value::Text(text) => {
                    self.said.push_str(&folded_name(&text[..text.floor_char_boundary(MAX_SEARCHED_BYTES)]));
                }
                value => self.said.push_str(&folded_name(&value::reading(words, metric, value))),
            }
            self.said.push('\n');
        }
    }

    /// By what it stands where it stands.
    pub(super) fn sorted_by(&self) -> SortedBy {
        self.by
    }

    /// Whether it would stand somewhere else, if it might move.
    pub(super) fn is_held(&self) -> bool {
        self.by != (self.trouble, self.since)
    }

    /// Lets it stand where it belongs. Returns whether that can be another place.
    pub(super) fn settle(&mut self, view: &View) -> bool {
        let (trouble, since) = std::mem::replace(&mut self.by, (self.trouble, self.since));
        let by_status = view.sort == Sort::Trouble || view.grouping == Grouping::Status;
        (by_status && trouble != self.trouble) || (view.sort == Sort::Changed && since != self.since)
    }

    /// Whether it has all that is asked for.
    pub(super) fn has(&self, asked: &Asked) -> bool {
        let trouble = self.by.0;
        asked.words.iter().all(|(word, troubles)| {
            troubles[trouble as usize]
                // What is faulty speaks all the same.
                || (trouble == Trouble::Faulty && troubles[Trouble::None as usize])
                || self.text.contains(word.as_str())
                || (!self.said.is_empty() && self.said.contains(word.as_str()))
        })
    }

    /// Which of two stands first.
    pub(super) fn order(&self, other: &Entry, view: &View) -> Ordering {
        let group = || match view.grouping {
            Grouping::None => Ordering::Equal,
            // What is of no kind comes last.
            Grouping::Kind => (self.kind.is_empty(), &self.kind).cmp(&(other.kind.is_empty(), &other.kind)),
            Grouping::Status => self.by.0.cmp(&other.by.0),
        };
        let name = || (&self.order, &self.id).cmp(&(&other.order, &other.id));
        let key = match &view.sort {
            Sort::Name => name(),
            Sort::Trouble => self.by.0.cmp(&other.by.0),
            Sort::Changed => Reverse(self.by.1).cmp(&Reverse(other.by.1)),
            Sort::Kind => (self.kind.is_empty(), &self.kind).cmp(&(other.kind.is_empty(), &other.kind)),
            Sort::Metric(_) => {
                let missing = |entry: &Entry| entry.sort_value == Value::Missing;
                match (missing(self), missing(other)) {
                    (false, false) => compared(&self.sort_value, &other.sort_value),
                    // What has no value is last, whichever way it goes.
                    (one, two) => return group().then(one.cmp(&two)).then_with(name),
                }
            }
        };
        let key = if view.reversed { key.reverse() } else { key };
        group().then(key).then_with(name)
    }

    /// Whether both stand under the same heading.
    pub(super) fn is_beside(&self, other: &Entry, grouping: Grouping) -> bool {
        match grouping {
            Grouping::None => true,
            Grouping::Kind => self.kind == other.kind,
            Grouping::Status => self.by.0 == other.by.0,
        }
    }

    /// What is needed by those under whose heading it stands.
    pub(super) fn group_trouble(&self) -> Trouble {
        self.by.0
    }
}

/// Which of two values is less: numbers before words.
fn compared(one: &Value, other: &Value) -> Ordering {
    match (one.as_chart(), other.as_chart()) {
        (Some(one), Some(other)) => one.total_cmp(&other),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => match (one, other) {
            (Value::Text(one), Value::Text(other)) => one.cmp(other),
            _ => Ordering::Equal,
        },
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
