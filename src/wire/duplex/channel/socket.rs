//! What a channel itself says over a WebSocket that has joined it. These frames have no number, and begin with `{"t":`, which
//! no message of the session does.

use serde::Deserialize;

use super::Violation;

/// How such a frame begins.
const PREFIX: &str = r#"{"t":"#;

/// A frame of the channel's own.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Control {
    /// The first frame of each end, the hub's before the client's: the WebSocket has joined.
    Joined {
        /// The last frame received without a gap.
        received: u64,
        /// The number of the next frame that this end sends here.
        first: u64,
    },
    /// The last frame received without a gap; everything up to it is confirmed.
    Received(u64),
}

#[derive(Deserialize)]
struct Text<'a> {
    t: &'a str,
    received: u64,
    first: Option<u64>,
}

impl Control {
    /// The text of the frame.
    pub fn text(self) -> String {
        match self {
            Control::Joined { received, first } => {
                format!(r#"{PREFIX}"joined","received":{received},"first":{first}}}"#)
            }
            Control::Received(received) => format!(r#"{PREFIX}"received","received":{received}}}"#),
        }
    }

    /// Reads a text frame; `None` for one of the session.
    pub fn parse(text: &str) -> Option<Result<Control, Violation>> {
        if !text.starts_with(PREFIX) {
            return None;
        }
        let parsed: Result<Text<'_>, _> = serde_json::from_str(text);
        let refuse = |detail: String| Err(Violation::Socket { detail });
        Some(match parsed {
            Ok(Text { t: "joined", received, first: Some(first) }) => Ok(Control::Joined { received, first }),
            Ok(Text { t: "received", received, .. }) => Ok(Control::Received(received)),
            Ok(Text { t, .. }) => refuse(format!("`{}`", t.chars().take(64).collect::<String>())),
            Err(error) => refuse(error.to_string()),
        })
    }
}
