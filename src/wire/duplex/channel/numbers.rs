//! What both ends of a channel have: frames kept until they are confirmed, how far was received, and the WebSocket that joined.

use std::collections::VecDeque;
use std::sync::Arc;

use super::socket::Control;
use super::{CONFIRM_BYTES, CONFIRM_FRAMES, MAX_KEPT_BYTES, MAX_KEPT_FRAMES, Violation};
use crate::frame::Frame;

/// A ring that is empty and has room for more frames than this gives its memory back.
const MAX_IDLE_FRAMES: usize = 16;

/// What a channel carries.
pub trait FrameBytes {
    /// The size of its payload.
    fn frame_bytes(&self) -> usize;
}

impl FrameBytes for Frame {
    fn frame_bytes(&self) -> usize {
        self.len()
    }
}

impl FrameBytes for Arc<str> {
    fn frame_bytes(&self) -> usize {
        self.len()
    }
}

/// What became of a frame that was received.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Receipt {
    /// It is the next one: pass it on.
    New,
    /// It was received before: ignore it.
    Repeated,
}

/// Frames that were sent and are not confirmed.
#[derive(Debug)]
struct Ring<F> {
    frames: VecDeque<F>,
    /// The number of the first of them.
    first: u64,
    bytes: usize,
}

/// A WebSocket that has joined: its frames have the numbers that follow.
#[derive(Copy, Clone, Debug)]
struct Joined {
    /// The number of the next frame that comes over it.
    next_in: u64,
    /// The number of the next frame to send over it.
    next_out: u64,
}

/// One end of a channel.
#[derive(Debug)]
pub(super) struct Numbers<F> {
    sent: Ring<F>,
    /// The other end has everything before this number.
    confirmed: u64,
    /// The number of the last frame received without a gap.
    received: u64,
    /// How far the other end was told that frames were received.
    told: u64,
    /// Bytes received since then.
    untold_bytes: usize,
    joined: Option<Joined>,
}

impl<F: FrameBytes> Numbers<F> {
    pub(super) fn new() -> Self {
        let sent = Ring { frames: VecDeque::new(), first: 1, bytes: 0 };
        Numbers { sent, confirmed: 1, received: 0, told: 0, untold_bytes: 0, joined: None }
    }

    /// The number of the last frame received without a gap.
    pub(super) fn received(&self) -> u64 {
        self.received
    }

    /// The number of the first frame that is not confirmed, or would be.
    pub(super) fn first(&self) -> u64 {
        self.sent.first
    }

    /// The number that the next frame sent will have.
    pub(super) fn next(&self) -> u64 {
        self.sent.first + self.sent.frames.len() as u64
    }

    /// Bytes of the frames kept.
    pub(super) fn bytes(&self) -> usize {
        self.sent.bytes
    }

    /// Number of the frames kept.
    pub(super) fn frames(&self) -> usize {
        self.sent.frames.len()
    }

    /// Whether no more should be sent before something is confirmed.
    pub(super) fn is_full(&self) -> bool {
        self.sent.bytes >= MAX_KEPT_BYTES || self.sent.frames.len() >= MAX_KEPT_FRAMES
    }

    /// Keeps a frame and returns its number.
    pub(super) fn send(&mut self, frame: F) -> u64 {
        let number = self.next();
        self.sent.bytes += frame.frame_bytes();
        self.sent.frames.push_back(frame);
        number
    }

    /// A frame that is kept.
    pub(super) fn get(&self, number: u64) -> Option<&F> {
        let at = number.checked_sub(self.sent.first)?;
        self.sent.frames.get(usize::try_from(at).ok()?)
    }

    /// Checks that the other end can have everything before this number.
    pub(super) fn may_confirm(&self, from: u64) -> Result<(), Violation> {
        let next = self.next();
        match from > next {
            true => Err(Violation::NotSent { confirmed: from - 1, sent: next - 1 }),
            false => Ok(()),
        }
    }

    /// The other end has everything before this number.
    pub(super) fn confirm(&mut self, from: u64) -> Result<(), Violation> {
        self.may_confirm(from)?;
        self.confirmed = self.confirmed.max(from);
        self.let_go();
        Ok(())
    }

    /// Lets go of what is confirmed. A joined WebSocket carries frames without their numbers: what is confirmed by other means
    /// before it was written there is written all the same.
    fn let_go(&mut self) {
        let from = self.joined.map_or(self.confirmed, |joined| self.confirmed.min(joined.next_out));
        let gone = usize::try_from(from.saturating_sub(self.sent.first)).unwrap_or(usize::MAX);
        for frame in self.sent.frames.drain(..gone.min(self.sent.frames.len())) {
            self.sent.bytes -= frame.frame_bytes();
        }
        self.sent.first = self.sent.first.max(from);
        if self.sent.frames.is_empty() && self.sent.frames.capacity() > MAX_IDLE_FRAMES {
            self.sent.frames = VecDeque::new();
        }
    }

    /// Checks that frames from this number on are kept.
    pub(super) fn has_from(&self, from: u64) -> Result<(), Violation> {
        match from < self.sent.first {
            true => Err(Violation::LetGo { wanted: from, first: self.sent.first }),
            false => Ok(()),
        }
    }

    /// A frame of this number and size has come.
    pub(super) fn receive(&mut self, number: u64, bytes: usize) -> Result<Receipt, Violation> {
        let expected = self.received + 1;
        if number > expected {
            return Err(Violation::Gap { expected, came: number });
        }
        if number < expected {
            return Ok(Receipt::Repeated);
        }
        self.received = number;
        self.untold_bytes += bytes;
        Ok(Receipt::New)
    }

    /// The other end is now told how far frames were received.
    pub(super) fn tell(&mut self) -> u64 {
        (self.told, self.untold_bytes) = (self.received, 0);
        self.received
    }

    /// Whether the other end should be told how far frames were received, even if there is nothing else to say.
    pub(super) fn owes_confirmation(&self) -> bool {
        self.untold_bytes >= CONFIRM_BYTES || self.received - self.told >= CONFIRM_FRAMES
    }

    /// Whether a WebSocket has joined.
    pub(super) fn is_joined(&self) -> bool {
        self.joined.is_some()
    }

    /// A WebSocket joins: the other end has everything before `next_out`, and its next frame is number `next_in`.
    pub(super) fn join(&mut self, next_in: u64, next_out: u64) {
        self.joined = Some(Joined { next_in, next_out });
    }

    /// The other end's next frame over the WebSocket has this number.
    pub(super) fn expect_on_socket(&mut self, next_in: u64) -> Result<(), Violation> {
        let expected = self.received + 1;
        if next_in > expected {
            return Err(Violation::Gap { expected, came: next_in });
        }
        self.joined = self.joined.map(|joined| Joined { next_in, ..joined });
        Ok(())
    }

    /// The WebSocket is gone.
    pub(super) fn leave(&mut self) {
        self.joined = None;
        self.let_go();
    }

    /// Counts a frame of the joined WebSocket.
    pub(super) fn receive_on_socket(&mut self, bytes: usize) -> Result<Receipt, Violation> {
        let Some(joined) = &mut self.joined else {
            return Err(Violation::Socket { detail: "no WebSocket has joined".to_owned() });
        };
        let number = joined.next_in;
        joined.next_in += 1;
        self.receive(number, bytes)
    }

    /// Whether there is a frame that was not written to the joined WebSocket.
    pub(super) fn has_for_socket(&self) -> bool {
        self.joined.is_some_and(|joined| joined.next_out < self.next())
    }

    /// What is to be written to the joined WebSocket next. `confirms`: whether it may be a confirmation.
    pub(super) fn next_on_socket(&mut self, confirms: bool) -> Option<OnSocket<'_, F>> {
        let number = self.joined?.next_out;
        self.let_go();
        let has_frame = self.has_for_socket();
        // A frame of its own is an occasion to confirm what came before it.
        if confirms && (self.owes_confirmation() || (has_frame && self.received > self.told)) {
            return Some(OnSocket::Control(Control::Received(self.tell())));
        }
        if !has_frame {
            return None;
        }
        self.joined = self.joined.map(|joined| Joined { next_out: number + 1, ..joined });
        self.get(number).map(|frame| OnSocket::Frame(number, frame))
    }
}

/// What is written to a joined WebSocket.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum OnSocket<'a, F> {
    /// What is the channel's own.
    Control(Control),
    /// A frame, and its number.
    Frame(u64, &'a F),
}
