//! English about links, code and selected messages.

use super::rich::RichWords;

/// English about links, code and selected messages.
pub static ENGLISH: RichWords = RichWords {
    code_in: |language, code| format!("{language} code: {code}"),
    copy_code: "Copy code",

    open_title: "Open this link?",
    leads_to: "It leads to",
    open: "Open",
    copy_address: "Copy address",
    other_than_text: |claim, host| format!("The text reads “{claim}”, but the link leads to {host}."),
    user_in_address: |user, host| {
        format!("“{user}” is only a name to sign in with. The link leads to {host}.")
    },
    letters: |name| format!("The host has letters beyond a to z. It is the same as {name}."),
    mixed_alphabets: |name| {
        format!("The host mixes letters of several alphabets that can look alike. It is looked up as {name}.")
    },

    selected: |count| {
        if count == 1 { "1 message selected".to_owned() } else { format!("{count} messages selected") }
    },
    copy_selected: "Copy as text",
    clear_selection: "End selection",

    with_new_line: |hint, keys| format!("{hint}   ({keys} for a new line)"),
    paste_too_long: |length, most| {
        format!(
            "Not pasted: {length} characters do not fit, there is room for {most}. They are still in the clipboard; \
             paste them in parts."
        )
    },
};
