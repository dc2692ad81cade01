//! The check before a token is sent over an unencrypted connection.

use crate::model::address::unencrypted_host;

/// An unencrypted connection to another computer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{host} is another computer, and ws:// is not encrypted: the token and all messages can be read on the way. \
     Use wss://, or --insecure to send them all the same"
)]
pub struct Unencrypted {
    host: String,
}

/// Checks an address before a token or invite is sent there. With `insecure` an unencrypted one is allowed, and a
/// warning is returned.
///
/// # Errors
/// If the address is that of another computer, is not encrypted, and `insecure` is false.
pub fn check_encrypted(url: &str, insecure: bool) -> Result<Option<String>, Unencrypted> {
    match unencrypted_host(url) {
        None => Ok(None),
        Some(host) if insecure => Ok(Some(format!(
            "the connection to {host} is not encrypted: the token and all messages can be read on the way"
        ))),
        Some(host) => Err(Unencrypted { host: host.to_owned() }),
    }
}
