//! The settings in the window, by their names: found, changed at once, kept.

use duplex::model::ConnectionId;
use duplex::model::content::Content;
use duplex::model::event::{ChoicesUpdate, Update};
use duplex::model::intent::{AppIntent, ChatIntent, Intent, LinkIntent};
use duplex::model::preferences::Hours;
use duplex::model::{Autostart, Banner, LanguageChoice, Preferences, Theme};
use duplex::ui::theme;
use egui::accesskit::{Role, Toggled};
use egui::{Key, Modifiers};
use egui_kittest::kittest::{NodeT, Queryable};

use crate::support::Window;

fn preferences(window: &Window) -> Preferences {
    window.harness.state().preferences()
}

/// What the worker would tell back.
fn keep(window: &mut Window) -> Vec<Intent> {
    let intents = window.intents();
    for intent in &intents {
        if let Intent::App(AppIntent::SetPreferences(chosen)) = intent {
            window.update(Update::Choices(ChoicesUpdate::Preferences(*chosen)));
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
    assert_eq!(keep(&mut window), [Intent::App(AppIntent::SetPreferences(korean))]);
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
            "No matching settings.",
        ),
        (
            LanguageChoice::Korean,
            "설정",
            "설정 검색",
            "고대비",
            "고대비",
            "한국어",
            "일치하는 설정이 없습니다.",
        ),
    ] {
        let mut window = Window::online();
        window.update(Update::Choices(ChoicesUpdate::Preferences(Preferences {
            language,
            ..Preferences::default()
        })));
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
    assert_eq!(keep(&mut window), [Intent::App(AppIntent::SetPreferences(zoom(90)))]);
    assert_eq!(window.harness.ctx.zoom_factor(), 0.9);
    // Two presses, before the first is told back.
    window.key_with(Modifiers::COMMAND, Key::Plus);
    window.key_with(Modifiers::COMMAND, Key::Plus);
    assert_eq!(
        window.intents(),
        [
            Intent::App(AppIntent::SetPreferences(zoom(100))),
            Intent::App(AppIntent::SetPreferences(zoom(110)))
        ]
    );
    assert_eq!(window.harness.ctx.zoom_factor(), 1.1);
    window.key_with(Modifiers::COMMAND, Key::Num0);
    assert_eq!(keep(&mut window), [Intent::App(AppIntent::SetPreferences(zoom(100)))]);
    window.click("Settings");
    window.type_text("zoom");
    window.click("Zoom: increase");
    assert_eq!(keep(&mut window), [Intent::App(AppIntent::SetPreferences(zoom(110)))]);
    // The same again says nothing new.
    window.click("Zoom: reset to default");
    window.key_with(Modifiers::COMMAND, Key::Num0);
    assert_eq!(keep(&mut window), [Intent::App(AppIntent::SetPreferences(zoom(100)))]);
}

#[test]
fn each_appearance_is_worn_at_once() {
    let mut window = Window::online();
    window.click("Settings");
    window.click("Appearance");
    for (name, theme, colours) in [
        ("Light", Theme::Light, &theme::LIGHT),
        ("Dark", Theme::Dark, &theme::DARK),
        ("High contrast", Theme::HighContrast, &theme::HIGH_CONTRAST),
    ] {
        window.click(name);
        assert_eq!(
            keep(&mut window),
            [Intent::App(AppIntent::SetPreferences(Preferences { theme, ..Preferences::default() }))]
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
    let of_a_setting = |role| matches!(role, Role::RadioGroup | Role::Group | Role::CheckBox);
    let nodes = window.harness.root().children_recursive();
    nodes
        .filter(|node| of_a_setting(node.accesskit_node().role()))
        .filter_map(|node| node.accesskit_node().label())
        .collect()
}

#[test]
fn a_search_finds_in_the_other_language_too_and_by_what_others_call_it() {
    for (language, word, found) in [
        (LanguageChoice::Korean, "dark mode", "테마"),
        (LanguageChoice::Korean, "ZOOM", "확대/축소"),
        (LanguageChoice::English, "고대비", "Theme"),
        (LanguageChoice::English, "언어", "Language"),
        (LanguageChoice::English, "magnify", "Zoom"),
    ] {
        let mut window = Window::online();
        window.update(Update::Choices(ChoicesUpdate::Preferences(Preferences {
            language,
            ..Preferences::default()
        })));
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
        window.update(Update::Choices(ChoicesUpdate::Preferences(Preferences {
            zoom_percent: zoom,
            ..Preferences::default()
        })));
        window.key_with(Modifiers::COMMAND, Key::Comma);
        let room = window.harness.ctx.content_rect();
        for name in ["Search settings", "Match system", "Close"] {
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
        [Intent::App(AppIntent::SetPreferences(Preferences { zoom_percent: 90, ..Preferences::default() }))]
    );
    window.key(Key::Escape);
    assert!(window.harness.query_by_label("Search settings").is_none());
}

/// Opens the sheet and looks for something.
fn look_for(window: &mut Window, word: &str) {
    window.key_with(Modifiers::COMMAND, Key::Comma);
    window.type_text(word);
}

/// Closes the sheet with what the worker would tell back, and returns what it was told.
fn done(window: &mut Window) -> Vec<Intent> {
    let intents = keep(window);
    window.key(Key::Escape);
    intents
}

#[test]
fn the_time_of_day_is_written_as_chosen_in_rows_that_were_drawn_before_too() {
    let mut window = Window::online();
    window.entries(1..=1, true);
    let time = |window: &Window| window.description("message 1");
    let before = time(&window);
    assert!(!before.ends_with("AM") && !before.ends_with("PM"), "{before}");
    look_for(&mut window, "clock");
    window.click("12 hours (9:07 PM)");
    let twelve = Preferences { hours: Hours::Twelve, ..Preferences::default() };
    assert!(done(&mut window).contains(&Intent::App(AppIntent::SetPreferences(twelve))));
    let after = time(&window);
    assert!(after.ends_with("AM") || after.ends_with("PM"), "{after}");
    window.update(Update::Choices(ChoicesUpdate::Preferences(Preferences {
        language: LanguageChoice::Korean,
        ..twelve
    })));
    let korean = time(&window);
    assert!(korean.contains("오전 ") || korean.contains("오후 "), "{korean}");
}

#[test]
fn enter_breaks_the_line_and_sends_with_ctrl_where_a_person_wants_it_so() {
    let mut window = Window::online();
    look_for(&mut window, "enter sends");
    window.click("Enter sends");
    let breaks = Preferences { enter_sends: false, ..Preferences::default() };
    assert_eq!(done(&mut window), [Intent::App(AppIntent::SetPreferences(breaks))]);
    window.type_message("one");
    window.key(Key::Enter);
    window.type_text("two");
    assert_eq!(window.message_text(), "one\ntwo");
    let sent = |intents: Vec<Intent>| {
        intents.into_iter().find_map(|intent| match intent {
            Intent::Chat(ChatIntent::Send { content: Content::Text { body, .. }, .. }) => Some(body),
            _ => None,
        })
    };
    assert_eq!(sent(window.intents()), None);
    window.key_with(Modifiers::COMMAND, Key::Enter);
    assert_eq!(sent(window.intents()).as_deref(), Some("one\ntwo"));
    // The sheet of shortcuts says so, too.
    window.key(Key::F1);
    window.harness.get_by_label("Ctrl+Enter");
}

#[test]
fn saved_connections_wait_and_raw_readings_have_room_as_chosen() {
    let mut window = Window::online();
    look_for(&mut window, "startup");
    assert_eq!(listed(&window), ["Start Duplex when you sign in", "Connect when Duplex starts"]);
    window.click("Connect when Duplex starts");
    let waits = Preferences { connect_at_start: false, ..Preferences::default() };
    assert_eq!(done(&mut window), [Intent::App(AppIntent::SetPreferences(waits))]);
    look_for(&mut window, "디스크");
    window.harness.get_by_label("1 GiB");
    window.click("Space for raw readings: decrease");
    assert_eq!(
        done(&mut window),
        [Intent::App(AppIntent::SetPreferences(Preferences { raw_readings_mib: 512, ..waits }))]
    );
    look_for(&mut window, "disk");
    window.harness.get_by_label("512 MiB");
}

#[test]
fn everything_is_reset_after_a_question_alone() {
    let mut window = Window::online();
    let chosen = Preferences { theme: Theme::Dark, zoom_percent: 110, ..Preferences::default() };
    window.update(Update::Choices(ChoicesUpdate::Preferences(chosen)));
    look_for(&mut window, "defaults");
    window.click("Reset all settings");
    assert_eq!(keep(&mut window), []);
    window.click("Cancel");
    assert_eq!(keep(&mut window), []);
    window.click("Reset all settings");
    window.click("Reset settings");
    assert_eq!(done(&mut window), [Intent::App(AppIntent::SetPreferences(Preferences::default()))]);
    look_for(&mut window, "defaults");
    // Nothing is left to reset.
    window.click("Reset all settings");
    assert!(window.harness.query_by_label("Reset settings").is_none());
}

/// What a button puts into the clipboard.
fn copied_by(window: &mut Window, button: &str) -> String {
    window.harness.get_by_label(button).click();
    let mut steps = (0..10).map(|_| {
        window.harness.step();
        window.copied()
    });
    let copied = steps.find_map(|copied| copied).expect("something in the clipboard");
    window.run();
    copied
}

#[test]
fn connections_go_to_another_computer_and_come_from_one() {
    use duplex::model::profile::Profile;
    use duplex::model::transfer::Moved;
    let mut window = Window::online();
    look_for(&mut window, "export");
    let text = copied_by(&mut window, "Copy 1 connection");
    assert!(text.contains("ws://127.0.0.1:7870/v1/socket") && !text.contains("token"), "{text}");
    let paste = |window: &mut Window, text: &str| {
        window.harness.get_by_label("Connections from another computer").focus();
        window.run();
        window.key_with(Modifiers::COMMAND, Key::A);
        window.harness.event(egui::Event::Paste(text.into()));
        window.run();
    };
    // What is here already is not added once more.
    paste(&mut window, &text);
    window.harness.get_by_label("Nothing to add. One already exists and stays unchanged.");
    assert!(window.harness.query_by_label("Add connections").is_none());
    paste(&mut window, "{\"duplex_connections\":1,");
    window.harness.get_by_label_contains("incomplete or was changed (line 1");
    paste(&mut window, &text.replace("Home", "Shed"));
    window.harness.get_by_label("Adds Shed.");
    assert!(window.harness.query_by_label_contains("is not encrypted").is_none());
    paste(&mut window, &text.replace("Home", "Barn").replace("127.0.0.1", "192.168.1.20"));
    window.harness.get_by_label("Adds Barn.");
    window.harness.get_by_label_contains("is not encrypted");
    paste(&mut window, &text.replace("Home", "Shed"));
    window.intents();
    window.click("Add connections");
    let added =
        Profile { id: duplex::model::ConnectionId(0), name: "Shed".into(), ..crate::support::profile() };
    assert_eq!(
        window.intents(),
        [Intent::Link(LinkIntent::AddConnections(vec![Moved {
            profile: added,
            devices: Default::default()
        }]))]
    );
    assert!(window.harness.query_by_label("Add connections").is_none());
}

#[test]
fn settings_for_devices_come_with_the_connections() {
    use duplex::model::device::DeviceId;
    use duplex::model::device_choices::{DeviceChange, DeviceChoices};
    use duplex::model::intent::DeviceIntent;
    let mut window = Window::online();
    let kiln = DeviceId::new("kiln").unwrap();
    let mut choices = DeviceChoices::default();
    choices.change(crate::support::CONNECTION, kiln.clone(), DeviceChange::Name("Big kiln".into()));
    window.update(Update::Choices(ChoicesUpdate::Devices(choices)));
    look_for(&mut window, "export");
    let text = copied_by(&mut window, "Copy 1 connection").replace("Big kiln", "Old kiln");
    window.harness.get_by_label("Connections from another computer").focus();
    window.run();
    window.harness.event(egui::Event::Paste(text));
    window.run();
    window.harness.get_by_label("No new connections. Your settings of 1 device are replaced.");
    window.intents();
    window.click("Use these device settings");
    let [Intent::Device(DeviceIntent::TakeOver(connection, taken))] = &window.intents()[..] else {
        panic!("the settings are taken over");
    };
    assert_eq!((*connection, taken[&kiln].name.as_str()), (crate::support::CONNECTION, "Old kiln"));
}

#[test]
fn settings_for_more_devices_than_fit_are_said_to_be_left_out() {
    use duplex::model::device::DeviceId;
    use duplex::model::device_choices::{DeviceChange, DeviceChoices, MAX_CHOSEN_DEVICES};
    let mut window = Window::online();
    let choices_of = |connection, count: usize| {
        let mut choices = DeviceChoices::default();
        for number in 0..count {
            let device = DeviceId::new(format!("d{number}")).unwrap();
            assert!(choices.change(connection, device, DeviceChange::Pinned(true)));
        }
        Update::Choices(ChoicesUpdate::Devices(choices))
    };
    window.update(choices_of(crate::support::CONNECTION, 3));
    look_for(&mut window, "export");
    let text = copied_by(&mut window, "Copy 1 connection").replace("Home", "Shed");
    window.update(choices_of(ConnectionId(77), MAX_CHOSEN_DEVICES - 1));
    window.harness.get_by_label("Connections from another computer").focus();
    window.run();
    window.harness.event(egui::Event::Paste(text));
    window.run();
    window.harness.get_by_label(
        "Adds Shed. The settings of 2 devices are left out: at most 4096 devices and 16384 readings can have settings.",
    );
}

#[test]
fn a_connection_is_copied_with_all_but_its_token() {
    let mut window = Window::online();
    window.click("More for Home");
    window.click("Duplicate connection");
    assert_eq!(window.harness.get_by_label("Name").value().as_deref(), Some("Home (copy)"));
    window.click("Save");
    let saved = window.intents().into_iter().find_map(|intent| match intent {
        Intent::Link(LinkIntent::SaveConnection { profile, credential }) => Some((profile, credential)),
        _ => None,
    });
    let (profile, credential) = saved.unwrap();
    assert_eq!((profile.id.0, profile.name.as_str()), (0, "Home (copy)"));
    assert_eq!(
        (profile.urls, credential),
        (crate::support::profile().urls, duplex::model::intent::Credential::Keep)
    );
}

#[test]
fn the_folder_is_opened_and_the_version_and_licences_are_told() {
    let mut window = Window::online();
    look_for(&mut window, "data folder");
    window.click("Open folder");
    assert!(matches!(window.intents().as_slice(), [.., Intent::App(AppIntent::OpenLink(_))]));
    window.fill("Search settings", "OFL");
    window.harness.get_by_label(concat!("Duplex ", env!("CARGO_PKG_VERSION")));
    assert!(copied_by(&mut window, "Copy version").starts_with("Duplex "));
    window.click("Show font and icon licences");
    window.harness.get_by_label_contains("SIL OPEN FONT LICENSE");
}

#[test]
fn categories_stand_beside_the_settings_or_are_chosen_above_them_and_the_search_is_over_all() {
    for (width, is_wide) in [(1_100.0, true), (480.0, false)] {
        let mut window = Window::sized(width, 720.0);
        window.key_with(Modifiers::COMMAND, Key::Comma);
        assert_eq!(
            listed(&window),
            [
                "Language",
                "Time format",
                "Start Duplex when you sign in",
                "Send read receipts",
                "Reset all settings"
            ]
        );
        if is_wide {
            let tab = |window: &Window, name| {
                let tab = window.harness.get_by_role_and_label(Role::Tab, name);
                (tab.accesskit_node().is_selected() == Some(true), tab.is_focused())
            };
            assert!(tab(&window, "General").0);
            window.click("Data");
            assert!(tab(&window, "Data").0 && !tab(&window, "General").0);
            // One stop of the Tab key, and the arrows along them.
            window.harness.get_by_role_and_label(Role::Tab, "Data").focus();
            window.run();
            window.key(Key::ArrowDown);
            assert_eq!(tab(&window, "About"), (true, true));
            window.key(Key::ArrowUp);
        } else {
            let choice = |window: &Window| {
                let choice = window.harness.get_by_role_and_label(Role::ComboBox, "Categories");
                choice.accesskit_node().value().unwrap_or_default()
            };
            assert_eq!(choice(&window), "General");
            window.harness.get_by_role_and_label(Role::ComboBox, "Categories").click();
            window.run();
            window.harness.get_by_role_and_label(Role::ListBoxOption, "Data").click();
            window.run();
            assert_eq!(choice(&window), "Data");
        }
        assert_eq!(listed(&window), ["Space for raw readings", "Data folder", "Log files"]);
        window.fill("Search settings", "dark");
        assert_eq!(listed(&window), ["Theme"], "of another category");
        window.check_names();
    }
}

#[test]
fn all_shortcuts_are_seen_at_once_in_columns_and_in_one_where_it_is_narrow() {
    use duplex::ui::keys::{Scope, TABLE};
    use duplex::ui::text::{Language, Words};
    for (language, choice) in
        [(Language::English, LanguageChoice::English), (Language::Korean, LanguageChoice::Korean)]
    {
        let words: &Words = language.words();
        let rows = |window: &Window| {
            let in_table = TABLE.iter().filter(|row| !row.keys.is_empty() && row.place != Scope::Message);
            let names = in_table.map(|row| (words.keys.action)(row.action));
            let dialog = window.harness.get_by_role(Role::Dialog);
            names
                .map(|name| dialog.get_all_by_label(name).next().unwrap_or_else(|| panic!("{name}")).rect())
                .collect::<Vec<_>>()
        };
        let mut window = Window::sized(1_280.0, 800.0);
        window.update(Update::Choices(ChoicesUpdate::Preferences(Preferences {
            language: choice,
            ..Preferences::default()
        })));
        window.key(Key::F1);
        let seen = window.harness.ctx.content_rect();
        let all = rows(&window);
        assert!(all.iter().all(|rect| seen.shrink(8.0).contains_rect(*rect)), "{all:?}");
        let lefts: std::collections::BTreeSet<i32> = all.iter().map(|rect| rect.left() as i32).collect();
        assert_eq!(lefts.len(), 3, "{lefts:?}");
        window.resize(480.0, 400.0);
        let all = rows(&window);
        let lefts: std::collections::BTreeSet<i32> = all.iter().map(|rect| rect.left() as i32).collect();
        assert_eq!(lefts.len(), 1, "{lefts:?}");
        assert!(all.iter().all(|rect| rect.left() >= 0.0 && rect.right() <= 480.0), "{all:?}");
    }
}

#[test]
fn starting_at_sign_in_shows_what_the_system_has_and_why_it_could_not_change_it() {
    let mut window = Window::online();
    window.click("Settings");
    let name = "Start Duplex when you sign in";
    let toggled = |window: &Window| {
        let node = window.harness.get_by_role_and_label(Role::CheckBox, name);
        (node.accesskit_node().is_disabled(), node.accesskit_node().toggled())
    };
    assert!(toggled(&window).0, "nothing is known yet");
    let state = |is_on, failed: Option<&str>| {
        Update::Choices(ChoicesUpdate::Autostart(Autostart {
            is_known: true,
            is_on,
            failed: failed.map(str::to_owned),
        }))
    };
    window.update(state(false, None));
    assert_eq!(toggled(&window), (false, Some(Toggled::False)));
    window.click(name);
    assert_eq!(window.intents(), [Intent::App(AppIntent::SetAutostart(true))]);
    assert_eq!(toggled(&window).1, Some(Toggled::False), "not before the system has it");
    window.update(state(true, None));
    assert_eq!(toggled(&window).1, Some(Toggled::True));
    window.update(state(false, Some("disk full")));
    assert!(window.harness.query_by_label_contains("couldn't be changed (disk full)").is_some());
    assert_eq!(toggled(&window).1, Some(Toggled::False));
    window.check_names();
}

#[test]
fn log_files_are_shown_in_their_folder() {
    let mut window = Window::online();
    window.click("Settings");
    look_for(&mut window, "diagnostics");
    window.click("Show log files");
    let folder = std::path::Path::new("logs").display().to_string();
    assert_eq!(window.intents(), [Intent::App(AppIntent::OpenLink(folder))]);
}

#[test]
fn a_crash_is_offered_to_be_read_and_copied_until_it_is_dismissed() {
    let mut window = Window::online();
    let note = "Duplex 0.1.0\nthread: worker\nat: src/x.rs:1:2";
    let banner = Banner::ClosedUnexpectedly { note: Some(note.into()) };
    window.update(Update::Banner(banner.clone()));
    assert!(window.harness.query_all_by_label_contains("Duplex closed unexpectedly").next().is_some());
    assert_eq!(copied_by(&mut window, "Copy report"), note);
    window.click("Show");
    assert!(window.harness.query_by_label_contains("thread: worker").is_some());
    assert!(window.harness.query_by_label_contains("This report is stored on this computer").is_some());
    window.check_names();
    window.click("Close");
    window.intents();
    window.click("Dismiss");
    assert_eq!(window.intents(), [Intent::App(AppIntent::DismissBanner(banner))]);
    // Nothing was noted: there is nothing to show.
    window.update(Update::BannerOver(Banner::ClosedUnexpectedly { note: Some(note.into()) }));
    window.update(Update::Banner(Banner::ClosedUnexpectedly { note: None }));
    assert!(window.harness.query_all_by_label_contains("It may have crashed").next().is_some());
    assert!(window.harness.query_by_label("Show").is_none());
}
