//! [`Row`]: what a plain WebSocket's room shows, as an entry of its log and back. A text is a message; what is more than a text
//! is a message with a `body` that makes sense alone, and further fields:
//!
//! - `frame: "binary"`: the body is the bytes in hexadecimal digits.
//! - `socket: {"is": "opened", "subprotocol", "extensions"}`: the connection opened.
//! - `socket: {"is": "closed", "code", "reason", "clean", "by"}`: it was closed; `by` is `server` or `us`. No `code`: the close
//!   frame had none (1005).
//! - `socket: {"is": "lost", "detail"}`: it ended without a close frame (1006).

use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use serde_json::{Map, Value, json};

use super::content::Extra;
use super::id::Offset;
use super::link_state::Why;
use super::time::WallMs;
use super::{Content, Draft, Entry, MessageId, RoomId, Sender};

/// The field that says what a body is.
const FRAME: &str = "frame";
/// Its value where the body is bytes in hexadecimal digits.
const BINARY: &str = "binary";
/// The field of what is said of the socket.
const SOCKET: &str = "socket";

/// One row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Row {
    /// A text message.
    Text(String),
    /// A binary message.
    Binary(Vec<u8>),
    /// The socket opened.
    Opened {
        /// The subprotocol that was agreed on.
        subprotocol: Option<String>,
        /// The extensions, as the server's header has them; may be empty.
        extensions: String,
    },
    /// The socket was closed with a close frame.
    Closed {
        /// The code; none where the frame had none (1005).
        code: Option<u16>,
        /// The server's words; may be empty.
        reason: String,
        /// Whether a close frame went each way; none where we left without waiting for the answer.
        clean: Option<bool>,
        /// Whether we sent the first.
        by_us: bool,
    },
    /// The socket ended without a close frame (1006).
    Lost {
        /// What is known of it.
        detail: String,
    },
}

impl Row {
    /// How a socket ended.
    pub fn closed(why: &Why) -> Row {
        match why {
            Why::Closed { code, reason, closing, .. } => Row::Closed {
                code: *code,
                reason: reason.clone(),
                clean: (!closing.is_ours()).then(|| closing.is_clean()),
                by_us: closing.is_ours(),
            },
            Why::Lost { detail } | Why::Violation { detail } => Row::Lost { detail: detail.clone() },
            Why::Silent => Row::Lost { detail: "the server stopped answering".to_owned() },
            why => Row::Lost { detail: why.code().to_owned() },
        }
    }

    /// Its words and further fields.
    pub fn content(&self) -> (String, Extra) {
        let mut extra = Extra::default();
        let body = match self {
            Row::Text(text) => text.clone(),
            Row::Binary(bytes) => {
                extra.insert(FRAME, BINARY.into());
                HEXLOWER.encode(bytes)
            }
            line => {
                let (fields, sentence) = line.socket();
                extra.insert(SOCKET, Value::Object(fields));
                sentence
            }
        };
        (body, extra)
    }

    /// The row as an entry that has no offset yet.
    pub fn entry(&self, id: MessageId, room: RoomId, sender: Sender, at: WallMs) -> Entry {
        let (body, extra) = self.content();
        let draft = Draft { id, room, content: Content::Text { body, extra }, at };
        Entry { draft, offset: Offset(0), sender, received: at }
    }

    /// What an entry shows.
    pub fn of(body: &str, extra: &Extra) -> Row {
        if let Some(line) = extra.get(SOCKET).and_then(Row::of_socket) {
            return line;
        }
        let is_binary = is_binary(extra);
        match HEXLOWER_PERMISSIVE.decode(body.as_bytes()) {
            Ok(bytes) if is_binary => Row::Binary(bytes),
            _ => Row::Text(body.to_owned()),
        }
    }

    /// The fields of a line about the socket, and a sentence that makes sense without them.
    fn socket(&self) -> (Map<String, Value>, String) {
        let (fields, sentence) = match self {
            Row::Opened { subprotocol, extensions } => {
                let mut sentence = "Connected".to_owned();
                if let Some(subprotocol) = subprotocol {
                    sentence.push_str(&format!(", subprotocol {subprotocol}"));
                }
                if !extensions.is_empty() {
                    sentence.push_str(&format!(", extensions {extensions}"));
                }
                (json!({"is": "opened", "subprotocol": subprotocol, "extensions": extensions}), sentence)
            }
            Row::Closed { code, reason, clean, by_us } => {
                let by = if *by_us { "us" } else { "server" };
                let code_text = code.map_or("without a code".to_owned(), |code| code.to_string());
                let handshake = if *clean == Some(false) { " (closing handshake incomplete)" } else { "" };
                let sentence =
                    format!("Closed by {by}: {code_text} {reason}").trim_end().to_owned() + handshake;
                (json!({"is": "closed", "code": code, "reason": reason, "clean": clean, "by": by}), sentence)
            }
            Row::Lost { detail } => {
                let sentence = format!("Connection lost without a close frame (1006): {detail}");
                (json!({"is": "lost", "detail": detail}), sentence)
            }
            Row::Text(_) | Row::Binary(_) => (json!({}), String::new()),
        };
        match fields {
            Value::Object(fields) => (fields, sentence),
            _ => (Map::new(), sentence),
        }
    }

    fn of_socket(fields: &Value) -> Option<Row> {
        let text = |name: &str| fields.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        match fields.get("is")?.as_str()? {
            "opened" => Some(Row::Opened {
                subprotocol: fields.get("subprotocol").and_then(Value::as_str).map(str::to_owned),
                extensions: text("extensions"),
            }),
            "closed" => Some(Row::Closed {
                code: fields.get("code").and_then(Value::as_u64).and_then(|code| u16::try_from(code).ok()),
                reason: text("reason"),
                clean: fields.get("clean").and_then(Value::as_bool),
                by_us: text("by") == "us",
            }),
            "lost" => Some(Row::Lost { detail: text("detail") }),
            _ => None,
        }
    }
}

/// Whether a body is bytes in hexadecimal digits.
pub fn is_binary(extra: &Extra) -> bool {
    extra.get(FRAME).and_then(Value::as_str) == Some(BINARY)
}

/// Whether something is said of the socket.
pub fn is_socket(extra: &Extra) -> bool {
    extra.get(SOCKET).is_some()
}

/// The extra fields of a message that is to be sent as bytes: its body is their hexadecimal digits.
pub fn binary() -> Extra {
    let mut extra = Extra::default();
    extra.insert(FRAME, BINARY.into());
    extra
}

/// Bytes as a person writes them: hexadecimal digits, with blanks and line breaks wherever they like.
///
/// # Errors
/// A sentence that says what is wrong.
pub fn bytes_of(text: &str) -> Result<Vec<u8>, String> {
    let digits: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    if let Some(other) = digits.chars().find(|c| !c.is_ascii_hexdigit()) {
        return Err(format!("{other:?} is no hexadecimal digit"));
    }
    HEXLOWER_PERMISSIVE
        .decode(digits.as_bytes())
        .map_err(|_| "a byte has two hexadecimal digits, and one of the last is missing".to_owned())
}
