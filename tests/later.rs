//! A server of a later version: features, kinds, fields, roles and reasons that nobody here knows yet. It is talked to
//! without loss: what is understood is shown, what is not is kept as it came.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test program")]

use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use duplex::model::content::{Content, Draft, Extra};
use duplex::model::id::Offset;
use duplex::model::intent::ChatIntent;
use duplex::model::profile::{Profile, Protocol, Secret, Socket};
use duplex::model::{
    Connection, ConnectionId, Delivery, Feature, Intent, PrincipalKind, Refusal, RoomId, SharedModel,
};
use duplex::store::client::{ClientStore, FILE};
use duplex::worker::{Options, Worker};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_tungstenite::tungstenite::Message;

const CONNECTION: ConnectionId = ConnectionId::COMMAND_LINE;
const PATIENCE: Duration = Duration::from_secs(60);

fn welcome() -> Value {
    json!({
        "type": "welcome", "version": 1, "hub": "Later", "motd": {"text": "hello"},
        "me": {"id": "me", "kind": "moderator", "name": "Mina", "badges": ["a"]},
        "epoch": "0000000000000001", "head": 4, "from": 1, "start": "recent", "now": 0, "max_body": 65_536,
        "features": ["create_rooms", "reactions", "kind:poll"],
        "rooms": ["general", {"id": "r-1", "name": "Lathes", "topic": "wood"}],
        "people": [{"id": "p-1", "kind": "bot", "name": "Robo", "online": true, "mood": 7}],
        "read": [], "reactions": {"limit": 9},
    })
}

/// The entries of its log, as it says them.
fn entries() -> [Value; 4] {
    let id = |n: u32| format!("00000000-0000-4000-8000-00000000000{n}");
    let around = |n: u32, kind: &str, more: Value| {
        let mut entry = json!({
            "kind": kind, "offset": n, "id": id(n), "room": "r-1", "at": n, "received": n,
            "sender": {"id": "p-1", "name": "Robo"},
        });
        entry.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        entry
    };
    [
        around(1, "message", json!({"body": "A file: plan.pdf", "file": {"name": "plan.pdf", "bytes": 9}})),
        around(2, "poll", json!({"body": {"text": "Which?"}, "choices": ["a", 2, {"c": [1.5]}]})),
        around(3, "room", json!({"room": "r-3", "name": "Kilns", "body": "", "topic": "heat"})),
        around(4, "reaction", json!({"to": id(1), "emoji": "👍"})),
    ]
}

/// Says all that, acknowledges what is sent and passes it on; what says "frozen" it refuses for a reason of its own.
fn server() -> (String, mpsc::Receiver<Value>) {
    let (tell, told) = mpsc::sync_channel(1);
    let (pass, passed) = mpsc::sync_channel(1_024);
    std::thread::Builder::new()
        .name("server".into())
        .spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                tell.send(format!("ws://{}/v1/socket", listener.local_addr().unwrap())).unwrap();
                while let Ok((stream, _)) = listener.accept().await {
                    let Ok(mut socket) = tokio_tungstenite::accept_async(stream).await else { continue };
                    while let Some(Ok(Message::Text(text))) = socket.next().await {
                        let said: Value = serde_json::from_str(&text).unwrap();
                        for answer in answers(&said) {
                            let _ = socket.send(Message::text(answer.to_string())).await;
                        }
                        let _ = pass.send(said);
                    }
                }
            });
        })
        .unwrap();
    (told.recv().unwrap(), passed)
}

fn answers(said: &Value) -> Vec<Value> {
    let ack = |offset| json!({"type": "ack", "id": said["id"], "offset": offset, "received": 9, "entry": false, "by": "node 7"});
    match said["type"].as_str().unwrap() {
        "hello" => vec![
            welcome(),
            json!({"type": "reaction_counts", "of": []}),
            json!({"type": "log", "entries": entries(), "compressed": false}),
        ],
        "send" if said["body"] == "frozen" => {
            vec![json!({"type": "refused", "id": said["id"], "refusal": {"frozen": {"detail": "since May"}}})]
        }
        "send" => vec![ack(4)],
        "ping" => vec![json!({"type": "pong", "nonce": said["nonce"], "sent": 4, "load": 0.5})],
        _ => vec![],
    }
}

struct App {
    model: SharedModel,
    worker: Worker,
    wakes: mpsc::Receiver<()>,
}

impl App {
    fn start(dir: &std::path::Path, url: &str) -> App {
        let profile = Profile {
            id: CONNECTION,
            name: String::new(),
            urls: vec![url.to_owned()],
            protocol: Protocol::Duplex,
            socket: Socket::Tungstenite,
            route: Default::default(),
            ca_file: None,
            fingerprint: None,
            auto_connect: true,
            websocket: Default::default(),
            network: Default::default(),
        };
        let model = SharedModel::default();
        let (tell, wakes) = mpsc::sync_channel(1);
        let wake = Arc::new(move |_| _ = tell.try_send(()));
        let only = Some((profile, Some(Secret::new("token"))));
        let options = Options { data_dir: dir.to_owned(), only, tell: None };
        App { worker: Worker::spawn(options, model.clone(), wake).unwrap(), model, wakes }
    }

    /// Waits until the connection is as expected.
    fn until(&self, what: &str, expected: impl Fn(&Connection) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !self.model.read(|model| model.connections.get(&CONNECTION).is_some_and(&expected)) {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "it never came to that: {what}");
            let _ = self.wakes.recv_timeout(left);
        }
    }

    fn send(&self, room: &str, content: Content) {
        let room = RoomId::new(room).unwrap();
        self.worker.want(Intent::Chat(ChatIntent::Send { connection: CONNECTION, room, content })).unwrap();
    }
}

fn unknown(kind: &str) -> Content {
    let fields = Extra::from_json(r#"{"body":{"text":"Mine?"},"choices":["a",{"b":1.5}]}"#);
    Content::from_fields(kind, None, fields).unwrap()
}

#[test]
fn a_server_of_a_later_version_is_talked_to_without_loss() {
    let (url, said) = server();
    let dir = tempfile::tempdir().unwrap();
    let app = App::start(dir.path(), &url);
    app.until("the log is there", |connection| connection.chat.received_to == Offset(4));
    app.model.read(|model| {
        let connection = &model.connections[&CONNECTION];
        let lathes = &connection.chat.rooms[&RoomId::new("r-1").unwrap()];
        assert_eq!(lathes.name.as_str(), "Lathes");
        let bodies: Vec<_> = lathes.window.messages().map(|message| message.body()).collect();
        assert_eq!(bodies, ["A file: plan.pdf"], "what has words is shown");
        assert_eq!(connection.chat.rooms[&RoomId::new("r-3").unwrap()].name.as_str(), "Kilns");
        assert_eq!(connection.chat.me.as_ref().unwrap().kind, PrincipalKind::Person);
        assert!(connection.chat.people.len() == 1 && connection.link.is_online());
    });
    // A kind that it offers is sent as it is; one that it does not offer, and a reason that nobody knows, are told.
    app.send("r-1", unknown("poll"));
    app.send("r-1", unknown("quiz"));
    app.send("r-1", Content::text("frozen"));
    app.send("r-1", Content::text("plain"));
    let failed = |connection: &Connection| -> Vec<Refusal> {
        let items = connection.chat.outbox.values();
        let refusals = items.filter_map(|item| match &item.delivery {
            Delivery::Failed(refusal) => Some(refusal.clone()),
            _ => None,
        });
        refusals.collect()
    };
    app.until("each has its answer", |connection| {
        failed(connection).len() == 2 && connection.chat.outbox.len() == 2
    });
    app.model.read(|model| {
        let frozen = Refusal::Other { code: "frozen".into(), detail: "since May".into() };
        let quiz = Refusal::UnknownKind { kind: "quiz".into() };
        assert_eq!(failed(&model.connections[&CONNECTION]), [quiz, frozen]);
    });
    let sent: Vec<Value> = said.try_iter().filter(|said| said["type"] == "send").collect();
    assert_eq!(sent.len(), 3, "what cannot be sent is not tried again and again: {sent:?}");
    assert_eq!((&sent[0]["kind"], &sent[0]["choices"][1]["b"]), (&json!("poll"), &json!(1.5)));
    assert_eq!(sent[0]["body"], json!({"text": "Mine?"}));
    app.worker.shut_down_after([]);

    // What was not understood is on disk as it came, and what it offers is known offline.
    let db = rusqlite::Connection::open(dir.path().join(FILE)).unwrap();
    let mut query = db.prepare("SELECT json FROM other_entry ORDER BY offset").unwrap();
    let kept = query.query_map((), |row| row.get::<_, String>(0)).unwrap();
    let kept: Vec<Value> = kept.map(|json| serde_json::from_str(&json.unwrap()).unwrap()).collect();
    assert_eq!(kept, entries()[1..]);
    drop(query);
    drop(db);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let stored = runtime.block_on(ClientStore::open(dir.path()).store.load(CONNECTION)).unwrap().stored;
    let features = stored.features.unwrap();
    assert!(features.has(Feature::CreateRooms) && !features.has(Feature::Typing));
    assert!(features.words().any(|word| word == "reactions") && features.has_kind("poll"));
    let lathes = stored.rooms.iter().find(|room| room.name.as_str() == "Lathes").unwrap();
    let file = lathes.messages[0].content.extra().get("file").cloned();
    assert_eq!(file, Some(json!({"name": "plan.pdf", "bytes": 9})));
    let quiz = stored.outbox.iter().map(|item| &item.draft).find(|draft: &&Draft| draft.content.is_unknown());
    assert_eq!(quiz.unwrap().content, unknown("quiz"));
}
