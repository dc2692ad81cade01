//! What is typed into the search field, taken apart: words, `"words together"`, `from:`, `in:`, `before:`, `after:`.

use chrono::NaiveDate;

use super::fold::{Term, folded_name};
use super::{Query, day};
use crate::model::time::WallMs;

/// A filter.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Filter {
    /// By whom.
    From,
    /// In which room.
    In,
    /// Before a day.
    Before,
    /// On a day or after it.
    After,
}

/// All filters, by the names that work in every language, and the Korean ones.
const NAMES: [(&str, Filter); 8] = [
    ("from:", Filter::From),
    ("in:", Filter::In),
    ("before:", Filter::Before),
    ("after:", Filter::After),
    ("보낸이:", Filter::From),
    ("방:", Filter::In),
    ("이전:", Filter::Before),
    ("이후:", Filter::After),
];

impl Filter {
    /// The name that works in every language, with its colon.
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(_, filter)| *filter == self).map_or("", |(name, _)| name)
    }
}

/// Why what is typed cannot be looked for as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A filter says nothing yet.
    Empty(Filter),
    /// That is no day.
    NoDay(Filter, String),
    /// The days leave nothing between them.
    NoTime,
}

/// What was typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parsed {
    /// Each of these is to be in the message.
    pub terms: Vec<Term>,
    /// Names of authors, folded.
    pub from: Vec<String>,
    /// Names of rooms, folded.
    pub rooms: Vec<String>,
    /// From this day on.
    pub after: Option<NaiveDate>,
    /// Before this day.
    pub before: Option<NaiveDate>,
    /// What cannot be used, in the order in which it stands.
    pub faults: Vec<Fault>,
}

impl Parsed {
    /// What to look for. `begins` says when a day begins, by the clock on the wall here.
    pub fn query(self, begins: impl Fn(NaiveDate) -> Option<WallMs>) -> Query {
        Query {
            terms: self.terms,
            from: self.from,
            rooms: self.rooms,
            after: self.after.and_then(&begins),
            before: self.before.and_then(&begins),
        }
    }
}

/// Takes a text apart. `composing`: an input method is still at its last syllable.
pub fn parse(text: &str, today: NaiveDate, composing: bool) -> Parsed {
    let mut parsed = Parsed::default();
    let mut rest = text;
    while let Some(part) = next(&mut rest) {
        let is_last = composing && rest.is_empty();
        match part.filter {
            None => parsed.terms.extend(Term::new(part.value, is_last)),
            Some(filter) => parsed.take(filter, part.value.trim(), today),
        }
    }
    if let (Some(after), Some(before)) = (parsed.after, parsed.before)
        && after >= before
    {
        parsed.faults.push(Fault::NoTime);
    }
    parsed
}

impl Parsed {
    fn take(&mut self, filter: Filter, value: &str, today: NaiveDate) {
        let name = folded_name(if filter == Filter::In { value.trim_start_matches('#') } else { value });
        let day = day::parse(value, today);
        match filter {
            _ if name.is_empty() => self.faults.push(Fault::Empty(filter)),
            Filter::From => self.from.push(name),
            Filter::In => self.rooms.push(name),
            Filter::Before | Filter::After if day.is_none() => {
                self.faults.push(Fault::NoDay(filter, value.to_owned()));
            }
            // Of several the narrowest counts.
            Filter::Before => self.before = self.before.into_iter().chain(day).min(),
            Filter::After => self.after = self.after.into_iter().chain(day).max(),
        }
    }
}

struct Part<'a> {
    filter: Option<Filter>,
    value: &'a str,
}

/// The next word, quotation or filter.
fn next<'a>(rest: &mut &'a str) -> Option<Part<'a>> {
    *rest = rest.trim_start();
    if rest.is_empty() {
        return None;
    }
    let named = NAMES
        .iter()
        .find(|(name, _)| rest.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name)));
    let filter = named.map(|(name, filter)| {
        *rest = &rest[name.len()..];
        *filter
    });
    Some(Part { filter, value: value(rest) })
}

fn value<'a>(rest: &mut &'a str) -> &'a str {
    // Keyboards and input methods have their own marks for a quotation; an end that is missing is still to come.
    let quoted = rest.strip_prefix(['"', '“', '”']);
    let (from, ends): (&str, fn(char) -> bool) = match quoted {
        Some(quoted) => (quoted, |c| matches!(c, '"' | '“' | '”')),
        None => (rest, char::is_whitespace),
    };
    let end = from.find(ends).unwrap_or(from.len());
    let value = &from[..end];
    *rest = from[end..].trim_start_matches(|c| quoted.is_some() && ends(c));
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    fn today() -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 11, 26).unwrap()
    }

    fn parsed(text: &str) -> Parsed {
        parse(text, today(), false)
    }

    fn terms(text: &str) -> Vec<String> {
        parsed(text).terms.iter().map(Term::text).collect()
    }

    #[test]
    fn words_and_quotations() {
        assert_eq!(terms("Pump  온실 "), ["pump", "온실"]);
        assert_eq!(terms("\"valve half open\" now"), ["valve half open", "now"]);
        assert_eq!(terms("“두 단어” 셋"), ["두 단어", "셋"]);
        assert_eq!(terms("\"still being"), ["still being"]);
        assert_eq!(terms("  "), [""; 0]);
        assert_eq!(terms("\"\" a"), ["a"]);
        assert_eq!(terms("http://x at 12:30"), ["http://x", "at", "12:30"]);
    }

    #[test]
    fn filters() {
        let all = parsed("leak from:mina in:#Greenhouse after:2026-11-01 before:yesterday");
        assert_eq!((all.from, all.rooms), (vec!["mina".to_owned()], vec!["greenhouse".to_owned()]));
        assert_eq!(all.after, NaiveDate::from_ymd_opt(2026, 11, 1));
        assert_eq!(all.before, NaiveDate::from_ymd_opt(2026, 11, 25));
        assert_eq!((all.faults, all.terms.len()), (vec![], 1));
        assert_eq!(parsed("FROM:\"Mina Kim\" x").from, ["mina kim"]);
        assert_eq!(parsed("보낸이:미나 방:온실 이후:어제").rooms, ["온실"]);
        assert_eq!(parsed("after:\"3 nov 2026\"").after, NaiveDate::from_ymd_opt(2026, 11, 3));
        assert_eq!(parsed("before:11월3일").before, NaiveDate::from_ymd_opt(2026, 11, 3));
        let twice = parsed("after:2026-11-01 after:2026-11-09");
        assert_eq!(twice.after, NaiveDate::from_ymd_opt(2026, 11, 9));
    }

    #[test]
    fn a_filter_that_says_nothing_useful_is_told() {
        assert_eq!(parsed("before:foo").faults, [Fault::NoDay(Filter::Before, "foo".into())]);
        assert_eq!(parsed("from: x").faults, [Fault::Empty(Filter::From)]);
        assert_eq!(parsed("from: x").terms.len(), 1);
        assert_eq!(parsed("in:#").faults, [Fault::Empty(Filter::In)]);
        assert_eq!(parsed("after:today before:yesterday").faults, [Fault::NoTime]);
    }

    #[test]
    fn only_the_last_syllable_is_composed() {
        let composing = parse("온시 온시", today(), true);
        assert_eq!(composing.terms[0], Term::new("온시", false).unwrap());
        assert_eq!(composing.terms[1], Term::new("온시", true).unwrap());
    }
}
