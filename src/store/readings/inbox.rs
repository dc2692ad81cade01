//! [`Inbox`]: where readings wait for the writer, bounded, so that whoever brings them never waits.

use std::sync::Arc;

use crate::model::device::{
    CommandState, DeviceId, DeviceState, Happened, LastValue, LogLine, Metric, Readings, Value,
};
use crate::model::time::WallMs;

/// Most values that wait.
const VALUES: usize = 500_000;
/// Most memory of what waits, in bytes.
const BYTES: usize = 24 * 1024 * 1024;

/// Something to be kept.
pub(super) enum Item {
    Readings(u64, Arc<Readings>),
    Device(u64, Box<DeviceState>),
    Log(u64, DeviceId, Box<LogLine>),
    /// From this moment on nothing is heard of a source's devices.
    Broken(u64, WallMs),
    Remove(u64),
}

/// What became of an item.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Put {
    /// It waits with others.
    Waits,
    /// The writer should look, within a second.
    Look,
    /// There is no room for it.
    Full,
}

/// What waits, in the order in which it came.
#[derive(Default)]
pub(super) struct Inbox {
    items: Vec<Item>,
    values: usize,
    bytes: usize,
}

impl Inbox {
    pub(super) fn put(&mut self, item: Item) -> Put {
        let (values, bytes) = size(&item);
        // What was asked to be forgotten is, and no break is missed: there are few of these.
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

/// How many values it has, and about how much memory it takes.
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
        Happened::Offline { reason } => reason.len(),
        Happened::Command { command } => {
            let value = if let Value::Text(text) = &command.value { text.len() } else { 0 };
            let detail = if let CommandState::Failed { detail } = &command.state { detail.len() } else { 0 };
            value + detail + command.by.name.len() + command.by.id.0.len()
        }
        Happened::Online | Happened::Silent => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::device::MetricName;

    fn readings(count: usize, value: &Value) -> Item {
        let name = MetricName::new("m").unwrap();
        let values = (0..count).map(|_| (name.clone(), value.clone())).collect();
        Item::Readings(0, Arc::new(Readings::of(DeviceId::new("d").unwrap(), 1, 1, values)))
    }

    #[test]
    fn it_says_when_to_look_and_when_it_is_full() {
        let mut inbox = Inbox::default();
        let number = Value::Number(1.0);
        assert_eq!(inbox.put(readings(100_000, &number)), Put::Look);
        assert_eq!(inbox.put(readings(100_000, &number)), Put::Waits);
        assert_eq!(inbox.put(readings(100_000, &number)), Put::Look);
        assert_eq!(inbox.put(readings(200_000, &number)), Put::Waits);
        assert_eq!(inbox.put(readings(1, &number)), Put::Full);
        assert_eq!(inbox.put(Item::Remove(7)), Put::Waits, "what is to be forgotten is never refused");
        assert_eq!(inbox.take().len(), 5);
        assert!(inbox.is_empty() && !inbox.is_half_full());
        let long = Value::Text("x".repeat(1_000).into());
        assert_eq!(inbox.put(readings(20_000, &long)), Put::Look);
        assert_eq!(inbox.put(readings(20_000, &long)), Put::Full, "by the memory it would take");
    }
}
