//! Maintenance of a hub's data: check, repair, backup; and how clients handle a repaired log.

use std::fs;

use duplex::hub::{HubError, Options};
use duplex::model::{Offset, ResumePoint};
use duplex::wire::duplex::message::{ClientMessage, Hello, Start};

use super::client::{Client, hello, hub};

const PAGE: usize = 4096;

#[tokio::test]
async fn a_repaired_log_has_a_new_epoch_and_people_can_connect_as_before() {
    let (dir, first) = hub().await;
    let (mut ben, ben_token) = Client::join(&dir, &first.url, "Ben").await;
    let mut last = None;
    for number in 0..200 {
        let id = ben.send(&format!("{number} {}", "m".repeat(3_000))).await;
        last = Some((id, ben.acked(id).await));
    }
    let admin = first.admin_token.reveal().to_owned();
    let (id, offset): (_, Offset) = last.unwrap();
    let received = ben.messages(200).await.last().unwrap().received;
    ben.say(&ClientMessage::Read { room: duplex::model::RoomId::general(), offset: Offset(100) }).await;
    let (mut other, _) = Client::enter(&first.url, &ben_token, None).await;
    let told = other.send("settle").await;
    other.acked(told).await;
    let (epoch, url) = (Client::enter(&first.url, &admin, None).await.1.epoch, first.url.clone());
    assert!(
        matches!(duplex::hub::repair(dir.path()), Err(HubError::Running { .. })),
        "not while a hub is running"
    );
    assert!(duplex::hub::check(dir.path()).unwrap().is_sound(), "beside a running hub");
    drop((ben, other));
    first.shutdown().await;
    assert_eq!(duplex::hub::repair(dir.path()).unwrap(), None, "there is nothing to repair");

    let path = dir.path().join("hub.db");
    let mut bytes = fs::read(&path).unwrap();
    let page = bytes.windows(8).position(|window| window == b"120 mmmm").unwrap() / PAGE;
    bytes[page * PAGE..page * PAGE + 300].fill(0x5a);
    fs::write(&path, &bytes).unwrap();
    let found = duplex::hub::check(dir.path()).unwrap();
    assert!(!found.is_sound());
    assert!(fs::read(&path).unwrap() == bytes, "a check changes nothing");
    let lines = duplex::hub::repair(dir.path()).unwrap().unwrap();
    assert!(lines.iter().any(|line| line.contains("could not be read")), "{lines:?}");
    assert!(duplex::hub::check(dir.path()).unwrap().is_sound());

    let again = duplex::hub::start(Options::embedded(dir.path())).await.unwrap();
    assert_eq!(again.url, url);
    let resume = ResumePoint { epoch, offset, id, received };
    let (mut ben, welcome) = Client::enter(&again.url, &ben_token, Some(resume)).await;
    assert_eq!((welcome.start, welcome.from), (Start::EpochChanged, Offset(1)));
    assert_ne!(welcome.epoch, epoch);
    let read = welcome.read.iter().map(|marker| marker.offset).next().unwrap();
    assert!((99..=100).contains(&read.0), "{read}");
    let entries = ben.messages(welcome.head.0 as usize - 1).await;
    assert!(entries.len() >= 199, "{} of 201", entries.len());
    let numbers: Vec<_> = entries
        .iter()
        .map(|entry| entry.draft.content.body().split(' ').next().unwrap().to_owned())
        .collect();
    let lost: Vec<_> = (0..200).filter(|number| !numbers.contains(&number.to_string())).collect();
    assert!(lost.len() <= 2 && lost.contains(&120), "{lost:?}");
    // Lost messages are sent again by clients that have them, and stored.
    ben.send_as(id, "199").await;
    assert!(ben.acked(id).await <= welcome.head, "stored messages are not duplicated");
    let (_, welcome) = Client::enter(&again.url, &admin, None).await;
    assert_eq!(welcome.epoch, Client::enter(&again.url, &ben_token, None).await.1.epoch);
}

#[tokio::test]
async fn a_backup_of_a_running_hub_is_complete_private_and_starts() {
    let (dir, first) = hub().await;
    let (mut ben, ben_token) = Client::join(&dir, &first.url, "Ben").await;
    let id = ben.send("before").await;
    ben.acked(id).await;
    let shelf = tempfile::tempdir().unwrap();
    let to = shelf.path().join("monday");
    let names = duplex::hub::backup(dir.path(), &to).unwrap();
    for name in ["hub.db", "hub-readings.db", "token", "hub.secret"] {
        assert!(names.contains(&name.to_owned()), "{names:?}");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&to), 0o700);
        for entry in fs::read_dir(&to).unwrap() {
            assert_eq!(mode(&entry.unwrap().path()), 0o600);
        }
    }
    assert!(!shelf.path().join("monday.part").exists());
    assert!(matches!(duplex::hub::backup(dir.path(), &to), Err(HubError::InTheWay { .. })));
    let id = ben.send("after").await;
    ben.acked(id).await;

    // Restored elsewhere, it is the hub of that moment.
    let restored = duplex::hub::start(Options::embedded(&to)).await.unwrap();
    assert_eq!(restored.admin_token, first.admin_token);
    let mut client = Client::dial(&restored.url, Some(&ben_token)).await;
    client.say(&ClientMessage::Hello(Hello { since: Some(Offset(0)), ..hello() })).await;
    assert_eq!(client.welcome().await.head, Offset(2));
    assert_eq!(client.messages(1).await[0].draft.content.body(), "before");
}

#[tokio::test]
async fn a_damaged_hub_is_not_copied_and_no_partial_copy_is_left() {
    let (dir, first) = hub().await;
    let (mut anna, _) = Client::enter(&first.url, first.admin_token.reveal(), None).await;
    for number in 0..60 {
        let id = anna.send(&format!("{number} {}", "m".repeat(3_000))).await;
        anna.acked(id).await;
    }
    drop(anna);
    first.shutdown().await;
    let path = dir.path().join("hub.db");
    let mut bytes = fs::read(&path).unwrap();
    let page = bytes.windows(7).position(|window| window == b"30 mmmm").unwrap() / PAGE;
    bytes[page * PAGE..page * PAGE + 300].fill(0x5a);
    fs::write(&path, &bytes).unwrap();
    let shelf = tempfile::tempdir().unwrap();
    let refused = duplex::hub::backup(dir.path(), &shelf.path().join("b")).err().unwrap();
    assert!(matches!(refused, HubError::LogDamaged { .. }), "{refused}");
    assert_eq!(fs::read_dir(shelf.path()).unwrap().count(), 0);
    let nowhere = tempfile::tempdir().unwrap();
    assert!(matches!(duplex::hub::check(nowhere.path()), Err(HubError::NoHub { .. })));
    assert!(matches!(duplex::hub::repair(nowhere.path()), Err(HubError::NoHub { .. })));
    assert_eq!(fs::read_dir(nowhere.path()).unwrap().count(), 0, "checking creates nothing");
}

#[tokio::test]
async fn damaged_readings_are_recovered_as_far_as_possible() {
    let (dir, first) = hub().await;
    let token = duplex::hub::add_device(dir.path(), "shed", "").unwrap();
    let now = duplex::clock::now().wall_ms;
    for metric in 0..60 {
        let list: Vec<_> = (0..60)
            .map(|minute| {
                format!(r#"{{"metric":"m{metric}","value":{minute},"at":{}}}"#, (now - minute * 60_000).0)
            })
            .collect();
        let body = format!("[{}]", list.join(","));
        let answer =
            super::client::post(first.addr, "/v1/devices/shed/readings", token.reveal(), &body).await;
        assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
    }
    first.shutdown().await;
    let path = dir.path().join("hub-readings.db");
    let mut bytes = fs::read(&path).unwrap();
    let page = bytes.len() / PAGE / 2;
    bytes[page * PAGE..page * PAGE + 300].fill(0x5a);
    fs::write(&path, &bytes).unwrap();
    assert!(!duplex::hub::check(dir.path()).unwrap().is_sound());
    let log = fs::read(dir.path().join("hub.db")).unwrap();
    let lines = duplex::hub::repair(dir.path()).unwrap().unwrap();
    assert!(lines[0].contains("hub-readings.db is repaired"), "{lines:?}");
    assert!(fs::read(dir.path().join("hub.db")).unwrap() == log, "intact files are not changed");
    assert!(duplex::hub::check(dir.path()).unwrap().is_sound());
    let again = duplex::hub::start(Options::embedded(dir.path())).await.unwrap();
    let list = Client::admin(&again).await.watch().await;
    assert_eq!(list.len(), 1);
    assert!(list[0].values.len() >= 30, "{}", list[0].values.len());
}
