//! The settings in the window, by their names: found, changed at once, kept.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test program")]

#[expect(dead_code, reason = "the window's other tests use the rest")]
mod ui_support;

use duplex::model::event::Update;
use duplex::model::intent::Intent;
use duplex::model::{LanguageChoice, Preferences, Theme};
use duplex::ui::theme;
use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::kittest::{NodeT, Queryable};

use ui_support::Window;

fn preferences(window: &Window) -> Preferences {
    window.harness.state().preferences()
}

/// What the worker would tell back.
fn keep(window: &mut Window) -> Vec<Intent> {
    let intents = window.intents();
    for intent in &intents {
        if let Intent::SetPreferences(chosen) = intent {
            window.update(Update::Preferences(*chosen));
        }
    }
    intents
}

#[test]
fn the_language_changes_at_once_and_back() {
    let mut window = Window::online();
    window.click("Settings");
    window.click("한국어");
    // Before anybody told it back: the next frame speaks it.
    window.harness.get_by_label("설정 검색");
    let korean = Preferences { language: LanguageChoice::Korean, ..Preferences::default() };
    assert_eq!(keep(&mut window), [Intent::SetPreferences(korean)]);
    assert_eq!(preferences(&window), korean);
    window.click("닫기");
    assert!(window.harness.query_by_label("설정 검색").is_none());
    window.harness.get_by_role_and_label(Role::Button, "보내기");
    window.harness.get_by_role_and_label(Role::Button, "연결 추가");
    window.check_names();
    window.click("설정");
    window.check_names();
    window.click("English");
    window.harness.get_by_label("Search settings");
    window.harness.get_by_role_and_label(Role::Button, "Add connection");
}

#[test]
fn settings_open_by_key_and_are_found_by_any_word_in_both_languages() {
    for (language, title, search, word, found, other, nothing) in [
        (
            LanguageChoice::English,
            "Settings",
            "Search settings",
            "contrast",
            "High contrast",
            "한국어",
            "No setting has these words.",
        ),
        (
            LanguageChoice::Korean,
            "설정",
            "설정 검색",
            "고대비",
            "고대비",
            "한국어",
            "이 낱말이 든 설정이 없습니다.",
        ),
    ] {
        let mut window = Window::online();
        window.update(Update::Preferences(Preferences { language, ..Preferences::default() }));
        window.key_with(Modifiers::COMMAND, Key::Comma);
        window.harness.get_by_role_and_label(Role::Heading, title);
        window.harness.get_by_label(other);
        // The search has the focus.
        window.type_text(word);
        window.harness.get_by_label(found);
        assert!(window.harness.query_by_label(other).is_none());
        window.fill(search, "xyzzy");
        window.harness.get_by_label(nothing);
        window.key(Key::Escape);
        assert!(window.harness.query_by_label(search).is_none());
    }
}

#[test]
fn the_zoom_goes_by_keys_and_by_buttons_and_is_kept() {
    let mut window = Window::online();
    let zoom = |percent| Preferences { zoom_percent: percent, ..Preferences::default() };
    window.key_with(Modifiers::COMMAND, Key::Minus);
    assert_eq!(keep(&mut window), [Intent::SetPreferences(zoom(90))]);
    assert_eq!(window.harness.ctx.zoom_factor(), 0.9);
    // Two presses, before the first is told back.
    window.key_with(Modifiers::COMMAND, Key::Plus);
    window.key_with(Modifiers::COMMAND, Key::Plus);
    assert_eq!(window.intents(), [Intent::SetPreferences(zoom(100)), Intent::SetPreferences(zoom(110))]);
    assert_eq!(window.harness.ctx.zoom_factor(), 1.1);
    window.key_with(Modifiers::COMMAND, Key::Num0);
    assert_eq!(keep(&mut window), [Intent::SetPreferences(zoom(100))]);
    window.click("Settings");
    window.click("Zoom: more");
    assert_eq!(keep(&mut window), [Intent::SetPreferences(zoom(110))]);
    // The same again says nothing new.
    window.click("Zoom: back to usual");
    window.key_with(Modifiers::COMMAND, Key::Num0);
    assert_eq!(keep(&mut window), [Intent::SetPreferences(zoom(100))]);
}

#[test]
fn each_appearance_is_worn_at_once() {
    let mut window = Window::online();
    window.click("Settings");
    for (name, theme, colours) in [
        ("Light", Theme::Light, &theme::LIGHT),
        ("Dark", Theme::Dark, &theme::DARK),
        ("High contrast", Theme::HighContrast, &theme::HIGH_CONTRAST),
    ] {
        window.click(name);
        assert_eq!(
            keep(&mut window),
            [Intent::SetPreferences(Preferences { theme, ..Preferences::default() })]
        );
        let style = window.harness.ctx.global_style();
        assert_eq!((style.visuals.panel_fill, style.visuals.window_fill), (colours.panel, colours.raised));
    }
    // It wears it for good, and rests.
    assert!(!window.harness.ctx.has_requested_repaint(), "{:?}", window.harness.ctx.repaint_causes());
}

#[test]
fn settings_never_open_over_another_dialog() {
    let mut window = Window::online();
    window.click("Add connection");
    window.key_with(Modifiers::COMMAND, Key::Comma);
    assert!(window.harness.query_by_label("Search settings").is_none());
    window.harness.get_by_label("Server address or invite");
}

/// The names of the settings that are on the sheet, from top to bottom.
fn listed(window: &Window) -> Vec<String> {
    let of_a_setting = |role| matches!(role, Role::RadioGroup | Role::Group);
    let nodes = window.harness.root().children_recursive();
    nodes
        .filter(|node| of_a_setting(node.accesskit_node().role()))
        .filter_map(|node| node.accesskit_node().label())
        .collect()
}

#[test]
fn a_search_finds_in_the_other_language_too_and_by_what_others_call_it() {
    for (language, word, found) in [
        (LanguageChoice::Korean, "dark mode", "색"),
        (LanguageChoice::Korean, "ZOOM", "확대/축소"),
        (LanguageChoice::English, "고대비", "Colours"),
        (LanguageChoice::English, "언어", "Language"),
        (LanguageChoice::English, "magnify", "Zoom"),
    ] {
        let mut window = Window::online();
        window.update(Update::Preferences(Preferences { language, ..Preferences::default() }));
        window.key_with(Modifiers::COMMAND, Key::Comma);
        window.type_text(word);
        assert_eq!(listed(&window), [found], "{word}");
    }
}

#[test]
fn settings_are_in_reach_in_the_smallest_window_and_at_twice_the_size() {
    // 480 by 360 points are the least; a zoom of 200 % leaves half of them.
    for (width, height, zoom) in [(480.0, 360.0, 100), (480.0, 360.0, 200), (1_100.0, 720.0, 200)] {
        let mut window = Window::sized(width, height);
        window.update(Update::Preferences(Preferences { zoom_percent: zoom, ..Preferences::default() }));
        window.key_with(Modifiers::COMMAND, Key::Comma);
        let room = window.harness.ctx.content_rect();
        for name in ["Search settings", "As the system", "Close"] {
            // Whatever is below is scrolled to, as the keyboard does.
            let node = window.harness.get_all_by_label(name).next().unwrap();
            node.scroll_to_me();
            window.run();
            let rect = window.harness.get_all_by_label(name).next().unwrap().rect();
            assert!(room.contains_rect(rect), "{name} at {width}x{height}, {zoom} %: {rect:?} in {room:?}");
        }
        window.click("Close");
        assert!(window.harness.query_by_label("Search settings").is_none());
    }
}

#[test]
fn settings_are_changed_by_the_keyboard_alone() {
    let mut window = Window::online();
    window.key_with(Modifiers::COMMAND, Key::Comma);
    window.type_text("zoom");
    // Smaller is the first that can be pressed after the search.
    window.key(Key::Tab);
    window.key(Key::Space);
    assert_eq!(
        keep(&mut window),
        [Intent::SetPreferences(Preferences { zoom_percent: 90, ..Preferences::default() })]
    );
    window.key(Key::Escape);
    assert!(window.harness.query_by_label("Search settings").is_none());
}
