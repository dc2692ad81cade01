//! `duplexctl invite`.

use super::args::{Invite, address};
use super::hub::failed;
use super::{Failure, hub_dir_here, print};
use crate::hub::{self, InviteOptions};

pub(super) fn run(command: Invite) -> Result<(), Failure> {
    let data_dir = hub_dir_here(command.data_dir)?;
    let url = command.url.as_deref().map(address).transpose()?.map(|address| address.url);
    let expires_ms = u64::try_from(command.expires.as_millis()).unwrap_or(u64::MAX);
    let options = InviteOptions { expires_ms, url, ..InviteOptions::default() };
    let invite = hub::invite(&data_dir, &options).map_err(failed)?;
    print::line(&invite.link.to_string())
}
