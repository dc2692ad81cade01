//! [`SocketTask`]: one link's transport: dials, sends, hangs up. Received frames are passed on with the dial's number,
//! so that batches of an old connection are recognized.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::access::authority;
use crate::frame::Frame;
use crate::link::Input;
use crate::model::link_state::Why;
use crate::model::profile::Socket;
use crate::transport::{self, Connection, Counters, Endpoint, Incoming, Outgoing};
use crate::wire::Agreed;

/// Maximum number of frames per batch.
const AT_ONCE: usize = 64;
/// Maximum number of unhandled batches per socket; beyond that nothing is read from it.
const POSTS: usize = 2;

/// Frames received over one socket.
pub struct SocketBatch<K> {
    key: K,
    /// Inputs for the link, in this order.
    pub inputs: Vec<Input>,
    /// How long nothing had come before, in milliseconds.
    pub(super) quiet_ms: u64,
    /// Returned once all of it has been handled.
    pub(super) room: Option<OwnedSemaphorePermit>,
}

impl<K> SocketBatch<K> {
    /// The key of the socket task.
    pub fn key(&self) -> &K {
        &self.key
    }
}

/// One link's transport.
pub struct SocketTask<K: Copy + Send + 'static> {
    key: K,
    post: mpsc::Sender<SocketBatch<K>>,
    room: Arc<Semaphore>,
    dial: u64,
    /// Host and port of the dial.
    server: String,
    dialing: Option<JoinHandle<()>>,
    outgoing: Option<mpsc::Sender<Outgoing>>,
    opened: mpsc::Sender<(K, u64, Connection)>,
}

/// An opened connection; pass it to [`SocketTask::opened`].
pub type Opened<K> = mpsc::Receiver<(K, u64, Connection)>;

impl<K: Copy + Send + 'static> SocketTask<K> {
    /// `post` receives batches, `opened` receives open connections.
    pub fn new(
        key: K,
        post: mpsc::Sender<SocketBatch<K>>,
        opened: mpsc::Sender<(K, u64, Connection)>,
    ) -> Self {
        let room = Arc::new(Semaphore::new(POSTS));
        SocketTask { key, post, room, dial: 0, server: String::new(), dialing: None, outgoing: None, opened }
    }

    /// Dials; an earlier dial or connection is given up.
    pub fn dial(&mut self, dial: u64, socket: Socket, target: Result<Endpoint, Why>) {
        self.hang_up(1000);
        self.dial = dial;
        self.server = target.as_ref().map(|target| authority(&target.url)).unwrap_or_default();
        let (key, post, opened) = (self.key, self.post.clone(), self.opened.clone());
        self.dialing = Some(tokio::spawn(async move {
            let result = match target {
                Ok(target) => transport::dial(socket, target).await,
                Err(why) => Err(why),
            };
            // The receiver is gone if the driver has ended.
            match result {
                Ok(connection) => drop(opened.send((key, dial, connection)).await),
                Err(why) => {
                    let inputs = vec![Input::Closed { dial, why }];
                    drop(post.send(SocketBatch { key, inputs, quiet_ms: 0, room: None }).await);
                }
            }
        }));
    }

    /// Takes over a connection that this task dialed; returns what was negotiated, and its counters. `None` if the dial
    /// was given up meanwhile.
    pub fn opened(&mut self, dial: u64, connection: Connection) -> Option<(Agreed, Arc<Counters>)> {
        if dial != self.dial {
            return None;
        }
        self.dialing = None;
        let Connection { outgoing, mut incoming, counters, subprotocol, extensions, is_stream, route, proxy } =
            connection;
        let (server, extensions) = (self.server.clone(), extensions.join(", "));
        let agreed = Agreed { server, subprotocol, extensions, is_stream, route, proxy };
        self.outgoing = Some(outgoing);
        let (key, post, rooms) = (self.key, self.post.clone(), Arc::clone(&self.room));
        tokio::spawn(async move {
            let mut batch = Vec::new();
            let mut heard = Instant::now();
            while incoming.recv_many(&mut batch, AT_ONCE).await > 0 {
                let quiet = std::mem::replace(&mut heard, Instant::now()).elapsed();
                let quiet_ms = u64::try_from(quiet.as_millis()).unwrap_or(u64::MAX);
                // The semaphore is never closed.
                let Ok(room) = Arc::clone(&rooms).acquire_owned().await else { return };
                let inputs = batch.drain(..).map(|incoming| match incoming {
                    Incoming::Frame(frame) => Input::Frame { dial, frame },
                    Incoming::Flushed(frames) => Input::Flushed { dial, frames },
                    Incoming::Pong => Input::Pong { dial },
                    Incoming::Route(used) => Input::Routed { dial, used },
                    Incoming::Closed(why) => Input::Closed { dial, why },
                });
                let (inputs, room) = (inputs.collect(), Some(room));
                if post.send(SocketBatch { key, inputs, quiet_ms, room }).await.is_err() {
                    return;
                }
            }
        });
        Some((agreed, counters))
    }

    /// Sends a frame. `false` if the socket has not accepted data for a long time. For a closed connection it returns
    /// `true`: the reason for the close is on its way.
    #[must_use]
    pub fn send(&self, frame: Frame) -> bool {
        self.give(Outgoing::Frame(frame))
    }

    /// Sends a ping, by the same rule.
    #[must_use]
    pub fn ping(&self) -> bool {
        self.give(Outgoing::Ping)
    }

    /// The server reads compressed frames; by the same rule.
    #[must_use]
    pub fn compress(&self) -> bool {
        self.give(Outgoing::Compress)
    }

    fn give(&self, outgoing: Outgoing) -> bool {
        let Some(socket) = &self.outgoing else { return true };
        !matches!(socket.try_send(outgoing), Err(mpsc::error::TrySendError::Full(_)))
    }

    /// Closes the connection or gives up the dial.
    pub fn hang_up(&mut self, code: u16) {
        self.dial = 0;
        if let Some(dialing) = self.dialing.take() {
            dialing.abort();
        }
        if let Some(outgoing) = self.outgoing.take() {
            // A socket that no longer accepts data is dropped, which closes it too.
            let _ = outgoing.try_send(Outgoing::Close { code, reason: String::new() });
        }
    }
}

impl<K: Copy + Send + 'static> Drop for SocketTask<K> {
    fn drop(&mut self) {
        self.hang_up(1001);
    }
}
