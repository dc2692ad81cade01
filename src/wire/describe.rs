//! [`Describe`]: what the connection log says of a protocol's frames.

use crate::model::log::Counts;

/// What a text frame is, for people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Described {
    /// What the protocol calls it; empty where it has no name.
    pub kind: String,
    /// Of readings: how many.
    pub counts: Option<Counts>,
    /// Members of its JSON whose values are secret.
    pub secret: &'static [&'static str],
}

/// Describes the frames of one connection, in their order.
pub trait Describe: Send {
    /// Describes a text frame. Secrets that are known are hidden in it already.
    fn describe(&mut self, text: &str) -> Described;
}
