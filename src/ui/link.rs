//! What a connection's state looks like: the word at once, the alarm a second later, the last reason kept while it is
//! tried again.

use super::text::StateWord;
use super::{Cx, Deadline};
use crate::model::link_state::{LinkState, Why};
use crate::model::reducer::Connection;
use crate::model::time::{BootMs, Time, WallMs};

/// A loss shorter than this raises no alarm, so that a blink does not flicker.
const ALARM_AFTER_MS: u64 = 1_000;
/// An outage longer than this is called "Suspended".
const SUSPENDED_AFTER_MS: u64 = 120_000;

/// What is remembered of a connection between frames, and what it looks like now.
#[derive(Clone, Debug)]
pub(super) struct LinkMemory {
    was_online: bool,
    down_since: Option<BootMs>,
    /// The word for its state.
    pub(super) word: StateWord,
    /// When it is tried again.
    pub(super) retry_at: Option<BootMs>,
    /// Why it is down.
    pub(super) why: Option<Why>,
    /// Whether being down deserves colour and a sentence by now.
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
    /// Takes the state of this frame in.
    pub(super) fn look(&mut self, connection: &Connection, now: Time, deadline: &mut Deadline) {
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
                    // The moment at which the shown number of seconds changes.
                    deadline.at(now + (retry_at - now - 1) % 1_000 + 1);
                }
            }
            LinkState::Stopped { why } => {
                // What never was online has no blink to wait for.
                let since = if self.was_online { now } else { now.saturating_sub(ALARM_AFTER_MS) };
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

    /// Since when it is down, as people see time; none where it never was up or is not asked to be.
    pub(super) fn down_since(&self, now: Time) -> Option<WallMs> {
        let ago = now.boot_ms.saturating_sub(self.down_since?);
        Some(now.wall_ms.saturating_sub(i64::try_from(ago).unwrap_or(i64::MAX)))
    }

    /// "retrying in 3 s", while it waits.
    pub(super) fn countdown(&self, cx: &Cx) -> Option<String> {
        let left = self.retry_at?.saturating_sub(cx.now.boot_ms);
        Some(match left.div_ceil(1_000) {
            0 => cx.words.now.to_owned(),
            seconds => (cx.words.countdown)(seconds),
        })
    }
}
