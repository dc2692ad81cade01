//! The dialog of the check of a connection: what it comes to first, then a table of the transports, then the steps.

use egui::accesskit::Role;
use egui::{Grid, Label, RichText, ScrollArea, Ui};

use super::dialog::Fate;
use super::theme::{self, space};
use super::{Cx, fade, harmless, rooms, sheet, widgets};
use crate::doctor::{self, Said};
use crate::model::diagnosis::{Diagnosis, Report, RouteReport, Verdict};
use crate::model::id::ConnectionId;
use crate::model::intent::{Intent, LinkIntent};
use crate::model::link_state::Why;
use crate::model::profile::Protocol;

/// Height of all but the report, in points.
const REST_HEIGHT: f32 = 170.0;

/// The dialog's own state.
pub(super) struct Sheet {
    connection: ConnectionId,
    name: String,
    shows_steps: bool,
    shows_figures: bool,
    /// Whether what is shown was copied.
    is_copied: bool,
}

impl Sheet {
    /// Begins the check.
    pub(super) fn new(cx: &mut Cx, connection: ConnectionId) -> Option<Sheet> {
        let name =
            cx.model.read(|model| Some(rooms::name_of(model.connections.get(&connection)?, cx.words)))?;
        cx.intents.push(Intent::Link(LinkIntent::Diagnose(connection)));
        Some(Sheet { connection, name, shows_steps: false, shows_figures: false, is_copied: false })
    }

    pub(super) fn title(&self, cx: &Cx) -> String {
        (cx.words.doctor.title)(&self.name)
    }

    pub(super) fn show(&mut self, ui: &mut Ui, cx: &mut Cx, window_height: f32) -> Fate {
        let (theme, words) = (theme::of(ui), cx.words.doctor);
        sheet::title(ui, &self.title(cx));
        let diagnosis = cx.model.read(|model| {
            model.diagnosis.as_ref().filter(|(of, _)| *of == self.connection).map(|(_, found)| found.clone())
        });
        let is_running = diagnosis.as_ref().is_none_or(|diagnosis| diagnosis.is_running);
        let most = (window_height - REST_HEIGHT).max(160.0);
        ScrollArea::vertical().max_height(most).auto_shrink([false, true]).show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = space::TINY;
            if is_running {
                let running = ui.add(Label::new(RichText::new(words.running).color(theme.weak)).wrap());
                widgets::live(ui, running.id, words.running);
            }
            if let Some(Diagnosis { report, .. }) = &diagnosis {
                self.report(ui, cx, report, is_running);
            }
        });
        ui.add_space(space::SMALL);
        let mut fate = Fate::Open;
        ui.horizontal_wrapped(|ui| {
            if let (false, Some(diagnosis)) = (is_running, &diagnosis) {
                let copy = if self.is_copied { words.copied } else { words.copy };
                if ui.add(widgets::primary(theme, copy)).clicked() {
                    let report = &diagnosis.report;
                    ui.ctx().copy_text(doctor::text(words.report, report, &|why| say(cx, report, why)));
                    self.is_copied = true;
                }
                if ui.add(widgets::plain(words.again)).clicked() {
                    self.is_copied = false;
                    cx.intents.push(Intent::Link(LinkIntent::Diagnose(self.connection)));
                }
            }
            let close = if is_running { cx.words.cancel } else { cx.words.close };
            if ui.add(widgets::plain(close)).clicked() {
                fate = Fate::Closed;
            }
        });
        fate
    }

    fn report(&mut self, ui: &mut Ui, cx: &Cx, report: &Report, is_running: bool) {
        let words = cx.words.doctor;
        if !is_running {
            verdict(ui, cx, report);
        }
        if report.protocol == Protocol::Duplex && !report.routes.is_empty() {
            ui.add_space(space::SMALL);
            table(ui, cx, &report.routes);
            let say = |why: &Why| say(cx, report, why);
            for route in &report.routes {
                if let Some(why) = doctor::reason(words.report, report, route, &say) {
                    small(ui, &format!("{}: {why}", cx.words.routes.name(route.route)));
                }
            }
            let fold = ui.add(widgets::link(theme::of(ui), words.figures));
            if fold.clicked() {
                self.shows_figures = !self.shows_figures;
            }
            expanded(ui, &fold, self.shows_figures);
            if self.shows_figures {
                small(ui, words.report.note);
            }
        }
        ui.add_space(space::SMALL);
        // While it goes on, the steps are what there is to see.
        if is_running {
            return steps(ui, cx, report);
        }
        let fold = if self.shows_steps { words.hide_steps } else { words.show_steps };
        let fold = ui.add(widgets::link(theme::of(ui), fold));
        if fold.clicked() {
            self.shows_steps = !self.shows_steps;
        }
        expanded(ui, &fold, self.shows_steps);
        if self.shows_steps {
            steps(ui, cx, report);
        }
    }
}

/// Why something failed, as it is said of such a server everywhere else.
fn say(cx: &Cx, report: &Report, why: &Why) -> Said {
    let own = match report.protocol {
        Protocol::Duplex => None,
        _ => (cx.words.plain.why)(why, false),
    };
    let sentence = own.unwrap_or_else(|| (cx.words.why)(why));
    Said { what: sentence.what, then: sentence.then }
}

fn expanded(ui: &Ui, fold: &egui::Response, is_open: bool) {
    ui.ctx().accesskit_node_builder(fold.id, |node| node.set_expanded(is_open));
}

fn small(ui: &mut Ui, text: &str) {
    let text = RichText::new(harmless::text(text)).font(theme::small()).color(theme::of(ui).weak);
    ui.add(Label::new(text).selectable(true).wrap());
}

fn verdict(ui: &mut Ui, cx: &Cx, report: &Report) {
    let theme = theme::of(ui);
    let said = cx.words.doctor.report.verdict(report, &|why| say(cx, report, why));
    let colour = match report.verdict() {
        Verdict::Works => theme.good,
        verdict if verdict.is_reached() => theme.warn,
        Verdict::Unfinished => theme.weak,
        _ => theme.bad,
    };
    ui.scope(|ui| {
        fade::appear(ui, ("verdict", &said.what));
        let what = ui.add(Label::new(RichText::new(&said.what).font(theme::heading()).color(colour)).wrap());
        widgets::live(ui, what.id, format!("{} {}", said.what, said.then).trim());
        if !said.then.is_empty() {
            ui.add(Label::new(RichText::new(&said.then).color(theme.text)).wrap());
        }
    });
}

fn table(ui: &mut Ui, cx: &Cx, routes: &[RouteReport]) {
    let (theme, words) = (theme::of(ui), cx.words.doctor);
    let spacing = [space::MEDIUM, space::TINY];
    let grid = Grid::new("transports").num_columns(words.report.headings.len()).spacing(spacing);
    let shown = ScrollArea::horizontal().auto_shrink([false, true]).show(ui, |ui| {
        grid.show(ui, |ui| {
            for heading in words.report.headings {
                let text = RichText::new(heading).font(theme::small()).color(theme.weak);
                ui.add(Label::new(text).selectable(false).extend());
            }
            ui.end_row();
            for route in routes {
                let cells = doctor::cells(words.report, route);
                let colour = match route.works {
                    Some(true) => theme.good,
                    Some(false) => theme.bad,
                    None => theme.weak,
                };
                let name = cx.words.routes.name(route.route);
                for (column, cell) in cells.iter().enumerate() {
                    let (text, colour) = match column {
                        0 => (name, theme.text),
                        1 => (cell.as_str(), colour),
                        _ => (cell.as_str(), theme.text),
                    };
                    let shown =
                        ui.add(Label::new(RichText::new(text).color(colour)).selectable(false).extend());
                    // A figure alone says nothing to who hears it.
                    let heard = match column {
                        0 => name.to_owned(),
                        _ => format!("{name}, {}: {cell}", words.report.headings[column]),
                    };
                    ui.ctx().accesskit_node_builder(shown.id, |node| {
                        node.set_role(Role::Cell);
                        node.set_label(heard);
                    });
                }
                ui.end_row();
            }
        })
    });
    ui.ctx().accesskit_node_builder(shown.inner.response.id, |node| {
        node.set_role(Role::Group);
        node.set_label(words.table);
    });
}

fn steps(ui: &mut Ui, cx: &Cx, report: &Report) {
    let (theme, words) = (theme::of(ui), cx.words.doctor);
    for step in &report.steps {
        let colour = if step.failed.is_some() { theme.bad } else { theme.good };
        let title = (words.report.step)(step.kind());
        ui.add(
            Label::new(RichText::new(title).font(theme::strong(theme::size::BODY)).color(colour))
                .selectable(false),
        );
        for line in doctor::step(words.report, step, &|why| say(cx, report, why)) {
            small(ui, &line);
        }
    }
}
