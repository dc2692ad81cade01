//! `duplexctl invite`.

use serde_json::json;

use super::admin::Admin;
use super::args::{At, Invite, InviteCommand};
use super::hub::failed;
use super::{Exit, Failure, hub_dir_here, print};
use crate::clock;
use crate::hub::{self, HubAddressFile, HubError, InviteOptions, LanEndpoint};
use crate::model::rights::{Invitation, ManageAnswer, ManageRequest};
use crate::model::time::WallMs;
use crate::model::{Address, InviteLink, PrincipalKind, Role};

pub(super) async fn run(command: Invite) -> Result<(), Failure> {
    match command.what {
        None => make(command).await,
        Some(InviteCommand::List { json, at }) => {
            let mut admin = Admin::open(at).await?;
            let all = admin.invites().await?;
            admin.end().await;
            let now = clock::now().wall_ms;
            let line = |invite: &Invitation| if json { as_json(invite) } else { as_text(invite, now) };
            all.iter().try_for_each(|invite| print::line(&line(invite)))
        }
        Some(InviteCommand::Remove { id, at }) => {
            let mut admin = Admin::open(at).await?;
            admin.change(ManageRequest::RemoveInvite { invite: id.clone() }).await?;
            admin.end().await;
            print::line(&format!("the invite {} is good for nothing any more", print::harmless(&id)))
        }
    }
}

async fn make(command: Invite) -> Result<(), Failure> {
    let address = command.url.clone();
    let expires_in_ms = u64::try_from(command.expires.as_millis()).unwrap_or(u64::MAX);
    let role = if command.admin { Role::Admin } else { command.role.role() };
    let kind = role.kind();
    let what = ManageRequest::Invite { kind, role: Some(role), expires_in_ms };
    let url = address.as_ref().map(|address| address.url.clone());
    if command.access.token.is_given()
        && command.access.data_dir.is_none()
        && let Some(Address { url, fingerprint, .. }) = address
    {
        let mut admin = Admin::open(At { url: command.url, access: command.access }).await?;
        let made = admin.ask(what).await?;
        admin.end().await;
        return print_link(made, Some(url), fingerprint, Vec::new(), String::new());
    }
    let data_dir = hub_dir_here(command.access.data_dir.clone())?;
    if !hub::is_running(&data_dir) {
        let options = InviteOptions { expires_ms: expires_in_ms, url, kind, role };
        let invite = hub::invite(&data_dir, &options).map_err(failed)?;
        return print::line(&invite.link.to_string());
    }
    let mut admin = Admin::open_dir(&data_dir, command.access).await?;
    let made = admin.ask(what).await?;
    admin.end().await;
    let address_file = HubAddressFile::read(&data_dir);
    let lan =
        address_file.as_ref().and_then(|address_file| address_file.lan.clone()).filter(|_| url.is_none());
    if let Some(LanEndpoint { url, also, fingerprint, name }) = lan {
        return print_link(made, Some(url), Some(fingerprint), also, name);
    }
    let fingerprint = address_file.as_ref().and_then(|address_file| address_file.fingerprint.clone());
    let url = url.or(address_file.map(|address_file| address_file.url));
    let not_running = || failed(HubError::NotRunning { data_dir: data_dir.clone() });
    print_link(made, Some(url.ok_or_else(not_running)?), fingerprint, Vec::new(), String::new())
}

fn print_link(
    made: ManageAnswer,
    url: Option<String>,
    known: Option<String>,
    also: Vec<String>,
    name: String,
) -> Result<(), Failure> {
    let ManageAnswer::Invited { code, url: own, fingerprint, .. } = made else {
        return Err(Failure::new(Exit::Failed, "what the hub answers makes no sense"));
    };
    let address = Address { url: url.unwrap_or(own), invite: Some(code), fingerprint: known.or(fingerprint) };
    let link = InviteLink { address, also, name };
    print::line(&print::harmless(&link.to_string()))
}

fn as_json(invite: &Invitation) -> String {
    let Invitation { id, kind, role, by, made, expires, used_by, used } = invite;
    print::object(&json!({
        "id": id, "kind": kind, "role": role, "by": by, "made": made, "expires": expires, "used_by": used_by, "used": used,
    }))
}

fn as_text(invite: &Invitation, now: WallMs) -> String {
    let state = match &invite.used_by {
        Some(who) => format!("used by {} ({})", who.name, who.id),
        None if invite.expires <= now => format!("expired {}", moment(invite.expires)),
        None => format!("good until {}", moment(invite.expires)),
    };
    let kind = match (invite.kind, invite.role) {
        (PrincipalKind::Admin, _) => "admin",
        (_, Some(role)) => role.word(),
        (_, None) => "person",
    };
    let by = invite.by.as_ref().map(|who| format!(", made by {}", who.name)).unwrap_or_default();
    let made = invite.made.map(|at| format!(" {}", moment(at))).unwrap_or_default();
    print::columns(&[(&invite.id, 0), (kind, 8), (&format!("{state}{by}{made}"), 0)])
}

fn moment(at: WallMs) -> String {
    print::local_text(at, "%Y-%m-%d %H:%M")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{PrincipalId, Sender};

    #[test]
    fn an_invite_says_how_it_stands() {
        let mut invite = Invitation {
            id: "0123456789".into(),
            kind: PrincipalKind::Person,
            role: Some(Role::Guest),
            by: Some(Sender { id: PrincipalId("p".into()), name: "Jun\u{1b}".into() }),
            made: None,
            expires: WallMs(100),
            used_by: None,
            used: None,
        };
        assert!(as_text(&invite, WallMs(99)).starts_with("0123456789  guest     good until "));
        assert!(as_text(&invite, WallMs(100)).contains("expired "));
        assert!(
            as_text(&invite, WallMs(99)).contains(", made by Jun")
                && !as_text(&invite, WallMs(99)).contains('\u{1b}')
        );
        invite.used_by = Some(Sender { id: PrincipalId("q".into()), name: "Ben".into() });
        assert!(as_text(&invite, WallMs(100)).contains("used by Ben (q)"));
    }
}
