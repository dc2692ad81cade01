//! [`TokenFile`]: tokens in a private file, for users who chose it because there is no keyring. They are not
//! encrypted.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::private_file;
use crate::model::ConnectionId;
use crate::model::profile::Secret;

/// File name in the data directory. It begins like the hub's token file and gets the same permissions.
pub(super) const OF_SERVERS: &str = "tokens.json";
/// The same for the passwords of proxies.
pub(super) const OF_PROXIES: &str = "tokens-of-proxies.json";
/// Maximum size of the file, in bytes.
const MAX_FILE_BYTES: u64 = 1 << 20;
const VERSION: u32 = 1;

/// The file. Nothing is cached: two programs may use one data directory in turn.
pub(super) struct TokenFile {
    path: PathBuf,
    /// Serialises read-modify-write.
    turn: Mutex<()>,
}

#[derive(Default, Serialize, Deserialize)]
struct Content {
    version: u32,
    /// Tokens by connection id.
    tokens: BTreeMap<u64, String>,
}

impl TokenFile {
    pub(super) fn new(dir: &Path, name: &str) -> TokenFile {
        TokenFile { path: dir.join(name), turn: Mutex::new(()) }
    }

    /// A connection's token; `None` if it is not stored here, or the file cannot be used.
    pub(super) fn get(&self, connection: ConnectionId) -> Option<Secret> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let content =
            self.read().inspect_err(|error| log::warn!("cannot read the token file: {error}")).ok()?;
        content.tokens.get(&connection.0).map(Secret::new)
    }

    /// The connections with a stored token.
    pub(super) fn connections(&self) -> Vec<ConnectionId> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        self.read().map(|content| content.tokens.into_keys().map(ConnectionId).collect()).unwrap_or_default()
    }

    /// Stores a token. It is on disk when this returns.
    pub(super) fn set(&self, connection: ConnectionId, token: &Secret) -> io::Result<()> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let mut content = self.read()?;
        content.tokens.insert(connection.0, token.reveal().to_owned());
        self.write(&content)
    }

    /// Removes a token; the file is deleted with the last one.
    pub(super) fn remove(&self, connection: ConnectionId) -> io::Result<()> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let mut content = self.read()?;
        if content.tokens.remove(&connection.0).is_none() {
            return Ok(());
        }
        if content.tokens.is_empty() { fs::remove_file(&self.path) } else { self.write(&content) }
    }

    fn read(&self) -> io::Result<Content> {
        let bad = |what: String| io::Error::other(format!("{} {what}", self.path.display()));
        if let Some(why) = private_file::is_foreign(&self.path) {
            return Err(bad(why.to_owned()));
        }
        let mut text = String::new();
        match fs::File::open(&self.path) {
            Ok(file) => file.take(MAX_FILE_BYTES).read_to_string(&mut text)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Content::default()),
            Err(error) => return Err(error),
        };
        let content: Content = serde_json::from_str(&text).map_err(|_| bad("is damaged".to_owned()))?;
        match content.version {
            VERSION => Ok(content),
            _ => Err(bad("was created by a newer version of Duplex".to_owned())),
        }
    }

    fn write(&self, content: &Content) -> io::Result<()> {
        let content = Content { version: VERSION, tokens: content.tokens.clone() };
        let text = serde_json::to_vec(&content).map_err(io::Error::other)?;
        private_file::write(&self.path, &text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: ConnectionId = ConnectionId(3);
    const OTHER: ConnectionId = ConnectionId(4);

    #[test]
    fn tokens_outlive_the_process_and_the_file_is_deleted_with_the_last() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(OF_SERVERS);
        let file = TokenFile::new(dir.path(), OF_SERVERS);
        assert_eq!(file.get(ONE), None);
        assert!(!path.exists(), "reading does not create the file");
        file.set(ONE, &Secret::new("s3cret \"열쇠\"")).unwrap();
        file.set(OTHER, &Secret::new("other")).unwrap();
        let again = TokenFile::new(dir.path(), OF_SERVERS);
        assert_eq!(again.get(ONE), Some(Secret::new("s3cret \"열쇠\"")));
        assert_eq!(again.connections(), [ONE, OTHER]);
        again.remove(ONE).unwrap();
        assert_eq!((again.get(ONE), again.get(OTHER)), (None, Some(Secret::new("other"))));
        again.remove(OTHER).unwrap();
        again.remove(OTHER).unwrap();
        assert!(!path.exists());
    }

    #[test]
    fn an_unusable_file_is_not_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(OF_SERVERS);
        for text in ["{", "{\"version\":9,\"tokens\":{}}"] {
            fs::write(&path, text).unwrap();
            let file = TokenFile::new(dir.path(), OF_SERVERS);
            assert_eq!(file.get(ONE), None);
            assert!(file.set(ONE, &Secret::new("x")).is_err());
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
    }

    #[cfg(unix)]
    #[test]
    fn the_file_is_private_and_symbolic_links_are_not_followed() {
        use std::os::unix::fs::{PermissionsExt as _, symlink};
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(OF_SERVERS);
        let file = TokenFile::new(dir.path(), OF_SERVERS);
        file.set(ONE, &Secret::new("x")).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        fs::remove_file(&path).unwrap();
        let victim = dir.path().join("victim");
        fs::write(&victim, "{\"version\":1,\"tokens\":{\"3\":\"planted\"}}").unwrap();
        symlink(&victim, &path).unwrap();
        assert_eq!(file.get(ONE), None);
        assert!(file.set(ONE, &Secret::new("x")).is_err());
    }
}
