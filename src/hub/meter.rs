//! Follows the frames in incoming bytes before the WebSocket library sees them: counts frames that the library
//! handles internally, tracks the size of an incomplete message, and ends the connection if a message is too large.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use super::socket::Io;
use crate::wire::duplex::message::MAX_FRAME_BYTES;

/// Maximum bytes of a message before authentication: a hello with an invite fits.
const MAX_ANONYMOUS_BYTES: u64 = 8 * 1024;
/// Maximum number of frames before authentication.
const MAX_ANONYMOUS_FRAMES: u32 = 16;
/// Maximum number of frames not yet collected with [`Meter::take_frames`]; beyond it nothing more is read.
const MAX_FRAMES: u32 = 64;
/// How long a message may take from its first byte to its last, in addition to the time its size allows.
const GRACE: Duration = Duration::from_secs(10);
/// Minimum transfer rate of a message, in bytes per second: 1 MiB passes over a 256 kbit/s line.
const MIN_BYTES_PER_S: u64 = 24 * 1024;
/// Maximum length of a masked frame header, in bytes.
const MAX_HEADER_BYTES: usize = 14;

/// What ends a connection.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// A message is too large.
    TooLarge,
    /// There are too many frames before authentication.
    TooMany,
}

/// The position of a client within its frames.
#[derive(Debug, Default)]
pub(super) struct Meter {
    header: [u8; MAX_HEADER_BYTES],
    /// Bytes of the header received so far.
    has: u8,
    /// Whether the current frame is a data frame rather than a control frame.
    is_data: bool,
    /// Whether a message has begun and not ended.
    is_open: bool,
    /// Whether the client is authenticated.
    is_admitted: bool,
    fault: Option<Fault>,
    /// Bytes of the current frame still to come.
    rest: u64,
    /// Declared size of the current message, as far as its frames have begun.
    declared: u64,
    /// Bytes of it received.
    came: u64,
    /// Frames received before authentication.
    strange: u32,
    /// Control frames and non-final fragments not yet collected.
    frames: u32,
    /// Messages and control frames completed.
    ended: u64,
    /// Bytes of the largest message since [`Meter::forget_largest`].
    largest: u64,
    /// When the incomplete message began, not counting time in which nothing was read.
    since: Option<Instant>,
    /// When reading stopped.
    held_back: Option<Instant>,
}

impl Meter {
    /// The client is authenticated: the full message size is allowed.
    pub(super) fn admit(&mut self) {
        self.is_admitted = true;
    }

    /// What ended the connection.
    pub(super) fn fault(&self) -> Option<Fault> {
        self.fault
    }

    /// The frames handled inside the library since the last call.
    pub(super) fn take_frames(&mut self) -> u32 {
        std::mem::take(&mut self.frames)
    }

    /// Whether reading is paused because too many frames wait to be counted.
    pub(super) fn is_full(&self) -> bool {
        self.frames >= MAX_FRAMES
    }

    /// Messages and control frames completed so far.
    pub(super) fn ended(&self) -> u64 {
        self.ended
    }

    /// Whether a message or a frame is incomplete.
    pub(super) fn is_unfinished(&self) -> bool {
        self.is_open || self.has > 0 || self.rest > 0
    }

    /// Bytes of the incomplete message received so far.
    pub(super) fn unfinished(&self) -> u64 {
        if self.is_open { self.came } else { 0 }
    }

    /// Bytes of the largest message: the library keeps a buffer of that size.
    pub(super) fn largest(&self) -> u64 {
        self.largest
    }

    /// The library's buffer was replaced.
    pub(super) fn forget_largest(&mut self) {
        self.largest = 0;
    }

    /// When the current message must be complete. Only its own bytes extend the deadline, not fragments or pings; the
    /// clock stops while nothing is read.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let since = self.since.filter(|_| self.held_back.is_none())?;
        Some(since + GRACE + Duration::from_millis(self.came.saturating_mul(1000) / MIN_BYTES_PER_S))
    }

    /// Records whether incoming data is being read from now on.
    pub(super) fn reads(&mut self, reads: bool) {
        match (reads, self.held_back) {
            (false, None) if self.since.is_some() => self.held_back = Some(Instant::now()),
            (true, Some(at)) => {
                self.held_back = None;
                self.since = self.since.map(|since| since + at.elapsed());
            }
            _ => {}
        }
    }

    /// Processes incoming bytes and returns how many may be passed on: all, up to a fault.
    fn feed(&mut self, bytes: &[u8]) -> usize {
        let mut at = 0;
        let mut frame_at = 0;
        while at < bytes.len() && self.fault.is_none() {
            if self.rest > 0 {
                let here = self.rest.min((bytes.len() - at) as u64);
                self.pass(here);
                at += here as usize;
                continue;
            }
            if self.has == 0 {
                frame_at = at;
            }
            if let Some(slot) = self.header.get_mut(usize::from(self.has)) {
                *slot = bytes[at];
            }
            self.has += 1;
            at += 1;
            if self.has >= 2 && usize::from(self.has) == header_bytes(self.header[1]) {
                self.begin();
            }
        }
        if !self.is_unfinished() {
            self.since = None;
        } else if self.since.is_none() {
            self.since = Some(Instant::now());
        }
        if self.fault.is_some() { frame_at } else { bytes.len() }
    }

    /// A frame's header is complete.
    fn begin(&mut self) {
        self.has = 0;
        let opcode = self.header[0] & 0x0f;
        let is_last = self.header[0] & 0x80 != 0;
        self.is_data = opcode & 0x08 == 0;
        self.rest = payload_bytes(&self.header);
        if !self.is_admitted {
            self.strange += 1;
            if self.strange > MAX_ANONYMOUS_FRAMES {
                return self.fault = Some(Fault::TooMany);
            }
        }
        if !(self.is_data && is_last) {
            self.frames = self.frames.saturating_add(1);
        }
        if self.is_data {
            if !self.is_open {
                (self.declared, self.came) = (0, 0);
                self.is_open = true;
            }
            self.declared = self.declared.saturating_add(self.rest);
            let most = if self.is_admitted { MAX_FRAME_BYTES as u64 } else { MAX_ANONYMOUS_BYTES };
            if self.declared > most {
                return self.fault = Some(Fault::TooLarge);
            }
        }
        if self.rest == 0 {
            self.end();
        }
    }

    /// Counts bytes of the current frame.
    fn pass(&mut self, bytes: u64) {
        self.rest -= bytes;
        if self.is_data {
            self.came += bytes;
        }
        if self.rest == 0 {
            self.end();
        }
    }

    /// The current frame has ended.
    fn end(&mut self) {
        if self.is_data {
            if self.header[0] & 0x80 == 0 {
                return;
            }
            self.is_open = false;
            self.largest = self.largest.max(self.declared);
            // The next message has its own deadline, even if it begins in the same read.
            self.since = None;
        }
        self.ended += 1;
    }
}

/// Length of a frame header by its second byte (RFC 6455 §5.2).
fn header_bytes(second: u8) -> usize {
    let length = match second & 0x7f {
        126 => 2,
        127 => 8,
        _ => 0,
    };
    2 + length + if second & 0x80 != 0 { 4 } else { 0 }
}

fn payload_bytes(header: &[u8; MAX_HEADER_BYTES]) -> u64 {
    let extended =
        |count: usize| header[2..2 + count].iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
    match header[1] & 0x7f {
        126 => extended(2),
        127 => extended(8),
        short => u64::from(short),
    }
}

/// A connection with its meter.
pub(super) struct Metered {
    /// The connection.
    pub io: Io,
    /// Follows its incoming frames.
    pub meter: Meter,
}

impl Metered {
    /// Wraps a connection. `read` was already read from it; the part that may be passed on is returned.
    pub(super) fn new(io: Io, read: &[u8]) -> (Metered, Vec<u8>) {
        let mut meter = Meter::default();
        let passes = meter.feed(read);
        (Metered { io, meter }, read[..passes].to_vec())
    }
}

impl AsyncRead for Metered {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Metered { io, meter } = &mut *self;
        if meter.fault.is_some() {
            return Poll::Ready(Err(io::ErrorKind::InvalidData.into()));
        }
        if meter.is_full() {
            // The caller collects the frames and polls again.
            return Poll::Pending;
        }
        let before = buf.filled().len();
        let read = Pin::new(io).poll_read(cx, buf);
        if matches!(read, Poll::Ready(Ok(()))) && buf.filled().len() > before {
            let passes = meter.feed(&buf.filled()[before..]);
            buf.set_filled(before + passes);
            if passes == 0 {
                return Poll::Ready(Err(io::ErrorKind::InvalidData.into()));
            }
        }
        read
    }
}

impl AsyncWrite for Metered {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: u8 = 1;
    const MORE: u8 = 0;
    const PING: u8 = 9;

    fn frame(opcode: u8, is_last: bool, length: usize) -> Vec<u8> {
        let mut bytes = vec![opcode | if is_last { 0x80 } else { 0 }];
        match length {
            0..126 => bytes.push(0x80 | length as u8),
            126..65_536 => {
                bytes.push(0xfe);
                bytes.extend((length as u16).to_be_bytes());
            }
            _ => {
                bytes.push(0xff);
                bytes.extend((length as u64).to_be_bytes());
            }
        }
        bytes.extend([0; 4]);
        bytes.extend(std::iter::repeat_n(b'a', length));
        bytes
    }

    fn member() -> Meter {
        Meter { is_admitted: true, ..Meter::default() }
    }

    #[test]
    fn frames_are_parsed_across_any_read_boundary() {
        let sent = [
            frame(TEXT, false, 0),
            frame(PING, true, 125),
            frame(MORE, false, 300),
            frame(MORE, true, 70_000),
            frame(TEXT, true, 126),
            frame(TEXT, true, 0),
        ]
        .concat();
        for size in [1, 2, 3, 7, 1000, sent.len()] {
            let mut meter = member();
            for piece in sent.chunks(size) {
                assert_eq!(meter.feed(piece), piece.len());
            }
            assert_eq!((meter.ended(), meter.take_frames(), meter.largest()), (4, 3, 70_300), "{size}");
            assert!(!meter.is_unfinished() && meter.deadline().is_none());
        }
    }

    #[test]
    fn bytes_before_a_fault_are_passed_on() {
        let mut meter = Meter::default();
        let hello = frame(TEXT, true, 100);
        let large = [&hello[..], &frame(TEXT, true, 8 * 1024 + 1)[..20]].concat();
        assert_eq!(meter.feed(&large), hello.len());
        assert_eq!(meter.fault(), Some(Fault::TooLarge));
        let mut meter = Meter::default();
        let pings = frame(PING, true, 3).repeat(17);
        assert_eq!(meter.feed(&pings), pings.len() / 17 * 16);
        assert_eq!(meter.fault(), Some(Fault::TooMany));
        let mut meter = Meter::default();
        assert_eq!(meter.feed(&frame(TEXT, true, 8 * 1024)), 8 * 1024 + 8, "a hello may be as large as this");
    }

    #[test]
    fn fragments_count_towards_the_message_limit() {
        let mut meter = member();
        let half = frame(TEXT, false, MAX_FRAME_BYTES / 2);
        meter.feed(&half);
        let ping = frame(PING, true, 125);
        assert_eq!(meter.feed(&ping), ping.len());
        let half = frame(MORE, false, MAX_FRAME_BYTES / 2);
        assert_eq!(meter.feed(&half), half.len());
        assert_eq!(meter.unfinished(), MAX_FRAME_BYTES as u64);
        meter.feed(&frame(MORE, true, 1));
        assert_eq!(meter.fault(), Some(Fault::TooLarge));
        let mut meter = member();
        let mut endless = vec![0x81, 0xff];
        endless.extend([0xff; 12]);
        meter.feed(&endless);
        assert_eq!(meter.fault(), Some(Fault::TooLarge));
    }

    #[test]
    fn only_bytes_of_the_message_extend_its_deadline() {
        let mut meter = member();
        meter.feed(&frame(TEXT, false, 48 * 1024));
        let since = meter.since.unwrap();
        assert_eq!(meter.deadline(), Some(since + Duration::from_secs(12)));
        meter.feed(&frame(PING, true, 100));
        meter.feed(&frame(MORE, false, 0));
        assert_eq!(meter.deadline(), Some(since + Duration::from_secs(12)));
        meter.feed(&frame(MORE, false, 24 * 1024));
        assert_eq!(meter.deadline(), Some(since + Duration::from_secs(13)));
        meter.reads(false);
        assert_eq!(meter.deadline(), None, "reading is paused");
        meter.held_back = meter.held_back.and_then(|at| at.checked_sub(Duration::from_secs(60)));
        meter.reads(true);
        assert!(meter.since.unwrap() >= since + Duration::from_secs(60));
        meter.feed(&[frame(MORE, true, 10), vec![0x81]].concat());
        assert!(
            meter.deadline().unwrap() < since + Duration::from_secs(60),
            "a new message has its own deadline"
        );
        let second = meter.since;
        meter.feed(&frame(TEXT, true, 1)[1..]);
        assert_eq!(meter.deadline(), None);
        meter.feed(&[0x89]);
        assert!(meter.since >= second, "half a ping is incomplete, too");
    }
}
