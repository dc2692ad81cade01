//! [`Relay`]: what a client that watches is sent next: the list of devices, then events and readings, in the order in
//! which they occurred, as fast as the client accepts them.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{broadcast, watch};
use tokio::time::{Instant, sleep_until};

use super::feed::{FRAME_BYTES, Seq, Slot};
use super::{DeviceHub, Event, Inner};
use crate::model::device::Sample;
use crate::model::{MetricName, Value};
use crate::wire::duplex::readings;
use crate::wire::duplex::server::Input;

/// Minimum interval between two frames of readings to one client.
const MIN_FRAME_INTERVAL: Duration = Duration::from_millis(10);
/// Approximate size of one frame of the list, in bytes.
const LIST_BYTES: usize = 256 * 1024;

/// What a client that watches is sent.
pub(in crate::hub) struct Relay {
    fleet: Arc<DeviceHub>,
    client: u64,
    events: broadcast::Receiver<Event>,
    /// The next event, and the number of the reading before it.
    event: Option<(Seq, Arc<str>)>,
    head: watch::Receiver<Seq>,
    /// The number of the last reading that was sent or skipped.
    cursor: Seq,
    /// Readings skipped and not yet reported.
    left_out: u64,
    /// The index of the next device in the list.
    listing: Option<usize>,
    due: Instant,
    /// The next part of the list is not sent before this.
    list_due: Instant,
}

/// What goes to a client.
pub(in crate::hub) struct Sent {
    /// An encoded message for its session.
    pub input: Input,
    /// Number of readings in it.
    pub readings: u64,
    /// Number of readings that it reports as skipped.
    pub conflated: u64,
    /// Its size in bytes, if it is part of the list of devices.
    pub list_bytes: usize,
}

/// Readings for one frame.
struct Taken {
    /// Encoded samples.
    texts: Vec<Arc<str>>,
    to: Seq,
    count: u64,
}

impl Relay {
    pub(super) fn new(fleet: Arc<DeviceHub>, client: u64) -> Relay {
        let inner = fleet.lock();
        let (events, head, cursor) = (inner.events.subscribe(), inner.head.subscribe(), inner.feed.head());
        drop(inner);
        let (event, left_out, listing) = (None, 0, Some(0));
        let now = Instant::now();
        Relay { fleet, client, events, event, head, cursor, left_out, listing, due: now, list_due: now }
    }

    /// Delays the next part of the list by this many milliseconds.
    pub(in crate::hub) fn hold(&mut self, wait_ms: u64) {
        self.list_due = Instant::now() + Duration::from_millis(wait_ms);
    }

    /// Waits until there is something to send. Cancel-safe.
    pub(in crate::hub) async fn ready(&mut self) {
        loop {
            let head = *self.head.borrow_and_update();
            if self.listing.is_some() {
                return sleep_until(self.list_due).await;
            }
            if self.event.is_some() || !self.events.is_empty() {
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

    /// The next message, if there is one. To be called only once the previous one was accepted.
    pub(in crate::hub) fn next(&mut self) -> Option<Sent> {
        let news = |text, list_bytes| {
            Some(Sent { input: Input::Devices(text), readings: 0, conflated: 0, list_bytes })
        };
        if self.event.is_none() && self.listing.is_none() {
            self.next_event();
        }
        if let Some(from) = self.listing {
            let (text, next) = self.fleet.list(from, self.cursor);
            self.listing = next;
            let bytes = text.len();
            return news(text, bytes);
        }
        if let Some(sent) = self.next_readings() {
            return Some(sent);
        }
        // All readings before it were sent or skipped.
        let (_, text) = self.event.take_if(|(after, _)| *after <= self.cursor)?;
        news(text, 0)
    }

    /// Whether something waits, regardless of its due time.
    #[cfg(test)]
    pub(super) fn is_behind(&self) -> bool {
        *self.head.borrow() > self.cursor || !self.events.is_empty()
    }

    fn next_event(&mut self) {
        loop {
            match self.events.try_recv() {
                // This client has already been sent it.
                Ok(event) if event.already_sent_to == Some(self.client) => {}
                Ok(event) => match event.text.upgrade() {
                    Some(text) => self.event = Some((event.after, text)),
                    None => return self.restart(),
                },
                Err(broadcast::error::TryRecvError::Lagged(_)) => return self.restart(),
                Err(_) => return,
            }
            if self.event.is_some() {
                return;
            }
        }
    }

    /// Events were missed: starts again with the list of devices.
    fn restart(&mut self) {
        let again = Relay::new(Arc::clone(&self.fleet), self.client);
        let left_out = self.left_out + (again.cursor - self.cursor);
        *self = Relay { left_out, due: self.due, list_due: self.list_due, ..again };
    }

    fn next_readings(&mut self) -> Option<Sent> {
        let until = match &self.event {
            Some((after, _)) => *after,
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
            self.due = Instant::now() + MIN_FRAME_INTERVAL;
        }
        let conflated = std::mem::take(&mut self.left_out);
        let text = readings::encode(texts.iter().map(|text| &**text), conflated);
        Some(Sent { input: Input::Readings(text.into()), readings: count, conflated, list_bytes: 0 })
    }
}

impl Inner {
    /// The readings after `after`, up to `until`, for one frame: all of them, or the newest of each metric if that is
    /// too much.
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
            // Values of one device with the same time stay together.
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

impl DeviceHub {
    /// A part of the list from an index on: the message, and the index of the next part. Values newer than `number`
    /// are left out: they follow as readings.
    fn list(&self, from: usize, number: Seq) -> (Arc<str>, Option<usize>) {
        let inner = self.lock();
        let mut text = format!(r#"{{"type":"devices","started":{},"devices":["#, self.started.0);
        let mut index = from;
        while let Some(record) = inner.records.get(index) {
            // Serialising this cannot fail: all keys are texts.
            let state = serde_json::to_string(&record.state_at(number)).unwrap_or_default();
            // A device of maximum size is sent by itself.
            if index > from && text.len() + state.len() > LIST_BYTES {
                break;
            }
            if index > from {
                text.push(',');
            }
            text.push_str(&state);
            index += 1;
        }
        let more = index < inner.records.len();
        text.push_str(&format!(r#"],"more":{more}}}"#));
        (text.into(), more.then_some(index))
    }
}
