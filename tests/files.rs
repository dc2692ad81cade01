//! Files between real apps and a real hub on loopback, over connections that are lost, and across restarts of both.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test program")]

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use duplex::hub::{self, Handle};
use duplex::model::content::Content;
use duplex::model::file::FileInfo;
use duplex::model::files::{FileTrouble, Held, PendingFile, Stage, Thumbnail};
use duplex::model::intent::{ChatIntent, FileIntent, FileSource, Intent};
use duplex::model::profile::{Profile, Protocol, Secret, Socket};
use duplex::model::{ConnectionId, Delivery, Feature, Model, RoomId, SharedModel};
use duplex::worker::{Options, Worker};

const GUARD: Duration = Duration::from_secs(60);
const HERE: ConnectionId = ConnectionId::COMMAND_LINE;

/// An app without a window.
struct App {
    worker: Worker,
    model: SharedModel,
    wakes: Receiver<()>,
}

impl App {
    fn start(dir: &Path, url: &str, token: &Secret) -> App {
        let profile = Profile {
            id: HERE,
            name: "hub".into(),
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
        let only = Some((profile, Some(token.clone())));
        let options = Options { data_dir: dir.to_owned(), only, tell: None };
        let (woken, wakes) = sync_channel(1);
        let wake: duplex::worker::Wake = Arc::new(move |_| _ = woken.try_send(()));
        let model = SharedModel::default();
        let worker = Worker::spawn(options, model.clone(), wake).unwrap();
        App { worker, model, wakes }
    }

    fn until<T>(&self, what: &str, look: impl Fn(&Model) -> Option<T>) -> T {
        let deadline = Instant::now() + GUARD;
        loop {
            if let Some(found) = self.model.read(&look) {
                return found;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                panic!("waited too long for {what}: {:?}", self.model.read(|model| model.files.clone()));
            }
            // Woken or not, it is looked at again.
            let _ = self.wakes.recv_timeout(left.min(Duration::from_millis(200)));
        }
    }

    fn want(&self, intent: Intent) {
        self.worker.want(intent).unwrap();
    }

    fn online(&self) {
        self.until("the connection", |model| {
            let connection = model.connections.get(&HERE)?;
            let offers = connection.features.as_ref()?.has(Feature::Files);
            (connection.link.is_online() && offers).then_some(())
        });
    }

    fn add(&self, source: FileSource) {
        let (room, thread) = (RoomId::general(), None);
        self.want(Intent::File(FileIntent::Add { connection: HERE, room, thread, source }));
    }

    /// Adds a file of this name with this content.
    fn add_new(&self, dirs: &Dirs, name: &str, content: &[u8]) {
        let path = dirs.originals.join(name);
        std::fs::write(&path, content).unwrap();
        self.add(FileSource::Path(path));
    }

    fn send(&self, text: &str) {
        let (room, text) = (RoomId::general(), text.to_owned());
        let send = FileIntent::Send { connection: HERE, room, thread: None, text, reply_to: None };
        self.want(Intent::File(send));
    }

    fn say(&self, text: &str) {
        let (room, content) = (RoomId::general(), Content::text(text));
        self.want(Intent::Chat(ChatIntent::Send { connection: HERE, room, content }));
    }

    fn pending(&self, what: &str, is_so: impl Fn(&PendingFile) -> bool) -> PendingFile {
        self.until(what, |model| model.files.pending.get(&HERE)?.iter().find(|file| is_so(file)).cloned())
    }

    /// The files of messages in the log.
    fn messages(&self, count: usize) -> Vec<(String, Option<FileInfo>)> {
        self.until("the messages", |model| {
            let window = &model.connections.get(&HERE)?.chat.rooms.get(&RoomId::general())?.window;
            let all: Vec<_> = window
                .messages()
                .filter(|message| message.content.is_text())
                .map(|message| (message.body().to_owned(), message.content.file()))
                .collect();
            (all.len() >= count).then_some(all)
        })
    }
}

/// Bytes that do not repeat.
fn noise(count: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    (0..count).map(|_| next()).collect()
}

/// How much a proxy lets through to the server before it cuts every connection, over all of them.
#[derive(Clone)]
struct Gate {
    left: Arc<AtomicU64>,
    sent: Arc<AtomicU64>,
    to: Arc<Mutex<SocketAddr>>,
}

/// A thread of what stands between an app and its hub.
fn thread() -> std::thread::Builder {
    std::thread::Builder::new().name("between".to_owned())
}

fn gate(to: SocketAddr, left: u64) -> (SocketAddr, Gate) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let gate =
        Gate { left: Arc::new(AtomicU64::new(left)), sent: Arc::default(), to: Arc::new(Mutex::new(to)) };
    let of_listener = gate.clone();
    let accept = move || {
        for client in listener.incoming() {
            let Ok(client) = client else { continue };
            if of_listener.left.load(Ordering::Relaxed) == 0 {
                continue;
            }
            let to = *of_listener.to.lock().unwrap();
            let Ok(server) = TcpStream::connect(to) else { continue };
            let (from, into) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            let counted = of_listener.clone();
            let _ = thread().spawn(move || pass(from, into, Some(&counted))).unwrap();
            let _ = thread().spawn(move || pass(server, client, None)).unwrap();
        }
    };
    let _ = thread().spawn(accept).unwrap();
    (addr, gate)
}

fn pass(mut from: TcpStream, mut into: TcpStream, gate: Option<&Gate>) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(read) = from.read(&mut buffer) {
        if read == 0 || into.write_all(&buffer[..read]).is_err() {
            break;
        }
        let Some(gate) = gate else { continue };
        gate.sent.fetch_add(read as u64, Ordering::Relaxed);
        let less = |left: u64| Some(left.saturating_sub(read as u64));
        if gate.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less) <= Ok(read as u64) {
            break;
        }
    }
    let _ = into.shutdown(Shutdown::Both);
    let _ = from.shutdown(Shutdown::Both);
}

fn hub_at(dir: &Path) -> (Handle, SocketAddr) {
    let hub = hub::spawn(hub::Options::embedded(dir)).unwrap();
    let addr = hub.url.split("://").nth(1).unwrap().split('/').next().unwrap().parse().unwrap();
    (hub, addr)
}

struct Dirs {
    _all: tempfile::TempDir,
    hub: PathBuf,
    ana: PathBuf,
    ben: PathBuf,
    originals: PathBuf,
}

fn dirs() -> Dirs {
    let all = tempfile::tempdir().unwrap();
    let dir = |name: &str| {
        let dir = all.path().join(name);
        std::fs::create_dir(&dir).unwrap();
        dir
    };
    Dirs { hub: dir("hub"), ana: dir("ana"), ben: dir("ben"), originals: dir("originals"), _all: all }
}

fn cached(dir: &Path, info: &FileInfo) -> PathBuf {
    dir.join("app.files/cache").join(info.sha256.to_string())
}

#[test]
fn a_file_arrives_whole_across_lost_links_and_restarts_of_both_ends() {
    let dirs = dirs();
    let (hub, addr) = hub_at(&dirs.hub);
    let token = hub.admin_token.clone();
    let (through, gate) = gate(addr, 2_500_000);
    let url = format!("ws://{through}/v1/socket");
    let content = noise(6_000_000);
    let original = dirs.originals.join("pump.bin");
    std::fs::write(&original, &content).unwrap();

    let ana = App::start(&dirs.ana, &url, &token);
    ana.online();
    ana.add(FileSource::Path(original.clone()));
    ana.pending("the copy", |file| file.stage == Stage::Attached);
    // What becomes of the original does not matter.
    std::fs::remove_file(&original).unwrap();
    ana.send("The pump's log");
    ana.say("Text does not wait for it");
    // The link is cut for good when so much has passed.
    ana.pending("the lost link", |file| {
        file.stage == Stage::Waiting(Some(FileTrouble::Unreachable)) && gate.left.load(Ordering::Relaxed) == 0
    });
    ana.worker.shut_down();
    hub.shutdown();

    let (hub, addr) = hub_at(&dirs.hub);
    *gate.to.lock().unwrap() = addr;
    gate.left.store(2_000_000, Ordering::Relaxed);
    let ana = App::start(&dirs.ana, &url, &token);
    ana.pending("the second loss", |_| gate.left.load(Ordering::Relaxed) == 0);
    gate.left.store(u64::MAX, Ordering::Relaxed);
    let messages = ana.messages(2);
    assert_eq!(messages[0].0, "Text does not wait for it");
    assert_eq!(messages[1].0, "The pump's log");
    let info = messages[1].1.clone().unwrap();
    assert_eq!((info.name.as_str(), info.size), ("pump.bin", 6_000_000));
    ana.until("nothing to be left to send", |model| model.files.pending.get(&HERE)?.is_empty().then_some(()));
    let sent = gate.sent.load(Ordering::Relaxed);
    assert!(
        sent < 6_000_000 + 2 * (1 << 20) + 100_000,
        "{sent}: only what was lost on the way is sent again"
    );

    let ben = App::start(&dirs.ben, &hub.url, &token);
    ben.online();
    let file = ben.messages(2)[1].1.clone().unwrap();
    ben.want(Intent::File(FileIntent::Fetch { connection: HERE, file, thumbnail: false }));
    ben.until("the file", |model| (model.files.held.get(&info.sha256)? == &Held::Here).then_some(()));
    assert!(std::fs::read(cached(&dirs.ben, &info)).unwrap() == content);
    ben.worker.shut_down();
    ana.worker.shut_down();
    hub.shutdown();
}

/// A picture as a PNG file.
fn picture(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let pixels = image::RgbaImage::from_pixel(width, height, image::Rgba([10, 120, 200, 255]));
    pixels.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

#[test]
fn pictures_have_thumbnails_and_what_only_says_so_has_none() {
    let dirs = dirs();
    let (hub, _) = hub_at(&dirs.hub);
    let ana = App::start(&dirs.ana, &hub.url, &hub.admin_token);
    ana.online();
    ana.add_new(&dirs, "boat.png", &picture(1_280, 640));
    ana.add_new(&dirs, "bomb.png", b"\x89PNG\r\n\x1a\nnothing follows");
    ana.until("the copies", |model| {
        let all = model.files.pending.get(&HERE)?;
        (all.len() == 2 && all.iter().all(|file| file.stage == Stage::Attached)).then_some(())
    });
    ana.send("");
    let messages = ana.messages(2);
    assert_eq!(messages[0].0, format!("boat.png ({})", size_of(&messages[0].1)));
    let (boat, bomb) = (messages[0].1.clone().unwrap(), messages[1].1.clone().unwrap());
    assert_eq!((boat.name.as_str(), boat.width, boat.height), ("boat.png", Some(1_280), Some(640)));
    assert_eq!((bomb.width, bomb.height), (None, None));
    let ben = App::start(&dirs.ben, &hub.url, &hub.admin_token);
    ben.online();
    for file in [&boat, &bomb] {
        let (file, thumbnail) = (file.clone(), true);
        ben.want(Intent::File(FileIntent::Fetch { connection: HERE, file, thumbnail }));
    }
    let thumbnail = |info: &FileInfo| {
        let hash = info.sha256;
        ben.until("the thumbnail", |model| model.files.thumbnail(&hash).cloned())
    };
    let Thumbnail::Picture(small) = thumbnail(&boat) else { panic!("a picture") };
    assert_eq!((small.width, small.height), (640, 320));
    assert_eq!(thumbnail(&bomb), Thumbnail::None);
    ben.want(Intent::File(FileIntent::View { connection: HERE, file: boat.clone() }));
    let viewed = ben.until("the picture", |model| model.files.viewed.as_ref()?.picture.clone());
    assert!(matches!(viewed, Thumbnail::Picture(picture) if (picture.width, picture.height) == (1_280, 640)));
    ben.worker.shut_down();
    ana.worker.shut_down();
    hub.shutdown();
}

fn size_of(info: &Option<FileInfo>) -> String {
    duplex::model::file::size_text(info.as_ref().unwrap().size)
}

#[test]
fn a_refused_file_says_why_and_holds_up_nothing() {
    let dirs = dirs();
    let mut options = hub::Options::embedded(&dirs.hub);
    options.limits.files.file_bytes = 100_000;
    let hub = hub::spawn(options).unwrap();
    let ana = App::start(&dirs.ana, &hub.url, &hub.admin_token);
    ana.online();
    ana.add_new(&dirs, "large.bin", &noise(100_001));
    ana.add_new(&dirs, "small.bin", &noise(1_000));
    ana.send("");
    assert_eq!(ana.messages(1)[0].1.as_ref().unwrap().name, "small.bin");
    let refused = ana.pending("the refusal", |file| matches!(file.stage, Stage::Failed(_)));
    assert_eq!(refused.stage, Stage::Failed(FileTrouble::TooLarge { limit: Some(100_000) }));
    ana.want(Intent::File(FileIntent::Cancel { connection: HERE, file: refused.info.id }));
    ana.until("it to be given up", |model| model.files.pending.get(&HERE)?.is_empty().then_some(()));
    // A file that is not there.
    ana.add(FileSource::Path(dirs.originals.join("nothing")));
    let failed = ana.pending("the failure", |file| matches!(file.stage, Stage::Failed(_)));
    assert!(matches!(failed.stage, Stage::Failed(FileTrouble::Disk { .. })));
    let outbox = ana.model.read(|model| {
        let items = model.connections[&HERE].chat.outbox.values();
        items.filter(|item| matches!(item.delivery, Delivery::Failed(_))).count()
    });
    assert_eq!(outbox, 0);
    ana.worker.shut_down();
    hub.shutdown();
}
