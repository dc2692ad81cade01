//! A custom time range: two times, typed or picked in a calendar.

use chrono::{DateTime, Days, Local, NaiveDate, NaiveDateTime, NaiveTime};
use egui::containers::menu::{MenuButton, MenuConfig};
use egui::{Key, Label, PopupCloseBehavior, RichText, TextEdit, Ui};

use super::calendar::Calendar;
use crate::model::search::day;
use crate::model::time::WallMs;
use crate::model::zone;
use crate::ui::text::device_page::BadRange;
use crate::ui::text::local;
use crate::ui::theme::{self, space};
use crate::ui::{Cx, widgets};

/// Width of the fields, in points.
const FIELD: f32 = 240.0;
/// Maximum length of the range, in milliseconds.
pub(super) const MAX_RANGE_MS: i64 = 2 * 366 * 86_400_000;
/// Minimum length of the range, in milliseconds.
pub(super) const MIN_RANGE_MS: i64 = 2_000;

/// State of the form.
#[derive(Default)]
pub(super) struct Form {
    open: bool,
    from: String,
    to: String,
    refused: Option<BadRange>,
    calendar: Calendar,
}

impl Form {
    /// The button and its popup. `shown` is the range in view. Returns the range that the person entered.
    pub(super) fn button(
        &mut self,
        ui: &mut Ui,
        cx: &Cx,
        shown: (WallMs, WallMs),
        chosen: bool,
        now: WallMs,
    ) -> Option<(WallMs, WallMs)> {
        let words = cx.words.device_page;
        // Fields and buttons have their normal style, not that of menu items.
        let config = MenuConfig::new()
            .close_behavior(PopupCloseBehavior::CloseOnClickOutside)
            .style(egui::style::StyleModifier::default());
        let button = egui::Button::selectable(chosen, words.range);
        let (response, inner) = MenuButton::from_button(button)
            .config(config)
            .ui(ui, |ui| ui.vertical(|ui| self.content(ui, cx, shown, now)).inner);
        widgets::named(ui, &response, words.range_named);
        self.open = inner.is_some();
        inner.and_then(|inner| inner.inner)
    }

    /// Draws the fields for start and end. Returns whether Enter was pressed in one of them.
    fn fields(&mut self, ui: &mut Ui, cx: &Cx, is_new: bool) -> bool {
        let (words, theme) = (cx.words.device_page, theme::of(ui));
        let mut entered = false;
        for (at, (name, text)) in
            [(words.range_from, &mut self.from), (words.range_to, &mut self.to)].into_iter().enumerate()
        {
            ui.add(Label::new(RichText::new(name).font(theme::small()).color(theme.weak)).selectable(false));
            let field = TextEdit::singleline(text).id_salt(name).char_limit(64).desired_width(FIELD);
            let field = ui.add(field.return_key(None)).accessible_name(name);
            if field.changed() {
                self.refused = None;
            }
            if is_new && at == 0 {
                field.request_focus();
            }
            entered |= field.has_focus() && ui.input(|input| input.key_pressed(Key::Enter));
        }
        entered
    }

    fn content(
        &mut self,
        ui: &mut Ui,
        cx: &Cx,
        shown: (WallMs, WallMs),
        now: WallMs,
    ) -> Option<(WallMs, WallMs)> {
        let words = cx.words.device_page;
        let theme = theme::of(ui);
        let is_new = !self.open;
        if is_new {
            *self = Form {
                open: true,
                from: written(shown.0),
                to: written(shown.1),
                refused: None,
                calendar: Calendar::default(),
            };
        }
        ui.set_max_width(FIELD + space::LARGE);
        let entered = self.fields(ui, cx, is_new);
        // Takes up space even when empty, so that nothing moves.
        let (said, colour) = match self.refused {
            Some(why) => ((words.bad_range)(why), theme.bad),
            None => (words.range_hint, theme.weak),
        };
        let label = ui.add(Label::new(RichText::new(said).font(theme::small()).color(colour)).wrap());
        if self.refused.is_some() {
            widgets::live(ui, label.id, said);
        }
        let today = local_day(now);
        if let Some((first, last)) = self.calendar.show(ui, cx, today) {
            (self.from, self.to) = (first.to_string(), last.to_string());
            self.refused = None;
        }
        let mut picked = None;
        ui.horizontal_wrapped(|ui| {
            if ui.add(widgets::plain(words.range_show)).clicked() || entered {
                picked = Some(check(&self.from, &self.to, now));
            }
            for (name, back) in [(cx.words.today, 0), (cx.words.yesterday, 1)] {
                if ui.add(widgets::plain(name)).clicked()
                    && let Some(day) = today.checked_sub_days(Days::new(back))
                    && let Some(range) = whole_day(day)
                {
                    picked = Some(Ok(range));
                }
            }
        });
        match picked? {
            Ok(range) => {
                ui.close();
                Some(range)
            }
            Err(why) => {
                self.refused = Some(why);
                None
            }
        }
    }
}

/// Parses a range. `now` is by the same clock.
fn check(from: &str, to: &str, now: WallMs) -> Result<(WallMs, WallMs), BadRange> {
    let first = moment(from, now, false).ok_or(BadRange::From)?;
    let last = moment(to, now, true).ok_or(BadRange::To)?;
    match last.since(first) {
        ..=0 => Err(BadRange::Order),
        _ if first > now => Err(BadRange::Future),
        1..MIN_RANGE_MS => Err(BadRange::Short),
        span if span > MAX_RANGE_MS => Err(BadRange::Long),
        _ => Ok((first, last)),
    }
}

/// A time as text for the fields; with its UTC offset if the local time is ambiguous.
fn written(at: WallMs) -> String {
    let Some(time) = zone::local(&Local, at) else { return String::new() };
    let twice = zone::is_ambiguous(&Local, &time);
    let seconds = if at.0.rem_euclid(60_000) >= 1_000 { ":%S" } else { "" };
    let zone = if twice { " %:z" } else { "" };
    time.format(&format!("%Y-%m-%d %H:%M{seconds}{zone}")).to_string()
}

/// Parses a time: a day, a time of day, both, or a time with UTC offset. A day alone means its start, or its
/// end with `is_end`.
fn moment(text: &str, now: WallMs, is_end: bool) -> Option<WallMs> {
    let text = text.trim();
    if matches!(text.to_lowercase().as_str(), "now" | "지금") {
        return Some(now);
    }
    if let Some(exact) = with_offset(text) {
        return Some(exact);
    }
    let today = local_day(now);
    let text = text.replacen('T', " ", usize::from(text.starts_with(|c: char| c.is_ascii_digit())));
    match day_and_time(&text) {
        Some(("", time)) => resolve(today.and_time(time), is_end),
        Some((named, time)) => resolve(day::parse(named, today)?.and_time(time), is_end),
        None => {
            let (begins, ends) = whole_day(day::parse(&text, today)?)?;
            Some(if is_end { ends } else { begins })
        }
    }
}

fn with_offset(text: &str) -> Option<WallMs> {
    let of = |pattern: &&str| DateTime::parse_from_str(text, pattern).ok();
    let patterns =
        ["%Y-%m-%d %H:%M %:z", "%Y-%m-%d %H:%M:%S %:z", "%Y-%m-%dT%H:%M%:z", "%Y-%m-%dT%H:%M:%S%.f%:z"];
    let exact = patterns.iter().find_map(of);
    exact.or_else(|| DateTime::parse_from_rfc3339(text).ok()).map(|time| WallMs(time.timestamp_millis()))
}

/// Splits a text into a day and the time after it.
fn day_and_time(text: &str) -> Option<(&str, NaiveTime)> {
    let begins = text.char_indices().filter(|(at, _)| *at == 0 || text[..*at].ends_with(char::is_whitespace));
    begins
        .map(|(at, _)| text.split_at(at))
        .find_map(|(day, time)| Some((day.trim(), time_of_day(time.trim())?)))
}

/// Accepts `14:30`, `14:30:05`, `2:30 pm`, `오후 2:30`, `14시 30분` and `14시`.
fn time_of_day(text: &str) -> Option<NaiveTime> {
    let tight: String = text.to_lowercase().chars().filter(|c| !c.is_whitespace()).collect();
    let (rest, half) = match tight.as_str() {
        text if let Some(rest) = text.strip_suffix("am").or(text.strip_prefix("오전")) => {
            (rest, Some(false))
        }
        text if let Some(rest) = text.strip_suffix("pm").or(text.strip_prefix("오후")) => {
            (rest, Some(true))
        }
        text => (text, None),
    };
    let plain = rest.replace('시', ":").replace('분', "");
    let plain = plain.trim_end_matches(':');
    let mut parts = plain.split(':');
    let mut number = || parts.next().map_or(Some(0), |part| part.parse::<u32>().ok());
    let has_sign = rest.contains(':') || rest.contains('시') || half.is_some();
    let (hour, minute, second) = (number()?, number()?, number()?);
    if !has_sign || parts.next().is_some() {
        return None;
    }
    let hour = match half {
        None => hour,
        Some(_) if !(1..=12).contains(&hour) => return None,
        Some(is_after_noon) => hour % 12 + if is_after_noon { 12 } else { 0 },
    };
    NaiveTime::from_hms_opt(hour, minute, second)
}

/// Converts local time; [`zone::resolve`] handles ambiguous and skipped times.
fn resolve(time: NaiveDateTime, is_end: bool) -> Option<WallMs> {
    zone::resolve(&Local, time, if is_end { zone::Edge::End } else { zone::Edge::Begin })
}

fn local_day(now: WallMs) -> NaiveDate {
    local::date(now).unwrap_or(NaiveDate::MIN)
}

/// Start of a day.
pub(super) fn begins(day: NaiveDate) -> Option<WallMs> {
    resolve(day.and_time(NaiveTime::MIN), false)
}

/// From the start of a day to that of the next one.
fn whole_day(day: NaiveDate) -> Option<(WallMs, WallMs)> {
    Some((begins(day)?, begins(day.succ_opt()?)?))
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone;

    use super::*;

    /// Noon in the local time zone.
    fn noon() -> WallMs {
        let noon = NaiveDate::from_ymd_opt(2026, 11, 26).unwrap().and_hms_opt(12, 0, 0).unwrap();
        WallMs(Local.from_local_datetime(&noon).unwrap().timestamp_millis())
    }

    fn said(text: &str) -> Option<String> {
        let at = moment(text, noon(), false)?;
        Some(Local.timestamp_millis_opt(at.0).unwrap().format("%m-%d %H:%M:%S").to_string())
    }

    #[test]
    fn common_ways_to_type_a_time_are_accepted() {
        for (text, at) in [
            ("2026-11-03 14:30", "11-03 14:30:00"),
            ("2026-11-03T14:30:05", "11-03 14:30:05"),
            ("3 Nov 2026 2:30 pm", "11-03 14:30:00"),
            ("yesterday 9:00", "11-25 09:00:00"),
            ("14:30", "11-26 14:30:00"),
            ("12:05am", "11-26 00:05:00"),
            ("어제 오후 2:30", "11-25 14:30:00"),
            ("2026년 11월 3일 14시 30분", "11-03 14:30:00"),
            ("11월 3일 9시", "11-03 09:00:00"),
            ("2026-11-03", "11-03 00:00:00"),
            ("now", "11-26 12:00:00"),
        ] {
            assert_eq!(said(text).as_deref(), Some(at), "{text}");
        }
        for text in ["", "soon", "25:00", "2026-13-01 10:00", "10:00:00:00", "2026-11-03 10:61", "13:00 pm"] {
            assert_eq!(said(text), None, "{text}");
        }
    }

    #[test]
    fn a_day_alone_means_the_whole_day_and_shown_times_parse_again() {
        let (from, to) = check("yesterday", "yesterday", noon()).unwrap();
        assert_eq!(to - from, 86_400_000);
        let at = noon() - 12_345_000;
        assert_eq!(moment(&written(at), noon(), false), Some(at));
        assert_eq!(moment("2026-11-03T14:30:00Z", noon(), true), Some(WallMs(1_793_716_200_000)));
    }

    #[test]
    fn an_invalid_range_is_reported_with_its_reason() {
        let of = |from, to| check(from, to, noon());
        assert_eq!(of("x", "today"), Err(BadRange::From));
        assert_eq!(of("today", "x"), Err(BadRange::To));
        assert_eq!(of("10:00", "9:00"), Err(BadRange::Order));
        assert_eq!(of("10:00", "10:00"), Err(BadRange::Order));
        assert_eq!(of("10:00", "10:00:01"), Err(BadRange::Short));
        assert_eq!(of("2020-01-01", "today"), Err(BadRange::Long));
        assert_eq!(of("23:00", "23:30"), Err(BadRange::Future));
        assert!(of("today", "today").is_ok(), "the rest of the day may be in the future");
    }
}
