//! The Duplex protocol: see `PROTOCOL.md` beside this file.

pub mod batch;
pub mod channel;
pub mod client;
pub mod deflate;
pub mod describe;
pub mod exchange;
pub mod limits;
pub mod message;
pub mod proof;
pub mod readings;
pub mod server;
