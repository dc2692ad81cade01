//! What a connection log is told: [`Note`]s, and frames as they [`Passed`].

use super::link_state::Why;
use super::proxy::ProxyUsed;
use super::route::RouteInUse;

/// So many bytes of a frame's text are kept.
pub const TEXT_BYTES: usize = 4 * 1024;

/// Something worth a person's look that is neither chat nor a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// The server sent something malformed; it was skipped.
    Malformed {
        /// What was wrong, with an excerpt.
        detail: String,
    },
    /// The server reported an error about something we asked.
    ServerError {
        /// The server's code.
        code: String,
        /// The server's words.
        detail: String,
    },
    /// The connection that has just opened goes through this proxy.
    Proxy(Box<ProxyUsed>),
    /// A change of the link's state.
    State {
        /// `LinkState::code`.
        text: String,
        /// Why it is down.
        why: Option<Box<Why>>,
    },
    /// How frames travel from now on.
    Route(RouteInUse),
}

/// Which way a frame went.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// From us to the server.
    Sent,
    /// From the server to us.
    Received,
}

/// A frame as it passed, with all that is secret hidden.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passed {
    /// Which way.
    pub way: Way,
    /// Its true size, in bytes.
    pub bytes: usize,
    /// Its message's `type`, at most 40 characters; empty where it has none.
    pub kind: String,
    /// Whether it was a frame of bytes: then `text` has them in hexadecimal.
    pub binary: bool,
    /// For readings: how many they are.
    pub counts: Option<Counts>,
    /// At most about [`TEXT_BYTES`] of it.
    pub text: String,
    /// Whether `text` is only its beginning.
    pub cut: bool,
}

/// How much is in a frame of readings.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Of so many devices.
    pub devices: usize,
    /// So many values.
    pub values: usize,
    /// So many that the hub left out before these.
    pub left_out: u64,
}
