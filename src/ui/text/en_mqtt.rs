//! English: servers that speak MQTT.

use super::mqtt::MqttWords;
use crate::model::mqtt::BadTopic;
use crate::ui::harmless;

/// English.
pub(super) static ENGLISH: MqttWords = MqttWords {
    address_hint: "mqtt://server.example, mqtts://server.example or wss://server.example/mqtt",
    user_hint: "Optional: the user of the server",
    headers: "Headers of the WebSocket request",
    subscriptions: "Subscriptions",
    subscriptions_hint: "#",
    subscriptions_help: "One on each line. Without any, everything that the server shows: #. For another QoS: alarms/# | qos: 1",
    chats: "Chat here: others see that I am online",
    your_name: "Your name in the chat",
    your_name_hint: "Optional: the user",
    chat: "Rooms are under the topic",
    chat_help: "Others with Duplex chat with you if they use the same topic.",
    client_id: "Client ID",
    client_id_hint: "Optional: one is made up and kept",
    version: "Version",
    version_automatic: "Automatic",
    keeps_session: "The server keeps messages for me while I am away",
    exactly_once: "Deliver chat messages exactly once (QoS 2)",
    bad: |bad| match bad {
        BadTopic::Empty => "A topic is missing.".to_owned(),
        BadTopic::TooMuch => "A topic is too long, or there are too many of them.".to_owned(),
        BadTopic::Control => "A topic contains a control character.".to_owned(),
        BadTopic::Wildcard(text) => format!(
            "“+” and “#” stand alone between slashes, and “#” at the end: {}",
            harmless::line(text, 60)
        ),
        BadTopic::NoWildcard => "A topic to publish to has no “+” and no “#”.".to_owned(),
        BadTopic::Qos => "The QoS is 0, 1 or 2, and 1 or 2 in the chat.".to_owned(),
    },
    reason: |code| match code {
        0x80 => "The server reports an unspecified error.",
        0x81 => "The server could not read a message from Duplex.",
        0x82 => "The server says that Duplex broke the protocol.",
        0x83 => "The server cannot handle this.",
        0x84 => "The server does not support this version of MQTT.",
        0x85 => "The server does not accept the client ID.",
        0x86 => "The server rejected the user name or the password.",
        0x87 => "The server does not allow this user to do that.",
        0x88 => "The server is not available at the moment.",
        0x89 => "The server is busy.",
        0x8A => "The server has banned this client.",
        0x8B => "The server is shutting down.",
        0x8C => {
            "The server wants another way to sign in (enhanced authentication), which Duplex does not support."
        }
        0x8D => "The server heard nothing from Duplex for too long.",
        0x8E => "Another program signed in with the same client ID.",
        0x8F => "The server does not accept a topic filter.",
        0x90 => "The server does not accept a topic.",
        0x91 => "A packet ID is in use on the server.",
        0x92 => "The server does not know a packet ID.",
        0x93 => "Duplex sent more messages at a time than the server takes.",
        0x94 => "The server does not accept a topic alias.",
        0x95 => "A message is too large for the server.",
        0x96 => "Duplex sends messages faster than the server allows.",
        0x97 => "A quota on the server is used up.",
        0x98 => "An administrator of the server ended the connection.",
        0x99 => "The payload is not in the format that it claims.",
        0x9A => "The server does not keep retained messages.",
        0x9B => "The server does not support this QoS.",
        0x9C => "The server asks to use another server for now.",
        0x9D => "The server has moved to another address.",
        0x9E => "The server does not support shared subscriptions.",
        0x9F => "Too many connections are being opened to the server.",
        0xA0 => "The server limits how long a connection lasts, and that time is over.",
        0xA1 => "The server does not support subscription identifiers.",
        0xA2 => "The server does not support wildcards in subscriptions.",
        _ => "The server reports an error that Duplex does not know.",
    },
};

/// What to do about a reason code after which Duplex does not try again.
pub(super) fn fix(code: u8) -> &'static str {
    match code {
        0x85 => "Change the client ID under Edit connection.",
        0x86 | 0x87 | 0x8A => "Check the user, password and client ID under Edit connection.",
        0x9C | 0x9D => "Change the address under Edit connection.",
        _ => "Check the options under Edit connection.",
    }
}
