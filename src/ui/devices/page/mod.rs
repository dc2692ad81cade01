//! The page of one device: status, plots, controls, readings, attributes, log and raw last message. The data
//! is copied out of the model first and drawn after the lock is released.

mod calendar;
mod controls;
mod details;
mod head;
mod past;
mod plot;
mod plots;
mod range;
mod readings;
mod shot;
mod special;
mod states;
mod strip;
mod vertical;

use std::sync::Arc;

use egui::{
    Align, Frame, Key, Label, Layout, Margin, Popup, Rect, RichText, ScrollArea, Ui, UiBuilder, pos2, vec2,
};

use crate::model::device::{
    CLOCK_TOLERANCE_MS, Command, DeviceId, Freshness, LogLine, Metric, Status, Value,
};
use crate::model::devices::{Device, Presence};
use crate::model::export::{Content, Export};
use crate::model::features::Feature;
use crate::model::id::ConnectionId;
use crate::model::intent::{DeviceIntent, Intent};
use crate::model::link_state::LinkState;
use crate::model::reducer::Connection;
use crate::model::time::WallMs;
use crate::ui::icons::Icon;
use crate::ui::text::device_page::Lock;
use crate::ui::theme::{self, space};
use crate::ui::{Cx, harmless, rooms, widgets};

use super::acts::{Act, Subject};
use controls::Controls;
use details::Details;
use plots::Plots;
use shot::Shot;

/// Minimum width for two columns, and for three, in points.
const MIN_TWO_COLUMNS: f32 = 700.0;
const MIN_THREE_COLUMNS: f32 = 1_440.0;
/// Minimum and maximum width of the columns beside the plots, in points.
const SIDE: (f32, f32) = (270.0, 380.0);
/// Space between two columns, in points.
const GAP: f32 = space::HUGE;

/// A section of the page below the values.
#[derive(Copy, Clone, Debug)]
enum Part {
    /// Controls of writable properties.
    Controls,
    /// Plots of the chosen metrics.
    Plots,
    /// Attributes, log and raw last message.
    Rest,
}

/// State of the page.
pub(super) struct Page {
    connection: ConnectionId,
    device: DeviceId,
    plots: Plots,
    controls: Controls,
    details: Details,
    /// The screenshot of the plots in progress, and the scroll offset to restore after it.
    shot: Option<(Shot, f32)>,
    /// Scroll offset, in points, and the one to scroll to.
    offset: f32,
    scroll_to: Option<f32>,
    copied: Copied,
    /// The log was requested for this link; it is requested again when the link comes back up.
    log_asked: Option<Option<WallMs>>,
    fresh: bool,
    /// Whether Esc is handled by the page.
    has_escape: bool,
}

/// Parts that change rarely, as last copied, with the versions they were copied at.
#[derive(Default)]
struct Copied {
    key: Option<(u64, usize, u64)>,
    metrics: Arc<Vec<Arc<Metric>>>,
    attributes: Arc<Vec<(String, String)>>,
    log: Arc<Vec<LogLine>>,
}

/// The state that an input on a control applies to.
#[derive(Copy, Clone, Debug, PartialEq)]
struct Seen {
    incarnation: u64,
    presence: Presence,
    /// When our link came up; `None` while it is down.
    link: Option<WallMs>,
}

/// Facts about the device that all parts of the page use.
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

/// The page's data, copied out of the model.
struct View {
    facts: Facts,
    title: String,
    kind: String,
    status: Status,
    /// What the actions apply to; `None` for the built-in view of the link.
    subject: Option<Subject>,
    since: Option<WallMs>,
    reason: String,
    behind_ms: Option<i64>,
    metrics: Arc<Vec<Arc<Metric>>>,
    /// One for each metric.
    readings: Vec<Reading>,
    attributes: Arc<Vec<(String, String)>>,
    /// The last command of each writable property.
    commands: Vec<Command>,
    /// Newest first.
    log: Arc<Vec<LogLine>>,
    /// Whether any property can be set, and whether the server keeps a device log.
    has_controls: bool,
    has_log: bool,
}

/// An action chosen on the page that the pane has to carry out.
pub(super) enum PageAction {
    /// None.
    Stay,
    /// Go back to the list.
    Back,
    /// An action on the device as a whole.
    Act(Act),
    /// Save a file. `true`: it is incomplete, since not everything was on screen.
    Save(Export, bool),
}

impl Page {
    /// Opens the page.
    pub(super) fn new(connection: ConnectionId, device: DeviceId) -> Page {
        Page {
            connection,
            device,
            plots: Plots::default(),
            controls: Controls::default(),
            details: Details::default(),
            shot: None,
            offset: 0.0,
            // Always opens at the top.
            scroll_to: Some(0.0),
            copied: Copied::default(),
            log_asked: None,
            fresh: true,
            has_escape: true,
        }
    }

    /// Focuses its first control.
    pub(super) fn focus(&mut self) {
        self.fresh = true;
    }

    /// Draws the page. `saving`: a file is being saved.
    pub(super) fn show(&mut self, ui: &mut Ui, cx: &mut Cx, saving: bool) -> PageAction {
        let Some(view) = self.copy_view(cx) else { return gone(ui, cx) };
        self.ask_for_log(cx, &view);
        // Ages on the page change every second.
        cx.deadline.at(cx.now.boot_ms + 1_000);
        let is_covered =
            Popup::is_any_open(ui.ctx()) || ui.memory(|memory| memory.top_modal_layer()).is_some();
        let escape = self.has_escape
            && !is_covered
            && !self.controls.is_asking()
            && ui.input(|i| i.key_pressed(Key::Escape));
        let mut wish = if escape { PageAction::Back } else { PageAction::Stay };
        let rect = ui.max_rect();
        let margin = Margin::symmetric(space::MEDIUM as i8, space::SMALL as i8);
        Frame::new().inner_margin(margin).show(ui, |ui| {
            if let Some(asked) = head::show(ui, cx, &view, std::mem::take(&mut self.fresh)) {
                wish = asked;
            }
            self.controls.notice(ui, cx, &view.facts);
            let area = ScrollArea::vertical().id_salt(("device page", self.connection, self.device.as_str()));
            let mut area = area.auto_shrink([false, false]);
            if let Some(offset) = self.scroll_to.take() {
                area = area.vertical_scroll_offset(offset);
            }
            let shown = area.show(ui, |ui| {
                // Keeps the content clear of the scroll bar.
                ui.set_max_width(ui.available_width() - space::SMALL);
                self.sections(ui, cx, &view, saving);
            });
            self.offset = shown.state.clamped_offset().y;
        });
        self.controls.confirm(ui, cx, &view);
        self.has_escape = !self.controls.is_editing() && focus_is_here(ui, rect);
        match (wish, self.save(ui, cx, &view)) {
            (PageAction::Stay, Some((export, is_part))) => PageAction::Save(export, is_part),
            (wish, _) => wish,
        }
    }

    /// Draws the values, then controls, plots and the rest below them, side by side if there is room.
    fn sections(&mut self, ui: &mut Ui, cx: &mut Cx, view: &View, saving: bool) {
        readings::show(ui, cx, view, &mut self.plots);
        let has_controls = view.has_controls;
        let width = ui.available_width();
        let parts: &[(&[Part], f32)] =
            match (width >= MIN_THREE_COLUMNS, width >= MIN_TWO_COLUMNS, has_controls) {
                (true, _, true) => {
                    &[(&[Part::Controls], SIDE.1), (&[Part::Plots], 0.0), (&[Part::Rest], SIDE.1)]
                }
                (true, _, false) | (_, true, false) => &[(&[Part::Plots], 0.0), (&[Part::Rest], SIDE.1)],
                (_, true, true) => &[(&[Part::Controls, Part::Rest], SIDE.1), (&[Part::Plots], 0.0)],
                _ => &[(&[Part::Controls, Part::Plots, Part::Rest], 0.0)],
            };
        let side = (width * 0.36).clamp(SIDE.0, SIDE.1);
        let sides = parts.iter().filter(|(_, width)| *width > 0.0).count() as f32;
        let gaps = (parts.len() - 1) as f32 * GAP;
        let rest = width - gaps - sides * side;
        let widths: Vec<f32> =
            parts.iter().map(|(_, width)| if *width > 0.0 { side } else { rest }).collect();
        columns(ui, &widths, |ui, column| {
            for part in parts[column].0 {
                self.part(ui, cx, view, *part, saving);
            }
        });
        ui.add_space(space::HUGE);
    }

    fn part(&mut self, ui: &mut Ui, cx: &mut Cx, view: &View, part: Part, saving: bool) {
        let words = cx.words.device_page;
        match part {
            Part::Controls if view.has_controls => {
                section(ui, words.controls);
                self.controls.show(ui, cx, view);
            }
            Part::Controls => {}
            Part::Plots => {
                ui.add_space(space::MEDIUM);
                ui.horizontal(|ui| {
                    heading(ui, words.plots);
                    ui.with_layout(Layout::right_to_left(Align::Max), |ui| {
                        self.plots.save_button(ui, cx, saving || self.shot.is_some());
                    });
                });
                self.plots.still = self.shot.is_some();
                self.plots.show(ui, cx, &view.facts, &view.metrics);
            }
            Part::Rest => {
                if !view.attributes.is_empty() {
                    section(ui, words.attributes);
                    details::attributes(ui, &view.attributes);
                }
                if view.has_log {
                    section(ui, words.log);
                    details::log(ui, cx, view.facts.connection, view);
                }
                self.details.raw(ui, cx, &view.facts);
            }
        }
    }

    /// The file to save, once the data is available.
    fn save(&mut self, ui: &Ui, cx: &mut Cx, view: &View) -> Option<(Export, bool)> {
        let (from, to) = self.plots.range();
        let export = |content| Export {
            number: crate::ui::request_number(),
            connection: view.facts.connection,
            device: view.facts.device.clone(),
            from,
            to,
            content,
        };
        match self.plots.take_wish() {
            Some(plots::Save::Readings) => {
                return Some((export(Content::Readings(self.plots.chosen())), false));
            }
            Some(plots::Save::Picture) => self.shot = Some((Shot::default(), self.offset)),
            None => {}
        }
        let (shot, offset) = self.shot.as_mut()?;
        let taken = shot.go_on(ui.ctx(), self.plots.area());
        // Draw the next frames, which are needed for the screenshot.
        cx.deadline.at(cx.now.boot_ms + 16);
        let picture = taken?;
        // Undo the scrolling that brought the plots into view.
        self.scroll_to = Some(*offset);
        self.shot = None;
        picture.map(|picture| (export(Content::Picture(picture)), !self.plots.is_whole()))
    }

    /// The device shown.
    pub(super) fn of(&self) -> (ConnectionId, DeviceId) {
        (self.connection, self.device.clone())
    }

    fn ask_for_log(&mut self, cx: &mut Cx, view: &View) {
        if !view.has_log {
            return;
        }
        let link = view.facts.seen.link;
        let is_new = match self.log_asked {
            None => true,
            Some(asked) => link.is_some() && asked != link,
        };
        if is_new {
            self.log_asked = Some(link);
            let (connection, device) = (self.connection, self.device.clone());
            cx.intents.push(Intent::Device(DeviceIntent::LoadLog { connection, device }));
        }
    }

    /// Copies the page's data out of the model.
    fn copy_view(&mut self, cx: &mut Cx) -> Option<View> {
        let model = cx.model;
        let subject = Subject::of(cx, self.connection, &self.device);
        let view = model.read(|model| {
            let connection = model.connections.get(&self.connection)?;
            let device = connection.devices.get(self.device.as_str())?;
            let facts = self.facts(cx, connection, device);
            self.plots.update(cx, &facts, connection, device);
            let status = connection.status(device);
            self.copied.update(connection, device);
            let title = match device.is_local() {
                true => (cx.words.devices.connection_to)(&rooms::name_of(connection, cx.words)),
                // If the person renamed the device, the line below shows its id.
                false => match connection.device_choice(&self.device) {
                    Some(choice) if !choice.name.is_empty() => harmless::line(&choice.name, 80),
                    _ => connection.device_title(device, 80),
                },
            };
            let since = match status {
                Status::Unknown => device.heard,
                _ => Some(device.since).filter(|since| *since > WallMs(0)),
            };
            Some(View {
                facts,
                title,
                kind: super::rows::kind(cx.words, &device.spec.kind, self.device.as_str()),
                status,
                subject: None,
                since,
                reason: if status == Status::Offline {
                    harmless::line(&device.reason, 200)
                } else {
                    String::new()
                },
                behind_ms: device.behind_ms.filter(|ms| ms.saturating_abs() > CLOCK_TOLERANCE_MS),
                metrics: self.copied.metrics.clone(),
                has_controls: connection.offers(Feature::Commands)
                    && self.copied.metrics.iter().any(|metric| metric.writable && !metric.hidden),
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
                has_log: device.is_local() || connection.offers(Feature::DeviceLog),
            })
        });
        view.map(|view| View { subject, ..view })
    }

    fn facts(&self, cx: &Cx, connection: &Connection, device: &Device) -> Facts {
        let link = match connection.link {
            LinkState::Online { since, .. } => Some(since),
            _ => None,
        };
        Facts {
            connection: self.connection,
            device: self.device.clone(),
            seen: Seen { incarnation: device.incarnation, presence: device.presence, link },
            lock: lock_of(connection, device),
            hub_now: cx.now.wall_ms.saturating_add(connection.clock_skew_ms.unwrap_or(0)),
        }
    }
}

/// Why a device's properties cannot be set now; none where they can.
pub(in crate::ui) fn lock_of(connection: &Connection, device: &Device) -> Option<Lock> {
    match connection.status(device) {
        Status::Online | Status::Asleep => None,
        Status::Silent => Some(Lock::Silent),
        Status::Offline => Some(Lock::Offline),
        Status::Unknown
            if device.presence == Presence::Unheard
                && connection.devices.is_complete()
                && connection.link.is_online() =>
        {
            Some(Lock::Unheard)
        }
        Status::Unknown => Some(Lock::Link),
    }
}

impl Copied {
    fn update(&mut self, connection: &Connection, device: &Device) {
        let key = (connection.devices.version(), device.latest.len(), device.incarnation);
        if self.key != Some(key) {
            self.key = Some(key);
            self.metrics = Arc::new(device.latest.iter().map(|latest| latest.metric.clone()).collect());
            self.attributes = Arc::new(details::copied(&device.spec));
        }
        // The log has at most a hundred lines, and existing ones change when a command ends.
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

/// The page of a device that no longer exists.
fn gone(ui: &mut Ui, cx: &Cx) -> PageAction {
    let words = cx.words.device_page;
    let back = widgets::icon_button(ui, Icon::Back, words.back, words.back, false);
    ui.add(Label::new(words.gone).wrap());
    let is_over = back.clicked() || ui.input(|input| input.key_pressed(Key::Escape));
    if is_over { PageAction::Back } else { PageAction::Stay }
}

/// Draws columns of these widths side by side, each as high as its content.
fn columns(ui: &mut Ui, widths: &[f32], mut draw: impl FnMut(&mut Ui, usize)) {
    let begin = ui.cursor().min;
    let (mut left, mut bottom) = (begin.x, begin.y);
    for (number, width) in widths.iter().enumerate() {
        let place = Rect::from_x_y_ranges(left..=left + width, begin.y..=ui.max_rect().bottom().max(begin.y));
        let builder = UiBuilder::new().id_salt(("column", number)).max_rect(place);
        let mut column = ui.new_child(builder.layout(Layout::top_down(Align::Min)));
        column.set_width(*width);
        draw(&mut column, number);
        bottom = bottom.max(column.min_rect().bottom());
        left += width + GAP;
    }
    ui.advance_cursor_after_rect(Rect::from_min_max(begin, pos2(left - GAP, bottom)));
}

/// Whether the focus is on the page or nowhere.
fn focus_is_here(ui: &Ui, page: egui::Rect) -> bool {
    let Some(focused) = ui.ctx().memory(|memory| memory.focused()) else { return true };
    ui.ctx().read_response(focused).is_some_and(|response| page.contains(response.rect.center()))
}

fn section(ui: &mut Ui, title: &str) {
    ui.add_space(space::MEDIUM);
    heading(ui, title);
}

fn heading(ui: &mut Ui, title: &str) {
    let theme = theme::of(ui);
    let text =
        ui.add(Label::new(RichText::new(title).font(theme::heading()).color(theme.text)).selectable(false));
    widgets::heading(ui, &text, title, 2);
}

/// Rows of equal height. Only the visible ones are drawn, and a few around them for keyboard navigation.
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
