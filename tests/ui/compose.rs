//! Writing messages in the window: the formatting toolbar, the emoji picker and slash commands. By accessible names, without
//! a display.

use duplex::model::device::{DeviceId, DeviceState, LastValue, Metric, MetricName, MetricType, Spec, Value};
use duplex::model::event::{ChatEvent, ChoicesUpdate, DeviceEvent, Event, Update};
use duplex::model::id::Offset;
use duplex::model::intent::{AppIntent, ChatIntent, DeviceIntent, Intent, Jump};
use duplex::model::message::Position;
use duplex::model::panes::{Composer, Panes};
use duplex::model::preferences::{LanguageChoice, Preferences};
use duplex::model::time::WallMs;
use duplex::model::{Feature, Features};
use duplex::ui::Options;
use egui::Key;
use egui::accesskit::Role;
use egui_kittest::kittest::Queryable;

use crate::support::{CONNECTION, Window, general, message};

fn sent(intents: &[Intent]) -> Vec<&str> {
    let body = |intent| match intent {
        &Intent::Chat(ChatIntent::Send { ref content, .. }) => Some(content.body()),
        _ => None,
    };
    intents.iter().filter_map(body).collect()
}

fn korean(window: &mut Window) {
    window.update(Update::Choices(ChoicesUpdate::Preferences(Preferences {
        language: LanguageChoice::Korean,
        ..Preferences::default()
    })));
}

fn kept(intents: &[Intent]) -> Option<Composer> {
    intents.iter().rev().find_map(|intent| match intent {
        Intent::App(AppIntent::KeepPanes(panes)) => Some(panes.composer.clone()),
        _ => None,
    })
}

fn select_all(window: &mut Window) {
    window.focus_message();
    window.key_with(egui::Modifiers::COMMAND, Key::A);
}

#[test]
fn the_formatting_toolbar_marks_what_is_selected() {
    for (name, text) in [
        ("Bold", "**a b**"),
        ("Italic", "*a b*"),
        ("Code", "`a b`"),
        ("List", "- a b"),
        ("Quote", "> a b"),
        ("Link", "[a b](https://)"),
    ] {
        let mut window = Window::online();
        window.type_message("a b");
        select_all(&mut window);
        window.harness.get_by_role_and_label(Role::Button, name).click();
        window.run();
        assert_eq!(window.message_text(), text, "{name}");
        // The keyboard is in the field again, on what is marked.
        window.type_text("x");
        assert!(window.message_text().contains('x'), "{name}");
    }
}

#[test]
fn the_formatting_toolbar_can_be_hidden_and_stays_so() {
    let mut window = Window::online();
    window.harness.get_by_role_and_label(Role::Button, "Bold");
    window.click("Formatting");
    assert!(window.harness.query_by_role_and_label(Role::Button, "Bold").is_none());
    let composer = kept(&window.intents()).expect("it is kept");
    assert!(!composer.formatting);
    let options = Options { panes: Panes { composer, ..Panes::default() }, ..Options::default() };
    let mut window = Window::begun(1_100.0, 720.0, options, &["general"]);
    assert!(window.harness.query_by_role_and_label(Role::Button, "Bold").is_none());
    window.click("Formatting");
    window.harness.get_by_role_and_label(Role::Button, "Bold");
}

#[test]
fn an_emoji_is_found_and_put_where_the_cursor_is() {
    let mut window = Window::online();
    window.type_message("done ");
    window.harness.get_by_role_and_label(Role::Button, "Emoji").click();
    window.run();
    window.type_text("rocket");
    window.harness.get_by_role_and_label(Role::ListBoxOption, "rocket");
    window.key(Key::Enter);
    assert_eq!(window.message_text(), "done 🚀");
    assert!(window.harness.query_by_label("Search emoji").is_none(), "it is closed");
    window.type_text("!");
    assert_eq!(window.message_text(), "done 🚀!");
    assert_eq!(kept(&window.intents()).unwrap().emoji, ["🚀"]);
    // What was used last comes first.
    window.harness.get_by_role_and_label(Role::Button, "Emoji").click();
    window.run();
    window.harness.get_by_role_and_label(Role::Heading, "Recently used");
    window.key(Key::Enter);
    assert_eq!(window.message_text(), "done 🚀!🚀");
}

#[test]
fn emoji_are_picked_by_arrows_and_by_the_pointer() {
    let mut window = Window::online();
    window.harness.get_by_role_and_label(Role::Button, "Emoji").click();
    window.run();
    window.key(Key::ArrowRight);
    window.key(Key::ArrowRight);
    window.key(Key::ArrowLeft);
    window.key(Key::Enter);
    assert_eq!(window.message_text(), "😃");
    window.harness.get_by_role_and_label(Role::Button, "Emoji").click();
    window.run();
    window.harness.get_all_by_role_and_label(Role::ListBoxOption, "grinning face").next().unwrap().click();
    window.run();
    assert_eq!(window.message_text(), "😃😀");
    window.harness.get_by_role_and_label(Role::Button, "Emoji").click();
    window.run();
    window.key(Key::Escape);
    assert!(window.harness.query_by_label("Search emoji").is_none());
    window.check_names();
}

#[test]
fn emoji_have_korean_names() {
    let mut window = Window::online();
    korean(&mut window);
    window.harness.get_by_role_and_label(Role::Button, "이모지").click();
    window.run();
    window.harness.get_by_role_and_label(Role::Heading, "표정과 감정");
    window.type_text("따봉");
    window.harness.get_by_role_and_label(Role::ListBoxOption, "올린 엄지");
    window.type_text("없는이모지");
    window.harness.get_by_label("검색 결과가 없습니다.");
}

#[test]
fn an_unknown_command_is_not_sent_and_said_so() {
    let mut window = Window::online();
    window.type_message("/nonsense 1");
    window.key(Key::Enter);
    assert_eq!(sent(&window.intents()), [""; 0]);
    assert_eq!(window.message_text(), "/nonsense 1", "what was typed stays");
    window.harness.get_by_label_contains("There is no command /nonsense.");
    window.type_text("2");
    assert!(window.harness.query_by_label_contains("There is no command").is_none());
    korean(&mut window);
    window.harness.get_by_label("메시지").focus();
    window.run();
    window.key(Key::Enter);
    window.harness.get_by_label_contains("/nonsense 명령어가 없습니다.");
}

#[test]
fn what_really_begins_with_a_slash_is_sent_with_two() {
    let mut window = Window::online();
    for (typed, body) in [
        ("//nonsense", "/nonsense"),
        ("/etc/passwd", "/etc/passwd"),
        ("/me waves", "*waves*"),
        ("// x", "// x"),
    ] {
        window.type_message(typed);
        window.key(Key::Escape);
        window.key(Key::Enter);
        assert_eq!(sent(&window.intents()), [body], "{typed}");
    }
}

/// A lamp with a switch and a temperature, told a second ago.
fn lamp(window: &mut Window, risky: bool) {
    let name = |name| MetricName::new(name).unwrap();
    let power = Metric { writable: true, risky, ..Metric::new(name("power"), MetricType::Flag) };
    let heat = Metric { unit: "°C".into(), ..Metric::new(name("heat"), MetricType::Number) };
    let mut spec = Spec::unannounced(DeviceId::new("lamp-1").unwrap());
    spec.name = "Desk lamp".into();
    spec.metrics = vec![power, heat];
    let now = window.now().wall_ms;
    let value =
        |metric, value| LastValue { metric: name(metric), value, at: now - 1_000, received: now - 1_000 };
    let device = DeviceState {
        spec,
        incarnation: 1,
        online: true,
        since: now - 60_000,
        reason: String::new(),
        heard: Some(now - 1_000),
        every_ms: Some(60_000),
        values: vec![value("power", Value::Flag(false)), value("heat", Value::Number(21.5))],
    };
    window.event(Event::Device(DeviceEvent::Listed {
        devices: vec![device],
        started: WallMs(0),
        more: false,
    }));
    window.intents();
}

/// The properties that were set.
fn commands(intents: &[Intent]) -> Vec<(String, Value)> {
    let command = |intent: &Intent| match intent {
        Intent::Device(DeviceIntent::Command { property, value, .. }) => {
            Some((property.as_str().to_owned(), value.clone()))
        }
        _ => None,
    };
    intents.iter().filter_map(command).collect()
}

/// Types a command and sends it, whatever is offered for it.
fn command(window: &mut Window, text: &str) {
    select_all(window);
    window.type_text(text);
    window.key(Key::Escape);
    window.key(Key::Enter);
}

#[test]
fn a_device_is_set_from_the_message_field() {
    let mut window = Window::online();
    lamp(&mut window, false);
    for (text, value) in [
        (r#"/set "Desk lamp" power on"#, true),
        ("/set lamp-1 POWER off", false),
        (r#"/set "desk lamp" power ON"#, true),
    ] {
        command(&mut window, text);
        let intents = window.intents();
        assert_eq!(commands(&intents), [("power".to_owned(), Value::Flag(value))], "{text}");
        assert_eq!(sent(&intents), [""; 0]);
        assert_eq!(window.message_text(), "");
    }
    window.harness.get_by_label_contains("Desk lamp: setting power to on.");
    for (text, said) in [
        ("/set", "Type a device, a property and a value"),
        ("/set lamp-1 power", "Type a device, a property and a value"),
        ("/set lamp-1 power maybe", "“maybe” is neither on nor off"),
        ("/set lamp-1 heat 30", "heat of Desk lamp is a reading"),
        ("/set lamp-1 colour red", "lamp-1 has no property “colour”"),
        ("/set lamp-2 power on", "There is no device “lamp-2”"),
    ] {
        command(&mut window, text);
        assert_eq!(commands(&window.intents()), [], "{text}");
        window.harness.get_by_label_contains(said);
        assert_eq!(window.message_text(), text);
    }
}

#[test]
fn what_is_risky_is_asked_first_and_what_is_unknown_not_set() {
    let mut window = Window::online();
    lamp(&mut window, true);
    command(&mut window, "/set lamp-1 power on");
    assert_eq!(commands(&window.intents()), []);
    window.harness.get_by_label_contains("Turn on power?");
    window.click("Dismiss");
    assert_eq!(commands(&window.intents()), []);
    command(&mut window, "/set lamp-1 power on");
    window.click("Turn on");
    assert_eq!(commands(&window.intents()), [("power".to_owned(), Value::Flag(true))]);
    let reason = String::new();
    let device = DeviceId::new("lamp-1").unwrap();
    let since = window.now().wall_ms;
    window.event(Event::Device(DeviceEvent::Presence { device, online: false, since, reason }));
    command(&mut window, "/set lamp-1 power off");
    assert_eq!(commands(&window.intents()), []);
    window.harness.get_by_label_contains("the device is offline");
}

#[test]
fn a_reading_is_said_to_the_person_alone() {
    let mut window = Window::online();
    lamp(&mut window, false);
    command(&mut window, r#"/get "Desk lamp" heat"#);
    assert_eq!(sent(&window.intents()), [""; 0]);
    window.harness.get_by_label_contains("Desk lamp: heat 21.5 °C");
    assert_eq!(window.message_text(), "");
    command(&mut window, "/get lamp-1 colour");
    window.harness.get_by_label_contains("Desk lamp has no reading “colour”.");
}

#[test]
fn commands_devices_and_values_are_completed() {
    let mut window = Window::online();
    lamp(&mut window, false);
    window.type_message("/");
    window.harness.get_by_role_and_label(Role::ListBox, "Commands");
    window.type_text("se");
    window.key(Key::Enter);
    assert_eq!(window.message_text(), "/set ");
    window.key(Key::Tab);
    assert_eq!(window.message_text(), "/set \"Desk lamp\" ");
    window.type_text("po");
    window.key(Key::Tab);
    window.key(Key::Enter);
    assert_eq!(window.message_text(), "/set \"Desk lamp\" power on ");
    window.key(Key::Enter);
    assert_eq!(commands(&window.intents()), [("power".to_owned(), Value::Flag(true))]);
}

#[test]
fn only_commands_that_the_server_offers_are_offered() {
    let mut window = Window::online();
    window.offer(Features::all().without(Feature::Commands));
    window.type_message("/");
    window.harness.get_by_label("/get DEVICE READING: show a reading");
    assert!(window.harness.query_by_label_contains("/set").is_none());
    command(&mut window, "/set lamp power on");
    window.harness.get_by_label_contains("This server doesn't support /set.");
}

#[test]
fn what_is_unread_and_out_of_sight_is_one_click_away() {
    let mut window = Window::begun(1_100.0, 720.0, Options::default(), &["general", "mill"]);
    window.paged(1..=60, false, false);
    window.click_room("mill");
    window.entries(61..=200, true);
    window.click_room("general");
    window.key(Key::End);
    window.harness.get_by_label("Messages").focus();
    window.run();
    window.key(Key::End);
    window.harness.get_by_label("message 200");
    // The line was on screen when the room was opened: nobody needs to be led there.
    assert!(window.harness.query_by_label("Jump to first unread").is_none());
    let mut window = Window::begun(1_100.0, 720.0, Options::default(), &["general", "mill"]);
    window.click_room("mill");
    window.entries(1..=3, true);
    let page = window.page(900..=999, true, false);
    window.event(Event::Chat(ChatEvent::Jumped { room: general(), page }));
    window.click_room("general");
    window.harness.get_by_label("message 999");
    window.intents();
    window.click("Jump to first unread");
    // Nothing of it was ever read.
    let to = Jump::To(Position { era: 0, offset: Offset(1) });
    let jump = ChatIntent::JumpTo { connection: CONNECTION, room: general(), jump: to };
    assert!(window.intents().contains(&Intent::Chat(jump)));
    let page = window.page(1..=50, false, true);
    window.event(Event::Chat(ChatEvent::Jumped { room: general(), page }));
    window.harness.get_by_label("message 1");
    assert!(window.harness.query_by_label("Jump to first unread").is_none());
}

#[test]
fn nobody_is_led_to_unread_messages_that_there_are_not() {
    let mut window = Window::online();
    window.focus_window(false);
    let own = (1..=3).map(|offset| message(offset, "general", "me", &format!("own {offset}"))).collect();
    window.event(Event::Chat(ChatEvent::Entries { entries: own, live: true }));
    window.focus_window(true);
    window.harness.get_by_label("own 3");
    assert!(window.harness.query_by_label("Jump to first unread").is_none());
}
