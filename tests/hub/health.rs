//! What a hub reports about its disk, how it handles a damaged or missing log, and the permissions of its files.

use std::fs;
use std::path::Path;

use duplex::hub::{HubError, Options, Running};
use duplex::model::id::Offset;
use duplex::wire::duplex::message::{ClientMessage, Hello, close};
use tempfile::TempDir;

use super::client::{Client, GUARD, get, hello, hub};

const PAGE: usize = 4096;

async fn healthz(hub: &Running) -> (u16, serde_json::Value) {
    let answer = get(hub.addr, "/healthz", "Host: localhost\r\n").await;
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    let body = answer.split_once("\r\n\r\n").unwrap().1;
    (status, serde_json::from_str(body).unwrap())
}

async fn metrics(hub: &Running) -> String {
    let token = hub.admin_token.reveal();
    get(hub.addr, "/metrics", &format!("Host: localhost\r\nAuthorization: Bearer {token}\r\n")).await
}

/// Waits until `/healthz` answers with this status.
async fn until(hub: &Running, status: u16) -> serde_json::Value {
    let end = tokio::time::Instant::now() + 3 * GUARD;
    loop {
        let (found, json) = healthz(hub).await;
        if found == status {
            return json;
        }
        assert!(tokio::time::Instant::now() < end, "waited too long for {status}: {json}");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}

async fn start(dir: &TempDir) -> Result<Running, HubError> {
    duplex::hub::start(Options::embedded(dir.path())).await
}

/// A hub that has run and holds this many messages of 3,000 bytes, almost one page each.
async fn lived(messages: usize) -> TempDir {
    let (dir, hub) = hub().await;
    let (mut anna, _) = Client::enter(&hub.url, hub.admin_token.reveal(), None).await;
    for number in 0..messages {
        let id = anna.send(&format!("{number} {}", "m".repeat(3_000))).await;
        anna.acked(id).await;
    }
    drop(anna);
    hub.shutdown().await;
    assert!(!dir.path().join("hub.db-wal").exists(), "closed, with everything in one file");
    dir
}

/// The leaf page that holds an entry's row.
#[cfg(unix)]
fn page_of(path: &Path, body: &str) -> usize {
    let bytes = fs::read(path).unwrap();
    bytes.windows(body.len()).position(|window| window == body.as_bytes()).unwrap() / PAGE
}

#[cfg(unix)]
fn overwrite(path: &Path, page: usize, with: &[u8]) {
    use std::os::unix::fs::FileExt;
    let file = fs::OpenOptions::new().write(true).open(path).unwrap();
    file.write_all_at(with, (page * PAGE) as u64).unwrap();
}

#[cfg(unix)]
async fn read_all(hub: &Running) -> (Client, Offset) {
    let mut client = Client::dial(&hub.url, Some(hub.admin_token.reveal())).await;
    client.say(&ClientMessage::Hello(Hello { since: Some(Offset(0)), ..hello() })).await;
    let head = client.welcome().await.head;
    (client, head)
}

#[cfg(unix)]
#[tokio::test]
async fn damage_found_by_a_reader_is_reported_and_clears_after_repair() {
    let dir = lived(400).await;
    let path = dir.path().join("hub.db");
    let page = page_of(&path, "205 mmm");
    let sound = fs::read(&path).unwrap()[page * PAGE..(page + 1) * PAGE].to_vec();
    overwrite(&path, page, &[0xaa; 256]);

    let hub = start(&dir).await.unwrap();
    let (mut reader, head) = read_all(&hub).await;
    assert_eq!(reader.closed().await.0, close::UNAVAILABLE);
    let told = until(&hub, 503).await;
    assert_eq!(told["status"], "log_damaged");
    assert!(told["detail"].as_str().unwrap().contains("duplexctl hub repair"), "{told}");
    assert_eq!(told["version"], env!("CARGO_PKG_VERSION"));
    assert!(metrics(&hub).await.contains("\nduplex_log_readable 0\n"));
    // Chat continues where nothing is damaged.
    let mut anna = Client::dial(&hub.url, Some(hub.admin_token.reveal())).await;
    anna.say(&ClientMessage::Hello(Hello { since: Some(head), ..hello() })).await;
    anna.welcome().await;
    let id = anna.send("still here").await;
    anna.acked(id).await;
    assert_eq!(healthz(&hub).await.0, 503, "a successful write does not clear a read error");

    overwrite(&path, page, &sound[..256]);
    assert_eq!(until(&hub, 200).await["status"], "ok");
    let (mut reader, head) = read_all(&hub).await;
    let read = reader.messages(401).await;
    assert_eq!(read.last().unwrap().offset, head);
    let metrics = metrics(&hub).await;
    assert!(metrics.contains("\nduplex_log_readable 1\n"), "{metrics}");
    assert!(!metrics.contains("\nduplex_log_read_errors_total 0\n"), "the errors are counted");
}

#[tokio::test]
async fn a_truncated_or_missing_log_is_never_silently_replaced() {
    let dir = lived(20).await;
    let path = dir.path().join("hub.db");
    let whole = fs::read(&path).unwrap();
    let token = fs::read(dir.path().join("token")).unwrap();
    for length in [0, 4096, whole.len() / 2, whole.len() - 1] {
        fs::write(&path, &whole[..length]).unwrap();
        let refused = start(&dir).await.err().unwrap();
        let sentence = refused.to_string();
        match refused {
            HubError::LogMissing { left, .. } if length == 0 => {
                assert!(left.contains(&"token".to_owned()) && sentence.contains("--new-log"), "{sentence}");
            }
            HubError::LogDamaged { .. } if length > 0 => {
                assert!(sentence.contains("duplexctl hub repair --data-dir"), "{sentence}");
            }
            other => panic!("{length} bytes: {other:?}"),
        }
        assert!(fs::read(&path).unwrap() == whole[..length], "nothing was written");
    }
    fs::remove_file(&path).unwrap();
    assert!(matches!(start(&dir).await.err(), Some(HubError::LogMissing { .. })));
    assert!(!path.exists());
    // Each of these files alone shows that a hub used the directory.
    for name in ["token", "hub.secret", "hub.port", "hub-readings.db"] {
        let alone = tempfile::tempdir().unwrap();
        fs::copy(dir.path().join(name), alone.path().join(name)).unwrap();
        assert!(matches!(start(&alone).await.err(), Some(HubError::LogMissing { .. })), "{name}");
    }
    let anew = Options { new_log: true, ..Options::embedded(dir.path()) };
    let hub = duplex::hub::start(anew.clone()).await.unwrap();
    assert_eq!(hub.admin_token.reveal(), String::from_utf8(token).unwrap().trim());
    let (_, welcome) = Client::enter(&hub.url, hub.admin_token.reveal(), None).await;
    assert_eq!(welcome.head, Offset(1));
    hub.shutdown().await;
    assert!(matches!(duplex::hub::start(anew.clone()).await.err(), Some(HubError::LogThere { .. })));
    // A damaged log is kept as it is.
    fs::write(&path, &whole[..PAGE]).unwrap();
    duplex::hub::start(anew).await.unwrap().shutdown().await;
    let names = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().path());
    let mut names = names.filter(|path| path.to_string_lossy().contains("hub.db.damaged-"));
    assert!(names.any(|aside| fs::read(aside).unwrap() == whole[..PAGE]));
}

#[tokio::test]
async fn a_write_ahead_log_that_lost_commits_is_detected() {
    let (dir, hub) = hub().await;
    let (mut anna, _) = Client::enter(&hub.url, hub.admin_token.reveal(), None).await;
    for number in 0..20 {
        let id = anna.send(&format!("{number}")).await;
        anna.acked(id).await;
    }
    // As a crash leaves them.
    let crashed = tempfile::tempdir().unwrap();
    for name in ["hub.db", "hub.db-wal", "hub.db-shm", "hub.secret", "token"] {
        fs::copy(dir.path().join(name), crashed.path().join(name)).unwrap();
    }
    let wal = fs::read(crashed.path().join("hub.db-wal")).unwrap();
    let keep = |length: usize| {
        let cut = tempfile::tempdir().unwrap();
        for name in ["hub.db", "hub.db-shm", "hub.secret", "token"] {
            fs::copy(crashed.path().join(name), cut.path().join(name)).unwrap();
        }
        fs::write(cut.path().join("hub.db-wal"), &wal[..length]).unwrap();
        cut
    };
    for length in [0, 32, wal.len() / 2] {
        let refused = start(&keep(length)).await.err();
        assert!(matches!(refused, Some(HubError::LogDamaged { .. })), "{length}: {refused:?}");
    }
    let whole = keep(wal.len());
    let again = start(&whole).await.unwrap();
    let (_, welcome) = Client::enter(&again.url, again.admin_token.reveal(), None).await;
    assert_eq!(welcome.head, Offset(21), "a crash alone loses nothing");
}

#[tokio::test]
async fn an_interrupted_first_start_can_be_repeated() {
    let dir = lived(0).await;
    let made = |name: &str| fs::read(dir.path().join(name)).unwrap();
    let hub_db = made("hub.db");
    let empty = {
        let other = tempfile::tempdir().unwrap();
        let path = other.path().join("hub.db");
        rusqlite::Connection::open(&path).unwrap().execute_batch("PRAGMA journal_mode = WAL").unwrap();
        fs::read(&path).unwrap()
    };
    let schema_alone = {
        let other = tempfile::tempdir().unwrap();
        let path = other.path().join("hub.db");
        fs::write(&path, &hub_db).unwrap();
        let db = rusqlite::Connection::open(&path).unwrap();
        db.execute_batch("DELETE FROM log; DELETE FROM entry; DELETE FROM room; DELETE FROM principal")
            .unwrap();
        db.close().unwrap();
        fs::read(&path).unwrap()
    };
    let lock = ("hub.lock", Vec::new());
    let done = ("hub.db", hub_db);
    let readings = ("hub-readings.db", made("hub-readings.db"));
    let secret = ("hub.secret", made("hub.secret"));
    let part = ("token.part", b"0123".to_vec());
    let token = ("token", made("token"));
    // In the order in which a first start creates them; a kill may leave any prefix.
    let steps: [&[(&str, Vec<u8>)]; 10] = [
        &[],
        std::slice::from_ref(&lock),
        &[lock.clone(), ("hub.db", Vec::new())],
        &[lock.clone(), ("hub.db", empty)],
        &[lock.clone(), ("hub.db", schema_alone)],
        &[lock.clone(), done.clone()],
        &[lock.clone(), done.clone(), readings.clone()],
        &[lock.clone(), done.clone(), readings.clone(), ("hub.secret.part", Vec::new())],
        &[lock.clone(), done.clone(), readings.clone(), secret.clone(), part],
        &[lock.clone(), done, readings, secret, token],
    ];
    for (number, step) in steps.iter().enumerate() {
        let cut = tempfile::tempdir().unwrap();
        for (name, bytes) in *step {
            fs::write(cut.path().join(name), bytes).unwrap();
        }
        let hub = start(&cut).await.unwrap_or_else(|error| panic!("step {number}: {error}"));
        let (mut anna, welcome) = Client::enter(&hub.url, hub.admin_token.reveal(), None).await;
        assert_eq!((welcome.head, welcome.rooms.len()), (Offset(1), 1), "step {number}");
        let id = anna.send("hello").await;
        assert_eq!(anna.acked(id).await, Offset(2));
    }
}

#[tokio::test]
async fn an_invalid_token_or_secret_is_reported_and_not_changed() {
    let dir = lived(0).await;
    for name in ["token", "hub.secret"] {
        let path = dir.path().join(name);
        let before = fs::read(&path).unwrap();
        for bad in ["", "garbage", &"z".repeat(64)] {
            fs::write(&path, bad).unwrap();
            let refused = start(&dir).await.err().unwrap();
            assert!(matches!(refused, HubError::Damaged { .. }), "{refused}");
            assert!(refused.to_string().contains(name), "{refused}");
            assert_eq!(fs::read_to_string(&path).unwrap(), bad);
        }
        fs::write(&path, before).unwrap();
    }
    start(&dir).await.unwrap();
}

#[tokio::test]
async fn a_database_of_another_application_is_refused() {
    let dir = lived(0).await;
    let path = dir.path().join("hub.db");
    fs::remove_file(&path).unwrap();
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("PRAGMA application_id = 77; PRAGMA user_version = 3; CREATE TABLE log (x)").unwrap();
    drop(other);
    let before = fs::read(&path).unwrap();
    let refused = start(&dir).await.err().unwrap();
    assert!(refused.to_string().contains("another program's database"), "{refused}");
    assert!(fs::read(&path).unwrap() == before);
}

#[cfg(unix)]
#[tokio::test]
async fn a_shared_directory_is_made_private_and_a_linked_token_refused() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    start(&dir).await.unwrap().shutdown().await;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(dir.path()), 0o700);
    let (token, db) = (dir.path().join("token"), dir.path().join("hub.db"));
    for path in [&token, &db] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
    }
    start(&dir).await.unwrap().shutdown().await;
    assert_eq!((mode(&token), mode(&db)), (0o600, 0o600));
    let elsewhere = tempfile::tempdir().unwrap();
    fs::rename(&token, elsewhere.path().join("token")).unwrap();
    std::os::unix::fs::symlink(elsewhere.path().join("token"), &token).unwrap();
    let refused = start(&dir).await.err().unwrap();
    assert!(matches!(refused, HubError::NotOwn { .. }), "{refused}");
    assert!(refused.to_string().contains("is a link"), "{refused}");
}

const READINGS: &str = "/v1/devices/shed/readings";

fn post_status(answer: &str) -> u16 {
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_reading_that_cannot_be_stored_is_relayed_but_not_confirmed() {
    let dir = lived(0).await;
    // Simulates a full disk: no space can be reserved for readings.
    let reserve = dir.path().join("hub-readings.db.reserve");
    fs::remove_file(&reserve).unwrap();
    fs::create_dir(&reserve).unwrap();
    let hub = start(&dir).await.unwrap();
    let token = duplex::hub::add_device(dir.path(), "shed", "").unwrap();
    let mut watcher = Client::admin(&hub).await;
    watcher.watch().await;
    let answer = super::client::post(hub.addr, READINGS, token.reveal(), r#"{"t": 1}"#).await;
    assert_eq!(post_status(&answer), 503, "{answer}");
    assert!(answer.contains("retry-after: 5") && answer.contains("were not kept"), "{answer}");
    let (samples, _) = watcher.readings().await;
    assert_eq!(samples[0].values.len(), 1, "watchers see it");
    let (status, told) = healthz(&hub).await;
    assert_eq!((status, &told["status"]), (503, &"readings_not_kept".into()));
    let text = metrics(&hub).await;
    assert!(
        text.contains("\nduplex_readings_kept 0\n") && text.contains("\nduplex_readings_not_kept_total 1\n")
    );

    // Over a socket it is reported once.
    let mut pump = Client::admin(&hub).await;
    for value in [1.0, 2.0, 3.0] {
        pump.publish("pump", &[("t", value)]).await;
    }
    assert_eq!(pump.refusal().await, ("pump".to_owned(), "not_kept".to_owned()));
    pump.publish("~", &[("t", 1.0)]).await;
    assert_eq!(pump.refusal().await.1, "bad_name", "the second and the third were not reported");

    fs::remove_dir(&reserve).unwrap();
    until(&hub, 200).await;
    let answer = super::client::post(hub.addr, READINGS, token.reveal(), r#"{"t": 2}"#).await;
    assert_eq!(post_status(&answer), 204, "{answer}");
}

#[tokio::test]
async fn readings_without_a_database_are_not_confirmed() {
    let dir = lived(0).await;
    let path = dir.path().join("hub-readings.db");
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    let hub = start(&dir).await.unwrap();
    let token = duplex::hub::add_device(dir.path(), "shed", "").unwrap();
    let answer = super::client::post(hub.addr, READINGS, token.reveal(), r#"{"t": 1}"#).await;
    assert_eq!(post_status(&answer), 503, "{answer}");
    assert_eq!(healthz(&hub).await.1["status"], "readings_not_kept");
    let (mut anna, _) = Client::enter(&hub.url, hub.admin_token.reveal(), None).await;
    let id = anna.send("chat goes on").await;
    anna.acked(id).await;
}
