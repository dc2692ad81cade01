//! [`Control`]: the control of a setting. Each changes only the [`Preferences`] passed to it.

use egui::accesskit::Role;
use egui::{Label, RichText, Ui, UiBuilder, vec2};

use super::acts;
use super::table::{Setting, Text};
use crate::model::preferences::Preferences;
use crate::ui::Surroundings;
use crate::ui::icons::{self, Icon};
use crate::ui::text::Words;
use crate::ui::theme::{self, size, space};
use crate::ui::{Cx, widgets};

/// The control of a setting.
pub(super) enum Control {
    /// A choice among a few options.
    Choice(&'static [ChoiceOption]),
    /// A check box.
    Toggle(fn(&mut Preferences) -> &mut bool),
    /// A check box with a warning if the platform does not support the setting.
    Switch(Switch),
    /// A number that changes in steps.
    Steps(Steps),
    /// A button that shows a test notification.
    TryNotice,
    /// A button that resets all settings, after confirmation.
    Reset,
    /// Export and import of connections.
    Transfer,
    /// The data folder.
    Folder,
    /// The log files.
    Logs,
    /// Whether the app starts with the person's session: an entry in the system, not a preference.
    Autostart,
    /// Version and licences.
    About,
}

/// An option of a choice.
pub(super) struct ChoiceOption {
    pub(super) name: Text,
    /// Selects the option; no effect if it is already selected.
    pub(super) set: fn(&mut Preferences),
}

impl ChoiceOption {
    fn is_chosen(&self, preferences: &Preferences) -> bool {
        let mut chosen = *preferences;
        (self.set)(&mut chosen);
        chosen == *preferences
    }
}

/// A check box for a setting that the platform may not support.
pub(super) struct Switch {
    pub(super) flag: fn(&mut Preferences) -> &mut bool,
    /// The warning to show, if it is not supported.
    pub(super) against: fn(&Words, Surroundings) -> Option<&'static str>,
}

/// A number that changes in steps.
pub(super) struct Steps {
    pub(super) value: fn(&mut Preferences) -> &mut u16,
    /// All possible values, ascending.
    pub(super) steps: &'static [u16],
    /// The default.
    pub(super) usual: u16,
    pub(super) shown: fn(&Words, u16) -> String,
}

impl Setting {
    /// Draws the setting with its name and description.
    pub(super) fn show(&self, ui: &mut Ui, cx: &mut Cx, state: &mut State) {
        let words = cx.words;
        let (name, sentence) = ((self.name)(words), (self.sentence)(words));
        ui.add_space(space::SMALL);
        let switch = match &self.control {
            Control::Toggle(flag) => Some((*flag, None)),
            Control::Switch(switch) => Some((switch.flag, (switch.against)(words, state.around))),
            _ => None,
        };
        if let Some((flag, against)) = switch {
            // The check box has the name as its label.
            let toggle =
                ui.checkbox(flag(&mut state.chosen), RichText::new(name).font(theme::body()).strong());
            let said = against.map_or(sentence.to_owned(), |against| format!("{sentence} {against}"));
            ui.ctx().accesskit_node_builder(toggle.id, |node| node.set_description(said));
            widgets::explain(ui, sentence);
            return warn(ui, against);
        }
        if let Control::Autostart = self.control {
            return acts::autostart(ui, cx, name, sentence);
        }
        let is_choice = matches!(self.control, Control::Choice(_));
        let role = if is_choice { Role::RadioGroup } else { Role::Group };
        // For screen readers, what follows is grouped under the name.
        let group = UiBuilder::new().accessibility_label(name).accessibility_role(role);
        ui.scope_builder(group, |ui| {
            ui.ctx().accesskit_node_builder(ui.unique_id(), |node| node.set_description(sentence));
            ui.label(RichText::new(name).font(theme::body()).strong());
            widgets::explain(ui, sentence);
            ui.horizontal_wrapped(|ui| match &self.control {
                Control::Choice(options) => choice(ui, words, options, &mut state.chosen),
                Control::Steps(steps) => steps.show(ui, words, name, &mut state.chosen),
                Control::Reset => reset(ui, words, name, state),
                Control::Transfer => acts::transfer(ui, cx, &mut state.list),
                Control::Folder => acts::folder(ui, cx),
                Control::Logs => acts::logs(ui, cx),
                Control::About => acts::about(ui, words, &mut state.shows_licences),
                Control::TryNotice => try_notice(ui, words, state),
                Control::Toggle(_) | Control::Switch(_) | Control::Autostart => {}
            });
        });
    }
}

/// What the controls change.
pub(super) struct State {
    /// The preferences, for the window to follow.
    pub(super) chosen: Preferences,
    /// Capabilities of the platform.
    pub(super) around: Surroundings,
    /// Whether a test notification was requested.
    pub(super) tries_notice: bool,
    /// Whether the confirmation of a reset is open.
    asks: bool,
    /// The text pasted for the import of connections.
    pub(super) list: String,
    pub(super) shows_licences: bool,
}

impl State {
    pub(super) fn new(chosen: Preferences) -> State {
        State {
            chosen,
            around: Surroundings::default(),
            tries_notice: false,
            asks: false,
            list: String::new(),
            shows_licences: false,
        }
    }
}

fn try_notice(ui: &mut Ui, words: &Words, state: &mut State) {
    state.tries_notice |= ui.add(widgets::plain(words.notices.trial_button)).clicked();
    warn(ui, (state.around.notices == Some(false)).then_some(words.notices.no_service));
}

pub(super) fn warn(ui: &mut Ui, against: Option<&str>) {
    if let Some(against) = against {
        let text = RichText::new(against).font(theme::small()).color(theme::of(ui).warn);
        let shown = ui.add(Label::new(text).wrap());
        widgets::live(ui, shown.id, against);
    }
}

fn reset(ui: &mut Ui, words: &Words, name: &str, state: &mut State) {
    let usual = Preferences::default();
    if !state.asks {
        let ask = ui.add_enabled(state.chosen != usual, widgets::plain(words.sheet.reset));
        ask.clone().accessible_name(name);
        state.asks = ask.clicked();
        return;
    }
    let question = ui.label(RichText::new(words.sheet.reset_question).color(theme::of(ui).warn));
    widgets::live(ui, question.id, words.sheet.reset_question);
    if ui.add(widgets::plain(words.sheet.reset_really)).clicked() {
        (state.chosen, state.asks) = (usual, false);
    }
    if ui.add(widgets::plain(words.cancel)).clicked() {
        state.asks = false;
    }
}

fn choice(ui: &mut Ui, words: &Words, options: &[ChoiceOption], chosen: &mut Preferences) {
    ui.spacing_mut().item_spacing.x = space::MEDIUM;
    for option in options {
        if ui.radio(option.is_chosen(chosen), (option.name)(words)).clicked() {
            (option.set)(chosen);
        }
    }
}

impl Steps {
    fn show(&self, ui: &mut Ui, words: &Words, name: &str, chosen: &mut Preferences) {
        let value = (self.value)(chosen);
        let less = self.steps.iter().rev().copied().find(|step| *step < *value);
        let more = self.steps.iter().copied().find(|step| *step > *value);
        let button = || widgets::plain("").min_size(vec2(size::CONTROL + 4.0, size::CONTROL));
        for (icon, step, said) in
            [(Icon::Minus, less, words.sheet.less), (Icon::Plus, more, words.sheet.more)]
        {
            if icon == Icon::Plus {
                let shown = ui.label((self.shown)(words, *value));
                widgets::live(ui, shown.id, &(self.shown)(words, *value));
            }
            let pressed = ui.add_enabled(step.is_some(), button());
            let colour = if step.is_some() { theme::of(ui).text } else { theme::of(ui).weak };
            icons::paint(ui.painter(), pressed.rect.center(), icon, 14.0, colour);
            if let (true, Some(step)) = (pressed.clicked(), step) {
                *value = step;
            }
            pressed.accessible_name(said(name));
        }
        let reset = ui.add_enabled(*value != self.usual, widgets::plain(words.sheet.reset));
        if reset.clicked() {
            *value = self.usual;
        }
        reset.accessible_name((words.sheet.usual)(name));
    }
}
