//! The text of messages in the window: markup, links, code, selected messages, and what the input says. By accessible
//! names, without a display.

use duplex::model::banner::Banner;
use duplex::model::content::Content;
use duplex::model::event::{ChatEvent, ChoicesUpdate, DiskUpdate, Event, Update};
use duplex::model::intent::{AppIntent, ChatIntent, Intent};
use duplex::model::preferences::{LanguageChoice, Preferences};
use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::kittest::{NodeT, Queryable};

use crate::support::{Window, message};

/// A window with these messages by Mina.
fn saying(bodies: &[&str]) -> Window {
    let mut window = Window::online();
    say(&mut window, bodies);
    window
}

fn say(window: &mut Window, bodies: &[&str]) {
    let entries = (1..).zip(bodies).map(|(offset, body)| message(offset, "general", "mina", body)).collect();
    window.event(Event::Chat(ChatEvent::Entries { entries, live: true }));
}

fn opened(intents: &[Intent]) -> Vec<&str> {
    let mut urls = Vec::new();
    for intent in intents {
        if let Intent::App(AppIntent::OpenLink(url)) = intent {
            urls.push(url.as_str());
        }
    }
    urls
}

#[test]
fn markup_is_shown_and_its_marks_are_not() {
    let window = saying(&["a **bold** word\nand `code`\n\n> quoted\n\n- one\n2. two\n\n# Title"]);
    let harness = &window.harness;
    harness.get_by_label("a bold word\nand code");
    harness.get_by_role_and_label(Role::Blockquote, "quoted");
    harness.get_by_label("• one");
    harness.get_by_label("2. two");
    harness.get_by_role_and_label(Role::Heading, "Title");
    // Who said it and when is known of each part.
    assert!(window.description("quoted").contains("mina"));
}

#[test]
fn copy_copies_what_was_written() {
    let body = "a **bold** word &amp; [link](https://a.example)";
    let mut window = saying(&[body]);
    window.harness.get_by_label("a bold word &amp; link").click_secondary();
    window.run();
    window.harness.get_by_label("Copy text").click();
    window.harness.step();
    assert_eq!(window.copied().as_deref(), Some(body));
}

#[test]
fn code_is_copied_to_the_letter() {
    let mut window = saying(&["first\n```rust\nfn f() {\n\tx\u{202E}\n}\n```"]);
    window.harness.get_by_role_and_label(Role::Code, "rust code: fn f() {\n\tx⟨U+202E⟩\n}");
    window.harness.get_by_role_and_label(Role::Button, "Copy code").click();
    window.harness.step();
    assert_eq!(window.copied().as_deref(), Some("fn f() {\n\tx\u{202E}\n}"));
}

#[test]
fn a_folded_message_with_code_is_folded_and_its_code_copied_whole() {
    let lines: Vec<String> = (1..=60).map(|n| format!("line {n}")).collect();
    let mut window = saying(&[&format!("```\n{}\n```", lines.join("\n"))]);
    window.harness.get_by_label_contains("62 lines");
    assert!(window.harness.query_by_label_contains("line 40").is_none());
    window.click("Copy code");
    window.harness.get_by_role_and_label(Role::Button, "Copy code").click();
    window.harness.step();
    assert_eq!(window.copied(), Some(lines.join("\n")));
}

#[test]
fn a_link_tells_where_it_leads_and_asks_before_it_is_followed() {
    let mut window = saying(&["see [the plans](https://plans.example/a?b=c) first"]);
    let link = window.harness.get_by_role_and_label(Role::Link, "the plans");
    assert_eq!(link.accesskit_node().description().as_deref(), Some("https://plans.example/a?b=c"));
    link.click();
    window.run();
    assert_eq!(opened(&window.intents()), [""; 0], "not before it is asked");
    window.harness.get_by_role_and_label(Role::Dialog, "Open this link?");
    window.harness.get_by_label("https://plans.example/a?b=c");
    window.click("Cancel");
    assert!(window.harness.query_by_label("Open this link?").is_none());
    assert_eq!(opened(&window.intents()), [""; 0]);
    window.click("the plans");
    window.click("Open");
    assert_eq!(opened(&window.intents()), ["https://plans.example/a?b=c"]);
    assert!(window.harness.query_by_label("Open this link?").is_none());
}

#[test]
fn a_link_is_followed_by_keyboard_alone() {
    let mut window = saying(&["https://a.example/x"]);
    window.harness.get_by_role_and_label(Role::Link, "https://a.example/x").focus();
    window.run();
    window.key(Key::Enter);
    window.harness.get_by_role_and_label(Role::Dialog, "Open this link?");
    window.key(Key::Enter);
    assert_eq!(opened(&window.intents()), ["https://a.example/x"]);
    window.harness.get_by_role_and_label(Role::Link, "https://a.example/x").focus();
    window.run();
    window.key(Key::Enter);
    window.key(Key::Escape);
    assert!(window.harness.query_by_label("Open this link?").is_none());
    assert_eq!(opened(&window.intents()), [""; 0]);
}

#[test]
fn a_link_that_pretends_is_called_so_and_not_opened_by_one_more_key() {
    let mut window = saying(&["[https://bank.example/login](https://bank.example@evil.example/)"]);
    window.harness.get_by_role(Role::Link).focus();
    window.run();
    window.key(Key::Enter);
    window.harness.get_by_label_contains(
        "The text says “https://bank.example/login”, but the link goes to evil.example.",
    );
    window.harness.get_by_label_contains("“bank.example” is only a user name.");
    window.key(Key::Enter);
    assert_eq!(opened(&window.intents()), [""; 0]);
    assert!(window.harness.query_by_label("Open this link?").is_none());
}

#[test]
fn the_address_of_a_link_can_be_copied() {
    let mut window = saying(&["[a](https://p\u{430}ypal.example/)"]);
    window.click("a");
    window.harness.get_by_label_contains("different alphabets");
    window.harness.get_by_role_and_label(Role::Button, "Copy address").click();
    window.harness.step();
    assert_eq!(window.copied().as_deref(), Some("https://p\u{430}ypal.example/"));
}

#[test]
fn what_no_browser_opens_is_no_link() {
    let body = "[x](javascript:alert) file:///etc/passwd [y](ftp://a.example)";
    let window = saying(&[body]);
    window.harness.get_by_label(body);
    assert!(window.harness.query_by_role(Role::Link).is_none());
}

#[test]
fn without_a_browser_the_person_is_told() {
    let mut window = saying(&["hello"]);
    let banner = Banner::LinkNotOpened { url: "https://a.example/".into(), detail: "not found".into() };
    window.update(Update::Banner(banner.clone()));
    window.harness.get_by_label_contains("No app could open the link");
    window.harness.get_by_label_contains("https://a.example/");
    window.click("Dismiss");
    assert!(window.intents().contains(&Intent::App(AppIntent::DismissBanner(banner))));
}

#[test]
fn links_ask_in_korean_too() {
    let mut window = saying(&["https://a.example"]);
    let korean = Preferences { language: LanguageChoice::Korean, ..Preferences::default() };
    window.update(Update::Choices(ChoicesUpdate::Preferences(korean)));
    window.click("https://a.example");
    window.harness.get_by_role_and_label(Role::Dialog, "이 링크를 열까요?");
    window.click("열기");
    assert_eq!(opened(&window.intents()), ["https://a.example"]);
}

#[test]
fn every_control_of_rich_text_has_a_name() {
    let mut window = saying(&["```\ncode\n```\n[a](https://a.example) <https://b.example>"]);
    window.check_names();
}

/// Presses the pointer on one thing and lets it go on another.
fn drag(window: &mut Window, from: egui::Pos2, to: egui::Pos2) {
    let press = |pos, pressed| egui::Event::PointerButton {
        pos,
        button: egui::PointerButton::Primary,
        pressed,
        modifiers: Modifiers::NONE,
    };
    window.harness.hover_at(from);
    window.harness.event(press(from, true));
    window.run();
    window.harness.hover_at(to);
    window.run();
    window.harness.event(press(to, false));
    window.run();
}

fn click_at(window: &mut Window, name: &str, modifiers: Modifiers) {
    let pos = window.rect(name).left_center() + egui::vec2(8.0, 0.0);
    window.harness.hover_at(pos);
    for pressed in [true, false] {
        let button = egui::PointerButton::Primary;
        let event = egui::Event::PointerButton { pos, button, pressed, modifiers };
        window.harness.event_modifiers(event, modifiers);
    }
    window.run();
}

fn copy(window: &mut Window) -> Option<String> {
    window.harness.event(egui::Event::Copy);
    window.harness.step();
    window.copied()
}

/// What follows the time in each line of a copied text.
fn said(text: &str) -> Vec<&str> {
    text.lines().map(|line| line.split_once("] ").map_or(line, |(_, said)| said)).collect()
}

#[test]
fn a_drag_across_messages_selects_them_and_copies_them_as_they_were_written() {
    let mut window = saying(&["first", "**second**\nin two lines", "third", "fourth"]);
    let (from, to) = (window.rect("second\nin two lines").center(), window.rect("fourth").center());
    drag(&mut window, from, to);
    window.harness.get_by_role_and_label(Role::Status, "3 messages selected");
    assert_eq!(window.harness.get_by_label("third").accesskit_node().is_selected(), Some(true));
    assert_ne!(window.harness.get_by_label("first").accesskit_node().is_selected(), Some(true));
    let text = copy(&mut window).expect("copied");
    assert_eq!(said(&text), ["mina: **second**", "in two lines", "mina: third", "mina: fourth"]);
    assert!(text.starts_with("[2025-10-15 "), "{text}");
    window.key(Key::Escape);
    assert!(window.harness.query_by_label("3 messages selected").is_none());
}

#[test]
fn a_drag_within_a_message_selects_its_text_alone() {
    let mut window = saying(&["first", "second words", "third"]);
    let rect = window.rect("second words");
    drag(&mut window, rect.left_center() + egui::vec2(1.0, 0.0), rect.right_center() + egui::vec2(-1.0, 0.0));
    assert!(window.harness.query_by_label_contains("selected").is_none());
    assert_eq!(copy(&mut window).as_deref(), Some("second words"));
}

#[test]
fn messages_are_selected_one_by_one_and_in_ranges() {
    let mut window = saying(&["one", "two", "three", "four", "five"]);
    click_at(&mut window, "two", Modifiers::COMMAND);
    click_at(&mut window, "four", Modifiers::COMMAND);
    assert_eq!(said(&copy(&mut window).unwrap()), ["mina: two", "mina: four"]);
    click_at(&mut window, "two", Modifiers::COMMAND);
    assert_eq!(said(&copy(&mut window).unwrap()), ["mina: four"]);
    click_at(&mut window, "two", Modifiers::SHIFT);
    window.harness.get_by_role_and_label(Role::Status, "1 message selected");
    click_at(&mut window, "five", Modifiers::SHIFT);
    assert_eq!(said(&copy(&mut window).unwrap()), ["mina: two", "mina: three", "mina: four", "mina: five"]);
    window.harness.get_by_role_and_label(Role::Button, "Copy as text").click();
    window.harness.step();
    assert_eq!(said(&window.copied().unwrap()).len(), 4);
    window.click("Clear selection");
    assert!(window.harness.query_by_label("Copy as text").is_none());
}

#[test]
fn messages_are_selected_by_keys_beyond_what_is_seen() {
    let mut window = Window::online();
    window.entries(1..=100, true);
    window.harness.get_by_label("Messages").focus();
    window.run();
    for _ in 0..60 {
        window.key_with(Modifiers::SHIFT, Key::ArrowUp);
    }
    window.harness.get_by_role_and_label(Role::Status, "60 messages selected");
    let text = copy(&mut window).unwrap();
    assert_eq!(said(&text).first(), Some(&"mina: message 41"));
    assert_eq!(said(&text).last(), Some(&"mina: message 100"));
    // What was selected last is on the screen.
    window.harness.get_by_label("message 41");
    window.key_with(Modifiers::SHIFT, Key::ArrowDown);
    window.harness.get_by_role_and_label(Role::Status, "59 messages selected");
    window.key_with(Modifiers::COMMAND, Key::A);
    window.harness.get_by_role_and_label(Role::Status, "100 messages selected");
}

#[test]
fn a_paste_that_does_not_fit_is_not_cut_but_refused_in_words() {
    let mut window = Window::online();
    window.type_message("before ");
    window.paste(&"x".repeat(131_070));
    assert_eq!(window.message_text(), "before ");
    window.harness.get_by_label_contains("131070 characters, but only 131065 fit");
    window.paste("this fits");
    assert_eq!(window.message_text(), "before this fits");
    // What was not taken is offered until the person is done with it.
    window.harness.get_by_label_contains("131070 characters");
    window.intents();
    window.click("Save as file");
    let saved = window.intents().into_iter().find_map(|intent| match intent {
        Intent::App(AppIntent::SaveText { number, text }) => Some((number, text)),
        _ => None,
    });
    let (number, text) = saved.expect("it is to be saved");
    assert_eq!(text.len(), 131_070);
    window.update(Update::Disk(DiskUpdate::TextSaved(
        number,
        Ok("/home/me/Downloads/duplex-text-1.txt".into()),
    )));
    window.harness.get_by_label("Saved to /home/me/Downloads/duplex-text-1.txt");
    window.harness.get_by_role_and_label(Role::Button, "Dismiss").click_accesskit();
    window.run();
    window.pass(1);
    let left = window.harness.query_all_by_label_contains("Saved to").count();
    assert_eq!(left, 0);
    assert_eq!(window.message_text(), "before this fits");
}

#[test]
fn a_paste_that_came_to_nothing_is_said_for_a_while() {
    let mut window = Window::online();
    window.focus_message();
    window.ui(|ui, _, _| ui.not_pasted(duplex::ui::NotPasted::NoAnswer));
    window.harness.get_by_label_contains("didn't respond");
    window.type_text("go on");
    assert_eq!(window.message_text(), "go on");
    window.pass(6_000);
    assert!(window.harness.query_by_label_contains("didn't respond").is_none());
}

#[test]
fn keys_put_marks_around_what_is_selected() {
    let mut window = Window::online();
    window.type_message("굵게");
    window.key_with(Modifiers::COMMAND, Key::A);
    window.key_with(Modifiers::COMMAND, Key::B);
    assert_eq!(window.message_text(), "**굵게**");
    window.key_with(Modifiers::COMMAND, Key::E);
    assert_eq!(window.message_text(), "**`굵게`**");
    window.key_with(Modifiers::COMMAND, Key::E);
    window.key_with(Modifiers::COMMAND, Key::B);
    assert_eq!(window.message_text(), "굵게");
    window.key_with(Modifiers::COMMAND, Key::I);
    window.key(Key::Enter);
    let intents = window.intents();
    assert!(
        intents
            .iter()
            .any(|intent| matches!(intent, Intent::Chat(ChatIntent::Send { content: Content::Text { body, .. }, .. }) if body == "*굵게*"))
    );
}

#[test]
fn what_is_typed_behind_enter_in_the_same_frame_is_the_next_message() {
    let mut window = Window::online();
    window.focus_message();
    let enter = egui::Event::Key {
        key: Key::Enter,
        physical_key: None,
        pressed: true,
        repeat: false,
        modifiers: Modifiers::NONE,
    };
    let preedit = egui::ImeEvent::Preedit { text: "다".into(), active_range_chars: None };
    let typed = [
        egui::Event::Text("one".into()),
        enter.clone(),
        egui::Event::Ime(egui::ImeEvent::Commit("둘".into())),
        enter,
        egui::Event::Ime(preedit),
    ];
    window.harness.input_mut().events.extend(typed);
    window.run();
    let sent: Vec<String> = window
        .intents()
        .into_iter()
        .filter_map(|intent| match intent {
            Intent::Chat(ChatIntent::Send { content: Content::Text { body, .. }, .. }) => Some(body),
            _ => None,
        })
        .collect();
    assert_eq!(sent, ["one", "둘"]);
    assert_eq!(window.message_text(), "다");
}
