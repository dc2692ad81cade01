//! Integers that no `f64` represents exactly, and lossless parsing of numbers.

use std::cmp::Ordering;
use std::fmt;

/// All integers up to this absolute value are exact as `f64`.
const EXACT: i64 = 1 << 53;
/// Range of the integers that a [`Value`](super::Value) holds: those of `i64` and `u64`.
pub const WHOLE_RANGE: std::ops::RangeInclusive<i128> = i64::MIN as i128..=u64::MAX as i128;
/// 2⁶⁴, the first `f64` beyond [`WHOLE_RANGE`].
pub const END_OF_WHOLE: f64 = 18_446_744_073_709_551_616.0;

/// An integer within [`WHOLE_RANGE`] that no `f64` represents exactly: the nearest `f64`, and the difference
/// from it. At most 1,024 integers lie between two adjacent `f64`s below 2⁶⁴.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Whole {
    nearest: f64,
    off: i16,
}

impl Whole {
    /// The integer.
    pub fn get(self) -> i128 {
        // Every f64 beyond 2⁵³ is an integer.
        self.nearest as i128 + i128::from(self.off)
    }

    /// The nearest `f64`, for charts.
    pub fn nearest(self) -> f64 {
        self.nearest
    }

    /// The integer minus [`Whole::nearest`]; never 0.
    pub fn off(self) -> i16 {
        self.off
    }

    /// Reverses [`split`]. `None` if `off` is 0 or the result is not such an integer.
    pub fn join(nearest: f64, off: i16) -> Option<Whole> {
        let is_whole = nearest.is_finite() && nearest.fract() == 0.0 && nearest.abs() <= END_OF_WHOLE;
        let whole = Whole { nearest, off };
        (off != 0 && is_whole && split(whole.get()) == Some((nearest, off))).then_some(whole)
    }
}

impl fmt::Display for Whole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}

/// The `f64` nearest to an integer, and the difference from it, which is 0 if the `f64` is exact. `None`
/// beyond [`WHOLE_RANGE`].
pub fn split(number: i128) -> Option<(f64, i16)> {
    if !WHOLE_RANGE.contains(&number) {
        return None;
    }
    let nearest = number as f64;
    i16::try_from(number - nearest as i128).ok().map(|off| (nearest, off))
}

/// Whether an integer is certainly exact as `f64`.
pub(super) fn is_small(number: i64) -> bool {
    (-EXACT..=EXACT).contains(&number)
}

/// A number as exact as a [`Value`](super::Value) holds it: an `f64`, or a [`Whole`].
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Number {
    nearest: f64,
    off: i16,
}

impl Number {
    /// An `f64` plus a difference, as returned by [`split`].
    pub fn new(nearest: f64, off: i16) -> Number {
        Number { nearest, off }
    }

    /// The nearest `f64`.
    pub fn nearest(self) -> f64 {
        self.nearest
    }

    /// The difference from the nearest `f64`.
    pub fn off(self) -> i16 {
        self.off
    }

    /// Compares exactly, not by the nearest `f64`s.
    pub fn compare(self, other: Number) -> Ordering {
        let by_nearest = self.nearest.partial_cmp(&other.nearest).unwrap_or(Ordering::Equal);
        by_nearest.then(self.off.cmp(&other.off))
    }
}

impl From<f64> for Number {
    fn from(number: f64) -> Number {
        Number::new(number, 0)
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = self.nearest.abs();
        match Whole::join(self.nearest, self.off) {
            Some(whole) => whole.fmt(f),
            // Hundreds of digits are unreadable.
            None if size >= END_OF_WHOLE || (size > 0.0 && size < 1e-6) => write!(f, "{:e}", self.nearest),
            // The shortest representation that parses to the same f64, padded with zeros, would show wrong
            // digits.
            None if size >= EXACT as f64 && self.nearest.fract() == 0.0 => (self.nearest as i128).fmt(f),
            None => self.nearest.fmt(f),
        }
    }
}

/// Why a text cannot be held as a number.
#[derive(Copy, Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotHeld {
    /// It is not a number.
    #[error("not a number")]
    NoNumber,
    /// An integer beyond [`WHOLE_RANGE`], or a number beyond the range of `f64`.
    #[error(
        "out of range: integers range from {} to {}, numbers with a decimal point or exponent up to about ±1.8e308",
        WHOLE_RANGE.start(),
        WHOLE_RANGE.end()
    )]
    OutOfRange,
}

/// Parses a number. Digits alone are an exact integer; with a point or exponent it is the nearest `f64`.
///
/// # Errors
/// If it is not a number, or out of range.
pub fn parse(text: &str) -> Result<Number, NotHeld> {
    let text = text.trim();
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if !digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        // Rust parses "inf" and "NaN" as numbers.
        return Err(NotHeld::NoNumber);
    }
    if digits.bytes().all(|byte| byte.is_ascii_digit()) {
        let trimmed = digits.trim_start_matches('0');
        if trimmed.is_empty() {
            return Ok(Number::new(if text.starts_with('-') { -0.0 } else { 0.0 }, 0));
        }
        let size: i128 = if trimmed.len() > 20 { i128::MAX } else { trimmed.parse().unwrap_or(i128::MAX) };
        let (nearest, off) =
            split(if text.starts_with('-') { -size } else { size }).ok_or(NotHeld::OutOfRange)?;
        return Ok(Number::new(nearest, off));
    }
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(Number::from(number)),
        Ok(_) => Err(NotHeld::OutOfRange),
        Err(_) => Err(NotHeld::NoNumber),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_large_f64_is_written_with_its_exact_digits() {
        for number in [i128::from(i64::MIN), 1 << 63, (1 << 60) + 256, 9_007_199_254_740_994] {
            assert_eq!(Number::from(number as f64).to_string(), number.to_string());
            assert_eq!(parse(&number.to_string()).unwrap().to_string(), number.to_string());
        }
        assert_eq!(Number::from(1e300).to_string(), "1e300");
        assert_eq!(Number::from(-2.5e-9).to_string(), "-2.5e-9");
    }

    fn whole() -> impl Strategy<Value = i128> {
        let near = |centre: i128| (-3_000..=3_000i128).prop_map(move |by| centre + by);
        prop_oneof![
            any::<u64>().prop_map(i128::from),
            any::<i64>().prop_map(i128::from),
            near(1 << 53),
            near(-(1 << 53)),
            near(1 << 63),
            near(i128::from(i64::MIN)),
            near(1 << 64),
        ]
        .prop_filter("within the range", |number| WHOLE_RANGE.contains(number))
    }

    proptest! {
        #[test]
        fn every_integer_survives_a_round_trip(number in whole()) {
            let (nearest, off) = split(number).unwrap();
            match Whole::join(nearest, off) {
                Some(whole) => prop_assert_eq!(whole.get(), number),
                None => prop_assert_eq!(nearest as i128, number),
            }
            let read = parse(&number.to_string()).unwrap();
            prop_assert_eq!((read.nearest(), read.off()), (nearest, off));
            prop_assert_eq!(read.to_string(), number.to_string());
        }

        #[test]
        fn comparison_is_exact(one in whole(), other in whole()) {
            let of = |number| split(number).map(|(nearest, off)| Number::new(nearest, off)).unwrap();
            prop_assert_eq!(of(one).compare(of(other)), one.cmp(&other));
        }
    }

    #[test]
    fn numbers_out_of_range_are_rejected() {
        for text in ["18446744073709551616", "-9223372036854775809", "1e400", "-1e309", &"9".repeat(400)] {
            assert_eq!(parse(text).err(), Some(NotHeld::OutOfRange), "{text}");
        }
        for text in ["", "-", "+", "inf", "NaN", "-inf", "12a", "0x10", "1_000", "--1"] {
            assert_eq!(parse(text).err(), Some(NotHeld::NoNumber), "{text}");
        }
        for (text, is) in
            [("-0", "-0"), ("007", "7"), ("+5", "5"), ("1e15", "1000000000000000"), (".5", "0.5")]
        {
            assert_eq!(parse(text).unwrap().to_string(), is, "{text}");
        }
    }

    #[test]
    fn a_value_takes_little_space() {
        assert!(size_of::<crate::model::Value>() <= 24);
    }

    #[test]
    fn invalid_parts_do_not_join() {
        assert_eq!(Whole::join(1.0, 1), None, "2 is an f64");
        assert_eq!(Whole::join(f64::NAN, 1), None);
        assert_eq!(Whole::join(1e300, 1), None);
        assert_eq!(Whole::join(END_OF_WHOLE, 1), None, "beyond u64");
        assert_eq!(Whole::join(END_OF_WHOLE, -1).map(Whole::get), Some(i128::from(u64::MAX)));
    }
}
