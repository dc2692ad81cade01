//! [`Subscriptions`]: what the connection subscribes to, changed while it is connected.

use egui::{RichText, ScrollArea, TextEdit, Ui, vec2};

use super::tree::read;
use crate::model::id::ConnectionId;
use crate::model::intent::Intent;
use crate::model::publication::Qos;
use crate::model::topic::{Filter, MAX_SUBSCRIPTIONS, Subscribed, Subscription, TopicRequest};
use crate::ui::icons::Icon;
use crate::ui::text::topics::FormProblem;
use crate::ui::theme::{self, size, space};
use crate::ui::{Cx, harmless, widgets};

/// Longest filter that is shown, in characters.
const MAX_FILTER_CHARS: usize = 200;

/// What is filled in.
#[derive(Default)]
pub(super) struct Subscriptions {
    filter: String,
    qos: Qos,
}

/// What is wrong with a filter (MQTT 5 §4.7.1).
fn filter_problem(filter: &str) -> Option<FormProblem> {
    if filter.is_empty() {
        return Some(FormProblem::NoTopic);
    }
    if filter.contains('\0') || filter.len() > usize::from(u16::MAX) {
        return Some(FormProblem::BadTopic);
    }
    let levels: Vec<&str> = filter.split('/').collect();
    let is_right = |(at, level): (usize, &&str)| match *level {
        "#" => at + 1 == levels.len(),
        "+" => true,
        level => !level.contains(['+', '#']),
    };
    (!levels.iter().enumerate().all(is_right)).then_some(FormProblem::BadFilter)
}

impl Subscriptions {
    /// Draws them.
    pub(super) fn show(&mut self, ui: &mut Ui, cx: &mut Cx, id: ConnectionId, has_link: bool) {
        let words = cx.words.topics;
        let all = read(cx, id, |topics| topics.subscriptions().to_vec()).unwrap_or_default();
        ScrollArea::vertical().id_salt("subscriptions").auto_shrink(false).show(ui, |ui| {
            ui.set_max_width(ui.available_width().min(size::MEASURE));
            ui.spacing_mut().item_spacing.y = space::SMALL;
            ui.add(egui::Label::new(words.subscriptions_text).wrap());
            if !has_link {
                widgets::small_label(ui, words.no_link);
                return;
            }
            for subscription in &all {
                row(ui, cx, id, subscription);
            }
            ui.add_space(space::SMALL);
            self.add(ui, cx, id, all.len());
        });
    }

    fn add(&mut self, ui: &mut Ui, cx: &mut Cx, id: ConnectionId, count: usize) {
        let words = cx.words.topics;
        if count >= MAX_SUBSCRIPTIONS {
            ui.label(words.subscriptions_full);
            return;
        }
        let label = widgets::small_label(ui, words.filter_label);
        let field = TextEdit::singleline(&mut self.filter)
            .hint_text(words.filter_hint)
            .desired_width(f32::INFINITY)
            .min_size(vec2(0.0, size::CONTROL));
        let field = ui.add(field).labelled_by(label.id);
        let enter = field.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
        let problem = filter_problem(&self.filter);
        ui.horizontal_wrapped(|ui| {
            widgets::small_label(ui, words.qos_label);
            for qos in Qos::ALL {
                let button = ui.radio_value(&mut self.qos, qos, qos.number().to_string());
                widgets::named(ui, &button, (words.qos_meaning)(qos));
                button.on_hover_text((words.qos_meaning)(qos));
            }
            let add = ui.add_enabled(problem.is_none(), widgets::primary(theme::of(ui), words.subscribe));
            if (add.clicked() || enter) && problem.is_none() {
                let filter = Filter { filter: std::mem::take(&mut self.filter), qos: self.qos };
                cx.intents.push(Intent::Topic(id, TopicRequest::Subscribe(filter)));
                field.request_focus();
            }
        });
        if let Some(problem) = problem.filter(|_| !self.filter.is_empty()) {
            let text = (words.problem)(problem);
            let label = ui.add(egui::Label::new(RichText::new(text).color(theme::of(ui).warn)).wrap());
            widgets::live(ui, label.id, text);
        }
    }
}

fn row(ui: &mut Ui, cx: &mut Cx, id: ConnectionId, subscription: &Subscription) {
    let words = cx.words.topics;
    let theme = theme::of(ui);
    let filter = harmless::line(&subscription.filter.filter, MAX_FILTER_CHARS);
    ui.horizontal_wrapped(|ui| {
        ui.label(RichText::new(&filter).font(theme::code()));
        let text = (words.subscribed)(&subscription.state);
        let colour = match &subscription.state {
            Subscribed::Pending => theme.weak,
            Subscribed::Granted(qos) if *qos < subscription.filter.qos => theme.warn,
            Subscribed::Granted(_) => theme.weak,
            Subscribed::Refused { .. } => theme.bad,
        };
        ui.label(RichText::new(text).font(theme::small()).color(colour));
        let text = (words.unsubscribe)(&filter);
        if widgets::icon_button(ui, Icon::Close, &text, &text, false).clicked() {
            let filter = subscription.filter.filter.clone();
            cx.intents.push(Intent::Topic(id, TopicRequest::Unsubscribe(filter)));
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_stand_alone_and_the_last_one_at_the_end() {
        for filter in ["#", "a/#", "+/b", "/", "a b/+/+", "$SYS/#"] {
            assert_eq!(filter_problem(filter), None, "{filter}");
        }
        for filter in ["a#", "a/#/b", "a+/b", "##"] {
            assert_eq!(filter_problem(filter), Some(FormProblem::BadFilter), "{filter}");
        }
        assert_eq!(filter_problem(""), Some(FormProblem::NoTopic));
    }
}
