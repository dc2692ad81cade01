//! [`Merged`]: devices that the person says are one. It changes what the conventions have found: the parts of a device have
//! its id, and their metrics names that no other part uses. Nothing else is changed, so that a merge can be undone.

use std::collections::{BTreeMap, HashMap};

use super::change::{Change, There};
use super::text;
use crate::model::device::{DeviceId, METRICS, MetricName, Spec, Value};
use crate::model::mqtt::{MAX_MERGED, MergedDevices};

/// See the module.
#[derive(Default)]
pub(super) struct Merged {
    into: MergedDevices,
    wholes: HashMap<DeviceId, Whole>,
}

/// A device that has parts.
#[derive(Default)]
struct Whole {
    /// Itself among them, under its own id.
    parts: BTreeMap<DeviceId, Part>,
    told: Option<Box<Spec>>,
    there: There,
}

/// What was found of a part.
struct Part {
    spec: Spec,
    there: There,
    /// Its metrics, and what they are called in the whole.
    names: HashMap<MetricName, MetricName>,
}

impl Merged {
    /// `into`: a part of a part belongs to nothing.
    pub(super) fn new(into: &MergedDevices) -> Merged {
        let is_whole = |(part, whole): &(&DeviceId, &DeviceId)| part != whole && !into.contains_key(*whole);
        let into =
            into.iter().filter(is_whole).take(MAX_MERGED).map(|(part, whole)| (part.clone(), whole.clone()));
        let into: MergedDevices = into.collect();
        let wholes = into.values().map(|whole| (whole.clone(), Whole::default())).collect();
        Merged { into, wholes }
    }

    /// Whether a device is shown as a part of another.
    pub(super) fn is_part(&self, device: &DeviceId) -> bool {
        self.into.contains_key(device)
    }

    /// The device and the metric that a metric of a device stands for.
    pub(super) fn target(&self, device: &DeviceId, metric: &MetricName) -> (DeviceId, MetricName) {
        let found = self.wholes.get(device).and_then(|whole| {
            whole.parts.iter().find_map(|(id, part)| {
                let (own, _) = part.names.iter().find(|(_, name)| *name == metric)?;
                Some((id.clone(), own.clone()))
            })
        });
        found.unwrap_or_else(|| (device.clone(), metric.clone()))
    }

    /// What changed, with the merged devices as one.
    pub(super) fn apply(&mut self, changes: Vec<Change>) -> Vec<Change> {
        if self.into.is_empty() {
            return changes;
        }
        let mut out = Vec::with_capacity(changes.len());
        for change in changes {
            self.one(change, &mut out);
        }
        out
    }

    fn one(&mut self, change: Change, out: &mut Vec<Change>) {
        let device = match &change {
            Change::Described(spec) => &spec.id,
            Change::Gone(device)
            | Change::Presence { device, .. }
            | Change::Silent { device, .. }
            | Change::Readings { device, .. } => device,
            Change::Publish(_) | Change::Refused { .. } => return out.push(change),
        };
        let id = self.into.get(device).unwrap_or(device).clone();
        let Some(whole) = self.wholes.get_mut(&id) else { return out.push(change) };
        match change {
            Change::Described(spec) => {
                let part = spec.id.clone();
                let there = whole.parts.get(&part).map_or(There::Unknown, |part| part.there.clone());
                whole.parts.insert(part, Part { spec: *spec, there, names: HashMap::new() });
                whole.tell(&id, out);
            }
            Change::Gone(part) => {
                whole.parts.remove(&part);
                if whole.parts.is_empty() {
                    *whole = Whole::default();
                    out.push(Change::Gone(id));
                } else {
                    whole.tell(&id, out);
                }
            }
            Change::Presence { device, there } => whole.presence(&id, &device, there, out),
            // The values of the other parts are live again with their next reading.
            Change::Silent { since, .. } => out.push(Change::Silent { device: id, since }),
            Change::Readings { device, at, replayed, values } => {
                let values = whole.renamed(&device, values);
                out.push(Change::Readings { device: id, at, replayed, values });
            }
            Change::Publish(_) | Change::Refused { .. } => {}
        }
    }
}

impl Whole {
    /// Tells its description and presence, where they changed.
    fn tell(&mut self, id: &DeviceId, out: &mut Vec<Change>) {
        let spec = self.spec(id);
        if self.told.as_deref() != Some(&spec) {
            self.told = Some(Box::new(spec.clone()));
            out.push(Change::Described(Box::new(spec)));
        }
        self.tell_presence(id, out);
    }

    fn tell_presence(&mut self, id: &DeviceId, out: &mut Vec<Change>) {
        let there = self.there();
        if there != self.there {
            self.there = there.clone();
            out.push(Change::Presence { device: id.clone(), there });
        }
    }

    fn presence(&mut self, id: &DeviceId, part: &DeviceId, there: There, out: &mut Vec<Change>) {
        let Some(known) = self.parts.get_mut(part) else { return };
        known.there = there.clone();
        if matches!(there, There::Offline(_)) && !matches!(self.there(), There::Offline(_)) {
            // The part's values must not pass for live ones.
            self.there = there.clone();
            out.push(Change::Presence { device: id.clone(), there });
        }
        self.tell_presence(id, out);
    }

    /// Whether it is there: one of its parts is enough.
    fn there(&self) -> There {
        let rank = |there: &There| match there {
            There::Online => 0,
            There::Asleep => 1,
            There::Unknown => 2,
            There::Offline(_) => 3,
        };
        let all = self.parts.values().map(|part| &part.there);
        all.min_by_key(|there| rank(there)).cloned().unwrap_or_default()
    }

    /// Describes it, and names the metrics of its parts. Its own come first.
    fn spec(&mut self, id: &DeviceId) -> Spec {
        let own = self.parts.get(id).or_else(|| self.parts.values().next());
        let mut spec = own.map_or_else(|| Spec::unannounced(id.clone()), |part| part.spec.clone());
        spec.id = id.clone();
        spec.metrics.clear();
        let mut parts: Vec<(&DeviceId, &mut Part)> = self.parts.iter_mut().collect();
        parts.sort_by_key(|(part, _)| *part != id);
        for (_, part) in parts {
            part.names.clear();
            let title = part.spec.title().to_owned();
            for metric in &part.spec.metrics {
                let is_taken = |name: &MetricName| spec.metrics.iter().any(|known| known.name == *name);
                let Some(name) = free_name(&metric.name, &title, is_taken) else { continue };
                if spec.metrics.len() >= METRICS {
                    break;
                }
                part.names.insert(metric.name.clone(), name.clone());
                let mut metric = metric.clone();
                metric.name = name;
                spec.metrics.push(metric);
            }
            for (name, text) in &part.spec.attributes {
                spec.attributes.entry(name.clone()).or_insert_with(|| text.clone());
            }
        }
        spec
    }

    fn renamed(&self, part: &DeviceId, values: Vec<(MetricName, Value)>) -> Vec<(MetricName, Value)> {
        let Some(part) = self.parts.get(part) else { return Vec::new() };
        let name = |(name, value): (MetricName, Value)| Some((part.names.get(&name)?.clone(), value));
        values.into_iter().filter_map(name).collect()
    }
}

/// A name for a part's metric that no other part uses.
fn free_name(wanted: &MetricName, part: &str, is_taken: impl Fn(&MetricName) -> bool) -> Option<MetricName> {
    if !is_taken(wanted) {
        return Some(wanted.clone());
    }
    let long = format!("{wanted} ({part})");
    let numbered = (2..=METRICS).map(|number| format!("{wanted} {number}"));
    std::iter::once(long).chain(numbered).filter_map(|name| text::short(&name)).find(|name| !is_taken(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::device::{Metric, MetricType};

    fn id(text: &str) -> DeviceId {
        DeviceId::new(text).unwrap()
    }

    fn described(device: &str, metrics: &[&str]) -> Change {
        let metrics = metrics.iter().map(|name| Metric::new(id(name), MetricType::Number)).collect();
        Change::Described(Box::new(Spec { metrics, ..Spec::unannounced(id(device)) }))
    }

    fn reading(device: &str, metric: &str, number: f64) -> Change {
        let values = vec![(id(metric), Value::Number(number))];
        Change::Readings { device: id(device), at: None, replayed: false, values }
    }

    fn presence(device: &str, there: There) -> Change {
        Change::Presence { device: id(device), there }
    }

    fn merged() -> Merged {
        Merged::new(&[(id("relay"), id("pump")), (id("meter"), id("pump"))].into())
    }

    #[test]
    fn parts_are_one_device_and_no_reading_takes_the_place_of_another() {
        let mut merged = merged();
        let out = merged.apply(vec![
            described("relay", &["power", "on"]),
            described("pump", &["power"]),
            described("other", &["power"]),
        ]);
        assert_eq!(
            out,
            [
                described("pump", &["power", "on"]),
                described("pump", &["power", "power (relay)", "on"]),
                described("other", &["power"]),
            ]
        );
        let out = merged.apply(vec![
            reading("relay", "power", 1.0),
            reading("pump", "power", 2.0),
            reading("relay", "on", 3.0),
            reading("other", "power", 4.0),
        ]);
        assert_eq!(
            out,
            [
                reading("pump", "power (relay)", 1.0),
                reading("pump", "power", 2.0),
                reading("pump", "on", 3.0),
                reading("other", "power", 4.0),
            ]
        );
    }

    #[test]
    fn a_command_goes_to_the_part_that_has_the_property() {
        let mut merged = merged();
        merged.apply(vec![described("relay", &["power"]), described("pump", &["power"])]);
        let target = |device: &str, metric: &str| merged.target(&id(device), &id(metric));
        assert_eq!(target("pump", "power (relay)"), (id("relay"), id("power")));
        assert_eq!(target("pump", "power"), (id("pump"), id("power")));
        assert_eq!(target("other", "power"), (id("other"), id("power")));
    }

    #[test]
    fn a_device_is_there_while_a_part_is_and_a_part_that_leaves_is_told() {
        let mut merged = merged();
        merged.apply(vec![described("relay", &["on"]), described("pump", &["power"])]);
        let offline = || There::Offline("lost".into());
        assert_eq!(merged.apply(vec![presence("relay", There::Online)]), [presence("pump", There::Online)]);
        assert_eq!(
            merged.apply(vec![presence("pump", offline())]),
            [presence("pump", offline()), presence("pump", There::Online)]
        );
        assert_eq!(merged.apply(vec![presence("relay", offline())]), [presence("pump", offline())]);
        assert_eq!(
            merged.apply(vec![Change::Gone(id("relay")), Change::Gone(id("pump"))]),
            [described("pump", &["power"]), Change::Gone(id("pump"))]
        );
    }

    #[test]
    fn what_cannot_be_merged_is_left_as_it_is() {
        let circle: MergedDevices = [(id("a"), id("b")), (id("b"), id("a")), (id("c"), id("c"))].into();
        let mut merged = Merged::new(&circle);
        for device in ["a", "b", "c"] {
            assert!(!merged.is_part(&id(device)));
            assert_eq!(merged.apply(vec![described(device, &["x"])]), [described(device, &["x"])]);
        }
    }
}
