//! Channels whose requests are lost, repeated and reordered, and the codecs of their bodies.

use std::collections::VecDeque;
use std::sync::Arc;

use super::socket::Control;
use super::sse::{Event, Received, SseReader};
use super::*;
use crate::frame::Frame;

fn text(text: &str) -> Frame {
    Frame::Text(text.to_owned())
}

fn lines(body: &[u8]) -> Vec<Frame> {
    let mut frames = Vec::new();
    let mut decoder = line::LineDecoder::default();
    decoder
        .push(body, |line| {
            frames.push(line::read(line)?);
            Ok(())
        })
        .unwrap();
    assert!(decoder.rest().is_empty());
    frames
}

#[test]
fn a_post_that_failed_is_repeated_with_the_same_numbers() {
    let (mut client, mut server) = (ClientChannel::new(), ServerChannel::<Arc<str>>::default());
    client.send(text("a"));
    let first = client.post().unwrap();
    assert_eq!((first.first, first.frames, first.body.as_slice()), (1, 1, &b"a\n"[..]));
    assert_eq!(client.post(), None, "one at a time");
    client.send(text("b"));
    assert_eq!(server.receive(1, 1), Ok(Receipt::New));
    client.post_failed();
    let second = client.post().unwrap();
    assert_eq!((second.first, second.body.as_slice()), (1, &b"a\nb\n"[..]));
    assert_eq!(server.receive(1, 1), Ok(Receipt::Repeated));
    assert_eq!(server.receive(2, 1), Ok(Receipt::New));
    assert_eq!(server.receive(4, 1), Err(Violation::Gap { expected: 3, came: 4 }));
    assert_eq!(client.posted(server.received()), Ok(()));
    assert_eq!((client.confirmed(), client.post()), (2, None));
    assert_eq!(client.posted(3), Err(Violation::NotSent { confirmed: 3, sent: 2 }));
    assert_eq!(client.post_refused(0), Err(Violation::LetGo { wanted: 1, first: 3 }));
}

#[test]
fn frames_are_kept_until_they_are_confirmed() {
    let mut server = ServerChannel::<Arc<str>>::default();
    for frame in ["a", "b", "c"] {
        server.send(frame.into());
    }
    assert_eq!(server.ask(1, Some(0)), Ok(()));
    assert!(!server.is_handed_out());
    assert_eq!(server.hand_out(2), ["b".into(), "c".into()]);
    assert!(server.is_handed_out());
    assert_eq!(server.ask(3, Some(0)), Ok(()));
    assert_eq!((server.kept_bytes(), server.hand_out(3)), (1, vec!["c".into()]));
    assert_eq!(server.ask(2, Some(0)), Err(Violation::LetGo { wanted: 2, first: 3 }.into()));
    assert_eq!(server.ask(5, Some(0)), Err(Violation::NotSent { confirmed: 4, sent: 3 }.into()));
    assert_eq!(server.ask(u64::MAX, None).is_err(), server.ask(0, None).is_err());
    assert_eq!(server.confirm(4), Ok(()));
    assert!(server.is_all_confirmed() && server.next() == 4);
}

#[test]
fn an_answer_has_as_much_as_fits_and_at_least_one_frame() {
    let mut server = ServerChannel::<Arc<str>>::default();
    let large: Arc<str> = "x".repeat(MAX_POST_BYTES).into();
    for frame in [Arc::clone(&large), "a".into(), large, "b".into()] {
        server.send(frame);
    }
    assert!(server.is_full());
    let counts: Vec<usize> = (1..=5).map(|from| server.hand_out(from).len()).collect();
    assert_eq!(counts, [1, 1, 1, 1, 0]);
    assert_eq!(server.hand_out(u64::MAX), [] as [Arc<str>; 0]);
}

#[test]
fn a_client_that_receives_much_confirms_by_itself() {
    let mut client = ClientChannel::new();
    client.ask();
    client.receive(1, text(&"x".repeat(CONFIRM_BYTES - 1))).unwrap();
    assert_eq!(client.post(), None);
    client.receive(2, text("x")).unwrap();
    let post = client.post().unwrap();
    assert_eq!((post.from, post.frames, post.body.len()), (3, 0, 0));
    client.posted(0).unwrap();
    assert_eq!(client.post(), None);
}

#[test]
fn a_websocket_joins_and_leaves() {
    let (mut client, mut server) = (ClientChannel::new(), ServerChannel::<Arc<str>>::default());
    client.send(text("one"));
    client.send(text("two"));
    client.post().unwrap();
    server.receive(1, 3).unwrap();
    server.send("eins".into());
    server.send("zwei".into());
    client.ask();
    client.receive(1, text("eins")).unwrap();
    let join = client.join();
    assert_eq!(join, Request { from: 2, turn: 1 });
    server.join(join.from, Some(join.turn)).unwrap();
    let Some(ToSocket::Control(joined)) = server.next_on_socket(true) else { panic!("`joined` comes first") };
    assert_eq!(joined, r#"{"t":"joined","received":1,"first":2}"#);
    assert_eq!(server.ask(2, Some(0)), Err(Refused::Late { turn: 1 }), "from before the change");
    assert_eq!(client.receive_on_socket(text(&joined)), Ok(OverSocket::Joined));
    let own = r#"{"t":"joined","received":1,"first":2}"#;
    assert_eq!(client.next_on_socket(), Some(text(own)));
    assert_eq!(client.next_on_socket(), Some(text("two")));
    assert_eq!(client.next_on_socket(), None);
    assert!(server.receive_on_socket(text("two")).is_err(), "before `joined`");
    assert_eq!(server.receive_on_socket(text(own)), Ok(FromSocket::Nothing));
    assert_eq!(client.post(), None);
    // The post that was under way comes late.
    assert_eq!(server.receive(2, 3), Ok(Receipt::New));
    assert_eq!(server.receive_on_socket(text("two")), Ok(FromSocket::Nothing));
    assert_eq!(server.next_on_socket(true), Some(ToSocket::Frame("zwei".into())));
    assert_eq!(client.receive_on_socket(text("zwei")), Ok(OverSocket::Frame(text("zwei"))));
    client.send(text("three"));
    assert_eq!(client.next_on_socket(), Some(text(r#"{"t":"received","received":2}"#)));
    assert_eq!(client.next_on_socket(), Some(text("three")));
    server.receive_on_socket(text(r#"{"t":"received","received":2}"#)).unwrap();
    assert!(server.is_all_confirmed());
    // Lost: what was not confirmed is repeated.
    client.leave();
    client.post_failed();
    let ask = client.ask();
    assert_eq!((ask, server.ask(ask.from, Some(ask.turn))), (Request { from: 3, turn: 2 }, Ok(())));
    assert!(!server.is_joined());
    assert_eq!(lines(&client.post().unwrap().body), [text("two"), text("three")]);
    assert_eq!(server.join(3, Some(1)), Err(Refused::Late { turn: 2 }));
}

#[test]
fn a_joined_websocket_must_begin_with_joined() {
    let mut client = ClientChannel::new();
    client.join();
    assert!(client.receive_on_socket(text("{}")).is_err());
    let far = Control::Joined { received: 0, first: 2 }.text();
    assert_eq!(
        client.receive_on_socket(text(&far)),
        Err(Violation::Gap { expected: 1, came: 2 }),
        "frame 1 would be lost"
    );
    for bad in [r#"{"t":"x","received":1}"#, r#"{"t":1}"#, r#"{"t":"joined","received":1}"#] {
        assert!(matches!(Control::parse(bad), Some(Err(Violation::Socket { .. }))), "{bad}");
    }
    assert_eq!(Control::parse(r#"{"type":"ping","nonce":1}"#), None);
    let mut server = ServerChannel::<Arc<str>>::default();
    server.join(1, None).unwrap();
    assert!(server.receive_on_socket(text(&Control::Received(1).text())).is_err());
}

// The codecs.

#[test]
fn lines_are_read_from_pieces_of_any_size() {
    let frames = [text(r#"{"a":"ä€😀"}"#), Frame::Binary(vec![0, 255, 10, 13]), text("{}")];
    let mut body = Vec::new();
    for frame in &frames {
        line::write(&mut body, frame);
        body.extend_from_slice(line::ALIVE.as_bytes());
    }
    for size in 1..body.len() {
        let mut read = Vec::new();
        let mut decoder = line::LineDecoder::default();
        for piece in body.chunks(size) {
            decoder
                .push(piece, |line| {
                    read.extend(if line.is_empty() { None } else { Some(line::read(line)?) });
                    Ok(())
                })
                .unwrap();
        }
        assert_eq!(read, frames, "in pieces of {size}");
    }
    let mut broken = Vec::new();
    line::write_text(&mut broken, "{\r\n}");
    assert_eq!(broken, b"{  }\n");
    assert!(line::read(b"\"?\"").is_err() && line::read(&[b'{', 0xff]).is_err());
}

#[test]
fn an_endless_line_is_refused() {
    let mut decoder = line::LineDecoder::default();
    let piece = vec![b'x'; 64 * 1024];
    let refused = (0..=MAX_LINE_BYTES / piece.len()).find_map(|_| decoder.push(&piece, |_| Ok(())).err());
    assert!(refused.is_some());
    let mut reader = SseReader::default();
    let mut refused = None;
    for _ in 0..=MAX_LINE_BYTES / 1000 {
        refused = refused.or(reader.push(format!("data: {}\n", "x".repeat(1000)).as_bytes()).err());
    }
    assert!(refused.is_some(), "an event of many lines is bounded, too");
}

fn events(stream: &str, size: usize) -> Vec<Received> {
    let mut reader = SseReader::default();
    stream.as_bytes().chunks(size).flat_map(|piece| reader.push(piece).unwrap()).collect()
}

fn event(event: &str, data: &str, id: &str) -> Received {
    Received::Event(Event { event: event.to_owned(), data: data.to_owned(), id: id.to_owned() })
}

/// The examples of the HTML Standard, §9.2.6, and its corner cases.
#[test]
fn event_streams_are_read_as_the_standard_says() {
    let cases: Vec<(&str, Vec<Received>)> = vec![
        ("data: YHOO\ndata: +2\ndata: 10\n\n", vec![event("message", "YHOO\n+2\n10", "")]),
        (
            ": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n",
            vec![
                Received::Comment,
                event("message", "first event", "1"),
                event("message", "second event", ""),
                event("message", " third event", ""),
            ],
        ),
        ("data\n\ndata\ndata\n\ndata:", vec![event("message", "", ""), event("message", "\n", "")]),
        ("data:test\n\ndata: test\n\n", vec![event("message", "test", ""), event("message", "test", "")]),
        ("event: add\ndata: 73857293\n\n", vec![event("add", "73857293", "")]),
        ("event: add\n\ndata: x\n\n", vec![event("message", "x", "")]),
        (
            "id: 7\n\ndata: x\n\nid: 8\u{0}\ndata: y\n\n",
            vec![event("message", "x", "7"), event("message", "y", "7")],
        ),
        (
            "retry: 1500\nretry: -1\nretry: 1e3\nretry:\nretry: 99999999999999999999999\n",
            vec![Received::Retry(1500)],
        ),
        ("\u{feff}data: x\n\n", vec![event("message", "x", "")]),
        (" data: x\nunknown: x\ndata : x\n\n", vec![]),
        (
            "data: a\r\rdata: b\r\n\r\ndata: c\r\ndata: d\n\r\n",
            vec![event("message", "a", ""), event("message", "b", ""), event("message", "c\nd", "")],
        ),
        ("data: unfinished\n", vec![]),
        ("data: ä€😀\n\n", vec![event("message", "ä€😀", "")]),
    ];
    for (stream, expected) in cases {
        for size in [1, 2, 3, 5, stream.len()] {
            assert_eq!(events(stream, size), expected, "{stream:?} in pieces of {size}");
        }
    }
    assert_eq!(SseReader::after("5").push(b"data: x\n\n").unwrap(), [event("message", "x", "5")]);
    assert_eq!(SseReader::default().push(b"data: \xff\n\n").unwrap(), [event("message", "\u{fffd}", "")]);
}

#[test]
fn what_is_written_as_events_is_read_again() {
    let frame = text(r#"{"type":"log"}"#);
    let mut line = Vec::new();
    line::write(&mut line, &frame);
    let mut stream = sse::opening().into_bytes();
    sse::write(&mut stream, 7, &line);
    stream.extend_from_slice(sse::ALIVE.as_bytes());
    let read = SseReader::default().push(&stream).unwrap();
    assert_eq!(
        read,
        [Received::Retry(sse::RETRY_MS), event("message", r#"{"type":"log"}"#, "7"), Received::Comment]
    );
    let Received::Event(event) = &read[1] else { panic!("an event") };
    assert_eq!(line::read(event.data.as_bytes()).unwrap(), frame);
}

// Everything at once, against a network that loses, repeats and reorders.

/// A request, or the answer to one.
#[derive(Clone, Debug)]
enum Message {
    Ask(Request),
    Answer { from: u64, frames: Vec<Frame> },
    Late,
    Post(Post),
    Posted { post: u64, received: u64 },
    Join(Request),
}

struct World {
    seed: u64,
    client: ClientChannel,
    server: ServerChannel<Arc<str>>,
    network: Vec<Message>,
    /// Frames in each direction of the WebSocket.
    socket: Option<(VecDeque<Frame>, VecDeque<Frame>)>,
    /// The attempt to join that the client waits for.
    attempt: Option<u64>,
    asking: bool,
    posts: u64,
    to_client: Vec<u64>,
    to_server: Vec<u64>,
    joins: u64,
}

const EACH_WAY: u64 = 10_000;

impl World {
    fn new(seed: u64) -> World {
        World {
            seed: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
            client: ClientChannel::new(),
            server: ServerChannel::default(),
            network: Vec::new(),
            socket: None,
            attempt: None,
            asking: false,
            posts: 0,
            to_client: Vec::new(),
            to_server: Vec::new(),
            joins: 0,
        }
    }

    fn random(&mut self, below: u64) -> u64 {
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 7;
        self.seed ^= self.seed << 17;
        (self.seed >> 16) % below
    }

    fn number(frame: &Frame) -> u64 {
        let Frame::Text(text) = frame else { panic!("only text is sent") };
        text.parse().unwrap()
    }

    fn step(&mut self) {
        match self.random(12) {
            0..=1 if self.client.sent() < EACH_WAY && !self.client.is_full() => {
                let number = self.client.sent() + 1;
                assert_eq!(self.client.send(text(&number.to_string())), number);
            }
            2..=3 if self.server.next() <= EACH_WAY && !self.server.is_full() => {
                let number = self.server.next();
                self.server.send(number.to_string().into());
            }
            4 if !self.client.is_joined() && !self.asking => {
                self.asking = true;
                let ask = self.client.ask();
                self.network.push(Message::Ask(ask));
            }
            5 => {
                if let Some(post) = self.client.post() {
                    self.posts += 1;
                    self.network.push(Message::Post(post));
                }
            }
            6 if !self.client.is_joined() && self.attempt.is_none() && self.random(20) == 0 => {
                let join = self.client.join();
                self.attempt = Some(join.turn);
                self.network.push(Message::Join(join));
            }
            7 if self.random(30) == 0 => self.cut(),
            8..=9 => self.carry(),
            _ => self.deliver(),
        }
    }

    /// Something of the network arrives, is lost, or arrives twice.
    fn deliver(&mut self) {
        if self.network.is_empty() {
            return;
        }
        let at = self.random(self.network.len() as u64) as usize;
        let message = match self.random(8) {
            0 => self.network[at].clone(),
            _ => self.network.swap_remove(at),
        };
        if self.random(6) == 0 {
            return self.lost(message);
        }
        match message {
            Message::Ask(Request { from, turn }) => {
                let answer = match self.server.ask(from, Some(turn)) {
                    Ok(()) => {
                        let most = self.random(40) as usize;
                        let frames = self.server.hand_out(from).into_iter().take(most);
                        let frames = frames.map(|frame| text(&frame)).collect();
                        Message::Answer { from, frames }
                    }
                    // An old request again: its client no longer waits for it.
                    Err(Refused::Late { .. } | Refused::Violation(Violation::LetGo { .. })) => Message::Late,
                    Err(refused) => panic!("{refused}"),
                };
                self.network.push(answer);
            }
            Message::Answer { from, frames } => {
                self.asking = false;
                for (number, frame) in (from..).zip(frames) {
                    let frame = self.client.receive(number, frame).unwrap();
                    self.to_client.extend(frame.as_ref().map(World::number));
                }
            }
            Message::Late => self.asking = false,
            Message::Post(post) => {
                self.server.confirm(post.from).unwrap();
                for (number, frame) in (post.first..).zip(lines(&post.body)) {
                    if self.server.receive(number, frame.len()).unwrap() == Receipt::New {
                        self.to_server.push(World::number(&frame));
                    }
                }
                self.network.push(Message::Posted { post: self.posts, received: self.server.received() });
            }
            Message::Posted { post, received } if post == self.posts => self.client.posted(received).unwrap(),
            // The answer to a post that the client has given up.
            Message::Posted { .. } => {}
            Message::Join(Request { from, turn }) => match self.server.join(from, Some(turn)) {
                Ok(()) if self.attempt == Some(turn) => {
                    self.joins += 1;
                    self.socket = Some((VecDeque::new(), VecDeque::new()));
                }
                // The client gave it up, and the hub does not know.
                Ok(()) => self.socket = None,
                Err(Refused::Late { .. }) => {}
                Err(refused) => panic!("{refused}"),
            },
        }
    }

    fn lost(&mut self, message: Message) {
        match message {
            Message::Ask(_) | Message::Answer { .. } | Message::Late => self.asking = false,
            Message::Post(_) | Message::Posted { .. } => self.client.post_failed(),
            Message::Join(_) => self.cut(),
        }
    }

    /// The client gives its WebSocket up; what is under way on it is lost.
    fn cut(&mut self) {
        self.client.leave();
        (self.socket, self.attempt) = (None, None);
    }

    /// The WebSocket carries a frame each way.
    fn carry(&mut self) {
        let Some((mut up, mut down)) = self.socket.take() else { return };
        if !self.server.is_joined() {
            return self.cut();
        }
        down.extend(self.server.next_on_socket(true).map(|out| match out {
            ToSocket::Control(control) => text(&control),
            ToSocket::Frame(frame) => text(&frame),
        }));
        up.extend(self.client.next_on_socket());
        if let Some(frame) = down.pop_front()
            && let OverSocket::Frame(frame) = self.client.receive_on_socket(frame).unwrap()
        {
            self.to_client.push(World::number(&frame));
        }
        if let Some(frame) = up.pop_front()
            && let FromSocket::Frame(frame) = self.server.receive_on_socket(frame).unwrap()
        {
            self.to_server.push(World::number(&frame));
        }
        self.socket = Some((up, down));
    }
}

#[test]
fn every_frame_arrives_once_and_in_order_whatever_the_network_does() {
    let mut joins = 0;
    for seed in 1..=20 {
        let mut world = World::new(seed);
        let (mut steps, all) = (0u64, EACH_WAY as usize);
        while world.to_client.len() < all || world.to_server.len() < all {
            world.step();
            steps += 1;
            assert!(
                steps < 15_000_000,
                "seed {seed}: {} and {}",
                world.to_client.len(),
                world.to_server.len()
            );
            assert!(world.server.kept_bytes() <= MAX_KEPT_BYTES + MAX_LINE_BYTES);
        }
        let expected: Vec<u64> = (1..=EACH_WAY).collect();
        for (which, got) in [("to the client", &world.to_client), ("to the hub", &world.to_server)] {
            let differs = got.iter().zip(&expected).position(|(got, expected)| got != expected);
            assert!(
                *got == expected,
                "seed {seed}, {which}: {} frames, other from {differs:?} on",
                got.len()
            );
        }
        joins += world.joins;
    }
    assert!(joins > 500, "{joins} joins");
}
