//! [`RoomInfo`]: what is known of a room beside its id and name; [`NamedRoom`]: a room in a server's list, and its JSON.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::content::{Content, Draft, MemberChange};
use super::entry::Entry;
use super::id::{Offset, PrincipalId, RoomId, RoomName};

/// Maximum length of a room's topic, in characters.
pub const MAX_TOPIC_CHARS: usize = 250;
/// Maximum number of people in a private room.
pub const MAX_MEMBERS: usize = 100;

/// What is known of a room beside its id and name.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RoomInfo {
    /// What the room is about; empty: nobody has said so.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub topic: String,
    /// Whether it takes no new messages.
    #[serde(default, skip_serializing_if = "is_false")]
    pub archived: bool,
    /// Whether only its members know of it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub private: bool,
    /// Of a direct message: with whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direct: Option<PrincipalId>,
    /// Whether this principal is no member. Of a public room everybody is one who has not left it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub left: bool,
    /// Whether a server that was asked since has not listed this private room: the principal was removed from it, the server
    /// lost it, or the part of the list that names it has yet to come.
    #[serde(default, skip_serializing_if = "is_false")]
    pub unlisted: bool,
    /// Whether this principal made it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub own: bool,
    /// The members of a private room.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub members: BTreeSet<PrincipalId>,
    /// Offset of the last entry that changed any of it; 0 if it is as it was made. What is older changes nothing.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub changed: Offset,
}

impl RoomInfo {
    /// What is known of a room that this content makes, by whom, and to whom it is told.
    pub fn of_made(content: &Content, maker: Option<&PrincipalId>, me: Option<&PrincipalId>) -> RoomInfo {
        let own = maker.is_some() && maker == me;
        let topic = content.first_topic().chars().take(MAX_TOPIC_CHARS).collect();
        let Some(private) = content.private() else { return RoomInfo { topic, own, ..RoomInfo::default() } };
        let others = private.members.iter();
        let members: BTreeSet<_> = others.chain(maker).take(MAX_MEMBERS).cloned().collect();
        let other = if maker == me { private.members.first() } else { maker };
        RoomInfo {
            topic,
            private: true,
            own,
            direct: other.filter(|_| private.direct).cloned(),
            left: me.is_none_or(|me| !members.contains(me)),
            members,
            ..RoomInfo::default()
        }
    }

    /// The same of a room that this principal made, where that is known. Whoever made a room has made it for ever.
    pub fn made_by_me(mut self, known: bool) -> Self {
        self.own |= known;
        self
    }

    /// Takes in that a message came at this place: a direct message that was put out of sight is in sight again. Returns
    /// whether that changes anything.
    pub fn bring_back(&mut self, offset: Offset) -> bool {
        let is_hidden = self.left && self.direct.is_some() && offset > self.changed;
        self.left &= !is_hidden;
        self.unlisted &= !is_hidden;
        is_hidden
    }

    /// Takes in that a server that we come in at has not listed this private room, so far.
    pub fn not_listed(&mut self) {
        (self.left, self.unlisted) = (true, true);
    }

    /// Takes in what a server lists; of a room of which something newer is known, only whether this principal is a member.
    /// Returns whether all of it was taken in.
    pub fn list(&mut self, listed: &RoomInfo) -> bool {
        let is_older = self.changed > listed.changed;
        if !is_older {
            *self = listed.clone().made_by_me(self.own);
        } else if std::mem::take(&mut self.unlisted) {
            self.left = listed.left;
        }
        !is_older
    }

    /// Takes in what an entry at this place changes, as it is told to `me`. Returns whether it is newer than what is known.
    pub fn change(&mut self, offset: Offset, content: &Content, me: Option<&PrincipalId>) -> bool {
        if offset <= self.changed {
            return false;
        }
        self.changed = offset;
        match content {
            Content::RoomChange { topic, archived, .. } => {
                if let Some(topic) = topic {
                    self.topic = topic.chars().take(MAX_TOPIC_CHARS).collect();
                }
                self.archived = archived.unwrap_or(self.archived);
            }
            Content::Member { who, change, .. } => {
                let is_member = *change != MemberChange::Left;
                if me == Some(&who.id) {
                    if let Some(told) = told_with(content) {
                        *self = RoomInfo { changed: offset, ..told.info.made_by_me(self.own) };
                    }
                    (self.left, self.unlisted) = (!is_member, false);
                }
                // Of a direct message the two are members for ever; one of them has put it out of sight.
                if self.direct.is_some() {
                } else if !is_member {
                    self.members.remove(&who.id);
                } else if self.private && self.members.len() < MAX_MEMBERS {
                    self.members.insert(who.id.clone());
                }
            }
            _ => {}
        }
        true
    }
}

/// The field of an invitation into a private room in which the server says what the room is.
pub const ABOUT: &str = "about";

/// What a server says of a private room to somebody whom it makes a member of it.
pub fn told_with(content: &Content) -> Option<NamedRoom> {
    let Content::Member { extra, .. } = content else { return None };
    serde_json::from_value(extra.get(ABOUT)?.clone()).ok()
}

/// What an entry that makes a room calls it, as it is told to `me`. A direct message is called by whom it is with, whom its
/// maker knows; `known`: what it was called before.
pub fn named_when_made(entry: &Entry, known: Option<&RoomName>, me: Option<&PrincipalId>) -> RoomName {
    let Draft { room, content, .. } = &entry.draft;
    let is_direct = content.private().is_some_and(|private| private.direct);
    let by_maker = (is_direct && me != Some(&entry.sender.id)).then(|| RoomName::closest(&entry.sender.name));
    let known = known.filter(|_| is_direct).cloned();
    let name = by_maker.flatten().or(known).or_else(|| entry.draft.room_name());
    name.unwrap_or_else(|| RoomName::of_id(room))
}

/// What a room is called from this entry on, as it is told to `me`.
pub fn named_by(content: &Content, me: Option<&PrincipalId>) -> Option<RoomName> {
    match content {
        Content::RoomChange { name, .. } => name.clone(),
        Content::Member { who, .. } if me == Some(&who.id) => told_with(content).map(|told| told.name),
        _ => None,
    }
}

impl RoomInfo {
    /// Whether an entry makes `me` a member of a room of which something came before that was not for them. `self`: what
    /// is known of the room with that entry.
    pub fn has_hole_before(&self, content: &Content, me: Option<&PrincipalId>) -> bool {
        matches!(content, Content::Member { who, change, .. }
            if *change != MemberChange::Left && me == Some(&who.id) && self.private && self.direct.is_none())
    }
}

/// A room in a list. As JSON a text where the name is its id and there is nothing else to say.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "NamedRoomJson", into = "NamedRoomJson")]
pub struct NamedRoom {
    /// Its id.
    pub id: RoomId,
    /// Its name.
    pub name: RoomName,
    /// What else is known of it.
    pub info: RoomInfo,
}

impl NamedRoom {
    /// A public room of which nothing else is known.
    pub fn new(id: RoomId, name: RoomName) -> Self {
        NamedRoom { id, name, info: RoomInfo::default() }
    }

    /// The room that every server has.
    pub fn general() -> Self {
        NamedRoom::new(RoomId::general(), RoomName::general())
    }
}

/// Of which only the id is known.
impl From<RoomId> for NamedRoom {
    fn from(id: RoomId) -> NamedRoom {
        let name = RoomName::of_id(&id);
        NamedRoom::new(id, name)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum NamedRoomJson {
    Same(RoomName),
    Named {
        id: RoomId,
        name: RoomName,
        #[serde(flatten)]
        info: RoomInfo,
    },
}

impl From<NamedRoomJson> for NamedRoom {
    fn from(json: NamedRoomJson) -> NamedRoom {
        match json {
            NamedRoomJson::Same(name) => NamedRoom::new(RoomId::same_as(&name), name),
            NamedRoomJson::Named { id, name, mut info } => {
                while info.members.len() > MAX_MEMBERS {
                    info.members.pop_last();
                }
                NamedRoom { id, name, info }
            }
        }
    }
}

impl From<NamedRoom> for NamedRoomJson {
    fn from(room: NamedRoom) -> NamedRoomJson {
        let NamedRoom { id, name, info } = room;
        match id.as_str() == name.as_str() && info == RoomInfo::default() {
            true => NamedRoomJson::Same(name),
            false => NamedRoomJson::Named { id, name, info },
        }
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
fn is_zero(offset: &Offset) -> bool {
    *offset == Offset(0)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_listed_room_says_only_what_there_is_to_say() {
        for json in [
            json!("general"),
            json!({"id": "r-1", "name": "Lathes"}),
            json!({"id": "r-1", "name": "Lathes", "topic": "Noise", "archived": true, "left": true, "changed": 7}),
            json!({"id": "general", "name": "general", "topic": "All"}),
            json!({"id": "r-2", "name": "r-2", "private": true, "members": ["me", "p"], "direct": "p"}),
        ] {
            let room: NamedRoom = serde_json::from_value(json.clone()).unwrap();
            assert_eq!(serde_json::to_value(&room).unwrap(), json);
        }
    }

    #[test]
    fn no_more_members_are_taken_than_a_room_may_have() {
        let members: Vec<String> = (0..2 * MAX_MEMBERS).map(|number| format!("p{number}")).collect();
        let room: NamedRoom = serde_json::from_value(
            json!({"id": "r-1", "name": "Lathes", "private": true, "members": members}),
        )
        .unwrap();
        assert_eq!(room.info.members.len(), MAX_MEMBERS);
    }
}
