//! The order and grouping of the list. Built from keys copied out of the model in short reads, and only when
//! something they depend on has changed. Typing more into the filter searches only the devices that still
//! match.

use std::ops::Range;
use std::sync::Arc;

use super::entry::{self, Entry, FilterTerms, NewEntry};
use super::sweep::Sweep;
use super::tally::Tally;
use super::view::{DeviceKey, Grid, Grouping, Shape, Sort, Trouble, View};
use crate::model::Connection;
use crate::model::device_choices::ServerChoices;
use crate::model::id::ConnectionId;
use crate::model::search::fold::folded_name;
use crate::model::time::BootMs;
use crate::ui::Cx;
use crate::ui::text::devices::Counts;

/// Number of devices copied per read of the model.
pub(super) const CHUNK: usize = 512;
/// Delay before the list is rebuilt: one millisecond for each this many devices.
pub(super) const DEVICES_A_MS: u64 = 100;

/// A line of the list.
#[derive(Copy, Clone, Debug, PartialEq)]
pub(super) struct Line {
    /// Distance from the top of the list, in points.
    pub(super) top: f32,
    /// Column of the grid, 0 being leftmost.
    pub(super) column: usize,
    /// Number of devices before it.
    pub(super) nth: usize,
    /// What the line shows.
    pub(super) what: LineKind,
}

/// The content of a line. Numbers are indices into [`Order::sections`] and into a section's entries.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum LineKind {
    /// Heading of a connection.
    Connection(usize),
    /// Column headers of a table.
    Header(usize),
    /// Heading of the group that begins with this device.
    Group(usize, usize),
    /// A device.
    Device(usize, usize),
}

impl LineKind {
    fn height(self, grid: &Grid) -> f32 {
        match self {
            LineKind::Connection(_) => grid.rhythm.section,
            LineKind::Header(_) | LineKind::Group(..) => grid.rhythm.heading,
            LineKind::Device(..) => grid.device(),
        }
    }
}

/// The devices of one connection.
pub(super) struct Section {
    /// The connection.
    pub(super) connection: ConnectionId,
    /// One for each device, in the model's order.
    pub(super) entries: Vec<Entry>,
    /// Indices into `entries` in display order.
    sorted: Vec<usize>,
    /// Number of devices by status.
    pub(super) counts: Counts,
    /// Metrics that the devices have.
    pub(super) tally: Tally,
    /// Number of devices that announce a kind.
    pub(super) kinds: usize,
    /// Number of devices with text values.
    pub(super) wordy: usize,
    /// Number of hidden devices.
    hidden: usize,
    /// The person's settings when the section was built.
    choices: ServerChoices,
    seen: SectionSource,
}

/// State of the model that a section was built from; while it is unchanged, the section is current.
#[derive(Clone, Debug, Default, PartialEq)]
struct SectionSource {
    version: u64,
    count: usize,
    online: bool,
    complete: bool,
}

impl SectionSource {
    fn of(connection: &Connection) -> SectionSource {
        SectionSource {
            version: connection.devices.version(),
            count: connection.devices.len(),
            online: connection.link.is_online(),
            complete: connection.devices.is_complete(),
        }
    }
}

/// The order of the whole list.
#[derive(Default)]
pub(super) struct Order {
    /// One for each connection.
    pub(super) sections: Vec<Section>,
    lines: Vec<Line>,
    height: f32,
    /// The grid that the lines were laid out on.
    grid: Option<Grid>,
    view: View,
    /// The parsed filter.
    asked: FilterTerms,
    sweep: Sweep,
    /// Whether a move is deferred because the person is pointing at the list.
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

    /// Whether any move is deferred.
    pub(super) fn is_held(&self) -> bool {
        self.held
    }

    /// Total height of the lines, in points.
    pub(super) fn height(&self) -> f32 {
        self.height
    }

    /// Number of devices by status.
    pub(super) fn counts(&self) -> Counts {
        self.counts
    }

    /// Number of devices that match the filter, and of all devices.
    pub(super) fn matching(&self) -> (usize, usize) {
        (self.matching, self.counts.all())
    }

    /// Number of hidden devices.
    pub(super) fn hidden(&self) -> usize {
        self.sections.iter().map(|section| section.hidden).sum()
    }

    /// The section at this height, in points from the top of the list.
    pub(super) fn section_at(&self, y: f32) -> Option<usize> {
        let below = self.lines.partition_point(|line| line.top <= y);
        match self.lines.get(below.saturating_sub(1))?.what {
            LineKind::Connection(section)
            | LineKind::Header(section)
            | LineKind::Group(section, _)
            | LineKind::Device(section, _) => Some(section),
        }
    }

    /// The lines between two heights, in points.
    pub(super) fn visible(&self, from: f32, to: f32) -> Range<usize> {
        let last = self.lines.partition_point(|line| line.top <= from).saturating_sub(1);
        // Start with the first of several in the same row.
        let top = self.lines.get(last).map_or(0.0, |line| line.top);
        let begin = self.lines.partition_point(|line| line.top < top);
        let end = self.lines.partition_point(|line| line.top < to);
        begin..end.max(begin)
    }

    /// The device of a line, if it is one.
    pub(super) fn key(&self, line: usize) -> Option<DeviceKey> {
        match self.lines.get(line)?.what {
            LineKind::Device(section, entry) => {
                let section = &self.sections[section];
                Some(DeviceKey { connection: section.connection, device: section.entries[entry].id.clone() })
            }
            _ => None,
        }
    }

    /// The line of a device, if it is listed.
    pub(super) fn line(&self, key: &DeviceKey) -> Option<usize> {
        self.lines.iter().position(|line| match line.what {
            LineKind::Device(section, entry) => {
                let section = &self.sections[section];
                section.connection == key.connection && section.entries[entry].id == key.device
            }
            _ => false,
        })
    }

    /// Brings the order up to date. With `hold`, existing lines do not move. Returns whether any line
    /// changed.
    pub(super) fn sync(&mut self, cx: &mut Cx, view: &View, hold: bool, grid: Grid) -> bool {
        let news = self.refresh_sections(cx);
        let same_view = self.view == *view;
        let mut extended = false;
        if self.view.filter != view.filter {
            // The new filter extends the old one: devices that did not match cannot match now.
            let filter = folded_name(&view.filter);
            extended = filter.starts_with(&folded_name(&self.view.filter));
            self.asked = FilterTerms::of(&filter, cx.words.devices);
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

    /// Whether something changed and the rebuild delay is over. Also adds and removes sections.
    fn refresh_sections(&mut self, cx: &mut Cx) -> bool {
        let sections = &self.sections;
        let (same, link_changed) = cx.model.read(|model| {
            let mut same = model.connections.len() == sections.len();
            let mut link_changed = !same;
            for (section, (id, connection)) in sections.iter().zip(&model.connections) {
                let seen = SectionSource::of(connection);
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

    /// Copies what changed. Returns whether anything did, and whether the order depends on it.
    fn collect(&mut self, cx: &Cx, view: &View, hold: bool, moved: bool) -> (bool, bool) {
        let seen: Vec<(ConnectionId, SectionSource)> = cx.model.read(|model| {
            model.connections.iter().map(|(id, connection)| (*id, SectionSource::of(connection))).collect()
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
                    seen: SectionSource::default(),
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

    /// Applies the filter. With `extended`, devices that did not match before are skipped.
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
        let mut add = |what: LineKind| {
            let is_device = matches!(what, LineKind::Device(..));
            if !is_device || column >= grid.columns {
                column = 0;
            }
            let own = what.height(&grid);
            // Items in the same row share its height.
            let top = if column == 0 { *height } else { *height - own };
            lines.push(Line { top, column, nth, what });
            *height = top + own;
            if is_device {
                (column, nth) = (column + 1, nth + 1);
            } else {
                // The next line starts a new row.
                column = 0;
            }
        };
        for (at, section) in self.sections.iter().enumerate() {
            let matching = || section.sorted.iter().filter(|place| section.entries[**place].matches);
            let has_lines = matching().next().is_some();
            if self.asked.is_empty() || has_lines {
                add(LineKind::Connection(at));
            }
            if grid.shape == Shape::Table && at > 0 && has_lines {
                add(LineKind::Header(at));
            }
            let mut last: Option<&Entry> = None;
            // Pinned devices sort first: if the first is not pinned, none is.
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
                    add(LineKind::Group(at, *place));
                }
                add(LineKind::Device(at, *place));
                last = Some(entry);
            }
        }
    }
}

/// Result of updating a section.
#[derive(Default)]
struct SectionChanges {
    changed: bool,
    moved: bool,
    held: bool,
    /// Whether an entry was replaced.
    replaced: bool,
}

impl Section {
    fn collect(&mut self, cx: &Cx, view: &View, hold: bool) -> SectionChanges {
        let mut news = SectionChanges::default();
        let mut fresh: Vec<NewEntry> = Vec::new();
        let mut from = 0;
        let mut latest = None;
        loop {
            let entries = &mut self.entries;
            let (id, chunk) = (self.connection, from..from + CHUNK);
            let known = &self.choices;
            let read = cx.model.read(|model| {
                let connection = model.connections.get(&id)?;
                let choices = connection.devices.choices();
                let is_same = Arc::ptr_eq(choices, known) || (choices.is_empty() && known.is_empty());
                for (place, device) in connection.devices.iter().enumerate().skip(chunk.start).take(CHUNK) {
                    let status = connection.status(device);
                    let choice = || choices.get(&device.spec.id).filter(|_| !device.is_local());
                    let is_right =
                        |entry: &Entry| entry.is_of(device) && (is_same || entry.choice.as_ref() == choice());
                    match entries.get_mut(place) {
                        Some(entry) if is_right(entry) => entry.now(device, status),
                        _ => fresh.push(NewEntry::of(place, device, status, choice())),
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

    /// Inserts new entries. An entry at an occupied index replaces one that moved or was removed; a device
    /// that is still there keeps its sort key.
    fn put(&mut self, fresh: Vec<NewEntry>, count: usize, hold: bool) {
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
            // While the order is held, new devices go to the end.
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

    /// Removes an entry from the counts.
    fn uncount(&mut self, entry: &Entry) {
        if !entry.local {
            self.tally.remove(entry.metrics.iter());
            self.kinds = self.kinds.saturating_sub(usize::from(!entry.kind.is_empty()));
            self.wordy = self.wordy.saturating_sub(usize::from(entry.has_words));
        }
    }
}
