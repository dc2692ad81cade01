//! Tests of a session against scripted servers of both versions.

use mqtt_protocol_core::mqtt::packet::{Property, ReasonString, ServerKeepAlive, v3_1_1, v5_0};
use mqtt_protocol_core::mqtt::result_code::ConnectReasonCode;

use super::*;
use crate::model::content::UNCONFIRMED;
use crate::model::device::UNKNOWN_TIME;
use crate::model::event::{ChatEvent, DeviceEvent, Follows, LinkEvent};
use crate::model::id::Offset;
use crate::model::mqtt::{Filter, MqttOptions, MqttVersion};
use crate::model::publication::{NewPublication, Qos};
use crate::model::time::BootMs;
use crate::model::time::WallMs;
use crate::model::topic::{PublishOutcome, TopicRequest};
use crate::model::{
    CommandState, Content, Delivery, DeviceState, Draft, Entry, Feature, MessageId, MetricName, OutboxItem,
    Refusal, RoomId, RoomName, Value,
};
use crate::wire::mqtt::encode::Outgoing;
use crate::wire::mqtt::packet::AckKind;
use crate::wire::{Agreed, ChatRequest, DeviceRequest, Mark, Request};

const NOW: Time = Time { boot_ms: BootMs(100_000), wall_ms: WallMs(1_790_000_000_000) };
const ROOM: &str = "duplex/chat/general";

struct Peer {
    session: MqttSession,
    /// What was sent and not looked at.
    sent: Vec<u8>,
    events: Vec<(Event, Option<Mark>)>,
    persisted: Option<Vec<u8>>,
    closed: Option<Why>,
    now: Time,
}

fn config() -> Config {
    Config { user: "kim".into(), password: Some(Secret::new("s3cret")), is_seen: true, ..Config::default() }
}

impl Peer {
    fn new(config: Config, state: Option<Vec<u8>>) -> Peer {
        let saved = Saved { state, ..Saved::default() };
        let session = MqttSession::new(config, &saved, [9; 32]);
        let mut peer =
            Peer { session, sent: Vec::new(), events: Vec::new(), persisted: None, closed: None, now: NOW };
        peer.give(Input::Opened(Agreed { server: "broker".into(), is_stream: true, ..Agreed::default() }));
        peer
    }

    /// One that is online; `present`: whether the server kept the session.
    fn online(config: Config, state: Option<Vec<u8>>, present: bool) -> Peer {
        let mut peer = Peer::new(config, state);
        peer.take();
        let connack = match peer.session.version {
            Version::V5 => connack(present, ConnectReasonCode::Success, Vec::new()),
            Version::V311 => vec![0x20, 2, u8::from(present), 0],
        };
        peer.receive(&connack);
        assert!(peer.session.phase == Phase::Online);
        peer
    }

    fn give(&mut self, input: Input) {
        let result = self.session.handle(self.now, input);
        while let Some(output) = self.session.poll() {
            match output {
                Output::Send(Frame::Binary(bytes), None) => self.sent.extend(bytes),
                Output::Event(event, mark) => self.events.push((event, mark)),
                Output::Persist(state) => self.persisted = Some(state),
                Output::Close { why, .. } => self.closed = Some(why),
                Output::Online | Output::RoundTrip(_) => {}
                other => panic!("{other:?}"),
            }
        }
        if let Err(WireError::Violation { detail }) = result {
            self.closed = Some(Why::Violation { detail });
        }
    }

    fn receive(&mut self, bytes: &[u8]) {
        self.give(Input::Frame(Frame::Binary(bytes.to_vec())));
    }

    fn message(&mut self, topic: &str, payload: &[u8], qos: Qos, id: Option<u16>, is_repeated: bool) {
        let outgoing =
            Outgoing { topic: topic.into(), payload: payload.to_vec(), qos, ..Outgoing::default() };
        let packet = encode::publish(self.session.version, &outgoing, id, is_repeated).unwrap();
        self.receive(&packet);
    }

    fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.sent)
    }

    fn entries(&mut self) -> Vec<(Entry, Option<Mark>)> {
        let events = std::mem::take(&mut self.events).into_iter();
        events
            .flat_map(|(event, mark)| match event {
                Event::Chat(ChatEvent::Entries { entries, .. }) => {
                    entries.into_iter().map(|entry| (entry, mark)).collect()
                }
                _ => Vec::new(),
            })
            .collect()
    }

    fn bodies(&mut self) -> Vec<String> {
        self.entries().into_iter().map(|(entry, _)| entry.draft.content.body().to_owned()).collect()
    }

    fn write(&mut self, n: u8) {
        let id = MessageId::from_random([n; 16]);
        let room = RoomId::new(ROOM).unwrap();
        let draft = Draft { id, room, content: Content::text(format!("text {n}")), at: NOW.wall_ms };
        let item = OutboxItem { draft, seq: n.into(), delivery: Delivery::Attempted };
        self.give(Input::Request(Request::Chat(ChatRequest::Send(item))));
    }

    fn ack(&mut self, kind: AckKind, id: u16) {
        self.receive(&encode::ack(kind, id));
    }
}

fn connack(present: bool, code: ConnectReasonCode, props: Vec<Property>) -> Vec<u8> {
    let packet = v5_0::Connack::builder().session_present(present).reason_code(code).props(props);
    packet.build().unwrap().to_continuous_buffer()
}

/// Each packet alone.
fn packets(mut bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    while !bytes.is_empty() {
        let (mut length, mut at) = (0, 1);
        loop {
            length |= usize::from(bytes[at] & 0x7F) << (7 * (at - 1));
            at += 1;
            if bytes[at - 1] & 0x80 == 0 {
                break;
            }
        }
        let (packet, rest) = bytes.split_at(at + length);
        all.push(packet.to_vec());
        bytes = rest;
    }
    all
}

/// A packet without its fixed header, which is short.
fn body(packet: &[u8]) -> &[u8] {
    let at = packet[1..].iter().position(|byte| byte & 0x80 == 0).unwrap();
    &packet[at + 2..]
}

fn id_of(packet: &[u8]) -> u16 {
    let body = body(packet);
    let topic = usize::from(u16::from_be_bytes([body[0], body[1]]));
    u16::from_be_bytes([body[topic + 2], body[topic + 3]])
}

fn online(qos: Qos) -> Peer {
    let mut config = config();
    config.options.chat_qos = qos;
    let mut peer = Peer::online(config, None, false);
    peer.take();
    peer.events.clear();
    peer
}

#[test]
fn it_signs_in_subscribes_and_says_that_we_are_there() {
    let mut peer = Peer::new(config(), None);
    assert!(peer.persisted.is_some(), "the client id is kept before the server sees it");
    let sent = peer.take();
    let (connect, _) = v5_0::Connect::parse(body(&packets(&sent)[0])).unwrap();
    assert_eq!((connect.user_name(), connect.password()), (Some("kim"), Some(&b"s3cret"[..])));
    assert_eq!((connect.clean_start(), connect.keep_alive()), (false, 30));
    assert!(connect.client_id().starts_with("duplex") && connect.client_id().len() <= 23);
    assert!(connect.will_topic().unwrap().ends_with(connect.client_id()) && connect.will_retain());
    let keep_alive = Property::ServerKeepAlive(ServerKeepAlive::new(8).unwrap());
    peer.receive(&connack(false, ConnectReasonCode::Success, vec![keep_alive]));
    assert_eq!(peer.session.must_send_at(), Some(NOW.boot_ms + 6_000), "the server's keep-alive counts");
    let welcomed = peer.events.iter().find_map(|(event, _)| match event {
        Event::Link(LinkEvent::Welcomed { rooms, features, me, .. }) => Some((rooms, features, me)),
        _ => None,
    });
    let (rooms, features, me) = welcomed.unwrap();
    assert_eq!((rooms[0].id.as_str(), me.name.as_str()), (ROOM, "kim"));
    assert!(features.has(Feature::Topics) && features.has(Feature::CreateRooms));
    let sent = packets(&peer.take());
    let (chat, _) = v5_0::Subscribe::parse(body(&sent[0])).unwrap();
    let filters: Vec<_> = chat.entries().iter().map(|entry| entry.topic_filter().to_owned()).collect();
    assert_eq!(filters, ["duplex/chat/#", "duplex/chat-presence/+"]);
    let (all, _) = v5_0::Subscribe::parse(body(&sent[1])).unwrap();
    assert_eq!(all.entries()[0].topic_filter(), "#");
    assert_eq!((sent[2][0], sent.len()), (0x33, 3), "presence is retained, with QoS 1");
    peer.now.boot_ms += 6_000;
    peer.give(Input::Tick);
    assert_eq!(peer.take(), [0xC0, 0]);
    let goodbye = peer.session.goodbye().unwrap();
    let Frame::Binary(bytes) = goodbye else { panic!("text") };
    let last = packets(&bytes);
    assert_eq!((last[0][0], last[1].as_slice()), (0x31, &[0xE0, 0][..]));
}

#[test]
fn a_server_that_knows_only_3_1_1_is_found_out_and_remembered() {
    for answer in [None, Some(vec![0x20, 2, 0, 1])] {
        let mut peer = Peer::new(config(), None);
        match answer {
            Some(bytes) => peer.receive(&bytes),
            None => drop(peer.session.explain(NOW, Why::Lost { detail: String::new() })),
        }
        if let Some(why) = &peer.closed {
            assert!(matches!(why, Why::Mqtt { code: 0x84, .. }) && !peer.session.is_final(why));
        }
        let state = peer.session.saved().state;
        let mut peer = Peer::new(config(), state);
        let (connect, _) = v3_1_1::Connect::parse(body(&packets(&peer.take())[0])).unwrap();
        assert!(!connect.clean_session());
        peer.receive(&[0x20, 2, 0, 0]);
        assert!(peer.session.phase == Phase::Online && peer.persisted.is_some());
        let again = Peer::new(config(), peer.persisted.clone());
        assert_eq!(again.session.version, Version::V311);
        // After a week it is tried again.
        let saved = Saved { state: peer.persisted, ..Saved::default() };
        let mut later = MqttSession::new(config(), &saved, [1; 32]);
        let week = Time { wall_ms: NOW.wall_ms + 8 * 86_400_000, ..NOW };
        later.handle(week, Input::Opened(Agreed::default())).unwrap();
        assert_eq!(later.version, Version::V5);
    }
    // A server that answers neither is tried with both in turn.
    let mut peer = Peer::new(config(), None);
    peer.session.explain(NOW, Why::Lost { detail: String::new() });
    let mut peer = Peer::new(config(), peer.session.saved().state);
    assert_eq!(peer.session.version, Version::V311);
    peer.session.explain(NOW, Why::Lost { detail: String::new() });
    assert_eq!(Peer::new(config(), peer.session.saved().state).session.version, Version::V5);
    let mut fixed = config();
    fixed.options.version = MqttVersion::V311;
    assert_eq!(Peer::new(fixed, None).session.version, Version::V311);
}

#[test]
fn why_the_server_ends_it_is_told() {
    let mut peer = Peer::new(config(), None);
    let said = Property::ReasonString(ReasonString::new("no such user").unwrap());
    peer.receive(&connack(false, ConnectReasonCode::BadUserNameOrPassword, vec![said]));
    let why = peer.closed.unwrap();
    assert_eq!(why, Why::Mqtt { code: 0x86, said: "no such user".into() });
    assert!(peer.session.is_final(&why));
    let mut config = config();
    config.options.version = MqttVersion::V311;
    let mut peer = Peer::new(config.clone(), None);
    peer.receive(&[0x20, 2, 0, 5]);
    assert_eq!(peer.closed, Some(Why::Mqtt { code: 0x87, said: String::new() }));
    let mut peer = online(Qos::AtLeastOnce);
    peer.receive(&encode::disconnect(Version::V5, 0x8E));
    assert_eq!(peer.closed, Some(Why::TakenOver { is_certain: true }));
    let mut peer = online(Qos::AtLeastOnce);
    peer.receive(&[0xF0, 0]);
    assert_eq!(peer.closed, Some(Why::Mqtt { code: 0x8C, said: String::new() }));
    // Version 3.1.1 has no words for it.
    let mut state = None;
    for round in 1..=4 {
        let mut peer = Peer::online(config.clone(), state, true);
        peer.now.boot_ms += 2_000;
        let why = peer.session.explain(peer.now, Why::Lost { detail: String::new() });
        assert_eq!(why == Why::TakenOver { is_certain: false }, round >= 3, "{round}");
        state = peer.session.saved().state;
    }
    let mut peer = Peer::online(config, state, true);
    peer.now.boot_ms += 20_000;
    let lost = Why::Lost { detail: String::new() };
    assert_eq!(peer.session.explain(peer.now, lost.clone()), lost);
}

#[test]
fn what_is_no_mqtt_ends_the_connection_with_a_reason() {
    let mut peer = online(Qos::AtLeastOnce);
    peer.receive(&[0x36, 4, 0, 1, b'a', 0]);
    assert!(matches!(&peer.closed, Some(Why::Violation { detail }) if detail.contains("QoS is 3")));
    assert_eq!(peer.take(), [0xE0, 1, 0x81]);
    let mut peer = Peer::new(config(), None);
    peer.take();
    peer.receive(&[0xD0, 0]);
    assert!(matches!(peer.closed, Some(Why::Violation { .. })), "nothing comes before CONNACK");
    let mut session = MqttSession::new(config(), &Saved::default(), [1; 32]);
    session.handle(NOW, Input::Opened(Agreed::default())).unwrap();
    assert!(
        session.handle(NOW, Input::Frame(Frame::Text("x".into()))).is_err(),
        "WebSocket messages are binary"
    );
}

#[test]
fn a_message_is_delivered_when_the_server_has_it() {
    let mut peer = online(Qos::AtLeastOnce);
    peer.write(1);
    let sent = packets(&peer.take());
    assert_eq!((sent.len(), sent[0][0]), (1, 0x32));
    assert!(peer.entries().is_empty());
    peer.ack(AckKind::Puback, id_of(&sent[0]));
    let entries = peer.entries();
    assert_eq!(entries[0].0.sender.id.0, "me");
    assert_eq!(entries[0].0.draft.content.extra().get(UNCONFIRMED), None);
    // Refused with a reason.
    peer.write(2);
    let id = id_of(&packets(&peer.take())[0]).to_be_bytes();
    peer.receive(&[0x40, 3, id[0], id[1], 0x87]);
    let refused =
        Event::Chat(ChatEvent::Refused { id: MessageId::from_random([2; 16]), refusal: Refusal::NotAllowed });
    assert!(peer.events.iter().any(|(event, _)| *event == refused));
}

#[test]
fn with_qos_2_nothing_is_sent_twice_whenever_the_connection_is_lost() {
    let config = || {
        let mut config = config();
        config.options.chat_qos = Qos::ExactlyOnce;
        config
    };
    let mut peer = online(Qos::ExactlyOnce);
    peer.write(1);
    let first = packets(&peer.take()).remove(0);
    let id = id_of(&first);
    // What is on disk when it is sent is enough to send it again under the same id, even after a crash.
    let mut peer = Peer::online(config(), peer.persisted, true);
    peer.take();
    peer.write(1);
    let again = packets(&peer.take()).remove(0);
    assert_eq!((again[0], id_of(&again)), (first[0] | 8, id));
    peer.ack(AckKind::Pubrec, id);
    assert_eq!(peer.take(), encode::ack(AckKind::Pubrel, id));
    let mut peer = Peer::online(config(), peer.persisted, true);
    peer.take();
    peer.write(1);
    assert_eq!(peer.take(), encode::ack(AckKind::Pubrel, id), "only the release is left to do");
    assert!(peer.entries().is_empty());
    peer.ack(AckKind::Pubcomp, id);
    assert_eq!(peer.bodies(), ["text 1"]);
    assert!(Kept::read(peer.persisted.as_deref()).twice.is_empty(), "together with the entry");
    // A server that lost the session has neither.
    let mut peer = online(Qos::ExactlyOnce);
    peer.write(1);
    peer.take();
    let mut peer = Peer::online(config(), peer.persisted, false);
    peer.take();
    peer.write(1);
    assert_eq!(packets(&peer.take())[0][0], 0x34, "a new message, not a repeated one");
}

#[test]
fn what_comes_is_acknowledged_once_it_is_on_disk_and_in_order() {
    let mut peer = online(Qos::AtLeastOnce);
    peer.message(ROOM, b"one", Qos::AtLeastOnce, Some(1), false);
    peer.message("sensors/a", b"1", Qos::AtLeastOnce, Some(2), false);
    peer.message(ROOM, b"two", Qos::ExactlyOnce, Some(3), false);
    assert!(peer.take().is_empty());
    let entries = peer.entries();
    assert_eq!(entries.len(), 2);
    peer.give(Input::Committed(entries[0].1.unwrap()));
    assert_eq!(peer.take(), [encode::ack(AckKind::Puback, 1), encode::ack(AckKind::Puback, 2)].concat());
    peer.give(Input::Committed(entries[1].1.unwrap()));
    assert_eq!(peer.take(), encode::ack(AckKind::Pubrec, 3));
    // The connection is lost here: the server sends it again, and it is not shown again.
    let mut peer = Peer::online(config(), peer.persisted, true);
    peer.take();
    peer.message(ROOM, b"two", Qos::ExactlyOnce, Some(3), true);
    assert!(peer.entries().is_empty());
    assert_eq!(peer.take(), encode::ack(AckKind::Pubrec, 3));
    peer.ack(AckKind::Pubrel, 3);
    assert_eq!(peer.take(), encode::ack(AckKind::Pubcomp, 3));
    assert!(Kept::read(peer.persisted.as_deref()).taken.is_empty(), "before the server hears of it");
    peer.message(ROOM, b"three", Qos::ExactlyOnce, Some(3), false);
    assert_eq!(peer.bodies(), ["three"], "the id is free again");
}

#[test]
fn a_repeated_message_without_an_id_is_recognized_by_its_packet_id() {
    let mut peer = online(Qos::AtLeastOnce);
    peer.message(ROOM, b"hi", Qos::AtLeastOnce, Some(7), false);
    assert_eq!(peer.bodies(), ["hi"]);
    let mut peer = Peer::online(config(), peer.persisted, true);
    peer.message(ROOM, b"hi", Qos::AtLeastOnce, Some(7), true);
    peer.message(ROOM, b"hi", Qos::AtLeastOnce, Some(8), false);
    assert_eq!(peer.bodies(), ["hi"], "the second one is another message");
    // A retained one comes with each connection.
    let retained = |peer: &mut Peer| {
        let outgoing =
            Outgoing { topic: ROOM.into(), payload: b"pinned".to_vec(), retain: true, ..Outgoing::default() };
        peer.receive(&encode::publish(Version::V5, &outgoing, None, false).unwrap());
    };
    retained(&mut peer);
    assert_eq!(peer.bodies(), ["pinned"]);
    let mut peer = Peer::online(config(), peer.persisted, true);
    retained(&mut peer);
    assert!(peer.bodies().is_empty());
}

#[test]
fn what_is_no_longer_wanted_is_removed_from_a_session_that_the_server_kept() {
    let removed = |peer: &mut Peer| {
        let sent = packets(&peer.take());
        sent.iter()
            .filter(|packet| packet[0] == 0xa2)
            .map(|one| String::from_utf8_lossy(one).into_owned())
            .collect::<String>()
    };
    let mut first = Peer::online(config(), None, false);
    assert_eq!(removed(&mut first), "");
    let state = first.persisted;
    let edited = || Config {
        options: MqttOptions {
            subscriptions: vec![Filter::parse("shed/#").unwrap()],
            chats: false,
            ..MqttOptions::default()
        },
        ..config()
    };
    let mut kept = Peer::online(edited(), state.clone(), true);
    let others = removed(&mut kept);
    assert!(
        others.ends_with("#") && others.contains("duplex/chat/#") && !others.contains("shed"),
        "{others:?}"
    );
    assert_eq!(removed(&mut Peer::online(edited(), kept.persisted, true)), "");
    assert_eq!(removed(&mut Peer::online(edited(), state, false)), "");
}

#[test]
fn what_comes_for_two_subscriptions_is_shown_once() {
    let mut peer = Peer::new(config(), None);
    peer.receive(&connack(false, ConnectReasonCode::Success, Vec::new()));
    let chat = packets(&peer.take()).into_iter().find(|packet| packet[0] == 0x82).unwrap();
    let id = &body(&chat)[..2];
    peer.receive(&[0x90, 5, id[0], id[1], 0, 2, 2]);
    peer.events.clear();
    peer.message(ROOM, b"hi", Qos::AtMostOnce, None, false);
    assert!(peer.bodies().is_empty(), "it came for #, and comes for the chat as well");
    let mut packet = vec![0x30, 0, 0, ROOM.len() as u8];
    packet.extend(ROOM.as_bytes());
    packet.extend([2, 11, 1, b'h', b'i']);
    packet[1] = (packet.len() - 2) as u8;
    peer.receive(&packet);
    assert_eq!(peer.bodies(), ["hi"]);
}

#[test]
fn rooms_are_made_by_writing_into_them() {
    let mut peer = online(Qos::AtLeastOnce);
    let name = RoomName::new("lab").unwrap();
    let id = MessageId::from_random([5; 16]);
    let draft = Draft { id, room: RoomId::from(id), content: Content::room(name), at: WallMs(0) };
    let item = OutboxItem { draft, seq: 1, delivery: Delivery::Attempted };
    peer.give(Input::Request(Request::Chat(ChatRequest::Send(item))));
    let follows = Follows::OtherRoom(RoomId::new("duplex/chat/lab").unwrap());
    let made = Event::Chat(ChatEvent::Acknowledged { id, offset: Offset(0), received: NOW.wall_ms, follows });
    assert!(peer.events.iter().any(|(event, _)| *event == made));
    let peer = Peer::online(config(), peer.persisted, true);
    let rooms = peer.events.iter().find_map(|(event, _)| match event {
        Event::Link(LinkEvent::Welcomed { rooms, .. }) => Some(rooms.len()),
        _ => None,
    });
    assert_eq!(rooms, Some(2), "it is there next time");
}

#[test]
fn a_person_publishes_and_subscribes() {
    let mut peer = online(Qos::AtLeastOnce);
    let message = |topic: &str, qos| {
        Box::new(NewPublication { topic: topic.into(), payload: b"1".to_vec(), qos, ..Default::default() })
    };
    let ask = |peer: &mut Peer, request| peer.give(Input::Request(Request::Topic(request)));
    ask(&mut peer, TopicRequest::Publish { number: 1, message: message("a", Qos::AtMostOnce) });
    ask(&mut peer, TopicRequest::Publish { number: 2, message: message("a", Qos::AtLeastOnce) });
    ask(&mut peer, TopicRequest::Publish { number: 3, message: message("a/+", Qos::AtLeastOnce) });
    let sent = packets(&peer.take());
    assert_eq!((sent[0][0], sent[1][0], sent.len()), (0x30, 0x32, 2));
    let id = id_of(&sent[1]).to_be_bytes();
    peer.receive(&[0x40, 3, id[0], id[1], 0x10]);
    let outcomes: Vec<_> = peer
        .events
        .iter()
        .filter_map(|(event, _)| match event {
            Event::Topic(TopicEvent::Published { number, outcome }) => Some((*number, outcome.clone())),
            _ => None,
        })
        .collect();
    assert_eq!((&outcomes[0], outcomes[1].0), (&(1, PublishOutcome::Sent), 3));
    assert_eq!(outcomes[2], (2, PublishOutcome::Confirmed { unheard: true }));
    let topics: Vec<String> = (0..100).map(|n| format!("t/{n}")).collect();
    ask(&mut peer, TopicRequest::Clear { number: 4, topics });
    let mut cleared = 0;
    while !peer.sent.is_empty() {
        for packet in packets(&peer.take()) {
            assert_eq!(packet[0], 0x33);
            cleared += 1;
            peer.ack(AckKind::Puback, id_of(&packet));
        }
    }
    let told = TopicEvent::Cleared { number: 4, done: 100, failed: 0, why: None, is_over: true };
    assert!(cleared == 100 && peer.events.iter().any(|(event, _)| *event == Event::Topic(told.clone())));
    // An answer that never came.
    ask(&mut peer, TopicRequest::Publish { number: 5, message: message("a", Qos::ExactlyOnce) });
    peer.events.clear();
    peer.give(Input::Closed(Why::Silent));
    let unsure = TopicEvent::Published { number: 5, outcome: PublishOutcome::Unsure };
    assert_eq!(peer.events[0].0, Event::Topic(unsure));
    assert_eq!(Kept::read(peer.session.saved().state.as_deref()).twice.len(), 1, "its id is still in use");
}

#[test]
fn everything_seen_is_told_in_batches() {
    let mut peer = online(Qos::AtLeastOnce);
    let one = Outgoing { topic: "a/b".into(), payload: b"21.5".to_vec(), ..Outgoing::default() };
    let packet = encode::publish(Version::V5, &one, None, false).unwrap();
    peer.receive(&packet.repeat(1_000));
    let batches: Vec<usize> = peer
        .events
        .iter()
        .filter_map(|(event, _)| match event {
            Event::Topic(TopicEvent::Seen(seen)) => Some(seen.len()),
            _ => None,
        })
        .collect();
    assert_eq!(batches.iter().sum::<usize>(), 1_000);
    assert!(batches.len() <= 3, "{batches:?}");
}

fn device_events(peer: &mut Peer) -> Vec<DeviceEvent> {
    let events = std::mem::take(&mut peer.events).into_iter();
    let of_device = |(event, _)| if let Event::Device(event) = event { Some(event) } else { None };
    events.filter_map(of_device).collect()
}

const LAMP: &str = r#"{"name":null,"unique_id":"l1","command_topic":"lamp/set","state_topic":"lamp/state",
    "device":{"identifiers":["l1"],"name":"Lamp"}}"#;

#[test]
fn devices_are_found_listed_and_told_apart_from_what_the_server_had_kept() {
    let mut peer = online(Qos::AtLeastOnce);
    let retained = |topic: &str, payload: &str| {
        let payload = payload.as_bytes().to_vec();
        let outgoing = Outgoing { topic: topic.into(), payload, retain: true, ..Outgoing::default() };
        encode::publish(Version::V5, &outgoing, None, false).unwrap()
    };
    peer.receive(&retained("homeassistant/switch/l1/config", LAMP));
    peer.receive(&retained("lamp/state", "ON"));
    let events = device_events(&mut peer);
    let states: Vec<&DeviceState> = events
        .iter()
        .filter_map(|event| if let DeviceEvent::Announced(state) = event { Some(&**state) } else { None })
        .collect();
    assert_eq!(states[0].spec.title(), "Lamp");
    let last = states.iter().flat_map(|state| &state.values).next().unwrap();
    assert_eq!((&last.value, last.received), (&Value::Flag(true), UNKNOWN_TIME));
    assert!(
        !events.iter().any(|event| matches!(event, DeviceEvent::Readings(_) | DeviceEvent::Listed { .. }))
    );
    peer.message("lamp/state", b"OFF", Qos::AtMostOnce, None, false);
    let events = device_events(&mut peer);
    let readings = events.iter().find_map(|event| match event {
        DeviceEvent::Readings(readings) => Some(readings.values[0].1.clone()),
        _ => None,
    });
    assert_eq!(readings, Some(Value::Flag(false)));
    // What the server kept comes within a moment; then the list is complete.
    peer.now.boot_ms = peer.session.devices.deadline().unwrap();
    peer.give(Input::Tick);
    let listed = |events: &[DeviceEvent]| {
        events.iter().find_map(|event| match event {
            DeviceEvent::Listed { devices, more: false, .. } => Some(devices.len()),
            _ => None,
        })
    };
    assert_eq!(listed(&device_events(&mut peer)), Some(1));
    // After a lost connection what is known is there at once.
    peer.give(Input::Closed(Why::Silent));
    let config = peer.session.config.clone();
    let mut peer = Peer::online(config, peer.session.saved().state, true);
    assert_eq!(listed(&device_events(&mut peer)), Some(1));
}

#[test]
fn a_command_is_done_when_the_device_tells_the_value() {
    let mut peer = online(Qos::AtLeastOnce);
    peer.message("homeassistant/switch/l1/config", LAMP.as_bytes(), Qos::AtMostOnce, None, false);
    peer.message("lamp/state", b"ON", Qos::AtMostOnce, None, false);
    let events = device_events(&mut peer);
    let spec = events.iter().find_map(|event| match event {
        DeviceEvent::Announced(state) => Some(state.spec.clone()),
        _ => None,
    });
    let spec = spec.unwrap();
    let property = spec.metrics.iter().find(|metric| metric.writable).unwrap().name.clone();
    let command = |id: u8, property: &MetricName| {
        let id = MessageId::from_random([id; 16]);
        let (device, property, value) = (spec.id.clone(), property.clone(), Value::Flag(false));
        let command = DeviceRequest::Command { id, device, incarnation: None, property, value };
        Input::Request(Request::Device(command))
    };
    let states = |peer: &mut Peer| {
        let commanded =
            |event| if let DeviceEvent::Commanded(command) = event { Some(command.state) } else { None };
        device_events(peer).into_iter().filter_map(commanded).collect::<Vec<_>>()
    };
    peer.give(command(1, &property));
    assert_eq!(states(&mut peer), [CommandState::Pending]);
    let sent = packets(&peer.take()).remove(0);
    assert!(sent.ends_with(b"OFF") && sent[0] == 0x32, "the server is asked to confirm it");
    peer.ack(AckKind::Puback, id_of(&sent));
    assert_eq!(states(&mut peer), [], "the server has it, and the device has not told");
    peer.message("lamp/state", b"OFF", Qos::AtMostOnce, None, false);
    assert_eq!(states(&mut peer), [CommandState::Done]);
    peer.give(command(2, &MetricName::new("nothing").unwrap()));
    assert!(matches!(states(&mut peer)[..], [CommandState::Refused { .. }]));
}

#[test]
fn devices_that_the_person_merged_are_one_and_commands_reach_the_right_part() {
    let id = |text: &str| MetricName::new(text).unwrap();
    let mut config = config();
    config.options.merged = [(id("plug"), id("lamp"))].into();
    let mut peer = Peer::online(config, None, false);
    peer.take();
    let discover = |peer: &mut Peer, name: &str| {
        let topic = format!("homeassistant/switch/{name}/config");
        let payload = serde_json::json!({"name": "power", "unique_id": name, "state_topic": format!("{name}/state"),
            "command_topic": format!("{name}/set"), "device": {"identifiers": [name], "name": name}});
        peer.message(&topic, payload.to_string().as_bytes(), Qos::AtMostOnce, None, false);
    };
    discover(&mut peer, "lamp");
    discover(&mut peer, "plug");
    peer.message("lamp/state", b"ON", Qos::AtMostOnce, None, false);
    peer.message("plug/state", b"OFF", Qos::AtMostOnce, None, false);
    peer.now.boot_ms += 5_000;
    peer.give(Input::Tick);
    let events = device_events(&mut peer);
    let described: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            DeviceEvent::Announced(state) => Some(&state.spec),
            _ => None,
        })
        .collect();
    assert!(described.iter().all(|spec| spec.id == id("lamp")), "{described:?}");
    let names: Vec<&str> =
        described.last().unwrap().metrics.iter().map(|metric| metric.name.as_str()).collect();
    assert_eq!(names, ["power", "power (plug)"]);
    peer.take();
    let (device, property) = (id("lamp"), id("power (plug)"));
    let command = DeviceRequest::Command {
        id: MessageId::from_random([1; 16]),
        device,
        incarnation: None,
        property,
        value: Value::Flag(true),
    };
    peer.give(Input::Request(Request::Device(command)));
    let sent = peer.take();
    assert!(sent.windows(8).any(|bytes| bytes == b"plug/set"), "{sent:?}");
}

/// What a server may send to somebody who is online.
fn traffic(version: Version) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut publish = |topic: &str, payload: &[u8], qos, id, retain| {
        let outgoing =
            Outgoing { topic: topic.into(), payload: payload.to_vec(), qos, retain, properties: None };
        bytes.extend(encode::publish(version, &outgoing, id, false).unwrap());
    };
    publish("homeassistant/switch/l1/config", LAMP.as_bytes(), Qos::AtMostOnce, None, true);
    publish("lamp/state", b"ON", Qos::AtLeastOnce, Some(3), false);
    publish(ROOM, br#"{"id":"a","sender":"Lee","text":"hi","time":1}"#, Qos::ExactlyOnce, Some(4), false);
    publish("duplex/chat-presence/x", br#"{"name":"Lee","online":true}"#, Qos::AtMostOnce, None, true);
    for kind in [AckKind::Pubrel, AckKind::Puback, AckKind::Pubrec, AckKind::Pubcomp] {
        bytes.extend(encode::ack(kind, 4));
    }
    bytes.extend([0x90, 3, 0, 1, 0, 0xD0, 0]);
    bytes
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

    #[test]
    fn no_bytes_of_a_server_panic_a_session(
        at in 0..10_000_usize,
        byte: u8,
        cut in 0..10_000_usize,
        noise in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..60),
        old: bool,
    ) {
        let mut config = config();
        config.options.version = if old { MqttVersion::V311 } else { MqttVersion::V5 };
        let mut peer = Peer::online(config, None, false);
        let mut bytes = traffic(peer.session.version);
        let (at, cut) = (at % bytes.len(), cut % bytes.len());
        bytes[at] = byte;
        peer.receive(&bytes[..cut]);
        peer.receive(&bytes[cut..]);
        peer.receive(&noise);
        peer.write(1);
        peer.give(Input::Tick);
        peer.give(Input::Closed(Why::Silent));
    }
}
