//! The packets of MQTT 3.1.1 and 5 that a client receives, and what a message carries.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::model::publication::{Properties, Qos};

/// A version of the protocol.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Version {
    /// MQTT 3.1.1.
    V311,
    /// MQTT 5.
    #[default]
    V5,
}

/// A packet from a server. Codes are the server's, also those that this version does not know.
#[derive(Clone, Debug, PartialEq)]
pub enum Packet<'a> {
    /// `CONNACK`.
    Connack(Connack),
    /// `PUBLISH`.
    Publish(Publish<'a>),
    /// `PUBACK`, `PUBREC`, `PUBREL` or `PUBCOMP`.
    Ack(Ack),
    /// `SUBACK` or `UNSUBACK`, with a code for each filter; MQTT 3.1.1 has none in `UNSUBACK`.
    Granted {
        /// The packet id.
        id: u16,
        /// The codes.
        codes: Vec<u8>,
        /// The server's words; may be empty.
        said: String,
    },
    /// `PINGRESP`.
    Pong,
    /// `DISCONNECT`: the server ends the connection.
    Disconnect {
        /// Why.
        code: u8,
        /// The server's words; may be empty.
        said: String,
        /// Another server to use.
        reference: Option<String>,
    },
    /// `AUTH`: the server wants more than a password.
    Auth,
}

/// `CONNACK`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Connack {
    /// Whether the server kept the session.
    pub session_present: bool,
    /// 0 if the connection is accepted.
    pub code: u8,
    /// The server's words; may be empty.
    pub said: String,
    /// Maximum number of messages with QoS 1 or 2 that the server takes at a time.
    pub receive_maximum: Option<u16>,
    /// Maximum size of a packet that the server takes, in bytes.
    pub max_packet: Option<u32>,
    /// Highest QoS that the server takes.
    pub max_qos: Option<u8>,
    /// Whether the server keeps retained messages.
    pub retains: Option<bool>,
    /// Whether the server takes subscriptions with wildcards.
    pub has_wildcards: Option<bool>,
    /// Whether the server takes subscription identifiers.
    pub has_subscription_ids: Option<bool>,
    /// Keep-alive that the server wants, in seconds.
    pub keep_alive: Option<u16>,
    /// How long the server keeps the session, in seconds.
    pub session_expiry: Option<u32>,
    /// The client id that the server gave us.
    pub client_id: Option<String>,
    /// Another server to use.
    pub reference: Option<String>,
}

/// A message as it comes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Publish<'a> {
    /// Its topic; empty where an alias stands for it.
    pub topic: &'a str,
    /// What it says.
    pub payload: &'a [u8],
    /// Its QoS.
    pub qos: Qos,
    /// Whether the server had kept it.
    pub is_retained: bool,
    /// Whether it may have come before.
    pub is_repeated: bool,
    /// The packet id; of QoS 1 and 2.
    pub id: Option<u16>,
    /// The alias of its topic; MQTT 5 alone.
    pub alias: Option<u16>,
    /// The subscriptions that it came for; MQTT 5 alone.
    pub subscriptions: Vec<u32>,
    /// What MQTT 5 lets it carry besides; none where there is nothing.
    pub properties: Option<Arc<Properties>>,
    /// How long the payload was, if it is so long that it is not here.
    pub left_out: Option<usize>,
}

/// An acknowledgement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ack {
    /// Which.
    pub kind: AckKind,
    /// The packet id.
    pub id: u16,
    /// 0 and other codes below 128 if the message was taken.
    pub code: u8,
    /// The server's words; may be empty.
    pub said: String,
}

/// The kinds of acknowledgements.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum AckKind {
    /// `PUBACK`: the answer to QoS 1.
    Puback,
    /// `PUBREC`: the first answer to QoS 2.
    Pubrec,
    /// `PUBREL`: the answer to `PUBREC`.
    Pubrel,
    /// `PUBCOMP`: the answer to `PUBREL`.
    Pubcomp,
}
