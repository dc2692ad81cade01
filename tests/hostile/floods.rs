//! Servers that never stop talking: what they make stays bounded, another server's chat goes on beside them, and the
//! worker ends when it is told to, whatever still waits.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Instant;

use duplex::link::outbox::WINDOW;
use duplex::model::chat::{MAX_MESSAGE_BYTES, MAX_PEOPLE, MAX_ROOMS};
use duplex::model::content::Content;
use duplex::model::intent::{ChatIntent, Credential, LinkIntent};
use duplex::model::link_state::{LinkState, Why};
use duplex::model::profile::Secret;
use duplex::model::window::{CAPACITY, MAX_WINDOW_BYTES};
use duplex::model::{Chat, Connection, ConnectionId, Intent, RoomId, SharedModel};
use duplex::worker::{Options, Worker};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio_tungstenite::tungstenite::Message;

use super::{PATIENCE, assert_sentence, profile, speaking, welcome};

const OWN: ConnectionId = ConnectionId::OWN_HUB;
/// The first connection that is added to an app.
const ADDED: ConnectionId = ConnectionId(3);

/// What a server sends: the text of its frame number `n`.
type Make = fn(u64) -> String;

/// A server that welcomes and then sends `make(n)` for ever. `reached` hears once when it has sent so many frames over one
/// connection, and whenever one ends.
fn flooding(make: Make, frames: u64, reached: mpsc::SyncSender<()>) -> String {
    speaking(move |socket| {
        let reached = reached.clone();
        async move {
            let (mut sink, mut stream) = socket.split();
            let sent = Arc::new(AtomicU64::new(0));
            let _ = stream.next().await;
            let _ = sink.send(welcome()).await;
            // What the client says is read, so that it is never kept from saying it.
            let reading = tokio::spawn(async move { while let Some(Ok(_)) = stream.next().await {} });
            for n in 0.. {
                if sink.send(Message::text(make(n))).await.is_err() {
                    break;
                }
                if sent.fetch_add(1, Ordering::Relaxed) + 1 == frames {
                    let _ = reached.try_send(());
                }
            }
            reading.abort();
            let _ = reached.try_send(());
        }
    })
}

/// The app without a window: its own hub, and one other connection.
struct App {
    model: SharedModel,
    worker: Worker,
    wakes: mpsc::Receiver<()>,
    _dir: tempfile::TempDir,
}

impl App {
    fn with(url: &str) -> App {
        let dir = tempfile::tempdir().unwrap();
        let model = SharedModel::default();
        let (tell, wakes) = mpsc::sync_channel(1);
        let wake = Arc::new(move |_| _ = tell.try_send(()));
        let options = Options { data_dir: dir.path().to_owned(), only: None, tell: None };
        let worker = Worker::spawn(options, model.clone(), wake).unwrap();
        let app = App { model, worker, wakes, _dir: dir };
        app.until("its own hub", OWN, |own| own.link.is_online());
        let credential = Credential::Token(Secret::new("token"));
        let profile = profile(ConnectionId(0), url);
        app.worker.want(Intent::Link(LinkIntent::SaveConnection { profile, credential })).unwrap();
        app.until("a welcome", ADDED, |added| added.chat.me.is_some());
        app
    }

    fn until(&self, what: &str, id: ConnectionId, expected: impl Fn(&Connection) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !self.model.read(|model| model.connections.get(&id).is_some_and(&expected)) {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "waited too long for {what}");
            let _ = self.wakes.recv_timeout(left);
        }
    }

    /// A message to the other server comes all the way back.
    fn chat_with_another(&self) {
        let body = "beside the flood";
        let send = Intent::Chat(ChatIntent::Send {
            connection: OWN,
            room: RoomId::general(),
            content: Content::text(body),
        });
        self.worker.want(send).unwrap();
        self.until("a message of another server", OWN, |own| {
            let is_there =
                own.chat.rooms[&RoomId::general()].window.messages().any(|message| message.body() == body);
            is_there && own.chat.outbox.is_empty()
        });
    }

    /// Ends it; a worker that does not end fails the test.
    fn end(self) {
        let (ended, end) = mpsc::sync_channel(1);
        let App { worker, _dir, .. } = self;
        std::thread::Builder::new()
            .name("ending".into())
            .spawn(move || {
                worker.shut_down();
                let _ = ended.send(());
            })
            .unwrap();
        end.recv_timeout(PATIENCE).expect("the worker ends, whatever waits");
    }
}

/// Floods an app with so many frames and more; looks at what came of it while the flood goes on.
fn flooded(make: Make, frames: u64, check: impl FnOnce(&App)) {
    let (reached, has_reached) = mpsc::sync_channel(1);
    let app = App::with(&flooding(make, frames, reached));
    has_reached.recv_timeout(PATIENCE).expect("it is not held back for ever");
    app.chat_with_another();
    app.model.read(|model| assert_bounded(&model.connections[&ADDED]));
    check(&app);
    app.end();
}

/// Whatever a server sends, this holds.
fn assert_bounded(connection: &Connection) {
    let Connection { chat: Chat { rooms, people, .. }, devices, log, .. } = connection;
    assert!(rooms.len() <= MAX_ROOMS && people.len() <= MAX_PEOPLE);
    let windows = || rooms.values().map(|room| &room.window);
    assert!(windows().all(|window| window.len() <= CAPACITY && window.bytes() <= MAX_WINDOW_BYTES));
    assert!(windows().map(|window| window.bytes()).sum::<usize>() <= MAX_MESSAGE_BYTES);
    assert!(rooms.values().map(|room| room.typing.len()).sum::<usize>() <= 1_024);
    assert!(devices.bytes() <= 64 << 20);
    assert!(log.since(0).count() <= duplex::model::log::NOTES);
    assert!(connection.chat.outbox.len() <= WINDOW);
}

/// It is told to go, twice, and then not asked again; on screen stands why.
fn is_told_to_go(app: &App) {
    app.until("an end", ADDED, |added| matches!(added.link, LinkState::Stopped { .. }));
    app.model.read(|model| {
        let link = &model.connections[&ADDED].link;
        assert!(matches!(link.why(), Some(Why::Violation { .. })), "{link:?}");
        assert_sentence(link);
    });
}

fn nothing(_: &App) {}

fn no_new_room(app: &App) {
    app.model.read(|model| assert_eq!(model.connections[&ADDED].chat.rooms.len(), 1));
}

fn entry(offset: u64, kind: &str, room: &str, sender: &str, body: &str) -> String {
    let id = uuid::Uuid::from_u128(u128::from(offset) + (1 << 100));
    format!(
        r#"{{"kind":"{kind}","offset":{offset},"id":"{id}","room":"{room}","sender":{{"id":"{sender}","name":"{sender}"}},"body":"{body}","at":1,"received":2}}"#
    )
}

/// A frame of 100 entries.
fn log(n: u64, one: impl Fn(u64) -> String) -> String {
    let entries: Vec<String> = (n * 100 + 1..=n * 100 + 100).map(one).collect();
    format!(r#"{{"type":"log","entries":[{}]}}"#, entries.join(","))
}

fn who(n: u64) -> String {
    format!(r#"{{"id":"p{n}","kind":"person","name":"{}"}}"#, "n".repeat(500))
}

fn device(n: u64) -> String {
    let metric = |m: u64| format!(r#"{{"name":"m{n}-{m}","type":"number"}}"#);
    let metrics: Vec<String> = (0..256).map(metric).collect();
    let metrics = metrics.join(",");
    format!(
        r#"{{"device":"d{}","name":"d","kind":"k","metrics":[{metrics}],"incarnation":{n},"online":true,"since":1,"reason":"","heard":2,"values":[]}}"#,
        n % 7
    )
}

#[test]
fn typing_in_rooms_that_do_not_exist() {
    let make = |n| format!(r#"{{"type":"typing","room":"r{n}","who":{{"id":"p{n}","name":"x"}}}}"#);
    flooded(make, 20_000, no_new_room);
}

#[test]
fn typing_by_people_without_end() {
    let make = |n| {
        format!(
            r#"{{"type":"typing","room":"general","who":{{"id":"p{n}","name":"{}"}}}}"#,
            "x".repeat(9_999)
        )
    };
    flooded(make, 2_000, no_new_room);
}

#[test]
fn read_markers_of_rooms_that_do_not_exist() {
    flooded(|n| format!(r#"{{"type":"read","room":"r{n}","offset":{n}}}"#), 20_000, no_new_room);
}

#[test]
fn read_markers_of_one_room_that_go_on_for_ever() {
    flooded(|n| format!(r#"{{"type":"read","room":"general","offset":{n}}}"#), 10_000, no_new_room);
}

#[test]
fn people_without_end() {
    flooded(
        |n| format!(r#"{{"type":"presence","who":{},"online":true}}"#, who(n)),
        12_000,
        |app| {
            app.until("people who are left out", ADDED, |added| added.chat.left_out.people);
        },
    );
}

#[test]
fn rooms_without_end() {
    let make = |n| log(n, |offset| entry(offset, "room", &format!("room {offset}"), "a", ""));
    flooded(make, 120, |app| app.until("rooms that are left out", ADDED, |added| added.chat.left_out.rooms));
}

#[test]
fn messages_in_rooms_without_end() {
    let make = |n| log(n, |offset| entry(offset, "message", &format!("room {offset}"), "a", "hi"));
    flooded(make, 120, |app| app.until("rooms that are left out", ADDED, |added| added.chat.left_out.rooms));
}

#[test]
fn messages_by_people_without_end() {
    flooded(
        |n| log(n, |offset| entry(offset, "message", "general", &format!("s{offset}"), "hi")),
        100,
        nothing,
    );
}

#[test]
fn messages_as_large_as_they_may_be() {
    let make = |n: u64| {
        let entries: Vec<String> = (n * 10 + 1..=n * 10 + 10)
            .map(|offset| {
                entry(offset, "message", &format!("room {}", offset % 99), "a", &"y".repeat(65_000))
            })
            .collect();
        format!(r#"{{"type":"log","entries":[{}]}}"#, entries.join(","))
    };
    flooded(make, 80, nothing);
}

#[test]
fn entries_of_kinds_that_nobody_knows() {
    flooded(|n| log(n, |offset| entry(offset, "poll", &format!("room {offset}"), "a", "")), 100, no_new_room);
}

#[test]
fn messages_of_types_that_nobody_knows() {
    flooded(|n| format!(r#"{{"type":"news{n}","x":{n}}}"#), 20_000, nothing);
}

#[test]
fn acknowledgements_of_what_was_never_sent() {
    let make = |n: u64| {
        format!(
            r#"{{"type":"ack","id":"{}","offset":{n},"received":1}}"#,
            uuid::Uuid::from_u128(u128::from(n))
        )
    };
    flooded(make, 20_000, nothing);
}

#[test]
fn commands_of_devices_that_nobody_knows() {
    let make = |n: u64| {
        let id = uuid::Uuid::from_u128(u128::from(n));
        format!(
            r#"{{"type":"commanded","id":"{id}","device":"d{n}","property":"x","value":"{}","by":{{"id":"a","name":"b"}},"at":1,"state":"pending"}}"#,
            "v".repeat(900)
        )
    };
    flooded(make, 5_000, |app| {
        app.model.read(|model| assert!(model.connections[&ADDED].devices.get("d1").is_none()));
    });
}

#[test]
fn devices_whose_metrics_change_their_names() {
    flooded(|n| format!(r#"{{"type":"device","device":{}}}"#, device(n)), 200, nothing);
}

#[test]
fn a_list_of_devices_that_never_ends() {
    let make = |n: u64| {
        let devices: Vec<String> = (n * 50..n * 50 + 50)
            .map(|k| format!(r#"{{"device":"d{k}","name":"{}","kind":"k","metrics":[{{"name":"m","type":"number"}}],"incarnation":1,"online":true,"since":1,"reason":"","heard":2,"values":[]}}"#, "x".repeat(900)))
            .collect();
        format!(r#"{{"type":"devices","started":1,"devices":[{}],"more":true}}"#, devices.join(","))
    };
    flooded(make, 100, nothing);
}

#[test]
fn readings_of_devices_without_end() {
    let make = |n: u64| {
        let samples: Vec<String> = (n * 50..n * 50 + 50)
            .map(|k| format!(r#"{{"device":"d{k}","at":1790000000400,"received":1790000000410,"values":{{"t":1.5,"s":"{}"}}}}"#, "x".repeat(900)))
            .collect();
        format!(r#"{{"type":"readings","samples":[{}]}}"#, samples.join(","))
    };
    flooded(make, 100, nothing);
}

#[test]
fn history_that_nobody_asked_for() {
    let make = |n| format!(r#"{{"type":"history","room":"h{n}","before":{n},"entries":[],"complete":true}}"#);
    flooded(make, 600, is_told_to_go);
}

#[test]
fn a_device_s_log_that_nobody_asked_for() {
    flooded(|n| format!(r#"{{"type":"device_log","device":"d{n}","lines":[]}}"#), 600, is_told_to_go);
}

#[test]
fn a_metric_s_past_that_nobody_asked_for() {
    let make = |n| {
        format!(
            r#"{{"type":"series","device":"d{n}","metric":"m","from":0,"to":9,"step_ms":1,"buckets":[[0,1,1,1,1]]}}"#
        )
    };
    flooded(make, 600, is_told_to_go);
}

#[test]
fn commands_for_devices_that_are_not_ours() {
    let make = |n: u64| {
        let id = uuid::Uuid::from_u128(u128::from(n));
        format!(
            r#"{{"type":"command","id":"{id}","device":"d","property":"x","value":1,"by":{{"id":"a","name":"b"}},"expires_in_ms":1000}}"#
        )
    };
    flooded(make, 600, is_told_to_go);
}

#[test]
fn answers_to_pings_that_were_never_sent() {
    flooded(|n| format!(r#"{{"type":"pong","nonce":{},"sent":0}}"#, n + 1_000_000), 600, is_told_to_go);
}

#[test]
fn malformed_frames_without_end() {
    flooded(
        |n| format!(r#"{{"type":"log","entries":"{}"}}"#, "x".repeat((n % 5_000) as usize)),
        600,
        is_told_to_go,
    );
}

#[test]
fn errors_as_long_as_a_frame() {
    let make = |n| format!(r#"{{"type":"error","code":"{n}","detail":"{}"}}"#, "x".repeat(100_000));
    flooded(make, 100, |app| {
        let longest = app.model.read(|model| {
            let lines = model.connections[&ADDED].log.since(0).map(|line| format!("{line:?}").len());
            lines.max().unwrap_or_default()
        });
        assert!(longest < 4_096, "{longest}");
    });
}

#[test]
fn a_second_welcome() {
    let make = |_| welcome().into_text().unwrap().as_str().to_owned();
    flooded(make, 1, is_told_to_go);
}
