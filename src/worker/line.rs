//! [`Line`]: one link's transport, as told by the link: dial, send, hang up. What comes over it is posted to whoever
//! drives the link, with the dial's number, so that an old connection's news are known as such.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use http::header::AUTHORIZATION;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinHandle;

use crate::frame::Frame;
use crate::link::{CONNECT_MS, Input, Speaker};
use crate::model::link_state::Why;
use crate::model::profile::{Profile, Secret, Socket};
use crate::privacy;
use crate::transport::{self, Connection, Counters, Incoming, Outgoing, Target};
use crate::wire::duplex::client::{Config, Credentials};
use crate::wire::duplex::message::MAX_FRAME_BYTES;

/// Most frames handed over at once.
const AT_ONCE: usize = 64;
/// Most posts of one line that nobody has looked at: beyond that its server is held back.
const POSTS: usize = 2;
/// A slice of a tray ends with so many inputs, or so many bytes of frames.
const SLICE: (usize, usize) = (32, 64 * 1024);

/// A little less than the link allows for dial and handshake: the transport knows better than the link what it waited for.
const DIAL: Duration = Duration::from_millis(CONNECT_MS - 500);

/// What the program calls itself to servers.
pub const CLIENT: &str = concat!("Duplex ", env!("CARGO_PKG_VERSION"));

/// How to come in at a server.
#[derive(Clone)]
pub enum Access {
    /// With a token.
    Token(Secret),
    /// With an invite; `token` is the one to be known by from then on.
    Invite {
        /// The invite's code.
        code: Secret,
        /// The name people will see.
        name: String,
        /// 64 hexadecimal digits.
        token: Secret,
    },
    /// As nobody: to learn whether a Duplex server answers.
    Nobody,
    /// As nobody: to learn whether an invite is good.
    CheckInvite {
        /// The invite's code.
        code: Secret,
    },
    /// At a hub that must prove itself first.
    Proof {
        /// Its data directory's secret.
        secret: [u8; 32],
        /// The token.
        token: Secret,
    },
}

/// Which of them, without a secret.
impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Access::Token(_) => "Token(…)",
            Access::Invite { .. } => "Invite(…)",
            Access::Proof { .. } => "Proof(…)",
            Access::Nobody => "Nobody",
            Access::CheckInvite { .. } => "CheckInvite(…)",
        })
    }
}

impl Access {
    /// What the session is to say; `watch`: whether to be told of devices. The token travels in the handshake's header where the socket can carry one.
    pub fn speaker(&self, profile: &Profile, watch: bool) -> Speaker {
        let credentials = match self {
            Access::Token(_) if transport::capabilities(profile.socket).headers => Credentials::InHeader,
            Access::Token(token) => Credentials::Token(token.clone()),
            Access::Invite { code, name, token } => {
                Credentials::Invite { code: code.clone(), name: name.clone(), token: token.clone() }
            }
            Access::Nobody => Credentials::Nobody,
            Access::CheckInvite { code } => Credentials::CheckInvite { code: code.clone() },
            Access::Proof { secret, token } => Credentials::Prove {
                secret: *secret,
                address: authority(profile.urls.first().map_or("", String::as_str)),
                token: token.clone(),
            },
        };
        Speaker::Duplex(Config { client: CLIENT.to_owned(), credentials, watch })
    }

    /// What of it must never be shown.
    pub fn secrets(&self) -> Vec<&str> {
        match self {
            Access::Token(token) | Access::Proof { token, .. } => vec![token.reveal()],
            Access::Invite { code, token, .. } => vec![code.reveal(), token.reveal()],
            Access::CheckInvite { code } => vec![code.reveal()],
            Access::Nobody => Vec::new(),
        }
    }

    /// Where and how to dial.
    pub fn target(&self, profile: &Profile, url: &str) -> Result<Target, Why> {
        // Before they go anywhere, no log may name them.
        self.secrets().into_iter().for_each(privacy::known::add);
        let mut target = Target::new(url);
        target.ca_file.clone_from(&profile.ca_file);
        target.fingerprint.clone_from(&profile.fingerprint);
        target.max_frame = MAX_FRAME_BYTES;
        target.deadline = DIAL;
        if let Access::Token(token) = self
            && transport::capabilities(profile.socket).headers
        {
            let mut value =
                HeaderValue::try_from(format!("Bearer {}", token.reveal())).map_err(|_| Why::Unauthorized)?;
            value.set_sensitive(true);
            target.headers.push((AUTHORIZATION, value));
        }
        Ok(target)
    }
}

/// `host:port` of a URL.
fn authority(url: &str) -> String {
    url.parse::<http::Uri>().ok().and_then(|uri| uri.authority().map(ToString::to_string)).unwrap_or_default()
}

/// What came over one line.
pub struct Post<K> {
    key: K,
    /// What to tell the link, in this order.
    pub inputs: Vec<Input>,
    /// Given back once all of it was looked at.
    room: Option<OwnedSemaphorePermit>,
}

impl<K> Post<K> {
    /// Over which line.
    pub fn key(&self) -> &K {
        &self.key
    }
}

/// What came over one line and is looked at slice by slice.
pub(super) struct Tray<K> {
    key: K,
    inputs: VecDeque<Input>,
    rooms: Vec<OwnedSemaphorePermit>,
    /// Bytes beyond its share that earlier slices had, because a frame is not divided.
    debt: usize,
}

impl<K> Tray<K> {
    pub(super) fn new(post: Post<K>) -> Tray<K> {
        let Post { key, inputs, room } = post;
        Tray { key, inputs: inputs.into(), rooms: room.into_iter().collect(), debt: 0 }
    }

    pub(super) fn key(&self) -> &K {
        &self.key
    }

    pub(super) fn is_empty(&self) -> bool {
        self.inputs.is_empty()
    }

    pub(super) fn add(&mut self, post: Post<K>) {
        self.inputs.extend(post.inputs);
        self.rooms.extend(post.room);
    }

    /// The next inputs: as many as take little time. None, where a large frame has used up this turn's share already.
    pub(super) fn slice(&mut self) -> Vec<Input> {
        let (mut count, mut bytes) = (0, self.debt);
        for input in &self.inputs {
            if count == SLICE.0 || bytes >= SLICE.1 {
                break;
            }
            count += 1;
            bytes += match input {
                Input::Frame { frame: Frame::Text(text), .. } => text.len(),
                Input::Frame { frame: Frame::Binary(bytes), .. } => bytes.len(),
                _ => 0,
            };
        }
        self.debt = bytes.saturating_sub(SLICE.1);
        self.inputs.drain(..count).collect()
    }
}

/// One link's transport.
pub struct Line<K: Copy + Send + 'static> {
    key: K,
    post: mpsc::Sender<Post<K>>,
    room: Arc<Semaphore>,
    dial: u64,
    dialing: Option<JoinHandle<()>>,
    outgoing: Option<mpsc::Sender<Outgoing>>,
    opened: mpsc::Sender<(K, u64, Connection)>,
}

/// A connection that was opened for a line; give it back with [`Line::opened`].
pub type Opened<K> = mpsc::Receiver<(K, u64, Connection)>;

impl<K: Copy + Send + 'static> Line<K> {
    /// A line whose news go to `post`, and whose open connections go to `opened`.
    pub fn new(key: K, post: mpsc::Sender<Post<K>>, opened: mpsc::Sender<(K, u64, Connection)>) -> Self {
        let room = Arc::new(Semaphore::new(POSTS));
        Line { key, post, room, dial: 0, dialing: None, outgoing: None, opened }
    }

    /// Dials; an earlier dial or connection is given up.
    pub fn dial(&mut self, dial: u64, socket: Socket, target: Result<Target, Why>) {
        self.hang_up(1000);
        self.dial = dial;
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
                    drop(post.send(Post { key, inputs, room: None }).await);
                }
            }
        }));
    }

    /// Takes a connection over that this line dialed. `None`: it was given up in the meantime.
    pub fn opened(&mut self, dial: u64, connection: Connection) -> Option<Arc<Counters>> {
        if dial != self.dial {
            return None;
        }
        self.dialing = None;
        let Connection { outgoing, mut incoming, counters, .. } = connection;
        self.outgoing = Some(outgoing);
        let (key, post, rooms) = (self.key, self.post.clone(), Arc::clone(&self.room));
        tokio::spawn(async move {
            let mut batch = Vec::new();
            while incoming.recv_many(&mut batch, AT_ONCE).await > 0 {
                // Nobody closes it, so there is one sooner or later.
                let Ok(room) = Arc::clone(&rooms).acquire_owned().await else { return };
                let inputs = batch.drain(..).filter_map(|incoming| match incoming {
                    Incoming::Frame(frame) => Some(Input::Frame { dial, frame }),
                    Incoming::Flushed(_) | Incoming::Pong => None,
                    Incoming::Closed(why) => Some(Input::Closed { dial, why }),
                });
                if post.send(Post { key, inputs: inputs.collect(), room: Some(room) }).await.is_err() {
                    return;
                }
            }
        });
        Some(counters)
    }

    /// Sends a frame. `false`: the socket has taken nothing for a long time. Where it has closed or was given up, the frame
    /// counts as sent: why is on its way, and says more than that.
    #[must_use]
    pub fn send(&self, frame: Frame) -> bool {
        let Some(outgoing) = &self.outgoing else { return true };
        !matches!(outgoing.try_send(Outgoing::Frame(frame)), Err(mpsc::error::TrySendError::Full(_)))
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

impl<K: Copy + Send + 'static> Drop for Line<K> {
    fn drop(&mut self) {
        self.hang_up(1001);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn post(key: u8, frames: impl IntoIterator<Item = usize>) -> Post<u8> {
        let frame = |bytes: usize| Input::Frame { dial: bytes as u64, frame: Frame::Text("x".repeat(bytes)) };
        Post { key, inputs: frames.into_iter().map(frame).collect(), room: None }
    }

    fn sizes(slice: &[Input]) -> Vec<u64> {
        let size = |input: &Input| match input {
            Input::Frame { dial, .. } => *dial,
            _ => panic!("only frames were given"),
        };
        slice.iter().map(size).collect()
    }

    #[test]
    fn a_tray_is_emptied_in_slices_and_in_order() {
        let mut tray = Tray::new(post(1, [60_000, 6_000, 70_000]));
        tray.add(post(1, 0..100));
        assert_eq!(sizes(&tray.slice()), [60_000, 6_000], "these are more than 64 KiB");
        tray.add(post(1, [9]));
        assert_eq!(sizes(&tray.slice()), [70_000]);
        let mut rest = Vec::new();
        while !tray.is_empty() {
            let slice = tray.slice();
            assert!((1..=SLICE.0).contains(&slice.len()));
            rest.extend(sizes(&slice));
        }
        assert_eq!(rest, (0..100).chain([9]).collect::<Vec<_>>());
    }

    #[test]
    fn large_frames_have_no_larger_share_than_small_ones() {
        let mut tray = Tray::new(post(1, [1_000_000, 1]));
        assert_eq!(sizes(&tray.slice()), [1_000_000]);
        let turns = (1..).find(|_| !tray.slice().is_empty()).unwrap();
        assert_eq!(turns, 1_000_000 / SLICE.1, "so many turns of others are worth that frame");
        assert!(tray.is_empty());
    }
}
