//! Banners for problems that affect the whole window, each with what to do about it.

use std::sync::Arc;

use egui::{Align, Frame, Label, Layout, Margin, Panel, RichText, Ui};

use super::theme::{self, space};
use super::{Cx, fade, widgets};
use crate::model::banner::Banner;
use crate::model::intent::{AppIntent, Intent, LinkIntent};
use crate::model::profile::Protocol;

/// Whether the person can dismiss it. Other banners disappear when the problem is resolved.
fn is_dismissable(banner: &Banner) -> bool {
    match banner {
        Banner::DiskFull
        | Banner::DiskLow
        | Banner::DiskReadOnly { .. }
        | Banner::DatabaseNewer { .. }
        | Banner::ReadingsNotWritten { .. } => false,
        Banner::DatabaseSetAside { .. }
        | Banner::SettingsSetAside { .. }
        | Banner::ReadingsSetAside { .. }
        | Banner::Restarted
        | Banner::SecretNotKept { .. }
        | Banner::LinkNotOpened { .. }
        | Banner::ClosedUnexpectedly { .. }
        | Banner::PartFailed { .. } => true,
    }
}

/// Whether it is about the password and headers of a plain WebSocket.
fn is_of_plain(cx: &Cx, banner: &Banner) -> bool {
    let Banner::SecretNotKept { connection, .. } = banner else { return false };
    let protocol = cx.model.read(|model| Some(model.connections.get(connection)?.profile.protocol));
    protocol.is_some_and(Protocol::has_login)
}

/// What was noted of a crash.
fn crash_note(banner: &Banner) -> Option<&Arc<str>> {
    match banner {
        Banner::ClosedUnexpectedly { note } => note.as_ref(),
        Banner::PartFailed { note } => Some(note),
        _ => None,
    }
}

/// Draws all banners at the top of the window. Returns the note about a crash that the person wants to read.
pub(super) fn show(ui: &mut Ui, cx: &mut Cx) -> Option<Arc<str>> {
    let mut shown = None;
    let banners = cx.model.read(|model| model.banners.clone());
    let theme = theme::of(ui);
    for (index, banner) in banners.into_iter().enumerate() {
        let mut sentence = (cx.words.banner)(&banner);
        let is_plain = is_of_plain(cx, &banner);
        if is_plain {
            sentence.what = cx.words.plain.not_kept.to_owned();
            sentence.then.clear();
        }
        let margin = Margin::symmetric(space::LARGE as i8, space::SMALL as i8);
        let frame = Frame::new().fill(theme.warn_ground).inner_margin(margin);
        Panel::top(("banner", index)).frame(frame).resizable(false).show(ui, |ui| {
            fade::appear(ui, ("banner", &sentence.what));
            ui.with_layout(Layout::right_to_left(Align::Min), |ui| {
                if is_dismissable(&banner) && ui.add(widgets::plain(cx.words.dismiss)).clicked() {
                    cx.intents.push(Intent::App(AppIntent::DismissBanner(banner.clone())));
                }
                if let Some(note) = crash_note(&banner) {
                    if ui.add(widgets::plain(cx.words.sheet.crash_copy)).clicked() {
                        ui.ctx().copy_text(note.to_string());
                    }
                    if ui.add(widgets::plain(cx.words.sheet.crash_show)).clicked() {
                        shown = Some(Arc::clone(note));
                    }
                }
                if let Banner::SecretNotKept { connection, .. } = banner {
                    let words = cx.words.profiles;
                    let keep = ui.add(widgets::plain(words.keep_in_file_short));
                    if keep.on_hover_text(words.keep_in_file_warning).clicked() {
                        cx.intents.push(Intent::Link(LinkIntent::KeepTokenInFile(Some(connection))));
                    }
                    if !is_plain && ui.add(widgets::plain(cx.words.people.copy_token)).clicked() {
                        cx.intents.push(Intent::Link(LinkIntent::ShowToken(connection)));
                    }
                }
                ui.with_layout(Layout::top_down(Align::Min), |ui| {
                    let what = ui.add(Label::new(RichText::new(&sentence.what).color(theme.warn)).wrap());
                    widgets::alert(ui, what.id, &sentence.what);
                    ui.add(Label::new(RichText::new(&sentence.then).color(theme.text)).wrap());
                });
            });
        });
    }
    shown
}
