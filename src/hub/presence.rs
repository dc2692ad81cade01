//! Who is connected, and what clients exchange outside of the log: presence, typing, read markers, receipts.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;

use super::account::{Account, Accounts, Load};
use crate::clock;
use crate::model::receipt::MAX_RECEIPT_ROOMS;
use crate::model::time::BootMs;
use crate::model::{Offset, Principal, PrincipalId, Receipt, RoomId, Sender};
use crate::wire::duplex::message::PersonState;

/// Maximum number of connected principals for which presence changes are broadcast: with `n` of them, a restart of
/// the hub would cause n² messages. Beyond it only the welcome contains presence.
const MAX_PRESENCE: usize = 500;
/// Maximum number of queued notices per client: enough for everyone reconnecting at once while the client is still
/// connecting. Memory is used only while notices wait.
const MAX_MAILBOX: usize = 4 * MAX_PRESENCE;

/// A principal may change what it says of itself this often, in milliseconds.
const MIN_STATUS_INTERVAL_MS: u64 = 1_000;

/// What a client receives besides the log.
#[derive(Clone, Debug)]
pub(super) enum Notice {
    /// A principal went online or offline.
    Presence(PersonState),
    /// A principal says something else of itself; its own clients receive it, too.
    Status(PersonState),
    /// A principal was removed.
    Removed(Principal),
    /// A principal is typing.
    Typing {
        /// The room.
        room: RoomId,
        /// The principal.
        who: Sender,
    },
    /// Somebody has seen more of a room that the client looks at.
    Seen {
        /// The room.
        room: RoomId,
        /// Who, and what.
        receipt: Receipt,
    },
    /// The same principal wants messages to be unread in another client.
    Unread {
        /// The room.
        room: RoomId,
        /// The last offset that counts as read.
        offset: Offset,
    },
    /// The same principal read messages in another client.
    Read {
        /// The room.
        room: RoomId,
        /// The last read offset.
        offset: Offset,
    },
}

/// A client's queue of notices. If it ends, the client missed a notice that must not be lost.
pub(super) type Mailbox = mpsc::Receiver<Arc<Notice>>;

/// All connected principals.
#[derive(Default)]
pub(super) struct Registry {
    inner: Mutex<Inner>,
    load: Arc<Load>,
}

#[derive(Default)]
struct Inner {
    /// Principals shown as online to others.
    present: HashMap<PrincipalId, Present>,
    accounts: Accounts,
    next_seat: u64,
    /// What principals say of themselves, as far as they say anything.
    statuses: HashMap<PrincipalId, String>,
}

struct Present {
    who: Principal,
    /// It was removed and everyone was told: no further notices are sent about it.
    removed: bool,
    clients: Vec<Client>,
    /// When it last said something of itself.
    status_at: Option<BootMs>,
    /// Whether a task is scheduled to check if the last client has disconnected.
    is_watched: bool,
}

/// One connected client.
struct Client {
    number: u64,
    /// `None`: it has disconnected, but others have yet to be told.
    sender: Option<mpsc::Sender<Arc<Notice>>>,
    /// The rooms whose receipts it wants, at most [`MAX_RECEIPT_ROOMS`]; the last one was asked for last.
    looks_at: Vec<RoomId>,
}

/// The registration of one connected client; dropping it removes the client.
pub(super) struct Registration {
    registry: Arc<Registry>,
    /// Limits shared by all clients of this principal.
    pub account: Arc<Account>,
    who: PrincipalId,
    number: u64,
    chats: bool,
}

impl Registry {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The limits of somebody who posts without being connected.
    pub(super) fn account(&self, who: &PrincipalId, now: BootMs) -> Arc<Account> {
        self.lock().accounts.of(who, &self.load, now)
    }

    /// Registers a client of this principal.
    pub(super) fn enter(self: &Arc<Self>, who: &Principal, now: BootMs) -> (Registration, Mailbox) {
        let (sender, mailbox) = mpsc::channel(MAX_MAILBOX);
        let mut inner = self.lock();
        let number = inner.next_seat;
        inner.next_seat += 1;
        let account = inner.accounts.of(&who.id, &self.load, now);
        let came = !inner.present.contains_key(&who.id);
        let present = inner.present.entry(who.id.clone());
        let present = present.or_insert_with(|| Present {
            who: who.clone(),
            removed: false,
            clients: Vec::new(),
            status_at: None,
            is_watched: false,
        });
        present.clients.push(Client { number, sender: Some(sender), looks_at: Vec::new() });
        if came {
            inner.tell_presence(who, true);
        }
        let chats = who.kind.chats();
        self.load.receivers.fetch_add(u32::from(chats), Ordering::Relaxed);
        (Registration { registry: Arc::clone(self), account, who: who.id.clone(), number, chats }, mailbox)
    }

    /// Tells the others that a principal went offline, unless it has reconnected.
    fn leave(&self, who: &PrincipalId) {
        let mut inner = self.lock();
        let Some(present) = inner.present.get_mut(who) else { return };
        present.is_watched = false;
        if present.clients.is_empty()
            && let Some(gone) = inner.present.remove(who)
            && !gone.removed
        {
            inner.tell_presence(&gone.who, false);
        }
    }

    /// Number of connected principals.
    pub(super) fn count(&self) -> usize {
        self.lock().present.len()
    }

    /// Whether any program of a principal is connected.
    pub(super) fn is_present(&self, who: &PrincipalId) -> bool {
        self.lock().present.contains_key(who)
    }

    /// Tells everyone else that a principal was renamed.
    pub(super) fn rename(&self, who: &Principal) {
        let mut inner = self.lock();
        let present = inner.present.get_mut(&who.id).map(|present| present.who = who.clone());
        inner.tell_presence(who, present.is_some());
    }

    /// Tells everyone else that a principal was removed, even if some of its clients are still disconnecting.
    pub(super) fn remove(&self, who: &Principal) {
        let mut inner = self.lock();
        inner.statuses.remove(&who.id);
        if let Some(present) = inner.present.get_mut(&who.id) {
            present.removed = true;
        }
        inner.tell(who, Notice::Removed(who.clone()));
    }

    /// Adds to principals who of them is connected, and what they say of themselves.
    pub(super) fn mark(&self, people: impl Iterator<Item = Principal>) -> Vec<PersonState> {
        let inner = self.lock();
        let state = |who: Principal| {
            let online = inner.present.contains_key(&who.id);
            inner.person(&who, online)
        };
        people.map(state).collect()
    }

    /// Takes over what is stored of statuses.
    pub(super) fn load_statuses(&self, statuses: Vec<(PrincipalId, String)>) {
        self.lock().statuses.extend(statuses);
    }

    /// What a principal says of itself.
    pub(super) fn status(&self, who: &PrincipalId) -> String {
        self.lock().statuses.get(who).cloned().unwrap_or_default()
    }

    /// Whether enough time has passed since a connected principal last said something of itself.
    pub(super) fn may_set_status(&self, who: &PrincipalId, now: BootMs) -> bool {
        let mut inner = self.lock();
        let Some(present) = inner.present.get_mut(who) else { return false };
        let may = present.status_at.is_none_or(|at| now.since(at) >= MIN_STATUS_INTERVAL_MS);
        if may {
            present.status_at = Some(now);
        }
        may
    }

    /// Tells everyone, its own clients included, what a principal says of itself.
    pub(super) fn set_status(&self, who: &PrincipalId, status: String) {
        let mut inner = self.lock();
        match status.is_empty() {
            true => drop(inner.statuses.remove(who)),
            false => drop(inner.statuses.insert(who.clone(), status)),
        }
        let Some(principal) = inner.present.get(who).map(|present| present.who.clone()) else { return };
        let notice = Arc::new(Notice::Status(inner.person(&principal, true)));
        inner.tell(&principal, Notice::clone(&notice));
        if let Some(present) = inner.present.get_mut(who) {
            present.send(&notice);
        }
    }
}

impl Present {
    fn send(&mut self, notice: &Arc<Notice>) {
        for client in &mut self.clients {
            // Presence must not become wrong silently: a client with a full queue is closed by dropping its
            // sender, and receives everything again when it reconnects.
            client.sender.take_if(|sender| sender.try_send(Arc::clone(notice)).is_err());
        }
    }
}

impl Client {
    /// Queues a notice that may be lost: half of the queue is reserved for those that must not be.
    fn offer(&self, notice: &Arc<Notice>) {
        if let Some(sender) = self.sender.as_ref().filter(|sender| sender.capacity() > MAX_MAILBOX / 2) {
            let _ = sender.try_send(Arc::clone(notice));
        }
    }
}

impl Inner {
    fn tell_presence(&mut self, who: &Principal, online: bool) {
        let person = self.person(who, online);
        self.tell(who, Notice::Presence(person));
    }

    fn person(&self, who: &Principal, online: bool) -> PersonState {
        let status = self.statuses.get(&who.id).cloned().unwrap_or_default();
        PersonState { who: who.clone(), online, status }
    }

    /// Sends everyone else a notice about a principal.
    fn tell(&mut self, who: &Principal, notice: Notice) {
        // The fleet reports on devices.
        let people = self.present.values().filter(|present| present.who.kind.chats());
        if !who.kind.chats() || people.count() > MAX_PRESENCE {
            return;
        }
        let notice = Arc::new(notice);
        let others = |present: &&mut Present| present.who.id != who.id && present.who.kind.chats();
        for present in self.present.values_mut().filter(others) {
            present.send(&notice);
        }
    }
}

impl Registration {
    /// Tells everyone else who may know of the room that this principal is typing; `members`: of a private one. Notices are
    /// dropped under load.
    pub(super) fn typing(&self, room: RoomId, who: Sender, members: Option<&HashSet<PrincipalId>>) {
        if !self.account.may_type(&room, clock::now().boot_ms) {
            return;
        }
        let notice = Arc::new(Notice::Typing { room, who });
        let inner = self.registry.lock();
        let may_know = |who: &PrincipalId| members.is_none_or(|members| members.contains(who));
        let others = |present: &&Present| {
            present.who.id != self.who && present.who.kind.chats() && may_know(&present.who.id)
        };
        let others = inner.present.values().filter(others);
        for client in others.flat_map(|present| &present.clients) {
            client.offer(&notice);
        }
    }

    /// The client wants the receipts of this room from now on.
    pub(super) fn look_at(&self, room: RoomId) {
        let mut inner = self.registry.lock();
        let clients = inner.present.get_mut(&self.who).map(|present| &mut present.clients);
        if let Some(client) = clients.into_iter().flatten().find(|client| client.number == self.number) {
            client.looks_at.retain(|known| *known != room);
            if client.looks_at.len() == MAX_RECEIPT_ROOMS {
                client.looks_at.remove(0);
            }
            client.looks_at.push(room);
        }
    }

    /// Tells everyone else who looks at the room what this principal has seen there; `members`: of a private one. Dropped
    /// under load; clients that ask later are told.
    pub(super) fn seen(&self, room: RoomId, receipt: Receipt, members: Option<&HashSet<PrincipalId>>) {
        let inner = self.registry.lock();
        let may_know = |who: &PrincipalId| members.is_none_or(|members| members.contains(who));
        let others = inner.present.values().filter(|present| {
            present.who.id != self.who && present.who.kind.chats() && may_know(&present.who.id)
        });
        let clients = others.flat_map(|present| &present.clients);
        let looking: Vec<&Client> = clients.filter(|client| client.looks_at.contains(&room)).collect();
        if self.account.may_tell_seen(looking.len(), clock::now().boot_ms) {
            let notice = Arc::new(Notice::Seen { room, receipt });
            looking.into_iter().for_each(|client| client.offer(&notice));
        }
    }

    /// Tells this principal's other clients. May be lost: the next welcome repeats it.
    pub(super) fn read(&self, room: RoomId, offset: Offset) {
        self.tell_own_others(Notice::Read { room, offset });
    }

    /// Tells the principal's other clients that everything after this offset is to be unread.
    pub(super) fn unread(&self, room: RoomId, offset: Offset) {
        self.tell_own_others(Notice::Unread { room, offset });
    }

    fn tell_own_others(&self, notice: Notice) {
        let notice = Arc::new(notice);
        let inner = self.registry.lock();
        let clients = inner.present.get(&self.who).into_iter().flat_map(|present| &present.clients);
        for client in clients.filter(|client| client.number != self.number) {
            client.offer(&notice);
        }
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.registry.load.receivers.fetch_sub(u32::from(self.chats), Ordering::Relaxed);
        let mut inner = self.registry.lock();
        let Some(present) = inner.present.get_mut(&self.who) else {
            return;
        };
        present.clients.retain(|client| client.number != self.number);
        if !present.clients.is_empty() || present.is_watched {
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
        Principal { id: PrincipalId(name.into()), kind: PrincipalKind::Person, name: name.into(), role: None }
    }

    fn presence(mailbox: &mut Mailbox) -> Vec<(String, bool)> {
        let mut heard = Vec::new();
        while let Ok(notice) = mailbox.try_recv() {
            if let Notice::Presence(person) = &*notice {
                heard.push((person.who.name.clone(), person.online));
            }
        }
        heard
    }

    #[test]
    fn presence_follows_the_first_and_the_last_client_of_a_principal() {
        let registry = Arc::new(Registry::default());
        let (_a, mut mailbox) = registry.enter(&person("a"), BootMs(0));
        let (b1, _) = registry.enter(&person("b"), BootMs(0));
        let (b2, _) = registry.enter(&person("b"), BootMs(0));
        assert_eq!(presence(&mut mailbox), [("b".to_owned(), true)]);
        drop(b1);
        assert_eq!(presence(&mut mailbox), []);
        drop(b2);
        assert_eq!(presence(&mut mailbox), [("b".to_owned(), false)]);
        assert_eq!(registry.count(), 1);
    }

    #[test]
    fn a_client_with_a_full_queue_is_closed_and_typing_never_fills_it() {
        let registry = Arc::new(Registry::default());
        let (_a, mut mailbox) = registry.enter(&person("a"), BootMs(0));
        let (b, _) = registry.enter(&person("b"), BootMs(0));
        for _ in 0..2 * MAX_MAILBOX {
            b.typing(RoomId::general(), Sender { id: PrincipalId("b".into()), name: "b".into() }, None);
        }
        // Each connects and disconnects: two notices.
        let come_and_go = |times: usize| {
            for _ in 0..times {
                registry.enter(&person("c"), BootMs(0));
            }
        };
        come_and_go(MAX_MAILBOX / 4 - 1);
        assert_eq!(presence(&mut mailbox).len(), MAX_MAILBOX / 2 - 1);
        come_and_go(MAX_MAILBOX);
        assert_eq!(presence(&mut mailbox).len(), MAX_MAILBOX, "queued notices are still read");
        assert!(matches!(mailbox.try_recv(), Err(mpsc::error::TryRecvError::Disconnected)));
    }

    #[test]
    fn a_read_marker_reaches_only_other_clients_of_the_same_principal() {
        let registry = Arc::new(Registry::default());
        let (a1, mut own) = registry.enter(&person("a"), BootMs(0));
        let (_a2, mut same) = registry.enter(&person("a"), BootMs(0));
        let (_b, mut other) = registry.enter(&person("b"), BootMs(0));
        presence(&mut own);
        presence(&mut same);
        a1.read(RoomId::general(), Offset(7));
        assert!(matches!(same.try_recv().as_deref(), Ok(Notice::Read { offset: Offset(7), .. })));
        assert!(own.try_recv().is_err());
        assert!(other.try_recv().is_err());
    }

    #[tokio::test]
    async fn frequent_reconnects_are_reported_rarely_and_the_final_state_is_correct() {
        let registry = Arc::new(Registry::default());
        let (_a, mut mailbox) = registry.enter(&person("a"), clock::now().boot_ms);
        for _ in 0..1_000 {
            registry.enter(&person("b"), clock::now().boot_ms);
        }
        let heard = presence(&mut mailbox);
        assert!((20..=24).contains(&heard.len()), "{} notices", heard.len());
        assert_eq!(heard.last(), Some(&("b".to_owned(), true)));
        let next = tokio::time::timeout(Duration::from_secs(30), mailbox.recv()).await;
        let next = next.expect("the final state is reported").unwrap();
        assert!(matches!(&*next, Notice::Presence(person) if !person.online && person.who.name == "b"));
    }
}
