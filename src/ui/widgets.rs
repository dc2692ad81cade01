//! Small things that several views draw.

use egui::accesskit::{Live, Role};
use egui::{
    Button, Color32, FontId, Pos2, Rect, Response, RichText, Sense, Shape, Stroke, Ui, Vec2, pos2, vec2,
};

use super::text::StateWord;
use super::theme::{self, Theme, radius, size};

/// A button of the main act: one a view.
pub(super) fn primary<'a>(theme: &Theme, text: &str) -> Button<'a> {
    Button::new(RichText::new(text).color(theme.on_accent))
        .fill(theme.accent_fill)
        .stroke(Stroke::NONE)
        .min_size(vec2(72.0, size::CONTROL))
}

/// A button of a lesser act.
pub(super) fn plain<'a>(text: &str) -> Button<'a> {
    Button::new(text.to_owned()).min_size(vec2(0.0, size::CONTROL))
}

/// A button that looks like a link, for acts inside a row.
pub(super) fn link<'a>(theme: &Theme, text: &str) -> Button<'a> {
    Button::new(RichText::new(text).font(theme::small()).color(theme.accent)).frame(false)
}

/// The colour of a state. An outage keeps calm until it has lasted a second.
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

/// A state's mark: each state has a shape of its own, so that colour is never alone.
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

/// The mark of the settings: three sliders. Painted, since not every computer has a font with a sign for it.
pub(super) fn settings_mark(painter: &egui::Painter, centre: Pos2, colour: Color32) {
    for (y, knob) in [(-4.5, 2.5), (0.0, -2.5), (4.5, 1.0)] {
        let line = [centre + vec2(-6.0, y), centre + vec2(6.0, y)];
        painter.line_segment(line, Stroke::new(1.25, colour));
        painter.circle_filled(centre + vec2(knob, y), 2.0, colour);
    }
}

/// An arrow: to the right where `way` is 1, to the left where it is -1.
pub(super) fn arrow(painter: &egui::Painter, centre: Pos2, way: f32, colour: Color32) {
    let tip = centre + vec2(5.0 * way, 0.0);
    let stroke = Stroke::new(1.5, colour);
    painter.line_segment([centre - vec2(5.0 * way, 0.0), tip], stroke);
    for dy in [-3.25, 3.25] {
        painter.line_segment([tip + vec2(-3.25 * way, dy), tip], stroke);
    }
}

/// The mark of the connection log: what goes above what comes.
pub(super) fn log_mark(painter: &egui::Painter, centre: Pos2, colour: Color32) {
    arrow(painter, centre - vec2(0.0, 4.0), 1.0, colour);
    arrow(painter, centre + vec2(0.0, 4.0), -1.0, colour);
}

/// What a delivery mark says.
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

/// A delivery mark.
pub(super) fn delivery_mark(painter: &egui::Painter, centre: Pos2, mark: Mark, theme: &Theme) {
    let line = |points: &[(f32, f32)], colour| {
        let points = points.iter().map(|(x, y)| centre + vec2(*x, *y)).collect();
        painter.add(Shape::line(points, Stroke::new(1.5, colour)));
    };
    match mark {
        Mark::Waiting => {
            painter.circle_stroke(centre, 5.0, Stroke::new(1.25, theme.weak));
            line(&[(0.0, -3.0), (0.0, 0.0), (2.25, 1.25)], theme.weak);
        }
        Mark::Sending => {
            line(&[(0.0, 4.5), (0.0, -4.5)], theme.weak);
            line(&[(-3.5, -1.0), (0.0, -4.5), (3.5, -1.0)], theme.weak);
        }
        Mark::Sent => line(&[(-4.5, 0.5), (-1.5, 3.5), (4.5, -3.5)], theme.weak),
        Mark::Failed => {
            painter.circle_filled(centre, 6.5, theme.bad);
            let stroke = Stroke::new(1.75, theme.ground);
            painter.line_segment([centre - vec2(0.0, 3.5), centre + vec2(0.0, 0.75)], stroke);
            painter.circle_filled(centre + vec2(0.0, 3.25), 1.1, theme.ground);
        }
    }
}

/// A number in a pill.
pub(super) fn count_pill(ui: &Ui, right_centre: Pos2, count: u64, theme: &Theme) -> f32 {
    let text = if count > 999 { "999+".to_owned() } else { count.to_string() };
    let galley = ui.painter().layout_no_wrap(text, theme::small(), theme.on_accent);
    let size = vec2((galley.size().x + 12.0).max(20.0), 18.0);
    let rect = Rect::from_min_size(pos2(right_centre.x - size.x, right_centre.y - size.y / 2.0), size);
    ui.painter().rect_filled(rect, 9.0, theme.accent_fill);
    ui.painter().galley(rect.center() - galley.size() / 2.0, galley, theme.on_accent);
    size.x
}

/// Text cut off with an ellipsis where it would be too wide.
pub(super) fn cut(
    ui: &Ui,
    text: &str,
    font: FontId,
    colour: Color32,
    width: f32,
) -> std::sync::Arc<egui::Galley> {
    let mut job = egui::text::LayoutJob::simple_singleline(text.to_owned(), font, colour);
    job.wrap.max_width = width.max(0.0);
    job.wrap.max_rows = 1;
    job.wrap.break_anywhere = true;
    ui.fonts_mut(|fonts| fonts.layout_job(job))
}

/// Makes something painted known to screen readers as a text.
pub(super) fn spoken(ui: &Ui, rect: Rect, id: egui::Id, text: &str) -> Response {
    let response = ui.interact(rect, id, Sense::hover());
    response.widget_info(|| egui::WidgetInfo::labeled(Role::Label, true, text));
    response
}

/// Makes a response a live region: screen readers say its text whenever it changes.
pub(super) fn live(ui: &Ui, id: egui::Id, text: &str) {
    ui.ctx().accesskit_node_builder(id, |node| {
        node.set_role(Role::Status);
        node.set_label(text.to_owned());
        node.set_live(Live::Polite);
    });
}

/// The same for what cannot wait: they interrupt what they are saying.
pub(super) fn alert(ui: &Ui, id: egui::Id, text: &str) {
    ui.ctx().accesskit_node_builder(id, |node| {
        node.set_role(Role::Alert);
        node.set_label(text.to_owned());
        node.set_live(Live::Assertive);
    });
}

/// Makes a text a heading for screen readers: 1 of the whole view, 2 of a part.
pub(super) fn heading(ui: &Ui, response: &Response, text: &str, level: usize) {
    ui.ctx().accesskit_node_builder(response.id, |node| {
        node.set_role(Role::Heading);
        node.set_label(text);
        node.set_level(level);
    });
}

/// A thin line around what has the focus, where egui draws none.
pub(super) fn focus_ring(ui: &Ui, response: &Response, theme: &Theme) {
    if response.has_focus() {
        let stroke = Stroke::new(2.0, theme.accent);
        let rect = response.rect.shrink(1.0);
        ui.painter().rect_stroke(rect, f32::from(radius::CONTROL), stroke, egui::StrokeKind::Inside);
    }
}

/// Gives a control a name for screen readers, where its face says less.
pub(super) fn named(ui: &Ui, response: &Response, name: &str) {
    ui.ctx().accesskit_node_builder(response.id, |node| node.set_label(name.to_owned()));
}
