//! English: servers that speak STOMP.

use super::stomp::StompWords;
use crate::model::stomp::BadDestination;
use crate::ui::harmless;

/// English.
pub(super) static ENGLISH: StompWords = StompWords {
    address_hint: "ws://server.example:15674/ws or stomp://server.example",
    user_hint: "Optional: the login of the server",
    headers: "Headers of CONNECT and of the WebSocket request",
    destinations: "Destinations",
    destinations_hint: "/topic/chat\n/topic/public -> /app/chat.sendMessage",
    destinations_help: "One on each line; each becomes a room. After “->”: where messages are sent, if not to the same \
                        destination. After “|”: further headers, such as x-queue-type: quorum.",
    host: "Virtual host",
    host_hint: "Optional: the server's default",
    bad: |bad| match bad {
        BadDestination::Empty => "A destination has no name.".to_owned(),
        BadDestination::TooMuch => "A destination is too long, or there are too many of them.".to_owned(),
        BadDestination::Control => "A destination contains a control character.".to_owned(),
        BadDestination::Header(text) => {
            format!("Write a header of a destination as “name: value”, not “{}”.", harmless::line(text, 60))
        }
        BadDestination::Reserved(name) => {
            format!("Duplex sets the header {} itself.", harmless::line(name, 60))
        }
    },
};
