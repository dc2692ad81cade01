//! [`Single`]: one connection without a disk, by the same engine as the app's, through every outage: what the console's
//! commands and the connection test stand on.

use std::collections::VecDeque;

use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::task::yield_now;
use tokio::time::{Duration, Instant, sleep_until, timeout};

use super::access::Access;
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

/// How often both clocks are compared, so that a computer that slept is noticed.
const LOOK: Duration = Duration::from_secs(5);
/// Boot time ahead of running time by so much means that the computer slept, in milliseconds.
const SLEPT_MS: u128 = 2_000;
/// Maximum number of batches of what came over the socket that wait here.
const MAX_POSTS: usize = 64;
/// How long a close is given to be sent.
const CLOSE: Duration = Duration::from_millis(500);

/// One connection, and what happened on it.
pub struct Single {
    engine: Engine,
    id: ConnectionId,
    line: SocketTask<ConnectionId>,
    profile: Profile,
    access: Access,
    posted: mpsc::Receiver<SocketBatch<ConnectionId>>,
    openings: Opened<ConnectionId>,
    /// Given back once all that came over the line has been looked at.
    unread: Vec<OwnedSemaphorePermit>,
    agreed: Agreed,
    /// The offset of the next entry of a log that is numbered here.
    next_offset: Offset,
    events: VecDeque<Event>,
    /// The news that the connection is down, until everything that came before it has been written down and so shows.
    down: Option<Event>,
}

impl Single {
    /// Begins to connect. `saved`: where to go on; `watch`: to be told of all devices.
    pub fn start(profile: Profile, access: Access, saved: SavedState, watch: bool) -> Single {
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
            next_offset: 1,
            events: VecDeque::new(),
            down: None,
        };
        single.drive(Input::Add(Box::new(new)));
        // There is nothing on a disk to be shown.
        single.events.clear();
        single.tell(link::Input::Start);
        single
    }

    /// What is connected to.
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// How the link is.
    pub fn state(&self) -> &LinkState {
        self.engine.state(self.id).unwrap_or(&LinkState::Idle)
    }

    /// What the transport agreed with the server when it last opened.
    pub fn agreed(&self) -> &Agreed {
        &self.agreed
    }

    /// Tells the link something.
    pub fn tell(&mut self, input: link::Input) {
        self.drive(Input::Tell(self.id, durable::Input::Link(input)));
    }

    /// Tells the engine something and does what it wants done. What would be written down is: there is no disk to wait for.
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

    /// `false`: the socket takes nothing any more.
    fn carry_out(&mut self, effect: Effect) -> bool {
        match effect {
            Effect::Dial { dial, url, .. } => {
                let target = self.access.target(&self.profile, &url);
                self.line.dial(dial, self.profile.socket, target);
            }
            Effect::Send(_, frame) => return self.line.send(frame),
            Effect::Ping(_) => return self.line.ping(),
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
            | Effect::Measure(..)
            | Effect::CheckReadings
            | Effect::Notice(_)
            | Effect::CountUnread { .. } => {}
            Effect::ReadOn(_) => self.unread.clear(),
        }
        true
    }

    /// Whoever stops at the end of a connection has then been told of all that came over it.
    fn show(&mut self, event: Event) {
        let Event::Link(LinkEvent::State(state)) = &event else { return self.events.push_back(event) };
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
                self.next_offset += count as Offset;
            }
        }
        let outcome = Outcome::Saved { numbered };
        self.engine.handle(clock::now(), Input::Committed { part: part.number, outcome });
    }

    /// The next event; waits for it. Cancel-safe.
    pub async fn next(&mut self) -> Event {
        loop {
            if let Some(event) = self.events.pop_front() {
                return event;
            }
            let now = clock::now();
            let wait = self.engine.deadline().map(|at| Duration::from_millis(at.saturating_sub(now.boot_ms)));
            let began = Instant::now();
            let has_turn = self.engine.has_turn();
            tokio::select! {
                // What came is looked at before a clock: whoever reads our output may have kept us waiting.
                biased;
                Some((_, dial, connection)) = self.openings.recv() => self.opened(dial, connection),
                Some(post) = self.posted.recv() => {
                    self.unread.extend(post.room);
                    self.drive(Input::Received { connection: self.id, inputs: post.inputs });
                }
                () = yield_now(), if has_turn => self.drive(Input::Turn),
                () = sleep_until(began + wait.unwrap_or(LOOK).min(LOOK)) => {
                    let passed = clock::now().boot_ms.saturating_sub(now.boot_ms);
                    if u128::from(passed) > began.elapsed().as_millis() + SLEPT_MS {
                        self.drive(Input::NudgeAll);
                    }
                    self.drive(Input::Tick);
                }
            }
        }
    }

    /// Closes the connection, and gives the close a moment to be sent.
    pub async fn end(mut self) {
        self.tell(link::Input::Stop);
        self.unread.clear();
        let is_close = |post: &SocketBatch<_>| {
            post.inputs.iter().any(|input| matches!(input, link::Input::Closed { .. }))
        };
        let closed = async { while self.posted.recv().await.is_some_and(|post| !is_close(&post)) {} };
        // A server that does not answer the close is left all the same.
        let _ = timeout(CLOSE, closed).await;
    }

    fn opened(&mut self, dial: u64, connection: Connection) {
        let Some((agreed, _)) = self.line.opened(dial, connection) else { return };
        self.agreed.clone_from(&agreed);
        self.tell(match clock::random() {
            Ok(entropy) => link::Input::Opened { dial, entropy, agreed },
            Err(error) => link::Input::Closed { dial, why: Why::Lost { detail: error.to_string() } },
        });
    }
}
