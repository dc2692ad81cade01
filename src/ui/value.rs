//! Formatting of values, ages and device status, shared by the device list and the device's page.

use egui::{Painter, Pos2, Response, Sense, Stroke, Ui, Vec2, vec2};

use super::text::Words;
use super::text::devices::Span;
use super::theme::Theme;
use super::{Cx, harmless};
use crate::model::Whole;
use crate::model::device::{Metric, Status, Value};
use crate::model::number::END_OF_WHOLE;
use crate::model::time::WallMs;

/// Maximum length of a text value, in characters.
const MAX_TEXT_CHARS: usize = 120;
/// Maximum length of a unit, in characters.
const MAX_UNIT_CHARS: usize = 16;
/// Number of significant digits if the metric does not specify its precision.
pub(super) const DIGITS: i32 = 6;

/// A value with its unit: `21.5 °C`, `1,013 hPa`, `1.24 MB/s`, `on`; a dash if missing.
pub(super) fn reading(words: &Words, metric: &Metric, value: &Value) -> String {
    match value {
        Value::Missing => words.devices.missing.to_owned(),
        Value::Number(value) => number(words, metric, *value),
        Value::Whole(value) => whole(words, metric, *value),
        Value::Flag(true) => words.devices.on.to_owned(),
        Value::Flag(false) => words.devices.off.to_owned(),
        Value::Text(text) => harmless::line(text, MAX_TEXT_CHARS),
    }
}

/// An integer that no `f64` represents exactly, with all digits; bytes and long durations excepted.
fn whole(words: &Words, metric: &Metric, value: Whole) -> String {
    match metric.unit.as_str() {
        "B" | "B/s" | "s" => number(words, metric, value.nearest()),
        "" => grouped(words, &value.to_string()),
        unit => format!("{} {}", grouped(words, &value.to_string()), harmless::line(unit, MAX_UNIT_CHARS)),
    }
}

/// A number of a metric with its unit. Bytes get a unit prefix; long durations are in days and hours.
pub(super) fn number(words: &Words, metric: &Metric, value: f64) -> String {
    if !value.is_finite() {
        return words.devices.missing.to_owned();
    }
    match metric.unit.as_str() {
        "" => plain(words, metric.precision, value),
        "B" | "B/s" => bytes(words, &metric.unit, value),
        "s" if value >= 3_600.0 => (words.devices.duration)(value as u64),
        unit => {
            format!("{} {}", plain(words, metric.precision, value), harmless::line(unit, MAX_UNIT_CHARS))
        }
    }
}

/// Bytes with a decimal prefix, three significant digits.
pub(super) fn bytes(words: &Words, unit: &str, value: f64) -> String {
    let mut scaled = value;
    let mut prefix = "";
    for next in ["k", "M", "G", "T", "P"] {
        // A value that would be rounded to 1000 takes the next prefix.
        if scaled.abs() < 999.5 {
            break;
        }
        scaled /= 1_000.0;
        prefix = next;
    }
    let digits = match scaled.abs() {
        _ if prefix.is_empty() => 0,
        size if size < 9.995 => 2,
        size if size < 99.95 => 1,
        _ => 0,
    };
    format!("{} {prefix}{unit}", plain(words, Some(digits), scaled))
}

/// A number without unit.
pub(super) fn plain(words: &Words, precision: Option<u8>, value: f64) -> String {
    let size = value.abs();
    if size >= END_OF_WHOLE || (size > 0.0 && size < 1e-6) {
        return scientific(words, value);
    }
    let whole_digits = if size < 1.0 { 0 } else { size.log10() as i32 + 1 };
    let text = match precision {
        Some(digits) => format!("{value:.0$}", usize::from(digits.min(9))),
        // As many decimals as the value has, ignoring binary rounding errors.
        None => {
            let text = format!("{value:.0$}", (DIGITS - whole_digits).clamp(0, DIGITS) as usize);
            match text.contains('.') {
                true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
                false => text,
            }
        }
    };
    grouped(words, &text)
}

/// Scientific notation with six digits, for numbers that are too large or too small to read otherwise.
pub(super) fn scientific(words: &Words, value: f64) -> String {
    let text = format!("{value:.*e}", DIGITS as usize - 1);
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let digits = digits.trim_end_matches('0').trim_end_matches('.');
    format!("{}e{exponent}", digits.replace('.', words.devices.point.encode_utf8(&mut [0; 4])))
}

/// Groups the digits and applies the language's signs; zero never has a minus.
fn grouped(words: &Words, text: &str) -> String {
    let is_nothing = !text.bytes().any(|byte| (b'1'..=b'9').contains(&byte));
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) if is_nothing => ("", digits),
        Some(digits) => ("-", digits),
        None => ("", text),
    };
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(w, f)| (w, Some(f)));
    let mut out = String::with_capacity(text.len() + 4);
    out.push_str(sign);
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            out.push(words.devices.thousands);
        }
        out.push(digit);
    }
    if let Some(fraction) = fraction {
        out.push(words.devices.point);
        out.push_str(fraction);
    }
    out
}

/// A time: the time of day, preceded by the date unless it is today.
pub(super) fn moment(cx: &Cx, at: WallMs) -> String {
    let is_today = (cx.words.day)(at) == (cx.words.day)(cx.now.wall_ms);
    if is_today { (cx.words.clock)(at) } else { (cx.words.day_and_clock)(at) }
}

/// An age in milliseconds as text: "3 s ago", "2 min ago"; "now" for a time in the future.
pub(super) fn age(words: &Words, ms: i64) -> String {
    (words.devices.ago)(span(ms))
}

/// A duration in the largest unit that fits.
pub(super) fn span(ms: i64) -> Span {
    let seconds = ms.max(0) as u64 / 1_000;
    match seconds {
        0 => Span::Moment,
        1..60 => Span::Seconds(seconds),
        60..3_600 => Span::Minutes(seconds / 60),
        3_600..172_800 => Span::Hours(seconds / 3_600),
        _ => Span::Days(seconds / 86_400),
    }
}

/// Milliseconds until [`age`] changes for something that is `ms` old now.
pub(super) fn age_changes_in(ms: i64) -> u64 {
    let step = match span(ms) {
        Span::Moment | Span::Seconds(_) => 1_000,
        Span::Minutes(_) => 60_000,
        Span::Hours(_) => 3_600_000,
        Span::Days(_) => 86_400_000,
    };
    // A time in the future stays "now" until a second after it.
    (step - ms.max(0) % step + (-ms).max(0)) as u64
}

/// The status mark, inline in a row of text.
pub(super) fn status_mark(ui: &mut Ui, theme: &Theme, status: Status) -> Response {
    let (rect, response) = ui.allocate_exact_size(Vec2::splat(14.0), Sense::hover());
    paint_status(ui.painter(), rect.center(), theme, status);
    response
}

/// The status mark. Each status has its own shape, so that it does not depend on colour: online is a disc,
/// asleep a ring, silent a ring with a bar, offline a cross, unknown a dotted ring.
pub(super) fn paint_status(painter: &Painter, centre: Pos2, theme: &Theme, status: Status) {
    let r = 4.5;
    match status {
        Status::Online => {
            painter.circle_filled(centre, r, theme.good);
        }
        Status::Asleep => {
            painter.circle_stroke(centre, r, Stroke::new(1.75, theme.good));
        }
        Status::Silent => {
            painter.circle_stroke(centre, r, Stroke::new(1.75, theme.warn));
            let half = vec2(2.25, 0.0);
            painter.line_segment([centre - half, centre + half], Stroke::new(1.75, theme.warn));
        }
        Status::Offline => {
            let stroke = Stroke::new(2.0, theme.bad);
            for arm in [vec2(3.5, 3.5), vec2(3.5, -3.5)] {
                painter.line_segment([centre - arm, centre + arm], stroke);
            }
        }
        Status::Unknown => {
            for step in 0..8 {
                let at = Vec2::angled(step as f32 * std::f32::consts::TAU / 8.0) * r;
                painter.circle_filled(centre + at, 1.0, theme.weak);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::device::{MetricType, ShortName};
    use crate::ui::text::ENGLISH;

    fn metric(unit: &str, precision: Option<u8>) -> Metric {
        let name = ShortName::new("x").unwrap();
        Metric { unit: unit.into(), precision, ..Metric::new(name, MetricType::Number) }
    }

    fn said(unit: &str, precision: Option<u8>, value: f64) -> String {
        reading(&ENGLISH, &metric(unit, precision), &Value::number(value))
    }

    #[test]
    fn numbers_have_a_unit_and_the_metrics_precision() {
        assert_eq!(said("°C", Some(1), 21.46), "21.5 °C");
        assert_eq!(said("°C", Some(1), 21.0), "21.0 °C");
        assert_eq!(said("%", None, 45.0), "45 %");
        assert_eq!(said("", None, 0.1 + 0.2), "0.3");
        assert_eq!(said("", None, 3.0), "3");
        assert_eq!(said("", None, 0.00123), "0.00123");
        assert_eq!(said("°C", Some(1), -0.01), "0.0 °C");
        assert_eq!(said("°C", Some(1), -3.26), "-3.3 °C");
        assert_eq!(said("V", Some(200), 1.0), "1.000000000 V");
    }

    #[test]
    fn large_and_small_numbers_are_readable() {
        assert_eq!(said("hPa", None, 1_013.25), "1,013.25 hPa");
        assert_eq!(said("", None, 1_234_567.0), "1,234,567");
        assert_eq!(said("", None, -123_456.0), "-123,456");
        assert_eq!(said("", None, 100.0), "100");
        assert_eq!(said("Ω", None, 2.5e18), "2,500,000,000,000,000,000 Ω");
        assert_eq!(said("F", None, 4.7e-9), "4.7e-9 F");
        assert_eq!(said("", None, f64::MAX), "1.79769e308");
    }

    #[test]
    fn integers_are_shown_with_all_digits() {
        let of = |whole: i128| reading(&ENGLISH, &metric("", None), &Value::whole(whole).unwrap());
        assert_eq!(of(1_724_442_618_569_203_714), "1,724,442,618,569,203,714");
        assert_eq!(of(i128::from(i64::MIN)), "-9,223,372,036,854,775,808");
        assert_eq!(of(i128::from(i64::MIN) + 1), "-9,223,372,036,854,775,807");
        assert_eq!(of(u64::MAX.into()), "18,446,744,073,709,551,615");
        assert_eq!(of(9_007_199_254_740_991), "9,007,199,254,740,991");
        assert_eq!(said("", None, 1e15), "1,000,000,000,000,000");
        assert_eq!(said("", Some(1), 1e15), "1,000,000,000,000,000.0");
        assert_eq!(said("rpm", None, 1e18), "1,000,000,000,000,000,000 rpm");
        assert_eq!(said("", None, 1e21), "1e21");
    }

    #[test]
    fn bytes_get_a_fitting_prefix() {
        assert_eq!(said("B", None, 512.0), "512 B");
        assert_eq!(said("B", None, 999.6), "1.00 kB");
        assert_eq!(said("B/s", Some(0), 1_240_000.0), "1.24 MB/s");
        assert_eq!(said("B", None, 16_700_000_000.0), "16.7 GB");
        assert_eq!(said("B", None, 999_999.0), "1.00 MB");
        assert_eq!(said("B", None, 9_999.0), "10.0 kB");
        assert_eq!(said("B", None, 5e21), "5,000,000 PB");
    }

    #[test]
    fn other_values_are_formatted_too() {
        assert_eq!(said("°C", Some(1), f64::NAN), "—");
        let of = |value| reading(&ENGLISH, &metric("", None), &value);
        assert_eq!(of(Value::Flag(true)), "on");
        assert_eq!(of(Value::Text("au\u{202E}to\n".into())), "au⟨U+202E⟩to␊");
        assert_eq!(said("s", None, 59.5), "59.5 s");
        assert_eq!(said("s", Some(0), 7_500.0), "2 h 5 min");
        assert_eq!(said("s", Some(0), 360_000.0), "4 d 4 h");
    }

    #[test]
    fn an_age_uses_the_largest_unit_and_knows_when_it_changes() {
        for (ms, text) in [
            (-5_000, "now"),
            (999, "now"),
            (3_000, "3 s ago"),
            (119_999, "1 min ago"),
            (7_200_000, "2 h ago"),
            (172_800_000, "2 days ago"),
        ] {
            assert_eq!(age(&ENGLISH, ms), text);
            let next = ms + age_changes_in(ms) as i64;
            assert_eq!(age(&ENGLISH, next - 1), text, "{ms}");
            assert_ne!(age(&ENGLISH, next), text, "{ms}");
        }
    }
}
