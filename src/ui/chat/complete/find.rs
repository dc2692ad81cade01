//! [`Finder`]: who and which emoji fit what was typed, the likeliest first. What is looked through is prepared when a
//! completion begins and when people change, not with every letter.

use std::cmp::Reverse;

use super::trigger::{Kind, Trigger};
use crate::model::id::{ConnectionId, PrincipalId};
use crate::model::notices::EVERYBODY;
use crate::model::search::fold;
use crate::ui::Cx;
use crate::ui::chat::{emoji, slash};
use crate::ui::palette::fuzzy::{Query, Text};

/// Names are no longer than this, in characters.
const MAX_NAME_CHARS: usize = 64;

/// An entry of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::ui::chat) struct Found {
    /// What it is called.
    pub(in crate::ui::chat) label: String,
    /// What is put into the text.
    pub(in crate::ui::chat) insert: String,
    /// What stands before it.
    pub(in crate::ui::chat) face: Face,
}

/// What stands before an entry.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(in crate::ui::chat) enum Face {
    /// Whether somebody is online.
    Person(bool),
    /// The emoji that is put in.
    Emoji,
    /// Nothing.
    Plain,
}

fn of_emoji(named: &emoji::Named, label: String) -> Found {
    Found { label, insert: named.emoji.as_str().to_owned(), face: Face::Emoji }
}

/// Somebody who can be named.
struct Person {
    id: PrincipalId,
    name: String,
    text: Text,
}

/// What is looked through.
#[derive(Default)]
pub(super) struct Finder {
    people: Vec<Person>,
    /// Of which connection they are, and of which state of what is known of people.
    of: Option<(ConnectionId, u64, usize)>,
}

impl Finder {
    /// What fits, at most so much of it. Nothing where what was typed is the whole name of the only one that fits.
    pub(super) fn find(&mut self, cx: &Cx, id: ConnectionId, trigger: &Trigger, most: usize) -> Vec<Found> {
        match trigger.kind {
            Kind::Name => self.people(cx, id, &trigger.typed, most),
            Kind::Emoji => {
                let found = emoji::find(&trigger.typed).into_iter().take(most).map(|at| &emoji::all()[at]);
                found.map(|named| of_emoji(named, emoji::short_name(named, &trigger.typed))).collect()
            }
            Kind::Command => slash::complete(cx, id, &trigger.typed, most),
        }
    }

    /// The emoji of exactly this name.
    pub(super) fn emoji(&self, name: &str) -> Option<Found> {
        emoji::named(name).map(|named| of_emoji(named, format!(":{name}:")))
    }

    fn people(&mut self, cx: &Cx, id: ConnectionId, typed: &str, most: usize) -> Vec<Found> {
        self.prepare(cx, id);
        let query = Query::new(typed);
        let beside = Text::new("");
        let score =
            |person: &Person| if query.is_empty() { Some(0) } else { query.score(&person.text, &beside) };
        let scored: Vec<(u32, &Person)> =
            self.people.iter().filter_map(|person| Some((score(person)?, person))).collect();
        cx.model.read(|model| {
            let Some(connection) = model.connections.get(&id) else { return Vec::new() };
            let online =
                |id: &PrincipalId| connection.chat.people.get(id).is_some_and(|person| person.online);
            let mut ranked: Vec<(Reverse<u32>, bool, &Person)> = scored
                .into_iter()
                .map(|(score, person)| {
                    let online = online(&person.id);
                    // Of those that fit about as well, who is here.
                    (Reverse(score + if online { 1_000 } else { 0 }), !online, person)
                })
                .collect();
            ranked.sort_by(|a, b| (&a.0, &a.2.name).cmp(&(&b.0, &b.2.name)));
            ranked.truncate(most);
            let whole = fold::folded_name(typed.trim());
            let is_only = matches!(&ranked[..], [(.., one)] if fold::folded_name(&one.name) == whole);
            if is_only || whole == EVERYBODY {
                return Vec::new();
            }
            let entry = |(_, offline, person): (_, bool, &Person)| Found {
                label: connection.chat.known.shown(&person.id, &person.name, 60).label(),
                insert: format!("@{}", person.name),
                face: Face::Person(!offline),
            };
            // Everybody at once comes last, so that nobody is disturbed by an Enter too much.
            let everybody = EVERYBODY.starts_with(&whole).then(|| Found {
                label: cx.words.chat.everybody_here.to_owned(),
                insert: format!("@{EVERYBODY}"),
                face: Face::Plain,
            });
            let most = most - usize::from(everybody.is_some());
            ranked.into_iter().map(entry).take(most).chain(everybody).collect()
        })
    }

    /// Prepares the people of a connection: all but oneself and devices.
    fn prepare(&mut self, cx: &Cx, id: ConnectionId) {
        let state = cx.model.read(|model| {
            let connection = model.connections.get(&id)?;
            Some((id, connection.chat.known.version(), connection.chat.people.len()))
        });
        if self.of == state {
            return;
        }
        self.of = state;
        self.people = cx.model.read(|model| {
            let Some(connection) = model.connections.get(&id) else { return Vec::new() };
            let me = connection.chat.me.as_ref().map(|me| &me.id);
            let others = connection
                .chat
                .people
                .values()
                .filter(|person| person.who.kind.chats() && Some(&person.who.id) != me);
            others
                .map(|person| {
                    let name = crate::ui::harmless::line(&person.who.name, MAX_NAME_CHARS);
                    Person { id: person.who.id.clone(), text: Text::new(&name), name }
                })
                .collect()
        });
    }
}
