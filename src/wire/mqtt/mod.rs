//! MQTT 3.1.1 and 5 over WebSocket or TCP: a client of Mosquitto, EMQX, RabbitMQ, HiveMQ and the like.
//!
//! - [`packet`], [`decode`], [`encode`]: the codec.
//! - `inbound`, `outbound`: acknowledgements of what comes and of what is sent; `kept`: what outlives a connection.
//! - [`session`]: the connection as the app sees it; `handshake`, `receive`, `requests`: its parts.
//! - `chat`: rooms, messages and people; `copies`: messages that come once for each subscription; `topics`:
//!   subscriptions; `devices`: what [`crate::mapping::mqtt`] finds in messages.

mod chat;
mod copies;
pub mod decode;
mod devices;
pub mod encode;
mod handshake;
mod inbound;
mod kept;
mod outbound;
pub mod packet;
mod receive;
mod requests;
pub mod session;
mod topics;

pub use devices::Memory;

use crate::wire::{Describe, Described};

/// Maximum size of a WebSocket message, in bytes of payload. Several packets may be in one.
pub const MAX_FRAME_BYTES: usize = 16 * 1024 * 1024;
/// The subprotocol.
pub const SUBPROTOCOL: &str = "mqtt";

/// The packets are binary: there is no text to describe.
pub struct Describer;

impl Describe for Describer {
    fn describe(&mut self, _: &str) -> Described {
        Described::default()
    }
}
