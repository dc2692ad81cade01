//! The readers that both stores have: a few named threads, each with a connection of its own that it opens when it is
//! first needed.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::error::StoreError;

/// Most reads that wait.
const WAITING: usize = 256;

/// Reads, answers, and says whether the connection is as good as before.
type Job = Box<dyn FnOnce(Result<&Connection, StoreError>) -> bool + Send>;
/// Opens a connection to read from.
pub(super) type Open = Box<dyn Fn() -> Result<Connection, StoreError> + Send + Sync>;

/// The readers' connections. The writer closes them when the file is replaced; the next read opens the new one.
pub(super) struct Slots {
    open: Open,
    connections: Vec<Mutex<Option<Connection>>>,
}

impl Slots {
    pub(super) fn new(count: usize, open: Open) -> Arc<Self> {
        Arc::new(Slots { open, connections: (0..count).map(|_| Mutex::new(None)).collect() })
    }

    /// Closes all connections, each as soon as its read is over.
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
        // What a connection holds in memory of a damaged file is not to be believed, once the file is sound again.
        connection.take_if(|connection| !job(Ok(connection)));
    }
}

/// Running reader threads. Dropping them waits for the reads under way.
pub(super) struct Readers {
    jobs: Option<mpsc::Sender<Job>>,
    threads: Vec<JoinHandle<()>>,
}

impl Readers {
    /// Starts one thread a slot, named `NAME-1` and so on.
    pub(super) fn start(name: &str, slots: &Arc<Slots>) -> io::Result<Self> {
        let (jobs, receiver) = mpsc::channel::<Job>(WAITING);
        let receiver = Arc::new(Mutex::new(receiver));
        let mut threads = Vec::new();
        for which in 0..slots.connections.len() {
            let (slots, receiver) = (Arc::clone(slots), Arc::clone(&receiver));
            let thread = thread::Builder::new().name(format!("{name}-{}", which + 1)).spawn(move || {
                loop {
                    let job = lock(&receiver).blocking_recv();
                    let Some(job) = job else { break };
                    // A read that panics answers nothing, and its caller is told that; the thread goes on.
                    if catch_unwind(AssertUnwindSafe(|| slots.run(which, job))).is_err() {
                        log::error!("a read failed; its thread goes on");
                    }
                }
            })?;
            threads.push(thread);
        }
        Ok(Readers { jobs: Some(jobs), threads })
    }

    /// Reads.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (job, answer) = job(read);
        let jobs = self.jobs.as_ref().ok_or(StoreError::Closed)?;
        jobs.send(job).await.map_err(|_| StoreError::Closed)?;
        answer.await.map_err(|_| StoreError::Closed)?
    }

    /// Reads, from a thread that may block (never from within a runtime).
    pub(super) fn read_blocking<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (job, answer) = job(read);
        let jobs = self.jobs.as_ref().ok_or(StoreError::Closed)?;
        jobs.blocking_send(job).map_err(|_| StoreError::Closed)?;
        answer.blocking_recv().map_err(|_| StoreError::Closed)?
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        self.jobs = None;
        for thread in self.threads.drain(..) {
            // What a read held may be the last that kept this alive: a thread cannot wait for itself.
            if thread.thread().id() != thread::current().id() {
                let _ = thread.join();
            }
        }
    }
}

/// A job that reads from one state of the database, and where its answer comes.
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
        // Whoever asked may have gone.
        let _ = to.send(result);
        is_good
    });
    (job, answer)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
