//! Devices under whatever a hub, a disk and a clock can say: every value shows how far it is to be believed, every turn is
//! written down once, and nothing that is older covers what is newer.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that fails should say so at once"
)]

use std::sync::Arc;

use duplex::model::device::{CLOCK_TOLERANCE_MS, place};
use duplex::model::device_choices::ReadingChoice;
use duplex::model::event::{ChoicesUpdate, DeviceEvent, LinkEvent, SetupUpdate, Update};
use duplex::model::link_device::{LinkCounters, link_readings};
use duplex::model::profile::{Profile, Protocol, Socket};
use duplex::model::states::StateChange;
use duplex::model::time::BootMs;
use duplex::model::time::WallMs;
use duplex::model::{
    Command, CommandState, Connection, ConnectionId, Device, DeviceChange, DeviceChoices, DeviceLogEvent,
    DeviceState, Event, Freshness, LastValue, LinkState, LogLine, MessageId, Metric, MetricType, Model,
    PrincipalId, Readings, Sender, ShortName, Spec, Status, Time, Value,
};

const CONNECTION: ConnectionId = ConnectionId(1);
const NOW: Time = Time { boot_ms: BootMs(5_000), wall_ms: WallMs(1_790_000_000_000) };
const T: WallMs = NOW.wall_ms;

struct Desk(Model);

impl Desk {
    /// A connection that is online, and was told of these devices.
    fn new(devices: Vec<DeviceState>) -> Desk {
        let mut model = Model::default();
        let profile = Profile {
            id: CONNECTION,
            name: "hub".to_owned(),
            urls: vec!["ws://hub".to_owned()],
            protocol: Protocol::Duplex,
            socket: Socket::Tungstenite,
            route: Default::default(),
            ca_file: None,
            fingerprint: None,
            auto_connect: true,
            websocket: Default::default(),
            network: Default::default(),
        };
        model.apply(NOW, Update::Setup(SetupUpdate::Configured(Box::new(profile))));
        let mut desk = Desk(model);
        desk.online();
        desk.listed(devices);
        desk
    }

    fn apply(&mut self, event: Event) {
        self.0.apply(NOW, Update::Connection(CONNECTION, event));
    }

    fn online(&mut self) {
        self.apply(Event::Link(LinkEvent::State(LinkState::Online { since: T, rtt_ms: None })));
    }

    fn lost(&mut self) {
        self.apply(Event::Link(LinkEvent::State(LinkState::Dialing { attempt: 1 })));
    }

    /// The hub was started long ago.
    fn listed(&mut self, devices: Vec<DeviceState>) {
        self.apply(Event::Device(DeviceEvent::Listed { devices, started: T - 1_000_000, more: false }));
    }

    fn read(&mut self, device: &str, at: WallMs, received: WallMs, values: &[(&str, Value)]) {
        let values = values.iter().map(|(metric, value)| (name(metric), value.clone())).collect();
        self.apply(Event::Device(DeviceEvent::Readings(Arc::new(Readings::of(
            name(device),
            at,
            received,
            values,
        )))));
    }

    fn connection(&self) -> &Connection {
        &self.0.connections[&CONNECTION]
    }

    fn device(&self, id: &str) -> &Device {
        self.connection().devices.get(id).expect("the device is known")
    }

    fn status(&self, id: &str) -> Status {
        self.connection().status(self.device(id))
    }

    fn freshness(&self, id: &str, metric: &str) -> Freshness {
        let device = self.device(id);
        self.connection().freshness(device, device.metric(metric).expect("the metric is known"))
    }

    fn value(&self, id: &str, metric: &str) -> Value {
        self.device(id).metric(metric).expect("the metric is known").value.clone()
    }

    fn turns(&self, id: &str) -> Vec<&'static str> {
        let word = |line: &LogLine| match line.what {
            DeviceLogEvent::Online => "online",
            DeviceLogEvent::Offline { .. } => "offline",
            DeviceLogEvent::Silent => "silent",
            DeviceLogEvent::Command { .. } => "command",
        };
        self.device(id).log.iter().map(word).collect()
    }
}

fn name(text: &str) -> ShortName {
    ShortName::new(text).unwrap()
}

fn number(number: f64) -> Value {
    Value::Number(number)
}

/// A device that is there, and said these values when the hub heard it last.
fn state(id: &str, heard: WallMs, values: &[(&str, f64)]) -> DeviceState {
    let metrics = values.iter().map(|(metric, _)| Metric::new(name(metric), MetricType::Number)).collect();
    let last = |(metric, value): &(&str, f64)| LastValue {
        metric: name(metric),
        value: number(*value),
        at: heard,
        received: heard,
    };
    DeviceState {
        spec: Spec { metrics, ..Spec::unannounced(name(id)) },
        incarnation: 1,
        online: true,
        since: T - 500_000,
        reason: String::new(),
        heard: Some(heard),
        every_ms: Some(1_000),
        values: values.iter().map(last).collect(),
    }
}

fn command(number: u128, state: CommandState) -> Command {
    Command {
        id: MessageId(uuid::Uuid::from_u128(number)),
        device: name("pump"),
        property: name("speed"),
        value: Value::Number(3.0),
        by: Sender { id: PrincipalId("me".to_owned()), name: "Me".to_owned() },
        at: T,
        state,
    }
}

#[test]
fn what_the_hub_held_is_replayed_and_what_comes_is_live() {
    let mut desk = Desk::new(vec![state("pump", T, &[("speed", 1.0), ("heat", 2.0)])]);
    assert_eq!(desk.freshness("pump", "speed"), Freshness::Replayed);
    desk.read("pump", T + 1, T + 1, &[("speed", number(3.0))]);
    assert_eq!(desk.freshness("pump", "speed"), Freshness::Live);
    assert_eq!(desk.freshness("pump", "heat"), Freshness::Replayed);
    assert_eq!(desk.status("pump"), Status::Online);
}

#[test]
fn a_lost_link_makes_all_unknown_and_what_was_live_is_replayed_after_it() {
    let mut desk = Desk::new(vec![state("pump", T, &[("speed", 1.0)])]);
    desk.read("pump", T + 1, T + 1, &[("speed", number(3.0))]);
    desk.lost();
    assert_eq!((desk.status("pump"), desk.freshness("pump", "speed")), (Status::Unknown, Freshness::Unknown));
    desk.online();
    assert_eq!(desk.freshness("pump", "speed"), Freshness::Unknown, "the hub has not told yet");
    // The hub knows the same value, or an older one: what we hold counts, and is not live.
    desk.listed(vec![state("pump", T, &[("speed", 1.0)])]);
    assert_eq!(
        (desk.value("pump", "speed"), desk.freshness("pump", "speed")),
        (number(3.0), Freshness::Replayed)
    );
    desk.read("pump", T + 2, T + 2, &[("speed", number(4.0))]);
    assert_eq!(desk.freshness("pump", "speed"), Freshness::Live);
    assert!(desk.turns("pump").is_empty(), "nothing happened to the device: {:?}", desk.turns("pump"));
}

#[test]
fn each_turn_is_written_down_once() {
    let mut desk = Desk::new(vec![state("pump", T, &[("speed", 1.0)])]);
    let presence = |online, since| {
        Event::Device(DeviceEvent::Presence { device: name("pump"), online, since, reason: String::new() })
    };
    desk.apply(presence(true, T - 500_000));
    desk.apply(Event::Device(DeviceEvent::Silent { device: name("pump"), since: T + 10 }));
    desk.apply(Event::Device(DeviceEvent::Silent { device: name("pump"), since: T + 11 }));
    assert_eq!(desk.freshness("pump", "speed"), Freshness::Stale);
    desk.read("pump", T + 20, T + 20, &[]);
    desk.apply(presence(true, T + 20));
    assert_eq!(desk.freshness("pump", "speed"), Freshness::Replayed, "what it said before its silence");
    desk.apply(presence(false, T + 30));
    desk.apply(presence(false, T + 30));
    assert_eq!(desk.status("pump"), Status::Offline);
    desk.apply(presence(true, T + 40));
    desk.read("pump", T + 41, T + 41, &[("speed", number(2.0))]);
    assert_eq!(desk.turns("pump"), ["silent", "online", "offline", "online"]);
    assert_eq!(desk.device("pump").since, T + 40);
}

#[test]
fn a_word_of_silence_that_a_reading_overtook_is_not_taken() {
    let mut desk = Desk::new(vec![state("pump", T, &[])]);
    desk.read("pump", T + 50, T + 50, &[("speed", number(2.0))]);
    desk.apply(Event::Device(DeviceEvent::Silent { device: name("pump"), since: T + 40 }));
    assert_eq!(desk.status("pump"), Status::Online);
}

#[test]
fn after_a_silence_the_same_list_does_not_say_that_it_speaks() {
    let mut desk = Desk::new(vec![state("pump", T, &[])]);
    desk.apply(Event::Device(DeviceEvent::Silent { device: name("pump"), since: T + 10 }));
    desk.lost();
    desk.online();
    desk.listed(vec![state("pump", T, &[])]);
    assert_eq!((desk.status("pump"), desk.device("pump").since), (Status::Silent, T + 10));
    desk.listed(vec![state("pump", T + 60, &[])]);
    assert_eq!(desk.status("pump"), Status::Online);
}

#[test]
fn a_hub_that_was_just_started_does_not_know_who_is_there() {
    let mut desk = Desk::new(vec![]);
    let devices = vec![state("pump", T - 100, &[("speed", 1.0)])];
    desk.apply(Event::Device(DeviceEvent::Listed { devices, started: T, more: false }));
    assert_eq!(desk.status("pump"), Status::Unknown);
    desk.read("pump", T + 5, T + 5, &[("speed", number(2.0))]);
    assert_eq!(desk.status("pump"), Status::Online);
    assert_eq!(desk.device("pump").since, T - 500_000, "it never went");
}

#[test]
fn the_newest_value_is_shown_whatever_the_order() {
    let mut desk = Desk::new(vec![]);
    desk.read("pump", T + 2, T + 9, &[("speed", number(2.0))]);
    desk.read("pump", T + 1, T + 9, &[("speed", number(1.0))]);
    assert_eq!(desk.value("pump", "speed"), number(2.0));
    desk.read("pump", T + 9, T + 8, &[("speed", number(8.0))]);
    assert_eq!(desk.value("pump", "speed"), number(2.0));
    desk.read("pump", T + 2, T + 9, &[("speed", number(3.0))]);
    assert_eq!(desk.value("pump", "speed"), number(3.0), "told again, and otherwise");
    let points: Vec<_> =
        desk.device("pump").metric("speed").unwrap().series.raw().map(|p| (p.at - T, p.value)).collect();
    assert_eq!(points, [(1, 1.0), (2, 3.0), (9, 8.0)]);
    desk.read("pump", T + 10, T + 10, &[("speed", Value::Missing), ("heat", number(1.0))]);
    assert_eq!(desk.value("pump", "speed"), Value::Missing);
    assert_eq!(desk.device("pump").last_said().len(), 2);
}

#[test]
fn a_reading_that_is_hidden_does_not_make_its_device_faulty() {
    let mut desk = Desk::new(vec![]);
    let hide = |desk: &mut Desk, hidden| {
        let mut choices = DeviceChoices::default();
        let readings = [(name("heat"), ReadingChoice::new("", None, hidden))].into();
        assert!(choices.change(CONNECTION, name("pump"), DeviceChange::Readings(readings)));
        desk.0.apply(NOW, Update::Choices(ChoicesUpdate::Devices(choices)));
    };
    desk.read("pump", T + 1, T + 1, &[("speed", number(1.0)), ("heat", number(1.0))]);
    desk.read("pump", T + 2, T + 2, &[("heat", Value::Missing)]);
    assert_eq!(desk.device("pump").failing, 1);
    hide(&mut desk, true);
    assert_eq!(desk.device("pump").failing, 0);
    desk.read("pump", T + 3, T + 3, &[("heat", number(2.0))]);
    desk.read("pump", T + 4, T + 4, &[("heat", Value::Missing)]);
    assert_eq!(desk.device("pump").failing, 0);
    hide(&mut desk, false);
    assert_eq!(desk.device("pump").failing, 1, "it is seen again");
}

#[test]
fn a_hub_whose_clock_is_put_back_is_still_heard() {
    let mut desk = Desk::new(vec![]);
    let year = 365 * 86_400_000;
    desk.read("pump", T + year, T + year, &[("speed", number(1.0))]);
    desk.read("pump", T, T, &[("speed", number(2.0))]);
    assert_eq!(desk.value("pump", "speed"), number(2.0));
    assert_eq!(desk.device("pump").heard, Some(T));
    assert!(desk.device("pump").metric("speed").unwrap().series.raw().all(|point| point.at <= T));
}

#[test]
fn a_clock_an_hour_off_is_told_and_calm() {
    let hour = 3_600_000;
    let mut desk = Desk::new(vec![]);
    for second in 0..10 {
        let received = T + second * 1_000;
        desk.read("pump", received - hour - 20 * (second % 3), received, &[("speed", number(1.0))]);
        assert_eq!(desk.device("pump").clock_is_off(), Some(hour), "second {second}");
    }
    let points: Vec<WallMs> =
        desk.device("pump").metric("speed").unwrap().series.raw().map(|p| p.at).collect();
    assert!(points.iter().all(|at| *at >= T), "charted when the hub heard it");
    for second in 10..20 {
        // One of these waited for eight seconds on its way.
        let waited = if second == 15 { 8_000 } else { 0 };
        desk.read("pump", T + second * 1_000 - waited, T + second * 1_000, &[("speed", number(1.0))]);
    }
    assert_eq!(desk.device("pump").clock_is_off(), None);
}

#[test]
fn a_backlog_keeps_its_past() {
    let mut desk = Desk::new(vec![]);
    for second in 0..5 {
        desk.read("pump", T + second * 1_000, T + second * 1_000, &[("speed", number(0.0))]);
    }
    // Ten minutes without a link, and then all of it at once.
    let mut readings = Readings::default();
    for second in 5..605 {
        let (at, received) = (T + second * 1_000, T + 604_100);
        let one = Readings::of(name("pump"), at, received, vec![(name("speed"), number(second as f64))]);
        readings.samples.extend(one.samples);
        readings.values.extend(one.values);
    }
    desk.apply(Event::Device(DeviceEvent::Readings(readings.into())));
    let pump = desk.device("pump");
    assert_eq!(pump.clock_is_off(), None);
    let points: Vec<(WallMs, f64)> =
        pump.metric("speed").unwrap().series.raw().map(|point| (point.at, point.value)).collect();
    assert_eq!(points.last(), Some(&(T + 604_000, 604.0)));
    assert!(points.windows(2).all(|two| two[1].0 - two[0].0 == 1_000), "each second where it was");
    assert!(points.len() > 500);
}

#[test]
fn times_at_the_ends_of_time_break_nothing() {
    assert_eq!(place(T - 600_000, T, CLOCK_TOLERANCE_MS), T - 600_000, "a right clock, and late");
    assert_eq!(place(T - 3_600_000, T, 3_600_500), T + 500, "a wrong one is put right");
    assert_eq!(place(T + 60_000, T, 0), T, "nothing is in the future");
    assert_eq!(place(WallMs(0), T, 0), T, "a clock that was never set");
    assert_eq!(place(WallMs(i64::MAX), WallMs(i64::MIN), i64::MIN), WallMs(i64::MIN));
    let mut desk = Desk::new(vec![]);
    for at in [i64::MIN, -1, 0, i64::MAX].map(WallMs) {
        for received in [WallMs::MAX, WallMs(0), WallMs::MIN, T] {
            desk.read("pump", at, received, &[("speed", number(1.0)), ("word", Value::Text("a".into()))]);
        }
    }
    assert_eq!(desk.device("pump").heard, Some(T), "the last word counts");
}

#[test]
fn what_is_gone_from_the_list_is_gone_and_the_link_stays() {
    let mut desk = Desk::new(vec![state("pump", T, &[("speed", 1.0)]), state("fan", T, &[("speed", 2.0)])]);
    let counters = LinkCounters { received: 3_000, ..LinkCounters::default() };
    let online = LinkState::Online { since: T, rtt_ms: Some(4) };
    let before = LinkCounters { received: 1_000, ..LinkCounters::default() };
    let readings = link_readings(&online, &counters, BootMs(2_000), Some((BootMs(1_000), &before)), T);
    desk.apply(Event::Device(DeviceEvent::LocalReadings(Arc::new(readings))));
    assert_eq!(desk.value("~link", "received"), number(2_000.0));
    assert_eq!(desk.value("~link", "state"), Value::Text("online".into()));
    desk.lost();
    assert_eq!((desk.status("~link"), desk.status("fan")), (Status::Online, Status::Unknown));
    desk.online();
    desk.apply(Event::Device(DeviceEvent::Listed {
        devices: vec![state("fan", T, &[])],
        started: WallMs(0),
        more: true,
    }));
    assert_eq!(desk.connection().devices.len(), 3, "the list is not at its end");
    desk.listed(vec![state("valve", T, &[])]);
    let mut ids: Vec<&str> = desk.connection().devices.iter().map(|device| device.spec.id.as_str()).collect();
    ids.sort_unstable();
    assert_eq!(ids, ["fan", "valve", "~link"]);
    desk.read("valve", T + 1, T + 1, &[("open", Value::Flag(true))]);
    assert_eq!(desk.value("valve", "open"), Value::Flag(true));
}

#[test]
fn a_hub_cannot_speak_for_the_link() {
    let mut desk = Desk::new(vec![state("~link", T, &[("received", 1.0)])]);
    desk.read("~fan", T, T, &[("received", number(5.0))]);
    desk.apply(Event::Device(DeviceEvent::Announced(Box::new(state("~x", T, &[])))));
    desk.apply(Event::Device(DeviceEvent::Presence {
        device: name("~y"),
        online: true,
        since: T,
        reason: String::new(),
    }));
    assert!(desk.connection().devices.is_empty());
}

#[test]
fn an_announcement_brings_other_metrics() {
    let mut desk = Desk::new(vec![state("pump", T, &[("speed", 1.0), ("heat", 2.0)])]);
    desk.read("pump", T + 1, T + 1, &[("speed", number(3.0)), ("extra", number(4.0))]);
    let mut next = state("pump", T + 2, &[]);
    next.spec.metrics =
        vec![Metric::new(name("heat"), MetricType::Text), Metric::new(name("speed"), MetricType::Number)];
    next.spec.metrics.push(next.spec.metrics[1].clone());
    desk.apply(Event::Device(DeviceEvent::Announced(Box::new(next))));
    let names: Vec<&str> =
        desk.device("pump").latest.iter().map(|latest| latest.metric.name.as_str()).collect();
    assert_eq!(names, ["heat", "speed"]);
    let heat = desk.device("pump").metric("heat").unwrap();
    assert!(heat.value == Value::Missing && heat.series.is_empty(), "another type is another metric");
    assert_eq!(desk.device("pump").metric("speed").unwrap().series.raw().len(), 2);
}

#[test]
fn the_disk_does_not_cover_what_the_hub_told() {
    let mut desk = Desk::new(vec![state("pump", T, &[("speed", 5.0)])]);
    let restored = vec![state("pump", T - 10, &[("speed", 1.0)]), state("gone", T - 10, &[("speed", 1.0)])];
    desk.apply(Event::Device(DeviceEvent::Restored(restored)));
    assert_eq!(desk.value("pump", "speed"), number(5.0));
    assert_eq!(desk.connection().devices.len(), 1, "the hub does not know the other one any more");
}

#[test]
fn a_command_whose_end_nobody_knows_is_mended_by_the_hub() {
    let mut desk = Desk::new(vec![state("pump", T, &[])]);
    let states =
        |desk: &Desk| desk.device("pump").commands.iter().map(|c| c.state.clone()).collect::<Vec<_>>();
    desk.apply(Event::Device(DeviceEvent::Commanded(Box::new(command(1, CommandState::Pending)))));
    desk.apply(Event::Device(DeviceEvent::Commanded(Box::new(command(2, CommandState::Pending)))));
    desk.apply(Event::Device(DeviceEvent::Commanded(Box::new(command(2, CommandState::Done)))));
    desk.apply(Event::Device(DeviceEvent::Commanded(Box::new(command(2, CommandState::Pending)))));
    desk.lost();
    assert_eq!(states(&desk), [CommandState::Unknown, CommandState::Done]);
    desk.apply(Event::Device(DeviceEvent::Commanded(Box::new(command(1, CommandState::Expired)))));
    desk.apply(Event::Device(DeviceEvent::Commanded(Box::new(command(1, CommandState::Done)))));
    desk.apply(Event::Device(DeviceEvent::Commanded(Box::new(command(1, CommandState::Expired)))));
    assert_eq!(states(&desk), [CommandState::Done, CommandState::Done]);
    assert_eq!(desk.turns("pump"), ["command", "command"]);
    for number in 3..500 {
        desk.apply(Event::Device(DeviceEvent::Commanded(Box::new(command(number, CommandState::Expired)))));
    }
    assert_eq!((desk.device("pump").commands.len(), desk.device("pump").log.len()), (100, 100));
}

#[test]
fn a_log_that_arrives_late_keeps_what_happened_here() {
    let mut desk = Desk::new(vec![state("pump", T, &[])]);
    desk.apply(Event::Device(DeviceEvent::Silent { device: name("pump"), since: T + 10 }));
    desk.read("pump", T + 20, T + 20, &[]);
    let lines = vec![
        LogLine { at: T - 5, what: DeviceLogEvent::Online },
        LogLine { at: T + 21, what: DeviceLogEvent::Online },
        LogLine { at: T + 30, what: DeviceLogEvent::Offline { reason: String::new() } },
    ];
    desk.apply(Event::Device(DeviceEvent::Logged { device: name("pump"), lines }));
    assert_eq!(desk.turns("pump"), ["online", "silent", "online", "offline"]);
}

#[test]
fn parts_of_a_frame_say_what_the_whole_says() {
    let mut readings = Readings { conflated: 7, ..Readings::default() };
    for at in 0..50 {
        let values = (0..at % 7).map(|metric| (name(&format!("m{metric}")), number(at as f64))).collect();
        let one = Readings::of(name(&format!("d{}", at % 5)), T + at, T + at, values);
        readings.samples.extend(one.samples);
        readings.values.extend(one.values);
    }
    let (mut whole, mut sliced) = (Desk::new(vec![]), Desk::new(vec![]));
    whole.apply(Event::Device(DeviceEvent::Readings(Arc::new(readings.clone()))));
    let parts: Vec<_> = readings.parts(10).collect();
    assert!(parts.len() > 5 && parts.iter().all(|part| part.values.len() < 10 + 7));
    parts.iter().for_each(|part| sliced.0.read(CONNECTION, part));
    assert_eq!(whole.0, sliced.0);
    assert_eq!(sliced.connection().devices.conflated(), 7);
    assert_eq!(sliced.connection().devices.readings(), readings.values.len() as u64);
}

#[test]
fn ten_thousand_devices_keep_within_forty_megabytes() {
    let mut desk = Desk::new(vec![]);
    let metrics = ["a", "b", "c", "d", "e"];
    let devices =
        (0..10_000).map(|at| state(&format!("device-{at}"), T, &metrics.map(|metric| (metric, 1.0))));
    desk.listed(devices.collect());
    let names = metrics.map(name);
    let ids: Vec<ShortName> = (0..10_000).map(|at| name(&format!("device-{at}"))).collect();
    for second in 0..30 {
        let mut readings = Readings::default();
        let at = T + second * 10_000;
        for id in &ids {
            let one = Readings::of(
                id.clone(),
                at,
                at,
                names.iter().map(|n| (n.clone(), number(at.0 as f64))).collect(),
            );
            readings.samples.extend(one.samples);
            readings.values.extend(one.values);
        }
        desk.apply(Event::Device(DeviceEvent::Readings(Arc::new(readings))));
    }
    let bytes = desk.connection().devices.bytes();
    assert!(bytes < 40_000_000, "{bytes} bytes");
    assert!(desk.device("device-77").metric("c").unwrap().series.raw().len() >= 8);
}

#[test]
fn a_texts_changes_are_counted_however_many_come_between_two_looks() {
    let mut desk = Desk::new(vec![]);
    let changes = |desk: &Desk| desk.device("d").metric("mode").unwrap().changes;
    let say = |desk: &mut Desk, after: i64, value: Value| {
        desk.read("d", T + after, T + after, &[("mode", value), ("n", number(after as f64))]);
    };
    let text = |text: &str| Value::Text(text.into());
    say(&mut desk, 0, text("a"));
    let first = changes(&desk);
    say(&mut desk, 1, text("a"));
    assert_eq!(changes(&desk), first, "told again it is no change");
    say(&mut desk, 2, text("b"));
    say(&mut desk, 3, text("a"));
    assert_eq!(changes(&desk), first + 2, "there and back is two");
    say(&mut desk, 4, Value::Missing);
    assert_eq!(changes(&desk), first + 3);
    say(&mut desk, 5, text("a"));
    let before = changes(&desk);
    desk.lost();
    desk.online();
    desk.listed(vec![]);
    say(&mut desk, 6, text("a"));
    assert_ne!(changes(&desk), before, "between them nobody listened");
}

#[test]
fn only_so_many_pasts_of_texts_are_held_and_their_size_is_counted() {
    let mut desk = Desk::new(vec![]);
    let before = desk.connection().devices.bytes();
    let long: Arc<str> = "x".repeat(1_000).into();
    for n in 0..40 {
        let changes: Arc<[StateChange]> =
            (0..100).map(|at| StateChange { at: WallMs(at), value: Some(Arc::clone(&long)) }).collect();
        desk.apply(Event::Device(DeviceEvent::States {
            device: name("d"),
            metric: name(&format!("m{n}")),
            changes,
        }));
    }
    let devices = &desk.connection().devices;
    let held = (0..40).filter(|n| devices.states("d", &format!("m{n}")).is_some()).count();
    assert_eq!(held, 16, "the newest");
    assert!(devices.states("d", "m39").is_some());
    let grown = devices.bytes() - before;
    assert!((16 * 100 * size_of::<StateChange>()..100_000).contains(&grown), "{grown}");
}

#[test]
fn a_person_s_own_name_is_shown_with_the_server_s_id_and_taken_back() {
    let mut desk = Desk::new(vec![state("pump", T, &[])]);
    let mut choices = DeviceChoices::default();
    let title = |desk: &Desk| desk.connection().device_title(desk.device("pump"), 80);
    let announced = title(&desk);
    let version = desk.connection().devices.version();
    choices.change(CONNECTION, name("pump"), DeviceChange::Name("Cellar".into()));
    desk.0.apply(NOW, Update::Choices(ChoicesUpdate::Devices(choices.clone())));
    assert_eq!(title(&desk), "Cellar ·pump");
    assert!(desk.connection().devices.version() > version, "lists are sorted anew");
    choices.change(CONNECTION, name("pump"), DeviceChange::Name(String::new()));
    desk.0.apply(NOW, Update::Choices(ChoicesUpdate::Devices(choices)));
    assert_eq!(title(&desk), announced);
}
