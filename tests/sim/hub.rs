//! The hub as pure state: the real [`ServerSession`] over a log in memory, with a disk that forgets what was not synced.

use std::collections::{BTreeMap, VecDeque};

use duplex::model::{
    Entry, EntryKind, Epoch, MessageId, Principal, PrincipalId, PrincipalKind, Refusal, RoomName, Sender,
};
use duplex::wire::duplex::server::{Answer, AppendOutcome, Ask, Batch, Begun};

use std::sync::Arc;

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
        disk.push(Entry {
            kind: EntryKind::Room,
            offset: 1,
            id: MessageId::from_random([0; 16]),
            room: RoomName::general(),
            sender: Sender { id: PrincipalId("hub".into()), name: "hub".into() },
            body: String::new(),
            at: 0,
            received: 0,
        });
        disk
    }

    fn push(&mut self, entry: Entry) {
        self.known.insert((entry.sender.id.clone(), entry.id), entry.offset);
        self.log.push(entry);
    }

    pub fn head(&self) -> u64 {
        self.log.len() as u64
    }

    /// The entry in this place.
    pub fn at(&self, offset: u64) -> Option<&Entry> {
        self.log.get((offset as usize).checked_sub(1)?)
    }
}

/// An append that waits for the next sync.
pub struct Waiting {
    pub session: u64,
    pub sender: Sender,
    pub id: MessageId,
    pub kind: EntryKind,
    pub room: RoomName,
    pub body: String,
    pub at: i64,
}

/// What a sync brings about.
pub struct Synced {
    pub answers: Vec<(u64, Answer)>,
    pub batch: Option<Arc<Batch>>,
}

/// Commits all that waits, at once.
pub fn sync(disk: &mut HubDisk, waiting: &mut VecDeque<Waiting>, now: i64) -> Synced {
    let first_new = disk.log.len();
    let mut answers = Vec::new();
    for append in waiting.drain(..) {
        let outcome = if append.kind == EntryKind::Message
            && !disk.log.iter().any(|e| e.kind == EntryKind::Room && e.room == append.room)
        {
            AppendOutcome::Refused(Refusal::NoSuchRoom)
        } else if let Some(offset) = disk.known.get(&(append.sender.id.clone(), append.id)) {
            AppendOutcome::Stored { offset: *offset, received: disk.log[*offset as usize - 1].received }
        } else {
            let offset = disk.head() + 1;
            disk.push(Entry {
                kind: append.kind,
                offset,
                id: append.id,
                room: append.room,
                sender: append.sender,
                body: append.body,
                at: append.at,
                received: now,
            });
            AppendOutcome::Stored { offset, received: now }
        };
        answers.push((append.session, Answer::Appended { id: append.id, outcome }));
    }
    Synced { answers, batch: Batch::new(disk.log[first_new..].to_vec()) }
}

/// Answers what needs no writing.
pub fn answer(disk: &HubDisk, ask: &Ask) -> Option<Answer> {
    Some(match ask {
        Ask::Authenticate { token } => Answer::Authenticated(principal(&token.0)),
        Ask::Redeem(redeem) => Answer::Redeemed(principal(&redeem.token)),
        Ask::Begin { resume, .. } => Answer::Begun(Begun {
            hub: "sim".into(),
            epoch: disk.epoch,
            oldest: 1,
            head: disk.head(),
            at_resume: resume
                .and_then(|resume| disk.at(resume.offset))
                .map(|entry| (entry.id, entry.received)),
            rooms: disk.log.iter().filter(|e| e.kind == EntryKind::Room).map(|e| e.room.clone()).collect(),
            people: Vec::new(),
            read: Vec::new(),
        }),
        Ask::Read { from, limit } => {
            let rest = disk.log.get(*from as usize - 1..).unwrap_or_default();
            Answer::Entries(rest.iter().take(*limit as usize).cloned().collect())
        }
        // The clients here neither page, nor mark what was read, nor look at devices.
        _ => return None,
    })
}

/// In the simulation a token is its owner's name.
pub fn principal(token: &str) -> Option<Principal> {
    let known = token.starts_with("client");
    known.then(|| Principal {
        id: PrincipalId(token.into()),
        kind: PrincipalKind::Person,
        name: token.into(),
    })
}
