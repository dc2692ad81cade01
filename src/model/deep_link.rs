//! [`DeepLink`]: `duplex://HOST[:PORT]/ROOM[/MESSAGE-ID]`, which the system hands to Duplex when a person opens it; and
//! the text of the links that are copied. An invite is such a link, too: `duplex://HOST[:PORT]/#invite=CODE`.

use percent_encoding::percent_decode_str;
use uuid::Uuid;

use super::address::{self, Address, BadAddress, DEFAULT_PORT, SOCKET_PATH};
use super::chat::Chat;
use super::id::{ConnectionId, Epoch, MessageId, RoomId};
use super::profile::{Profile, Protocol};
use super::publish::percent;
use super::reducer::{Connection, Model};

/// The scheme that the packages register.
pub const SCHEME: &str = "duplex";
/// Maximum length of a link, in bytes.
pub const MAX_LINK_BYTES: usize = 4_096;

/// A parsed link. All of it is untrusted input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeepLink {
    /// The server, with the invite to it if the link is one.
    pub address: Address,
    /// The address as [`Address::parse`] reads it, with all that an invite link has besides.
    pub address_text: String,
    /// The room, by its id or its name.
    pub room: Option<String>,
    /// The message in the room.
    pub message: Option<MessageId>,
    /// The server's log, by which a server is recognized at any of its addresses.
    pub log: Option<Epoch>,
}

/// Why a text is not a link.
#[derive(Copy, Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadLink {
    /// It does not begin with `duplex://`.
    #[error("a link begins with duplex://")]
    Scheme,
    /// Longer than [`MAX_LINK_BYTES`].
    #[error("the link is longer than {MAX_LINK_BYTES} bytes")]
    TooLong,
    /// The server's address is wrong.
    #[error(transparent)]
    Address(#[from] BadAddress),
    /// More than a room and a message.
    #[error("a link has a server, a room and a message: duplex://SERVER/ROOM/MESSAGE")]
    Path,
    /// The room is not valid UTF-8, or has more bytes than a room's id.
    #[error("the room in the link is not valid")]
    Room,
    /// The message is not a UUID.
    #[error("the message in the link is not valid")]
    Message,
}

/// The connection that a link leads to.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// This one.
    Known(ConnectionId),
    /// No connection leads to this server.
    Unknown,
    /// A server that only the computer on which the link was copied can reach.
    OtherComputer,
}

/// Whether a text has the scheme of a link.
pub fn is_link(text: &str) -> bool {
    scheme_removed(text).is_some()
}

fn scheme_removed(text: &str) -> Option<&str> {
    let (scheme, rest) = text.trim().split_once(':')?;
    scheme.eq_ignore_ascii_case(SCHEME).then_some(rest)
}

impl DeepLink {
    /// Parses a link. Without a port, it is [`DEFAULT_PORT`]. `?tls=off` means `ws://`; `?path=` is the path of the server's
    /// socket where it is not [`SOCKET_PATH`]; `?log=` is the server's log.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn parse(text: &str) -> Result<DeepLink, BadLink> {
        if text.len() > MAX_LINK_BYTES {
            return Err(BadLink::TooLong);
        }
        let rest = scheme_removed(text).and_then(|rest| rest.strip_prefix("//")).ok_or(BadLink::Scheme)?;
        let (rest, fragment) = rest.split_once('#').unwrap_or((rest, ""));
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = place.split_once('/').unwrap_or((place, ""));
        let field = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        let decoded = |text: &str| percent_decode_str(text).decode_utf8().ok().map(|text| text.into_owned());
        let socket_path = match field("path") {
            Some(path) => decoded(path).filter(|path| path.starts_with('/')).ok_or(BadLink::Path)?,
            None => SOCKET_PATH.to_owned(),
        };
        let mut bare = format!("{authority}{socket_path}");
        if !fragment.is_empty() {
            bare.push('#');
            bare.push_str(fragment);
        }
        let mut address = Address::parse(&bare)?;
        if let Some(rest) = address.url.strip_prefix("wss://").filter(|_| field("tls") == Some("off")) {
            address.url = format!("ws://{rest}");
        }
        address.url = without_usual_port(address.url);
        let address_text = match fragment {
            "" => address.url.clone(),
            fragment => format!("{}#{fragment}", address.url),
        };
        let mut segments = path.trim_end_matches('/').split('/').filter(|segment| !segment.is_empty());
        let room = segments.next().map(|room| {
            let room = decoded(room).filter(|room| RoomId::new(room.as_str()).is_ok());
            room.ok_or(BadLink::Room)
        });
        let message =
            segments.next().map(|id| Uuid::try_parse(id).map(MessageId).map_err(|_| BadLink::Message));
        if segments.next().is_some() {
            return Err(BadLink::Path);
        }
        let log = field("log").and_then(|log| Epoch::try_from(log.to_owned()).ok());
        Ok(DeepLink { address, address_text, room: room.transpose()?, message: message.transpose()?, log })
    }

    /// The server as people know it: host, and port unless it is [`DEFAULT_PORT`].
    pub fn place(&self) -> String {
        place_of(&self.address.url).unwrap_or_default().0
    }

    /// Finds the connection to the link's server: by the server's log, else by its address.
    pub fn destination(&self, model: &Model) -> Destination {
        let all = || model.connections.iter().filter(|(_, connection)| is_linkable(connection));
        if let Some(log) = self.log
            && let Some((id, _)) = all().find(|(_, connection)| connection.log_epoch == Some(log))
        {
            return Destination::Known(*id);
        }
        let wanted = key(&self.address.url);
        let is_there = |profile: &Profile| profile.urls.iter().any(|url| key(url) == wanted);
        let saved =
            all().find(|(id, connection)| **id != ConnectionId::OWN_HUB && is_there(&connection.profile));
        if let Some((id, _)) = saved {
            return Destination::Known(*id);
        }
        if !address::is_loopback(host_of(&self.address.url)) {
            return Destination::Unknown;
        }
        if self.log.is_some() {
            return Destination::OtherComputer;
        }
        // The own server has another port each time it starts, so that a link to it that a person wrote names none.
        let is_own = wanted.is_some_and(|(_, port, _)| port == DEFAULT_PORT) && self.address.invite.is_none();
        let own = model.connections.get_key_value(&ConnectionId::OWN_HUB).filter(|(_, own)| {
            is_own || own.profile.urls.iter().any(|url| key(url) == key(&self.address.url))
        });
        own.map_or(Destination::Unknown, |(id, _)| Destination::Known(*id))
    }

    /// The room that is meant, by its id or, so that people can write links, by its name.
    pub fn room_in(&self, chat: &Chat) -> Option<RoomId> {
        let wanted = self.room.as_deref()?;
        let by_id = RoomId::new(wanted).ok().filter(|id| chat.rooms.contains_key(id));
        by_id.or_else(|| {
            chat.rooms_by_name().find(|(_, room)| room.name.as_str() == wanted).map(|(id, _)| id.clone())
        })
    }
}

/// The link to a room, or to a message in it, for people to copy. `None` where nothing can be linked to: on a server of
/// another protocol, whose rooms and messages have no ids of its own, and before anything is known of the server.
pub fn link_to(
    model: &Model,
    connection: ConnectionId,
    room: &RoomId,
    message: Option<MessageId>,
) -> Option<String> {
    let known = model.connections.get(&connection).filter(|connection| is_linkable(connection))?;
    let url = match model.lan.opened().filter(|_| connection == ConnectionId::OWN_HUB) {
        Some(lan) => lan.url()?,
        None => known.profile.urls.first()?.clone(),
    };
    let (mut place, path) = place_of(&url)?;
    if connection == ConnectionId::OWN_HUB && address::is_loopback(host_of(&url)) {
        // Its port is another one after the next start: its log tells which server it is.
        place = "localhost".to_owned();
    }
    let mut link = format!("{SCHEME}://{place}/{}", percent(room.as_str()));
    if let Some(message) = message {
        link.push_str(&format!("/{message}"));
    }
    let mut fields = Vec::new();
    if url.starts_with("ws://") && !address::is_loopback(host_of(&url)) {
        fields.push("tls=off".to_owned());
    }
    if path != SOCKET_PATH {
        fields.push(format!("path={}", percent(&path)));
    }
    fields.extend(known.log_epoch.map(|epoch| format!("log={epoch}")));
    if !fields.is_empty() {
        link.push_str(&format!("?{}", fields.join("&")));
    }
    Some(link)
}

/// The `duplex://` form of an invite link, which the system opens with Duplex.
pub fn invite_link(link: &str) -> Option<String> {
    let (address, fragment) = link.split_once('#')?;
    let (place, path) = place_of(address)?;
    let mut fields = Vec::new();
    if address.starts_with("ws://") && !address::is_loopback(host_of(address)) {
        fields.push("tls=off".to_owned());
    }
    if path != SOCKET_PATH {
        fields.push(format!("path={}", percent(&path)));
    }
    let query = if fields.is_empty() { String::new() } else { format!("?{}", fields.join("&")) };
    Some(format!("{SCHEME}://{place}/{query}#{fragment}"))
}

fn is_linkable(connection: &Connection) -> bool {
    connection.profile.protocol == Protocol::Duplex && !connection.chat.is_local
}

fn host_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    match authority.rfind(':') {
        Some(colon) if !authority[colon..].contains(']') => &authority[..colon],
        _ => authority,
    }
}

/// A URL without the port that its scheme has anyway.
fn without_usual_port(url: String) -> String {
    let usual = if url.starts_with("ws://") { ":80/" } else { ":443/" };
    let end = url.find("://").map_or(0, |scheme| scheme + 3) + host_of(&url).len();
    match url.get(end..).and_then(|rest| rest.strip_prefix(usual)) {
        Some(rest) => format!("{}/{rest}", &url[..end]),
        None => url,
    }
}

/// Host and port as a link has them, and the path.
fn place_of(url: &str) -> Option<(String, String)> {
    let (host, port, path) = key(url)?;
    let port = if port == DEFAULT_PORT { String::new() } else { format!(":{port}") };
    Some((format!("{host}{port}"), path))
}

/// Host, port and path of a URL, for comparison.
fn key(url: &str) -> Option<(String, u16, String)> {
    let (scheme, rest) = url.split_once("://")?;
    let host = host_of(url);
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let port = match rest[..end].strip_prefix(host)?.strip_prefix(':').filter(|port| !port.is_empty()) {
        Some(port) => port.parse().ok()?,
        None if scheme.eq_ignore_ascii_case("ws") => 80,
        None => 443,
    };
    let path = if end < rest.len() { &rest[end..] } else { "/" };
    Some((host.to_ascii_lowercase(), port, path.split('#').next().unwrap_or(path).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::event::{ChatEvent, Event, LogKind, LogRestart, SetupUpdate, Update};
    use crate::model::id::Offset;
    use crate::model::profile::Secret;
    use crate::model::time::BootMs;
    use crate::model::time::Time;
    use crate::model::time::WallMs;
    use crate::model::{Lan, LanOpen};

    #[test]
    fn the_packages_register_this_scheme() {
        let cargo = include_str!("../../Cargo.toml");
        assert!(cargo.contains(&format!("\nlink-scheme = \"{SCHEME}\"\n")));
    }

    const NOW: Time = Time { boot_ms: BootMs(0), wall_ms: WallMs(0) };

    fn model(connections: &[(u64, &str, u64)]) -> Model {
        let mut model = Model::default();
        for (id, url, epoch) in connections {
            let id = ConnectionId(*id);
            let profile = Profile {
                id,
                name: String::new(),
                urls: vec![(*url).to_owned()],
                protocol: Protocol::Duplex,
                socket: Default::default(),
                route: Default::default(),
                ca_file: None,
                fingerprint: None,
                auto_connect: true,
                websocket: Default::default(),
                network: Default::default(),
            };
            model.apply(NOW, Update::Setup(SetupUpdate::Configured(Box::new(profile))));
            let epoch = Epoch(*epoch);
            let started = ChatEvent::LogStarted { epoch, from: Offset(1), why: LogRestart::First };
            model.apply(NOW, Update::Connection(id, Event::Chat(started)));
        }
        model
    }

    fn room(name: &str) -> RoomId {
        RoomId::new(name).unwrap()
    }

    #[test]
    fn a_link_that_is_copied_leads_back_to_where_it_was_copied() {
        let message = MessageId(Uuid::from_u128(7));
        for url in [
            "wss://hub.example:7870/v1/socket",
            "wss://hub.example/v1/socket",
            "ws://hub.example:9000/v1/socket",
            "ws://hub.example/v1/socket",
            "ws://127.0.0.1:9000/v1/socket",
            "wss://[fe80::1%25eth0]:1/v1/socket",
            "wss://hub.example:1/behind/a%20proxy/v1/socket?x=1&y=2",
        ] {
            let model = model(&[(3, "wss://other.example/v1/socket", 1), (4, url, 2)]);
            for name in ["general", "한국 어/?#%&=", "0b5e"] {
                let text = link_to(&model, ConnectionId(4), &room(name), Some(message)).unwrap();
                let link = DeepLink::parse(&text).unwrap_or_else(|bad| panic!("{text}: {bad}"));
                assert_eq!(link.room.as_deref(), Some(name), "{text}");
                assert_eq!((link.message, link.log), (Some(message), Some(Epoch(2))), "{text}");
                assert_eq!(link.destination(&model), Destination::Known(ConnectionId(4)), "{text}");
                let by_address = DeepLink { log: None, ..link };
                assert_eq!(by_address.destination(&model), Destination::Known(ConnectionId(4)), "{text}");
            }
        }
        let model = model(&[(4, "wss://hub.example:7870/v1/socket", 2)]);
        let text = link_to(&model, ConnectionId(4), &room("general"), None).unwrap();
        assert_eq!(text, "duplex://hub.example/general?log=0000000000000002");
    }

    #[test]
    fn a_server_is_recognized_at_another_address_by_its_log() {
        let model = model(&[(3, "wss://10.0.0.7:7870/v1/socket", 5)]);
        let to = |text: &str| DeepLink::parse(text).unwrap().destination(&model);
        assert_eq!(to("duplex://hub.example/x?log=0000000000000005"), Destination::Known(ConnectionId(3)));
        assert_eq!(to("duplex://hub.example/x?log=0000000000000006"), Destination::Unknown);
        assert_eq!(to("duplex://10.0.0.7/x"), Destination::Known(ConnectionId(3)));
        assert_eq!(to("DUPLEX://10.0.0.7:7870/"), Destination::Known(ConnectionId(3)));
        assert_eq!(to("duplex://10.0.0.7:7871/x"), Destination::Unknown);
    }

    #[test]
    fn the_own_server_is_found_by_its_log_whatever_its_port() {
        let mut own = model(&[(1, "ws://127.0.0.1:40123/v1/socket", 9)]);
        let text = link_to(&own, ConnectionId::OWN_HUB, &room("general"), None).unwrap();
        assert_eq!(text, "duplex://localhost/general?log=0000000000000009");
        let link = DeepLink::parse(&text).unwrap();
        assert_eq!(link.destination(&own), Destination::Known(ConnectionId::OWN_HUB));
        // Somebody else's own server is not ours.
        let theirs = model(&[(1, "ws://127.0.0.1:40123/v1/socket", 10)]);
        assert_eq!(link.destination(&theirs), Destination::OtherComputer);
        // Without a log a person wrote it.
        let written = DeepLink::parse("duplex://localhost/general").unwrap();
        assert_eq!(written.destination(&theirs), Destination::Known(ConnectionId::OWN_HUB));
        for other in ["duplex://127.0.0.1:9000/general", "duplex://127.0.0.1/#invite=ABC"] {
            assert_eq!(DeepLink::parse(other).unwrap().destination(&own), Destination::Unknown, "{other}");
        }
        let itself = DeepLink::parse("duplex://127.0.0.1:40123/general").unwrap();
        assert_eq!(itself.destination(&own), Destination::Known(ConnectionId::OWN_HUB));
        own.lan = Lan::Open(LanOpen {
            port: 7870,
            addresses: vec!["192.168.1.7".parse().unwrap()],
            host: String::new(),
            name: String::new(),
            fingerprint: String::new(),
            public_key_pin: String::new(),
            visits: 0,
            visitors: 0,
            not_announced: None,
        });
        let text = link_to(&own, ConnectionId::OWN_HUB, &room("general"), None).unwrap();
        assert_eq!(text, "duplex://192.168.1.7/general?log=0000000000000009");
    }

    #[test]
    fn an_invite_keeps_all_that_it_says_in_either_form() {
        for invite in [
            "wss://hub.example:7870/v1/socket#invite=ABC&sha256=0f&at=10.0.0.3&name=Work%20shop",
            "wss://hub.example/x/v1/socket#invite=ABC",
            "ws://10.0.0.3:1/v1/socket#invite=ABC",
        ] {
            let invite = invite.replace("0f", &"0f".repeat(32));
            let link = DeepLink::parse(&invite_link(&invite).unwrap()).unwrap();
            assert_eq!(link.address_text, invite);
            assert_eq!(link.address, Address::parse(&invite).unwrap());
            assert_eq!(link.address.invite, Some(Secret::new("ABC")));
            assert_eq!((link.room, link.message), (None, None));
        }
    }

    #[test]
    fn what_is_not_a_link_is_refused_with_the_reason() {
        let long = format!("duplex://hub.example/{}", "x".repeat(MAX_LINK_BYTES));
        for (text, bad) in [
            ("https://hub.example/general", BadLink::Scheme),
            ("duplex:hub.example", BadLink::Scheme),
            ("duplex", BadLink::Scheme),
            (long.as_str(), BadLink::TooLong),
            ("duplex://", BadLink::Address(BadAddress::NoUrl)),
            ("duplex:///general", BadLink::Address(BadAddress::NoUrl)),
            ("duplex://me:pw@hub.example/x", BadLink::Address(BadAddress::Userinfo)),
            ("duplex://hub.example:99999/x", BadLink::Address(BadAddress::Port)),
            ("duplex://hub example/x", BadLink::Address(BadAddress::Space)),
            ("duplex://hub.example/#invite=", BadLink::Address(BadAddress::Invite)),
            ("duplex://hub.example/x?path=y", BadLink::Path),
            ("duplex://hub.example/a/0b5e0000-0000-4000-8000-000000000000/c", BadLink::Path),
            ("duplex://hub.example/%FF", BadLink::Room),
            ("duplex://hub.example/a%0Ab", BadLink::Room),
            ("duplex://hub.example/a/b", BadLink::Message),
        ] {
            assert_eq!(DeepLink::parse(text), Err(bad), "{text}");
        }
    }

    #[test]
    fn rooms_are_found_by_id_and_by_name() {
        let mut model = model(&[(3, "wss://hub.example:7870/v1/socket", 5)]);
        let connection = model.connections.get_mut(&ConnectionId(3)).unwrap();
        let mut named = crate::model::NamedRoom::from(room("0b5e0000"));
        named.name = crate::model::RoomName::new("새 방").unwrap();
        let me = crate::model::Principal {
            id: crate::model::PrincipalId("me".into()),
            kind: crate::model::PrincipalKind::Person,
            name: "me".into(),
            role: None,
        };
        connection.chat.welcomed(
            me,
            LogKind::Server { head: Offset(0), next: Offset(1) },
            Vec::new(),
            &[named],
        );
        let find = |text: &str| DeepLink::parse(text).unwrap().room_in(&connection.chat);
        assert_eq!(find("duplex://hub.example/0b5e0000"), Some(room("0b5e0000")));
        assert_eq!(find("duplex://hub.example/%EC%83%88%20%EB%B0%A9"), Some(room("0b5e0000")));
        assert_eq!(find("duplex://hub.example/새%20방/"), Some(room("0b5e0000")));
        assert_eq!(find("duplex://hub.example/nowhere"), None);
        assert_eq!(find("duplex://hub.example"), None);
    }
}
