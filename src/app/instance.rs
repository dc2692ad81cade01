//! One app per data directory: the first holds a lock; a second start asks it to come to the front, and leaves.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::clock;
use crate::settings::private_file;
use crate::wire::duplex::proof::hex;

/// How long either side of a second start waits for the other.
const PATIENCE: Duration = Duration::from_secs(2);

/// Holds the data directory for this process; let go when dropped, however the process ends.
pub(super) struct Instance {
    _lock: File,
    record: PathBuf,
    front: Front,
}

/// What brings the window to the front, once there is one.
pub(super) type Front = Arc<OnceLock<Box<dyn Fn() + Send + Sync>>>;

/// Where the first start listens, and the word that only this user's programs can read.
#[derive(Serialize, Deserialize)]
struct Record {
    port: u16,
    word: String,
}

impl Instance {
    /// Claims a data directory. `None`: another window has it, and was asked to come to the front.
    pub(super) fn claim(data_dir: &Path, has_wishes: bool) -> Result<Option<Instance>, String> {
        let path = data_dir.join("app.lock");
        let open = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let lock = open.map_err(|error| {
            format!(
                "{} cannot be written: {error}. Choose another folder with --data-dir DIR.",
                path.display()
            )
        })?;
        let record = data_dir.join("app.json");
        match lock.try_lock() {
            Ok(()) => {
                let front = Front::default();
                if let Err(error) = listen(&record, Arc::clone(&front)) {
                    log::warn!("a second start will not find this window: {error}");
                }
                Ok(Some(Instance { _lock: lock, record, front }))
            }
            Err(TryLockError::WouldBlock) if !has_wishes && ask(&record).is_some() => Ok(None),
            Err(TryLockError::WouldBlock) => Err(format!(
                "Duplex is running already with {}. For a second window beside it: duplex --data-dir DIR.",
                data_dir.display()
            )),
            Err(TryLockError::Error(error)) => Err(format!("{} cannot be locked: {error}.", path.display())),
        }
    }

    /// What brings the window to the front is to be put here.
    pub(super) fn front(&self) -> &Front {
        &self.front
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        // The next start writes its own; a stale one is answered by nobody.
        let _ = std::fs::remove_file(&self.record);
    }
}

/// Listens for second starts on a thread of its own.
fn listen(record: &Path, front: Front) -> std::io::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let word = hex(&clock::random::<16>().map_err(std::io::Error::other)?);
    let text = serde_json::to_string(&Record { port: listener.local_addr()?.port(), word: word.clone() })?;
    private_file::write(record, text.as_bytes())?;
    std::thread::Builder::new().name("second-starts".to_owned()).spawn(move || {
        for stream in listener.incoming() {
            let came = stream.is_ok_and(|stream| greeted(stream, &word).is_some());
            if let (true, Some(front)) = (came, front.get()) {
                front();
            }
        }
    })?;
    Ok(())
}

/// Whoever knows the word is a program of this user.
fn greeted(mut stream: TcpStream, word: &str) -> Option<()> {
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    let mut said = vec![0; word.len()];
    stream.read_exact(&mut said).ok()?;
    (said == word.as_bytes()).then_some(())?;
    stream.write_all(b"ok").ok()
}

/// Asks the first start to come to the front. `None`: it does not answer.
fn ask(record: &Path) -> Option<()> {
    let record: Record = serde_json::from_slice(&std::fs::read(record).ok()?).ok()?;
    let address = (Ipv4Addr::LOCALHOST, record.port).into();
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    stream.write_all(record.word.as_bytes()).ok()?;
    let mut answer = [0; 2];
    stream.read_exact(&mut answer).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn a_second_start_calls_the_first_to_the_front() {
        let dir = tempfile::tempdir().unwrap();
        let first = Instance::claim(dir.path(), false).unwrap().unwrap();
        let (tell, told) = mpsc::sync_channel(1);
        assert!(first.front().set(Box::new(move || _ = tell.try_send(()))).is_ok());
        assert!(Instance::claim(dir.path(), false).unwrap().is_none());
        told.recv_timeout(Duration::from_secs(20)).unwrap();
        assert!(Instance::claim(dir.path(), true).is_err(), "what it wants cannot be handed over");
        drop(first);
        assert!(Instance::claim(dir.path(), false).unwrap().is_some(), "the directory is free again");
    }
}
