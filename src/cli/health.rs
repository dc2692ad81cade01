//! `duplexctl health`.

use serde_json::Value;

use super::args::Health;
use super::reason::reason_at;
use super::{Exit, Failure, hub_dir_here, print};
use crate::hub::HubAddressFile;
use crate::model::proxy::ProxyChoice;
use crate::transport::Endpoint;
use crate::transport::request::{self, Response};

pub(super) async fn run(command: Health) -> Result<(), Failure> {
    let mut failure = Failure::new(Exit::Failed, "no hub runs there");
    for mut target in targets(&command)? {
        target.deadline = command.timeout;
        match request::get(&target, "/healthz").await {
            Ok(answer) => return verdict(&answer),
            Err(why) => failure = Failure::new(Exit::Failed, reason_at(&why, &target.url)),
        }
    }
    Err(failure)
}

/// URLs to try, in order.
fn targets(command: &Health) -> Result<Vec<Endpoint>, Failure> {
    if let Some(address) = command.url.clone() {
        let mut target = Endpoint::new(address.url);
        target.fingerprint = address.fingerprint;
        target.ca_file.clone_from(&command.ca_file);
        target.proxy = ProxyChoice::Automatic;
        return Ok(vec![target]);
    }
    let dir = hub_dir_here(command.data_dir.clone())?;
    let address_file = HubAddressFile::read(&dir)
        .ok_or_else(|| Failure::new(Exit::Failed, format!("no hub runs on {}", dir.display())))?;
    let target = |url: String| {
        let mut target = Endpoint::new(url);
        target.fingerprint.clone_from(&address_file.fingerprint);
        target
    };
    // The hub's public name may not be reachable from here, especially in a container.
    let near = on_loopback(&address_file.url).map(target);
    Ok(near.into_iter().chain([target(address_file.url.clone())]).collect())
}

/// The same URL with this computer as the host.
fn on_loopback(url: &str) -> Option<String> {
    let uri: http::Uri = url.parse().ok()?;
    Some(format!("{}://127.0.0.1:{}{}", uri.scheme_str()?, uri.port_u16()?, uri.path()))
}

fn verdict(answer: &Response) -> Result<(), Failure> {
    let said = serde_json::from_slice::<Value>(&answer.body).ok();
    match (answer.status, said.as_ref().and_then(|said| said.get("status")?.as_str())) {
        (200, Some(word)) => print::line(&print::harmless(word)),
        (_, Some(word)) => Err(Failure::new(Exit::Failed, print::harmless(word))),
        (status, None) => {
            Err(Failure::new(Exit::Failed, format!("what answers there is no hub (HTTP {status})")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hub_is_asked_at_home_first() {
        let near = on_loopback("wss://hub.example:7870/v1/socket");
        assert_eq!(near.as_deref(), Some("wss://127.0.0.1:7870/v1/socket"));
        assert_eq!(on_loopback("ws://[::1]:7870/x").as_deref(), Some("ws://127.0.0.1:7870/x"));
        assert_eq!(on_loopback("nonsense"), None);
    }

    #[test]
    fn only_a_hub_that_says_so_is_healthy() {
        let verdict = |status, body: &str| {
            verdict(&Response { status, body: body.into() }).map_err(|failure| failure.sentence)
        };
        assert_eq!(verdict(200, r#"{"status":"ok"}"#), Ok(()));
        assert_eq!(verdict(503, r#"{"status":"no room"}"#), Err("no room".to_owned()));
        assert!(verdict(200, "<html>").is_err() && verdict(302, "").is_err());
    }
}
