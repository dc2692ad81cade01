//! The window, driven as a person or a screen reader would: by accessible names. No display, no network.

use duplex::model::NamedRoom;
use duplex::model::address::Address;
use duplex::model::banner::Banner;
use duplex::model::content::{Content, Draft};
use duplex::model::event::{
    ChatEvent, ChoicesUpdate, Event, Follows, LinkEvent, LogKind, Page, Paused, Person, SetupUpdate, Side,
    TestOutcome, Update,
};
use duplex::model::features::{Feature, Features};
use duplex::model::id::{ConnectionId, PrincipalId, RoomId};
use duplex::model::id::{Offset, RoomName};
use duplex::model::intent::{AppIntent, ChatIntent, Credential, Intent, Jump, LinkIntent};
use duplex::model::link_state::{LinkState, Phase, Why};
use duplex::model::message::{Delivery, OutboxItem, Position};
use duplex::model::preferences::{LanguageChoice, Preferences};
use duplex::model::principal::{Principal, PrincipalKind, Sender};
use duplex::model::profile::{Secret, Socket};
use duplex::model::refusal::Refusal;
use duplex::model::time::WallMs;
use egui::accesskit::{Live, Role};
use egui::{Key, Modifiers};
use egui_kittest::kittest::{NodeT, Queryable};

use crate::support::{CONNECTION, Window, general, message, sender};

fn sent(intents: &[Intent]) -> Vec<&str> {
    let mut bodies = Vec::new();
    for intent in intents {
        if let Intent::Chat(ChatIntent::Send { content: Content::Text { body, .. }, .. }) = intent {
            bodies.push(body.as_str());
        }
    }
    bodies
}

#[test]
fn enter_sends_and_clears_the_field() {
    let mut window = Window::online();
    window.type_message("hello");
    window.key(Key::Enter);
    let intents = window.intents();
    assert_eq!(sent(&intents), ["hello"]);
    assert_eq!(window.message_text(), "");
    // The focus stays: the next message can be typed at once.
    window.type_text("again");
    window.key(Key::Enter);
    assert_eq!(sent(&window.intents()), ["again"]);
}

#[test]
fn shift_enter_breaks_the_line() {
    let mut window = Window::online();
    window.type_message("one");
    window.key_with(Modifiers::SHIFT, Key::Enter);
    window.type_text("two");
    assert_eq!(sent(&window.intents()), [""; 0]);
    window.key(Key::Enter);
    assert_eq!(sent(&window.intents()), ["one\ntwo"]);
}

#[test]
fn enter_belongs_to_the_input_method_while_it_composes() {
    let mut window = Window::online();
    window.focus_message();
    window.ime_preedit("하");
    window.key(Key::Enter);
    assert_eq!(sent(&window.intents()), [""; 0]);
    window.ime_commit("한");
    window.key(Key::Enter);
    assert_eq!(sent(&window.intents()), ["한"]);
    // Some input methods commit and let Enter through in the same frame: it sends, last syllable included.
    window.ime_preedit("글");
    window.ime_commit_and_enter("글");
    assert_eq!(sent(&window.intents()), ["글"]);
}

#[test]
fn the_send_button_is_off_while_there_is_nothing_to_send() {
    let mut window = Window::online();
    assert!(window.harness.get_by_role_and_label(Role::Button, "Send").accesskit_node().is_disabled());
    window.type_message("by mouse");
    window.click("Send");
    assert_eq!(sent(&window.intents()), ["by mouse"]);
    assert!(window.harness.get_by_label("Message").is_focused());
}

#[test]
fn offline_a_message_can_be_sent_and_says_when_it_goes() {
    let mut window = Window::online();
    window.link(LinkState::Idle);
    window.type_message("later");
    let send = window.harness.get_by_role_and_label(Role::Button, "Send");
    assert!(!send.accesskit_node().is_disabled());
    let description = send.accesskit_node().description().unwrap_or_default();
    assert!(description.contains("back online"), "{description}");
    window.key(Key::Enter);
    assert_eq!(sent(&window.intents()), ["later"]);
}

#[test]
fn too_long_a_message_is_not_sent_and_says_so() {
    let mut window = Window::online();
    window.paste(&"x".repeat(65 * 1024));
    window.key(Key::Enter);
    assert_eq!(sent(&window.intents()), [""; 0]);
    assert!(window.harness.get_by_role_and_label(Role::Button, "Send").accesskit_node().is_disabled());
    window.harness.get_by_label_contains("65.0 of 64 KiB");
}

#[test]
fn the_field_grows_to_six_lines_and_shrinks_back() {
    let mut window = Window::online();
    let field = |window: &Window| window.rect("Message").height();
    let chat = |window: &Window| window.rect("Messages").height();
    window.focus_message();
    let (one_line, whole_chat) = (field(&window), chat(&window));
    window.paste(&"line\n".repeat(40));
    for _ in 0..20 {
        window.pass(16);
    }
    let six_lines = whole_chat - chat(&window);
    assert!((80.0..160.0).contains(&six_lines), "{six_lines}");
    // A text that is too long brings a sentence, and the field stays as it is.
    window.fill("Message", &"x".repeat(65_537));
    for _ in 0..20 {
        window.pass(16);
    }
    window.harness.get_by_label_contains("of 64 KiB");
    assert!(whole_chat - chat(&window) < six_lines + 60.0, "{}", chat(&window));
    window.fill("Message", "");
    window.key(Key::Backspace);
    for _ in 0..5 {
        window.pass(16);
    }
    assert_eq!((field(&window), chat(&window)), (one_line, whole_chat));
}

#[test]
fn what_is_not_sent_can_be_retried_edited_and_deleted() {
    let mut window = Window::online();
    let failed = window.queue("no", Delivery::Failed(Refusal::NotAllowed), -9_000);
    window.harness.get_by_label_contains("Not sent. Your account isn't allowed to do that here.");
    window.click("Retry");
    assert_eq!(window.intents(), [Intent::Chat(ChatIntent::Resend { connection: CONNECTION, id: failed })]);
    window.click("Delete");
    assert_eq!(window.intents(), [Intent::Chat(ChatIntent::Discard { connection: CONNECTION, id: failed })]);
    window.type_message("half a thought");
    window.intents();
    window.click("Edit");
    assert_eq!(window.message_text(), "no");
    window.type_text(" more");
    window.click("Save");
    let edited =
        Intent::Chat(ChatIntent::Edit { connection: CONNECTION, id: failed, body: "no more".into() });
    assert!(window.intents().contains(&edited));
    // What was typed before is back.
    assert_eq!(window.message_text(), "half a thought");
}

#[test]
fn a_waiting_message_says_so_once_it_waits_for_long() {
    let mut window = Window::online();
    let id = window.queue("patience", Delivery::Pending, 0);
    let row = window.harness.get_by_label("patience");
    assert!(row.accesskit_node().description().unwrap_or_default().ends_with("Waiting to send"));
    assert!(window.harness.query_by_label("Delete").is_none());
    let wakes = window.next_deadline().expect("it wants to be drawn again");
    assert!(wakes <= window.now().boot_ms + 1_500);
    window.pass(1_500);
    window.harness.get_by_label("Waiting to send");
    window.click("Delete");
    assert_eq!(window.intents(), [Intent::Chat(ChatIntent::Discard { connection: CONNECTION, id })]);
    window.event(Event::Chat(ChatEvent::Attempted(vec![id])));
    assert!(window.harness.query_by_label("Edit").is_none());
    assert!(window.description("patience").ends_with("Sending"));
    window.event(Event::Chat(ChatEvent::Acknowledged {
        id,
        offset: Offset(9),
        received: window.now().wall_ms,
        follows: Default::default(),
    }));
    // A delivered message says nothing of it.
    assert!(!window.description("patience").contains("Sen"));
}

#[test]
fn an_edit_that_came_too_late_is_not_lost() {
    let mut window = Window::online();
    let id = window.queue("first", Delivery::Pending, -9_000);
    window.click("Edit");
    window.type_text(" and second");
    window.event(Event::Chat(ChatEvent::Attempted(vec![id])));
    window.harness.get_by_label_contains("has already been sent");
    window.intents();
    window.key(Key::Enter);
    assert_eq!(sent(&window.intents()), ["first and second"]);
}

#[test]
fn every_state_has_its_word_in_a_live_region() {
    let mut window = Window::online();
    let boot = window.now().boot_ms;
    let waiting = |down_since| LinkState::Waiting {
        attempt: 2,
        retry_at: boot + 2_500,
        down_since,
        why: Why::TimedOut { during: Phase::Handshake },
    };
    let states = [
        ("Off", LinkState::Idle),
        ("Connecting", LinkState::Dialing { attempt: 1 }),
        ("Connecting", LinkState::Handshaking { attempt: 1 }),
        ("Online", LinkState::Online { since: WallMs(0), rtt_ms: Some(12) }),
        ("Waiting", waiting(boot.before(120_000))),
        ("Suspended", waiting(boot.before(120_001))),
        ("Stopped", LinkState::Stopped { why: Why::Unauthorized }),
    ];
    for (word, state) in states {
        window.link(state);
        let node = window.harness.get_by_role_and_label(Role::Status, word);
        assert_eq!(node.accesskit_node().live(), Live::Polite, "{word}");
    }
}

#[test]
fn the_bar_tells_server_protocol_transport_and_round_trip() {
    let mut window = Window::online();
    window.link(LinkState::Online { since: WallMs(0), rtt_ms: Some(12) });
    for fact in ["Home", "Duplex", "WebSocket", "12 ms"] {
        window.harness.get_by_label(fact);
    }
    window.configure(|profile| profile.socket = Socket::Ewebsock);
    window.harness.get_by_label("close reasons are not available with this transport");
}

#[test]
fn the_bar_and_the_log_tell_why_no_websocket_is_used() {
    use duplex::model::route::{Blocked, Route, RouteInUse};
    let count = |window: &Window, text: &str| window.harness.query_all_by_label_contains(text).count();
    let mut window = Window::online();
    window.link(LinkState::Online { since: WallMs(0), rtt_ms: Some(12) });
    let refused = Some(Blocked::Refused(403));
    let used = RouteInUse::new(Route::LongPoll, refused);
    window.event(Event::Link(LinkEvent::Route(used)));
    window.harness.get_by_label("via long polling: WebSocket was refused (403 by a proxy)");
    let polling = RouteInUse { route: Route::Poll, delay_ms: Some(4_000), ..used };
    window.event(Event::Link(LinkEvent::Route(polling)));
    window.harness.get_by_label("via polling (up to 4 s delay): WebSocket was refused (403 by a proxy)");
    let later = RouteInUse { delay_ms: Some(10_000), ..polling };
    window.event(Event::Link(LinkEvent::Route(later)));
    window.key_with(Modifiers::COMMAND | Modifiers::SHIFT, Key::L);
    window.event(Event::Log(duplex::model::event::LogEvent::Watched(true)));
    assert_eq!(count(&window, "via long polling"), 1, "in the log");
    assert_eq!(count(&window, "via polling (up to"), 2, "the delay alone is not worth a line");
    window.event(Event::Link(LinkEvent::Route(RouteInUse::WEBSOCKET)));
    assert_eq!(count(&window, "via WebSocket"), 1, "in the log");
    assert_eq!(count(&window, "via polling (up to"), 1, "in the log");
}

#[test]
fn waiting_counts_down_and_can_be_cut_short() {
    let mut window = Window::online();
    let boot = window.now().boot_ms;
    window.link(LinkState::Waiting {
        attempt: 1,
        retry_at: boot + 2_500,
        down_since: boot.before(5_000),
        why: Why::ConnectionRefused,
    });
    window.harness.get_by_label("retrying in 3 s");
    window.harness.get_by_label_contains("No server is listening at this address");
    let next = window.next_deadline().expect("a countdown wants to be drawn");
    assert_eq!(next, boot + 500);
    window.pass(500);
    window.harness.get_by_label("retrying in 2 s");
    window.pass(2_000);
    window.harness.get_by_label("retrying now");
    window.click("Retry now");
    assert_eq!(window.intents(), [Intent::Link(LinkIntent::RetryNow(CONNECTION))]);
}

#[test]
fn a_blink_raises_no_alarm() {
    let mut window = Window::online();
    let boot = window.now().boot_ms;
    window.link(LinkState::Waiting {
        attempt: 1,
        retry_at: boot + 60_000,
        down_since: boot,
        why: Why::Lost { detail: String::new() },
    });
    window.harness.get_by_role_and_label(Role::Status, "Waiting");
    assert!(window.harness.query_by_label_contains("Connection lost").is_none());
    window.pass(1_000);
    window.harness.get_by_label_contains("Connection lost");
    // The reason stays while it is tried again.
    window.link(LinkState::Dialing { attempt: 2 });
    window.harness.get_by_label_contains("Connection lost");
    window.link(LinkState::Online { since: WallMs(0), rtt_ms: None });
    assert!(window.harness.query_by_label_contains("Connection lost").is_none());
    assert_eq!(window.next_deadline(), None);
}

#[test]
fn replaying_shows_catching_up() {
    let mut window = Window::online();
    window.welcome(10, &["general"]);
    window.harness.get_by_label("catching up");
    window.entries(1..=10, false);
    assert!(window.harness.query_by_label("catching up").is_none());
}

#[test]
fn rooms_are_list_items_with_their_unread_counts() {
    let mut window = Window::online();
    window.welcome(0, &["general", "lathe"]);
    window.event(Event::Chat(ChatEvent::Entries {
        entries: vec![message(1, "lathe", "mina", "hi")],
        live: true,
    }));
    let lathe = window.harness.get_by_role_and_label(Role::ListItem, "lathe, 1 unread message");
    let place = lathe.accesskit_node();
    assert_eq!((place.data().position_in_set(), place.data().size_of_set()), (Some(1), Some(2)));
    lathe.click();
    window.run();
    window.harness.get_by_label("hi");
    let general = window.harness.get_by_role_and_label(Role::ListItem, "general");
    general.focus();
    window.run();
    window.key(Key::Enter);
    assert!(window.harness.query_by_label("hi").is_none(), "general is open, by keyboard");
}

#[test]
fn a_room_is_made_and_a_refusal_is_shown_where_it_was_made() {
    let mut window = Window::online();
    window.click("More for Home");
    window.click("New room");
    window.fill("Room name", "attic");
    window.fill("What this room is about (optional)", "Old things");
    window.click("Create");
    let name = RoomName::new("attic").unwrap();
    let wanted = Intent::Chat(ChatIntent::CreateRoom {
        connection: CONNECTION,
        name: name.clone(),
        topic: "Old things".to_owned(),
    });
    assert!(window.intents().contains(&wanted));
    // It waits on disk, and is there to be typed into.
    let id = crate::support::id(77);
    let draft = Draft { id, room: id.into(), content: Content::room(name.clone()), at: WallMs(0) };
    let item = OutboxItem { draft, seq: 9, delivery: Delivery::Pending };
    window.event(Event::Chat(ChatEvent::Queued(item)));
    window.run();
    assert!(window.harness.query_by_label("Room name").is_none());
    let row = window.harness.get_by_role_and_label(Role::ListItem, "attic, not created yet");
    assert_eq!(row.accesskit_node().is_selected(), Some(true), "it is open");
    window.event(Event::Chat(ChatEvent::Refused { id, refusal: Refusal::NotAllowed }));
    window.run();
    window.harness.get_by_role_and_label(Role::ListItem, "attic, not created");
    window.harness.get_by_label_contains("Not created. Your account isn't allowed to do that here.");
    assert!(window.harness.query_by_label("Edit").is_none(), "there are no words to change");
    window.click("Retry");
    let again = Intent::Chat(ChatIntent::Resend { connection: CONNECTION, id });
    assert!(window.intents().contains(&again));
    // Once the server has it, it is a room like the others.
    window.event(Event::Link(LinkEvent::Welcomed {
        me: crate::support::me(),
        server: "Workshop".into(),
        log: LogKind::Server { head: Offset(0), next: Offset(1) },
        now: window.now().wall_ms,
        people: vec![],
        rooms: vec![NamedRoom::new(id.into(), name)],
        features: Default::default(),
    }));
    window.run();
    let row = window.harness.get_by_role_and_label(Role::ListItem, "attic");
    assert_eq!(row.accesskit_node().is_selected(), Some(true));
}

#[test]
fn a_room_that_was_there_already_is_opened_in_place_of_the_one_that_was_to_be_made() {
    let mut window = Window::online();
    let (id, name) = (crate::support::id(77), RoomName::new("attic").unwrap());
    let draft = Draft { id, room: id.into(), content: Content::room(name), at: WallMs(0) };
    let item = OutboxItem { draft, seq: 9, delivery: Delivery::Pending };
    window.event(Event::Chat(ChatEvent::Queued(item)));
    window.run();
    window.click("attic, not created yet");
    let typed = Draft {
        id: crate::support::id(78),
        room: id.into(),
        content: Content::text("typed before"),
        at: WallMs(0),
    };
    let typed = OutboxItem { draft: typed, seq: 10, delivery: Delivery::Pending };
    window.event(Event::Chat(ChatEvent::Queued(typed)));
    let follows = Follows::OtherRoom(RoomId::new("of somebody else").unwrap());
    window.event(Event::Chat(ChatEvent::Acknowledged {
        id,
        offset: Offset(3),
        received: WallMs(0),
        follows,
    }));
    window.run();
    let row = window.harness.get_by_role_and_label(Role::ListItem, "attic");
    assert_eq!(row.accesskit_node().is_selected(), Some(true));
    window.harness.get_by_label("typed before");
}

#[test]
fn a_connection_is_added_tested_and_saved() {
    let mut window = Window::online();
    window.click("Add connection");
    assert!(window.harness.get_by_role_and_label(Role::Button, "Save").accesskit_node().is_disabled());
    window.fill("Server address or invite", "ftp://hub.example");
    window.harness.get_by_label_contains("must begin with wss:// or ws://");
    window.fill("Server address or invite", "hub.example");
    window.fill("Token", "s3cret");
    window.harness.get_by_label("Connects to wss://hub.example:7870/v1/socket");
    window.click("Test");
    let intents = window.intents();
    let Some(Intent::Link(LinkIntent::TestConnection { profile, credential })) = intents.first() else {
        panic!("{intents:?}")
    };
    assert_eq!(profile.urls, ["wss://hub.example:7870/v1/socket"]);
    assert!(matches!(credential, Credential::Token(token) if token.reveal() == "s3cret"));
    window.update(Update::Setup(SetupUpdate::Test(Some(TestOutcome::Running))));
    window.harness.get_by_label("Testing…");
    window.update(Update::Setup(SetupUpdate::Test(Some(TestOutcome::Failed(Why::Http {
        status: 401,
        retry_after_ms: None,
    })))));
    window.harness.get_by_label_contains("The server doesn't know this token (HTTP 401).");
    let me = Principal { id: sender("me").id, kind: PrincipalKind::Person, name: "Jonas".into(), role: None };
    window.update(Update::Setup(SetupUpdate::Test(Some(TestOutcome::Passed {
        me,
        server: "Hub".into(),
        took_ms: 31,
    }))));
    window.harness.get_by_label_contains("Connection works: you are Jonas on Hub (31 ms).");
    window.click("Save");
    let intents = window.intents();
    let [Intent::Link(LinkIntent::SaveConnection { profile, .. }), Intent::Link(LinkIntent::EndTest)] =
        &intents[..]
    else {
        panic!("{intents:?}")
    };
    assert_eq!((profile.id, profile.name.as_str()), (ConnectionId(0), ""));
    assert!(window.harness.query_by_label("Token").is_none(), "the dialog is closed");
}

#[test]
fn a_connection_may_have_a_proxy_whose_password_is_taken_out_of_its_address() {
    // High enough for the whole dialog.
    let mut window = Window::sized(1_000.0, 1_800.0);
    window.click("Add connection");
    window.fill("Server address or invite", "hub.example");
    window.fill("Token", "s3cret");
    window.click("Advanced");
    window.click("This one:");
    assert!(window.harness.get_by_role_and_label(Role::Button, "Save").accesskit_node().is_disabled());
    window.fill("Proxy address", "gopher://proxy.example");
    window.harness.get_by_label_contains("begins with http://, https:// or socks5://");
    window.fill("Proxy address", "socks5://me:hunter2@proxy.example");
    window.click("Save");
    let intents = window.intents();
    let [Intent::Link(LinkIntent::SaveConnection { profile, .. })] = &intents[..] else {
        panic!("{intents:?}")
    };
    assert_eq!(profile.network.proxy.text(), "socks5://me@proxy.example:1080");
    assert_eq!(profile.network.proxy_password.as_ref().map(Secret::reveal), Some("hunter2"));
    let saved = serde_json::to_string(profile).unwrap() + &format!("{profile:?}");
    assert!(!saved.contains("hunter2"), "{saved}");
}

#[test]
fn the_proxy_of_a_connection_is_shown_in_its_bar_and_its_log() {
    let mut window = Window::online();
    let address = duplex::model::proxy::Proxy::parse("http://me:hunter2@proxy.example:3128").unwrap().address;
    let source = duplex::model::proxy::ProxySource::Variable("HTTPS_PROXY".to_owned());
    let used = Box::new(duplex::model::proxy::ProxyUsed { address, source });
    window.update(Update::Connection(CONNECTION, Event::Link(LinkEvent::Proxy(Some(used)))));
    window.harness.get_by_label("via proxy http://proxy.example:3128");
    window.update(Update::Connection(CONNECTION, Event::Link(LinkEvent::Proxy(None))));
    assert!(window.harness.query_by_label_contains("via proxy").is_none());
}

#[test]
fn an_invite_asks_for_a_name_instead_of_a_token() {
    let mut window = Window::online();
    window.click("Add connection");
    let hex = "0f".repeat(32);
    let invite = format!("wss://hub.example:7870#invite=abc-def&sha256={hex}");
    window.fill("Server address or invite", &invite);
    assert!(window.harness.query_by_label("Token").is_none());
    assert!(window.harness.get_by_role_and_label(Role::Button, "Join").accesskit_node().is_disabled());
    window.fill("Display name", "Jonas");
    window.click("Join");
    let intents = window.intents();
    let [Intent::Link(LinkIntent::SaveConnection { profile, credential })] = &intents[..] else {
        panic!("{intents:?}")
    };
    assert_eq!(profile.fingerprint.as_deref(), Some(hex.as_str()));
    assert_eq!(profile.urls, [Address::parse(&invite).unwrap().url]);
    assert!(
        matches!(credential, Credential::Invite { code, name } if code.reveal() == "abc-def" && name == "Jonas")
    );
}

#[test]
fn a_connection_without_a_name_is_called_as_its_server_calls_itself() {
    let mut window = Window::online();
    window.configure(|profile| profile.name = "The shed".into());
    window.harness.get_by_label("The shed: Online");
    window.harness.get_by_label("The shed");
    window.configure(|profile| profile.name.clear());
    window.harness.get_by_label("Workshop: Online");
    window.harness.get_by_label("Workshop");
}

#[test]
fn enter_saves_a_connection_or_goes_to_what_is_missing() {
    let mut window = Window::online();
    let is_at = |window: &Window, name| window.harness.get_by_label(name).accesskit_node().is_focused();
    window.click("Add connection");
    assert!(is_at(&window, "Server address or invite"), "the one thing that is needed");
    window.key(Key::Enter);
    assert!(is_at(&window, "Server address or invite"), "and still missing");
    window.type_text("wss://hub.example:7870#invite=abc-def");
    window.key(Key::Enter);
    assert!(is_at(&window, "Display name"), "an invite wants one");
    window.ime_preedit("민");
    window.ime_commit_and_enter("민아");
    assert_eq!(window.intents(), [], "the Enter that ends a syllable is the input method's");
    window.key(Key::Enter);
    let intents = window.intents();
    let [Intent::Link(LinkIntent::SaveConnection { profile, credential })] = &intents[..] else {
        panic!("{intents:?}")
    };
    assert_eq!(profile.urls, ["wss://hub.example:7870/v1/socket"]);
    assert!(matches!(credential, Credential::Invite { name, .. } if name == "민아"));
}

#[test]
fn the_dialog_warns_of_clear_text_and_of_what_ewebsock_cannot_do() {
    let mut window = Window::online();
    window.click("Add connection");
    window.fill("Server address or invite", "ws://127.0.0.1:9000");
    assert!(window.harness.query_by_label_contains("is not encrypted").is_none());
    window.fill("Server address or invite", "ws://192.168.1.20:9000");
    window.harness.get_by_label_contains("is not encrypted");
    window.click("Advanced");
    window.harness.get_by_label("ewebsock").scroll_to_me();
    window.run();
    window.click("ewebsock");
    window.harness.get_by_label_contains("doesn't support a CA file");
    window.fill("Certificate fingerprint", "12:34");
    window.harness.get_by_label_contains("64 hexadecimal digits; colons");
    window.key(Key::Escape);
    assert!(window.harness.query_by_label("Advanced").is_none());
}

#[test]
fn a_password_in_an_address_becomes_the_token_and_is_seen_nowhere() {
    let mut window = Window::online();
    window.click("Add connection");
    window.fill("Server address or invite", "wss://me:s3cret-word@hub.example");
    window.run();
    assert!(window.harness.query_all_by_value("wss://hub.example").next().is_some());
    assert!(window.harness.query_all_by_value("wss://me:s3cret-word@hub.example").next().is_none());
    window.intents();
    window.click("Save");
    let intents = window.intents();
    let [Intent::Link(LinkIntent::SaveConnection { profile, credential })] = &intents[..] else {
        panic!("{intents:?}")
    };
    assert_eq!(profile.urls, ["wss://hub.example/v1/socket"]);
    assert_eq!(credential, &Credential::Token(duplex::model::profile::Secret::new("s3cret-word")));
}

#[test]
fn a_connection_is_edited_disconnected_and_removed_after_a_question() {
    let mut window = Window::online();
    window.click("More for Home");
    window.click("Edit connection");
    window.fill("Name", "House");
    window.click("Save");
    let intents = window.intents();
    let [Intent::Link(LinkIntent::SaveConnection { profile, credential: Credential::Keep })] = &intents[..]
    else {
        panic!("{intents:?}")
    };
    assert_eq!((profile.id, profile.name.as_str()), (CONNECTION, "House"));
    window.click("More for Home");
    window.click("Disconnect");
    assert_eq!(window.intents(), [Intent::Link(LinkIntent::Disconnect(CONNECTION))]);
    window.click("More for Home");
    window.click("Remove connection");
    window.click("Cancel");
    assert_eq!(window.intents(), []);
    window.click("More for Home");
    window.click("Remove connection");
    window.harness.get_by_role_and_label(Role::Dialog, "Remove Home?");
    window.click("Remove");
    assert_eq!(window.intents(), [Intent::Link(LinkIntent::RemoveConnection(CONNECTION))]);
}

#[test]
fn a_connection_that_was_added_is_opened_when_it_is_there() {
    let mut window = Window::online();
    window.click("Add connection");
    window.fill("Server address or invite", "hub.example");
    window.fill("Token", "secret");
    window.click("Save");
    assert!(matches!(&window.intents()[..], [Intent::Link(LinkIntent::SaveConnection { .. })]));
    let mut profile = crate::support::profile();
    (profile.id, profile.name) = (ConnectionId(9), "Workshop".into());
    window.update(Update::Setup(SetupUpdate::Configured(Box::new(profile))));
    window.harness.get_by_label_contains("Choose a room");
}

#[test]
fn the_apps_own_hub_has_a_name_and_cannot_be_edited_or_removed() {
    let mut window = Window::online();
    let mut profile = crate::support::profile();
    (profile.id, profile.name) = (ConnectionId::OWN_HUB, String::new());
    window.update(Update::Setup(SetupUpdate::Configured(Box::new(profile))));
    window.click("More for This computer");
    assert!(window.harness.query_by_label("New room").is_some());
    assert!(window.harness.query_by_label("Edit connection").is_none());
    assert!(window.harness.query_by_label("Remove connection").is_none());
}

#[test]
fn banners_say_what_to_do_and_some_can_be_dismissed() {
    let mut window = Window::online();
    window.update(Update::Banner(Banner::DiskFull));
    window.harness.get_by_label_contains("The disk is full");
    assert!(window.harness.query_by_label("Dismiss").is_none());
    let restarted = Banner::Restarted;
    window.update(Update::Banner(restarted.clone()));
    window.click("Dismiss");
    assert_eq!(window.intents(), [Intent::App(AppIntent::DismissBanner(restarted))]);
}

#[test]
fn the_first_steps_are_two() {
    for (button, dialog) in [("Get started", false), ("Join a server", true)] {
        let mut window = Window::online();
        window.update(Update::Setup(SetupUpdate::FirstSteps(true)));
        window.click(button);
        assert_eq!(window.intents(), [Intent::App(AppIntent::FirstStepsDone)], "{button}");
        window.update(Update::Setup(SetupUpdate::FirstSteps(false)));
        assert_eq!(window.harness.query_by_label("Token").is_some(), dialog, "{button}");
        assert!(window.harness.query_by_label("Get started").is_none());
    }
}

#[test]
fn drafts_stay_with_their_rooms_and_are_kept_a_moment_after_typing() {
    let mut window = Window::online();
    window.welcome(0, &["general", "lathe"]);
    let draft = |room: &str, text: &str| {
        Intent::Chat(ChatIntent::SaveDraft {
            connection: CONNECTION,
            room: RoomId::new(room).unwrap(),
            text: text.into(),
        })
    };
    window.type_message("half a");
    let early = window.intents();
    assert!(
        !early.iter().any(|intent| matches!(intent, Intent::Chat(ChatIntent::SaveDraft { .. }))),
        "{early:?}"
    );
    window.pass(300);
    assert_eq!(window.intents(), [draft("general", "half a")]);
    window.type_text(" sentence");
    window.intents();
    window.click_room("lathe");
    assert_eq!(window.intents(), [draft("general", "half a sentence")]);
    assert_eq!(window.message_text(), "");
    window.type_text("other");
    window.intents();
    window.click_room("general");
    assert_eq!(window.message_text(), "half a sentence");
    window.key(Key::Enter);
    let intents = window.intents();
    assert!(intents.contains(&draft("general", "")), "{intents:?}");
    assert_eq!(window.flush(), []);
}

#[test]
fn a_kept_draft_comes_back() {
    let mut window = Window::online();
    window.event(Event::Chat(ChatEvent::Draft { room: general(), text: "from yesterday".into() }));
    assert_eq!(window.message_text(), "from yesterday");
    window.focus_message();
    window.type_text("!");
    assert_eq!(window.flush().len(), 1);
}

#[test]
fn others_are_told_of_typing_at_most_every_three_seconds() {
    let mut window = Window::online();
    let told = |intents: Vec<Intent>| {
        intents.iter().filter(|i| matches!(i, Intent::Chat(ChatIntent::Typing { .. }))).count()
    };
    window.type_message("a");
    window.type_text("b");
    assert_eq!(told(window.intents()), 1);
    window.pass(2_999);
    window.type_text("c");
    assert_eq!(told(window.intents()), 0);
    window.pass(1);
    window.type_text("d");
    assert_eq!(told(window.intents()), 1);
}

#[test]
fn who_is_typing_is_said_until_it_is_over() {
    let mut window = Window::online();
    let until = window.now().boot_ms + 5_000;
    window.event(Event::Chat(ChatEvent::Typing { room: general(), who: sender("mina"), until }));
    window.harness.get_by_label("mina is typing…");
    assert_eq!(window.next_deadline(), Some(until));
    window.pass(5_000);
    assert!(window.harness.query_by_label("mina is typing…").is_none());
    assert_eq!(window.next_deadline(), None);
}

#[test]
fn messages_show_author_time_and_whether_they_are_replayed() {
    let mut window = Window::online();
    window.event(Event::Chat(ChatEvent::Entries {
        entries: vec![message(1, "general", "mina", "live one")],
        live: true,
    }));
    window.event(Event::Chat(ChatEvent::Entries {
        entries: vec![message(2, "general", "mina", "old one")],
        live: false,
    }));
    window.event(Event::Chat(ChatEvent::Entries {
        entries: vec![message(3, "general", "me", "mine")],
        live: true,
    }));
    assert!(window.description("live one").starts_with("mina, "));
    assert!(!window.description("live one").contains("received later"));
    assert!(window.description("old one").contains("received later"));
    // One's own: delivered, so nothing is said of how far it has come.
    let mine = window.description("mine");
    assert!(mine.starts_with("me (you), ") && !mine.contains("Sen") && !mine.contains("later"), "{mine}");
}

#[test]
fn the_list_follows_at_the_end_and_marks_read() {
    let mut window = Window::online();
    window.entries(1..=200, true);
    window.harness.get_by_label("message 200");
    assert!(window.harness.query_by_label("Jump to newest").is_none());
    let read = |offset| {
        Intent::Chat(ChatIntent::MarkRead {
            connection: CONNECTION,
            room: general(),
            position: Position { era: 1, offset },
        })
    };
    let intents = window.intents();
    assert_eq!(
        intents.iter().filter(|i| matches!(i, Intent::Chat(ChatIntent::MarkRead { .. }))).count(),
        1,
        "{intents:?}"
    );
    assert!(intents.contains(&read(Offset(200))));
    window.entries(201..=201, true);
    window.harness.get_by_label("message 201");
    assert!(window.intents().contains(&read(Offset(201))));
    window.focus_window(false);
    window.intents();
    window.entries(202..=202, true);
    assert_eq!(window.intents(), [], "an unfocused window reads nothing");
    window.harness.get_by_label("New messages");
    window.focus_window(true);
    assert!(window.intents().contains(&read(Offset(202))));
}

#[test]
fn reading_back_nothing_moves() {
    let mut window = Window::online();
    window.paged(1_000..=1_400, true, false);
    window.run();
    window.scroll(600.0);
    let (label, before) = window.some_visible_message();
    window.entries(1_401..=1_430, true);
    assert_eq!(window.rect(&label), before, "appended");
    let intents = window.intents();
    assert!(
        !intents.iter().any(|intent| matches!(intent, Intent::Chat(ChatIntent::MarkRead { .. }))),
        "{intents:?}"
    );
    window.page_in(Side::Older, 900..=999);
    assert_eq!(window.rect(&label), before, "prepended");
    window.harness.get_by_label("Jump to newest");
    assert!(window.description("Jump to newest").contains("30 new messages"));
    window.click("Jump to newest");
    window.harness.get_by_label("message 1430");
    assert!(window.harness.query_by_label("Jump to newest").is_none());
}

#[test]
fn older_pages_are_asked_for_once_and_without_end() {
    let mut window = Window::online();
    window.paged(500..=700, true, false);
    let older =
        Intent::Chat(ChatIntent::LoadMore { connection: CONNECTION, room: general(), side: Side::Older });
    window.intents();
    let mut asked = 0;
    let mut first = 500_u64;
    for _ in 0..60 {
        window.scroll(400.0);
        if window.intents().contains(&older) {
            asked += 1;
            window.event(Event::Chat(ChatEvent::Loading {
                room: general(),
                side: Side::Older,
                loading: true,
            }));
            window.scroll(40.0);
            assert!(!window.intents().contains(&older), "asked twice");
            window.page_in(Side::Older, first - 100..=first - 1);
            first -= 100;
            if first == 100 {
                break;
            }
        }
    }
    assert_eq!((asked, first), (4, 100));
}

#[test]
fn home_and_end_jump_through_the_whole_room() {
    let mut window = Window::online();
    window.paged(1_000..=1_400, true, false);
    window.harness.get_by_label("Messages").focus();
    window.run();
    window.intents();
    window.key(Key::Home);
    let jump = |jump| Intent::Chat(ChatIntent::JumpTo { connection: CONNECTION, room: general(), jump });
    assert!(window.intents().contains(&jump(Jump::Start)));
    window.event(Event::Chat(ChatEvent::Jumped { room: general(), page: window.page(1..=200, false, true) }));
    window.run();
    window.harness.get_by_label("message 1");
    window.harness.get_by_label("This is the beginning of #general.");
    window.key(Key::PageDown);
    assert!(window.harness.query_by_label("message 1").is_none());
    window.key(Key::ArrowUp);
    window.intents();
    window.key(Key::End);
    assert!(window.intents().contains(&jump(Jump::End)));
    window.event(Event::Chat(ChatEvent::Jumped {
        room: general(),
        page: window.page(1_200..=1_400, true, false),
    }));
    window.run();
    window.harness.get_by_label("message 1400");
}

#[test]
fn the_scroll_bar_reaches_the_whole_room() {
    let mut window = Window::online();
    window.paged(1_000..=1_400, true, false);
    let bar = window.harness.get_by_label("Position in the room");
    assert_eq!(bar.accesskit_node().numeric_value(), Some(1.0));
    let list = window.rect("Messages");
    let x = list.right() - 6.0;
    window.intents();
    window.harness.drag_at(egui::pos2(x, list.bottom() - 10.0));
    window.run();
    window.harness.hover_at(egui::pos2(x, list.center().y));
    window.run();
    window.harness.drop_at(egui::pos2(x, list.center().y));
    window.run();
    let jumps: Vec<_> = window
        .intents()
        .into_iter()
        .filter(|i| matches!(i, Intent::Chat(ChatIntent::JumpTo { .. })))
        .collect();
    let [Intent::Chat(ChatIntent::JumpTo { jump: Jump::To(position), .. })] = &jumps[..] else {
        panic!("{jumps:?}")
    };
    assert!((500..900).contains(&position.offset.0), "{position:?}");
    let page = window.page(position.offset.0 - 100..=position.offset.0 + 100, true, true);
    let target = format!("message {}", position.offset);
    window.event(Event::Chat(ChatEvent::Jumped { room: general(), page }));
    window.harness.get_by_label(&target);
}

#[test]
fn what_lies_before_the_first_message_is_said() {
    let mut window = Window::online();
    let page = |window: &Window| Page { older_on_hub: true, ..window.page(10..=12, false, false) };
    let first = page(&window);
    window.event(Event::Chat(ChatEvent::Jumped { room: general(), page: first }));
    window.harness.get_by_label("Loading older messages…");
    window.link(LinkState::Idle);
    window.harness.get_by_label("Older messages are on the server. Connect to load them.");
    let complete = window.page(1..=3, false, false);
    window.event(Event::Chat(ChatEvent::Jumped { room: general(), page: complete }));
    window.harness.get_by_label("This is the beginning of #general.");
}

#[test]
fn a_gap_is_a_row() {
    let mut window = Window::online();
    let mut page = window.page(1..=6, false, false);
    for message in &mut page.messages[3..] {
        message.position.era = 2;
    }
    window.event(Event::Chat(ChatEvent::Jumped { room: general(), page }));
    window.harness.get_by_label_contains("may be missing");
}

#[test]
fn days_are_set_apart() {
    let mut window = Window::online();
    let mut page = window.page(1..=4, false, false);
    for message in &mut page.messages[..2] {
        message.received = message.received - 10 * 86_400_000;
    }
    window.event(Event::Chat(ChatEvent::Jumped { room: general(), page }));
    window.harness.get_by_label("Today");
    let other_days = window.harness.query_all_by_label_contains(" 20").count();
    assert!(other_days >= 1);
}

#[test]
fn what_was_unread_when_the_room_was_opened_is_set_apart() {
    let mut window = Window::online();
    window.welcome(0, &["general", "lathe"]);
    window.click_room("lathe");
    window.entries(1..=5, true);
    window.event(Event::Chat(ChatEvent::ReadMarker { room: general(), offset: Offset(3) }));
    window.click_room("general");
    let divider = window.rect("New messages");
    assert!(window.rect("message 3").bottom() < divider.top());
    assert!(divider.bottom() < window.rect("message 4").top());
}

#[test]
fn long_messages_are_folded_and_unfold_in_place() {
    let mut window = Window::online();
    let text = (1..=100).map(|line| format!("line {line}")).collect::<Vec<_>>().join("\n");
    window.event(Event::Chat(ChatEvent::Entries {
        entries: vec![message(1, "general", "mina", &text)],
        live: true,
    }));
    window.click("Show all 100 lines");
    window.harness.get_by_label_contains("line 100");
    for _ in 0..4 {
        window.scroll(-1_000.0);
    }
    window.click("Show less");
    let wall = "한".repeat(20_000);
    window.event(Event::Chat(ChatEvent::Entries {
        entries: vec![message(2, "general", "mina", &wall)],
        live: true,
    }));
    window.harness.get_by_label("Show all 20000 characters");
}

#[test]
fn an_empty_room_says_so() {
    let window = Window::online();
    window.harness.get_by_label("No messages yet. Write the first one.");
}

#[test]
fn text_from_outside_is_shown_harmless() {
    let mut window = Window::online();
    let trick = "user\u{202E}fdp.exe\u{0}\u{1b}[31m";
    window.event(Event::Chat(ChatEvent::Entries {
        entries: vec![message(1, "general", "mina", trick)],
        live: true,
    }));
    window.harness.get_by_label("user⟨U+202E⟩fdp.exe␀␛[31m");
}

#[test]
fn people_whose_names_look_alike_have_a_short_id_and_an_admin_a_mark() {
    let mut window = Window::online();
    let person = |id: &str, name: &str, kind| Person {
        who: Principal { id: PrincipalId(id.into()), kind, name: name.into(), role: None },
        online: true,
        status: String::new(),
    };
    let say = |window: &mut Window, offset, id: &str, name: &str| {
        let mut entry = message(offset, "general", name, &format!("body {offset}"));
        entry.sender.id = PrincipalId(id.into());
        window.event(Event::Chat(ChatEvent::Entries { entries: vec![entry], live: true }));
    };
    let description = |window: &Window, body: &str| {
        window.harness.get_by_label(body).accesskit_node().description().unwrap_or_default()
    };
    window.event(Event::Chat(ChatEvent::Presence(person("1a1a000000000001", "Jun", PrincipalKind::Person))));
    say(&mut window, 1, "1a1a000000000001", "Jun");
    assert!(description(&window, "body 1").starts_with("Jun, "), "alone under this name");
    window.event(Event::Chat(ChatEvent::Presence(person(
        "2b2b000000000002",
        "J\u{FF35}N",
        PrincipalKind::Person,
    ))));
    say(&mut window, 2, "2b2b000000000002", "J\u{FF35}N");
    assert!(description(&window, "body 1").starts_with("Jun ·1a1a, "), "also what was shown before");
    assert!(description(&window, "body 2").starts_with("J\u{FF35}N ·2b2b, "));
    assert_eq!(window.harness.query_all_by_label("admin").count(), 0);
    window.event(Event::Chat(ChatEvent::Presence(person("3c3c000000000003", "Mina", PrincipalKind::Admin))));
    say(&mut window, 3, "3c3c000000000003", "Mina");
    window.harness.get_by_label("admin");
    assert!(description(&window, "body 3").starts_with("Mina, admin, "));
    say(&mut window, 4, "4d4d000000000004", "Jun ·1a1a");
    assert!(
        description(&window, "body 4").starts_with("Jun ⟨U+00B7⟩1a1a, "),
        "a name does not pose as a mark"
    );
    let who = Sender { id: PrincipalId("2b2b000000000002".into()), name: "J\u{FF35}N".into() };
    let until = window.now().boot_ms + 5_000;
    window.event(Event::Chat(ChatEvent::Typing { room: general(), who, until }));
    assert!(window.harness.query_by_label_contains("J\u{FF35}N ·2b2b").is_some(), "also while typing");
    let korean = Preferences { language: LanguageChoice::Korean, ..Preferences::default() };
    window.update(Update::Choices(ChoicesUpdate::Preferences(korean)));
    window.harness.get_by_label("관리자");
}

#[test]
fn what_is_copied_is_what_was_written() {
    let mut window = Window::online();
    let trick = "user\u{202E}fdp.exe";
    window.event(Event::Chat(ChatEvent::Entries {
        entries: vec![message(1, "general", "mina", trick)],
        live: true,
    }));
    window.harness.get_by_label("user⟨U+202E⟩fdp.exe").click_secondary();
    window.run();
    window.harness.get_by_label("Copy text").click();
    let copied = (0..5).find_map(|_| {
        window.harness.step();
        window.copied()
    });
    assert_eq!(copied.as_deref(), Some(trick));
}

#[test]
fn every_control_has_a_name() {
    let mut window = Window::online();
    window.welcome(0, &["general", "lathe"]);
    window.queue("no", Delivery::Failed(Refusal::NotAllowed), -9_000);
    window.update(Update::Banner(Banner::Restarted));
    window.update(Update::Setup(SetupUpdate::FirstSteps(true)));
    window.check_names();
    window.click("Add connection");
    window.click("Advanced");
    window.check_names();
}

#[test]
fn nothing_asks_for_repaints_when_nothing_happens() {
    let mut window = Window::online();
    window.entries(1..=50, true);
    window.run();
    assert_eq!(window.next_deadline(), None);
    assert!(!window.harness.ctx.has_requested_repaint(), "{:?}", window.harness.ctx.repaint_causes());
}

#[test]
fn a_queued_message_that_arrives_keeps_its_place() {
    let mut window = Window::online();
    window.entries(1..=3, true);
    let id = window.queue("mine", Delivery::Attempted, 0);
    let before = window.rect("mine");
    let mut entry = message(4, "general", "me", "mine");
    entry.draft.id = id;
    entry.received = window.now().wall_ms;
    window.event(Event::Chat(ChatEvent::Entries { entries: vec![entry], live: true }));
    assert_eq!(window.rect("mine"), before);
    assert_eq!(window.harness.query_all_by_label("mine").count(), 1);
}

#[test]
fn korean_says_why_the_link_is_down_and_fits_a_narrow_window() {
    let mut window = Window::sized(480.0, 600.0);
    let korean = Preferences { language: LanguageChoice::Korean, ..Preferences::default() };
    window.update(Update::Choices(ChoicesUpdate::Preferences(korean)));
    window.entries(1..=30, true);
    window.link(LinkState::Stopped { why: Why::Unauthorized });
    window.pass(1_500);
    window.harness.query_all_by_label_contains("서버가 모르는 토큰입니다.").next().unwrap();
    for name in ["메시지", "보내기", "설정", "message 30"] {
        let rect = window.rect(name);
        assert!(rect.left() >= 0.0 && rect.right() <= 480.0 && rect.bottom() <= 600.0, "{name}: {rect:?}");
    }
}

#[test]
fn the_font_has_hangul_and_latin_of_one_family() {
    let window = Window::online();
    let missing = window.harness.ctx.fonts_mut(|fonts| {
        let known = fonts.characters(&egui::FontFamily::Proportional);
        let ours = |c: &char| known.get(c).is_some_and(|fonts| fonts[0] == "Pretendard");
        ('가'..='힣').chain("Duplex⋯ é — … “”·−".chars()).filter(|c| !ours(c)).collect::<String>()
    });
    assert_eq!(missing, "");
}

#[test]
fn what_the_server_takes_later_says_why_it_waits_and_until_when() {
    let mut window = Window::online();
    let kept = window.queue("may be there", Delivery::Attempted, 0);
    let id = window.queue("not there", Delivery::Attempted, 0);
    let until = window.now().wall_ms + 60_000;
    let pause = |refusal| Event::Link(LinkEvent::Paused(Some(Paused { refusal, until })));
    window.event(Event::Chat(ChatEvent::Postponed { id, unseen: true }));
    window.event(pause(Refusal::SlowDown { retry_after_ms: 60_000 }));
    let says = |window: &Window, words: &str| window.harness.query_all_by_label_contains(words).count();
    assert_eq!(says(&window, "The server isn't accepting messages right now. Sending resumes at "), 2);
    window.click("Delete");
    assert_eq!(window.intents(), [Intent::Chat(ChatIntent::Discard { connection: CONNECTION, id })]);
    window.event(Event::Chat(ChatEvent::Unqueued(id)));
    window.event(pause(Refusal::Quota { retry_after_ms: 60_000 }));
    assert_eq!(says(&window, "You've reached this account's sending limit. Sending resumes at "), 1);
    assert!(window.harness.query_by_label("Delete").is_none(), "the server may have the other one");
    window.event(Event::Link(LinkEvent::Paused(None)));
    assert_eq!(says(&window, "reached this account"), 0);
    assert!(window.description("may be there").ends_with("Sending"));
    window.event(Event::Chat(ChatEvent::Unqueued(kept)));
}

#[test]
fn what_a_server_does_not_offer_is_not_offered_by_the_window_either() {
    let mut window = Window::online();
    for online in [true, false] {
        if !online {
            window.event(Event::Link(LinkEvent::State(LinkState::Idle)));
        }
        for (features, makes_rooms) in
            [(Features::all(), true), (Features::all().without(Feature::CreateRooms), false)]
        {
            window.offer(features);
            window.click("More for Home");
            let found = window.harness.query_by_label("New room").is_some();
            assert_eq!(found, makes_rooms, "online: {online}");
            window.key(Key::Escape);
        }
    }
}

#[test]
fn older_messages_are_not_asked_for_where_the_server_gives_none() {
    let mut window = Window::online();
    window.offer(Features::all().without(Feature::History));
    let page = Page { older_on_hub: true, ..window.page(20..=22, false, false) };
    window.event(Event::Chat(ChatEvent::Jumped { room: RoomId::general(), page }));
    window.run();
    window.harness.get_by_label("This server doesn't provide older messages.");
    let asks = |intent: &Intent| matches!(intent, Intent::Chat(ChatIntent::LoadMore { .. }));
    assert!(!window.intents().iter().any(asks));
}

#[test]
fn a_program_that_posts_is_marked_whatever_it_is_called() {
    let mut window = Window::online();
    let mut entry = message(1, "general", "Ada", "The backup is done.");
    entry.sender.id = duplex::model::PrincipalId("hook:5f1e".into());
    let entries = vec![entry, message(2, "general", "mina", "Thanks.")];
    window.event(Event::Chat(ChatEvent::Entries { entries, live: true }));
    // Of Ada's messages alone.
    assert_eq!(window.harness.query_all_by_label("bot").count(), 1);
}
