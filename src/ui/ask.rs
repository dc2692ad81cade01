//! Asks for a connection's token if there is none or the server rejects it. One small non-modal dialog per
//! connection.

use std::collections::BTreeMap;

use egui::accesskit::Role;
use egui::{Area, Frame, Id, Key, Label, Order, RichText, TextEdit, Ui, pos2};

use super::theme::{self, radius, size, space};
use super::token::TokenSheet;
use super::{Cx, fade, rooms, widgets};
use crate::model::address::unencrypted_host;
use crate::model::id::ConnectionId;
use crate::model::intent::{Intent, LinkIntent};
use crate::model::link_state::{LinkState, Why};
use crate::model::profile::{Protocol, Secret};
use crate::model::time::BootMs;

/// How long a submitted token may take to have an effect before it is asked for again, in milliseconds.
const MAX_WAIT_MS: u64 = 3_000;
/// Vertical offset of each further dialog, in points.
const STEP: f32 = 36.0;

/// State of the dialogs, by connection.
#[derive(Default)]
pub(super) struct TokenDialogs {
    of: BTreeMap<ConnectionId, TokenDialog>,
    /// The sheet that shows a token to be copied.
    token: TokenSheet,
}

#[derive(Default)]
struct TokenDialog {
    token: String,
    /// Without a keyring: whether to save the token in a file.
    keep_in_file: bool,
    /// The person dismissed the dialog.
    put_off: bool,
    given_at: Option<BootMs>,
}

/// What the dialog needs from the model, copied out of it.
struct Facts {
    id: ConnectionId,
    name: String,
    why: Why,
    no_keyring: bool,
    /// Whether the token would be sent unencrypted.
    in_the_clear: bool,
}

/// The failure, if another token would resolve it.
fn wants_token(link: &LinkState) -> Option<&Why> {
    match link {
        LinkState::Stopped {
            why: why @ (Why::NoToken | Why::Unauthorized | Why::Withdrawn | Why::Http { status: 401, .. }),
        } => Some(why),
        _ => None,
    }
}

impl TokenDialogs {
    /// Draws a dialog for each connection that needs one. Returns a connection that the person wants to edit
    /// instead.
    pub(super) fn show(&mut self, ui: &mut Ui, cx: &mut Cx) -> Option<ConnectionId> {
        let words = cx.words;
        let facts: Vec<Facts> = cx.model.read(|model| {
            let asking = model.connections.iter().filter(|(id, _)| **id != ConnectionId::OWN_HUB);
            let facts = asking.filter_map(|(id, connection)| {
                let has_token = connection.profile.protocol == Protocol::Duplex;
                let why = wants_token(&connection.link).filter(|_| has_token)?.clone();
                let name = rooms::name_of_profile(&connection.profile, None, words);
                let urls = &connection.profile.urls;
                let in_the_clear = urls.iter().any(|url| unencrypted_host(url).is_some());
                Some(Facts { id: *id, name, why, no_keyring: model.no_keyring.is_some(), in_the_clear })
            });
            facts.collect()
        });
        // Reset the dialog of a connection that came online or was stopped, so that it can open again.
        self.of.retain(|id, _| facts.iter().any(|facts| facts.id == *id));
        for intent in cx.intents.iter() {
            if let Intent::Link(LinkIntent::RetryNow(id)) | Intent::Link(LinkIntent::Connect(id)) = intent
                && let Some(ask) = self.of.get_mut(id)
            {
                ask.put_off = false;
            }
        }
        let mut edit = None;
        let mut shown = 0;
        for facts in &facts {
            let ask = self.of.entry(facts.id).or_default();
            if let Some(given_at) = ask.given_at {
                let due = given_at.saturating_add(MAX_WAIT_MS);
                if cx.now.boot_ms < due {
                    cx.deadline.at(due);
                    continue;
                }
                ask.given_at = None;
            }
            if !ask.put_off && ask.show(ui, cx, facts, shown) {
                edit = Some(facts.id);
            }
            shown += 1;
        }
        self.token.show(ui, cx);
        edit
    }
}

impl TokenDialog {
    /// Draws the dialog. Returns whether the person chose to edit the connection instead.
    fn show(&mut self, ui: &Ui, cx: &mut Cx, facts: &Facts, place: usize) -> bool {
        let room = ui.ctx().content_rect();
        let width = size::ASK.min(room.width() - 2.0 * (space::LARGE + space::SMALL));
        let left = (room.right() - width - 2.0 * space::LARGE - space::SMALL).max(room.left());
        let top = room.top() + size::BAR + space::SMALL + place as f32 * STEP;
        let theme = theme::of(ui);
        let frame = Frame::new()
            .fill(theme.raised)
            .stroke(egui::Stroke::new(1.0, theme.outline))
            .corner_radius(radius::CARD)
            .shadow(ui.style().visuals.popup_shadow)
            .inner_margin(space::LARGE);
        let area = Area::new(Id::unique(("ask", facts.id)))
            .order(Order::Middle)
            .role(Role::Dialog)
            .default_pos(pos2(left, top))
            .constrain(true);
        area.show(ui.ctx(), |ui| {
            ui.ctx().accesskit_node_builder(ui.unique_id(), |node| {
                node.set_label((cx.words.profiles.ask_title)(&facts.name));
            });
            frame
                .show(ui, |ui| {
                    fade::appear(ui, ("ask", facts.id));
                    ui.set_width(width);
                    self.fields(ui, cx, facts)
                })
                .inner
        })
        .inner
    }

    fn fields(&mut self, ui: &mut Ui, cx: &mut Cx, facts: &Facts) -> bool {
        let words = cx.words;
        let theme = theme::of(ui);
        let name = (words.profiles.ask_title)(&facts.name);
        let title = ui.add(Label::new(RichText::new(&name).font(theme::heading())).wrap());
        widgets::heading(ui, &title, &name, 2);
        let reason = reason(cx, facts);
        let reason_shown = ui.add(Label::new(RichText::new(&reason).color(theme.text)).wrap());
        widgets::alert(ui, reason_shown.id, &format!("{name}. {reason}"));
        if facts.in_the_clear {
            ui.add(Label::new(RichText::new(words.clear_text_warning).color(theme.warn)).wrap());
        }
        ui.add_space(space::TINY);
        let margin = egui::Margin::symmetric(space::SMALL as i8, 5);
        let field = TextEdit::singleline(&mut self.token)
            .hint_text(words.token_hint_new)
            .password(true)
            .desired_width(f32::INFINITY)
            .margin(margin);
        let field = ui.add(field).accessible_name((words.profiles.token_of)(&facts.name));
        ui.ctx().accesskit_node_builder(field.id, |node| node.set_role(Role::PasswordInput));
        let enter = field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
        // The next step if nothing is being typed.
        if ui.memory(|memory| memory.focused().is_none()) {
            field.request_focus();
        }
        let mut edit = false;
        // The token of a connection given on the command line is not saved.
        if facts.no_keyring && facts.id > ConnectionId::COMMAND_LINE {
            ui.checkbox(&mut self.keep_in_file, words.profiles.keep_in_file);
            let warning = RichText::new(words.profiles.keep_in_file_warning).font(theme::small());
            ui.add(Label::new(warning.color(theme.weak)).wrap());
        }
        ui.add_space(space::TINY);
        ui.horizontal_wrapped(|ui| {
            let some = !self.token.trim().is_empty();
            let connect = ui.add_enabled(some, widgets::primary(theme, words.connect));
            if (connect.clicked() || enter) && some {
                let token = Secret::new(std::mem::take(&mut self.token).trim());
                if self.keep_in_file && facts.no_keyring {
                    cx.intents.push(Intent::Link(LinkIntent::KeepTokenInFile(None)));
                }
                cx.intents.push(Intent::Link(LinkIntent::GiveToken { connection: facts.id, token }));
                self.given_at = Some(cx.now.boot_ms);
                cx.deadline.at(cx.now.boot_ms);
            }
            if facts.id > ConnectionId::COMMAND_LINE {
                edit = ui.add(widgets::plain(words.edit_connection)).clicked();
            }
            if ui.add(widgets::plain(words.first_later)).clicked() {
                self.token.clear();
                self.put_off = true;
                cx.deadline.at(cx.now.boot_ms);
            }
        });
        if edit {
            self.put_off = true;
        }
        edit
    }
}

fn reason(cx: &Cx, facts: &Facts) -> String {
    let words = cx.words.profiles;
    match (&facts.why, facts.no_keyring) {
        (Why::NoToken, false) => words.ask_unknown.to_owned(),
        (Why::NoToken, true) => format!("{} {}", words.ask_unknown, words.no_keyring),
        (refused, _) => format!("{} {}", (cx.words.why)(refused).what, words.ask_refused),
    }
}
