//! Recognises the offset that a server with connection state recovery appends to the arguments of an event.

use crate::model::time::WallMs;

/// Digits of `yeast`, the library that Socket.IO's own adapter numbers packets with: base 64, of the time in milliseconds.
const DIGITS: &[u8; 64] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_";
/// How far a server's clock may be from ours, in milliseconds: ten years.
const MAX_SKEW_MS: i64 = 3_653 * 86_400_000;
/// Digits of a time in a stream's position.
const MIN_TIME_DIGITS: usize = 12;
/// Digits of an `ObjectId`.
const OBJECT_ID_DIGITS: usize = 24;

/// Whether a last argument is such an offset, and no argument of the event: as Socket.IO's own adapter writes them, or
/// that for Redis streams (`1690000000000-0`), or that for MongoDB (24 hexadecimal digits).
pub fn is_offset(text: &str, now: WallMs) -> bool {
    is_yeast(text, now) || is_stream_position(text) || is_object_id(text)
}

fn is_yeast(text: &str, now: WallMs) -> bool {
    let (time, seed) = text.split_once('.').map_or((text, None), |(time, seed)| (time, Some(seed)));
    let is_digit = |byte: &u8| DIGITS.contains(byte);
    if time.len() != 7 || seed.is_some_and(|seed| seed.is_empty() || !seed.bytes().all(|b| is_digit(&b))) {
        return false;
    }
    let mut ms = 0_i64;
    for byte in time.bytes() {
        let Some(digit) = DIGITS.iter().position(|digit| *digit == byte) else { return false };
        ms = ms * 64 + i64::try_from(digit).unwrap_or_default();
    }
    (WallMs(ms) - now).abs() <= MAX_SKEW_MS
}

fn is_stream_position(text: &str) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.split_once('-').is_some_and(|(time, count)| {
        time.len() >= MIN_TIME_DIGITS && is_number(time) && is_number(count) && text.len() < 48
    })
}

fn is_object_id(text: &str) -> bool {
    text.len() == OBJECT_ID_DIGITS && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_no_offsets() {
        let now = 1_795_000_000_000;
        let mut time = now;
        let mut yeast = Vec::new();
        while time > 0 {
            yeast.insert(0, DIGITS[usize::try_from(time % 64).unwrap()]);
            time /= 64;
        }
        let yeast = String::from_utf8(yeast).unwrap();
        for offset in [&yeast, &format!("{yeast}.1"), "1690000000000-0", "507f1f77bcf86cd799439011"] {
            assert!(is_offset(offset, WallMs(now)), "{offset}");
        }
        for word in
            ["welcome", "hello", "", "weather", "mina", "2026-11", "1234567", "a.b", &format!("{yeast}.")]
        {
            assert!(!is_offset(word, WallMs(now)), "{word}");
        }
    }
}
