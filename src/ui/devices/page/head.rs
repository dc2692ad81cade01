//! The head of a device's page: name, status, and the actions on the device as a whole.

use egui::containers::menu::MenuButton;
use egui::{Align, Button, Label, Layout, RichText, Ui, Vec2};

use super::super::acts;
use super::{PageAction, View};
use crate::model::device::Status;
use crate::model::harmless;
use crate::ui::icons::{self, Icon};
use crate::ui::theme::{self, size, space};
use crate::ui::{Cx, value, widgets};

/// Draws the head. `fresh` focuses its first control. Returns the action chosen.
pub(super) fn show(ui: &mut Ui, cx: &Cx, view: &View, fresh: bool) -> Option<PageAction> {
    let theme = theme::of(ui);
    let words = cx.words.device_page;
    let mut wish = None;
    ui.horizontal(|ui| {
        let button = widgets::icon_button(ui, Icon::Back, words.back, words.back, false);
        if fresh {
            button.request_focus();
        }
        if button.clicked() {
            wish = Some(PageAction::Back);
        }
        value::status_mark(ui, theme, view.status);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if let Some(act) = menu(ui, cx, view) {
                wish = Some(PageAction::Act(act));
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                let title = RichText::new(&view.title).font(theme::heading()).color(theme.text);
                let title = ui.add(Label::new(title).truncate());
                widgets::heading(ui, &title, &view.title, 1);
            });
        });
    });
    status(ui, cx, view);
    if let Some(ms) = view.behind_ms {
        let text = RichText::new((words.clock_off)(ms)).font(theme::small()).color(theme.warn);
        ui.add(Label::new(text).wrap());
    }
    wish
}

fn menu(ui: &mut Ui, cx: &Cx, view: &View) -> Option<acts::Act> {
    let subject = view.subject.as_ref()?;
    let button = Button::new("").frame_when_inactive(false).min_size(Vec2::splat(size::CONTROL));
    let (response, shown) = MenuButton::from_button(button).ui(ui, |ui| acts::items(ui, cx, subject));
    icons::paint(ui.painter(), response.rect.center(), Icon::More, size::ICON, theme::of(ui).text);
    response.accessible_name((cx.words.more)(&view.title));
    shown.and_then(|shown| shown.inner)
}

/// Status, kind, group and id, on one line if they fit.
fn status(ui: &mut Ui, cx: &Cx, view: &View) {
    let theme = theme::of(ui);
    let words = cx.words.device_page;
    let mut status = (cx.words.devices.status)(view.status).to_owned();
    if let Some(since) = view.since {
        status = match view.status {
            Status::Unknown => {
                let ago = value::age(cx.words, view.facts.hub_now.since(since));
                (words.last_heard)(&status, &ago)
            }
            _ => (cx.words.devices.status_since)(&status, &value::moment(cx, since)),
        };
    }
    if !view.reason.is_empty() {
        status = format!("{status}: {}", view.reason);
    }
    let colour = match view.status {
        Status::Online | Status::Asleep => theme.good,
        Status::Silent => theme.warn,
        Status::Offline => theme.bad,
        Status::Unknown => theme.weak,
    };
    let mut rest = vec![view.kind.clone()];
    if let Some(subject) = &view.subject {
        rest.push(harmless::line(&subject.choice.group, 40));
        if !subject.choice.name.is_empty() {
            let id = harmless::line(subject.device.as_str(), 64);
            rest.push((cx.words.device_acts.on_server)(&subject.announced, &id));
        }
        if subject.muted {
            rest.push(words.muted.to_owned());
        }
    }
    rest.retain(|part| !part.is_empty());
    let line = ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = space::TINY;
        let text = RichText::new(&status).font(theme::small()).color(colour);
        ui.add(Label::new(text).selectable(false).truncate());
        for part in &rest {
            let text = RichText::new(format!("· {part}")).font(theme::small()).color(theme.weak);
            ui.add(Label::new(text).selectable(false).truncate());
        }
    });
    widgets::live(ui, line.response.id.with("status"), (cx.words.devices.status)(view.status));
}
