//! What a client says about devices: held against the limits, then the hub's to decide.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{HubDeviceRequest, HubRequest, Phase, ServerSession};
use crate::model::number::{END_OF_WHOLE, NotHeld};
use crate::model::rights::Act;
use crate::model::{
    Command, CommandRefusal, CommandState, DeviceId, MessageId, MetricName, Role, Sender, Spec, Time, Value,
};
use crate::wire::duplex::limits;
use crate::wire::duplex::message::{ClientMessage, HubMessage};
use crate::wire::duplex::readings::Received;

/// A command whose value is only looked at.
#[derive(Deserialize)]
pub(super) struct Unread<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    id: MessageId,
    device: DeviceId,
    property: MetricName,
    #[serde(borrow)]
    value: &'a RawValue,
}

impl<'a> Unread<'a> {
    /// The command in a frame, if its number cannot be held. serde_json has no word for a number beyond all numbers, and
    /// rounds a whole number that is too large: only its digits tell.
    pub(super) fn find(text: &'a str, message: Option<&ClientMessage>) -> Option<Unread<'a>> {
        let is_doubtful = match message {
            Some(ClientMessage::Command { value: Value::Number(number), .. }) => {
                number.abs() >= END_OF_WHOLE / 2.0
            }
            Some(_) => false,
            None => true,
        };
        let unread = is_doubtful.then(|| serde_json::from_str::<Unread>(text).ok()).flatten()?;
        let is_number = unread.value.get().starts_with(|c: char| c == '-' || c.is_ascii_digit());
        let read = Value::parse_number(unread.value.get());
        (unread.kind == "command" && is_number && read == Err(NotHeld::OutOfRange)).then_some(unread)
    }
}

impl ServerSession {
    /// Refuses a command whose number cannot be held: the device would be told another one.
    pub(super) fn refuse_number(&mut self, now: Time, by: Sender, unread: Unread<'_>) {
        let Unread { id, device, property, value, .. } = unread;
        let detail = format!("{} is {}", limits::cut(value.get(), limits::TITLE_CHARS), NotHeld::OutOfRange);
        let state = CommandState::Refused { why: CommandRefusal::BadValue, detail };
        let command = Command { id, device, property, value: Value::Missing, by, at: now.wall_ms, state };
        self.send(&HubMessage::Commanded { command });
    }

    /// Takes a message about devices.
    pub(super) fn of_devices(&mut self, now: Time, sender: Sender, role: Role, message: ClientMessage) {
        match message {
            ClientMessage::Watch => {
                if let Phase::Online(online) = &mut self.phase {
                    online.watching = true;
                }
                self.ask_device(HubDeviceRequest::Watch);
            }
            ClientMessage::Announce(spec) => self.announce(spec),
            ClientMessage::DeviceState { device, online, reason } => {
                let reason = limits::cut(&reason, limits::REASON_CHARS);
                match limits::check_id(device.as_str()) {
                    Ok(()) => self.ask_device(HubDeviceRequest::State { device, online, reason }),
                    Err(excess) => self.refuse(device.as_str(), excess.code, excess.detail),
                }
            }
            // `frame` reads it while online.
            ClientMessage::Publish { .. } => {}
            ClientMessage::Command { id, device, property, value, .. } if !role.may(Act::Command) => {
                let value = match value {
                    Value::Text(text) => Value::Text(limits::cut(&text, limits::TITLE_CHARS).into()),
                    value => value,
                };
                let detail = "this takes the role of an operator".to_owned();
                let state = CommandState::Refused { why: CommandRefusal::NotAllowed, detail };
                let command = Command { id, device, property, value, by: sender, at: now.wall_ms, state };
                self.send(&HubMessage::Commanded { command });
            }
            ClientMessage::Command { id, device, incarnation, property, value } => match value {
                Value::Text(text) if text.len() > limits::LONG_TEXT_BYTES => {
                    let value = Value::Text(limits::cut(&text, limits::TITLE_CHARS).into());
                    let detail = format!("a text of at most {} bytes", limits::LONG_TEXT_BYTES);
                    let state = CommandState::Refused { why: CommandRefusal::BadValue, detail };
                    let command = Command { id, device, property, value, by: sender, at: now.wall_ms, state };
                    self.send(&HubMessage::Commanded { command });
                }
                value => self.ask_device(HubDeviceRequest::Command {
                    id,
                    by: sender,
                    device,
                    incarnation,
                    property,
                    value,
                }),
            },
            ClientMessage::CommandResult { id, state } => self.command_result(id, state),
            ClientMessage::Series { device, metric, from, to } => {
                self.ask_device(HubDeviceRequest::Series { device, metric, from, to });
            }
            ClientMessage::DeviceLog { device } => self.ask_device(HubDeviceRequest::Log(device)),
            // `online` takes care of the rest.
            _ => {}
        }
    }

    fn command_result(&mut self, id: MessageId, state: CommandState) {
        let state = match state {
            CommandState::Done => CommandState::Done,
            CommandState::Failed { detail } => {
                CommandState::Failed { detail: limits::cut(&detail, limits::DETAIL_CHARS) }
            }
            _ => return self.error("malformed", "a result is `done` or `failed`"),
        };
        self.ask_device(HubDeviceRequest::CommandResult { id, state });
    }

    fn ask_device(&mut self, request: HubDeviceRequest) {
        self.ask(HubRequest::Device(request));
    }

    fn announce(&mut self, mut spec: Spec) {
        spec.will = limits::cut(&spec.will, limits::REASON_CHARS);
        match limits::check_spec(&spec) {
            Ok(()) => self.ask_device(HubDeviceRequest::Announce(spec)),
            Err(excess) => self.refuse(spec.id.as_str(), excess.code, excess.detail),
        }
    }

    /// What can be used of a `publish` goes on; of the rest the client is told once a frame.
    pub(super) fn publish(&mut self, received: Received) {
        let Received { readings, left_out } = received;
        if !readings.samples.is_empty() {
            self.ask_device(HubDeviceRequest::Publish(readings));
        }
        if let Some(left_out) = left_out {
            self.refuse(&left_out.device, left_out.code, left_out.to_string());
        }
    }

    pub(super) fn refuse(&mut self, device: &str, code: &str, detail: String) {
        self.send(&HubMessage::PublishRefused { device: device.to_owned(), code: code.to_owned(), detail });
    }
}

/// Whether a device may say this.
pub(super) fn is_for_devices(message: &ClientMessage) -> bool {
    matches!(
        message,
        ClientMessage::Announce(_)
            | ClientMessage::DeviceState { .. }
            | ClientMessage::Publish { .. }
            | ClientMessage::CommandResult { .. }
            | ClientMessage::Ping { .. }
            | ClientMessage::Bye
    )
}
