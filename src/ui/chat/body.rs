//! A message's text on the screen: its blocks one below the other, each selectable, with links that can be reached by
//! pointer, keyboard and screen reader.

use std::ops::Range;
use std::sync::Arc;

use egui::accesskit::Role;
use egui::text::{CharIndex, LayoutJob, LayoutSection, TextFormat};
use egui::text_selection::LabelSelectionState;
use egui::{
    Align, Color32, CursorIcon, FontId, Galley, Id, Layout, Pos2, Rect, Response, Sense, Stroke, StrokeKind,
    Ui, UiBuilder, Vec2, WidgetInfo, pos2, vec2,
};

use super::frames;
use super::literal::Lines;
use super::markup::{Block, Kind, Markup, Style};
use super::ordered::Ordered;
use super::rows::Row;
use crate::ui::theme::{self, Theme, radius, size, space};
use crate::ui::{Cx, bidi, widgets};

/// A quote's text stands so far from its bar.
const QUOTE: f32 = 14.0;
/// An item's text stands so far from its list's edge.
const LIST: f32 = 20.0;
/// Between blocks that a blank line parts.
const APART: f32 = 10.0;
/// Between blocks that follow each other.
const CLOSE: f32 = 3.0;
/// The line above code: its language and what can be done with it.
const CODE_HEAD: f32 = 26.0;
/// The line of a rule.
const RULE: f32 = 13.0;
/// Text is never squeezed to less.
const LEAST_WIDTH: f32 = 60.0;
/// Longer text is copied by its menu alone: to select in it costs something for every line, in every frame.
const SELECTABLE_LINES: usize = 1_000;

/// A message's text, laid out.
pub(super) struct Body {
    parts: Vec<Part>,
    /// Drawn line by line in the place of parts.
    lines: Option<Lines>,
    size: Vec2,
}

/// One block, laid out. Places are below and beside the body's corner.
struct Part {
    /// Its index in the markup; without, the message is plain.
    block: Option<usize>,
    text: Arc<Galley>,
    /// Where its characters are, where there is right-to-left text in it.
    ordered: Option<Ordered>,
    at: Pos2,
    /// An item's marker.
    marker: Option<(Pos2, Arc<Galley>)>,
    /// All that it takes up.
    area: Rect,
}

/// What a person does with a body.
#[derive(Default)]
pub(super) struct Touch {
    /// The link that was followed.
    pub(super) followed: Option<usize>,
    /// The link that is pointed at or has the focus.
    pub(super) pointed: Option<usize>,
    /// The code block to copy, counted among code blocks.
    pub(super) copied_code: Option<usize>,
    /// Whether the second button was pressed on a link.
    pub(super) menu: bool,
}

impl Body {
    /// Of one piece.
    pub(super) fn plain(text: Arc<Galley>) -> Body {
        let size = text.size();
        let part = Part {
            block: None,
            text,
            ordered: None,
            at: Pos2::ZERO,
            marker: None,
            area: Rect::from_min_size(Pos2::ZERO, size),
        };
        Body { parts: vec![part], lines: None, size }
    }

    /// Of a message without markup.
    pub(super) fn of_text(ui: &Ui, row: &Row, width: f32) -> Body {
        let theme = theme::of(ui);
        if let Some(literal) = row.frame.as_ref().and_then(|frame| frame.literal.as_ref()) {
            let lines = literal.lines(ui, width);
            let size = vec2(width, lines.height());
            return Body { parts: Vec::new(), lines: Some(lines), size };
        }
        let kind = match &row.frame {
            Some(frame) if frame.kind == frames::Kind::Text => Kind::Code(None),
            _ => Kind::Text,
        };
        let format = || format(theme, &kind, Style::default());
        if !row.rtl {
            return Body::plain(job(ui, &row.text, &[], width, |_| format()));
        }
        let sections = || vec![(0..row.text.len(), format())];
        let ordered = row.plans.lay_out(ui, 0, &row.text, width, sections);
        let mut body = Body::plain(Arc::clone(&ordered.galley));
        body.parts[0].ordered = Some(ordered);
        body
    }

    /// Of a message's blocks.
    pub(super) fn of(ui: &Ui, row: &Row, markup: &Markup, width: f32) -> Body {
        let theme = theme::of(ui);
        let mut parts: Vec<Part> = Vec::with_capacity(markup.blocks.len());
        let mut bottom = 0.0;
        for (index, block) in markup.blocks.iter().enumerate() {
            let is_code = matches!(block.kind, Kind::Code(_));
            let after_code = index > 0 && matches!(markup.blocks[index - 1].kind, Kind::Code(_));
            let top = match index {
                0 => 0.0,
                _ if block.apart || is_code || after_code => bottom + APART,
                _ => bottom + CLOSE,
            };
            let part = lay_out(ui, theme, row, (index, block), width, top);
            bottom = part.area.bottom();
            parts.push(part);
        }
        if markup.blocks.last().is_some_and(|block| matches!(block.kind, Kind::Code(_))) {
            // Its ground does not touch the next message.
            bottom += space::TINY;
        }
        Body { parts, lines: None, size: vec2(width, bottom) }
    }

    /// Where the last line ends to the right, and its middle, where something may stand behind it.
    pub(super) fn last_line(&self) -> Option<(f32, f32)> {
        let part = self.parts.last().filter(|part| part.ordered.is_none() && part.at.y == part.area.top())?;
        let row = part.text.rows.last()?;
        let top = part.at.y + row.pos.y;
        Some((part.at.x + row.pos.x + row.size.x, top + row.size.y / 2.0))
    }

    /// Its size.
    pub(super) fn size(&self) -> Vec2 {
        self.size
    }

    /// Paints it and no more: nothing in it can be touched.
    pub(super) fn paint(&self, ui: &Ui, at: Pos2, colour: Color32) {
        for part in &self.parts {
            ui.painter().galley(at + part.at.to_vec2(), Arc::clone(&part.text), colour);
        }
    }

    /// Draws it with its corner at `at`. `on_each` gets the response of every block, for its menu and description.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn show(
        &self,
        ui: &mut Ui,
        cx: &Cx,
        id: Id,
        row: &Row,
        at: Pos2,
        colour: Color32,
        selectable: bool,
        mut on_each: impl FnMut(&Ui, &Response),
    ) -> Touch {
        let mut touch = Touch::default();
        let literal = row.frame.as_ref().and_then(|frame| frame.literal.as_ref());
        if let (Some(lines), Some(literal)) = (&self.lines, literal) {
            let rect = Rect::from_min_size(at, self.size);
            let response = ui.interact(rect, id, Sense::click_and_drag() - Sense::FOCUSABLE);
            response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &row.text));
            literal.paint(ui, lines, at, colour);
            on_each(ui, &response);
        }
        let mut codes = 0;
        for (number, part) in self.parts.iter().enumerate() {
            let block = part.block.zip(row.markup.as_ref()).map(|(index, markup)| &markup.blocks[index]);
            let is_code = block.is_some_and(|block| matches!(block.kind, Kind::Code(_)));
            codes += usize::from(is_code);
            let area = part.area.translate(at.to_vec2());
            if !ui.clip_rect().intersects(area) {
                continue;
            }
            let id = if number == 0 { id } else { id.with(("part", number)) };
            if let Some(block) = block {
                ornaments(ui, part, block, at);
            }
            let response = part.text(ui, cx, id, row, block, at, colour, selectable);
            on_each(ui, &response);
            if let (Some(block), Some(markup)) = (block, &row.markup) {
                part.links(ui, id, block, markup, at, &mut touch);
                if is_code && part.copy_button(ui, cx, id, area) {
                    touch.copied_code = Some(codes - 1);
                }
            }
        }
        touch
    }
}

fn lay_out(ui: &Ui, theme: &Theme, row: &Row, (index, block): (usize, &Block), width: f32, top: f32) -> Part {
    let mut left = f32::from(block.quotes) * QUOTE + f32::from(block.lists) * LIST;
    let marker = (!block.marker.is_empty()).then(|| {
        let galley =
            job(ui, &block.marker, &[], f32::INFINITY, |_| format(theme, &Kind::Text, Style::default()));
        let edge = left - LIST;
        left = left.max(edge + galley.size().x + space::TINY + 2.0);
        (pos2(edge + 2.0, top), galley)
    });
    let left = left.min((width - LEAST_WIDTH).max(0.0));
    let is_code = matches!(block.kind, Kind::Code(_));
    let inset = if is_code { vec2(space::MEDIUM, CODE_HEAD) } else { Vec2::ZERO };
    let room = (width - left - 2.0 * inset.x).max(LEAST_WIDTH);
    let style_format = |style| format(theme, &block.kind, style);
    // Code reads from left to right whatever is in it.
    let ordered = (row.rtl && !is_code && bidi::is_needed(&block.text)).then(|| {
        let spans =
            || block.spans.iter().map(|(range, style)| (range.clone(), style_format(*style))).collect();
        row.plans.lay_out(ui, index, &block.text, room, spans)
    });
    let text = match &ordered {
        Some(ordered) => Arc::clone(&ordered.galley),
        None => job(ui, &block.text, &block.spans, room, style_format),
    };
    let height = match block.kind {
        Kind::Rule => RULE,
        Kind::Code(_) => CODE_HEAD + text.size().y + space::SMALL,
        _ => text.size().y,
    };
    let area = Rect::from_min_max(pos2(0.0, top), pos2(width, top + height));
    let is_rtl = ordered.as_ref().is_some_and(|ordered| ordered.plan.rtl);
    // What stands before right-to-left text stands at its right.
    let at = pos2(if is_rtl { 0.0 } else { left }, top) + inset;
    let marker = marker.map(|(place, galley)| match is_rtl {
        true => (pos2(width - place.x - galley.size().x, place.y), galley),
        false => (place, galley),
    });
    Part { block: Some(index), text, ordered, at, marker, area }
}

fn job(
    ui: &Ui,
    text: &str,
    spans: &[(Range<usize>, Style)],
    width: f32,
    format: impl Fn(Style) -> TextFormat,
) -> Arc<Galley> {
    let mut job = LayoutJob { text: text.to_owned(), ..LayoutJob::default() };
    let section = |range: &Range<usize>, style| LayoutSection {
        leading_space: 0.0,
        byte_range: range.start.into()..range.end.into(),
        format: format(style),
    };
    if spans.is_empty() {
        job.sections.push(section(&(0..text.len()), Style::default()));
    } else {
        job.sections.extend(spans.iter().map(|(range, style)| section(range, *style)));
    }
    job.wrap.max_width = width;
    ui.fonts_mut(|fonts| fonts.layout_job(job))
}

fn format(theme: &Theme, kind: &Kind, style: Style) -> TextFormat {
    let (size, line) = match kind {
        Kind::Heading(1) => (size::HEADING + 2.0, 26.0),
        Kind::Heading(2) => (size::HEADING, 24.0),
        Kind::Code(_) => (size::CODE, size::CODE_LINE),
        _ => (size::BODY, size::BODY_LINE),
    };
    let is_code = style.code || matches!(kind, Kind::Code(_));
    let font_id = match kind {
        _ if is_code => FontId::monospace(size - if style.code { 1.0 } else { 0.0 }),
        Kind::Heading(_) => theme::strong(size),
        _ if style.bold || style.mention => theme::strong(size),
        _ => FontId::proportional(size),
    };
    let colour = if style.link.is_some() || style.mention { theme.accent } else { Color32::PLACEHOLDER };
    TextFormat {
        font_id,
        line_height: Some(line),
        color: colour,
        background: match style {
            Style { code: true, .. } => theme.code_ground,
            Style { mention: true, .. } => theme.selected,
            _ => Color32::TRANSPARENT,
        },
        italics: style.italic,
        strikethrough: if style.strike { Stroke::new(1.0, colour) } else { Stroke::NONE },
        ..TextFormat::default()
    }
}

/// What stands behind and beside a block: bars of quotes, the ground of code, a rule, an item's marker.
fn ornaments(ui: &Ui, part: &Part, block: &Block, at: Pos2) {
    let theme = theme::of(ui);
    let area = part.area.translate(at.to_vec2());
    let is_rtl = part.ordered.as_ref().is_some_and(|ordered| ordered.plan.rtl);
    for quote in 0..block.quotes {
        let from_edge = f32::from(quote) * QUOTE;
        let x = if is_rtl { area.right() - from_edge - 3.0 } else { area.left() + from_edge };
        let bar =
            Rect::from_min_max(pos2(x, area.top() - CLOSE / 2.0), pos2(x + 3.0, area.bottom() + CLOSE / 2.0));
        ui.painter().rect_filled(bar, 1.5, theme.outline);
    }
    let left = at.x + part.at.x;
    match &block.kind {
        Kind::Code(language) => {
            let left = left - space::MEDIUM;
            let ground = Rect::from_min_max(pos2(left, area.top()), area.max);
            let corner = f32::from(radius::CONTROL);
            ui.painter().rect(
                ground,
                corner,
                theme.code_ground,
                Stroke::new(1.0, theme.line),
                StrokeKind::Inside,
            );
            if let Some(language) = language {
                let room = (ground.width() - 100.0).max(0.0);
                let name = widgets::cut(ui, language, theme::small(), theme.weak, room);
                let middle = area.top() + CODE_HEAD / 2.0 - name.size().y / 2.0;
                ui.painter().galley(pos2(left + space::MEDIUM, middle), name, theme.weak);
            }
        }
        Kind::Rule => {
            let y = area.center().y.round();
            ui.painter().hline(left..=area.right(), y, Stroke::new(1.0, theme.outline));
        }
        Kind::Text | Kind::Heading(_) => {}
    }
    if let Some((place, marker)) = &part.marker {
        ui.painter().galley(at + place.to_vec2(), Arc::clone(marker), theme.weak);
    }
}

fn role(block: &Block) -> Role {
    match block.kind {
        Kind::Heading(_) => Role::Heading,
        Kind::Code(_) => Role::Code,
        _ if block.quotes > 0 => Role::Blockquote,
        _ => Role::Label,
    }
}

impl Part {
    #[allow(clippy::too_many_arguments)]
    fn text(
        &self,
        ui: &Ui,
        cx: &Cx,
        id: Id,
        row: &Row,
        block: Option<&Block>,
        at: Pos2,
        colour: Color32,
        selectable: bool,
    ) -> Response {
        let at = at + self.at.to_vec2();
        let least = vec2(1.0, if block.is_some() { 1.0 } else { size::BODY_LINE });
        let rect = Rect::from_min_size(at, self.text.size().max(least));
        let response = ui.interact(rect, id, Sense::click_and_drag() - Sense::FOCUSABLE);
        response.widget_info(|| match block {
            None => WidgetInfo::labeled(Role::Label, true, &row.text),
            Some(block) => {
                let name = match &block.kind {
                    Kind::Code(Some(language)) => (cx.words.rich.code_in)(language, &block.text),
                    _ if block.marker.is_empty() => block.text.clone(),
                    _ => format!("{} {}", block.marker, block.text),
                };
                WidgetInfo::labeled(role(block), true, name)
            }
        });
        let theme = theme::of(ui);
        let colour = if block.is_some_and(|block| block.quotes > 0) { theme.weak } else { colour };
        let galley = Arc::clone(&self.text);
        if let (true, Some(ordered)) = (selectable, &self.ordered) {
            let text = block.map_or(row.text.as_str(), |block| block.text.as_str());
            ordered.select(ui, &response, at, text);
            ui.painter().galley(at, galley, colour);
        } else if selectable && galley.rows.len() <= SELECTABLE_LINES {
            LabelSelectionState::label_text_selection(ui, &response, at, galley, colour, Stroke::NONE);
        } else {
            ui.painter().galley(at, galley, colour);
        }
        response
    }

    /// Makes the links in the text touchable: one control each, over all the lines that it runs through.
    fn links(&self, ui: &Ui, id: Id, block: &Block, markup: &Markup, at: Pos2, touch: &mut Touch) {
        let at = at + self.at.to_vec2();
        let mut spans = block.spans.iter().peekable();
        // Characters are counted once, along with the spans.
        let (mut bytes, mut counted) = (0, 0);
        while let Some((first, style)) = spans.next() {
            let Some(link) = style.link else { continue };
            let mut range = first.clone();
            while let Some((more, _)) = spans.next_if(|(_, style)| style.link == Some(link)) {
                range.end = more.end;
            }
            let from = counted + block.text[bytes..range.start].chars().count();
            let to = from + block.text[range.clone()].chars().count();
            (bytes, counted) = (range.end, to);
            let mut lines = self.lines(from, to).into_iter();
            let Some((head, baseline)) = lines.next() else { continue };
            let text = &block.text[range];
            let id = id.with(("link", link));
            let underline = |rect: Rect, baseline: f32| {
                let y = (at.y + baseline + 2.5).round();
                ui.painter().hline(rect.x_range(), y, Stroke::new(1.0, theme::of(ui).accent));
            };
            let head = head.translate(at.to_vec2());
            underline(head, baseline);
            let mut response = ui.interact(head, id, Sense::click());
            response.widget_info(|| WidgetInfo::labeled(Role::Link, true, text));
            let url = markup.links[link].url();
            ui.ctx().accesskit_node_builder(id, |node| {
                node.set_url(url);
                node.set_description(url);
            });
            let mut places = vec![head];
            for (number, (rect, baseline)) in lines.enumerate() {
                let rect = rect.translate(at.to_vec2());
                underline(rect, baseline);
                places.push(rect);
                response |= ui.interact(rect, id.with(number), Sense::click() - Sense::FOCUSABLE);
            }
            if response.hovered() {
                ui.set_cursor_icon(CursorIcon::PointingHand);
            }
            let has_focus = ui.memory(|memory| memory.has_focus(id));
            if has_focus {
                let stroke = Stroke::new(2.0, theme::of(ui).accent);
                for place in &places {
                    ui.painter().rect_stroke(place.expand(1.0), 3.0, stroke, StrokeKind::Outside);
                }
            }
            if response.hovered() || has_focus {
                touch.pointed = Some(link);
            }
            touch.menu |= response.secondary_clicked();
            if response.clicked() {
                touch.followed = Some(link);
            }
        }
    }

    /// Where the characters from one to another stand, line by line, each with its baseline, beside the text's corner.
    fn lines(&self, from: usize, to: usize) -> Vec<(Rect, f32)> {
        if let Some(ordered) = &self.ordered {
            return ordered.lines(from..to);
        }
        let mut lines = Vec::new();
        let mut begin = 0;
        for row in &self.text.rows {
            let length = row.char_count_excluding_newline().0;
            let (first, last) = (from.max(begin), to.min(begin + length));
            if first < last {
                let x = |index: usize| row.pos.x + row.x_offset(CharIndex(index - begin));
                let (top, bottom) = (row.pos.y, row.pos.y + row.size.y);
                let baseline = row.glyphs.get(first - begin).map_or(row.size.y, |glyph| glyph.pos.y);
                lines.push((Rect::from_min_max(pos2(x(first), top), pos2(x(last), bottom)), top + baseline));
            }
            begin += row.char_count_including_newline().0;
        }
        lines
    }

    fn copy_button(&self, ui: &mut Ui, cx: &Cx, id: Id, area: Rect) -> bool {
        let line = Rect::from_min_size(
            pos2(area.left(), area.top() + 1.0),
            vec2(area.width() - space::SMALL, CODE_HEAD - 2.0),
        );
        let layout = Layout::right_to_left(Align::Center);
        let builder = UiBuilder::new().max_rect(line).scope_id(id.with("copy code")).layout(layout);
        let mut child = ui.new_child(builder);
        child.spacing_mut().button_padding = vec2(space::TINY, 0.0);
        child.add(widgets::link(theme::of(ui), cx.words.rich.copy_code)).clicked()
    }
}
