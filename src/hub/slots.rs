//! Connection limits: how many connections are allowed, who they count for, and which one is closed when there are
//! too many.
//!
//! A connection without a valid token is anonymous. Anonymous connections are counted by network address and share a
//! small pool; when it is full, the oldest connection of the address with the most is closed, so that a new one is
//! always accepted. Once its token is known, a connection counts for its principal, which has a share of the large
//! pool.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::future::poll_fn;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use futures_util::task::AtomicWaker;

use super::rate::{ANONYMOUS, Bucket, WELCOMES, network};
use crate::clock;
use crate::model::PrincipalId;
use crate::model::time::BootMs;

/// Maximum number of authenticated connections.
pub(super) const MAX_AUTHENTICATED: usize = 10_000;
/// Maximum number of anonymous connections: enough for 300 people behind one address who reconnect at once. Each can
/// use little memory, so this also bounds the memory of unauthenticated clients.
pub(super) const MAX_ANONYMOUS: usize = 512;
/// Maximum number of connections of one principal: a person's apps and scripts, or a gateway with one connection per
/// device. Filling the pool takes 70 tokens, and even then others can still connect.
const MAX_PER_PRINCIPAL: usize = 128;
/// Maximum number of connections that carry one principal's channels, which are counted themselves: each has one that receives, one
/// that posts, and perhaps a WebSocket.
const MAX_CARRYING: usize = 3 * MAX_PER_PRINCIPAL;
/// One in this many authenticated connections is reserved for principals that have none yet.
const RESERVED: usize = 10;
/// File descriptors reserved for everything that is not a connection.
const RESERVED_FILES: usize = 128;
/// Maximum bytes of incomplete messages of one principal or address.
const MAX_UNFINISHED_BYTES: usize = 8 * 1024 * 1024;
/// Maximum bytes of incomplete messages of the whole hub.
const MAX_UNFINISHED_HUB_BYTES: usize = 32 * 1024 * 1024;
/// Maximum number of addresses and principals whose rate is remembered. Beyond it, those with a full bucket are
/// forgotten first, then all.
const MAX_PACES: usize = 1024;

/// Who a connection counts for.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
enum Owner {
    /// An anonymous client at this network address.
    Network(IpAddr),
    /// An anonymous client behind a trusted proxy that has not named its address: each counts by itself.
    Proxy(u64),
    /// A principal, as a hash of its id, since there are thousands. Two principals with the same 64-bit hash share
    /// their limits.
    Principal(u64),
    /// The channels of such a principal, whose requests it carries.
    Channels(u64),
}

impl Owner {
    fn is_anonymous(&self) -> bool {
        !matches!(self, Owner::Principal(_) | Owner::Channels(_))
    }
}

/// Why a connection is closed.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Eviction {
    /// There are too many anonymous connections.
    TooMany,
    /// Its incomplete message is the largest when all together exceed the limit.
    Unfinished,
}

/// Why a connection cannot count for a principal.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Full {
    /// The principal has reached its connection limit.
    Share,
    /// The hub has reached its connection limit.
    Hub,
}

/// All connections of a hub.
pub(super) struct ConnectionSlots {
    max_authenticated: usize,
    max_anonymous: usize,
    keys: RandomState,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    next: u64,
    owners: HashMap<Owner, Held>,
    anonymous: usize,
    members: usize,
    unfinished: usize,
    paces: HashMap<Owner, Bucket>,
}

/// The connections of one owner.
struct Held {
    /// By number, in the order in which they connected.
    connections: Vec<Arc<Ticket>>,
    unfinished: usize,
}

/// The state of one connection.
struct Ticket {
    slots: Arc<ConnectionSlots>,
    number: u64,
    /// Changed only while `Inner` is locked.
    owner: Mutex<Owner>,
    /// Number of clones of the slot.
    holders: AtomicUsize,
    /// 0, or 1 + an [`Eviction`].
    evicted: AtomicU8,
    waker: AtomicWaker,
    /// Bytes of its incomplete message.
    unfinished: AtomicUsize,
    /// Tokens it took from the rate bucket of its address.
    paid: AtomicU32,
    /// Requests made over it.
    requests: AtomicU32,
    /// When writes began to block, in boot time; 0 while they do not.
    stuck: AtomicU64,
    /// The connection that it is one request of, which counts for the same owner once that is known.
    connection: Option<Arc<Ticket>>,
}

impl Ticket {
    fn owner(&self) -> MutexGuard<'_, Owner> {
        self.owner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The slot of one connection. Clones share the slot; dropping the last one releases it.
pub(super) struct ConnectionSlot {
    ticket: Arc<Ticket>,
}

impl ConnectionSlots {
    /// Slots for as many connections as the file descriptors allow.
    pub(super) fn new(max_files: Option<u64>) -> Arc<ConnectionSlots> {
        let files = max_files.and_then(|files| usize::try_from(files).ok()).unwrap_or(usize::MAX);
        let max_anonymous = MAX_ANONYMOUS.min(files / 4).max(1);
        let max_authenticated =
            MAX_AUTHENTICATED.min(files.saturating_sub(max_anonymous + RESERVED_FILES)).max(1);
        Arc::new(ConnectionSlots {
            max_authenticated,
            max_anonymous,
            keys: RandomState::new(),
            inner: Mutex::default(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Registers a connection from this address; `None` if a trusted proxy has yet to name the client's.
    pub(super) fn enter(self: &Arc<Self>, from: Option<IpAddr>) -> ConnectionSlot {
        self.add(from, None)
    }

    /// Registers one of several requests at a time over a connection, as if it had come over its own. Once its owner is known, so is
    /// that of `connection`: `None` if it has requests of several clients.
    pub(super) fn enter_by(
        self: &Arc<Self>,
        from: IpAddr,
        connection: Option<&ConnectionSlot>,
    ) -> ConnectionSlot {
        self.add(Some(from), connection.map(|slot| Arc::clone(&slot.ticket)))
    }

    fn add(self: &Arc<Self>, from: Option<IpAddr>, connection: Option<Arc<Ticket>>) -> ConnectionSlot {
        let mut inner = self.lock();
        let number = inner.next;
        inner.next += 1;
        let owner = from.map_or(Owner::Proxy(number), |from| Owner::Network(network(from)));
        let ticket = Arc::new(Ticket {
            slots: Arc::clone(self),
            number,
            owner: Mutex::new(owner),
            holders: AtomicUsize::new(1),
            evicted: AtomicU8::new(0),
            waker: AtomicWaker::new(),
            unfinished: AtomicUsize::new(0),
            paid: AtomicU32::new(0),
            requests: AtomicU32::new(0),
            stuck: AtomicU64::new(0),
            connection,
        });
        inner.put(owner, Arc::clone(&ticket));
        while inner.anonymous > self.max_anonymous && inner.evict_anonymous() {}
        ConnectionSlot { ticket }
    }

    /// Evicts the oldest anonymous connection of the address that has the most; false if there is none.
    pub(super) fn evict_anonymous(&self) -> bool {
        self.lock().evict_anonymous()
    }

    /// Number of anonymous connections.
    pub(super) fn anonymous(&self) -> usize {
        self.lock().anonymous
    }

    /// Bytes of incomplete messages.
    pub(super) fn unfinished(&self) -> usize {
        self.lock().unfinished
    }
}

impl Inner {
    fn put(&mut self, owner: Owner, ticket: Arc<Ticket>) {
        *if owner.is_anonymous() { &mut self.anonymous } else { &mut self.members } += 1;
        let unfinished = ticket.unfinished.load(Ordering::Relaxed);
        self.unfinished += unfinished;
        let held = self
            .owners
            .entry(owner)
            .or_insert_with(|| Held { connections: Vec::with_capacity(1), unfinished: 0 });
        held.unfinished += unfinished;
        let at = held.connections.partition_point(|other| other.number < ticket.number);
        held.connections.insert(at, ticket);
    }

    /// Removes a connection from its owner; `None` if that has already happened.
    fn take(&mut self, owner: &Owner, number: u64) -> Option<Arc<Ticket>> {
        let held = self.owners.get_mut(owner)?;
        let at = held.connections.binary_search_by_key(&number, |ticket| ticket.number).ok()?;
        let ticket = held.connections.remove(at);
        let unfinished = ticket.unfinished.load(Ordering::Relaxed);
        held.unfinished -= unfinished;
        self.unfinished -= unfinished;
        if held.connections.is_empty() {
            self.owners.remove(owner);
        }
        *if owner.is_anonymous() { &mut self.anonymous } else { &mut self.members } -= 1;
        Some(ticket)
    }

    /// Moves a connection to another owner; false if it has been evicted.
    fn give(&mut self, ticket: &Ticket, to: Owner) -> bool {
        let mut owner = ticket.owner();
        if *owner == to {
            return true;
        }
        let Some(ticket) = self.take(&owner, ticket.number) else { return false };
        *owner = to;
        self.put(to, ticket);
        true
    }

    fn evict_anonymous(&mut self) -> bool {
        let anonymous = self.owners.iter().filter(|(owner, _)| owner.is_anonymous());
        let oldest = |held: &Held| held.connections.first().map_or(u64::MAX, |ticket| ticket.number);
        let most = anonymous.max_by_key(|(_, held)| (held.connections.len(), Reverse(oldest(held))));
        let Some((owner, number)) = most.map(|(owner, held)| (*owner, oldest(held))) else {
            return false;
        };
        self.evict(&owner, number, Eviction::TooMany);
        true
    }

    /// Stops counting a connection, which may take a moment to close.
    fn evict(&mut self, owner: &Owner, number: u64, why: Eviction) {
        if let Some(ticket) = self.take(owner, number) {
            ticket.evicted.store(1 + why as u8, Ordering::Release);
            ticket.waker.wake();
        }
    }

    /// Evicts the connections with the largest incomplete messages until the rest is within the limits.
    fn keep_unfinished_small(&mut self, owner: &Owner) {
        while self.owners.get(owner).is_some_and(|held| held.unfinished > MAX_UNFINISHED_BYTES) {
            self.evict_largest(owner);
        }
        while self.unfinished > MAX_UNFINISHED_HUB_BYTES {
            let most = self.owners.iter().max_by_key(|(_, held)| held.unfinished);
            let Some(owner) = most.map(|(owner, _)| *owner) else { return };
            self.evict_largest(&owner);
        }
    }

    fn evict_largest(&mut self, owner: &Owner) {
        let tickets = self.owners.get(owner).into_iter().flat_map(|held| &held.connections);
        let largest = tickets.max_by_key(|ticket| ticket.unfinished.load(Ordering::Relaxed));
        if let Some(number) = largest.map(|ticket| ticket.number) {
            self.evict(owner, number, Eviction::Unfinished);
        }
    }

    /// Takes one token from an owner's bucket, or returns how long to wait before trying again, in milliseconds.
    fn pay(&mut self, owner: Owner, now: BootMs) -> u64 {
        if self.paces.len() >= MAX_PACES && !self.paces.contains_key(&owner) {
            self.paces.retain(|_, bucket| !bucket.is_full(now));
            if self.paces.len() >= MAX_PACES {
                self.paces.clear();
            }
        }
        let rate = if owner.is_anonymous() { ANONYMOUS } else { WELCOMES };
        self.paces.entry(owner).or_insert_with(|| Bucket::new(rate, now)).try_take(1, now)
    }
}

impl ConnectionSlot {
    /// The token is known: the connection now counts for its principal.
    pub(super) fn know(&self, who: &PrincipalId) -> Result<(), Full> {
        let key = self.ticket.slots.keys.hash_one(&who.0);
        if *self.ticket.owner() == Owner::Channels(key) {
            return Ok(());
        }
        self.count_for(Owner::Principal(key), MAX_PER_PRINCIPAL)
    }

    /// It carries a channel of this principal: it no longer counts among the principal's connections, since the channel does.
    pub(super) fn carry(&self, who: &PrincipalId) -> Result<(), Full> {
        self.count_for(Owner::Channels(self.ticket.slots.keys.hash_one(&who.0)), MAX_CARRYING)
    }

    fn count_for(&self, owner: Owner, most: usize) -> Result<(), Full> {
        let slots = &self.ticket.slots;
        let mut inner = slots.lock();
        let from = *self.ticket.owner();
        if from == owner {
            return Ok(());
        }
        let own = inner.owners.get(&owner).map_or(0, |held| held.connections.len());
        let max = slots.max_authenticated;
        if own >= most {
            return Err(Full::Share);
        }
        let is_new = from.is_anonymous();
        if is_new && (inner.members >= max || (own > 0 && inner.members >= max - max / RESERVED)) {
            return Err(Full::Hub);
        }
        if !inner.give(&self.ticket, owner) {
            return Err(Full::Hub);
        }
        if let Some(connection) = &self.ticket.connection {
            // False if it is about to close.
            inner.give(connection, owner);
        }
        // Only anonymous requests are limited: give back what this one took.
        let paid = self.ticket.paid.swap(0, Ordering::Relaxed);
        if let Some(bucket) = inner.paces.get_mut(&from) {
            bucket.give_back(paid);
        }
        Ok(())
    }

    /// A trusted proxy named another client for its connection, which is anonymous again. `None`: it named none.
    pub(super) fn forward(&self, from: Option<IpAddr>) {
        let owner = from.map_or(Owner::Proxy(self.ticket.number), |from| Owner::Network(network(from)));
        self.ticket.slots.lock().give(&self.ticket, owner);
    }

    /// Whether the connection is authenticated.
    pub(super) fn is_known(&self) -> bool {
        !self.ticket.owner().is_anonymous()
    }

    /// Takes one token from the anonymous rate of this address, or returns how long to wait, in milliseconds. 0 for
    /// an authenticated connection.
    pub(super) fn pay(&self, now: BootMs) -> u64 {
        let mut inner = self.ticket.slots.lock();
        let owner = *self.ticket.owner();
        if !matches!(owner, Owner::Network(_)) {
            return 0;
        }
        let wait_ms = inner.pay(owner, now);
        if wait_ms == 0 {
            self.ticket.paid.fetch_add(1, Ordering::Relaxed);
        }
        wait_ms
    }

    /// Takes one token from this principal's rate of logins, or returns how long to wait, in milliseconds.
    pub(super) fn welcome(&self, now: BootMs) -> u64 {
        let mut inner = self.ticket.slots.lock();
        let owner = *self.ticket.owner();
        inner.pay(owner, now)
    }

    /// Sets the number of bytes of this connection's incomplete message.
    pub(super) fn hold(&self, bytes: usize) {
        let mut inner = self.ticket.slots.lock();
        let owner = *self.ticket.owner();
        // An evicted connection no longer counts.
        let Some(ticket) = inner.take(&owner, self.ticket.number) else { return };
        ticket.unfinished.store(bytes, Ordering::Relaxed);
        inner.put(owner, ticket);
        inner.keep_unfinished_small(&owner);
    }

    /// Waits until the connection is evicted.
    pub(super) async fn evicted(&self) -> Eviction {
        poll_fn(|cx| self.poll_evicted(cx)).await
    }

    /// Whether the connection is evicted. Only the last one that asked is woken.
    pub(super) fn poll_evicted(&self, cx: &Context<'_>) -> Poll<Eviction> {
        self.ticket.waker.register(cx.waker());
        match self.ticket.evicted.load(Ordering::Acquire) {
            0 => Poll::Pending,
            why if why == 1 + Eviction::TooMany as u8 => Poll::Ready(Eviction::TooMany),
            _ => Poll::Ready(Eviction::Unfinished),
        }
    }

    /// Counts a request and returns the number so far.
    pub(super) fn request(&self) -> u32 {
        self.ticket.requests.fetch_add(1, Ordering::Relaxed).saturating_add(1)
    }

    /// Records whether the last write made progress.
    pub(super) fn writes(&self, taken: bool) {
        let since = self.ticket.stuck.load(Ordering::Relaxed);
        if taken == (since != 0) {
            let now = if taken { 0 } else { clock::now().boot_ms.0.max(1) };
            self.ticket.stuck.store(now, Ordering::Relaxed);
        }
    }

    /// For how long writes have been blocked, in milliseconds.
    pub(super) fn stuck_ms(&self, now: BootMs) -> u64 {
        match self.ticket.stuck.load(Ordering::Relaxed) {
            0 => 0,
            since => now.since(BootMs(since)),
        }
    }
}

impl Clone for ConnectionSlot {
    fn clone(&self) -> Self {
        self.ticket.holders.fetch_add(1, Ordering::Relaxed);
        ConnectionSlot { ticket: Arc::clone(&self.ticket) }
    }
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        if self.ticket.holders.fetch_sub(1, Ordering::AcqRel) == 1 {
            let mut inner = self.ticket.slots.lock();
            let owner = *self.ticket.owner();
            inner.take(&owner, self.ticket.number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> Option<IpAddr> {
        Some(IpAddr::from([192, 0, 2, last]))
    }

    fn who(name: &str) -> PrincipalId {
        PrincipalId(name.to_owned())
    }

    fn is_out(slot: &ConnectionSlot) -> bool {
        slot.ticket.evicted.load(Ordering::Relaxed) != 0
    }

    #[test]
    fn the_oldest_connection_of_the_busiest_address_is_evicted() {
        let slots = ConnectionSlots::new(None);
        let other = slots.enter(address(1));
        let connections: Vec<ConnectionSlot> =
            (0..MAX_ANONYMOUS - 1).map(|_| slots.enter(address(2))).collect();
        assert!(!connections.iter().any(is_out), "all have a slot");
        let newest = slots.enter(address(3));
        assert!(is_out(&connections[0]) && !connections[1..].iter().any(is_out));
        assert!(!is_out(&other) && !is_out(&newest), "the oldest of all, and the newest, stay");
        let more: Vec<ConnectionSlot> = (0..2 * MAX_ANONYMOUS).map(|_| slots.enter(address(2))).collect();
        assert!(connections.iter().all(is_out) && !is_out(&more[2 * MAX_ANONYMOUS - 1]) && !is_out(&newest));
        assert_eq!(slots.anonymous(), MAX_ANONYMOUS);
        drop((other, connections, newest, more));
        assert_eq!(slots.anonymous(), 0);
    }

    #[test]
    fn an_ipv6_network_counts_as_one_address_and_proxied_connections_count_separately() {
        let slots = ConnectionSlots::new(None);
        let through = slots.enter(None);
        let connections: Vec<ConnectionSlot> = (0..2 * MAX_ANONYMOUS)
            .map(|last| slots.enter(Some(format!("2001:db8::{last:x}").parse().unwrap())))
            .collect();
        assert!(!is_out(&through), "the busiest address loses one, not the oldest of all");
        drop(connections);
        let others: Vec<ConnectionSlot> = (0..MAX_ANONYMOUS - 2).map(|_| slots.enter(None)).collect();
        let (one, _two) = (slots.enter(address(1)), slots.enter(address(1)));
        assert!(is_out(&one) && !is_out(&through) && !others.iter().any(is_out));
        through.forward(address(1));
        through.forward(None);
        assert_eq!(slots.anonymous(), MAX_ANONYMOUS);
    }

    #[test]
    fn three_hundred_people_behind_one_address_can_connect_at_once() {
        let slots = ConnectionSlots::new(None);
        let connections: Vec<ConnectionSlot> = (0..300).map(|_| slots.enter(address(1))).collect();
        for (number, slot) in connections.iter().enumerate() {
            assert_eq!(slot.pay(BootMs(0)), 0);
            assert_eq!(slot.know(&who(&number.to_string())), Ok(()));
        }
        assert!(!connections.iter().any(is_out));
        assert_eq!(slots.anonymous(), 0);
    }

    #[test]
    fn a_few_tokens_cannot_use_up_all_connections() {
        let slots = ConnectionSlots::new(None);
        let mut taken = Vec::new();
        let mut refused = Vec::new();
        for token in 0..100 {
            for _ in 0..MAX_PER_PRINCIPAL + 1 {
                let slot = slots.enter(address(1));
                match slot.know(&who(&token.to_string())) {
                    Ok(()) => taken.push(slot),
                    Err(full) => refused.push(full),
                }
            }
        }
        assert!(refused.contains(&Full::Share) && refused.contains(&Full::Hub));
        assert!(taken.len() <= MAX_AUTHENTICATED - MAX_AUTHENTICATED / RESERVED + 100);
        assert_eq!(slots.enter(address(1)).know(&who("another")), Ok(()));
        drop(taken.pop());
        assert_eq!(slots.enter(address(1)).know(&who("0")), Err(Full::Share));
    }

    #[test]
    fn connections_that_carry_channels_leave_the_share_to_others() {
        let slots = ConnectionSlots::new(None);
        let ben = who("Ben");
        let known = |slot: ConnectionSlot| slot.know(&ben).map(|()| slot);
        let carrying: Vec<ConnectionSlot> = (0..MAX_CARRYING)
            .map(|_| {
                let slot = known(slots.enter(address(1))).unwrap();
                assert_eq!(slot.carry(&ben), Ok(()));
                assert_eq!((slot.carry(&ben), slot.know(&ben)), (Ok(()), Ok(())), "it stays one of them");
                slot
            })
            .collect();
        let one_more = slots.enter(address(1));
        assert_eq!(one_more.carry(&ben), Err(Full::Share));
        assert_eq!(one_more.carry(&who("Mina")), Ok(()));
        let own: Vec<ConnectionSlot> =
            (0..MAX_PER_PRINCIPAL).map(|_| known(slots.enter(address(1))).unwrap()).collect();
        assert_eq!(slots.enter(address(1)).know(&ben), Err(Full::Share));
        drop((carrying, own, one_more));
        assert_eq!(slots.anonymous(), 0);
        assert_eq!(slots.lock().members, 0);
    }

    #[test]
    fn each_of_several_requests_counts_and_makes_its_connection_known() {
        let slots = ConnectionSlots::new(None);
        let (direct, proxy) = (slots.enter(address(1)), slots.enter(None));
        let from = address(1).unwrap();
        let (one, other) = (slots.enter_by(from, Some(&direct)), slots.enter_by(from, Some(&direct)));
        let through = slots.enter_by(from, None);
        assert_eq!(slots.anonymous(), 5);
        assert_eq!((one.carry(&who("Ben")), through.know(&who("Mina"))), (Ok(()), Ok(())));
        assert!(direct.is_known() && one.is_known() && !other.is_known() && !proxy.is_known());
        one.hold(5);
        other.hold(7);
        assert_eq!((slots.anonymous(), slots.unfinished()), (2, 12));
        drop((one, other, through));
        assert_eq!((slots.anonymous(), slots.unfinished()), (1, 0), "the proxy's is left, and a known one");
        drop((direct, proxy));
        assert_eq!((slots.anonymous(), slots.lock().members), (0, 0));
    }

    #[test]
    fn few_file_descriptors_mean_few_connections() {
        let slots = ConnectionSlots::new(Some(64));
        assert_eq!((slots.max_anonymous, slots.max_authenticated), (16, 1));
        let slots = ConnectionSlots::new(Some(1024));
        assert_eq!((slots.max_anonymous, slots.max_authenticated), (256, 640));
    }

    #[test]
    fn the_largest_incomplete_message_of_the_heaviest_user_is_evicted() {
        const KIB: usize = 1024;
        let slots = ConnectionSlots::new(None);
        let member = |name: &str, bytes: usize| {
            let slot = slots.enter(address(1));
            slot.know(&who(name)).unwrap();
            slot.hold(bytes);
            slot
        };
        let slow = member("slow", 1000 * KIB);
        let own: Vec<ConnectionSlot> = (0..9).map(|number| member("one", (950 + number) * KIB)).collect();
        assert!(own[..8].iter().all(|slot| !is_out(slot)));
        assert!(is_out(&own[8]), "nine times 950 KiB exceeds the limit of one principal");
        let mut others = Vec::new();
        for name in ["a", "b", "c", "d"] {
            others.extend((0..8).map(|_| member(name, 1000 * KIB)));
        }
        assert!(!is_out(&slow), "those with more are evicted first");
        assert!(others.iter().chain(&own).any(is_out));
        assert!(slots.unfinished() <= MAX_UNFINISHED_HUB_BYTES);
        slow.hold(0);
        drop((others, own));
        assert_eq!(slots.unfinished(), 0);
    }

    #[test]
    fn anonymous_connections_of_one_address_are_rate_limited() {
        let slots = ConnectionSlots::new(None);
        let (one, other) = (slots.enter(address(1)), slots.enter(address(2)));
        while one.pay(BootMs(0)) == 0 {}
        assert!(one.pay(BootMs(0)) > 0);
        assert_eq!(other.pay(BootMs(0)), 0, "another address has a rate of its own");
        one.know(&who("one")).unwrap();
        let again = slots.enter(address(1));
        assert_eq!(again.pay(BootMs(0)), 0, "authenticated connections do not count");
    }

    #[test]
    fn frequent_reconnects_are_delayed_for_that_principal_only() {
        let slots = ConnectionSlots::new(None);
        let come = |name: &str| {
            let slot = slots.enter(address(1));
            slot.know(&who(name)).unwrap();
            slot.welcome(BootMs(0))
        };
        assert!((0..2 * MAX_PER_PRINCIPAL).all(|_| come("one") == 0), "all clients at once, twice");
        assert!(come("one") > 0);
        assert_eq!(come("other"), 0);
    }

    #[test]
    fn evicted_connections_no_longer_count() {
        let slots = ConnectionSlots::new(None);
        let slot = slots.enter(address(1));
        let clone = slot.clone();
        assert!(slots.evict_anonymous() && !slots.evict_anonymous());
        assert_eq!(slot.know(&who("late")), Err(Full::Hub));
        slot.hold(5);
        slot.forward(address(2));
        drop((slot, clone));
        assert_eq!((slots.anonymous(), slots.unfinished()), (0, 0));
    }
}
