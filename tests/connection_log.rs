//! The connection log as the real worker fills it from a connection to the real hub, on loopback.
//! Nothing here sleeps for a result: what is waited for is named, and a guard turns a hang into a failure.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test program")]

use std::path::Path;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use duplex::model::content::Content;
use duplex::model::intent::{ChatIntent, LinkIntent, LogIntent};
use duplex::model::log::{Line, Passed, Way, What};
use duplex::model::{Connection, ConnectionId, Intent, RoomId, SharedModel};
use duplex::worker::{Options, Worker};

const HUB: ConnectionId = ConnectionId::OWN_HUB;
const PATIENCE: Duration = Duration::from_secs(30);

struct App {
    model: SharedModel,
    worker: Worker,
    wakes: mpsc::Receiver<()>,
}

impl App {
    /// The app without a window, its own hub included.
    fn start(dir: &Path) -> App {
        let model = SharedModel::default();
        let (tell, wakes) = mpsc::sync_channel(1);
        let wake = Arc::new(move |_| _ = tell.try_send(()));
        let options = Options { data_dir: dir.to_owned(), only: None, tell: None };
        let worker = Worker::spawn(options, model.clone(), wake).unwrap();
        App { model, worker, wakes }
    }

    fn want(&self, intent: Intent) {
        self.worker.want(intent).unwrap();
    }

    /// Waits until the connection to its own hub shows this, and returns it.
    fn until<T>(&self, what: &str, look: impl Fn(&Connection) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let found = self.model.read(|model| model.connections.get(&HUB).and_then(&look));
            if let Some(found) = found {
                return found;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "waited too long for {what}");
            // It may be woken for something else, or have been already.
            let _ = self.wakes.recv_timeout(left.min(Duration::from_secs(1)));
        }
    }
}

fn frames(connection: &Connection) -> Vec<Passed> {
    let frame = |line: &Arc<Line>| match &line.what {
        What::Frame(passed) => Some(passed.clone()),
        What::Note(_) => None,
    };
    connection.log.since(0).filter_map(frame).collect()
}

fn the_frame(connection: &Connection, way: Way, kind: &str) -> Option<Passed> {
    frames(connection).into_iter().find(|passed| passed.way == way && passed.kind == kind)
}

fn online(connection: &Connection) -> Option<()> {
    connection.link.is_online().then_some(())
}

#[test]
fn a_whole_handshake_is_there_and_none_of_its_secrets() {
    let dir = tempfile::tempdir().unwrap();
    let app = App::start(dir.path());
    app.until("its own hub", online);
    app.until("nothing recorded", |connection| frames(connection).is_empty().then_some(()));
    app.want(Intent::Log(LogIntent::Watch(HUB, true)));
    app.want(Intent::Link(LinkIntent::Disconnect(HUB)));
    app.want(Intent::Link(LinkIntent::Connect(HUB)));
    let welcome = app.until("a welcome", |c| the_frame(c, Way::Received, "welcome"));
    assert!(welcome.text.starts_with(r#"{"type":"welcome""#) && welcome.bytes >= welcome.text.len());
    let (auth, proof) = app.until("the proof and its answer", |c| {
        Some((the_frame(c, Way::Sent, "auth")?, the_frame(c, Way::Received, "proof")?))
    });
    assert_eq!(auth.text, r#"{"type":"auth","token":"•••"}"#);
    assert_eq!(proof.text, r#"{"type":"proof","mac":"•••"}"#);

    let token = std::fs::read_to_string(dir.path().join("token")).unwrap();
    let token = token.trim();
    assert!(token.len() > 20, "this is the token");
    assert!(auth.bytes > token.len(), "it was sent");
    let all = app.until("all lines", |c| Some(format!("{:?}", frames(c))));
    assert!(!all.contains(token));
    app.worker.shut_down();
}

#[test]
fn what_is_sent_and_its_answer_pass_and_readings_are_counted() {
    let dir = tempfile::tempdir().unwrap();
    let app = App::start(dir.path());
    app.until("its own hub", online);
    app.want(Intent::Log(LogIntent::Watch(HUB, true)));
    app.want(Intent::Chat(ChatIntent::Send {
        connection: HUB,
        room: RoomId::general(),
        content: Content::text("Boiler on?"),
    }));
    let sent = app.until("the message", |c| the_frame(c, Way::Sent, "send"));
    assert!(sent.text.contains("Boiler on?"), "{sent:?}");
    app.until("its answer", |c| the_frame(c, Way::Received, "ack"));
    let counts = app.until("readings of this computer", |c| the_frame(c, Way::Received, "readings")?.counts);
    assert!(counts.devices >= 1 && counts.values >= 1, "{counts:?}");

    let before = app.until("its length", |c| Some(c.log.next()));
    app.want(Intent::Log(LogIntent::Clear(HUB)));
    let begins_anew = |c: &Connection| c.log.since(0).all(|line| line.number >= before);
    app.until("a log that begins anew", |c| begins_anew(c).then_some(()));
    app.want(Intent::Log(LogIntent::Watch(HUB, false)));
    app.until("nothing kept", |c| (!c.log.is_watched() && frames(c).is_empty()).then_some(()));
    app.worker.shut_down();
}
