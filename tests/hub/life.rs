//! Starts, stops and crashes of a hub.

use std::sync::mpsc::sync_channel;

use duplex::hub::{HubAddressFile, HubError, Options};
use duplex::model::ResumePoint;
use duplex::model::id::Offset;
use duplex::wire::duplex::message::Start;

use super::client::{Client, hub};

#[tokio::test]
async fn a_client_resumes_at_the_same_address() {
    let (dir, first) = hub().await;
    let token = first.admin_token.reveal().to_owned();
    let (mut anna, welcome) = Client::enter(&first.url, &token, None).await;
    let id = anna.send("one").await;
    let offset = anna.acked(id).await;
    let received = anna.messages(1).await[0].received;
    let resume = ResumePoint { epoch: welcome.epoch, offset, id, received };
    let id = anna.send("two").await;
    anna.acked(id).await;
    let url = first.url.clone();
    tokio::join!(first.shutdown(), anna.closed());

    let second = duplex::hub::start(Options::embedded(dir.path())).await.unwrap();
    assert_eq!(second.url, url, "same address");
    let (mut anna, welcome) = Client::enter(&url, &token, Some(resume)).await;
    assert_eq!((welcome.start, welcome.from, welcome.head), (Start::Resumed, offset + 1, offset + 1));
    let entries = anna.messages(1).await;
    assert_eq!(entries.iter().map(|entry| entry.draft.content.body()).collect::<Vec<_>>(), ["two"]);
    for foreign in [ResumePoint { id, ..resume }, ResumePoint { received: received + 1, ..resume }] {
        let (_, welcome) = Client::enter(&url, &token, Some(foreign)).await;
        assert_eq!(welcome.start, Start::EpochChanged, "the entry at that offset differs");
    }
}

#[test]
fn acknowledged_messages_survive_a_crash() {
    let dir = tempfile::tempdir().unwrap();
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut acked = Vec::new();
    for round in 0..3 {
        let (tell, told) = sync_channel(1);
        let (crash, crashed) = tokio::sync::oneshot::channel::<()>();
        let data_dir = dir.path().to_owned();
        // Dropping the runtime stops everything at once: no bye, no cleanup.
        let thread = std::thread::Builder::new().name("hub".to_owned()).spawn(move || {
            runtime().block_on(async {
                let hub = duplex::hub::start(Options::embedded(data_dir)).await.unwrap();
                tell.send((hub.url.clone(), hub.admin_token.clone())).unwrap();
                let _ = crashed.await;
                std::mem::forget(hub);
            });
        });
        let (url, token) = told.recv().unwrap();
        runtime().block_on(async {
            let (mut anna, welcome) = Client::enter(&url, token.reveal(), None).await;
            assert_eq!(welcome.head.0 as usize, 1 + acked.len());
            assert_eq!(
                anna.messages(acked.len()).await.iter().map(|e| e.draft.id).collect::<Vec<_>>(),
                acked
            );
            let mut ids = Vec::new();
            for number in 0..20 {
                ids.push(anna.send(&format!("{round} {number}")).await);
            }
            anna.acked(ids[19]).await;
            acked.extend(ids);
        });
        crash.send(()).unwrap();
        thread.unwrap().join().unwrap();
        // In a crash the lock is released with the process; here its file is still open.
        std::fs::remove_file(dir.path().join("hub.lock")).unwrap();
    }
}

#[tokio::test]
async fn a_directory_and_a_port_can_be_used_by_one_hub_only() {
    let (dir, first) = hub().await;
    let second = duplex::hub::start(Options::embedded(dir.path())).await.err();
    assert!(matches!(second, Some(HubError::AlreadyRunning { .. })), "{second:?}");
    let other = tempfile::tempdir().unwrap();
    let options = Options { listen: first.addr, embedded: false, ..Options::embedded(other.path()) };
    let third = duplex::hub::start(options).await.err();
    assert!(matches!(third, Some(HubError::PortInUse { .. })), "{third:?}");
    first.shutdown().await;
    duplex::hub::start(Options::embedded(dir.path())).await.unwrap();
}

#[tokio::test]
async fn an_embedded_hub_writes_its_address_and_removes_it_on_exit() {
    let dir = tempfile::tempdir().unwrap();
    let handle = duplex::hub::spawn(Options::embedded(dir.path())).unwrap();
    let beacon = HubAddressFile::read(dir.path()).unwrap();
    assert_eq!((&beacon.url, beacon.pid), (&handle.url, std::process::id()));
    assert_eq!(handle.failed(), None);
    let (mut anna, _) = Client::enter(&handle.url, handle.admin_token.reveal(), None).await;
    let id = anna.send("hello").await;
    anna.acked(id).await;
    let closing = std::thread::Builder::new().name("closing".to_owned()).spawn(move || handle.shutdown());
    anna.closed().await;
    closing.unwrap().join().unwrap();
    assert_eq!(HubAddressFile::read(dir.path()), None);
    let again = duplex::hub::spawn(Options::embedded(dir.path())).unwrap();
    let (mut anna, welcome) = Client::enter(&again.url, again.admin_token.reveal(), None).await;
    assert_eq!(welcome.head, Offset(2));
    assert_eq!(anna.messages(1).await[0].draft.id, id);
}

#[test]
fn a_port_taken_by_another_program_does_not_prevent_a_start() {
    let dir = tempfile::tempdir().unwrap();
    let first = duplex::hub::spawn(Options::embedded(dir.path())).unwrap();
    let url = first.url.clone();
    first.shutdown();
    let address = url.trim_start_matches("ws://").trim_end_matches("/v1/socket");
    let _thief = std::net::TcpListener::bind(address).unwrap();
    let second = duplex::hub::spawn(Options::embedded(dir.path())).unwrap();
    assert_ne!(second.url, url);
    second.shutdown();
}

#[test]
fn an_invalid_database_is_reported_and_not_changed() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("hub.db"), "something else entirely").unwrap();
    let refused = duplex::hub::spawn(Options::embedded(dir.path())).err().unwrap();
    assert!(matches!(refused, HubError::LogDamaged { .. }));
    assert!(refused.to_string().contains("hub.db"), "{refused}");
    assert_eq!(std::fs::read(dir.path().join("hub.db")).unwrap(), b"something else entirely");
}
