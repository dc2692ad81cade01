//! [`PrivateWords`]: what is said of private rooms, their members and direct messages.

/// All that is said of them in one language. Text from outside comes in harmless.
#[allow(missing_docs)] // The names say it; the sentences are in the language's file.
pub struct PrivateWords {
    /// Between two times.
    pub hole: fn(&str, &str) -> String,
    /// Heading of the list of direct messages.
    pub direct_messages: &'static str,
    /// Said of a room behind its name.
    pub is_private: &'static str,
    pub is_direct: &'static str,
    pub is_member: &'static str,
    pub new_private_room: &'static str,
    /// The two kinds of rooms, where one is made, and who may see which.
    pub public_room: &'static str,
    pub private_room: &'static str,
    pub public_text: &'static str,
    pub private_text: &'static str,
    pub topic_optional: &'static str,
    pub new_direct: &'static str,
    /// On a button beside a person's name, and the same with it.
    pub message: &'static str,
    pub message_to: fn(&str) -> String,
    pub members_of: fn(&str) -> String,
    pub find_person: &'static str,
    pub find_to_invite: &'static str,
    pub invite: &'static str,
    pub invite_person: fn(&str) -> String,
    pub remove: &'static str,
    pub remove_person: fn(&str) -> String,
    /// Nobody of this name, or several, were found for `/msg`.
    pub nobody_called: fn(&str) -> String,
    pub several_called: fn(&str) -> String,
    /// Said where `/invite` is typed in a room into which the person may invite nobody.
    pub cannot_invite: &'static str,
}
