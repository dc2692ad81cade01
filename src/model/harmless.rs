//! Sanitizes foreign text before it is shown, printed or logged; the same rules for window and console.
//! Control characters, bidirectional controls and characters without a glyph become visible marks, so that no
//! text can affect its surroundings or imitate other text. Legitimate sequences of such characters are kept:
//! emoji with joiners, flags, keycaps, and joiners in scripts that require them. Stored and copied text is
//! not changed.

use std::borrow::Cow;

use unicode_normalization::char::{canonical_combining_class, is_combining_mark};
use unicode_script::{Script, UnicodeScript as _};

/// Maximum number of accents above and below a letter in a title.
pub const MAX_ACCENTS: usize = 4;
/// Maximum number of combining marks of any kind on a letter in a title. Some scripts write vowels and
/// stacked consonants as marks.
pub const MAX_MARKS: usize = 8;

/// Canonical combining class of the signs that join two consonants of an Indic script.
const VIRAMA: u8 = 9;
/// Black flag: the base of flags spelled with tag characters.
const BLACK_FLAG: char = '\u{1F3F4}';
/// Ends a flag spelled with tag characters.
const CANCEL_TAG: char = '\u{E007F}';

/// Classes of characters.
#[derive(Copy, Clone, PartialEq, Eq)]
enum Kind {
    /// Has a glyph, or is a line break or tab in a body.
    Plain,
    /// Zero-width joiner or non-joiner, used in emoji and some scripts.
    Joiner,
    /// Zero-width space, used between words in scripts without spaces.
    Break,
    /// Variation selector, which changes the preceding character.
    Variation,
    /// Mongolian variation selector.
    Mongolian,
    /// Egyptian hieroglyph format control.
    Egyptian,
    /// Tag character, used to spell flags.
    Tag,
    /// Format character with a glyph, such as the Arabic number sign.
    Sign,
    /// Symbol without ink: the empty Braille cell.
    Blank,
    /// Never shown as it is.
    Hidden,
}

fn kind(c: char) -> Kind {
    match c {
        '\n' | '\t' | ' '..='~' => Kind::Plain,
        '\u{200C}' | '\u{200D}' => Kind::Joiner,
        '\u{200B}' => Kind::Break,
        '\u{FE00}'..='\u{FE0F}' | '\u{E0100}'..='\u{E01EF}' => Kind::Variation,
        '\u{180B}'..='\u{180D}' | '\u{180F}' => Kind::Mongolian,
        '\u{13430}'..='\u{1343F}' => Kind::Egyptian,
        '\u{E0020}'..='\u{E007F}' => Kind::Tag,
        '\u{600}'..='\u{605}' | '\u{6DD}' | '\u{70F}' | '\u{890}' | '\u{891}' | '\u{8E2}' => Kind::Sign,
        '\u{110BD}' | '\u{110CD}' => Kind::Sign,
        '\u{2800}' => Kind::Blank,
        // Line and paragraph separators, interlinear annotation, shorthand and musical format controls.
        '\u{2028}' | '\u{2029}' | '\u{FFF9}'..='\u{FFFB}' => Kind::Hidden,
        '\u{1D173}'..='\u{1D17A}' => Kind::Hidden,
        // Symbols without ink: a null notehead, the Khitan filler.
        '\u{1D159}' | '\u{16FE4}' => Kind::Hidden,
        c if c.is_control() || is_ignorable(c) => Kind::Hidden,
        _ => Kind::Plain,
    }
}

/// Whether a character is invisible by design (Unicode's `Default_Ignorable_Code_Point`).
pub fn is_ignorable(c: char) -> bool {
    matches!(c,
        '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
        | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}'
        | '\u{FFF0}'..='\u{FFF8}' | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}'
        | '\u{E0000}'..='\u{E0FFF}')
}

/// Whether a character has no ink: white space, ignorable characters, and blank symbols.
pub fn is_blank(c: char) -> bool {
    c.is_whitespace() || is_ignorable(c) || matches!(c, '\u{2800}' | '\u{1D159}' | '\u{16FE4}')
}

/// Sanitizes a body, which may have several lines. Line breaks and tabs are kept; `\r\n` counts as a line
/// break.
pub fn text(text: &str) -> Cow<'_, str> {
    if text.chars().all(|c| matches!(kind(c), Kind::Plain | Kind::Sign | Kind::Blank)) {
        return Cow::Borrowed(text);
    }
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len() + 16);
    for (at, c) in chars.iter().enumerate() {
        if *c == '\r' && chars.get(at + 1) == Some(&'\n') {
            continue;
        }
        if is_shown(&chars, at, false) { out.push(*c) } else { mark(&mut out, *c) }
    }
    Cow::Owned(out)
}

/// Sanitizes a title, which has one line, such as a name. Line breaks and tabs become marks, runs of other
/// white space become one space, the number of accents per letter is bounded, and the text is truncated to
/// `most` characters.
pub fn line(text: &str, most: usize) -> String {
    let (chars, is_cut) = beginning(text, most);
    let mut out = String::with_capacity(text.len().min(chars.len() * 4));
    let mut on_letter = (0, 0);
    let mut is_space_due = false;
    for (at, c) in chars.iter().enumerate() {
        if c.is_whitespace() && kind(*c) == Kind::Plain && !matches!(c, '\n' | '\t') {
            is_space_due = !out.is_empty();
            continue;
        }
        let is_mark = is_combining_mark(*c);
        if is_mark {
            let accents = on_letter.0 + usize::from(canonical_combining_class(*c) != 0);
            on_letter = (accents, on_letter.1 + 1);
            if on_letter.0 > MAX_ACCENTS || on_letter.1 > MAX_MARKS {
                continue;
            }
        } else if !matches!(kind(*c), Kind::Joiner | Kind::Egyptian) {
            on_letter = (0, 0);
        }
        if std::mem::take(&mut is_space_due) {
            out.push(' ');
        }
        if !is_shown(&chars, at, true) {
            mark(&mut out, *c);
            continue;
        }
        if is_mark && out.is_empty() {
            // Otherwise it would combine with the text before the title.
            out.push('\u{25CC}');
        }
        out.push(*c);
    }
    cut(out, most, is_cut)
}

/// Like [`line`], but keeps all white space and accents, for text that must be shown exactly.
pub fn verbatim(text: &str, most: usize) -> String {
    let (chars, is_cut) = beginning(text, most);
    let mut out = String::with_capacity(text.len().min(chars.len() * 4));
    for (at, c) in chars.iter().enumerate() {
        if is_shown(&chars, at, true) { out.push(*c) } else { mark(&mut out, *c) }
    }
    cut(out, most, is_cut)
}

/// The beginning of a text, enough for `most` characters, and whether there is more. Some characters are
/// dropped, so more are read than shown.
fn beginning(text: &str, most: usize) -> (Vec<char>, bool) {
    let mut rest = text.chars();
    let chars = rest.by_ref().take(most.saturating_mul(16).saturating_add(64)).collect();
    (chars, rest.next().is_some())
}

/// Whether [`line`] would leave a name unchanged.
pub fn is_title(text: &str) -> bool {
    line(text, usize::MAX) == text
}

/// Truncates a title without splitting a sequence. `is_cut`: the original text is longer.
fn cut(mut title: String, most: usize, is_cut: bool) -> String {
    match title.char_indices().nth(most) {
        Some((end, _)) => title.truncate(end),
        None if is_cut => {}
        None => return title,
    }
    let is_half = |c: char| !matches!(kind(c), Kind::Plain | Kind::Sign | Kind::Blank);
    while title.ends_with(is_half) {
        title.pop();
    }
    title.push('…');
    title
}

/// Whether the character at an index is shown as it is.
fn is_shown(chars: &[char], at: usize, is_title: bool) -> bool {
    let (before, after) = (&chars[..at], &chars[at + 1..]);
    match kind(chars[at]) {
        Kind::Plain => !is_title || !matches!(chars[at], '\n' | '\t'),
        Kind::Joiner => joins_emoji(chars[at], before, after) || joins_letters(before, after),
        Kind::Break => is_between(before, after, writes_no_spaces),
        Kind::Variation => varies(chars[at], before, after),
        Kind::Mongolian => letter_before(before).is_some_and(|c| c.script() == Script::Mongolian),
        Kind::Egyptian => is_between(before, after, |c| ('\u{13000}'..='\u{1345F}').contains(&c)),
        Kind::Tag => is_in_flag(chars, at),
        Kind::Sign => !is_title,
        Kind::Blank => !is_title || is_braille(before.last()) || is_braille(after.first()),
        Kind::Hidden => false,
    }
}

fn is_between(before: &[char], after: &[char], is: impl Fn(char) -> bool) -> bool {
    letter_before(before).is_some_and(&is) && after.first().copied().is_some_and(is)
}

/// The last letter before an index, skipping its marks.
fn letter_before(before: &[char]) -> Option<char> {
    before.iter().rev().take(MAX_MARKS + 1).find(|c| !is_combining_mark(**c)).copied()
}

/// Whether a joiner connects two pictographs, as in families, professions and some flags.
fn joins_emoji(joiner: char, before: &[char], after: &[char]) -> bool {
    let picture = match before {
        [.., picture, '\u{FE0F}'] => Some(picture),
        [.., picture] => Some(picture),
        [] => None,
    };
    joiner == '\u{200D}' && is_picture(picture) && is_picture(after.first())
}

/// Whether a joiner or non-joiner affects the shape of letters: after a sign that joins consonants, or
/// between two letters of a script with connecting letters.
fn joins_letters(before: &[char], after: &[char]) -> bool {
    let Some(last) = before.last() else { return false };
    if canonical_combining_class(*last) == VIRAMA {
        return true;
    }
    // A character shown as a mark does not connect.
    let right = after.first().filter(|c| kind(**c) != Kind::Hidden);
    let (Some(left), Some(right)) = (letter_before(before), right) else { return false };
    let script = left.script();
    connects(script) && (right.script() == script || canonical_combining_class(*right) == VIRAMA)
}

/// Whether a script's letters change their shape by context.
fn connects(script: Script) -> bool {
    use Script as S;
    matches!(
        script,
        S::Arabic
            | S::Syriac
            | S::Mandaic
            | S::Mongolian
            | S::Nko
            | S::Phags_Pa
            | S::Adlam
            | S::Hanifi_Rohingya
            | S::Devanagari
            | S::Bengali
            | S::Gurmukhi
            | S::Gujarati
            | S::Oriya
            | S::Tamil
            | S::Telugu
            | S::Kannada
            | S::Malayalam
            | S::Sinhala
            | S::Khmer
            | S::Myanmar
            | S::Tibetan
            | S::Balinese
            | S::Javanese
            | S::Sundanese
            | S::Limbu
            | S::Newa
            | S::Chakma
            | S::Grantha
            | S::Tirhuta
            | S::Meetei_Mayek
    )
}

fn writes_no_spaces(c: char) -> bool {
    use Script as S;
    matches!(
        c.script(),
        S::Khmer | S::Thai | S::Lao | S::Myanmar | S::Tibetan | S::Javanese | S::Balinese | S::Tai_Le
    )
}

/// Whether a variation selector follows a character that has variations.
fn varies(selector: char, before: &[char], after: &[char]) -> bool {
    let Some(base) = before.last().copied() else { return false };
    let is_han =
        matches!(base, '\u{3400}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}');
    match selector {
        // After an ASCII character only in a keycap sequence.
        '\u{FE0F}' if base.is_ascii() => {
            matches!(base, '0'..='9' | '#' | '*') && after.first() == Some(&'\u{20E3}')
        }
        '\u{FE0E}' | '\u{FE0F}' => is_picture(Some(&base)),
        '\u{E0100}'.. => is_han,
        _ => {
            is_han
                || matches!(base, '\u{2200}'..='\u{2AFF}' | '\u{3000}'..='\u{30FF}' | '\u{FF00}'..='\u{FFEF}'
                    | '\u{1000}'..='\u{109F}' | '\u{A840}'..='\u{A87F}' | '\u{10AC0}'..='\u{10AFF}'
                    | '\u{13000}'..='\u{1342F}')
        }
    }
}

/// Whether a character can be part of an emoji: pictographs, skin tones, and symbols with an emoji form.
fn is_picture(c: Option<&char>) -> bool {
    c.is_some_and(|c| {
        matches!(c,
            '\u{A9}' | '\u{AE}' | '\u{203C}' | '\u{2049}' | '\u{2122}' | '\u{2139}' | '\u{2190}'..='\u{21FF}'
            | '\u{2300}'..='\u{23FF}' | '\u{24C2}' | '\u{25A0}'..='\u{27BF}' | '\u{2900}'..='\u{297F}'
            | '\u{2B00}'..='\u{2BFF}' | '\u{3030}' | '\u{303D}' | '\u{3297}' | '\u{3299}'
            | '\u{1F000}'..='\u{1FAFF}')
    })
}

fn is_braille(c: Option<&char>) -> bool {
    c.is_some_and(|c| ('\u{2801}'..='\u{28FF}').contains(c))
}

/// Whether a tag is part of a complete flag of a region: a black flag, three to six letters or digits as
/// tags, and the end tag.
fn is_in_flag(chars: &[char], at: usize) -> bool {
    let is_tag = |c: &char| kind(*c) == Kind::Tag;
    let Some(flag) = chars[..at].iter().rposition(|c| !is_tag(c)) else { return false };
    let mut tags = chars[flag + 1..].iter().take_while(|c| is_tag(c));
    let letters = tags
        .by_ref()
        .take_while(|c| **c != CANCEL_TAG)
        .map(|c| matches!(c, '\u{E0030}'..='\u{E0039}' | '\u{E0061}'..='\u{E007A}'));
    let (count, all) = letters.fold((0, true), |(count, all), is_letter| (count + 1, all && is_letter));
    let end = flag + 1 + count;
    chars[flag] == BLACK_FLAG
        && (3..=6).contains(&count)
        && all
        && chars.get(end) == Some(&CANCEL_TAG)
        && at <= end
}

/// The code point as text, shown in place of a hidden character.
pub fn number(c: char) -> String {
    format!("⟨U+{:04X}⟩", c as u32)
}

/// Appends the replacement of a hidden character.
fn mark(out: &mut String, c: char) {
    use std::fmt::Write;
    // Writing to a string is infallible.
    let _ = match c {
        // The control pictures are at U+2400 and following.
        '\0'..='\u{1F}' => write!(out, "{}", char::from_u32(0x2400 + c as u32).unwrap_or('?')),
        '\u{7F}' => write!(out, "\u{2421}"),
        c => write!(out, "{}", number(c)),
    };
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Sequences that are shown as they are, also in titles.
    const SEQUENCES: &[&str] = &[
        "👩\u{200D}👩\u{200D}👧",
        "👩🏽\u{200D}💻",
        "🏳\u{FE0F}\u{200D}🌈",
        "❤\u{FE0F}\u{200D}🔥",
        "👁\u{FE0F}\u{200D}🗨\u{FE0F}",
        "❤\u{FE0F} 1\u{FE0F}\u{20E3} #\u{FE0F}\u{20E3} ©\u{FE0E}",
        "🏴\u{E0067}\u{E0062}\u{E0065}\u{E006E}\u{E0067}\u{E007F}",
        "🇰🇷",
        "می\u{200C}خواهم",
        "क्\u{200D}ष",
        "ශ\u{DCA}\u{200D}රී",
        "അവന\u{D4D}\u{200D}",
        "র\u{200D}\u{9CD}য",
        "ភាសា\u{200B}ខ្មែរ",
        "葛\u{E0100}",
        "ᠠ\u{180B}",
    ];

    /// Must not occur in any output, except within one of the sequences.
    fn is_forbidden(c: char, is_title: bool) -> bool {
        c.is_control() && (is_title || !matches!(c, '\n' | '\t'))
            || is_ignorable(c)
            || matches!(c, '\u{2028}' | '\u{2029}' | '\u{FFF9}'..='\u{FFFB}')
    }

    #[test]
    fn ordinary_text_is_unchanged() {
        let plain = [
            "plain\n\ttext",
            "한국어 문장",
            "שלום עולם",
            "مرحبا بالعالم",
            "٪ \u{6DD} \u{600}٣",
            "⠓⠑⠽\u{2800}⠽⠕⠥",
        ];
        for same in plain.iter().chain(SEQUENCES) {
            assert_eq!(text(same), *same);
        }
        for same in SEQUENCES {
            assert_eq!(line(same, 40), *same);
        }
        assert!(matches!(text("plain 한국어"), Cow::Borrowed(_)));
    }

    #[test]
    fn hidden_characters_become_visible() {
        for (from, shown) in [
            ("a\0b\u{1b}[31m\u{7f}", "a␀b␛[31m␡"),
            ("\u{85}", "⟨U+0085⟩"),
            ("user\u{202E}txt.exe", "user⟨U+202E⟩txt.exe"),
            ("\u{2066}x\u{2069}", "⟨U+2066⟩x⟨U+2069⟩"),
            ("x\u{61C}y\u{2028}z\u{2029}", "x⟨U+061C⟩y⟨U+2028⟩z⟨U+2029⟩"),
            ("\u{FEFF}Jun", "⟨U+FEFF⟩Jun"),
            ("pay\u{200B}pal\u{200D}x", "pay⟨U+200B⟩pal⟨U+200D⟩x"),
            ("김\u{200D}민수", "김⟨U+200D⟩민수"),
            ("one\r\ntwo\rthree", "one\ntwo␍three"),
            ("x\u{E0041}", "x⟨U+E0041⟩"),
            ("1\u{FE0F}", "1⟨U+FE0F⟩"),
            ("a\u{FE0F}", "a⟨U+FE0F⟩"),
            ("❤\u{FE0F}\u{FE0F}", "❤\u{FE0F}⟨U+FE0F⟩"),
            // A flag without an end, or one that is too long, hides letters.
            ("🏴\u{E0067}\u{E0062}\u{E0065}", "🏴⟨U+E0067⟩⟨U+E0062⟩⟨U+E0065⟩"),
            ("🏴\u{E007F}", "🏴⟨U+E007F⟩"),
        ] {
            assert_eq!(text(from), shown);
        }
        let smuggled = format!("🏴{}\u{E007F}", "\u{E0061}".repeat(7));
        assert!(!text(&smuggled).contains('\u{E0061}'));
        let twice = "🏴\u{E0075}\u{E0073}\u{E0061}\u{E007F}\u{E0061}";
        assert_eq!(text(twice), "🏴\u{E0075}\u{E0073}\u{E0061}\u{E007F}⟨U+E0061⟩");
    }

    #[test]
    fn a_title_is_one_short_line() {
        assert_eq!(line("Mina\nAdmin\tx\r\n", 40), "Mina␊Admin␉x␍␊");
        assert_eq!(line("  two \u{3000}\u{A0} words\u{2003}", 40), "two words");
        assert_eq!(line("abcdef", 3), "abc…");
        assert_eq!(line("abc", 3), "abc");
        assert_eq!(line("👩\u{200D}👩\u{200D}👧", 2), "👩…", "no half of a sequence");
        assert_eq!(line("\u{2800}", 40), "⟨U+2800⟩");
        assert_eq!(line("\u{6DD}", 40), "⟨U+06DD⟩");
        assert!(line(&"\u{85}".repeat(100_000), 40).chars().count() <= 41);
        assert!(is_title("Jun") && is_title("김민수") && is_title(SEQUENCES[0]));
        assert!(
            !is_title(" Jun") && !is_title("ad\u{200B}min") && !is_title("a  b") && !is_title("a\u{A0}b")
        );
    }

    #[test]
    fn verbatim_text_keeps_its_spaces() {
        assert_eq!(verbatim(" {\"a\":  1,\n\u{2028}}", 40), " {\"a\":  1,␊⟨U+2028⟩}");
        assert_eq!(verbatim("abcdef", 3), "abc…");
    }

    #[test]
    fn the_accents_on_a_letter_of_a_title_are_bounded() {
        let flood = format!("Z{}a\u{301}lgo", "\u{335}\u{30D}".repeat(200));
        assert_eq!(line(&flood, 40), "Z\u{335}\u{30D}\u{335}\u{30D}a\u{301}lgo");
        assert_eq!(line("\u{338}Jun", 40), "\u{25CC}\u{338}Jun", "it does not reach what stands before");
        let tibetan = "བསྒྲུབས";
        assert_eq!(line(tibetan, 40), tibetan);
        assert!(!is_title(&flood));
    }

    /// Removes the sequences, so that the rest can be checked for hidden characters.
    fn without_sequences(shown: &str) -> String {
        SEQUENCES.iter().fold(shown.to_owned(), |text, sequence| text.replace(sequence, ""))
    }

    #[test]
    fn no_single_character_stays_hidden() {
        for c in (0..=0x10FFFF).filter_map(char::from_u32) {
            let around = format!("a{c}{c}");
            let shown = text(&around);
            assert!(!shown.chars().any(|c| is_forbidden(c, false)), "{:04X} in {shown:?}", c as u32);
            let title = line(&around, 40);
            assert!(!title.chars().any(|c| is_forbidden(c, true)), "{:04X} in {title:?}", c as u32);
        }
    }

    fn pieces() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            4 => any::<char>().prop_map(String::from),
            2 => "[a-zA-Z0-9 가-힣а-яا-ي]{1,3}",
            2 => prop::sample::select(SEQUENCES).prop_map(str::to_owned),
            3 => prop::sample::select(vec![
                '\n', '\r', '\t', '\u{1b}', '\u{85}', '\u{AD}', '\u{61C}', '\u{200B}', '\u{200C}', '\u{200D}',
                '\u{200E}', '\u{202E}', '\u{2028}', '\u{2066}', '\u{FE0F}', '\u{FEFF}', '\u{E0001}', '\u{E0061}',
                '\u{E007F}', '\u{3164}', '\u{2800}', '\u{301}', '\u{1F3F4}', '\u{FFFA}', '\u{A0}',
            ]).prop_map(String::from),
        ];
        prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn sanitizing_is_idempotent(said in pieces()) {
            let body = text(&said);
            prop_assert_eq!(text(&body), body.clone());
            let title = line(&said, 60);
            prop_assert_eq!(line(&title, 61), title.clone());
            prop_assert!(title.chars().count() <= 61);
            let exact = verbatim(&said, usize::MAX);
            prop_assert_eq!(verbatim(&exact, usize::MAX), exact.clone());
            prop_assert_eq!(exact.lines().count().max(1), 1);
        }

        #[test]
        fn nothing_hides_beside_latin_letters(said in pieces()) {
            // Each piece is put between two letters that do not connect, so that only whole sequences may
            // contain forbidden characters.
            let apart: String = said.chars().flat_map(|c| ['a', c, 'b']).collect();
            prop_assert!(!text(&apart).chars().any(|c| is_forbidden(c, false)));
            prop_assert!(!line(&apart, 100).chars().any(|c| is_forbidden(c, true)));
        }

        #[test]
        fn forbidden_characters_occur_only_within_sequences(parts in prop::collection::vec((pieces(), prop::sample::select(SEQUENCES)), 0..4)) {
            let apart: String =
                parts.iter().map(|(said, sequence)| format!("{}|{sequence}|", said.chars().filter(|c| c.is_ascii()).collect::<String>())).collect();
            for (shown, is_title) in [(text(&apart).into_owned(), false), (line(&apart, 200), true)] {
                // A title may be truncated within a sequence.
                let whole = shown.trim_end_matches('…').rsplit_once('|').map_or("", |(whole, _)| whole);
                prop_assert!(!without_sequences(whole).chars().any(|c| is_forbidden(c, is_title)));
            }
        }

        #[test]
        fn a_title_has_no_line_break_and_few_accents(said in pieces()) {
            let title = line(&said, 60);
            let breaks = ['\n', '\r', '\u{2028}', '\u{2029}', '\u{85}', '\u{b}', '\u{c}'];
            prop_assert!(!title.contains(breaks));
            let mut run = 0;
            for c in title.chars() {
                run = if is_combining_mark(c) { run + 1 } else { 0 };
                prop_assert!(run <= MAX_MARKS);
            }
        }
    }
}
