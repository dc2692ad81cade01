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

    transfer: "Take connections along",
    transfer_text: "All connections as a text for another computer, without their tokens; pasted here, such a text adds what it has.",
    copy_all: |count| match count {
        1 => "Copy 1 connection".into(),
        _ => format!("Copy {count} connections"),
    },
    paste_here: "Connections from another computer",
    bad_list,
    will_add: |names, known| {
        let known = match known {
            0 => String::new(),
            1 => " One is here already and stays as it is.".to_owned(),
            _ => format!(" {known} are here already and stay as they are."),
        };
        match names {
            [] => format!("It adds nothing.{known}"),
            names => format!("It adds {}.{known}", names.join(", ")),
        }
    },
    add: "Add them",

    duplicate: "Duplicate connection",
    copy_of: |name| format!("{name} (copy)"),
};

fn bad_list(bad: &BadList) -> String {
    match bad {
        BadList::NotJson { line, column } => {
            format!(
                "This text is not complete or was changed: line {line}, column {column}. Copy it again as a whole."
            )
        }
        BadList::NotConnections => {
            "This is not a list of connections. Copy it in the settings of the other Duplex.".to_owned()
        }
        BadList::Newer => "A newer Duplex wrote this list. Update this one to read it.".to_owned(),
        BadList::Entry { number, detail } => {
            format!(
                "Connection {number} cannot be used ({}). Nothing was added.",
                harmless::line(detail, 120)
            )
        }
        BadList::Address { number, bad } => {
            format!("Connection {number}: {} Nothing was added.", (super::ENGLISH.bad_address)(*bad))
        }
    }
}
