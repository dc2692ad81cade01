//! What a strip shows of a text's past: the stored changes and those seen here since as one line, divided into stretches
//! of one value, with those of which nothing is known. And when its stored past is asked for.

use std::collections::HashMap;
use std::sync::Arc;

use super::past::{PATIENCE_MS, Sight, UNANSWERED_MS};
use crate::model::StateChange;
use crate::model::device::{Metric, Status, place};
use crate::model::devices::{Device, Latest};
use crate::model::states::{States, state_of};
use crate::model::time::{BootMs, WallMs};

/// Most changes that are remembered here, should the stored past never be told.
const SEEN: usize = 1_000;

/// Part of a strip.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Stretch {
    /// Where it begins in sight.
    pub from: WallMs,
    /// Where it ends in sight.
    pub to: WallMs,
    pub what: What,
}

/// What a stretch shows.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum What {
    /// One value.
    Said {
        value: Arc<str>,
        /// Which of a strip's colours: another one for each value.
        colour: usize,
        /// When it came to be so, maybe before what is in sight.
        since: WallMs,
    },
    /// So many changes, each too short to be seen.
    Many(usize),
}

/// A text's past in sight.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Drawn {
    /// In order of time.
    pub stretches: Vec<Stretch>,
    /// Stretches of which nothing is known, in order of time.
    pub holes: Vec<(WallMs, WallMs)>,
    /// How long it said what, in milliseconds, the longest first.
    pub told: Vec<(Arc<str>, i64)>,
}

impl Drawn {
    /// What is drawn at this moment.
    pub(super) fn at(&self, at: f64) -> Option<&Stretch> {
        self.stretches.iter().find(|stretch| (stretch.from as f64..=stretch.to as f64).contains(&at))
    }
}

/// From a change to the next other one.
#[derive(Clone, Debug)]
struct Run {
    from: WallMs,
    to: WallMs,
    value: Option<Arc<str>>,
}

/// Puts changes together, which are in order of time up to `now`, or nearly so.
fn runs<'a>(changes: impl Iterator<Item = &'a StateChange>, now: WallMs) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for change in changes {
        let from = change.at.max(runs.last().map_or(WallMs::MIN, |last| last.from));
        if let Some(last) = runs.last_mut() {
            last.to = from;
        }
        // Of two at one time the later told one counts.
        runs.pop_if(|last| last.from == from);
        if let Some(last) = runs.last_mut().filter(|last| last.value == change.value) {
            last.to = now.max(from);
        } else {
            runs.push(Run { from, to: now.max(from), value: change.value.clone() });
        }
    }
    runs
}

/// Divides what is in sight. `whole`: there is nothing to be known before the first change.
pub(super) fn draw<'a>(
    changes: impl Iterator<Item = &'a StateChange>,
    whole: bool,
    metric: &Metric,
    sight: Sight,
) -> Drawn {
    let end = sight.to.min(sight.now);
    let column_ms = sight.column_ms();
    let runs = runs(changes, sight.now);
    let colours = colours(&runs, metric);
    let mut drawn = Drawn::default();
    let mut told: HashMap<&Arc<str>, i64> = HashMap::new();
    let is_seen = |from: WallMs, to: WallMs| to.saturating_sub(from) as f64 >= column_ms;
    let begins = runs.first().map_or(end, |run| run.from).min(end);
    if whole && begins > sight.from && is_seen(sight.from, begins) {
        drawn.holes.push((sight.from, begins));
    }
    for run in &runs {
        let (from, to) = (run.from.max(sight.from), run.to.min(end));
        if from >= to {
            continue;
        }
        let Some(value) = &run.value else {
            // One narrower than a pixel is not seen.
            if is_seen(run.from, run.to) {
                drawn.holes.push((from, to));
            }
            continue;
        };
        *told.entry(value).or_default() += to - from;
        let is_short = !is_seen(run.from, run.to);
        match drawn.stretches.last_mut().filter(|_| is_short) {
            // What is too short to be seen by itself, beside another such one.
            Some(last) if follows(last, from, column_ms) && last.is_short(column_ms) => {
                let before = if let What::Many(count) = last.what { count } else { 1 };
                (last.to, last.what) = (to, What::Many(before + 1));
            }
            _ => {
                let colour = colours.get(value).copied().unwrap_or_default();
                let what = What::Said { value: Arc::clone(value), colour, since: run.from };
                drawn.stretches.push(Stretch { from, to, what });
            }
        }
    }
    drawn.told = told.into_iter().map(|(value, ms)| (Arc::clone(value), ms)).collect();
    drawn.told.sort_by(|(a, longer), (b, shorter)| shorter.cmp(longer).then_with(|| a.cmp(b)));
    drawn
}

fn follows(last: &Stretch, from: WallMs, column_ms: f64) -> bool {
    ((from - last.to) as f64) < column_ms
}

impl Stretch {
    /// Whether it is many changes, or one too short to be seen.
    fn is_short(&self, column_ms: f64) -> bool {
        match self.what {
            What::Many(_) => true,
            What::Said { since, .. } => (self.to.saturating_sub(since) as f64) < column_ms,
        }
    }
}

/// Each value's colour: an option's place among the options, or the place of a value's first word in the past.
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

/// What is held of a text's past, and whether it is asked for.
#[derive(Default)]
pub(super) struct Known {
    asked: Option<Asked>,
    /// The device, or our link, was away since it was asked for: there may be more now.
    again: bool,
    stored: Option<States>,
    /// What was seen here and may not be among what is stored.
    seen: Vec<StateChange>,
    last: Option<Look>,
    drawn: Drawn,
    key: Option<Key>,
}

/// A strip is drawn anew when this changes.
#[derive(PartialEq)]
struct Key {
    sight: Sight,
    /// Where what is stored lies: another answer lies elsewhere.
    stored: Option<usize>,
    seen: (usize, Option<WallMs>),
    options: usize,
}

struct Asked {
    at: BootMs,
    /// As the model counted them then.
    changes: u32,
    /// So many of those seen here will be among the answer.
    seen: usize,
    /// What the model held then: the answer is another one.
    before: Option<States>,
    answered: bool,
}

/// What was seen at the last look.
struct Look {
    at: WallMs,
    changes: u32,
    is_there: bool,
}

impl Known {
    /// Whether nothing was told yet.
    pub(super) fn is_loading(&self) -> bool {
        self.stored.is_none()
    }

    /// What is in sight, divided.
    pub(super) fn draw(&mut self, metric: &Metric, sight: Sight) -> &Drawn {
        let key = Key {
            sight,
            stored: self.stored.as_ref().map(|stored| stored.as_ptr().addr()),
            seen: (self.seen.len(), self.seen.last().map(|change| change.at)),
            options: metric.options.len(),
        };
        if self.key.as_ref() != Some(&key) {
            self.drawn = self.divide(metric, sight);
            self.key = Some(key);
        }
        &self.drawn
    }

    fn divide(&self, metric: &Metric, sight: Sight) -> Drawn {
        let stored = self.stored.as_deref().unwrap_or_default();
        // The answer may tell of what was seen after the question, too.
        let told_to = stored.last().map_or(WallMs::MIN, |change| change.at);
        let seen = self.seen.iter().filter(|change| change.at > told_to);
        draw(stored.iter().chain(seen), self.stored.is_some(), metric, sight)
    }

    /// The link was down since it was asked for.
    pub(super) fn ask_again(&mut self) {
        self.again = true;
    }

    /// Looks at the model: takes an answer in, and what changed since the last look. `now`: by the hub's clock.
    pub(super) fn look(
        &mut self,
        device: &Device,
        latest: &Latest,
        status: Status,
        answer: Option<&States>,
        now: WallMs,
    ) {
        let is_there = status == Status::Online;
        let said = Some(state_of(&latest.value)).filter(|_| is_there && latest.live);
        let at = place(latest.at, latest.received, device.behind_ms.unwrap_or_default());
        match &self.last {
            Some(last) => {
                let missed = latest.changes.wrapping_sub(last.changes);
                if missed > 1 {
                    // What it said in between is for the stored past to tell.
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
        self.last = Some(Look { at: now, changes: latest.changes, is_there });
        self.seen.drain(..self.seen.len().saturating_sub(SEEN));
        self.take(answer);
        let tells = |change: Option<&StateChange>| change.map(|change| &change.value) == said.as_ref();
        if said.as_ref().is_some_and(Option::is_some)
            && self.seen.is_empty()
            && !tells(self.stored.as_ref().and_then(|stored| stored.last()))
        {
            // The disk has not kept it.
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

    /// Whether to ask now; otherwise when to look again, if ever. `before`: what the model holds.
    pub(super) fn ask(
        &mut self,
        latest: &Latest,
        before: Option<&States>,
        now: BootMs,
    ) -> Result<(), Option<BootMs>> {
        let not_before = match &self.asked {
            Some(asked) if !asked.answered => asked.at + UNANSWERED_MS,
            Some(asked) if self.again || asked.changes != latest.changes => asked.at + PATIENCE_MS,
            Some(_) => return Err(None),
            None => now,
        };
        if now < not_before {
            return Err(Some(not_before));
        }
        let (changes, seen) = (latest.changes, self.seen.len());
        self.asked = Some(Asked { at: now, changes, seen, before: before.cloned(), answered: false });
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

    const START: WallMs = 1_760_529_600_000;

    fn metric(options: &[&str]) -> Metric {
        let options = options.iter().map(|option| (*option).to_owned()).collect();
        Metric { options, ..Metric::new(ShortName::new("mode").unwrap(), MetricType::Enum) }
    }

    fn changes(of: &[(i64, &str)]) -> Vec<StateChange> {
        let value = |text: &str| (!text.is_empty()).then(|| text.into());
        of.iter().map(|(at, text)| StateChange { at: START + at, value: value(text) }).collect()
    }

    fn sight(from: i64, to: i64, now: i64, width: u32) -> Sight {
        Sight { from: START + from, to: START + to, now: START + now, width }
    }

    /// Stretches, holes, and how long what was said.
    type Told = (Vec<String>, Vec<(i64, i64)>, Vec<(String, i64)>);

    /// Stretches as `from-to value`, with `since` where it is earlier.
    fn drawn(of: &[(i64, &str)], sight: Sight) -> Told {
        let drawn = draw(changes(of).iter(), true, &metric(&[]), sight);
        let stretches = drawn.stretches.iter().map(|stretch| {
            let (from, to) = (stretch.from - START, stretch.to - START);
            match &stretch.what {
                What::Said { value, since, .. } if *since < stretch.from => {
                    format!("{from}-{to} {value} since {}", since - START)
                }
                What::Said { value, .. } => format!("{from}-{to} {value}"),
                What::Many(count) => format!("{from}-{to} {count} changes"),
            }
        });
        let holes = drawn.holes.iter().map(|(from, to)| (from - START, to - START)).collect();
        let told = drawn.told.iter().map(|(value, ms)| (value.to_string(), *ms)).collect();
        (stretches.collect(), holes, told)
    }

    #[test]
    fn a_value_holds_until_the_next_and_the_last_one_until_now() {
        let of = [(0, "heat"), (2_000, "idle"), (3_000, "idle"), (6_000, "heat")];
        let (stretches, holes, told) = drawn(&of, sight(1_000, 10_000, 8_000, 90));
        assert_eq!(stretches, ["1000-2000 heat since 0", "2000-6000 idle", "6000-8000 heat"]);
        assert_eq!(holes, [], "the future is none");
        assert_eq!(told, [("idle".into(), 4_000), ("heat".into(), 3_000)]);
        let (stretches, ..) = drawn(&of, sight(4_000, 5_000, 8_000, 90));
        assert_eq!(stretches, ["4000-5000 idle since 2000"], "a change long before what is in sight");
        let (stretches, ..) = drawn(&of, sight(9_000, 10_000, 8_000, 90));
        assert_eq!(stretches, [""; 0]);
    }

    #[test]
    fn nothing_is_known_before_the_first_change_and_while_nobody_listened() {
        let of = [(2_000, "a"), (4_000, ""), (6_000, "a"), (8_000, "")];
        let (stretches, holes, told) = drawn(&of, sight(0, 10_000, 9_000, 100));
        assert_eq!(stretches, ["2000-4000 a", "6000-8000 a"]);
        assert_eq!(holes, [(0, 2_000), (4_000, 6_000), (8_000, 9_000)]);
        assert_eq!(told, [("a".into(), 4_000)]);
        let (stretches, holes, _) = drawn(&[], sight(0, 10_000, 9_000, 100));
        assert_eq!((stretches.len(), holes), (0, vec![(0, 9_000)]));
        let unasked = draw([].iter(), false, &metric(&[]), sight(0, 10_000, 9_000, 100));
        assert_eq!(unasked, Drawn::default(), "what is not known yet is no hole");
    }

    #[test]
    fn changes_too_short_to_be_seen_are_many() {
        let mut of = vec![(0, "a")];
        of.extend((0..50).map(|n| (4_000 + n * 20, ["b", "c"][n as usize % 2])));
        of.extend([(5_000, "a"), (8_000, "b"), (8_020, "a")]);
        let (stretches, holes, told) = drawn(&of, sight(0, 10_000, 10_000, 100));
        let short = "8000-8020 b";
        assert_eq!(stretches, ["0-4000 a", "4000-5000 50 changes", "5000-8000 a", short, "8020-10000 a"]);
        assert_eq!(holes, []);
        let told: Vec<_> = told.iter().map(|(value, ms)| (value.as_str(), *ms)).collect();
        assert_eq!(told, [("a", 8_980), ("b", 520), ("c", 500)], "to the millisecond all the same");
        let (close, ..) = drawn(&of, sight(4_000, 4_100, 10_000, 100));
        assert_eq!(close.len(), 5, "from close by they are seen: {close:?}");
    }

    #[test]
    fn a_break_narrower_than_a_pixel_is_none() {
        let of = [(0, "a"), (4_000, ""), (4_020, "a")];
        let (stretches, holes, _) = drawn(&of, sight(0, 10_000, 10_000, 100));
        assert_eq!((stretches.len(), holes), (2, vec![]));
        let (_, holes, _) = drawn(&of, sight(3_900, 4_100, 10_000, 100));
        assert_eq!(holes, [(4_000, 4_020)]);
    }

    #[test]
    fn of_two_changes_at_one_time_the_later_told_counts_and_none_lies_before_an_earlier_one() {
        let of = [(0, "a"), (1_000, "b"), (1_000, "a"), (3_000, "c"), (2_500, "d")];
        let (stretches, ..) = drawn(&of, sight(0, 5_000, 5_000, 50));
        assert_eq!(stretches, ["0-3000 a", "3000-5000 d"]);
    }

    #[test]
    fn each_value_has_a_colour_of_its_own_and_an_option_always_the_same() {
        let of = changes(&[(0, "b"), (1_000, "x"), (2_000, "a"), (3_000, "y"), (4_000, "b")]);
        let drawn = draw(of.iter(), true, &metric(&["a", "b"]), sight(0, 5_000, 5_000, 50));
        let colours = drawn.stretches.iter().map(|stretch| match &stretch.what {
            What::Said { colour, .. } => *colour,
            What::Many(_) => usize::MAX,
        });
        assert_eq!(colours.collect::<Vec<_>>(), [1, 2, 0, 3, 1]);
    }

    #[test]
    fn absurd_times_break_nothing() {
        let mut changes = changes(&[(0, "b")]);
        changes.insert(0, StateChange { at: WallMs::MIN, value: Some("a".into()) });
        changes.push(StateChange { at: WallMs::MAX, value: Some("c".into()) });
        let drawn = draw(changes.iter(), true, &metric(&[]), sight(-1_000, 1_000, 500, 20));
        assert_eq!(drawn.stretches.len(), 2, "{drawn:?}");
    }
}
