//! [`ChannelEnd`]: a channel as the task of its client sees it, with the WebSocket that has joined it.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use serde::Deserialize;
use tokio::time::{Instant, timeout};

use super::super::packer::Packer;
use super::super::socket::{Outgoing, Received, Socket};
use super::super::state::Hub;
use super::{Channel, Ended, LOST, State};
use crate::frame::Frame;
use crate::model::PrincipalId;
use crate::wire::duplex::channel::{FromSocket, MAX_KEPT_BYTES, ToSocket, Violation};

/// A joined WebSocket that accepts no data for this long is given up. The channel goes on without it.
const SOCKET_PATIENCE: Duration = Duration::from_secs(20);
/// How a frame begins that says how the session ends.
const BYE: &str = r#"{"type":"bye""#;

/// The task's end of a channel. The channel ends with it.
pub(in super::super) struct ChannelEnd {
    hub: Arc<Hub>,
    channel: Arc<Channel>,
    /// The WebSocket that has joined.
    socket: Option<Socket>,
    is_admitted: bool,
    /// Compressed frames were agreed on, over WebSockets.
    packer: Option<Arc<Packer>>,
    /// All that was sent has been handed out, and the task knows it.
    is_drained: bool,
    /// What the last `bye` said of coming back.
    retry_after_ms: Option<u64>,
}

/// Why a write goes on.
enum Room {
    /// There is room for more.
    Free,
    /// There is something for the WebSocket.
    Pump,
    /// The channel has ended.
    Ended,
}

impl ChannelEnd {
    pub(super) fn new(channel: Arc<Channel>, hub: Arc<Hub>) -> ChannelEnd {
        ChannelEnd {
            hub,
            channel,
            socket: None,
            is_admitted: false,
            packer: None,
            is_drained: true,
            retry_after_ms: None,
        }
    }

    /// The WebSocket that has joined.
    pub(in super::super) fn socket(&mut self) -> Option<&mut Socket> {
        self.socket.as_mut()
    }

    /// The client is authenticated.
    pub(in super::super) fn admit(&mut self, principal: &PrincipalId) {
        self.is_admitted = true;
        if let Some(socket) = &mut self.socket {
            socket.admit();
        }
        let mut state = self.channel.lock();
        state.before_welcome = None;
        if let Some(slot) = state.receiver_slot.take() {
            // Where the principal has too many, the connection keeps its short lifetime.
            let _ = slot.carry(principal);
        }
        state.principal = Some(principal.clone());
    }

    /// Frames over WebSockets may be compressed from now on, and compressed ones are read there.
    pub(in super::super) fn compress(&mut self, packer: &Arc<Packer>) {
        self.packer = Some(Arc::clone(packer));
        if let Some(socket) = &mut self.socket {
            socket.compress(Arc::clone(packer));
        }
    }

    /// Whether everything was handed out, so that the session may send what it holds back.
    pub(in super::super) fn is_drained(&mut self) -> bool {
        self.is_drained = self.channel.lock().numbers.is_handed_out();
        self.is_drained
    }

    /// When the channel is abandoned, if nothing comes before.
    pub(in super::super) fn abandoned_at(&self) -> Option<Instant> {
        self.socket.is_none().then(|| self.channel.lock().abandoned_at())
    }

    /// Waits for the next input.
    pub(in super::super) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Received> {
        self.channel.task.register(cx.waker());
        loop {
            if let Some(received) = self.poll_state() {
                return Poll::Ready(received);
            }
            let Some(received) = std::task::ready!(self.poll_socket(cx)) else {
                self.drop_socket();
                continue;
            };
            let Received::Text(text) = received else { return Poll::Ready(received) };
            let bytes = text.len();
            return Poll::Ready(match self.take_from_socket(Frame::Text(text)) {
                Ok(Some(Frame::Text(text))) => Received::Text(text),
                Ok(_) => Received::OwnFrame(bytes),
                Err(violation) => Received::Broken(violation.to_string()),
            });
        }
    }

    /// What came other than over the WebSocket.
    fn poll_state(&mut self) -> Option<Received> {
        let channel = Arc::clone(&self.channel);
        let mut state = channel.lock();
        if state.ended.is_some() {
            return Some(Received::Closed);
        }
        if let Some(fault) = state.fault.take() {
            return Some(fault);
        }
        if self.adopt(&mut state) {
            return Some(Received::Writable);
        }
        if let Some(frame) = state.take() {
            channel.count(&mut state);
            drop(state);
            // There is room for another one.
            channel.changed.notify_waiters();
            return Some(match frame {
                Frame::Text(text) => Received::Text(text),
                Frame::Binary(bytes) => Received::Binary(bytes.len()),
            });
        }
        if std::mem::take(&mut state.has_come) {
            return Some(Received::Alive);
        }
        if !self.is_drained && state.numbers.is_handed_out() {
            self.is_drained = true;
            return Some(Received::Drained);
        }
        (self.socket.is_some() && state.numbers.owes_on_socket()).then_some(Received::Writable)
    }

    /// Takes a new WebSocket over, and drops one that the client has left; true if there is a new one.
    fn adopt(&mut self, state: &mut State) -> bool {
        if let Some(socket) = state.joining.take() {
            let mut socket = *socket;
            if self.is_admitted {
                socket.admit();
            }
            self.packer.iter().for_each(|packer| socket.compress(Arc::clone(packer)));
            socket.reads(true);
            self.socket = Some(socket);
            return true;
        }
        if !state.numbers.is_joined() {
            self.socket = None;
        }
        false
    }

    /// What came over the WebSocket; `None` when it is gone. Pending without one.
    fn poll_socket(&mut self, cx: &mut Context<'_>) -> Poll<Option<Received>> {
        let Some(socket) = &mut self.socket else { return Poll::Pending };
        if socket.poll_evicted(cx).is_ready() {
            return Poll::Ready(None);
        }
        match std::task::ready!(socket.poll_next(cx)) {
            // However it ends: the client goes on with requests.
            Received::Closed | Received::Broken(_) => Poll::Ready(None),
            received => Poll::Ready(Some(received)),
        }
    }

    /// A frame of the WebSocket; returns it if it is for the session, and new.
    fn take_from_socket(&mut self, frame: Frame) -> Result<Option<Frame>, Violation> {
        let mut state = self.channel.lock();
        let received = state.numbers.receive_on_socket(frame);
        self.channel.count(&mut state);
        match received? {
            FromSocket::Frame(frame) => Ok(Some(frame)),
            FromSocket::Nothing => Ok(None),
        }
    }

    /// The WebSocket is gone: the channel waits for requests.
    fn drop_socket(&mut self) {
        self.socket = None;
        let mut state = self.channel.lock();
        if state.joining.is_none() {
            state.numbers.leave();
            state.idle_since = Instant::now();
        }
        // Somebody sees to it that the grace period is counted.
        state.has_come = true;
        drop(state);
        self.channel.task.wake();
    }

    /// Keeps frames for the client and hands them to the WebSocket or to requests. Returns once there is room for more. As over a
    /// WebSocket, the caller gives up after a while.
    pub(in super::super) async fn write(&mut self, frames: Vec<Outgoing>) -> io::Result<()> {
        let mut has_ping = false;
        {
            let mut state = self.channel.lock();
            for frame in frames {
                match frame {
                    Outgoing::Own(text) => {
                        if text.starts_with(BYE) {
                            self.retry_after_ms = retry_after_ms(&text);
                        }
                        state.numbers.send(text.into());
                    }
                    Outgoing::Shared(text) => {
                        state.numbers.send(text);
                    }
                    // Requests show that the client is there.
                    Outgoing::Ping => has_ping = true,
                }
            }
            self.channel.count(&mut state);
        }
        self.channel.changed.notify_waiters();
        loop {
            self.pump(std::mem::take(&mut has_ping)).await;
            match poll_fn(|cx| self.poll_room(cx)).await {
                Room::Free => return Ok(()),
                Room::Pump => {}
                Room::Ended => return Err(io::ErrorKind::NotConnected.into()),
            }
        }
    }

    /// Waits until there is room. What comes over the WebSocket meanwhile is kept: confirmations are among it.
    fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<Room> {
        self.channel.task.register(cx.waker());
        let channel = Arc::clone(&self.channel);
        loop {
            {
                let mut state = channel.lock();
                if state.ended.is_some() {
                    return Poll::Ready(Room::Ended);
                }
                if self.adopt(&mut state) || (self.socket.is_some() && state.numbers.has_for_socket()) {
                    return Poll::Ready(Room::Pump);
                }
                if !channel.is_full(&state) {
                    return Poll::Ready(Room::Free);
                }
                if state.is_crowded() || state.fault.is_some() {
                    return Poll::Pending;
                }
            }
            let received = match std::task::ready!(self.poll_socket(cx)) {
                Some(Received::Text(text)) => self.take_from_socket(Frame::Text(text)),
                Some(Received::Alive | Received::Unfinished) => Ok(None),
                Some(fault) => {
                    channel.lock().fault = Some(fault);
                    continue;
                }
                None => {
                    self.drop_socket();
                    continue;
                }
            };
            let mut state = channel.lock();
            match received {
                Ok(frame) => frame.into_iter().for_each(|frame| state.keep(frame)),
                Err(violation) => state.fault = Some(Received::Broken(violation.to_string())),
            }
            channel.count(&mut state);
        }
    }

    /// Writes to the WebSocket what there is for it. Where that fails, the WebSocket is given up.
    async fn pump(&mut self, mut has_ping: bool) {
        while let Some(socket) = &mut self.socket {
            let mut batch = Vec::new();
            let mut bytes = 0;
            {
                let mut state = self.channel.lock();
                let confirms = state.incoming.is_empty();
                while bytes < MAX_KEPT_BYTES
                    && let Some(next) = state.numbers.next_on_socket(confirms)
                {
                    let next = match next {
                        ToSocket::Control(text) => Outgoing::Own(text),
                        ToSocket::Frame(text) => Outgoing::Shared(text),
                    };
                    bytes += next.len();
                    batch.push(next);
                }
                self.channel.count(&mut state);
            }
            if std::mem::take(&mut has_ping) {
                batch.push(Outgoing::Ping);
            }
            if batch.is_empty() {
                return;
            }
            let is_written = write_or_leave(&self.channel, socket, &batch).await;
            if !is_written {
                self.drop_socket();
            }
        }
    }

    /// Ends the channel with what a close frame would say. What was not confirmed can be asked for a while longer.
    pub(in super::super) async fn close(mut self, code: u16, reason: &str) {
        self.end(code, reason);
        if let Some(socket) = self.socket.take() {
            socket.close(code, reason).await;
        }
    }

    fn end(&self, code: u16, reason: &str) {
        let ended = Ended { code, reason: reason.to_owned(), retry_after_ms: self.retry_after_ms };
        if self.channel.end(ended) {
            self.hub.channels.ended(&self.channel);
        }
    }
}

impl Drop for ChannelEnd {
    fn drop(&mut self) {
        self.end(LOST, "the connection was lost");
    }
}

/// Writes to the WebSocket; false if it is to be given up: it is lost or blocked, or its client has left it.
async fn write_or_leave(channel: &Channel, socket: &mut Socket, batch: &[Outgoing]) -> bool {
    let mut write = pin!(timeout(SOCKET_PATIENCE, socket.write(batch)));
    poll_fn(|cx| {
        if let Poll::Ready(written) = write.as_mut().poll(cx) {
            return Poll::Ready(matches!(written, Ok(Ok(()))));
        }
        channel.task.register(cx.waker());
        let state = channel.lock();
        let is_left = !state.numbers.is_joined() || state.joining.is_some() || state.ended.is_some();
        if is_left { Poll::Ready(false) } else { Poll::Pending }
    })
    .await
}

/// What a `bye` says of coming back.
fn retry_after_ms(bye: &str) -> Option<u64> {
    #[derive(Deserialize)]
    struct Bye {
        retry_after_ms: Option<u64>,
    }
    serde_json::from_str::<Bye>(bye).ok()?.retry_after_ms
}
