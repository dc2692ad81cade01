//! [`Route`]: how the frames of the Duplex protocol travel, and why they don't go over a WebSocket.

use serde::{Deserialize, Serialize};

/// How frames travel between this computer and a server.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Route {
    /// A WebSocket.
    #[default]
    WebSocket,
    /// Server-sent events; what we send goes by `POST`, as with all that follow.
    Sse,
    /// A response without end, one frame a line.
    Stream,
    /// Requests that are held until there is something to answer.
    LongPoll,
    /// Requests at intervals.
    Poll,
}

impl Route {
    /// All of them, the best first.
    pub const ALL: [Route; 5] = [Route::WebSocket, Route::Sse, Route::Stream, Route::LongPoll, Route::Poll];

    /// Its name in texts, settings and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Route::WebSocket => "websocket",
            Route::Sse => "sse",
            Route::Stream => "stream",
            Route::LongPoll => "longpoll",
            Route::Poll => "poll",
        }
    }

    /// The route of this name.
    pub fn named(name: &str) -> Option<Route> {
        Route::ALL.into_iter().find(|route| route.name() == name)
    }

    /// Whether one response lasts, so that what ends idle connections ends it, too.
    pub fn is_lasting(self) -> bool {
        matches!(self, Route::WebSocket | Route::Sse | Route::Stream)
    }
}

/// Which route a connection may take.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum RouteChoice {
    /// A WebSocket; where it is blocked, the best of the others that works.
    #[default]
    Automatic,
    /// This one alone.
    Only(Route),
}

impl RouteChoice {
    /// All of them.
    pub fn all() -> impl Iterator<Item = RouteChoice> {
        std::iter::once(RouteChoice::Automatic).chain(Route::ALL.into_iter().map(RouteChoice::Only))
    }

    /// Whether the route is chosen automatically.
    pub fn is_automatic(&self) -> bool {
        *self == RouteChoice::Automatic
    }

    /// Its name in settings and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            RouteChoice::Automatic => "automatic",
            RouteChoice::Only(route) => route.name(),
        }
    }
}

impl Serialize for RouteChoice {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for RouteChoice {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = std::borrow::Cow::<str>::deserialize(deserializer)?;
        let known = RouteChoice::all().find(|choice| choice.name() == name);
        known.ok_or_else(|| serde::de::Error::custom("unknown route"))
    }
}

/// How a connection's frames travel at present.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct RouteInUse {
    /// The route.
    pub route: Route,
    /// Why it is no WebSocket; none over one, and where no other route is wanted.
    pub blocked: Option<Blocked>,
    /// Of polling: how long something may be on its way at most, in milliseconds.
    pub delay_ms: Option<u64>,
    /// The version of HTTP that its requests have; none over a WebSocket.
    pub http: Option<HttpVersion>,
}

/// A version of HTTP.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum HttpVersion {
    /// One request at a time over a connection.
    Http1,
    /// Many at a time.
    Http2,
}

impl HttpVersion {
    /// As people and scripts read it.
    pub fn name(self) -> &'static str {
        match self {
            HttpVersion::Http1 => "HTTP/1.1",
            HttpVersion::Http2 => "HTTP/2",
        }
    }
}

impl RouteInUse {
    /// A WebSocket.
    pub const WEBSOCKET: RouteInUse = RouteInUse::new(Route::WebSocket, None);

    /// A route, and why it is no WebSocket. Nothing else is known of it.
    pub const fn new(route: Route, blocked: Option<Blocked>) -> RouteInUse {
        RouteInUse { route, blocked, delay_ms: None, http: None }
    }

    /// The same without what changes from moment to moment.
    #[must_use]
    pub fn without_details(self) -> RouteInUse {
        RouteInUse::new(self.route, self.blocked)
    }
}

/// Why no WebSocket is used, although the server can be reached. It was not the server that refused it.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Blocked {
    /// Something between answered the handshake with this HTTP status.
    Refused(u16),
    /// The server did not see that a WebSocket was asked for: something between took that out.
    Stripped,
    /// Something between answered the handshake with what is no answer to it.
    Garbled,
    /// The connection ended during the handshake.
    Ended,
    /// Nothing answered the handshake.
    Unanswered,
    /// A WebSocket opened, and nothing came through it.
    Mute,
    /// WebSockets opened, and were cut or fell silent after a while.
    Cut,
}

impl Blocked {
    /// A stable word for scripts, logs and tests.
    pub fn code(self) -> &'static str {
        match self {
            Blocked::Refused(_) => "refused",
            Blocked::Stripped => "stripped",
            Blocked::Garbled => "garbled",
            Blocked::Ended => "ended",
            Blocked::Unanswered => "unanswered",
            Blocked::Mute => "mute",
            Blocked::Cut => "cut",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_choice_is_read_back_by_its_name() {
        for choice in RouteChoice::all() {
            let text = serde_json::to_string(&choice).unwrap();
            assert_eq!(text, format!("\"{}\"", choice.name()));
            assert_eq!(serde_json::from_str::<RouteChoice>(&text).unwrap(), choice);
        }
        for route in Route::ALL {
            assert_eq!(serde_json::to_string(&route).unwrap(), format!("\"{}\"", route.name()));
            assert_eq!(Route::named(route.name()), Some(route));
        }
        assert!(serde_json::from_str::<RouteChoice>("\"carrier pigeon\"").is_err());
    }
}
