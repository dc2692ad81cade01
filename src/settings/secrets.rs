//! [`SecretStore`]: tokens by connection, in the system's keyring (Secret Service, Keychain, Credential Manager).
//! Without a keyring they live as long as the process; they are stored in a file only if the user asked for it
//! ([`SecretStore::keep_in_file`]), and only until a keyring is available.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::token_file::{self, TokenFile};
use crate::model::ConnectionId;
use crate::model::profile::Secret;
use crate::model::proxy::{Proxy, ProxyAddress};

/// The service name shown by the keyring.
const SERVICE: &str = "Duplex";

/// The keyring failed: the secret lives as long as the process and will be asked for again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct NotStored {
    /// The keyring's error text.
    pub detail: String,
}

/// Persistent storage of secrets.
trait Keyring: Send + Sync {
    fn get(&self, name: &str) -> Result<Option<String>, NotStored>;
    fn set(&self, name: &str, secret: &str) -> Result<(), NotStored>;
    fn remove(&self, name: &str) -> Result<(), NotStored>;
}

/// The system's keyring.
struct System;

impl Keyring for System {
    fn get(&self, name: &str) -> Result<Option<String>, NotStored> {
        match keyring::Entry::new(SERVICE, name).and_then(|entry| entry.get_password()) {
            Ok(text) => Ok(Some(text)),
            Err(keyring::Error::NoEntry) => Ok(None),
            Err(error) => Err(NotStored { detail: words(&error) }),
        }
    }

    fn set(&self, name: &str, secret: &str) -> Result<(), NotStored> {
        // The error contains the entry's name and the system's message, never the secret.
        let kept = keyring::Entry::new(SERVICE, name).and_then(|entry| entry.set_password(secret));
        kept.map_err(|error| NotStored { detail: words(&error) })
    }

    fn remove(&self, name: &str) -> Result<(), NotStored> {
        match keyring::Entry::new(SERVICE, name).and_then(|entry| entry.delete_credential()) {
            Ok(()) | Err(keyring::Error::NoEntry | keyring::Error::NoDefaultStore) => Ok(()),
            Err(error) => Err(NotStored { detail: words(&error) }),
        }
    }
}

/// A keyring that does not exist.
struct Nowhere;

impl Keyring for Nowhere {
    fn get(&self, _: &str) -> Result<Option<String>, NotStored> {
        Err(NotStored { detail: "there is no keyring".to_owned() })
    }

    fn set(&self, _: &str, _: &str) -> Result<(), NotStored> {
        Err(NotStored { detail: "there is no keyring".to_owned() })
    }

    fn remove(&self, _: &str) -> Result<(), NotStored> {
        Ok(())
    }
}

/// An empty keyring that accepts nothing.
struct Empty;

impl Keyring for Empty {
    fn get(&self, _: &str) -> Result<Option<String>, NotStored> {
        Ok(None)
    }

    fn set(&self, _: &str, _: &str) -> Result<(), NotStored> {
        Err(NotStored { detail: "secrets are kept in memory alone".to_owned() })
    }

    fn remove(&self, _: &str) -> Result<(), NotStored> {
        Ok(())
    }
}

/// The secrets of one data directory's connections. Clones share them.
///
/// The keyring can block for a D-Bus round trip, or for as long as the system asks the user to unlock it. Call
/// methods documented to block from a separate thread, never from the window's or the worker's.
#[derive(Clone)]
pub struct SecretStore {
    /// The data directory, which distinguishes equal connection ids of two directories.
    scope: Arc<str>,
    keyring: Arc<dyn Keyring>,
    /// `None` if secrets are never stored in a file.
    file: Option<Arc<TokenFile>>,
    known: Arc<Mutex<HashMap<ConnectionId, Secret>>>,
    /// What the keyring calls an entry.
    entry: &'static str,
    /// The passwords of the connections' proxies, kept in the same way.
    proxies: Option<Box<SecretStore>>,
}

impl SecretStore {
    /// The secrets of a data directory. Does not access the keyring yet.
    pub fn new(dir: &Path) -> Self {
        SecretStore::over(Arc::new(System), dir)
    }

    /// The secrets of a data directory without a keyring.
    pub fn without_keyring(dir: &Path) -> Self {
        SecretStore::over(Arc::new(Nowhere), dir)
    }

    fn over(keyring: Arc<dyn Keyring>, dir: &Path) -> Self {
        let dir = std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
        let scope: Arc<str> = dir.to_string_lossy().into();
        let store = |entry, file, proxies| SecretStore {
            scope: Arc::clone(&scope),
            keyring: Arc::clone(&keyring),
            file: Some(Arc::new(TokenFile::new(&dir, file))),
            known: Arc::default(),
            entry,
            proxies,
        };
        let proxies = store("proxy of connection", token_file::OF_PROXIES, None);
        store("connection", token_file::OF_SERVERS, Some(Box::new(proxies)))
    }

    /// Secrets that are kept in memory only.
    pub fn in_memory() -> Self {
        let scope = Arc::from("");
        let entry = "connection";
        let mut store = SecretStore {
            scope,
            keyring: Arc::new(Empty),
            file: None,
            known: Arc::default(),
            entry,
            proxies: None,
        };
        store.proxies = Some(Box::new(SecretStore { known: Arc::default(), ..store.clone() }));
        store
    }

    /// Checks that the keyring accepts a secret: some answer but accept none. Blocks.
    ///
    /// # Errors
    /// If there is none, it stays locked, or it accepts nothing.
    pub fn check(&self) -> Result<(), NotStored> {
        const NAME: &str = "test whether this keyring can be used";
        self.keyring.set(NAME, "-")?;
        self.keyring.remove(NAME)
    }

    /// A connection's secret; `None` if none was stored. A secret in the file moves to the keyring as soon as that
    /// works. Blocks.
    ///
    /// # Errors
    /// If the keyring cannot be read: there is none, or it stays locked.
    pub fn get(&self, connection: ConnectionId) -> Result<Option<Secret>, NotStored> {
        if let Some(secret) = self.known().get(&connection) {
            return Ok(Some(secret.clone()));
        }
        let in_file = self.file.as_ref().and_then(|file| file.get(connection));
        let secret = match (self.keyring.get(&self.name(connection)), in_file) {
            (Err(error), None) => return Err(error),
            (Err(_), Some(secret)) => Some(secret),
            (Ok(Some(text)), None) => Some(Secret::new(text)),
            (Ok(None), None) => None,
            // The file is newer: it was written while the keyring was unavailable.
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

    /// Stores a connection's secret, at least in memory. Blocks.
    ///
    /// # Errors
    /// If it is in memory only: the keyring failed, and it must not be stored in the file.
    pub fn set(&self, connection: ConnectionId, secret: &Secret) -> Result<(), NotStored> {
        self.known().insert(connection, secret.clone());
        match self.keyring.set(&self.name(connection), secret.reveal()) {
            Ok(()) => {
                self.forget_in_file(connection);
                Ok(())
            }
            // The user chose the file before.
            Err(_) if self.is_in_file(connection) => self.keep_in_file(connection),
            Err(error) => Err(error),
        }
    }

    /// The password for a connection's proxy; none if none was stored, or one for another proxy. Blocks.
    pub fn proxy_password(&self, connection: ConnectionId, address: &ProxyAddress) -> Option<Secret> {
        let kept = self.proxies.as_ref()?.get(connection);
        let kept = kept.inspect_err(|error| log::warn!("the password of a proxy cannot be read: {error}"));
        address.password_of(&kept.ok()??)
    }

    /// Stores the password for a connection's proxy, at least in memory; in the file where the connection's own secret is. Blocks.
    ///
    /// # Errors
    /// As [`SecretStore::set`].
    pub fn set_proxy_password(&self, connection: ConnectionId, proxy: &Proxy) -> Result<(), NotStored> {
        let Some(proxies) = &self.proxies else { return Ok(()) };
        match proxies.set(connection, &proxy.to_secret()) {
            Err(_) if self.is_in_file(connection) => proxies.keep_in_file(connection),
            kept => kept,
        }
    }

    /// Stores a connection's secret in the file from now on, as the user chose. Blocks.
    ///
    /// # Errors
    /// If the file cannot be written, or no secret is known.
    pub fn keep_in_file(&self, connection: ConnectionId) -> Result<(), NotStored> {
        let secret = self.known().get(&connection).cloned();
        if let Some(proxies) =
            self.proxies.as_ref().filter(|proxies| proxies.known_secret(connection).is_some())
        {
            proxies.keep_in_file(connection)?;
        }
        let (Some(file), Some(secret)) = (&self.file, secret) else {
            return Err(NotStored { detail: "no token is known".to_owned() });
        };
        file.set(connection, &secret).map_err(|error| NotStored { detail: error.to_string() })
    }

    /// Whether a connection's secret is in the file. Reads the file.
    pub fn is_in_file(&self, connection: ConnectionId) -> bool {
        self.in_file().contains(&connection)
    }

    /// The connections whose secrets are in the file. Reads the file.
    pub fn in_file(&self) -> Vec<ConnectionId> {
        self.file.as_ref().map(|file| file.connections()).unwrap_or_default()
    }

    /// Removes a connection's secret from the file. It stays in memory.
    pub fn forget_in_file(&self, connection: ConnectionId) {
        if let Some(Err(error)) = self.file.as_ref().map(|file| file.remove(connection)) {
            log::warn!("cannot remove a token from the token file: {error}");
        }
        if let Some(proxies) = &self.proxies {
            proxies.forget_in_file(connection);
        }
    }

    /// The secret in memory; does not access the keyring.
    pub fn known_secret(&self, connection: ConnectionId) -> Option<Secret> {
        self.known().get(&connection).cloned()
    }

    /// Removes a connection's secret everywhere. Blocks.
    pub fn remove(&self, connection: ConnectionId) {
        self.known().remove(&connection);
        self.forget_in_file(connection);
        if let Err(error) = self.keyring.remove(&self.name(connection)) {
            log::warn!("cannot remove a secret from the keyring: {error}");
        }
        if let Some(proxies) = &self.proxies {
            proxies.remove(connection);
        }
    }

    fn name(&self, connection: ConnectionId) -> String {
        format!("{} {} of {}", self.entry, connection.0, self.scope)
    }

    fn known(&self) -> MutexGuard<'_, HashMap<ConnectionId, Secret>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The keyring reports the reason on the first attempt only; later errors say only that there is none.
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
    fn without_a_keyring_a_secret_is_kept_in_memory_and_reported() {
        let (store, one) = (SecretStore::in_memory(), ConnectionId(1));
        assert_eq!(store.get(one), Ok(None));
        assert!(store.set(one, &Secret::new("s3cret")).is_err());
        assert_eq!(store.clone().get(one), Ok(Some(Secret::new("s3cret"))));
        store.remove(one);
        assert_eq!(store.get(one), Ok(None));
    }

    /// A keyring that can become unavailable.
    #[derive(Default)]
    struct Drawer(Mutex<(bool, HashMap<String, String>)>);

    impl Drawer {
        fn open(&self, open: bool) {
            self.0.lock().unwrap().0 = open;
        }

        fn inside<T>(&self, act: impl FnOnce(&mut HashMap<String, String>) -> T) -> Result<T, NotStored> {
            let (open, inside) = &mut *self.0.lock().unwrap();
            if *open { Ok(act(inside)) } else { Err(NotStored { detail: "closed".to_owned() }) }
        }
    }

    impl Keyring for Drawer {
        fn get(&self, name: &str) -> Result<Option<String>, NotStored> {
            self.inside(|inside| inside.get(name).cloned())
        }
        fn set(&self, name: &str, secret: &str) -> Result<(), NotStored> {
            self.inside(|inside| inside.insert(name.to_owned(), secret.to_owned())).map(drop)
        }
        fn remove(&self, name: &str) -> Result<(), NotStored> {
            self.inside(|inside| inside.remove(name)).map(drop)
        }
    }

    #[test]
    fn a_token_is_in_the_file_only_if_requested_and_only_without_a_keyring() {
        let (one, dir) = (ConnectionId(7), tempfile::tempdir().unwrap());
        let drawer = Arc::new(Drawer::default());
        let store = || SecretStore::over(Arc::clone(&drawer) as Arc<dyn Keyring>, dir.path());
        let files = || std::fs::read_dir(dir.path()).unwrap().count();
        let first = store();
        assert!(first.check().is_err());
        assert!(first.set(one, &Secret::new("first")).is_err());
        assert_eq!(files(), 0, "never without asking");
        assert!(store().get(one).is_err(), "it was lost with the process");
        first.keep_in_file(one).unwrap();
        assert_eq!(store().get(one), Ok(Some(Secret::new("first"))), "after a restart");
        // A new token replaces the one in the file.
        store().set(one, &Secret::new("second")).unwrap();
        assert_eq!(store().get(one), Ok(Some(Secret::new("second"))));
        // The keyring is back: the token moves to it.
        drawer.open(true);
        let back = store();
        assert_eq!((back.check(), back.get(one)), (Ok(()), Ok(Some(Secret::new("second")))));
        assert_eq!(files(), 0);
        assert_eq!(store().get(one), Ok(Some(Secret::new("second"))), "from the keyring");
        // The password of a proxy goes the same ways, and to no other proxy.
        let proxy = Proxy::parse("http://me:hunter2@proxy.example:3128").unwrap();
        let other = Proxy::parse("http://me@proxy.example:80").unwrap();
        back.set_proxy_password(one, &proxy).unwrap();
        assert_eq!(store().proxy_password(one, &proxy.address), Some(Secret::new("hunter2")));
        assert_eq!(store().proxy_password(one, &other.address), None);
        // Removed with its connection.
        drawer.open(false);
        back.keep_in_file(one).unwrap();
        assert_eq!(files(), 2);
        store().remove(one);
        assert_eq!(files(), 0);
        drawer.open(true);
        store().remove(one);
        assert_eq!(store().proxy_password(one, &proxy.address), None);
    }

    #[test]
    #[ignore = "needs an unlocked keyring: dbus-run-session -- sh -c 'echo x | gnome-keyring-daemon --unlock; cargo test -- --ignored keyring'"]
    fn a_keyring_secret_outlives_the_process_and_is_separate_by_directory() {
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
