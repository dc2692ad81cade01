//! The sheet that jumps to a date in a room; dates are in local time.

use chrono::{Days, NaiveDate};
use egui::{Key, Label, RichText, TextEdit, Ui, vec2};

use crate::model::id::{ConnectionId, RoomId};
use crate::model::intent::{ChatIntent, Intent, Jump};
use crate::model::search::{DayFound, day};
use crate::model::time::WallMs;
use crate::ui::dialog::Fate;
use crate::ui::text::local;
use crate::ui::theme::{self, size, space};
use crate::ui::{Cx, widgets};

/// State of the sheet.
pub(in crate::ui) struct Sheet {
    connection: ConnectionId,
    room: RoomId,
    text: String,
    fresh: bool,
    /// Whether the submitted text was not a valid date.
    refused: bool,
    /// Number of the request in flight, and its date.
    asked: Option<(u64, NaiveDate)>,
    answer: Option<(DayFound, NaiveDate)>,
    /// The jump for the window to make.
    pub(in crate::ui) go: Option<(ConnectionId, RoomId, Jump)>,
}

/// The current local date.
pub(super) fn today(cx: &Cx) -> NaiveDate {
    local::date(cx.now.wall_ms).unwrap_or(NaiveDate::MIN)
}

pub(super) use crate::ui::text::local::begins;

impl Sheet {
    /// Opens the sheet for a room.
    pub(in crate::ui) fn new(connection: ConnectionId, room: RoomId) -> Sheet {
        Sheet {
            connection,
            room,
            text: String::new(),
            fresh: true,
            refused: false,
            asked: None,
            answer: None,
            go: None,
        }
    }

    /// Draws the sheet into a dialog.
    pub(in crate::ui) fn show(&mut self, ui: &mut Ui, cx: &mut Cx) -> Fate {
        self.take(cx);
        let words = cx.words.search;
        let theme = theme::of(ui);
        ui.label(RichText::new(words.go_to_date).font(theme::title()));
        let room = format!("# {}", cx.room_title(self.connection, &self.room, 64));
        ui.add(Label::new(RichText::new(room).font(theme::small()).color(theme.weak)).truncate());
        let enter = self.field(ui, cx);
        let today = today(cx);
        let day = day::parse(&self.text, today);
        self.meaning(ui, cx, day);
        ui.horizontal_wrapped(|ui| {
            let back = |days| today.checked_sub_days(Days::new(days));
            for (name, day) in
                [(cx.words.today, back(0)), (cx.words.yesterday, back(1)), (words.week_ago, back(7))]
            {
                if ui.add(widgets::plain(name)).clicked()
                    && let Some(day) = day
                {
                    self.ask(cx, day);
                }
            }
            if ui.add(widgets::plain(words.beginning)).clicked() {
                self.go = Some((self.connection, self.room.clone(), Jump::Start));
            }
        });
        ui.add_space(space::TINY);
        let mut fate = Fate::Open;
        ui.horizontal(|ui| {
            let go = ui.add_enabled(!self.text.trim().is_empty(), widgets::primary(theme, words.go));
            if ui.add(widgets::plain(cx.words.cancel)).clicked() {
                fate = Fate::Closed;
            }
            if go.clicked() || enter {
                match day {
                    Some(day) => self.ask(cx, day),
                    None => self.refused = true,
                }
            }
        });
        if self.go.is_some() { Fate::Closed } else { fate }
    }

    /// The field for the date. Returns whether Enter was pressed in it.
    fn field(&mut self, ui: &mut Ui, cx: &Cx) -> bool {
        let words = cx.words.search;
        let field = TextEdit::singleline(&mut self.text)
            .hint_text(words.date_hint)
            .return_key(None)
            .desired_width(f32::INFINITY)
            .align(egui::Align2::LEFT_CENTER)
            .min_size(vec2(0.0, size::CONTROL));
        let field = ui.add(field).accessible_name(words.date);
        if std::mem::take(&mut self.fresh) {
            field.request_focus();
        }
        if field.changed() {
            self.refused = false;
            self.answer = None;
        }
        field.has_focus() && ui.input(|input| input.key_pressed(Key::Enter))
    }

    /// Shows how the date was understood, or the result. Takes up space even when empty.
    fn meaning(&mut self, ui: &mut Ui, cx: &Cx, day: Option<NaiveDate>) {
        let (theme, words) = (theme::of(ui), cx.words.search);
        let name = |at: WallMs| (cx.words.day)(at);
        let (text, colour) = match (&self.answer, day) {
            (Some((DayFound { first: None, newest: Some(newest), .. }, asked)), _) => {
                let asked = begins(*asked).map(name).unwrap_or_default();
                ((words.none_since)(&asked, &name(*newest)), theme.warn)
            }
            (Some((DayFound { first: None, newest: None, .. }, _)), _) => {
                (words.none_at_all.to_owned(), theme.warn)
            }
            (Some((DayFound { first: Some((_, at)), .. }, _)), _) => {
                ((words.older_at_hub)(&name(*at)), theme.warn)
            }
            (None, Some(day)) => (begins(day).map(name).unwrap_or_default(), theme.text),
            (None, None) if self.refused => (words.no_date.to_owned(), theme.warn),
            (None, None) => (" ".to_owned(), theme.weak),
        };
        let shown = ui.add(Label::new(RichText::new(&text).color(colour)).wrap());
        widgets::live(ui, shown.id, text.trim());
        let first = self.answer.as_ref().and_then(|(answer, _)| answer.first);
        if let Some((position, _)) = first
            && ui.add(widgets::plain(words.go_to_oldest)).clicked()
        {
            self.go = Some((self.connection, self.room.clone(), Jump::To(position)));
        }
    }

    fn ask(&mut self, cx: &mut Cx, day: NaiveDate) {
        let Some(from) = begins(day) else { return };
        let number = crate::ui::request_number();
        self.asked = Some((number, day));
        self.answer = None;
        let (connection, room) = (self.connection, self.room.clone());
        cx.intents.push(Intent::Chat(ChatIntent::FindDay { number, connection, room, from }));
    }

    /// Handles the answer: jumps, unless the person has to be told something first.
    fn take(&mut self, cx: &Cx) {
        let Some((number, day)) = self.asked else { return };
        let answer = cx.model.read(|model| model.searching.day.clone());
        let Some(answer) = answer.filter(|answer| answer.number == number && answer.room == self.room) else {
            return;
        };
        self.asked = None;
        let ends = day.succ_opt().and_then(begins);
        match answer.first {
            // The message is from that day, or no messages are missing before it.
            Some((position, at)) if !answer.older_at_hub || ends.is_some_and(|ends| at < ends) => {
                self.go = Some((self.connection, self.room.clone(), Jump::To(position)));
            }
            _ => self.answer = Some((answer, day)),
        }
    }
}
