//! View settings of the device list: sort order, grouping, filter and layout.

use crate::model::device::{DeviceId, MetricName, Status};
use crate::model::id::ConnectionId;
use crate::model::panes::DeviceLayout;
use crate::ui::text::devices::{Counts, DeviceWords};
use crate::ui::theme::Rhythm;

/// The sort order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Sort {
    /// Most urgent trouble first.
    #[default]
    Trouble,
    /// By name, with numbers compared by value.
    Name,
    /// Most recent status change first.
    Changed,
    /// By kind.
    Kind,
    /// By the latest value of a metric; devices without one come last.
    Metric(MetricName),
}

/// The grouping.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Grouping {
    /// By the person's groups; ungrouped if there are none.
    #[default]
    Own,
    /// Ungrouped.
    None,
    /// By kind.
    Kind,
    /// By status.
    Status,
}

/// The view settings.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct View {
    /// Sort order.
    pub(super) sort: Sort,
    /// Whether the sort order is reversed.
    pub(super) reversed: bool,
    /// Grouping.
    pub(super) grouping: Grouping,
    /// Filter text as typed.
    pub(super) filter: String,
    /// Whether hidden devices are listed too.
    pub(super) hidden_too: bool,
}

impl View {
    /// Sorts by this, or reverses the order if it is already in use.
    pub(super) fn sort_by(&mut self, sort: Sort) {
        self.reversed = self.sort == sort && !self.reversed;
        self.sort = sort;
    }
}

/// What is wrong with a device, most urgent first.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Trouble {
    /// Its readings are overdue.
    Silent,
    /// It went offline.
    Offline,
    /// It is online, but one of its sensors failed.
    Faulty,
    /// Its state is unknown at present.
    Unknown,
    /// Nothing is wrong.
    None,
}

impl Trouble {
    /// `failing`: whether any metric has no value because its sensor failed.
    pub(super) fn of(status: Status, failing: bool) -> Trouble {
        match status {
            Status::Silent => Trouble::Silent,
            Status::Offline => Trouble::Offline,
            Status::Unknown => Trouble::Unknown,
            Status::Online | Status::Asleep if failing => Trouble::Faulty,
            Status::Online | Status::Asleep => Trouble::None,
        }
    }
}

impl DeviceWords {
    /// The name of a trouble.
    pub(super) fn trouble(&self, trouble: Trouble) -> &'static str {
        match trouble {
            Trouble::Silent => (self.status)(Status::Silent),
            Trouble::Offline => (self.status)(Status::Offline),
            Trouble::Faulty => self.faulty,
            Trouble::Unknown => (self.status)(Status::Unknown),
            Trouble::None => (self.status)(Status::Online),
        }
    }

    /// The counts by trouble as text, most urgent first.
    pub(super) fn counts(&self, counts: &Counts) -> Vec<(String, Trouble)> {
        let all = [
            (counts.silent, Trouble::Silent),
            (counts.offline, Trouble::Offline),
            (counts.faulty, Trouble::Faulty),
            (counts.unknown, Trouble::Unknown),
            (counts.online, Trouble::None),
        ];
        let some = all.into_iter().filter(|(count, _)| *count > 0);
        some.map(|(count, trouble)| ((self.count)(self.trouble(trouble), count), trouble)).collect()
    }
}

/// Identifies a device across all connections.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct DeviceKey {
    /// Connection that the device belongs to.
    pub(super) connection: ConnectionId,
    /// Id of the device.
    pub(super) device: DeviceId,
}

/// How devices are laid out.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Shape {
    /// One line each.
    #[default]
    Rows,
    /// One table row each.
    Table,
    /// One card each.
    Cards,
}

/// The table is the default from this pane width on, in points.
const MIN_TABLE: f32 = 700.0;
/// Cards are the default from this pane width on, in points.
const MIN_CARDS: f32 = 1_600.0;
/// Minimum width of a card, in points.
const MIN_CARD: f32 = 320.0;

impl Shape {
    /// The chosen layout, or the default for a pane of this width, in points.
    pub(super) fn of(chosen: DeviceLayout, width: f32) -> Shape {
        match chosen {
            DeviceLayout::Rows => Shape::Rows,
            DeviceLayout::Table => Shape::Table,
            DeviceLayout::Cards => Shape::Cards,
            DeviceLayout::Auto if width >= MIN_CARDS => Shape::Cards,
            DeviceLayout::Auto if width >= MIN_TABLE => Shape::Table,
            DeviceLayout::Auto => Shape::Rows,
        }
    }
}

/// The grid on which devices are laid out.
#[derive(Copy, Clone, Debug, PartialEq)]
pub(super) struct Grid {
    /// Layout of a device.
    pub(super) shape: Shape,
    /// Number of devices side by side.
    pub(super) columns: usize,
    /// Spacing set by the density preference.
    pub(super) rhythm: &'static Rhythm,
}

impl Grid {
    /// For a pane of this width, in points.
    pub(super) fn of(shape: Shape, width: f32, rhythm: &'static Rhythm) -> Grid {
        let columns = match shape {
            Shape::Cards => ((width / MIN_CARD) as usize).max(1),
            Shape::Rows | Shape::Table => 1,
        };
        Grid { shape, columns, rhythm }
    }

    /// Height of a device, in points.
    pub(super) fn device(&self) -> f32 {
        if self.shape == Shape::Cards { self.rhythm.card } else { self.rhythm.device }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_layout_follows_the_width_unless_chosen() {
        let of = |width| Shape::of(DeviceLayout::Auto, width);
        assert_eq!(
            [400.0, 699.0, 700.0, 1_599.0, 1_600.0].map(of),
            [Shape::Rows, Shape::Rows, Shape::Table, Shape::Table, Shape::Cards]
        );
        assert_eq!(Shape::of(DeviceLayout::Rows, 2_000.0), Shape::Rows);
        assert_eq!(Shape::of(DeviceLayout::Cards, 300.0), Shape::Cards);
    }

    #[test]
    fn a_second_click_reverses_the_order() {
        let mut view = View::default();
        view.sort_by(Sort::Name);
        assert!(!view.reversed);
        view.sort_by(Sort::Name);
        assert!(view.reversed);
        view.sort_by(Sort::Kind);
        assert_eq!((view.sort, view.reversed), (Sort::Kind, false));
    }
}
