//! STOMP over real sockets: the app's engine, link and session at a broker of these tests, over WebSocket and over TCP.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that fails should say so at once"
)]

#[path = "common/stomp_broker.rs"]
mod broker;

use std::time::Duration;

use duplex::link::Input;
use duplex::model::content::{Content, Draft, UNCONFIRMED};
use duplex::model::event::{ChatEvent, Follows, LinkEvent};
use duplex::model::link_state::{LinkState, Why};
use duplex::model::profile::{Login, Profile, Protocol, Secret, WebSocketOptions};
use duplex::model::stomp::{Destination, StompOptions};
use duplex::model::time::WallMs;
use duplex::model::{ConnectionId, Delivery, Entry, Event, MessageId, OutboxItem, RoomId};
use duplex::wire::SavedState;
use duplex::wire::mapped::MAY_BE_REPEAT;
use duplex::worker::access::Access;
use duplex::worker::single::Single;
use tokio::time::timeout;

use broker::{Broker, Policy};

/// How long anything may take before a test gives up.
const PATIENCE: Duration = Duration::from_secs(60);

/// An app with one connection.
struct App {
    single: Single,
    /// All messages that were shown.
    shown: Vec<Entry>,
    events: Vec<Event>,
    sent: u64,
}

impl App {
    fn at(url: &str, destinations: &[&str], passcode: &str) -> App {
        let destinations = destinations.iter().map(|text| Destination::parse(text).unwrap()).collect();
        let websocket = WebSocketOptions {
            user: "jun".to_owned(),
            headers: vec!["X-CSRF-TOKEN".to_owned()],
            stomp: StompOptions { host: "/".to_owned(), destinations },
            ..WebSocketOptions::default()
        };
        let profile = Profile {
            id: ConnectionId(7),
            name: String::new(),
            urls: vec![url.to_owned()],
            protocol: Protocol::Stomp,
            socket: Default::default(),
            route: Default::default(),
            ca_file: None,
            fingerprint: None,
            auto_connect: true,
            websocket,
            network: Default::default(),
        };
        let login = Login {
            password: Some(Secret::new(passcode)),
            headers: vec![("X-CSRF-TOKEN".to_owned(), Secret::new("t0ken"))],
            ..Login::default()
        };
        let single = Single::start(profile, Access::Login(login), SavedState::default(), false);
        App { single, shown: Vec::new(), events: Vec::new(), sent: 0 }
    }

    async fn online(url: &str, destinations: &[&str]) -> App {
        let mut app = App::at(url, destinations, "right");
        app.until("online", |app| app.single.state().is_online()).await;
        app
    }

    /// Handles events until this is so.
    async fn until(&mut self, what: &str, is_so: impl Fn(&App) -> bool) {
        let waiting = async {
            while !is_so(self) {
                let event = self.single.next().await;
                if let Event::Chat(ChatEvent::Entries { entries, .. }) = &event {
                    self.shown.extend(entries.iter().cloned());
                }
                self.events.push(event);
            }
        };
        if timeout(PATIENCE, waiting).await.is_err() {
            panic!("not {what}: {:#?}", self.events);
        }
    }

    /// Handles events while waiting for something elsewhere.
    async fn beside<T>(&mut self, other: impl Future<Output = T>) -> T {
        let mut other = std::pin::pin!(other);
        loop {
            tokio::select! {
                done = &mut other => return done,
                event = self.single.next() => {
                    if let Event::Chat(ChatEvent::Entries { entries, .. }) = &event {
                        self.shown.extend(entries.iter().cloned());
                    }
                    self.events.push(event);
                }
            }
        }
    }

    fn send(&mut self, room: &str, content: Content) -> MessageId {
        self.sent += 1;
        let id = MessageId::from_random([self.sent as u8; 16]);
        let draft = Draft { id, room: RoomId::new(room).unwrap(), content, at: WallMs(1_790_000_000_000) };
        let item = OutboxItem { draft, seq: self.sent, delivery: Delivery::Attempted };
        self.single.tell(Input::Queued(item));
        id
    }

    fn texts(&self) -> Vec<&str> {
        self.shown.iter().map(|entry| entry.draft.content.body()).collect()
    }

    fn is_shown(&self, text: &str) -> bool {
        self.texts().contains(&text)
    }
}

/// A case at a broker, over WebSocket and over TCP.
macro_rules! over_both {
    ($($case:ident),* $(,)?) => {
        mod over_websocket {
            $(#[tokio::test] async fn $case() {
                let broker = super::Broker::start(super::Policy::default()).await;
                super::$case(&broker, &broker.websocket).await;
            })*
        }
        mod over_tcp {
            $(#[tokio::test] async fn $case() {
                let broker = super::Broker::start(super::Policy::default()).await;
                super::$case(&broker, &broker.tcp).await;
            })*
        }
    };
}

over_both![
    a_conversation_goes_both_ways,
    an_unconfirmed_message_is_sent_again_under_its_id,
    what_is_told_again_is_not_shown_again,
    a_room_is_made_and_left,
    a_wrong_passcode_is_final,
    every_version_works,
];

async fn a_conversation_goes_both_ways(broker: &Broker, url: &str) {
    let mut app = App::online(url, &["/topic/chat", "/topic/public -> /app/chat"]).await;
    let connect = &broker.count("CONNECT", 1).await[0];
    let of = |name| connect.header(name).to_owned();
    assert_eq!(
        (of("login"), of("passcode"), of("host"), of("X-CSRF-TOKEN")),
        ("jun".into(), "right".into(), "/".into(), "t0ken".into())
    );
    app.beside(broker.count("SUBSCRIBE", 2)).await;
    broker.publish("/topic/chat", "", r#"{"username":"mina","message":"안녕"}"#);
    app.until("shown", |app| app.is_shown("안녕")).await;
    assert_eq!(
        (app.shown[0].sender.name.as_str(), app.shown[0].draft.room.as_str()),
        ("mina", "/topic/chat")
    );
    assert_eq!(app.beside(broker.count("ACK", 1)).await[0].header("id"), "1");
    let id = app.send("/topic/chat", Content::text("hello"));
    app.until("delivered", |app| app.shown.iter().any(|entry| entry.draft.id == id)).await;
    app.send("/topic/public", Content::text("elsewhere"));
    let sent = app.beside(broker.count("SEND", 2)).await;
    assert_eq!(
        (sent[0].header("destination"), sent[0].header("id")),
        ("/topic/chat", id.to_string().as_str())
    );
    assert_eq!((sent[0].header("persistent"), sent[1].header("destination")), ("true", "/app/chat"));
    app.until("both", |app| app.is_shown("elsewhere")).await;
    // The broker returned it, and it is there once.
    app.beside(broker.count("ACK", 2)).await;
    assert_eq!(app.texts().iter().filter(|text| text.contains("hello")).count(), 1);
    app.single.end().await;
    broker.count("DISCONNECT", 1).await;
}

async fn an_unconfirmed_message_is_sent_again_under_its_id(broker: &Broker, url: &str) {
    let mut app = App::online(url, &["/queue/work"]).await;
    app.beside(broker.count("SUBSCRIBE", 1)).await;
    broker.change(|policy| (policy.receipts_of, policy.echoes) = ("/nothing", false));
    let id = app.send("/queue/work", Content::text("once"));
    app.beside(broker.count("SEND", 1)).await;
    broker.change(|policy| policy.receipts_of = "/");
    broker.cut();
    app.until("delivered", |app| app.shown.iter().any(|entry| entry.draft.id == id)).await;
    let sent = broker.count("SEND", 2).await;
    assert!(sent[0].connection != sent[1].connection && sent.len() == 2);
    assert!(sent.iter().all(|sent| sent.header("id") == id.to_string() && sent.body.contains("once")));
    assert!(app.shown.iter().all(|entry| entry.draft.content.extra().get(UNCONFIRMED).is_none()));
}

async fn what_is_told_again_is_not_shown_again(broker: &Broker, url: &str) {
    let mut app = App::online(url, &["/queue/work"]).await;
    app.beside(broker.count("SUBSCRIBE", 1)).await;
    let one = r#"{"sender":"mina","content":"first","id":"m-1"}"#;
    broker.publish("/queue/work", "", one);
    app.until("shown", |app| app.is_shown("first")).await;
    app.beside(broker.count("ACK", 1)).await;
    broker.cut();
    app.beside(broker.count("SUBSCRIBE", 2)).await;
    broker.publish("/queue/work", "redelivered:true\n", one);
    broker.publish("/queue/work", "redelivered:true\n", r#"{"sender":"mina","content":"second","id":"m-2"}"#);
    app.until("shown", |app| app.is_shown("second")).await;
    assert_eq!(app.texts().iter().filter(|text| **text == "first").count(), 1);
    let second = app.shown.iter().find(|entry| entry.draft.content.body() == "second").unwrap();
    assert!(second.draft.content.extra().get(MAY_BE_REPEAT).is_some());
    // Another Duplex that did not get its receipt sends the same again.
    let again = "id:7f0c5c2e-8f3a-4f0e-9d5c-0b6a3a4d1e2f\n";
    broker.publish("/queue/work", again, "twice");
    broker.publish("/queue/work", again, "twice");
    broker.publish("/queue/work", "", "last");
    app.until("shown", |app| app.is_shown("last")).await;
    assert_eq!(app.texts().iter().filter(|text| **text == "twice").count(), 1);
    // All of them are acknowledged, shown or not.
    app.beside(broker.count("ACK", 6)).await;
}

async fn a_room_is_made_and_left(broker: &Broker, url: &str) {
    let mut app = App::online(url, &["/topic/a"]).await;
    let name = duplex::model::RoomName::new("/topic/b").unwrap();
    let id = MessageId::from_random([200; 16]);
    let draft = Draft { id, room: RoomId::from(id), content: Content::room(name), at: WallMs(0) };
    app.single.tell(Input::Queued(OutboxItem { draft, seq: 100, delivery: Delivery::Attempted }));
    let is_made = |event: &Event| match event {
        Event::Chat(ChatEvent::Acknowledged { follows: Follows::OtherRoom(room), .. }) => {
            room.as_str() == "/topic/b"
        }
        _ => false,
    };
    app.until("made", |app| app.events.iter().any(is_made)).await;
    broker.cut();
    let subscribed = app.beside(broker.count("SUBSCRIBE", 4)).await;
    let of_second: Vec<_> = subscribed[2..].iter().map(|got| got.header("destination")).collect();
    assert_eq!(of_second, ["/topic/a", "/topic/b"]);
    app.sent = 200;
    let left = Content::member(
        duplex::model::Sender { id: duplex::model::PrincipalId("me".into()), name: String::new() },
        duplex::model::content::MemberChange::Left,
    );
    app.send("/topic/b", left);
    app.beside(broker.count("UNSUBSCRIBE", 1)).await;
    broker.cut();
    let subscribed = app.beside(broker.count("SUBSCRIBE", 5)).await;
    assert_eq!(subscribed[4].header("destination"), "/topic/a");
}

async fn a_wrong_passcode_is_final(broker: &Broker, url: &str) {
    let mut app = App::at(url, &["/topic/chat"], "wrong");
    app.until("stopped", |app| matches!(app.single.state(), LinkState::Stopped { .. })).await;
    let Some(Why::Refused { of: None, said, is_final: true }) = app.single.state().why() else {
        panic!("{:?}", app.single.state())
    };
    assert_eq!(said, "Bad CONNECT: Access refused for user 'jun'");
    assert_eq!(broker.count("CONNECT", 1).await.len(), 1);
}

async fn every_version_works(broker: &Broker, url: &str) {
    for (version, ack) in [("1.0", "message-id"), ("1.1", "message-id"), ("1.2", "id")] {
        broker.change(|policy| policy.version = version);
        let (acks, subscriptions) = (count(broker, "ACK"), count(broker, "SUBSCRIBE"));
        let mut app = App::online(url, &["/topic/chat"]).await;
        app.beside(broker.count("SUBSCRIBE", subscriptions + 1)).await;
        broker.publish("/topic/chat", "", "hello");
        app.until("shown", |app| app.is_shown("hello")).await;
        let got = app.beside(broker.count("ACK", acks + 1)).await;
        assert!(!got[acks].header(ack).is_empty(), "{version}");
        app.single.end().await;
    }
}

fn count(broker: &Broker, command: &str) -> usize {
    broker.got().iter().filter(|got| got.command == command).count()
}

#[tokio::test]
async fn a_server_that_chooses_no_subprotocol_is_taken() {
    let broker = Broker::start(Policy { subprotocol: None, ..Policy::default() }).await;
    let mut app = App::online(&broker.websocket, &[]).await;
    let is_welcome = |event: &Event| matches!(event, Event::Link(LinkEvent::Welcomed { .. }));
    app.until("welcome", |app| app.events.iter().any(is_welcome)).await;
}
