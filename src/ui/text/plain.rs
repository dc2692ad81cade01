//! [`PlainWords`]: what is said of plain WebSockets: setting one up, its room, and what is sent.

use super::Sentence;
use crate::model::link_state::Why;

/// All that is said of it in one language. Text from outside comes in harmless.
#[allow(missing_docs)] // The names say it; the sentences are in the language's file.
pub struct PlainWords {
    // Setting one up
    pub protocol: &'static str,
    pub address: &'static str,
    pub address_hint: &'static str,
    pub user: &'static str,
    pub user_hint: &'static str,
    pub password: &'static str,
    pub password_new: &'static str,
    pub password_keep: &'static str,
    pub headers: &'static str,
    pub header_name: fn(usize) -> String,
    pub header_value: fn(usize) -> String,
    pub value_new: &'static str,
    pub value_keep: &'static str,
    pub add_header: &'static str,
    pub remove_header: fn(usize) -> String,
    pub secrets_are_kept: &'static str,
    /// The same where there are no headers.
    pub password_is_kept: &'static str,
    pub no_keyring: &'static str,
    pub keep_in_file: &'static str,
    pub subprotocols: &'static str,
    pub subprotocols_hint: &'static str,
    pub too_much: &'static str,
    pub reconnect: &'static str,
    pub clear_text_warning: &'static str,
    pub connect_as_plain: &'static str,
    pub not_kept: &'static str,
    /// Where the usual sentence speaks of Duplex servers or tokens. With whether it is dialed again by itself.
    pub why: fn(&Why, bool) -> Option<Sentence>,

    // Of newer versions
    pub newer: &'static str,
    pub newer_text: &'static str,

    // The room
    pub room: &'static str,
    pub room_begins: &'static str,
    pub empty: &'static str,
    pub sent: &'static str,
    pub received: &'static str,
    pub to_server: &'static str,
    pub opened: fn(Option<&str>, &str) -> String,
    /// By us; the code; the server's words; whether a close frame went each way, where that is known.
    pub closed: fn(bool, Option<u16>, &str, Option<bool>) -> String,
    pub lost: fn(&str) -> String,
    pub format_json: &'static str,
    pub as_received: &'static str,
    pub format_all: &'static str,
    pub not_json: fn(usize, usize) -> String,
    pub show_bytes: fn(usize) -> String,
    pub copy_bytes: &'static str,
    pub bytes: fn(usize) -> String,
    pub no_devices: &'static str,

    // What is sent
    pub message_hint: &'static str,
    pub send_as: &'static str,
    pub text: &'static str,
    pub json: &'static str,
    pub hex: &'static str,
    pub bad_json: fn(usize, usize) -> String,
    pub bad_digit: fn(char, usize, usize) -> String,
    pub odd_digits: &'static str,

    // Snippets
    pub snippets: &'static str,
    pub no_snippets: &'static str,
    pub send_snippet: fn(&str) -> String,
    pub snippet_hint: fn(&str) -> String,
    pub save_snippet: &'static str,
    pub edit_snippets: &'static str,
    pub snippet: fn(usize) -> String,
    pub snippet_name: &'static str,
    pub snippet_text: &'static str,
    pub add_snippet: &'static str,
    pub move_up: &'static str,
    pub move_down: &'static str,
    pub delete_snippet: &'static str,
    pub snippets_full: &'static str,
    pub snippet_long: &'static str,
}
