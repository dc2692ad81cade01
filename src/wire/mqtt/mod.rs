//! MQTT 3.1.1 and 5 over WebSocket or TCP: a client of Mosquitto, EMQX, RabbitMQ, HiveMQ and the like.
//!
//! - [`packet`], [`decode`], [`encode`]: the codec.

pub mod decode;
pub mod encode;
pub mod packet;
