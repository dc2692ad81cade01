//! [`Station`]: one client's connection to the fleet.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::sync::mpsc;

use super::{Fleet, Post, Publisher, Relay};
use crate::model::time::BootMs;
use crate::model::{CommandState, DeviceId, MessageId, Principal, PrincipalKind, Readings, Spec};
use crate::wire::duplex::server::{Answer, Given};

/// Maximum number of commands and answers queued for one client. Memory is used only while they wait.
const MAIL: usize = 512;

/// A message about commands, sent to a client whether it watches or not.
pub(in crate::hub) enum Mail {
    /// A command for one of its own devices.
    Given(Box<Given>),
    /// The state of a command that it requested, as an encoded message.
    Commanded(Arc<str>),
}

/// One client's connection to the fleet. Dropping it takes its devices offline.
pub(in crate::hub) struct Station {
    pub(super) fleet: Arc<Fleet>,
    pub(super) number: u64,
    pub(super) principal: Principal,
    mail: mpsc::Receiver<Mail>,
}

impl Station {
    /// Registers a client of this principal.
    pub(in crate::hub) fn enter(fleet: &Arc<Fleet>, principal: Principal) -> Station {
        let (sender, mail) = mpsc::channel(MAIL);
        let mut inner = fleet.lock();
        let number = inner.next_station;
        inner.next_station += 1;
        let post = Post { mail: sender, principal: principal.id.clone(), devices: Vec::new(), told: 0 };
        inner.stations.insert(number, post);
        drop(inner);
        Station { fleet: Arc::clone(fleet), number, principal, mail }
    }

    /// The client's principal was renamed.
    pub(in crate::hub) fn rename(&mut self, name: &str) {
        name.clone_into(&mut self.principal.name);
    }

    fn publisher(&self) -> Publisher<'_> {
        Publisher { principal: &self.principal, station: Some(self.number) }
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
    pub(in crate::hub) async fn mail(&mut self) -> Option<Mail> {
        self.mail.recv().await
    }

    /// Announces a device of this client. Returns a refusal.
    pub(in crate::hub) fn announce(&self, spec: Spec, now: BootMs) -> Option<Answer> {
        self.fleet.announce(self.publisher(), spec, now)
    }

    /// Sets the presence of a device of this client. Returns a refusal.
    pub(in crate::hub) fn set_presence(
        &self,
        device: &DeviceId,
        online: bool,
        reason: &str,
        now: BootMs,
    ) -> Option<Answer> {
        self.fleet.set_presence(self.number, device, online, reason, now)
    }

    /// Publishes readings of this client's devices. Returns refusals, and how many readings were accepted.
    pub(in crate::hub) fn publish(&self, readings: Readings, now: BootMs) -> (Vec<Answer>, u64) {
        self.fleet.publish(self.publisher(), readings, None, now)
    }

    /// Handles a device's answer to a command.
    pub(in crate::hub) fn command_result(&self, id: MessageId, state: CommandState) {
        self.fleet.command_result(self.number, id, state);
    }
}

impl Drop for Station {
    fn drop(&mut self) {
        self.fleet.leave(self.number, self.fleet.closing.load(Ordering::Relaxed));
    }
}
