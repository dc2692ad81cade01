//! Rooms in the window: their menu and dialogs, the list of all of them, and what became of them. By accessible names,
//! without a display.

use duplex::model::archive::{ArchiveFormat, ArchiveState, Archived};
use duplex::model::content::{Content, MemberChange};
use duplex::model::entry::Entry;
use duplex::model::event::{ChatEvent, ChoicesUpdate, DiskUpdate, Event, Listed, Update};
use duplex::model::export::ExportFailure;
use duplex::model::intent::{AppIntent, ChatIntent, Intent};
use duplex::model::preferences::{LanguageChoice, Preferences};
use duplex::model::time::WallMs;
use duplex::model::{Feature, Features, NamedRoom, Principal, Role, RoomId, RoomInfo, RoomName};
use egui::Key;
use egui::accesskit::Role as Part;
use egui_kittest::kittest::{NodeT, Queryable};

use crate::support::{CONNECTION, Window, me, message, sender};

fn lathe() -> RoomId {
    RoomId::new("lathe").unwrap()
}

fn entry(offset: u64, room: &str, by: &str, content: Content) -> Entry {
    let mut entry = message(offset, room, by, "");
    entry.draft.content = content;
    entry.sender = sender(by);
    entry
}

fn happen(window: &mut Window, entries: Vec<Entry>) {
    window.event(Event::Chat(ChatEvent::Entries { entries, live: true }));
}

fn list(window: &mut Window, info: RoomInfo) {
    let room = NamedRoom { info, ..NamedRoom::new(lathe(), RoomName::new("Lathe").unwrap()) };
    window.event(Event::Chat(ChatEvent::Listed(Listed { rooms: vec![room], ..Listed::default() })));
}

/// A window with the rooms `general` and `Lathe`.
fn rooms(info: RoomInfo) -> Window {
    let mut window = Window::online();
    list(&mut window, info);
    window.intents();
    window
}

fn be(window: &mut Window, role: Role) {
    window.become_who(Principal { role: Some(role), kind: role.kind(), ..me() });
}

fn menu(window: &mut Window, room: &str, item: &str) {
    window.harness.get_by_role_and_label(Part::ListItem, room).click_secondary();
    window.run();
    window.harness.get_by_role_and_label(Part::MenuItem, item).click();
    window.run();
}

fn has(window: &Window, text: &str) -> bool {
    window.harness.query_by_label_contains(text).is_some()
}

fn chat(intents: Vec<Intent>) -> Vec<ChatIntent> {
    intents
        .into_iter()
        .filter_map(|intent| if let Intent::Chat(chat) = intent { Some(chat) } else { None })
        .collect()
}

#[test]
fn a_room_is_renamed_described_archived_and_left_from_its_menu() {
    let mut window = rooms(RoomInfo { topic: "Noise".into(), ..RoomInfo::default() });
    let (connection, room) = (CONNECTION, lathe());
    menu(&mut window, "Lathe", "Rename");
    window.harness.get_by_role_and_label(Part::Dialog, "Rename #Lathe");
    window.fill("Room name", "Mills");
    window.key(Key::Enter);
    let name = RoomName::new("Mills").unwrap();
    let rename = ChatIntent::RenameRoom { connection, room: room.clone(), name };
    assert_eq!(chat(window.intents()), [rename]);
    assert!(!has(&window, "Rename #Lathe"));
    menu(&mut window, "Lathe", "Set topic");
    window.fill("What this room is about", "Noise and dust ");
    window.click("Save");
    let topic = "Noise and dust".to_owned();
    assert_eq!(chat(window.intents()), [ChatIntent::SetTopic { connection, room: room.clone(), topic }]);
    menu(&mut window, "Lathe", "Archive");
    window.harness.get_by_role_and_label(Part::Dialog, "Archive #Lathe?");
    assert_eq!(window.intents(), [], "asked first");
    window.harness.get_by_role_and_label(Part::Button, "Archive").click();
    window.run();
    let archive = ChatIntent::SetArchived { connection, room: room.clone(), archived: true };
    assert_eq!(chat(window.intents()), [archive]);
    menu(&mut window, "Lathe", "Leave room");
    assert_eq!(chat(window.intents()), [ChatIntent::LeaveRoom { connection, room }]);
}

#[test]
fn a_name_that_breaks_the_rule_is_not_asked_for() {
    let mut window = rooms(RoomInfo::default());
    menu(&mut window, "Lathe", "Rename");
    window.fill("Room name", "\u{200b}");
    assert!(window.harness.get_by_role_and_label(Part::Button, "Save").accesskit_node().is_disabled());
    window.key(Key::Enter);
    assert_eq!(window.intents(), []);
}

#[test]
fn what_the_person_may_not_do_is_disabled_or_not_offered() {
    let is_disabled = |window: &mut Window, room: &str, item: &str| {
        window.harness.get_by_role_and_label(Part::ListItem, room).click_secondary();
        window.run();
        let found = window.harness.query_by_role_and_label(Part::MenuItem, item);
        let found = found.map(|item| item.accesskit_node().is_disabled());
        window.key(Key::Escape);
        found
    };
    let mut window = rooms(RoomInfo::default());
    for (role, rename, archive) in [
        (Role::Member, Some(true), Some(true)),
        (Role::Operator, Some(false), Some(false)),
        (Role::Admin, Some(false), Some(false)),
    ] {
        be(&mut window, role);
        assert_eq!(is_disabled(&mut window, "Lathe", "Rename"), rename, "{role:?}");
        assert_eq!(is_disabled(&mut window, "Lathe", "Archive"), archive, "{role:?}");
        assert_eq!(is_disabled(&mut window, "Lathe", "Leave room"), Some(false), "{role:?}");
    }
    // The room that every server has.
    assert_eq!(is_disabled(&mut window, "general", "Archive"), Some(true));
    assert_eq!(is_disabled(&mut window, "general", "Leave room"), Some(true));
    assert_eq!(is_disabled(&mut window, "general", "Rename"), Some(false));
    // A room of one's own.
    be(&mut window, Role::Member);
    list(&mut window, RoomInfo { own: true, ..RoomInfo::default() });
    assert_eq!(is_disabled(&mut window, "Lathe", "Archive"), Some(false));
    window.offer(Features::all().without(Feature::RoomChanges).without(Feature::Membership));
    assert_eq!(is_disabled(&mut window, "Lathe", "Rename"), None);
    assert_eq!(is_disabled(&mut window, "Lathe", "Leave room"), None);
}

#[test]
fn a_guest_reads_and_is_told_so() {
    let mut window = rooms(RoomInfo::default());
    happen(&mut window, vec![message(1, "general", "mina", "hello")]);
    be(&mut window, Role::Guest);
    window.harness.get_by_label_contains("You are a guest on this server");
    assert!(window.harness.query_by_label("Message").is_none());
    window.harness.get_by_label("hello").click_secondary();
    window.run();
    for act in ["Reply", "Add reaction", "Pin to room"] {
        assert!(window.harness.query_by_role_and_label(Part::MenuItem, act).is_none(), "{act}");
    }
}

#[test]
fn archived_rooms_stand_apart_and_take_no_messages() {
    let mut window = rooms(RoomInfo { archived: true, ..RoomInfo::default() });
    assert!(window.harness.query_by_role_and_label(Part::ListItem, "Lathe, Archived").is_none());
    window.click("Archived (1)");
    window.harness.get_by_role_and_label(Part::ListItem, "Lathe, Archived").click();
    window.run();
    window.harness.get_by_label("This room is archived. Nobody can write in it.");
    assert!(window.harness.query_by_label("Message").is_none());
    window.intents();
    window.click("Unarchive");
    let open = ChatIntent::SetArchived { connection: CONNECTION, room: lathe(), archived: false };
    assert_eq!(chat(window.intents()), [open]);
    // A member may not.
    be(&mut window, Role::Member);
    assert!(window.harness.query_by_role_and_label(Part::Button, "Unarchive").is_none());
    window.check_names();
}

#[test]
fn a_room_that_was_left_is_not_listed_counts_nothing_and_can_be_joined_again() {
    let mut window = rooms(RoomInfo::default());
    happen(&mut window, vec![message(1, "lathe", "mina", "one"), message(2, "lathe", "mina", "two")]);
    window.harness.get_by_role_and_label(Part::ListItem, "Lathe, 2 unread messages");
    happen(&mut window, vec![entry(3, "lathe", "me", Content::member(sender("me"), MemberChange::Left))]);
    assert!(window.harness.query_by_role_and_label(Part::ListItem, "Lathe, 2 unread messages").is_none());
    assert!(window.harness.query_by_role_and_label(Part::ListItem, "Lathe").is_none());
    window.intents();
    window.click("More for Home");
    window.harness.get_by_role_and_label(Part::MenuItem, "Browse rooms").click();
    window.run();
    window.harness.get_by_role_and_label(Part::Dialog, "Browse rooms");
    window.harness.get_by_label("Lathe, You left this room");
    window.fill("Find a room", "LATH");
    assert!(window.harness.query_by_label("Open: general").is_none());
    window.check_names();
    window.click("#Lathe: Join room");
    let join = ChatIntent::JoinRoom { connection: CONNECTION, room: lathe() };
    assert_eq!(chat(window.intents()), std::slice::from_ref(&join));
    window.fill("Find a room", "nothing like this");
    window.harness.get_by_label("No rooms match.");
    window.fill("Find a room", "lathe");
    // To look into it without joining.
    window.click("Open: Lathe");
    window.harness.get_by_label("one");
    window.harness.get_by_label("You left this room. Join it to write.");
    window.intents();
    window.click("Join room");
    assert_eq!(chat(window.intents()), [join]);
    happen(&mut window, vec![entry(4, "lathe", "me", Content::member(sender("me"), MemberChange::Joined))]);
    window.harness.get_by_role_and_label(Part::ListItem, "Lathe");
    window.harness.get_by_label("Message");
}

#[test]
fn what_became_of_a_room_is_told_among_its_messages() {
    let mut window = Window::online();
    let all = || {
        let jun = || sender("jun");
        vec![
            message(1, "general", "mina", "first"),
            entry(2, "general", "mina", Content::renamed(RoomName::new("Hall").unwrap())),
            entry(3, "general", "mina", Content::topic("**Noise**")),
            entry(4, "general", "mina", Content::topic("")),
            entry(5, "general", "jun", Content::member(jun(), MemberChange::Left)),
            entry(6, "general", "jun", Content::member(jun(), MemberChange::Joined)),
            entry(7, "general", "mina", Content::member(jun(), MemberChange::Invited)),
            entry(8, "general", "mina", Content::archived(true)),
            entry(9, "general", "mina", Content::archived(false)),
            message(10, "general", "mina", "second"),
        ]
    };
    happen(&mut window, all());
    let told = |window: &Window, text: &str| {
        assert!(has(window, text), "{text}");
    };
    for text in [
        "mina renamed the room to “Hall”",
        "mina set the topic to “**Noise**”",
        "mina removed the topic",
        "jun left",
        "jun joined",
        "mina added jun",
        "mina archived the room",
        "mina unarchived the room",
    ] {
        told(&window, text);
    }
    window.harness.get_by_role_and_label(Part::Heading, "# Hall");
    window.harness.get_by_label("This is the beginning of #Hall.");
    window.check_names();
    window.update(Update::Choices(ChoicesUpdate::Preferences(Preferences {
        language: LanguageChoice::Korean,
        ..Preferences::default()
    })));
    for text in [
        "mina 님이 방 이름을 ‘Hall’(으)로 바꿨습니다",
        "jun 님이 들어왔습니다",
        "mina 님이 방을 보관했습니다",
    ] {
        told(&window, text);
    }
    // They count as no messages.
    window.harness.get_by_role_and_label(Part::Heading, "# Hall");
}

#[test]
fn messages_are_saved_as_a_file_from_the_menu_with_progress_and_cancel() {
    let mut window = rooms(RoomInfo::default());
    menu(&mut window, "Lathe", "Export messages…");
    window.harness.get_by_role_and_label(Part::Dialog, "Export messages");
    window.fill("From", "no date");
    assert!(has(&window, "That isn't a valid date."));
    window.harness.get_by_label("Export…").click();
    window.run();
    assert_eq!(chat(window.intents()), [], "not while a date is wrong");
    window.fill("From", "2026-11-03");
    window.click("JSON Lines, for programs");
    window.click("Readings of its devices, too");
    window.click("Export…");
    let wanted = chat(window.intents()).into_iter().find_map(|intent| match intent {
        ChatIntent::Archive(wanted) => Some(wanted),
        _ => None,
    });
    let wanted = wanted.unwrap();
    assert_eq!((wanted.room, wanted.readings, wanted.to), (Some(lathe()), true, WallMs::MAX));
    assert!(wanted.format == ArchiveFormat::JsonLines && wanted.from > WallMs(0));
    let number = wanted.number;
    let is = |state| Update::Disk(DiskUpdate::Archived(Archived { number, state }));
    window.update(is(ArchiveState::Choosing));
    assert!(has(&window, "Choose where to save the file…"));
    window.update(is(ArchiveState::Writing(12_000)));
    assert!(has(&window, "12000 written…"));
    window.click("Cancel");
    assert_eq!(chat(window.intents()), [ChatIntent::EndArchive]);
    window.update(is(ArchiveState::Cancelled));
    assert!(has(&window, "Nothing was saved."));
    window.update(is(ArchiveState::Failed(ExportFailure::DiskFull)));
    assert!(has(&window, "the disk is full"));
    let path = std::path::PathBuf::from("/home/me/lathe.jsonl");
    window.update(is(ArchiveState::Saved { path: path.clone(), count: 3 }));
    assert!(has(&window, "3 messages and readings saved to /home/me/lathe.jsonl"));
    window.check_names();
    window.click("Show in folder");
    assert!(window.intents().contains(&Intent::App(AppIntent::ShowFile(path))));
}
