//! [`Inbox`]: the bounded queue of readings for the writer. Adding to it never waits.

use std::sync::Arc;

use crate::model::device::{
    CommandState, DeviceId, DeviceLogEvent, DeviceState, LastValue, LogLine, Metric, Readings, Value,
};
use crate::model::time::WallMs;

/// Maximum number of queued values.
const VALUES: usize = 500_000;
/// Maximum memory of queued items, in bytes.
const BYTES: usize = 24 * 1024 * 1024;

/// An item to be stored.
pub(super) enum Item {
    Readings(u64, Arc<Readings>),
    Device(u64, Box<DeviceState>),
    Log(u64, DeviceId, Box<LogLine>),
    /// A source's devices cannot be heard from this time on.
    Broken(u64, WallMs),
    Remove(u64),
}

/// The outcome of adding an item.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Put {
    /// It was queued.
    Waits,
    /// It was queued, and the writer should look within a second.
    Look,
    /// It was refused because the queue is full.
    Full,
}

/// Queued items, in order of arrival.
#[derive(Default)]
pub(super) struct Inbox {
    items: Vec<Item>,
    values: usize,
    bytes: usize,
}

impl Inbox {
    pub(super) fn put(&mut self, item: Item) -> Put {
        let (values, bytes) = size(&item);
        // These must not be lost, and there are few of them.
        let is_bound = !matches!(item, Item::Remove(_) | Item::Broken(..));
        if is_bound && (self.values + values > VALUES || self.bytes + bytes > BYTES) {
            return Put::Full;
        }
        let was_half_full = self.is_half_full();
        self.items.push(item);
        self.values += values;
        self.bytes += bytes;
        let is_news = self.items.len() == 1 || (!was_half_full && self.is_half_full());
        if is_news { Put::Look } else { Put::Waits }
    }

    /// Whether it should be emptied at once.
    pub(super) fn is_half_full(&self) -> bool {
        self.values > VALUES / 2 || self.bytes > BYTES / 2
    }

    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    pub(super) fn take(&mut self) -> Vec<Item> {
        (self.values, self.bytes) = (0, 0);
        std::mem::take(&mut self.items)
    }
}

/// Number of values, and approximate memory in bytes.
fn size(item: &Item) -> (usize, usize) {
    const EACH: usize = 128;
    match item {
        Item::Readings(_, readings) => {
            let text = |value: &Value| if let Value::Text(text) = value { text.len() } else { 0 };
            let texts: usize = readings.values.iter().map(|(_, value)| text(value)).sum();
            let flat = size_of_val(readings.values.as_slice()) + size_of_val(readings.samples.as_slice());
            (readings.values.len(), EACH + flat + texts)
        }
        Item::Device(_, state) => (state.values.len(), EACH + of_device(state)),
        Item::Log(_, _, line) => (0, 2 * EACH + of_line(line)),
        Item::Remove(_) | Item::Broken(..) => (0, EACH),
    }
}

fn of_device(state: &DeviceState) -> usize {
    let text = |value: &Value| if let Value::Text(text) = value { text.len() } else { 0 };
    let spec = &state.spec;
    let option = |option: &String| option.len() + size_of::<String>();
    let metric = |metric: &Metric| {
        size_of::<Metric>() + metric.unit.len() + metric.options.iter().map(option).sum::<usize>()
    };
    let attribute = |(name, text): (&String, &String)| name.len() + text.len() + 4 * size_of::<String>();
    let value = |last: &LastValue| size_of::<LastValue>() + text(&last.value);
    size_of::<DeviceState>()
        + [&spec.name, &spec.kind, &spec.will, &state.reason].map(String::len).into_iter().sum::<usize>()
        + spec.metrics.iter().map(metric).sum::<usize>()
        + spec.attributes.iter().map(attribute).sum::<usize>()
        + state.values.iter().map(value).sum::<usize>()
}

fn of_line(line: &LogLine) -> usize {
    match &line.what {
        DeviceLogEvent::Offline { reason } => reason.len(),
        DeviceLogEvent::Command { command } => {
            let value = if let Value::Text(text) = &command.value { text.len() } else { 0 };
            let detail = if let CommandState::Failed { detail } = &command.state { detail.len() } else { 0 };
            value + detail + command.by.name.len() + command.by.id.0.len()
        }
        DeviceLogEvent::Online | DeviceLogEvent::Silent => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::device::MetricName;

    fn readings(count: usize, value: &Value) -> Item {
        let name = MetricName::new("m").unwrap();
        let values = (0..count).map(|_| (name.clone(), value.clone())).collect();
        Item::Readings(0, Arc::new(Readings::of(DeviceId::new("d").unwrap(), WallMs(1), WallMs(1), values)))
    }

    #[test]
    fn it_reports_when_to_look_and_when_it_is_full() {
        let mut inbox = Inbox::default();
        let number = Value::Number(1.0);
        assert_eq!(inbox.put(readings(100_000, &number)), Put::Look);
        assert_eq!(inbox.put(readings(100_000, &number)), Put::Waits);
        assert_eq!(inbox.put(readings(100_000, &number)), Put::Look);
        assert_eq!(inbox.put(readings(200_000, &number)), Put::Waits);
        assert_eq!(inbox.put(readings(1, &number)), Put::Full);
        assert_eq!(inbox.put(Item::Remove(7)), Put::Waits, "a removal is never refused");
        assert_eq!(inbox.take().len(), 5);
        assert!(inbox.is_empty() && !inbox.is_half_full());
        let long = Value::Text("x".repeat(1_000).into());
        assert_eq!(inbox.put(readings(20_000, &long)), Put::Look);
        assert_eq!(inbox.put(readings(20_000, &long)), Put::Full, "by the memory it would take");
    }
}
