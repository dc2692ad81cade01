//! WebSocket by ewebsock: what a browser can do, and so the minimum that the rest of the app must support.
//!
//! ewebsock starts tasks that cannot be stopped, reports through a callback, and accepts messages without reporting
//! that its queue is full. So each connection has a thread with its own runtime: ending it cancels a dial that hangs,
//! and blocking the callback applies backpressure to the server. While it is blocked, nothing is sent either.

use std::cell::Cell;
use std::ops::ControlFlow;
use std::pin::pin;
use std::sync::{Arc, Once};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;

use ewebsock::{Options, WsEvent, WsMessage, WsSender};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Duration, sleep, timeout};

use super::incoming::Intake;
use super::packing::Packing;
use super::ping::Pings;
use super::{
    CLOSE_WITHIN, Capabilities, Connection, Counters, Endpoint, Incoming, Outgoing, Port, UrlParts, channels,
    connect, proxy, scheme, too_large,
};
use crate::frame::Frame;
use crate::model::link_state::{Closing, Phase, Why};

pub(super) const CAPABILITIES: Capabilities = Capabilities {
    close_code: false,
    own_ca: false,
    fingerprint: false,
    headers: true,
    retry_after: false,
    timeout_phase: false,
    flush: false,
    agreement: false,
    ping: true,
    proxy: false,
};

/// Maximum number of messages waiting for space in ewebsock's own queue of 1,000.
const MAX_WAITING: usize = 256;

/// Polling interval for that space.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

pub(super) async fn dial(target: Endpoint) -> Result<Connection, Why> {
    let place = UrlParts::parse(&target.url)?;
    if place.zone.is_some() {
        let detail = "ewebsock cannot dial an address with a network interface".to_owned();
        return Err(Why::Unsupported { detail });
    }
    let options = options(&target)?;
    if proxy::is_used(&place, &target).await? {
        let detail = "ewebsock cannot use a proxy".to_owned();
        return Err(Why::Unsupported { detail });
    }
    let again = (UrlParts::parse(&target.url)?, target.clone());
    // The normalised URL, which may differ from the input.
    let url = place.uri.to_string();
    let subprotocol = target.subprotocols.first().cloned();
    let pings = Arc::new(Pings::new()?);
    // ewebsock does not report flushes.
    let (connection, port) = channels(subprotocol, false);
    let (opened, answer) = oneshot::channel();
    let dialing = Dialing {
        place,
        url,
        options,
        max_frame: target.max_frame,
        opened,
        port,
        pings,
        packing: Arc::new(Packing::new(target.compression, target.max_frame)),
        offered: target.subprotocols,
    };
    thread::Builder::new()
        .name("ewebsock".to_owned())
        .spawn(move || dialing.serve())
        .map_err(|error| Why::Unreachable { detail: error.to_string() })?;
    // Returning early drops `connection`, which ends the thread.
    match timeout(target.deadline, answer).await {
        Ok(Ok(Ok(()))) => Ok(connection),
        Ok(Ok(Err(why))) => Err(scheme::explain(why, &again.0, &again.1).await),
        Ok(Err(_)) => Err(lost("the connection ended while opening")),
        Err(_) => Err(Why::TimedOut { during: Phase::Dial }),
    }
}

fn options(target: &Endpoint) -> Result<Options, Why> {
    let unsupported = |detail: String| Why::Unsupported { detail };
    target.check_upgrade()?;
    if target.subprotocols.len() > 1 {
        return Err(unsupported(
            "ewebsock cannot tell which of several subprotocols was agreed on".to_owned(),
        ));
    }
    if target.ca_file.is_some() {
        return Err(unsupported("ewebsock cannot trust a CA file of one connection".to_owned()));
    }
    if target.client_certificate.is_some() {
        return Err(unsupported("ewebsock cannot show a client certificate".to_owned()));
    }
    if target.fingerprint.is_some() {
        return Err(unsupported("ewebsock cannot trust a certificate by its fingerprint".to_owned()));
    }
    let headers = target.headers.iter().map(|(name, value)| match value.to_str() {
        Ok(value) => Ok((name.as_str().to_owned(), value.to_owned())),
        Err(_) => Err(unsupported(format!("ewebsock cannot send the header {name}: it is not plain text"))),
    });
    Ok(Options {
        max_incoming_frame_size: target.max_frame,
        additional_headers: headers.collect::<Result<_, _>>()?,
        subprotocols: target.subprotocols.clone(),
        ..Options::default()
    })
}

/// What a connection's thread needs.
struct Dialing {
    place: UrlParts,
    url: String,
    options: Options,
    max_frame: usize,
    opened: oneshot::Sender<Result<(), Why>>,
    port: Port,
    pings: Arc<Pings>,
    packing: Arc<Packing>,
    offered: Vec<String>,
}

impl Dialing {
    /// Runs the thread of one connection.
    fn serve(self) {
        // rustls panics if two providers are available and none is installed.
        static PROVIDER: Once = Once::new();
        PROVIDER.call_once(|| {
            if rustls::crypto::ring::default_provider().install_default().is_err() {
                log::debug!("a TLS provider is already installed");
            }
        });
        match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => {
                runtime.block_on(self.run());
                // A name lookup cannot be cancelled and must not block this thread.
                runtime.shutdown_background();
            }
            Err(error) => {
                let _ = self.opened.send(Err(Why::Unreachable { detail: error.to_string() }));
            }
        }
    }

    async fn run(self) {
        let Port { mut outgoing, incoming, counters } = self.port;
        let (ended, mut end) = oneshot::channel();
        let handler = Handler {
            host: self.place.host,
            offered: self.offered,
            max_frame: self.max_frame,
            incoming: incoming.clone(),
            counters: counters.clone(),
            pings: self.pings.clone(),
            packing: self.packing.clone(),
            opened: Cell::new(Some(self.opened)),
            ended: Cell::new(Some(ended)),
        };
        let connected = ewebsock::ws_connect(
            self.url,
            self.options,
            Box::new(move |event| {
                handler.handle(event);
                ControlFlow::Continue(())
            }),
        );
        let sender = match connected {
            Ok(sender) => sender,
            // Does not happen on native targets. The handler and its `opened` sender are dropped, which informs the
            // dialer.
            Err(error) => return log::warn!("ewebsock: {error}"),
        };
        let over = async {
            tokio::select! {
                why = &mut end => Some(why.unwrap_or_else(|_| lost("the connection ended without a close"))),
                asked = write(sender, &mut outgoing, &counters, &self.pings, &self.packing) => {
                    if asked { Some(hung_up(&mut end).await) } else { None }
                }
            }
        };
        let why = tokio::select! {
            why = over => why,
            () = incoming.closed() => None,
        };
        // The connection was dropped: there is no receiver, and ending the runtime closes the socket.
        let Some(why) = why else { return };
        drop(outgoing);
        // Fails if the receiver is gone.
        let _ = incoming.send(Incoming::Closed(why)).await;
    }
}

/// Waits until ewebsock has closed the connection, which it does once its close frame is sent.
async fn hung_up(end: &mut oneshot::Receiver<Why>) -> Why {
    match timeout(CLOSE_WITHIN, end).await {
        // ewebsock does not report whose close frame came first.
        Ok(Ok(Why::Closed { .. })) => closed(Closing::ByUs),
        Ok(Ok(why @ Why::Violation { .. })) => why,
        _ => closed(Closing::ByUsUnanswered),
    }
}

/// Sends until a close is requested; returns false when the connection is dropped. Dropping the sender closes the
/// socket.
async fn write(
    mut sender: WsSender,
    outgoing: &mut mpsc::Receiver<Outgoing>,
    counters: &Counters,
    pings: &Pings,
    packing: &Packing,
) -> bool {
    // Each message waiting for space is a task on this thread's runtime, so the task count is the queue length.
    let tasks = tokio::runtime::Handle::current().metrics();
    while let Some(item) = outgoing.recv().await {
        let message = match item {
            Outgoing::Frame(frame) => {
                counters.sent(frame.len());
                match packing.pack(frame) {
                    Frame::Text(text) => WsMessage::Text(text),
                    Frame::Binary(bytes) => WsMessage::Binary(bytes),
                }
            }
            Outgoing::Ping => WsMessage::Ping(pings.next()),
            Outgoing::Compress => {
                packing.begin();
                continue;
            }
            Outgoing::Close { .. } => return true,
        };
        sender.send(message);
        if tasks.num_alive_tasks() > MAX_WAITING {
            for _ in 0..8 {
                tokio::task::yield_now().await;
            }
        }
        while tasks.num_alive_tasks() > MAX_WAITING {
            sleep(LOOK_AGAIN).await;
        }
    }
    false
}

/// Handles ewebsock's events on the connection's thread.
struct Handler {
    host: String,
    offered: Vec<String>,
    max_frame: usize,
    incoming: Intake,
    counters: Arc<Counters>,
    pings: Arc<Pings>,
    packing: Arc<Packing>,
    /// `Some` until the dial has its answer.
    opened: Cell<Option<oneshot::Sender<Result<(), Why>>>>,
    /// `Some` until the connection has ended. Later events are ignored.
    ended: Cell<Option<oneshot::Sender<Why>>>,
}

impl Handler {
    fn handle(&self, event: WsEvent) {
        match event {
            WsEvent::Opened => {
                if let Some(opened) = self.opened.take() {
                    let _ = opened.send(Ok(()));
                }
            }
            WsEvent::Message(WsMessage::Text(text)) => self.pass_on(Frame::Text(text)),
            WsEvent::Message(WsMessage::Binary(bytes)) => self.pass_on(Frame::Binary(bytes)),
            WsEvent::Message(WsMessage::Pong(payload)) if self.pings.is_answer(&payload) => {
                self.queue(Incoming::Pong);
            }
            WsEvent::Message(_) => {}
            WsEvent::Error(text) => match self.opened.take() {
                Some(opened) => {
                    let _ = opened.send(Err(refused(&text, &self.host, &self.offered)));
                }
                None => self.end(broken(&text)),
            },
            WsEvent::Closed => self.end(closed(Closing::ByServer)),
        }
    }

    fn pass_on(&self, frame: Frame) {
        // ewebsock limits single frames, but a message may consist of several.
        if frame.len() > self.max_frame {
            return self.end(too_large(frame.len(), self.max_frame));
        }
        match self.packing.unpack(frame) {
            Ok(frame) => self.queue(Incoming::Frame(frame)),
            Err(why) => self.end(why),
        }
    }

    fn queue(&self, item: Incoming) {
        let Some(ended) = self.ended.take() else { return };
        self.ended.set(Some(ended));
        if let Incoming::Frame(frame) = &item {
            self.counters.received(frame.len());
        }
        // Blocks while the queue is full, which applies backpressure. Fails once the connection is dropped, which is
        // not an error here.
        let _ = block_on(tokio::task::unconstrained(self.incoming.send(item)));
    }

    fn end(&self, why: Why) {
        if let Some(ended) = self.ended.take() {
            let _ = ended.send(why);
        }
    }
}

/// Blocks inside a task, where tokio's own blocking calls panic. Not for futures that use tokio's task budget: it is
/// not reset here.
fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(thread::Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

/// Classifies an error before [`WsEvent::Opened`]. The texts are tungstenite 0.24's, and the system's after "IO
/// error".
fn refused(text: &str, host: &str, offered: &[String]) -> Why {
    let detail = text.to_owned();
    if let Some(detail) = text.strip_prefix("IO error: ") {
        return refused_io(detail, host);
    }
    if let Some(rest) = text.strip_prefix("HTTP error: ") {
        let status: Option<u16> = rest.split(' ').next().and_then(|status| status.parse().ok());
        return match status {
            // The `Location` is not available here.
            Some(status @ (300..=303 | 307 | 308)) => Why::Redirected { status, location: None },
            Some(status @ (102..)) => Why::Http { status, retry_after_ms: None },
            _ => Why::NotWebSocket { detail },
        };
    }
    if let Some(rest) = text.strip_prefix("WebSocket protocol error: ") {
        return match rest {
            "Handshake not finished" => lost("the server hung up instead of answering"),
            "SubProtocol error: Server sent no subprotocol" => {
                Why::NoSubprotocol { offered: offered.to_vec() }
            }
            rest if rest.starts_with("SubProtocol error") => Why::Violation { detail },
            _ => Why::NotWebSocket { detail },
        };
    }
    let answers = ["HTTP format error", "Attack attempt", "UTF-8 encoding error", "Space limit exceeded"];
    if answers.iter().any(|start| text.starts_with(start)) {
        return Why::NotWebSocket { detail };
    }
    if text.starts_with("Failed to parse URL") || text.starts_with("URL error") {
        return Why::BadUrl { detail };
    }
    Why::Unreachable { detail }
}

fn refused_io(detail: &str, host: &str) -> Why {
    if detail.starts_with("failed to lookup address information") {
        return Why::NameNotFound { host: host.to_owned() };
    }
    if detail.starts_with("received corrupt message") || detail.starts_with("received fatal alert") {
        return Why::TlsFailed { detail: detail.to_owned() };
    }
    if detail.starts_with("tls handshake eof") {
        return lost(detail);
    }
    if let Some(detail) = detail.strip_prefix("invalid peer certificate: ") {
        return Why::TlsUntrusted { detail: detail.to_owned() };
    }
    // The standard library ends messages with the error number, which does not depend on the language.
    let number = detail.rsplit_once("(os error ").and_then(|(_, end)| end.strip_suffix(')')?.parse().ok());
    match number {
        // WSAHOST_NOT_FOUND to WSANO_DATA.
        Some(11001..=11004) if cfg!(windows) => Why::NameNotFound { host: host.to_owned() },
        Some(number) => connect::why(&std::io::Error::from_raw_os_error(number)),
        None => Why::Unreachable { detail: detail.to_owned() },
    }
}

/// Classifies an error after [`WsEvent::Opened`].
fn broken(text: &str) -> Why {
    let rules = ["Space limit exceeded", "UTF-8 encoding error", "WebSocket protocol error"];
    let broke_a_rule =
        rules.iter().any(|rule| text.starts_with(rule)) && !text.contains("without closing handshake");
    if broke_a_rule { Why::Violation { detail: text.to_owned() } } else { lost(text) }
}

fn closed(closing: Closing) -> Why {
    Why::Closed { code: None, reason: String::new(), retry_after_ms: None, closing }
}

fn lost(detail: &str) -> Why {
    Why::Lost { detail: detail.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ewebsock_errors_are_classified() {
        let code = |text| refused(text, "a.example", &[]).code();
        assert_eq!(
            refused("HTTP error: 401 Unauthorized", "", &[]),
            Why::Http { status: 401, retry_after_ms: None }
        );
        assert_eq!(code("HTTP error: 200 OK"), "http");
        assert_eq!(code("HTTP error: 302 Found"), "redirected");
        assert_eq!(code("IO error: invalid peer certificate: UnknownIssuer"), "tls_untrusted");
        assert_eq!(code("WebSocket protocol error: Handshake not finished"), "lost");
        assert_eq!(code("WebSocket protocol error: httparse error: invalid HTTP version"), "not_web_socket");
        assert_eq!(code("something new"), "unreachable");
        let refusal = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        assert_eq!(code(&format!("IO error: {refusal}")), "unreachable");
        assert_eq!(
            broken("WebSocket protocol error: Connection reset without closing handshake").code(),
            "lost"
        );
        assert_eq!(broken("Space limit exceeded: Message too long: 9 > 8").code(), "violation");
    }
}
