//! [`FleetClient`]: one client's connection to the fleet.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::sync::mpsc;

use super::{ClientState, DeviceHub, Publisher, Relay};
use crate::model::time::BootMs;
use crate::model::{CommandState, DeviceId, MessageId, Principal, PrincipalKind, Readings, Spec};
use crate::wire::duplex::server::{DeviceCommand, HubAnswer};

/// Maximum number of commands and answers queued for one client. Memory is used only while they wait.
const MAX_QUEUED_MESSAGES: usize = 512;

/// A message about commands, sent to a client whether it watches or not.
pub(in crate::hub) enum CommandMessage {
    /// A command for one of its own devices.
    Given(Box<DeviceCommand>),
    /// The state of a command that it requested, as an encoded message.
    Commanded(Arc<str>),
}

/// One client's connection to the fleet. Dropping it takes its devices offline.
pub(in crate::hub) struct FleetClient {
    pub(super) fleet: Arc<DeviceHub>,
    pub(super) number: u64,
    pub(super) principal: Principal,
    messages: mpsc::Receiver<CommandMessage>,
}

impl FleetClient {
    /// Registers a client of this principal.
    pub(in crate::hub) fn enter(fleet: &Arc<DeviceHub>, principal: Principal) -> FleetClient {
        let (sender, messages) = mpsc::channel(MAX_QUEUED_MESSAGES);
        let mut inner = fleet.lock();
        let number = inner.next_client;
        inner.next_client += 1;
        let client_state = ClientState {
            messages: sender,
            principal: principal.id.clone(),
            devices: Vec::new(),
            reported_episode: 0,
        };
        inner.clients.insert(number, client_state);
        drop(inner);
        FleetClient { fleet: Arc::clone(fleet), number, principal, messages }
    }

    /// The client's principal was renamed.
    pub(in crate::hub) fn rename(&mut self, name: &str) {
        name.clone_into(&mut self.principal.name);
    }

    fn publisher(&self) -> Publisher<'_> {
        Publisher { principal: &self.principal, client: Some(self.number) }
    }

    /// Starts watching. Device tokens may not watch: they are valid for their own device only.
    pub(in crate::hub) fn watch(&self) -> Option<Relay> {
        let may = self.may_look();
        may.then(|| Relay::new(Arc::clone(&self.fleet), self.number))
    }

    /// Whether it may see other devices.
    pub(in crate::hub) fn may_look(&self) -> bool {
        self.principal.kind != PrincipalKind::Device
    }

    /// The next message about commands. Cancel-safe.
    pub(in crate::hub) async fn next_message(&mut self) -> Option<CommandMessage> {
        self.messages.recv().await
    }

    /// Announces a device of this client. Returns a refusal.
    pub(in crate::hub) fn announce(&self, spec: Spec, now: BootMs) -> Option<HubAnswer> {
        self.fleet.announce(self.publisher(), spec, now)
    }

    /// Sets the presence of a device of this client. Returns a refusal.
    pub(in crate::hub) fn set_presence(
        &self,
        device: &DeviceId,
        online: bool,
        reason: &str,
        now: BootMs,
    ) -> Option<HubAnswer> {
        self.fleet.set_presence(self.number, device, online, reason, now)
    }

    /// Publishes readings of this client's devices. Returns refusals, and how many readings were accepted.
    pub(in crate::hub) fn publish(&self, readings: Readings, now: BootMs) -> (Vec<HubAnswer>, u64) {
        self.fleet.publish(self.publisher(), readings, None, now)
    }

    /// Handles a device's answer to a command.
    pub(in crate::hub) fn command_result(&self, id: MessageId, state: CommandState) {
        self.fleet.command_result(self.number, id, state);
    }
}

impl Drop for FleetClient {
    fn drop(&mut self) {
        self.fleet.leave(self.number, self.fleet.closing.load(Ordering::Relaxed));
    }
}
