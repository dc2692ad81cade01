//! Finding names by a few letters of them, Hangul by its initial consonants or by a syllable that is not complete yet.
//! (Crates for this know no Hangul, are unkept, or are under a licence that binds the whole.)

use unicode_normalization::UnicodeNormalization as _;

use crate::model::harmless::is_ignorable;

/// What begins at a unit.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Begins {
    /// Nothing: it is a later part of a syllable.
    Nothing,
    /// A letter or syllable.
    Letter,
    /// A word.
    Word,
}

/// A letter, or a part of a syllable.
#[derive(Copy, Clone, Debug)]
struct Unit {
    part: char,
    begins: Begins,
    /// A consonant typed alone: it stands for a whole syllable that begins with it.
    alone: bool,
}

/// A name, prepared to be searched in.
#[derive(Debug)]
pub(in crate::ui) struct Text(Vec<Unit>);

/// What was typed, by words.
#[derive(Debug)]
pub(in crate::ui) struct Query(Vec<Vec<Unit>>);

/// The best that a word of the query can score: the whole name.
const BEST: u32 = 120;

impl Text {
    pub(in crate::ui) fn new(text: &str) -> Text {
        Text(units(text))
    }

    /// Where each word begins, and the part that it begins with.
    fn next_letter(&self, after: usize) -> usize {
        (after + 1..self.0.len()).find(|at| self.0[*at].begins != Begins::Nothing).unwrap_or(self.0.len())
    }

    /// Where the match ends if all of the word stands here in one piece.
    fn piece(&self, start: usize, word: &[Unit]) -> Option<usize> {
        let mut at = start;
        for unit in word {
            if self.0.get(at)?.part != unit.part || (unit.alone && self.0[at].begins == Begins::Nothing) {
                return None;
            }
            at = if unit.alone { self.next_letter(at) } else { at + 1 };
        }
        Some(at)
    }

    /// Whether the word is there in pieces, each of which begins with a letter, or at `least` with a word.
    fn pieces(&self, word: &[Unit], least: Begins) -> bool {
        let mut at = 0;
        let mut adjoins = false;
        for unit in word {
            let fits = |place: usize, adjoins: bool| {
                let here = self.0[place];
                let is_start = here.begins >= if unit.alone { least.max(Begins::Letter) } else { least };
                here.part == unit.part && (adjoins && !unit.alone || is_start)
            };
            let found = (at..self.0.len()).find(|place| fits(*place, adjoins && *place == at));
            let Some(found) = found else { return false };
            at = if unit.alone { self.next_letter(found) } else { found + 1 };
            adjoins = true;
        }
        true
    }

    /// Whether a word begins so: what else a thing is called is found by no less.
    fn begins_a_word(&self, word: &[Unit]) -> bool {
        let words = (0..self.0.len()).filter(|at| self.0[*at].begins == Begins::Word);
        words.into_iter().any(|start| self.piece(start, word).is_some())
    }

    /// How well one word of the query fits.
    fn score_word(&self, word: &[Unit]) -> Option<u32> {
        let mut best = None;
        for start in (0..self.0.len()).filter(|at| self.0[*at].begins != Begins::Nothing) {
            let Some(end) = self.piece(start, word) else { continue };
            let score = match (start, self.0[start].begins) {
                (0, _) if end == self.0.len() => BEST,
                (0, _) => 100,
                (_, Begins::Word) => 80,
                _ => 60,
            };
            best = best.max(Some(score));
        }
        let in_words = || self.pieces(word, Begins::Word).then_some(45);
        let in_letters = || self.pieces(word, Begins::Letter).then_some(20);
        best.or_else(in_words).or_else(in_letters)
    }
}

impl Query {
    pub(in crate::ui) fn new(text: &str) -> Query {
        Query(text.split_whitespace().map(typed).filter(|word| !word.is_empty()).collect())
    }

    /// Whether nothing is asked for.
    pub(in crate::ui) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How well a name fits, with what is said beside it counting for a third; none where a word is in neither. Of names
    /// that fit as well the shorter is the better.
    pub(in crate::ui) fn score(&self, name: &Text, beside: &Text) -> Option<u32> {
        self.score_called(name, beside, &Text(Vec::new()))
    }

    /// The same, with what else it is called counting for a quarter.
    pub(super) fn score_called(&self, name: &Text, beside: &Text, also: &Text) -> Option<u32> {
        let mut sum = 0;
        for word in &self.0 {
            let score = name.score_word(word);
            let score = score.or_else(|| beside.score_word(word).map(|score| score / 3));
            sum += score.or_else(|| also.begins_a_word(word).then_some(BEST / 4))?;
        }
        let mean = sum * 100 / self.0.len().max(1) as u32;
        Some(mean.saturating_sub(name.0.len().min(99) as u32))
    }
}

/// What is typed: as a name, but a consonant alone stands for a syllable.
fn typed(word: &str) -> Vec<Unit> {
    let mut out = Vec::new();
    for letter in word.nfc().flat_map(plain) {
        match alone(letter) {
            "" => push(&mut out, letter, Begins::Letter),
            parts => {
                out.extend(parts.chars().map(|part| Unit { part, begins: Begins::Letter, alone: true }));
            }
        }
    }
    out
}

fn units(text: &str) -> Vec<Unit> {
    let mut out = Vec::with_capacity(text.len());
    let mut before = ' ';
    for letter in text.nfc().flat_map(plain) {
        let begins_word = letter.is_alphanumeric()
            && (!before.is_alphanumeric()
                || (letter.is_uppercase() && before.is_lowercase())
                || (letter.is_numeric() != before.is_numeric()));
        push(&mut out, letter, if begins_word { Begins::Word } else { Begins::Letter });
        before = letter;
    }
    out
}

/// A letter without regard to accents, width and how it is encoded; nothing where it cannot be seen. Hangul stays as it is:
/// its parts are compared.
fn plain(letter: char) -> impl Iterator<Item = char> {
    let is_kept = letter.is_ascii() || matches!(letter, '\u{3131}'..='\u{318E}' | '\u{AC00}'..='\u{D7A3}');
    let kept = is_kept.then_some(letter);
    let other = (!is_kept && !is_ignorable(letter)).then_some(letter);
    let is_accent = |c: &char| ('\u{300}'..='\u{36F}').contains(c);
    kept.into_iter().chain(other.into_iter().nfkd().filter(move |c| !is_accent(c)))
}

/// Adds a letter in small, a syllable by its parts: what is typed so far is a beginning of what it will be.
fn push(out: &mut Vec<Unit>, letter: char, begins: Begins) {
    let mut add = |part, begins| out.push(Unit { part, begins, alone: false });
    let Some(number) = u32::from(letter).checked_sub(0xAC00).filter(|number| *number < 11_172) else {
        let lower = letter.to_lowercase().next().unwrap_or(letter);
        return add(lower, begins);
    };
    let (first, middle, last) = (number / 588, number % 588 / 28, number % 28);
    let parts = [FIRST[first as usize], MIDDLE[middle as usize], LAST[last as usize]];
    let mut begins = begins;
    for part in parts.iter().flat_map(|part| part.chars()) {
        add(part, begins);
        begins = Begins::Nothing;
    }
}

/// The consonants of a sign that is typed as one while no vowel has come.
fn alone(letter: char) -> &'static str {
    let number = u32::from(letter).wrapping_sub(0x3131) as usize;
    ALONE.get(number).copied().unwrap_or("")
}

const FIRST: [&str; 19] = [
    "ㄱ", "ㄲ", "ㄴ", "ㄷ", "ㄸ", "ㄹ", "ㅁ", "ㅂ", "ㅃ", "ㅅ", "ㅆ", "ㅇ", "ㅈ", "ㅉ", "ㅊ", "ㅋ", "ㅌ",
    "ㅍ", "ㅎ",
];
const MIDDLE: [&str; 21] = [
    "ㅏ", "ㅐ", "ㅑ", "ㅒ", "ㅓ", "ㅔ", "ㅕ", "ㅖ", "ㅗ", "ㅗㅏ", "ㅗㅐ", "ㅗㅣ", "ㅛ", "ㅜ", "ㅜㅓ", "ㅜㅔ",
    "ㅜㅣ", "ㅠ", "ㅡ", "ㅡㅣ", "ㅣ",
];
const LAST: [&str; 28] = [
    "", "ㄱ", "ㄲ", "ㄱㅅ", "ㄴ", "ㄴㅈ", "ㄴㅎ", "ㄷ", "ㄹ", "ㄹㄱ", "ㄹㅁ", "ㄹㅂ", "ㄹㅅ", "ㄹㅌ", "ㄹㅍ",
    "ㄹㅎ", "ㅁ", "ㅂ", "ㅂㅅ", "ㅅ", "ㅆ", "ㅇ", "ㅈ", "ㅊ", "ㅋ", "ㅌ", "ㅍ", "ㅎ",
];
/// From U+3131 on.
const ALONE: [&str; 30] = [
    "ㄱ", "ㄲ", "ㄱㅅ", "ㄴ", "ㄴㅈ", "ㄴㅎ", "ㄷ", "ㄸ", "ㄹ", "ㄹㄱ", "ㄹㅁ", "ㄹㅂ", "ㄹㅅ", "ㄹㅌ",
    "ㄹㅍ", "ㄹㅎ", "ㅁ", "ㅂ", "ㅃ", "ㅂㅅ", "ㅅ", "ㅆ", "ㅇ", "ㅈ", "ㅉ", "ㅊ", "ㅋ", "ㅌ", "ㅍ", "ㅎ",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn score(query: &str, name: &str) -> Option<u32> {
        Query::new(query).score(&Text::new(name), &Text::new(""))
    }

    fn best<'a>(query: &str, names: &[&'a str]) -> Vec<&'a str> {
        let mut found: Vec<_> = names.iter().filter_map(|name| Some((score(query, name)?, *name))).collect();
        found.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
        found.into_iter().map(|(_, name)| name).collect()
    }

    #[test]
    fn the_nearest_name_comes_first() {
        let names = ["general", "gauge repair", "Engine lab", "kiln"];
        assert_eq!(best("gen", &names)[0], "general");
        assert_eq!(best("lab", &names), ["Engine lab"]);
        assert_eq!(best("gr", &names)[0], "gauge repair");
        assert_eq!(best("general", &["general-2", "general"])[0], "general");
        assert_eq!(best("pump 2", &["Pump 12", "Pump 2", "Pump"])[0], "Pump 2");
        assert_eq!(best("PUMP", &["pump"]), ["pump"]);
        assert_eq!(best("xyz", &names), [""; 0]);
        for (query, name) in [
            ("cafe", "Café"),
            ("CAFÉ", "cafe\u{301}"),
            ("ｇｅｎ", "general"),
            ("gen", "ｇｅｎeral"),
            ("ge\u{200B}n", "general"),
            ("감", "\u{1100}\u{1161}\u{11B7}"),
            ("\u{1100}\u{1161}\u{11B7}", "감자"),
        ] {
            assert_eq!(best(query, &[name]), [name], "{query}");
        }
    }

    #[test]
    fn hangul_is_found_by_initial_consonants() {
        let names = ["온실 3번 습도 센서", "작업실", "펌프"];
        assert_eq!(best("ㅇㅅ", &names), ["온실 3번 습도 센서", "작업실"]);
        assert_eq!(best("ㅅㄷ", &names)[0], "온실 3번 습도 센서");
        assert_eq!(best("ㅍ", &names), ["펌프"]);
        // An input method makes one sign of two consonants.
        assert_eq!(best("ㄳ", &["감사", "각"]), ["감사"]);
    }

    #[test]
    fn each_step_of_typing_a_name_finds_it() {
        for typed in ["ㅇ", "오", "온", "온ㅅ", "온시", "온실", "습", "습ㄷ", "습도"] {
            assert!(score(typed, "온실 3번 습도").is_some(), "{typed}");
        }
        // The next syllable's consonant is under the one before until its vowel comes.
        for typed in ["가", "간", "갅", "간주", "과", "관"] {
            assert!(score(typed, "간주 과목 관리").is_some(), "{typed}");
        }
        assert_eq!(score("옥", "온실"), None);
    }

    #[test]
    fn what_stands_beside_the_name_counts_less() {
        let (name, beside) = (Text::new("Kiln"), Text::new("machine, Workshop"));
        let all = |query: &str| Query::new(query).score(&name, &beside);
        assert!(all("kiln") > all("kiln work"));
        assert!(all("work").is_some() && all("kiln garden").is_none());
    }
}
