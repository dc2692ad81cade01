//! Who is connected, and what the clients tell each other past the log: presence, typing, read markers.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;

use super::account::{Account, Accounts, Load};
use crate::clock;
use crate::model::time::BootMs;
use crate::model::{Offset, Principal, PrincipalId, RoomId, Sender};

/// Beyond so many connected principals nobody is told any more who comes and goes: with `n` of them, a hub's restart
/// makes n² such messages. The welcome still says who is there.
const PRESENCE_LIMIT: usize = 500;
/// Notices that wait for one client: enough for everybody coming back at once, while the client itself is still on its way
/// in. They take memory only while they wait.
const MAILBOX: usize = 4 * PRESENCE_LIMIT;

/// What a client hears besides the log.
#[derive(Clone, Debug)]
pub(super) enum Notice {
    /// Somebody came or went.
    Presence(Principal, bool),
    /// Somebody was removed.
    Removed(Principal),
    /// Somebody is typing.
    Typing {
        /// Where.
        room: RoomId,
        /// Who.
        who: Sender,
    },
    /// The same principal read something in another app.
    Read {
        /// Where.
        room: RoomId,
        /// The last read offset.
        offset: Offset,
    },
}

/// A client's notices. When it has ended, the client missed one that it must not miss.
pub(super) type Mailbox = mpsc::Receiver<Arc<Notice>>;

/// Everybody who is connected.
#[derive(Default)]
pub(super) struct Registry {
    inner: Mutex<Inner>,
    load: Arc<Load>,
}

#[derive(Default)]
struct Inner {
    /// Everybody who the others believe is here.
    present: HashMap<PrincipalId, Present>,
    accounts: Accounts,
    next_seat: u64,
}

struct Present {
    who: Principal,
    /// Was removed, which everybody was told: nothing more is to be said of it.
    removed: bool,
    /// None while the others are yet to be told that the last one has gone.
    seats: Vec<(u64, Option<mpsc::Sender<Arc<Notice>>>)>,
    /// Whether somebody will look in a while whether the last one has gone.
    is_watched: bool,
}

/// One connected client of a principal; dropping it says that it has gone.
pub(super) struct Seat {
    registry: Arc<Registry>,
    /// What all clients of this principal may do together.
    pub account: Arc<Account>,
    who: PrincipalId,
    number: u64,
    chats: bool,
}

impl Registry {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A client of this principal is connected.
    pub(super) fn enter(self: &Arc<Self>, who: &Principal, now: BootMs) -> (Seat, Mailbox) {
        let (sender, mailbox) = mpsc::channel(MAILBOX);
        let mut inner = self.lock();
        let number = inner.next_seat;
        inner.next_seat += 1;
        let account = inner.accounts.of(&who.id, &self.load, now);
        let came = !inner.present.contains_key(&who.id);
        let present = inner.present.entry(who.id.clone());
        let present = present.or_insert_with(|| Present {
            who: who.clone(),
            removed: false,
            seats: Vec::new(),
            is_watched: false,
        });
        present.seats.push((number, Some(sender)));
        if came {
            inner.tell_presence(who, true);
        }
        let chats = who.kind.chats();
        self.load.receivers.fetch_add(u32::from(chats), Ordering::Relaxed);
        (Seat { registry: Arc::clone(self), account, who: who.id.clone(), number, chats }, mailbox)
    }

    /// Tells the others that a principal has gone, unless it is back.
    fn leave(&self, who: &PrincipalId) {
        let mut inner = self.lock();
        let Some(present) = inner.present.get_mut(who) else { return };
        present.is_watched = false;
        if present.seats.is_empty()
            && let Some(gone) = inner.present.remove(who)
            && !gone.removed
        {
            inner.tell_presence(&gone.who, false);
        }
    }

    /// How many principals are connected.
    pub(super) fn count(&self) -> usize {
        self.lock().present.len()
    }

    /// A principal has another name: everybody else is told.
    pub(super) fn rename(&self, who: &Principal) {
        let mut inner = self.lock();
        let present = inner.present.get_mut(&who.id).map(|present| present.who = who.clone());
        inner.tell_presence(who, present.is_some());
    }

    /// A principal was removed: everybody else is told, whoever of its clients is still on its way out.
    pub(super) fn remove(&self, who: &Principal) {
        let mut inner = self.lock();
        if let Some(present) = inner.present.get_mut(&who.id) {
            present.removed = true;
        }
        inner.tell(who, Notice::Removed(who.clone()));
    }

    /// Marks those of these principals who are connected.
    pub(super) fn mark(&self, people: impl Iterator<Item = Principal>) -> Vec<(Principal, bool)> {
        let inner = self.lock();
        people
            .map(|person| {
                let online = inner.present.contains_key(&person.id);
                (person, online)
            })
            .collect()
    }
}

impl Inner {
    fn tell_presence(&mut self, who: &Principal, online: bool) {
        self.tell(who, Notice::Presence(who.clone(), online));
    }

    /// Tells everybody else something about a principal.
    fn tell(&mut self, who: &Principal, notice: Notice) {
        // What devices do is told by the fleet.
        let people = self.present.values().filter(|present| present.who.kind.chats());
        if !who.kind.chats() || people.count() > PRESENCE_LIMIT {
            return;
        }
        let notice = Arc::new(notice);
        let others = |present: &&mut Present| present.who.id != who.id && present.who.kind.chats();
        for present in self.present.values_mut().filter(others) {
            for (_, seat) in &mut present.seats {
                // What a client believes about others must not go wrong in silence: one that has no room for this is
                // closed by its mailbox's end, and learns everything anew.
                seat.take_if(|seat| seat.try_send(Arc::clone(&notice)).is_err());
            }
        }
    }
}

impl Seat {
    /// Tells everybody else that this principal is typing. May be missed, and is where it is too often.
    pub(super) fn typing(&self, room: RoomId, who: Sender) {
        if !self.account.may_type(&room, clock::now().boot_ms) {
            return;
        }
        let notice = Arc::new(Notice::Typing { room, who });
        let inner = self.registry.lock();
        let others = |present: &&Present| present.who.id != self.who && present.who.kind.chats();
        let others = inner.present.values().filter(others);
        for seat in others.flat_map(|present| &present.seats).filter_map(|(_, seat)| seat.as_ref()) {
            // Half of a mailbox is kept for what must not be missed.
            if seat.capacity() > MAILBOX / 2 {
                let _ = seat.try_send(Arc::clone(&notice));
            }
        }
    }

    /// Tells this principal's other clients. May be missed: the next welcome says it again.
    pub(super) fn read(&self, room: RoomId, offset: Offset) {
        let notice = Arc::new(Notice::Read { room, offset });
        let inner = self.registry.lock();
        let seats = inner.present.get(&self.who).into_iter().flat_map(|present| &present.seats);
        for (_, seat) in seats.filter(|(number, _)| *number != self.number) {
            if let Some(seat) = seat.as_ref().filter(|seat| seat.capacity() > MAILBOX / 2) {
                let _ = seat.try_send(Arc::clone(&notice));
            }
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.registry.load.receivers.fetch_sub(u32::from(self.chats), Ordering::Relaxed);
        let mut inner = self.registry.lock();
        let Some(present) = inner.present.get_mut(&self.who) else {
            return;
        };
        present.seats.retain(|(number, _)| *number != self.number);
        if !present.seats.is_empty() || present.is_watched {
            return;
        }
        let wait_ms = self.account.presence_wait(clock::now().boot_ms);
        present.is_watched = wait_ms > 0;
        drop(inner);
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) if wait_ms > 0 => {
                let (registry, who) = (Arc::clone(&self.registry), self.who.clone());
                runtime.spawn(async move {
                    tokio::time::sleep(Duration::from_millis(wait_ms)).await;
                    registry.leave(&who);
                });
            }
            _ => self.registry.leave(&self.who),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::PrincipalKind;

    fn person(name: &str) -> Principal {
        Principal { id: PrincipalId(name.into()), kind: PrincipalKind::Person, name: name.into() }
    }

    fn presence(mailbox: &mut Mailbox) -> Vec<(String, bool)> {
        let mut heard = Vec::new();
        while let Ok(notice) = mailbox.try_recv() {
            if let Notice::Presence(who, online) = &*notice {
                heard.push((who.name.clone(), *online));
            }
        }
        heard
    }

    #[test]
    fn others_hear_of_the_first_to_come_and_the_last_to_go() {
        let registry = Arc::new(Registry::default());
        let (_a, mut mailbox) = registry.enter(&person("a"), 0);
        let (b1, _) = registry.enter(&person("b"), 0);
        let (b2, _) = registry.enter(&person("b"), 0);
        assert_eq!(presence(&mut mailbox), [("b".to_owned(), true)]);
        drop(b1);
        assert_eq!(presence(&mut mailbox), []);
        drop(b2);
        assert_eq!(presence(&mut mailbox), [("b".to_owned(), false)]);
        assert_eq!(registry.count(), 1);
    }

    #[test]
    fn whoever_has_no_room_for_presence_is_closed_and_typing_does_not_bring_that_about() {
        let registry = Arc::new(Registry::default());
        let (_a, mut mailbox) = registry.enter(&person("a"), 0);
        let (b, _) = registry.enter(&person("b"), 0);
        for _ in 0..2 * MAILBOX {
            b.typing(RoomId::general(), Sender { id: PrincipalId("b".into()), name: "b".into() });
        }
        // Each comes and goes: two notices.
        let come_and_go = |times: usize| {
            for _ in 0..times {
                registry.enter(&person("c"), 0);
            }
        };
        come_and_go(MAILBOX / 4 - 1);
        assert_eq!(presence(&mut mailbox).len(), MAILBOX / 2 - 1);
        come_and_go(MAILBOX);
        assert_eq!(presence(&mut mailbox).len(), MAILBOX, "what was there before is still read");
        assert!(matches!(mailbox.try_recv(), Err(mpsc::error::TryRecvError::Disconnected)));
    }

    #[test]
    fn a_read_marker_reaches_the_same_principal_only_and_elsewhere() {
        let registry = Arc::new(Registry::default());
        let (a1, mut own) = registry.enter(&person("a"), 0);
        let (_a2, mut same) = registry.enter(&person("a"), 0);
        let (_b, mut other) = registry.enter(&person("b"), 0);
        presence(&mut own);
        presence(&mut same);
        a1.read(RoomId::general(), 7);
        assert!(matches!(same.try_recv().as_deref(), Ok(Notice::Read { offset: 7, .. })));
        assert!(own.try_recv().is_err());
        assert!(other.try_recv().is_err());
    }

    #[tokio::test]
    async fn one_who_comes_and_goes_all_the_time_is_told_now_and_then_and_the_end_is_true() {
        let registry = Arc::new(Registry::default());
        let (_a, mut mailbox) = registry.enter(&person("a"), clock::now().boot_ms);
        for _ in 0..1_000 {
            registry.enter(&person("b"), clock::now().boot_ms);
        }
        let heard = presence(&mut mailbox);
        assert!((20..=24).contains(&heard.len()), "{} notices", heard.len());
        assert_eq!(heard.last(), Some(&("b".to_owned(), true)));
        let next = tokio::time::timeout(Duration::from_secs(30), mailbox.recv()).await;
        let next = next.expect("it is told in the end").unwrap();
        assert!(matches!(&*next, Notice::Presence(who, false) if who.name == "b"));
    }
}
