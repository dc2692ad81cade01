//! [`People`]: who was seen at a server: names for ids, and which words are names.

use std::collections::{HashMap, HashSet};

use super::Who;

/// Maximum number of ids and of names kept.
const MAX_PEOPLE: usize = 10_000;
/// Longest name that is kept, in bytes of UTF-8.
const MAX_NAME_BYTES: usize = 256;
/// Longest name before a colon, in characters.
const MAX_PREFIX_CHARS: usize = 32;

/// Words at the beginning of a sentence that are nobody's name.
const NOT_NAMES: &[&str] = &[
    "a", "an", "the", "user", "someone", "somebody", "what", "who", "there", "it", "this", "that", "nobody",
    "everyone", "which",
];

#[derive(Clone, Debug, Default)]
pub(super) struct People {
    names: HashMap<String, String>,
    known: HashSet<String>,
    my_ids: HashSet<String>,
    my_names: HashSet<String>,
}

impl People {
    /// We are this one.
    pub fn i_am(&mut self, who: &Who) {
        let fits = |set: &HashSet<String>, text: &String| {
            set.len() < 16 && !text.is_empty() && text.len() <= MAX_NAME_BYTES
        };
        if let Some(id) = who.id.as_ref().filter(|id| fits(&self.my_ids, id)) {
            self.my_ids.insert(id.clone());
        }
        if let Some(name) = who.name.as_ref().filter(|name| fits(&self.my_names, name)) {
            self.my_names.insert(name.clone());
        }
    }

    pub fn is_me(&self, who: &Who) -> bool {
        who.id.as_ref().is_some_and(|id| self.my_ids.contains(id) || self.my_names.contains(id))
            || who
                .name
                .as_ref()
                .is_some_and(|name| self.my_names.contains(name) || self.my_ids.contains(name))
    }

    /// Somebody was seen.
    pub fn seen(&mut self, who: &Who) {
        let Some(name) = who.name.as_ref().filter(|name| name.len() <= MAX_NAME_BYTES) else { return };
        if let Some(id) = who.id.as_ref().filter(|id| id.len() <= MAX_NAME_BYTES)
            && (self.names.len() < MAX_PEOPLE || self.names.contains_key(id))
        {
            self.names.insert(id.clone(), name.clone());
        }
        if self.known.len() < MAX_PEOPLE {
            self.known.insert(name.clone());
        }
    }

    /// Somebody with the name or the id that was seen with the other.
    pub fn complete(&self, mut who: Who) -> Who {
        if who.name.is_none()
            && let Some(id) = &who.id
        {
            who.name = self.names.get(id).cloned();
        } else if who.id.is_none()
            && let Some(name) = who.name.as_ref().and_then(|name| self.names.get(name))
        {
            // What was taken for a name is an id.
            (who.id, who.name) = (who.name.take(), Some(name.clone()));
        }
        who
    }

    pub fn is_known(&self, name: &str) -> bool {
        self.known.contains(name) || self.my_names.contains(name)
    }

    /// A sentence of the server names somebody at its beginning: `jun has joined`.
    pub fn learn(&mut self, sentence: &str) {
        // `* jun has joined`
        let sentence = sentence.trim_start_matches(|c: char| !c.is_alphanumeric());
        let words: Vec<&str> = sentence.split_whitespace().take(6).collect();
        let verbs =
            ["has", "have", "joined", "joins", "entered", "left", "connected", "disconnected", "is", "just"];
        let Some(place) = words.iter().position(|word| verbs.contains(word)).filter(|place| *place > 0)
        else {
            return;
        };
        let begins = words[place..].iter().any(|word| {
            let word = word.trim_end_matches(|c: char| !c.is_alphanumeric());
            ["joined", "joins", "entered", "left", "connected", "disconnected", "online", "offline"]
                .contains(&word)
        });
        let is_article = NOT_NAMES.contains(&words[0].to_lowercase().as_str());
        if begins && !is_article && place <= 2 {
            self.seen(&Who::named(words[..place].join(" ")));
        }
    }

    /// Splits `jun: hi` where the part before the colon is somebody: seen before, or written as only programs do, without a
    /// blank after the colon. `<jun> hi` and `[jun] hi`, too. `trusts`: this source writes all its messages so.
    pub fn split<'a>(&self, text: &'a str, trusts: bool) -> Option<(&'a str, &'a str)> {
        for (open, close) in [('<', '>'), ('[', ']')] {
            if let Some((name, rest)) = text.strip_prefix(open).and_then(|text| text.split_once(close)) {
                let is_name = is_prefix(name) && !name.starts_with('/') && rest.starts_with([' ', ':']);
                let is_sure = trusts || self.is_known(name) || open == '<' || rest.starts_with(": ");
                return (is_name && is_sure).then(|| (name, rest.trim_start_matches([' ', ':'])));
            }
        }
        let (name, rest) = text.split_once(':')?;
        let name = name.trim_end();
        let is_address = rest.starts_with("//")
            || rest.starts_with(|c: char| c.is_ascii_digit()) && name.ends_with(|c: char| c.is_ascii_digit());
        if !is_prefix(name) || is_address || rest.trim().is_empty() {
            return None;
        }
        let by_program =
            !rest.starts_with(char::is_whitespace) && !name.contains(char::is_whitespace) && !is_scheme(name);
        (trusts || self.is_known(name) || by_program).then(|| (name, rest.trim_start()))
    }
}

/// `mailto:`, `tel:` and the like.
fn is_scheme(name: &str) -> bool {
    ["http", "https", "mailto", "tel", "ftp", "ws", "wss", "data", "urn", "file", "geo", "sms", "duplex"]
        .contains(&name.to_lowercase().as_str())
}

fn is_prefix(name: &str) -> bool {
    let begins = name.chars().next().is_some_and(|c| c.is_alphabetic() || c == '_' || c == '@' || c == '#');
    begins
        && name.chars().count() <= MAX_PREFIX_CHARS
        && name.split_whitespace().count() <= 3
        && !name.contains(['"', '{', '}', '(', ')', '=', '?', '!', ',', ';', '/', '\\'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_before_a_colon_is_somebody_only_where_that_is_known_or_a_program_wrote_it() {
        let mut people = People::default();
        for text in [
            "note: buy milk",
            "http://x",
            "10:30",
            "see 10:30",
            "mailto:a@b",
            "wait, what: no",
            "{\"a\":1}",
            "jun:",
            ":smile:",
            "jun: hi",
            "[x] done",
            "<b>hi</b>",
            "a name of more than three words:y",
        ] {
            assert_eq!(people.split(text, false), None, "{text}");
        }
        assert_eq!(people.split("jun:hi", false), Some(("jun", "hi")));
        assert_eq!(people.split("jun:see 10:30", false), Some(("jun", "see 10:30")));
        assert_eq!(people.split("<jun> hi", false), Some(("jun", "hi")));
        people.learn("jun has entered the room.");
        people.learn("Kim Jun joined");
        assert_eq!(people.split("jun: hi", false), Some(("jun", "hi")));
        assert_eq!(people.split("[jun] hi", false), Some(("jun", "hi")));
        assert_eq!(people.split("Kim Jun: see: this", false), Some(("Kim Jun", "see: this")));
        assert_eq!(people.split("note: buy milk", false), None);
        assert_eq!(people.split("mina: hi", true), Some(("mina", "hi")));
    }

    #[test]
    fn sentences_that_name_nobody_teach_nothing() {
        let mut people = People::default();
        for text in
            ["A user has joined", "the server is up", "someone left", "what is left of it", "has joined"]
        {
            people.learn(text);
        }
        assert!(people.known.is_empty(), "{:?}", people.known);
    }

    #[test]
    fn ids_and_names_complete_each_other() {
        let mut people = People::default();
        people.seen(&Who { id: Some("b1".into()), name: Some("jun".into()) });
        let jun = Who { id: Some("b1".into()), name: Some("jun".into()) };
        assert_eq!(people.complete(Who { id: Some("b1".into()), name: None }), jun);
        assert_eq!(people.complete(Who::named("b1")), jun);
        assert_eq!(people.complete(Who::named("mina")), Who::named("mina"));
    }
}
