//! [`Form`]: publishing a message, and messages that are kept to be published again.

use egui::{Checkbox, RichText, ScrollArea, TextEdit, Ui, vec2};

use crate::model::id::ConnectionId;
use crate::model::intent::Intent;
use crate::model::panes::{MAX_SAVED_PUBLICATIONS, SavedPublication, TopicLists};
use crate::model::publication::{MAX_USER_PROPERTIES, NewPublication, Properties, Qos};
use crate::model::topic::TopicRequest;
use crate::model::topics::Answer;
use crate::ui::icons::Icon;
use crate::ui::text::topics::FormProblem;
use crate::ui::theme::{self, size, space};
use crate::ui::{Cx, harmless, widgets};

use super::tree::read;

/// Longest payload that can be typed, in bytes.
const MAX_TYPED_BYTES: usize = 256 * 1024;
/// Longest name of a saved message, in characters.
const MAX_NAME_CHARS: usize = 60;

/// What is filled in.
#[derive(Default)]
pub(super) struct Form {
    topic: String,
    payload: String,
    is_hex: bool,
    qos: Qos,
    retain: bool,
    properties: Fields,
    shows_properties: bool,
    /// The request whose answer is shown.
    sent: Option<u64>,
    wants_focus: bool,
}

/// The properties as they are typed.
#[derive(Clone, Default)]
struct Fields {
    is_text: bool,
    content_type: String,
    response_topic: String,
    correlation: String,
    expiry: String,
    user: String,
}

impl Fields {
    fn of(properties: &Properties) -> Fields {
        let user: Vec<String> =
            properties.user.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        Fields {
            is_text: properties.is_text,
            content_type: properties.content_type.clone(),
            response_topic: properties.response_topic.clone(),
            correlation: String::from_utf8_lossy(&properties.correlation).into_owned(),
            expiry: properties.expiry_s.map_or_else(String::new, |seconds| seconds.to_string()),
            user: user.join("\n"),
        }
    }

    fn read(&self) -> Result<Properties, FormProblem> {
        let expiry = match self.expiry.trim() {
            "" => None,
            text => Some(text.parse().map_err(|_| FormProblem::Expiry)?),
        };
        let user = self.user.lines().filter(|line| !line.trim().is_empty()).map(|line| {
            let (name, value) = line.split_once(':').ok_or(FormProblem::UserProperty)?;
            Ok((name.trim().to_owned(), value.trim().to_owned()))
        });
        let user = user.collect::<Result<Vec<_>, _>>()?;
        if user.len() > MAX_USER_PROPERTIES {
            return Err(FormProblem::UserProperties);
        }
        Ok(Properties {
            is_text: self.is_text,
            content_type: self.content_type.trim().to_owned(),
            response_topic: self.response_topic.trim().to_owned(),
            correlation: self.correlation.as_bytes().to_vec(),
            expiry_s: expiry,
            user,
        })
    }
}

/// What is wrong with a topic that something is to be published to.
pub(super) fn topic_problem(topic: &str) -> Option<FormProblem> {
    match topic {
        "" => Some(FormProblem::NoTopic),
        topic if topic.contains(['+', '#']) => Some(FormProblem::Wildcard),
        topic if topic.contains('\0') || topic.len() > usize::from(u16::MAX) => Some(FormProblem::BadTopic),
        _ => None,
    }
}

/// Reads hexadecimal with spaces, line breaks and `0x` in it.
pub(super) fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: String =
        text.split_whitespace().map(|part| part.strip_prefix("0x").unwrap_or(part)).collect();
    data_encoding::HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).ok()
}

impl Form {
    /// Fills in a topic and what came on it last.
    pub(super) fn fill(&mut self, topic: String, payload: &[u8]) {
        (self.topic, self.sent, self.wants_focus) = (topic, None, true);
        match std::str::from_utf8(payload) {
            Ok(text) => (self.payload, self.is_hex) = (text.to_owned(), false),
            Err(_) => (self.payload, self.is_hex) = (data_encoding::HEXLOWER.encode(payload), true),
        }
    }

    /// Focuses the topic.
    pub(super) fn focus(&mut self) {
        self.wants_focus = true;
    }

    fn message(&self, has_properties: bool) -> Result<NewPublication, FormProblem> {
        if let Some(problem) = topic_problem(&self.topic) {
            return Err(problem);
        }
        let payload = match self.is_hex {
            true => from_hex(&self.payload).ok_or(FormProblem::Hex)?,
            false => self.payload.clone().into_bytes(),
        };
        if payload.len() > MAX_TYPED_BYTES {
            return Err(FormProblem::TooLong);
        }
        let properties = if has_properties { self.properties.read()? } else { Properties::default() };
        Ok(NewPublication {
            topic: self.topic.clone(),
            payload,
            qos: self.qos,
            retain: self.retain,
            properties,
        })
    }

    /// Draws it. `has_properties`: whether the server takes properties.
    pub(super) fn show(
        &mut self,
        ui: &mut Ui,
        cx: &mut Cx,
        id: ConnectionId,
        (has_link, has_properties): (bool, bool),
        lists: &mut TopicLists,
    ) {
        ScrollArea::vertical().id_salt("publish").auto_shrink(false).show(ui, |ui| {
            ui.set_max_width(ui.available_width().min(size::MEASURE));
            ui.spacing_mut().item_spacing.y = space::SMALL;
            self.fields(ui, cx);
            // Before the properties, so that they are in view at once.
            self.buttons(ui, cx, id, (has_link, has_properties), lists);
            self.answer(ui, cx, id);
            if has_properties {
                self.property_fields(ui, cx);
            }
            self.saved(ui, cx, id, lists);
        });
    }

    fn fields(&mut self, ui: &mut Ui, cx: &Cx) {
        let words = cx.words.topics;
        let label = widgets::small_label(ui, words.topic);
        let field = TextEdit::singleline(&mut self.topic)
            .hint_text(words.topic_hint)
            .desired_width(f32::INFINITY)
            .min_size(vec2(0.0, size::CONTROL));
        let field = ui.add(field).labelled_by(label.id);
        if std::mem::take(&mut self.wants_focus) {
            field.request_focus();
        }
        let label = ui.horizontal_wrapped(|ui| {
            let label = widgets::small_label(ui, words.payload);
            ui.radio_value(&mut self.is_hex, false, words.as_text);
            ui.radio_value(&mut self.is_hex, true, words.as_hex);
            label.id
        });
        let field = TextEdit::multiline(&mut self.payload)
            .font(theme::code())
            .desired_rows(5)
            .lock_focus(false)
            .char_limit(MAX_TYPED_BYTES * 3)
            .desired_width(f32::INFINITY);
        ScrollArea::vertical().id_salt("payload to publish").max_height(220.0).show(ui, |ui| {
            ui.add(field).labelled_by(label.inner);
        });
        ui.horizontal_wrapped(|ui| {
            widgets::small_label(ui, words.qos_label);
            for qos in Qos::ALL {
                let button = ui.radio_value(&mut self.qos, qos, qos.number().to_string());
                let name = (words.qos_meaning)(qos);
                widgets::named(ui, &button, name);
                button.on_hover_text(name);
            }
            ui.add_space(space::MEDIUM);
            ui.add(Checkbox::new(&mut self.retain, words.retain)).on_hover_text(words.retain_hint);
        });
        if self.retain && self.payload.is_empty() {
            widgets::small_label(ui, words.retain_empty);
        }
    }

    fn property_fields(&mut self, ui: &mut Ui, cx: &Cx) {
        let words = cx.words.topics;
        let name = if self.shows_properties { words.hide_properties } else { words.show_properties };
        if ui.add(widgets::link(theme::of(ui), name)).clicked() {
            self.shows_properties = !self.shows_properties;
        }
        if !self.shows_properties {
            return;
        }
        let fields = &mut self.properties;
        ui.add(Checkbox::new(&mut fields.is_text, words.is_text));
        for (text, name) in [
            (&mut fields.content_type, words.content_type),
            (&mut fields.response_topic, words.response_topic),
            (&mut fields.correlation, words.correlation),
            (&mut fields.expiry, words.expiry),
        ] {
            let label = widgets::small_label(ui, name);
            let field = TextEdit::singleline(text)
                .desired_width(f32::INFINITY)
                .char_limit(crate::model::publication::MAX_PROPERTY_BYTES / 4)
                .min_size(vec2(0.0, size::CONTROL));
            ui.add(field).labelled_by(label.id);
        }
        let label = widgets::small_label(ui, words.user_properties);
        let field = TextEdit::multiline(&mut fields.user)
            .hint_text(words.user_properties_hint)
            .desired_rows(2)
            .lock_focus(false)
            .char_limit(MAX_USER_PROPERTIES * 512)
            .desired_width(f32::INFINITY);
        ui.add(field).labelled_by(label.id);
    }

    fn buttons(
        &mut self,
        ui: &mut Ui,
        cx: &mut Cx,
        id: ConnectionId,
        (has_link, has_properties): (bool, bool),
        lists: &mut TopicLists,
    ) {
        let words = cx.words.topics;
        let message = self.message(has_properties);
        ui.horizontal_wrapped(|ui| {
            let may = has_link && message.is_ok();
            let publish = ui.add_enabled(may, widgets::primary(theme::of(ui), words.publish));
            if !has_link {
                widgets::small_label(ui, words.no_link);
            }
            if publish.clicked()
                && let Ok(message) = &message
            {
                let number = crate::ui::request_number();
                self.sent = Some(number);
                let message = Box::new(message.clone());
                cx.intents.push(Intent::Topic(id, TopicRequest::Publish { number, message }));
            }
            let has_room = lists.saved.len() < MAX_SAVED_PUBLICATIONS;
            let save = ui.add_enabled(message.is_ok() && has_room, widgets::plain(words.keep));
            if save
                .on_disabled_hover_text(if has_room { words.keep_hint } else { words.saved_full })
                .clicked()
            {
                lists.save(self.to_save(id));
            }
        });
        if let Err(problem) = &message
            && !(self.topic.is_empty() && self.payload.is_empty())
        {
            let text = (words.problem)(*problem);
            let label = ui.add(egui::Label::new(RichText::new(text).color(theme::of(ui).warn)).wrap());
            widgets::live(ui, label.id, text);
        }
    }

    fn to_save(&self, connection: ConnectionId) -> SavedPublication {
        SavedPublication {
            connection,
            topic: self.topic.clone(),
            payload: self.payload.clone(),
            is_hex: self.is_hex,
            qos: self.qos,
            retain: self.retain,
            properties: self.properties.read().unwrap_or_default(),
        }
    }

    /// What became of the last message.
    fn answer(&self, ui: &mut Ui, cx: &Cx, id: ConnectionId) {
        let Some(sent) = self.sent else { return };
        let words = cx.words.topics;
        let answer = read(cx, id, |topics| topics.answer_to(sent).cloned()).flatten();
        let (text, colour) = match &answer {
            Some(Answer::Published(outcome)) => {
                let text = (words.outcome)(outcome);
                (text, super::outcome_colour(theme::of(ui), outcome))
            }
            _ => (words.publishing.to_owned(), theme::of(ui).weak),
        };
        let label = ui.add(egui::Label::new(RichText::new(&text).color(colour)).wrap());
        widgets::live(ui, label.id, &text);
    }

    fn saved(&mut self, ui: &mut Ui, cx: &mut Cx, id: ConnectionId, lists: &mut TopicLists) {
        let words = cx.words.topics;
        if !lists.saved.iter().any(|saved| saved.connection == id) {
            return;
        }
        ui.add_space(space::SMALL);
        crate::ui::sheet::heading(ui, words.saved);
        let mut removed = None;
        for (at, saved) in lists.saved.iter().enumerate().filter(|(_, saved)| saved.connection == id) {
            let name = format!("{}: {}", saved.topic, saved.payload);
            let name = harmless::line(&name, MAX_NAME_CHARS);
            ui.horizontal(|ui| {
                let width = (ui.available_width() - size::CONTROL - space::SMALL).max(80.0);
                let button = egui::Button::new(RichText::new(&name).font(theme::mono_small())).truncate();
                if ui.add_sized(vec2(width, size::CONTROL), button).clicked() {
                    (self.topic, self.payload) = (saved.topic.clone(), saved.payload.clone());
                    (self.is_hex, self.qos, self.retain) = (saved.is_hex, saved.qos, saved.retain);
                    self.properties = Fields::of(&saved.properties);
                    self.shows_properties = !saved.properties.is_empty();
                    self.sent = None;
                    cx.deadline.at(cx.now.boot_ms);
                }
                let text = (words.forget)(&name);
                if widgets::icon_button(ui, Icon::Delete, &text, &text, false).clicked() {
                    removed = Some(at);
                }
            });
        }
        if let Some(at) = removed {
            lists.saved.remove(at);
            cx.deadline.at(cx.now.boot_ms);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_is_read_with_spaces_and_prefixes() {
        assert_eq!(from_hex("00 FF\n0x1a"), Some(vec![0, 255, 26]));
        assert_eq!(from_hex(""), Some(Vec::new()));
        assert_eq!((from_hex("0"), from_hex("xy")), (None, None));
    }

    #[test]
    fn a_form_is_checked_before_it_is_sent() {
        let form = |topic: &str, payload: &str, is_hex| Form {
            topic: topic.into(),
            payload: payload.into(),
            is_hex,
            ..Form::default()
        };
        assert_eq!(form("", "x", false).message(true).unwrap_err(), FormProblem::NoTopic);
        assert_eq!(form("a/#", "x", false).message(true).unwrap_err(), FormProblem::Wildcard);
        assert_eq!(form("a", "x", true).message(true).unwrap_err(), FormProblem::Hex);
        assert_eq!(form("a", "0102", true).message(true).unwrap().payload, [1, 2]);
        let mut form = form("a", "x", false);
        form.properties = Fields { expiry: "60".into(), user: "a: b:c\n\nd:".into(), ..Fields::default() };
        let properties = form.message(true).unwrap().properties;
        assert_eq!(properties.expiry_s, Some(60));
        assert_eq!(properties.user, [("a".into(), "b:c".into()), ("d".into(), String::new())]);
        assert_eq!(form.message(false).unwrap().properties, Properties::default());
        form.properties.user = "no colon".into();
        assert_eq!(form.message(true).unwrap_err(), FormProblem::UserProperty);
    }
}
