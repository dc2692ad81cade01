//! Data directories of earlier versions, opened by today's code: everything in them is still there, what waited in the
//! outbox is delivered once, and files of a later version are refused untouched.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test program")]

use std::fmt::Write as _;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use chrono::NaiveDate;
use duplex::hub;
use duplex::model::content::{Content, Draft};
use duplex::model::event::{Side, Stored};
use duplex::model::id::{Epoch, Offset};
use duplex::model::intent::Jump;
use duplex::model::message::Message;
use duplex::model::panes::DeviceLayout;
use duplex::model::profile::{Profile, Secret};
use duplex::model::search::{self, Patience, Scope, Search};
use duplex::model::time::WallMs;
use duplex::model::{
    Banner, Connection, ConnectionId, Delivery, DeviceId, Entry, LanguageChoice, Level, LinkState, MessageId,
    PrincipalId, Role, RoomId, Sender, SharedModel, Theme,
};
use duplex::settings::{self, SecretStore, Settings};
use duplex::store::client::{self, ClientStore};
use duplex::store::hub::{Append, Appended};
use duplex::store::readings::{APP_FILE, HUB_FILE, ReadingsLimits, ReadingsStore};
use duplex::store::{HubStore, StoreError};
use duplex::worker::{Options, Worker};
use rusqlite::Connection as Sqlite;
use rusqlite::types::ValueRef;
use sha2::{Digest as _, Sha256};

/// The app's own server, the hub of the fixtures, and a server of a later version.
const OWN: ConnectionId = ConnectionId::OWN_HUB;
const WORKSHOP: ConnectionId = ConnectionId(3);
const LATER: ConnectionId = ConnectionId(4);
/// Longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(60);
/// Messages read from a disk at once.
const PAGE: u32 = 7;
/// The time of the readings in the fixtures.
const PAST: (WallMs, WallMs) = (WallMs(1_795_600_000_000), WallMs(1_796_100_000_000));
/// A moment after everything in the fixtures.
const AFTERWARDS: WallMs = WallMs(1_900_000_000_000);

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/before_rooms")
}

fn expected(name: &str) -> String {
    fs::read_to_string(fixtures().join(name)).unwrap()
}

/// A copy of one of the data directories.
fn unpack(name: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for file in fs::read_dir(fixtures().join(name)).unwrap() {
        let path = file.unwrap().path();
        let mut content = fs::read(&path).unwrap();
        let mut name = path.file_name().unwrap().to_str().unwrap();
        if let Some(packed) = name.strip_suffix(".gz") {
            name = packed;
            let mut whole = Vec::new();
            flate2::read::GzDecoder::new(content.as_slice()).read_to_end(&mut whole).unwrap();
            content = whole;
        }
        settings::private_file::write(&dir.path().join(name), &content).unwrap();
    }
    dir
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// What a room of the fixtures is known by: rooms made before rooms had ids have their name as the id.
fn room(name: &str) -> RoomId {
    RoomId::new(name).unwrap()
}

/// The name of a room that something belongs to, as a person sees it.
fn name_of<'a>(stored: &'a Stored, room: &'a RoomId) -> &'a str {
    let known = stored.rooms.iter().find(|known| known.id == *room);
    known.map_or(room.as_str(), |known| known.name.as_str())
}

fn device(id: &str) -> DeviceId {
    DeviceId::new(id).unwrap()
}

// ----- What is in them, as text -----

/// All that the disk holds of a connection.
fn describe_connection(store: &ClientStore, id: ConnectionId) -> String {
    let stored = wait(store.load(id)).unwrap().stored;
    let mut text = format!("connection {}\n", id.0);
    if let Some(me) = &stored.me {
        writeln!(text, "  me: {} {:?} {:?}", me.id, me.kind, me.name).unwrap();
    }
    let features: Vec<&str> = stored.features.iter().flat_map(|features| features.words()).collect();
    writeln!(text, "  features: {}", features.join(" ")).unwrap();
    let (era, from, to) = (stored.era, stored.era_from, stored.received_to);
    writeln!(text, "  era {era}, from {from}, received to {to}").unwrap();
    let mut rooms: Vec<_> = stored.rooms.iter().collect();
    rooms.sort_by_key(|room| name_of(&stored, &room.id));
    for room in rooms {
        writeln!(text, "  room {:?}", name_of(&stored, &room.id)).unwrap();
        let (newest, read) = (room.newest, room.read);
        write!(text, "    newest {}.{}, read {}.{}", newest.era, newest.offset, read.era, read.offset)
            .unwrap();
        write!(text, ", unread {}, mentions {}", room.unread, room.mentions).unwrap();
        writeln!(text, ", more at the server: {}, draft {:?}", room.older_on_hub, room.draft).unwrap();
        for message in messages(store, id, &room.id) {
            let Message { position, id, sender, content, at, received, .. } = message;
            let body = content.body();
            write!(text, "    {}.{} {id}, {}, {}", position.era, position.offset, at.0, received.0).unwrap();
            writeln!(text, ", {} {:?}: {body:?}", sender.id, sender.name).unwrap();
        }
    }
    for item in &stored.outbox {
        let delivery = match &item.delivery {
            Delivery::Pending => "pending".to_owned(),
            Delivery::Attempted => "attempted".to_owned(),
            Delivery::Sent => "sent".to_owned(),
            Delivery::Unsure => "unsure".to_owned(),
            Delivery::Acknowledged { offset, received } => {
                format!("acknowledged at {offset}, {}", received.0)
            }
            Delivery::Failed(refusal) => format!("refused {}", serde_json::to_string(refusal).unwrap()),
        };
        let (draft, body) = (&item.draft, item.draft.content.body());
        let room = name_of(&stored, &draft.room);
        writeln!(text, "  outbox {} {}, {}, {room:?}, {delivery}: {body:?}", item.seq, draft.id, draft.at.0)
            .unwrap();
    }
    text
}

/// All messages of a room on a client's disk, page by page.
fn messages(store: &ClientStore, id: ConnectionId, room: &RoomId) -> Vec<Message> {
    let mut page = wait(store.jump(id, room.clone(), Jump::Start, PAGE)).unwrap();
    let mut all = Vec::new();
    while let Some(last) = page.messages.last().map(|message| message.position) {
        all.append(&mut page.messages);
        page = wait(store.page(id, room.clone(), last, Side::Newer, PAGE)).unwrap();
    }
    all
}

/// What readings.db and its like hold of one source.
fn describe_readings(store: &ReadingsStore, source: u64) -> String {
    let mut text = format!("readings of {source}\n");
    for state in wait(store.devices(source)).unwrap() {
        let id = &state.spec.id;
        writeln!(text, "  device {:?} {:?}, will {:?}", id.as_str(), state.spec.name, state.spec.will)
            .unwrap();
        let mut values: Vec<_> = state.values.iter().collect();
        values.sort_by_key(|value| value.metric.as_str());
        for value in values {
            let name = value.metric.as_str();
            writeln!(text, "    {name:?} at {}, {}: {:?}", value.at.0, value.received.0, value.value)
                .unwrap();
            let page = wait(store.series(source, id.clone(), value.metric.clone(), PAST.0, PAST.1, 100_000))
                .unwrap();
            let buckets = &page.buckets;
            let sum = buckets.iter().fold(0.0, |sum, bucket| sum + bucket.mean * f64::from(bucket.count));
            let ends = (buckets.first().map(|bucket| bucket.at), buckets.last().map(|bucket| bucket.at));
            writeln!(
                text,
                "      past: {} from {:?} to {:?}, sum {sum:.3}",
                buckets.len(),
                ends.0.map(|at| at.0),
                ends.1.map(|at| at.0)
            )
            .unwrap();
            for change in wait(store.states(source, id.clone(), value.metric.clone())).unwrap() {
                writeln!(text, "      state {} {:?}", change.at.0, change.value).unwrap();
            }
        }
        for line in wait(store.device_log(source, id.clone(), 100)).unwrap() {
            writeln!(text, "    log {}", serde_json::to_string(&line).unwrap()).unwrap();
        }
    }
    text
}

fn open_hub(dir: &Path) -> Result<HubStore, StoreError> {
    HubStore::open(dir, Epoch(7), AFTERWARDS, MessageId::from_random([7; 16]))
}

fn entries(store: &HubStore) -> Vec<Entry> {
    let mut all = Vec::new();
    let mut from = store.oldest();
    while from <= store.head() {
        let some = wait(store.read(from, 5, 1 << 20)).unwrap();
        from = from + some.len() as u64;
        all.extend(some);
    }
    all
}

/// All that a hub's database holds.
fn describe_hub(store: &HubStore) -> String {
    let mut text = format!("log {}, {} to {}\n", store.epoch(), store.oldest(), store.head());
    writeln!(text, "owner {:?}", wait(store.owner()).unwrap()).unwrap();
    for devices in [false, true] {
        let (all, next) = wait(store.page(devices, String::new())).unwrap();
        assert_eq!(next, None);
        for who in all {
            writeln!(text, "{} {:?} {:?}", who.id, who.kind, who.name).unwrap();
            for (room, offset) in wait(store.reads(who.id)).unwrap() {
                writeln!(text, "  read {:?} to {offset}", room.as_str()).unwrap();
            }
        }
    }
    for mut invite in wait(store.invites(String::new())).unwrap().0 {
        // No version before roles has one: whoever was invited may do what everybody could.
        assert!(matches!(invite.role.take(), Some(Role::Operator | Role::Admin)));
        writeln!(text, "invite {}", serde_json::to_string(&invite).unwrap()).unwrap();
    }
    for room in wait(store.rooms()).unwrap() {
        writeln!(text, "room {:?}", room.name.as_str()).unwrap();
    }
    for entry in entries(store) {
        let Entry { draft, offset, sender, received } = entry;
        let (kind, body, room) = (draft.content.kind(), draft.content.body(), draft.room.as_str());
        write!(text, "{offset} {kind} {}, {}, {}, {room:?}", draft.id, draft.at.0, received.0).unwrap();
        writeln!(text, ", {} {:?}: {body:?}", sender.id, sender.name).unwrap();
    }
    text
}

/// Whether any column of any table holds this text.
fn holds(db: &Path, text: &str) -> bool {
    let db = Sqlite::open(db).unwrap();
    let mut tables = db
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND sql NOT LIKE '%VIRTUAL%'")
        .unwrap();
    let names: Vec<String> = tables.query_map((), |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    names.iter().any(|name| {
        let mut rows = db.prepare(&format!("SELECT * FROM \"{name}\"")).unwrap();
        let columns = rows.column_count();
        let mut rows = rows.query(()).unwrap();
        while let Some(row) = rows.next().unwrap() {
            for column in 0..columns {
                if let ValueRef::Text(bytes) | ValueRef::Blob(bytes) = row.get_ref(column).unwrap()
                    && String::from_utf8_lossy(bytes).contains(text)
                {
                    return true;
                }
            }
        }
        false
    })
}

fn assert_same(found: &str, expected: &str) {
    for (found, expected) in found.lines().zip(expected.lines()) {
        assert_eq!(found, expected);
    }
    assert_eq!(found.lines().count(), expected.lines().count());
}

// ----- The tests -----

#[test]
fn everything_in_an_earlier_app_directory_is_there() {
    let dir = unpack("app");
    for opening in ["migrated", "opened again"] {
        let opened = ClientStore::open(dir.path());
        assert_eq!(opened.banners, [], "{opening}");
        let store = opened.store;
        let readings = ReadingsStore::open(dir.path(), APP_FILE, ReadingsLimits::APP).unwrap();
        let mut found = String::new();
        for id in [OWN, WORKSHOP, LATER, ConnectionId(5), ConnectionId(9)] {
            found += &describe_connection(&store, id);
        }
        found += &describe_readings(&readings, WORKSHOP.0);
        assert_same(&found, &expected("app.txt"));

        for (words, hits) in [("spindle", 1), ("안녕하세요", 1), ("reply", 1), ("trimm", 1), ("nowhere", 0)]
        {
            let query = search::parse::parse(words, NaiveDate::default(), false).query(|_| None);
            let scope = Scope::Everywhere;
            let search = Search { number: 1, query, scope, behind: None, patience: Patience::Thorough };
            let found = wait(store.search(search)).unwrap().unwrap();
            assert_eq!(found.hits.len(), hits, "{words}");
        }
    }
    // What was not understood is kept as it came.
    for part in [
        r#""emoji":"👍""#,
        r#""weight":0.5"#,
        r#""options":["예","아니요"]"#,
        r#""topic":"기계""#,
        r#""pins":3"#,
        r#"{"edited":true,"reply_to":{"offset":3,"quote":"before"}}"#,
        r#""thread":{"root":"x"}"#,
    ] {
        assert!(holds(&dir.path().join(client::FILE), part), "{part}");
    }
}

#[test]
fn everything_in_an_earlier_hub_directory_is_there() {
    let dir = unpack("hub");
    for _ in ["migrated", "opened again"] {
        let store = open_hub(dir.path()).unwrap();
        let readings = ReadingsStore::open(dir.path(), HUB_FILE, ReadingsLimits::HUB).unwrap();
        assert_same(&(describe_hub(&store) + &describe_readings(&readings, 0)), &expected("hub.txt"));

        // Tokens are kept as hashes.
        let hash = |digit: &str| Sha256::digest(digit.repeat(64)).into();
        let name = |digit| wait(store.principal_by_token_hash(hash(digit))).unwrap().map(|who| who.name);
        let names = ["1", "2", "6", "7"].map(name);
        assert_eq!(names, [Some("admin".into()), Some("Mina".into()), None, Some("헛간".into())]);
        let back = store.redeem([9; 32], "Mallory".into(), hash("6"), PrincipalId("new".into()), AFTERWARDS);
        assert!(wait(back).is_err());

        // An entry that was let go of, and one that is there, are known when they come again.
        let again = |sender: &str, id: MessageId, to: &str| {
            let sender = Sender { id: PrincipalId(sender.into()), name: "again".into() };
            let draft = Draft { id, room: room(to), content: Content::text("again"), at: AFTERWARDS };
            wait(store.append(Append {
                draft,
                sender,
                role: Role::Operator,
                received: AFTERWARDS,
                only_known: false,
            }))
            .unwrap()
        };
        let gone = again("old-jun", "0d8f4e38-3dd0-48f5-8f93-39cf69df9f4a".parse().unwrap(), "general");
        assert!(
            matches!(gone, Appended::Known { offset: Offset(2), received: WallMs(1_790_813_513_435) }),
            "{gone:?}"
        );
        let kept = entries(&store).pop().unwrap();
        let known = again(&kept.sender.id.0, kept.draft.id, kept.draft.room.as_str());
        assert!(matches!(known, Appended::Known { offset, .. } if offset == kept.offset), "{known:?}");
    }
    assert!(hub::check(dir.path()).unwrap().is_sound());
}

#[test]
fn everything_in_an_earlier_settings_file_is_there() {
    let dir = unpack("app");
    let (settings, banner) = Settings::load(dir.path());
    assert_eq!(banner, None);
    // What is written again says the same, whatever is added.
    let before: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(dir.path().join("settings.json")).unwrap()).unwrap();
    fs::remove_file(dir.path().join("settings.json")).unwrap();
    settings.save().unwrap();
    let after: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(dir.path().join("settings.json")).unwrap()).unwrap();
    assert_eq!(missing("", &before, &after), Vec::<String>::new());

    let profiles: Vec<_> =
        settings.profiles().iter().map(|p| (p.id.0, p.name.as_str(), p.auto_connect)).collect();
    let (office, cabin) = ((5, "Office", false), (6, "오두막 🏡", false));
    assert_eq!(profiles, [(3, "작업실", true), (4, "Later version #4", true), office, cabin]);
    assert_eq!(settings.profiles()[2].ca_file.as_deref(), Some(Path::new("/etc/ssl/office-ca.pem")));
    assert_eq!(settings.profiles()[3].fingerprint, Some("ab".repeat(32)));
    assert_eq!(settings.new_connection_id(), ConnectionId(10));
    assert_eq!((settings.display_name(), settings.first_steps_done()), ("Mina 미나", true));
    let preferences = settings.preferences();
    assert_eq!((preferences.language, preferences.theme), (LanguageChoice::Korean, Theme::HighContrast));
    assert_eq!((preferences.notices.rooms, preferences.notices.quiet_from), (Level::All, 21 * 60 + 30));
    let choices = settings.notice_choices();
    let levels = [
        (WORKSHOP, "a/b?c#d%20e"),
        (WORKSHOP, "선반 🛠️ lathe"),
        (LATER, "물론 🟢 / 100%?"),
        (OWN, "메모 📓"),
    ]
    .map(|(id, name)| choices.room(id, &room(name)));
    assert_eq!(levels, [Level::Nothing, Level::All, Level::Mentions, Level::Nothing].map(Some));
    assert!(choices.is_muted(WORKSHOP, &device("가마 #2")));
    let devices = settings.device_choices().of(WORKSHOP);
    let (lathe, kiln) = (&devices[&device("lathe-1")], &devices[&device("가마 #2")]);
    assert_eq!(
        (lathe.name.as_str(), lathe.group.as_str(), lathe.pinned, kiln.hidden),
        ("선반", "Workshop", true, true)
    );
    let panes = Settings::glance(dir.path()).2;
    assert_eq!(
        (panes.devices.layout, panes.room),
        (DeviceLayout::Table, Some((WORKSHOP, room("a/b?c#d%20e"))))
    );
    let tokens = SecretStore::without_keyring(dir.path());
    assert_eq!(tokens.get(WORKSHOP).unwrap(), Some(Secret::new("2".repeat(64))));
    assert_eq!(tokens.get(LATER).unwrap(), Some(Secret::new("4".repeat(64))));
}

/// What of one JSON value is not in another.
fn missing(at: &str, before: &serde_json::Value, after: &serde_json::Value) -> Vec<String> {
    use serde_json::Value;
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => {
            let null = Value::Null;
            let fields = before.iter().filter(|(name, _)| *name != "version");
            fields
                .flat_map(|(name, value)| {
                    missing(&format!("{at}/{name}"), value, after.get(name).unwrap_or(&null))
                })
                .collect()
        }
        (Value::Array(before), Value::Array(after)) if before.len() == after.len() => {
            let both = before.iter().zip(after).enumerate();
            both.flat_map(|(place, (before, after))| missing(&format!("{at}/{place}"), before, after))
                .collect()
        }
        _ if before == after => Vec::new(),
        _ => vec![format!("{at}: {before} became {after}")],
    }
}

#[test]
fn files_of_a_later_version_are_refused_untouched() {
    let dir = unpack("app");
    let path = |name: &str| dir.path().join(name);
    drop((
        ClientStore::open(dir.path()),
        open_hub(dir.path()).unwrap(),
        ReadingsStore::open(dir.path(), APP_FILE, ReadingsLimits::APP).unwrap(),
    ));
    for name in [client::FILE, "hub.db", APP_FILE] {
        let db = Sqlite::open(path(name)).unwrap();
        let version: i64 = db.query_row("PRAGMA user_version", (), |row| row.get(0)).unwrap();
        db.pragma_update(None, "user_version", version + 1).unwrap();
    }
    let text = fs::read_to_string(path("settings.json")).unwrap();
    fs::write(path("settings.json"), text.replace("\"version\": 1", "\"version\": 9999")).unwrap();
    let names = [client::FILE, "hub.db", APP_FILE, "settings.json"];
    let before = names.map(|name| fs::read(path(name)).unwrap());

    let opened = ClientStore::open(dir.path());
    assert_eq!(opened.banners, [Banner::DatabaseNewer { path: path(client::FILE) }]);
    wait(
        opened
            .store
            .commit(WORKSHOP, vec![client::Write::Draft { room: room("general"), text: "not kept".into() }]),
    );
    drop(opened);
    assert!(open_hub(dir.path()).is_err());
    assert!(hub::spawn(hub::Options::embedded(dir.path())).is_err());
    assert!(ReadingsStore::open(dir.path(), APP_FILE, ReadingsLimits::APP).is_err());
    let (mut settings, _) = Settings::load(dir.path());
    settings.set_display_name("not kept");
    assert!(settings.is_newer() && settings.save().is_err());
    for (name, before) in names.iter().zip(before) {
        assert!(fs::read(path(name)).unwrap() == before, "{name} was changed");
    }
}

/// The app without a window.
struct App {
    model: SharedModel,
    worker: Worker,
    wakes: mpsc::Receiver<()>,
}

impl App {
    fn start(dir: &Path, only: Option<(Profile, Option<Secret>)>) -> App {
        let model = SharedModel::default();
        let (wake, wakes) = mpsc::sync_channel(1);
        let wake = Arc::new(move |_| _ = wake.try_send(()));
        let worker =
            Worker::spawn(Options { data_dir: dir.to_owned(), only, tell: None }, model.clone(), wake)
                .unwrap();
        App { model, worker, wakes }
    }

    fn until(&self, what: &str, id: ConnectionId, is: impl Fn(&Connection) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !self.model.read(|model| model.connections.get(&id).is_some_and(&is)) {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "waited too long for {what}");
            // It may be woken for something else, or have been already.
            let _ = self.wakes.recv_timeout(left.min(Duration::from_secs(1)));
        }
    }

    fn end(self) -> Vec<Banner> {
        self.worker.shut_down();
        self.model.read(|model| model.banners.clone())
    }
}

/// What of the expected text is about a connection.
fn expected_of(id: ConnectionId) -> String {
    let text = expected("app.txt");
    let head = format!("connection {}\n", id.0);
    let begin = text.find(&head).unwrap();
    let rest = &text[begin + head.len()..];
    let end = rest.find("\nconnection ").map_or(rest.len(), |end| end + 1);
    head + &rest[..end]
}

#[test]
fn an_earlier_app_starts_and_delivers_to_its_own_server() {
    let dir = unpack("app");
    // Nobody's keyring takes part.
    fs::remove_file(dir.path().join("tokens.json")).unwrap();
    let app = App::start(dir.path(), None);
    app.until("the own server to have everything", OWN, |own| {
        own.link.is_online() && own.chat.outbox.is_empty()
    });
    for id in [WORKSHOP, LATER] {
        app.until("another connection", id, |other| {
            !other.chat.rooms.is_empty() && !other.chat.outbox.is_empty()
        });
    }
    assert_eq!(app.end(), []);
    let own = entries(&open_hub(dir.path()).unwrap());
    let bodies: Vec<&str> = own
        .iter()
        .map(|entry| entry.draft.content.body())
        .filter(|body| body.starts_with("pending"))
        .collect();
    assert_eq!(bodies, ["pending at the own server: one", "pending at the own server: two"]);
    let store = ClientStore::open(dir.path()).store;
    for id in [WORKSHOP, LATER] {
        assert_same(&describe_connection(&store, id), &expected_of(id));
    }
}

#[test]
fn an_earlier_outbox_is_kept_without_a_server_and_delivered_once_with_it() {
    let (dir, hub_dir) = (unpack("app"), unpack("hub"));
    let (settings, _) = Settings::load(dir.path());
    let mut profile = settings.profiles().into_iter().find(|profile| profile.id == WORKSHOP).unwrap().clone();
    let token = Secret::new("2".repeat(64));

    let app = App::start(dir.path(), Some((profile.clone(), Some(token.clone()))));
    app.until("a failed dial", WORKSHOP, |work| matches!(work.link, LinkState::Waiting { .. }));
    assert_eq!(app.end(), []);
    assert_same(&describe_connection(&ClientStore::open(dir.path()).store, WORKSHOP), &expected_of(WORKSHOP));

    let before = entries(&open_hub(hub_dir.path()).unwrap());
    let hub = hub::spawn(hub::Options::embedded(hub_dir.path())).unwrap();
    profile.urls = vec![hub.url.clone()];
    let app = App::start(dir.path(), Some((profile, Some(token))));
    let is_refused = |delivery: &Delivery| matches!(delivery, Delivery::Failed(_));
    app.until("everything to be delivered", WORKSHOP, |work| {
        work.link.is_online() && work.chat.outbox.values().all(|item| is_refused(&item.delivery))
    });
    assert_eq!(app.end(), []);
    hub.shutdown();

    let after = entries(&open_hub(hub_dir.path()).unwrap());
    assert_eq!(after[..before.len()], before, "what was there stays as it was");
    let new: Vec<_> = after[before.len()..]
        .iter()
        .map(|entry| (entry.draft.room.as_str(), entry.draft.content.body()))
        .collect();
    let (general, store_room) = ("general", "창고 #1?/50% 🛠️");
    assert_eq!(
        new,
        [
            (general, "attempted, and never arrived"),
            ("a/b?c#d%20e", "pending: typed while away"),
            (general, "pending: 물론 🟢\nsecond line"),
            (store_room, "pending: the last of all"),
        ]
    );
    let store = ClientStore::open(dir.path()).store;
    let outbox = wait(store.outbox(WORKSHOP)).unwrap();
    assert_eq!(
        outbox.iter().map(|item| item.draft.content.body()).collect::<Vec<_>>(),
        ["refused: there is no such room"]
    );
    let mine = |name: &str, body: &str| {
        messages(&store, WORKSHOP, &room(name)).iter().filter(|m| m.body() == body).count()
    };
    for (name, body) in new {
        assert_eq!(mine(name, body), 1, "{body}");
    }
    assert_eq!(mine("선반 🛠️ lathe", "acknowledged, and its entry is still to come"), 1);
    assert_eq!(mine(general, "at the hub, which could not say so"), 1);
}
