//! `Model::apply` is pure and forgiving: whatever is repeated, replayed or comes in another order ends in the same state,
//! and what a window holds is always one piece of the room.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that fails should say so at once"
)]

use std::collections::BTreeMap;

use duplex::model::content::Extra;
use duplex::model::content::{Content, Draft};
use duplex::model::event::{ChatEvent, LinkEvent, LogKind, Page, Person, SetupUpdate, Side, Update};
use duplex::model::id::{Offset, RoomName};
use duplex::model::profile::{Profile, Protocol, Socket};
use duplex::model::time::BootMs;
use duplex::model::time::WallMs;
use duplex::model::window::CAPACITY;
use duplex::model::{
    Connection, ConnectionId, Delivery, Edge, Entry, Epoch, Event, LogRestart, Message, MessageId, Model,
    OutboxItem, Position, Principal, PrincipalId, PrincipalKind, Receipt, Refusal, RoomId, Sender, Time,
};
use proptest::collection::vec;
use proptest::prelude::*;

const CONNECTION: ConnectionId = ConnectionId(1);
const NOW: Time = Time { boot_ms: BootMs(5_000), wall_ms: WallMs(1_790_000_000_000) };

/// A model of one connection, welcomed.
struct Bench(Model);

impl Bench {
    fn new() -> Self {
        let mut model = Model::default();
        let profile = Profile {
            id: CONNECTION,
            name: "hub".to_owned(),
            urls: vec!["ws://hub".to_owned()],
            protocol: Protocol::Duplex,
            socket: Socket::Tungstenite,
            route: Default::default(),
            ca_file: None,
            fingerprint: None,
            auto_connect: true,
            websocket: Default::default(),
            network: Default::default(),
        };
        model.apply(NOW, Update::Setup(SetupUpdate::Configured(Box::new(profile))));
        let mut bench = Bench(model);
        bench.apply(welcomed(0));
        bench
    }

    /// Its log begins at this offset.
    fn from(from: u64) -> Self {
        let mut bench = Bench::new();
        bench.apply(log_started(from, LogRestart::First));
        bench
    }

    fn apply(&mut self, event: Event) {
        self.0.apply(NOW, Update::Connection(CONNECTION, event));
    }

    fn entries(&mut self, entries: &[Entry]) {
        self.apply(Event::Chat(ChatEvent::Entries { entries: entries.to_vec(), live: false }));
    }

    fn connection(&self) -> &Connection {
        &self.0.connections[&CONNECTION]
    }

    fn room(&self, name: &str) -> &duplex::model::Room {
        &self.connection().chat.rooms[&room(name)]
    }

    fn held(&self, name: &str) -> Vec<(u32, u64)> {
        let window = &self.room(name).window;
        window.messages().map(|message| (message.position.era, message.position.offset.0)).collect()
    }

    fn outbox(&self) -> Vec<(MessageId, Delivery)> {
        self.connection().chat.outbox.values().map(|item| (item.draft.id, item.delivery.clone())).collect()
    }
}

fn room(name: &str) -> RoomId {
    RoomId::new(name).unwrap()
}

fn principal(name: &str) -> Principal {
    Principal {
        id: PrincipalId(name.to_owned()),
        kind: PrincipalKind::Person,
        name: name.to_owned(),
        role: None,
    }
}

fn welcomed(head: u64) -> Event {
    Event::Link(LinkEvent::Welcomed {
        me: principal("me"),
        server: "hub".to_owned(),
        log: LogKind::Server { head: Offset(head), next: Offset(head + 1) },
        now: NOW.wall_ms + 7,
        people: vec![Person { who: principal("me"), online: true, status: String::new() }],
        rooms: vec![RoomId::general().into()],
        features: Default::default(),
    })
}

fn log_started(from: u64, why: LogRestart) -> Event {
    Event::Chat(ChatEvent::LogStarted { epoch: Epoch(1), from: Offset(from), why })
}

fn id(number: u64) -> MessageId {
    MessageId(uuid::Uuid::from_u128(u128::from(number)))
}

/// The entry at an offset; its id is the offset's.
fn entry(offset: u64, by: &str, name: &str) -> Entry {
    Entry {
        draft: Draft {
            id: id(offset),
            room: room(name),
            content: Content::Text { body: format!("{offset}"), extra: Default::default() },
            at: WallMs(0),
        },
        offset: Offset(offset),
        sender: Sender { id: PrincipalId(by.to_owned()), name: by.to_owned() },
        received: WallMs(0),
    }
}

fn change(offset: u64, by: &str, content: Content) -> Entry {
    let entry = entry(offset, by, "general");
    Entry { draft: Draft { content, ..entry.draft }, ..entry }
}

fn message(offset: u64) -> Message {
    Message::new(entry(offset, "other", "general"), at(1, offset), false)
}

fn at(era: u32, offset: u64) -> Position {
    Position { era, offset: Offset(offset) }
}

/// A message of ours that is to have this offset.
fn item(offset: u64) -> OutboxItem {
    OutboxItem {
        draft: Draft {
            id: id(offset),
            room: RoomId::general(),
            content: Content::text(format!("{offset}")),
            at: WallMs(0),
        },
        seq: offset,
        delivery: Delivery::Pending,
    }
}

fn acknowledged(offset: u64) -> Event {
    Event::Chat(ChatEvent::Acknowledged {
        id: id(offset),
        offset: Offset(offset),
        received: WallMs(9),
        follows: Default::default(),
    })
}

// Repetitions and replays

/// A hub's log: messages by us and others in three rooms, rooms, and kinds of a later version.
fn log(length: std::ops::Range<usize>) -> impl Strategy<Value = Vec<Entry>> {
    let later = Content::from_fields("poll", None, Extra::default()).unwrap();
    let content = prop_oneof![8 => Just(None), 1 => Just(Some(Content::room(RoomName::general()))), 1 => Just(Some(later))];
    let by = prop_oneof![Just("me"), Just("a"), Just("b")];
    let place = prop_oneof![3 => Just("general"), 1 => Just("lathe"), 1 => Just("물레")];
    vec((content, by, place), length).prop_map(|entries| {
        let with_offset = entries.into_iter().zip(1..);
        let entry = |((content, by, name), offset): ((Option<Content>, &str, &str), u64)| {
            let mut entry = entry(offset, by, name);
            if let Some(content) = content {
                entry.draft.content = content;
            }
            entry
        };
        with_offset.map(entry).collect()
    })
}

/// What may come between two stretches of a log, any number of times.
#[derive(Clone, Debug)]
enum Noise {
    Presence(bool),
    Acknowledged(prop::sample::Index),
    Welcomed,
}

fn noise() -> impl Strategy<Value = Noise> {
    prop_oneof![
        any::<bool>().prop_map(Noise::Presence),
        any::<prop::sample::Index>().prop_map(Noise::Acknowledged),
        Just(Noise::Welcomed),
    ]
}

/// What we wrote of a log.
fn mine(log: &[Entry]) -> impl Iterator<Item = &Entry> {
    log.iter().filter(|entry| entry.sender.id.0 == "me" && entry.draft.content.is_text())
}

/// A bench where all that we wrote in a log waits in the outbox.
fn about_to_send(log: &[Entry]) -> Bench {
    let mut bench = Bench::from(1);
    for entry in mine(log) {
        let mut item = item(entry.offset.0);
        item.draft.room = entry.draft.room.clone();
        bench.apply(Event::Chat(ChatEvent::Queued(item)));
    }
    bench
}

proptest! {
    #[test]
    fn replays_and_repetitions_end_in_the_same_state(
        log in log(1..60),
        stretches in vec((any::<prop::sample::Index>(), 1..20usize, vec(noise(), 0..4)), 0..30),
    ) {
        let head = log.len() as u64;
        let end = |bench: &mut Bench| {
            bench.apply(welcomed(head));
            bench.apply(Event::Chat(ChatEvent::Presence(Person { who: principal("a"), online: true, status: String::new() })));
        };
        let mut plain = about_to_send(&log);
        for entry in &log {
            plain.entries(std::slice::from_ref(entry));
        }
        end(&mut plain);

        let mut other = about_to_send(&log);
        let mut received = 0;
        for (start, length, noises) in stretches {
            // Behind all that was received, or anywhere within.
            let start = start.index(received + 1);
            let stop = (start + length).min(log.len());
            other.entries(&log[start..stop]);
            received = received.max(stop);
            for noise in noises {
                match noise {
                    Noise::Presence(online) => other.apply(Event::Chat(ChatEvent::Presence(Person { who: principal("a"), online, status: String::new() }))),
                    Noise::Welcomed => other.apply(welcomed(head)),
                    Noise::Acknowledged(which) => {
                        if let Some(entry) = mine(&log).nth(which.index(mine(&log).count().max(1))) {
                            other.apply(acknowledged(entry.offset.0));
                        }
                    }
                }
            }
        }
        other.entries(&log[received..]);
        end(&mut other);

        prop_assert!(other.connection().chat.outbox.is_empty());
        prop_assert_eq!(&other.0, &plain.0);
    }

    #[test]
    fn unread_is_what_others_wrote_behind_the_read_marker(
        log in log(1..60),
        reads in vec((any::<prop::sample::Index>(), 0..80u64), 0..12),
    ) {
        let mut bench = Bench::from(1);
        let mut marker = 0;
        for (index, entry) in log.iter().enumerate() {
            bench.entries(std::slice::from_ref(entry));
            for (_, offset) in reads.iter().filter(|(when, _)| when.index(log.len()) == index) {
                bench.apply(Event::Chat(ChatEvent::ReadMarker { room: RoomId::general(), offset: Offset(*offset) }));
                marker = marker.max(*offset);
            }
            let in_general = |entry: &&Entry| entry.draft.room == RoomId::general() && entry.draft.content.is_text();
            let unread = log[..=index].iter().filter(in_general);
            let unread = unread.filter(|entry| entry.sender.id.0 != "me" && entry.offset > Offset(marker));
            prop_assert_eq!(bench.room("general").unread, unread.count() as u64);
        }
    }
}

// Eras

#[test]
fn a_log_that_begins_anew_begins_an_era_once_it_has_entries() {
    let mut bench = Bench::from(1);
    assert_eq!(bench.connection().chat.era(), 1);
    bench.apply(log_started(1, LogRestart::EpochChanged));
    assert_eq!(bench.connection().chat.era(), 1, "nothing was received: there is no gap to show");
    bench.entries(&[entry(1, "a", "general"), entry(2, "a", "general")]);
    bench.apply(log_started(7, LogRestart::Trimmed));
    assert_eq!(bench.connection().chat.era(), 2);
    assert_eq!(bench.connection().chat.received_to, Offset(6));
    bench.entries(&[entry(7, "a", "general")]);
    assert_eq!(bench.held("general"), [(1, 1), (1, 2), (2, 7)]);
}

#[test]
fn what_comes_again_in_another_era_moves_there_and_counts_once() {
    let mut bench = Bench::from(1);
    let log: Vec<Entry> = (1..=5).map(|offset| entry(offset, "a", "general")).collect();
    bench.entries(&log);
    assert_eq!(bench.room("general").unread, 5);
    bench.apply(log_started(1, LogRestart::EpochChanged));
    // 1 to 3 are in the backup; 4 and 5 were lost with what came after it.
    bench.entries(&log[..3]);
    bench.entries(&log[..3]);
    assert_eq!(bench.held("general"), [(1, 4), (1, 5), (2, 1), (2, 2), (2, 3)]);
    assert_eq!(bench.room("general").unread, 5, "five messages by others, none of them read");
}

#[test]
fn a_read_marker_moves_forward_only_and_later_eras_are_later() {
    let mut bench = Bench::from(1);
    let log: Vec<Entry> = (1..=5).map(|offset| entry(offset, "a", "general")).collect();
    bench.entries(&log);
    let read = |offset| Event::Chat(ChatEvent::ReadMarker { room: RoomId::general(), offset });
    bench.apply(read(Offset(4)));
    bench.apply(read(Offset(2)));
    assert_eq!((bench.room("general").read, bench.room("general").unread), (at(1, 4), 1));
    bench.apply(log_started(1, LogRestart::EpochChanged));
    bench.apply(read(Offset(1)));
    assert_eq!(bench.room("general").read, at(2, 1));
}

// The window

/// What a reader does with a room of which all is on disk.
#[derive(Clone, Debug)]
enum Move {
    /// So many new messages come.
    Append(u64),
    /// The window is extended by a page.
    Page(Side, usize),
    /// A page is asked for, and new messages come before it is there.
    LatePage(Side, usize, u64),
    /// The window is replaced by one that begins there.
    Jump(prop::sample::Index, usize),
}

fn movement() -> impl Strategy<Value = Move> {
    let side = || prop_oneof![Just(Side::Older), Just(Side::Newer)];
    prop_oneof![
        (1..300u64).prop_map(Move::Append),
        (side(), 1..200usize).prop_map(|(side, limit)| Move::Page(side, limit)),
        (side(), 1..200usize, 1..50u64).prop_map(|(side, limit, new)| Move::LatePage(side, limit, new)),
        (any::<prop::sample::Index>(), 1..400usize).prop_map(|(at, limit)| Move::Jump(at, limit)),
    ]
}

/// A room on disk: offsets 1 to `last`.
struct Disk {
    last: u64,
}

impl Disk {
    fn page(&self, from: u64, to: u64) -> Page {
        Page {
            messages: (from..=to).map(message).collect(),
            older_on_disk: from > 1,
            older_on_hub: false,
            newer_on_disk: to < self.last,
        }
    }

    fn beside(&self, bench: &Bench, side: Side, limit: usize) -> Page {
        let window = &bench.room("general").window;
        let (first, last) = match (window.first(), window.last()) {
            (Some(first), Some(last)) => (first.position.offset.0, last.position.offset.0),
            _ => (1, 0),
        };
        match side {
            Side::Older => self.page(first.saturating_sub(limit as u64).max(1), first - 1),
            Side::Newer => self.page(last + 1, self.last.min(last + limit as u64)),
        }
    }

    fn grow(&mut self, bench: &mut Bench, new: u64) {
        for offset in self.last + 1..=self.last + new {
            bench.entries(&[entry(offset, "other", "general")]);
        }
        self.last += new;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// With more messages than a window holds, a replay of what was let go of brings nothing back.
    #[test]
    fn replays_end_in_the_same_state_beyond_the_window(starts in vec(any::<prop::sample::Index>(), 1..8)) {
        let log: Vec<Entry> = (1..=2 * CAPACITY as u64).map(|offset| entry(offset, "a", "general")).collect();
        let mut plain = Bench::from(1);
        plain.entries(&log);
        let mut other = Bench::from(1);
        let mut received = 0;
        for start in starts {
            let start = start.index(received + 1);
            received = received.max((start + 400).min(log.len()));
            other.entries(&log[start..received]);
        }
        other.entries(&log[received..]);
        other.entries(&log);
        prop_assert_eq!(&other.0, &plain.0);
        prop_assert_eq!(other.room("general").window.len(), CAPACITY);
        prop_assert_eq!(other.room("general").unread, log.len() as u64);
    }

    #[test]
    fn a_window_is_one_piece_of_the_room_and_knows_its_edges(moves in vec(movement(), 1..25)) {
        let (mut bench, mut disk) = (Bench::from(1), Disk { last: 0 });
        for movement in moves {
            match movement {
                Move::Append(new) => disk.grow(&mut bench, new),
                Move::Page(side, limit) => {
                    let page = disk.beside(&bench, side, limit);
                    bench.apply(Event::Chat(ChatEvent::Paged { room: RoomId::general(), side, page }));
                }
                Move::LatePage(side, limit, new) => {
                    let page = disk.beside(&bench, side, limit);
                    let fits = bench.room("general").window.len() + page.messages.len() + new as usize <= CAPACITY;
                    // A page beside an edge that was trimmed meanwhile is another matter.
                    if fits {
                        disk.grow(&mut bench, new);
                        bench.apply(Event::Chat(ChatEvent::Paged { room: RoomId::general(), side, page }));
                    }
                }
                Move::Jump(at, limit) if disk.last > 0 => {
                    let from = at.index(disk.last as usize) as u64 + 1;
                    let page = disk.page(from, disk.last.min(from + limit as u64 - 1));
                    bench.apply(Event::Chat(ChatEvent::Jumped { room: RoomId::general(), page }));
                }
                Move::Jump(..) => {}
            }
            let window = &bench.room("general").window;
            let held: Vec<u64> = window.messages().map(|message| message.position.offset.0).collect();
            prop_assert!(held.len() <= CAPACITY && held.len() == window.len());
            prop_assert!(held.windows(2).all(|pair| pair[0] + 1 == pair[1]), "a hole: {:?}", held);
            prop_assert!(window.messages().all(|message| window.contains(message.id)));
            if let (Some(first), Some(last)) = (held.first(), held.last()) {
                prop_assert_eq!(window.before, if *first == 1 { Edge::End } else { Edge::Disk });
                prop_assert_eq!(window.after, if *last == disk.last { Edge::End } else { Edge::Disk });
            }
        }
    }
}

#[test]
fn what_is_older_than_the_first_contact_comes_from_the_hub() {
    let mut bench = Bench::from(501);
    let log: Vec<Entry> = (501..=503).map(|offset| entry(offset, "a", "general")).collect();
    bench.entries(&log);
    assert_eq!(bench.room("general").window.before, Edge::Hub);
    let page = |from: u64, to: u64, complete| {
        Event::Chat(ChatEvent::History {
            room: RoomId::general(),
            before: Offset(to + 1),
            entries: (from..=to).map(|offset| entry(offset, "a", "general")).collect(),
            complete,
        })
    };
    bench.apply(Event::Chat(ChatEvent::Loading {
        room: RoomId::general(),
        side: Side::Older,
        loading: true,
    }));
    bench.apply(page(480, 500, false));
    assert_eq!((bench.room("general").window.len(), bench.room("general").loading_older), (24, false));
    assert_eq!(bench.room("general").window.before, Edge::Hub);
    bench.apply(page(470, 479, true));
    bench.apply(page(470, 479, true));
    assert_eq!((bench.room("general").window.len(), bench.room("general").window.before), (34, Edge::End));
    assert_eq!(bench.room("general").unread, 3, "what is paged in is not news");
}

#[test]
fn what_changed_a_message_of_an_older_page_counts_beside_what_changed_it_since() {
    let mut bench = Bench::from(501);
    bench.entries(&[change(501, "other", Content::reaction(id(480), "👍", false))]);
    let history = |before, entries: Vec<Entry>| {
        let room = RoomId::general();
        Event::Chat(ChatEvent::History { room, before: Offset(before), entries, complete: false })
    };
    let edit = change(500, "a", Content::edit(id(480), "edited"));
    bench.apply(history(501, vec![entry(499, "a", "general"), edit]));
    bench.apply(history(499, vec![entry(480, "a", "general")]));
    let message = bench.room("general").window.get(id(480)).unwrap();
    assert_eq!((message.body(), message.reactions().len()), ("edited", 1));
}

// The outbox

#[test]
fn a_message_goes_from_pending_to_the_log() {
    let mut bench = Bench::from(1);
    bench.apply(Event::Chat(ChatEvent::Queued(item(1))));
    assert_eq!(bench.outbox(), [(id(1), Delivery::Pending)]);
    bench.apply(Event::Chat(ChatEvent::Attempted(vec![id(1)])));
    assert_eq!(bench.outbox(), [(id(1), Delivery::Attempted)]);
    bench.apply(acknowledged(1));
    let sent = Delivery::Acknowledged { offset: Offset(1), received: WallMs(9) };
    assert_eq!(bench.outbox(), [(id(1), sent.clone())]);
    for late in [
        Event::Chat(ChatEvent::Attempted(vec![id(1)])),
        Event::Chat(ChatEvent::Refused { id: id(1), refusal: Refusal::NotAllowed }),
        acknowledged(1),
    ] {
        bench.apply(late);
        assert_eq!(bench.outbox(), [(id(1), sent.clone())], "a later word does not weaken it");
    }
    bench.entries(&[entry(1, "me", "general")]);
    assert_eq!((bench.outbox(), bench.held("general")), (vec![], vec![(1, 1)]));
    bench.apply(acknowledged(1));
    bench.apply(Event::Chat(ChatEvent::Queued(item(1))));
    assert_eq!(bench.outbox(), [], "it is in the log already");
}

#[test]
fn somebody_elses_message_of_the_same_id_is_not_ours() {
    let mut bench = Bench::from(1);
    bench.apply(Event::Chat(ChatEvent::Queued(item(1))));
    bench.entries(&[entry(1, "a", "general")]);
    assert_eq!(bench.outbox(), [(id(1), Delivery::Pending)]);
}

#[test]
fn a_refused_message_stays_until_it_is_replaced_or_dropped() {
    let mut bench = Bench::from(1);
    bench.apply(Event::Chat(ChatEvent::Queued(item(1))));
    bench.apply(Event::Chat(ChatEvent::Refused { id: id(1), refusal: Refusal::NoSuchRoom }));
    assert_eq!(bench.outbox(), [(id(1), Delivery::Failed(Refusal::NoSuchRoom))]);
    bench.apply(Event::Chat(ChatEvent::Unqueued(id(1))));
    bench.apply(Event::Chat(ChatEvent::Queued(OutboxItem { seq: 9, ..item(1) })));
    assert_eq!(bench.outbox(), [(id(1), Delivery::Pending)]);
    assert_eq!(bench.connection().chat.outbox.keys().collect::<Vec<_>>(), [&9]);
    bench.apply(Event::Chat(ChatEvent::Unqueued(id(1))));
    assert_eq!(bench.outbox(), []);
}

#[test]
fn what_was_acknowledged_and_is_not_in_the_log_is_sent_again() {
    let after = |events: Vec<Event>| {
        let mut bench = Bench::from(1);
        bench.apply(Event::Chat(ChatEvent::Queued(item(2))));
        bench.apply(acknowledged(2));
        events.into_iter().for_each(|event| bench.apply(event));
        bench.outbox().pop().map(|(_, delivery)| delivery)
    };
    let sent = Some(Delivery::Acknowledged { offset: Offset(2), received: WallMs(9) });
    let entries = |log: &[Entry]| Event::Chat(ChatEvent::Entries { entries: log.to_vec(), live: false });
    assert_eq!(after(vec![welcomed(2)]), sent, "the log reaches it");
    assert_eq!(after(vec![welcomed(1)]), Some(Delivery::Attempted), "the log ends before it");
    assert_eq!(after(vec![entries(&[entry(1, "a", "general")])]), sent, "its place has not come yet");
    let mut another = [entry(1, "a", "general"), entry(2, "a", "general")];
    another[1].draft.id = id(77);
    assert_eq!(after(vec![entries(&another)]), Some(Delivery::Attempted), "another one is in its place");
    assert_eq!(after(vec![log_started(1, LogRestart::EpochChanged)]), Some(Delivery::Attempted));
    assert_eq!(after(vec![log_started(1, LogRestart::Trimmed)]), Some(Delivery::Attempted));
}

#[test]
fn each_rooms_outbox_is_in_the_order_of_sending() {
    let mut bench = Bench::from(1);
    for (seq, name) in [(3, "general"), (1, "general"), (2, "lathe")] {
        let mut item = item(seq);
        item.draft.room = room(name);
        bench.apply(Event::Chat(ChatEvent::Queued(item)));
    }
    let of = |name: &str| -> Vec<u64> {
        bench.connection().chat.outbox_of(&room(name)).map(|item| item.seq).collect()
    };
    assert_eq!((of("general"), of("lathe")), (vec![1, 3], vec![2]));
}

#[test]
fn receipts_name_others_who_are_there_and_end_with_the_log() {
    let mut bench = Bench::from(1);
    bench.entries(&[entry(1, "me", "general"), entry(2, "me", "general")]);
    for who in ["a", "b"] {
        let person = Person { who: principal(who), online: true, status: String::new() };
        bench.apply(Event::Chat(ChatEvent::Presence(person)));
    }
    let receipt = |who: &str| Receipt { id: PrincipalId(who.into()), first: Offset(1), last: Offset(2) };
    let by = ["a", "b", "me", "unknown"].map(receipt).to_vec();
    bench.apply(Event::Chat(ChatEvent::Receipts { room: RoomId::general(), by, all: true }));
    let readers = |bench: &Bench, offset| {
        let chat = &bench.connection().chat;
        let place = Position { era: chat.era(), offset: Offset(offset) };
        let readers = chat.readers(&RoomId::general(), place);
        readers.into_iter().map(|who| who.id.0.clone()).collect::<Vec<_>>()
    };
    assert_eq!(readers(&bench, 2), ["a", "b"]);
    assert_eq!(readers(&bench, 3), [""; 0]);
    bench.apply(Event::Chat(ChatEvent::PersonRemoved(PrincipalId("a".into()))));
    assert_eq!(readers(&bench, 2), ["b"]);
    bench.apply(Event::Chat(ChatEvent::LogStarted {
        epoch: Epoch(2),
        from: Offset(1),
        why: LogRestart::EpochChanged,
    }));
    assert_eq!(readers(&bench, 2), [""; 0], "offsets mean other messages now");
}

#[test]
fn whoever_is_typing_stops_with_their_message() {
    let mut bench = Bench::from(1);
    let typing = |by: &str| {
        Event::Chat(ChatEvent::Typing {
            room: RoomId::general(),
            who: Sender { id: PrincipalId(by.to_owned()), name: by.to_owned() },
            until: BootMs(9_000),
        })
    };
    bench.apply(typing("a"));
    bench.apply(typing("b"));
    bench.apply(typing("me"));
    bench.entries(&[entry(1, "a", "general")]);
    let typing: BTreeMap<_, _> = bench.room("general").typing.clone();
    assert_eq!(typing.into_keys().map(|who| who.0).collect::<Vec<_>>(), ["b"]);
}

#[test]
fn what_changes_a_message_shows_at_it_and_never_without_it() {
    let mut bench = Bench::from(1);
    bench.entries(&[entry(1, "other", "general"), entry(2, "me", "general")]);
    bench.entries(&[
        change(3, "other", Content::edit(id(1), "edited")),
        change(4, "me", Content::reaction(id(1), "👍", false)),
        change(5, "other", Content::reaction(id(99), "👍", false)),
        change(6, "other", Content::reply("in its thread", id(1), Some(id(1)))),
        change(7, "other", Content::reply("reply", id(1), None)),
    ]);
    let shown = |bench: &Bench| -> Vec<(String, usize, Option<String>, u32)> {
        let messages = bench.room("general").window.messages();
        let quote = |message: &Message| message.quote.as_ref().map(|quote| quote.text.clone());
        messages.map(|m| (m.body().to_owned(), m.reactions().len(), quote(m), m.replies.count)).collect()
    };
    let expected = [
        ("edited".to_owned(), 1, None, 1),
        ("2".to_owned(), 0, None, 0),
        ("reply".to_owned(), 0, Some("edited".to_owned()), 0),
    ];
    assert_eq!(shown(&bench), expected);
    let unread = bench.room("general").unread;
    assert_eq!(unread, 2, "an edit or a reaction is not an unread message");
    // All of it once more changes nothing.
    bench.entries(&[
        change(3, "other", Content::edit(id(1), "edited")),
        change(4, "me", Content::reaction(id(1), "👍", false)),
        change(6, "other", Content::reply("in its thread", id(1), Some(id(1)))),
        change(7, "other", Content::reply("reply", id(1), None)),
    ]);
    assert_eq!(shown(&bench), expected);
    bench.entries(&[change(8, "boss", Content::delete(id(1)))]);
    assert_eq!(shown(&bench)[0], (String::new(), 0, None, 1));
    let quote = bench.room("general").window.last().unwrap().quote.clone().unwrap();
    assert!(quote.deleted && quote.text.is_empty());
}

#[test]
fn a_page_that_was_read_before_a_change_came_shows_it() {
    let mut bench = Bench::from(1);
    bench.entries(&[entry(200, "other", "general")]);
    let edit = Entry {
        draft: Draft { content: Content::edit(id(7), "edited"), ..entry(201, "other", "general").draft },
        ..entry(201, "other", "general")
    };
    bench.entries(&[edit]);
    let page =
        Page { messages: vec![message(7)], older_on_disk: false, older_on_hub: false, newer_on_disk: true };
    bench.apply(Event::Chat(ChatEvent::Jumped { room: room("general"), page }));
    let window = &bench.room("general").window;
    assert_eq!(window.first().map(Message::body), Some("edited"));
}
