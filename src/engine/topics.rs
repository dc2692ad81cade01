//! Topics: what a person asks of a broker goes to its session, or is answered here while there is no connection.

use super::Engine;
use crate::link;
use crate::link::durable;
use crate::model::event::Update;
use crate::model::topic::{PublishOutcome, TopicEvent, TopicRequest};
use crate::model::{ConnectionId, Event, Time};
use crate::wire::Request;

impl Engine {
    /// Passes a request to the session. It does not wait for a connection: what it would do later may not be wanted then.
    pub(super) fn ask_of_topics(&mut self, now: Time, connection: ConnectionId, request: TopicRequest) {
        if self.is_online(connection) {
            return self.tell(
                now,
                connection,
                durable::Input::Link(link::Input::Request(Request::Topic(request))),
            );
        }
        let why = PublishOutcome::NotSent;
        let event = match request {
            TopicRequest::Publish { number, .. } => TopicEvent::Published { number, outcome: why },
            TopicRequest::Clear { number, topics } => {
                let failed = u32::try_from(topics.len()).unwrap_or(u32::MAX);
                TopicEvent::Cleared { number, done: 0, failed, why: Some(why), is_over: true }
            }
            TopicRequest::Subscribe(_) | TopicRequest::Unsubscribe(_) => return,
        };
        self.updates.push(Update::Connection(connection, Event::Topic(event)));
    }
}
