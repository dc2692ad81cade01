//! JSON as servers in JavaScript write it: an escaped half of a surrogate pair, as in a text that was cut in the middle of
//! an emoji, is read as a replacement character. serde_json refuses it.

use serde_json::Value;

/// Reads a value.
///
/// # Errors
/// If it is not JSON, or is nested deeper than serde_json allows (127 levels).
pub fn parse(text: &str) -> Result<Value, serde_json::Error> {
    match serde_json::from_str(text) {
        Err(error) => match without_lone_surrogates(text) {
            Some(mended) => serde_json::from_str(&mended),
            None => Err(error),
        },
        read => read,
    }
}

/// The same text with each escaped half of a surrogate pair replaced; `None` if there is none.
fn without_lone_surrogates(text: &str) -> Option<String> {
    let mut mended = String::new();
    let (mut copied, mut at) = (0, 0);
    let bytes = text.as_bytes();
    while let Some(found) = bytes[at..].iter().position(|byte| *byte == b'\\') {
        at += found;
        match unit(bytes, at) {
            // A backslash and the one character after it. That may be the first byte of several; none of those is a backslash.
            None => at = (at + 2).min(bytes.len()),
            Some(0xd800..=0xdbff) if matches!(unit(bytes, at + 6), Some(0xdc00..=0xdfff)) => at += 12,
            Some(0xd800..=0xdfff) => {
                mended.push_str(&text[copied..at]);
                mended.push_str("\\ufffd");
                at += 6;
                copied = at;
            }
            Some(_) => at += 6,
        }
    }
    if copied == 0 {
        return None;
    }
    mended.push_str(&text[copied..]);
    Some(mended)
}

/// The code unit of the escape that begins here.
fn unit(bytes: &[u8], at: usize) -> Option<u16> {
    let digits = bytes.get(at..at + 6)?.strip_prefix(b"\\u")?;
    let digits =
        std::str::from_utf8(digits).ok().filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))?;
    u16::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_pair_is_a_replacement_character_and_everything_else_stays() {
        let read = |text: &str| parse(text).map_err(|_| ());
        assert_eq!(read(r#""cut \ud83d""#), Ok("cut \u{fffd}".into()));
        assert_eq!(read(r#""\udc00\ud83d\ude00\ud83dx""#), Ok("\u{fffd}😀\u{fffd}x".into()));
        assert_eq!(read(r#""\\ud83d \ud800""#), Ok("\\ud83d \u{fffd}".into()));
        assert_eq!(read(r#"["é\\", "\ud83dé"]"#), Ok(serde_json::json!(["é\\", "\u{fffd}é"])));
        assert_eq!(read(r#""\ud83d"#), Err(()));
        assert_eq!(read(r#""\u12"#), Err(()));
        assert_eq!(read("\"\\é\\"), Err(()));
        assert_eq!(read("\\"), Err(()));
        assert!(parse(&"[".repeat(100_000)).is_err());
    }
}
