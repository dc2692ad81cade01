//! Texts, numbers and flags in a row, as an event's arguments: `("jun", "hi")`, `("shed", 21.5)`.

use std::borrow::Cow;

use serde_json::Value;

use super::{Recognizer, is_server, is_signaling, known_within, note, notice, tells};
use crate::mapping::listed::came_or_went;
use crate::mapping::shape::{self, Shape, word};
use crate::mapping::words::{self, Meaning};
use crate::mapping::{Found, Incoming, RoomKey, Said, Who, readings, time};

impl Recognizer {
    /// Words, numbers or flags, maybe with a list or an object after them.
    pub(super) fn row(
        &mut self,
        incoming: &Incoming,
        args: &[Cow<'_, Value>],
        meaning: Option<Meaning>,
    ) -> Vec<Found> {
        let room = word(&args[0]).map(|key| RoomKey { key, name: None });
        let within = |found| known_within(found, room.as_ref());
        // `("lobby", [{"text": "old", "user": "jun"}])`
        let list = args[1..].iter().find_map(|arg| arg.as_array());
        if let Some(found) = list.and_then(|list| within(self.list(incoming, list, meaning))) {
            return found;
        }
        let Some(map) = args[1..].iter().find_map(|arg| arg.as_object()) else {
            return self.plain(incoming, args, meaning);
        };
        let mut shape = Shape::of(map);
        // `("jun", {"text": "hi"})`
        if shape.text.is_some() {
            self.add_positional(&mut shape, &args[..1]);
            return self.object(incoming, map, &shape, meaning.or(Some(Meaning::Message)));
        }
        match (meaning, args[0].as_str()) {
            _ if is_signaling(map) => vec![Found::Unmapped],
            // `("hi", {"user": "jun"})`
            (Some(Meaning::Message), Some(text)) if shape.who.is_some() => {
                shape.text = Some(text.to_owned());
                self.object(incoming, map, &shape, meaning)
            }
            // `("lobby", {"user": "jun", "typing": true})`
            (None | Some(Meaning::Notice | Meaning::People), text)
                if text.is_none_or(|text| !text.contains(char::is_whitespace)) =>
            {
                let found = self.guess_event(&Incoming { args: &[map.clone().into()], ..*incoming });
                within(found).unwrap_or_else(|| self.plain(incoming, args, meaning))
            }
            _ => self.plain(incoming, args, meaning),
        }
    }

    /// Texts, numbers and flags in a row.
    pub(super) fn plain(
        &mut self,
        incoming: &Incoming,
        args: &[Cow<'_, Value>],
        meaning: Option<Meaning>,
    ) -> Vec<Found> {
        let texts: Vec<&str> =
            args.iter().filter_map(|arg| arg.as_str()).filter(|text| !text.trim().is_empty()).collect();
        let who = self.who_in(&texts);
        let is_sentence = texts.first().is_some_and(|text| {
            text.split_whitespace().count() > 2 || text.contains(char::is_whitespace) && tells(text)
        });
        let found = match (meaning, texts.as_slice()) {
            (Some(Meaning::Nothing), _) => return Vec::new(),
            // Of a widely copied tutorial.
            (None, [_]) if !is_sentence && incoming.source == "activity" => {
                Some(Found::Typing { room: None, who, on: true })
            }
            (Some(meant @ (Meaning::Typing | Meaning::TypingEnded)), _) => {
                let on = args.iter().find_map(|arg| arg.as_bool()).unwrap_or(true);
                // `jun is typing`
                let name = texts.first().and_then(|text| text.split_once(" is typing"));
                let who = name.map(|(name, _)| Who::named(name)).or(who.filter(|_| !is_sentence));
                Some(Found::Typing { room: None, who, on: on && meant == Meaning::Typing })
            }
            (Some(meant @ (Meaning::Joined | Meaning::Left)), [text, ..]) => match is_sentence {
                true => Some(notice(text)),
                false => self.came_in(incoming, &texts, meant == Meaning::Joined),
            },
            (Some(Meaning::Other), _) => None,
            (Some(Meaning::People), [_]) if !is_sentence => who.map(|who| Found::Joined { room: None, who }),
            (Some(Meaning::Me), []) => word(&args[0]).map(|id| Found::Me(Who { id: Some(id), name: None })),
            (Some(Meaning::Me), [text]) if !is_sentence => {
                let is_id = shape::is_socket(text) || words::folded(incoming.source).ends_with("id");
                let who = Who { id: Some((*text).to_owned()), name: None };
                Some(Found::Me(if is_id { who } else { Who::named(*text) }))
            }
            // `("jun", 3)`: who, and how many are there.
            (Some(Meaning::Notice), [_])
                if incoming.source == "welcome" && args.len() == 2 && args[1].is_u64() =>
            {
                who.map(|who| Found::Joined { room: None, who })
            }
            (Some(Meaning::Notice | Meaning::Me | Meaning::People), [text, ..]) => Some(notice(text)),
            (Some(Meaning::Message | Meaning::History), []) => args
                .first()
                .and_then(|value| word(value))
                .map(|text| Found::Message(Said { text, ..Said::default() })),
            (Some(Meaning::Message | Meaning::History), _) => Some(self.positional(incoming, &texts)),
            (None, [text]) if is_sentence && tells(text) => Some(notice(text)),
            (None, [_, ..]) => {
                self.measured_in(incoming, args).or_else(|| Some(self.positional(incoming, &texts)))
            }
            _ => self.measured_in(incoming, args),
        };
        vec![found.unwrap_or(Found::Unmapped)]
    }

    /// Who came or went, by words in a row.
    fn came_in(&self, incoming: &Incoming, texts: &[&str], came: bool) -> Option<Found> {
        match texts {
            // What we joined: `("joined_room", "lobby")`.
            [text] if words::is_of_room(incoming.source) && !self.people.is_known(text) => None,
            // `("lobby", "hEo3bTq0x1AAAAAAAAAB")`
            [room, id] if shape::is_socket(id) && !shape::is_socket(room) => {
                let room = RoomKey { key: (*room).to_owned(), name: None };
                Some(came_or_went(Some(room), shape::somebody((*id).to_owned()), came))
            }
            texts => Some(came_or_went(None, self.who_in(texts)?, came)),
        }
    }

    /// Whom words name: usually the first; what is known of people says so.
    fn who_in(&self, texts: &[&str]) -> Option<Who> {
        let first = *texts.first()?;
        let other = texts.get(1).filter(|other| self.people.is_known(other) && !self.people.is_known(first));
        Some(Who::named(*other.unwrap_or(&first)))
    }

    /// Readings in texts, numbers and flags, unless somebody says them.
    fn measured_in(&self, incoming: &Incoming, args: &[Cow<'_, Value>]) -> Option<Found> {
        let text = args[0].as_str();
        if text.is_some_and(|text| self.people.is_known(text) || self.is_typed(text)) {
            return None;
        }
        let measured = match (args, text) {
            ([_], Some(text)) => readings::in_text(incoming.source, text),
            ([_], None) => None,
            _ => readings::in_row(incoming.source, args),
        };
        measured.or_else(|| readings::of(incoming.source, &args[0], None, "")).map(Found::Readings)
    }

    /// `("hi")`, `("hi", "jun")`, `("jun", "hi")`, with the room or a time after them.
    fn positional(&mut self, incoming: &Incoming, texts: &[&str]) -> Found {
        let mut said = Said::default();
        // `("12:30:00", "hi")`
        let texts = if texts.len() > 1 && is_clock(texts[0]) { &texts[1..] } else { texts };
        let (first, rest) = match texts {
            [] => return Found::Unmapped,
            [text] => {
                said.text = (*text).to_owned();
                self.follow(incoming.source, 1, text);
                self.split(incoming.source, &mut said);
                return Found::Message(said);
            }
            [first, rest @ ..] => (*first, rest),
        };
        let (second, others) = (rest[0], &rest[1..]);
        let name_first = self.is_name_first(incoming.source, first, second);
        let (text, name) = if name_first { (second, first) } else { (first, second) };
        if is_server(name) {
            return notice(text);
        }
        said.text = text.to_owned();
        said.who = Some(shape::somebody(name.to_owned()));
        for other in others {
            match time::of(&Value::from(*other)) {
                Some(at) => said.at = Some(at),
                None if said.room.is_none() && other.chars().count() <= 64 && !other.contains(':') => {
                    said.room = Some(RoomKey { key: (*other).to_owned(), name: None });
                }
                None => {}
            }
        }
        self.follow(incoming.source, if name_first { 3 } else { 2 }, text);
        Found::Message(said)
    }

    /// What is typed is to look like this.
    fn follow(&mut self, source: &str, form: u8, text: &str) {
        if self.learned.is_to_follow(source, words::meaning(source) == Some(Meaning::Message)) {
            self.learned.bare(source, form, self.is_typed(text));
        }
    }

    /// Whether the name comes before the words. Usually it does not; what is known of people and of our own words says so.
    fn is_name_first(&mut self, source: &str, first: &str, second: &str) -> bool {
        // Of a widely copied tutorial.
        if words::folded(source) == "updatechat" {
            return true;
        }
        let known = (self.people.is_known(first), self.people.is_known(second));
        let words = |text: &str| text.split_whitespace().count();
        let sure = match (self.is_typed(first), self.is_typed(second), known) {
            (true, false, _) => Some(false),
            (false, true, _) => Some(true),
            _ if shape::is_socket(first) != shape::is_socket(second) => Some(shape::is_socket(first)),
            (.., (true, false)) => Some(true),
            (.., (false, true)) => Some(false),
            _ if words(second) > 3 && words(first) == 1 => Some(true),
            _ if words(first) > 3 => Some(false),
            _ => None,
        };
        match sure {
            Some(is) => {
                note(&mut self.name_first, source, is);
                is
            }
            None => self.name_first.get(source).copied().unwrap_or(false),
        }
    }
}

/// Whether a text is a time of day or a date.
fn is_clock(text: &str) -> bool {
    let is_time = text.starts_with(|c: char| c.is_ascii_digit())
        && text.contains(':')
        && text
            .chars()
            .all(|c| c.is_ascii_digit() || matches!(c, ':' | '.' | ' ' | 'A' | 'P' | 'M' | 'a' | 'p' | 'm'));
    is_time || text.contains('-') && time::of(&text.into()).is_some()
}
