//! The hub as pure state: the real [`ServerSession`] over a log in memory, with a disk that forgets what was not synced.

use std::collections::{BTreeMap, VecDeque};

use duplex::model::content::{Content, Draft};
use duplex::model::id::RoomName;
use duplex::model::{
    Entry, Epoch, MessageId, NamedRoom, Principal, PrincipalId, PrincipalKind, Refusal, RoomId, Sender,
};
use duplex::wire::duplex::server::{AppendOutcome, Batch, Begun, HubAnswer, HubRequest, Lists, ListsFrom};

use std::sync::Arc;

/// The rooms of every hub here: so many that a welcome does not list them all.
pub const ROOMS: [&str; 5] = ["general", "a", "b", "c", "d"];

/// What the hub's disk holds for sure.
#[derive(Clone, Debug)]
pub struct HubDisk {
    pub epoch: Epoch,
    pub log: Vec<Entry>,
    /// Where each message is, by who and which.
    pub known: BTreeMap<(PrincipalId, MessageId), u64>,
}

impl HubDisk {
    pub fn new(epoch: Epoch) -> Self {
        let mut disk = HubDisk { epoch, log: Vec::new(), known: BTreeMap::new() };
        for (offset, name) in (1..).zip(ROOMS) {
            disk.push(Entry {
                draft: Draft {
                    id: MessageId::from_random([offset as u8; 16]),
                    room: RoomId::new(name).expect("keeps the rule"),
                    content: Content::room(RoomName::new(name).expect("keeps the rule")),
                    at: 0,
                },
                offset,
                sender: Sender { id: PrincipalId("hub".into()), name: "hub".into() },
                received: 0,
            });
        }
        disk
    }

    fn push(&mut self, entry: Entry) {
        self.known.insert((entry.sender.id.clone(), entry.draft.id), entry.offset);
        self.log.push(entry);
    }

    pub fn head(&self) -> u64 {
        self.log.len() as u64
    }

    /// The entries that made the rooms.
    pub fn rooms(&self) -> impl Iterator<Item = &Entry> {
        self.log.iter().filter(|entry| entry.draft.content.is_room())
    }

    pub fn has_room(&self, room: &RoomId) -> bool {
        self.rooms().any(|entry| entry.draft.room == *room)
    }

    /// A room as it is now, by the entry that made it.
    pub fn room(&self, made: &Entry) -> NamedRoom {
        let mut room = named(made);
        let is_change = |entry: &&Entry| matches!(entry.draft.content, Content::RoomChange { .. });
        for entry in self.log.iter().filter(|entry| entry.draft.room == room.id).filter(is_change) {
            room.info.change(entry.offset, &entry.draft.content, None);
            if let Content::RoomChange { name: Some(name), .. } = &entry.draft.content {
                room.name = name.clone();
            }
        }
        room
    }

    /// The entry that made the room of the name that this one would have.
    fn room_called(&self, content: &Content) -> Option<&Entry> {
        let Content::Room { name, .. } = content else { return None };
        self.rooms()
            .find(|entry| matches!(&entry.draft.content, Content::Room { name: there, .. } if there == name))
    }

    /// The entry in this place.
    pub fn at(&self, offset: u64) -> Option<&Entry> {
        self.log.get((offset as usize).checked_sub(1)?)
    }
}

/// An append that waits for the next sync.
pub struct Waiting {
    pub session: u64,
    pub draft: Draft,
    pub sender: Sender,
    pub refusal: Option<Refusal>,
}

/// What a sync brings about.
pub struct Synced {
    pub answers: Vec<(u64, HubAnswer)>,
    pub batch: Option<Arc<Batch>>,
}

/// Commits all that waits, at once.
pub fn sync(disk: &mut HubDisk, waiting: &mut VecDeque<Waiting>, now: i64) -> Synced {
    let first_new = disk.log.len();
    let mut answers = Vec::new();
    for append in waiting.drain(..) {
        let id = append.draft.id;
        let known = disk.known.get(&(append.sender.id.clone(), id));
        let outcome = if let Some(offset) = known {
            AppendOutcome::Stored { offset: *offset, received: disk.log[*offset as usize - 1].received }
        } else if let Some(refusal) = append.refusal {
            AppendOutcome::Refused(refusal)
        } else if let Some(there) = disk.room_called(&append.draft.content) {
            let (room, offset, received) = (there.draft.room.clone(), there.offset, there.received);
            AppendOutcome::RoomExists { room, offset, received }
        } else if !append.draft.content.is_room() && !disk.has_room(&append.draft.room) {
            AppendOutcome::Refused(Refusal::NoSuchRoom)
        } else {
            let offset = disk.head() + 1;
            disk.push(Entry { draft: append.draft, offset, sender: append.sender, received: now });
            AppendOutcome::Stored { offset, received: now }
        };
        answers.push((append.session, HubAnswer::Appended { id, outcome }));
    }
    Synced { answers, batch: Batch::new(disk.log[first_new..].to_vec()) }
}

/// Answers what needs no writing.
pub fn answer(disk: &HubDisk, ask: &HubRequest) -> Option<HubAnswer> {
    Some(match ask {
        HubRequest::Authenticate { token } => HubAnswer::Authenticated(principal(&token.0)),
        HubRequest::Redeem(redeem) => HubAnswer::Redeemed(principal(&redeem.token)),
        HubRequest::Begin { resume, .. } => HubAnswer::Begun(Begun {
            hub: "sim".into(),
            epoch: disk.epoch,
            oldest: 1,
            head: disk.head(),
            visible_head: disk.head(),
            at_resume: resume
                .and_then(|resume| disk.at(resume.offset))
                .map(|entry| (entry.draft.id, entry.received)),
            lists: lists(disk, 0),
        }),
        HubRequest::Lists(from) => HubAnswer::Lists(lists(disk, from.rooms.unwrap_or(0))),
        HubRequest::Read { from, limit } => {
            let rest = disk.log.get(*from as usize - 1..).unwrap_or_default();
            let entries: Vec<_> = rest.iter().take(*limit as usize).cloned().collect();
            let to = entries.last().map_or(0, |last| last.offset);
            HubAnswer::Entries { entries, to }
        }
        // The clients here neither page, nor mark what was read, nor look at devices.
        _ => return None,
    })
}

/// The rooms after an offset, and everybody who has written before it, few at a time.
fn lists(disk: &HubDisk, after: u64) -> Lists {
    let mut rooms = disk.log.iter().filter(|e| e.draft.content.is_room() && e.offset > after);
    let told: Vec<&Entry> = rooms.by_ref().take(2).collect();
    let next = told.last().filter(|_| rooms.next().is_some());
    Lists {
        rooms: told.iter().map(|entry| disk.room(entry)).collect(),
        next: next.map(|entry| ListsFrom { rooms: Some(entry.offset), ..ListsFrom::default() }),
        ..Lists::default()
    }
}

fn named(entry: &Entry) -> NamedRoom {
    let id = entry.draft.room.clone();
    match entry.draft.room_name() {
        Some(name) => NamedRoom::new(id, name),
        None => id.into(),
    }
}

/// In the simulation a token is its owner's name.
pub fn principal(token: &str) -> Option<Principal> {
    let known = token.starts_with("client");
    known.then(|| Principal {
        id: PrincipalId(token.into()),
        kind: PrincipalKind::Person,
        name: token.into(),
        role: None,
    })
}
