//! MQTT in the console: the flags, `publish`, and how messages of topics are printed.

use clap::{Args as Flags, ValueEnum};
use data_encoding::BASE64;
use serde_json::json;
use tokio::time::{Instant, timeout_at};

use super::args::{Publish, Server};
use super::follow::Follow;
use super::reason::reason_of;
use super::{Exit, Failure, print, send_mapped};
use crate::link::Input;
use crate::model::event::LinkEvent;
use crate::model::link_state::{LinkState, Why};
use crate::model::mqtt::{self, BadTopic, Filter, MqttOptions, MqttVersion};
use crate::model::publication::{NewPublication, Publication, Qos, Retain};
use crate::model::socket_row;
use crate::model::time::WallMs;
use crate::model::topic::{PublishOutcome, TopicEvent, TopicRequest};
use crate::model::{Event, RoomId};
use crate::wire::{Request, SavedState};

/// Heading of these flags in the help.
pub(super) const MQTT_HELP: &str = "With MQTT";
/// Maximum length of a payload, in bytes.
const MAX_PAYLOAD_BYTES: usize = 1024 * 1024;
/// Maximum number of bytes printed of a payload that is no text.
const MAX_HEX_BYTES: usize = 64;

/// The flags.
#[derive(Clone, Debug, Default, Flags)]
pub(super) struct MqttFlags {
    /// Subscribe to this topic filter; may be given several times. Without it: everything, #. 'alarms/# | qos: 1' asks for
    /// another QoS than 0.
    #[arg(long = "topic", value_name = "FILTER", value_parser = Filter::parse, help_heading = MQTT_HELP)]
    topic: Vec<Filter>,
    /// Connect as this client; by default as a new one each time.
    #[arg(long, value_name = "ID", help_heading = MQTT_HELP)]
    client_id: Option<String>,
    /// The version of the protocol; by default 5, and 3.1.1 if the server does not know it.
    #[arg(long, value_name = "VERSION", help_heading = MQTT_HELP)]
    mqtt_version: Option<Version>,
    /// Where the rooms of the chat are; by default duplex/chat.
    #[arg(long, value_name = "TOPIC", help_heading = MQTT_HELP)]
    chat: Option<String>,
}

#[derive(Copy, Clone, Debug, ValueEnum)]
enum Version {
    /// MQTT 5.
    #[value(name = "5")]
    V5,
    /// MQTT 3.1.1.
    #[value(name = "3.1.1")]
    V311,
}

impl MqttFlags {
    /// How the server is used: nothing is left there.
    pub(super) fn options(&self) -> Result<MqttOptions, BadTopic> {
        let default = MqttOptions::default();
        let options = MqttOptions {
            version: match self.mqtt_version {
                None => MqttVersion::Automatic,
                Some(Version::V5) => MqttVersion::V5,
                Some(Version::V311) => MqttVersion::V311,
            },
            client_id: self.client_id.clone().unwrap_or_default(),
            subscriptions: self.topic.clone(),
            chat: self.chat.clone().unwrap_or(default.chat),
            keeps_session: false,
            ..MqttOptions::default()
        };
        options.check()?;
        Ok(options)
    }
}

/// The topics of the chat.
pub(super) struct ChatTopics(Option<String>);

impl ChatTopics {
    pub(super) fn of(server: &Server) -> ChatTopics {
        let options = server.websocket.as_ref().and_then(|one| one.mqtt().options().ok());
        ChatTopics(options.map(|options| format!("{}/", options.chat)))
    }

    /// Whether a topic is one of a room.
    pub(super) fn is_of_chat(&self, topic: &str) -> bool {
        self.0.as_ref().is_some_and(|prefix| topic.starts_with(prefix))
    }
}

/// The room of a server that speaks MQTT: a topic, or a name under the chat's prefix.
pub(super) fn room(server: &Server, given: &RoomId) -> Result<RoomId, Failure> {
    let options = server.websocket.as_ref().map(|one| one.mqtt().options()).transpose();
    let failed = |sentence: String| Failure::new(Exit::Failed, print::harmless(&sentence));
    let prefix = options.map_err(|bad| failed(bad.to_string()))?.unwrap_or_default().chat;
    let topic = match given.as_str().strip_prefix(&format!("{prefix}/")) {
        Some(_) => given.to_string(),
        None => format!("{prefix}/{given}"),
    };
    mqtt::check_topic(&topic).map_err(|bad| failed(bad.to_string()))?;
    RoomId::new(topic).map_err(|bad| failed(bad.to_string()))
}

/// `duplexctl send` to a server that speaks MQTT.
pub(super) async fn send(mut command: super::args::Send) -> Result<(), Failure> {
    if command.hex {
        return Err(Failure::new(Exit::Failed, "--hex is for `publish`: messages of the chat are text"));
    }
    let given = command.room.clone().unwrap_or_else(RoomId::general);
    let room = room(&command.server, &given)?;
    command.server.listen_to_nothing();
    send_mapped::deliver(command, room).await
}

/// `duplexctl publish`.
pub(super) async fn publish(command: Publish) -> Result<(), Failure> {
    let failed = |sentence: String| Failure::new(Exit::Failed, print::harmless(&sentence));
    let Publish { mut server, topic, payload, qos, retain, hex, timeout } = command;
    mqtt::check_topic(&topic).map_err(|bad| failed(bad.to_string()))?;
    let text = super::send::text(&payload, if hex { 4 * MAX_PAYLOAD_BYTES } else { MAX_PAYLOAD_BYTES })?;
    let payload = match hex {
        true => socket_row::bytes_of(&text).map_err(|problem| failed(format!("--hex: {problem}")))?,
        false => text.into_bytes(),
    };
    server.listen_to_nothing();
    let deadline = Instant::now() + timeout;
    let qos = Qos::of(qos).unwrap_or_default();
    let message = NewPublication { topic, payload, qos, retain, ..NewPublication::default() };
    let mut follow = Follow::start(&server, SavedState::default(), false)?;
    let mut attempt = Attempt { message, is_sent: false, why: None };
    match timeout_at(deadline, attempt.outcome(&mut follow, &server)).await {
        Ok(outcome) => {
            follow.end().await;
            outcome
        }
        Err(_) => Err(attempt.timed_out(&server)),
    }
}

struct Attempt {
    message: NewPublication,
    is_sent: bool,
    /// What last prevented sending.
    why: Option<Why>,
}

impl Attempt {
    async fn outcome(&mut self, follow: &mut Follow, server: &Server) -> Result<(), Failure> {
        loop {
            match follow.next().await {
                Event::Link(LinkEvent::Welcomed { .. }) if !self.is_sent => {
                    let message = Box::new(self.message.clone());
                    follow.tell(Input::Request(Request::Topic(TopicRequest::Publish { number: 1, message })));
                    self.is_sent = true;
                }
                Event::Topic(TopicEvent::Published { number: 1, outcome }) => return ended(&outcome),
                Event::Link(LinkEvent::State(LinkState::Waiting { why, .. })) => self.why = Some(why),
                Event::Link(LinkEvent::State(LinkState::Stopped { why })) => {
                    let exit = if self.is_sent { Exit::Unknown } else { Exit::Refused };
                    return Err(Failure::new(exit, reason_of(server, &why)));
                }
                _ => {}
            }
        }
    }

    fn timed_out(&self, server: &Server) -> Failure {
        if self.is_sent {
            let sentence = "no confirmation came in time; whether the server has it is not known";
            return Failure::new(Exit::Unknown, sentence);
        }
        let why = self.why.as_ref().map(|why| reason_of(server, why));
        let why = why.unwrap_or_else(|| "the server does not answer".to_owned());
        Failure::new(Exit::TimedOut, format!("not sent: {why}"))
    }
}

fn ended(outcome: &PublishOutcome) -> Result<(), Failure> {
    match outcome {
        PublishOutcome::Confirmed { .. } => Ok(()),
        PublishOutcome::Sent => {
            let sentence = "sent, unconfirmed: with QoS 0 the server confirms nothing; use --qos 1 to know";
            Err(Failure::new(Exit::Unconfirmed, sentence))
        }
        PublishOutcome::Refused { code, reason } => {
            let words = match mqtt::reason(*code) {
                "" => format!("reason code {code:#04x}"),
                words => words.to_owned(),
            };
            let said = if reason.is_empty() { String::new() } else { format!(" ({reason})") };
            let sentence = format!("the server refused it: {words}{said}");
            Err(Failure::new(Exit::Refused, print::harmless(&sentence)))
        }
        PublishOutcome::Unsure | PublishOutcome::NotSent => {
            let sentence =
                "the connection ended before the server confirmed it; whether it has it is not known";
            Err(Failure::new(Exit::Unknown, sentence))
        }
    }
}

/// A message of a topic as a JSON object. `at` is when it came, in Unix milliseconds.
pub(super) fn publication_json(message: &Publication<'_>, at: WallMs) -> String {
    let mut line = json!({
        "event": "publication",
        "topic": message.topic,
        "qos": message.qos.number(),
        "retained": message.retain == Retain::Replayed,
        "bytes": message.size,
        "at": at,
    });
    let (name, payload) = match std::str::from_utf8(message.payload) {
        Ok(text) => ("payload", text.to_owned()),
        Err(_) => ("payload_base64", BASE64.encode(message.payload)),
    };
    if let Some(line) = line.as_object_mut() {
        line.insert(name.to_owned(), payload.into());
    }
    line.to_string()
}

/// The same as text: the topic and the payload, bytes in hexadecimal digits.
pub(super) fn publication_text(message: &Publication<'_>) -> String {
    let payload = match std::str::from_utf8(message.payload) {
        Ok(text) => text.to_owned(),
        Err(_) => {
            let beginning = &message.payload[..message.payload.len().min(MAX_HEX_BYTES)];
            let more = if message.payload.len() > MAX_HEX_BYTES { "…" } else { "" };
            format!("{}{more} ({} bytes)", data_encoding::HEXLOWER.encode(beginning), message.size)
        }
    };
    format!("{} {payload}", message.topic)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn publication<'a>(topic: &'a str, payload: &'a [u8]) -> Publication<'a> {
        let (qos, retain) = (Qos::AtLeastOnce, Retain::Replayed);
        Publication { topic, payload, size: payload.len() as u32, qos, retain, properties: None }
    }

    #[test]
    fn messages_are_printed_with_their_topics() {
        let text = publication("a/b", b"21.5");
        assert_eq!(publication_text(&text), "a/b 21.5");
        let expected = r#"{"at":7,"bytes":4,"event":"publication","payload":"21.5","qos":1,"retained":true,"topic":"a/b"}"#;
        assert_eq!(publication_json(&text, WallMs(7)), expected);
        let bytes = [0xFF; 70];
        let bytes = publication("c", &bytes);
        assert!(publication_text(&bytes).ends_with("ff… (70 bytes)"));
        assert!(publication_json(&bytes, WallMs(7)).contains("payload_base64"));
    }

    #[test]
    fn exit_codes_say_what_is_known() {
        let exit = |outcome| ended(&outcome).err().map(|failure| failure.exit);
        assert_eq!(exit(PublishOutcome::Confirmed { unheard: true }), None);
        assert_eq!(exit(PublishOutcome::Sent), Some(Exit::Unconfirmed));
        assert_eq!(exit(PublishOutcome::Unsure), Some(Exit::Unknown));
        let refused = PublishOutcome::Refused { code: 0x87, reason: "acl".into() };
        assert_eq!(ended(&refused).err().unwrap().sentence, "the server refused it: not authorized (acl)");
    }
}
