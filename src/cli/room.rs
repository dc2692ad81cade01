//! `duplexctl room`, and what a server lists when somebody connects.

use crate::model::Offset;
use serde_json::json;
use tokio::time::{Instant, timeout_at};

use super::args::{Room, Server};
use super::follow::Follow;
use super::reason::reason_of;
use super::{Exit, Failure, print, send};
use crate::clock;
use crate::model::content::{Content, Draft, MemberChange, Private};
use crate::model::event::{ChatEvent, Follows, LinkEvent, Person};
use crate::model::link_state::LinkState;
use crate::model::room::MAX_TOPIC_CHARS;
use crate::model::{Event, NamedRoom, RoomId, RoomName, Sender};
use crate::wire::SavedState;

pub(super) async fn run(command: Room) -> Result<(), Failure> {
    let (at, (wanted, wish)) = match command {
        Room::List { at, json } => {
            let (server, timeout) = at.server();
            let (follow, known) = known(&server, Instant::now() + timeout).await?;
            follow.end().await;
            return known
                .rooms
                .iter()
                .try_for_each(|room| print::line(&if json { as_json(room) } else { as_text(room) }));
        }
        Room::Make { at, name, topic, private, member } => {
            let (server, timeout) = at.server();
            let members = private.then_some(member);
            return make(&server, room_name(&name)?, topic, members, Instant::now() + timeout).await;
        }
        Room::Rename { at, room, name } => {
            (at, (room, RoomWish::Change(Content::renamed(room_name(&name)?))))
        }
        Room::Topic { at, room, topic } => (at, (room, RoomWish::Change(Content::topic(checked(topic)?)))),
        Room::Archive { at, room, undo } => (at, (room, RoomWish::Change(Content::archived(!undo)))),
        Room::Join { at, room } => (at, (room, RoomWish::Member(None, MemberChange::Joined))),
        Room::Leave { at, room } => (at, (room, RoomWish::Member(None, MemberChange::Left))),
        Room::Remove { at, room, who } => (at, (room, RoomWish::Member(Some(who), MemberChange::Left))),
        Room::Invite { at, room, who } => (at, (room, RoomWish::Member(Some(who), MemberChange::Invited))),
    };
    let (server, timeout) = at.server();
    let deadline = Instant::now() + timeout;
    let (mut follow, known) = known(&server, deadline).await?;
    let room = known.room(&wanted)?;
    let content = match wish {
        RoomWish::Change(content) => content,
        RoomWish::Member(who, change) => Content::member(known.person(who.as_deref())?, change),
    };
    let id = send::new_id()?;
    let draft = Draft { id, room, content, at: clock::now().wall_ms };
    let delivered = send::deliver(&mut follow, &server, draft, false, deadline).await;
    follow.end().await;
    delivered.map(drop)
}

/// What is to become of a room.
enum RoomWish {
    Change(Content),
    /// Of whom; none: of the token's owner.
    Member(Option<String>, MemberChange),
}

async fn make(
    server: &Server,
    name: RoomName,
    topic: Option<String>,
    members: Option<Vec<String>>,
    deadline: Instant,
) -> Result<(), Failure> {
    let topic = topic.map(checked).transpose()?;
    let (mut follow, content) = match members {
        None => {
            let saved = SavedState { resume: None, since: Some(Offset::MAX) };
            (Follow::start(server, saved, false)?, Content::room(name))
        }
        Some(members) => {
            let (follow, known) = known(server, deadline).await?;
            let id_of = |who: &String| known.person(Some(who)).map(|who| who.id);
            let members = members.iter().map(id_of).collect::<Result<_, _>>()?;
            (follow, Content::private_room(name, Private { members, direct: false }))
        }
    };
    let id = send::new_id()?;
    let draft = Draft { id, room: id.into(), content, at: clock::now().wall_ms };
    let room = match send::deliver(&mut follow, server, draft, false, deadline).await? {
        Follows::OtherRoom(room) => {
            print::explain("there was a room of this name already");
            room
        }
        Follows::Entry | Follows::Nothing => id.into(),
    };
    if let Some(topic) = topic {
        let content = Content::topic(topic);
        let draft = Draft { id: send::new_id()?, room: room.clone(), content, at: clock::now().wall_ms };
        send::deliver(&mut follow, server, draft, false, deadline).await?;
    }
    follow.end().await;
    print::line(&print::harmless(room.as_str()))
}

/// The direct message with somebody, who is named by id or name; it is made where there is none.
pub(super) async fn direct(
    server: &Server,
    who: &str,
    deadline: Instant,
) -> Result<(Follow, RoomId), Failure> {
    let (mut follow, known) = known(server, deadline).await?;
    let who = known.person(Some(who))?;
    if let Some(room) = known.rooms.iter().find(|room| room.info.direct.as_ref() == Some(&who.id)) {
        return Ok((follow, room.id.clone()));
    }
    let id = send::new_id()?;
    let private = Private { members: vec![who.id], direct: true };
    let content = Content::private_room(RoomName::of_id(&id.into()), private);
    let draft = Draft { id, room: id.into(), content, at: clock::now().wall_ms };
    let room = match send::deliver(&mut follow, server, draft, false, deadline).await? {
        Follows::OtherRoom(room) => room,
        Follows::Entry | Follows::Nothing => id.into(),
    };
    Ok((follow, room))
}

/// What a server lists.
#[derive(Default)]
pub(super) struct ServerLists {
    /// All rooms that the token's owner sees.
    pub(super) rooms: Vec<NamedRoom>,
    /// Everyone who may chat.
    pub(super) people: Vec<Person>,
    /// The token's owner.
    me: Option<Sender>,
}

impl ServerLists {
    /// The person of this id, or the one who is called so; without one the token's owner.
    fn person(&self, wanted: Option<&str>) -> Result<Sender, Failure> {
        let failed = |why: &str| Failure::new(Exit::Refused, why);
        let Some(wanted) = wanted else {
            return self.me.clone().ok_or_else(|| failed("nobody is signed in"));
        };
        let sender = |person: &Person| Sender { id: person.who.id.clone(), name: person.who.name.clone() };
        if let Some(person) = self.people.iter().find(|person| person.who.id.0 == wanted) {
            return Ok(sender(person));
        }
        let mut called = self.people.iter().filter(|person| person.who.name == wanted);
        match (called.next(), called.next()) {
            (Some(person), None) => Ok(sender(person)),
            (Some(_), Some(_)) => {
                Err(failed("several people have this name; give the id, as `duplexctl people` shows it"))
            }
            (None, _) => Err(failed("nobody has this id or name")),
        }
    }

    /// The room of this id, or the one that is called so.
    fn room(&self, wanted: &str) -> Result<RoomId, Failure> {
        if let Some(room) = self.rooms.iter().find(|room| room.id.as_str() == wanted) {
            return Ok(room.id.clone());
        }
        let mut called = self.rooms.iter().filter(|room| room.name.as_str() == wanted);
        match (called.next(), called.next()) {
            (Some(room), None) => Ok(room.id.clone()),
            (Some(_), Some(_)) => Err(Failure::new(
                Exit::Failed,
                "several rooms have this name; give the id, as `duplexctl room list` shows it",
            )),
            (None, _) => Err(Failure::new(Exit::Refused, "there is no such room")),
        }
    }
}

/// Connects, and waits for all that the server lists.
pub(super) async fn known(server: &Server, deadline: Instant) -> Result<(Follow, ServerLists), Failure> {
    let saved = SavedState { resume: None, since: Some(Offset::MAX) };
    let mut follow = Follow::start(server, saved, false)?;
    let mut why = None;
    let listed = timeout_at(deadline, async {
        let (mut known, mut more) = (ServerLists::default(), false);
        loop {
            match follow.next().await {
                Event::Link(LinkEvent::Welcomed { me, rooms, people, .. }) => {
                    known = ServerLists { rooms, people, me: Some(Sender { id: me.id, name: me.name }) };
                }
                Event::Chat(ChatEvent::Listed(listed)) => {
                    known.rooms.extend(listed.rooms);
                    known.people.extend(listed.people);
                    if more && !listed.more {
                        return Ok(known);
                    }
                    more = listed.more;
                }
                // The answer to the first ping is behind the welcome, which said whether more follows.
                Event::Link(LinkEvent::State(LinkState::Online { rtt_ms: Some(_), .. })) if !more => {
                    return Ok(known);
                }
                Event::Link(LinkEvent::State(LinkState::Waiting { why: reason, .. })) => why = Some(reason),
                Event::Link(LinkEvent::State(LinkState::Stopped { why })) => {
                    return Err(Failure::new(Exit::Refused, reason_of(server, &why)));
                }
                _ => {}
            }
        }
    });
    match listed.await {
        Ok(known) => Ok((follow, known?)),
        Err(_) => {
            let why = why.as_ref().map_or_else(|| "the server does not answer".to_owned(), print::reason);
            Err(Failure::new(Exit::TimedOut, why))
        }
    }
}

fn room_name(name: &str) -> Result<RoomName, Failure> {
    RoomName::new(name.trim()).map_err(|error| Failure::new(Exit::Failed, error.to_string()))
}

fn checked(topic: String) -> Result<String, Failure> {
    match topic.chars().count() <= MAX_TOPIC_CHARS {
        true => Ok(topic),
        false => Err(Failure::new(Exit::Failed, format!("a topic has at most {MAX_TOPIC_CHARS} characters"))),
    }
}

fn as_text(room: &NamedRoom) -> String {
    let state = match (room.info.archived, room.info.left) {
        (true, _) => "archived",
        (false, true) => "left",
        (false, false) if room.info.direct.is_some() => "direct",
        (false, false) if room.info.private => "private",
        (false, false) => "",
    };
    print::columns(&[(room.id.as_str(), 36), (state, 8), (room.name.as_str(), 0), (&room.info.topic, 0)])
}

fn as_json(room: &NamedRoom) -> String {
    let NamedRoom { id, name, info } = room;
    print::object(&json!({"id": id, "name": name, "topic": info.topic, "archived": info.archived,
        "private": info.private, "direct": info.direct, "member": !info.left}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_is_found_by_its_id_before_its_name_and_never_by_a_name_of_two() {
        let room =
            |id: &str, name: &str| NamedRoom::new(RoomId::new(id).unwrap(), RoomName::new(name).unwrap());
        let rooms = vec![room("a", "b"), room("b", "Lathes"), room("c", "Mills"), room("d", "Mills")];
        let known = ServerLists { rooms, ..ServerLists::default() };
        let found = |wanted: &str| known.room(wanted).map(|room| room.to_string()).map_err(|why| why.exit);
        assert_eq!(found("b").unwrap(), "b");
        assert_eq!(found("Lathes").unwrap(), "b");
        assert!(matches!(found("Mills"), Err(Exit::Failed)));
        assert!(matches!(found("Saws"), Err(Exit::Refused)));
    }
}
