//! [`Agent`]: a thread that measures this computer at its interval and produces messages to publish. It sleeps while
//! the link is down.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use super::sampler::Sampler;
use crate::clock;
use crate::model::time::BootMs;
use crate::model::time::WallMs;
use crate::model::{CommandState, DeviceId, MessageId, MetricName, Readings, Spec, Value};

/// Maximum number of orders queued for the thread.
const ORDERS: usize = 32;

/// A message for the hub. Order matters.
#[derive(Clone, Debug, PartialEq)]
pub enum AgentMessage {
    /// Announces the device, or a change of it.
    Announce(Spec),
    /// Measured values.
    Publish(Arc<Readings>),
    /// The outcome of a command.
    Result {
        /// The command's id.
        id: MessageId,
        /// `Done` or `Failed`.
        state: CommandState,
    },
}

/// A command for this computer.
#[derive(Clone, Debug, PartialEq)]
pub struct Given {
    /// The command's id.
    pub id: MessageId,
    /// The property to set.
    pub property: MetricName,
    /// The value to set it to.
    pub value: Value,
    /// The command is not carried out after this time, in boot milliseconds.
    pub until: BootMs,
}

enum Order {
    Begin,
    Rest,
    Do(Given),
}

/// A handle to the thread, which ends when this is dropped.
pub struct Agent {
    id: DeviceId,
    orders: SyncSender<Order>,
}

impl Agent {
    /// Starts the thread. It sends nothing before [`Agent::begin`]. `say` may block; when it returns `false`, the
    /// receiver is gone and the thread ends.
    ///
    /// # Errors
    /// If the system cannot create a thread.
    pub fn spawn(
        id: DeviceId,
        name: String,
        say: impl FnMut(AgentMessage) -> bool + Send + 'static,
    ) -> io::Result<Agent> {
        let (orders, ordered) = sync_channel(ORDERS);
        let own = id.clone();
        std::thread::Builder::new().name("agent".to_owned()).spawn(move || {
            work(Sampler::new(id, name), &ordered, say);
            log::debug!("the agent has ended");
        })?;
        Ok(Agent { id: own, orders })
    }

    /// The id of the device.
    pub fn id(&self) -> &DeviceId {
        &self.id
    }

    /// The link is up: announce the device, then publish at its interval.
    pub fn begin(&self) {
        let _ = self.order(Order::Begin);
    }

    /// The link is down: stop measuring.
    pub fn rest(&self) {
        let _ = self.order(Order::Rest);
    }

    /// Queues a command. Returns `false` if the queue is full.
    #[must_use]
    pub fn carry_out(&self, given: Given) -> bool {
        self.order(Order::Do(given))
    }

    fn order(&self, order: Order) -> bool {
        self.orders.try_send(order).is_ok()
    }
}

/// Runs until the handle is dropped or the receiver is gone.
fn work(mut sampler: Sampler, orders: &Receiver<Order>, mut say: impl FnMut(AgentMessage) -> bool) {
    // When to measure next; `None` while the link is down.
    let mut due: Option<BootMs> = None;
    loop {
        let order = match due {
            None => orders.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(due) => orders.recv_timeout(Duration::from_millis(due.since(clock::now().boot_ms))),
        };
        let listens = match order {
            Err(RecvTimeoutError::Disconnected) => return,
            Ok(Order::Rest) => {
                due = None;
                true
            }
            Ok(Order::Begin) => {
                due = Some(clock::now().boot_ms);
                say(AgentMessage::Announce(sampler.spec()))
            }
            Ok(Order::Do(given)) => {
                let listens = carry_out(&mut sampler, &given, &mut say);
                due = due.map(|due| due.min(next(clock::now().boot_ms, sampler.every_ms())));
                listens
            }
            Err(RecvTimeoutError::Timeout) => {
                let listens = publish(&mut sampler, &mut say);
                due = Some(next(clock::now().boot_ms, sampler.every_ms()));
                listens
            }
        };
        if !listens {
            return;
        }
    }
}

fn publish(sampler: &mut Sampler, say: &mut impl FnMut(AgentMessage) -> bool) -> bool {
    let now = clock::now();
    let (anew, values) = sampler.sample(now.boot_ms);
    if anew && !say(AgentMessage::Announce(sampler.spec())) {
        return false;
    }
    say(AgentMessage::Publish(Arc::new(Readings::of(sampler.id().clone(), now.wall_ms, WallMs(0), values))))
}

/// The result is sent before the new announcement, which starts a new incarnation of the device.
fn carry_out(sampler: &mut Sampler, given: &Given, say: &mut impl FnMut(AgentMessage) -> bool) -> bool {
    let done = if clock::now().boot_ms > given.until {
        Err("too late".to_owned())
    } else {
        sampler.set(&given.property, &given.value)
    };
    let state = match &done {
        Ok(()) => CommandState::Done,
        Err(detail) => CommandState::Failed { detail: detail.clone() },
    };
    say(AgentMessage::Result { id: given.id, state })
        && (done.is_err() || (say(AgentMessage::Announce(sampler.spec())) && publish(sampler, say)))
}

/// The next multiple of the interval after this moment: computers that publish every second do so at the same time as
/// other work on the second, which saves wake-ups.
fn next(now: BootMs, every_ms: u64) -> BootMs {
    BootMs((now.0 / every_ms + 1) * every_ms)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn the_next_time_is_a_multiple_of_the_interval() {
        assert_eq!(next(BootMs(0), 1_000), BootMs(1_000));
        assert_eq!(next(BootMs(999), 1_000), BootMs(1_000));
        assert_eq!(next(BootMs(1_000), 1_000), BootMs(2_000));
        assert_eq!(next(BootMs(61_000), 60_000), BootMs(120_000));
    }

    fn given(property: &str, value: Value, until: BootMs) -> Given {
        let property = MetricName::new(property).unwrap();
        Given { id: MessageId::from_random([7; 16]), property, value, until }
    }

    /// Collects messages up to the first that matches.
    fn until(said: &mpsc::Receiver<AgentMessage>, last: impl Fn(&AgentMessage) -> bool) -> Vec<AgentMessage> {
        let mut all = Vec::new();
        while !all.last().is_some_and(&last) {
            all.push(said.recv_timeout(Duration::from_secs(20)).unwrap());
        }
        all
    }

    #[test]
    fn it_announces_publishes_and_carries_out_commands() {
        let (tell, said) = mpsc::sync_channel(64);
        let id = DeviceId::new("bench").unwrap();
        let agent = Agent::spawn(id, "Bench".to_owned(), move |words| tell.send(words).is_ok()).unwrap();
        agent.begin();
        let first = until(&said, |said| matches!(said, AgentMessage::Publish(_)));
        assert!(matches!(&first[0], AgentMessage::Announce(spec) if spec.name == "Bench"));

        let never = clock::now().boot_ms + 60_000;
        assert!(agent.carry_out(given("interval", Value::Number(7.0), never)));
        let after = until(&said, |said| matches!(said, AgentMessage::Announce(_)));
        let answer = &after[after.len() - 2];
        assert!(matches!(answer, AgentMessage::Result { state: CommandState::Done, .. }), "{answer:?}");
        assert!(matches!(after.last(), Some(AgentMessage::Announce(spec)) if spec.every_ms() == Some(7_000)));

        for (property, value, why) in [
            ("interval", Value::Number(0.0), "interval takes a number from 1 to 60"),
            ("interval", Value::Flag(true), "interval takes a number from 1 to 60"),
            ("cpu", Value::Number(1.0), "cpu cannot be set"),
        ] {
            assert!(agent.carry_out(given(property, value, never)));
            let last = until(&said, |said| matches!(said, AgentMessage::Result { .. })).pop().unwrap();
            assert!(
                matches!(&last, AgentMessage::Result { state: CommandState::Failed { detail }, .. } if detail == why),
                "{last:?}"
            );
        }
        assert!(agent.carry_out(given("interval", Value::Number(2.0), BootMs(0))));
        let late = until(&said, |said| matches!(said, AgentMessage::Result { .. })).pop().unwrap();
        assert!(
            matches!(&late, AgentMessage::Result { state: CommandState::Failed { detail }, .. } if detail == "too late")
        );
    }

    #[test]
    fn it_ends_when_its_handle_or_receiver_is_dropped() {
        let (tell, said) = mpsc::sync_channel(64);
        let agent = Agent::spawn(DeviceId::new("bench").unwrap(), String::new(), move |words| {
            tell.send(words).is_ok()
        });
        drop(agent.unwrap());
        // The thread holds the sender: the channel disconnects when the thread has ended.
        assert!(
            said.recv_timeout(Duration::from_secs(20)).is_err_and(|e| e == RecvTimeoutError::Disconnected)
        );
    }
}
