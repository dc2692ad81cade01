//! What the codecs and the conversation promise.

mod codec;
mod conversation;
