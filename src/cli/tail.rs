//! `duplexctl tail`.

use crate::model::Offset;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::args::Tail;
use super::devices::Seen;
use super::follow::Follow;
use super::reason::reason_of;
use super::{Exit, Failure, mqtt, print, tail_frames};
use crate::clock;
use crate::model::chat::MAX_ROOMS;
use crate::model::event::{ChatEvent, DeviceEvent, LinkEvent};
use crate::model::known::Known;
use crate::model::link_state::LinkState;
use crate::model::publication::Publications;
use crate::model::route::RouteInUse;
use crate::model::{Entry, Event, Readings, Receipt, RoomId, RoomName, Sender, TopicEvent};
use crate::wire::{ChatRequest, Request, SavedState};

pub(super) async fn run(mut command: Tail) -> Result<(), Failure> {
    if command.server.has_frames() {
        return tail_frames::run(command).await;
    }
    if command.server.is_broker() {
        let room = command.room.as_ref().map(|room| mqtt::room(&command.server, room)).transpose()?;
        command.room = room;
    }
    let chat = mqtt::ChatTopics::of(&command.server);
    // Without --since, only new messages are printed.
    let since = Some(command.since.unwrap_or(Offset::MAX));
    let mut follow = Follow::start(&command.server, SavedState { resume: None, since }, true)?;
    let left = command.count;
    let mut printer = Printer {
        command,
        left,
        chat,
        link: LinkLines::default(),
        devices: Seen::default(),
        people: Known::default(),
        rooms: BTreeMap::new(),
        to_ask: None,
        version: 0,
    };
    while printer.event(follow.next().await)? {
        if let Some(room) = printer.to_ask.take() {
            follow.ask(Request::Chat(ChatRequest::Receipts(room)));
        }
    }
    follow.end().await;
    Ok(())
}

struct Printer {
    command: Tail,
    /// Number of messages left to print.
    left: Option<u64>,
    /// With MQTT: what is printed as messages of the chat.
    chat: mqtt::ChatTopics,
    link: LinkLines,
    devices: Seen,
    /// People listed by the server, and senders.
    people: Known,
    /// Room names, at most [`MAX_ROOMS`].
    rooms: BTreeMap<RoomId, RoomName>,
    /// The one room that is printed, once it is known: what others have read of it is to be asked for.
    to_ask: Option<RoomId>,
    /// Devices with their printed statuses.
    version: u64,
}

impl Printer {
    /// Prints an event. `false` if it was the last one.
    fn event(&mut self, event: Event) -> Result<bool, Failure> {
        // First, so that of two look-alikes in these entries neither is printed without an id.
        self.people.hear(&event);
        self.name_rooms(&event);
        match event {
            Event::Chat(ChatEvent::Entries { entries, .. }) => return self.messages(&entries),
            Event::Topic(TopicEvent::Seen(seen)) => return self.publications(&seen),
            Event::Link(LinkEvent::State(state)) => {
                self.link.state(&self.command, &state)?;
                self.devices.take(Event::Link(LinkEvent::State(state)));
            }
            Event::Link(LinkEvent::Route(used)) => self.link.route(&self.command, used)?,
            Event::Device(DeviceEvent::Readings(readings)) => {
                self.devices.take(Event::Device(DeviceEvent::Readings(Arc::clone(&readings))));
                self.readings(&readings)?;
            }
            Event::Chat(ChatEvent::Receipts { room, by, .. }) => self.receipts(&room, &by)?,
            event => self.devices.take(event),
        }
        self.statuses()?;
        Ok(true)
    }

    fn name_rooms(&mut self, event: &Event) {
        let mut name = |id: &RoomId, name: &RoomName| {
            if self.rooms.len() < MAX_ROOMS || self.rooms.contains_key(id) {
                self.rooms.insert(id.clone(), name.clone());
                let is_printed = |wanted: &RoomId| wanted == id || wanted.as_str() == name.as_str();
                if self.command.json && self.command.room.as_ref().is_some_and(is_printed) {
                    self.to_ask = Some(id.clone());
                }
            }
        };
        match event {
            Event::Link(LinkEvent::Welcomed { rooms, .. }) => {
                rooms.iter().for_each(|room| name(&room.id, &room.name));
            }
            Event::Chat(ChatEvent::Listed(listed)) => {
                listed.rooms.iter().for_each(|room| name(&room.id, &room.name));
            }
            Event::Chat(ChatEvent::Entries { entries, .. }) => {
                for draft in entries.iter().map(|entry| &entry.draft) {
                    if let Some(called) = draft.room_name() {
                        name(&draft.room, &called);
                    }
                }
            }
            _ => {}
        }
    }

    /// Whether to print a message: rooms are chosen by id or name.
    fn is_wanted(&self, entry: &Entry, name: &RoomName) -> bool {
        let is_room = |wanted: &RoomId| *wanted == entry.draft.room || wanted.as_str() == name.as_str();
        let content = &entry.draft.content;
        // People read messages; scripts hear of what changes them, too.
        (content.is_text() || (self.command.json && content.target().is_some()))
            && !self.command.no_messages
            && self.command.room.as_ref().is_none_or(is_room)
    }

    fn messages(&mut self, entries: &[Entry]) -> Result<bool, Failure> {
        for entry in entries {
            let room = &entry.draft.room;
            let room = self.rooms.get(room).cloned().unwrap_or_else(|| RoomName::of_id(room));
            if !self.is_wanted(entry, &room) {
                continue;
            }
            let line = if self.command.json {
                print::message_json(entry, &room)
            } else {
                let Sender { id, name } = &entry.sender;
                print::message_text(
                    entry,
                    &room,
                    &self.people.shown_in_doubt(id, name, print::MAX_NAME_CHARS),
                )
            };
            print::line(&line)?;
            if let Some(file) = entry.draft.content.file().filter(|_| self.command.json) {
                print::line(&print::file_json(entry, &room, &file))?;
            }
            if let Some(left) = self.left.as_mut().filter(|_| entry.draft.content.is_text()) {
                *left -= 1;
                if *left == 0 {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    fn receipts(&self, room: &RoomId, by: &[Receipt]) -> Result<(), Failure> {
        let name = self.rooms.get(room).cloned().unwrap_or_else(|| RoomName::of_id(room));
        by.iter().try_for_each(|receipt| print::line(&print::receipt_json(receipt, room, &name)))
    }

    /// Messages of topics, but for those of the chat, which are printed as such. `false` after the last one.
    fn publications(&mut self, seen: &Publications) -> Result<bool, Failure> {
        if self.command.room.is_some() || self.command.device.is_some() {
            return Ok(true);
        }
        for message in seen.iter().filter(|message| !self.chat.is_of_chat(message.topic)) {
            print::line(&match self.command.json {
                true => mqtt::publication_json(&message, seen.received.wall_ms),
                false => mqtt::publication_text(&message),
            })?;
            if let Some(left) = self.left.as_mut() {
                *left -= 1;
                if *left == 0 {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// Without a chosen device, people want the chat.
    fn is_told_of(&self, device: &str) -> bool {
        match &self.command.device {
            Some(wanted) => wanted.as_str() == device,
            None => self.command.json,
        }
    }

    fn readings(&self, readings: &Readings) -> Result<(), Failure> {
        if self.command.no_readings {
            return Ok(());
        }
        let mut lines = Vec::new();
        for (sample, values) in readings.iter().filter(|(sample, _)| self.is_told_of(sample.device.as_str()))
        {
            for value in values {
                let reading = self.devices.reading(sample, value);
                lines.push(match self.command.json {
                    true => print::reading_json(&reading),
                    false => print::reading_text(&reading),
                });
            }
        }
        if lines.is_empty() { Ok(()) } else { print::line(&lines.join("\n")) }
    }

    fn statuses(&mut self) -> Result<(), Failure> {
        if std::mem::replace(&mut self.version, self.devices.version()) == self.devices.version() {
            return Ok(());
        }
        for turn in self.devices.turns() {
            if self.is_told_of(turn.device.as_str()) {
                print::line(&match self.command.json {
                    true => print::status_json(&turn),
                    false => print::status_text(&turn),
                })?;
            }
        }
        Ok(())
    }
}

/// What is told of the link.
#[derive(Default)]
struct LinkLines {
    state: LinkState,
    used: Option<RouteInUse>,
    /// The route that people were told of last.
    told: Option<RouteInUse>,
}

impl LinkLines {
    /// Scripts get every state; people only get problems, on standard error.
    fn state(&mut self, command: &Tail, state: &LinkState) -> Result<(), Failure> {
        self.state = state.clone();
        if !matches!(state, LinkState::Online { .. } | LinkState::Handshaking { .. }) {
            self.used = None;
        }
        let is_news =
            !matches!(state, LinkState::Online { rtt_ms: Some(_), .. } | LinkState::Handshaking { .. });
        if command.json && is_news {
            print::line(&self.json(command))?;
        }
        match state {
            LinkState::Stopped { why } => Err(Failure::new(Exit::Refused, reason_of(&command.server, why))),
            LinkState::Waiting { .. } if !command.json => {
                print::error(&print::link_text(state, clock::now()));
                Ok(())
            }
            LinkState::Online { .. } if !command.json => {
                self.tell_route();
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Frames travel another way.
    fn route(&mut self, command: &Tail, used: RouteInUse) -> Result<(), Failure> {
        let before = self.used.replace(used);
        let is_other = before.is_none_or(|before| before.without_details() != used.without_details());
        if !self.state.is_online() || !is_other {
            return Ok(());
        }
        if command.json {
            return print::line(&self.json(command));
        }
        self.tell_route();
        Ok(())
    }

    fn json(&self, command: &Tail) -> String {
        let has_routes = command.server.websocket.is_none();
        print::link_json(&self.state, has_routes.then_some(self.used.as_ref()), clock::now())
    }

    /// That it is a WebSocket is only worth a line where it was none before.
    fn tell_route(&mut self) {
        let Some(used) = self.used else { return };
        let before = self.told.replace(used).unwrap_or(RouteInUse::WEBSOCKET);
        if before.without_details() != used.without_details() {
            print::error(&print::route_text(&used));
        }
    }
}
