//! The desktop around the window: notices in the system's own form, the tray, and what a person does there. The system
//! may block, so it is spoken to on a thread of its own; on Windows and macOS the tray belongs to the window's.

mod badge;
#[cfg(all(unix, not(target_os = "macos")))]
mod bus;
#[cfg(any(windows, target_os = "macos"))]
mod native;

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use image::RgbaImage;
use tokio::sync::mpsc;

use super::window::ICON;
use crate::model::notices::{Act, Level, News, Notice, Target, Topic};
use crate::model::{ConnectionId, Model, SharedModel};
use crate::ui::text::notices::Said;
use crate::ui::text::{Language, Words};
use crate::ui::{Surroundings, connection_name};
use crate::worker::Tell;

#[cfg(all(unix, not(target_os = "macos")))]
use bus as system;
#[cfg(any(windows, target_os = "macos"))]
use native as system;

/// Most orders that wait for the system. What finds no room is dropped: it is told in the window, too.
const ORDERS: usize = 64;
/// Most reports that wait for the window.
const REPORTS: usize = 64;
/// So long has the system to take its notices back at the end.
const PATIENCE: Duration = Duration::from_secs(1);

/// A notice in words.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Shown {
    topic: Topic,
    said: Said,
    target: Target,
    kind: Kind,
}

/// What a notice is, for the system's own way with it.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Kind {
    Message,
    Device,
    Link,
}

/// What the system is to do.
#[derive(Clone, Debug)]
enum Order {
    Show(Shown),
    #[cfg_attr(
        any(windows, target_os = "macos"),
        allow(dead_code, reason = "a notice is not taken back there")
    )]
    Withdraw(Topic),
    /// Be in the tray like this, or not at all.
    #[cfg_attr(
        any(windows, target_os = "macos"),
        allow(dead_code, reason = "the tray is the window's there")
    )]
    Tray(Option<Face>),
}

/// How Duplex looks in the tray.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Face {
    unread: u64,
    do_not_disturb: bool,
    tooltip: String,
    open: &'static str,
    disturb: &'static str,
    quit: &'static str,
}

impl Face {
    fn new(words: &Words, unread: u64, do_not_disturb: bool) -> Face {
        let words = words.notices;
        Face {
            unread,
            do_not_disturb,
            tooltip: (words.tooltip)(unread),
            open: words.open,
            disturb: words.do_not_disturb,
            quit: words.quit,
        }
    }
}

/// What a person does outside the window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Report {
    /// They want to see this.
    Open(Target),
    /// They want the window, or no longer.
    Toggle,
    /// They want to be disturbed, or no longer.
    ToggleDisturb,
    /// They want to end the program.
    Quit,
}

/// What comes back from the desktop, until the window takes it.
#[derive(Default)]
pub(super) struct Reports {
    state: Mutex<State>,
    ctx: OnceLock<egui::Context>,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Report>,
    around: Surroundings,
}

impl Reports {
    /// The window is there to take them.
    pub(super) fn wake(&self, ctx: egui::Context) {
        // Set once: there is one window.
        let _ = self.ctx.set(ctx);
    }

    /// Adds one and wakes the window.
    pub(super) fn push(&self, report: Report) {
        self.change(|state| {
            if state.waiting.len() < REPORTS {
                state.waiting.push_back(report);
            }
        });
    }

    /// Notes what is around the window.
    fn around(&self, change: impl FnOnce(&mut Surroundings)) {
        let mut after = self.state().around;
        change(&mut after);
        if after != self.state().around {
            self.change(|state| state.around = after);
        }
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state());
        if let Some(ctx) = self.ctx.get() {
            ctx.request_repaint_after(Duration::ZERO);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The desktop, from the app's side.
pub(super) struct Desktop {
    orders: Option<mpsc::Sender<Order>>,
    reports: Arc<Reports>,
    /// Hangs up when the thread has ended.
    ended: Receiver<()>,
    language: Language,
    tray: system::Tray,
    face: Option<Face>,
}

impl Desktop {
    /// Begins to speak with the desktop, in the system's language unless the person prefers another.
    pub(super) fn start(language: Language) -> Desktop {
        let (orders, wanted) = mpsc::channel(ORDERS);
        let reports = Arc::<Reports>::default();
        let theirs = Arc::clone(&reports);
        let (alive, ended) = sync_channel(0);
        let thread = std::thread::Builder::new().name("desktop".to_owned()).spawn(move || {
            system::run(wanted, &theirs);
            drop::<SyncSender<()>>(alive);
        });
        let thread = thread.inspect_err(|error| log::warn!("no notices and no tray: {error}"));
        let orders = thread.is_ok().then_some(orders);
        Desktop { orders, reports, ended, language, tray: system::Tray::default(), face: None }
    }

    /// What comes back.
    pub(super) fn reports(&self) -> &Arc<Reports> {
        &self.reports
    }

    /// What is around the window.
    pub(super) fn around(&self) -> Surroundings {
        self.reports.state().around
    }

    /// Takes what came back.
    pub(super) fn next(&self) -> Option<Report> {
        self.reports.state().waiting.pop_front()
    }

    /// The way for the worker to tell a person something.
    pub(super) fn teller(&self, model: SharedModel) -> Option<Tell> {
        let (orders, language) = (self.orders.clone()?, self.language);
        Some(Arc::new(move |act| {
            let order = match act {
                Act::Show(notice) => Order::Show(model.read(|model| shown(language, model, notice))),
                Act::Withdraw(topic) => Order::Withdraw(topic),
            };
            if orders.try_send(order).is_err() {
                log::debug!("the desktop is busy: a notice is left out");
            }
        }))
    }

    /// Keeps the tray as the model and the person want it.
    pub(super) fn follow(&mut self, model: &SharedModel) {
        let language = self.language;
        let face = model.read(|model| {
            let words = language.chosen(model.preferences.language).words();
            let notices = &model.preferences.notices;
            notices.tray.then(|| Face::new(words, unread(model), notices.do_not_disturb))
        });
        if face != self.face && self.tray.show(face.as_ref(), self.orders.as_ref(), &self.reports) {
            self.face = face;
        }
    }
}

impl Drop for Desktop {
    fn drop(&mut self) {
        self.orders = None;
        // The thread ends once the last order is done; a system that hangs is not waited for.
        let _ = self.ended.recv_timeout(PATIENCE);
    }
}

/// Unread messages in all rooms that are not muted.
fn unread(model: &Model) -> u64 {
    let usual = model.preferences.notices.rooms;
    let level = |id, room| model.notice_choices.room(id, room).unwrap_or(usual);
    // Where nothing is told of any room, the count is all there is.
    let counts = |level| usual == Level::Nothing || level != Level::Nothing;
    let rooms = model.connections.iter().flat_map(|(id, connection)| {
        connection.chat.rooms.iter().filter(move |(name, _)| counts(level(*id, name)))
    });
    rooms.map(|(_, room)| room.unread).sum()
}

fn shown(language: Language, model: &Model, notice: Notice) -> Shown {
    let words = language.chosen(model.preferences.language).words();
    let name = |id: &ConnectionId| {
        let connection = model.connections.get(id);
        connection.map(|connection| connection_name(connection, words)).unwrap_or_default()
    };
    let (names, kind) = match (&notice.news, &notice.topic) {
        (News::LinkLost { connections }, _) => (connections.iter().map(name).collect(), Kind::Link),
        (_, Topic::Devices(id)) => (vec![name(id)], Kind::Device),
        _ => (Vec::new(), Kind::Message),
    };
    let said = words.notices.say(&notice, &names);
    Shown { topic: notice.topic, said, target: notice.target, kind }
}

/// The app's icon as it is in the file; none if it cannot be read.
fn icon() -> Option<RgbaImage> {
    Some(image::load_from_memory_with_format(ICON, image::ImageFormat::Png).ok()?.into_rgba8())
}
