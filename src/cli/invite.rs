//! `duplexctl invite`.

use super::args::Invite;
use super::hub::failed;
use super::{Exit, Failure, hub_dir_here, print};
use crate::hub::{self, InviteOptions};
use crate::model::Address;

pub(super) fn run(command: Invite) -> Result<(), Failure> {
    let data_dir = hub_dir_here(command.data_dir)?;
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
