//! Which devices stand in the list, and in which order. Made from keys that are copied out of the model in short
//! reads, and only when something changed that they depend on; a filter that is typed on looks at what it left alone.

use std::ops::Range;
use std::sync::Arc;

use super::entry::{self, Asked, Entry, Fresh};
use super::sweep::Sweep;
use super::tally::Tally;
use super::view::{Grid, Grouping, Key, Shape, Sort, Trouble, View};
use crate::model::Connection;
use crate::model::device_choices::ServerChoices;
use crate::model::id::ConnectionId;
use crate::model::search::fold::folded_name;
use crate::model::time::BootMs;
use crate::ui::Cx;
use crate::ui::text::devices::Counts;

/// So many devices are compared in one read of the model.
pub(super) const CHUNK: usize = 512;
/// Of so many devices, one costs a millisecond of waiting before the list is made anew.
pub(super) const DEVICES_A_MS: u64 = 100;

/// One line of the list.
#[derive(Copy, Clone, Debug, PartialEq)]
pub(super) struct Line {
    /// How far below the list's beginning it begins, in points.
    pub(super) top: f32,
    /// Of several that stand beside each other, which; 0 is leftmost.
    pub(super) column: usize,
    /// So many devices stand before it.
    pub(super) nth: usize,
    /// What it is.
    pub(super) what: What,
}

/// What a line is. Numbers are places in [`Order::sections`] and in their entries.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// A connection's heading.
    Connection(usize),
    /// The names of a table's columns.
    Header(usize),
    /// The heading of the group that this device begins.
    Group(usize, usize),
    /// A device.
    Device(usize, usize),
}

impl What {
    fn height(self, grid: &Grid) -> f32 {
        match self {
            What::Connection(_) => grid.rhythm.section,
            What::Header(_) | What::Group(..) => grid.rhythm.heading,
            What::Device(..) => grid.device(),
        }
    }
}

/// The devices of one connection.
pub(super) struct Section {
    /// Whose.
    pub(super) connection: ConnectionId,
    /// In the order of the model.
    pub(super) entries: Vec<Entry>,
    /// Places in `entries`, sorted.
    sorted: Vec<usize>,
    /// Devices by status.
    pub(super) counts: Counts,
    /// Which metrics they have.
    pub(super) tally: Tally,
    /// How many say of what kind they are.
    pub(super) kinds: usize,
    /// How many have values that are words.
    pub(super) wordy: usize,
    /// How many are hidden.
    hidden: usize,
    /// What the person had chosen when it was made.
    choices: ServerChoices,
    seen: Seen,
}

/// What a section was made of: while it is the same, so is the section.
#[derive(Clone, Debug, Default, PartialEq)]
struct Seen {
    version: u64,
    count: usize,
    online: bool,
    complete: bool,
}

impl Seen {
    fn of(connection: &Connection) -> Seen {
        Seen {
            version: connection.devices.version(),
            count: connection.devices.len(),
            online: connection.link.is_online(),
            complete: connection.devices.is_complete(),
        }
    }
}

/// The whole list's order.
#[derive(Default)]
pub(super) struct Order {
    /// One a connection.
    pub(super) sections: Vec<Section>,
    lines: Vec<Line>,
    height: f32,
    /// Where devices stand.
    grid: Option<Grid>,
    view: View,
    /// What the filter asks for.
    asked: Asked,
    sweep: Sweep,
    /// Something that moves a device is put off while the person points at the list.
    held: bool,
    made_at: BootMs,
    counts: Counts,
    matching: usize,
}

impl Order {
    /// The lines, from top to bottom.
    pub(super) fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// Whether something would move if it might.
    pub(super) fn is_held(&self) -> bool {
        self.held
    }

    /// The height of all lines, in points.
    pub(super) fn height(&self) -> f32 {
        self.height
    }

    /// Devices by status.
    pub(super) fn counts(&self) -> Counts {
        self.counts
    }

    /// How many devices the filter leaves, and how many there are.
    pub(super) fn matching(&self) -> (usize, usize) {
        (self.matching, self.counts.all())
    }

    /// How many devices the person has hidden.
    pub(super) fn hidden(&self) -> usize {
        self.sections.iter().map(|section| section.hidden).sum()
    }

    /// The section to which what stands at this height belongs.
    pub(super) fn section_at(&self, y: f32) -> Option<usize> {
        let below = self.lines.partition_point(|line| line.top <= y);
        match self.lines.get(below.saturating_sub(1))?.what {
            What::Connection(section)
            | What::Header(section)
            | What::Group(section, _)
            | What::Device(section, _) => Some(section),
        }
    }

    /// The lines that a part of the list shows.
    pub(super) fn visible(&self, from: f32, to: f32) -> Range<usize> {
        let last = self.lines.partition_point(|line| line.top <= from).saturating_sub(1);
        // Of several beside each other, the first.
        let top = self.lines.get(last).map_or(0.0, |line| line.top);
        let begin = self.lines.partition_point(|line| line.top < top);
        let end = self.lines.partition_point(|line| line.top < to);
        begin..end.max(begin)
    }

    /// The device of a line.
    pub(super) fn key(&self, line: usize) -> Option<Key> {
        match self.lines.get(line)?.what {
            What::Device(section, entry) => {
                let section = &self.sections[section];
                Some(Key { connection: section.connection, device: section.entries[entry].id.clone() })
            }
            _ => None,
        }
    }

    /// The line of a device.
    pub(super) fn line(&self, key: &Key) -> Option<usize> {
        self.lines.iter().position(|line| match line.what {
            What::Device(section, entry) => {
                let section = &self.sections[section];
                section.connection == key.connection && section.entries[entry].id == key.device
            }
            _ => false,
        })
    }

    /// Makes the order what it should be now. `hold`: nothing that is there is moved. Returns whether a line changed.
    pub(super) fn sync(&mut self, cx: &mut Cx, view: &View, hold: bool, grid: Grid) -> bool {
        let news = self.look(cx);
        let same_view = self.view == *view;
        let mut extended = false;
        if self.view.filter != view.filter {
            // Every word of the longer filter begins with a word of the shorter: what did not match, does not.
            let filter = folded_name(&view.filter);
            extended = filter.starts_with(&folded_name(&self.view.filter));
            self.asked = Asked::of(&filter, cx.words.devices);
        }
        let swept = self.sweep.go_on(cx, view, &self.asked, hold, &mut self.sections);
        if !news && same_view && !swept && (hold || !self.held) {
            let spread = self.grid != Some(grid);
            if spread {
                self.lay_out(grid);
            }
            return spread;
        }
        let was_held = std::mem::take(&mut self.held);
        let mut moved = !same_view
            && (&self.view.sort, self.view.reversed, self.view.grouping)
                != (&view.sort, view.reversed, view.grouping);
        moved |= swept && matches!(view.sort, Sort::Metric(_));
        let mut changed = false;
        if news || (was_held && !hold) {
            (changed, moved) = self.collect(cx, view, hold, moved);
        }
        let same_hiding = self.view.hidden_too == view.hidden_too;
        if changed || swept || !same_hiding || self.view.filter != view.filter {
            self.filter(extended && !changed && !swept && same_hiding, view.hidden_too);
        }
        self.count(view.hidden_too);
        self.view.clone_from(view);
        if moved {
            self.arrange();
        }
        self.lay_out(grid);
        true
    }

    /// Whether something changed, and it is time to see to it. Sections are made and removed here.
    fn look(&mut self, cx: &mut Cx) -> bool {
        let sections = &self.sections;
        let (same, link_changed) = cx.model.read(|model| {
            let mut same = model.connections.len() == sections.len();
            let mut link_changed = !same;
            for (section, (id, connection)) in sections.iter().zip(&model.connections) {
                let seen = Seen::of(connection);
                same &= section.connection == *id && section.seen == seen;
                link_changed |= section.connection != *id
                    || (section.seen.online, section.seen.complete) != (seen.online, seen.complete);
            }
            (same, link_changed)
        });
        if same {
            return false;
        }
        let devices: usize = self.sections.iter().map(|section| section.entries.len()).sum();
        let next = self.made_at.saturating_add(devices as u64 / DEVICES_A_MS);
        if !link_changed && cx.now.boot_ms < next {
            cx.deadline.at(next);
            return false;
        }
        self.made_at = cx.now.boot_ms;
        true
    }

    /// Takes over what changed. Returns whether anything did, and whether the order depends on it.
    fn collect(&mut self, cx: &Cx, view: &View, hold: bool, moved: bool) -> (bool, bool) {
        let seen: Vec<(ConnectionId, Seen)> = cx.model.read(|model| {
            model.connections.iter().map(|(id, connection)| (*id, Seen::of(connection))).collect()
        });
        let (mut changed, mut moved) = (false, moved);
        let mut known = std::mem::take(&mut self.sections);
        for (connection, seen) in seen {
            let at = known.iter().position(|section| section.connection == connection);
            let mut section = match at {
                Some(at) => known.swap_remove(at),
                None => Section {
                    connection,
                    entries: Vec::new(),
                    sorted: Vec::new(),
                    counts: Counts::default(),
                    tally: Tally::default(),
                    kinds: 0,
                    wordy: 0,
                    hidden: 0,
                    choices: ServerChoices::default(),
                    seen: Seen::default(),
                },
            };
            let news = section.collect(cx, view, hold);
            section.seen = seen;
            changed |= news.changed;
            moved |= news.moved;
            self.held |= news.held;
            if news.replaced {
                self.sweep.restart();
            }
            self.sections.push(section);
        }
        (changed, moved)
    }

    /// Finds what matches. `extended`: what did not match before, does not.
    fn filter(&mut self, extended: bool, hidden_too: bool) {
        for entry in self.sections.iter_mut().flat_map(|section| &mut section.entries) {
            entry.matches = !entry.local
                && (hidden_too || !entry.is_hidden())
                && (entry.matches || !extended)
                && entry.has(&self.asked);
        }
    }

    fn count(&mut self, hidden_too: bool) {
        (self.counts, self.matching) = (Counts::default(), 0);
        for section in &mut self.sections {
            (section.counts, section.hidden) = (Counts::default(), 0);
            for entry in section.entries.iter().filter(|entry| !entry.local) {
                if entry.is_hidden() {
                    section.hidden += 1;
                    if !hidden_too {
                        continue;
                    }
                }
                self.matching += usize::from(entry.matches);
                for counts in [&mut self.counts, &mut section.counts] {
                    *match entry.trouble {
                        Trouble::None => &mut counts.online,
                        Trouble::Faulty => &mut counts.faulty,
                        Trouble::Silent => &mut counts.silent,
                        Trouble::Offline => &mut counts.offline,
                        Trouble::Unknown => &mut counts.unknown,
                    } += 1;
                }
            }
        }
    }

    fn arrange(&mut self) {
        let view = &self.view;
        for Section { entries, sorted, .. } in &mut self.sections {
            sorted.clear();
            sorted.extend(0..entries.len());
            sorted.sort_unstable_by(|a, b| entries[*a].order(&entries[*b], view));
        }
    }

    fn lay_out(&mut self, grid: Grid) {
        self.grid = Some(grid);
        self.lines.clear();
        self.height = 0.0;
        let grouping = self.view.grouping;
        let (lines, height) = (&mut self.lines, &mut self.height);
        let (mut column, mut nth) = (0, 0);
        let mut add = |what: What| {
            let is_device = matches!(what, What::Device(..));
            if !is_device || column >= grid.columns {
                column = 0;
            }
            let own = what.height(&grid);
            // What stands beside another is no lower.
            let top = if column == 0 { *height } else { *height - own };
            lines.push(Line { top, column, nth, what });
            *height = top + own;
            if is_device {
                (column, nth) = (column + 1, nth + 1);
            } else {
                // What comes next begins below it.
                column = 0;
            }
        };
        for (at, section) in self.sections.iter().enumerate() {
            let matching = || section.sorted.iter().filter(|place| section.entries[**place].matches);
            let has_lines = matching().next().is_some();
            if self.asked.is_empty() || has_lines {
                add(What::Connection(at));
            }
            if grid.shape == Shape::Table && at > 0 && has_lines {
                add(What::Header(at));
            }
            let mut last: Option<&Entry> = None;
            // Pinned devices come first: where the first is not, none is.
            let first = matching().next().map(|place| &section.entries[*place]);
            let is_grouped = match grouping {
                Grouping::None => first.is_some_and(Entry::is_pinned),
                Grouping::Own => {
                    section.choices.values().any(|choice| !choice.group.is_empty())
                        || first.is_some_and(Entry::is_pinned)
                }
                Grouping::Kind | Grouping::Status => true,
            };
            for place in matching() {
                let entry = &section.entries[*place];
                let begins = is_grouped && last.is_none_or(|last| !last.is_beside(entry, grouping));
                if begins {
                    add(What::Group(at, *place));
                }
                add(What::Device(at, *place));
                last = Some(entry);
            }
        }
    }
}

/// What came of looking at a section.
#[derive(Default)]
struct News {
    changed: bool,
    moved: bool,
    held: bool,
    /// Whether an entry is new.
    replaced: bool,
}

impl Section {
    fn collect(&mut self, cx: &Cx, view: &View, hold: bool) -> News {
        let mut news = News::default();
        let mut fresh: Vec<Fresh> = Vec::new();
        let mut from = 0;
        let mut latest = None;
        loop {
            let entries = &mut self.entries;
            let (id, chunk) = (self.connection, from..from + CHUNK);
            let known = &self.choices;
            let read = cx.model.read(|model| {
                let connection = model.connections.get(&id)?;
                let choices = &connection.device_choices;
                let is_same = Arc::ptr_eq(choices, known) || (choices.is_empty() && known.is_empty());
                for (place, device) in connection.devices.iter().enumerate().skip(chunk.start).take(CHUNK) {
                    let status = connection.status(device);
                    let choice = || choices.get(&device.spec.id).filter(|_| !device.is_local());
                    let is_right =
                        |entry: &Entry| entry.is_of(device) && (is_same || entry.choice.as_ref() == choice());
                    match entries.get_mut(place) {
                        Some(entry) if is_right(entry) => entry.now(device, status),
                        _ => fresh.push(Fresh::of(place, device, status, choice())),
                    }
                }
                Some((connection.devices.len(), choices.clone()))
            });
            let (count, choices) = read.map_or((None, None), |(count, choices)| (Some(count), Some(choices)));
            latest = choices.or(latest);
            from = chunk.end;
            let count = count.unwrap_or(0);
            if from >= count {
                news.replaced = !fresh.is_empty();
                news.moved = self.entries.len() != count || news.replaced;
                let hold = hold && !self.entries.is_empty();
                self.put(fresh, count, hold);
                break;
            }
        }
        self.choices = latest.unwrap_or_default();
        for entry in &mut self.entries {
            news.changed |= std::mem::take(&mut entry.changed);
            if entry.is_held() {
                if hold {
                    news.held = true;
                } else {
                    news.changed = true;
                    news.moved |= entry.settle(view);
                }
            }
        }
        news.changed |= news.moved;
        news
    }

    /// Puts new entries into their places. What a new entry takes the place of has moved or is gone; of the same
    /// device the keys it was sorted by are kept.
    fn put(&mut self, fresh: Vec<Fresh>, count: usize, hold: bool) {
        let mut before = std::collections::HashMap::new();
        for fresh in &fresh {
            if let Some(entry) = self.entries.get(fresh.place) {
                before.insert(entry.id.clone(), entry.sorted_by());
            }
        }
        let gone = self.entries.split_off(count.min(self.entries.len()));
        for entry in &gone {
            before.insert(entry.id.clone(), entry.sorted_by());
            self.uncount(entry);
        }
        for fresh in fresh {
            let place = fresh.place;
            // What is new stands below what is there, until it may move.
            let by = before.get(&fresh.id).copied().or(hold.then_some(entry::LAST));
            let is_device = !fresh.is_local();
            if is_device {
                self.tally.add(fresh.metrics.iter().map(|metric| &**metric));
            }
            let entry = Entry::new(fresh, by);
            self.kinds += usize::from(is_device && !entry.kind.is_empty());
            self.wordy += usize::from(is_device && entry.has_words);
            match self.entries.get_mut(place) {
                Some(old) => {
                    let old = std::mem::replace(old, entry);
                    self.uncount(&old);
                }
                None => self.entries.push(entry),
            }
        }
    }

    /// An entry is gone.
    fn uncount(&mut self, entry: &Entry) {
        if !entry.local {
            self.tally.remove(entry.metrics.iter());
            self.kinds = self.kinds.saturating_sub(usize::from(!entry.kind.is_empty()));
            self.wordy = self.wordy.saturating_sub(usize::from(entry.has_words));
        }
    }
}
