//! What a person asks of a broker's topics, and what happens to them: [`TopicRequest`] and [`TopicEvent`].

use std::sync::Arc;

use super::publication::{NewPublication, Publications, Qos};

/// Maximum number of subscriptions of a connection.
pub const MAX_SUBSCRIPTIONS: usize = 100;
/// Maximum number of topics whose retained messages are cleared by one request.
pub const MAX_CLEARED: usize = 50_000;

/// What a person asks of a broker. Only while online: like a command to a device, it does not wait for a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TopicRequest {
    /// Publish a message. Answered by [`TopicEvent::Published`].
    Publish {
        /// Returned in the answer.
        number: u64,
        /// The message.
        message: Box<NewPublication>,
    },
    /// Subscribe, or change the QoS of a subscription. Answered by [`TopicEvent::Subscriptions`].
    Subscribe(Filter),
    /// End the subscription with this filter. Answered by [`TopicEvent::Subscriptions`].
    Unsubscribe(String),
    /// Clear the retained messages of these topics: publish an empty retained message on each, as fast as the broker
    /// confirms them. Answered by [`TopicEvent::Cleared`].
    Clear {
        /// Returned in the answer.
        number: u64,
        /// At most [`MAX_CLEARED`].
        topics: Vec<String>,
    },
}

/// What to subscribe to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// The filter.
    pub filter: String,
    /// The highest QoS wanted.
    pub qos: Qos,
}

/// A subscription, as the broker answered it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// What was asked for.
    pub filter: Filter,
    /// What became of it.
    pub state: Subscribed,
}

/// What became of a subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subscribed {
    /// The broker has not answered yet.
    Pending,
    /// Granted, with this QoS at most.
    Granted(Qos),
    /// Refused.
    Refused {
        /// The reason code.
        code: u8,
        /// The broker's words; may be empty.
        reason: String,
    },
}

/// What became of a message that a person published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublishOutcome {
    /// Given to the operating system. The broker confirms nothing at QoS 0.
    Sent,
    /// The broker has it.
    Confirmed {
        /// Whether the broker says that nobody subscribes to the topic.
        unheard: bool,
    },
    /// The broker did not take it.
    Refused {
        /// The reason code.
        code: u8,
        /// The broker's words; may be empty.
        reason: String,
    },
    /// The connection ended before the broker confirmed it: it may not have arrived.
    Unsure,
    /// There was no connection.
    NotSent,
}

/// What happened to a broker's topics.
#[derive(Clone, Debug, PartialEq)]
pub enum TopicEvent {
    /// Messages came.
    Seen(Arc<Publications>),
    /// All subscriptions, whenever one has changed.
    Subscriptions(Vec<Subscription>),
    /// What became of [`TopicRequest::Publish`].
    Published {
        /// The request's number.
        number: u64,
        /// What became of it.
        outcome: PublishOutcome,
    },
    /// How far [`TopicRequest::Clear`] has come.
    Cleared {
        /// The request's number.
        number: u64,
        /// How many were cleared.
        done: u32,
        /// How many the broker refused to clear, or may not have heard of.
        failed: u32,
        /// Why the first of those was not cleared.
        why: Option<PublishOutcome>,
        /// Whether it is over.
        is_over: bool,
    },
}
