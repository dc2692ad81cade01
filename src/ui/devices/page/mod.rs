//! One device's page: what it is and whether that is true, its plots, controls, readings, attributes, log, and what it
//! last said. What is shown is copied out of the model first and drawn with the lock released.

mod controls;
mod details;
mod past;
mod plot;
mod plots;
mod readings;
mod states;
mod strip;

use std::sync::Arc;

use egui::{Align, Frame, Key, Label, Layout, Margin, RichText, ScrollArea, Ui, UiBuilder, vec2};

use crate::model::device::{
    CLOCK_TOLERANCE_MS, Command, DeviceId, Freshness, LogLine, Metric, Status, Value,
};
use crate::model::devices::{Device, Presence};
use crate::model::id::ConnectionId;
use crate::model::intent::Intent;
use crate::model::link_state::LinkState;
use crate::model::reducer::Connection;
use crate::model::time::WallMs;
use crate::ui::icons::Icon;
use crate::ui::text::device_page::Lock;
use crate::ui::theme::{self, size, space};
use crate::ui::{Cx, harmless, rooms, value, widgets};

use controls::Controls;
use details::Details;
use plots::Plots;

/// The page of one device.
pub(super) struct Page {
    connection: ConnectionId,
    device: DeviceId,
    plots: Plots,
    controls: Controls,
    details: Details,
    copied: Copied,
    /// The log is asked for when the page opens and when the link came back.
    log_asked: Option<Option<WallMs>>,
    fresh: bool,
    /// Whether Esc, pressed now, would be meant for the page.
    has_escape: bool,
}

/// What changes seldom, as last copied, and when that was.
#[derive(Default)]
struct Copied {
    key: Option<(u64, usize, u64)>,
    metrics: Arc<Vec<Arc<Metric>>>,
    attributes: Arc<Vec<(String, String)>>,
    log: Arc<Vec<LogLine>>,
}

/// What a person who touches a control has before them. A touch is meant for this and nothing else.
#[derive(Copy, Clone, Debug, PartialEq)]
struct Seen {
    incarnation: u64,
    presence: Presence,
    /// Since when our link is up; none while it is down.
    link: Option<WallMs>,
}

/// What all parts of the page know about the device.
struct Facts {
    connection: ConnectionId,
    device: DeviceId,
    seen: Seen,
    lock: Option<Lock>,
    /// The hub's clock.
    hub_now: WallMs,
}

/// A reading as shown.
struct Reading {
    value: Value,
    received: WallMs,
    freshness: Freshness,
}

/// What the page shows, copied out of the model.
struct View {
    facts: Facts,
    title: String,
    kind: String,
    status: Status,
    /// Whether nothing is told of it; none where nothing ever is.
    muted: Option<bool>,
    since: Option<WallMs>,
    reason: String,
    behind_ms: Option<i64>,
    metrics: Arc<Vec<Arc<Metric>>>,
    /// As many as there are metrics.
    readings: Vec<Reading>,
    attributes: Arc<Vec<(String, String)>>,
    /// The last one of each writable property.
    commands: Vec<Command>,
    /// Newest first.
    log: Arc<Vec<LogLine>>,
}

impl Page {
    /// Opens it.
    pub(super) fn new(connection: ConnectionId, device: DeviceId) -> Page {
        Page {
            connection,
            device,
            plots: Plots::default(),
            controls: Controls::default(),
            details: Details::default(),
            copied: Copied::default(),
            log_asked: None,
            fresh: true,
            has_escape: true,
        }
    }

    /// Puts the keyboard's focus on its first control.
    pub(super) fn focus(&mut self) {
        self.fresh = true;
    }

    /// Draws it. `false`: the person goes back to the list.
    pub(super) fn show(&mut self, ui: &mut Ui, cx: &mut Cx) -> bool {
        let Some(view) = self.look(cx) else { return gone(ui, cx) };
        self.ask_for_log(cx, &view);
        // What is said to be so long ago goes on by itself.
        cx.deadline.at(cx.now.boot_ms + 1_000);
        let escape =
            self.has_escape && !self.controls.is_asking() && ui.input(|i| i.key_pressed(Key::Escape));
        let mut back = escape;
        let rect = ui.max_rect();
        let margin = Margin::symmetric(space::MEDIUM as i8, space::SMALL as i8);
        Frame::new().inner_margin(margin).show(ui, |ui| {
            back |= self.head(ui, cx, &view);
            self.controls.notice(ui, cx, &view.facts);
            let area = ScrollArea::vertical().id_salt(("device page", self.connection, self.device.as_str()));
            area.auto_shrink([false, false]).show(ui, |ui| {
                // The bar lies over what it scrolls.
                ui.set_max_width((ui.available_width() - space::SMALL).min(size::MEASURE));
                self.sections(ui, cx, &view);
            });
        });
        self.controls.confirm(ui, cx, &view);
        self.has_escape = !self.controls.is_editing() && focus_is_here(ui, rect);
        !back
    }

    fn sections(&mut self, ui: &mut Ui, cx: &mut Cx, view: &View) {
        let words = cx.words.device_page;
        if view.metrics.iter().any(|metric| metric.writable) {
            section(ui, words.controls);
            self.controls.show(ui, cx, view);
        }
        section(ui, words.plots);
        self.plots.show(ui, cx, &view.facts, &view.metrics);
        section(ui, words.readings);
        readings::show(ui, cx, view, &mut self.plots);
        if !view.attributes.is_empty() {
            section(ui, words.attributes);
            details::attributes(ui, &view.attributes);
        }
        section(ui, words.log);
        details::log(ui, cx, view.facts.connection, view);
        self.details.raw(ui, cx, &view.facts);
    }

    fn head(&mut self, ui: &mut Ui, cx: &mut Cx, view: &View) -> bool {
        let theme = theme::of(ui);
        let words = cx.words.device_page;
        let mut back = false;
        ui.horizontal(|ui| {
            let button = widgets::icon_button(ui, Icon::Back, words.back, words.back, false);
            if std::mem::take(&mut self.fresh) {
                button.request_focus();
            }
            back = button.clicked();
            value::status_mark(ui, theme, view.status);
            let title = RichText::new(&view.title).font(theme::heading()).color(theme.text);
            ui.add(Label::new(title).truncate());
        });
        let mut status = (cx.words.devices.status)(view.status).to_owned();
        if let Some(since) = view.since {
            status = match view.status {
                Status::Unknown => {
                    let ago = value::age(cx.words, view.facts.hub_now.saturating_sub(since));
                    (words.last_heard)(&status, &ago)
                }
                _ => (cx.words.devices.status_since)(&status, &value::moment(cx, since)),
            };
        }
        if !view.reason.is_empty() {
            status = format!("{status}: {}", view.reason);
        }
        let line = ui.horizontal_wrapped(|ui| {
            let colour = match view.status {
                Status::Online => theme.good,
                Status::Silent => theme.warn,
                Status::Offline => theme.bad,
                Status::Unknown => theme.weak,
            };
            let text = RichText::new(&status).font(theme::small()).color(colour);
            ui.add(Label::new(text).selectable(false).truncate());
            if !view.kind.is_empty() {
                let text = RichText::new(format!("· {}", view.kind)).font(theme::small()).color(theme.weak);
                ui.add(Label::new(text).selectable(false).truncate());
            }
        });
        widgets::live(ui, line.response.id.with("status"), (cx.words.devices.status)(view.status));
        if let Some(ms) = view.behind_ms {
            let text = RichText::new((words.clock_off)(ms)).font(theme::small()).color(theme.warn);
            ui.add(Label::new(text).wrap());
        }
        self.mute(ui, cx, view);
        back
    }

    /// Whether to be told when it goes. The app's own view of a link does not go.
    fn mute(&self, ui: &mut Ui, cx: &mut Cx, view: &View) {
        let Some(mut muted) = view.muted else { return };
        let words = cx.words.notices;
        if ui.checkbox(&mut muted, words.mute_device).on_hover_text(words.mute_device_text).changed() {
            let (connection, device) = (self.connection, self.device.clone());
            cx.intents.push(Intent::MuteDevice { connection, device, muted });
        }
    }

    /// Of which device it is.
    pub(super) fn of(&self) -> (ConnectionId, DeviceId) {
        (self.connection, self.device.clone())
    }

    fn ask_for_log(&mut self, cx: &mut Cx, view: &View) {
        let link = view.facts.seen.link;
        let is_new = match self.log_asked {
            None => true,
            Some(asked) => link.is_some() && asked != link,
        };
        if is_new {
            self.log_asked = Some(link);
            let (connection, device) = (self.connection, self.device.clone());
            cx.intents.push(Intent::LoadDeviceLog { connection, device });
        }
    }

    /// Copies what is shown out of the model.
    fn look(&mut self, cx: &mut Cx) -> Option<View> {
        let model = cx.model;
        model.read(|model| {
            let connection = model.connections.get(&self.connection)?;
            let device = connection.devices.get(self.device.as_str())?;
            let facts = self.facts(cx, connection, device);
            self.plots.look(cx, &facts, connection, device);
            let status = connection.status(device);
            self.copied.look(connection, device);
            let title = match device.is_local() {
                true => (cx.words.devices.connection_to)(&rooms::name_of(connection, cx.words)),
                false => connection.device_title(device, 80),
            };
            let since = match status {
                Status::Unknown => device.heard,
                _ => Some(device.since).filter(|since| *since > 0),
            };
            Some(View {
                facts,
                title,
                kind: super::rows::kind(cx.words, &device.spec.kind, self.device.as_str()),
                status,
                muted: (!device.is_local())
                    .then(|| model.notice_choices.is_muted(self.connection, &self.device)),
                since,
                reason: if status == Status::Offline {
                    harmless::line(&device.reason, 200)
                } else {
                    String::new()
                },
                behind_ms: device.behind_ms.filter(|ms| ms.saturating_abs() > CLOCK_TOLERANCE_MS),
                metrics: self.copied.metrics.clone(),
                readings: device
                    .latest
                    .iter()
                    .map(|latest| Reading {
                        value: latest.value.clone(),
                        received: latest.received,
                        freshness: connection.freshness(device, latest),
                    })
                    .collect(),
                attributes: self.copied.attributes.clone(),
                commands: last_commands(device),
                log: self.copied.log.clone(),
            })
        })
    }

    fn facts(&self, cx: &Cx, connection: &Connection, device: &Device) -> Facts {
        let link = match connection.link {
            LinkState::Online { since, .. } => Some(since),
            _ => None,
        };
        let lock = match connection.status(device) {
            Status::Online => None,
            Status::Silent => Some(Lock::Silent),
            Status::Offline => Some(Lock::Offline),
            Status::Unknown
                if device.presence == Presence::Unheard
                    && connection.devices.is_complete()
                    && link.is_some() =>
            {
                Some(Lock::Unheard)
            }
            Status::Unknown => Some(Lock::Link),
        };
        Facts {
            connection: self.connection,
            device: self.device.clone(),
            seen: Seen { incarnation: device.incarnation, presence: device.presence, link },
            lock,
            hub_now: cx.now.wall_ms.saturating_add(connection.clock_skew_ms.unwrap_or(0)),
        }
    }
}

impl Copied {
    fn look(&mut self, connection: &Connection, device: &Device) {
        let key = (connection.devices.version(), device.latest.len(), device.incarnation);
        if self.key != Some(key) {
            self.key = Some(key);
            self.metrics = Arc::new(device.latest.iter().map(|latest| latest.metric.clone()).collect());
            self.attributes = Arc::new(details::copied(&device.spec));
        }
        // At most a hundred lines, and one that is there may change: how a command ended.
        if !self.log.iter().eq(device.log.iter().rev()) {
            self.log = Arc::new(device.log.iter().rev().cloned().collect());
        }
    }
}

/// The last command of each writable property.
fn last_commands(device: &Device) -> Vec<Command> {
    let writable = device.latest.iter().filter(|latest| latest.metric.writable);
    let last = |name| device.commands.iter().rev().find(|command| command.property == name);
    writable.filter_map(|latest| last(latest.metric.name.clone())).cloned().collect()
}

/// A page whose device there is no more.
fn gone(ui: &mut Ui, cx: &Cx) -> bool {
    let words = cx.words.device_page;
    let back = widgets::icon_button(ui, Icon::Back, words.back, words.back, false);
    ui.add(Label::new(words.gone).wrap());
    !(back.clicked() || ui.input(|input| input.key_pressed(Key::Escape)))
}

/// Whether the keyboard's focus is on the page, or nowhere.
fn focus_is_here(ui: &Ui, page: egui::Rect) -> bool {
    let Some(focused) = ui.ctx().memory(|memory| memory.focused()) else { return true };
    ui.ctx().read_response(focused).is_some_and(|response| page.contains(response.rect.center()))
}

fn section(ui: &mut Ui, title: &str) {
    let theme = theme::of(ui);
    ui.add_space(space::MEDIUM);
    ui.add(Label::new(RichText::new(title).font(theme::heading()).color(theme.text)).selectable(false));
}

/// Between two controls.
fn section_line(ui: &mut Ui) {
    ui.add_space(space::TINY);
}

/// Rows of the same height, of which those are drawn that can be seen, and a few around them for the keyboard.
fn rows(ui: &mut Ui, count: usize, height: f32, mut row: impl FnMut(&mut Ui, usize)) {
    let size = vec2(ui.available_width(), count as f32 * height);
    let (rect, _) = ui.allocate_exact_size(size, egui::Sense::hover());
    let clip = ui.clip_rect();
    let place = |y: f32| ((y - rect.top()) / height).clamp(0.0, count as f32);
    let first = (place(clip.top()).floor() as usize).saturating_sub(2);
    let last = (place(clip.bottom()).ceil() as usize + 2).min(count);
    for number in first..last {
        let top = rect.top() + number as f32 * height;
        let place = egui::Rect::from_x_y_ranges(rect.x_range(), top..=top + height);
        let builder =
            UiBuilder::new().id_salt(number).max_rect(place).layout(Layout::left_to_right(Align::Center));
        row(&mut ui.new_child(builder), number);
    }
}
