//! [`Acks`]: received messages that are not on disk yet. Each is acknowledged once it is, in the order of arrival.

use std::collections::VecDeque;

use super::frame::{Frame, Version};
use crate::wire::Mark;

/// Maximum number of received messages that are not acknowledged. The server is asked to send fewer ([`PREFETCH`]).
pub const MAX_UNACKED: usize = 16_384;
/// How many messages a server is asked to send before the first of them is acknowledged, for each subscription.
pub const PREFETCH: usize = 64;
/// Maximum length of what identifies a message, in bytes.
const MAX_ID_BYTES: usize = 4 * 1024;

/// The server sends on although nothing was acknowledged.
#[derive(Copy, Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("more than {MAX_UNACKED} messages before the first was acknowledged")]
pub struct TooMany;

/// Received and not acknowledged, the oldest first.
#[derive(Debug, Default)]
pub struct Acks {
    next: u64,
    waiting: VecDeque<(Mark, Frame)>,
}

impl Acks {
    /// The mark for a received message; `None` if it needs no acknowledgement.
    ///
    /// # Errors
    /// There are too many.
    pub fn received(&mut self, message: &Frame, version: Version) -> Result<Option<Mark>, TooMany> {
        let Some(ack) = ack_of(message, version) else { return Ok(None) };
        if self.waiting.len() >= MAX_UNACKED {
            return Err(TooMany);
        }
        self.next += 1;
        let mark = Mark(self.next);
        self.waiting.push_back((mark, ack));
        Ok(Some(mark))
    }

    /// The `ACK` for this mark alone.
    pub fn only(&mut self, mark: Mark) -> Option<Frame> {
        let at = self.waiting.iter().position(|(waiting, _)| *waiting == mark)?;
        self.waiting.remove(at).map(|(_, ack)| ack)
    }

    /// The next `ACK` for what is on disk up to this mark.
    pub fn next_until(&mut self, mark: Mark) -> Option<Frame> {
        self.waiting.pop_front_if(|(waiting, _)| *waiting <= mark).map(|(_, ack)| ack)
    }
}

/// The acknowledgement of a message, if the server wants one. A server that ignores the mode of a subscription sends no `ack`
/// header in 1.2, and ignores an `ACK` before.
fn ack_of(message: &Frame, version: Version) -> Option<Frame> {
    let header = |name| message.header(name).filter(|value| !value.is_empty() && value.len() <= MAX_ID_BYTES);
    let ack = Frame::new("ACK");
    Some(match version {
        Version::V1_2 => ack.with("id", header("ack")?),
        Version::V1_1 => {
            ack.with("subscription", header("subscription")?).with("message-id", header("message-id")?)
        }
        Version::V1_0 => {
            let ack = ack.with("message-id", header("message-id")?);
            header("subscription").map_or(ack.clone(), |subscription| ack.with("subscription", subscription))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message() -> Frame {
        Frame::new("MESSAGE").with("subscription", "s0").with("message-id", "m:7").with("ack", "a\\1")
    }

    fn acked(version: Version, message: &Frame) -> Option<String> {
        let mut acks = Acks::default();
        let mark = acks.received(message, version).unwrap()?;
        let bytes = acks.next_until(mark).unwrap().encode(version).unwrap();
        Some(String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn each_version_names_the_message_in_its_own_way() {
        let of = |version| acked(version, &message());
        assert_eq!(of(Version::V1_2).as_deref(), Some("ACK\nid:a\\\\1\n\n\0"));
        assert_eq!(of(Version::V1_1).as_deref(), Some("ACK\nsubscription:s0\nmessage-id:m\\c7\n\n\0"));
        assert_eq!(of(Version::V1_0).as_deref(), Some("ACK\nmessage-id:m:7\nsubscription:s0\n\n\0"));
        let automatic = Frame::new("MESSAGE").with("subscription", "s0").with("message-id", "m");
        assert_eq!(acked(Version::V1_2, &automatic), None);
    }

    #[test]
    fn a_mark_acknowledges_everything_before_it_once() {
        let mut acks = Acks::default();
        let marks: Vec<_> =
            (0..4).map(|_| acks.received(&message(), Version::V1_2).unwrap().unwrap()).collect();
        let count = |acks: &mut Acks, mark| std::iter::from_fn(|| acks.next_until(mark)).count();
        assert_eq!(
            (count(&mut acks, marks[2]), count(&mut acks, marks[0]), count(&mut acks, marks[3])),
            (3, 0, 1)
        );
        let marks: Vec<_> =
            (0..2).map(|_| acks.received(&message(), Version::V1_2).unwrap().unwrap()).collect();
        assert!(acks.only(marks[1]).is_some() && acks.only(marks[1]).is_none());
        assert_eq!(count(&mut acks, marks[1]), 1, "the other one");
        assert!((0..MAX_UNACKED).all(|_| acks.received(&message(), Version::V1_2).is_ok()));
        assert_eq!(acks.received(&message(), Version::V1_2), Err(TooMany));
    }
}
