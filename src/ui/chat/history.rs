//! The dialog with all versions of an edited message.

use std::sync::Arc;

use egui::{Frame, Label, Margin, RichText, ScrollArea, Stroke, Ui};

use super::RoomKey;
use crate::model::intent::{ChatIntent, Intent};
use crate::model::lookup::{Lookup, LookupFound, Wanted};
use crate::model::message::Position;
use crate::ui::dialog::Fate;
use crate::ui::theme::{self, radius, space};
use crate::ui::{Cx, harmless, sheet, widgets};

/// The dialog.
pub(in crate::ui) struct Sheet {
    number: u64,
    found: Option<Arc<LookupFound>>,
}

impl Sheet {
    /// Asks for the versions of the message at a place.
    pub(in crate::ui) fn new(cx: &mut Cx, key: &RoomKey, at: Position) -> Sheet {
        let number = crate::ui::request_number();
        let ((connection, room), wanted) = (key.clone(), Wanted::Revisions(at));
        cx.intents.push(Intent::Chat(ChatIntent::LookUp(Lookup { number, connection, room, wanted })));
        Sheet { number, found: None }
    }

    /// Draws the dialog.
    pub(in crate::ui) fn show(&mut self, ui: &mut Ui, cx: &mut Cx, window_height: f32) -> Fate {
        let (theme, words) = (theme::of(ui), cx.words.chat);
        sheet::title(ui, words.edit_history);
        let found = cx.model.read(|model| model.searching.lookup.clone());
        if let Some((_, found)) = found.filter(|(number, _)| *number == self.number) {
            self.found = Some(found);
        }
        let say = |ui: &mut Ui, text: &str| {
            ui.add(Label::new(RichText::new(text).color(theme.weak)).wrap());
        };
        match self.found.as_deref() {
            None => say(ui, cx.words.people.loading),
            Some(LookupFound::Revisions(all)) if all.is_empty() => say(ui, words.no_history),
            Some(LookupFound::Revisions(all)) => {
                let most = (window_height - 200.0).max(120.0);
                let versions = ScrollArea::vertical().max_height(most).min_scrolled_height(most);
                versions.auto_shrink([false, true]).show(ui, |ui| {
                    for (at, revision) in all.iter().enumerate().rev() {
                        let when = (cx.words.day_and_clock)(revision.at);
                        let title = match at {
                            0 => (words.first_version)(&when),
                            _ => (words.edited_at)(&when),
                        };
                        let frame = Frame::new()
                            .stroke(Stroke::new(1.0, theme.line))
                            .corner_radius(radius::CONTROL)
                            .inner_margin(Margin::same(space::SMALL as i8));
                        frame.show(ui, |ui| {
                            ui.set_min_width(ui.available_width());
                            let title = RichText::new(title).font(theme::small()).color(theme.weak);
                            ui.add(Label::new(title).wrap());
                            ui.add(Label::new(harmless::text(&revision.body)).selectable(true).wrap());
                        });
                    }
                });
            }
            Some(_) => say(ui, words.cannot_read),
        }
        ui.add_space(space::SMALL);
        if ui.add(widgets::plain(cx.words.close)).clicked() { Fate::Closed } else { Fate::Open }
    }
}
