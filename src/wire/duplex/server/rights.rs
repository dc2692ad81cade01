//! What an admin asks for, and how a change of the client's own rights reaches it.

use super::{HubRequest, Phase, ServerSession, named};
use crate::model::rights::{Act, Invitation, ManageAnswer, ManageRefusal, ManageRequest, Member};
use crate::model::{Feature, Features, Principal, PrincipalKind, Sender};
use crate::wire::duplex::limits;
use crate::wire::duplex::message::HubMessage;

/// What is offered to those alone who may write.
const FOR_WRITERS: [Feature; 9] = [
    Feature::CreateRooms,
    Feature::Typing,
    Feature::Replies,
    Feature::Edits,
    Feature::Deletions,
    Feature::Reactions,
    Feature::Pins,
    Feature::RoomChanges,
    Feature::PrivateRooms,
];

/// What the hub offers to this principal.
pub(super) fn features_for(me: &Principal, takes_files: bool) -> Features {
    let all = if takes_files { Features::all() } else { Features::all().without(Feature::Files) };
    let role = me.role();
    let but = |all: Features, act: Act, features: &[Feature]| {
        let none = if role.may(act) { &[] } else { features };
        none.iter().copied().fold(all, Features::without)
    };
    let all = but(all, Act::Write, &FOR_WRITERS);
    let all = but(all, Act::Command, &[Feature::Commands]);
    but(all, Act::Manage, &[Feature::People, Feature::Invites])
}

impl ServerSession {
    pub(super) fn manage(&mut self, me: &Principal, id: u64, what: ManageRequest) {
        if me.kind == PrincipalKind::Admin {
            self.ask(HubRequest::Manage { id, what });
        } else {
            self.managed(id, ManageAnswer::Refused { why: ManageRefusal::NotAllowed, detail: String::new() });
        }
    }

    /// Answers, with names no longer than they may be.
    pub(super) fn managed(&mut self, id: u64, managed: ManageAnswer) {
        let member = |member: Member| Member { who: named(member.who), ..member };
        let sender = |who: Sender| Sender { name: limits::cut(&who.name, limits::PERSON_CHARS), ..who };
        let invitation = |invite: Invitation| Invitation {
            by: invite.by.map(sender),
            used_by: invite.used_by.map(sender),
            ..invite
        };
        let managed = match managed {
            ManageAnswer::People { people, next } => {
                ManageAnswer::People { people: people.into_iter().map(member).collect(), next }
            }
            ManageAnswer::Devices { devices, next } => {
                ManageAnswer::Devices { devices: devices.into_iter().map(member).collect(), next }
            }
            ManageAnswer::Invites { invites, next } => {
                ManageAnswer::Invites { invites: invites.into_iter().map(invitation).collect(), next }
            }
            managed => managed,
        };
        self.send(&HubMessage::Managed { id, managed });
    }

    /// The client is told its own new name as it is told others'.
    pub(super) fn renamed(&mut self, name: String, status: String) {
        if let Phase::Online(online) = &mut self.phase {
            online.me.name = name;
            let who = named(online.me.clone());
            self.tell(None, HubMessage::Presence { who, online: true, status, removed: false });
        }
    }
}
