//! Who holds the hub's places: how many connections there may be, whose they are, and who goes when there are too many.
//!
//! A connection whose token is not known yet is a stranger's. Strangers are counted by network address and share one small
//! pool; when it is full, the oldest of the address that has the most goes, so that a newcomer always gets in. Once a token
//! is known the connection counts for its principal, which has a share of the large pool.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::future::poll_fn;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use futures_util::task::AtomicWaker;

use super::rate::{Bucket, STRANGERS, WELCOMES, network};
use crate::clock;
use crate::model::PrincipalId;
use crate::model::time::BootMs;

/// Maximum number of connections whose token is known.
pub(super) const MAX_MEMBERS: usize = 10_000;
/// Maximum number of connections whose token is not known yet: enough for 300 people who come back at once from behind one
/// address. What each may make the hub keep is small, so this also bounds the memory that strangers take.
pub(super) const MAX_STRANGERS: usize = 512;
/// Maximum number of connections of one principal: a person's apps and scripts, or a gateway's connection for each of its
/// devices. It takes 70 tokens to fill the pool, and even they do not keep others out.
const MAX_PER_PRINCIPAL: usize = 128;
/// Of the connections whose token is known, one in so many is kept for principals that have none yet.
const RESERVED: usize = 10;
/// File descriptors kept for everything that is not a connection.
const FILES: usize = 128;
/// Maximum bytes of unfinished messages of one principal or address.
const MAX_UNFINISHED_BYTES: usize = 8 * 1024 * 1024;
/// Maximum bytes of unfinished messages of the whole hub.
const MAX_UNFINISHED_HUB_BYTES: usize = 32 * 1024 * 1024;
/// Addresses and principals whose rate is remembered; those whose bucket is full again are forgotten first, then all.
const MAX_PACES: usize = 1024;

/// Who a connection counts for.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
enum Owner {
    /// Nobody known yet, from this network address.
    Network(IpAddr),
    /// Nobody known yet, through a trusted proxy that has not said from where: each counts by itself.
    Proxy(u64),
    /// Whose token it showed: a hash of the id, since there are thousands of these. Two principals that have the same one (of
    /// 2⁶⁴) share what they may have.
    Principal(u64),
}

impl Owner {
    fn is_stranger(&self) -> bool {
        !matches!(self, Owner::Principal(_))
    }
}

/// Why a connection has to go.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Eviction {
    /// There are too many strangers.
    Crowded,
    /// Its unfinished message is the largest of too many.
    Unfinished,
}

/// Why a connection may not count for a principal.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Full {
    /// The principal has as many connections as one may have.
    Share,
    /// The hub has as many connections as it takes.
    Hub,
}

/// All connections of a hub.
pub(super) struct Places {
    max_members: usize,
    max_strangers: usize,
    keys: RandomState,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    next: u64,
    owners: HashMap<Owner, Held>,
    strangers: usize,
    members: usize,
    unfinished: usize,
    paces: HashMap<Owner, Bucket>,
}

/// What one owner holds.
struct Held {
    /// By number, which is the order in which they came.
    connections: Vec<Arc<Ticket>>,
    unfinished: usize,
}

/// What is known of one connection.
struct Ticket {
    places: Arc<Places>,
    number: u64,
    /// Changed while the places are locked.
    owner: Mutex<Owner>,
    /// Places that share this ticket.
    holders: AtomicUsize,
    /// 0, or 1 + an [`Eviction`].
    evicted: AtomicU8,
    waker: AtomicWaker,
    /// What it last said of its unfinished message, in bytes.
    unfinished: AtomicUsize,
    /// What it took from the rate of its address.
    paid: AtomicU32,
    /// Requests that came over it.
    requests: AtomicU32,
    /// Since when what is written to it is not taken, in boot time; 0 while it is.
    stuck: AtomicU64,
}

impl Ticket {
    fn owner(&self) -> MutexGuard<'_, Owner> {
        self.owner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One connection's place. Its clones are the same place, which is given back with the last of them.
pub(super) struct Place {
    ticket: Arc<Ticket>,
}

impl Places {
    /// Places for as many connections as the file descriptors allow.
    pub(super) fn new(max_files: Option<u64>) -> Arc<Places> {
        let files = max_files.and_then(|files| usize::try_from(files).ok()).unwrap_or(usize::MAX);
        let max_strangers = MAX_STRANGERS.min(files / 4).max(1);
        let max_members = MAX_MEMBERS.min(files.saturating_sub(max_strangers + FILES)).max(1);
        Arc::new(Places { max_members, max_strangers, keys: RandomState::new(), inner: Mutex::default() })
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection came from this address; from none where a trusted proxy has yet to say which it is.
    pub(super) fn enter(self: &Arc<Self>, from: Option<IpAddr>) -> Place {
        let mut inner = self.lock();
        let number = inner.next;
        inner.next += 1;
        let owner = from.map_or(Owner::Proxy(number), |from| Owner::Network(network(from)));
        let ticket = Arc::new(Ticket {
            places: Arc::clone(self),
            number,
            owner: Mutex::new(owner),
            holders: AtomicUsize::new(1),
            evicted: AtomicU8::new(0),
            waker: AtomicWaker::new(),
            unfinished: AtomicUsize::new(0),
            paid: AtomicU32::new(0),
            requests: AtomicU32::new(0),
            stuck: AtomicU64::new(0),
        });
        inner.put(owner, Arc::clone(&ticket));
        while inner.strangers > self.max_strangers && inner.evict_stranger() {}
        Place { ticket }
    }

    /// Lets the oldest stranger of the address that has the most go; false if there is none.
    pub(super) fn evict_stranger(&self) -> bool {
        self.lock().evict_stranger()
    }

    /// How many connections there are whose token is not known.
    pub(super) fn strangers(&self) -> usize {
        self.lock().strangers
    }

    /// Bytes of unfinished messages.
    pub(super) fn unfinished(&self) -> usize {
        self.lock().unfinished
    }
}

impl Inner {
    fn put(&mut self, owner: Owner, ticket: Arc<Ticket>) {
        *if owner.is_stranger() { &mut self.strangers } else { &mut self.members } += 1;
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

    /// Takes a connection away from its owner; `None` if it was taken away before.
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
        *if owner.is_stranger() { &mut self.strangers } else { &mut self.members } -= 1;
        Some(ticket)
    }

    /// Gives a connection to another owner; false if it has been evicted.
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

    fn evict_stranger(&mut self) -> bool {
        let strangers = self.owners.iter().filter(|(owner, _)| owner.is_stranger());
        let oldest = |held: &Held| held.connections.first().map_or(u64::MAX, |ticket| ticket.number);
        let most = strangers.max_by_key(|(_, held)| (held.connections.len(), Reverse(oldest(held))));
        let Some((owner, number)) = most.map(|(owner, held)| (*owner, oldest(held))) else {
            return false;
        };
        self.evict(&owner, number, Eviction::Crowded);
        true
    }

    /// It counts for nobody from now on, though it needs a moment to go.
    fn evict(&mut self, owner: &Owner, number: u64, why: Eviction) {
        if let Some(ticket) = self.take(owner, number) {
            ticket.evicted.store(1 + why as u8, Ordering::Release);
            ticket.waker.wake();
        }
    }

    /// Lets those with the largest unfinished messages go until the rest is within the budgets.
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

    /// Takes one from the rate of an owner, or says how long to wait before trying again, in milliseconds.
    fn pay(&mut self, owner: Owner, now: BootMs) -> u64 {
        if self.paces.len() >= MAX_PACES && !self.paces.contains_key(&owner) {
            self.paces.retain(|_, bucket| !bucket.is_full(now));
            if self.paces.len() >= MAX_PACES {
                self.paces.clear();
            }
        }
        let rate = if owner.is_stranger() { STRANGERS } else { WELCOMES };
        self.paces.entry(owner).or_insert_with(|| Bucket::new(rate, now)).try_take(1, now)
    }
}

impl Place {
    /// The token is known: from now on the connection counts for its principal.
    pub(super) fn know(&self, who: &PrincipalId) -> Result<(), Full> {
        let places = &self.ticket.places;
        let owner = Owner::Principal(places.keys.hash_one(&who.0));
        let mut inner = places.lock();
        if *self.ticket.owner() == owner {
            return Ok(());
        }
        let own = inner.owners.get(&owner).map_or(0, |held| held.connections.len());
        let max = places.max_members;
        if own >= MAX_PER_PRINCIPAL {
            return Err(Full::Share);
        }
        if inner.members >= max || (own > 0 && inner.members >= max - max / RESERVED) {
            return Err(Full::Hub);
        }
        let from = *self.ticket.owner();
        if !inner.give(&self.ticket, owner) {
            return Err(Full::Hub);
        }
        // Only what strangers do is limited.
        let paid = self.ticket.paid.swap(0, Ordering::Relaxed);
        if let Some(bucket) = inner.paces.get_mut(&from) {
            bucket.give_back(paid);
        }
        Ok(())
    }

    /// A trusted proxy says for whom its connection is now; nobody is known by that. `None`: for nobody.
    pub(super) fn forward(&self, from: Option<IpAddr>) {
        let owner = from.map_or(Owner::Proxy(self.ticket.number), |from| Owner::Network(network(from)));
        self.ticket.places.lock().give(&self.ticket, owner);
    }

    /// Whether the token is known.
    pub(super) fn is_known(&self) -> bool {
        !self.ticket.owner().is_stranger()
    }

    /// Takes one from what strangers of this address may do, or says how long to wait before trying again, in milliseconds.
    /// For a connection whose token is known there is nothing to wait for.
    pub(super) fn pay(&self, now: BootMs) -> u64 {
        let mut inner = self.ticket.places.lock();
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

    /// Takes one from how often this principal may be welcomed, or says how long to wait before trying again, in
    /// milliseconds.
    pub(super) fn welcome(&self, now: BootMs) -> u64 {
        let mut inner = self.ticket.places.lock();
        let owner = *self.ticket.owner();
        inner.pay(owner, now)
    }

    /// Says how many bytes of an unfinished message the connection makes the hub keep.
    pub(super) fn hold(&self, bytes: usize) {
        let mut inner = self.ticket.places.lock();
        let owner = *self.ticket.owner();
        // Whoever was evicted no longer counts.
        let Some(ticket) = inner.take(&owner, self.ticket.number) else { return };
        ticket.unfinished.store(bytes, Ordering::Relaxed);
        inner.put(owner, ticket);
        inner.keep_unfinished_small(&owner);
    }

    /// Waits until the connection has to go.
    pub(super) async fn evicted(&self) -> Eviction {
        poll_fn(|cx| {
            self.ticket.waker.register(cx.waker());
            match self.ticket.evicted.load(Ordering::Acquire) {
                0 => Poll::Pending,
                why if why == 1 + Eviction::Crowded as u8 => Poll::Ready(Eviction::Crowded),
                _ => Poll::Ready(Eviction::Unfinished),
            }
        })
        .await
    }

    /// Counts a request, and says how many there were.
    pub(super) fn request(&self) -> u32 {
        self.ticket.requests.fetch_add(1, Ordering::Relaxed).saturating_add(1)
    }

    /// Remembers whether what is written is taken.
    pub(super) fn writes(&self, taken: bool) {
        let since = self.ticket.stuck.load(Ordering::Relaxed);
        if taken == (since != 0) {
            let now = if taken { 0 } else { clock::now().boot_ms.max(1) };
            self.ticket.stuck.store(now, Ordering::Relaxed);
        }
    }

    /// For how long nothing of what is written has been taken, in milliseconds.
    pub(super) fn stuck_ms(&self, now: BootMs) -> u64 {
        match self.ticket.stuck.load(Ordering::Relaxed) {
            0 => 0,
            since => now.saturating_sub(since),
        }
    }
}

impl Clone for Place {
    fn clone(&self) -> Self {
        self.ticket.holders.fetch_add(1, Ordering::Relaxed);
        Place { ticket: Arc::clone(&self.ticket) }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.ticket.holders.fetch_sub(1, Ordering::AcqRel) == 1 {
            let mut inner = self.ticket.places.lock();
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

    fn is_out(place: &Place) -> bool {
        place.ticket.evicted.load(Ordering::Relaxed) != 0
    }

    #[test]
    fn the_oldest_of_the_address_with_the_most_strangers_goes() {
        let places = Places::new(None);
        let other = places.enter(address(1));
        let crowd: Vec<Place> = (0..MAX_STRANGERS - 1).map(|_| places.enter(address(2))).collect();
        assert!(!crowd.iter().any(is_out), "all have a place");
        let newcomer = places.enter(address(3));
        assert!(is_out(&crowd[0]) && !crowd[1..].iter().any(is_out));
        assert!(!is_out(&other) && !is_out(&newcomer), "the oldest of all, and the newest, stay");
        let more: Vec<Place> = (0..2 * MAX_STRANGERS).map(|_| places.enter(address(2))).collect();
        assert!(crowd.iter().all(is_out) && !is_out(&more[2 * MAX_STRANGERS - 1]) && !is_out(&newcomer));
        assert_eq!(places.strangers(), MAX_STRANGERS);
        drop((other, crowd, newcomer, more));
        assert_eq!(places.strangers(), 0);
    }

    #[test]
    fn a_network_of_ipv6_is_one_address_and_a_proxys_connections_are_many() {
        let places = Places::new(None);
        let through = places.enter(None);
        let crowd: Vec<Place> = (0..2 * MAX_STRANGERS)
            .map(|last| places.enter(Some(format!("2001:db8::{last:x}").parse().unwrap())))
            .collect();
        assert!(!is_out(&through), "the one with the most goes, not the oldest of all");
        drop(crowd);
        let others: Vec<Place> = (0..MAX_STRANGERS - 2).map(|_| places.enter(None)).collect();
        let (one, _two) = (places.enter(address(1)), places.enter(address(1)));
        assert!(is_out(&one) && !is_out(&through) && !others.iter().any(is_out));
        through.forward(address(1));
        through.forward(None);
        assert_eq!(places.strangers(), MAX_STRANGERS);
    }

    #[test]
    fn three_hundred_members_behind_one_address_come_in_together() {
        let places = Places::new(None);
        let crowd: Vec<Place> = (0..300).map(|_| places.enter(address(1))).collect();
        for (number, place) in crowd.iter().enumerate() {
            assert_eq!(place.pay(0), 0);
            assert_eq!(place.know(&who(&number.to_string())), Ok(()));
        }
        assert!(!crowd.iter().any(is_out));
        assert_eq!(places.strangers(), 0);
    }

    #[test]
    fn a_few_tokens_do_not_keep_others_out() {
        let places = Places::new(None);
        let mut taken = Vec::new();
        let mut refused = Vec::new();
        for token in 0..100 {
            for _ in 0..MAX_PER_PRINCIPAL + 1 {
                let place = places.enter(address(1));
                match place.know(&who(&token.to_string())) {
                    Ok(()) => taken.push(place),
                    Err(full) => refused.push(full),
                }
            }
        }
        assert!(refused.contains(&Full::Share) && refused.contains(&Full::Hub));
        assert!(taken.len() <= MAX_MEMBERS - MAX_MEMBERS / RESERVED + 100);
        assert_eq!(places.enter(address(1)).know(&who("another")), Ok(()));
        drop(taken.pop());
        assert_eq!(places.enter(address(1)).know(&who("0")), Err(Full::Share));
    }

    #[test]
    fn few_file_descriptors_are_few_places() {
        let places = Places::new(Some(64));
        assert_eq!((places.max_strangers, places.max_members), (16, 1));
        let places = Places::new(Some(1024));
        assert_eq!((places.max_strangers, places.max_members), (256, 640));
    }

    #[test]
    fn the_largest_unfinished_message_of_whoever_has_the_most_goes() {
        const KIB: usize = 1024;
        let places = Places::new(None);
        let member = |name: &str, bytes: usize| {
            let place = places.enter(address(1));
            place.know(&who(name)).unwrap();
            place.hold(bytes);
            place
        };
        let slow = member("slow", 1000 * KIB);
        let own: Vec<Place> = (0..9).map(|number| member("one", (950 + number) * KIB)).collect();
        assert!(own[..8].iter().all(|place| !is_out(place)));
        assert!(is_out(&own[8]), "nine times 950 KiB is more than one may hold");
        let mut others = Vec::new();
        for name in ["a", "b", "c", "d"] {
            others.extend((0..8).map(|_| member(name, 1000 * KIB)));
        }
        assert!(!is_out(&slow), "those with more go first");
        assert!(others.iter().chain(&own).any(is_out));
        assert!(places.unfinished() <= MAX_UNFINISHED_HUB_BYTES);
        slow.hold(0);
        drop((others, own));
        assert_eq!(places.unfinished(), 0);
    }

    #[test]
    fn strangers_of_one_address_are_paced_until_their_token_is_known() {
        let places = Places::new(None);
        let (one, other) = (places.enter(address(1)), places.enter(address(2)));
        while one.pay(0) == 0 {}
        assert!(one.pay(0) > 0);
        assert_eq!(other.pay(0), 0, "another address has a rate of its own");
        one.know(&who("one")).unwrap();
        let again = places.enter(address(1));
        assert_eq!(again.pay(0), 0, "what a member did does not count");
    }

    #[test]
    fn one_who_comes_again_and_again_has_to_wait_and_keeps_nobody_else_waiting() {
        let places = Places::new(None);
        let come = |name: &str| {
            let place = places.enter(address(1));
            place.know(&who(name)).unwrap();
            place.welcome(0)
        };
        assert!((0..2 * MAX_PER_PRINCIPAL).all(|_| come("one") == 0), "all clients at once, twice");
        assert!(come("one") > 0);
        assert_eq!(come("other"), 0);
    }

    #[test]
    fn whoever_is_evicted_counts_for_nothing() {
        let places = Places::new(None);
        let place = places.enter(address(1));
        let clone = place.clone();
        assert!(places.evict_stranger() && !places.evict_stranger());
        assert_eq!(place.know(&who("late")), Err(Full::Hub));
        place.hold(5);
        place.forward(address(2));
        drop((place, clone));
        assert_eq!((places.strangers(), places.unfinished()), (0, 0));
    }
}
