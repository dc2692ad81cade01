//! Connections whose frames travel in requests over a channel: requests are lost, repeated and reordered, and WebSockets join and
//! are lost. Above it nothing of that may be seen: each frame arrives once and in order.

use std::sync::Arc;

use duplex::frame::Frame;
use duplex::wire::duplex::channel::{
    ClientChannel, FromSocket, OverSocket, Post, Receipt, Refused, Request, ServerChannel, ToSocket,
    Violation, line,
};
use duplex::wire::duplex::server::Input as HubInput;

use super::world::{Happening, World};

/// How long a client waits for an answer, in milliseconds.
const PATIENCE_MS: u64 = 2_000;

/// What travels.
#[derive(Clone, Debug)]
pub enum Carried {
    Ask {
        number: u64,
        request: Request,
    },
    /// `None`: the request came late.
    Frames {
        number: u64,
        from: u64,
        frames: Option<Vec<Frame>>,
    },
    Post {
        number: u64,
        post: Post,
    },
    Posted {
        number: u64,
        received: u64,
    },
    Join(Request),
    /// Over the WebSocket that joined with this turn.
    OnSocket {
        turn: u64,
        to_hub: bool,
        frame: Frame,
    },
    SocketLost {
        turn: u64,
    },
    /// The client gives up waiting for an answer.
    NoAnswer {
        number: u64,
    },
}

impl Carried {
    /// Whether it arrives at the client.
    pub fn is_to_client(&self) -> bool {
        match self {
            Carried::Ask { .. } | Carried::Post { .. } | Carried::Join(_) => false,
            Carried::OnSocket { to_hub, .. } => !to_hub,
            Carried::Frames { .. } | Carried::Posted { .. } => true,
            Carried::SocketLost { .. } | Carried::NoAnswer { .. } => true,
        }
    }
}

/// The two ends of a channel.
pub struct Channel {
    client: ClientChannel,
    server: ServerChannel<Arc<str>>,
    /// The client's requests under way.
    asking: Option<u64>,
    posting: Option<u64>,
    /// The WebSocket that the client has, or waits for.
    turn: Option<u64>,
    /// The request that the hub holds until there are frames, and the WebSocket that it has.
    held: Option<(u64, u64)>,
    hubs_turn: Option<u64>,
    /// The WebSocket that was lost last.
    lost_turn: Option<u64>,
    next: u64,
    /// Frames over the WebSocket keep their order.
    up_at: u64,
    down_at: u64,
}

impl Channel {
    pub fn new() -> Box<Channel> {
        Box::new(Channel {
            client: ClientChannel::new(),
            server: ServerChannel::default(),
            asking: None,
            posting: None,
            turn: None,
            held: None,
            hubs_turn: None,
            lost_turn: None,
            next: 0,
            up_at: 0,
            down_at: 0,
        })
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }
}

impl World {
    fn channel(&mut self, conn: u64) -> Option<&mut Channel> {
        self.conns.get_mut(&conn).filter(|c| !c.black_hole)?.channel.as_deref_mut()
    }

    /// Takes a frame of one end; false for a connection without a channel.
    pub(super) fn carry_in_channel(&mut self, conn: u64, frame: &Frame, to_hub: bool) -> bool {
        let Some(c) = self.conns.get_mut(&conn) else { return false };
        let Some(channel) = &mut c.channel else { return false };
        match frame {
            _ if to_hub => _ = channel.client.send(frame.clone()),
            Frame::Text(text) => _ = channel.server.send(text.as_str().into()),
            Frame::Binary(_) => {}
        }
        self.pump(conn);
        true
    }

    /// Makes the requests that either end can make now.
    pub(super) fn pump(&mut self, conn: u64) {
        if self.mishap(15) {
            self.change_route(conn);
        }
        self.pump_client(conn);
        self.pump_hub(conn);
    }

    fn change_route(&mut self, conn: u64) {
        let Some(channel) = self.channel(conn) else { return };
        if channel.turn.take().is_some() {
            channel.client.leave();
            return;
        }
        let request = channel.client.join();
        channel.turn = Some(request.turn);
        self.figures.joins += 1;
        self.travel(conn, Carried::Join(request));
    }

    fn pump_client(&mut self, conn: u64) {
        let Some(channel) = self.channel(conn) else { return };
        let mut made = Vec::new();
        if channel.client.is_joined() {
            let turn = channel.turn.unwrap_or_default();
            while let Some(frame) = channel.client.next_on_socket() {
                made.push(Carried::OnSocket { turn, to_hub: true, frame });
            }
        } else {
            if let Some(post) = channel.client.post() {
                let number = channel.number();
                channel.posting = Some(number);
                made.push(Carried::Post { number, post });
            }
            if channel.asking.is_none() {
                let number = channel.number();
                channel.asking = Some(number);
                made.push(Carried::Ask { number, request: channel.client.ask() });
            }
        }
        for carried in made {
            if let Carried::Post { number, .. } | Carried::Ask { number, .. } = &carried {
                let number = *number;
                self.at(PATIENCE_MS, Happening::InChannel { conn, carried: Carried::NoAnswer { number } });
            }
            self.travel(conn, carried);
        }
    }

    fn pump_hub(&mut self, conn: u64) {
        let cut = self.rng.up_to(4) as usize;
        let healed = self.healed;
        let Some(channel) = self.channel(conn) else { return };
        let mut made = Vec::new();
        if let Some(turn) = channel.hubs_turn.filter(|_| channel.server.is_joined()) {
            while let Some(next) = channel.server.next_on_socket(true) {
                let frame = match next {
                    ToSocket::Control(text) => Frame::Text(text),
                    ToSocket::Frame(text) => Frame::Text(text.to_string()),
                };
                made.push(Carried::OnSocket { turn, to_hub: false, frame });
            }
        } else if let Some((number, from)) = channel.held {
            let mut frames: Vec<Frame> =
                channel.server.hand_out(from).iter().map(|text| Frame::Text(text.to_string())).collect();
            if !frames.is_empty() {
                channel.held = None;
                // A stream that is cut.
                if !healed {
                    frames.truncate(1 + cut);
                }
                made.push(Carried::Frames { number, from, frames: Some(frames) });
            }
        }
        made.into_iter().for_each(|carried| self.travel(conn, carried));
    }

    /// Sends something on its way: it may be lost, or arrive twice.
    fn travel(&mut self, conn: u64, carried: Carried) {
        let latency = 1 + self.rng.up_to(40);
        if let Carried::OnSocket { turn, to_hub, .. } = &carried {
            let (turn, to_hub, now) = (*turn, *to_hub, self.now);
            if self.mishap(3) {
                // With everything that is under way on it.
                let Some(channel) = self.channel(conn) else { return };
                channel.hubs_turn = channel.hubs_turn.filter(|hubs| *hubs != turn);
                channel.lost_turn = Some(turn);
                let lost = Carried::SocketLost { turn };
                return self.at(latency, Happening::InChannel { conn, carried: lost });
            }
            let Some(channel) = self.channel(conn).filter(|channel| channel.lost_turn != Some(turn)) else {
                return;
            };
            let at = if to_hub { &mut channel.up_at } else { &mut channel.down_at };
            *at = (now + latency).max(*at);
            let in_ms = *at - now;
            return self.at(in_ms, Happening::InChannel { conn, carried });
        }
        let copies = match self.rng.up_to(99) {
            0..=4 if !self.healed => 0,
            5..=9 if !self.healed => 2,
            _ => 1,
        };
        self.figures.requests_lost += u64::from(copies == 0);
        self.figures.requests_doubled += u64::from(copies == 2);
        if copies == 0 && matches!(carried, Carried::Join(_)) {
            let Carried::Join(Request { turn, .. }) = carried else { return };
            return self.at(latency, Happening::InChannel { conn, carried: Carried::SocketLost { turn } });
        }
        for copy in 0..copies {
            let late = if copy > 0 { self.rng.up_to(500) } else { 0 };
            self.at(latency + late, Happening::InChannel { conn, carried: carried.clone() });
        }
    }

    /// Something arrives.
    pub(super) fn in_channel(&mut self, conn: u64, carried: Carried) {
        let has_session = self.conns.get(&conn).is_some_and(|c| c.session.is_some());
        let Some(channel) = self.channel(conn) else { return };
        match carried {
            Carried::Ask { number, request } if has_session => {
                match channel.server.ask(request.from, Some(request.turn)) {
                    Ok(()) => {
                        channel.hubs_turn = None;
                        channel.held = Some((number, request.from));
                    }
                    // One that came twice, or from before a change of route.
                    Err(Refused::Late { .. } | Refused::Violation(Violation::LetGo { .. })) => {
                        let frames = Carried::Frames { number, from: 0, frames: None };
                        self.travel(conn, frames);
                    }
                    Err(refused) => panic!("{refused}"),
                }
            }
            Carried::Frames { number, from, frames } if channel.asking == Some(number) => {
                channel.asking = None;
                let mut received = Vec::new();
                for (number, frame) in (from..).zip(frames.unwrap_or_default()) {
                    received.extend(channel.client.receive(number, frame).unwrap());
                }
                received.into_iter().for_each(|frame| self.frame_to_client(conn, frame));
            }
            Carried::Post { number, post } if has_session => {
                let mut received = Vec::new();
                channel.server.confirm(post.from).unwrap();
                for (number, text) in (post.first..).zip(post.body.split(|byte| *byte == b'\n')) {
                    if !text.is_empty() && channel.server.receive(number, text.len()) == Ok(Receipt::New) {
                        received.push(line::read(text).unwrap());
                    }
                }
                let posted = Carried::Posted { number, received: channel.server.received() };
                self.travel(conn, posted);
                received.into_iter().for_each(|frame| self.tell_session(conn, HubInput::Frame(frame)));
            }
            Carried::Posted { number, received } if channel.posting == Some(number) => {
                channel.posting = None;
                channel.client.posted(received).unwrap();
            }
            Carried::NoAnswer { number } if channel.posting == Some(number) => {
                channel.posting = None;
                channel.client.post_failed();
            }
            Carried::NoAnswer { number } if channel.asking == Some(number) => channel.asking = None,
            Carried::Join(Request { from, turn }) if has_session => {
                match channel.server.join(from, Some(turn)) {
                    // A WebSocket that the client has given up is as good as lost, and the hub does not know it.
                    Ok(()) => (channel.hubs_turn, channel.held) = (Some(turn), None),
                    Err(Refused::Late { .. }) => {}
                    Err(refused) => panic!("{refused}"),
                }
            }
            Carried::OnSocket { turn, to_hub: true, frame } if channel.hubs_turn == Some(turn) => {
                if let FromSocket::Frame(frame) = channel.server.receive_on_socket(frame).unwrap() {
                    self.tell_session(conn, HubInput::Frame(frame));
                }
            }
            Carried::OnSocket { turn, to_hub: false, frame } if channel.turn == Some(turn) => {
                if let OverSocket::Frame(frame) = channel.client.receive_on_socket(frame).unwrap() {
                    self.frame_to_client(conn, frame);
                }
            }
            Carried::SocketLost { turn } => {
                if channel.hubs_turn == Some(turn) {
                    channel.hubs_turn = None;
                    channel.server.leave();
                }
                if channel.turn == Some(turn) {
                    channel.turn = None;
                    channel.client.leave();
                }
            }
            _ => return,
        }
        self.pump(conn);
    }
}
