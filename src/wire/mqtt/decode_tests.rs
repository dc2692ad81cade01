//! Tests of packets as servers send them, whole, cut and damaged.

use mqtt_protocol_core::mqtt::packet::{
    MaximumPacketSize, Property, ReasonString, ReceiveMaximum, ServerKeepAlive, SubscriptionIdentifier,
    TopicAlias, UserProperty, v3_1_1, v5_0,
};
use mqtt_protocol_core::mqtt::result_code::{ConnectReasonCode, DisconnectReasonCode};
use proptest::prelude::*;

use super::*;
use crate::wire::mqtt::encode::{self, Outgoing};

/// Reads everything, piece by piece, as owned descriptions.
fn read(version: Version, pieces: &[&[u8]]) -> Result<Vec<String>, Malformed> {
    let mut decoder = Decoder::default();
    decoder.set_version(version);
    let mut read = Vec::new();
    for piece in pieces {
        let mut input = *piece;
        while let Some(packet) = decoder.next(&mut input)? {
            read.push(format!("{packet:?}"));
        }
        assert!(input.is_empty(), "all of a piece is taken");
    }
    Ok(read)
}

fn message(topic: &str, payload: &[u8], qos: Qos) -> Outgoing {
    Outgoing { topic: topic.into(), payload: payload.to_vec(), qos, ..Outgoing::default() }
}

fn sample() -> Vec<u8> {
    let connack =
        v5_0::Connack::builder().session_present(true).reason_code(ConnectReasonCode::Success).props(vec![
            Property::ReceiveMaximum(ReceiveMaximum::new(20).unwrap()),
            Property::MaximumPacketSize(MaximumPacketSize::new(1_000).unwrap()),
            Property::ServerKeepAlive(ServerKeepAlive::new(7).unwrap()),
            Property::ReasonString(ReasonString::new("welcome").unwrap()),
        ]);
    let mut bytes = connack.build().unwrap().to_continuous_buffer();
    bytes.extend(
        encode::publish(Version::V5, &message("a/b", b"21.5", Qos::AtMostOnce), None, false).unwrap(),
    );
    let properties = Properties {
        content_type: "text/plain".into(),
        user: vec![("who".into(), "me".into())],
        ..Properties::default()
    };
    let with =
        Outgoing { properties: Some(Box::new(properties)), ..message("c", &[7; 300], Qos::ExactlyOnce) };
    bytes.extend(encode::publish(Version::V5, &with, Some(9), true).unwrap());
    bytes.extend(encode::ack(AckKind::Puback, 3));
    bytes.extend([0xD0, 0]);
    bytes.extend(encode::disconnect(Version::V5, 0x8E));
    bytes
}

#[test]
fn packets_are_read_wherever_they_are_cut() {
    let bytes = sample();
    let whole = read(Version::V5, &[&bytes]).unwrap();
    assert_eq!(whole.len(), 6);
    assert!(whole[0].contains("keep_alive: Some(7)") && whole[0].contains("said: \"welcome\""));
    assert!(whole[2].contains("user: [(\"who\", \"me\")]") && whole[2].contains("is_repeated: true"));
    assert_eq!(whole[5], "Disconnect { code: 142, said: \"\", reference: None }");
    for at in 0..bytes.len() {
        assert_eq!(read(Version::V5, &[&bytes[..at], &bytes[at..]]).unwrap(), whole, "cut at {at}");
    }
    let single: Vec<&[u8]> = bytes.chunks(1).collect();
    assert_eq!(read(Version::V5, &single).unwrap(), whole);
}

#[test]
fn what_servers_send_is_understood_in_both_versions() {
    let refused = v5_0::Disconnect::builder()
        .reason_code(DisconnectReasonCode::SessionTakenOver)
        .props(vec![Property::ReasonString(ReasonString::new("by another").unwrap())]);
    let refused = refused.build().unwrap().to_continuous_buffer();
    let expected = "Disconnect { code: 142, said: \"by another\", reference: None }";
    assert_eq!(read(Version::V5, &[&refused]).unwrap(), [expected]);
    let mut decoder = Decoder::default();
    let aliased = v5_0::Publish::builder().topic_name("t").unwrap().payload(b"x".as_slice()).props(vec![
        Property::TopicAlias(TopicAlias::new(4).unwrap()),
        Property::SubscriptionIdentifier(SubscriptionIdentifier::new(2).unwrap()),
        Property::UserProperty(UserProperty::new("a", "b").unwrap()),
    ]);
    let bytes = aliased.build().unwrap().to_continuous_buffer();
    let mut input = bytes.as_slice();
    let Some(Packet::Publish(publish)) = decoder.next(&mut input).unwrap() else { panic!("no message") };
    assert_eq!((publish.alias, publish.subscriptions), (Some(4), vec![2]));
    assert_eq!(publish.properties.unwrap().user, [("a".to_owned(), "b".to_owned())]);
    let old = v3_1_1::Publish::builder().topic_name("t").unwrap().payload(b"\0".as_slice());
    let bytes = old.build().unwrap().to_continuous_buffer();
    assert!(read(Version::V311, &[&bytes]).unwrap()[0].contains("payload: [0]"));
    // RabbitMQ and old brokers answer version 5 as version 3.1.1 has it; codes that no version knows are passed on.
    assert!(read(Version::V5, &[&[0x20, 2, 0, 1]]).unwrap()[0].contains("code: 1,"));
    assert!(read(Version::V311, &[&[0x20, 2, 0, 200]]).unwrap()[0].contains("code: 200,"));
    assert!(read(Version::V311, &[&[0x90, 3, 0, 1, 0x80]]).unwrap()[0].contains("codes: [128]"));
}

#[test]
fn bad_packets_are_told_by_what_is_wrong() {
    for (bytes, part) in [
        (&[0x30, 0xFF, 0xFF, 0xFF, 0xFF, 1][..], "the length"),
        (&[0x36, 4, 0, 1, b'a', 0], "QoS is 3"),
        (&[0x30, 3, 0, 9, b'a'], "ends too early"),
        (&[0x32, 6, 0, 1, b'a', 0, 0, 0], "packet id is 0"),
        (&[0x30, 4, 0, 1, b'#', 0], "wildcards"),
        (&[0x30, 4, 0, 1, 0xFF, 0], "not UTF-8"),
        (&[0x30, 4, 0, 1, 0, 0], "not UTF-8"),
        (&[0x30, 3, 0, 0, 0], "no topic"),
        (&[0x30, 5, 0, 1, b'a', 1, 99], "properties"),
        (&[0x30, 4, 0, 1, b'a', 0xFF], "properties"),
        (&[0x41, 2, 0, 1], "flags"),
        (&[0x40, 2, 0, 0], "packet id is 0"),
        (&[0xD0, 1, 0], "more than it should"),
        (&[0x20, 3, 2, 0, 0], "flags"),
        (&[0x10, 0], "type 1"),
        (&[0x00, 0], "type 0"),
        (&[0x90, 0xFF, 0xFF, 0xFF, 0x7F], "too large"),
    ] {
        let error = read(Version::V5, &[bytes]).unwrap_err().to_string();
        assert!(error.contains(part), "{bytes:?}: {error}");
    }
    assert_eq!(read(Version::V311, &[&[0xE0, 0]]), Err(Malformed::Type(14)), "clients alone send it");
}

#[test]
fn of_a_message_too_large_only_the_topic_is_kept() {
    let payload = vec![b'x'; MAX_PACKET_BYTES + 10];
    let mut bytes =
        encode::publish(Version::V311, &message("big/one", &payload, Qos::AtLeastOnce), Some(5), false)
            .unwrap();
    bytes.extend([0xD0, 0]);
    let mut decoder = Decoder::default();
    decoder.set_version(Version::V311);
    let mut packets = 0;
    for piece in bytes.chunks(60_000) {
        let mut input = piece;
        while let Some(packet) = decoder.next(&mut input).unwrap() {
            match packet {
                Packet::Publish(publish) => {
                    assert_eq!((publish.topic, publish.id), ("big/one", Some(5)));
                    assert_eq!((publish.payload, publish.left_out), (&[][..], Some(payload.len())));
                }
                packet => assert_eq!(packet, Packet::Pong),
            }
            packets += 1;
        }
        assert!(decoder.buffer.capacity() < 2 * HEAD_BYTES, "its payload is never in memory");
    }
    assert_eq!(packets, 2);
    // A packet of 256 MB that never comes costs nothing.
    let mut input: &[u8] = &[0x30, 0xFF, 0xFF, 0xFF, 0x7F, 0, 1];
    assert_eq!(decoder.next(&mut input), Ok(None));
    assert!(decoder.buffer.capacity() < 2 * HEAD_BYTES);
}

proptest! {
    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400), old: bool) {
        let version = if old { Version::V311 } else { Version::V5 };
        let _ = read(version, &[&bytes]);
    }

    #[test]
    fn mutated_packets_never_panic(at in 0..4_000_usize, byte: u8, cut in 0..4_000_usize, old: bool) {
        let version = if old { Version::V311 } else { Version::V5 };
        let mut bytes = sample();
        let at = at % bytes.len();
        bytes[at] = byte;
        let cut = cut % bytes.len();
        let _ = read(version, &[&bytes[..cut], &bytes[cut..]]);
        let _ = read(version, &[&bytes[cut..]]);
    }

    #[test]
    fn messages_come_back_as_they_were(
        topic in "[a-z/]{1,40}",
        payload in proptest::collection::vec(any::<u8>(), 0..2_000),
        qos in 0_u8..3,
        old: bool,
        size in 1_usize..50,
    ) {
        let version = if old { Version::V311 } else { Version::V5 };
        let qos = Qos::of(qos).unwrap();
        let id = (qos != Qos::AtMostOnce).then_some(77);
        let bytes = encode::publish(version, &message(&topic, &payload, qos), id, false).unwrap();
        let mut decoder = Decoder::default();
        decoder.set_version(version);
        let mut found = 0;
        for piece in bytes.chunks(size) {
            let mut input = piece;
            while let Some(packet) = decoder.next(&mut input).unwrap() {
                let expected = Publish { topic: &topic, payload: &payload, qos, id, ..Publish::default() };
                prop_assert_eq!(packet, Packet::Publish(expected));
                found += 1;
            }
        }
        prop_assert_eq!(found, 1);
    }
}
