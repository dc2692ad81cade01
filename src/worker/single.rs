//! [`Single`]: one connection without a disk, driven by the same engine as the app's. Used by the console's commands
//! and the connection test.

use std::collections::VecDeque;
use std::path::Path;

use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::task::yield_now;
use tokio::time::{Duration, Instant, sleep_until, timeout};

use super::access::Access;
use super::routes::{self, RouteBook, RouteWatch};
use super::socket_task::{Opened, SocketBatch, SocketTask};
use crate::clock;
use crate::engine::{Effect, Engine, Input, NewConnection, Outcome, Part};
use crate::link;
use crate::link::durable;
use crate::model::event::{LinkEvent, Stored};
use crate::model::link_state::{LinkState, Why};
use crate::model::profile::{Profile, Protocol};
use crate::model::{ConnectionId, Event, Offset};
use crate::transport::Connection;
use crate::wire::{Agreed, Saved, SavedState};

/// Interval for comparing both clocks, to detect sleep.
const LOOK: Duration = Duration::from_secs(5);
/// If boot time advanced this much more than running time, the computer slept. In milliseconds.
const SLEPT_MS: u128 = 2_000;
/// Capacity of the queue of socket batches.
const MAX_POSTS: usize = 64;
/// Deadline for sending a close frame.
const CLOSE: Duration = Duration::from_millis(500);

/// One connection and its pending events.
pub struct Single {
    engine: Engine,
    id: ConnectionId,
    line: SocketTask<ConnectionId>,
    profile: Profile,
    access: Access,
    posted: mpsc::Receiver<SocketBatch<ConnectionId>>,
    openings: Opened<ConnectionId>,
    /// Permits returned once all of the socket's batches have been handled.
    unread: Vec<OwnedSemaphorePermit>,
    agreed: Agreed,
    routes: RouteBook,
    watch: RouteWatch,
    /// Offset of the next entry of a locally numbered log.
    next_offset: Offset,
    events: VecDeque<Event>,
    /// The event that the connection is down, kept until everything received before it has been returned.
    down: Option<Event>,
}

impl Single {
    /// Begins to connect. `saved`: where to resume; `watch`: whether to subscribe to all devices.
    pub fn start(profile: Profile, access: Access, saved: SavedState, watch: bool) -> Single {
        Single::begin(profile, access, saved, watch, RouteBook::default())
    }

    /// The same with what the app remembers in its data directory of routes that work, which is kept up to date.
    pub fn start_remembering(
        profile: Profile,
        access: Access,
        saved: SavedState,
        watch: bool,
        dir: &Path,
    ) -> Single {
        Single::begin(profile, access, saved, watch, RouteBook::load(dir))
    }

    fn begin(profile: Profile, access: Access, saved: SavedState, watch: bool, routes: RouteBook) -> Single {
        let (posts, posted) = mpsc::channel(MAX_POSTS);
        let (opened, openings) = mpsc::channel(4);
        let id = profile.id;
        let new = NewConnection {
            id,
            urls: profile.urls.clone(),
            setup: Box::new(access.setup(&profile, watch)),
            reconnects: profile.reconnects(),
            is_said_once: profile.protocol != Protocol::Duplex,
            stored: Stored::default(),
            saved: Saved { log: saved, state: None },
            seed: clock::random::<8>().map_or(0, u64::from_le_bytes),
        };
        let mut single = Single {
            engine: Engine::default(),
            id,
            line: SocketTask::new(id, posts, opened),
            profile,
            access,
            posted,
            openings,
            unread: Vec::new(),
            agreed: Agreed::default(),
            routes,
            watch: RouteWatch::default(),
            next_offset: Offset(1),
            events: VecDeque::new(),
            down: None,
        };
        single.drive(Input::Add(Box::new(new)));
        // There is no disk to load from.
        single.events.clear();
        single.tell(link::Input::Start);
        single
    }

    /// The server.
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// The link's state.
    pub fn state(&self) -> &LinkState {
        self.engine.state(self.id).unwrap_or(&LinkState::Idle)
    }

    /// What was negotiated when the transport last opened.
    pub fn agreed(&self) -> &Agreed {
        &self.agreed
    }

    /// Gives the link an input.
    pub fn tell(&mut self, input: link::Input) {
        self.drive(Input::Tell(self.id, durable::Input::Link(input)));
    }

    /// Gives the engine an input and carries out its effects. Commits succeed at once, as there is no disk.
    fn drive(&mut self, input: Input) {
        self.engine.handle(clock::now(), input);
        let mut is_choked = false;
        loop {
            while let Some(effect) = self.engine.poll() {
                is_choked |= !self.carry_out(effect);
            }
            if !std::mem::take(&mut is_choked) {
                break;
            }
            self.engine.handle(clock::now(), Input::Choked(self.id));
        }
        self.events.extend(self.down.take());
    }

    /// `false` if the socket no longer accepts data.
    fn carry_out(&mut self, effect: Effect) -> bool {
        match effect {
            Effect::Dial { dial, url, .. } => {
                let mut target = self.access.target(&self.profile, &url);
                if let Ok(target) = &mut target {
                    target.routes = self.routes.plan(clock::now(), &mut self.watch, &self.profile, &url);
                }
                self.line.dial(dial, self.profile.socket, target);
            }
            Effect::Send(_, frame) => return self.line.send(frame),
            Effect::Ping(_) => return self.line.ping(),
            Effect::Compress(_) => return self.line.compress(),
            Effect::HangUp { code, .. } => self.line.hang_up(code),
            Effect::Commit(parts) => parts.into_iter().for_each(|part| self.commit(part)),
            Effect::Event(_, event) => self.show(event),
            // There is no window and no disk.
            Effect::Received(..)
            | Effect::Reload(_)
            | Effect::Show { .. }
            | Effect::KeepOfDevices(..)
            | Effect::ReadPage { .. }
            | Effect::ReadAround { .. }
            | Effect::ReadThread { .. }
            | Effect::ReadQuote { .. }
            | Effect::Measure(..)
            | Effect::CheckReadings
            | Effect::Notice(_)
            | Effect::CountUnread { .. } => {}
            Effect::ReadOn(_) => self.unread.clear(),
        }
        true
    }

    /// A caller that stops at the end of a connection has received everything that came before it.
    fn show(&mut self, event: Event) {
        let Event::Link(LinkEvent::State(state)) = &event else { return self.events.push_back(event) };
        self.routes.changed(clock::now(), &mut self.watch, state);
        self.routes.take_changed().into_iter().for_each(routes::save);
        let is_down = state.why().is_some();
        self.events.extend(self.down.take());
        if is_down { self.down = Some(event) } else { self.events.push_back(event) }
    }

    fn commit(&mut self, part: Part) {
        let mut numbered = Vec::new();
        for (place, change) in part.changes.iter().enumerate() {
            let count = change.unnumbered_entries();
            if count > 0 {
                numbered.push((place, self.next_offset));
                self.next_offset = self.next_offset + count as u64;
            }
        }
        let outcome = Outcome::Saved { numbered };
        self.engine.handle(clock::now(), Input::Committed { part: part.number, outcome });
    }

    /// Waits for the next event. Cancel-safe.
    pub async fn next(&mut self) -> Event {
        loop {
            if let Some(event) = self.events.pop_front() {
                return event;
            }
            let now = clock::now();
            let wait = self.engine.deadline().map(|at| Duration::from_millis(at.since(now.boot_ms)));
            let began = Instant::now();
            let has_turn = self.engine.has_turn();
            tokio::select! {
                // Handle received frames before timers: the reader of our output may have blocked us.
                biased;
                Some((_, dial, connection)) = self.openings.recv() => self.opened(dial, connection),
                Some(post) = self.posted.recv() => {
                    self.unread.extend(post.room);
                    self.routes.received(clock::now(), &mut self.watch, &post.inputs, post.quiet_ms);
                    self.drive(Input::Received { connection: self.id, inputs: post.inputs });
                }
                () = yield_now(), if has_turn => self.drive(Input::Turn),
                () = sleep_until(began + wait.unwrap_or(LOOK).min(LOOK)) => {
                    let passed = clock::now().boot_ms.since(now.boot_ms);
                    if u128::from(passed) > began.elapsed().as_millis() + SLEPT_MS {
                        self.drive(Input::NudgeAll);
                    }
                    self.drive(Input::Tick);
                }
            }
        }
    }

    /// Closes the connection, with a short deadline for sending the close frame.
    pub async fn end(mut self) {
        self.tell(link::Input::Stop);
        self.unread.clear();
        let is_close = |post: &SocketBatch<_>| {
            post.inputs.iter().any(|input| matches!(input, link::Input::Closed { .. }))
        };
        let closed = async { while self.posted.recv().await.is_some_and(|post| !is_close(&post)) {} };
        // Servers that do not answer the close frame are not waited for.
        let _ = timeout(CLOSE, closed).await;
    }

    fn opened(&mut self, dial: u64, connection: Connection) {
        let Some((agreed, _)) = self.line.opened(dial, connection) else { return };
        self.agreed.clone_from(&agreed);
        self.routes.opened(&mut self.watch, agreed.route);
        self.tell(match clock::random() {
            Ok(entropy) => link::Input::Opened { dial, entropy, agreed },
            Err(error) => link::Input::Closed { dial, why: Why::Lost { detail: error.to_string() } },
        });
    }
}
