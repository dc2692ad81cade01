//! Text composed with an input method (Korean, Chinese, Japanese) is inserted exactly once, whatever is clicked
//! meanwhile.
//!
//! XIM on X11 loses it: fcitx5 does not report the composition to the window by default, and winit ignores text
//! committed when the focus is lost. So the window communicates with fcitx5 and ibus over D-Bus, as GTK and Qt do; on
//! Wayland, too, because keys pressed while text-input is being enabled bypass the input method. If no input method
//! is available over D-Bus, and on KDE, whose compositor positions the candidates, the window system is used. For
//! this, [`run`] sits between winit and eframe: each event passes through [`order::Order`].

mod bus;
mod keys;
mod order;
mod speech;

use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant};

use eframe::{AppCreator, EframeWinitApplication, NativeOptions, UserEvent};
use egui::{Context, FullOutput, Plugin, Rect, ViewportId};
use tokio::sync::mpsc;
use winit::application::ApplicationHandler;
use winit::event::{Ime, StartCause, WindowEvent};
use winit::event_loop::{ActiveEventLoop, ControlFlow, EventLoop, EventLoopProxy};
use winit::keyboard::ModifiersState;
use winit::platform::wayland::ActiveEventLoopExtWayland as _;
use winit::window::{Window, WindowId};

use self::bus::News;
use self::keys::Press;
use self::order::{Composed, Item, Order, Out};
use self::speech::Speech;
use crate::model::time::BootMs;
use crate::{clock, privacy};

/// Maximum number of messages from the input method queued for the window.
const MAX_NEWS: usize = 1_024;
/// Distinguishes our wake-ups from eframe's repaint requests.
const WAKE: u64 = u64::MAX;

/// The input methods that the environment asked for when the program started.
static WANTED: OnceLock<Vec<Speech>> = OnceLock::new();

/// Disables XIM if the input method is available over D-Bus: XIM's own context would take the focus from ours
/// whenever the window gets it. Call it in `main` before the first thread starts.
pub(super) fn prepare() {
    let get = |name: &str| std::env::var(name).ok();
    let wanted = WANTED.get_or_init(|| Speech::wanted(get));
    let modifiers = get("XMODIFIERS").filter(|modifiers| !modifiers.is_empty());
    if let Some(modifiers) = modifiers.filter(|_| wanted.iter().any(|speech| speech.runs())) {
        // For child processes, see `worker::browser`.
        privacy::set_variable("DUPLEX_XMODIFIERS", &modifiers);
        privacy::set_variable("XMODIFIERS", "@im=local");
    }
}

/// State shared by the window system and the frames.
#[derive(Default)]
struct Shared {
    window: OnceLock<Weak<Window>>,
    field: Mutex<Field>,
}

/// A handle to the state shared by the window system and the frames.
#[derive(Clone)]
pub(super) struct Link(Arc<Shared>);

/// What the frames reported about the focused field since it was last read.
#[derive(Default)]
struct Field {
    /// The input method is used over D-Bus: the window system's is not wanted.
    on_bus: bool,
    /// A composition is shown.
    composing: bool,
    changed: bool,
    id: Option<u64>,
    interrupted: bool,
    /// The focus moved to a field that was drawn before: typed text is not for it until the next frame.
    moves: bool,
    focused: Option<egui::Id>,
    /// The cursor in pixels of the window.
    cursor: Option<Rect>,
}

impl Link {
    /// Creates the shared state.
    pub(super) fn new() -> Link {
        Link(Arc::default())
    }

    /// Has the frames report the focus.
    pub(super) fn attach(&self, creation: &eframe::CreationContext<'_>) {
        if let Some(window) = creation.winit_window() {
            // Set here only.
            let _ = self.0.window.set(Arc::downgrade(window));
        }
        creation.egui_ctx.add_plugin(Watch(self.clone()));
    }

    fn window(&self) -> Option<Arc<Window>> {
        self.0.window.get()?.upgrade()
    }

    fn field<R>(&self, with: impl FnOnce(&mut Field) -> R) -> R {
        with(&mut self.0.field.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Observes which field has the focus.
struct Watch(Link);

impl Plugin for Watch {
    fn debug_name(&self) -> &'static str {
        "input method"
    }

    fn output_hook(&mut self, ctx: &Context, output: &mut FullOutput) {
        let ime = &mut output.platform_output.ime;
        // An input method may store its input, so it never gets passwords.
        let told = ime.filter(|ime| ime.purpose != egui::IMEPurpose::Password);
        let focused = ctx.memory(|memory| memory.focused());
        let id = focused.filter(|_| told.is_some()).map(|id| id.value());
        let waits = ime.is_none() && ctx.text_edit_focused();
        let cursor = told.map(|ime| ime.cursor_rect * ctx.pixels_per_point());
        self.0.field(|field| {
            field.changed |= id != field.id || cursor != field.cursor;
            field.interrupted |= told.is_some_and(|ime| ime.should_interrupt_composition);
            field.moves = waits && focused != field.focused;
            (field.id, field.focused, field.cursor) = (id, focused, cursor);
            if field.on_bus {
                *ime = None;
            } else if let Some(ime) = ime.as_mut().filter(|_| !field.composing) {
                // An interruption would switch it off and on, and text typed meanwhile would bypass the input method.
                ime.should_interrupt_composition = false;
            }
        });
    }
}

/// Runs eframe's app until its window is closed.
pub(super) fn run(options: NativeOptions, creator: AppCreator<'_>, link: &Link) -> Result<(), eframe::Error> {
    let event_loop = EventLoop::<UserEvent>::with_user_event().build()?;
    let (sender, news) = sync_channel(MAX_NEWS);
    let proxy = event_loop.create_proxy();
    let tell: bus::Tell = Arc::new(move |news| sender.send(news).is_ok() && wake(&proxy));
    let speeches = WANTED.get_or_init(|| Speech::wanted(|name| std::env::var(name).ok())).clone();
    let bus = match speeches.is_empty() {
        true => None,
        false => match bus::start(speeches, tell) {
            Ok(bus) => Some(bus),
            Err(error) => {
                log::warn!("the input method is used through the window system only: {error}");
                None
            }
        },
    };
    let app = eframe::create_native("duplex", options, creator, &event_loop);
    let mut handler = Handler {
        app,
        link: link.clone(),
        order: Order::default(),
        modifiers: ModifiersState::empty(),
        news,
        bus,
        told_spot: None,
        compositor_first: compositor_first(|name| std::env::var(name).ok()),
    };
    event_loop.run_app(&mut handler)?;
    Ok(())
}

/// Wakes the event loop to handle news. Returns `false` if it has ended.
fn wake(proxy: &EventLoopProxy<UserEvent>) -> bool {
    let (when, viewport_id) = (Instant::now(), ViewportId::ROOT);
    proxy.send_event(UserEvent::RequestRepaint { viewport_id, when, cumulative_pass_nr: WAKE }).is_ok()
}

/// An event waiting for its turn.
#[derive(Clone)]
enum Event {
    Window(WindowId, WindowEvent),
    /// An action of a screen reader. Only the first receiver gets it.
    User(Arc<Mutex<Option<UserEvent>>>),
}

struct Handler<'a> {
    app: EframeWinitApplication<'a>,
    link: Link,
    order: Order<Event>,
    modifiers: ModifiersState,
    news: Receiver<News>,
    /// `None` if no input method is available over D-Bus.
    bus: Option<mpsc::Sender<bus::Order>>,
    told_spot: Option<Rect>,
    compositor_first: bool,
}

impl Handler<'_> {
    fn item(&mut self, id: WindowId, event: WindowEvent) -> Item<Event> {
        match &event {
            WindowEvent::KeyboardInput { event: key, is_synthetic: false, .. } => {
                match Press::of(key, self.modifiers) {
                    Some(press) => Item::Key(press, Event::Window(id, event)),
                    None => Item::Other(Event::Window(id, event)),
                }
            }
            WindowEvent::ModifiersChanged(modifiers) => {
                self.modifiers = modifiers.state();
                Item::Other(Event::Window(id, event))
            }
            WindowEvent::Focused(has) => Item::Focus(*has, Event::Window(id, event)),
            WindowEvent::Ime(ime) => Item::Composed(match ime {
                Ime::Preedit(text, range) => Composed::Preedit(text.clone(), range.map(|(_, end)| end)),
                Ime::Commit(text) => Composed::Commit(text.clone()),
                Ime::Enabled => Composed::Preedit(String::new(), None),
                Ime::Disabled => Composed::Ended,
            }),
            WindowEvent::MouseInput { state, .. } if state.is_pressed() => {
                Item::Act(Event::Window(id, event))
            }
            WindowEvent::Touch(touch) if touch.phase == winit::event::TouchPhase::Started => {
                Item::Act(Event::Window(id, event))
            }
            WindowEvent::CloseRequested | WindowEvent::DroppedFile(_) => Item::Act(Event::Window(id, event)),
            _ => Item::Other(Event::Window(id, event)),
        }
    }

    fn carry_out(&mut self, event_loop: &ActiveEventLoop, out: Vec<Out<Event>>) {
        for out in out {
            match out {
                Out::Pass(Event::Window(id, event)) => self.app.window_event(event_loop, id, event),
                Out::Pass(Event::User(event)) => {
                    let event = event.lock().unwrap_or_else(PoisonError::into_inner).take();
                    if let Some(event) = event {
                        self.app.user_event(event_loop, event);
                    }
                }
                Out::Preedit(text, cursor) => {
                    self.compose(event_loop, Ime::Preedit(text, cursor.map(|cursor| (cursor, cursor))));
                }
                Out::Commit(text) => self.compose(event_loop, Ime::Commit(text)),
                Out::Interrupt => {
                    if let Some(window) = self.link.window() {
                        window.set_ime_allowed(false);
                        window.set_ime_allowed(true);
                    }
                }
                Out::Ask(number, press) => self.tell(bus::Order::Ask(number, press)),
                Out::Reset => self.tell(bus::Order::Reset),
                Out::Flush => self.tell(bus::Order::Flush),
                Out::Focus(focused) => {
                    self.told_spot = None;
                    self.tell(bus::Order::Focus(focused));
                }
            }
        }
    }

    fn compose(&mut self, event_loop: &ActiveEventLoop, ime: Ime) {
        if let Some(window) = self.link.window() {
            self.app.window_event(event_loop, window.id(), WindowEvent::Ime(ime));
        }
    }

    /// Sends an order. If the queue is full, the input method hangs, which its missing answer will show.
    fn tell(&self, order: bus::Order) {
        if let Some(bus) = &self.bus
            && bus.try_send(order).is_err()
        {
            log::debug!("the input method's queue is full");
        }
    }

    /// Handles what the last frame reported about the focus.
    fn look_at_field(&mut self, event_loop: &ActiveEventLoop) {
        let link = self.link.clone();
        let (id, cursor, changed, interrupted) = link.field(|field| {
            let changed = std::mem::take(&mut field.changed);
            (field.id, field.cursor, changed, std::mem::take(&mut field.interrupted))
        });
        if !changed && !interrupted {
            return;
        }
        let mut out = Vec::new();
        self.order.field(id, interrupted, &mut out);
        self.carry_out(event_loop, out);
        if let Some(cursor) = cursor.filter(|cursor| self.told_spot != Some(*cursor)) {
            self.told_spot = Some(cursor);
            let corner = link.window().and_then(|window| window.inner_position().ok());
            let (x, y) = corner.map_or((0, 0), |corner| (corner.x, corner.y));
            let rect = [
                cursor.min.x as i32 + x,
                cursor.min.y as i32 + y,
                cursor.width() as i32,
                cursor.height() as i32,
            ];
            self.tell(bus::Order::Spot { rect, on_screen: corner.is_some() });
        }
    }

    fn take_news(&mut self, event_loop: &ActiveEventLoop) {
        while let Ok(news) = self.news.try_recv() {
            let (now, mut out) = (clock::now().boot_ms, Vec::new());
            match news {
                News::Connected if self.bus.is_none() => {}
                News::Connected => self.set_on_bus(true, &mut out),
                News::Disconnected => self.set_on_bus(false, &mut out),
                News::Answer(number, handled) => self.order.answer(now, number, handled, &mut out),
                News::Flushed => self.order.flushed(now, &mut out),
                News::Said(composed) => self.order.said(composed, &mut out),
                News::Activated => self.order.activated(&mut out),
                News::HandedBack(press) => self.order.handed_back(now, press, &mut out),
            }
            self.carry_out(event_loop, out);
        }
    }

    fn set_on_bus(&mut self, on_bus: bool, out: &mut Vec<Out<Event>>) {
        // On KDE it is still asked, to find out whether it provides an input method.
        self.link.field(|field| field.on_bus = on_bus && !self.compositor_first);
        if on_bus {
            self.order.connected(out);
        } else {
            self.order.disconnected(clock::now().boot_ms, out);
        }
        self.told_spot = None;
        if let Some(window) = self.link.window() {
            // The next frame tells the window system whether its input method is wanted.
            window.request_redraw();
        }
    }

    /// If the compositor takes precedence: whether it has announced an input method.
    fn is_brought(&mut self, event_loop: &ActiveEventLoop, event: &WindowEvent) {
        let brought = self.compositor_first && matches!(event, WindowEvent::Ime(Ime::Enabled));
        if brought && event_loop.is_wayland() && self.bus.take().is_some() {
            let mut out = Vec::new();
            self.set_on_bus(false, &mut out);
            self.carry_out(event_loop, out);
        }
    }

    fn order(
        &mut self,
        event_loop: &ActiveEventLoop,
        with: impl FnOnce(&mut Order<Event>, BootMs, &mut Vec<Out<Event>>),
    ) {
        let mut out = Vec::new();
        let stalled = self.order.is_stalled();
        with(&mut self.order, clock::now().boot_ms, &mut out);
        if !stalled && self.order.is_stalled() {
            log::info!("the input method is not responding: keys bypass it until it does");
        }
        self.carry_out(event_loop, out);
        self.link.field(|field| field.composing = self.order.is_composing());
    }
}

/// Whether the compositor's input method takes precedence over D-Bus: on KDE, unless programs are configured to use
/// their own.
fn compositor_first(get: impl Fn(&str) -> Option<String>) -> bool {
    let set = |name: &str| get(name).is_some_and(|value| !value.is_empty());
    let kde = get("XDG_CURRENT_DESKTOP").is_some_and(|desktop| desktop.split(':').any(|name| name == "KDE"));
    kde && set("WAYLAND_DISPLAY") && !set("GTK_IM_MODULE") && !set("QT_IM_MODULE")
}

/// Whether an event's order among typed and clicked events does not matter.
fn is_out_of_order(event: &WindowEvent) -> bool {
    matches!(
        event,
        WindowEvent::RedrawRequested
            | WindowEvent::Resized(_)
            | WindowEvent::Moved(_)
            | WindowEvent::Destroyed
            | WindowEvent::ScaleFactorChanged { .. }
            | WindowEvent::ThemeChanged(_)
            | WindowEvent::Occluded(_)
            | WindowEvent::ActivationTokenDone { .. }
    )
}

impl ApplicationHandler<UserEvent> for Handler<'_> {
    fn resumed(&mut self, event_loop: &ActiveEventLoop) {
        self.app.resumed(event_loop);
    }

    fn window_event(&mut self, event_loop: &ActiveEventLoop, id: WindowId, event: WindowEvent) {
        let drawn = matches!(event, WindowEvent::RedrawRequested);
        if is_out_of_order(&event) {
            self.app.window_event(event_loop, id, event);
        } else {
            self.is_brought(event_loop, &event);
            let item = self.item(id, event);
            self.order(event_loop, |order, now, out| order.event(now, item, out));
        }
        self.look_at_field(event_loop);
        if drawn {
            let moves = self.link.field(|field| std::mem::take(&mut field.moves));
            if let Some(window) = self.link.window().filter(|_| moves) {
                window.request_redraw();
            }
            self.order(event_loop, |order, now, out| order.drawn(now, moves, out));
        }
    }

    fn user_event(&mut self, event_loop: &ActiveEventLoop, event: UserEvent) {
        match event {
            UserEvent::RequestRepaint { cumulative_pass_nr: WAKE, .. } => {}
            UserEvent::RequestRepaint { .. } => self.app.user_event(event_loop, event),
            UserEvent::AccessKitActionRequest(_) => {
                let item = Item::Act(Event::User(Arc::new(Mutex::new(Some(event)))));
                self.order(event_loop, |order, now, out| order.event(now, item, out));
            }
        }
        self.take_news(event_loop);
    }

    fn new_events(&mut self, event_loop: &ActiveEventLoop, cause: StartCause) {
        self.app.new_events(event_loop, cause);
        self.order(event_loop, Order::tick);
    }

    fn about_to_wait(&mut self, event_loop: &ActiveEventLoop) {
        self.app.about_to_wait(event_loop);
        let Some(deadline) = self.order.deadline() else { return };
        let wait = deadline.since(clock::now().boot_ms);
        let deadline = Instant::now() + Duration::from_millis(wait);
        match event_loop.control_flow() {
            ControlFlow::WaitUntil(sooner) if sooner <= deadline => {}
            ControlFlow::Poll => {}
            _ => event_loop.set_control_flow(ControlFlow::WaitUntil(deadline)),
        }
    }

    fn device_event(
        &mut self,
        event_loop: &ActiveEventLoop,
        id: winit::event::DeviceId,
        event: winit::event::DeviceEvent,
    ) {
        self.app.device_event(event_loop, id, event);
    }

    fn suspended(&mut self, event_loop: &ActiveEventLoop) {
        self.app.suspended(event_loop);
    }

    fn exiting(&mut self, event_loop: &ActiveEventLoop) {
        self.app.exiting(event_loop);
    }

    fn memory_warning(&mut self, event_loop: &ActiveEventLoop) {
        self.app.memory_warning(event_loop);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn on_kde_the_compositor_takes_precedence_unless_configured_otherwise() {
        let first = |set: &[(&str, &str)]| {
            compositor_first(|name| {
                set.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
            })
        };
        let kde =
            [("XDG_CURRENT_DESKTOP", "KDE"), ("WAYLAND_DISPLAY", "wayland-0"), ("XMODIFIERS", "@im=fcitx")];
        assert!(first(&kde));
        assert!(!first(&[kde[0], kde[1], ("QT_IM_MODULE", "fcitx")]));
        assert!(!first(&[kde[0]]), "on X11");
        assert!(!first(&[("XDG_CURRENT_DESKTOP", "sway"), kde[1]]));
    }
}
