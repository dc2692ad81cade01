//! Which proxies apply to a server: the chosen one, else the environment's, else the system's.

use super::{Hop, system};
use crate::model::link_state::Why;
use crate::model::proxy::{
    BadProxy, Proxy, ProxyChoice, ProxyProblem, ProxySetting, ProxySettings, ProxySource, ProxyUsed,
};
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

/// The way that a setting means.
pub(super) fn hop(setting: Option<&ProxySetting>) -> Result<Hop, Why> {
    match setting {
        None => Ok(Hop::Direct),
        Some(ProxySetting { source, proxy: Ok(proxy) }) => Ok(Hop::Through(proxy.clone(), source.clone())),
        Some(ProxySetting { source, proxy: Err(bad) }) => Err(unreadable(source.clone(), *bad)),
    }
}

fn unreadable(source: ProxySource, bad: BadProxy) -> Why {
    let proxy: Option<Box<ProxyUsed>> = None;
    Why::Proxy { proxy, problem: ProxyProblem::Bad { source, bad } }
}
