//! Polling and the upgrade, against a server that follows the protocol, on a schedule that chance makes.

use std::collections::VecDeque;

use crate::frame::Frame;
use crate::link::backoff::Jitter;
use crate::model::link_state::Why;
use crate::wire::socketio::carrier::{Answer, Carrier, Input, MAX_QUEUED, Output};
use crate::wire::socketio::engine::{Packet, Payload, Revision, payload};

const OPEN: &str =
    r#"0{"sid":"abc","upgrades":["websocket"],"pingInterval":300,"pingTimeout":200,"maxPayload":100}"#;

/// A server's end, as its reference implementation has it: what is sent waits for a poll; a probe is answered, and the poll
/// under way is released with a noop; after the upgrade everything takes the WebSocket.
struct Server {
    revision: Revision,
    to_send: VecDeque<Packet>,
    /// Whether a poll waits.
    has_poll: bool,
    is_probed: bool,
    is_upgraded: bool,
    /// What came to it, and over the WebSocket what it sends.
    came: Vec<String>,
    over_socket: VecDeque<Frame>,
}

impl Server {
    fn new(revision: Revision) -> Server {
        let to_send = VecDeque::new();
        let (came, over_socket) = (Vec::new(), VecDeque::new());
        Server { revision, to_send, has_poll: false, is_probed: false, is_upgraded: false, came, over_socket }
    }

    /// The answer to the poll that waits, if there is one.
    fn answer(&mut self) -> Option<Answer> {
        if !self.has_poll || (self.to_send.is_empty() && !self.is_probed) {
            return None;
        }
        self.has_poll = false;
        let body = match self.to_send.is_empty() {
            true => payload(self.revision, [&Packet::Noop], 1_000).0,
            false => {
                let (body, count) = payload(self.revision, &self.to_send, 1_000);
                self.to_send.drain(..count);
                body
            }
        };
        Some(Answer { status: 200, body: body.into_bytes() })
    }

    fn posted(&mut self, body: &str) {
        assert!(!self.is_upgraded, "nothing is posted after the upgrade");
        for packet in Payload::new(self.revision, body.as_bytes()) {
            self.takes(packet.unwrap());
        }
    }

    fn takes(&mut self, packet: Packet) {
        match packet {
            Packet::Text(text) => self.came.push(text),
            Packet::Binary(bytes) => self.came.push(format!("{bytes:?}")),
            Packet::Ping(text) if text == "probe" => {
                self.is_probed = true;
                self.over_socket.push_back(Packet::Pong(text).to_frame(self.revision));
            }
            Packet::Upgrade => {
                assert!(!self.has_poll, "a poll is still under way");
                self.is_upgraded = true;
            }
            _ => {}
        }
        if self.is_upgraded {
            let packets = std::mem::take(&mut self.to_send);
            self.over_socket.extend(packets.iter().map(|packet| packet.to_frame(self.revision)));
        }
    }

    fn send(&mut self, packet: Packet) {
        match self.is_upgraded {
            true => self.over_socket.push_back(packet.to_frame(self.revision)),
            false => self.to_send.push_back(packet),
        }
    }
}

/// What came of a round.
struct Round {
    delivered: Vec<String>,
    flushed: u64,
    is_upgraded: bool,
    came: Vec<String>,
}

/// One connection with 40 packets each way, upgraded in the midst of it, or not where the WebSocket fails.
fn round(revision: Revision, seed: u64, socket_fails: bool) -> Round {
    let mut chance = Jitter::new(seed);
    let mut server = Server::new(revision);
    let mut carrier = Carrier::new(true);
    let (mut delivered, mut flushed) = (Vec::new(), 0);
    let (mut posts, mut dials, mut to_socket) = (VecDeque::new(), 0, VecDeque::new());
    let (mut sent, mut told, mut socket_frames) = (0, 0, 0);
    for _ in 0..100_000 {
        while let Some(output) = carrier.poll() {
            match output {
                Output::Poll { sid: None, .. } => {
                    let open = OPEN.replace(
                        ",\"maxPayload\":100",
                        match revision {
                            Revision::V4 => ",\"maxPayload\":100",
                            Revision::V3 => "",
                        },
                    );
                    let (body, _) = payload(revision, [&Packet::Open(open[1..].to_owned())], 1_000);
                    carrier.handle(Input::Polled(Answer { status: 200, body: body.into_bytes() }));
                }
                Output::Poll { .. } => {
                    assert!(!std::mem::replace(&mut server.has_poll, true), "two polls at once");
                }
                Output::Post { body, .. } => posts.push_back(body),
                Output::OpenSocket { sid, .. } => {
                    assert_eq!(sid, "abc");
                    dials += 1;
                }
                Output::SendSocket(frame) => to_socket.push_back(frame),
                Output::Deliver(Frame::Text(text)) if text.starts_with('0') => {}
                Output::Deliver(frame) => match Packet::from_frame(revision, frame).unwrap() {
                    Packet::Text(text) => delivered.push(text),
                    Packet::Binary(bytes) => delivered.push(format!("{bytes:?}")),
                    other => panic!("{other:?}"),
                },
                Output::Flushed(frames) => flushed = frames,
                Output::Opened | Output::PingSocket | Output::Pong | Output::CloseSocket { .. } => {}
                Output::Closed(why) => panic!("{why:?}"),
            }
            assert!(posts.len() <= 1, "two posts at once");
        }
        let packet = |number: u64| match number % 7 {
            0 => Packet::Binary(number.to_be_bytes().to_vec()),
            _ => Packet::Text(format!("packet {number}")),
        };
        match chance.up_to(6) {
            0 if sent < 40 && carrier.has_room() => {
                carrier.handle(Input::Send(packet(sent).to_frame(revision)));
                sent += 1;
            }
            1 if told < 40 => {
                server.send(packet(told));
                told += 1;
            }
            2 => {
                if let Some(answer) = server.answer() {
                    carrier.handle(Input::Polled(answer));
                }
            }
            3 => {
                if let Some(body) = posts.pop_front() {
                    server.posted(&body);
                    carrier.handle(Input::Posted(Answer { status: 200, body: b"ok".to_vec() }));
                }
            }
            4 if dials > 0 && sent > 10 => {
                dials = 0;
                let gone = Why::NotWebSocket { detail: String::new() };
                carrier.handle(if socket_fails { Input::SocketGone(gone) } else { Input::SocketOpened });
            }
            5 => {
                if let Some(frame) = to_socket.pop_front() {
                    server.takes(Packet::from_frame(revision, frame).unwrap());
                    socket_frames += 1;
                    carrier.handle(Input::SocketFlushed(socket_frames));
                }
            }
            _ => {
                if let Some(frame) = server.over_socket.pop_front() {
                    carrier.handle(Input::SocketFrame(frame));
                }
            }
        }
        if server.came.len() == 40 && delivered.len() == 40 && flushed == 40 {
            break;
        }
    }
    Round { delivered, flushed, is_upgraded: server.is_upgraded, came: server.came }
}

#[test]
fn an_upgrade_under_traffic_loses_nothing_and_doubles_nothing_in_a_thousand_rounds() {
    let expected: Vec<String> = (0..40_u64)
        .map(|number| match number % 7 {
            0 => format!("{:?}", number.to_be_bytes()),
            _ => format!("packet {number}"),
        })
        .collect();
    let mut upgraded = 0;
    for seed in 0..1_000 {
        for revision in [Revision::V4, Revision::V3] {
            for socket_fails in [false, true] {
                let round = round(revision, seed, socket_fails);
                assert_eq!(round.delivered, expected, "to us, {revision:?}, seed {seed}");
                assert_eq!(round.came, expected, "from us, {revision:?}, seed {seed}");
                assert_eq!(round.flushed, 40, "seed {seed}");
                assert!(!(round.is_upgraded && socket_fails));
                upgraded += u32::from(round.is_upgraded);
            }
        }
    }
    assert!(upgraded > 1_900, "{upgraded}");
}

fn outputs(carrier: &mut Carrier) -> Vec<Output> {
    std::iter::from_fn(|| carrier.poll()).collect()
}

fn answer(status: u16, body: &str) -> Answer {
    Answer { status, body: body.as_bytes().to_vec() }
}

fn poll(sid: Option<&str>, revision: u8) -> Output {
    Output::Poll { sid: sid.map(str::to_owned), revision }
}

fn post(body: &str) -> Output {
    Output::Post { sid: "abc".to_owned(), revision: 4, body: body.to_owned() }
}

/// A session that polls and is not upgraded.
fn polling() -> Carrier {
    let mut carrier = Carrier::new(false);
    assert_eq!(outputs(&mut carrier), [poll(None, 4)]);
    carrier.handle(Input::Polled(answer(200, OPEN)));
    let open = Output::Deliver(Frame::Text(OPEN.to_owned()));
    assert_eq!(outputs(&mut carrier), [Output::Opened, open, poll(Some("abc"), 4)]);
    carrier
}

#[test]
fn posts_are_one_at_a_time_and_no_larger_than_the_server_takes() {
    let mut carrier = polling();
    for number in 0..4 {
        carrier.handle(Input::Send(Frame::Text(format!("4{number}{}", "x".repeat(40)))));
    }
    let text = |number: u32| format!("4{number}{}", "x".repeat(40));
    assert_eq!(outputs(&mut carrier), [post(&text(0))]);
    carrier.handle(Input::Posted(answer(200, "ok")));
    assert_eq!(outputs(&mut carrier), [Output::Flushed(1), post(&format!("{}\u{1e}{}", text(1), text(2)))]);
    carrier.handle(Input::Ping);
    carrier.handle(Input::Posted(answer(200, "ok")));
    assert_eq!(outputs(&mut carrier), [Output::Flushed(3), post(&text(3))]);
    carrier.handle(Input::Posted(answer(200, "ok")));
    assert_eq!(outputs(&mut carrier), [Output::Flushed(4), Output::Pong]);
    carrier.handle(Input::Ping);
    assert_eq!(outputs(&mut carrier), [post("3")]);
    carrier.handle(Input::Posted(answer(200, "ok")));
    assert_eq!(outputs(&mut carrier), [Output::Pong], "it is no frame of the session's");
    while carrier.has_room() {
        carrier.handle(Input::Send(Frame::Text("4x".to_owned())));
    }
    assert!(carrier.poll().is_some());
    carrier.handle(Input::Close { code: 1000 });
    assert!(!carrier.has_room());
    let mut packets = 0;
    loop {
        carrier.handle(Input::Posted(answer(200, "ok")));
        match outputs(&mut carrier).pop() {
            Some(Output::Post { body, .. }) => packets += body.split('\u{1e}').count(),
            Some(Output::Closed(_)) => break,
            other => panic!("{other:?}"),
        }
    }
    assert!(packets > MAX_QUEUED, "everything, and the close");
}

#[test]
fn a_server_that_forgot_the_session_ends_it_and_it_can_begin_again() {
    let mut carrier = polling();
    carrier.handle(Input::Polled(answer(400, r#"{"code":1,"message":"Session ID unknown"}"#)));
    let outputs = outputs(&mut carrier);
    let [Output::Closed(why)] = &outputs[..] else { panic!("{outputs:?}") };
    assert!(why.is_retryable() && matches!(why, Why::Lost { detail } if detail == "Session ID unknown"));
    let mut carrier = polling();
    carrier.handle(Input::Polled(answer(200, "4fine\u{1e}?")));
    let outputs = self::outputs(&mut carrier);
    let [Output::Deliver(_), Output::Closed(Why::Lost { .. })] = &outputs[..] else { panic!("{outputs:?}") };
}

#[test]
fn a_server_is_asked_for_the_earlier_revision_if_it_has_no_other() {
    let mut carrier = Carrier::new(false);
    outputs(&mut carrier);
    let refusal = r#"{"code":5,"message":"Unsupported protocol version"}"#;
    carrier.handle(Input::Polled(answer(400, refusal)));
    assert_eq!(outputs(&mut carrier), [poll(None, 3)]);
    carrier.handle(Input::Polled(answer(400, refusal)));
    assert!(matches!(outputs(&mut carrier)[..], [Output::Closed(Why::Http { status: 400, .. })]));
    for (status, body) in [(200, "<html>"), (200, ""), (200, "0{}"), (404, ""), (502, "oops")] {
        let mut carrier = Carrier::new(true);
        outputs(&mut carrier);
        carrier.handle(Input::Polled(answer(status, body)));
        let outputs = outputs(&mut carrier);
        match &outputs[..] {
            [Output::Closed(Why::NotSocketIo { .. })] if status == 200 => {}
            [Output::Closed(Why::Http { status: found, .. })] if *found == status => {}
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_websocket_that_ends_in_use_ends_the_session_and_before_that_does_not() {
    let open = || {
        let mut carrier = Carrier::new(true);
        carrier.handle(Input::Polled(answer(200, OPEN)));
        carrier.handle(Input::SocketOpened);
        outputs(&mut carrier);
        carrier
    };
    let gone = || Input::SocketGone(Why::Silent);
    let mut carrier = open();
    assert!(carrier.is_probing());
    carrier.handle(gone());
    assert_eq!(outputs(&mut carrier), []);
    // While it waits for the poll under way, too.
    let mut carrier = open();
    carrier.handle(Input::SocketFrame(Frame::Text("3probe".to_owned())));
    carrier.handle(Input::Send(Frame::Text("4x".to_owned())));
    assert_eq!(outputs(&mut carrier), [], "polling pauses");
    carrier.handle(gone());
    assert_eq!(outputs(&mut carrier), [post("4x")]);
    carrier.handle(Input::Polled(answer(200, "6")));
    assert_eq!(outputs(&mut carrier), [poll(Some("abc"), 4)]);
    let mut carrier = open();
    carrier.handle(Input::SocketFrame(Frame::Text("3other".to_owned())));
    assert_eq!(outputs(&mut carrier), [Output::CloseSocket { code: 1002 }]);
    let mut carrier = open();
    carrier.handle(Input::SocketFrame(Frame::Text("3probe".to_owned())));
    carrier.handle(Input::Polled(answer(200, "6")));
    assert_eq!(outputs(&mut carrier), [Output::SendSocket(Frame::Text("5".to_owned()))]);
    carrier.handle(Input::SocketFrame(Frame::Text("6".to_owned())));
    assert_eq!(outputs(&mut carrier), []);
    carrier.handle(gone());
    let ended = [Output::CloseSocket { code: 1000 }, Output::Closed(Why::Silent)];
    assert_eq!(outputs(&mut carrier), ended);
    carrier.handle(Input::SocketOpened);
    assert_eq!(outputs(&mut carrier), []);
}
