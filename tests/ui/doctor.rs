//! The check of a connection in the window, by its controls' names.

use std::sync::Arc;

use duplex::model::diagnosis::{Answer, Diagnosis, Found, Login, Report, RouteReport, Step};
use duplex::model::event::{ChoicesUpdate, SetupUpdate, Update};
use duplex::model::intent::{Intent, LinkIntent};
use duplex::model::link_state::{LinkState, Why};
use duplex::model::route::Route;
use duplex::model::{LanguageChoice, Preferences};
use egui::accesskit::Role;
use egui_kittest::kittest::{NodeT, Queryable};

use crate::support::{CONNECTION, Window};

const DIAGNOSE: Intent = Intent::Link(LinkIntent::Diagnose(CONNECTION));
const END: Intent = Intent::Link(LinkIntent::EndDiagnosis);
const RUNNING: &str = "Checking… This takes up to 30 seconds.";

fn name() -> Step {
    let addresses = vec!["192.0.2.7".parse().unwrap()];
    Step { found: Found::Name { host: "hub.example".into(), addresses }, took_us: 3_000, failed: None }
}

fn refused() -> Why {
    Why::Http { status: 403, retry_after_ms: None }
}

/// A WebSocket is blocked, long polling works.
fn report() -> Report {
    let answer = Answer { status: 403, ..Answer::default() };
    let handshake = Found::Handshake { answer: Some(answer), subprotocol: None, extensions: String::new() };
    let routes = Route::ALL.map(|route| match route {
        Route::LongPoll => RouteReport {
            works: Some(true),
            first_message_us: Some(31_000),
            samples: 80,
            rtt_p50_us: Some(1_500),
            rtt_p99_us: Some(4_200),
            bytes_up: Some(612),
            bytes_down: Some(488),
            idle_requests_per_hour: Some(432),
            ..RouteReport::unknown(route)
        },
        route => RouteReport::failed(route, refused()),
    });
    Report {
        address: "wss://hub.example:7870/v1/socket".into(),
        steps: vec![name(), Step { found: handshake, took_us: 9_000, failed: Some(refused()) }],
        login: Login::In,
        routes: routes.to_vec(),
        ..Report::default()
    }
}

fn show(window: &mut Window, report: Report, is_running: bool) {
    let diagnosis = Diagnosis { report: Arc::new(report), is_running };
    window.update(Update::Setup(SetupUpdate::Diagnosis(Some((CONNECTION, diagnosis)))));
}

fn has(window: &Window, part: &str) -> bool {
    window.harness.query_all_by_label_contains(part).next().is_some()
}

/// Opened by the connection's menu.
fn open(window: &mut Window, name: &str) {
    window.click(&format!("More for {name}"));
    window.click("Check the connection…");
    assert_eq!(window.intents(), [DIAGNOSE]);
}

fn copied(window: &mut Window) -> String {
    let frames = std::iter::repeat_with(|| {
        window.harness.step();
        window.copied()
    });
    frames.take(5).flatten().next().expect("something in the clipboard")
}

#[test]
fn the_verdict_the_table_and_the_steps() {
    let mut window = Window::online();
    open(&mut window, "Home");
    assert!(has(&window, RUNNING) && !has(&window, "Copy as text"));
    show(&mut window, Report { steps: vec![name()], ..Report::default() }, true);
    assert!(has(&window, RUNNING) && has(&window, "hub.example: 192.0.2.7"), "what is known already");
    show(&mut window, report(), false);
    assert!(!has(&window, RUNNING));
    assert!(has(&window, "WebSocket is blocked between you and the server: Duplex uses long polling."));
    assert!(has(&window, "answers in the server's place (HTTP 403)"));
    assert!(has(&window, "Long polling, Round trip: 1.50 ms"), "a figure says what it is of");
    assert!(has(&window, "Long polling, Bytes up / down: 612 / 488"));
    assert!(has(&window, "Server-sent events: "), "why it does not work");
    assert!(!has(&window, "hub.example: 192.0.2.7"), "the steps are folded");
    window.click("Show the steps");
    assert!(has(&window, "hub.example: 192.0.2.7") && has(&window, "Handshake"));
    window.click("Hide the steps");
    assert!(!has(&window, "hub.example: 192.0.2.7"));
    window.click("What the figures mean");
    assert!(has(&window, "without TCP/IP"));

    window.harness.get_by_label("Copy as text").click();
    let text = copied(&mut window);
    assert!(text.starts_with("WebSocket is blocked") && text.contains("192.0.2.7"), "{text}");
    window.run();
    assert!(has(&window, "Copied"));
    window.click("Check again");
    assert_eq!(window.intents(), [DIAGNOSE]);
    window.click("Close");
    assert_eq!(window.intents(), [END]);
}

#[test]
fn a_check_is_cancelled_with_its_dialog() {
    let mut window = Window::online();
    open(&mut window, "Home");
    window.click("Cancel");
    assert_eq!(window.intents(), [END]);
    assert!(!has(&window, RUNNING));
    open(&mut window, "Home");
    window.key(egui::Key::Escape);
    assert_eq!(window.intents(), [END]);
}

#[test]
fn why_a_connection_is_down_can_be_found_out() {
    let mut window = Window::online();
    window.link(LinkState::Stopped { why: refused() });
    window.pass(30_000);
    window.intents();
    window.click("Find out why");
    assert_eq!(window.intents(), [DIAGNOSE]);
    let dialog = window.harness.get_by_role(Role::Dialog);
    assert_eq!(dialog.accesskit_node().label().as_deref(), Some("Check the connection to Home"));
}

#[test]
fn in_korean_and_in_a_small_window() {
    let mut window = Window::sized(800.0, 500.0);
    let preferences = Preferences { language: LanguageChoice::Korean, ..Preferences::default() };
    window.update(Update::Choices(ChoicesUpdate::Preferences(preferences)));
    window.link(LinkState::Stopped { why: refused() });
    window.pass(30_000);
    window.click("원인 알아보기");
    show(&mut window, report(), false);
    assert!(has(&window, "연결 진단: Home") && has(&window, "롱 폴링."));
    assert!(has(&window, "롱 폴링, 왕복 시간: 1.50 ms"));
    for button in ["텍스트로 복사", "다시 진단", "닫기"] {
        let rect = window.harness.get_by_label(button).rect();
        assert!(rect.max.x <= 800.0 && rect.max.y <= 500.0, "{button}: {rect:?}");
    }
}
