//! One app per data directory: the first holds a lock, and a second start leaves.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

/// Holds the data directory for this process; let go when dropped, however the process ends.
pub(super) struct Instance {
    _lock: File,
}

impl Instance {
    /// Claims a data directory.
    pub(super) fn claim(data_dir: &Path) -> Result<Instance, String> {
        let path = data_dir.join("app.lock");
        let open = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let lock = open.map_err(|error| {
            format!(
                "{} cannot be written: {error}. Choose another folder with --data-dir DIR.",
                path.display()
            )
        })?;
        match lock.try_lock() {
            Ok(()) => Ok(Instance { _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(format!(
                "Duplex is running already with {}. For a second window beside it: duplex --data-dir DIR.",
                data_dir.display()
            )),
            Err(TryLockError::Error(error)) => Err(format!("{} cannot be locked: {error}.", path.display())),
        }
    }
}
