//! [`Draft`]: what somebody wrote, unchanged from the input field to a server's disk; [`Content`]: the kinds of it, and
//! their JSON. What this version does not understand is kept beside the rest, so that it can be encoded again as it was.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use super::id::{MessageId, Offset, PrincipalId, RoomId, RoomName};
use super::principal::Sender;
use super::time::WallMs;

/// The kind of a message, on the wire and on the disk. Whatever has words for a person is of this kind.
pub const MESSAGE: &str = "message";
/// The kind of what makes a room.
pub const ROOM: &str = "room";
/// The field of a room's entries in which it is said what the room is about.
const TOPIC: &str = "topic";
/// The kind of what replaces a message's words.
pub const EDIT: &str = "edit";
/// The kind of what deletes a message.
pub const DELETE: &str = "delete";
/// The kind of what adds an emoji to a message, or takes it back.
pub const REACTION: &str = "reaction";
/// The kind of what pins a message to its room, or unpins it.
pub const PIN: &str = "pin";
/// The kinds that change a message.
pub const CHANGES: [&str; 4] = [EDIT, DELETE, REACTION, PIN];
/// The field of a message that names the message it replies to.
pub const REPLY_TO: &str = "reply_to";
/// The field of a message that names the first message of the thread it belongs to.
pub const THREAD: &str = "thread";
/// The field of a message that describes the file that belongs to it; see [`super::file`].
pub const FILE: &str = "file";
/// The field of a message of a thread by which it is shown in its room, too.
pub const ALSO_IN_ROOM: &str = "also_in_room";
/// The field in which a server says by whom and when a message was deleted.
pub const DELETED: &str = "deleted";
/// The field in which a server says where in its log the message is that an entry refers to.
pub const TARGET_OFFSET: &str = "target_offset";
/// The kind of what changes a room.
pub const ROOM_CHANGE: &str = "room_change";
/// The kind of what changes who is a member of a room.
pub const MEMBER: &str = "member";
/// The field of a message of ours that its server never confirmed.
pub const UNCONFIRMED: &str = "unconfirmed";
/// The field of a row that says that messages may be missing before it.
pub const GAP: &str = "gap";
/// Maximum length of an emoji, in bytes of UTF-8. The longest that Unicode recommends has 35.
pub const MAX_EMOJI_BYTES: usize = 64;
/// Fields that a server gives to an entry. In what a client sends they are ignored.
const OF_ENTRY: [&str; 3] = ["offset", "sender", "received"];
/// What naming a message takes, in bytes of JSON.
const TARGET_BYTES: usize = 36;
/// Fields of the message that carries a draft.
const OF_SEND: [&str; 3] = ["type", "seq", "retry"];

/// Something written, not yet in a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// Its id: unique with its sender, for ever.
    pub id: MessageId,
    /// Where.
    pub room: RoomId,
    /// What.
    pub content: Content,
    /// When, by the sender's clock.
    pub at: WallMs,
}

/// What an entry of a log says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Words for a person.
    Text {
        /// They make sense alone, to a version that knows none of the other fields.
        body: String,
        /// Fields that this version does not know.
        extra: Extra,
    },
    /// A room is made.
    Room {
        /// What it is called; none: like its id.
        name: Option<RoomName>,
        /// Who is in it, where not everybody knows of it.
        private: Option<Private>,
        /// Fields that this version does not know.
        extra: Extra,
    },
    /// A room is changed: whatever is there of it.
    RoomChange {
        /// What it is called from now on.
        name: Option<RoomName>,
        /// What it is about; may be empty.
        topic: Option<String>,
        /// Whether it takes no new messages.
        archived: Option<bool>,
        /// Fields that this version does not know.
        extra: Extra,
    },
    /// Somebody becomes a member of a room, or is one no more.
    Member {
        /// The member. The sender of the entry is who invited or removed them.
        who: Sender,
        /// What becomes of them.
        change: MemberChange,
        /// Fields that this version does not know.
        extra: Extra,
    },
    /// A message says something else from now on.
    Edit {
        /// Which message.
        target: MessageId,
        /// Its new words.
        body: String,
        /// Fields that this version does not know.
        extra: Extra,
    },
    /// A message is deleted.
    Delete {
        /// Which message.
        target: MessageId,
        /// Fields that this version does not know.
        extra: Extra,
    },
    /// Somebody adds an emoji to a message, or takes it back.
    Reaction {
        /// Which message.
        target: MessageId,
        /// The emoji: 1 to [`MAX_EMOJI_BYTES`] bytes, no control characters. A server is stricter.
        emoji: String,
        /// Whether it is taken back.
        off: bool,
        /// Fields that this version does not know.
        extra: Extra,
    },
    /// A message is pinned to its room, or unpinned.
    Pin {
        /// Which message.
        target: MessageId,
        /// Whether it is unpinned.
        off: bool,
        /// Fields that this version does not know.
        extra: Extra,
    },
    /// Of a kind that this version does not know: it keeps its place in the log and is not shown.
    Unknown(Unknown),
}

/// The members of a private room, as its creator lists them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Private {
    /// Its members, without its creator.
    #[serde(default)]
    pub members: Vec<PrincipalId>,
    /// Whether it is a direct message: with the one member, for ever.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub direct: bool,
}

/// What becomes of a member of a room.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum MemberChange {
    /// They are one from now on.
    Joined,
    /// They are one no more. By another sender: they were removed.
    Left,
    /// Somebody made them one.
    Invited,
}

impl MemberChange {
    /// Its word on the wire and on the disk.
    pub fn word(self) -> &'static str {
        match self {
            MemberChange::Joined => "joined",
            MemberChange::Left => "left",
            MemberChange::Invited => "invited",
        }
    }

    fn from_word(word: &str) -> Option<Self> {
        [MemberChange::Joined, MemberChange::Left, MemberChange::Invited]
            .into_iter()
            .find(|change| change.word() == word)
    }
}

/// Content of a kind that this version does not know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    /// Its word.
    pub kind: String,
    /// Its fields, as they came.
    pub fields: Extra,
}

impl Content {
    /// Words alone.
    pub fn text(body: impl Into<String>) -> Self {
        Content::Text { body: body.into(), extra: Extra::default() }
    }

    /// A room of this name is made.
    pub fn room(name: RoomName) -> Self {
        Content::Room { name: Some(name), private: None, extra: Extra::default() }
    }

    /// A room of this name is made, of which only its members know.
    pub fn private_room(name: RoomName, private: Private) -> Self {
        Content::Room { name: Some(name), private: Some(private), extra: Extra::default() }
    }

    /// The same of a room that is about something from the beginning.
    #[must_use]
    pub fn with_topic(mut self, topic: &str) -> Self {
        self.set_first_topic(topic);
        self
    }

    /// Changes what a room is about that is made; empty: nothing is said.
    pub fn set_first_topic(&mut self, topic: &str) {
        if let Content::Room { extra, .. } = self {
            extra.remove(TOPIC);
            if !topic.is_empty() {
                extra.insert(TOPIC, topic.into());
            }
        }
    }

    /// What a room is about that is made; empty: nobody says so.
    pub fn first_topic(&self) -> &str {
        match self {
            Content::Room { extra, .. } => extra.get(TOPIC).and_then(Value::as_str).unwrap_or_default(),
            _ => "",
        }
    }

    /// A room is called this from now on.
    pub fn renamed(name: RoomName) -> Self {
        Content::RoomChange { name: Some(name), topic: None, archived: None, extra: Extra::default() }
    }

    /// A room is about this from now on.
    pub fn topic(topic: impl Into<String>) -> Self {
        let topic = Some(topic.into());
        Content::RoomChange { name: None, topic, archived: None, extra: Extra::default() }
    }

    /// A room takes no new messages, or takes them again.
    pub fn archived(archived: bool) -> Self {
        Content::RoomChange { name: None, topic: None, archived: Some(archived), extra: Extra::default() }
    }

    /// This becomes of somebody in a room.
    pub fn member(who: Sender, change: MemberChange) -> Self {
        Content::Member { who, change, extra: Extra::default() }
    }

    /// A message that replies to another one, in a thread or not.
    pub fn reply(body: impl Into<String>, reply_to: MessageId, thread: Option<MessageId>) -> Self {
        let mut extra = Extra::default();
        extra.insert(REPLY_TO, reply_to.to_string().into());
        if let Some(thread) = thread {
            extra.insert(THREAD, thread.to_string().into());
        }
        Content::Text { body: body.into(), extra }
    }

    /// New words for a message.
    pub fn edit(target: MessageId, body: impl Into<String>) -> Self {
        Content::Edit { target, body: body.into(), extra: Extra::default() }
    }

    /// A message is deleted.
    pub fn delete(target: MessageId) -> Self {
        Content::Delete { target, extra: Extra::default() }
    }

    /// An emoji for a message; `off`: it is taken back.
    pub fn reaction(target: MessageId, emoji: impl Into<String>, off: bool) -> Self {
        Content::Reaction { target, emoji: emoji.into(), off, extra: Extra::default() }
    }

    /// A message is pinned; `off`: unpinned.
    pub fn pin(target: MessageId, off: bool) -> Self {
        Content::Pin { target, off, extra: Extra::default() }
    }

    /// The message that this one replies to.
    pub fn reply_to(&self) -> Option<MessageId> {
        self.id_of(REPLY_TO)
    }

    /// The first message of the thread that this message belongs to.
    pub fn thread(&self) -> Option<MessageId> {
        self.id_of(THREAD)
    }

    /// The same message of a thread, shown in its room, too.
    pub fn also_in_room(mut self) -> Self {
        self.extra_mut().insert(ALSO_IN_ROOM, true.into());
        self
    }

    /// Whether it is a message that is shown in its thread and not in its room.
    pub fn is_aside(&self) -> bool {
        self.thread().is_some() && self.extra().get(ALSO_IN_ROOM) != Some(&Value::Bool(true))
    }

    fn id_of(&self, field: &str) -> Option<MessageId> {
        match self {
            Content::Text { extra, .. } => extra.get(field)?.as_str()?.parse().ok(),
            _ => None,
        }
    }

    /// The message that this changes; none where it changes none.
    pub fn target(&self) -> Option<MessageId> {
        match self {
            Content::Edit { target, .. }
            | Content::Delete { target, .. }
            | Content::Reaction { target, .. }
            | Content::Pin { target, .. } => Some(*target),
            _ => None,
        }
    }

    /// Where in the server's log the message is that this refers to, if the server said so.
    pub fn target_offset(&self) -> Option<Offset> {
        self.extra().get(TARGET_OFFSET)?.as_u64().map(Offset)
    }

    /// The same with the place of the message that it refers to. Only a server may say that.
    pub fn with_target_offset(mut self, offset: Option<Offset>) -> Self {
        let extra = self.extra_mut();
        match offset {
            Some(offset) => extra.insert(TARGET_OFFSET, offset.0.into()),
            None => _ = extra.remove(TARGET_OFFSET),
        }
        self
    }

    /// Its word on the wire and on the disk.
    pub fn kind(&self) -> &str {
        match self {
            Content::Text { .. } => MESSAGE,
            Content::Room { .. } => ROOM,
            Content::Edit { .. } => EDIT,
            Content::Delete { .. } => DELETE,
            Content::Reaction { .. } => REACTION,
            Content::Pin { .. } => PIN,
            Content::RoomChange { .. } => ROOM_CHANGE,
            Content::Member { .. } => MEMBER,
            Content::Unknown(unknown) => &unknown.kind,
        }
    }

    /// The words for a person; empty where there are none.
    pub fn body(&self) -> &str {
        match self {
            Content::Text { body, .. } | Content::Edit { body, .. } => body,
            _ => "",
        }
    }

    /// The same kind with nothing in it that takes room.
    pub fn emptied(self) -> Self {
        match self {
            Content::Text { .. } | Content::Unknown(_) => Content::text(String::new()),
            Content::Room { name, private, .. } => Content::Room { name, private, extra: Extra::default() },
            mut small => {
                *small.extra_mut() = Extra::default();
                match small {
                    Content::Edit { target, .. } => Content::edit(target, String::new()),
                    small => small,
                }
            }
        }
    }

    /// What is left of a message that was deleted: what it replied to, and who deleted it where that is to be said.
    pub fn deleted(self, by: Option<(&Sender, WallMs)>) -> Self {
        let mut left = Extra::default();
        for name in [REPLY_TO, THREAD, ALSO_IN_ROOM, TARGET_OFFSET] {
            if let Some(value) = self.extra().get(name) {
                left.insert(name, value.clone());
            }
        }
        if let Some((who, at)) = by {
            left.insert(DELETED, serde_json::json!({"by": who, "at": at}));
        }
        Content::Text { body: String::new(), extra: left }
    }

    /// Takes out what a server says of the deletion of this message: who deleted it, and when.
    pub fn take_deleted(&mut self) -> Option<(Sender, WallMs)> {
        #[derive(Deserialize)]
        struct Deleted {
            by: Sender,
            at: WallMs,
        }
        let Content::Text { extra, .. } = self else { return None };
        let Deleted { by, at } = serde_json::from_value(extra.remove(DELETED)?).ok()?;
        Some((by, at))
    }

    /// The same with other words, where it has any.
    pub fn with_body(self, body: String) -> Self {
        match self {
            Content::Text { extra, .. } => Content::Text { body, extra },
            Content::Edit { target, extra, .. } => Content::Edit { target, body, extra },
            wordless => wordless,
        }
    }

    /// All of its fields but its words, as one JSON object; none where there are none. [`Content::from_fields`] reads them.
    pub fn fields_json(&self) -> Option<String> {
        let known = self.known_fields();
        if known.is_empty() {
            return self.extra().json();
        }
        let mut fields = self.extra().clone();
        known.into_iter().for_each(|(name, value)| fields.insert(name, value));
        fields.json()
    }

    /// The fields that this version knows, but its words.
    fn known_fields(&self) -> Vec<(&'static str, Value)> {
        let field = |name, value: Option<Value>| value.map(|value| (name, value));
        let text = |text: &str| Some(Value::from(text));
        let name_of = |name: &Option<RoomName>| field("name", name.as_ref().map(|name| name.as_str().into()));
        let target = |target: &MessageId| Some(("target", target.to_string().into()));
        let off = |off: bool| off.then_some(("off", true.into()));
        let fields = match self {
            Content::Text { .. } | Content::Unknown(_) => [None, None, None],
            Content::Room { name, private, .. } => {
                let private = private.as_ref().and_then(|private| serde_json::to_value(private).ok());
                [name_of(name), field("private", private), None]
            }
            Content::RoomChange { name, topic, archived, .. } => [
                name_of(name),
                field(TOPIC, topic.as_deref().map(Value::from)),
                field("archived", archived.map(Value::from)),
            ],
            Content::Member { who, change, .. } => {
                [field("who", serde_json::to_value(who).ok()), field("change", text(change.word())), None]
            }
            Content::Edit { target: of, .. } | Content::Delete { target: of, .. } => [target(of), None, None],
            Content::Reaction { target: of, emoji, off: is_off, .. } => {
                [target(of), Some(("emoji", emoji.as_str().into())), off(*is_off)]
            }
            Content::Pin { target: of, off: is_off, .. } => [target(of), off(*is_off), None],
        };
        fields.into_iter().flatten().collect()
    }

    /// The fields that this version does not know.
    pub fn extra(&self) -> &Extra {
        match self {
            Content::Text { extra, .. }
            | Content::Room { extra, .. }
            | Content::RoomChange { extra, .. }
            | Content::Member { extra, .. }
            | Content::Edit { extra, .. }
            | Content::Delete { extra, .. }
            | Content::Reaction { extra, .. }
            | Content::Pin { extra, .. } => extra,
            Content::Unknown(unknown) => &unknown.fields,
        }
    }

    /// The fields that this version does not know, to be changed.
    pub(crate) fn extra_mut(&mut self) -> &mut Extra {
        match self {
            Content::Text { extra, .. }
            | Content::Room { extra, .. }
            | Content::RoomChange { extra, .. }
            | Content::Member { extra, .. }
            | Content::Edit { extra, .. }
            | Content::Delete { extra, .. }
            | Content::Reaction { extra, .. }
            | Content::Pin { extra, .. } => extra,
            Content::Unknown(unknown) => &mut unknown.fields,
        }
    }

    /// Who is to be in the room that this makes, where not everybody knows of it.
    pub fn private(&self) -> Option<&Private> {
        if let Content::Room { private, .. } = self { private.as_ref() } else { None }
    }

    /// Whether it is a message.
    pub fn is_text(&self) -> bool {
        matches!(self, Content::Text { .. })
    }

    /// Whether it has a row of its own where messages are shown: a message, or what became of the room or its members.
    pub fn is_shown(&self) -> bool {
        matches!(self, Content::Text { .. } | Content::RoomChange { .. } | Content::Member { .. })
    }

    /// Whether it makes a room.
    pub fn is_room(&self) -> bool {
        matches!(self, Content::Room { .. })
    }

    /// Whether this version does not know its kind.
    pub fn is_unknown(&self) -> bool {
        matches!(self, Content::Unknown(_))
    }

    /// About how much text it holds, in bytes.
    pub fn bytes(&self) -> usize {
        let named = match self {
            Content::Text { .. } => 0,
            Content::Room { name, private, .. } => {
                let members = private.iter().flat_map(|private| &private.members);
                name.as_ref().map_or(0, |name| name.as_str().len())
                    + members.map(|who| who.0.len()).sum::<usize>()
            }
            Content::RoomChange { name, topic, .. } => {
                name.as_ref().map_or(0, |name| name.as_str().len()) + topic.as_ref().map_or(0, String::len)
            }
            Content::Member { who, .. } => who.id.0.len() + who.name.len(),
            Content::Edit { .. } | Content::Delete { .. } | Content::Pin { .. } => TARGET_BYTES,
            Content::Reaction { emoji, .. } => TARGET_BYTES + emoji.len(),
            Content::Unknown(unknown) => unknown.kind.len(),
        };
        self.body().len() + self.extra().bytes() + named
    }

    /// Content of a kind with its fields, `body` among them.
    ///
    /// # Errors
    /// When a field that this version knows is not what it should be; the text says which.
    pub fn from_fields(kind: &str, body: Option<Value>, mut extra: Extra) -> Result<Self, &'static str> {
        match (kind, body) {
            (MESSAGE, None) => Ok(Content::Text { body: String::new(), extra }),
            (MESSAGE, Some(Value::String(body))) => Ok(Content::Text { body, extra }),
            (MESSAGE, Some(_)) => Err("invalid type: a `body` that is no text, expected a string"),
            (kind, body) => {
                let is_none = kind == ROOM && body.as_ref().and_then(Value::as_str) == Some("");
                if let Some(body) = body.filter(|_| !is_none) {
                    extra.insert("body", body);
                }
                match kind {
                    ROOM => {
                        let name = take_name(&mut extra);
                        Ok(Content::Room { name, private: take_private(&mut extra)?, extra })
                    }
                    ROOM_CHANGE => {
                        let name = take_name(&mut extra);
                        let topic = take(&mut extra, TOPIC, |topic| topic.as_str().map(str::to_owned));
                        let archived = take(&mut extra, "archived", Value::as_bool);
                        Ok(Content::RoomChange { name, topic, archived, extra })
                    }
                    MEMBER => match take_member(&mut extra) {
                        Some((who, change)) => Ok(Content::Member { who, change, extra }),
                        // It may say more in a later version.
                        None => Ok(Content::Unknown(Unknown { kind: kind.to_owned(), fields: extra })),
                    },
                    kind => Ok(change(kind, extra)),
                }
            }
        }
    }

    /// Adds its fields to a JSON object, but for its kind and those that are named.
    pub(super) fn serialize_fields<M: SerializeMap>(
        &self,
        map: &mut M,
        but: &[&str],
    ) -> Result<(), M::Error> {
        // What makes a room has an empty body, so that readers find one in whatever they know.
        let has_own = matches!(self, Content::Room { extra, .. } if extra.get("body").is_none());
        if self.is_text() || has_own || matches!(self, Content::Edit { .. }) {
            map.serialize_entry("body", self.body())?;
        }
        for (name, value) in self.known_fields() {
            map.serialize_entry(name, &value)?;
        }
        for (name, value) in self.extra().fields().filter(|(name, _)| !but.contains(&name.as_str())) {
            map.serialize_entry(name, value)?;
        }
        Ok(())
    }
}

/// What changes a message, out of its fields. Where one of those is not what this version knows, all are kept as they came.
fn change(kind: &str, mut fields: Extra) -> Content {
    let read = |fields: &Extra| -> Option<(MessageId, bool)> {
        let off = match fields.get("off") {
            None => false,
            Some(off) => off.as_bool()?,
        };
        Some((fields.get("target")?.as_str()?.parse().ok()?, off))
    };
    let is_emoji =
        |text: &str| !text.is_empty() && text.len() <= MAX_EMOJI_BYTES && !text.chars().any(char::is_control);
    let text = |fields: &Extra, name: &str| fields.get(name)?.as_str().map(str::to_owned);
    let unknown = |fields| Content::Unknown(Unknown { kind: kind.to_owned(), fields });
    let Some((target, off)) = read(&fields).filter(|_| CHANGES.contains(&kind)) else {
        return unknown(fields);
    };
    let (body, emoji) = (text(&fields, "body"), text(&fields, "emoji").filter(|emoji| is_emoji(emoji)));
    if (kind == EDIT && body.is_none()) || (kind == REACTION && emoji.is_none()) {
        return unknown(fields);
    }
    fields.remove("target");
    let (body, emoji) = match kind {
        EDIT => (fields.remove("body").and(body), None),
        REACTION => (None, fields.remove("emoji").and(emoji)),
        _ => (None, None),
    };
    if kind == REACTION || kind == PIN {
        fields.remove("off");
    }
    match (kind, body, emoji) {
        (EDIT, Some(body), _) => Content::Edit { target, body, extra: fields },
        (REACTION, _, Some(emoji)) => Content::Reaction { target, emoji, off, extra: fields },
        (PIN, ..) => Content::Pin { target, off, extra: fields },
        _ => Content::Delete { target, extra: fields },
    }
}

/// The name of a room that is made, out of its fields. One that this version does not take stays there.
fn take_name(fields: &mut Extra) -> Option<RoomName> {
    let name = RoomName::new(fields.get("name")?.as_str()?).ok()?;
    fields.remove("name");
    Some(name)
}

/// Who is to be in a room that is made. One that cannot be understood must not be taken for a public one.
fn take_private(fields: &mut Extra) -> Result<Option<Private>, &'static str> {
    match fields.remove("private") {
        None => Ok(None),
        Some(value) => serde_json::from_value(value).map(Some).map_err(|_| "invalid value: `private`"),
    }
}

/// Who a change of members is about, and what it is. Nothing is taken out where one of them is not understood.
fn take_member(fields: &mut Extra) -> Option<(Sender, MemberChange)> {
    let who: Sender = Sender::deserialize(fields.get("who")?).ok()?;
    let change = MemberChange::from_word(fields.get("change")?.as_str()?)?;
    fields.remove("who");
    fields.remove("change");
    Some((who, change))
}

/// A field, where it is what it should be. One that this version does not understand stays there.
fn take<T>(fields: &mut Extra, name: &str, read: impl FnOnce(&Value) -> Option<T>) -> Option<T> {
    let value = read(fields.get(name)?)?;
    fields.remove(name);
    Some(value)
}

/// Fields of JSON that this version does not know, as they came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extra(Option<Box<Map<String, Value>>>);

impl Extra {
    /// Adds a field.
    pub fn insert(&mut self, name: impl Into<String>, value: Value) {
        self.0.get_or_insert_default().insert(name.into(), value);
    }

    /// The value of a field.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.as_ref()?.get(name)
    }

    /// Takes a field out.
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        let fields = self.0.as_mut()?;
        let value = fields.remove(name);
        if fields.is_empty() {
            self.0 = None;
        }
        value
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// All of it as one JSON object; none where there is nothing.
    pub fn json(&self) -> Option<String> {
        self.0.as_ref().and_then(|fields| serde_json::to_string(fields).ok())
    }

    /// What [`Extra::json`] made; nothing where it is no JSON object.
    pub fn from_json(json: &str) -> Self {
        let fields: Option<Map<String, Value>> = serde_json::from_str(json).ok();
        Extra(fields.filter(|fields| !fields.is_empty()).map(Box::new))
    }

    /// How long its JSON is, in bytes.
    pub fn bytes(&self) -> usize {
        self.json().map_or(0, |json| json.len())
    }

    /// How deep its values are nested; a value that is neither list nor object is 0.
    pub fn depth(&self) -> usize {
        self.fields().map(|(_, value)| depth(value)).max().unwrap_or(0)
    }

    /// Each field.
    pub fn fields(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.0.iter().flat_map(|fields| fields.iter())
    }
}

/// The fields of a message that carries it and has taken its own.
impl Serialize for Extra {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let own = ["kind", "id", "room", "at"];
        let is_free =
            |name: &str| !OF_SEND.contains(&name) && !OF_ENTRY.contains(&name) && !own.contains(&name);
        serializer.collect_map(self.fields().filter(|(name, _)| is_free(name)))
    }
}

impl<'de> Deserialize<'de> for Extra {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut fields = Map::deserialize(deserializer)?;
        fields.retain(|name, _| {
            !OF_ENTRY.contains(&name.as_str()) && !matches!(name.as_str(), "kind" | "name" | "private")
        });
        Ok(if fields.is_empty() { Extra::default() } else { Extra(Some(Box::new(fields))) })
    }
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

impl Draft {
    /// What the room is called that this makes; none where it makes none.
    pub fn room_name(&self) -> Option<RoomName> {
        let Content::Room { name, extra, .. } = &self.content else { return None };
        // A later version may allow names that this one does not.
        let later = || RoomName::closest(extra.get("name")?.as_str()?);
        Some(name.clone().or_else(later).unwrap_or_else(|| RoomName::of_id(&self.room)))
    }
}

/// As the message that sends it has it: a kind is named unless it is a message.
impl Serialize for Draft {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if !self.content.is_text() {
            map.serialize_entry("kind", self.content.kind())?;
        }
        map.serialize_entry("id", &self.id)?;
        map.serialize_entry("room", &self.room)?;
        self.content.serialize_fields(&mut map, &OF_SEND)?;
        map.serialize_entry("at", &self.at)?;
        map.end()
    }
}

impl<'de> Deserialize<'de> for Draft {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct DraftVisitor;

        impl<'de> Visitor<'de> for DraftVisitor {
            type Value = Draft;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("something written")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Draft, A::Error> {
                let mut fields = Fields::default();
                while let Some(Name(name)) = map.next_key()? {
                    fields.take_of_sender(name, &mut map)?;
                }
                fields.draft_of_sender()
            }
        }

        deserializer.deserialize_map(DraftVisitor)
    }
}

/// The fields of a draft while they are being read.
#[derive(Default)]
pub(crate) struct Fields<'de> {
    kind: Option<Cow<'de, str>>,
    id: Option<MessageId>,
    room: Option<RoomId>,
    body: Option<Value>,
    at: Option<WallMs>,
    extra: Extra,
}

impl<'de> Fields<'de> {
    /// Takes in the field whose name was just read.
    pub(super) fn take<A: MapAccess<'de>>(
        &mut self,
        name: Cow<'de, str>,
        map: &mut A,
    ) -> Result<(), A::Error> {
        match &*name {
            "kind" => once(&mut self.kind, "kind", map.next_value::<Text<'de>>()?.0),
            "id" => once(&mut self.id, "id", map.next_value()?),
            "room" => once(&mut self.room, "room", map.next_value()?),
            // Of an unknown kind it may be anything.
            "body" => once(&mut self.body, "body", map.next_value::<Value>()?),
            "at" => once(&mut self.at, "at", map.next_value()?),
            _ => {
                self.extra.insert(name.into_owned(), map.next_value()?);
                Ok(())
            }
        }
    }

    /// The same for what a client says: what only a server may say is ignored.
    pub(crate) fn take_of_sender<A: MapAccess<'de>>(
        &mut self,
        name: Cow<'de, str>,
        map: &mut A,
    ) -> Result<(), A::Error> {
        match OF_ENTRY.contains(&&*name) {
            true => map.next_value::<de::IgnoredAny>().map(drop),
            false => self.take(name, map),
        }
    }

    /// All of them together, as a client says them: a message need not say that it is one.
    pub(crate) fn draft_of_sender<E: de::Error>(mut self) -> Result<Draft, E> {
        self.kind.get_or_insert(Cow::Borrowed(MESSAGE));
        self.draft()
    }

    /// All of them together.
    pub(super) fn draft<E: de::Error>(self) -> Result<Draft, E> {
        let missing = E::missing_field;
        let kind = self.kind.ok_or_else(|| missing("kind"))?;
        let room = self.room.ok_or_else(|| missing("room"))?;
        let content = Content::from_fields(&kind, self.body, self.extra).map_err(E::custom)?;
        Ok(Draft {
            id: self.id.ok_or_else(|| missing("id"))?,
            room,
            content,
            at: self.at.ok_or_else(|| missing("at"))?,
        })
    }
}

/// Sets a field that must not be there twice.
pub(crate) fn once<T, E: de::Error>(field: &mut Option<T>, name: &'static str, value: T) -> Result<(), E> {
    match field.replace(value) {
        None => Ok(()),
        Some(_) => Err(E::duplicate_field(name)),
    }
}

/// A key: borrowed where that can be, since most are thrown away.
pub(crate) struct Name<'de>(pub(crate) Cow<'de, str>);

/// A text: borrowed where that can be.
struct Text<'de>(Cow<'de, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_identifier(TextVisitor).map(Name)
    }
}

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(TextVisitor).map(Text)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }

    fn visit_string<E: de::Error>(self, text: String) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ID: &str = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff";

    #[test]
    fn a_draft_is_encoded_again_as_it_was() {
        for more in [
            json!({"body": "x"}),
            json!({"body": "x", "reply_to": 7, "marks": ["a", {"b": 1.5}]}),
            json!({"kind": "room", "body": "", "name": "Lathes", "topic": "x"}),
            json!({"kind": "room", "body": "", "topic": "x"}),
            json!({"kind": "room", "body": "", "name": "x".repeat(100)}),
            json!({"kind": "room", "body": "", "name": {"of": "a later version"}}),
            json!({"kind": "room", "body": "", "name": "Lathes",
                "private": {"members": ["p"], "direct": true}}),
            json!({"kind": "room_change", "name": "Mills", "topic": "", "archived": true, "colour": 7}),
            json!({"kind": "room_change", "topic": {"of": "a later version"}, "body": "x"}),
            json!({"kind": "member", "who": {"id": "p", "name": "P"}, "change": "invited", "note": "x"}),
            json!({"kind": "member", "who": {"id": "p", "name": "P"}, "change": "muted"}),
            json!({"kind": "poll", "choices": ["a", "b"], "body": "A poll"}),
            json!({"kind": "poll", "body": {"text": "A poll", "choices": []}}),
            json!({"kind": "poll", "name": 7}),
            json!({"body": "x", "reply_to": ID, "thread": ID, "target_offset": 4}),
            json!({"kind": "edit", "target": ID, "body": "y", "marks": []}),
            json!({"kind": "edit", "target": ID, "body": {"text": "of a later version"}}),
            json!({"kind": "edit", "target": 7, "body": "y"}),
            json!({"kind": "delete", "target": ID, "off": true}),
            json!({"kind": "delete", "body": "without a target"}),
            json!({"kind": "reaction", "target": ID, "emoji": "👍", "off": true, "target_offset": 9}),
            json!({"kind": "reaction", "target": ID, "emoji": "👍", "off": 7}),
            json!({"kind": "reaction", "target": ID, "emoji": ""}),
            json!({"kind": "reaction", "target": ID, "emoji": "x".repeat(65), "body": "+1"}),
            json!({"kind": "pin", "target": ID}),
            json!({"kind": "pin", "target": ID, "off": true}),
        ] {
            let mut json = json!({"id": ID, "room": "general", "at": 1});
            json.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            let read: Draft = serde_json::from_value(json.clone()).unwrap();
            assert_eq!(serde_json::to_value(&read).unwrap(), json);
        }
    }

    #[test]
    fn what_changes_a_message_is_known_by_its_fields_and_else_kept() {
        let read = |more: Value| {
            let mut json = json!({"id": ID, "room": "general", "at": 1});
            json.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            serde_json::from_value::<Draft>(json).unwrap().content
        };
        let target: MessageId = ID.parse().unwrap();
        assert_eq!(read(json!({"kind": "edit", "target": ID, "body": "y"})), Content::edit(target, "y"));
        assert_eq!(read(json!({"kind": "delete", "target": ID})), Content::delete(target));
        let reaction = json!({"kind": "reaction", "target": ID, "emoji": "👍"});
        assert_eq!(read(reaction), Content::reaction(target, "👍", false));
        assert_eq!(read(json!({"kind": "pin", "target": ID, "off": true})), Content::pin(target, true));
        let reply = read(json!({"body": "x", "reply_to": ID, "thread": ID}));
        assert_eq!((reply.reply_to(), reply.thread()), (Some(target), Some(target)));
        assert_eq!(read(json!({"body": "x", "reply_to": 7})).reply_to(), None);
        for odd in [
            json!({"kind": "edit", "target": "x", "body": "y"}),
            json!({"kind": "edit", "target": ID}),
            json!({"kind": "reaction", "target": ID, "emoji": "\u{1b}[2J"}),
            json!({"kind": "pin", "target": ID, "off": "no"}),
        ] {
            assert!(read(odd.clone()).is_unknown(), "{odd}");
        }
        for content in
            [Content::edit(target, "y"), Content::reaction(target, "👍", true), Content::delete(target)]
        {
            let body = (!content.body().is_empty()).then(|| Value::String(content.body().to_owned()));
            let fields = Extra::from_json(&content.fields_json().unwrap());
            assert_eq!(Content::from_fields(content.kind(), body, fields), Ok(content));
        }
    }

    #[test]
    fn what_only_a_server_may_say_is_ignored_in_a_draft() {
        let json = json!({"id": ID, "room": "general", "at": 1, "body": "x", "offset": 9, "received": 9,
            "sender": {"id": "boss", "name": "Boss"}});
        let read: Draft = serde_json::from_value(json).unwrap();
        assert!(read.content.extra().is_empty());
    }

    #[test]
    fn a_field_of_the_message_around_a_draft_is_never_there_twice() {
        let mut extra = Extra::default();
        extra.insert("seq", json!(1));
        extra.insert("type", json!("image/png"));
        let content = Content::Text { body: "x".into(), extra };
        let draft = Draft { id: ID.parse().unwrap(), room: RoomId::general(), content, at: WallMs(1) };
        let json = serde_json::to_value(&draft).unwrap();
        assert!(json.get("seq").is_none() && json.get("type").is_none(), "{json}");
    }

    #[test]
    fn a_room_has_a_name_whatever_it_says() {
        let named = |more: Value| {
            let mut json = json!({"kind": "room", "id": ID, "room": "r-1", "at": 1});
            json.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            serde_json::from_value::<Draft>(json).unwrap().room_name().unwrap().as_str().to_owned()
        };
        assert_eq!(named(json!({"name": "Lathes"})), "Lathes");
        assert_eq!(named(json!({"name": format!(" {}", "x".repeat(100))})), "x".repeat(64));
        assert_eq!(named(json!({})), "r-1");
        assert_eq!(named(json!({"name": {"of": "a later version"}})), "r-1");
    }

    #[test]
    fn depth_and_bytes_are_those_of_the_json() {
        let extra = Extra::from_json(r#"{"a":[{"b":[1]}],"c":2}"#);
        assert_eq!((extra.depth(), extra.bytes()), (3, 23));
        assert_eq!((Extra::default().depth(), Extra::default().bytes()), (0, 0));
        assert!(Extra::from_json("{}").is_empty() && Extra::from_json("7").is_empty());
    }
}
