//! Tests of rooms on topics: who says what where, presence, echoes.

use super::*;
use crate::model::Delivery;
use crate::model::time::BootMs;
use crate::model::time::WallMs;

const NOW: Time = Time { boot_ms: BootMs(1_000), wall_ms: WallMs(1_790_000_000_000) };

fn chat(client: &str) -> Chat {
    let mut chat = Chat::new("duplex/chat", Qos::AtLeastOnce, "Kim".into(), client.into(), [7; 32]);
    chat.set_server("broker.example");
    chat
}

fn room() -> RoomId {
    RoomId::new("duplex/chat/lab").unwrap()
}

fn item(n: u8) -> OutboxItem {
    let id = MessageId::from_random([n; 16]);
    let draft = Draft { id, room: room(), content: Content::text("hello"), at: NOW.wall_ms - 5 };
    OutboxItem { draft, seq: 1, delivery: Delivery::Attempted }
}

#[test]
fn what_one_writes_the_other_reads() {
    let (mut one, mut other) = (chat("one"), chat("other"));
    let sent = one.typed(&item(1), "duplex/chat/lab", "hello");
    assert_eq!((sent.topic.as_str(), sent.qos, sent.retain), ("duplex/chat/lab", Qos::AtLeastOnce, false));
    let (entry, mine) = other.received(NOW, &room(), &sent.payload, Came::default());
    let entry = entry.unwrap();
    assert_eq!((entry.draft.id, entry.draft.content.body(), mine), (item(1).draft.id, "hello", None));
    assert_eq!((entry.sender.id.0.as_str(), entry.sender.name.as_str()), ("u:one", "Kim"));
    assert_eq!(entry.draft.at, NOW.wall_ms - 5);
    assert_eq!(other.received(NOW, &room(), &sent.payload, Came::default()).0, None, "it comes once");
    // Its echo is ours, whether it comes before the acknowledgement or after it.
    let (entry, mine) = one.received(NOW, &room(), &sent.payload, Came::default());
    assert_eq!((entry.unwrap().sender.id.0.as_str(), mine), ("me", Some(item(1).draft.id)));
    assert_eq!(one.delivered(NOW, item(1).draft.id), None);
    let sent = one.typed(&item(2), "duplex/chat/lab", "hello");
    assert!(one.delivered(NOW, item(2).draft.id).is_some());
    assert_eq!(one.received(NOW, &room(), &sent.payload, Came::default()), (None, Some(item(2).draft.id)));
}

#[test]
fn plain_text_and_other_json_are_messages_too() {
    let mut chat = chat("one");
    let mut said = |payload: &[u8]| {
        let entry = chat.received(NOW, &room(), payload, Came::default()).0.unwrap();
        (entry.sender.name.clone(), entry.draft.content.body().to_owned(), entry.draft.at)
    };
    let plain = |text: &str| ("broker.example".to_owned(), text.to_owned(), NOW.wall_ms);
    assert_eq!(said(b"hi there"), plain("hi there"));
    assert_eq!(said(b"hi there"), plain("hi there"), "the same words again are another message");
    assert_eq!(said(b"{\"a\":1}"), plain("{\"a\":1}"));
    assert_eq!(said(&[0xFF, 1]), plain("(2 bytes that are no text)"));
    assert_eq!(
        said(br#"{"user":"Lee","message":"hey","ts":1790000000}"#),
        ("Lee".to_owned(), "hey".to_owned(), WallMs(1_790_000_000_000))
    );
    let long = format!("{}é", "x".repeat(MAX_TEXT_BYTES - 1));
    assert!(said(long.as_bytes()).1.ends_with("x… (cut off)"));
}

#[test]
fn presence_comes_and_goes_once() {
    let (mut one, other) = (chat("one"), chat("other"));
    let [online, offline] = [true, false].map(|online| other.own_presence(online));
    assert_eq!(other.will().topic, "duplex/chat-presence/other");
    let event = one.presence(&online.topic, &online.payload);
    let Some(Event::Chat(ChatEvent::Presence(person))) = event else { panic!("nobody came") };
    assert_eq!((person.who.id.0.as_str(), person.who.name.as_str(), person.online), ("u:other", "Kim", true));
    assert_eq!(one.presence(&online.topic, &online.payload), None);
    assert!(one.presence(&offline.topic, &offline.payload).is_some());
    let own = one.own_presence(true);
    assert_eq!(one.presence(&own.topic, &own.payload), None, "we know of ourselves");
    assert_eq!(one.presence("duplex/chat-presence/x", b"nonsense"), None);
}

#[test]
fn rooms_are_topics_under_the_prefix() {
    let mut chat = chat("one");
    let rooms = chat.begin(&["duplex/chat/lab/a".to_owned(), "elsewhere".to_owned()]);
    let names: Vec<_> = rooms.iter().map(|room| room.name.as_str()).collect();
    assert_eq!(names, ["general", "lab/a"]);
    assert!(chat.owns("duplex/chat/x") && chat.owns("duplex/chat-presence/x") && !chat.owns("duplex/chats"));
    assert_eq!(chat.topic_of_new("/New room/"), "duplex/chat/New room");
    assert_eq!(chat.room("duplex/chat/"), None);
    let new = chat.room("duplex/chat/new").unwrap();
    assert!(chat.list(new.clone()).is_some() && chat.list(new).is_none());
}
