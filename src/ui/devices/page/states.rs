//! The history of a text value as a strip shows it: stored changes and those received since, merged and
//! divided into runs of one value, with gaps. Also decides when to request the stored history.

use std::collections::HashMap;
use std::sync::Arc;

use super::past::{MIN_REQUEST_INTERVAL_MS, REQUEST_TIMEOUT_MS, Viewport};
use crate::model::StateChange;
use crate::model::device::{Metric, Status, place};
use crate::model::devices::{Device, Latest};
use crate::model::states::{States, state_of};
use crate::model::time::{BootMs, WallMs};

/// Maximum number of changes remembered if the stored history never arrives.
const MAX_SEEN: usize = 1_000;

/// A part of a strip.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Stretch {
    /// Start, limited to the range in view.
    pub from: WallMs,
    /// End, limited to the range in view.
    pub to: WallMs,
    pub what: StretchKind,
}

/// Content of a stretch.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum StretchKind {
    /// One value.
    Said {
        value: Arc<str>,
        /// Index of its colour; distinct values have distinct indices.
        colour: usize,
        /// When it took this value, possibly before the range in view.
        since: WallMs,
    },
    /// This many changes, each too short to be visible.
    Many(usize),
}

/// The part of the history in view.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Drawn {
    /// In order of time.
    pub stretches: Vec<Stretch>,
    /// Gaps, in order of time.
    pub gaps: Vec<(WallMs, WallMs)>,
    /// Total time of each value, in milliseconds, longest first.
    pub totals: Vec<(Arc<str>, i64)>,
}

impl Drawn {
    /// The stretch at a time.
    pub(super) fn at(&self, at: f64) -> Option<&Stretch> {
        self.stretches
            .iter()
            .find(|stretch| (stretch.from.coordinate()..=stretch.to.coordinate()).contains(&at))
    }
}

/// A value from one change to the next different one.
#[derive(Clone, Debug)]
struct Run {
    from: WallMs,
    to: WallMs,
    value: Option<Arc<str>>,
}

/// Merges changes into runs. They must be roughly in order of time and end at `now`.
fn runs<'a>(changes: impl Iterator<Item = &'a StateChange>, now: WallMs) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for change in changes {
        let from = change.at.max(runs.last().map_or(WallMs::MIN, |last| last.from));
        if let Some(last) = runs.last_mut() {
            last.to = from;
        }
        // Same timestamp: the later received change wins.
        runs.pop_if(|last| last.from == from);
        if let Some(last) = runs.last_mut().filter(|last| last.value == change.value) {
            last.to = now.max(from);
        } else {
            runs.push(Run { from, to: now.max(from), value: change.value.clone() });
        }
    }
    runs
}

/// Divides the range in view. `whole`: there is no history before the first change.
pub(super) fn draw<'a>(
    changes: impl Iterator<Item = &'a StateChange>,
    whole: bool,
    metric: &Metric,
    viewport: Viewport,
) -> Drawn {
    let end = viewport.to.min(viewport.now);
    let column_ms = viewport.column_ms();
    let runs = runs(changes, viewport.now);
    let colours = colours(&runs, metric);
    let mut drawn = Drawn::default();
    let mut totals: HashMap<&Arc<str>, i64> = HashMap::new();
    let is_seen = |from: WallMs, to: WallMs| to.since(from) as f64 >= column_ms;
    let begins = runs.first().map_or(end, |run| run.from).min(end);
    if whole && begins > viewport.from && is_seen(viewport.from, begins) {
        drawn.gaps.push((viewport.from, begins));
    }
    for run in &runs {
        let (from, to) = (run.from.max(viewport.from), run.to.min(end));
        if from >= to {
            continue;
        }
        let Some(value) = &run.value else {
            // A gap narrower than a pixel is invisible.
            if is_seen(run.from, run.to) {
                drawn.gaps.push((from, to));
            }
            continue;
        };
        *totals.entry(value).or_default() += to - from;
        let is_short = !is_seen(run.from, run.to);
        match drawn.stretches.last_mut().filter(|_| is_short) {
            // A stretch too short to be visible is merged with its neighbour of the same kind.
            Some(last) if follows(last, from, column_ms) && last.is_short(column_ms) => {
                let before = if let StretchKind::Many(count) = last.what { count } else { 1 };
                (last.to, last.what) = (to, StretchKind::Many(before + 1));
            }
            _ => {
                let colour = colours.get(value).copied().unwrap_or_default();
                let what = StretchKind::Said { value: Arc::clone(value), colour, since: run.from };
                drawn.stretches.push(Stretch { from, to, what });
            }
        }
    }
    drawn.totals = totals.into_iter().map(|(value, ms)| (Arc::clone(value), ms)).collect();
    drawn.totals.sort_by(|(a, longer), (b, shorter)| shorter.cmp(longer).then_with(|| a.cmp(b)));
    drawn
}

fn follows(last: &Stretch, from: WallMs, column_ms: f64) -> bool {
    ((from - last.to) as f64) < column_ms
}

impl Stretch {
    /// Whether it is a merged stretch or too short to be visible.
    fn is_short(&self, column_ms: f64) -> bool {
        match self.what {
            StretchKind::Many(_) => true,
            StretchKind::Said { since, .. } => (self.to.since(since) as f64) < column_ms,
        }
    }
}

/// The colour index of each value: that of the enumeration's option, or of the value's first occurrence.
fn colours<'a>(runs: &'a [Run], metric: &Metric) -> HashMap<&'a Arc<str>, usize> {
    let mut colours = HashMap::new();
    let mut next = metric.options.len();
    for value in runs.iter().filter_map(|run| run.value.as_ref()) {
        let option = metric.options.iter().position(|option| **option == **value);
        colours.entry(value).or_insert_with(|| {
            option.unwrap_or_else(|| {
                next += 1;
                next - 1
            })
        });
    }
    colours
}

/// The history of a text value, and the state of its requests.
#[derive(Default)]
pub(super) struct StateHistory {
    asked: Option<StatesRequest>,
    /// The device or our link was offline since the last request, so there may be more.
    again: bool,
    stored: Option<States>,
    /// Changes received here that may not be in the stored history.
    seen: Vec<StateChange>,
    last: Option<LastSeen>,
    drawn: Drawn,
    key: Option<Key>,
}

/// A strip is rebuilt when this changes.
#[derive(PartialEq)]
struct Key {
    viewport: Viewport,
    /// Address of the stored history; a new answer has another address.
    stored: Option<usize>,
    seen: (usize, Option<WallMs>),
    options: usize,
}

struct StatesRequest {
    at: BootMs,
    /// The model's change count at that time.
    changes: u32,
    /// Number of changes received here that the answer will include.
    seen: usize,
    /// The stored history at that time, to recognize the answer.
    before: Option<States>,
    answered: bool,
}

/// State at the last update.
struct LastSeen {
    at: WallMs,
    changes: u32,
    is_there: bool,
}

impl StateHistory {
    /// Whether no history has arrived yet.
    pub(super) fn is_loading(&self) -> bool {
        self.stored.is_none()
    }

    /// The part of the history in view.
    pub(super) fn draw(&mut self, metric: &Metric, viewport: Viewport) -> &Drawn {
        let key = Key {
            viewport,
            stored: self.stored.as_ref().map(|stored| stored.as_ptr().addr()),
            seen: (self.seen.len(), self.seen.last().map(|change| change.at)),
            options: metric.options.len(),
        };
        if self.key.as_ref() != Some(&key) {
            self.drawn = self.divide(metric, viewport);
            self.key = Some(key);
        }
        &self.drawn
    }

    fn divide(&self, metric: &Metric, viewport: Viewport) -> Drawn {
        let stored = self.stored.as_deref().unwrap_or_default();
        // The answer may include changes received after the request.
        let told_to = stored.last().map_or(WallMs::MIN, |change| change.at);
        let seen = self.seen.iter().filter(|change| change.at > told_to);
        draw(stored.iter().chain(seen), self.stored.is_some(), metric, viewport)
    }

    /// Requests again: the link was down since the last request.
    pub(super) fn ask_again(&mut self) {
        self.again = true;
    }

    /// Takes over an answer and the changes since the last update. `now` is by the hub's clock.
    pub(super) fn update(
        &mut self,
        device: &Device,
        latest: &Latest,
        status: Status,
        answer: Option<&States>,
        now: WallMs,
    ) {
        let is_there = matches!(status, Status::Online | Status::Asleep);
        let said = Some(state_of(&latest.value)).filter(|_| is_there && latest.live);
        let at = place(latest.at, latest.received, device.behind_ms.unwrap_or_default());
        match &self.last {
            Some(last) => {
                let missed = latest.changes.wrapping_sub(last.changes);
                if missed > 1 {
                    // What it reported meanwhile has to come from the stored history.
                    self.seen.push(StateChange { at: last.at, value: None });
                }
                if missed > 0 || is_there != last.is_there {
                    self.seen.extend(said.clone().map(|value| StateChange { at, value }));
                }
                if last.is_there && !is_there {
                    let at = if status == Status::Unknown { now } else { device.since.min(now) };
                    self.seen.push(StateChange { at, value: None });
                }
                self.again |= is_there && !last.is_there;
            }
            None => self.seen.extend(said.clone().map(|value| StateChange { at, value })),
        }
        self.last = Some(LastSeen { at: now, changes: latest.changes, is_there });
        self.seen.drain(..self.seen.len().saturating_sub(MAX_SEEN));
        self.take(answer);
        let tells = |change: Option<&StateChange>| change.map(|change| &change.value) == said.as_ref();
        if said.as_ref().is_some_and(Option::is_some)
            && self.seen.is_empty()
            && !tells(self.stored.as_ref().and_then(|stored| stored.last()))
        {
            // The server has not stored it.
            self.seen.extend(said.map(|value| StateChange { at, value }));
        }
    }

    fn take(&mut self, answer: Option<&States>) {
        let Some(asked) = self.asked.as_mut().filter(|asked| !asked.answered) else { return };
        let Some(answer) = answer.filter(|answer| !is_same(asked.before.as_ref(), answer)) else { return };
        asked.answered = true;
        if !answer.is_empty() {
            self.seen.drain(..asked.seen.min(self.seen.len()));
        }
        self.stored = Some(Arc::clone(answer));
    }

    /// Whether to send a request now, or else when to check again, if at all. `before` is the stored history
    /// that the model has.
    pub(super) fn ask(
        &mut self,
        latest: &Latest,
        before: Option<&States>,
        now: BootMs,
    ) -> Result<(), Option<BootMs>> {
        let not_before = match &self.asked {
            Some(asked) if !asked.answered => asked.at + REQUEST_TIMEOUT_MS,
            Some(asked) if self.again || asked.changes != latest.changes => {
                asked.at + MIN_REQUEST_INTERVAL_MS
            }
            Some(_) => return Err(None),
            None => now,
        };
        if now < not_before {
            return Err(Some(not_before));
        }
        let (changes, seen) = (latest.changes, self.seen.len());
        self.asked = Some(StatesRequest { at: now, changes, seen, before: before.cloned(), answered: false });
        self.again = false;
        Ok(())
    }
}

fn is_same(one: Option<&States>, other: &States) -> bool {
    one.is_some_and(|one| Arc::ptr_eq(one, other))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::device::{MetricType, ShortName};

    const START: WallMs = WallMs(1_760_529_600_000);

    fn metric(options: &[&str]) -> Metric {
        let options = options.iter().map(|option| (*option).to_owned()).collect();
        Metric { options, ..Metric::new(ShortName::new("mode").unwrap(), MetricType::Enum) }
    }

    fn changes(of: &[(i64, &str)]) -> Vec<StateChange> {
        let value = |text: &str| (!text.is_empty()).then(|| text.into());
        of.iter().map(|(at, text)| StateChange { at: START + *at, value: value(text) }).collect()
    }

    fn viewport(from: i64, to: i64, now: i64, width: u32) -> Viewport {
        Viewport { from: START + from, to: START + to, now: START + now, width }
    }

    /// Stretches, gaps, and total time of each value.
    type Told = (Vec<String>, Vec<(i64, i64)>, Vec<(String, i64)>);

    /// Stretches as `from-to value`, with `since` if that is earlier.
    fn drawn(of: &[(i64, &str)], viewport: Viewport) -> Told {
        let drawn = draw(changes(of).iter(), true, &metric(&[]), viewport);
        let stretches = drawn.stretches.iter().map(|stretch| {
            let (from, to) = (stretch.from - START, stretch.to - START);
            match &stretch.what {
                StretchKind::Said { value, since, .. } if *since < stretch.from => {
                    format!("{from}-{to} {value} since {}", *since - START)
                }
                StretchKind::Said { value, .. } => format!("{from}-{to} {value}"),
                StretchKind::Many(count) => format!("{from}-{to} {count} changes"),
            }
        });
        let gaps = drawn.gaps.iter().map(|(from, to)| (*from - START, *to - START)).collect();
        let totals = drawn.totals.iter().map(|(value, ms)| (value.to_string(), *ms)).collect();
        (stretches.collect(), gaps, totals)
    }

    #[test]
    fn a_value_holds_until_the_next_and_the_last_one_until_now() {
        let of = [(0, "heat"), (2_000, "idle"), (3_000, "idle"), (6_000, "heat")];
        let (stretches, gaps, totals) = drawn(&of, viewport(1_000, 10_000, 8_000, 90));
        assert_eq!(stretches, ["1000-2000 heat since 0", "2000-6000 idle", "6000-8000 heat"]);
        assert_eq!(gaps, [], "the future is not a gap");
        assert_eq!(totals, [("idle".into(), 4_000), ("heat".into(), 3_000)]);
        let (stretches, ..) = drawn(&of, viewport(4_000, 5_000, 8_000, 90));
        assert_eq!(stretches, ["4000-5000 idle since 2000"], "a change long before the range");
        let (stretches, ..) = drawn(&of, viewport(9_000, 10_000, 8_000, 90));
        assert_eq!(stretches, [""; 0]);
    }

    #[test]
    fn gaps_before_the_first_change_and_while_offline() {
        let of = [(2_000, "a"), (4_000, ""), (6_000, "a"), (8_000, "")];
        let (stretches, gaps, totals) = drawn(&of, viewport(0, 10_000, 9_000, 100));
        assert_eq!(stretches, ["2000-4000 a", "6000-8000 a"]);
        assert_eq!(gaps, [(0, 2_000), (4_000, 6_000), (8_000, 9_000)]);
        assert_eq!(totals, [("a".into(), 4_000)]);
        let (stretches, gaps, _) = drawn(&[], viewport(0, 10_000, 9_000, 100));
        assert_eq!((stretches.len(), gaps), (0, vec![(0, 9_000)]));
        let unasked = draw([].iter(), false, &metric(&[]), viewport(0, 10_000, 9_000, 100));
        assert_eq!(unasked, Drawn::default(), "not loaded yet is not a gap");
    }

    #[test]
    fn invisibly_short_changes_are_merged() {
        let mut of = vec![(0, "a")];
        of.extend((0..50).map(|n| (4_000 + n * 20, ["b", "c"][n as usize % 2])));
        of.extend([(5_000, "a"), (8_000, "b"), (8_020, "a")]);
        let (stretches, gaps, totals) = drawn(&of, viewport(0, 10_000, 10_000, 100));
        let short = "8000-8020 b";
        assert_eq!(stretches, ["0-4000 a", "4000-5000 50 changes", "5000-8000 a", short, "8020-10000 a"]);
        assert_eq!(gaps, []);
        let totals: Vec<_> = totals.iter().map(|(value, ms)| (value.as_str(), *ms)).collect();
        assert_eq!(totals, [("a", 8_980), ("b", 520), ("c", 500)], "totals are still exact");
        let (close, ..) = drawn(&of, viewport(4_000, 4_100, 10_000, 100));
        assert_eq!(close.len(), 5, "visible when zoomed in: {close:?}");
    }

    #[test]
    fn a_gap_narrower_than_a_pixel_is_ignored() {
        let of = [(0, "a"), (4_000, ""), (4_020, "a")];
        let (stretches, gaps, _) = drawn(&of, viewport(0, 10_000, 10_000, 100));
        assert_eq!((stretches.len(), gaps), (2, vec![]));
        let (_, gaps, _) = drawn(&of, viewport(3_900, 4_100, 10_000, 100));
        assert_eq!(gaps, [(4_000, 4_020)]);
    }

    #[test]
    fn of_two_changes_at_one_time_the_later_received_wins() {
        let of = [(0, "a"), (1_000, "b"), (1_000, "a"), (3_000, "c"), (2_500, "d")];
        let (stretches, ..) = drawn(&of, viewport(0, 5_000, 5_000, 50));
        assert_eq!(stretches, ["0-3000 a", "3000-5000 d"]);
    }

    #[test]
    fn each_value_has_its_own_colour_and_options_have_fixed_ones() {
        let of = changes(&[(0, "b"), (1_000, "x"), (2_000, "a"), (3_000, "y"), (4_000, "b")]);
        let drawn = draw(of.iter(), true, &metric(&["a", "b"]), viewport(0, 5_000, 5_000, 50));
        let colours = drawn.stretches.iter().map(|stretch| match &stretch.what {
            StretchKind::Said { colour, .. } => *colour,
            StretchKind::Many(_) => usize::MAX,
        });
        assert_eq!(colours.collect::<Vec<_>>(), [1, 2, 0, 3, 1]);
    }

    #[test]
    fn absurd_times_break_nothing() {
        let mut changes = changes(&[(0, "b")]);
        changes.insert(0, StateChange { at: WallMs::MIN, value: Some("a".into()) });
        changes.push(StateChange { at: WallMs::MAX, value: Some("c".into()) });
        let drawn = draw(changes.iter(), true, &metric(&[]), viewport(-1_000, 1_000, 500, 20));
        assert_eq!(drawn.stretches.len(), 2, "{drawn:?}");
    }
}
