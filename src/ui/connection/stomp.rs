//! Fields for a server that speaks STOMP in the connection dialog.

use egui::{TextEdit, Ui};

use super::{entered, field, hint, label};
use crate::model::stomp::{BadDestination, Destination, StompOptions};
use crate::ui::Cx;
use crate::ui::theme::space;

/// Contents of the fields.
#[derive(Default)]
pub(super) struct Fields {
    /// One on each line.
    destinations: String,
    host: String,
}

impl Fields {
    /// For an existing connection.
    pub(super) fn of(options: &StompOptions) -> Fields {
        let lines: Vec<String> = options.destinations.iter().map(ToString::to_string).collect();
        Fields { destinations: lines.join("\n"), host: options.host.clone() }
    }

    /// The inputs that determine whether it connects.
    pub(super) fn texts(&self) -> impl Iterator<Item = &String> {
        [&self.destinations, &self.host].into_iter()
    }

    /// The options.
    pub(super) fn check(&self) -> Result<StompOptions, BadDestination> {
        let lines = self.destinations.lines().filter(|line| !line.trim().is_empty());
        let destinations = lines.map(Destination::parse).collect::<Result<_, _>>()?;
        let options = StompOptions { host: self.host.trim().to_owned(), destinations };
        options.check()?;
        Ok(options)
    }

    /// Draws the fields. Returns whether Enter was pressed in one of a single line.
    pub(super) fn show(&mut self, ui: &mut Ui, cx: &Cx) -> bool {
        let words = cx.words.stomp;
        let name = label(ui, words.destinations);
        let edit = TextEdit::multiline(&mut self.destinations)
            .hint_text(words.destinations_hint)
            .desired_rows(2)
            .desired_width(f32::INFINITY)
            .margin(egui::Margin::symmetric(space::SMALL as i8, 5));
        ui.add(edit).labelled_by(name.id);
        hint(ui, words.destinations_help);
        let host = field(ui, words.host, words.host_hint, &mut self.host, false);
        entered(ui, &host)
    }
}
