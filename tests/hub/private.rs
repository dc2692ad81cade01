//! Private rooms and direct messages: who sees what, and that nobody else can tell that they are there.

use duplex::hub::{HubError, Running, make_hook};
use duplex::model::content::{Content, Draft, MemberChange, Private};
use duplex::model::id::RoomName;
use duplex::model::time::WallMs;
use duplex::model::{
    Entry, MessageId, NamedRoom, Offset, Principal, PrincipalId, Receipt, Refusal, Role, RoomId, Sender,
};
use duplex::wire::duplex::message::{ClientMessage, Hello, HubMessage, Welcome};
use tempfile::TempDir;

use super::client::{Client, get, hello, hub, new_id, post};
use super::rooms::{answer, join_as, send};

fn private(id: MessageId, name: &str, members: &[&PrincipalId], direct: bool) -> ClientMessage {
    let private = Private { members: members.iter().copied().cloned().collect(), direct };
    let room = RoomName::new(name).unwrap();
    ClientMessage::CreateRoom { id, room, at: None, private: Some(private), extra: Default::default() }
}

async fn make(client: &mut Client, name: &str, members: &[&PrincipalId]) -> RoomId {
    let id = new_id();
    client.say(&private(id, name, members, false)).await;
    answer(client, id).await.unwrap().into()
}

fn member(who: &Principal, change: MemberChange) -> Content {
    Content::member(Sender { id: who.id.clone(), name: "?".into() }, change)
}

/// Everything that a client was told up to the entry of this id: the entries, and how many are hidden.
async fn told_until(client: &mut Client, last: MessageId) -> (Vec<Entry>, Offset) {
    let (mut all, mut hidden) = (Vec::new(), 0);
    while all.last().is_none_or(|entry: &Entry| entry.draft.id != last) {
        let (entries, skip) = client
            .find(|message| match message {
                HubMessage::Log { entries, skip } => Some((entries.clone(), skip.clone())),
                _ => None,
            })
            .await;
        hidden += skip.iter().map(|(from, to)| *to - *from + 1).sum::<u64>();
        all.extend(entries);
    }
    (all, Offset(hidden))
}

/// What comes next of the types that answer a question about a room.
async fn said(client: &mut Client, question: &ClientMessage) -> String {
    let ping = ClientMessage::Ping { nonce: 77, pad: String::new() };
    client.say(question).await;
    // The disk is asked about these: the answer may come after that to a ping.
    let mut waits = matches!(question, ClientMessage::Send { .. } | ClientMessage::History { .. });
    if !waits {
        client.say(&ping).await;
    }
    let mut said = Vec::new();
    loop {
        let message = client.hear().await;
        let is_answer = matches!(
            message,
            HubMessage::Refused { .. } | HubMessage::Ack { .. } | HubMessage::History { .. }
        );
        match message {
            HubMessage::Pong { nonce: 77, .. } => return said.join("\n"),
            HubMessage::Presence { .. } => {}
            other => said.push(format!("{other:?}")),
        }
        if is_answer && std::mem::take(&mut waits) {
            client.say(&ping).await;
        }
    }
}

async fn pong(client: &mut Client) -> Offset {
    client.say(&ClientMessage::Ping { nonce: 5, pad: String::new() }).await;
    client
        .find(|message| match message {
            HubMessage::Pong { nonce: 5, sent, .. } => Some(*sent),
            _ => None,
        })
        .await
}

async fn people(dir: &TempDir, hub: &Running) -> [(Client, Principal, String); 3] {
    let mut all = Vec::new();
    for name in ["Anna", "Ben", "Cleo"] {
        let (client, welcome, token) = join_as(dir, hub, name, Role::Operator).await;
        all.push((client, welcome.me, token));
    }
    all.try_into().unwrap_or_else(|_| unreachable!())
}

fn room<'a>(welcome: &'a Welcome, id: &RoomId) -> Option<&'a NamedRoom> {
    welcome.rooms.iter().find(|room| room.id == *id)
}

#[tokio::test]
async fn members_see_a_private_room_and_others_only_that_something_is_hidden() {
    let (dir, hub) = hub().await;
    let [(mut anna, _, _), (mut ben, ben_is, ben_token), (mut cleo, _, cleo_token)] =
        people(&dir, &hub).await;
    let plans = make(&mut anna, "Plans", &[&ben_is.id]).await;
    let secret = send(&mut anna, 1, &plans, Content::text("the plan")).await.unwrap();
    let open = send(&mut anna, 2, &RoomId::general(), Content::text("hello")).await.unwrap();

    let (seen, hidden) = told_until(&mut ben, open).await;
    assert!(seen.iter().any(|entry| entry.draft.id == secret) && hidden == Offset(0));
    let (seen, hidden) = told_until(&mut cleo, open).await;
    assert_eq!(hidden, Offset(2), "the room and the message");
    assert!(seen.iter().all(|entry| entry.draft.room != plans));

    // A replay is the same.
    let again = |token: String| async {
        let token = token;
        let mut client = Client::dial(&hub.url, Some(&token)).await;
        client.say(&ClientMessage::Hello(Hello { since: Some(Offset(0)), ..hello() })).await;
        let welcome = client.welcome().await;
        (told_until(&mut client, open).await, welcome)
    };
    let ((seen, hidden), welcome) = again(ben_token).await;
    assert!(seen.iter().any(|entry| entry.draft.id == secret) && hidden == Offset(0));
    let listed = room(&welcome, &plans).unwrap();
    assert!(listed.info.private && listed.info.members.len() == 2 && listed.info.direct.is_none());
    let ((seen, hidden), welcome) = again(cleo_token).await;
    assert!(hidden == Offset(2) && seen.iter().all(|entry| entry.draft.room != plans));
    assert_eq!(room(&welcome, &plans), None);
}

#[tokio::test]
async fn a_hidden_room_cannot_be_told_from_one_that_is_not_there() {
    let (dir, hub) = hub().await;
    let [(mut anna, _, _), (mut ben, ben_is, _), (mut cleo, cleo_is, cleo_token)] = people(&dir, &hub).await;
    let plans = make(&mut anna, "Plans", &[&ben_is.id]).await;
    let secret = send(&mut anna, 1, &plans, Content::text("the plan")).await.unwrap();
    let nowhere = RoomId::from(new_id());
    let at = pong(&mut cleo).await;
    let visible = send(&mut cleo, 1, &RoomId::general(), Content::text("x")).await.unwrap();
    told_until(&mut cleo, visible).await;
    assert!(pong(&mut cleo).await > at);

    // Behind the last visible entry, everything in the room happens unnoticed.
    let at = pong(&mut cleo).await;
    send(&mut ben, 1, &plans, Content::text("yes")).await.unwrap();
    send(&mut anna, 2, &plans, Content::reaction(secret, "👍", false)).await.unwrap();
    anna.say(&ClientMessage::Typing { room: plans.clone() }).await;
    ben.find(|message| matches!(message, HubMessage::Typing { .. }).then_some(())).await;
    anna.say(&ClientMessage::Read { room: plans.clone(), offset: Offset(1_000) }).await;
    assert_eq!(pong(&mut cleo).await, at, "a pong tells of nothing hidden");
    let (_, welcome) = Client::enter(&hub.url, &cleo_token, None).await;
    assert_eq!(welcome.head, at, "nor does a welcome");
    assert!(welcome.from <= welcome.head + 1 && room(&welcome, &plans).is_none());

    // Every question has the answer of a room that is not there.
    let mut seq = 1;
    let questions = |room: &RoomId, target: MessageId, id: MessageId| {
        let content = [
            Content::text("x"),
            Content::reply("x", target, None),
            Content::edit(target, "x"),
            Content::delete(target),
            Content::reaction(target, "👍", false),
            Content::pin(target, false),
            Content::topic("x"),
            Content::renamed(RoomName::new("Other").unwrap()),
            Content::archived(true),
            member(&cleo_is, MemberChange::Joined),
            member(&cleo_is, MemberChange::Left),
            member(&ben_is, MemberChange::Left),
            member(&ben_is, MemberChange::Invited),
        ];
        let sends = content.into_iter().map(|content| ClientMessage::Send {
            draft: Draft { id, room: room.clone(), content, at: WallMs(7) },
            seq: 0,
            retry: true,
        });
        let mut all: Vec<ClientMessage> = sends.collect();
        all.push(ClientMessage::History { room: room.clone(), before: Offset(1 << 40), limit: 50 });
        all.push(ClientMessage::Read { room: room.clone(), offset: Offset(3) });
        all.push(ClientMessage::Typing { room: room.clone() });
        all.push(ClientMessage::Seen { room: room.clone(), first: Offset(1), last: Offset(9) });
        all.push(ClientMessage::Receipts { room: room.clone() });
        all
    };
    let (id, nothing) = (new_id(), new_id());
    let hidden = questions(&plans, secret, id);
    let missing = questions(&nowhere, nothing, id);
    for (mut hidden, mut missing) in hidden.into_iter().zip(missing) {
        for question in [&mut hidden, &mut missing] {
            if let ClientMessage::Send { seq: of_question, .. } = question {
                seq += 1;
                *of_question = seq;
            }
        }
        let about = |text: String, room: &RoomId| text.replace(room.as_str(), "ROOM");
        let (one, other) = (said(&mut cleo, &hidden).await, said(&mut cleo, &missing).await);
        assert_eq!(about(one, &plans), about(other, &nowhere), "{hidden:?}");
    }
    // The name is free: nobody learns that somebody has it.
    let mine = new_id();
    let named = RoomName::new("Plans").unwrap();
    cleo.say(&ClientMessage::CreateRoom {
        id: mine,
        room: named,
        at: None,
        private: None,
        extra: Default::default(),
    })
    .await;
    assert_eq!(answer(&mut cleo, mine).await, Ok(mine));
    // Nor by writing to its name, before and after.
    let (_, token) = make_hook(dir.path(), "general", "Backup").unwrap();
    let path = |room: &RoomId| format!("/v1/rooms/{room}/messages");
    let date = |answer: String| {
        answer.lines().filter(|line| !line.starts_with("date")).collect::<Vec<_>>().join("\n")
    };
    let hidden = date(post(hub.addr, &path(&plans), token.reveal(), "x").await);
    let missing = date(post(hub.addr, &path(&nowhere), token.reveal(), "x").await);
    assert_eq!(hidden, missing);
    // Not even an admin who is no member finds a word of it.
    let token = hub.admin_token.reveal();
    let metrics =
        get(hub.addr, "/metrics", &format!("Host: localhost\r\nAuthorization: Bearer {token}\r\n")).await;
    assert!(
        metrics.starts_with("HTTP/1.1 200 ")
            && !metrics.contains(plans.as_str())
            && !metrics.contains("Plans")
    );
    let (mut admin, welcome) = Client::enter(&hub.url, token, None).await;
    assert_eq!(room(&welcome, &plans), None);
    assert_eq!(send(&mut admin, 1, &plans, Content::delete(secret)).await, Err(Refusal::NoSuchRoom));

    let last = send(&mut cleo, seq + 1, &RoomId::general(), Content::text("y")).await.unwrap();
    let (seen, hidden) = told_until(&mut cleo, last).await;
    assert!(hidden == Offset(2) && seen.iter().all(|entry| entry.draft.room != plans), "only how many");
}

#[tokio::test]
async fn what_was_read_in_a_private_room_is_for_its_members() {
    let (dir, hub) = hub().await;
    let [(mut anna, _, anna_token), (mut ben, ben_is, _), (mut cleo, cleo_is, _)] = people(&dir, &hub).await;
    let plans = make(&mut anna, "Plans", &[&ben_is.id, &cleo_is.id]).await;
    let secret = send(&mut anna, 1, &plans, Content::text("the plan")).await.unwrap();
    let mut offset = Offset(0);
    for client in [&mut anna, &mut ben, &mut cleo] {
        offset = told_until(client, secret).await.0.last().unwrap().offset;
    }
    let receipts = |message: &HubMessage| match message {
        HubMessage::Receipts { room, by, all } => Some((room.clone(), by.clone(), *all)),
        _ => None,
    };
    let asks = || ClientMessage::Receipts { room: plans.clone() };
    let at = |offset: Offset| ClientMessage::Seen { room: plans.clone(), first: offset, last: offset };
    for client in [&mut anna, &mut ben, &mut cleo] {
        client.say(&asks()).await;
        assert_eq!(client.find(receipts).await, (plans.clone(), vec![], true));
    }
    let by = |who: &Principal| Receipt { id: who.id.clone(), first: offset, last: offset };
    ben.say(&at(offset)).await;
    for client in [&mut anna, &mut cleo] {
        assert_eq!(client.find(receipts).await, (plans.clone(), vec![by(&ben_is)], false));
    }
    cleo.say(&at(offset)).await;
    assert_eq!(anna.find(receipts).await, (plans.clone(), vec![by(&cleo_is)], false));

    // Cleo is removed: she is told nothing more, and nothing more is told of her.
    let last = send(&mut anna, 2, &plans, member(&cleo_is, MemberChange::Left)).await.unwrap();
    let later = told_until(&mut anna, last).await.0.last().unwrap().offset;
    ben.say(&ClientMessage::Seen { room: plans.clone(), first: offset, last: later }).await;
    let more = Receipt { last: later, ..by(&ben_is) };
    assert_eq!(anna.find(receipts).await, (plans.clone(), vec![more.clone()], false));
    assert_eq!(said(&mut cleo, &asks()).await.matches("Receipts").count(), 0);
    let (mut again, _) = Client::enter(&hub.url, &anna_token, None).await;
    again.say(&asks()).await;
    assert_eq!(
        again.find(receipts).await,
        (plans.clone(), vec![more], true),
        "a later start is told the same"
    );
}

#[tokio::test]
async fn a_hook_writes_into_the_private_room_for_which_it_was_made() {
    let (dir, hub) = hub().await;
    let [(mut anna, _, _), (mut ben, ben_is, _), (mut cleo, _, _)] = people(&dir, &hub).await;
    let plans = make(&mut anna, "Plans", &[&ben_is.id]).await;
    assert!(make_hook(dir.path(), "Plans", "x").is_err(), "several may be called so");
    let (_, token) = make_hook(dir.path(), plans.as_str(), "Backup").unwrap();
    let answer = post(hub.addr, &format!("/v1/rooms/{plans}/messages"), token.reveal(), "done").await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert_eq!(ben.messages(1).await[0].draft.content.body(), "done");
    let last = send(&mut cleo, 1, &RoomId::general(), Content::text("x")).await.unwrap();
    assert_eq!(told_until(&mut cleo, last).await.1, Offset(2));
}

#[tokio::test]
async fn no_program_writes_into_a_direct_message() {
    let (dir, hub) = hub().await;
    let [(mut anna, _, _), (_ben, ben_is, _), _] = people(&dir, &hub).await;
    let id = new_id();
    anna.say(&private(id, "x", &[&ben_is.id], true)).await;
    let direct = answer(&mut anna, id).await.unwrap().to_string();
    let refused = make_hook(dir.path(), &direct, "x");
    assert!(matches!(refused, Err(HubError::DirectHook)), "{refused:?}");
    // Nor with a token of before that was refused.
    let (_, token) = make_hook(dir.path(), "general", "Backup").unwrap();
    let file = dir.path().join("hooks.json");
    let hooks = std::fs::read_to_string(&file).unwrap();
    assert!(hooks.contains("\"general\""), "{hooks}");
    std::fs::write(&file, hooks.replace("\"general\"", &format!("{direct:?}"))).unwrap();
    let answer = post(hub.addr, &format!("/v1/rooms/{direct}/messages"), token.reveal(), "done").await;
    assert!(answer.starts_with("HTTP/1.1 403 ") && answer.contains("direct message"), "{answer}");
}

#[tokio::test]
async fn who_is_invited_reads_all_of_it_and_who_is_removed_no_more() {
    let (dir, hub) = hub().await;
    let [(mut anna, _, _), (mut ben, ben_is, ben_token), (mut cleo, cleo_is, _)] = people(&dir, &hub).await;
    let plans = make(&mut anna, "Plans", &[]).await;
    let old = send(&mut anna, 1, &plans, Content::text("old")).await.unwrap();
    let invited = send(&mut anna, 2, &plans, member(&ben_is, MemberChange::Invited)).await.unwrap();
    let (seen, hidden) = told_until(&mut ben, invited).await;
    assert_eq!(hidden, Offset(2), "what is older is not told of by the log");
    let Content::Member { who, .. } = &seen.last().unwrap().draft.content else { panic!("{seen:?}") };
    assert_eq!(who.name, "Ben", "as the hub has it");
    let offset = seen.last().unwrap().offset;
    let page = ClientMessage::History { room: plans.clone(), before: offset, limit: 50 };
    ben.say(&page).await;
    let history = |message: &HubMessage| match message {
        HubMessage::History { entries, complete, .. } => Some((entries.clone(), *complete)),
        _ => None,
    };
    let (entries, complete) = ben.find(history).await;
    assert!(complete && entries.iter().any(|entry| entry.draft.id == old), "but by its history");
    // Again is no error, and changes nothing.
    send(&mut anna, 3, &plans, member(&ben_is, MemberChange::Invited)).await.unwrap();
    // A member who may invite may not remove, unless they may change rooms.
    send(&mut ben, 1, &plans, member(&cleo_is, MemberChange::Invited)).await.unwrap();
    send(&mut cleo, 1, &plans, Content::text("hi")).await.unwrap();
    let removed = send(&mut anna, 4, &plans, member(&ben_is, MemberChange::Left)).await.unwrap();
    let (seen, _) = told_until(&mut ben, removed).await;
    assert_eq!(seen.last().unwrap().draft.room, plans, "one learns of being removed");
    send(&mut anna, 5, &plans, Content::text("without Ben")).await.unwrap();
    assert_eq!(send(&mut ben, 2, &plans, Content::text("x")).await, Err(Refusal::NoSuchRoom));
    ben.say(&page).await;
    assert_eq!(ben.find(history).await, (Vec::new(), true));
    let (mut ben, welcome) = Client::enter(&hub.url, &ben_token, None).await;
    assert_eq!(room(&welcome, &plans), None);
    let last = send(&mut ben, 1, &RoomId::general(), Content::text("x")).await.unwrap();
    let (seen, _) = told_until(&mut ben, last).await;
    let of_room: Vec<_> = seen.iter().filter(|entry| entry.draft.room == plans).collect();
    assert!(of_room.iter().all(|entry| matches!(entry.draft.content, Content::Member { .. })), "{of_room:?}");
    assert_eq!(of_room.len(), 2, "that they were invited and removed");
}

#[tokio::test]
async fn a_guest_or_member_cannot_remove_others() {
    let (dir, hub) = hub().await;
    let [(mut anna, anna_is, _), ..] = people(&dir, &hub).await;
    let (mut mia, welcome, _) = join_as(&dir, &hub, "Mia", Role::Member).await;
    let plans = make(&mut anna, "Plans", &[&welcome.me.id]).await;
    let refused = send(&mut mia, 1, &plans, member(&anna_is, MemberChange::Left)).await;
    assert_eq!(refused, Err(Refusal::NotAllowed));
    send(&mut mia, 2, &plans, member(&welcome.me, MemberChange::Left)).await.unwrap();
    let own = make(&mut mia, "Mine", &[&anna_is.id]).await;
    send(&mut mia, 3, &own, member(&anna_is, MemberChange::Left)).await.unwrap();
}

#[tokio::test]
async fn two_people_have_one_direct_message_whoever_makes_it() {
    let (dir, hub) = hub().await;
    let [(mut anna, anna_is, _), (mut ben, ben_is, ben_token), (mut cleo, cleo_is, _)] =
        people(&dir, &hub).await;
    let (one, other) = (new_id(), new_id());
    anna.say(&private(one, "x", &[&ben_is.id], true)).await;
    assert_eq!(answer(&mut anna, one).await, Ok(one));
    ben.say(&private(other, "x", &[&anna_is.id], true)).await;
    let folded = ben
        .find(|message| match message {
            HubMessage::Ack { id, room, entry, .. } if *id == other => Some((room.clone(), *entry)),
            _ => None,
        })
        .await;
    assert_eq!(folded, (Some(one.into()), false), "the second one's is the first one's");
    let direct = RoomId::from(one);
    send(&mut ben, 1, &direct, Content::text("hi")).await.unwrap();
    assert_eq!(anna.messages(1).await[0].draft.room, direct);
    for (content, why) in [
        (member(&cleo_is, MemberChange::Invited), "it has two members"),
        (member(&ben_is, MemberChange::Left), "for ever"),
        (Content::renamed(RoomName::new("y").unwrap()), "it is called by whom it is with"),
    ] {
        let seq = match why {
            "it has two members" => 1,
            "for ever" => 2,
            _ => 3,
        };
        assert_eq!(send(&mut anna, seq, &direct, content).await, Err(Refusal::NotAllowed), "{why}");
    }
    // To leave it is to have it out of sight, which the other one is not told, until the next message.
    send(&mut ben, 2, &direct, member(&ben_is, MemberChange::Left)).await.unwrap();
    let after = send(&mut anna, 4, &direct, Content::text("still here?")).await.unwrap();
    assert_eq!(told_until(&mut anna, after).await.1, Offset(1));
    assert_eq!(told_until(&mut ben, after).await.1, Offset(0));
    let (_, welcome) = Client::enter(&hub.url, &ben_token, None).await;
    let listed = room(&welcome, &direct).unwrap();
    assert!(!listed.info.left && listed.info.direct.as_ref() == Some(&anna_is.id), "{listed:?}");
    // With oneself or with nobody there is none.
    for (seq, who) in [(5, anna_is.id.clone()), (6, PrincipalId("nobody".into()))] {
        let id = new_id();
        anna.say(&private(id, "x", &[&who], true)).await;
        assert_eq!(answer(&mut anna, id).await, Err(Refusal::NotAllowed), "{seq}");
    }
    let last = send(&mut cleo, 1, &RoomId::general(), Content::text("x")).await.unwrap();
    assert!(told_until(&mut cleo, last).await.0.iter().all(|entry| entry.draft.room != direct));
}
