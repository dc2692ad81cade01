//! [`Complaint`]: what a server says in an `ERROR`, and whether the same attempt may succeed later. STOMP has no codes for it:
//! servers say it in words.

use super::frame::Frame;
use crate::model::Refusal;
use crate::model::link_state::Why;

/// Maximum length of what is kept of an `ERROR`'s message, and of its body, in characters.
const MAX_SAID_CHARS: usize = 500;
/// In lower case: what passes by itself.
const PASSING: [&str; 14] = [
    "not available",
    "unavailable",
    "timed out",
    "timeout",
    "try again",
    "too many",
    "shutting down",
    "shutdown",
    "connection_forced",
    "connection forced",
    "connection refused",
    "overload",
    "resource alarm",
    "resource_error",
];
/// In lower case: what does not.
const LASTING: [&str; 16] = [
    "access_refused",
    "access refused",
    "denied",
    "not_found",
    "not found",
    "not_allowed",
    "not authorized",
    "unauthorized",
    "forbidden",
    "precondition_failed",
    "invalid",
    "unknown destination",
    "not permitted",
    "authentication",
    "password",
    "does not exist",
];

/// What a server said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// The header `message`; may be empty.
    pub said: String,
    /// The body; may be empty.
    pub detail: String,
}

impl Complaint {
    /// Of an `ERROR`.
    pub fn of(frame: &Frame) -> Complaint {
        let cut = |text: &str| text.trim().chars().take(MAX_SAID_CHARS).collect::<String>();
        Complaint {
            said: cut(frame.header("message").unwrap_or_default()),
            detail: cut(&String::from_utf8_lossy(&frame.body)),
        }
    }

    fn has_one_of(&self, words: &[&str]) -> bool {
        let text = format!("{} {}", self.said, self.detail).to_lowercase();
        words.iter().any(|word| text.contains(word))
    }

    /// Whether it passes by itself.
    pub fn is_passing(&self) -> bool {
        self.has_one_of(&PASSING)
    }

    /// Whether it surely does not.
    pub fn is_lasting(&self) -> bool {
        !self.is_passing() && self.has_one_of(&LASTING)
    }

    /// As the end of a connection.
    pub fn why(&self, of: Option<String>, is_final: bool) -> Why {
        Why::Refused { of, said: self.sentence(), is_final }
    }

    /// As the answer to a message.
    pub fn refusal(&self) -> Refusal {
        Refusal::Other { code: "refused".to_owned(), detail: self.sentence() }
    }

    /// Its message, and its body where that says more.
    fn sentence(&self) -> String {
        match (self.said.as_str(), self.detail.as_str()) {
            (said, detail) if detail.is_empty() || said == detail => said.to_owned(),
            ("", detail) => detail.to_owned(),
            (said, detail) => format!("{said}: {detail}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaint(said: &str, detail: &str) -> Complaint {
        let mut frame = Frame::new("ERROR").with("message", said);
        frame.body = detail.as_bytes().to_vec();
        Complaint::of(&frame)
    }

    #[test]
    fn what_servers_say_is_lasting_or_passing() {
        for (said, detail) in [
            ("Bad CONNECT", "Access refused for user 'x'\n"),
            ("not_found", "NOT_FOUND - no exchange 'x' in vhost '/'\n"),
            ("access_refused", "ACCESS_REFUSED - read access to queue 'q' refused\n"),
            ("User name [x] or password is invalid.", ""),
        ] {
            let complaint = complaint(said, detail);
            assert!(complaint.is_lasting() && !complaint.is_passing(), "{said}");
        }
        for said in [
            "Broker not available.",
            "connection_forced: broker forced connection closure",
            "Too many connections",
        ] {
            assert!(complaint(said, "").is_passing(), "{said}");
        }
        let other =
            complaint("Failed to send message to ExecutorSubscribableChannel[clientInboundChannel]", "");
        assert!(!other.is_lasting() && !other.is_passing());
    }

    #[test]
    fn a_body_is_added_where_it_says_more() {
        let said = |said, detail| match complaint(said, detail).why(None, true) {
            Why::Refused { said, .. } => said,
            why => panic!("{why:?}"),
        };
        assert_eq!(said("Bad CONNECT", "Access refused\n"), "Bad CONNECT: Access refused");
        assert_eq!(
            (said("no", "").as_str(), said("", "no").as_str(), said("no", "no").as_str()),
            ("no", "no", "no")
        );
        assert!(said(&"x".repeat(9_999), "").len() <= MAX_SAID_CHARS);
    }
}
