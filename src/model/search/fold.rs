//! Term matching. Case, accents and the encoding of syllables are ignored. Korean, Japanese and Chinese terms
//! match within words; other terms do so from three letters on, shorter ones only at the beginning of a word.
//! The same rules define the grams by which an index finds a text.
//!
//! | text | its grams |
//! |---|---|
//! | 온실에서 | each syllable, each pair: 온 실 에 서 온실 실에 에서 |
//! | pumps | the first letter and two, and each three: ^p ^pu pum ump mps |
//! | 🚀 | a syllable of its own |

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::canonical_combining_class;

use super::hangul;
use crate::model::harmless::is_ignorable;

/// Prefix of a gram at the beginning of a word; does not occur within grams.
const START: char = '^';
/// Maximum number of grams of a term that are looked up; more would not make it faster.
const MAX_GRAMS: usize = 8;
/// Minimum length of a term that matches within words, in letters.
const MIN_LETTERS_WITHIN_WORDS: usize = 3;

/// Classes of characters.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Class {
    /// Character of a script that is written without spaces or attaches endings; or a pictograph.
    Dense,
    /// Letter or digit of any other script.
    Letter,
    /// Any other character.
    Between,
}

fn class(c: char) -> Class {
    match c {
        'a'..='z' | '0'..='9' => Class::Letter,
        '\0'..='\u{BF}' => Class::Between,
        // Thai, Lao, Myanmar, Khmer; Kana, Bopomofo, Hangul letters; Han; Yi; Hangul; half-width forms; supplementary Han.
        '\u{E00}'..='\u{EFF}' | '\u{1000}'..='\u{109F}' | '\u{1780}'..='\u{17FF}' => Class::Dense,
        '\u{3040}'..='\u{318F}' | '\u{31A0}'..='\u{31FF}' | '\u{3400}'..='\u{4DBF}' => Class::Dense,
        '\u{4E00}'..='\u{A4CF}' | '\u{AC00}'..='\u{D7A3}' | '\u{F900}'..='\u{FAFF}' => Class::Dense,
        '\u{FF66}'..='\u{FF9D}' | '\u{20000}'..='\u{3FFFF}' => Class::Dense,
        // Arrows, symbols and pictographs, but not the spaces and punctuation before them.
        '\u{2190}'..='\u{2BFF}' | '\u{1F000}'..='\u{1FAFF}' => Class::Dense,
        c if c.is_alphanumeric() => Class::Letter,
        _ => Class::Between,
    }
}

/// A folded text, with the origin of each character.
#[derive(Clone, Debug, Default)]
pub struct Folded {
    chars: Vec<char>,
    /// Byte offset in the original text at which each character begins.
    from: Vec<usize>,
    length: usize,
}

impl Folded {
    /// Folds a text.
    pub fn of(text: &str) -> Folded {
        let mut folded = Folded { length: text.len(), ..Folded::default() };
        let mut rest = text.char_indices().peekable();
        while let Some((at, c)) = rest.next() {
            let mut end = at + c.len_utf8();
            while let Some((next, mark)) = rest.peek().copied().filter(|(_, mark)| joins(*mark)) {
                end = next + mark.len_utf8();
                rest.next();
            }
            let alone = end == at + c.len_utf8();
            if alone && (c.is_ascii() || ('\u{AC00}'..='\u{D7A3}').contains(&c)) {
                folded.push(c.to_ascii_lowercase(), at);
            } else {
                let plain = text[at..end].nfd().filter(|c| !is_accent(*c));
                for c in plain.nfc().flat_map(char::to_lowercase).filter(|c| !is_accent(*c)) {
                    folded.push(c, at);
                }
            }
        }
        folded
    }

    fn push(&mut self, c: char, at: usize) {
        let c = if c.is_whitespace() { ' ' } else { c };
        if c != ' ' || self.chars.last() != Some(&' ') {
            self.chars.push(c);
            self.from.push(at);
        }
    }

    /// The bytes of the original text for a range of characters.
    pub fn bytes(&self, range: std::ops::Range<usize>) -> std::ops::Range<usize> {
        let at = |index: usize| self.from.get(index).copied().unwrap_or(self.length);
        at(range.start)..at(range.end)
    }
}

/// Folds a text without recording the origin.
pub fn folded(text: &str) -> String {
    Folded::of(text).chars.into_iter().collect()
}

/// Folds a name for comparison with typed text. Also ignores width and other compatibility forms (NFKC), ß
/// and ss, and invisible characters. Not for querying the index on disk.
pub fn folded_name(text: &str) -> String {
    if text.is_ascii() {
        return folded(text);
    }
    let visible: String = text.nfkc().filter(|c| !is_ignorable(*c)).collect();
    let small: String = visible.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect();
    folded(&small)
}

/// Whether a character combines with the one before it.
fn joins(c: char) -> bool {
    match c {
        '\0'..='\u{2FF}' => false,
        // Vowels and finals of decomposed syllables; characters that join or modify emoji.
        '\u{1160}'..='\u{11FF}' | '\u{200D}' | '\u{FE00}'..='\u{FE0F}' => true,
        c => canonical_combining_class(c) != 0,
    }
}

/// Whether a character is an accent, or only affects the look of an emoji.
fn is_accent(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36F}' | '\u{200D}' | '\u{FE00}'..='\u{FE0F}')
}

/// Splits the text into runs of one class, skipping [`Class::Between`].
fn runs(chars: &[char]) -> impl Iterator<Item = (Class, std::ops::Range<usize>)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let class = class(*chars.get(at)?);
            let begin = at;
            at += chars[begin..].iter().take_while(|c| self::class(**c) == class).count();
            if class != Class::Between {
                return Some((class, begin..at));
            }
        }
    })
}

/// All distinct grams of a text, separated by spaces.
pub fn grams(text: &str) -> String {
    let folded = Folded::of(text);
    // A character fits in 21 bits.
    let pack = |gram: &[char]| gram.iter().fold(0_u64, |packed, c| packed << 21 | u64::from(*c as u32));
    let mut packed = Vec::with_capacity(folded.chars.len() * 2);
    for (class, range) in runs(&folded.chars) {
        let run = &folded.chars[range];
        if class == Class::Dense {
            packed.extend(run.windows(1).chain(run.windows(2)).map(pack));
        } else {
            packed.push(pack(&[START, run[0]]));
            packed.extend(run.get(..2).map(|two| pack(&[START, two[0], two[1]])));
            packed.extend(run.windows(MIN_LETTERS_WITHIN_WORDS).map(pack));
        }
    }
    packed.sort_unstable();
    packed.dedup();
    let mut all = String::with_capacity(packed.len() * 6);
    for gram in packed {
        let letters = [gram >> 42, gram >> 21 & 0x1F_FFFF, gram & 0x1F_FFFF];
        all.extend(letters.iter().filter_map(|c| char::from_u32(*c as u32)).filter(|c| *c != '\0'));
        all.push(' ');
    }
    all
}

/// A term that a message must contain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    chars: Vec<char>,
    /// Whether the last syllable is still being composed.
    composing: bool,
}

impl Term {
    /// Creates a term; `None` if nothing is left after folding. `composing`: its last syllable may still
    /// change.
    pub fn new(text: &str, composing: bool) -> Option<Term> {
        let chars = Folded::of(text.trim()).chars;
        let composing = composing && chars.last().is_some_and(|c| hangul::is_hangul(*c));
        // A single letter of an unfinished syllable is too unspecific.
        let only_begun = composing && chars.len() == 1 && hangul::is_letter(chars[0]);
        (!chars.is_empty() && !only_begun).then_some(Term { chars, composing })
    }

    /// The folded text.
    pub fn text(&self) -> String {
        self.chars.iter().collect()
    }

    /// The part that will not change.
    fn settled(&self) -> &[char] {
        &self.chars[..self.chars.len() - usize::from(self.composing)]
    }

    /// Whether it matches only at the beginning of a word.
    fn must_begin(&self) -> bool {
        runs(self.settled()).next().is_some_and(|(class, run)| {
            class == Class::Letter && run.start == 0 && run.len() < MIN_LETTERS_WITHIN_WORDS
        })
    }

    /// The next match in a text, starting at a character index.
    pub fn find(&self, text: &Folded, from: usize) -> Option<std::ops::Range<usize>> {
        let all = &text.chars;
        let settled = self.settled();
        let must_begin = self.must_begin();
        (from..all.len()).find_map(|at| {
            let end = at + settled.len();
            if all.get(at..end)? != settled {
                return None;
            }
            if must_begin && at > 0 && class(all[at - 1]) == Class::Letter {
                return None;
            }
            if !self.composing {
                return Some(at..end);
            }
            let next = *all.get(end)?;
            hangul::may_become(*self.chars.last()?, next, all.get(end + 1).copied()).then_some(at..end + 1)
        })
    }

    /// Grams that every text with this term has. Empty if an index cannot help.
    pub fn grams(&self) -> Vec<String> {
        let settled = self.settled();
        let mut grams: Vec<String> = Vec::new();
        for (class, range) in runs(settled) {
            let run = &settled[range];
            match (class, run.len()) {
                (Class::Dense, 1) => grams.push(run.iter().collect()),
                (Class::Dense, _) => grams.extend(run.windows(2).map(|pair| pair.iter().collect())),
                (_, length) if length < MIN_LETTERS_WITHIN_WORDS => {
                    grams.push(std::iter::once(&START).chain(run).collect());
                }
                _ => grams.extend(run.windows(MIN_LETTERS_WITHIN_WORDS).map(|three| three.iter().collect())),
            }
        }
        grams.sort();
        grams.dedup();
        let step = grams.len().div_ceil(MAX_GRAMS).max(1);
        grams.into_iter().step_by(step).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contains(text: &str, term: &str) -> bool {
        Term::new(term, false).unwrap().find(&Folded::of(text), 0).is_some()
    }

    fn indexed(text: &str, term: &str) -> bool {
        let grams = grams(text);
        let grams: Vec<&str> = grams.split(' ').collect();
        Term::new(term, false).unwrap().grams().iter().all(|gram| grams.contains(&gram.as_str()))
    }

    #[test]
    fn terms_match_as_people_expect() {
        for (text, term) in [
            ("온실에서 펌프가 돈다", "온실"),
            ("온실에서 펌프가 돈다", "펌프"),
            ("새온실에서", "온실"),
            ("물이 샌다", "물"),
            ("샌물", "물"),
            ("온실", "온실".nfd().collect::<String>().as_str()),
            ("온실".nfd().collect::<String>().as_str(), "온실"),
            ("Greenhouse", "greenhouse"),
            ("the greenhouse", "HOUSE"),
            ("the pump", "p"),
            ("the pump", "pu"),
            ("CPU사용률", "사용"),
            ("CPU사용률", "cp"),
            ("온도cpu", "cp"),
            ("Café au lait", "cafe"),
            ("cafe", "CAFÉ"),
            ("Crème Brûlée".nfd().collect::<String>().as_str(), "brulee"),
            ("lift off 🚀 now", "🚀"),
            ("love ❤\u{FE0F}", "❤"),
            ("👩\u{200D}💻 at work", "👩\u{200D}💻"),
            ("ㅋㅋㅋㅋ", "ㅋㅋㅋ"),
            ("see https://example.org/a/b.html", "example.org/a"),
            ("two  spaces\nand lines", "spaces and"),
            ("v2.10.3", "v2.10"),
            ("v2.10.3", "10.3"),
            ("東京タワー", "京タ"),
            ("ПРИВЕТ мир", "привет"),
            ("Straße", "straße"),
            ("don't", "don't"),
        ] {
            assert!(contains(text, term), "{text:?} contains {term:?}");
            assert!(indexed(text, term), "the index must find {term:?} in {text:?}");
        }
    }

    #[test]
    fn terms_do_not_match_anything_else() {
        for (text, term) in [
            ("온 실", "온실"),
            ("실온", "온실"),
            ("the pump", "u"),
            ("the pump", "um"),
            ("compute", "pump"),
            ("pum ump", "pump"),
            ("abc def", "abcdef"),
            ("x2.10.3", "2.10"),
        ] {
            assert!(!contains(text, term), "{text:?} does not contain {term:?}");
        }
    }

    #[test]
    fn matches_have_the_right_range() {
        let text = "A cafe\u{301} 온\u{301}실에서";
        let folded = Folded::of(text);
        let at = |term: &str| {
            let found = Term::new(term, false).unwrap().find(&folded, 0).unwrap();
            &text[folded.bytes(found)]
        };
        assert_eq!(at("café"), "cafe\u{301}");
        assert_eq!(at("온실"), "온\u{301}실");
    }

    #[test]
    fn an_unfinished_syllable_matches_what_it_may_become() {
        let finds = |text: &str, term: &str| {
            Term::new(term, true).is_some_and(|term| term.find(&Folded::of(text), 0).is_some())
        };
        assert!(finds("온실에서", "온ㅅ") && finds("온실에서", "온시") && finds("온실에서", "온실"));
        assert!(finds("시리즈", "실") && !contains("시리즈", "실"));
        assert!(!finds("온실에서", "온사"));
        assert!(Term::new("ㅇ", true).is_none(), "a single letter is too unspecific");
        assert!(Term::new("ㅋ", false).is_some());
        assert!(finds("pump", "pum"), "other scripts have no composition");
        assert_eq!(Term::new("온시", true).unwrap().grams(), ["온"]);
        assert!(Term::new("온", true).unwrap().grams().is_empty());
    }

    #[test]
    fn names_match_in_any_form() {
        for (one, other) in [
            ("Ｊｕｎ", "jun"),
            ("STRASSE", "straße"),
            ("J\u{200B}un", "Jun"),
            ("Σίσυφος", "ΣΊΣΥΦΟΣ"),
            ("ﬁrst", "First"),
        ] {
            assert_eq!(folded_name(one), folded_name(other));
        }
        assert_ne!(folded_name("민아"), folded_name("민하"));
    }

    #[test]
    fn grams_are_distinct_and_limited() {
        assert_eq!(grams("ab ab"), "^a ^ab ");
        assert_eq!(grams("..."), "");
        assert!(Term::new(&"abcdefghij".repeat(20), false).unwrap().grams().len() <= MAX_GRAMS);
    }
}
