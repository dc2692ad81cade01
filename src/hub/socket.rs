//! One client's WebSocket. Reading, pongs and the closing handshake are tungstenite's; text is written past it, so that a
//! batch encoded once goes to every client without being copied, and no client keeps a buffer of what it was sent.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::server::TlsStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::wire::duplex::message::MAX_FRAME_BYTES;

/// A client's read buffer, for as long as it says little.
const READ_BUFFER: usize = 2048;
/// How long a closed socket waits for the client to close as well.
const LINGER: Duration = Duration::from_secs(2);
/// Longest close reason (RFC 6455 §5.5: 125 bytes with the code).
const REASON_BYTES: usize = 123;
/// First bytes of a frame that is its message's only one (RFC 6455 §5.2).
const TEXT: u8 = 0x81;
const PING: u8 = 0x89;

/// A connection, encrypted or not.
pub(super) enum Io {
    /// On loopback, or insecure.
    Plain(TcpStream),
    /// TLS.
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

/// What a client sent.
#[derive(Debug, PartialEq)]
pub(super) enum Received {
    /// A text frame.
    Text(String),
    /// A binary frame, of this many bytes.
    Binary(usize),
    /// A ping or a pong.
    Alive,
    /// More than the largest frame.
    TooLarge,
    /// Text that is not UTF-8.
    NotUtf8,
    /// It broke RFC 6455.
    Broken(String),
    /// The socket is closed.
    Closed,
}

/// What is written.
pub(super) enum Outgoing {
    /// A frame for this client alone.
    Own(String),
    /// A frame for many.
    Shared(Arc<str>),
    /// A ping.
    Ping,
}

impl Outgoing {
    /// The message.
    fn payload(&self) -> &[u8] {
        match self {
            Outgoing::Own(text) => text.as_bytes(),
            Outgoing::Shared(text) => text.as_bytes(),
            Outgoing::Ping => b"",
        }
    }

    /// How much it writes, in bytes.
    pub(super) fn len(&self) -> usize {
        self.payload().len()
    }

    /// The frame's header, unmasked (RFC 6455 §5.1), and how long it is.
    fn header(&self) -> ([u8; 10], usize) {
        let mut header = [0u8; 10];
        header[0] = if matches!(self, Outgoing::Ping) { PING } else { TEXT };
        let length = self.len();
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
    ws: WebSocketStream<Io>,
    /// Reading failed: what else the client sends is not looked at.
    broken: bool,
}

impl Socket {
    /// Takes over from HTTP; `None` for a connection that this hub did not make.
    pub(super) async fn new(upgraded: Upgraded) -> Option<Socket> {
        let parts = upgraded.downcast::<TokioIo<Io>>().ok()?;
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(0)
            .max_message_size(Some(MAX_FRAME_BYTES))
            .max_frame_size(Some(MAX_FRAME_BYTES));
        let (io, read) = (parts.io.into_inner(), parts.read_buf.to_vec());
        let ws = WebSocketStream::from_partially_read(io, read, Role::Server, Some(config)).await;
        Some(Socket { ws, broken: false })
    }

    /// The next thing that comes. Cancel-safe.
    pub(super) async fn next(&mut self) -> Received {
        let received = match self.ws.next().await {
            Some(Ok(Message::Text(text))) => Received::Text(text.as_str().to_owned()),
            Some(Ok(Message::Binary(bytes))) => Received::Binary(bytes.len()),
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => Received::Alive,
            // The next read answers the close, and ends.
            Some(Ok(Message::Close(_))) => return Received::Alive,
            Some(Err(Error::Capacity(_))) => Received::TooLarge,
            Some(Err(Error::Utf8(_))) => Received::NotUtf8,
            Some(Err(Error::Protocol(error))) => Received::Broken(error.to_string()),
            Some(Err(_)) | None => Received::Closed,
        };
        self.broken |= matches!(received, Received::TooLarge | Received::NotUtf8 | Received::Broken(_));
        received
    }

    /// Writes all of it; returns once the system has taken it. Not cancel-safe: after that the socket is good for nothing.
    pub(super) async fn write(&mut self, frames: &[Outgoing]) -> io::Result<()> {
        // Half a pong that still waits must not end up within a frame.
        self.ws.flush().await.map_err(io::Error::other)?;
        let headers: Vec<_> = frames.iter().map(Outgoing::header).collect();
        let mut slices = Vec::with_capacity(frames.len() * 2);
        for ((header, used), frame) in headers.iter().zip(frames) {
            slices.push(IoSlice::new(&header[..*used]));
            slices.push(IoSlice::new(frame.payload()));
        }
        let mut rest = &mut slices[..];
        let io = self.ws.get_mut();
        while !rest.is_empty() {
            let written = io.write_vectored(rest).await?;
            if written == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            IoSlice::advance_slices(&mut rest, written);
        }
        io.flush().await
    }

    /// Says goodbye, and waits a little for the client to do so as well: closing at once could destroy on its way what
    /// was sent last.
    pub(super) async fn close(mut self, code: u16, reason: &str) {
        let end = reason.floor_char_boundary(REASON_BYTES);
        let frame = CloseFrame { code: code.into(), reason: reason[..end].into() };
        let goodbye = async {
            if self.ws.send(Message::Close(Some(frame))).await.is_err() {
                return;
            }
            if !self.broken {
                while let Some(Ok(_)) = self.ws.next().await {}
                return;
            }
            let io = self.ws.get_mut();
            let _ = io.shutdown().await;
            let mut scrap = vec![0; 16 * 1024];
            while io.read(&mut scrap).await.is_ok_and(|read| read > 0) {}
        };
        // Whether the client answered makes no difference: the connection is dropped.
        let _ = timeout(LINGER, goodbye).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_have_the_three_lengths_of_the_rfc() {
        let header = |length: usize| {
            let (header, used) = Outgoing::Own("x".repeat(length)).header();
            header[..used].to_vec()
        };
        assert_eq!(header(0), [0x81, 0]);
        assert_eq!(header(125), [0x81, 125]);
        assert_eq!(header(126), [0x81, 126, 0, 126]);
        assert_eq!(header(65_535), [0x81, 126, 0xff, 0xff]);
        assert_eq!(header(65_536), [0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]);
        assert_eq!(Outgoing::Ping.header().0[..2], [0x89, 0]);
    }
}
