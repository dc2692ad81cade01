//! The sheet that adds a device. It asks for a name, then shows the token, once, and the commands that
//! publish with it.

use egui::{Key, Label, Modifiers, RichText, ScrollArea, Ui};

use super::act::{NewDevice, RequestKind};
use super::shown::Shown;
use super::{Facts, facts, is_offered};
use crate::model::id::ConnectionId;
use crate::model::intent::{Intent, LinkIntent};
use crate::model::rights::ManageAnswer;
use crate::ui::dialog::Fate;
use crate::ui::theme::{self, space};
use crate::ui::{Cx, rooms, widgets};

/// State of the sheet.
pub(in crate::ui) struct Sheet {
    /// The server to add the device to; `None` if no server allows it.
    connection: Option<ConnectionId>,
    new: NewDevice,
    doing: Option<(u64, RequestKind)>,
    shown: Option<Shown>,
    /// Why the last request was refused.
    refused: Option<&'static str>,
    /// Height of the sheet in the last frame, in points.
    height: f32,
}

impl Sheet {
    /// Opens for the given server, or for the first one that lets the person add devices.
    pub(in crate::ui) fn new(cx: &Cx, wanted: Option<ConnectionId>) -> Sheet {
        let possible = servers(cx);
        let wanted = wanted.filter(|wanted| possible.iter().any(|(id, _)| id == wanted));
        Sheet {
            connection: wanted.or_else(|| possible.first().map(|(id, _)| *id)),
            new: NewDevice::fresh(),
            doing: None,
            shown: None,
            refused: None,
            height: 0.0,
        }
    }

    /// Title of the dialog.
    pub(in crate::ui) fn title(&self, cx: &Cx) -> String {
        cx.words.people.add_device_title.to_owned()
    }

    /// Draws the sheet into a dialog. `window_height` is in points.
    pub(in crate::ui) fn show(&mut self, ui: &mut Ui, cx: &mut Cx, window_height: f32) -> Fate {
        let words = cx.words.people;
        self.take_answer(cx);
        let title = words.add_device_title;
        let heading = ui.add(Label::new(RichText::new(title).font(theme::title())).wrap());
        widgets::heading(ui, &heading, title, 1);
        let most = (window_height - 170.0).max(120.0);
        let scroll = ScrollArea::vertical().id_salt("add device").max_height(most).min_scrolled_height(most);
        let done = scroll.auto_shrink([false, true]).show(ui, |ui| self.fields(ui, cx)).inner;
        ui.add_space(space::TINY);
        let close = ui.horizontal(|ui| ui.add(widgets::plain(cx.words.close))).inner;
        if ui.memory(|memory| memory.focused().is_none()) {
            close.request_focus();
        }
        let height = ui.min_rect().height();
        if std::mem::replace(&mut self.height, height) != height {
            // The dialog is centred again in the next frame.
            cx.deadline.at(cx.now.boot_ms);
        }
        // While a token is shown, only Done or Close dismisses the sheet: Escape must not lose it by
        // accident.
        let kept =
            self.shown.is_some() && ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Escape));
        if (done || close.clicked()) && !kept { Fate::Closed } else { Fate::Open }
    }

    /// Draws the form or the result. Returns whether the person is done.
    fn fields(&mut self, ui: &mut Ui, cx: &mut Cx) -> bool {
        let words = cx.words.people;
        let possible = servers(cx);
        let at = self.connection.filter(|at| possible.iter().any(|(id, _)| id == at));
        let Some(facts) = at.and_then(|at| facts(cx, at)) else {
            // A token that was already issued stays visible even if the connection breaks.
            return match &mut self.shown {
                Some(shown) => shown.show(ui, cx, &Facts::unknown()),
                None => {
                    let shown = ui.add(Label::new(words.add_device_nowhere).wrap());
                    widgets::live(ui, shown.id, words.add_device_nowhere);
                    false
                }
            };
        };
        if let Some(shown) = &mut self.shown {
            return shown.show(ui, cx, &facts);
        }
        if possible.len() > 1 {
            self.choose_server(ui, cx, &possible);
        }
        ui.add(Label::new(RichText::new(words.add_device_text).color(theme::of(ui).weak)).wrap());
        let busy = self.doing.is_some();
        let wanted = at.and_then(|at| self.new.show(ui, cx, at, busy));
        if let Some(refused) = self.refused {
            let shown = ui.add(Label::new(RichText::new(refused).color(theme::of(ui).bad)).wrap());
            widgets::alert(ui, shown.id, refused);
        }
        if let (Some((what, doing)), Some(connection)) = (wanted, at) {
            let number = crate::ui::request_number();
            (self.doing, self.refused) = (Some((number, doing)), None);
            cx.intents.push(Intent::Link(LinkIntent::Manage { connection, number, what }));
        }
        false
    }

    fn choose_server(&mut self, ui: &mut Ui, cx: &Cx, possible: &[(ConnectionId, String)]) {
        let name = cx.words.people.at_server;
        let shown = self.connection.and_then(|at| possible.iter().find(|(id, _)| *id == at));
        let label = ui.add(Label::new(RichText::new(name).font(theme::small())).selectable(false));
        let choice = egui::ComboBox::from_id_salt("server of the new device")
            .selected_text(shown.map_or("", |(_, name)| name.as_str()))
            .width(ui.available_width().min(320.0))
            .show_ui(ui, |ui| {
                for (id, name) in possible {
                    ui.selectable_value(&mut self.connection, Some(*id), name);
                }
            });
        choice.response.labelled_by(label.id);
    }

    fn take_answer(&mut self, cx: &Cx) {
        let (Some((number, _)), Some(at)) = (&self.doing, self.connection) else { return };
        let answer = cx.model.read(|model| {
            let connection = model.connections.get(&at)?;
            // Requests sent over a connection that broke are never answered.
            let lost = (!is_offered(connection)).then_some(None);
            connection.management.answer(*number).cloned().map(Some).or(lost)
        });
        let Some(answer) = answer else { return };
        let Some((_, doing)) = self.doing.take() else { return };
        match (answer, facts(cx, at)) {
            (Some(ManageAnswer::Token { token }), Some(facts)) => {
                self.shown = Some(Shown::token(&facts, &doing, token));
            }
            (Some(ManageAnswer::Refused { why, .. }), _) => {
                self.refused = Some((cx.words.people.refused)(why))
            }
            _ => self.refused = Some(cx.words.people.not_connected),
        }
    }
}

/// Servers that let the person add a device, with their names.
fn servers(cx: &Cx) -> Vec<(ConnectionId, String)> {
    cx.model.read(|model| {
        let offered = model.connections.iter().filter(|(_, connection)| is_offered(connection));
        offered.map(|(id, connection)| (*id, rooms::name_of(connection, cx.words))).collect()
    })
}

/// Whether any server lets the person add a device.
pub(in crate::ui) fn is_possible(cx: &Cx) -> bool {
    cx.model.read(|model| model.connections.values().any(is_offered))
}
