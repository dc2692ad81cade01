//! [`SocketIoWords`]: what is said of Socket.IO servers, and of finding out what a server speaks.

use crate::model::socketio::Carriers;

/// All that is said of it in one language. Text from outside comes in harmless.
#[allow(missing_docs)] // The names say it; the sentences are in the language's file.
pub struct SocketIoWords {
    // Setting one up
    pub address_hint: &'static str,
    pub namespaces: &'static str,
    pub namespaces_hint: &'static str,
    pub auth: &'static str,
    pub auth_new: &'static str,
    pub auth_keep: &'static str,
    pub auth_is_kept: &'static str,
    pub remove_auth: &'static str,
    pub bad_auth: &'static str,
    pub carriers: &'static str,
    pub automatic: &'static str,
    pub polling_first: &'static str,
    pub polling: &'static str,
    pub websocket: &'static str,

    // Finding out what a server speaks
    pub detect: &'static str,

    // Rows
    pub gap: &'static str,
}

impl SocketIoWords {
    /// Which transports may be used.
    pub fn carriers_of(&self, carriers: Carriers) -> &'static str {
        match carriers {
            Carriers::Automatic => self.automatic,
            Carriers::PollingFirst => self.polling_first,
            Carriers::Polling => self.polling,
            Carriers::WebSocket => self.websocket,
        }
    }
}
