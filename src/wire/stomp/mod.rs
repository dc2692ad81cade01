//! STOMP 1.0, 1.1 and 1.2 over WebSocket or TCP: a client of Spring, RabbitMQ, ActiveMQ and the like.
//!
//! - [`decode`], [`frame`]: the codec.
//! - [`client`]: a connection: negotiation, heart-beats, subscriptions, receipts, acknowledgements.
//! - [`heart_beat`], [`acks`], [`receipts`], [`refused`]: parts of it.

pub mod acks;
pub mod client;
pub mod decode;
pub mod frame;
pub mod heart_beat;
pub mod receipts;
pub mod refused;
