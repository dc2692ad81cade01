//! What can be done by keys, and where the focus is after it: by accessible names, in both languages.

use duplex::model::device::{DeviceId, DeviceState, Spec};
use duplex::model::event::{ChatEvent, ChoicesUpdate, DeviceEvent, Event, Update};
use duplex::model::id::RoomId;
use duplex::model::intent::{AppIntent, ChatIntent, Intent, LinkIntent, LogIntent};
use duplex::model::preferences::{LanguageChoice, Preferences, Theme};
use duplex::model::time::WallMs;
use duplex::ui::keys::{TABLE, written};
use duplex::ui::text::{ENGLISH, KOREAN};
use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::kittest::{NodeT, Queryable};

use crate::support::{CONNECTION, Window, message};

const COMMAND_SHIFT: Modifiers = Modifiers::COMMAND.plus(Modifiers::SHIFT);
const ALT_SHIFT: Modifiers = Modifiers::ALT.plus(Modifiers::SHIFT);

fn open_room(window: &Window) -> String {
    let rows = window.harness.get_all_by_role(Role::ListItem);
    let open = rows.filter_map(|row| {
        let row = row.accesskit_node();
        (row.is_selected() == Some(true)).then(|| row.label().unwrap_or_default())
    });
    open.collect::<Vec<_>>().join(" ")
}

fn with_rooms() -> Window {
    let mut window = Window::online();
    window.welcome(0, &["alpha", "general", "omega"]);
    window.intents();
    window
}

#[test]
fn f1_shows_every_shortcut_in_both_languages() {
    for (language, words) in [(LanguageChoice::English, &ENGLISH), (LanguageChoice::Korean, &KOREAN)] {
        let mut window = Window::sized(1_100.0, 2_000.0);
        window.update(Update::Choices(ChoicesUpdate::Preferences(Preferences {
            language,
            ..Preferences::default()
        })));
        window.key(Key::F1);
        for row in TABLE.iter().filter(|row| !row.keys.is_empty()) {
            let name = (words.keys.action)(row.action);
            assert!(window.harness.query_all_by_label(name).next().is_some(), "{name}");
            for keys in row.keys {
                let keys = written(keys, false);
                assert!(window.harness.query_all_by_label(&keys).next().is_some(), "{name}: {keys}");
            }
        }
        window.check_names();
        window.key(Key::Escape);
        assert!(window.harness.query_by_label((words.keys.group)(TABLE[0].group)).is_none());
        assert!(window.harness.get_by_label(words.message).is_focused());
    }
}

#[test]
fn alt_and_arrows_go_along_the_rooms_and_round_the_ends() {
    let mut window = with_rooms();
    assert_eq!(open_room(&window), "general");
    for expected in ["omega", "alpha", "general"] {
        window.key_with(Modifiers::ALT, Key::ArrowDown);
        assert_eq!(open_room(&window), expected);
        assert!(window.harness.get_by_label("Message").is_focused());
    }
    window.key_with(Modifiers::ALT, Key::ArrowUp);
    assert_eq!(open_room(&window), "alpha");
}

#[test]
fn with_shift_they_go_to_what_is_unread_and_stay_where_nothing_is() {
    let mut window = with_rooms();
    window.key_with(ALT_SHIFT, Key::ArrowUp);
    assert_eq!(open_room(&window), "general");
    window.event(Event::Chat(ChatEvent::Entries {
        entries: vec![message(1, "omega", "mina", "here")],
        live: true,
    }));
    window.key_with(ALT_SHIFT, Key::ArrowUp);
    assert_eq!(open_room(&window), "omega");
}

#[test]
fn what_is_typed_stays_with_its_room() {
    let mut window = with_rooms();
    window.type_message("half a thought");
    window.key_with(Modifiers::ALT, Key::ArrowDown);
    assert_eq!(window.message_text(), "");
    window.key_with(Modifiers::ALT, Key::ArrowUp);
    assert_eq!(window.message_text(), "half a thought");
    let kept = |intent: &Intent| {
        matches!(intent, Intent::Chat(ChatIntent::SaveDraft { room, text, .. })
        if *room == RoomId::general() && text == "half a thought")
    };
    assert!(window.intents().iter().any(kept));
}

#[test]
fn the_log_the_dialog_and_the_retry_have_keys() {
    let mut window = Window::online();
    window.key_with(COMMAND_SHIFT, Key::L);
    assert!(window.intents().contains(&Intent::Log(LogIntent::Watch(CONNECTION, true))));
    window.key_with(COMMAND_SHIFT, Key::L);
    assert!(window.intents().contains(&Intent::Log(LogIntent::Watch(CONNECTION, false))));
    assert!(window.harness.get_by_label("Message").is_focused());
    window.key_with(COMMAND_SHIFT, Key::R);
    assert!(window.intents().contains(&Intent::Link(LinkIntent::RetryNow(CONNECTION))));
    window.key_with(COMMAND_SHIFT, Key::N);
    window.harness.get_by_label("Server address or invite");
    // Behind a dialog nothing moves.
    window.key_with(COMMAND_SHIFT, Key::R);
    assert!(!window.intents().contains(&Intent::Link(LinkIntent::RetryNow(CONNECTION))));
}

#[test]
fn zoom_by_keys_shows_in_the_settings_that_are_open() {
    let mut window = Window::online();
    window.key_with(Modifiers::COMMAND, Key::Comma);
    window.click("Appearance");
    window.key_with(Modifiers::COMMAND, Key::Plus);
    assert_eq!(
        window.intents(),
        [Intent::App(AppIntent::SetPreferences(Preferences { zoom_percent: 110, ..Preferences::default() }))]
    );
    window.harness.get_by_label("110 %");
    window.key_with(COMMAND_SHIFT, Key::Plus);
    window.harness.get_by_label("125 %");
}

fn with_devices(names: &[&str]) -> Window {
    let mut window = with_rooms();
    let now = window.now().wall_ms;
    let devices = names.iter().map(|name| {
        let id = DeviceId::new(*name).unwrap();
        DeviceState {
            spec: Spec::unannounced(id),
            incarnation: 1,
            online: true,
            since: now,
            reason: String::new(),
            heard: Some(now),
            every_ms: None,
            values: vec![],
        }
    });
    window.event(Event::Device(DeviceEvent::Listed {
        devices: devices.collect(),
        started: WallMs(0),
        more: false,
    }));
    window
}

/// What the palette shows, from the top.
fn lines(window: &Window) -> Vec<String> {
    let lines = window.harness.get_all_by_role(Role::ListBoxOption);
    let mut lines: Vec<_> =
        lines.map(|line| (line.rect().top(), line.accesskit_node().label().unwrap_or_default())).collect();
    lines.sort_by(|one, other| one.0.total_cmp(&other.0));
    lines.into_iter().map(|(_, label)| label).collect()
}

fn palette(window: &mut Window, text: &str) {
    window.key_with(Modifiers::COMMAND, Key::K);
    window.type_text(text);
}

#[test]
fn the_palette_opens_a_room_by_a_few_letters() {
    let mut window = with_rooms();
    palette(&mut window, "ome");
    assert_eq!(lines(&window)[0], "omega");
    window.key(Key::Enter);
    assert_eq!(open_room(&window), "omega");
    assert!(window.harness.get_by_label("Message").is_focused());
    // The room before is the first offer: there and back is two keys.
    window.key_with(Modifiers::COMMAND, Key::K);
    assert_eq!(lines(&window)[0], "general");
    window.key(Key::Enter);
    assert_eq!(open_room(&window), "general");
}

#[test]
fn the_palette_opens_a_device_even_where_devices_are_hidden() {
    let mut window = with_devices(&["kiln-1", "kiln-2", "온실-센서"]);
    window.key_with(Modifiers::COMMAND, Key::Num2);
    palette(&mut window, "kiln2");
    window.key(Key::Enter);
    let back = ENGLISH.device_page.back;
    assert!(window.harness.get_by_role_and_label(Role::Button, back).is_focused());
    assert!(window.harness.query_all_by_label_contains("kiln-2").next().is_some());
    // By initial consonants too.
    palette(&mut window, "ㅇㅅ");
    assert_eq!(lines(&window)[0], "온실-센서");
}

#[test]
fn the_palette_does_things_and_shows_their_keys() {
    let mut window = Window::online();
    palette(&mut window, "zoom in");
    assert_eq!(lines(&window)[0], "Zoom in");
    window.key(Key::Enter);
    let zoomed = Preferences { zoom_percent: 110, ..Preferences::default() };
    assert_eq!(window.intents(), [Intent::App(AppIntent::SetPreferences(zoomed))]);
    assert!(window.harness.get_by_label("Message").is_focused());
    palette(&mut window, "retry");
    window.key(Key::Enter);
    assert!(window.intents().contains(&Intent::Link(LinkIntent::RetryNow(CONNECTION))));
    palette(&mut window, "dark");
    window.key(Key::Enter);
    let dark = Preferences { theme: Theme::Dark, ..zoomed };
    assert!(window.intents().contains(&Intent::App(AppIntent::SetPreferences(dark))));
    palette(&mut window, "korean");
    assert_eq!(lines(&window)[0], "Language: 한국어");
    window.key(Key::Escape);
    palette(&mut window, "add conn");
    window.key(Key::Enter);
    window.harness.get_by_label("Server address or invite");
}

#[test]
fn the_palette_is_walked_by_arrows_and_says_when_nothing_is_found() {
    let mut window = with_rooms();
    window.key_with(Modifiers::COMMAND, Key::K);
    let selected = |window: &Window| {
        let lines = window.harness.get_all_by_role(Role::ListBoxOption);
        lines.filter(|line| line.accesskit_node().is_selected() == Some(true)).count()
    };
    assert_eq!(selected(&window), 1);
    let second = lines(&window)[1].clone();
    window.key(Key::ArrowDown);
    assert_eq!(selected(&window), 1);
    let line = window.harness.get_by_role_and_label(Role::ListBoxOption, &second);
    assert_eq!(line.accesskit_node().is_selected(), Some(true));
    window.check_names();
    // To the very last and back: what the keyboard is on is on screen.
    for _ in 0..20 {
        window.key(Key::PageDown);
    }
    assert_eq!(selected(&window), 1);
    window.type_text("qqqq");
    window.harness.get_by_label(ENGLISH.keys.nothing_found);
    window.key(Key::Enter);
    window.harness.get_by_label(ENGLISH.keys.nothing_found);
    window.key(Key::Escape);
    assert!(window.harness.query_by_label(ENGLISH.keys.palette).is_none());
}

#[test]
fn esc_gives_the_focus_back_to_what_had_it() {
    let mut window = with_devices(&["kiln"]);
    let list = |window: &Window| {
        window.harness.get_by_role_and_label(Role::Table, ENGLISH.devices.device_list).is_focused()
    };
    window.key_with(Modifiers::COMMAND, Key::Num3);
    assert!(list(&window));
    for (modifiers, key) in
        [(Modifiers::COMMAND, Key::K), (Modifiers::NONE, Key::F1), (Modifiers::COMMAND, Key::Comma)]
    {
        window.key_with(modifiers, key);
        assert!(!list(&window), "{key:?}");
        window.key(Key::Escape);
        assert!(list(&window), "{key:?}");
    }
    // Twice the same key: it stays, or what is typed next would become a message.
    window.key_with(Modifiers::COMMAND, Key::K);
    window.key_with(Modifiers::COMMAND, Key::K);
    window.harness.get_by_role_and_label(Role::TextInput, ENGLISH.keys.palette);
}

#[test]
fn what_is_typed_in_the_same_frame_as_a_shortcut_goes_where_that_leads() {
    let mut window = with_rooms();
    window.focus_message();
    // A frame that took long: all of it was pressed before the window drew again.
    let key = |key, modifiers, pressed| egui::Event::Key {
        key,
        physical_key: None,
        pressed,
        repeat: false,
        modifiers,
    };
    let events = [
        egui::Event::Text("hel".into()),
        key(Key::K, Modifiers::COMMAND, true),
        key(Key::K, Modifiers::COMMAND, false),
        egui::Event::Text("ome".into()),
        key(Key::Enter, Modifiers::NONE, true),
        key(Key::Enter, Modifiers::NONE, false),
    ];
    window.harness.input_mut().events.extend(events);
    window.run();
    assert_eq!(open_room(&window), "omega");
    assert!(!window.intents().iter().any(|intent| matches!(intent, Intent::Chat(ChatIntent::Send { .. }))));
    window.key_with(Modifiers::COMMAND, Key::K);
    window.key(Key::Enter);
    assert_eq!((open_room(&window), window.message_text()), ("general".into(), "hel".into()));
}

#[test]
fn f6_goes_from_pane_to_pane_and_round() {
    let mut window = with_devices(&["kiln"]);
    window.key_with(COMMAND_SHIFT, Key::L);
    let at = |window: &Window| {
        let focused = |node: &egui_kittest::Node<'_>| node.is_focused();
        let all = window.harness.get_all_by(|node| node.is_focused());
        let mut names: Vec<_> =
            all.filter(focused).map(|node| node.accesskit_node().label().unwrap_or_default()).collect();
        names.pop().unwrap_or_default()
    };
    let log = ENGLISH.log.list;
    let devices = ENGLISH.devices.device_list;
    window.focus_message();
    for expected in [devices, log, "general", "Message"] {
        window.key(Key::F6);
        assert_eq!(at(&window), expected);
    }
    for expected in ["general", log, devices, "Message"] {
        window.key_with(Modifiers::SHIFT, Key::F6);
        assert_eq!(at(&window), expected);
    }
}

#[test]
fn who_types_in_the_chat_writes_a_message_and_nowhere_else() {
    let mut window = with_devices(&["kiln"]);
    // In the devices it may be meant as a filter: Enter would send it to everybody.
    window.key(Key::F6);
    window.type_text("kil");
    window.key(Key::Enter);
    assert_eq!((window.message_text().as_str(), sent(&mut window)), ("", 0));
    // Back from the page of the device that it named.
    window.key(Key::Escape);
    let devices = window.rect("Filter devices");
    click_at(&mut window, devices.center_bottom() + egui::vec2(0.0, 300.0));
    window.type_text("kil");
    assert_eq!(window.message_text(), "");
    // After a sheet nothing was used yet.
    window.key_with(Modifiers::COMMAND, Key::Comma);
    window.key(Key::Escape);
    window.type_text("dark");
    assert_eq!(window.message_text(), "");
    // In the chat nothing else can be meant.
    let messages = window.rect("Messages");
    click_at(&mut window, messages.center());
    window.type_text("h");
    window.type_text("ello");
    assert_eq!(window.message_text(), "hello");
    // A space presses the button that has the focus, and is no text.
    window.harness.get_by_role_and_label(Role::Button, "Add connection").focus();
    window.run();
    window.type_text(" ");
    assert_eq!(window.message_text(), "hello");
    // In another field it stays there.
    window.harness.get_by_label("Filter devices").focus();
    window.run();
    window.type_text("kiln");
    assert_eq!(window.message_text(), "hello");
    // After Esc, with nothing to close, the message has the focus again.
    window.harness.get_by_role_and_label(Role::Button, "Add connection").focus();
    window.run();
    window.key(Key::Escape);
    assert!(window.harness.get_by_label("Message").is_focused());
}

fn sent(window: &mut Window) -> usize {
    let is_message = |intent: &Intent| matches!(intent, Intent::Chat(ChatIntent::Send { .. }));
    window.intents().iter().filter(|intent| is_message(intent)).count()
}

fn click_at(window: &mut Window, at: egui::Pos2) {
    window.harness.event(egui::Event::PointerMoved(at));
    for pressed in [true, false] {
        let (button, modifiers) = (egui::PointerButton::Primary, Modifiers::NONE);
        window.harness.event(egui::Event::PointerButton { pos: at, button, pressed, modifiers });
    }
    window.run();
}

#[test]
fn the_palette_knows_what_the_settings_know_in_both_languages() {
    for (language, typed, found) in [
        (LanguageChoice::English, "다크 모드", "Theme: Dark"),
        (LanguageChoice::English, "night theme", "Theme: Dark"),
        (LanguageChoice::English, "font size", "Zoom"),
        (LanguageChoice::English, "방해 금지", "Do not disturb"),
        (LanguageChoice::English, "preferences", "Settings"),
        (LanguageChoice::English, "새 서버", "Add connection"),
        (LanguageChoice::Korean, "dark mode", "테마: 다크"),
        (LanguageChoice::Korean, "export", "연결 내보내기/가져오기"),
        (LanguageChoice::Korean, "retry", "지금 다시 연결"),
        (LanguageChoice::Korean, "Keyboard shortcuts", "키보드 단축키"),
    ] {
        let mut window = Window::online();
        window.update(Update::Choices(ChoicesUpdate::Preferences(Preferences {
            language,
            ..Preferences::default()
        })));
        palette(&mut window, typed);
        let lines = lines(&window);
        assert!(lines.iter().any(|line| line == found), "{typed}: {lines:?}");
    }
}

#[test]
fn the_palette_opens_a_setting() {
    let mut window = Window::online();
    palette(&mut window, "quiet hours");
    assert_eq!(lines(&window)[0], "Quiet hours");
    window.key(Key::Enter);
    window.harness.get_by_role_and_label(Role::Dialog, "Settings");
    window.harness.get_by_role_and_label(Role::CheckBox, "Quiet hours");
}
