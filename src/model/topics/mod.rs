//! [`Topics`]: every topic seen of a broker, with what came on it. Bounded in topics and bytes.

use super::time::Time;
use super::topic::{PublishOutcome, Subscription, TopicEvent};

/// Maximum number of answers to requests that are kept.
const MAX_ANSWERS: usize = 16;

/// An answer to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// What became of a published message.
    Published(PublishOutcome),
    /// How far the clearing of retained messages has come.
    Cleared {
        /// How many were cleared.
        done: u32,
        /// How many were not.
        failed: u32,
        /// Why the first of those was not.
        why: Option<PublishOutcome>,
        /// Whether it is over.
        is_over: bool,
    },
}

/// Every topic seen of a broker.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Topics {
    subscriptions: Vec<Subscription>,
    answers: Vec<(u64, Answer)>,
    connected: Option<Time>,
    seen: u64,
    left_out: u64,
}

impl Topics {
    /// Takes one event in.
    pub fn apply(&mut self, event: TopicEvent) {
        match event {
            TopicEvent::Seen(seen) => {
                self.seen += seen.len() as u64;
                self.left_out += seen.left_out;
            }
            TopicEvent::Subscriptions(all) => self.subscriptions = all,
            TopicEvent::Published { number, outcome } => self.answer(number, Answer::Published(outcome)),
            TopicEvent::Cleared { number, done, failed, why, is_over } => {
                self.answer(number, Answer::Cleared { done, failed, why, is_over });
            }
        }
    }

    fn answer(&mut self, number: u64, answer: Answer) {
        self.answers.retain(|(known, _)| *known != number);
        if self.answers.len() == MAX_ANSWERS {
            self.answers.remove(0);
        }
        self.answers.push((number, answer));
    }

    /// A connection begins.
    pub fn connected(&mut self, now: Time) {
        self.connected = Some(now);
    }

    /// The connection ended.
    pub fn disconnected(&mut self) {
        self.connected = None;
        self.subscriptions.clear();
    }

    /// All subscriptions.
    pub fn subscriptions(&self) -> &[Subscription] {
        &self.subscriptions
    }

    /// The answer to a request, once there is one.
    pub fn answer_to(&self, number: u64) -> Option<&Answer> {
        self.answers.iter().find(|(known, _)| *known == number).map(|(_, answer)| answer)
    }

    /// Number of messages that came since the start.
    pub fn seen(&self) -> u64 {
        self.seen
    }

    /// Number of messages that were left out.
    pub fn left_out(&self) -> u64 {
        self.left_out
    }
}
