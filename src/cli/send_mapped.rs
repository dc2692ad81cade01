//! `duplexctl send` to a server that is not Duplex's and has destinations: one message, and what is known of its delivery.

use tokio::time::{Instant, timeout_at};

use super::args::{Send, Server};
use super::follow::Follow;
use super::reason::reason_of;
use super::send::{new_id, sentence, text};
use super::{Exit, Failure};
use crate::clock;
use crate::link::Input;
use crate::model::content::{Content, Draft, UNCONFIRMED};
use crate::model::event::{ChatEvent, LinkEvent};
use crate::model::link_state::{LinkState, Why};
use crate::model::message::MAX_BODY_BYTES;
use crate::model::stomp::Destination;
use crate::model::{Delivery, Event, MessageId, OutboxItem, RoomId};
use crate::wire::SavedState;

pub(super) async fn run(mut command: Send) -> Result<(), Failure> {
    let [destination] = command.server.destinations() else {
        return Err(Failure::new(Exit::Failed, "send to one --destination at a time"));
    };
    // Nothing is subscribed to: of a queue, that would take messages away.
    let destination = Destination {
        name: destination.sends_to().to_owned(),
        is_for_sending: true,
        send_to: None,
        headers: destination.headers.clone(),
    };
    let room =
        RoomId::new(destination.name.as_str()).map_err(|bad| Failure::new(Exit::Failed, bad.to_string()))?;
    command.server.send_only_to(destination);
    deliver(command, room).await
}

/// Sends a message to a room of such a server, and waits until it is known that the server has it.
pub(super) async fn deliver(command: Send, room: RoomId) -> Result<(), Failure> {
    if command.text == "-" && command.server.websocket.as_ref().is_some_and(|one| one.takes_standard_input())
    {
        let sentence = "standard input cannot be both: give the password by --password-file FILE, or the message as an argument";
        return Err(Failure::new(Exit::Failed, sentence));
    }
    let content = Content::text(text(&command.text, MAX_BODY_BYTES)?);
    let id = command.id.map_or_else(new_id, Ok)?;
    let deadline = Instant::now() + command.timeout;
    let mut follow = Follow::start(&command.server, SavedState::default(), false)?;
    let draft = Draft { id, room, content, at: clock::now().wall_ms };
    // There is no disk to mark it on: the caller is told how far it came.
    follow.tell(Input::Queued(OutboxItem { draft, seq: 1, delivery: Delivery::Attempted }));
    let mut attempt = Attempt { is_sent: false, why: None };
    match timeout_at(deadline, attempt.outcome(&mut follow, &command.server, id)).await {
        Ok(outcome) => {
            follow.end().await;
            outcome
        }
        Err(_) => Err(attempt.timed_out(&command.server, id)),
    }
}

struct Attempt {
    /// Whether it was ever given to a socket.
    is_sent: bool,
    /// What last prevented its delivery.
    why: Option<Why>,
}

impl Attempt {
    async fn outcome(&mut self, follow: &mut Follow, server: &Server, id: MessageId) -> Result<(), Failure> {
        loop {
            match follow.next().await {
                Event::Chat(ChatEvent::Entries { entries, .. }) => {
                    let Some(entry) = entries.iter().find(|entry| entry.draft.id == id) else { continue };
                    if entry.draft.content.extra().get(UNCONFIRMED).is_none() {
                        return Ok(());
                    }
                    let sentence = "sent, unconfirmed: the connection was alive after it, and nothing there confirms messages";
                    return Err(Failure::new(Exit::Unconfirmed, sentence));
                }
                Event::Chat(ChatEvent::Unsure(ids)) if ids.contains(&id) => {
                    let sentence = "the message may not have arrived, and is not sent again by itself";
                    return Err(Failure::new(Exit::Unknown, sentence));
                }
                Event::Chat(ChatEvent::Refused { id: refused, refusal }) if refused == id => {
                    return Err(Failure::new(Exit::Refused, sentence(&refusal)));
                }
                Event::Link(LinkEvent::State(LinkState::Online { rtt_ms: None, .. })) => self.is_sent = true,
                Event::Link(LinkEvent::State(LinkState::Waiting { why, .. })) => self.why = Some(why),
                Event::Link(LinkEvent::State(LinkState::Stopped { why })) => {
                    let exit = if self.is_sent { Exit::Unknown } else { Exit::Refused };
                    return Err(Failure::new(exit, reason_of(server, &why)));
                }
                _ => {}
            }
        }
    }

    fn timed_out(&self, server: &Server, id: MessageId) -> Failure {
        if self.is_sent {
            let sentence = format!(
                "no confirmation came in time; whether it was delivered is not known. Send it again with --id {id}, so that \
                 readers can tell that it is the same"
            );
            return Failure::new(Exit::Unknown, sentence);
        }
        let why = self.why.as_ref().map(|why| reason_of(server, why));
        let why = why.unwrap_or_else(|| "the server does not answer".to_owned());
        Failure::new(Exit::TimedOut, format!("not sent: {why}"))
    }
}
