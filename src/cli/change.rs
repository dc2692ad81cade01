//! `duplexctl react`, `edit` and `delete`: what changes a message.

use super::args::{ChangedMessage, DeleteMessage, EditMessage, React, Server};
use super::send::{self, send_one};
use super::{Exit, Failure};
use crate::model::change::is_emoji;
use crate::model::message::MAX_BODY_BYTES;
use crate::model::{Content, RoomId};

pub(super) async fn react(command: React) -> Result<(), Failure> {
    if !is_emoji(&command.emoji) {
        return Err(Failure::new(Exit::Failed, "that is not an emoji"));
    }
    let content = Content::reaction(command.message.target, command.emoji, command.off);
    change(command.message, content).await
}

pub(super) async fn edit(command: EditMessage) -> Result<(), Failure> {
    if command.text == "-" && command.message.access.token.takes_standard_input() {
        let sentence =
            "standard input cannot be both: give the token by --token-file FILE, or the text as an argument";
        return Err(Failure::new(Exit::Failed, sentence));
    }
    let body = send::text(&command.text, MAX_BODY_BYTES)?;
    if body.is_empty() {
        return Err(Failure::new(
            Exit::Failed,
            "there is no text: use `duplexctl delete` to delete the message",
        ));
    }
    let content = Content::edit(command.message.target, body);
    change(command.message, content).await
}

pub(super) async fn delete(command: DeleteMessage) -> Result<(), Failure> {
    let content = Content::delete(command.message.target);
    change(command.message, content).await
}

async fn change(message: ChangedMessage, content: Content) -> Result<(), Failure> {
    // No room has this id: the server takes that of the message.
    let room = RoomId::from(message.target);
    let server = Server::duplex(message.url, message.access);
    send_one(&server, room, content, None, message.timeout).await
}
