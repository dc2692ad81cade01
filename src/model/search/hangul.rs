//! A Hangul syllable that is still being composed: what it may become.

/// 가.
const FIRST: u32 = 0xAC00;
/// 힣.
const LAST: u32 = 0xD7A3;
/// The initial consonants, in their order within a syllable, as single letters.
const INITIALS: &str = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ";
/// The final consonants; the first stands for none.
const FINALS: &str = "-ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ";
/// Vowels that go on to others: ㅗ to ㅘㅙㅚ, ㅜ to ㅝㅞㅟ, ㅡ to ㅢ, by their place within a syllable.
const VOWELS: [(u32, std::ops::RangeInclusive<u32>); 3] = [(8, 9..=11), (13, 14..=16), (18, 19..=19)];
/// Final consonants made of two: the whole, its first and its second letter.
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

/// Initial, vowel and final (0 for none) of a syllable, by their places.
fn parts(c: char) -> Option<(u32, u32, u32)> {
    let at = (FIRST..=LAST).contains(&(c as u32)).then(|| c as u32 - FIRST)?;
    Some((at / 588, at / 28 % 21, at % 28))
}

fn letter(of: &str, at: u32) -> Option<char> {
    of.chars().nth(at as usize)
}

/// Whether this is a single letter of the Korean alphabet, not a syllable.
pub(super) fn is_letter(c: char) -> bool {
    ('\u{3131}'..='\u{318E}').contains(&c)
}

/// Whether it is Hangul.
pub(super) fn is_hangul(c: char) -> bool {
    is_letter(c) || parts(c).is_some()
}

/// Whether what is composed so far may become `text` by going on, where `after` follows: 시 becomes 실, and 실 시리.
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
    // Another consonant joins the final one.
    if PAIRS.iter().any(|(whole, first, _)| *whole == stands && *first == typed) {
        return true;
    }
    // Or a vowel takes it along into the next syllable.
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
    fn a_syllable_goes_on_as_a_keyboard_has_it() {
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
