//! Which proxies apply to a server: the chosen one, else the environment's, else the system's.

use super::{Hop, hop, system, unreadable};
use crate::model::link_state::Why;
use crate::model::proxy::{BadProxy, Proxy, ProxyChoice, ProxySettings, ProxySource};
use crate::transport::{Endpoint, UrlParts};

/// The ways to try, in order; at least one.
pub(super) async fn hops(place: &UrlParts, target: &Endpoint) -> Result<Vec<Hop>, Why> {
    let to = place.destination();
    if to.is_local() || place.zone.is_some() {
        return Ok(vec![Hop::Direct]);
    }
    match &target.proxy {
        ProxyChoice::None => Ok(vec![Hop::Direct]),
        ProxyChoice::At(address) => {
            let proxy = Proxy { address: address.clone(), password: target.proxy_password.clone() };
            Ok(vec![Hop::Through(proxy, ProxySource::Chosen)])
        }
        ProxyChoice::Unreadable(text) => {
            Err(unreadable(ProxySource::Chosen, Proxy::parse(text).err().unwrap_or(BadProxy::Scheme)))
        }
        ProxyChoice::Automatic => {
            let environment = ProxySettings::from_environment(|name| std::env::var(name).ok());
            if !environment.is_empty() {
                return Ok(vec![hop(environment.of(&to))?]);
            }
            if environment.exceptions.contain(&to) {
                return Ok(vec![Hop::Direct]);
            }
            system::hops(&to).await
        }
    }
}
