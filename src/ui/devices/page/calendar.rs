//! A month calendar for picking a range: a click picks a day, a second click on a later day ends the range
//! there.

use chrono::{Datelike, Days, Months, NaiveDate};
use egui::{Button, Label, RichText, Ui, vec2};

use crate::ui::icons::Icon;
use crate::ui::theme::{self, space};
use crate::ui::{Cx, widgets};

/// Size of a day, in points.
const DAY: egui::Vec2 = vec2(32.0, 24.0);

/// The month shown and the days picked.
#[derive(Default)]
pub(super) struct Calendar {
    /// First day of the month shown; `None` for the current month.
    month: Option<NaiveDate>,
    picked: Option<(NaiveDate, NaiveDate)>,
    /// Whether the next click may end the range.
    begun: bool,
}

impl Calendar {
    /// Draws the calendar. Returns the first and last day once the person has picked a range.
    pub(super) fn show(&mut self, ui: &mut Ui, cx: &Cx, today: NaiveDate) -> Option<(NaiveDate, NaiveDate)> {
        let words = cx.words.device_page;
        let theme = theme::of(ui);
        let first = self.month.or_else(|| today.with_day(1)).unwrap_or(today);
        ui.horizontal(|ui| {
            let back = widgets::icon_button(ui, Icon::Back, words.month_before, words.month_before, false);
            if back.clicked() {
                self.month = first.checked_sub_months(Months::new(1));
            }
            let name = (words.month)(first.year(), first.month());
            ui.add(Label::new(RichText::new(name).color(theme.text)).selectable(false));
            let next = first.checked_add_months(Months::new(1)).filter(|next| *next <= today);
            let forward = egui::Button::new("→").min_size(vec2(28.0, 28.0)).frame_when_inactive(false);
            let forward = ui.add_enabled(next.is_some(), forward).on_hover_text(words.month_after);
            widgets::named(ui, &forward, words.month_after);
            if forward.clicked() {
                self.month = next;
            }
        });
        let mut clicked = None;
        ui.spacing_mut().item_spacing = vec2(2.0, 2.0);
        let lead = match words.weeks_begin_on_sunday {
            true => first.weekday().num_days_from_sunday(),
            false => first.weekday().num_days_from_monday(),
        };
        // A day wider than its cell would misalign the columns.
        ui.spacing_mut().button_padding.x = 0.0;
        ui.horizontal(|ui| {
            for weekday in words.weekdays {
                let text = RichText::new(weekday).font(theme::small()).color(theme.weak);
                ui.add_sized(DAY, Label::new(text).selectable(false));
            }
        });
        let days = first.checked_add_months(Months::new(1)).map_or(31, |next| (next - first).num_days());
        let mut day = first;
        for week in 0..(u64::from(lead) + days.unsigned_abs()).div_ceil(7) {
            ui.horizontal(|ui| {
                for column in 0..7 {
                    let is_before = week == 0 && column < lead;
                    if is_before || day.month() != first.month() {
                        ui.allocate_space(DAY);
                        continue;
                    }
                    if self.day(ui, cx, day, today) {
                        clicked = Some(day);
                    }
                    day = day.checked_add_days(Days::new(1)).unwrap_or(day);
                }
            });
        }
        ui.add_space(space::TINY);
        let day = clicked?;
        let picked = match self.picked.filter(|_| self.begun) {
            Some((begin, _)) if day > begin => (begin, day),
            _ => (day, day),
        };
        self.begun = picked.0 == picked.1;
        self.picked = Some(picked);
        Some(picked)
    }

    fn day(&self, ui: &mut Ui, cx: &Cx, day: NaiveDate, today: NaiveDate) -> bool {
        let theme = theme::of(ui);
        let is_picked = self.picked.is_some_and(|(begin, end)| (begin..=end).contains(&day));
        let colour = match day {
            _ if day > today => theme.weak,
            _ if day == today || is_picked => theme.accent,
            _ => theme.text,
        };
        let text = RichText::new(day.day().to_string()).font(theme::small()).color(colour);
        let button = Button::selectable(is_picked, text).min_size(DAY);
        let button = ui.add_enabled_ui(day <= today, |ui| ui.add_sized(DAY, button)).inner;
        let name = super::range::begins(day).map(cx.words.day).unwrap_or_default();
        widgets::named(ui, &button, &name);
        button.clicked()
    }
}
