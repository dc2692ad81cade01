//! Screen reader announcements of background events: messages by others in the open room, and other
//! connections going down or coming back. The open connection's state is announced by the connection bar;
//! readings are never announced.

use std::collections::HashMap;

use egui::{Id, Rect, Sense, Ui, pos2};

use super::link::LinkMemory;
use super::text::StateWord;
use super::{Cx, OpenRoom, chat, harmless, rooms, widgets};
use crate::model::id::{ConnectionId, RoomId};
use crate::model::message::Position;
use crate::model::time::BootMs;

/// Minimum time between two announcements of messages, in milliseconds; messages in between are counted.
const MIN_INTERVAL_MS: u64 = 2_000;
/// Maximum length of a message in an announcement, in characters.
const MAX_MESSAGE_CHARS: usize = 300;
/// Maximum number of messages inspected per announcement.
const MAX_MESSAGES: usize = 100;

/// The announcements made, and how far they cover the log.
#[derive(Default)]
pub(super) struct Announcer {
    place: Option<(ConnectionId, RoomId)>,
    heard: Position,
    next_at: BootMs,
    chat: String,
    links: HashMap<ConnectionId, bool>,
    link: String,
}

impl Announcer {
    /// Announces what happened since the last frame. Draws nothing visible.
    pub(super) fn show(
        &mut self,
        ui: &Ui,
        cx: &mut Cx,
        open: Option<&OpenRoom>,
        links: &HashMap<ConnectionId, LinkMemory>,
    ) {
        self.announce_messages(cx, open);
        self.announce_links(cx, open, links);
        let nowhere = Rect::from_min_size(pos2(0.0, 0.0), egui::Vec2::ZERO);
        for (name, text, is_urgent) in
            [("announced messages", &self.chat, false), ("announced connections", &self.link, true)]
        {
            if text.is_empty() {
                continue;
            }
            let id = ui.interact(nowhere, Id::unique(name), Sense::hover()).id;
            if is_urgent { widgets::alert(ui, id, text) } else { widgets::live(ui, id, text) }
        }
    }

    fn announce_messages(&mut self, cx: &mut Cx, open: Option<&OpenRoom>) {
        let place = open.and_then(|place| Some((place.connection, place.room.clone()?)));
        let arrived = self.place != place;
        self.place = place;
        let Some((connection, room)) = &self.place else { return };
        let (words, heard) = (cx.words, self.heard);
        let news = cx.model.read(|model| {
            let connection = model.connections.get(connection)?;
            let room = connection.chat.rooms.get(room)?;
            let me = connection.chat.me.as_ref().map(|me| &me.id);
            let newest = room.window.last().map_or(room.newest, |last| last.position);
            if arrived || newest <= heard {
                return Some((newest, 0, None));
            }
            let new = room
                .window
                .messages()
                .rev()
                .take(MAX_MESSAGES)
                .take_while(|message| message.position > heard);
            let mut by_others =
                new.filter(|message| message.live && !message.is_event() && Some(&message.sender.id) != me);
            let last = by_others.next();
            let said = last.map(|last| {
                if connection.has_frames() {
                    return chat::said_of_frame(&last.content, words, MAX_MESSAGE_CHARS);
                }
                let sender = connection.chat.shown(&last.sender, 60).label();
                format!("{sender}: {}", harmless::line(last.body(), MAX_MESSAGE_CHARS))
            });
            let count = by_others.count() as u64 + u64::from(last.is_some());
            Some((newest, count, said))
        });
        match news {
            None => {}
            Some((newest, _, None)) => self.heard = newest,
            Some((newest, count, Some(said))) => {
                if cx.now.boot_ms < self.next_at {
                    return cx.deadline.at(self.next_at);
                }
                self.next_at = cx.now.boot_ms.saturating_add(MIN_INTERVAL_MS);
                self.heard = newest;
                self.chat = if count > 1 { format!("{}. {said}", (words.new_count)(count)) } else { said };
            }
        }
    }

    fn announce_links(
        &mut self,
        cx: &Cx,
        open: Option<&OpenRoom>,
        links: &HashMap<ConnectionId, LinkMemory>,
    ) {
        self.links.retain(|id, _| links.contains_key(id));
        for (id, link) in links {
            let is_down = link.alarm && link.word != StateWord::Off;
            let was_down = self.links.insert(*id, is_down).unwrap_or(false);
            let is_back = was_down && link.word == StateWord::Online;
            let is_here = open.is_some_and(|place| place.connection == *id);
            if is_here || !(is_back || (is_down && !was_down)) {
                continue;
            }
            let name = cx.model.read(|model| {
                model.connections.get(id).map(|connection| rooms::name_of(connection, cx.words))
            });
            if let Some(name) = name {
                self.link = (cx.words.state_of)(&name, (cx.words.state)(link.word));
            }
        }
    }
}
