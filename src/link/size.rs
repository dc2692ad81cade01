//! How much memory a [`Change`] takes: what a queue of them is bounded by.

use super::durable::Change;
use crate::model::event::{ChatEvent, LinkEvent, LogKind, Person};
use crate::model::refusal::Refusal;
use crate::model::{Entry, Event, NamedRoom, OutboxItem, RoomId};

/// What any change, and any part of one, takes beside its texts, in bytes.
const EACH: usize = 256;

impl Change {
    /// About how much memory it takes, in bytes.
    pub fn size(&self) -> usize {
        EACH + match self {
            Change::Queue(item) | Change::Replace { new: item, .. } => of_item(item),
            Change::Event(event) => of_event(event),
            Change::Draft { room, text } => of_room(room) + text.len(),
            Change::Attempted(ids) => ids.len() * 16,
            Change::State(state) => state.len(),
            Change::Unqueue(_) | Change::RemoveConnection => 0,
        }
    }

    /// Whether it says what came from a server, which will say it again where this is not kept. What a server answers to
    /// something typed is not: the outbox goes by it.
    pub fn is_replayable(&self) -> bool {
        let Change::Event(event) = self else { return false };
        match event {
            Event::Link(LinkEvent::Welcomed { log, .. }) => *log != LogKind::Local,
            Event::Chat(ChatEvent::Entries { .. }) => !event.is_unnumbered(),
            Event::Chat(
                ChatEvent::Listed(_)
                | ChatEvent::Skipped { .. }
                | ChatEvent::LogStarted { .. }
                | ChatEvent::History { .. }
                | ChatEvent::HistoryFailed { .. },
            ) => true,
            _ => false,
        }
    }

    /// Whether its entries are numbered when they are written; see [`LogKind::Local`].
    pub fn is_unnumbered(&self) -> bool {
        self.unnumbered_entries() > 0
    }

    /// How many of its entries are numbered when they are written.
    pub fn unnumbered_entries(&self) -> usize {
        match self {
            Change::Event(event @ Event::Chat(ChatEvent::Entries { entries, .. }))
                if event.is_unnumbered() =>
            {
                entries.len()
            }
            _ => 0,
        }
    }
}

fn of_event(event: &Event) -> usize {
    match event {
        Event::Chat(ChatEvent::Entries { entries, .. }) => of_entries(entries),
        Event::Chat(ChatEvent::History { room, entries, .. }) => of_room(room) + of_entries(entries),
        Event::Link(LinkEvent::Welcomed { people, rooms, server, .. }) => {
            people.iter().map(of_person).sum::<usize>()
                + rooms.iter().map(of_named).sum::<usize>()
                + server.len()
        }
        Event::Chat(ChatEvent::Listed(listed)) => {
            listed.people.iter().map(of_person).sum::<usize>()
                + listed.rooms.iter().map(of_named).sum::<usize>()
                + listed.read.iter().map(|(room, _)| of_room(room)).sum::<usize>()
        }
        Event::Chat(ChatEvent::Refused { refusal: Refusal::Other { code, detail }, .. }) => {
            code.len() + detail.len()
        }
        Event::Chat(
            ChatEvent::ReadMarker { room, .. }
            | ChatEvent::MarkedUnread { room, .. }
            | ChatEvent::ThreadSeen { room, .. }
            | ChatEvent::DraftReply { room, .. }
            | ChatEvent::HistoryFailed { room },
        ) => of_room(room),
        Event::Chat(ChatEvent::ThreadDraft { room, text, .. }) => of_room(room) + text.len(),
        _ => 0,
    }
}

fn of_entries(entries: &[Entry]) -> usize {
    let texts = |entry: &Entry| {
        let sender = entry.sender.name.len() + entry.sender.id.0.len();
        entry.draft.content.bytes() + sender + entry.draft.room.as_str().len()
    };
    entries.iter().map(|entry| texts(entry) + EACH).sum()
}

fn of_person(person: &Person) -> usize {
    EACH + person.who.id.0.len() + person.who.name.len()
}

fn of_item(item: &OutboxItem) -> usize {
    of_room(&item.draft.room) + item.draft.content.bytes()
}

fn of_room(room: &RoomId) -> usize {
    room.as_str().len() + size_of::<RoomId>()
}

fn of_named(room: &NamedRoom) -> usize {
    of_room(&room.id) + room.name.as_str().len() + size_of::<NamedRoom>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::content::{Content, Draft};
    use crate::model::id::Offset;
    use crate::model::time::WallMs;
    use crate::model::{MessageId, PrincipalId, Sender};

    #[test]
    fn every_text_that_a_server_chooses_counts() {
        let long = || "x".repeat(100_000);
        let entry = |sender: Sender, body: String| Entry {
            draft: Draft {
                id: MessageId::from_random([1; 16]),
                room: RoomId::general(),
                content: Content::text(body),
                at: WallMs(0),
            },
            offset: Offset(1),
            sender,
            received: WallMs(0),
        };
        let sender = |id: String, name: String| Sender { id: PrincipalId(id), name };
        let short = String::new;
        let entries =
            |entry| Change::Event(Event::Chat(ChatEvent::Entries { entries: vec![entry], live: true }));
        let changes = [
            entries(entry(sender(long(), short()), short())),
            entries(entry(sender(short(), long()), short())),
            entries(entry(sender(short(), short()), long())),
            Change::Event(Event::Chat(ChatEvent::Entries {
                entries: vec![entry(sender(short(), short()), short()); 400],
                live: true,
            })),
            Change::Event(Event::Chat(ChatEvent::Refused {
                id: MessageId::from_random([1; 16]),
                refusal: Refusal::Other { code: short(), detail: long() },
            })),
            Change::Event(Event::Link(LinkEvent::Welcomed {
                me: crate::model::Principal {
                    id: PrincipalId(short()),
                    kind: crate::model::PrincipalKind::Person,
                    name: short(),
                    role: None,
                },
                server: long(),
                log: LogKind::Server { head: Offset(0), next: Offset(1) },
                now: WallMs(0),
                people: Vec::new(),
                rooms: Vec::new(),
                features: Default::default(),
            })),
        ];
        for change in changes {
            assert!(change.size() >= 100_000, "{}", change.size());
        }
    }
}
