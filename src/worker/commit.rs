//! Carries out the engine's commits: one store transaction per part.

use std::pin::Pin;
use std::time::Duration;

use tokio::sync::oneshot;

use super::driver::{Driver, TaskResult};
use crate::clock;
use crate::engine::{Input, Outcome, Part};
use crate::store::client::{self, ClientStore, Commit};

/// Deadline for writing queued readings when the worker ends.
const READINGS_CLOSE: Duration = Duration::from_millis(500);

/// A commit under way.
pub(super) type Committing = Pin<Box<dyn Future<Output = Vec<(u64, client::Outcome)>>>>;

/// Submits a commit to the store and resolves once each part has an outcome.
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
    /// Handles a part's outcome. A part that is held in memory may be saved later.
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
            // The sender is dropped if some of it was let go.
            let outcome = later.await.ok();
            // The receiver is gone if the worker has ended.
            let _ = done.send(TaskResult::Committed(part, outcome)).await;
        });
    }

    /// Closes the connections and waits until the person's changes are on disk.
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

    /// Gives the engine an input and carries out its effects.
    pub(super) fn drive(&mut self, input: Input) {
        self.engine.handle(clock::now(), input);
        self.carry_out();
    }
}
