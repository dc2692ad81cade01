//! [`Describe`]: describes a protocol's frames for the connection log.

use crate::model::log::Counts;

/// Description of a text frame.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Described {
    /// Its name in the protocol; empty if it has none.
    pub kind: String,
    /// Number of readings.
    pub counts: Option<Counts>,
    /// JSON members whose values are secret.
    pub secret: &'static [&'static str],
}

/// Describes the frames of one connection in order.
pub trait Describe: Send {
    /// Describes a text frame. Known secrets are masked in it already.
    fn describe(&mut self, text: &str) -> Described;

    /// Further JSON members of this text whose values are secret.
    fn private_members(&self, _text: &str) -> Vec<String> {
        Vec::new()
    }
}
