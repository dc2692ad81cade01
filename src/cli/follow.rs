//! [`Follow`]: one link without a disk, driven through every outage; what `tail` and `send` stand on.

use std::collections::VecDeque;

use tokio::sync::mpsc;
use tokio::time::{Duration, Instant, sleep_until};

use super::args::Server;
use super::hub::failed;
use super::reason::reason_at;
use super::{Exit, Failure, print};
use crate::clock;
use crate::link::{Input, Link, Output};
use crate::model::link_state::{LinkState, Why};
use crate::model::profile::{Profile, Protocol, Socket};
use crate::model::{ConnectionId, Event};
use crate::transport::Connection;
use crate::wire::{Request, Saved, SavedState};
use crate::worker::access::Access;
use crate::worker::line::{Line, Opened, Post};
use crate::worker::own_hub::HubAt;

/// How often both clocks are compared, so that a computer that slept is noticed.
const LOOK: Duration = Duration::from_secs(5);

/// One link, driven.
pub(super) struct Follow {
    link: Link,
    line: Line<()>,
    profile: Profile,
    access: Access,
    posted: mpsc::Receiver<Post<()>>,
    openings: Opened<()>,
    events: VecDeque<Event>,
}

impl Follow {
    /// Begins to connect. `watch`: to be told of all devices.
    pub(super) fn start(server: &Server, saved: SavedState, watch: bool) -> Result<Follow, Failure> {
        let (profile, access) = profile(server)?;
        let seed = clock::random::<8>().map_or(0, u64::from_le_bytes);
        let setup = Box::new(access.setup(&profile, watch));
        let link = Link::new(profile.urls.clone(), setup, Saved { log: saved, state: None }, None, seed);
        let (posts, posted) = mpsc::channel(64);
        let (opened, openings) = mpsc::channel(4);
        let line = Line::new((), posts, opened);
        let mut follow = Follow { link, line, profile, access, posted, openings, events: VecDeque::new() };
        follow.tell(Input::Start);
        Ok(follow)
    }

    /// Why the link is down, with what to do.
    pub(super) fn reason(&self, why: &Why) -> String {
        reason_at(why, self.profile.urls.first().map_or("", String::as_str))
    }

    /// How the link is.
    pub(super) fn state(&self) -> &LinkState {
        self.link.state()
    }

    /// Asks the server something; dropped unless online.
    pub(super) fn ask(&mut self, request: Request) {
        self.tell(Input::Request(request));
    }

    /// Tells the link something.
    pub(super) fn tell(&mut self, input: Input) {
        self.link.handle(clock::now(), input);
        let mut more = VecDeque::new();
        while let Some(output) = self.link.poll() {
            match output {
                Output::Dial { dial, url } => {
                    let target = self.access.target(&self.profile, &url);
                    self.line.dial(dial, self.profile.socket, target);
                }
                Output::Send(frame) => {
                    if !self.line.send(frame) {
                        more.push_back(Input::Closed { dial: self.link.current_dial(), why: Why::Silent });
                    }
                }
                Output::Ping => _ = self.line.ping(),
                // There is no disk to keep it on.
                Output::Persist(_) => {}
                Output::Hangup { code } => self.line.hang_up(code),
                Output::MarkAttempted(ids) => more.push_back(Input::Attempted(ids)),
                Output::Event(event, mark) => {
                    more.extend(mark.map(Input::Committed));
                    self.events.push_back(event);
                }
            }
        }
        for input in more {
            self.tell(input);
        }
    }

    /// The next event; waits for it. Cancel-safe.
    pub(super) async fn next(&mut self) -> Event {
        loop {
            if let Some(event) = self.events.pop_front() {
                return event;
            }
            let now = clock::now();
            let wait = self.link.deadline().map(|at| Duration::from_millis(at.saturating_sub(now.boot_ms)));
            let began = Instant::now();
            tokio::select! {
                // What came is looked at before a clock: whoever reads our output may have kept us waiting.
                biased;
                Some(((), dial, connection)) = self.openings.recv() => self.opened(dial, connection),
                Some(post) = self.posted.recv() => {
                    for input in post.inputs {
                        self.tell(input);
                    }
                }
                () = sleep_until(began + wait.unwrap_or(LOOK).min(LOOK)) => {
                    let passed = clock::now().boot_ms.saturating_sub(now.boot_ms);
                    if u128::from(passed) > began.elapsed().as_millis() + 2_000 {
                        self.tell(Input::Nudge);
                    }
                    self.tell(Input::Tick);
                }
            }
        }
    }

    /// Closes the connection, and gives the close a moment to be sent.
    pub(super) async fn end(mut self) {
        self.tell(Input::Stop);
        let closed = async { while self.posted.recv().await.is_some_and(|post| !is_close(&post.inputs)) {} };
        // A server that does not answer the close is left all the same.
        let _ = tokio::time::timeout(Duration::from_millis(500), closed).await;
    }

    fn opened(&mut self, dial: u64, connection: Connection) {
        if let Some((agreed, _)) = self.line.opened(dial, connection) {
            let input = match clock::random() {
                Ok(entropy) => Input::Opened { dial, entropy, agreed },
                Err(error) => Input::Closed { dial, why: Why::Lost { detail: error.to_string() } },
            };
            self.tell(input);
        }
    }
}

fn is_close(inputs: &[Input]) -> bool {
    inputs.iter().any(|input| matches!(input, Input::Closed { .. }))
}

/// What was meant by the flags.
fn profile(server: &Server) -> Result<(Profile, Access), Failure> {
    let address = server.url.clone();
    let access = match server.access.token()? {
        Some(token) => {
            server.access.check_encrypted(&address.url)?;
            Access::Token(token)
        }
        // A hub that proves itself to be on this computer: nobody is on the way.
        None => match HubAt::find(server.access.data_dir.as_deref(), &address.url).map_err(failed)? {
            Some(at) => at.access(),
            None => return Err(Failure::new(Exit::Refused, print::reason(&Why::NoToken))),
        },
    };
    let profile = Profile {
        id: ConnectionId::COMMAND_LINE,
        name: String::new(),
        urls: vec![address.url],
        protocol: Protocol::Duplex,
        socket: Socket::Tungstenite,
        ca_file: server.access.ca_file.clone(),
        fingerprint: address.fingerprint,
        auto_connect: true,
        websocket: Default::default(),
    };
    Ok((profile, access))
}
