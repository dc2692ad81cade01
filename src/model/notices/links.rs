//! Our own links: one notice for an outage, however many of them are down, and only if it lasts.

use std::collections::{BTreeMap, BTreeSet};

use super::{News, Notice, Out, SLEPT_MS, Target, Topic};
use crate::model::id::ConnectionId;
use crate::model::time::BootMs;

/// So long is an outage not worth a notice, in milliseconds.
pub(super) const LASTS_MS: u64 = 30_000;

/// What is known of links that are down.
#[derive(Clone, Debug, Default)]
pub(super) struct Links {
    online: BTreeSet<ConnectionId>,
    down: BTreeMap<ConnectionId, Outage>,
    shown: bool,
}

#[derive(Copy, Clone, Debug)]
struct Outage {
    due: BootMs,
    told: bool,
}

impl Links {
    /// A link is not up. One that never was is no news: whoever started it looks at it.
    pub(super) fn down(&mut self, now: BootMs, id: ConnectionId) {
        if self.online.contains(&id) {
            self.down.insert(id, Outage { due: now.saturating_add(LASTS_MS), told: false });
        }
    }

    /// Notes whether a link is up.
    pub(super) fn was_online(&mut self, id: ConnectionId, online: bool) {
        if online {
            self.online.insert(id);
        } else {
            self.online.remove(&id);
        }
    }

    /// A link is up again, or is not wanted.
    pub(super) fn over(&mut self, id: ConnectionId, out: &mut Out) {
        self.online.remove(&id);
        self.down.remove(&id);
        if self.shown && !self.down.values().any(|outage| outage.told) {
            self.shown = false;
            out.withdraw(Topic::Links);
        }
    }

    /// When an outage has lasted.
    pub(super) fn due(&self) -> Option<BootMs> {
        self.down.values().filter(|outage| !outage.told).map(|outage| outage.due).min()
    }

    /// Tells of what has lasted, if that is wanted. All that is down is told at once: a computer without a network has one
    /// outage.
    pub(super) fn settle(&mut self, now: BootMs, wanted: bool, out: &mut Out) {
        let Some(due) = self.due().filter(|due| *due <= now) else { return };
        if now - due > SLEPT_MS {
            // The computer slept: its links have the usual time to come back.
            let untold = self.down.values_mut().filter(|outage| !outage.told);
            untold.for_each(|outage| outage.due = now.saturating_add(LASTS_MS));
            return;
        }
        self.down.values_mut().for_each(|outage| outage.told = true);
        if wanted {
            self.shown = true;
            let connections: Vec<_> = self.down.keys().copied().collect();
            let target = match connections[..] {
                [id] => Target::Connection(id),
                _ => Target::Window,
            };
            let news = News::LinkLost { connections };
            out.show(now, Notice { topic: Topic::Links, news, target });
        }
    }
}
