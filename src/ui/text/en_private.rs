//! English: private rooms, their members and direct messages.

use super::private::PrivateWords;

/// English.
pub(super) static ENGLISH: PrivateWords = PrivateWords {
    hole: |from, to| {
        format!(
            "Messages between {from} and {to} are not loaded: you were not a member of this room. Go to the newest message and scroll up to load them."
        )
    },
};
