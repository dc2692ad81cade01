//! Moments by this computer's clock. A time that the clock shows twice, in the hour that is repeated in autumn, carries its
//! offset from UTC: `02:30 +02:00`.

use chrono::{DateTime, Datelike, Local, NaiveDate};

use crate::model::time::WallMs;
use crate::model::zone;

/// A moment with its time of day, as `show` writes it.
pub(super) fn moment(at: WallMs, show: impl FnOnce(&DateTime<Local>) -> String) -> String {
    zone::shown(&Local, at, show)
}

/// A moment's day alone, as `show` writes it.
pub(super) fn day(at: WallMs, show: impl FnOnce(&DateTime<Local>) -> String) -> String {
    zone::local(&Local, at).map_or_else(|| "?".to_owned(), |time| show(&time))
}

/// A time of day and the offset behind it; that is empty where the time comes once.
pub fn parts(moment: &str) -> (&str, &str) {
    let offset = moment.rsplit_once(' ').filter(|(_, offset)| offset.starts_with(['+', '-']));
    offset.unwrap_or((moment, ""))
}

/// The date on which a moment lies.
pub fn date(at: WallMs) -> Option<NaiveDate> {
    zone::local(&Local, at).map(|time| time.date_naive())
}

/// The number of the day on which a moment lies; one more on the next day.
pub fn day_number(at: WallMs) -> i32 {
    date(at).map_or(0, |date| date.num_days_from_ce())
}

/// When a day begins. Where the clock is put forward at midnight it begins later.
pub fn begins(day: NaiveDate) -> Option<WallMs> {
    zone::begins(&Local, day)
}

/// How far the clock is ahead of UTC at a moment, in milliseconds.
pub fn offset_ms(at: WallMs) -> i64 {
    zone::offset_ms(&Local, at)
}

/// Day and minute, for what is copied as text.
pub fn written(at: WallMs) -> String {
    moment(at, |time| time.format("%Y-%m-%d %H:%M").to_string())
}

/// Day and millisecond, for what a person looks at closely.
pub fn precise(at: WallMs) -> String {
    moment(at, |time| time.format("%Y-%m-%d %H:%M:%S%.3f").to_string())
}

/// Day, millisecond and offset from UTC, for files: whoever reads one may live elsewhere.
pub fn stamp(at: WallMs) -> String {
    day(at, |time| time.format("%Y-%m-%d %H:%M:%S%.3f %:z").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_is_told_from_its_time() {
        assert_eq!(parts("02:30 +02:00"), ("02:30", "+02:00"));
        assert_eq!(parts("1:30 AM -05:00"), ("1:30 AM", "-05:00"));
        assert_eq!(parts("1:30 AM"), ("1:30 AM", ""));
        assert_eq!(parts("오전 2:30 +09:00"), ("오전 2:30", "+09:00"));
        assert_eq!(parts("?"), ("?", ""));
    }
}
