//! [`ProxyWords`]: what is said of proxies.

use crate::model::proxy::{BadProxy, ProxyUsed};

/// All that is said of them in one language, but for why one doesn't work. Text from outside comes in harmless.
#[allow(missing_docs)] // The names say it; the sentences are in the language's file.
pub struct ProxyWords {
    pub proxy: &'static str,
    pub automatic: &'static str,
    pub none: &'static str,
    pub other: &'static str,
    pub address: &'static str,
    pub address_hint: &'static str,
    pub password: &'static str,
    pub password_new: &'static str,
    pub password_keep: &'static str,
    pub help: &'static str,
    pub ewebsock: &'static str,
    pub opened: fn(&ProxyUsed) -> String,
    pub used: fn(&ProxyUsed) -> String,
    pub bad: fn(BadProxy) -> &'static str,
}
