//! What the person may do with a room, and why they may not: the rules that a server enforces, so that the window offers
//! nothing that would be refused.

use super::features::Feature;
use super::id::RoomId;
use super::principal::{Principal, Role};
use super::reducer::Connection;
use super::rights::Act;
use super::room::MAX_MEMBERS;

/// Something that can be done with a room.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum RoomAct {
    /// Give it another name.
    Rename,
    /// Say what it is about.
    SetTopic,
    /// Have it take no new messages.
    Archive,
    /// Have it take messages again.
    Unarchive,
    /// Be a member no more.
    Leave,
    /// Become a member again.
    Join,
    /// See and change who is in it: of a private room.
    Members,
    /// Put a direct message out of sight.
    Hide,
    /// Save its messages as a file.
    Export,
}

/// Something that can be done with the members of a private room.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum MemberAct {
    /// Make somebody a member.
    Invite,
    /// Take somebody out of it.
    Remove,
}

/// Why something that is offered cannot be done.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Denied {
    /// Only operators and admins may, and whoever made the room.
    NotYours,
    /// Every server has this one room.
    General,
}

/// Why nothing can be written in a room.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Closed {
    /// The person's role is to read.
    Guest,
    /// The room is archived. Whether the person may change that.
    Archived {
        /// Whether the person may open it again.
        may_open: bool,
    },
    /// The person has left it. Whether they can join it again by themselves.
    Left {
        /// Whether they can.
        may_join: bool,
    },
}

impl Connection {
    /// The person's role at the server.
    pub fn role(&self) -> Role {
        self.chat.me.as_ref().map_or(Role::Operator, Principal::role)
    }

    /// What is offered at a room, in the order of its menu, with the reason why the person may not do it.
    pub fn room_acts(&self, id: &RoomId) -> Vec<(RoomAct, Option<Denied>)> {
        let Some(room) = self.chat.rooms.get(id).filter(|room| room.unmade.is_none()) else {
            return Vec::new();
        };
        if room.info.direct.is_some() {
            let may_hide = self.offers(Feature::Membership) && !room.info.left;
            let hide = may_hide.then_some((RoomAct::Hide, None));
            return hide.into_iter().chain([(RoomAct::Export, None)]).collect();
        }
        let (role, is_general) = (self.role(), *id == RoomId::general());
        let may_change = role.may(Act::ChangeRoom) || (room.info.own && role.may(Act::ChangeOwnRoom));
        let change = (!may_change).then_some(Denied::NotYours);
        let general = is_general.then_some(Denied::General);
        let mut acts = Vec::new();
        if self.offers(Feature::RoomChanges) {
            acts.extend([(RoomAct::Rename, change), (RoomAct::SetTopic, change)]);
            acts.push(match room.info.archived {
                true => (RoomAct::Unarchive, change),
                false => (RoomAct::Archive, general.or(change)),
            });
        }
        if self.offers(Feature::PrivateRooms) && room.info.private && !room.info.left {
            acts.push((RoomAct::Members, None));
        }
        if self.offers(Feature::Membership) {
            match room.info.left {
                true if room.info.private => {}
                true => acts.push((RoomAct::Join, None)),
                false => acts.push((RoomAct::Leave, general)),
            }
        }
        acts.push((RoomAct::Export, None));
        acts
    }

    /// Whether the person may do this with the members of a private room.
    pub fn may_with_members(&self, id: &RoomId, act: MemberAct) -> bool {
        let Some(room) = self.chat.rooms.get(id) else { return false };
        let info = &room.info;
        let role = self.role();
        let is_open = info.private && info.direct.is_none() && !info.left && room.unmade.is_none();
        let may = match act {
            MemberAct::Invite => role.may(Act::Write) && info.members.len() < MAX_MEMBERS,
            MemberAct::Remove => role.may(Act::ChangeRoom) || (info.own && role.may(Act::ChangeOwnRoom)),
        };
        is_open && may && self.offers(Feature::PrivateRooms)
    }

    /// Whether the person may do this with a room.
    pub fn may_with_room(&self, id: &RoomId, act: RoomAct) -> bool {
        self.room_acts(id).contains(&(act, None))
    }

    /// Why nothing can be written in a room; none where it can.
    pub fn closed(&self, id: &RoomId) -> Option<Closed> {
        let info = &self.chat.rooms.get(id)?.info;
        if !self.role().may(Act::Write) {
            return Some(Closed::Guest);
        }
        if info.left {
            return Some(Closed::Left { may_join: self.may_with_room(id, RoomAct::Join) });
        }
        info.archived.then(|| Closed::Archived { may_open: self.may_with_room(id, RoomAct::Unarchive) })
    }
}
