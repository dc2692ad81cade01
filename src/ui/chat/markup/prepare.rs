//! Readies a message's source for the parser: addresses are kept whole, Korean is understood beside emphasis, and no
//! definition of a link hides what was said.

use std::borrow::Cow;
use std::ops::Range;

use pulldown_cmark::{Event, Parser, Tag};

use super::OPTIONS;
use crate::ui::chat::addresses;

/// Definitions of links are looked for so many times.
const ROUNDS: usize = 8;

/// The source as it is given to the parser. `None`: it has more definitions than is good.
pub(super) fn prepare(text: &str) -> Option<Cow<'_, str>> {
    let mut source = friendly(text);
    if let Some(kept) = whole_addresses(&source) {
        source = Cow::Owned(kept);
    }
    // `[name]: address` would vanish: nobody refers to it in a chat, and what was said must be seen.
    for _ in 0..ROUNDS {
        if !source.contains("]:") {
            return Some(source);
        }
        let parser = Parser::new_ext(&source, OPTIONS);
        let mut starts: Vec<usize> =
            parser.reference_definitions().iter().map(|(_, definition)| definition.span.start).collect();
        if starts.is_empty() {
            return Some(source);
        }
        starts.sort_unstable();
        let mut escaped = String::with_capacity(source.len() + starts.len());
        let mut from = 0;
        for start in starts {
            let start = start + source[start..].find('[').unwrap_or(0);
            escaped.push_str(&source[from..start]);
            escaped.push('\\');
            from = start;
        }
        escaped.push_str(&source[from..]);
        source = Cow::Owned(escaped);
    }
    None
}

/// Stands beside emphasis for punctuation, and is taken out again.
pub(super) const HELP: char = '\u{2E4E}';

/// In Korean, Chinese and Japanese a word goes on right behind emphasis: `**"강조"**는`. CommonMark sees an end only
/// where a space or punctuation follows, so some is lent to it.
fn friendly(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || !text.contains(['*', '~']) || text.contains(HELP) {
        return Cow::Borrowed(text);
    }
    let is_word = |c: Option<char>| c.is_some_and(|c| !c.is_ascii() && c.is_alphanumeric());
    let is_punctuation = |c: Option<char>| c.is_some_and(|c| !c.is_alphanumeric() && !c.is_whitespace());
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = text;
    let mut before = None;
    while let Some(at) = rest.find(['*', '~']) {
        let mark = char::from(rest.as_bytes()[at]);
        before = rest[..at].chars().next_back().or(before);
        out.push_str(&rest[..at]);
        let run = rest[at..].len() - rest[at..].trim_start_matches(mark).len();
        let after = rest[at + run..].chars().next();
        if is_word(before) && is_punctuation(after) {
            out.push(HELP);
        }
        out.push_str(&rest[at..at + run]);
        if is_punctuation(before) && is_word(after) {
            out.push(HELP);
        }
        before = Some(mark);
        rest = &rest[at + run..];
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// Puts addresses that hold marks of emphasis into angle brackets, so that they stay whole. `None`: there are none.
fn whole_addresses(source: &str) -> Option<String> {
    let is_at_risk = |range: &Range<usize>| source[range.clone()].contains(['*', '_', '~', '[', ']']);
    let mut found: Vec<Range<usize>> = addresses::find(source).filter(is_at_risk).collect();
    if found.is_empty() {
        return None;
    }
    // Code and links are left alone.
    let mut taken: Vec<Range<usize>> = Vec::new();
    for (event, range) in Parser::new_ext(source, OPTIONS).into_offset_iter() {
        let takes = matches!(
            event,
            Event::Code(_)
                | Event::InlineHtml(_)
                | Event::Html(_)
                | Event::Start(Tag::CodeBlock(_) | Tag::Link { .. } | Tag::Image { .. })
        );
        if takes {
            taken.push(range);
        }
    }
    let mut next = taken.into_iter().peekable();
    found.retain(|range| {
        // Both are in order, and what is taken nests at most.
        while next.next_if(|taken| taken.end <= range.start).is_some() {}
        next.peek().is_none_or(|taken| taken.start >= range.end)
    });
    let mut out = String::with_capacity(source.len() + 2 * found.len());
    let mut from = 0;
    for range in found {
        out.push_str(&source[from..range.start]);
        out.push('<');
        out.push_str(&source[range.clone()]);
        out.push('>');
        from = range.end;
    }
    out.push_str(&source[from..]);
    Some(out)
}
