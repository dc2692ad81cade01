//! `duplexctl people`.

use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use super::admin::{Admin, new_token};
use super::args::{People, PeopleAt, PeopleToken, ServerAt};
use super::{Exit, Failure, print, room};
use crate::model::event::Person;
use crate::model::rights::{ManageRequest, Member};
use crate::model::{PrincipalKind, Role};

/// How long a server's list is waited for.
const TIMEOUT: Duration = Duration::from_secs(10);

pub(super) async fn run(command: PeopleAt) -> Result<(), Failure> {
    let PeopleAt { what, url, json, access } = command;
    match (what, url) {
        (Some(what), _) => manage(what).await,
        (None, Some(url)) => {
            let (server, timeout) = ServerAt { url, timeout: TIMEOUT, access }.server();
            let (follow, known) = room::known(&server, Instant::now() + timeout).await?;
            follow.end().await;
            known.people.iter().try_for_each(|person| {
                print::line(&if json { person_as_json(person) } else { person_as_text(person) })
            })
        }
        // Required by clap.
        (None, None) => Err(Failure::new(Exit::Failed, "a server's address is needed")),
    }
}

async fn manage(command: People) -> Result<(), Failure> {
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
            let role = role.role();
            admin.change(ManageRequest::SetRole { who: member.who.id, role }).await?;
            admin.end().await;
            let article = if matches!(role, Role::Admin | Role::Operator) { "an" } else { "a" };
            print::line(&print::harmless(&format!("{} is {article} {} now", member.who.name, role.word())))
        }
        People::Token(PeopleToken::Rotate { who, at }) => {
            let mut admin = Admin::open(at).await?;
            let member = admin.find(false, &who).await?;
            rotate(admin, member).await
        }
    }
}

fn person_as_text(person: &Person) -> String {
    let state = if person.online { "online" } else { "offline" };
    let (who, status) = (&person.who, &person.status);
    print::columns(&[(&who.id.0, 0), (who.role().word(), 8), (state, 7), (&who.name, 0), (status, 0)])
}

fn person_as_json(person: &Person) -> String {
    let Person { who, online, status } = person;
    print::object(&json!({"id": who.id, "kind": who.kind, "role": who.role(), "name": who.name,
        "online": online, "status": status}))
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
        (false, PrincipalKind::Device) => "device",
        (false, _) => member.who.role().word(),
    }
}

fn as_text(member: &Member) -> String {
    let state = if member.online { "online" } else { "offline" };
    let (id, name) = (&member.who.id.0, &member.who.name);
    print::columns(&[(id, 0), (kind(member), 8), (state, 7), (name, 0)])
}

fn as_json(member: &Member) -> String {
    let Member { who, online, owner } = member;
    let json = json!({"id": who.id, "kind": who.kind, "role": who.role, "name": who.name,
        "online": online, "owner": owner});
    print::object(&json)
}
