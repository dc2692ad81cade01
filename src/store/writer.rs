//! The writer thread of all stores: it takes all queued jobs at once, so that one transaction and one fsync serve
//! many callers.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, JoinHandle, Thread};
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

/// Maximum number of jobs in a batch.
const BATCH: usize = 1024;

/// The work of a writer thread.
pub(super) trait Work: Send + 'static {
    /// A unit of work.
    type Job: Send + 'static;

    /// Processes these jobs in order; there is at least one.
    fn batch(&mut self, jobs: Vec<Self::Job>);

    /// When to call [`Work::idle`] if no job arrives before.
    fn idle_after(&self) -> Option<Duration> {
        None
    }

    /// Nothing came for that long. `waits` tells whether something has come since.
    fn idle(&mut self, _waits: &dyn Fn() -> bool) {}

    /// Called after the last handle was dropped.
    fn finish(&mut self) {}
}

/// A running writer thread. Dropping it processes the queued jobs and waits for that.
pub(super) struct Writer<J> {
    jobs: Option<mpsc::Sender<J>>,
    thread: Option<JoinHandle<()>>,
}

impl<J: Send + 'static> Writer<J> {
    /// Starts a thread with a queue of `waiting` jobs.
    pub(super) fn start(name: &str, waiting: usize, work: impl Work<Job = J>) -> io::Result<Self> {
        let (jobs, receiver) = mpsc::channel(waiting);
        let thread = thread::Builder::new().name(name.to_owned()).spawn(move || run(work, receiver))?;
        Ok(Writer { jobs: Some(jobs), thread: Some(thread) })
    }

    /// The queue of jobs; `None` while it is being dropped.
    pub(super) fn jobs(&self) -> Option<&mpsc::Sender<J>> {
        self.jobs.as_ref()
    }
}

impl<J> Drop for Writer<J> {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            // A panic in the thread has already been logged.
            let _ = thread.join();
        }
    }
}

fn run<W: Work>(mut work: W, mut receiver: mpsc::Receiver<W::Job>) {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    loop {
        let deadline = work.idle_after().map(|after| Instant::now() + after);
        let result = match receive(&mut receiver, &waker, deadline) {
            Received::Job(first) => {
                let mut jobs = vec![first];
                while jobs.len() < BATCH {
                    match receiver.try_recv() {
                        Ok(job) => jobs.push(job),
                        Err(_) => break,
                    }
                }
                catch_unwind(AssertUnwindSafe(|| work.batch(jobs)))
            }
            Received::Nothing => {
                let waits = || !receiver.is_empty() || receiver.is_closed();
                catch_unwind(AssertUnwindSafe(|| work.idle(&waits)))
            }
            Received::Closed => break,
        };
        // Safe to continue: the state is in the database, and incomplete transactions are rolled back.
        if result.is_err() {
            log::error!(
                "{} panicked in a batch and continues",
                thread::current().name().unwrap_or("a writer")
            );
        }
    }
    work.finish();
}

enum Received<J> {
    Job(J),
    Nothing,
    Closed,
}

/// `blocking_recv` with a deadline, which tokio offers only inside a runtime.
fn receive<J>(receiver: &mut mpsc::Receiver<J>, waker: &Waker, deadline: Option<Instant>) -> Received<J> {
    let mut context = Context::from_waker(waker);
    loop {
        match receiver.poll_recv(&mut context) {
            Poll::Ready(Some(job)) => return Received::Job(job),
            Poll::Ready(None) => return Received::Closed,
            Poll::Pending => {}
        }
        match deadline.map(|deadline| deadline.saturating_duration_since(Instant::now())) {
            None => thread::park(),
            Some(Duration::ZERO) => return Received::Nothing,
            Some(left) => thread::park_timeout(left),
        }
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::oneshot;

    struct Sum {
        total: u64,
        batches: Vec<usize>,
    }

    enum Job {
        /// Signals that it has started, and waits to be released.
        Wait(std::sync::mpsc::SyncSender<()>, std::sync::mpsc::Receiver<()>),
        Add(u64),
        /// Panics, which drops the sender.
        Fail(oneshot::Sender<()>),
        Tell(oneshot::Sender<(u64, Vec<usize>)>),
    }

    impl Work for Sum {
        type Job = Job;
        fn batch(&mut self, jobs: Vec<Job>) {
            self.batches.push(jobs.len());
            for job in jobs {
                match job {
                    Job::Wait(begun, until) => {
                        begun.send(()).unwrap();
                        until.recv().unwrap();
                    }
                    Job::Add(number) => self.total += number,
                    Job::Fail(_held) => panic!("as the test asks"),
                    Job::Tell(to) => to.send((self.total, self.batches.clone())).unwrap(),
                }
            }
        }
    }

    #[test]
    fn queued_jobs_form_one_batch_and_a_panic_does_not_end_the_thread() {
        let writer = Writer::start("test-writer", 64, Sum { total: 0, batches: Vec::new() }).unwrap();
        let jobs = writer.jobs().unwrap();
        let (go, wait) = std::sync::mpsc::sync_channel(1);
        let (begun, begins) = std::sync::mpsc::sync_channel(1);
        jobs.blocking_send(Job::Wait(begun, wait)).unwrap();
        begins.recv().unwrap();
        for number in 1..=10 {
            jobs.blocking_send(Job::Add(number)).unwrap();
        }
        let (held, dropped) = oneshot::channel();
        jobs.blocking_send(Job::Fail(held)).unwrap();
        go.send(()).unwrap();
        assert!(dropped.blocking_recv().is_err(), "dropped by the panic");
        let (to, told) = oneshot::channel();
        jobs.blocking_send(Job::Tell(to)).unwrap();
        assert_eq!(told.blocking_recv().unwrap(), (55, vec![1, 11, 1]));
    }
}
