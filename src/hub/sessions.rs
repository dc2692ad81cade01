//! [`Sessions`]: the open connections of each principal, so that changes of its rights reach them.

use std::collections::HashMap;
use std::future::pending;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::model::PrincipalId;

/// How a connection is closed.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) struct Dismissal {
    /// The close code.
    pub code: u16,
    /// Shown to people.
    pub reason: &'static str,
    /// When to reconnect, in milliseconds; `None` if that would not help.
    pub retry_after_ms: Option<u64>,
}

/// A change for a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SessionChange {
    /// No change.
    Unchanged,
    /// The principal was renamed.
    Rename(String),
    /// The connection closes.
    Close(Dismissal),
}

/// All connections, by principal.
#[derive(Default)]
pub(super) struct Sessions {
    inner: Mutex<Inner>,
    /// Number of times that connections were told to close.
    dismissals: AtomicU64,
}

#[derive(Default)]
struct Inner {
    of: HashMap<PrincipalId, Vec<(u64, watch::Sender<SessionChange>)>>,
    next: u64,
}

/// The registration of one connection; dropping it removes the connection.
pub(super) struct SessionHandle {
    sessions: Arc<Sessions>,
    who: PrincipalId,
    number: u64,
    changes: watch::Receiver<SessionChange>,
}

impl Sessions {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Registers a connection of this principal. It receives every change from now on.
    pub(super) fn enter(self: &Arc<Self>, who: &PrincipalId) -> SessionHandle {
        let (sender, changes) = watch::channel(SessionChange::Unchanged);
        let mut inner = self.lock();
        let number = inner.next;
        inner.next += 1;
        inner.of.entry(who.clone()).or_default().push((number, sender));
        SessionHandle { sessions: Arc::clone(self), who: who.clone(), number, changes }
    }

    /// Tells all connections of this principal, except the one with this number, to close.
    pub(super) fn dismiss(&self, who: &PrincipalId, but: Option<u64>, dismissal: Dismissal) {
        self.dismissals.fetch_add(1, Ordering::Release);
        self.tell(who, but, &SessionChange::Close(dismissal));
    }

    /// Tells all connections of this principal its new name.
    pub(super) fn rename(&self, who: &PrincipalId, name: &str) {
        self.tell(who, None, &SessionChange::Rename(name.to_owned()));
    }

    fn tell(&self, who: &PrincipalId, but: Option<u64>, change: &SessionChange) {
        let inner = self.lock();
        let of = inner.of.get(who).into_iter().flatten();
        for (_, sender) in of.filter(|(number, _)| Some(*number) != but) {
            // A connection that is to close stays so.
            sender.send_if_modified(|told| match told {
                SessionChange::Close(_) => false,
                told => {
                    *told = change.clone();
                    true
                }
            });
        }
    }

    /// Grows whenever connections are told to close: if it is unchanged, a principal's rights are unchanged, too.
    pub(super) fn dismissals(&self) -> u64 {
        self.dismissals.load(Ordering::Acquire)
    }
}

impl SessionHandle {
    /// The number of the connection.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// The next change. Cancel-safe.
    pub(super) async fn change(&mut self) -> SessionChange {
        match self.changes.changed().await {
            Ok(()) => self.changes.borrow_and_update().clone(),
            // The sender lives as long as this.
            Err(_) => pending().await,
        }
    }

    /// Waits until the connection is to close, without consuming the change. Cancel-safe.
    pub(super) async fn dismissed(&self) {
        let mut changes = self.changes.clone();
        if changes.wait_for(|change| matches!(change, SessionChange::Close(_))).await.is_err() {
            pending::<()>().await;
        }
    }
}

impl Drop for SessionHandle {
    fn drop(&mut self) {
        let mut inner = self.sessions.lock();
        if let Some(of) = inner.of.get_mut(&self.who) {
            of.retain(|(number, _)| *number != self.number);
            if of.is_empty() {
                inner.of.remove(&self.who);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GONE: Dismissal = Dismissal { code: 4501, reason: "gone", retry_after_ms: None };

    fn next(session_handle: &mut SessionHandle) -> Option<SessionChange> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            tokio::select! {
                biased;
                change = session_handle.change() => Some(change),
                () = std::future::ready(()) => None,
            }
        })
    }

    #[test]
    fn a_change_reaches_exactly_the_connections_of_its_principal() {
        let sessions = Arc::new(Sessions::default());
        let id = |name: &str| PrincipalId(name.to_owned());
        let (mut a1, mut a2, mut b) =
            (sessions.enter(&id("a")), sessions.enter(&id("a")), sessions.enter(&id("b")));
        sessions.rename(&id("a"), "Ann");
        assert_eq!((next(&mut a1), next(&mut b)), (Some(SessionChange::Rename("Ann".to_owned())), None));
        let before = sessions.dismissals();
        sessions.dismiss(&id("a"), Some(a1.number()), GONE);
        assert_ne!(sessions.dismissals(), before);
        sessions.rename(&id("a"), "Anna");
        assert_eq!(next(&mut a1), Some(SessionChange::Rename("Anna".to_owned())), "the one that asked stays");
        assert_eq!(next(&mut a2), Some(SessionChange::Close(GONE)), "and receives nothing else");
        assert_eq!((next(&mut a2), next(&mut b)), (None, None));
        drop((a1, a2, b));
        assert!(sessions.lock().of.is_empty());
    }
}
