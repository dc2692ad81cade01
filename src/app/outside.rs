//! [`Outside`]: the window's state on the desktop (in the tray, in front, closed), and what the user is viewing.

use std::sync::Arc;
use std::time::{Duration, Instant};

use egui::{Context, ViewportCommand, pos2};

use super::desktop::{Desktop, Report, Reports};
use crate::model::intent::AppIntent;
use crate::model::notices::{ClickTarget, Viewing};
use crate::model::{Intent, SharedModel, WindowPlace};
use crate::ui::Ui;

/// How long a window that starts hidden waits to hear whether there is a tray: at sign-in that may start later.
const MAX_TRAY_WAIT: Duration = Duration::from_secs(10);

/// The window's relation to the desktop.
pub(super) struct Outside {
    desktop: Option<Desktop>,
    /// Whether the window system can show a hidden window again. (Wayland cannot.)
    can_hide: bool,
    /// The window is hidden in the tray.
    hidden: bool,
    /// How long a window that starts hidden waits for the tray; `None` once that is decided.
    waits_for_tray: Option<Instant>,
    /// The user wants to quit the program, not only to close the window.
    quits: bool,
    /// What the worker was last told about the user's view.
    told: Option<Viewing>,
}

impl Outside {
    /// A window, with or without a desktop. `is_hidden`: it starts in the tray, or minimized where there is none.
    pub(super) fn new(desktop: Option<Desktop>, can_hide: bool, is_hidden: bool) -> Outside {
        let waits_for_tray = is_hidden.then(|| Instant::now() + MAX_TRAY_WAIT);
        Outside { desktop, can_hide, hidden: false, waits_for_tray, quits: false, told: None }
    }

    /// The queue of reports for the window.
    pub(super) fn reports(&self) -> Option<&Arc<Reports>> {
        self.desktop.as_ref().map(Desktop::reports)
    }

    /// Whether the window is hidden in the tray: nothing needs to be drawn.
    pub(super) fn is_hidden(&self) -> bool {
        self.hidden
    }

    /// Handles actions from outside of the window and their consequences. Runs whether or not the window is drawn.
    pub(super) fn attend(
        &mut self,
        ctx: &Context,
        ui: &mut Ui,
        model: &SharedModel,
        place: Option<WindowPlace>,
        wanted: &mut Vec<Intent>,
    ) {
        let Some(desktop) = &mut self.desktop else { return };
        desktop.follow(model);
        let mut around = desktop.around();
        around.can_hide = self.can_hide;
        ui.set_surroundings(around);
        let has_tray = around.tray == Some(true);
        let reports: Vec<Report> = std::iter::from_fn(|| desktop.next()).collect();
        for report in reports {
            match report {
                Report::Open(target) => {
                    open(ui, target, model, wanted);
                    self.front(ctx, ui, place);
                }
                Report::OpenLink(link) => {
                    ui.open_link(&link);
                    self.front(ctx, ui, place);
                }
                Report::Toggle if self.hidden || !has_focus(ctx) => self.front(ctx, ui, place),
                Report::Toggle if has_tray && self.can_hide => self.hide(ctx),
                Report::Toggle => ctx.send_viewport_cmd(ViewportCommand::Minimized(true)),
                Report::ToggleDisturb => ui.toggle_do_not_disturb(model, wanted),
                Report::Quit => {
                    self.quits = true;
                    ctx.send_viewport_cmd(ViewportCommand::Close);
                }
            }
        }
        let stays = model.read(|model| {
            let notices = &model.preferences.notices;
            notices.tray && notices.close_to_tray
        });
        let closes = ctx.input(|input| input.viewport().close_requested());
        if closes && stays && has_tray && self.can_hide && !self.quits {
            ctx.send_viewport_cmd(ViewportCommand::CancelClose);
            self.hide(ctx);
        }
        let wants_tray = model.read(|model| model.preferences.notices.tray);
        let tray = if wants_tray && self.can_hide { around.tray } else { Some(false) };
        let is_starting = self.start_hidden(ctx, tray);
        if self.hidden && !has_tray && !is_starting {
            // Otherwise the hidden window could not be reached any more.
            self.front(ctx, ui, place);
        }
        self.look(ctx, ui, wanted);
    }

    /// Tells the worker what the user is viewing, if that has changed.
    pub(super) fn look(&mut self, ctx: &Context, ui: &Ui, wanted: &mut Vec<Intent>) {
        let looks = !self.hidden && has_focus(ctx);
        let viewing = looks.then(|| ui.viewing());
        if self.desktop.is_some() && viewing != self.told {
            self.told.clone_from(&viewing);
            wanted.push(Intent::App(AppIntent::View(viewing)));
        }
    }

    /// Hides a window that starts in the tray. Returns whether it still waits for the tray.
    fn start_hidden(&mut self, ctx: &Context, tray: Option<bool>) -> bool {
        let Some(until) = self.waits_for_tray else { return false };
        if ctx.cumulative_pass_nr() == 0 {
            // eframe shows each window after its first frame.
            ctx.request_repaint_after(Duration::ZERO);
            return true;
        }
        let wait = until.saturating_duration_since(Instant::now());
        if self.can_hide && !self.hidden {
            self.hide(ctx);
        }
        match tray {
            Some(true) => self.waits_for_tray = None,
            None if !wait.is_zero() => ctx.request_repaint_after(wait),
            Some(false) | None => {
                self.waits_for_tray = None;
                if std::mem::take(&mut self.hidden) {
                    ctx.send_viewport_cmd(ViewportCommand::Visible(true));
                }
                ctx.send_viewport_cmd(ViewportCommand::Minimized(true));
            }
        }
        self.waits_for_tray.is_some()
    }

    fn hide(&mut self, ctx: &Context) {
        self.hidden = true;
        ctx.send_viewport_cmd(ViewportCommand::Visible(false));
    }

    /// Brings the window to the front, at its previous position.
    fn front(&mut self, ctx: &Context, ui: &mut Ui, place: Option<WindowPlace>) {
        self.waits_for_tray = None;
        if std::mem::take(&mut self.hidden) {
            ctx.send_viewport_cmd(ViewportCommand::Visible(true));
            if let Some(WindowPlace { corner: Some((x, y)), maximized: false, .. }) = place {
                let zoom = ctx.zoom_factor();
                ctx.send_viewport_cmd(ViewportCommand::OuterPosition(pos2(x / zoom, y / zoom)));
            }
            ui.focus_message();
        }
        ctx.send_viewport_cmd(ViewportCommand::Minimized(false));
        ctx.send_viewport_cmd(ViewportCommand::Focus);
        if !self.can_hide {
            // On Wayland a window can only request attention.
            let attention = egui::UserAttentionType::Informational;
            ctx.send_viewport_cmd(ViewportCommand::RequestUserAttention(attention));
        }
        ctx.request_repaint_after(Duration::ZERO);
    }
}

/// Opens what the user wants to see.
fn open(ui: &mut Ui, target: ClickTarget, model: &SharedModel, wanted: &mut Vec<Intent>) {
    match target {
        ClickTarget::Room(connection, room) => ui.bring_room(connection, room, wanted),
        ClickTarget::Device(connection, device) => ui.open_device(connection, device),
        ClickTarget::Devices => ui.show_device_list(),
        ClickTarget::Connection(connection) => ui.open_connection(connection, model, wanted),
        ClickTarget::Window => {}
    }
}

/// Whether the window has the focus, as far as the system reports it.
fn has_focus(ctx: &Context) -> bool {
    ctx.input(|input| {
        let viewport = input.viewport();
        viewport.focused.unwrap_or(true) && viewport.minimized != Some(true)
    })
}
