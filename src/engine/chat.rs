//! Chat intents: drafts go to the connection's durable link; pages of messages are read from the disk or requested from
//! the server.

use super::{Effect, Engine};
use crate::link;
use crate::link::durable::{Change, Input};
use crate::model::content::{Content, Draft};
use crate::model::event::{ChatEvent, Side, Update};
use crate::model::intent::{ChatIntent, Jump};
use crate::model::{ConnectionId, Edge, Event, MessageId, Offset, Position, RoomId, Time};
use crate::wire::{ChatRequest, Request};

/// Number of messages per page.
const PAGE: u32 = 100;

/// One end of a room's window, and where more messages are.
struct End {
    edge: Edge,
    position: Option<Position>,
    is_loading: bool,
    next: Offset,
    /// Where the server's last page of history began: it may have had no message.
    asked_to: Option<Offset>,
    /// The current era.
    era: u32,
}

impl Engine {
    /// `id`: new and random; `None` if the system provides no randomness.
    ///
    /// Long: one arm for each intent.
    pub(super) fn want_in_chat(&mut self, now: Time, intent: ChatIntent, id: Option<MessageId>) {
        match intent {
            ChatIntent::Send { connection, room, content } => {
                if let Some(id) = id {
                    let draft = Draft { id, room, content, at: now.wall_ms };
                    self.tell(now, connection, Input::Send(draft));
                }
            }
            ChatIntent::CreateRoom { connection, name, topic } => {
                if let Some(id) = id {
                    let content = Content::room(name).with_topic(&topic);
                    let draft = Draft { id, room: id.into(), content, at: now.wall_ms };
                    self.tell(now, connection, Input::Send(draft));
                }
            }
            ChatIntent::Edit { connection, id: old, body } => {
                if let Some(new_id) = id {
                    self.tell(now, connection, Input::Edit { id: old, new_id, body });
                }
            }
            ChatIntent::EditSent { connection, room, target, body } => {
                self.change(now, connection, room, Content::edit(target, body), id);
            }
            ChatIntent::DeleteSent { connection, room, target } => {
                self.change(now, connection, room, Content::delete(target), id);
            }
            ChatIntent::React { connection, room, target, emoji, off } => {
                self.change(now, connection, room, Content::reaction(target, emoji, off), id);
            }
            ChatIntent::Pin { connection, room, target, off } => {
                self.change(now, connection, room, Content::pin(target, off), id);
            }
            ChatIntent::Resend { connection, id } => self.tell(now, connection, Input::Resend(id)),
            ChatIntent::Discard { connection, id } => self.tell(now, connection, Input::Discard(id)),
            ChatIntent::SaveDraft { connection, room, text } => {
                self.show_chat(connection, ChatEvent::Draft { room: room.clone(), text: text.clone() });
                self.keep(connection, 0, Change::Draft { room, text });
            }
            ChatIntent::Typing { connection, room } => {
                self.ask_in_chat(now, connection, ChatRequest::Typing(room));
            }
            ChatIntent::MarkRead { connection, room, position } => {
                let era = self.model.read(|model| model.connections.get(&connection).map(|c| c.chat.era()));
                if era == Some(position.era) {
                    self.tell(now, connection, Input::Read { room, offset: position.offset });
                }
            }
            ChatIntent::TellSeen { connection, room, first, last } => {
                let era = self.model.read(|model| model.connections.get(&connection).map(|c| c.chat.era()));
                if era == Some(first.era) && era == Some(last.era) {
                    self.tell(now, connection, Input::Seen { room, first: first.offset, last: last.offset });
                }
            }
            ChatIntent::KeepSeenPrivate => {
                let all: Vec<ConnectionId> = self.connections.keys().copied().collect();
                all.into_iter().for_each(|connection| self.tell(now, connection, Input::KeepSeenPrivate));
            }
            ChatIntent::AskReceipts { connection, room } => {
                self.ask_in_chat(now, connection, ChatRequest::Receipts(room));
            }
            ChatIntent::MarkUnread { connection, room, position } => {
                let era = self.model.read(|model| model.connections.get(&connection).map(|c| c.chat.era()));
                if era == Some(position.era) {
                    let offset = position.offset.previous();
                    self.tell(now, connection, Input::Unread { room, offset });
                }
            }
            ChatIntent::SaveThreadDraft { connection, room, root, text, reply } => {
                self.keep_here(connection, ChatEvent::ThreadDraft { room, root, text, reply });
            }
            ChatIntent::SaveReply { connection, room, reply } => {
                self.keep_here(connection, ChatEvent::DraftReply { room, reply });
            }
            ChatIntent::ReadThread { connection, room, root, position } => {
                self.keep_here(connection, ChatEvent::ThreadSeen { room, root, position });
            }
            ChatIntent::LoadThread { connection, room, root, before } => {
                let (limit, loading) = (PAGE, true);
                self.show_chat(connection, ChatEvent::ThreadLoading { room: room.clone(), root, loading });
                self.effects.push_back(Effect::ReadThread { connection, room, root, before, limit });
            }
            ChatIntent::LoadQuote { connection, room, position } => {
                self.effects.push_back(Effect::ReadQuote { connection, room, position });
            }
            ChatIntent::LoadMore { connection, room, side } => self.load_more(now, connection, room, side),
            ChatIntent::JumpTo { connection, room, jump } => self.jump(connection, room, jump),
            // The driver handles these without the engine.
            ChatIntent::Search(_)
            | ChatIntent::FindDay { .. }
            | ChatIntent::FindMessage { .. }
            | ChatIntent::LookUp(_)
            | ChatIntent::Archive(_)
            | ChatIntent::EndArchive
            | ChatIntent::SetRoomLevel { .. } => {}
            of_room => self.change_rooms(now, of_room, id),
        }
    }

    /// Sends what changes a message.
    fn change(
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

    /// Shows and stores what concerns this app alone.
    fn keep_here(&mut self, connection: ConnectionId, event: ChatEvent) {
        self.show_chat(connection, event.clone());
        self.keep(connection, 0, Change::Event(Event::Chat(event)));
    }

    fn show_chat(&mut self, connection: ConnectionId, event: ChatEvent) {
        self.updates.push(Update::Connection(connection, Event::Chat(event)));
    }

    pub(super) fn ask_in_chat(&mut self, now: Time, connection: ConnectionId, request: ChatRequest) {
        self.tell(now, connection, Input::Link(link::Input::Request(Request::Chat(request))));
    }

    fn load_more(&mut self, now: Time, connection: ConnectionId, room: RoomId, side: Side) {
        let end = self.model.read(|model| {
            let chat = &model.connections.get(&connection)?.chat;
            let room = chat.rooms.get(&room)?;
            let (edge, last, is_loading) = match side {
                Side::Older => (room.window.before, room.window.first(), room.loading_older),
                Side::Newer => (room.window.after, room.window.last(), room.loading_newer),
            };
            let position = last.map(|message| message.position);
            Some(End {
                edge,
                position,
                is_loading,
                next: chat.received_to + 1,
                asked_to: room.asked_to(chat.era()),
                era: chat.era(),
            })
        });
        let Some(End { edge, position, is_loading: false, next, asked_to, era }) = end else { return };
        let loading = ChatEvent::Loading { room: room.clone(), side, loading: true };
        match (edge, position) {
            (Edge::End, _) => {}
            (Edge::Disk, Some(from)) => {
                self.show_chat(connection, loading);
                self.effects.push_back(Effect::ReadPage { connection, room, from, side, limit: PAGE });
            }
            (Edge::Disk, None) => self.jump(connection, room, Jump::End),
            (Edge::Hub, position) => {
                if self.is_online(connection) {
                    self.show_chat(connection, loading);
                    // What is older than the log that is read now is not at the server.
                    let position = position.filter(|position| position.era == era);
                    let before =
                        position.map_or(next, |position| position.offset).min(asked_to.unwrap_or(next));
                    self.ask_in_chat(now, connection, ChatRequest::History { room, before, limit: PAGE });
                }
            }
        }
    }

    /// A page of history is on disk: what was known of its messages before they came is there, and not in the page; and behind
    /// the last page there may be more that was there before.
    pub(super) fn read_history_again(&mut self, connection: ConnectionId, event: &Event) {
        if let Event::Chat(ChatEvent::History { room, before, .. }) = event
            && let Some(era) =
                self.model.read(|model| model.connections.get(&connection).map(|found| found.chat.era()))
        {
            let (room, from) = (room.clone(), Position { era, offset: *before });
            self.effects.push_back(Effect::ReadPage {
                connection,
                room,
                from,
                side: Side::Older,
                limit: PAGE,
            });
        }
    }

    fn jump(&mut self, connection: ConnectionId, room: RoomId, jump: Jump) {
        self.effects.push_back(Effect::ReadAround { connection, room, jump, limit: PAGE });
    }
}
