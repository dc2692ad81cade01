//! [`Notifier`]: of what to tell a person who looks elsewhere, and when to be quiet. It hears everything that happens, and
//! says what to show and what to take back. Pure: time, the model and where the person looks are arguments.

mod chat;
mod choice;
mod fleet;
mod links;
mod mention;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};

use super::device::DeviceId;
use super::entry::Entry;
use super::event::{Event, LogRestart, Update};
use super::id::{ConnectionId, Offset, PrincipalId, RoomId, RoomName};
use super::link_state::LinkState;
use super::reducer::Model;
use super::time::BootMs;
use crate::model::event::{ChatEvent, LinkEvent};

pub use choice::{DAY_MINUTES, Level, NoticeChoices, NoticePreferences};
pub use fleet::Gone;
pub use mention::{SIGNS, mention_places, mentions};

use chat::Talks;
use fleet::Fleet;
use links::Links;

/// Most notices in any minute. What is more waits, and is then told together.
pub const MOST_A_MINUTE: usize = 5;
/// The minute of [`MOST_A_MINUTE`], in milliseconds.
const MINUTE_MS: u64 = 60_000;
/// A deadline missed by so much means that the computer slept, in milliseconds.
const SLEPT_MS: u64 = 10_000;

/// A moment, as the notifier needs it.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Moment {
    /// For timers.
    pub boot_ms: BootMs,
    /// Minutes since local midnight, for quiet hours.
    pub minute: u16,
}

/// What the person is looking at, while the window has the focus.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Viewing {
    /// The open room.
    pub room: Option<(ConnectionId, RoomId)>,
    /// The device whose page is open.
    pub device: Option<(ConnectionId, DeviceId)>,
}

/// What a notice is about: a later one about the same takes its place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// A room.
    Room(ConnectionId, RoomId),
    /// Several rooms at once.
    Rooms,
    /// A connection's devices.
    Devices(ConnectionId),
    /// Connections that are down.
    Links,
    /// A trial by the person.
    Trial,
}

/// What a click on a notice opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A room.
    Room(ConnectionId, RoomId),
    /// A device's page.
    Device(ConnectionId, DeviceId),
    /// The list of devices.
    Devices,
    /// A connection.
    Connection(ConnectionId),
    /// The window as it is.
    Window,
}

/// What to tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// Somebody wrote.
    Messages {
        /// What the room is called.
        room: RoomName,
        /// How many messages since the person last looked.
        count: u64,
        /// Who wrote the last one, or the last that names the person.
        sender: String,
        /// What it says, cut; none where that is not to be shown.
        text: Option<String>,
        /// Whether it names the person.
        mention: bool,
    },
    /// Much was written in several rooms.
    ManyMessages {
        /// How many messages.
        count: u64,
        /// In how many rooms.
        rooms: usize,
        /// Whether one of them names the person.
        mention: bool,
    },
    /// Devices are gone.
    Devices {
        /// How many.
        count: usize,
        /// The names of the first of them.
        names: Vec<String>,
        /// How.
        gone: Gone,
    },
    /// Connections are down.
    LinkLost {
        /// Which.
        connections: Vec<ConnectionId>,
    },
    /// Notices work.
    Trial,
}

/// Something to tell. Text in it comes from outside, as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// What it is about.
    pub topic: Topic,
    /// What it says.
    pub news: News,
    /// What a click opens.
    pub target: Target,
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Show this, in place of the last one of its topic.
    Show(Notice),
    /// What was shown of this topic no longer matters.
    Withdraw(Topic),
}

/// What is known of one connection.
#[derive(Clone, Debug, Default)]
struct Peer {
    me: Option<(PrincipalId, String)>,
    /// Entries up to here were heard.
    heard_to: Offset,
    /// Entries up to here were written before the link came up.
    head: Offset,
    /// It was caught up once: what is replayed now is news.
    knows_all: bool,
    /// What is replayed was known before: the log began anew.
    is_known: bool,
    fleet: Fleet,
}

impl Peer {
    fn is_caught_up(&self) -> bool {
        self.heard_to >= self.head
    }
}

/// Decides what is told.
#[derive(Clone, Debug, Default)]
pub struct Notifier {
    peers: BTreeMap<ConnectionId, Peer>,
    talks: Talks,
    links: Links,
    viewing: Option<Viewing>,
    out: Out,
}

/// What was decided, and how much of late.
#[derive(Clone, Debug, Default)]
struct Out {
    acts: VecDeque<Act>,
    shown_at: VecDeque<BootMs>,
}

impl Out {
    fn show(&mut self, now: BootMs, notice: Notice) {
        self.shown_at.push_back(now);
        self.acts.push_back(Act::Show(notice));
    }

    fn withdraw(&mut self, topic: Topic) {
        self.acts.push_back(Act::Withdraw(topic));
    }

    /// How many more notices this minute bears.
    fn free(&mut self, now: BootMs) -> usize {
        while self.shown_at.front().is_some_and(|at| at.saturating_add(MINUTE_MS) <= now) {
            self.shown_at.pop_front();
        }
        MOST_A_MINUTE.saturating_sub(self.shown_at.len())
    }

    /// When one more can be shown at the earliest.
    fn next_free(&self) -> BootMs {
        let full = self.shown_at.len().checked_sub(MOST_A_MINUTE);
        full.and_then(|at| self.shown_at.get(at)).map_or(0, |at| at.saturating_add(MINUTE_MS))
    }
}

impl Notifier {
    /// Something happens; `model` is as it was before.
    pub fn hear(&mut self, at: Moment, model: &Model, update: &Update) {
        match update {
            Update::Connection(id, event) => self.event(at, model, *id, event),
            Update::Removed(id) => {
                if let Some(mut peer) = self.peers.remove(id) {
                    peer.fleet.link_lost(*id, true, &mut self.out);
                }
                self.talks.forget(*id, &mut self.out);
                self.links.over(*id, &mut self.out);
            }
            _ => {}
        }
        self.settle(at, model);
    }

    /// Whether readings are to be heard too: a silent device that speaks again says so by them alone.
    pub fn listens_to_readings(&self) -> bool {
        self.peers.values().any(|peer| peer.fleet.misses_some())
    }

    /// The person looks somewhere else; none: not at the window.
    pub fn view(&mut self, viewing: Option<Viewing>) {
        if let Some((connection, room)) = viewing.as_ref().and_then(|viewing| viewing.room.as_ref()) {
            self.talks.read(*connection, room, Offset::MAX, &mut self.out);
        }
        if viewing.is_some() {
            self.talks.seen(&mut self.out);
        }
        self.viewing = viewing;
    }

    /// The person wants to see what a notice looks like.
    pub fn try_out(&mut self, at: Moment) {
        let notice = Notice { topic: Topic::Trial, news: News::Trial, target: Target::Window };
        self.out.show(at.boot_ms, notice);
    }

    /// When to call [`Notifier::tick`] although nothing happens.
    pub fn deadline(&self) -> Option<BootMs> {
        let fleets = self.peers.values().filter_map(|peer| peer.fleet.due());
        let paced = fleets.chain(self.talks.due()).min().map(|due| due.max(self.out.next_free()));
        paced.into_iter().chain(self.links.due()).min()
    }

    /// Time has passed.
    pub fn tick(&mut self, at: Moment, model: &Model) {
        self.settle(at, model);
    }

    /// What to do next.
    pub fn poll(&mut self) -> Option<Act> {
        self.out.acts.pop_front()
    }

    fn event(&mut self, at: Moment, model: &Model, id: ConnectionId, event: &Event) {
        let peer = self.peers.entry(id).or_default();
        match event {
            Event::Chat(ChatEvent::Restored(stored)) => {
                peer.me = stored.me.as_ref().map(|me| (me.id.clone(), me.name.clone()));
                peer.heard_to = peer.heard_to.max(stored.received_to);
            }
            Event::Link(LinkEvent::Welcomed { me, log, .. }) => {
                peer.me = Some((me.id.clone(), me.name.clone()));
                peer.head = log.head();
                peer.knows_all |= peer.is_caught_up();
            }
            Event::Chat(ChatEvent::LogStarted { from, why, .. }) => {
                peer.heard_to = from.saturating_sub(1);
                peer.is_known = *why != LogRestart::First;
                self.talks.forget(id, &mut self.out);
            }
            Event::Chat(ChatEvent::Entries { entries, live }) => self.entries(at, model, id, entries, *live),
            Event::Chat(ChatEvent::Listed(listed)) => {
                for (room, offset) in &listed.read {
                    self.talks.read(id, room, *offset, &mut self.out);
                }
            }
            Event::Chat(ChatEvent::ReadMarker { room, offset }) => {
                self.talks.read(id, room, *offset, &mut self.out)
            }
            Event::Link(LinkEvent::State(state)) => self.link(at, id, state),
            _ => {
                let viewed = self.viewing.as_ref().and_then(|viewing| viewing.device.as_ref());
                let viewed = viewed.filter(|(connection, _)| *connection == id).map(|(_, device)| device);
                let ears = fleet::Ears { at, model, connection: id, viewed };
                peer.fleet.hear(ears, event, &mut self.out);
            }
        }
    }

    fn link(&mut self, at: Moment, id: ConnectionId, state: &LinkState) {
        let Some(peer) = self.peers.get_mut(&id) else { return };
        match state {
            LinkState::Online { .. } | LinkState::Idle => self.links.over(id, &mut self.out),
            _ => self.links.down(at.boot_ms, id),
        }
        self.links.was_online(id, state.is_online());
        if !state.is_online() {
            peer.fleet.link_lost(id, false, &mut self.out);
        }
    }

    fn entries(&mut self, at: Moment, model: &Model, id: ConnectionId, entries: &[Entry], live: bool) {
        let Some(peer) = self.peers.get_mut(&id) else { return };
        let quiet = model.preferences.notices.is_quiet_at(at.minute);
        let is_news = live || (peer.knows_all && !peer.is_known);
        for entry in entries {
            if entry.offset <= peer.heard_to {
                continue;
            }
            peer.heard_to = entry.offset;
            let viewed = self.viewing.as_ref().and_then(|viewing| viewing.room.as_ref());
            let is_viewed = viewed.is_some_and(|(at, room)| *at == id && *room == entry.draft.room);
            if is_news && !quiet && !is_viewed {
                self.talks.hear(at, model, (id, peer.me.as_ref()), entry);
            }
        }
        if peer.is_caught_up() {
            (peer.knows_all, peer.is_known) = (true, false);
        }
    }

    /// Shows what is due.
    fn settle(&mut self, at: Moment, model: &Model) {
        let preferences = &model.preferences.notices;
        let (now, quiet) = (at.boot_ms, preferences.is_quiet_at(at.minute));
        self.links.settle(now, preferences.link && !quiet && self.viewing.is_none(), &mut self.out);
        for (id, peer) in &mut self.peers {
            peer.fleet.settle(now, model, *id, preferences.devices && !quiet, &mut self.out);
        }
        if quiet {
            self.talks.hush();
        }
        let peers = &self.peers;
        let may_tell = |id: &ConnectionId| peers.get(id).is_some_and(Peer::is_caught_up);
        self.talks.settle(now, model, may_tell, &mut self.out);
    }
}
