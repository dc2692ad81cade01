//! [`Shown`]: one reading as a row, a table's cell or a card shows it: its name, its value with a steady number of
//! decimals, and the room that its value needs.

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

/// Of so many of the newest points the decimals are looked at, when a reading is first shown.
const LOOKED_AT: usize = 32;
/// Maximum number of significant digits where the metric does not say how many mean something.
const MAX_DIGITS: i32 = 6;
/// Maximum number of characters of a text.
const TEXT_CHARS: usize = 80;
/// Room for a value grows in such steps, in points, so that the name before it is seldom cut anew.
const STEP: f32 = 8.0;

/// One reading.
#[derive(Debug)]
pub(super) struct Shown {
    metric: Arc<Metric>,
    /// The same with as many decimals as are shown.
    steady: Arc<Metric>,
    value: Value,
    /// Whether it came as it was said.
    pub(super) live: bool,
    /// Whether it is a number.
    pub(super) is_number: bool,
    /// Whether a sensor failed.
    pub(super) failing: bool,
    /// The metric's name.
    pub(super) name: String,
    /// The same laid out.
    pub(super) name_cut: Cut,
    /// The value with its unit.
    pub(super) text: String,
    stale_text: bool,
    /// Laid out, with the number that the layout is good for.
    galley: Option<(u64, Arc<Galley>)>,
    /// The widest value so far.
    room: f32,
}

impl Shown {
    pub(super) fn of(latest: &Latest) -> Shown {
        let decimals = match latest.metric.kind {
            MetricType::Number if latest.metric.precision.is_none() => {
                Some(decimals_of(latest.series.raw().rev().take(LOOKED_AT)))
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

    /// Takes over what changed. The model is locked: nothing is formatted here.
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

    /// Makes texts of what changed.
    pub(super) fn prepare(&mut self, words: &Words, device: &str) {
        if std::mem::take(&mut self.stale_text) {
            if let (Some(shown), Some(number)) = (self.steady.precision, self.value.as_chart())
                && self.is_number
                && self.metric.precision.is_none()
                && decimals(number) > shown
            {
                // From now on it has as many, so that its digits stay where they are.
                self.steady = with_decimals(&self.metric, Some(decimals(number)));
            }
            self.text = match &self.value {
                Value::Text(text) => harmless::line(text, TEXT_CHARS),
                value => value::reading(words, &self.steady, value),
            };
            self.galley = None;
        }
        if self.name.is_empty() {
            self.name = metric_name(words, device, self.metric.name.as_str());
        }
    }

    /// The value laid out, its digits all of one width.
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

    /// Room for every value so far, in points.
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

/// The most decimals that any of these has.
fn decimals_of(points: impl Iterator<Item = Point>) -> u8 {
    points.filter(|point| point.value.is_finite()).map(|point| decimals(point.value)).max().unwrap_or(0)
}

/// How many decimals a number has, without the dust of binary fractions.
fn decimals(number: f64) -> u8 {
    let size = number.abs();
    if size == 0.0 || !size.is_finite() {
        return 0;
    }
    let whole = size.log10().floor() as i32 + 1;
    let most = (MAX_DIGITS - whole.max(0)).clamp(0, MAX_DIGITS);
    (0..most).find(|digits| is_whole(size * 10f64.powi(*digits), most - digits)).unwrap_or(most) as u8
}

/// Whether nothing is left behind the point, as far as `finer` more digits would show.
fn is_whole(number: f64, finer: i32) -> bool {
    (number - number.round()).abs() < 0.5 * 10f64.powi(-finer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_as_many_decimals_as_it_was_given() {
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
