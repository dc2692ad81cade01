//! Finds addresses in plain text: `http`, `https` and `mailto`, as people write them beside other words.

use std::ops::Range;

use linkify::{LinkFinder, LinkKind};

/// What Korean puts right behind a word. An address ends before it.
const PARTICLES: [&str; 28] = [
    "은",
    "는",
    "이",
    "가",
    "을",
    "를",
    "에",
    "의",
    "로",
    "으로",
    "와",
    "과",
    "도",
    "만",
    "에서",
    "에서는",
    "에는",
    "에도",
    "까지",
    "부터",
    "보다",
    "처럼",
    "라고",
    "이라고",
    "에서도",
    "입니다",
    "이에요",
    "예요",
];

/// What stands before the address of a person.
const MAIL: &str = "mailto:";

/// The addresses in a text, in order.
pub(super) fn find(text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    let has_any = text.contains("://") || text.contains(MAIL);
    let mut finder = LinkFinder::new();
    finder.kinds(&[LinkKind::Url, LinkKind::Email]);
    let place = |link: linkify::Link| match link.kind() {
        LinkKind::Email if text[..link.start()].ends_with(MAIL) => {
            Some(link.start() - MAIL.len()..link.end())
        }
        LinkKind::Url => Some(link.start()..link.end()),
        _ => None,
    };
    // The finder is gone before its links are asked for.
    let found: Vec<_> = if has_any { finder.links(text).filter_map(place).collect() } else { Vec::new() };
    found.into_iter().map(|range| range.start..range.start + without_particle(&text[range]).len())
}

/// The first address that a text seems to name, with or without a scheme.
pub(super) fn claimed(text: &str) -> Option<&str> {
    let mut finder = LinkFinder::new();
    finder.kinds(&[LinkKind::Url]).url_must_have_scheme(false);
    finder.links(text).next().map(|link| link.as_str())
}

fn without_particle(url: &str) -> &str {
    let ascii = url.trim_end_matches(|c: char| ('가'..='힣').contains(&c));
    let ends_in_ascii = ascii.ends_with(|c: char| c.is_ascii());
    if ends_in_ascii && PARTICLES.contains(&&url[ascii.len()..]) { ascii } else { url }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<&str> {
        find(text).map(|range| &text[range]).collect()
    }

    #[test]
    fn addresses_end_where_a_person_sees_them_end() {
        for (text, expected) in [
            ("see https://example.com/a_b_c?x=1&y=2.", "https://example.com/a_b_c?x=1&y=2"),
            ("(http://example.com/a_(b))", "http://example.com/a_(b)"),
            ("https://example.com에서 보세요", "https://example.com"),
            ("https://example.com/는", "https://example.com/"),
            ("https://ko.wikipedia.org/wiki/서울", "https://ko.wikipedia.org/wiki/서울"),
            ("write mailto:mina@example.com, please", "mailto:mina@example.com"),
        ] {
            assert_eq!(found(text), [expected]);
        }
        assert_eq!(found("ftp and example.com and a://"), [""; 0]);
    }
}
