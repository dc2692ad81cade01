//! A server that knows nothing of Duplex, as the rest of the app sees it: who said what in which room, our own messages that come
//! back, people and devices.
#![allow(clippy::panic, reason = "a test that fails should say so at once")]

use duplex::frame::Frame;
use duplex::mapping::{Incoming, Mapping};
use duplex::model::content::UNCONFIRMED;
use duplex::model::event::{ChatEvent, DeviceEvent, LinkEvent};
use duplex::model::time::BootMs;
use duplex::model::time::WallMs;
use duplex::model::{Content, Delivery, Draft, Entry, Event, Feature, MessageId, OutboxItem, RoomId, Time};
use duplex::wire::mapped::{Mapped, Novelty, Place};
use duplex::wire::{self, Agreed, ChatRequest, Open as _, Output, Request, Saved, Session, Setup, plain};
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
        self.types_in(RoomId::messages(), text)
    }

    fn types_in(&mut self, room: RoomId, text: &str) -> MessageId {
        self.typed += 1;
        let id = MessageId::from_random([self.typed; 16]);
        let draft = Draft { id, room, content: Content::text(text), at: WallMs(0) };
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
fn our_own_message_is_shown_once_though_its_room_is_named_on_one_way_only() {
    let mut server = Server::new("mina");
    server.types("hello");
    let came = json!([{"user": "mina", "room": "lobby", "text": "hello"}]);
    assert_eq!(server.rows("chat", came.clone()), ["me: hello"]);
    assert_eq!(server.rows("chat", came), ["[lobby] me: hello"], "of another tab");
    server.types_in(RoomId::new("lobby").unwrap(), "again");
    assert_eq!(server.rows("chat", json!([{"user": "jun", "text": "again"}])), ["u:jun: again"]);
    assert_eq!(server.rows("chat", json!([{"user": "mina", "text": "again"}])), ["[lobby] me: again"]);
    assert_eq!(server.rows("chat", json!([{"user": "mina", "text": "again"}])), ["me: again"]);
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

/// A plain WebSocket whose messages are recognized.
struct Socket {
    session: Box<dyn Session>,
    now: Time,
    typed: u8,
}

impl Socket {
    fn open(mapping: Mapping, saved: Saved) -> Socket {
        let config = plain::Config { subprotocols: Vec::new(), mapping: Some(Box::new(mapping)) };
        let now = Time { boot_ms: BootMs(1000), wall_ms: WallMs(1_767_323_045_000) };
        let session = Setup::Plain(config).open(saved, [7; 32]);
        let mut socket = Socket { session, now, typed: 0 };
        socket.tell(wire::Input::Opened(Agreed { server: "host:1".to_owned(), ..Agreed::default() }));
        socket
    }

    fn tell(&mut self, input: wire::Input) {
        assert_eq!(self.session.handle(self.now, input), Ok(()));
    }

    fn outputs(&mut self) -> Vec<Output> {
        std::iter::from_fn(|| self.session.poll()).collect()
    }

    fn events(&mut self) -> Vec<Event> {
        let events = self.outputs().into_iter().filter_map(|output| match output {
            Output::Event(event, _) => Some(event),
            _ => None,
        });
        events.collect()
    }

    fn receives(&mut self, frame: Frame) -> Vec<Event> {
        self.outputs();
        self.tell(wire::Input::Frame(frame));
        self.events()
    }

    fn rows(&mut self, text: &str) -> Vec<String> {
        rows(self.receives(Frame::Text(text.to_owned())))
    }

    /// Types a message, and returns what is sent.
    fn types(&mut self, room: RoomId, text: &str) -> String {
        self.outputs();
        self.typed += 1;
        let id = MessageId::from_random([self.typed; 16]);
        let draft = Draft { id, room, content: Content::text(text), at: WallMs(0) };
        let item = OutboxItem { draft, seq: u64::from(self.typed), delivery: Delivery::Attempted };
        self.tell(wire::Input::Request(Request::Chat(ChatRequest::Send(item))));
        let sent = self.outputs().into_iter().map(|output| match output {
            Output::Send(Frame::Text(text), of) => {
                assert_eq!(of, Some(id));
                text
            }
            output => panic!("{output:?}"),
        });
        let sent: Vec<String> = sent.collect();
        assert_eq!(sent.len(), 1);
        self.tell(wire::Input::Flushed(vec![id]));
        sent.concat()
    }
}

fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn chat_and_readings_on_a_plain_websocket_are_recognized_on_request() {
    let mut socket =
        Socket::open(Mapping { name: "mina".to_owned(), ..Mapping::default() }, Saved::default());
    assert!(
        socket.events().iter().any(|event| matches!(event, Event::Link(LinkEvent::Welcomed { features, .. })
            if !features.has(Feature::Frames))),
        "what is typed is a message, not a frame"
    );
    assert_eq!(socket.rows(r#"{"type":"message","data":{"user":"jun","text":"hi"}}"#), ["u:jun: hi"]);
    assert_eq!(
        socket.rows("{\"user\":\"jun\",\"text\":\"one\"}\n{\"user\":\"ara\",\"text\":\"two\"}\n"),
        ["u:jun: one", "u:ara: two"]
    );
    let events = socket.receives(Frame::Text(r#"{"type":"temperature","value":21.5}"#.to_owned()));
    let readings = events.iter().find_map(|event| match event {
        Event::Device(DeviceEvent::Readings(readings)) => Some(readings),
        _ => None,
    });
    assert_eq!(readings.map(|readings| readings.samples[0].device.to_string()).as_deref(), Some("server"));
    assert_eq!(rows(events), [""; 0], "it is shown as a device");
    for _ in 0..2 {
        assert_eq!(
            socket.rows(r#"{"type":"tick","of":{"x":[]}}"#),
            [r#"server: {"type":"tick","of":{"x":[]}}"#],
            "what has no meaning is shown as received, each time"
        );
    }
    assert_eq!(rows(socket.receives(Frame::Binary(vec![1, 0xFF]))), ["server: 01ff"]);
    assert_eq!(
        rows(socket.receives(Frame::Binary(br#"{"user":"jun","text":"in bytes"}"#.to_vec()))),
        ["u:jun: in bytes"]
    );
}

#[test]
fn what_is_typed_on_a_plain_websocket_looks_like_what_others_send() {
    let mut socket =
        Socket::open(Mapping { name: "mina".to_owned(), ..Mapping::default() }, Saved::default());
    let room = RoomId::messages;
    assert_eq!(socket.types(room(), "first"), "first", "nothing is known of the server");
    // The server has said something since: it may have it, and confirms nothing.
    let events =
        socket.receives(Frame::Text(r#"{"type":"msg","data":{"user":"jun","text":"hi"}}"#.to_owned()));
    let unconfirmed = |event: &Event| match event {
        Event::Chat(ChatEvent::Entries { entries, .. }) => {
            entries.iter().any(|entry| entry.draft.content.extra().get(UNCONFIRMED).is_some())
        }
        _ => false,
    };
    assert!(events.iter().any(unconfirmed));
    assert_eq!(rows(events), ["me: first", "u:jun: hi"]);
    let sent = socket.types(room(), "second");
    assert_eq!(value(&sent), json!({"type": "msg", "data": {"text": "second", "user": "mina"}}));
    let events = socket.receives(Frame::Text(sent));
    assert!(!events.iter().any(unconfirmed), "it came back");
    assert_eq!(rows(events), ["me: second"]);
    assert_eq!(
        socket.rows(r#"{"type":"msg","room":"lathes","data":{"user":"jun","text":"x"}}"#),
        ["[lathes] u:jun: x"]
    );
    let lathes = RoomId::new("lathes").unwrap_or_else(|bad| panic!("{bad}"));
    let sent = socket.types(lathes, "third");
    assert_eq!(
        value(&sent),
        json!({"type": "msg", "room": "lathes", "data": {"text": "third", "user": "mina"}})
    );
}

#[test]
fn a_mapping_of_a_plain_websocket_says_what_is_sent_and_what_is_told_again_is_shown_once() {
    let json = r#"{
        "name": "mina",
        "join": [{"to": "hello", "args": [{"op": "join", "nick": "{name}"}]}],
        "send": {"to": "say", "args": [{"op": "say", "words": "{text}"}]},
        "rules": [{"source": "*", "when": {"path": "$.op", "equals": "said"}, "is": "message", "text": "$.words", "sender": "$.by"}]
    }"#;
    let mapping = Mapping::parse(json).unwrap_or_else(|bad| panic!("{bad}"));
    let mut socket = Socket::open(mapping.clone(), Saved::default());
    let joined = socket.outputs().into_iter().find_map(|output| match output {
        Output::Send(Frame::Text(text), None) => Some(value(&text)),
        _ => None,
    });
    assert_eq!(joined, Some(json!({"op": "join", "nick": "mina"})));
    assert_eq!(socket.rows(r#"{"op":"said","by":"jun","words":"hi"}"#), ["u:jun: hi"]);
    assert_eq!(value(&socket.types(RoomId::messages(), "ok")), json!({"op": "say", "words": "ok"}));
    let history = r#"{"type":"history","messages":[{"user":"jun","text":"a"},{"user":"ara","text":"b"}]}"#;
    assert_eq!(socket.rows(history), ["me: ok", "u:jun: a", "u:ara: b"]);
    let mut again = Socket::open(mapping, socket.session.saved());
    assert_eq!(again.rows(history), [""; 0]);
}
