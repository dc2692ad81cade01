//! A stream of bytes by TCP, plain or with TLS: `stomp://`, `stomps://`, `mqtt://`, `mqtts://`. Frames are pieces of the stream as they come, text
//! where a piece is UTF-8; what is sent is written as it is. There are no pings and no close codes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::time::{Duration, Instant, sleep, timeout, timeout_at};
use tokio_tungstenite::MaybeTlsStream;

use super::connect::{ByteStream, Opened};
use super::incoming::Intake;
use super::{
    CLOSE_WITHIN, Connection, Counters, Endpoint, Incoming, Outgoing, Port, QUEUE, UrlParts, channels,
    connect, tls,
};
use crate::frame::Frame;
use crate::model::link_state::{Closing, Phase, Why};

/// Maximum size of a piece, in bytes.
const MAX_PIECE: usize = 64 * 1024;
/// Maximum number of pieces passed on before a flush report, while more are available.
const MAX_PIECES_BEFORE_REPORT: usize = QUEUE;
/// Maximum number of bytes that are gathered for one write.
const MAX_WRITE: usize = 64 * 1024;
/// After a failed write, how long to keep reading what the server sent before it closed.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// How a connection ended.
enum End {
    /// The server ended the stream.
    Ended,
    /// We ended it, and the server did not follow.
    Unanswered,
    /// It broke.
    Lost(Why),
    /// The [`Connection`] was dropped.
    Dropped,
}

/// Opens a connection.
///
/// # Errors
/// Why it could not be opened within [`Endpoint::deadline`].
pub(super) async fn dial(target: Endpoint) -> Result<Connection, Why> {
    let deadline = Instant::now() + target.deadline;
    let timed_out = |during| move |_| Why::TimedOut { during };
    let place = UrlParts::parse(&target.url)?;
    if !place.secure && target.has_certificates() {
        let detail =
            "a certificate is to be checked or shown, but the address has none; use stomps:// or mqtts://"
                .to_owned();
        return Err(Why::BadUrl { detail });
    }
    let open = async {
        let connector = if place.secure { Some(tls::connector_for(&target, &[]).await?) } else { None };
        Ok((connector, connect::open(&place, &target).await?))
    };
    let (connector, Opened { stream, proxy, .. }) =
        timeout_at(deadline, open).await.map_err(timed_out(Phase::Dial))??;
    let greet = async {
        Ok::<MaybeTlsStream<ByteStream>, Why>(match connector {
            Some(connector) => {
                MaybeTlsStream::Rustls(Box::pin(tls::greet(&connector, &place.host, stream)).await?)
            }
            None => MaybeTlsStream::Plain(stream),
        })
    };
    let stream = timeout_at(deadline, greet).await.map_err(timed_out(Phase::Handshake))??;
    let (mut connection, port) = channels(None, target.report_flushed);
    (connection.is_stream, connection.proxy) = (true, proxy);
    tokio::spawn(run(stream, port));
    Ok(connection)
}

/// State shared by reading and writing.
struct Pump {
    incoming: Intake,
    counters: Arc<Counters>,
    /// We ended our half of the stream.
    is_closing: AtomicBool,
}

/// Runs until the connection has ended.
async fn run<S>(stream: S, port: Port)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let Port { mut outgoing, incoming, counters } = port;
    let pump = Pump { incoming, counters, is_closing: AtomicBool::new(false) };
    let (mut reader, mut writer) = tokio::io::split(stream);
    let end = tokio::select! {
        end = pump.read(&mut reader) => end,
        end = pump.write(&mut writer, &mut outgoing) => end,
        () = pump.incoming.closed() => End::Dropped,
    };
    // Makes further sends fail at once.
    drop(outgoing);
    let closed = |closing| Why::Closed { code: None, reason: String::new(), retry_after_ms: None, closing };
    let why = match end {
        End::Ended if pump.is_closing.load(Ordering::Relaxed) => closed(Closing::ByUs),
        End::Ended => closed(Closing::ByServer),
        End::Unanswered => closed(Closing::ByUsUnanswered),
        End::Lost(_) if pump.is_closing.load(Ordering::Relaxed) => closed(Closing::ByUsUnanswered),
        End::Lost(why) => why,
        End::Dropped => return,
    };
    // Fails if the receiver is gone.
    let _ = pump.incoming.send(Incoming::Closed(why)).await;
}

impl Pump {
    async fn read(&self, reader: &mut (impl AsyncRead + Unpin)) -> End {
        let mut buffer = vec![0; MAX_PIECE];
        let mut unreported = 0;
        loop {
            let read = tokio::select! {
                biased;
                read = reader.read(&mut buffer), if unreported < MAX_PIECES_BEFORE_REPORT => read,
                () = self.incoming.has_report() => {
                    unreported = 0;
                    self.incoming.report().await;
                    continue;
                }
                // Nothing to report: read on.
                () = std::future::ready(()), if unreported >= MAX_PIECES_BEFORE_REPORT => {
                    unreported = 0;
                    continue;
                }
            };
            let size = match read {
                Ok(0) => return End::Ended,
                Ok(size) => size,
                Err(error) => return End::Lost(tls::lost(&error)),
            };
            unreported += 1;
            self.counters.received(size);
            let frame = match std::str::from_utf8(&buffer[..size]) {
                Ok(text) => Frame::Text(text.to_owned()),
                Err(_) => Frame::Binary(buffer[..size].to_vec()),
            };
            if !self.incoming.send(Incoming::Frame(frame)).await {
                return End::Dropped;
            }
        }
    }

    async fn write(
        &self,
        writer: &mut (impl AsyncWrite + Unpin),
        outgoing: &mut mpsc::Receiver<Outgoing>,
    ) -> End {
        let mut bytes = Vec::new();
        while let Some(first) = outgoing.recv().await {
            match self.write_batch(writer, &mut bytes, first, outgoing).await {
                Ok(false) => {}
                Ok(true) => {
                    // The reader ends first if the server ends its half, too.
                    sleep(CLOSE_WITHIN).await;
                    return End::Unanswered;
                }
                Err(error) => {
                    // The reader ends first if the server gave a reason.
                    sleep(LAST_WORDS).await;
                    return End::Lost(tls::lost(&error));
                }
            }
        }
        End::Dropped
    }

    /// Writes what is in the queue, then flushes once. Returns whether we ended our half of the stream.
    async fn write_batch(
        &self,
        writer: &mut (impl AsyncWrite + Unpin),
        bytes: &mut Vec<u8>,
        first: Outgoing,
        outgoing: &mut mpsc::Receiver<Outgoing>,
    ) -> std::io::Result<bool> {
        bytes.clear();
        let (mut next, mut sizes, mut is_last) = (Some(first), Vec::new(), false);
        while let Some(item) = next {
            match item {
                Outgoing::Frame(frame) => {
                    sizes.push(frame.len());
                    match frame {
                        Frame::Text(text) => bytes.extend_from_slice(text.as_bytes()),
                        Frame::Binary(more) => bytes.extend_from_slice(&more),
                    }
                }
                Outgoing::Ping | Outgoing::Compress => {}
                Outgoing::Close { .. } => {
                    is_last = true;
                    break;
                }
            }
            next = if bytes.len() < MAX_WRITE { outgoing.try_recv().ok() } else { None };
        }
        let written = async {
            writer.write_all(bytes).await?;
            writer.flush().await
        };
        match is_last {
            // Closing must not wait for a server that does not read.
            true => timeout(CLOSE_WITHIN, written).await.unwrap_or(Ok(()))?,
            false => written.await?,
        }
        sizes.into_iter().for_each(|size| self.counters.sent(size));
        self.incoming.flushed(self.counters.traffic().frames_out);
        if is_last {
            self.is_closing.store(true, Ordering::Relaxed);
            // A server that has closed already is fine.
            let _ = timeout(CLOSE_WITHIN, writer.shutdown()).await;
        }
        Ok(is_last)
    }
}
