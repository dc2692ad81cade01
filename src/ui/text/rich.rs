//! [`RichWords`]: what is said about links, code and selected messages.

/// What is said about the text of messages in one language. Text from outside comes in harmless.
#[allow(missing_docs)] // The names say it; the sentences are in the language's file.
pub struct RichWords {
    // Code
    pub code_in: fn(&str, &str) -> String,
    pub copy_code: &'static str,

    // Links
    pub open_title: &'static str,
    pub leads_to: &'static str,
    pub open: &'static str,
    pub copy_address: &'static str,
    /// The link's text names the first, and it leads to the second.
    pub other_than_text: fn(&str, &str) -> String,
    /// The first stands before `@` in an address at the second.
    pub user_in_address: fn(&str, &str) -> String,
    /// The host's other name.
    pub letters: fn(&str) -> String,
    /// The host's name on the wire.
    pub mixed_alphabets: fn(&str) -> String,

    // Selected messages
    pub selected: fn(usize) -> String,
    pub copy_selected: &'static str,
    pub clear_selection: &'static str,

    // Input
    /// The hint in the field, and the keys that break a line.
    pub with_new_line: fn(&str, &str) -> String,
    /// So many characters, of at most so many.
    pub paste_too_long: fn(usize, usize) -> String,
}
