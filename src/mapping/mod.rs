//! What a foreign server sends, in terms of Duplex: which of it is chat, who said it, what is a device's reading, and what a typed
//! message becomes there. Pure: [`Recognizer`] is given events (or messages of a destination) with their values and says what it
//! [`Found`]. It recognizes the common shapes by itself; a [`Mapping`] says what is different on one server: see MAPPING.md.

mod document;
mod echo;
mod envelope;
mod guess;
mod listed;
pub mod mqtt;
mod path;
mod people;
pub mod presets;
mod readings;
mod rules;
mod send;
mod shape;
pub mod socket;
mod time;
mod words;

pub use document::{Emit, InvalidMapping, Mapping, Rule, What};
pub use echo::{ECHO_MS, Echoes};
pub use guess::Recognizer;
pub use path::{InvalidPath, Path};
pub use send::{Outgoing, Typed, text_of};
pub use shape::without_secrets;

use serde_json::Value;

use crate::model;
use crate::model::time::WallMs;

/// Something that a server sent.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Incoming<'a> {
    /// The event's name, or the destination.
    pub source: &'a str,
    /// Its arguments, or the body alone: JSON, else text.
    pub args: &'a [Value],
}

/// Somebody, as far as a server says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Who {
    /// The server's id for them.
    pub id: Option<String>,
    /// Their name.
    pub name: Option<String>,
}

impl Who {
    /// Somebody of whom only the name is known.
    pub fn named(name: impl Into<String>) -> Self {
        Who { id: None, name: Some(name.into()) }
    }

    /// What to call them: the name, else the id.
    pub fn title(&self) -> &str {
        self.name.as_deref().or(self.id.as_deref()).unwrap_or_default()
    }

    /// What tells them from others: the id, else the name.
    pub fn key(&self) -> &str {
        self.id.as_deref().or(self.name.as_deref()).unwrap_or_default()
    }
}

/// A room that a server names.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RoomKey {
    /// What the server calls it, or whom a direct message is with.
    pub key: String,
    /// What to show instead; none: the key.
    pub name: Option<String>,
}

/// A message.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Said {
    /// Who said it; none where the server doesn't say.
    pub who: Option<Who>,
    /// Where; none: in the one room that it came from.
    pub room: Option<RoomKey>,
    /// The words.
    pub text: String,
    /// The server's id for it.
    pub id: Option<String>,
    /// When it was said, in milliseconds since 1970.
    pub at: Option<WallMs>,
    /// Whether we said it; none where the server doesn't say.
    pub mine: Option<bool>,
    /// Whether it is told as something that was said earlier.
    pub old: bool,
}

/// The readings of one device.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// The device; none: the source of the event.
    pub device: String,
    /// Each metric with its value and unit, which may be empty.
    pub values: Vec<(String, model::Value, String)>,
    /// When, in milliseconds since 1970.
    pub at: Option<WallMs>,
}

/// What was found in something that a server sent.
#[derive(Clone, Debug, PartialEq)]
pub enum Found {
    /// A message.
    Message(Said),
    /// A message of which the server doesn't send the words here.
    Wordless {
        /// Who.
        who: Option<Who>,
        /// Where.
        room: Option<RoomKey>,
    },
    /// Words of the server itself.
    Notice {
        /// Where.
        room: Option<RoomKey>,
        /// The words.
        text: String,
    },
    /// Somebody came.
    Joined {
        /// Where; none: at this server.
        room: Option<RoomKey>,
        /// Who.
        who: Who,
    },
    /// Somebody went.
    Left {
        /// Where; none: from this server.
        room: Option<RoomKey>,
        /// Who.
        who: Who,
    },
    /// Somebody is typing, or no more.
    Typing {
        /// Where.
        room: Option<RoomKey>,
        /// Who; none where the server doesn't say.
        who: Option<Who>,
        /// Whether they are.
        on: bool,
    },
    /// Who is there, and whether they are connected: all of them.
    People {
        /// Where; none: at this server.
        room: Option<RoomKey>,
        /// Each.
        people: Vec<(Who, bool)>,
    },
    /// Who we are there.
    Me(Who),
    /// Readings.
    Readings(Measured),
    /// Nothing that is known.
    Unmapped,
}

impl Found {
    /// The same in a room, unless it names one itself.
    fn within(mut self, place: Option<&RoomKey>) -> Self {
        let room = match &mut self {
            Found::Message(said) => &mut said.room,
            Found::Wordless { room, .. }
            | Found::Notice { room, .. }
            | Found::Joined { room, .. }
            | Found::Left { room, .. }
            | Found::Typing { room, .. }
            | Found::People { room, .. } => room,
            Found::Me(_) | Found::Readings(_) | Found::Unmapped => return self,
        };
        if room.is_none() {
            *room = place.cloned();
        }
        self
    }
}
