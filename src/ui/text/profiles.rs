//! [`ProfileWords`]: what is said of connections as a person sets them up: their tokens, copies, and lists of them.

/// All that is said of it in one language. Text from outside comes in harmless.
#[allow(missing_docs)] // The names say it; the sentences are in the language's file.
pub struct ProfileWords {
    // Asking for a token
    pub ask_title: fn(&str) -> String,
    pub ask_unknown: &'static str,
    pub ask_refused: &'static str,
    pub no_keyring: fn(&str) -> String,
    pub token_of: fn(&str) -> String,
}
