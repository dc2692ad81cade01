//! [`KeyWords`]: what actions are called, and what the sheet of shortcuts says.

use crate::ui::keys::{Action, Group};

/// All that is said of keys in one language.
#[allow(missing_docs)] // The names say it; the sentences are in the language's file.
pub struct KeyWords {
    pub title: &'static str,
    // What the switch of the panes says
    pub rooms: &'static str,
    pub chat: &'static str,
    pub both: &'static str,
    // The palette
    pub palette: &'static str,
    pub palette_hint: &'static str,
    pub palette_list: &'static str,
    pub found: fn(usize) -> String,
    pub nothing_found: &'static str,
    pub connection: &'static str,
    // Everything that can be done
    pub group: fn(Group) -> &'static str,
    pub action: fn(Action) -> &'static str,
}
