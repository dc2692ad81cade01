//! `duplexctl send` to a plain WebSocket: one message, and what is known of its delivery.

use tokio::time::{Instant, timeout_at};

use super::args::{Send, Server};
use super::follow::Follow;
use super::reason::reason_of;
use super::send::{sentence, text};
use super::{Exit, Failure, print};
use crate::clock;
use crate::link::Input;
use crate::model::content::{Content, Draft};
use crate::model::event::{ChatEvent, LinkEvent};
use crate::model::link_state::{LinkState, Why};
use crate::model::socket_row;
use crate::model::{Delivery, Event, MessageId, OutboxItem};
use crate::wire::SavedState;
use crate::wire::plain::{self, MAX_FRAME_BYTES};

/// Maximum length of bytes as hexadecimal digits, including blanks.
const MAX_HEX_BYTES: usize = 4 * MAX_FRAME_BYTES;

pub(super) async fn run(command: Send) -> Result<(), Failure> {
    let content = content(&command)?;
    let id = clock::random()
        .map(MessageId::from_random)
        .map_err(|error| Failure::new(Exit::Failed, format!("the system gives no randomness: {error}")))?;
    let deadline = Instant::now() + command.timeout;
    let mut follow = Follow::start(&command.server, SavedState::default(), false)?;
    let draft = Draft { id, room: plain::room(), content, at: clock::now().wall_ms };
    // There is no disk to mark it on: the caller is told how far it came.
    follow.tell(Input::Queued(OutboxItem { draft, seq: 1, delivery: Delivery::Attempted }));
    let mut attempt = Attempt { is_given: false, why: None };
    match timeout_at(deadline, attempt.outcome(&mut follow, &command.server, id)).await {
        Ok(failure) => {
            follow.end().await;
            Err(failure)
        }
        Err(_) => Err(attempt.timed_out(&command.server)),
    }
}

/// The message, validated before dialing.
fn content(command: &Send) -> Result<Content, Failure> {
    let failed = |sentence: String| Failure::new(Exit::Failed, print::harmless(&sentence));
    if command.text == "-" && command.server.websocket.as_ref().is_some_and(|one| one.takes_standard_input())
    {
        let sentence = "standard input cannot be both: give the password by --password-file FILE, or the message as an argument";
        return Err(failed(sentence.to_owned()));
    }
    if !command.hex {
        return Ok(Content::text(text(&command.text, MAX_FRAME_BYTES)?));
    }
    let body = text(&command.text, MAX_HEX_BYTES)?;
    let bytes = socket_row::bytes_of(&body).map_err(|problem| failed(format!("--hex: {problem}")))?;
    if bytes.len() > MAX_FRAME_BYTES {
        return Err(failed(format!("a message has at most {MAX_FRAME_BYTES} bytes")));
    }
    Ok(Content::Text { body: data_encoding::HEXLOWER.encode(&bytes), extra: socket_row::binary() })
}

struct Attempt {
    /// Whether it was given to a socket.
    is_given: bool,
    /// What last prevented that.
    why: Option<Why>,
}

impl Attempt {
    /// The result. Nothing confirms a message here: at best, the server has sent something since.
    async fn outcome(&mut self, follow: &mut Follow, server: &Server, id: MessageId) -> Failure {
        loop {
            match follow.next().await {
                Event::Chat(ChatEvent::Entries { entries, .. })
                    if entries.iter().any(|entry| entry.draft.id == id) =>
                {
                    let sentence = "sent, unconfirmed: the connection was alive after it, and a WebSocket server confirms nothing";
                    return Failure::new(Exit::Unconfirmed, sentence);
                }
                Event::Chat(ChatEvent::Refused { id: refused, refusal }) if refused == id => {
                    return Failure::new(Exit::Refused, sentence(&refusal));
                }
                Event::Link(LinkEvent::State(LinkState::Online { rtt_ms: None, .. })) => self.is_given = true,
                Event::Link(LinkEvent::State(
                    LinkState::Waiting { why, .. } | LinkState::Stopped { why },
                )) if self.is_given => {
                    let reason = reason_of(server, &why);
                    let sentence = format!(
                        "the message may not have arrived, and is not sent again by itself: {reason}"
                    );
                    return Failure::new(Exit::Unknown, sentence);
                }
                Event::Link(LinkEvent::State(LinkState::Waiting { why, .. })) => self.why = Some(why),
                Event::Link(LinkEvent::State(LinkState::Stopped { why })) => {
                    return Failure::new(Exit::Refused, reason_of(server, &why));
                }
                _ => {}
            }
        }
    }

    fn timed_out(&self, server: &Server) -> Failure {
        if self.is_given {
            let sentence = "the message may not have arrived: the server has said nothing since it was sent";
            return Failure::new(Exit::Unknown, sentence);
        }
        let why = self.why.as_ref().map(|why| reason_of(server, why));
        let why = why.unwrap_or_else(|| "the server does not answer".to_owned());
        Failure::new(Exit::TimedOut, format!("not sent: {why}"))
    }
}
