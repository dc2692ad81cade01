//! One client's WebSocket. Tungstenite handles reading, pongs and the closing handshake. Text is written directly, so
//! that a batch encoded once goes to every client without copying, and no client keeps a send buffer.

use std::future::{Future, poll_fn};
use std::io::{self, IoSlice};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::{Sink, SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_rustls::server::TlsStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::meter::{Fault, Meter, Metered};
use super::packer::Packer;
use super::slots::{ConnectionSlot, Eviction};
use crate::wire::duplex::deflate::{Unreadable, unpack};
use crate::wire::duplex::message::MAX_FRAME_BYTES;

/// Size of a client's read buffer, in bytes.
const READ_BUFFER: usize = 2048;
/// Maximum bytes of a message whose buffer is kept for the next one.
const MAX_KEPT_BYTES: u64 = 8 * 1024;
/// Granularity at which bytes of an incomplete message are counted.
const COUNTED_BYTES: usize = 16 * 1024;
/// Maximum bytes read and discarded after a close frame was sent.
const MAX_DISCARDED_BYTES: usize = 256 * 1024;
/// How long a closed socket waits for the client to close as well.
const LINGER: Duration = Duration::from_secs(2);
/// Maximum bytes of a close reason (RFC 6455 §5.5: 125 bytes including the code).
const MAX_REASON_BYTES: usize = 123;
/// First bytes of unfragmented frames (RFC 6455 §5.2).
const TEXT: u8 = 0x81;
const BINARY: u8 = 0x82;
const PING: u8 = 0x89;
const CLOSE: u8 = 0x88;

/// A connection, encrypted or not.
pub(super) enum Io {
    /// Without encryption.
    Plain(TcpStream),
    /// With TLS.
    Tls(Box<TlsStream<TcpStream>>),
}

macro_rules! inner {
    ($self:ident, $io:ident => $call:expr) => {
        match $self.get_mut() {
            Io::Plain($io) => {
                let $io = Pin::new($io);
                $call
            }
            Io::Tls($io) => {
                let $io = Pin::new(&mut **$io);
                $call
            }
        }
    };
}

impl AsyncRead for Io {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        inner!(self, io => io.poll_read(cx, buf))
    }
}

impl AsyncWrite for Io {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        inner!(self, io => io.poll_write(cx, buf))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        inner!(self, io => io.poll_write_vectored(cx, bufs))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        inner!(self, io => io.poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        inner!(self, io => io.poll_shutdown(cx))
    }
}

/// What was received from a client.
#[derive(Debug, PartialEq)]
pub(super) enum Received {
    /// A text frame.
    Text(String),
    /// A binary frame; its size in bytes.
    Binary(usize),
    /// A ping or a pong.
    Alive,
    /// A message has begun, or frames arrived that complete no message.
    Unfinished,
    /// A frame of a channel's own, or one that came before; its size in bytes.
    OwnFrame(usize),
    /// A channel's client was handed all that was written.
    Drained,
    /// A channel has something for the WebSocket that joined it: write, even if only nothing.
    Writable,
    /// A message larger than the limit.
    TooLarge,
    /// Too many frames before authentication.
    TooMany,
    /// Text that is not UTF-8.
    NotUtf8,
    /// A violation of RFC 6455; the detail.
    Broken(String),
    /// The socket is closed.
    Closed,
}

/// What is written to a client.
pub(super) enum Outgoing {
    /// A frame for this client alone.
    Own(String),
    /// A frame shared by many clients.
    Shared(Arc<str>),
    /// A ping.
    Ping,
}

impl Outgoing {
    /// The payload of the frame.
    fn payload(&self) -> &[u8] {
        match self {
            Outgoing::Own(text) => text.as_bytes(),
            Outgoing::Shared(text) => text.as_bytes(),
            Outgoing::Ping => b"",
        }
    }

    /// Payload size in bytes.
    pub(super) fn len(&self) -> usize {
        self.payload().len()
    }

    /// The frame's unmasked header (RFC 6455 §5.1) and its length. `packed`: the size of its compressed form.
    fn header(&self, packed: Option<usize>) -> ([u8; 10], usize) {
        let mut header = [0u8; 10];
        header[0] = match self {
            Outgoing::Ping => PING,
            Outgoing::Own(_) | Outgoing::Shared(_) if packed.is_some() => BINARY,
            Outgoing::Own(_) | Outgoing::Shared(_) => TEXT,
        };
        let length = packed.unwrap_or_else(|| self.len());
        let used = match (u8::try_from(length), u16::try_from(length)) {
            (Ok(length), _) if length < 126 => {
                header[1] = length;
                2
            }
            (_, Ok(length)) => {
                header[1] = 126;
                header[2..4].copy_from_slice(&length.to_be_bytes());
                4
            }
            _ => {
                header[1] = 127;
                header[2..].copy_from_slice(&(length as u64).to_be_bytes());
                10
            }
        };
        (header, used)
    }
}

/// A client's WebSocket.
pub(super) struct Socket {
    /// Always `Some`, except while the buffer is being replaced.
    ws: Option<WebSocketStream<Metered>>,
    slot: ConnectionSlot,
    /// Messages and control frames passed to the caller.
    handed_on: u64,
    /// Incomplete bytes last reported to the slot.
    reported: usize,
    /// [`Received::Unfinished`] was returned for the current message.
    announced: bool,
    /// Reading failed: further input is ignored.
    broken: bool,
    /// Compressed frames were agreed on.
    packer: Option<Arc<Packer>>,
}

fn config() -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
        .max_message_size(Some(MAX_FRAME_BYTES))
        .max_frame_size(Some(MAX_FRAME_BYTES))
}

impl Socket {
    /// Takes a connection over from HTTP, with the bytes already read.
    pub(super) async fn new(io: Io, read: &[u8], slot: ConnectionSlot) -> Socket {
        let (metered, read) = Metered::new(io, read);
        let ws = WebSocketStream::from_partially_read(metered, read, Role::Server, Some(config())).await;
        Socket {
            ws: Some(ws),
            slot,
            handed_on: 0,
            reported: 0,
            announced: false,
            broken: false,
            packer: None,
        }
    }

    fn meter(&mut self) -> Option<&mut Meter> {
        self.ws.as_mut().map(|ws| &mut ws.get_mut().meter)
    }

    /// The client is authenticated: large messages are allowed.
    pub(super) fn admit(&mut self) {
        if let Some(meter) = self.meter() {
            meter.admit();
        }
    }

    /// Frames from now on may be compressed, and compressed ones are read.
    pub(super) fn compress(&mut self, packer: Arc<Packer>) {
        self.packer = Some(packer);
    }

    /// Sets whether [`Socket::poll_next`] is being called.
    pub(super) fn reads(&mut self, reads: bool) {
        if let Some(meter) = self.meter() {
            meter.reads(reads);
        }
    }

    /// Control frames and non-final fragments since the last call.
    pub(super) fn take_frames(&mut self) -> u32 {
        self.meter().map(Meter::take_frames).unwrap_or_default()
    }

    /// When the current message must be complete.
    pub(super) fn deadline(&mut self) -> Option<Instant> {
        self.meter()?.deadline()
    }

    /// Whether the current message has missed its deadline.
    pub(super) fn is_overdue(&mut self) -> bool {
        self.deadline().is_some_and(|deadline| deadline <= Instant::now())
    }

    /// Whether its slot was needed for another connection.
    pub(super) fn poll_evicted(&self, cx: &mut Context<'_>) -> Poll<Eviction> {
        pin!(self.slot.evicted()).poll(cx)
    }

    /// Waits for the next input.
    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Received> {
        let Some(ws) = &mut self.ws else { return Poll::Ready(Received::Closed) };
        let next = ws.poll_next_unpin(cx);
        let meter = &ws.get_ref().meter;
        let kept = meter.unfinished().max(meter.largest());
        let kept = if kept > COUNTED_BYTES as u64 { usize::try_from(kept).unwrap_or(usize::MAX) } else { 0 };
        let (is_unfinished, is_full, fault) = (meter.deadline().is_some(), meter.is_full(), meter.fault());
        if kept != self.reported && (kept == 0 || kept.abs_diff(self.reported) >= COUNTED_BYTES) {
            self.reported = kept;
            self.slot.hold(kept);
        }
        let begins = is_unfinished && !std::mem::replace(&mut self.announced, is_unfinished);
        match next {
            Poll::Ready(item) => Poll::Ready(self.sort(item, fault)),
            Poll::Pending if begins || is_full => Poll::Ready(Received::Unfinished),
            Poll::Pending => Poll::Pending,
        }
    }

    fn sort(&mut self, item: Option<Result<Message, Error>>, fault: Option<Fault>) -> Received {
        // After a close the buffer is kept: the library has yet to answer it.
        self.handed_on += u64::from(matches!(&item, Some(Ok(message)) if !message.is_close()));
        let received = match (item, fault) {
            (Some(Ok(Message::Text(text))), _) => Received::Text(text.as_str().to_owned()),
            (Some(Ok(Message::Binary(bytes))), _) if self.packer.is_some() => {
                match unpack(&bytes, MAX_FRAME_BYTES) {
                    Ok(text) => Received::Text(text),
                    Err(Unreadable::TooLarge(_)) => Received::TooLarge,
                    Err(Unreadable::NotUtf8) => Received::NotUtf8,
                    Err(error @ Unreadable::Damaged) => Received::Broken(error.to_string()),
                }
            }
            (Some(Ok(Message::Binary(bytes))), _) => Received::Binary(bytes.len()),
            // After a close the next read answers it and ends.
            (Some(Ok(_)), _) => Received::Alive,
            (Some(Err(Error::Io(_))), Some(Fault::TooLarge)) => Received::TooLarge,
            (Some(Err(Error::Io(_))), Some(Fault::TooMany)) => Received::TooMany,
            (Some(Err(Error::Capacity(_))), _) => Received::TooLarge,
            (Some(Err(Error::Utf8(_))), _) => Received::NotUtf8,
            (Some(Err(Error::Protocol(error))), _) => Received::Broken(error.to_string()),
            (Some(Err(_)) | None, _) => Received::Closed,
        };
        use Received::{Broken, NotUtf8, TooLarge, TooMany};
        self.broken |= matches!(received, TooLarge | TooMany | NotUtf8 | Broken(_));
        received
    }

    /// Whether the library holds a large, empty buffer, which it would keep for as long as the connection lasts.
    pub(super) fn has_large_buffer(&self) -> bool {
        self.ws.as_ref().is_some_and(|ws| {
            let meter = &ws.get_ref().meter;
            let is_empty = !meter.is_unfinished() && meter.ended() == self.handed_on && !self.broken;
            meter.largest() > MAX_KEPT_BYTES && is_empty
        })
    }

    /// Replaces the connection's buffer with a small one.
    pub(super) async fn give_back_buffer(&mut self) {
        let Some(ws) = &mut self.ws else { return };
        // A pending pong would be lost.
        let flushed = poll_fn(|cx| Poll::Ready(Pin::new(&mut *ws).poll_flush(cx))).await;
        if !matches!(flushed, Poll::Ready(Ok(()))) {
            return;
        }
        if let Some(mut metered) = self.ws.take().map(WebSocketStream::into_inner) {
            metered.meter.forget_largest();
            self.ws = Some(WebSocketStream::from_raw_socket(metered, Role::Server, Some(config())).await);
            if self.reported > 0 {
                self.reported = 0;
                self.slot.hold(0);
            }
        }
    }

    /// Writes all frames; returns once the system has accepted them. Not cancel-safe: if cancelled, the socket must
    /// not be used again.
    pub(super) async fn write(&mut self, frames: &[Outgoing]) -> io::Result<()> {
        let Some(ws) = &mut self.ws else { return Err(io::ErrorKind::NotConnected.into()) };
        // Nothing is read during the write.
        ws.get_mut().meter.reads(false);
        // A partly written pong must be completed before the next frame.
        ws.flush().await.map_err(io::Error::other)?;
        let packer = self.packer.as_ref();
        let pack = |frame| packer.and_then(|packer| packer.packed(frame));
        let packed: Vec<Option<Arc<[u8]>>> = frames.iter().map(pack).collect();
        let length = |packed: &Option<Arc<[u8]>>| packed.as_ref().map(|bytes| bytes.len());
        let headers: Vec<_> =
            frames.iter().zip(&packed).map(|(frame, packed)| frame.header(length(packed))).collect();
        let mut slices = Vec::with_capacity(frames.len() * 2);
        for (((header, used), frame), packed) in headers.iter().zip(frames).zip(&packed) {
            slices.push(IoSlice::new(&header[..*used]));
            slices.push(IoSlice::new(packed.as_deref().unwrap_or_else(|| frame.payload())));
        }
        let mut rest = &mut slices[..];
        let io = ws.get_mut();
        while !rest.is_empty() {
            let written = io.write_vectored(rest).await?;
            if written == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            IoSlice::advance_slices(&mut rest, written);
        }
        io.flush().await
    }

    /// Sends a close frame and waits briefly for the client to close: closing at once could discard data still in
    /// transit.
    pub(super) async fn close(self, code: u16, reason: &str) {
        let Some(mut ws) = self.ws else { return };
        let reason = &reason[..reason.floor_char_boundary(MAX_REASON_BYTES)];
        let mut frame = vec![CLOSE, 2 + reason.len() as u8];
        frame.extend(code.to_be_bytes());
        frame.extend(reason.as_bytes());
        let closing = async {
            if ws.flush().await.is_err() && !self.broken {
                return;
            }
            // Frees the library's buffers.
            let mut io = ws.into_inner().io;
            if io.write_all(&frame).await.is_err() || io.shutdown().await.is_err() {
                return;
            }
            let mut discarded = vec![0; 4096];
            let mut left = MAX_DISCARDED_BYTES;
            while let Ok(read) = io.read(&mut discarded).await
                && read > 0
                && left > read
            {
                left -= read;
            }
        };
        // The connection is dropped whether or not the client answered.
        let _ = timeout(LINGER, closing).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frame_headers_use_the_three_length_encodings() {
        let header = |length: usize| {
            let (header, used) = Outgoing::Own("x".repeat(length)).header(None);
            header[..used].to_vec()
        };
        assert_eq!(header(0), [0x81, 0]);
        assert_eq!(header(125), [0x81, 125]);
        assert_eq!(header(126), [0x81, 126, 0, 126]);
        assert_eq!(header(65_535), [0x81, 126, 0xff, 0xff]);
        assert_eq!(header(65_536), [0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]);
        assert_eq!(Outgoing::Own("x".repeat(2_000)).header(Some(70)).0[..2], [0x82, 70]);
        assert_eq!(Outgoing::Ping.header(None).0[..2], [0x89, 0]);
    }
}
