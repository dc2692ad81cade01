//! Socket.IO, revisions 4 and 5, over Engine.IO, revisions 3 and 4. [`engine`] and [`packet`] are the codecs, [`carrier`] is
//! polling and its upgrade, [`conversation`] a client's end, and [`SocketIoSession`] what the link drives.

pub mod carrier;
pub mod conversation;
mod describe;
pub mod engine;
mod json;
mod offset;
pub mod packet;
mod saved;
mod session;
#[cfg(test)]
mod tests;

pub use describe::Describer;
pub use session::{Config, SocketIoSession};

/// Maximum size of a received frame, in bytes of payload.
pub const MAX_FRAME_BYTES: usize = 4 * 1024 * 1024;
