//! [`Level`]: one level of a topic, ordered as people order names: `plug 2` before `plug 10`.

use std::cmp::Ordering;
use std::sync::Arc;

/// One level of a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Level(pub Arc<str>);

impl Ord for Level {
    fn cmp(&self, other: &Level) -> Ordering {
        natural(&self.0, &other.0).then_with(|| self.0.cmp(&other.0))
    }
}

impl PartialOrd for Level {
    fn partial_cmp(&self, other: &Level) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Compares two texts with numbers in them by their values, and letters without regard to case.
pub fn natural(one: &str, other: &str) -> Ordering {
    let (mut one, mut other) = (one.as_bytes(), other.as_bytes());
    loop {
        let (Some(a), Some(b)) = (one.first(), other.first()) else {
            return one.len().cmp(&other.len());
        };
        if a.is_ascii_digit() && b.is_ascii_digit() {
            let (own, rest) = number(one);
            let (others, others_rest) = number(other);
            let order = own.len().cmp(&others.len()).then_with(|| own.cmp(others));
            if order != Ordering::Equal {
                return order;
            }
            (one, other) = (rest, others_rest);
        } else {
            let order = a.to_ascii_lowercase().cmp(&b.to_ascii_lowercase());
            if order != Ordering::Equal {
                return order;
            }
            (one, other) = (&one[1..], &other[1..]);
        }
    }
}

/// The digits that a text begins with, without leading zeros, and what follows them.
fn number(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    let zeros = digits.iter().position(|digit| *digit != b'0').unwrap_or(digits.len());
    (&digits[zeros..], rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_ordered_by_value() {
        let mut names = ["plug10", "Plug2", "plug", "plug1x", "plug1", "plug01", "ä", "a"];
        names.sort_by_key(|name| Level((*name).into()));
        assert_eq!(names, ["a", "plug", "plug01", "plug1", "plug1x", "Plug2", "plug10", "ä"]);
    }

    proptest::proptest! {
        #[test]
        fn the_order_is_one(a in "[a-bA-B0-2]{0,6}", b in "[a-bA-B0-2]{0,6}", c in "[a-bA-B0-2]{0,6}") {
            let [a, b, c] = [a, b, c].map(|text| Level(text.into()));
            proptest::prop_assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
            proptest::prop_assert_eq!(a.cmp(&b) == Ordering::Equal, a == b);
            if a <= b && b <= c {
                proptest::prop_assert!(a <= c);
            }
        }
    }
}
