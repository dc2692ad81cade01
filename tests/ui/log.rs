//! The connection log in the window, by its controls' names.

use duplex::model::event::{ChoicesUpdate, Event, LogEvent, SetupUpdate, Update};
use duplex::model::id::ConnectionId;
use duplex::model::intent::{Intent, LogIntent};
use duplex::model::link_state::{LinkState, Why};
use duplex::model::log::{Counts, Note, Passed, Way};
use duplex::model::{LanguageChoice, Preferences};
use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::kittest::{NodeT, Queryable};

use crate::support::{CONNECTION, Window};

const BUTTON: &str = "Connection log";

fn passed(way: Way, kind: &str, text: &str) -> Passed {
    let (kind, text) = (kind.to_owned(), text.to_owned());
    Passed { way, bytes: text.len(), kind, binary: false, counts: None, text, cut: false }
}

fn frame(window: &mut Window, passed: Passed) {
    window.event(Event::Log(LogEvent::Passed(Box::new(passed))));
}

/// A window with the log open, as the worker has answered it.
fn open() -> Window {
    let mut window = Window::online();
    window.click(BUTTON);
    assert_eq!(window.intents(), [Intent::Log(LogIntent::Watch(CONNECTION, true))]);
    window.event(Event::Log(LogEvent::Watched(true)));
    window
}

/// The same with three frames.
fn with_frames() -> Window {
    let mut window = open();
    frame(&mut window, passed(Way::Sent, "send", r#"{"type":"send","body":"Boiler on?"}"#));
    frame(&mut window, passed(Way::Received, "log", r#"{"type":"log","entries":[{"body":"Boiler on?"}]}"#));
    let counts = Some(Counts { devices: 2, values: 31, left_out: 0 });
    let readings = Passed { bytes: 12_340, counts, ..passed(Way::Received, "readings", "{}") };
    frame(&mut window, readings);
    window
}

/// The lines that are drawn, as they are read aloud, without their times.
fn lines(window: &Window) -> Vec<String> {
    let list = window.harness.get_by_label("Frames and notes");
    let rows = list.children_recursive();
    let names = rows.filter(|node| node.accesskit_node().role() == Role::ListItem);
    let after_time = |name: String| name.split_once(", ").unwrap().1.to_owned();
    names.map(|node| after_time(node.accesskit_node().label().unwrap())).collect()
}

fn has(window: &Window, part: &str) -> bool {
    window.harness.query_all_by_label_contains(part).next().is_some()
}

/// Opens the log by the menu of a connection.
fn open_by_menu(window: &mut Window, name: &str) {
    window.click(&format!("More for {name}"));
    let item = window.harness.get_all_by_label(BUTTON).last().unwrap();
    item.click();
    window.run();
}

/// What a button puts into the clipboard.
fn copied_by(window: &mut Window, button: &str) -> String {
    window.harness.get_by_label(button).click();
    copied(window)
}

fn copied(window: &mut Window) -> String {
    let frames = std::iter::repeat_with(|| {
        window.harness.step();
        window.copied()
    });
    frames.take(5).flatten().next().expect("something in the clipboard")
}

fn choose(window: &mut Window, menu: &str, option: &str) {
    window.click(menu);
    window.harness.get_by_role_and_label(Role::MenuItemRadio, option).click();
    window.run();
    window.key(Key::Escape);
}

#[test]
fn it_is_recorded_while_it_is_open_and_no_longer() {
    let mut window = open();
    window.click(BUTTON);
    assert_eq!(window.intents(), [Intent::Log(LogIntent::Watch(CONNECTION, false))]);
    assert!(!has(&window, "Frames and notes"));
    window.event(Event::Log(LogEvent::Watched(false)));

    open_by_menu(&mut window, "Home");
    assert_eq!(window.intents(), [Intent::Log(LogIntent::Watch(CONNECTION, true))]);
    assert!(has(&window, "Connection log: Home"));
    window.click("Close log");
    assert_eq!(window.intents(), [Intent::Log(LogIntent::Watch(CONNECTION, false))]);
}

#[test]
fn a_worker_that_has_forgotten_it_is_asked_again_once() {
    let mut window = open();
    window.event(Event::Log(LogEvent::Watched(false)));
    window.pass(1_000);
    assert_eq!(window.intents(), [Intent::Log(LogIntent::Watch(CONNECTION, true))]);
}

#[test]
fn a_connection_that_is_removed_takes_its_log_along() {
    let mut window = with_frames();
    window.update(Update::Setup(SetupUpdate::Removed(CONNECTION)));
    assert!(!has(&window, "Frames and notes") && !has(&window, "Clear"));
    assert!(window.intents().iter().all(|intent| !matches!(intent, Intent::Log(LogIntent::Watch(..)))));
}

#[test]
fn each_line_says_which_way_what_and_how_large() {
    let window = with_frames();
    let lines = lines(&window);
    assert_eq!(lines[0], "note: Connection: Online", "what was noted before it was opened");
    assert_eq!(lines[1], r#"sent, send, 35 B: {"type":"send","body":"Boiler on?"}"#);
    assert!(lines[2].starts_with("received, log, 48 B: "), "{lines:?}");
    assert_eq!(lines[3], "received, readings, 12.3 kB: 2 devices, 31 values");
    assert!(has(&window, "4 lines"));
}

#[test]
fn a_state_is_told_in_the_language_of_the_window_with_its_cause() {
    let mut window = open();
    let now = window.now().boot_ms;
    let why = Why::ConnectionRefused;
    window.link(LinkState::Waiting { attempt: 1, retry_at: now + 60_000, down_since: now, why });
    let english = lines(&window);
    assert!(english.iter().any(|line| line.starts_with("note: Connection: Waiting. ")), "{english:?}");
    assert!(!english.concat().contains("connection_refused"), "{english:?}");
    let korean = Preferences { language: LanguageChoice::Korean, ..Preferences::default() };
    window.update(Update::Choices(ChoicesUpdate::Preferences(korean)));
    let list = window.harness.get_by_label("프레임 및 알림");
    let rows: Vec<String> =
        list.children_recursive().filter_map(|node| node.accesskit_node().label()).collect();
    assert!(rows.iter().any(|row| row.contains("연결 상태: 온라인")), "{rows:?}");
    assert!(!rows.concat().contains("online") && !rows.concat().contains("waiting"), "{rows:?}");
}

#[test]
fn notes_are_sentences() {
    let mut window = open();
    window.event(Event::Log(LogEvent::Note(Note::Malformed { detail: "no\nJSON".into() })));
    window
        .event(Event::Log(LogEvent::Note(Note::ServerError { code: "busy".into(), detail: "later".into() })));
    let lines = lines(&window);
    assert_eq!(lines[1], "note: Skipped: malformed (no␊JSON)");
    assert_eq!(lines[2], "note: Server error busy: later");
}

#[test]
fn an_empty_log_says_what_will_stand_there() {
    let mut window = open();
    window.event(Event::Log(LogEvent::Cleared));
    assert!(has(&window, "No traffic yet") && has(&window, "Tokens are hidden"));
    frame(&mut window, passed(Way::Sent, "ping", "{}"));
    assert_eq!(lines(&window), ["sent, ping, 2 B: {}"]);
}

#[test]
fn the_filter_works_as_it_is_typed() {
    let mut window = with_frames();
    window.fill("Filter the log", "boil");
    assert_eq!(lines(&window).len(), 2);
    assert!(has(&window, "2 of 4"));
    // What comes later is filtered too.
    frame(&mut window, passed(Way::Received, "ack", "{}"));
    frame(&mut window, passed(Way::Received, "log", "BOIL"));
    assert_eq!(lines(&window).len(), 3);
    window.type_text(" nothing");
    assert!(has(&window, "No lines match the filter."));
    window.click("Clear filter");
    assert_eq!(lines(&window).len(), 6);
    window.fill("Filter the log", "ack");
    window.key(Key::Escape);
    assert_eq!(lines(&window).len(), 6);
}

#[test]
fn ways_and_kinds_can_be_chosen() {
    let mut window = with_frames();
    choose(&mut window, "Show: everything", "sent");
    assert_eq!(lines(&window).len(), 1);
    choose(&mut window, "Show: sent", "notes");
    assert_eq!(lines(&window), ["note: Connection: Online"]);
    choose(&mut window, "Show: notes", "everything");
    choose(&mut window, "Kind: any", "readings");
    assert_eq!(lines(&window).len(), 1);
    assert!(has(&window, "Kind: readings"));
}

#[test]
fn a_pause_holds_the_lines_and_counts_what_comes() {
    let mut window = with_frames();
    window.click("Pause");
    frame(&mut window, passed(Way::Received, "ack", "{}"));
    frame(&mut window, passed(Way::Received, "ack", "{}"));
    assert_eq!(lines(&window).len(), 4);
    assert!(has(&window, "Paused: 2 new"));
    window.click("Resume");
    assert_eq!(lines(&window).len(), 6);
    assert!(!has(&window, "Paused"));
}

#[test]
fn a_line_that_is_opened_shows_all_of_it() {
    let mut window = with_frames();
    let spoken = |window: &Window, part: &str| {
        let found = window
            .harness
            .query_all_by_label_contains(part)
            .find(|n| n.accesskit_node().role() == Role::ListItem);
        found.unwrap().accesskit_node().label().unwrap()
    };
    let line = spoken(&window, "sent, send");
    window.click(&line);
    let whole = "{\n  \"type\": \"send\",\n  \"body\": \"Boiler on?\"\n}";
    assert!(window.harness.query_all_by_value(whole).next().is_some(), "laid out");
    let copied_line = copied_by(&mut window, "Copy line");
    assert!(copied_line.ends_with(&format!("  sent  send  35 B  \n{whole}")), "{copied_line}");
    window.harness.get_by_label("Frames and notes").focus();
    window.run();
    // The arrows move on, and what is shown follows.
    window.key(Key::ArrowDown);
    assert!(window.harness.query_all_by_value(whole).next().is_none());
    assert!(
        has(&window, "received · log · 48 B")
            || window.harness.query_all_by_label_contains("Copy line").next().is_some()
    );
    window.key(Key::Escape);
    assert!(!has(&window, "Copy line"));
    // It can be copied without being opened.
    window.harness.event(egui::Event::Copy);
    assert!(copied(&mut window).contains("  received  log  48 B  \n{"));
}

#[test]
fn a_long_frame_says_that_it_was_cut() {
    let mut window = open();
    let cut = Passed { bytes: 900_000, cut: true, ..passed(Way::Received, "log", r#"{"type":"log","a":"b"#) };
    frame(&mut window, cut);
    window.key(Key::End);
    window.key(Key::Enter);
    assert!(has(&window, "Only the beginning is kept; full size 900 kB."));
    assert!(
        copied_by(&mut window, "Copy all")
            .ends_with("\"a\":\"b… (Only the beginning is kept; full size 900 kB.)\n")
    );
}

#[test]
fn what_is_shown_is_copied_and_saved() {
    let mut window = with_frames();
    window.fill("Filter the log", "boiler");
    let copied = copied_by(&mut window, "Copy all");
    let rows: Vec<&str> = copied.lines().collect();
    assert_eq!((rows.len(), rows[0]), (3, "Connection log: Home"));
    assert!(rows[1].ends_with(r#"  sent  send  35 B  {"type":"send","body":"Boiler on?"}"#), "{copied}");
    window.click("Save to file");
    let saved: Vec<Intent> = window.intents();
    assert_eq!(saved, [Intent::Log(LogIntent::Save { connection: CONNECTION, text: copied })]);
    window.event(Event::Log(LogEvent::Saved(Ok("/home/mina/duplex-log.txt".into()))));
    assert!(has(&window, "Saved as /home/mina/duplex-log.txt."));
    window.event(Event::Log(LogEvent::Saved(Err("no space".into()))));
    assert!(has(&window, "Couldn’t save the log: no space"));
}

#[test]
fn clearing_empties_it_at_once() {
    let mut window = with_frames();
    window.click("Clear");
    assert_eq!(window.intents(), [Intent::Log(LogIntent::Clear(CONNECTION))]);
    assert!(has(&window, "No traffic yet"), "before the worker has done it");
    window.event(Event::Log(LogEvent::Cleared));
    frame(&mut window, passed(Way::Sent, "ping", "{}"));
    assert_eq!(lines(&window), ["sent, ping, 2 B: {}"]);
}

#[test]
fn only_visible_lines_are_drawn_and_the_end_is_followed_until_the_person_looks_back() {
    let mut window = open();
    for number in 0..400 {
        frame(&mut window, passed(Way::Received, "log", &format!("frame {number:04}")));
    }
    let drawn = lines(&window);
    assert!(drawn.len() < 30, "{}", drawn.len());
    assert!(drawn.iter().any(|line| line.ends_with("frame 0399")), "{drawn:?}");
    frame(&mut window, passed(Way::Received, "log", "frame 0400"));
    assert!(lines(&window).iter().any(|line| line.ends_with("frame 0400")));
    // Back to the start: what comes does not move it.
    window.key(Key::Home);
    let first = lines(&window);
    assert!(first[0].starts_with("note"), "{first:?}");
    frame(&mut window, passed(Way::Received, "log", "frame 0401"));
    assert_eq!(lines(&window), first);
    window.key(Key::End);
    assert!(lines(&window).iter().any(|line| line.ends_with("frame 0401")));
}

#[test]
fn what_is_looked_at_stays_where_older_lines_make_room() {
    let mut window = open();
    window.event(Event::Log(LogEvent::Cleared));
    for number in 0..duplex::model::log::FRAMES {
        let frame = passed(Way::Received, "log", &format!("frame {number:04}"));
        // Not drawn for each.
        window.apply(Event::Log(LogEvent::Passed(Box::new(frame))));
    }
    window.run();
    window.harness.get_by_label("Frames and notes").focus();
    window.run();
    for _ in 0..30 {
        window.key(Key::PageUp);
    }
    let before = lines(&window);
    assert!(!before.iter().any(|line| line.ends_with("frame 1999")), "{before:?}");
    for number in 0..5 {
        frame(&mut window, passed(Way::Sent, "send", &format!("later {number}")));
    }
    assert_eq!(lines(&window), before);
}

#[test]
fn it_stays_with_its_connection_and_the_bar_switches_it() {
    let mut window = with_frames();
    let mut other = crate::support::profile();
    (other.id, other.name) = (ConnectionId(4), "Plant".into());
    window.update(Update::Setup(SetupUpdate::Configured(Box::new(other))));
    assert_eq!(lines(&window).len(), 4);
    open_by_menu(&mut window, "Plant");
    let other = ConnectionId(4);
    assert_eq!(
        window.intents(),
        [Intent::Log(LogIntent::Watch(CONNECTION, false)), Intent::Log(LogIntent::Watch(other, true))]
    );
    assert!(has(&window, "Connection log: Plant") && has(&window, "No traffic yet"));
    window.event(Event::Log(LogEvent::Watched(false)));
    // The bar is of the connection that is open.
    window.click(BUTTON);
    assert_eq!(
        window.intents(),
        [Intent::Log(LogIntent::Watch(other, false)), Intent::Log(LogIntent::Watch(CONNECTION, true))]
    );
    assert!(has(&window, "Connection log: Home"));
}

#[test]
fn every_control_has_a_name_in_both_languages_and_in_a_narrow_window() {
    let mut window = with_frames();
    window.key(Key::End);
    window.key(Key::Enter);
    window.check_names();
    let korean = Preferences { language: LanguageChoice::Korean, ..Preferences::default() };
    window.update(Update::Choices(ChoicesUpdate::Preferences(korean)));
    window.check_names();
    assert!(has(&window, "연결 로그: Home") && has(&window, "기기 2대, 값 31개"));
    let mut window = Window::sized(480.0, 560.0);
    window.click(BUTTON);
    window.event(Event::Log(LogEvent::Watched(true)));
    frame(&mut window, passed(Way::Sent, "ping", "{}"));
    window.key(Key::End);
    window.key(Key::Enter);
    window.check_names();
    assert!(has(&window, "Copy line"));
    window.key_with(Modifiers::NONE, Key::Escape);
    assert!(!has(&window, "Copy line"));
}
