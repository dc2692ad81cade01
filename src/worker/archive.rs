//! Saves messages and readings of a connection as a file of the person's. Runs in the background, one file at a time; can be
//! ended at any moment, and leaves nothing behind unless it is whole.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use super::downloads::{folder, names};
use super::driver::{Driver, TaskResult};
use super::export::{not_written, stem_of};
use super::picker::{self, Chosen};
use crate::hub::{Csv, Line, ReadingsFailure, readings_of};
use crate::model::archive::{ArchiveFormat, ArchiveState, ArchiveWanted, Archived};
use crate::model::content::Draft;
use crate::model::event::{DiskUpdate, Update};
use crate::model::export::ExportFailure;
use crate::model::time::WallMs;
use crate::model::{Entry, Message, NamedRoom, Position, PrincipalId, RoomId};
use crate::store::ClientStore;
use crate::store::client::FirstAt;
use crate::store::readings::ReadingsStore;

/// Messages that are read at once.
const PAGE: u32 = 500;
/// Least time between two reports of how far it has come.
const REPORT_EVERY: Duration = Duration::from_millis(200);
/// Maximum number of files of the same name.
const MAX_OF_A_NAME: u32 = 1_000;

/// The file that is being saved.
#[derive(Default)]
pub(super) struct Archiving {
    /// Set once it is not wanted any more; nobody else has it while nothing is saved.
    ended: Arc<AtomicBool>,
}

impl Driver {
    pub(super) fn archive(&mut self, wanted: ArchiveWanted) {
        let report = Report { number: wanted.number, done: self.done.clone() };
        if Arc::strong_count(&self.archiving.ended) > 1 {
            return self.update(report.update(ArchiveState::Failed(ExportFailure::Busy)));
        }
        let Some(plan) = self.plan_archive(wanted) else {
            return self.update(report.update(ArchiveState::Failed(ExportFailure::Gone)));
        };
        self.archiving.ended = Arc::new(AtomicBool::new(false));
        let (ended, runtime) = (Arc::clone(&self.archiving.ended), Handle::current());
        self.update(report.update(ArchiveState::Choosing));
        tokio::spawn(async move {
            let chosen = picker::choose(format!("{}.{}", plan.stem, plan.wanted.format.ending())).await;
            let (number, done) = (report.number, report.done.clone());
            let saved = spawn_blocking(move || {
                let mut progress = Progress { report: &report, ended: &ended, count: 0, at: None };
                plan.save(chosen, &mut progress, &runtime)
            });
            let state = match saved.await {
                Ok(Ok(Some((path, count)))) => ArchiveState::Saved { path, count },
                Ok(Ok(None)) => ArchiveState::Cancelled,
                Ok(Err(failure)) => ArchiveState::Failed(failure),
                // A panic, which is logged.
                Err(error) => ArchiveState::Failed(ExportFailure::NotRead { detail: error.to_string() }),
            };
            // The receiver is gone if the worker has ended.
            let _ = done.send(TaskResult::Update(update_of(number, state))).await;
        });
    }

    pub(super) fn end_archive(&mut self) {
        self.archiving.ended.store(true, Ordering::Relaxed);
    }

    /// Collects what the task needs from the worker.
    fn plan_archive(&self, wanted: ArchiveWanted) -> Option<Plan> {
        let source = self.slots.get(&wanted.connection)?.source;
        let rooms = self.model.read(|model| {
            let chat = &model.connections.get(&wanted.connection)?.chat;
            let named = |id: &RoomId| NamedRoom::new(id.clone(), chat.name_of(id));
            Some(match &wanted.room {
                Some(room) => vec![named(room)],
                None => chat.rooms_by_name().map(|(id, _)| named(id)).collect::<Vec<_>>(),
            })
        })?;
        let name = match rooms.as_slice() {
            [room] if wanted.room.is_some() => room.name.as_str().to_owned(),
            _ => self
                .model
                .read(|model| model.connections.get(&wanted.connection).map(|at| at.profile.name.clone()))?,
        };
        Some(Plan {
            stem: stem_of(&name, "messages"),
            store: self.store.clone(),
            readings: self.fleet.readings.clone().filter(|_| wanted.readings),
            source,
            rooms,
            wanted,
        })
    }
}

/// Tells the window how far it is.
struct Report {
    number: u64,
    done: mpsc::Sender<TaskResult>,
}

impl Report {
    fn update(&self, state: ArchiveState) -> Update {
        update_of(self.number, state)
    }

    /// One that comes while others wait is left out: the next one says more.
    fn send(&self, state: ArchiveState) {
        let _ = self.done.try_send(TaskResult::Update(self.update(state)));
    }
}

fn update_of(number: u64, state: ArchiveState) -> Update {
    Update::Disk(DiskUpdate::Archived(Archived { number, state }))
}

/// Counts what is written.
struct Progress<'a> {
    report: &'a Report,
    ended: &'a AtomicBool,
    count: u64,
    at: Option<Instant>,
}

impl Progress<'_> {
    /// One more is written.
    fn step(&mut self) -> Result<(), Failed> {
        if self.ended.load(Ordering::Relaxed) {
            return Err(Failed::Ended);
        }
        self.count += 1;
        if self.at.is_none_or(|at| at.elapsed() >= REPORT_EVERY) {
            self.at = Some(Instant::now());
            self.report.send(ArchiveState::Writing(self.count));
        }
        Ok(())
    }
}

/// Why there is no whole file.
enum Failed {
    /// It is not wanted any more.
    Ended,
    /// It could not be written.
    Write(io::Error),
    /// What belongs into it could not be read.
    Read(String),
}

/// What is saved, and from where.
struct Plan {
    wanted: ArchiveWanted,
    rooms: Vec<NamedRoom>,
    stem: String,
    store: ClientStore,
    readings: Option<ReadingsStore>,
    source: u64,
}

impl Plan {
    /// Saves the file where the person chose, or in the folder for downloads. `None`: nowhere.
    fn save(
        &self,
        chosen: Chosen,
        progress: &mut Progress,
        runtime: &Handle,
    ) -> Result<Option<(PathBuf, u64)>, ExportFailure> {
        let path = match chosen {
            Chosen::At(None) => return Ok(None),
            Chosen::At(Some(path)) => path,
            Chosen::NoPicker => {
                let folder = folder().ok_or(ExportFailure::NoFolder)?;
                unused(&folder, &self.stem, self.wanted.format.ending())
            }
        };
        let folder = path.parent().unwrap_or(Path::new("."));
        // Beside its place, so that a file of that name stays as it is until this one is whole.
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".part");
        let part = path.with_file_name(name);
        match self
            .write_to(&part, progress, runtime)
            .and_then(|()| fs::rename(&part, &path).map_err(Failed::Write))
        {
            Ok(()) => Ok(Some((path, progress.count))),
            Err(failed) => {
                let _ = fs::remove_file(&part);
                match failed {
                    Failed::Ended => Ok(None),
                    Failed::Write(error) => Err(not_written(folder, &error)),
                    Failed::Read(detail) => Err(ExportFailure::NotRead { detail }),
                }
            }
        }
    }

    fn write_to(&self, part: &Path, progress: &mut Progress, runtime: &Handle) -> Result<(), Failed> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(part).map_err(Failed::Write)?;
        let mut out = Out { out: BufWriter::new(&file), csv: None, progress };
        if self.wanted.format == ArchiveFormat::Csv {
            out.csv = Some(Csv::default());
            writeln!(out.out, "{}", Csv::HEAD).map_err(Failed::Write)?;
        }
        runtime.block_on(self.write(&mut out))?;
        out.out.flush().map_err(Failed::Write)?;
        file.sync_all().map_err(Failed::Write)
    }

    async fn write(&self, out: &mut Out<'_, '_>) -> Result<(), Failed> {
        for room in &self.rooms {
            let (id, name) = (room.id.clone(), room.name.clone());
            out.line(&Line::Room { id, name, made_by: PrincipalId(String::new()), made_at: WallMs(0) })?;
        }
        for room in &self.rooms {
            self.messages(&room.id, out).await?;
        }
        let Some(readings) = &self.readings else { return Ok(()) };
        let range = (self.wanted.from, self.wanted.to);
        let written = readings_of(readings, self.source, range, &mut |line| out.line(&line)).await;
        written.map_err(|failure| match failure {
            ReadingsFailure::Store(error) => Failed::Read(error.to_string()),
            ReadingsFailure::Sink(failed) => failed,
        })
    }

    async fn messages(&self, room: &RoomId, out: &mut Out<'_, '_>) -> Result<(), Failed> {
        let (connection, range) = (self.wanted.connection, self.wanted.from..self.wanted.to);
        let failed = |error: crate::store::StoreError| Failed::Read(error.to_string());
        let mut after = Position::default();
        if range.start > WallMs(0) {
            let found = self.store.first_at(connection, room.clone(), range.start).await.map_err(failed)?;
            let FirstAt { first: Some((first, _)), .. } = found else { return Ok(()) };
            after = Position { offset: first.offset.previous(), ..first };
        }
        loop {
            let page = self.store.stretch(connection, room.clone(), after, PAGE).await.map_err(failed)?;
            let Some(last) = page.last() else { return Ok(()) };
            after = last.position;
            let is_wanted = |message: &Message| range.contains(&message.received) && !message.is_deleted();
            for message in page.into_iter().filter(is_wanted) {
                out.line(&Line::Entry { entry: entry_of(message, room) })?;
            }
        }
    }
}

/// A message as it reads now.
fn entry_of(message: Message, room: &RoomId) -> Entry {
    let Message { position, id, sender, content, at, received, .. } = message;
    Entry { draft: Draft { id, room: room.clone(), content, at }, offset: position.offset, sender, received }
}

/// The file, and how its lines are written.
struct Out<'a, 'b> {
    out: BufWriter<&'a File>,
    csv: Option<Csv>,
    progress: &'a mut Progress<'b>,
}

impl Out<'_, '_> {
    fn line(&mut self, line: &Line) -> Result<(), Failed> {
        let text = match &mut self.csv {
            Some(csv) => csv.row(line),
            None => Some(serde_json::to_string(line).map_err(|error| Failed::Read(error.to_string()))?),
        };
        if let Some(text) = text {
            writeln!(self.out, "{text}").map_err(Failed::Write)?;
        }
        match line {
            Line::Entry { .. } | Line::Reading { .. } => self.progress.step(),
            Line::Room { .. } | Line::Device { .. } => Ok(()),
        }
    }
}

/// A path in a folder at which nothing is.
fn unused(folder: &Path, stem: &str, ending: &str) -> PathBuf {
    let mut paths = names(stem, ending, MAX_OF_A_NAME).map(|name| folder.join(name));
    let free = paths.find(|path| !path.exists());
    free.unwrap_or_else(|| folder.join(format!("{stem}.{ending}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Content;
    use crate::model::event::{ChatEvent, LinkEvent, LogKind, LogRestart};
    use crate::model::{
        ConnectionId, Epoch, Event, MessageId, Offset, Principal, PrincipalKind, RoomName, Sender,
    };
    use crate::store::{Commit, Write as Stored};

    const HERE: ConnectionId = ConnectionId(3);

    fn id(number: u64) -> MessageId {
        MessageId::from_random(u128::from(number).to_be_bytes())
    }

    fn entry(offset: u64, content: Content) -> Entry {
        let at = WallMs(offset as i64 * 1_000);
        Entry {
            draft: Draft { id: id(offset), room: RoomId::general(), content, at },
            offset: Offset(offset),
            sender: Sender { id: PrincipalId("p-1".into()), name: "Jun".into() },
            received: at,
        }
    }

    /// A room of so many messages; the second one is a reply in a thread, the third one was deleted, the fourth one edited.
    async fn filled(store: &ClientStore, messages: u64) {
        let me = Principal {
            id: PrincipalId("me".into()),
            kind: PrincipalKind::Person,
            name: "me".into(),
            role: None,
        };
        let mut entries: Vec<Entry> =
            (1..=messages).map(|n| entry(n, Content::text(format!("=message {n}")))).collect();
        entries[1].draft.content = Content::reply("in a thread", id(1), Some(id(1)));
        entries.push(entry(messages + 1, Content::delete(id(3)).with_target_offset(Some(Offset(3)))));
        entries.push(entry(messages + 2, Content::edit(id(4), "better").with_target_offset(Some(Offset(4)))));
        let events = [
            Event::Link(LinkEvent::Welcomed {
                me,
                server: "hub".into(),
                log: LogKind::Server { head: Offset(messages), next: Offset(1) },
                now: WallMs(0),
                people: vec![],
                rooms: vec![RoomId::general().into()],
                features: Default::default(),
            }),
            Event::Chat(ChatEvent::LogStarted { epoch: Epoch(1), from: Offset(1), why: LogRestart::First }),
            Event::Chat(ChatEvent::Entries { entries, live: false }),
        ];
        let writes = events.into_iter().map(Stored::Event).collect();
        assert_eq!(store.commit(HERE, writes).await, Commit::Saved);
    }

    /// Saves to a path, on threads as the worker does it. `end`: after so many messages it is not wanted any more.
    fn save(
        messages: u64,
        change: impl FnOnce(&mut ArchiveWanted),
        path: &Path,
        end: bool,
    ) -> (Result<Option<(PathBuf, u64)>, ExportFailure>, usize) {
        let dir = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let store = ClientStore::open(dir.path()).store;
        runtime.block_on(filled(&store, messages));
        let mut wanted = ArchiveWanted {
            number: 1,
            connection: HERE,
            room: Some(RoomId::general()),
            readings: false,
            from: WallMs::MIN,
            to: WallMs::MAX,
            format: ArchiveFormat::Csv,
        };
        change(&mut wanted);
        let rooms = vec![NamedRoom::new(RoomId::general(), RoomName::new("general").unwrap())];
        let plan = Plan { wanted, rooms, stem: "x".into(), store, readings: None, source: 1 };
        let (done, mut told) = mpsc::channel(10_000);
        let (report, ended) = (Report { number: 1, done }, AtomicBool::new(end));
        let mut progress = Progress { report: &report, ended: &ended, count: 0, at: None };
        let saved = plan.save(Chosen::At(Some(path.to_owned())), &mut progress, runtime.handle());
        let mut reports = 0;
        while told.try_recv().is_ok() {
            reports += 1;
        }
        (saved, reports)
    }

    #[test]
    fn a_room_is_saved_as_it_reads_now_with_its_threads() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("room.csv");
        std::fs::write(&path, "what was there").unwrap();
        let (saved, reports) = save(1_203, |_| {}, &path, false);
        assert_eq!(saved, Ok(Some((path.clone(), 1_202))), "but the deleted one");
        assert!(reports > 0);
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!((lines[0], lines.len()), (Csv::HEAD, 1_203));
        assert!(lines[1].starts_with("message,1970-01-01T00:00:01.000Z,general,Jun,"), "{}", lines[1]);
        assert!(lines[1].ends_with(",'=message 1,,,"), "no formula: {}", lines[1]);
        assert!(lines[2].contains("in a thread") && lines[3].contains(",better,"));
        assert!(!text.contains("message 3,"));
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "nothing else is left");
    }

    #[test]
    fn a_range_of_time_is_saved_as_json_lines_that_a_server_takes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("room.jsonl");
        let range = |wanted: &mut ArchiveWanted| {
            (wanted.from, wanted.to) = (WallMs(5_000), WallMs(8_000));
            wanted.format = ArchiveFormat::JsonLines;
        };
        assert_eq!(save(50, range, &path, false).0, Ok(Some((path.clone(), 3))));
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<Line> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let bodies = lines.iter().filter_map(|line| match line {
            Line::Entry { entry } => Some(entry.draft.content.body()),
            _ => None,
        });
        assert_eq!(bodies.collect::<Vec<_>>(), ["=message 5", "=message 6", "=message 7"]);
    }

    #[test]
    fn what_is_ended_or_fails_leaves_what_was_there() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("room.csv");
        std::fs::write(&path, "what was there").unwrap();
        assert_eq!(save(20, |_| {}, &path, true).0, Ok(None));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "what was there");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
        let nowhere = dir.path().join("not there").join("room.csv");
        let failed = save(20, |_| {}, &nowhere, false).0;
        assert!(
            matches!(&failed, Err(ExportFailure::NotWritten { folder, .. }) if folder.contains("not there")),
            "{failed:?}"
        );
    }
}
