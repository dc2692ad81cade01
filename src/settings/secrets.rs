//! [`SecretStore`]: tokens by connection, in the system's keyring (Secret Service, Keychain, Credential Manager). Where
//! there is none they live as long as the process; in a file they are only where the person asked for that
//! ([`SecretStore::keep_in_file`]), and only until there is a keyring again.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::token_file::TokenFile;
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

/// Where secrets are kept for good.
trait Keyring: Send + Sync {
    fn get(&self, name: &str) -> Result<Option<String>, NotKept>;
    fn set(&self, name: &str, secret: &str) -> Result<(), NotKept>;
    fn remove(&self, name: &str) -> Result<(), NotKept>;
}

/// The system's.
struct System;

impl Keyring for System {
    fn get(&self, name: &str) -> Result<Option<String>, NotKept> {
        match keyring::Entry::new(SERVICE, name).and_then(|entry| entry.get_password()) {
            Ok(text) => Ok(Some(text)),
            Err(keyring::Error::NoEntry) => Ok(None),
            Err(error) => Err(NotKept { detail: words(&error) }),
        }
    }

    fn set(&self, name: &str, secret: &str) -> Result<(), NotKept> {
        // An error names the entry and the system's words, never the secret.
        let kept = keyring::Entry::new(SERVICE, name).and_then(|entry| entry.set_password(secret));
        kept.map_err(|error| NotKept { detail: words(&error) })
    }

    fn remove(&self, name: &str) -> Result<(), NotKept> {
        match keyring::Entry::new(SERVICE, name).and_then(|entry| entry.delete_credential()) {
            Ok(()) | Err(keyring::Error::NoEntry | keyring::Error::NoDefaultStore) => Ok(()),
            Err(error) => Err(NotKept { detail: words(&error) }),
        }
    }
}

/// None at all.
struct Nowhere;

impl Keyring for Nowhere {
    fn get(&self, _: &str) -> Result<Option<String>, NotKept> {
        Err(NotKept { detail: "there is no keyring".to_owned() })
    }

    fn set(&self, _: &str, _: &str) -> Result<(), NotKept> {
        Err(NotKept { detail: "there is no keyring".to_owned() })
    }

    fn remove(&self, _: &str) -> Result<(), NotKept> {
        Ok(())
    }
}

/// One that takes nothing and never had anything.
struct Empty;

impl Keyring for Empty {
    fn get(&self, _: &str) -> Result<Option<String>, NotKept> {
        Ok(None)
    }

    fn set(&self, _: &str, _: &str) -> Result<(), NotKept> {
        Err(NotKept { detail: "secrets are kept in memory alone".to_owned() })
    }

    fn remove(&self, _: &str) -> Result<(), NotKept> {
        Ok(())
    }
}

/// The secrets of one data directory's connections. Clones share them.
///
/// The keyring can block: for a round trip over D-Bus, or for as long as the system asks the person to unlock it. Call
/// what is said to block from a thread of its own, never from the window's or the worker's.
#[derive(Clone)]
pub struct SecretStore {
    /// The data directory, so that two of them do not share a connection's number.
    scope: Arc<str>,
    keyring: Arc<dyn Keyring>,
    /// `None`: never in a file.
    file: Option<Arc<TokenFile>>,
    known: Arc<Mutex<HashMap<ConnectionId, Secret>>>,
}

impl SecretStore {
    /// The secrets of a data directory. Asks nothing of the keyring yet.
    pub fn new(dir: &Path) -> Self {
        SecretStore::over(Arc::new(System), dir)
    }

    /// The secrets of a data directory on a computer without a keyring.
    pub fn without_keyring(dir: &Path) -> Self {
        SecretStore::over(Arc::new(Nowhere), dir)
    }

    fn over(keyring: Arc<dyn Keyring>, dir: &Path) -> Self {
        let dir = std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
        let scope = dir.to_string_lossy().into();
        SecretStore { scope, keyring, file: Some(Arc::new(TokenFile::new(&dir))), known: Arc::default() }
    }

    /// Secrets that end with the process.
    pub fn in_memory() -> Self {
        let scope = Arc::from("");
        SecretStore { scope, keyring: Arc::new(Empty), file: None, known: Arc::default() }
    }

    /// Whether the keyring takes a secret: some answer, and take none. Blocks.
    ///
    /// # Errors
    /// When there is none, it stays locked, or it takes nothing.
    pub fn check(&self) -> Result<(), NotKept> {
        const NAME: &str = "test whether this keyring can be used";
        self.keyring.set(NAME, "-")?;
        self.keyring.remove(NAME)
    }

    /// A connection's secret; none where none was ever kept. Blocks. One that is in the file moves to the keyring as soon
    /// as there is one.
    ///
    /// # Errors
    /// When the keyring cannot be asked: there is none, or it stays locked.
    pub fn get(&self, connection: ConnectionId) -> Result<Option<Secret>, NotKept> {
        if let Some(secret) = self.known().get(&connection) {
            return Ok(Some(secret.clone()));
        }
        let in_file = self.file.as_ref().and_then(|file| file.get(connection));
        let secret = match (self.keyring.get(&self.name(connection)), in_file) {
            (Err(error), None) => return Err(error),
            (Err(_), Some(secret)) => Some(secret),
            (Ok(Some(text)), None) => Some(Secret::new(text)),
            (Ok(None), None) => None,
            // The file is newer: it was written while there was no keyring.
            (Ok(_), Some(secret)) => {
                if self.keyring.set(&self.name(connection), secret.reveal()).is_ok() {
                    self.forget_in_file(connection);
                }
                Some(secret)
            }
        };
        if let Some(secret) = &secret {
            self.known().insert(connection, secret.clone());
        }
        Ok(secret)
    }

    /// Keeps a connection's secret, at least in memory. Blocks.
    ///
    /// # Errors
    /// When it ends with the process: the keyring did not take it, and it is not to be in a file.
    pub fn set(&self, connection: ConnectionId, secret: &Secret) -> Result<(), NotKept> {
        self.known().insert(connection, secret.clone());
        match self.keyring.set(&self.name(connection), secret.reveal()) {
            Ok(()) => {
                self.forget_in_file(connection);
                Ok(())
            }
            // The person asked for it before.
            Err(_) if self.is_in_file(connection) => self.keep_in_file(connection),
            Err(error) => Err(error),
        }
    }

    /// Keeps a connection's secret in the file from now on, because the person wants that. Blocks.
    ///
    /// # Errors
    /// When the file cannot be written, or no secret is known.
    pub fn keep_in_file(&self, connection: ConnectionId) -> Result<(), NotKept> {
        let secret = self.known().get(&connection).cloned();
        let (Some(file), Some(secret)) = (&self.file, secret) else {
            return Err(NotKept { detail: "no token is known".to_owned() });
        };
        file.set(connection, &secret).map_err(|error| NotKept { detail: error.to_string() })
    }

    /// Whether a connection's secret is in the file. Reads it.
    pub fn is_in_file(&self, connection: ConnectionId) -> bool {
        self.in_file().contains(&connection)
    }

    /// The connections whose secrets are in the file. Reads it.
    pub fn in_file(&self) -> Vec<ConnectionId> {
        self.file.as_ref().map(|file| file.connections()).unwrap_or_default()
    }

    /// Takes a connection's secret out of the file. It is known until the process ends.
    pub fn forget_in_file(&self, connection: ConnectionId) {
        if let Some(Err(error)) = self.file.as_ref().map(|file| file.remove(connection)) {
            log::warn!("a token stays in the file of tokens: {error}");
        }
    }

    /// What is known without asking the keyring.
    pub fn known_secret(&self, connection: ConnectionId) -> Option<Secret> {
        self.known().get(&connection).cloned()
    }

    /// Forgets a connection's secret everywhere. Blocks.
    pub fn remove(&self, connection: ConnectionId) {
        self.known().remove(&connection);
        self.forget_in_file(connection);
        if let Err(error) = self.keyring.remove(&self.name(connection)) {
            log::warn!("the keyring did not let go of a secret: {error}");
        }
    }

    fn name(&self, connection: ConnectionId) -> String {
        format!("connection {} of {}", connection.0, self.scope)
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

    /// A keyring that can be taken away.
    #[derive(Default)]
    struct Drawer(Mutex<(bool, HashMap<String, String>)>);

    impl Drawer {
        fn open(&self, open: bool) {
            self.0.lock().unwrap().0 = open;
        }

        fn inside<T>(&self, act: impl FnOnce(&mut HashMap<String, String>) -> T) -> Result<T, NotKept> {
            let (open, inside) = &mut *self.0.lock().unwrap();
            if *open { Ok(act(inside)) } else { Err(NotKept { detail: "closed".to_owned() }) }
        }
    }

    impl Keyring for Drawer {
        fn get(&self, name: &str) -> Result<Option<String>, NotKept> {
            self.inside(|inside| inside.get(name).cloned())
        }
        fn set(&self, name: &str, secret: &str) -> Result<(), NotKept> {
            self.inside(|inside| inside.insert(name.to_owned(), secret.to_owned())).map(drop)
        }
        fn remove(&self, name: &str) -> Result<(), NotKept> {
            self.inside(|inside| inside.remove(name)).map(drop)
        }
    }

    #[test]
    fn a_token_is_in_a_file_only_if_asked_for_and_only_while_there_is_no_keyring() {
        let (one, dir) = (ConnectionId(7), tempfile::tempdir().unwrap());
        let drawer = Arc::new(Drawer::default());
        let store = || SecretStore::over(Arc::clone(&drawer) as Arc<dyn Keyring>, dir.path());
        let files = || std::fs::read_dir(dir.path()).unwrap().count();
        let first = store();
        assert!(first.check().is_err());
        assert!(first.set(one, &Secret::new("first")).is_err());
        assert_eq!(files(), 0, "never silently");
        assert!(store().get(one).is_err(), "it has ended with the process");
        first.keep_in_file(one).unwrap();
        assert_eq!(store().get(one), Ok(Some(Secret::new("first"))), "after a restart");
        // A new token takes the place of the one in the file.
        store().set(one, &Secret::new("second")).unwrap();
        assert_eq!(store().get(one), Ok(Some(Secret::new("second"))));
        // The keyring comes back: it moves.
        drawer.open(true);
        let back = store();
        assert_eq!((back.check(), back.get(one)), (Ok(()), Ok(Some(Secret::new("second")))));
        assert_eq!(files(), 0);
        assert_eq!(store().get(one), Ok(Some(Secret::new("second"))), "from the keyring");
        // Removed with its connection.
        drawer.open(false);
        back.keep_in_file(one).unwrap();
        store().remove(one);
        assert_eq!(files(), 0);
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
