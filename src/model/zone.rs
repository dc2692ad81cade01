//! Local times. When clocks are set back, an hour occurs twice, and its times are shown with their UTC
//! offset; when they are set forward, some times are skipped. The zone is an argument.

use chrono::{DateTime, Duration, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeZone};

use super::time::WallMs;

/// Maximum shift of a clock change, in hours: moving the date line skipped a whole day.
const MAX_SHIFT_HOURS: i64 = 26;

/// Which end of a range a typed time is.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Edge {
    /// Start.
    Begin,
    /// End.
    End,
}

/// A time in a zone; `None` beyond the calendar's range.
pub fn local<Z: TimeZone>(zone: &Z, at: WallMs) -> Option<DateTime<Z>> {
    zone.timestamp_millis_opt(at.0).earliest()
}

/// A time formatted by `show`, followed by its UTC offset if the local time is ambiguous: `02:30 +02:00`. A
/// question mark beyond the calendar's range.
pub fn shown<Z: TimeZone>(zone: &Z, at: WallMs, show: impl FnOnce(&DateTime<Z>) -> String) -> String {
    let Some(time) = local(zone, at) else { return "?".to_owned() };
    let mut text = show(&time);
    if is_ambiguous(zone, &time) {
        text.push(' ');
        text.push_str(&offset(&time));
    }
    text
}

/// Whether a local time occurs twice in a zone.
pub fn is_ambiguous<Z: TimeZone>(zone: &Z, time: &DateTime<Z>) -> bool {
    matches!(zone.from_local_datetime(&time.naive_local()), LocalResult::Ambiguous(..))
}

/// The UTC offset of a time: `+02:00`.
pub fn offset<Z: TimeZone>(time: &DateTime<Z>) -> String {
    time.offset().fix().to_string()
}

/// The UTC offset of a zone at a time, in milliseconds.
pub fn offset_ms<Z: TimeZone>(zone: &Z, at: WallMs) -> i64 {
    local(zone, at).map_or(0, |time| i64::from(time.offset().fix().local_minus_utc()) * 1_000)
}

/// Converts a typed local time. If it occurs twice, the start of a range is the first occurrence and the end
/// is the second, so that the range includes both. A skipped time becomes the moment of the clock change.
pub fn resolve<Z: TimeZone>(zone: &Z, time: NaiveDateTime, edge: Edge) -> Option<WallMs> {
    match zone.from_local_datetime(&time) {
        LocalResult::Single(found) => Some(WallMs(found.timestamp_millis())),
        LocalResult::Ambiguous(one, other) => {
            let (one, other) = (one.timestamp_millis(), other.timestamp_millis());
            Some(if edge == Edge::Begin { WallMs(one.min(other)) } else { WallMs(one.max(other)) })
        }
        LocalResult::None => after_gap(zone, time),
    }
}

/// Start of a day. If midnight is skipped, the day starts later.
pub fn begins<Z: TimeZone>(zone: &Z, day: NaiveDate) -> Option<WallMs> {
    resolve(zone, day.and_time(NaiveTime::MIN), Edge::Begin)
}

/// The first second after the clock change that skipped this time.
fn after_gap<Z: TimeZone>(zone: &Z, time: NaiveDateTime) -> Option<WallMs> {
    let shift = Duration::hours(MAX_SHIFT_HOURS);
    let mut before = time.checked_sub_signed(shift)?.and_utc().timestamp();
    let mut after = time.checked_add_signed(shift)?.and_utc().timestamp();
    while after - before > 1 {
        let middle = i64::midpoint(before, after);
        let shown = zone.timestamp_opt(middle, 0).earliest()?.naive_local();
        if shown < time { before = middle } else { after = middle }
    }
    after.checked_mul(1_000).map(WallMs)
}

#[cfg(test)]
mod tests {
    use chrono_tz::Tz;

    use super::*;

    fn time(text: &str) -> NaiveDateTime {
        NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").unwrap()
    }

    fn utc(text: &str) -> WallMs {
        WallMs(time(text).and_utc().timestamp_millis())
    }

    fn clock(zone: Tz, at: WallMs) -> String {
        shown(&zone, at, |time| time.format("%H:%M").to_string())
    }

    #[test]
    fn only_ambiguous_times_have_an_offset() {
        for (at, is) in [
            ("2026-10-24 23:59", "01:59"),
            ("2026-10-25 00:00", "02:00 +02:00"),
            ("2026-10-25 00:59", "02:59 +02:00"),
            ("2026-10-25 01:00", "02:00 +01:00"),
            ("2026-10-25 01:59", "02:59 +01:00"),
            ("2026-10-25 02:00", "03:00"),
            ("2026-03-29 00:59", "01:59"),
            ("2026-03-29 01:00", "03:00"),
        ] {
            assert_eq!(clock(Tz::Europe__Berlin, utc(at)), is, "{at}");
        }
        // Here half an hour occurs twice.
        assert_eq!(clock(Tz::Australia__Lord_Howe, utc("2026-04-04 14:45")), "01:45 +11:00");
        assert_eq!(clock(Tz::Australia__Lord_Howe, utc("2026-04-04 15:15")), "01:45 +10:30");
        assert_eq!(clock(Tz::Australia__Lord_Howe, utc("2026-04-04 15:30")), "02:00");
        assert_eq!(clock(Tz::Asia__Seoul, utc("2026-10-25 00:30")), "09:30");
        assert_eq!(shown(&Tz::UTC, WallMs(i64::MAX), |_| String::new()), "?");
    }

    #[test]
    fn a_typed_range_includes_both_repeated_hours() {
        let berlin = Tz::Europe__Berlin;
        let twice = time("2026-10-25 02:30");
        assert_eq!(resolve(&berlin, twice, Edge::Begin), Some(utc("2026-10-25 00:30")));
        assert_eq!(resolve(&berlin, twice, Edge::End), Some(utc("2026-10-25 01:30")));
        let once = time("2026-10-25 03:30");
        for edge in [Edge::Begin, Edge::End] {
            assert_eq!(resolve(&berlin, once, edge), Some(utc("2026-10-25 02:30")));
        }
    }

    #[test]
    fn a_skipped_time_is_the_moment_of_the_clock_change() {
        for edge in [Edge::Begin, Edge::End] {
            for skipped in ["2026-03-29 02:00", "2026-03-29 02:30", "2026-03-29 02:59"] {
                let found = resolve(&Tz::Europe__Berlin, time(skipped), edge);
                assert_eq!(found, Some(utc("2026-03-29 01:00")), "{skipped}");
            }
        }
    }

    #[test]
    fn every_range_across_a_clock_change_is_ordered() {
        let zones = [
            Tz::Europe__Berlin,
            Tz::Australia__Lord_Howe,
            Tz::America__Havana,
            Tz::Pacific__Apia,
            Tz::Asia__Seoul,
        ];
        for zone in zones {
            for day in [
                "2011-12-29",
                "2026-03-08",
                "2026-03-29",
                "2026-04-05",
                "2026-10-04",
                "2026-10-25",
                "2026-11-01",
            ] {
                let midnight = time(&format!("{day} 00:00"));
                let steps: Vec<_> =
                    (0..=8 * 24).map(|quarter| midnight + Duration::minutes(15 * quarter)).collect();
                let moments =
                    |edge| steps.iter().map(|time| resolve(&zone, *time, edge).unwrap()).collect::<Vec<_>>();
                let (begins, ends) = (moments(Edge::Begin), moments(Edge::End));
                for (at, begin) in begins.iter().enumerate() {
                    assert!(*begin <= ends[at], "{zone} {}", steps[at]);
                    assert!(ends[at..].is_sorted_by_key(|end| *begin <= *end), "{zone} {}", steps[at]);
                    assert!(ends[at..].iter().all(|end| begin <= end), "{zone} {}", steps[at]);
                }
            }
        }
    }

    #[test]
    fn a_day_starts_with_its_date() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        assert_eq!(begins(&Tz::Europe__Berlin, day("2026-10-25")), Some(utc("2026-10-24 22:00")));
        assert_eq!(
            begins(&Tz::America__Havana, day("2026-03-08")),
            Some(utc("2026-03-08 05:00")),
            "no midnight"
        );
        assert_eq!(
            begins(&Tz::America__Havana, day("2026-11-01")),
            Some(utc("2026-11-01 04:00")),
            "two midnights"
        );
        assert_eq!(
            begins(&Tz::Pacific__Apia, day("2011-12-30")),
            Some(utc("2011-12-30 10:00")),
            "a day that never was"
        );
        assert_eq!(begins(&Tz::Pacific__Apia, day("2011-12-31")), Some(utc("2011-12-30 10:00")));
    }
}
