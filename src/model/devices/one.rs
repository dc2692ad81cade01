//! [`Device`]: one device as the window sees it, and what changes it.

use std::collections::VecDeque;
use std::sync::Arc;

use super::space::{Space, TIGHT_BYTES, bound, bound_tightly, cut};
use crate::model::clock_lag::ClockLag;
use crate::model::device::{
    CLOCK_TOLERANCE_MS, Command, CommandState, DeviceState, Happened, LastValue, LogLine, Metric, MetricName,
    MetricType, Rhythm, Sample, Spec, Value, place,
};
use crate::model::link_device::LOCAL_MARK;
use crate::model::series::{Point, Series};
use crate::model::states::is_change;
use crate::model::time::WallMs;

/// Most lines of a device's log, and most commands of it, in memory.
pub(super) const LINES: usize = 100;
/// A hub's live readings are in order of its clock: one that lies further back than this was stamped after its clock was
/// put back, in milliseconds.
const PUT_BACK_MS: i64 = 60_000;
/// Longest value, in bytes.
const TEXT_BYTES: usize = 4_096;

/// The last value of a metric, and its recent past.
#[derive(Clone, Debug)]
pub struct Latest {
    /// What it is. Devices of one kind share it.
    pub metric: Arc<Metric>,
    /// The last value: the one that the hub received last, and of those that it received at once the newest.
    pub value: Value,
    /// When, by the device's clock; 0 before the first.
    pub at: WallMs,
    /// When, by the hub's; 0 before the first.
    pub received: WallMs,
    /// Whether it came as it was said.
    pub live: bool,
    /// Goes on whenever a text changes or comes as it is said again: its stored past has more to tell.
    pub changes: u32,
    /// The recent past, for charts, each point where [`place`] puts it. A value that is no number ends the line.
    pub series: Series,
    /// The metric's name as readings bring it: mostly the same allocation, which is quick to see.
    name: MetricName,
}

impl PartialEq for Latest {
    fn eq(&self, other: &Self) -> bool {
        (&self.metric, &self.value, self.at, self.received, self.live, &self.series)
            == (&other.metric, &other.value, other.at, other.received, other.live, &other.series)
    }
}

/// What a device was last known to do, while the link was up.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It speaks.
    Online,
    /// It said nothing for three of its intervals.
    Silent,
    /// It said that it goes, or its will did.
    Offline,
    /// The hub was started after it last spoke.
    Unheard,
}

/// One device.
#[derive(Clone, Debug, PartialEq)]
pub struct Device {
    /// What it says about itself.
    pub spec: Spec,
    /// Which one of its lives this is; see [`DeviceState::incarnation`].
    pub incarnation: u64,
    /// What it does, as long as our link is up.
    pub presence: Presence,
    /// Since when, by the hub's clock.
    pub since: WallMs,
    /// Why it is offline, in its own words.
    pub reason: String,
    /// When it last said anything, by the hub's clock.
    pub heard: Option<WallMs>,
    /// How far its clock is behind the hub's, in milliseconds, calmed. Transport included.
    pub behind_ms: Option<i64>,
    /// Each metric with its last value, in the order of the announcement.
    pub latest: Vec<Latest>,
    /// Its commands, oldest first.
    pub commands: VecDeque<Command>,
    /// What happened to it, oldest first.
    pub log: VecDeque<LogLine>,
    /// How many of its metrics have no value at the moment although they had one to tell: sensors that failed.
    pub failing: usize,
    /// The connection in which its values were last looked at: none is live of an earlier one.
    generation: u32,
    lag: ClockLag,
    rhythm: Rhythm,
    told_every_ms: Option<u64>,
    /// Bytes of its texts, its log and its commands as last counted; values apart.
    texts: usize,
}

/// Who speaks of a device's whole state.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// The hub's list; the hub was started at this time.
    Listed(WallMs),
    /// The device itself, just now.
    Announced,
    /// The disk, at start.
    Restored,
}

impl Device {
    pub(super) fn new(spec: Spec) -> Device {
        Device {
            spec,
            incarnation: 0,
            presence: Presence::Unheard,
            since: 0,
            reason: String::new(),
            heard: None,
            behind_ms: None,
            latest: Vec::new(),
            commands: VecDeque::new(),
            log: VecDeque::new(),
            failing: 0,
            generation: 0,
            lag: ClockLag::default(),
            rhythm: Rhythm::default(),
            told_every_ms: None,
            texts: 0,
        }
    }

    /// Counts its texts, its log and its commands anew, and lets go of what there is no room for.
    pub(super) fn recount(&mut self, space: &mut Space) {
        if space.is_full() {
            let keep = 1;
            self.log.drain(..self.log.len().saturating_sub(keep));
            self.commands.drain(..self.commands.len().saturating_sub(keep));
            cut(&mut self.reason, TIGHT_BYTES);
        }
        let texts = self.text_bytes();
        space.recount_texts(self.texts, texts);
        self.texts = texts;
    }

    /// It is gone, with all that it took.
    pub(super) fn give_back(&self, space: &mut Space) {
        let series = self.latest.iter().filter(|latest| !latest.series.is_empty()).count();
        space.recount((self.latest.len(), 0), (series, 0));
        let values: usize = self.latest.iter().map(|latest| value_bytes(&latest.value)).sum();
        space.recount_texts(self.texts + values, 0);
        space.give_device();
    }

    fn text_bytes(&self) -> usize {
        let Spec { name, kind, will, metrics, attributes, .. } = &self.spec;
        let option = |option: &String| option.len() + size_of::<String>();
        let metric = |metric: &Metric| metric.unit.len() + metric.options.iter().map(option).sum::<usize>();
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
                    Happened::Offline { reason } => reason.len(),
                    Happened::Command { command: known } => command(known),
                    Happened::Online | Happened::Silent => 0,
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

    /// Whether it is this app's own view of a link, and not a device of the hub.
    pub fn is_local(&self) -> bool {
        self.spec.id.as_str().starts_with(LOCAL_MARK)
    }

    /// How often it is expected to speak, in milliseconds: as announced, or as learned.
    pub fn every_ms(&self) -> Option<u64> {
        self.spec.every_ms().or(self.told_every_ms).or_else(|| self.rhythm.every_ms())
    }

    /// One metric with its last value.
    pub fn metric(&self, name: &str) -> Option<&Latest> {
        self.latest.iter().find(|latest| latest.metric.name.as_str() == name)
    }

    /// How far its clock is behind the hub's, in milliseconds, if that is more than a clock may be off. Its points are then
    /// where the hub received them.
    pub fn clock_is_off(&self) -> Option<i64> {
        self.behind_ms.filter(|behind| behind.saturating_abs() > CLOCK_TOLERANCE_MS)
    }

    /// What it said last: the values that the hub received last, all at once.
    pub fn last_said(&self) -> Vec<&Latest> {
        let last = self.latest.iter().map(|latest| latest.received).filter(|received| *received > 0).max();
        self.latest.iter().filter(|latest| Some(latest.received) == last).collect()
    }

    /// What was live in an earlier connection is not in this one.
    pub(super) fn in_generation(&mut self, generation: u32) {
        if self.generation != generation {
            self.generation = generation;
            self.not_live();
        }
    }

    /// Takes in what the hub, the device or the disk says of it.
    pub(super) fn told(&mut self, state: DeviceState, how: Told, space: &mut Space) {
        let DeviceState { mut spec, incarnation, online, since, reason, heard, every_ms, values } = state;
        let is_new = self.since == 0 && self.heard.is_none();
        let spoke = heard > self.heard || incarnation != self.incarnation || how == Told::Announced;
        if incarnation != self.incarnation {
            self.not_live();
        }
        bound(&mut spec);
        if space.is_full() {
            bound_tightly(&mut spec);
        }
        self.announce(&mut spec, space);
        self.remember(values, space);
        let presence = match (online, how) {
            (false, _) => Presence::Offline,
            (true, Told::Listed(started)) if heard.is_none_or(|heard| heard < started) && since < started => {
                Presence::Unheard
            }
            // It is as silent as before: the hub has not heard of it since.
            (true, Told::Listed(_)) if self.presence == Presence::Silent && !spoke => Presence::Silent,
            (true, _) => Presence::Online,
        };
        let since = if presence == Presence::Silent { self.since } else { since };
        self.turn(presence, since, reason, !is_new && how != Told::Restored);
        (self.spec, self.incarnation) = (spec, incarnation);
        (self.heard, self.told_every_ms) = (heard.max(self.heard), every_ms);
        self.recount(space);
    }

    /// Takes last values in where they are newer than what is known.
    pub(super) fn remember(&mut self, values: Vec<LastValue>, space: &mut Space) {
        for (hint, last) in values.into_iter().enumerate() {
            let Some(at) = self.index(&last.metric, &last.value, hint, space) else { continue };
            self.latest[at].replayed(last, space);
        }
        self.count_failing();
    }

    fn count_failing(&mut self) {
        self.failing = self.latest.iter().filter(|latest| latest.is_failing()).count();
    }

    /// The metrics are these now. Those that are gone go; one that changed its type begins anew.
    fn announce(&mut self, spec: &mut Spec, space: &mut Space) {
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
            let shared = space.share(metric);
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

    /// Looks at what a moment says of the device's clock. All of a frame are looked at before the first of them is read:
    /// of a backlog only the newest tells.
    pub(super) fn date(&mut self, sample: &Sample) {
        self.behind_ms = Some(self.lag.heard(sample.at, sample.received, self.behind_ms));
    }

    /// Takes the values of one moment in. Returns whether the device's presence changed by that, or a sensor failed or
    /// recovered.
    pub(super) fn read(
        &mut self,
        sample: &Sample,
        values: &[(MetricName, Value)],
        space: &mut Space,
    ) -> bool {
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
            let was_failing = latest.is_failing();
            latest.live(value, sample, behind, space);
            failed |= was_failing != latest.is_failing();
        }
        if failed {
            self.count_failing();
        }
        let turned = match self.presence {
            Presence::Online => false,
            // It was there before the hub was started, and still is.
            Presence::Unheard if self.since > 0 => {
                self.presence = Presence::Online;
                true
            }
            _ => {
                let is_new = self.turn(Presence::Online, sample.received, String::new(), true);
                self.recount(space);
                is_new
            }
        };
        turned || failed
    }

    /// It does this from now on. Returns whether that is new. `noted`: it is written down, once.
    pub(super) fn turn(&mut self, presence: Presence, since: WallMs, reason: String, noted: bool) -> bool {
        let was = self.presence;
        let is_new = was != presence || self.since != since || self.reason != reason;
        if matches!(presence, Presence::Silent | Presence::Offline) {
            // What it said before is not live when it comes back.
            self.not_live();
        }
        (self.presence, self.since, self.reason) = (presence, since, reason);
        cut(&mut self.reason, TEXT_BYTES);
        if was == presence || !noted {
            return is_new;
        }
        let what = match presence {
            Presence::Online => Happened::Online,
            Presence::Silent => Happened::Silent,
            Presence::Offline => Happened::Offline { reason: self.reason.clone() },
            Presence::Unheard => return is_new,
        };
        let last = self.log.iter().rev().find(|line| is_presence(&line.what));
        if last.is_none_or(|last| !is_same_turn(&last.what, &what)) {
            self.note(LogLine { at: since, what });
        }
        is_new
    }

    /// A command was given, or ended. What a device or a hub said of its end is not undone by what was only asked, or
    /// only feared, here.
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
            let line = LogLine { at: command.at, what: Happened::Command { command: command.clone() } };
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

    /// Its log as the disk or the hub holds it; what happened here since then stays.
    pub(super) fn logged(&mut self, lines: Vec<LogLine>) {
        let is_held = |line: &LogLine| {
            let id = command_id(&line.what);
            lines.iter().any(|held| held == line || id.is_some() && command_id(&held.what) == id)
        };
        let own: Vec<LogLine> = self.log.drain(..).filter(|line| !is_held(line)).collect();
        let mut all: Vec<LogLine> = lines.into_iter().chain(own).collect();
        all.sort_by_key(|line| line.at);
        // Two words for one turn, of the hub and of this app.
        let mut last: Option<Happened> = None;
        all.retain(|line| {
            let is_again = last.as_ref().is_some_and(|last| is_same_turn(last, &line.what));
            if is_presence(&line.what) && !is_again {
                last = Some(line.what.clone());
            }
            !is_again
        });
        all.drain(..all.len().saturating_sub(LINES));
        self.log = all.into();
    }

    /// The metric of this name, first looked for where it would be if the values come in order.
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

    /// About how many bytes it takes.
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
    /// Whether it told that there is no value, where one is expected. A text may well be missing.
    pub fn is_failing(&self) -> bool {
        self.received > 0 && self.value == Value::Missing && self.metric.kind != MetricType::Text
    }

    fn new(metric: Arc<Metric>) -> Latest {
        let name = metric.name.clone();
        Latest {
            metric,
            value: Value::Missing,
            at: 0,
            received: 0,
            live: false,
            changes: 0,
            series: Series::default(),
            name,
        }
    }

    /// The same metric, announced anew.
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

    /// A value came as it was said.
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

    /// A value was said before; it counts if it is newer than what is known.
    fn replayed(&mut self, last: LastValue, space: &mut Space) {
        let is_newer = (last.received, last.at) > (self.received, self.at);
        if is_newer || (last.received, last.at) == (self.received, self.at) {
            // What its clock was like then is not known: by this value alone it is right, or off by all of this.
            let behind = last.received.saturating_sub(last.at);
            self.chart(&last.value, place(last.at, last.received, behind), space);
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
        let longest = if space.is_full() { TIGHT_BYTES } else { TEXT_BYTES };
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

/// How much memory a value takes beside its place.
fn value_bytes(value: &Value) -> usize {
    if let Value::Text(text) = value { text.len() } else { 0 }
}

/// Whether the hub's clock was put back between these two, which it stamped in this order.
fn was_put_back(known: WallMs, received: WallMs) -> bool {
    known.saturating_sub(received) > PUT_BACK_MS
}

fn is_presence(what: &Happened) -> bool {
    !matches!(what, Happened::Command { .. })
}

/// Whether both say that it came, or went, or fell silent.
fn is_same_turn(one: &Happened, other: &Happened) -> bool {
    is_presence(one) && std::mem::discriminant(one) == std::mem::discriminant(other)
}

fn command_id(what: &Happened) -> Option<crate::model::MessageId> {
    match what {
        Happened::Command { command } => Some(command.id),
        _ => None,
    }
}

/// What a device takes beside its metrics and texts, about: its place in the list and by its id.
const DEVICE_BYTES: usize = size_of::<Device>() + 192;
/// What a metric takes beside its texts, about: its last value, its announcement, the least of a series.
const METRIC_BYTES: usize = size_of::<Latest>() + size_of::<Metric>() + 256;

impl Default for Space {
    fn default() -> Self {
        Space::new(DEVICE_BYTES, METRIC_BYTES)
    }
}

fn push_bounded<T>(queue: &mut VecDeque<T>, item: T) {
    if queue.len() == LINES {
        queue.pop_front();
    }
    queue.push_back(item);
}
