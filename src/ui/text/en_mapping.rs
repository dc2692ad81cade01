//! English: the mapping of a foreign server.

use super::mapping::MappingWords;
use crate::ui::mapping::Kind;

/// English.
pub(super) static ENGLISH: MappingWords = MappingWords {
    title: "Message mapping",
    menu: "Message mapping…",
    about: "Duplex recognizes messages, people and readings by their shape. If this server does something differently, say so here. Saving reconnects.",
    recognize: "Show messages as chat and readings as devices",
    recognize_hint: "Otherwise every message is shown as received. What is not recognized always is.",
    offer: "Show as chat and devices…",
    offer_hint: "This server sends messages of people or readings. You see first what would be recognized.",
    your_name: "Your name on this server",
    your_name_hint: "Sent where the mapping says {name}",
    begin_with: "Start from:",
    choose: "Choose a server…",
    document: "Mapping as JSON",
    preview: "What was received last, with this mapping",
    nothing_yet: "Nothing has been received since Duplex started. Connect, and it appears here.",
    times: |count| format!("× {count}"),
    kind: |kind| match kind {
        Kind::Unmapped => "not recognized",
        Kind::Message => "message",
        Kind::Notice => "notice of the server",
        Kind::ComesAndGoes => "somebody joins or leaves",
        Kind::Typing => "somebody is typing",
        Kind::People => "list of people",
        Kind::Readings => "readings of a device",
        Kind::Me => "who you are",
        Kind::Nothing => "ignored",
    },
    as_message: "Message",
    as_readings: "Readings",
    as_nothing: "Ignore",
    copy: "Copy JSON",
    copy_hint: "Save it as a file for duplexctl --map, or paste it into another connection's mapping",
};
