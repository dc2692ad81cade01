//! The guard before a token goes over a connection that is not encrypted.

use crate::model::address::unencrypted_host;

/// A connection to another computer that everybody on the way could read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{host} is another computer, and ws:// is not encrypted: the token and all messages can be read on the way. \
     Use wss://, or --insecure to send them all the same"
)]
pub struct Unencrypted {
    host: String,
}

/// Checks an address before a token or an invite goes there. With `insecure` an unencrypted one is allowed, with a sentence
/// to warn by.
///
/// # Errors
/// When the address is that of another computer, without encryption, and that was not allowed.
pub fn check_encrypted(url: &str, insecure: bool) -> Result<Option<String>, Unencrypted> {
    match unencrypted_host(url) {
        None => Ok(None),
        Some(host) if insecure => Ok(Some(format!(
            "the connection to {host} is not encrypted: the token and all messages can be read on the way"
        ))),
        Some(host) => Err(Unencrypted { host: host.to_owned() }),
    }
}
