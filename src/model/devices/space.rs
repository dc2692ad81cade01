//! [`Space`]: how much all devices of a connection hold together, and what each series may hold because of that.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::model::device::{METRICS, Metric, Spec};
use crate::model::series::Allowance;

/// Most devices of one connection; more are not taken.
pub(super) const DEVICES: usize = 100_000;
/// Most metrics of all devices of one connection; more are not taken.
const METRICS_IN_ALL: usize = 500_000;
/// Most attributes of one device, and most options of one metric.
const LIST: usize = 256;
/// Longest text in an announcement, in bytes.
const TEXT_BYTES: usize = 1_024;
/// So many different metrics are looked at to share one among devices of the same kind.
const SHARED: usize = 64;

/// How much is held in all.
#[derive(Clone, Debug)]
pub(super) struct Space {
    pub metrics: usize,
    pub series: usize,
    /// What one series may hold.
    pub allowance: Allowance,
    /// What the largest series may still hold: more than is allowed since others came, until [`Space::is_sweep_due`].
    swept: Allowance,
    /// What found no room: devices, metrics.
    pub left_out: u64,
    shared: VecDeque<Arc<Metric>>,
}

impl Default for Space {
    fn default() -> Self {
        Space {
            metrics: 0,
            series: 0,
            allowance: Allowance::FULL,
            swept: Allowance::FULL,
            left_out: 0,
            shared: VecDeque::new(),
        }
    }
}

impl Space {
    /// Whether a device that has so many metrics may have one more; if so it is counted.
    pub(super) fn take_metric(&mut self, of_device: usize) -> bool {
        let fits = of_device < METRICS && self.metrics < METRICS_IN_ALL;
        if fits {
            self.metrics += 1;
        } else {
            self.left_out += 1;
        }
        fits
    }

    /// Counts anew: so many metrics went and came, so many series.
    pub(super) fn recount(&mut self, metrics: (usize, usize), series: (usize, usize)) {
        self.metrics = self.metrics.saturating_sub(metrics.0) + metrics.1;
        self.series = self.series.saturating_sub(series.0) + series.1;
        self.allowance = Allowance::among(self.series);
    }

    /// Another series has its first number.
    pub(super) fn take_series(&mut self) {
        self.series += 1;
        self.allowance = Allowance::among(self.series);
    }

    /// Whether the series hold so much more than they may that all should let go of it. If so, they do now.
    pub(super) fn is_sweep_due(&mut self) -> bool {
        let is_due = self.allowance.raw < self.swept.raw * 3 / 4;
        if is_due || self.allowance.raw > self.swept.raw {
            self.swept = self.allowance;
        }
        is_due
    }

    /// The same metric as one allocation, if another device said it lately.
    pub(super) fn share(&mut self, metric: &Metric) -> Arc<Metric> {
        if let Some(known) = self.shared.iter().find(|known| ***known == *metric) {
            return known.clone();
        }
        let shared = Arc::new(metric.clone());
        if self.shared.len() == SHARED {
            self.shared.pop_front();
        }
        self.shared.push_back(shared.clone());
        shared
    }
}

/// Cuts an announcement down to what is shown of one.
pub(super) fn bound(spec: &mut Spec) {
    spec.metrics.truncate(METRICS);
    for metric in &mut spec.metrics {
        cut(&mut metric.unit, TEXT_BYTES);
        metric.options.truncate(LIST);
        metric.options.iter_mut().for_each(|option| cut(option, TEXT_BYTES));
        metric.options.shrink_to_fit();
    }
    spec.metrics.shrink_to_fit();
    for text in [&mut spec.name, &mut spec.kind, &mut spec.will] {
        cut(text, TEXT_BYTES);
    }
    while spec.attributes.len() > LIST {
        spec.attributes.pop_last();
    }
    spec.attributes.retain(|name, _| name.len() <= TEXT_BYTES);
    spec.attributes.values_mut().for_each(|text| cut(text, TEXT_BYTES));
}

/// Cuts a text that is longer than so many bytes, and shows that it was.
pub(super) fn cut(text: &mut String, bytes: usize) {
    if text.len() > bytes {
        text.truncate(text.floor_char_boundary(bytes));
        text.push('…');
    }
    text.shrink_to_fit();
}
