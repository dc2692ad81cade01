//! [`Sessions`]: the connections of each principal, so that a change of their rights reaches them while they last.

use std::collections::HashMap;
use std::future::pending;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::model::PrincipalId;

/// How a connection is ended.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) struct Dismissal {
    /// The close code.
    pub code: u16,
    /// For people.
    pub reason: &'static str,
    /// When to come back, in milliseconds; none where that would not help.
    pub retry_after_ms: Option<u64>,
}

/// What a connection is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// Nothing.
    Stay,
    /// The principal has another name.
    Rename(String),
    /// It ends.
    Leave(Dismissal),
}

/// All connections, by principal.
#[derive(Default)]
pub(super) struct Sessions {
    inner: Mutex<Inner>,
    /// How often somebody was dismissed.
    dismissals: AtomicU64,
}

#[derive(Default)]
struct Inner {
    of: HashMap<PrincipalId, Vec<(u64, watch::Sender<Order>)>>,
    next: u64,
}

/// One connection's place in it; dropping it gives the place up.
pub(super) struct Tenure {
    sessions: Arc<Sessions>,
    who: PrincipalId,
    number: u64,
    orders: watch::Receiver<Order>,
}

impl Sessions {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection of this principal. From now on it hears of every change.
    pub(super) fn enter(self: &Arc<Self>, who: &PrincipalId) -> Tenure {
        let (sender, orders) = watch::channel(Order::Stay);
        let mut inner = self.lock();
        let number = inner.next;
        inner.next += 1;
        inner.of.entry(who.clone()).or_default().push((number, sender));
        Tenure { sessions: Arc::clone(self), who: who.clone(), number, orders }
    }

    /// Tells all connections of this principal, but for the one of this number, to end.
    pub(super) fn dismiss(&self, who: &PrincipalId, but: Option<u64>, dismissal: Dismissal) {
        self.dismissals.fetch_add(1, Ordering::Release);
        self.tell(who, but, &Order::Leave(dismissal));
    }

    /// Tells all connections of this principal that it has another name.
    pub(super) fn rename(&self, who: &PrincipalId, name: &str) {
        self.tell(who, None, &Order::Rename(name.to_owned()));
    }

    fn tell(&self, who: &PrincipalId, but: Option<u64>, order: &Order) {
        let inner = self.lock();
        let of = inner.of.get(who).into_iter().flatten();
        for (_, sender) in of.filter(|(number, _)| Some(*number) != but) {
            // Whoever leaves stays gone.
            sender.send_if_modified(|told| match told {
                Order::Leave(_) => false,
                told => {
                    *told = order.clone();
                    true
                }
            });
        }
    }

    /// Grows whenever somebody is dismissed: where it is the same as before, whoever was let in then may still do it.
    pub(super) fn dismissals(&self) -> u64 {
        self.dismissals.load(Ordering::Acquire)
    }
}

impl Tenure {
    /// Which connection it is.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// The next order. Cancel-safe.
    pub(super) async fn order(&mut self) -> Order {
        match self.orders.changed().await {
            Ok(()) => self.orders.borrow_and_update().clone(),
            // The sender is there for as long as this is.
            Err(_) => pending().await,
        }
    }

    /// Waits until the connection is to end, and leaves the order to be taken. Cancel-safe.
    pub(super) async fn dismissed(&self) {
        let mut orders = self.orders.clone();
        if orders.wait_for(|order| matches!(order, Order::Leave(_))).await.is_err() {
            pending::<()>().await;
        }
    }
}

impl Drop for Tenure {
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

    fn next(tenure: &mut Tenure) -> Option<Order> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            tokio::select! {
                biased;
                order = tenure.order() => Some(order),
                () = std::future::ready(()) => None,
            }
        })
    }

    #[test]
    fn a_change_reaches_all_connections_of_whom_it_is_about_and_nobody_else() {
        let sessions = Arc::new(Sessions::default());
        let id = |name: &str| PrincipalId(name.to_owned());
        let (mut a1, mut a2, mut b) =
            (sessions.enter(&id("a")), sessions.enter(&id("a")), sessions.enter(&id("b")));
        sessions.rename(&id("a"), "Ann");
        assert_eq!((next(&mut a1), next(&mut b)), (Some(Order::Rename("Ann".to_owned())), None));
        let before = sessions.dismissals();
        sessions.dismiss(&id("a"), Some(a1.number()), GONE);
        assert_ne!(sessions.dismissals(), before);
        sessions.rename(&id("a"), "Anna");
        assert_eq!(next(&mut a1), Some(Order::Rename("Anna".to_owned())), "the one that asked stays");
        assert_eq!(next(&mut a2), Some(Order::Leave(GONE)), "and nothing else is heard of it");
        assert_eq!((next(&mut a2), next(&mut b)), (None, None));
        drop((a1, a2, b));
        assert!(sessions.lock().of.is_empty());
    }
}
