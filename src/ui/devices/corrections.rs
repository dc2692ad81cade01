//! The dialogs that correct what a device shows: names, units and visibility of its readings, and which devices are one.

use egui::{Label, ScrollArea, TextEdit, Ui, vec2};

use super::acts::Subject;
use super::rows;
use crate::model::device::{DeviceId, MetricName};
use crate::model::device_choices::{
    DeviceChange, MAX_CHOSEN_NAME_CHARS, MAX_CHOSEN_UNIT_CHARS, ReadingChoice, ReadingChoices,
};
use crate::model::harmless;
use crate::model::mqtt::{MAX_MERGED, MergedDevices};
use crate::model::search::fold::folded_name;
use crate::ui::theme::{self, size, space};
use crate::ui::{Cx, sheet, widgets};

/// Maximum number of devices offered at once; a filter finds the others.
const MAX_OFFERED: usize = 50;
/// Width of a unit's field, in points.
const UNIT_WIDTH: f32 = 88.0;
/// Height of the list of readings or devices that is left for the rest of the dialog, in points.
const REST_HEIGHT: f32 = 260.0;

/// State of a dialog after a frame.
pub(super) enum Outcome<T> {
    /// Still open.
    Open,
    /// Closed, with what to change, if anything.
    Closed(Option<T>),
}

/// A reading in the dialog.
struct Line {
    metric: MetricName,
    announced_unit: String,
    before: ReadingChoice,
    name: String,
    unit: String,
    shown: bool,
}

/// The dialog about a device's readings.
pub(super) struct ReadingsDialog {
    subject: Subject,
    lines: Vec<Line>,
    fresh: bool,
}

impl ReadingsDialog {
    /// Opens the dialog for a device.
    pub(super) fn new(cx: &Cx, subject: Subject) -> ReadingsDialog {
        let choices = &subject.choice.readings;
        let lines = cx.model.read(|model| {
            let device = model.connections.get(&subject.connection)?.devices.get(subject.device.as_str())?;
            let line = |metric: &MetricName| {
                let announced = device.spec.metric(metric.as_str());
                let announced_unit = announced.map_or_else(String::new, |metric| metric.unit.clone());
                let before = choices.get(metric).cloned().unwrap_or_default();
                let unit = before.unit.clone().unwrap_or_else(|| announced_unit.clone());
                let (name, shown) = (before.name.clone(), !before.hidden);
                Line { metric: metric.clone(), announced_unit, before, name, unit, shown }
            };
            Some(device.latest.iter().map(|latest| line(&latest.metric.name)).collect())
        });
        ReadingsDialog { subject, lines: lines.unwrap_or_default(), fresh: true }
    }

    /// The device.
    pub(super) fn subject(&self) -> &Subject {
        &self.subject
    }

    /// Draws the dialog.
    pub(super) fn show(&mut self, ui: &Ui, cx: &Cx) -> Outcome<DeviceChange> {
        let title = (cx.words.device_acts.readings_title)(&self.subject.name);
        let shown =
            sheet::show(ui, "device readings", &title, size::WIDE_DIALOG, |ui| self.content(ui, cx, &title));
        let escape = sheet::is_escaped(ui, &shown);
        if escape { Outcome::Closed(None) } else { shown.inner }
    }

    fn content(&mut self, ui: &mut Ui, cx: &Cx, title: &str) -> Outcome<DeviceChange> {
        let words = cx.words.device_acts;
        sheet::title(ui, title);
        widgets::explain(ui, words.readings_text);
        if self.lines.is_empty() {
            widgets::explain(ui, cx.words.device_page.no_readings);
        }
        let height = (ui.ctx().content_rect().height() - REST_HEIGHT).max(3.0 * size::CONTROL);
        let row = size::CONTROL;
        let scroll = ScrollArea::vertical().id_salt("readings").max_height(height);
        scroll.auto_shrink([false, true]).show_rows(ui, row, self.lines.len(), |ui, range| {
            for at in range {
                let is_first = at == 0 && std::mem::take(&mut self.fresh);
                if let Some(line) = self.lines.get_mut(at) {
                    line.show(ui, cx, is_first);
                }
            }
        });
        let mut outcome = Outcome::Open;
        ui.horizontal_wrapped(|ui| {
            if ui.add(widgets::primary(theme::of(ui), cx.words.save)).clicked() {
                let readings = self.lines.iter().filter_map(Line::choice).collect();
                outcome = Outcome::Closed(Some(self.change(readings)));
            }
            if ui.add(widgets::plain(cx.words.cancel)).clicked() {
                outcome = Outcome::Closed(None);
            }
            let has_any = !self.subject.choice.readings.is_empty();
            if has_any && ui.add(widgets::plain(words.reset_readings)).clicked() {
                outcome = Outcome::Closed(Some(DeviceChange::Readings(ReadingChoices::new())));
            }
        });
        outcome
    }

    /// What was chosen for readings that the device has not announced this time stays.
    fn change(&self, mut readings: ReadingChoices) -> DeviceChange {
        for (metric, choice) in &self.subject.choice.readings {
            if self.lines.iter().all(|line| line.metric != *metric) {
                readings.insert(metric.clone(), choice.clone());
            }
        }
        DeviceChange::Readings(readings)
    }
}

impl Line {
    fn show(&mut self, ui: &mut Ui, cx: &Cx, is_first: bool) {
        let words = cx.words.device_acts;
        let own = harmless::line(self.metric.as_str(), 64);
        ui.horizontal(|ui| {
            let shown = ui.checkbox(&mut self.shown, "");
            if is_first {
                shown.request_focus();
            }
            widgets::named(ui, &shown, &(words.show_reading)(&own));
            let gap = ui.spacing().item_spacing.x;
            let width = (ui.available_width() - UNIT_WIDTH - gap - size::SCROLL).max(80.0);
            let field = |text, hint: &str, width: f32, most: usize| {
                TextEdit::singleline(text)
                    .hint_text(hint.to_owned())
                    .char_limit(most)
                    .desired_width(width)
                    .align(egui::Align2::LEFT_CENTER)
                    .min_size(vec2(0.0, size::CONTROL))
            };
            ui.add(field(&mut self.name, &own, width, MAX_CHOSEN_NAME_CHARS))
                .accessible_name((words.reading_name)(&own));
            ui.add(field(&mut self.unit, words.no_unit, UNIT_WIDTH, MAX_CHOSEN_UNIT_CHARS))
                .accessible_name((words.reading_unit)(&own));
        });
    }

    /// What is chosen for it; `None` for nothing.
    fn choice(&self) -> Option<(MetricName, ReadingChoice)> {
        let unit = self.unit.trim();
        let unit = (unit != self.announced_unit.trim()).then_some(unit);
        let name = if self.name.trim() == self.metric.as_str() { "" } else { self.name.trim() };
        let choice = ReadingChoice::new(name, unit, !self.shown).with_unknown_of(&self.before);
        (!choice.is_default()).then(|| (self.metric.clone(), choice))
    }
}

/// A device that can be chosen.
struct Offered {
    device: DeviceId,
    title: String,
    folded: String,
}

/// The dialog that says which devices are one.
pub(super) struct MergeDialog {
    subject: Subject,
    merged: MergedDevices,
    /// All others of the connection, by title.
    others: Vec<Offered>,
    filter: String,
    fresh: bool,
}

impl MergeDialog {
    /// Opens the dialog for a device.
    pub(super) fn new(cx: &Cx, subject: Subject) -> MergeDialog {
        let found = cx.model.read(|model| {
            let of = model.connections.get(&subject.connection)?;
            let others =
                of.devices.iter().filter(|device| !device.is_local() && device.spec.id != subject.device);
            let offered = |device: &crate::model::devices::Device| {
                let (name, mark) = of.device_name(&device.spec);
                let title = rows::title(name, device.spec.id.as_str(), mark.as_deref());
                Offered { device: device.spec.id.clone(), folded: folded_name(&title), title }
            };
            Some((of.profile.websocket.mqtt.merged.clone(), others.map(offered).collect::<Vec<_>>()))
        });
        let (merged, mut others) = found.unwrap_or_default();
        others.sort_by(|one, other| (&one.folded, &one.device).cmp(&(&other.folded, &other.device)));
        MergeDialog { subject, merged, others, filter: String::new(), fresh: true }
    }

    /// The device.
    pub(super) fn subject(&self) -> &Subject {
        &self.subject
    }

    /// What was merged before.
    pub(super) fn before(&self) -> &MergedDevices {
        &self.merged
    }

    /// Draws the dialog.
    pub(super) fn show(&mut self, ui: &Ui, cx: &Cx) -> Outcome<MergedDevices> {
        let title = (cx.words.device_acts.merge_title)(&self.subject.name);
        let shown =
            sheet::show(ui, "device merging", &title, size::DIALOG, |ui| self.content(ui, cx, &title));
        let escape = sheet::is_escaped(ui, &shown);
        if escape { Outcome::Closed(None) } else { shown.inner }
    }

    fn content(&mut self, ui: &mut Ui, cx: &Cx, title: &str) -> Outcome<MergedDevices> {
        let words = cx.words.device_acts;
        sheet::title(ui, title);
        let mut chosen = self.parts(ui, cx);
        widgets::explain(ui, words.merge_text);
        let is_full = self.merged.len() >= MAX_MERGED;
        if is_full {
            widgets::explain(ui, (words.merge_full)(MAX_MERGED));
        } else if self.others.is_empty() {
            widgets::explain(ui, words.merge_nothing);
        } else {
            chosen = self.offers(ui, cx).or(chosen);
        }
        let cancelled = ui.add(widgets::plain(cx.words.cancel)).clicked();
        match chosen {
            Some(merged) => Outcome::Closed(Some(merged)),
            None if cancelled => Outcome::Closed(None),
            None => Outcome::Open,
        }
    }

    /// The devices that are shown as parts of this one.
    fn parts(&self, ui: &mut Ui, cx: &Cx) -> Option<MergedDevices> {
        let words = cx.words.device_acts;
        let own = self.merged.iter().filter(|(_, whole)| **whole == self.subject.device);
        let mut separated = None;
        for (part, _) in own {
            let name = harmless::line(part.as_str(), 64);
            ui.horizontal_wrapped(|ui| {
                ui.add(Label::new((words.merged_part)(&name)).truncate());
                let button = ui.add(widgets::plain(words.separate));
                widgets::named(ui, &button, &(words.separate_part)(&name));
                if button.clicked() {
                    separated = Some(part.clone());
                }
            });
        }
        separated.map(|part| {
            let mut merged = self.merged.clone();
            merged.remove(&part);
            merged
        })
    }

    fn offers(&mut self, ui: &mut Ui, cx: &Cx) -> Option<MergedDevices> {
        let words = cx.words.device_acts;
        let edit = TextEdit::singleline(&mut self.filter)
            .hint_text(words.merge_filter)
            .char_limit(MAX_CHOSEN_NAME_CHARS)
            .desired_width(f32::INFINITY)
            .align(egui::Align2::LEFT_CENTER)
            .min_size(vec2(0.0, size::CONTROL));
        let edit = ui.add(edit).accessible_name(words.merge_filter);
        if std::mem::take(&mut self.fresh) {
            edit.request_focus();
        }
        let wanted = folded_name(self.filter.trim());
        let fits = |offered: &&Offered| {
            offered.folded.contains(&wanted) || folded_name(offered.device.as_str()).contains(&wanted)
        };
        let count = self.others.iter().filter(fits).count();
        let mut chosen = None;
        let height = (ui.ctx().content_rect().height() - REST_HEIGHT).max(3.0 * size::CONTROL);
        ScrollArea::vertical().id_salt("devices").max_height(height).auto_shrink([false, true]).show(
            ui,
            |ui| {
                ui.spacing_mut().item_spacing.y = space::TINY;
                for offered in self.others.iter().filter(fits).take(MAX_OFFERED) {
                    let button = ui.add(widgets::plain(&offered.title).truncate());
                    widgets::named(ui, &button, &(words.merge_with)(&offered.title));
                    if button.clicked() {
                        chosen = Some(offered.device.clone());
                    }
                }
            },
        );
        if count == 0 {
            widgets::explain(ui, words.merge_none_fits);
        } else if count > MAX_OFFERED {
            widgets::explain(ui, (words.merge_more)(count - MAX_OFFERED));
        }
        chosen.map(|whole| self.with(whole))
    }

    /// With this device, and its parts, as parts of another.
    fn with(&self, whole: DeviceId) -> MergedDevices {
        let mut merged = self.merged.clone();
        merged
            .values_mut()
            .filter(|known| **known == self.subject.device)
            .for_each(|known| *known = whole.clone());
        merged.insert(self.subject.device.clone(), whole);
        merged
    }
}
