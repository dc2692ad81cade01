//! [`Entry`]: the sort and filter keys of one device.

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

/// Sort key besides the name: the trouble and the time of the last status change.
pub(super) type SortedBy = (Trouble, WallMs);
/// Sorts after all other devices of its group.
pub(super) const LAST: SortedBy = (Trouble::None, WallMs::MIN);
/// Maximum number of bytes of a text value that are searched.
const MAX_SEARCHED_BYTES: usize = 256;

/// A device's keys.
#[derive(Debug)]
pub(super) struct Entry {
    /// Id of the device.
    pub(super) id: DeviceId,
    /// Kind that the device announced; may be empty.
    pub(super) kind: String,
    /// Whether it is the built-in view of the link, which is not listed as a device.
    pub(super) local: bool,
    /// Its trouble when last updated.
    pub(super) trouble: Trouble,
    /// Whether it matches the filter.
    pub(super) matches: bool,
    /// Whether its status changed in the last update.
    pub(super) changed: bool,
    /// Names of its metrics.
    pub(super) metrics: Vec<MetricName>,
    /// Whether any of its metrics has text values.
    pub(super) has_words: bool,
    /// The person's settings for it, if any.
    pub(super) choice: Option<DeviceChoice>,
    since: WallMs,
    /// The sort key in effect; lags behind the status while the order is held.
    by: SortedBy,
    name: String,
    /// Its name as a sort key: folded to lower case, numbers compared by value.
    order: String,
    /// Searchable text except its values, in lower case.
    text: String,
    /// Its text values, as last copied for a search.
    values: Vec<(Arc<Metric>, Value)>,
    /// Its text values in lower case.
    folded_values: String,
    /// Whether `folded_values` is older than `values`.
    stale: bool,
    /// Its numeric values, as last copied for a search.
    numbers: Vec<f64>,
    /// Latest value of the metric that the list is sorted by.
    sort_value: Value,
}

/// A device's keys as copied out of the model, before they are folded.
pub(super) struct NewEntry {
    /// Index in the model.
    pub(super) place: usize,
    /// Id of the device.
    pub(super) id: DeviceId,
    /// Names of its metrics.
    pub(super) metrics: Vec<Arc<Metric>>,
    name: String,
    kind: String,
    local: bool,
    trouble: Trouble,
    since: WallMs,
    choice: Option<DeviceChoice>,
}

impl NewEntry {
    /// Whether it is the built-in view of the link.
    pub(super) fn is_local(&self) -> bool {
        self.local
    }

    pub(super) fn of(
        place: usize,
        device: &Device,
        status: Status,
        choice: Option<&DeviceChoice>,
    ) -> NewEntry {
        NewEntry {
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

/// Which values have to be copied.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct NeededValues {
    /// Text values, for the filter.
    pub(super) words: bool,
    /// Numeric values, for the filter.
    pub(super) numbers: bool,
    /// The metric to sort by.
    pub(super) sort: Option<MetricName>,
}

/// A parsed filter.
#[derive(Clone, Debug, Default)]
pub(super) struct FilterTerms {
    words: Vec<Word>,
}

/// One word of a filter.
#[derive(Clone, Debug)]
struct Word {
    finder: Finder<'static>,
    /// The troubles that this word names, indexed by [`Trouble`].
    troubles: [bool; 5],
    /// The number that the word is a prefix of.
    number: Option<NumberPrefix>,
}

/// A partly typed number: its digits without the decimal point, and the power of ten to divide them by.
#[derive(Copy, Clone, Debug)]
struct NumberPrefix {
    digits: f64,
    scale: f64,
}

impl NumberPrefix {
    /// Parses a word as the beginning of a number. Words with too many digits to be a reading are rejected.
    fn of(word: &str) -> Option<NumberPrefix> {
        let digits = word.bytes().filter(u8::is_ascii_digit).count();
        let is_plain = word.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-'));
        if digits == 0 || digits > 15 || !is_plain {
            return None;
        }
        let number: f64 = word.parse().ok().filter(|number: &f64| number.is_finite())?;
        let decimals = word.split_once('.').map_or(0, |(_, decimals)| decimals.len());
        let scale = 10f64.powi(decimals as i32);
        Some(NumberPrefix { digits: (number * scale).round(), scale })
    }

    /// Whether the number, truncated or rounded to as many decimals, has these digits.
    fn begins(self, number: f64) -> bool {
        let scaled = number * self.scale;
        scaled.trunc() == self.digits || scaled.round() == self.digits
    }
}

impl FilterTerms {
    /// Parses a filter that is already in lower case.
    pub(super) fn of(filter: &str, words: &DeviceWords) -> FilterTerms {
        let folded = |trouble: Trouble| folded_name(words.trouble(trouble));
        let all = [Trouble::Silent, Trouble::Offline, Trouble::Faulty, Trouble::Unknown, Trouble::None];
        let all = all.map(folded);
        let asked = |word: &str| Word {
            finder: Finder::new(word).into_owned(),
            troubles: std::array::from_fn(|at| all[at].contains(word)),
            number: NumberPrefix::of(word),
        };
        FilterTerms { words: filter.split_whitespace().map(asked).collect() }
    }

    /// Whether the filter is empty.
    pub(super) fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Whether any word could be a number.
    pub(super) fn has_numbers(&self) -> bool {
        self.words.iter().any(|word| word.number.is_some())
    }
}

impl Entry {
    /// `by` is the sort key that the same device had before.
    pub(super) fn new(fresh: NewEntry, by: Option<SortedBy>) -> Entry {
        let NewEntry { id, name, kind, local, metrics, trouble, since, choice, .. } = fresh;
        let own = choice.as_ref().map_or("", |choice| choice.name.as_str());
        let title = [own, &name, id.as_str()].into_iter().find(|name| !name.is_empty()).unwrap_or("");
        let has_words = metrics.iter().any(|metric| metric.kind != MetricType::Number);
        let titles: Vec<String> = metrics.iter().map(|metric| folded_name(&metric.title)).collect();
        let units = metrics.iter().map(|metric| folded_name(&metric.unit)).collect::<Vec<_>>();
        let metrics: Vec<MetricName> = metrics.iter().map(|metric| metric.name.clone()).collect();
        let group = choice.as_ref().map_or("", |choice| choice.group.as_str());
        let mut text: Vec<String> = [title, &name, id.as_str(), &kind, group].map(folded_name).to_vec();
        text.extend(metrics.iter().map(|name| folded_name(name.as_str())));
        text.extend(titles);
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
            folded_values: String::new(),
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

    /// Whether it is pinned.
    pub(super) fn is_pinned(&self) -> bool {
        self.choice.as_ref().is_some_and(|choice| choice.pinned)
    }

    /// Whether the person has hidden it.
    pub(super) fn is_hidden(&self) -> bool {
        self.choice.as_ref().is_some_and(|choice| choice.hidden)
    }

    /// The person's group for it; empty if none.
    pub(super) fn group(&self) -> &str {
        self.choice.as_ref().map_or("", |choice| choice.group.as_str())
    }

    /// Whether the entry is still accurate for the device, apart from its status and settings.
    pub(super) fn is_of(&self, device: &Device) -> bool {
        self.id == device.spec.id
            && self.name == device.spec.name
            && self.kind == device.spec.kind
            && self.metrics.len() == device.latest.len()
    }

    /// Takes over the device's status.
    pub(super) fn now(&mut self, device: &Device, status: Status) {
        let trouble = Trouble::of(status, device.failing > 0);
        self.changed |= (self.trouble, self.since) != (trouble, device.since);
        (self.trouble, self.since) = (trouble, device.since);
    }

    /// Copies the values needed. The model is locked here, so nothing is derived from them yet.
    pub(super) fn copy_values(&mut self, device: &Device, need: &NeededValues) {
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
                .filter(|latest| latest.received > WallMs(0) && latest.metric.kind != MetricType::Number)
        };
        if !wanted().map(|latest| &latest.value).eq(self.values.iter().map(|(_, value)| value)) {
            self.values.clear();
            self.values.extend(wanted().map(|latest| (latest.metric.clone(), latest.value.clone())));
            self.stale = true;
        }
    }

    /// Derives the searchable text from the copied values.
    pub(super) fn fold_values(&mut self, words: &Words) {
        if !std::mem::take(&mut self.stale) {
            return;
        }
        self.folded_values.clear();
        for (metric, value) in &self.values {
            match value {
                Value::Text(text) => {
                    self.folded_values
                        .push_str(&folded_name(&text[..text.floor_char_boundary(MAX_SEARCHED_BYTES)]));
                }
                value => self.folded_values.push_str(&folded_name(&value::reading(words, metric, value))),
            }
            self.folded_values.push('\n');
        }
    }

    /// The sort key in effect.
    pub(super) fn sorted_by(&self) -> SortedBy {
        self.by
    }

    /// Whether its sort key is out of date because the order is held.
    pub(super) fn is_held(&self) -> bool {
        self.by != (self.trouble, self.since)
    }

    /// Updates the sort key. Returns whether its position may have changed.
    pub(super) fn settle(&mut self, view: &View) -> bool {
        let (trouble, since) = std::mem::replace(&mut self.by, (self.trouble, self.since));
        let by_status = view.sort == Sort::Trouble || view.grouping == Grouping::Status;
        (by_status && trouble != self.trouble) || (view.sort == Sort::Changed && since != self.since)
    }

    /// Whether it matches every word of the filter.
    pub(super) fn has(&self, asked: &FilterTerms) -> bool {
        let trouble = self.by.0;
        asked.words.iter().all(|word| {
            word.troubles[trouble as usize]
                // A faulty device is still online.
                || (trouble == Trouble::Faulty && word.troubles[Trouble::None as usize])
                || word.finder.find(self.text.as_bytes()).is_some()
                || word.finder.find(self.folded_values.as_bytes()).is_some()
                || word.number.is_some_and(|begun| self.numbers.iter().any(|number| begun.begins(*number)))
        })
    }

    /// Order of two entries in the list.
    pub(super) fn order(&self, other: &Entry, view: &View) -> Ordering {
        let group = || match view.grouping {
            _ if self.is_pinned() || other.is_pinned() => other.is_pinned().cmp(&self.is_pinned()),
            Grouping::None => Ordering::Equal,
            // Devices without a group come last.
            Grouping::Own => {
                let (one, two) = (self.group(), other.group());
                (one.is_empty(), one).cmp(&(two.is_empty(), two))
            }
            // Devices without a kind come last.
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
                    // Devices without a value come last, also in reverse order.
                    (one, two) => return group().then(one.cmp(&two)).then_with(name),
                }
            }
        };
        let key = if view.reversed { key.reverse() } else { key };
        group().then(key).then_with(name)
    }

    /// Whether both belong under the same heading.
    pub(super) fn is_beside(&self, other: &Entry, grouping: Grouping) -> bool {
        match grouping {
            _ if self.is_pinned() || other.is_pinned() => self.is_pinned() == other.is_pinned(),
            Grouping::None => true,
            Grouping::Own => self.group() == other.group(),
            Grouping::Kind => self.kind == other.kind,
            Grouping::Status => self.by.0 == other.by.0,
        }
    }

    /// The trouble under whose heading it is listed.
    pub(super) fn group_trouble(&self) -> Trouble {
        self.by.0
    }
}

/// A metric's latest value, if it is a number.
fn number(latest: &Latest) -> Option<f64> {
    let is_number = latest.metric.kind == MetricType::Number && latest.received > WallMs(0);
    latest.value.as_chart().filter(|_| is_number)
}

/// Compares two values; numbers sort before text.
fn compared(one: &Value, other: &Value) -> Ordering {
    match (one.as_chart(), other.as_chart()) {
        (Some(nearest), Some(others)) => {
            // Distinct integers may round to the same f64.
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

/// A name as a sort key: lower case, and each number prefixed with its digit count, so that 9 sorts before
/// 10.
fn in_order(title: &str) -> String {
    let lower = folded_name(title);
    let mut out = String::with_capacity(lower.len() + 4);
    let mut rest = lower.as_str();
    while let Some(first) = rest.chars().next() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        if digits > 0 {
            let number = rest[..digits].trim_start_matches('0');
            // Names have at most 64 characters, so the prefix stays within ASCII; anything longer merely
            // sorts oddly.
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
    fn a_number_is_found_by_its_first_digits() {
        let finds =
            |word: &str, number: f64| NumberPrefix::of(word).is_some_and(|begun| begun.begins(number));
        for (word, number) in [("42.5", 42.5), ("42.5", 42.46), ("42", 42.9), ("42", 42.0), ("-3", -3.4)] {
            assert!(finds(word, number), "{word} {number}");
        }
        for (word, number) in [("42.5", 42.6), ("42", 420.0), ("42", 41.0), ("3", -3.4), ("1e3", 1_000.0)] {
            assert!(!finds(word, number), "{word} {number}");
        }
        for word in ["", "a1", "1.2.3", "inf", "nan", "12345678901234567"] {
            assert!(NumberPrefix::of(word).is_none(), "{word}");
        }
    }

    #[test]
    fn numbers_in_names_are_sorted_by_size() {
        let mut names = ["Pump 10", "pump 9", "Pump 009b", "온실 12번", "온실 3번", "Pump"];
        names.sort_by_key(|name| in_order(name));
        assert_eq!(names, ["Pump", "pump 9", "Pump 009b", "Pump 10", "온실 3번", "온실 12번"]);
    }
}
