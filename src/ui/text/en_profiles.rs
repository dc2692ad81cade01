//! English: connections as a person sets them up.

use super::profiles::ProfileWords;
use crate::model::device_choices::{MAX_CHOSEN_DEVICES, MAX_CHOSEN_READINGS};
use crate::model::transfer::BadList;
use crate::ui::harmless;

/// English.
pub(super) static ENGLISH: ProfileWords = ProfileWords {
    ask_title: |name| format!("Token for {name}"),
    ask_unknown: "There is no token for this connection.",
    ask_refused: "Ask your server's admin for a new one and enter it here.",
    no_keyring: "No keyring is available on this computer, so Duplex asks for the token after each start.",
    token_of: |name| format!("Token of {name}"),

    no_keyring_invite: "No keyring is available on this computer, so Duplex can't save your token, and an invite works \
                        only once. Keep the token in a file, or copy it after you join: you'll need it after a restart.",
    no_keyring_token: "No keyring is available on this computer: you'll need the token again after a restart.",
    keep_in_file: "Keep the token in a file only you can read",
    keep_in_file_short: "Keep in a file",
    keep_in_file_warning: "The file is not encrypted: anyone who can use your account or read your disk can read it. It is \
                           deleted with the connection, or as soon as a keyring is available.",
    token_title: |name| format!("Your token for {name}"),
    token_text: "Save it in a safe place, such as a password manager. Whoever has it can sign in as you.",

    transfer: "Export and import connections",
    transfer_text: "Copy all connections, with your settings for their devices, as text for another computer. Tokens are not included. Paste such a text here to add them.",
    copy_all: |count| match count {
        1 => "Copy 1 connection".into(),
        _ => format!("Copy {count} connections"),
    },
    paste_here: "Connections from another computer",
    bad_list,
    will_add: |names, known, devices| {
        let known = match (known, devices) {
            (0, _) => String::new(),
            (1, 0) => " One already exists and stays unchanged.".to_owned(),
            (_, 0) => format!(" {known} already exist and stay unchanged."),
            (_, 1) => " Your settings of 1 device are replaced.".to_owned(),
            (..) => format!(" Your settings of {devices} devices are replaced."),
        };
        match names {
            [] if devices > 0 => format!("No new connections.{known}"),
            [] => format!("Nothing to add.{known}"),
            names => format!("Adds {}.{known}", names.join(", ")),
        }
    },
    left_out: |devices| {
        let all = if devices == 1 { "1 device".to_owned() } else { format!("{devices} devices") };
        format!(
            "The settings of {all} are left out: at most {MAX_CHOSEN_DEVICES} devices and {MAX_CHOSEN_READINGS} readings can \
             have settings."
        )
    },
    add: "Add connections",
    take_over: "Use these device settings",

    duplicate: "Duplicate connection",
    copy_of: |name| format!("{name} (copy)"),
};

fn bad_list(bad: &BadList) -> String {
    match bad {
        BadList::NotJson { line, column } => {
            format!(
                "This text is incomplete or was changed (line {line}, column {column}). Copy all of it again."
            )
        }
        BadList::NotConnections => {
            "This isn't a list of connections. Copy one from the settings of Duplex on the other computer."
                .to_owned()
        }
        BadList::Newer => {
            "This list was created by a newer version of Duplex. Update Duplex to read it.".to_owned()
        }
        BadList::Entry { number, detail } => {
            format!("Connection {number} can't be used ({}). Nothing was added.", harmless::line(detail, 120))
        }
        BadList::NewerEntry { number } => {
            format!("Connection {number} needs a newer version of Duplex. Nothing was added.")
        }
        BadList::Address { number, bad } => {
            format!("Connection {number}: {} Nothing was added.", (super::ENGLISH.bad_address)(*bad))
        }
    }
}
