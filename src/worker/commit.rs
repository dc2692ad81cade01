//! The engine's commits, carried out: one transaction of the store for each part.

use std::pin::Pin;
use std::time::Duration;

use tokio::sync::oneshot;

use super::driver::{Driver, TaskResult};
use crate::clock;
use crate::engine::{Input, Outcome, Part};
use crate::store::client::{self, ClientStore, Commit};

/// When the worker ends, readings that wait have this long to be taken in.
const READINGS_CLOSE: Duration = Duration::from_millis(500);

/// A commit under way.
pub(super) type Committing = Pin<Box<dyn Future<Output = Vec<(u64, client::Outcome)>>>>;

/// Hands a commit to the store; what became of each part comes when it has all of them.
pub(super) fn begin(store: ClientStore, parts: Vec<Part>) -> Committing {
    Box::pin(async move {
        let mut submitted = Vec::with_capacity(parts.len());
        for Part { number, connection, changes } in parts {
            submitted.push((number, store.submit(connection, changes).await));
        }
        let mut outcomes = Vec::with_capacity(submitted.len());
        for (number, ticket) in submitted {
            outcomes.push((number, ticket.outcome().await));
        }
        outcomes
    })
}

impl Driver {
    /// What became of a part, and what will: a part that is held may be saved later.
    pub(super) fn committed(&mut self, part: u64, outcome: client::Outcome) {
        let client::Outcome { commit, numbered, later } = outcome;
        let outcome = match commit {
            Commit::Saved => Outcome::Saved { numbered },
            Commit::Held => Outcome::Held,
        };
        let is_held = outcome == Outcome::Held;
        self.drive(Input::Committed { part, outcome });
        match later {
            Some(later) => self.wait_for(part, later),
            None if is_held => self.drive(Input::LetGo(part)),
            None => {}
        }
    }

    fn wait_for(&self, part: u64, later: oneshot::Receiver<client::Outcome>) {
        let done = self.done.clone();
        tokio::spawn(async move {
            // Some of it may have been let go: then nobody answers.
            let outcome = later.await.ok();
            // The worker is gone if nobody takes it.
            let _ = done.send(TaskResult::Committed(part, outcome)).await;
        });
    }

    /// Hangs up, and waits for the disk to have what the person did.
    pub(super) async fn close(&mut self) {
        self.drive(Input::Close);
        while let Some(commit) = self.committing.take() {
            for (part, outcome) in commit.await {
                self.committed(part, outcome);
            }
        }
        if let Some(readings) = &self.fleet.readings {
            readings.close(READINGS_CLOSE).await;
        }
        if let Some(hub) = self.own_hub.take() {
            hub.end().await;
        }
    }

    /// Tells the engine something, and does what it wants done.
    pub(super) fn drive(&mut self, input: Input) {
        self.engine.handle(clock::now(), input);
        self.carry_out();
    }
}
