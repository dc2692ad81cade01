//! What can be done by keys, and where the focus is after it: by accessible names, in both languages.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that fails should say so at once"
)]

#[allow(dead_code, reason = "each test program uses a part of it")]
mod ui_support;

use duplex::model::event::{Event, Update};
use duplex::model::id::RoomName;
use duplex::model::intent::Intent;
use duplex::model::preferences::{LanguageChoice, Preferences};
use duplex::ui::keys::{TABLE, written};
use duplex::ui::text::{ENGLISH, KOREAN};
use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::kittest::{NodeT, Queryable};

use ui_support::{CONNECTION, Window, message};

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
        window.update(Update::Preferences(Preferences { language, ..Preferences::default() }));
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
    window.event(Event::Entries { entries: vec![message(1, "omega", "mina", "here")], live: true });
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
        matches!(intent, Intent::SaveDraft { room, text, .. }
        if *room == RoomName::general() && text == "half a thought")
    };
    assert!(window.intents().iter().any(kept));
}

#[test]
fn the_log_the_dialog_and_the_retry_have_keys() {
    let mut window = Window::online();
    window.key_with(COMMAND_SHIFT, Key::L);
    assert!(window.intents().contains(&Intent::WatchLog(CONNECTION, true)));
    window.key_with(COMMAND_SHIFT, Key::L);
    assert!(window.intents().contains(&Intent::WatchLog(CONNECTION, false)));
    assert!(window.harness.get_by_label("Message").is_focused());
    window.key_with(COMMAND_SHIFT, Key::R);
    assert!(window.intents().contains(&Intent::RetryNow(CONNECTION)));
    window.key_with(COMMAND_SHIFT, Key::N);
    window.harness.get_by_label("Server address or invite");
    // Behind a dialog nothing moves.
    window.key_with(COMMAND_SHIFT, Key::R);
    assert!(!window.intents().contains(&Intent::RetryNow(CONNECTION)));
}

#[test]
fn zoom_by_keys_shows_in_the_settings_that_are_open() {
    let mut window = Window::online();
    window.key_with(Modifiers::COMMAND, Key::Comma);
    window.key_with(Modifiers::COMMAND, Key::Plus);
    assert_eq!(
        window.intents(),
        [Intent::SetPreferences(Preferences { zoom_percent: 110, ..Preferences::default() })]
    );
    window.harness.get_by_label("110 %");
    window.key_with(COMMAND_SHIFT, Key::Plus);
    window.harness.get_by_label("125 %");
}
