//! The formatting toolbar above what is typed.

use egui::text::CCursor;
use egui::text_edit::TextEditState;
use egui::text_selection::CCursorRange;
use egui::{Id, TextEdit, Ui, vec2};

use super::marked;
use crate::ui::icons::Icon;
use crate::ui::keys::{self, Action};
use crate::ui::theme::space;
use crate::ui::{Cx, widgets};

/// What can be done with what is typed.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Bold,
    Italic,
    Code,
    Link,
    List,
    Quote,
}

/// Draws the toolbar. Returns what was chosen.
pub(super) fn show(ui: &mut Ui, cx: &Cx) -> Option<Format> {
    let words = cx.words.chat;
    let name_of = cx.words.keys.action;
    let of_keys = |action: Action| (name_of(action), keys::hint(ui.ctx(), name_of(action), action));
    let [bold, italic, code] = [Action::Bold, Action::Italic, Action::Code].map(of_keys);
    let all = [
        (Icon::Bold, bold, Format::Bold),
        (Icon::Italic, italic, Format::Italic),
        (Icon::Code, code, Format::Code),
        (Icon::Link, (words.link, words.link.to_owned()), Format::Link),
        (Icon::List, (words.list, words.list.to_owned()), Format::List),
        (Icon::Quote, (words.quote, words.quote.to_owned()), Format::Quote),
    ];
    let mut chosen = None;
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing = vec2(space::TINY / 2.0, 0.0);
        ui.spacing_mut().button_padding = vec2(space::TINY, 0.0);
        for (icon, (name, hint), format) in all {
            if widgets::icon_button(ui, icon, name, &hint, false).clicked() {
                chosen = Some(format);
            }
        }
    });
    chosen
}

/// What keys choose, of what was pressed.
pub(super) fn by_keys(ui: &Ui) -> Option<Format> {
    let pressed = |action| {
        keys::of(action).iter().any(|shortcut| ui.input_mut(|input| input.consume_shortcut(shortcut)))
    };
    let all = [(Action::Bold, Format::Bold), (Action::Italic, Format::Italic), (Action::Code, Format::Code)];
    all.into_iter().find(|(action, _)| pressed(*action)).map(|(_, format)| format)
}

/// Where the cursor of a field is, or what is selected there. `last`: where it was while the field had the focus, which it
/// loses to a button.
fn selected(state: &TextEditState, text: &str, last: Option<CCursorRange>) -> [usize; 2] {
    let end = text.chars().count();
    match last.or(state.cursor.char_range()) {
        Some(range) => range.sorted_cursors().map(|cursor| cursor.index.0.min(end)),
        None => [end; 2],
    }
}

/// Formats what is selected in the field of this id, or what will be typed there.
pub(super) fn apply(ui: &Ui, id: Id, text: &mut String, format: Format, last: Option<CCursorRange>) {
    let mut state = TextEdit::load_state(ui.ctx(), id).unwrap_or_default();
    let [from, to] = selected(&state, text, last);
    let (from, to) = match format {
        Format::Bold => marked::toggle(text, from, to, "**"),
        Format::Italic => marked::toggle(text, from, to, "*"),
        Format::Code => marked::toggle(text, from, to, "`"),
        Format::Link => marked::link(text, from, to),
        Format::List => marked::toggle_lines(text, from, to, "- "),
        Format::Quote => marked::toggle_lines(text, from, to, "> "),
    };
    state.cursor.set_char_range(Some(CCursorRange::two(CCursor::new(from), CCursor::new(to))));
    TextEdit::store_state(ui.ctx(), id, state);
}

/// Puts a text where the cursor is, in the place of what is selected.
pub(super) fn insert(ui: &Ui, id: Id, text: &mut String, more: &str, last: Option<CCursorRange>) {
    let mut state = TextEdit::load_state(ui.ctx(), id).unwrap_or_default();
    let [from, to] = selected(&state, text, last);
    let byte = |index: usize| text.char_indices().nth(index).map_or(text.len(), |(at, _)| at);
    let place = byte(from)..byte(to);
    text.replace_range(place, more);
    let cursor = CCursor::new(from + more.chars().count());
    state.cursor.set_char_range(Some(CCursorRange::one(cursor)));
    TextEdit::store_state(ui.ctx(), id, state);
}
