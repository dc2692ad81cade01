//! `duplexctl health`.

use serde_json::Value;

use super::args::{Health, address};
use super::{Exit, Failure, hub_dir_here, print};
use crate::hub::Beacon;
use crate::transport::{Target, request};

pub(super) async fn run(command: Health) -> Result<(), Failure> {
    let mut target = match &command.url {
        Some(url) => {
            let address = address(url)?;
            let mut target = Target::new(address.url);
            target.fingerprint = address.fingerprint;
            target.ca_file = command.ca_file;
            target
        }
        None => {
            let dir = hub_dir_here(command.data_dir)?;
            let beacon = Beacon::read(&dir)
                .ok_or_else(|| Failure::new(Exit::Failed, format!("no hub runs on {}", dir.display())))?;
            let mut target = Target::new(beacon.url);
            target.fingerprint = beacon.fingerprint;
            target
        }
    };
    target.deadline = command.timeout;
    let answer = request::get(&target, "/healthz")
        .await
        .map_err(|why| Failure::new(Exit::Failed, print::reason(&why)))?;
    let said = serde_json::from_slice::<Value>(&answer.body).ok();
    let said = said.as_ref().and_then(|said| said.get("status")?.as_str());
    match (answer.status, said) {
        (200, Some(word)) => print::line(&print::harmless(word)),
        (_, Some(word)) => Err(Failure::new(Exit::Failed, print::harmless(word))),
        (status, None) => {
            Err(Failure::new(Exit::Failed, format!("what answers there is no hub (HTTP {status})")))
        }
    }
}
