//! [`Transport`]: the names that `--transport` takes.

use clap::ValueEnum;

use crate::model::socketio::Carriers;
use crate::model::{Route, RouteChoice};

/// How frames travel.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Transport {
    /// WebSocket; another one where that is blocked.
    #[default]
    Automatic,
    /// WebSocket alone.
    #[value(name = "websocket")]
    WebSocket,
    /// Server-sent events alone. Not with --protocol socketio.
    Sse,
    /// An HTTP response without end alone. Not with --protocol socketio.
    Stream,
    /// HTTP long polling alone. Not with --protocol socketio.
    #[value(name = "longpoll")]
    LongPoll,
    /// HTTP polling at intervals alone. Not with --protocol socketio.
    Poll,
    /// With --protocol socketio: HTTP long polling, then WebSocket.
    PollingFirst,
    /// With --protocol socketio: HTTP long polling alone.
    Polling,
}

impl Transport {
    /// Its name on the command line.
    pub(super) fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    /// As routes of the Duplex protocol; `None` where it has none of this name.
    pub(super) fn route(self) -> Option<RouteChoice> {
        match self {
            Transport::Automatic => Some(RouteChoice::Automatic),
            other => Route::named(&other.name()).map(RouteChoice::Only),
        }
    }

    /// As transports of Socket.IO; `None` where it has none of this name.
    pub(super) fn carriers(self) -> Option<Carriers> {
        match self {
            Transport::Automatic => Some(Carriers::Automatic),
            Transport::WebSocket => Some(Carriers::WebSocket),
            Transport::PollingFirst => Some(Carriers::PollingFirst),
            Transport::Polling => Some(Carriers::Polling),
            Transport::Sse | Transport::Stream | Transport::LongPoll | Transport::Poll => None,
        }
    }
}

/// Reads the name of a route of the Duplex protocol.
pub(super) fn route(text: &str) -> Result<RouteChoice, String> {
    let known = RouteChoice::all().find(|choice| choice.name() == text);
    known.ok_or_else(|| {
        let names: Vec<_> = RouteChoice::all().map(RouteChoice::name).collect();
        format!("write one of {}", names.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_has_a_name_on_the_command_line() {
        let named: Vec<_> = Transport::value_variants().iter().filter_map(|one| one.route()).collect();
        assert_eq!(named, RouteChoice::all().collect::<Vec<_>>());
        for choice in RouteChoice::all() {
            assert_eq!(route(choice.name()), Ok(choice));
        }
        assert!(route("polling").is_err());
    }
}
