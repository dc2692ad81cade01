//! [`Space`]: how much all devices of a connection hold together, and what each series may hold because of that. It is
//! counted as things come and go, never by looking at everything.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::model::device::{METRICS, Metric, Spec};
use crate::model::series::Allowance;

/// Most devices of one connection; more are not taken.
pub(super) const DEVICES: usize = 100_000;
/// Most metrics of all devices of one connection; more are not taken.
const METRICS_IN_ALL: usize = 500_000;
/// Maximum number of bytes of all devices of one connection; what comes beyond is not taken, and texts are cut.
const MAX_BYTES: usize = 48 * 1024 * 1024;
/// Most attributes of one device, and most options of one metric.
const LIST: usize = 256;
/// Longest text in an announcement, in bytes.
const TEXT_BYTES: usize = 1_024;
/// Longest text where there is no room for longer ones, in bytes.
pub(super) const TIGHT_BYTES: usize = 64;
/// So many different metrics are looked at to share one among devices of the same kind.
const SHARED: usize = 64;

/// How much is held in all.
#[derive(Clone, Debug)]
pub(super) struct Space {
    device_bytes: usize,
    metric_bytes: usize,
    devices: usize,
    pub metrics: usize,
    pub series: usize,
    /// Bytes of all texts.
    texts: usize,
    /// What one series may hold.
    pub allowance: Allowance,
    /// What the largest series may still hold: more than is allowed since others came, until [`Space::is_sweep_due`].
    swept: Allowance,
    /// What found no room: devices, metrics.
    pub left_out: u64,
    shared: VecDeque<Arc<Metric>>,
}

impl Space {
    /// Nothing yet. What a device takes beside its metrics and texts, and what a metric takes beside its texts, about, in
    /// bytes.
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

    /// About how many bytes all of it takes; series beyond their least have a bound of their own.
    fn bytes(&self) -> usize {
        self.devices * self.device_bytes + self.metrics * self.metric_bytes + self.texts
    }

    /// Whether there is room for nothing more than what must be.
    pub(super) fn is_full(&self) -> bool {
        self.bytes() >= MAX_BYTES
    }

    /// Whether there may be one device more; if so it is counted.
    pub(super) fn take_device(&mut self) -> bool {
        let fits = self.devices < DEVICES && self.bytes() + self.device_bytes <= MAX_BYTES;
        if fits {
            self.devices += 1;
        } else {
            self.left_out += 1;
        }
        fits
    }

    /// A device is gone.
    pub(super) fn give_device(&mut self) {
        self.devices = self.devices.saturating_sub(1);
    }

    /// Counts texts anew: so many bytes went and came.
    pub(super) fn recount_texts(&mut self, gone: usize, came: usize) {
        self.texts = (self.texts + came).saturating_sub(gone);
    }

    /// Whether a device that has so many metrics may have one more; if so it is counted.
    pub(super) fn take_metric(&mut self, of_device: usize) -> bool {
        let fits = of_device < METRICS
            && self.metrics < METRICS_IN_ALL
            && self.bytes() + self.metric_bytes <= MAX_BYTES;
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

/// Cuts an announcement down to what must be shown of one, where there is no room for more.
pub(super) fn bound_tightly(spec: &mut Spec) {
    spec.attributes.clear();
    for text in [&mut spec.name, &mut spec.kind, &mut spec.will] {
        cut(text, TIGHT_BYTES);
    }
    for metric in &mut spec.metrics {
        cut(&mut metric.unit, TIGHT_BYTES);
        metric.options = Vec::new();
    }
}

/// Cuts a text that is longer than so many bytes, and shows that it was.
pub(super) fn cut(text: &mut String, bytes: usize) {
    if text.len() > bytes {
        text.truncate(text.floor_char_boundary(bytes));
        text.push('…');
    }
    text.shrink_to_fit();
}
