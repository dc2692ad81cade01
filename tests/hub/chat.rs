//! Chat between people.

use duplex::model::NamedRoom;
use duplex::model::content::{Content, Draft};
use duplex::model::id::{Offset, RoomName};
use duplex::model::time::WallMs;
use duplex::model::{Refusal, RoomId};
use duplex::wire::duplex::message::{ClientMessage, HubMessage, MAX_PAD_BYTES, Start, close};

use super::client::{Client, hub, new_id};

#[tokio::test]
async fn messages_arrive_in_order_and_intact() {
    let (dir, hub) = hub().await;
    let (mut anna, welcome) = Client::enter(&hub.url, hub.admin_token.reveal(), None).await;
    assert_eq!((welcome.head, welcome.from, welcome.start), (Offset(1), Offset(1), Start::Recent));
    assert_eq!(welcome.rooms, [NamedRoom::general()]);
    let (mut ben, _) = Client::join(&dir, &hub.url, "Ben").await;
    let bodies = ["hello".to_owned(), "한글 🙂 \u{202e}rtl \u{1}".repeat(2500), "z".repeat(64 * 1024)];
    for body in &bodies {
        let id = anna.send(body).await;
        anna.acked(id).await;
    }
    let read = ben.messages(3).await;
    assert_eq!(read.iter().map(|entry| entry.draft.content.body().to_owned()).collect::<Vec<_>>(), bodies);
    assert_eq!(read.iter().map(|entry| entry.offset.0).collect::<Vec<_>>(), [2, 3, 4]);
    assert!(read.iter().all(|entry| entry.sender.id == welcome.me.id && entry.draft.at == WallMs(7)));
    assert_eq!(anna.messages(3).await, read, "the writer reads the same");
    hub.shutdown().await;
}

#[tokio::test]
async fn a_burst_arrives_once_and_in_order() {
    let (dir, hub) = hub().await;
    let (mut anna, _) = Client::enter(&hub.url, hub.admin_token.reveal(), None).await;
    let (mut ben, _) = Client::join(&dir, &hub.url, "Ben").await;
    let mut ids = Vec::new();
    for number in 0..150 {
        ids.push(anna.send(&number.to_string()).await);
    }
    let read = ben.messages(150).await;
    assert_eq!(read.iter().map(|entry| entry.draft.id).collect::<Vec<_>>(), ids);
    let offset = anna.acked(ids[149]).await;
    assert_eq!(offset, Offset(151));
    let (mut again, _) = Client::enter(&hub.url, hub.admin_token.reveal(), None).await;
    again.send_as(ids[3], "3").await;
    assert_eq!(again.acked(ids[3]).await, Offset(5), "the same id again is the same message");
}

#[tokio::test]
async fn rooms_are_created_and_history_is_paged() {
    let (_dir, hub) = hub().await;
    let (mut anna, _) = Client::enter(&hub.url, hub.admin_token.reveal(), None).await;
    let room = RoomId::new("machines").unwrap();
    let id = new_id();
    anna.say(&ClientMessage::Send {
        draft: Draft { id, room: room.clone(), content: Content::text("x"), at: WallMs(0) },
        seq: 1,
        retry: false,
    })
    .await;
    let refusal = anna
        .find(|message| match message {
            HubMessage::Refused { refusal, .. } => Some(refusal.clone()),
            _ => None,
        })
        .await;
    assert_eq!(refusal, Refusal::NoSuchRoom);
    let id = new_id();
    anna.say(&ClientMessage::CreateRoom {
        id,
        room: RoomName::of_id(&room),
        at: None,
        private: None,
        extra: Default::default(),
    })
    .await;
    anna.acked(id).await;
    // Its entry gave it its id; the name is accepted in a send alone.
    let made = RoomId::new(id.to_string()).unwrap();
    for seq in 2..=21 {
        let (message, body) = (new_id(), seq.to_string());
        anna.say(&ClientMessage::Send {
            // By its name and by its id.
            draft: Draft {
                id: message,
                room: if seq % 2 == 0 { room.clone() } else { id.into() },
                content: Content::text(body),
                at: WallMs(0),
            },
            seq,
            retry: seq == 2,
        })
        .await;
        anna.acked(message).await;
    }
    anna.say(&ClientMessage::History { room: made, before: Offset(20), limit: 5 }).await;
    let (entries, complete) = anna
        .find(|message| match message {
            HubMessage::History { entries, complete, .. } => Some((entries.clone(), *complete)),
            _ => None,
        })
        .await;
    assert_eq!(entries.iter().map(|entry| entry.offset.0).collect::<Vec<_>>(), [15, 16, 17, 18, 19]);
    assert!(!complete);
}

#[tokio::test]
async fn presence_typing_and_read_markers_reach_the_right_clients() {
    let (dir, hub) = hub().await;
    let token = hub.admin_token.reveal().to_owned();
    let (mut anna, _) = Client::enter(&hub.url, &token, None).await;
    let (mut phone, _) = Client::enter(&hub.url, &token, None).await;
    let (mut ben, ben_token) = Client::join(&dir, &hub.url, "Ben").await;
    let presence = |message: &HubMessage| match message {
        HubMessage::Presence { who, online, .. } => Some((who.name.clone(), *online)),
        _ => None,
    };
    assert_eq!(anna.find(presence).await, ("Ben".to_owned(), true));
    let (ben2, welcome) = Client::enter(&hub.url, &ben_token, None).await;
    assert_eq!(welcome.people.iter().filter(|person| person.online).count(), 2);
    ben.say(&ClientMessage::Typing { room: RoomId::general() }).await;
    let typing = |message: &HubMessage| match message {
        HubMessage::Typing { who, .. } => Some(who.name.clone()),
        _ => None,
    };
    assert_eq!(anna.find(typing).await, "Ben");
    anna.say(&ClientMessage::Read { room: RoomId::general(), offset: Offset(1) }).await;
    let read = |message: &HubMessage| match message {
        HubMessage::Read { offset, .. } => Some(*offset),
        _ => None,
    };
    assert_eq!(phone.find(read).await, Offset(1));
    drop(ben2);
    drop(ben);
    assert_eq!(
        anna.find(presence).await,
        ("Ben".to_owned(), false),
        "only after the last client has disconnected"
    );
    drop(anna);
    let (_anna, welcome) = Client::enter(&hub.url, &token, None).await;
    assert_eq!(welcome.read.iter().map(|read| read.offset.0).collect::<Vec<_>>(), [1]);
}

#[tokio::test]
async fn forty_clients_can_connect_at_once_and_see_each_other() {
    let (dir, hub) = hub().await;
    let (mut first, _) = Client::enter(&hub.url, hub.admin_token.reveal(), None).await;
    let names: Vec<String> = (0..40).map(|number| format!("Person {number}")).collect();
    let joins = names.iter().map(|name| Client::join(&dir, &hub.url, name));
    let mut all = futures_util::future::join_all(joins).await;
    let mut heard = Vec::new();
    while heard.len() < 40 {
        let came = |message: &HubMessage| match message {
            HubMessage::Presence { who, online: true, .. } => Some(who.name.clone()),
            _ => None,
        };
        heard.push(first.find(came).await);
    }
    heard.sort_by_key(|name| names.iter().position(|known| known == name));
    assert_eq!(heard, names);
    let id = first.send("welcome").await;
    for (one, _) in &mut all {
        assert_eq!(one.messages(1).await[0].draft.id, id);
    }
}

#[tokio::test]
async fn the_pad_of_a_ping_comes_back_unless_it_is_long() {
    let (_dir, hub) = hub().await;
    let (mut anna, _) = Client::enter(&hub.url, hub.admin_token.reveal(), None).await;
    for (nonce, length, back) in
        [(1, 0, 0), (2, 1, 1), (3, MAX_PAD_BYTES, MAX_PAD_BYTES), (4, MAX_PAD_BYTES + 1, 0)]
    {
        anna.say(&ClientMessage::Ping { nonce, pad: "x".repeat(length) }).await;
        let pong = |heard: &HubMessage| match heard {
            HubMessage::Pong { nonce: of, pad, .. } if *of == nonce => Some(pad.clone()),
            _ => None,
        };
        assert_eq!(anna.find(pong).await, "x".repeat(back));
    }
}

#[tokio::test]
async fn too_many_frames_are_throttled_and_none_is_lost() {
    let (_dir, hub) = hub().await;
    let (mut anna, _) = Client::enter(&hub.url, hub.admin_token.reveal(), None).await;
    for nonce in 0..600 {
        anna.say(&ClientMessage::Ping { nonce, pad: String::new() }).await;
    }
    let (mut pongs, mut told) = (0, 0);
    while pongs < 600 {
        match anna.hear().await {
            HubMessage::Pong { nonce, .. } => {
                assert_eq!(nonce, pongs);
                pongs += 1;
            }
            HubMessage::Error { code, .. } if code == "slow_down" => told += 1,
            HubMessage::Log { .. } => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(told, 1);
}

#[tokio::test]
async fn a_hub_that_stops_sends_bye() {
    let (_dir, hub) = hub().await;
    let (mut anna, _) = Client::enter(&hub.url, hub.admin_token.reveal(), None).await;
    let mut stranger = Client::dial(&hub.url, None).await;
    let (closed, other, ()) = tokio::join!(
        async {
            let bye = anna.find(|m| matches!(m, HubMessage::Bye { .. }).then(|| m.clone())).await;
            assert!(matches!(bye, HubMessage::Bye { code: close::GOING_AWAY, .. }));
            anna.closed().await
        },
        stranger.closed(),
        hub.shutdown()
    );
    assert_eq!((closed.0, other.0), (close::GOING_AWAY, close::GOING_AWAY));
}

#[tokio::test]
async fn many_rooms_and_markers_are_listed_in_parts_and_new_clients_can_connect() {
    let unlimited = |limits: &mut duplex::hub::Limits| {
        (limits.log.rooms_per_person, limits.log.rooms_per_day) = (0, 0);
    };
    let (dir, hub) = super::limits::limited(unlimited).await;
    let (mut anna, _) = Client::enter(&hub.url, hub.admin_token.reveal(), None).await;
    let names: Vec<RoomName> = (0..450).map(|n| RoomName::new(format!("room {n}")).unwrap()).collect();
    let mut made = vec![NamedRoom::general()];
    for names in names.chunks(30) {
        let ids: Vec<_> = names.iter().map(|_| new_id()).collect();
        for (id, room) in ids.iter().zip(names) {
            anna.say(&ClientMessage::CreateRoom {
                id: *id,
                room: room.clone(),
                at: None,
                private: None,
                extra: Default::default(),
            })
            .await;
        }
        for (id, name) in ids.into_iter().zip(names) {
            let offset = anna.acked(id).await;
            anna.say(&ClientMessage::Read { room: id.into(), offset }).await;
            let mut room = NamedRoom::new(id.into(), name.clone());
            room.info.own = true;
            made.push(room);
        }
    }
    // Requests are answered in order: the markers are on disk by then.
    let id = anna.send("done").await;
    anna.acked(id).await;
    let (ben, _) = Client::join(&dir, &hub.url, "Ben").await;
    drop(ben);
    let (mut again, welcome) = Client::enter(&hub.url, hub.admin_token.reveal(), None).await;
    assert!(welcome.more && welcome.rooms.len() < 450, "{}", welcome.rooms.len());
    let (mut rooms, mut people, mut read) = (welcome.rooms, welcome.people, welcome.read);
    loop {
        let lists = again
            .find(|message| match message {
                HubMessage::Lists(lists) => Some(lists.clone()),
                _ => None,
            })
            .await;
        rooms.extend(lists.rooms);
        people.extend(lists.people);
        read.extend(lists.read);
        if !lists.more {
            break;
        }
    }
    assert_eq!(rooms, made, "each once, oldest first");
    let ids: Vec<_> = made.into_iter().skip(1).map(|room| room.id).collect();
    assert_eq!(read.iter().map(|read| read.room.clone()).collect::<Vec<_>>(), ids);
    let mut people: Vec<_> = people.iter().map(|person| person.who.name.as_str()).collect();
    people.sort_unstable();
    assert!(people.len() == 2 && people.contains(&"Ben"), "{people:?}");
    let id = again.send("in").await;
    again.acked(id).await;
    hub.shutdown().await;
}
