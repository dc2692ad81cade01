//! The clients: the real courier, link and model, a disk, and a person before them.

use std::collections::{BTreeSet, VecDeque};

use duplex::link::courier::{Change, Courier, Input, Output};
use duplex::link::{Input as LinkInput, Link};
use duplex::model::content::{Content, Draft};
use duplex::model::event::{ChatEvent, Follows, Update};
use duplex::model::id::RoomName;
use duplex::model::profile::{Profile, Protocol, Secret, Socket};
use duplex::model::{Delivery, Event, MessageId, Model, OutboxItem, PrincipalId, Refusal, RoomId, Time};
use duplex::wire::Setup;
use duplex::wire::duplex::client::{Config, Credentials};

use super::disk::ClientDisk;
use super::laws;
use super::world::{CONNECTION, Happening, World};

#[derive(Default)]
pub struct Client {
    /// Its token, and its id at the hub.
    pub name: String,
    pub disk: ClientDisk,
    pub running: Option<Running>,
    pub run: u64,
    pub suspended_until: u64,
    pub wall_offset: i64,
    /// What was typed and is on disk, in the order in which it is to be sent.
    pub queued: Vec<MessageId>,
    /// Rooms whose making was typed and is on disk.
    pub made: Vec<MessageId>,
    /// What was deleted or replaced, on disk, before it was ever sent.
    pub discarded: BTreeSet<MessageId>,
    /// What was shown as a message of the log.
    pub shown: BTreeSet<(PrincipalId, MessageId)>,
    typed: u64,
}

/// All that a crash takes away.
pub struct Running {
    pub courier: Courier,
    pub model: Model,
    pub conn: Option<u64>,
    /// Handed to the disk, and not there yet.
    pub unsaved: VecDeque<(u64, Change)>,
    /// On disk, and not shown yet.
    pub to_show: VecDeque<Event>,
    /// Refused for its credentials: it must not dial before a person says so.
    pub refused: bool,
    tick_at: Option<u64>,
    sync_due: bool,
}

impl Client {
    pub fn new(name: String) -> Self {
        Client { name, ..Client::default() }
    }
}

impl World {
    pub(super) fn client_time(&self, client: usize) -> Time {
        let time = self.hub_time();
        Time { wall_ms: time.wall_ms + self.clients[client].wall_offset, ..time }
    }

    pub(super) fn restart_client(&mut self, client: usize) {
        if self.clients[client].running.is_some() {
            return;
        }
        let now = self.client_time(client);
        let seed = self.rng.draw();
        let token = Secret::new(self.clients[client].name.clone());
        let credentials = if self.chance(50) {
            Credentials::Prove { secret: [9; 32], address: "sim:1".into(), token }
        } else {
            Credentials::Token(token)
        };
        let c = &mut self.clients[client];
        let setup = Setup::Duplex(Config { client: "sim".into(), credentials, watch: false });
        let me = c.disk.me.as_ref().map(|me| me.id.clone());
        let link =
            Link::new(vec!["ws://a".into(), "ws://b".into()], Box::new(setup), c.disk.saved(), me, seed);
        let courier = Courier::new(link, now, c.disk.outbox.values().cloned().collect());
        let mut model = Model::default();
        model.apply(now, Update::Configured(profile()));
        model.apply(now, Update::Connection(CONNECTION, Event::Chat(ChatEvent::Restored(c.disk.stored()))));
        laws::what_was_typed_is_there_after_a_restart(c, &model);
        c.run += 1;
        c.running = Some(Running {
            courier,
            model,
            conn: None,
            unsaved: VecDeque::new(),
            to_show: VecDeque::new(),
            refused: false,
            tick_at: None,
            sync_due: false,
        });
        self.tell(client, Input::Link(LinkInput::Start));
    }

    pub(super) fn crash_client(&mut self, client: usize) {
        let Some(running) = self.clients[client].running.take_if(|_| !self.healed) else {
            return;
        };
        self.figures.client_crashes += 1;
        if let Some(conn) = running.conn {
            self.close_client_side(conn);
        }
        let back_in = self.rng.up_to(8_000);
        self.at(back_in, Happening::RestartClient { client });
    }

    /// Tells its courier, and does what that wants; it may crash at any output.
    pub(super) fn tell(&mut self, client: usize, input: Input) {
        let now = self.client_time(client);
        let Some(running) = &mut self.clients[client].running else { return };
        running.courier.handle(now, input);
        while let Some(output) = self.clients[client].running.as_mut().and_then(|r| r.courier.poll()) {
            self.client_wants(client, output);
            if self.mishap(2) {
                self.crash_client(client);
            }
        }
        self.set_client_tick(client);
    }

    fn set_client_tick(&mut self, client: usize) {
        let c = &mut self.clients[client];
        let Some(running) = &mut c.running else { return };
        let Some(deadline) = running.courier.deadline() else { return };
        if running.tick_at.is_none_or(|at| deadline < at) {
            running.tick_at = Some(deadline);
            let run = c.run;
            let in_ms = deadline.saturating_sub(self.now);
            self.at(in_ms, Happening::ClientTick { client, run });
        }
    }

    pub(super) fn client_tick(&mut self, client: usize, run: u64) {
        let c = &mut self.clients[client];
        let Some(running) = c.running.as_mut().filter(|_| c.run == run) else { return };
        running.tick_at = None;
        self.tell(client, Input::Link(LinkInput::Tick));
    }

    fn client_wants(&mut self, client: usize, output: Output) {
        let run = self.clients[client].run;
        let c = &mut self.clients[client];
        let Some(running) = &mut c.running else { return };
        match output {
            Output::Dial { dial, .. } => {
                assert!(!running.refused, "it dials again with credentials that were refused");
                self.hang_up(client);
                // A black hole answers nothing at all.
                if !self.mishap(50) {
                    let in_ms = self.rng.up_to(50);
                    self.at(in_ms, Happening::Dialed { client, run, dial });
                }
            }
            // The Duplex protocol has pings of its own.
            Output::Ping => {}
            Output::Hangup { .. } => self.hang_up(client),
            Output::Send(frame) => {
                laws::what_is_sent_is_true_on_disk(c, &frame);
                if let Some(conn) = c.running.as_ref().and_then(|running| running.conn) {
                    self.carry(conn, frame, true);
                }
            }
            Output::Write { ticket, change } => {
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
        let c = &mut self.clients[client];
        laws::what_is_shown_is_on_disk(c, &event);
        match &event {
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
        if let Some(running) = &mut c.running {
            running.model.apply(now, Update::Connection(CONNECTION, event));
        }
    }

    /// All that waits for the disk gets there at once.
    pub(super) fn client_sync(&mut self, client: usize, run: u64) {
        let c = &mut self.clients[client];
        let Some(running) = c.running.as_mut().filter(|_| c.run == run) else { return };
        running.sync_due = false;
        let mut tickets = Vec::new();
        for (ticket, change) in running.unsaved.drain(..) {
            match &change {
                Change::Queue(item) if item.makes().is_some() => c.made.push(item.draft.id),
                Change::Queue(item) => c.queued.push(item.draft.id),
                Change::Unqueue(id) => {
                    self.figures.discarded += 1;
                    c.queued.retain(|known| known != id);
                    c.made.retain(|known| known != id);
                    c.discarded.insert(*id);
                }
                // A room that is sent again.
                Change::Replace { new, .. } if new.makes().is_some() => {}
                // What was refused goes to the end.
                Change::Replace { old, new } if c.disk.outbox.get(&new.seq).is_none() => {
                    c.queued.retain(|known| known != old);
                    c.queued.push(new.draft.id);
                    if *old != new.draft.id {
                        c.discarded.insert(*old);
                    }
                }
                // In its turn.
                Change::Replace { old, new } => {
                    self.figures.edited += 1;
                    c.queued.iter_mut().filter(|known| *known == old).for_each(|known| *known = new.draft.id);
                    c.discarded.insert(*old);
                }
                Change::Attempted(_) | Change::Event(_) | Change::State(_) => {}
                Change::Draft { .. } | Change::RemoveConnection => {}
            }
            running.to_show.extend(laws::shown_by(&change));
            c.disk.write(change);
            tickets.push(ticket);
        }
        for ticket in tickets {
            self.tell(client, Input::Saved(ticket));
        }
    }

    // The person

    pub(super) fn person_starts(&mut self, client: usize) {
        if let Some(running) = &mut self.clients[client].running {
            running.refused = false;
        }
        self.tell(client, Input::Link(LinkInput::Start));
    }

    pub(super) fn person_types(&mut self, client: usize) {
        let id = self.new_id();
        let c = &mut self.clients[client];
        if c.running.is_some() {
            c.typed += 1;
            let body = format!("{client}:{}", c.typed);
            let rooms = c.disk.rooms.clone();
            self.figures.typed += 1;
            let at = self.rng.up_to(rooms.len() as u64 * 2) as usize;
            let room = rooms.get(at).map_or_else(RoomId::general, |room| room.id.clone());
            self.tell(client, Input::Send(Draft { id, room, content: Content::text(body), at: 0 }));
        }
    }

    /// Makes a room, and types into it at once. Others make some of the same names.
    pub(super) fn person_makes_a_room(&mut self, client: usize) {
        let (id, first) = (self.new_id(), self.new_id());
        let name = ["general", "lathe", "kiln", "attic"][self.rng.up_to(3) as usize];
        if self.clients[client].running.is_some() {
            let content = Content::room(RoomName::new(name).expect("keeps the rule"));
            self.figures.rooms += 1;
            self.figures.typed += 1;
            self.tell(client, Input::Send(Draft { id, room: id.into(), content, at: 0 }));
            let body = format!("{client}: the first in {name}");
            let content = Content::text(body);
            self.tell(client, Input::Send(Draft { id: first, room: id.into(), content, at: 0 }));
        }
    }

    /// Has what was refused sent again, or deletes it where there is no room for it any more.
    pub(super) fn person_mends(&mut self, client: usize) {
        let failed = |item: &OutboxItem| match &item.delivery {
            Delivery::Failed(refusal) => Some((item.draft.id, refusal.clone())),
            _ => None,
        };
        let Some((id, refusal)) = self.clients[client].disk.outbox.values().find_map(failed) else { return };
        match refusal {
            Refusal::NoSuchRoom => self.tell(client, Input::Discard(id)),
            _ => {
                self.figures.sent_again += 1;
                self.tell(client, Input::Resend(id));
            }
        }
    }

    pub(super) fn person_edits(&mut self, client: usize) {
        // The first one that waits: others are behind it.
        let pending = |delivery: &Delivery| *delivery == Delivery::Pending;
        let mut outbox = self.clients[client].disk.outbox.values();
        let first = outbox.find(|item| pending(&item.delivery) && item.makes().is_none());
        let first = first.map(|item| item.draft.id);
        if let Some(id) = first {
            let new_id = self.new_id();
            self.tell(client, Input::Edit { id, new_id, body: format!("{client}: better") });
        }
    }

    pub(super) fn person_discards(&mut self, client: usize) {
        let last = self.clients[client].disk.outbox.values().next_back().map(|item| item.draft.id);
        if let Some(id) = last {
            self.tell(client, Input::Discard(id));
        }
    }

    fn new_id(&mut self) -> MessageId {
        let mut bytes = [0u8; 16];
        bytes[..8].copy_from_slice(&self.rng.draw().to_le_bytes());
        bytes[8..].copy_from_slice(&self.rng.draw().to_le_bytes());
        MessageId::from_random(bytes)
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
        websocket: Default::default(),
    }
}
