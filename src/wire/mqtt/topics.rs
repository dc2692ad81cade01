//! [`Topics`]: the subscriptions of a connection and what became of them, and retained messages that are being cleared.

use std::collections::{BTreeMap, VecDeque};

use crate::model::mqtt::Filter;
use crate::model::publication::Qos;
use crate::model::topic::{self, PublishOutcome, Subscribed, Subscription, TopicEvent};

/// Maximum number of requests to clear at a time.
pub(super) const MAX_CLEARS: usize = 20;
/// How often the person is told how far clearing has come: after so many messages.
const TOLD_EVERY: u32 = 100;

/// What was asked of the server.
#[derive(Debug)]
pub(super) enum Asked {
    /// To subscribe to these filters, in this order.
    Subscribe(Vec<String>),
    /// To end a subscription.
    Unsubscribe,
    /// To subscribe to the chat.
    Chat,
}

/// A filter that the server refused.
pub(super) struct Refused {
    pub(super) filter: String,
    pub(super) code: u8,
}

/// A request to clear.
#[derive(Debug)]
struct Clear {
    number: u64,
    rest: VecDeque<String>,
    under_way: u32,
    done: u32,
    failed: u32,
    why: Option<PublishOutcome>,
}

impl Clear {
    fn event(&self) -> TopicEvent {
        let Clear { number, done, failed, ref why, .. } = *self;
        let is_over = self.rest.is_empty() && self.under_way == 0;
        TopicEvent::Cleared { number, done, failed, why: why.clone(), is_over }
    }
}

/// See the module.
#[derive(Debug)]
pub(super) struct Topics {
    subscriptions: Vec<(Filter, Subscribed)>,
    asked: BTreeMap<u16, Asked>,
    /// Whether what comes for the chat's subscription says so.
    chat_has_number: bool,
    clears: Vec<Clear>,
}

impl Topics {
    pub(super) fn new(filters: Vec<Filter>) -> Topics {
        let pending = filters.into_iter().map(|filter| (filter, Subscribed::Pending)).collect();
        Topics { subscriptions: pending, asked: BTreeMap::new(), chat_has_number: false, clears: Vec::new() }
    }

    /// All filters.
    pub(super) fn all(&self) -> Vec<Filter> {
        self.subscriptions.iter().map(|(filter, _)| filter.clone()).collect()
    }

    pub(super) fn add(&mut self, filter: &Filter) {
        self.remove(&filter.filter);
        self.subscriptions.push((filter.clone(), Subscribed::Pending));
    }

    pub(super) fn remove(&mut self, filter: &str) {
        self.subscriptions.retain(|(known, _)| known.filter != filter);
    }

    pub(super) fn asked(&mut self, id: u16, asked: Asked) {
        self.asked.insert(id, asked);
    }

    pub(super) fn chat_asked(&mut self, id: u16) {
        self.asked.insert(id, Asked::Chat);
    }

    pub(super) fn chat_has_number(&self) -> bool {
        self.chat_has_number
    }

    /// The server answered. Returns the first filter that it refused.
    pub(super) fn granted(
        &mut self,
        id: u16,
        codes: &[u8],
        said: &str,
        has_numbers: bool,
    ) -> Option<Refused> {
        match self.asked.remove(&id)? {
            Asked::Unsubscribe => None,
            Asked::Chat => {
                let refused = codes.iter().copied().find(|code| *code >= 0x80);
                self.chat_has_number = has_numbers && refused.is_none();
                refused.map(|code| Refused { filter: "the chat".to_owned(), code })
            }
            Asked::Subscribe(filters) => {
                let mut refused = None;
                for (filter, code) in filters.into_iter().zip(codes) {
                    let known = self.subscriptions.iter_mut().find(|(known, _)| known.filter == filter);
                    let state = match Qos::of(*code) {
                        Some(qos) => Subscribed::Granted(qos),
                        None => Subscribed::Refused { code: *code, reason: said.to_owned() },
                    };
                    if matches!(state, Subscribed::Refused { .. }) && refused.is_none() {
                        refused = Some(Refused { filter: filter.clone(), code: *code });
                    }
                    known.into_iter().for_each(|(_, known)| known.clone_from(&state));
                }
                refused
            }
        }
    }

    /// All subscriptions, for the person.
    pub(super) fn subscriptions(&self) -> Vec<Subscription> {
        let one = |(filter, state): &(Filter, Subscribed)| Subscription {
            filter: topic::Filter { filter: filter.filter.clone(), qos: filter.qos },
            state: state.clone(),
        };
        self.subscriptions.iter().map(one).collect()
    }

    /// Begins to clear. Returns whether there is room for it.
    pub(super) fn clear(&mut self, number: u64, topics: Vec<String>) -> bool {
        if self.clears.len() >= MAX_CLEARS || topics.len() > topic::MAX_CLEARED || topics.is_empty() {
            return false;
        }
        let (under_way, done, failed, why) = (0, 0, 0, None);
        self.clears.push(Clear { number, rest: topics.into(), under_way, done, failed, why });
        true
    }

    /// The next topic to clear.
    pub(super) fn next_to_clear(&mut self) -> Option<(u64, String)> {
        let clear = self.clears.iter_mut().find(|clear| !clear.rest.is_empty())?;
        let topic = clear.rest.pop_front()?;
        clear.under_way += 1;
        Some((clear.number, topic))
    }

    /// What became of one of them. `None`: the number is of no such request; `Some(None)`: nothing to tell yet.
    pub(super) fn cleared(&mut self, number: u64, outcome: &PublishOutcome) -> Option<Option<TopicEvent>> {
        let at = self.clears.iter().position(|clear| clear.number == number)?;
        let clear = &mut self.clears[at];
        clear.under_way = clear.under_way.saturating_sub(1);
        match outcome {
            PublishOutcome::Sent | PublishOutcome::Confirmed { .. } => clear.done += 1,
            PublishOutcome::Refused { .. } | PublishOutcome::Unsure | PublishOutcome::NotSent => {
                clear.failed += 1;
                clear.why.get_or_insert_with(|| outcome.clone());
            }
        }
        let is_over = clear.rest.is_empty() && clear.under_way == 0;
        let event = clear.event();
        let is_told = is_over || (clear.done + clear.failed).is_multiple_of(TOLD_EVERY);
        if is_over {
            self.clears.remove(at);
        }
        Some(is_told.then_some(event))
    }

    /// The connection has ended: what was not cleared is not.
    pub(super) fn give_up_clearing(&mut self) -> Vec<TopicEvent> {
        let give_up = |mut clear: Clear| {
            clear.failed += clear.under_way + u32::try_from(clear.rest.len()).unwrap_or(u32::MAX);
            clear.why.get_or_insert(PublishOutcome::NotSent);
            clear.rest.clear();
            clear.under_way = 0;
            clear.event()
        };
        std::mem::take(&mut self.clears).into_iter().map(give_up).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(text: &str) -> Filter {
        Filter::parse(text).unwrap()
    }

    #[test]
    fn what_the_server_grants_is_told_by_filter() {
        let mut topics = Topics::new(vec![filter("a/#"), filter("b | qos: 1")]);
        topics.asked(3, Asked::Subscribe(vec!["a/#".into(), "b".into()]));
        let refused = topics.granted(3, &[0x87, 1], "no", true).unwrap();
        assert_eq!((refused.filter.as_str(), refused.code), ("a/#", 0x87));
        let states: Vec<_> = topics.subscriptions().into_iter().map(|one| one.state).collect();
        let no = Subscribed::Refused { code: 0x87, reason: "no".into() };
        assert_eq!(states, [no, Subscribed::Granted(Qos::AtLeastOnce)]);
        topics.chat_asked(4);
        assert!(topics.granted(4, &[1, 1], "", true).is_none() && topics.chat_has_number());
    }

    #[test]
    fn clearing_tells_how_far_it_came() {
        let mut topics = Topics::new(Vec::new());
        assert!(topics.clear(9, vec!["a".into(), "b".into()]) && !topics.clear(8, Vec::new()));
        assert_eq!(topics.next_to_clear(), Some((9, "a".into())));
        assert_eq!(topics.cleared(9, &PublishOutcome::Confirmed { unheard: true }), Some(None));
        assert_eq!(topics.next_to_clear(), Some((9, "b".into())));
        let why = PublishOutcome::Refused { code: 0x87, reason: String::new() };
        let told =
            TopicEvent::Cleared { number: 9, done: 1, failed: 1, why: Some(why.clone()), is_over: true };
        assert_eq!(topics.cleared(9, &why), Some(Some(told)));
        assert_eq!(topics.cleared(9, &why), None);
        topics.clear(7, vec!["a".into(), "b".into()]);
        topics.next_to_clear();
        let why = Some(PublishOutcome::NotSent);
        let told = TopicEvent::Cleared { number: 7, done: 0, failed: 2, why, is_over: true };
        assert_eq!(topics.give_up_clearing(), [told]);
    }
}
