//! Every view as a screen reader meets it: everything that can be pressed, typed in or moved has a name, a role and a
//! value, in both languages; what happens by itself is said, and what happens all the time is not.

use duplex::model::banner::Banner;
use duplex::model::device::{
    DeviceId, DeviceState, LastValue, Metric, MetricName, MetricType, Readings, Spec, Value,
};
use duplex::model::event::{
    ChatEvent, ChoicesUpdate, DeviceEvent, Event, LinkEvent, LogEvent, SetupUpdate, Update,
};
use duplex::model::id::ConnectionId;
use duplex::model::link_state::{LinkState, Why};
use duplex::model::log::{Note, Passed, Way};
use duplex::model::message::Delivery;
use duplex::model::preferences::Motion;
use duplex::model::profile::Profile;
use duplex::model::time::WallMs;
use duplex::model::{LanguageChoice, Preferences};
use duplex::ui::theme;
use egui::accesskit::{Action, Live, Role};
use egui::{Key, Modifiers};
use egui_kittest::kittest::{NodeT, Queryable};

use crate::support::{CONNECTION, Window, message, profile};

/// Words that stand in every language as they are: names, units, keys, what servers and people wrote.
const NAMES: &[&str] = &[
    "MQTT",
    "STOMP",
    "Socket.IO",
    "general",
    "Workshop",
    "message that waits",
    "store",
    "MIT",
    "Delete",
    "Apache",
    "--data-dir",
    "workshop",
    "Home",
    "Other",
    "mina",
    "me",
    "Lathe",
    "lathe",
    "temperature",
    "target",
    "light",
    "mode",
    "eco",
    "full",
    "Duplex",
    "WebSocket",
    "English",
    "hub.example",
    "wss://",
    "ws://",
    "tungstenite",
    "ewebsock",
    "GiB",
    "MiB",
    "KiB",
    "message",
    "send",
    "readings",
    "body",
    "type",
    "online",
    "PEM",
    "SHA-256",
    "Enter",
    "Ctrl",
    "Shift",
    "Mac",
    "Command",
    "Alt",
    "Esc",
    "Menu",
    "Page Up",
    "Page Down",
    "Home",
    "End",
    "F1",
    "ms",
    "machine",
    "firmware",
    "JSON",
    "TLS",
];

fn name(text: &str) -> MetricName {
    MetricName::new(text).unwrap()
}

fn lathe() -> DeviceId {
    DeviceId::new("lathe").unwrap()
}

/// A machine with a reading, and one property of each kind that can be set.
fn device(window: &Window) -> DeviceState {
    let now = window.now().wall_ms;
    let mut spec = Spec::unannounced(lathe());
    spec.name = "Lathe".into();
    spec.kind = "machine".into();
    let writable = |text, kind| Metric { writable: true, ..Metric::new(name(text), kind) };
    spec.metrics = vec![
        Metric { unit: "°C".into(), ..Metric::new(name("temperature"), MetricType::Number) },
        Metric { min: Some(0.0.into()), max: Some(90.0.into()), ..writable("target", MetricType::Number) },
        writable("light", MetricType::Flag),
        Metric { options: vec!["eco".into(), "full".into()], ..writable("mode", MetricType::Enum) },
    ];
    let value = |text, value| LastValue { metric: name(text), value, at: now, received: now };
    DeviceState {
        spec,
        incarnation: 1,
        online: true,
        since: now - 60_000,
        reason: String::new(),
        heard: Some(now - 1_000),
        every_ms: Some(1_000),
        values: vec![
            value("temperature", Value::Number(21.5)),
            value("target", Value::Number(40.0)),
            value("light", Value::Flag(true)),
            value("mode", Value::Text("eco".into())),
        ],
    }
}

fn read(window: &mut Window, value: f64) {
    let now = window.now().wall_ms;
    let values = vec![(name("temperature"), Value::number(value))];
    window.event(Event::Device(DeviceEvent::Readings(Readings::of(lathe(), now, now, values).into())));
}

/// A window with something of everything in it.
fn furnished(width: f32, height: f32, language: LanguageChoice) -> Window {
    let mut window = Window::sized(width, height);
    window.update(Update::Choices(ChoicesUpdate::Preferences(Preferences {
        language,
        ..Preferences::default()
    })));
    window.entries(1..=3, true);
    window.event(Event::Chat(ChatEvent::Entries {
        entries: vec![message(4, "general", "me", "message by me")],
        live: true,
    }));
    window.queue("message that waits", Delivery::Pending, -60_000);
    window.welcome(4, &["general", "workshop"]);
    let devices = vec![device(&window)];
    window.event(Event::Device(DeviceEvent::Listed { devices, started: WallMs(0), more: false }));
    read(&mut window, 22.0);
    window
}

/// Puts a window into a state.
type Step = fn(&mut Window);

/// Every view and state worth a look, by the names that only those who read this need.
const STATES: &[(&str, Step)] = &[
    ("as it opens", |_| {}),
    ("settings", |window| window.key_with(Modifiers::COMMAND, Key::Comma)),
    ("shortcuts", |window| window.key(Key::F1)),
    ("a new connection", |window| window.key_with(Modifiers::COMMAND | Modifiers::SHIFT, Key::N)),
    ("the connection log", |window| {
        window.key_with(Modifiers::COMMAND | Modifiers::SHIFT, Key::L);
        window.event(Event::Log(LogEvent::Watched(true)));
        let text = r#"{"type":"send","body":"message"}"#;
        let passed = Passed {
            way: Way::Sent,
            bytes: text.len(),
            kind: "send".into(),
            binary: false,
            counts: None,
            text: text.into(),
            cut: false,
        };
        window.event(Event::Log(LogEvent::Passed(Box::new(passed))));
        window.event(Event::Log(LogEvent::Note(Note::State { text: "online".into(), why: None })));
        window.key(Key::ArrowUp);
        window.key(Key::Enter);
    }),
    ("a device's page", |window| window.open_device(lathe())),
    ("a device's page without a link", |window| {
        window.open_device(lathe());
        window.link(LinkState::Waiting {
            attempt: 3,
            retry_at: window.now().boot_ms + 9_000,
            down_since: window.now().boot_ms.before(5_000),
            why: Why::ConnectionRefused,
        });
    }),
    ("stopped", |window| {
        window.link(LinkState::Stopped { why: Why::Unauthorized });
        window.pass(2_000);
    }),
    ("banners and first steps", |window| {
        window.update(Update::Banner(Banner::DiskFull));
        window.update(Update::Banner(Banner::Restarted));
        window.update(Update::Setup(SetupUpdate::FirstSteps(true)));
    }),
    ("a room without messages", |window| window.key_with(Modifiers::ALT, Key::ArrowDown)),
    ("no connection", |window| window.update(Update::Setup(SetupUpdate::Removed(CONNECTION)))),
];

/// Everything there is, with what is said of it.
fn nodes(window: &Window) -> Vec<(Role, String, String)> {
    let nodes = window.harness.root().children_recursive();
    let said = |node: egui_kittest::Node<'_>| {
        let node = node.accesskit_node();
        let name = node.label().unwrap_or_default();
        let rest = [node.value(), node.description()].into_iter().flatten().collect::<Vec<_>>().join("\n");
        (node.role(), name, rest)
    };
    nodes.map(said).collect()
}

#[test]
fn everything_that_can_be_used_has_a_name_in_every_state_size_and_language() {
    for language in [LanguageChoice::English, LanguageChoice::Korean] {
        for (width, height) in [(1_200.0, 800.0), (480.0, 600.0)] {
            for (state, step) in STATES {
                let mut window = furnished(width, height, language);
                step(&mut window);
                window.check_names();
                let place = format!("{state}, {language:?}, {width}");
                for node in window.harness.root().children_recursive() {
                    let node = node.accesskit_node();
                    let acts = [Action::Click, Action::SetValue, Action::Increment, Action::Decrement];
                    let is_used = acts.iter().any(|action| node.data().supports_action(*action));
                    let is_named = node.label().is_some_and(|label| !label.trim().is_empty());
                    let is_frame = matches!(
                        node.role(),
                        Role::GenericContainer
                            | Role::ScrollBar
                            | Role::ScrollView
                            | Role::Pane
                            | Role::Label
                    );
                    assert!(
                        !is_used || is_named || is_frame,
                        "{place}: {:?} {:?}",
                        node.role(),
                        node.raw_bounds()
                    );
                    let has_value = node.value().is_some() || node.numeric_value().is_some();
                    match node.role() {
                        Role::CheckBox | Role::RadioButton | Role::Switch => {
                            assert!(
                                node.toggled().is_some(),
                                "{place}: {:?} says not whether it is on",
                                node.label()
                            );
                        }
                        Role::Slider | Role::SpinButton | Role::Splitter => {
                            assert!(has_value, "{place}: {:?} says not where it stands", node.label());
                        }
                        Role::Image => assert!(is_named, "{place}: a picture says nothing"),
                        Role::Unknown => panic!("{place}: {:?} has no role", node.label()),
                        _ => {}
                    }
                }
            }
        }
    }
}

#[test]
fn nothing_is_said_in_english_where_korean_is_spoken() {
    let mut faults = Vec::new();
    for (state, step) in STATES {
        let mut window = furnished(1_200.0, 800.0, LanguageChoice::Korean);
        step(&mut window);
        for (role, label, rest) in nodes(&window) {
            // What was sent and received is shown as it passed.
            if matches!(role, Role::TextRun) || rest.contains("{\n") || label.contains('{') {
                continue;
            }
            for text in [label, rest] {
                let mut left = text.clone();
                let mut names = NAMES.to_vec();
                names.sort_by_key(|name| std::cmp::Reverse(name.len()));
                for name in names {
                    left = left.replace(name, "");
                }
                let english = left.split(|c: char| !c.is_ascii_alphabetic()).find(|word| word.len() > 2);
                faults.extend(english.map(|english| format!("{state}: {role:?} {text:?}: {english}")));
            }
        }
    }
    faults.sort();
    faults.dedup();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// What is said by itself: `Live::Polite` or `Live::Assertive`.
fn announced(window: &Window, live: Live) -> Vec<String> {
    let nodes = window.harness.root().children_recursive();
    let said = nodes.filter(|node| node.accesskit_node().live() == live);
    said.filter_map(|node| node.accesskit_node().label()).collect()
}

#[test]
fn messages_by_others_are_said_and_a_flood_is_counted() {
    let mut window = Window::online();
    window.entries(1..=2, true);
    window.pass(5_000);
    window.event(Event::Chat(ChatEvent::Entries {
        entries: vec![message(3, "general", "mina", "the boiler is hot")],
        live: true,
    }));
    assert!(announced(&window, Live::Polite).contains(&"mina: the boiler is hot".into()));
    // Many at once are one announcement, a moment later.
    window.entries(4..=40, true);
    let said = announced(&window, Live::Polite);
    assert!(said.contains(&"mina: the boiler is hot".into()), "{said:?}");
    window.pass(3_000);
    let said = announced(&window, Live::Polite);
    assert!(said.contains(&"37 new messages. mina: message 40".into()), "{said:?}");
    // Nobody is told of what they wrote themselves, and of what is replayed.
    window.pass(5_000);
    window.event(Event::Chat(ChatEvent::Entries {
        entries: vec![message(41, "general", "me", "mine")],
        live: true,
    }));
    window.entries(42..=43, false);
    assert_eq!(announced(&window, Live::Polite), said);
}

#[test]
fn readings_are_never_announced() {
    let mut window = furnished(1_200.0, 800.0, LanguageChoice::English);
    window.open_device(lathe());
    window.pass(5_000);
    let before = (announced(&window, Live::Polite), announced(&window, Live::Assertive));
    for n in 0..50 {
        read(&mut window, 20.0 + f64::from(n));
        window.pass(20);
    }
    assert_eq!((announced(&window, Live::Polite), announced(&window, Live::Assertive)), before);
}

#[test]
fn what_cannot_wait_interrupts() {
    let mut window = Window::online();
    window.update(Update::Setup(SetupUpdate::Configured(Box::new(Profile {
        id: ConnectionId(4),
        name: "Other".into(),
        ..profile()
    }))));
    let tell = |window: &mut Window, state| {
        window.update(Update::Connection(ConnectionId(4), Event::Link(LinkEvent::State(state))))
    };
    tell(&mut window, LinkState::Online { since: WallMs(0), rtt_ms: None });
    assert_eq!(announced(&window, Live::Assertive), [""; 0]);
    let now = window.now().boot_ms;
    let why = Why::ConnectionRefused;
    tell(&mut window, LinkState::Waiting { attempt: 1, retry_at: now + 60_000, down_since: now, why });
    assert_eq!(announced(&window, Live::Assertive), [""; 0], "a blink is no news");
    window.pass(1_500);
    assert_eq!(announced(&window, Live::Assertive), ["Other: Waiting"]);
    tell(&mut window, LinkState::Online { since: WallMs(0), rtt_ms: None });
    assert_eq!(announced(&window, Live::Assertive), ["Other: Online"]);
    // The open connection's trouble, and what stands above everything.
    window.link(LinkState::Stopped { why: Why::Forbidden });
    window.pass(1_500);
    window.update(Update::Banner(Banner::DiskFull));
    let said = announced(&window, Live::Assertive).join("\n");
    assert!(said.contains("The disk is full") && said.contains("isn't allowed"), "{said}");
}

#[test]
fn no_nul_reaches_a_field_or_the_accessibility_bus() {
    let mut window = furnished(1_280.0, 800.0, LanguageChoice::English);
    window.paste("a\0b");
    window.type_text("\0c");
    window.ime_preedit("\0");
    window.ime_commit("\0한");
    assert_eq!(window.message_text(), "abc한");
    let mut device = device(&window);
    let note = Metric { writable: true, ..Metric::new(name("note"), MetricType::Text) };
    let (at, value) = (window.now().wall_ms, Value::Text("sto\0re".into()));
    device.values.push(LastValue { metric: note.name.clone(), value, at, received: at });
    device.spec.metrics.push(note);
    window.event(Event::Device(DeviceEvent::Listed {
        devices: vec![device],
        started: WallMs(0),
        more: false,
    }));
    window.open_device(lathe());
    window.run();
    let texts = nodes(&window);
    let fields = texts.iter().filter(|(role, ..)| *role == Role::TextInput);
    assert!(fields.into_iter().any(|(_, _, value)| value.starts_with("sto re")), "{texts:?}");
    assert!(texts.iter().all(|(_, label, value)| !label.contains('\0') && !value.contains('\0')));
}

/// How many marks of the keyboard's focus are painted: lines of two points in the accent's colour around something.
fn focus_marks(window: &Window) -> usize {
    let is_mark = |shape: &egui::Shape| match shape {
        egui::Shape::Rect(rect) => {
            rect.stroke.width == 2.0
                && [theme::LIGHT.accent, theme::DARK.accent].contains(&rect.stroke.color)
                && rect.rect.width() > 20.0
        }
        _ => false,
    };
    window.harness.output().shapes.iter().filter(|clipped| is_mark(&clipped.shape)).count()
}

#[test]
fn a_click_marks_no_focus_and_the_keyboard_does() {
    let mut window = furnished(1_200.0, 800.0, LanguageChoice::English);
    window.key_with(Modifiers::COMMAND | Modifiers::SHIFT, Key::L);
    window.event(Event::Log(LogEvent::Watched(true)));
    window.event(Event::Log(LogEvent::Note(Note::State { text: "online".into(), why: None })));
    let click = |window: &mut Window, at: egui::Pos2| {
        let button = egui::PointerButton::Primary;
        window.harness.event(egui::Event::PointerMoved(at));
        for pressed in [true, false] {
            let modifiers = Modifiers::NONE;
            window.harness.event(egui::Event::PointerButton { pos: at, button, pressed, modifiers });
        }
        window.run();
    };
    let below = |rect: egui::Rect| egui::pos2(rect.center().x, rect.bottom() - 20.0);
    let devices = window.harness.get_by_role_and_label(Role::List, "List of devices").rect();
    let text = window.rect("message 2");
    let log = window.harness.get_by_role_and_label(Role::Region, "Connection log").rect();
    for at in [below(devices), text.center(), text.center() - egui::vec2(0.0, 60.0), log.center()] {
        click(&mut window, at);
        assert_eq!(focus_marks(&window), 0, "{at:?}");
        // What a shortcut does without moving the focus lights nothing up.
        window.key_with(Modifiers::COMMAND, Key::C);
        assert_eq!(focus_marks(&window), 0, "{at:?}, copied");
    }
    let rooms = window.harness.get_by_role_and_label(Role::ListItem, "workshop").rect();
    click(&mut window, rooms.center());
    assert_eq!(focus_marks(&window), 0);
    for stop in 0..6 {
        window.key(Key::F6);
        let types = window.harness.ctx.text_edit_focused();
        assert!(types || focus_marks(&window) > 0, "stop {stop} of the keyboard is not marked");
    }
}

#[test]
fn panes_are_landmarks_and_texts_above_others_are_headings() {
    let mut window = furnished(1_200.0, 800.0, LanguageChoice::English);
    window.key_with(Modifiers::COMMAND | Modifiers::SHIFT, Key::L);
    let root = window.harness.root();
    let window_name = root.accesskit_node().label().unwrap_or_default();
    assert!(window_name.ends_with("Duplex"), "{window_name}");
    let find = |window: &Window, role, name: &str| {
        let all = window.harness.root().children_recursive();
        let named = |node: &egui_kittest::Node<'_>| node.accesskit_node().label().as_deref() == Some(name);
        all.filter(|node| node.accesskit_node().role() == role).any(|node| named(&node))
    };
    for (role, name) in [
        (Role::Banner, "Connection"),
        (Role::Navigation, "Rooms"),
        (Role::Main, "Chat"),
        (Role::Complementary, "Devices"),
        (Role::Region, "Connection log"),
        (Role::List, "Rooms of Home"),
        (Role::Heading, "Home: Online"),
        (Role::Heading, "# general"),
        (Role::Heading, "Today"),
    ] {
        assert!(find(&window, role, name), "{role:?} {name}");
    }
    window.key_with(Modifiers::COMMAND, Key::F);
    assert!(find(&window, Role::Search, "Search in this room"));
}

#[test]
fn a_rooms_menu_is_a_menu_and_gives_the_focus_back() {
    let mut window = furnished(1_200.0, 800.0, LanguageChoice::English);
    let room =
        |window: &Window| window.harness.get_by_role_and_label(Role::ListItem, "workshop").is_focused();
    window.harness.get_by_role_and_label(Role::ListItem, "workshop").focus();
    window.run();
    window.key_with(Modifiers::SHIFT, Key::F10);
    window.harness.get_by_role_and_label(Role::Menu, "More for workshop");
    let radios = window.harness.get_all_by_role(Role::MenuItemRadio);
    let toggled: Vec<bool> = radios.map(|item| item.accesskit_node().toggled().is_some()).collect();
    assert_eq!(toggled, [true; 4]);
    let focused = |window: &Window| {
        let items = window.harness.get_all_by_role(Role::MenuItem);
        items.map(|item| item.is_focused()).position(|is| is)
    };
    assert_eq!(focused(&window), Some(0));
    window.key(Key::ArrowDown);
    assert_eq!(focused(&window), Some(1), "the arrow keys go along");
    window.key(Key::Escape);
    assert!(window.harness.query_by_role(Role::Menu).is_none());
    assert!(room(&window), "the focus is on the room again");
    // A connection's own, from its button: each row is one, and shows its keys.
    window.click("More for Home");
    let log = window.harness.get_by_role_and_label(Role::MenuItem, "Connection log");
    assert_eq!(log.accesskit_node().data().keyboard_shortcut(), Some("Ctrl+Shift+L"));
    window.harness.get_by_role_and_label(Role::MenuItem, "Remove connection");
    window.key(Key::Escape);
    assert!(window.harness.query_by_role(Role::Menu).is_none());
}

#[test]
fn dialogs_are_named_modal_and_keep_the_focus_until_they_are_closed() {
    let open: [(&str, Step); 6] = [
        ("Settings", |window| window.key_with(Modifiers::COMMAND, Key::Comma)),
        ("Keyboard shortcuts", |window| window.key(Key::F1)),
        ("Add connection", |window| window.key_with(Modifiers::COMMAND | Modifiers::SHIFT, Key::N)),
        ("Go to date", |window| window.key_with(Modifiers::COMMAND, Key::G)),
        ("Remove Home?", |window| {
            window.click("More for Home");
            window.click("Remove connection");
        }),
        ("Command palette", |window| window.key_with(Modifiers::COMMAND, Key::K)),
    ];
    for (width, height) in [(1_200.0, 800.0), (480.0, 360.0)] {
        for (title, open) in open {
            let mut window = furnished(width, height, LanguageChoice::English);
            if width < 800.0 && title == "Remove Home?" {
                window.key_with(Modifiers::COMMAND, Key::Num1);
            }
            open(&mut window);
            for tab in 0..40 {
                let dialog = window.harness.get_by_role(Role::Dialog);
                assert_eq!(dialog.accesskit_node().label().as_deref(), Some(title));
                assert!(dialog.accesskit_node().data().is_modal(), "{title}");
                let is_inside =
                    dialog.is_focused() || dialog.children_recursive().any(|node| node.is_focused());
                // After the last comes the first, by way of nothing at most.
                let nowhere = window.harness.ctx.memory(|memory| memory.focused()).is_none();
                let on = window.harness.root().children_recursive().find(|node| node.is_focused());
                let on = on.map(|node| (node.accesskit_node().role(), node.accesskit_node().label()));
                assert!(is_inside || (nowhere && tab > 0), "{title} at {width}: Tab {tab} leads to {on:?}");
                window.key(Key::Tab);
            }
            window.key(Key::Escape);
            assert!(window.harness.query_by_role(Role::Dialog).is_none(), "{title}");
        }
    }
}

#[test]
fn what_comes_by_itself_fades_in_unless_less_motion_is_wanted() {
    let shown = |reduced_motion, motion| {
        let mut window = Window::online();
        window.surround(duplex::ui::Surroundings { reduced_motion, ..Default::default() });
        window.update(Update::Choices(ChoicesUpdate::Preferences(Preferences {
            motion,
            ..Preferences::default()
        })));
        window.harness.state_mut().apply(Update::Banner(Banner::DiskFull));
        window.harness.step();
        let texts = window.harness.output().shapes.iter().filter_map(|clipped| match &clipped.shape {
            egui::Shape::Text(text) if text.galley.text().starts_with("The disk is full") => {
                let rows = text.galley.rows.iter();
                rows.flat_map(|row| &row.visuals.mesh.vertices).map(|vertex| vertex.color.a()).max()
            }
            _ => None,
        });
        let first = texts.max().expect("the banner is drawn at once");
        window.run();
        first
    };
    assert!(shown(false, Motion::System) < 255);
    assert!(shown(true, Motion::Full) < 255);
    assert_eq!(shown(true, Motion::System), 255);
    assert_eq!(shown(false, Motion::Reduced), 255);
}
