//! Private rooms and direct messages in the window: by accessible names, without a display.

use duplex::model::content::{Content, MemberChange};
use duplex::model::event::{ChatEvent, Event, Listed, Person};
use duplex::model::id::PrincipalId;
use duplex::model::intent::{ChatIntent, Intent};
use duplex::model::principal::{Principal, PrincipalKind};
use duplex::model::{NamedRoom, RoomId, RoomInfo, RoomName};
use egui::Key;
use egui::accesskit::Role as Part;
use egui_kittest::kittest::Queryable;

use crate::support::{CONNECTION, Window, me, message, sender};

fn mina() -> PrincipalId {
    PrincipalId("p-mina".into())
}

fn room(id: &str) -> RoomId {
    RoomId::new(id).unwrap()
}

fn list(window: &mut Window, id: &str, name: &str, info: RoomInfo) {
    let room = NamedRoom { info, ..NamedRoom::new(room(id), RoomName::new(name).unwrap()) };
    window.event(Event::Chat(ChatEvent::Listed(Listed { rooms: vec![room], ..Listed::default() })));
}

fn private(direct: Option<PrincipalId>) -> RoomInfo {
    RoomInfo { private: true, members: [me().id, mina()].into(), direct, ..RoomInfo::default() }
}

/// A window with me, Mina and Juno, of whom Juno is offline.
fn with_people() -> Window {
    let mut window = Window::online();
    for (id, name, online) in [("me", "me", true), ("p-mina", "Mina", true), ("p-juno", "Juno", false)] {
        let who = Principal {
            id: PrincipalId(id.into()),
            kind: PrincipalKind::Person,
            name: name.into(),
            role: None,
        };
        window.event(Event::Chat(ChatEvent::Presence(Person { who, online, status: String::new() })));
    }
    window.intents();
    window
}

fn chat(intents: Vec<Intent>) -> Vec<ChatIntent> {
    intents
        .into_iter()
        .filter_map(|intent| if let Intent::Chat(chat) = intent { Some(chat) } else { None })
        .collect()
}

fn has(window: &Window, text: &str) -> bool {
    window.harness.query_by_label_contains(text).is_some()
}

#[test]
fn direct_messages_have_a_part_of_the_list_and_are_called_by_whom_they_are_with() {
    let mut window = with_people();
    list(&mut window, "r-plans", "Plans", private(None));
    list(&mut window, "r-mina", "Mina", private(Some(mina())));
    assert!(has(&window, "Direct messages"));
    let row = |window: &Window, label: &str| {
        window.harness.query_by_role_and_label(Part::ListItem, label).is_some()
    };
    assert!(row(&window, "Plans, private room"));
    assert!(row(&window, "Mina, online"));
    window.event(Event::Chat(ChatEvent::Presence(Person {
        who: Principal { id: mina(), kind: PrincipalKind::Person, name: "Mina Kim".into(), role: None },
        online: false,
        status: String::new(),
    })));
    assert!(row(&window, "Mina Kim, offline"));
}

#[test]
fn a_direct_message_is_opened_from_the_list_of_people_and_shown_once_it_is_there() {
    let mut window = with_people();
    window.click("2 online");
    window.click("Message Mina");
    let asked = chat(window.intents());
    assert_eq!(asked, [ChatIntent::OpenDirect { connection: CONNECTION, who: mina() }]);
    list(&mut window, "r-mina", "Mina", private(Some(mina())));
    window.type_message("hi");
    window.key(Key::Enter);
    let sent = chat(window.intents());
    let is_there =
        |intent: &ChatIntent| matches!(intent, ChatIntent::Send { room: to, .. } if *to == room("r-mina"));
    assert!(sent.iter().any(is_there), "{sent:?}");
}

#[test]
fn msg_sends_to_the_one_person_of_that_name() {
    let mut window = with_people();
    window.type_message("/msg mina Do you have a minute?");
    window.key(Key::Enter);
    let content = Content::text("Do you have a minute?");
    let asked = chat(window.intents());
    assert!(
        asked.contains(&ChatIntent::SendDirect { connection: CONNECTION, who: mina(), content }),
        "{asked:?}"
    );
    window.type_message("/msg Nobody hi");
    window.key(Key::Enter);
    assert!(has(&window, "Nobody here is called “Nobody”."));
    assert!(chat(window.intents()).iter().all(|intent| !matches!(intent, ChatIntent::SendDirect { .. })));
}

#[test]
fn a_private_room_is_made_with_the_people_who_are_chosen_and_opened() {
    let mut window = with_people();
    window.click("More for Home");
    window.harness.get_by_role_and_label(Part::MenuItem, "New room").click();
    window.run();
    assert!(!has(&window, "Juno"), "everybody sees a public room");
    window.click("Private");
    window.fill("Room name", "Plans");
    window.click("Juno");
    window.click("Create");
    let juno = PrincipalId("p-juno".into());
    let name = RoomName::new("Plans").unwrap();
    let asked = chat(window.intents());
    let (connection, topic) = (CONNECTION, String::new());
    let wanted = ChatIntent::CreatePrivateRoom { connection, name, topic, members: vec![juno] };
    assert!(asked.contains(&wanted), "{asked:?}");
    list(&mut window, "r-plans", "Plans", private(None));
    window.type_message("first");
    window.key(Key::Enter);
    let sent = chat(window.intents());
    let is_there =
        |intent: &ChatIntent| matches!(intent, ChatIntent::Send { room: to, .. } if *to == room("r-plans"));
    assert!(sent.iter().any(is_there), "{sent:?}");
}

#[test]
fn enter_makes_the_room_and_the_keyboard_stays_where_a_name_is_missing() {
    let mut window = with_people();
    window.click("More for Home");
    window.harness.get_by_role_and_label(Part::MenuItem, "New room").click();
    window.run();
    window.key(Key::Enter);
    assert!(has(&window, "Room name"), "without a name there is no room");
    window.type_text("Attic");
    window.key(Key::Enter);
    let name = RoomName::new("Attic").unwrap();
    let wanted = ChatIntent::CreateRoom { connection: CONNECTION, name, topic: String::new() };
    let asked = chat(window.intents());
    assert!(asked.contains(&wanted), "{asked:?}");
    assert!(!has(&window, "Room name"), "the dialog is closed");
}

#[test]
fn members_are_invited_and_removed_and_whoever_was_removed_cannot_write() {
    let mut window = with_people();
    list(&mut window, "r-plans", "Plans", private(None));
    window.harness.get_by_role_and_label(Part::ListItem, "Plans, private room").click_secondary();
    window.run();
    window.harness.get_by_role_and_label(Part::MenuItem, "Members").click();
    window.run();
    window.click("Invite Juno");
    window.click("Remove Mina");
    let (connection, plans) = (CONNECTION, room("r-plans"));
    let asked = chat(window.intents());
    let juno = PrincipalId("p-juno".into());
    assert!(
        asked.contains(&ChatIntent::InviteToRoom { connection, room: plans.clone(), who: juno }),
        "{asked:?}"
    );
    assert!(
        asked.contains(&ChatIntent::RemoveFromRoom { connection, room: plans.clone(), who: mina() }),
        "{asked:?}"
    );
    window.click("Close");
    window.harness.get_by_role_and_label(Part::ListItem, "Plans, private room").click();
    window.run();
    let mut gone = message(90, "r-plans", "other", "");
    gone.draft.content = Content::member(sender("me"), MemberChange::Left);
    window.event(Event::Chat(ChatEvent::Entries { entries: vec![gone], live: true }));
    assert!(has(&window, "You are no longer in this private room."));
}

#[test]
fn invite_invites_into_the_private_room_where_it_is_typed_and_nowhere_else() {
    let mut window = with_people();
    window.type_message("/invite Juno");
    window.key(Key::Enter);
    assert!(has(&window, "People are invited to private rooms"), "everybody is in a public room");
    list(&mut window, "r-plans", "Plans", private(None));
    window.harness.get_by_role_and_label(Part::ListItem, "Plans, private room").click();
    window.run();
    window.intents();
    window.type_message("/invite Jun");
    // The first completes the name.
    window.key(Key::Enter);
    window.key(Key::Enter);
    let asked = chat(window.intents());
    let wanted = ChatIntent::InviteToRoom {
        connection: CONNECTION,
        room: room("r-plans"),
        who: PrincipalId("p-juno".into()),
    };
    assert!(asked.contains(&wanted), "{asked:?}");
}
