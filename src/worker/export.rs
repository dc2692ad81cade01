//! Exports a part of a device's stored readings: its plots as a picture, or all readings as a table. Runs in the
//! background, one file at a time. The table is made in [`super::table`].

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use chrono::Local;
use tokio::runtime::Handle;
use tokio::task::spawn_blocking;

use super::downloads::{folder, names};
use super::driver::{Driver, TaskResult};
use super::table::{self, Column, Past, Unread};
use crate::model::device::{DeviceId, MetricName};
use crate::model::event::{DiskUpdate, Update};
use crate::model::export::{Content, Export, ExportFailure, Exported, Picture, SavedFile};
use crate::model::time::WallMs;
use crate::model::zone;
use crate::model::{SeriesPage, StateChange};
use crate::store::readings::{Kept, ReadingsStore};

/// Maximum number of files with the same base name.
const MAX_OF_A_NAME: u32 = 1_000;

impl Driver {
    pub(super) fn export(&mut self, export: Export) {
        let number = export.number;
        let failed = match self.plan(export) {
            _ if self.is_exporting => ExportFailure::Busy,
            None => ExportFailure::Gone,
            Some(plan) => {
                self.is_exporting = true;
                let (done, runtime) = (self.done.clone(), Handle::current());
                spawn_blocking(move || {
                    let exported = Exported { number, outcome: plan.save(&runtime) };
                    // The receiver is gone if the worker has ended.
                    let _ = done.blocking_send(TaskResult::Exported(exported));
                });
                return;
            }
        };
        self.update(Update::Disk(DiskUpdate::Exported(Exported { number, outcome: Err(failed) })));
    }

    /// Collects what the export needs from the worker.
    fn plan(&self, export: Export) -> Option<Plan> {
        let source = self.slots.get(&export.connection)?.source;
        let store = self.fleet.readings.clone();
        self.model.read(|model| {
            let connection = model.connections.get(&export.connection)?;
            let device = connection.devices.get(export.device.as_str())?;
            let wanted = match &export.content {
                Content::Readings(wanted) => wanted.as_slice(),
                Content::Picture(_) => &[],
            };
            let known = wanted.iter().filter_map(|name| device.metric(name.as_str()));
            let columns = known.map(|latest| {
                // What is shown of the server's readings where this disk has none.
                let page = connection.devices.page(export.device.as_str(), latest.metric.name.as_str());
                Column::new(&latest.metric, page.cloned())
            });
            Some(Plan {
                columns: columns.collect(),
                name: connection.device_title(device, 60),
                source,
                store,
                export,
            })
        })
    }
}

/// A file to be saved, and its source.
struct Plan {
    export: Export,
    name: String,
    source: u64,
    store: Option<ReadingsStore>,
    columns: Vec<Column>,
}

impl Plan {
    fn save(self, runtime: &Handle) -> Result<SavedFile, ExportFailure> {
        let folder = folder().ok_or(ExportFailure::NoFolder)?;
        self.save_in(&folder, runtime)
    }

    fn save_in(self, folder: &Path, runtime: &Handle) -> Result<SavedFile, ExportFailure> {
        let ending = match self.export.content {
            Content::Readings(_) => "csv",
            Content::Picture(_) => "png",
        };
        let stem = stem(&self.name, self.export.from, self.export.to);
        let (path, file) = unused(folder, &stem, ending).map_err(|error| not_written(folder, &error))?;
        let written = self.write(&file, runtime).and_then(|written| {
            file.sync_all().map_err(Failed::Write)?;
            Ok(written)
        });
        match written {
            Ok((rows, cut_at)) => Ok(SavedFile { path, rows, cut_at }),
            Err(failed) => {
                // Delete the incomplete file.
                if let Err(error) = fs::remove_file(&path) {
                    log::warn!("{} is not whole and cannot be removed: {error}", path.display());
                }
                Err(match failed {
                    Failed::Write(error) => not_written(folder, &error),
                    Failed::Read(detail) => ExportFailure::NotRead { detail },
                })
            }
        }
    }

    fn write(&self, file: &File, runtime: &Handle) -> Result<(Option<u64>, Option<WallMs>), Failed> {
        let mut out = BufWriter::new(file);
        let Export { from, to, .. } = self.export;
        let written = match &self.export.content {
            Content::Picture(picture) => {
                png(&mut out, picture).map_err(Failed::Write)?;
                (None, None)
            }
            Content::Readings(_) => {
                let mut past = Stored { plan: self, runtime };
                let written = table::write(&mut out, &self.columns, from..to, &mut past)?;
                (Some(written.rows), written.cut_at)
            }
        };
        out.flush().map_err(Failed::Write)?;
        Ok(written)
    }
}

/// Why an export failed.
#[derive(Debug)]
pub(super) enum Failed {
    /// Writing the file failed.
    Write(io::Error),
    /// Reading the data failed.
    Read(String),
}

/// Readings stored on this disk.
struct Stored<'a> {
    plan: &'a Plan,
    runtime: &'a Handle,
}

impl Stored<'_> {
    fn device(&self) -> DeviceId {
        self.plan.export.device.clone()
    }
}

impl Past for Stored<'_> {
    fn kept(&mut self, metric: &MetricName, from: WallMs, to: WallMs, most: usize) -> Result<Kept, Unread> {
        let Some(store) = &self.plan.store else { return Ok(Kept::Raw(Vec::new())) };
        let asked = store.kept(self.plan.source, self.device(), metric.clone(), from, to, most);
        self.runtime.block_on(asked).map_err(|error| Unread(error.to_string()))
    }

    fn states(&mut self, metric: &MetricName) -> Result<Vec<StateChange>, Unread> {
        let Some(store) = &self.plan.store else { return Ok(Vec::new()) };
        let asked = store.states(self.plan.source, self.device(), metric.clone());
        self.runtime.block_on(asked).map_err(|error| Unread(error.to_string()))
    }
}

fn png(out: &mut impl Write, picture: &Picture) -> io::Result<()> {
    use image::ImageEncoder;
    let pixels = u64::from(picture.width) * u64::from(picture.height);
    if picture.rgba.len() as u64 != pixels.saturating_mul(4) {
        return Err(io::Error::from(io::ErrorKind::InvalidInput));
    }
    let encoder = image::codecs::png::PngEncoder::new(out);
    let colours = image::ExtendedColorType::Rgba8;
    encoder.write_image(&picture.rgba, picture.width, picture.height, colours).map_err(|error| match error {
        image::ImageError::IoError(error) => error,
        other => io::Error::other(other),
    })
}

pub(super) fn not_written(folder: &Path, error: &io::Error) -> ExportFailure {
    let shown = folder.display().to_string();
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ExportFailure::DiskFull,
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            ExportFailure::Denied { folder: shown }
        }
        _ => ExportFailure::NotWritten { folder: shown, detail: error.to_string() },
    }
}

/// The beginning of a file's name: what is in the file, in letters and digits.
pub(super) fn stem_of(name: &str, or: &str) -> String {
    let plain = |c: char| if c.is_alphanumeric() { c } else { '-' };
    let name: String = name.chars().take(40).map(plain).collect();
    let words: Vec<&str> = name.split('-').filter(|word| !word.is_empty()).collect();
    let name = if words.is_empty() { or.to_owned() } else { words.join("-") };
    format!("duplex-{name}")
}

/// A file name without extension: the device and the range in local time.
fn stem(name: &str, from: WallMs, to: WallMs) -> String {
    let name = stem_of(name, "device");
    let moment = |at: WallMs| match zone::local(&Local, at) {
        // The UTC offset tells the repeated hour at the end of daylight saving time apart.
        Some(time) if zone::is_ambiguous(&Local, &time) => time.format("%Y%m%d-%H%M%z").to_string(),
        Some(time) => time.format("%Y%m%d-%H%M").to_string(),
        None => at.0.to_string(),
    };
    format!("{name}-{}-to-{}", moment(from), moment(to))
}

/// Creates a file with an unused name; existing files are never touched.
fn unused(folder: &Path, stem: &str, ending: &str) -> io::Result<(PathBuf, File)> {
    for name in names(stem, ending, MAX_OF_A_NAME) {
        let path = folder.join(name);
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(file) => return Ok((path, file)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::from(io::ErrorKind::AlreadyExists))
}

impl From<Unread> for Failed {
    fn from(Unread(detail): Unread) -> Failed {
        Failed::Read(detail)
    }
}

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Failed {
        Failed::Write(error)
    }
}

/// What a column needs from the server's readings.
pub(super) fn is_summary(page: &SeriesPage) -> bool {
    page.step_ms > 0 && !page.buckets.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::id::ConnectionId;

    const FROM: WallMs = WallMs(1_760_529_600_000);

    fn plan(content: Content) -> Plan {
        let export = Export {
            number: 1,
            connection: ConnectionId(3),
            device: DeviceId::new("kiln").unwrap(),
            from: FROM,
            to: FROM + 1_000,
            content,
        };
        Plan { export, name: "가마 ·kiln/../x".into(), source: 1, store: None, columns: Vec::new() }
    }

    #[test]
    fn a_picture_is_saved_beside_what_is_there() {
        let dir = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let picture = Picture { width: 2, height: 1, rgba: vec![1, 2, 3, 255, 4, 5, 6, 255].into() };
        let save =
            || plan(Content::Picture(picture.clone())).save_in(dir.path(), runtime.handle()).unwrap().path;
        let (first, second) = (save(), save());
        assert_ne!(first, second);
        let name = first.file_name().unwrap().to_str().unwrap();
        assert!(name.starts_with("duplex-가마-kiln-x-") && name.ends_with(".png"), "{name}");
        let read = image::load_from_memory(&fs::read(second).unwrap()).unwrap().into_rgba8();
        assert_eq!((read.dimensions(), read.into_raw()), ((2, 1), picture.rgba.to_vec()));
    }

    #[test]
    fn what_fails_leaves_nothing_and_says_why() {
        let dir = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let broken = Picture { width: 9, height: 9, rgba: vec![0; 4].into() };
        let failed = plan(Content::Picture(broken)).save_in(dir.path(), runtime.handle());
        assert!(matches!(failed, Err(ExportFailure::NotWritten { .. })), "{failed:?}");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
        let nowhere = dir.path().join("not there");
        let picture = Picture { width: 1, height: 1, rgba: vec![0; 4].into() };
        let failed = plan(Content::Picture(picture)).save_in(&nowhere, runtime.handle());
        assert!(
            matches!(failed, Err(ExportFailure::NotWritten { folder, .. }) if folder.contains("not there"))
        );
        let denied = io::Error::from(io::ErrorKind::PermissionDenied);
        assert!(matches!(not_written(dir.path(), &denied), ExportFailure::Denied { .. }));
        let full = io::Error::from(io::ErrorKind::StorageFull);
        assert_eq!(not_written(dir.path(), &full), ExportFailure::DiskFull);
    }
}
