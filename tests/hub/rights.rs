//! Rights revoked while their owners are connected.

use duplex::hub::{HubError, InviteOptions, Options, Running, manage_offline};
use duplex::model::profile::Secret;
use duplex::model::rights::{Invitation, ManageAnswer, ManageRefusal, ManageRequest, Member};
use duplex::model::time::WallMs;
use duplex::model::{CommandState, Principal, PrincipalId, PrincipalKind, Value};
use duplex::wire::duplex::message::{ClientMessage, Hello, HubMessage, Redeem, close};

use super::client::{Client, hello, hub, new_id, new_token, post, refused};
use super::devices::{id, name, spec};

/// An admin's connection, and the number of its requests.
struct Admin(Client, u64);

impl Admin {
    async fn at(hub: &Running) -> Admin {
        Admin::with(&hub.url, hub.admin_token.reveal()).await
    }

    async fn with(url: &str, token: &str) -> Admin {
        Admin(Client::enter(url, token, None).await.0, 0)
    }

    async fn ask(&mut self, what: ManageRequest) -> ManageAnswer {
        self.1 += 1;
        let id = self.1;
        self.0.say(&ClientMessage::Manage { id, what }).await;
        self.0
            .find(|message| match message {
                HubMessage::Managed { id: of, managed } if *of == id => Some(managed.clone()),
                _ => None,
            })
            .await
    }

    async fn done(&mut self, what: ManageRequest) {
        assert_eq!(self.ask(what).await, ManageAnswer::Done);
    }

    async fn why_not(&mut self, what: ManageRequest) -> ManageRefusal {
        match self.ask(what).await {
            ManageAnswer::Refused { why, .. } => why,
            other => panic!("not refused: {other:?}"),
        }
    }

    async fn people(&mut self) -> Vec<Member> {
        match self.ask(ManageRequest::People { after: None }).await {
            ManageAnswer::People { people, next: None } => people,
            other => panic!("no people: {other:?}"),
        }
    }

    async fn invites(&mut self) -> Vec<Invitation> {
        match self.ask(ManageRequest::Invites { after: None }).await {
            ManageAnswer::Invites { invites, next: None } => invites,
            other => panic!("no invites: {other:?}"),
        }
    }
}

async fn join(dir: &tempfile::TempDir, hub: &Running, name: &str) -> (Client, String, Principal) {
    let (client, token) = Client::join(dir, &hub.url, name).await;
    drop(client);
    let (client, welcome) = Client::enter(&hub.url, &token, None).await;
    (client, token, welcome.me)
}

async fn status_of(url: &str, token: &str) -> u16 {
    refused(url, &[("authorization", &format!("Bearer {token}"))]).await.status().as_u16()
}

fn redeem(code: &str, token: &str) -> ClientMessage {
    let redeem = Redeem { code: code.to_owned(), name: "Eve".to_owned(), token: token.to_owned() };
    ClientMessage::Hello(Hello { invite: Some(redeem), ..hello() })
}

fn secret() -> Secret {
    Secret::new(new_token())
}

#[tokio::test]
async fn a_removed_person_is_disconnected_and_the_token_stays_invalid() {
    let (dir, hub) = hub().await;
    let (mut eve, token, me) = join(&dir, &hub, "Eve").await;
    let (mut second, _) = Client::enter(&hub.url, &token, None).await;
    let (mut ben, ..) = join(&dir, &hub, "Ben").await;
    let sent = eve.send("What I wrote stays.").await;
    eve.acked(sent).await;
    let mut admin = Admin::at(&hub).await;
    admin.done(ManageRequest::Remove { who: me.id.clone() }).await;
    assert_eq!(eve.closed().await, (close::UNAUTHORIZED, "your access was withdrawn".to_owned()));
    assert_eq!(second.closed().await.0, close::UNAUTHORIZED, "all of their connections");
    assert_eq!(status_of(&hub.url, &token).await, 401);
    let told = |message: &HubMessage| match message {
        HubMessage::Presence { who, online: false, removed: true, .. } => Some(who.clone()),
        _ => None,
    };
    assert_eq!(ben.find(told).await, me, "the others are told");
    assert!(ben.messages(1).await.iter().any(|entry| entry.draft.content.body() == "What I wrote stays."));
    assert!(!admin.people().await.iter().any(|member| member.who.id == me.id));
    assert_eq!(admin.why_not(ManageRequest::Remove { who: me.id.clone() }).await, ManageRefusal::Unknown);

    let invite = duplex::hub::invite(dir.path(), &InviteOptions::default()).unwrap();
    let mut again = Client::dial(&hub.url, None).await;
    again.say(&redeem(invite.code.reveal(), &token)).await;
    assert_eq!(again.closed().await.0, close::INVITE_REFUSED, "not with the old token");
    let mut again = Client::dial(&hub.url, None).await;
    again.say(&redeem(invite.code.reveal(), &new_token())).await;
    assert_ne!(again.welcome().await.me.id, me.id, "with a new token as a new person");
}

#[tokio::test]
async fn a_removed_device_cannot_publish_and_its_commands_end() {
    let (dir, hub) = hub().await;
    let token = duplex::hub::add_device(dir.path(), "lamp", "The lamp").unwrap();
    let (mut lamp, _) = Client::enter(&hub.url, token.reveal(), None).await;
    lamp.announce(spec("lamp")).await;
    let mut admin = Admin::at(&hub).await;
    admin.0.watch().await;
    let command = |id| ClientMessage::Command {
        id,
        device: super::devices::id("lamp"),
        incarnation: None,
        property: name("relay"),
        value: Value::Flag(true),
    };
    let given = new_id();
    admin.0.say(&command(given)).await;
    lamp.find(|message| matches!(message, HubMessage::Command { .. }).then_some(())).await;
    admin.done(ManageRequest::Remove { who: PrincipalId("lamp".into()) }).await;
    assert_eq!(lamp.closed().await.0, close::UNAUTHORIZED);
    let ended = |id| {
        move |message: &HubMessage| match message {
            HubMessage::Commanded { command }
                if command.id == id && command.state != CommandState::Pending =>
            {
                Some(command.state.clone())
            }
            _ => None,
        }
    };
    assert_eq!(admin.0.find(ended(given)).await, CommandState::Expired, "the outcome is unknown");
    assert_eq!(admin.0.presence().await, ("lamp".into(), false, "its token was withdrawn".into()));
    let answer = post(hub.addr, "/v1/devices/lamp/readings", token.reveal(), r#"{"t":1}"#).await;
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
    assert_eq!(status_of(&hub.url, token.reveal()).await, 401);
    let list = Client::admin(&hub).await.watch().await;
    assert!(!list[0].online && list[0].spec.id == id("lamp"), "its data stays");
}

#[tokio::test]
async fn replacing_a_token_closes_connections_with_the_old_one() {
    let (dir, hub) = hub().await;
    let (mut ben, old, me) = join(&dir, &hub, "Ben").await;
    let mut admin = Admin::at(&hub).await;
    let token = secret();
    let rotate = ManageRequest::RotateToken { who: me.id.clone(), token: token.clone() };
    admin.done(rotate.clone()).await;
    assert_eq!(ben.closed().await.0, close::UNAUTHORIZED);
    assert_eq!(status_of(&hub.url, &old).await, 401);
    let (mut ben, welcome) = Client::enter(&hub.url, token.reveal(), None).await;
    assert_eq!(welcome.me, me);
    admin.done(rotate).await;
    assert_eq!(ben.closed().await.0, close::UNAUTHORIZED, "repeated after a lost answer");
    assert_eq!(Client::enter(&hub.url, token.reveal(), None).await.1.me, me);
    for bad in ["", "12", &old, hub.admin_token.reveal()] {
        let rotate = ManageRequest::RotateToken { who: me.id.clone(), token: Secret::new(bad) };
        assert_eq!(admin.why_not(rotate).await, ManageRefusal::BadToken, "{bad:?}");
    }
    // A device token is replaced by adding the device again.
    let add = |token: &Secret| ManageRequest::AddDevice {
        who: PrincipalId("lamp".into()),
        name: "Lamp".into(),
        token: token.clone(),
    };
    let first = secret();
    admin.done(add(&first)).await;
    let (mut lamp, _) = Client::enter(&hub.url, first.reveal(), None).await;
    admin.done(add(&secret())).await;
    assert_eq!(lamp.closed().await.0, close::UNAUTHORIZED);
    assert_eq!(status_of(&hub.url, first.reveal()).await, 401);
}

#[tokio::test]
async fn the_owners_new_token_is_in_the_file_and_the_requester_stays_connected() {
    let (dir, hub) = hub().await;
    let old = hub.admin_token.reveal().to_owned();
    let (mut other, welcome) = Client::enter(&hub.url, &old, None).await;
    let mut admin = Admin::at(&hub).await;
    let token = secret();
    admin.done(ManageRequest::RotateToken { who: welcome.me.id.clone(), token: token.clone() }).await;
    assert_eq!(other.closed().await.0, close::UNAUTHORIZED);
    assert!(admin.people().await.iter().any(|member| member.owner && member.online));
    assert_eq!(duplex::hub::token(dir.path()).unwrap(), token);
    assert_eq!(status_of(&hub.url, &old).await, 401);
    hub.shutdown().await;
    let file = dir.path().join("token");
    std::fs::write(&file, &old).unwrap();
    let refused = duplex::hub::start(Options::embedded(dir.path())).await.err().unwrap();
    assert!(matches!(refused, HubError::TokenWithdrawn { .. }), "{refused}");
    assert!(refused.to_string().contains("remove that file"), "{refused}");
    std::fs::remove_file(&file).unwrap();
    let hub = duplex::hub::start(Options::embedded(dir.path())).await.unwrap();
    assert_eq!(status_of(&hub.url, token.reveal()).await, 401, "a lost token is invalid, too");
    assert_eq!(Client::enter(&hub.url, hub.admin_token.reveal(), None).await.1.me, welcome.me);
}

#[tokio::test]
async fn a_renamed_person_stays_connected_and_everyone_sees_the_name() {
    let (dir, hub) = hub().await;
    let (mut ben, _, me) = join(&dir, &hub, "Ben").await;
    let (mut carl, ..) = join(&dir, &hub, "Carl").await;
    let mut admin = Admin::at(&hub).await;
    admin.done(ManageRequest::Rename { who: me.id.clone(), name: " Benjamin ".into() }).await;
    let told = |message: &HubMessage| match message {
        HubMessage::Presence { who, online: true, .. } if who.name == "Benjamin" => Some(who.id.clone()),
        _ => None,
    };
    assert_eq!(carl.find(told).await, me.id);
    assert_eq!(ben.find(told).await, me.id, "also the renamed person");
    let sent = ben.send("hello").await;
    ben.acked(sent).await;
    let entries = carl.messages(1).await;
    assert_eq!(entries[0].sender.name, "Benjamin");
    for bad in ["", "  ", "a\nb", &"x".repeat(65)] {
        let rename = ManageRequest::Rename { who: me.id.clone(), name: bad.into() };
        assert_eq!(admin.why_not(rename).await, ManageRefusal::BadName, "{bad:?}");
    }
}

#[tokio::test]
async fn only_admins_change_rights_and_the_owner_keeps_theirs() {
    let (dir, hub) = hub().await;
    let (mut ben, token, me) = join(&dir, &hub, "Ben").await;
    let mut admin = Admin::at(&hub).await;
    let owner = admin.people().await.into_iter().find(|member| member.owner).unwrap().who;
    for what in [ManageRequest::People { after: None }, ManageRequest::Remove { who: owner.id.clone() }] {
        ben.say(&ClientMessage::Manage { id: 7, what }).await;
        let not_allowed = ManageAnswer::Refused { why: ManageRefusal::NotAllowed, detail: String::new() };
        let answer = |message: &HubMessage| match message {
            HubMessage::Managed { id: 7, managed } => Some(managed.clone()),
            _ => None,
        };
        assert_eq!(ben.find(answer).await, not_allowed);
    }
    assert_eq!(
        admin.why_not(ManageRequest::Remove { who: owner.id.clone() }).await,
        ManageRefusal::LastAdmin
    );
    let to = |kind| ManageRequest::SetKind { who: me.id.clone(), kind };
    admin.done(to(PrincipalKind::Admin)).await;
    assert_eq!(ben.closed().await.0, close::GOING_AWAY, "reconnects with other rights");
    let mut ben = Admin::with(&hub.url, &token).await;
    assert_eq!(ben.why_not(ManageRequest::Remove { who: owner.id.clone() }).await, ManageRefusal::Owner);
    let down = ManageRequest::SetKind { who: owner.id, kind: PrincipalKind::Person };
    assert_eq!(ben.why_not(down).await, ManageRefusal::Owner);
    admin.done(to(PrincipalKind::Person)).await;
    assert_eq!(ben.0.closed().await.0, close::GOING_AWAY);
    let mut ben = Admin::with(&hub.url, &token).await;
    assert_eq!(ben.why_not(ManageRequest::People { after: None }).await, ManageRefusal::NotAllowed);
}

#[tokio::test]
async fn invites_are_created_listed_and_revoked_over_the_socket() {
    let (_dir, hub) = hub().await;
    let mut admin = Admin::at(&hub).await;
    let invite = ManageRequest::Invite { kind: PrincipalKind::Person, role: None, expires_in_ms: 60_000 };
    let mut codes = Vec::new();
    for _ in 0..2 {
        match admin.ask(invite.clone()).await {
            ManageAnswer::Invited { code, url, .. } => {
                assert_eq!(url, hub.url);
                codes.push(code);
            }
            other => panic!("no invite: {other:?}"),
        }
    }
    let mut eve = Client::dial(&hub.url, None).await;
    eve.say(&redeem(codes[0].reveal(), &new_token())).await;
    eve.welcome().await;
    let listed = admin.invites().await;
    assert_eq!(listed.len(), 2);
    assert_eq!(listed[1].used_by.as_ref().map(|who| who.name.as_str()), Some("Eve"));
    assert!(listed.iter().all(|invite| invite.by.is_some() && invite.expires > WallMs(0)));
    admin.done(ManageRequest::RemoveInvite { invite: listed[0].id.clone() }).await;
    assert_eq!(admin.invites().await.len(), 1);
    let mut late = Client::dial(&hub.url, None).await;
    late.say(&redeem(codes[1].reveal(), &new_token())).await;
    assert_eq!(late.closed().await.0, close::INVITE_REFUSED);
    let device = ManageRequest::Invite { kind: PrincipalKind::Device, role: None, expires_in_ms: 1 };
    assert_eq!(admin.why_not(device).await, ManageRefusal::BadKind);
}

#[tokio::test]
async fn the_database_is_changed_directly_only_while_no_hub_runs() {
    let (dir, hub) = hub().await;
    let (_, token, me) = join(&dir, &hub, "Ben").await;
    let remove = ManageRequest::Remove { who: me.id.clone() };
    let beside = manage_offline(dir.path(), &remove);
    assert!(matches!(beside, Err(HubError::AlreadyRunning { .. })), "{beside:?}");
    hub.shutdown().await;
    let ManageAnswer::People { people, .. } =
        manage_offline(dir.path(), &ManageRequest::People { after: None }).unwrap()
    else {
        panic!("no people")
    };
    assert!(people.iter().any(|member| member.who == me && !member.online));
    let owner = people.iter().find(|member| member.owner).unwrap().who.clone();
    assert_eq!(manage_offline(dir.path(), &remove).unwrap(), ManageAnswer::Done);
    let new = secret();
    let rotate = ManageRequest::RotateToken { who: owner.id.clone(), token: new.clone() };
    assert_eq!(manage_offline(dir.path(), &rotate).unwrap(), ManageAnswer::Done);
    assert_eq!(duplex::hub::token(dir.path()).unwrap(), new);
    let none = ManageRequest::RotateToken { who: owner.id.clone(), token: Secret::new("1") };
    assert!(matches!(manage_offline(dir.path(), &none).unwrap(), ManageAnswer::Refused { .. }));
    assert_eq!(duplex::hub::token(dir.path()).unwrap(), new, "a refusal leaves the file as it was");
    let hub = duplex::hub::start(Options::embedded(dir.path())).await.unwrap();
    assert_eq!(status_of(&hub.url, &token).await, 401);
    assert_eq!(Client::enter(&hub.url, new.reveal(), None).await.1.me, owner);
    let nowhere = tempfile::tempdir().unwrap();
    let nothing = manage_offline(nowhere.path(), &remove);
    assert!(matches!(nothing, Err(HubError::NoHub { .. })), "{nothing:?}");
    assert_eq!(std::fs::read_dir(nowhere.path()).unwrap().count(), 0);
}
