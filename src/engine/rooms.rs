//! What a person wants of rooms and of who is in them: each becomes an entry that goes through the outbox.

use super::Engine;
use crate::link::durable::Input;
use crate::model::content::{Content, Draft, MemberChange, Private};
use crate::model::intent::ChatIntent;
use crate::model::{
    ConnectionId, MessageId, Principal, PrincipalId, PrincipalKind, RoomId, RoomName, Sender, Time,
};
use crate::wire::ChatRequest;

impl Engine {
    /// `id`: as in [`Engine::want_in_chat`].
    pub(super) fn change_rooms(&mut self, now: Time, intent: ChatIntent, id: Option<MessageId>) {
        match intent {
            ChatIntent::CreatePrivateRoom { connection, name, topic, members } => {
                if let Some(id) = id {
                    let private = Private { members, direct: false };
                    let content = Content::private_room(name, private).with_topic(&topic);
                    let draft = Draft { id, room: id.into(), content, at: now.wall_ms };
                    self.tell(now, connection, Input::Send(draft));
                }
            }
            ChatIntent::OpenDirect { connection, who } => _ = self.open_direct(now, connection, who, id),
            ChatIntent::SendDirect { connection, who, content } => {
                let Some(id) = id else { return };
                if let Some(room) = self.open_direct(now, connection, who, Some(beside(id))) {
                    self.tell(now, connection, Input::Send(Draft { id, room, content, at: now.wall_ms }));
                }
            }
            ChatIntent::RenameRoom { connection, room, name } => {
                self.change_room(now, connection, room, Content::renamed(name), id);
            }
            ChatIntent::SetTopic { connection, room, topic } => {
                self.change_room(now, connection, room, Content::topic(topic), id);
            }
            ChatIntent::SetArchived { connection, room, archived } => {
                self.change_room(now, connection, room, Content::archived(archived), id);
            }
            ChatIntent::JoinRoom { connection, room } => {
                self.change_member(now, connection, room, None, MemberChange::Joined, id);
            }
            ChatIntent::LeaveRoom { connection, room } => {
                self.change_member(now, connection, room, None, MemberChange::Left, id);
            }
            ChatIntent::InviteToRoom { connection, room, who } => {
                self.change_member(now, connection, room, Some(who), MemberChange::Invited, id);
            }
            ChatIntent::RemoveFromRoom { connection, room, who } => {
                self.change_member(now, connection, room, Some(who), MemberChange::Left, id);
            }
            ChatIntent::SetStatus { connection, text } => {
                self.ask_in_chat(now, connection, ChatRequest::Status(text));
            }
            // `want_in_chat` takes care of the rest.
            _ => {}
        }
    }

    fn change_room(
        &mut self,
        now: Time,
        connection: ConnectionId,
        room: RoomId,
        content: Content,
        id: Option<MessageId>,
    ) {
        if let Some(id) = id {
            self.tell(now, connection, Input::Send(Draft { id, room, content, at: now.wall_ms }));
        }
    }

    /// Somebody, or the person where nobody is named, becomes a member of a room or is one no more.
    fn change_member(
        &mut self,
        now: Time,
        connection: ConnectionId,
        room: RoomId,
        who: Option<PrincipalId>,
        change: MemberChange,
        id: Option<MessageId>,
    ) {
        let who = self.model.read(|model| {
            let chat = &model.connections.get(&connection)?.chat;
            match who {
                // Whoever is gone from the server can be taken out of a room all the same.
                Some(id) => Some(chat.people.get(&id).map_or_else(
                    || Principal {
                        name: id.0.clone(),
                        id: id.clone(),
                        kind: PrincipalKind::Person,
                        role: None,
                    },
                    |person| person.who.clone(),
                )),
                None => chat.me.clone(),
            }
        });
        let Some(Principal { id: who, name, .. }) = who else { return };
        self.change_room(now, connection, room, Content::member(Sender { id: who, name }, change), id);
    }

    /// Makes a direct message, unless there is one; that is brought back into sight.
    /// Returns which room it is.
    fn open_direct(
        &mut self,
        now: Time,
        connection: ConnectionId,
        who: PrincipalId,
        id: Option<MessageId>,
    ) -> Option<RoomId> {
        let found = self.model.read(|model| {
            let chat = &model.connections.get(&connection)?.chat;
            let room =
                chat.direct_with(&who).and_then(|room| Some((room.clone(), chat.rooms.get(room)?.info.left)));
            let name = chat.people.get(&who).and_then(|person| RoomName::closest(&person.who.name));
            Some((room, name))
        });
        let (there, name) = found?;
        if let Some((room, is_hidden)) = there {
            if is_hidden {
                self.change_member(now, connection, room.clone(), None, MemberChange::Joined, id);
            }
            return Some(room);
        }
        let id = id?;
        let room: RoomId = id.into();
        // It is shown under the other person's name.
        let name = name.unwrap_or_else(|| RoomName::of_id(&room));
        let content = Content::private_room(name, Private { members: vec![who], direct: true });
        self.tell(now, connection, Input::Send(Draft { id, room: room.clone(), content, at: now.wall_ms }));
        Some(room)
    }
}

/// An id that is as random as this one, and another.
fn beside(id: MessageId) -> MessageId {
    MessageId::from_random(id.0.as_bytes().map(|byte| byte ^ 0x5a))
}
