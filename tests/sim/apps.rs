//! The apps: the real engine, the model that a window draws from, and a disk that takes nothing for a while now and then.

use std::collections::BTreeSet;

use duplex::engine::{Effect, Engine, Input, Limits, NewConnection, Outcome, Part, Traffic};
use duplex::link;
use duplex::link::durable;
use duplex::model::event::{ChatEvent, Follows, SetupUpdate, Side, Update};
use duplex::model::intent::ChatIntent;
use duplex::model::profile::{Profile, Protocol, Secret, Socket};
use duplex::model::time::BootMs;
use duplex::model::{ConnectionId, Delivery, Event, MessageId, RoomId, SharedModel, Time};
use duplex::wire::Setup;
use duplex::wire::duplex::client::{Config, Credentials};

use super::clients::{Client, Running};
use super::disk;
use super::laws;
use super::world::{Happening, World};

/// How often a disk that takes nothing is tried, in milliseconds.
const RETRY_MS: u64 = 2_000;

/// A program on a computer of its own.
#[derive(Default)]
pub struct App {
    pub process: Option<Process>,
    pub run: u64,
    pub suspended_until: u64,
    pub wall_offset: i64,
    /// Until then its disk takes nothing.
    pub trouble_until: u64,
}

/// All that a crash takes away.
pub struct Process {
    pub engine: Engine,
    pub model: SharedModel,
    /// The commit under way.
    pub commit: Vec<Part>,
    /// What the store holds in memory, in order. A banner says so, and that it does not survive the process.
    pub held: Vec<Part>,
    /// Of which the disk misses entries.
    behind: BTreeSet<ConnectionId>,
    reloads: Vec<ConnectionId>,
    tick_at: Option<BootMs>,
    is_turn_due: bool,
}

impl World {
    pub(super) fn app_time(&self, app: usize) -> Time {
        let time = self.hub_time();
        Time { wall_ms: time.wall_ms + self.apps[app].wall_offset, ..time }
    }

    fn clients_of(&self, app: usize) -> Vec<usize> {
        (0..self.clients.len()).filter(|client| self.clients[*client].app == app).collect()
    }

    fn process(&mut self, app: usize, run: u64) -> Option<&mut Process> {
        let app = &mut self.apps[app];
        app.process.as_mut().filter(|_| app.run == run)
    }

    pub(super) fn start_app(&mut self, app: usize) {
        if self.apps[app].process.is_some() {
            return;
        }
        // Where little may wait, connections are held back and commits are many.
        let limits = match self.chance(50) {
            true => Limits::default(),
            false => Limits { max_unsaved_bytes: 3_000, max_commit_bytes: 1_000 },
        };
        let model = SharedModel::default();
        let a = &mut self.apps[app];
        a.run += 1;
        a.process = Some(Process {
            engine: Engine::new(model.clone(), limits),
            model,
            commit: Vec::new(),
            held: Vec::new(),
            behind: BTreeSet::new(),
            reloads: Vec::new(),
            tick_at: None,
            is_turn_due: false,
        });
        let run = a.run;
        let now = self.app_time(app);
        for client in self.clients_of(app) {
            let Some(process) = self.process(app, run) else { return };
            let configured =
                Update::Setup(SetupUpdate::Configured(Box::new(profile(Client::connection(client)))));
            process.model.write(|model| model.apply(now, configured));
            self.clients[client].running = Some(Running::default());
            self.load(client);
            self.tell(client, durable::Input::Link(link::Input::Start));
        }
    }

    /// Takes in what the disk has of a connection, and what the store holds of what the person did.
    fn load(&mut self, client: usize) {
        let seed = self.rng.draw();
        let token = Secret::new(self.clients[client].name.clone());
        let credentials = if self.chance(50) {
            Credentials::Prove { secret: [9; 32], address: "sim:1".into(), token }
        } else {
            Credentials::Token(token)
        };
        let c = &mut self.clients[client];
        // What was on its way to the screen is on the disk by now, or gone.
        if let Some(running) = &mut c.running {
            running.to_show.clear();
            running.resumed_from.clear();
        }
        let (mut stored, saved) = (c.disk.stored(), c.disk.saved());
        self.held_of(client).iter().for_each(|change| change.add_to(&mut stored));
        if let Some(running) = &mut self.clients[client].running {
            let attempted = stored.outbox.iter().filter(|item| item.delivery == Delivery::Attempted);
            running.attempted_before = attempted.map(|item| item.draft.id).collect();
        }
        let setup = Setup::Duplex(Config {
            client: "sim".into(),
            credentials,
            watch: false,
            race_ms: 0,
            compresses: false,
        });
        let new = NewConnection {
            id: Client::connection(client),
            urls: vec!["ws://a".into(), "ws://b".into()],
            setup: Box::new(setup),
            reconnects: true,
            is_said_once: false,
            stored,
            saved,
            seed,
        };
        let app = self.clients[client].app;
        self.drive(app, Input::Add(Box::new(new)));
        if let Some(process) = &self.apps[app].process {
            let (known, client) = (self.known(client), &self.clients[client]);
            let is_hidden = |id| self.was_removed_after(client, id);
            process.model.read(|model| {
                laws::what_was_typed_is_there_after_a_restart(client, &known, model, is_hidden)
            });
        }
    }

    pub(super) fn crash_app(&mut self, app: usize) {
        // What is held in memory alone does not survive, as the person was told.
        let is_held = |process: &Process| !process.held.is_empty();
        let healed = self.healed;
        if self.apps[app].process.take_if(|process| !healed && !is_held(process)).is_none() {
            return;
        }
        self.figures.client_crashes += 1;
        for client in self.clients_of(app) {
            let running = self.clients[client].running.take();
            if let Some(conn) = running.and_then(|running| running.conn) {
                self.close_client_side(conn);
            }
        }
        let back_in = self.rng.up_to(8_000);
        self.at(back_in, Happening::StartApp { app });
    }

    /// Tells a client's connection something.
    pub(super) fn tell(&mut self, client: usize, input: durable::Input) {
        self.drive(self.clients[client].app, Input::Tell(Client::connection(client), input));
    }

    /// The person wants something in the window.
    /// `id`: of what comes of it.
    pub(super) fn want(&mut self, client: usize, intent: ChatIntent, id: Option<MessageId>) {
        self.drive(self.clients[client].app, Input::Chat(intent, id));
    }

    /// Tells the engine something, and carries out what it wants; it may crash at any effect.
    pub(super) fn drive(&mut self, app: usize, input: Input) {
        let now = self.app_time(app);
        let Some(process) = &mut self.apps[app].process else { return };
        process.engine.handle(now, input);
        self.carry_out_all(app);
        if let Some(process) = &mut self.apps[app].process {
            process.engine.handle(now, Input::Settle { minute: 720 });
            self.carry_out_all(app);
        }
        while let Some(connection) = self.apps[app].process.as_mut().and_then(|p| p.reloads.pop()) {
            self.figures.reloads += 1;
            self.load(Client::of(connection));
        }
        self.set_timers(app);
    }

    fn carry_out_all(&mut self, app: usize) {
        while let Some(effect) = self.apps[app].process.as_mut().and_then(|process| process.engine.poll()) {
            self.carry_out(app, effect);
            if self.mishap(2) {
                self.crash_app(app);
            }
        }
    }

    fn set_timers(&mut self, app: usize) {
        let a = &mut self.apps[app];
        let (run, Some(process)) = (a.run, &mut a.process) else { return };
        let is_turn_due = process.engine.has_turn() && !std::mem::replace(&mut process.is_turn_due, true);
        let deadline = process.engine.deadline();
        let sooner = deadline.filter(|at| process.tick_at.is_none_or(|set| *at < set));
        if let Some(at) = sooner {
            process.tick_at = Some(at);
            self.at(at.since(self.hub_time().boot_ms), Happening::Tick { app, run });
        }
        if is_turn_due {
            let in_ms = self.rng.up_to(3);
            self.at(in_ms, Happening::Turn { app, run });
        }
    }

    pub(super) fn tick(&mut self, app: usize, run: u64) {
        let Some(process) = self.process(app, run) else { return };
        process.tick_at = None;
        self.drive(app, Input::Tick);
    }

    pub(super) fn take_turn(&mut self, app: usize, run: u64) {
        let Some(process) = self.process(app, run) else { return };
        process.is_turn_due = false;
        if process.engine.has_turn() {
            self.figures.turns += 1;
            self.drive(app, Input::Turn);
        }
    }

    fn carry_out(&mut self, app: usize, effect: Effect) {
        let (run, now) = (self.apps[app].run, self.app_time(app));
        match effect {
            Effect::Dial { connection, dial, .. } => self.dial(Client::of(connection), run, dial),
            // The Duplex protocol has pings of its own.
            Effect::Ping(_) | Effect::Compress(_) => {}
            Effect::HangUp { connection, .. } => self.hang_up(Client::of(connection)),
            Effect::Send(connection, frame) => {
                let client = Client::of(connection);
                laws::what_is_sent_is_true_on_disk(&self.clients[client], &self.held_of(client), &frame);
                if let Some(conn) = self.clients[client].running.as_ref().and_then(|running| running.conn) {
                    self.carry(conn, frame, true);
                }
            }
            Effect::Commit(parts) => {
                let Some(process) = self.process(app, run) else { return };
                assert!(process.commit.is_empty(), "a second commit while one is under way");
                process.commit = parts;
                let in_ms = self.rng.up_to(20);
                self.at(in_ms, Happening::DiskWorks { app, run });
            }
            Effect::Event(connection, event) => {
                let client = Client::of(connection);
                self.what_happens_is_lawful(client, &event);
                let update = Update::Connection(connection, event);
                self.process(app, run)
                    .iter_mut()
                    .for_each(|p| p.engine.handle(now, Input::Show(update.clone())));
            }
            Effect::Show { updates, .. } => {
                let Some(process) = self.process(app, run) else { return };
                process.model.write(|model| updates.into_iter().for_each(|update| model.apply(now, update)));
            }
            Effect::CountUnread { connection, .. } => {
                let in_ms = self.rng.up_to(30);
                self.at(in_ms, Happening::Counted { app, run, connection });
            }
            Effect::Measure(connection, state) => {
                let Some(process) = self.process(app, run) else { return };
                process.engine.handle(now, Input::Measured(connection, state, Traffic::default()));
            }
            // Nobody in the simulation opens a thread.
            Effect::ReadThread { .. } | Effect::ReadQuote { .. } => {}
            Effect::KeepOfDevices(..) | Effect::CheckReadings => {}
            Effect::ReadPage { connection, room, side, .. } => {
                let in_ms = self.rng.up_to(20);
                self.at(in_ms, Happening::Read { app, run, connection, room, side: Some(side) });
            }
            Effect::ReadAround { connection, room, .. } => {
                let in_ms = self.rng.up_to(20);
                self.at(in_ms, Happening::Read { app, run, connection, room, side: None });
            }
            // Nobody looks at frames, nobody looks elsewhere, and the network waits for nobody.
            Effect::Received(..) | Effect::Notice(_) | Effect::ReadOn(_) => {}
            Effect::Reload(connection) => {
                let commit = self.process(app, run).map(|process| process.commit.clone()).unwrap_or_default();
                assert!(commit.iter().all(|part| part.connection != connection), "it is still being written");
                self.process(app, run).into_iter().for_each(|process| process.reloads.push(connection));
            }
        }
    }

    fn what_happens_is_lawful(&mut self, client: usize, event: &Event) {
        let c = &mut self.clients[client];
        laws::what_is_shown_is_on_disk(c, event);
        match event {
            Event::Chat(ChatEvent::Attempted(ids)) => self.figures.attempted += ids.len() as u64,
            Event::Chat(ChatEvent::Acknowledged { follows, .. }) => {
                self.figures.acknowledged += 1;
                self.figures.rooms_moved += u64::from(matches!(follows, Follows::OtherRoom(_)));
            }
            Event::Chat(ChatEvent::Postponed { .. }) => self.figures.postponed += 1,
            Event::Chat(ChatEvent::Entries { entries, .. }) => {
                c.shown.extend(laws::messages(entries).map(|e| (e.sender.id.clone(), e.draft.id)));
            }
            _ => {}
        }
    }

    /// A page was read from the disk: all of the room that can be read. `side`: as it was asked for; none: around a place.
    pub(super) fn read(
        &mut self,
        app: usize,
        run: u64,
        connection: ConnectionId,
        room: RoomId,
        side: Option<Side>,
    ) {
        let (page, now) = (self.known(Client::of(connection)).page(&room), self.app_time(app));
        let Some(process) = self.process(app, run) else { return };
        let event = match side {
            Some(side) => ChatEvent::Paged { room, side, page },
            None => ChatEvent::Jumped { room, page },
        };
        process.model.write(|model| model.apply(now, Update::Connection(connection, Event::Chat(event))));
    }

    /// A room was counted on disk: only that it was counts here.
    pub(super) fn counted(&mut self, app: usize, run: u64, connection: ConnectionId) {
        if self.process(app, run).is_some() {
            self.figures.counted += 1;
            self.drive(app, Input::Counted(connection, None));
        }
    }

    // The disk

    /// What the store holds of a client's connection in memory.
    pub(super) fn held_of(&self, client: usize) -> Vec<durable::Change> {
        let process = self.apps[self.clients[client].app].process.as_ref();
        let held = process.into_iter().flat_map(|process| &process.held);
        let held = held.filter(|part| Client::of(part.connection) == client);
        held.flat_map(|part| part.changes.iter().cloned()).collect()
    }

    /// The commit under way gets to the disk at once, or the disk takes none of it.
    pub(super) fn disk_works(&mut self, app: usize, run: u64) {
        if self.process(app, run).is_none() {
            return;
        }
        // While the disk takes nothing, a hub that was restored from a backup is not always known as such: what is there is
        // told again, and could be another's by now.
        if self.now >= self.apps[app].trouble_until && !self.has_backup && self.mishap(20) {
            self.figures.disk_troubles += 1;
            self.apps[app].trouble_until = self.now + self.rng.up_to(20_000);
        }
        if self.now < self.apps[app].trouble_until {
            return self.hold(app, run);
        }
        self.write_held(app, run);
        let Some(process) = self.process(app, run) else { return };
        let mut outcomes = Vec::new();
        for part in std::mem::take(&mut process.commit) {
            self.note(&part);
            outcomes.push((part.number, self.write(app, &part)));
        }
        for (part, is_whole) in outcomes {
            self.written(app, run, part, is_whole);
        }
        self.tell_behind(app, run);
    }

    fn written(&mut self, app: usize, run: u64, part: u64, is_whole: bool) {
        let outcome = if is_whole { Outcome::Saved { numbered: Vec::new() } } else { Outcome::Held };
        for input in [Some(Input::Committed { part, outcome }), (!is_whole).then_some(Input::LetGo(part))] {
            if let (Some(input), Some(_)) = (input, self.process(app, run)) {
                self.drive(app, input);
            }
        }
    }

    /// The store keeps a commit in memory, or only what no server says again, where there is no room for it.
    fn hold(&mut self, app: usize, run: u64) {
        let lets_go = self.chance(20);
        let Some(process) = self.process(app, run) else { return };
        let is_first = process.held.is_empty();
        let mut outcomes = Vec::new();
        for mut part in std::mem::take(&mut process.commit) {
            self.note(&part);
            let is_gone = lets_go && disk::let_go(&mut part.changes);
            self.clients[Client::of(part.connection)].has_let_go |= is_gone;
            self.figures.held += 1;
            outcomes.push((part.number, is_gone));
            let Some(process) = self.process(app, run) else { return };
            process.held.push(part);
        }
        if is_first {
            self.at(RETRY_MS, Happening::DiskRetry { app, run });
        }
        for (part, is_gone) in outcomes {
            for input in [
                Some(Input::Committed { part, outcome: Outcome::Held }),
                is_gone.then_some(Input::LetGo(part)),
            ] {
                if let (Some(input), Some(_)) = (input, self.process(app, run)) {
                    self.drive(app, input);
                }
            }
        }
    }

    pub(super) fn retry_disk(&mut self, app: usize, run: u64) {
        if self.process(app, run).is_none_or(|process| process.held.is_empty()) {
            return;
        }
        if self.now < self.apps[app].trouble_until {
            return self.at(RETRY_MS, Happening::DiskRetry { app, run });
        }
        self.write_held(app, run);
        self.tell_behind(app, run);
    }

    /// What was held gets to the disk; the engine is told a little later.
    fn write_held(&mut self, app: usize, run: u64) {
        let Some(process) = self.process(app, run) else { return };
        for part in std::mem::take(&mut process.held) {
            let c = &mut self.clients[Client::of(part.connection)];
            let resume = c.disk.saved().log.resume;
            c.running.iter_mut().for_each(|running| running.resumed_from.push(resume));
            let (number, is_whole) = (part.number, self.write(app, &part));
            let in_ms = self.rng.up_to(50);
            self.at(in_ms, Happening::SavedLater { app, run, part: number, is_whole });
        }
    }

    pub(super) fn saved_later(&mut self, app: usize, run: u64, part: u64, is_whole: bool) {
        if self.process(app, run).is_some() {
            let outcome = Outcome::Saved { numbered: Vec::new() };
            self.drive(app, if is_whole { Input::Committed { part, outcome } } else { Input::LetGo(part) });
        }
    }

    /// Writes a part. `false`: the disk misses what was before some of it.
    fn write(&mut self, app: usize, part: &Part) -> bool {
        let client = Client::of(part.connection);
        let mut is_whole = true;
        let mut is_behind = None;
        for change in &part.changes {
            let is_taken = self.clients[client].disk.write(change.clone());
            is_whole &= is_taken;
            if let durable::Change::Event(Event::Chat(ChatEvent::Entries { entries, .. })) = change {
                is_behind = Some(!is_taken || entries.is_empty());
            }
        }
        self.clients[client].has_let_go |= !is_whole;
        if let (Some(is_behind), Some(process)) = (is_behind, &mut self.apps[app].process) {
            match is_behind {
                true => process.behind.insert(part.connection),
                false => process.behind.remove(&part.connection),
            };
        }
        is_whole
    }

    fn tell_behind(&mut self, app: usize, run: u64) {
        let Some(process) = self.process(app, run) else { return };
        let behind = std::mem::take(&mut process.behind);
        if !behind.is_empty() {
            self.drive(app, Input::Behind(behind));
        }
    }

    /// What a part brings on the screen, and what it says of what the person did.
    fn note(&mut self, part: &Part) {
        let client = Client::of(part.connection);
        self.say(|| format!("part {}: {:?}", part.number, part.changes));
        let replaces = |change: &durable::Change| matches!(change, durable::Change::Replace { .. });
        let mut known = part.changes.iter().any(replaces).then(|| self.known(client));
        for change in &part.changes {
            self.typed_is_kept(client, known.as_ref(), change);
            known.iter_mut().for_each(|known| _ = known.write(change.clone()));
            if let Some(running) = &mut self.clients[client].running {
                running.to_show.extend(laws::shown_by(change));
            }
        }
    }
}

fn profile(id: ConnectionId) -> Profile {
    Profile {
        id,
        name: "sim".into(),
        urls: vec!["ws://sim".into()],
        protocol: Protocol::Duplex,
        socket: Socket::Tungstenite,
        route: Default::default(),
        ca_file: None,
        fingerprint: None,
        auto_connect: true,
        websocket: Default::default(),
        network: Default::default(),
    }
}
