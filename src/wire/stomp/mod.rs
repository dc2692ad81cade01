//! STOMP 1.0, 1.1 and 1.2 over WebSocket or TCP: a client of Spring, RabbitMQ, ActiveMQ and the like.
//!
//! - [`decode`], [`frame`]: the codec.
//! - [`client`]: a connection: negotiation, heart-beats, subscriptions, receipts, acknowledgements.
//! - [`session`]: the connection as the app sees it: rooms, messages, what is kept.
//! - [`heart_beat`], [`acks`], [`receipts`], [`refused`]: parts of it.

pub mod acks;
mod body;
pub mod client;
pub mod decode;
pub mod frame;
pub mod heart_beat;
mod kept;
pub mod receipts;
pub mod refused;
pub mod session;

use crate::wire::{Describe, Described};
use frame::Version;

/// Maximum size of a WebSocket message, in bytes of payload.
pub const MAX_FRAME_BYTES: usize = 4 * 1024 * 1024;

/// The subprotocols, the newest first. A server that accepts one of them speaks STOMP.
pub fn subprotocols() -> Vec<String> {
    Version::ALL.map(|version| version.subprotocol().to_owned()).to_vec()
}

/// Names the frames of a connection by their commands.
pub struct Describer;

impl Describe for Describer {
    fn describe(&mut self, text: &str) -> Described {
        let line = text.lines().next().unwrap_or_default();
        let is_command =
            !line.is_empty() && line.len() <= 16 && line.bytes().all(|byte| byte.is_ascii_uppercase());
        let kind = match (is_command, text.trim().is_empty()) {
            (true, _) => line.to_owned(),
            (false, true) => "heart-beat".to_owned(),
            (false, false) => String::new(),
        };
        Described { kind, ..Described::default() }
    }
}
