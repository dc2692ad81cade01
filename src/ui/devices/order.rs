//! Which devices stand in the list, and in which order. Made from keys that are copied out of the model in short
//! reads, and only when something changed that they depend on; a filter that is typed on looks at what it left alone.

use std::ops::Range;

use super::entry::{self, Entry, Fresh};
use crate::model::Connection;
use crate::model::device::{DeviceId, Status};
use crate::model::id::ConnectionId;
use crate::model::search::fold::folded_name;
use crate::model::time::BootMs;
use crate::ui::Cx;
use crate::ui::text::devices::Counts;
use crate::ui::theme::Rhythm;

/// So many devices are compared in one read of the model.
const CHUNK: usize = 512;
/// Of so many devices, one costs a millisecond of waiting before the list is made anew.
const DEVICES_A_MS: u64 = 100;

/// What the list is sorted by.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Sort {
    /// By name, numbers in them by their size.
    #[default]
    Name,
    /// What needs a look first.
    Status,
    /// What came, went or fell silent last first.
    Changed,
}

/// What the list is grouped by.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Grouping {
    /// Not at all.
    #[default]
    None,
    /// By what kind of thing it is.
    Kind,
    /// By status.
    Status,
}

/// What the person wants to see.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct View {
    /// In which order.
    pub(super) sort: Sort,
    /// Under which headings.
    pub(super) grouping: Grouping,
    /// As typed.
    pub(super) filter: String,
}

/// A device among all connections.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    /// Whose.
    pub(super) connection: ConnectionId,
    /// Which.
    pub(super) device: DeviceId,
}

/// One line of the list.
#[derive(Copy, Clone, Debug, PartialEq)]
pub(super) struct Line {
    /// How far below the list's beginning it begins, in points.
    pub(super) top: f32,
    /// What it is.
    pub(super) what: What,
}

/// What a line is. Numbers are places in [`Order::sections`] and in their entries.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// A connection's heading.
    Connection(usize),
    /// The heading of the group that this device begins.
    Group(usize, usize),
    /// A device.
    Device(usize, usize),
}

impl What {
    fn height(self, rhythm: &Rhythm) -> f32 {
        match self {
            What::Connection(_) => rhythm.section,
            What::Group(..) => rhythm.heading,
            What::Device(..) => rhythm.device,
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
    /// Devices by status, links apart.
    pub(super) counts: Counts,
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
    /// How closely the lines stand.
    rhythm: Option<&'static Rhythm>,
    view: View,
    /// What the filter asks for, a word each.
    words: Vec<String>,
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

    /// The height of all lines, in points.
    pub(super) fn height(&self) -> f32 {
        self.height
    }

    /// Devices by status, links apart.
    pub(super) fn counts(&self) -> Counts {
        self.counts
    }

    /// How many devices the filter leaves, links apart, and how many there are.
    pub(super) fn matching(&self) -> (usize, usize) {
        let counts = self.counts;
        (self.matching, counts.online + counts.silent + counts.offline + counts.unknown)
    }

    /// The lines that a part of the list shows.
    pub(super) fn visible(&self, from: f32, to: f32) -> Range<usize> {
        let begin = self.lines.partition_point(|line| line.top <= from).saturating_sub(1);
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
    pub(super) fn sync(&mut self, cx: &mut Cx, view: &View, hold: bool) -> bool {
        let news = self.look(cx);
        let same_view = self.view == *view;
        if !news && same_view && (hold || !self.held) {
            let spread = self.rhythm != Some(cx.rhythm());
            if spread {
                self.lay_out(cx.rhythm());
            }
            return spread;
        }
        let was_held = std::mem::take(&mut self.held);
        let mut moved = !same_view && (self.view.sort, self.view.grouping) != (view.sort, view.grouping);
        let mut changed = false;
        if news || (was_held && !hold) {
            (changed, moved) = self.collect(cx, view, hold, moved);
        }
        self.filter(cx, view, changed);
        self.view.clone_from(view);
        if moved {
            self.arrange();
        }
        self.lay_out(cx.rhythm());
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
                    seen: Seen::default(),
                },
            };
            let news = section.collect(cx, view, hold);
            section.seen = seen;
            changed |= news.changed;
            moved |= news.moved;
            self.held |= news.held;
            self.sections.push(section);
        }
        (changed, moved)
    }

    /// Finds what matches.
    fn filter(&mut self, cx: &Cx, view: &View, changed: bool) {
        if changed || self.view.filter != view.filter {
            // Every word of the longer filter begins with a word of the shorter: what did not match, does not.
            let filter = folded_name(&view.filter);
            let extended = !changed && filter.starts_with(&folded_name(&self.view.filter));
            self.words = filter.split_whitespace().map(str::to_owned).collect();
            for entry in self.sections.iter_mut().flat_map(|section| &mut section.entries) {
                entry.matches = (entry.matches || !extended) && entry.has(&self.words, cx.words.devices);
            }
        }
        (self.counts, self.matching) = (Counts::default(), 0);
        for section in &mut self.sections {
            section.counts = Counts::default();
            for entry in section.entries.iter().filter(|entry| !entry.local) {
                self.matching += usize::from(entry.matches);
                for counts in [&mut self.counts, &mut section.counts] {
                    *match entry.status {
                        Status::Online => &mut counts.online,
                        Status::Silent => &mut counts.silent,
                        Status::Offline => &mut counts.offline,
                        Status::Unknown => &mut counts.unknown,
                    } += 1;
                }
            }
        }
    }

    fn arrange(&mut self) {
        let View { sort, grouping, .. } = self.view;
        for Section { entries, sorted, .. } in &mut self.sections {
            sorted.clear();
            sorted.extend(0..entries.len());
            sorted.sort_unstable_by(|a, b| entries[*a].order(&entries[*b], sort, grouping));
        }
    }

    fn lay_out(&mut self, rhythm: &'static Rhythm) {
        self.rhythm = Some(rhythm);
        self.lines.clear();
        self.height = 0.0;
        let many = self.sections.len() > 1;
        let grouping = self.view.grouping;
        let (lines, height) = (&mut self.lines, &mut self.height);
        let mut add = |what: What| {
            lines.push(Line { top: *height, what });
            *height += what.height(rhythm);
        };
        for (at, section) in self.sections.iter().enumerate() {
            let matching = || section.sorted.iter().filter(|place| section.entries[**place].matches);
            if many && (self.words.is_empty() || matching().next().is_some()) {
                add(What::Connection(at));
            }
            let mut last: Option<&Entry> = None;
            for place in matching() {
                let entry = &section.entries[*place];
                let begins = last.is_none_or(|last| !last.is_beside(entry, grouping));
                if begins && grouping != Grouping::None && !entry.local {
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
}

impl Section {
    fn collect(&mut self, cx: &Cx, view: &View, hold: bool) -> News {
        let mut news = News::default();
        let mut fresh: Vec<Fresh> = Vec::new();
        let mut from = 0;
        loop {
            let entries = &mut self.entries;
            let (id, chunk) = (self.connection, from..from + CHUNK);
            let count = cx.model.read(|model| {
                let connection = model.connections.get(&id)?;
                for (place, device) in connection.devices.iter().enumerate().skip(chunk.start).take(CHUNK) {
                    let status = connection.status(device);
                    match entries.get_mut(place) {
                        Some(entry) if entry.is_of(device) => entry.now(device, status),
                        _ => fresh.push(Fresh::of(place, device, status)),
                    }
                }
                Some(connection.devices.len())
            });
            from = chunk.end;
            let count = count.unwrap_or(0);
            if from >= count {
                news.moved = self.entries.len() != count || !fresh.is_empty();
                let hold = hold && !self.entries.is_empty();
                self.put(cx, fresh, count, hold);
                break;
            }
        }
        for entry in &mut self.entries {
            news.changed |= std::mem::take(&mut entry.changed);
            if entry.is_held() {
                if hold {
                    news.held = true;
                } else {
                    news.changed = true;
                    news.moved |= entry.settle(view.sort, view.grouping);
                }
            }
        }
        news.changed |= news.moved;
        news
    }

    /// Puts new entries into their places. What a new entry takes the place of has moved or is gone; of the same
    /// device the keys it was sorted by are kept.
    fn put(&mut self, cx: &Cx, fresh: Vec<Fresh>, count: usize, hold: bool) {
        let mut before = std::collections::HashMap::new();
        for fresh in &fresh {
            if let Some(entry) = self.entries.get(fresh.place) {
                before.insert(entry.id.clone(), entry.sorted_by());
            }
        }
        for entry in self.entries.drain(count.min(self.entries.len())..) {
            before.insert(entry.id.clone(), entry.sorted_by());
        }
        for fresh in fresh {
            let place = fresh.place;
            // What is new stands below what is there, until it may move.
            let by = before.get(&fresh.id).copied().or(hold.then_some(entry::LAST));
            let entry = Entry::new(fresh, by, cx.words.devices);
            match self.entries.get_mut(place) {
                Some(old) => *old = entry,
                None => self.entries.push(entry),
            }
        }
    }
}
