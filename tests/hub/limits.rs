//! Limits on what a hub stores, and fairness under one person's flood.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use duplex::hub::{Limits, Options, Running};
use duplex::model::content::{Content, Draft};
use duplex::model::id::{Offset, RoomName};
use duplex::model::time::WallMs;
use duplex::model::{Refusal, ResumePoint, RoomId, Value};
use duplex::store::LogLimits;
use duplex::wire::duplex::message::{ClientMessage, HubMessage, PublishedSample, Start};
use futures_util::{SinkExt, StreamExt};
use tempfile::TempDir;
use tokio_tungstenite::tungstenite::Message;

use super::client::{Client, dial, frame, hello, hub, new_id, within};
use super::devices::{id, name};

/// A hub with changed limits.
pub async fn limited(change: impl FnOnce(&mut Limits)) -> (TempDir, Running) {
    let dir = tempfile::tempdir().unwrap();
    let mut options = Options::embedded(dir.path());
    change(&mut options.limits);
    let running = duplex::hub::start(options).await.unwrap();
    (dir, running)
}

fn room(number: usize) -> RoomName {
    RoomName::new(format!("room {number}")).unwrap()
}

/// The outcome of a message or a room.
async fn outcome(client: &mut Client, wanted: duplex::model::MessageId) -> Result<Offset, Refusal> {
    let answer = |message: &HubMessage| match message {
        HubMessage::Ack { id, offset, .. } if *id == wanted => Some(Ok(*offset)),
        HubMessage::Refused { id, refusal } if *id == wanted => Some(Err(refusal.clone())),
        _ => None,
    };
    client.find(answer).await
}

#[tokio::test]
async fn rooms_beyond_the_limit_are_refused_and_others_still_work() {
    let (dir, hub) = limited(|limits| limits.log.rooms_per_person = 2).await;
    let (mut mallory, _) = Client::join(&dir, &hub.url, "Mallory").await;
    for number in 0..4 {
        let id = new_id();
        mallory
            .say(&ClientMessage::CreateRoom {
                id,
                room: room(number),
                at: None,
                private: None,
                extra: Default::default(),
            })
            .await;
        let made = outcome(&mut mallory, id).await;
        if number < 2 {
            made.unwrap();
        } else {
            assert_eq!(made.unwrap_err(), Refusal::TooMany { limit: 2 });
        }
    }
    let sent = mallory.send("hello").await;
    mallory.acked(sent).await;
    let (mut mina, _) = Client::join(&dir, &hub.url, "Mina").await;
    let id = new_id();
    mina.say(&ClientMessage::CreateRoom {
        id,
        room: room(9),
        at: None,
        private: None,
        extra: Default::default(),
    })
    .await;
    outcome(&mut mina, id).await.unwrap();
}

#[tokio::test]
async fn a_full_log_refuses_messages_and_later_accepts_them_in_order() {
    let full = |limits: &mut Limits| {
        limits.log = LogLimits { log_bytes: 600_000, drop_oldest: true, ..limits.log };
    };
    let (_dir, hub) = limited(full).await;
    let (mut anna, _) = Client::enter(&hub.url, hub.admin_token.reveal(), None).await;
    let (body, mut seq, mut told, mut last) = ("x".repeat(40_000), 0, 0, Offset(0));
    let mut unsent: Vec<_> = (0..60).map(|_| new_id()).collect();
    while !unsent.is_empty() {
        // A client's window, in order; the first one after a refusal is marked.
        let window: Vec<_> = unsent.iter().take(16).copied().collect();
        for (place, id) in window.iter().enumerate() {
            seq += 1;
            let (room, body, retry) = (RoomId::general(), body.clone(), place == 0);
            anna.say(&ClientMessage::Send {
                draft: Draft { id: *id, room, content: Content::text(body), at: WallMs(7) },
                seq,
                retry,
            })
            .await;
        }
        let mut retry_in = None;
        for id in window {
            match outcome(&mut anna, id).await {
                Ok(offset) => {
                    assert!(retry_in.is_none(), "nothing is accepted after a refused one");
                    assert!(offset > last, "in order");
                    last = offset;
                    unsent.retain(|one| *one != id);
                }
                Err(Refusal::Quota { retry_after_ms }) => {
                    retry_in.get_or_insert(retry_after_ms);
                    told += 1;
                }
                Err(other) => panic!("{other:?}"),
            }
        }
        if let Some(ms) = retry_in {
            assert!((1..=15_000).contains(&ms), "{ms}");
            // The delay that the hub requests, as in a real client.
            tokio::time::sleep(std::time::Duration::from_millis(ms)).await;
        }
    }
    assert!(told > 0, "it was never full");
    assert_eq!(last, Offset(61), "each once");
}

#[tokio::test]
async fn clients_learn_of_deleted_messages_and_duplicates_of_them_are_recognised() {
    let (dir, hub) = hub().await;
    let token = hub.admin_token.reveal().to_owned();
    let (mut anna, welcome) = Client::enter(&hub.url, &token, None).await;
    let first = anna.send("first").await;
    let offset = anna.acked(first).await;
    let entry = anna.messages(1).await.remove(0);
    let old = new_id();
    anna.send_as(old, "old").await;
    anna.acked(old).await;
    let newest = anna.send("newest").await;
    anna.acked(newest).await;
    let id = new_id();
    anna.say(&ClientMessage::CreateRoom {
        id,
        room: room(1),
        at: None,
        private: None,
        extra: Default::default(),
    })
    .await;
    anna.acked(id).await;
    drop(anna);
    hub.shutdown().await;
    let mut options = Options::embedded(dir.path());
    // All but the newest entry are older than this.
    options.limits.log.keep_ms = 1;
    let hub = duplex::hub::start(options).await.unwrap();
    let resume = ResumePoint { epoch: welcome.epoch, offset, id: first, received: entry.received };
    let trimmed = async {
        loop {
            let (client, welcome) = Client::enter(&hub.url, &token, Some(resume)).await;
            if welcome.start == Start::Trimmed {
                return (client, welcome);
            }
            assert_eq!(welcome.start, Start::Resumed, "nothing has been deleted yet");
        }
    };
    let (mut anna, welcome) = within("old messages to go", trimmed).await;
    assert_eq!((welcome.from, welcome.head), (Offset(5), Offset(5)));
    assert!(welcome.rooms.iter().any(|made| made.name == room(1)));
    anna.send_as(old, "old").await;
    assert_eq!(anna.acked(old).await, Offset(3), "ids are remembered forever");
    let next = anna.send("next").await;
    assert_eq!(anna.acked(next).await, Offset(6));
}

/// Sends messages of 60 kB, or requests history, as fast as the hub accepts it, until told to stop.
async fn flood(url: String, token: String, writes: bool, stop: Arc<AtomicBool>, taken: Arc<AtomicU64>) {
    let bearer = format!("Bearer {token}");
    let ws = dial(&url, &[("authorization", bearer.as_str())]).await.unwrap();
    let (mut sink, mut stream) = ws.split();
    sink.send(Message::text(frame(&ClientMessage::Hello(hello())))).await.unwrap();
    let welcome = stream.next().await.unwrap().unwrap();
    assert!(welcome.to_text().unwrap().starts_with(r#"{"type":"welcome""#), "{welcome:?}");
    let reads = tokio::spawn(async move {
        while let Some(Ok(message)) = stream.next().await {
            let ack = message.to_text().is_ok_and(|text| text.starts_with(r#"{"type":"ack""#));
            taken.fetch_add(u64::from(ack), Ordering::Relaxed);
        }
    });
    let (mut seq, body) = (0, "f".repeat(60_000));
    while !stop.load(Ordering::Relaxed) {
        seq += 1;
        // More requests than one client could use: this measures the hub, not the client.
        let text = if writes {
            let id = new_id();
            format!(
                r#"{{"type":"send","id":"{id}","seq":{seq},"room":"general","body":"{body}","at":1,"retry":true}}"#
            )
        } else if seq <= 200 {
            r#"{"type":"history","room":"general","before":1000000,"limit":200}"#.to_owned()
        } else {
            break;
        };
        if sink.send(Message::text(text)).await.is_err() {
            break;
        }
    }
    let _ = reads.await;
}

#[tokio::test]
async fn a_flood_over_several_connections_counts_as_one_and_others_are_answered() {
    let (dir, hub) = hub().await;
    let (_, mallory) = Client::join(&dir, &hub.url, "Mallory").await;
    let (mut mina, _) = Client::join(&dir, &hub.url, "Mina").await;
    let (stop, taken) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let begin = Instant::now();
    let floods: Vec<_> = (0..6)
        .map(|number| {
            let (stop, taken) = (Arc::clone(&stop), Arc::clone(&taken));
            tokio::spawn(flood(hub.url.clone(), mallory.clone(), number % 2 == 0, stop, taken))
        })
        .collect();
    // More than the burst: the flood is running.
    while taken.load(Ordering::Relaxed) < 70 {
        mina.hear().await;
    }
    for _ in 0..8 {
        let sent = mina.send("still here").await;
        mina.acked(sent).await;
        mina.say(&ClientMessage::History { room: RoomId::general(), before: Offset(1 << 40), limit: 1 })
            .await;
        mina.find(|message| matches!(message, HubMessage::History { .. }).then_some(())).await;
    }
    stop.store(true, Ordering::Relaxed);
    let bytes = taken.load(Ordering::Relaxed) * 60_000;
    let most = 4_000_000 + 4_000_000 * (begin.elapsed().as_millis() as u64 / 1000 + 1) + 500_000;
    assert!(bytes <= most, "{bytes} bytes of all connections; {most} at most");
    for flood in floods {
        flood.abort();
    }
}

#[tokio::test]
async fn typing_in_unknown_rooms_is_dropped_and_typing_is_limited_per_person() {
    let (dir, hub) = hub().await;
    let (mut anna, _) = Client::enter(&hub.url, hub.admin_token.reveal(), None).await;
    let (first, token) = Client::join(&dir, &hub.url, "Ben").await;
    let mut ben = vec![first];
    for _ in 0..29 {
        ben.push(Client::enter(&hub.url, &token, None).await.0);
    }
    for (number, one) in ben.iter_mut().enumerate() {
        one.say(&ClientMessage::Typing { room: RoomId::new(room(number).as_str()).unwrap() }).await;
        one.say(&ClientMessage::Typing { room: RoomId::general() }).await;
    }
    let mut last = None;
    for one in &mut ben {
        let sent = one.send("done").await;
        one.acked(sent).await;
        last = Some(sent);
    }
    let (mut told, mut is_over) = (0, false);
    while !is_over {
        match anna.hear().await {
            HubMessage::Typing { room, who } => {
                assert_eq!((room, who.name.as_str()), (RoomId::general(), "Ben"));
                told += 1;
            }
            HubMessage::Log { entries, .. } => {
                is_over = entries.iter().any(|entry| Some(entry.draft.id) == last);
                assert!(
                    entries.iter().all(|entry| entry.draft.content.is_text() || entry.offset == Offset(1))
                );
            }
            _ => {}
        }
    }
    assert!((1..30).contains(&told), "{told} notices of thirty connections");
}

#[tokio::test]
async fn device_memory_is_limited_per_token_and_refusals_have_a_reason() {
    let share = |limits: &mut Limits| limits.devices.bytes_per_principal = 100_000;
    let (_dir, hub) = limited(share).await;
    let mut admin = Client::admin(&hub).await;
    let text = Value::Text("t".repeat(900).into());
    let mut refused = None;
    for number in 0..100 {
        let values = (0..8).map(|metric| (name(&format!("m{metric}")), text.clone())).collect();
        let sample = PublishedSample { device: id(&format!("d{number}")), at: None, values };
        admin.say(&ClientMessage::Publish { samples: vec![sample] }).await;
    }
    while refused.is_none() {
        refused = match admin.hear().await {
            HubMessage::PublishRefused { code, detail, .. } => Some((code, detail)),
            _ => None,
        };
    }
    let (code, detail) = refused.unwrap();
    assert_eq!(code, "quota");
    assert!(detail.contains("token"), "{detail}");
    let held = admin.watch().await;
    assert!((3..60).contains(&held.len()), "{} devices", held.len());
    // Existing devices continue to work.
    let values = [(name("m0"), Value::Number(1.0))].into_iter().collect();
    admin
        .say(&ClientMessage::Publish {
            samples: vec![PublishedSample { device: id("d0"), at: None, values }],
        })
        .await;
    let is_read = |message: &HubMessage| match message {
        HubMessage::Readings { samples, .. } => {
            samples.iter().any(|one| one.device == id("d0")).then_some(())
        }
        _ => None,
    };
    admin.find(is_read).await;
}
