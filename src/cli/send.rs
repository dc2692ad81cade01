//! `duplexctl send`.

use crate::model::Offset;
use std::io::Read as _;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::args::{Send, Server};
use super::follow::Follow;
use super::reason::reason_of;
use super::{Exit, Failure, mqtt, print, room, send_frame, send_mapped, socketio};
use crate::clock;
use crate::link::Input;
use crate::model::content::{Content, Draft};
use crate::model::event::{ChatEvent, Follows, LinkEvent};
use crate::model::link_state::{LinkState, Why};
use crate::model::message::MAX_BODY_BYTES;
use crate::model::{Delivery, Event, MessageId, OutboxItem, Refusal, RoomId};
use crate::wire::SavedState;

pub(super) async fn run(command: Send) -> Result<(), Failure> {
    if command.server.has_frames() {
        return send_frame::run(command).await;
    }
    if !command.server.destinations().is_empty() {
        return send_mapped::run(command).await;
    }
    if command.server.is_broker() {
        return mqtt::send(command).await;
    }
    if command.server.is_socket() {
        let room = command.room.clone().unwrap_or_else(RoomId::messages);
        return send_mapped::deliver(command, room).await;
    }
    if command.server.websocket.is_some() {
        return socketio::send(command).await;
    }
    if command.text == "-" && command.server.access.token.takes_standard_input() {
        let sentence = "standard input cannot be both: give the token by --token-file FILE, or the message as an argument";
        return Err(Failure::new(Exit::Failed, sentence));
    }
    let body = text(&command.text, MAX_BODY_BYTES)?;
    if body.is_empty() {
        return Err(Failure::new(Exit::Failed, "there is nothing to send"));
    }
    if let Some(who) = &command.to {
        let deadline = Instant::now() + command.timeout;
        let (mut follow, room) = room::direct(&command.server, who, deadline).await?;
        let id = command.id.map_or_else(new_id, Ok)?;
        let draft = Draft { id, room, content: Content::text(body), at: clock::now().wall_ms };
        let delivered = deliver(&mut follow, &command.server, draft, command.id.is_some(), deadline).await;
        if !matches!(&delivered, Err(failure) if matches!(failure.exit, Exit::TimedOut | Exit::Unknown)) {
            follow.end().await;
        }
        return delivered.map(drop);
    }
    // Required by clap.
    let room = command.room.clone().ok_or_else(|| Failure::new(Exit::Failed, "--room is needed"))?;
    let content = match command.reply {
        Some(target) => Content::reply(body, target, None),
        None => Content::text(body),
    };
    send_one(&command.server, room, content, command.id, command.timeout).await
}

/// Sends one thing and waits until the server has it. `known`: its id, if an earlier attempt may have sent it.
pub(super) async fn send_one(
    server: &Server,
    room: RoomId,
    content: Content,
    known: Option<MessageId>,
    timeout: Duration,
) -> Result<(), Failure> {
    let id = known.map_or_else(new_id, Ok)?;
    let deadline = Instant::now() + timeout;
    // Log entries are not needed.
    let saved = SavedState { resume: None, since: Some(Offset::MAX) };
    let mut follow = Follow::start(server, saved, false)?;
    let draft = Draft { id, room, content, at: clock::now().wall_ms };
    let delivered = deliver(&mut follow, server, draft, known.is_some(), deadline).await;
    if !matches!(&delivered, Err(failure) if matches!(failure.exit, Exit::TimedOut | Exit::Unknown)) {
        follow.end().await;
    }
    delivered.map(drop)
}

/// The id of something new.
pub(super) fn new_id() -> Result<MessageId, Failure> {
    clock::random()
        .map(MessageId::from_random)
        .map_err(|error| Failure::new(Exit::Failed, format!("the system gives no randomness: {error}")))
}

/// Sends something typed, and returns what follows once it is on the server's disk. `again`: an earlier attempt may have
/// stored it.
pub(super) async fn deliver(
    follow: &mut Follow,
    server: &Server,
    draft: Draft,
    again: bool,
    deadline: Instant,
) -> Result<Follows, Failure> {
    let id = draft.id;
    // There is no disk to mark it on: the caller knows the id, or is told that the outcome is unknown.
    let item = OutboxItem { draft, seq: 1, delivery: Delivery::Attempted };
    follow.tell(if again { Input::Restored(item) } else { Input::Queued(item) });
    let mut attempt = Attempt { sent: false, why: None, postponed: None };
    match timeout_at(deadline, attempt.outcome(follow, server, id)).await {
        Ok(outcome) => outcome,
        Err(_) => Err(attempt.timed_out(id)),
    }
}

struct Attempt {
    /// Whether it was ever sent.
    sent: bool,
    /// What last prevented delivery.
    why: Option<Why>,
    /// The server accepts it later and has not stored it.
    postponed: Option<Refusal>,
}

impl Attempt {
    async fn outcome(
        &mut self,
        follow: &mut Follow,
        server: &Server,
        id: MessageId,
    ) -> Result<Follows, Failure> {
        loop {
            match follow.next().await {
                Event::Chat(ChatEvent::Acknowledged { id: acknowledged, follows, .. })
                    if acknowledged == id =>
                {
                    return Ok(follows);
                }
                Event::Chat(ChatEvent::Refused { id: refused, refusal }) if refused == id => {
                    return Err(Failure::new(Exit::Refused, sentence(&refusal)));
                }
                Event::Link(LinkEvent::Paused(Some(paused))) => self.postponed = Some(paused.refusal),
                Event::Chat(ChatEvent::Postponed { id: postponed, unseen }) if postponed == id => {
                    self.sent = !unseen
                }
                // It is sent once more.
                Event::Link(LinkEvent::Paused(None)) => (self.sent, self.postponed) = (true, None),
                Event::Link(LinkEvent::State(LinkState::Online { rtt_ms: None, .. })) => {
                    self.sent |= self.postponed.is_none();
                }
                Event::Link(LinkEvent::State(LinkState::Waiting { why, .. })) => self.why = Some(why),
                Event::Link(LinkEvent::State(LinkState::Stopped { why })) => {
                    let exit = if self.sent { Exit::Unknown } else { Exit::Refused };
                    return Err(Failure::new(exit, reason_of(server, &why)));
                }
                _ => {}
            }
        }
    }

    fn timed_out(&self, id: MessageId) -> Failure {
        if self.sent {
            let sentence = format!(
                "no answer came in time; whether it was delivered is not known. To be sure, send it again with --id {id}"
            );
            return Failure::new(Exit::Unknown, sentence);
        }
        if let Some(refusal) = &self.postponed {
            return Failure::new(Exit::TimedOut, format!("not delivered: {}", sentence(refusal)));
        }
        let why = self.why.as_ref().map_or_else(|| "the server does not answer".to_owned(), print::reason);
        Failure::new(Exit::TimedOut, format!("not delivered: {why}"))
    }
}

/// The argument, or standard input for `-`; limited in bytes.
pub(super) fn text(argument: &str, max_bytes: usize) -> Result<String, Failure> {
    let mut text = argument.to_owned();
    if argument == "-" {
        text.clear();
        let most = max_bytes as u64 + 1;
        std::io::stdin().take(most).read_to_string(&mut text).map_err(|error| {
            Failure::new(Exit::Failed, format!("standard input cannot be read as text: {error}"))
        })?;
    }
    if text.len() > max_bytes {
        return Err(Failure::new(Exit::Failed, format!("a message has at most {max_bytes} bytes")));
    }
    Ok(text)
}

pub(super) fn sentence(refusal: &Refusal) -> String {
    match refusal {
        Refusal::NoSuchRoom => "there is no such room".to_owned(),
        Refusal::NoSuchMessage => "there is no such message in the room, or it was deleted".to_owned(),
        Refusal::NoSuchFile => "the server does not have the file: upload it again".to_owned(),
        Refusal::NotYours => "somebody else wrote that message".to_owned(),
        Refusal::NotAnEmoji => "that is not an emoji".to_owned(),
        Refusal::TooLarge { limit } => format!("the server takes at most {limit} bytes a message"),
        Refusal::NotAllowed => "this token may not write there".to_owned(),
        Refusal::SlowDown { .. } => "the server takes no more messages for now".to_owned(),
        Refusal::Quota { .. } => "what this token may send for now is used up".to_owned(),
        Refusal::TooMany { limit } => format!("the server allows no more than {limit}"),
        Refusal::NameAlike { name } => {
            print::harmless(&format!("it looks like `{name}`, which exists already"))
        }
        Refusal::BadName { detail } => print::harmless(&format!("the name cannot be used: {detail}")),
        Refusal::Archived => "the room is archived".to_owned(),
        Refusal::UnknownKind { .. } => "the server does not know this kind of message".to_owned(),
        Refusal::Other { code, detail } => {
            print::harmless(&format!("the server refused it: {code} {detail}"))
        }
    }
}
