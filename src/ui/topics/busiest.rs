//! [`Busiest`]: the topics with the most messages a second, and their share of all.

use egui::accesskit::Role;
use egui::{Id, Ui};

use super::row::{self, Row, Stand};
use super::rowlist::{ListEvent, RowList, Spec};
use super::tree::read;
use crate::model::id::ConnectionId;
use crate::model::time::BootMs;
use crate::model::topics::NodeId;
use crate::ui::{Cx, widgets};

/// How often the order is renewed, in milliseconds: rows that change places all the time cannot be read.
const ORDER_MS: u64 = 1_000;

/// State of the ranking.
#[derive(Default)]
pub(super) struct Busiest {
    connection: Option<ConnectionId>,
    ranking: Vec<(NodeId, u32)>,
    /// Messages a second on all topics, in thousandths.
    all_milli: u32,
    made_at: Option<BootMs>,
    cursor: Option<NodeId>,
    list: RowList,
}

/// What a person did with the ranking.
pub(super) enum BusiestAction {
    /// Opened a topic.
    Open(NodeId),
    /// Wants to go back.
    Back,
}

impl Busiest {
    /// Focuses the ranking.
    pub(super) fn focus(&mut self) {
        self.list.focus();
    }

    fn sync(&mut self, cx: &mut Cx, id: ConnectionId) {
        let now = cx.now.boot_ms;
        let is_due = self.made_at.is_none_or(|at| now >= at + ORDER_MS) || self.connection != Some(id);
        if is_due {
            let made = read(cx, id, |topics| {
                let ranking = topics.ranking(now);
                (ranking, topics.tree().node(NodeId::ROOT).rate.milli(now))
            });
            (self.ranking, self.all_milli) = made.unwrap_or_default();
            self.ranking.retain(|(_, rate)| *rate > 0);
            (self.made_at, self.connection) = (Some(now), Some(id));
        }
        cx.deadline.at(self.made_at.unwrap_or(now) + ORDER_MS);
    }

    /// Draws it.
    pub(super) fn show(
        &mut self,
        ui: &mut Ui,
        cx: &mut Cx,
        id: ConnectionId,
        opened: Option<NodeId>,
    ) -> Option<BusiestAction> {
        self.sync(cx, id);
        let words = cx.words.topics;
        widgets::small_label(ui, if self.ranking.is_empty() { words.all_quiet } else { words.busiest_text });
        let cursor = self.cursor.and_then(|cursor| self.ranking.iter().position(|(node, _)| *node == cursor));
        let spec = Spec {
            id: Id::unique("busiest topics"),
            name: words.busiest,
            role: Role::List,
            row: cx.rhythm().device,
            count: self.ranking.len(),
            cursor,
        };
        let (ranking, all) = (&self.ranking, self.all_milli);
        let event = self.list.show(ui, cx, &spec, |ui, cx, range, mut place, focused| {
            let first = range.start;
            let part = &ranking[range];
            let rows = read(cx, id, |topics| {
                let row = |(node, rate): &(NodeId, u32)| Some((Row::of_topic(topics.tree(), *node)?, *rate));
                part.iter().map(row).collect::<Vec<_>>()
            });
            let mut clicked = None;
            for (at, shown) in rows.unwrap_or_default().into_iter().enumerate() {
                if let Some((mut shown, rate)) = shown {
                    let share = u64::from(rate) * 100 / u64::from(all.max(rate).max(1));
                    let rate = (cx.words.topics.rate)(cx.words, rate);
                    shown.at_right = Some((cx.words.topics.with_share)(&rate, share));
                    let stand = Stand {
                        list: spec.id,
                        id: spec.row_id(shown.node.0),
                        is_open: opened == Some(shown.node),
                        has_cursor: focused && cursor == Some(first + at),
                        role: Role::ListItem,
                        position: (first + at, ranking.len()),
                    };
                    if row::paint(ui, cx, place, &shown, &stand).is_some() {
                        clicked = Some(first + at);
                    }
                }
                place = place.translate(egui::vec2(0.0, spec.row));
            }
            clicked
        });
        self.follow(event?)
    }

    fn follow(&mut self, event: ListEvent) -> Option<BusiestAction> {
        let node = |row: usize| self.ranking.get(row).map(|(node, _)| *node);
        match event {
            ListEvent::Moved(row) => {
                self.cursor = node(row);
                None
            }
            ListEvent::Opened(row) => {
                self.cursor = node(row);
                node(row).map(BusiestAction::Open)
            }
            ListEvent::Back => Some(BusiestAction::Back),
            ListEvent::Typed(_) | ListEvent::Fold(..) => None,
        }
    }
}
