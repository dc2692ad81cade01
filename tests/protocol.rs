//! The Duplex protocol as `PROTOCOL.md` says it: its examples are what the codec speaks, and the codec bears with
//! whatever else comes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that fails should say so at once"
)]

#[path = "generate/mod.rs"]
mod generate;
#[path = "protocol/worst.rs"]
mod worst;

use std::collections::BTreeSet;

use duplex::frame::Frame;
use duplex::model::content::{Content, Draft};
use duplex::model::id::{Offset, RoomName};
use duplex::model::message::MAX_BODY_BYTES;
use duplex::model::time::BootMs;
use duplex::model::time::WallMs;
use duplex::model::{RoomId, device};
use duplex::wire::duplex::message::{
    self, ClientMessage, Decoded, HubMessage, MAX_DEPTH, MAX_FRAME_BYTES, Malformed, Message, Start, Welcome,
    close, decode, encode,
};
use duplex::wire::duplex::{client, limits, proof, readings, server};
use duplex::wire::{self, Agreed, Saved};
use duplex::{link, model};
use proptest::prelude::*;
use serde_json::{Value, json};

const PROTOCOL: &str = include_str!("../src/wire/duplex/PROTOCOL.md");
const MESSAGE_RS: &str = include_str!("../src/wire/duplex/message.rs");

// The document

#[derive(Copy, Clone, Debug, PartialEq)]
enum Speaker {
    Client,
    Hub,
}

/// The document's fenced blocks that are marked as JSON, with the one who says it and the line it begins at.
fn examples() -> Vec<(Speaker, usize, String)> {
    let mut found = Vec::new();
    let mut open: Option<(Option<Speaker>, usize, String)> = None;
    for (index, line) in PROTOCOL.lines().enumerate() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(info)) => {
                let speaker = match info {
                    "json client" => Some(Speaker::Client),
                    "json hub" => Some(Speaker::Hub),
                    "text" => None,
                    other => panic!("line {}: a block marked as `{other}`", index + 1),
                };
                open = Some((speaker, index + 1, String::new()));
            }
            (None, None) => {}
            (Some((speaker, at, text)), Some("")) => {
                found.extend(speaker.map(|speaker| (speaker, *at, std::mem::take(text))));
                open = None;
            }
            (Some((_, _, text)), _) => {
                text.push_str(line);
                text.push('\n');
            }
        }
    }
    assert!(open.is_none(), "a block is not closed");
    found
}

/// Decodes and encodes again; the two must say the same.
fn there_and_back<M: Message>(at: usize, text: &str) {
    let original: Value = serde_json::from_str(text).unwrap_or_else(|e| panic!("line {at}: no JSON: {e}"));
    let decoded = match decode::<M>(&Frame::Text(text.to_owned())) {
        Ok(Decoded::Known(message)) => message,
        Ok(Decoded::UnknownType(kind)) => panic!("line {at}: nobody says `{kind}` in that direction"),
        Err(malformed) => panic!("line {at}: {malformed}"),
    };
    let Frame::Text(again) = encode(&decoded) else {
        panic!("line {at}: encoded as binary");
    };
    assert_eq!(serde_json::from_str::<Value>(&again).ok(), Some(original), "the example at line {at}");
}

#[test]
fn every_example_is_what_the_codec_speaks() {
    let examples = examples();
    assert!(examples.len() >= ClientMessage::TYPES.len() + HubMessage::TYPES.len());
    for (speaker, at, text) in examples {
        match speaker {
            Speaker::Client => there_and_back::<ClientMessage>(at, &text),
            Speaker::Hub => there_and_back::<HubMessage>(at, &text),
        }
    }
}

#[test]
fn every_message_has_an_example() {
    let shown = |by: Speaker| -> BTreeSet<String> {
        let of_speaker = examples().into_iter().filter(|(speaker, ..)| *speaker == by);
        let kind =
            |text: &str| serde_json::from_str::<Value>(text).unwrap()["type"].as_str().map(str::to_owned);
        of_speaker.filter_map(|(_, _, text)| kind(&text)).collect()
    };
    let of = |types: &[&str]| types.iter().map(|kind| (*kind).to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(shown(Speaker::Client), of(ClientMessage::TYPES));
    assert_eq!(shown(Speaker::Hub), of(HubMessage::TYPES));
}

proptest! {
    /// `TYPES` is written by hand: whatever is said must be in it, or an ill-formed one would pass as an unknown type.
    #[test]
    fn the_list_of_types_is_complete(
        said in generate::client_message(), answered in generate::hub_message(),
    ) {
        let kind = |message: Value| message["type"].as_str().unwrap_or_default().to_owned();
        let (said, answered) = (serde_json::to_value(said).unwrap(), serde_json::to_value(answered).unwrap());
        prop_assert!(ClientMessage::TYPES.contains(&kind(said).as_str()));
        prop_assert!(HubMessage::TYPES.contains(&kind(answered).as_str()));
    }
}

#[test]
fn every_close_code_is_explained() {
    let codes: Vec<(&str, &str)> = MESSAGE_RS
        .lines()
        .filter_map(|line| line.trim().strip_prefix("pub const ")?.split_once(": u16 = "))
        .map(|(name, value)| (name, value.trim_end_matches(';')))
        .collect();
    assert!(codes.len() >= 10, "the constants were not found: {codes:?}");
    for (name, value) in codes {
        let row = PROTOCOL.lines().find(|line| line.starts_with(&format!("| {value} | `{name}`")));
        let row = row.unwrap_or_else(|| panic!("{value} {name} is not in the table of codes"));
        let code: u16 = value.parse().unwrap();
        let verdict = row.trim_end_matches('|').rsplit('|').next().unwrap_or_default();
        let stops = !client::why_of_close(code, String::new(), None).is_retryable();
        assert_eq!(verdict.contains("stops"), stops, "what a client does at {value}: {verdict}");
    }
}

#[test]
fn the_figures_are_the_programs_own() {
    let thousands = |n: u64| {
        let digits = n.to_string();
        let groups: Vec<&str> =
            digits.as_bytes().rchunks(3).rev().map(|g| std::str::from_utf8(g).unwrap()).collect();
        groups.join(",")
    };
    for (what, figure) in [
        ("a frame, and a message of several fragments", MAX_FRAME_BYTES as u64),
        ("nesting", MAX_DEPTH as u64),
        ("a body", MAX_BODY_BYTES as u64),
        ("a room's name", RoomName::MAX_CHARS as u64),
        ("sends without an answer", link::outbox::WINDOW as u64),
        ("a page of history", u64::from(server::HISTORY_LIMIT)),
        ("dial and welcome together", link::CONNECT_MS),
        ("hello", server::HELLO_MS),
        ("silence before a ping", client::QUIET_MS),
        ("no sign of life after it", link::PONG_MS),
        ("no sign of life after it", server::PONG_MS),
        ("the same, on a suspicion", link::PROBE_MS),
        ("a `send` without an answer", link::ACK_MS),
        ("silence before a WebSocket ping", server::IDLE_MS),
        ("typing is believed", client::TYPING_MS),
        ("a device's or metric's name", device::NAME_CHARS as u64),
        ("samples of a `publish`", limits::SAMPLES as u64),
        ("values of a sample", device::METRICS as u64),
        ("a device's metrics", device::METRICS as u64),
        ("a device's attributes", limits::ATTRIBUTES as u64),
        ("options of an enumeration", limits::OPTIONS as u64),
        ("an announcement", limits::SPEC_BYTES as u64),
        ("a name, kind, unit or option", limits::TITLE_CHARS as u64),
        ("a will or a reason", limits::REASON_CHARS as u64),
        ("the detail of a result", limits::DETAIL_CHARS as u64),
        ("the detail of an `error`", limits::DETAIL_CHARS as u64),
        ("a person's name, as it is told", limits::PERSON_CHARS as u64),
        ("a hub's name, as it is told", limits::TITLE_CHARS as u64),
        ("rooms, people and read markers in a welcome or `lists`", server::LIST_ITEMS as u64),
        ("the same, taken by a client after one welcome", client::MAX_LISTED as u64),
        ("receipts of a room, as they are told", model::receipt::MAX_RECEIPTS as u64),
        ("rooms whose receipts a client is told", model::receipt::MAX_RECEIPT_ROOMS as u64),
        ("words of `features`", model::features::MAX_WORDS as u64),
        ("words of `features`", model::features::MAX_WORD_BYTES as u64),
        ("after a refusal that passes", link::MAX_HOLD_MS),
        ("after a refusal that passes", link::MIN_HOLD_MS),
        ("a text of a reading", limits::TEXT_BYTES as u64),
        ("a text of an attribute or a command", limits::LONG_TEXT_BYTES as u64),
        ("a command", device::COMMAND_MS),
        ("a device's interval, until one is known", device::UNKNOWN_RHYTHM_MS),
        ("devices come back to a hub that was started", device::RETURN_MS),
    ] {
        let figure = thousands(figure);
        let mut rows = PROTOCOL.lines().filter(|line| line.starts_with(&format!("| {what} |")));
        let says = |row: &str| row.split(&['|', ' '][..]).any(|word| word == figure);
        assert!(rows.any(says), "`{what}` should be {figure}");
    }
    assert!(PROTOCOL.contains(&format!("`head` − {}", server::RECENT - 1)));
    assert!(PROTOCOL.contains(&format!("GET {}", model::address::SOCKET_PATH)));
}

#[test]
fn the_proof_in_the_document_holds() {
    let example = |kind: &str, field: &str| {
        let of_kind =
            examples().into_iter().map(|(_, _, text)| serde_json::from_str::<Value>(&text).unwrap());
        let mut of_kind = of_kind.filter(|value| value["type"] == kind);
        of_kind.find_map(|value| value[field].as_str().map(str::to_owned)).unwrap()
    };
    let secret: [u8; 32] = std::array::from_fn(|i| i as u8);
    let (challenge, mac) = (example("hello", "challenge"), example("proof", "mac"));
    assert_eq!(proof::mac(&secret, "127.0.0.1:7870", &challenge), mac);
    assert!(PROTOCOL.contains(&format!("duplex proof 1\n127.0.0.1:7870\n{challenge}\n")));
}

#[test]
fn its_own_links_lead_somewhere() {
    let slug = |heading: &str| -> String {
        let kept = heading.trim().to_lowercase();
        kept.chars()
            .filter(|c| c.is_alphanumeric() || *c == ' ')
            .map(|c| if c == ' ' { '-' } else { c })
            .collect()
    };
    let headings: BTreeSet<String> = PROTOCOL
        .lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| slug(line.trim_start_matches('#')))
        .collect();
    for link in PROTOCOL.split("](#").skip(1).filter_map(|rest| rest.split(')').next()) {
        assert!(headings.contains(link), "#{link} leads nowhere");
    }
}

// The codec

fn text(value: Value) -> Frame {
    Frame::Text(value.to_string())
}

fn fault<M: Message + std::fmt::Debug>(frame: &Frame) -> String {
    decode::<M>(frame).expect_err("malformed").to_string()
}

/// Adds a field that nobody knows to every object.
fn with_more_fields(value: &mut Value) {
    match value {
        Value::Object(map) => {
            // Their names are not of this protocol.
            let of_the_protocol = |name: &str| !["values", "attributes"].contains(&name);
            map.iter_mut()
                .filter(|(name, value)| of_the_protocol(name) || !value.is_object())
                .for_each(|(_, value)| with_more_fields(value));
            // An entry of the log keeps them, and so does what becomes one.
            let becomes_an_entry =
                ["send", "create_room"].map(Some).contains(&map.get("type").and_then(Value::as_str));
            if map.contains_key("sender") || becomes_an_entry {
                return;
            }
            map.insert("of a later version".to_owned(), json!({"a": [1, null]}));
        }
        Value::Array(items) => items.iter_mut().for_each(with_more_fields),
        _ => {}
    }
}

/// Decodes an example with unknown fields everywhere.
fn bears_with_more<M: Message + std::fmt::Debug + PartialEq>(example: &Value) {
    let plain = decode::<M>(&text(example.clone())).unwrap();
    let mut more = example.clone();
    with_more_fields(&mut more);
    assert_eq!(decode::<M>(&text(more)), Ok(plain), "{example}");
}

#[test]
fn unknown_fields_change_nothing() {
    for (speaker, _, example) in examples() {
        let example: Value = serde_json::from_str(&example).unwrap();
        // A refusal is a name with what belongs to it: a second name beside it is a contradiction, not a field.
        if example["refusal"].is_object() {
            continue;
        }
        // What a person writes is kept with all that this version does not know of it.
        if matches!(example["type"].as_str(), Some("send" | "create_room")) {
            continue;
        }
        match speaker {
            Speaker::Client => bears_with_more::<ClientMessage>(&example),
            Speaker::Hub => bears_with_more::<HubMessage>(&example),
        }
    }
}

#[test]
fn an_unknown_type_is_told_apart_from_a_malformed_one() {
    let later = text(json!({"type": "reaction", "to": 7}));
    assert_eq!(decode::<ClientMessage>(&later), Ok(Decoded::UnknownType("reaction".to_owned())));
    assert_eq!(decode::<HubMessage>(&later), Ok(Decoded::UnknownType("reaction".to_owned())));
    let of_the_other_end = text(json!({"type": "ack", "id": 1}));
    assert_eq!(decode::<ClientMessage>(&of_the_other_end), Ok(Decoded::UnknownType("ack".to_owned())));
    assert!(decode::<HubMessage>(&of_the_other_end).is_err());
}

#[test]
fn an_entry_of_a_later_kind_keeps_its_place() {
    let entry = json!({
        "kind": "poll", "offset": 9, "id": "6f9619ff-8b86-4d01-b42d-00cf4fc964ff", "room": "general",
        "sender": {"id": "p", "name": "P"}, "at": 1, "received": 2, "choices": ["a", "b"],
    });
    let frame = text(json!({"type": "log", "entries": [entry]}));
    let Ok(Decoded::Known(HubMessage::Log { entries, skip })) = decode(&frame) else {
        panic!("not decoded");
    };
    assert!(entries[0].draft.content.is_unknown());
    assert_eq!((entries[0].offset, entries[0].draft.content.body()), (Offset(9), ""));
    let Frame::Text(again) = encode(&HubMessage::Log { entries, skip }) else { panic!("binary") };
    let again: Value = serde_json::from_str(&again).unwrap();
    assert_eq!(again["entries"][0]["choices"], json!(["a", "b"]), "kept as it came");
    assert_eq!(again["entries"][0]["kind"], "poll");
}

#[test]
fn a_malformed_message_is_named() {
    let id = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff";
    for (frame, named) in [
        (json!({"type": "send", "id": id, "seq": 1, "body": "x", "at": 1}), "room"),
        (json!({"type": "send", "id": "12", "seq": 1, "room": "r", "body": "x", "at": 1}), "UUID"),
        (json!({"type": "send", "id": id, "seq": -1, "room": "r", "body": "x", "at": 1}), "-1"),
        (json!({"type": "send", "id": id, "seq": 1.5, "room": "r", "body": "x", "at": 1}), "1.5"),
        (json!({"type": "send", "id": id, "seq": 1, "room": "r", "body": 7, "at": 1}), "expected a string"),
        (json!({"type": "typing", "room": ""}), "1 to 256 bytes"),
        (json!({"type": "typing", "room": "a\u{7}b"}), "1 to 256 bytes"),
        (json!({"type": "typing", "room": "x".repeat(257)}), "1 to 256 bytes"),
        (json!({"type": "create_room", "id": id, "room": "x".repeat(65)}), "1 to 64 characters"),
        (json!({"type": "hello"}), "versions"),
        (json!({"type": "hello", "versions": [1]}), "2"),
        (
            json!({"type": "hello", "versions": [1, 1], "resume": {"epoch": "zz", "offset": 1, "id": id}}),
            "16 hexadecimal",
        ),
        (json!({"type": 7}), "type"),
        (json!({"room": "general"}), "type"),
        (json!([1, 2]), "type"),
        (json!("hello"), "type"),
        (json!(null), "type"),
    ] {
        let said = fault::<ClientMessage>(&text(frame.clone()));
        assert!(said.contains(named), "{frame} → {said}");
    }
    let broken = fault::<ClientMessage>(&Frame::Text("{\"type\":\"typing\",".to_owned()));
    assert!(broken.contains("line 1"), "{broken}");
}

#[test]
fn size_depth_and_kind_of_frames_are_capped() {
    let padded = |bytes: usize| {
        let frame = json!({"type": "bye", "pad": ""}).to_string();
        let pad = "x".repeat(bytes - frame.len());
        Frame::Text(json!({"type": "bye", "pad": pad}).to_string())
    };
    assert_eq!(padded(MAX_FRAME_BYTES).len(), MAX_FRAME_BYTES);
    assert_eq!(decode(&padded(MAX_FRAME_BYTES)), Ok(Decoded::Known(ClientMessage::Bye)));
    let bytes = MAX_FRAME_BYTES + 1;
    assert_eq!(decode::<ClientMessage>(&padded(bytes)), Err(Malformed::TooLarge { bytes }));

    let nested = |levels: usize| {
        let inner = levels - 1;
        Frame::Text(format!("{{\"type\":\"bye\",\"x\":{}{}}}", "[".repeat(inner), "]".repeat(inner)))
    };
    assert_eq!(decode(&nested(MAX_DEPTH)), Ok(Decoded::Known(ClientMessage::Bye)));
    assert_eq!(decode::<ClientMessage>(&nested(MAX_DEPTH + 1)), Err(Malformed::TooDeep));
    let in_a_string = text(json!({"type": "bye", "x": "[{\"\\".repeat(100)}));
    assert_eq!(
        decode(&in_a_string),
        Ok(Decoded::Known(ClientMessage::Bye)),
        "brackets in a string do not nest"
    );

    assert_eq!(decode::<ClientMessage>(&Frame::Binary(b"{}".to_vec())), Err(Malformed::Binary));
}

#[test]
fn the_largest_body_fits_into_a_frame_even_at_its_worst() {
    let send = ClientMessage::Send {
        draft: Draft {
            id: model::MessageId::from_random([7; 16]),
            room: RoomId::new("\u{10ffff}".repeat(RoomName::MAX_CHARS)).unwrap(),
            content: Content::text("\u{1}".repeat(MAX_BODY_BYTES)),
            at: WallMs(i64::MIN),
        },
        seq: u64::MAX,
        retry: false,
    };
    assert!(encode(&send).len() <= MAX_FRAME_BYTES);
    assert_eq!(decode(&encode(&send)), Ok(Decoded::Known(send)));
}

#[test]
fn a_later_refusal_is_told_by_its_word() {
    let refused = |refusal: Value| {
        text(json!({"type": "refused", "id": "6f9619ff-8b86-4d01-b42d-00cf4fc964ff", "refusal": refusal}))
    };
    let other = json!({"other": {"code": "muted", "detail": "until noon"}});
    for (refusal, detail) in
        [(other, "until noon"), (json!("muted"), ""), (json!({"muted": {"detail": "x", "by": 7}}), "x")]
    {
        let expected = model::Refusal::Other { code: "muted".to_owned(), detail: detail.to_owned() };
        let decoded = decode(&refused(refusal));
        assert!(
            matches!(&decoded, Ok(Decoded::Known(HubMessage::Refused { refusal, .. })) if *refusal == expected),
            "{decoded:?}"
        );
    }
    assert!(fault::<HubMessage>(&refused(json!({"too_large": {}}))).contains("limit"));
}

#[test]
fn the_ranges_of_close_codes_say_whether_to_retry() {
    for code in [1000, 1001, 1006, 1011, 1012, 1013, 3000, 3499, 4000, 4001, 4499] {
        assert!(client::why_of_close(code, String::new(), None).is_retryable(), "{code}");
    }
    for code in [1002, 1003, 1007, 1008, 1009, 1010, 3500, 3999, 4500, 4777, 4999] {
        assert!(!client::why_of_close(code, String::new(), None).is_retryable(), "{code}");
    }
    let why = client::why_of_close(close::NO_COMMON_VERSION, "2-3".to_owned(), None);
    assert!(matches!(why, model::Why::NoCommonVersion { theirs: (2, 3), .. }));
}

proptest! {
    #[test]
    fn what_a_client_says_comes_back_the_same(message in generate::client_message()) {
        prop_assert_eq!(decode(&encode(&message)), Ok(Decoded::Known(message)));
    }

    #[test]
    fn what_a_hub_says_comes_back_the_same(message in generate::hub_message()) {
        prop_assert_eq!(decode(&encode(&message)), Ok(Decoded::Known(message)));
    }

    #[test]
    fn a_batch_is_encoded_as_a_log_message(mut entries in proptest::collection::vec(generate::entry(), 1..4)) {
        entries.iter_mut().zip(7..).for_each(|(entry, offset)| entry.offset = Offset(offset));
        let batch = server::Batch::new(entries.clone()).expect("not empty");
        let frame = Frame::Text(batch.text().to_string());
        prop_assert_eq!(decode(&frame), Ok(Decoded::Known(HubMessage::Log { entries, skip: Vec::new() })));
    }

    #[test]
    fn no_text_breaks_the_codec(text in generate::text(), bytes in any::<Vec<u8>>()) {
        for frame in [Frame::Text(text), Frame::Text(String::from_utf8_lossy(&bytes).into_owned()), Frame::Binary(bytes)] {
            let _ = decode::<ClientMessage>(&frame);
            let _ = decode::<HubMessage>(&frame);
        }
    }

    #[test]
    fn no_json_breaks_the_codec(value in generate::json()) {
        let _ = decode::<ClientMessage>(&text(value.clone()));
        let _ = decode::<HubMessage>(&text(value));
    }

    /// A frame cut off anywhere is malformed, never half a message.
    #[test]
    fn half_a_message_is_none(message in generate::hub_message(), cut in any::<prop::sample::Index>()) {
        let Frame::Text(whole) = encode(&message) else { unreachable!() };
        let ends: Vec<usize> = whole.char_indices().map(|(at, _)| at).collect();
        let half = Frame::Text(whole[..ends[cut.index(ends.len())]].to_owned());
        prop_assert!(decode::<HubMessage>(&half).is_err());
    }
}

// Readings, on their fast path

/// The samples of a message, as the ordinary decoder reads them.
fn samples(text: &str) -> Result<Decoded<HubMessage>, Malformed> {
    decode(&Frame::Text(text.to_owned()))
}

proptest! {
    /// What two ways of reading agree on is right in both.
    #[test]
    fn both_ways_to_read_readings_agree(
        sent in proptest::collection::vec(generate::sample(), 0..6), conflated in generate::counter(),
    ) {
        let message = HubMessage::Readings { samples: sent, conflated };
        let Frame::Text(text) = encode(&message) else { unreachable!() };
        let received = readings::decode(&mut readings::Names::default(), &text).unwrap().unwrap();
        prop_assert_eq!(received.left_out, None);
        let encoded: Vec<String> = received.readings.iter()
            .map(|(sample, values)| readings::encode_sample(&sample.device, sample.at, sample.received, values))
            .collect();
        let again = readings::encode(encoded.iter().map(String::as_str), received.readings.conflated);
        prop_assert_eq!(samples(&again), Ok(Decoded::Known(message)));
    }

    /// What a client publishes is what the hub takes in.
    #[test]
    fn what_is_published_arrives(sent in proptest::collection::vec(generate::sample(), 0..6)) {
        let mut readings = model::Readings::default();
        for message::ReadSample { device, at, values, .. } in sent {
            let count = values.len() as u32;
            readings.samples.push(model::Sample { device, at, received: WallMs(7), count });
            readings.values.extend(values);
        }
        let mut names = readings::Names::up_to(3);
        let mut arrived = model::Readings::default();
        for text in readings::encode_publish(&readings, |device| panic!("{device} is not too large")) {
            let received = readings::decode_publish(&mut names, &text, WallMs(7)).unwrap().unwrap();
            prop_assert_eq!(received.left_out, None);
            arrived.samples.extend(received.readings.samples);
            arrived.values.extend(received.readings.values);
        }
        prop_assert_eq!(arrived, readings);
    }

    #[test]
    fn no_json_breaks_the_fast_path(value in generate::json(), cut in any::<prop::sample::Index>()) {
        let mut names = readings::Names::default();
        for kind in ["readings", "publish"] {
            let mut value = value.clone();
            if let Value::Object(map) = &mut value {
                map.insert("type".to_owned(), kind.into());
            }
            let whole = value.to_string();
            let ends: Vec<usize> = whole.char_indices().map(|(at, _)| at).collect();
            for text in [&whole, &whole[..ends[cut.index(ends.len())]]] {
                let _ = readings::decode(&mut names, text);
                let _ = readings::decode_publish(&mut names, text, WallMs(7));
            }
        }
    }
}

#[test]
fn many_readings_are_published_in_several_frames_and_none_is_lost() {
    let name = |text: &str| model::DeviceId::new(text).unwrap();
    let mut readings = model::Readings::default();
    let mut add = |device: &str, values: Vec<(model::MetricName, model::Value)>| {
        let sample = model::Sample {
            device: name(device),
            at: WallMs(5),
            received: WallMs(7),
            count: values.len() as u32,
        };
        readings.samples.push(sample);
        readings.values.extend(values);
    };
    for _ in 0..limits::SAMPLES + 1 {
        add("pump", vec![(name("t"), model::Value::Number(0.1))]);
    }
    let text = |bytes: usize| model::Value::Text("x".repeat(bytes).into());
    add("novel", vec![(name("text"), text(MAX_FRAME_BYTES))]);
    add("poem", vec![(name("text"), text(limits::TEXT_BYTES))]);
    let mut too_large = Vec::new();
    let frames = readings::encode_publish(&readings, |device| too_large.push(device.to_string()));
    assert_eq!(too_large, ["novel"]);
    assert!(frames.len() > 1 && frames.iter().all(|text| text.len() <= MAX_FRAME_BYTES));
    let received = frames.iter().map(|text| {
        readings::decode_publish(&mut readings::Names::default(), text, WallMs(7)).unwrap().unwrap()
    });
    let received: Vec<_> = received.collect();
    assert!(received.iter().all(|received| received.left_out.is_none()));
    let count: usize = received.iter().map(|received| received.readings.samples.len()).sum();
    assert_eq!(count, limits::SAMPLES + 2);
}

#[test]
fn a_metric_beyond_256_is_left_out_of_a_sample() {
    let values: Vec<String> = (0..300).map(|at| format!("\"m{at}\":{at}")).collect();
    let values = values.join(",");
    let text =
        format!(r#"{{"type":"publish","samples":[{{"device":"pump","values":{{{values},"m0":7}}}}]}}"#);
    let received =
        readings::decode_publish(&mut readings::Names::default(), &text, WallMs(7)).unwrap().unwrap();
    assert_eq!(received.readings.values.len(), device::METRICS);
    assert_eq!(received.readings.values[0].1, model::Value::Number(7.0), "the last one counts");
    let left_out = received.left_out.unwrap();
    assert_eq!((left_out.values, left_out.code), (44, "too_many"));
}

// Both ends, told anything

const NOW: model::Time = model::Time { boot_ms: BootMs(5_000), wall_ms: WallMs(1_790_000_000_000) };

/// A welcome that a client takes, or another message.
fn first_words() -> impl Strategy<Value = HubMessage> {
    generate::hub_message().prop_map(|message| match message {
        HubMessage::Welcome(welcome) => {
            HubMessage::Welcome(Welcome { version: 1, start: Start::Recent, ..welcome })
        }
        other => other,
    })
}

fn any_frame<M: Message>(message: impl Strategy<Value = M>) -> impl Strategy<Value = Frame> {
    prop_oneof![
        8 => message.prop_map(|message| encode(&message)),
        1 => generate::json().prop_map(text),
        1 => any::<Vec<u8>>().prop_map(Frame::Binary),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// Whatever a hub says, a client and its model go on or hang up.
    #[test]
    fn no_hub_breaks_a_client(
        first in any_frame(first_words()), rest in proptest::collection::vec(any_frame(generate::hub_message()), 0..12),
    ) {
        let credentials = client::Credentials::InHeader;
        let setup = wire::Setup::Duplex(client::Config { client: String::new(), credentials, watch: false, race_ms: 0, compresses: false });
        let mut link = link::Link::new(vec!["ws://a".to_owned()], Box::new(setup), Saved::default(), None, 1);
        let mut connection = model::Connection::new(profile());
        link.handle(NOW, link::Input::Start);
        link.handle(NOW, link::Input::Opened { dial: 1, entropy: [0; 32], agreed: Agreed::default() });
        for frame in std::iter::once(first).chain(rest) {
            link.handle(NOW, link::Input::Frame { dial: 1, frame });
            while let Some(output) = link.poll() {
                if let link::Output::Event(event, _) = output {
                    connection.apply(NOW, event);
                }
            }
        }
    }

    /// Whatever a client says, a hub goes on or closes.
    #[test]
    fn no_client_breaks_a_hub(
        head in 0..5_000u64, frames in proptest::collection::vec(any_frame(generate::client_message()), 0..12),
    ) {
        let mut session = server::ServerSession::new(server::Config::default(), NOW);
        let me = model::Principal {
            id: model::PrincipalId("me".to_owned()), kind: model::PrincipalKind::Person, name: String::new(), role: None
        };
        session.handle(NOW, server::Input::Opened(Some(me)));
        for frame in frames {
            session.handle(NOW, server::Input::Frame(frame));
            while let Some(output) = session.poll() {
                if let server::Output::Ask(server::HubRequest::Chat(server::HubChatRequest::Begin { .. })) = output {
                    session.handle(NOW, server::Input::Answer(server::HubAnswer::Chat(server::HubChatAnswer::Begun(begun(head)))));
                }
            }
        }
    }
}

fn begun(head: u64) -> server::Begun {
    server::Begun {
        hub: String::new(),
        epoch: model::Epoch(1),
        oldest: Offset(1),
        head: Offset(head),
        visible_head: Offset(head),
        at_resume: None,
        lists: server::Lists::default(),
    }
}

fn profile() -> model::Profile {
    model::Profile {
        id: model::ConnectionId(1),
        name: String::new(),
        urls: Vec::new(),
        protocol: model::profile::Protocol::Duplex,
        socket: model::profile::Socket::Tungstenite,
        route: Default::default(),
        ca_file: None,
        fingerprint: None,
        auto_connect: false,
        websocket: Default::default(),
        network: Default::default(),
    }
}

#[test]
fn a_send_means_the_same_however_its_fields_are_ordered() {
    let id = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff";
    let rest = format!(
        r#""id":"{id}","seq":3,"room":"general","body":"x","at":1,"retry":true,"sender":"boss","more":{{"a":[1]}}"#
    );
    let [first, last] = [format!(r#"{{"type":"send",{rest}}}"#), format!(r#"{{{rest},"type":"send"}}"#)];
    let read = |text: &str| decode::<ClientMessage>(&Frame::Text(text.to_owned()));
    let Ok(Decoded::Known(ClientMessage::Send { draft, seq: 3, retry: true })) = read(&first) else {
        panic!("{:?}", read(&first));
    };
    assert_eq!(draft.content.extra().json().as_deref(), Some(r#"{"more":{"a":[1]}}"#));
    assert_eq!(read(&first), read(&last));
    for wrong in ["seq", "id", "room", "at"] {
        let without = first.replace(&format!("\"{wrong}\":"), "\"other\":");
        assert!(fault::<ClientMessage>(&Frame::Text(without.clone())).contains(wrong), "{without}");
    }
}
