//! [`Relay`]: what a client that watches is sent next: the list of devices, then news and readings, in the order in which
//! they came to be, as fast as the client takes them.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{broadcast, watch};
use tokio::time::{Instant, sleep_until};

use super::feed::{FRAME_BYTES, Seq, Slot};
use super::{Event, Fleet, Inner};
use crate::model::device::Sample;
use crate::model::{MetricName, Value};
use crate::wire::duplex::readings;
use crate::wire::duplex::server::Input;

/// A client is sent readings once in so long.
const PACE: Duration = Duration::from_millis(10);
/// About how much of the list goes into one frame, in bytes.
const LIST_BYTES: usize = 256 * 1024;

/// What a client that watches is sent.
pub(in crate::hub) struct Relay {
    fleet: Arc<Fleet>,
    station: u64,
    events: broadcast::Receiver<Event>,
    /// The next piece of news: it waits for the readings before it.
    event: Option<Event>,
    head: watch::Receiver<Seq>,
    /// The last reading that was sent, or left out.
    cursor: Seq,
    /// Readings left out and not yet told.
    left_out: u64,
    /// The place of the next device of the list.
    listing: Option<usize>,
    due: Instant,
}

/// What goes to a client.
pub(in crate::hub) struct Sent {
    /// A whole message for its session.
    pub input: Input,
    /// Readings in it.
    pub readings: u64,
    /// Readings that it says were left out.
    pub conflated: u64,
}

/// Readings for one frame.
struct Taken {
    /// The samples, encoded.
    texts: Vec<Arc<str>>,
    to: Seq,
    count: u64,
}

impl Relay {
    pub(super) fn new(fleet: Arc<Fleet>, station: u64) -> Relay {
        let inner = fleet.lock();
        let (events, head, cursor) = (inner.events.subscribe(), inner.head.subscribe(), inner.feed.head());
        drop(inner);
        let (event, left_out, listing) = (None, 0, Some(0));
        Relay { fleet, station, events, event, head, cursor, left_out, listing, due: Instant::now() }
    }

    /// Waits until there is something to send. Cancel-safe.
    pub(in crate::hub) async fn ready(&mut self) {
        loop {
            let head = *self.head.borrow_and_update();
            if self.listing.is_some() || self.event.is_some() || !self.events.is_empty() {
                return;
            }
            if head > self.cursor {
                return sleep_until(self.due).await;
            }
            if self.head.changed().await.is_err() {
                pending::<()>().await;
            }
        }
    }

    /// What to send, if there is something. Only once what was sent before has been taken.
    pub(in crate::hub) fn next(&mut self) -> Option<Sent> {
        let news = |text| Some(Sent { input: Input::Devices(text), readings: 0, conflated: 0 });
        if self.event.is_none() && self.listing.is_none() {
            self.next_event();
        }
        if let Some(from) = self.listing {
            let (text, next) = self.fleet.list(from, self.cursor);
            self.listing = next;
            return news(text);
        }
        if let Some(sent) = self.next_readings() {
            return Some(sent);
        }
        // All readings before it were sent or left out.
        let event = self.event.take_if(|event| event.after <= self.cursor)?;
        news(event.text)
    }

    /// Whether something waits, were the time that it waits for here.
    #[cfg(test)]
    pub(super) fn is_behind(&self) -> bool {
        *self.head.borrow() > self.cursor || !self.events.is_empty()
    }

    fn next_event(&mut self) {
        loop {
            match self.events.try_recv() {
                // It came to this client by another way.
                Ok(event) if event.told == Some(self.station) => {}
                Ok(event) => self.event = Some(event),
                Err(broadcast::error::TryRecvError::Lagged(_)) => {
                    // Not all news is known any more: everything is told anew.
                    let again = Relay::new(Arc::clone(&self.fleet), self.station);
                    let left_out = self.left_out + (again.cursor - self.cursor);
                    *self = Relay { left_out, due: self.due, ..again };
                    return;
                }
                Err(_) => return,
            }
            if self.event.is_some() {
                return;
            }
        }
    }

    fn next_readings(&mut self) -> Option<Sent> {
        let until = match &self.event {
            Some(event) => event.after,
            None => *self.head.borrow(),
        };
        if until <= self.cursor {
            return None;
        }
        let Taken { texts, to, count } = self.fleet.lock().take(self.cursor, until);
        self.left_out += to.saturating_sub(self.cursor + count);
        self.cursor = to;
        if texts.is_empty() {
            return None;
        }
        if self.event.is_none() {
            self.due = Instant::now() + PACE;
        }
        let conflated = std::mem::take(&mut self.left_out);
        let text = readings::encode(texts.iter().map(|text| &**text), conflated);
        Some(Sent { input: Input::Readings(text.into()), readings: count, conflated })
    }
}

impl Inner {
    /// What follows a number, up to another one, for one frame: all readings, or where that is too much the newest of
    /// each metric.
    fn take(&self, after: Seq, until: Seq) -> Taken {
        if let Some(exact) = self.feed.exact(after, until) {
            return Taken { texts: exact.texts, to: exact.to, count: exact.to - after };
        }
        let mut taken = Taken { texts: Vec::new(), to: until, count: 0 };
        let mut bytes = 0;
        let mut newest = self.feed.newest(after, until).peekable();
        while let Some((number, slot)) = newest.next() {
            let mut last = number;
            let Some((sample, first)) = self.last_value(slot) else { continue };
            let mut values = vec![first];
            // What one device said in one moment stays together.
            while let Some((number, next)) =
                newest.peek().copied().filter(|(_, next)| next.device == slot.device)
                && let Some((other, value)) = self.last_value(next)
                && (other.at, other.received) == (sample.at, sample.received)
            {
                values.push(value);
                last = number;
                newest.next();
            }
            let text = readings::encode_sample(&sample.device, sample.at, sample.received, &values);
            bytes += text.len();
            taken.count += values.len() as u64;
            taken.texts.push(text.into());
            if bytes >= FRAME_BYTES && newest.peek().is_some() {
                taken.to = last;
                break;
            }
        }
        taken
    }

    fn last_value(&self, slot: Slot) -> Option<(Sample, (MetricName, Value))> {
        let record = self.records.get(slot.device as usize)?;
        let (name, latest) = record.at(slot.metric)?;
        let device = record.spec.id.clone();
        let sample = Sample { device, at: latest.at, received: latest.received, count: 0 };
        Some((sample, (name.clone(), latest.value.clone())))
    }
}

impl Fleet {
    /// A piece of the list, from a place on: the message, and the place of the next piece. Values that are newer than a
    /// number are left out: they follow as readings.
    fn list(&self, from: usize, number: Seq) -> (Arc<str>, Option<usize>) {
        let inner = self.lock();
        let mut text = format!(r#"{{"type":"devices","started":{},"devices":["#, self.started);
        let mut place = from;
        while let Some(record) = inner.records.get(place) {
            // Serialising this cannot fail: all keys are texts.
            let state = serde_json::to_string(&record.state_at(number)).unwrap_or_default();
            // One of the largest size still goes by itself.
            if place > from && text.len() + state.len() > LIST_BYTES {
                break;
            }
            if place > from {
                text.push(',');
            }
            text.push_str(&state);
            place += 1;
        }
        let more = place < inner.records.len();
        text.push_str(&format!(r#"],"more":{more}}}"#));
        (text.into(), more.then_some(place))
    }
}
