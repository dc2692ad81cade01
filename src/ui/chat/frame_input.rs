//! Part of the input where messages are frames: how what is typed is sent, whether it can be, and the messages that one click
//! sends.

use data_encoding::HEXLOWER;
use egui::{Button, Label, RichText, Ui};

use super::json;
use crate::model::content::Content;
use crate::model::id::ConnectionId;
use crate::model::intent::{ChatIntent, Intent, LinkIntent};
use crate::model::profile::{FrameFormat, MAX_SNIPPET_BYTES, MAX_SNIPPETS, Snippet};
use crate::model::socket_row;
use crate::ui::text::Words;
use crate::ui::theme::{self, size, space};
use crate::ui::{Cx, harmless, mapping, menu, snippets, widgets};

use super::RoomKey;

/// A snippet's button is at most so wide, in points.
const SNIPPET_WIDTH: f32 = 140.0;
/// So many snippets have a button of their own, where there is room; all are in the menu.
const MAX_BUTTONS: usize = 8;

/// Why a text cannot be sent as a format.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Problem {
    /// It is no JSON from this line and column on.
    NotJson(usize, usize),
    /// This is no hexadecimal digit, at this line and column.
    NotHex(char, usize, usize),
    /// The last byte has one digit.
    HalfByte,
}

impl Problem {
    pub(super) fn said(self, words: &Words) -> String {
        match self {
            Problem::NotJson(line, column) => (words.plain.bad_json)(line, column),
            Problem::NotHex(digit, line, column) => {
                // A sign that is not seen is told by its number.
                let shown = harmless::verbatim(&digit.to_string(), 8).chars().next();
                (words.plain.bad_digit)(shown.unwrap_or('\u{FFFD}'), line, column)
            }
            Problem::HalfByte => words.plain.odd_digits.to_owned(),
        }
    }
}

/// What is sent of a text: text and JSON as they were typed, bytes as their digits alone.
pub(super) fn content(format: FrameFormat, text: &str) -> Result<Content, Problem> {
    match format {
        FrameFormat::Text => Ok(Content::text(text)),
        FrameFormat::Json => match json::fault(text) {
            Some((line, column)) => Err(Problem::NotJson(line, column)),
            None => Ok(Content::text(text)),
        },
        FrameFormat::Hex => {
            let body = HEXLOWER.encode(&bytes(text)?);
            Ok(Content::Text { body, extra: socket_row::binary() })
        }
    }
}

fn bytes(text: &str) -> Result<Vec<u8>, Problem> {
    let (mut line, mut column) = (1, 0);
    for c in text.chars() {
        column += 1;
        match c {
            '\n' => (line, column) = (line + 1, 0),
            c if c.is_whitespace() || c.is_ascii_hexdigit() => {}
            c => return Err(Problem::NotHex(c, line, column)),
        }
    }
    socket_row::bytes_of(text).map_err(|_| Problem::HalfByte)
}

/// How long a frame is, in bytes.
fn length(content: &Content) -> usize {
    if socket_row::is_binary(content.extra()) { content.body().len() / 2 } else { content.body().len() }
}

/// What was found out of a text, until it changes.
#[derive(Default)]
pub(super) struct Checked {
    found: Option<(FrameFormat, String, Result<usize, Problem>)>,
    /// The person tried to send it all the same.
    pub(super) is_refused: bool,
    /// The number of samples that were searched for messages and readings, and whether there were any.
    recognized: (u64, bool),
}

impl Checked {
    /// Whether messages or readings were recognized in what was received.
    fn offers_mapping(&mut self, cx: &Cx, connection: ConnectionId) -> bool {
        let (seen, is_recognized) = self.recognized;
        if is_recognized {
            return true;
        }
        self.recognized = cx.model.read(|model| {
            let Some(connection) = model.connections.get(&connection) else { return (0, false) };
            let received = connection.samples.received();
            let new = received.checked_sub(seen).unwrap_or(received);
            let new = connection.samples.iter().rev().take(usize::try_from(new).unwrap_or(usize::MAX));
            (received, mapping::are_recognized(new))
        });
        self.recognized.1
    }

    /// How many bytes a text has as a frame, or why it is none.
    pub(super) fn look(&mut self, format: FrameFormat, text: &str) -> Result<usize, Problem> {
        if let Some((of, known, found)) = &self.found
            && *of == format
            && known == text
        {
            return *found;
        }
        let found = content(format, text).map(|content| length(&content));
        self.found = Some((format, text.to_owned(), found));
        self.is_refused = false;
        found
    }
}

/// What the person did in the bar.
#[derive(Default)]
pub(super) struct Touch {
    /// Put this behind what is typed, and choose its format.
    pub(super) insert: Option<Snippet>,
    /// Open a dialog.
    pub(super) ask: Option<Ask>,
}

/// A dialog that is opened from the bar.
pub(super) enum Ask {
    /// That for the snippets; with one more, where there is one.
    Snippets(Option<Snippet>),
    /// That for the mapping.
    Mapping,
}

/// What the bar shows, copied out of the model.
struct Facts {
    format: FrameFormat,
    titles: Vec<String>,
}

/// The format that was chosen for a connection; none where its messages are no frames.
pub(super) fn format_of(cx: &Cx, connection: ConnectionId) -> Option<FrameFormat> {
    cx.model.read(|model| {
        let connection = model.connections.get(&connection)?;
        connection.has_frames().then_some(connection.profile.websocket.format)
    })
}

fn facts(cx: &Cx, connection: ConnectionId) -> Option<Facts> {
    cx.model.read(|model| {
        let options = &model.connections.get(&connection)?.profile.websocket;
        let titles = options.snippets.iter().map(snippets::title).collect();
        Some(Facts { format: options.format, titles })
    })
}

/// Draws the bar above the field. `text`: what is typed.
pub(super) fn show(ui: &mut Ui, cx: &mut Cx, key: &RoomKey, text: &str, checked: &mut Checked) -> Touch {
    let mut touch = Touch::default();
    let Some(Facts { mut format, titles }) = facts(cx, key.0) else { return touch };
    let words = cx.words.plain;
    ui.add_space(space::TINY);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = space::SMALL;
        if snippets::formats(ui, cx, &mut format) {
            cx.intents.push(Intent::Link(LinkIntent::SetFormat(key.0, format)));
        }
        let button = ui.add(widgets::plain(words.snippets));
        let can_save =
            !text.trim().is_empty() && text.len() <= MAX_SNIPPET_BYTES && titles.len() < MAX_SNIPPETS;
        menu::below(ui, &button, words.snippets, |ui| {
            for (at, title) in titles.iter().enumerate() {
                if menu::item(ui, title).clicked() {
                    chosen(ui, cx, key, at, &mut touch);
                }
            }
            if !titles.is_empty() {
                menu::separator(ui);
            }
            if can_save && menu::item(ui, words.save_snippet).clicked() {
                let text = text.to_owned();
                touch.ask = Some(Ask::Snippets(Some(Snippet { name: String::new(), text, format })));
            }
            if menu::item(ui, words.edit_snippets).clicked() {
                touch.ask = Some(Ask::Snippets(None));
            }
        });
        if checked.offers_mapping(cx, key.0) {
            let words = cx.words.mapping;
            let button = ui.add(widgets::plain(words.offer)).on_hover_text(words.offer_hint);
            if button.clicked() {
                touch.ask = Some(Ask::Mapping);
            }
        }
        let hint = (words.snippet_hint)(if cfg!(target_os = "macos") { "⌘" } else { "Ctrl" });
        for (at, title) in titles.iter().enumerate().take(MAX_BUTTONS) {
            if ui.available_width() < SNIPPET_WIDTH {
                break;
            }
            let face = RichText::new(title).font(theme::small());
            let button = ui.add(Button::new(face).truncate().min_size(egui::vec2(0.0, size::CONTROL)));
            ui.ctx().accesskit_node_builder(button.id, |node| node.set_label((words.send_snippet)(title)));
            if button.on_hover_text(&hint).clicked() {
                chosen(ui, cx, key, at, &mut touch);
            }
        }
    });
    status(ui, cx, format, text, checked);
    touch
}

/// How long what is typed is as a frame, or why it is none.
fn status(ui: &mut Ui, cx: &Cx, format: FrameFormat, text: &str, checked: &mut Checked) {
    let theme = theme::of(ui);
    let found = if text.is_empty() { Ok(0) } else { checked.look(format, text) };
    let (said, colour) = match found {
        Ok(bytes) => ((cx.words.plain.bytes)(bytes), theme.weak),
        Err(problem) if checked.is_refused => (problem.said(cx.words), theme.bad),
        Err(problem) => (problem.said(cx.words), theme.weak),
    };
    let label = ui.add(Label::new(RichText::new(&said).font(theme::small()).color(colour)).wrap());
    if found.is_err() && checked.is_refused {
        widgets::live(ui, label.id, &said);
    }
}

/// A snippet was chosen: it is sent, or with Ctrl or Command put into the field.
fn chosen(ui: &Ui, cx: &mut Cx, key: &RoomKey, at: usize, touch: &mut Touch) {
    let snippet =
        cx.model.read(|model| model.connections.get(&key.0)?.profile.websocket.snippets.get(at).cloned());
    let Some(snippet) = snippet else { return };
    let inserts = ui.input(|input| input.modifiers.command || input.modifiers.shift);
    match content(snippet.format, &snippet.text) {
        Ok(content) if !inserts => {
            let (connection, room) = key.clone();
            cx.intents.push(Intent::Chat(ChatIntent::Send { connection, room, content }));
        }
        // What cannot be sent is put where it can be mended.
        _ => touch.insert = Some(snippet),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_json_are_sent_as_they_were_typed() {
        let typed = " {\"a\" : 1.0e5 }\n";
        assert_eq!(content(FrameFormat::Text, typed), Ok(Content::text(typed)));
        assert_eq!(content(FrameFormat::Json, typed), Ok(Content::text(typed)));
        assert_eq!(content(FrameFormat::Json, "{\n \"a\": }"), Err(Problem::NotJson(2, 7)));
        assert!(matches!(content(FrameFormat::Json, ""), Err(Problem::NotJson(1, _))));
    }

    #[test]
    fn bytes_are_sent_as_their_digits() {
        let sent = content(FrameFormat::Hex, "48 65\n6C6c 6F").unwrap();
        assert_eq!(sent, Content::Text { body: "48656c6c6f".into(), extra: socket_row::binary() });
        assert_eq!(length(&sent), 5);
        assert_eq!(content(FrameFormat::Hex, "48\n 6g"), Err(Problem::NotHex('g', 2, 3)));
        assert_eq!(content(FrameFormat::Hex, "0x48"), Err(Problem::NotHex('x', 1, 2)));
        assert_eq!(content(FrameFormat::Hex, "486"), Err(Problem::HalfByte));
    }
}
