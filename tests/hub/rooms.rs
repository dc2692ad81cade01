//! Rooms that change, roles, and what people say of themselves.

use duplex::hub::{InviteOptions, Running};
use duplex::model::content::{Content, Draft, MemberChange};
use duplex::model::id::RoomName;
use duplex::model::rights::{ManageAnswer, ManageRequest};
use duplex::model::time::WallMs;
use duplex::model::{
    CommandRefusal, CommandState, DeviceId, Feature, MessageId, MetricName, NamedRoom, Refusal, Role, RoomId,
    Sender, Value,
};
use duplex::wire::duplex::message::{ClientMessage, Hello, HubMessage, Redeem, Welcome, close};
use tempfile::TempDir;

use super::client::{Client, hello, hub, new_id, new_token};

/// Somebody with a role, who comes in by an invite.
pub async fn join_as(dir: &TempDir, hub: &Running, name: &str, role: Role) -> (Client, Welcome, String) {
    let options = InviteOptions { kind: role.kind(), role, ..InviteOptions::default() };
    let code = duplex::hub::invite(dir.path(), &options).unwrap().code.reveal().to_owned();
    let token = new_token();
    let mut client = Client::dial(&hub.url, None).await;
    let redeem = Redeem { code, name: name.to_owned(), token: token.clone() };
    client.say(&ClientMessage::Hello(Hello { invite: Some(redeem), ..hello() })).await;
    let welcome = client.welcome().await;
    (client, welcome, token)
}

/// Sends content to a room, and says what becomes of it.
pub async fn send(
    client: &mut Client,
    seq: u64,
    room: &RoomId,
    content: Content,
) -> Result<MessageId, Refusal> {
    let id = new_id();
    let draft = Draft { id, room: room.clone(), content, at: WallMs(7) };
    // Every answer was heard before.
    client.say(&ClientMessage::Send { draft, seq, retry: true }).await;
    answer(client, id).await
}

/// What becomes of something that was sent.
pub async fn answer(client: &mut Client, id: MessageId) -> Result<MessageId, Refusal> {
    client
        .find(|message| match message {
            HubMessage::Ack { id: of, .. } if *of == id => Some(Ok(id)),
            HubMessage::Refused { id: of, refusal } if *of == id => Some(Err(refusal.clone())),
            _ => None,
        })
        .await
}

pub fn create(id: MessageId, name: &str) -> ClientMessage {
    let room = RoomName::new(name).unwrap();
    ClientMessage::CreateRoom { id, room, at: None, private: None, extra: Default::default() }
}

#[tokio::test]
async fn a_room_is_renamed_described_and_archived_for_everyone() {
    let (dir, hub) = hub().await;
    let token = hub.admin_token.reveal().to_owned();
    let (mut anna, _) = Client::enter(&hub.url, &token, None).await;
    let (mut ben, _) = Client::join(&dir, &hub.url, "Ben").await;
    let id = new_id();
    ben.say(&create(id, "Lathes")).await;
    let room = RoomId::from(answer(&mut ben, id).await.unwrap());
    send(&mut anna, 1, &room, Content::renamed(RoomName::new("Mills").unwrap())).await.unwrap();
    send(&mut anna, 2, &room, Content::topic("Noise")).await.unwrap();
    send(&mut anna, 3, &room, Content::archived(true)).await.unwrap();
    let seen = ben
        .find(|message| match message {
            HubMessage::Log { entries, .. } => entries
                .iter()
                .find(|entry| matches!(entry.draft.content, Content::RoomChange { archived: Some(true), .. }))
                .cloned(),
            _ => None,
        })
        .await;
    assert_eq!(seen.draft.room, room);
    assert_eq!(send(&mut ben, 1, &room, Content::text("x")).await, Err(Refusal::Archived));
    let (_, welcome) = Client::enter(&hub.url, &token, None).await;
    assert!(welcome.features.unwrap().has(Feature::RoomChanges));
    let listed = welcome.rooms.iter().find(|listed| listed.id == room).unwrap();
    let NamedRoom { name, info, .. } = listed;
    assert_eq!((name.as_str(), info.topic.as_str(), info.archived), ("Mills", "Noise", true));
    assert_eq!(info.changed, seen.offset);
    send(&mut ben, 2, &room, Content::archived(false)).await.unwrap();
    send(&mut ben, 3, &room, Content::text("x")).await.unwrap();
}

#[tokio::test]
async fn a_guest_reads_and_nothing_else() {
    let (dir, hub) = hub().await;
    let (mut anna, _) = Client::enter(&hub.url, hub.admin_token.reveal(), None).await;
    let (mut guest, welcome, _) = join_as(&dir, &hub, "Gil", Role::Guest).await;
    assert_eq!(welcome.me.role(), Role::Guest);
    let features = welcome.features.unwrap();
    for feature in [Feature::CreateRooms, Feature::Typing, Feature::Commands, Feature::RoomChanges] {
        assert!(!features.has(feature), "{feature:?}");
    }
    let general = RoomId::general();
    assert_eq!(send(&mut guest, 1, &general, Content::text("x")).await, Err(Refusal::NotAllowed));
    assert_eq!(send(&mut guest, 2, &general, Content::topic("x")).await, Err(Refusal::NotAllowed));
    let id = new_id();
    guest.say(&create(id, "Lathes")).await;
    assert_eq!(answer(&mut guest, id).await, Err(Refusal::NotAllowed));
    guest.say(&ClientMessage::Typing { room: general.clone() }).await;
    let device = DeviceId::new("kiln").unwrap();
    guest.say(&ClientMessage::Announce(duplex::model::Spec::unannounced(device))).await;
    let publish = |message: &HubMessage| match message {
        HubMessage::PublishRefused { code, .. } => Some(code.clone()),
        _ => None,
    };
    assert_eq!(guest.find(publish).await, "not_allowed");
    let kiln = r#"{"type":"publish","samples":[{"device":"kiln","values":{"heat":1}}]}"#;
    guest.raw_text(kiln.to_owned()).await;
    assert_eq!(guest.find(publish).await, "not_allowed");
    let said = anna.send("hello").await;
    assert_eq!(guest.messages(1).await[0].draft.id, said);
    loop {
        match anna.hear().await {
            HubMessage::Ack { id, .. } if id == said => break,
            HubMessage::Typing { .. } => panic!("a guest is typing"),
            _ => {}
        }
    }
}

#[tokio::test]
async fn commands_take_an_operator_and_rooms_of_others_too() {
    let (dir, hub) = hub().await;
    let (mut anna, _) = Client::enter(&hub.url, hub.admin_token.reveal(), None).await;
    let (mut mia, welcome, _) = join_as(&dir, &hub, "Mia", Role::Member).await;
    assert!(!welcome.features.unwrap().has(Feature::Commands));
    mia.say(&ClientMessage::Watch).await;
    let command = ClientMessage::Command {
        id: new_id(),
        device: DeviceId::new("kiln").unwrap(),
        incarnation: None,
        property: MetricName::new("target").unwrap(),
        value: Value::Number(1.0),
    };
    mia.say(&command).await;
    let why = mia
        .find(|message| match message {
            HubMessage::Commanded { command } => match &command.state {
                CommandState::Refused { why, .. } => Some(*why),
                _ => None,
            },
            _ => None,
        })
        .await;
    assert_eq!(why, CommandRefusal::NotAllowed);
    assert_eq!(send(&mut mia, 1, &RoomId::general(), Content::topic("x")).await, Err(Refusal::NotAllowed));
    send(&mut mia, 2, &RoomId::general(), Content::text("x")).await.unwrap();
    let id = new_id();
    mia.say(&create(id, "Mills")).await;
    let own = RoomId::from(answer(&mut mia, id).await.unwrap());
    send(&mut mia, 3, &own, Content::topic("Mine")).await.unwrap();
    send(&mut anna, 1, &own, Content::topic("Ours")).await.unwrap();
}

#[tokio::test]
async fn a_role_changes_at_once_and_everyone_is_told() {
    let (dir, hub) = hub().await;
    let (mut anna, _) = Client::enter(&hub.url, hub.admin_token.reveal(), None).await;
    let (mut gil, welcome, token) = join_as(&dir, &hub, "Gil", Role::Guest).await;
    let what = ManageRequest::SetRole { who: welcome.me.id.clone(), role: Role::Operator };
    anna.say(&ClientMessage::Manage { id: 1, what }).await;
    let done = |message: &HubMessage| match message {
        HubMessage::Managed { managed, .. } => Some(managed.clone()),
        _ => None,
    };
    assert_eq!(anna.find(done).await, ManageAnswer::Done);
    assert_eq!(gil.closed().await.0, close::GOING_AWAY, "reconnects with other rights");
    let role = anna
        .find(|message| match message {
            HubMessage::Presence { who, .. } if who.role == Some(Role::Operator) => Some(who.id.clone()),
            _ => None,
        })
        .await;
    assert_eq!(role, welcome.me.id);
    let (mut gil, welcome) = Client::enter(&hub.url, &token, None).await;
    assert_eq!(welcome.me.role(), Role::Operator);
    send(&mut gil, 1, &RoomId::general(), Content::text("x")).await.unwrap();
    let what = ManageRequest::SetRole { who: welcome.me.id.clone(), role: Role::Admin };
    gil.say(&ClientMessage::Manage { id: 1, what }).await;
    assert!(matches!(gil.find(done).await, ManageAnswer::Refused { .. }), "nobody promotes themselves");
}

#[tokio::test]
async fn a_status_is_told_to_everyone_and_kept() {
    let (dir, hub) = hub().await;
    let token = hub.admin_token.reveal().to_owned();
    let (mut anna, _) = Client::enter(&hub.url, &token, None).await;
    let (mut ben, ben_token) = Client::join(&dir, &hub.url, "Ben").await;
    let text = format!(" At the lathe\u{7} {}", "x".repeat(200));
    ben.say(&ClientMessage::Status { text }).await;
    let status = |message: &HubMessage| match message {
        HubMessage::Presence { who, status, .. } if who.name == "Ben" && !status.is_empty() => {
            Some(status.clone())
        }
        _ => None,
    };
    let told = anna.find(status).await;
    assert!(told.starts_with("At the lathe xxx") && told.chars().count() == 100, "{told:?}");
    assert_eq!(ben.find(status).await, told, "their own apps are told, too");
    ben.say(&ClientMessage::Status { text: "Again".to_owned() }).await;
    let error = |message: &HubMessage| match message {
        HubMessage::Error { code, .. } => Some(code.clone()),
        _ => None,
    };
    assert_eq!(ben.find(error).await, "slow_down");
    hub.shutdown().await;
    let hub = duplex::hub::start(duplex::hub::Options::embedded(dir.path())).await.unwrap();
    let (_, welcome) = Client::enter(&hub.url, &ben_token, None).await;
    let ben = welcome.people.iter().find(|person| person.who.name == "Ben").unwrap();
    assert_eq!((ben.status.as_str(), ben.online), (told.as_str(), true));
}

#[tokio::test]
async fn a_room_is_left_and_joined_again_by_anybody_for_themselves() {
    let (dir, hub) = hub().await;
    let (mut anna, _) = Client::enter(&hub.url, hub.admin_token.reveal(), None).await;
    let (mut gil, welcome, token) = join_as(&dir, &hub, "Gil", Role::Guest).await;
    assert!(welcome.features.unwrap().has(Feature::Membership));
    let id = new_id();
    anna.say(&create(id, "Lathes")).await;
    let room = RoomId::from(answer(&mut anna, id).await.unwrap());
    let gil_is = |change| Content::member(Sender { id: welcome.me.id.clone(), name: "x".into() }, change);
    send(&mut gil, 1, &room, gil_is(MemberChange::Left)).await.unwrap();
    let left = |welcome: &Welcome| welcome.rooms.iter().find(|listed| listed.id == room).unwrap().info.left;
    let (mut again, welcome_back) = Client::enter(&hub.url, &token, None).await;
    assert!(left(&welcome_back));
    let said = send(&mut anna, 1, &room, Content::text("x")).await.unwrap();
    assert_eq!(again.messages(1).await[0].draft.id, said, "leaving hides nothing");
    assert_eq!(send(&mut anna, 2, &room, gil_is(MemberChange::Left)).await, Err(Refusal::NotAllowed));
    send(&mut anna, 3, &room, gil_is(MemberChange::Invited)).await.unwrap();
    assert!(!left(&Client::enter(&hub.url, &token, None).await.1));
    // Of a kind of change that this version does not know.
    let odd = r#"{"type":"send","kind":"member","id":"6f9619ff-8b86-4d01-b42d-00cf4fc964ff","seq":4,"room":"general",
        "who":{"id":"p","name":"P"},"change":"muted","at":1}"#;
    anna.raw_text(odd.to_owned()).await;
    let odd = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff".parse().unwrap();
    assert!(matches!(answer(&mut anna, odd).await, Err(Refusal::Other { code, .. }) if code == "malformed"));
}
