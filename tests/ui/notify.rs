//! What a person chooses of what to be told, by the controls' names: in the settings, in a room's menu, on a device's page.

use duplex::model::device::{DeviceId, DeviceState, Spec};
use duplex::model::event::{ChoicesUpdate, DeviceEvent, Event, Update};
use duplex::model::intent::{AppIntent, ChatIntent, DeviceIntent, Intent};
use duplex::model::notices::{Level, NoticeChoices, NoticePreferences, Viewing};
use duplex::model::time::WallMs;
use duplex::model::{LanguageChoice, Preferences};
use duplex::ui::Surroundings;
use egui::accesskit::{Role, Toggled};
use egui::{Key, Modifiers};
use egui_kittest::kittest::{NodeT, Queryable};

use crate::support::{CONNECTION, Window, general};

fn pump() -> DeviceId {
    DeviceId::new("pump").unwrap()
}

/// With one device.
fn with_pump() -> Window {
    let mut window = Window::online();
    let state = DeviceState {
        spec: Spec { name: "Pump".into(), ..Spec::unannounced(pump()) },
        incarnation: 1,
        online: true,
        since: window.now().wall_ms,
        reason: String::new(),
        heard: Some(window.now().wall_ms),
        every_ms: None,
        values: vec![],
    };
    window.event(Event::Device(DeviceEvent::Listed {
        devices: vec![state],
        started: WallMs(0),
        more: false,
    }));
    window.intents();
    window
}

/// Plays the worker's part: what was chosen is in the model.
fn keep(window: &mut Window) -> Vec<Intent> {
    let intents = window.intents();
    let mut choices = window.harness.state().notice_choices();
    for intent in &intents {
        match intent.clone() {
            Intent::Chat(ChatIntent::SetRoomLevel { connection, room, level }) => {
                choices.set_room(connection, room, level)
            }
            Intent::Device(DeviceIntent::Mute { connection, device, muted }) => {
                choices.mute(connection, device, muted)
            }
            Intent::App(AppIntent::SetPreferences(preferences)) => {
                window.update(Update::Choices(ChoicesUpdate::Preferences(preferences)))
            }
            _ => {}
        }
    }
    window.update(Update::Choices(ChoicesUpdate::Notices(choices)));
    intents
}

fn notices(window: &Window) -> NoticePreferences {
    window.harness.state().preferences().notices
}

fn is_on(window: &Window, role: Role, name: &str) -> bool {
    window.harness.get_by_role_and_label(role, name).accesskit_node().toggled() == Some(Toggled::True)
}

#[test]
fn a_rooms_menu_says_and_changes_what_is_told_of_it() {
    let mut window = Window::online();
    window.harness.get_by_role_and_label(Role::ListItem, "general").click_secondary();
    window.run();
    assert!(is_on(&window, Role::MenuItemRadio, "Default (mentions only)"));
    window.click("Nothing");
    let level = Some(Level::Nothing);
    assert_eq!(
        keep(&mut window),
        [Intent::Chat(ChatIntent::SetRoomLevel { connection: CONNECTION, room: general(), level })]
    );
    assert!(window.harness.query_by_label("All messages").is_none(), "the menu is done with");
    assert_eq!(window.description("general"), "muted");
    window.check_names();

    // By keys, and back.
    window.harness.get_by_role_and_label(Role::ListItem, "general").focus();
    window.run();
    window.key_with(Modifiers::SHIFT, Key::F10);
    assert!(is_on(&window, Role::MenuItemRadio, "Nothing"));
    for _ in 0..20 {
        if window.harness.get_by_label("Default (mentions only)").is_focused() {
            break;
        }
        window.key(Key::ArrowDown);
    }
    window.key(Key::Space);
    let level = None;
    assert_eq!(
        keep(&mut window),
        [Intent::Chat(ChatIntent::SetRoomLevel { connection: CONNECTION, room: general(), level })]
    );
    assert_eq!(window.description("general"), "");
}

#[test]
fn a_device_is_muted_on_its_page() {
    let mut window = with_pump();
    window.open_device(pump());
    window.run();
    window.intents();
    window.click("More for Pump");
    window.click("Mute notifications");
    let muted = |muted| Intent::Device(DeviceIntent::Mute { connection: CONNECTION, device: pump(), muted });
    assert_eq!(keep(&mut window), [muted(true)]);
    window.click("More for Pump");
    assert!(window.harness.query_by_label_contains("Notifications muted").is_some());
    window.click("Unmute notifications");
    assert_eq!(keep(&mut window), [muted(false)]);
    window.check_names();
}

#[test]
fn every_setting_of_notices_is_a_control_and_counts_at_once() {
    let mut window = Window::online();
    window.click("Settings");
    window.fill("Search settings", "notifications");
    window.click("All messages");
    keep(&mut window);
    assert_eq!(notices(&window).rooms, Level::All);
    type Flag = fn(&NoticePreferences) -> bool;
    let flags: [(&str, &str, Flag); 8] = [
        ("Devices going offline", "devices offline", |notices| notices.devices),
        ("Lost connections", "outage", |notices| notices.link),
        ("Message text in notifications", "privacy", |notices| notices.show_text),
        ("Do not disturb", "disturb", |notices| notices.do_not_disturb),
        ("Quiet hours", "schedule", |notices| notices.quiet),
        ("Tray icon", "badge", |notices| notices.tray),
        ("Keep running when the window is closed", "background", |notices| notices.close_to_tray),
        ("Keep running when the window is closed", "종료", |notices| notices.close_to_tray),
    ];
    for (name, search, flag) in flags {
        window.fill("Search settings", search);
        let before = flag(&notices(&window));
        assert_eq!(is_on(&window, Role::CheckBox, name), before, "{name}");
        window.click(name);
        keep(&mut window);
        assert_eq!(
            (flag(&notices(&window)), is_on(&window, Role::CheckBox, name)),
            (!before, !before),
            "{name}"
        );
    }
    window.fill("Search settings", "quiet from");
    window.click("Quiet from: decrease");
    keep(&mut window);
    assert_eq!(notices(&window).quiet_from, 21 * 60 + 30);
    window.harness.get_by_label("21:30");
    window.check_names();
}

#[test]
fn a_trial_is_asked_for_and_what_is_missing_around_the_window_is_said() {
    let mut window = Window::online();
    let nothing_told = "Notifications aren't available: no notification service is running on this computer.";
    let no_tray = "This desktop has no tray, so closing the window quits Duplex.";
    window.click("Settings");
    window.fill("Search settings", "test example");
    window.intents();
    window.click("Send test notification");
    assert_eq!(window.intents(), [Intent::App(AppIntent::TryNotice)]);
    // Nothing is said before it is known.
    assert!(window.harness.query_by_label(nothing_told).is_none());
    window.surround(Surroundings {
        notices: Some(false),
        tray: Some(false),
        can_hide: true,
        reduced_motion: false,
    });
    window.harness.get_by_label(nothing_told);
    window.fill("Search settings", "status area badge");
    window.harness.get_by_label(no_tray);
    window.surround(Surroundings {
        notices: Some(true),
        tray: Some(true),
        can_hide: false,
        reduced_motion: false,
    });
    assert!(window.harness.query_by_label(no_tray).is_none());
    window.fill("Search settings", "background");
    window.harness.get_by_label_contains("Not available on Wayland");
    window.surround(Surroundings {
        notices: Some(true),
        tray: Some(true),
        can_hide: true,
        reduced_motion: false,
    });
    assert!(window.harness.query_by_label_contains("Not available on Wayland").is_none());
    window.check_names();
}

#[test]
fn what_a_person_looks_at_is_known_and_what_a_notice_opens_is_shown() {
    let mut window = with_pump();
    assert_eq!(window.viewing(), Viewing { room: Some((CONNECTION, general())), device: None });
    window.open_device(pump());
    window.run();
    assert_eq!(window.viewing().device, Some((CONNECTION, pump())));
    window.ui(|ui, _, _| ui.show_device_list());
    assert_eq!(window.viewing().device, None);
    // In a narrow window one pane at a time is looked at, and a notice brings its own.
    let mut window = Window::sized(500.0, 700.0);
    window.ui(|ui, _, _| ui.show_device_list());
    assert_eq!(window.viewing(), Viewing::default());
    window.ui(|ui, _, intents| ui.bring_room(CONNECTION, general(), intents));
    assert_eq!(window.viewing().room, Some((CONNECTION, general())));
    window.harness.get_by_label("Message");
}

#[test]
fn do_not_disturb_from_the_tray_reaches_the_open_settings_too() {
    let mut window = Window::online();
    window.click("Settings");
    window.fill("Search settings", "disturb");
    window.intents();
    window.ui(|ui, model, intents| ui.toggle_do_not_disturb(model, intents));
    keep(&mut window);
    assert!(notices(&window).do_not_disturb);
    assert!(is_on(&window, Role::CheckBox, "Do not disturb"));
    assert_eq!(keep(&mut window), [], "nothing takes it back");
}

#[test]
fn korean_has_them_too() {
    let mut window = Window::online();
    let preferences = Preferences { language: LanguageChoice::Korean, ..Preferences::default() };
    window.update(Update::Choices(ChoicesUpdate::Preferences(preferences)));
    window.update(Update::Choices(ChoicesUpdate::Notices(NoticeChoices::default())));
    window.harness.get_by_role_and_label(Role::ListItem, "general").click_secondary();
    window.run();
    window.click("모든 메시지");
    keep(&mut window);
    assert_eq!(window.description("general"), "모든 메시지 알림");
    window.click("설정");
    window.fill("설정 검색", "트레이");
    window.harness.get_by_role_and_label(Role::CheckBox, "창을 닫아도 계속 실행");
    window.check_names();
}
