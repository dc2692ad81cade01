//! Rooms of which the person becomes a member when there is something in them already: it is asked for, in every era, and
//! nothing is shown as if it were all there was.

use super::*;
use crate::model::content::{MemberChange, Private};
use crate::model::event::{Listed, Page, Side};
use crate::model::id::Offset;
use crate::model::intent::Jump;
use crate::model::profile::{Profile, Protocol, Socket};
use crate::model::room::ABOUT;
use crate::model::time::BootMs;
use crate::model::time::WallMs;
use crate::model::{Connection, Edge, NamedRoom, Position, RoomId, RoomInfo, Time};

const NOW: Time = Time { boot_ms: BootMs(1), wall_ms: WallMs(1) };

fn plans() -> RoomId {
    RoomId::new("r-1").unwrap()
}

fn said(offset: u64) -> Entry {
    let mut entry = entry(offset, "bob", offset);
    entry.draft.room = plans();
    entry
}

fn change(offset: u64, change: MemberChange) -> Entry {
    let mut entry = said(offset);
    let mut content = Content::member(Sender { id: me().id, name: "Me".into() }, change);
    if change == MemberChange::Invited {
        let members = ["bob", "me"].map(|id| PrincipalId(id.into())).into();
        let info = RoomInfo { private: true, members, ..RoomInfo::default() };
        let about = NamedRoom { info, ..NamedRoom::new(plans(), RoomName::new("Plans").unwrap()) };
        content.extra_mut().insert(ABOUT, serde_json::to_value(about).unwrap());
    }
    entry.draft.content = content;
    entry
}

struct Both {
    store: ClientStore,
    shown: Connection,
    _dir: tempfile::TempDir,
}

impl Both {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let profile = Profile {
            id: C,
            name: "hub".to_owned(),
            urls: vec!["ws://hub".to_owned()],
            protocol: Protocol::Duplex,
            socket: Socket::Tungstenite,
            route: Default::default(),
            ca_file: None,
            fingerprint: None,
            auto_connect: true,
            websocket: Default::default(),
            network: Default::default(),
        };
        Both { store: open(dir.path()), shown: Connection::new(profile), _dir: dir }
    }

    fn happen(&mut self, write: Write) {
        commit(&self.store, vec![write.clone()]);
        let Write::Event(event) = write else { panic!("an event") };
        self.shown.apply(NOW, event);
    }

    fn told(&mut self, entries: Vec<Entry>) {
        if let Some(first) = entries.first() {
            let (from, to) = (self.shown.chat.received_to + 1, first.offset.0 - 1);
            if from <= Offset(to) {
                self.happen(Write::Event(Event::Chat(ChatEvent::Skipped { from, to: Offset(to) })));
            }
        }
        self.happen(Write::Event(Event::Chat(ChatEvent::Entries { entries, live: true })));
    }

    /// As the engine does it: the page is taken in, and what the disk makes of it is read.
    fn history(&mut self, before: u64, entries: Vec<Entry>, complete: bool) {
        self.happen(Write::Event(Event::Chat(ChatEvent::History {
            room: plans(),
            before: Offset(before),
            entries,
            complete,
        })));
        let from = Position { era: self.shown.chat.era(), offset: Offset(before) };
        let page = self.page(from, Side::Older);
        self.shown.apply(NOW, Event::Chat(ChatEvent::Paged { room: plans(), side: Side::Older, page }));
    }

    fn page(&self, from: Position, side: Side) -> Page {
        wait(self.store.page(C, plans(), from, side, 100)).unwrap()
    }

    /// Which messages are shown, what lies before them, and before which place some are missing; after a restart the same.
    fn window(&self) -> (Vec<(u32, u64)>, Edge, Option<Position>) {
        let stored = load(&self.store).stored;
        let stored = stored.rooms.into_iter().find(|room| room.id == plans()).unwrap();
        let shown = &self.shown.chat.rooms[&plans()];
        let place = |position: Position| (position.era, position.offset.0);
        let again: Vec<_> = stored.messages.iter().map(|message| place(message.position)).collect();
        let seen: Vec<_> = shown.window.messages().map(|message| place(message.position)).collect();
        assert_eq!((&again, stored.hole, &stored.info), (&seen, shown.hole, &shown.info));
        assert_eq!(stored.older_on_hub, shown.window.before == Edge::Hub);
        assert_eq!((stored.unread, stored.read), (shown.unread, shown.read));
        let said = shown.window.messages().filter(|message| message.content.is_text());
        (said.map(|message| place(message.position)).collect(), shown.window.before, shown.hole)
    }
}

fn at(era: u32, offset: u64) -> Option<Position> {
    Some(Position { era, offset: Offset(offset) })
}

#[test]
fn what_was_hidden_comes_by_history_whatever_the_era() {
    for era in [1, 2] {
        let mut both = Both::new();
        both.happen(welcomed(9));
        both.happen(started(1, 1, LogRestart::First));
        if era == 2 {
            both.told(vec![entry(1, "bob", 1)]);
            both.happen(welcomed(9));
            both.happen(started(2, 1, LogRestart::EpochChanged));
        }
        both.told(vec![entry(4, "bob", 40)]);
        both.told(vec![change(9, MemberChange::Invited), said(10)]);
        let room = &both.shown.chat.rooms[&plans()];
        assert_eq!((room.name.as_str(), room.info.private, room.info.left), ("Plans", true, false));
        assert_eq!(both.window(), (vec![(era, 10)], Edge::Hub, at(era, 9)));
        assert_eq!(room.unread, 1, "what came before the invitation is history");
        both.history(9, vec![said(7), said(8)], false);
        assert_eq!(both.window(), (vec![(era, 7), (era, 8), (era, 10)], Edge::Hub, at(era, 7)));
        both.history(7, vec![said(5)], true);
        assert_eq!(both.window(), (vec![(era, 5), (era, 7), (era, 8), (era, 10)], Edge::End, None));
    }
}

#[test]
fn between_two_stays_a_hole_is_known_until_it_is_filled() {
    let mut both = Both::new();
    both.happen(welcomed(9));
    both.happen(started(1, 1, LogRestart::First));
    both.told(vec![change(1, MemberChange::Invited), said(2), said(3)]);
    both.history(1, Vec::new(), true);
    both.told(vec![change(4, MemberChange::Left)]);
    assert!(both.shown.chat.rooms[&plans()].info.left);
    assert_eq!(both.window(), (vec![(1, 2), (1, 3)], Edge::End, None), "what was received stays");
    both.told(vec![change(8, MemberChange::Invited), said(9)]);
    assert_eq!(both.window(), (vec![(1, 9)], Edge::Hub, at(1, 8)));
    // By a link or a search one comes to what lies before it; on from there the hole shows.
    let page =
        wait(both.store.jump(C, plans(), Jump::To(Position { era: 1, offset: Offset(2) }), 100)).unwrap();
    let texts = page.messages.iter().filter(|message| message.content.is_text());
    let offsets: Vec<u64> = texts.map(|message| message.position.offset.0).collect();
    assert_eq!((offsets, page.older_on_hub, page.older_on_disk), (vec![2, 3, 9], false, false));
    // The page from the hub has what was there, too.
    both.history(8, vec![said(3), said(6), said(7)], false);
    assert_eq!(both.window(), (vec![(1, 3), (1, 6), (1, 7), (1, 9)], Edge::Hub, at(1, 3)));
    both.history(3, vec![said(2)], true);
    let all = vec![(1, 2), (1, 3), (1, 6), (1, 7), (1, 9)];
    assert_eq!(both.window(), (all.clone(), Edge::End, None));
    // Removed with a hole: nothing more comes from the hub, and all that is here can be read.
    both.told(vec![
        change(10, MemberChange::Left),
        change(20, MemberChange::Invited),
        change(21, MemberChange::Left),
    ]);
    let page = wait(both.store.jump(C, plans(), Jump::End, 100)).unwrap();
    let texts = page.messages.iter().filter(|message| message.content.is_text());
    assert_eq!((texts.count(), page.older_on_hub), (all.len(), false));
}

#[test]
fn a_private_room_that_is_not_listed_is_left() {
    let mut both = Both::new();
    both.happen(welcomed(9));
    both.happen(started(1, 1, LogRestart::First));
    both.told(vec![change(1, MemberChange::Invited), said(2)]);
    both.happen(welcomed(9));
    let (.., hole) = both.window();
    assert!(both.shown.chat.rooms[&plans()].info.left && hole == at(1, 1));
}

#[test]
fn a_part_of_a_list_that_is_older_than_an_entry_says_who_is_a_member_all_the_same() {
    let mut both = Both::new();
    both.happen(welcomed(9));
    both.happen(started(1, 1, LogRestart::First));
    both.told(vec![change(1, MemberChange::Invited), said(2)]);
    both.happen(welcomed(9));
    let mut topic = said(3);
    topic.draft.content = Content::topic("Noise");
    both.told(vec![topic]);
    let members = ["bob", "me"].map(|id| PrincipalId(id.into())).into();
    let info = RoomInfo { private: true, members, changed: Offset(1), ..RoomInfo::default() };
    let listed = NamedRoom { info, ..NamedRoom::new(plans(), RoomName::new("Plans").unwrap()) };
    let listed = Listed { rooms: vec![listed], ..Listed::default() };
    both.happen(Write::Event(Event::Chat(ChatEvent::Listed(listed))));
    both.window();
    let info = &both.shown.chat.rooms[&plans()].info;
    assert_eq!((info.left, info.unlisted, info.topic.as_str()), (false, false, "Noise"));
}

#[test]
fn a_direct_message_that_the_server_has_lost_is_in_nobodys_way() {
    let mut both = Both::new();
    both.happen(welcomed(9));
    both.happen(started(1, 1, LogRestart::First));
    let bob = PrincipalId("bob".into());
    let made = |room: &str, offset| {
        let mut made = said(offset);
        made.draft.room = RoomId::new(room).unwrap();
        let private = Private { members: vec![me().id], direct: true };
        made.draft.content = Content::private_room(RoomName::new(room).unwrap(), private);
        made
    };
    both.told(vec![made("r-1", 1)]);
    assert_eq!(both.shown.chat.direct_with(&bob), Some(&plans()));
    // A backup of the server of before it was made.
    both.happen(welcomed(0));
    both.happen(started(1, 1, LogRestart::EpochChanged));
    assert_eq!(both.shown.chat.direct_with(&bob), None);
    both.told(vec![made("b", 1)]);
    both.window();
    assert_eq!(both.shown.chat.direct_with(&bob), Some(&RoomId::new("b").unwrap()));
}
