//! Commands: checked, passed to the connection that publishes the device, then answered or expired, and reported.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::station::{Mail, Station};
use super::{Fleet, Inner, text_of, wall_now};
use crate::clock;
use crate::model::device::{CommandRefusal, Happened};
use crate::model::time::BootMs;
use crate::model::{Command, CommandState, DeviceId, LogLine, MessageId, PrincipalKind};
use crate::wire::duplex::message::HubMessage;
use crate::wire::duplex::server::Given;

/// Maximum number of commands in progress: per device, per client, per principal, and in total.
const OF_DEVICE: usize = 32;
const OF_CLIENT: usize = 64;
const OF_PRINCIPAL: usize = 256;
const IN_ALL: usize = 4096;
/// Maximum number of completed commands that are still known by their id.
const ENDED: usize = 1024;
/// Maximum length of the detail of a device's answer, in characters.
const DETAIL_CHARS: usize = 512;

/// Commands in progress, and those that ended recently.
pub(super) struct Commands {
    /// How long a command may take, in milliseconds.
    expire_ms: u64,
    pending: HashMap<MessageId, Pending>,
    ended: VecDeque<Command>,
}

struct Pending {
    command: Command,
    /// The incarnation of the device that the person saw.
    incarnation: Option<u64>,
    /// The client that requested it.
    asker: u64,
    due: BootMs,
    given: bool,
}

/// A command as a client sent it.
pub(in crate::hub) struct Wish {
    /// The command; its state is not used.
    pub command: Command,
    /// The incarnation of the device that the person saw.
    pub incarnation: Option<u64>,
}

impl Commands {
    pub(super) fn new(expire_ms: u64) -> Commands {
        Commands { expire_ms, pending: HashMap::new(), ended: VecDeque::new() }
    }

    fn known(&self, id: MessageId) -> Option<&Command> {
        let pending = self.pending.get(&id).map(|pending| &pending.command);
        pending.or_else(|| self.ended.iter().rev().find(|command| command.id == id))
    }

    fn has_room(&self, wish: &Wish, asker: u64) -> bool {
        let of = |is: &dyn Fn(&Pending) -> bool| self.pending.values().filter(|one| is(one)).count();
        self.pending.len() < IN_ALL
            && of(&|one| one.command.device == wish.command.device) < OF_DEVICE
            && of(&|one| one.asker == asker) < OF_CLIENT
            && of(&|one| one.command.by.id == wish.command.by.id) < OF_PRINCIPAL
    }
}

impl Station {
    /// Requests a command. Returns whether it is in progress now.
    pub(in crate::hub) fn command(&self, wish: Wish, now: BootMs) -> bool {
        let id = wish.command.id;
        let mut inner = self.fleet.lock();
        if let Some(known) = inner.commands.known(id) {
            let own = known.by.id == wish.command.by.id;
            let known = if own { known.clone() } else { refused(wish.command, CommandRefusal::Other, "") };
            inner.answer(self.number, known);
            return false;
        }
        if let Err((why, detail)) = inner.check(&wish, self) {
            inner.answer(self.number, refused(wish.command, why, &detail));
            return false;
        }
        let due = now.saturating_add(inner.commands.expire_ms);
        let Wish { mut command, incarnation } = wish;
        command.state = CommandState::Pending;
        let place = inner.by_id.get(&command.device).copied();
        inner.answer(self.number, command.clone());
        inner.tell(&HubMessage::Commanded { command: command.clone() }, Some(self.number));
        let pending = Pending { command, incarnation, asker: self.number, due, given: false };
        inner.commands.pending.insert(id, pending);
        if let Some(place) = place {
            inner.give_what_waits(place, now);
        }
        drop(inner);
        let fleet = Arc::downgrade(&self.fleet);
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(due.saturating_sub(clock::now().boot_ms))).await;
            if let Some(fleet) = fleet.upgrade() {
                fleet.lock().end(id, CommandState::Expired);
            }
        });
        true
    }
}

impl Fleet {
    /// Handles a publisher's answer to a command.
    pub(super) fn command_result(&self, station: u64, id: MessageId, state: CommandState) {
        let state = match state {
            CommandState::Done => CommandState::Done,
            CommandState::Failed { detail } => {
                CommandState::Failed { detail: detail.chars().take(DETAIL_CHARS).collect() }
            }
            _ => return,
        };
        let mut inner = self.lock();
        let device = inner.commands.pending.get(&id).filter(|pending| pending.given);
        let record = device.and_then(|pending| inner.record(&pending.command.device));
        if record.is_some_and(|record| record.publisher == Some(station)) {
            inner.end(id, state);
        }
    }
}

impl Inner {
    fn check(&self, wish: &Wish, station: &Station) -> Result<(), (CommandRefusal, String)> {
        let refuse = |why| Err((why, String::new()));
        if station.principal.kind == PrincipalKind::Device {
            return refuse(CommandRefusal::NotAllowed);
        }
        let Some(record) = self.record(&wish.command.device) else {
            return refuse(CommandRefusal::UnknownDevice);
        };
        if wish.incarnation.is_some_and(|seen| seen != record.incarnation) {
            return refuse(CommandRefusal::Changed);
        }
        let property = record.spec.metric(wish.command.property.as_str());
        let Some(property) = property.filter(|property| property.writable) else {
            return refuse(CommandRefusal::NotWritable);
        };
        property.check(&wish.command.value).map_err(|detail| (CommandRefusal::BadValue, detail))?;
        if !self.commands.has_room(wish, station.number) {
            return Err((CommandRefusal::Other, "too many commands are under way".to_owned()));
        }
        Ok(())
    }

    /// Reports the state to the client that requested the command.
    fn answer(&self, station: u64, command: Command) {
        if let Some(post) = self.stations.get(&station) {
            // The client may have disconnected; it has fewer commands in progress than its queue holds.
            let _ = post.mail.try_send(Mail::Commanded(text_of(&HubMessage::Commanded { command })));
        }
    }

    /// Passes waiting commands to a device, if it is online. Commands meant for an earlier incarnation are refused.
    pub(super) fn give_what_waits(&mut self, place: u32, now: BootMs) {
        let record = &self.records[place as usize];
        let device = &record.spec.id;
        let mut waiting: Vec<&mut Pending> = self.commands.pending.values_mut().collect();
        waiting.retain(|one| !one.given && one.command.device == *device);
        waiting.sort_by_key(|one| one.due);
        let post = record.publisher.filter(|_| record.online).and_then(|number| self.stations.get(&number));
        let mut ends = Vec::new();
        for one in waiting {
            let Command { id, device, property, value, by, .. } = one.command.clone();
            if one.incarnation.is_some_and(|seen| seen != record.incarnation) {
                ends.push((id, CommandRefusal::Changed, ""));
            } else if one.due <= now {
                // The timer will expire it.
            } else if let Some(post) = post {
                let given = Given { id, device, property, value, by, expires_in_ms: one.due - now };
                one.given = true;
                if post.mail.try_send(Mail::Given(Box::new(given))).is_err() {
                    ends.push((id, CommandRefusal::Other, "too many commands are queued for the device"));
                }
            }
        }
        for (id, why, detail) in ends {
            self.end(id, CommandState::Refused { why, detail: detail.to_owned() });
        }
    }

    /// Ends all commands of a device that nobody will carry out: those still waiting are refused, and the outcome of
    /// those already passed on is unknown.
    pub(super) fn end_all(&mut self, device: &DeviceId, reason: &str) {
        let under_way = self.commands.pending.values().filter(|one| one.command.device == *device);
        let ids: Vec<_> = under_way.map(|one| (one.command.id, one.given)).collect();
        for (id, given) in ids {
            let refused = || CommandState::Refused { why: CommandRefusal::Other, detail: reason.to_owned() };
            self.end(id, if given { CommandState::Expired } else { refused() });
        }
    }

    /// Ends a command in progress.
    fn end(&mut self, id: MessageId, state: CommandState) {
        let Some(Pending { mut command, asker, .. }) = self.commands.pending.remove(&id) else { return };
        command.state = state;
        self.answer(asker, command.clone());
        self.tell(&HubMessage::Commanded { command: command.clone() }, Some(asker));
        let what = Happened::Command { command: command.clone() };
        self.note(&command.device, LogLine { at: wall_now(), what });
        if self.commands.ended.len() == ENDED {
            self.commands.ended.pop_front();
        }
        self.commands.ended.push_back(command);
    }
}

fn refused(command: Command, why: CommandRefusal, detail: &str) -> Command {
    // The detail may list the options of an enumeration, which can be many.
    let detail = detail.chars().take(DETAIL_CHARS).collect();
    Command { state: CommandState::Refused { why, detail }, ..command }
}
