//! Times as servers write them: seconds, milliseconds, microseconds or nanoseconds since 1970, or ISO 8601 with its zone. A time of day
//! without a date, or a date without a zone, says too little.

use crate::model::time::WallMs;
use chrono::DateTime;
use serde_json::Value;

/// The time of a value, in milliseconds since 1970; none where it says too little.
pub(super) fn of(value: &Value) -> Option<WallMs> {
    match value {
        Value::Number(number) => of_number(number.as_f64()?),
        Value::String(text) => {
            let text = text.trim();
            if let Ok(number) = text.parse::<f64>() {
                return of_number(number);
            }
            let read =
                DateTime::parse_from_rfc3339(text).or_else(|_| DateTime::parse_from_rfc2822(text)).ok()?;
            Some(WallMs(read.timestamp_millis()))
        }
        // Of MongoDB.
        Value::Object(map) => map.get("$date").filter(|inner| !inner.is_object()).and_then(of),
        _ => None,
    }
}

/// The unit follows from the size: only one gives a year between 1973 and 2286.
fn of_number(number: f64) -> Option<WallMs> {
    let ms = match number.abs() {
        size if size < 1e8 => return None,
        size if size < 1e10 => number * 1e3,
        size if size < 1e13 => number,
        size if size < 1e16 => number / 1e3,
        size if size < 1e19 => number / 1e6,
        _ => return None,
    };
    Some(WallMs(ms as i64))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn times_are_read_in_every_unit_that_tells_the_day() {
        for value in [
            json!(1_767_323_045),
            json!(1_767_323_045_000_u64),
            json!(1_767_323_045_000_000_u64),
            json!("1767323045000"),
            json!("2026-01-02T03:04:05Z"),
            json!("2026-01-02T12:04:05+09:00"),
            json!("Fri, 02 Jan 2026 03:04:05 +0000"),
            json!({"$date": "2026-01-02T03:04:05Z"}),
        ] {
            assert_eq!(of(&value), Some(WallMs(1_767_323_045_000)), "{value}");
        }
        for value in [
            json!("3:04 pm"),
            json!("yesterday"),
            json!(12),
            json!(true),
            json!(null),
            json!(1e300),
            json!({"$date": {}}),
        ] {
            assert_eq!(of(&value), None, "{value}");
        }
    }
}
