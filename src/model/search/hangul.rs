//! Matching of a Hangul syllable that is still being composed.

/// The first syllable, 가.
const FIRST: u32 = 0xAC00;
/// The last syllable, 힣.
const LAST: u32 = 0xD7A3;
/// Initial consonants in Unicode order, as single letters.
const INITIALS: &str = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ";
/// Final consonants in Unicode order; the first means none.
const FINALS: &str = "-ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ";
/// Vowels that can be extended, by their index: ㅗ to ㅘㅙㅚ, ㅜ to ㅝㅞㅟ, ㅡ to ㅢ.
const VOWELS: [(u32, std::ops::RangeInclusive<u32>); 3] = [(8, 9..=11), (13, 14..=16), (18, 19..=19)];
/// Double final consonants: the whole, its first and its second letter.
const PAIRS: [(char, char, char); 11] = [
    ('ㄳ', 'ㄱ', 'ㅅ'),
    ('ㄵ', 'ㄴ', 'ㅈ'),
    ('ㄶ', 'ㄴ', 'ㅎ'),
    ('ㄺ', 'ㄹ', 'ㄱ'),
    ('ㄻ', 'ㄹ', 'ㅁ'),
    ('ㄼ', 'ㄹ', 'ㅂ'),
    ('ㄽ', 'ㄹ', 'ㅅ'),
    ('ㄾ', 'ㄹ', 'ㅌ'),
    ('ㄿ', 'ㄹ', 'ㅍ'),
    ('ㅀ', 'ㄹ', 'ㅎ'),
    ('ㅄ', 'ㅂ', 'ㅅ'),
];

/// Indices of the initial, vowel and final of a syllable; final 0 means none.
fn parts(c: char) -> Option<(u32, u32, u32)> {
    let at = (FIRST..=LAST).contains(&(c as u32)).then(|| c as u32 - FIRST)?;
    Some((at / 588, at / 28 % 21, at % 28))
}

fn letter(of: &str, at: u32) -> Option<char> {
    of.chars().nth(at as usize)
}

/// Whether a character is a single Hangul letter, not a syllable.
pub(super) fn is_letter(c: char) -> bool {
    ('\u{3131}'..='\u{318E}').contains(&c)
}

/// Whether a character is Hangul.
pub(super) fn is_hangul(c: char) -> bool {
    is_letter(c) || parts(c).is_some()
}

/// Whether `composed` may become `text`, followed by `after`, by further typing: 시 may become 실, and 실 may
/// become 시리.
pub(super) fn may_become(composed: char, text: char, after: Option<char>) -> bool {
    if composed == text {
        return true;
    }
    let Some((initial, vowel, last)) = parts(text) else { return false };
    let Some(so_far) = parts(composed) else {
        return is_letter(composed) && letter(INITIALS, initial) == Some(composed);
    };
    if so_far.0 != initial {
        return false;
    }
    let goes_on =
        |(from, to): &(u32, std::ops::RangeInclusive<u32>)| *from == so_far.1 && to.contains(&vowel);
    if so_far.2 == 0 {
        return so_far.1 == vowel || VOWELS.iter().any(goes_on);
    }
    if so_far.1 != vowel {
        return false;
    }
    let (Some(typed), Some(stands)) = (letter(FINALS, so_far.2), letter(FINALS, last)) else { return false };
    // A further consonant can join the final one.
    if PAIRS.iter().any(|(whole, first, _)| *whole == stands && *first == typed) {
        return true;
    }
    // A further vowel can move the final consonant to the next syllable.
    let next = after.and_then(parts).and_then(|(initial, ..)| letter(INITIALS, initial));
    let moved = |left: char, taken: char| {
        (if last == 0 { left == '-' } else { stands == left }) && next == Some(taken)
    };
    moved('-', typed) || PAIRS.iter().any(|(whole, left, taken)| *whole == typed && moved(*left, *taken))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn syllables_continue_as_on_a_keyboard() {
        let becomes = |composed, text: &str| {
            let mut text = text.chars();
            may_become(composed, text.next().unwrap(), text.next())
        };
        for (composed, text) in [
            ('ㅇ', "온"),
            ('오', "온"),
            ('오', "왔"),
            ('온', "온"),
            ('시', "실"),
            ('실', "시리"),
            ('실', "싫"),
            ('갑', "값"),
            ('값', "갑시"),
            ('각', "가고"),
            ('의', "의"),
        ] {
            assert!(becomes(composed, text), "{composed} → {text}");
        }
        for (composed, text) in [
            ('온', "오"),
            ('실', "시"),
            ('실', "시니"),
            ('ㅅ', "온"),
            ('가', "고"),
            ('값', "가시"),
            ('온', "a"),
        ] {
            assert!(!becomes(composed, text), "{composed} → {text}");
        }
    }
}
