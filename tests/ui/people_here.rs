//! Mentions, completion of names and emoji, the list of who is here, the menu of a message, right-to-left text: by
//! accessible names, without a display.

use duplex::model::content::Content;
use duplex::model::event::{ChatEvent, Event, Person};
use duplex::model::id::PrincipalId;
use duplex::model::intent::{ChatIntent, Intent};
use duplex::model::principal::{Principal, PrincipalKind};
use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::kittest::{NodeT, Queryable};

use crate::support::{Window, message};

fn person(id: &str, name: &str, kind: PrincipalKind, online: bool) -> Event {
    Event::Chat(ChatEvent::Presence(Person {
        who: Principal { id: PrincipalId(id.into()), kind, name: name.into(), role: None },
        online,
        status: String::new(),
    }))
}

/// A window with me, Mina Kim, 민아 and Juno online, and Ada, an admin, offline.
fn with_people() -> Window {
    let mut window = Window::online();
    for (id, name, kind, online) in [
        ("me", "me", PrincipalKind::Person, true),
        ("p-mina", "Mina Kim", PrincipalKind::Person, true),
        ("p-민아", "민아", PrincipalKind::Person, true),
        ("p-juno", "Juno", PrincipalKind::Person, true),
        ("p-ada", "Ada", PrincipalKind::Admin, false),
    ] {
        window.event(person(id, name, kind, online));
    }
    window
}

fn sent(intents: &[Intent]) -> Vec<&str> {
    let body = |intent: &'_ Intent| matches!(intent, Intent::Chat(ChatIntent::Send { .. }));
    let sends = intents.iter().filter(|intent| body(intent));
    sends
        .map(|intent| match intent {
            Intent::Chat(ChatIntent::Send { content: Content::Text { body, .. }, .. }) => body.as_str(),
            _ => "",
        })
        .collect()
}

fn offered(window: &Window) -> Vec<String> {
    let options = window.harness.query_all_by_role(Role::ListBoxOption);
    options.map(|node| node.accesskit_node().label().unwrap_or_default()).collect()
}

#[test]
fn a_name_is_completed_by_arrows_and_enter_and_then_enter_sends() {
    let mut window = with_people();
    window.type_message("hi @");
    assert_eq!(offered(&window).len(), 5, "everybody but oneself, and the room");
    window.type_text("mi");
    assert_eq!(offered(&window), ["Mina Kim"]);
    window.key(Key::Enter);
    assert_eq!(window.message_text(), "hi @Mina Kim ");
    assert_eq!(sent(&window.intents()), [""; 0]);
    assert_eq!(offered(&window), [""; 0]);
    window.type_text("ok");
    window.key(Key::Enter);
    assert_eq!(sent(&window.intents()), ["hi @Mina Kim ok"]);
}

#[test]
fn the_list_is_chosen_from_by_arrows_tab_and_pointer_and_escape_closes_it() {
    let mut window = with_people();
    window.type_message("@");
    let all = offered(&window);
    window.key(Key::ArrowDown);
    window.key(Key::Tab);
    assert_eq!(window.message_text(), format!("@{} ", all[1]));
    window.type_text("@ju");
    window.harness.get_by_role_and_label(Role::ListBoxOption, "Juno").click();
    window.run();
    assert!(window.message_text().ends_with("@Juno "), "{}", window.message_text());
    window.type_text("@");
    assert!(!offered(&window).is_empty());
    window.key(Key::Escape);
    assert_eq!(offered(&window), [""; 0]);
    window.key(Key::Enter);
    assert_eq!(sent(&window.intents()).len(), 1, "with the list closed Enter sends");
}

#[test]
fn a_whole_name_needs_no_completion_and_hangul_is_completed_once_composed() {
    let mut window = with_people();
    window.type_message("@Juno");
    assert_eq!(offered(&window), [""; 0]);
    window.key(Key::Enter);
    assert_eq!(sent(&window.intents()), ["@Juno"]);
    window.type_text("@");
    window.ime_preedit("미");
    window.ime_preedit("민");
    assert_eq!(offered(&window), ["민아"], "what is composed is looked for as well");
    window.ime_commit("민");
    window.key(Key::Enter);
    assert_eq!(window.message_text(), "@민아 ");
}

#[test]
fn an_emoji_is_completed_by_its_name_in_both_languages() {
    let mut window = with_people();
    window.type_message("up :rocke");
    assert_eq!(offered(&window)[0], ":rocket:");
    window.key(Key::Enter);
    assert_eq!(window.message_text(), "up 🚀");
    window.type_text(" :하트");
    window.key(Key::Tab);
    assert_eq!(window.message_text(), "up 🚀 ❤️");
    // Typed in full it is one too, in either language.
    window.type_text(" :tada:");
    window.type_text(" :하트:");
    assert_eq!(window.message_text(), "up 🚀 ❤️ 🎉 ❤️");
    for plain in [" 12:30", " :)", " std::io", " :nothing_of_this_name:"] {
        window.type_text(plain);
        assert_eq!(offered(&window), [""; 0], "{plain}");
    }
}

#[test]
fn a_mention_is_said_in_its_row_and_counted_apart() {
    let mut window = Window::begun(1_100.0, 720.0, duplex::ui::Options::default(), &["general", "lab"]);
    window.event(Event::Chat(ChatEvent::Entries {
        entries: vec![
            message(1, "general", "mina", "hello @me, look"),
            message(2, "lab", "mina", "nothing"),
            message(3, "lab", "mina", "@ME here"),
        ],
        live: true,
    }));
    assert!(window.description("hello @me, look").contains("mentions you"));
    window.harness.get_by_role_and_label(Role::ListItem, "lab, 2 unread messages, 1 mention");
    window.click_room("lab");
    window.harness.get_by_role_and_label(Role::ListItem, "lab");
}

#[test]
fn the_menu_of_a_message_opens_from_anywhere_on_its_row_and_by_the_menu_key() {
    let mut window = with_people();
    window.event(Event::Chat(ChatEvent::Entries {
        entries: vec![message(1, "general", "p-mina", "short")],
        live: true,
    }));
    let text = window.rect("short");
    for place in [text.right_center() + egui::vec2(200.0, 0.0), text.left_top() - egui::vec2(-4.0, 12.0)] {
        window.harness.event(egui::Event::PointerMoved(place));
        for pressed in [true, false] {
            window.harness.event(egui::Event::PointerButton {
                pos: place,
                button: egui::PointerButton::Secondary,
                pressed,
                modifiers: Modifiers::NONE,
            });
        }
        window.run();
        window.harness.get_by_label("Copy text");
        window.key(Key::Escape);
        assert!(window.harness.query_by_label("Copy text").is_none());
    }
    window.harness.get_by_label("Messages").focus();
    window.run();
    window.key_with(Modifiers::SHIFT, Key::F10);
    assert!(window.harness.get_all_by_label("Reply").any(|item| item.is_focused()), "the first of the menu");
    window.click("Mention p-mina");
    assert_eq!(window.message_text(), "@p-mina ");
}

#[test]
fn who_is_here_is_listed_under_the_count() {
    let mut window = with_people();
    window.event(person("p-juno-2", "Juno", PrincipalKind::Person, true));
    window.click("5 online");
    window.harness.get_by_label("Online: 5");
    window.harness.get_by_label("Offline: 1");
    assert_eq!(window.description("me (you)"), "online");
    assert_eq!(window.description("Ada"), "Admin, offline");
    let alike = window.harness.query_all_by_label_contains("Juno ·").count();
    assert_eq!(alike, 2, "those whose names look alike have their short ids");
    window.key(Key::Escape);
    assert!(window.harness.query_by_label("Online: 5").is_none());
    window.harness.get_by_label("5 online").focus();
    window.run();
    window.key(Key::Enter);
    assert!(window.harness.get_by_label("me (you)").is_focused(), "the keyboard is in the list");
    window.click("Mina Kim");
    assert_eq!(window.message_text(), "@Mina Kim ");
}

#[test]
fn a_thousand_people_are_filtered_and_one_alone_is_told_so() {
    let mut window = Window::online();
    window.event(person("me", "me", PrincipalKind::Person, true));
    window.click("1 online");
    window.harness.get_by_label("No one else has joined yet.");
    window.key(Key::Escape);
    for number in 0..1_000 {
        window.apply(person(
            &format!("p{number}"),
            &format!("Person {number:03}"),
            PrincipalKind::Person,
            true,
        ));
    }
    window.run();
    window.click("1001 online");
    let drawn = window.harness.query_all_by_label_contains("Person ").count();
    assert!((5..60).contains(&drawn), "{drawn} are drawn");
    window.type_text("777");
    window.harness.get_by_label("Person 777");
    assert!(window.harness.query_by_label("Person 001").is_none());
    window.type_text("x");
    window.harness.get_by_label("No matches.");
}

#[test]
fn right_to_left_messages_stand_at_the_right_with_their_links_where_they_are_painted() {
    let mut window = Window::online();
    let body = "שלום https://a.example עולם";
    window.event(Event::Chat(ChatEvent::Entries {
        entries: vec![message(1, "general", "mina", body), message(2, "general", "mina", "left to right")],
        live: true,
    }));
    // Screen readers get it as it was written.
    let text = window.rect(body);
    let link = window.harness.get_by_role_and_label(Role::Link, "https://a.example").rect();
    let plain = window.rect("left to right");
    assert!(text.right() > plain.right() + 200.0, "{text:?} {plain:?}");
    assert!(link.left() > text.left() + 10.0 && link.right() < text.right() - 10.0, "{link:?} in {text:?}");
    window.harness.get_by_label(body).click_secondary();
    window.run();
    window.harness.get_by_label("Copy text").click();
    window.harness.step();
    assert_eq!(window.copied().as_deref(), Some(body));
}

/// Presses and lets go of the pointer so many times at a place, in one frame.
fn click_at(window: &mut Window, place: egui::Pos2, times: usize) {
    let input = window.harness.input_mut();
    input.events.push(egui::Event::PointerMoved(place));
    for pressed in [true, false].repeat(times) {
        input.events.push(egui::Event::PointerButton {
            pos: place,
            button: egui::PointerButton::Primary,
            pressed,
            modifiers: Modifiers::NONE,
        });
    }
    window.harness.step();
}

#[test]
fn right_to_left_letters_are_selected_where_they_are_painted_and_copied_as_written() {
    let mut window = Window::online();
    let body = "שלום, שני עולם";
    window.event(Event::Chat(ChatEvent::Entries {
        entries: vec![message(1, "general", "mina", body)],
        live: true,
    }));
    let text = window.rect(body);
    let copied = |window: &mut Window| {
        window.harness.event(egui::Event::Copy);
        window.harness.step();
        window.copied()
    };
    // The first word stands at the right, the last one at the left end of the painted line.
    click_at(&mut window, text.right_center() - egui::vec2(8.0, 0.0), 2);
    assert_eq!(copied(&mut window).as_deref(), Some("שלום"));
    click_at(&mut window, egui::pos2(text.left() + 1.0, text.center().y), 1);
    window.harness.step();
    assert_eq!(copied(&mut window), None, "a click elsewhere in it ends the selection");
}

#[test]
fn what_somebody_says_of_themselves_and_may_do_stands_beside_their_name() {
    let mut window = with_people();
    let Event::Chat(ChatEvent::Presence(person)) = person("p-juno", "Juno", PrincipalKind::Person, true)
    else {
        panic!("a presence")
    };
    let who = Principal { role: Some(duplex::model::Role::Guest), ..person.who.clone() };
    let juno = Person { who, status: "At the lathe".into(), ..person };
    window.event(Event::Chat(ChatEvent::Presence(juno)));
    window.click("4 online");
    assert_eq!(window.description("Juno"), "Guest, online, At the lathe");
    assert_eq!(window.description("Ada"), "Admin, offline");
    window.intents();
    window.click("Set status");
    window.harness.get_by_role_and_label(Role::Dialog, "Set status");
    window.fill("What are you doing?", " Back at noon ");
    window.key(Key::Enter);
    let said = |text: &str| {
        let (connection, text) = (crate::support::CONNECTION, text.to_owned());
        Intent::Chat(ChatIntent::SetStatus { connection, text })
    };
    assert_eq!(window.intents(), [said("Back at noon")]);
    window.click("4 online");
    window.click("Set status");
    window.click("Clear");
    assert_eq!(window.intents(), [said("")]);
    // Only where the server has it.
    window.offer(duplex::model::Features::all().without(duplex::model::Feature::Status));
    window.click("4 online");
    assert!(window.harness.query_by_label("Set status").is_none());
}
