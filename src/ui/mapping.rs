//! The dialog in which a person says what is different on a foreign server: the mapping as a document, and what it makes of what the
//! server sent last.

use std::collections::BTreeMap;

use egui::{ComboBox, Label, RichText, ScrollArea, TextEdit, Ui};
use serde_json::{Map, Value};

use super::dialog::Fate;
use super::theme::{self, space};
use super::{Cx, harmless, sheet, widgets};
use crate::mapping::{Found, Incoming, Mapping, Recognizer, Rule, Said, What, presets};
use crate::model::id::ConnectionId;
use crate::model::intent::{Intent, LinkIntent};
use crate::model::profile::Protocol;
use crate::model::samples::Sample;

/// Maximum length of the document, in bytes of UTF-8.
const MAX_BYTES: usize = 256 * 1024;
/// Maximum number of sources that are listed.
const MAX_LISTED: usize = 50;
/// Maximum length of an example, in characters.
const MAX_EXAMPLE_CHARS: usize = 120;

/// The dialog's own state.
pub(super) struct Sheet {
    connection: ConnectionId,
    /// Of a plain WebSocket: whether messages and readings are to be recognized.
    recognize: Option<bool>,
    text: String,
    /// The text as a mapping, or what is wrong with it.
    read: Result<Mapping, String>,
    samples: Vec<Sample>,
    /// How many samples had come in all when these were copied.
    received: Option<u64>,
    listed: Vec<Line>,
}

/// What the mapping makes of one source.
struct Line {
    source: String,
    count: usize,
    /// What it is.
    what: Kind,
    /// What was found in the last one, or what came.
    example: String,
}

/// What was found.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// Nothing that is known.
    Unmapped,
    Message,
    Notice,
    ComesAndGoes,
    Typing,
    People,
    Readings,
    /// Who we are.
    Me,
    /// Nothing to show.
    Nothing,
}

impl Sheet {
    /// For the mapping of a connection.
    pub(super) fn new(cx: &Cx, connection: ConnectionId) -> Option<Sheet> {
        let (saved, is_socket) = cx.model.read(|model| {
            let profile = &model.connections.get(&connection)?.profile;
            Some((profile.websocket.mapping.clone(), profile.protocol == Protocol::WebSocket))
        })?;
        let text = match saved.is_empty() {
            true => Mapping::default().to_json(),
            false => serde_json::to_string_pretty(&saved).unwrap_or_default(),
        };
        let read = read(&text);
        let (samples, received, listed) = (Vec::new(), None, Vec::new());
        Some(Sheet {
            connection,
            recognize: is_socket.then_some(true),
            text,
            read,
            samples,
            received,
            listed,
        })
    }

    /// Draws it.
    pub(super) fn show(&mut self, ui: &mut Ui, cx: &mut Cx, window_height: f32) -> Fate {
        let words = cx.words.mapping;
        sheet::title(ui, words.title);
        let most = (window_height - 190.0).max(160.0);
        ScrollArea::vertical().max_height(most).auto_shrink([false, true]).show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = space::SMALL;
            ui.add(Label::new(words.about).wrap());
            if let Some(recognize) = &mut self.recognize {
                ui.checkbox(recognize, words.recognize).on_hover_text(words.recognize_hint);
            }
            self.name(ui, cx);
            self.presets(ui, cx);
            self.document(ui, cx);
            self.preview(ui, cx);
        });
        ui.add_space(space::SMALL);
        let mut fate = Fate::Open;
        ui.horizontal_wrapped(|ui| {
            let save = widgets::primary(theme::of(ui), cx.words.save);
            if ui.add_enabled(self.read.is_ok(), save).clicked()
                && let Ok(mapping) = &self.read
            {
                let fields = match serde_json::to_value(mapping) {
                    Ok(Value::Object(fields)) => fields,
                    _ => Map::new(),
                };
                let (connection, recognize) = (self.connection, self.recognize == Some(true));
                let intent = LinkIntent::SetMapping { connection, mapping: fields, recognize };
                cx.intents.push(Intent::Link(intent));
                fate = Fate::Closed;
            }
            if ui.add(widgets::plain(cx.words.cancel)).clicked() {
                fate = Fate::Closed;
            }
            if ui.add(widgets::plain(words.copy)).on_hover_text(words.copy_hint).clicked() {
                ui.ctx().copy_text(self.text.clone());
            }
        });
        fate
    }

    fn name(&mut self, ui: &mut Ui, cx: &Cx) {
        let words = cx.words.mapping;
        let Ok(mapping) = &self.read else { return };
        let mut name = mapping.name.clone();
        ui.label(words.your_name);
        let field =
            TextEdit::singleline(&mut name).hint_text(words.your_name_hint).desired_width(f32::INFINITY);
        if ui.add(field).accessible_name(words.your_name).changed() {
            let changed = Mapping { name, ..mapping.clone() };
            self.set(&changed);
        }
    }

    fn presets(&mut self, ui: &mut Ui, cx: &Cx) {
        let words = cx.words.mapping;
        let mut chosen = None;
        ui.horizontal_wrapped(|ui| {
            let label = ui.label(words.begin_with);
            let list = ComboBox::from_id_salt("mapping presets").selected_text(words.choose);
            let list = list.show_ui(ui, |ui| {
                for preset in presets::ALL {
                    if ui.selectable_label(false, preset.name).clicked() {
                        chosen = Some(preset.mapping());
                    }
                }
            });
            list.response.labelled_by(label.id);
        });
        if let Some(preset) = chosen {
            let name = self.read.as_ref().map(|mapping| mapping.name.clone()).unwrap_or_default();
            self.set(&Mapping { name, ..preset });
        }
    }

    fn document(&mut self, ui: &mut Ui, cx: &Cx) {
        let words = cx.words.mapping;
        let field = TextEdit::multiline(&mut self.text)
            .char_limit(MAX_BYTES)
            .code_editor()
            .lock_focus(false)
            .desired_rows(8)
            .desired_width(f32::INFINITY);
        let area = ScrollArea::vertical().id_salt("mapping document").max_height(220.0);
        let is_changed = area.show(ui, |ui| ui.add(field).accessible_name(words.document).changed()).inner;
        if is_changed {
            self.read = read(&self.text);
            self.received = None;
        }
        if let Err(fault) = &self.read {
            let text = RichText::new(harmless::text(fault)).color(theme::of(ui).bad);
            ui.add(Label::new(text).wrap());
        }
    }

    fn preview(&mut self, ui: &mut Ui, cx: &Cx) {
        let (words, theme) = (cx.words.mapping, theme::of(ui));
        self.renew(cx);
        ui.add_space(space::SMALL);
        ui.strong(words.preview);
        if self.listed.is_empty() {
            ui.add(Label::new(RichText::new(words.nothing_yet).color(theme.weak)).wrap());
        }
        let mut rule = None;
        for (place, line) in self.listed.iter().enumerate() {
            ui.horizontal_wrapped(|ui| {
                let source = harmless::line(&line.source, MAX_EXAMPLE_CHARS);
                ui.add(Label::new(RichText::new(source).strong()));
                ui.label((words.times)(line.count));
                let color = if line.what == Kind::Unmapped { theme.bad } else { theme.weak };
                ui.label(RichText::new((words.kind)(line.what)).color(color));
                for (what, label) in [
                    (What::Message, words.as_message),
                    (What::Readings, words.as_readings),
                    (What::Ignore, words.as_nothing),
                ] {
                    if self.read.is_ok() && ui.add(widgets::link(theme, label)).clicked() {
                        rule = Some((place, what));
                    }
                }
            });
            let example = harmless::line(&line.example, MAX_EXAMPLE_CHARS);
            ui.add(Label::new(RichText::new(example).font(theme::mono_small()).color(theme.weak)).wrap());
        }
        if let Some((place, what)) = rule {
            self.add_rule(place, what);
        }
    }

    /// Reads the samples again if something came or the document was changed.
    fn renew(&mut self, cx: &Cx) {
        let copied = cx.model.read(|model| {
            let samples = &model.connections.get(&self.connection)?.samples;
            let is_new = self.received != Some(samples.received());
            is_new.then(|| (samples.received(), samples.iter().cloned().collect()))
        });
        let Some((received, samples)) = copied else { return };
        (self.received, self.samples) = (Some(received), samples);
        if let Ok(mapping) = &self.read {
            self.listed = lines(recognizer(mapping, self.recognize.is_some()), &self.samples);
        }
    }

    fn set(&mut self, mapping: &Mapping) {
        self.text = mapping.to_json();
        self.read = read(&self.text);
        self.received = None;
    }

    /// Adds a rule for one source, before the others, in place of one for it alone.
    fn add_rule(&mut self, place: usize, what: What) {
        let (Ok(mapping), Some(line)) = (&self.read, self.listed.get(place)) else { return };
        let mut changed = mapping.clone();
        changed.rules.retain(|rule| rule.source != line.source || rule.when.is_some());
        let sample = self.samples.iter().rev().find(|sample| sample.source == line.source);
        let args = sample.map_or(&[][..], |sample| sample.args.as_slice());
        changed.rules.insert(0, Rule::likely(&line.source, what, args));
        self.set(&changed);
    }
}

fn read(text: &str) -> Result<Mapping, String> {
    Mapping::parse(text).map_err(|error| error.to_string())
}

fn recognizer(mapping: &Mapping, is_socket: bool) -> Recognizer {
    if is_socket { Recognizer::of_socket(mapping.clone()) } else { Recognizer::new(mapping.clone()) }
}

/// Whether there are messages or readings in what a plain WebSocket received: in objects, since a text may be anything.
pub(super) fn are_recognized<'a>(samples: impl Iterator<Item = &'a Sample>) -> bool {
    let mut recognizer = Recognizer::of_socket(Mapping::default());
    let mut objects = samples.filter(|sample| sample.args.first().is_some_and(Value::is_object));
    objects.any(|sample| {
        let found = recognizer.recognize(&Incoming { source: &sample.source, args: &sample.args });
        found
            .iter()
            .any(|found| matches!(found, Found::Message(Said { who: Some(_), .. }) | Found::Readings(_)))
    })
}

/// What a mapping makes of samples, by source: first what it does not know.
fn lines(mut recognizer: Recognizer, samples: &[Sample]) -> Vec<Line> {
    let mut by_source: BTreeMap<&str, Line> = BTreeMap::new();
    for sample in samples {
        let found = recognizer.recognize(&Incoming { source: &sample.source, args: &sample.args });
        let line = by_source.entry(&sample.source).or_insert_with(|| Line {
            source: sample.source.clone(),
            count: 0,
            what: Kind::Nothing,
            example: String::new(),
        });
        line.count += 1;
        line.what = found.last().map_or(Kind::Nothing, kind);
        line.example =
            found.last().map(example).filter(|text| !text.is_empty()).unwrap_or_else(|| as_it_came(sample));
    }
    let mut lines: Vec<Line> = by_source.into_values().collect();
    lines.sort_by_key(|line| line.what);
    lines.truncate(MAX_LISTED);
    lines
}

fn as_it_came(sample: &Sample) -> String {
    sample.args.iter().map(Value::to_string).collect::<Vec<_>>().join(", ")
}

fn kind(found: &Found) -> Kind {
    match found {
        Found::Message(_) | Found::Wordless { .. } => Kind::Message,
        Found::Notice { .. } => Kind::Notice,
        Found::Joined { .. } | Found::Left { .. } => Kind::ComesAndGoes,
        Found::Typing { .. } => Kind::Typing,
        Found::People { .. } => Kind::People,
        Found::Me(_) => Kind::Me,
        Found::Readings(_) => Kind::Readings,
        Found::Unmapped => Kind::Unmapped,
    }
}

/// What was found, in short.
fn example(found: &Found) -> String {
    match found {
        Found::Message(said) => {
            let room =
                said.room.as_ref().map(|room| format!("[{}] ", room.name.as_ref().unwrap_or(&room.key)));
            let who = said.who.as_ref().map(|who| format!("{}: ", who.title()));
            format!("{}{}{}", room.unwrap_or_default(), who.unwrap_or_default(), said.text)
        }
        Found::Notice { text, .. } => text.clone(),
        Found::Joined { who, .. } => format!("+ {}", who.title()),
        Found::Left { who, .. } => format!("− {}", who.title()),
        Found::Wordless { who: Some(who), .. } | Found::Typing { who: Some(who), .. } | Found::Me(who) => {
            who.title().to_owned()
        }
        Found::People { people, .. } => {
            people.iter().take(20).map(|(who, _)| who.title()).collect::<Vec<_>>().join(", ")
        }
        Found::Readings(measured) => {
            let each = measured.values.iter().take(8).map(|(metric, value, unit)| {
                let value = serde_json::to_string(value).unwrap_or_default();
                format!("{metric} = {value} {unit}").trim_end().to_owned()
            });
            format!("{}: {}", measured.device, each.collect::<Vec<_>>().join(", "))
        }
        Found::Wordless { who: None, .. } | Found::Typing { who: None, .. } | Found::Unmapped => {
            String::new()
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn sample(source: &str, args: Value) -> Sample {
        let Value::Array(args) = args else { panic!("arguments are a list") };
        Sample { source: source.to_owned(), args, bytes: 10 }
    }

    #[test]
    fn what_is_not_known_comes_first_and_a_rule_makes_a_message_of_it() {
        let samples = [
            sample("chat message", json!(["hello"])),
            sample("chat message", json!([{"user": "jun", "text": "hi"}])),
            sample("odd", json!([{"from_whom": {"x": "jun"}, "it's what": "said at length"}])),
            sample("odd", json!([{"page": "/admin"}])),
        ];
        let listed = lines(Recognizer::new(Mapping::default()), &samples);
        assert_eq!(
            listed.iter().map(|line| (line.source.as_str(), line.count, line.what)).collect::<Vec<_>>(),
            [("odd", 2, Kind::Unmapped), ("chat message", 2, Kind::Message),]
        );
        assert_eq!(listed[1].example, "jun: hi");
        let odd = &sample("odd", json!([{"page": "/a", "what": "said at length"}]));
        let rule = Rule::likely("odd", What::Message, &odd.args);
        let mapping = Mapping { rules: vec![rule], ..Mapping::default() };
        assert_eq!(mapping.check(), Ok(()));
        let listed = lines(Recognizer::new(mapping), std::slice::from_ref(odd));
        assert_eq!(listed[0].example, "said at length");
    }

    #[test]
    fn chat_and_readings_on_a_socket_are_noticed_and_words_alone_are_not() {
        for (value, noticed) in [
            (json!("hello"), false),
            (json!({"status": "ok"}), false),
            (json!({"user": "jun", "text": "hi"}), true),
            (json!({"temperature": 21.5}), true),
        ] {
            let samples = [sample("server", json!([value]))];
            assert_eq!(are_recognized(samples.iter()), noticed, "{value}");
        }
    }
}
