//! The flags of `tail` and `send` for Socket.IO servers, and what `send` learns there of its message.

use std::path::{Path, PathBuf};

use clap::Args as Flags;
use serde_json::{Map, Value, json};
use tokio::time::{Duration, Instant, timeout_at};

use super::args::{Send, Server};
use super::follow::{self, Follow};
use super::reason::reason_of;
use super::send::{new_id, sentence, text};
use super::{Exit, Failure, print};
use crate::clock;
use crate::link::Input;
use crate::mapping::Mapping;
use crate::model::content::{Content, Draft, UNCONFIRMED};
use crate::model::event::{ChatEvent, LinkEvent};
use crate::model::link_state::{LinkState, Why};
use crate::model::message::MAX_BODY_BYTES;
use crate::model::profile::{MAX_VALUE_BYTES, Secret};
use crate::model::socketio::{Carriers, SocketIoOptions};
use crate::model::{Delivery, Event, MessageId, OutboxItem, RoomId};
use crate::privacy;
use crate::wire::SavedState;

/// Heading of these flags in the help.
pub(super) const SOCKETIO_HELP: &str = "With --protocol socketio";
/// Maximum size of a file with a mapping, in bytes.
const MAX_MAP_BYTES: u64 = 256 * 1024;
/// How long to wait for the acknowledgement of a message that has come back already.
const MAX_LATE_ACK: Duration = Duration::from_secs(3);

/// The flags.
#[derive(Clone, Debug, Default, Flags)]
pub(super) struct SocketIoFlags {
    /// Connect to this namespace; may be given several times, the one to send to first.
    #[arg(long = "namespace", value_name = "NAME", help_heading = SOCKETIO_HELP)]
    namespace: Vec<String>,
    /// Sign in with this JSON object. Prefer --auth-file: other users of this computer can see a command line. (On Linux
    /// it is overwritten there, as a token is.)
    #[arg(long, value_name = "JSON", conflicts_with = "auth_file", value_parser = secret, help_heading = SOCKETIO_HELP)]
    auth: Option<Secret>,
    /// Sign in with the JSON object in this file.
    #[arg(long, value_name = "FILE", help_heading = SOCKETIO_HELP)]
    auth_file: Option<PathBuf>,
    /// What on this server means what: a mapping, as the app exports it. Also with --protocol stomp and websocket.
    #[arg(long, value_name = "FILE", help_heading = SOCKETIO_HELP)]
    map: Option<PathBuf>,
    /// The transports that `--transport` names.
    #[arg(skip)]
    pub(super) carriers: Carriers,
}

fn secret(text: &str) -> Result<Secret, std::convert::Infallible> {
    Ok(Secret::new(text))
}

impl SocketIoFlags {
    /// What is not secret of them.
    pub(super) fn options(&self) -> SocketIoOptions {
        SocketIoOptions {
            namespaces: self.namespace.clone(),
            carriers: self.carriers,
            has_auth: self.auth.is_some() || self.auth_file.is_some(),
        }
    }

    /// What to sign in with.
    pub(super) fn auth(&self) -> Result<Option<Secret>, Failure> {
        let text = match (&self.auth, &self.auth_file) {
            (Some(auth), _) => auth.reveal().to_owned(),
            (None, Some(file)) => read(file, MAX_VALUE_BYTES as u64)?,
            (None, None) => return Ok(None),
        };
        // Errors of the parser quote nothing of the text.
        let fields: Map<String, Value> = serde_json::from_str(text.trim())
            .map_err(|error| failed(&format!("the sign-in data is not a JSON object: {error}")))?;
        for value in fields.values().filter_map(Value::as_str) {
            privacy::known::add(value);
        }
        Ok(Some(Secret::new(text.trim())))
    }

    /// Whether a mapping is given.
    pub(super) fn has_mapping(&self) -> bool {
        self.map.is_some()
    }

    /// The mapping.
    pub(super) fn mapping(&self) -> Result<Map<String, Value>, Failure> {
        let Some(file) = &self.map else { return Ok(Map::new()) };
        let text = read(file, MAX_MAP_BYTES)?;
        let mapping =
            Mapping::parse(&text).map_err(|error| failed(&format!("{}: {error}", file.display())))?;
        match serde_json::to_value(mapping) {
            Ok(Value::Object(fields)) => Ok(fields),
            _ => Ok(Map::new()),
        }
    }
}

fn read(file: &Path, max_bytes: u64) -> Result<String, Failure> {
    let unreadable = |error: std::io::Error| failed(&format!("{} cannot be read: {error}", file.display()));
    let size = std::fs::metadata(file).map_err(unreadable)?.len();
    if size > max_bytes {
        return Err(failed(&format!("{} has more than {max_bytes} bytes", file.display())));
    }
    std::fs::read_to_string(file).map_err(unreadable)
}

fn failed(sentence: &str) -> Failure {
    Failure::new(Exit::Failed, print::harmless(sentence))
}

/// `duplexctl send` to a Socket.IO server.
pub(super) async fn send(command: Send) -> Result<(), Failure> {
    let body = text(&command.text, MAX_BODY_BYTES)?;
    if body.is_empty() {
        return Err(failed("there is nothing to send"));
    }
    let id = command.id.map_or_else(new_id, Ok)?;
    let deadline = Instant::now() + command.timeout;
    let (mut profile, access) = follow::profile(&command.server)?;
    if let Some(event) = &command.event {
        profile.websocket.mapping.insert("send".to_owned(), json!({"to": event, "args": ["{text}"]}));
    }
    let mut follow = Follow::with(profile, access, SavedState::default(), false);
    let room = command.room.clone().unwrap_or_else(RoomId::messages);
    let draft = Draft { id, room, content: Content::text(body), at: clock::now().wall_ms };
    // There is no disk to mark it on: the caller is told how far it came.
    follow.tell(Input::Queued(OutboxItem { draft, seq: 1, delivery: Delivery::Attempted }));
    let mut attempt = Attempt { is_given: false, came_back: None, why: None };
    let outcome = attempt.outcome(&mut follow, &command.server, id, deadline).await;
    follow.end().await;
    outcome
}

struct Attempt {
    /// Whether it was given to a socket.
    is_given: bool,
    /// It came back; until when its acknowledgement is waited for.
    came_back: Option<Instant>,
    /// What last prevented that it was sent.
    why: Option<Why>,
}

impl Attempt {
    async fn outcome(
        &mut self,
        follow: &mut Follow,
        server: &Server,
        id: MessageId,
        deadline: Instant,
    ) -> Result<(), Failure> {
        loop {
            let until = self.came_back.map_or(deadline, |at| at.min(deadline));
            let Ok(event) = timeout_at(until, follow.next()).await else { return self.timed_out(server) };
            match event {
                Event::Chat(ChatEvent::Acknowledged { id: acknowledged, .. }) if acknowledged == id => {
                    return Ok(());
                }
                Event::Chat(ChatEvent::Refused { id: refused, refusal }) if refused == id => {
                    return Err(Failure::new(Exit::Refused, sentence(&refusal)));
                }
                Event::Chat(ChatEvent::Entries { entries, .. }) => {
                    let Some(entry) = entries.iter().find(|entry| entry.draft.id == id) else { continue };
                    if entry.draft.content.extra().get(UNCONFIRMED).is_some() {
                        return unconfirmed("the server did not acknowledge it");
                    }
                    self.came_back = Some(Instant::now() + MAX_LATE_ACK);
                }
                Event::Link(LinkEvent::State(LinkState::Online { rtt_ms: None, .. })) => self.is_given = true,
                Event::Link(LinkEvent::State(LinkState::Waiting { why, .. })) => self.why = Some(why),
                Event::Link(LinkEvent::State(LinkState::Stopped { why })) => {
                    let exit = if self.is_given { Exit::Unknown } else { Exit::Refused };
                    return Err(Failure::new(exit, reason_of(server, &why)));
                }
                Event::Chat(ChatEvent::Unsure(ids)) if ids.contains(&id) => {
                    let sentence = "the connection ended before it was known whether the message arrived; it is not \
                                    sent again by itself";
                    return Err(Failure::new(Exit::Unknown, sentence));
                }
                _ => {}
            }
        }
    }

    fn timed_out(&self, server: &Server) -> Result<(), Failure> {
        if self.came_back.is_some() {
            return unconfirmed("the message came back, but the server did not acknowledge it");
        }
        if self.is_given {
            let sentence = "the message may not have arrived: the server has not acknowledged it in time";
            return Err(Failure::new(Exit::Unknown, sentence));
        }
        let why = self.why.as_ref().map(|why| reason_of(server, why));
        let why = why.unwrap_or_else(|| "the server does not answer".to_owned());
        Err(Failure::new(Exit::TimedOut, format!("not sent: {why}")))
    }
}

fn unconfirmed(why: &str) -> Result<(), Failure> {
    Err(Failure::new(Exit::Unconfirmed, format!("sent, unconfirmed: {why}")))
}
