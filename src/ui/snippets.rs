//! The dialog in which messages that are sent with one click are added, changed, put in order and deleted.

use egui::accesskit::Role;
use egui::{Button, ScrollArea, TextEdit, Ui, vec2};

use super::dialog::Fate;
use super::harmless;
use super::theme::{self, size, space};
use super::{Cx, sheet, widgets};
use crate::model::id::ConnectionId;
use crate::model::intent::{Intent, LinkIntent};
use crate::model::profile::{FrameFormat, MAX_SNIPPET_BYTES, MAX_SNIPPET_NAME_CHARS, MAX_SNIPPETS, Snippet};

/// What a snippet without a name is called by, in characters of its text.
const EXCERPT_CHARS: usize = 24;

/// What a snippet is called on a button.
pub(super) fn title(snippet: &Snippet) -> String {
    match snippet.name.trim() {
        "" => harmless::line(snippet.text.trim(), EXCERPT_CHARS),
        name => harmless::line(name, EXCERPT_CHARS),
    }
}

/// The dialog's own state.
pub(super) struct Sheet {
    connection: ConnectionId,
    snippets: Vec<Snippet>,
    chosen: usize,
    wants_focus: bool,
}

impl Sheet {
    /// For the snippets of a connection; with one more, which is to be named, where there is one and room for it.
    pub(super) fn new(cx: &Cx, connection: ConnectionId, more: Option<Snippet>) -> Option<Sheet> {
        let mut snippets = cx
            .model
            .read(|model| Some(model.connections.get(&connection)?.profile.websocket.snippets.clone()))?;
        if let Some(more) = more.filter(|_| snippets.len() < MAX_SNIPPETS) {
            snippets.push(more);
        }
        let chosen = snippets.len().saturating_sub(1);
        Some(Sheet { connection, snippets, chosen, wants_focus: true })
    }

    /// Draws it.
    pub(super) fn show(&mut self, ui: &mut Ui, cx: &mut Cx, window_height: f32) -> Fate {
        let words = cx.words.plain;
        sheet::title(ui, words.snippets);
        let most = (window_height - 190.0).max(160.0);
        ScrollArea::vertical().max_height(most).auto_shrink([false, true]).show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = space::TINY;
            if self.snippets.is_empty() {
                ui.label(words.no_snippets);
            }
            self.list(ui, cx);
            let full = self.snippets.len() >= MAX_SNIPPETS;
            if full {
                ui.label(words.snippets_full);
            } else if ui.add(widgets::plain(words.add_snippet)).clicked() {
                let format = FrameFormat::default();
                self.snippets.push(Snippet { name: String::new(), text: String::new(), format });
                self.chosen = self.snippets.len() - 1;
                self.wants_focus = true;
            }
            self.editor(ui, cx);
        });
        ui.add_space(space::SMALL);
        let fits = self.snippets.iter().all(|snippet| snippet.text.len() <= MAX_SNIPPET_BYTES);
        let mut fate = Fate::Open;
        ui.horizontal(|ui| {
            if ui.add_enabled(fits, widgets::primary(theme::of(ui), cx.words.save)).clicked() {
                // What was added and left empty is none.
                self.snippets.retain(|snippet| !snippet.text.trim().is_empty());
                let snippets = std::mem::take(&mut self.snippets);
                cx.intents.push(Intent::Link(LinkIntent::SetSnippets(self.connection, snippets)));
                fate = Fate::Closed;
            }
            if ui.add(widgets::plain(cx.words.cancel)).clicked() {
                fate = Fate::Closed;
            }
        });
        fate
    }

    fn list(&mut self, ui: &mut Ui, cx: &Cx) {
        for (at, snippet) in self.snippets.iter().enumerate() {
            let mut name = title(snippet);
            if name.is_empty() {
                name = (cx.words.plain.snippet)(at + 1);
            }
            let is_chosen = at == self.chosen;
            let button = Button::new(&name).selected(is_chosen).truncate();
            let button = ui.add_sized(vec2(ui.available_width(), size::CONTROL), button);
            ui.ctx().accesskit_node_builder(button.id, |node| {
                node.set_role(Role::ListItem);
                node.set_selected(is_chosen);
            });
            if button.clicked() {
                self.chosen = at;
            }
        }
    }

    fn editor(&mut self, ui: &mut Ui, cx: &Cx) {
        let words = cx.words.plain;
        let (at, count) = (self.chosen, self.snippets.len());
        let Some(snippet) = self.snippets.get_mut(at) else { return };
        ui.add_space(space::SMALL);
        let name = TextEdit::singleline(&mut snippet.name)
            .hint_text(words.snippet_name)
            .char_limit(MAX_SNIPPET_NAME_CHARS)
            .desired_width(f32::INFINITY);
        let name = ui.add(name).accessible_name(words.snippet_name);
        if std::mem::take(&mut self.wants_focus) {
            name.request_focus();
        }
        let text = TextEdit::multiline(&mut snippet.text)
            .hint_text(words.snippet_text)
            .char_limit(MAX_SNIPPET_BYTES)
            .code_editor()
            .lock_focus(false)
            .desired_rows(4)
            .desired_width(f32::INFINITY);
        ScrollArea::vertical().id_salt("snippet text").max_height(160.0).show(ui, |ui| {
            ui.add(text).accessible_name(words.snippet_text);
        });
        if snippet.text.len() > MAX_SNIPPET_BYTES {
            ui.colored_label(theme::of(ui).bad, words.snippet_long);
        }
        ui.horizontal_wrapped(|ui| {
            formats(ui, cx, &mut snippet.format);
        });
        ui.horizontal_wrapped(|ui| {
            if ui.add_enabled(at > 0, widgets::plain(words.move_up)).clicked() {
                self.snippets.swap(at, at - 1);
                self.chosen -= 1;
            }
            if ui.add_enabled(at + 1 < count, widgets::plain(words.move_down)).clicked() {
                self.snippets.swap(at, at + 1);
                self.chosen += 1;
            }
            if ui.add(widgets::plain(words.delete_snippet)).clicked() {
                self.snippets.remove(at);
                self.chosen = at.min(count.saturating_sub(2));
            }
        });
    }
}

/// The choice of how a text becomes a frame. Returns whether it was changed.
pub(super) fn formats(ui: &mut Ui, cx: &Cx, chosen: &mut FrameFormat) -> bool {
    let words = cx.words.plain;
    widgets::small_label(ui, words.send_as);
    let mut changed = false;
    for (format, name) in
        [(FrameFormat::Text, words.text), (FrameFormat::Json, words.json), (FrameFormat::Hex, words.hex)]
    {
        changed |= ui.radio_value(chosen, format, name).changed();
    }
    changed
}
