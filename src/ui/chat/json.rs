//! JSON put on lines of its own without a change to any of its tokens: numbers keep their digits, objects the order of their
//! fields and fields that are there twice.

use serde::de::IgnoredAny;

/// What is longer once it is formatted is shown as it came, in bytes.
const MAX_FORMATTED_BYTES: usize = 8 * 1024 * 1024;

/// Why a text is not formatted.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum NotFormatted {
    /// It is no JSON from here on: line and column, from 1.
    NotJson(usize, usize),
    /// It would be too long.
    TooLong,
}

/// Whether a text may be JSON that is worth formatting: an object or a list.
pub(super) fn looks_like_json(text: &str) -> bool {
    let text = text.trim();
    (text.starts_with('{') && text.ends_with('}')) || (text.starts_with('[') && text.ends_with(']'))
}

/// Where a text stops being JSON, by line and column from 1; none where all of it is.
pub(super) fn fault(text: &str) -> Option<(usize, usize)> {
    serde_json::from_str::<IgnoredAny>(text).err().map(|error| (error.line(), error.column().max(1)))
}

/// The text with each value on a line of its own.
pub(super) fn format(text: &str) -> Result<String, NotFormatted> {
    if let Some((line, column)) = fault(text) {
        return Err(NotFormatted::NotJson(line, column));
    }
    let mut out = String::with_capacity(text.len() * 2);
    let mut depth = 0_usize;
    let (mut in_string, mut escaped) = (false, false);
    let mut tokens = text.char_indices().peekable();
    while let Some((at, c)) = tokens.next() {
        if in_string {
            out.push(c);
            in_string = escaped || c != '"';
            escaped = !escaped && c == '\\';
            continue;
        }
        match c {
            ' ' | '\t' | '\r' | '\n' => {}
            '"' => {
                in_string = true;
                out.push(c);
            }
            '{' | '[' => {
                out.push(c);
                let closes = text[at + 1..].trim_start().starts_with(if c == '{' { '}' } else { ']' });
                if closes {
                    // Nothing in it: the other bracket stands beside it.
                    while tokens.next_if(|(_, c)| c.is_ascii_whitespace()).is_some() {}
                    out.extend(tokens.next().map(|(_, c)| c));
                } else {
                    depth += 1;
                    new_line(&mut out, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                new_line(&mut out, depth);
                out.push(c);
            }
            ',' => {
                out.push(c);
                new_line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            c => out.push(c),
        }
        if out.len() > MAX_FORMATTED_BYTES {
            return Err(NotFormatted::TooLong);
        }
    }
    Ok(out)
}

fn new_line(out: &mut String, depth: usize) {
    out.push('\n');
    out.extend(std::iter::repeat_n("  ", depth));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_stay_as_they_are() {
        let text = r#" {"b":1.0e5,"a":[1 , 2],"a":18446744073709551616,"e":{ },"l":[],"s":"{\"x\\\":[,]}"} "#;
        let lines = [
            "{",
            "  \"b\": 1.0e5,",
            "  \"a\": [",
            "    1,",
            "    2",
            "  ],",
            "  \"a\": 18446744073709551616,",
            "  \"e\": {},",
            "  \"l\": [],",
            r#"  "s": "{\"x\\\":[,]}""#,
            "}",
        ];
        assert_eq!(format(text), Ok(lines.join("\n")));
        assert_eq!(format("7"), Ok("7".to_owned()));
    }

    #[test]
    fn what_is_no_json_says_where() {
        assert_eq!(format("{\n \"a\": }"), Err(NotFormatted::NotJson(2, 7)));
        assert!(matches!(format(""), Err(NotFormatted::NotJson(..))));
        assert_eq!(fault("[1, 2]"), None);
        assert!(
            looks_like_json(" [1]\n")
                && looks_like_json("{}")
                && !looks_like_json("{\"a\"")
                && !looks_like_json("7")
        );
    }

    #[test]
    fn a_text_that_grows_without_measure_is_left_as_it_is() {
        let deep = format!("{}1{}", "[".repeat(100), "]".repeat(100));
        let many = format!("[{}]", vec![deep; 4_000].join(","));
        assert_eq!(format(&many), Err(NotFormatted::TooLong));
    }
}
