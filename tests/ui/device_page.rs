//! The page of one device, driven as a person or a screen reader would: by accessible names.

use std::sync::Arc;

use crate::support::{CONNECTION, Window, sender};
use duplex::model::device::{
    Command, CommandRefusal, CommandState, Control, DeviceId, DeviceLogEvent, DeviceState, LastValue,
    LogLine, Metric, MetricType, Readings, ShortName, Spec, Value,
};
use duplex::model::device_choices::{DeviceChange, DeviceChoices, ReadingChoice, ReadingChoices};
use duplex::model::event::{ChoicesUpdate, DeviceEvent, DiskUpdate, Event, Update};
use duplex::model::export::{Content, Export, ExportFailure, Exported, SavedFile};
use duplex::model::features::{Feature, Features};
use duplex::model::id::MessageId;
use duplex::model::intent::{AppIntent, DeviceIntent, Intent};
use duplex::model::link_state::{LinkState, Why};
use duplex::model::series::{Bucket, SeriesPage};
use duplex::model::states::StateChange;
use duplex::model::time::WallMs;
use egui::accesskit::{Role, Toggled};
use egui::{Key, PointerButton, Pos2};
use egui_kittest::kittest::{NodeT, Queryable};

fn name(text: &str) -> ShortName {
    ShortName::new(text).unwrap()
}

fn device() -> DeviceId {
    name("lathe")
}

fn writable(text: &str, kind: MetricType) -> Metric {
    Metric { writable: true, ..Metric::new(name(text), kind) }
}

/// A lathe: two temperatures, a speed, and one property of each kind to be set.
fn spec() -> Spec {
    let celsius = |text| Metric {
        unit: "°C".into(),
        precision: Some(1),
        ..Metric::new(name(text), MetricType::Number)
    };
    let mut spec = Spec::unannounced(device());
    spec.name = "Lathe".into();
    spec.kind = "machine".into();
    spec.expect_every_s = Some(1.0);
    spec.attributes.insert("firmware".into(), "1.4".into());
    spec.metrics = vec![
        celsius("temperature"),
        celsius("bearing"),
        Metric { unit: "rpm".into(), ..Metric::new(name("speed"), MetricType::Number) },
        Metric {
            unit: "°C".into(),
            min: Some(0.0.into()),
            max: Some(90.0.into()),
            ..writable("target", MetricType::Number)
        },
        writable("serial", MetricType::Number),
        writable("light", MetricType::Flag),
        Metric { options: vec!["eco".into(), "full".into()], ..writable("mode", MetricType::Enum) },
        writable("label", MetricType::Text),
        Metric { risky: true, ..writable("power", MetricType::Flag) },
    ];
    spec
}

struct Page {
    window: Window,
    incarnation: u64,
}

impl Page {
    fn opened() -> Page {
        Page::sized(1_200.0, 1_900.0)
    }

    fn sized(width: f32, height: f32) -> Page {
        let mut page = Page { window: Window::sized(width, height), incarnation: 7 };
        // In a test each frame is a quarter of a second: a press that sees three of them is a click still.
        page.window.harness.ctx.options_mut(|options| options.input_options.max_click_duration = 60.0);
        page.list();
        page.say(&[("temperature", Value::Number(21.46)), ("speed", Value::Number(1_200.0))]);
        page.window.open_device(device());
        page.window.run();
        page
    }

    fn state(&self) -> DeviceState {
        let now = self.window.now().wall_ms;
        let value =
            |text, value| LastValue { metric: name(text), value, at: now - 60_000, received: now - 60_000 };
        DeviceState {
            spec: spec(),
            incarnation: self.incarnation,
            online: true,
            since: now - 120_000,
            reason: String::new(),
            heard: Some(now - 60_000),
            every_ms: None,
            values: vec![
                value("target", Value::Number(40.0)),
                value("light", Value::Flag(false)),
                value("mode", Value::Text("eco".into())),
                value("label", Value::Text("old".into())),
                value("power", Value::Flag(true)),
            ],
        }
    }

    fn list(&mut self) {
        let devices = vec![self.state()];
        self.window.event(Event::Device(DeviceEvent::Listed { devices, started: WallMs(0), more: false }));
    }

    /// The device announces itself anew.
    fn reborn(&mut self) {
        self.incarnation += 1;
        let state = self.state();
        self.window.event(Event::Device(DeviceEvent::Announced(Box::new(state))));
    }

    fn say(&mut self, values: &[(&str, Value)]) {
        let now = self.window.now().wall_ms;
        self.say_at(now, now, values);
    }

    fn say_at(&mut self, at: WallMs, received: WallMs, values: &[(&str, Value)]) {
        let values = values.iter().map(|(metric, value)| (name(metric), value.clone())).collect();
        let readings = Readings::of(device(), at, received, values);
        self.window.event(Event::Device(DeviceEvent::Readings(Arc::new(readings))));
    }

    fn lose_link(&mut self) {
        let now = self.window.now().boot_ms;
        let why = Why::Silent;
        self.window.link(LinkState::Waiting { attempt: 1, retry_at: now + 60_000, down_since: now, why });
    }

    fn outcome(&mut self, property: &str, value: Value, state: CommandState) {
        let command = Command {
            id: MessageId::from_random([9; 16]),
            device: device(),
            property: name(property),
            value,
            by: sender("Mina"),
            at: self.window.now().wall_ms - 2_000,
            state,
        };
        self.window.event(Event::Device(DeviceEvent::Commanded(Box::new(command))));
    }

    /// The commands given since the last look: property, value, incarnation.
    fn commands(&mut self) -> Vec<(String, Value, u64)> {
        let all = self.window.intents().into_iter();
        all.filter_map(|intent| match intent {
            Intent::Device(DeviceIntent::Command {
                property,
                value,
                incarnation,
                connection,
                device: of,
            }) => {
                assert_eq!((connection, of), (CONNECTION, device()));
                Some((property.to_string(), value, incarnation))
            }
            _ => None,
        })
        .collect()
    }

    /// The parts of a past asked for since the last look.
    fn asked(&mut self) -> Vec<(String, WallMs, WallMs)> {
        let all = self.window.intents().into_iter();
        all.filter_map(|intent| match intent {
            Intent::Device(DeviceIntent::LoadSeries { metric, from, to, .. }) => {
                Some((metric.to_string(), from, to))
            }
            _ => None,
        })
        .collect()
    }

    fn answer(&mut self, asked: &[(String, WallMs, WallMs)], buckets: &[Bucket], step_ms: i64) {
        for (metric, from, to) in asked {
            let buckets = buckets.iter().filter(|b| (*from..*to).contains(&b.at)).copied().collect();
            let page = SeriesPage { from: *from, to: *to, step_ms, buckets };
            self.window.event(Event::Device(DeviceEvent::SeriesPaged {
                device: device(),
                metric: name(metric),
                page,
            }));
        }
    }

    /// The pasts of texts asked for since the last look.
    fn asked_in_words(&mut self) -> Vec<String> {
        let all = self.window.intents().into_iter();
        all.filter_map(|intent| match intent {
            Intent::Device(DeviceIntent::LoadStates { metric, device: of, connection }) => {
                assert_eq!((connection, of), (CONNECTION, device()));
                Some(metric.to_string())
            }
            _ => None,
        })
        .collect()
    }

    /// The disk holds these changes, each so many milliseconds ago; an empty one: it is not known from then on.
    fn answer_in_words(&mut self, metric: &str, changes: &[(i64, &str)]) {
        let now = self.window.now().wall_ms;
        let change = |(ago, text): &(i64, &str)| {
            let value = (!text.is_empty()).then(|| (*text).into());
            StateChange { at: now - *ago, value }
        };
        let changes = changes.iter().map(change).collect();
        self.window.event(Event::Device(DeviceEvent::States {
            device: device(),
            metric: name(metric),
            changes,
        }));
    }

    /// What a screen reader says of a strip.
    fn strip(&self, metric: &str) -> String {
        let name = format!("States of {metric},");
        let node = self.window.harness.get_by_label_contains(&name);
        node.accesskit_node().description().unwrap_or_default()
    }

    fn has(&self, label: &str) -> bool {
        self.window.harness.query_all_by_label(label).next().is_some()
    }

    fn has_text(&self, part: &str) -> bool {
        self.window.harness.root().children_recursive().any(|node| {
            let node = node.accesskit_node();
            [node.label(), node.value()].into_iter().flatten().any(|text| text.contains(part))
        })
    }

    fn point(&mut self, at: Pos2, pressed: bool) {
        self.window.harness.event(egui::Event::PointerMoved(at));
        let modifiers = egui::Modifiers::NONE;
        self.window.harness.event(egui::Event::PointerButton {
            pos: at,
            button: PointerButton::Primary,
            pressed,
            modifiers,
        });
        self.window.run();
    }

    /// Where a control of this name is: a text of the same name may stand beside it.
    fn control(&self, role: Role, label: &str) -> egui::Rect {
        self.window.harness.get_by_role_and_label(role, label).rect()
    }

    fn press(&mut self, role: Role, label: &str) {
        self.window.harness.get_by_role_and_label(role, label).click();
        self.window.run();
    }

    fn plot(&self) -> String {
        let node = self.window.harness.get_by_label_contains("Plot of temperature");
        node.accesskit_node().description().unwrap_or_default()
    }

    fn focus_plot(&mut self) {
        self.window.harness.get_by_label_contains("Plot of temperature").focus();
        self.window.run();
    }
}

fn bucket(at: WallMs, mean: f64) -> Bucket {
    Bucket { at, min: mean, mean, max: mean, count: 1, off: 0 }
}

#[test]
fn every_reading_says_what_it_is_and_how_far_to_believe_it() {
    let mut page = Page::opened();
    assert!(page.has("temperature 21.5 °C, live"));
    assert!(page.has("speed 1,200 rpm, live"));
    assert!(page.has("target 40 °C, last known"));
    assert!(page.has("bearing —, last known"));
    let now = page.window.now().wall_ms;
    page.window.event(Event::Device(DeviceEvent::Silent { device: device(), since: now }));
    assert!(page.has("temperature 21.5 °C, outdated"));
    assert!(page.has_text("silent since 1"));
    page.lose_link();
    assert!(page.has("temperature 21.5 °C, unknown"));
    page.window.check_names();
}

#[test]
fn a_clock_that_is_off_is_told() {
    let mut page = Page::opened();
    assert!(!page.has_text("Its clock"));
    let now = page.window.now().wall_ms;
    // One reading may have been held up on its way; a few are its clock.
    for n in 0..5 {
        page.say_at(now + n - 3_720_000, now + n, &[("temperature", Value::Number(20.0))]);
    }
    assert!(page.has_text("Its clock is 1 h 2 min behind."));
}

#[test]
fn a_number_is_set_by_typing_and_enter() {
    let mut page = Page::opened();
    page.press(Role::SpinButton, "target");
    page.window.key_with(egui::Modifiers::COMMAND, Key::A);
    page.window.type_text("55");
    assert_eq!(page.commands(), []);
    page.window.key(Key::Enter);
    assert_eq!(page.commands(), [("target".into(), Value::Number(55.0), 7)]);
    assert!(page.has("target 40 °C, last known"), "what the device says stays until it says otherwise");
}

#[test]
fn a_whole_number_is_shown_and_set_with_all_its_digits() {
    let mut page = Page::opened();
    page.say(&[("serial", Value::from(1_724_442_618_569_203_714_u64)), ("speed", Value::Number(1e15))]);
    page.window.run();
    assert!(page.has("serial 1,724,442,618,569,203,714, live"));
    assert!(page.has("speed 1,000,000,000,000,000 rpm, live"));
    let type_in = |page: &mut Page, property: &str, text: &str| {
        page.press(Role::SpinButton, property);
        page.window.key_with(egui::Modifiers::COMMAND, Key::A);
        page.window.type_text(text);
        page.window.key(Key::Enter);
        page.commands()
    };
    for (typed, whole) in [
        ("9007199254740993", 9_007_199_254_740_993),
        ("1724442618569203713", 1_724_442_618_569_203_713),
        ("18,446,744,073,709,551,615", i128::from(u64::MAX)),
        ("-9223372036854775807", i128::from(i64::MIN) + 1),
    ] {
        assert_eq!(type_in(&mut page, "serial", typed), [("serial".into(), Value::whole(whole).unwrap(), 7)]);
    }
    assert!(!page.has_text("Nothing was sent"));
    for (property, typed, says) in [
        ("serial", "18446744073709551616", "Whole numbers go from"),
        ("serial", "1e400", "Whole numbers go from"),
        ("serial", "twelve", "is not a number"),
        ("target", "91", "Enter a number from 0 °C to 90 °C"),
    ] {
        assert_eq!(type_in(&mut page, property, typed), [], "{typed}");
        assert!(page.has_text("Nothing was sent") && page.has_text(says), "{typed}");
    }
}

#[test]
fn a_number_is_set_when_the_slider_is_let_go() {
    let mut page = Page::opened();
    let rect = page.control(Role::Slider, "target, slider");
    page.point(rect.center(), true);
    page.window.harness.event(egui::Event::PointerMoved(rect.right_center()));
    page.window.run();
    assert_eq!(page.commands(), []);
    page.point(rect.right_center(), false);
    assert_eq!(page.commands(), [("target".into(), Value::Number(90.0), 7)]);
}

#[test]
fn a_switch_a_choice_and_a_text_are_set() {
    let mut page = Page::opened();
    page.press(Role::Switch, "light");
    assert_eq!(page.commands(), [("light".into(), Value::Flag(true), 7)]);
    let node = page.window.harness.get_by_role_and_label(Role::Switch, "light");
    assert_eq!(node.accesskit_node().toggled(), Some(Toggled::False), "never the wish");
    page.press(Role::ComboBox, "mode");
    page.window.click("full");
    assert_eq!(page.commands(), [("mode".into(), Value::Text("full".into()), 7)]);
    page.window.harness.get_by_role_and_label(Role::TextInput, "label").focus();
    page.window.run();
    page.window.key_with(egui::Modifiers::COMMAND, Key::A);
    page.window.type_text("new");
    page.press(Role::Button, "Set label to new");
    assert_eq!(page.commands(), [("label".into(), Value::Text("new".into()), 7)]);
}

#[test]
fn buttons_covers_and_colours_have_their_own_controls() {
    let mut page = Page::opened();
    let mut state = page.state();
    let options = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>();
    state.spec.metrics.extend([
        Metric {
            options: options(&["press"]),
            control: Some(Control::Button),
            write_only: true,
            ..writable("restart", MetricType::Enum)
        },
        Metric {
            options: options(&["open", "stop", "close"]),
            control: Some(Control::Cover),
            note: "it moves slowly".into(),
            ..writable("blind", MetricType::Enum)
        },
        Metric { control: Some(Control::Colour), ..writable("colour", MetricType::Text) },
        Metric {
            min: Some(7.0.into()),
            max: Some(30.0.into()),
            step: Some(0.5.into()),
            ..writable("heating", MetricType::Number)
        },
    ]);
    page.window.event(Event::Device(DeviceEvent::Announced(Box::new(state))));
    page.say(&[("blind", Value::Text("open".into())), ("colour", Value::Text("#FFA000".into()))]);
    page.press(Role::Button, "restart");
    assert_eq!(page.commands(), [("restart".into(), Value::Text("press".into()), 7)]);
    page.press(Role::Button, "blind: close");
    assert_eq!(page.commands(), [("blind".into(), Value::Text("close".into()), 7)]);
    assert!(page.has_text("it moves slowly"));
    page.window.harness.get_by_label("Pick colour");
    let field = page.window.harness.get_by_role_and_label(Role::TextInput, "colour");
    assert_eq!(field.value().as_deref(), Some("#FFA000"));
    // What only takes commands is no reading.
    let readings = page.window.harness.query_all_by_label_contains("restart");
    assert!(readings.into_iter().all(|node| node.accesskit_node().role() == Role::Button));
    page.window.check_names();
}

#[test]
fn what_became_of_a_command_is_told_at_its_control() {
    let mut page = Page::opened();
    let on = || Value::Flag(true);
    page.outcome("light", on(), CommandState::Pending);
    assert!(page.has_text("Turning on…"));
    for (state, said) in [
        (CommandState::Done, "Turned on, 2 s ago"),
        (
            CommandState::Failed { detail: "the bulb\u{202E} is gone".into() },
            "Couldn't turn on: failed: the bulb⟨U+202E⟩ is gone",
        ),
        (CommandState::Expired, "Couldn't turn on: the device didn't answer in time"),
        (
            CommandState::Refused { why: CommandRefusal::NotAllowed, detail: String::new() },
            "Couldn't turn on: you don't have permission",
        ),
    ] {
        // Each its own: what has ended stays as it ended.
        let mut page = Page::opened();
        page.outcome("light", on(), state);
        assert!(page.has_text(said), "{said}");
    }
}

#[test]
fn a_command_without_an_answer_is_unknown_when_the_link_goes() {
    let mut page = Page::opened();
    page.outcome("light", Value::Flag(true), CommandState::Pending);
    page.lose_link();
    assert!(page.has_text("Connection lost before the answer: may not have been done (turn on, 2 s ago)"));
}

#[test]
fn controls_are_locked_and_say_why_while_the_device_is_not_there() {
    let mut page = Page::opened();
    page.lose_link();
    let reason = "Controls are disabled: not connected to the server.";
    assert!(page.has_text(reason));
    let node = page.window.harness.get_by_role_and_label(Role::Switch, "light");
    assert_eq!(node.accesskit_node().description().as_deref(), Some(reason));
    assert!(node.accesskit_node().is_disabled());
    let at = node.rect().center();
    page.point(at, true);
    page.point(at, false);
    assert_eq!(page.commands(), []);
}

#[test]
fn what_is_risky_is_asked_once_more() {
    let mut page = Page::opened();
    page.press(Role::Switch, "power");
    assert!(page.has_text("Turn off power?"));
    assert!(page.has("It is on now. This control is marked as risky."));
    assert_eq!(page.commands(), []);
    page.window.click("Turn off");
    assert_eq!(page.commands(), [("power".into(), Value::Flag(false), 7)]);
    page.press(Role::Switch, "power");
    page.window.key(Key::Escape);
    assert!(!page.has_text("Turn off power?"));
    assert!(page.has("temperature 21.5 °C, live"), "Esc closed the question, not the page");
    assert_eq!(page.commands(), []);
}

#[test]
fn a_question_is_void_when_the_device_or_the_link_changed() {
    let voids: [fn(&mut Page); 3] = [Page::reborn, Page::lose_link, |page| {
        let now = page.window.now().wall_ms;
        page.window.event(Event::Device(DeviceEvent::Silent { device: device(), since: now }));
    }];
    for void in voids {
        let mut page = Page::opened();
        page.press(Role::Switch, "power");
        void(&mut page);
        assert!(!page.has_text("Turn off power?"));
        assert!(page.has_text("changed before you confirmed power"));
        assert_eq!(page.commands(), []);
    }
}

#[test]
fn a_touch_meant_for_another_life_of_the_device_sends_nothing() {
    let mut page = Page::opened();
    let at = page.control(Role::Switch, "light").center();
    page.point(at, true);
    page.say(&[("temperature", Value::Number(20.0))]);
    page.point(at, false);
    assert_eq!(page.commands(), [("light".into(), Value::Flag(true), 7)], "a slow touch is one");
    page.point(at, true);
    page.reborn();
    page.point(page.control(Role::Switch, "light").center(), false);
    assert_eq!(page.commands(), []);
    assert!(
        page.has_text("Nothing was sent: the device or its connection changed while you were using light.")
    );
    page.window.click("OK");
    page.press(Role::Switch, "light");
    assert_eq!(
        page.commands(),
        [("light".into(), Value::Flag(true), 8)],
        "the next one is for what is there now"
    );
}

#[test]
fn a_drag_across_another_life_of_the_device_sends_nothing() {
    let mut page = Page::opened();
    let rect = page.control(Role::Slider, "target, slider");
    page.point(rect.center(), true);
    page.window.harness.event(egui::Event::PointerMoved(rect.right_center()));
    page.window.run();
    page.reborn();
    page.point(rect.right_center(), false);
    assert_eq!(page.commands(), []);
    assert!(page.has_text("changed while you were using target"));
}

#[test]
fn a_switch_that_turned_by_itself_under_the_finger_is_not_turned_back() {
    let mut page = Page::opened();
    let at = page.control(Role::Switch, "light").center();
    page.point(at, true);
    page.say(&[("light", Value::Flag(true))]);
    page.point(at, false);
    assert_eq!(page.commands(), []);
    assert!(page.has_text("light changed while you were using it"));
}

#[test]
fn a_text_typed_for_another_life_is_kept_and_not_sent() {
    let mut page = Page::opened();
    page.window.harness.get_by_role_and_label(Role::TextInput, "label").focus();
    page.window.run();
    page.window.key_with(egui::Modifiers::COMMAND, Key::A);
    page.window.type_text("new");
    page.reborn();
    assert!(page.has_text("changed while you were using label"));
    assert_eq!(page.commands(), []);
    page.press(Role::Button, "Set label to new");
    assert_eq!(page.commands(), [("label".into(), Value::Text("new".into()), 8)]);
}

#[test]
fn the_past_is_asked_for_once_for_each_plotted_reading() {
    let mut page = Page::opened();
    let asked = page.asked();
    let names: Vec<&str> = asked.iter().map(|(name, ..)| name.as_str()).collect();
    assert_eq!(names, ["temperature", "bearing", "speed"]);
    page.window.pass(200);
    page.window.pass(2_000);
    assert_eq!(page.asked(), [], "one request is under way for each");
    page.answer(&asked, &[], 0);
    page.window.pass(2_000);
    assert_eq!(page.asked(), [], "and answered");
    page.window.click("Show 1 hour");
    page.window.pass(50);
    assert_eq!(page.asked(), [], "it may be passed by");
    page.window.pass(200);
    let asked = page.asked();
    assert_eq!(asked.len(), 3);
    assert!(asked.iter().all(|(_, from, to)| *to - *from >= 3_600_000), "{asked:?}");
}

#[test]
fn a_hole_is_shown_and_nothing_at_all_too() {
    let mut page = Page::opened();
    page.window.click("Plot bearing");
    let asked = page.asked();
    let now = page.window.now().wall_ms;
    let of = |range: std::ops::Range<i64>| range.map(move |n| bucket(now - n * 1_000, 20.0));
    let mut buckets: Vec<Bucket> = of(0..100).chain(of(160..2_000)).collect();
    buckets.reverse();
    page.answer(&asked, &buckets, 0);
    let said = page.plot();
    assert_eq!(said.matches("No data").count(), 1, "{said}");
    page.answer(&asked, &[], 0);
    assert!(page.plot().contains("No data"));
}

#[test]
fn what_comes_seldom_has_no_holes_between_its_values() {
    let mut page = Page::opened();
    page.window.click("Plot bearing");
    let asked = page.asked();
    page.answer(&asked, &[], 0);
    let now = page.window.now().wall_ms;
    for n in 1..12 {
        page.window.pass(20_000);
        page.say_at(now + n * 20_000, now + n * 20_000, &[("temperature", Value::Number(20.0))]);
    }
    let before = page.plot();
    assert_eq!(before.matches("No data").count(), 1, "before the first, and no more: {before}");
    page.window.pass(70_000);
    assert_eq!(page.plot().matches("No data").count(), 2, "{}", page.plot());
}

#[test]
fn a_plot_is_live_until_a_person_moves_it_and_again_when_they_say_so() {
    let mut page = Page::opened();
    assert!(page.has("Live") && !page.has("Back to live"));
    page.focus_plot();
    page.window.key(Key::ArrowLeft);
    assert!(page.has("Back to live"));
    page.window.intents();
    page.window.click("Back to live");
    assert!(!page.has("Back to live"));
    page.focus_plot();
    page.window.key(Key::ArrowLeft);
    page.window.key(Key::End);
    assert!(!page.has("Back to live"));
}

#[test]
fn what_is_moved_to_is_asked_for_when_it_is_not_here() {
    let mut page = Page::opened();
    let asked = page.asked();
    page.answer(&asked, &[], 0);
    page.window.pass(2_000);
    page.focus_plot();
    for _ in 0..12 {
        page.window.key(Key::ArrowLeft);
    }
    page.window.pass(200);
    let again = page.asked();
    assert_eq!(again.len(), 3);
    assert!(again[0].1 < asked[0].1, "{again:?}");
}

#[test]
fn a_reading_is_plotted_or_not_as_the_person_says() {
    let mut page = Page::opened();
    assert!(
        page.window.harness.query_by_label_contains("Plot of temperature, bearing,").is_some(),
        "one unit, one plot"
    );
    assert!(page.window.harness.query_by_label_contains("Plot of speed,").is_some());
    page.window.click("Plot speed");
    assert!(page.window.harness.query_by_label_contains("Plot of speed,").is_none());
    page.window.click("Plot light");
    assert!(page.window.harness.query_by_label_contains("Plot of light,").is_some());
}

#[test]
fn what_is_said_in_words_is_a_strip_with_how_long_it_said_what() {
    let mut page = Page::opened();
    page.window.intents();
    page.window.click("Plot mode");
    assert_eq!(page.asked_in_words(), ["mode"]);
    assert!(page.has_text("Loading…"));
    assert!(!page.strip("mode").contains("No data"), "it is not known yet: {}", page.strip("mode"));
    page.answer_in_words("mode", &[(120_000, "eco"), (90_000, "full"), (30_000, "eco")]);
    let said = page.strip("mode");
    assert!(said.starts_with("eco for 1 min. full for 1 min. No data "), "{said}");
    assert_eq!(said.matches("No data").count(), 1, "before the first, and no more: {said}");
    page.answer_in_words("mode", &[(7_200_000, "eco"), (90_000, ""), (30_000, "full")]);
    page.window.pass(2_000);
    assert_eq!(page.asked_in_words(), [""; 0], "it is asked for once");
    page.window.check_names();
    page.window.click("Plot mode");
    assert!(page.window.harness.query_by_label_contains("States of").is_none());
}

#[test]
fn a_change_is_seen_at_once_and_then_the_disk_is_asked_what_else_there_was() {
    let mut page = Page::opened();
    page.say(&[("mode", Value::Text("eco".into()))]);
    page.window.click("Plot mode");
    page.answer_in_words("mode", &[(60_000, "full"), (20_000, "eco")]);
    page.window.intents();
    page.window.pass(10_000);
    page.say(&[("mode", Value::Text("full".into()))]);
    page.window.pass(5_000);
    let said = page.strip("mode");
    assert!(said.starts_with("full for 45 s. eco for 30 s."), "{said}");
    assert_eq!(page.asked_in_words(), ["mode"]);
    page.answer_in_words("mode", &[(75_000, "full"), (35_000, "eco"), (5_000, "full")]);
    assert_eq!(page.strip("mode"), said, "nothing is told twice");
    // Between two frames it was something else: nobody saw how long.
    page.window.pass(5_000);
    let now = page.window.now().wall_ms;
    page.window.apply(Event::Device(DeviceEvent::Readings(Arc::new(Readings::of(
        device(),
        now - 4_000,
        now,
        vec![(name("mode"), Value::Text("eco".into()))],
    )))));
    page.say(&[("mode", Value::Text("full".into()))]);
    assert_eq!(page.asked_in_words(), ["mode"]);
    page.answer_in_words(
        "mode",
        &[(80_000, "full"), (40_000, "eco"), (10_000, "full"), (4_000, "eco"), (0, "full")],
    );
    let said = page.strip("mode");
    assert!(said.starts_with("full for 46 s. eco for 34 s."), "{said}");
}

#[test]
fn a_strip_ends_where_its_device_or_the_link_does() {
    for away in [
        |page: &mut Page| {
            let now = page.window.now().wall_ms;
            page.window.event(Event::Device(DeviceEvent::Silent { device: device(), since: now }));
        },
        Page::lose_link,
    ] {
        let mut page = Page::opened();
        page.window.click("Plot mode");
        page.answer_in_words("mode", &[(60_000, "eco")]);
        page.window.pass(30_000);
        assert!(page.strip("mode").starts_with("eco for 1 min 30 s."), "{}", page.strip("mode"));
        away(&mut page);
        page.window.pass(45_000);
        let said = page.strip("mode");
        assert!(said.starts_with("eco for 1 min 30 s."), "{said}");
        assert_eq!(said.matches("No data").count(), 2, "before it and since then: {said}");
    }
}

#[test]
fn the_value_at_the_pointer_is_told_and_since_when() {
    let mut page = Page::opened();
    page.window.click("Plot label");
    page.answer_in_words("label", &[(150_000, "a long word"), (1_000, "b")]);
    let rect = page.window.harness.get_by_label_contains("States of label").rect();
    page.window.harness.hover_at(rect.left_center());
    page.window.run();
    assert!(page.has_text("label  No data"));
    page.window.harness.hover_at(rect.center());
    page.window.run();
    page.window.harness.hover_at(rect.center() + egui::vec2(60.0, 0.0));
    page.window.run();
    assert!(page.has_text("label  a long word, since 1"));
}

#[test]
fn all_plots_and_strips_begin_and_end_at_one_place() {
    let mut page = Page::opened();
    page.say(&[("speed", Value::Number(1.2e9))]);
    page.window.click("Plot mode");
    (0..3).for_each(|_| page.window.pass(1_000));
    let of = |label: &str| {
        let rect = page.window.harness.get_by_label_contains(label).rect();
        (rect.left(), rect.right())
    };
    let speed = of("Plot of speed");
    assert_eq!(of("Plot of temperature"), speed);
    assert_eq!(of("States of mode"), speed);
}

#[test]
fn a_device_of_words_alone_shows_what_it_says() {
    let mut page = Page { window: Window::sized(1_200.0, 900.0), incarnation: 7 };
    let now = page.window.now().wall_ms;
    let values = vec![(name("door"), Value::Text("open".into()))];
    page.window.event(Event::Device(DeviceEvent::Readings(Arc::new(Readings::of(
        device(),
        now,
        now,
        values,
    )))));
    page.window.event(Event::Device(DeviceEvent::Listed { devices: vec![], started: WallMs(0), more: true }));
    page.window.open_device(device());
    page.window.run();
    assert_eq!(page.asked_in_words(), ["door"]);
    page.answer_in_words("door", &[]);
    page.window.pass(3_000);
    assert!(page.has_text("States of door"));
}

#[test]
fn values_at_the_pointer_are_told() {
    let mut page = Page::opened();
    let rect = page.window.harness.get_by_label_contains("Plot of temperature").rect();
    page.window.pass(1_000);
    page.window.harness.hover_at(Pos2::new(rect.left() + 5.0, rect.center().y));
    page.window.run();
    assert!(page.has_text("temperature  No data"));
    page.window.harness.hover_at(Pos2::new(rect.right() - 0.5, rect.center().y));
    page.window.run();
    assert!(page.has_text("temperature  21.5 °C"));
}

#[test]
fn attributes_the_log_and_what_it_last_said_are_there() {
    let mut page = Page::opened();
    assert!(page.has_text("firmware") && page.has_text("1.4"));
    let asked = |intent: &Intent| matches!(intent, Intent::Device(DeviceIntent::LoadLog { .. }));
    assert_eq!(page.window.intents().iter().filter(|intent| asked(intent)).count(), 1);
    let now = page.window.now().wall_ms;
    let reason = "power cut".to_owned();
    let lines = vec![LogLine { at: now - 5_000, what: DeviceLogEvent::Offline { reason } }];
    page.window.event(Event::Device(DeviceEvent::Logged { device: device(), lines }));
    assert!(page.has_text("Offline: power cut"));
    page.outcome("light", Value::Flag(true), CommandState::Done);
    assert!(page.has_text("Mina set light to on"));
    page.window.click("Last message (raw)");
    page.window.harness.get_by_label("Copy the last message").click();
    let mut copied = None;
    for _ in 0..8 {
        page.window.harness.step();
        copied = copied.or(page.window.copied());
    }
    let copied = copied.unwrap();
    assert!(
        copied.contains("\"temperature\": 21.46") && copied.contains("\"kind\": \"machine\""),
        "{copied}"
    );
}

#[test]
fn escape_and_the_arrow_lead_back() {
    let mut page = Page::opened();
    page.window.key(Key::Escape);
    assert!(!page.has("temperature 21.5 °C, live"));
    let mut page = Page::opened();
    page.window.click("Back to devices");
    assert!(!page.has("temperature 21.5 °C, live"));
}

#[test]
fn a_device_that_is_gone_says_so() {
    let mut page = Page::opened();
    page.window.event(Event::Device(DeviceEvent::Listed {
        devices: vec![],
        started: WallMs(0),
        more: false,
    }));
    assert!(page.has_text("The server no longer knows this device."));
}

#[test]
fn absurd_values_break_nothing() {
    let mut page = Page::sized(1_000.0, 900.0);
    let long: Arc<str> = "가\u{202E}x".repeat(1_000).into();
    for (at, number) in [(0, 1e300), (1, -1e300), (2, -0.0), (3, f64::MAX), (4, f64::MIN_POSITIVE)] {
        page.window.pass(1_000 + at);
        let values = [
            ("temperature", Value::Number(number)),
            ("target", Value::Number(number)),
            ("bearing", Value::Missing),
            ("label", Value::Text(long.clone())),
            ("mode", Value::Text(long.clone())),
        ];
        page.say(&values);
    }
    page.outcome("label", Value::Text(long.clone()), CommandState::Failed { detail: long.to_string() });
    page.window.check_names();
    assert_eq!(page.commands(), []);
    for node in page.window.harness.root().children_recursive() {
        let node = node.accesskit_node();
        if node.role() == Role::TextRun {
            // What a field holds may be longer than the field.
            continue;
        }
        let right = node.bounding_box().map_or(0.0, |bounds| bounds.x1);
        assert!(right <= 1_001.0, "{:?} {:?} {right}", node.role(), node.label());
    }
}

#[test]
fn it_fits_where_it_is_narrow() {
    let mut page = Page::sized(640.0, 900.0);
    page.window.check_names();
    assert!(page.has("temperature 21.5 °C, live"));
}

impl Page {
    /// The changes to devices asked for since the last look; each is made, as the worker would.
    fn changes(&mut self, choices: &mut DeviceChoices) -> Vec<DeviceChange> {
        let mut all = Vec::new();
        for intent in self.window.intents() {
            if let Intent::Device(DeviceIntent::Change { connection, device: of, change }) = intent {
                assert_eq!((connection, &of), (CONNECTION, &device()));
                assert!(choices.change(connection, of, change.clone()));
                all.push(change);
            }
        }
        self.window.update(Update::Choices(ChoicesUpdate::Devices(choices.clone())));
        all
    }

    fn menu(&mut self, title: &str, item: &str) {
        self.window.click(&format!("More for {title}"));
        self.window.click(item);
    }

    fn export(&mut self) -> Export {
        let found = self.window.intents().into_iter().find_map(|intent| match intent {
            Intent::Device(DeviceIntent::Export(export)) => Some(export),
            _ => None,
        });
        found.expect("something is to be saved")
    }

    fn type_into(&mut self, field: &str, text: &str) {
        self.window.harness.get_by_role_and_label(Role::TextInput, field).focus();
        self.window.run();
        self.window.key_with(egui::Modifiers::COMMAND, Key::A);
        self.window.type_text(text);
    }
}

#[test]
fn a_device_is_renamed_and_that_is_taken_back() {
    let (mut page, mut choices) = (Page::opened(), DeviceChoices::default());
    page.menu("Lathe", "Rename…");
    assert!(page.has("On the server: Lathe · ID lathe"));
    page.type_into("Name", "  Old   faithful ");
    page.window.key(Key::Enter);
    assert_eq!(page.changes(&mut choices), [DeviceChange::Name("Old faithful".into())]);
    assert!(page.has("Old faithful") && page.has_text("On the server: Lathe · ID lathe"));
    assert!(page.has("Renamed to Old faithful"));
    page.window.click("Undo");
    assert_eq!(page.changes(&mut choices), [DeviceChange::Name(String::new())]);
    assert!(page.has("Lathe") && !page.has("Renamed to Old faithful"));
    page.window.check_names();
}

#[test]
fn readings_are_renamed_given_a_unit_and_hidden() {
    let (mut page, mut choices) = (Page::opened(), DeviceChoices::default());
    page.menu("Lathe", "Edit readings…");
    page.type_into("Name of temperature", "Spindle");
    page.type_into("Unit of temperature", "K");
    page.window.click("Show speed");
    page.window.click("Save");
    let readings = ReadingChoices::from([
        (name("temperature"), ReadingChoice::new("Spindle", Some("K"), false)),
        (name("speed"), ReadingChoice::new("", None, true)),
    ]);
    assert_eq!(page.changes(&mut choices), [DeviceChange::Readings(readings)]);
    assert!(page.has("Spindle 21.5 K, live") && page.has("1 reading is hidden"));
    assert!(!page.has_text("temperature 21.5") && page.has("Changed the readings of Lathe"));
    page.window.check_names();
    page.window.click("Undo");
    assert_eq!(page.changes(&mut choices), [DeviceChange::Readings(ReadingChoices::new())]);
    assert!(page.has("temperature 21.5 °C, live") && !page.has("1 reading is hidden"));
}

#[test]
fn corrected_readings_stay_so_when_the_device_is_described_again() {
    let (mut page, mut choices) = (Page::opened(), DeviceChoices::default());
    page.menu("Lathe", "Edit readings…");
    page.type_into("Unit of temperature", "");
    page.window.key(Key::Backspace);
    page.window.click("Save");
    let bare = ReadingChoice::new("", Some(""), false);
    assert_eq!(page.changes(&mut choices), [DeviceChange::Readings([(name("temperature"), bare)].into())]);
    assert!(page.has("temperature 21.5, live"));
    page.menu("Lathe", "Edit readings…");
    page.window.click("Use the device's own");
    assert_eq!(page.changes(&mut choices), [DeviceChange::Readings(ReadingChoices::new())]);
    assert!(page.has("temperature 21.5 °C, live"));
}

#[test]
fn only_devices_of_an_mqtt_server_are_merged() {
    let mut page = Page::opened();
    page.window.click("More for Lathe");
    assert!(page.has("Edit readings…") && !page.has("Merge with another device…"));
}

#[test]
fn a_name_that_would_not_be_seen_is_refused_and_escape_leaves_all_as_it_is() {
    let (mut page, mut choices) = (Page::opened(), DeviceChoices::default());
    page.menu("Lathe", "Rename…");
    page.type_into("Name", &"x".repeat(65));
    page.window.key(Key::Enter);
    assert!(page.has("A name has at most 64 visible characters."));
    page.window.key(Key::Escape);
    assert_eq!(page.changes(&mut choices), []);
    assert!(page.has("temperature 21.5 °C, live"), "Esc closed the dialog, not the page");
}

#[test]
fn a_device_is_grouped_pinned_and_hidden() {
    let (mut page, mut choices) = (Page::opened(), DeviceChoices::default());
    page.menu("Lathe", "Group…");
    page.type_into("Group", "Workshop");
    page.window.click("Save");
    assert_eq!(page.changes(&mut choices), [DeviceChange::Group("Workshop".into())]);
    assert!(page.has_text("Workshop"));
    page.menu("Lathe", "Group…");
    page.window.click("Remove from group");
    assert_eq!(page.changes(&mut choices), [DeviceChange::Group(String::new())]);
    page.menu("Lathe", "Pin to top");
    assert_eq!(page.changes(&mut choices), [DeviceChange::Pinned(true)]);
    page.menu("Lathe", "Unpin");
    assert_eq!(page.changes(&mut choices), [DeviceChange::Pinned(false)]);
    page.menu("Lathe", "Hide");
    assert_eq!(page.changes(&mut choices), [DeviceChange::Hidden(true)]);
    assert!(page.has("Lathe is hidden"));
    page.window.click("Undo");
    assert_eq!(page.changes(&mut choices), [DeviceChange::Hidden(false)]);
    page.window.pass(11_000);
    assert!(!page.has("Lathe is hidden"));
}

#[test]
fn the_palette_renames_the_device_whose_page_is_open() {
    let mut page = Page::opened();
    page.window.key_with(egui::Modifiers::COMMAND, Key::K);
    page.window.type_text("rename lathe");
    page.window.key(Key::Enter);
    assert!(page.has("On the server: Lathe · ID lathe"));
}

#[test]
fn what_a_command_came_to_goes_when_it_is_old_or_overtaken_and_nothing_moves() {
    let mut page = Page::opened();
    let place = |page: &Page| page.control(Role::ComboBox, "mode");
    let before = place(&page);
    page.outcome("target", Value::Number(60.0), CommandState::Pending);
    assert!(page.has_text("Setting to 60 °C…"));
    page.outcome("target", Value::Number(60.0), CommandState::Done);
    assert!(page.has_text("Set to 60 °C, 2 s ago"));
    assert_eq!(place(&page), before);
    page.say(&[("target", Value::Number(60.0))]);
    assert!(page.has_text("Set to 60 °C"), "the device says the same");
    page.say(&[("target", Value::Number(61.0))]);
    assert!(!page.has_text("Set to 60 °C"), "it was overtaken");
    page.outcome("light", Value::Flag(false), CommandState::Done);
    assert!(page.has_text("Turned off, 2 s ago"));
    page.window.pass(9_000);
    assert!(!page.has_text("Turned off"), "it is old");
    assert_eq!(place(&page), before);
}

#[test]
fn values_come_first_and_controls_stand_beside_plots_where_there_is_room() {
    let page = Page::sized(1_600.0, 900.0);
    let rect = |label: &str| page.window.harness.get_by_label_contains(label).rect();
    let (value, plot) = (rect("temperature 21.5 °C, live"), rect("Plot of temperature"));
    let control = page.control(Role::Switch, "light");
    assert!(value.bottom() < control.top() && value.bottom() < plot.top());
    // Both panes are shown: the page is as narrow as a phone.
    assert!(control.bottom() < plot.top());
    let mut page = Page::sized(1_600.0, 900.0);
    page.window.key_with(egui::Modifiers::COMMAND, Key::Num3);
    let plot = page.window.harness.get_by_label_contains("Plot of temperature").rect();
    let control = page.control(Role::Switch, "light");
    assert!(control.right() < plot.left(), "{control:?} {plot:?}");
    page.window.check_names();
}

#[test]
fn a_page_opens_at_its_top() {
    let mut page = Page::sized(1_000.0, 500.0);
    let top = |page: &Page| page.window.harness.get_by_label("temperature 21.5 °C, live").rect().top();
    let before = top(&page);
    let at = page.window.harness.get_by_label("temperature 21.5 °C, live").rect().center();
    page.window.harness.hover_at(at);
    page.window.run();
    page.window.harness.event(egui::Event::MouseWheel {
        unit: egui::MouseWheelUnit::Point,
        delta: egui::vec2(0.0, -300.0),
        phase: egui::TouchPhase::Move,
        source: egui::MouseWheelSource::Unknown,
        modifiers: egui::Modifiers::NONE,
    });
    page.window.pass(100);
    assert!(
        page.window
            .harness
            .query_by_label("temperature 21.5 °C, live")
            .is_none_or(|node| node.rect().top() < before)
    );
    page.window.click("Back to devices");
    page.window.open_device(device());
    page.window.run();
    assert_eq!(top(&page), before);
}

#[test]
fn thirty_days_and_a_range_of_one_s_own_are_shown_and_what_is_no_range_says_why() {
    let mut page = Page::opened();
    page.asked();
    page.window.click("Show 30 days");
    page.window.pass(11_000);
    let asked = page.asked();
    assert!(!asked.is_empty() && asked.iter().all(|(_, from, to)| *to - *from >= 30 * 86_400_000));
    page.answer(&asked, &[], 60_000);
    page.window.click("Choose a time range");
    page.type_into("From", "soon");
    page.window.click("Show range");
    assert!(page.has("“From” isn't a date and time."));
    page.type_into("From", "2025-10-14 10:00");
    page.type_into("To", "2025-10-14 9:00");
    page.window.key(Key::Enter);
    assert!(page.has("“From” must be before “To”."));
    page.type_into("To", "2025-10-14 12:00");
    page.window.key(Key::Enter);
    assert!(page.has("Back to live"));
    page.window.pass(1_000);
    let asked = page.asked();
    // With as much again around it.
    assert!(!asked.is_empty() && asked.iter().all(|(_, from, to)| *to - *from == 2 * 7_200_000), "{asked:?}");
    page.window.click("Back to live");
    assert!(page.has("Live"));
}

#[test]
fn a_range_is_picked_from_a_calendar() {
    let mut page = Page::opened();
    page.window.click("Choose a time range");
    assert!(page.has("October 2025"));
    page.window.click("Previous month");
    assert!(page.has("September 2025"));
    let days = |page: &Page| {
        let all = page.window.harness.get_all_by_role(Role::Button);
        let labels = all.filter_map(|node| node.accesskit_node().label());
        labels.filter(|label| label.contains("September") || label.contains("Sep ")).collect::<Vec<_>>()
    };
    let days = days(&page);
    assert_eq!(days.len(), 30, "{days:?}");
    page.window.click(&days[2]);
    page.window.click(&days[4]);
    let value = |page: &Page, field: &str| {
        page.window.harness.get_by_role_and_label(Role::TextInput, field).accesskit_node().value()
    };
    assert_eq!(value(&page, "From").as_deref(), Some("2025-09-03"));
    assert_eq!(value(&page, "To").as_deref(), Some("2025-09-05"));
    page.window.check_names();
    page.window.click("Show range");
    assert!(page.has("Back to live") && !page.has("From"));
}

#[test]
fn a_plot_has_a_range_of_values_of_its_own_until_it_is_automatic_again() {
    let mut page = Page::opened();
    page.window.click("Y axis of temperature, bearing");
    page.type_into("Lowest value", "50");
    page.type_into("Highest value", "5");
    page.window.click("Set");
    assert!(page.has("Enter two numbers, the lower one first."));
    page.type_into("Highest value", "100");
    page.window.key(Key::Enter);
    assert!(!page.has("Highest value"), "it is closed");
    page.window.click("Y axis of temperature, bearing");
    let lowest = |page: &Page| {
        let node = page.window.harness.get_by_role_and_label(Role::TextInput, "Lowest value");
        node.accesskit_node().value()
    };
    assert_eq!(lowest(&page).as_deref(), Some("50"));
    page.window.click("Automatic");
    page.window.click("Y axis of temperature, bearing");
    assert_ne!(lowest(&page).as_deref(), Some("50"));
}

#[test]
fn readings_in_sight_are_saved_and_said_where() {
    let mut page = Page::opened();
    page.window.intents();
    page.window.click("Save…");
    page.window.click("Save readings as CSV");
    let export = page.export();
    assert_eq!((export.connection, &export.device), (CONNECTION, &device()));
    assert!((299_000..302_000).contains(&(export.to - export.from)));
    let Content::Readings(metrics) = &export.content else { panic!("{export:?}") };
    assert_eq!(
        metrics.iter().map(ShortName::as_str).collect::<Vec<_>>(),
        ["temperature", "bearing", "speed"]
    );
    assert!(page.has("Saving…") && !page.has("Save…"));
    let path = std::path::PathBuf::from("/home/mina/Downloads/lathe.csv");
    let outcome = Ok(SavedFile { path: path.clone(), rows: Some(300), cut_at: None });
    page.window.update(Update::Disk(DiskUpdate::Exported(Exported { number: export.number, outcome })));
    assert!(page.has("Saved 300 rows to /home/mina/Downloads/lathe.csv"));
    page.window.click("Show in folder");
    assert!(page.window.intents().contains(&Intent::App(AppIntent::ShowFile(path))));
    page.window.check_names();
    page.window.click("Dismiss");
    assert!(!page.has_text("Saved 300 rows"));
}

#[test]
fn what_is_not_saved_says_what_to_do() {
    let mut page = Page::opened();
    page.window.intents();
    page.window.click("Save…");
    page.window.click("Save readings as CSV");
    let number = page.export().number;
    page.window.update(Update::Disk(DiskUpdate::Exported(Exported {
        number,
        outcome: Err(ExportFailure::DiskFull),
    })));
    assert!(page.has("Not saved: the disk is full. Free some space and try again."));
    page.window.pass(600_000);
    assert!(page.has_text("the disk is full"), "until it is read");
}

#[test]
fn a_row_of_the_list_has_the_same_menu() {
    let (mut page, mut choices) = (Page::opened(), DeviceChoices::default());
    page.window.click("Back to devices");
    let row = |page: &Page| {
        let rows = page.window.harness.get_all_by_label_contains("Lathe,");
        rows.map(|row| row.rect().center()).next().unwrap()
    };
    let open = |page: &mut Page| {
        let at = row(page);
        page.window.harness.event(egui::Event::PointerMoved(at));
        for pressed in [true, false] {
            let modifiers = egui::Modifiers::NONE;
            let button = PointerButton::Secondary;
            page.window.harness.event(egui::Event::PointerButton { pos: at, button, pressed, modifiers });
            page.window.run();
        }
    };
    open(&mut page);
    page.window.click("Rename…");
    page.type_into("Name", "Spindle");
    page.window.click("Save");
    assert_eq!(page.changes(&mut choices), [DeviceChange::Name("Spindle".into())]);
    page.window.run();
    assert!(page.has_text("Spindle ·lathe"), "the list shows the name, and the server's id beside it");
    page.window.click("Undo");
    page.changes(&mut choices);
    open(&mut page);
    page.window.click("Hide");
    assert_eq!(page.changes(&mut choices), [DeviceChange::Hidden(true)]);
    page.window.click("Undo");
    assert_eq!(page.changes(&mut choices), [DeviceChange::Hidden(false)]);
}

#[test]
fn controls_and_history_are_there_only_where_the_server_offers_them() {
    let mut page = Page::opened();
    let has = |page: &Page, label: &str| page.window.harness.query_by_label(label).is_some();
    assert!(has(&page, "Controls") && has(&page, "History"));
    page.window.intents();
    page.window.offer(Features::all().without(Feature::Commands).without(Feature::DeviceLog));
    assert!(!has(&page, "Controls") && !has(&page, "History"));
}
