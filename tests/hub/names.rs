//! Names: which are accepted, how they are normalised, and how similar names are told apart.

use std::io::Read as _;
use std::process::{Child, Command, Stdio};

use duplex::hub::{HubError, InviteOptions, Running};
use duplex::model::name::{BadName, Looks};
use duplex::model::{Refusal, RoomName};
use duplex::wire::duplex::message::{ClientMessage, Hello, HubMessage, Redeem, close};
use tempfile::TempDir;

use super::client::{Client, hello, hub, new_id, new_token, within};

/// Redeems a new invite under this name. Returns the name given by the hub, or the close code.
async fn redeem(dir: &TempDir, hub: &Running, name: &str) -> Result<(Client, String), u16> {
    let invite = duplex::hub::invite(dir.path(), &InviteOptions::default()).unwrap();
    let code = invite.code.reveal().to_owned();
    let redeem = Redeem { code, name: name.to_owned(), token: new_token() };
    let mut client = Client::dial(&hub.url, None).await;
    client.say(&ClientMessage::Hello(Hello { invite: Some(redeem), ..hello() })).await;
    match client.hear().await {
        HubMessage::Welcome(welcome) => Ok((client, welcome.me.name)),
        HubMessage::Bye { code, .. } => Err(code),
        other => panic!("neither welcome nor bye: {other:?}"),
    }
}

#[tokio::test]
async fn names_of_people_are_normalised_and_visible() {
    let (dir, hub) = hub().await;
    for (name, given) in [
        ("Jun", "Jun"),
        ("Jun", "Jun"),
        ("Ju\u{301}n", "J\u{FA}n"),
        ("  Jun\u{3000} Park ", "Jun Park"),
        ("\u{FEFF}Jun", "Jun"),
        ("\u{430}dmin", "\u{430}dmin"),
        ("می\u{200C}خواهم", "می\u{200C}خواهم"),
        ("👩\u{200D}👩\u{200D}👧", "👩\u{200D}👩\u{200D}👧"),
    ] {
        assert_eq!(redeem(&dir, &hub, name).await.map(|(_, name)| name), Ok(given.to_owned()));
    }
    hub.shutdown().await;
}

#[tokio::test]
async fn invisible_names_are_refused() {
    let (dir, hub) = hub().await;
    for name in ["", " ", "\u{3164}", "\u{2800}", "\u{115F}", "ad\u{200B}min", "a\u{202E}b", "a\u{2028}b"] {
        let refused = redeem(&dir, &hub, name).await.map(|(_, name)| name);
        assert_eq!(refused, Err(close::INVITE_REFUSED), "{name:?}");
    }
    let device = duplex::hub::add_device(dir.path(), "shed", "\u{3164}");
    assert!(matches!(device, Err(HubError::BadName { why: BadName::Blank })));
    let device = duplex::hub::add_device(dir.path(), "sh\u{200B}ed", "Shed");
    assert!(matches!(device, Err(HubError::BadName { why: BadName::Hidden })));
    duplex::hub::add_device(dir.path(), "shed", "").unwrap();
    hub.shutdown().await;
}

/// The outcome of creating a room.
async fn create(client: &mut Client, name: &str) -> Result<(), Refusal> {
    let id = new_id();
    client
        .say(&ClientMessage::CreateRoom {
            id,
            room: RoomName::new(name).unwrap(),
            at: None,
            private: None,
            extra: Default::default(),
        })
        .await;
    client
        .find(|message| match message {
            HubMessage::Ack { id: acked, .. } if *acked == id => Some(Ok(())),
            HubMessage::Refused { id: refused, refusal } if *refused == id => Some(Err(refusal.clone())),
            _ => None,
        })
        .await
}

#[tokio::test]
async fn a_room_that_looks_like_another_is_refused_naming_it() {
    let (dir, hub) = hub().await;
    let (mut mallory, _) = Client::join(&dir, &hub.url, "Mallory").await;
    let general = Err(Refusal::NameAlike { name: RoomName::general() });
    for name in
        ["gener\u{430}l", "General", "gen\u{435}ral", "\u{FF47}eneral", "generaI", "genera1", "g e n e r a l"]
    {
        assert_eq!(create(&mut mallory, name).await, general, "{name:?}");
    }
    for name in ["general\u{200B}x", "gene\u{AD}ral", "g\u{FEFF}eneral", "\u{3164}", "\u{2800}"] {
        let refused = create(&mut mallory, name).await;
        assert!(matches!(refused, Err(Refusal::BadName { .. })), "{name:?}: {refused:?}");
    }
    assert_eq!(create(&mut mallory, "general").await, Ok(()), "it exists");
    assert_eq!(create(&mut mallory, "\u{202E}general").await, Ok(()), "it is the same room");
    assert_eq!(create(&mut mallory, "cafe\u{301}").await, Ok(()));
    assert_eq!(create(&mut mallory, "caf\u{E9}").await, Ok(()), "it is the same room");
    let caf = RoomName::new("caf\u{E9}").unwrap();
    assert_eq!(create(&mut mallory, "CAF\u{C9}").await, Err(Refusal::NameAlike { name: caf.clone() }));
    let (_, welcome) = Client::enter(&hub.url, hub.admin_token.reveal(), None).await;
    let names: Vec<_> = welcome.rooms.into_iter().map(|room| room.name).collect();
    assert_eq!(names, [RoomName::general(), caf.clone()]);
    hub.shutdown().await;

    let hub = duplex::hub::start(duplex::hub::Options::embedded(dir.path())).await.unwrap();
    let (mut admin, _) = Client::enter(&hub.url, hub.admin_token.reveal(), None).await;
    assert_eq!(
        create(&mut admin, "c\u{430}f\u{E9}").await,
        Err(Refusal::NameAlike { name: caf }),
        "after a restart"
    );
    hub.shutdown().await;
}

#[tokio::test]
async fn of_two_similar_rooms_created_at_once_one_is_refused() {
    let (dir, hub) = hub().await;
    let (mut one, _) = Client::join(&dir, &hub.url, "One").await;
    let (mut other, _) = Client::join(&dir, &hub.url, "Other").await;
    for round in 0..10 {
        let names = (format!("pump{round}"), format!("p\u{443}mp{round}").replace('\u{443}', "\u{57D}"));
        let made = tokio::join!(create(&mut one, &names.0), create(&mut other, &names.1));
        assert!(made.0.is_ok() != made.1.is_ok(), "{made:?}");
    }
    hub.shutdown().await;
}

/// A child process that is killed when dropped.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        // It may have exited.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The output of `duplexctl tail` for the first messages.
async fn tail(hub: &Running, token: &str, count: usize, more: &[&str]) -> String {
    let child = Command::new(env!("CARGO_BIN_EXE_duplexctl"))
        .args(["tail", &hub.url, "--since", "0", "--count", &count.to_string()])
        .args(more)
        .env("DUPLEX_TOKEN", token)
        .stdout(Stdio::piped())
        .spawn();
    let mut program = Program(child.unwrap());
    let mut out = program.0.stdout.take().unwrap();
    let read = tokio::task::spawn_blocking(move || {
        let mut printed = String::new();
        out.read_to_string(&mut printed).map(|_| printed)
    });
    within("all messages to be printed", read).await.unwrap().unwrap()
}

#[tokio::test]
async fn tail_distinguishes_people_with_similar_names() {
    let (dir, hub) = hub().await;
    let token = hub.admin_token.reveal();
    let (mut admin, welcome) = Client::enter(&hub.url, token, None).await;
    let mut inside = vec![(admin.send("body-0").await, welcome.me.name.clone())];
    admin.acked(inside[0].0).await;
    let own = welcome.me.name;
    let look_alike = own.replace('a', "\u{430}").replace('o', "\u{43E}");
    for name in [
        "Jun",
        "Jun",
        &look_alike,
        "\u{FEFF}Jun",
        "JUN",
        "J\u{FA}n",
        "Ju\u{301}n",
        "\u{FF2A}un",
        "Jun ·admin",
        "Mina",
    ] {
        let (mut client, name) = redeem(&dir, &hub, name).await.unwrap();
        let id = client.send(&format!("body-{}", inside.len())).await;
        client.acked(id).await;
        inside.push((id, name));
    }
    let printed = tail(&hub, token, inside.len(), &[]).await;
    let lines: Vec<&str> = printed.lines().collect();
    assert_eq!(lines.len(), inside.len(), "{printed}");
    let shown: Vec<&str> = lines
        .iter()
        .enumerate()
        .map(|(number, line)| {
            let (_, said) = line.split_once("[general] ").unwrap();
            said.strip_suffix(&format!(": body-{number}")).unwrap()
        })
        .collect();
    for (at, one) in shown.iter().enumerate() {
        assert!(
            !shown[..at].iter().any(|other| Looks::of(one).is_like(&Looks::of(other))),
            "{one} in {shown:?}"
        );
    }
    assert!(
        shown[0].ends_with(" ·admin") && !shown[1..].iter().any(|name| name.ends_with(" ·admin")),
        "{shown:?}"
    );
    assert_eq!(shown.last(), Some(&"Mina"), "no similar name exists");

    let printed = tail(&hub, token, 2, &["--json", "--no-readings"]).await;
    let said = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap();
    let first = printed.lines().map(said).find(|said| said["event"] == "message").unwrap();
    assert_eq!(first["sender"], own.as_str());
    assert!(first["sender_id"].as_str().is_some_and(|id| id.len() == 16));
    hub.shutdown().await;
}
