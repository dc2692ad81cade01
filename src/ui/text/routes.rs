//! [`RouteWords`]: what is said of how messages travel where a WebSocket may be blocked.

use crate::model::route::{Route, RouteChoice, RouteInUse};

/// All that is said of it in one language.
#[allow(missing_docs)] // The names say it; the sentences are in the language's file.
pub struct RouteWords {
    pub transport: &'static str,
    pub automatic: &'static str,
    pub websocket: &'static str,
    pub sse: &'static str,
    pub stream: &'static str,
    pub long_poll: &'static str,
    pub poll: &'static str,
    pub only_hint: &'static str,
    /// In the connection's bar, where it is no WebSocket.
    pub via: fn(&RouteInUse) -> String,
}

impl RouteWords {
    /// What a route is called.
    pub fn name(&self, route: Route) -> &'static str {
        match route {
            Route::WebSocket => self.websocket,
            Route::Sse => self.sse,
            Route::Stream => self.stream,
            Route::LongPoll => self.long_poll,
            Route::Poll => self.poll,
        }
    }

    /// What a choice is called.
    pub fn choice(&self, choice: RouteChoice) -> &'static str {
        match choice {
            RouteChoice::Automatic => self.automatic,
            RouteChoice::Only(route) => self.name(route),
        }
    }
}
