//! A window in a test: a model, a clock that the test moves, and the person's hands.

use std::ops::RangeInclusive;

use duplex::model::content::{Content, Draft};
use duplex::model::device::DeviceId;
use duplex::model::entry::Entry;
use duplex::model::event::{
    ChatEvent, Event, LinkEvent, LogKind, LogRestart, Page, SetupUpdate, Side, Update,
};
use duplex::model::id::{ConnectionId, Epoch, MessageId, Offset, PrincipalId, RoomId};
use duplex::model::intent::{ChatIntent, Credential, Intent, LinkIntent};
use duplex::model::link_state::LinkState;
use duplex::model::message::{Delivery, Message, OutboxItem, Position};
use duplex::model::panes::Panes;
use duplex::model::principal::{Principal, PrincipalKind, Sender};
use duplex::model::profile::{Profile, Protocol, Socket};
use duplex::model::time::BootMs;
use duplex::model::time::WallMs;
use duplex::model::{Feature, Features, SharedModel, Time};
use duplex::ui::{Options, Ui};
use egui::accesskit::Role;
use egui::{Key, Modifiers, Rect};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};

/// The connection of every test.
pub const CONNECTION: ConnectionId = ConnectionId(3);
/// Wall time at a test's start: noon in the middle of a month, in most places of the world.
const WALL: i64 = 1_760_529_600_000;

/// The room of most tests.
pub fn general() -> RoomId {
    RoomId::general()
}

/// Somebody, by a key that is also their name.
pub fn sender(name: &str) -> Sender {
    Sender { id: PrincipalId(name.into()), name: name.into() }
}

/// Who we are.
pub fn me() -> Principal {
    Principal { id: PrincipalId("me".into()), kind: PrincipalKind::Person, name: "me".into(), role: None }
}

pub fn id(number: u64) -> MessageId {
    let mut bytes = [7; 16];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    MessageId::from_random(bytes)
}

/// An entry of the log, a second after the one before.
pub fn message(offset: u64, room: &str, by: &str, body: &str) -> Entry {
    let at = WALL - 3_600_000 + offset as i64 * 1_000;
    Entry {
        draft: Draft {
            id: id(offset),
            room: RoomId::new(room).unwrap(),
            content: Content::text(body),
            at: WallMs(at),
        },
        offset: Offset(offset),
        sender: sender(by),
        received: WallMs(at),
    }
}

/// What a frame of the window needs.
pub struct App {
    ui: Option<Ui>,
    model: SharedModel,
    now: Time,
    intents: Vec<Intent>,
}

impl App {
    /// How the model says the window is to be.
    #[allow(dead_code, reason = "not every test program looks at the settings")]
    pub fn preferences(&self) -> duplex::model::Preferences {
        self.model.read(|model| model.preferences)
    }

    /// Changes the model, and draws nothing yet.
    #[allow(dead_code, reason = "not every test program looks at a single frame")]
    pub fn apply(&mut self, update: Update) {
        let now = self.now;
        self.model.write(|model| model.apply(now, update));
    }

    /// Of what the model says that the person wants to be told.
    pub fn notice_choices(&self) -> duplex::model::NoticeChoices {
        self.model.read(|model| model.notice_choices.clone())
    }
}

/// A window and the person before it.
pub struct Window {
    /// For looking at it.
    pub harness: Harness<'static, App>,
    queued: u64,
}

impl Window {
    /// Connected, in an empty `general`.
    pub fn online() -> Window {
        Window::sized(1_100.0, 720.0)
    }

    /// The same in another size.
    pub fn sized(width: f32, height: f32) -> Window {
        Window::begun(width, height, Options::default(), &["general"])
    }

    /// The same, with what was kept from the last time.
    pub fn begun(width: f32, height: f32, options: Options, rooms: &[&str]) -> Window {
        let app = App {
            ui: None,
            model: SharedModel::default(),
            now: Time { boot_ms: BootMs(10_000_000), wall_ms: WallMs(WALL) },
            intents: Vec::new(),
        };
        let harness = Harness::builder()
            .with_size(egui::vec2(width, height))
            .with_max_steps(30)
            .allow_missing_glyphs()
            .build_ui_state(
                move |ui, app: &mut App| {
                    let window = app.ui.get_or_insert_with(|| Ui::new(ui.ctx(), options.clone()));
                    window.show(ui, &app.model, app.now, &mut app.intents);
                },
                app,
            );
        let mut window = Window { harness, queued: 0 };
        window.update(Update::Setup(SetupUpdate::Configured(Box::new(profile()))));
        window.link(LinkState::Online { since: WallMs(WALL), rtt_ms: None });
        window.welcome(0, rooms);
        window.event(Event::Chat(ChatEvent::LogStarted {
            epoch: Epoch(1),
            from: Offset(1),
            why: LogRestart::First,
        }));
        window.intents();
        window
    }

    /// Opens a device's page.
    #[allow(dead_code, reason = "not every test program looks at devices")]
    pub fn open_device(&mut self, device: DeviceId) {
        if let Some(ui) = &mut self.harness.state_mut().ui {
            ui.open_device(CONNECTION, device);
        }
    }

    /// Does something to the window from outside, and draws.
    pub fn ui(&mut self, act: impl FnOnce(&mut Ui, &SharedModel, &mut Vec<Intent>)) {
        let app = self.harness.state_mut();
        if let Some(ui) = &mut app.ui {
            act(ui, &app.model, &mut app.intents);
        }
        self.run();
    }

    /// This is around the window now.
    pub fn surround(&mut self, around: duplex::ui::Surroundings) {
        self.ui(|ui, _, _| ui.set_surroundings(around));
    }

    /// What the person looks at.
    pub fn viewing(&self) -> duplex::model::notices::Viewing {
        self.harness.state().ui.as_ref().unwrap().viewing()
    }

    /// Draws until nothing moves.
    pub fn run(&mut self) {
        self.harness.run();
    }

    /// The time.
    pub fn now(&self) -> Time {
        self.harness.state().now
    }

    /// Lets time pass and draws.
    pub fn pass(&mut self, ms: u64) {
        let app = self.harness.state_mut();
        app.now = app.now.plus(ms);
        self.run();
    }

    /// Something happened on the connection, and nothing is drawn yet.
    #[allow(dead_code, reason = "not every test program has so much happen")]
    pub fn apply(&mut self, event: Event) {
        let app = self.harness.state_mut();
        let now = app.now;
        app.model.write(|model| model.apply(now, Update::Connection(CONNECTION, event)));
    }

    /// Changes the model and draws.
    pub fn update(&mut self, update: Update) {
        let app = self.harness.state_mut();
        let now = app.now;
        app.model.write(|model| model.apply(now, update));
        self.run();
    }

    /// Something happened on the connection.
    pub fn event(&mut self, event: Event) {
        self.update(Update::Connection(CONNECTION, event));
    }

    /// The link's state changed.
    pub fn link(&mut self, state: LinkState) {
        self.event(Event::Link(LinkEvent::State(state)));
    }

    /// Changes the connection's settings.
    pub fn configure(&mut self, change: impl FnOnce(&mut Profile)) {
        let read = |model: &duplex::model::Model| model.connections[&CONNECTION].profile.clone();
        let mut profile = self.harness.state().model.read(read);
        change(&mut profile);
        self.update(Update::Setup(SetupUpdate::Configured(Box::new(profile))));
    }

    /// The hub's welcome.
    pub fn welcome(&mut self, head: u64, rooms: &[&str]) {
        let now = self.now().wall_ms;
        let rooms = rooms.iter().map(|name| RoomId::new(*name).unwrap().into()).collect();
        self.event(Event::Link(LinkEvent::Welcomed {
            me: me(),
            server: "Workshop".into(),
            log: LogKind::Server { head: Offset(head), next: Offset(head + 1) },
            now,
            people: vec![],
            rooms,
            features: Features::all().without(Feature::People).without(Feature::Invites),
        }));
    }

    /// The hub welcomes the person as this principal.
    #[allow(dead_code, reason = "for the tests of who may come in")]
    pub fn become_who(&mut self, me: Principal) {
        let app = self.harness.state_mut();
        app.model.write(|model| {
            if let Some(connection) = model.connections.get_mut(&CONNECTION) {
                let all = Features::all();
                connection.features = Some(match me.kind {
                    PrincipalKind::Admin => all,
                    _ => all.without(Feature::People).without(Feature::Invites),
                });
                connection.chat.me = Some(me);
            }
        });
        self.run();
    }

    /// From now on the server offers this.
    #[allow(dead_code, reason = "not every test program needs it")]
    pub fn offer(&mut self, features: Features) {
        let app = self.harness.state_mut();
        app.model.write(|model| {
            if let Some(connection) = model.connections.get_mut(&CONNECTION) {
                connection.features = Some(features);
            }
        });
        self.run();
    }

    /// Messages by Mina, "message N", in `general`.
    pub fn entries(&mut self, offsets: RangeInclusive<u64>, live: bool) {
        let entries = offsets.map(|n| message(n, "general", "mina", &format!("message {n}"))).collect();
        self.event(Event::Chat(ChatEvent::Entries { entries, live }));
    }

    /// A page of such messages as read from disk.
    pub fn page(&self, offsets: RangeInclusive<u64>, older_on_disk: bool, newer_on_disk: bool) -> Page {
        let stored = |n| {
            let entry = message(n, "general", "mina", &format!("message {n}"));
            Message::new(entry, Position { era: 1, offset: Offset(n) }, false)
        };
        Page { messages: offsets.map(stored).collect(), older_on_disk, older_on_hub: false, newer_on_disk }
    }

    /// Begins with such a page.
    pub fn paged(&mut self, offsets: RangeInclusive<u64>, older_on_disk: bool, newer_on_disk: bool) {
        let newest = *offsets.end();
        let page = self.page(offsets, older_on_disk, newer_on_disk);
        self.harness.state_mut().model.write(|model| {
            let connection = model.connections.get_mut(&CONNECTION).unwrap();
            let room = connection.chat.rooms.get_mut(&general()).unwrap();
            room.newest = Position { era: 1, offset: Offset(newest) };
            room.read = room.newest;
        });
        self.event(Event::Chat(ChatEvent::Jumped { room: general(), page }));
    }

    /// A page next to the window; older ones remain.
    pub fn page_in(&mut self, side: Side, offsets: RangeInclusive<u64>) {
        let page = self.page(offsets, true, false);
        self.event(Event::Chat(ChatEvent::Paged { room: general(), side, page }));
    }

    /// Puts a message into the outbox, typed `at` milliseconds from now.
    pub fn queue(&mut self, body: &str, delivery: Delivery, at: i64) -> MessageId {
        self.queue_in(general(), body, delivery, at)
    }

    /// The same in another room.
    pub fn queue_in(&mut self, room: RoomId, body: &str, delivery: Delivery, at: i64) -> MessageId {
        self.queued += 1;
        let item = OutboxItem {
            draft: Draft {
                id: id(1_000_000 + self.queued),
                room,
                content: Content::text(body),
                at: self.now().wall_ms + at,
            },
            seq: self.queued,
            delivery,
        };
        let id = item.draft.id;
        self.event(Event::Chat(ChatEvent::Queued(item)));
        id
    }

    /// The connection that the person has saved since the last look.
    pub fn saved(&mut self) -> (Profile, Credential) {
        let intents = self.intents();
        let saved = intents.iter().find_map(|intent| match intent {
            Intent::Link(LinkIntent::SaveConnection { profile, credential }) => {
                Some((profile.clone(), credential.clone()))
            }
            _ => None,
        });
        saved.unwrap_or_else(|| panic!("{intents:?}"))
    }

    /// What the person has wanted since the last look, without what each connection dialog and each room asks for when it opens: see
    /// [`Window::all_intents`].
    pub fn intents(&mut self) -> Vec<Intent> {
        let mut all = self.all_intents();
        all.retain(|intent| {
            !matches!(
                intent,
                Intent::Link(LinkIntent::LookForServers(_) | LinkIntent::AskKeyring)
                    | Intent::Chat(ChatIntent::AskReceipts { .. })
            )
        });
        all
    }

    /// All that the window wants of the worker since the last look.
    #[allow(dead_code, reason = "not every test program asks")]
    pub fn all_intents(&mut self) -> Vec<Intent> {
        std::mem::take(&mut self.harness.state_mut().intents)
    }

    /// What is kept when the window closes.
    pub fn flush(&mut self) -> Vec<Intent> {
        let mut intents = Vec::new();
        if let Some(ui) = &mut self.harness.state_mut().ui {
            ui.flush_drafts(&mut intents);
        }
        intents
    }

    /// How the panes would be kept when the window closes.
    #[allow(dead_code, reason = "for the tests of the panes")]
    pub fn panes(&self) -> Panes {
        self.harness.state().ui.as_ref().map(Ui::panes).unwrap_or_default()
    }

    /// The person makes the window so large.
    #[allow(dead_code, reason = "for the tests of the panes")]
    pub fn resize(&mut self, width: f32, height: f32) {
        self.harness.set_size(egui::vec2(width, height));
        self.run();
    }

    /// When the window wants to be drawn by itself.
    pub fn next_deadline(&self) -> Option<BootMs> {
        self.harness.state().ui.as_ref().and_then(Ui::next_deadline)
    }

    /// Clicks what bears this name; a control before a text.
    pub fn click(&mut self, name: &str) {
        let control = |role| {
            matches!(
                role,
                Role::Button | Role::CheckBox | Role::RadioButton | Role::MenuItem | Role::ListItem
            )
        };
        let all = self.harness.get_all_by_label(name);
        let mut all: Vec<_> = all.collect();
        all.sort_by_key(|node| !control(node.accesskit_node().role()));
        all.first().unwrap().click();
        drop(all);
        self.run();
    }

    /// Chooses a room, whatever is unread in it.
    pub fn click_room(&mut self, name: &str) {
        let with_counts = format!("{name}, ");
        let is_it = |label: &str| label == name || label.starts_with(&with_counts);
        let rooms = self.harness.get_all_by_role(Role::ListItem);
        let mut rooms = rooms.filter(|room| room.accesskit_node().label().is_some_and(|label| is_it(&label)));
        rooms.next().unwrap().click();
        drop(rooms);
        self.run();
    }

    /// Puts the focus into the message field.
    pub fn focus_message(&mut self) {
        self.harness.get_by_label("Message").focus();
        self.run();
    }

    /// Types into the message field.
    pub fn type_message(&mut self, text: &str) {
        self.focus_message();
        self.type_text(text);
    }

    /// Types where the focus is.
    pub fn type_text(&mut self, text: &str) {
        self.harness.event(egui::Event::Text(text.into()));
        self.run();
    }

    /// Pastes into the message field.
    pub fn paste(&mut self, text: &str) {
        self.focus_message();
        self.harness.event(egui::Event::Paste(text.into()));
        self.run();
    }

    /// Replaces a field's text.
    pub fn fill(&mut self, name: &str, text: &str) {
        self.harness.get_by_label(name).focus();
        self.run();
        self.harness.key_press_modifiers(Modifiers::COMMAND, Key::A);
        self.run();
        self.type_text(text);
    }

    /// What stands in the message field.
    pub fn message_text(&self) -> String {
        self.harness.get_by_label("Message").value().unwrap_or_default()
    }

    /// Presses a key.
    pub fn key(&mut self, key: Key) {
        self.key_with(Modifiers::NONE, key);
    }

    /// Presses a key with others held.
    pub fn key_with(&mut self, modifiers: Modifiers, key: Key) {
        self.harness.key_press_modifiers(modifiers, key);
        self.run();
    }

    /// The input method shows a syllable that is not complete.
    pub fn ime_preedit(&mut self, text: &str) {
        let preedit = egui::ImeEvent::Preedit { text: text.into(), active_range_chars: None };
        self.harness.event(egui::Event::Ime(preedit));
        self.run();
    }

    /// The input method's syllable is complete.
    pub fn ime_commit(&mut self, text: &str) {
        self.harness.event(egui::Event::Ime(egui::ImeEvent::Commit(text.into())));
        self.run();
    }

    /// The same, and Enter in the same frame, as ibus-hangul has it.
    pub fn ime_commit_and_enter(&mut self, text: &str) {
        let input = self.harness.input_mut();
        input.events.push(egui::Event::Ime(egui::ImeEvent::Commit(text.into())));
        input.events.push(egui::Event::Key {
            key: Key::Enter,
            physical_key: None,
            pressed: true,
            repeat: false,
            modifiers: Modifiers::NONE,
        });
        self.run();
    }

    /// The window gets or loses the focus.
    pub fn focus_window(&mut self, focused: bool) {
        self.harness.input_mut().focused = focused;
        self.run();
    }

    /// Turns the wheel over the messages; positive goes back.
    pub fn scroll(&mut self, points: f32) {
        let rect = self.harness.get_by_label("Messages").rect();
        self.harness.hover_at(rect.center());
        self.harness.event(egui::Event::MouseWheel {
            unit: egui::MouseWheelUnit::Point,
            delta: egui::vec2(0.0, points),
            phase: egui::TouchPhase::Move,
            source: egui::MouseWheelSource::Unknown,
            modifiers: Modifiers::NONE,
        });
        self.run();
    }

    /// What the last frame put into the clipboard.
    pub fn copied(&self) -> Option<String> {
        let commands = &self.harness.output().platform_output.commands;
        commands.iter().find_map(|command| match command {
            egui::OutputCommand::CopyText(text) => Some(text.clone()),
            _ => None,
        })
    }

    /// Where something of this name is.
    pub fn rect(&self, name: &str) -> Rect {
        self.harness.get_by_label(name).rect()
    }

    /// A message in the middle of the list, and where it is.
    pub fn some_visible_message(&self) -> (String, Rect) {
        let list = self.harness.get_by_label("Messages").rect();
        let visible = self.harness.query_all_by_label_contains("message ").find(|node| {
            let value = node.accesskit_node().value().unwrap_or_default();
            value.starts_with("message ") && (node.rect().center().y - list.center().y).abs() < 80.0
        });
        let node = visible.expect("a message in the middle");
        (node.accesskit_node().value().unwrap_or_default(), node.rect())
    }

    /// The accessible description of something.
    pub fn description(&self, name: &str) -> String {
        self.harness.get_by_label(name).accesskit_node().description().unwrap_or_default()
    }

    /// Every control in the tree has a name.
    pub fn check_names(&mut self) {
        self.run();
        self.harness.check_accessibility();
        for node in self.harness.root().children_recursive() {
            let node = node.accesskit_node();
            let acts = node.data().supports_action(egui::accesskit::Action::Click)
                && node.data().supports_action(egui::accesskit::Action::Focus);
            let named = node.label().is_some_and(|label| !label.trim().is_empty());
            assert!(
                !acts || named || node.role() == Role::GenericContainer,
                "{:?} {:?}",
                node.role(),
                node.raw_bounds()
            );
        }
    }
}

/// The connection that a window has.
pub fn profile() -> Profile {
    Profile {
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
    }
}
