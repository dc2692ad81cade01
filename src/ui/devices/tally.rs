//! [`Tally`]: counts how many devices of a connection have each metric.

use std::collections::HashMap;

use crate::model::device::{Metric, MetricName, MetricType};

/// Number of devices by metric.
#[derive(Default)]
pub(super) struct Tally {
    counts: HashMap<MetricName, (usize, MetricType)>,
    /// Sorted by number of devices, most frequent first; built on demand.
    sorted: Vec<(MetricName, usize, MetricType)>,
    is_sorted: bool,
}

impl Tally {
    /// Adds a device's metrics.
    pub(super) fn add<'a>(&mut self, metrics: impl Iterator<Item = &'a Metric>) {
        for metric in metrics {
            let (count, kind) = self.counts.entry(metric.name.clone()).or_insert((0, metric.kind));
            (*count, *kind) = (*count + 1, metric.kind);
        }
        self.is_sorted = false;
    }

    /// Removes a device's metrics.
    pub(super) fn remove<'a>(&mut self, metrics: impl Iterator<Item = &'a MetricName>) {
        for name in metrics {
            if let Some((count, _)) = self.counts.get_mut(name) {
                *count = count.saturating_sub(1);
                if *count == 0 {
                    self.counts.remove(name);
                }
            }
        }
        self.is_sorted = false;
    }

    /// All metrics with their number of devices, most frequent first.
    pub(super) fn sorted(&mut self) -> &[(MetricName, usize, MetricType)] {
        if !std::mem::replace(&mut self.is_sorted, true) {
            let all = self.counts.iter().map(|(name, (count, kind))| (name.clone(), *count, *kind));
            self.sorted = all.collect();
            self.sorted.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        }
        &self.sorted
    }

    /// Value type of a metric.
    pub(super) fn kind(&self, name: &str) -> Option<MetricType> {
        self.counts.get(name).map(|(_, kind)| *kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_common_metric_comes_first_and_unused_ones_are_removed() {
        let metric = |name: &str| Metric::new(MetricName::new(name).unwrap(), MetricType::Number);
        let (a, b, c) = (metric("a"), metric("b"), metric("c"));
        let mut tally = Tally::default();
        tally.add([&b, &c].into_iter());
        tally.add([&c, &a].into_iter());
        let names = |tally: &mut Tally| -> Vec<String> {
            tally.sorted().iter().map(|(name, count, _)| format!("{name} {count}")).collect()
        };
        assert_eq!(names(&mut tally), ["c 2", "a 1", "b 1"]);
        tally.remove([&c.name, &b.name].into_iter());
        assert_eq!(names(&mut tally), ["a 1", "c 1"]);
        assert_eq!(tally.kind("a"), Some(MetricType::Number));
        assert_eq!(tally.kind("b"), None);
    }
}
