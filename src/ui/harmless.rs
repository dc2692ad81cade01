//! Text from outside, shown harmless: control characters, direction overrides and invisible characters become
//! visible marks, so that no one can make a line say what it does not. What is stored and copied stays as it was.

use std::borrow::Cow;

/// What to do with a character.
#[derive(Copy, Clone, PartialEq, Eq)]
enum Kind {
    /// Show it as it is.
    Plain,
    /// A joiner: part of many emoji and scripts, invisible elsewhere.
    Joiner,
    /// Chooses how the character before it looks.
    Variation,
    /// Part of a flag, after a black flag alone.
    Tag,
    /// Show its name instead.
    Mark,
}

fn kind(c: char) -> Kind {
    match c {
        '\n' | '\t' => Kind::Plain,
        '\u{200C}' | '\u{200D}' => Kind::Joiner,
        '\u{FE00}'..='\u{FE0F}' | '\u{E0100}'..='\u{E01EF}' => Kind::Variation,
        '\u{E0020}'..='\u{E007F}' => Kind::Tag,
        // Direction: ALM, LRM, RLM, embeddings, overrides, isolates.
        '\u{61C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => Kind::Mark,
        // Invisible: soft hyphen, zero-width spaces, word joiner and invisible operators, fillers, byte order mark.
        '\u{AD}'
        | '\u{180E}'
        | '\u{200B}'
        | '\u{2060}'..='\u{2065}'
        | '\u{206A}'..='\u{206F}'
        | '\u{FEFF}' => Kind::Mark,
        '\u{34F}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{3164}' | '\u{FFA0}' => Kind::Mark,
        // Line and paragraph separators, interlinear marks, tags that belong to no flag, private use beyond the planes.
        '\u{2028}' | '\u{2029}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E001F}' => Kind::Mark,
        c if c.is_control() => Kind::Mark,
        _ => Kind::Plain,
    }
}

/// Text of several lines. Line breaks and tabs stay; `\r\n` is a line break.
pub fn text(text: &str) -> Cow<'_, str> {
    if text.is_ascii() && !text.bytes().any(|b| b == 0x7F || (b < 0x20 && b != b'\n' && b != b'\t')) {
        return Cow::Borrowed(text);
    }
    if text.chars().all(|c| kind(c) == Kind::Plain) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    let mut before = None;
    let mut in_flag = false;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let after = chars.peek().copied();
        let keep = match kind(c) {
            Kind::Plain => true,
            Kind::Joiner => joins(before) && joins(after),
            Kind::Variation => before.is_some_and(|b: char| !b.is_whitespace() && kind(b) == Kind::Plain),
            Kind::Tag => in_flag,
            Kind::Mark => false,
        };
        in_flag = c == '\u{1F3F4}' || (in_flag && kind(c) == Kind::Tag);
        if keep {
            out.push(c);
        } else if !(c == '\r' && after == Some('\n')) {
            mark(&mut out, c);
        }
        before = Some(c);
    }
    Cow::Owned(out)
}

/// Text of one line, such as a name: line breaks and tabs are marks too, and it ends after `most` characters.
pub fn line(text: &str, most: usize) -> String {
    let mut out = String::new();
    for (count, c) in self::text(text).chars().enumerate() {
        if count == most {
            out.push('…');
            break;
        }
        match c {
            '\n' | '\t' => mark(&mut out, c),
            c => out.push(c),
        }
    }
    out
}

/// Joiners have work to do between letters that take part in shaping, and between emoji: never beside ASCII, Latin,
/// Greek or Cyrillic letters.
fn joins(neighbour: Option<char>) -> bool {
    neighbour.is_some_and(|c| c >= '\u{590}' && kind(c) != Kind::Mark && !c.is_whitespace())
}

fn mark(out: &mut String, c: char) {
    use std::fmt::Write;
    // Writing to a string cannot fail.
    let _ = match c {
        // Control pictures stand right above U+2400.
        '\0'..='\u{1F}' => write!(out, "{}", char::from_u32(0x2400 + c as u32).unwrap_or('?')),
        '\u{7F}' => write!(out, "\u{2421}"),
        c => write!(out, "⟨U+{:04X}⟩", c as u32),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_text_is_left_alone() {
        for same in [
            "plain\n\ttext",
            "한국어 문장",
            "שלום עולם",
            "مرحبا بالعالم",
            "می\u{200C}خواهم",
            "क्\u{200D}ष",
            "👩\u{200D}💻 🏳\u{FE0F}\u{200D}🌈 ❤\u{FE0F} 1\u{FE0F}\u{20E3}",
            "🏴\u{E0067}\u{E0062}\u{E0073}\u{E0063}\u{E0074}\u{E007F}",
        ] {
            assert_eq!(text(same), same);
            assert!(matches!(text("plain"), Cow::Borrowed(_)));
        }
    }

    #[test]
    fn what_hides_becomes_visible() {
        assert_eq!(text("a\0b\u{1b}[31m\u{7f}"), "a␀b␛[31m␡");
        assert_eq!(text("\u{85}"), "⟨U+0085⟩");
        assert_eq!(text("user\u{202E}txt.exe"), "user⟨U+202E⟩txt.exe");
        assert_eq!(text("\u{2066}x\u{2069}"), "⟨U+2066⟩x⟨U+2069⟩");
        assert_eq!(text("pay\u{200B}pal\u{200D}x"), "pay⟨U+200B⟩pal⟨U+200D⟩x");
        assert_eq!(text("one\r\ntwo\rthree"), "one\ntwo␍three");
        assert_eq!(text("x\u{E0041}"), "x⟨U+E0041⟩");
    }

    #[test]
    fn a_name_is_one_short_line() {
        assert_eq!(line("Mina\nAdmin", 40), "Mina␊Admin");
        assert_eq!(line("abcdef", 3), "abc…");
    }

    #[test]
    fn no_invisible_character_is_left() {
        let all: String = (0..=0x10FFFF).filter_map(char::from_u32).collect();
        let shown = text(&all);
        for c in shown.chars() {
            assert!(kind(c) != Kind::Mark, "{:04X}", c as u32);
        }
    }
}
