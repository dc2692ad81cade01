//! Packets to send, by `mqtt-protocol-core`. Those of two to five bytes are written here.

use mqtt_protocol_core::mqtt::packet::{
    ContentType, CorrelationData, MaximumPacketSize, MessageExpiryInterval, PayloadFormat,
    PayloadFormatIndicator, Properties as Written, Property, Qos as WrittenQos, ReceiveMaximum,
    ResponseTopic, RetainHandling, SessionExpiryInterval, SubEntry, SubOpts, SubscriptionIdentifier,
    UserProperty, WillDelayInterval, v3_1_1, v5_0,
};
use mqtt_protocol_core::mqtt::result_code::MqttError;

use super::decode::MAX_PACKET_BYTES;
use super::packet::{AckKind, Version};
use crate::model::profile::Secret;
use crate::model::publication::{Properties, Qos};

/// Maximum number of messages with QoS 1 or 2 that the server may send before we acknowledge one.
pub const RECEIVE_MAXIMUM: u16 = 512;

/// `PINGREQ`.
pub const PING: [u8; 2] = [0xC0, 0];

/// What cannot be sent: a text is too long, or has a NUL, or a topic has wildcards.
#[derive(Copy, Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("MQTT cannot carry this: {0}")]
pub struct BadPacket(#[from] MqttError);

/// How to connect.
#[derive(Clone, Debug, Default)]
pub struct Connect {
    /// The client id; empty to let the server choose.
    pub client_id: String,
    /// The user; empty for none.
    pub user: String,
    /// The password.
    pub password: Option<Secret>,
    /// Keep-alive, in seconds; 0 for none.
    pub keep_alive: u16,
    /// Whether the server is to forget an earlier session.
    pub is_clean: bool,
    /// How long the server is to keep the session, in seconds. MQTT 3.1.1 knows 0 and for ever.
    pub session_expiry: u32,
    /// What the server publishes once the connection is lost.
    pub will: Option<Will>,
}

/// What the server publishes once the connection is lost. It is retained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Will {
    /// Where.
    pub topic: String,
    /// What.
    pub payload: Vec<u8>,
    /// How long the server waits for us to come back, in seconds; MQTT 5 alone.
    pub delay: u32,
}

/// A message to send.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outgoing {
    /// Where.
    pub topic: String,
    /// What.
    pub payload: Vec<u8>,
    /// How surely.
    pub qos: Qos,
    /// Whether the server is to keep it.
    pub retain: bool,
    /// What MQTT 5 carries besides.
    pub properties: Option<Box<Properties>>,
}

/// A subscription.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subscription {
    /// The filter.
    pub filter: String,
    /// Highest QoS.
    pub qos: Qos,
    /// Whether our own messages are not to come back; MQTT 5 alone.
    pub no_local: bool,
    /// Whether retained messages come only if the subscription is new; MQTT 5 alone.
    pub retained_once: bool,
}

fn qos(qos: Qos) -> WrittenQos {
    match qos {
        Qos::AtMostOnce => WrittenQos::AtMostOnce,
        Qos::AtLeastOnce => WrittenQos::AtLeastOnce,
        Qos::ExactlyOnce => WrittenQos::ExactlyOnce,
    }
}

/// `CONNECT`.
///
/// # Errors
/// A text that MQTT cannot carry.
pub fn connect(version: Version, connect: &Connect) -> Result<Vec<u8>, BadPacket> {
    let password = connect.password.as_ref().map(Secret::reveal);
    if version == Version::V311 {
        let mut packet = v3_1_1::Connect::builder()
            .client_id(connect.client_id.as_str())?
            .clean_session(connect.is_clean)
            .keep_alive(connect.keep_alive);
        if let Some(will) = &connect.will {
            let payload = will.payload.clone();
            packet = packet.will_message(will.topic.as_str(), payload, WrittenQos::AtLeastOnce, true)?;
        }
        // MQTT-3.1.2-22: no password without a user.
        if !connect.user.is_empty() || password.is_some() {
            packet = packet.user_name(connect.user.as_str())?;
        }
        if let Some(password) = password {
            packet = packet.password(password)?;
        }
        return Ok(packet.build()?.to_continuous_buffer());
    }
    let properties: Written = vec![
        Property::SessionExpiryInterval(SessionExpiryInterval::new(connect.session_expiry)?),
        Property::ReceiveMaximum(ReceiveMaximum::new(RECEIVE_MAXIMUM)?),
        Property::MaximumPacketSize(MaximumPacketSize::new(MAX_PACKET_BYTES as u32)?),
    ];
    let mut packet = v5_0::Connect::builder()
        .client_id(connect.client_id.as_str())?
        .clean_start(connect.is_clean)
        .keep_alive(connect.keep_alive)
        .props(properties);
    if let Some(will) = &connect.will {
        let payload = will.payload.clone();
        let delay: Written = vec![Property::WillDelayInterval(WillDelayInterval::new(will.delay)?)];
        packet = packet.will_message(will.topic.as_str(), payload, WrittenQos::AtLeastOnce, true)?;
        packet = packet.will_props(delay);
    }
    if !connect.user.is_empty() {
        packet = packet.user_name(connect.user.as_str())?;
    }
    if let Some(password) = password {
        packet = packet.password(password)?;
    }
    Ok(packet.build()?.to_continuous_buffer())
}

/// `PUBLISH`. `id`: of QoS 1 and 2.
///
/// # Errors
/// A topic or property that MQTT cannot carry.
pub fn publish(
    version: Version,
    message: &Outgoing,
    id: Option<u16>,
    is_repeated: bool,
) -> Result<Vec<u8>, BadPacket> {
    let payload = message.payload.as_slice();
    if version == Version::V311 {
        let packet = v3_1_1::Publish::builder()
            .topic_name(message.topic.as_str())?
            .qos(qos(message.qos))
            .retain(message.retain)
            .dup(is_repeated)
            .packet_id(id)
            .payload(payload);
        return Ok(packet.build()?.to_continuous_buffer());
    }
    let properties = message.properties.as_deref().map(properties).transpose()?;
    let packet = v5_0::Publish::builder()
        .topic_name(message.topic.as_str())?
        .qos(qos(message.qos))
        .retain(message.retain)
        .dup(is_repeated)
        .packet_id(id)
        .props(properties.unwrap_or_default())
        .payload(payload);
    Ok(packet.build()?.to_continuous_buffer())
}

fn properties(properties: &Properties) -> Result<Written, BadPacket> {
    let mut written = Written::new();
    if properties.is_text {
        let format = PayloadFormatIndicator::new(PayloadFormat::String)?;
        written.push(Property::PayloadFormatIndicator(format));
    }
    if let Some(seconds) = properties.expiry_s {
        written.push(Property::MessageExpiryInterval(MessageExpiryInterval::new(seconds)?));
    }
    if !properties.content_type.is_empty() {
        written.push(Property::ContentType(ContentType::new(properties.content_type.as_str())?));
    }
    if !properties.response_topic.is_empty() {
        written.push(Property::ResponseTopic(ResponseTopic::new(properties.response_topic.as_str())?));
    }
    if !properties.correlation.is_empty() {
        written.push(Property::CorrelationData(CorrelationData::new(&properties.correlation)?));
    }
    for (name, value) in &properties.user {
        written.push(Property::UserProperty(UserProperty::new(name.as_str(), value.as_str())?));
    }
    Ok(written)
}

/// `SUBSCRIBE`. `number`: the subscription identifier of MQTT 5.
///
/// # Errors
/// A filter that MQTT cannot carry.
pub fn subscribe(
    version: Version,
    id: u16,
    subscriptions: &[Subscription],
    number: Option<u32>,
) -> Result<Vec<u8>, BadPacket> {
    let is_v5 = version == Version::V5;
    let entry = |subscription: &Subscription| {
        let mut options = SubOpts::new().set_qos(qos(subscription.qos));
        if is_v5 {
            let once = subscription.retained_once;
            let handling =
                if once { RetainHandling::SendRetainedIfNotExists } else { RetainHandling::SendRetained };
            // Without "retain as published" only what the server had kept is marked as retained (MQTT-3.3.1-12).
            options = options.set_nl(subscription.no_local).set_rh(handling);
        }
        SubEntry::new(subscription.filter.as_str(), options)
    };
    let entries = subscriptions.iter().map(entry).collect::<Result<Vec<_>, _>>()?;
    if !is_v5 {
        let packet = v3_1_1::Subscribe::builder().packet_id(id).entries(entries);
        return Ok(packet.build()?.to_continuous_buffer());
    }
    let mut properties = Written::new();
    if let Some(number) = number {
        properties.push(Property::SubscriptionIdentifier(SubscriptionIdentifier::new(number)?));
    }
    let packet = v5_0::Subscribe::builder().packet_id(id).entries(entries).props(properties);
    Ok(packet.build()?.to_continuous_buffer())
}

/// `UNSUBSCRIBE`.
///
/// # Errors
/// A filter that MQTT cannot carry.
pub fn unsubscribe(version: Version, id: u16, filters: &[String]) -> Result<Vec<u8>, BadPacket> {
    let filters = filters.iter().map(String::as_str);
    if version == Version::V311 {
        let packet = v3_1_1::Unsubscribe::builder().packet_id(id).entries(filters)?;
        return Ok(packet.build()?.to_continuous_buffer());
    }
    Ok(v5_0::Unsubscribe::builder().packet_id(id).entries(filters)?.build()?.to_continuous_buffer())
}

/// An acknowledgement that says that all is well.
pub fn ack(kind: AckKind, id: u16) -> [u8; 4] {
    let first = match kind {
        AckKind::Puback => 0x40,
        AckKind::Pubrec => 0x50,
        AckKind::Pubrel => 0x62,
        AckKind::Pubcomp => 0x70,
    };
    let [high, low] = id.to_be_bytes();
    [first, 2, high, low]
}

/// `DISCONNECT`. The code is left out where it says that all is well, and in MQTT 3.1.1.
pub fn disconnect(version: Version, code: u8) -> Vec<u8> {
    match (version, code) {
        (Version::V311, _) | (_, 0) => vec![0xE0, 0],
        (Version::V5, code) => vec![0xE0, 1, code],
    }
}
