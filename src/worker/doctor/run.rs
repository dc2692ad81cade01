//! The check of a connection in the app: beside everything else, until it ends or the person has seen enough.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::{AbortHandle, spawn_blocking};

use super::{Limits, check};
use crate::model::ConnectionId;
use crate::model::diagnosis::{Diagnosis, Report};
use crate::model::event::{SetupUpdate, Update};
use crate::model::profile::Profile;
use crate::model::route::RouteChoice;
use crate::worker::access::Access;
use crate::worker::driver::{Driver, TaskResult};

/// The check that goes on.
#[derive(Default)]
pub(in crate::worker) struct Diagnosing {
    /// Its number; what comes of older ones is dropped.
    number: u64,
    task: Option<AbortHandle>,
}

impl Driver {
    /// Checks the way to a connection's server, over every route, whatever the profile prefers.
    pub(in crate::worker) fn diagnose(&mut self, id: ConnectionId) {
        self.end_diagnosis();
        let Some(slot) = self.slots.get(&id) else { return };
        let profile = Profile { route: RouteChoice::Automatic, ..slot.profile.clone() };
        let (access, secrets) = (slot.access.clone(), self.secrets.clone());
        let (number, done) = (self.diagnosing.number, self.done.clone());
        let begun = Report { protocol: profile.protocol, ..Report::default() };
        let diagnosis = Diagnosis { report: Arc::new(begun), is_running: true };
        self.update(Update::Setup(SetupUpdate::Diagnosis(Some((id, diagnosis)))));
        let task = tokio::spawn(async move {
            let access = match access {
                Some(access) => access,
                // Its token is read when it first connects, which may not have happened yet.
                None => {
                    let secret = spawn_blocking(move || secrets.get(id)).await;
                    let secret = secret.ok().and_then(Result::ok).flatten();
                    Access::of_secret(&profile, secret).unwrap_or(Access::Nobody)
                }
            };
            let (progress, mut parts) = mpsc::channel(4);
            let tell = async |report: Report, is_running| {
                let diagnosis = Diagnosis { report: Arc::new(report), is_running };
                // The receiver is gone if the worker has ended.
                let _ = done.send(TaskResult::Diagnosed(number, id, diagnosis)).await;
            };
            let forward = async {
                while let Some(part) = parts.recv().await {
                    tell(part, true).await;
                }
            };
            // The parts end with the check.
            let (report, ()) = tokio::join!(check(profile, access, progress, Limits::DEFAULT), forward);
            tell(report, false).await;
        });
        self.diagnosing.task = Some(task.abort_handle());
    }

    /// Ends the check, and forgets what it found.
    pub(in crate::worker) fn end_diagnosis(&mut self) {
        self.diagnosing.number += 1;
        if let Some(task) = self.diagnosing.task.take() {
            task.abort();
        }
        self.update(Update::Setup(SetupUpdate::Diagnosis(None)));
    }

    /// A check went on.
    pub(in crate::worker) fn diagnosed(&mut self, number: u64, id: ConnectionId, diagnosis: Diagnosis) {
        if number == self.diagnosing.number {
            self.update(Update::Setup(SetupUpdate::Diagnosis(Some((id, diagnosis)))));
        }
    }
}
