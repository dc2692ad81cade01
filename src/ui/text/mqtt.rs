//! [`MqttWords`]: what is said of servers that speak MQTT.

use crate::model::mqtt::BadTopic;

/// All that is said of them in one language. Text from outside comes in harmless.
#[allow(missing_docs)] // The names say it; the sentences are in the language's file.
pub struct MqttWords {
    pub address_hint: &'static str,
    pub user_hint: &'static str,
    pub headers: &'static str,
    pub subscriptions: &'static str,
    pub subscriptions_hint: &'static str,
    pub subscriptions_help: &'static str,
    pub chats: &'static str,
    pub your_name: &'static str,
    pub your_name_hint: &'static str,
    pub chat: &'static str,
    pub chat_help: &'static str,
    pub client_id: &'static str,
    pub client_id_hint: &'static str,
    pub version: &'static str,
    pub version_automatic: &'static str,
    pub keeps_session: &'static str,
    pub exactly_once: &'static str,
    pub bad: fn(&BadTopic) -> String,
    /// What a reason code means, as a sentence.
    pub reason: fn(u8) -> &'static str,
}
