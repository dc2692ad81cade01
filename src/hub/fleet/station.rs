//! [`Station`]: one client's end of the fleet, for as long as it is connected.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::sync::mpsc;

use super::{Fleet, Post, Publisher, Relay};
use crate::model::time::BootMs;
use crate::model::{CommandState, DeviceId, MessageId, Principal, PrincipalKind, Readings, Spec};
use crate::wire::duplex::server::{Answer, Given};

/// Commands and answers that wait for one client. They take memory only while they wait.
const MAIL: usize = 512;

/// What a client is told about commands, whether it watches or not.
pub(in crate::hub) enum Mail {
    /// A command for a device of its own.
    Given(Box<Given>),
    /// What became of a command that it gave: a whole message.
    Commanded(Arc<str>),
}

/// One client's end. Dropping it takes its devices offline.
pub(in crate::hub) struct Station {
    pub(super) fleet: Arc<Fleet>,
    pub(super) number: u64,
    pub(super) principal: Principal,
    mail: mpsc::Receiver<Mail>,
}

impl Station {
    /// A client of this principal has to do with devices.
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

    /// Its principal has another name.
    pub(in crate::hub) fn rename(&mut self, name: &str) {
        name.clone_into(&mut self.principal.name);
    }

    fn publisher(&self) -> Publisher<'_> {
        Publisher { principal: &self.principal, station: Some(self.number) }
    }

    /// Watches from now on. A device does not: its token is for itself alone.
    pub(in crate::hub) fn watch(&self) -> Option<Relay> {
        let may = self.may_look();
        may.then(|| Relay::new(Arc::clone(&self.fleet), self.number))
    }

    /// Whether it may see other devices.
    pub(in crate::hub) fn may_look(&self) -> bool {
        self.principal.kind != PrincipalKind::Device
    }

    /// The next mail. Cancel-safe.
    pub(in crate::hub) async fn mail(&mut self) -> Option<Mail> {
        self.mail.recv().await
    }

    /// A device of its own is there. Returns a refusal.
    pub(in crate::hub) fn announce(&self, spec: Spec, now: BootMs) -> Option<Answer> {
        self.fleet.announce(self.publisher(), spec, now)
    }

    /// A device of its own comes or goes. Returns a refusal.
    pub(in crate::hub) fn set_presence(
        &self,
        device: &DeviceId,
        online: bool,
        reason: &str,
        now: BootMs,
    ) -> Option<Answer> {
        self.fleet.set_presence(self.number, device, online, reason, now)
    }

    /// Readings of devices of its own. Returns refusals, and how many were taken.
    pub(in crate::hub) fn publish(&self, readings: Readings, now: BootMs) -> (Vec<Answer>, u64) {
        self.fleet.publish(self.publisher(), readings, None, now)
    }

    /// A device of its own answered a command.
    pub(in crate::hub) fn command_result(&self, id: MessageId, state: CommandState) {
        self.fleet.command_result(self.number, id, state);
    }
}

impl Drop for Station {
    fn drop(&mut self) {
        self.fleet.leave(self.number, self.fleet.closing.load(Ordering::Relaxed));
    }
}
