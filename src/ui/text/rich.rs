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

    // The menu of a message
    // Completion
    pub people_found: &'static str,
    pub emoji_found: &'static str,
    /// The entry, its number, and of how many.
    pub suggestion: fn(&str, usize, usize) -> String,

    pub message_menu: &'static str,
    pub mention: fn(&str) -> String,
    pub mentions_you: &'static str,

    // Who is here
    pub show_people: &'static str,
    pub people_list: &'static str,
    pub filter_people: &'static str,
    pub no_person_found: &'static str,
    pub only_you: &'static str,
    pub people_left_out: fn(usize) -> String,
    pub online_section: fn(usize) -> String,
    pub offline_section: fn(usize) -> String,
    pub devices_section: fn(usize) -> String,

    // Input
    /// The hint in the field, and the keys that break a line.
    pub with_new_line: fn(&str, &str) -> String,
    /// So many characters, of at most so many.
    pub paste_too_long: fn(usize, usize) -> String,
    pub save_as_file: &'static str,
    /// Where it was saved.
    pub paste_saved: fn(&str) -> String,
    pub paste_not_saved: fn(&str) -> String,
    pub paste_no_answer: &'static str,
    pub paste_no_text: &'static str,
}
