//! English: plain WebSockets.

use super::Sentence;
use super::en::say;
use super::plain::PlainWords;
use crate::model::link_state::{HttpCause, Why};
use crate::ui::harmless;

const CHECK_ADDRESS: &str = "Check the address under Edit connection.";
const CHECK_LOGIN: &str = "Check the user name, password and headers under Edit connection.";

/// English.
pub(super) static ENGLISH: PlainWords = PlainWords {
    protocol: "Protocol",
    address: "Server URL",
    address_hint: "wss://server.example/path or ws://127.0.0.1:8080",
    user: "User name",
    user_hint: "Optional: for HTTP basic authentication",
    password: "Password",
    password_new: "Optional",
    password_keep: "Leave empty to keep the current password",
    headers: "Request headers",
    header_name: |number| format!("Name of header {number}"),
    header_value: |number| format!("Value of header {number}"),
    value_new: "Value",
    value_keep: "Leave empty to keep the current value",
    add_header: "Add header",
    remove_header: |number| format!("Remove header {number}"),
    password_is_kept: "The password is saved in this computer's keyring and never shown.",
    secrets_are_kept: "The password and the values of headers are saved in this computer's keyring and never shown.",
    no_keyring: "No keyring is available on this computer: the password and the values of headers are needed again after a \
                 restart.",
    keep_in_file: "Keep them in a file only you can read",
    subprotocols: "Subprotocols",
    subprotocols_hint: "Optional, separated by commas: v12.stomp, mqtt",
    too_much: "At most 20 headers and 20 subprotocols, and 8 KiB for each value.",
    reconnect: "Reconnect when the connection ends",
    clear_text_warning: "ws:// is not encrypted: anyone on the network can read your messages, password and headers. Use \
                         wss:// unless you trust the whole network.",
    connect_as_plain: "Connect as plain WebSocket",
    not_kept: "Couldn't save the password and headers: no keyring is available on this computer.",
    why,

    newer: "Made by a newer version",
    newer_text: "This connection was made by a newer version of Duplex and is kept as it is. Update Duplex to use it.",

    room: "All messages",
    room_begins: "This is the beginning.",
    empty: "Nothing sent or received yet. Write a message below and choose how it is sent: as text, JSON or bytes.",
    sent: "Sent",
    received: "Received",
    to_server: "To the server",
    opened: |subprotocol, extensions| {
        let mut text = "Connection opened".to_owned();
        if let Some(subprotocol) = subprotocol {
            text.push_str(&format!(", subprotocol {subprotocol}"));
        }
        if !extensions.is_empty() {
            text.push_str(&format!(", extensions {extensions}"));
        }
        text
    },
    closed,
    lost: |detail| match detail.trim() {
        "" => "Connection lost: it ended without a close frame (1006)".to_owned(),
        detail => format!("Connection lost: it ended without a close frame (1006): {detail}"),
    },
    format_json: "Format as JSON",
    as_received: "Show as received",
    format_all: "Format JSON",
    not_json: |line, column| format!("Not valid JSON: line {line}, column {column}"),
    show_bytes: |count| format!("Show all {count} bytes"),
    copy_bytes: "Copy as hex",
    bytes: |count| if count == 1 { "1 byte".into() } else { format!("{count} bytes") },
    no_devices: "This server has no devices: Duplex shows its messages as they come.",

    message_hint: "Message to the server",
    send_as: "Send as",
    text: "Text",
    json: "JSON",
    hex: "Hex",
    bad_json: |line, column| format!("Not valid JSON at line {line}, column {column}."),
    bad_digit: |digit, line, column| {
        format!("“{digit}” isn't a hexadecimal digit (line {line}, column {column}).")
    },
    odd_digits: "A byte has two hexadecimal digits: the last one is missing.",

    snippets: "Snippets",
    no_snippets: "No snippets yet. Save what you send often.",
    send_snippet: |name| format!("Send snippet {name}"),
    snippet_hint: |key| format!("Click to send. With {key}: put it into the message field."),
    save_snippet: "Save as snippet",
    edit_snippets: "Edit snippets",
    snippet: |number| format!("Snippet {number}"),
    snippet_name: "Snippet name",
    snippet_text: "Snippet text",
    add_snippet: "Add snippet",
    move_up: "Move up",
    move_down: "Move down",
    delete_snippet: "Delete snippet",
    snippets_full: "There is room for 100 snippets.",
    snippet_long: "A snippet has at most 64 KiB.",
};

/// Of a request that was answered without a WebSocket.
fn refused(status: u16) -> Option<Sentence> {
    let http = |words: &str| format!("{words} (HTTP {status}).");
    Some(match HttpCause::of(status) {
        HttpCause::UnknownToken => {
            say(http("The server wants a user name and password, or doesn't accept these"), CHECK_LOGIN)
        }
        HttpCause::Forbidden => say(http("The server refused access"), CHECK_LOGIN),
        HttpCause::NoSocket => {
            say(http("There is a web page at this address, not a WebSocket"), CHECK_ADDRESS)
        }
        HttpCause::NoSuchPath => {
            say(http("There is a web server, but no WebSocket at this path"), CHECK_ADDRESS)
        }
        HttpCause::NoUpgrade => say(
            http("Something on the way removes the request for a WebSocket"),
            "Ask whoever runs the network or the proxy to let WebSocket through.",
        ),
        HttpCause::TooLarge => {
            say(http("The server finds the request too large"), "Check the address and the headers.")
        }
        _ => return None,
    })
}

fn why(why: &Why, is_retrying: bool) -> Option<Sentence> {
    let sentence = match why {
        Why::Http { status, .. } => refused(*status)?,
        Why::Redirected { status, location } => {
            let place = location.as_deref().map(|place| harmless::line(place, 200));
            let what = match place {
                Some(place) => format!("The server redirects to {place} (HTTP {status})."),
                None => format!("The server redirects elsewhere without saying where (HTTP {status})."),
            };
            say(
                what,
                "Duplex follows redirects only within the same host and never to an unencrypted address, so that your password \
                 and headers go nowhere else. If you trust that address, enter it under Edit connection.",
            )
        }
        Why::TlsUntrusted { detail } => say(
            format!("The server's certificate isn't trusted{}.", super::en::detail(detail)),
            "No password or header was sent. Set the CA certificate file or the fingerprint under Edit connection.",
        ),
        Why::Violation { detail } => say(
            format!("The server broke the WebSocket protocol{}.", super::en::detail(detail)),
            "If this happens again, tell your server's admin.",
        ),
        Why::Closed { closing, .. } if closing.is_ours() => return None,
        Why::Closed { code, reason, .. } => say(
            match code {
                Some(code) => format!(
                    "The server closed the connection (code {code}{}).{}",
                    meaning(*code).map(|words| format!(", {words}")).unwrap_or_default(),
                    super::en::quote(reason)
                ),
                None => "The server closed the connection without a code.".to_owned(),
            },
            if is_retrying { "Reconnecting automatically." } else { "Choose Retry now to connect again." },
        ),
        _ => return None,
    };
    Some(sentence)
}

fn closed(by_us: bool, code: Option<u16>, reason: &str, clean: Option<bool>) -> String {
    let mut text = if by_us { "Closed by Duplex" } else { "Closed by the server" }.to_owned();
    match code {
        Some(code) => {
            text.push_str(&format!(": {code}"));
            if let Some(words) = meaning(code) {
                text.push_str(&format!(" ({words})"));
            }
        }
        None => text.push_str(", without a code (1005)"),
    }
    if !reason.is_empty() {
        text.push_str(&format!(", “{reason}”"));
    }
    match clean {
        Some(true) => text.push_str(", clean"),
        Some(false) => text.push_str(", not clean: the closing handshake is incomplete"),
        None => {}
    }
    text
}

/// What a code is registered for (RFC 6455 §7.4.1 and the IANA registry).
fn meaning(code: u16) -> Option<&'static str> {
    Some(match code {
        1000 => "normal closure",
        1001 => "going away",
        1002 => "protocol error",
        1003 => "unsupported data",
        1004 => "reserved",
        1005 => "no code in the close frame",
        1006 => "ended without a close frame",
        1007 => "invalid data",
        1008 => "policy violation",
        1009 => "message too big",
        1010 => "a required extension is missing",
        1011 => "internal error",
        1012 => "service restart",
        1013 => "try again later",
        1014 => "bad gateway",
        1015 => "TLS handshake failed",
        3000 => "unauthorized",
        3003 => "forbidden",
        3008 => "timeout",
        4000..=4999 => "the server's own code",
        _ => return None,
    })
}
