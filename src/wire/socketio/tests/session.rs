//! The session as a link drives it: what shows, what counts as delivered, what is remembered.

use serde_json::json;

use crate::frame::Frame;
use crate::mapping::Mapping;
use crate::model::content::{GAP, UNCONFIRMED};
use crate::model::event::{ChatEvent, LinkEvent};
use crate::model::link_state::Why;
use crate::model::time::BootMs;
use crate::model::time::WallMs;
use crate::model::{Content, Delivery, Draft, Entry, Event, MessageId, OutboxItem, RoomId, Time};
use crate::wire::socketio::{Config, SocketIoSession};
use crate::wire::{Agreed, ChatRequest, Input, Mark, Output, Request, Saved, Session};

const OPEN: &str =
    r#"0{"sid":"abc","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#;

struct Client {
    session: SocketIoSession,
    now: Time,
    sent: Vec<String>,
    entries: Vec<Entry>,
    events: Vec<Event>,
    marks: Vec<Mark>,
    /// What the disk has.
    saved: Saved,
}

impl Client {
    fn new(config: Config, saved: Saved) -> Client {
        let session = SocketIoSession::new(config, &saved, [7; 32]);
        let now = Time { boot_ms: BootMs(10_000), wall_ms: WallMs(1_795_000_000_000) };
        let (sent, entries, events, marks) = Default::default();
        let mut client = Client { session, now, sent, entries, events, marks, saved };
        client.give(Input::Opened(Agreed { server: "chat.example".to_owned(), ..Agreed::default() }));
        client.takes(OPEN);
        client
    }

    fn online(saved: Saved) -> Client {
        let mut client = Client::new(Config::default(), saved);
        client.takes(r#"40{"sid":"s1"}"#);
        client
    }

    fn give(&mut self, input: Input) {
        self.session.handle(self.now, input).unwrap();
        while let Some(output) = self.session.poll() {
            match output {
                Output::Send(Frame::Text(text), _) => self.sent.push(text),
                Output::Persist(state) => self.saved.state = Some(state),
                Output::Event(event, mark) => {
                    self.marks.extend(mark);
                    match event {
                        Event::Chat(ChatEvent::Entries { entries, .. }) => self.entries.extend(entries),
                        event => self.events.push(event),
                    }
                }
                Output::Close { why, .. } => panic!("{why:?}"),
                _ => {}
            }
        }
    }

    fn takes(&mut self, text: &str) {
        self.give(Input::Frame(Frame::Text(text.to_owned())));
    }

    /// Lets time pass; the server answers pings.
    fn wait(&mut self, ms: u64) {
        let end = self.now.boot_ms + ms;
        while let Some(at) = self.session.deadline().filter(|at| *at <= end) {
            self.now.boot_ms = self.now.boot_ms.max(at);
            self.give(Input::Tick);
            self.now.boot_ms += 1;
            self.give(Input::Pong);
        }
        self.now.boot_ms = self.now.boot_ms.max(end);
    }

    fn send(&mut self, number: u128, text: &str) -> MessageId {
        let id = MessageId::from_random(number.to_be_bytes());
        let draft = Draft { id, room: RoomId::messages(), content: Content::text(text), at: WallMs(0) };
        let item = OutboxItem { draft, seq: 1, delivery: Delivery::Attempted };
        self.give(Input::Request(Request::Chat(ChatRequest::Send(item))));
        self.give(Input::Flushed(vec![id]));
        self.now.boot_ms += 1;
        id
    }

    fn is_unconfirmed(&self, at: usize) -> bool {
        self.entries[at].draft.content.extra().get(UNCONFIRMED).is_some()
    }

    fn bodies(&self) -> Vec<&str> {
        self.entries.iter().map(|entry| entry.draft.content.body()).collect()
    }
}

#[test]
fn the_server_is_shown_before_what_it_sends() {
    let config = Config { namespaces: vec!["/".into(), "/late".into()], ..Config::default() };
    let mut client = Client::new(config, Saved::default());
    client.takes(r#"40{"sid":"s1"}"#);
    client.takes(r#"42["chat message","early"]"#);
    assert_eq!(client.bodies(), Vec::<&str>::new());
    client.takes(r#"44/late,{"message":"no","data":{"code":401}}"#);
    assert!(matches!(client.events[0], Event::Link(LinkEvent::Welcomed { .. })));
    assert_eq!(client.bodies(), ["early", r#"The server refused the namespace /late: no {"code":401}"#]);
}

#[test]
fn what_comes_back_is_delivered_once() {
    let mut client = Client::online(Saved::default());
    client.takes(r#"42["chat-message","hi"]"#);
    let id = client.send(1, "hello");
    assert_eq!(client.sent.last().unwrap(), r#"420["chat-message","hello"]"#);
    client.takes(r#"42["chat-message","hello"]"#);
    client.takes("430[]");
    client.wait(15_000);
    assert_eq!(client.bodies(), ["hi", "hello"]);
    assert_eq!(client.entries[1].draft.id, id);
    assert!(!client.is_unconfirmed(1));
    let acknowledged = |event: &Event| matches!(event, Event::Chat(ChatEvent::Acknowledged { id: acknowledged, .. }) if *acknowledged == id);
    assert!(client.events.iter().any(acknowledged));
}

#[test]
fn an_acknowledgement_delivers_and_is_expected_from_then_on() {
    let mut client = Client::online(Saved::default());
    assert_eq!(client.session.confirms(), Some(false));
    client.send(1, "hello");
    client.takes("430[]");
    assert_eq!(client.bodies(), ["hello"]);
    assert_eq!(client.session.confirms(), Some(true));
    assert!(SocketIoSession::confirms(&client.saved), "also the next time");
    client.send(2, "slow");
    client.wait(9_000);
    assert_eq!(client.bodies(), ["hello"], "this server has acknowledged before");
    client.wait(2_000);
    assert_eq!(client.bodies(), ["hello", "slow"]);
    assert!(client.is_unconfirmed(1) && !client.is_unconfirmed(0));
}

#[test]
fn a_server_that_acknowledges_nothing_is_not_asked_again() {
    let mut client = Client::online(Saved::default());
    client.send(1, "hello");
    client.wait(1_900);
    assert_eq!(client.bodies(), Vec::<&str>::new());
    client.wait(1_000);
    assert_eq!(client.bodies(), ["hello"]);
    assert!(client.is_unconfirmed(0));
    client.send(2, "again");
    assert_eq!(client.sent.last().unwrap(), r#"42["chat-message","again"]"#);
    let mut later = Client::online(client.saved.clone());
    later.send(3, "later");
    assert_eq!(later.sent.last().unwrap(), r#"42["chat-message","later"]"#);
    // Late, and shown already.
    client.wait(3_000);
    client.takes(r#"42["chat-message","again"]"#);
    assert_eq!(client.bodies(), ["hello", "again"]);
}

#[test]
fn a_refusal_in_an_acknowledgement_is_a_refusal() {
    for answer in [
        r#"[{"error":"too long"}]"#,
        r#"[{"ok":false,"message":"too long"}]"#,
        r#"[{"status":"error","error":"too long"}]"#,
    ] {
        let mut client = Client::online(Saved::default());
        client.send(1, "hello");
        client.takes(&format!("430{answer}"));
        let refused = |event: &Event| matches!(event, Event::Chat(ChatEvent::Refused { refusal, .. }) if format!("{refusal:?}").contains("too long"));
        assert!(client.events.iter().any(refused), "{answer}");
        assert_eq!(client.bodies(), Vec::<&str>::new());
    }
}

#[test]
fn a_gap_is_said_once_until_something_is_read() {
    let first = Client::online(Saved::default());
    assert!(first.entries.is_empty(), "nothing can be missing at the first contact");
    let second = Client::online(first.saved);
    assert_eq!(second.entries.len(), 1);
    assert!(second.entries[0].draft.content.extra().get(GAP).is_some());
    let mut third = Client::online(second.saved);
    assert!(third.entries.is_empty());
    third.takes(r#"42["chat-message","hi"]"#);
    let mut saved = third.saved;
    saved.state = third.session.saved().state;
    assert_eq!(Client::online(saved).entries.len(), 1);
}

#[test]
fn an_event_is_acknowledged_to_the_server_when_it_is_on_disk() {
    let mut client = Client::online(Saved::default());
    client.takes(r#"4212["chat-message","important"]"#);
    assert!(!client.sent.contains(&"4312[]".to_owned()));
    let mark = client.marks.pop().unwrap();
    client.give(Input::Committed(mark));
    assert_eq!(client.sent.last().unwrap(), "4312[]");
}

#[test]
fn what_is_said_after_connecting_is_said_each_time_that_nothing_was_recovered() {
    let mapping = json!({"name": "mina", "join": [{"to": "add user", "args": ["{name}"]}]});
    let config = Config { mapping: Mapping::parse(&mapping.to_string()).unwrap(), ..Config::default() };
    let mut client = Client::new(config.clone(), Saved::default());
    client.takes(r#"40{"sid":"s1","pid":"p1"}"#);
    assert_eq!(client.sent, ["40", r#"42["add user","mina"]"#]);
    let mut client = Client::new(config, client.saved);
    client.takes(r#"40{"sid":"s1","pid":"p1"}"#);
    assert_eq!(client.sent, [r#"40{"pid":"p1"}"#]);
}

#[test]
fn a_server_that_ends_the_connection_for_good_is_not_dialed_again() {
    let session = SocketIoSession::new(Config::default(), &Saved::default(), [7; 32]);
    let refused = Why::NamespaceRefused { namespace: "/".into(), message: "no".into(), data: String::new() };
    assert!(session.is_final(&refused));
    assert!(!session.is_final(&Why::Silent));
}
