//! Whole numbers that no `f64` holds, and how a number is read from text without losing a digit.

use std::cmp::Ordering;
use std::fmt;

/// Up to here, on both sides of 0, each whole number is an `f64`.
const EXACT: i64 = 1 << 53;
/// The lowest and the highest whole number that a [`Value`](super::Value) holds: those of `i64` and `u64`.
pub const WHOLE_RANGE: std::ops::RangeInclusive<i128> = i64::MIN as i128..=u64::MAX as i128;
/// 2⁶⁴, the first `f64` beyond [`WHOLE_RANGE`].
pub const END_OF_WHOLE: f64 = 18_446_744_073_709_551_616.0;

/// A whole number within [`WHOLE_RANGE`] that is no `f64`: the `f64` next to it, and how far it is from there.
/// No more than 1,024 lie between two neighbours below 2⁶⁴.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Whole {
    nearest: f64,
    off: i16,
}

impl Whole {
    /// The number itself.
    pub fn get(self) -> i128 {
        // Every f64 beyond 2⁵³ is whole.
        self.nearest as i128 + i128::from(self.off)
    }

    /// The `f64` next to it, for charts.
    pub fn nearest(self) -> f64 {
        self.nearest
    }

    /// The number less [`Whole::nearest`]; never 0.
    pub fn off(self) -> i16 {
        self.off
    }

    /// What [`split`] took apart; none where `off` is 0, or it is no number of this kind.
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

/// The `f64` next to a whole number, and how far it is from there: 0 where an `f64` holds it. None beyond
/// [`WHOLE_RANGE`].
pub fn split(number: i128) -> Option<(f64, i16)> {
    if !WHOLE_RANGE.contains(&number) {
        return None;
    }
    let nearest = number as f64;
    i16::try_from(number - nearest as i128).ok().map(|off| (nearest, off))
}

/// Whether an `f64` is sure to hold this, without a closer look.
pub(super) fn is_small(number: i64) -> bool {
    (-EXACT..=EXACT).contains(&number)
}

/// A number as exact as a [`Value`](super::Value) holds it: an `f64`, or a [`Whole`] beside it.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Number {
    nearest: f64,
    off: i16,
}

impl Number {
    /// An `f64`, plus this much: what [`split`] took apart.
    pub fn new(nearest: f64, off: i16) -> Number {
        Number { nearest, off }
    }

    /// The `f64` next to it.
    pub fn nearest(self) -> f64 {
        self.nearest
    }

    /// How far it is from there.
    pub fn off(self) -> i16 {
        self.off
    }

    /// By what the numbers are, and not by what their nearest `f64`s are.
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
            // A person reads no three hundred digits.
            None if size >= END_OF_WHOLE || (size > 0.0 && size < 1e-6) => write!(f, "{:e}", self.nearest),
            // The shortest digits that read as the same f64, filled up with noughts, are not its own.
            None if size >= EXACT as f64 && self.nearest.fract() == 0.0 => (self.nearest as i128).fmt(f),
            None => self.nearest.fmt(f),
        }
    }
}

/// Why a text is no number that can be held.
#[derive(Copy, Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotHeld {
    /// It is no number.
    #[error("not a number")]
    NoNumber,
    /// A whole number beyond [`WHOLE_RANGE`], or one beyond all `f64`s.
    #[error(
        "out of range: whole numbers go from {} to {}, numbers with a point or an exponent to about ±1.8e308",
        WHOLE_RANGE.start(),
        WHOLE_RANGE.end()
    )]
    OutOfRange,
}

/// Reads a number, as JSON and people write it. Digits alone are a whole number, and exact; with a point or an exponent
/// it is the nearest `f64`.
///
/// # Errors
/// When it is none, or cannot be held.
pub fn parse(text: &str) -> Result<Number, NotHeld> {
    let text = text.trim();
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if !digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        // "inf" and "NaN" are numbers to Rust.
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
    fn a_large_double_is_written_with_its_own_digits() {
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
        fn every_whole_number_comes_back(number in whole()) {
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
        fn order_is_that_of_the_numbers(one in whole(), other in whole()) {
            let of = |number| split(number).map(|(nearest, off)| Number::new(nearest, off)).unwrap();
            prop_assert_eq!(of(one).compare(of(other)), one.cmp(&other));
        }
    }

    #[test]
    fn what_cannot_be_held_is_said_to_be_so() {
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
    fn a_value_takes_no_more_room_than_a_text() {
        assert_eq!(size_of::<crate::model::Value>(), 24);
    }

    #[test]
    fn what_was_not_split_does_not_join() {
        assert_eq!(Whole::join(1.0, 1), None, "2 is an f64");
        assert_eq!(Whole::join(f64::NAN, 1), None);
        assert_eq!(Whole::join(1e300, 1), None);
        assert_eq!(Whole::join(END_OF_WHOLE, 1), None, "beyond u64");
        assert_eq!(Whole::join(END_OF_WHOLE, -1).map(Whole::get), Some(i128::from(u64::MAX)));
    }
}
