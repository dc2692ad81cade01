//! Parses dates as people type them, in English and Korean.

use chrono::{Datelike, Days, NaiveDate, Weekday};

/// Formats of complete dates, after separators have been normalized.
const FULL: [&str; 7] =
    ["%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y년%m월%d일", "%d %B %Y", "%B %d %Y", "%Y%m%d"];
/// Formats of dates without a year.
const SHORT: [&str; 4] = ["%m월%d일", "%d %B", "%B %d", "%m-%d"];

/// Parses a date: `2026-11-03`, `3 Nov 2026`, `Nov 3`, `yesterday`, `friday`, `3 days ago`, `2026년 11월 3일`,
/// `어제`, `금요일`, `3일 전`. A date without a year or a weekday is the latest one up to `today`.
pub fn parse(text: &str, today: NaiveDate) -> Option<NaiveDate> {
    let text = text.trim().trim_end_matches('.').replace(',', " ").to_lowercase();
    let words: Vec<&str> = text.split_whitespace().collect();
    let (spaced, tight) = (words.join(" "), words.concat());
    relative(&spaced, &tight, today)
        .or_else(|| weekday(&tight, today))
        .or_else(|| date(&spaced, &tight, today))
        .filter(|day| (1..=9999).contains(&day.year()))
}

fn relative(spaced: &str, tight: &str, today: NaiveDate) -> Option<NaiveDate> {
    let back = match tight {
        "today" | "오늘" => 0,
        "yesterday" | "어제" => 1,
        "그저께" | "그제" | "엊그제" => 2,
        "lastweek" | "지난주" => 7,
        _ => days_ago(spaced, tight)?,
    };
    today.checked_sub_days(Days::new(back))
}

fn days_ago(spaced: &str, tight: &str) -> Option<u64> {
    let english = spaced.strip_suffix(" ago").and_then(|text| text.split_once(' '));
    if let Some((count, unit)) = english {
        let each = match unit {
            "day" | "days" => 1,
            "week" | "weeks" => 7,
            _ => return None,
        };
        return count.parse::<u64>().ok()?.checked_mul(each);
    }
    let korean = tight.strip_suffix('전')?;
    let (count, each) = match korean.strip_suffix('일') {
        Some(count) => (count, 1),
        None => (korean.strip_suffix("주일").or_else(|| korean.strip_suffix('주'))?, 7),
    };
    count.parse::<u64>().ok()?.checked_mul(each)
}

fn weekday(tight: &str, today: NaiveDate) -> Option<NaiveDate> {
    let korean = |text: &str| {
        let mut names = "월화수목금토일".chars();
        let at = names.position(|name| text.strip_suffix("요일") == Some(name.encode_utf8(&mut [0; 4])))?;
        Weekday::try_from(at as u8).ok()
    };
    // chrono parses abbreviations such as "weds".
    let day = korean(tight).or_else(|| tight.parse::<Weekday>().ok())?;
    let back = (7 + today.weekday().num_days_from_monday() - day.num_days_from_monday()) % 7;
    today.checked_sub_days(Days::new(back.into()))
}

fn date(spaced: &str, tight: &str, today: NaiveDate) -> Option<NaiveDate> {
    let read = |text: &str, pattern: &str| NaiveDate::parse_from_str(text, pattern).ok();
    let full = FULL.iter().find_map(|pattern| read(spaced, pattern).or_else(|| read(tight, pattern)));
    full.or_else(|| {
        let of_year = |year: i32| {
            let year_of = |pattern: &&str| -> Option<NaiveDate> {
                let dated = format!("{pattern} %Y");
                read(&format!("{spaced} {year}"), &dated).or_else(|| read(&format!("{tight} {year}"), &dated))
            };
            SHORT.iter().find_map(year_of)
        };
        let this = of_year(today.year());
        // 29 February exists only in leap years.
        this.filter(|day| *day <= today).or_else(|| (1..=8).find_map(|back| of_year(today.year() - back)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Option<String> {
        // A Thursday.
        parse(text, NaiveDate::from_ymd_opt(2026, 11, 26).unwrap()).map(|day| day.to_string())
    }

    #[test]
    fn common_ways_to_write_a_date_are_accepted() {
        for text in [
            "2026-11-03",
            "2026-11-3",
            "2026/11/03",
            "2026.11.3",
            "2026. 11. 3.",
            "20261103",
            "3 November 2026",
            "3 nov 2026",
            "Nov 3, 2026",
            "nov 3",
            "3 Nov",
            "11-03",
            "2026년 11월 3일",
            "2026년11월3일",
            "11월 3일",
            "11월3일",
            "23 days ago",
            "23일 전",
        ] {
            assert_eq!(day(text).as_deref(), Some("2026-11-03"), "{text}");
        }
        for (text, is) in [
            ("today", "2026-11-26"),
            ("Yesterday", "2026-11-25"),
            ("오늘", "2026-11-26"),
            ("어제", "2026-11-25"),
            ("그저께", "2026-11-24"),
            ("thursday", "2026-11-26"),
            ("fri", "2026-11-20"),
            ("금요일", "2026-11-20"),
            ("1 week ago", "2026-11-19"),
            ("2주 전", "2026-11-12"),
            ("last week", "2026-11-19"),
            ("지난주", "2026-11-19"),
            ("12월 25일", "2025-12-25"),
            ("dec 25", "2025-12-25"),
            ("29 feb", "2024-02-29"),
        ] {
            assert_eq!(day(text).as_deref(), Some(is), "{text}");
        }
    }

    #[test]
    fn other_texts_are_rejected() {
        for text in [
            "",
            "foo",
            "2026-13-01",
            "2026-02-30",
            "32 nov",
            "13월 1일",
            "-3 days ago",
            "3",
            "99999999999999999999 days ago",
        ] {
            assert_eq!(day(text), None, "{text}");
        }
    }
}
