//! Topics of a broker in figures: what a message costs in the tree, what 50,000 topics take in memory, and the window's
//! frame CPU with the tree open while 20,000 messages a second come. `DUPLEX_BENCH_QUICK=1` takes smaller sizes.

#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs, reason = "a bench says what it sees")]

use std::sync::Arc;
use std::time::Duration;

use duplex::model::event::{Event, LinkEvent, LogKind, SetupUpdate, Update};
use duplex::model::features::{Feature, Features};
use duplex::model::link_state::LinkState;
use duplex::model::panes::{Middle, Panes, TopicLists};
use duplex::model::profile::{Profile, Protocol, Socket};
use duplex::model::publication::{Publication, Publications, Qos, Retain};
use duplex::model::time::BootMs;
use duplex::model::time::WallMs;
use duplex::model::{
    ConnectionId, Model, Principal, PrincipalId, PrincipalKind, SharedModel, Time, TopicEvent, Topics,
};
use duplex::ui::{Options, Ui};

const CONNECTION: ConnectionId = ConnectionId(1);

fn main() {
    let quick =
        std::env::var_os("DUPLEX_BENCH_QUICK").is_some() || std::env::args().any(|arg| arg == "--test");
    tree(200, if quick { 50_000 } else { 2_000_000 }, Retain::No);
    tree(50_000, 50_000, Retain::Replayed);
    tree(50_000, if quick { 50_000 } else { 1_000_000 }, Retain::No);
    let frames = if quick { 60 } else { 600 };
    for topics in [200, 50_000] {
        window(topics, frames);
    }
}

fn topic(at: usize) -> String {
    format!("site/{}/area/{}/sensor{at}/temperature", at % 7, at % 50)
}

/// Messages in batches as a session hands them over, a hundred at a time.
fn batch(topics: &[String], from: usize, now: Time, retain: Retain) -> Arc<Publications> {
    let mut batch = Publications::new(now);
    for n in from..from + 100 {
        let payload = format!(r#"{{"value":{},"unit":"C"}}"#, n % 1_000);
        let (size, qos) = (payload.len() as u32, Qos::AtMostOnce);
        let topic = &topics[n % topics.len()];
        let payload = payload.as_bytes();
        batch.push(&Publication { topic, payload, size, qos, retain, properties: None });
    }
    Arc::new(batch)
}

fn tree(count: usize, messages: usize, retain: Retain) {
    let names: Vec<String> = (0..count).map(topic).collect();
    let before = rss_kb();
    let mut topics = Topics::default();
    let (mut spent, mut slowest) = (Duration::ZERO, Duration::ZERO);
    for n in (0..messages).step_by(100) {
        // 20,000 a second.
        let now = Time { boot_ms: BootMs(1 + n as u64 / 20), wall_ms: WallMs(n as i64 / 20) };
        let seen = batch(&names, n, now, retain);
        let began = cpu_time();
        topics.apply(TopicEvent::Seen(seen));
        let took = cpu_time() - began;
        spent += took;
        slowest = slowest.max(took);
    }
    println!(
        "{count} topics, {messages} messages ({retain:?}): {:.0} ns each, the slowest hundred {} µs; {:.1} MB held, {:.1} MB more resident",
        spent.as_nanos() as f64 / messages as f64,
        slowest.as_micros(),
        topics.held() as f64 / 1e6,
        rss_kb().saturating_sub(before) as f64 / 1e3,
    );
}

/// A frame every 16 ms, before each of which 320 messages come.
fn window(count: usize, frames: usize) {
    let names: Vec<String> = (0..count).map(topic).collect();
    let mut desk = Desk::new(&names);
    println!("frame CPU with the tree of {count} topics open, 1280×800");
    for _ in 0..10 {
        desk.frame();
    }
    desk.report("idle", frames, |_| {});
    let mut n = 0;
    desk.report("320 messages before each frame", frames, |desk| {
        for _ in 0..4 {
            desk.see(batch(&names, n, desk.now, Retain::No));
            n += 80;
        }
    });
    for (key, what) in
        [(egui::Key::End, "the same, everything unfolded"), (egui::Key::Home, "the same again")]
    {
        desk.unfold_all();
        desk.key(key);
        desk.report(what, frames, |desk| desk.see(batch(&names, n, desk.now, Retain::No)));
    }
}

struct Desk {
    ctx: egui::Context,
    ui: Ui,
    model: SharedModel,
    now: Time,
    events: Vec<egui::Event>,
}

impl Desk {
    fn new(names: &[String]) -> Desk {
        let ctx = egui::Context::default();
        let topics = TopicLists { shown: true, ..TopicLists::default() };
        let panes = Panes { middle: Middle::Devices, topics, ..Panes::default() };
        let ui = Ui::new(&ctx, Options { panes, ..Options::default() });
        let mut model = Model::default();
        let now = Time { boot_ms: BootMs(1_000_000), wall_ms: WallMs(1_790_000_000_000) };
        model.apply(now, Update::Setup(SetupUpdate::Configured(Box::new(profile()))));
        let online = LinkState::Online { since: now.wall_ms, rtt_ms: None };
        let me = Principal {
            id: PrincipalId("me".into()),
            kind: PrincipalKind::Person,
            name: "me".into(),
            role: None,
        };
        let features = Features::new([Feature::Topics.word()]);
        let (people, rooms, server) = (Vec::new(), Vec::new(), "broker".to_owned());
        let log = LogKind::Local;
        let welcomed = LinkEvent::Welcomed { me, server, log, now: now.wall_ms, people, rooms, features };
        for event in [LinkEvent::State(online), welcomed] {
            model.apply(now, Update::Connection(CONNECTION, Event::Link(event)));
        }
        let mut desk = Desk { ctx, ui, model: SharedModel::new(model), now, events: Vec::new() };
        for n in (0..names.len()).step_by(100) {
            desk.see(batch(names, n, now, Retain::Replayed));
        }
        desk
    }

    fn see(&mut self, seen: Arc<Publications>) {
        let now = self.now;
        let update = Update::Connection(CONNECTION, Event::Topic(TopicEvent::Seen(seen)));
        self.model.write(|model| model.apply(now, update));
    }

    /// Unfolds every level in view, from the top, until there are none.
    fn unfold_all(&mut self) {
        self.key(egui::Key::Home);
        for _ in 0..400 {
            self.key(egui::Key::ArrowRight);
            self.key(egui::Key::ArrowDown);
        }
    }

    fn key(&mut self, key: egui::Key) {
        for pressed in [true, false] {
            self.events.push(egui::Event::Key {
                key,
                physical_key: None,
                pressed,
                repeat: false,
                modifiers: egui::Modifiers::NONE,
            });
        }
        self.ctx.memory_mut(|memory| memory.request_focus(egui::Id::unique("topic tree")));
        self.frame();
    }

    /// The CPU time of a frame: layout and tessellation.
    fn frame(&mut self) -> Duration {
        self.now = self.now.plus(16);
        let input = egui::RawInput {
            screen_rect: Some(egui::Rect::from_min_size(egui::Pos2::ZERO, egui::vec2(1_280.0, 800.0))),
            time: Some(self.now.boot_ms.0 as f64 / 1_000.0),
            events: std::mem::take(&mut self.events),
            ..egui::RawInput::default()
        };
        let began = cpu_time();
        let (ui, model, now) = (&mut self.ui, &self.model, self.now);
        let mut intents = Vec::new();
        let mut output = self.ctx.run_ui(input, |root| ui.show(root, model, now, &mut intents));
        let shapes = std::mem::take(&mut output.shapes);
        std::hint::black_box(self.ctx.tessellate(shapes, output.pixels_per_point));
        output.textures_delta.clear();
        cpu_time() - began
    }

    fn report(&mut self, what: &str, frames: usize, mut before: impl FnMut(&mut Desk)) {
        let mut times: Vec<Duration> = (0..frames)
            .map(|_| {
                before(self);
                self.frame()
            })
            .collect();
        times.sort();
        let at = |part: f64| times[((times.len() - 1) as f64 * part) as usize].as_secs_f64() * 1_000.0;
        println!("  {what:<34} p50 {:>6.3} ms   p99 {:>6.3} ms   max {:>6.3} ms", at(0.5), at(0.99), at(1.0));
    }
}

fn profile() -> Profile {
    Profile {
        id: CONNECTION,
        name: "broker".to_owned(),
        urls: vec!["ws://broker".to_owned()],
        protocol: Protocol::WebSocket,
        socket: Socket::Tungstenite,
        route: Default::default(),
        ca_file: None,
        fingerprint: None,
        auto_connect: true,
        websocket: Default::default(),
        network: Default::default(),
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

fn rss_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok()).unwrap_or(0)
}
