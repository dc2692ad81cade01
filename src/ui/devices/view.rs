//! What a person wants to see of the devices: sorted, grouped, filtered, and how each is drawn.

use crate::model::device::{DeviceId, MetricName, Status};
use crate::model::id::ConnectionId;
use crate::model::panes::DeviceLayout;
use crate::ui::text::devices::{Counts, DeviceWords};
use crate::ui::theme::Rhythm;

/// What the list is sorted by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Sort {
    /// What needs a look first.
    #[default]
    Trouble,
    /// By name, numbers in them by their size.
    Name,
    /// What came, went or fell silent last first.
    Changed,
    /// By kind.
    Kind,
    /// By the last value of a metric; devices without one last.
    Metric(MetricName),
}

/// What the list is grouped by.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Grouping {
    /// By the person's own groups; not at all where there is none.
    #[default]
    Own,
    /// Not at all.
    None,
    /// By what kind of thing it is.
    Kind,
    /// By status.
    Status,
}

/// What the person wants to see.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct View {
    /// In which order.
    pub(super) sort: Sort,
    /// The order turned round.
    pub(super) reversed: bool,
    /// Under which headings.
    pub(super) grouping: Grouping,
    /// As typed.
    pub(super) filter: String,
    /// Devices that the person has hidden are listed too.
    pub(super) hidden_too: bool,
}

impl View {
    /// Sorts by this; if it is sorted so already, the other way round.
    pub(super) fn sort_by(&mut self, sort: Sort) {
        self.reversed = self.sort == sort && !self.reversed;
        self.sort = sort;
    }
}

/// What a device needs, the most urgent first.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Trouble {
    /// It says nothing although it should.
    Silent,
    /// It said that it goes.
    Offline,
    /// It speaks, and a sensor of it failed.
    Faulty,
    /// Nothing is known of it now.
    Unknown,
    /// Nothing.
    None,
}

impl Trouble {
    /// Of a device with this status; `failing`: it has a metric without a value.
    pub(super) fn of(status: Status, failing: bool) -> Trouble {
        match status {
            Status::Silent => Trouble::Silent,
            Status::Offline => Trouble::Offline,
            Status::Unknown => Trouble::Unknown,
            Status::Online if failing => Trouble::Faulty,
            Status::Online => Trouble::None,
        }
    }
}

impl DeviceWords {
    /// What that is called.
    pub(super) fn trouble(&self, trouble: Trouble) -> &'static str {
        match trouble {
            Trouble::Silent => (self.status)(Status::Silent),
            Trouble::Offline => (self.status)(Status::Offline),
            Trouble::Faulty => self.faulty,
            Trouble::Unknown => (self.status)(Status::Unknown),
            Trouble::None => (self.status)(Status::Online),
        }
    }

    /// How many devices need what, the most urgent first.
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

/// A device among all connections.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    /// Whose.
    pub(super) connection: ConnectionId,
    /// Which.
    pub(super) device: DeviceId,
}

/// How devices are drawn.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Shape {
    /// A line each.
    #[default]
    Rows,
    /// A line of a table each.
    Table,
    /// A card each.
    Cards,
}

/// From this width on there is a table, in points.
const MIN_TABLE: f32 = 700.0;
/// From this width on there are cards, in points.
const MIN_CARDS: f32 = 1_600.0;
/// A card is at least so wide, in points.
const MIN_CARD: f32 = 320.0;

impl Shape {
    /// As chosen, or as suits a pane of this width.
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

/// Where devices stand.
#[derive(Copy, Clone, Debug, PartialEq)]
pub(super) struct Grid {
    /// How they are drawn.
    pub(super) shape: Shape,
    /// So many stand beside each other.
    pub(super) columns: usize,
    /// How closely everything stands.
    pub(super) rhythm: &'static Rhythm,
}

impl Grid {
    /// In a pane of this width.
    pub(super) fn of(shape: Shape, width: f32, rhythm: &'static Rhythm) -> Grid {
        let columns = match shape {
            Shape::Cards => ((width / MIN_CARD) as usize).max(1),
            Shape::Rows | Shape::Table => 1,
        };
        Grid { shape, columns, rhythm }
    }

    /// The height of a device, in points.
    pub(super) fn device(&self) -> f32 {
        if self.shape == Shape::Cards { self.rhythm.card } else { self.rhythm.device }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_room_chooses_unless_the_person_does() {
        let of = |width| Shape::of(DeviceLayout::Auto, width);
        assert_eq!(
            [400.0, 699.0, 700.0, 1_599.0, 1_600.0].map(of),
            [Shape::Rows, Shape::Rows, Shape::Table, Shape::Table, Shape::Cards]
        );
        assert_eq!(Shape::of(DeviceLayout::Rows, 2_000.0), Shape::Rows);
        assert_eq!(Shape::of(DeviceLayout::Cards, 300.0), Shape::Cards);
    }

    #[test]
    fn a_second_click_turns_the_order_round() {
        let mut view = View::default();
        view.sort_by(Sort::Name);
        assert!(!view.reversed);
        view.sort_by(Sort::Name);
        assert!(view.reversed);
        view.sort_by(Sort::Kind);
        assert_eq!((view.sort, view.reversed), (Sort::Kind, false));
    }
}
