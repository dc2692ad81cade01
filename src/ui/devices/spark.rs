//! [`Spark`]: a sparkline of the recent values of a device's first numeric metric.

use egui::{Color32, Rect, Shape, Stroke, Ui, pos2};

use crate::model::devices::Latest;
use crate::model::series::Point;
use crate::model::time::WallMs;
use crate::ui::theme::size;

/// The line is interrupted where at least this many expected readings are missing.
const MIN_GAP_INTERVALS: i64 = 4;

/// A sparkline and the points it was made from.
#[derive(Debug, Default)]
pub(super) struct Spark {
    /// Points scaled to 0..=1; `.0` starts a new segment.
    line: Vec<(bool, f32, f32)>,
    of: (WallMs, usize),
    points: Vec<Point>,
    every_ms: i64,
    stale: bool,
}

impl Spark {
    /// Copies the points if they changed.
    pub(super) fn copy(&mut self, latest: &Latest, every_ms: i64) {
        let raw = latest.series.raw();
        let of = (latest.received, raw.len());
        self.every_ms = every_ms;
        if self.of != of {
            self.of = of;
            self.stale = true;
            self.points.clear();
            self.points.extend(raw);
        }
    }

    /// Removes the line: the device has no numeric metric.
    pub(super) fn clear(&mut self) {
        self.line.clear();
        self.of = (WallMs(0), 0);
    }

    /// Whether there is a line to draw.
    pub(super) fn is_line(&self) -> bool {
        self.line.len() > 1
    }

    /// Builds the line from the copied points: at most two points per pixel, the minimum and the maximum. A
    /// point that is not a number interrupts it.
    pub(super) fn prepare(&mut self) {
        if !std::mem::take(&mut self.stale) {
            return;
        }
        self.line.clear();
        let (Some(first), Some(last)) = (self.points.first().copied(), self.points.last().copied()) else {
            return;
        };
        let (mut low, mut high) = (f64::MAX, f64::MIN);
        for point in &self.points {
            low = low.min(point.value);
            high = high.max(point.value);
        }
        let span = (last.at - first.at).max(1) as f64;
        // Halved, since the difference of the two ends may overflow.
        let range = high / 2.0 - low / 2.0;
        // A constant value is a line in the middle.
        let y = |value: f64| if range > 0.0 { ((value / 2.0 - low / 2.0) / range) as f32 } else { 0.5 };
        let column = |point: &Point| ((point.at - first.at) as f64 / span * f64::from(size::SPARK.x)) as i32;
        let gap = if self.every_ms > 0 { self.every_ms.saturating_mul(MIN_GAP_INTERVALS) } else { i64::MAX };
        let mut rest = self.points.as_slice();
        let mut before = first.at;
        let mut ended = false;
        while let Some(begin) = rest.first() {
            if !begin.value.is_finite() {
                (ended, rest) = (true, &rest[1..]);
                continue;
            }
            let at = column(begin);
            let is_in = |point: &&Point| column(point) == at && point.value.is_finite();
            let count = rest.iter().take_while(is_in).count().max(1);
            let (own, others) = rest.split_at(count);
            let (low, high) = own.iter().fold((f64::MAX, f64::MIN), |(low, high), point| {
                (low.min(point.value), high.max(point.value))
            });
            let begins = std::mem::take(&mut ended) || self.line.is_empty() || begin.at - before > gap;
            let x = at as f32 / size::SPARK.x;
            self.line.push((begins, x, y(low)));
            if high > low {
                self.line.push((false, x, y(high)));
            }
            before = own.last().map_or(before, |point| point.at);
            rest = others;
        }
    }

    /// Draws the line.
    pub(super) fn paint(&self, ui: &Ui, area: Rect, colour: Color32) {
        if !self.is_line() {
            return;
        }
        let stroke = Stroke::new(1.25, colour);
        for part in self.line.chunk_by(|_, next| !next.0) {
            let points = part
                .iter()
                .map(|(_, x, y)| pos2(area.left() + x * area.width(), area.bottom() - y * area.height()));
            if part.len() > 1 {
                ui.painter().add(Shape::line(points.collect(), stroke));
            } else {
                for point in points {
                    ui.painter().circle_filled(point, 1.0, colour);
                }
            }
        }
    }
}
