//! A server that knows nothing of Duplex, as the rest of the app sees it: who said what in which room, our own messages that come
//! back, people and devices.
#![allow(clippy::panic, reason = "a test that fails should say so at once")]

use duplex::mapping::{Incoming, Mapping};
use duplex::model::event::{ChatEvent, DeviceEvent};
use duplex::model::time::BootMs;
use duplex::model::time::WallMs;
use duplex::model::{Content, Delivery, Draft, Entry, Event, MessageId, OutboxItem, RoomId, Time};
use duplex::wire::mapped::{Mapped, Novelty, Place};
use serde_json::{Value, json};

struct Server {
    mapped: Mapped,
    now: Time,
    place: Place,
    typed: u8,
}

impl Server {
    fn new(name: &str) -> Self {
        Server::resumed(name, None)
    }

    fn resumed(name: &str, state: Option<&Value>) -> Self {
        let mapping = Mapping { name: name.to_owned(), ..Mapping::default() };
        let mut mapped = Mapped::new(mapping, [7; 32], state);
        let now = Time { boot_ms: BootMs(1000), wall_ms: WallMs(1_767_323_045_000) };
        let place = Place::only();
        mapped.opened(now, "host:1", vec![place.room.clone()], &[]);
        Server { mapped, now, place, typed: 0 }
    }

    fn events(&mut self, source: &str, args: Value) -> Vec<Event> {
        let Value::Array(args) = args else { panic!("arguments are a list") };
        let mut events =
            self.mapped.received(self.now, &self.place, &Incoming { source, args: &args }, Novelty::New);
        events.retain(|event| !matches!(event, Event::Link(_)));
        events
    }

    /// The rows that come of it, as `room sender: text`.
    fn rows(&mut self, source: &str, args: Value) -> Vec<String> {
        rows(self.events(source, args))
    }

    fn types(&mut self, text: &str) -> MessageId {
        self.typed += 1;
        let id = MessageId::from_random([self.typed; 16]);
        let draft = Draft { id, room: RoomId::messages(), content: Content::text(text), at: WallMs(0) };
        let item = OutboxItem { draft, seq: u64::from(self.typed), delivery: Delivery::Attempted };
        assert!(self.mapped.typed(self.now, &self.place, &item).is_ok());
        id
    }
}

fn row(entry: &Entry) -> String {
    let room = if entry.draft.room == RoomId::messages() {
        String::new()
    } else {
        format!("[{}] ", entry.draft.room)
    };
    match &entry.draft.content {
        Content::Text { body, .. } => format!("{room}{}: {body}", entry.sender.id),
        Content::Member { who, change, .. } => format!("{room}{} {}", who.name, change.word()),
        content => panic!("{content:?}"),
    }
}

fn rows(events: Vec<Event>) -> Vec<String> {
    let entries = events.into_iter().filter_map(|event| match event {
        Event::Chat(ChatEvent::Entries { entries, .. }) => Some(entries),
        _ => None,
    });
    entries.flatten().map(|entry| row(&entry)).collect()
}

#[test]
fn our_own_message_that_comes_back_is_shown_once_whichever_comes_first() {
    let mut server = Server::new("");
    let id = server.types("hello");
    assert_eq!(server.rows("chat-message", json!(["hello"])), ["me: hello"]);
    assert_eq!(server.mapped.delivered(server.now, id), None, "it has its entry");
    let id = server.types("again");
    assert_eq!(
        server.mapped.delivered(server.now, id).map(|entry| row(&entry)).as_deref(),
        Some("me: again")
    );
    assert_eq!(server.rows("chat-message", json!(["again"])), [""; 0]);
    assert_eq!(
        server.rows("chat-message", json!(["again"])),
        ["server: again"],
        "somebody else says the same"
    );
}

#[test]
fn what_somebody_else_says_is_theirs_though_the_words_are_ours() {
    let mut server = Server::new("mina");
    server.types("ok");
    assert_eq!(server.rows("chat", json!([{"user": "jun", "text": "ok"}])), ["u:jun: ok"]);
    assert_eq!(server.rows("chat", json!([{"user": "mina", "text": "ok"}])), ["me: ok"]);
    server.types("later");
    server.now = server.now.plus(10_001);
    assert_eq!(server.rows("chat", json!(["later"])), ["server: later"], "in doubt it is shown twice");
    server.types("private");
    assert_eq!(server.rows("chat", json!([{"text": "private", "self": false}])), ["server: private"]);
    assert_eq!(server.rows("chat", json!([{"text": "private", "self": true}])), ["me: private"]);
    assert_eq!(
        server.rows("chat", json!([{"text": "of another tab", "self": true}])),
        ["me: of another tab"]
    );
}

#[test]
fn an_id_that_comes_back_counts_whatever_became_of_the_words() {
    let mut server = Server::new("");
    let id = server.types("<b>");
    assert_eq!(
        server.rows("chat", json!([{"id": id.to_string(), "text": "&lt;b&gt;", "user": "guest-7"}])),
        ["me: <b>"]
    );
}

#[test]
fn nobody_is_taken_for_us_or_for_the_server_by_their_name() {
    let mut server = Server::new("");
    for name in ["me", "server"] {
        assert_eq!(server.rows("chat", json!([{"user": name, "text": "x"}])), [format!("u:{name}: x")]);
    }
}

#[test]
fn earlier_messages_are_shown_once_and_those_that_were_missed_are_added() {
    let history = |texts: &[&str]| {
        json!([texts
            .iter()
            .map(|text| json!({"user": "jun", "text": text, "time": "3:04 pm"}))
            .collect::<Vec<_>>()])
    };
    let mut server = Server::new("");
    assert_eq!(server.mapped.state(), None);
    assert_eq!(server.rows("history", history(&["a", "ok", "ok"])), ["u:jun: a", "u:jun: ok", "u:jun: ok"]);
    assert_eq!(server.rows("message", json!([{"user": "jun", "text": "live"}])), ["u:jun: live"]);
    let state = server.mapped.state().unwrap();
    // Another connection, perhaps of another run of the program.
    let mut server = Server::resumed("", Some(&state));
    assert_eq!(
        server.rows("history", history(&["a", "ok", "ok", "live", "missed", "ok"])),
        ["u:jun: missed", "u:jun: ok"]
    );
    assert_eq!(
        server.rows("message", json!([{"user": "jun", "text": "ok"}])),
        ["u:jun: ok"],
        "what is live is always shown"
    );
}

#[test]
fn rooms_people_and_devices_become_known_as_they_are_named() {
    let mut server = Server::new("mina");
    let events = server.events("new_message", json!([{"room": "MAH01", "message": "hi"}]));
    assert!(
        matches!(&events[0], Event::Chat(ChatEvent::Listed(listed)) if listed.rooms[0].id.as_str() == "MAH01")
    );
    assert_eq!(rows(events), ["[MAH01] server: hi"]);
    assert_eq!(server.rows("user joined", json!(["jun"])), ["jun joined"]);
    let online = |events: &[Event]| {
        let people = events.iter().filter_map(|event| match event {
            Event::Chat(ChatEvent::Presence(person)) => Some((person.who.name.clone(), person.online)),
            _ => None,
        });
        people.collect::<Vec<_>>()
    };
    let events = server.events("users", json!([["mina", "kim"]]));
    assert_eq!(online(&events), [("kim".to_owned(), true), ("jun".to_owned(), false)]);
    let events = server.events("sensor", json!([{"device": "shed", "temperature": 21.5}]));
    assert!(
        matches!(&events[0], Event::Device(DeviceEvent::Announced(state)) if state.spec.id.as_str() == "shed")
    );
    assert!(
        matches!(&events[1], Event::Device(DeviceEvent::Readings(readings)) if readings.values.len() == 1)
    );
    let events = server.events("sensor", json!([{"device": "shed", "temperature": 22}]));
    assert_eq!(events.len(), 1, "it is announced once");
}

#[test]
fn what_has_no_meaning_is_shown_once_without_its_secrets() {
    let mut server = Server::new("");
    let tracker = json!([{"sessionId": "s3cret-session", "userLogin": "jun", "page": "/admin"}]);
    let rows = server.rows("tracker", tracker.clone());
    assert!(rows.len() == 1 && rows[0].contains("/admin") && !rows[0].contains("s3cret"), "{rows:?}");
    assert_eq!(server.rows("tracker", tracker), [""; 0]);
    for number in 0..1000 {
        server.rows(&format!("other {number}"), json!([{"page": "x"}]));
    }
    assert_eq!(server.rows("yet another", json!([{"page": "x"}])), [""; 0]);
}

#[test]
fn short_ids_that_begin_anew_hide_nothing() {
    let mut server = Server::new("");
    let id_of = |events: Vec<Event>| match events.first() {
        Some(Event::Chat(ChatEvent::Entries { entries, .. })) => entries[0].draft.id,
        other => panic!("{other:?}"),
    };
    let first = id_of(server.events("message", json!([{"id": 1, "user": "jun", "text": "a"}])));
    let second = id_of(server.events("message", json!([{"id": 1, "user": "jun", "text": "b"}])));
    assert_ne!(first, second);
    let long = json!([{"_id": "507f1f77bcf86cd799439011", "user": "jun", "text": "a"}]);
    assert_eq!(id_of(server.events("message", long.clone())), id_of(server.events("message", long)));
}
