//! The worker against servers that misbehave: each ends in a state and a sentence that say what happened and what to do,
//! none in a hang or a panic.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test program")]

mod floods;

use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use duplex::clock;
use duplex::model::content::Content;
use duplex::model::id::Offset;
use duplex::model::intent::ChatIntent;
use duplex::model::link_state::{Closing, LinkState, Phase, Why};
use duplex::model::profile::{Profile, Protocol, Secret, Socket};
use duplex::model::time::WallMs;
use duplex::model::{
    Connection, ConnectionId, Epoch, Intent, Principal, PrincipalId, PrincipalKind, RoomId, SharedModel,
};
use duplex::store::client::ClientStore;
use duplex::ui::text::Language;
use duplex::wire::duplex::message::{HubMessage, Start, Welcome};
use duplex::worker::{Options, Worker};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

const CONNECTION: ConnectionId = ConnectionId::COMMAND_LINE;
const PATIENCE: Duration = Duration::from_secs(60);

/// A server on a thread of its own; `serve` gets each connection.
fn server<F, S>(serve: S) -> String
where
    S: Fn(TcpStream) -> F + Send + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let (tell, told) = mpsc::sync_channel(1);
    std::thread::Builder::new()
        .name("server".into())
        .spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                tell.send(format!("ws://{}/v1/socket", listener.local_addr().unwrap())).unwrap();
                while let Ok((stream, _)) = listener.accept().await {
                    tokio::spawn(serve(stream));
                }
            });
        })
        .unwrap();
    told.recv().unwrap()
}

/// Answers every request with this, and nothing else.
fn answering(answer: &'static str) -> String {
    server(move |mut stream| async move {
        let mut request = vec![0; 4096];
        let _ = stream.read(&mut request).await;
        let _ = stream.write_all(answer.as_bytes()).await;
    })
}

/// Upgrades, and hands the socket over.
fn speaking<F, S>(speak: S) -> String
where
    S: Fn(WebSocketStream<TcpStream>) -> F + Send + Clone + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    server(move |stream| {
        let speak = speak.clone();
        async move {
            if let Ok(socket) = tokio_tungstenite::accept_async(stream).await {
                speak(socket).await;
            }
        }
    })
}

fn welcome() -> Message {
    let me = Principal {
        id: PrincipalId("me".into()),
        kind: PrincipalKind::Person,
        name: "Mina".into(),
        role: None,
    };
    let welcome = HubMessage::Welcome(Welcome {
        version: 1,
        hub: "odd".into(),
        me,
        epoch: Epoch(1),
        head: Offset(0),
        from: Offset(1),
        start: Start::Recent,
        now: WallMs(0),
        max_body: 65_536,
        files: None,
        features: None,
        rooms: vec![RoomId::general().into()],
        people: Vec::new(),
        read: Vec::new(),
        more: false,
    });
    Message::text(serde_json::to_string(&welcome).unwrap())
}

fn profile(id: ConnectionId, url: &str) -> Profile {
    Profile {
        id,
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
    }
}

struct App {
    model: SharedModel,
    worker: Worker,
    wakes: mpsc::Receiver<()>,
    dir: tempfile::TempDir,
}

impl App {
    fn at(url: &str) -> App {
        let dir = tempfile::tempdir().unwrap();
        let only = Some((profile(CONNECTION, url), Some(Secret::new("token"))));
        let model = SharedModel::default();
        let (tell, wakes) = mpsc::sync_channel(1);
        let wake = Arc::new(move |_| _ = tell.try_send(()));
        let options = Options { data_dir: dir.path().to_owned(), only, tell: None };
        let worker = Worker::spawn(options, model.clone(), wake).unwrap();
        App { model, worker, wakes, dir }
    }

    /// Waits until the connection is as expected, and returns its state.
    fn until(&self, expected: impl Fn(&Connection) -> bool) -> LinkState {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let (done, state) = self.model.read(|model| match model.connections.get(&CONNECTION) {
                Some(connection) => (expected(connection), connection.link.clone()),
                None => (false, LinkState::Idle),
            });
            if done {
                assert_sentence(&state);
                return state;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "it never came to that; it is {state:?}");
            let _ = self.wakes.recv_timeout(left);
        }
    }

    fn until_down(&self) -> Why {
        self.until(|connection| connection.link.why().is_some()).why().unwrap().clone()
    }

    fn until_stopped(&self) -> Why {
        self.until(|c| matches!(c.link, LinkState::Stopped { .. })).why().unwrap().clone()
    }
}

/// What is on screen says what happened, and what to do where a person can do something.
fn assert_sentence(state: &LinkState) {
    if let Some(why) = state.why() {
        let sentence = (Language::English.words().why)(why);
        assert!(!sentence.what.is_empty() && !sentence.then.is_empty(), "{why:?}");
    }
}

#[test]
fn accepts_and_says_nothing() {
    let url = server(|stream| async move {
        let _stream = stream;
        std::future::pending::<()>().await;
    });
    assert_eq!(App::at(&url).until_down(), Why::TimedOut { during: Phase::Handshake });
}

#[test]
fn refuses_the_handshake_for_good() {
    for status in [401, 403, 404] {
        let url = match status {
            401 => answering("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"),
            403 => answering("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"),
            _ => answering("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"),
        };
        assert_eq!(App::at(&url).until_stopped(), Why::Http { status, retry_after_ms: None });
    }
}

#[test]
fn is_overloaded_and_says_when_to_come_back() {
    let url = answering("HTTP/1.1 503 Service Unavailable\r\nRetry-After: 70\r\nContent-Length: 0\r\n\r\n");
    let app = App::at(&url);
    assert_eq!(app.until_down(), Why::Http { status: 503, retry_after_ms: Some(70_000) });
    match app.until(|connection| connection.link.why().is_some()) {
        LinkState::Waiting { retry_at, .. } => {
            assert!(retry_at > clock::now().boot_ms + 5_000, "it comes back too soon")
        }
        state => panic!("{state:?}"),
    }
}

#[test]
fn is_a_web_page() {
    let url = answering("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 5\r\n\r\nhello");
    assert_eq!(App::at(&url).until_stopped(), Why::Http { status: 200, retry_after_ms: None });
}

#[test]
fn speaks_another_protocol() {
    let url = speaking(|mut socket| async move {
        let _ = socket.send(Message::text("42[\"hello\"]")).await;
        let _ = socket.next().await;
        let _ = socket.next().await;
    });
    let said = "42[\"hello\"]".to_owned();
    assert_eq!(App::at(&url).until_stopped(), Why::NotDuplex { said }, "twice is enough");
}

#[test]
fn sends_a_frame_of_100_megabytes() {
    let url = speaking(|mut socket| async move {
        let _ = socket.next().await;
        let _ = socket.send(welcome()).await;
        let _ = socket.send(Message::text("x".repeat(100 << 20))).await;
    });
    let app = App::at(&url);
    app.until(|connection| connection.chat.me.is_some());
    assert!(matches!(app.until_down(), Why::Violation { .. } | Why::Closed { .. }));
}

#[test]
fn kicks() {
    let url = speaking(|mut socket| async move {
        let _ = socket.next().await;
        let _ = socket.send(welcome()).await;
        let _ = socket.close(Some(CloseFrame { code: 4001.into(), reason: "kicked".into() })).await;
        while let Some(Ok(_)) = socket.next().await {}
    });
    let app = App::at(&url);
    let kicked = Why::Closed {
        code: Some(4001),
        reason: "kicked".into(),
        retry_after_ms: None,
        closing: Closing::ByServer,
    };
    assert_eq!(app.until_down(), kicked);
    // It does not spin: the attempts of one outage are counted on, though each was welcomed.
    app.until(|connection| matches!(connection.link, LinkState::Waiting { attempt: 3.., .. }));
}

#[test]
fn sends_a_frame_every_millisecond() {
    let url = speaking(|mut socket| async move {
        let _ = socket.next().await;
        let _ = socket.send(welcome()).await;
        let mut every = tokio::time::interval(Duration::from_millis(1));
        for n in 0.. {
            every.tick().await;
            let odd = if n < 200 && n % 2 == 0 {
                "garbage".to_owned()
            } else {
                "{\"type\":\"news\",\"n\":1}".to_owned()
            };
            if socket.send(Message::text(odd)).await.is_err() {
                return;
            }
        }
    });
    let app = App::at(&url);
    // Some odd frames are noted, and the app goes on taking what the person does.
    app.until(|connection| connection.log.since(0).count() >= 100);
    let intent = Intent::Chat(ChatIntent::Send {
        connection: CONNECTION,
        room: RoomId::general(),
        content: Content::text("still here"),
    });
    app.worker.want(intent).unwrap();
    app.until(|connection| connection.link.is_online() && connection.chat.outbox.len() == 1);
}

/// An address where nobody listens.
fn closed() -> String {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    format!("ws://{closed}/v1/socket")
}

#[test]
fn what_is_typed_faster_than_it_is_written_is_on_disk_after_the_window_closed() {
    const COUNT: usize = 5_000;
    let App { worker, dir, .. } = App::at(&closed());
    let send = |number| {
        Intent::Chat(ChatIntent::Send {
            connection: CONNECTION,
            room: RoomId::general(),
            content: Content::text(format!("message {number}")),
        })
    };
    worker.shut_down_after((0..COUNT).map(send));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let outbox = runtime.block_on(ClientStore::open(dir.path()).store.outbox(CONNECTION)).unwrap();
    let bodies: Vec<_> = outbox.into_iter().map(|item| item.draft.content.body().to_owned()).collect();
    let expected: Vec<_> = (0..COUNT).map(|number| format!("message {number}")).collect();
    assert_eq!(bodies, expected);
}

#[test]
fn nobody_is_there() {
    let app = App::at(&closed());
    assert_eq!(app.until_down(), Why::ConnectionRefused);
    app.worker
        .want(Intent::Chat(ChatIntent::Send {
            connection: CONNECTION,
            room: RoomId::general(),
            content: Content::text("kept"),
        }))
        .unwrap();
    app.until(|connection| connection.chat.outbox.len() == 1);
}
