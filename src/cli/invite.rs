//! `duplexctl invite`.

use super::args::Invite;
use super::hub::failed;
use super::{Exit, Failure, default_hub_dir, print};
use crate::hub::{self, InviteOptions};
use crate::model::Address;

pub(super) fn run(command: Invite) -> Result<(), Failure> {
    let data_dir = default_hub_dir(command.data_dir)?;
    let url = match command.url {
        None => None,
        Some(text) => match Address::parse(&text) {
            Ok(address) => Some(address.url),
            Err(error) => {
                return Err(Failure::new(Exit::Failed, format!("{}: {error}", print::harmless(&text))));
            }
        },
    };
    let expires_ms = u64::try_from(command.expires.as_millis()).unwrap_or(u64::MAX);
    let options = InviteOptions { expires_ms, url, ..InviteOptions::default() };
    let invite = hub::invite(&data_dir, &options).map_err(failed)?;
    print::line(&invite.link.to_string())
}
