//! What the connection log says of a frame.

use serde_json::Value;

use super::engine::{self, Revision};
use super::packet::{Body, Decoder, Packet, named};
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

    /// What we are told at the door, and tell there, is all secret.
    fn private_members(&self, text: &str) -> Vec<String> {
        match packet(text).map(|packet| packet.body) {
            Some(Body::Connect(Some(Value::Object(fields)))) => {
                fields.into_iter().map(|(name, _)| name).collect()
            }
            _ => Vec::new(),
        }
    }
}

/// The packet of a frame that has no attachments.
fn packet(text: &str) -> Option<Packet> {
    let message = text.strip_prefix('4')?;
    Decoder::default().text(message).ok()?.packet
}

fn kind(text: &str) -> String {
    let word = match engine::Packet::from_frame(Revision::V4, Frame::Text(text.to_owned())) {
        Ok(engine::Packet::Open(_)) => "open",
        Ok(engine::Packet::Close) => "close",
        Ok(engine::Packet::Ping(_)) => "ping",
        Ok(engine::Packet::Pong(_)) => "pong",
        Ok(engine::Packet::Upgrade) => "upgrade",
        Ok(engine::Packet::Noop) => "noop",
        Ok(engine::Packet::Text(text)) => return message(&text),
        Ok(engine::Packet::Binary(_)) | Err(_) => "",
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_are_named_and_what_signs_in_is_private() {
        let mut describer = Describer;
        for (text, kind) in [
            (r#"0{"sid":"x"}"#, "open"),
            ("2", "ping"),
            (r#"40{"token":"x"}"#, "CONNECT"),
            (r#"44/chat,{"message":"no"}"#, "CONNECT_ERROR"),
            (r#"42/chat,7["chat message","hi"]"#, "chat message"),
            (r#"451-["photo",{"_placeholder":true,"num":0}]"#, "photo"),
            (r#"461-7[{"_placeholder":true,"num":0}]"#, "ACK"),
            ("x", ""),
            ("4", ""),
            ("45x", ""),
        ] {
            assert_eq!(describer.describe(text).kind, kind, "{text}");
        }
        let private = describer.private_members(r#"40/chat,{"apiThing":{"a":1},"who":"jun"}"#);
        assert_eq!(private, ["apiThing", "who"]);
        assert!(describer.private_members(r#"42["apiThing",{"who":"jun"}]"#).is_empty());
    }
}
