//! English.

use super::en_link::{bad_address, test, why};
use super::{Sentence, StateWord, Words, local};
use crate::model::banner::Banner;
use crate::model::chat::Unmade;
use crate::model::refusal::Refusal;
use crate::model::time::WallMs;
use crate::ui::harmless;

/// English.
pub static ENGLISH: Words = Words {
    state,
    countdown: |seconds| format!("retrying in {seconds} s"),
    now: "retrying now",
    why,
    refusal,
    banner,
    bad_address,
    test,

    retry_now: "Retry now",
    connect: "Connect",
    disconnect: "Disconnect",
    catching_up: "catching up",
    round_trip: |ms| format!("{ms} ms"),
    protocol_duplex: "Duplex",
    protocol_websocket: "Plain WebSocket",
    protocol_socketio: "Socket.IO",
    protocol_stomp: "STOMP",
    protocol_mqtt: "MQTT",
    transport_websocket: "WebSocket",
    transport_tcp: "TCP",
    transport_ewebsock: "WebSocket (ewebsock)",
    no_close_reasons: "close reasons are not available with this transport",
    no_connection: "No connection yet",
    state_of: |name, state| format!("{name}: {state}"),

    connections: "Connections",
    this_computer: "This computer",
    add_connection: "Add connection",
    more: |name| format!("More for {name}"),
    connection_bar: "Connection",
    rooms_of: |name| format!("Rooms of {name}"),
    edit_connection: "Edit connection",
    remove_connection: "Remove connection",
    remove_title: |name| format!("Remove {name}?"),
    remove_text: "Its history and unsent messages are deleted from this computer. Nothing is deleted on the server.",
    remove: "Remove",
    cancel: "Cancel",
    new_room: "New room",
    create: "Create",
    room_name_rule: "Room names have 1 to 64 visible characters, on one line.",
    making_room: |room| format!("Create the room “{room}”"),
    unmade: |unmade| match unmade {
        Unmade::Waiting => "not created yet",
        Unmade::Refused => "not created",
    },
    not_made: "Not created",
    unread: |count| {
        if count == 1 { "1 unread message".into() } else { format!("{count} unread messages") }
    },
    mentions: |count| if count == 1 { "1 mention".into() } else { format!("{count} mentions") },
    no_rooms: "No rooms yet",
    rooms_left_out: |count| format!("Showing {count} rooms; this server has more"),

    messages: "Messages",
    you: |name| if name.is_empty() { "You".to_owned() } else { format!("{name} (you)") },
    kind_admin: "admin",
    kind_integration: "bot",
    kind_device: "device",
    kind_hint: "Assigned by the server: nobody can put it in their own name",
    said: |who, when| format!("{who}, {when}"),
    replayed: "received later: sent while you were offline",
    unknown_content: "Made by a newer version of Duplex. This version cannot show it.",
    waiting_to_send: "Waiting to send",
    paused: |refusal, when| match refusal {
        Refusal::Quota { .. } => {
            format!("You've reached this account's sending limit. Sending resumes at {when}.")
        }
        _ => format!("The server isn't accepting messages right now. Sending resumes at {when}."),
    },
    sending: "Sending",
    sent_unconfirmed: "Sent, unconfirmed",
    may_not_have_arrived: "May not have arrived",
    send_again: "Send again",
    not_sent: "Not sent",
    retry: "Retry",
    edit: "Edit",
    delete: "Delete",
    copy: "Copy text",
    show_lines: |lines| format!("Show all {lines} lines"),
    show_characters: |characters| format!("Show all {characters} characters"),
    show_less: "Show less",
    new_messages: "New messages",
    jump_to_newest: "Jump to newest",
    new_count: |count| {
        if count == 1 { "1 new message".into() } else { format!("{count} new messages") }
    },
    loading_older: "Loading older messages…",
    older_on_server: "Older messages are on the server. Connect to load them.",
    older_out_of_reach: "This server doesn't provide older messages.",
    room_begins: |room| format!("This is the beginning of #{room}."),
    empty_room: "No messages yet. Write the first one.",
    nothing_open: "Choose a room on the left, or add a connection.",
    gap: |from, to| {
        format!(
            "Messages between {from} and {to} may be missing: the server's history was reset or shortened."
        )
    },
    typing: |names| match names {
        [] => String::new(),
        [one] => format!("{one} is typing…"),
        [one, two] => format!("{one} and {two} are typing…"),
        [one, two, rest @ ..] => format!("{one}, {two} and {} more are typing…", rest.len()),
    },
    people_online: |count| format!("{count} online"),
    people_online_or_more: |count| format!("{count} or more online"),
    scroll_bar: "Position in the room",
    today: "Today",
    yesterday: "Yesterday",
    day: |at| local::day(at, |time| time.format("%A, %-d %B %Y").to_string()),
    clock: |at| format_local(at, "%H:%M"),
    day_and_clock: |at| format_local(at, "%-d %B %Y, %H:%M"),

    message: "Message",
    message_hint: |room| format!("Message #{room}"),
    send: "Send",
    save: "Save",
    sent_when_online: "You're offline. Your message is kept and sent once you're back online.",
    too_large: |bytes| {
        format!(
            "Too long for one message: {:.1} of 64 KiB. Shorten it or send it in parts.",
            bytes as f64 / 1024.0
        )
    },
    editing: "Editing an unsent message",
    sent_meanwhile: "That message has already been sent. This will be sent as a new message.",

    add_title: "Add connection",
    edit_title: "Edit connection",
    name: "Name",
    name_hint: "Optional: defaults to the server's name",
    address: "Server address or invite",
    address_hint: "server.example, wss://server.example:7870 or an invite link",
    address_taken_as: |url| format!("Connects to {url}"),
    use_address: |url| format!("Use {url}"),
    token: "Token",
    token_hint_new: "Ask your server's admin",
    token_hint_keep: "Leave empty to keep the current token",
    your_name: "Display name",
    your_name_hint: "Shown to others on this server",
    your_name_needed: "This invite creates your account. Choose a display name.",
    your_name_rule: "A display name has 1 to 64 visible characters on one line.",
    invite_found: "This is an invite. You don't need a token.",
    advanced: "Advanced",
    ca_file: "CA certificate file",
    ca_file_hint: "Path to a PEM file, trusted for this server only",
    join: "Join",
    client_certificate: "Client certificate file",
    client_certificate_hint: "Path to a PEM file, for servers that ask for one",
    client_key: "Private key file",
    client_key_hint: "If it isn't in the certificate's file",
    fingerprint: "Certificate fingerprint",
    fingerprint_hint: "SHA-256: 64 hexadecimal digits",
    bad_fingerprint: "A fingerprint has 64 hexadecimal digits; colons between them are allowed.",
    socket: "Socket",
    socket_tungstenite: "tungstenite (recommended)",
    socket_ewebsock: "ewebsock",
    ewebsock_limits: "ewebsock doesn't report close reasons and doesn't support a CA file, a fingerprint or a client certificate: \
                      it trusts only this computer's certificates.",
    connect_at_start: "Connect at startup",
    test_button: "Test",
    clear_text_warning: "ws:// is not encrypted: anyone on the network can read your token and messages. \
                         Use wss:// unless you trust the whole network.",

    first_title: "Welcome to Duplex",
    first_text: "You're connected to the server on this computer. Write something, or join a team's server with an invite.",
    first_stay: "Get started",
    first_stay_text: "Close this and use the server on this computer",
    first_join: "Join a server",
    first_join_text: "With an address or an invite link",
    first_later: "Later",

    resize_rooms: "Resize the list of rooms",
    resize_devices: "Resize the devices",

    settings: "Settings",
    close: "Close",

    no_graphics: |why| {
        format!(
            "The window cannot be drawn on this computer.\n\n\
             Duplex draws with OpenGL 2.1{}. Install the driver of your graphics card from its \
             maker, then start Duplex again. On a server use duplexctl instead.\n\n({why})",
            if cfg!(windows) { " or Direct3D 12" } else { "" }
        )
    },

    dismiss: "Dismiss",

    devices: &super::en_devices::ENGLISH,
    keys: &super::en_keys::ENGLISH,
    log: &super::en_log::ENGLISH,
    notices: &super::en_notices::ENGLISH,
    search: &super::en_search::ENGLISH,
    sheet: &super::en_sheet::ENGLISH,
    rich: &super::en_rich::ENGLISH,
    archive: &super::en_archive::ENGLISH,
    rooms: &super::en_rooms::ENGLISH,
    chat: &super::en_chat::ENGLISH,
    files: &super::en_files::ENGLISH,
    deep_link: &super::en_deep_link::ENGLISH,
    profiles: &super::en_profiles::ENGLISH,
    people: &super::en_people::ENGLISH,
    plain: &super::en_plain::ENGLISH,
    mapping: &super::en_mapping::ENGLISH,
    socketio: &super::en_socketio::ENGLISH,
    routes: &super::en_routes::ENGLISH,
    doctor: &super::en_doctor::ENGLISH,
    private: &super::en_private::ENGLISH,
    stomp: &super::en_stomp::ENGLISH,
    proxy: &super::en_proxy::ENGLISH,
    topics: &super::en_topics::ENGLISH,
    mqtt: &super::en_mqtt::ENGLISH,
    device_acts: &super::en_device_acts::ENGLISH,
    device_page: &super::en_device_page::ENGLISH,
};

/// English, with twelve hours before noon and twelve after.
pub static TWELVE_HOURS: Words = Words {
    clock: |at| format_local(at, "%-I:%M %p"),
    day_and_clock: |at| format_local(at, "%-d %B %Y, %-I:%M %p"),
    device_page: &super::en_device_page::TWELVE_HOURS,
    ..ENGLISH
};

fn state(word: StateWord) -> &'static str {
    match word {
        StateWord::Connecting => "Connecting",
        StateWord::Online => "Online",
        StateWord::Waiting => "Waiting",
        StateWord::Suspended => "Suspended",
        StateWord::Stopped => "Stopped",
        StateWord::Off => "Off",
    }
}

fn format_local(at: WallMs, pattern: &str) -> String {
    local::moment(at, |time| time.format(pattern).to_string())
}

pub(super) fn say(what: impl Into<String>, then: impl Into<String>) -> Sentence {
    Sentence { what: what.into(), then: then.into() }
}

/// Somebody else's words, set apart.
pub(super) fn quote(words: &str) -> String {
    if words.trim().is_empty() {
        String::new()
    } else {
        format!(" It said: “{}”", harmless::line(words.trim(), 200))
    }
}

pub(super) fn detail(words: &str) -> String {
    if words.trim().is_empty() { String::new() } else { format!(" ({})", harmless::line(words.trim(), 200)) }
}

fn refusal(refusal: &Refusal) -> Sentence {
    match refusal {
        Refusal::NoSuchRoom => {
            say("The room no longer exists on the server.", "Copy the text into another room.")
        }
        Refusal::NoSuchMessage => {
            say("The message was deleted, or the server no longer keeps it.", "Discard this.")
        }
        Refusal::NotYours => {
            say("Only the person who wrote the message can change it.", "Ask them, or your server's admin.")
        }
        Refusal::NotAnEmoji => {
            say("The server doesn't take this as a reaction.", "Choose an emoji from the list.")
        }
        Refusal::TooLarge { limit } => say(
            format!("The server takes at most {} KiB in one message.", limit / 1024),
            "Edit it, or send it in parts.",
        ),
        Refusal::NotAllowed => say("Your account isn't allowed to do that here.", "Ask your server's admin."),
        Refusal::SlowDown { .. } => {
            say("The server isn't accepting messages right now.", "Retrying automatically.")
        }
        Refusal::Quota { .. } => say("You've reached your sending limit for now.", "Retrying automatically."),
        Refusal::TooMany { limit } => {
            say(format!("The server allows no more than {limit}."), "Ask your server's admin.")
        }
        Refusal::NameAlike { name } => say(
            format!("It looks like “{}”, which exists already.", harmless::line(name.as_str(), 64)),
            "Choose another name.",
        ),
        Refusal::BadName { detail: d } => {
            say(format!("The server does not accept this name{}.", detail(d)), "Choose another name.")
        }
        Refusal::NoSuchFile => {
            say("The server no longer has the file.", "Delete this and send the file again.")
        }
        Refusal::Archived => say("This room is archived.", "Ask its owner or an admin to unarchive it."),
        Refusal::UnknownKind { .. } => say(
            "The server does not know this kind of message.",
            "Ask your server's admin to update the server.",
        ),
        Refusal::Other { code, detail: d } => say(
            format!("The server refused it: {}{}.", harmless::line(code, 60), detail(d)),
            "Edit it, or retry later.",
        ),
    }
}

/// Long: one arm for each banner.
fn banner(banner: &Banner) -> Sentence {
    match banner {
        Banner::DiskFull => say(
            "The disk is full. New messages are kept in memory for now.",
            "Free some space and they are saved. Don't close the window until then.",
        ),
        Banner::DiskLow => say(
            "The disk is almost full. New messages from servers are shown but not saved.",
            "Free some space and they are received again. What you write is saved.",
        ),
        Banner::DiskReadOnly { detail: d } => say(
            format!("Duplex cannot write to its data folder{}.", detail(d)),
            "New messages are kept in memory. Make the folder writable before you close the window.",
        ),
        Banner::DatabaseSetAside { path } => say(
            "The message database was damaged. A new one was created.",
            format!(
                "The damaged file is kept at {}. Messages are loaded again from the servers.",
                shown(path)
            ),
        ),
        Banner::DatabaseNewer { path } => say(
            format!(
                "The database {} was created by a newer version of Duplex and was left unchanged.",
                shown(path)
            ),
            "Nothing is saved in this session. Update Duplex.",
        ),
        Banner::SettingsSetAside { path } => say(
            "The settings could not be read.",
            format!("The file is kept at {}. Duplex is using the default settings.", shown(path)),
        ),
        Banner::ReadingsNotWritten { detail: d } => say(
            format!("Device readings can't be saved{}.", detail(d)),
            "Live values and chat continue. Device history will have gaps until the folder is writable again.",
        ),
        Banner::ReadingsSetAside { path } => say(
            "Stored device readings were damaged. A new file was created.",
            format!(
                "The damaged file is kept at {}. History by the minute is loaded from the servers.",
                shown(path)
            ),
        ),
        Banner::Restarted => say(
            "A part of Duplex failed and was restarted.",
            "Nothing was lost. If this happens again, please report it.",
        ),
        Banner::SecretNotKept { .. } => {
            say("Couldn't save the token: no keyring is available.", "You'll need it again after a restart.")
        }
        Banner::ClosedUnexpectedly { note: Some(_) } => say(
            "Duplex closed unexpectedly.",
            "Your messages and drafts are saved. A report of the error is on this computer; it is never sent.",
        ),
        Banner::ClosedUnexpectedly { note: None } => say(
            "Duplex didn't close properly last time.",
            "It may have crashed, or the system or another program ended it. Your messages and drafts are saved.",
        ),
        Banner::PartFailed { .. } => say(
            "A part of Duplex failed last time and was restarted.",
            "Your messages and drafts are saved. A report of the error is on this computer; it is never sent.",
        ),
        Banner::LinkNotOpened { url, detail: d } => say(
            format!("No app could open the link{}.", detail(d)),
            format!("Copy {} and paste it into a browser.", harmless::line(url, 300)),
        ),
    }
}

pub(super) fn shown(path: &std::path::Path) -> String {
    harmless::line(&path.display().to_string(), 300)
}
