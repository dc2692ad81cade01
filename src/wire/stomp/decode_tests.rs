//! Tests of the codec: what each version escapes, where frames end, and everything that is not STOMP.

use proptest::prelude::*;

use super::*;
use crate::wire::stomp::frame::Unencodable;

const ANY: &[&str] = &["CONNECT", "CONNECTED", "SEND", "MESSAGE", "RECEIPT", "ERROR"];

fn decoder(version: Option<Version>) -> Decoder {
    let mut decoder = Decoder::of(ANY);
    version.into_iter().for_each(|version| decoder.set_version(version));
    decoder
}

/// All items, given in pieces of `size` bytes.
fn items(version: Option<Version>, bytes: &[u8], size: usize) -> Result<Vec<Item>, Malformed> {
    let mut decoder = decoder(version);
    let mut items = Vec::new();
    for mut piece in bytes.chunks(size.max(1)) {
        while let Some(item) = decoder.next(&mut piece)? {
            items.push(item);
        }
    }
    Ok(items)
}

/// Without what an error quotes: that depends on how much had come.
fn kind(read: Result<Vec<Item>, Malformed>) -> Result<Vec<Item>, Malformed> {
    read.map_err(|malformed| match malformed {
        Malformed::Command(_) => Malformed::Command(String::new()),
        other => other,
    })
}

fn frames(version: Option<Version>, bytes: &[u8]) -> Result<Vec<Frame>, Malformed> {
    let whole = items(version, bytes, usize::MAX);
    assert_eq!(kind(items(version, bytes, 1)), kind(whole.clone()), "byte by byte");
    Ok(whole?
        .into_iter()
        .filter_map(|item| match item {
            Item::Frame(frame) => Some(frame),
            Item::HeartBeat => None,
        })
        .collect())
}

fn one(version: Version, text: &str) -> Result<Frame, Malformed> {
    frames(Some(version), text.as_bytes()).map(|frames| match <[Frame; 1]>::try_from(frames) {
        Ok([frame]) => frame,
        Err(frames) => panic!("{} frames", frames.len()),
    })
}

#[test]
fn each_version_has_its_own_escapes() {
    let value = |version, escaped: &str| {
        one(version, &format!("MESSAGE\na:{escaped}\n\n\0")).map(|frame| frame.headers[0].1.clone())
    };
    for text in ["\\n", "\\c", "\\\\", "\\r", "\\t", "a\\"] {
        assert_eq!(value(Version::V1_0, text).as_deref(), Ok(text), "1.0 has none");
    }
    for version in [Version::V1_1, Version::V1_2] {
        assert_eq!(value(version, "a\\cb\\n\\\\n").as_deref(), Ok("a:b\n\\n"));
        assert_eq!(value(version, "a:b").as_deref(), Ok("a:b"), "many servers do not escape it");
        for undefined in ["\\t", "\\C", "\\"] {
            assert!(matches!(value(version, undefined), Err(Malformed::Escape(_))), "{undefined}");
        }
    }
    assert_eq!(value(Version::V1_1, "\\r"), Err(Malformed::Escape("r".to_owned())));
    assert_eq!(value(Version::V1_2, "\\r").as_deref(), Ok("\r"));
    for version in Version::ALL {
        let frame = one(version, "CONNECTED\nsession:a\\cb\\t\n\n\0").unwrap();
        assert_eq!(frame.header("session"), Some("a\\cb\\t"), "never escaped");
    }
    let early = frames(None, b"ERROR\nmessage:no\\c \\t\\\n\n\0").unwrap();
    assert_eq!(early[0].header("message"), Some("no: \\t\\"));
}

#[test]
fn what_a_version_cannot_escape_is_not_written() {
    let written = |version, command: &str, name: &str, value: &str| {
        Frame::new(command).with(name, value).encode(version)
    };
    assert_eq!(written(Version::V1_2, "SEND", "a:\n", "\r\\").unwrap(), b"SEND\na\\c\\n:\\r\\\\\n\n\0");
    assert_eq!(written(Version::V1_1, "SEND", "a", "\r"), Err(Unencodable::LineBreak));
    assert_eq!(written(Version::V1_0, "SEND", "a", "x:y\\").unwrap(), b"SEND\na:x:y\\\n\n\0");
    for version in Version::ALL {
        assert_eq!(
            written(version, "CONNECT", "passcode", "a:b\\c").unwrap(),
            b"CONNECT\npasscode:a:b\\c\n\n\0"
        );
        for (name, value, why) in [
            ("a", "b\nreceipt:1", Unencodable::LineBreak),
            ("a", "b\r", Unencodable::LineBreak),
            ("a:b", "c", Unencodable::Colon),
            ("a", "b\0", Unencodable::Nul),
        ] {
            assert_eq!(written(version, "CONNECT", name, value), Err(why));
        }
    }
}

#[test]
fn lines_end_as_the_version_says() {
    let text = "MESSAGE\r\na:b\r\nc:d\r\n\r\nbody\0";
    for version in Version::ALL {
        let frame = one(version, text).unwrap();
        assert_eq!(
            (frame.header("a"), frame.header("c"), &frame.body[..]),
            (Some("b"), Some("d"), &b"body"[..])
        );
    }
    let mixed = "MESSAGE\na:b\r\nc:d\n\nbody\0";
    assert_eq!(one(Version::V1_2, mixed).unwrap().header("a"), Some("b"));
    assert_eq!(one(Version::V1_1, mixed).unwrap().header("a"), Some("b\r"), "part of the value");
}

#[test]
fn of_repeated_headers_the_first_counts_and_all_are_kept() {
    let frame = one(Version::V1_2, "MESSAGE\nfoo:World\nfoo:Hello\n\n\0").unwrap();
    assert_eq!(frame.header("foo"), Some("World"));
    assert_eq!(frame.headers.len(), 2);
    let short = one(Version::V1_2, "MESSAGE\ncontent-length:1\ncontent-length:9\n\nx\0").unwrap();
    assert_eq!(short.body, b"x");
    assert_eq!(one(Version::V1_1, "MESSAGE\na: b \n\n\0").unwrap().header("a"), Some(" b "), "not trimmed");
}

#[test]
fn a_body_ends_with_its_length_or_with_the_first_nul() {
    let frame = one(Version::V1_2, "MESSAGE\ncontent-length:7\n\na\0b\n\0\0c\0").unwrap();
    assert_eq!(frame.body, b"a\0b\n\0\0c");
    assert_eq!(one(Version::V1_2, "MESSAGE\ncontent-length:0\n\n\0").unwrap().body, b"");
    assert_eq!(
        frames(Some(Version::V1_2), b"MESSAGE\ncontent-length:2\n\nabc\0"),
        Err(Malformed::MissingNul)
    );
    assert_eq!(
        frames(Some(Version::V1_2), b"MESSAGE\ncontent-length:0\n\nabc\0"),
        Err(Malformed::MissingNul)
    );
    for bad in ["", "x", "-1", "+1", "1.5", "0x10"] {
        let text = format!("MESSAGE\ncontent-length:{bad}\n\n\0");
        assert!(matches!(one(Version::V1_2, &text), Err(Malformed::ContentLength(_))), "{bad}");
    }
    for bad in ["99999999999", "99999999999999999999999999"] {
        let text = format!("MESSAGE\ncontent-length:{bad}\n\n\0");
        assert_eq!(one(Version::V1_2, &text), Err(Malformed::BodyTooLong));
    }
}

#[test]
fn heart_beats_and_several_frames_come_in_order() {
    let text = b"\nRECEIPT\nreceipt-id:1\n\n\0\n\r\n\nMESSAGE\n\nx\0MESSAGE\n\ny\0\n";
    let kinds: Vec<_> = items(Some(Version::V1_2), text, 7)
        .unwrap()
        .into_iter()
        .map(|item| match item {
            Item::HeartBeat => String::new(),
            Item::Frame(frame) => frame.command + &String::from_utf8(frame.body).unwrap(),
        })
        .collect();
    assert_eq!(kinds, ["", "RECEIPT", "", "", "", "MESSAGEx", "MESSAGEy", ""]);
    assert!(matches!(frames(None, b"\rMESSAGE\n\n\0"), Err(Malformed::Command(_))));
}

#[test]
fn what_is_not_stomp_is_recognized_at_once() {
    for other in [
        "HTTP/1.1 400 Bad Request\r\n",
        "o",
        "a[\"x\"]",
        "SSH-2.0",
        "message\n",
        "MESSAGES\n",
        "ME\n",
        "\u{feff}MESSAGE",
    ] {
        assert!(matches!(frames(None, other.as_bytes()), Err(Malformed::Command(_))), "{other}");
    }
    assert!(matches!(one(Version::V1_2, "MESSAGE\nno colon\n\n\0"), Err(Malformed::Header(_))));
    assert!(matches!(one(Version::V1_2, "MESSAGE\n:x\n\n\0"), Err(Malformed::Header(_))));
    for early in ["MESSAGE\0", "MESSAGE\na:b\0", "MESSAGE\na:b\n\0"] {
        assert!(frames(Some(Version::V1_2), early.as_bytes()).is_err(), "{early:?}");
    }
    let bytes = b"MESSAGE\na\xff:\xfe\n\n\xff\xfe\0";
    let frame = &frames(Some(Version::V1_2), bytes).unwrap()[0];
    assert_eq!((frame.header("a\u{fffd}"), &frame.body[..]), (Some("\u{fffd}"), &b"\xff\xfe"[..]));
}

#[test]
fn everything_is_bounded() {
    let long = format!("MESSAGE\na:{}", "x".repeat(10 << 20));
    assert_eq!(frames(None, long.as_bytes()), Err(Malformed::HeadTooLong));
    let many = format!("MESSAGE\n{}\n\0", "a:b\n".repeat(MAX_HEADERS + 1));
    assert_eq!(frames(None, many.as_bytes()), Err(Malformed::TooManyHeaders));
    let most = format!("MESSAGE\n{}\n\0", "a:b\n".repeat(MAX_HEADERS));
    assert_eq!(frames(None, most.as_bytes()).unwrap()[0].headers.len(), MAX_HEADERS);
    let big = [b"MESSAGE\n\n".as_slice(), &vec![b'x'; MAX_BODY_BYTES + 7], b"\0MESSAGE\n\ny\0"].concat();
    let read = items(None, &big, 1_000).unwrap();
    let [Item::Frame(cut), Item::Frame(next)] = &read[..] else { panic!("{} items", read.len()) };
    assert_eq!((cut.body.len(), cut.left_out, &next.body[..]), (MAX_BODY_BYTES, 7, &b"y"[..]));
    let mut decoder = decoder(None);
    let piece = vec![b'x'; 1 << 20];
    assert_eq!(decoder.next(&mut &b"MESSAGE\n\n"[..]), Ok(None));
    let ended = (0..200).find_map(|_| decoder.next(&mut &piece[..]).err());
    assert_eq!(ended, Some(Malformed::BodyTooLong));
    assert!(decoder.frame.body.len() <= MAX_BODY_BYTES);
}

fn header() -> impl Strategy<Value = String> {
    "[a-z:\\\\\r\n한 -]{1,12}"
}

proptest! {
    /// What was written is read again, in pieces of any size.
    #[test]
    fn a_written_frame_is_read_again(
        version in prop::sample::select(Version::ALL.to_vec()),
        headers in prop::collection::vec((header(), header()), 0..6),
        body in prop::collection::vec(any::<u8>(), 0..200),
        size in 1..60_usize,
    ) {
        let mut frame = Frame::new("SEND").with("content-length", body.len().to_string());
        frame.headers.extend(headers);
        frame.body = body;
        let Ok(bytes) = frame.encode(version) else {
            prop_assert_ne!(version, Version::V1_2, "it can write everything but NUL");
            return Ok(());
        };
        let twice = [bytes.clone(), bytes].concat();
        prop_assert_eq!(items(Some(version), &twice, size), Ok(vec![Item::Frame(frame.clone()), Item::Frame(frame)]));
    }

    /// Every cut of a stream is waited for, and says nothing wrong.
    #[test]
    fn a_cut_frame_is_waited_for(cut in 0..70_usize) {
        let text = b"\nMESSAGE\r\ndestination:/topic/a\\cb\r\ncontent-length:3\r\n\r\na\0b\0\r\nRECEIPT\nreceipt-id:1\n\n\0";
        let cut = cut.min(text.len());
        let whole = items(Some(Version::V1_2), text, usize::MAX).unwrap();
        let early = items(Some(Version::V1_2), &text[..cut], usize::MAX).unwrap();
        prop_assert!(whole.starts_with(&early));
        let mut decoder = decoder(Some(Version::V1_2));
        let mut all = Vec::new();
        for mut piece in [&text[..cut], &text[cut..]] {
            while let Some(item) = decoder.next(&mut piece).unwrap() {
                all.push(item);
            }
        }
        prop_assert_eq!(all, whole);
    }

    /// Nothing panics, and pieces do not matter.
    #[test]
    fn any_bytes_are_read_or_refused(
        bytes in prop::collection::vec(prop::sample::select(b"MESAGCONTDRIP\n\r\0:\\cnr12 content-length\xff".to_vec()), 0..300),
        version in prop::option::of(prop::sample::select(Version::ALL.to_vec())),
        size in 1..40_usize,
    ) {
        prop_assert_eq!(kind(items(version, &bytes, size)), kind(items(version, &bytes, usize::MAX)));
    }
}
