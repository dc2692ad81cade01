//! [`Autostart`]: whether the app starts when the person signs in, as far as the system says.

/// Whether the app starts when the person signs in. The system's own settings can change it, too.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Autostart {
    /// Whether it is known, and can be changed.
    pub is_known: bool,
    /// Whether it does.
    pub is_on: bool,
    /// Why it could not be changed, in the system's words.
    pub failed: Option<String>,
}
