//! Moves frames between an open WebSocket and a connection's channels until either ends, and reports how it ended.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{FutureExt, SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::task::yield_now;
use tokio::time::{Duration, sleep, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::{CapacityError, Error, ProtocolError};
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes, protocol::CloseFrame};

use super::incoming::Intake;
use super::packing::Packing;
use super::ping::Pings;
use super::{CLOSE_WITHIN, Counters, Incoming, Outgoing, Port, QUEUE, tls, too_large};
use crate::frame::Frame;
use crate::model::link_state::{Closing, Why};

/// After a failed write, how long to keep reading what the server sent before it closed.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Maximum number of pings and pongs handled before other tasks run.
const MAX_CONTROL_FRAMES: u32 = 64;

/// Maximum number of messages passed on before a flush report, while more are available.
const MAX_MESSAGES_BEFORE_REPORT: usize = QUEUE;

/// Maximum length of a close reason, in bytes (RFC 6455 §5.5: 125 bytes of payload including the code).
const MAX_REASON: usize = 123;

/// How a connection ended.
enum End {
    /// The server sent a close frame.
    Closed { code: Option<u16>, reason: String },
    /// The connection broke, or our close frame was not answered.
    Lost(Why),
    /// The server violated the protocol; it is sent this close code.
    Violation(Why, CloseCode),
    /// The [`Connection`](super::Connection) was dropped.
    Dropped,
}

type Sink<S> = SplitSink<WebSocketStream<S>, Message>;
type Stream<S> = SplitStream<WebSocketStream<S>>;

/// State shared by reading and writing.
struct Pump {
    incoming: Intake,
    counters: Arc<Counters>,
    pings: Pings,
    packing: Packing,
    /// Our close frame was sent before the server's arrived.
    is_closing: AtomicBool,
}

/// Runs until the connection has ended.
pub(super) async fn run<S>(socket: WebSocketStream<S>, port: Port, pings: Pings, packing: Packing)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let Port { mut outgoing, incoming, counters } = port;
    let pump = Pump { incoming, counters, pings, packing, is_closing: AtomicBool::new(false) };
    let (mut sink, mut stream) = socket.split();
    let end = tokio::select! {
        end = pump.read(&mut stream) => end,
        end = pump.write(&mut sink, &mut outgoing) => end,
        () = pump.incoming.closed() => End::Dropped,
    };
    let Pump { incoming, is_closing, .. } = pump;
    let is_ours = is_closing.into_inner();
    // Makes further sends fail at once.
    drop(outgoing);
    let tell = |why| async {
        // Fails if the receiver is gone.
        let _ = incoming.send(Incoming::Closed(why)).await;
    };
    match end {
        End::Closed { code, reason } => {
            let closing = match is_ours {
                true => Closing::ByUs,
                false if answer_close(&mut sink).now_or_never() == Some(true) => Closing::ByServer,
                false => Closing::ByServerUnanswered,
            };
            let why = Why::Closed { code, reason, retry_after_ms: None, closing };
            tokio::join!(tell(why), timeout(CLOSE_WITHIN, finish(&mut sink, &mut stream)).map(drop));
        }
        End::Lost(_) if is_ours => tell(unanswered()).await,
        End::Lost(why) => tell(why).await,
        End::Violation(why, code) => {
            tokio::join!(tell(why), timeout(CLOSE_WITHIN, refuse(sink, stream, code)).map(drop));
        }
        End::Dropped => {
            // Only as far as the socket accepts it at once: closing must not wait for a server that does not read.
            let going = close_message(CloseCode::Away.into(), "");
            let _ = sink.send(going).now_or_never();
        }
    }
}

impl Pump {
    async fn read<S>(&self, stream: &mut Stream<S>) -> End
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let mut control_frames = 0;
        let mut unreported = 0;
        loop {
            let next = match self.incoming.is_reporting() {
                true => self.next_or_report(stream, &mut unreported).await,
                false => stream.next().await,
            };
            let item = match next {
                // Copied, because the frame would keep tungstenite's whole buffer alive.
                Some(Ok(Message::Text(text))) => Incoming::Frame(Frame::Text(text.as_str().to_owned())),
                Some(Ok(Message::Binary(bytes))) => {
                    match self.packing.unpack(Frame::Binary(bytes.to_vec())) {
                        Ok(frame) => Incoming::Frame(frame),
                        Err(why) => return End::Violation(why, CloseCode::Invalid),
                    }
                }
                Some(Ok(Message::Close(frame))) => {
                    let (code, reason) = close_code(frame);
                    return End::Closed { code, reason };
                }
                Some(Ok(Message::Pong(payload))) if self.pings.is_answer(&payload) => Incoming::Pong,
                // tungstenite answers pings on the next read.
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {
                    control_frames += 1;
                    // One read of the socket may contain thousands of them.
                    if control_frames % MAX_CONTROL_FRAMES == 0 {
                        yield_now().await;
                    }
                    continue;
                }
                Some(Err(error)) => return broken(&error),
                None => return End::Lost(lost("the connection ended without a close frame")),
            };
            if let Incoming::Frame(frame) = &item {
                self.counters.received(frame.len());
            }
            if !self.incoming.send(item).await {
                return End::Dropped;
            }
        }
    }

    /// Waits for the next message. Reports flushes when no message is available or after many messages: a message
    /// that arrived before a flush must not look like an answer to it.
    async fn next_or_report<S>(
        &self,
        stream: &mut Stream<S>,
        unreported: &mut usize,
    ) -> Option<Result<Message, Error>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        loop {
            if *unreported < MAX_MESSAGES_BEFORE_REPORT {
                tokio::select! {
                    biased;
                    next = stream.next() => {
                        *unreported += 1;
                        return next;
                    }
                    () = self.incoming.has_report() => {}
                }
            }
            *unreported = 0;
            self.incoming.report().await;
        }
    }

    async fn write<S>(&self, sink: &mut Sink<S>, outgoing: &mut mpsc::Receiver<Outgoing>) -> End
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        while let Some(first) = outgoing.recv().await {
            let written = match self.write_batch(sink, first, outgoing).await {
                Ok(None) => continue,
                Ok(Some(close)) => timeout(CLOSE_WITHIN, self.close(sink, close)).await.unwrap_or(Ok(())),
                Err(error) => Err(error),
            };
            return match written {
                // The reader ends first if the server answers.
                Ok(()) => End::Lost(unanswered()),
                Err(error) => {
                    // The reader ends first if the server gave a reason.
                    sleep(LAST_WORDS).await;
                    End::Lost(lost(&error.to_string()))
                }
            };
        }
        End::Dropped
    }

    /// Writes everything in the queue, then flushes once. Returns the close frame if one was requested.
    async fn write_batch<S>(
        &self,
        sink: &mut Sink<S>,
        first: Outgoing,
        outgoing: &mut mpsc::Receiver<Outgoing>,
    ) -> Result<Option<Message>, Error>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        // Limited if flushes are reported, so that reports are not delayed by a full queue.
        let mut left = if self.incoming.is_reporting() { QUEUE } else { usize::MAX };
        let mut next = Some(first);
        while let Some(item) = next {
            match item {
                Outgoing::Frame(frame) => {
                    let size = frame.len();
                    let message = match self.packing.pack(frame) {
                        Frame::Text(text) => Message::text(text),
                        Frame::Binary(bytes) => Message::binary(bytes),
                    };
                    sink.feed(message).await?;
                    self.counters.sent(size);
                }
                Outgoing::Compress => self.packing.begin(),
                Outgoing::Ping => sink.feed(Message::Ping(self.pings.next().into())).await?,
                Outgoing::Close { code, reason } => return Ok(Some(close_message(code, &reason))),
            }
            left -= 1;
            next = if left > 0 { outgoing.try_recv().ok() } else { None };
        }
        self.flush(sink).await?;
        Ok(None)
    }

    async fn flush<S>(&self, sink: &mut Sink<S>) -> Result<(), Error>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        sink.flush().await?;
        self.incoming.flushed(self.counters.traffic().frames_out);
        Ok(())
    }

    /// Sends our close frame and waits; the reader ends first if the server answers.
    async fn close<S>(&self, sink: &mut Sink<S>, close: Message) -> Result<(), Error>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        sink.feed(close).await?;
        // From here on, tungstenite treats the server's close as an answer.
        poll_fn(|context| sink.poll_ready_unpin(context)).await?;
        self.is_closing.store(true, Ordering::Relaxed);
        self.flush(sink).await?;
        std::future::pending().await
    }
}

/// Sends tungstenite's prepared answer to the server's close. Returns whether that worked.
async fn answer_close<S>(sink: &mut Sink<S>) -> bool
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    match sink.flush().await {
        // A message that was not started is discarded.
        Err(Error::Protocol(ProtocolError::SendAfterClosing)) => sink.flush().await.is_ok(),
        flushed => flushed.is_ok(),
    }
}

/// Sends our answer to the server's close; the server then closes the connection (RFC 6455 §7.1.1).
async fn finish<S>(sink: &mut Sink<S>, stream: &mut Stream<S>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    answer_close(sink).await;
    while let Some(Ok(_)) = stream.next().await {}
}

/// Sends a close frame with the error, then reads until the server stops: closing with unread data would reset the
/// connection and discard our close frame.
async fn refuse<S>(mut sink: Sink<S>, stream: Stream<S>, code: CloseCode)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let _ = sink.send(close_message(code.into(), "")).await;
    let Ok(socket) = sink.reunite(stream) else { return };
    let mut raw = socket.into_inner();
    let _ = raw.shutdown().await;
    let mut waste = vec![0; 16 * 1024];
    while raw.read(&mut waste).await.is_ok_and(|read| read > 0) {}
}

fn close_message(code: u16, reason: &str) -> Message {
    let code = CloseCode::from(code);
    let end = (0..=reason.len().min(MAX_REASON)).rev().find(|end| reason.is_char_boundary(*end)).unwrap_or(0);
    let reason = Utf8Bytes::from(&reason[..end]);
    Message::Close(code.is_allowed().then_some(CloseFrame { code, reason }))
}

/// Code and reason of the server's close frame.
fn close_code(frame: Option<CloseFrame>) -> (Option<u16>, String) {
    match frame {
        // tungstenite substitutes this for a code that must not be sent (1005, 1006, 1015, …).
        Some(frame) if frame.code == CloseCode::Protocol && frame.reason.as_str() == "Protocol violation" => {
            (None, String::new())
        }
        Some(frame) => (Some(frame.code.into()), frame.reason.as_str().to_owned()),
        None => (None, String::new()),
    }
}

/// Our close frame was not answered.
fn unanswered() -> Why {
    let closing = Closing::ByUsUnanswered;
    Why::Closed { code: None, reason: String::new(), retry_after_ms: None, closing }
}

/// Classifies a read error.
fn broken(error: &Error) -> End {
    let violation = |code| End::Violation(Why::Violation { detail: error.to_string() }, code);
    match error {
        Error::Capacity(CapacityError::MessageTooLong { size, max_size }) => {
            End::Violation(too_large(*size, *max_size), CloseCode::Size)
        }
        Error::Utf8(_) => violation(CloseCode::Invalid),
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => {
            End::Lost(lost("the connection ended without a close frame"))
        }
        Error::Protocol(_) => violation(CloseCode::Protocol),
        Error::Io(error) => End::Lost(tls::lost(error)),
        other => End::Lost(lost(&other.to_string())),
    }
}

fn lost(detail: &str) -> Why {
    Why::Lost { detail: detail.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_close_frame_always_fits() {
        let reason = "한".repeat(60);
        let Message::Close(Some(frame)) = close_message(4001, &reason) else { panic!("no close frame") };
        assert_eq!((u16::from(frame.code), frame.reason.as_str()), (4001, &reason[..123]));
        assert_eq!(close_message(1006, "x"), Message::Close(None));
    }

    /// Messages that arrived before a flush are passed on before its report, so that they do not look like answers.
    #[tokio::test]
    async fn a_flush_report_follows_earlier_messages() {
        use tokio_tungstenite::tungstenite::protocol::Role;
        let (ours, theirs) = tokio::io::duplex(64 * 1024);
        let mut server = WebSocketStream::from_raw_socket(theirs, Role::Server, None).await;
        for _ in 0..10 {
            server.send(Message::text("early")).await.unwrap();
        }
        let socket = WebSocketStream::from_raw_socket(ours, Role::Client, None).await;
        let (mut connection, port) = super::super::channels(None, true);
        assert!(connection.send(Frame::Text("ours".to_owned())).await);
        let packing = Packing::new(super::super::Compression::Off, 1 << 20);
        tokio::spawn(run(socket, port, Pings::new().unwrap(), packing));
        for _ in 0..10 {
            assert_eq!(connection.recv().await, Some(Incoming::Frame(Frame::Text("early".to_owned()))));
        }
        assert_eq!(connection.recv().await, Some(Incoming::Flushed(1)));
    }
}
