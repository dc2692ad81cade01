//! JSON as people see it in the connection log: laid out in lines, and with what is secret hidden. It is looked at piece
//! by piece and never as a whole, so that text that was cut off or is malformed is shown too.

use std::borrow::Cow;

/// What stands in the place of a secret.
pub const HIDDEN: &str = "•••";
/// Deeper levels are not indented further.
const DEEPEST: usize = 16;

/// The pieces of a text: strings with their quotes, signs, blanks, and what is between. Together they are the text.
struct Pieces<'a>(&'a str);

impl<'a> Iterator for Pieces<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let first = self.0.bytes().next()?;
        let length = match first {
            b'"' => string(self.0),
            b'{' | b'}' | b'[' | b']' | b':' | b',' => 1,
            _ if first.is_ascii_whitespace() => {
                self.0.find(|c: char| !c.is_ascii_whitespace()).unwrap_or(self.0.len())
            }
            _ => self.0.find(|c: char| is_sign(c) || c.is_ascii_whitespace()).unwrap_or(self.0.len()),
        };
        let (piece, rest) = self.0.split_at(length);
        self.0 = rest;
        Some(piece)
    }
}

fn is_sign(c: char) -> bool {
    matches!(c, '"' | '{' | '}' | '[' | ']' | ':' | ',')
}

fn is_blank(piece: &str) -> bool {
    piece.starts_with(|c: char| c.is_ascii_whitespace())
}

/// The length of the string that a text begins with; all of it where the string does not end.
fn string(text: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// What a string's piece says.
fn said(piece: &str) -> Cow<'_, str> {
    if piece.contains('\\')
        && let Ok(said) = serde_json::from_str::<String>(piece)
    {
        return Cow::Owned(said);
    }
    let open = piece.strip_prefix('"').unwrap_or(piece);
    Cow::Borrowed(open.strip_suffix('"').unwrap_or(open))
}

/// The text of the outermost object's member `key`.
pub fn member<'a>(text: &'a str, key: &str) -> Option<Cow<'a, str>> {
    let (mut depth, mut last, mut is_value) = (0_usize, None, false);
    for piece in Pieces(text) {
        match piece {
            "{" | "[" => depth += 1,
            "}" | "]" => depth = depth.saturating_sub(1),
            ":" => {
                is_value = depth == 1 && last.is_some_and(|last| said(last) == key);
                continue;
            }
            _ if is_blank(piece) => continue,
            _ if is_value => return piece.starts_with('"').then(|| said(piece)),
            _ if piece.starts_with('"') => last = Some(piece),
            _ => {}
        }
        is_value = false;
    }
    None
}

/// The text with every value hidden whose key is one of these, at any depth.
pub fn hide<'a>(text: &'a str, keys: &[&str]) -> Cow<'a, str> {
    let is_secret = |key: &str| keys.iter().any(|secret| said(key).eq_ignore_ascii_case(secret));
    let mut hidden = None;
    let (mut last, mut at, mut hide_next) = (None, 0, false);
    // Where a hidden object or array began, in levels above.
    let mut inside = 0_usize;
    for piece in Pieces(text) {
        let start = at;
        at += piece.len();
        let mut keep = inside == 0;
        match piece {
            "{" | "[" if inside > 0 => inside += 1,
            "}" | "]" if inside > 0 => inside -= 1,
            _ if inside > 0 => {}
            ":" => hide_next = last.take().is_some_and(is_secret),
            _ if is_blank(piece) => {}
            _ if hide_next => {
                hide_next = false;
                keep = false;
                inside = usize::from(matches!(piece, "{" | "["));
                let out = hidden.get_or_insert_with(|| text[..start].to_owned());
                out.extend(["\"", HIDDEN, "\""]);
            }
            _ => last = piece.starts_with('"').then_some(piece),
        }
        if let Some(out) = hidden.as_mut().filter(|_| keep) {
            out.push_str(piece);
        }
    }
    hidden.map_or(Cow::Borrowed(text), Cow::Owned)
}

/// The text laid out: each member in a line of its own. What is no object and no array stays as it is.
pub fn pretty(text: &str) -> String {
    if !text.trim_start().starts_with(['{', '[']) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len() * 2);
    let mut depth = 0_usize;
    let mut pieces = Pieces(text).filter(|piece| !is_blank(piece)).peekable();
    while let Some(piece) = pieces.next() {
        match piece {
            "{" | "[" => {
                out.push_str(piece);
                if let Some(end) = pieces.next_if(|next| matches!(*next, "}" | "]")) {
                    out.push_str(end);
                } else {
                    depth += 1;
                    new_line(&mut out, depth);
                }
            }
            "}" | "]" => {
                depth = depth.saturating_sub(1);
                new_line(&mut out, depth);
                out.push_str(piece);
            }
            "," => {
                out.push_str(piece);
                new_line(&mut out, depth);
            }
            ":" => out.push_str(": "),
            _ => out.push_str(piece),
        }
    }
    out
}

fn new_line(out: &mut String, depth: usize) {
    out.push('\n');
    out.extend(std::iter::repeat_n("  ", depth.min(DEEPEST)));
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: [&str; 2] = ["token", "mac"];

    #[test]
    fn the_outermost_member_is_found_wherever_it_stands() {
        assert_eq!(member(r#"{"type":"log","entries":[]}"#, "type").as_deref(), Some("log"));
        assert_eq!(member(r#"{ "a":{"type":"x"}, "type" : "p\u0069ng"}"#, "type").as_deref(), Some("ping"));
        assert_eq!(member(r#"{"a":"type","b":"x"}"#, "type"), None);
        assert_eq!(member(r#"{"type":7,"b":"x"}"#, "type"), None);
        assert_eq!(member(r#"[{"type":"x"}]"#, "type"), None);
        assert_eq!(member("plain: \"type\"", "type"), None);
        assert_eq!(member(r#"{"type":"lo"#, "type").as_deref(), Some("lo"), "cut off");
    }

    #[test]
    fn secrets_are_hidden_at_any_depth_and_nothing_else_is() {
        let told = r#"{"type":"hello","token":"s3cret","invite":{"token":"x\"y","name":"Mina"},"a":"token"}"#;
        let hidden = r#"{"type":"hello","token":"•••","invite":{"token":"•••","name":"Mina"},"a":"token"}"#;
        assert_eq!(hide(told, &KEYS), hidden);
        assert_eq!(hide(r#"{"t\u006fken" : "s3cret"}"#, &KEYS), r#"{"t\u006fken" : "•••"}"#);
        assert_eq!(hide(r#"{"TOKEN":17,"b":1}"#, &KEYS), r#"{"TOKEN":"•••","b":1}"#);
        assert_eq!(hide(r#"{"mac":{"a":["s"],"b":{}},"c":"d"}"#, &KEYS), r#"{"mac":"•••","c":"d"}"#);
        assert_eq!(hide(r#"{"token":"s3cr"#, &KEYS), r#"{"token":"•••""#, "cut off");
        assert_eq!(hide(r#"{"token":["s3cr"#, &KEYS), r#"{"token":"•••""#, "cut off");
        for same in [r#"{"a":"token"}"#, "token: s", "", "한국어 {", r#"["token","x"]"#] {
            assert!(matches!(hide(same, &KEYS), Cow::Borrowed(text) if text == same), "{same}");
        }
    }

    #[test]
    fn a_message_is_laid_out_and_a_part_of_one_too() {
        let told = r#"{"type":"log","entries":[{"body":"a: {b}, \"c\""},{}],"n":[1, 2],"e":[]}"#;
        let lines = "{\n  \"type\": \"log\",\n  \"entries\": [\n    {\n      \"body\": \"a: {b}, \\\"c\\\"\"\n    },\n    {}\n  ],\n  \"n\": [\n    1,\n    2\n  ],\n  \"e\": []\n}";
        assert_eq!(pretty(told), lines);
        assert_eq!(pretty(r#"{"a":"b"#), "{\n  \"a\": \"b");
        assert_eq!(pretty("]}not json"), "]}not json");
        assert_eq!(pretty("한국어, 둘"), "한국어, 둘");
    }

    #[test]
    fn deep_text_does_not_grow_beyond_measure() {
        let deep = "[".repeat(4_096);
        assert!(pretty(&deep).len() <= 4_096 * (2 + 2 * DEEPEST));
    }
}
