//! Packets: round trips, the examples of the protocols' own documents, and everything that can be wrong with them.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::frame::Frame;
use crate::wire::socketio::engine::{
    Handshake, Packet as Engine, Payload, Revision, payload, revision_of_opening,
};
use crate::wire::socketio::packet::{Body, Decoder, MAX_ATTACHED_BYTES, MAX_ATTACHMENTS, Packet, named};

const BOTH: [Revision; 2] = [Revision::V3, Revision::V4];

fn read(revision: Revision, bytes: &[u8]) -> Vec<Result<Engine, ()>> {
    Payload::new(revision, bytes).map(|packet| packet.map_err(|_| ())).collect()
}

fn text(text: &str) -> Result<Engine, ()> {
    Ok(Engine::Text(text.to_owned()))
}

#[test]
fn payloads_are_read_as_the_protocol_documents_write_them() {
    // Revision 4.
    let hello_and_bytes = [text("hello"), Ok(Engine::Binary(vec![1, 2, 3, 4]))];
    assert_eq!(read(Revision::V4, b"4hello\x1ebAQIDBA=="), hello_and_bytes);
    assert_eq!(
        read(Revision::V4, b"4test1\x1e4test2\x1e4test3"),
        [text("test1"), text("test2"), text("test3")]
    );
    assert_eq!(
        read(Revision::V4, b"2\x1e6\x1e1"),
        [Ok(Engine::Ping(String::new())), Ok(Engine::Noop), Ok(Engine::Close)]
    );
    // Revision 3, as text: lengths in UTF-16 code units.
    assert_eq!(read(Revision::V3, "6:4hello2:4€".as_bytes()), [text("hello"), text("€")]);
    assert_eq!(read(Revision::V3, "3:4😀2:4a".as_bytes()), [text("😀"), text("a")]);
    // A server in Python counts characters.
    assert_eq!(read(Revision::V3, "2:4😀2:4a".as_bytes()), [text("😀"), text("a")]);
    assert_eq!(read(Revision::V3, b"10:b4AQIDBA=="), [Ok(Engine::Binary(vec![1, 2, 3, 4]))]);
    // Revision 3, as bytes.
    let bytes = [&[0, 6, 255][..], b"4hello", &[1, 5, 255, 4, 1, 2, 3, 4]].concat();
    assert_eq!(read(Revision::V3, &bytes), hello_and_bytes);
    let long = "x".repeat(120);
    let bytes = [&[0, 1, 2, 1, 255], format!("4{long}").as_bytes()].concat();
    assert_eq!(read(Revision::V3, &bytes), [text(&long)]);
    assert_eq!(read(Revision::V3, b""), []);
    assert_eq!(revision_of_opening(b"0{\"sid\":\"a\"}"), Revision::V4);
    assert_eq!(revision_of_opening(b"85:0{\"sid\":\"a\"}"), Revision::V3);
    assert_eq!(revision_of_opening(&[0, 8, 5, 255, b'0', b'{']), Revision::V3);
}

#[test]
fn a_payload_that_is_wrong_ends_with_an_error_after_what_was_right() {
    for (revision, bytes) in [
        (Revision::V4, &b"4a\x1e"[..]),
        (Revision::V4, b"4a\x1e9"),
        (Revision::V4, b"4a\x1eb!"),
        (Revision::V4, b"4a\x1e4\xff\x1e4b"),
        (Revision::V3, b"2:4a99:4b"),
        (Revision::V3, b"2:4a0:"),
        (Revision::V3, b"\x00\x02\xff4a\x00\x01\xff"),
        (Revision::V3, b"\x00\x02\xff4a\x01\x01\xff9"),
        (Revision::V3, b"\x00\x02\xff4a\x00\xff4"),
        (Revision::V3, b"\x00\x02\xff4a\x00\x0a\xff4"),
        (Revision::V3, b"\x00\x02\xff4a\x00\x09\x09\x09\x09\x09\x09\x09\x09\x09\x09\xff4"),
    ] {
        assert_eq!(read(revision, bytes), [text("a"), Err(())], "{:?}", String::from_utf8_lossy(bytes));
    }
    for bytes in
        [&b"4:4a"[..], b"a", b"-1:4", b"1", b"1:", b"99999999999999999999:4", b"\xff", b"\x02\x01\xff4"]
    {
        assert_eq!(read(Revision::V3, bytes), [Err(())], "{:?}", String::from_utf8_lossy(bytes));
    }
}

#[test]
fn a_handshake_is_believed_within_bounds() {
    let given =
        r#"{"sid":"a-1","upgrades":["websocket"],"pingInterval":300,"pingTimeout":200,"maxPayload":1000000}"#;
    let read = Handshake::parse(given).unwrap();
    assert_eq!((&*read.sid, read.ping_interval_ms, read.ping_timeout_ms), ("a-1", 300, 200));
    assert_eq!((read.upgrades, read.max_payload), (vec!["websocket".to_owned()], Some(1_000_000)));
    let odd =
        Handshake::parse(r#"{"sid":"a","pingInterval":1e99,"pingTimeout":-5,"maxPayload":0,"x":1}"#).unwrap();
    assert_eq!((odd.ping_interval_ms, odd.ping_timeout_ms, odd.max_payload), (86_400_000, 20_000, None));
    for bad in ["", "{}", "[]", r#"{"sid":""}"#, r#"{"sid":"a&b"}"#, r#"{"sid":"a b"}"#, r#"{"sid":1}"#] {
        assert!(Handshake::parse(bad).is_err(), "{bad}");
    }
    assert!(Handshake::parse(&format!(r#"{{"sid":"{}"}}"#, "a".repeat(2_000))).is_err());
}

#[test]
fn packets_are_written_as_the_protocol_document_writes_them() {
    let event = |id, args: Value| Body::Event { id, args: args.as_array().unwrap().clone() };
    let ack = |id, args: Value| Body::Ack { id, args: args.as_array().unwrap().clone() };
    let two = json!(["message", {"_placeholder": true, "num": 0}, {"_placeholder": true, "num": 1}]);
    for (namespace, body, bytes, text) in [
        ("/", Body::Connect(None), 0, "0"),
        ("/", Body::Connect(Some(json!({"token": "123"}))), 0, r#"0{"token":"123"}"#),
        ("/custom", Body::Connect(None), 0, "0/custom,"),
        ("/custom", Body::Connect(Some(json!({"sid": "a"}))), 0, r#"0/custom,{"sid":"a"}"#),
        ("/", Body::Disconnect, 0, "1"),
        ("/custom", Body::Disconnect, 0, "1/custom,"),
        (
            "/random",
            Body::ConnectError(json!({"message": "Invalid namespace"})),
            0,
            r#"4/random,{"message":"Invalid namespace"}"#,
        ),
        (
            "/",
            event(None, json!(["message", 1, "2", {"3": [true]}])),
            0,
            r#"2["message",1,"2",{"3":[true]}]"#,
        ),
        ("/", event(Some(456), json!(["a"])), 0, r#"2456["a"]"#),
        ("/custom", event(Some(0), json!(["a,b[", "1-/x,"])), 0, r#"2/custom,0["a,b[","1-/x,"]"#),
        ("/", ack(456, json!([1, "2"])), 0, r#"3456[1,"2"]"#),
        ("/custom", ack(7, json!([])), 0, "3/custom,7[]"),
        (
            "/",
            event(None, two.clone()),
            2,
            r#"52-["message",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]"#,
        ),
        (
            "/a",
            event(Some(789), two.clone()),
            2,
            r#"52-/a,789["message",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]"#,
        ),
        (
            "/",
            ack(789, json!([{"_placeholder": true, "num": 0}])),
            1,
            r#"61-789[{"_placeholder":true,"num":0}]"#,
        ),
    ] {
        let attachments = vec![vec![1, 2, 3]; bytes];
        let packet = Packet { namespace: namespace.to_owned(), body, attachments: attachments.clone() };
        assert_eq!(packet.to_text(None), text);
        assert_eq!(decode(text, attachments), Ok(Some(packet)), "{text}");
    }
    let with_query = Packet::new("/admin", Body::Connect(None));
    assert_eq!(with_query.to_text(Some("token=1")), "0/admin?token=1,");
    assert_eq!(Packet::new("/", Body::Connect(None)).to_text(Some("a=b")), "0/?a=b,");
}

/// The packet of a text and the bytes that follow it.
fn decode(text: &str, attachments: Vec<Vec<u8>>) -> Result<Option<Packet>, ()> {
    let mut decoder = Decoder::default();
    let mut packet = decoder.text(text).map_err(|_| ())?.packet;
    for bytes in attachments {
        packet = decoder.bytes(bytes).map_err(|_| ())?;
    }
    Ok(packet)
}

#[test]
fn what_is_spelled_otherwise_by_some_servers_is_understood() {
    let connect = |namespace: &str| Ok(Some(Packet::new(namespace, Body::Connect(None))));
    assert_eq!(decode("0/custom", Vec::new()), connect("/custom"));
    assert_eq!(decode("0/custom?token=1,", Vec::new()), connect("/custom"));
    assert_eq!(decode("0/,", Vec::new()), connect("/"));
    let error = Packet::new("/", Body::ConnectError(json!("Not authorized")));
    assert_eq!(decode(r#"4"Not authorized""#, Vec::new()), Ok(Some(error)));
    let event = Packet::new("/", Body::Event { id: None, args: vec![json!(7), json!("x")] });
    assert_eq!(decode(r#"2[7,"x"]"#, Vec::new()), Ok(Some(event)));
    assert_eq!(named(vec![json!(7), json!("x")]), ("7".to_owned(), vec![json!("x")]));
    // The server cut a text in the middle of an emoji.
    let cut = Packet::new("/", Body::Event { id: None, args: vec![json!("m"), json!("\u{fffd}")] });
    assert_eq!(decode(r#"2["m","\ud83d"]"#, Vec::new()), Ok(Some(cut)));
    // A packet of bytes that has none.
    let none = Packet::new("/", Body::Event { id: None, args: vec![json!("m")] });
    assert_eq!(decode(r#"50-["m"]"#, Vec::new()), Ok(Some(none)));
}

#[test]
fn what_is_no_packet_is_refused() {
    for text in [
        "",
        "7",
        "abc",
        "é",
        "2",
        "2{}",
        "2[]",
        "2[true]",
        "2abc[\"a\"]",
        r#"2["a""#,
        r#"2["a"]x"#,
        "299999999999999999999[\"a\"]",
        "3[1]",
        "3",
        "31",
        r#"0"text""#,
        "0[1]",
        "01",
        "1{}",
        "112",
        r#"41{"message":"x"}"#,
        r#"5["a"]"#,
        r#"5-["a"]"#,
        r#"5-1["a"]"#,
        r#"5x-["a"]"#,
        r#"51.5-["a"]"#,
        r#"5257-["a"]"#,
        r#"599999999999999999999-["a"]"#,
        r#"2/a["x"]"#,
    ] {
        assert_eq!(decode(text, Vec::new()), Err(()), "{text}");
    }
    assert_eq!(decode(&format!("2/{},[\"a\"]", "n".repeat(600)), Vec::new()), Err(()));
    assert_eq!(decode(&format!("2[\"a\",{}", "[".repeat(100_000)), Vec::new()), Err(()));
    assert_eq!(decode(&format!("0/{}", ",".repeat(100_000)), Vec::new()), Err(()));
}

#[test]
fn numbers_of_attachments_that_lie_cost_only_their_packet() {
    let mut decoder = Decoder::default();
    let placeholder = |num: Value| json!(["m", {"_placeholder": true, "num": num}]).to_string();
    for num in [json!(1), json!(-1), json!(0.5), json!("0"), json!(null), json!(u64::MAX)] {
        assert_eq!(decoder.text(&format!("51-{}", placeholder(num.clone()))).unwrap().packet, None);
        assert!(decoder.bytes(vec![1]).is_err(), "{num}");
        let plain = decoder.text(&format!("2{}", placeholder(num))).unwrap().packet.unwrap();
        assert_eq!(plain.attachments.len(), 0, "a packet without bytes may say what it likes");
    }
    assert!(decoder.bytes(vec![1]).is_err(), "bytes that nobody announced");
    // Fewer came than were announced.
    assert_eq!(decoder.text(r#"52-["m"]"#).unwrap().packet, None);
    assert_eq!(decoder.bytes(vec![1]).unwrap(), None);
    let decoded = decoder.text(r#"2["next"]"#).unwrap();
    assert_eq!(decoded.packet, Some(Packet::new("/", Body::Event { id: None, args: vec![json!("next")] })));
    assert!(decoded.dropped.is_some());
    assert!(decoder.bytes(vec![2]).is_err());
    // More than can be kept.
    assert!(decoder.text(&format!("5{}-[\"m\"]", MAX_ATTACHMENTS + 1)).is_err());
    assert_eq!(decoder.text(r#"52-["m"]"#).unwrap().packet, None);
    assert_eq!(decoder.bytes(vec![0; MAX_ATTACHED_BYTES]).unwrap(), None);
    assert!(decoder.bytes(vec![0]).is_err());
    assert!(decoder.bytes(vec![0]).is_err());
}

#[test]
fn bytes_are_readable_as_json_wherever_they_stand() {
    let text = r#"52-["m",{"a":[{"_placeholder":true,"num":1}]},{"_placeholder":true,"num":0},{"_placeholder":false,"num":0}]"#;
    let packet = decode(text, vec![vec![1, 2, 3], vec![0xff]]).unwrap().unwrap();
    assert_eq!(
        packet.readable_args(),
        [
            json!("m"),
            json!({"a": ["data:application/octet-stream;base64,/w=="]}),
            json!("data:application/octet-stream;base64,AQID"),
            json!({"_placeholder": false, "num": 0}),
        ]
    );
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".*".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map("[a-z_]{0,8}", inner, 0..6)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

fn packet() -> impl Strategy<Value = Packet> {
    let namespace = prop_oneof![Just("/".to_owned()), "/[a-zA-Z0-9 é:_-]{1,20}"];
    let attachments = prop::collection::vec(prop::collection::vec(any::<u8>(), 0..20), 0..4);
    let event = (any::<Option<u64>>(), ".*", prop::collection::vec(value(), 0..4), attachments.clone());
    let event = event.prop_map(|(id, name, mut args, attachments)| {
        args.insert(0, Value::from(name));
        args.extend((0..attachments.len()).map(|num| json!({"_placeholder": true, "num": num})));
        (Body::Event { id, args }, attachments)
    });
    let ack = (any::<u64>(), prop::collection::vec(value(), 0..4), attachments);
    let ack = ack.prop_map(|(id, mut args, attachments)| {
        args.extend((0..attachments.len()).map(|num| json!([{"_placeholder": true, "num": num}])));
        (Body::Ack { id, args }, attachments)
    });
    let object = prop::collection::btree_map("[a-z]{1,8}", value(), 0..4);
    let object = object.prop_map(|fields| Value::Object(fields.into_iter().collect()));
    let other = prop_oneof![
        Just(Body::Connect(None)),
        object.prop_map(|data| Body::Connect(Some(data))),
        Just(Body::Disconnect),
        // A number would pass for an id; servers send objects and texts.
        value().prop_map(|data| Body::ConnectError(if data.is_number() { Value::Null } else { data })),
    ];
    let body = prop_oneof![event, ack, other.prop_map(|body| (body, Vec::new()))];
    (namespace, body).prop_map(|(namespace, (body, attachments))| Packet { namespace, body, attachments })
}

fn engine_packet() -> impl Strategy<Value = Engine> {
    prop_oneof![
        ".*".prop_map(Engine::Text),
        prop::collection::vec(any::<u8>(), 0..50).prop_map(Engine::Binary),
        "[^\u{1e}]{0,8}".prop_map(Engine::Ping),
        "[^\u{1e}]{0,8}".prop_map(Engine::Pong),
        Just(Engine::Close),
        Just(Engine::Upgrade),
        Just(Engine::Noop),
    ]
}

proptest! {
    #[test]
    fn a_packet_comes_back_as_it_was(packet in packet()) {
        prop_assert_eq!(decode(&packet.to_text(None), packet.attachments.clone()), Ok(Some(packet)));
    }

    #[test]
    fn a_frame_comes_back_as_it_was(packet in engine_packet(), revision in prop::sample::select(&BOTH)) {
        prop_assert_eq!(Engine::from_frame(revision, packet.to_frame(revision)), Ok(packet));
    }

    #[test]
    fn a_payload_comes_back_as_it_was(
        packets in prop::collection::vec(engine_packet(), 1..10),
        revision in prop::sample::select(&BOTH),
        max in 1_usize..200,
    ) {
        // JSON never holds the separator unescaped, and JSON is all that is sent.
        let packets: Vec<Engine> = packets.into_iter().map(|packet| match packet {
            Engine::Text(text) => Engine::Text(text.replace('\u{1e}', "")),
            other => other,
        }).collect();
        let (mut rest, mut back) = (&packets[..], Vec::new());
        while !rest.is_empty() {
            let (text, count) = payload(revision, rest, max);
            prop_assert!(count > 0 && (count == 1 || text.len() <= max + 12));
            for packet in Payload::new(revision, text.as_bytes()) {
                back.push(packet.unwrap());
            }
            rest = &rest[count..];
        }
        prop_assert_eq!(back, packets);
    }

    #[test]
    fn a_packet_cut_anywhere_panics_nowhere(packet in packet()) {
        let text = packet.to_text(None);
        for end in (0..text.len()).filter(|end| text.is_char_boundary(*end)) {
            let mut decoder = Decoder::default();
            let _ = decoder.text(&text[..end]);
            for bytes in &packet.attachments {
                let _ = decoder.bytes(bytes.clone());
            }
        }
    }

    #[test]
    fn a_payload_cut_or_changed_anywhere_panics_nowhere(
        packets in prop::collection::vec(engine_packet(), 1..6),
        revision in prop::sample::select(&BOTH),
        other in any::<u8>(),
    ) {
        let (text, _) = payload(revision, &packets, usize::MAX);
        let bytes = text.into_bytes();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] = other;
            for bytes in [&bytes[..at], &changed] {
                for revision in BOTH {
                    Payload::new(revision, bytes).for_each(drop);
                }
                let _ = Engine::from_frame(revision, Frame::Binary(bytes.to_vec()));
            }
        }
    }

    #[test]
    fn arbitrary_text_panics_nowhere(text in ".*", digit in "[0-9b]", bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let text = format!("{digit}{text}");
        let mut decoder = Decoder::default();
        let _ = decoder.text(&text);
        let _ = decoder.bytes(bytes.clone());
        for revision in BOTH {
            let _ = Engine::from_frame(revision, Frame::Text(text.clone()));
            Payload::new(revision, text.as_bytes()).for_each(drop);
            Payload::new(revision, &bytes).for_each(drop);
        }
        let _ = Handshake::parse(&text);
    }
}
