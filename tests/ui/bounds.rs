//! A window beside a server that has more than is shown: what is left out is said, and what is not seen is not drawn.

use crate::support::Window;
use duplex::model::banner::Banner;
use duplex::model::chat::{MAX_PEOPLE, MAX_ROOMS};
use duplex::model::event::{ChatEvent, ChoicesUpdate, Event, Person, Update};
use duplex::model::id::PrincipalId;
use duplex::model::principal::{Principal, PrincipalKind};
use duplex::model::{LanguageChoice, Preferences};
use egui_kittest::kittest::Queryable as _;

fn rooms(count: usize) -> Window {
    let names: Vec<String> = (0..count).map(|n| format!("room {n:05}")).collect();
    let mut window = Window::sized(1_100.0, 720.0);
    window.welcome(0, &names.iter().map(String::as_str).collect::<Vec<_>>());
    window
}

fn speak_korean(window: &mut Window) {
    let preferences =
        Preferences { language: LanguageChoice::Korean, ..window.harness.state().preferences() };
    window.update(Update::Choices(ChoicesUpdate::Preferences(preferences)));
}

#[test]
fn rooms_that_are_left_out_are_said() {
    let mut window = rooms(MAX_ROOMS + 5);
    // It stands behind the last room.
    window.harness.get_by_label("general");
    assert!(
        window.harness.query_by_label("room 05000").is_none(),
        "what is far from being seen is not drawn"
    );
    let text = format!("Showing {MAX_ROOMS} rooms; this server has more");
    window.harness.get_by_label(&text);
    speak_korean(&mut window);
    window.harness.get_by_label(&format!("이 서버의 방 중 {MAX_ROOMS}개만 표시합니다"));
}

#[test]
fn a_few_rooms_are_all_there_for_whoever_cannot_see() {
    let window = rooms(150);
    for name in ["general", "room 00000", "room 00149"] {
        window.harness.get_by_label(name);
    }
    assert!(window.harness.query_by_label_contains("of this server's rooms").is_none());
}

#[test]
fn an_open_room_that_is_scrolled_away_keeps_its_place() {
    let mut window = rooms(2_000);
    let first = window.rect("room 00000");
    let (one, two) = (window.rect("room 00003"), window.rect("room 00004"));
    let pitch = two.top() - one.top();
    window.click_room("room 00003");
    assert!((window.rect("room 00010").top() - first.top() - 10.0 * pitch).abs() < 0.5);
}

#[test]
fn people_that_are_left_out_are_said() {
    let mut window = Window::online();
    for n in 0..MAX_PEOPLE + 5 {
        let id = PrincipalId(format!("p{n}"));
        let who = Principal { id, kind: PrincipalKind::Person, name: "x".into(), role: None };
        window.apply(Event::Chat(ChatEvent::Presence(Person { who, online: true, status: String::new() })));
    }
    window.run();
    window.harness.get_by_label(&format!("{MAX_PEOPLE} or more online"));
    speak_korean(&mut window);
    window.harness.get_by_label(&format!("{MAX_PEOPLE}명 이상 온라인"));
}

#[test]
fn a_disk_that_is_nearly_full_is_said() {
    let mut window = Window::online();
    window.update(Update::Banner(Banner::DiskLow));
    window.harness.get_by_label_contains("almost full");
    speak_korean(&mut window);
    window.harness.get_by_label_contains("디스크 공간이 거의 없습니다");
}
