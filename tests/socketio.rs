//! Socket.IO against a server of others on loopback: the real session, link and transports.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that fails should say so at once"
)]

use std::time::Duration;

use duplex::link::Input;
use duplex::model::content::UNCONFIRMED;
use duplex::model::event::{ChatEvent, LinkEvent, Reached, TestOutcome};
use duplex::model::link_state::{LinkState, Why};
use duplex::model::profile::{Login, Profile, Protocol, Secret, Socket, WebSocketOptions};
use duplex::model::socketio::{Carriers, SocketIoOptions};
use duplex::model::{ConnectionId, Content, Delivery, Draft, Entry, Event, MessageId, OutboxItem, RoomId};
use duplex::wire::SavedState;
use duplex::worker::access::Access;
use duplex::worker::detect::detect;
use duplex::worker::single::Single;
use serde_json::{Value, json};
use socketioxide::extract::{AckSender, Data, SocketRef, TryData};
use socketioxide::handler::ConnectHandler as _;
use socketioxide::{SocketIo, TransportType};
use tokio::time::timeout;

/// How long anything may take before a test gives up.
const PATIENCE: Duration = Duration::from_secs(60);

/// The classic server: it sends everybody what one of them sends. Returns its port.
async fn server(transports: &[TransportType]) -> u16 {
    let builder = match transports {
        [one] => SocketIo::builder().transports([*one]),
        _ => SocketIo::builder(),
    };
    let (layer, io) = builder.build_layer();
    let chat = async |socket: SocketRef| {
        socket.on("chat-message", async |io: SocketIo, Data::<Value>(data), ack: AckSender| {
            io.emit("chat-message", &data).await.unwrap();
            ack.send(&json!({"ok": true})).unwrap();
        });
        socket.on("silent", async |io: SocketIo, Data::<Value>(data)| {
            io.emit("silent", &data).await.unwrap();
        });
        socket.on("refused", async |ack: AckSender| ack.send(&json!({"error": "too loud"})).unwrap());
    };
    io.ns("/", chat);
    let only_with_token = |TryData::<Value>(auth)| match auth {
        Ok(auth) if auth["token"] == "good" => Ok(()),
        _ => Err(NotAuthorized),
    };
    io.ns(
        "/admin",
        (async |socket: SocketRef| {
            socket.emit("chat-message", &json!({"username": "jun", "message": "hello admin"})).unwrap();
        })
        .with(only_with_token),
    );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let app = axum::Router::new().layer(layer);
    tokio::spawn(async move { axum::serve(listener, app).await });
    port
}

#[derive(Debug)]
struct NotAuthorized;

impl std::fmt::Display for NotAuthorized {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("not authorized")
    }
}

/// A client.
struct Client(Single);

impl Client {
    fn connect(port: u16, options: SocketIoOptions, auth: Option<&str>, mapping: Value) -> Client {
        let profile = Profile {
            id: ConnectionId::COMMAND_LINE,
            name: String::new(),
            urls: vec![format!("ws://127.0.0.1:{port}/socket.io/")],
            protocol: Protocol::SocketIo,
            socket: Socket::Tungstenite,
            ca_file: None,
            fingerprint: None,
            auto_connect: true,
            websocket: WebSocketOptions {
                socketio: options,
                mapping: mapping.as_object().cloned().unwrap_or_default(),
                ..WebSocketOptions::default()
            },
        };
        let login = Login { auth: auth.map(Secret::new), ..Login::default() };
        Client(Single::start(profile, Access::Login(login), SavedState::default(), true))
    }

    fn by(port: u16, carriers: Carriers) -> Client {
        let options = SocketIoOptions { carriers, ..SocketIoOptions::default() };
        Client::connect(port, options, None, json!({}))
    }

    async fn next(&mut self) -> Event {
        timeout(PATIENCE, self.0.next()).await.expect("nothing happens")
    }

    /// Until it is online.
    async fn online(mut self) -> Client {
        loop {
            match self.next().await {
                Event::Link(LinkEvent::Welcomed { .. }) => return self,
                Event::Link(LinkEvent::State(
                    LinkState::Waiting { why, .. } | LinkState::Stopped { why },
                )) => {
                    panic!("{why:?}")
                }
                _ => {}
            }
        }
    }

    /// Why it did not get online.
    async fn failed(mut self) -> Why {
        loop {
            if let Event::Link(LinkEvent::State(
                LinkState::Waiting { why, .. } | LinkState::Stopped { why },
            )) = self.next().await
            {
                return why;
            }
        }
    }

    fn send(&mut self, number: u128, text: &str) -> MessageId {
        let id = MessageId::from_random(number.to_be_bytes());
        let draft = Draft { id, room: RoomId::messages(), content: Content::text(text), at: 0 };
        let seq = u64::try_from(number).unwrap();
        self.0.tell(Input::Queued(OutboxItem { draft, seq, delivery: Delivery::Attempted }));
        id
    }

    /// The next messages.
    async fn entries(&mut self) -> Vec<Entry> {
        loop {
            match self.next().await {
                Event::Chat(ChatEvent::Entries { entries, .. }) => return entries,
                Event::Link(LinkEvent::State(LinkState::Waiting { why, .. })) => panic!("{why:?}"),
                _ => {}
            }
        }
    }

    async fn texts(&mut self, count: usize) -> Vec<String> {
        let mut texts = Vec::new();
        while texts.len() < count {
            texts.extend(self.entries().await.iter().map(|entry| entry.draft.content.body().to_owned()));
        }
        texts
    }
}

#[tokio::test]
async fn two_people_see_each_others_messages_each_once_by_every_transport() {
    let port = server(&[]).await;
    for (first, second) in [
        (Carriers::Automatic, Carriers::Polling),
        (Carriers::WebSocket, Carriers::PollingFirst),
        (Carriers::Polling, Carriers::PollingFirst),
    ] {
        let mut first = Client::by(port, first).online().await;
        let mut second = Client::by(port, second).online().await;
        let mut expected = Vec::new();
        for number in 0..50_u32 {
            let text = format!("message {number}");
            let sender = if number % 2 == 0 { &mut first } else { &mut second };
            sender.send(u128::from(number) + 1, &text);
            // Each waits for the other, so that the order is known.
            assert_eq!(first.texts(1).await, [text.clone()]);
            assert_eq!(second.texts(1).await, [text.clone()]);
            expected.push(text);
        }
        first.0.end().await;
        second.0.end().await;
    }
}

#[tokio::test]
async fn a_burst_while_the_transport_changes_comes_whole_and_in_order() {
    let port = server(&[]).await;
    let mut reader = Client::by(port, Carriers::WebSocket).online().await;
    let mut sender = Client::by(port, Carriers::PollingFirst).online().await;
    for number in 1..=300_u128 {
        sender.send(number, &format!("message {number}"));
    }
    let expected: Vec<String> = (1..=300).map(|number| format!("message {number}")).collect();
    let (read, back) = tokio::join!(reader.texts(300), sender.texts(300));
    assert_eq!(read, expected);
    assert_eq!(back, expected);
}

#[tokio::test]
async fn what_the_server_acknowledges_is_delivered_and_the_rest_is_sent_unconfirmed() {
    let port = server(&[]).await;
    let mut client = Client::by(port, Carriers::Automatic).online().await;
    let id = client.send(1, "hello");
    let mut entries = 0;
    loop {
        match client.next().await {
            Event::Chat(ChatEvent::Entries { entries: new, .. }) => entries += new.len(),
            Event::Chat(ChatEvent::Acknowledged { id: acknowledged, .. }) if acknowledged == id => break,
            _ => {}
        }
    }
    assert_eq!(entries, 1, "once, though it came back as well");

    let send = |event: &str| json!({"send": {"to": event, "args": ["{text}"]}});
    let mut refused = Client::connect(port, SocketIoOptions::default(), None, send("refused")).online().await;
    refused.send(1, "HELLO");
    let refusal = loop {
        match refused.next().await {
            Event::Chat(ChatEvent::Refused { refusal, .. }) => break refusal,
            Event::Chat(ChatEvent::Entries { entries, .. }) => panic!("{entries:?}"),
            _ => {}
        }
    };
    assert!(format!("{refusal:?}").contains("too loud"));

    // The server does not know this event at all.
    let mut unheard = Client::connect(port, SocketIoOptions::default(), None, send("unheard")).online().await;
    unheard.send(1, "anybody?");
    let entries = unheard.entries().await;
    assert!(entries[0].draft.content.extra().get(UNCONFIRMED).is_some());
}

#[tokio::test]
async fn a_namespace_asks_who_comes() {
    let port = server(&[]).await;
    let options = SocketIoOptions { namespaces: vec!["admin".into()], ..SocketIoOptions::default() };
    let good = r#"{"token": "good"}"#;
    let mut client = Client::connect(port, options.clone(), Some(good), json!({})).online().await;
    let entries = client.entries().await;
    assert_eq!(entries[0].draft.content.body(), "hello admin");
    assert_eq!(entries[0].sender.name, "jun");
    let why = Client::connect(port, options, Some(r#"{"token": "bad"}"#), json!({})).failed().await;
    let Why::NamespaceRefused { namespace, message, .. } = &why else { panic!("{why:?}") };
    assert_eq!((namespace.as_str(), message.as_str()), ("/admin", "not authorized"));
    let options = SocketIoOptions { namespaces: vec!["/nowhere".into()], ..SocketIoOptions::default() };
    let why = Client::connect(port, options, None, json!({})).failed().await;
    assert!(matches!(why, Why::NamespaceRefused { .. }), "{why:?}");
}

#[tokio::test]
async fn a_server_with_one_transport_is_reached_by_it() {
    for (transport, works, fails) in [
        (TransportType::Polling, Carriers::Automatic, Carriers::WebSocket),
        (TransportType::Websocket, Carriers::Automatic, Carriers::Polling),
    ] {
        let port = server(&[transport]).await;
        let mut client = Client::by(port, works).online().await;
        client.send(1, "hello");
        assert_eq!(client.texts(1).await, ["hello"]);
        let why = Client::by(port, fails).failed().await;
        assert!(matches!(why, Why::Http { status: 400, .. }), "{why:?}");
    }
}

#[tokio::test]
async fn what_a_server_speaks_is_found_out() {
    let port = server(&[]).await;
    let profile = |url: String| {
        let Client(single) = Client::by(1, Carriers::Automatic);
        Profile { urls: vec![url], protocol: Protocol::Duplex, ..single.profile().clone() }
    };
    for (address, namespace) in [
        (format!("http://127.0.0.1:{port}"), None),
        (format!("127.0.0.1:{port}/chat"), Some("/chat")),
        (format!("ws://127.0.0.1:{port}/socket.io/?EIO=4&transport=websocket"), None),
    ] {
        let outcome = detect(profile(address.clone())).await;
        let TestOutcome::Reached { found: Reached::Speaks { protocol, url, namespace: found }, .. } = outcome
        else {
            panic!("{address}: {outcome:?}")
        };
        assert_eq!(protocol, Protocol::SocketIo);
        assert_eq!(url, format!("ws://127.0.0.1:{port}/socket.io/"));
        assert_eq!(found.as_deref(), namespace);
    }
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let outcome = detect(profile(format!("ws://{closed}"))).await;
    assert_eq!(outcome, TestOutcome::Failed(Why::ConnectionRefused));
}
