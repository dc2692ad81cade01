//! [`Entry`]: what is known of one device for sorting and filtering.

use std::cmp::{Ordering, Reverse};
use std::sync::Arc;

use memchr::memmem::Finder;

use super::view::{Grouping, Sort, Trouble, View};
use crate::model::device::{DeviceId, Metric, MetricName, MetricType, Status, Value};
use crate::model::device_choices::DeviceChoice;
use crate::model::devices::{Device, Latest};
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
    /// What the person has chosen for it.
    pub(super) choice: Option<DeviceChoice>,
    since: WallMs,
    /// By which status and time it is sorted: those of the last time at which it might move.
    by: SortedBy,
    name: String,
    /// Its name, to be compared: in small letters, numbers by their size.
    order: String,
    /// Everything that can be searched for, in small letters, its values apart.
    text: String,
    /// Its values that are words, as last copied for a search.
    values: Vec<(Arc<Metric>, Value)>,
    /// The same in small letters.
    said: String,
    /// Whether `said` is older than `values`.
    stale: bool,
    /// Its numbers, as last copied for a search.
    numbers: Vec<f64>,
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
    choice: Option<DeviceChoice>,
}

impl Fresh {
    /// Whether it is this app's own view of a link.
    pub(super) fn is_local(&self) -> bool {
        self.local
    }

    pub(super) fn of(place: usize, device: &Device, status: Status, choice: Option<&DeviceChoice>) -> Fresh {
        Fresh {
            place,
            id: device.spec.id.clone(),
            name: device.spec.name.clone(),
            kind: device.spec.kind.clone(),
            local: device.is_local(),
            metrics: device.latest.iter().map(|latest| latest.metric.clone()).collect(),
            trouble: Trouble::of(status, device.failing > 0),
            since: device.since,
            choice: choice.cloned(),
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
    words: Vec<Word>,
}

/// One word of a filter.
#[derive(Clone, Debug)]
struct Word {
    finder: Finder<'static>,
    /// Which troubles are called so.
    troubles: [bool; 5],
    /// The number that it is, or begins.
    number: Option<Begun>,
}

/// A number as far as it was typed: its digits without the point, and by what they are to be divided.
#[derive(Copy, Clone, Debug)]
struct Begun {
    digits: f64,
    scale: f64,
}

impl Begun {
    /// What a word begins. A word of many digits is no reading.
    fn of(word: &str) -> Option<Begun> {
        let digits = word.bytes().filter(u8::is_ascii_digit).count();
        let is_plain = word.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-'));
        if digits == 0 || digits > 15 || !is_plain {
            return None;
        }
        let number: f64 = word.parse().ok().filter(|number: &f64| number.is_finite())?;
        let decimals = word.split_once('.').map_or(0, |(_, decimals)| decimals.len());
        let scale = 10f64.powi(decimals as i32);
        Some(Begun { digits: (number * scale).round(), scale })
    }

    /// Whether a number would be written so, cut off or rounded there.
    fn begins(self, number: f64) -> bool {
        let scaled = number * self.scale;
        scaled.trunc() == self.digits || scaled.round() == self.digits
    }
}

impl Asked {
    /// By a filter in small letters.
    pub(super) fn of(filter: &str, words: &DeviceWords) -> Asked {
        let said = |trouble: Trouble| folded_name(words.trouble(trouble));
        let all = [Trouble::Silent, Trouble::Offline, Trouble::Faulty, Trouble::Unknown, Trouble::None];
        let all = all.map(said);
        let asked = |word: &str| Word {
            finder: Finder::new(word).into_owned(),
            troubles: std::array::from_fn(|at| all[at].contains(word)),
            number: Begun::of(word),
        };
        Asked { words: filter.split_whitespace().map(asked).collect() }
    }

    /// Whether it asks for nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Whether a number could be meant.
    pub(super) fn has_numbers(&self) -> bool {
        self.words.iter().any(|word| word.number.is_some())
    }
}

impl Entry {
    /// `by`: what the same device was sorted by before.
    pub(super) fn new(fresh: Fresh, by: Option<SortedBy>) -> Entry {
        let Fresh { id, name, kind, local, metrics, trouble, since, choice, .. } = fresh;
        let own = choice.as_ref().map_or("", |choice| choice.name.as_str());
        let title = [own, &name, id.as_str()].into_iter().find(|name| !name.is_empty()).unwrap_or("");
        let has_words = metrics.iter().any(|metric| metric.kind != MetricType::Number);
        let units = metrics.iter().map(|metric| folded_name(&metric.unit)).collect::<Vec<_>>();
        let metrics: Vec<MetricName> = metrics.iter().map(|metric| metric.name.clone()).collect();
        let group = choice.as_ref().map_or("", |choice| choice.group.as_str());
        let mut text: Vec<String> = [title, &name, id.as_str(), &kind, group].map(folded_name).to_vec();
        text.extend(metrics.iter().map(|name| folded_name(name.as_str())));
        text.extend(units);
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
            numbers: Vec::new(),
            sort_value: Value::Missing,
            id,
            name,
            kind,
            local,
            trouble,
            since,
            choice,
        }
    }

    /// Whether it stands above all others.
    pub(super) fn is_pinned(&self) -> bool {
        self.choice.as_ref().is_some_and(|choice| choice.pinned)
    }

    /// Whether the person does not want to see it.
    pub(super) fn is_hidden(&self) -> bool {
        self.choice.as_ref().is_some_and(|choice| choice.hidden)
    }

    /// The person's group for it; empty: none.
    pub(super) fn group(&self) -> &str {
        self.choice.as_ref().map_or("", |choice| choice.group.as_str())
    }

    /// Whether this entry is still right about the device, its status and the person's choice apart.
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
            let is_it = |latest: &&Latest| latest.metric.name == *name;
            let value = device.latest.iter().find(is_it).map_or(&Value::Missing, |latest| &latest.value);
            if self.sort_value != *value {
                self.sort_value.clone_from(value);
            }
        }
        if need.numbers {
            self.numbers.clear();
            self.numbers.extend(device.latest.iter().filter_map(number));
        }
        if !need.words || !self.has_words {
            return;
        }
        let wanted = || {
            device
                .latest
                .iter()
                .filter(|latest| latest.received > 0 && latest.metric.kind != MetricType::Number)
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
        asked.words.iter().all(|word| {
            word.troubles[trouble as usize]
                // What is faulty speaks all the same.
                || (trouble == Trouble::Faulty && word.troubles[Trouble::None as usize])
                || word.finder.find(self.text.as_bytes()).is_some()
                || word.finder.find(self.said.as_bytes()).is_some()
                || word.number.is_some_and(|begun| self.numbers.iter().any(|number| begun.begins(*number)))
        })
    }

    /// Which of two stands first.
    pub(super) fn order(&self, other: &Entry, view: &View) -> Ordering {
        let group = || match view.grouping {
            _ if self.is_pinned() || other.is_pinned() => other.is_pinned().cmp(&self.is_pinned()),
            Grouping::None => Ordering::Equal,
            // What is in no group comes last.
            Grouping::Own => {
                let (one, two) = (self.group(), other.group());
                (one.is_empty(), one).cmp(&(two.is_empty(), two))
            }
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
            _ if self.is_pinned() || other.is_pinned() => self.is_pinned() == other.is_pinned(),
            Grouping::None => true,
            Grouping::Own => self.group() == other.group(),
            Grouping::Kind => self.kind == other.kind,
            Grouping::Status => self.by.0 == other.by.0,
        }
    }

    /// What is needed by those under whose heading it stands.
    pub(super) fn group_trouble(&self) -> Trouble {
        self.by.0
    }
}

/// A metric's value, if it is a number.
fn number(latest: &Latest) -> Option<f64> {
    let is_number = latest.metric.kind == MetricType::Number && latest.received > 0;
    latest.value.as_chart().filter(|_| is_number)
}

/// Which of two values is less: numbers before words.
fn compared(one: &Value, other: &Value) -> Ordering {
    match (one.as_chart(), other.as_chart()) {
        (Some(nearest), Some(others)) => {
            // Two whole numbers may have the same f64 next to them.
            let off = |value: &Value| value.as_number().map_or(0, |number| number.off());
            nearest.total_cmp(&others).then_with(|| off(one).cmp(&off(other)))
        }
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
    fn a_number_is_found_by_how_it_begins() {
        let finds = |word: &str, number: f64| Begun::of(word).is_some_and(|begun| begun.begins(number));
        for (word, number) in [("42.5", 42.5), ("42.5", 42.46), ("42", 42.9), ("42", 42.0), ("-3", -3.4)] {
            assert!(finds(word, number), "{word} {number}");
        }
        for (word, number) in [("42.5", 42.6), ("42", 420.0), ("42", 41.0), ("3", -3.4), ("1e3", 1_000.0)] {
            assert!(!finds(word, number), "{word} {number}");
        }
        for word in ["", "a1", "1.2.3", "inf", "nan", "12345678901234567"] {
            assert!(Begun::of(word).is_none(), "{word}");
        }
    }

    #[test]
    fn numbers_in_names_are_sorted_by_size() {
        let mut names = ["Pump 10", "pump 9", "Pump 009b", "온실 12번", "온실 3번", "Pump"];
        names.sort_by_key(|name| in_order(name));
        assert_eq!(names, ["Pump", "pump 9", "Pump 009b", "Pump 10", "온실 3번", "온실 12번"]);
    }
}
