//! [`Detail`]: one topic: what came last, what differs from before, and what came earlier. Or one level: what is below it.

use std::collections::VecDeque;
use std::sync::Arc;

use egui::accesskit::Role;
use egui::{Frame, Id, Label, Margin, RichText, ScrollArea, Ui};

use super::payload::{self, Difference, Form};
use super::picture::Pictures;
use super::row::Last;
use super::tree::read;
use crate::model::file::size_text;
use crate::model::id::ConnectionId;
use crate::model::topics::{Kept, NodeId, Past};
use crate::ui::icons::Icon;
use crate::ui::text::topics::Facts;
use crate::ui::theme::{self, radius, size, space};
use crate::ui::{Cx, harmless, value, widgets};

/// Longest topic that is shown, in characters.
const MAX_TOPIC_CHARS: usize = 1_024;
/// Height of the payload, as a part of what there is.
const PAYLOAD_SHARE: f32 = 0.55;

/// What a person wants from here.
pub(super) enum DetailAction {
    /// Back to the list.
    Close,
    /// Publish something to this topic.
    Publish(String, Arc<[u8]>),
    /// Clear the retained message of this topic, or of all below this level.
    Clear(Vec<String>),
}

/// A payload as it was laid out last.
struct LaidOut {
    of: (u64, Form),
    lines: Vec<String>,
    is_cut: bool,
}

/// State of the view.
pub(super) struct Detail {
    connection: ConnectionId,
    node: NodeId,
    /// The number of the message that is shown; none: the last one.
    chosen: Option<u64>,
    /// How it is shown, if the person chose that.
    form: Option<Form>,
    laid_out: Option<LaidOut>,
    differences: Option<(u64, Vec<Difference>, bool)>,
    pictures: Pictures,
    wants_focus: bool,
}

/// What is copied out of the model.
struct Copied {
    topic: String,
    has_topic: bool,
    facts: Facts,
    shown: Option<Past>,
    before: Option<Past>,
    /// Number of messages that are held.
    held: usize,
    kept: Kept,
}

impl Detail {
    /// Of a topic or level.
    pub(super) fn new(connection: ConnectionId, node: NodeId) -> Detail {
        Detail {
            connection,
            node,
            chosen: None,
            form: None,
            laid_out: None,
            differences: None,
            pictures: Pictures::default(),
            wants_focus: false,
        }
    }

    /// What it shows.
    pub(super) fn node(&self) -> NodeId {
        self.node
    }

    /// Focuses it.
    pub(super) fn focus(&mut self) {
        self.wants_focus = true;
    }

    fn copy(&self, cx: &Cx) -> Option<Copied> {
        let now = cx.now.boot_ms;
        read(cx, self.connection, |topics| {
            let (tree, node) = (topics.tree(), topics.tree().node(self.node));
            let leaf = node.leaf.as_deref();
            let topic = match leaf {
                Some(leaf) => leaf.topic.to_string(),
                None => {
                    let above = tree.above(self.node);
                    let mut names: Vec<&str> = above.iter().map(|node| &*tree.node(*node).name).collect();
                    names.push(&node.name);
                    names.join("/")
                }
            };
            let shown = leaf.and_then(|leaf| match self.chosen {
                None => Some(&leaf.last),
                Some(number) => leaf.newest(0).find(|past| past.number == number),
            });
            let number = shown.map(|past| past.number);
            let before = leaf.and_then(|leaf| leaf.newest(0).find(|past| Some(past.number) < number));
            Copied {
                topic,
                has_topic: leaf.is_some(),
                facts: Facts {
                    topics: node.topics as usize,
                    messages: leaf.map_or(node.messages, |leaf| leaf.count),
                    bytes: leaf.map(|leaf| leaf.bytes),
                    rate_milli: leaf.map_or_else(|| node.rate.milli(now), |leaf| leaf.rate_milli(now)),
                },
                shown: shown.cloned(),
                before: before.cloned(),
                held: leaf.map_or(0, |leaf| leaf.past().len() + 1),
                kept: leaf.map_or(Kept::No, |leaf| leaf.kept),
            }
        })
    }

    /// Draws it. `is_alone`: in place of the list, to which a button leads back.
    pub(super) fn show(
        &mut self,
        ui: &mut Ui,
        cx: &mut Cx,
        is_alone: bool,
        has_link: bool,
    ) -> Option<DetailAction> {
        let copied = self.copy(cx)?;
        let mut action = None;
        let margin = Margin::symmetric(space::MEDIUM as i8, space::SMALL as i8);
        Frame::new().inner_margin(margin).show(ui, |ui| {
            ui.set_min_width(ui.available_width());
            ui.spacing_mut().item_spacing.y = space::TINY;
            action = self.head(ui, cx, &copied, is_alone, has_link);
            facts(ui, cx, &copied);
            if let Some(shown) = &copied.shown {
                self.message(ui, cx, shown, &copied);
            } else if copied.has_topic {
                ui.label(cx.words.topics.not_held);
            }
        });
        action
    }

    fn head(
        &mut self,
        ui: &mut Ui,
        cx: &Cx,
        copied: &Copied,
        is_alone: bool,
        has_link: bool,
    ) -> Option<DetailAction> {
        let words = cx.words.topics;
        let mut action = None;
        ui.horizontal_top(|ui| {
            if is_alone {
                let back = widgets::icon_button(ui, Icon::Back, words.back, words.back, false);
                if std::mem::take(&mut self.wants_focus) {
                    back.request_focus();
                }
                if back.clicked() {
                    action = Some(DetailAction::Close);
                }
            }
            let topic = harmless::verbatim(&copied.topic, MAX_TOPIC_CHARS);
            let text = RichText::new(&topic).font(theme::strong(size::BODY));
            let label = ui.add(Label::new(text).wrap().selectable(true));
            widgets::heading(ui, &label, &topic, 2);
        });
        ui.horizontal_wrapped(|ui| {
            let theme = theme::of(ui);
            let copy = ui.add(widgets::link(theme, words.copy_topic));
            if !is_alone && std::mem::take(&mut self.wants_focus) {
                copy.request_focus();
            }
            if copy.clicked() {
                ui.ctx().copy_text(copied.topic.clone());
            }
            if let Some(shown) = &copied.shown {
                if ui.add(widgets::link(theme, words.copy_payload)).clicked() {
                    ui.ctx().copy_text(text_of(&shown.payload));
                }
                let publish = ui.add_enabled(has_link, widgets::link(theme, words.publish_here));
                if publish.on_disabled_hover_text(words.no_link).clicked() {
                    action = Some(DetailAction::Publish(copied.topic.clone(), Arc::clone(&shown.payload)));
                }
            }
            if copied.kept != Kept::No {
                let clear = ui.add_enabled(has_link, widgets::link(theme, words.clear_retained));
                if clear.on_disabled_hover_text(words.no_link).clicked() {
                    action = Some(DetailAction::Clear(vec![copied.topic.clone()]));
                }
            }
            if copied.facts.topics > 1 || !copied.has_topic {
                let clear = ui.add_enabled(has_link, widgets::link(theme, words.clear_below));
                if clear.on_disabled_hover_text(words.no_link).clicked() {
                    action = Some(DetailAction::Clear(self.kept_below(cx)));
                }
            }
        });
        action
    }

    /// The topics here and below that have a retained message.
    fn kept_below(&self, cx: &Cx) -> Vec<String> {
        let names = read(cx, self.connection, |topics| {
            let tree = topics.tree();
            let is_below = |node: &&NodeId| {
                let mut at = **node;
                while at != self.node && at != NodeId::ROOT {
                    at = tree.node(at).parent;
                }
                at == self.node
            };
            let below = topics.kept().iter().filter(is_below);
            below.filter_map(|node| Some(tree.leaf(*node)?.topic.to_string())).collect()
        });
        names.unwrap_or_default()
    }

    /// A message: its payload, what differs from the one before, and the earlier ones.
    fn message(&mut self, ui: &mut Ui, cx: &mut Cx, shown: &Past, copied: &Copied) {
        let words = cx.words.topics;
        described(ui, cx, shown, copied);
        let forms = payload::forms(&shown.payload);
        let form = self.form.filter(|form| forms.contains(form)).or(forms.first().copied());
        let form = form.unwrap_or(Form::Hex);
        ui.horizontal_wrapped(|ui| {
            for one in forms {
                let name = (words.form)(one_word(one));
                let button = ui.add(egui::Button::new(name).selected(one == form));
                ui.ctx().accesskit_node_builder(button.id, |node| node.set_role(Role::RadioButton));
                if button.clicked() {
                    self.form = Some(one);
                    cx.deadline.at(cx.now.boot_ms);
                }
            }
        });
        let of = (shown.number, form);
        if self.laid_out.as_ref().is_none_or(|known| known.of != of) {
            let (lines, is_cut) = payload::lines(&shown.payload, form);
            self.laid_out = Some(LaidOut { of, lines, is_cut });
        }
        let most = (ui.available_height() * PAYLOAD_SHARE).max(96.0);
        if payload::picture(&shown.payload).is_some() && !shown.is_cut() {
            self.pictures.show(ui, cx, shown, most);
        }
        if let Some(laid_out) = &self.laid_out {
            shown_lines(ui, cx, &laid_out.lines, most);
            if laid_out.is_cut || shown.is_cut() {
                let text = (words.cut)(&size_text(u64::from(shown.size)));
                widgets::small_label(ui, &text);
            }
        }
        self.compared(ui, cx, shown, copied.before.as_ref());
        self.earlier(ui, cx, copied);
    }

    /// What differs from the message before.
    fn compared(&mut self, ui: &mut Ui, cx: &Cx, shown: &Past, before: Option<&Past>) {
        let words = cx.words.topics;
        let Some(before) = before else { return };
        ui.add_space(space::TINY);
        heading(ui, words.differences);
        if self.differences.as_ref().is_none_or(|(number, ..)| *number != shown.number) {
            let (found, is_cut) = payload::differences(&before.payload, &shown.payload);
            self.differences = Some((shown.number, found, is_cut));
        }
        let Some((_, found, is_cut)) = &self.differences else { return };
        if found.is_empty() {
            widgets::small_label(ui, words.no_difference);
            return;
        }
        let most = (ui.available_height() * 0.5).max(64.0);
        let row = size::SMALL_LINE + space::TINY;
        let scroll =
            ScrollArea::vertical().id_salt("differences").max_height(most).auto_shrink([false, true]);
        scroll.show_rows(ui, row, found.len(), |ui, range| {
            for difference in &found[range] {
                difference_row(ui, cx, difference);
            }
        });
        if *is_cut {
            widgets::small_label(ui, words.more_differences);
        }
    }

    /// The held messages, newest first.
    fn earlier(&mut self, ui: &mut Ui, cx: &mut Cx, copied: &Copied) {
        let words = cx.words.topics;
        if copied.held < 2 {
            return;
        }
        ui.add_space(space::TINY);
        ui.horizontal_wrapped(|ui| {
            heading(ui, words.earlier);
            let is_last = self.chosen.is_none();
            if !is_last && ui.add(widgets::link(theme::of(ui), words.follow_last)).clicked() {
                self.chosen = None;
                cx.deadline.at(cx.now.boot_ms);
            }
        });
        let row = size::SMALL_LINE + space::TINY;
        let scroll =
            ScrollArea::vertical().id_salt("earlier").auto_shrink([false, false]).min_scrolled_height(80.0);
        scroll.show_rows(ui, row, copied.held, |ui, range| {
            let (from, count) = (range.start, range.len());
            let past = read(cx, self.connection, |topics| {
                let leaf = topics.tree().leaf(self.node)?;
                Some(leaf.newest(from).take(count).cloned().collect::<VecDeque<Past>>())
            });
            for past in past.flatten().unwrap_or_default() {
                let is_shown = copied.shown.as_ref().is_some_and(|shown| shown.number == past.number);
                if earlier_row(ui, cx, &past, is_shown) {
                    self.chosen = Some(past.number);
                    cx.deadline.at(cx.now.boot_ms);
                }
            }
        });
    }
}

/// What a payload is copied as.
pub(super) fn text_of(payload: &[u8]) -> String {
    match std::str::from_utf8(payload) {
        Ok(text) => text.to_owned(),
        Err(_) => data_encoding::HEXLOWER.encode(payload),
    }
}

fn one_word(form: Form) -> crate::ui::text::topics::FormWord {
    use crate::ui::text::topics::FormWord;
    match form {
        Form::Text => FormWord::Text,
        Form::Json => FormWord::Json,
        Form::Cbor => FormWord::Cbor,
        Form::MessagePack => FormWord::MessagePack,
        Form::Hex => FormWord::Hex,
    }
}

fn heading(ui: &mut Ui, text: &str) {
    let label = ui.add(Label::new(RichText::new(text).font(theme::strong(size::SMALL))).selectable(false));
    widgets::heading(ui, &label, text, 3);
}

/// Numbers: messages, bytes, rate.
fn facts(ui: &mut Ui, cx: &mut Cx, copied: &Copied) {
    let words = cx.words.topics;
    if copied.facts.rate_milli > 0 {
        cx.deadline.at(cx.now.boot_ms + 1_000);
    }
    widgets::small_label(ui, &(words.facts)(cx.words, &copied.facts));
}

/// When a message came, its QoS and what else it carried.
fn described(ui: &mut Ui, cx: &mut Cx, shown: &Past, copied: &Copied) {
    let words = cx.words.topics;
    let is_replayed = shown.retain == crate::model::publication::Retain::Replayed;
    let when = (cx.words.day_and_clock)(shown.at.wall_ms);
    let passed = cx.now.boot_ms.since(shown.at.boot_ms) as i64;
    cx.deadline.at(cx.now.boot_ms + value::age_changes_in(passed));
    let age = value::age(cx.words, passed);
    let mut text = match is_replayed {
        true => (words.was_kept)(&when),
        false => (words.came)(&when, &age),
    };
    text.push_str(" · ");
    text.push_str(&(words.qos)(shown.qos));
    text.push_str(" · ");
    text.push_str(&size_text(u64::from(shown.size)));
    widgets::explain(ui, text);
    let kept = match copied.kept {
        Kept::No => None,
        Kept::Earlier => Some(words.kept_earlier.to_owned()),
        Kept::Since(at) => {
            let passed = cx.now.boot_ms.since(at.boot_ms) as i64;
            Some((words.kept_since)(&value::age(cx.words, passed)))
        }
    };
    if let Some(kept) = kept {
        widgets::explain(ui, kept);
    }
    if let Some(properties) = &shown.properties {
        for (name, value) in (words.properties)(properties) {
            let text = format!("{name}: {}", harmless::line(&value, 300));
            widgets::explain(ui, text);
        }
    }
}

/// Lines of a payload, of which only those in view are laid out.
fn shown_lines(ui: &mut Ui, cx: &Cx, lines: &[String], most: f32) {
    let theme = theme::of(ui);
    Frame::new().fill(theme.code_ground).corner_radius(radius::CONTROL).inner_margin(space::SMALL).show(
        ui,
        |ui| {
            ui.set_min_width(ui.available_width());
            ui.spacing_mut().item_spacing.y = 0.0;
            let scroll = ScrollArea::both().id_salt("payload").max_height(most).auto_shrink([false, true]);
            // A single line is wrapped: it is often long.
            if let [line] = lines {
                scroll.show(ui, |ui| {
                    let text = RichText::new(line).font(theme::code());
                    let label = ui.add(Label::new(text).wrap().selectable(true));
                    name_payload(ui, cx, label.id, line);
                });
                return;
            }
            let row = ui.fonts_mut(|fonts| fonts.row_height(&theme::code()));
            scroll.show_rows(ui, row, lines.len(), |ui, range| {
                for line in &lines[range] {
                    let text = RichText::new(line).font(theme::code());
                    ui.add(Label::new(text).extend().selectable(true));
                }
            });
        },
    );
}

fn name_payload(ui: &Ui, cx: &Cx, id: Id, line: &str) {
    ui.ctx().accesskit_node_builder(id, |node| {
        node.set_role(Role::Label);
        node.set_label(line);
        node.set_description(cx.words.topics.payload);
    });
}

fn difference_row(ui: &mut Ui, cx: &Cx, difference: &Difference) {
    let theme = theme::of(ui);
    let words = cx.words.topics;
    let [before, now] = [&difference.before, &difference.now]
        .map(|text| text.clone().unwrap_or_else(|| words.nothing.to_owned()));
    let mut job = egui::text::LayoutJob::default();
    let format = |colour| egui::TextFormat::simple(theme::mono_small(), colour);
    if !difference.at.is_empty() {
        job.append(&format!("{}  ", difference.at), 0.0, format(theme.text));
    }
    job.append(&before, 0.0, format(theme.bad));
    job.append(" → ", 0.0, format(theme.weak));
    job.append(&now, 0.0, format(theme.good));
    ui.add(Label::new(job).truncate().selectable(true));
}

fn earlier_row(ui: &mut Ui, cx: &Cx, past: &Past, is_shown: bool) -> bool {
    let last = Last {
        payload: Arc::clone(&past.payload),
        size: past.size,
        at: past.at,
        is_replayed: past.retain == crate::model::publication::Retain::Replayed,
        is_kept: false,
    };
    let preview = payload::preview(cx.words, &last);
    let text = format!("{}  {preview}", crate::ui::text::log::moment(past.at.wall_ms));
    let theme = theme::of(ui);
    let row = egui::vec2(ui.available_width(), size::SMALL_LINE + space::TINY);
    let (rect, response) = ui.allocate_exact_size(row, egui::Sense::click());
    response.widget_info(|| egui::WidgetInfo::labeled(Role::ListItem, true, &text));
    ui.ctx().accesskit_node_builder(response.id, |node| node.set_selected(is_shown));
    if is_shown || response.hovered() || response.has_focus() {
        let fill = if is_shown { theme.selected } else { theme.hover };
        ui.painter().rect_filled(rect, f32::from(radius::CONTROL), fill);
    }
    widgets::focus_ring(ui, &response, theme);
    let width = rect.width() - 2.0 * space::SMALL;
    let galley = widgets::cut(ui, &text, theme::mono_small(), theme.text, width);
    let at = egui::pos2(rect.left() + space::SMALL, rect.center().y - galley.size().y / 2.0);
    ui.painter().galley(at, galley, theme.text);
    response.clicked()
}
