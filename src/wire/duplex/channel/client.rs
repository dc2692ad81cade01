//! [`ClientChannel`]: the client's end. It says what to ask for and what to post; its driver makes the requests.

use super::numbers::{Numbers, OnSocket, Receipt};
use super::socket::Control;
use super::{MAX_POST_BYTES, MAX_POST_FRAMES, Violation, line};
use crate::frame::Frame;

/// What a receiving request, or the handshake of a WebSocket that is to join, carries.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The number of the first frame that is wanted: `from` in the query, or the header `Duplex-From` of a WebSocket.
    pub from: u64,
    /// The header `Duplex-Turn`.
    pub turn: u64,
}

/// A post to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Post {
    /// The header `Duplex-First`: the number of the first frame.
    pub first: u64,
    /// The header `Duplex-From`, which confirms what was received.
    pub from: u64,
    /// The number of frames in the body. 0: it only confirms.
    pub frames: u64,
    /// The body: one frame a line.
    pub body: Vec<u8>,
}

/// What came over a WebSocket that joins, or has joined.
#[derive(Debug, PartialEq, Eq)]
pub enum OverSocket {
    /// It has joined: stop asking and posting, and write [`ClientChannel::next_on_socket`] to it from now on.
    Joined,
    /// A frame for the session.
    Frame(Frame),
    /// Nothing for the session.
    Nothing,
}

/// The client's end of a channel.
///
/// Frames to the hub go in by [`send`](Self::send); frames from the hub come out of [`receive`](Self::receive) and
/// [`receive_on_socket`](Self::receive_on_socket), each once and in order, whatever comes twice. After any [`Violation`] the channel is of no
/// use: open another one, and begin a new session.
#[derive(Debug)]
pub struct ClientChannel {
    numbers: Numbers<Frame>,
    /// The number of this client's changes of route.
    turn: u64,
    /// A post is under way.
    is_posting: bool,
    /// A WebSocket is to join with this turn, and has not said `joined`.
    joining: Option<u64>,
    /// Our own `joined` is to be written first.
    joined: Option<Control>,
}

impl Default for ClientChannel {
    fn default() -> Self {
        ClientChannel::new()
    }
}

impl ClientChannel {
    /// The end of a channel that was just opened.
    pub fn new() -> Self {
        ClientChannel { numbers: Numbers::new(), turn: 0, is_posting: false, joining: None, joined: None }
    }

    /// Keeps a frame until the hub has confirmed it, and returns its number. Check [`is_full`](Self::is_full) first.
    pub fn send(&mut self, frame: Frame) -> u64 {
        self.numbers.send(frame)
    }

    /// Whether no more frames should be sent until the hub has confirmed some.
    pub fn is_full(&self) -> bool {
        self.numbers.is_full()
    }

    /// The number of the last frame that the hub has confirmed.
    pub fn confirmed(&self) -> u64 {
        self.numbers.first() - 1
    }

    /// The number of the last frame that was sent.
    pub fn sent(&self) -> u64 {
        self.numbers.next() - 1
    }

    /// The number of the last frame received from the hub.
    pub fn received(&self) -> u64 {
        self.numbers.received()
    }

    /// What the next receiving request carries.
    pub fn ask(&mut self) -> Request {
        Request { from: self.numbers.tell() + 1, turn: self.turn }
    }

    /// A frame has come in the answer to a receiving request: the first line is number `from` of that request, the next one the
    /// number after it; an event has its number as its id. Returns the frame, if it did not come before.
    ///
    /// # Errors
    /// Where a frame before it is missing.
    pub fn receive(&mut self, number: u64, frame: Frame) -> Result<Option<Frame>, Violation> {
        let receipt = self.numbers.receive(number, frame.len())?;
        Ok((receipt == Receipt::New).then_some(frame))
    }

    /// Whether [`post`](Self::post) would return something.
    pub fn wants_post(&self) -> bool {
        !self.is_posting
            && !self.numbers.is_joined()
            && (self.numbers.frames() > 0 || self.numbers.owes_confirmation())
    }

    /// The next post, unless one is under way, a WebSocket has joined, or there is nothing to say. It begins with the first frame
    /// that is not confirmed, so that a post that failed is repeated. Its outcome is to be told by [`posted`](Self::posted),
    /// [`post_refused`](Self::post_refused) or [`post_failed`](Self::post_failed).
    pub fn post(&mut self) -> Option<Post> {
        if !self.wants_post() {
            return None;
        }
        let first = self.numbers.first();
        let (mut body, mut frames) = (Vec::new(), 0);
        while let Some(frame) = self.numbers.get(first + frames)
            && (frames == 0 || body.len() + frame.len() < MAX_POST_BYTES)
            && frames < MAX_POST_FRAMES as u64
        {
            line::write(&mut body, frame);
            frames += 1;
        }
        self.is_posting = true;
        Some(Post { first, from: self.numbers.tell() + 1, frames, body })
    }

    /// The post was answered; `received` is the number in the answer. It may be less than was posted: the rest is in the next post.
    ///
    /// # Errors
    /// Where the hub says to have what was never sent.
    pub fn posted(&mut self, received: u64) -> Result<(), Violation> {
        self.is_posting = false;
        self.numbers.confirm(received.saturating_add(1))
    }

    /// The post was refused because a frame before it is missing; `received` is the number in the answer.
    ///
    /// # Errors
    /// Where the hub no longer has what it had confirmed.
    pub fn post_refused(&mut self, received: u64) -> Result<(), Violation> {
        self.numbers.has_from(received.saturating_add(1))?;
        self.posted(received)
    }

    /// Whether the hub has the post is not known: the next one repeats it.
    pub fn post_failed(&mut self) {
        self.is_posting = false;
    }

    /// What the handshake of a WebSocket that is to join carries. Asking and posting may go on until it says `joined`; a request
    /// that is refused as late (409) meanwhile was overtaken by the WebSocket. Where the attempt fails, call [`leave`](Self::leave).
    pub fn join(&mut self) -> Request {
        let turn = self.joining.unwrap_or(self.turn) + 1;
        self.joining = Some(turn);
        Request { from: self.numbers.received() + 1, turn }
    }

    /// Whether a WebSocket has joined: nothing is asked or posted.
    pub fn is_joined(&self) -> bool {
        self.numbers.is_joined()
    }

    /// A frame came over the WebSocket.
    ///
    /// # Errors
    /// Where it does not belong there.
    pub fn receive_on_socket(&mut self, frame: Frame) -> Result<OverSocket, Violation> {
        let control = match &frame {
            Frame::Text(text) => Control::parse(text).transpose()?,
            Frame::Binary(_) => None,
        };
        match (control, self.joining) {
            (Some(Control::Joined { received, first }), Some(turn)) => {
                // Less than an answer to a post has confirmed meanwhile changes nothing.
                self.numbers.confirm(received.saturating_add(1))?;
                (self.turn, self.joining) = (turn, None);
                self.numbers.join(first, self.numbers.first());
                self.numbers.expect_on_socket(first)?;
                let joined = Control::Joined { received: self.numbers.tell(), first: self.numbers.first() };
                self.joined = Some(joined);
                Ok(OverSocket::Joined)
            }
            (Some(Control::Received(received)), None) => {
                self.numbers.confirm(received.saturating_add(1))?;
                Ok(OverSocket::Nothing)
            }
            (Some(Control::Joined { .. }), None) => {
                Err(Violation::Socket { detail: "`joined` a second time".to_owned() })
            }
            (_, Some(_)) => Err(Violation::Socket { detail: "a frame before `joined`".to_owned() }),
            (None, None) => match self.numbers.receive_on_socket(frame.len())? {
                Receipt::New => Ok(OverSocket::Frame(frame)),
                Receipt::Repeated => Ok(OverSocket::Nothing),
            },
        }
    }

    /// What to write to the joined WebSocket next. Frames that were posted and not confirmed are among it.
    pub fn next_on_socket(&mut self) -> Option<Frame> {
        if let Some(joined) = self.joined.take() {
            return Some(Frame::Text(joined.text()));
        }
        Some(match self.numbers.next_on_socket(true)? {
            OnSocket::Control(control) => Frame::Text(control.text()),
            OnSocket::Frame(_, frame) => frame.clone(),
        })
    }

    /// The WebSocket did not join, or is gone: asking and posting go on.
    pub fn leave(&mut self) {
        if let Some(turn) = self.joining.take() {
            self.turn = turn;
        }
        self.turn += 1;
        self.joined = None;
        self.numbers.leave();
    }
}
