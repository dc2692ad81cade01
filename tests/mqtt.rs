//! MQTT over real sockets: the app's engine, link and session at a broker of these tests, in both versions.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that fails should say so at once"
)]

#[path = "common/mqtt_broker.rs"]
mod broker;

use std::sync::Arc;
use std::time::Duration;

use duplex::link::Input;
use duplex::model::content::{Content, Draft};
use duplex::model::device::DeviceId;
use duplex::model::event::{ChatEvent, LinkEvent, Reached, TestOutcome};
use duplex::model::intent::{Intent, LinkIntent};
use duplex::model::link_state::{LinkState, Why};
use duplex::model::mqtt::{MergedDevices, MqttOptions, MqttVersion};
use duplex::model::profile::{Login, Profile, Protocol, Secret, WebSocketOptions};
use duplex::model::publication::{NewPublication, Qos};
use duplex::model::time::WallMs;
use duplex::model::topic::{PublishOutcome, TopicEvent, TopicRequest};
use duplex::model::{ConnectionId, Delivery, Entry, Event, MessageId, OutboxItem, RoomId, SharedModel};
use duplex::wire::{Request, SavedState};
use duplex::worker::access::Access;
use duplex::worker::single::Single;
use duplex::worker::{Options, Worker};
use tokio::sync::Notify;
use tokio::time::timeout;

use broker::{Broker, Policy};

/// How long anything may take before a test gives up.
const PATIENCE: Duration = Duration::from_secs(60);
const ROOM: &str = "duplex/chat/lab";

/// An app with one connection.
struct App {
    single: Single,
    /// All messages that were shown.
    shown: Vec<Entry>,
    events: Vec<Event>,
    sent: u64,
    seed: u8,
}

impl App {
    fn at(broker: &Broker, options: MqttOptions, password: &str, seed: u8) -> App {
        App::at_one_of(vec![broker.url.clone()], options, password, seed)
    }

    fn at_one_of(urls: Vec<String>, options: MqttOptions, password: &str, seed: u8) -> App {
        let websocket = WebSocketOptions {
            user: format!("user{seed}"),
            mqtt: Box::new(options),
            ..WebSocketOptions::default()
        };
        let profile = Profile {
            id: ConnectionId(10 + u64::from(seed)),
            name: String::new(),
            urls,
            protocol: Protocol::Mqtt,
            socket: Default::default(),
            route: Default::default(),
            ca_file: None,
            fingerprint: None,
            auto_connect: true,
            websocket,
            network: Default::default(),
        };
        let login = Login { password: Some(Secret::new(password)), ..Login::default() };
        let single = Single::start(profile, Access::Login(login), SavedState::default(), true);
        App { single, shown: Vec::new(), events: Vec::new(), sent: 0, seed }
    }

    async fn online(broker: &Broker, options: MqttOptions, seed: u8) -> App {
        let mut app = App::at(broker, options, "right", seed);
        // Its subscriptions are there once it hears itself.
        app.until("subscribed", |app| {
            app.events.iter().any(|event| {
                matches!(event, Event::Topic(TopicEvent::Seen(seen)) if seen.iter().any(|one| one.topic.starts_with("duplex/chat-presence/")))
            })
        })
        .await;
        app
    }

    /// Handles events until this is so.
    async fn until(&mut self, what: &str, is_so: impl Fn(&App) -> bool) {
        let waiting = async {
            while !is_so(self) {
                let event = self.single.next().await;
                self.take(event);
            }
        };
        if timeout(PATIENCE, waiting).await.is_err() {
            panic!("not {what}: {:#?}", self.events);
        }
    }

    fn take(&mut self, event: Event) {
        if let Event::Chat(ChatEvent::Entries { entries, .. }) = &event {
            self.shown.extend(entries.iter().cloned());
        }
        self.events.push(event);
    }

    fn send(&mut self, text: &str) -> MessageId {
        self.sent += 1;
        let mut bytes = [self.seed; 16];
        bytes[..8].copy_from_slice(&self.sent.to_be_bytes());
        let id = MessageId::from_random(bytes);
        let draft = Draft {
            id,
            room: RoomId::new(ROOM).unwrap(),
            content: Content::text(text),
            at: WallMs(1_790_000_000_000),
        };
        self.single.tell(Input::Queued(OutboxItem { draft, seq: self.sent, delivery: Delivery::Attempted }));
        id
    }

    fn texts(&self) -> Vec<&str> {
        self.shown.iter().map(|entry| entry.draft.content.body()).collect()
    }
}

fn options(version: MqttVersion, qos: Qos) -> MqttOptions {
    MqttOptions { version, chat_qos: qos, ..MqttOptions::default() }
}

const VERSIONS: [MqttVersion; 2] = [MqttVersion::V5, MqttVersion::V311];

#[tokio::test]
async fn two_people_talk_and_see_each_other_come_and_go() {
    for version in VERSIONS {
        let broker = Broker::start(Policy::default()).await;
        let mut one = App::online(&broker, options(version, Qos::AtLeastOnce), 1).await;
        let mut two = App::online(&broker, options(version, Qos::AtLeastOnce), 2).await;
        let is_there = |app: &App, online: bool| {
            app.events.iter().any(|event| {
                matches!(event, Event::Chat(ChatEvent::Presence(person)) if person.who.name == "user2" && person.online == online)
            })
        };
        one.until("told that the other came", |app| is_there(app, true)).await;
        one.send("hello");
        two.until("told", |app| app.texts() == ["hello"]).await;
        assert_eq!(
            (two.shown[0].sender.name.as_str(), two.shown[0].draft.id),
            ("user1", {
                let mut bytes = [1; 16];
                bytes[..8].copy_from_slice(&1_u64.to_be_bytes());
                MessageId::from_random(bytes)
            })
        );
        one.until("delivered", |app| app.texts() == ["hello"]).await;
        assert_eq!(one.shown[0].sender.id.0, "me");
        broker.publish(ROOM, "plain text", 1);
        one.until("told", |app| app.texts() == ["hello", "plain text"]).await;
        drop(two);
        one.until("told that the other went", |app| is_there(app, false)).await;
    }
}

#[tokio::test]
async fn a_broker_that_knows_only_3_1_1_is_found_out() {
    let broker = Broker::start(Policy { is_old: true, ..Policy::default() }).await;
    let mut app = App::online(&broker, MqttOptions::default(), 1).await;
    app.send("hello");
    app.until("delivered", |app| app.texts() == ["hello"]).await;
    assert_eq!(broker.connections(), 2, "one attempt with each version");
}

#[tokio::test]
async fn a_wrong_password_is_said_and_not_tried_again() {
    for version in VERSIONS {
        let broker = Broker::start(Policy::default()).await;
        let mut app = App::at(&broker, options(version, Qos::AtLeastOnce), "wrong", 1);
        app.until("refused", |app| matches!(app.single.state(), LinkState::Stopped { .. })).await;
        let LinkState::Stopped { why } = app.single.state() else { panic!("not stopped") };
        assert_eq!(*why, Why::Mqtt { code: 0x86, said: String::new() });
    }
}

/// Cut at each step of a delivery, everything arrives once, in order.
#[tokio::test]
async fn with_qos_2_everything_arrives_once_wherever_the_connection_is_cut() {
    for version in VERSIONS {
        // PUBREC, PUBREL and PUBCOMP, each of the broker's, and at once.
        for cuts_at in [Some(5), Some(6), Some(7), None] {
            let broker = Broker::start(Policy::default()).await;
            let mut one = App::online(&broker, options(version, Qos::ExactlyOnce), 1).await;
            let mut two = App::online(&broker, options(version, Qos::ExactlyOnce), 2).await;
            broker.change(|policy| policy.cuts_at = cuts_at);
            let texts: Vec<String> = (0..40).map(|n| format!("text {n}")).collect();
            for text in &texts {
                one.send(text);
            }
            if cuts_at.is_none() {
                broker.cut();
            }
            let count = texts.len();
            let (first, second) = tokio::join!(
                one.until("all delivered", |app| app.texts().len() >= count),
                two.until("all received", |app| app.texts().len() >= count),
            );
            let ((), ()) = (first, second);
            assert_eq!(two.texts(), texts, "{version:?} {cuts_at:?}");
            assert_eq!(one.texts().len(), count);
            assert_eq!(broker.got(ROOM).len(), count, "none was published twice");
        }
    }
}

#[tokio::test]
async fn what_is_said_while_one_is_away_follows() {
    for version in VERSIONS {
        let broker = Broker::start(Policy::default()).await;
        let mut one = App::online(&broker, options(version, Qos::AtLeastOnce), 1).await;
        let mut two = App::online(&broker, options(version, Qos::AtLeastOnce), 2).await;
        two.single.tell(Input::Stop);
        two.until("away", |app| !app.single.state().is_online()).await;
        for n in 0..20 {
            one.send(&format!("text {n}"));
        }
        one.until("delivered", |app| app.texts().len() == 20).await;
        two.single.tell(Input::Start);
        two.until("all received", |app| app.texts().len() == 20).await;
        let gone = broker.retained(&format!("duplex/chat-presence/{}", "nobody"));
        assert_eq!(gone, None);
    }
}

#[tokio::test]
async fn a_second_client_of_the_same_name_is_told_apart_from_a_lost_link() {
    let broker = Broker::start(Policy::default()).await;
    let named = || MqttOptions { client_id: "same".into(), ..options(MqttVersion::V5, Qos::AtLeastOnce) };
    let mut one = App::online(&broker, named(), 1).await;
    let _two = App::online(&broker, named(), 2).await;
    one.until("thrown out", |app| {
        app.events.iter().any(|event| {
            matches!(
                event,
                Event::Link(LinkEvent::State(LinkState::Waiting {
                    why: Why::TakenOver { is_certain: true },
                    ..
                }))
            )
        })
    })
    .await;
}

#[tokio::test]
async fn another_node_of_a_cluster_takes_over() {
    let broker = Broker::start(Policy::default()).await;
    // Nobody listens there.
    let urls = vec!["mqtt://127.0.0.1:1".to_owned(), broker.url.clone()];
    let mut app = App::at_one_of(urls, MqttOptions::default(), "right", 1);
    app.send("hello");
    app.until("delivered", |app| app.texts() == ["hello"]).await;
    assert_eq!(broker.got(ROOM).len(), 1);
}

#[tokio::test]
async fn a_person_publishes_and_clears() {
    let broker = Broker::start(Policy::default()).await;
    let mut app = App::online(&broker, MqttOptions::default(), 1).await;
    let message = NewPublication {
        topic: "plant/1".into(),
        payload: b"21.5".to_vec(),
        qos: Qos::ExactlyOnce,
        retain: true,
        ..NewPublication::default()
    };
    let ask = |app: &mut App, request| app.single.tell(Input::Request(Request::Topic(request)));
    ask(&mut app, TopicRequest::Publish { number: 7, message: Box::new(message) });
    let published = |app: &App| {
        let outcome = PublishOutcome::Confirmed { unheard: false };
        app.events.contains(&Event::Topic(TopicEvent::Published { number: 7, outcome }))
    };
    app.until("published", published).await;
    assert_eq!(broker.retained("plant/1").as_deref(), Some("21.5"));
    ask(&mut app, TopicRequest::Clear { number: 8, topics: vec!["plant/1".into()] });
    let cleared = |app: &App| {
        app.events.iter().any(|event| {
            matches!(event, Event::Topic(TopicEvent::Cleared { number: 8, done: 1, is_over: true, .. }))
        })
    };
    app.until("cleared", cleared).await;
    assert_eq!(broker.retained("plant/1"), None);
}

#[tokio::test]
async fn what_a_server_speaks_is_found_out() {
    let broker = Broker::start(Policy { is_old: true, ..Policy::default() }).await;
    let place = broker.url.strip_prefix("mqtt://").unwrap();
    for text in [place.to_owned(), format!("tcp://{place}"), broker.url.clone()] {
        let profile = Profile {
            id: ConnectionId(0),
            name: String::new(),
            urls: vec![text.clone()],
            protocol: Protocol::default(),
            socket: Default::default(),
            route: Default::default(),
            ca_file: None,
            fingerprint: None,
            auto_connect: true,
            websocket: WebSocketOptions::default(),
            network: Default::default(),
        };
        let outcome = timeout(PATIENCE, duplex::worker::detect::detect(profile)).await.unwrap();
        let TestOutcome::Reached { found: Reached::Speaks { protocol, url, .. }, .. } = outcome else {
            panic!("{text}: {outcome:?}")
        };
        assert_eq!((protocol, url), (Protocol::Mqtt, broker.url.clone()), "{text}");
    }
}

#[tokio::test]
async fn devices_are_merged_and_separated_while_connected() {
    let broker = Broker::start(Policy::default()).await;
    for name in ["lamp", "plug"] {
        let config = serde_json::json!({"name": "power", "unique_id": name, "state_topic": format!("{name}/state"),
            "command_topic": format!("{name}/set"), "device": {"identifiers": [name], "name": name}});
        broker.retain(&format!("homeassistant/switch/{name}/config"), &config.to_string());
        broker.retain(&format!("{name}/state"), "ON");
    }
    let id = ConnectionId::COMMAND_LINE;
    let profile = Profile {
        id,
        name: String::new(),
        urls: vec![broker.url.clone()],
        protocol: Protocol::Mqtt,
        socket: Default::default(),
        route: Default::default(),
        ca_file: None,
        fingerprint: None,
        auto_connect: true,
        websocket: WebSocketOptions::default(),
        network: Default::default(),
    };
    let (dir, model, changed) =
        (tempfile::tempdir().unwrap(), SharedModel::default(), Arc::new(Notify::new()));
    let wake = {
        let changed = Arc::clone(&changed);
        Arc::new(move |_| changed.notify_one())
    };
    let options = Options { data_dir: dir.path().to_owned(), only: Some((profile, None)), tell: None };
    let worker = Worker::spawn(options, model.clone(), wake).unwrap();
    let there = async |wanted: &[(&str, &[&str])]| {
        let found = || {
            model.read(|model| {
                let devices = model.connections.get(&id).into_iter().flat_map(|of| of.devices.iter());
                let of = |device: &duplex::model::devices::Device| {
                    let names = device.latest.iter().map(|latest| latest.metric.name.to_string());
                    (device.spec.id.to_string(), names.collect::<Vec<_>>())
                };
                let mut all: Vec<_> = devices.filter(|device| !device.is_local()).map(of).collect();
                all.sort();
                all
            })
        };
        let wanted: Vec<(String, Vec<String>)> = wanted
            .iter()
            .map(|(device, metrics)| {
                ((*device).to_owned(), metrics.iter().map(|name| (*name).to_owned()).collect())
            })
            .collect();
        let all = async {
            while found() != wanted {
                changed.notified().await
            }
        };
        assert!(timeout(PATIENCE, all).await.is_ok(), "{:?}", found());
    };
    there(&[("lamp", &["power"]), ("plug", &["power"])]).await;
    let device = |text: &str| DeviceId::new(text).unwrap();
    let merge = |merged: MergedDevices| worker.want(Intent::Link(LinkIntent::SetMerged(id, merged))).is_ok();
    assert!(merge([(device("plug"), device("lamp"))].into()));
    there(&[("lamp", &["power", "power (plug)"])]).await;
    assert!(merge(MergedDevices::new()));
    there(&[("lamp", &["power"]), ("plug", &["power"])]).await;
    worker.shut_down();
}
