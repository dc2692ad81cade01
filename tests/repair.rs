//! A client's own store meets a hub whose log was damaged and repaired: nothing that its person typed is lost, and the real
//! worker, the real stores and the real hub bring it back. What is waited for is named, and a guard turns a hang into a
//! failure.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test program")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use duplex::hub::{Handle, Options as HubOptions};
use duplex::model::content::Content;
use duplex::model::intent::{ChatIntent, LinkIntent};
use duplex::model::profile::{Profile, Protocol, Secret, Socket};
use duplex::model::{Connection, ConnectionId, Intent, LinkState, RoomId, SharedModel, Why};
use duplex::ui::text::Language;
use duplex::worker::{Options, Worker};

const CONNECTION: ConnectionId = ConnectionId::COMMAND_LINE;
const PATIENCE: Duration = Duration::from_secs(60);
const PAGE: usize = 4096;

struct App {
    model: SharedModel,
    worker: Worker,
    wakes: mpsc::Receiver<()>,
}

impl App {
    /// The app without a window; with a URL, connected there alone, else with its own hub.
    fn start(dir: &Path, only: Option<(&str, &str)>) -> App {
        let only = only.map(|(url, token)| {
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
            (profile, Some(Secret::new(token)))
        });
        let model = SharedModel::default();
        let (tell, wakes) = mpsc::sync_channel(1);
        let wake = Arc::new(move |_| _ = tell.try_send(()));
        let options = Options { data_dir: dir.to_owned(), only, tell: None };
        let worker = Worker::spawn(options, model.clone(), wake).unwrap();
        App { model, worker, wakes }
    }

    fn until<T>(&self, what: &str, id: ConnectionId, look: impl Fn(&Connection) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = self.model.read(|model| model.connections.get(&id).and_then(&look)) {
                return found;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "waited too long for {what}");
            let _ = self.wakes.recv_timeout(left.min(Duration::from_secs(1)));
        }
    }
}

/// What is in the window, each once, in order of the words.
fn bodies(connection: &Connection) -> BTreeSet<String> {
    let room = connection.chat.rooms.get(&RoomId::general());
    room.into_iter()
        .flat_map(|room| room.window.messages())
        .map(|message| first_word(message.body()))
        .collect()
}

fn first_word(body: &str) -> String {
    body.split(' ').next().unwrap_or_default().to_owned()
}

fn hub(dir: &Path) -> Handle {
    duplex::hub::spawn(HubOptions::embedded(dir)).unwrap()
}

#[test]
fn what_a_person_wrote_is_in_the_window_after_the_hub_was_repaired_and_what_is_new_arrives() {
    let (hub_dir, app_dir) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let first = hub(hub_dir.path());
    let (url, token) = (first.url.clone(), first.admin_token.reveal().to_owned());
    let app = App::start(app_dir.path(), Some((&url, &token)));
    let send = |word: &str| {
        let body = format!("{word} {}", "m".repeat(3_000));
        let room = RoomId::general();
        app.worker
            .want(Intent::Chat(ChatIntent::Send {
                connection: CONNECTION,
                room,
                content: Content::text(body),
            }))
            .unwrap();
    };
    let words: BTreeSet<String> = (100..130).map(|number| format!("word-{number}")).collect();
    words.iter().for_each(|word| send(word));
    let all_there = |words: &BTreeSet<String>, connection: &Connection| {
        let done = connection.link.is_online() && connection.chat.outbox.is_empty();
        (done && bodies(connection).is_superset(words)).then_some(())
    };
    app.until("all to be delivered", CONNECTION, |connection| all_there(&words, connection));
    first.shutdown();

    let path = hub_dir.path().join("hub.db");
    let mut bytes = fs::read(&path).unwrap();
    let page = bytes.windows(13).position(|window| window == b"word-115 mmmm").unwrap() / PAGE;
    bytes[page * PAGE..page * PAGE + 300].fill(0x5a);
    fs::write(&path, &bytes).unwrap();
    let lines = duplex::hub::repair(hub_dir.path()).unwrap().unwrap();
    assert!(lines.iter().any(|line| line.contains("could not be read")), "{lines:?}");
    // Written while the hub was away: delivered to the repaired one.
    send("word-new");
    let second = hub(hub_dir.path());
    assert_eq!(second.url, url);
    let mut expected = words.clone();
    expected.insert("word-new".to_owned());
    app.until("all, and the new one", CONNECTION, |connection| {
        all_there(&expected, connection).filter(|()| connection.chat.received_to >= connection.chat.head)
    });
    app.worker.shut_down();
    // Also after a restart, when only its disk knows.
    let again = App::start(app_dir.path(), Some((&url, &token)));
    again.until("all after a restart", CONNECTION, |connection| all_there(&expected, connection));
    again.worker.shut_down();
    second.shutdown();
}

#[test]
fn a_window_whose_own_hub_lost_its_log_says_so_and_what_to_do() {
    const OWN: ConnectionId = ConnectionId::OWN_HUB;
    let dir = tempfile::tempdir().unwrap();
    let stopped = |connection: &Connection| match &connection.link {
        LinkState::Stopped { why } => Some(why.clone()),
        _ => None,
    };
    let app = App::start(dir.path(), None);
    app.until("its own hub", OWN, |connection| connection.link.is_online().then_some(()));
    app.worker.shut_down();
    let path = dir.path().join("hub.db");
    let whole = fs::read(&path).unwrap();
    for length in [0, whole.len() / 2] {
        fs::write(&path, &whole[..length]).unwrap();
        let app = App::start(dir.path(), None);
        let why = app.until("its own hub to refuse", OWN, stopped);
        let is_expected = match &why {
            Why::HubLogMissing { left, .. } => length == 0 && left.contains(&"token".to_owned()),
            Why::HubLogDamaged { .. } => length > 0,
            _ => false,
        };
        assert!(is_expected, "{why:?}");
        for language in [Language::English, Language::Korean] {
            let sentence = (language.words().why)(&why);
            assert!(sentence.what.contains("hub.db"), "{}", sentence.what);
            let says = if length == 0 { "token" } else { "duplexctl hub repair" };
            assert!(sentence.then.contains(says), "{}", sentence.then);
        }
        assert!(fs::read(&path).unwrap() == whole[..length], "nothing is begun anew");
        // Put back, it is there with the next try.
        fs::write(&path, &whole).unwrap();
        app.worker.want(Intent::Link(LinkIntent::RetryNow(OWN))).unwrap();
        app.until("its own hub", OWN, |connection| connection.link.is_online().then_some(()));
        app.worker.shut_down();
    }
}
