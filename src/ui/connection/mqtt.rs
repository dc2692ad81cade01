//! Fields for a server that speaks MQTT in the connection dialog.

use egui::{TextEdit, Ui};

use super::{entered, field, hint, label};
use crate::model::mqtt::{BadTopic, Filter, MergedDevices, MqttOptions, MqttVersion};
use crate::model::publication::Qos;
use crate::ui::Cx;
use crate::ui::theme::space;

/// Contents of the fields.
#[derive(Default)]
pub(super) struct Fields {
    /// One on each line.
    subscriptions: String,
    name: String,
    chat: String,
    client_id: String,
    version: MqttVersion,
    keeps_session: bool,
    chats: bool,
    exactly_once: bool,
    /// Not a field: it is set at the devices.
    merged: MergedDevices,
}

impl Fields {
    /// For an existing connection.
    pub(super) fn of(options: &MqttOptions) -> Fields {
        let lines: Vec<String> = options.subscriptions.iter().map(ToString::to_string).collect();
        Fields {
            subscriptions: lines.join("\n"),
            name: options.name.clone(),
            chat: options.chat.clone(),
            client_id: options.client_id.clone(),
            version: options.version,
            keeps_session: options.keeps_session,
            chats: options.chats,
            exactly_once: options.chat_qos == Qos::ExactlyOnce,
            merged: options.merged.clone(),
        }
    }

    /// The inputs that determine whether it connects.
    pub(super) fn texts(&self) -> impl Iterator<Item = &String> {
        [&self.subscriptions, &self.chat, &self.client_id].into_iter()
    }

    /// The options.
    pub(super) fn check(&self) -> Result<MqttOptions, BadTopic> {
        let lines = self.subscriptions.lines().filter(|line| !line.trim().is_empty());
        let subscriptions = lines.map(Filter::parse).collect::<Result<_, _>>()?;
        let options = MqttOptions {
            version: self.version,
            client_id: self.client_id.trim().to_owned(),
            subscriptions,
            chat: self.chat.trim().trim_end_matches('/').to_owned(),
            chat_qos: if self.exactly_once { Qos::ExactlyOnce } else { Qos::AtLeastOnce },
            name: self.name.trim().to_owned(),
            keeps_session: self.keeps_session,
            chats: self.chats,
            merged: self.merged.clone(),
            is_deaf: false,
        };
        options.check()?;
        Ok(options)
    }

    /// Draws the fields. Returns whether Enter was pressed in one of a single line.
    pub(super) fn show(&mut self, ui: &mut Ui, cx: &Cx) -> bool {
        let words = cx.words.mqtt;
        let name = label(ui, words.subscriptions);
        let edit = TextEdit::multiline(&mut self.subscriptions)
            .hint_text(words.subscriptions_hint)
            .desired_rows(2)
            .desired_width(f32::INFINITY)
            .margin(egui::Margin::symmetric(space::SMALL as i8, 5));
        ui.add(edit).labelled_by(name.id);
        hint(ui, words.subscriptions_help);
        let mut enter = false;
        ui.checkbox(&mut self.chats, words.chats);
        if !self.chats {
            return enter;
        }
        ui.columns(2, |columns| {
            let [left, right] = columns else { return };
            let name = field(left, words.your_name, words.your_name_hint, &mut self.name, false);
            let chat = field(right, words.chat, "", &mut self.chat, false);
            enter |= entered(left, &name) || entered(right, &chat);
        });
        hint(ui, words.chat_help);
        ui.checkbox(&mut self.keeps_session, words.keeps_session);
        enter
    }

    /// Draws the fields that few need.
    pub(super) fn show_advanced(&mut self, ui: &mut Ui, cx: &Cx) {
        let words = cx.words.mqtt;
        ui.checkbox(&mut self.exactly_once, words.exactly_once);
        field(ui, words.client_id, words.client_id_hint, &mut self.client_id, false);
        label(ui, words.version);
        ui.horizontal_wrapped(|ui| {
            ui.radio_value(&mut self.version, MqttVersion::Automatic, words.version_automatic);
            ui.radio_value(&mut self.version, MqttVersion::V5, "MQTT 5");
            ui.radio_value(&mut self.version, MqttVersion::V311, "MQTT 3.1.1");
        });
    }
}
