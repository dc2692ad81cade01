//! What is recognized on servers as people run them, by nothing but the shapes of what they send: who said what, who came and went,
//! what is a reading. Each line is an event of one server, in order, with what a person sees of it.
#![allow(clippy::panic, reason = "a test that fails should say so at once")]

use duplex::mapping::{Found, Incoming, Mapping, Recognizer, RoomKey, Said, Typed, Who, socket};
use duplex::model::time::WallMs;
use serde_json::{Value, json};

const SHAPES: &str =
    concat!("\n", include_str!("data/chat/shapes.txt"), "\n", include_str!("data/chat/servers.txt"));

fn person(who: &Who) -> String {
    match (&who.id, &who.name) {
        (Some(id), Some(name)) => format!("{name}({id})"),
        _ => who.title().to_owned(),
    }
}

fn place(room: &Option<RoomKey>) -> String {
    match room {
        Some(RoomKey { key, name: Some(name) }) => format!("[{key}={name}] "),
        Some(RoomKey { key, name: None }) => format!("[{key}] "),
        None => String::new(),
    }
}

/// What was found, in short: `jun: hi`, `* notice`, `+ jun`, `- jun`, `… jun`.
fn short(found: &Found) -> String {
    match found {
        Found::Message(Said { who, room, text, id, mine, old, .. }) => {
            let who = who.as_ref().map(|who| person(who) + ": ").unwrap_or_default();
            let id = id.as_ref().map(|id| format!(" #{id}")).unwrap_or_default();
            let mine = match mine {
                Some(true) => "(mine) ",
                _ => "",
            };
            let old = if *old { "(old) " } else { "" };
            format!("{}{old}{mine}{who}{text}{id}", place(room))
        }
        Found::Wordless { who, room } => {
            format!("{}{}: ?", place(room), who.as_ref().map(person).unwrap_or_default())
        }
        Found::Notice { room, text } => format!("{}* {text}", place(room)),
        Found::Joined { room, who } => format!("{}+ {}", place(room), person(who)),
        Found::Left { room, who } => format!("{}- {}", place(room), person(who)),
        Found::Typing { room, who, on } => {
            let dots = if *on { "…" } else { "." };
            format!("{}{dots} {}", place(room), who.as_ref().map(person).unwrap_or_default())
                .trim_end()
                .to_owned()
        }
        Found::People { room, people } => {
            let each = people.iter().map(|(who, online)| person(who) + if *online { "" } else { "?" });
            format!("{}people {}", place(room), each.collect::<Vec<_>>().join(" "))
        }
        Found::Me(who) => format!("me {}", person(who)),
        Found::Readings(measured) => {
            let each = measured.values.iter().map(|(metric, value, unit)| {
                format!("{metric}={}{unit}", serde_json::to_string(value).unwrap_or_default())
            });
            format!("{}: {}", measured.device, each.collect::<Vec<_>>().join(" "))
        }
        Found::Unmapped => "?".to_owned(),
    }
}

struct Server(Recognizer);

impl Server {
    fn new() -> Self {
        Server(Recognizer::new(Mapping::default()))
    }

    fn named(name: &str) -> Self {
        Server(Recognizer::new(Mapping { name: name.to_owned(), ..Mapping::default() }))
    }

    /// What is seen of an event with its arguments, which is JSON of a list.
    fn sees(&mut self, source: &str, args: Value) -> Vec<String> {
        let Value::Array(args) = args else { panic!("arguments are a list") };
        self.0.recognize(&Incoming { source, args: &args }).iter().map(short).collect()
    }

    fn types(&mut self, text: &str) -> (String, Value) {
        let sent = self.0.send(&Typed { text, room: "", id: "", at: WallMs(0) });
        (sent.to, Value::Array(sent.args))
    }

    /// Checks a list of events.
    fn shows(&mut self, events: &[(&str, Value, &[&str])]) {
        for (source, args, expected) in events {
            assert_eq!(self.sees(source, args.clone()), *expected, "{source} {args}");
        }
    }
}

#[test]
fn the_chat_example_of_socket_io() {
    let mut server = Server::named("mina");
    server.shows(&[
        ("login", json!([{"numUsers": 2, "userNames": ["mina", "jun"]}]), &["people mina jun"]),
        ("new message", json!([{"username": "jun", "message": "hi"}]), &["jun: hi"]),
        (
            "user joined",
            json!([{"username": "kim", "numUsers": 2, "userNames": ["mina", "kim"]}]),
            &["people mina kim", "+ kim"],
        ),
        ("user left", json!([{"username": "jun", "numUsers": 1}]), &["- jun"]),
        ("typing", json!([{"username": "jun"}]), &["… jun"]),
        ("stop typing", json!([{"username": "jun"}]), &[". jun"]),
    ]);
    assert_eq!(server.types("hello"), ("new message".to_owned(), json!(["hello"])));
}

#[test]
fn a_bare_text_is_a_message_of_nobody() {
    let mut server = Server::new();
    assert_eq!(server.types("hello"), ("chat-message".to_owned(), json!(["hello"])));
    server.shows(&[
        ("chat message", json!(["hello"]), &["hello"]),
        ("chat message", json!(["note: buy milk"]), &["note: buy milk"]),
    ]);
    assert_eq!(server.types("hello"), ("chat message".to_owned(), json!(["hello"])));
}

#[test]
fn private_messages_with_what_was_said_before() {
    let mut server = Server::named("mina");
    server.shows(&[
        ("session", json!([{"sessionID": "a1b2c3d4e5f60718", "userID": "c1c2c3d4e5f60718"}]), &["me c1c2c3d4e5f60718"]),
        (
            "users",
            json!([[{"userID": "b1b2c3d4e5f60718", "username": "jun", "connected": true,
                     "messages": [{"content": "old", "from": "b1b2c3d4e5f60718", "to": "c1c2c3d4e5f60718"}]}]]),
            &["people jun(b1b2c3d4e5f60718)", "[b1b2c3d4e5f60718=jun] (old) jun(b1b2c3d4e5f60718): old"],
        ),
        ("user connected", json!([{"userID": "d1", "username": "kim", "connected": true, "messages": []}]), &["+ kim(d1)"]),
        (
            "private message",
            json!([{"content": "hi", "from": "b1b2c3d4e5f60718", "to": "c1c2c3d4e5f60718"}]),
            &["[b1b2c3d4e5f60718=jun] jun(b1b2c3d4e5f60718): hi"],
        ),
        (
            "private message",
            json!([{"content": "mine", "from": "c1c2c3d4e5f60718", "to": "b1b2c3d4e5f60718"}]),
            &["[b1b2c3d4e5f60718=jun] c1c2c3d4e5f60718: mine"],
        ),
        ("user disconnected", json!(["b1b2c3d4e5f60718"]), &["- jun(b1b2c3d4e5f60718)"]),
    ]);
}

#[test]
fn a_time_without_a_date_says_nothing_and_earlier_messages_are_told_as_such() {
    let mut server = Server::new();
    server.shows(&[
        ("previousMessages", json!([[{"username": "jun", "text": "old", "time": "3:04 pm"}]]), &["(old) jun: old"]),
        ("message", json!([{"username": "ChatCord Bot", "text": "Welcome to ChatCord!", "time": "3:05 pm"}]), &["ChatCord Bot: Welcome to ChatCord!"]),
        ("message", json!([{"username": "jun", "text": "hi", "time": "3:05 pm"}]), &["jun: hi"]),
        ("roomUsers", json!([{"room": "JavaScript", "users": [{"id": "sock1", "username": "mina", "room": "JavaScript"}]}]), &["[JavaScript] people mina(sock1)"]),
    ]);
}

#[test]
fn a_message_names_its_room_by_text_or_number() {
    let mut server = Server::new();
    server.shows(&[
        ("new_message", json!([{"room": "MAH01", "message": "Hello world"}]), &["[MAH01] Hello world"]),
        ("user_joined", json!([{"username": "jun"}]), &["+ jun"]),
    ]);
    let sent = server.0.send(&Typed { text: "hi", room: "MAH01", id: "", at: WallMs(0) });
    assert_eq!(
        (sent.to.as_str(), json!(sent.args)),
        ("new_message", json!([{"room": "MAH01", "message": "hi"}]))
    );
    let mut server = Server::named("mina");
    server.shows(&[(
        "/topic/cobong/mina",
        json!([{"chatRoomId": 7, "sender": "jun", "receiver": "mina", "message": "hi"}]),
        &["[7] jun: hi"],
    )]);
}

#[test]
fn a_server_says_whose_a_message_is() {
    let mut server = Server::new();
    server.shows(&[
        ("message", json!([{"type": "chat", "text": "hello", "self": true}]), &["(mine) hello"]),
        ("message", json!([{"type": "chat", "text": "hi", "self": false}]), &["hi"]),
        (
            "message",
            json!([{"type": "system", "text": "A stranger joined the chat"}]),
            &["* A stranger joined the chat"],
        ),
        ("typing", json!([]), &["…"]),
    ]);
}

#[test]
fn sent_and_received_events_have_different_names() {
    let mut server = Server::new();
    server.shows(&[("receive_message", json!([{"username": "jun", "message": "hi"}]), &["jun: hi"])]);
    assert_eq!(server.types("hello"), ("send_message".to_owned(), json!(["hello"])));
}

#[test]
fn a_name_before_a_colon() {
    let mut server = Server::new();
    server.shows(&[
        ("status", json!([{"msg": "jun has entered the room."}]), &["* jun has entered the room."]),
        ("message", json!([{"msg": "jun:hi"}]), &["jun: hi"]),
        ("message", json!([{"msg": "jun: see 10:30"}]), &["jun: see 10:30"]),
        ("message", json!([{"msg": "http://x"}]), &["http://x"]),
    ]);
    // Our own message that comes back with a name shows how this server writes.
    let mut server = Server::new();
    server.types("hello there");
    server.shows(&[
        ("chat message", json!(["mina: hello there"]), &["mina: hello there"]),
        ("chat message", json!(["jun: hi"]), &["jun: hi"]),
    ]);
}

#[test]
fn text_and_name_in_either_order() {
    let mut server = Server::new();
    server.shows(&[
        ("chat", json!(["hi", "jun"]), &["jun: hi"]),
        ("chat", json!(["hi", "Kim Jun"]), &["Kim Jun: hi"]),
        ("chat", json!(["see you tomorrow at ten", "jun"]), &["jun: see you tomorrow at ten"]),
        ("chat", json!(["hi", "jun", "Lathes"]), &["[Lathes] jun: hi"]),
        ("chat", json!(["hi", "jun", "2026-01-02T03:04:05Z"]), &["jun: hi"]),
        ("chat", json!(["jun", {"text": "hi"}]), &["jun: hi"]),
        ("chat", json!([{"text": "hi"}, "jun"]), &["jun: hi"]),
    ]);
    let mut server = Server::new();
    server.shows(&[
        ("user joined", json!(["jun"]), &["+ jun"]),
        ("chat", json!(["jun", "hi"]), &["jun: hi"]),
        ("chat", json!(["kim", "ok"]), &["kim: ok"]),
    ]);
    // What we typed is the text.
    let mut server = Server::new();
    server.types("hello");
    server.shows(&[
        ("msg", json!(["mina", "hello"]), &["mina: hello"]),
        ("msg", json!(["jun", "ok"]), &["jun: ok"]),
    ]);
}

#[test]
fn stomp_bodies() {
    let mut server = Server::new();
    server.shows(&[
        ("/topic/greetings", json!([{"content": "Hello, &lt;b&gt;!"}]), &["Hello, &lt;b&gt;!"]),
        ("/channel/public", json!([{"type": "CHAT", "content": "hi", "sender": "jun"}]), &["jun: hi"]),
        ("/channel/public", json!([{"type": "JOIN", "content": null, "sender": "jun"}]), &["+ jun"]),
        ("/channel/public", json!([{"type": "LEAVE", "content": null, "sender": "jun"}]), &["- jun"]),
        ("/topic/public", json!([{"sender": "jun", "content": "hi"}]), &["jun: hi"]),
        ("/topic/chat/room 1", json!([{"sender": "jun", "message": "hi"}]), &["jun: hi"]),
        ("/user/1/queue/messages", json!([{"id": "m1", "senderId": "u2", "senderName": "jun"}]), &["jun(u2): ?"]),
        ("/topic/tracker", json!([{"sessionId": "s1", "userLogin": "jun", "ipAddress": "192.0.2.7", "page": "/admin", "time": "2020-06-17T10:00:00Z"}]), &["?"]),
        ("/queue/shed", json!(["plain text"]), &["plain text"]),
        ("/topic/chat", json!(["{\"user\":\"jun\",\"text\":\"hi\"}"]), &["jun: hi"]),
    ]);
}

#[test]
fn numbers_and_flags_are_readings() {
    let mut server = Server::new();
    server.shows(&[
        ("sensor", json!([{"device": "shed", "temperature": 21.5}]), &["shed: temperature=21.5"]),
        ("temperature", json!([21.5]), &["server: temperature=21.5"]),
        (
            "telemetry",
            json!([[{"device": "a", "v": 1}, {"device": "b", "v": 2}]]),
            &["a: telemetry=1", "b: telemetry=2"],
        ),
        ("status", json!([{"device": "pump", "running": true}]), &["pump: running=true"]),
        ("message", json!([{"device": "shed", "temperature": 21.5}]), &["shed: temperature=21.5"]),
        (
            "reading",
            json!([{"sensor": "shed", "type": "humidity", "value": 40, "unit": "%"}]),
            &["shed: humidity=40%"],
        ),
    ]);
}

#[test]
fn many_spellings_of_the_same() {
    let mut server = Server::new();
    for (source, args) in [
        ("chat-message", json!([{"user": "jun", "text": "hi"}])),
        ("chatMessage", json!([{"from": "jun", "msg": "hi"}])),
        ("msg", json!([{"name": "jun", "message": "hi"}])),
        ("broadcast", json!([{"nickname": "jun", "content": "hi"}])),
        ("message", json!([{"sender": {"name": "jun"}, "body": "hi"}])),
        ("message", json!([{"author": "jun", "message": {"text": "hi"}}])),
        ("event", json!([{"type": "message", "payload": {"user": "jun", "text": "hi"}}])),
        ("update", json!([{"handle": "jun", "message": "hi"}])),
        ("message", json!([{"event": "chat", "data": {"username": "jun", "message": "hi"}}])),
        ("chat:message", json!([{"user_name": "jun", "chat_message": "hi"}])),
        ("채팅", json!([{"닉네임": "jun", "내용": "hi"}])),
        ("message", json!([{"이름": "jun", "메시지": "hi"}])),
    ] {
        assert_eq!(server.sees(source, args.clone()), ["jun: hi"], "{source} {args}");
    }
}

#[test]
fn lists_of_people_in_many_forms() {
    let mut server = Server::new();
    for (source, args) in [
        ("users", json!([["mina", "jun"]])),
        ("user list", json!([[{"name": "mina"}, {"name": "jun"}]])),
        ("onlineUsers", json!([{"users": ["mina", "jun"]}])),
        ("update users", json!([{"a": "mina", "b": "jun"}])),
        ("users", json!([[["a", "mina"], ["b", "jun"]]])),
        ("members", json!([{"a": {"username": "mina"}, "b": {"username": "jun"}}])),
    ] {
        let found = server.sees(source, args.clone());
        assert!(
            found.len() == 1 && found[0].starts_with("people mina") && found[0].contains(" jun"),
            "{args}: {found:?}"
        );
    }
    assert_eq!(server.sees("users", json!([[{"name": "mina", "online": false}]])), ["people mina?"]);
}

#[test]
fn nothing_that_a_server_sends_breaks_it() {
    let mut server = Server::new();
    let mut deep = json!("x");
    for _ in 0..100 {
        deep = json!({"message": [deep.clone()], "data": {"x": deep}});
        if deep.to_string().len() > 10_000 {
            break;
        }
    }
    let values = [
        json!(null),
        json!(true),
        json!(1e308),
        json!(""),
        json!(" "),
        json!([]),
        json!({}),
        json!([[]]),
        json!([null]),
        json!({"": ""}),
        json!(":"),
        json!("a:"),
        json!("<>"),
        json!("[]"),
        json!("{}"),
        json!("\u{0}"),
        json!({"text": {}}),
        json!({"users": {}}),
        json!({"messages": [1, null, {}]}),
        deep,
        json!("x".repeat(100_000)),
    ];
    for source in [
        "",
        " ",
        "message",
        "users",
        "history",
        "typing",
        "joined",
        "left",
        "session",
        "status",
        "ping",
        "x/y",
        "ünïcode",
    ] {
        for first in &values {
            server.sees(source, json!([first]));
            for second in &values {
                server.sees(source, json!([first, second]));
            }
        }
    }
}

#[test]
fn the_example_of_the_page_is_a_mapping() {
    let page = include_str!("../src/mapping/MAPPING.md");
    let example = page.split("```json").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let mapping = Mapping::parse(example).unwrap();
    let mut recognizer = Recognizer::new(mapping);
    assert_eq!(recognizer.join()[0].args, [json!({"user": "mina", "room": "lathes"})]);
    let args = [json!({"what": "hi", "by": {"name": "jun", "id": 7}, "room": "lathes"})];
    let found = recognizer.recognize(&Incoming { source: "said", args: &args });
    assert_eq!(found.iter().map(short).collect::<Vec<_>>(), ["[lathes] jun(7): hi"]);
    let found = recognizer.recognize(&Incoming { source: "probe.shed", args: &[json!(21)] });
    assert_eq!(found.iter().map(short).collect::<Vec<_>>(), ["shed: probe=21°C"]);
}

/// A server of a file: `= WHO [me=NAME] [socket]` and the lines below.
struct Scripted {
    server: Server,
    is_socket: bool,
}

impl Scripted {
    fn new(header: &str) -> Self {
        let name =
            header.split_once(" me=").map_or("", |(_, rest)| rest.split(" ").next().unwrap_or_default());
        let is_socket = header.ends_with(" socket");
        let mapping = Mapping { name: name.to_owned(), ..Mapping::default() };
        let server = match is_socket {
            true => Server(Recognizer::of_socket(mapping)),
            false => Server(Recognizer::new(mapping)),
        };
        Scripted { server, is_socket }
    }

    /// What a person sees of an event; after `>`, what becomes of words that they type, in a room if one is named.
    fn line(&mut self, source: &str, args: Value) -> String {
        match (source, self.is_socket) {
            (">", _) => {
                let word = |place: usize| args[place].as_str().unwrap_or_default();
                let typed = Typed { text: word(0), room: word(1), id: "", at: WallMs(0) };
                let sent = self.server.0.send(&typed);
                let to = if self.is_socket { String::new() } else { sent.to + " " };
                to + &Value::Array(sent.args).to_string()
            }
            ("", true) => {
                let named = socket::source(&args[0]).to_owned();
                self.server.sees(&named, args).join(" | ")
            }
            _ => self.server.sees(source, args).join(" | "),
        }
    }
}

#[test]
fn events_of_further_servers_are_shown_as_a_person_expects() {
    let (mut faults, mut count) = (Vec::new(), 0);
    for part in SHAPES.split("\n= ").skip(1) {
        let (who, lines) = part.split_once('\n').unwrap();
        let mut server = Scripted::new(who);
        for line in lines.lines().filter(|line| !line.is_empty() && !line.starts_with("//")) {
            let parts: Vec<&str> = line.split('\t').collect();
            let [source, args, expected] = parts[..] else { panic!("{line}") };
            let found = server.line(source, serde_json::from_str(args).unwrap());
            count += 1;
            if found != expected {
                faults.push(format!("{who}: {source} {args}\n    {found}, not {expected}"));
            }
        }
    }
    assert!(count > 150, "{count}");
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}
