//! [`Window`]: eframe's app around [`crate::ui::Ui`].

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use eframe::{NativeOptions, Renderer};
use egui::{IconData, ViewportBuilder};

use super::clipboard::{self, Clipboard};
use super::desktop::{Desktop, Report};
use super::fonts;
use super::frame_log::FrameLog;
use super::input_method::{self, Link};
use super::instance::{Call, Instance};
use super::outside::Outside;
use super::place::{self, Fitting};
use super::repaint::RepaintLimiter;
use super::screenshot::{Plan, Shot};
use super::{crash, signals};
use crate::clock;
use crate::model::intent::AppIntent;
use crate::model::notices::ClickTarget;
use crate::model::{Intent, Panes, SharedModel, WindowPlace};
use crate::privacy::logging;
use crate::ui::text::Language;
use crate::ui::{NotPasted, Options, Ui};
use crate::worker::Worker;

/// The application's icon, 256 pixels square.
pub(super) const ICON: &[u8] = include_bytes!("../../assets/icon-256.png");

/// How the window starts.
pub(super) struct Start {
    /// Where it was last.
    pub(super) place: Option<WindowPlace>,
    /// The layout it had.
    pub(super) panes: Panes,
    /// A link to open in it.
    pub(super) link: Option<String>,
    /// Whether it starts in the tray.
    pub(super) is_hidden: bool,
}

/// Opens the window and runs until it is closed.
pub(super) fn open(
    model: SharedModel,
    worker: Worker,
    gate: Arc<OnceLock<RepaintLimiter>>,
    instance: Instance,
    desktop: Option<Desktop>,
    plan: Option<Plan>,
    start: Start,
) -> Result<(), String> {
    let Start { place, panes, link: opened, is_hidden } = start;
    let viewport = viewport(place.as_ref()).with_active(!is_hidden);
    let language = super::system_language();
    let chosen = model.read(|model| model.preferences.language);
    let takes_picture = plan.is_some();
    let outcome: Arc<Mutex<Option<Result<(), String>>>> = Arc::default();
    let theirs = Arc::clone(&outcome);
    let link = Link::new();
    let mut parts = Some(Parts {
        model,
        worker,
        gate,
        instance,
        desktop,
        plan,
        place,
        panes,
        opened,
        is_hidden,
        outcome: theirs,
    });
    let opened = renderers().iter().try_fold(String::new(), |tried, &renderer| {
        let options = native_options(viewport.clone(), renderer);
        let link = &link;
        let ran = input_method::run(
            options,
            Box::new(|creation| {
                // eframe calls the creator at most once.
                let parts = parts.take().ok_or("the window is already open")?;
                link.attach(creation);
                Ok(Box::new(parts.assemble(creation, language)))
            }),
            link,
        );
        let ran = match ran {
            // winit's loop ends without an error if the window could not be created: only the log has the reason.
            Ok(()) if parts.is_some() => Err(logging::last_error().unwrap_or_default()),
            ran => ran.map_err(|error| error.to_string()),
        };
        match ran {
            // The window was not created; another renderer may work.
            Err(error) if parts.is_some() => {
                log::info!("cannot draw with {renderer}: {error}");
                ControlFlow::Continue(format!("{tried}{renderer}: {error}. "))
            }
            ran => ControlFlow::Break(ran),
        }
    });
    let ran = match opened {
        ControlFlow::Break(ran) => ran,
        ControlFlow::Continue(tried) => Err(tried),
    };
    ran.map_err(|error| (language.chosen(chosen).words().no_graphics)(error.trim_end()))?;
    let outcome = outcome.lock().unwrap_or_else(PoisonError::into_inner).take();
    match outcome {
        Some(outcome) => outcome,
        None if takes_picture => Err("The window closed before the picture was taken.".to_owned()),
        None => Ok(()),
    }
}

fn native_options(viewport: ViewportBuilder, renderer: Renderer) -> NativeOptions {
    NativeOptions {
        viewport,
        renderer,
        // egui's own clipboard blocks the window while another program prepares its data.
        clipboard_shortcuts: false,
        // Ours puts the emoji font first.
        system_font_fallback: false,
        ..NativeOptions::default()
    }
}

fn viewport(place: Option<&WindowPlace>) -> ViewportBuilder {
    let viewport = ViewportBuilder::default()
        .with_app_id("duplex")
        .with_title("Duplex")
        .with_inner_size([1280.0, 800.0])
        .with_min_inner_size(place::MIN_SIZE);
    let viewport = match place {
        Some(place) => place::restore(viewport, place),
        None => viewport,
    };
    match icon() {
        Some(icon) => viewport.with_icon(icon),
        None => viewport,
    }
}

/// Renderers in order of preference. OpenGL is the smallest. Windows has only OpenGL 1.1 without a vendor's graphics
/// driver, and over some remote desktops; there, Direct3D 12 is used, which Windows can run in software.
fn renderers() -> &'static [Renderer] {
    #[cfg(windows)]
    return &[Renderer::Glow, Renderer::Wgpu];
    #[cfg(not(windows))]
    &[Renderer::Glow]
}

/// The parts of a window.
struct Parts {
    model: SharedModel,
    worker: Worker,
    gate: Arc<OnceLock<RepaintLimiter>>,
    instance: Instance,
    /// `None` for a screenshot: no tray and no notifications.
    desktop: Option<Desktop>,
    plan: Option<Plan>,
    place: Option<WindowPlace>,
    panes: Panes,
    /// A link to open.
    opened: Option<String>,
    /// Whether it starts in the tray.
    is_hidden: bool,
    outcome: Arc<Mutex<Option<Result<(), String>>>>,
}

impl Parts {
    fn assemble(self, creation: &eframe::CreationContext<'_>, language: Language) -> Window {
        let Parts { model, worker, gate, instance, desktop, plan, place, panes, opened, is_hidden, outcome } =
            self;
        let (mut not_pasted, mut pasted) = (None, None);
        // Before the views, so that it handles pastes first.
        match Clipboard::new(Arc::new(clipboard::Desktop::of(creation))) {
            Ok(clipboard) => {
                not_pasted = Some(clipboard.troubles());
                pasted = Some(clipboard.pictures());
                creation.egui_ctx.add_plugin(clipboard);
            }
            Err(error) => log::warn!("the clipboard is not available: {error}"),
        }
        fonts::install(&creation.egui_ctx);
        let mut ui = Ui::new(&creation.egui_ctx, Options { language, panes });
        if let Some(link) = opened {
            ui.open_link(&link);
        }
        let fitting = Fitting::new(creation.winit_window().map(|window| &**window), place.as_ref());
        // Set here only, so it cannot be set already.
        let _ = gate.set(RepaintLimiter::new(creation.egui_ctx.clone()));
        // Wayland does not report a window's visibility and cannot change it.
        let can_hide = creation.winit_window().is_some_and(|window| window.is_visible().is_some());
        let outside = Outside::new(desktop, can_hide, is_hidden);
        if let Some(reports) = outside.reports() {
            reports.wake(creation.egui_ctx.clone());
            let signalled = Arc::clone(reports);
            signals::on_end(move || signalled.push(Report::Quit));
            let reports = Arc::clone(reports);
            let _ = instance.window().set(Box::new(move |call| {
                reports.push(match call {
                    Call::Front => Report::Open(ClickTarget::Window),
                    Call::Open(link) => Report::OpenLink(link),
                    Call::Close => Report::Quit,
                });
            }));
        }
        Window {
            ui,
            model,
            worker: Some(worker),
            gate,
            shot: plan.map(Shot::new),
            outcome,
            drawn: false,
            outside,
            place,
            fitting,
            wanted: Vec::new(),
            not_pasted,
            pasted,
            _instance: instance,
        }
    }
}

struct Window {
    ui: Ui,
    model: SharedModel,
    worker: Option<Worker>,
    gate: Arc<OnceLock<RepaintLimiter>>,
    shot: Option<Shot>,
    outcome: Arc<Mutex<Option<Result<(), String>>>>,
    drawn: bool,
    outside: Outside,
    /// The window's position.
    place: Option<WindowPlace>,
    fitting: Fitting,
    /// Intents that the worker has not accepted yet, in order.
    wanted: Vec<Intent>,
    /// Failed pastes, for display.
    not_pasted: Option<clipboard::Troubles>,
    /// Pasted pictures.
    pasted: Option<clipboard::Pictures>,
    _instance: Instance,
}

impl Window {
    fn hand_over(&mut self) {
        let Some(worker) = &self.worker else { return };
        let mut left = Vec::new();
        for intent in self.wanted.drain(..) {
            if left.is_empty() {
                left.extend(worker.want(intent).err());
            } else {
                left.push(intent);
            }
        }
        self.wanted = left;
    }
}

impl eframe::App for Window {
    fn logic(&mut self, ctx: &egui::Context, _frame: &mut eframe::Frame) {
        self.outside.attend(ctx, &mut self.ui, &self.model, self.place, &mut self.wanted);
        self.hand_over();
        if let Some(gate) = self.gate.get() {
            // Assume that it is visible if the system does not tell.
            let visible = ctx.input(|input| input.viewport().visible()) != Some(false);
            gate.shown(visible && !self.outside.is_hidden());
        }
    }

    fn ui(&mut self, ui: &mut egui::Ui, frame: &mut eframe::Frame) {
        if let Some(gate) = self.gate.get() {
            gate.drawing();
        }
        if self.outside.is_hidden() {
            return;
        }
        if !std::mem::replace(&mut self.drawn, true) {
            log::info!("first frame");
        }
        let frame_log = FrameLog::begin(ui, &self.model);
        self.fitting.look(ui.ctx(), frame.winit_window().map(|window| &**window));
        place::note(ui.ctx(), &mut self.place);
        if let Some(troubles) = &self.not_pasted {
            let mut troubles = troubles.lock().unwrap_or_else(PoisonError::into_inner);
            troubles.drain(..).for_each(|why| self.ui.not_pasted(why));
        }
        if let Some(pictures) = &self.pasted {
            let mut pictures = pictures.lock().unwrap_or_else(PoisonError::into_inner);
            for picture in pictures.drain(..) {
                if !self.ui.paste_picture(&self.model, picture, &mut self.wanted) {
                    self.ui.not_pasted(NotPasted::NoText);
                }
            }
        }
        self.ui.show(ui, &self.model, clock::now(), &mut self.wanted);
        self.outside.look(ui.ctx(), &self.ui, &mut self.wanted);
        if let Some(frame_log) = frame_log {
            frame_log.end(&self.model, frame.info().cpu_usage);
        }
        if let Some(shot) = &mut self.shot {
            shot.go_on(ui.ctx());
        }
        self.hand_over();
        if !self.wanted.is_empty() {
            // The worker's queue is full: try again soon.
            ui.ctx().request_repaint_after(std::time::Duration::from_millis(50));
        }
    }

    fn on_exit(&mut self, _gl: Option<&eframe::glow::Context>) {
        self.ui.flush_drafts(&mut self.wanted);
        if self.shot.is_none() {
            self.wanted.extend(self.place.map(|place| Intent::App(AppIntent::KeepWindow(place))));
            self.wanted.push(Intent::App(AppIntent::KeepPanes(self.ui.panes())));
        }
        if let Some(worker) = self.worker.take() {
            worker.shut_down_after(self.wanted.drain(..));
        }
        // On macOS the program may end without returning from here.
        crash::ended();
        if let Some(shot) = self.shot.take() {
            *self.outcome.lock().unwrap_or_else(PoisonError::into_inner) = Some(shot.outcome());
        }
    }
}

fn icon() -> Option<IconData> {
    let image = image::load_from_memory_with_format(ICON, image::ImageFormat::Png).ok()?.into_rgba8();
    let (width, height) = image.dimensions();
    Some(IconData { rgba: image.into_raw(), width, height })
}
