//! [`Standing`]: whether the devices of a connection can be known now, and what is said where they cannot.

use std::collections::HashMap;

use crate::model::id::ConnectionId;
use crate::model::time::WallMs;
use crate::ui::link::LinkMemory;
use crate::ui::text::StateWord;
use crate::ui::{Cx, rooms, value};

/// How the devices of one connection stand.
#[derive(Clone, Debug)]
pub(super) struct Standing {
    connection: ConnectionId,
    state: State,
    /// What the connection is called.
    pub(super) name: String,
    /// The address that devices join by.
    pub(super) url: Option<String>,
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
            let standing = |(id, connection): (&ConnectionId, &crate::model::Connection)| {
                let link = links.get(id);
                let since = link.and_then(|link| link.down_since(cx.now));
                let word = link.map_or(StateWord::Off, |link| link.word);
                let state = match (connection.link.is_online(), connection.devices.is_complete()) {
                    (true, true) => State::Live,
                    (true, false) => State::Asking,
                    _ if since.is_none() && word == StateWord::Connecting => State::Connecting,
                    _ => State::Down(since),
                };
                let name = rooms::name_of(connection, cx.words);
                Standing { connection: *id, state, name, url: connection.profile.urls.first().cloned() }
            };
            model.connections.iter().map(standing).collect()
        })
    }

    /// That of one connection; of one that is not known, as if it were off.
    pub(super) fn of(all: &[Standing], connection: ConnectionId) -> Standing {
        let known = all.iter().find(|standing| standing.connection == connection).cloned();
        known.unwrap_or(Standing { connection, state: State::Down(None), name: String::new(), url: None })
    }

    /// What is said in place of counts; nothing where all is known.
    pub(super) fn sentence(&self, cx: &Cx) -> Option<String> {
        let words = cx.words.devices;
        match self.state {
            State::Live => None,
            State::Asking => Some(words.asking.to_owned()),
            State::Connecting => Some(words.connecting.to_owned()),
            State::Down(None) => Some((words.link_down)(None)),
            State::Down(Some(since)) => Some((words.link_down)(Some(&value::moment(cx, since)))),
        }
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
