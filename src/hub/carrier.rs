//! [`Carrier`]: what carries a client's frames, a WebSocket or a channel.

use std::future::poll_fn;
use std::io;
use std::sync::Arc;

use tokio::time::Instant;

use super::channel::ChannelEnd;
use super::packer::Packer;
use super::socket::{Outgoing, Received, Socket};
use crate::model::PrincipalId;

/// A WebSocket, or a channel.
#[allow(
    clippy::large_enum_variant,
    reason = "nearly all clients have a WebSocket, which needs no allocation of its own"
)]
pub(super) enum Carrier {
    /// A WebSocket of its own.
    Socket(Socket),
    /// A channel, perhaps with a WebSocket that has joined it. Boxed so that clients with a WebSocket take no more memory.
    Channel(Box<ChannelEnd>),
}

impl Carrier {
    fn socket(&mut self) -> Option<&mut Socket> {
        match self {
            Carrier::Socket(socket) => Some(socket),
            Carrier::Channel(end) => end.socket(),
        }
    }

    /// The client is authenticated: large messages are allowed.
    pub(super) fn admit(&mut self, principal: &PrincipalId) {
        match self {
            Carrier::Socket(socket) => socket.admit(),
            Carrier::Channel(end) => end.admit(principal),
        }
    }

    /// Frames from now on may be compressed, and compressed ones are read.
    pub(super) fn compress(&mut self, packer: &Arc<Packer>) {
        match self {
            Carrier::Socket(socket) => socket.compress(Arc::clone(packer)),
            Carrier::Channel(end) => end.compress(packer),
        }
    }

    /// Sets whether [`Carrier::next`] is being called.
    pub(super) fn reads(&mut self, reads: bool) {
        if let Some(socket) = self.socket() {
            socket.reads(reads);
        }
    }

    /// Control frames and non-final fragments since the last call.
    pub(super) fn take_frames(&mut self) -> u32 {
        self.socket().map(Socket::take_frames).unwrap_or_default()
    }

    /// When the current message must be complete, or a request must have come.
    pub(super) fn deadline(&mut self) -> Option<Instant> {
        let unfinished = self.socket().and_then(Socket::deadline);
        match self {
            Carrier::Socket(_) => unfinished,
            Carrier::Channel(end) => unfinished.into_iter().chain(end.abandoned_at()).min(),
        }
    }

    /// Whether the current message has missed its deadline.
    pub(super) fn is_overdue(&mut self) -> bool {
        self.socket().is_some_and(Socket::is_overdue)
    }

    /// Whether no request has come for too long.
    pub(super) fn is_abandoned(&self) -> bool {
        match self {
            Carrier::Socket(_) => false,
            Carrier::Channel(end) => end.abandoned_at().is_some_and(|at| at <= Instant::now()),
        }
    }

    /// Whether the client has been handed all that was written. If not, [`Received::Drained`] follows.
    pub(super) fn is_drained(&mut self) -> bool {
        match self {
            Carrier::Socket(_) => true,
            Carrier::Channel(end) => end.is_drained(),
        }
    }

    /// Waits for the next input. Cancel-safe.
    pub(super) async fn next(&mut self) -> Received {
        let received = poll_fn(|cx| match self {
            Carrier::Socket(socket) => socket.poll_next(cx),
            Carrier::Channel(end) => end.poll_next(cx),
        })
        .await;
        if let Some(socket) = self.socket()
            && socket.has_large_buffer()
        {
            // Does not wait. Boxed because it is rare and would enlarge the future of every client.
            Box::pin(socket.give_back_buffer()).await;
        }
        received
    }

    /// Writes all frames; returns once there is room for more. Not cancel-safe for a WebSocket: if cancelled, it must not be used
    /// again.
    pub(super) async fn write(&mut self, frames: Vec<Outgoing>) -> io::Result<()> {
        match self {
            Carrier::Socket(socket) => socket.write(&frames).await,
            // Boxed for the same reason.
            Carrier::Channel(end) => Box::pin(end.write(frames)).await,
        }
    }

    /// Ends the connection with a close code.
    pub(super) async fn close(self, code: u16, reason: &str) {
        match self {
            Carrier::Socket(socket) => socket.close(code, reason).await,
            Carrier::Channel(end) => end.close(code, reason).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_with_a_websocket_take_no_more_memory_for_channels() {
        assert!(size_of::<Carrier>() <= size_of::<Socket>() + size_of::<usize>());
    }
}
