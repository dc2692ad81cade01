//! Small files of the data directory that `duplexctl` changes and a running hub reads again: a JSON object with a list.

use std::io::ErrorKind;
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::HubError;
use crate::settings::private_file;

/// Maximum size of such a file, in bytes.
const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// Reads a file; the default if there is none.
///
/// # Errors
/// If it cannot be read, is too large, or makes no sense.
pub(super) fn read<T: DeserializeOwned + Default>(path: &Path) -> Result<T, HubError> {
    let file = |source| HubError::File { path: path.to_owned(), source };
    match std::fs::metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(T::default()),
        Err(error) => return Err(file(error)),
        Ok(known) if known.len() > MAX_FILE_BYTES => return Err(file(ErrorKind::FileTooLarge.into())),
        Ok(_) => {}
    }
    let bytes = std::fs::read(path).map_err(file)?;
    serde_json::from_slice(&bytes).map_err(|error| file(error.into()))
}

/// Replaces a file.
///
/// # Errors
/// If it cannot be written.
pub(super) fn write<T: Serialize>(path: &Path, content: &T) -> Result<(), HubError> {
    let bytes = serde_json::to_vec_pretty(content).map_err(|error| HubError::file(path)(error.into()))?;
    private_file::write(path, &bytes).map_err(HubError::file(path))
}
