//! Frame CPU of the page of one device, layout and tessellation without a GPU: four plots over a stored year of minutes
//! while live readings come; panning through it; and the frame in which the four pages arrive.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, missing_docs)]

use std::sync::Arc;
use std::time::Duration;

use duplex::model::device::{
    DeviceId, DeviceState, Metric, MetricName, MetricType, Readings, ShortName, Spec, Value,
};
use duplex::model::event::{DeviceEvent, Event, LinkEvent, SetupUpdate, Update};
use duplex::model::id::ConnectionId;
use duplex::model::intent::{DeviceIntent, Intent};
use duplex::model::link_state::LinkState;
use duplex::model::profile::{Profile, Protocol, Socket};
use duplex::model::series::{Bucket, MINUTE_MS, SeriesPage};
use duplex::model::time::BootMs;
use duplex::model::time::WallMs;
use duplex::model::{SharedModel, Time};
use duplex::ui::{Options, Ui};

const CONNECTION: ConnectionId = ConnectionId(1);
const WALL: i64 = 1_760_529_600_000;
/// A year of minutes.
const MINUTES: i64 = 525_600;
/// Four of another unit each, plotted on their own, and as many readings again as a page's height holds.
const UNITS: [&str; 4] = ["°C", "rpm", "bar", "kW"];
const OTHERS: usize = 26;

fn main() {
    let quick = std::env::var_os("DUPLEX_BENCH_QUICK").is_some();
    // Long enough for what is moved to be asked for.
    let frames = if quick { 180 } else { 600 };
    for accessible in [false, true] {
        let reader = if accessible { "on" } else { "off" };
        println!("frame CPU, device page, 4 plots over {MINUTES} minutes, 1280×1400, screen reader {reader}");
        let mut desk = Desk::new(accessible);
        desk.settle();
        desk.ready();
        if !accessible {
            desk.ctx.disable_accesskit();
        }
        desk.settle();
        report("nothing new", desk.measure(frames, |_| {}));
        report("a reading of every metric each frame", desk.measure(frames, Desk::say));
        let year = desk.asked.iter().map(|(_, from, ..)| *from).min().unwrap();
        let panned = desk.measure(frames, |desk| {
            desk.say();
            desk.drag(300.0 / frames as f32);
        });
        report("the same while panning", panned);
        assert!(desk.asked.iter().all(|(_, from, ..)| *from < year), "the plots were moved");
        let mut arrivals = Vec::new();
        for _ in 0..frames / 10 {
            desk.arrive();
            arrivals.push(desk.timed());
        }
        report("four pages of the year arrived", arrivals);
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

fn name(text: &str) -> MetricName {
    ShortName::new(text).unwrap()
}

fn device() -> DeviceId {
    name("lathe")
}

/// A window without a screen, and a disk that answers at once.
struct Desk {
    ctx: egui::Context,
    ui: Ui,
    model: SharedModel,
    now: Time,
    events: Vec<egui::Event>,
    frame: u64,
    /// What was last asked for, by metric.
    asked: Vec<(MetricName, WallMs, WallMs, u32)>,
    /// Not answered yet.
    wanted: Vec<Intent>,
    /// Where a plot is.
    plot: egui::Pos2,
}

impl Desk {
    fn new(accessible: bool) -> Desk {
        let ctx = egui::Context::default();
        if accessible {
            ctx.enable_accesskit();
        }
        let ui = Ui::new(&ctx, Options::default());
        let now = Time { boot_ms: BootMs(10_000_000), wall_ms: WallMs(WALL) };
        let (model, events, asked) = (SharedModel::default(), Vec::new(), Vec::new());
        let mut desk =
            Desk { ctx, ui, model, now, events, frame: 0, asked, wanted: Vec::new(), plot: egui::Pos2::ZERO };
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
        desk.event(Event::Link(LinkEvent::State(LinkState::Online { since: WallMs(0), rtt_ms: Some(1) })));
        let devices = vec![state()];
        desk.event(Event::Device(DeviceEvent::Listed { devices, started: WallMs(0), more: false }));
        desk.say();
        desk.ui.open_device(CONNECTION, device());
        desk
    }

    /// Plots all four, over the year.
    fn ready(&mut self) {
        self.ctx.enable_accesskit();
        for label in ["Plot reading 3", "Show 1 year"] {
            self.click(label);
        }
        for _ in 0..120 {
            self.draw();
            self.answer();
        }
        self.plot = self.find("Plot of reading 0,");
        assert_eq!(self.asked.len(), 4, "four plots: {:?}", self.asked);
        assert!(self.asked.iter().all(|(_, from, to, _)| *to - *from >= MINUTES * MINUTE_MS));
    }

    /// The middle of what bears a name that begins so.
    fn find(&mut self, label: &str) -> egui::Pos2 {
        let tree = self.draw().accesskit_update.unwrap();
        let is_it = |name: Option<&str>| name.is_some_and(|name| name.starts_with(label));
        let found = tree.nodes.iter().find(|(_, node)| is_it(node.label()));
        let bounds =
            found.and_then(|(_, node)| node.bounds()).unwrap_or_else(|| panic!("{label} is not there"));
        egui::pos2(((bounds.x0 + bounds.x1) / 2.0) as f32, ((bounds.y0 + bounds.y1) / 2.0) as f32)
    }

    /// Clicks what bears this name in the tree that a screen reader gets.
    fn click(&mut self, label: &str) {
        let pos = self.find(label);
        self.events.push(egui::Event::PointerMoved(pos));
        for pressed in [true, false] {
            let (button, modifiers) = (egui::PointerButton::Primary, egui::Modifiers::NONE);
            self.events.push(egui::Event::PointerButton { pos, button, pressed, modifiers });
            self.draw();
        }
    }

    fn update(&mut self, update: Update) {
        let now = self.now;
        self.model.write(|model| model.apply(now, update));
    }

    fn event(&mut self, event: Event) {
        self.update(Update::Connection(CONNECTION, event));
    }

    /// A reading of every metric.
    fn say(&mut self) {
        let (now, frame) = (self.now.wall_ms, self.frame as f64);
        let value = |n: usize| Value::number((frame / 50.0 + n as f64).sin() * 10.0);
        let values = (0..UNITS.len() + OTHERS).map(|n| (name(&format!("reading {n}")), value(n))).collect();
        self.event(Event::Device(DeviceEvent::Readings(Arc::new(Readings::of(device(), now, now, values)))));
    }

    /// The plot is moved by the pointer.
    fn drag(&mut self, by: f32) {
        let pos = self.plot;
        self.events.push(egui::Event::PointerMoved(pos));
        self.events.push(egui::Event::MouseWheel {
            unit: egui::MouseWheelUnit::Point,
            delta: egui::vec2(by, 0.0),
            phase: egui::TouchPhase::Move,
            source: egui::MouseWheelSource::Trackpad,
            modifiers: egui::Modifiers::NONE,
        });
    }

    /// Pages of all that was last asked for.
    fn arrive(&mut self) {
        for (metric, from, to, columns) in self.asked.clone() {
            let page = page(from, to, columns);
            self.event(Event::Device(DeviceEvent::SeriesPaged { device: device(), metric, page }));
        }
    }

    fn settle(&mut self) {
        for _ in 0..10 {
            self.draw();
        }
    }

    /// What the disk would do; its time is not the window's.
    fn answer(&mut self) {
        for intent in std::mem::take(&mut self.wanted) {
            if let Intent::Device(DeviceIntent::LoadSeries { metric, from, to, columns, .. }) = intent {
                self.asked.retain(|(known, ..)| *known != metric);
                self.asked.push((metric.clone(), from, to, columns));
                let page = page(from, to, columns);
                self.event(Event::Device(DeviceEvent::SeriesPaged { device: device(), metric, page }));
            }
        }
    }

    /// Draws a number of frames, each after something.
    fn measure(&mut self, frames: u64, mut before: impl FnMut(&mut Desk)) -> Vec<Duration> {
        let mut times = Vec::new();
        for _ in 0..frames {
            self.answer();
            before(self);
            times.push(self.timed());
        }
        times
    }

    fn timed(&mut self) -> Duration {
        let begun = cpu_time();
        self.draw();
        cpu_time() - begun
    }

    fn draw(&mut self) -> egui::PlatformOutput {
        self.frame += 1;
        self.now = self.now.plus(16);
        let screen = egui::Rect::from_min_size(egui::Pos2::ZERO, egui::vec2(1280.0, 1400.0));
        let input = egui::RawInput {
            screen_rect: Some(screen),
            time: Some(self.frame as f64 / 60.0),
            events: std::mem::take(&mut self.events),
            focused: true,
            ..Default::default()
        };
        let mut intents = Vec::new();
        let mut output = self.ctx.run_ui(input, |ui| self.ui.show(ui, &self.model, self.now, &mut intents));
        // Nobody uploads textures here.
        output.textures_delta.clear();
        std::hint::black_box(self.ctx.tessellate(output.shapes, output.pixels_per_point));
        self.wanted.extend(intents);
        output.platform_output
    }
}

fn state() -> DeviceState {
    let mut spec = Spec::unannounced(device());
    spec.name = "Lathe".into();
    spec.expect_every_s = Some(1.0);
    spec.metrics = (0..UNITS.len() + OTHERS)
        .map(|n| Metric {
            unit: UNITS.get(n).copied().unwrap_or("%").into(),
            precision: Some(1),
            ..Metric::new(name(&format!("reading {n}")), MetricType::Number)
        })
        .collect();
    DeviceState {
        spec,
        incarnation: 1,
        online: true,
        since: WallMs(WALL),
        reason: String::new(),
        heard: Some(WallMs(WALL)),
        every_ms: None,
        values: vec![],
    }
}

/// What a disk that holds a year of minutes would give for so many columns: waves, with a day of nothing every month.
fn page(from: WallMs, to: WallMs, columns: u32) -> SeriesPage {
    let step_ms = ((to - from) / i64::from(columns.max(1)) / MINUTE_MS).max(1) * MINUTE_MS;
    let (first, last) = (from.0.max(WALL - MINUTES * MINUTE_MS), to.0.min(WALL));
    let all = (first.div_euclid(step_ms) + 1)..last.div_euclid(step_ms);
    let is_there = |at: &i64| at.div_euclid(86_400_000).rem_euclid(30) != 0;
    let bucket = |at: i64| {
        let mean = (at as f64 / 5e8).sin() * 10.0 + 20.0;
        Bucket { at: WallMs(at), min: mean - 2.0, mean, max: mean + 3.0, count: 60, off: 0 }
    };
    let buckets = all.map(|n| n * step_ms).filter(is_there).map(bucket).collect();
    SeriesPage { from, to, step_ms, buckets }
}
