//! [`InboundFilter`]: decides which events of a server are passed on. Unknown names create nothing, answers need a
//! question, texts are truncated; a server that sends too many unusable messages is disconnected.

use std::collections::{HashMap, HashSet, VecDeque};

use foldhash::fast::RandomState;

use super::outbox::Outbox;
use super::watch::Watch;
use crate::model::chat::MAX_ROOMS;
use crate::model::event::{ChatEvent, DeviceEvent, LinkEvent, LogEvent, Person};
use crate::model::link_state::Why;
use crate::model::log::Note;
use crate::model::receipt::{MAX_RECEIPT_ROOMS, MAX_RECEIPTS};
use crate::model::time::{BootMs, WallMs};
use crate::model::{
    Command, CommandState, DeviceId, Event, MetricName, Offset, Principal, Refusal, RoomId, Sender, Time,
    Value,
};
use crate::wire::{ChatRequest, DeviceRequest, Request};

/// Maximum number of unanswered questions of one kind; a new one replaces the oldest.
const MAX_QUESTIONS: usize = 256;
/// Maximum length of a principal's id, in bytes; principals with longer ones are ignored.
const MAX_ID_BYTES: usize = 256;
/// Maximum length of a person's or server's name, and of a code, in bytes.
const MAX_NAME_BYTES: usize = 256;
/// Maximum length of an explanation or reason, in bytes.
const MAX_DETAIL_BYTES: usize = 1_024;
/// Maximum length of a text set by a command, in bytes.
const MAX_VALUE_BYTES: usize = 4_096;

/// This many unusable messages end a connection, unless they are spread over time.
const MAX_UNUSABLE: u64 = 500;
/// Number of unusable messages forgiven per second.
const UNUSABLE_A_SECOND: u64 = 10;
/// Maximum number of notes passed on at once, and further ones per second.
const MAX_NOTES: u64 = 500;
const NOTES_A_SECOND: u64 = 20;

/// A leaky bucket with a capacity and a leak rate per second.
#[derive(Debug)]
struct Bucket {
    level_ms: u64,
    at: BootMs,
    size: u64,
    a_second: u64,
}

impl Bucket {
    const fn new(size: u64, a_second: u64) -> Bucket {
        Bucket { level_ms: 0, at: BootMs(0), size, a_second }
    }

    /// Adds one. `false` if the bucket is full.
    fn take(&mut self, now: BootMs) -> bool {
        let leaked = now.since(self.at).saturating_mul(self.a_second);
        (self.level_ms, self.at) = (self.level_ms.saturating_sub(leaked), now);
        if self.level_ms >= self.size * 1_000 {
            return false;
        }
        self.level_ms += 1_000;
        true
    }
}

/// Questions to the server without an answer, oldest first.
#[derive(Debug)]
struct Questions<T>(VecDeque<T>);

impl<T> Default for Questions<T> {
    fn default() -> Self {
        Questions(VecDeque::new())
    }
}

impl<T: PartialEq> Questions<T> {
    fn ask(&mut self, question: T) {
        if self.0.len() == MAX_QUESTIONS {
            self.0.pop_front();
        }
        self.0.push_back(question);
    }

    /// Removes a question that was answered; `false` if it was not asked.
    fn answer(&mut self, question: &T) -> bool {
        let at = self.0.iter().position(|asked| asked == question);
        at.is_some_and(|at| self.0.remove(at).is_some())
    }
}

/// See the module.
#[derive(Debug)]
pub(super) struct InboundFilter {
    /// The known rooms, each with the read marker that the server sent last.
    rooms: HashMap<RoomId, Offset, RandomState>,
    history: Questions<(RoomId, Offset)>,
    /// Rooms of which receipts were asked for; those asked for last are the last ones.
    receipts: VecDeque<RoomId>,
    series: Questions<(DeviceId, MetricName, WallMs, WallMs)>,
    logs: Questions<DeviceId>,
    /// Our own devices.
    ours: HashSet<DeviceId, RandomState>,
    unusable: Bucket,
    is_too_much: bool,
    notes: Bucket,
}

impl Default for InboundFilter {
    fn default() -> Self {
        InboundFilter {
            rooms: HashMap::default(),
            history: Questions::default(),
            receipts: VecDeque::new(),
            series: Questions::default(),
            logs: Questions::default(),
            ours: HashSet::default(),
            unusable: Bucket::new(MAX_UNUSABLE, UNUSABLE_A_SECOND),
            is_too_much: false,
            notes: Bucket::new(MAX_NOTES, NOTES_A_SECOND),
        }
    }
}

impl InboundFilter {
    /// A new session begins: nothing has been asked yet.
    pub(super) fn begin(&mut self) {
        (self.history, self.receipts, self.series, self.logs) = Default::default();
        self.ours.clear();
        (self.unusable, self.is_too_much) = (Bucket::new(MAX_UNUSABLE, UNUSABLE_A_SECOND), false);
    }

    /// Adds a room that the server may refer to, if there is space.
    pub(super) fn know_room(&mut self, room: &RoomId) {
        if !self.rooms.contains_key(room) && self.rooms.len() < MAX_ROOMS {
            self.rooms.insert(room.clone(), Offset(0));
        }
    }

    /// Records a question to the server.
    pub(super) fn asked(&mut self, request: &Request) {
        match request {
            Request::Chat(ChatRequest::History { room, before, .. }) => {
                self.history.ask((room.clone(), *before))
            }
            Request::Chat(ChatRequest::Receipts(room)) => {
                self.receipts.retain(|asked| asked != room);
                if self.receipts.len() == MAX_RECEIPT_ROOMS {
                    self.receipts.pop_front();
                }
                self.receipts.push_back(room.clone());
            }
            Request::Device(DeviceRequest::Series { device, metric, from, to }) => {
                self.series.ask((device.clone(), metric.clone(), *from, *to));
            }
            Request::Device(DeviceRequest::Log(device)) => self.logs.ask(device.clone()),
            Request::Device(DeviceRequest::Announce(spec)) => self.is_ours(&spec.id),
            Request::Device(DeviceRequest::State { device, .. }) => self.is_ours(device),
            Request::Device(DeviceRequest::Publish(readings)) => {
                readings.samples.iter().for_each(|sample| self.is_ours(&sample.device));
            }
            _ => {}
        }
    }

    fn is_ours(&mut self, device: &DeviceId) {
        if !self.ours.contains(device) {
            self.ours.insert(device.clone());
        }
    }

    /// The server sent something unusable.
    pub(super) fn strike(&mut self, now: Time) {
        self.is_too_much |= !self.unusable.take(now.boot_ms);
    }

    /// Why to end the connection: too many messages were unusable.
    pub(super) fn violation(&self) -> Option<String> {
        let sentence =
            || format!("more than {MAX_UNUSABLE} messages that are malformed or that nobody asked for");
        self.is_too_much.then(sentence)
    }

    /// Filters an event; `None` if it must not be passed on.
    pub(super) fn pass(
        &mut self,
        now: Time,
        outbox: &Outbox,
        watch: &Watch,
        mut event: Event,
    ) -> Option<Event> {
        let passes = match &mut event {
            Event::Link(LinkEvent::Welcomed { me, server, people, rooms, .. }) => {
                rooms.iter().for_each(|room| self.know_room(&room.id));
                people.retain_mut(|Person { who, .. }| is_known_by(who));
                cut(server, MAX_NAME_BYTES);
                is_known_by(me)
            }
            Event::Chat(ChatEvent::Listed(listed)) => {
                listed.rooms.iter().for_each(|room| self.know_room(&room.id));
                listed.people.retain_mut(|Person { who, .. }| is_known_by(who));
                listed.read.retain(|(room, offset)| self.is_read_further(room, *offset));
                true
            }
            Event::Chat(ChatEvent::LogStarted { .. }) => {
                self.rooms.values_mut().for_each(|read| *read = Offset(0));
                true
            }
            Event::Chat(ChatEvent::Entries { entries, .. }) => {
                let with_room = entries.iter().filter(|entry| !entry.draft.content.is_unknown());
                with_room.for_each(|entry| self.know_room(&entry.draft.room));
                true
            }
            Event::Chat(ChatEvent::Typing { room, who, .. }) => {
                self.rooms.contains_key(room) && is_sender(who)
            }
            Event::Chat(ChatEvent::ReadMarker { room, offset }) => self.is_read_further(room, *offset),
            Event::Chat(ChatEvent::MarkedUnread { room, offset }) => self.is_unread_again(room, *offset),
            // Of a room that was asked about earlier some may still come.
            Event::Chat(ChatEvent::Receipts { room, by, .. }) => {
                by.truncate(MAX_RECEIPTS);
                by.retain(|receipt| receipt.id.0.len() <= MAX_ID_BYTES);
                self.receipts.contains(room)
            }
            Event::Chat(ChatEvent::Presence(Person { who, .. })) => is_known_by(who),
            Event::Chat(ChatEvent::Acknowledged { id, .. }) => outbox.expects(*id),
            Event::Chat(ChatEvent::Refused { id, refusal }) => {
                shorten_refusal(refusal);
                outbox.expects(*id)
            }
            Event::Device(DeviceEvent::Commanded(command)) => {
                watch.knows(&command.device) && is_command(command)
            }
            Event::Device(DeviceEvent::Presence { reason, .. }) => {
                cut(reason, MAX_DETAIL_BYTES);
                true
            }
            Event::Log(LogEvent::Note(note)) => self.notes.take(now.boot_ms) && is_note(note),
            answer => self.is_asked_for(now, answer),
        };
        passes.then_some(event)
    }

    /// Whether this changes anything. A read marker never moves backwards.
    fn is_read_further(&mut self, room: &RoomId, offset: Offset) -> bool {
        let read = self.rooms.get_mut(room).filter(|read| **read < offset);
        read.map(|read| *read = offset).is_some()
    }

    /// Whether there is such a room: its messages are unread again, and may be read again.
    fn is_unread_again(&mut self, room: &RoomId, offset: Offset) -> bool {
        self.rooms.get_mut(room).map(|read| *read = offset).is_some()
    }

    /// Whether this answers a question; answers without a question count as unusable. Other events need no question.
    fn is_asked_for(&mut self, now: Time, event: &mut Event) -> bool {
        let is_asked = match event {
            Event::Chat(ChatEvent::History { room, before, .. }) => {
                self.history.answer(&(room.clone(), *before))
            }
            Event::Device(DeviceEvent::SeriesPaged { device, metric, page }) => {
                self.series.answer(&(device.clone(), metric.clone(), page.from, page.to))
            }
            Event::Device(DeviceEvent::Logged { device, .. }) => self.logs.answer(device),
            Event::Device(DeviceEvent::CommandGiven { device, by, .. }) => {
                self.ours.contains(device) && is_sender(by)
            }
            Event::Device(DeviceEvent::PublishRefused { device, code, detail }) => {
                cut(code, MAX_NAME_BYTES);
                cut(detail, MAX_DETAIL_BYTES);
                self.ours.contains(device)
            }
            _ => true,
        };
        if !is_asked {
            self.strike(now);
        }
        is_asked
    }
}

/// Whether the id is usable. The name is truncated.
fn is_known_by(who: &mut Principal) -> bool {
    cut(&mut who.name, MAX_NAME_BYTES);
    who.id.0.len() <= MAX_ID_BYTES
}

fn is_sender(who: &mut Sender) -> bool {
    cut(&mut who.name, MAX_NAME_BYTES);
    who.id.0.len() <= MAX_ID_BYTES
}

fn is_command(command: &mut Command) -> bool {
    if let CommandState::Failed { detail } = &mut command.state {
        cut(detail, MAX_DETAIL_BYTES);
    }
    if let Value::Text(text) = &mut command.value
        && text.len() > MAX_VALUE_BYTES
    {
        *text = text[..text.floor_char_boundary(MAX_VALUE_BYTES)].into();
    }
    is_sender(&mut command.by)
}

fn is_note(note: &mut Note) -> bool {
    match note {
        Note::Malformed { detail } | Note::State { text: detail, .. } => cut(detail, MAX_DETAIL_BYTES),
        // Ours, not the server's.
        Note::Proxy(_) => {}
        Note::Route(_) => {}
        Note::ServerError { code, detail } => {
            cut(code, MAX_NAME_BYTES);
            cut(detail, MAX_DETAIL_BYTES);
        }
    }
    true
}

fn shorten_refusal(refusal: &mut Refusal) {
    if let Refusal::Other { code, detail } = refusal {
        cut(code, MAX_NAME_BYTES);
        cut(detail, MAX_DETAIL_BYTES);
    }
}

/// Truncates a server's reason for ending the connection.
pub(super) fn shorten(why: &mut Why) {
    match why {
        Why::Closed { reason, .. } => cut(reason, MAX_DETAIL_BYTES),
        Why::Violation { detail: text }
        | Why::Lost { detail: text }
        | Why::NotWebSocket { detail: text }
        | Why::NotDuplex { said: text }
        | Why::NotSocketIo { said: text }
        | Why::Redirected { location: Some(text), .. } => cut(text, MAX_DETAIL_BYTES),
        Why::Mqtt { said, .. } => cut(said, MAX_DETAIL_BYTES),
        Why::Refused { of, said, .. } => {
            cut(said, MAX_DETAIL_BYTES);
            of.iter_mut().for_each(|text| cut(text, MAX_DETAIL_BYTES));
        }
        Why::NamespaceRefused { namespace, message, data } => {
            cut(namespace, MAX_NAME_BYTES);
            cut(message, MAX_DETAIL_BYTES);
            cut(data, MAX_DETAIL_BYTES);
        }
        _ => {}
    }
}

/// Truncates a text to this many bytes and marks it as truncated.
fn cut(text: &mut String, bytes: usize) {
    if text.len() > bytes {
        text.truncate(text.floor_char_boundary(bytes));
        text.push('…');
        text.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{PrincipalId, PrincipalKind, SeriesPage};

    const NOW: Time = Time { boot_ms: BootMs(1_000), wall_ms: WallMs(0) };

    fn room(name: &str) -> RoomId {
        RoomId::new(name).unwrap()
    }

    fn device(name: &str) -> DeviceId {
        DeviceId::new(name).unwrap()
    }

    fn passes(gate: &mut InboundFilter, event: Event) -> Option<Event> {
        gate.pass(NOW, &Outbox::default(), &Watch::default(), event)
    }

    fn typing(name: &str) -> Event {
        let who = Sender { id: PrincipalId("p".into()), name: "n".repeat(9_999) };
        Event::Chat(ChatEvent::Typing { room: room(name), who, until: BootMs(0) })
    }

    fn history(name: &str, before: Offset) -> Event {
        Event::Chat(ChatEvent::History { room: room(name), before, entries: Vec::new(), complete: true })
    }

    #[test]
    fn a_room_that_nobody_knows_is_not_made_by_a_notice() {
        let mut gate = InboundFilter::default();
        gate.know_room(&room("general"));
        assert_eq!(passes(&mut gate, typing("made up")), None);
        let Some(Event::Chat(ChatEvent::Typing { who, .. })) = passes(&mut gate, typing("general")) else {
            panic!("dropped")
        };
        assert!(who.name.len() <= MAX_NAME_BYTES + 3);
        let read = |name: &str, offset| Event::Chat(ChatEvent::ReadMarker { room: room(name), offset });
        assert_eq!(passes(&mut gate, read("made up", Offset(3))), None);
        assert!(passes(&mut gate, read("general", Offset(3))).is_some());
        assert_eq!(passes(&mut gate, read("general", Offset(3))), None, "it goes no further");
        assert!(passes(&mut gate, read("general", Offset(4))).is_some());
        (0..2 * MAX_ROOMS).for_each(|n| gate.know_room(&room(&format!("r{n}"))));
        assert_eq!(gate.rooms.len(), MAX_ROOMS);
        assert_eq!(gate.violation(), None, "rooms that are left out are no fault of the server's");
    }

    #[test]
    fn an_answer_needs_a_question() {
        let mut gate = InboundFilter::default();
        assert_eq!(passes(&mut gate, history("general", Offset(9))), None);
        gate.asked(&Request::Chat(ChatRequest::History {
            room: room("general"),
            before: Offset(9),
            limit: 1,
        }));
        assert_eq!(passes(&mut gate, history("general", Offset(8))), None);
        assert!(passes(&mut gate, history("general", Offset(9))).is_some());
        assert_eq!(passes(&mut gate, history("general", Offset(9))), None, "once");

        let log = || Event::Device(DeviceEvent::Logged { device: device("pump"), lines: Vec::new() });
        assert_eq!(passes(&mut gate, log()), None);
        gate.asked(&Request::Device(DeviceRequest::Log(device("pump"))));
        assert!(passes(&mut gate, log()).is_some());

        let page = SeriesPage { from: WallMs(1), to: WallMs(2), ..SeriesPage::default() };
        let paged = || {
            Event::Device(DeviceEvent::SeriesPaged {
                device: device("pump"),
                metric: device("flow"),
                page: page.clone(),
            })
        };
        assert_eq!(passes(&mut gate, paged()), None);
        gate.asked(&Request::Device(DeviceRequest::Series {
            device: device("pump"),
            metric: device("flow"),
            from: WallMs(1),
            to: WallMs(2),
        }));
        assert!(passes(&mut gate, paged()).is_some());
        let ack = Event::Chat(ChatEvent::Acknowledged {
            id: crate::model::MessageId::from_random([1; 16]),
            offset: Offset(1),
            received: WallMs(1),
            follows: Default::default(),
        });
        assert_eq!(passes(&mut gate, ack), None, "nothing was sent");
    }

    #[test]
    fn too_much_that_cannot_be_used_is_a_violation_and_a_little_for_ever_is_not() {
        let mut gate = InboundFilter::default();
        for second in 0..1_000 {
            let now = Time { boot_ms: BootMs(second * 1_000), wall_ms: WallMs(0) };
            (0..UNUSABLE_A_SECOND).for_each(|_| gate.strike(now));
        }
        assert_eq!(gate.violation(), None);
        gate.begin();
        for n in 0..=MAX_UNUSABLE {
            assert_eq!(gate.violation(), None, "after {n}");
            passes(&mut gate, history("general", Offset(n)));
        }
        assert!(gate.violation().is_some());
        gate.begin();
        assert_eq!(gate.violation(), None, "the next conversation begins anew");
    }

    #[test]
    fn what_a_server_says_is_cut_to_what_anybody_reads() {
        let mut gate = InboundFilter::default();
        let long = || "한".repeat(500_000);
        let note = Event::Log(LogEvent::Note(Note::ServerError { code: long(), detail: long() }));
        let Some(Event::Log(LogEvent::Note(Note::ServerError { code, detail }))) = passes(&mut gate, note)
        else {
            panic!("dropped")
        };
        assert!(code.len() <= MAX_NAME_BYTES + 3 && detail.len() <= MAX_DETAIL_BYTES + 3);
        let passed = (0..9 * MAX_NOTES).filter(|_| {
            passes(&mut gate, Event::Log(LogEvent::Note(Note::Malformed { detail: long() }))).is_some()
        });
        assert_eq!(passed.count() as u64, MAX_NOTES - 1, "notes are not worth more");
        let who = |id: String| Principal {
            id: PrincipalId(id),
            kind: PrincipalKind::Person,
            name: long(),
            role: None,
        };
        let presence = |id| {
            Event::Chat(ChatEvent::Presence(Person { who: who(id), online: true, status: String::new() }))
        };
        assert_eq!(passes(&mut gate, presence(long())), None);
        let Some(Event::Chat(ChatEvent::Presence(person))) = passes(&mut gate, presence("p".into())) else {
            panic!("dropped")
        };
        assert!(person.who.name.len() <= MAX_NAME_BYTES + 3);
        let mut why = Why::Closed {
            code: Some(4_999),
            reason: long(),
            retry_after_ms: None,
            closing: crate::model::link_state::Closing::ByServer,
        };
        shorten(&mut why);
        assert!(matches!(why, Why::Closed { reason, .. } if reason.len() <= MAX_DETAIL_BYTES + 3));
    }
}
