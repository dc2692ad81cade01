//! Detects mentions: `@name`, or `@room` for everybody who is in the room, as a whole word, ignoring case; Korean particles
//! and titles may follow the name.

use std::ops::Range;

use crate::model::search::fold;

/// Korean particles and titles that may follow a name; several may be combined (`님에게`, `한테도`).
const AFTER_A_NAME: &[&str] = &[
    "님",
    "씨",
    "아",
    "야",
    "이",
    "가",
    "은",
    "는",
    "을",
    "를",
    "의",
    "에게",
    "에게서",
    "께",
    "께서",
    "한테",
    "한테서",
    "와",
    "과",
    "랑",
    "이랑",
    "하고",
    "도",
    "만",
    "보다",
    "처럼",
    "까지",
    "부터",
    "마저",
    "조차",
    "로",
    "으로",
    "에",
    "나",
    "이나",
    "라고",
    "이라고",
    "요",
    "이요",
    "네",
    "들",
    "같이",
    "대신",
    "말고",
    "밖에",
];

/// Characters that introduce a mention.
pub const SIGNS: [char; 3] = ['@', '＠', '﹫'];

/// Mentions everybody who is in the room.
pub const EVERYBODY: &str = "room";

/// Maximum number of particles and titles after a name.
const MAX_SUFFIXES: usize = 4;

/// Whether `body` mentions a name, or everybody. Ignores case, accents, width and Unicode encoding.
pub fn mentions(body: &str, name: &str) -> bool {
    if !body.contains(SIGNS) {
        return false;
    }
    let (body, name) = (fold::folded_name(body), fold::folded_name(name.trim()));
    body.match_indices('@').any(|(at, sign)| {
        let is_part_of_a_word = body[..at].chars().next_back().is_some_and(in_a_word);
        let rest = &body[at + sign.len()..];
        let names = |name: &str| !name.is_empty() && rest.strip_prefix(name).is_some_and(ends_the_name);
        !is_part_of_a_word && (names(&name) || names(EVERYBODY))
    })
}

/// Maximum number of mentions located in a text.
const MAX_PLACES: usize = 200;

/// The ranges of mentions as found by [`mentions`], in bytes: the sign and the name, without particles.
pub fn mention_places(text: &str, name: &str) -> Vec<Range<usize>> {
    if !text.contains(SIGNS) {
        return Vec::new();
    }
    let name = fold::folded_name(name.trim());
    let signs = text.match_indices(SIGNS);
    let places = signs.filter(|(at, _)| !text[..*at].chars().next_back().is_some_and(in_a_word));
    let named = places.filter_map(|(at, sign)| {
        let begins = at + sign.len();
        let length = |name| named_length(&text[begins..], name);
        let own = (!name.is_empty()).then(|| length(&name)).flatten();
        Some(at..begins + own.or_else(|| length(EVERYBODY))?)
    });
    named.take(MAX_PLACES).collect()
}

/// Length of the folded name at the start of a text, in bytes, if it is there.
fn named_length(text: &str, name: &str) -> Option<usize> {
    let mut found = None;
    for (at, c) in text.char_indices() {
        let end = at + c.len_utf8();
        let prefix = fold::folded_name(&text[..end]);
        if prefix == name {
            found = Some(end);
        }
        // The last letter may combine with the following ones to form a syllable.
        let settled = prefix.char_indices().next_back().map_or("", |(last, _)| &prefix[..last]);
        if !name.starts_with(settled) || settled.len() >= name.len() {
            break;
        }
    }
    let end = found?;
    let rest: String = text[end..].chars().take(4 * MAX_SUFFIXES + 1).collect();
    ends_the_name(&fold::folded_name(&rest)).then_some(end)
}

/// Whether a name may end before this text.
fn ends_the_name(rest: &str) -> bool {
    let end = rest.find(|c| !in_a_word(c)).unwrap_or(rest.len());
    let word = &rest[..end];
    word.is_empty() || is_all_after_a_name(word, MAX_SUFFIXES)
}

fn is_all_after_a_name(word: &str, most: usize) -> bool {
    let goes_on = |rest: &str| rest.is_empty() || (most > 1 && is_all_after_a_name(rest, most - 1));
    AFTER_A_NAME.iter().any(|part| word.strip_prefix(part).is_some_and(goes_on))
}

fn in_a_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use unicode_normalization::UnicodeNormalization as _;

    use super::*;

    #[test]
    fn a_mention_is_a_whole_word_in_any_case() {
        for named in [
            "@ada",
            "hi @Ada!",
            "(@ADA)",
            "@ada: look",
            "@ada's turn",
            "@ada-",
            "x\n@ada",
            "＠ada",
            "@bob @ada",
        ] {
            assert!(mentions(named, "Ada"), "{named}");
        }
        for not in ["ada", "@adam", "@ad", "mail@ada.example", "@ ada", "@ada2", "@ada_b", "", "@", "a@ada"] {
            assert!(!mentions(not, "ada"), "{not}");
        }
        assert!(mentions("see @Ada Lovelace, please", "ada lovelace"));
        assert!(!mentions("see @Ada L", "ada lovelace"));
        assert!(mentions("@ΣΊΣΥΦΟΣ!", "σίσυφοσ") && mentions("@İris", "İris"));
        assert!(!mentions("anything @", "") && !mentions("@ x", " "));
        for (body, name) in [
            ("@Ju\u{301}n", "J\u{FA}n"),
            ("@\u{FF2A}\u{FF55}\u{FF4E}", "Jun"),
            ("@jose!", "José"),
            ("@STRASSE", "Straße"),
            ("@J\u{200B}un", "Jun"),
            ("@민아".nfd().collect::<String>().as_str(), "민아"),
            ("\u{FE6B}Jun", "Jun"),
        ] {
            assert!(mentions(body, name), "{body:?} names {name}");
        }
    }

    #[test]
    fn everybody_is_mentioned_by_the_name_of_the_room() {
        for named in ["@room the printer is on", "look, @Room!", "@room님", "＠ＲＯＯＭ", "@room: @bob"]
        {
            assert!(mentions(named, "Ada") && mentions(named, ""), "{named}");
            assert_eq!(mention_places(named, "Ada").len(), 1, "{named}");
        }
        for not in ["room", "@rooms", "@roommate", "mail@room.example", "@ room"] {
            assert!(!mentions(not, "Ada") && mention_places(not, "Ada").is_empty(), "{not}");
        }
    }

    #[test]
    fn mention_places_are_the_ranges_of_the_names() {
        let places = |text: &str, name: &str| {
            mention_places(text, name).into_iter().map(|place| text[place].to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(places("@ada and (@Ada!) not @adam", "Ada"), ["@ada", "@Ada"]);
        assert_eq!(places("@민아님께, @민아름", "민아"), ["@민아"]);
        assert_eq!(places("hi @cafe\u{301}, @CAFÉ!", "café"), ["@cafe\u{301}", "@CAFÉ"]);
        let decomposed: String = "@민아야".nfd().collect();
        assert_eq!(places(&decomposed, "민아"), ["@민아".nfd().collect::<String>()]);
        assert_eq!(places("@Ada Lovelace, look", "ada lovelace"), ["@Ada Lovelace"]);
        assert_eq!(places("@STRASSE", "Straße"), ["@STRASSE"]);
        for text in ["@ada", "hi @Ada!", "mail@ada", "@ ada", "@ada팀", "@ada님", "@\u{FF21}da", "＠ada"] {
            assert_eq!(mentions(text, "ada"), !mention_places(text, "ada").is_empty(), "{text}");
        }
        assert_eq!(mention_places(&"@ada ".repeat(1_000), "ada").len(), MAX_PLACES);
    }

    #[test]
    fn korean_titles_and_particles_may_follow_but_longer_names_differ() {
        for named in [
            "@민아",
            "@민아야",
            "@민아에게 물어봐",
            "@민아님께",
            "@민아씨한테도요",
            "안녕 @민아는?",
            "@민아, 봐",
            "@민아가",
        ] {
            assert!(mentions(named, "민아"), "{named}");
        }
        for not in ["@민아름", "@민아름에게", "@김민아", "민아", "@민", "회의@민아"] {
            assert!(!mentions(not, "민아"), "{not}");
        }
        // A Latin name takes them too.
        assert!(mentions("@ada님 확인해 주세요", "ada") && mentions("@Ada에게도", "ada"));
        assert!(!mentions("@ada팀", "ada"));
    }
}
