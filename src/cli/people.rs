//! `duplexctl people`.

use serde_json::json;

use super::admin::{Admin, new_token};
use super::args::{People, PeopleToken, Role};
use super::{Failure, print};
use crate::model::PrincipalKind;
use crate::model::rights::{ManageRequest, Member};

pub(super) async fn run(command: People) -> Result<(), Failure> {
    match command {
        People::List { json, at } => {
            let mut admin = Admin::open(at).await?;
            let all = admin.members(false).await?;
            admin.end().await;
            all.iter()
                .try_for_each(|member| print::line(&if json { as_json(member) } else { as_text(member) }))
        }
        People::Rename { who, name, at } => {
            let mut admin = Admin::open(at).await?;
            let member = admin.find(false, &who).await?;
            admin.change(ManageRequest::Rename { who: member.who.id, name: name.clone() }).await?;
            admin.end().await;
            print::line(&print::harmless(&format!("{} is {} now", member.who.name, name.trim())))
        }
        People::Remove { who, at } => {
            let mut admin = Admin::open(at).await?;
            let member = admin.find(false, &who).await?;
            admin.change(ManageRequest::Remove { who: member.who.id }).await?;
            admin.end().await;
            let name = print::harmless(&member.who.name);
            print::line(&format!("{name} is signed out, and has no token any more; what they wrote stays"))
        }
        People::Role { who, role, at } => {
            let mut admin = Admin::open(at).await?;
            let member = admin.find(false, &who).await?;
            let (kind, word) = match role {
                Role::Admin => (PrincipalKind::Admin, "an admin"),
                Role::Person => (PrincipalKind::Person, "no admin"),
            };
            admin.change(ManageRequest::SetKind { who: member.who.id, kind }).await?;
            admin.end().await;
            print::line(&print::harmless(&format!("{} is {word} now", member.who.name)))
        }
        People::Token(PeopleToken::Rotate { who, at }) => {
            let mut admin = Admin::open(at).await?;
            let member = admin.find(false, &who).await?;
            rotate(admin, member).await
        }
    }
}

/// Only the token goes to standard output; what happens to the old one goes to standard error.
pub(super) async fn rotate(mut admin: Admin, member: Member) -> Result<(), Failure> {
    let token = new_token()?;
    let (who, name) = (member.who.id.clone(), print::harmless(title(&member)));
    admin.change(ManageRequest::RotateToken { who, token: token.clone() }).await?;
    admin.end().await;
    print::line(token.reveal())?;
    let kept = if member.owner { " It is in the hub's data directory as well." } else { "" };
    print::explain(&format!(
        "This is {name}'s token from now on; it is not shown again.{kept} The one before works nowhere any more."
    ));
    Ok(())
}

/// The display name; a device without a name is shown by its id.
fn title(member: &Member) -> &str {
    if member.who.name.is_empty() { &member.who.id.0 } else { &member.who.name }
}

fn kind(member: &Member) -> &'static str {
    match (member.owner, member.who.kind) {
        (true, _) => "owner",
        (false, PrincipalKind::Admin) => "admin",
        (false, PrincipalKind::Device) => "device",
        (false, _) => "person",
    }
}

fn as_text(member: &Member) -> String {
    let state = if member.online { "online" } else { "offline" };
    let (id, name) = (&member.who.id.0, &member.who.name);
    print::columns(&[(id, 0), (kind(member), 6), (state, 7), (name, 0)])
}

fn as_json(member: &Member) -> String {
    let Member { who, online, owner } = member;
    let json = json!({"id": who.id, "kind": who.kind, "name": who.name, "online": online, "owner": owner});
    print::object(&json)
}
