//! The palette: a field over everything that can be opened or done, found by a few letters.

mod entries;
pub(super) mod fuzzy;

use egui::accesskit::Role;
use egui::{
    Align2, Area, Frame, Id, Key, Label, Margin, Modal, Modifiers, Rect, RichText, ScrollArea, Sense,
    TextEdit, Ui, pos2, vec2,
};

use super::keys::{self, Action};
use super::theme::{self, radius, size, space};
use super::{Cx, OpenRoom, icons, widgets};
use crate::model::device::DeviceId;
use crate::model::id::ConnectionId;
use crate::ui::icons::Icon;

use entries::Entry;
pub(super) use entries::Target;
use fuzzy::Query;

/// So many lines are shown at most.
const LINES: usize = 9;

/// An open palette.
pub(super) struct Palette {
    all: Vec<Entry>,
    text: String,
    found: Vec<usize>,
    /// The line that the keyboard is on.
    at: usize,
    /// How far it is scrolled, in points.
    offset: f32,
    /// The keyboard has moved: its line is to be seen.
    moved: bool,
    /// The focus is to go into the field.
    fresh: bool,
}

/// What a person does with it.
pub(super) enum Outcome {
    /// It stays.
    Open,
    /// It is closed.
    Closed,
    /// They want this.
    Chosen(Target),
}

impl Palette {
    /// Opens it over everything there is now.
    /// `device`: the one whose page is open.
    pub(super) fn new(
        cx: &Cx,
        open: Option<&OpenRoom>,
        recent: &[OpenRoom],
        device: Option<&(ConnectionId, DeviceId)>,
    ) -> Palette {
        let all = entries::all(cx, open, recent, device);
        let found = entries::find(&all, &Query::new(""));
        Palette { all, text: String::new(), found, at: 0, offset: 0.0, moved: false, fresh: true }
    }

    /// Draws it over the window.
    pub(super) fn show(&mut self, ui: &mut Ui, cx: &Cx) -> Outcome {
        let theme = theme::of(ui);
        let window = ui.ctx().content_rect().size();
        let frame = Frame::new()
            .fill(theme.raised)
            .shadow(ui.style().visuals.popup_shadow)
            .stroke(egui::Stroke::new(1.0, theme.outline))
            .corner_radius(radius::CARD)
            .inner_margin(Margin::same(space::SMALL as i8));
        let width = size::PALETTE.min(window.x - 2.0 * space::LARGE);
        let top = (window.y * 0.12).min(96.0);
        let id = Id::unique("palette");
        let area = Area::new(id)
            .kind(egui::UiKind::Modal)
            .sense(Sense::hover())
            .anchor(Align2::CENTER_TOP, vec2(0.0, top))
            .accessible_name(cx.words.keys.palette)
            .order(egui::Order::Foreground);
        let modal = Modal::new(id).area(area).frame(frame).backdrop_color(theme.veil);
        let shown = modal.show(ui.ctx(), |ui| {
            ui.set_width(width);
            ui.spacing_mut().item_spacing.y = space::TINY;
            self.contents(ui, cx, window.y - top)
        });
        ui.ctx().accesskit_node_builder(shown.response.layer_id.id, |node| node.set_modal());
        // Whoever asks twice means it once: closed by the second, what is typed next would go into the chat.
        self.fresh |= ui.input_mut(|input| input.consume_shortcut(&keys::of(Action::Palette)[0]));
        if shown.should_close() {
            return Outcome::Closed;
        }
        shown.inner.map_or(Outcome::Open, Outcome::Chosen)
    }

    fn contents(&mut self, ui: &mut Ui, cx: &Cx, height: f32) -> Option<Target> {
        let keyed = self.keys(ui);
        self.field(ui, cx);
        let row = cx.rhythm().row + 4.0;
        // As high for one line as for many: what is pointed at does not move while somebody types.
        let lines = LINES.min(((height - 120.0) / row).max(1.0) as usize);
        let list = Id::unique("palette list");
        let (rect, _) =
            ui.allocate_exact_size(vec2(ui.available_width(), lines as f32 * row), Sense::hover());
        let builder = egui::UiBuilder::new().max_rect(rect).scope_id(list);
        let builder =
            builder.accessibility_role(Role::ListBox).accessibility_label(cx.words.keys.palette_list);
        let mut inner = ui.new_child(builder);
        let clicked = if self.found.is_empty() {
            nothing(&mut inner, cx);
            None
        } else {
            self.lines(&mut inner, row)
        };
        let count = (cx.words.keys.found)(self.found.len());
        let text = RichText::new(&count).font(theme::small()).color(theme::of(ui).weak);
        let label = ui.add(Label::new(text).selectable(false));
        widgets::live(ui, label.id, &count);
        let chosen = clicked.or(keyed)?;
        self.found.get(chosen).map(|at| self.all[*at].target.clone())
    }

    /// What the keyboard says, before the field hears it.
    fn keys(&mut self, ui: &mut Ui) -> Option<usize> {
        let last = self.found.len().saturating_sub(1);
        let mut enter = false;
        let before = self.at;
        ui.input_mut(|input| {
            let mut pressed = |key| input.count_and_consume_key(Modifiers::NONE, key);
            let (down, up) = (pressed(Key::ArrowDown), pressed(Key::ArrowUp));
            let (page_down, page_up) = (pressed(Key::PageDown), pressed(Key::PageUp));
            enter = pressed(Key::Enter) > 0;
            self.at = (self.at + down + page_down * LINES).min(last).saturating_sub(up + page_up * LINES);
        });
        self.moved |= self.at != before;
        enter.then_some(self.at)
    }

    fn field(&mut self, ui: &mut Ui, cx: &Cx) {
        let theme = theme::of(ui);
        let words = cx.words.keys;
        let margin = Margin { left: 34, right: space::MEDIUM as i8, top: 8, bottom: 8 };
        let field = TextEdit::singleline(&mut self.text)
            .id(Id::unique("palette field"))
            .hint_text(words.palette_hint)
            .desired_width(f32::INFINITY)
            .frame(Frame::new().inner_margin(margin));
        let field = ui.add(field).accessible_name(words.palette);
        let active = self.found.get(self.at).map(|at| line_id(*at).accesskit_id());
        ui.ctx().accesskit_node_builder(field.id, |node| {
            if let Some(active) = active {
                node.set_active_descendant(active);
            }
        });
        let icon = pos2(field.rect.left() + 18.0, field.rect.center().y);
        icons::paint(ui.painter(), icon, Icon::Search, size::ICON, theme.weak);
        let line = field.rect.bottom() + 1.0;
        ui.painter().hline(field.rect.x_range(), line, egui::Stroke::new(1.0, theme.line));
        ui.add_space(space::TINY);
        if std::mem::take(&mut self.fresh) {
            field.request_focus();
        }
        if field.changed() {
            self.found = entries::find(&self.all, &Query::new(&self.text));
            self.at = 0;
            self.moved = true;
        }
    }

    fn lines(&mut self, ui: &mut Ui, height: f32) -> Option<usize> {
        let mut clicked = None;
        ui.spacing_mut().item_spacing.y = 0.0;
        let count = self.found.len();
        let seen = ui.available_height();
        let mut area = ScrollArea::vertical().id_salt("palette lines").auto_shrink(false);
        if std::mem::take(&mut self.moved) {
            let (top, bottom) = (self.at as f32 * height, (self.at + 1) as f32 * height);
            let offset = if self.at == 0 { 0.0 } else { self.offset.min(top).max(bottom - seen) };
            area = area.vertical_scroll_offset(offset);
        }
        let shown = area.show_rows(ui, height, count, |ui, range| {
            for at in range {
                let entry = &self.all[self.found[at]];
                if line(ui, line_id(self.found[at]), entry, height, at == self.at) {
                    clicked = Some(at);
                }
            }
        });
        self.offset = shown.state.clamped_offset().y;
        clicked
    }
}

fn line_id(entry: usize) -> Id {
    Id::unique(("palette line", entry))
}

fn nothing(ui: &mut Ui, cx: &Cx) {
    ui.centered_and_justified(|ui| {
        let text = RichText::new(cx.words.keys.nothing_found).color(theme::of(ui).weak);
        ui.add(Label::new(text).selectable(false).wrap());
    });
}

/// Draws an entry. Returns whether the person chose it.
fn line(ui: &mut Ui, id: Id, entry: &Entry, height: f32, is_at: bool) -> bool {
    let theme = theme::of(ui);
    let (_, rect) = ui.allocate_space(vec2(ui.available_width(), height));
    let response = ui.interact(rect, id, Sense::click() - Sense::FOCUSABLE);
    response.widget_info(|| egui::WidgetInfo::selected(Role::ListBoxOption, true, is_at, &entry.name));
    ui.ctx().accesskit_node_builder(id, |node| {
        node.set_selected(is_at);
        if !entry.note.is_empty() {
            node.set_description(entry.note.clone());
        }
    });
    if is_at || response.hovered() {
        let fill = if is_at { theme.selected } else { theme.hover };
        ui.painter().rect_filled(rect, f32::from(radius::CONTROL), fill);
    }
    let middle = rect.center().y;
    let icon = pos2(rect.left() + 18.0, middle);
    icons::paint(ui.painter(), icon, entry.icon, size::ICON, theme.weak);
    let mut right = rect.right() - space::SMALL;
    if let Target::Act(action) = entry.target
        && let Some(keys) = keys::label(ui.ctx(), action)
    {
        right -= cap(ui, pos2(right, middle), &keys) + space::SMALL;
    }
    if entry.unread > 0 {
        right -= widgets::count_pill(ui, pos2(right, middle), entry.unread, theme) + space::SMALL;
    }
    let left = rect.left() + 34.0;
    let name = widgets::cut(ui, &entry.name, theme::body(), theme.text, right - left);
    let name_right = left + name.size().x;
    ui.painter().galley(pos2(left, middle - name.size().y / 2.0), name, theme.text);
    let room = right - name_right - space::LARGE;
    if !entry.note.is_empty() && room > 40.0 {
        let note = widgets::cut(ui, &entry.note, theme::small(), theme.weak, room);
        let at = pos2(right - note.size().x, middle - note.size().y / 2.0);
        ui.painter().galley(at, note, theme.weak);
    }
    response.clicked()
}

/// Keys on a cap. Returns its width.
fn cap(ui: &Ui, right_middle: egui::Pos2, keys: &str) -> f32 {
    let theme = theme::of(ui);
    let galley = ui.painter().layout_no_wrap(keys.to_owned(), theme::small(), theme.weak);
    let size = galley.size() + vec2(12.0, 4.0);
    let rect = Rect::from_min_size(right_middle - vec2(size.x, size.y / 2.0), size);
    ui.painter().rect_stroke(rect, 4.0, egui::Stroke::new(1.0, theme.outline), egui::StrokeKind::Inside);
    ui.painter().galley(rect.center() - galley.size() / 2.0, galley, theme.weak);
    size.x
}
