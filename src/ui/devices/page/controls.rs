//! The controls of a device's writable properties. What is shown as set is what the device itself says; a wish stands
//! beside it until the device answers. A touch counts for what was there when it began ([`Seen`]): if the device, its
//! presence or our link changed meanwhile, nothing is sent, and the person is told.

use std::collections::HashMap;

use egui::accesskit::Role;
use egui::{
    Button, DragValue, Frame, Id, Key, Label, Response, RichText, Sense, Slider, SliderClamping, Stroke,
    TextEdit, Ui, Vec2, WidgetInfo, vec2,
};

use super::{Facts, Seen, View, section_line};
use crate::model::device::{Command, CommandState, Metric, MetricName, MetricType, Value};
use crate::model::intent::Intent;
use crate::ui::theme::{self, radius, size, space};
use crate::ui::{Cx, harmless, menu, sheet, value, widgets};

/// Longest text that can be set, in characters.
const TEXT_CHARS: usize = 4_096;
/// Most options of an enumeration shown.
const OPTIONS: usize = 200;

/// What is touched, typed and asked.
#[derive(Default)]
pub(super) struct Controls {
    /// Wishes that were not given yet.
    drafts: HashMap<MetricName, Draft>,
    /// What the pointer is down on.
    touch: Option<Touch>,
    /// What is being typed in, or the choices that are open.
    busy: Option<(MetricName, Seen)>,
    was_busy: bool,
    asking: Option<Question>,
    notice: Option<String>,
}

/// A wish that was not given yet.
struct Draft {
    value: Value,
    seen: Seen,
}

/// The pointer went down on a control.
struct Touch {
    property: MetricName,
    seen: Seen,
    /// What the device said then.
    value: Value,
}

/// "Really?"
struct Question {
    property: MetricName,
    value: Value,
    seen: Seen,
    fresh: bool,
}

impl Controls {
    /// Whether a person is being asked whether they really want it.
    pub(super) fn is_asking(&self) -> bool {
        self.asking.is_some()
    }

    /// Whether something is being typed or chosen.
    pub(super) fn is_editing(&self) -> bool {
        self.was_busy
    }

    /// Voids what was begun before the device, its presence or our link changed, and says what was voided.
    pub(super) fn notice(&mut self, ui: &mut Ui, cx: &Cx, facts: &Facts) {
        let words = cx.words.device_page;
        let shown = |name: &MetricName| harmless::line(name.as_str(), 64);
        let touch = self.touch.take_if(|touch| touch.seen != facts.seen).map(|touch| touch.property);
        let typed = self.busy.take_if(|(_, seen)| *seen != facts.seen).map(|(name, seen)| {
            let is_lost = seen.incarnation != facts.seen.incarnation;
            (is_lost || self.drafts.contains_key(&name)).then_some(name)
        });
        if let Some(name) = touch.or(typed.flatten()) {
            // What was dragged was meant for what was there before. What was typed is kept, not sent, and means what is
            // there now that the person is told.
            match self.drafts.get_mut(&name) {
                Some(draft) if matches!(draft.value, Value::Text(_)) => draft.seen = facts.seen,
                _ => drop(self.drafts.remove(&name)),
            }
            self.notice = Some((words.device_changed)(&shown(&name)));
        }
        if let Some(question) = self.asking.take_if(|question| question.seen != facts.seen) {
            self.notice = Some((words.confirm_void)(&shown(&question.property)));
        }
        let Some(notice) = self.notice.clone() else { return };
        let theme = theme::of(ui);
        let frame =
            Frame::new().fill(theme.warn_ground).corner_radius(radius::CONTROL).inner_margin(space::SMALL);
        let dismissed = frame.show(ui, |ui| {
            ui.set_min_width(ui.available_width());
            let shown = ui.add(Label::new(RichText::new(&notice).color(theme.text)).wrap());
            widgets::live(ui, shown.id, &notice);
            ui.add(widgets::link(theme, words.understood)).clicked()
        });
        if dismissed.inner {
            self.notice = None;
        }
    }

    /// Draws the controls.
    pub(super) fn show(&mut self, ui: &mut Ui, cx: &mut Cx, view: &View) {
        let theme = theme::of(ui);
        let words = cx.words.device_page;
        if let Some(lock) = view.facts.lock {
            let text = RichText::new((words.locked)(lock)).font(theme::small()).color(theme.warn);
            ui.add(Label::new(text).wrap());
        }
        let (busy_before, notice_before) = (self.busy.take(), self.notice.clone());
        let all = view.metrics.iter().zip(&view.readings).filter(|(metric, _)| metric.writable);
        for (metric, reading) in all {
            let one = One { metric, value: &reading.value, facts: &view.facts, busy: busy_before.as_ref() };
            self.control(ui, cx, &one);
            let command = view.commands.iter().find(|command| command.property == metric.name);
            if let Some(command) = command {
                outcome(ui, cx, &view.facts, metric, command);
            }
            section_line(ui);
        }
        if !ui.input(|input| input.pointer.any_down()) {
            self.touch = None;
        }
        self.was_busy = self.busy.is_some();
        if self.notice != notice_before {
            cx.deadline.at(cx.now.boot_ms);
        }
    }

    /// One property: its name and what it is, then its control.
    fn control(&mut self, ui: &mut Ui, cx: &mut Cx, one: &One) {
        let theme = theme::of(ui);
        let name = one.name();
        // Another life of the device has other controls: a press that began on the old one ends nowhere.
        let salt = (
            "control",
            one.facts.connection,
            one.facts.device.as_str(),
            one.facts.seen.incarnation,
            one.metric.name.as_str(),
        );
        ui.push_id(Id::unique(salt), |ui| {
            ui.horizontal_wrapped(|ui| {
                let label =
                    ui.add(Label::new(RichText::new(&name).color(theme.text)).selectable(false).truncate());
                let now = (cx.words.device_page.now_is)(&value::reading(cx.words, one.metric, one.value));
                let now = RichText::new(now).font(theme::small()).color(theme.weak);
                ui.add(Label::new(now).selectable(false).truncate());
                label
            });
            ui.add_enabled_ui(one.facts.lock.is_none(), |ui| {
                ui.horizontal_wrapped(|ui| match one.metric.kind {
                    MetricType::Number => self.number(ui, cx, one),
                    MetricType::Flag => self.flag(ui, cx, one),
                    MetricType::Enum => self.choice(ui, cx, one),
                    MetricType::Text => self.text(ui, cx, one),
                });
            });
        });
    }

    fn number(&mut self, ui: &mut Ui, cx: &mut Cx, one: &One) {
        let metric = one.metric;
        let draft = self.drafts.get(&metric.name).map(|draft| draft.value.clone());
        let said = |value: &Value| if let Value::Number(number) = value { Some(*number) } else { None };
        let now = draft.as_ref().and_then(said).or(said(one.value)).unwrap_or(metric.min.unwrap_or(0.0));
        let mut wish = now;
        let (low, high) = limits(metric);
        let mut all: Vec<Response> = Vec::new();
        if let (Some(_), Some(_), true) = (metric.min, metric.max, low < high) {
            ui.spacing_mut().slider_width = (ui.available_width() - 140.0).clamp(60.0, 240.0);
            let slider = Slider::new(&mut wish, low..=high).show_value(false).clamping(SliderClamping::Edits);
            let slider = ui.add(slider);
            let name = (cx.words.device_page.slide)(&one.name());
            widgets::named(ui, &slider, &name);
            all.push(one.touchable(ui, cx, slider));
        }
        let speed = if (high - low).is_finite() { (high - low) / 300.0 } else { now.abs().max(1.0) / 100.0 };
        let shown = |number: f64, _: std::ops::RangeInclusive<usize>| number_text(metric, number);
        let drag = DragValue::new(&mut wish).range(low..=high).speed(speed).update_while_editing(false);
        let drag = drag.custom_formatter(shown).suffix(match metric.unit.as_str() {
            "" => String::new(),
            unit => format!(" {}", harmless::line(unit, 16)),
        });
        let response = ui.add(drag.clamp_existing_to_range(false));
        widgets::named(ui, &response, &one.name());
        let editing = response.has_focus();
        all.push(one.touchable(ui, cx, response));
        let mut began = one.facts.seen;
        for response in &all {
            began = self.note(one, response);
        }
        let began = one.began().unwrap_or(began);
        let changed = all.iter().any(Response::changed);
        if changed && wish.is_finite() {
            let seen = self.drafts.get(&metric.name).map_or(began, |draft| draft.seen);
            self.drafts.insert(metric.name.clone(), Draft { value: Value::Number(wish), seen });
        }
        if editing {
            self.busy = Some((metric.name.clone(), one.began().unwrap_or(one.facts.seen)));
        }
        let entered = ui.input(|input| input.key_pressed(Key::Enter))
            && all.iter().any(|response| response.lost_focus() || (response.has_focus() && !editing));
        let released = all.iter().any(Response::drag_stopped);
        let dragging = all.iter().any(Response::dragged);
        if self.drafts.contains_key(&metric.name) && (released || entered) {
            self.give_draft(cx, one);
        } else if !dragging && !editing {
            self.not_set_yet(ui, cx, one);
        }
    }

    /// A wish that is there and not given: a button to give it, and one to forget it.
    fn not_set_yet(&mut self, ui: &mut Ui, cx: &mut Cx, one: &One) {
        let words = cx.words.device_page;
        let Some(draft) = self.drafts.get(&one.metric.name) else { return };
        let theme = theme::of(ui);
        let wish = value::reading(cx.words, one.metric, &draft.value);
        let set = ui.add(widgets::plain(words.set));
        widgets::named(ui, &set, &(words.set_named)(&one.name(), &wish));
        self.note(one, &set);
        let forget = ui.add(widgets::link(theme, cx.words.cancel));
        widgets::named(ui, &forget, &(words.forget)(&one.name()));
        ui.add(
            Label::new(RichText::new(words.not_set_yet).font(theme::small()).color(theme.warn))
                .selectable(false),
        );
        if set.clicked() {
            self.give_draft(cx, one);
        } else if forget.clicked() {
            self.drafts.remove(&one.metric.name);
        }
    }

    fn flag(&mut self, ui: &mut Ui, cx: &mut Cx, one: &One) {
        let is_on = *one.value == Value::Flag(true);
        let response = switch(ui, is_on);
        let name = one.name();
        response.widget_info(|| WidgetInfo::selected(Role::Switch, ui.is_enabled(), is_on, &name));
        let response = one.touchable(ui, cx, response);
        let began = self.note(one, &response);
        if response.clicked() {
            let changed = self.touch.as_ref().is_some_and(|touch| touch.value != *one.value);
            if changed {
                self.notice = Some((cx.words.device_page.value_changed)(&name));
            } else {
                self.give(cx, one, Value::Flag(!is_on), began);
            }
        }
    }

    fn choice(&mut self, ui: &mut Ui, cx: &mut Cx, one: &One) {
        let now = value::reading(cx.words, one.metric, one.value);
        let name = one.name();
        let mut chosen = None;
        let mut is_open = false;
        let button = menu::choice(ui, &name, &now, 96.0, |ui| {
            is_open = true;
            egui::ScrollArea::vertical().max_height(320.0).show(ui, |ui| {
                for option in one.metric.options.iter().take(OPTIONS) {
                    let is_now = matches!(one.value, Value::Text(text) if **text == **option);
                    if menu::option(ui, is_now, &harmless::line(option, 64)).clicked() {
                        chosen = Some(option.clone());
                    }
                }
            });
        });
        let button = one.touchable(ui, cx, button);
        let began = self.note(one, &button);
        let began = one.began().unwrap_or(began);
        if is_open {
            self.busy = Some((one.metric.name.clone(), began));
        }
        if let Some(option) = chosen {
            self.busy = None;
            self.give(cx, one, Value::Text(option.into()), began);
        }
    }

    fn text(&mut self, ui: &mut Ui, cx: &mut Cx, one: &One) {
        let words = cx.words.device_page;
        let name = &one.metric.name;
        let draft = self.drafts.get(name);
        let mut text = match (draft.map(|draft| &draft.value), one.value) {
            (Some(Value::Text(text)), _) | (None, Value::Text(text)) => text.to_string(),
            _ => String::new(),
        };
        let width = (ui.available_width() - 96.0).clamp(80.0, size::DIALOG);
        let edit =
            TextEdit::singleline(&mut text).id_salt("text").char_limit(TEXT_CHARS).desired_width(width);
        // Where it is empty, only a hint lets a screen reader write in it.
        let edit = edit.hint_text(cx.words.device_page.not_set_yet);
        let response = ui.add(edit);
        widgets::named(ui, &response, &one.name());
        let response = one.touchable(ui, cx, response);
        let began = one.began().unwrap_or(one.facts.seen);
        if response.has_focus() {
            self.busy = Some((name.clone(), began));
        }
        if response.changed() {
            let seen = self.drafts.get(name).map_or(began, |draft| draft.seen);
            self.drafts.insert(name.clone(), Draft { value: Value::Text(text.as_str().into()), seen });
        }
        let wish = self.drafts.get(name).map(|draft| value::reading(cx.words, one.metric, &draft.value));
        let set = ui.add_enabled(wish.is_some(), widgets::plain(words.set));
        widgets::named(ui, &set, &(words.set_named)(&one.name(), &wish.unwrap_or_default()));
        self.note(one, &set);
        let entered = response.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
        if set.clicked() || (entered && self.drafts.contains_key(name)) {
            self.give_draft(cx, one);
        }
    }

    /// Notes that a control is pressed. Hands back what was there when that began.
    fn note(&mut self, one: &One, response: &Response) -> Seen {
        if response.is_pointer_button_down_on() && self.touch.is_none() {
            let (property, value) = (one.metric.name.clone(), one.value.clone());
            self.touch = Some(Touch { property, seen: one.facts.seen, value });
        }
        let own = self.touch.as_ref().filter(|touch| touch.property == one.metric.name);
        own.map_or(one.facts.seen, |touch| touch.seen)
    }

    fn give_draft(&mut self, cx: &mut Cx, one: &One) {
        let Some(draft) = self.drafts.remove(&one.metric.name) else { return };
        if draft.seen != one.facts.seen {
            self.notice = Some((cx.words.device_page.device_changed)(&one.name()));
            // It stays typed, and means what is there now once the person has been told.
            self.drafts.insert(one.metric.name.clone(), Draft { seen: one.facts.seen, ..draft });
            return;
        }
        self.give(cx, one, draft.value, draft.seen);
    }

    /// Gives a command, or asks first.
    fn give(&mut self, cx: &mut Cx, one: &One, value: Value, began: Seen) {
        if began != one.facts.seen || one.facts.lock.is_some() {
            self.notice = Some((cx.words.device_page.device_changed)(&one.name()));
            return;
        }
        self.notice = None;
        let property = one.metric.name.clone();
        if one.metric.risky {
            self.asking = Some(Question { property, value, seen: began, fresh: true });
        } else {
            cx.intents.push(command(one.facts, property, value, began));
        }
    }

    /// Draws the question whether the person really wants it.
    pub(super) fn confirm(&mut self, ui: &mut Ui, cx: &mut Cx, view: &View) {
        let Some(question) = &mut self.asking else { return };
        let theme = theme::of(ui);
        let words = cx.words.device_page;
        let place = view.metrics.iter().position(|metric| metric.name == question.property);
        let (Some(metric), Some(reading)) =
            (place.map(|at| &view.metrics[at]), place.and_then(|at| view.readings.get(at)))
        else {
            self.asking = None;
            return;
        };
        let name = harmless::line(metric.name.as_str(), 64);
        let old = value::reading(cx.words, metric, &reading.value);
        let new = value::reading(cx.words, metric, &question.value);
        let salt = ("confirm", view.facts.connection, view.facts.device.as_str(), question.seen.incarnation);
        let title = (words.confirm_title)(&view.title, &name);
        let shown = sheet::show(ui, salt, &title, size::DIALOG, |ui| {
            sheet::title(ui, &title);
            ui.add(Label::new((words.confirm_text)(&name, &old, &new)).wrap());
            ui.horizontal_wrapped(|ui| {
                let label = RichText::new((words.confirm)(&new)).color(theme.bad);
                let really = ui.add(Button::new(label).truncate().min_size(vec2(72.0, size::CONTROL)));
                let cancel = ui.add(widgets::plain(cx.words.cancel));
                if std::mem::take(&mut question.fresh) {
                    cancel.request_focus();
                }
                (really.clicked(), cancel.clicked())
            })
            .inner
        });
        let (really, cancel) = shown.inner;
        let escape = shown.is_top_modal && ui.input(|input| input.key_pressed(Key::Escape));
        if really && view.facts.lock.is_none() && question.seen == view.facts.seen {
            cx.intents.push(command(
                &view.facts,
                question.property.clone(),
                question.value.clone(),
                question.seen,
            ));
        }
        if really || cancel || escape {
            sheet::give_focus_back(ui, salt);
            self.asking = None;
        }
    }
}

fn command(facts: &Facts, property: MetricName, value: Value, seen: Seen) -> Intent {
    let (connection, device) = (facts.connection, facts.device.clone());
    Intent::Command { connection, device, incarnation: seen.incarnation, property, value }
}

/// One property and what the device says of it.
struct One<'a> {
    metric: &'a Metric,
    value: &'a Value,
    facts: &'a Facts,
    /// What was being typed in, or open, in the last frame.
    busy: Option<&'a (MetricName, Seen)>,
}

impl One<'_> {
    fn name(&self) -> String {
        harmless::line(self.metric.name.as_str(), 64)
    }

    /// What was there when typing into it, or choosing for it, began.
    fn began(&self) -> Option<Seen> {
        self.busy.filter(|(name, _)| *name == self.metric.name).map(|(_, seen)| *seen)
    }

    /// Says why a control is locked, where it is.
    fn touchable(&self, ui: &Ui, cx: &Cx, response: Response) -> Response {
        let Some(lock) = self.facts.lock else { return response };
        let why = (cx.words.device_page.locked)(lock);
        ui.ctx().accesskit_node_builder(response.id, |node| node.set_description(why));
        response.on_disabled_hover_text(why)
    }
}

/// The values that a number can be set to.
fn limits(metric: &Metric) -> (f64, f64) {
    let finite = |limit: Option<f64>, other| limit.filter(|limit| limit.is_finite()).unwrap_or(other);
    let (low, high) = (finite(metric.min, f64::MIN), finite(metric.max, f64::MAX));
    if low <= high { (low, high) } else { (f64::MIN, f64::MAX) }
}

/// A number to edit: plain digits, as they would be typed.
fn number_text(metric: &Metric, number: f64) -> String {
    let size = number.abs();
    if size >= 1e15 || (size > 0.0 && size < 1e-6) {
        return format!("{number:e}");
    }
    match metric.precision {
        Some(digits) => format!("{number:.0$}", usize::from(digits.min(9))),
        None => {
            let text = format!("{number:.6}");
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        }
    }
}

/// A switch as the device says it is.
fn switch(ui: &mut Ui, is_on: bool) -> Response {
    let theme = theme::of(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(44.0, size::CONTROL), Sense::click());
    let track = egui::Rect::from_center_size(rect.center(), vec2(40.0, 22.0));
    let (fill, x) =
        if is_on { (theme.accent_fill, track.right() - 11.0) } else { (theme.thumb, track.left() + 11.0) };
    let fill = if ui.is_enabled() { fill } else { fill.gamma_multiply(0.5) };
    ui.painter().rect_filled(track, 11.0, fill);
    ui.painter().circle_filled(egui::pos2(x, track.center().y), 8.0, theme.ground);
    widgets::focus_ring(ui, &response, theme);
    response
}

/// What became of the last command for a property.
fn outcome(ui: &mut Ui, cx: &Cx, facts: &Facts, metric: &Metric, command: &Command) {
    let theme = theme::of(ui);
    let wish = value::reading(cx.words, metric, &command.value);
    let age = facts.hub_now.saturating_sub(command.at);
    let text = (cx.words.device_page.command)(&command.state, &wish, &value::age(cx.words, age));
    let colour = match command.state {
        CommandState::Pending => theme.weak,
        CommandState::Done => theme.good,
        CommandState::Unknown | CommandState::Expired => theme.warn,
        CommandState::Failed { .. } | CommandState::Refused { .. } => theme.bad,
    };
    ui.horizontal_wrapped(|ui| {
        let (mark, _) = ui.allocate_exact_size(Vec2::splat(14.0), Sense::hover());
        match command.state {
            CommandState::Pending => turning(ui, mark.center(), colour, age),
            CommandState::Done => {
                widgets::delivery_mark(ui.painter(), mark.center(), widgets::Mark::Sent, theme)
            }
            CommandState::Expired | CommandState::Unknown => {
                widgets::delivery_mark(ui.painter(), mark.center(), widgets::Mark::Waiting, theme);
            }
            CommandState::Failed { .. } | CommandState::Refused { .. } => {
                widgets::delivery_mark(ui.painter(), mark.center(), widgets::Mark::Failed, theme);
            }
        }
        let shown = ui.add(Label::new(RichText::new(&text).font(theme::small()).color(colour)).wrap());
        widgets::live(ui, shown.id.with("state"), &(cx.words.device_page.became)(&command.state));
    });
}

/// An arc that turns a step each second: the page is drawn so often anyway.
fn turning(ui: &Ui, centre: egui::Pos2, colour: egui::Color32, age: i64) {
    let begin = (age / 1_000).rem_euclid(8) as f32 * std::f32::consts::FRAC_PI_4;
    let points = (0..=12).map(|n| centre + Vec2::angled(begin + n as f32 * 0.36) * 5.0).collect();
    ui.painter().add(egui::Shape::line(points, Stroke::new(1.75, colour)));
}
