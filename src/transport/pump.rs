//! Moves frames between an open WebSocket and a connection's channels, until either ends, and says how it ended.

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

use super::inflow::Intake;
use super::{CLOSE_WITHIN, Counters, Incoming, Outgoing, Port, too_large};
use crate::frame::Frame;
use crate::model::link_state::Why;

/// After a failed write, how long what the server said before it hung up may take to be read.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Maximum number of pings and pongs handled before other tasks have their turn.
const MAX_CONTROL_FRAMES: u32 = 64;

/// RFC 6455 §5.5: a control frame's payload is at most 125 bytes, two of which are the code.
const MAX_REASON: usize = 123;

/// How a connection ended.
enum End {
    /// The server closed it, or answered our close.
    Closed(Why),
    /// It broke, or nothing answered our close.
    Lost(Why),
    /// The server broke the rules; it is told so with this code.
    Violation(Why, CloseCode),
    /// The [`Connection`](super::Connection) was dropped.
    Dropped,
}

type Sink<S> = SplitSink<WebSocketStream<S>, Message>;
type Stream<S> = SplitStream<WebSocketStream<S>>;

/// Runs until the connection is over.
pub(super) async fn run<S>(socket: WebSocketStream<S>, port: Port)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let Port { mut outgoing, incoming, counters } = port;
    let (mut sink, mut stream) = socket.split();
    let end = tokio::select! {
        end = read(&mut stream, &incoming, &counters) => end,
        end = write(&mut sink, &mut outgoing, &counters) => end,
        () = incoming.closed() => End::Dropped,
    };
    // Whoever still sends learns at once that it is over.
    drop(outgoing);
    let tell = |why| async {
        // When nobody listens any more there is nobody to tell.
        let _ = incoming.send(Incoming::Closed(why)).await;
    };
    match end {
        End::Closed(why) => {
            tokio::join!(tell(why), timeout(CLOSE_WITHIN, finish(&mut sink, &mut stream)).map(drop));
        }
        End::Lost(why) => tell(why).await,
        End::Violation(why, code) => {
            tokio::join!(tell(why), timeout(CLOSE_WITHIN, refuse(sink, stream, code)).map(drop));
        }
        End::Dropped => {
            // As far as the socket takes it at once: closing must not wait for a server that has stopped reading.
            let going = close_message(CloseCode::Away.into(), "");
            let _ = sink.send(going).now_or_never();
        }
    }
}

async fn read<S>(stream: &mut Stream<S>, incoming: &Intake, counters: &Counters) -> End
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut control_frames = 0;
    loop {
        let frame = match stream.next().await {
            // Copied, because these share tungstenite's buffer and would keep all of it alive.
            Some(Ok(Message::Text(text))) => Frame::Text(text.as_str().to_owned()),
            Some(Ok(Message::Binary(bytes))) => Frame::Binary(bytes.to_vec()),
            Some(Ok(Message::Close(frame))) => return End::Closed(closed(frame)),
            // tungstenite answers pings when it is next asked to read.
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {
                control_frames += 1;
                // Thousands of them are in one read of the socket, and nothing waits for them.
                if control_frames % MAX_CONTROL_FRAMES == 0 {
                    yield_now().await;
                }
                continue;
            }
            Some(Err(error)) => return broken(&error),
            None => return End::Lost(lost("the connection ended without a close")),
        };
        counters.received(frame.len());
        if !incoming.send(Incoming::Frame(frame)).await {
            return End::Dropped;
        }
    }
}

async fn write<S>(sink: &mut Sink<S>, outgoing: &mut mpsc::Receiver<Outgoing>, counters: &Counters) -> End
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    while let Some(first) = outgoing.recv().await {
        match write_batch(sink, first, outgoing, counters).await {
            Ok(None) => {}
            Ok(Some(close)) => {
                // The reader ends first when the server answers.
                let _ = timeout(CLOSE_WITHIN, sink.send(close).then(|_| sleep(CLOSE_WITHIN))).await;
                return End::Lost(lost("the server did not answer our close"));
            }
            Err(error) => {
                // The reader ends first when the server gave a reason.
                sleep(LAST_WORDS).await;
                return End::Lost(lost(&error.to_string()));
            }
        }
    }
    End::Dropped
}

/// Writes everything that is waiting, then flushes once. Returns the close, when one was asked for.
async fn write_batch<S>(
    sink: &mut Sink<S>,
    first: Outgoing,
    outgoing: &mut mpsc::Receiver<Outgoing>,
    counters: &Counters,
) -> Result<Option<Message>, Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut next = Some(first);
    while let Some(item) = next {
        let frame = match item {
            Outgoing::Frame(frame) => frame,
            Outgoing::Close { code, reason } => return Ok(Some(close_message(code, &reason))),
        };
        let size = frame.len();
        let message = match frame {
            Frame::Text(text) => Message::text(text),
            Frame::Binary(bytes) => Message::binary(bytes),
        };
        sink.feed(message).await?;
        counters.sent(size);
        next = outgoing.try_recv().ok();
    }
    sink.flush().await?;
    Ok(None)
}

/// Our answer to the server's close goes out; the server then hangs up (RFC 6455 §7.1.1).
async fn finish<S>(sink: &mut Sink<S>, stream: &mut Stream<S>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let _ = sink.flush().await;
    while let Some(Ok(_)) = stream.next().await {}
}

/// Says what was wrong, then lets the server run dry: hanging up while it still sends would reset the connection, and
/// our close with it.
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

/// What the server's close frame says.
fn closed(frame: Option<CloseFrame>) -> Why {
    let (code, reason) = match frame {
        // tungstenite puts this in the place of a code that must not be sent (1005, 1006, 1015, …).
        Some(frame) if frame.code == CloseCode::Protocol && frame.reason.as_str() == "Protocol violation" => {
            (None, String::new())
        }
        Some(frame) => (Some(frame.code.into()), frame.reason.as_str().to_owned()),
        None => (None, String::new()),
    };
    Why::Closed { code, reason, retry_after_ms: None }
}

/// What an error while reading means.
fn broken(error: &Error) -> End {
    let violation = |code| End::Violation(Why::Violation { detail: error.to_string() }, code);
    match error {
        Error::Capacity(CapacityError::MessageTooLong { size, max_size }) => {
            End::Violation(too_large(*size, *max_size), CloseCode::Size)
        }
        Error::Utf8(_) => violation(CloseCode::Invalid),
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => {
            End::Lost(lost("the connection ended without a close"))
        }
        Error::Protocol(_) => violation(CloseCode::Protocol),
        Error::Io(error) => End::Lost(lost(&error.to_string())),
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
}
