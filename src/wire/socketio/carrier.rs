//! [`Carrier`]: Engine.IO over HTTP long polling, and the upgrade of a running session to a WebSocket, sans-IO. It makes one
//! sequence of frames of both: as they are over a WebSocket, in order, each once.
//!
//! At most one poll and one post are under way at a time. For the upgrade the WebSocket is probed while polling goes on; once
//! the server has answered there, polling pauses, what is under way ends, and everything after it takes the WebSocket.

use std::collections::VecDeque;

use super::engine::{Handshake, Packet, Payload, Revision, payload, revision_of_opening};
use crate::frame::Frame;
use crate::model::link_state::{Closing, Why};

/// Maximum number of packets that wait for a post. More are not taken.
pub const MAX_QUEUED: usize = 48;
/// Maximum size of a post to a server that names none, in bytes.
const MAX_POST_BYTES: usize = 1_000_000;
/// The text that the probe of a WebSocket carries.
const PROBE: &str = "probe";
/// What a server that does not speak the revision asked for answers: its code for this.
const WRONG_REVISION: u64 = 5;
/// The name of the transport to go over to.
const WEBSOCKET: &str = "websocket";

/// The answer to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

/// An input.
#[derive(Clone, Debug)]
pub enum Input {
    /// The poll was answered.
    Polled(Answer),
    /// The post was answered.
    Posted(Answer),
    /// A poll or a post failed; whether the server has what it carried is not known.
    Failed(Why),
    /// The WebSocket is open.
    SocketOpened,
    /// The WebSocket could not be opened, ended, or does not answer.
    SocketGone(Why),
    /// A frame came over the WebSocket.
    SocketFrame(Frame),
    /// Number of frames given to the WebSocket that were sent, since it opened.
    SocketFlushed(u64),
    /// The WebSocket answered a ping.
    SocketPong,
    /// Send this.
    Send(Frame),
    /// Find out whether the server is there.
    Ping,
    /// End the session, after what is queued.
    Close {
        /// The close code, for a WebSocket.
        code: u16,
    },
}

/// An output. Carry them out in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Poll. Without a session: open one.
    Poll {
        /// The session.
        sid: Option<String>,
        /// The revision asked for.
        revision: u8,
    },
    /// Post this.
    Post {
        /// The session.
        sid: String,
        /// The revision.
        revision: u8,
        /// The payload.
        body: String,
    },
    /// Open a WebSocket for this session.
    OpenSocket {
        /// The session.
        sid: String,
        /// The revision.
        revision: u8,
    },
    /// Send this over the WebSocket.
    SendSocket(Frame),
    /// Send a ping over the WebSocket.
    PingSocket,
    /// Close the WebSocket.
    CloseSocket {
        /// The close code.
        code: u16,
    },
    /// The session is open: the first frame follows.
    Opened,
    /// A frame came.
    Deliver(Frame),
    /// So many frames were sent since the session opened.
    Flushed(u64),
    /// The server is there.
    Pong,
    /// The session has ended; nothing follows.
    Closed(Why),
}

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Socket {
    /// There is none, and none is wanted.
    None,
    /// Being opened.
    Dialing,
    /// Open; the answer to the probe is due.
    Probing,
    /// The probe was answered: waits for the requests under way.
    Pausing,
    /// The session uses it.
    InUse,
}

/// See the module.
pub struct Carrier {
    may_upgrade: bool,
    /// The revision that is asked for.
    asked: Revision,
    /// The revision that the server speaks.
    revision: Revision,
    handshake: Option<Handshake>,
    socket: Socket,
    is_polling: bool,
    /// Number of packets in the post under way, and whether its answer answers a ping.
    posting: Option<(usize, bool)>,
    queue: VecDeque<Packet>,
    wants_pong: bool,
    flushed: u64,
    /// Number of frames that went by posts, less those that only the carrier knows of.
    before_socket: u64,
    closing: bool,
    has_ended: bool,
    outputs: VecDeque<Output>,
}

impl Carrier {
    /// Begins to open a session. `may_upgrade`: whether to go over to a WebSocket where the server offers it.
    pub fn new(may_upgrade: bool) -> Self {
        let mut carrier = Carrier {
            may_upgrade,
            asked: Revision::V4,
            revision: Revision::V4,
            handshake: None,
            socket: Socket::None,
            is_polling: false,
            posting: None,
            queue: VecDeque::new(),
            wants_pong: false,
            flushed: 0,
            before_socket: 0,
            closing: false,
            has_ended: false,
            outputs: VecDeque::new(),
        };
        carrier.poll_server();
        carrier
    }

    /// The next output.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Whether [`Input::Send`] has room.
    pub fn has_room(&self) -> bool {
        self.queue.len() < MAX_QUEUED && !self.closing && self.handshake.is_some()
    }

    /// Whether the WebSocket is open and has not answered the probe.
    pub fn is_probing(&self) -> bool {
        self.socket == Socket::Probing
    }

    /// Handles one input; then drain [`Carrier::poll`].
    pub fn handle(&mut self, input: Input) {
        if self.has_ended {
            return;
        }
        match input {
            Input::Polled(answer) => self.polled(answer),
            Input::Posted(answer) => self.posted(&answer),
            Input::Failed(why) => self.end(why),
            Input::SocketOpened if self.socket == Socket::Dialing => {
                self.socket = Socket::Probing;
                self.send_socket(&Packet::Ping(PROBE.to_owned()));
            }
            Input::SocketOpened => {}
            Input::SocketGone(why) => self.socket_gone(why),
            Input::SocketFrame(frame) => self.socket_frame(frame),
            Input::SocketFlushed(frames) if self.socket == Socket::InUse => {
                // The probe and the upgrade are none of the session's frames.
                self.flushed_to(self.before_socket + frames.saturating_sub(2));
            }
            Input::SocketFlushed(_) => {}
            Input::SocketPong => self.outputs.push_back(Output::Pong),
            Input::Send(frame) => self.send(frame),
            Input::Ping if self.socket == Socket::InUse => self.outputs.push_back(Output::PingSocket),
            Input::Ping => self.ping(),
            Input::Close { code } => self.close(code),
        }
        self.proceed();
    }

    fn number(revision: Revision) -> u8 {
        match revision {
            Revision::V3 => 3,
            Revision::V4 => 4,
        }
    }

    fn sid(&self) -> String {
        self.handshake.as_ref().map(|handshake| handshake.sid.clone()).unwrap_or_default()
    }

    fn poll_server(&mut self) {
        self.is_polling = true;
        let sid = self.handshake.as_ref().map(|handshake| handshake.sid.clone());
        let revision = if sid.is_some() { self.revision } else { self.asked };
        self.outputs.push_back(Output::Poll { sid, revision: Carrier::number(revision) });
    }

    fn polled(&mut self, answer: Answer) {
        self.is_polling = false;
        if answer.status != 200 {
            return self.refused(&answer);
        }
        if self.handshake.is_none() {
            return self.opening(&answer.body);
        }
        self.deliver(&answer.body);
    }

    /// The answer to the first poll.
    fn opening(&mut self, body: &[u8]) {
        self.revision = revision_of_opening(body);
        let opening = match Payload::new(self.revision, body).next() {
            Some(Ok(Packet::Open(json))) => Handshake::parse(&json).ok(),
            _ => None,
        };
        let Some(handshake) = opening else {
            let said = String::from_utf8_lossy(body).chars().take(200).collect();
            return self.end(Why::NotSocketIo { said });
        };
        let upgrades = handshake.upgrades.iter().any(|name| name == WEBSOCKET);
        self.handshake = Some(handshake);
        self.outputs.push_back(Output::Opened);
        if self.may_upgrade && upgrades {
            self.socket = Socket::Dialing;
            let revision = Carrier::number(self.revision);
            self.outputs.push_back(Output::OpenSocket { sid: self.sid(), revision });
        }
        self.deliver(body);
    }

    fn deliver(&mut self, body: &[u8]) {
        for packet in Payload::new(self.revision, body) {
            match packet {
                Ok(Packet::Noop) => {}
                Ok(packet) => self.outputs.push_back(Output::Deliver(packet.to_frame(self.revision))),
                Err(malformed) => {
                    // What follows in the payload is lost: so is the session, or it would seem whole.
                    return self.end(Why::Lost { detail: malformed.to_string() });
                }
            }
        }
    }

    /// A request was answered with another status than 200.
    fn refused(&mut self, answer: &Answer) {
        let said: Option<serde_json::Value> = serde_json::from_slice(&answer.body).ok();
        let code = said.as_ref().and_then(|said| said.get("code")?.as_u64());
        if self.handshake.is_some() {
            let said = said.as_ref().and_then(|said| Some(said.get("message")?.as_str()?.to_owned()));
            let detail = said.unwrap_or_else(|| format!("HTTP {}", answer.status));
            // Most often it was restarted and knows the session no more.
            return self.end(Why::Lost { detail });
        }
        if code == Some(WRONG_REVISION) && self.asked == Revision::V4 {
            self.asked = Revision::V3;
            return self.poll_server();
        }
        self.end(Why::Http { status: answer.status, retry_after_ms: None });
    }

    fn posted(&mut self, answer: &Answer) {
        let Some((count, is_ping)) = self.posting.take() else { return };
        if answer.status != 200 {
            return self.refused(answer);
        }
        self.flushed_to(self.flushed + count as u64);
        if is_ping {
            self.outputs.push_back(Output::Pong);
        }
    }

    fn flushed_to(&mut self, frames: u64) {
        if frames > self.flushed {
            self.flushed = frames;
            self.outputs.push_back(Output::Flushed(frames));
        }
    }

    fn send(&mut self, frame: Frame) {
        if self.socket == Socket::InUse {
            return self.outputs.push_back(Output::SendSocket(frame));
        }
        // The session makes frames of the revision that it found, which is the one of the payloads.
        if let Ok(packet) = Packet::from_frame(self.revision, frame) {
            self.queue.push_back(packet);
        }
    }

    /// Without a WebSocket, any answered post shows that the server is there.
    fn ping(&mut self) {
        self.wants_pong = true;
    }

    fn send_socket(&mut self, packet: &Packet) {
        self.outputs.push_back(Output::SendSocket(packet.to_frame(self.revision)));
    }

    fn socket_frame(&mut self, frame: Frame) {
        match self.socket {
            Socket::InUse => match Packet::from_frame(self.revision, frame.clone()) {
                Ok(Packet::Noop) => {}
                _ => self.outputs.push_back(Output::Deliver(frame)),
            },
            Socket::Probing => match Packet::from_frame(self.revision, frame) {
                Ok(Packet::Pong(text)) if text == PROBE => self.socket = Socket::Pausing,
                _ => {
                    let detail = "the probe had another answer".to_owned();
                    self.outputs.push_back(Output::CloseSocket { code: 1002 });
                    self.socket_gone(Why::Violation { detail });
                }
            },
            Socket::None | Socket::Dialing | Socket::Pausing => {}
        }
    }

    /// Before it was used, polling goes on without it.
    fn socket_gone(&mut self, why: Why) {
        match self.socket {
            Socket::InUse => self.end(why),
            _ => self.socket = Socket::None,
        }
    }

    fn close(&mut self, code: u16) {
        self.closing = true;
        match self.socket {
            Socket::InUse => self.outputs.push_back(Output::CloseSocket { code }),
            socket => {
                if socket != Socket::None {
                    self.socket = Socket::None;
                    self.outputs.push_back(Output::CloseSocket { code });
                }
                match self.handshake {
                    Some(_) => self.queue.push_back(Packet::Close),
                    None => self.end(Carrier::closed()),
                }
            }
        }
    }

    fn closed() -> Why {
        let closing = Closing::ByUs;
        Why::Closed { code: Some(1000), reason: String::new(), retry_after_ms: None, closing }
    }

    /// Begins whatever may begin now.
    fn proceed(&mut self) {
        if self.has_ended || self.handshake.is_none() || self.socket == Socket::InUse {
            return;
        }
        if self.socket == Socket::Pausing {
            if !self.is_polling && self.posting.is_none() {
                self.go_over();
            }
            return;
        }
        if !self.is_polling && !self.closing {
            self.poll_server();
        }
        if self.posting.is_some() {
            return;
        }
        if self.wants_pong && self.queue.is_empty() {
            // An unasked pong means nothing to the server, and a ping is answered in revision 3.
            self.post_probe();
        } else if !self.queue.is_empty() {
            self.post();
        } else if self.closing {
            self.end(Carrier::closed());
        }
    }

    fn post_probe(&mut self) {
        self.wants_pong = false;
        self.posting = Some((0, true));
        let packet = match self.revision {
            Revision::V4 => Packet::Pong(String::new()),
            Revision::V3 => Packet::Ping(String::new()),
        };
        let (body, _) = payload(self.revision, [&packet], MAX_POST_BYTES);
        self.outputs.push_back(Output::Post {
            sid: self.sid(),
            revision: Carrier::number(self.revision),
            body,
        });
    }

    fn post(&mut self) {
        let limit = self.handshake.as_ref().and_then(|handshake| handshake.max_payload);
        let limit = limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(MAX_POST_BYTES);
        let (body, count) = payload(self.revision, &self.queue, limit.min(MAX_POST_BYTES));
        self.queue.drain(..count);
        self.posting = Some((count, std::mem::take(&mut self.wants_pong)));
        self.outputs.push_back(Output::Post {
            sid: self.sid(),
            revision: Carrier::number(self.revision),
            body,
        });
    }

    /// Nothing is under way over HTTP: everything from now on takes the WebSocket.
    fn go_over(&mut self) {
        self.socket = Socket::InUse;
        self.before_socket = self.flushed;
        self.send_socket(&Packet::Upgrade);
        for packet in std::mem::take(&mut self.queue) {
            self.send_socket(&packet);
        }
        if std::mem::take(&mut self.wants_pong) {
            self.outputs.push_back(Output::PingSocket);
        }
    }

    fn end(&mut self, why: Why) {
        self.has_ended = true;
        if self.socket != Socket::None {
            self.outputs.push_back(Output::CloseSocket { code: 1000 });
        }
        self.outputs.push_back(Output::Closed(why));
    }
}
