//! How much memory a [`Write`] takes: what a queue of them is bounded by.

use super::Write;
use crate::model::event::{ChatEvent, LinkEvent, LogKind, Person};
use crate::model::refusal::Refusal;
use crate::model::{Entry, Event, OutboxItem, RoomName};

/// What any write, and any part of one, takes beside its texts, in bytes.
const EACH: usize = 256;

impl Write {
    /// About how much memory it takes, in bytes.
    pub fn size(&self) -> usize {
        size(self)
    }

    /// Whether it says what came from a server, which will say it again where this is not kept. What a server answers to
    /// something typed is not: the outbox goes by it.
    pub fn is_replayable(&self) -> bool {
        let Write::Event(event) = self else { return false };
        match event {
            Event::Link(LinkEvent::Welcomed { log, .. }) => *log != LogKind::Local,
            Event::Chat(ChatEvent::Entries { .. }) => !event.is_unnumbered(),
            Event::Chat(
                ChatEvent::Listed(_)
                | ChatEvent::LogStarted { .. }
                | ChatEvent::History { .. }
                | ChatEvent::HistoryFailed { .. },
            ) => true,
            _ => false,
        }
    }

    /// Whether its entries are numbered when they are written; see [`LogKind::Local`].
    pub fn is_unnumbered(&self) -> bool {
        matches!(self, Write::Event(event) if event.is_unnumbered())
    }
}

pub(super) fn size(write: &Write) -> usize {
    EACH + match write {
        Write::Queue(item) | Write::Replace { new: item, .. } => of_item(item),
        Write::Event(event) => of_event(event),
        Write::Draft { room, text } => of_room(room) + text.len(),
        Write::Attempted(ids) => ids.len() * 16,
        Write::State(state) => state.len(),
        Write::Unqueue(_) | Write::RemoveConnection => 0,
    }
}

fn of_event(event: &Event) -> usize {
    match event {
        Event::Chat(ChatEvent::Entries { entries, .. }) => of_entries(entries),
        Event::Chat(ChatEvent::History { room, entries, .. }) => of_room(room) + of_entries(entries),
        Event::Link(LinkEvent::Welcomed { people, rooms, server, .. }) => {
            people.iter().map(of_person).sum::<usize>()
                + rooms.iter().map(of_room).sum::<usize>()
                + server.len()
        }
        Event::Chat(ChatEvent::Listed(listed)) => {
            listed.people.iter().map(of_person).sum::<usize>()
                + listed.rooms.iter().map(of_room).sum::<usize>()
                + listed.read.iter().map(|(room, _)| of_room(room)).sum::<usize>()
        }
        Event::Chat(ChatEvent::Refused { refusal: Refusal::Other { code, detail }, .. }) => {
            code.len() + detail.len()
        }
        Event::Chat(ChatEvent::ReadMarker { room, .. }) | Event::Chat(ChatEvent::HistoryFailed { room }) => {
            of_room(room)
        }
        _ => 0,
    }
}

fn of_entries(entries: &[Entry]) -> usize {
    let texts = |entry: &Entry| {
        let extra = entry.extra.json().map_or(0, |json| json.len());
        let sender = entry.sender.name.len() + entry.sender.id.0.len();
        entry.body.len() + sender + entry.room.as_str().len() + extra
    };
    entries.iter().map(|entry| texts(entry) + EACH).sum()
}

fn of_person(person: &Person) -> usize {
    EACH + person.who.id.0.len() + person.who.name.len()
}

fn of_item(item: &OutboxItem) -> usize {
    of_room(&item.room) + item.body.len()
}

fn of_room(room: &RoomName) -> usize {
    room.as_str().len() + size_of::<RoomName>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{EntryKind, MessageId, PrincipalId, Sender};

    #[test]
    fn every_text_that_a_server_chooses_counts() {
        let long = || "x".repeat(100_000);
        let entry = |sender: Sender, body: String| Entry {
            kind: EntryKind::Message,
            offset: 1,
            id: MessageId::from_random([1; 16]),
            room: RoomName::general(),
            sender,
            body,
            at: 0,
            received: 0,
            extra: Default::default(),
        };
        let sender = |id: String, name: String| Sender { id: PrincipalId(id), name };
        let short = String::new;
        let entries =
            |entry| Write::Event(Event::Chat(ChatEvent::Entries { entries: vec![entry], live: true }));
        let writes = [
            entries(entry(sender(long(), short()), short())),
            entries(entry(sender(short(), long()), short())),
            entries(entry(sender(short(), short()), long())),
            Write::Event(Event::Chat(ChatEvent::Entries {
                entries: vec![entry(sender(short(), short()), short()); 400],
                live: true,
            })),
            Write::Event(Event::Chat(ChatEvent::Refused {
                id: MessageId::from_random([1; 16]),
                refusal: Refusal::Other { code: short(), detail: long() },
            })),
            Write::Event(Event::Link(LinkEvent::Welcomed {
                me: crate::model::Principal {
                    id: PrincipalId(short()),
                    kind: crate::model::PrincipalKind::Person,
                    name: short(),
                },
                server: long(),
                log: LogKind::Server { head: 0, next: 1 },
                now: 0,
                people: Vec::new(),
                rooms: Vec::new(),
                features: Default::default(),
            })),
        ];
        for write in writes {
            assert!(write.size() >= 100_000, "{}", write.size());
        }
    }
}
