//! [`Standing`]: how the connection that devices come over is: whether they can be known now, what is said where they
//! cannot, and the figures of its row.

use std::collections::HashMap;

use super::rows::RECENT_MS;
use crate::model::id::ConnectionId;
use crate::model::link_device::{LAST_HEARD, LINK};
use crate::model::link_state::LinkState;
use crate::model::time::WallMs;
use crate::model::{Connection, Devices, Feature};
use crate::ui::link::LinkMemory;
use crate::ui::text::StateWord;
use crate::ui::{Cx, rooms, value};

/// How one connection stands.
#[derive(Clone, Debug)]
pub(super) struct Standing {
    /// Which.
    pub(super) connection: ConnectionId,
    state: State,
    /// Whether its server offers any, as far as is known.
    pub(super) has_devices: bool,
    /// What the connection is called.
    pub(super) name: String,
    /// The address that devices join by.
    pub(super) url: Option<String>,
    /// The word for its state.
    pub(super) word: StateWord,
    /// Whether being down deserves colour.
    pub(super) alarm: bool,
    /// Whether there are figures of it to look at.
    pub(super) has_page: bool,
    round_trip_ms: Option<u64>,
    /// When something was last received, by our clock.
    heard: Option<WallMs>,
}

#[derive(Copy, Clone, Debug, PartialEq)]
enum State {
    /// All is known.
    Live,
    /// The link is up; the list of devices has not come yet.
    Asking,
    /// The link is being made, and was not up before.
    Connecting,
    /// The link is down, since then.
    Down(Option<WallMs>),
}

impl Standing {
    /// How every connection stands, in the model's order.
    pub(super) fn all(cx: &Cx, links: &HashMap<ConnectionId, LinkMemory>) -> Vec<Standing> {
        cx.model.read(|model| {
            let standing = |(id, connection): (&ConnectionId, &Connection)| {
                let link = links.get(id);
                let since = link.and_then(|link| link.down_since(cx.now));
                let word = link.map_or(StateWord::Off, |link| link.word);
                let state = match (connection.link.is_online(), connection.devices.is_complete()) {
                    (true, true) => State::Live,
                    (true, _) if !connection.offers(Feature::Devices) => State::Live,
                    (true, false) => State::Asking,
                    _ if since.is_none() && word == StateWord::Connecting => State::Connecting,
                    _ => State::Down(since),
                };
                Standing {
                    connection: *id,
                    has_devices: connection.offers(Feature::Devices),
                    state,
                    name: rooms::name_of(connection, cx.words),
                    url: connection.profile.urls.first().cloned(),
                    word,
                    alarm: link.is_some_and(|link| link.alarm),
                    has_page: connection.devices.get(LINK).is_some(),
                    round_trip_ms: match connection.link {
                        LinkState::Online { rtt_ms, .. } => rtt_ms,
                        _ => None,
                    },
                    heard: heard(&connection.devices, connection.clock_skew_ms.unwrap_or(0)),
                }
            };
            model.connections.iter().map(standing).collect()
        })
    }

    /// What is said in place of counts; nothing where all is known.
    pub(super) fn sentence(&self, cx: &Cx) -> Option<String> {
        let words = cx.words.devices;
        match self.state {
            // Of what is not there nothing is unknown.
            _ if !self.has_devices => None,
            State::Live => None,
            State::Asking => Some(words.asking.to_owned()),
            State::Connecting => Some(words.connecting.to_owned()),
            State::Down(None) => Some((words.link_down)(None)),
            State::Down(Some(since)) => Some((words.link_down)(Some(&value::moment(cx, since)))),
        }
    }

    /// The figures of its row. Asks for their next change.
    pub(super) fn facts(&self, cx: &mut Cx) -> Vec<String> {
        let mut facts: Vec<String> = self.round_trip_ms.map(cx.words.round_trip).into_iter().collect();
        if let Some(heard) = self.heard {
            let age = cx.now.wall_ms.saturating_sub(heard);
            // Seconds that tick beside what is well would tell nothing.
            let (age, changes_in) = match age {
                ..RECENT_MS => (0, (RECENT_MS - age.max(0)) as u64),
                age => (age, value::age_changes_in(age)),
            };
            cx.deadline.at(cx.now.boot_ms.saturating_add(changes_in));
            facts.push((cx.words.devices.last_heard)(&value::age(cx.words, age)));
        }
        facts
    }

    /// Whether the link is down.
    pub(super) fn is_down(&self) -> bool {
        matches!(self.state, State::Down(_))
    }

    /// Whether all is known.
    pub(super) fn is_live(&self) -> bool {
        self.state == State::Live
    }
}

/// When something was last received, by our clock, as the link's own figures tell.
fn heard(devices: &Devices, skew_ms: i64) -> Option<WallMs> {
    let latest = devices.get(LINK)?.metric(LAST_HEARD)?;
    let seconds = latest.value.as_chart()?;
    Some(latest.received.saturating_sub(skew_ms).saturating_sub((seconds * 1_000.0) as i64))
}
