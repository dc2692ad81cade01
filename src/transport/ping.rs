//! [`Pings`]: the pings sent on one connection, and matching pongs.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::model::link_state::Why;

/// A ping's payload is a random number of this connection and the ping's number, so that other pongs do not match.
#[derive(Debug)]
pub(super) struct Pings {
    nonce: [u8; 8],
    sent: AtomicU64,
    answered: AtomicU64,
}

impl Pings {
    /// For a connection on which no ping has been sent.
    pub(super) fn new() -> Result<Pings, Why> {
        let mut nonce = [0; 8];
        getrandom::fill(&mut nonce).map_err(|error| Why::Unreachable { detail: error.to_string() })?;
        Ok(Pings { nonce, sent: AtomicU64::new(0), answered: AtomicU64::new(0) })
    }

    /// The payload of the next ping.
    pub(super) fn next(&self) -> Vec<u8> {
        let number = self.sent.fetch_add(1, Ordering::Relaxed) + 1;
        [self.nonce, number.to_be_bytes()].concat()
    }

    /// Whether a pong with this payload answers one of our pings for the first time.
    pub(super) fn is_answer(&self, payload: &[u8]) -> bool {
        let Some((nonce, number)) = payload.split_first_chunk::<8>() else { return false };
        let Ok(number) = <[u8; 8]>::try_from(number).map(u64::from_be_bytes) else { return false };
        let answered = self.answered.load(Ordering::Relaxed);
        // RFC 6455 §5.5.3: a server may answer only the latest ping.
        let is_answer =
            *nonce == self.nonce && number > answered && number <= self.sent.load(Ordering::Relaxed);
        if is_answer {
            self.answered.store(number, Ordering::Relaxed);
        }
        is_answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pongs_for_our_pings_count_and_each_once() {
        let (ours, others) = (Pings::new().unwrap(), Pings::new().unwrap());
        let [first, second, third] = [ours.next(), ours.next(), ours.next()];
        assert!(first != second && second != third);
        assert!(ours.is_answer(&first));
        assert!(!ours.is_answer(&first), "it has already been answered");
        assert!(ours.is_answer(&third), "which answers the second, too");
        assert!(!ours.is_answer(&second));
        let unsent = [&third[..8], &4_u64.to_be_bytes()].concat();
        for other in [&b""[..], b"hello", &others.next(), &unsent, &[&third[..], b"x"].concat()] {
            assert!(!ours.is_answer(other), "{other:?}");
        }
        assert!(ours.is_answer(&ours.next()));
    }
}
