//! [`DeepLinkWords`]: what is said about `duplex://` links that cannot simply be followed.

use crate::model::deep_link::BadLink;

/// What is said about links that the system hands over, in one language. Text from outside comes in harmless.
#[allow(missing_docs)] // The names say it; the sentences are in the language's file.
pub struct DeepLinkWords {
    pub copy_room_link: &'static str,
    pub copy_message_link: &'static str,
    pub bad_title: &'static str,
    /// Why it is not a link. The sentence about a bad address follows this one.
    pub bad: fn(BadLink) -> &'static str,
    pub other_computer: &'static str,

    pub add_title: &'static str,
    pub add: &'static str,
    pub join_title: &'static str,
    pub join: &'static str,
    pub known_title: &'static str,
    /// The connection's name.
    pub known: fn(&str) -> String,
    pub server: &'static str,
    /// The name that the link claims.
    pub claimed_name: fn(&str) -> String,
    pub continue_adding: &'static str,
    pub use_invite: &'static str,
    pub open_server: &'static str,

    pub no_room_title: &'static str,
    /// The room and the connection's name.
    pub no_room: fn(&str, &str) -> String,
    pub no_room_offline: fn(&str, &str) -> String,
    pub no_message_title: &'static str,
    pub no_message: &'static str,
}
