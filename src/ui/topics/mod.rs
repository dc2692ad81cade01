//! The topics of a broker: a tree of all that were seen, the busiest, the retained, the broker's own figures, publishing and
//! subscriptions. Only what is in view is copied out of the model.

mod binary;
mod broker;
mod busiest;
mod clear;
mod detail;
mod found;
mod payload;
mod picture;
mod publish;
mod row;
mod rowlist;
mod subscriptions;
mod tree;

use egui::accesskit::Role;
use egui::{Align, Color32, Frame, Key, Label, Layout, Margin, Panel, RichText, TextEdit, Ui, vec2};

use super::theme::{self, Theme, size, space};
use super::{Cx, menu, rooms, widgets};
use crate::model::features::Feature;
use crate::model::id::ConnectionId;
use crate::model::panes::TopicLists;
use crate::model::topic::PublishOutcome;
use crate::model::topics::{NodeId, system};
use crate::ui::text::topics::Totals;
use busiest::{Busiest, BusiestAction};
use clear::Clearing;
use detail::{Detail, DetailAction};
use found::{Among, Found, FoundAction, MAX_LISTED};
use tree::{TreeAction, TreeView, read};

/// A pane of at least this width shows a topic beside the list, in points.
const BESIDE: f32 = 620.0;
/// Default width of the list beside a topic, as a part of the pane.
const LIST_SHARE: f32 = 0.48;

/// What is shown.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Page {
    /// All topics by their levels.
    #[default]
    Tree,
    /// The busiest topics.
    Busiest,
    /// Topics with a retained message.
    Retained,
    /// The broker's figures.
    Broker,
    /// Publishing.
    Publish,
    /// Subscriptions.
    Subscriptions,
}

impl Page {
    const ALL: [Page; 6] =
        [Page::Tree, Page::Busiest, Page::Retained, Page::Broker, Page::Publish, Page::Subscriptions];

    fn name(self, cx: &Cx) -> &'static str {
        let words = cx.words.topics;
        match self {
            Page::Tree => words.all_topics,
            Page::Busiest => words.busiest,
            Page::Retained => words.retained_tab,
            Page::Broker => words.broker,
            Page::Publish => words.publish,
            Page::Subscriptions => words.subscriptions,
        }
    }

    /// Whether a topic can be shown beside it.
    fn has_topics(self) -> bool {
        matches!(self, Page::Tree | Page::Busiest | Page::Retained)
    }
}

/// State of the pane.
#[derive(Default)]
pub(super) struct Pane {
    connection: Option<ConnectionId>,
    page: Page,
    filter: String,
    retained_filter: String,
    ghosts: bool,
    tree: TreeView,
    matches: Found,
    retained: Found,
    busiest: Busiest,
    detail: Option<Detail>,
    form: publish::Form,
    subscriptions: subscriptions::Subscriptions,
    clearing: Option<Clearing>,
    wants_focus: bool,
}

/// Brokers whose topics can be looked at.
pub(super) fn brokers(cx: &Cx) -> Vec<ConnectionId> {
    cx.model.read(|model| {
        let brokers = model.connections.iter().filter(|(_, connection)| connection.has_topics());
        brokers.map(|(id, _)| *id).collect()
    })
}

/// What the pane needs to know of its connection.
struct Standing {
    name: String,
    is_online: bool,
    has_properties: bool,
    totals: Totals,
    has_subscriptions: bool,
}

impl Standing {
    fn of(cx: &Cx, id: ConnectionId) -> Option<Standing> {
        let now = cx.now.boot_ms;
        cx.model.read(|model| {
            let connection = model.connections.get(&id)?;
            let topics = &connection.topics;
            let root = topics.tree().node(NodeId::ROOT);
            Some(Standing {
                name: rooms::name_of(connection, cx.words),
                is_online: connection.link.is_online(),
                has_properties: connection
                    .features
                    .as_ref()
                    .is_some_and(|features| features.has(Feature::TopicProperties)),
                totals: Totals {
                    topics: topics.tree().topics().len(),
                    messages: topics.seen(),
                    rate_milli: root.rate.milli(now),
                    left_out: topics.left_out(),
                    unlisted: topics.unlisted(),
                },
                has_subscriptions: !topics.subscriptions().is_empty(),
            })
        })
    }
}

/// The colour in which an outcome is told.
fn outcome_colour(theme: &Theme, outcome: &PublishOutcome) -> Color32 {
    match outcome {
        PublishOutcome::Confirmed { unheard: false } => theme.good,
        PublishOutcome::Sent | PublishOutcome::Confirmed { .. } => theme.text,
        PublishOutcome::Unsure => theme.warn,
        PublishOutcome::Refused { .. } | PublishOutcome::NotSent => theme.bad,
    }
}

impl Pane {
    /// Shows the topics of a connection.
    pub(super) fn open(&mut self, connection: ConnectionId) {
        if self.connection != Some(connection) {
            let page = self.page;
            *self = Pane { connection: Some(connection), page, ..Pane::default() };
        }
        self.wants_focus = true;
    }

    /// Focuses what is shown.
    pub(super) fn focus(&mut self) {
        self.wants_focus = true;
    }

    /// Draws the pane. `open`: the connection that is open elsewhere in the window.
    pub(super) fn show(
        &mut self,
        ui: &mut Ui,
        cx: &mut Cx,
        brokers: &[ConnectionId],
        open: Option<ConnectionId>,
        lists: &mut TopicLists,
    ) {
        let is_there = self.connection.is_some_and(|id| brokers.contains(&id));
        if !is_there && let Some(first) = open.filter(|id| brokers.contains(id)).or(brokers.first().copied())
        {
            self.open(first);
            self.wants_focus = false;
        }
        let Some(id) = self.connection else { return };
        let Some(standing) = Standing::of(cx, id) else { return };
        self.head(ui, cx, brokers, &standing);
        match self.page {
            page if page.has_topics() => self.with_topic(ui, cx, id, &standing),
            page => {
                let margin = Margin::symmetric(space::LARGE as i8, space::SMALL as i8);
                Frame::new()
                    .inner_margin(margin)
                    .show(ui, |ui| self.form_page(ui, cx, id, page, &standing, lists));
            }
        }
        if let Some(clearing) = &mut self.clearing
            && clearing.show(ui, cx)
        {
            self.clearing = None;
            cx.deadline.at(cx.now.boot_ms);
        }
    }

    /// Totals, the choice of the connection, and the pages.
    fn head(&mut self, ui: &mut Ui, cx: &mut Cx, brokers: &[ConnectionId], standing: &Standing) {
        let words = cx.words.topics;
        let margin = Margin { left: space::LARGE as i8, right: space::LARGE as i8, top: 4, bottom: 4 };
        Frame::new().inner_margin(margin).show(ui, |ui| {
            ui.set_min_width(ui.available_width());
            if standing.totals.rate_milli > 0 {
                cx.deadline.at(cx.now.boot_ms + 1_000);
            }
            ui.horizontal_wrapped(|ui| {
                if brokers.len() > 1 {
                    let names: Vec<(ConnectionId, String)> = cx.model.read(|model| {
                        let name = |id: &ConnectionId| {
                            Some((*id, rooms::name_of(model.connections.get(id)?, cx.words)))
                        };
                        brokers.iter().filter_map(name).collect()
                    });
                    let mut chosen = None;
                    menu::choice(ui, words.broker_choice, &standing.name, 120.0, |ui| {
                        for (id, name) in &names {
                            if menu::option(ui, self.connection == Some(*id), name).clicked() {
                                chosen = Some(*id);
                            }
                        }
                    });
                    if let Some(chosen) = chosen {
                        self.open(chosen);
                        cx.deadline.at(cx.now.boot_ms);
                    }
                }
                let text = (words.totals)(cx.words, &standing.totals);
                let text = RichText::new(text).font(theme::small()).color(theme::of(ui).weak);
                ui.add(Label::new(text).wrap().selectable(false));
            });
            if let Some(text) = (words.not_shown)(cx.words, &standing.totals) {
                let text = RichText::new(text).font(theme::small()).color(theme::of(ui).warn);
                ui.add(Label::new(text).wrap().selectable(false));
            }
            ui.horizontal_wrapped(|ui| {
                ui.spacing_mut().item_spacing = vec2(space::TINY, space::TINY);
                for page in Page::ALL {
                    let is_chosen = page == self.page;
                    if widgets::tab(ui, is_chosen, page.name(cx)).clicked() && !is_chosen {
                        self.page = page;
                        if !page.has_topics() {
                            self.detail = None;
                        }
                        cx.deadline.at(cx.now.boot_ms);
                    }
                }
            });
        });
    }

    /// A list of topics, and beside it or in its place the one that is open.
    fn with_topic(&mut self, ui: &mut Ui, cx: &mut Cx, id: ConnectionId, standing: &Standing) {
        let is_beside = ui.available_width() >= BESIDE;
        if let Some(detail) = self.detail.as_mut().filter(|_| !is_beside) {
            let escape = ui.input(|input| input.key_pressed(Key::Escape)) && self.clearing.is_none();
            let action = detail.show(ui, cx, true, standing.is_online);
            let action = action.or(escape.then_some(DetailAction::Close));
            return self.follow_detail(cx, id, action);
        }
        if let Some(detail) = &mut self.detail {
            let width = ui.available_width();
            let mut action = None;
            Panel::right("topic")
                .frame(Frame::new().fill(theme::of(ui).ground))
                .default_size(width * (1.0 - LIST_SHARE))
                .size_range(240.0..=(width - 260.0).max(240.0))
                .show(ui, |ui| {
                    widgets::landmark(ui, Role::Region, cx.words.topics.topic);
                    action = detail.show(ui, cx, false, standing.is_online);
                });
            widgets::splitter(ui, "topic", cx.words.topics.resize);
            self.follow_detail(cx, id, action);
        }
        match self.page {
            Page::Busiest => self.busiest_page(ui, cx, id),
            Page::Retained => self.retained_page(ui, cx, id, standing),
            _ => self.tree_page(ui, cx, id, standing),
        }
    }

    fn follow_detail(&mut self, cx: &mut Cx, id: ConnectionId, action: Option<DetailAction>) {
        let Some(action) = action else { return };
        cx.deadline.at(cx.now.boot_ms);
        match action {
            DetailAction::Close => {
                self.detail = None;
                self.wants_focus = true;
            }
            DetailAction::Publish(topic, payload) => {
                self.form.fill(topic, &payload);
                (self.page, self.detail) = (Page::Publish, None);
            }
            DetailAction::Clear(topics) => self.clearing = Some(Clearing::new(id, topics)),
        }
    }

    fn open_topic(&mut self, ui: &Ui, id: ConnectionId, node: NodeId) {
        let mut detail = Detail::new(id, node);
        if ui.available_width() < BESIDE {
            detail.focus();
        }
        self.detail = Some(detail);
    }

    fn tree_page(&mut self, ui: &mut Ui, cx: &mut Cx, id: ConnectionId, standing: &Standing) {
        let words = cx.words.topics;
        let into_list = filter_field(ui, cx, "topic filter", &mut self.filter);
        let opened = self.detail.as_ref().map(Detail::node);
        if standing.totals.topics == 0 {
            let text = match (standing.is_online, standing.has_subscriptions) {
                (false, _) => words.none_offline,
                (true, true) => words.none_yet,
                (true, false) => words.none_subscribed,
            };
            return nothing(ui, text);
        }
        let wants_focus = std::mem::take(&mut self.wants_focus) || into_list;
        if self.filter.trim().is_empty() {
            if wants_focus {
                self.tree.focus();
            }
            match self.tree.show(ui, cx, id, opened) {
                Some(TreeAction::Open(node)) => self.open_topic(ui, id, node),
                Some(TreeAction::Typed(text)) => self.type_filter(ui, &text),
                Some(TreeAction::Back) => self.detail = None,
                None => {}
            }
            return;
        }
        self.matches.sync(cx, id, Among::All, &self.filter);
        found_count(ui, cx, &self.matches);
        if wants_focus {
            self.matches.focus();
        }
        match self.matches.show(ui, cx, id, opened) {
            Some(FoundAction::Open(node)) => self.open_topic(ui, id, node),
            Some(FoundAction::Typed(text)) => self.type_filter(ui, &text),
            Some(FoundAction::Back) => {
                if self.detail.take().is_none() {
                    self.filter.clear();
                    self.wants_focus = true;
                }
                cx.deadline.at(cx.now.boot_ms);
            }
            None => {}
        }
    }

    /// What is typed into the list goes to its filter.
    fn type_filter(&mut self, ui: &Ui, text: &str) {
        let (filter, salt) = match self.page {
            Page::Retained => (&mut self.retained_filter, "retained filter"),
            _ => (&mut self.filter, "topic filter"),
        };
        filter.push_str(text);
        focus_field(ui, salt, filter.chars().count());
    }

    fn busiest_page(&mut self, ui: &mut Ui, cx: &mut Cx, id: ConnectionId) {
        if std::mem::take(&mut self.wants_focus) {
            self.busiest.focus();
        }
        let opened = self.detail.as_ref().map(Detail::node);
        match self.busiest.show(ui, cx, id, opened) {
            Some(BusiestAction::Open(node)) => self.open_topic(ui, id, node),
            Some(BusiestAction::Back) => self.detail = None,
            None => {}
        }
    }

    fn retained_page(&mut self, ui: &mut Ui, cx: &mut Cx, id: ConnectionId, standing: &Standing) {
        let words = cx.words.topics;
        let into_list = filter_field(ui, cx, "retained filter", &mut self.retained_filter);
        let mut clear = None;
        inset(ui, |ui| {
            ui.horizontal_wrapped(|ui| {
                ui.checkbox(&mut self.ghosts, words.only_ghosts).on_hover_text(words.ghosts_hint);
                let count = self.retained.count();
                let may = standing.is_online && count > 0 && !self.retained.is_searching();
                let button = ui.add_enabled(may, widgets::plain(&(words.clear_button)(cx.words, count)));
                clear = button.on_disabled_hover_text(words.no_link).clicked().then_some(());
            });
            if self.ghosts {
                widgets::small_label(ui, words.ghosts_hint);
            }
        });
        let among = if self.ghosts { Among::Ghosts } else { Among::Retained };
        self.retained.sync(cx, id, among, &self.retained_filter);
        if clear.is_some() {
            let nodes = self.retained.matching();
            let topics = read(cx, id, |topics| {
                let names =
                    nodes.iter().filter_map(|node| Some(topics.tree().leaf(*node)?.topic.to_string()));
                names.collect()
            });
            self.clearing = Some(Clearing::new(id, topics.unwrap_or_default()));
        }
        found_count(ui, cx, &self.retained);
        if self.retained.count() == 0 && !self.retained.is_searching() {
            return nothing(ui, if self.ghosts { words.no_ghosts } else { words.no_retained });
        }
        if std::mem::take(&mut self.wants_focus) || into_list {
            self.retained.focus();
        }
        let opened = self.detail.as_ref().map(Detail::node);
        match self.retained.show(ui, cx, id, opened) {
            Some(FoundAction::Open(node)) => self.open_topic(ui, id, node),
            Some(FoundAction::Typed(text)) => self.type_filter(ui, &text),
            Some(FoundAction::Back) => self.detail = None,
            None => {}
        }
    }

    fn form_page(
        &mut self,
        ui: &mut Ui,
        cx: &mut Cx,
        id: ConnectionId,
        page: Page,
        standing: &Standing,
        lists: &mut TopicLists,
    ) {
        let wants_focus = std::mem::take(&mut self.wants_focus);
        match page {
            Page::Broker => {
                if broker::show(ui, cx, id, standing.is_online) {
                    self.page = Page::Tree;
                    self.filter.clear();
                    let node = read(cx, id, |topics| system::root(topics.tree())).flatten();
                    node.into_iter().for_each(|node| self.tree.show_topic(cx, id, node));
                    self.wants_focus = true;
                    cx.deadline.at(cx.now.boot_ms);
                }
            }
            Page::Publish => {
                if wants_focus {
                    self.form.focus();
                }
                let can = (standing.is_online, standing.has_properties);
                self.form.show(ui, cx, id, can, lists);
            }
            _ => self.subscriptions.show(ui, cx, id, standing.is_online),
        }
    }
}

/// Contents with the pane's margin at both sides.
fn inset<R>(ui: &mut Ui, content: impl FnOnce(&mut Ui) -> R) -> R {
    let margin = Margin::symmetric(space::LARGE as i8, 2);
    Frame::new().inner_margin(margin).show(ui, content).inner
}

fn filter_id(salt: &str) -> egui::Id {
    egui::Id::unique(("filter of topics", salt))
}

/// Focuses a filter, with the caret behind what is typed.
fn focus_field(ui: &Ui, salt: &str, chars: usize) {
    use egui::text::{CCursor, CCursorRange};
    let id = filter_id(salt);
    let mut state = egui::text_edit::TextEditState::load(ui.ctx(), id).unwrap_or_default();
    state.cursor.set_char_range(Some(CCursorRange::one(CCursor::new(chars))));
    state.store(ui.ctx(), id);
    ui.memory_mut(|memory| memory.request_focus(id));
}

/// The field for the filter. Returns whether the keyboard is to go into the list.
fn filter_field(ui: &mut Ui, cx: &Cx, salt: &str, text: &mut String) -> bool {
    let words = cx.words.topics;
    inset(ui, |ui| {
        let field = TextEdit::singleline(text)
            .id(filter_id(salt))
            .hint_text(words.filter_topics_hint)
            .char_limit(512)
            .desired_width(f32::INFINITY)
            .align(egui::Align2::LEFT_CENTER)
            .min_size(vec2(0.0, size::CONTROL));
        let field = ui.add(field).accessible_name(words.filter_topics);
        if !(field.has_focus() || field.lost_focus()) {
            return false;
        }
        if ui.input(|input| input.key_pressed(Key::Escape)) && !text.is_empty() {
            text.clear();
            field.request_focus();
        }
        let down = field.has_focus() && ui.input(|input| input.key_pressed(Key::ArrowDown));
        down || (field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter)))
    })
}

/// How many topics were found, and how many of them are listed.
fn found_count(ui: &mut Ui, cx: &Cx, found: &Found) {
    let words = cx.words.topics;
    let text = match (found.count(), found.is_searching()) {
        (count, true) => (words.searching)(cx.words, count),
        (count, false) if count > MAX_LISTED => (words.found_more)(cx.words, count, MAX_LISTED),
        (count, false) => (words.count)(cx.words, count),
    };
    inset(ui, |ui| {
        let label = widgets::small_label(ui, &text);
        widgets::live(ui, label.id, &text);
    });
}

/// In place of a list that is empty.
fn nothing(ui: &mut Ui, text: &str) {
    let theme = theme::of(ui);
    ui.with_layout(Layout::top_down(Align::Center), |ui| {
        ui.add_space(space::HUGE);
        ui.set_max_width(ui.available_width().min(size::DIALOG));
        ui.add(Label::new(RichText::new(text).color(theme.weak)).wrap());
    });
}
