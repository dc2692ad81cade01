//! `duplexctl tail`.

use std::sync::Arc;

use super::args::Tail;
use super::devices::Seen;
use super::follow::Follow;
use super::reason::reason_at;
use super::{Exit, Failure, print};
use crate::clock;
use crate::model::event::{ChatEvent, DeviceEvent, LinkEvent};
use crate::model::known::Known;
use crate::model::link_state::LinkState;
use crate::model::{Entry, Event, Readings, Sender};
use crate::wire::SavedState;

pub(super) async fn run(command: Tail) -> Result<(), Failure> {
    // Without --since: only what comes from now on.
    let since = Some(command.since.unwrap_or(u64::MAX));
    let mut follow = Follow::start(&command.server, SavedState { resume: None, since }, true)?;
    let left = command.count;
    let mut printer =
        Printer { command, left, devices: Seen::default(), people: Known::default(), version: 0 };
    while printer.event(follow.next().await)? {}
    follow.end().await;
    Ok(())
}

struct Printer {
    command: Tail,
    /// So many messages more.
    left: Option<u64>,
    devices: Seen,
    /// Who was listed by the server or has spoken.
    people: Known,
    /// Of which the statuses were told.
    version: u64,
}

impl Printer {
    /// Prints what there is to print of it. `false`: that was all.
    fn event(&mut self, event: Event) -> Result<bool, Failure> {
        // First: of two who look alike in these entries neither is printed without an id because they spoke first.
        self.people.hear(&event);
        match event {
            Event::Chat(ChatEvent::Entries { entries, .. }) => return self.messages(&entries),
            Event::Link(LinkEvent::State(state)) => {
                link(&self.command, &state)?;
                self.devices.take(Event::Link(LinkEvent::State(state)));
            }
            Event::Device(DeviceEvent::Readings(readings)) => {
                self.devices.take(Event::Device(DeviceEvent::Readings(Arc::clone(&readings))));
                self.readings(&readings)?;
            }
            event => self.devices.take(event),
        }
        self.statuses()?;
        Ok(true)
    }

    fn messages(&mut self, entries: &[Entry]) -> Result<bool, Failure> {
        for entry in entries.iter().filter(|entry| wanted(&self.command, entry)) {
            let line = if self.command.json {
                print::message_json(entry)
            } else {
                let Sender { id, name } = &entry.sender;
                print::message_text(entry, &self.people.shown_in_doubt(id, name, print::MAX_NAME_CHARS))
            };
            print::line(&line)?;
            if let Some(left) = &mut self.left {
                *left -= 1;
                if *left == 0 {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// People who do not name a device have come for the chat.
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

fn wanted(command: &Tail, entry: &Entry) -> bool {
    entry.draft.content.is_text()
        && !command.no_messages
        && command.room.as_ref().is_none_or(|room| *room == entry.draft.room)
}

/// Scripts are told every state; people only what keeps messages from coming, on standard error.
fn link(command: &Tail, state: &LinkState) -> Result<(), Failure> {
    let is_news = !matches!(state, LinkState::Online { rtt_ms: Some(_), .. } | LinkState::Handshaking { .. });
    if command.json && is_news {
        print::line(&print::link_json(state, clock::now()))?;
    }
    match state {
        LinkState::Stopped { why } => {
            Err(Failure::new(Exit::Refused, reason_at(why, &command.server.url.url)))
        }
        LinkState::Waiting { .. } if !command.json => {
            print::error(&print::link_text(state, clock::now()));
            Ok(())
        }
        _ => Ok(()),
    }
}
