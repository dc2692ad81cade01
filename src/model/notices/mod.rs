//! [`Notifier`]: decides which notifications to show and withdraw while the person is not looking, and when
//! to be quiet. Pure: time, the model and what the person sees are arguments.

mod chat;
mod choice;
mod fleet;
mod links;
mod mention;
mod reactions;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};

use super::device::DeviceId;
use super::entry::Entry;
use super::event::{Event, LogRestart, SetupUpdate, Update};
use super::id::{ConnectionId, Offset, PrincipalId, RoomId, RoomName};
use super::link_state::LinkState;
use super::reducer::Model;
use super::time::BootMs;
use crate::model::event::{ChatEvent, LinkEvent};

pub use choice::{DAY_MINUTES, Level, NoticeChoices, NoticePreferences};
pub use fleet::Gone;
pub use mention::{EVERYBODY, SIGNS, mention_places, mentions};

use chat::UnseenMessages;
use fleet::Fleet;
use links::Links;
use reactions::UnseenReactions;

/// Maximum number of notifications per minute. Further ones are delayed and combined.
pub const MAX_PER_MINUTE: usize = 5;
/// Period of [`MAX_PER_MINUTE`], in milliseconds.
const MINUTE_MS: u64 = 60_000;
/// A deadline missed by this much means that the computer was asleep, in milliseconds.
const SLEPT_MS: u64 = 10_000;

/// The current time.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Moment {
    /// Boot time, for timers.
    pub boot_ms: BootMs,
    /// Local time in minutes after midnight, for quiet hours.
    pub minute: u16,
}

/// What is visible to the person while the window has the focus.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Viewing {
    /// The open room.
    pub room: Option<(ConnectionId, RoomId)>,
    /// The device whose page is open.
    pub device: Option<(ConnectionId, DeviceId)>,
}

/// Subject of a notification; a new one replaces the previous one with the same topic.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// A room.
    Room(ConnectionId, RoomId),
    /// Several rooms at once.
    Rooms,
    /// Reactions in a room.
    Reactions(ConnectionId, RoomId),
    /// A connection's devices.
    Devices(ConnectionId),
    /// Lost connections.
    Links,
    /// The test notification.
    Trial,
}

/// What a click on a notification opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClickTarget {
    /// A room.
    Room(ConnectionId, RoomId),
    /// The page of a device.
    Device(ConnectionId, DeviceId),
    /// The device list.
    Devices,
    /// A connection.
    Connection(ConnectionId),
    /// The window in its current state.
    Window,
}

/// Content of a notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoticeContent {
    /// New messages in a room.
    Messages {
        /// Name of the room.
        room: RoomName,
        /// Number of messages since the person last looked.
        count: u64,
        /// Sender of the last message, or of the last one that mentions the person.
        sender: String,
        /// Its text, truncated; `None` if texts are hidden.
        text: Option<String>,
        /// Whether it mentions the person.
        mention: bool,
    },
    /// New messages in several rooms.
    ManyMessages {
        /// Number of messages.
        count: u64,
        /// Number of rooms.
        rooms: usize,
        /// Whether any message mentions the person.
        mention: bool,
    },
    /// Reactions to the person's messages in a room.
    Reactions {
        /// Name of the room.
        room: RoomName,
        /// Number of reactions since the person last looked.
        count: u64,
        /// Who reacted last.
        sender: String,
        /// With what.
        emoji: String,
        /// Text of the message that they reacted to, truncated; `None` if texts are hidden.
        text: Option<String>,
    },
    /// Devices went offline or silent.
    Devices {
        /// Number of devices.
        count: usize,
        /// Names of the first few.
        names: Vec<String>,
        /// Whether they are offline or silent.
        gone: Gone,
    },
    /// Connections are down.
    LinkLost {
        /// The connections.
        connections: Vec<ConnectionId>,
    },
    /// The test notification.
    Trial,
}

/// A notification. Contains foreign text that is not sanitized yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Its subject.
    pub topic: Topic,
    /// Its content.
    pub news: NoticeContent,
    /// What a click opens.
    pub target: ClickTarget,
}

/// An action for the platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoticeAction {
    /// Show a notification, replacing the previous one with the same topic.
    Show(Notice),
    /// Withdraw the notification with this topic.
    Withdraw(Topic),
}

/// State of a connection.
#[derive(Clone, Debug, Default)]
struct Peer {
    me: Option<(PrincipalId, String)>,
    /// Offset up to which entries were processed.
    heard_to: Offset,
    /// Offset up to which entries were written before the link came up.
    head: Offset,
    /// It was caught up once, so replayed entries are new to the person.
    knows_all: bool,
    /// Replayed entries are already known, since the log was reset.
    is_known: bool,
    fleet: Fleet,
}

impl Peer {
    fn is_caught_up(&self) -> bool {
        self.heard_to >= self.head
    }
}

/// Decides which notifications to show.
#[derive(Clone, Debug, Default)]
pub struct Notifier {
    peers: BTreeMap<ConnectionId, Peer>,
    unseen: UnseenMessages,
    reactions: UnseenReactions,
    links: Links,
    viewing: Option<Viewing>,
    out: Out,
}

/// Pending actions, and the recent notifications for the rate limit.
#[derive(Clone, Debug, Default)]
struct Out {
    acts: VecDeque<NoticeAction>,
    shown_at: VecDeque<BootMs>,
}

impl Out {
    fn show(&mut self, now: BootMs, notice: Notice) {
        self.shown_at.push_back(now);
        self.acts.push_back(NoticeAction::Show(notice));
    }

    fn withdraw(&mut self, topic: Topic) {
        self.acts.push_back(NoticeAction::Withdraw(topic));
    }

    /// Number of notifications still allowed within this minute.
    fn free(&mut self, now: BootMs) -> usize {
        while self.shown_at.front().is_some_and(|at| at.saturating_add(MINUTE_MS) <= now) {
            self.shown_at.pop_front();
        }
        MAX_PER_MINUTE.saturating_sub(self.shown_at.len())
    }

    /// Earliest time of the next notification allowed.
    fn next_free(&self) -> BootMs {
        let full = self.shown_at.len().checked_sub(MAX_PER_MINUTE);
        full.and_then(|at| self.shown_at.get(at)).map_or(BootMs(0), |at| at.saturating_add(MINUTE_MS))
    }
}

impl Notifier {
    /// Handles an update; `model` is as before the update.
    pub fn hear(&mut self, at: Moment, model: &Model, update: &Update) {
        match update {
            Update::Connection(id, event) => self.event(at, model, *id, event),
            Update::Setup(SetupUpdate::Removed(id)) => {
                if let Some(mut peer) = self.peers.remove(id) {
                    peer.fleet.link_lost(*id, true, &mut self.out);
                }
                self.unseen.forget(*id, &mut self.out);
                self.reactions.forget(*id, &mut self.out);
                self.links.over(*id, &mut self.out);
            }
            _ => {}
        }
        self.show_due(at, model);
    }

    /// Whether updates with readings are needed too: a silent device comes back by publishing alone.
    pub fn listens_to_readings(&self) -> bool {
        self.peers.values().any(|peer| peer.fleet.misses_some())
    }

    /// Sets what the person is looking at; `None` if the window is not focused.
    pub fn view(&mut self, viewing: Option<Viewing>) {
        if let Some((connection, room)) = viewing.as_ref().and_then(|viewing| viewing.room.as_ref()) {
            self.unseen.mark_read(*connection, room, Offset::MAX, &mut self.out);
            self.reactions.mark_read(*connection, room, Offset::MAX, &mut self.out);
        }
        if viewing.is_some() {
            self.unseen.mark_all_seen(&mut self.out);
        }
        self.viewing = viewing;
    }

    /// Shows the test notification.
    pub fn try_out(&mut self, at: Moment) {
        let notice = Notice { topic: Topic::Trial, news: NoticeContent::Trial, target: ClickTarget::Window };
        self.out.show(at.boot_ms, notice);
    }

    /// When to call [`Notifier::tick`] without an update.
    pub fn deadline(&self) -> Option<BootMs> {
        let fleets = self.peers.values().filter_map(|peer| peer.fleet.due());
        let paced = fleets
            .chain(self.unseen.due())
            .chain(self.reactions.due())
            .min()
            .map(|due| due.max(self.out.next_free()));
        paced.into_iter().chain(self.links.due()).min()
    }

    /// Handles the passing of time.
    pub fn tick(&mut self, at: Moment, model: &Model) {
        self.show_due(at, model);
    }

    /// The next action, if any.
    pub fn poll(&mut self) -> Option<NoticeAction> {
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
                peer.heard_to = from.previous();
                peer.is_known = *why != LogRestart::First;
                self.unseen.forget(id, &mut self.out);
                self.reactions.forget(id, &mut self.out);
            }
            Event::Chat(ChatEvent::Entries { entries, live }) => self.entries(at, model, id, entries, *live),
            Event::Chat(ChatEvent::Listed(listed)) => {
                for (room, offset) in &listed.read {
                    self.mark_read(id, room, *offset);
                }
            }
            Event::Chat(ChatEvent::ReadMarker { room, offset }) => self.mark_read(id, room, *offset),
            Event::Link(LinkEvent::State(state)) => self.link(at, id, state),
            _ => {
                let viewed = self.viewing.as_ref().and_then(|viewing| viewing.device.as_ref());
                let viewed = viewed.filter(|(connection, _)| *connection == id).map(|(_, device)| device);
                let context = fleet::EventContext { at, model, connection: id, viewed };
                peer.fleet.handle_event(context, event, &mut self.out);
            }
        }
    }

    /// The person has read a room up to this offset, here or elsewhere.
    fn mark_read(&mut self, id: ConnectionId, room: &RoomId, offset: Offset) {
        self.unseen.mark_read(id, room, offset, &mut self.out);
        self.reactions.mark_read(id, room, offset, &mut self.out);
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
                self.unseen.add_message(at, model, (id, peer.me.as_ref()), entry);
                if let Some((me, _)) = &peer.me {
                    self.reactions.add(at, model, (id, me), entry);
                }
            }
        }
        if peer.is_caught_up() {
            (peer.knows_all, peer.is_known) = (true, false);
        }
    }

    /// Shows what is due.
    fn show_due(&mut self, at: Moment, model: &Model) {
        let preferences = &model.preferences.notices;
        let (now, quiet) = (at.boot_ms, preferences.is_quiet_at(at.minute));
        self.links.show_due(now, preferences.link && !quiet && self.viewing.is_none(), &mut self.out);
        for (id, peer) in &mut self.peers {
            peer.fleet.show_due(now, model, *id, preferences.devices && !quiet, &mut self.out);
        }
        if quiet {
            self.unseen.drop_pending();
            self.reactions.drop_pending();
        }
        let peers = &self.peers;
        let may_tell = |id: &ConnectionId| peers.get(id).is_some_and(Peer::is_caught_up);
        self.unseen.show_due(now, model, may_tell, &mut self.out);
        self.reactions.show_due(now, model, &mut self.out);
    }
}
