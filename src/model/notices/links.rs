//! Notifications about lost connections: one for all that are down, and only if the outage lasts.

use std::collections::{BTreeMap, BTreeSet};

use super::{ClickTarget, Notice, NoticeContent, Out, SLEPT_MS, Topic};
use crate::model::id::ConnectionId;
use crate::model::time::BootMs;

/// Minimum duration of an outage before it is notified about, in milliseconds.
pub(super) const MIN_OUTAGE_MS: u64 = 30_000;

/// The connections that are down.
#[derive(Clone, Debug, Default)]
pub(super) struct Links {
    online: BTreeSet<ConnectionId>,
    down: BTreeMap<ConnectionId, Outage>,
    shown: bool,
}

#[derive(Copy, Clone, Debug)]
struct Outage {
    due: BootMs,
    notified: bool,
}

impl Links {
    /// A link is not up. Ignored if it never was: the person who started it is watching.
    pub(super) fn down(&mut self, now: BootMs, id: ConnectionId) {
        if self.online.contains(&id) {
            self.down.insert(id, Outage { due: now.saturating_add(MIN_OUTAGE_MS), notified: false });
        }
    }

    /// Records whether a link is up.
    pub(super) fn was_online(&mut self, id: ConnectionId, online: bool) {
        if online {
            self.online.insert(id);
        } else {
            self.online.remove(&id);
        }
    }

    /// A link is up again, or was stopped.
    pub(super) fn over(&mut self, id: ConnectionId, out: &mut Out) {
        self.online.remove(&id);
        self.down.remove(&id);
        if self.shown && !self.down.values().any(|outage| outage.notified) {
            self.shown = false;
            out.withdraw(Topic::Links);
        }
    }

    /// When the next outage has lasted long enough.
    pub(super) fn due(&self) -> Option<BootMs> {
        self.down.values().filter(|outage| !outage.notified).map(|outage| outage.due).min()
    }

    /// Shows a notification for the outages that have lasted long enough, if enabled. It covers all links
    /// that are down, since a lost network affects them together.
    pub(super) fn show_due(&mut self, now: BootMs, wanted: bool, out: &mut Out) {
        let Some(due) = self.due().filter(|due| *due <= now) else { return };
        if now - due > SLEPT_MS {
            // After a sleep, links get the usual time to reconnect.
            let pending = self.down.values_mut().filter(|outage| !outage.notified);
            pending.for_each(|outage| outage.due = now.saturating_add(MIN_OUTAGE_MS));
            return;
        }
        self.down.values_mut().for_each(|outage| outage.notified = true);
        if wanted {
            self.shown = true;
            let connections: Vec<_> = self.down.keys().copied().collect();
            let target = match connections[..] {
                [id] => ClickTarget::Connection(id),
                _ => ClickTarget::Window,
            };
            let news = NoticeContent::LinkLost { connections };
            out.show(now, Notice { topic: Topic::Links, news, target });
        }
    }
}
