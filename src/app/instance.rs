//! One app per data directory: the first instance holds a lock; a second one hands its link over, asks it to come to the
//! front or to close, and exits.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

use super::display;
use crate::clock;
use crate::model::deep_link::MAX_LINK_BYTES;
use crate::settings::private_file;

/// How long two instances wait for each other.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long the first instance may take to close and save.
const CLOSING: Duration = Duration::from_secs(20);

/// Maximum length of a link that is handed over, in bytes. Beyond what a link may have, so that the window can say that it
/// is too long.
const MAX_HANDED_BYTES: usize = MAX_LINK_BYTES + 4;

/// The lock on the data directory; released when dropped or when the process ends.
pub(super) struct Instance {
    _lock: File,
    record: PathBuf,
    window: Callee,
}

/// What a second instance requests from the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Call {
    /// Come to the front.
    Front,
    /// Come to the front and open this link.
    Open(String),
    /// Close, as if the user had closed it.
    Close,
}

/// The handler of calls, once there is a window.
pub(super) type Callee = Arc<OnceLock<Box<dyn Fn(Call) + Send + Sync>>>;

/// Where the first instance listens, and one secret per call that only this user's programs can read. All secrets have
/// the same length.
#[derive(Clone, Serialize, Deserialize)]
struct Record {
    port: u16,
    word: String,
    close: String,
    /// Followed by the link's length in bytes, 2 bytes big-endian, and the link. Empty in a version without links.
    #[serde(default)]
    open: String,
}

impl Instance {
    /// Claims a data directory. `None` if another instance has it: it was given the link, if there is one, and was asked to
    /// come to the front. `is_apart`: its options apply to a window of its own alone.
    pub(super) fn claim(
        data_dir: &Path,
        link: Option<&str>,
        is_apart: bool,
    ) -> Result<Option<Instance>, String> {
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
                let window = Callee::default();
                if let Err(error) = listen(&record, Arc::clone(&window)) {
                    log::warn!("other instances cannot find this window: {error}");
                }
                Ok(Some(Instance { _lock: lock, record, window }))
            }
            Err(TryLockError::WouldBlock) if !is_apart && hand_over(&record, link).is_some() => Ok(None),
            Err(TryLockError::WouldBlock) => Err(format!(
                "Duplex is running already with {}. For a second window beside it: duplex --data-dir DIR.",
                data_dir.display()
            )),
            Err(TryLockError::Error(error)) => Err(format!("{} cannot be locked: {error}.", path.display())),
        }
    }

    /// The slot for the handler of calls.
    pub(super) fn window(&self) -> &Callee {
        &self.window
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        // Best effort: the next instance overwrites it, and nothing answers at a stale address.
        let _ = std::fs::remove_file(&self.record);
    }
}

/// Calls the first instance to the front, with a link if there is one. `None` if it does not answer.
fn hand_over(record: &Path, link: Option<&str>) -> Option<()> {
    display::let_others_come_to_front();
    let call = link.map_or(Call::Front, |link| Call::Open(link.to_owned()));
    ask(record, call).map(drop)
}

/// Closes the instance that uses a data directory and waits until it has ended. Does nothing if there is none.
pub(super) fn close(data_dir: &Path) -> Result<(), String> {
    let Ok(lock) = OpenOptions::new().write(true).open(data_dir.join("app.lock")) else { return Ok(()) };
    if lock.try_lock().is_ok() {
        return Ok(());
    }
    let closed = ask(&data_dir.join("app.json"), Call::Close).and_then(|mut first| {
        first.set_read_timeout(Some(CLOSING)).ok()?;
        // The answer is the end of the connection, which is the end of the program.
        match first.read(&mut [0]) {
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => None,
            _ => Some(()),
        }
    });
    closed.ok_or_else(|| {
        format!("Duplex is running with {} and does not close. Close its window.", data_dir.display())
    })
}

/// Listens for other instances on a separate thread.
fn listen(record: &Path, window: Callee) -> std::io::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let word = || clock::random::<16>().map(|bytes| HEXLOWER.encode(&bytes)).map_err(std::io::Error::other);
    let words = Record { port: listener.local_addr()?.port(), word: word()?, close: word()?, open: word()? };
    private_file::write(record, &serde_json::to_vec(&words)?)?;
    std::thread::Builder::new().name("second-starts".to_owned()).spawn(move || {
        // Other instances wait for these connections to close.
        let mut open_to_the_end = Vec::new();
        for stream in listener.incoming() {
            let Some((stream, call)) = stream.ok().and_then(|stream| greeted(stream, &words)) else {
                continue;
            };
            if call == Call::Close {
                open_to_the_end.push(stream);
            }
            // It may still be opening.
            window.wait()(call);
        }
    })?;
    Ok(())
}

/// Whoever knows one of the secrets is a program of this user.
fn greeted(mut stream: TcpStream, words: &Record) -> Option<(TcpStream, Call)> {
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    let mut said = vec![0; words.word.len()];
    stream.read_exact(&mut said).ok()?;
    let call = match said {
        said if said == words.word.as_bytes() => Call::Front,
        said if said == words.close.as_bytes() => Call::Close,
        said if said == words.open.as_bytes() => Call::Open(read_link(&mut stream)?),
        _ => return None,
    };
    stream.write_all(b"ok").ok()?;
    Some((stream, call))
}

fn read_link(stream: &mut TcpStream) -> Option<String> {
    let mut length = [0; 2];
    stream.read_exact(&mut length).ok()?;
    let length = usize::from(u16::from_be_bytes(length));
    let mut link = vec![0; length.min(MAX_HANDED_BYTES)];
    stream.read_exact(&mut link).ok()?;
    (length <= MAX_HANDED_BYTES).then(|| String::from_utf8(link).ok()).flatten()
}

/// Calls the first instance. `None` if it does not answer.
fn ask(record: &Path, call: Call) -> Option<TcpStream> {
    let record: Record = serde_json::from_slice(&std::fs::read(record).ok()?).ok()?;
    let address = (Ipv4Addr::LOCALHOST, record.port).into();
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    let mut said = match &call {
        Call::Front => record.word.into_bytes(),
        Call::Close => record.close.into_bytes(),
        Call::Open(_) if record.open.is_empty() => return None,
        Call::Open(_) => record.open.into_bytes(),
    };
    if let Call::Open(link) = &call {
        // A longer one is no link; the beginning is enough to say so.
        let link = &link.as_bytes()[..link.floor_char_boundary(MAX_HANDED_BYTES)];
        said.extend(u16::try_from(link.len()).ok()?.to_be_bytes());
        said.extend(link);
    }
    stream.write_all(&said).ok()?;
    let mut answer = [0; 2];
    stream.read_exact(&mut answer).ok()?;
    Some(stream)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::deep_link::{BadLink, DeepLink};
    use std::sync::mpsc;

    #[test]
    fn a_second_instance_raises_or_closes_the_first_or_hands_its_link_over() {
        let dir = tempfile::tempdir().unwrap();
        let first = Instance::claim(dir.path(), None, false).unwrap().unwrap();
        let (tell, told) = mpsc::sync_channel(8);
        let told = || told.recv_timeout(Duration::from_secs(20));
        // The window still opens: what comes meanwhile is not lost.
        assert!(Instance::claim(dir.path(), None, false).unwrap().is_none());
        assert!(first.window().set(Box::new(move |call| _ = tell.try_send(call))).is_ok());
        assert_eq!(told(), Ok(Call::Front));
        let link = "duplex://hub.example/새%20방";
        assert!(Instance::claim(dir.path(), Some(link), false).unwrap().is_none());
        assert_eq!(told(), Ok(Call::Open(link.to_owned())));
        let long = format!("duplex://hub.example/{}", "한".repeat(70_000));
        assert!(Instance::claim(dir.path(), Some(&long), false).unwrap().is_none());
        let Ok(Call::Open(handed)) = told() else { panic!("the long link was not handed over") };
        assert!(long.starts_with(&handed));
        assert_eq!(DeepLink::parse(&handed), Err(BadLink::TooLong));
        assert!(Instance::claim(dir.path(), None, true).is_err(), "its options cannot be passed on");
        let waiting = ask(&dir.path().join("app.json"), Call::Close);
        assert!(waiting.is_some());
        assert_eq!(told(), Ok(Call::Close));
        drop(first);
        assert_eq!(close(dir.path()), Ok(()), "there is nothing to close");
        assert!(Instance::claim(dir.path(), None, false).unwrap().is_some(), "the directory is free again");
    }
}
