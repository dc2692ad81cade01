//! The device pane, driven as a person or a screen reader would: by accessible names. No display, no network.

use duplex::model::banner::Banner;
use duplex::model::device::{
    DeviceId, DeviceState, LastValue, Metric, MetricName, MetricType, Readings, Spec, Value,
};
use duplex::model::device_choices::{DeviceChange, DeviceChoices};
use duplex::model::event::{ChoicesUpdate, DeviceEvent, DiskUpdate, Event, SetupUpdate, Update};
use duplex::model::id::ConnectionId;
use duplex::model::intent::{AppIntent, Intent};
use duplex::model::link_device::{LinkCounters, link_readings};
use duplex::model::link_state::{LinkState, Why};
use duplex::model::preferences::{LanguageChoice, Preferences};
use duplex::model::profile::Profile;
use duplex::model::time::WallMs;
use egui::accesskit::Role;
use egui::{Key, Modifiers, PointerButton, Pos2};
use egui_kittest::kittest::{NodeT, Queryable};

use crate::support::{Window, profile};

fn id(name: &str) -> DeviceId {
    DeviceId::new(name).unwrap()
}

fn metric(name: &str, unit: &str) -> Metric {
    let name = MetricName::new(name).unwrap();
    Metric { unit: unit.into(), precision: Some(1), ..Metric::new(name, MetricType::Number) }
}

/// A device that announced itself, with a temperature of 21.5 °C told a second ago.
fn device(window: &Window, name: &str, kind: &str) -> DeviceState {
    let now = window.now().wall_ms;
    let mut spec = Spec::unannounced(id(&name.to_lowercase().replace(' ', "-")));
    spec.name = name.into();
    spec.kind = kind.into();
    spec.metrics = vec![metric("temperature", "°C")];
    let metric = MetricName::new("temperature").unwrap();
    DeviceState {
        spec,
        incarnation: 1,
        online: true,
        since: now - 60_000,
        reason: String::new(),
        heard: Some(now - 1_000),
        every_ms: Some(1_000),
        values: vec![LastValue {
            metric,
            value: Value::Number(21.5),
            at: now - 1_000,
            received: now - 1_000,
        }],
    }
}

fn list(window: &mut Window, devices: Vec<DeviceState>) {
    window.event(Event::Device(DeviceEvent::Listed { devices, started: WallMs(0), more: false }));
}

fn named(window: &mut Window, names: &[&str]) {
    let devices = names.iter().map(|name| device(window, name, "")).collect();
    list(window, devices);
}

fn read(window: &mut Window, name: &str, value: f64) {
    let now = window.now().wall_ms;
    let values = vec![(MetricName::new("temperature").unwrap(), Value::number(value))];
    window.event(Event::Device(DeviceEvent::Readings(Readings::of(id(name), now, now, values).into())));
}

fn silent(window: &mut Window, name: &str) {
    let since = window.now().wall_ms;
    window.event(Event::Device(DeviceEvent::Silent { device: id(name), since }));
}

/// The rows on screen, from top to bottom.
fn rows(window: &Window) -> Vec<String> {
    let list = window.harness.get_by_role_and_label(Role::List, "List of devices").rect();
    let rows = window.harness.query_all_by_role(Role::ListItem);
    let mut rows: Vec<_> = rows
        .filter(|row| list.intersects(row.rect()))
        .map(|row| (row.rect().top(), row.accesskit_node().label().unwrap_or_default()))
        .collect();
    rows.sort_by(|a, b| a.0.total_cmp(&b.0));
    rows.into_iter().map(|(_, label)| label).collect()
}

/// Their names alone.
fn names(window: &Window) -> Vec<String> {
    rows(window).iter().map(|row| row.split(',').next().unwrap_or("").to_owned()).collect()
}

fn choose(window: &mut Window, menu: &str, entry: &str) {
    window.harness.get_by_label_contains(menu).click();
    window.run();
    window.harness.get_by_role_and_label(Role::MenuItemRadio, entry).click();
    window.run();
    window.key(Key::Escape);
    // Away from the list, so that it may be sorted.
    window.harness.hover_at(Pos2::new(400.0, 400.0));
    window.run();
}

fn is_page_of(window: &Window, name: &str) -> bool {
    window.harness.query_by_role_and_label(Role::List, "List of devices").is_none()
        && window.harness.query_by_label(name).is_some()
}

fn has(window: &Window, text: &str) -> bool {
    window.harness.query_by_label_contains(text).is_some()
}

#[test]
fn no_device_yet_says_how_to_get_one() {
    let mut window = Window::online();
    assert!(has(&window, "Loading devices"));
    assert!(!has(&window, "No devices yet"));
    list(&mut window, vec![]);
    assert!(has(&window, "No devices yet"));
    window.harness.get_by_label_contains("Copy: curl").click();
    window.harness.step();
    let curl = window.copied().unwrap();
    assert!(curl.contains("http://127.0.0.1:7870/v1/devices/"), "{curl}");
    assert!(curl.contains("Bearer $TOKEN"), "{curl}");
    window.harness.get_by_label_contains("Copy: duplexctl agent").click();
    window.harness.step();
    assert_eq!(window.copied().as_deref(), Some("duplexctl agent --url ws://127.0.0.1:7870"));
    window.check_names();
}

#[test]
fn a_row_says_what_the_device_is_and_says() {
    let mut window = Window::online();
    named(&mut window, &["Lathe"]);
    // It was said before we were there.
    assert_eq!(rows(&window), ["Lathe, last known, 1 s ago, temperature 21.5 °C"]);
    read(&mut window, "lathe", 22.0);
    assert_eq!(rows(&window), ["Lathe, online, temperature 22.0 °C"]);
    assert!(has(&window, "1 online"));
    window.check_names();
}

#[test]
fn a_sensor_that_fails_is_seen_to_fail() {
    let mut window = Window::online();
    named(&mut window, &["Lathe"]);
    read(&mut window, "lathe", f64::NAN);
    assert_eq!(rows(&window), ["Lathe, faulty, no value for temperature, temperature —"]);
}

#[test]
fn an_age_ticks_only_where_it_tells_something() {
    let mut window = Window::online();
    named(&mut window, &["Lathe"]);
    read(&mut window, "lathe", 22.0);
    let now = window.now().boot_ms;
    assert_eq!(window.next_deadline(), Some(now + 10_000));
    window.pass(10_000);
    assert_eq!(rows(&window), ["Lathe, online, 10 s ago, temperature 22.0 °C"]);
    assert_eq!(window.next_deadline(), Some(window.now().boot_ms + 1_000));
    window.pass(51_000);
    assert_eq!(rows(&window), ["Lathe, online, 1 min ago, temperature 22.0 °C"]);
    assert_eq!(window.next_deadline(), Some(window.now().boot_ms + 59_000));
}

#[test]
fn silent_and_offline_are_said_and_counted() {
    let mut window = Window::online();
    named(&mut window, &["Lathe", "Mill", "Pump"]);
    for name in ["lathe", "mill", "pump"] {
        read(&mut window, name, 20.0);
    }
    assert!(has(&window, "3 online"));
    window.pass(5_000);
    silent(&mut window, "lathe");
    let since = window.now().wall_ms;
    let reason = "power".to_owned();
    window.event(Event::Device(DeviceEvent::Presence { device: id("mill"), online: false, since, reason }));
    assert!(has(&window, "1 silent, 1 offline, 1 online"));
    assert_eq!(
        rows(&window),
        [
            "Lathe, silent, 5 s ago, temperature 20.0 °C",
            "Mill, offline, 5 s ago, temperature 20.0 °C",
            "Pump, online, temperature 20.0 °C",
        ]
    );
}

#[test]
fn a_dead_link_makes_everything_unknown_at_once_and_says_so_once() {
    let mut window = Window::online();
    named(&mut window, &["Lathe", "Mill"]);
    read(&mut window, "lathe", 20.0);
    let (retry_at, down_since) = (window.now().boot_ms + 3_000, window.now().boot_ms);
    window.link(LinkState::Waiting { attempt: 1, retry_at, down_since, why: Why::Silent });
    assert!(rows(&window).iter().all(|row| row.contains(", unknown, ")), "{:?}", rows(&window));
    assert_eq!(window.harness.query_all_by_label_contains("Not connected since").count(), 1);
    window.pass(30_000);
    assert!(!has(&window, "silent"));
    // Back: unknown until the hub has told everything anew.
    window.link(LinkState::Online { since: WallMs(0), rtt_ms: None });
    assert!(has(&window, "Loading devices"));
    assert!(rows(&window).iter().all(|row| row.contains(", unknown, ")));
    named(&mut window, &["Lathe", "Mill"]);
    assert!(has(&window, "2 online"));
    assert!(rows(&window).iter().all(|row| row.contains(", last known, ")), "{:?}", rows(&window));
}

#[test]
fn the_filter_finds_by_name_kind_status_and_metric() {
    let mut window = Window::online();
    let mut devices =
        vec![device(&window, "Lathe", "machine"), device(&window, "온실 3번 습도 센서", "sensor")];
    devices[1].spec.id = id("greenhouse-3");
    devices.push(device(&window, "Pump", "machine"));
    devices[2].online = false;
    list(&mut window, devices);
    for (filter, expected) in [
        ("lat", &["Lathe"][..]),
        ("온실", &["온실 3번 습도 센서"]),
        ("GREENHOUSE", &["온실 3번 습도 센서"]),
        ("machine", &["Pump", "Lathe"]),
        ("machine offline", &["Pump"]),
        ("machine offlinex", &[]),
        ("temper", &["Pump", "Lathe", "온실 3번 습도 센서"]),
    ] {
        window.fill("Filter devices", filter);
        assert_eq!(names(&window), expected, "{filter}");
    }
    window.fill("Filter devices", "nothing like it");
    assert!(has(&window, "No devices match “nothing like it”."));
    assert!(has(&window, "0 of 3"));
    window.click("Clear filter");
    assert_eq!(names(&window).len(), 3);
    window.fill("Filter devices", "pump");
    window.key(Key::Escape);
    assert_eq!(names(&window).len(), 3);
}

#[test]
fn a_longer_filter_finds_what_it_would_have_found_alone() {
    let mut window = Window::online();
    named(&mut window, &["Pump 1", "Pump 12", "Lamp 12"]);
    window.harness.get_by_label("Filter devices").focus();
    window.run();
    for (typed, expected) in [("p", 3), ("u", 2), ("mp", 2), (" ", 2), ("1", 2), ("2", 1)] {
        window.type_text(typed);
        assert_eq!(names(&window).len(), expected, "after {typed:?}");
    }
    window.key(Key::Backspace);
    assert_eq!(names(&window).len(), 2);
    // What comes later is held against the whole filter.
    let late = device(&window, "Pump 15", "");
    window.event(Event::Device(DeviceEvent::Announced(Box::new(late))));
    let late = device(&window, "Saw 1", "");
    window.event(Event::Device(DeviceEvent::Announced(Box::new(late))));
    assert_eq!(names(&window), ["Pump 1", "Pump 12", "Pump 15"]);
}

#[test]
fn names_are_sorted_with_their_numbers_and_trouble_first_by_status() {
    let mut window = Window::online();
    named(&mut window, &["Pump 10", "Pump 9", "lathe"]);
    assert_eq!(names(&window), ["lathe", "Pump 9", "Pump 10"]);
    for name in ["pump-10", "pump-9", "lathe"] {
        read(&mut window, name, 1.0);
    }
    window.pass(1_000);
    silent(&mut window, "pump-10");
    choose(&mut window, "Sort:", "problems first");
    assert_eq!(names(&window), ["Pump 10", "lathe", "Pump 9"]);
    window.pass(1_000);
    silent(&mut window, "pump-9");
    assert_eq!(names(&window), ["Pump 9", "Pump 10", "lathe"]);
    window.pass(1_000);
    choose(&mut window, "Sort:", "recently changed");
    read(&mut window, "pump-10", 1.0);
    assert_eq!(names(&window), ["Pump 10", "Pump 9", "lathe"]);
}

#[test]
fn groups_have_headings() {
    let mut window = Window::online();
    let devices = vec![
        device(&window, "Lathe", "machine"),
        device(&window, "Nameless", ""),
        device(&window, "Desk", "computer"),
    ];
    list(&mut window, devices);
    choose(&mut window, "Group:", "kind");
    assert_eq!(names(&window), ["Desk", "Lathe", "Nameless"]);
    for heading in ["computer", "machine", "other"] {
        assert!(window.harness.query_by_role_and_label(Role::Heading, heading).is_some(), "{heading}");
    }
    window.fill("Filter devices", "desk");
    assert!(window.harness.query_by_role_and_label(Role::Heading, "machine").is_none());
}

/// The link of the connection says of itself how it is.
fn link_speaks(window: &mut Window, state: &LinkState, counters: &LinkCounters) {
    let now = window.now();
    let readings = link_readings(state, counters, now.boot_ms, None, now.wall_ms);
    window.event(Event::Device(DeviceEvent::LocalReadings(readings.into())));
}

#[test]
fn each_connection_has_a_row_of_its_own_and_is_no_device() {
    let mut window = Window::online();
    let devices = vec![device(&window, "Zebra", "")];
    list(&mut window, devices);
    let online = LinkState::Online { since: window.now().wall_ms, rtt_ms: Some(7) };
    window.link(online.clone());
    let heard = Some(window.now().boot_ms);
    link_speaks(&mut window, &online, &LinkCounters { heard, ..LinkCounters::default() });
    assert_eq!(names(&window), ["Zebra"]);
    assert!(has(&window, "1 online") && !has(&window, "2 online"));
    assert!(has(&window, "Connection to Home: Online, 7 ms, last heard now"));
    for filter in ["connection", "link", "round"] {
        window.fill("Filter devices", filter);
        assert_eq!(names(&window), [""; 0], "{filter}");
    }
    window.key(Key::Escape);
    window.pass(12_000);
    assert!(has(&window, "last heard 12 s ago"));
    window.update(Update::Setup(SetupUpdate::Configured(Box::new(Profile {
        id: ConnectionId(4),
        name: "Farm".into(),
        ..profile()
    }))));
    assert!(has(&window, "Connection to Farm: Off, Not connected"));
    assert!(has(&window, "Connection to Home: Online, 7 ms, last heard 12 s ago, 1 online"));
    window
        .harness
        .get_by_role_and_label(
            Role::Button,
            "Connection to Home: Online, 7 ms, last heard 12 s ago, 1 online",
        )
        .click();
    window.run();
    assert!(is_page_of(&window, "Connection to Home"));
}

#[test]
fn the_keyboard_walks_and_opens() {
    let mut window = Window::online();
    let many: Vec<String> = (1..=30).map(|n| format!("Pump {n}")).collect();
    named(&mut window, &many.iter().map(String::as_str).collect::<Vec<_>>());
    let focused = |window: &Window| {
        let rows = window.harness.query_all_by_role(Role::ListItem);
        let mut selected = rows.filter(|row| {
            row.accesskit_node().is_selected() == Some(true)
                && row.accesskit_node().label().is_some_and(|label| label.starts_with("Pump"))
        });
        selected.next().map(|row| row.accesskit_node().label().unwrap_or_default())
    };
    window.harness.get_by_label("Filter devices").focus();
    window.run();
    window.key(Key::ArrowDown);
    assert!(focused(&window).unwrap().starts_with("Pump 1,"));
    window.key(Key::ArrowDown);
    assert!(focused(&window).unwrap().starts_with("Pump 2,"));
    window.key(Key::End);
    assert!(focused(&window).unwrap().starts_with("Pump 30,"));
    let list = window.harness.get_by_role_and_label(Role::List, "List of devices").rect();
    let row = window.harness.get_by_label_contains("Pump 30,").rect();
    assert!(list.contains(row.left_top()) && list.contains(row.right_bottom()), "{list:?} {row:?}");
    window.key(Key::ArrowUp);
    assert!(focused(&window).unwrap().starts_with("Pump 29,"));
    window.key(Key::Home);
    assert!(focused(&window).unwrap().starts_with("Pump 1,"));
    window.key(Key::Enter);
    assert!(is_page_of(&window, "Pump 1"));
}

#[test]
fn enter_in_the_filter_opens_the_first_that_matches() {
    let mut window = Window::online();
    named(&mut window, &["Lathe", "Pump 1", "Pump 2"]);
    window.fill("Filter devices", "pump");
    window.key(Key::Enter);
    assert!(is_page_of(&window, "Pump 1"));
}

/// Frames of a test are a quarter of a second apart: a click may take several.
fn slow_hands(window: &Window) {
    window.harness.ctx.options_mut(|options| options.input_options.max_click_duration = 60.0);
}

fn press(window: &mut Window, at: Pos2, pressed: bool) {
    window.harness.event(egui::Event::PointerMoved(at));
    window.harness.event(egui::Event::PointerButton {
        pos: at,
        button: PointerButton::Primary,
        pressed,
        modifiers: Modifiers::NONE,
    });
    window.run();
}

#[test]
fn a_click_opens_the_device_it_was_meant_for() {
    let mut window = Window::online();
    named(&mut window, &["Lathe", "Mill"]);
    slow_hands(&window);
    let at = window.harness.get_by_label_contains("Mill,").rect().center();
    press(&mut window, at, true);
    press(&mut window, at, false);
    assert!(is_page_of(&window, "Mill"));
}

#[test]
fn a_click_is_not_delivered_to_what_has_moved_there() {
    let mut window = Window::online();
    named(&mut window, &["Lathe", "Mill"]);
    slow_hands(&window);
    let at = window.harness.get_by_label_contains("Mill,").rect().center();
    press(&mut window, at, true);
    // Something new comes above: what was pressed is not under the pointer any more.
    let new = device(&window, "Drill", "");
    window.event(Event::Device(DeviceEvent::Announced(Box::new(new))));
    assert_eq!(names(&window), ["Drill", "Lathe", "Mill"]);
    press(&mut window, at, false);
    assert!(!is_page_of(&window, "Mill") && !is_page_of(&window, "Lathe"));
    assert_eq!(names(&window).len(), 3);
    // Where it is now, it can be chosen.
    let at = window.harness.get_by_label_contains("Mill,").rect().center();
    press(&mut window, at, true);
    press(&mut window, at, false);
    assert!(is_page_of(&window, "Mill"));
}

#[test]
fn nothing_that_is_pointed_at_is_re_sorted() {
    let mut window = Window::online();
    named(&mut window, &["Lathe", "Mill", "Pump"]);
    for name in ["lathe", "mill", "pump"] {
        read(&mut window, name, 1.0);
    }
    choose(&mut window, "Sort:", "recently changed");
    let at = window.harness.get_by_label_contains("Lathe,").rect().center();
    window.harness.hover_at(at);
    window.run();
    let before = names(&window);
    window.pass(1_000);
    silent(&mut window, "pump");
    let new = device(&window, "Drill", "");
    window.event(Event::Device(DeviceEvent::Announced(Box::new(new))));
    // Its status is true where it stands, and what is new stands below.
    assert!(rows(&window).iter().any(|row| row.starts_with("Pump, silent")));
    assert_eq!(names(&window)[..3], before[..]);
    assert_eq!(names(&window)[3], "Drill");
    window.harness.hover_at(Pos2::new(400.0, 400.0));
    window.run();
    assert_eq!(names(&window)[0], "Pump");
}

#[test]
fn what_is_looked_at_stays_when_devices_come_above_it() {
    let mut window = Window::online();
    let many: Vec<String> = (1..=100).map(|n| format!("Pump {n}")).collect();
    named(&mut window, &many.iter().map(String::as_str).collect::<Vec<_>>());
    let list = window.harness.get_by_role_and_label(Role::List, "List of devices").rect();
    window.harness.hover_at(list.center());
    window.harness.event(egui::Event::MouseWheel {
        unit: egui::MouseWheelUnit::Point,
        delta: egui::vec2(0.0, -1_000.0),
        phase: egui::TouchPhase::Move,
        source: egui::MouseWheelSource::Unknown,
        modifiers: Modifiers::NONE,
    });
    window.run();
    let seen = names(&window)[3].clone();
    let before = window.harness.get_by_label_contains(&format!("{seen},")).rect();
    assert_ne!(seen, "Pump 4");
    for name in ["Drill", "Axe", "Lathe"] {
        let new = device(&window, name, "");
        window.event(Event::Device(DeviceEvent::Announced(Box::new(new))));
    }
    let after = window.harness.get_by_label_contains(&format!("{seen},")).rect();
    assert!((after.top() - before.top()).abs() < 0.5, "{before:?} {after:?}");
}

#[test]
fn readings_that_were_left_out_are_told() {
    let mut window = Window::online();
    named(&mut window, &["Lathe"]);
    assert!(!has(&window, "left out"));
    let now = window.now().wall_ms;
    let mut readings = Readings::of(id("lathe"), now, now, vec![]);
    readings.conflated = 120;
    window.event(Event::Device(DeviceEvent::Readings(readings.into())));
    assert!(has(&window, "120 readings left out"));
}

#[test]
fn readings_that_the_disk_did_not_take_are_told() {
    let mut window = Window::online();
    named(&mut window, &["Lathe"]);
    assert!(!has(&window, "not saved"));
    window.update(Update::Disk(DiskUpdate::ReadingsNotKept(1)));
    assert!(has(&window, "1 reading was not saved to disk"));
    let full = Banner::ReadingsNotWritten { detail: "the disk is full".to_owned() };
    window.update(Update::Banner(full.clone()));
    assert!(has(&window, "Device readings can't be saved (the disk is full)"));
    assert!(window.harness.query_by_label("Dismiss").is_none(), "it lasts as long as the trouble");
    window.update(Update::BannerOver(full));
    assert!(!has(&window, "Device readings can't be saved"));
    window.update(Update::Banner(Banner::ReadingsSetAside { path: "/x/readings.db.damaged".into() }));
    assert!(has(&window, "/x/readings.db.damaged"));
}

#[test]
fn the_connection_is_named_in_the_language_of_the_window() {
    let mut window = Window::online();
    named(&mut window, &["Lathe"]);
    let state = LinkState::Online { since: WallMs(0), rtt_ms: Some(7) };
    window.link(state.clone());
    link_speaks(&mut window, &state, &LinkCounters::default());
    assert!(has(&window, "Connection to Home: Online, 7 ms"));
    let language = LanguageChoice::Korean;
    window.update(Update::Choices(ChoicesUpdate::Preferences(Preferences {
        language,
        ..Preferences::default()
    })));
    assert!(has(&window, "Home 연결: 온라인, 7 ms"));
    assert!(window.harness.query_by_label("기기 검색").is_some());
}

#[test]
fn the_pane_is_hidden_and_shown_by_button_and_keys() {
    let mut window = Window::online();
    named(&mut window, &["Lathe"]);
    let shown = |window: &Window| window.harness.query_by_label_contains("Lathe,").is_some();
    let chat = |window: &Window| window.harness.query_by_label("Message").is_some();
    assert!(shown(&window) && chat(&window));
    window.click("Chat");
    assert!(!shown(&window) && chat(&window));
    window.click("Both");
    assert!(shown(&window) && chat(&window));
    window.click("Devices");
    assert!(shown(&window) && !chat(&window));
    window.key_with(Modifiers::COMMAND | Modifiers::SHIFT, Key::D);
    assert!(!shown(&window) && chat(&window));
    window.key_with(Modifiers::COMMAND | Modifiers::SHIFT, Key::D);
    assert!(shown(&window) && chat(&window));
}

#[test]
fn in_a_narrow_window_devices_and_chat_take_turns() {
    let mut window = Window::sized(780.0, 700.0);
    named(&mut window, &["Lathe"]);
    let shown = |window: &Window| window.harness.query_by_label_contains("Lathe,").is_some();
    let chat = |window: &Window| window.harness.query_by_label("Message").is_some();
    assert!(!shown(&window) && chat(&window));
    window.click("Devices");
    assert!(shown(&window) && !chat(&window));
    // What comes meanwhile is not read.
    window.intents();
    window.entries(1..=1, true);
    assert_eq!(window.intents(), []);
    window.click("Rooms");
    assert!(window.harness.query_by_label_contains("general, 1 unread").is_some());
    window.click_room("general");
    assert!(!shown(&window) && chat(&window));
}

#[test]
fn long_and_hostile_names_are_shown_harmless() {
    let mut window = Window::online();
    let mut device = device(&window, "x", "kind\u{202E}dnik");
    device.spec.name = "very long ".repeat(40);
    device.spec.metrics[0].unit = "°C\u{200B}".into();
    list(&mut window, vec![device]);
    let row = rows(&window).remove(0);
    assert!(row.starts_with("very long") && row.contains('…') && row.contains("⟨U+200B⟩"), "{row}");
}

#[test]
fn a_line_with_gaps_and_absurd_values_can_be_drawn() {
    let mut window = Window::online();
    named(&mut window, &["Lathe"]);
    for value in [f64::NAN, 1.0, f64::NAN, 1e308, -1e308, f64::NAN, 2.0, 2.0, f64::NAN] {
        window.pass(1_000);
        read(&mut window, "Lathe", value);
    }
    let output = window.harness.output();
    let shapes = window.harness.ctx.tessellate(output.shapes.clone(), 1.0);
    let in_place = |vertex: &egui::epaint::Vertex| vertex.pos.x.is_finite() && vertex.pos.y.is_finite();
    let all_in_place = shapes.iter().all(|shape| match &shape.primitive {
        egui::epaint::Primitive::Mesh(mesh) => mesh.vertices.iter().all(in_place),
        egui::epaint::Primitive::Callback(_) => true,
    });
    assert!(all_in_place);
}

#[test]
fn what_is_gone_is_shown_no_more() {
    let mut window = Window::online();
    named(&mut window, &["Lathe", "Mill", "Pump"]);
    named(&mut window, &["Mill"]);
    assert_eq!(names(&window), ["Mill"]);
    named(&mut window, &[]);
    assert!(has(&window, "No devices yet"));
}

/// A device with these metrics and values.
fn with_values(window: &Window, name: &str, values: &[(&str, MetricType, Value)]) -> DeviceState {
    let mut state = device(window, name, "");
    let now = window.now().wall_ms;
    let metric_of = |name: &str, kind| Metric::new(MetricName::new(name).unwrap(), kind);
    state.spec.metrics = values.iter().map(|(name, kind, _)| metric_of(name, *kind)).collect();
    state.values = values
        .iter()
        .map(|(name, _, value)| LastValue {
            metric: MetricName::new(name).unwrap(),
            value: value.clone(),
            at: now - 1_000,
            received: now - 1_000,
        })
        .collect();
    state
}

#[test]
fn trouble_comes_first_without_being_asked_for() {
    let mut window = Window::online();
    named(&mut window, &["Adze", "Lathe", "Mill", "Pump", "Saw"]);
    for name in ["adze", "lathe", "mill", "pump", "saw"] {
        read(&mut window, name, 20.0);
    }
    assert_eq!(names(&window), ["Adze", "Lathe", "Mill", "Pump", "Saw"]);
    assert!(has(&window, "5 online"));
    window.pass(1_000);
    read(&mut window, "lathe", f64::NAN);
    let since = window.now().wall_ms;
    window.event(Event::Device(DeviceEvent::Presence {
        device: id("mill"),
        online: false,
        since,
        reason: String::new(),
    }));
    silent(&mut window, "saw");
    assert_eq!(names(&window), ["Saw", "Mill", "Lathe", "Adze", "Pump"]);
    assert!(has(&window, "1 silent, 1 offline, 1 faulty, 2 online"));
    window.fill("Filter devices", "faulty");
    assert_eq!(names(&window), ["Lathe"]);
    window.key(Key::Escape);
    read(&mut window, "lathe", 21.0);
    assert_eq!(names(&window), ["Saw", "Mill", "Adze", "Lathe", "Pump"]);
    choose(&mut window, "Sort:", "name");
    assert_eq!(names(&window), ["Adze", "Lathe", "Mill", "Pump", "Saw"]);
}

#[test]
fn words_are_shown_in_rows_and_found_by_the_filter_as_they_change() {
    let mut window = Window::online();
    let text = |text: &str| Value::Text(text.into());
    let devices = vec![
        with_values(&window, "Boiler", &[("mode", MetricType::Text, text("Heating up"))]),
        with_values(&window, "Gate", &[("lock", MetricType::Flag, Value::Flag(true))]),
        with_values(&window, "Tank", &[("level", MetricType::Number, Value::Number(42.5))]),
    ];
    list(&mut window, devices);
    assert_eq!(rows(&window)[0], "Boiler, last known, 1 s ago, mode Heating up");
    for (filter, expected) in
        [("heating", &["Boiler"][..]), ("42.5", &["Tank"]), ("on gate", &["Gate"]), ("level", &["Tank"])]
    {
        window.fill("Filter devices", filter);
        window.pass(300);
        assert_eq!(names(&window), expected, "{filter}");
    }
    window.fill("Filter devices", "idle");
    assert_eq!(names(&window), [""; 0]);
    let now = window.now().wall_ms;
    let values = vec![(MetricName::new("mode").unwrap(), text("idle"))];
    window.event(Event::Device(DeviceEvent::Readings(Readings::of(id("boiler"), now, now, values).into())));
    window.pass(300);
    assert_eq!(names(&window), ["Boiler"]);
}

#[test]
fn decimals_stay_while_a_value_changes() {
    let mut window = Window::online();
    let device = with_values(&window, "Tank", &[("level", MetricType::Number, Value::Number(42.25))]);
    list(&mut window, vec![device]);
    for (value, shown) in
        [(42.5, "42.50"), (43.0, "43.00"), (0.1 + 0.2, "0.30"), (1.125, "1.125"), (7.0, "7.000")]
    {
        let now = window.now().wall_ms;
        let values = vec![(MetricName::new("level").unwrap(), Value::Number(value))];
        window.event(Event::Device(DeviceEvent::Readings(Readings::of(id("tank"), now, now, values).into())));
        assert_eq!(rows(&window), [format!("Tank, online, level {shown}")]);
    }
}

#[test]
fn twenty_devices_fit_into_a_window_of_800_points() {
    for (width, height) in [(1_280.0, 800.0), (780.0, 800.0)] {
        let mut window = Window::sized(width, height);
        if width < 800.0 {
            window.click("Devices");
        }
        let many: Vec<String> = (1..=60).map(|n| format!("Pump {n}")).collect();
        named(&mut window, &many.iter().map(String::as_str).collect::<Vec<_>>());
        let table = window.harness.query_by_role_and_label(Role::Table, "List of devices");
        let list = window.harness.query_by_role_and_label(Role::List, "List of devices");
        let list = table.or(list).unwrap().rect();
        let items = window.harness.query_all_by_role(Role::ListItem);
        let whole = items.chain(window.harness.query_all_by_role(Role::Row));
        let whole = whole
            .filter(|row| list.contains(row.rect().left_top()) && list.contains(row.rect().right_bottom()));
        let count = whole.count();
        assert!(count >= 20, "{width}x{height}: {count}");
    }
}

/// The window with the devices alone, so wide that they are in a table.
fn table() -> Window {
    let mut window = Window::sized(1_280.0, 800.0);
    window.click("Devices");
    window
}

/// The names of a table's devices, from top to bottom.
fn table_names(window: &Window) -> Vec<String> {
    let mut rows: Vec<_> = window
        .harness
        .query_all_by_role(Role::Row)
        .map(|row| (row.rect().top(), row.accesskit_node().label().unwrap_or_default()))
        .collect();
    rows.sort_by(|a, b| a.0.total_cmp(&b.0));
    rows.iter().map(|(_, label)| label.split(',').next().unwrap_or("").to_owned()).collect()
}

/// The columns of a table, from left to right.
fn columns(window: &Window) -> Vec<String> {
    let mut columns: Vec<_> = window
        .harness
        .query_all_by_role(Role::ColumnHeader)
        .map(|column| (column.rect().left(), column.accesskit_node().label().unwrap_or_default()))
        .collect();
    columns.sort_by(|a, b| a.0.total_cmp(&b.0));
    columns.into_iter().map(|(_, label)| label).collect()
}

fn fleet(window: &mut Window) {
    let number = |value| Value::Number(value);
    let kind = MetricType::Number;
    let devices = vec![
        with_values(window, "Boiler", &[("flow", kind, number(3.0)), ("heat", kind, number(80.0))]),
        with_values(window, "Chiller", &[("flow", kind, number(10.0)), ("cold", kind, number(4.0))]),
        with_values(window, "Dryer", &[("flow", kind, number(2.0)), ("heat", kind, number(60.0))]),
    ];
    list(window, devices);
}

#[test]
fn a_wide_pane_has_a_table_that_is_sorted_by_its_headers() {
    let mut window = table();
    fleet(&mut window);
    assert!(window.harness.query_by_role_and_label(Role::Table, "List of devices").is_some());
    assert_eq!(columns(&window), ["Name", "Status", "flow", "heat", "cold"]);
    assert_eq!(table_names(&window), ["Boiler", "Chiller", "Dryer"]);
    let header = |window: &mut Window, name: &str| {
        window.harness.get_by_role_and_label(Role::ColumnHeader, name).click();
        window.run();
        window.harness.hover_at(Pos2::new(10.0, 790.0));
        window.pass(300);
    };
    header(&mut window, "flow");
    assert_eq!(table_names(&window), ["Dryer", "Boiler", "Chiller"]);
    header(&mut window, "flow");
    assert_eq!(table_names(&window), ["Chiller", "Boiler", "Dryer"]);
    // What has no value is last, whichever way it goes.
    header(&mut window, "heat");
    assert_eq!(table_names(&window), ["Dryer", "Boiler", "Chiller"]);
    header(&mut window, "heat");
    assert_eq!(table_names(&window), ["Boiler", "Dryer", "Chiller"]);
    // New values are sorted too.
    let now = window.now().wall_ms;
    let values = vec![(MetricName::new("heat").unwrap(), Value::Number(99.0))];
    window.event(Event::Device(DeviceEvent::Readings(Readings::of(id("dryer"), now, now, values).into())));
    window.pass(300);
    window.pass(300);
    assert_eq!(table_names(&window), ["Dryer", "Boiler", "Chiller"]);
    header(&mut window, "Name");
    assert_eq!(table_names(&window), ["Boiler", "Chiller", "Dryer"]);
    window.check_names();
}

#[test]
fn columns_are_chosen_from_a_menu_and_kept() {
    let mut window = table();
    fleet(&mut window);
    window.intents();
    window.click("Choose columns");
    window.fill("Search columns", "he");
    assert!(window.harness.query_by_role_and_label(Role::CheckBox, "cold  (1)").is_none());
    window.harness.get_by_role_and_label(Role::CheckBox, "heat  (2)").click();
    window.run();
    assert_eq!(columns(&window), ["Name", "Status", "flow", "cold"]);
    let kept = window.intents().into_iter().rev().find_map(|intent| match intent {
        Intent::App(AppIntent::KeepPanes(panes)) => panes.devices.tables.into_iter().next(),
        _ => None,
    });
    let names: Vec<String> = vec!["flow".into(), "cold".into()];
    assert_eq!(kept.and_then(|table| table.columns), Some(names));
    window.click("Reset columns");
    assert_eq!(columns(&window), ["Name", "Status", "flow", "heat", "cold"]);
}

#[test]
fn values_without_a_column_of_their_own_are_shown_with_their_names() {
    let mut window = table();
    let kind = MetricType::Number;
    let names: Vec<Vec<String>> =
        (0..6).map(|device| (0..3).map(|metric| format!("m{device}-{metric}")).collect()).collect();
    let devices = names.iter().enumerate().map(|(at, names)| {
        let mut values: Vec<_> = names.iter().map(|name| (name.as_str(), kind, Value::Number(1.0))).collect();
        values.push(("shared", kind, Value::Number(2.0)));
        with_values(&window, &format!("Box {at}"), &values)
    });
    let devices = devices.collect();
    list(&mut window, devices);
    assert_eq!(columns(&window), ["Name", "Status", "shared", "Values"]);
    let row = window.harness.get_by_label_contains("Box 3,").accesskit_node().label().unwrap();
    assert!(row.contains("shared 2") && row.contains("m3-0 1"), "{row}");
    // What is chosen is shown as it was chosen.
    window.click("Choose columns");
    window.fill("Search columns", "m3-1");
    window.harness.get_by_role_and_label(Role::CheckBox, "m3-1  (1)").click();
    window.run();
    assert_eq!(columns(&window), ["Name", "Status", "shared", "m3-1"]);
}

#[test]
fn a_pointer_that_was_left_on_the_list_does_not_hide_trouble() {
    let mut window = Window::online();
    named(&mut window, &["Lathe", "Mill", "Pump"]);
    for name in ["lathe", "mill", "pump"] {
        read(&mut window, name, 1.0);
    }
    let at = window.harness.get_by_label_contains("Lathe,").rect().center();
    window.harness.hover_at(at);
    window.run();
    window.pass(1_000);
    silent(&mut window, "pump");
    assert_eq!(names(&window), ["Lathe", "Mill", "Pump"]);
    assert!(window.next_deadline().is_some_and(|next| next <= window.now().boot_ms + 10_001));
    // Frames of a test are a quarter of a second apart.
    for _ in 0..44 {
        window.harness.step();
    }
    window.run();
    assert_eq!(names(&window), ["Pump", "Lathe", "Mill"]);
}

#[test]
fn how_devices_are_shown_is_chosen_by_hand_too() {
    let mut window = table();
    fleet(&mut window);
    assert_eq!(columns(&window).len(), 5);
    choose(&mut window, "View:", "list");
    assert_eq!(columns(&window), [""; 0]);
    assert_eq!(names(&window), ["Boiler", "Chiller", "Dryer"]);
    choose(&mut window, "View:", "cards");
    assert_eq!(names(&window).len(), 3);
    let card = |window: &Window, name: &str| window.harness.get_by_label_contains(name).rect();
    let (first, second) = (card(&window, "Boiler,"), card(&window, "Chiller,"));
    assert!((first.top() - second.top()).abs() < 1.0 && first.right() <= second.left());
    choose(&mut window, "View:", "table");
    assert_eq!(columns(&window).len(), 5);
}

#[test]
fn a_very_wide_pane_has_cards_that_the_arrows_walk_in_both_ways() {
    let mut window = Window::sized(2_560.0, 900.0);
    window.click("Devices");
    let many: Vec<String> = (1..=40).map(|n| format!("Pump {n}")).collect();
    named(&mut window, &many.iter().map(String::as_str).collect::<Vec<_>>());
    let list = window.harness.get_by_role_and_label(Role::List, "List of devices").rect();
    let cards: Vec<_> = window
        .harness
        .query_all_by_role(Role::ListItem)
        .map(|card| card.rect())
        .filter(|card| list.contains(card.center()))
        .collect();
    let right = cards.iter().map(|card| card.right()).fold(0.0, f32::max);
    assert!(list.right() - right < 60.0, "the pane is used: {right} of {list:?}");
    window.harness.get_by_label("Filter devices").focus();
    window.run();
    let mut at = |key| {
        window.key(key);
        let mut all = window.harness.query_all_by_role(Role::ListItem);
        let chosen = all.find(|row| {
            row.accesskit_node().is_selected() == Some(true)
                && row.accesskit_node().label().is_some_and(|label| label.starts_with("Pump"))
        });
        chosen.map(|row| {
            row.accesskit_node().label().unwrap_or_default().split(',').next().unwrap_or("").to_owned()
        })
    };
    assert_eq!(at(Key::ArrowDown).as_deref(), Some("Pump 1"));
    assert_eq!(at(Key::ArrowRight).as_deref(), Some("Pump 2"));
    let below = at(Key::ArrowDown).unwrap();
    assert!(below.strip_prefix("Pump ").unwrap().parse::<usize>().unwrap() > 3, "{below}");
    assert_eq!(at(Key::ArrowUp).as_deref(), Some("Pump 2"));
    assert_eq!(at(Key::ArrowLeft).as_deref(), Some("Pump 1"));
}

#[test]
fn rows_say_where_they_stand_in_the_list() {
    let mut window = Window::online();
    named(&mut window, &["Lathe", "Mill", "Pump"]);
    let row = window.harness.get_by_label_contains("Mill,");
    let node = row.accesskit_node();
    assert_eq!((node.data().position_in_set(), node.data().size_of_set()), (Some(1), Some(3)));
}

#[test]
fn letters_typed_in_the_list_go_to_the_filter() {
    let mut window = Window::online();
    named(&mut window, &["Lathe", "Mill", "Pump"]);
    window.harness.get_by_label("Filter devices").focus();
    window.run();
    window.key(Key::ArrowDown);
    window.type_text("m");
    window.type_text("i");
    assert_eq!(names(&window), ["Mill"]);
}

fn chosen(window: &mut Window, changes: &[(&str, DeviceChange)]) {
    let mut choices = DeviceChoices::default();
    for (device, change) in changes {
        assert!(choices.change(crate::support::CONNECTION, id(device), change.clone()));
    }
    window.update(Update::Choices(ChoicesUpdate::Devices(choices)));
}

#[test]
fn pinned_devices_stand_first_even_before_trouble() {
    let mut window = Window::online();
    named(&mut window, &["Adze", "Lathe", "Mill"]);
    for name in ["adze", "lathe", "mill"] {
        read(&mut window, name, 1.0);
    }
    window.pass(1_000);
    silent(&mut window, "mill");
    assert_eq!(names(&window), ["Mill", "Adze", "Lathe"]);
    chosen(&mut window, &[("lathe", DeviceChange::Pinned(true))]);
    assert_eq!(names(&window), ["Lathe", "Mill", "Adze"]);
    for heading in ["Pinned", "Other devices"] {
        assert!(window.harness.query_by_role_and_label(Role::Heading, heading).is_some(), "{heading}");
    }
    chosen(&mut window, &[]);
    assert_eq!(names(&window), ["Mill", "Adze", "Lathe"]);
    assert!(window.harness.query_by_role_and_label(Role::Heading, "Pinned").is_none());
}

#[test]
fn hidden_devices_are_left_out_and_counted_until_they_are_asked_for() {
    let mut window = Window::online();
    named(&mut window, &["Adze", "Lathe"]);
    read(&mut window, "adze", 1.0);
    read(&mut window, "lathe", 1.0);
    chosen(&mut window, &[("lathe", DeviceChange::Hidden(true))]);
    assert_eq!(names(&window), ["Adze"]);
    assert!(has(&window, "1 online"));
    window.click("1 hidden");
    assert_eq!(names(&window), ["Adze", "Lathe"]);
    window.click("Showing 1 hidden");
    assert_eq!(names(&window), ["Adze"]);
    chosen(&mut window, &[("lathe", DeviceChange::Hidden(true)), ("adze", DeviceChange::Hidden(true))]);
    assert!(has(&window, "All devices are hidden."));
    window.click("Show hidden devices");
    assert_eq!(names(&window), ["Adze", "Lathe"]);
}

#[test]
fn a_persons_own_names_and_groups_are_listed_and_found() {
    let mut window = Window::online();
    named(&mut window, &["Adze", "Lathe", "Mill"]);
    chosen(
        &mut window,
        &[("mill", DeviceChange::Group("Cellar".into())), ("adze", DeviceChange::Name("Zoe".into()))],
    );
    assert_eq!(names(&window), ["Mill", "Lathe", "Zoe ·adze"]);
    assert!(window.harness.query_by_role_and_label(Role::Heading, "Cellar").is_some());
    for (filter, expected) in [("cellar", "Mill"), ("zoe", "Zoe ·adze"), ("adze", "Zoe ·adze")] {
        window.fill("Filter devices", filter);
        assert_eq!(names(&window), [expected], "{filter}");
    }
}
