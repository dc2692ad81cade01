//! Names that are made here, and which names look alike. A name is made in one spelling (NFC) and shows as what it is;
//! what is stored or received from elsewhere keeps its own spelling and is made harmless when it is shown.

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;
use unicode_security::confusable_detection::skeleton;

use super::harmless;
use super::id::RoomName;

/// Longest name of a person, in characters.
pub const MAX_PERSON_CHARS: usize = 64;
/// Longest name of a device or a hub, in characters.
pub const MAX_TITLE_CHARS: usize = 128;
/// Names are compared by at most this many characters: no more of them is ever shown.
const MAX_COMPARED_CHARS: usize = 128;

/// Why a name cannot be made.
#[derive(Copy, Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadName {
    /// Nothing of it would be seen.
    #[error("a name needs at least one visible character")]
    Blank,
    /// It has more characters than a name may have.
    #[error("a name has at most {most} characters")]
    TooLong {
        /// The limit.
        most: usize,
    },
    /// It holds something that cannot be seen, or a flood of accents.
    #[error("a name must not contain control characters, invisible characters or piles of accents")]
    Hidden,
}

/// The one spelling of a new name: NFC, one space between its words, nothing invisible around it (as text that was
/// copied often has).
///
/// # Errors
/// When it has more than `most` characters, or would not be seen as what it is.
pub fn make(text: &str, most: usize) -> Result<String, BadName> {
    // Composing never needs more than some characters for one; what is longer is not worth the work.
    if text.chars().nth(most.saturating_mul(8)).is_some() {
        return Err(BadName::TooLong { most });
    }
    let composed: String = text.nfc().collect();
    let words: Vec<&str> = trimmed(&composed).split(is_space).filter(|word| !word.is_empty()).collect();
    let name = words.join(" ");
    if name.chars().all(|c| harmless::is_blank(c) || is_combining_mark(c)) {
        return Err(if name.chars().any(char::is_control) { BadName::Hidden } else { BadName::Blank });
    }
    if name.chars().count() > most {
        return Err(BadName::TooLong { most });
    }
    if harmless::is_title(&name) { Ok(name) } else { Err(BadName::Hidden) }
}

/// The name of a new room.
///
/// # Errors
/// As [`make`].
pub fn make_room(text: &str) -> Result<RoomName, BadName> {
    let name = make(text, RoomName::MAX_CHARS)?;
    RoomName::new(name).map_err(|_| BadName::Hidden)
}

/// Without white space and invisible characters at either end, except where they belong to the last letter.
fn trimmed(text: &str) -> &str {
    let belongs = |text: &str| harmless::is_title(text.trim());
    let mut rest = text.trim();
    while let Some(c) = rest.chars().next().filter(|c| harmless::is_ignorable(*c) && !is_filler(*c)) {
        rest = rest[c.len_utf8()..].trim_start();
    }
    while let Some(c) = rest.chars().next_back().filter(|c| harmless::is_ignorable(*c) && !is_filler(*c)) {
        if belongs(rest) {
            break;
        }
        rest = rest[..rest.len() - c.len_utf8()].trim_end();
    }
    rest
}

/// Fillers stand for a letter; nobody copies them by accident.
fn is_filler(c: char) -> bool {
    matches!(c, '\u{115F}' | '\u{1160}' | '\u{3164}' | '\u{FFA0}')
}

/// White space within a line; what breaks a line is refused instead.
fn is_space(c: char) -> bool {
    c.is_whitespace() && !c.is_control() && !matches!(c, '\u{2028}' | '\u{2029}')
}

/// What a name looks like: two names with a key in common are taken for each other. All keys leave out case, width, how
/// accents are encoded, spaces and what is invisible. The first folds the case before it looks (`Jun` is `JUN`), the
/// second looks at foreign letters before (Cyrillic В is B, but в is not b), the third at all (`lron` with a small L is
/// `Iron` with a capital I).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Looks {
    keys: [String; 3],
}

impl Looks {
    /// The looks of a name.
    pub fn of(name: &str) -> Looks {
        let visible: String = compared(name).nfkc().filter(|c| !harmless::is_blank(*c)).collect();
        let folded_first = folded_and_looked(&visible);
        if visible.is_ascii() {
            let looked_first = folded_and_looked(&looked(&visible));
            return Looks { keys: [folded_first.clone(), folded_first, looked_first] };
        }
        let mut latin = String::with_capacity(visible.len());
        for c in visible.chars() {
            if c.is_ascii() {
                latin.push(c);
            } else if c.is_uppercase() && skeleton(c.encode_utf8(&mut [0; 4])).eq(['l']) {
                latin.push('I');
            } else {
                latin.extend(skeleton(c.encode_utf8(&mut [0; 4])).map(close));
            }
        }
        let looked_first = folded_and_looked(&looked(&latin));
        Looks { keys: [folded_first, folded_and_looked(&latin), looked_first] }
    }

    /// The keys, each once.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        let is_new = |at: &usize| !self.keys[..*at].contains(&self.keys[*at]);
        (0..self.keys.len()).filter(is_new).map(|at| self.keys[at].as_str())
    }

    /// Whether a reader would take one for the other.
    pub fn is_like(&self, other: &Looks) -> bool {
        self.keys().any(|key| other.keys().any(|theirs| theirs == key))
    }
}

/// As much of a name as is compared with others.
pub fn compared(name: &str) -> &str {
    name.char_indices().nth(MAX_COMPARED_CHARS).map_or(name, |(end, _)| &name[..end])
}

/// Whether a character looks like another one.
pub fn looks_like(c: char, other: char) -> bool {
    let alike = |c: char| skeleton(c.encode_utf8(&mut [0; 4])).collect::<Vec<char>>();
    c == other || (!c.is_ascii() && (alike(c) == alike(other) || [c].into_iter().nfkc().eq([other])))
}

/// What something looks like in small letters. Twice: a digit may look like a capital letter.
fn folded_and_looked(text: &str) -> String {
    looked(&folded(&looked(&folded(text))))
}

fn looked(text: &str) -> String {
    skeleton(text).map(close).filter(|c| !harmless::is_blank(*c)).collect()
}

/// Case folding that also takes ß for ss and ς for σ.
fn folded(text: &str) -> String {
    text.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect()
}

/// Letters that UTS 39 keeps apart, because they are only nearly the same, and that a reader of a name does not.
fn close(c: char) -> char {
    match c {
        'κ' | 'к' | 'ĸ' | 'ᴋ' => 'k',
        'ω' | 'ѡ' | 'ꞷ' | 'ɯ' => 'w',
        'т' | 'ᴛ' => 't',
        'в' | 'ʙ' => 'b',
        'н' | 'ʜ' => 'h',
        'м' | 'ᴍ' => 'm',
        'υ' | 'ʋ' | 'ᴜ' => 'u',
        'η' | 'ո' | 'п' | 'ռ' => 'n',
        'ց' => 'g',
        'ı' | 'ɩ' => 'i',
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_name_is_made_in_one_spelling() {
        let made = |text: &str| make(text, 64);
        assert_eq!(made("Ju\u{301}n"), Ok("J\u{FA}n".to_owned()));
        assert_eq!(made("\u{1112}\u{1161}\u{11AB}"), Ok("한".to_owned()));
        assert_eq!(made("  Jun \u{3000} Park\u{A0}"), Ok("Jun Park".to_owned()));
        assert_eq!(made("\u{FEFF}Jun\u{200B}\u{2069}"), Ok("Jun".to_owned()));
        for same in
            ["👩\u{200D}👩\u{200D}👧 home", "می\u{200C}خواهم", "അവന\u{D4D}\u{200D}", "❤\u{FE0F}", "김민수"]
        {
            assert_eq!(made(same), Ok(same.to_owned()));
        }
    }

    #[test]
    fn what_would_not_be_seen_is_refused() {
        for blank in
            ["", "   ", "\u{3164}", "\u{2800}", "\u{115F}", "\u{FFA0}\u{3000}", "\u{200B}\u{200D}", "\u{301}"]
        {
            assert_eq!(make(blank, 64), Err(BadName::Blank), "{blank:?}");
        }
        for hidden in [
            "ad\u{200B}min",
            "a\nb",
            "a\u{2028}b",
            "a\u{202E}b",
            "gene\u{AD}ral",
            "Jun\u{3164}",
            "a\u{0}",
            "\u{7}",
        ] {
            assert_eq!(make(hidden, 64), Err(BadName::Hidden), "{hidden:?}");
        }
        assert_eq!(make(&format!("a{}", "\u{301}".repeat(20)), 64), Err(BadName::Hidden));
        assert_eq!(make(&"가".repeat(65), 64), Err(BadName::TooLong { most: 64 }));
        assert!(make(&"가".repeat(64), 64).is_ok() && make(&"a".repeat(100_000), 64).is_err());
    }

    fn alike(one: &str, other: &str) -> bool {
        Looks::of(one).is_like(&Looks::of(other))
    }

    #[test]
    fn names_that_a_reader_mixes_up_look_alike() {
        for (one, other) in [
            ("general", "gener\u{430}l"),
            ("general", "general\u{200B}"),
            ("general", "General"),
            ("general", "GENERAL"),
            ("general", "\u{202E}general"),
            ("general", "gene\u{AD}ral"),
            ("general", "g\u{FEFF}eneral"),
            ("general", "gen\u{435}ral"),
            ("general", "\u{FF47}eneral"),
            ("general", "gener\u{200A}al"),
            ("general", "generaI"),
            ("general", "genera1"),
            ("Iron", "lron"),
            ("IRIS", "iris"),
            ("Bob", "\u{412}ob"),
            ("Jun", "\u{FF2A}un"),
            ("Jun", "Ｊｕｎ"),
            ("J\u{FA}n", "Ju\u{301}n"),
            ("workshop", "ωorkshop"),
            ("kiln", "κiln"),
            ("straße", "STRASSE"),
            ("ﬁrst", "first"),
            ("new room", "newroom"),
            ("ρυmρ", "pump"),
            ("O2", "02"),
        ] {
            assert!(alike(one, other), "{one:?} and {other:?}");
        }
    }

    #[test]
    fn characters_look_alike() {
        for (c, other) in [
            (':', ':'),
            ('\u{FF1A}', ':'),
            ('\u{A789}', ':'),
            ('\u{2236}', ':'),
            ('\u{FF3B}', '['),
            ('\u{387}', '·'),
        ] {
            assert!(looks_like(c, other), "{c} {other}");
        }
        assert!(!looks_like('.', ':') && !looks_like('a', 'b') && !looks_like('가', ':'));
    }

    #[test]
    fn names_that_differ_do_not_look_alike() {
        for (one, other) in [
            ("Jun", "J\u{FA}n"),
            ("mail", "mall"),
            ("ball", "bail"),
            ("general", "generals"),
            ("room-1", "room-2"),
            ("room-1", "room1"),
            ("김민수", "김민주"),
            ("온실", "온싯"),
            ("東京", "京都"),
            ("kitchen", "chicken"),
            ("тема", "тела"),
            ("", "a"),
        ] {
            assert!(!alike(one, other), "{one:?} and {other:?}");
        }
    }

    /// The commonest look-alikes, each above what a reader takes it for.
    const FOREIGN: &str = "аеорсухіјѕԁһӏոցսνοαικρυωАВЕКМНОРСТХІЈЅΑΒΕΖΗΙΚΜΝΟΡΤΥΧ01|";
    const LATIN: &str = "aeopcyxijsdhlnguvoaikpuwabekmhopctxijsabezhikmnoptyxoll";

    #[test]
    fn each_common_look_alike_is_known() {
        assert_eq!(FOREIGN.chars().count(), LATIN.chars().count());
        for (foreign, latin) in FOREIGN.chars().zip(LATIN.chars()) {
            for around in ["", "x"] {
                let (one, other) = (format!("{around}{foreign}{around}"), format!("{around}{latin}{around}"));
                assert!(alike(&one, &other), "{one:?} and {other:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn names_of_common_look_alikes_are_known(places in prop::collection::vec((0..FOREIGN.chars().count(), any::<bool>()), 1..12)) {
            let pick = |text: &str, at: usize| text.chars().nth(at).unwrap();
            let latin: String = places.iter().map(|(at, _)| pick(LATIN, *at)).collect();
            let foreign: String = places.iter().map(|(at, is)| pick(if *is { FOREIGN } else { LATIN }, *at)).collect();
            prop_assert!(alike(&latin, &foreign), "{:?} and {:?}", latin, foreign);
        }

        #[test]
        fn a_name_that_is_made_stays_the_same(text in "\\PC{0,20}") {
            if let Ok(name) = make(&text, 64) {
                prop_assert_eq!(make(&name, 64), Ok(name.clone()));
                prop_assert!(harmless::is_title(&name) && RoomName::new(name).is_ok());
            }
        }

        #[test]
        fn a_name_looks_like_itself_however_it_is_written(name in "[a-zA-Z가-힣а-яА-Яé ]{1,12}", hidden in "[\u{200B}\u{AD}\u{FEFF}\u{2060}]") {
            let (upper, lower) = (name.to_uppercase(), name.to_lowercase());
            let apart: String = name.chars().flat_map(|c| [c.to_string(), hidden.clone()]).collect();
            let decomposed: String = name.nfd().collect();
            for other in [upper, lower, apart, decomposed] {
                prop_assert!(alike(&name, &other), "{:?} and {:?}", name, other);
            }
        }
    }
}
