//! The dialogs that rename a device or assign it to a group.

use egui::{Key, Label, RichText, TextEdit, Ui, vec2};

use super::acts::Subject;
use super::corrections::Outcome;
use crate::model::device_choices::{DeviceChange, MAX_CHOSEN_NAME_CHARS};
use crate::model::{harmless, name};
use crate::ui::theme::{self, size};
use crate::ui::{Cx, sheet, widgets};

/// Maximum number of existing groups offered.
const MAX_OFFERED: usize = 12;

/// What the dialog edits.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum NamedItem {
    /// The device's name.
    Name,
    /// The device's group.
    Group,
}

/// The open dialog.
pub(super) struct NamingDialog {
    what: NamedItem,
    subject: Subject,
    text: String,
    fresh: bool,
    /// Whether the typed text was rejected as invalid.
    refused: bool,
    /// Names of the existing groups.
    groups: Vec<String>,
}

impl NamingDialog {
    /// Opens the dialog for a device.
    pub(super) fn new(cx: &Cx, what: NamedItem, subject: Subject) -> NamingDialog {
        let groups = match what {
            NamedItem::Name => Vec::new(),
            NamedItem::Group => cx.model.read(|model| {
                let choices = model.connections.values().flat_map(|of| of.devices.choices().values());
                let mut all: Vec<String> = choices.map(|choice| choice.group.clone()).collect();
                all.retain(|group| !group.is_empty() && *group != subject.choice.group);
                all.sort_unstable();
                all.dedup();
                all.truncate(MAX_OFFERED);
                all
            }),
        };
        let text = match what {
            NamedItem::Name => subject.choice.name.clone(),
            NamedItem::Group => subject.choice.group.clone(),
        };
        NamingDialog { what, subject, text, fresh: true, refused: false, groups }
    }

    /// The device being edited.
    pub(super) fn subject(&self) -> &Subject {
        &self.subject
    }

    /// Draws the dialog.
    pub(super) fn show(&mut self, ui: &Ui, cx: &Cx) -> Outcome<DeviceChange> {
        let title = self.title(cx);
        let shown = sheet::show(ui, "device naming", &title, size::DIALOG, |ui| self.content(ui, cx, &title));
        let escape = sheet::is_escaped(ui, &shown);
        if escape { Outcome::Closed(None) } else { shown.inner }
    }

    fn title(&self, cx: &Cx) -> String {
        let words = cx.words.device_acts;
        match self.what {
            NamedItem::Name => (words.rename_title)(&self.subject.name),
            NamedItem::Group => (words.group_title)(&self.subject.name),
        }
    }

    fn content(&mut self, ui: &mut Ui, cx: &Cx, title: &str) -> Outcome<DeviceChange> {
        let theme = theme::of(ui);
        let words = cx.words.device_acts;
        let subject = &self.subject;
        let (label, text) = match self.what {
            NamedItem::Name => (words.name, words.rename_text),
            NamedItem::Group => (words.group_name, words.group_text),
        };
        sheet::title(ui, title);
        widgets::explain(
            ui,
            (words.on_server)(&subject.announced, &harmless::line(subject.device.as_str(), 64)),
        );
        let entered = self.field(ui, label);
        // Takes up space even when empty, so that nothing moves.
        if self.refused {
            let said = (words.bad_name)(MAX_CHOSEN_NAME_CHARS);
            let shown = ui.add(Label::new(RichText::new(&said).font(theme::small()).color(theme.bad)).wrap());
            widgets::live(ui, shown.id, &said);
        } else {
            widgets::explain(ui, text);
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

    /// Draws the text field. Returns whether Enter was pressed.
    fn field(&mut self, ui: &mut Ui, label: &str) -> bool {
        let hint = if self.what == NamedItem::Name { self.subject.announced.as_str() } else { label };
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

    /// Existing groups and other choices that need no typing.
    fn offers(&self, ui: &mut Ui, cx: &Cx) -> Outcome<DeviceChange> {
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
                NamedItem::Name if !choice.name.is_empty() => {
                    Some((words.reset_name, DeviceChange::Name(String::new())))
                }
                NamedItem::Group if !choice.group.is_empty() => {
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

    fn give(&mut self) -> Outcome<DeviceChange> {
        let text = match self.text.trim() {
            "" => Ok(String::new()),
            typed => name::make(typed, MAX_CHOSEN_NAME_CHARS),
        };
        match (text, self.what) {
            (Ok(text), NamedItem::Name) => Outcome::Closed(Some(DeviceChange::Name(text))),
            (Ok(text), NamedItem::Group) => Outcome::Closed(Some(DeviceChange::Group(text))),
            (Err(_), _) => {
                self.refused = true;
                Outcome::Open
            }
        }
    }
}
