//! Searching and going to a date in the window, by its controls' names.

use std::sync::Arc;

use duplex::model::event::{ChatEvent, ChoicesUpdate, Event, SearchUpdate, Update};
use duplex::model::id::{MessageId, Offset, RoomId};
use duplex::model::intent::{ChatIntent, Intent, Jump};
use duplex::model::message::Position;
use duplex::model::search::{DayFound, End, Found, Hit, HitPlace, Patience, Piece, Scope, Search};
use duplex::model::time::WallMs;
use duplex::model::{LanguageChoice, Preferences};
use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::kittest::{NodeT, Queryable};

use crate::support::{CONNECTION, Window, general, message, sender};

const FIELD: &str = "Search messages";
const COMMAND_SHIFT: Modifiers = Modifiers::COMMAND.plus(Modifiers::SHIFT);

/// A window with thirty messages in `general`, and the pane open.
fn searching() -> Window {
    let mut window = Window::online();
    window.welcome(0, &["general", "온실"]);
    window.entries(1..=30, true);
    window.key_with(Modifiers::COMMAND, Key::F);
    window.intents();
    window
}

fn searches(intents: &[Intent]) -> Vec<Search> {
    let search = |intent: &Intent| match intent {
        Intent::Chat(ChatIntent::Search(search)) => Some(search.clone()),
        _ => None,
    };
    intents.iter().filter_map(search).collect()
}

/// Types, and hands over the last search that this asks for.
fn type_search(window: &mut Window, text: &str) -> Search {
    window.type_text(text);
    searches(&window.intents()).pop().expect("it is asked for")
}

fn piece(text: &str, marked: bool) -> Piece {
    Piece { text: text.into(), marked }
}

fn hit(offset: u64, room: &str) -> Hit {
    let entry = message(offset, room, "mina", "");
    Hit {
        connection: CONNECTION,
        room: entry.draft.room,
        place: HitPlace::Logged(Position { era: 1, offset: Offset(offset) }),
        id: entry.draft.id,
        thread: None,
        sender: entry.sender,
        at: entry.received,
        excerpt: vec![piece(&format!("hit {offset} "), false), piece("온실", true), piece("에서", false)],
    }
}

fn found(number: u64, offsets: &[u64], end: End) -> Found {
    Found {
        hits: offsets.iter().map(|offset| hit(*offset, "general")).collect(),
        end,
        next: offsets.last().map(|offset| *offset as i64),
        ..Found::nothing(number)
    }
}

fn answer(window: &mut Window, found: Found) {
    window.update(Update::Search(SearchUpdate::Found(Arc::new(found))));
}

/// The results that are drawn, as they are read aloud.
fn results(window: &Window) -> Vec<String> {
    let Some(list) = window.harness.query_by_label("Results") else { return Vec::new() };
    let rows = list.children_recursive();
    let rows = rows.filter(|node| node.accesskit_node().role() == Role::ListItem);
    rows.map(|node| node.accesskit_node().label().unwrap()).collect()
}

fn has(window: &Window, part: &str) -> bool {
    window.harness.query_all_by_label_contains(part).next().is_some()
}

/// Whether the keyboard is in the field.
fn is_in_field(window: &Window) -> bool {
    window.harness.get_by_label(FIELD).accesskit_node().is_focused_in_tree()
}

fn has_focus(window: &Window, part: &str) -> bool {
    window.harness.get_by_label_contains(part).accesskit_node().is_focused()
}

/// The message that is marked for the eye.
fn spotted(window: &Window) -> Option<String> {
    let list = window.harness.get_by_label("Messages");
    let marked = list.children_recursive().find(|node| node.accesskit_node().is_selected() == Some(true));
    marked.and_then(|node| node.accesskit_node().value().or(node.accesskit_node().label()))
}

#[test]
fn what_is_typed_is_looked_for_and_enter_goes_there() {
    let mut window = searching();
    assert!(has(&window, "Search the messages on"), "it says what can be typed");
    let search = type_search(&mut window, "온실");
    assert_eq!(search.scope, Scope::Room(CONNECTION, general()));
    assert_eq!((search.query.terms.len(), search.patience, search.behind), (1, Patience::Typing, None));
    answer(&mut window, found(search.number, &[9, 5], End::Complete));
    let rows = results(&window);
    assert!(rows[0].starts_with("mina, # general, ") && rows[0].ends_with("hit 9 온실에서"), "{rows:?}");
    assert_eq!(rows.len(), 2);
    assert!(has(&window, "2 results"));
    window.key(Key::ArrowDown);
    window.key(Key::ArrowDown);
    window.key(Key::Enter);
    assert_eq!(spotted(&window).as_deref(), Some("message 5"));
    assert!(is_in_field(&window), "the next one is a key away");
    assert!(has_focus(&window, "hit 5"), "to a screen reader the result has the focus");
    window.key(Key::ArrowUp);
    window.key(Key::Enter);
    assert_eq!(spotted(&window).as_deref(), Some("message 9"));
    window.pass(3_000);
    assert_eq!(spotted(&window), None, "the mark goes by itself");
    window.key(Key::Escape);
    assert!(window.harness.query_by_label(FIELD).is_none());
    assert!(window.harness.get_by_label("Message").is_focused());
}

#[test]
fn a_click_opens_another_room_there() {
    let mut window = searching();
    window.key_with(COMMAND_SHIFT, Key::F);
    let search = type_search(&mut window, "leak");
    assert_eq!(search.scope, Scope::Everywhere);
    let hits = vec![hit(77, "온실")];
    answer(&mut window, Found { hits, ..Found::nothing(search.number) });
    window.harness.get_by_label_contains("hit 77").click();
    window.run();
    let to = Jump::To(Position { era: 1, offset: Offset(77) });
    let room = RoomId::new("온실").unwrap();
    assert!(window.intents().contains(&Intent::Chat(ChatIntent::JumpTo {
        connection: CONNECTION,
        room: room.clone(),
        jump: to
    })));
    let mut page = window.page(60..=90, true, true);
    page.messages.iter_mut().for_each(|message| message.sender = sender("mina"));
    window.event(Event::Chat(ChatEvent::Jumped { room, page }));
    assert_eq!(spotted(&window).as_deref(), Some("message 77"));
}

#[test]
fn only_the_answer_to_what_stands_there_counts() {
    let mut window = searching();
    let first = type_search(&mut window, "le");
    let second = type_search(&mut window, "ak");
    assert_ne!(first.number, second.number);
    answer(&mut window, found(first.number, &[3], End::Complete));
    assert_eq!(results(&window), [""; 0]);
    answer(&mut window, found(second.number, &[4], End::Complete));
    assert_eq!(results(&window).len(), 1);
    window.key_with(Modifiers::COMMAND, Key::A);
    window.key(Key::Backspace);
    assert!(results(&window).is_empty() && has(&window, "Search the messages on"));
    assert_eq!(searches(&window.intents()), []);
}

#[test]
fn a_syllable_that_is_still_composed_is_looked_for_as_what_it_may_become() {
    let mut window = searching();
    window.ime_preedit("시");
    let composing = searches(&window.intents()).pop().unwrap();
    window.ime_commit("시");
    let done = searches(&window.intents()).pop().unwrap();
    assert_ne!(composing.query, done.query);
    answer(&mut window, found(done.number, &[2], End::Complete));
    window.ime_preedit("리");
    window.key(Key::Enter);
    assert_eq!(spotted(&window), None, "Enter is the input method's");
}

#[test]
fn a_filter_that_cannot_be_used_says_what_it_wants() {
    let mut window = searching();
    window.type_text("leak before:foo");
    assert!(has(&window, "“foo” isn't a valid date. Try before:2026-11-03"));
    window.fill(FIELD, "from: leak");
    assert!(has(&window, "from: needs a name"));
    window.fill(FIELD, "leak before:yesterday from:mina");
    assert!(!has(&window, "valid date") && !has(&window, "needs"));
    let search = searches(&window.intents()).pop().unwrap();
    assert!(search.query.before.is_some_and(|before| before < window.now().wall_ms));
    assert_eq!(search.query.from, ["mina"]);
    window.key_with(Modifiers::COMMAND, Key::A);
    window.key(Key::Backspace);
    window.intents();
    window.click("in:");
    window.type_text("general");
    assert_eq!(searches(&window.intents()).pop().unwrap().query.rooms, ["general"], "a hint begins a filter");
}

#[test]
fn nothing_found_says_what_to_try_and_offers_every_room() {
    let mut window = searching();
    let search = type_search(&mut window, "zzz");
    answer(&mut window, Found { more_at_hub: true, ..Found::nothing(search.number) });
    assert!(has(&window, "No results in this room") && has(&window, "Try fewer or shorter words"));
    assert!(has(&window, "Older ones are on the server"), "and what was not looked at");
    window.click("Search in all rooms");
    let search = searches(&window.intents()).pop().unwrap();
    assert_eq!(search.scope, Scope::Everywhere);
    answer(&mut window, Found { nobody: true, ..Found::nothing(search.number) });
    assert!(has(&window, "No one here has a name"));
    let search = type_search(&mut window, "z");
    answer(&mut window, Found::failed(search.number));
    assert!(has(&window, "The disk couldn't be read"));
}

#[test]
fn older_results_follow_and_an_end_before_the_end_is_told() {
    let mut window = searching();
    let search = type_search(&mut window, "pump");
    answer(&mut window, found(search.number, &[9, 8], End::More));
    assert!(has(&window, "2+ results"));
    window.click("Older results");
    let more = searches(&window.intents()).pop().unwrap();
    assert_eq!((more.behind, &more.query), (Some(8), &search.query));
    let reached = window.now().wall_ms;
    answer(&mut window, found(more.number, &[7], End::TimeUp(Some(reached))));
    assert_eq!(results(&window).len(), 3);
    assert!(has(&window, "Results back to"));
    window.click("Search further back");
    let more = searches(&window.intents()).pop().unwrap();
    assert_eq!((more.behind, more.patience), (Some(7), Patience::Thorough));
    answer(&mut window, found(more.number, &[], End::Complete));
    assert!(has(&window, "No older results") && has(&window, "3 results"));
}

#[test]
fn while_the_index_is_made_it_says_that_some_may_be_missing() {
    let mut window = searching();
    window.update(Update::Search(SearchUpdate::Indexed(Some(41))));
    let search = type_search(&mut window, "pump");
    answer(&mut window, found(search.number, &[9], End::Complete));
    assert!(has(&window, "still being indexed (41 %)"));
    window.update(Update::Search(SearchUpdate::Indexed(None)));
    assert!(!has(&window, "still being indexed"));
    let again = searches(&window.intents()).pop().expect("it is asked for again");
    assert_eq!(again.query, search.query);
}

#[test]
fn what_waits_to_be_sent_is_found_and_called_so() {
    let mut window = searching();
    let search = type_search(&mut window, "온실");
    let waiting = Hit { place: HitPlace::Outbox, id: MessageId::from_random([3; 16]), ..hit(5, "general") };
    answer(&mut window, Found { hits: vec![waiting], ..Found::nothing(search.number) });
    assert!(results(&window)[0].contains("Not sent yet"), "{:?}", results(&window));
    window.key(Key::Enter);
    assert!(is_in_field(&window));
}

#[test]
fn in_a_narrow_window_the_pane_makes_place_for_what_was_found() {
    let mut window = Window::sized(480.0, 640.0);
    window.entries(1..=30, true);
    window.click("Search in this room");
    assert!(window.harness.query_by_label("Messages").is_none());
    let search = type_search(&mut window, "온실");
    answer(&mut window, found(search.number, &[4], End::Complete));
    window.check_names();
    window.key(Key::Enter);
    assert!(window.harness.query_by_label(FIELD).is_none());
    assert_eq!(spotted(&window).as_deref(), Some("message 4"));
}

#[test]
fn it_speaks_korean() {
    let mut window = searching();
    let preferences = Preferences { language: LanguageChoice::Korean, ..Preferences::default() };
    window.update(Update::Choices(ChoicesUpdate::Preferences(preferences)));
    assert!(has(&window, "이 컴퓨터에 저장된 메시지 검색"));
    window.harness.get_by_label("메시지 검색").focus();
    window.run();
    let search = type_search(&mut window, "보낸이:미나 이전:어제");
    assert_eq!(search.query.from, ["미나"]);
    assert!(search.query.before.is_some());
    answer(&mut window, found(search.number, &[4], End::Complete));
    assert!(has(&window, "결과 1개"));
    window.check_names();
}

fn asked_days(intents: &[Intent]) -> Vec<(u64, WallMs)> {
    let day = |intent: &Intent| match intent {
        Intent::Chat(ChatIntent::FindDay { number, from, .. }) => Some((*number, *from)),
        _ => None,
    };
    intents.iter().filter_map(day).collect()
}

fn day_found(number: u64, first: Option<(u64, WallMs)>, newest: WallMs) -> DayFound {
    DayFound {
        number,
        connection: CONNECTION,
        room: general(),
        first: first.map(|(offset, at)| (Position { era: 1, offset: Offset(offset) }, at)),
        newest: Some(newest),
        older_at_hub: false,
    }
}

#[test]
fn a_date_is_gone_to_or_it_is_said_why_not() {
    let mut window = Window::online();
    window.entries(1..=300, true);
    window.key_with(Modifiers::COMMAND, Key::G);
    window.check_names();
    window.type_text("someday");
    window.key(Key::Enter);
    assert!(has(&window, "That isn't a valid date. Try 2026-11-03"));
    window.fill("Date", "2025-10-01");
    assert!(has(&window, "Wednesday, 1 October 2025"), "what is understood");
    window.key(Key::Enter);
    let (number, from) = asked_days(&window.intents())[0];
    let newest = window.now().wall_ms - 86_400_000;
    window.update(Update::Search(SearchUpdate::DayFound(day_found(number, None, newest))));
    assert!(has(&window, "No messages on Wednesday, 1 October 2025 or later"));
    window.pass(5);
    window.fill("Date", "2025-10-02");
    window.click("Go");
    let (number, next) = asked_days(&window.intents())[0];
    assert_eq!(next - from, 86_400_000);
    window.update(Update::Search(SearchUpdate::DayFound(day_found(number, Some((20, next + 5)), newest))));
    assert!(window.harness.query_by_label("Date").is_none(), "the sheet is done");
    assert!(has(&window, "message 20"));
}

#[test]
fn a_date_from_before_what_is_here_says_where_the_rest_is() {
    let mut window = Window::online();
    window.entries(1..=300, true);
    window.click("Go to date");
    window.click("A week ago");
    let (number, from) = asked_days(&window.intents())[0];
    let later = from + 3 * 86_400_000;
    let answer = DayFound { older_at_hub: true, ..day_found(number, Some((1, later)), later) };
    window.update(Update::Search(SearchUpdate::DayFound(answer)));
    assert!(has(&window, "Older ones are on the server"));
    window.click("Go to the oldest message here");
    assert!(window.harness.query_by_label("Date").is_none());
    assert!(has(&window, "message 1"));
}

#[test]
fn the_pane_stands_in_the_devices_place_and_gives_it_back() {
    let devices = |window: &Window| window.harness.query_by_label("Filter devices").is_some();
    let chat = |window: &Window| window.rect("Messages").width();
    let mut window = Window::online();
    window.resize(1_280.0, 800.0);
    window.entries(1..=30, true);
    let before = chat(&window);
    window.key_with(Modifiers::COMMAND, Key::F);
    assert!(!devices(&window));
    assert!(chat(&window) >= before, "the chat is pressed by neither: {} of {before}", chat(&window));
    window.key(Key::Escape);
    assert!(devices(&window), "they are back");
    for wanted in ["Both", "Devices"] {
        window.key_with(Modifiers::COMMAND, Key::F);
        window.click(wanted);
        assert!(devices(&window), "{wanted} shows them");
        assert!(window.harness.query_by_label(FIELD).is_none(), "{wanted} closes the search");
        window.click("Both");
    }
    window.key_with(Modifiers::COMMAND, Key::F);
    window.key_with(COMMAND_SHIFT, Key::D);
    assert!(devices(&window), "the key shows what the search stood before");
    window.key_with(COMMAND_SHIFT, Key::D);
    assert!(!devices(&window));
}

#[test]
fn what_is_chosen_in_a_narrow_window_takes_the_place_of_the_search() {
    let mut window = searching();
    window.resize(480.0, 600.0);
    window.click("Chat");
    assert!(window.harness.query_by_label("Message").is_some());
    window.key_with(Modifiers::COMMAND, Key::F);
    window.click("Rooms");
    assert!(window.harness.query_by_label("Add connection").is_some());
}
