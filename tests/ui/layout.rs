//! Which panes are on screen at which width, as a person has chosen, and what of it comes back with the next start.

use duplex::model::event::{ChatEvent, ChoicesUpdate, Update};
use duplex::model::id::RoomId;
use duplex::model::intent::{AppIntent, Intent};
use duplex::model::link_state::{LinkState, Why};
use duplex::model::panes::{Middle, Pane, Panes};
use duplex::model::preferences::{Density, LanguageChoice, Preferences};
use duplex::model::time::WallMs;
use duplex::ui::Options;
use egui::accesskit::Role;
use egui::{Key, Modifiers, Rect};
use egui_kittest::kittest::{NodeT, Queryable};

use crate::support::{CONNECTION, Window};

/// Which of rooms, chat and devices are on screen.
fn shown(window: &Window) -> [bool; 3] {
    let has = |name| window.harness.query_by_label(name).is_some();
    [has("Add connection"), has("Message"), has("Filter devices")]
}

fn kept(window: &mut Window) -> Option<Panes> {
    window.intents().into_iter().rev().find_map(|intent| match intent {
        Intent::App(AppIntent::KeepPanes(panes)) => Some(panes),
        _ => None,
    })
}

fn drag(window: &mut Window, from: egui::Pos2, by: f32) {
    window.harness.hover_at(from);
    window.run();
    window.harness.drag_at(from);
    window.run();
    window.harness.hover_at(from + egui::vec2(by, 0.0));
    window.run();
    window.harness.drop_at(from + egui::vec2(by, 0.0));
    window.run();
}

#[test]
fn a_wide_window_shows_all_three_and_each_choice_is_kept() {
    for width in [820.0, 1_000.0, 1_280.0] {
        let mut window = Window::sized(width, 720.0);
        assert_eq!(shown(&window), [true, true, true], "{width}");
        for (name, expected, middle) in [
            ("Chat", [true, true, false], Middle::Chat),
            ("Devices", [true, false, true], Middle::Devices),
            ("Both", [true, true, true], Middle::Both),
        ] {
            window.click(name);
            assert_eq!(shown(&window), expected, "{name} at {width}");
            assert_eq!(kept(&mut window).unwrap().middle, middle);
        }
        window.click("Rooms");
        assert_eq!(shown(&window), [false, true, true]);
        assert!(!kept(&mut window).unwrap().rooms);
        window.click("Rooms");
        assert_eq!(shown(&window), [true, true, true]);
    }
}

#[test]
fn a_narrow_window_shows_one_at_a_time() {
    for width in [480.0, 700.0, 799.0] {
        let mut window = Window::sized(width, 600.0);
        assert_eq!(shown(&window), [false, true, false], "{width}");
        window.click("Devices");
        assert_eq!(shown(&window), [false, false, true], "{width}");
        window.click("Rooms");
        assert_eq!(shown(&window), [true, false, false], "{width}");
        // Who chooses a room wants to be in it.
        window.click_room("general");
        assert_eq!(shown(&window), [false, true, false], "{width}");
        assert!(window.harness.get_by_label("Message").is_focused());
    }
}

#[test]
fn what_is_shown_alone_stays_when_the_window_is_made_narrow_and_wide_again() {
    let mut window = Window::sized(1_200.0, 700.0);
    window.click("Devices");
    window.resize(600.0, 700.0);
    assert_eq!(shown(&window), [false, false, true]);
    window.click("Chat");
    window.resize(1_200.0, 700.0);
    assert_eq!(shown(&window), [true, true, false]);
    window.click("Both");
    window.resize(600.0, 700.0);
    window.click("Devices");
    window.resize(1_200.0, 700.0);
    assert_eq!(shown(&window), [true, true, true]);
}

#[test]
fn the_keys_choose_as_the_switch_does_and_take_the_focus_along() {
    let mut window = Window::online();
    let press = |window: &mut Window, key| window.key_with(Modifiers::COMMAND, key);
    press(&mut window, Key::Num3);
    assert_eq!(shown(&window), [true, false, true]);
    assert!(window.harness.get_by_role(Role::Table).is_focused());
    press(&mut window, Key::Num2);
    assert_eq!(shown(&window), [true, true, false]);
    assert!(window.harness.get_by_label("Message").is_focused());
    press(&mut window, Key::Num4);
    assert_eq!(shown(&window), [true, true, true]);
    press(&mut window, Key::Num1);
    assert_eq!(shown(&window), [false, true, true]);
    press(&mut window, Key::Num1);
    assert!(window.harness.get_by_role_and_label(Role::ListItem, "general").is_focused());
}

#[test]
fn widths_that_were_dragged_and_the_open_room_come_back() {
    let mut window = Window::sized(1_280.0, 720.0);
    window.welcome(0, &["general", "workshop"]);
    window.click_room("workshop");
    let edge = window.rect("Filter devices").left() - 16.0;
    drag(&mut window, egui::pos2(edge, 400.0), -60.0);
    let panes = kept(&mut window).expect("a drag is kept once it ends");
    let width = panes.devices_width.unwrap();
    let expected = duplex::ui::theme::size::DEVICES + 60.0;
    assert!((width - expected).abs() < 10.0, "{width}");
    let panes = window.panes();
    assert_eq!(panes.room, Some((CONNECTION, RoomId::new("workshop").unwrap())));
    let before = window.rect("Filter devices");

    let options = Options { panes, ..Options::default() };
    let again = Window::begun(1_280.0, 720.0, options, &["general", "workshop"]);
    assert_eq!(again.rect("Filter devices"), before);
    let room = again.harness.get_by_role_and_label(Role::ListItem, "workshop");
    assert_eq!(room.accesskit_node().is_selected(), Some(true));
}

#[test]
fn what_a_narrower_window_took_from_the_devices_comes_back_with_the_room() {
    let panes = Panes { devices_width: Some(420.0), ..Panes::default() };
    let mut window = Window::begun(1_280.0, 720.0, Options { panes, ..Options::default() }, &["general"]);
    let before = window.rect("Filter devices");
    window.resize(830.0, 720.0);
    let narrow = window.rect("Filter devices");
    assert!(narrow.width() < before.width() - 40.0, "{} beside {}", narrow.width(), before.width());
    window.resize(1_280.0, 720.0);
    assert_eq!(window.rect("Filter devices"), before);
    assert_eq!(window.panes().devices_width, Some(420.0));
}

#[test]
fn hidden_panes_stay_hidden_with_the_next_start() {
    let panes = Panes { middle: Middle::Devices, rooms: false, single: Pane::Rooms, ..Panes::default() };
    let options = Options { panes, ..Options::default() };
    let mut window = Window::begun(1_280.0, 720.0, options, &["general"]);
    assert_eq!(shown(&window), [false, false, true]);
    window.resize(600.0, 720.0);
    assert_eq!(shown(&window), [true, false, false]);
}

#[test]
fn a_room_that_is_gone_does_not_come_back() {
    let room = Some((CONNECTION, RoomId::new("gone").unwrap()));
    let options = Options { panes: Panes { room, ..Panes::default() }, ..Options::default() };
    let window = Window::begun(1_280.0, 720.0, options, &["general", "workshop"]);
    let room = window.harness.get_by_role_and_label(Role::ListItem, "general");
    assert_eq!(room.accesskit_node().is_selected(), Some(true));
}

fn all_within(window: &Window, width: f32, height: f32, what: &str) {
    let whole = Rect::from_min_size(egui::Pos2::ZERO, egui::vec2(width, height)).expand(0.5);
    let controls =
        [Role::Button, Role::RadioButton, Role::TextInput, Role::MultilineTextInput, Role::CheckBox];
    for role in controls {
        for node in window.harness.query_all_by_role(role) {
            let rect = node.rect();
            let name = node.accesskit_node().label().unwrap_or_default();
            let inside = rect.left() >= whole.left() && rect.right() <= whole.right();
            assert!(inside, "{what} at {width}: {name} {rect:?}");
        }
    }
}

#[test]
fn everything_is_within_reach_from_480_points_and_at_three_times_the_size() {
    // The last is a window of 1280 by 800 at 300 %, the one before it one of 480 at 200 %.
    for (width, height) in [(800.0, 600.0), (480.0, 600.0), (240.0, 300.0), (427.0, 267.0)] {
        for language in [LanguageChoice::English, LanguageChoice::Korean] {
            let mut window = Window::sized(width, height);
            window.update(Update::Choices(ChoicesUpdate::Preferences(Preferences {
                language,
                ..Preferences::default()
            })));
            window.entries(1..=30, true);
            all_within(&window, width, height, "chat");
            window.link(LinkState::Stopped { why: Why::Unauthorized });
            window.pass(1_500);
            all_within(&window, width, height, "stopped");
            window.link(LinkState::Online { since: WallMs(0), rtt_ms: Some(12) });
            window.key_with(Modifiers::COMMAND, Key::Num1);
            all_within(&window, width, height, "rooms");
            window.key_with(Modifiers::COMMAND, Key::Num3);
            all_within(&window, width, height, "devices");
            window.key_with(Modifiers::COMMAND, Key::Num2);
            for (key, what) in [(Key::Comma, "settings"), (Key::K, "palette")] {
                window.key_with(Modifiers::COMMAND, key);
                all_within(&window, width, height, what);
                window.key(Key::Escape);
            }
            window.key(Key::F1);
            all_within(&window, width, height, "shortcuts");
            window.key(Key::Escape);
            window.key_with(Modifiers::COMMAND | Modifiers::SHIFT, Key::N);
            all_within(&window, width, height, "dialog");
            window.key(Key::Escape);
            window.key_with(Modifiers::COMMAND | Modifiers::SHIFT, Key::L);
            all_within(&window, width, height, "log");
        }
    }
}

#[test]
fn the_bar_keeps_its_place_when_numbers_change() {
    let mut window = Window::online();
    window.link(LinkState::Online { since: WallMs(0), rtt_ms: Some(1) });
    let all =
        |window: &Window| ["Home", "Online", "Duplex", "WebSocket"].map(|name| window.rect(name).left());
    let before = all(&window);
    window.link(LinkState::Online { since: WallMs(0), rtt_ms: Some(1_234) });
    assert_eq!(all(&window), before);
}

#[test]
fn the_title_says_which_room_is_open_and_what_is_unread() {
    let mut window = Window::online();
    let title = |window: &Window| {
        let output = window.harness.output();
        let commands = output.viewport_output.values().flat_map(|viewport| &viewport.commands);
        commands.fold(None, |found, command| match command {
            egui::ViewportCommand::Title(title) => Some(title.clone()),
            _ => found,
        })
    };
    window.welcome(0, &["general", "workshop"]);
    let there = crate::support::message(1, "workshop", "mina", "there");
    window.apply(duplex::model::event::Event::Chat(ChatEvent::Entries { entries: vec![there], live: true }));
    window.harness.step();
    assert_eq!(title(&window).as_deref(), Some("(1) general — Duplex"));
}

#[test]
fn compact_puts_more_on_the_screen() {
    let mut window = Window::online();
    window.welcome(0, &["general", "workshop"]);
    window.entries(1..=3, true);
    let apart = |window: &Window| {
        let room = |name| window.harness.get_by_role_and_label(Role::ListItem, name).rect().top();
        (room("workshop") - room("general"), window.rect("message 3").top() - window.rect("message 2").top())
    };
    let before = apart(&window);
    let density = Density::Compact;
    window.update(Update::Choices(ChoicesUpdate::Preferences(Preferences {
        density,
        ..Preferences::default()
    })));
    let after = apart(&window);
    assert!(after.0 < before.0 && after.1 < before.1, "{before:?} {after:?}");
}

#[test]
fn a_hidden_list_of_rooms_says_that_something_is_unread() {
    let mut window = Window::online();
    window.welcome(0, &["general", "workshop"]);
    window.click("Rooms");
    assert!(!window.description("Rooms").contains("unread"));
    let there = crate::support::message(1, "workshop", "mina", "there");
    window.event(duplex::model::event::Event::Chat(ChatEvent::Entries { entries: vec![there], live: true }));
    assert_eq!(window.description("Rooms"), "1 unread message");
}
