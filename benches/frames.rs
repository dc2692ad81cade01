//! Frame CPU of the window, layout and tessellation without a GPU, over a room of a million messages of which the
//! model holds its window: idle, warm scrolling, and right after a jump to rows that were never laid out.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, missing_docs)]

use std::time::Duration;

use duplex::model::content::{Content, Draft};
use duplex::model::entry::Entry;
use duplex::model::event::{ChatEvent, Event, LinkEvent, Page, SetupUpdate, Side, Update};
use duplex::model::id::{ConnectionId, MessageId, Offset, PrincipalId, RoomId};
use duplex::model::intent::{AppIntent, ChatIntent, Intent, Jump};
use duplex::model::link_state::LinkState;
use duplex::model::message::{Message, Position};
use duplex::model::principal::{Principal, PrincipalKind, Sender};
use duplex::model::profile::{Profile, Protocol, Socket};
use duplex::model::time::BootMs;
use duplex::model::time::WallMs;
use duplex::model::{SharedModel, Time};
use duplex::ui::{Options, Ui};

const MESSAGES: u64 = 1_000_000;
const CONNECTION: ConnectionId = ConnectionId(1);
const PAGE: u64 = 200;

fn main() {
    let quick = std::env::var_os("DUPLEX_BENCH_QUICK").is_some();
    let frames = if quick { 60 } else { 600 };
    let jumps = if quick { 5 } else { 60 };
    let plain = Kind::Plain;
    for (accessible, kind) in [(false, plain), (true, plain), (false, Kind::Rich), (false, Kind::Changed)] {
        let (of, reader) = (kind.name(), if accessible { "on" } else { "off" });
        println!("frame CPU, {MESSAGES} {of}messages, 1280×800, screen reader {reader}");
        let mut desk = Desk::new(accessible, kind);
        desk.settle();
        let idle = desk.measure(frames, |_| {});
        report("idle, at the newest", idle);
        let warm = desk.measure(frames, |desk| {
            // Back and forth over rows that are on screen: the text is laid out already.
            let by = if desk.frame % 2 == 0 { 3.0 } else { -3.0 };
            desk.wheel(by);
        });
        report("warm scrolling", warm);
        let reading = desk.measure(frames, |desk| desk.wheel(60.0));
        report("reading back at 60 points a frame", reading);
        let mut after_jump = Vec::new();
        for n in 0..jumps {
            let offset = (n * 7_919_993 + 1) % MESSAGES;
            desk.jump(offset.max(PAGE));
            after_jump.push(desk.timed());
            desk.settle();
        }
        report("first frame after a jump", after_jump);
        let mut ends = Vec::new();
        for key in [egui::Key::Home, egui::Key::End].into_iter().cycle().take(jumps as usize) {
            let begun = cpu_time();
            desk.press(key);
            desk.draw();
            desk.draw();
            ends.push(cpu_time() - begun);
        }
        report("Home or End, key to rows (disk apart)", ends);
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

/// A window without a screen, and a disk that answers at once.
struct Desk {
    ctx: egui::Context,
    ui: Ui,
    model: SharedModel,
    now: Time,
    events: Vec<egui::Event>,
    frame: u64,
    kind: Kind,
}

/// What the messages are like.
#[derive(Copy, Clone, PartialEq, Eq)]
enum Kind {
    /// Text alone.
    Plain,
    /// Each with markup: emphasis, a link, a list or code.
    Rich,
    /// Text; one of ten has a reaction, one of a hundred was edited.
    Changed,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Plain => "",
            Kind::Rich => "rich ",
            Kind::Changed => "reacted and edited ",
        }
    }
}

impl Desk {
    fn new(accessible: bool, kind: Kind) -> Desk {
        let ctx = egui::Context::default();
        if accessible {
            ctx.enable_accesskit();
        }
        let ui = Ui::new(&ctx, Options::default());
        let model = SharedModel::default();
        let now = Time { boot_ms: BootMs(10_000_000), wall_ms: WallMs(1_760_529_600_000) };
        let mut desk = Desk { ctx, ui, model, now, events: Vec::new(), frame: 0, kind };
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
        let me = Principal {
            id: PrincipalId("p0".into()),
            kind: PrincipalKind::Person,
            name: "Jonas".into(),
            role: None,
        };
        let rooms = (0..20).map(|n| RoomId::new(format!("room {n}")).unwrap()).chain([RoomId::general()]);
        desk.event(Event::Link(LinkEvent::State(LinkState::Online { since: WallMs(0), rtt_ms: Some(1) })));
        desk.event(Event::Link(LinkEvent::Welcomed {
            me,
            server: "Workshop".into(),
            log: duplex::model::event::LogKind::Server { head: Offset(MESSAGES), next: Offset(1) },
            now: now.wall_ms,
            people: vec![],
            rooms: rooms.map(Into::into).collect(),
            features: Default::default(),
        }));
        let page = page(MESSAGES - PAGE..=MESSAGES - 1, kind);
        desk.model.write(|model| {
            let room = model
                .connections
                .get_mut(&CONNECTION)
                .unwrap()
                .chat
                .rooms
                .get_mut(&RoomId::general())
                .unwrap();
            room.newest = Position { era: 1, offset: Offset(MESSAGES - 1) };
            room.read = room.newest;
        });
        desk.event(Event::Chat(ChatEvent::Jumped { room: RoomId::general(), page }));
        desk
    }

    fn update(&mut self, update: Update) {
        let now = self.now;
        self.model.write(|model| model.apply(now, update));
    }

    fn event(&mut self, event: Event) {
        self.update(Update::Connection(CONNECTION, event));
    }

    fn settle(&mut self) {
        for _ in 0..10 {
            self.draw();
        }
    }

    /// Draws a number of frames, each after something.
    fn measure(&mut self, frames: u64, mut before: impl FnMut(&mut Desk)) -> Vec<Duration> {
        let mut times = Vec::new();
        for _ in 0..frames {
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

    fn draw(&mut self) {
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
        let mut output = self.ctx.run_ui(input, |ui| self.ui.show(ui, &self.model, self.now, &mut intents));
        // There is no screen to put them on.
        output.textures_delta.clear();
        std::hint::black_box(self.ctx.tessellate(output.shapes, output.pixels_per_point));
        for intent in intents {
            self.answer(intent);
        }
    }

    /// What the worker and the disk would do.
    fn answer(&mut self, intent: Intent) {
        let room = RoomId::general();
        match intent {
            Intent::Chat(ChatIntent::LoadMore { side, .. }) => {
                let ends = self.model.read(|model| {
                    let window = &model.connections[&CONNECTION].chat.rooms[&room].window;
                    (window.first().unwrap().position.offset.0, window.last().unwrap().position.offset.0)
                });
                let page = match side {
                    Side::Older => page(ends.0.saturating_sub(PAGE)..=ends.0.saturating_sub(1), self.kind),
                    Side::Newer => page(ends.1 + 1..=(ends.1 + PAGE).min(MESSAGES - 1), self.kind),
                };
                self.event(Event::Chat(ChatEvent::Paged { room, side, page }));
            }
            Intent::Chat(ChatIntent::JumpTo { jump, .. }) => {
                let middle = match jump {
                    Jump::Start => 0,
                    Jump::End => MESSAGES,
                    Jump::To(position) => position.offset.0,
                };
                let from = middle.saturating_sub(PAGE).min(MESSAGES - 2 * PAGE);
                self.event(Event::Chat(ChatEvent::Jumped {
                    room,
                    page: page(from..=from + 2 * PAGE - 1, self.kind),
                }));
            }
            Intent::Chat(ChatIntent::MarkRead { .. }) | Intent::App(AppIntent::Focus(_)) => {}
            other => println!("  (not answered: {other:?})"),
        }
    }

    /// To a message far away, as the scroll bar would.
    fn jump(&mut self, offset: u64) {
        let position = Position { era: 1, offset: Offset(offset) };
        self.answer(Intent::Chat(ChatIntent::JumpTo {
            connection: CONNECTION,
            room: RoomId::general(),
            jump: Jump::To(position),
        }));
    }

    fn wheel(&mut self, points: f32) {
        self.events.push(egui::Event::PointerMoved(egui::pos2(800.0, 400.0)));
        self.events.push(egui::Event::MouseWheel {
            unit: egui::MouseWheelUnit::Point,
            delta: egui::vec2(0.0, points),
            phase: egui::TouchPhase::Move,
            source: egui::MouseWheelSource::Trackpad,
            modifiers: egui::Modifiers::NONE,
        });
    }

    fn press(&mut self, key: egui::Key) {
        let list = egui::Id::unique(("messages", (CONNECTION, RoomId::general())));
        self.ctx.memory_mut(|memory| memory.request_focus(list));
        self.events.push(egui::Event::Key {
            key,
            physical_key: None,
            pressed: true,
            repeat: false,
            modifiers: egui::Modifiers::NONE,
        });
    }
}

fn page(offsets: std::ops::RangeInclusive<u64>, kind: Kind) -> Page {
    let (older_on_disk, newer_on_disk) = (*offsets.start() > 0, *offsets.end() < MESSAGES - 1);
    Page {
        messages: offsets.map(|n| message(n, kind)).collect(),
        older_on_disk,
        older_on_hub: false,
        newer_on_disk,
    }
}

/// Message `n`: always the same, of one to a few lines, in several scripts.
fn message(n: u64, kind: Kind) -> Message {
    const WORDS: [&str; 16] = [
        "spindle",
        "temperature",
        "is",
        "at",
        "the",
        "bearing",
        "measured",
        "온도가",
        "다시",
        "올라갑니다",
        "we",
        "should",
        "check",
        "tomorrow",
        "before",
        "lunch",
    ];
    let mut state = n.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let length = 4 + next() % 28;
    let body: Vec<&str> = (0..length).map(|_| WORDS[(next() % 16) as usize]).collect();
    let text = body.join(" ");
    let body = match n % 3 {
        _ if kind != Kind::Rich => format!("{n}: {text}"),
        0 => format!(
            "**{n}** and *{text}*, see [the page](https://example.com/{n}) or https://example.com/{n}"
        ),
        1 => format!("{n}:\n- {text}\n- `code {n}`\n\n> {text}"),
        _ => format!("{n}\n```rust\nfn f() {{\n    // {text}\n}}\n```"),
    };
    let author = next() % 5;
    let mut bytes = [3; 16];
    bytes[..8].copy_from_slice(&n.to_be_bytes());
    let at = 1_760_529_600_000 - (MESSAGES - n) as i64 * 60_000;
    let mut message = Message {
        position: Position { era: 1, offset: Offset(n) },
        id: MessageId::from_random(bytes),
        sender: Sender { id: PrincipalId(format!("p{author}")), name: format!("Person {author}") },
        content: Content::text(body),
        at: WallMs(at),
        received: WallMs(at),
        changes: None,
        quote: None,
        replies: Default::default(),
        live: false,
    };
    if kind == Kind::Changed && n.is_multiple_of(10) {
        let id = message.id;
        change(&mut message, 1, Content::reaction(id, "👍", false));
    }
    if kind == Kind::Changed && n.is_multiple_of(100) {
        let better = format!("{}, after all", message.body());
        let id = message.id;
        change(&mut message, 2, Content::edit(id, better));
    }
    message
}

/// Changes a message by its author.
fn change(message: &mut Message, number: u64, content: Content) {
    let offset = Offset(2 * MESSAGES + 2 * message.position.offset.0 + number);
    let draft = Draft { id: message.id, room: RoomId::general(), content, at: message.at };
    let entry = Entry { draft, offset, sender: message.sender.clone(), received: message.at };
    assert!(message.change(&entry, Position { era: 1, offset }), "it changes something");
}
