//! [`Driver`]: carries out what an open channel needs: a receiving request at a time, a post at a time, and now and then the attempt
//! to go over to a WebSocket, which is in `socket`.

mod socket;

use std::collections::VecDeque;
use std::sync::Arc;

use futures_util::future::{BoxFuture, FutureExt};
use tokio::sync::mpsc;
use tokio::time::{Duration, Instant};

use super::course::{Course, Outcome};
use super::pause::Pause;
use super::receiving::{Came, Receiving};
use super::requests::{Answered, Channel, MAX_END};
use super::{Clock, RoutePlan, dial_socket, until};
use crate::frame::Frame;
use crate::model::link_state::{Closing, Phase, Why};
use crate::model::profile::Socket;
use crate::model::route::{Route, RouteInUse};
use crate::model::time::BootMs;
use crate::transport::incoming::Intake;
use crate::transport::{Connection, Counters, Endpoint, Incoming, Outgoing, Port, channels};
use crate::wire::duplex::channel::{ClientChannel, Violation};
use socket::{Candidate, recv, space};

/// The server counts as gone once nothing but failures came for so long.
const MAX_OUTAGE: Duration = Duration::from_secs(15);
/// After a wait for the reader, how long a receiving request has to show life.
const AFTER_READER: Duration = Duration::from_secs(5);

/// Waits for a future, if there is one. Cancel-safe.
async fn maybe<T>(future: &mut Option<BoxFuture<'static, T>>) -> T {
    match future {
        Some(running) => {
            let done = running.await;
            *future = None;
            done
        }
        None => std::future::pending().await,
    }
}

/// See the module.
pub(super) struct Driver {
    socket: Socket,
    target: Endpoint,
    clock: Clock,
    channel: Channel,
    client: ClientChannel,
    course: Course,
    receiving: Option<Receiving>,
    posting: Option<BoxFuture<'static, Result<Answered, Why>>>,
    post_at: Instant,
    post_pause: Pause,
    dialing: Option<BoxFuture<'static, Result<Connection, Why>>>,
    candidate: Option<Candidate>,
    /// Since when there are only failures, and the last of them.
    failing: Option<(Instant, Why)>,
    /// The reason in the close frame of a joined WebSocket.
    close: Option<Why>,
    incoming: Intake,
    counters: Arc<Counters>,
    /// What came and was not handed on.
    ready: VecDeque<Incoming>,
    delivering: Option<BoxFuture<'static, bool>>,
    told: RouteInUse,
    /// The code of our close, and until when the rest may take.
    closing: Option<(u16, Instant)>,
    is_close_sent: bool,
    ending: Option<BoxFuture<'static, bool>>,
    ended: Option<Why>,
}

impl Driver {
    /// Goes on with an open channel.
    pub(super) fn start(
        socket: Socket,
        mut channel: Channel,
        plan: RoutePlan,
        used: RouteInUse,
        target: Endpoint,
    ) -> Connection {
        let (mut connection, port) = channels(None, target.report_flushed);
        let Port { outgoing, incoming, counters } = port;
        let clock = Clock(Instant::now());
        let course = Course::new(clock.now(), plan.choice, used, plan.times);
        let told = used_by(&course, &channel);
        (connection.route, connection.proxy) = (Some(told), channel.proxy());
        let first = channel.first.take();
        let silent = Duration::from_millis(plan.times.silent_ms);
        let receiving = first.map(|(reply, piece)| Receiving::begun(used.route, reply, piece, silent));
        let driver = Driver {
            socket,
            target,
            clock,
            channel,
            client: ClientChannel::new(),
            course,
            receiving,
            posting: None,
            post_at: Instant::now(),
            post_pause: Pause::default(),
            dialing: None,
            candidate: None,
            failing: None,
            close: None,
            incoming,
            counters,
            ready: VecDeque::new(),
            delivering: None,
            told,
            closing: None,
            is_close_sent: false,
            ending: None,
            ended: None,
        };
        tokio::spawn(driver.run(outgoing, silent));
        connection
    }

    async fn run(mut self, mut outgoing: mpsc::Receiver<Outgoing>, silent: Duration) {
        loop {
            self.begin(silent);
            self.tell_route();
            self.hand_on();
            let may_read = self.ready.is_empty() && self.delivering.is_none();
            if self.ended.is_some() && may_read {
                break;
            }
            let may_take = !self.client.is_full() && self.closing.is_none() && self.ended.is_none();
            let is_open = self.ended.is_none();
            let deadline = self.deadline(may_read);
            let is_stuck = self.is_socket_full();
            let to_socket = self.candidate.as_ref().map(|one| one.connection.outgoing.clone());
            tokio::select! {
                came = next(&mut self.receiving), if may_read && is_open => self.came(came),
                answered = maybe(&mut self.posting), if is_open => self.posted(answered),
                dialed = maybe(&mut self.dialing), if is_open => self.dialed(dialed),
                item = recv(&mut self.candidate), if may_read && is_open => self.socket_item(item),
                () = space(&to_socket), if is_stuck && is_open => self.fill_socket(),
                item = outgoing.recv(), if may_take => match item {
                    Some(Outgoing::Frame(frame)) => self.send(frame),
                    // The routes have signs of life of their own.
                    Some(Outgoing::Ping) => {}
                    Some(Outgoing::Compress) => self.compress(),
                    Some(Outgoing::Close { code, .. }) => self.closing = Some((code, Instant::now() + MAX_END)),
                    // The channel is ended as it is dropped.
                    None => return,
                },
                is_taken = maybe(&mut self.delivering) => {
                    self.read_on();
                    if !is_taken {
                        return;
                    }
                }
                is_answered = maybe(&mut self.ending) => self.closed(is_answered),
                () = self.incoming.closed() => return,
                () = until(deadline) => self.tick(),
            }
        }
        drop(outgoing);
        if let Some(why) = self.ended {
            // Fails if the receiver is gone.
            let _ = self.incoming.send(Incoming::Closed(why)).await;
        }
    }

    /// Begins what is due.
    fn begin(&mut self, silent: Duration) {
        if self.ended.is_some() || self.ending.is_some() {
            return;
        }
        let (now, boot) = (Instant::now(), self.clock.now());
        if !self.client.is_joined() {
            let ask = self.course.ask();
            let may_ask = self.receiving.is_none() && boot >= ask.at;
            if may_ask && self.ready.is_empty() && self.delivering.is_none() {
                let request = self.client.ask();
                self.course.asked(boot);
                let answer = self.channel.ask(ask, request).boxed();
                self.receiving = Some(Receiving::new(ask, request.from, answer, silent));
            }
            if self.posting.is_none()
                && now >= self.post_at
                && let Some(post) = self.client.post()
            {
                self.posting = Some(self.channel.post(post).boxed());
            }
        }
        let is_due = self.course.return_at().is_some_and(|at| boot >= at);
        if is_due && self.closing.is_none() && self.candidate.is_none() && self.dialing.is_none() {
            self.course.returning();
            let mut target = self.target.clone();
            target.headers.retain(|(name, _)| name != http::header::COOKIE);
            target.headers.extend(self.channel.join_headers(self.client.join()));
            self.dialing = Some(dial_socket(self.socket, target).boxed());
        }
        if let Some((code, by)) = self.closing {
            self.close(now, code, by);
        }
    }

    /// Ends the channel once everything that was sent has arrived, or there was time enough for it.
    fn close(&mut self, now: Instant, code: u16, by: Instant) {
        if now >= by || (!self.client.is_joined() && self.client.confirmed() == self.client.sent()) {
            self.ending = Some(self.channel.end().boxed());
            return;
        }
        self.fill_socket();
        if self.is_close_sent || self.is_socket_full() {
            return;
        }
        // A joined WebSocket carries it after what was sent before, and answers it.
        if let Some(candidate) = self.candidate.as_ref().filter(|_| self.client.is_joined()) {
            let close = Outgoing::Close { code, reason: String::new() };
            self.is_close_sent = candidate.connection.outgoing.try_send(close).is_ok();
        }
    }

    fn closed(&mut self, is_answered: bool) {
        let Some((code, _)) = self.closing else { return };
        let (code, closing) = match is_answered {
            true => (Some(code), Closing::ByUs),
            false => (None, Closing::ByUsUnanswered),
        };
        self.ended = Some(Why::Closed { code, reason: String::new(), retry_after_ms: None, closing });
    }

    fn end(&mut self, why: Why) {
        self.ended.get_or_insert(why);
    }

    fn violated(&mut self, violation: &Violation) {
        self.end(Why::Lost { detail: violation.to_string() });
    }

    fn send(&mut self, frame: Frame) {
        self.counters.sent(frame.len());
        self.client.send(frame);
        self.fill_socket();
    }

    /// Hands what was received on to the reader.
    fn hand_on(&mut self) {
        if self.ready.is_empty() || self.delivering.is_some() {
            return;
        }
        let (items, incoming) = (std::mem::take(&mut self.ready), self.incoming.clone());
        self.delivering = Some(async move { incoming.deliver(items).await }.boxed());
    }

    /// The reader has taken everything: what was not read meanwhile could not show life.
    fn read_on(&mut self) {
        let by = Instant::now() + AFTER_READER;
        if let Some(receiving) = &mut self.receiving {
            receiving.by = receiving.by.max(by);
        }
        if let Some(candidate) = &mut self.candidate {
            candidate.by = candidate.by.max(by);
        }
    }

    fn deliver(&mut self, frame: Frame) {
        self.counters.received(frame.len());
        self.ready.push_back(Incoming::Frame(frame));
    }

    /// Tells how frames travel, if that has changed.
    fn tell_route(&mut self) {
        let used = used_by(&self.course, &self.channel);
        if used != self.told && self.ended.is_none() {
            self.told = used;
            self.ready.push_back(Incoming::Route(used));
        }
    }

    fn alive(&mut self) {
        self.failing = None;
    }

    /// A request that should have been answered soon was not.
    fn failed(&mut self, began: Instant, why: Why) {
        let is_gone = why == Why::ConnectionRefused;
        let since = self.failing.take().map_or(began, |(since, _)| since);
        if is_gone || since.elapsed() >= MAX_OUTAGE {
            let why = self.close.take().unwrap_or(why);
            return self.end(why);
        }
        self.failing = Some((since, why));
    }

    /// Something came of the receiving request.
    fn came(&mut self, came: Came) {
        let now = self.clock.now();
        match came {
            Came::Nothing => self.alive(),
            Came::Frames(frames) => {
                self.alive();
                for (number, frame) in frames {
                    match self.client.receive(number, frame) {
                        Ok(frame) => frame.into_iter().for_each(|frame| self.deliver(frame)),
                        Err(violation) => return self.violated(&violation),
                    }
                }
            }
            Came::End { frames } => {
                self.alive();
                self.receiving = None;
                self.course.ended(now, Outcome::Answered { frames });
            }
            Came::Answered(Answered::Not(refusal)) => self.give_up(refusal.outcome(), refusal.why()),
            Came::Answered(Answered::Ended(why)) => self.over(why),
            // A newer request of ours is there, or is about to be.
            Came::Answered(_) => {
                self.receiving = None;
                self.course.ended(now, Outcome::Unavailable);
            }
            Came::Failed(why) => {
                let outcome = match &why {
                    Why::Lost { .. } | Why::TimedOut { during: Phase::Handshake } => Outcome::Cut,
                    Why::NotWebSocket { .. } => Outcome::Refused,
                    _ => Outcome::Unavailable,
                };
                self.give_up(outcome, why);
            }
            Came::Garbled(violation) => {
                let why = Why::Lost { detail: violation.to_string() };
                self.give_up(Outcome::Refused, why);
            }
        }
    }

    /// The receiving request is of no use any more.
    fn give_up(&mut self, outcome: Outcome, why: Why) {
        let Some(receiving) = self.receiving.take() else { return };
        log::debug!("{} {}: {outcome:?}", receiving.ask.route.name(), why.code());
        // That a request was cut which was held, or which had begun to be answered, says nothing of the server.
        if outcome != Outcome::Cut || !(receiving.is_held() || receiving.has_begun()) {
            self.failed(receiving.began, why);
        }
        self.course.ended(self.clock.now(), outcome);
    }

    /// The hub says that the channel is no more.
    fn over(&mut self, why: Why) {
        self.channel.is_over();
        if self.ending.is_some() {
            // It answers our own end to the other request, too.
            return self.closed(true);
        }
        let why = match why {
            Why::Lost { .. } => self.close.take().unwrap_or(why),
            why => why,
        };
        self.end(why);
    }

    fn posted(&mut self, answered: Result<Answered, Why>) {
        let before = self.client.confirmed();
        let (now, boot) = (Instant::now(), self.clock.now());
        let told = match answered {
            Ok(Answered::Received(received)) => self.client.posted(received),
            Ok(Answered::Missing(received)) => self.client.post_refused(received),
            Ok(Answered::Ended(why)) => return self.over(why),
            Ok(Answered::Late | Answered::Frames(_)) => {
                self.client.post_failed();
                return self.post_later(boot);
            }
            Ok(Answered::Not(refusal)) => {
                if matches!(refusal.status, 400 | 415) {
                    self.channel.posts_as_it_is();
                }
                self.client.post_failed();
                self.failed(now, refusal.why());
                return self.post_later(boot);
            }
            Err(why) => {
                self.client.post_failed();
                self.failed(now, why);
                return self.post_later(boot);
            }
        };
        if let Err(violation) = told {
            return self.violated(&violation);
        }
        self.alive();
        self.post_pause.over();
        self.course.posted(boot);
        self.flushed(before);
    }

    fn post_later(&mut self, now: BootMs) {
        self.post_at = self.clock.instant(self.post_pause.failed(now));
    }

    fn flushed(&mut self, before: u64) {
        if self.incoming.is_reporting() && self.client.confirmed() > before {
            self.ready.push_back(Incoming::Flushed(self.client.confirmed()));
        }
    }

    /// When something is overdue or due.
    fn deadline(&self, may_read: bool) -> Option<Instant> {
        if self.ended.is_some() {
            return None;
        }
        let is_joined = self.client.is_joined();
        let receiving = self.receiving.as_ref().map(|receiving| receiving.by);
        let ask = self.clock.instant(self.course.ask().at);
        let may_ask = may_read && self.receiving.is_none() && !is_joined;
        let is_idle = self.dialing.is_none() && self.candidate.is_none() && self.closing.is_none();
        let back = self.course.return_at().map(|at| self.clock.instant(at)).filter(|_| is_idle);
        let may_post = self.posting.is_none() && self.client.wants_post();
        let socket = self.candidate.as_ref().map(|candidate| candidate.by);
        let close = self.closing.map(|(_, by)| by).filter(|_| self.ending.is_none());
        [
            receiving.filter(|_| may_read),
            may_ask.then_some(ask),
            back,
            may_post.then_some(self.post_at),
            socket.filter(|_| may_read),
            close,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    fn tick(&mut self) {
        let now = Instant::now();
        let may_read = self.ready.is_empty() && self.delivering.is_none();
        if !may_read {
            return;
        }
        if let Some(receiving) = self.receiving.as_ref().filter(|receiving| now >= receiving.by) {
            let is_unbegun = receiving.ask.route.is_lasting() && !receiving.has_begun();
            let outcome = if is_unbegun { Outcome::Refused } else { Outcome::Cut };
            self.give_up(outcome, Why::TimedOut { during: Phase::Handshake });
        }
        self.tick_socket(now);
    }
}

/// How frames travel.
fn used_by(course: &Course, channel: &Channel) -> RouteInUse {
    let used = course.used();
    let is_by_requests = used.route != Route::WebSocket;
    RouteInUse { http: channel.version().filter(|_| is_by_requests), ..used }
}

/// What comes next of the receiving request; never, where there is none. Cancel-safe.
async fn next(receiving: &mut Option<Receiving>) -> Came {
    match receiving {
        Some(receiving) => receiving.next().await,
        None => std::future::pending().await,
    }
}
