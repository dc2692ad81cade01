//! The Duplex protocol: see `PROTOCOL.md` beside this file.

pub mod message;
