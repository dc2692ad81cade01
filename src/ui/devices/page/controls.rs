//! The controls for a device's writable properties. The set value shown is the one that the device reports; a
//! requested value is shown beside it until the device answers. An input applies to the state it was started
//! in ([`Seen`]): if the device, its presence or our link changed meanwhile, nothing is sent and the person
//! is told.

use std::cell::RefCell;
use std::collections::HashMap;

use egui::accesskit::Role;
use egui::{
    Button, DragValue, Frame, Id, Key, Label, Response, RichText, Sense, Slider, SliderClamping, Stroke,
    TextEdit, Ui, Vec2, WidgetInfo, vec2,
};

use super::{Facts, Reading, Seen, View, special};
use crate::model::Number;
use crate::model::device::{Command, CommandState, Control, Metric, MetricName, MetricType, Value};
use crate::model::intent::{DeviceIntent, Intent};
use crate::model::number::{END_OF_WHOLE, NotHeld};
use crate::model::time::WallMs;
use crate::ui::theme::{self, radius, size, space};
use crate::ui::{Cx, harmless, menu, sheet, value, widgets};

/// Maximum length of a text value, in characters.
const MAX_TEXT_CHARS: usize = 4_096;
/// Longest note about a property, in characters.
const MAX_NOTE_CHARS: usize = 300;
/// Maximum number of options shown of an enumeration.
const MAX_OPTIONS: usize = 200;

/// How long a confirmed command is reported, counted from when it was sent, in milliseconds.
const DONE_MS: i64 = 10_000;
/// How long a failed or unconfirmed command is reported, in milliseconds.
const FAILED_MS: i64 = 120_000;

/// Input in progress: pressed controls, typed text and open questions.
#[derive(Default)]
pub(super) struct Controls {
    /// Edited values that have not been sent yet.
    drafts: HashMap<MetricName, Draft>,
    /// The control being pressed.
    touch: Option<Touch>,
    /// The field being edited or the choice that is open.
    busy: Option<(MetricName, Seen)>,
    was_busy: bool,
    asking: Option<Question>,
    notice: Option<String>,
}

/// An edited value that has not been sent yet.
struct Draft {
    value: Value,
    seen: Seen,
}

/// A press that began on a control.
struct Touch {
    property: MetricName,
    seen: Seen,
    /// Value that the device reported at that moment.
    value: Value,
}

/// A risky command waiting for confirmation.
struct Question {
    property: MetricName,
    value: Value,
    seen: Seen,
    fresh: bool,
}

impl Controls {
    /// Whether a confirmation is open.
    pub(super) fn is_asking(&self) -> bool {
        self.asking.is_some()
    }

    /// Whether a value is being typed or chosen.
    pub(super) fn is_editing(&self) -> bool {
        self.was_busy
    }

    /// Cancels input that began before the device, its presence or our link changed, and reports what was
    /// cancelled.
    pub(super) fn notice(&mut self, ui: &mut Ui, cx: &Cx, facts: &Facts) {
        let words = cx.words.device_page;
        let shown = |name: &MetricName| harmless::line(name.as_str(), 64);
        let touch = self.touch.take_if(|touch| touch.seen != facts.seen).map(|touch| touch.property);
        let typed = self.busy.take_if(|(_, seen)| *seen != facts.seen).map(|(name, seen)| {
            let is_lost = seen.incarnation != facts.seen.incarnation;
            (is_lost || self.drafts.contains_key(&name)).then_some(name)
        });
        if let Some(name) = touch.or(typed.flatten()) {
            // A dragged value is dropped, since it was relative to the old state. Typed text is kept but not
            // sent; it applies to the new state now that the person has been told.
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
        ui.spacing_mut().item_spacing.y = space::TINY;
        let (busy_before, notice_before) = (self.busy.take(), self.notice.clone());
        let all =
            view.metrics.iter().zip(&view.readings).filter(|(metric, _)| metric.writable && !metric.hidden);
        for (metric, reading) in all {
            let one = PropertyControl {
                metric,
                value: &reading.value,
                facts: &view.facts,
                busy: busy_before.as_ref(),
            };
            self.control(ui, cx, &one);
            let command = view.commands.iter().find(|command| command.property == metric.name);
            let is_news = |command: &&Command| is_news(command, reading, view.facts.hub_now);
            outcome(ui, cx, &view.facts, metric, command.filter(is_news));
        }
        if !ui.input(|input| input.pointer.any_down()) {
            self.touch = None;
        }
        self.was_busy = self.busy.is_some();
        if self.notice != notice_before {
            cx.deadline.at(cx.now.boot_ms);
        }
    }

    /// One property: its name and description, then its control.
    fn control(&mut self, ui: &mut Ui, cx: &mut Cx, one: &PropertyControl) {
        let theme = theme::of(ui);
        let name = one.name();
        // A restarted device has new controls: a press that began on the old one has no effect.
        let salt = (
            "control",
            one.facts.connection,
            one.facts.device.as_str(),
            one.facts.seen.incarnation,
            one.metric.name.as_str(),
        );
        ui.push_id(Id::unique(salt), |ui| {
            let is_enabled = one.facts.lock.is_none();
            if one.metric.kind == MetricType::Flag {
                // The name is drawn beside it.
                ui.add_enabled_ui(is_enabled, |ui| ui.horizontal(|ui| self.flag(ui, cx, one)));
                return;
            }
            if !special::is_button(one.metric) {
                ui.horizontal_wrapped(|ui| {
                    let text = RichText::new(&name).color(theme.text);
                    ui.add(Label::new(text).selectable(false).truncate());
                    if !one.metric.write_only {
                        let now =
                            (cx.words.device_page.now_is)(&value::reading(cx.words, one.metric, one.value));
                        let now = RichText::new(now).font(theme::small()).color(theme.weak);
                        ui.add(Label::new(now).selectable(false).truncate());
                    }
                });
            }
            if !one.metric.note.is_empty() {
                let note = RichText::new(harmless::line(&one.metric.note, MAX_NOTE_CHARS));
                ui.add(Label::new(note.font(theme::small()).color(theme.weak)).wrap());
            }
            ui.add_enabled_ui(is_enabled, |ui| {
                ui.horizontal_wrapped(|ui| match one.metric.kind {
                    MetricType::Number => self.number(ui, cx, one),
                    MetricType::Flag => self.flag(ui, cx, one),
                    MetricType::Enum if special::has_buttons(one.metric) => self.buttons(ui, cx, one),
                    MetricType::Enum => self.choice(ui, cx, one),
                    MetricType::Text => self.text(ui, cx, one),
                });
            });
        });
    }

    fn number(&mut self, ui: &mut Ui, cx: &mut Cx, one: &PropertyControl) {
        let metric = one.metric;
        let draft = self.drafts.get(&metric.name).map(|draft| draft.value.clone());
        let now = draft.as_ref().and_then(Value::as_number).or(one.value.as_number()).or(metric.min);
        let now = now.unwrap_or(Number::from(0.0));
        let mut wish = now.nearest();
        let (low, high) = limits(metric);
        let mut all: Vec<Response> = Vec::new();
        if let (Some(_), Some(_), true) = (metric.min, metric.max, low < high) {
            all.push(slider(ui, cx, one, &mut wish, (low, high)));
        }
        let speed = if (high - low).is_finite() { (high - low) / 300.0 } else { wish.abs().max(1.0) / 100.0 };
        let shown = |number: f64, _: std::ops::RangeInclusive<usize>| {
            number_text(metric, if number == now.nearest() { now } else { Number::from(number) })
        };
        // The field returns an f64; the number as typed is kept too, since it may have more digits.
        let typed = RefCell::new(None);
        let parse = |text: &str| {
            let read = read_number(cx, metric, text);
            let nearest = read.as_ref().ok().and_then(Value::as_chart);
            *typed.borrow_mut() = Some(read);
            nearest
        };
        let drag = DragValue::new(&mut wish).range(low..=high).speed(speed).update_while_editing(false);
        let drag = drag.custom_parser(parse).custom_formatter(shown).suffix(match metric.unit.as_str() {
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
        let (value, is_typed) = match typed.into_inner() {
            Some(Ok(value)) => {
                let is_other = is_other(&value, now);
                (value, is_other)
            }
            Some(Err(sentence)) => {
                self.notice = Some(sentence);
                (within(metric, wish), false)
            }
            None => (within(metric, wish), false),
        };
        let changed = is_typed || all.iter().any(Response::changed);
        if changed && wish.is_finite() {
            let seen = self.drafts.get(&metric.name).map_or(began, |draft| draft.seen);
            self.drafts.insert(metric.name.clone(), Draft { value, seen });
        }
        self.settle_number(ui, cx, one, &all, editing);
    }

    /// Sends a number when its control is released, or offers to. `editing`: it is being typed.
    fn settle_number(
        &mut self,
        ui: &mut Ui,
        cx: &mut Cx,
        one: &PropertyControl,
        all: &[Response],
        editing: bool,
    ) {
        let metric = one.metric;
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

    /// For an edited value that was not sent: a button to send it and one to discard it.
    fn not_set_yet(&mut self, ui: &mut Ui, cx: &mut Cx, one: &PropertyControl) {
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

    fn flag(&mut self, ui: &mut Ui, cx: &mut Cx, one: &PropertyControl) {
        let is_on = *one.value == Value::Flag(true);
        let response = switch(ui, is_on);
        let name = one.name();
        response.widget_info(|| WidgetInfo::selected(Role::Switch, ui.is_enabled(), is_on, &name));
        // The state in words too: an off switch must not look like a disabled one.
        let theme = theme::of(ui);
        let colour = if ui.is_enabled() { theme.text } else { theme.weak };
        let said = value::reading(cx.words, one.metric, one.value);
        let said = RichText::new(said).font(theme::small()).color(theme.weak);
        ui.add(Label::new(RichText::new(&name).color(colour)).selectable(false).truncate());
        ui.add(Label::new(said).selectable(false));
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

    /// One button for each option. A single one is called like the property.
    fn buttons(&mut self, ui: &mut Ui, cx: &mut Cx, one: &PropertyControl) {
        let name = one.name();
        let is_single = special::is_button(one.metric);
        for option in &one.metric.options {
            let label = if is_single { name.clone() } else { harmless::line(option, 32) };
            let is_now = matches!(one.value, Value::Text(text) if **text == **option);
            let button = ui.add(widgets::plain(&label).selected(is_now && !one.metric.write_only));
            if !is_single {
                widgets::named(ui, &button, &format!("{name}: {label}"));
            }
            let button = one.touchable(ui, cx, button);
            let began = self.note(one, &button);
            if button.clicked() {
                self.give(cx, one, Value::Text(option.as_str().into()), began);
            }
        }
    }

    fn choice(&mut self, ui: &mut Ui, cx: &mut Cx, one: &PropertyControl) {
        let now = value::reading(cx.words, one.metric, one.value);
        let name = one.name();
        let mut chosen = None;
        let mut is_open = false;
        let button = menu::choice(ui, &name, &now, 96.0, |ui| {
            is_open = true;
            egui::ScrollArea::vertical().max_height(320.0).show(ui, |ui| {
                for option in one.metric.options.iter().take(MAX_OPTIONS) {
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

    fn text(&mut self, ui: &mut Ui, cx: &mut Cx, one: &PropertyControl) {
        let words = cx.words.device_page;
        let name = &one.metric.name;
        let draft = self.drafts.get(name);
        let mut text = match (draft.map(|draft| &draft.value), one.value) {
            (Some(Value::Text(text)), _) | (None, Value::Text(text)) => text.to_string(),
            _ => String::new(),
        };
        let is_colour = one.metric.control == Some(Control::Colour);
        let mut picked = None;
        if is_colour {
            let (response, colour) = special::colour(ui, &text);
            widgets::named(ui, &response, &(words.pick_colour)(&one.name()));
            self.note(one, &response);
            picked = colour;
            text = picked.clone().unwrap_or(text);
        }
        let width = (ui.available_width() - 96.0).clamp(80.0, size::DIALOG);
        let edit =
            TextEdit::singleline(&mut text).id_salt("text").char_limit(MAX_TEXT_CHARS).desired_width(width);
        // With an empty field, AccessKit exposes it as editable only if it has a hint.
        let edit = edit.hint_text(cx.words.device_page.not_set_yet);
        let response = ui.add(edit);
        widgets::named(ui, &response, &one.name());
        let response = one.touchable(ui, cx, response);
        let began = one.began().unwrap_or(one.facts.seen);
        if response.has_focus() {
            self.busy = Some((name.clone(), began));
        }
        if response.changed() || picked.is_some() {
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

    /// Records the press of a control. Returns the state when it began.
    fn note(&mut self, one: &PropertyControl, response: &Response) -> Seen {
        if response.is_pointer_button_down_on() && self.touch.is_none() {
            let (property, value) = (one.metric.name.clone(), one.value.clone());
            self.touch = Some(Touch { property, seen: one.facts.seen, value });
        }
        let own = self.touch.as_ref().filter(|touch| touch.property == one.metric.name);
        own.map_or(one.facts.seen, |touch| touch.seen)
    }

    fn give_draft(&mut self, cx: &mut Cx, one: &PropertyControl) {
        let Some(draft) = self.drafts.remove(&one.metric.name) else { return };
        if draft.seen != one.facts.seen {
            self.notice = Some((cx.words.device_page.device_changed)(&one.name()));
            // The text stays, and applies to the new state once the person has been told.
            self.drafts.insert(one.metric.name.clone(), Draft { seen: one.facts.seen, ..draft });
            return;
        }
        self.give(cx, one, draft.value, draft.seen);
    }

    /// Sends a command, or asks for confirmation first.
    fn give(&mut self, cx: &mut Cx, one: &PropertyControl, value: Value, began: Seen) {
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

    /// Draws the confirmation of a risky command.
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
        let name = harmless::line(metric.label(), 64);
        let old = value::reading(cx.words, metric, &reading.value);
        let new = value::reading(cx.words, metric, &question.value);
        let salt = ("confirm", view.facts.connection, view.facts.device.as_str(), question.seen.incarnation);
        let title = (words.confirm_title)(&name, wish_of_switch(metric, &question.value), &new);
        let shown = sheet::show(ui, salt, &title, size::DIALOG, |ui| {
            let device = RichText::new(&view.title).font(theme::small()).color(theme.weak);
            ui.add(Label::new(device).truncate());
            sheet::title(ui, &title);
            ui.add(Label::new((words.confirm_text)(&old)).wrap());
            ui.horizontal_wrapped(|ui| {
                let label = (words.confirm)(wish_of_switch(metric, &question.value), &new);
                let label = RichText::new(label).color(theme.bad);
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
        let escape = sheet::is_escaped(ui, &shown);
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
    Intent::Device(DeviceIntent::Command {
        connection,
        device,
        incarnation: seen.incarnation,
        property,
        value,
    })
}

fn slider(ui: &mut Ui, cx: &Cx, one: &PropertyControl, wish: &mut f64, (low, high): (f64, f64)) -> Response {
    ui.spacing_mut().slider_width = (ui.available_width() - 140.0).clamp(60.0, 240.0);
    let slider = Slider::new(wish, low..=high).show_value(false).clamping(SliderClamping::Edits);
    let slider = ui.add(slider);
    widgets::named(ui, &slider, &(cx.words.device_page.slide)(&one.name()));
    one.touchable(ui, cx, slider)
}

/// Whether the typed number differs from the current one. Exact: distinct numbers may round to the same
/// `f64`.
fn is_other(typed: &Value, now: Number) -> bool {
    (now.off() != 0 || matches!(typed, Value::Whole(_))) && *typed != Value::from(now)
}

/// One property with what the device reports for it.
struct PropertyControl<'a> {
    metric: &'a Metric,
    value: &'a Value,
    facts: &'a Facts,
    /// The field that was being edited or open in the last frame.
    busy: Option<&'a (MetricName, Seen)>,
}

impl PropertyControl<'_> {
    fn name(&self) -> String {
        harmless::line(self.metric.label(), 64)
    }

    /// The state when editing or choosing began.
    fn began(&self) -> Option<Seen> {
        self.busy.filter(|(name, _)| *name == self.metric.name).map(|(_, seen)| *seen)
    }

    /// Explains why a control is disabled, if it is.
    fn touchable(&self, ui: &Ui, cx: &Cx, response: Response) -> Response {
        let Some(lock) = self.facts.lock else { return response };
        let why = (cx.words.device_page.locked)(lock);
        ui.ctx().accesskit_node_builder(response.id, |node| node.set_description(why));
        response.on_disabled_hover_text(why)
    }
}

/// Minimum and maximum that a number can be set to.
fn limits(metric: &Metric) -> (f64, f64) {
    let finite = |limit: Option<Number>, other| {
        limit.map(Number::nearest).filter(|limit| limit.is_finite()).unwrap_or(other)
    };
    let (low, high) = (finite(metric.min, f64::MIN), finite(metric.max, f64::MAX));
    if low <= high { (low, high) } else { (f64::MIN, f64::MAX) }
}

/// Parses a typed number, keeping all digits.
///
/// # Errors
/// Returns the message to show if the number cannot be set.
fn read_number(cx: &Cx, metric: &Metric, text: &str) -> Result<Value, String> {
    let words = cx.words.device_page;
    // Pasted text may contain a typographic minus sign or digit group separators.
    let digits = text.replace('\u{2212}', "-");
    let digits: String =
        digits.chars().filter(|c| !c.is_whitespace() && *c != cx.words.devices.thousands).collect();
    let told = harmless::line(text.trim(), 64);
    let value = Value::parse_number(&digits).map_err(|why| match why {
        NotHeld::NoNumber => (words.not_a_number)(&told),
        NotHeld::OutOfRange => (words.not_held)(&told),
    })?;
    let shown = |limit: Option<Number>| limit.map(|limit| value::reading(cx.words, metric, &limit.into()));
    match metric.check(&value) {
        Ok(()) => Ok(value),
        Err(_) => Err((words.not_within)(&told, shown(metric.min).as_deref(), shown(metric.max).as_deref())),
    }
}

/// A dragged value clamped to the limits; at an end, the exact limit itself.
fn within(metric: &Metric, number: f64) -> Value {
    let number = Number::from(special::snapped(metric, number));
    let low = metric.min.filter(|low| number.compare(*low).is_lt());
    let high = metric.max.filter(|high| number.compare(*high).is_gt());
    Value::from(low.or(high).unwrap_or(number))
}

/// A number for editing: plain digits, as they would be typed.
fn number_text(metric: &Metric, number: Number) -> String {
    let (size, number) = match Value::from(number) {
        Value::Whole(whole) => return whole.to_string(),
        _ => (number.nearest().abs(), number.nearest()),
    };
    if size >= END_OF_WHOLE || (size > 0.0 && size < 1e-6) {
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

/// A switch with the state that the device reports. Off is an outline with a solid knob; disabled is faint
/// and has neither.
fn switch(ui: &mut Ui, is_on: bool) -> Response {
    let theme = theme::of(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(44.0, size::CONTROL), Sense::click());
    let track = egui::Rect::from_center_size(rect.center(), vec2(40.0, 22.0));
    let x = if is_on { track.right() - 11.0 } else { track.left() + 11.0 };
    let knob = egui::pos2(x, track.center().y);
    let painter = ui.painter();
    match (ui.is_enabled(), is_on) {
        (true, true) => {
            painter.rect_filled(track, 11.0, theme.accent_fill);
            painter.circle_filled(knob, 8.0, theme.on_accent);
        }
        (true, false) => {
            let fill = if response.hovered() { theme.hover } else { theme.raised };
            let stroke = Stroke::new(1.5, theme.text);
            painter.rect(track, 11.0, fill, stroke, egui::StrokeKind::Inside);
            painter.circle_filled(knob, 6.0, theme.text);
        }
        (false, _) => {
            painter.rect_filled(track, 11.0, theme.hover);
            painter.circle_filled(knob, 7.0, theme.thumb);
        }
    }
    widgets::focus_ring(ui, &response, theme);
    response
}

/// The requested state of a switch; `None` for other values.
fn wish_of_switch(metric: &Metric, wish: &Value) -> Option<bool> {
    match wish {
        Value::Flag(flag) if metric.kind == MetricType::Flag => Some(*flag),
        _ => None,
    }
}

/// Whether the outcome of a command is still shown: until it is too old or the device has reported something
/// newer.
fn is_news(command: &Command, reading: &Reading, now: WallMs) -> bool {
    let age = now.since(command.at);
    let said_since = reading.received > command.at;
    match command.state {
        CommandState::Pending => true,
        CommandState::Done => age < DONE_MS && (!said_since || reading.value == command.value),
        // A reading received since then supersedes the outcome, also if it is the requested value.
        CommandState::Unknown | CommandState::Expired => {
            age < FAILED_MS && !(said_since && reading.value == command.value)
        }
        CommandState::Failed { .. } | CommandState::Refused { .. } => age < FAILED_MS,
    }
}

/// The outcome of the last command for a property. Takes up space even when empty, so that nothing moves.
fn outcome(ui: &mut Ui, cx: &Cx, facts: &Facts, metric: &Metric, command: Option<&Command>) {
    const MARK: f32 = 18.0;
    let theme = theme::of(ui);
    let size = vec2(ui.available_width(), size::SMALL_LINE);
    let (rect, place) = ui.allocate_exact_size(size, Sense::hover());
    let Some(command) = command else { return };
    let wish = value::reading(cx.words, metric, &command.value);
    let age = facts.hub_now.since(command.at);
    let words = cx.words.device_page;
    let switch = wish_of_switch(metric, &command.value);
    let text = (words.command)(&command.state, switch, &wish, &value::age(cx.words, age));
    let colour = match command.state {
        CommandState::Pending | CommandState::Done => theme.weak,
        CommandState::Unknown | CommandState::Expired => theme.warn,
        CommandState::Failed { .. } | CommandState::Refused { .. } => theme.bad,
    };
    let mark = egui::pos2(rect.left() + 7.0, rect.center().y);
    match command.state {
        CommandState::Pending => turning(ui, mark, colour, age),
        CommandState::Done => widgets::delivery_mark(ui.painter(), mark, widgets::Mark::Sent, theme),
        CommandState::Expired | CommandState::Unknown => {
            widgets::delivery_mark(ui.painter(), mark, widgets::Mark::Waiting, theme);
        }
        CommandState::Failed { .. } | CommandState::Refused { .. } => {
            widgets::delivery_mark(ui.painter(), mark, widgets::Mark::Failed, theme);
        }
    }
    let shown = widgets::cut(ui, &text, theme::small(), colour, rect.width() - MARK);
    let is_cut = shown.elided;
    let top = rect.center().y - shown.size().y / 2.0;
    ui.painter().galley(egui::pos2(rect.left() + MARK, top), shown, colour);
    // Screen readers announce a change of the outcome, but not of its age.
    let said = match command.state {
        CommandState::Done => (words.became)(&command.state),
        _ => text.clone(),
    };
    let spoken = widgets::spoken(ui, rect, place.id.with("outcome"), &text);
    widgets::live(ui, place.id.with("state"), &said);
    if is_cut {
        spoken.on_hover_text(text);
    }
}

/// A spinner that advances once a second, which is how often the page is redrawn anyway.
fn turning(ui: &Ui, centre: egui::Pos2, colour: egui::Color32, age: i64) {
    let begin = (age / 1_000).rem_euclid(8) as f32 * std::f32::consts::FRAC_PI_4;
    let points = (0..=12).map(|n| centre + Vec2::angled(begin + n as f32 * 0.36) * 5.0).collect();
    ui.painter().add(egui::Shape::line(points, Stroke::new(1.75, colour)));
}
