//! A channel: an ordered, lossless, bounded stream of frames in both directions, carried by HTTP requests and WebSockets, one
//! after the other. Sans-IO: neither sockets nor clocks. PROTOCOL.md, "Channels", is the same from the outside.
//!
//! Frames are numbered 1, 2, 3… in each direction. An end keeps what it sent until the other end confirms it, and ignores what it
//! has already received. A request that was cut, repeated, or answered twice therefore loses and doubles nothing, and the
//! session above goes on while the route below changes.
//!
//! [`ClientChannel`] is the end that makes requests, [`ServerChannel`] the one that answers them. [`line`] and [`sse`] are how frames
//! are written in bodies, [`socket`] what else travels over a WebSocket that has joined a channel.

mod client;
pub mod line;
mod numbers;
mod server;
pub mod socket;
pub mod sse;

pub use client::{ClientChannel, OverSocket, Post, Request};
pub use numbers::{FrameBytes, Receipt};
pub use server::{FromSocket, Refused, ServerChannel, ToSocket};

use super::message::MAX_FRAME_BYTES;

/// Opens a channel with `POST`; ends it with `DELETE`.
pub const CHANNELS_PATH: &str = "/v1/channels";
/// Takes frames from the client.
pub const SEND_PATH: &str = "/v1/channels/send";
/// Frames to the client as server-sent events.
pub const EVENTS_PATH: &str = "/v1/channels/events";
/// Frames to the client, one a line, as they come.
pub const STREAM_PATH: &str = "/v1/channels/stream";
/// Frames to the client, one a line: those there are, or else the next one.
pub const POLL_PATH: &str = "/v1/channels/poll";

/// The header with the id of the channel, which is a secret.
pub const ID_HEADER: &str = "duplex-channel";
/// The header with the number of the next frame that the client wants: everything before it is confirmed.
pub const FROM_HEADER: &str = "duplex-from";
/// The header with the number of the first frame of a post.
pub const FIRST_HEADER: &str = "duplex-first";
/// The header with the number of the client's change of route: one more with each attempt to join with a WebSocket, and with each
/// return to requests. What comes late from before a change is refused.
pub const TURN_HEADER: &str = "duplex-turn";
/// The header of every answer of a hub. An answer without it comes from something in between.
pub const DUPLEX_HEADER: &str = "duplex";

/// Maximum size of a line, in bytes: a frame, or a binary one that is shorter than the text it stands for.
pub const MAX_LINE_BYTES: usize = MAX_FRAME_BYTES + 64;
/// Maximum size of a post, in bytes. One frame is always taken, however large.
pub const MAX_POST_BYTES: usize = 256 * 1024;
/// Maximum number of frames in one post.
pub const MAX_POST_FRAMES: usize = 256;
/// Bytes received since the last confirmation at which the client confirms unasked.
pub const CONFIRM_BYTES: usize = 32 * 1024;
/// Frames received since the last confirmation at which the client confirms unasked.
pub const CONFIRM_FRAMES: u64 = 256;
/// Maximum size of what an end keeps until it is confirmed, in bytes. One frame is always taken.
pub const MAX_KEPT_BYTES: usize = 256 * 1024;
/// Maximum number of frames that an end keeps until they are confirmed.
pub const MAX_KEPT_FRAMES: usize = 1_024;
/// How long a channel lives without a request, in milliseconds.
pub const GRACE_MS: u64 = 45_000;
/// Maximum time that the hub holds a poll, in milliseconds.
pub const MAX_POLL_WAIT_MS: u64 = 25_000;
/// How often a stream carries a sign of life, in milliseconds.
pub const STREAM_ALIVE_MS: u64 = 15_000;

/// The other end broke the rules of a channel, so that it cannot go on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// A frame came before the one that must precede it.
    #[error("frame {came} came where {expected} was to come")]
    Gap {
        /// The number that was to come.
        expected: u64,
        /// The number that came.
        came: u64,
    },
    /// The other end confirmed frames that were never sent.
    #[error("frames up to {confirmed} were confirmed, {sent} were sent")]
    NotSent {
        /// The last frame that it says it has.
        confirmed: u64,
        /// The last frame that was sent.
        sent: u64,
    },
    /// The other end wants frames that it confirmed, which are no longer kept.
    #[error("frame {wanted} was wanted again, and is no longer kept: the first one kept is {first}")]
    LetGo {
        /// The frame it wants.
        wanted: u64,
        /// The first one that is kept.
        first: u64,
    },
    /// A joined WebSocket did not begin with `joined`, or had what only belongs elsewhere.
    #[error("a joined WebSocket carried what it may not: {detail}")]
    Socket {
        /// What is wrong.
        detail: String,
    },
    /// A line or an event could not be read.
    #[error("a frame could not be read: {detail}")]
    Unreadable {
        /// What is wrong.
        detail: String,
    },
}

#[cfg(test)]
mod tests;
