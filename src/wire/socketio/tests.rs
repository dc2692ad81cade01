//! What the codecs and the conversation promise.

mod carrier;
mod codec;
mod conversation;
mod session;
