//! The hub as pure state: the real [`ServerSession`] over a log in memory, with a disk that forgets what was not synced.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use duplex::model::content::{Content, Draft, MemberChange, Private};
use duplex::model::id::{Offset, RoomName};
use duplex::model::room::ABOUT;
use duplex::model::time::WallMs;
use duplex::model::{
    Entry, Epoch, MessageId, NamedRoom, Principal, PrincipalId, PrincipalKind, Refusal, RoomId, RoomInfo,
    Sender,
};
use duplex::store::Access;
use duplex::wire::duplex::server::{
    AppendOutcome, Batch, Begun, HubAccessAnswer, HubAccessRequest, HubAnswer, HubChatAnswer, HubChatRequest,
    HubRequest, Lists, ListsFrom,
};

use std::sync::Arc;

/// The rooms of every hub here: so many that a welcome does not list them all.
pub const ROOMS: [&str; 5] = ["general", "a", "b", "c", "d"];

/// What the hub's disk holds for sure.
#[derive(Clone, Debug)]
pub struct HubDisk {
    pub epoch: Epoch,
    pub log: Vec<Entry>,
    /// Where each message is, by who and which.
    pub known: BTreeMap<(PrincipalId, MessageId), Offset>,
    /// Who may see what, as the real hub has it.
    pub access: Access,
}

impl HubDisk {
    pub fn new(epoch: Epoch) -> Self {
        let mut disk = HubDisk { epoch, log: Vec::new(), known: BTreeMap::new(), access: Access::default() };
        for (offset, name) in (1..).zip(ROOMS) {
            disk.push(Entry {
                draft: Draft {
                    id: MessageId::from_random([offset as u8; 16]),
                    room: RoomId::new(name).expect("keeps the rule"),
                    content: Content::room(RoomName::new(name).expect("keeps the rule")),
                    at: WallMs(0),
                },
                offset: Offset(offset),
                sender: Sender { id: PrincipalId("hub".into()), name: "hub".into() },
                received: WallMs(0),
            });
        }
        disk
    }

    fn push(&mut self, entry: Entry) {
        self.known.insert((entry.sender.id.clone(), entry.draft.id), entry.offset);
        self.access.take(&entry);
        self.log.push(entry);
    }

    pub fn head(&self) -> Offset {
        Offset(self.log.len() as u64)
    }

    /// The entries that made the rooms.
    pub fn rooms(&self) -> impl Iterator<Item = &Entry> {
        self.log.iter().filter(|entry| entry.draft.content.is_room())
    }

    pub fn has_room(&self, room: &RoomId) -> bool {
        self.rooms().any(|entry| entry.draft.room == *room)
    }

    /// A room as it is now, by the entry that made it, for somebody.
    pub fn room(&self, made: &Entry, me: &PrincipalId) -> NamedRoom {
        let mut room = named(made);
        room.info = RoomInfo::of_made(&made.draft.content, Some(&made.sender.id), Some(me));
        for entry in self.log.iter().filter(|entry| entry.draft.room == room.id) {
            match &entry.draft.content {
                // That somebody put a direct message out of sight is not told to the other one.
                Content::Member { who, .. } if room.info.direct.is_some() && who.id != *me => {}
                content @ (Content::RoomChange { .. } | Content::Member { .. }) => {
                    room.info.change(entry.offset, content, Some(me));
                    if let Content::RoomChange { name: Some(name), .. } = content {
                        room.name = name.clone();
                    }
                }
                content if content.is_text() => _ = room.info.bring_back(entry.offset),
                _ => {}
            }
        }
        // In the simulation everybody is called like their id.
        if let Some(name) = room.info.direct.as_ref().and_then(|with| RoomName::closest(&with.0)) {
            room.name = name;
        }
        room
    }

    /// Whether there is such a room, and somebody may know of it.
    pub fn sees_room(&self, who: &PrincipalId, room: &RoomId) -> bool {
        self.has_room(room) && self.access.sees_room(who, room)
    }

    /// The direct message of two people.
    fn direct(&self, private: &Private, maker: &PrincipalId) -> Option<&Entry> {
        let pair = |private: &Private, maker: &PrincipalId| {
            let with = private.members.first().filter(|_| private.direct)?.clone();
            Some(BTreeSet::from([with, maker.clone()]))
        };
        let wanted = pair(private, maker)?;
        self.rooms().find(|made| {
            let there = made.draft.content.private().and_then(|private| pair(private, &made.sender.id));
            there.as_ref() == Some(&wanted)
        })
    }

    /// The entry that made the room of the name that this one would have.
    fn room_called(&self, content: &Content, maker: &PrincipalId) -> Option<&Entry> {
        let Content::Room { name, private, .. } = content else { return None };
        if let Some(private) = private {
            return self.direct(private, maker);
        }
        let is_it = |entry: &&Entry| matches!(&entry.draft.content, Content::Room { name: there, private: None, .. } if there == name);
        self.rooms().find(is_it)
    }

    fn is_direct(&self, room: &RoomId) -> bool {
        let made = self.rooms().find(|made| made.draft.room == *room);
        made.and_then(|made| made.draft.content.private()).is_some_and(|private| private.direct)
    }

    /// Whether it would make something else of a direct message. Each of the two may put it out of sight and back.
    fn is_forbidden(&self, draft: &Draft, by: &PrincipalId) -> bool {
        let would_change = match &draft.content {
            Content::RoomChange { name: Some(_), .. }
            | Content::Member { change: MemberChange::Invited, .. } => true,
            Content::Member { who, .. } => who.id != *by,
            _ => false,
        };
        would_change && self.is_direct(&draft.room)
    }

    /// Whether a change of a private room's members changes nothing.
    fn is_redundant(&self, draft: &Draft) -> bool {
        let Content::Member { who, change, .. } = &draft.content else { return false };
        if self.is_direct(&draft.room) {
            return false;
        }
        let is_member = self.access.members(&draft.room).is_some_and(|members| members.contains(&who.id));
        is_member == (*change != MemberChange::Left)
    }

    /// As the real hub does it: whoever is invited is told what the room is.
    fn tell_about(&self, draft: &mut Draft) {
        let made = self.rooms().find(|made| made.draft.room == draft.room);
        if let (Content::Member { who, change: MemberChange::Invited, extra }, Some(made)) =
            (&mut draft.content, made)
        {
            let mut room = self.room(made, &who.id);
            let members = self.access.members(&draft.room).into_iter().flatten();
            room.info.members = members.chain([&who.id]).cloned().collect();
            (room.info.left, room.info.changed) = (false, Offset(0));
            extra.insert(ABOUT, serde_json::to_value(room).expect("it is JSON"));
        }
    }

    /// The entry in this place.
    pub fn at(&self, offset: Offset) -> Option<&Entry> {
        self.log.get((offset.0 as usize).checked_sub(1)?)
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
pub fn sync(disk: &mut HubDisk, waiting: &mut VecDeque<Waiting>, now: WallMs) -> Synced {
    let first_new = disk.log.len();
    let mut answers = Vec::new();
    // Of which sessions a message was refused, and how those behind it are.
    let mut stopped: BTreeMap<u64, Refusal> = BTreeMap::new();
    for append in waiting.drain(..) {
        let (id, is_room) = (append.draft.id, append.draft.content.is_room());
        let known = disk.known.get(&(append.sender.id.clone(), id));
        let outcome = if let Some(offset) = known {
            AppendOutcome::Stored { offset: *offset, received: disk.log[offset.0 as usize - 1].received }
        } else if let Some(refusal) = append.refusal {
            AppendOutcome::Refused(refusal)
        } else if let Some(refusal) = stopped.get(&append.session).filter(|_| !is_room) {
            AppendOutcome::Refused(refusal.clone())
        } else if let Some(there) = disk.room_called(&append.draft.content, &append.sender.id) {
            let (room, offset, received) = (there.draft.room.clone(), there.offset, there.received);
            AppendOutcome::RoomExists { room, offset, received }
        } else if !is_room && !disk.sees_room(&append.sender.id, &append.draft.room) {
            AppendOutcome::Refused(Refusal::NoSuchRoom)
        } else if disk.is_forbidden(&append.draft, &append.sender.id) {
            AppendOutcome::Refused(Refusal::NotAllowed)
        } else if disk.is_redundant(&append.draft) {
            AppendOutcome::Redundant { offset: Offset(1), received: WallMs(0) }
        } else {
            let offset = disk.head() + 1;
            let mut draft = append.draft;
            disk.tell_about(&mut draft);
            if let Some(private) = draft.content.private().filter(|private| private.direct).cloned() {
                draft.content = Content::private_room(RoomName::of_id(&draft.room), private);
            }
            disk.push(Entry { draft, offset, sender: append.sender, received: now });
            AppendOutcome::Stored { offset, received: now }
        };
        if let (AppendOutcome::Refused(refusal), false) = (&outcome, is_room) {
            stopped.entry(append.session).or_insert_with(|| refusal.for_those_behind());
        }
        answers.push((append.session, HubAnswer::Chat(HubChatAnswer::Appended { id, outcome })));
    }
    Synced { answers, batch: Batch::new(disk.log[first_new..].to_vec()) }
}

/// Answers what needs no writing.
///
/// `me`: whose session asks.
pub fn answer(disk: &HubDisk, me: Option<&Principal>, ask: &HubRequest) -> Option<HubAnswer> {
    let me = me.map_or_else(|| PrincipalId("nobody".into()), |me| me.id.clone());
    Some(match ask {
        HubRequest::Access(HubAccessRequest::Authenticate { token }) => {
            HubAnswer::Access(HubAccessAnswer::Authenticated(principal(&token.0)))
        }
        HubRequest::Access(HubAccessRequest::Redeem(redeem)) => {
            HubAnswer::Access(HubAccessAnswer::Redeemed(principal(&redeem.token)))
        }
        HubRequest::Chat(HubChatRequest::Begin { resume, principal }) => {
            HubAnswer::Chat(HubChatAnswer::Begun(Begun {
                hub: "sim".into(),
                epoch: disk.epoch,
                oldest: Offset(1),
                head: disk.head(),
                visible_head: disk.access.head_for(&principal.id),
                at_resume: resume
                    .and_then(|resume| disk.at(resume.offset))
                    .map(|entry| (entry.draft.id, entry.received)),
                lists: lists(disk, &principal.id, 0),
            }))
        }
        HubRequest::Chat(HubChatRequest::Lists(from)) => {
            HubAnswer::Chat(HubChatAnswer::Lists(lists(disk, &me, from.rooms.unwrap_or(0))))
        }
        HubRequest::Chat(HubChatRequest::Read { from, limit }) => {
            let rest = disk.log.get(from.0 as usize - 1..).unwrap_or_default();
            let mut entries: Vec<_> = rest.iter().take(*limit as usize).cloned().collect();
            let to = entries.last().map_or(Offset(0), |last| last.offset);
            entries.retain(|entry| disk.access.sees(&me, entry));
            HubAnswer::Chat(HubChatAnswer::Entries { entries, to })
        }
        HubRequest::Chat(HubChatRequest::History { room, before, limit }) => {
            let may = disk.sees_room(&me, room);
            let of_room = |entry: &&Entry| may && entry.draft.room == *room && entry.offset < *before;
            let all: Vec<_> =
                disk.log.iter().filter(of_room).filter(|entry| disk.access.sees(&me, entry)).collect();
            // Few at a time.
            let kept = all.len().min((*limit as usize).min(3));
            let entries = all[all.len() - kept..].iter().map(|entry| (*entry).clone()).collect();
            HubAnswer::Chat(HubChatAnswer::History {
                room: room.clone(),
                before: *before,
                entries,
                complete: kept == all.len(),
            })
        }
        // The clients here neither mark what was read, nor look at devices.
        _ => return None,
    })
}

/// The rooms after an offset, and everybody who has written before it, few at a time.
fn lists(disk: &HubDisk, me: &PrincipalId, after: u64) -> Lists {
    let is_room = |e: &&Entry| e.draft.content.is_room() && disk.access.sees_room(me, &e.draft.room);
    let mut rooms = disk.log.iter().filter(is_room).filter(|e| e.offset > Offset(after));
    let told: Vec<&Entry> = rooms.by_ref().take(2).collect();
    let next = told.last().filter(|_| rooms.next().is_some());
    Lists {
        rooms: told.iter().map(|entry| disk.room(entry, me)).collect(),
        next: next.map(|entry| ListsFrom { rooms: Some(entry.offset.0), ..ListsFrom::default() }),
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
