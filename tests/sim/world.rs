//! A queue of happenings in time, and the plan of what goes wrong.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, VecDeque};

use duplex::engine::Input;
use duplex::frame::Frame;
use duplex::link::backoff::Jitter;
use duplex::model::event::Side;
use duplex::model::time::BootMs;
use duplex::model::time::WallMs;
use duplex::model::{ConnectionId, Entry, Epoch, MessageId, PrincipalId, RoomId, Time, Why};
use duplex::wire::duplex::server::Input as HubInput;

use super::apps::App;
use super::channels::Carried;
use super::clients::Client;
use super::hub::{self, HubDisk};
use super::network::Conn;

/// How long things go wrong, in milliseconds.
const CHAOS_MS: u64 = 90_000;
/// How long healing may take, in milliseconds. Every figure of the link is below it.
const HEAL_MS: u64 = 240_000;
/// How often a person looks after what was refused, while all heals.
const MENDS: u64 = 40;
/// Boot time at which every world begins.
const BEGIN_MS: u64 = 1_000_000;

/// How often what happened.
#[derive(Clone, Copy, Debug, Default)]
pub struct Figures {
    pub typed: u64,
    pub rooms: u64,
    pub rooms_moved: u64,
    pub room_changes: u64,
    pub private_rooms: u64,
    pub members_changed: u64,
    pub hidden: u64,
    pub sent_again: u64,
    pub edited: u64,
    pub discarded: u64,
    pub acknowledged: u64,
    pub attempted: u64,
    pub client_crashes: u64,
    pub hub_crashes: u64,
    pub restores: u64,
    pub taken_by_restores: u64,
    pub disconnects: u64,
    pub flaps: u64,
    pub half_open: u64,
    pub refused_dials: u64,
    pub refused_credentials: u64,
    pub unavailable: u64,
    pub refused_for_a_while: u64,
    pub postponed: u64,
    pub suspends: u64,
    pub clock_jumps: u64,
    pub lost: u64,
    pub doubled: u64,
    pub channels: u64,
    pub joins: u64,
    pub requests_lost: u64,
    pub requests_doubled: u64,
    pub disk_troubles: u64,
    pub held: u64,
    pub reloads: u64,
    pub turns: u64,
    pub counted: u64,
    /// The longest healing, in milliseconds.
    pub heal_ms: u64,
}

impl Figures {
    /// All that is counted, by name.
    pub fn counts(&self) -> [(&'static str, u64); 37] {
        [
            ("typed", self.typed),
            ("rooms", self.rooms),
            ("rooms moved", self.rooms_moved),
            ("room changes", self.room_changes),
            ("private rooms", self.private_rooms),
            ("members changed", self.members_changed),
            ("hidden", self.hidden),
            ("sent again", self.sent_again),
            ("edited", self.edited),
            ("discarded", self.discarded),
            ("acknowledged", self.acknowledged),
            ("attempted", self.attempted),
            ("client crashes", self.client_crashes),
            ("hub crashes", self.hub_crashes),
            ("restores", self.restores),
            ("taken by restores", self.taken_by_restores),
            ("disconnects", self.disconnects),
            ("flaps", self.flaps),
            ("half open", self.half_open),
            ("refused dials", self.refused_dials),
            ("refused credentials", self.refused_credentials),
            ("unavailable", self.unavailable),
            ("refused for a while", self.refused_for_a_while),
            ("postponed", self.postponed),
            ("suspends", self.suspends),
            ("clock jumps", self.clock_jumps),
            ("lost", self.lost),
            ("doubled", self.doubled),
            ("channels", self.channels),
            ("joins", self.joins),
            ("requests lost", self.requests_lost),
            ("requests doubled", self.requests_doubled),
            ("disk troubles", self.disk_troubles),
            ("held", self.held),
            ("reloads", self.reloads),
            ("turns", self.turns),
            ("counted", self.counted),
        ]
    }

    pub fn add(&mut self, other: &Figures) {
        self.typed += other.typed;
        self.rooms += other.rooms;
        self.rooms_moved += other.rooms_moved;
        self.room_changes += other.room_changes;
        self.private_rooms += other.private_rooms;
        self.members_changed += other.members_changed;
        self.hidden += other.hidden;
        self.sent_again += other.sent_again;
        self.edited += other.edited;
        self.discarded += other.discarded;
        self.acknowledged += other.acknowledged;
        self.attempted += other.attempted;
        self.client_crashes += other.client_crashes;
        self.hub_crashes += other.hub_crashes;
        self.restores += other.restores;
        self.taken_by_restores += other.taken_by_restores;
        self.disconnects += other.disconnects;
        self.flaps += other.flaps;
        self.half_open += other.half_open;
        self.refused_dials += other.refused_dials;
        self.refused_credentials += other.refused_credentials;
        self.unavailable += other.unavailable;
        self.refused_for_a_while += other.refused_for_a_while;
        self.postponed += other.postponed;
        self.suspends += other.suspends;
        self.clock_jumps += other.clock_jumps;
        self.lost += other.lost;
        self.doubled += other.doubled;
        self.channels += other.channels;
        self.joins += other.joins;
        self.requests_lost += other.requests_lost;
        self.requests_doubled += other.requests_doubled;
        self.disk_troubles += other.disk_troubles;
        self.held += other.held;
        self.reloads += other.reloads;
        self.turns += other.turns;
        self.counted += other.counted;
        self.heal_ms = self.heal_ms.max(other.heal_ms);
    }
}

#[derive(Debug)]
pub enum Happening {
    Tick { app: usize, run: u64 },
    Turn { app: usize, run: u64 },
    Dialed { client: usize, run: u64, dial: u64 },
    DiskWorks { app: usize, run: u64 },
    DiskRetry { app: usize, run: u64 },
    Counted { app: usize, run: u64, connection: ConnectionId },
    Read { app: usize, run: u64, connection: ConnectionId, room: RoomId, side: Option<Side> },
    SavedLater { app: usize, run: u64, part: u64, is_whole: bool },
    HubSync { run: u64 },
    HubTick { conn: u64 },
    Drained { conn: u64, sent: u64 },
    InChannel { conn: u64, carried: Carried },
    ToHub { conn: u64, frame: Frame },
    ToClient { conn: u64, frame: Frame },
    HubSideClosed { conn: u64 },
    ClientSideClosed { conn: u64, why: Why },
    Type { client: usize },
    MakeRoom { client: usize },
    MakePrivate { client: usize, direct: bool },
    ChangeMembers { client: usize },
    HideDirect { client: usize },
    Scroll { client: usize },
    ChangeRoom { client: usize },
    Change { client: usize },
    Mend { client: usize },
    Edit { client: usize },
    Discard { client: usize },
    Start { client: usize },
    Nudge { app: usize },
    CrashApp { app: usize },
    StartApp { app: usize },
    CrashHub,
    RestartHub,
    Backup,
    Restore,
    Disconnect,
    Flap { times: u64 },
    HalfOpen,
    Suspend { app: usize },
    JumpClock { app: usize },
    Heal,
}

pub struct World {
    pub(super) rng: Jitter,
    pub(super) now: u64,
    queue: BinaryHeap<Reverse<(u64, u64)>>,
    happenings: BTreeMap<u64, Happening>,
    next: u64,
    pub(super) apps: Vec<App>,
    pub(super) clients: Vec<Client>,
    pub(super) conns: BTreeMap<u64, Conn>,
    pub(super) next_conn: u64,
    pub(super) disk: HubDisk,
    pub(super) backup: Option<HubDisk>,
    /// Whether the hub will be restored from one.
    pub(super) has_backup: bool,
    /// What was in the hub's log and is not in the backup that replaced it.
    pub(super) taken: BTreeSet<(PrincipalId, MessageId)>,
    /// The log that the backup replaced.
    pub(super) replaced: Vec<Entry>,
    pub(super) hub_up: bool,
    pub(super) hub_run: u64,
    pub(super) waiting: VecDeque<hub::Waiting>,
    pub(super) sync_due: bool,
    /// Until then the hub takes no messages.
    pub(super) full_until: u64,
    pub(super) healed: bool,
    pub(super) figures: Figures,
    talk: bool,
}

impl World {
    pub fn new(seed: u64) -> Self {
        let mut rng = Jitter::new(seed.wrapping_mul(0x2545_F491_4F6C_DD1D) ^ 0xD0D0);
        let epoch = Epoch(rng.draw());
        let count = 1 + rng.up_to(2) as usize;
        let mut world = World {
            rng,
            now: BEGIN_MS,
            queue: BinaryHeap::new(),
            happenings: BTreeMap::new(),
            next: 0,
            apps: Vec::new(),
            clients: Vec::new(),
            conns: BTreeMap::new(),
            next_conn: 0,
            disk: HubDisk::new(epoch),
            backup: None,
            has_backup: false,
            taken: BTreeSet::new(),
            replaced: Vec::new(),
            hub_up: true,
            hub_run: 1,
            waiting: VecDeque::new(),
            sync_due: false,
            full_until: 0,
            healed: false,
            figures: Figures::default(),
            talk: false,
        };
        // Two may be connections of one app.
        let are_together = count > 1 && world.chance(50);
        for client in 0..count {
            let app = client - usize::from(are_together && client > 0);
            world.clients.push(Client::new(client, app));
            world.apps.resize_with(app + 1, App::default);
        }
        world.plan_of_the_world();
        for app in 0..world.apps.len() {
            world.start_app(app);
            world.plan_of_app(app);
        }
        for client in 0..count {
            world.plan(client);
        }
        world.at(CHAOS_MS, Happening::Heal);
        world
    }

    /// Prints each happening.
    pub fn talking(mut self) -> Self {
        self.talk = true;
        self
    }

    /// Prints what else happens, where each happening is printed.
    pub(super) fn say(&self, what: impl FnOnce() -> String) {
        if self.talk {
            println!("{:>8}   {}", self.now - BEGIN_MS, what().chars().take(400).collect::<String>());
        }
    }

    fn plan(&mut self, client: usize) {
        for _ in 0..4 + self.rng.up_to(12) {
            self.some_time(Happening::Type { client });
        }
        for _ in 0..self.rng.up_to(3) {
            self.some_time(Happening::Start { client });
        }
        for (percent, happening) in [
            (40, Happening::Discard { client }),
            (40, Happening::MakeRoom { client }),
            (20, Happening::MakeRoom { client }),
            (50, Happening::ChangeRoom { client }),
            (50, Happening::ChangeRoom { client }),
            (50, Happening::MakePrivate { client, direct: false }),
            (40, Happening::MakePrivate { client, direct: true }),
            (60, Happening::ChangeMembers { client }),
            (60, Happening::ChangeMembers { client }),
            (60, Happening::ChangeMembers { client }),
            (40, Happening::MakePrivate { client, direct: true }),
            (40, Happening::HideDirect { client }),
            (40, Happening::Scroll { client }),
            (50, Happening::Mend { client }),
            (60, Happening::Change { client }),
            (40, Happening::Change { client }),
            (40, Happening::Change { client }),
            (40, Happening::Edit { client }),
        ] {
            if self.chance(percent) {
                self.some_time(happening);
            }
        }
    }

    fn plan_of_app(&mut self, app: usize) {
        for _ in 0..self.rng.up_to(3) {
            self.some_time(Happening::CrashApp { app });
        }
        for (percent, happening) in [
            (30, Happening::Suspend { app }),
            (20, Happening::JumpClock { app }),
            (30, Happening::Nudge { app }),
        ] {
            if self.chance(percent) {
                self.some_time(happening);
            }
        }
    }

    fn plan_of_the_world(&mut self) {
        for _ in 0..self.rng.up_to(2) {
            self.some_time(Happening::CrashHub);
        }
        for _ in 0..self.rng.up_to(4) {
            self.some_time(Happening::Disconnect);
        }
        for _ in 0..self.rng.up_to(2) {
            self.some_time(Happening::HalfOpen);
        }
        if self.chance(10) {
            let times = 5 + self.rng.up_to(30);
            self.some_time(Happening::Flap { times });
        }
        self.has_backup = self.chance(30);
        if self.has_backup {
            let at = self.rng.up_to(CHAOS_MS / 2);
            self.at(at, Happening::Backup);
            let later = at + self.rng.up_to(CHAOS_MS / 2);
            self.at(later, Happening::Restore);
        }
    }

    /// Whether a page is being read from a disk.
    pub(super) fn is_reading(&self) -> bool {
        self.happenings.values().any(|happening| matches!(happening, Happening::Read { .. }))
    }

    pub(super) fn chance(&mut self, percent: u64) -> bool {
        self.rng.up_to(99) < percent
    }

    /// Whether something goes wrong now; never after the healing began.
    pub(super) fn mishap(&mut self, permille: u64) -> bool {
        !self.healed && self.rng.up_to(999) < permille
    }

    pub(super) fn at(&mut self, in_ms: u64, happening: Happening) {
        self.next += 1;
        self.queue.push(Reverse((self.now + in_ms, self.next)));
        self.happenings.insert(self.next, happening);
    }

    /// At a moment before the healing begins.
    fn some_time(&mut self, happening: Happening) {
        let at = self.rng.up_to(CHAOS_MS - 1);
        self.at(at, happening);
    }

    /// The hub's clocks.
    pub(super) fn hub_time(&self) -> Time {
        Time { boot_ms: BootMs(self.now), wall_ms: WallMs(1_800_000_000_000 + self.now as i64) }
    }

    /// Runs to the end and checks the laws.
    pub fn run(mut self) -> Figures {
        let mut heal_began = 0;
        while let Some(Reverse((at, key))) = self.queue.pop() {
            self.now = self.now.max(at);
            let Some(happening) = self.happenings.remove(&key) else { continue };
            if self.talk {
                println!("{:>8} {}", self.now - BEGIN_MS, brief(&happening));
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
        self.check_the_end();
        self.figures
    }

    fn happen(&mut self, happening: Happening) {
        // What concerns a sleeping computer waits until it wakes.
        if let Some(app) = self.concerned(&happening) {
            let until = self.apps[app].suspended_until;
            if until > self.now {
                return self.at(until - self.now, happening);
            }
        }
        match happening {
            Happening::Tick { app, run } => self.tick(app, run),
            Happening::Turn { app, run } => self.take_turn(app, run),
            Happening::Dialed { client, run, dial } => self.dialed(client, run, dial),
            Happening::DiskWorks { app, run } => self.disk_works(app, run),
            Happening::DiskRetry { app, run } => self.retry_disk(app, run),
            Happening::Counted { app, run, connection } => self.counted(app, run, connection),
            Happening::Read { app, run, connection, room, side } => {
                self.read(app, run, connection, room, side);
            }
            Happening::SavedLater { app, run, part, is_whole } => self.saved_later(app, run, part, is_whole),
            Happening::HubSync { run } => self.hub_sync(run),
            Happening::HubTick { conn } => self.hub_tick(conn),
            Happening::Drained { conn, sent } => self.drained(conn, sent),
            Happening::InChannel { conn, carried } => self.in_channel(conn, carried),
            Happening::ToHub { conn, frame } => {
                if self.conns.get(&conn).is_some_and(|c| !c.black_hole) {
                    self.tell_session(conn, HubInput::Frame(frame));
                }
            }
            Happening::ToClient { conn, frame } => self.frame_to_client(conn, frame),
            Happening::HubSideClosed { conn } => {
                if let Some(c) = self.conns.get_mut(&conn) {
                    c.session = None;
                }
            }
            Happening::ClientSideClosed { conn, why } => self.client_side_closed(conn, why),
            Happening::Type { client } => self.person_types(client),
            Happening::MakeRoom { client } => self.person_makes_a_room(client),
            Happening::MakePrivate { client, direct } => self.person_makes_a_private_room(client, direct),
            Happening::ChangeMembers { client } => self.person_changes_members(client),
            Happening::HideDirect { client } => self.person_hides_a_direct_message(client),
            Happening::Scroll { client } => self.person_scrolls(client),
            Happening::ChangeRoom { client } => self.person_changes_a_room(client),
            Happening::Change { client } => self.person_changes_a_message(client),
            Happening::Mend { client } => self.person_mends(client),
            Happening::Edit { client } => self.person_edits(client),
            Happening::Discard { client } => self.person_discards(client),
            Happening::Start { client } => self.person_starts(client),
            Happening::Nudge { app } => self.drive(app, Input::NudgeAll),
            Happening::CrashApp { app } => self.crash_app(app),
            Happening::StartApp { app } => self.start_app(app),
            Happening::CrashHub => self.crash_hub(),
            Happening::RestartHub => self.hub_up = true,
            Happening::Backup => self.backup = Some(self.disk.clone()),
            Happening::Restore => self.restore(),
            Happening::Disconnect => self.disconnect_one(),
            Happening::Flap { times } => {
                self.figures.flaps += 1;
                self.disconnect_one();
                if times > 0 && !self.healed {
                    let in_ms = 100 + self.rng.up_to(1_900);
                    self.at(in_ms, Happening::Flap { times: times - 1 });
                }
            }
            Happening::HalfOpen => self.half_open_one(),
            Happening::Suspend { app } => {
                self.figures.suspends += 1;
                let ms = 500 + self.rng.up_to(40_000);
                self.apps[app].suspended_until = self.now + ms;
                self.at(ms, Happening::Nudge { app });
            }
            Happening::JumpClock { app } => {
                self.figures.clock_jumps += 1;
                self.apps[app].wall_offset += self.rng.up_to(7_200_000) as i64 - 3_600_000;
            }
            Happening::Heal => self.heal(),
        }
    }

    /// Whose computer must be awake for it.
    fn concerned(&self, happening: &Happening) -> Option<usize> {
        let of = |client: usize| self.clients[client].app;
        match happening {
            Happening::Tick { app, .. }
            | Happening::Turn { app, .. }
            | Happening::DiskWorks { app, .. }
            | Happening::DiskRetry { app, .. }
            | Happening::Counted { app, .. }
            | Happening::Read { app, .. }
            | Happening::SavedLater { app, .. }
            | Happening::Nudge { app }
            | Happening::JumpClock { app } => Some(*app),
            Happening::Dialed { client, .. }
            | Happening::Type { client }
            | Happening::MakeRoom { client }
            | Happening::MakePrivate { client, .. }
            | Happening::ChangeMembers { client }
            | Happening::HideDirect { client }
            | Happening::Scroll { client }
            | Happening::ChangeRoom { client }
            | Happening::Change { client }
            | Happening::Mend { client }
            | Happening::Edit { client }
            | Happening::Discard { client }
            | Happening::Start { client } => Some(of(*client)),
            Happening::ToClient { conn, .. } | Happening::ClientSideClosed { conn, .. } => {
                self.conns.get(conn).map(|c| of(c.client))
            }
            Happening::InChannel { conn, carried } if carried.is_to_client() => {
                self.conns.get(conn).map(|c| of(c.client))
            }
            _ => None,
        }
    }

    fn heal(&mut self) {
        self.healed = true;
        self.hub_up = true;
        self.full_until = 0;
        for app in 0..self.apps.len() {
            self.apps[app].trouble_until = 0;
            self.start_app(app);
        }
        for client in 0..self.clients.len() {
            self.at(0, Happening::Start { client });
            // What fell to a refusal or a fault after that is started once more by the person.
            self.at(60_000, Happening::Start { client });
            // One thing at a time, until nothing is left that was refused.
            for turn in 1..=MENDS {
                self.at(turn * 5_000, Happening::Mend { client });
                self.at(turn * 5_000 + 2_500, Happening::Scroll { client });
            }
        }
    }
}

fn brief(happening: &Happening) -> String {
    format!("{happening:?}").chars().take(220).collect()
}
