//! Desktop integration: notifications, the tray, and the user's actions there. The system may block, so it is called
//! from a separate thread; on Windows and macOS the tray belongs to the window's thread.

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
use crate::model::notices::{ClickTarget, Level, Notice, NoticeAction, NoticeContent, Topic};
use crate::model::{ConnectionId, Model, SharedModel};
use crate::ui::text::notices::Said;
use crate::ui::text::{Language, Words};
use crate::ui::{Surroundings, connection_name};
use crate::worker::Tell;

#[cfg(all(unix, not(target_os = "macos")))]
use bus as system;
#[cfg(any(windows, target_os = "macos"))]
use native as system;

/// Maximum number of queued orders. Orders beyond it are dropped: the window shows the same information.
const ORDERS: usize = 64;
/// Maximum number of reports queued for the window.
const REPORTS: usize = 64;
/// How long the system may take to close notifications on exit.
const PATIENCE: Duration = Duration::from_secs(1);

/// A notification's texts.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Shown {
    topic: Topic,
    said: Said,
    target: ClickTarget,
    kind: Kind,
}

/// The kind of a notification, which decides how the system presents it.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Kind {
    Message,
    Device,
    Link,
}

/// An order for the desktop thread.
#[derive(Clone, Debug)]
enum Order {
    Show(Shown),
    #[cfg_attr(
        any(windows, target_os = "macos"),
        allow(dead_code, reason = "notifications are not closed there")
    )]
    Withdraw(Topic),
    /// Show the tray icon like this, or remove it.
    #[cfg_attr(
        any(windows, target_os = "macos"),
        allow(dead_code, reason = "the tray belongs to the window's thread there")
    )]
    Tray(Option<Face>),
}

/// The state of the tray icon and its menu.
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

/// An action of the user outside of the window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Report {
    /// Open this in the window.
    Open(ClickTarget),
    /// Open this `duplex://` link in the window.
    OpenLink(String),
    /// Show or hide the window.
    Toggle,
    /// Turn do-not-disturb on or off.
    ToggleDisturb,
    /// Quit the program.
    Quit,
}

/// Reports from the desktop, until the window handles them.
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
    /// The window is ready to handle reports.
    pub(super) fn wake(&self, ctx: egui::Context) {
        // Called once: there is only one window.
        let _ = self.ctx.set(ctx);
    }

    /// Adds a report and wakes the window.
    pub(super) fn push(&self, report: Report) {
        self.change(|state| {
            if state.waiting.len() < REPORTS {
                state.waiting.push_back(report);
            }
        });
    }

    /// Updates what is known about the window's surroundings.
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

/// The app's side of the desktop integration.
pub(super) struct Desktop {
    orders: Option<mpsc::Sender<Order>>,
    reports: Arc<Reports>,
    /// Disconnects when the thread has ended.
    ended: Receiver<()>,
    language: Language,
    tray: system::Tray,
    face: Option<Face>,
}

impl Desktop {
    /// Starts the desktop thread, in the system's language unless the user prefers another.
    pub(super) fn start(language: Language) -> Desktop {
        let (orders, wanted) = mpsc::channel(ORDERS);
        let reports = Arc::<Reports>::default();
        let theirs = Arc::clone(&reports);
        let (alive, ended) = sync_channel(0);
        let thread = std::thread::Builder::new().name("desktop".to_owned()).spawn(move || {
            system::run(wanted, &theirs);
            drop::<SyncSender<()>>(alive);
        });
        let thread = thread.inspect_err(|error| log::warn!("no notifications and no tray icon: {error}"));
        let orders = thread.is_ok().then_some(orders);
        Desktop { orders, reports, ended, language, tray: system::Tray::default(), face: None }
    }

    /// The reports' shared queue.
    pub(super) fn reports(&self) -> &Arc<Reports> {
        &self.reports
    }

    /// What is known about the window's surroundings.
    pub(super) fn around(&self) -> Surroundings {
        self.reports.state().around
    }

    /// Takes the next report.
    pub(super) fn next(&self) -> Option<Report> {
        self.reports.state().waiting.pop_front()
    }

    /// The function by which the worker sends notifications.
    pub(super) fn teller(&self, model: SharedModel) -> Option<Tell> {
        let (orders, language) = (self.orders.clone()?, self.language);
        Some(Arc::new(move |act| {
            let order = match act {
                NoticeAction::Show(notice) => Order::Show(model.read(|model| shown(language, model, notice))),
                NoticeAction::Withdraw(topic) => Order::Withdraw(topic),
            };
            if orders.try_send(order).is_err() {
                log::debug!("the desktop thread is busy: dropped a notification");
            }
        }))
    }

    /// Updates the tray from the model and preferences.
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
        // The thread ends after the last order; a system that hangs is not waited for.
        let _ = self.ended.recv_timeout(PATIENCE);
    }
}

/// Number of unread messages in all rooms that are not muted.
fn unread(model: &Model) -> u64 {
    let usual = model.preferences.notices.rooms;
    let level = |id, room| model.notice_choices.room(id, room).unwrap_or(usual);
    // If notifications are off for all rooms, all rooms count.
    let counts = |level| usual == Level::Nothing || level != Level::Nothing;
    let rooms = model.connections.iter().flat_map(|(id, connection)| {
        connection.chat.rooms.iter().filter(move |(name, _)| counts(level(*id, name)))
    });
    rooms.map(|(_, room)| room.shown_unread()).sum()
}

fn shown(language: Language, model: &Model, notice: Notice) -> Shown {
    let words = language.chosen(model.preferences.language).words();
    let name = |id: &ConnectionId| {
        let connection = model.connections.get(id);
        connection.map(|connection| connection_name(connection, words)).unwrap_or_default()
    };
    let (names, kind) = match (&notice.news, &notice.topic) {
        (NoticeContent::LinkLost { connections }, _) => (connections.iter().map(name).collect(), Kind::Link),
        (_, Topic::Devices(id)) => (vec![name(id)], Kind::Device),
        _ => (Vec::new(), Kind::Message),
    };
    let said = words.notices.say(&notice, &names);
    Shown { topic: notice.topic, said, target: notice.target, kind }
}

/// The app's icon; `None` if it cannot be decoded.
fn icon() -> Option<RgbaImage> {
    Some(image::load_from_memory_with_format(ICON, image::ImageFormat::Png).ok()?.into_rgba8())
}
