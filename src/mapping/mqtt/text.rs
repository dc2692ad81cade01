//! Names and values as texts: what may be shown, what is a number, and which unit a text carries.

use crate::model::device::{NAME_CHARS, ShortName, Value};

/// Maximum length of a text value, in bytes; the rest is cut off.
pub(super) const MAX_TEXT_BYTES: usize = 1_024;
/// Length of the digits that stand for what was cut off a long name.
const DIGITS: usize = 9;

/// A name as close to this text as the rules for names allow. Long texts that differ stay different.
pub(super) fn short(text: &str) -> Option<ShortName> {
    if text.len() <= NAME_CHARS
        && let Ok(name) = ShortName::new(text)
    {
        return Some(name);
    }
    let visible = visible(text);
    if visible.chars().count() <= NAME_CHARS {
        return ShortName::new(&visible).ok();
    }
    let kept: String = visible.chars().take(NAME_CHARS - DIGITS).collect();
    ShortName::new(format!("{}~{:08x}", kept.trim_end(), hash(text) as u32)).ok()
}

/// A text without control characters and surrounding white space, at most 256 characters.
pub(super) fn visible(text: &str) -> String {
    let is_plain = !text.chars().any(char::is_control) && text.len() <= 256;
    if is_plain {
        return text.trim().to_owned();
    }
    let spaced: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(256).collect();
    spaced.trim().to_owned()
}

/// FNV-1a: the same on every run.
pub(super) fn hash(text: &str) -> u64 {
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// A text value, bounded.
pub(super) fn text(text: &str) -> Value {
    let end = text.floor_char_boundary(MAX_TEXT_BYTES);
    match end < text.len() {
        true => Value::Text(format!("{}…", &text[..end]).into()),
        false => Value::Text(text.into()),
    }
}

/// A number, if the text is one as a program writes it: no leading noughts, which belong to an id, and no `+`.
pub(super) fn number(text: &str) -> Option<Value> {
    let text = text.trim();
    let digits = text.strip_prefix('-').unwrap_or(text);
    let first = *digits.as_bytes().first()?;
    if !first.is_ascii_digit() && first != b'.' || digits.len() > 40 {
        return None;
    }
    if first == b'0' && digits.as_bytes().get(1).is_some_and(u8::is_ascii_digit) {
        return None;
    }
    Value::parse_number(text).ok().map(tidied)
}

/// Whether a text stands for a number that is missing.
pub(super) fn is_no_number(text: &str) -> bool {
    ["nan", "-nan", "inf", "-inf", "+inf", "infinity", "-infinity"]
        .iter()
        .any(|word| text.eq_ignore_ascii_case(word))
}

/// What a bare text says: a number, `true` or `false`, or the text itself.
pub(super) fn value(text_: &str) -> Value {
    let trimmed = text_.trim();
    match trimmed {
        "true" | "True" | "TRUE" => Value::Flag(true),
        "false" | "False" | "FALSE" => Value::Flag(false),
        _ if is_no_number(trimmed) => Value::Missing,
        _ => number(trimmed).unwrap_or_else(|| text(trimmed)),
    }
}

/// Whether a text says on or off, in the words that devices use.
pub(super) fn flag(text: &str) -> Option<bool> {
    match text.trim() {
        "ON" | "on" | "On" | "true" | "True" | "TRUE" | "1" => Some(true),
        "OFF" | "off" | "Off" | "false" | "False" | "FALSE" | "0" => Some(false),
        _ => None,
    }
}

/// Whether a text says that something is there or not, in the words that devices use.
pub(super) fn presence(text: &str) -> Option<bool> {
    const HERE: &[&str] = &["online", "connected", "available", "alive", "ready", "up", "running", "active"];
    const AWAY: &[&str] = &[
        "offline",
        "disconnected",
        "unavailable",
        "dead",
        "lost",
        "down",
        "stopped",
        "connection lost",
        "not connected",
    ];
    let text = text.trim().trim_matches('"');
    if text.len() > 20 {
        return None;
    }
    if HERE.iter().any(|word| text.eq_ignore_ascii_case(word)) {
        return Some(true);
    }
    AWAY.iter().any(|word| text.eq_ignore_ascii_case(word)).then_some(false)
}

/// A single-precision number that was written with all digits of double precision, as it was meant: 28.7 for 28.700000762939453.
pub(super) fn tidy(number: f64) -> f64 {
    if (number * 10_000.0).fract() == 0.0 || !number.is_finite() {
        return number;
    }
    let single = number as f32;
    // Within the rounding of a writer that gives 13 digits or more.
    match (f64::from(single) - number).abs() <= number.abs() * 1e-12 {
        true => single.to_string().parse().unwrap_or(number),
        false => number,
    }
}

/// A value whose number is [`tidy`].
pub(super) fn tidied(value: Value) -> Value {
    match value {
        Value::Number(number) => Value::Number(tidy(number)),
        other => other,
    }
}

/// A number of single precision.
pub(super) fn single(number: f32) -> Value {
    number.to_string().parse().map_or(Value::Missing, Value::number)
}

const UNITS: &[&str] = &[
    "°C", "°F", "%", "V", "mV", "A", "mA", "W", "kW", "VA", "var", "Wh", "kWh", "Hz", "hPa", "kPa", "Pa",
    "bar", "mbar", "lx", "dBm", "dB", "m", "cm", "mm", "km", "km/h", "m/s", "s", "ms", "min", "h", "ppm",
    "ppb", "µg/m³", "L", "l", "m³", "m3", "K", "rpm", "kg", "g", "l/min", "l/h",
];

/// A number followed by its unit, as in `21.5 °C`.
pub(super) fn with_unit(text: &str) -> Option<(Value, &'static str)> {
    if text.len() > 48 {
        return None;
    }
    let text = text.trim();
    let end = text.find(|c: char| !(c.is_ascii_digit() || matches!(c, '-' | '.')))?;
    let (digits, unit) = (text.get(..end)?, text.get(end..)?.trim());
    let unit = UNITS.iter().find(|known| **known == unit)?;
    Some((number(digits)?, unit))
}

/// The unit that a name ends with, as in `temperature_C`, where it leaves no doubt that it is one: `phase_A` has none.
pub(super) fn unit_of_name(name: &str) -> Option<&'static str> {
    let (of, unit) = named_unit(name)?;
    let of = of.to_ascii_lowercase();
    let is_of = |words: &[&str]| words.iter().any(|word| of.contains(word));
    let is_sure = match unit {
        "°C" | "°F" => is_of(&["temp", "dew", "heat", "chill", "feels", "indoor", "outdoor"]),
        "A" => is_of(&["curr", "amp"]),
        "V" => is_of(&["volt", "bat", "cap", "supply"]),
        "W" => is_of(&["pow", "watt", "load"]),
        "in" => is_of(&["rain", "snow", "precip", "depth"]),
        _ => true,
    };
    is_sure.then_some(unit)
}

/// What names of fields end with, and the unit that it means.
const ENDS: &[(&str, &str)] = &[
    ("_C", "°C"),
    ("_F", "°F"),
    ("_hPa", "hPa"),
    ("_kPa", "kPa"),
    ("_PSI", "psi"),
    ("_km_h", "km/h"),
    ("_m_s", "m/s"),
    ("_mi_h", "mph"),
    ("_mph", "mph"),
    ("_mm", "mm"),
    ("_cm", "cm"),
    ("_in", "in"),
    ("_inHg", "inHg"),
    ("_dB", "dB"),
    ("_dBm", "dBm"),
    ("_kWh", "kWh"),
    ("_kwh", "kWh"),
    ("_Wh", "Wh"),
    ("_wh", "Wh"),
    ("_W", "W"),
    ("_kW", "kW"),
    ("_V", "V"),
    ("_mV", "mV"),
    ("_mv", "mV"),
    ("_A", "A"),
    ("_mA", "mA"),
    ("_VA", "VA"),
    ("_Hz", "Hz"),
    ("_kHz", "kHz"),
    ("_MHz", "MHz"),
    ("_deg", "°"),
    ("_lux", "lx"),
    ("_lx", "lx"),
    ("_ppm", "ppm"),
    ("_ppb", "ppb"),
    ("_pct", "%"),
    ("_percent", "%"),
    ("_celsius", "°C"),
    ("_ug_m3", "µg/m³"),
    ("_m3", "m³"),
    ("_kg", "kg"),
    ("_mm_h", "mm/h"),
    ("_in_h", "in/h"),
    ("_watts", "W"),
    ("_volts", "V"),
    ("_amps", "A"),
    ("_seconds", "s"),
    ("_km", "km"),
    ("_kph", "km/h"),
    ("_kmh", "km/h"),
    ("_knots", "kn"),
    ("_mbar", "mbar"),
    ("_bar", "bar"),
    ("_dbm", "dBm"),
    ("_kw", "kW"),
    ("_rpm", "rpm"),
    ("_c", "°C"),
    ("_m3h", "m³/h"),
    ("_m3_h", "m³/h"),
    ("_v", "V"),
    ("_w", "W"),
];

/// What stands before the unit that a field's name ends with, and the unit.
pub(super) fn named_unit(name: &str) -> Option<(&str, &'static str)> {
    let longest = ENDS.iter().filter(|(end, _)| name.ends_with(end)).max_by_key(|(end, _)| end.len());
    longest.map(|(end, unit)| (&name[..name.len() - end.len()], *unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn single_precision_is_shown_as_it_was_meant() {
        for (long, short) in [
            (28.700000762939453, 28.7),
            (26.68000030517578, 26.68),
            (0.300000012, 0.300000012),
            (1234.56, 1234.56),
        ] {
            assert_eq!(tidy(long), short);
        }
        for exact in [0.1, 52.370_216_123_456, 1.0 / 3.0, 1e300, -0.5, 1_666_666.123_456_7] {
            assert_eq!(tidy(exact), exact);
        }
    }

    #[test]
    fn a_text_is_a_number_only_where_it_is_written_as_one() {
        for text in ["007", "020000000001", "+5", "2,32", "---", "1.2.3", "0x10", "", "12 h", "1_000"] {
            assert_eq!(number(text), None, "{text}");
        }
        assert_eq!(number(" 0.25 "), Some(Value::Number(0.25)));
        assert_eq!(number("-0.36"), Some(Value::Number(-0.36)));
        assert_eq!(
            value("1724442618569203714").as_number().map(|n| n.to_string()).as_deref(),
            Some("1724442618569203714")
        );
        assert_eq!(value("nan"), Value::Missing);
        assert_eq!(with_unit("21.5 °C"), Some((Value::Number(21.5), "°C")));
        assert_eq!(with_unit("21.5 apples"), None);
    }

    #[test]
    fn long_names_stay_different() {
        let (a, b) = ("x".repeat(80) + "a", "x".repeat(80) + "b");
        assert_ne!(short(&a), short(&b));
        assert_eq!(short("a\u{0}b").unwrap().as_str(), "a b");
        assert_eq!(short(" \u{1} "), None);
    }
}
