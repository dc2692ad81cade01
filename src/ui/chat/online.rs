//! Who is here: the count in the room's head, and the list of people that it opens.

use egui::accesskit;
use egui::{
    Button, Id, Popup, PopupCloseBehavior, Rect, RichText, ScrollArea, Sense, Stroke, TextEdit, Ui, pos2,
    vec2,
};

use super::RoomKey;
use crate::model::features::Feature;
use crate::model::id::PrincipalId;
use crate::model::known::Shown;
use crate::model::principal::{MAX_STATUS_CHARS, PrincipalKind, Role};
use crate::model::reducer::Connection;
use crate::ui::icons::{self, Icon};
use crate::ui::palette::fuzzy::{Query, Text};
use crate::ui::theme::{self, radius, space};
use crate::ui::{Cx, harmless, people, widgets};

/// Width of the list, in points.
const WIDTH: f32 = 340.0;
/// Height of a row, in points.
const ROW: f32 = 28.0;
/// Maximum height of the rows, in points.
const MAX_HEIGHT: f32 = 420.0;
/// With more people than this there is a field to filter them.
const MIN_FILTERED: usize = 10;

/// The list's own state.
#[derive(Default)]
pub(super) struct Online {
    filter: String,
    rows: Vec<Row>,
    /// Of what the rows were made.
    made_of: Option<(RoomKey, u64, String)>,
    was_open: bool,
}

/// Under which heading somebody stands.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Section {
    Online,
    Offline,
    Devices,
}

enum Row {
    Heading(Section, usize),
    Person {
        id: PrincipalId,
        shown: Shown,
        section: Section,
        online: bool,
        me: bool,
        role: Option<Role>,
        status: String,
    },
}

/// What of the connection the count and the list need.
struct Facts {
    online: usize,
    all: usize,
    are_more: bool,
    /// Changes with who is there and what is known of them.
    state: u64,
    /// Whether the person can say something of themselves.
    may_say: bool,
    /// Whether they can write to somebody alone.
    may_write_alone: bool,
    /// Whether they manage who may come in.
    manages: bool,
}

/// What a person wants of the list.
pub(super) enum Wish {
    /// To mention somebody of this name.
    Mention(String),
    /// To write to somebody alone.
    Direct(PrincipalId),
    /// To say something of themselves.
    SetStatus,
    /// To change who may come in, and what they may do.
    Manage,
}

fn facts(cx: &Cx, key: &RoomKey) -> Option<Facts> {
    cx.model.read(|model| {
        let connection = model.connections.get(&key.0)?;
        if !connection.link.is_online() {
            return None;
        }
        let (mut online, mut state) = (0, connection.chat.known.version());
        for person in connection.chat.people.values() {
            online += usize::from(person.online);
            // FNV-1a over who is there, and what they say of themselves.
            let mut mix = |byte: u8| state = (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
            mix(u8::from(person.online));
            mix(person.who.role.map_or(0, |role| 1 + role as u8));
            person.status.bytes().for_each(mix);
        }
        let all = connection.chat.people.len();
        Some(Facts {
            online,
            all,
            are_more: connection.chat.left_out.people,
            state: state ^ all as u64,
            may_say: connection.offers(Feature::Status),
            may_write_alone: connection.offers(Feature::PrivateRooms),
            manages: people::is_offered(connection),
        })
    })
}

impl Online {
    /// Draws the count, and the list while it is open. Returns what the person wants of it.
    pub(super) fn show(&mut self, ui: &mut Ui, cx: &Cx, key: &RoomKey) -> Option<Wish> {
        let facts = facts(cx, key).filter(|facts| facts.online > 0)?;
        let theme = theme::of(ui);
        let words = if facts.are_more { cx.words.people_online_or_more } else { cx.words.people_online };
        let text = words(facts.online);
        let label = RichText::new(&text).font(theme::small()).color(theme.weak);
        let button = ui.add(Button::new(label).frame_when_inactive(false).min_size(vec2(0.0, 24.0)));
        let button = button.on_hover_text(cx.words.rich.show_people);
        ui.ctx().accesskit_node_builder(button.id, |node| node.set_description(cx.words.rich.show_people));
        let mut chosen = None;
        let popup = Popup::menu(&button)
            .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
            .accessible_name(cx.words.rich.people_list);
        let is_open = popup.is_open() || button.clicked();
        let opens = is_open && !self.was_open;
        let shown = popup.show(|ui| {
            ui.set_width(WIDTH);
            chosen = self.list(ui, cx, key, &facts, opens);
            if chosen.is_some() {
                ui.close();
            }
        });
        self.was_open = shown.is_some();
        if !self.was_open {
            self.filter.clear();
            (self.rows, self.made_of) = (Vec::new(), None);
        }
        chosen
    }

    fn list(&mut self, ui: &mut Ui, cx: &Cx, key: &RoomKey, facts: &Facts, opens: bool) -> Option<Wish> {
        let words = cx.words.rich;
        let mut focus_row = opens;
        if facts.all > MIN_FILTERED {
            let field = TextEdit::singleline(&mut self.filter).hint_text(words.filter_people);
            let field = ui.add(field.desired_width(f32::INFINITY)).accessible_name(words.filter_people);
            if opens {
                field.request_focus();
            }
            focus_row = false;
            ui.add_space(space::TINY);
        }
        self.prepare(cx, key, facts);
        let quiet = |ui: &mut Ui, text: &str| {
            let label = widgets::explain(ui, text);
            widgets::live(ui, label.id, text);
        };
        if self.rows.is_empty() {
            quiet(ui, words.no_person_found);
            return foot(ui, cx, facts);
        }
        let mut chosen = None;
        let most = MAX_HEIGHT.min(ui.ctx().content_rect().height() - 160.0).max(3.0 * ROW);
        ui.spacing_mut().item_spacing.y = 0.0;
        ScrollArea::vertical().max_height(most).min_scrolled_height(most).show_rows(
            ui,
            ROW,
            self.rows.len(),
            |ui, range| {
                for row in &self.rows[range] {
                    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::hover());
                    match row {
                        Row::Heading(section, count) => heading(ui, cx, rect, *section, *count),
                        Row::Person { id, shown, section, online, me, role, status } => {
                            let (section, online, me) = (*section, *online, *me);
                            let row = PersonRow { id, shown, section, online, me, role: *role, status };
                            let (mut rect, is_other) = (rect, !me && section != Section::Devices);
                            if facts.may_write_alone && is_other {
                                let begins = rect.right() - ROW;
                                if write_alone(ui, cx, rect.with_min_x(begins), &row) {
                                    chosen = Some(Wish::Direct(id.clone()));
                                }
                                rect = rect.with_max_x(begins);
                            }
                            if person(ui, cx, rect, &row, std::mem::take(&mut focus_row)) {
                                chosen = Some(Wish::Mention(shown.name.clone()));
                            }
                        }
                    }
                }
            },
        );
        if facts.all <= 1 {
            quiet(ui, words.only_you);
        }
        if facts.are_more {
            quiet(ui, &(words.people_left_out)(facts.all));
        }
        foot(ui, cx, facts).or(chosen)
    }

    /// Makes the rows, when who is there or the filter has changed.
    fn prepare(&mut self, cx: &Cx, key: &RoomKey, facts: &Facts) {
        let made_of = (key.clone(), facts.state, self.filter.trim().to_owned());
        if self.made_of.as_ref() == Some(&made_of) {
            return;
        }
        let query = Query::new(&made_of.2);
        self.rows = cx.model.read(|model| {
            model.connections.get(&key.0).map(|connection| rows(connection, &query)).unwrap_or_default()
        });
        self.made_of = Some(made_of);
    }
}

/// Those who fit, by section: oneself first, then by name.
fn rows(connection: &Connection, query: &Query) -> Vec<Row> {
    let me = connection.chat.me.as_ref().map(|me| &me.id);
    let nothing = Text::new("");
    let mut people: Vec<_> = connection
        .chat
        .people
        .values()
        .filter_map(|person| {
            let who = &person.who;
            let shown = connection.chat.known.shown(&who.id, &who.name, 60);
            if !query.is_empty() && query.score(&Text::new(&shown.name), &nothing).is_none() {
                return None;
            }
            let section = match (who.kind.chats(), person.online) {
                (false, _) => Section::Devices,
                (true, true) => Section::Online,
                (true, false) => Section::Offline,
            };
            let is_me = Some(&who.id) == me;
            let role = who.role.or((who.kind == PrincipalKind::Admin).then_some(Role::Admin));
            let told = (role.filter(|_| who.kind.chats()), harmless::line(&person.status, MAX_STATUS_CHARS));
            Some((section, !is_me, shown.name.to_lowercase(), person.online, who.id.clone(), shown, told))
        })
        .collect();
    people.sort_by(|a, b| (a.0, a.1, &a.2, &a.4.0).cmp(&(b.0, b.1, &b.2, &b.4.0)));
    let mut rows = Vec::with_capacity(people.len() + 3);
    let mut under = None;
    for (at, (section, not_me, _, online, id, shown, (role, status))) in people.iter().enumerate() {
        if under != Some(*section) {
            under = Some(*section);
            let count = people[at..].iter().take_while(|person| person.0 == *section).count();
            rows.push(Row::Heading(*section, count));
        }
        let (id, shown, status) = (id.clone(), shown.clone(), status.clone());
        let (section, online, me, role) = (*section, *online, !not_me, *role);
        rows.push(Row::Person { id, shown, section, online, me, role, status });
    }
    rows
}

fn heading(ui: &Ui, cx: &Cx, rect: Rect, section: Section, count: usize) {
    let theme = theme::of(ui);
    let words = cx.words.rich;
    let text = match section {
        Section::Online => (words.online_section)(count),
        Section::Offline => (words.offline_section)(count),
        Section::Devices => (words.devices_section)(count),
    };
    let galley = widgets::cut(ui, &text, theme::small(), theme.weak, rect.width() - 2.0 * space::SMALL);
    let at = pos2(rect.left() + space::SMALL, rect.bottom() - galley.size().y - 4.0);
    ui.painter().galley(at, galley, theme.weak);
    let id = Id::unique(("people section", section as u8));
    let response = ui.interact(rect, id, Sense::hover());
    widgets::heading(ui, &response, &text, 2);
}

struct PersonRow<'a> {
    id: &'a PrincipalId,
    shown: &'a Shown,
    section: Section,
    online: bool,
    me: bool,
    role: Option<Role>,
    status: &'a str,
}

/// The buttons below the list.
fn foot(ui: &mut Ui, cx: &Cx, facts: &Facts) -> Option<Wish> {
    let words = cx.words.people;
    let all = [(facts.may_say, words.set_status), (facts.manages, words.menu)];
    let mut chosen = None;
    if all.iter().any(|(offered, _)| *offered) {
        ui.add_space(space::SMALL);
        ui.horizontal_wrapped(|ui| {
            if facts.may_say && ui.add(widgets::plain(words.set_status)).clicked() {
                chosen = Some(Wish::SetStatus);
            }
            if facts.manages && ui.add(widgets::plain(words.menu)).clicked() {
                chosen = Some(Wish::Manage);
            }
        });
    }
    chosen
}

/// The button that opens the direct message with somebody. Returns whether it was chosen.
fn write_alone(ui: &Ui, cx: &Cx, rect: Rect, row: &PersonRow) -> bool {
    let theme = theme::of(ui);
    let response = ui.interact(rect, Id::unique(("write to", &row.id.0)), Sense::click());
    let name = (cx.words.private.message_to)(&row.shown.name);
    widgets::named(ui, &response, &name);
    ui.ctx().accesskit_node_builder(response.id, |node| node.set_role(accesskit::Role::Button));
    if response.hovered() || response.has_focus() {
        ui.painter().rect_filled(rect, f32::from(radius::CONTROL), theme.hover);
    }
    icons::paint(ui.painter(), rect.center(), Icon::Chat, 14.0, theme.weak);
    response.on_hover_text(name).clicked()
}

/// Draws somebody. Returns whether the person chose to mention them.
fn person(ui: &Ui, cx: &Cx, rect: Rect, row: &PersonRow, takes_focus: bool) -> bool {
    let theme = theme::of(ui);
    let id = Id::unique(("person here", &row.id.0));
    let response = ui.interact(rect, id, Sense::click());
    if takes_focus {
        response.request_focus();
    }
    let name = if row.me { (cx.words.you)(&row.shown.name) } else { row.shown.name.clone() };
    let badge = row.role.map(cx.words.people.role);
    ui.ctx().accesskit_node_builder(id, |node| {
        node.set_role(accesskit::Role::ListItem);
        let label = row.shown.short_id.as_ref().map_or(name.clone(), |short| format!("{name} ·{short}"));
        node.set_label(label);
        let state = if row.online { cx.words.people.online } else { cx.words.people.offline };
        let status = Some(row.status).filter(|status| !status.is_empty());
        let said = [badge, Some(state), status];
        node.set_description(said.into_iter().flatten().collect::<Vec<_>>().join(", "));
    });
    let can_mention = !row.me && row.section != Section::Devices;
    if response.hovered() || response.has_focus() {
        ui.painter().rect_filled(rect, f32::from(radius::CONTROL), theme.hover);
    }
    let middle = rect.center().y;
    let dot = pos2(rect.left() + space::MEDIUM, middle);
    if row.online {
        ui.painter().circle_filled(dot, 4.0, theme.good);
    } else {
        ui.painter().circle_stroke(dot, 3.5, Stroke::new(1.5, theme.weak));
    }
    let small = |text: &str| ui.painter().layout_no_wrap(text.to_owned(), theme::small(), theme.weak);
    let short = row.shown.short_id.as_ref().map(|short| small(&format!("·{short}")));
    let badge = badge.map(small);
    let beside = short.as_ref().map_or(0.0, |galley| galley.size().x + space::TINY)
        + badge.as_ref().map_or(0.0, |galley| galley.size().x + space::SMALL + widgets::BADGE_PAD);
    let left = dot.x + space::MEDIUM;
    let colour = if row.online { theme.text } else { theme.weak };
    let width = rect.right() - left - beside - space::SMALL;
    let name = widgets::cut(ui, &name, theme::body(), colour, width);
    let mut right = left + name.size().x;
    ui.painter().galley(pos2(left, middle - name.size().y / 2.0), name, colour);
    if let Some(short) = short {
        let at = pos2(right + space::TINY, middle - short.size().y / 2.0);
        right = at.x + short.size().x;
        ui.painter().galley(at, short, theme.weak);
    }
    if let Some(badge) = badge {
        right = widgets::badge(ui, pos2(right + space::SMALL, middle), badge, theme).right();
    }
    let room = rect.right() - right - 2.0 * space::SMALL;
    if !row.status.is_empty() && room > 24.0 {
        let status = widgets::cut(ui, row.status, theme::small(), theme.weak, room);
        ui.painter().galley(pos2(right + space::SMALL, middle - status.size().y / 2.0), status, theme.weak);
    }
    let response = match row.status {
        "" => response,
        status => response.on_hover_text(status),
    };
    if !can_mention {
        return false;
    }
    response.on_hover_text((cx.words.rich.mention)(&row.shown.name)).clicked()
}
