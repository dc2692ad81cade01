//! [`Device`]: the state of one device, and how events change it.

use std::collections::VecDeque;
use std::sync::Arc;

use super::space::{MAX_TIGHT_BYTES, Space, bound, bound_tightly, cut};
use crate::model::clock_lag::ClockLag;
use crate::model::device::{
    CLOCK_TOLERANCE_MS, Command, CommandState, DeviceLogEvent, DeviceState, IntervalEstimator, LastValue,
    LogLine, Metric, MetricName, MetricType, Sample, Spec, UNKNOWN_TIME, Value, place,
};
use crate::model::device_choices::DeviceChoice;
use crate::model::link_device::LOCAL_MARK;
use crate::model::series::{Point, Series};
use crate::model::states::is_change;
use crate::model::time::WallMs;

/// Maximum number of log lines and of commands of a device held in memory.
pub(super) const MAX_LINES: usize = 100;
/// The hub's live readings are in order of its clock; one that is older than the previous one by more than
/// this was stamped after the clock was set back, in milliseconds.
const PUT_BACK_MS: i64 = 60_000;
/// Maximum length of a text value, in bytes.
const MAX_TEXT_BYTES: usize = 4_096;

/// The latest value and recent history of a metric.
#[derive(Clone, Debug)]
pub struct Latest {
    /// The metric. Devices of the same kind share the allocation.
    pub metric: Arc<Metric>,
    /// The value that the hub received last; of several received together, the newest.
    pub value: Value,
    /// Timestamp by the device's clock; 0 before the first value.
    pub at: WallMs,
    /// Time received by the hub's clock; 0 before the first value.
    pub received: WallMs,
    /// Whether it was received live.
    pub live: bool,
    /// Increases whenever a text value changes or is received live: its stored history has grown.
    pub changes: u32,
    /// Recent history for charts, each point at the time given by [`place`]. A value that is not a number
    /// interrupts the line.
    pub series: Series,
    /// The metric's name as received in readings: usually the same allocation, which makes comparison fast.
    name: MetricName,
}

impl PartialEq for Latest {
    fn eq(&self, other: &Self) -> bool {
        (&self.metric, &self.value, self.at, self.received, self.live, &self.series)
            == (&other.metric, &other.value, other.at, other.received, other.live, &other.series)
    }
}

/// Presence of a device as last known while the link was up.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It is publishing.
    Online,
    /// It published nothing for three of its intervals.
    Silent,
    /// It went offline, or its last will was published.
    Offline,
    /// The hub has restarted since it last published.
    Unheard,
}

/// A device.
#[derive(Clone, Debug, PartialEq)]
pub struct Device {
    /// Its announcement.
    pub spec: Spec,
    /// See [`DeviceState::incarnation`].
    pub incarnation: u64,
    /// Its presence, valid while our link is up.
    pub presence: Presence,
    /// When the presence last changed, by the hub's clock.
    pub since: WallMs,
    /// Reason it gave for being offline.
    pub reason: String,
    /// When data was last received from it, by the hub's clock.
    pub heard: Option<WallMs>,
    /// Smoothed lag of its clock behind the hub's, including transport time, in milliseconds.
    pub behind_ms: Option<i64>,
    /// Its metrics with their latest values, in the order of the announcement.
    pub latest: Vec<Latest>,
    /// Its commands, oldest first.
    pub commands: VecDeque<Command>,
    /// Its log, oldest first.
    pub log: VecDeque<LogLine>,
    /// Number of metrics in view that lost their value, which means that a sensor failed.
    pub failing: usize,
    /// The connection in which its values were last updated; values of earlier connections are not live.
    generation: u32,
    lag: ClockLag,
    rhythm: IntervalEstimator,
    told_every_ms: Option<u64>,
    /// Size of its texts, log and commands when last counted, in bytes; values excluded.
    texts: usize,
}

/// The origin of a complete device state.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum StateSource {
    /// The hub's device list; the hub started at this time.
    Listed(WallMs),
    /// An announcement by the device.
    Announced,
    /// Restored from disk at start.
    Restored,
}

impl Device {
    pub(super) fn new(spec: Spec) -> Device {
        Device {
            spec,
            incarnation: 0,
            presence: Presence::Unheard,
            since: WallMs(0),
            reason: String::new(),
            heard: None,
            behind_ms: None,
            latest: Vec::new(),
            commands: VecDeque::new(),
            log: VecDeque::new(),
            failing: 0,
            generation: 0,
            lag: ClockLag::default(),
            rhythm: IntervalEstimator::default(),
            told_every_ms: None,
            texts: 0,
        }
    }

    /// Counts texts, log and commands again, and drops what exceeds the space.
    pub(super) fn recount(&mut self, space: &mut Space) {
        if space.is_full() {
            let keep = 1;
            self.log.drain(..self.log.len().saturating_sub(keep));
            self.commands.drain(..self.commands.len().saturating_sub(keep));
            cut(&mut self.reason, MAX_TIGHT_BYTES);
        }
        let texts = self.text_bytes();
        space.recount_texts(self.texts, texts);
        self.texts = texts;
    }

    /// Releases its space; it is being removed.
    pub(super) fn release_space(&self, space: &mut Space) {
        let series = self.latest.iter().filter(|latest| !latest.series.is_empty()).count();
        space.recount((self.latest.len(), 0), (series, 0));
        let values: usize = self.latest.iter().map(|latest| value_bytes(&latest.value)).sum();
        space.recount_texts(self.texts + values, 0);
        space.give_device();
    }

    fn text_bytes(&self) -> usize {
        let Spec { name, kind, will, metrics, attributes, .. } = &self.spec;
        let option = |option: &String| option.len() + size_of::<String>();
        let metric = |metric: &Metric| {
            metric.unit.len()
                + metric.icon.len()
                + metric.note.len()
                + metric.options.iter().map(option).sum::<usize>()
        };
        let attribute = |(name, text): (&String, &String)| name.len() + text.len() + 2 * size_of::<String>();
        let command = |command: &Command| {
            let detail = if let CommandState::Failed { detail } = &command.state { detail.len() } else { 0 };
            size_of::<Command>()
                + value_bytes(&command.value)
                + command.by.name.len()
                + command.by.id.0.len()
                + detail
        };
        let line = |line: &LogLine| {
            size_of::<LogLine>()
                + match &line.what {
                    DeviceLogEvent::Offline { reason } => reason.len(),
                    DeviceLogEvent::Command { command: known } => command(known),
                    DeviceLogEvent::Online | DeviceLogEvent::Silent => 0,
                }
        };
        name.len()
            + kind.len()
            + will.len()
            + self.reason.len()
            + metrics.iter().map(metric).sum::<usize>()
            + attributes.iter().map(attribute).sum::<usize>()
            + self.log.iter().map(line).sum::<usize>()
            + self.commands.iter().map(command).sum::<usize>()
    }

    /// Whether it is the app's own view of a link, not a device of the hub.
    pub fn is_local(&self) -> bool {
        self.spec.id.as_str().starts_with(LOCAL_MARK)
    }

    /// Its publishing interval, announced or measured, in milliseconds.
    pub fn every_ms(&self) -> Option<u64> {
        self.spec.every_ms().or(self.told_every_ms).or_else(|| self.rhythm.every_ms())
    }

    /// A metric with its latest value.
    pub fn metric(&self, name: &str) -> Option<&Latest> {
        self.latest.iter().find(|latest| latest.metric.name.as_str() == name)
    }

    /// How far its clock lags behind the hub's, in milliseconds, if that exceeds the tolerance. Its points
    /// are then plotted at the times at which the hub received them.
    pub fn clock_is_off(&self) -> Option<i64> {
        self.behind_ms.filter(|behind| behind.saturating_abs() > CLOCK_TOLERANCE_MS)
    }

    /// The values that the hub received last, all in one message.
    pub fn last_said(&self) -> Vec<&Latest> {
        let last =
            self.latest.iter().map(|latest| latest.received).filter(|received| *received > WallMs(0)).max();
        self.latest.iter().filter(|latest| Some(latest.received) == last).collect()
    }

    /// Marks values from earlier connections as not live.
    pub(super) fn in_generation(&mut self, generation: u32) {
        if self.generation != generation {
            self.generation = generation;
            self.not_live();
        }
    }

    /// Updates it from a complete state. `choice`: what the person has chosen for it.
    pub(super) fn apply_state(
        &mut self,
        state: DeviceState,
        how: StateSource,
        choice: Option<&DeviceChoice>,
        space: &mut Space,
    ) {
        let DeviceState { mut spec, incarnation, online, since, reason, heard, every_ms, values } = state;
        let is_new = self.since == WallMs(0) && self.heard.is_none();
        let spoke = heard > self.heard || incarnation != self.incarnation || how == StateSource::Announced;
        if incarnation != self.incarnation {
            self.not_live();
        }
        bound(&mut spec);
        if space.is_full() {
            bound_tightly(&mut spec);
        }
        self.announce(&mut spec, choice, space);
        self.apply_older_values(values, choice, space);
        let presence = match (online, how) {
            (false, _) => Presence::Offline,
            (true, StateSource::Listed(started))
                if heard.is_none_or(|heard| heard < started) && since < started =>
            {
                Presence::Unheard
            }
            // Still silent: the hub has not heard from it since.
            (true, StateSource::Listed(_)) if self.presence == Presence::Silent && !spoke => Presence::Silent,
            (true, _) => Presence::Online,
        };
        let since = if presence == Presence::Silent { self.since } else { since };
        self.set_presence(presence, since, reason, !is_new && how != StateSource::Restored);
        (self.spec, self.incarnation) = (spec, incarnation);
        (self.heard, self.told_every_ms) = (heard.max(self.heard), every_ms);
        self.recount(space);
    }

    /// Takes over values that are newer than the known ones.
    pub(super) fn apply_older_values(
        &mut self,
        values: Vec<LastValue>,
        choice: Option<&DeviceChoice>,
        space: &mut Space,
    ) {
        let known = self.latest.len();
        for (hint, last) in values.into_iter().enumerate() {
            let Some(at) = self.index(&last.metric, &last.value, hint, space) else { continue };
            self.latest[at].replayed(last, space);
        }
        self.correct_from(known, choice, space);
        self.count_failing();
    }

    /// Shows its metrics as the person wants them.
    pub(super) fn correct(&mut self, choice: Option<&DeviceChoice>, space: &mut Space) {
        let unchosen = DeviceChoice::default();
        let choice = choice.unwrap_or(&unchosen);
        for latest in &mut self.latest {
            let name = &latest.metric.name;
            let corrected = match self.spec.metrics.iter().find(|metric| metric.name == *name) {
                Some(announced) => choice.corrected(announced),
                // It has no unit of its own.
                None => choice.corrected(&Metric::new(name.clone(), latest.metric.kind)),
            };
            if *latest.metric != corrected {
                latest.metric = space.share(&corrected);
            }
        }
        self.count_failing();
    }

    /// The same, if metrics were added after the first `known` ones.
    fn correct_from(&mut self, known: usize, choice: Option<&DeviceChoice>, space: &mut Space) {
        if self.latest.len() > known && choice.is_some_and(|choice| !choice.readings.is_empty()) {
            self.correct(choice, space);
        }
    }

    fn count_failing(&mut self) {
        self.failing = self.latest.iter().filter(|latest| latest.is_trouble()).count();
    }

    /// Replaces the announced metrics. Metrics that are no longer announced are removed; one whose type
    /// changed starts over.
    fn announce(&mut self, spec: &mut Spec, choice: Option<&DeviceChoice>, space: &mut Space) {
        let choice = choice.filter(|choice| !choice.readings.is_empty());
        let series = |latest: &[Latest]| latest.iter().filter(|latest| !latest.series.is_empty()).count();
        let before = (self.latest.len(), series(&self.latest));
        let texts = self.latest.iter().map(|latest| value_bytes(&latest.value)).sum();
        let mut old: Vec<Option<Latest>> = std::mem::take(&mut self.latest).into_iter().map(Some).collect();
        let values =
            |latest: &[Latest]| latest.iter().map(|latest| value_bytes(&latest.value)).sum::<usize>();
        space.recount((before.0, 0), (before.1, 0));
        self.latest.reserve_exact(spec.metrics.len());
        for (place, metric) in spec.metrics.iter_mut().enumerate() {
            if self.latest.iter().any(|known| known.metric.name == metric.name)
                || !space.take_metric(self.latest.len())
            {
                continue;
            }
            let shared = match choice {
                Some(choice) => space.share(&choice.corrected(metric)),
                None => space.share(metric),
            };
            metric.name = shared.name.clone();
            let is_it = |known: &Option<Latest>| known.as_ref().is_some_and(|l| l.metric.name == shared.name);
            let known =
                if old.get(place).is_some_and(is_it) { Some(place) } else { old.iter().position(is_it) };
            let latest = match known.and_then(|known| old[known].take()) {
                Some(known) => known.announced(shared),
                None => Latest::new(shared),
            };
            self.latest.push(latest);
        }
        space.recount((0, 0), (0, series(&self.latest)));
        space.recount_texts(texts, values(&self.latest));
    }

    /// Updates the estimate of the device's clock. Called for all samples of a frame before any of them is
    /// read, since only the newest of a backlog is meaningful.
    pub(super) fn update_clock_lag(&mut self, sample: &Sample) {
        self.behind_ms = Some(self.lag.heard(sample.at, sample.received, self.behind_ms));
    }

    /// Applies the values of a sample. Returns whether the presence changed, or a sensor failed or recovered.
    pub(super) fn read(
        &mut self,
        sample: &Sample,
        values: &[(MetricName, Value)],
        choice: Option<&DeviceChoice>,
        space: &mut Space,
    ) -> bool {
        let known = self.latest.len();
        let is_put_back = self.heard.is_some_and(|heard| was_put_back(heard, sample.received));
        if is_put_back {
            self.rhythm.restart();
        }
        self.rhythm.heard(sample.received);
        self.heard = if is_put_back { Some(sample.received) } else { self.heard.max(Some(sample.received)) };
        let behind = self.behind_ms.unwrap_or_default();
        let mut hint = 0;
        let mut failed = false;
        for (name, value) in values {
            let Some(at) = self.index(name, value, hint, space) else { continue };
            hint = at + 1;
            let latest = &mut self.latest[at];
            let was_trouble = latest.is_trouble();
            latest.live(value, sample, behind, space);
            failed |= was_trouble != latest.is_trouble();
        }
        self.correct_from(known, choice, space);
        if failed {
            self.count_failing();
        }
        let turned = match self.presence {
            Presence::Online => false,
            // It was there before the hub restarted, and still is.
            Presence::Unheard if self.since > WallMs(0) => {
                self.presence = Presence::Online;
                true
            }
            _ => {
                let is_new = self.set_presence(Presence::Online, sample.received, String::new(), true);
                self.recount(space);
                is_new
            }
        };
        turned || failed
    }

    /// Changes the presence. Returns whether it is different. `noted`: adds a log line for it.
    pub(super) fn set_presence(
        &mut self,
        presence: Presence,
        since: WallMs,
        reason: String,
        noted: bool,
    ) -> bool {
        let was = self.presence;
        let is_new = was != presence || self.since != since || self.reason != reason;
        if matches!(presence, Presence::Silent | Presence::Offline) {
            // Its old values are not live when it comes back.
            self.not_live();
        }
        (self.presence, self.since, self.reason) = (presence, since, reason);
        cut(&mut self.reason, MAX_TEXT_BYTES);
        if was == presence || !noted {
            return is_new;
        }
        let what = match presence {
            Presence::Online => DeviceLogEvent::Online,
            Presence::Silent => DeviceLogEvent::Silent,
            Presence::Offline => DeviceLogEvent::Offline { reason: self.reason.clone() },
            Presence::Unheard => return is_new,
        };
        let last = self.log.iter().rev().find(|line| is_presence(&line.what));
        if last.is_none_or(|last| !is_same_turn(&last.what, &what)) {
            self.note(LogLine { at: since, what });
        }
        is_new
    }

    /// A command was given or completed. An outcome reported by the device or the hub takes precedence over a
    /// state assumed locally.
    pub(super) fn commanded(&mut self, command: Command) {
        let is_open = |state: &CommandState| matches!(state, CommandState::Pending | CommandState::Unknown);
        let known = self.commands.iter().position(|known| known.id == command.id);
        if let Some(known) = known {
            let (old, new) = (&self.commands[known].state, &command.state);
            let is_answered = matches!(old, CommandState::Done | CommandState::Failed { .. });
            if old == new && command == self.commands[known]
                || !is_open(old) && is_open(new)
                || is_answered && *new == CommandState::Expired
            {
                return;
            }
        }
        if !is_open(&command.state) {
            let line = LogLine { at: command.at, what: DeviceLogEvent::Command { command: command.clone() } };
            match self.log.iter_mut().find(|known| command_id(&known.what) == Some(command.id)) {
                Some(known) => *known = line,
                None => self.note(line),
            }
        }
        match known {
            Some(known) => self.commands[known] = command,
            None => push_bounded(&mut self.commands, command),
        }
    }

    /// Merges its log from disk or from the hub with newer local lines.
    pub(super) fn logged(&mut self, lines: Vec<LogLine>) {
        let is_held = |line: &LogLine| {
            let id = command_id(&line.what);
            lines.iter().any(|held| held == line || id.is_some() && command_id(&held.what) == id)
        };
        let own: Vec<LogLine> = self.log.drain(..).filter(|line| !is_held(line)).collect();
        let mut all: Vec<LogLine> = lines.into_iter().chain(own).collect();
        all.sort_by_key(|line| line.at);
        // The hub and this app may each have recorded the same change of presence.
        let mut last: Option<DeviceLogEvent> = None;
        all.retain(|line| {
            let is_again = last.as_ref().is_some_and(|last| is_same_turn(last, &line.what));
            if is_presence(&line.what) && !is_again {
                last = Some(line.what.clone());
            }
            !is_again
        });
        all.drain(..all.len().saturating_sub(MAX_LINES));
        self.log = all.into();
    }

    /// Index of a metric. Looks first at `hint`, where it is if values arrive in order.
    fn index(&mut self, name: &MetricName, value: &Value, hint: usize, space: &mut Space) -> Option<usize> {
        if self.latest.get(hint).is_some_and(|latest| latest.name.same(name)) {
            return Some(hint);
        }
        if let Some(at) = self.latest.iter().position(|latest| latest.name.same(name)) {
            return Some(at);
        }
        if let Some(at) = self.latest.iter().position(|latest| latest.name == *name) {
            self.latest[at].name = name.clone();
            return Some(at);
        }
        if !space.take_metric(self.latest.len()) {
            return None;
        }
        self.latest.push(Latest::new(space.share(&Metric::of_value(name.clone(), value))));
        Some(self.latest.len() - 1)
    }

    fn not_live(&mut self) {
        self.latest.iter_mut().for_each(|latest| latest.live = false);
    }

    fn note(&mut self, line: LogLine) {
        push_bounded(&mut self.log, line);
    }

    /// Approximate memory use in bytes.
    pub(super) fn bytes(&self) -> usize {
        let text = |text: &str| text.len() + 2 * size_of::<usize>();
        let metric = |metric: &Metric| size_of::<Metric>() + metric.unit.capacity();
        let own = |latest: &Latest| {
            let shared = metric(&latest.metric) + text(latest.metric.name.as_str());
            size_of::<Latest>() + latest.series.bytes() + shared / Arc::strong_count(&latest.metric)
        };
        size_of::<Device>()
            + text(self.spec.id.as_str())
            + text(&self.spec.name)
            + text(&self.spec.kind)
            + self.spec.metrics.iter().map(metric).sum::<usize>()
            + self.latest.iter().map(own).sum::<usize>()
            + self.log.capacity() * size_of::<LogLine>()
            + self.commands.capacity() * size_of::<Command>()
    }
}

impl Latest {
    /// Whether the value is missing although one is expected. For a text that is normal.
    pub fn is_failing(&self) -> bool {
        self.received > WallMs(0) && self.value == Value::Missing && self.metric.kind != MetricType::Text
    }

    /// Whether it makes its device faulty: it fails, and the person has not hidden it.
    pub fn is_trouble(&self) -> bool {
        self.is_failing() && !self.metric.hidden
    }

    fn new(metric: Arc<Metric>) -> Latest {
        let name = metric.name.clone();
        Latest {
            metric,
            value: Value::Missing,
            at: WallMs(0),
            received: WallMs(0),
            live: false,
            changes: 0,
            series: Series::default(),
            name,
        }
    }

    /// The same metric with its new announcement.
    fn announced(mut self, metric: Arc<Metric>) -> Latest {
        if self.metric.kind != metric.kind {
            self.series = Series::default();
            let fits = match (&self.value, metric.kind) {
                (Value::Missing, _)
                | (Value::Number(_) | Value::Whole(_), MetricType::Number)
                | (Value::Flag(_), MetricType::Flag)
                | (Value::Text(_), MetricType::Text) => true,
                (Value::Text(text), MetricType::Enum) => metric.options.iter().any(|o| **o == **text),
                _ => false,
            };
            if !fits {
                return Latest::new(metric);
            }
        }
        self.metric = metric;
        self
    }

    /// Applies a live value.
    fn live(&mut self, value: &Value, sample: &Sample, behind: i64, space: &mut Space) {
        let is_put_back = was_put_back(self.received, sample.received);
        if is_put_back {
            self.series.forget_after(sample.received);
        }
        self.chart(value, place(sample.at, sample.received, behind), space);
        if (sample.received, sample.at) >= (self.received, self.at) || is_put_back {
            self.take(value.clone(), sample.at, sample.received, space);
            self.changes = self.changes.wrapping_add(u32::from(!self.live));
            self.live = true;
        }
    }

    /// Applies an older value, if it is newer than the known one.
    fn replayed(&mut self, last: LastValue, space: &mut Space) {
        let is_newer = (last.received, last.at) > (self.received, self.at);
        if is_newer || (last.received, last.at) == (self.received, self.at) {
            // The lag of the clock at that time is unknown: derive it from this value alone.
            let behind = last.received.since(last.at);
            if last.received != UNKNOWN_TIME {
                self.chart(&last.value, place(last.at, last.received, behind), space);
            }
            self.take(last.value, last.at, last.received, space);
            self.live &= !is_newer;
        }
    }

    fn chart(&mut self, value: &Value, at: WallMs, space: &mut Space) {
        let is_first = self.series.is_empty();
        let point = Point::of(at, value).unwrap_or(Point::new(at, f64::NAN));
        self.series.push_within(point, space.allowance);
        if is_first && !self.series.is_empty() {
            space.take_series();
        }
    }

    fn take(&mut self, value: Value, at: WallMs, received: WallMs, space: &mut Space) {
        let before = value_bytes(&self.value);
        if is_change(Some(&self.value), &value) {
            self.changes = self.changes.wrapping_add(1);
        }
        (self.value, self.at, self.received) = (value, at, received);
        let longest = if space.is_full() { MAX_TIGHT_BYTES } else { MAX_TEXT_BYTES };
        if let Value::Text(text) = &self.value
            && text.len() > longest
        {
            let mut short = String::from(&**text);
            cut(&mut short, longest);
            self.value = Value::Text(short.into());
        }
        let after = value_bytes(&self.value);
        if (before, after) != (0, 0) {
            space.recount_texts(before, after);
        }
    }
}

/// Heap size of a value, in bytes.
fn value_bytes(value: &Value) -> usize {
    if let Value::Text(text) = value { text.len() } else { 0 }
}

/// Whether the hub's clock was set back between these times, which it stamped in this order.
fn was_put_back(known: WallMs, received: WallMs) -> bool {
    known.since(received) > PUT_BACK_MS
}

fn is_presence(what: &DeviceLogEvent) -> bool {
    !matches!(what, DeviceLogEvent::Command { .. })
}

/// Whether both record the same change of presence.
fn is_same_turn(one: &DeviceLogEvent, other: &DeviceLogEvent) -> bool {
    is_presence(one) && std::mem::discriminant(one) == std::mem::discriminant(other)
}

fn command_id(what: &DeviceLogEvent) -> Option<crate::model::MessageId> {
    match what {
        DeviceLogEvent::Command { command } => Some(command.id),
        _ => None,
    }
}

/// Approximate size of a device without metrics and texts: its entry in the list and in the index.
const DEVICE_BYTES: usize = size_of::<Device>() + 192;
/// Approximate size of a metric without texts: its value, its announcement and a minimal series.
const METRIC_BYTES: usize = size_of::<Latest>() + size_of::<Metric>() + 256;

impl Default for Space {
    fn default() -> Self {
        Space::new(DEVICE_BYTES, METRIC_BYTES)
    }
}

fn push_bounded<T>(queue: &mut VecDeque<T>, item: T) {
    if queue.len() == MAX_LINES {
        queue.pop_front();
    }
    queue.push_back(item);
}
