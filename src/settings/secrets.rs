//! [`SecretStore`]: tokens by connection, in the system's keyring (Secret Service, Keychain, Credential Manager). Where
//! there is none they live as long as the process; they are never in a file.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::model::ConnectionId;
use crate::model::profile::Secret;

/// What the keyring's own window calls the program.
const SERVICE: &str = "Duplex";

/// The keyring did not take or give a secret: it lives as long as the process, and will be asked for again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct NotKept {
    /// The system's words.
    pub detail: String,
}

/// The secrets of one data directory's connections. Clones share them.
///
/// The keyring can block: for a round trip over D-Bus, or for as long as the system asks the person to unlock it. Call
/// [`SecretStore::get`], [`SecretStore::set`] and [`SecretStore::remove`] from a thread of their own, never from the
/// window's or the worker's.
#[derive(Clone)]
pub struct SecretStore {
    /// The data directory, so that two of them do not share a connection's number. `None`: memory only.
    scope: Option<Arc<str>>,
    known: Arc<Mutex<HashMap<ConnectionId, Secret>>>,
}

impl SecretStore {
    /// The secrets of a data directory. Asks nothing of the keyring yet.
    pub fn new(dir: &Path) -> Self {
        let dir = std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
        SecretStore { scope: Some(dir.to_string_lossy().into()), known: Arc::default() }
    }

    /// Secrets that end with the process.
    pub fn in_memory() -> Self {
        SecretStore { scope: None, known: Arc::default() }
    }

    /// A connection's secret; none where none was ever kept. Blocks.
    ///
    /// # Errors
    /// When the keyring cannot be asked: there is none, or it stays locked.
    pub fn get(&self, connection: ConnectionId) -> Result<Option<Secret>, NotKept> {
        if let Some(secret) = self.known().get(&connection) {
            return Ok(Some(secret.clone()));
        }
        let Some(entry) = self.entry(connection) else { return Ok(None) };
        match entry.and_then(|entry| entry.get_password()) {
            Ok(text) => {
                let secret = Secret::new(text);
                self.known().insert(connection, secret.clone());
                Ok(Some(secret))
            }
            Err(keyring::Error::NoEntry) => Ok(None),
            Err(error) => Err(NotKept { detail: words(&error) }),
        }
    }

    /// Keeps a connection's secret, at least in memory. Blocks.
    pub fn set(&self, connection: ConnectionId, secret: &Secret) -> Result<(), NotKept> {
        self.known().insert(connection, secret.clone());
        let Some(entry) = self.entry(connection) else {
            return Err(NotKept { detail: "secrets are kept in memory alone".to_owned() });
        };
        let kept = entry.and_then(|entry| entry.set_password(secret.reveal()));
        // An error names the entry and the system's words, never the secret.
        kept.map_err(|error| NotKept { detail: words(&error) })
    }

    /// Forgets a connection's secret. Blocks.
    pub fn remove(&self, connection: ConnectionId) {
        self.known().remove(&connection);
        let removed = self.entry(connection).map(|entry| entry.and_then(|entry| entry.delete_credential()));
        match removed {
            None | Some(Ok(()) | Err(keyring::Error::NoEntry | keyring::Error::NoDefaultStore)) => {}
            Some(Err(error)) => log::warn!("the keyring did not let go of a secret: {error}"),
        }
    }

    fn entry(&self, connection: ConnectionId) -> Option<keyring::Result<keyring::Entry>> {
        let scope = self.scope.as_ref()?;
        Some(keyring::Entry::new(SERVICE, &format!("connection {} of {scope}", connection.0)))
    }

    fn known(&self) -> MutexGuard<'_, HashMap<ConnectionId, Secret>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why there is no keyring is known since the first try; later ones say only that there is none.
fn words(error: &keyring::Error) -> String {
    match (error, keyring::Entry::store_status()) {
        (keyring::Error::NoDefaultStore, Err(why)) => why.to_string(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_keyring_a_secret_lives_as_long_as_the_process_and_the_person_is_told() {
        let (store, one) = (SecretStore::in_memory(), ConnectionId(1));
        assert_eq!(store.get(one), Ok(None));
        assert!(store.set(one, &Secret::new("s3cret")).is_err());
        assert_eq!(store.clone().get(one), Ok(Some(Secret::new("s3cret"))));
        store.remove(one);
        assert_eq!(store.get(one), Ok(None));
    }

    #[test]
    #[ignore = "needs an unlocked keyring: dbus-run-session -- sh -c 'echo x | gnome-keyring-daemon --unlock; cargo test -- --ignored keyring'"]
    fn a_keyring_keeps_a_secret_beyond_the_process_and_apart_from_other_directories() {
        let (one, dir) = (ConnectionId(1), tempfile::tempdir().unwrap());
        SecretStore::new(dir.path()).set(one, &Secret::new("s3cret 열쇠")).unwrap();
        let again = SecretStore::new(dir.path());
        assert_eq!(again.get(one), Ok(Some(Secret::new("s3cret 열쇠"))));
        assert_eq!(again.get(ConnectionId(2)), Ok(None));
        assert_eq!(SecretStore::new(&dir.path().join("other")).get(one), Ok(None));
        again.remove(one);
        assert_eq!(SecretStore::new(dir.path()).get(one), Ok(None));
    }
}
