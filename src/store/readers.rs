//! The readers of all stores: a few named threads, each with its own connection, opened when it is first needed.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::error::StoreError;

/// Maximum number of queued reads.
const WAITING: usize = 256;

/// Performs a read and sends the answer. Returns whether the connection can be used again.
type Job = Box<dyn FnOnce(Result<&Connection, StoreError>) -> bool + Send>;
/// Opens a read-only connection.
pub(super) type Open = Box<dyn Fn() -> Result<Connection, StoreError> + Send + Sync>;

/// The readers' connections. The writer closes them when it replaces the file; the next read opens the new one.
pub(super) struct ReaderConnections {
    open: Open,
    connections: Vec<Mutex<Option<Connection>>>,
}

impl ReaderConnections {
    pub(super) fn new(count: usize, open: Open) -> Arc<Self> {
        Arc::new(ReaderConnections { open, connections: (0..count).map(|_| Mutex::new(None)).collect() })
    }

    /// Closes all connections, each as soon as its current read has finished.
    pub(super) fn close(&self) {
        for connection in &self.connections {
            *lock(connection) = None;
        }
    }

    fn run(&self, which: usize, job: Job) {
        let Some(connection) = self.connections.get(which) else { return };
        let mut connection = lock(connection);
        if connection.is_none() {
            match (self.open)() {
                Ok(opened) => *connection = Some(opened),
                Err(error) => {
                    job(Err(error));
                    return;
                }
            }
        }
        // After an error a connection is not reused: its cache may contain pages of the damaged file.
        connection.take_if(|connection| !job(Ok(connection)));
    }
}

/// Running reader threads. Dropping them waits for reads in progress.
pub(super) struct Readers {
    jobs: Option<mpsc::Sender<Job>>,
    threads: Vec<JoinHandle<()>>,
}

impl Readers {
    /// Starts one thread per slot, named `NAME-1` and so on.
    pub(super) fn start(name: &str, slots: &Arc<ReaderConnections>) -> io::Result<Self> {
        let (jobs, receiver) = mpsc::channel::<Job>(WAITING);
        let receiver = Arc::new(Mutex::new(receiver));
        let mut threads = Vec::new();
        for which in 0..slots.connections.len() {
            let (slots, receiver) = (Arc::clone(slots), Arc::clone(&receiver));
            let thread = thread::Builder::new().name(format!("{name}-{}", which + 1)).spawn(move || {
                loop {
                    let job = lock(&receiver).blocking_recv();
                    let Some(job) = job else { break };
                    // A panic drops the reply channel, which the caller sees as an error; the thread continues.
                    if catch_unwind(AssertUnwindSafe(|| slots.run(which, job))).is_err() {
                        log::error!("a read panicked; its thread continues");
                    }
                }
            })?;
            threads.push(thread);
        }
        Ok(Readers { jobs: Some(jobs), threads })
    }

    /// Performs a read.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (job, answer) = job(read);
        let jobs = self.jobs.as_ref().ok_or(StoreError::Closed)?;
        jobs.send(job).await.map_err(|_| StoreError::Closed)?;
        answer.await.map_err(|_| StoreError::Closed)?
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        self.jobs = None;
        for thread in self.threads.drain(..) {
            // A read may hold the last reference to this; a thread cannot join itself.
            if thread.thread().id() != thread::current().id() {
                let _ = thread.join();
            }
        }
    }
}

/// A job that reads one consistent state of the database, and the receiver of its answer.
fn job<T: Send + 'static>(
    read: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
) -> (Job, oneshot::Receiver<Result<T, StoreError>>) {
    let (to, answer) = oneshot::channel();
    let job: Job = Box::new(move |connection| {
        if to.is_closed() {
            return true;
        }
        let result = connection.and_then(|connection| {
            let snapshot = connection.unchecked_transaction()?;
            read(&snapshot)
        });
        let is_good = result.as_ref().err().is_none_or(|error| !error.is_damage() && !error.is_retryable());
        // Fails if the caller has gone.
        let _ = to.send(result);
        is_good
    });
    (job, answer)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
