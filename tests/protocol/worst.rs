//! Every message of a hub at its largest: each text as long as it may be, in characters that take the most room, each list
//! as long as it may be. None is larger than a frame.

use std::collections::BTreeSet;

use duplex::frame::Frame;
use duplex::model::NamedRoom;
use duplex::model::content::{Content, Draft};
use duplex::model::id::{Offset, RoomName};
use duplex::model::message::MAX_BODY_BYTES;
use duplex::model::principal::MAX_STATUS_CHARS;
use duplex::model::receipt::MAX_RECEIPTS;
use duplex::model::rights::{Invitation, ManageAnswer, Member};
use duplex::model::room::MAX_TOPIC_CHARS;
use duplex::model::time::BootMs;
use duplex::model::time::WallMs;
use duplex::model::{
    Bucket, Command, CommandRefusal, CommandState, DeviceId, DeviceLogEvent, DeviceState, Entry, Epoch,
    LastValue, LogLine, MessageId, Metric, MetricType, Principal, PrincipalId, PrincipalKind, Receipt,
    Refusal, Role, RoomId, RoomInfo, Sender, SeriesPage, Spec, Time, Value,
};
use duplex::wire::duplex::limits;
use duplex::wire::duplex::message::{
    ClientMessage, Decoded, Hello, HubMessage, MAX_FRAME_BYTES, MAX_PAD_BYTES, Message, PersonState,
    ReadSample, VERSIONS, decode, encode,
};
use duplex::wire::duplex::server::{
    Batch, Begun, Config, HISTORY_LIMIT, HubAccessAnswer, HubAnswer, HubChatAnswer, HubChatRequest,
    HubDeviceAnswer, HubRequest, Input, LIST_ITEMS, Lists, ListsFrom, Output, ServerSession,
};

const NOW: Time = Time { boot_ms: BootMs(0), wall_ms: WallMs(i64::MAX) };
/// What a welcome and each part of its lists stays below, in bytes.
const MAX_LISTS_BYTES: usize = 640 * 1024;
/// A text of a reading, in bytes of JSON; buckets of one `series`; lines of one `device_log`; readings for one frame, in
/// bytes, but for the last sample: as `hub::fleet` has them.
const FLEET: (usize, usize, usize, usize) = (limits::TEXT_BYTES, 4_000, 200, 64 * 1024);

/// So many control characters: six bytes of JSON each.
fn escapes(chars: usize) -> String {
    "\u{1}".repeat(chars)
}

/// The longest name of a room, a device or a metric. It has no control characters.
fn name(of: usize) -> String {
    let number = format!("{of:04}");
    "\u{10ffff}".repeat(RoomName::MAX_CHARS - number.len()) + &number
}

/// As long as a hub gives ids: those of older rooms are their names.
fn room(of: usize) -> RoomId {
    RoomId::new(name(of)).unwrap()
}

fn room_name(of: usize) -> RoomName {
    RoomName::new(name(of)).unwrap()
}

fn device(of: usize) -> DeviceId {
    DeviceId::new(name(of)).unwrap()
}

fn sender() -> Sender {
    Sender { id: PrincipalId(name(0)), name: escapes(limits::PERSON_CHARS) }
}

/// Longer than it may be told.
fn principal(of: usize) -> Principal {
    Principal { id: PrincipalId(name(of)), kind: PrincipalKind::Person, name: escapes(10_000), role: None }
}

fn id() -> MessageId {
    MessageId::from_random([0xff; 16])
}

fn entry(offset: u64) -> Entry {
    Entry {
        draft: Draft {
            id: id(),
            room: room(0),
            content: Content::text(escapes(MAX_BODY_BYTES)),
            at: WallMs(i64::MIN),
        },
        offset: Offset(offset),
        sender: sender(),
        received: WallMs(i64::MIN),
    }
}

fn command() -> Command {
    Command {
        id: id(),
        device: device(0),
        property: device(0),
        value: Value::Text(escapes(limits::LONG_TEXT_BYTES).into()),
        by: sender(),
        at: WallMs(i64::MIN),
        state: CommandState::Refused {
            why: CommandRefusal::NotAllowed,
            detail: escapes(limits::DETAIL_CHARS),
        },
    }
}

fn reading_text() -> Value {
    // Each is six bytes, and the quotation marks are two.
    Value::Text(escapes((FLEET.0 - 2) / 6).into())
}

/// As much as an announcement may say, in attributes, and all the metrics there may be, published without having been
/// announced.
fn device_state(of: usize) -> DeviceState {
    let mut spec = Spec {
        kind: escapes(limits::TITLE_CHARS),
        will: escapes(limits::REASON_CHARS),
        expect_every_s: Some(1.0 / 3.0),
        name: escapes(limits::TITLE_CHARS),
        ..Spec::unannounced(device(of))
    };
    for number in 0..limits::ATTRIBUTES {
        let value = "x".repeat(limits::LONG_TEXT_BYTES);
        spec.attributes.insert(format!("{number:04}"), value);
        if encode_spec(&spec) > limits::SPEC_BYTES {
            spec.attributes.remove(&format!("{number:04}"));
            break;
        }
    }
    limits::check_spec(&spec).expect("a hub takes it");
    assert!(encode_spec(&spec) > limits::SPEC_BYTES - limits::LONG_TEXT_BYTES - 100);
    spec.metrics =
        (0..duplex::model::device::METRICS).map(|of| Metric::new(device(of), MetricType::Number)).collect();
    let values = spec.metrics.iter().map(|metric| LastValue {
        metric: metric.name.clone(),
        value: reading_text(),
        at: WallMs(i64::MIN),
        received: WallMs(i64::MIN),
    });
    DeviceState {
        values: values.collect(),
        incarnation: u64::MAX,
        online: false,
        since: WallMs(i64::MIN),
        reason: escapes(limits::REASON_CHARS),
        heard: Some(WallMs(i64::MIN)),
        every_ms: Some(u64::MAX),
        spec,
    }
}

fn encode_spec(spec: &Spec) -> usize {
    encode(&ClientMessage::Announce(spec.clone())).len()
}

fn read_sample(values: usize) -> ReadSample {
    let values = (0..values).map(|of| (device(of), reading_text())).collect();
    ReadSample { device: device(0), at: WallMs(i64::MIN), received: WallMs(i64::MIN), values }
}

/// As long as a hub lets it be.
fn status() -> String {
    "\u{1F7E2}".repeat(MAX_STATUS_CHARS)
}

fn named_room(of: usize) -> NamedRoom {
    let topic = "\u{1F7E2}".repeat(MAX_TOPIC_CHARS);
    let info =
        RoomInfo { topic, archived: true, left: true, changed: Offset(u64::MAX), ..RoomInfo::default() };
    NamedRoom { info, ..NamedRoom::new(room(of), room_name(of)) }
}

fn lists() -> Lists {
    Lists {
        rooms: (0..LIST_ITEMS).map(named_room).collect(),
        people: (0..LIST_ITEMS)
            .map(|of| PersonState { who: principal(of), online: false, status: status() })
            .collect(),
        read: (0..LIST_ITEMS).map(|of| (room(of), Offset::MAX)).collect(),
        next: Some(ListsFrom { rooms: Some(1), ..ListsFrom::default() }),
    }
}

/// A hub's session that says all that is asked of it here.
struct Hub(ServerSession);

impl Hub {
    fn new() -> Self {
        let proof = Some(([0xff; 32], "h".repeat(1_000)));
        Hub(ServerSession::new(
            Config { proof, files: None, compresses: false },
            Time { boot_ms: BootMs(0), wall_ms: WallMs(i64::MAX) },
        ))
    }

    /// Tells it this. Returns the frames that it sends.
    fn tell(&mut self, input: Input) -> Vec<Frame> {
        self.0.handle(NOW, input);
        let mut frames = Vec::new();
        while let Some(output) = self.0.poll() {
            match output {
                Output::Send(frame) => frames.push(frame),
                Output::SendBatch(batch) => frames.push(Frame::Text(batch.text().to_string())),
                Output::SendShared(text) => frames.push(Frame::Text(text.to_string())),
                Output::Ask(HubRequest::Chat(HubChatRequest::Begin { .. })) => {
                    let begun = Begun {
                        hub: escapes(10_000),
                        epoch: Epoch(u64::MAX),
                        oldest: Offset(1),
                        head: Offset((1 << 53) - 1),
                        visible_head: Offset((1 << 53) - 1),
                        at_resume: None,
                        lists: lists(),
                    };
                    frames.extend(self.tell(Input::Answer(HubAnswer::Chat(HubChatAnswer::Begun(begun)))));
                }
                Output::Ask(_) | Output::Ping | Output::Compress | Output::Close(..) => {}
            }
        }
        frames
    }

    fn online() -> (Self, Vec<Frame>) {
        let mut hub = Hub::new();
        hub.tell(Input::Opened(Some(principal(0))));
        let frames = hub.tell(Input::Frame(encode(&hello(None))));
        (hub, frames)
    }

    fn says(input: Input) -> Vec<Frame> {
        Hub::online().0.tell(input)
    }

    fn answers(answer: HubAnswer) -> Vec<Frame> {
        Hub::says(Input::Answer(answer))
    }
}

fn hello(challenge: Option<String>) -> ClientMessage {
    ClientMessage::Hello(Hello {
        versions: VERSIONS,
        client: String::new(),
        features: Default::default(),
        token: None,
        invite: None,
        challenge,
        resume: None,
        since: None,
    })
}

fn frames(messages: impl IntoIterator<Item = HubMessage>) -> Vec<Frame> {
    messages.into_iter().map(|message| encode(&message)).collect()
}

/// Every frame in which a hub says a message of this type, at its largest.
///
/// A new type of message is to be added here: it does not compile before.
fn worst(like: &HubMessage) -> Vec<Frame> {
    match like {
        HubMessage::Proof { .. } => {
            let mut hub = Hub::new();
            hub.tell(Input::Opened(None));
            hub.tell(Input::Frame(encode(&hello(Some("ff".repeat(32))))))
        }
        HubMessage::InviteGood { .. } => {
            let mut hub = Hub::new();
            hub.tell(Input::Opened(None));
            hub.tell(Input::Frame(encode(&ClientMessage::CheckInvite { code: "x".into() })));
            hub.tell(Input::Answer(HubAnswer::Access(HubAccessAnswer::InviteChecked(Some((
                escapes(10_000),
                WallMs(i64::MIN),
            ))))))
        }
        HubMessage::Welcome(_) => Hub::online().1,
        HubMessage::Lists(_) => Hub::answers(HubAnswer::Chat(HubChatAnswer::Lists(lists()))),
        HubMessage::Log { .. } => {
            let entries: Vec<Entry> = (1..=8).map(entry).collect();
            let batches = Batch::cut(entries[0].offset, entries);
            batches.iter().map(|batch| Frame::Text(batch.text().to_string())).collect()
        }
        HubMessage::Ack { .. } => frames([HubMessage::Ack {
            id: id(),
            offset: Offset(u64::MAX),
            received: WallMs(i64::MIN),
            entry: false,
            room: Some(room(0)),
        }]),
        HubMessage::Refused { .. } => {
            let detail = || escapes(limits::DETAIL_CHARS);
            let all = [
                Refusal::NameAlike { name: room_name(0) },
                Refusal::BadName { detail: detail() },
                Refusal::Other { code: escapes(64), detail: detail() },
                Refusal::Quota { retry_after_ms: u64::MAX },
            ];
            frames(all.map(|refusal| HubMessage::Refused { id: id(), refusal }))
        }
        HubMessage::Typing { .. } => Hub::says(Input::Typing { room: room(0), who: other() }),
        HubMessage::Presence { .. } => Hub::says(Input::Presence(PersonState {
            who: Principal { id: other().id, name: other().name, ..principal(0) },
            online: false,
            status: status(),
        })),
        HubMessage::Receipts { .. } => {
            let receipt = |n: usize| Receipt {
                id: PrincipalId(name(n)),
                first: Offset(u64::MAX),
                last: Offset(u64::MAX),
            };
            let by = (0..MAX_RECEIPTS).map(receipt).collect();
            Hub::answers(HubAnswer::Chat(HubChatAnswer::Receipts { room: room(0), by }))
        }
        HubMessage::Unread { .. } => Hub::says(Input::Unread { room: room(0), offset: Offset(u64::MAX) }),
        HubMessage::Read { .. } => Hub::says(Input::Read { room: room(0), offset: Offset(u64::MAX) }),
        HubMessage::History { .. } => {
            let entries = (1..=u64::from(HISTORY_LIMIT)).map(entry).collect();
            Hub::answers(HubAnswer::Chat(HubChatAnswer::History {
                room: room(0),
                before: Offset(u64::MAX),
                entries,
                complete: false,
            }))
        }
        HubMessage::Devices { .. } => {
            let devices = vec![device_state(0)];
            frames([HubMessage::Devices { started: WallMs(i64::MIN), devices, more: false }])
        }
        HubMessage::Device { .. } => frames([HubMessage::Device { device: Box::new(device_state(0)) }]),
        HubMessage::DeviceState { .. } => frames([HubMessage::DeviceState {
            device: device(0),
            online: false,
            since: WallMs(i64::MIN),
            reason: escapes(limits::REASON_CHARS),
        }]),
        HubMessage::Readings { .. } => {
            let mut samples =
                vec![read_sample(1); FLEET.3 / serde_json::to_string(&read_sample(1)).unwrap().len()];
            samples.push(read_sample(duplex::model::device::METRICS));
            frames([HubMessage::Readings { samples, conflated: u64::MAX }])
        }
        HubMessage::Command { .. } => frames([HubMessage::Command {
            id: id(),
            device: device(0),
            property: device(0),
            value: command().value,
            by: sender(),
            expires_in_ms: u64::MAX,
        }]),
        HubMessage::Commanded { .. } => frames([HubMessage::Commanded { command: command() }]),
        HubMessage::Series { .. } => {
            let third = -f64::MAX / 3.0;
            let bucket =
                Bucket { at: WallMs(i64::MIN), min: third, mean: third, max: third, count: u32::MAX, off: 0 };
            let page = SeriesPage {
                from: WallMs(i64::MIN),
                to: WallMs(i64::MIN),
                step_ms: i64::MIN,
                buckets: vec![bucket; FLEET.1],
            };
            Hub::answers(HubAnswer::Device(HubDeviceAnswer::Series {
                device: device(0),
                metric: device(0),
                page,
            }))
        }
        HubMessage::DeviceLog { .. } => {
            let line =
                || LogLine { at: WallMs(i64::MIN), what: DeviceLogEvent::Command { command: command() } };
            let lines = (0..FLEET.2).map(|_| line()).collect();
            Hub::answers(HubAnswer::Device(HubDeviceAnswer::Log { device: device(0), lines }))
        }
        HubMessage::Managed { .. } => managed().into_iter().flat_map(Hub::answers).collect(),
        HubMessage::PublishRefused { .. } => Hub::answers(HubAnswer::Device(HubDeviceAnswer::Refused {
            device: name(0),
            code: "not_allowed",
            detail: escapes(limits::DETAIL_CHARS),
        })),
        HubMessage::Error { .. } => {
            // Each is told back what was wrong with it, and that may be all of it.
            let long = escapes(MAX_FRAME_BYTES / 6 - 100);
            let all = [
                serde_json::json!({"type": "history", "room": long}),
                serde_json::json!({"type": "ping", "nonce": long}),
                serde_json::json!({"type": "send", "id": long}),
                serde_json::json!({ "type": long }),
            ];
            let (mut hub, _) = Hub::online();
            all.iter().flat_map(|said| hub.tell(Input::Frame(Frame::Text(said.to_string())))).collect()
        }
        HubMessage::Pong { .. } => frames([HubMessage::Pong {
            nonce: u64::MAX,
            sent: Offset(u64::MAX),
            pad: escapes(MAX_PAD_BYTES),
        }]),
        HubMessage::Bye { .. } => {
            let long = escapes(MAX_FRAME_BYTES / 6 - 100);
            let said = serde_json::json!({"type": "hello", "versions": long});
            let mut hub = Hub::new();
            hub.tell(Input::Opened(None));
            hub.tell(Input::Frame(Frame::Text(said.to_string())))
        }
    }
}

/// What an admin is told: a whole page of each list.
fn managed() -> Vec<HubAnswer> {
    let member = |of| Member { who: principal(of), online: false, owner: true };
    let invitation = |_| Invitation {
        id: "f".repeat(10),
        kind: PrincipalKind::Person,
        role: Some(Role::Operator),
        by: Some(sender()),
        made: Some(WallMs(i64::MIN)),
        expires: WallMs(i64::MIN),
        used_by: Some(sender()),
        used: Some(WallMs(i64::MIN)),
    };
    // As many as the hub's store has on a page.
    let (page, next) = (0..200, || Some(name(0)));
    [
        ManageAnswer::People { people: page.clone().map(member).collect(), next: next() },
        ManageAnswer::Devices { devices: page.clone().map(member).collect(), next: next() },
        ManageAnswer::Invites { invites: page.map(invitation).collect(), next: next() },
    ]
    .map(|managed| HubAnswer::Managed { id: u64::MAX, managed })
    .into()
}

/// Somebody else than the client.
fn other() -> Sender {
    Sender { id: PrincipalId(name(7)), ..sender() }
}

/// One of each type, however small.
fn one_of_each() -> Vec<HubMessage> {
    use proptest::strategy::{Strategy, ValueTree};
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let mut found: Vec<HubMessage> = Vec::new();
    let mut kinds = BTreeSet::new();
    for _ in 0..10_000 {
        let message = super::generate::hub_message().new_tree(&mut runner).unwrap().current();
        if kinds.insert(kind(&encode(&message))) {
            found.push(message);
        }
        if found.len() == HubMessage::TYPES.len() {
            break;
        }
    }
    assert_eq!(found.len(), HubMessage::TYPES.len(), "only found {kinds:?}");
    found
}

fn kind(frame: &Frame) -> String {
    let Frame::Text(text) = frame else { panic!("a binary frame") };
    let value: serde_json::Value = serde_json::from_str(text).unwrap();
    value["type"].as_str().unwrap().to_owned()
}

#[test]
fn no_message_of_a_hub_is_larger_than_a_frame() {
    for like in one_of_each() {
        let of = kind(&encode(&like));
        let frames = worst(&like);
        assert!(!frames.is_empty(), "{of} is not said");
        for frame in frames {
            assert_eq!(kind(&frame), of);
            assert!(frame.len() <= MAX_FRAME_BYTES, "{of}: {} bytes", frame.len());
            let decoded = decode::<HubMessage>(&frame);
            assert!(matches!(decoded, Ok(Decoded::Known(_))), "{of}: {decoded:?}");
            if matches!(like, HubMessage::Welcome(_) | HubMessage::Lists(_)) {
                assert!(frame.len() <= MAX_LISTS_BYTES, "{of}: {} bytes", frame.len());
            }
        }
    }
}

#[test]
fn of_what_does_not_fit_the_newest_is_told() {
    let like = |frames: Vec<Frame>| match decode::<HubMessage>(&frames[0]) {
        Ok(Decoded::Known(message)) => message,
        other => panic!("{other:?}"),
    };
    let lines = (0..200)
        .map(|at| LogLine { at: WallMs(at), what: DeviceLogEvent::Command { command: command() } })
        .collect();
    let HubMessage::DeviceLog { lines, .. } =
        like(Hub::answers(HubAnswer::Device(HubDeviceAnswer::Log { device: device(0), lines })))
    else {
        panic!("no log");
    };
    assert!((20..200).contains(&lines.len()), "{}", lines.len());
    assert_eq!(lines.last().map(|line| line.at), Some(WallMs(199)));
}
