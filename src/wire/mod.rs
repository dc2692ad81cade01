//! Protocols, one folder each: a codec (bytes to values) and a [`Session`] (handshake, acknowledgements, heartbeats).
//! Sans-IO: no socket, clock, thread or randomness.

mod describe;
pub mod duplex;
pub mod mapped;
pub mod mqtt;
pub mod plain;
mod saved;
pub mod socketio;
pub mod stomp;

use std::sync::Arc;

use crate::frame::Frame;
use crate::model::event::ChatEvent;
use crate::model::link_state::Why;
use crate::model::profile::Protocol;
use crate::model::proxy::ProxyUsed;
use crate::model::rights::ManageRequest;
use crate::model::route::RouteInUse;
use crate::model::time::{BootMs, WallMs};
use crate::model::topic::TopicRequest;
use crate::model::{
    CommandState, DeviceId, Event, MessageId, MetricName, Offset, OutboxItem, Readings, Refusal, RoomId,
    Spec, Time, Value,
};

pub use describe::{Describe, Described};
pub use saved::{Saved, SavedState};

/// How to communicate with a server: one variant per protocol, with its configuration.
#[derive(Clone, Debug)]
pub enum Setup {
    /// The Duplex protocol.
    Duplex(duplex::client::Config),
    /// Plain WebSocket: every message is shown as received, or recognized.
    Plain(plain::Config),
    /// Socket.IO.
    SocketIo(Box<socketio::Config>),
    /// STOMP.
    Stomp(Box<stomp::session::Config>),
    /// MQTT.
    Mqtt(Box<mqtt::session::Config>),
}

/// Opens sessions with one server.
pub trait Open: Send {
    /// Begins a session. `entropy`: fresh random bytes.
    fn open(&self, saved: Saved, entropy: [u8; 32]) -> Box<dyn Session>;

    /// How to dial for such sessions.
    fn dialing(&self) -> Dialing;

    /// Whether the server confirms each message that it has stored, as far as is known before a session. If not, a
    /// message whose fate is unknown is not sent again automatically.
    fn confirms(&self, saved: &Saved) -> bool;
}

/// A protocol's requirements for its transport.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dialing {
    /// Subprotocols to offer, in order of preference.
    pub subprotocols: Vec<String>,
    /// Maximum size of a received frame, in bytes of payload.
    pub max_frame: usize,
    /// Whether the session needs to know which frames were sent.
    pub report_flushed: bool,
    /// Whether a server that chooses none of the subprotocols is rejected.
    pub subprotocol_needed: bool,
    /// Whether the server may be behind SockJS.
    pub sockjs: bool,
    /// How much longer than one dial it may take to open the transport, because several ways are tried, in milliseconds.
    pub race_ms: u64,
    /// Whether the transport reads compressed frames.
    pub compresses: bool,
}

impl Open for Setup {
    fn open(&self, saved: Saved, entropy: [u8; 32]) -> Box<dyn Session> {
        match self {
            Setup::Duplex(config) => {
                Box::new(duplex::client::ClientSession::new(config.clone(), saved, entropy))
            }
            Setup::Plain(config) => match &config.mapping {
                None => Box::new(plain::PlainSession::new(entropy)),
                Some(mapping) => {
                    Box::new(plain::RecognizedSession::new((**mapping).clone(), &saved, entropy))
                }
            },
            Setup::SocketIo(config) => {
                Box::new(socketio::SocketIoSession::new((**config).clone(), &saved, entropy))
            }
            Setup::Stomp(config) => {
                Box::new(stomp::session::StompSession::new((**config).clone(), &saved, entropy))
            }
            Setup::Mqtt(config) => {
                Box::new(mqtt::session::MqttSession::new((**config).clone(), &saved, entropy))
            }
        }
    }

    fn dialing(&self) -> Dialing {
        match self {
            Setup::Duplex(config) => Dialing {
                max_frame: duplex::message::MAX_FRAME_BYTES,
                race_ms: config.race_ms,
                compresses: config.compresses,
                ..Dialing::default()
            },
            Setup::Plain(config) => Dialing {
                subprotocols: config.subprotocols.clone(),
                max_frame: plain::MAX_FRAME_BYTES,
                report_flushed: true,
                subprotocol_needed: !config.subprotocols.is_empty(),
                ..Dialing::default()
            },
            Setup::SocketIo(_) => {
                Dialing { max_frame: socketio::MAX_FRAME_BYTES, report_flushed: true, ..Dialing::default() }
            }
            Setup::Stomp(_) => Dialing {
                subprotocols: stomp::subprotocols(),
                max_frame: stomp::MAX_FRAME_BYTES,
                sockjs: true,
                ..Dialing::default()
            },
            Setup::Mqtt(_) => Dialing {
                subprotocols: vec![mqtt::SUBPROTOCOL.to_owned()],
                max_frame: mqtt::MAX_FRAME_BYTES,
                ..Dialing::default()
            },
        }
    }

    fn confirms(&self, saved: &Saved) -> bool {
        match self {
            Setup::Duplex(_) => true,
            Setup::Plain(_) => false,
            Setup::SocketIo(_) => socketio::SocketIoSession::confirms(saved),
            // Except for what its session says otherwise of: `Session::may_resend`.
            Setup::Stomp(_) | Setup::Mqtt(_) => true,
        }
    }
}

/// One end of a connection's protocol. Call [`Session::handle`], then drain [`Session::poll`].
pub trait Session: Send {
    /// Handles one input. An `Err` ends the connection; outputs polled before it are still valid.
    fn handle(&mut self, now: Time, input: Input) -> Result<(), WireError>;

    /// The next output; `None` if there is nothing more to do.
    fn poll(&mut self) -> Option<Output>;

    /// When it needs an [`Input::Tick`], as boot time in milliseconds.
    fn deadline(&self) -> Option<BootMs>;

    /// What the next session with this server resumes with. Also called after this session's end: what was received
    /// over it may be committed later.
    fn saved(&self) -> Saved;

    /// If nothing was received for this long, in milliseconds, the link sends a [`Request::Probe`]. `None` if the
    /// session monitors the server itself.
    fn quiet_ms(&self) -> Option<u64>;

    /// When it must send something although nothing is read from the socket, as boot time in milliseconds.
    fn must_send_at(&self) -> Option<BootMs> {
        None
    }

    /// The last frame before the connection is closed by us.
    fn goodbye(&mut self) -> Option<Frame> {
        None
    }

    /// Whether a message that was sent and is not confirmed may be sent again over the next connection. `false`: the server
    /// confirms none of its kind.
    fn may_resend(&self, _message: MessageId) -> bool {
        true
    }

    /// The close code for a protocol violation by the other end.
    fn violation_code(&self) -> u16 {
        1002
    }

    /// What it knows of why the connection ended, where that is more than the transport does.
    fn explain(&mut self, _now: Time, why: Why) -> Why {
        why
    }

    /// Whether retrying after this is pointless.
    fn is_final(&self, why: &Why) -> bool {
        !why.is_retryable()
    }

    /// Whether the server confirms messages, if that is learned from what it does; otherwise [`Open::confirms`] says so.
    fn confirms(&self) -> Option<bool> {
        None
    }

    /// Why it did not come online, if it knows more than that the deadline passed.
    fn why_overdue(&self) -> Option<Why> {
        None
    }
}

/// An input of a session.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// The transport is open.
    Opened(Agreed),
    /// A frame was received.
    Frame(Frame),
    /// The answer to [`Output::Ping`] was received.
    Pong,
    /// These messages were handed to the operating system, as far as can be known.
    Flushed(Vec<MessageId>),
    /// A request to the other end. Only while online.
    Request(Request),
    /// This mark and all before it are on disk.
    Committed(Mark),
    /// The connection ended for this reason. Only events may follow.
    Closed(Why),
    /// Nothing was read from the transport for this long, in milliseconds, which was not the server's choice: it has as
    /// much time left as before.
    StoodStill(u64),
    /// The deadline has passed.
    Tick,
}

/// A request of the app to a session.
#[derive(Clone, Debug, PartialEq)]
pub enum Request {
    /// About chat.
    Chat(ChatRequest),
    /// About devices.
    Device(DeviceRequest),
    /// About a broker's topics.
    Topic(TopicRequest),

    /// List or change people, devices and invites.
    Manage {
        /// Returned in the answer.
        id: u64,
        /// The request.
        what: ManageRequest,
    },
    /// Probe: anything the server sends next counts as an answer.
    Probe,
}

impl Request {
    /// What a session answers to a request that its protocol cannot carry. Most ask for no answer.
    pub fn decline(self) -> Option<Event> {
        match self {
            Request::Chat(ChatRequest::Send(item)) => {
                let refusal = Refusal::UnknownKind { kind: item.draft.content.kind().to_owned() };
                Some(Event::Chat(ChatEvent::Refused { id: item.draft.id, refusal }))
            }
            Request::Chat(ChatRequest::History { room, .. }) => {
                Some(Event::Chat(ChatEvent::HistoryFailed { room }))
            }
            Request::Chat(
                ChatRequest::Typing(_)
                | ChatRequest::Status(_)
                | ChatRequest::Read { .. }
                | ChatRequest::Unread { .. }
                | ChatRequest::Seen { .. }
                | ChatRequest::Receipts(_),
            )
            | Request::Device(_)
            | Request::Topic(_)
            | Request::Manage { .. }
            | Request::Probe => None,
        }
    }
}

/// A request about chat.
#[derive(Clone, Debug, PartialEq)]
pub enum ChatRequest {
    /// Deliver a message, or make a room.
    Send(OutboxItem),
    /// Say that the person is typing.
    Typing(RoomId),
    /// This person says this of themselves.
    Status(String),
    /// Say what the person has read.
    Read {
        /// The room.
        room: RoomId,
        /// The last read offset.
        offset: Offset,
    },
    /// Say that everything after this place is unread again.
    Unread {
        /// Where.
        room: RoomId,
        /// The last offset that counts as read.
        offset: Offset,
    },
    /// Let others know what the person has seen.
    Seen {
        /// Where.
        room: RoomId,
        /// The first seen message.
        first: Offset,
        /// The last one.
        last: Offset,
    },
    /// Tell what others have seen in a room, now and when it changes.
    Receipts(RoomId),
    /// Fetch a page of a room's history.
    History {
        /// The room.
        room: RoomId,
        /// Only entries before this offset.
        before: Offset,
        /// Maximum number of entries.
        limit: u32,
    },
}

/// A request about devices, or a message of an own device.
#[derive(Clone, Debug, PartialEq)]
pub enum DeviceRequest {
    /// Announce an own device.
    Announce(Spec),
    /// Report that an own device comes or goes.
    State {
        /// The device.
        device: DeviceId,
        /// Whether it is online.
        online: bool,
        /// Why it goes offline.
        reason: String,
    },
    /// Publish readings of own devices.
    Publish(Arc<Readings>),
    /// Set a property of a device.
    Command {
        /// The command's id: new and random.
        id: MessageId,
        /// The device.
        device: DeviceId,
        /// The incarnation that the person saw; `None`: any.
        incarnation: Option<u64>,
        /// The property.
        property: MetricName,
        /// The value.
        value: Value,
    },
    /// Answer a command for an own device.
    CommandResult {
        /// The command's id.
        id: MessageId,
        /// `Done` or `Failed`.
        state: CommandState,
    },
    /// Fetch a part of a metric's stored readings.
    Series {
        /// The device.
        device: DeviceId,
        /// The metric.
        metric: MetricName,
        /// Begin of the range (hub's clock).
        from: WallMs,
        /// End of the range, exclusive.
        to: WallMs,
    },
    /// Fetch a device's log.
    Log(DeviceId),
}

/// What the transport negotiated with the server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Agreed {
    /// The server as dialed: host and port.
    pub server: String,
    /// The subprotocol.
    pub subprotocol: Option<String>,
    /// The extensions as in the server's header; may be empty.
    pub extensions: String,
    /// How frames travel, where more than one way leads to the server.
    pub route: Option<RouteInUse>,
    /// Whether frames are pieces of a stream of bytes, without boundaries and without pings.
    pub is_stream: bool,
    /// The proxy that the connection goes through.
    pub proxy: Option<ProxyUsed>,
}

/// An output of a session.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Send this. With an id: it is the last frame of that message, and [`Input::Flushed`] must report when it was
    /// sent.
    Send(Frame, Option<MessageId>),
    /// Send a WebSocket ping; [`Input::Pong`] answers.
    Ping,
    /// The other end reads compressed frames: the transport may compress from now on.
    Compress,
    /// An event. With a mark: commit it, then report [`Input::Committed`].
    Event(Event, Option<Mark>),
    /// Save this in place of the previous state, in the same transaction as the events before it. Frames after it are
    /// sent once it is on disk. The next session resumes with it, also in a later run of the program.
    Persist(Vec<u8>),
    /// The handshake is complete.
    Online,
    /// A measured round trip, in milliseconds.
    RoundTrip(u64),
    /// The other end sent something unusable. A few are tolerated; very many end the connection.
    Unusable,
    /// Close the transport and end the connection.
    Close {
        /// The close code to send.
        code: u16,
        /// The reason.
        why: Why,
    },
}

/// A position in a session's event stream, numbered by the session. Opaque to others: the session knows how to
/// acknowledge everything up to it.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mark(pub u64);

/// The session cannot go on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// The other end violated the protocol.
    #[error("the other end broke the protocol: {detail}")]
    Violation {
        /// The violation.
        detail: String,
    },
}

/// Describes the frames of a protocol.
pub fn describer(protocol: Protocol) -> Box<dyn Describe> {
    match protocol {
        Protocol::Duplex => Box::<duplex::describe::Describer>::default(),
        Protocol::WebSocket => Box::new(plain::Describer),
        Protocol::SocketIo => Box::new(socketio::Describer),
        Protocol::Stomp => Box::new(stomp::Describer),
        Protocol::Mqtt => Box::new(mqtt::Describer),
    }
}
