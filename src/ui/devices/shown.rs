//! [`Shown`]: one reading in a row, table cell or card: its name, its value with a stable number of decimals,
//! and the width that the value needs.

use std::sync::Arc;

use egui::{Galley, Ui};

use super::cut::Cut;
use super::rows::metric_name;
use crate::model::device::{Metric, MetricType, Value};
use crate::model::devices::Latest;
use crate::model::series::Point;
use crate::ui::digits::Digits;
use crate::ui::text::Words;
use crate::ui::{harmless, value};

/// Number of recent points inspected for their decimals when a reading is first shown.
const SAMPLED_POINTS: usize = 32;
/// Maximum number of significant digits if the metric does not specify its precision.
const MAX_DIGITS: i32 = 6;
/// Maximum number of characters of a text value.
const MAX_TEXT_CHARS: usize = 80;
/// The width reserved for a value grows in steps of this many points, so that the name before it is rarely
/// laid out again.
const STEP: f32 = 8.0;

/// A reading as shown.
#[derive(Debug)]
pub(super) struct Shown {
    metric: Arc<Metric>,
    /// The metric with the number of decimals in use.
    steady: Arc<Metric>,
    value: Value,
    /// Whether the value is live, not historical.
    pub(super) live: bool,
    /// Whether the value is a number.
    pub(super) is_number: bool,
    /// Whether the sensor failed.
    pub(super) failing: bool,
    /// Name of the metric.
    pub(super) name: String,
    /// Layout of `name`.
    pub(super) name_cut: Cut,
    /// The value with its unit.
    pub(super) text: String,
    stale_text: bool,
    /// Layout of `text`, with its generation.
    galley: Option<(u64, Arc<Galley>)>,
    /// Width of the widest value so far, in points.
    room: f32,
}

impl Shown {
    pub(super) fn of(latest: &Latest) -> Shown {
        let decimals = match latest.metric.kind {
            MetricType::Number if latest.metric.precision.is_none() => {
                Some(decimals_of(latest.series.raw().rev().take(SAMPLED_POINTS)))
            }
            _ => None,
        };
        Shown {
            metric: latest.metric.clone(),
            steady: with_decimals(&latest.metric, decimals),
            value: latest.value.clone(),
            live: latest.live,
            is_number: latest.metric.kind == MetricType::Number,
            failing: latest.is_failing(),
            name: String::new(),
            name_cut: Cut::default(),
            text: String::new(),
            stale_text: true,
            galley: None,
            room: 0.0,
        }
    }

    /// Copies what changed. The model is locked, so nothing is formatted here.
    pub(super) fn copy(&mut self, latest: &Latest) {
        self.live = latest.live;
        self.failing = latest.is_failing();
        if !Arc::ptr_eq(&self.metric, &latest.metric) && self.metric != latest.metric {
            *self = Shown::of(latest);
        } else if self.value != latest.value {
            self.value.clone_from(&latest.value);
            self.stale_text = true;
        }
    }

    /// Formats what changed.
    pub(super) fn prepare(&mut self, words: &Words, device: &str) {
        if std::mem::take(&mut self.stale_text) {
            if let (Some(shown), Some(number)) = (self.steady.precision, self.value.as_chart())
                && self.is_number
                && self.metric.precision.is_none()
                && decimals(number) > shown
            {
                // Keep this many decimals from now on, so that the digits do not jump.
                self.steady = with_decimals(&self.metric, Some(decimals(number)));
            }
            self.text = match &self.value {
                Value::Text(text) => harmless::line(text, MAX_TEXT_CHARS),
                value => value::reading(words, &self.steady, value),
            };
            self.galley = None;
        }
        if self.name.is_empty() {
            self.name = metric_name(words, device, self.metric.label());
        }
    }

    /// Layout of the value, with tabular digits.
    pub(super) fn value(&mut self, ui: &Ui, digits: &mut Digits, generation: u64) -> Arc<Galley> {
        if let Some((of, galley)) = &self.galley
            && *of == generation
        {
            return galley.clone();
        }
        let galley = digits.galley(ui, &self.text);
        let width = (galley.size().x / STEP).ceil() * STEP;
        self.room = self.room.max(width);
        self.galley = Some((generation, galley.clone()));
        galley
    }

    /// Width that fits every value so far, in points.
    pub(super) fn room(&self) -> f32 {
        self.room
    }
}

fn with_decimals(metric: &Arc<Metric>, decimals: Option<u8>) -> Arc<Metric> {
    match decimals {
        Some(decimals) => Arc::new(Metric { precision: Some(decimals), ..Metric::clone(metric) }),
        None => metric.clone(),
    }
}

/// The largest number of decimals among these points.
fn decimals_of(points: impl Iterator<Item = Point>) -> u8 {
    points.filter(|point| point.value.is_finite()).map(|point| decimals(point.value)).max().unwrap_or(0)
}

/// Number of decimals of a value, ignoring binary rounding errors.
fn decimals(number: f64) -> u8 {
    let size = number.abs();
    if size == 0.0 || !size.is_finite() {
        return 0;
    }
    let whole = size.log10().floor() as i32 + 1;
    let most = (MAX_DIGITS - whole.max(0)).clamp(0, MAX_DIGITS);
    (0..most).find(|digits| is_whole(size * 10f64.powi(*digits), most - digits)).unwrap_or(most) as u8
}

/// Whether the value is an integer within `finer` more digits of precision.
fn is_whole(number: f64, finer: i32) -> bool {
    (number - number.round()).abs() < 0.5 * 10f64.powi(-finer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_follow_the_number_as_sent() {
        for (number, count) in [
            (21.0, 0),
            (21.5, 1),
            (-21.25, 2),
            (0.1 + 0.2, 1),
            (1_013.25, 2),
            (123_456.7, 0),
            (0.001_23, 5),
            (1.0 / 3.0, 6),
            (0.0, 0),
            (f64::MAX, 0),
        ] {
            assert_eq!(decimals(number), count, "{number}");
        }
    }
}
