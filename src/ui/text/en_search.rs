//! English for searching.

use super::search::SearchWords;
use crate::model::search::{Fault, Filter};

/// English for searching.
pub static ENGLISH: SearchWords = SearchWords {
    button: "Search in this room",
    field: "Search messages",
    hint_room: |room| format!("Search in #{room}"),
    hint_everywhere: "Search in all rooms",
    this_room: "This room",
    everywhere: "Everywhere",
    close: "Close search",

    help_title: "Search the messages on this computer",
    help_text: "Type a word or part of one; with several words, all must match. To narrow it down:",
    help: [
        ("from:", "sender: from:mina, from:me, from:\"Mina Kim\""),
        ("in:", "room: in:general"),
        ("is:", "pinned messages: is:pinned; in:thread for threads"),
        ("before:", "before a date: before:2026-11-03, before:yesterday"),
        ("after:", "on or after a date: after:monday, after:\"3 Nov\""),
        ("has:file", "messages with a file or picture"),
        ("\"", "exact phrase: \"half open\""),
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
    no_older: "No older results.",
    time_up: |when| match when {
        Some(when) => format!("Results back to {when}. Narrow your search, or"),
        None => "This is taking longer than usual. Narrow your search, or".to_owned(),
    },
    further: "Search further back",

    nothing: "No results",
    nothing_text: "Try fewer or shorter words, or another spelling. One or two letters match only the beginning of a word.",
    nothing_here: "No results in this room",
    nobody: "No one here has a name that starts like that. Check the name after from:",
    no_room: "No room has that name. Check the name after in:",
    indexing: |percent| {
        format!("Older messages are still being indexed ({percent} %), so some results may be missing.")
    },
    more_at_hub: "Only messages on this computer were searched. Older ones are on the server; scroll up in the room to load them.",
    disk_trouble: "The disk is not writable right now, so messages received since then can't be found.",
    failed: "The disk couldn't be read. Try again; if it keeps failing, restart Duplex.",

    go_to_date: "Go to date",
    date: "Date",
    date_hint: "2026-11-03, 3 Nov, yesterday, monday",
    no_date: "That isn't a valid date. Try 2026-11-03, 3 Nov, yesterday, monday or 10 days ago.",
    go: "Go",
    week_ago: "A week ago",
    beginning: "Beginning",
    none_since: |day, newest| format!("No messages on {day} or later. The newest is from {newest}."),
    none_at_all: "This room has no messages on this computer.",
    older_at_hub: |oldest| {
        format!(
            "This computer has messages from {oldest} on. Older ones are on the server; scroll up to load them."
        )
    },
    go_to_oldest: "Go to the oldest message here",
};

fn fault(fault: &Fault) -> String {
    match fault {
        Fault::Empty(filter) => match filter {
            Filter::From => "from: needs a name, for example from:mina, from:me",
            Filter::In => "in: needs a room, for example in:general",
            Filter::Is => "is: needs pinned: is:pinned",
            Filter::Before => "before: needs a date, for example before:2026-11-03, before:yesterday",
            Filter::After => "after: needs a date, for example after:2026-11-03, after:yesterday",
            Filter::Has => "has: finds messages with a file: has:file",
        }
        .to_owned(),
        Fault::NoDay(filter, text) => {
            let name = filter.name();
            format!(
                "“{text}” isn't a valid date. Try {name}2026-11-03, {name}yesterday or {name}\"3 Nov 2026\"."
            )
        }
        Fault::NoTime => "The date after after: must be earlier than the one after before:".to_owned(),
    }
}
