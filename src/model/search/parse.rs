//! Parses the search field: words, `"phrases"`, `from:`, `in:`, `is:`, `before:` and `after:`.

use chrono::NaiveDate;

use super::fold::{Term, folded_name};
use super::{Query, day};
use crate::model::time::WallMs;

/// A filter.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Filter {
    /// By author.
    From,
    /// By room.
    In,
    /// Before a date.
    Before,
    /// On a date or later.
    After,
    /// With a file.
    Has,
    /// By what it is.
    Is,
}

/// Names of the filters: those valid in every language, and the Korean ones.
const NAMES: [(&str, Filter); 11] = [
    ("is:", Filter::Is),
    ("from:", Filter::From),
    ("in:", Filter::In),
    ("before:", Filter::Before),
    ("after:", Filter::After),
    ("has:", Filter::Has),
    ("보낸이:", Filter::From),
    ("방:", Filter::In),
    ("이전:", Filter::Before),
    ("이후:", Filter::After),
    ("포함:", Filter::Has),
];

/// What may follow `in:` for messages of threads, and `is:` for pinned ones, in any language.
const THREAD: [&str; 2] = ["thread", "스레드"];
const PINNED: [&str; 2] = ["pinned", "고정"];

impl Filter {
    /// The name valid in every language, with its colon.
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(_, filter)| *filter == self).map_or("", |(name, _)| name)
    }
}

/// What a message can have, in every language.
const FILE: [&str; 2] = ["file", "파일"];

/// Why a filter cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It has no value yet, or one that it does not know.
    Empty(Filter),
    /// Its value is not a date.
    NoDay(Filter, String),
    /// The dates exclude every message.
    NoTime,
}

/// A parsed query.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parsed {
    /// Terms that must all occur in the message.
    pub terms: Vec<Term>,
    /// Folded names of authors.
    pub from: Vec<String>,
    /// Folded names of rooms.
    pub rooms: Vec<String>,
    /// Whether only pinned messages are meant.
    pub pinned: bool,
    /// Whether only messages of threads are meant.
    pub in_thread: bool,
    /// First date, inclusive.
    pub after: Option<NaiveDate>,
    /// Last date, exclusive.
    pub before: Option<NaiveDate>,
    /// Whether only messages with a file are wanted.
    pub has_file: bool,
    /// Filters that cannot be used, in order of their appearance.
    pub faults: Vec<Fault>,
}

impl Parsed {
    /// Converts it to a query. `begins` returns the start of a day in local time.
    pub fn query(self, begins: impl Fn(NaiveDate) -> Option<WallMs>) -> Query {
        Query {
            terms: self.terms,
            from: self.from,
            rooms: self.rooms,
            pinned: self.pinned,
            in_thread: self.in_thread,
            after: self.after.and_then(&begins),
            before: self.before.and_then(&begins),
            has_file: self.has_file,
        }
    }
}

/// Parses a text. `composing`: the last syllable is still being composed.
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
            // A room of this name is meant by a # before it.
            Filter::In if THREAD.contains(&value.to_lowercase().as_str()) => self.in_thread = true,
            Filter::In => self.rooms.push(name),
            Filter::Is if PINNED.contains(&value.to_lowercase().as_str()) => self.pinned = true,
            Filter::Is => self.faults.push(Fault::Empty(filter)),
            Filter::Has if FILE.contains(&name.as_str()) => self.has_file = true,
            Filter::Has => self.faults.push(Fault::Empty(filter)),
            Filter::Before | Filter::After if day.is_none() => {
                self.faults.push(Fault::NoDay(filter, value.to_owned()));
            }
            // If there are several, the narrowest wins.
            Filter::Before => self.before = self.before.into_iter().chain(day).min(),
            Filter::After => self.after = self.after.into_iter().chain(day).max(),
        }
    }
}

struct Part<'a> {
    filter: Option<Filter>,
    value: &'a str,
}

/// The next word, phrase or filter.
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
    // Accepts typographic quotation marks as typed by input methods. A missing closing mark may still be
    // typed.
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
        assert!(parsed("pump has:file").has_file && parsed("포함:파일").has_file);
        assert_eq!(parsed("has:wings").faults, [Fault::Empty(Filter::Has)]);
        let twice = parsed("after:2026-11-01 after:2026-11-09");
        assert_eq!(twice.after, NaiveDate::from_ymd_opt(2026, 11, 9));
    }

    #[test]
    fn unusable_filters_are_reported() {
        assert_eq!(parsed("before:foo").faults, [Fault::NoDay(Filter::Before, "foo".into())]);
        assert_eq!(parsed("from: x").faults, [Fault::Empty(Filter::From)]);
        assert_eq!(parsed("from: x").terms.len(), 1);
        assert_eq!(parsed("in:#").faults, [Fault::Empty(Filter::In)]);
        assert_eq!(parsed("after:today before:yesterday").faults, [Fault::NoTime]);
    }

    #[test]
    fn pinned_messages_and_those_of_threads_are_meant_by_words_of_their_own() {
        let all = parsed("is:pinned in:thread valve");
        assert!(all.pinned && all.in_thread && all.rooms.is_empty() && all.faults.is_empty());
        let all = parsed("is:고정 in:스레드");
        assert!(all.pinned && all.in_thread);
        assert_eq!(parsed("in:#thread").rooms, ["thread"]);
        assert!(!parsed("in:threads").in_thread);
        assert_eq!(parsed("is:").faults, [Fault::Empty(Filter::Is)]);
        assert_eq!(parsed("is:blue").faults, [Fault::Empty(Filter::Is)]);
    }

    #[test]
    fn only_the_last_syllable_can_be_unfinished() {
        let composing = parse("온시 온시", today(), true);
        assert_eq!(composing.terms[0], Term::new("온시", false).unwrap());
        assert_eq!(composing.terms[1], Term::new("온시", true).unwrap());
    }
}
