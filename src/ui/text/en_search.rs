//! English for searching.

use super::search::SearchWords;
use crate::model::search::{Fault, Filter};

/// English for searching.
pub static ENGLISH: SearchWords = SearchWords {
    button: "Search in this room",
    field: "Search messages",
    hint_room: |room| format!("Search in # {room}"),
    hint_everywhere: "Search in all rooms",
    this_room: "This room",
    everywhere: "Everywhere",
    close: "Close search",

    help_title: "Find any message on this computer",
    help_text: "Type a word or a part of one. Several words: all of them. You can narrow it down:",
    help: [
        ("from:", "by whom: from:mina, from:me, from:\"Mina Kim\""),
        ("in:", "in which room: in:general"),
        ("before:", "before a day: before:2026-11-03, before:yesterday"),
        ("after:", "on a day or later: after:monday, after:\"3 Nov\""),
        ("\"", "words together, as they stand: \"half open\""),
    ],
    fault,

    results: "Results",
    count: |count, more| match (count, more) {
        (1, false) => "1 result".to_owned(),
        (count, false) => format!("{count} results"),
        (count, true) => format!("{count}+ results"),
    },
    hit: |author, place, when, text| format!("{author}, {place}, {when}: {text}"),
    not_sent: "Not sent yet",
    older: "Older results",
    no_older: "Nothing older was found.",
    time_up: |when| match when {
        Some(when) => format!("This is what was found back to {when}. Narrow it down, or"),
        None => "This takes longer than usual. Narrow it down, or".to_owned(),
    },
    further: "Search further back",

    nothing: "Nothing found",
    nothing_text: "Try fewer or shorter words, or another spelling. Less than three letters are found at the beginning of a \
                   word.",
    nothing_here: "Nothing in this room",
    nobody: "Nobody here has a name that begins like that. Check what stands after from:",
    no_room: "No room is called that. Check what stands after in:",
    indexing: |percent| format!("Older messages are still being indexed, {percent} %: some may be missing."),
    more_at_hub: "Only what is on this computer was searched: older messages are on the server, and come as you scroll up in \
                  the room.",
    disk_trouble: "The disk takes nothing at the moment: what came since then is not found.",
    failed: "The disk could not be read. Try again; if this stays so, start Duplex anew.",

    go_to_date: "Go to date",
    date: "Date",
    date_hint: "2026-11-03, 3 Nov, yesterday, monday",
    no_date: "That is no date. Try 2026-11-03, 3 Nov, yesterday, monday or 10 days ago.",
    go: "Go",
    week_ago: "A week ago",
    beginning: "Beginning",
    none_since: |day, newest| {
        format!("Nothing was written on {day} or later. The newest message is of {newest}.")
    },
    none_at_all: "This room has no messages on this computer.",
    older_at_hub: |oldest| {
        format!(
            "This computer has the room from {oldest} on. Older messages are on the server, and come as you scroll up."
        )
    },
    go_to_oldest: "Go to the oldest one here",
};

fn fault(fault: &Fault) -> String {
    match fault {
        Fault::Empty(filter) => match filter {
            Filter::From => "from: wants a name: from:mina, from:me",
            Filter::In => "in: wants a room: in:general",
            Filter::Before => "before: wants a date: before:2026-11-03, before:yesterday",
            Filter::After => "after: wants a date: after:2026-11-03, after:yesterday",
        }
        .to_owned(),
        Fault::NoDay(filter, text) => {
            let name = filter.name();
            format!("“{text}” is no date. Try {name}2026-11-03, {name}yesterday or {name}\"3 Nov 2026\".")
        }
        Fault::NoTime => "Nothing lies between these dates: after: has to be earlier than before:".to_owned(),
    }
}
