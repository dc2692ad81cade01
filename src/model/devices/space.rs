//! [`Space`]: the memory used by all devices of a connection, and the resulting allowance of each series.
//! Counted incrementally, never by visiting everything.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::model::device::{METRICS, Metric, Spec};
use crate::model::series::Allowance;

/// Maximum number of devices of a connection; more are ignored.
pub(super) const MAX_DEVICES: usize = 100_000;
/// Maximum number of metrics of all devices of a connection; more are ignored.
const MAX_METRICS_IN_ALL: usize = 500_000;
/// Maximum size of all devices of a connection, in bytes. Beyond it, devices are ignored and texts truncated.
const MAX_BYTES: usize = 48 * 1024 * 1024;
/// Maximum number of attributes of a device, and of options of a metric.
const MAX_LIST_ITEMS: usize = 256;
/// Maximum length of a text in an announcement, in bytes.
const MAX_TEXT_BYTES: usize = 1_024;
/// Maximum length of a text when space is short, in bytes.
pub(super) const MAX_TIGHT_BYTES: usize = 64;
/// Number of recent distinct metrics kept to be shared among devices of the same kind.
const MAX_SHARED: usize = 64;

/// Counters of the memory in use.
#[derive(Clone, Debug)]
pub(super) struct Space {
    device_bytes: usize,
    metric_bytes: usize,
    devices: usize,
    pub metrics: usize,
    pub series: usize,
    /// Size of all texts, in bytes.
    texts: usize,
    /// Allowance of a series.
    pub allowance: Allowance,
    /// What the largest series may still hold. Exceeds the allowance after more series were added, until
    /// [`Space::is_sweep_due`].
    swept: Allowance,
    /// Number of devices and metrics dropped for lack of space.
    pub left_out: u64,
    shared: VecDeque<Arc<Metric>>,
}

impl Space {
    /// Empty. Takes the approximate sizes of a device without metrics and texts, and of a metric without
    /// texts, in bytes.
    pub(super) fn new(device_bytes: usize, metric_bytes: usize) -> Space {
        Space {
            device_bytes,
            metric_bytes,
            devices: 0,
            metrics: 0,
            series: 0,
            texts: 0,
            allowance: Allowance::FULL,
            swept: Allowance::FULL,
            left_out: 0,
            shared: VecDeque::new(),
        }
    }

    /// Approximate size of everything, in bytes. Points of series beyond the minimum have their own bound.
    fn bytes(&self) -> usize {
        self.devices * self.device_bytes + self.metrics * self.metric_bytes + self.texts
    }

    /// Whether only the minimum is still stored.
    pub(super) fn is_full(&self) -> bool {
        self.bytes() >= MAX_BYTES
    }

    /// Counts a new device, if there is space for it. Returns whether there was.
    pub(super) fn take_device(&mut self) -> bool {
        let fits = self.devices < MAX_DEVICES && self.bytes() + self.device_bytes <= MAX_BYTES;
        if fits {
            self.devices += 1;
        } else {
            self.left_out += 1;
        }
        fits
    }

    /// A device was removed.
    pub(super) fn give_device(&mut self) {
        self.devices = self.devices.saturating_sub(1);
    }

    /// Replaces `gone` bytes of texts by `came` bytes.
    pub(super) fn recount_texts(&mut self, gone: usize, came: usize) {
        self.texts = (self.texts + came).saturating_sub(gone);
    }

    /// Counts a new metric of a device with `of_device` metrics, if there is space. Returns whether there
    /// was.
    pub(super) fn take_metric(&mut self, of_device: usize) -> bool {
        let fits = of_device < METRICS
            && self.metrics < MAX_METRICS_IN_ALL
            && self.bytes() + self.metric_bytes <= MAX_BYTES;
        if fits {
            self.metrics += 1;
        } else {
            self.left_out += 1;
        }
        fits
    }

    /// Replaces metrics and series: each pair has the old and the new number.
    pub(super) fn recount(&mut self, metrics: (usize, usize), series: (usize, usize)) {
        self.metrics = self.metrics.saturating_sub(metrics.0) + metrics.1;
        self.series = self.series.saturating_sub(series.0) + series.1;
        self.allowance = Allowance::among(self.series);
    }

    /// Counts a new series.
    pub(super) fn take_series(&mut self) {
        self.series += 1;
        self.allowance = Allowance::among(self.series);
    }

    /// Whether the series exceed their allowance by so much that all should be trimmed. If so, assumes that
    /// they will be.
    pub(super) fn is_sweep_due(&mut self) -> bool {
        let is_due = self.allowance.raw < self.swept.raw * 3 / 4;
        if is_due || self.allowance.raw > self.swept.raw {
            self.swept = self.allowance;
        }
        is_due
    }

    /// A shared allocation of the metric, if another device announced an equal one recently.
    pub(super) fn share(&mut self, metric: &Metric) -> Arc<Metric> {
        if let Some(known) = self.shared.iter().find(|known| ***known == *metric) {
            return known.clone();
        }
        let shared = Arc::new(metric.clone());
        if self.shared.len() == MAX_SHARED {
            self.shared.pop_front();
        }
        self.shared.push_back(shared.clone());
        shared
    }
}

/// Truncates an announcement to the general limits.
pub(super) fn bound(spec: &mut Spec) {
    spec.metrics.truncate(METRICS);
    for metric in &mut spec.metrics {
        for text in [&mut metric.unit, &mut metric.icon, &mut metric.note] {
            cut(text, MAX_TEXT_BYTES);
        }
        metric.options.truncate(MAX_LIST_ITEMS);
        metric.options.iter_mut().for_each(|option| cut(option, MAX_TEXT_BYTES));
        metric.options.shrink_to_fit();
    }
    spec.metrics.shrink_to_fit();
    for text in [&mut spec.name, &mut spec.kind, &mut spec.will] {
        cut(text, MAX_TEXT_BYTES);
    }
    while spec.attributes.len() > MAX_LIST_ITEMS {
        spec.attributes.pop_last();
    }
    spec.attributes.retain(|name, _| name.len() <= MAX_TEXT_BYTES);
    spec.attributes.values_mut().for_each(|text| cut(text, MAX_TEXT_BYTES));
}

/// Truncates an announcement to the minimum, for when space is short.
pub(super) fn bound_tightly(spec: &mut Spec) {
    spec.attributes.clear();
    for text in [&mut spec.name, &mut spec.kind, &mut spec.will] {
        cut(text, MAX_TIGHT_BYTES);
    }
    for metric in &mut spec.metrics {
        cut(&mut metric.unit, MAX_TIGHT_BYTES);
        (metric.icon, metric.note) = (String::new(), String::new());
        metric.options = Vec::new();
    }
}

/// Truncates a text to a number of bytes, with an ellipsis.
pub(super) fn cut(text: &mut String, bytes: usize) {
    if text.len() > bytes {
        text.truncate(text.floor_char_boundary(bytes));
        text.push('…');
    }
    text.shrink_to_fit();
}
