//! How a connection's state is presented: the state itself immediately, the warning colour after a second,
//! and the last failure reason kept during retries.

use super::text::StateWord;
use super::{Cx, Deadline};
use crate::model::link_state::{LinkState, Why};
use crate::model::reducer::Connection;
use crate::model::time::{BootMs, Time, WallMs};

/// Outages shorter than this show no warning, so that a brief loss does not flicker, in milliseconds.
const ALARM_AFTER_MS: u64 = 1_000;
/// Outages longer than this are shown as "Suspended", in milliseconds.
const SUSPENDED_AFTER_MS: u64 = 120_000;

/// What is remembered of a connection between frames, and its current presentation.
#[derive(Clone, Debug)]
pub(super) struct LinkMemory {
    was_online: bool,
    down_since: Option<BootMs>,
    /// The state shown.
    pub(super) word: StateWord,
    /// When the next attempt is made.
    pub(super) retry_at: Option<BootMs>,
    /// Why it is down.
    pub(super) why: Option<Why>,
    /// Whether the outage has lasted long enough to be shown as a warning.
    pub(super) alarm: bool,
}

impl Default for LinkMemory {
    fn default() -> Self {
        LinkMemory {
            was_online: false,
            down_since: None,
            word: StateWord::Off,
            retry_at: None,
            why: None,
            alarm: false,
        }
    }
}

impl LinkMemory {
    /// Updates from this frame's state.
    pub(super) fn update(&mut self, connection: &Connection, now: Time, deadline: &mut Deadline) {
        let now = now.boot_ms;
        self.retry_at = None;
        match &connection.link {
            LinkState::Idle => *self = LinkMemory::default(),
            LinkState::Online { .. } => {
                *self = LinkMemory { was_online: true, word: StateWord::Online, ..LinkMemory::default() };
            }
            LinkState::Dialing { .. } | LinkState::Handshaking { .. } => {
                self.word = StateWord::Connecting;
                if self.was_online {
                    self.down_since.get_or_insert(now);
                }
            }
            LinkState::Waiting { retry_at, down_since, why, .. } => {
                self.down_since = Some(*down_since);
                self.retry_at = Some(*retry_at);
                self.why = Some(why.clone());
                let suspended_at = down_since.saturating_add(SUSPENDED_AFTER_MS);
                self.word = if now > suspended_at { StateWord::Suspended } else { StateWord::Waiting };
                if now <= suspended_at {
                    deadline.at(suspended_at + 1);
                }
                if *retry_at > now {
                    // Repaint when the displayed number of seconds changes.
                    deadline.at(now + ((*retry_at - now).saturating_sub(1) % 1_000 + 1));
                }
            }
            LinkState::Stopped { why } => {
                // A connection that was never online shows the warning immediately.
                let since = if self.was_online { now } else { now.before(ALARM_AFTER_MS) };
                self.down_since.get_or_insert(since);
                self.why = Some(why.clone());
                self.word = StateWord::Stopped;
            }
        }
        let alarm_at = self.down_since.map(|since| since.saturating_add(ALARM_AFTER_MS));
        self.alarm = alarm_at.is_some_and(|moment| moment <= now);
        if let Some(moment) = alarm_at.filter(|moment| *moment > now) {
            deadline.at(moment);
        }
    }

    /// When it went down, in wall-clock time; `None` if it never was up or is not meant to be.
    pub(super) fn down_since(&self, now: Time) -> Option<WallMs> {
        let ago = now.boot_ms.since(self.down_since?);
        Some(now.wall_ms.before(i64::try_from(ago).unwrap_or(i64::MAX)))
    }

    /// "retrying in 3 s", while waiting for the next attempt.
    pub(super) fn countdown(&self, cx: &Cx) -> Option<String> {
        let left = self.retry_at?.since(cx.now.boot_ms);
        Some(match left.div_ceil(1_000) {
            0 => cx.words.now.to_owned(),
            seconds => (cx.words.countdown)(seconds),
        })
    }
}
