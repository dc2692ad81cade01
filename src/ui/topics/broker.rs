//! The broker's figures about itself, in plain words.

use egui::{Grid, Label, RichText, ScrollArea, Ui};

use super::tree::read;
use crate::model::id::ConnectionId;
use crate::model::intent::Intent;
use crate::model::publication::Qos;
use crate::model::time::BootMs;
use crate::model::topic::{Filter, TopicRequest};
use crate::model::topics::system::{self, Figure};
use crate::ui::text::Words;
use crate::ui::theme::{self, size, space};
use crate::ui::{Cx, harmless, value, widgets};

/// Longest figure that is shown, in characters.
const MAX_FIGURE_CHARS: usize = 120;

/// A figure, copied out of the model.
struct Shown {
    figure: Figure,
    node: Option<String>,
    text: String,
    at: BootMs,
}

/// Draws them. Returns whether the person wants to see their topics in the tree.
pub(super) fn show(ui: &mut Ui, cx: &mut Cx, id: ConnectionId, has_link: bool) -> bool {
    let words = cx.words.topics;
    let copied = read(cx, id, |topics| {
        let tree = topics.tree();
        let shown = system::figures(tree).into_iter().filter_map(|(figure, node, topic)| {
            let last = &tree.leaf(topic)?.last;
            let text = String::from_utf8_lossy(&last.payload).into_owned();
            Some(Shown { figure, node, text, at: last.at.boot_ms })
        });
        let is_asked =
            topics.subscriptions().iter().any(|subscription| subscription.filter.filter == system::FILTER);
        (shown.collect::<Vec<_>>(), system::root(tree).is_some(), is_asked)
    });
    let Some((shown, has_any, is_asked)) = copied else { return false };
    let mut in_tree = false;
    ScrollArea::vertical().id_salt("broker").auto_shrink(false).show(ui, |ui| {
        ui.set_max_width(ui.available_width().min(size::MEASURE));
        ui.spacing_mut().item_spacing.y = space::SMALL;
        ui.add(Label::new(words.broker_text).wrap());
        if !is_asked {
            let ask = ui.add_enabled(has_link, widgets::primary(theme::of(ui), words.ask_broker));
            if ask.on_disabled_hover_text(words.no_link).clicked() {
                let filter = Filter { filter: system::FILTER.to_owned(), qos: Qos::AtMostOnce };
                cx.intents.push(Intent::Topic(id, TopicRequest::Subscribe(filter)));
            }
        } else if !has_any {
            ui.add(Label::new(words.broker_silent).wrap());
        }
        figures(ui, cx, &shown);
        if has_any {
            in_tree = ui.add(widgets::link(theme::of(ui), words.broker_in_tree)).clicked();
        }
    });
    in_tree
}

fn figures(ui: &mut Ui, cx: &mut Cx, shown: &[Shown]) {
    let words = cx.words.topics;
    let mut node: Option<&str> = None;
    // Each node of a cluster has figures of its own, under its name.
    for part in shown.chunk_by(|one, other| one.node == other.node) {
        let own = part.first().and_then(|first| first.node.as_deref());
        if own != node {
            node = own;
            crate::ui::sheet::heading(ui, &harmless::line(own.unwrap_or_default(), 80));
        }
        Grid::new(("figures of a broker", own)).num_columns(2).spacing([space::LARGE, space::TINY]).show(
            ui,
            |ui| {
                for figure in part {
                    let name = (words.figure)(figure.figure);
                    ui.label(RichText::new(name).color(theme::of(ui).weak));
                    let text = figure_text(cx.words, figure.figure, &figure.text);
                    let passed = cx.now.boot_ms.since(figure.at) as i64;
                    let label = ui.add(Label::new(&text).selectable(true).wrap());
                    label.on_hover_text(value::age(cx.words, passed));
                    ui.end_row();
                }
            },
        );
    }
}

/// A figure for people: numbers in groups, bytes with a fitting prefix.
fn figure_text(words: &Words, figure: Figure, text: &str) -> String {
    let text = text.trim();
    match text.parse::<f64>() {
        Ok(number) if figure.is_bytes() => value::bytes(words, "B", number),
        Ok(number) => value::plain(words, None, number),
        Err(_) => harmless::line(text, MAX_FIGURE_CHARS),
    }
}
