//! English.

use chrono::{Local, TimeZone};

use super::{Sentence, StateWord, Words};
use crate::model::address::BadAddress;
use crate::model::chat::Refusal;
use crate::model::event::TestOutcome;
use crate::model::link_state::{Phase, Why};
use crate::model::reducer::Banner;
use crate::model::time::WallMs;
use crate::ui::harmless;

/// English.
pub static ENGLISH: Words = Words {
    state,
    countdown: |seconds| format!("trying again in {seconds} s"),
    now: "trying again now",
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
    transport_websocket: "WebSocket",
    transport_ewebsock: "WebSocket (ewebsock)",
    no_close_reasons: "close reasons not shown by this transport",
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
    remove_text: "Its history and everything not yet sent are deleted from this computer. \
                  What the server holds stays there.",
    remove: "Remove",
    cancel: "Cancel",
    new_room: "New room",
    new_room_name: "Name of the new room",
    create: "Create",
    room_name_rule: "A room's name has 1 to 64 characters that can be seen, on one line.",
    room_refused: |room, reason| {
        let Sentence { what, then } = refusal(reason);
        format!("“{room}” was not made. {what} {then}").trim_end().to_owned()
    },
    unread: |count| {
        if count == 1 { "1 unread message".into() } else { format!("{count} unread messages") }
    },
    no_rooms: "No rooms yet",
    rooms_left_out: |count| format!("Showing {count} of this server's rooms"),

    messages: "Messages",
    you: |name| format!("{name} (you)"),
    kind_admin: "admin",
    kind_device: "device",
    kind_hint: "The server says so: nobody can choose it as part of a name",
    said: |who, when| format!("{who}, {when}"),
    replayed: "replayed: written while this window was not listening",
    waiting_to_send: "Waiting to send",
    paused: |refusal, when| match refusal {
        Refusal::Quota { .. } => {
            format!("What this account may send for now is used up. Sending resumes at {when}.")
        }
        _ => format!("The server is taking no more messages for now. Sending resumes at {when}."),
    },
    sending: "Sending",
    sent: "Sent",
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
    older_on_server: "Older messages are on the server; connect to load them.",
    room_begins: |room| format!("This is where {room} begins."),
    empty_room: "Nothing has been written here yet. Say hello.",
    nothing_open: "Choose a room on the left, or add a connection to a server.",
    gap: |from, to| {
        format!(
            "Messages between {from} and {to} may be missing: the server's history began anew or was shortened."
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
    day: |at| format_local(at, "%A, %-d %B %Y"),
    clock: |at| format_local(at, "%H:%M"),
    day_and_clock: |at| format_local(at, "%-d %B %Y, %H:%M"),

    message: "Message",
    message_hint: |room| format!("Message {room}"),
    send: "Send",
    save: "Save",
    sent_when_online: "Not online: it is kept, and will be sent when online.",
    too_large: |bytes| {
        format!(
            "{:.1} of 64 KiB: too long for one message. Shorten it or send it in parts.",
            bytes as f64 / 1024.0
        )
    },
    editing: "Editing a message that is not sent",
    sent_meanwhile: "That message has been sent meanwhile. What is typed here would go as a new one.",

    add_title: "Add connection",
    edit_title: "Edit connection",
    name: "Name",
    name_hint: "The server's own, unless you give it one",
    address: "Server address or invite",
    address_hint: "hub.example, wss://hub.example:7870 or an invite",
    address_taken_as: |url| format!("Connects to {url}"),
    token: "Token",
    token_hint_new: "From whoever runs the server",
    token_hint_keep: "Leave empty to keep the present one",
    your_name: "Your name",
    your_name_hint: "What the others call you",
    your_name_needed: "The invite makes you an account: say what the others shall call you.",
    your_name_rule: "A name has up to 64 characters that can be seen, on one line.",
    invite_found: "This is an invite: no token needed.",
    advanced: "Advanced",
    ca_file: "Certificate authority file",
    ca_file_hint: "Path of a PEM file trusted for this server alone",
    fingerprint: "Certificate fingerprint",
    fingerprint_hint: "SHA-256, 64 hexadecimal digits",
    bad_fingerprint: "A fingerprint has 64 hexadecimal digits; colons between them do no harm.",
    socket: "Socket",
    socket_tungstenite: "tungstenite (recommended)",
    socket_ewebsock: "ewebsock",
    ewebsock_limits: "ewebsock shows no close reasons and knows no certificate authority or fingerprint of your own: \
                      it trusts this computer's certificates alone.",
    connect_at_start: "Connect at start",
    test_button: "Test",
    clear_text_warning: "ws:// sends the token and every message in clear text: anyone on the way can read them. \
                         Use wss:// unless the network is your own.",

    first_title: "Welcome to Duplex",
    first_text: "You are in a room of this computer's own server already: write, and it is there. \
                 Others can join you, or you join them.",
    first_stay: "Use this computer",
    first_stay_text: "Stay with this computer's own server",
    first_join: "Join a server",
    first_join_text: "With an address or an invite",
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
    profiles: &super::en_profiles::ENGLISH,
    people: &super::en_people::ENGLISH,
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
    match Local.timestamp_millis_opt(at).earliest() {
        Some(time) => time.format(pattern).to_string(),
        None => "?".to_owned(),
    }
}

fn say(what: impl Into<String>, then: impl Into<String>) -> Sentence {
    Sentence { what: what.into(), then: then.into() }
}

/// Somebody else's words, set apart.
fn quote(words: &str) -> String {
    if words.trim().is_empty() {
        String::new()
    } else {
        format!(" It said: “{}”", harmless::line(words.trim(), 200))
    }
}

fn detail(words: &str) -> String {
    if words.trim().is_empty() { String::new() } else { format!(" ({})", harmless::line(words.trim(), 200)) }
}

fn why(why: &Why) -> Sentence {
    match why {
        Why::BadUrl { detail: d } => {
            say(format!("The address cannot be used{}.", detail(d)), "Correct it with Edit connection.")
        }
        Why::BadCaFile { path, detail: d } => say(
            format!("{} is no file of certificate authorities{}.", shown(path), detail(d)),
            "Choose a PEM file with Edit connection.",
        ),
        Why::NameNotFound { host } => say(
            format!("No computer called {} was found.", harmless::line(host, 100)),
            "Check the address and this computer's network.",
        ),
        Why::ConnectionRefused => say(
            "Nothing answers at this address: the server is not running, or the port is another one.",
            "Start the server or check the port.",
        ),
        Why::Unreachable { detail: d } => {
            say(format!("The network has no way there{}.", detail(d)), "Check this computer's network.")
        }
        Why::TimedOut { during: Phase::Dial } => say(
            "The server did not answer in time.",
            "Check the address; a firewall on the way may swallow the attempt.",
        ),
        Why::TimedOut { during: Phase::Handshake } => say(
            "Something accepted the connection and then said nothing.",
            "Check the port: it may belong to another program, or the server hangs.",
        ),
        Why::TlsUntrusted { detail: d } => say(
            format!("The server's certificate is not trusted{}.", detail(d)),
            "Nothing was sent. Use a new invite, or give its certificate authority or fingerprint with Edit connection.",
        ),
        Why::TlsFailed { detail: d } => say(
            format!("No encrypted connection could be made{}.", detail(d)),
            "Check that the address needs wss:// and not ws://, or the reverse.",
        ),
        Why::Http { status, .. } => http(*status),
        Why::NotWebSocket { detail: d } => say(
            format!("Something answers there, but it speaks no WebSocket.{}", quote(d)),
            "Check the address, port and path.",
        ),
        Why::Closed { code, reason, .. } => closed(*code, reason),
        Why::Lost { detail: d } => say(
            format!("The connection broke{}.", detail(d)),
            "Nothing to do: it comes back by itself, and nothing typed is lost.",
        ),
        Why::Silent => say(
            "The server stopped answering.",
            "Nothing to do: it comes back by itself, and nothing typed is lost.",
        ),
        Why::Violation { detail: d } => say(
            format!("The server sent something its protocol does not allow{}.", detail(d)),
            "If this repeats, check that the address belongs to a Duplex hub.",
        ),
        Why::NoCommonVersion { ours, theirs } => say(
            format!(
                "The server speaks protocol version {} to {}, this app {} to {}.",
                theirs.0, theirs.1, ours.0, ours.1
            ),
            if theirs.0 > ours.1 { "Update this app." } else { "Ask for the server to be updated." },
        ),
        Why::Unauthorized => {
            say("The server does not know this token.", "Give a new one with Edit connection.")
        }
        Why::Withdrawn => say(
            "Your access to this server was withdrawn.",
            "Your token does not work there any more. Ask whoever runs the server for a new one; what you have typed stays here.",
        ),
        Why::Forbidden => say(
            "The server knows this token, but it may not connect here.",
            "Ask whoever runs the server, or give another token with Edit connection.",
        ),
        Why::InviteRefused => say(
            "The invite was used before or has expired.",
            "Ask for a new one and paste it with Edit connection.",
        ),
        Why::Impostor => say(
            "Another program listens at the address of this computer's own server and cannot prove that it is it.",
            "It was told nothing. End that program, then Retry now.",
        ),
        Why::Unsupported { detail: d } => say(
            format!("The chosen socket cannot do what this connection asks for{}.", detail(d)),
            "Choose tungstenite as the socket with Edit connection.",
        ),
        Why::HubFailed { detail: d } => say(
            format!("This computer's own server could not be started{}.", detail(d)),
            "Retry now tries again; other connections work meanwhile.",
        ),
        Why::HubLogMissing { path, left } => say(
            format!("The log of this computer's own server is missing or empty: {}.", path.display()),
            format!(
                "Put it back from a backup, then Retry now. To begin a new, empty log instead, first move these files out of \
                 that folder: {}. Other connections work meanwhile.",
                left.join(", ")
            ),
        ),
        Why::HubLogDamaged { path, detail: d } => say(
            format!("The log of this computer's own server is damaged: {}{}.", path.display(), detail(d)),
            format!(
                "In a terminal, duplexctl hub repair --data-dir \"{}\" saves what can be read; or put the file back from a \
                 backup. Then Retry now. Other connections work meanwhile.",
                path.parent().unwrap_or(path).display()
            ),
        ),
        Why::NoToken => say(
            "No token is known for this connection.",
            "Give one with Edit connection, or by --token beside --url.",
        ),
    }
}

fn http(status: u16) -> Sentence {
    let what = |words: &str| format!("{words} (HTTP {status}).");
    match status {
        401 => say(what("The server does not know this token"), "Give a new one with Edit connection."),
        403 => say(
            what("The server refused this account"),
            "Ask whoever runs the server, or give another token with Edit connection.",
        ),
        404 | 410 => say(
            what("There is a web server, but no Duplex hub at this path"),
            "Check the address with Edit connection.",
        ),
        429 => say(what("The server had too many attempts from here"), "Wait; it is tried again by itself."),
        503 => say(what("The server is busy or being restarted"), "Wait; it is tried again by itself."),
        500..=599 => say(
            what("The server failed"),
            "It is tried again by itself; if this stays, tell whoever runs it.",
        ),
        _ => say(what("The server refused the connection"), "Check the address with Edit connection."),
    }
}

fn closed(code: Option<u16>, reason: &str) -> Sentence {
    let Some(code) = code else {
        return say("The server closed the connection.", "It is tried again by itself.");
    };
    let what = |words: &str| format!("{words} (code {code}).{}", quote(reason));
    if Why::close_code_stops(code) {
        let then = "It would end the same way again. Retry now once that is mended.";
        return say(what("The server closed the connection and does not want it back"), then);
    }
    match code {
        1001 => say(what("The server is going away"), "It is tried again by itself."),
        1011..=1014 => say(what("The server failed or is being restarted"), "It is tried again by itself."),
        _ => say(what("The server closed the connection"), "It is tried again by itself."),
    }
}

fn refusal(refusal: &Refusal) -> Sentence {
    match refusal {
        Refusal::NoSuchRoom => {
            say("The room no longer exists on the server.", "Copy the text into another room.")
        }
        Refusal::TooLarge { limit } => say(
            format!("The server takes at most {} KiB in one message.", limit / 1024),
            "Edit it, or send it in parts.",
        ),
        Refusal::NotAllowed => say("This account may not do that here.", "Ask whoever runs the server."),
        Refusal::SlowDown { .. } => {
            say("The server is taking no more messages for now.", "It is sent again by itself.")
        }
        Refusal::Quota { .. } => {
            say("What this account may send for now is used up.", "It is sent again by itself.")
        }
        Refusal::TooMany { limit } => {
            say(format!("The server allows no more than {limit}."), "Ask whoever runs the server.")
        }
        Refusal::NameAlike { name } => say(
            format!("It looks like “{}”, which exists already.", harmless::line(name.as_str(), 64)),
            "Choose another name.",
        ),
        Refusal::BadName { detail: d } => {
            say(format!("The server does not accept this name{}.", detail(d)), "Choose another name.")
        }
        Refusal::Other { code, detail: d } => say(
            format!("The server refused it: {}{}.", harmless::line(code, 60), detail(d)),
            "Edit it, or retry later.",
        ),
    }
}

fn banner(banner: &Banner) -> Sentence {
    match banner {
        Banner::DiskFull => say(
            "The disk is full. What is typed and received stays in memory for now.",
            "Free some space, and it is written. Do not close the window before.",
        ),
        Banner::DiskLow => say(
            "The disk is almost full. New messages from servers are shown but not saved.",
            "Free some space: they are then received again. What you type is saved.",
        ),
        Banner::DiskReadOnly { detail: d } => say(
            format!("Duplex cannot write to its data folder{}.", detail(d)),
            "What is typed and received stays in memory: make the folder writable before closing.",
        ),
        Banner::DatabaseSetAside { path } => say(
            "The message database was damaged, and a new one was begun.",
            format!("The damaged one is kept at {}. Messages come back from the servers.", shown(path)),
        ),
        Banner::DatabaseNewer { path } => say(
            format!("The database {} is of a newer version of Duplex and was left untouched.", shown(path)),
            "Nothing is kept on disk in this session: update Duplex.",
        ),
        Banner::SettingsSetAside { path } => say(
            "The settings could not be read.",
            format!("They are kept at {}; the app runs with its defaults.", shown(path)),
        ),
        Banner::ReadingsNotWritten { detail: d } => say(
            format!("What devices say cannot be written to the disk{}.", detail(d)),
            "Live values and chat go on; the devices' past will have holes until the folder can be written again.",
        ),
        Banner::ReadingsSetAside { path } => say(
            "What devices said was damaged on the disk, and a new file was begun.",
            format!("The damaged one is kept at {}. Minutes of the past come from the servers.", shown(path)),
        ),
        Banner::Restarted => say(
            "A part of Duplex failed and was started again.",
            "Nothing was lost. If it repeats, please report it.",
        ),
        Banner::SecretNotKept { detail: d } => say(
            format!("This computer could not keep the token{}.", detail(d)),
            "It works until the app is closed; you will be asked for it again.",
        ),
        Banner::LinkNotOpened { url, detail: d } => say(
            format!("No program could open the link{}.", detail(d)),
            format!("Copy {} into a browser.", harmless::line(url, 300)),
        ),
    }
}

fn shown(path: &std::path::Path) -> String {
    harmless::line(&path.display().to_string(), 300)
}

fn bad_address(bad: BadAddress) -> &'static str {
    match bad {
        BadAddress::Empty => "Type the server's address, or paste an invite.",
        BadAddress::NoUrl => "This is no address. Try hub.example or wss://hub.example:7870.",
        BadAddress::Scheme => "The address must begin with wss:// or ws://.",
        BadAddress::Userinfo => "Leave name and password out of the address; the token has its own field.",
        BadAddress::Fingerprint => "The invite is damaged. Copy the whole of it and paste again.",
    }
}

fn test(outcome: &TestOutcome) -> Sentence {
    match outcome {
        TestOutcome::Running => say("Testing…", ""),
        TestOutcome::Passed { me, server, took_ms } => {
            let server = harmless::line(server, 60);
            match me {
                Some(me) => {
                    let name = harmless::line(&me.name, 60);
                    say(format!("It works: {server} welcomes you as {name}, in {took_ms} ms."), "")
                }
                None => say(format!("The server answers, in {took_ms} ms. The invite is still good."), ""),
            }
        }
        TestOutcome::Failed(reason) => why(reason),
    }
}
