//! The simulated world: a queue of happenings in time, and the laws that must hold.

use std::collections::{BTreeMap, BTreeSet, BinaryHeap, VecDeque};

use duplex::frame::Frame;
use duplex::link::backoff::Jitter;
use duplex::link::courier::{Change, Courier, Input, Output};
use duplex::link::{Input as LinkInput, Link, Speaker};
use duplex::model::event::Update;
use duplex::model::profile::{Profile, Protocol, Secret, Socket};
use duplex::model::{
    ConnectionId, Delivery, Entry, EntryKind, Epoch, Event, LinkState, MessageId, Model, RoomName, Time, Why,
};
use duplex::wire::duplex::client::{Config, Credentials};
use duplex::wire::duplex::server::{self, Ask, Input as HubInput, Output as HubOutput, ServerSession};

use super::disk::ClientDisk;
use super::hub::{self, HubDisk};

/// How long things go wrong, in milliseconds.
const CHAOS_MS: u64 = 90_000;
/// How long healing may take, in milliseconds. Every figure of the link is below it.
const HEAL_MS: u64 = 240_000;
const CONNECTION: ConnectionId = ConnectionId(1);

/// How often what happened.
#[derive(Clone, Copy, Debug, Default)]
pub struct Figures {
    pub typed: u64,
    pub acknowledged: u64,
    pub client_crashes: u64,
    pub hub_crashes: u64,
    pub restores: u64,
    pub disconnects: u64,
    pub half_open: u64,
    pub refused_dials: u64,
    pub suspends: u64,
    pub lost: u64,
    pub doubled: u64,
    pub resent: u64,
    pub heal_ms: u64,
}

impl Figures {
    pub fn add(&mut self, other: &Figures) {
        self.typed += other.typed;
        self.acknowledged += other.acknowledged;
        self.client_crashes += other.client_crashes;
        self.hub_crashes += other.hub_crashes;
        self.restores += other.restores;
        self.disconnects += other.disconnects;
        self.half_open += other.half_open;
        self.refused_dials += other.refused_dials;
        self.suspends += other.suspends;
        self.lost += other.lost;
        self.doubled += other.doubled;
        self.resent += other.resent;
        self.heal_ms = self.heal_ms.max(other.heal_ms);
    }
}

#[derive(Debug)]
enum Happening {
    ClientTick { client: usize, run: u64 },
    Dialed { client: usize, run: u64, dial: u64 },
    ClientSync { client: usize, run: u64 },
    HubSync { run: u64 },
    HubTick { conn: u64 },
    ToHub { conn: u64, frame: Frame },
    ToClient { conn: u64, frame: Frame },
    HubSideClosed { conn: u64 },
    ClientSideClosed { conn: u64, why: Why },
    Type { client: usize },
    Discard { client: usize },
    Start { client: usize },
    CrashClient { client: usize },
    RestartClient { client: usize },
    CrashHub,
    RestartHub,
    Backup,
    Restore,
    Disconnect,
    HalfOpen,
    Suspend { client: usize },
    JumpClock { client: usize },
    Heal,
}

struct Conn {
    client: usize,
    dial: u64,
    session: Option<ServerSession>,
    client_open: bool,
    /// Nothing passes any more, and nobody is told.
    black_hole: bool,
    /// Frames keep their order in each direction.
    to_hub_at: u64,
    to_client_at: u64,
}

struct Running {
    courier: Courier,
    model: Model,
    conn: Option<u64>,
    unsaved: VecDeque<(u64, Change)>,
    tick_at: Option<u64>,
    sync_due: bool,
}

struct Client {
    disk: ClientDisk,
    running: Option<Running>,
    run: u64,
    suspended_until: u64,
    wall_offset: i64,
    /// What was shown as pending, in the order of typing.
    queued: Vec<MessageId>,
    discarded: BTreeSet<MessageId>,
    /// Acknowledged, and in which age of the hub's disk.
    acknowledged: BTreeMap<MessageId, u64>,
    typed: u64,
}

pub struct World {
    rng: Jitter,
    now: u64,
    queue: BinaryHeap<std::cmp::Reverse<(u64, u64)>>,
    happenings: BTreeMap<u64, Happening>,
    next: u64,
    clients: Vec<Client>,
    conns: BTreeMap<u64, Conn>,
    next_conn: u64,
    disk: HubDisk,
    backup: Option<HubDisk>,
    /// Grows with every restore.
    age: u64,
    hub_up: bool,
    hub_run: u64,
    waiting: VecDeque<hub::Waiting>,
    sync_due: bool,
    healed: bool,
    figures: Figures,
    talk: bool,
}

impl World {
    pub fn new(seed: u64) -> Self {
        let mut rng = Jitter::new(seed.wrapping_mul(0x2545_F491_4F6C_DD1D) ^ 0xD0D0);
        let epoch = Epoch(rng.next());
        let count = 1 + rng.up_to(2) as usize;
        let mut world = World {
            rng,
            now: 1_000_000,
            queue: BinaryHeap::new(),
            happenings: BTreeMap::new(),
            next: 0,
            clients: Vec::new(),
            conns: BTreeMap::new(),
            next_conn: 0,
            disk: HubDisk::new(epoch),
            backup: None,
            age: 0,
            hub_up: true,
            hub_run: 1,
            waiting: VecDeque::new(),
            sync_due: false,
            healed: false,
            figures: Figures::default(),
            talk: false,
        };
        for client in 0..count {
            world.clients.push(Client {
                disk: ClientDisk::default(),
                running: None,
                run: 0,
                suspended_until: 0,
                wall_offset: 0,
                queued: Vec::new(),
                discarded: BTreeSet::new(),
                acknowledged: BTreeMap::new(),
                typed: 0,
            });
            world.restart_client(client);
            world.plan(client);
        }
        world.plan_of_the_world();
        world.at(CHAOS_MS, Happening::Heal);
        world
    }

    pub fn talking(mut self) -> Self {
        self.talk = true;
        self
    }

    fn plan(&mut self, client: usize) {
        for _ in 0..4 + self.rng.up_to(12) {
            self.some_time(|_| Happening::Type { client });
        }
        for _ in 0..self.rng.up_to(3) {
            self.some_time(|_| Happening::CrashClient { client });
        }
        for _ in 0..self.rng.up_to(3) {
            self.some_time(|_| Happening::Start { client });
        }
        if self.chance(30) {
            self.some_time(|_| Happening::Suspend { client });
        }
        if self.chance(20) {
            self.some_time(|_| Happening::JumpClock { client });
        }
        if self.chance(40) {
            self.some_time(|_| Happening::Discard { client });
        }
    }

    fn plan_of_the_world(&mut self) {
        for _ in 0..self.rng.up_to(2) {
            self.some_time(|_| Happening::CrashHub);
        }
        for _ in 0..self.rng.up_to(4) {
            self.some_time(|_| Happening::Disconnect);
        }
        for _ in 0..self.rng.up_to(2) {
            self.some_time(|_| Happening::HalfOpen);
        }
        if self.chance(15) {
            let at = self.rng.up_to(CHAOS_MS / 2);
            self.at(at, Happening::Backup);
            let later = at + self.rng.up_to(CHAOS_MS / 2);
            self.at(later, Happening::Restore);
        }
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.rng.up_to(99) < percent
    }

    fn permille(&mut self, permille: u64) -> bool {
        self.rng.up_to(999) < permille
    }

    fn at(&mut self, in_ms: u64, happening: Happening) {
        self.next += 1;
        self.queue.push(std::cmp::Reverse((self.now + in_ms, self.next)));
        self.happenings.insert(self.next, happening);
    }

    fn some_time(&mut self, happening: impl FnOnce(&mut Self) -> Happening) {
        let at = self.rng.up_to(CHAOS_MS);
        let happening = happening(self);
        self.at(at, happening);
    }

    fn hub_time(&self) -> Time {
        Time { boot_ms: self.now, wall_ms: 1_800_000_000_000 + self.now as i64 }
    }

    fn client_time(&self, client: usize) -> Time {
        let time = self.hub_time();
        Time { wall_ms: time.wall_ms + self.clients[client].wall_offset, ..time }
    }

    /// Runs to the end and checks the laws.
    pub fn run(mut self) -> Figures {
        let mut heal_began = 0;
        while let Some(std::cmp::Reverse((at, key))) = self.queue.pop() {
            self.now = self.now.max(at);
            let Some(happening) = self.happenings.remove(&key) else {
                continue;
            };
            if self.talk {
                println!("{:>8} {}", self.now - 1_000_000, brief(&happening));
            }
            if matches!(happening, Happening::Heal) {
                heal_began = self.now;
            }
            self.happen(happening);
            if self.healed {
                if self.is_settled() {
                    break;
                }
                assert!(self.now - heal_began < HEAL_MS, "it does not heal: {}", self.describe());
            }
        }
        assert!(self.is_settled(), "it came to rest unhealed: {}", self.describe());
        self.figures.heal_ms = self.now - heal_began;
        self.check();
        self.figures
    }

    fn happen(&mut self, happening: Happening) {
        // What concerns a sleeping computer waits until it wakes.
        if let Some(client) = self.concerned(&happening) {
            let until = self.clients[client].suspended_until;
            if until > self.now {
                return self.at(until - self.now, happening);
            }
        }
        match happening {
            Happening::ClientTick { client, run } => {
                if self.clients[client].run == run {
                    if let Some(running) = &mut self.clients[client].running {
                        running.tick_at = None;
                    }
                    self.tell(client, Input::Link(LinkInput::Tick));
                }
            }
            Happening::Dialed { client, run, dial } => self.dialed(client, run, dial),
            Happening::ClientSync { client, run } => self.client_sync(client, run),
            Happening::HubSync { run } => self.hub_sync(run),
            Happening::HubTick { conn } => self.tell_session(conn, HubInput::Tick),
            Happening::ToHub { conn, frame } => {
                if self.conns.get(&conn).is_some_and(|c| !c.black_hole) {
                    self.tell_session(conn, HubInput::Frame(frame));
                }
            }
            Happening::ToClient { conn, frame } => {
                let Some(c) = self.conns.get(&conn).filter(|c| c.client_open && !c.black_hole) else {
                    return;
                };
                let (client, dial) = (c.client, c.dial);
                if self.uses(client, conn) {
                    self.tell(client, Input::Link(LinkInput::Frame { dial, frame }));
                }
            }
            Happening::HubSideClosed { conn } => {
                if let Some(c) = self.conns.get_mut(&conn) {
                    c.session = None;
                }
            }
            Happening::ClientSideClosed { conn, why } => self.client_side_closed(conn, why),
            Happening::Type { client } => self.person_types(client),
            Happening::Discard { client } => self.person_discards(client),
            Happening::Start { client } => self.tell(client, Input::Link(LinkInput::Start)),
            Happening::CrashClient { client } => self.crash_client(client),
            Happening::RestartClient { client } => self.restart_client(client),
            Happening::CrashHub => self.crash_hub(),
            Happening::RestartHub => self.hub_up = true,
            Happening::Backup => self.backup = Some(self.disk.clone()),
            Happening::Restore => self.restore(),
            Happening::Disconnect => self.disconnect_one(),
            Happening::HalfOpen => self.half_open_one(),
            Happening::Suspend { client } => {
                self.figures.suspends += 1;
                let ms = 500 + self.rng.up_to(40_000);
                self.clients[client].suspended_until = self.now + ms;
                self.at(ms, Happening::Start { client });
            }
            Happening::JumpClock { client } => {
                self.clients[client].wall_offset += self.rng.up_to(7_200_000) as i64 - 3_600_000;
            }
            Happening::Heal => self.heal(),
        }
    }

    fn concerned(&self, happening: &Happening) -> Option<usize> {
        match happening {
            Happening::ClientTick { client, .. }
            | Happening::Dialed { client, .. }
            | Happening::ClientSync { client, .. }
            | Happening::Type { client }
            | Happening::Start { client }
            | Happening::Discard { client }
            | Happening::JumpClock { client } => Some(*client),
            Happening::ToClient { conn, .. } | Happening::ClientSideClosed { conn, .. } => {
                self.conns.get(conn).map(|c| c.client)
            }
            _ => None,
        }
    }

    fn uses(&self, client: usize, conn: u64) -> bool {
        self.clients[client].running.as_ref().is_some_and(|running| running.conn == Some(conn))
    }

    // The client

    fn restart_client(&mut self, client: usize) {
        if self.clients[client].running.is_some() {
            return;
        }
        let now = self.client_time(client);
        let seed = self.rng.next();
        let name = format!("client {client}");
        let proves = self.rng.up_to(1) == 0;
        let credentials = if proves {
            Credentials::Prove { secret: [9; 32], address: "sim:1".into(), token: Secret::new(name) }
        } else {
            Credentials::Token(Secret::new(name))
        };
        let c = &mut self.clients[client];
        let speaker = Speaker::Duplex(Config { client: "sim".into(), credentials });
        let me = c.disk.me.as_ref().map(|me| me.id.clone());
        let link = Link::new(vec!["ws://a".into(), "ws://b".into()], speaker, c.disk.saved(), me, seed);
        let courier = Courier::new(link, now, c.disk.outbox.values().cloned().collect());
        let mut model = Model::default();
        model.apply(now, Update::Configured(profile()));
        model.apply(now, Update::Connection(CONNECTION, Event::Restored(c.disk.stored())));
        c.run += 1;
        c.running = Some(Running {
            courier,
            model,
            conn: None,
            unsaved: VecDeque::new(),
            tick_at: None,
            sync_due: false,
        });
        self.tell(client, Input::Link(LinkInput::Start));
    }

    fn crash_client(&mut self, client: usize) {
        let Some(running) = self.clients[client].running.take() else {
            return;
        };
        if self.healed {
            self.clients[client].running = Some(running);
            return;
        }
        self.figures.client_crashes += 1;
        if let Some(conn) = running.conn {
            self.close_client_side(conn);
        }
        let back_in = self.rng.up_to(8_000);
        self.at(back_in, Happening::RestartClient { client });
    }

    fn tell(&mut self, client: usize, input: Input) {
        let now = self.client_time(client);
        let Some(running) = &mut self.clients[client].running else {
            return;
        };
        running.courier.handle(now, input);
        while let Some(output) = self.clients[client].running.as_mut().and_then(|r| r.courier.poll()) {
            self.client_wants(client, output);
            if !self.healed && self.permille(2) {
                self.crash_client(client);
            }
        }
        self.set_client_tick(client);
    }

    fn set_client_tick(&mut self, client: usize) {
        let c = &mut self.clients[client];
        let Some(running) = &mut c.running else { return };
        let Some(deadline) = running.courier.deadline() else {
            return;
        };
        if running.tick_at.is_none_or(|at| deadline < at) {
            running.tick_at = Some(deadline);
            let run = c.run;
            let in_ms = deadline.saturating_sub(self.now);
            self.at(in_ms, Happening::ClientTick { client, run });
        }
    }

    fn client_wants(&mut self, client: usize, output: Output) {
        let run = self.clients[client].run;
        match output {
            Output::Dial { dial, .. } => {
                self.hang_up(client);
                // A black hole answers nothing at all.
                if self.healed || !self.chance(5) {
                    let in_ms = self.rng.up_to(50);
                    self.at(in_ms, Happening::Dialed { client, run, dial });
                }
            }
            Output::Hangup { .. } => self.hang_up(client),
            Output::Send(frame) => {
                if let Some(conn) = self.clients[client].running.as_ref().and_then(|running| running.conn) {
                    self.carry(conn, frame, true);
                }
            }
            Output::Write { ticket, change } => {
                let Some(running) = &mut self.clients[client].running else {
                    return;
                };
                running.unsaved.push_back((ticket, change));
                if !std::mem::replace(&mut running.sync_due, true) {
                    let in_ms = self.rng.up_to(20);
                    self.at(in_ms, Happening::ClientSync { client, run });
                }
            }
            Output::Apply(event) => self.client_sees(client, event),
        }
    }

    fn client_sees(&mut self, client: usize, event: Event) {
        let now = self.client_time(client);
        let age = self.age;
        let c = &mut self.clients[client];
        match &event {
            Event::Queued(item) => {
                assert!(
                    c.disk.outbox.values().any(|known| known.id == item.id),
                    "shown as pending before it is on disk"
                );
                if !c.queued.contains(&item.id) {
                    c.queued.push(item.id);
                }
            }
            Event::Unqueued(id) => {
                c.discarded.insert(*id);
            }
            Event::Attempted(ids) => self.figures.resent += ids.len() as u64,
            Event::Acknowledged { id, offset, .. } => {
                let key = (c.disk.me.as_ref().expect("welcomed first").id.clone(), *id);
                assert!(
                    self.age != age || self.disk.known.contains_key(&key) || self.figures.restores > 0,
                    "acknowledged at {offset}, and not on the hub's disk"
                );
                c.acknowledged.insert(*id, age);
                self.figures.acknowledged += 1;
            }
            _ => {}
        }
        if let Some(running) = &mut c.running {
            running.model.apply(now, Update::Connection(CONNECTION, event));
        }
    }

    fn client_sync(&mut self, client: usize, run: u64) {
        let c = &mut self.clients[client];
        if c.run != run {
            return;
        }
        let Some(running) = &mut c.running else { return };
        running.sync_due = false;
        let written: Vec<_> = running.unsaved.drain(..).collect();
        let mut tickets = Vec::new();
        for (ticket, change) in written {
            c.disk.write(change);
            tickets.push(ticket);
        }
        for ticket in tickets {
            self.tell(client, Input::Saved(ticket));
        }
    }

    fn person_types(&mut self, client: usize) {
        let mut bytes = [0u8; 16];
        bytes[..8].copy_from_slice(&self.rng.next().to_le_bytes());
        bytes[8..].copy_from_slice(&self.rng.next().to_le_bytes());
        let id = MessageId::from_random(bytes);
        let c = &mut self.clients[client];
        if c.running.is_some() {
            c.typed += 1;
            let body = format!("{client}:{}", c.typed);
            self.figures.typed += 1;
            self.tell(client, Input::Send { id, room: RoomName::general(), body });
        }
    }

    fn person_discards(&mut self, client: usize) {
        let last = self.clients[client].disk.outbox.values().next_back().map(|item| item.id);
        if let Some(id) = last {
            self.tell(client, Input::Discard(id));
        }
    }

    // The network

    fn dialed(&mut self, client: usize, run: u64, dial: u64) {
        if self.clients[client].run != run {
            return;
        }
        let refused = match self.rng.up_to(99) {
            _ if self.healed => None,
            0..=3 => Some(Why::Http { status: 401, retry_after_ms: None }),
            4..=7 => Some(Why::Http { status: 503, retry_after_ms: Some(1_500) }),
            8..=11 => Some(Why::ConnectionRefused),
            _ => None,
        };
        if let Some(why) = refused.or((!self.hub_up).then_some(Why::ConnectionRefused)) {
            self.figures.refused_dials += 1;
            return self.tell(client, Input::Link(LinkInput::Closed { dial, why }));
        }
        self.next_conn += 1;
        let conn = self.next_conn;
        let config = server::Config { proof: Some(([9; 32], "sim:1".into())) };
        let mut session = ServerSession::new(config, self.hub_time());
        session.handle(self.hub_time(), HubInput::Opened(None));
        let (to_hub_at, to_client_at) = (self.now, self.now);
        let c = Conn {
            client,
            dial,
            session: Some(session),
            client_open: true,
            black_hole: false,
            to_hub_at,
            to_client_at,
        };
        self.conns.insert(conn, c);
        self.set_hub_tick(conn);
        if let Some(running) = &mut self.clients[client].running {
            running.conn = Some(conn);
        }
        let mut nonce = [0; 32];
        nonce[..8].copy_from_slice(&self.rng.next().to_le_bytes());
        self.tell(client, Input::Link(LinkInput::Opened { dial, nonce }));
    }

    fn hang_up(&mut self, client: usize) {
        let conn = self.clients[client].running.as_mut().and_then(|running| running.conn.take());
        if let Some(conn) = conn {
            self.close_client_side(conn);
        }
    }

    fn close_client_side(&mut self, conn: u64) {
        if let Some(c) = self.conns.get_mut(&conn) {
            c.client_open = false;
            let in_ms = c.to_hub_at.saturating_sub(self.now) + 1;
            if !c.black_hole {
                self.at(in_ms, Happening::HubSideClosed { conn });
            }
        }
    }

    fn client_side_closed(&mut self, conn: u64, why: Why) {
        let Some(c) = self.conns.get_mut(&conn).filter(|c| c.client_open && !c.black_hole) else {
            return;
        };
        c.client_open = false;
        let (client, dial) = (c.client, c.dial);
        if self.uses(client, conn) {
            if let Some(running) = &mut self.clients[client].running {
                running.conn = None;
            }
            self.tell(client, Input::Link(LinkInput::Closed { dial, why }));
        }
    }

    fn carry(&mut self, conn: u64, frame: Frame, to_hub: bool) {
        let latency = 1 + self.rng.up_to(40);
        let copies = match self.rng.up_to(999) {
            0..=2 if !self.healed => 0,
            3..=5 if !self.healed => 2,
            _ => 1,
        };
        self.figures.lost += u64::from(copies == 0);
        self.figures.doubled += u64::from(copies == 2);
        let now = self.now;
        let Some(c) = self.conns.get_mut(&conn) else {
            return;
        };
        let at = if to_hub { &mut c.to_hub_at } else { &mut c.to_client_at };
        *at = (now + latency).max(*at);
        let in_ms = *at - now;
        for _ in 0..copies {
            let frame = frame.clone();
            self.at(
                in_ms,
                if to_hub { Happening::ToHub { conn, frame } } else { Happening::ToClient { conn, frame } },
            );
        }
    }

    fn any_conn(&mut self) -> Option<u64> {
        let open: Vec<u64> =
            self.conns.iter().filter(|(_, c)| c.client_open && !c.black_hole).map(|(k, _)| *k).collect();
        (!open.is_empty()).then(|| open[self.rng.up_to(open.len() as u64 - 1) as usize])
    }

    fn disconnect_one(&mut self) {
        if let Some(conn) = self.any_conn() {
            self.figures.disconnects += 1;
            let in_ms = self.rng.up_to(30);
            self.at(in_ms, Happening::HubSideClosed { conn });
            let in_ms = self.rng.up_to(30);
            self.at(in_ms, Happening::ClientSideClosed { conn, why: Why::Lost { detail: "reset".into() } });
        }
    }

    fn half_open_one(&mut self) {
        if let Some(c) = self.any_conn().and_then(|conn| self.conns.get_mut(&conn)) {
            c.black_hole = true;
            self.figures.half_open += 1;
        }
    }

    // The hub

    fn tell_session(&mut self, conn: u64, input: HubInput) {
        let now = self.hub_time();
        let mut pending = VecDeque::from([input]);
        while let Some(input) = pending.pop_front() {
            let Some(session) = self.conns.get_mut(&conn).and_then(|c| c.session.as_mut()) else {
                return;
            };
            session.handle(now, input);
            let mut sent = false;
            while let Some(output) = self.conns.get_mut(&conn).and_then(|c| c.session.as_mut()?.poll()) {
                match output {
                    HubOutput::Send(frame) => {
                        sent = true;
                        self.carry(conn, frame, false);
                    }
                    HubOutput::SendBatch(batch) => {
                        sent = true;
                        self.carry(conn, Frame::Text(batch.text().to_string()), false);
                    }
                    HubOutput::Ping => self.answer_ping(conn),
                    HubOutput::Ask(ask) => pending.extend(self.asked(conn, ask).map(HubInput::Answer)),
                    HubOutput::Close(code, reason) => self.close_hub_side(conn, code, reason),
                }
                if !self.healed && self.permille(1) {
                    self.crash_hub();
                }
            }
            if sent {
                pending.push_back(HubInput::Drained);
            }
        }
        self.set_hub_tick(conn);
    }

    /// A transport answers pings by itself.
    fn answer_ping(&mut self, conn: u64) {
        if self.conns.get(&conn).is_some_and(|c| c.client_open && !c.black_hole) {
            self.tell_session(conn, HubInput::Alive);
        }
    }

    fn close_hub_side(&mut self, conn: u64, code: u16, reason: String) {
        let now = self.now;
        let Some(c) = self.conns.get_mut(&conn) else {
            return;
        };
        c.session = None;
        let in_ms = c.to_client_at.saturating_sub(now) + 1;
        let why = duplex::wire::duplex::client::why_of_close(code, reason, None);
        self.at(in_ms, Happening::ClientSideClosed { conn, why });
    }

    fn set_hub_tick(&mut self, conn: u64) {
        let deadline = self.conns.get(&conn).and_then(|c| c.session.as_ref()?.deadline());
        if let Some(deadline) = deadline {
            let in_ms = deadline.saturating_sub(self.now);
            // A stale tick is harmless; one a second is enough here.
            if in_ms > 0 {
                self.at(in_ms, Happening::HubTick { conn });
            }
        }
    }

    fn asked(&mut self, conn: u64, ask: Ask) -> Option<server::Answer> {
        if let Some(answer) = hub::answer(&self.disk, &ask) {
            return Some(answer);
        }
        let me = self.conns.get(&conn).and_then(|c| c.session.as_ref()?.principal().cloned());
        match ask {
            Ask::Append { sender, id, kind, room, body, at } => {
                self.waiting.push_back(hub::Waiting { session: conn, sender, id, kind, room, body, at });
                if !std::mem::replace(&mut self.sync_due, true) {
                    let in_ms = self.rng.up_to(15);
                    let run = self.hub_run;
                    self.at(in_ms, Happening::HubSync { run });
                }
            }
            Ask::SetRead { room, offset } => {
                if let Some(me) = me {
                    self.disk.reads.insert((me.id, room), offset);
                }
            }
            _ => {}
        }
        None
    }

    fn hub_sync(&mut self, run: u64) {
        if run != self.hub_run || !self.hub_up {
            return;
        }
        self.sync_due = false;
        let now = self.hub_time().wall_ms;
        let synced = hub::sync(&mut self.disk, &mut self.waiting, now);
        // On disk, and nobody has been told yet: the worst moment to die.
        if !self.healed && self.permille(5) {
            return self.crash_hub();
        }
        if let Some(batch) = &synced.batch {
            let sessions: Vec<u64> =
                self.conns.iter().filter(|(_, c)| c.session.is_some()).map(|(k, _)| *k).collect();
            for conn in sessions {
                self.tell_session(conn, HubInput::Committed(std::sync::Arc::clone(batch)));
            }
        }
        for (conn, answer) in synced.answers {
            self.tell_session(conn, HubInput::Answer(answer));
        }
    }

    fn crash_hub(&mut self) {
        if !self.hub_up || self.healed {
            return;
        }
        self.figures.hub_crashes += 1;
        self.hub_up = false;
        self.hub_run += 1;
        self.waiting.clear();
        self.sync_due = false;
        let power_loss = self.chance(30);
        let conns: Vec<u64> =
            self.conns.iter().filter(|(_, c)| c.session.is_some()).map(|(k, _)| *k).collect();
        for conn in conns {
            let in_ms = self.rng.up_to(100);
            let Some(c) = self.conns.get_mut(&conn) else {
                continue;
            };
            c.session = None;
            if power_loss {
                c.black_hole = true;
            } else {
                self.at(
                    in_ms,
                    Happening::ClientSideClosed { conn, why: Why::Lost { detail: "reset".into() } },
                );
            }
        }
        let back_in = self.rng.up_to(10_000);
        self.at(back_in, Happening::RestartHub);
    }

    fn restore(&mut self) {
        if let Some(backup) = self.backup.take() {
            self.crash_hub();
            self.disk = backup;
            self.age += 1;
            self.figures.restores += 1;
        }
    }

    // The end

    fn heal(&mut self) {
        self.healed = true;
        self.hub_up = true;
        for client in 0..self.clients.len() {
            self.restart_client(client);
            self.at(0, Happening::Start { client });
            // What fell to a refusal or a fault after that is started once more by the person.
            self.at(60_000, Happening::Start { client });
        }
    }

    fn is_settled(&self) -> bool {
        self.clients.iter().all(|client| {
            client.running.as_ref().is_some_and(|running| {
                let connection = &running.model.connections[&CONNECTION];
                running.courier.link().state().is_online()
                    && running.unsaved.is_empty()
                    && client.disk.outbox.is_empty()
                    && connection.outbox.is_empty()
                    && connection.received_to == self.disk.head()
            })
        })
    }

    fn check(&self) {
        let hub: Vec<&Entry> =
            self.disk.log.iter().filter(|entry| entry.kind == EntryKind::Message).collect();
        for client in &self.clients {
            let me = &client.disk.me.as_ref().expect("it was welcomed").id;
            let mine: Vec<MessageId> =
                hub.iter().filter(|entry| entry.sender.id == *me).map(|entry| entry.id).collect();
            let expected: Vec<MessageId> = client
                .queued
                .iter()
                .filter(|id| !client.discarded.contains(id))
                // What a restored backup took with it stays with the one who wrote it.
                .filter(|id| {
                    let lost = !mine.contains(id);
                    let by_restore = client.acknowledged.get(id).is_some_and(|age| *age < self.age)
                        || self.age > 0 && client.disk.messages.contains_key(&(me.clone(), **id));
                    assert!(
                        !lost || by_restore && client.disk.messages.contains_key(&(me.clone(), **id)),
                        "lost: {id}"
                    );
                    !lost
                })
                .copied()
                .collect();
            let known: Vec<MessageId> =
                mine.iter().filter(|id| client.queued.contains(id)).copied().collect();
            assert_eq!(known, expected, "once and in order at the hub");

            let era = client.disk.era;
            let held = client.disk.in_order();
            let current: Vec<(u64, MessageId)> =
                held.iter().filter(|(p, _)| p.era == era).map(|(p, e)| (p.offset, e.id)).collect();
            let from = client.disk.era_from;
            let theirs: Vec<(u64, MessageId)> =
                hub.iter().filter(|e| e.offset >= from).map(|e| (e.offset, e.id)).collect();
            assert_eq!(current, theirs, "once and in order at the client");
            assert_eq!(from, 1, "with so few messages, everything is replayed");
            let page = client.disk.page(&RoomName::general());
            let running = client.running.as_ref().expect("settled");
            let room = &running.model.connections[&CONNECTION].rooms[&RoomName::general()];
            let seen: Vec<_> = room.window.messages().map(|m| (m.position, m.id)).collect();
            assert_eq!(
                seen,
                page.messages.iter().map(|m| (m.position, m.id)).collect::<Vec<_>>(),
                "the window shows what is on disk"
            );
            assert!(held.iter().all(|(p, e)| p.era == era || !self.disk.known.contains_key(&(e.sender.id.clone(), e.id))));
        }
    }

    fn describe(&self) -> String {
        let state = |client: &Client| {
            let running = client.running.as_ref()?;
            let connection = &running.model.connections[&CONNECTION];
            let outbox: Vec<&Delivery> = client.disk.outbox.values().map(|item| &item.delivery).collect();
            let state: &LinkState = running.courier.link().state();
            Some(format!(
                "{state:?} outbox {outbox:?} at {} of {} unsaved {}",
                connection.received_to,
                self.disk.head(),
                running.unsaved.len()
            ))
        };
        format!("{:?}", self.clients.iter().map(state).collect::<Vec<_>>())
    }
}

fn profile() -> Profile {
    Profile {
        id: CONNECTION,
        name: "sim".into(),
        urls: vec!["ws://sim".into()],
        protocol: Protocol::Duplex,
        socket: Socket::Tungstenite,
        ca_file: None,
        fingerprint: None,
        auto_connect: true,
    }
}

fn brief(happening: &Happening) -> String {
    let text = format!("{happening:?}");
    text.chars().take(220).collect()
}
