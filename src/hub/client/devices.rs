//! The device part of a client's task: the session's requests about devices, commands for the client, and what it
//! watches.

use std::time::Duration;

use tokio::time::Instant;

use super::super::fleet::{CommandMessage, CommandRequest, FleetClient};
use super::{Client, rate};
use crate::clock;
use crate::model::{Command, CommandState, Value};
use crate::wire::duplex::server::{HubDeviceRequest, HubRequest, Input};

/// Prefix of a message with readings.
const PUBLISH: &str = r#"{"type":"publish""#;

impl Client {
    /// Handles the session's requests about devices.
    pub(super) fn device_ask(&mut self, ask: HubRequest) {
        let now = clock::now();
        if let Some((account, bytes)) = self.account().zip(told(&ask)) {
            let wait_ms = account.tell(bytes, now.boot_ms);
            if wait_ms > 0 {
                let until = Instant::now() + Duration::from_millis(wait_ms);
                self.paused = Some(self.paused.map_or(until, |paused| paused.max(until)));
            }
        }
        let Some(fleet_client) = self.enter_fleet() else { return };
        let refused = match ask {
            HubRequest::Device(HubDeviceRequest::Watch) => {
                let relay = fleet_client.watch();
                self.relay = relay;
                None
            }
            HubRequest::Device(HubDeviceRequest::Announce(spec)) => fleet_client.announce(spec, now.boot_ms),
            HubRequest::Device(HubDeviceRequest::State { device, online, reason }) => {
                fleet_client.set_presence(&device, online, &reason, now.boot_ms)
            }
            HubRequest::Device(HubDeviceRequest::Publish(readings)) => {
                let (refused, taken) = fleet_client.publish(readings, now.boot_ms);
                self.hub.metrics.readings.add(taken);
                for refused in refused {
                    self.tell(Input::Answer(refused));
                }
                None
            }
            HubRequest::Device(HubDeviceRequest::Command {
                id,
                by,
                device,
                incarnation,
                property,
                value,
            }) => {
                let state = CommandState::Pending;
                let command = Command { id, device, property, value, by, at: now.wall_ms, state };
                let taken = fleet_client.command(CommandRequest { command, incarnation }, now.boot_ms);
                self.hub.metrics.commands.add(u64::from(taken));
                None
            }
            HubRequest::Device(HubDeviceRequest::CommandResult { id, state }) => {
                fleet_client.command_result(id, state);
                None
            }
            ask @ (HubRequest::Device(HubDeviceRequest::Series { .. })
            | HubRequest::Device(HubDeviceRequest::Log(_)))
                if fleet_client.may_look() =>
            {
                self.large.push_back(ask);
                None
            }
            // `Client::ask` handles the others.
            _ => None,
        };
        if let Some(refused) = refused {
            self.tell(Input::Answer(refused));
        }
    }

    fn enter_fleet(&mut self) -> Option<&FleetClient> {
        if self.fleet_client.is_none() {
            let me = self.session.principal()?.clone();
            self.fleet_client = Some(FleetClient::enter(&self.hub.fleet, me));
        }
        self.fleet_client.as_ref()
    }

    /// Handles a command message from the fleet.
    pub(super) fn fleet_message(&mut self, message: Option<CommandMessage>) {
        match message {
            Some(CommandMessage::Given(given)) => self.tell(Input::CommandGiven(*given)),
            Some(CommandMessage::Commanded(text)) => self.tell(Input::Devices(text)),
            // The fleet keeps the sender for as long as this client is registered.
            None => self.fleet_client = None,
        }
    }

    /// Sends the next part of what this client watches.
    pub(super) fn relay(&mut self) {
        let account = self.account();
        if let Some(sent) = self.relay.as_mut().and_then(|relay| relay.next()) {
            self.hub.metrics.relayed.add(sent.readings);
            self.hub.metrics.conflated.add(sent.conflated);
            if sent.list_bytes > 0
                && let (Some(account), Some(relay)) = (&account, &mut self.relay)
            {
                // The next part of the list waits until this one is paid for.
                relay.hold(account.answered(sent.list_bytes));
            }
            self.tell(sent.input);
        }
    }

    /// Charges a frame to this client's rate limit. Readings have a limit of their own.
    pub(super) fn charge(&mut self, bytes: usize, text: &str) -> (rate::Charge, rate::Charge) {
        let now = clock::now().boot_ms;
        let account = self.subscriptions.as_ref().map(|subscriptions| &subscriptions.registration.account);
        if text.starts_with(PUBLISH) {
            let cost = rate::publish_cost(bytes);
            let own = self.readings.take(cost, now);
            (own, account.map(|account| account.take_readings(cost, now)).unwrap_or_default())
        } else {
            let cost = rate::cost(bytes);
            let own = self.bucket.take(cost, now);
            (own, account.map(|account| account.take_frame(cost, now)).unwrap_or_default())
        }
    }
}

/// The size of the notice that everyone who watches receives for this request, in bytes, if there is one.
fn told(ask: &HubRequest) -> Option<usize> {
    match ask {
        HubRequest::Device(HubDeviceRequest::Announce(spec)) => {
            Some(serde_json::to_string(spec).map_or(0, |text| text.len()))
        }
        HubRequest::Device(HubDeviceRequest::State { reason, .. }) => Some(reason.len()),
        HubRequest::Device(HubDeviceRequest::Command { value: Value::Text(text), .. }) => {
            Some(2 * text.len())
        }
        HubRequest::Device(HubDeviceRequest::Command { .. })
        | HubRequest::Device(HubDeviceRequest::CommandResult { .. }) => Some(0),
        _ => None,
    }
}
