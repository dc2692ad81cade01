//! Tests of the session on time that is an argument: rooms, confirmation, and what is kept.

use super::*;
use crate::frame;
use crate::model::content::UNCONFIRMED;
use crate::model::event::LinkEvent;
use crate::model::time::BootMs;
use crate::model::time::WallMs;
use crate::model::{Delivery, Draft};
use crate::wire::Agreed;

const BEGIN: Time = Time { boot_ms: BootMs(1_000_000), wall_ms: WallMs(1_790_000_000_000) };

struct Peer {
    session: StompSession,
    now: Time,
}

impl Peer {
    fn online(destinations: &[&str], saved: &Saved) -> Peer {
        let destinations = destinations.iter().map(|text| Destination::parse(text).unwrap()).collect();
        let connection = client::Config { destinations, ..client::Config::default() };
        let session = StompSession::new(Config { connection, ..Config::default() }, saved, [7; 32]);
        let mut peer = Peer { session, now: BEGIN };
        peer.handle(Input::Opened(Agreed { server: "broker".into(), ..Agreed::default() }));
        peer.says("CONNECTED\nversion:1.2\n\n\0");
        peer
    }

    fn handle(&mut self, input: Input) -> Vec<Output> {
        self.session.handle(self.now, input).unwrap();
        std::iter::from_fn(|| self.session.poll()).collect()
    }

    fn says(&mut self, text: &str) -> Vec<Output> {
        self.handle(Input::Frame(frame::Frame::Text(text.to_owned())))
    }

    fn send(&mut self, n: u8, room: &str, content: Content) -> Vec<Output> {
        let id = MessageId::from_random([n; 16]);
        let draft = Draft { id, room: RoomId::new(room).unwrap(), content, at: WallMs(0) };
        let item = OutboxItem { draft, seq: u64::from(n), delivery: Delivery::Attempted };
        self.handle(Input::Request(Request::Chat(ChatRequest::Send(item))))
    }

    fn pass(&mut self, ms: u64) -> Vec<Output> {
        self.now = self.now.plus(ms);
        self.handle(Input::Tick)
    }
}

/// The messages that were shown: room, sender, text, and whether they are confirmed.
fn shown(outputs: &[Output]) -> Vec<(String, String, String, bool)> {
    let entries = outputs.iter().filter_map(|output| match output {
        Output::Event(Event::Chat(ChatEvent::Entries { entries, .. }), _) => Some(entries),
        _ => None,
    });
    let line = |entry: &crate::model::Entry| {
        let is_confirmed = entry.draft.content.extra().get(UNCONFIRMED).is_none();
        let body = entry.draft.content.body().to_owned();
        (entry.draft.room.to_string(), entry.sender.id.0.clone(), body, is_confirmed)
    };
    entries.flatten().map(line).collect()
}

fn frames(outputs: &[Output]) -> Vec<String> {
    let frames = outputs.iter().filter_map(|output| match output {
        Output::Send(frame::Frame::Text(text), _) => Some(text.clone()),
        _ => None,
    });
    frames.collect()
}

#[test]
fn each_destination_is_a_room_and_one_for_sending_is_not_subscribed_to() {
    let mut session = StompSession::new(
        Config {
            connection: client::Config {
                destinations: ["/topic/a", "-> /app/b"]
                    .map(|text| Destination::parse(text).unwrap())
                    .to_vec(),
                ..client::Config::default()
            },
            ..Config::default()
        },
        &Saved::default(),
        [7; 32],
    );
    session.handle(BEGIN, Input::Opened(Agreed::default())).unwrap();
    session.handle(BEGIN, Input::Frame(frame::Frame::Text("CONNECTED\nversion:1.2\n\n\0".into()))).unwrap();
    let outputs: Vec<Output> = std::iter::from_fn(|| session.poll()).collect();
    let rooms = outputs.iter().find_map(|output| match output {
        Output::Event(Event::Link(LinkEvent::Welcomed { rooms, .. }), _) => Some(rooms),
        _ => None,
    });
    let ids: Vec<&str> = rooms.unwrap().iter().map(|room| room.id.as_str()).collect();
    assert_eq!(ids, ["/topic/a", "/app/b"]);
    let subscribed = frames(&outputs).iter().filter(|frame| frame.starts_with("SUBSCRIBE")).count();
    assert_eq!(subscribed, 1);
}

#[test]
fn what_no_receipt_confirms_is_shown_as_unconfirmed_and_not_sent_again() {
    let mut peer = Peer::online(&["/topic/public -> /app/chat"], &Saved::default());
    let id = MessageId::from_random([1; 16]);
    assert!(shown(&peer.send(1, "/topic/public", Content::text("hello"))).is_empty());
    peer.now = peer.now.plus(10);
    // The server is there, and 5 s pass.
    peer.says("\n");
    let outputs = peer.pass(5_000);
    assert_eq!(shown(&outputs), [("/topic/public".into(), "me".into(), "hello".into(), false)]);
    assert!(outputs.iter().any(|output| matches!(output, Output::Persist(_))));
    assert!(peer.session.may_resend(id), "it is not under way any more");
    // The next one is known to have none.
    let saved = peer.session.saved();
    let mut next = Peer::online(&["/topic/public -> /app/chat"], &saved);
    next.send(2, "/topic/public", Content::text("again"));
    assert!(!next.session.may_resend(MessageId::from_random([2; 16])));
    next.now = next.now.plus(10);
    assert_eq!(shown(&next.says("\n")).len(), 1);
}

#[test]
fn a_pattern_has_a_room_for_each_destination_and_takes_messages_there() {
    let mut peer = Peer::online(&["/topic/rooms.*"], &Saved::default());
    let outputs = peer.says(
        "MESSAGE\nsubscription:s-0\nmessage-id:1\nack:1\ndestination:/topic/rooms.a\n\n{\"sender\":\"mina\",\"content\":\"hi\"}\0",
    );
    let listed = outputs.iter().any(|output| {
        matches!(output, Output::Event(Event::Chat(ChatEvent::Listed(listed)), _) if listed.rooms[0].id.as_str() == "/topic/rooms.a")
    });
    assert!(listed, "{outputs:?}");
    assert_eq!(shown(&outputs)[0].0, "/topic/rooms.a");
    let sent = frames(&peer.send(1, "/topic/rooms.a", Content::text("hello")));
    assert!(sent[0].contains("destination:/topic/rooms.a\n"), "{sent:?}");
    let refused = peer.send(2, "/topic/rooms.*", Content::text("hello"));
    assert!(
        matches!(&refused[..], [Output::Event(Event::Chat(ChatEvent::Refused { .. }), _)]),
        "{refused:?}"
    );
}

#[test]
fn what_shows_nothing_is_acknowledged_at_once_and_the_rest_once_it_is_on_disk() {
    let mut peer = Peer::online(&["/queue/a"], &Saved::default());
    let message = |number: u32, body: &str| {
        format!(
            "MESSAGE\nsubscription:s-0\nmessage-id:{number}\nack:{number}\ndestination:/queue/a\n\n{body}\0"
        )
    };
    let chat = peer.says(&message(1, "{\"sender\":\"mina\",\"content\":\"hi\"}"));
    let mark = chat.iter().find_map(|output| match output {
        Output::Event(Event::Chat(ChatEvent::Entries { .. }), mark) => *mark,
        _ => None,
    });
    assert!(frames(&chat).is_empty());
    let reading = peer.says(&message(2, "{\"temperature\":21.5}"));
    assert_eq!(frames(&reading), ["ACK\nid:2\n\n\0"]);
    assert_eq!(frames(&peer.handle(Input::Committed(mark.unwrap()))), ["ACK\nid:1\n\n\0"]);
}

#[test]
fn a_room_that_the_server_refuses_is_refused_and_not_kept() {
    let mut peer = Peer::online(&["/topic/a"], &Saved::default());
    peer.says("RECEIPT\nreceipt-id:s-0\n\n\0");
    peer.send(9, "room-9", Content::room(RoomName::new("/exchange/none").unwrap()));
    let outputs = peer.says("ERROR\nmessage:not_found\n\nNOT_FOUND - no exchange 'none'\0");
    let is_refused =
        |output: &Output| matches!(output, Output::Event(Event::Chat(ChatEvent::Refused { .. }), _));
    assert!(outputs.iter().any(is_refused), "{outputs:?}");
    let Some(Output::Close { why: Why::Refused { is_final, .. }, .. }) = outputs.last() else {
        panic!("{outputs:?}")
    };
    assert!(!is_final, "it is no reason to stay away");
    let mut next = Peer::online(&["/topic/a"], &peer.session.saved());
    assert!(next.session.places.len() == 1 && frames(&next.pass(0)).is_empty());
}
