//! Frame CPU of the window beside 10,000 devices of which every one says something new before each frame, layout and
//! tessellation without a GPU; and what a letter typed into the filter costs.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, missing_docs)]

use std::time::Duration;

use duplex::model::device::{
    DeviceId, DeviceState, Metric, MetricName, MetricType, Readings, Sample, Spec, Value,
};
use duplex::model::event::{DeviceEvent, Event, LinkEvent, SetupUpdate, Update};
use duplex::model::id::{ConnectionId, Offset, PrincipalId, RoomId};
use duplex::model::link_state::LinkState;
use duplex::model::panes::{Middle, Panes};
use duplex::model::profile::{Profile, Protocol, Socket};
use duplex::model::time::BootMs;
use duplex::model::time::WallMs;
use duplex::model::{SharedModel, Time};
use duplex::ui::{Options, Ui};

const CONNECTION: ConnectionId = ConnectionId(1);
const METRICS: [(&str, &str); 4] =
    [("temperature", "°C"), ("humidity", "%"), ("pressure", "hPa"), ("rate", "B/s")];

fn main() {
    let quick = std::env::var_os("DUPLEX_BENCH_QUICK").is_some();
    let frames = if quick { 60 } else { 600 };
    for accessible in [false, true] {
        for devices in [30, 10_000] {
            for (middle, shape) in
                [(Middle::Both, "a list beside the chat"), (Middle::Devices, "a table alone")]
            {
                let reader = if accessible { "on" } else { "off" };
                println!("frame CPU, {devices} devices, 1280×800, {shape}, screen reader {reader}");
                measure(devices, frames, accessible, middle);
            }
        }
    }
}

fn measure(devices: usize, frames: usize, accessible: bool, middle: Middle) {
    let mut desk = Desk::new(devices, accessible, middle);
    for _ in 0..10 {
        desk.timed();
    }
    report("idle", desk.frames(frames, |_, _| {}));
    report("all values new in each frame", desk.frames(frames, |desk, _| desk.speak()));
    let scrolled = desk.frames(frames, |desk, frame| {
        desk.speak();
        desk.wheel(if frame % 200 < 100 { -300.0 } else { 300.0 });
    });
    report("the same, scrolling 300 points a frame", scrolled);
    let presence = desk.frames(frames, |desk, frame| desk.come_and_go(frame));
    report("one comes or goes in each frame", presence);
    let mut letters = Vec::new();
    for _ in 0..frames / 30 {
        desk.ctx.memory_mut(|memory| memory.request_focus(desk.filter));
        for letter in "sensor 99 tem".chars() {
            desk.events.push(egui::Event::Text(letter.into()));
            letters.push(desk.timed());
        }
        for _ in 0.."sensor 99 tem".len() {
            desk.key(egui::Key::Backspace);
            letters.push(desk.timed());
        }
    }
    report("a letter more or less in the filter", letters);
    desk.press(egui::Modifiers::COMMAND, egui::Key::K);
    report("opening the palette", vec![desk.timed()]);
    let mut letters = Vec::new();
    for text in ["sensor 99 9", "ㅇㅅ 습도", "xyz"] {
        for letter in text.chars() {
            desk.events.push(egui::Event::Text(letter.into()));
            letters.push(desk.timed());
        }
        for _ in text.chars() {
            desk.key(egui::Key::Backspace);
            letters.push(desk.timed());
        }
    }
    report("a letter more or less in the palette", letters);
    if middle == Middle::Devices {
        desk.press(egui::Modifiers::NONE, egui::Key::Escape);
        desk.timed();
        desk.sort_by_value();
        let sorted = desk.frames(frames, |desk, _| desk.speak());
        report("all values new, sorted by one", sorted);
    }
}

/// The CPU time of this thread: on a busy machine the wall clock would tell of the others.
#[cfg(unix)]
fn cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Wall time, where there is nothing better at hand.
#[cfg(not(unix))]
fn cpu_time() -> Duration {
    static BEGUN: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    BEGUN.get_or_init(std::time::Instant::now).elapsed()
}

fn report(what: &str, mut times: Vec<Duration>) {
    times.sort();
    let at = |part: f64| times[((times.len() - 1) as f64 * part) as usize].as_secs_f64() * 1_000.0;
    println!("  {what:<40} p50 {:>6.3} ms   p99 {:>6.3} ms   max {:>6.3} ms", at(0.5), at(0.99), at(1.0));
}

/// A window without a screen, and a hub that tells it of devices.
struct Desk {
    ctx: egui::Context,
    ui: Ui,
    model: SharedModel,
    now: Time,
    ids: Vec<DeviceId>,
    metrics: Vec<MetricName>,
    filter: egui::Id,
    events: Vec<egui::Event>,
    frame: u64,
}

impl Desk {
    fn new(devices: usize, accessible: bool, middle: Middle) -> Desk {
        let ctx = egui::Context::default();
        if accessible {
            ctx.enable_accesskit();
        }
        let ids = (0..devices).map(|n| DeviceId::new(format!("sensor-{n}")).unwrap()).collect();
        let metrics = METRICS.iter().map(|(name, _)| MetricName::new(name).unwrap()).collect();
        let panes = Panes { middle, ..Panes::default() };
        let ui = Ui::new(&ctx, Options { panes, ..Options::default() });
        let mut desk = Desk {
            ctx,
            ui,
            model: SharedModel::default(),
            now: Time { boot_ms: BootMs(10_000_000), wall_ms: WallMs(1_760_529_600_000) },
            ids,
            metrics,
            filter: egui::Id::unique("device filter"),
            events: Vec::new(),
            frame: 0,
        };
        desk.update(Update::Setup(SetupUpdate::Configured(Box::new(Profile {
            id: CONNECTION,
            name: "Home".into(),
            urls: vec!["ws://127.0.0.1:7870/v1/socket".into()],
            protocol: Protocol::Duplex,
            socket: Socket::Tungstenite,
            route: Default::default(),
            ca_file: None,
            fingerprint: None,
            auto_connect: true,
            websocket: Default::default(),
            network: Default::default(),
        }))));
        let me = duplex::model::principal::Principal {
            id: PrincipalId("p0".into()),
            kind: duplex::model::principal::PrincipalKind::Person,
            name: "Jonas".into(),
            role: None,
        };
        desk.event(Event::Link(LinkEvent::State(LinkState::Online { since: WallMs(0), rtt_ms: Some(1) })));
        desk.event(Event::Link(LinkEvent::Welcomed {
            me,
            server: "Workshop".into(),
            log: duplex::model::event::LogKind::Server { head: Offset(0), next: Offset(1) },
            now: desk.now.wall_ms,
            people: vec![],
            rooms: vec![RoomId::general().into()],
            features: Default::default(),
        }));
        let states = (0..devices).map(|n| desk.state(n)).collect();
        desk.event(Event::Device(DeviceEvent::Listed { devices: states, started: WallMs(0), more: false }));
        // A recent past, so that there is something to chart.
        for _ in 0..120 {
            desk.speak();
        }
        desk
    }

    fn state(&self, n: usize) -> DeviceState {
        let mut spec = Spec::unannounced(self.ids[n].clone());
        spec.name =
            if n.is_multiple_of(3) { format!("온실 {n}번 습도 센서") } else { format!("Sensor {n}") };
        spec.kind = ["sensor", "pump", "computer"][n % 3].to_owned();
        spec.metrics = METRICS
            .iter()
            .zip(&self.metrics)
            .map(|((_, unit), name)| Metric {
                unit: (*unit).to_owned(),
                precision: Some(1),
                ..Metric::new(name.clone(), MetricType::Number)
            })
            .collect();
        DeviceState {
            spec,
            incarnation: 1,
            online: true,
            since: self.now.wall_ms,
            reason: String::new(),
            heard: None,
            every_ms: Some(1_000),
            values: vec![],
        }
    }

    fn update(&mut self, update: Update) {
        let now = self.now;
        self.model.write(|model| model.apply(now, update));
    }

    fn event(&mut self, event: Event) {
        self.update(Update::Connection(CONNECTION, event));
    }

    /// Every device says something that it has not said before.
    fn speak(&mut self) {
        self.now = self.now.plus(50);
        self.frame += 1;
        let now = self.now.wall_ms;
        let mut readings = Readings::default();
        for (n, id) in self.ids.iter().enumerate() {
            let count = METRICS.len() as u32;
            readings.samples.push(Sample { device: id.clone(), at: now, received: now, count });
            let value = ((n as u64 * 7_919 + self.frame * 104_729) % 1_000) as f64 / 10.0;
            let scales = [1.0, 1.0, 10.0, 12_345.6];
            let values = self.metrics.iter().zip(scales);
            readings
                .values
                .extend(values.map(|(metric, scale)| (metric.clone(), Value::Number(value * scale))));
        }
        self.event(Event::Device(DeviceEvent::Readings(readings.into())));
    }

    fn come_and_go(&mut self, frame: usize) {
        let device = self.ids[frame / 2 * 37 % self.ids.len()].clone();
        let since = self.now.wall_ms;
        let online = frame % 2 == 1;
        self.event(Event::Device(DeviceEvent::Presence { device, online, since, reason: String::new() }));
    }

    /// Draws a number of frames, each after something; what that costs is not counted.
    fn frames(&mut self, frames: usize, mut before: impl FnMut(&mut Desk, usize)) -> Vec<Duration> {
        let mut times = Vec::new();
        for frame in 0..frames {
            before(self, frame);
            times.push(self.timed());
        }
        times
    }

    fn timed(&mut self) -> Duration {
        self.frame += 1;
        self.now = self.now.plus(16);
        let screen = egui::Rect::from_min_size(egui::Pos2::ZERO, egui::vec2(1280.0, 800.0));
        let input = egui::RawInput {
            screen_rect: Some(screen),
            time: Some(self.frame as f64 / 60.0),
            events: std::mem::take(&mut self.events),
            focused: true,
            ..Default::default()
        };
        let mut intents = Vec::new();
        let begun = cpu_time();
        let mut output = self.ctx.run_ui(input, |ui| self.ui.show(ui, &self.model, self.now, &mut intents));
        let shapes = std::mem::take(&mut output.shapes);
        std::hint::black_box(self.ctx.tessellate(shapes, output.pixels_per_point));
        let spent = cpu_time() - begun;
        // There is no screen to take them.
        output.textures_delta.clear();
        spent
    }

    fn wheel(&mut self, points: f32) {
        self.events.push(egui::Event::PointerMoved(egui::pos2(1_100.0, 400.0)));
        self.events.push(egui::Event::MouseWheel {
            unit: egui::MouseWheelUnit::Point,
            delta: egui::vec2(0.0, points),
            phase: egui::TouchPhase::Move,
            source: egui::MouseWheelSource::Trackpad,
            modifiers: egui::Modifiers::NONE,
        });
    }

    /// A click on the header of the first value's column.
    fn sort_by_value(&mut self) {
        let at = egui::pos2(780.0, 186.0);
        self.events.push(egui::Event::PointerMoved(at));
        for pressed in [true, false] {
            let modifiers = egui::Modifiers::NONE;
            let button = egui::PointerButton::Primary;
            self.events.push(egui::Event::PointerButton { pos: at, button, pressed, modifiers });
            self.timed();
        }
    }

    fn key(&mut self, key: egui::Key) {
        self.press(egui::Modifiers::NONE, key);
    }

    fn press(&mut self, modifiers: egui::Modifiers, key: egui::Key) {
        self.events.push(egui::Event::Key {
            key,
            physical_key: None,
            pressed: true,
            repeat: false,
            modifiers,
        });
    }
}
