//! [`Trigger`]: what of a text before the cursor asks for a completion. Pure.

use crate::ui::chat::slash;

/// Maximum number of characters behind the sign that are looked at.
const MAX_TYPED_CHARS: usize = 40;
/// Fewer letters behind `:` are more often a smiley or a time.
const MIN_EMOJI_CHARS: usize = 2;

/// What is completed.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Somebody's name.
    Name,
    /// An emoji.
    Emoji,
    /// A slash command, or what belongs to it.
    Command,
}

/// A sign before the cursor, and what was typed behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trigger {
    pub(super) kind: Kind,
    /// Where the sign stands, in characters.
    pub(super) begins: usize,
    /// Where the cursor stands.
    pub(super) ends: usize,
    /// What stands between the two, without the sign.
    pub(super) typed: String,
}

impl Trigger {
    /// Looks back from the cursor. A name may have spaces, an emoji's has none.
    pub(super) fn at(text: &str, cursor: usize) -> Option<Trigger> {
        let end = text.char_indices().nth(cursor).map_or(text.len(), |(at, _)| at);
        if let Some(begins) = slash::argument(&text[..end]) {
            let ends = cursor.min(text.chars().count());
            // All before the cursor is looked at: what may follow depends on the command.
            return Some(Trigger { kind: Kind::Command, begins, ends, typed: text[..end].to_owned() });
        }
        let mut typed = 0;
        let mut may_be_emoji = true;
        let mut back = text[..end].char_indices().rev();
        while let Some((at, c)) = back.next() {
            let kind = match c {
                '@' | '＠' | '﹫' => Kind::Name,
                ':' if may_be_emoji && typed >= MIN_EMOJI_CHARS => Kind::Emoji,
                _ if c == '\n' || typed >= MAX_TYPED_CHARS => return None,
                c => {
                    may_be_emoji &= c.is_alphanumeric() || matches!(c, '_' | '+' | '-');
                    typed += 1;
                    continue;
                }
            };
            let is_in_a_word = back.next().is_some_and(|(_, before)| match kind {
                Kind::Name | Kind::Command => before.is_alphanumeric() || before == '_',
                // A time, an address, a key and its value.
                Kind::Emoji => before.is_ascii_alphanumeric() || before == ':',
            });
            let typed_text = text[at + c.len_utf8()..end].to_owned();
            // Who wrote a space behind the sign means none.
            let is_meant = !typed_text.starts_with(char::is_whitespace);
            return (!is_in_a_word && is_meant).then(|| Trigger {
                kind,
                begins: cursor.min(text.chars().count()) - typed - 1,
                ends: cursor.min(text.chars().count()),
                typed: typed_text,
            });
        }
        None
    }
}

/// A whole `:name:` before the cursor, its closing colon included.
pub(super) fn closed(text: &str, cursor: usize) -> Option<Trigger> {
    let end = text.char_indices().nth(cursor).map_or(text.len(), |(at, _)| at);
    if !text[..end].ends_with(':') {
        return None;
    }
    let open = Trigger::at(text, cursor.min(text.chars().count()) - 1)?;
    (open.kind == Kind::Emoji).then(|| Trigger { ends: open.ends + 1, ..open })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<(Kind, String)> {
        Trigger::at(text, text.chars().count()).map(|trigger| (trigger.kind, trigger.typed))
    }

    #[test]
    fn a_sign_at_the_beginning_of_a_word_asks_for_a_completion() {
        for (text, kind, typed) in [
            ("@", Kind::Name, ""),
            ("hi @mi", Kind::Name, "mi"),
            ("안녕 @민", Kind::Name, "민"),
            ("(@Mina K", Kind::Name, "Mina K"),
            ("＠ju", Kind::Name, "ju"),
            (":sm", Kind::Emoji, "sm"),
            ("좋아요:하트", Kind::Emoji, "하트"),
            ("ok :+1", Kind::Emoji, "+1"),
        ] {
            assert_eq!(found(text), Some((kind, typed.to_owned())), "{text}");
        }
    }

    #[test]
    fn what_only_looks_like_one_is_left_alone() {
        for text in [
            "",
            "plain",
            "mina@home",
            "@ mina",
            "@mina\nnext",
            ":",
            ":)",
            ":D",
            "12:30",
            "std::io",
            "a:bc",
            "http://x",
            ": sm",
            ":smile: ok",
            "https://a.example:80",
        ] {
            assert_eq!(found(text), None, "{text}");
        }
    }

    #[test]
    fn the_place_is_that_of_the_sign_and_the_cursor() {
        let trigger = Trigger::at("안녕 @mi and more", 6).unwrap();
        assert_eq!((trigger.begins, trigger.ends, trigger.typed.as_str()), (3, 6, "mi"));
        assert_eq!(Trigger::at("x", 50), None);
    }
}
