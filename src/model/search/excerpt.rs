//! The part of a message that a hit shows: one line around its first match.

use super::fold::{Folded, Term};

/// Maximum length of an excerpt, in characters.
const MAX_CHARS: usize = 160;
/// Number of characters shown before the first match.
const CONTEXT_CHARS: usize = 32;
/// Maximum number of marked matches.
const MAX_MARKS: usize = 50;

/// A piece of an excerpt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// The text, with line breaks replaced by spaces. Foreign: must be sanitized.
    pub text: String,
    /// Whether it is a match.
    pub marked: bool,
}

/// The part of a text around the first match of any term, with all matches marked.
pub fn excerpt(text: &str, folded: &Folded, terms: &[Term]) -> Vec<Piece> {
    let mut marks: Vec<std::ops::Range<usize>> = Vec::new();
    for term in terms {
        let mut from = 0;
        while let Some(found) = term.find(folded, from).filter(|_| marks.len() < MAX_MARKS) {
            from = found.end.max(from + 1);
            marks.push(folded.bytes(found));
        }
    }
    marks.sort_by_key(|mark| (mark.start, mark.end));
    let start = beginning(text, marks.first().map_or(0, |mark| mark.start));
    let end = text[start..].char_indices().nth(MAX_CHARS).map_or(text.len(), |(at, _)| start + at);
    let mut pieces = Vec::new();
    let mut put = |text: &str, marked| {
        if !text.is_empty() {
            let text = text.split_inclusive(char::is_whitespace).fold(String::new(), |mut line, part| {
                let word = part.trim_end();
                line.push_str(word);
                if word.len() < part.len() && !line.ends_with(' ') {
                    line.push(' ');
                }
                line
            });
            pieces.push(Piece { text, marked });
        }
    };
    if start > 0 {
        put("…", false);
    }
    let mut at = start;
    for mark in marks {
        let mark = mark.start.max(at)..mark.end.min(end);
        if mark.start < mark.end {
            put(&text[at..mark.start], false);
            put(&text[mark.clone()], true);
            at = mark.end;
        }
    }
    put(&text[at.min(end)..end], false);
    if end < text.trim_end().len() {
        put("…", false);
    }
    pieces
}

/// Where an excerpt with its first match at `mark` begins: at the start of the text if near, otherwise at the
/// start of a word.
fn beginning(text: &str, mark: usize) -> usize {
    let Some((earliest, _)) = text[..mark].char_indices().rev().nth(CONTEXT_CHARS) else { return 0 };
    let word = text[earliest..mark].find(char::is_whitespace).map(|at| earliest + at);
    let word = word.map(|at| at + text[at..mark].len() - text[at..mark].trim_start().len());
    word.filter(|word| *word < mark).unwrap_or(earliest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, terms: &[&str]) -> String {
        let terms: Vec<Term> = terms.iter().map(|term| Term::new(term, false).unwrap()).collect();
        let pieces = excerpt(text, &Folded::of(text), &terms);
        pieces.iter().map(|p| if p.marked { format!("[{}]", p.text) } else { p.text.clone() }).collect()
    }

    #[test]
    fn matches_are_marked_on_one_line() {
        assert_eq!(shown("온실에서 펌프가 돈다", &["온실", "펌프"]), "[온실]에서 [펌프]가 돈다");
        assert_eq!(shown("Pump one,\npump\n\ttwo", &["pump"]), "[Pump] one, [pump] two");
        assert_eq!(shown("abcd", &["abc", "bcd"]), "[abc][d]");
        assert_eq!(shown("no words", &[]), "no words");
    }

    #[test]
    fn a_long_message_shows_the_part_that_matters() {
        let long = format!("{}valve open {}", "before ".repeat(100), "after ".repeat(100));
        let shown = shown(&long, &["valve"]);
        assert!(shown.starts_with("…before before before before [valve] open after"), "{shown}");
        assert!(shown.ends_with('…') && shown.chars().count() < 180, "{shown}");
        let wall = format!("{}온실{}", "가".repeat(500), "나".repeat(500));
        assert!(self::shown(&wall, &["온실"]).contains("가[온실]나"));
    }
}
