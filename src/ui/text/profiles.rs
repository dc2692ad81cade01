//! [`ProfileWords`]: what is said of connections as a person sets them up: their tokens, copies, and lists of them.

use crate::model::transfer::BadList;

/// All that is said of it in one language. Text from outside comes in harmless.
#[allow(missing_docs)] // The names say it; the sentences are in the language's file.
pub struct ProfileWords {
    // Asking for a token
    pub ask_title: fn(&str) -> String,
    pub ask_unknown: &'static str,
    pub ask_refused: &'static str,
    pub no_keyring: &'static str,
    pub token_of: fn(&str) -> String,

    // Where a token is kept
    pub no_keyring_invite: &'static str,
    pub no_keyring_token: &'static str,
    pub keep_in_file: &'static str,
    pub keep_in_file_short: &'static str,
    pub keep_in_file_warning: &'static str,
    pub token_title: fn(&str) -> String,
    pub token_text: &'static str,

    // From one computer to another
    pub transfer: &'static str,
    pub transfer_text: &'static str,
    pub copy_all: fn(usize) -> String,
    pub paste_here: &'static str,
    pub bad_list: fn(&BadList) -> String,
    /// Names of the connections that are added, how many are here already, and for how many of their devices settings come.
    pub will_add: fn(&[String], usize, usize) -> String,
    /// The settings of so many devices do not fit.
    pub left_out: fn(usize) -> String,
    pub add: &'static str,
    pub take_over: &'static str,

    // A connection like another
    pub duplicate: &'static str,
    pub copy_of: fn(&str) -> String,
}
