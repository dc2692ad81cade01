//! [`PeopleWords`]: what an admin is told of who may come in at a server: people, invites, devices with a token.

use crate::model::rights::Unmanaged;

/// All that is said of it in one language. Text from outside comes in harmless.
#[allow(missing_docs)] // The names say it; the sentences are in the language's file.
pub struct PeopleWords {
    pub menu: &'static str,
    pub title: fn(&str) -> String,

    // Parts
    pub people: &'static str,
    pub invites: &'static str,
    pub devices: &'static str,
    pub loading: &'static str,
    pub not_connected: &'static str,
    pub nobody: &'static str,
    pub no_invites: &'static str,
    pub no_devices: &'static str,

    // A person or a device
    pub owner: &'static str,
    pub admin: &'static str,
    pub person: &'static str,
    pub device: &'static str,
    pub you: &'static str,
    pub online: &'static str,
    pub offline: &'static str,
    pub more: fn(&str) -> String,
    pub rename: &'static str,
    pub new_token: &'static str,
    pub make_admin: &'static str,
    pub make_person: &'static str,
    pub remove: &'static str,
    pub remove_device: &'static str,

    // What is asked before it is done
    pub rename_title: fn(&str) -> String,
    pub new_name: &'static str,
    pub remove_title: fn(&str) -> String,
    pub remove_text: fn(&str) -> String,
    pub remove_really: &'static str,
    pub remove_device_title: fn(&str) -> String,
    pub remove_device_text: fn(&str) -> String,
    pub token_title: fn(&str) -> String,
    pub token_text: fn(&str) -> String,
    pub own_token_text: &'static str,
    pub device_token_text: fn(&str) -> String,
    pub token_really: &'static str,
    pub admin_title: fn(&str) -> String,
    pub admin_text: fn(&str) -> String,
    pub admin_really: &'static str,
    pub person_title: fn(&str) -> String,
    pub person_text: fn(&str) -> String,
    pub person_really: &'static str,

    // What is shown once
    pub token_of: fn(&str) -> String,
    pub token_once: &'static str,
    pub own_token_once: &'static str,
    pub publish_with: &'static str,
    pub copy_token: &'static str,
    pub copy_command: &'static str,
    pub copy_link: &'static str,
    pub done: &'static str,

    // Invites
    pub new_invite: &'static str,
    pub good_for: &'static str,
    pub days: fn(u64) -> String,
    pub as_admin: &'static str,
    pub make_invite: &'static str,
    pub link: &'static str,
    pub link_once: fn(&str) -> String,
    pub used_by: fn(&str) -> String,
    pub good_until: fn(&str) -> String,
    pub expired: fn(&str) -> String,
    pub made_by: fn(&str) -> String,
    pub remove_invite: fn(&str) -> String,
    pub remove_invite_title: &'static str,
    pub remove_invite_text: &'static str,

    // Devices
    pub device_id: &'static str,
    pub device_id_hint: &'static str,
    pub device_name: &'static str,
    pub add_device: &'static str,

    // What became of it
    pub saved: &'static str,
    pub removed: fn(&str) -> String,
    pub removed_device: fn(&str) -> String,
    pub refused: fn(Unmanaged) -> &'static str,
}
