//! [`Line`]: one link's transport, as told by the link: dial, send, hang up. What comes over it is posted to whoever
//! drives the link, with the dial's number, so that an old connection's news are known as such.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinHandle;

use super::access::authority;
use crate::frame::Frame;
use crate::link::Input;
use crate::model::link_state::Why;
use crate::model::profile::Socket;
use crate::transport::{self, Connection, Counters, Endpoint, Incoming, Outgoing};
use crate::wire::Agreed;

/// Most frames handed over at once.
const AT_ONCE: usize = 64;
/// Most posts of one line that nobody has looked at: beyond that its server is held back.
const POSTS: usize = 2;

/// What came over one line.
pub struct SocketBatch<K> {
    key: K,
    /// What to tell the link, in this order.
    pub inputs: Vec<Input>,
    /// Given back once all of it was looked at.
    pub(super) room: Option<OwnedSemaphorePermit>,
}

impl<K> SocketBatch<K> {
    /// Over which line.
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

/// A connection that was opened for a line; give it back with [`Line::opened`].
pub type Opened<K> = mpsc::Receiver<(K, u64, Connection)>;

impl<K: Copy + Send + 'static> SocketTask<K> {
    /// A line whose news go to `post`, and whose open connections go to `opened`.
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
            // Whoever drives the link is gone if nobody takes this.
            match result {
                Ok(connection) => drop(opened.send((key, dial, connection)).await),
                Err(why) => {
                    let inputs = vec![Input::Closed { dial, why }];
                    drop(post.send(SocketBatch { key, inputs, room: None }).await);
                }
            }
        }));
    }

    /// Takes a connection over that this line dialed: what was agreed, and its counters. `None`: it was given up in the
    /// meantime.
    pub fn opened(&mut self, dial: u64, connection: Connection) -> Option<(Agreed, Arc<Counters>)> {
        if dial != self.dial {
            return None;
        }
        self.dialing = None;
        let Connection { outgoing, mut incoming, counters, subprotocol, extensions } = connection;
        let agreed = Agreed { server: self.server.clone(), subprotocol, extensions: extensions.join(", ") };
        self.outgoing = Some(outgoing);
        let (key, post, rooms) = (self.key, self.post.clone(), Arc::clone(&self.room));
        tokio::spawn(async move {
            let mut batch = Vec::new();
            while incoming.recv_many(&mut batch, AT_ONCE).await > 0 {
                // Nobody closes it, so there is one sooner or later.
                let Ok(room) = Arc::clone(&rooms).acquire_owned().await else { return };
                let inputs = batch.drain(..).map(|incoming| match incoming {
                    Incoming::Frame(frame) => Input::Frame { dial, frame },
                    Incoming::Flushed(frames) => Input::Flushed { dial, frames },
                    Incoming::Pong => Input::Pong { dial },
                    Incoming::Closed(why) => Input::Closed { dial, why },
                });
                if post.send(SocketBatch { key, inputs: inputs.collect(), room: Some(room) }).await.is_err() {
                    return;
                }
            }
        });
        Some((agreed, counters))
    }

    /// Sends a frame. `false`: the socket has taken nothing for a long time. Where it has closed or was given up, the frame
    /// counts as sent: why is on its way, and says more than that.
    #[must_use]
    pub fn send(&self, frame: Frame) -> bool {
        self.give(Outgoing::Frame(frame))
    }

    /// Sends a ping, by the same rule.
    #[must_use]
    pub fn ping(&self) -> bool {
        self.give(Outgoing::Ping)
    }

    fn give(&self, outgoing: Outgoing) -> bool {
        let Some(socket) = &self.outgoing else { return true };
        !matches!(socket.try_send(outgoing), Err(mpsc::error::TrySendError::Full(_)))
    }

    /// Closes the connection, or gives the dial up.
    pub fn hang_up(&mut self, code: u16) {
        self.dial = 0;
        if let Some(dialing) = self.dialing.take() {
            dialing.abort();
        }
        if let Some(outgoing) = self.outgoing.take() {
            // A socket that takes nothing any more is dropped instead: that closes it too.
            let _ = outgoing.try_send(Outgoing::Close { code, reason: String::new() });
        }
    }
}

impl<K: Copy + Send + 'static> Drop for SocketTask<K> {
    fn drop(&mut self) {
        self.hang_up(1001);
    }
}
