//! [`ServerChannel`]: the hub's end.

use super::numbers::{FrameBytes, Numbers, OnSocket, Receipt};
use super::socket::Control;
use super::{MAX_POST_BYTES, Violation};
use crate::frame::Frame;

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It is from before a change of route that the client has made since.
    #[error("the request is from before the client's change of route {turn}")]
    Late {
        /// The newest change of route.
        turn: u64,
    },
    /// It contradicts what the channel has.
    #[error(transparent)]
    Violation(#[from] Violation),
}

/// What came over a joined WebSocket.
#[derive(Debug, PartialEq, Eq)]
pub enum FromSocket {
    /// A frame for the session.
    Frame(Frame),
    /// Nothing for the session.
    Nothing,
}

/// What to write to a joined WebSocket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToSocket<F> {
    /// A text frame of the channel's own.
    Control(String),
    /// A frame of the session.
    Frame(F),
}

/// The hub's end of a channel. `F` is how frames to the client are held: many channels may share one.
#[derive(Debug)]
pub struct ServerChannel<F> {
    numbers: Numbers<F>,
    /// The client's newest change of route.
    turn: u64,
    /// `joined` is to be written first, with these values.
    joining: Option<Control>,
    /// The client's `joined` has not come.
    awaits_joined: bool,
    /// The first frame that was never handed to a request or a WebSocket.
    fresh: u64,
}

impl<F: FrameBytes + Clone> Default for ServerChannel<F> {
    fn default() -> Self {
        ServerChannel { numbers: Numbers::new(), turn: 0, joining: None, awaits_joined: false, fresh: 1 }
    }
}

impl<F: FrameBytes + Clone> ServerChannel<F> {
    /// The number of the last frame received without a gap.
    pub fn received(&self) -> u64 {
        self.numbers.received()
    }

    /// Bytes of frames that the client has not confirmed.
    pub fn kept_bytes(&self) -> usize {
        self.numbers.bytes()
    }

    /// Whether everything sent is confirmed.
    pub fn is_all_confirmed(&self) -> bool {
        self.numbers.frames() == 0
    }

    /// Whether nothing more should be sent until something is confirmed.
    pub fn is_full(&self) -> bool {
        self.numbers.is_full()
    }

    /// The number that the next frame sent will have.
    pub fn next(&self) -> u64 {
        self.numbers.next()
    }

    /// Keeps a frame for the client and returns its number.
    pub fn send(&mut self, frame: F) -> u64 {
        self.numbers.send(frame)
    }

    /// Whether every frame was handed to a request or a WebSocket.
    pub fn is_handed_out(&self) -> bool {
        self.fresh == self.numbers.next()
    }

    /// The frames from this number on for one answer: so many that together they are no larger than [`MAX_POST_BYTES`], at least one.
    pub fn hand_out(&mut self, from: u64) -> Vec<F> {
        let mut left = MAX_POST_BYTES;
        let mut frames = Vec::new();
        while let Some(frame) = self.numbers.get(from + frames.len() as u64)
            && (frames.is_empty() || frame.frame_bytes() <= left)
        {
            left = left.saturating_sub(frame.frame_bytes());
            frames.push(frame.clone());
        }
        self.fresh = self.fresh.max(from + frames.len() as u64).min(self.numbers.next());
        frames
    }

    /// A request that asks for frames from this number on. A WebSocket that had joined has left then.
    ///
    /// # Errors
    /// Where the request came late, or the frames it asks for were never sent or are no longer kept.
    pub fn ask(&mut self, from: u64, turn: Option<u64>) -> Result<(), Refused> {
        if turn.is_some_and(|turn| turn < self.turn) {
            return Err(Refused::Late { turn: self.turn });
        }
        // A request that names no change of route came after the WebSocket, as far as anyone can tell.
        self.numbers.has_from(from)?;
        self.numbers.confirm(from)?;
        self.turn = turn.unwrap_or(self.turn);
        self.leave();
        Ok(())
    }

    /// A post says that the client has everything before this number.
    ///
    /// # Errors
    /// Where the client cannot have that.
    pub fn confirm(&mut self, from: u64) -> Result<(), Violation> {
        self.numbers.confirm(from)
    }

    /// A frame of this number and size has come in a post.
    ///
    /// # Errors
    /// Where one before it is missing.
    pub fn receive(&mut self, number: u64, bytes: usize) -> Result<Receipt, Violation> {
        let receipt = self.numbers.receive(number, bytes)?;
        // The answer to the post tells it.
        self.numbers.tell();
        Ok(receipt)
    }

    /// Whether the client has every frame, or would have to be told again what it has confirmed.
    pub fn is_past(&self, from: u64) -> bool {
        from >= self.numbers.next() || self.numbers.has_from(from).is_err()
    }

    /// Whether a WebSocket may join.
    ///
    /// # Errors
    /// As [`join`](Self::join).
    pub fn may_join(&self, from: u64, turn: Option<u64>) -> Result<(), Refused> {
        if turn.is_some_and(|turn| turn <= self.turn) {
            return Err(Refused::Late { turn: self.turn });
        }
        Ok(self.numbers.may_confirm(from)?)
    }

    /// A WebSocket joins, with the number of the next frame that its client wants.
    ///
    /// # Errors
    /// Where the attempt to join came late, or confirms what was never sent.
    pub fn join(&mut self, from: u64, turn: Option<u64>) -> Result<(), Refused> {
        self.may_join(from, turn)?;
        self.numbers.confirm(from)?;
        self.turn = turn.unwrap_or(self.turn);
        let (received, first) = (self.numbers.tell(), self.numbers.first().max(from));
        self.numbers.join(received + 1, first);
        (self.joining, self.awaits_joined) = (Some(Control::Joined { received, first }), true);
        Ok(())
    }

    /// Whether a frame of the session has to be written to the WebSocket.
    pub fn has_for_socket(&self) -> bool {
        self.joining.is_some() || self.numbers.has_for_socket()
    }

    /// Whether [`next_on_socket`](Self::next_on_socket) has something that does not wait for a frame of the session.
    pub fn owes_on_socket(&self) -> bool {
        self.numbers.is_joined()
            && (self.joining.is_some() || self.numbers.owes_confirmation() || self.numbers.has_for_socket())
    }

    /// Whether a WebSocket has joined.
    pub fn is_joined(&self) -> bool {
        self.numbers.is_joined()
    }

    /// The WebSocket is gone.
    pub fn leave(&mut self) {
        self.numbers.leave();
        self.joining = None;
    }

    /// A frame has come over the WebSocket.
    ///
    /// # Errors
    /// Where it is of the channel's own and makes no sense.
    pub fn receive_on_socket(&mut self, frame: Frame) -> Result<FromSocket, Violation> {
        if let Frame::Text(text) = &frame
            && let Some(control) = Control::parse(text)
        {
            self.control(control?)?;
            return Ok(FromSocket::Nothing);
        }
        if self.awaits_joined {
            return Err(Violation::Socket { detail: "a frame before `joined`".to_owned() });
        }
        match self.numbers.receive_on_socket(frame.len())? {
            Receipt::New => Ok(FromSocket::Frame(frame)),
            Receipt::Repeated => Ok(FromSocket::Nothing),
        }
    }

    /// What to write to the WebSocket next. `confirms`: whether what came over it has been taken, so that more may come.
    pub fn next_on_socket(&mut self, confirms: bool) -> Option<ToSocket<F>> {
        if let Some(joined) = self.joining.take() {
            return Some(ToSocket::Control(joined.text()));
        }
        Some(match self.numbers.next_on_socket(confirms)? {
            OnSocket::Control(control) => ToSocket::Control(control.text()),
            OnSocket::Frame(number, frame) => {
                self.fresh = self.fresh.max(number + 1);
                ToSocket::Frame(frame.clone())
            }
        })
    }

    fn control(&mut self, control: Control) -> Result<(), Violation> {
        match control {
            Control::Received(received) => self.numbers.confirm(received.saturating_add(1)),
            Control::Joined { received, first } if std::mem::take(&mut self.awaits_joined) => {
                self.numbers.confirm(received.saturating_add(1))?;
                self.numbers.expect_on_socket(first)
            }
            Control::Joined { .. } => Err(Violation::Socket { detail: "`joined` a second time".to_owned() }),
        }
    }
}
