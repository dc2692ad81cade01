//! The WebSocket that joins a channel, or has joined it, as the driver sees it.

use futures_util::FutureExt;
use tokio::sync::mpsc;
use tokio::time::{Duration, Instant, sleep_until};

use super::Driver;
use crate::frame::Frame;
use crate::model::link_state::Why;
use crate::model::route::Blocked;
use crate::transport::channel::race;
use crate::transport::channel::requests::MAX_END;
use crate::transport::{Compression, Connection, Incoming, Outgoing};
use crate::wire::duplex::channel::OverSocket;

/// How long a WebSocket may take to join once it is open.
const MAX_JOIN: Duration = Duration::from_secs(10);
/// A joined WebSocket that was silent for this long is sent a ping, and is given up if no pong comes in time. The link would do so
/// later, and end the session with it.
const SILENT: Duration = Duration::from_secs(20);
const MAX_PONG: Duration = Duration::from_secs(4);

/// A WebSocket that joins, or has joined.
pub(super) struct Candidate {
    pub(super) connection: Connection,
    /// When it must have joined, answered, or been asked.
    pub(super) by: Instant,
    is_asked: bool,
}

impl Driver {
    /// The hub reads compressed frames: WebSockets that join may send them.
    pub(super) fn compress(&mut self) {
        if self.target.compression != Compression::Off {
            self.target.compression = Compression::Agreed;
        }
        if let Some(candidate) = &self.candidate {
            // Without room for it, this one sends everything as it is.
            let _ = candidate.connection.outgoing.try_send(Outgoing::Compress);
        }
    }

    /// The WebSocket that is to join was dialed.
    pub(super) fn dialed(&mut self, dialed: Result<Connection, Why>) {
        match dialed {
            Ok(connection) => {
                let by = Instant::now() + MAX_JOIN;
                self.candidate = Some(Candidate { connection, by, is_asked: false });
            }
            Err(why) => {
                log::debug!("WebSocket is still blocked: {}", why.code());
                self.client.leave();
                let blocked = race::blocked(&why, self.target.trace.is_by_duplex());
                self.course.not_joined(self.clock.now(), blocked);
            }
        }
    }

    pub(super) fn socket_item(&mut self, item: Option<Incoming>) {
        let Some(candidate) = &mut self.candidate else { return };
        if self.client.is_joined() {
            (candidate.by, candidate.is_asked) = (Instant::now() + SILENT, false);
        }
        match item {
            Some(Incoming::Frame(frame)) => self.socket_frame(frame),
            Some(Incoming::Closed(_)) if self.is_close_sent => {
                (self.candidate, self.ending) = (None, Some(self.channel.end().boxed()));
            }
            Some(Incoming::Closed(why)) => {
                if matches!(why, Why::Closed { code: Some(_), .. }) {
                    self.close = Some(why);
                }
                self.socket_gone(Blocked::Ended);
            }
            Some(Incoming::Flushed(_) | Incoming::Pong | Incoming::Route(_)) => {}
            None => self.socket_gone(Blocked::Ended),
        }
    }

    fn socket_frame(&mut self, frame: Frame) {
        let before = self.client.confirmed();
        match self.client.receive_on_socket(frame) {
            Ok(OverSocket::Frame(frame)) => self.deliver(frame),
            Ok(OverSocket::Nothing) => {}
            Ok(OverSocket::Joined) => {
                log::info!("the channel goes on over a WebSocket");
                self.course.joined(self.clock.now());
                (self.receiving, self.posting) = (None, None);
                self.client.post_failed();
                if let Some(candidate) = &mut self.candidate {
                    candidate.by = Instant::now() + SILENT;
                }
            }
            Err(violation) => return self.violated(&violation),
        }
        self.alive();
        self.flushed(before);
        self.fill_socket();
    }

    /// The WebSocket has not joined, or is gone: requests go on.
    fn socket_gone(&mut self, blocked: Blocked) {
        let was_joined = self.client.is_joined();
        self.candidate = None;
        self.client.leave();
        let now = self.clock.now();
        match was_joined {
            true => self.course.socket_lost(now),
            false => self.course.not_joined(now, Some(blocked)),
        }
    }

    /// Gives the joined WebSocket what it takes.
    pub(super) fn fill_socket(&mut self) {
        while self.client.is_joined() && !self.is_socket_full() {
            let Some(frame) = self.client.next_on_socket() else { return };
            let Some(candidate) = &self.candidate else { return };
            // There is room; where it has ended, what was given to it is sent again.
            let _ = candidate.connection.outgoing.try_send(Outgoing::Frame(frame));
        }
    }

    pub(super) fn is_socket_full(&self) -> bool {
        let is_full = |candidate: &Candidate| {
            candidate.connection.outgoing.capacity() < 2 && !candidate.connection.outgoing.is_closed()
        };
        self.client.is_joined() && self.candidate.as_ref().is_some_and(is_full)
    }

    /// Asks a silent WebSocket for a sign of life, or gives it up.
    pub(super) fn tick_socket(&mut self, now: Instant) {
        let Some(candidate) = self.candidate.as_mut().filter(|candidate| now >= candidate.by) else { return };
        if !self.client.is_joined() || candidate.is_asked {
            return self.socket_gone(Blocked::Mute);
        }
        (candidate.is_asked, candidate.by) = (true, now + MAX_PONG);
        // Full: it has taken nothing for long, and will not answer.
        let _ = candidate.connection.outgoing.try_send(Outgoing::Ping);
    }
}

/// The next item of the WebSocket. Cancel-safe.
pub(super) async fn recv(candidate: &mut Option<Candidate>) -> Option<Incoming> {
    match candidate {
        Some(candidate) => candidate.connection.recv().await,
        None => std::future::pending().await,
    }
}

/// Waits for a WebSocket to have space. Cancel-safe.
pub(super) async fn space(websocket: &Option<mpsc::Sender<Outgoing>>) {
    match websocket {
        // Fails if it has ended, which its last item tells.
        Some(outgoing) => drop(outgoing.reserve_many(2).await),
        None => sleep_until(Instant::now() + MAX_END).await,
    }
}
