//! English: connections as a person sets them up.

use super::profiles::ProfileWords;

/// English.
pub(super) static ENGLISH: ProfileWords = ProfileWords {
    ask_title: |name| format!("Token for {name}"),
    ask_unknown: "No token is known for this connection.",
    ask_refused: "Ask whoever runs the server for a new one and enter it here.",
    no_keyring: |detail| {
        format!(
            "This system offers no keyring to keep it in ({detail}), so Duplex asks after each start: a token is never \
             written to a file."
        )
    },
    token_of: |name| format!("Token of {name}"),
};
