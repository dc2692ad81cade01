//! What the real worker tells a person who looks elsewhere, of what another person writes over the real hub, on loopback.
//! Nothing here sleeps for a result: what is waited for is named, and a guard turns a hang into a failure.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test program")]

use std::path::Path;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use duplex::hub::{self, InviteOptions};
use duplex::model::content::Content;
use duplex::model::id::RoomName;
use duplex::model::intent::{AppIntent, ChatIntent, Credential, LinkIntent};
use duplex::model::notices::{ClickTarget, Notice, NoticeAction, NoticeContent, Topic, Viewing};
use duplex::model::profile::{Profile, Protocol, Socket};
use duplex::model::{Address, Connection, ConnectionId, Intent, Level, RoomId, SharedModel};
use duplex::worker::{Options, Worker};

const HUB: ConnectionId = ConnectionId::OWN_HUB;
/// The first connection that is added to an app.
const ADDED: ConnectionId = ConnectionId(3);
const PATIENCE: Duration = Duration::from_secs(30);

struct App {
    model: SharedModel,
    worker: Worker,
    wakes: mpsc::Receiver<()>,
    acts: mpsc::Receiver<NoticeAction>,
}

impl App {
    /// The app without a window, its own hub included.
    fn start(dir: &Path) -> App {
        let model = SharedModel::default();
        let (wake, wakes) = mpsc::sync_channel(1);
        let (tell, acts) = mpsc::sync_channel(64);
        let wake = Arc::new(move |_| _ = wake.try_send(()));
        let tell = Arc::new(move |act| _ = tell.try_send(act));
        let options = Options { data_dir: dir.to_owned(), only: None, tell: Some(tell) };
        let worker = Worker::spawn(options, model.clone(), wake).unwrap();
        App { model, worker, wakes, acts }
    }

    fn want(&self, intent: Intent) {
        self.worker.want(intent).unwrap();
    }

    fn until<T>(&self, what: &str, id: ConnectionId, look: impl Fn(&Connection) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let found = self.model.read(|model| model.connections.get(&id).and_then(&look));
            if let Some(found) = found {
                return found;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "waited too long for {what}");
            // It may be woken for something else, or have been already.
            let _ = self.wakes.recv_timeout(left.min(Duration::from_secs(1)));
        }
    }

    /// The next thing that the person is told.
    fn told(&self) -> NoticeAction {
        self.acts.recv_timeout(PATIENCE).expect("something is told")
    }

    fn say(&self, id: ConnectionId, body: &str) {
        self.want(Intent::Chat(ChatIntent::Send {
            connection: id,
            room: RoomId::general(),
            content: Content::text(body),
        }));
    }
}

fn my_name(connection: &Connection) -> Option<String> {
    connection.link.is_online().then_some(())?;
    Some(connection.chat.me.as_ref()?.name.clone())
}

fn topic() -> Topic {
    Topic::Room(HUB, RoomId::general())
}

fn message(count: u64, text: &str, mention: bool) -> NoticeAction {
    let news = NoticeContent::Messages {
        room: RoomName::general(),
        count,
        sender: "Mina".into(),
        text: Some(text.into()),
        mention,
    };
    NoticeAction::Show(Notice { topic: topic(), news, target: ClickTarget::Room(HUB, RoomId::general()) })
}

#[test]
fn another_persons_mention_is_told_and_taken_back_when_it_is_seen() {
    let (home, hers) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let app = App::start(home.path());
    let me = app.until("its own hub", HUB, my_name);
    let invite = hub::invite(home.path(), &InviteOptions::default()).unwrap();
    let Address { url, invite, .. } = invite.link;
    let mina = App::start(hers.path());
    let profile = Profile {
        id: ConnectionId(0),
        name: "Workshop".into(),
        urls: vec![url],
        protocol: Protocol::Duplex,
        socket: Socket::Tungstenite,
        route: Default::default(),
        ca_file: None,
        fingerprint: None,
        auto_connect: true,
        websocket: Default::default(),
        network: Default::default(),
    };
    let credential = Credential::Invite { code: invite.unwrap(), name: "Mina".into() };
    mina.want(Intent::Link(LinkIntent::SaveConnection { profile, credential }));
    assert_eq!(mina.until("the hub", ADDED, my_name), "Mina");

    // What does not name the person is not told, nor what they write themselves.
    app.say(HUB, &format!("I am @{me}"));
    mina.say(ADDED, "plain words");
    mina.say(ADDED, &format!("look, @{me}"));
    assert_eq!(app.told(), message(1, &format!("look, @{me}"), true));

    // Seen, it is taken back; and what is written in the open room is not told.
    let viewing = Viewing { room: Some((HUB, RoomId::general())), device: None };
    app.want(Intent::App(AppIntent::View(Some(viewing))));
    assert_eq!(app.told(), NoticeAction::Withdraw(topic()));
    mina.say(ADDED, &format!("@{me}, you see this"));
    let has = |text: &'static str| {
        move |c: &Connection| {
            c.chat.rooms[&RoomId::general()].window.messages().any(|m| m.body().contains(text)).then_some(())
        }
    };
    app.until("what is seen", HUB, has("you see this"));

    // A muted room is quiet, whatever it says; and that is kept.
    app.want(Intent::App(AppIntent::View(None)));
    let choose =
        |level| Intent::Chat(ChatIntent::SetRoomLevel { connection: HUB, room: RoomId::general(), level });
    app.want(choose(Some(Level::Nothing)));
    mina.say(ADDED, &format!("@{me}, not this"));
    app.until("what is muted", HUB, has("not this"));
    app.want(choose(Some(Level::All)));
    mina.say(ADDED, "any words now");
    assert_eq!(app.told(), message(1, "any words now", false));

    app.want(Intent::App(AppIntent::TryNotice));
    assert!(matches!(app.told(), NoticeAction::Show(Notice { topic: Topic::Trial, .. })));
    assert!(app.acts.try_recv().is_err(), "nothing else was told");
    app.worker.shut_down();
    mina.worker.shut_down();
    let settings = std::fs::read_to_string(home.path().join("settings.json")).unwrap();
    assert!(settings.contains(r#""level": "all""#), "{settings}");
}
