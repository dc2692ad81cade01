//! The dialogs in which a person names a device or puts it into a group.

use egui::{Key, Label, RichText, TextEdit, Ui, vec2};

use super::acts::Subject;
use crate::model::device_choices::{DeviceChange, MAX_CHOSEN_NAME_CHARS};
use crate::model::{harmless, name};
use crate::ui::theme::{self, size};
use crate::ui::{Cx, sheet, widgets};

/// Maximum number of groups offered.
const MAX_OFFERED: usize = 12;

/// What is named.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// The device.
    Name,
    /// Its group.
    Group,
}

/// An open dialog.
pub(super) struct Naming {
    what: What,
    subject: Subject,
    text: String,
    fresh: bool,
    /// What was typed is no name.
    refused: bool,
    /// Groups that there are.
    groups: Vec<String>,
}

/// What came of it.
pub(super) enum Outcome {
    /// It stays open.
    Open,
    /// It is closed, and this is to be changed.
    Closed(Option<DeviceChange>),
}

impl Naming {
    /// For a device.
    pub(super) fn new(cx: &Cx, what: What, subject: Subject) -> Naming {
        let groups = match what {
            What::Name => Vec::new(),
            What::Group => cx.model.read(|model| {
                let choices = model.connections.values().flat_map(|of| of.device_choices.values());
                let mut all: Vec<String> = choices.map(|choice| choice.group.clone()).collect();
                all.retain(|group| !group.is_empty() && *group != subject.choice.group);
                all.sort_unstable();
                all.dedup();
                all.truncate(MAX_OFFERED);
                all
            }),
        };
        let text = match what {
            What::Name => subject.choice.name.clone(),
            What::Group => subject.choice.group.clone(),
        };
        Naming { what, subject, text, fresh: true, refused: false, groups }
    }

    /// Of which device.
    pub(super) fn subject(&self) -> &Subject {
        &self.subject
    }

    /// Draws it.
    pub(super) fn show(&mut self, ui: &Ui, cx: &Cx) -> Outcome {
        let title = self.title(cx);
        let shown = sheet::show(ui, "device naming", &title, size::DIALOG, |ui| self.content(ui, cx, &title));
        let escape = shown.is_top_modal && ui.input(|input| input.key_pressed(Key::Escape));
        if escape { Outcome::Closed(None) } else { shown.inner }
    }

    fn title(&self, cx: &Cx) -> String {
        let words = cx.words.device_acts;
        match self.what {
            What::Name => (words.rename_title)(&self.subject.name),
            What::Group => (words.group_title)(&self.subject.name),
        }
    }

    fn content(&mut self, ui: &mut Ui, cx: &Cx, title: &str) -> Outcome {
        let theme = theme::of(ui);
        let words = cx.words.device_acts;
        let subject = &self.subject;
        let (label, text) = match self.what {
            What::Name => (words.name, words.rename_text),
            What::Group => (words.group_name, words.group_text),
        };
        sheet::title(ui, title);
        let weak = |text: &str| Label::new(RichText::new(text).font(theme::small()).color(theme.weak)).wrap();
        ui.add(weak(&(words.on_server)(&subject.announced, &harmless::line(subject.device.as_str(), 64))));
        let entered = self.field(ui, label);
        // The line has its place whether it says anything.
        if self.refused {
            let said = (words.bad_name)(MAX_CHOSEN_NAME_CHARS);
            let shown = ui.add(Label::new(RichText::new(&said).font(theme::small()).color(theme.bad)).wrap());
            widgets::live(ui, shown.id, &said);
        } else {
            ui.add(weak(text));
        }
        let mut outcome = self.offers(ui, cx);
        ui.horizontal_wrapped(|ui| {
            if ui.add(widgets::primary(theme, cx.words.save)).clicked() || entered {
                outcome = self.give();
            }
            if ui.add(widgets::plain(cx.words.cancel)).clicked() {
                outcome = Outcome::Closed(None);
            }
        });
        outcome
    }

    /// Returns whether Enter was pressed.
    fn field(&mut self, ui: &mut Ui, label: &str) -> bool {
        let hint = if self.what == What::Name { self.subject.announced.as_str() } else { label };
        let edit = TextEdit::singleline(&mut self.text)
            .hint_text(hint)
            .return_key(None)
            .char_limit(4 * MAX_CHOSEN_NAME_CHARS)
            .desired_width(f32::INFINITY)
            .align(egui::Align2::LEFT_CENTER)
            .min_size(vec2(0.0, size::CONTROL));
        let edit = ui.add(edit).accessible_name(label);
        if std::mem::take(&mut self.fresh) {
            edit.request_focus();
        }
        if edit.changed() {
            self.refused = false;
        }
        edit.has_focus() && ui.input(|input| input.key_pressed(Key::Enter))
    }

    /// What can be chosen instead of typed.
    fn offers(&self, ui: &mut Ui, cx: &Cx) -> Outcome {
        let words = cx.words.device_acts;
        let choice = &self.subject.choice;
        let mut outcome = Outcome::Open;
        ui.horizontal_wrapped(|ui| {
            for group in &self.groups {
                let shown = harmless::line(group, 24);
                let button = ui.add(widgets::plain(&shown));
                widgets::named(ui, &button, &(words.use_group)(&shown));
                if button.clicked() {
                    outcome = Outcome::Closed(Some(DeviceChange::Group(group.clone())));
                }
            }
            let reset = match self.what {
                What::Name if !choice.name.is_empty() => {
                    Some((words.reset_name, DeviceChange::Name(String::new())))
                }
                What::Group if !choice.group.is_empty() => {
                    Some((words.no_group, DeviceChange::Group(String::new())))
                }
                _ => None,
            };
            if let Some((name, change)) = reset
                && ui.add(widgets::plain(name)).clicked()
            {
                outcome = Outcome::Closed(Some(change));
            }
        });
        outcome
    }

    fn give(&mut self) -> Outcome {
        let text = match self.text.trim() {
            "" => Ok(String::new()),
            typed => name::make(typed, MAX_CHOSEN_NAME_CHARS),
        };
        match (text, self.what) {
            (Ok(text), What::Name) => Outcome::Closed(Some(DeviceChange::Name(text))),
            (Ok(text), What::Group) => Outcome::Closed(Some(DeviceChange::Group(text))),
            (Err(_), _) => {
                self.refused = true;
                Outcome::Open
            }
        }
    }
}
