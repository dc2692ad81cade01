//! Commands: checked, passed to the connection that publishes the device, then answered or expired, and reported.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::client::{CommandMessage, FleetClient};
use super::{DeviceHub, Inner, text_of, wall_now};
use crate::clock;
use crate::model::device::{CommandRefusal, DeviceLogEvent};
use crate::model::time::BootMs;
use crate::model::{Command, CommandState, DeviceId, LogLine, MessageId, PrincipalKind};
use crate::wire::duplex::message::HubMessage;
use crate::wire::duplex::server::DeviceCommand;

/// Maximum number of commands in progress: per device, per client, per principal, and in total.
const MAX_PER_DEVICE: usize = 32;
const MAX_PER_CLIENT: usize = 64;
const MAX_PER_PRINCIPAL: usize = 256;
const MAX_IN_PROGRESS: usize = 4096;
/// Maximum number of completed commands that are still known by their id.
const MAX_ENDED: usize = 1024;
/// Maximum length of the detail of a device's answer, in characters.
const MAX_DETAIL_CHARS: usize = 512;

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
pub(in crate::hub) struct CommandRequest {
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

    fn has_room(&self, request: &CommandRequest, asker: u64) -> bool {
        let of = |is: &dyn Fn(&Pending) -> bool| self.pending.values().filter(|one| is(one)).count();
        self.pending.len() < MAX_IN_PROGRESS
            && of(&|one| one.command.device == request.command.device) < MAX_PER_DEVICE
            && of(&|one| one.asker == asker) < MAX_PER_CLIENT
            && of(&|one| one.command.by.id == request.command.by.id) < MAX_PER_PRINCIPAL
    }
}

impl FleetClient {
    /// Requests a command. Returns whether it is in progress now.
    pub(in crate::hub) fn command(&self, request: CommandRequest, now: BootMs) -> bool {
        let id = request.command.id;
        let mut inner = self.fleet.lock();
        if let Some(known) = inner.commands.known(id) {
            let own = known.by.id == request.command.by.id;
            let known = if own { known.clone() } else { refused(request.command, CommandRefusal::Other, "") };
            inner.answer(self.number, known);
            return false;
        }
        if let Err((why, detail)) = inner.check(&request, self) {
            inner.answer(self.number, refused(request.command, why, &detail));
            return false;
        }
        let due = now.saturating_add(inner.commands.expire_ms);
        let CommandRequest { mut command, incarnation } = request;
        command.state = CommandState::Pending;
        let index = inner.by_id.get(&command.device).copied();
        inner.answer(self.number, command.clone());
        inner.tell(&HubMessage::Commanded { command: command.clone() }, Some(self.number));
        let pending = Pending { command, incarnation, asker: self.number, due, given: false };
        inner.commands.pending.insert(id, pending);
        if let Some(index) = index {
            inner.send_waiting_commands(index, now);
        }
        drop(inner);
        let fleet = Arc::downgrade(&self.fleet);
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(due.since(clock::now().boot_ms))).await;
            if let Some(fleet) = fleet.upgrade() {
                fleet.lock().end(id, CommandState::Expired);
            }
        });
        true
    }
}

impl DeviceHub {
    /// Handles a publisher's answer to a command.
    pub(super) fn command_result(&self, client: u64, id: MessageId, state: CommandState) {
        let state = match state {
            CommandState::Done => CommandState::Done,
            CommandState::Failed { detail } => {
                CommandState::Failed { detail: detail.chars().take(MAX_DETAIL_CHARS).collect() }
            }
            _ => return,
        };
        let mut inner = self.lock();
        let device = inner.commands.pending.get(&id).filter(|pending| pending.given);
        let record = device.and_then(|pending| inner.record(&pending.command.device));
        if record.is_some_and(|record| record.publisher == Some(client)) {
            inner.end(id, state);
        }
    }
}

impl Inner {
    fn check(&self, request: &CommandRequest, client: &FleetClient) -> Result<(), (CommandRefusal, String)> {
        let refuse = |why| Err((why, String::new()));
        if client.principal.kind == PrincipalKind::Device {
            return refuse(CommandRefusal::NotAllowed);
        }
        let Some(record) = self.record(&request.command.device) else {
            return refuse(CommandRefusal::UnknownDevice);
        };
        if request.incarnation.is_some_and(|seen| seen != record.incarnation) {
            return refuse(CommandRefusal::Changed);
        }
        let property = record.spec.metric(request.command.property.as_str());
        let Some(property) = property.filter(|property| property.writable) else {
            return refuse(CommandRefusal::NotWritable);
        };
        property.check(&request.command.value).map_err(|detail| (CommandRefusal::BadValue, detail))?;
        if !self.commands.has_room(request, client.number) {
            return Err((CommandRefusal::Other, "too many commands are under way".to_owned()));
        }
        Ok(())
    }

    /// Reports the state to the client that requested the command.
    fn answer(&self, client: u64, command: Command) {
        if let Some(client_state) = self.clients.get(&client) {
            // The client may have disconnected; it has fewer commands in progress than its queue holds.
            let _ = client_state
                .messages
                .try_send(CommandMessage::Commanded(text_of(&HubMessage::Commanded { command })));
        }
    }

    /// Passes waiting commands to a device, if it is online. Commands meant for an earlier incarnation are refused.
    pub(super) fn send_waiting_commands(&mut self, index: u32, now: BootMs) {
        let record = &self.records[index as usize];
        let device = &record.spec.id;
        let mut waiting: Vec<&mut Pending> = self.commands.pending.values_mut().collect();
        waiting.retain(|one| !one.given && one.command.device == *device);
        waiting.sort_by_key(|one| one.due);
        let client_state =
            record.publisher.filter(|_| record.online).and_then(|number| self.clients.get(&number));
        let mut ends = Vec::new();
        for one in waiting {
            let Command { id, device, property, value, by, .. } = one.command.clone();
            if one.incarnation.is_some_and(|seen| seen != record.incarnation) {
                ends.push((id, CommandRefusal::Changed, ""));
            } else if one.due <= now {
                // The timer will expire it.
            } else if let Some(client_state) = client_state {
                let given = DeviceCommand { id, device, property, value, by, expires_in_ms: one.due - now };
                one.given = true;
                if client_state.messages.try_send(CommandMessage::Given(Box::new(given))).is_err() {
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
        let what = DeviceLogEvent::Command { command: command.clone() };
        self.note(&command.device, LogLine { at: wall_now(), what });
        if self.commands.ended.len() == MAX_ENDED {
            self.commands.ended.pop_front();
        }
        self.commands.ended.push_back(command);
    }
}

fn refused(command: Command, why: CommandRefusal, detail: &str) -> Command {
    // The detail may list the options of an enumeration, which can be many.
    let detail = detail.chars().take(MAX_DETAIL_CHARS).collect();
    Command { state: CommandState::Refused { why, detail }, ..command }
}
