//! A connection without a token asks for it, beside everything else.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test program")]

#[expect(dead_code, reason = "the window's other tests use the rest")]
mod ui_support;

use duplex::model::event::{Event, Update};
use duplex::model::id::ConnectionId;
use duplex::model::intent::Intent;
use duplex::model::link_state::{LinkState, Phase, Why};
use duplex::model::profile::{Profile, Secret};
use duplex::model::{LanguageChoice, Preferences};
use egui::Key;
use egui::accesskit::{Live, Role};
use egui_kittest::kittest::{NodeT, Queryable};

use ui_support::{CONNECTION, Window, profile};

const FIELD: &str = "Token of Home";

fn stopped(window: &mut Window, why: Why) {
    window.link(LinkState::Stopped { why });
}

fn asks(window: &Window) -> bool {
    window.harness.query_by_label(FIELD).is_some()
}

/// What is said at once to those who listen.
fn alarm(window: &Window) -> String {
    let nodes = window.harness.root().children_recursive();
    let alarms = nodes.filter(|node| node.accesskit_node().live() == Live::Assertive);
    alarms
        .filter_map(|node| node.accesskit_node().label())
        .find(|text| text.contains("Home"))
        .unwrap_or_default()
}

#[test]
fn a_missing_token_is_asked_for_with_the_reason_and_given() {
    let mut window = Window::online();
    window.update(Update::Keyring(Some("no such service".into())));
    stopped(&mut window, Why::NoToken);
    let said = alarm(&window);
    assert!(
        said.contains("no keyring") && said.contains("no such service") && said.contains("never"),
        "{said}"
    );
    window.check_names();
    window.fill(FIELD, " s3cret ");
    window.key(Key::Enter);
    let token = Secret::new("s3cret");
    let given = window.intents();
    assert!(given.contains(&Intent::GiveToken { connection: CONNECTION, token }), "{given:?}");
    assert!(!asks(&window));
    window.link(LinkState::Online { since: 0, rtt_ms: None });
    window.pass(5_000);
    assert!(!asks(&window));
}

#[test]
fn a_refused_token_is_asked_for_again_and_the_field_is_empty() {
    let mut window = Window::online();
    stopped(&mut window, Why::NoToken);
    window.fill(FIELD, "wrong");
    window.click("Connect");
    window.link(LinkState::Handshaking { attempt: 1 });
    stopped(&mut window, Why::Unauthorized);
    let said = alarm(&window);
    assert!(said.contains("does not know") && said.contains("Ask whoever runs the server"), "{said}");
    let field = window.harness.get_by_label(FIELD);
    assert_eq!(field.accesskit_node().role(), Role::PasswordInput);
    assert_eq!(field.value().unwrap_or_default(), "");
}

#[test]
fn the_rest_of_the_window_goes_on_and_a_question_can_wait() {
    let mut window = Window::online();
    let other = Profile { id: ConnectionId(4), name: "Other".into(), ..profile() };
    window.update(Update::Configured(other));
    let why = LinkState::Stopped { why: Why::NoToken };
    window.update(Update::Connection(ConnectionId(4), Event::Link(why)));
    stopped(&mut window, Why::NoToken);
    // One dialog each.
    window.harness.get_by_label("Token of Other");
    window.harness.get_by_label(FIELD);
    window.type_message("still here");
    assert_eq!(window.message_text(), "still here");
    window.harness.get_all_by_label("Later").next().unwrap().click();
    window.run();
    window.harness.get_all_by_label("Later").next().unwrap().click();
    window.run();
    assert!(!asks(&window) && window.harness.query_by_label("Token of Other").is_none());
    window.pass(60_000);
    assert!(!asks(&window), "it does not ask again by itself");
    window.click("Retry now");
    window.run();
    assert!(asks(&window), "whoever tries again is asked again");
}

#[test]
fn other_troubles_and_the_apps_own_hub_ask_for_nothing() {
    let mut window = Window::online();
    for why in [Why::Forbidden, Why::ConnectionRefused, Why::TimedOut { during: Phase::Dial }] {
        stopped(&mut window, why);
        assert!(!asks(&window));
    }
    window.update(Update::Configured(Profile {
        id: ConnectionId::OWN_HUB,
        name: String::new(),
        ..profile()
    }));
    let why = LinkState::Stopped { why: Why::NoToken };
    window.update(Update::Connection(ConnectionId::OWN_HUB, Event::Link(why)));
    assert!(window.harness.query_by_label("Token of This computer").is_none());
}

#[test]
fn it_asks_in_korean_and_within_a_narrow_window() {
    let mut window = Window::sized(480.0, 600.0);
    window.update(Update::Preferences(Preferences {
        language: LanguageChoice::Korean,
        ..Preferences::default()
    }));
    window.update(Update::Keyring(Some("x".into())));
    stopped(&mut window, Why::NoToken);
    window.harness.get_by_role_and_label(Role::Heading, "Home 토큰");
    for name in ["Home 연결의 토큰", "나중에"] {
        let rect = window.rect(name);
        assert!(rect.left() >= 0.0 && rect.right() <= 480.0 && rect.bottom() <= 600.0, "{name}: {rect:?}");
    }
    window.check_names();
}
