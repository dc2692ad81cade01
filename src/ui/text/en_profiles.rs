//! English: connections as a person sets them up.

use super::profiles::ProfileWords;
use crate::model::transfer::BadList;
use crate::ui::harmless;

/// English.
pub(super) static ENGLISH: ProfileWords = ProfileWords {
    ask_title: |name| format!("Token for {name}"),
    ask_unknown: "No token is known for this connection.",
    ask_refused: "Ask whoever runs the server for a new one and enter it here.",
    no_keyring: |detail| {
        format!(
            "This system offers no keyring to keep it in ({detail}), so Duplex asks after each start: a token is never \
             written to a file."
        )
    },
    token_of: |name| format!("Token of {name}"),

    transfer: "Export and import connections",
    transfer_text: "Copies all connections as text for another computer, without their tokens; paste such a text here to add them.",
    copy_all: |count| match count {
        1 => "Copy 1 connection".into(),
        _ => format!("Copy {count} connections"),
    },
    paste_here: "Connections from another computer",
    bad_list,
    will_add: |names, known| {
        let known = match known {
            0 => String::new(),
            1 => " 1 connection is already here.".to_owned(),
            _ => format!(" {known} connections are already here."),
        };
        match names {
            [] => format!("Nothing to add.{known}"),
            names => format!("Will add {}.{known}", names.join(", ")),
        }
    },
    add: "Add connections",

    duplicate: "Duplicate connection",
    copy_of: |name| format!("{name} (copy)"),
};

fn bad_list(bad: &BadList) -> String {
    match bad {
        BadList::NotJson { line, column } => {
            format!(
                "The text is incomplete or was changed at line {line}, column {column}. Copy all of it again."
            )
        }
        BadList::NotConnections => {
            "This isn't a list of connections. Copy it in the settings of Duplex on the other computer."
                .to_owned()
        }
        BadList::Newer => {
            "This list was created by a newer version of Duplex. Update Duplex to read it.".to_owned()
        }
        BadList::Entry { number, detail } => {
            format!("Connection {number} can't be used ({}). Nothing was added.", harmless::line(detail, 120))
        }
        BadList::Address { number, bad } => {
            format!("Connection {number}: {} Nothing was added.", (super::ENGLISH.bad_address)(*bad))
        }
    }
}
