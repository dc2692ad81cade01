//! What the connection log says of a frame.

use super::engine::{Packet, Revision};
use super::packet::{Body, Decoder, named};
use crate::frame::Frame;
use crate::wire::{Describe, Described};

/// Members that are secret: what people sign in with, and ids by which a session can be taken over.
const SECRET: &[&str] = &[
    "token",
    "secret",
    "password",
    "passwd",
    "authorization",
    "apikey",
    "api_key",
    "jwt",
    "sid",
    "pid",
    "sessionid",
];

/// Names packets, and the events in them.
pub struct Describer;

impl Describe for Describer {
    fn describe(&mut self, text: &str) -> Described {
        Described { kind: kind(text), counts: None, secret: SECRET }
    }
}

fn kind(text: &str) -> String {
    let word = match Packet::from_frame(Revision::V4, Frame::Text(text.to_owned())) {
        Ok(Packet::Open(_)) => "open",
        Ok(Packet::Close) => "close",
        Ok(Packet::Ping(_)) => "ping",
        Ok(Packet::Pong(_)) => "pong",
        Ok(Packet::Upgrade) => "upgrade",
        Ok(Packet::Noop) => "noop",
        Ok(Packet::Text(text)) => return message(&text),
        Ok(Packet::Binary(_)) | Err(_) => "",
    };
    word.to_owned()
}

fn message(text: &str) -> String {
    // Of a packet with attachments, the text alone says what it is.
    let text = match text.as_bytes().first() {
        Some(b'5' | b'6') => match text.split_once('-') {
            Some((head, rest)) => format!("{}{rest}", if head.starts_with('5') { '2' } else { '3' }),
            None => return String::new(),
        },
        _ => text.to_owned(),
    };
    let Ok(Some(packet)) = Decoder::default().text(&text).map(|decoded| decoded.packet) else {
        return String::new();
    };
    match packet.body {
        Body::Connect(_) => "CONNECT".to_owned(),
        Body::Disconnect => "DISCONNECT".to_owned(),
        Body::Event { args, .. } => named(args).0,
        Body::Ack { .. } => "ACK".to_owned(),
        Body::ConnectError(_) => "CONNECT_ERROR".to_owned(),
    }
}
