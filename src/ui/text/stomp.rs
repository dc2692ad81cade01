//! [`StompWords`]: what is said of servers that speak STOMP when one is set up.

use crate::model::stomp::BadDestination;

/// All that is said of them in one language. Text from outside comes in harmless.
#[allow(missing_docs)] // The names say it; the sentences are in the language's file.
pub struct StompWords {
    pub address_hint: &'static str,
    pub user_hint: &'static str,
    pub headers: &'static str,
    pub destinations: &'static str,
    pub destinations_hint: &'static str,
    pub destinations_help: &'static str,
    pub host: &'static str,
    pub host_hint: &'static str,
    pub bad: fn(&BadDestination) -> String,
}
