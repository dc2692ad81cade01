//! [`Part`]: a part of a frame of readings, so that a large frame is applied in slices and nobody waits long
//! for the model.

use super::device::{MetricName, Readings, Sample, Value};

/// Approximate number of values applied under the model's lock at a time. Takes well below 200 µs, so that a
/// frame of the window barely waits.
pub const SLICE_VALUES: usize = 512;

/// A part of a frame of readings: whole samples, in order.
#[derive(Copy, Clone, Debug)]
pub struct Part<'a> {
    /// The samples.
    pub samples: &'a [Sample],
    /// The values of these samples, concatenated.
    pub values: &'a [(MetricName, Value)],
    /// See [`Readings::conflated`]; the first part has the whole number.
    pub conflated: u64,
}

impl<'a> Part<'a> {
    /// The samples, each with its values.
    pub fn iter(&self) -> impl Iterator<Item = (&'a Sample, &'a [(MetricName, Value)])> + use<'a> {
        let mut rest = self.values;
        self.samples.iter().map(move |sample| {
            let (own, others) = rest.split_at((sample.count as usize).min(rest.len()));
            rest = others;
            (sample, own)
        })
    }
}

impl Readings {
    /// The whole frame as one part.
    pub fn whole(&self) -> Part<'_> {
        Part { samples: &self.samples, values: &self.values, conflated: self.conflated }
    }

    /// At least one part, each with about `values` values; a sample is never split.
    pub fn parts(&self, values: usize) -> impl Iterator<Item = Part<'_>> {
        let mut rest = Some(self.whole());
        std::iter::from_fn(move || {
            let whole = rest.take()?;
            let (mut samples, mut taken) = (0, 0);
            while samples < whole.samples.len() && (samples == 0 || taken < values) {
                taken = (taken + whole.samples[samples].count as usize).min(whole.values.len());
                samples += 1;
            }
            let (own, later) = whole.samples.split_at(samples);
            let (own_values, later_values) = whole.values.split_at(taken);
            if !later.is_empty() {
                rest = Some(Part { samples: later, values: later_values, conflated: 0 });
            }
            Some(Part { samples: own, values: own_values, conflated: whole.conflated })
        })
    }
}
