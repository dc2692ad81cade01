//! [`Standing`]: the state of a connection as the device list shows it: whether its devices are known, the
//! sentence to show if they are not, and the figures of its row.

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

/// State of a connection.
#[derive(Clone, Debug)]
pub(super) struct Standing {
    /// The connection.
    pub(super) connection: ConnectionId,
    state: State,
    /// Whether its server supports devices, as far as is known.
    pub(super) has_devices: bool,
    /// Name of the connection.
    pub(super) name: String,
    /// The address for devices to connect to.
    pub(super) url: Option<String>,
    /// State shown in its row.
    pub(super) word: StateWord,
    /// Whether being down is shown as a problem.
    pub(super) alarm: bool,
    /// Whether it has a page with link figures.
    pub(super) has_page: bool,
    round_trip_ms: Option<u64>,
    /// When something was last received, by our clock.
    heard: Option<WallMs>,
}

#[derive(Copy, Clone, Debug, PartialEq)]
enum State {
    /// The devices are known and current.
    Live,
    /// The link is up; the device list has not arrived yet.
    Asking,
    /// Connecting for the first time.
    Connecting,
    /// The link is down, since this time.
    Down(Option<WallMs>),
}

impl Standing {
    /// The state of every connection, in the model's order.
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

    /// The sentence to show instead of counts; `None` if the devices are known.
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

    /// The figures of its row. Schedules a repaint for their next change.
    pub(super) fn facts(&self, cx: &mut Cx) -> Vec<String> {
        let mut facts: Vec<String> = self.round_trip_ms.map(cx.words.round_trip).into_iter().collect();
        if let Some(heard) = self.heard {
            let age = cx.now.wall_ms.since(heard);
            // Ticking seconds next to a healthy link would be noise.
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

    /// Whether the devices are known and current.
    pub(super) fn is_live(&self) -> bool {
        self.state == State::Live
    }
}

/// When something was last received, by our clock, according to the link's own metrics.
fn heard(devices: &Devices, skew_ms: i64) -> Option<WallMs> {
    let latest = devices.get(LINK)?.metric(LAST_HEARD)?;
    let seconds = latest.value.as_chart()?;
    Some(latest.received.before(skew_ms).before((seconds * 1_000.0) as i64))
}
