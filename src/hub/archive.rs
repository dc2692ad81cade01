//! Export and import of what a hub keeps: JSON Lines, one entry of the log, room or reading a line.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::fleet::SOURCE;
use super::{HubError, files};
use crate::clock;
use crate::model::content::{Content, Draft};
use crate::model::series::Point;
use crate::model::time::WallMs;
use crate::model::{
    DeviceId, DeviceState, Entry, Epoch, MessageId, MetricName, PrincipalId, Readings, Role, RoomId,
    RoomName, Sender, Value,
};
use crate::store::StoreError;
use crate::store::hub::{Append, Appended, FILE, HubStore};
use crate::store::readings::{HUB_FILE, Kept, ReadingsLimits, ReadingsStore};

/// Maximum number of readings of one metric that are read at once.
const MAX_POINTS: usize = 200_000;
/// Readings and entries that are written at once.
const BATCH: usize = 500;

/// One line of an export.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "line", rename_all = "snake_case")]
pub enum Line {
    /// A room: before all that was written in it.
    Room {
        /// Its id.
        id: RoomId,
        /// Its name.
        name: RoomName,
        /// Who made it; may be empty.
        made_by: PrincipalId,
        /// When, in Unix ms.
        made_at: WallMs,
    },
    /// An entry of the log.
    Entry {
        /// It, as the protocol has it.
        entry: Entry,
    },
    /// A device: before its readings.
    Device {
        /// It, as the protocol has it.
        device: Box<DeviceState>,
    },
    /// A reading.
    Reading {
        /// Of which device.
        device: DeviceId,
        /// Of which metric.
        metric: MetricName,
        /// When, in Unix ms.
        at: WallMs,
        /// The value; the mean of a minute where the single readings are not kept any more.
        value: f64,
        /// Whether it is the mean of a minute.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        minute: bool,
    },
}

/// What to export.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// From this moment on, by the hub's clock.
    pub from: WallMs,
    /// Before this moment.
    pub to: WallMs,
    /// From these rooms, by id or name; empty: from all.
    pub rooms: Vec<String>,
    /// Whether messages and what else is in the log is wanted.
    pub messages: bool,
    /// Whether readings are wanted.
    pub readings: bool,
}

/// How much an import took in.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// Entries and readings that are new.
    pub new: u64,
    /// Those that were there already.
    pub known: u64,
    /// Those that the hub does not take.
    pub refused: u64,
}

/// Reads what is wanted from a data directory, whether a hub runs on it or not, and gives each line to `sink`.
///
/// # Errors
/// If there is no hub's data or it cannot be read, or what the sink says.
pub async fn export<E: From<HubError>>(
    dir: &Path,
    wanted: &Wanted,
    mut sink: impl FnMut(Line) -> Result<(), E>,
) -> Result<(), E> {
    if !dir.join(FILE).exists() {
        return Err(HubError::NoHub { data_dir: dir.to_owned() }.into());
    }
    let failed = |error| HubError::log(dir, error);
    if wanted.messages {
        let mut log = HubStore::reader(dir).map_err(failed)?;
        let rooms = log.rooms().map_err(failed)?;
        let is_wanted = |id: &RoomId, name: Option<&str>| {
            wanted.rooms.is_empty()
                || wanted.rooms.iter().any(|room| room == id.as_str() || Some(room.as_str()) == name)
        };
        let ids: HashSet<RoomId> = rooms
            .iter()
            .filter(|room| is_wanted(&room.id, Some(room.name.as_str())))
            .map(|room| room.id.clone())
            .collect();
        for room in rooms.into_iter().filter(|room| ids.contains(&room.id)) {
            let (id, name, made_by, made_at) = (room.id, room.name, room.made_by, room.made_at);
            sink(Line::Room { id, name, made_by, made_at })?;
        }
        loop {
            let entries = log.next_page().map_err(failed)?;
            if entries.is_empty() {
                break;
            }
            let in_range = |entry: &Entry| (wanted.from..wanted.to).contains(&entry.received);
            for entry in
                entries.into_iter().filter(|entry| in_range(entry) && ids.contains(&entry.draft.room))
            {
                sink(Line::Entry { entry })?;
            }
        }
    }
    if wanted.readings && dir.join(HUB_FILE).exists() {
        export_readings(dir, wanted, &mut sink).await?;
    }
    Ok(())
}

/// The readings are copied first: the file of a running hub changes all the time.
async fn export_readings<E: From<HubError>>(
    dir: &Path,
    wanted: &Wanted,
    sink: &mut impl FnMut(Line) -> Result<(), E>,
) -> Result<(), E> {
    let failed = |error: StoreError| HubError::log(dir, error);
    let random: [u8; 8] = clock::random().map_err(HubError::from)?;
    let copy = dir.join(format!(".export-{:016x}", u64::from_be_bytes(random)));
    crate::settings::private_file::create_dir(&copy).map_err(HubError::file(&copy))?;
    let read = async {
        ReadingsStore::copy(dir, HUB_FILE, &copy).map_err(failed)?;
        let store = ReadingsStore::open(&copy, HUB_FILE, ReadingsLimits::HUB).map_err(failed)?;
        readings_of(&store, SOURCE, (wanted.from, wanted.to), sink).await.map_err(|error| match error {
            ReadingsFailure::Store(error) => failed(error).into(),
            ReadingsFailure::Sink(error) => error,
        })
    };
    let done = read.await;
    // It is a copy.
    let _ = std::fs::remove_dir_all(&copy);
    done
}

/// Why readings could not be exported.
#[derive(Debug)]
pub enum ReadingsFailure<E> {
    /// They could not be read.
    Store(StoreError),
    /// What the sink says.
    Sink(E),
}

/// Gives all devices of a source, and their readings in a range of time, to `sink`.
///
/// # Errors
/// If they cannot be read, or what the sink says.
pub async fn readings_of<E>(
    store: &ReadingsStore,
    source: u64,
    (from, to): (WallMs, WallMs),
    sink: &mut impl FnMut(Line) -> Result<(), E>,
) -> Result<(), ReadingsFailure<E>> {
    // Nothing was measured before 1970, nor will be after tomorrow.
    let from = from.max(WallMs(0));
    let to = to.min(clock::now().wall_ms.saturating_add(86_400_000));
    for device in store.devices(source).await.map_err(ReadingsFailure::Store)? {
        let (id, metrics) = (device.spec.id.clone(), device.spec.metrics.clone());
        sink(Line::Device { device: Box::new(device) }).map_err(ReadingsFailure::Sink)?;
        for metric in metrics {
            let points = points(store, source, &id, &metric.name, from, to).await;
            for (point, minute) in points.map_err(ReadingsFailure::Store)? {
                let (device, metric) = (id.clone(), metric.name.clone());
                let line = Line::Reading { device, metric, at: point.at, value: point.value, minute };
                sink(line).map_err(ReadingsFailure::Sink)?;
            }
        }
    }
    Ok(())
}

/// All points of a metric in a range, and whether each is the mean of a minute.
async fn points(
    store: &ReadingsStore,
    source: u64,
    device: &DeviceId,
    metric: &MetricName,
    from: WallMs,
    to: WallMs,
) -> Result<Vec<(Point, bool)>, StoreError> {
    let (mut all, mut ranges) = (Vec::new(), vec![(from, to)]);
    while let Some((from, to)) = ranges.pop() {
        if from >= to {
            continue;
        }
        match store.kept(source, device.clone(), metric.clone(), from, to, MAX_POINTS).await? {
            Kept::Raw(points) => all.extend(points.into_iter().map(|point| (point, false))),
            Kept::Minutes(buckets) => {
                all.extend(buckets.iter().map(|bucket| (Point::new(bucket.at, bucket.mean), true)));
            }
            // The later part is read last.
            Kept::RawFrom(at) if from < at && at < to => ranges.extend([(at, to), (from, at)]),
            Kept::TooMany if to.since(from) > 1 => {
                let middle = WallMs(from.0.midpoint(to.0));
                ranges.extend([(middle, to), (from, middle)]);
            }
            Kept::RawFrom(_) | Kept::TooMany => {}
        }
    }
    Ok(all)
}

/// Takes the lines of an export into a hub that is not running. What is there already is not taken in twice.
pub struct Importer {
    dir: PathBuf,
    store: HubStore,
    readings: ReadingsStore,
    /// The hub's ids of the rooms of the export.
    rooms: HashMap<RoomId, RoomId>,
    waiting: Vec<Append>,
    points: BTreeMap<(DeviceId, MetricName), Vec<Point>>,
    pending_points: usize,
    imported: Imported,
    _lock: std::fs::File,
}

impl Importer {
    /// Opens the data directory of a hub that is not running; a new one where there is none.
    ///
    /// # Errors
    /// If a hub runs on it, or it cannot be written.
    pub fn open(dir: &Path) -> Result<Importer, HubError> {
        crate::settings::private_file::create_dir(dir).map_err(HubError::file(dir))?;
        let lock = match files::take(dir) {
            Err(HubError::AlreadyRunning { data_dir }) => return Err(HubError::Running { data_dir }),
            other => other?,
        };
        let epoch = Epoch(u64::from_be_bytes(clock::random()?));
        let general = MessageId::from_random(clock::random()?);
        let failed = |error| HubError::log(dir, error);
        let store = HubStore::open(dir, epoch, clock::now().wall_ms, general).map_err(failed)?;
        let readings = ReadingsStore::open(dir, HUB_FILE, ReadingsLimits::HUB).map_err(failed)?;
        Ok(Importer {
            dir: dir.to_owned(),
            store,
            readings,
            rooms: HashMap::new(),
            waiting: Vec::new(),
            points: BTreeMap::new(),
            pending_points: 0,
            imported: Imported::default(),
            _lock: lock,
        })
    }

    /// Takes one line in.
    ///
    /// # Errors
    /// If the hub's databases cannot be written. The same line may be taken in again.
    pub async fn take(&mut self, line: Line) -> Result<(), HubError> {
        let taken = self.take_line(line).await;
        taken.map_err(|error| HubError::log(&self.dir, error))
    }

    async fn take_line(&mut self, line: Line) -> Result<(), StoreError> {
        match line {
            Line::Room { id, name, made_by, made_at } => self.room(id, name, made_by, made_at).await,
            Line::Entry { entry } => {
                self.entry(entry);
                if self.waiting.len() >= BATCH { self.flush_entries().await } else { Ok(()) }
            }
            Line::Device { device } => {
                let known = self.readings.devices(SOURCE).await?;
                if !known.iter().any(|known| known.spec.id == device.spec.id) {
                    self.readings.put_device(SOURCE, *device);
                }
                Ok(())
            }
            Line::Reading { device, metric, at, value, .. } => {
                self.points.entry((device, metric)).or_default().push(Point::new(at, value));
                self.pending_points += 1;
                if self.pending_points >= 20 * BATCH { self.flush_points().await } else { Ok(()) }
            }
        }
    }

    /// Writes what is left, and says how much was taken in.
    ///
    /// # Errors
    /// As [`Importer::take`].
    pub async fn finish(mut self) -> Result<Imported, HubError> {
        let dir = self.dir.clone();
        let failed = |error| HubError::log(&dir, error);
        self.flush_entries().await.map_err(failed)?;
        self.flush_points().await.map_err(failed)?;
        self.readings.flush().await;
        Ok(self.imported)
    }

    async fn room(
        &mut self,
        id: RoomId,
        name: RoomName,
        made_by: PrincipalId,
        made_at: WallMs,
    ) -> Result<(), StoreError> {
        self.flush_entries().await?;
        if self.store.has_room(&id) {
            self.rooms.insert(id.clone(), id);
            return Ok(());
        }
        // A room is known by the entry that made it; rooms of older hubs by their name then.
        let message = id.as_str().parse().unwrap_or_else(|_| id_of(&id));
        let sender = Sender { id: made_by, name: String::new() };
        let draft = Draft { id: message, room: message.into(), content: Content::room(name), at: made_at };
        let append = Append { draft, sender, received: made_at, role: Role::Admin, only_known: false };
        let here = match self.store.append(append).await? {
            Appended::New(entry) => entry.draft.room,
            Appended::RoomExists { room, .. } => room,
            Appended::Known { .. } => message.into(),
            _ => {
                self.imported.refused += 1;
                return Ok(());
            }
        };
        self.rooms.insert(id, here);
        Ok(())
    }

    fn entry(&mut self, entry: Entry) {
        let Entry { mut draft, sender, received, .. } = entry;
        // Rooms have lines of their own.
        if draft.content.is_room() {
            return;
        }
        if let Some(here) = self.rooms.get(&draft.room) {
            draft.room = here.clone();
        }
        draft.content = draft.content.with_target_offset(None);
        self.waiting.push(Append { draft, sender, received, role: Role::Admin, only_known: false });
    }

    async fn flush_entries(&mut self) -> Result<(), StoreError> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        for appended in self.store.append_all(std::mem::take(&mut self.waiting)).await? {
            match appended {
                Appended::New(_) => self.imported.new += 1,
                Appended::Known { .. } | Appended::Redundant { .. } => self.imported.known += 1,
                _ => self.imported.refused += 1,
            }
        }
        Ok(())
    }

    /// Readings that are there already are found by their time.
    async fn flush_points(&mut self) -> Result<(), StoreError> {
        self.pending_points = 0;
        for ((device, metric), points) in std::mem::take(&mut self.points) {
            let from = points.iter().map(|point| point.at).min().unwrap_or_default();
            let to = points.iter().map(|point| point.at).max().unwrap_or_default().saturating_add(1);
            let there = self::points(&self.readings, SOURCE, &device, &metric, from, to).await?;
            let mut known: HashSet<WallMs> = there.iter().map(|(point, _)| point.at).collect();
            for part in points.chunks(BATCH) {
                let mut readings = Readings::default();
                for point in part {
                    if !known.insert(point.at) {
                        self.imported.known += 1;
                        continue;
                    }
                    self.imported.new += 1;
                    let value = Value::Number(point.value);
                    let one = Readings::of(device.clone(), point.at, point.at, vec![(metric.clone(), value)]);
                    readings.samples.extend(one.samples);
                    readings.values.extend(one.values);
                }
                if !readings.samples.is_empty() {
                    let readings = std::sync::Arc::new(readings);
                    while !self.readings.keep(SOURCE, std::sync::Arc::clone(&readings)) {
                        self.readings.flush().await;
                        if let Some(detail) = self.readings.trouble() {
                            return Err(StoreError::Damaged { detail });
                        }
                    }
                    self.readings.flush().await;
                }
            }
        }
        Ok(())
    }
}

/// A message id for a room that has none, always the same.
fn id_of(room: &RoomId) -> MessageId {
    use sha2::{Digest as _, Sha256};
    let hash = Sha256::digest(room.as_str().as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    MessageId::from_random(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::content::MemberChange;

    fn id(number: u64) -> MessageId {
        MessageId(uuid::Uuid::from_u64_pair(number, 1))
    }

    fn sender(name: &str) -> Sender {
        Sender { id: PrincipalId(name.into()), name: name.to_uppercase() }
    }

    fn append(number: u64, by: &str, room: &RoomId, content: Content) -> Append {
        let at = 1_000 * number as i64;
        let draft = Draft { id: id(number), room: room.clone(), content, at: WallMs(at) };
        Append {
            draft,
            sender: sender(by),
            received: WallMs(at + 7),
            role: Role::Operator,
            only_known: false,
        }
    }

    /// A hub with two rooms, messages that were changed, and readings.
    async fn hub(dir: &Path) -> RoomId {
        let store = HubStore::open(dir, Epoch(1), WallMs(0), id(999)).unwrap();
        let lathe: RoomId = id(1).into();
        let general = RoomId::general();
        let ann = sender("ann");
        let all = vec![
            append(1, "ann", &lathe, Content::room(RoomName::new("Lathe").unwrap())),
            append(2, "ann", &general, Content::text("one")),
            append(3, "bob", &general, Content::reply("a reply", id(2), None)),
            append(4, "bob", &lathe, Content::text("=two")),
            append(5, "bob", &lathe, Content::edit(id(4), "2nd")),
            append(6, "ann", &lathe, Content::reaction(id(4), "👍", false)),
            append(7, "ann", &lathe, Content::topic("Noise")),
            append(8, "ann", &lathe, Content::member(ann, MemberChange::Left)),
            append(9, "ann", &general, Content::text("secret")),
            append(10, "ann", &general, Content::delete(id(9))),
        ];
        store.append_all(all).await.unwrap();
        drop(store);
        let readings = ReadingsStore::open(dir, HUB_FILE, ReadingsLimits::HUB).unwrap();
        let began = began();
        let device = DeviceId::new("oven").unwrap();
        let metric = MetricName::new("heat").unwrap();
        let state = serde_json::json!({
            "device": "oven", "metrics": [{"name": "heat"}], "incarnation": 1, "online": false, "since": 0,
        });
        readings.put_device(SOURCE, serde_json::from_value(state).unwrap());
        for n in 0..50 {
            let values = vec![(metric.clone(), Value::Number(n as f64))];
            let at = began + i64::from(n) * 60_000;
            let one = Readings::of(device.clone(), at, at, values);
            assert!(readings.keep(SOURCE, std::sync::Arc::new(one)));
        }
        readings.flush().await;
        lathe
    }

    /// When the first reading was taken: less than a year ago, and a full minute, since a hub keeps minutes.
    fn began() -> WallMs {
        (clock::now().wall_ms - 3_600_000).floor(86_400_000) + 60_000
    }

    fn everything() -> Wanted {
        Wanted { from: WallMs::MIN, to: WallMs::MAX, rooms: Vec::new(), messages: true, readings: true }
    }

    async fn exported(dir: &Path, wanted: &Wanted) -> Vec<Line> {
        let mut lines = Vec::new();
        let done: Result<(), HubError> = export(dir, wanted, |line| {
            // As it is written and read.
            let json = serde_json::to_string(&line).unwrap();
            lines.push(serde_json::from_str(&json).unwrap());
            Ok(())
        })
        .await;
        done.unwrap();
        lines
    }

    async fn imported(dir: &Path, lines: &[Line]) -> Imported {
        let mut importer = Importer::open(dir).unwrap();
        for line in lines {
            importer.take(line.clone()).await.unwrap();
        }
        importer.finish().await.unwrap()
    }

    /// What was said, whatever its place in the log is.
    fn said(lines: &[Line]) -> Vec<(MessageId, RoomId, Sender, WallMs, Content)> {
        let entry = |line: &Line| match line {
            Line::Entry { entry } if !entry.draft.content.is_room() => Some(entry.clone()),
            _ => None,
        };
        let parts = |entry: Entry| {
            let Draft { id, room, content, .. } = entry.draft;
            (id, room, entry.sender, entry.received, content.with_target_offset(None))
        };
        lines.iter().filter_map(entry).map(parts).collect()
    }

    fn readings(lines: &[Line]) -> Vec<(WallMs, f64)> {
        let reading = |line: &Line| match line {
            Line::Reading { at, value, .. } => Some((*at, *value)),
            _ => None,
        };
        lines.iter().filter_map(reading).collect()
    }

    #[tokio::test]
    async fn an_export_is_taken_in_once_however_often_it_is_imported() {
        let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        hub(from.path()).await;
        let lines = exported(from.path(), &everything()).await;
        let first = imported(to.path(), &lines).await;
        assert_eq!((first.new > 0, first.known, first.refused), (true, 0, 0), "{first:?}");
        let there = exported(to.path(), &everything()).await;
        assert_eq!(said(&there), said(&lines));
        assert!(!format!("{there:?}").contains("secret"), "what was deleted is not exported");
        assert_eq!(readings(&there), readings(&lines));
        let again = imported(to.path(), &lines).await;
        assert_eq!((again.new, again.known, again.refused), (0, first.new, 0));
        assert_eq!(said(&exported(to.path(), &everything()).await), said(&lines));
    }

    #[tokio::test]
    async fn a_part_is_exported_by_room_and_time() {
        let dir = tempfile::tempdir().unwrap();
        let lathe = hub(dir.path()).await;
        let wanted =
            Wanted { rooms: vec!["Lathe".into()], from: WallMs(4_000), to: WallMs(6_000), ..everything() };
        let lines = exported(dir.path(), &Wanted { readings: false, ..wanted }).await;
        assert_eq!(said(&lines).iter().map(|(id, ..)| *id).collect::<Vec<_>>(), [id(4), id(5)]);
        let rooms: Vec<_> = lines.iter().filter(|line| matches!(line, Line::Room { .. })).collect();
        assert!(matches!(rooms[..], [Line::Room { id, .. }] if *id == lathe));
        let at = |n: i64| began() + n * 60_000;
        let wanted = Wanted { messages: false, from: at(2), to: at(5), ..everything() };
        let lines = exported(dir.path(), &wanted).await;
        assert_eq!(readings(&lines), [(at(2), 2.0), (at(3), 3.0), (at(4), 4.0)]);
    }

    #[tokio::test]
    async fn nothing_is_imported_into_a_hub_that_runs() {
        let dir = tempfile::tempdir().unwrap();
        let _lock = files::take(dir.path()).unwrap();
        assert!(matches!(Importer::open(dir.path()), Err(HubError::Running { .. })));
    }
}
