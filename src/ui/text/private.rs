//! [`PrivateWords`]: what is said of private rooms, their members and direct messages.

/// All that is said of them in one language. Text from outside comes in harmless.
#[allow(missing_docs)] // The names say it; the sentences are in the language's file.
pub struct PrivateWords {
    /// Between two times.
    pub hole: fn(&str, &str) -> String,
}
