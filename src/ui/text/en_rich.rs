//! English about links, code and selected messages.

use super::rich::RichWords;

/// English about links, code and selected messages.
pub static ENGLISH: RichWords = RichWords {
    code_in: |language, code| format!("{language} code: {code}"),
    copy_code: "Copy code",

    open_title: "Open this link?",
    leads_to: "Address",
    open: "Open",
    copy_address: "Copy address",
    other_than_text: |claim, host| format!("The text says “{claim}”, but the link goes to {host}."),
    user_in_address: |user, host| format!("“{user}” is only a user name. The link goes to {host}."),
    letters: |name| format!("The host name has letters other than a–z. Its technical form is {name}."),
    mixed_alphabets: |name| {
        format!(
            "The host name mixes letters from different alphabets that can look alike. Its technical form is {name}."
        )
    },

    selected: |count| {
        if count == 1 { "1 message selected".to_owned() } else { format!("{count} messages selected") }
    },
    copy_selected: "Copy as text",
    clear_selection: "Clear selection",

    people_found: "People",
    emoji_found: "Emoji",
    suggestion: |name, at, of| format!("{name}, {at} of {of}"),

    message_menu: "Message menu",
    mention: |name| format!("Mention {name}"),
    mentions_you: "mentions you",

    show_people: "Show people",
    people_list: "People on this server",
    filter_people: "Filter people",
    no_person_found: "No matches.",
    only_you: "No one else has joined yet.",
    people_left_out: |count| format!("Showing {count} people; this server has more"),
    online_section: |count| format!("Online: {count}"),
    offline_section: |count| format!("Offline: {count}"),
    devices_section: |count| format!("Devices: {count}"),

    with_new_line: |hint, keys| format!("{hint}   ({keys} for a new line)"),
    paste_too_long: |length, most| {
        format!("Too long to paste: {length} characters, but only {most} fit. None of it was pasted.")
    },
    save_as_file: "Save as file",
    paste_saved: |path| format!("Saved to {path}"),
    paste_not_saved: |detail| format!("Couldn't save the file ({detail})."),
    paste_no_answer: "Nothing was pasted: the program you copied from didn't respond. Try copying again.",
    paste_no_text: "Nothing was pasted: there is no text in the clipboard.",
};
