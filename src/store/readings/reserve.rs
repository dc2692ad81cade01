//! [`Reserve`]: disk space reserved by a file beside the database, and released when the disk is full, so that
//! readings accepted before that can still be written.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::super::files;

/// Bytes written at once.
const PIECE: usize = 64 * 1024;

/// A file that reserves disk space.
pub(super) struct Reserve {
    path: PathBuf,
    bytes: u64,
    is_held: bool,
}

impl Reserve {
    /// The reserve of a database; 0 bytes disables it.
    pub(super) fn new(database: &Path, bytes: u64) -> Reserve {
        Reserve { path: files::beside(database, ".reserve"), bytes, is_held: false }
    }

    /// Creates the file unless it exists.
    ///
    /// # Errors
    /// If there is not enough space.
    pub(super) fn hold(&mut self) -> io::Result<()> {
        if self.bytes == 0 || self.is_held {
            return Ok(());
        }
        if fs::metadata(&self.path).is_ok_and(|file| file.len() == self.bytes) {
            self.is_held = true;
            return Ok(());
        }
        if let Err(error) = self.make() {
            // A partial reserve would only waste space.
            let _ = fs::remove_file(&self.path);
            return Err(error);
        }
        self.is_held = true;
        Ok(())
    }

    /// Whether the reserve is enabled but missing.
    pub(super) fn is_spent(&self) -> bool {
        self.bytes > 0 && !self.is_held
    }

    /// Releases the space. Returns `false` if there was none.
    pub(super) fn spend(&mut self) -> bool {
        let was_held = std::mem::take(&mut self.is_held);
        was_held && fs::remove_file(&self.path).is_ok()
    }

    /// Incompressible bytes, so that the file takes its full size on any file system.
    fn make(&self) -> io::Result<()> {
        let _ = fs::remove_file(&self.path);
        files::make_private(&self.path)?;
        let mut file = fs::OpenOptions::new().write(true).open(&self.path)?;
        let (mut left, mut noise) = (self.bytes, 0x9e37_79b9_7f4a_7c15_u64);
        while left > 0 {
            let mut piece = Vec::with_capacity(PIECE);
            while piece.len() < PIECE {
                noise ^= noise << 13;
                noise ^= noise >> 7;
                noise ^= noise << 17;
                piece.extend_from_slice(&noise.to_ne_bytes());
            }
            piece.truncate(usize::try_from(left).unwrap_or(PIECE));
            file.write_all(&piece)?;
            left -= piece.len() as u64;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn space_is_reserved_until_released_and_found_after_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let database = dir.path().join("r.db");
        let held = || fs::metadata(dir.path().join("r.db.reserve")).map_or(0, |file| file.len());
        let mut reserve = Reserve::new(&database, 100_000);
        assert!(reserve.is_spent());
        reserve.hold().unwrap();
        assert_eq!((held(), reserve.is_spent()), (100_000, false));
        let mut again = Reserve::new(&database, 100_000);
        again.hold().unwrap();
        assert!(again.spend() && !again.spend());
        assert_eq!((held(), again.is_spent()), (0, true));
        // A path that cannot be written.
        let mut nowhere = Reserve::new(&dir.path().join("file").join("r.db"), 10);
        fs::write(dir.path().join("file"), "x").unwrap();
        assert!(nowhere.hold().is_err() && nowhere.is_spent());
        let mut none = Reserve::new(&database, 0);
        assert!(none.hold().is_ok() && !none.is_spent() && !none.spend());
    }
}
