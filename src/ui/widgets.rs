//! Small widgets shared by several views.

use std::sync::Arc;

use egui::accesskit::{Live, Role};
use egui::{
    Button, Color32, FontId, Galley, Label, Pos2, Rect, Response, RichText, Sense, Stroke, Ui, Vec2, pos2,
    vec2,
};

pub(super) use super::focus_mark::{is_visible as is_by_keys, ring as focus_ring};
use super::icons::{self, Icon};
use super::text::{StateWord, Words};
use super::theme::{self, Theme, radius, size};
use crate::model::PrincipalKind;
use crate::model::known::Shown;

/// The primary button; at most one per view.
pub(super) fn primary<'a>(theme: &Theme, text: &str) -> Button<'a> {
    Button::new(RichText::new(text).color(theme.on_accent))
        .fill(theme.accent_fill)
        .stroke(Stroke::NONE)
        .min_size(vec2(72.0, size::CONTROL))
}

/// Width of the primary button, in points.
pub(super) fn primary_width(ui: &Ui, text: &str) -> f32 {
    let text = ui.painter().layout_no_wrap(text.to_owned(), theme::body(), Color32::PLACEHOLDER);
    (text.size().x + 2.0 * ui.spacing().button_padding.x).max(72.0)
}

/// A secondary button.
pub(super) fn plain<'a>(text: &str) -> Button<'a> {
    Button::new(text.to_owned()).min_size(vec2(0.0, size::CONTROL))
}

/// A sentence that explains what stands above it.
pub(super) fn explain(ui: &mut Ui, text: impl Into<String>) -> Response {
    let text = RichText::new(text).font(theme::small()).color(theme::of(ui).weak);
    ui.add(Label::new(text).wrap())
}

/// A button that looks like a link, for actions within a row.
pub(super) fn link<'a>(theme: &Theme, text: &str) -> Button<'a> {
    Button::new(RichText::new(text).font(theme::small()).color(theme.accent)).frame(false)
}

/// Colour of a connection's state. An outage is shown as a warning only after a second.
pub(super) fn state_colour(theme: &Theme, word: StateWord, alarm: bool) -> Color32 {
    match word {
        StateWord::Online => theme.good,
        StateWord::Connecting | StateWord::Off => theme.weak,
        StateWord::Waiting | StateWord::Suspended => {
            if alarm {
                theme.warn
            } else {
                theme.weak
            }
        }
        StateWord::Stopped => {
            if alarm {
                theme.bad
            } else {
                theme.weak
            }
        }
    }
}

/// Mark of a connection's state. Each state has its own shape, so that it does not depend on colour.
pub(super) fn state_mark(painter: &egui::Painter, centre: Pos2, word: StateWord, colour: Color32) {
    let r = 4.5;
    let stroke = Stroke::new(1.75, colour);
    match word {
        StateWord::Online => {
            painter.circle_filled(centre, r, colour);
        }
        StateWord::Connecting => {
            painter.circle_stroke(centre, r, stroke);
            painter.circle_filled(centre, 1.75, colour);
        }
        StateWord::Off => {
            painter.circle_stroke(centre, r, stroke);
        }
        StateWord::Waiting => {
            // A clock.
            painter.circle_stroke(centre, r, stroke);
            painter.line_segment([centre, centre - vec2(0.0, 2.75)], Stroke::new(1.25, colour));
            painter.line_segment([centre, centre + vec2(2.0, 0.5)], Stroke::new(1.25, colour));
        }
        StateWord::Suspended => {
            for dx in [-2.5, 2.5] {
                let bar = Rect::from_center_size(centre + vec2(dx, 0.0), vec2(2.5, 9.0));
                painter.rect_filled(bar, 1.0, colour);
            }
        }
        StateWord::Stopped => {
            let square = Rect::from_center_size(centre, Vec2::splat(8.5));
            painter.rect_filled(square, 2.0, colour);
        }
    }
}

/// An arrow: to the right for `way` = 1, to the left for -1.
pub(super) fn arrow(painter: &egui::Painter, centre: Pos2, way: f32, colour: Color32) {
    let tip = centre + vec2(5.0 * way, 0.0);
    let stroke = Stroke::new(1.5, colour);
    painter.line_segment([centre - vec2(5.0 * way, 0.0), tip], stroke);
    for dy in [-3.25, 3.25] {
        painter.line_segment([tip + vec2(-3.25 * way, dy), tip], stroke);
    }
}

/// An icon button. `name` is for screen readers, `hint` is the tooltip. `lit`: drawn as the primary button.
pub(super) fn icon_button(ui: &mut Ui, icon: Icon, name: &str, hint: &str, lit: bool) -> Response {
    let response = icon_toggle(ui, icon, name, hint, lit);
    // It is a push button, not a toggle.
    ui.ctx().accesskit_node_builder(response.id, |node| node.clear_toggled());
    response
}

/// An icon button that toggles.
pub(super) fn icon_toggle(ui: &mut Ui, icon: Icon, name: &str, hint: &str, is_on: bool) -> Response {
    let button =
        Button::new("").selected(is_on).frame_when_inactive(is_on).min_size(Vec2::splat(size::CONTROL));
    let response = ui.add(button);
    let colour = if ui.is_enabled() { theme::of(ui).text } else { theme::of(ui).weak };
    icons::paint(ui.painter(), response.rect.center(), icon, size::ICON, colour);
    let response = response.on_hover_text(hint);
    named(ui, &response, name);
    response
}

/// A segment of a segmented control.
pub(super) struct Segment<'a> {
    /// Its icon.
    pub(super) icon: Icon,
    /// Its accessible name, also shown as a label if there is space.
    pub(super) name: &'a str,
    /// Its tooltip.
    pub(super) hint: String,
    /// Whether it is selected.
    pub(super) chosen: bool,
    /// Whether a dot marks it as having something new.
    pub(super) marked: bool,
}

/// A segmented control. Returns the segment that was clicked.
pub(super) fn segments<'a>(
    ui: &mut Ui,
    segments: impl Iterator<Item = &'a Segment<'a>> + Clone,
    wordy: bool,
) -> Option<usize> {
    let theme = theme::of(ui);
    let whole = vec2(segments_width(ui, segments.clone(), wordy), size::CONTROL);
    let (rect, _) = ui.allocate_exact_size(whole, Sense::hover());
    let corner = f32::from(radius::CONTROL);
    let stroke = Stroke::new(1.0, theme.outline);
    ui.painter().rect(rect, corner, theme.raised, stroke, egui::StrokeKind::Inside);
    let mut chosen = None;
    let mut left = rect.left();
    for (at, segment) in segments.enumerate() {
        let words = face(ui, theme, segment, wordy);
        let place = Rect::from_min_size(pos2(left, rect.top()), vec2(segment_width(&words), rect.height()));
        left = place.right();
        if self::segment(ui, theme, segment, place, words) {
            chosen = Some(at);
        }
    }
    chosen
}

/// Width of a segmented control, in points.
pub(super) fn segments_width<'a>(
    ui: &Ui,
    segments: impl Iterator<Item = &'a Segment<'a>>,
    wordy: bool,
) -> f32 {
    let theme = theme::of(ui);
    segments.map(|segment| segment_width(&face(ui, theme, segment, wordy))).sum()
}

fn segment_width(words: &Option<Arc<Galley>>) -> f32 {
    words.as_ref().map_or(36.0, |words| words.size().x + 46.0)
}

/// The label of a segment, if there is space.
fn face(ui: &Ui, theme: &Theme, segment: &Segment<'_>, wordy: bool) -> Option<Arc<Galley>> {
    let colour = if segment.chosen { theme.accent } else { theme.text };
    wordy.then(|| ui.painter().layout_no_wrap(segment.name.to_owned(), theme::small(), colour))
}

fn segment(ui: &Ui, theme: &Theme, segment: &Segment<'_>, rect: Rect, words: Option<Arc<Galley>>) -> bool {
    let response = ui.interact(rect, egui::Id::unique(("segment", segment.name)), Sense::click());
    response
        .widget_info(|| egui::WidgetInfo::selected(Role::RadioButton, true, segment.chosen, segment.name));
    let colour = if segment.chosen { theme.accent } else { theme.text };
    let fill = if segment.chosen { theme.selected } else { theme.hover };
    if segment.chosen || response.hovered() {
        ui.painter().rect_filled(rect.shrink(2.0), f32::from(radius::CONTROL) - 2.0, fill);
    }
    let icon = match &words {
        Some(_) => pos2(rect.left() + 11.0 + size::ICON / 2.0, rect.center().y),
        None => rect.center(),
    };
    icons::paint(ui.painter(), icon, segment.icon, size::ICON, colour);
    if let Some(words) = words {
        let at = pos2(rect.right() - 12.0 - words.size().x, rect.center().y - words.size().y / 2.0);
        ui.painter().galley(at, words, colour);
    }
    if segment.marked {
        ui.painter().circle_filled(icon + vec2(7.0, -7.0), 4.0, theme.accent_fill);
    }
    response.on_hover_text(&segment.hint).clicked()
}

/// One of several pages of a pane.
pub(super) fn tab(ui: &mut Ui, is_chosen: bool, name: &str) -> Response {
    let button = ui.add(Button::new(name.to_owned()).selected(is_chosen).frame_when_inactive(is_chosen));
    ui.ctx().accesskit_node_builder(button.id, |node| {
        node.set_role(Role::Tab);
        node.set_selected(is_chosen);
    });
    button
}

/// The mark of a muted room or device: a struck-through bell.
pub(super) fn muted_mark(painter: &egui::Painter, centre: Pos2, colour: Color32) {
    let stroke = Stroke::new(1.25, colour);
    let bell = [(-4.5, 3.0), (-3.0, 1.0), (-3.0, -1.5), (0.0, -4.5), (3.0, -1.5), (3.0, 1.0), (4.5, 3.0)];
    painter.add(egui::Shape::closed_line(bell.map(|(x, y)| centre + vec2(x, y)).to_vec(), stroke));
    painter.line_segment([centre + vec2(-1.25, 4.75), centre + vec2(1.25, 4.75)], stroke);
    painter.line_segment([centre + vec2(-5.5, -5.0), centre + vec2(5.5, 5.5)], stroke);
}

/// State of a message's delivery.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// A clock.
    Waiting,
    /// An arrow.
    Sending,
    /// A check.
    Sent,
    /// An exclamation mark.
    Failed,
}

/// Paints a delivery mark.
pub(super) fn delivery_mark(painter: &egui::Painter, centre: Pos2, mark: Mark, theme: &Theme) {
    let (icon, colour) = match mark {
        Mark::Waiting => (Icon::Clock, theme.weak),
        Mark::Sending => (Icon::Up, theme.weak),
        Mark::Sent => (Icon::Check, theme.weak),
        Mark::Failed => (Icon::Alert, theme.bad),
    };
    icons::paint(painter, centre, icon, size::ICON, colour);
}

/// A number in a badge. Returns its width.
pub(super) fn count_pill(ui: &Ui, right_centre: Pos2, count: u64, theme: &Theme) -> f32 {
    let text = if count > 999 { "999+".to_owned() } else { count.to_string() };
    let galley = ui.painter().layout_no_wrap(text, theme::small(), theme.on_accent);
    let size = vec2((galley.size().x + 12.0).max(20.0), 18.0);
    let rect = Rect::from_min_size(pos2(right_centre.x - size.x, right_centre.y - size.y / 2.0), size);
    ui.painter().rect_filled(rect, 9.0, theme.accent_fill);
    ui.painter().galley(rect.center() - galley.size() / 2.0, galley, theme.on_accent);
    size.x
}

/// The number of mentions in a badge. Returns its width.
pub(super) fn mention_pill(ui: &Ui, right_centre: Pos2, count: u64, theme: &Theme) -> f32 {
    let text = if count > 99 { "@99+".to_owned() } else { format!("@{count}") };
    let galley = ui.painter().layout_no_wrap(text, theme::small(), theme.ground);
    let size = vec2(galley.size().x + 12.0, 18.0);
    let rect = Rect::from_min_size(pos2(right_centre.x - size.x, right_centre.y - size.y / 2.0), size);
    ui.painter().rect_filled(rect, 9.0, theme.warn);
    ui.painter().galley(rect.center() - galley.size() / 2.0, galley, theme.ground);
    size.x
}

/// What is shown beside an author's name: the role, or that it is a program.
pub(super) fn author_kind(words: &Words, author: &Shown) -> Option<&'static str> {
    if author.is_integration { Some(words.kind_integration) } else { kind_name(words, author.kind) }
}

/// The role of a principal; `None` for an ordinary person.
pub(super) fn kind_name(words: &Words, kind: Option<PrincipalKind>) -> Option<&'static str> {
    match kind {
        Some(PrincipalKind::Admin) => Some(words.kind_admin),
        Some(PrincipalKind::Device) => Some(words.kind_device),
        _ => None,
    }
}

/// Horizontal padding of a badge, both sides together, in points.
pub(super) const BADGE_PAD: f32 = 10.0;

/// A label in a frame, such as a role. Returns its rectangle.
pub(super) fn badge(ui: &Ui, left_centre: Pos2, text: Arc<Galley>, theme: &Theme) -> Rect {
    let size = vec2(text.size().x + BADGE_PAD, 16.0);
    let rect = Rect::from_min_size(pos2(left_centre.x, left_centre.y - size.y / 2.0), size);
    ui.painter().rect_filled(rect, 4.0, theme.hover);
    let stroke = Stroke::new(1.0, theme.outline);
    ui.painter().rect_stroke(rect, 4.0, stroke, egui::StrokeKind::Inside);
    ui.painter().galley(rect.center() - text.size() / 2.0, text, theme.text);
    rect
}

/// Text on one line, truncated with an ellipsis.
pub(super) fn cut(ui: &Ui, text: &str, font: FontId, colour: Color32, width: f32) -> Arc<Galley> {
    let text = super::bidi::line(text).into_owned();
    let mut job = egui::text::LayoutJob::simple_singleline(text, font, colour);
    job.wrap.max_width = width.max(0.0);
    job.wrap.max_rows = 1;
    job.wrap.break_anywhere = true;
    ui.fonts_mut(|fonts| fonts.layout_job(job))
}

/// Exposes painted text to screen readers.
pub(super) fn spoken(ui: &Ui, rect: Rect, id: egui::Id, text: &str) -> Response {
    let response = ui.interact(rect, id, Sense::hover());
    response.widget_info(|| egui::WidgetInfo::labeled(Role::Label, true, text));
    response
}

/// A small label before the control that it names.
pub(super) fn small_label(ui: &mut Ui, text: &str) -> Response {
    let colour = theme::of(ui).weak;
    ui.add(egui::Label::new(RichText::new(text).font(theme::small()).color(colour)).selectable(false))
}

/// Marks a widget as a live region: screen readers announce its text when it changes.
pub(super) fn live(ui: &Ui, id: egui::Id, text: &str) {
    ui.ctx().accesskit_node_builder(id, |node| {
        node.set_role(Role::Status);
        node.set_label(text.to_owned());
        node.set_live(Live::Polite);
    });
}

/// Like [`live`], but announced immediately, interrupting other speech.
pub(super) fn alert(ui: &Ui, id: egui::Id, text: &str) {
    ui.ctx().accesskit_node_builder(id, |node| {
        node.set_role(Role::Alert);
        node.set_label(text.to_owned());
        node.set_live(Live::Assertive);
    });
}

/// Resets the panel with this id salt, a child of `ui`, to its default size.
pub(super) fn forget_size(ui: &Ui, panel: impl egui::AsIdSalt) {
    let id = panel_id(ui, panel);
    ui.ctx().data_mut(|data| data.remove::<egui::containers::panel::PanelState>(id));
}

/// The id that egui gives a panel.
fn panel_id(ui: &Ui, panel: impl egui::AsIdSalt) -> egui::Id {
    ui.scope_id().with_salt(egui::IdSalt::new(panel))
}

/// Sets the accessible name of the resize handle of the panel with this id salt, a child of `ui`.
pub(super) fn splitter(ui: &Ui, panel: impl egui::AsIdSalt, name: &str) {
    // The id that egui gives a panel's resize handle.
    let id = panel_id(ui, panel).with("__resize");
    if ui.ctx().read_response(id).is_some() {
        ui.ctx().accesskit_node_builder(id, |node| node.set_label(name));
    }
}

/// Exposes a pane as a landmark with a name.
pub(super) fn landmark(ui: &Ui, role: Role, name: &str) {
    let place = ui.max_rect();
    ui.ctx().accesskit_node_builder(ui.unique_id(), |node| {
        node.set_role(role);
        node.set_label(name);
        node.set_bounds(egui::accesskit::Rect {
            x0: place.left().into(),
            y0: place.top().into(),
            x1: place.right().into(),
            y1: place.bottom().into(),
        });
    });
}

/// Exposes a text as a heading: level 1 for the view, 2 for a part of it.
pub(super) fn heading(ui: &Ui, response: &Response, text: &str, level: usize) {
    ui.ctx().accesskit_node_builder(response.id, |node| {
        node.set_role(Role::Heading);
        node.set_label(text);
        node.set_level(level);
    });
}

/// Sets the accessible name of a control.
pub(super) fn named(ui: &Ui, response: &Response, name: &str) {
    ui.ctx().accesskit_node_builder(response.id, |node| node.set_label(name.to_owned()));
}
