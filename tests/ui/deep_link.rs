//! Links that the system hands over: what they open, and what a person is asked before a server is added.

use duplex::model::DeepLink;
use duplex::model::event::{SearchUpdate, SetupUpdate, Update};
use duplex::model::id::{Offset, RoomId};
use duplex::model::intent::{ChatIntent, Credential, Intent, Jump, LinkIntent};
use duplex::model::link_state::LinkState;
use duplex::model::message::{Delivery, Position};
use duplex::model::profile::Secret;
use duplex::model::search::MessageFound;
use duplex::ui::Options;
use egui::Key;
use egui::accesskit::Role;
use egui_kittest::kittest::Queryable;

use crate::support::{CONNECTION, Window, general, id};

/// Connected to `wss://hub.example:7870/v1/socket`, with two rooms.
fn window() -> Window {
    let mut window = Window::begun(1_100.0, 720.0, Options::default(), &["general", "lab"]);
    window.configure(|profile| profile.urls = vec!["wss://hub.example:7870/v1/socket".into()]);
    window.update(Update::Setup(SetupUpdate::Loaded));
    window.intents();
    window
}

fn open(window: &mut Window, link: &str) {
    window.ui(|ui, _, _| ui.open_link(link));
    window.run();
}

fn room(window: &Window) -> Option<RoomId> {
    window.viewing().room.map(|(_, room)| room)
}

fn shows(window: &Window, text: &str) -> bool {
    window.harness.query_all_by_label_contains(text).next().is_some()
}

/// Whether anything is dialled, sent or saved.
fn acts(window: &mut Window) -> Vec<Intent> {
    let mut intents = window.intents();
    intents.retain(|intent| matches!(intent, Intent::Link(_) | Intent::Chat(ChatIntent::Send { .. })));
    intents
}

#[test]
fn a_link_to_a_known_server_opens_its_room_and_message() {
    let mut window = window();
    window.entries(1..=3, true);
    open(&mut window, "duplex://hub.example/lab");
    assert_eq!(room(&window), Some(RoomId::new("lab").unwrap()));
    open(&mut window, &format!("duplex://hub.example/general/{}", id(2)));
    assert_eq!(room(&window), Some(general()));
    let number = window.intents().into_iter().find_map(|intent| match intent {
        Intent::Chat(ChatIntent::FindMessage { number, connection: CONNECTION, room, id: wanted }) => {
            assert_eq!((room, wanted), (general(), id(2)));
            Some(number)
        }
        _ => None,
    });
    let position = Position { era: 1, offset: Offset(2) };
    window.update(Update::Search(SearchUpdate::MessageFound(MessageFound {
        number: number.unwrap(),
        position: Some(position),
        thread: None,
    })));
    let jumps = window.intents();
    let jump = ChatIntent::JumpTo { connection: CONNECTION, room: general(), jump: Jump::To(position) };
    // What is in memory already is scrolled to.
    let is_there = shows(&window, "message 2");
    assert!(is_there || jumps.contains(&Intent::Chat(jump)), "{jumps:?}");
    assert!(!shows(&window, "not found"));
}

#[test]
fn what_is_not_there_is_said() {
    let mut window = window();
    open(&mut window, "duplex://hub.example/nowhere");
    assert!(shows(&window, "Home has no room “nowhere” that you can see"));
    window.check_names();
    window.link(LinkState::Idle);
    open(&mut window, "duplex://hub.example/nowhere");
    assert!(shows(&window, "Connect to the server, then open the link again"));
    window.key(Key::Escape);
    open(&mut window, &format!("duplex://hub.example/general/{}", id(77)));
    let number = window.intents().into_iter().find_map(|intent| match intent {
        Intent::Chat(ChatIntent::FindMessage { number, .. }) => Some(number),
        _ => None,
    });
    window.update(Update::Search(SearchUpdate::MessageFound(MessageFound {
        number: number.unwrap(),
        position: None,
        thread: None,
    })));
    assert!(shows(&window, "the message isn't on this computer"));
    window.click("Close");
    assert_eq!(room(&window), Some(general()));
    for (link, why) in [
        ("duplex://hub.example:99999/x", "address in the link isn't valid"),
        ("duplex://hub.example/x/y", "message in the link isn't valid"),
        ("duplex:hub", "Those begin with duplex://"),
        ("duplex://localhost/general?log=00000000000000ff", "only the computer it was copied on"),
    ] {
        open(&mut window, link);
        assert!(shows(&window, "This link can't be opened") && shows(&window, why), "{link}");
        window.check_names();
        window.key(Key::Escape);
        assert!(!shows(&window, why));
    }
    assert_eq!(acts(&mut window), []);
}

#[test]
fn an_unknown_server_is_added_only_after_a_confirmation_that_shows_where_it_leads() {
    let mut window = window();
    open(&mut window, "duplex://other.example:9000/general");
    assert!(shows(&window, "Add this server?") && shows(&window, "other.example:9000"));
    window.check_names();
    // The key that opened the link, repeated.
    window.key(Key::Enter);
    assert!(!shows(&window, "Add this server?"));
    assert_eq!(acts(&mut window), []);
    assert_eq!(room(&window), Some(general()), "nothing else was opened");

    open(&mut window, "duplex://p\u{430}ypal.example/general?tls=off");
    assert!(
        shows(&window, "mixes letters from different alphabets") || shows(&window, "letters other than a–z")
    );
    assert!(shows(&window, "not encrypted"), "that anybody can read it is said");
    window.click("Continue…");
    assert!(shows(&window, "Add connection"));
    assert_eq!(acts(&mut window), [], "the person has confirmed nothing of the connection yet");
}

#[test]
fn an_invite_is_used_only_when_the_connection_is_saved() {
    let mut window = window();
    open(&mut window, "duplex://other.example/#invite=ABC&name=Work%20shop");
    assert!(shows(&window, "Join this server?") && shows(&window, "The link calls it “Work shop”"));
    window.click("Continue…");
    assert_eq!(acts(&mut window), []);
    window.fill("Display name", "Ada");
    window.click("Join");
    let saved = acts(&mut window);
    let is_saved = saved.iter().any(|intent| match intent {
        Intent::Link(LinkIntent::SaveConnection {
            profile,
            credential: Credential::Invite { code, name },
        }) => {
            profile.urls == ["wss://other.example:7870/v1/socket"]
                && *code == Secret::new("ABC")
                && name == "Ada"
        }
        _ => false,
    });
    assert!(is_saved, "{saved:?}");
    // An invite to a server that is known: it opens that, unless the person wants to join anew.
    open(&mut window, "duplex://hub.example/#invite=ABC");
    assert!(shows(&window, "You already have this server"));
    window.click("Open server");
    assert!(!shows(&window, "You already have this server"));
    assert_eq!(acts(&mut window), []);
}

#[test]
fn a_link_waits_for_the_saved_connections_and_for_a_dialog_with_typed_text() {
    let mut early = Window::begun(1_100.0, 720.0, Options::default(), &["general", "lab"]);
    early.configure(|profile| profile.urls = vec!["wss://hub.example:7870/v1/socket".into()]);
    open(&mut early, "duplex://hub.example/lab");
    assert_eq!(room(&early), Some(general()));
    early.update(Update::Setup(SetupUpdate::Loaded));
    early.run();
    assert_eq!(room(&early), Some(RoomId::new("lab").unwrap()));

    let mut window = window();
    window.click("Add connection");
    window.fill("Server address or invite", "half.typed.example");
    open(&mut window, "duplex://hub.example/lab");
    assert_eq!(room(&window), Some(general()));
    let typed = window.harness.get_by_label("Server address or invite").value();
    assert_eq!(typed.as_deref(), Some("half.typed.example"));
    window.click("Cancel");
    window.run();
    assert_eq!(room(&window), Some(RoomId::new("lab").unwrap()));
}

#[test]
fn a_link_that_is_pasted_as_an_address_becomes_one() {
    let mut window = window();
    window.click("Add connection");
    window.fill("Server address or invite", "duplex://other.example/general");
    window.run();
    let address = window.harness.get_by_label("Server address or invite").value();
    assert_eq!(address.as_deref(), Some("wss://other.example:7870/v1/socket"));
}

/// What a click on this copies.
fn copied_by(window: &mut Window, label: &str) -> String {
    window.harness.get_by_label(label).click();
    let mut steps = (0..10).map(|_| {
        window.harness.step();
        window.copied()
    });
    let copied = steps.find_map(|copied| copied).expect("something in the clipboard");
    window.run();
    copied
}

#[test]
fn menus_copy_links_that_lead_back_to_a_room_and_a_message() {
    let mut window = window();
    window.harness.get_by_role_and_label(Role::ListItem, "lab").click_secondary();
    window.run();
    let link = copied_by(&mut window, "Copy link to room");
    assert!(link.starts_with("duplex://hub.example/lab?log="), "{link}");
    open(&mut window, &link);
    assert_eq!(room(&window), Some(RoomId::new("lab").unwrap()));

    open(&mut window, "duplex://hub.example/general");
    window.entries(1..=1, true);
    window.harness.get_by_label("message 1").click_secondary();
    window.run();
    let link = copied_by(&mut window, "Copy link to message");
    let parsed = DeepLink::parse(&link).unwrap();
    assert_eq!((parsed.room.as_deref(), parsed.message), (Some("general"), Some(id(1))));
    // What no server has cannot be linked to.
    window.queue("waits", Delivery::Pending, 0);
    window.run();
    window.harness.get_by_label("waits").click_secondary();
    window.run();
    assert!(window.harness.query_by_label("Copy link to message").is_none());
}
