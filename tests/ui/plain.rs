//! Plain WebSockets in the window: setting one up, what its room shows, and what is sent.

use duplex::model::content::{Content, Extra};
use duplex::model::event::{
    ChatEvent, ChoicesUpdate, Event, LinkEvent, LogKind, Reached, SetupUpdate, TestOutcome, Update,
};
use duplex::model::id::{ConnectionId, MessageId, Offset};
use duplex::model::intent::{ChatIntent, Credential, Intent, LinkIntent};
use duplex::model::link_state::{Closing, LinkState, Why};
use duplex::model::message::Delivery;
use duplex::model::profile::{FrameFormat, Login, NewerProfile, Protocol, Secret, Snippet, WebSocketOptions};
use duplex::model::samples::Sample;
use duplex::model::socket_row;
use duplex::model::{Draft, Entry, Feature, Features, LanguageChoice, Preferences, RoomId};
use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::kittest::{NodeT, Queryable};

use crate::support::{CONNECTION, Window, me, sender};

/// A window on a plain WebSocket.
fn plain() -> Window {
    sized(1_100.0, 720.0)
}

fn sized(width: f32, height: f32) -> Window {
    let mut window = Window::begun(width, height, Default::default(), &[]);
    window.configure(|profile| {
        profile.protocol = Protocol::WebSocket;
        profile.urls = vec!["ws://127.0.0.1:9000/".into()];
    });
    let now = window.now().wall_ms;
    window.event(Event::Link(LinkEvent::Welcomed {
        me: me(),
        server: "127.0.0.1:9000".into(),
        log: LogKind::Local,
        now,
        people: vec![],
        rooms: vec![RoomId::messages().into()],
        features: Features::new([Feature::Frames.word()]),
    }));
    window.intents();
    window
}

fn entry(window: &Window, offset: u64, by: &str, content: Content) -> Entry {
    let mut bytes = [9; 16];
    bytes[..8].copy_from_slice(&offset.to_be_bytes());
    let at = window.now().wall_ms;
    let draft = Draft { id: MessageId::from_random(bytes), room: RoomId::messages(), content, at };
    Entry { draft, offset: Offset(offset), sender: sender(by), received: at }
}

fn came(window: &mut Window, offset: u64, by: &str, content: Content) {
    let entries = vec![entry(window, offset, by, content)];
    window.event(Event::Chat(ChatEvent::Entries { entries, live: true }));
}

fn socket(json: &str) -> Content {
    Content::Text { body: "in English".into(), extra: Extra::from_json(json) }
}

fn bytes(digits: &str) -> Content {
    Content::Text { body: digits.into(), extra: socket_row::binary() }
}

fn speak_korean(window: &mut Window) {
    window.update(Update::Choices(ChoicesUpdate::Preferences(Preferences {
        language: LanguageChoice::Korean,
        ..Preferences::default()
    })));
}

#[test]
fn a_connection_is_set_up_with_all_that_a_handshake_may_need() {
    let mut window = Window::online();
    window.click("Add connection");
    window.click("Plain WebSocket");
    assert!(window.harness.query_by_label("Token").is_none());
    window.fill("Server URL", "ws://me:p%40ss@127.0.0.1:9000?x=1,2");
    let address = window.harness.get_by_label("Server URL").value().unwrap_or_default();
    assert_eq!(address, "ws://127.0.0.1:9000?x=1,2", "no password is shown or kept");
    assert_eq!(window.harness.get_by_label("User name").value().as_deref(), Some("me"));
    window.click("Add header");
    window.fill("Name of header 1", "X-Api-Key");
    window.fill("Value of header 1", "k3y");
    for secret in ["Password", "Value of header 1"] {
        let field = window.harness.get_by_label(secret);
        assert_eq!(field.accesskit_node().role(), Role::PasswordInput, "{secret}");
        assert!(!field.value().unwrap_or_default().contains("k3y"));
    }
    window.harness.get_by_label_contains("never shown");
    window.fill("Subprotocols", "v12.stomp, mqtt");
    window.click("Reconnect when the connection ends");
    window.check_names();
    window.click("Save");
    let (profile, credential) = window.saved();
    assert_eq!(profile.protocol, Protocol::WebSocket);
    assert_eq!(profile.urls, ["ws://127.0.0.1:9000/?x=1,2"]);
    let expected = WebSocketOptions {
        subprotocols: vec!["v12.stomp".into(), "mqtt".into()],
        headers: vec!["X-Api-Key".into()],
        user: "me".into(),
        reconnect: false,
        ..Default::default()
    };
    assert_eq!(profile.websocket, expected);
    let login = Login {
        password: Some(Secret::new("p@ss")),
        headers: vec![("X-Api-Key".into(), Secret::new("k3y"))],
        auth: None,
    };
    assert_eq!(credential, Credential::Login(login));
}

#[test]
fn what_no_handshake_can_have_is_said_where_it_is_typed() {
    let mut window = Window::online();
    window.click("Add connection");
    window.click("Plain WebSocket");
    window.fill("Server URL", "ws://127.0.0.1:9000/#x");
    window.harness.get_by_label_contains("Remove the part from # on");
    window.fill("Server URL", "ws://127.0.0.1:9000");
    window.click("Add header");
    window.fill("Name of header 1", "Host");
    window.fill("Value of header 1", "x");
    window.harness.get_by_label_contains("Duplex sets the header Host itself");
    window.fill("Name of header 1", "a b");
    window.harness.get_by_label_contains("isn't a header name");
    window.click("Save");
    assert!(window.intents().is_empty(), "it cannot be saved so");
    window.click("Remove header 1");
    window.fill("Subprotocols", "a b");
    window.harness.get_by_label_contains("isn't a subprotocol");
    window.fill("Subprotocols", "x");
    window.key(Key::Backspace);
    window.click("Save");
    assert_eq!(window.saved().1, Credential::Login(Login::default()));
}

#[test]
fn an_edit_keeps_the_secrets_that_are_not_typed_anew() {
    let mut window = plain();
    window.configure(|profile| {
        profile.websocket.user = "me".into();
        profile.websocket.headers = vec!["X-Api-Key".into()];
    });
    window.click("More for Home");
    window.click("Edit connection");
    window.fill("Name", "Echo");
    window.click("Save");
    assert_eq!(window.saved().1, Credential::Keep);
    window.click("More for Home");
    window.click("Edit connection");
    window.click("Add header");
    window.fill("Name of header 2", "Cookie");
    window.fill("Value of header 2", "a=b");
    window.click("Save");
    let (profile, credential) = window.saved();
    assert_eq!(profile.websocket.headers, ["X-Api-Key", "Cookie"]);
    let headers = vec![("Cookie".to_owned(), Secret::new("a=b"))];
    assert_eq!(credential, Credential::Login(Login { password: None, headers, auth: None }));
}

#[test]
fn a_test_says_what_was_agreed_and_offers_the_protocol_that_answers() {
    let mut window = Window::online();
    window.click("Add connection");
    window.fill("Server address or invite", "ws://127.0.0.1:9000/");
    window.fill("Token", "s3cret");
    window.click("Test");
    window.intents();
    window.update(Update::Setup(SetupUpdate::Test(Some(TestOutcome::Failed(Why::ConnectionRefused)))));
    assert!(window.harness.query_by_label("Connect as plain WebSocket").is_none());
    window.update(Update::Setup(SetupUpdate::Test(Some(TestOutcome::Failed(Why::NotDuplex {
        said: "hello".into(),
    })))));
    window.click("Connect as plain WebSocket");
    let (profile, credential) = window.saved();
    assert_eq!(
        (profile.protocol, profile.urls),
        (Protocol::WebSocket, vec!["ws://127.0.0.1:9000/".to_owned()])
    );
    assert_eq!(credential, Credential::Login(Login::default()), "the token goes nowhere");

    window.click("Add connection");
    window.click("Plain WebSocket");
    window.fill("Server URL", "ws://127.0.0.1:9000");
    window.click("Test");
    let found = Reached::Opened { subprotocol: Some("mqtt".into()), extensions: String::new() };
    window.update(Update::Setup(SetupUpdate::Test(Some(TestOutcome::Reached { found, took_ms: 12 }))));
    let said = "The WebSocket opened (12 ms). Subprotocol: mqtt. Extensions: none.";
    window.harness.get_by_label(said);
}

#[test]
fn what_a_server_speaks_is_found_out_before_it_is_saved() {
    let mut window = Window::online();
    window.click("Add connection");
    window.fill("Server address or invite", "http://localhost:3000/chat");
    window.click("Save");
    let detected = |intents: Vec<Intent>| {
        intents.into_iter().find_map(|intent| match intent {
            Intent::Link(LinkIntent::Detect(profile)) => Some(profile),
            Intent::Link(LinkIntent::SaveConnection { profile, .. }) => panic!("{profile:?}"),
            _ => None,
        })
    };
    assert_eq!(detected(window.intents()).unwrap().urls, ["http://localhost:3000/chat"]);
    let url = "ws://localhost:3000/socket.io/".to_owned();
    let namespace = Some("/chat".to_owned());
    let found = Reached::Speaks { protocol: Protocol::SocketIo, url: url.clone(), namespace };
    window.update(Update::Setup(SetupUpdate::Test(Some(TestOutcome::Reached { found, took_ms: 12 }))));
    window.harness.run_steps(4);
    window.harness.get_by_label_contains("A Socket.IO server answers (12 ms).");
    window.fill("Sign-in data (JSON)", "{token}");
    window.harness.get_by_label_contains("must be a JSON object");
    window.fill("Sign-in data (JSON)", r#"{"token": "abc"}"#);
    window.check_names();
    window.click("Save");
    let (profile, credential) = window.saved();
    assert_eq!((profile.protocol, profile.urls), (Protocol::SocketIo, vec![url]));
    assert_eq!(profile.websocket.socketio.namespaces, ["/chat"]);
    assert!(profile.websocket.socketio.has_auth);
    let auth = Some(Secret::new(r#"{"token": "abc"}"#));
    assert_eq!(credential, Credential::Login(Login { auth, ..Login::default() }));
}

#[test]
fn a_server_that_does_not_answer_can_be_saved_as_what_is_chosen() {
    let mut window = Window::online();
    window.click("Add connection");
    window.fill("Server address or invite", "wss://hub.example");
    window.click("Save");
    window.intents();
    window.update(Update::Setup(SetupUpdate::Test(Some(TestOutcome::Failed(Why::ConnectionRefused)))));
    window.harness.run_steps(4);
    window.click("Save");
    let (profile, _) = window.saved();
    assert_eq!(profile.protocol, Protocol::Duplex);

    window.click("Add connection");
    window.click("Socket.IO");
    window.fill("Server URL", "chat.example");
    window.fill("Namespaces", "/a, /b");
    window.click("Save");
    let (profile, _) = window.saved();
    assert_eq!(profile.urls, ["wss://chat.example/socket.io/"]);
    assert_eq!(profile.websocket.socketio.namespaces, ["/a", "/b"]);
}

#[test]
fn the_card_of_a_connection_offers_plain_websocket_and_asks_for_no_token() {
    let mut window = Window::online();
    window.link(LinkState::Stopped { why: Why::NotDuplex { said: String::new() } });
    window.pass(3_000);
    window.click("Connect as plain WebSocket");
    let (profile, credential) = window.saved();
    assert_eq!(
        (profile.protocol, profile.id, credential),
        (Protocol::WebSocket, CONNECTION, Credential::Keep)
    );
    assert_eq!(profile.name, "Home");

    let mut window = plain();
    window.link(LinkState::Stopped { why: Why::Http { status: 401, retry_after_ms: None } });
    window.pass(3_000);
    assert!(window.harness.query_by_label("Token of Home").is_none());
    window.harness.get_by_label_contains("wants a user name and password");
}

#[test]
fn a_message_is_shown_as_it_came_with_its_direction_and_moment() {
    let mut window = plain();
    came(&mut window, 1, "server", Content::text("**not bold** <b> @me"));
    came(&mut window, 2, "me", Content::text("pong"));
    window.harness.get_by_label("**not bold** <b> @me");
    let description = window.description("**not bold** <b> @me");
    assert!(description.starts_with("Received, ") && description.contains(".000"), "{description}");
    let description = window.description("pong");
    assert!(
        description.starts_with("Sent, unconfirmed, ") && description.ends_with("4 bytes"),
        "{description}"
    );
    window.harness.get_by_role_and_label(Role::Heading, "All messages");
    window.harness.get_by_label_contains("Plain WebSocket");
    window.check_names();
}

#[test]
fn json_is_formatted_on_request_and_copied_as_it_came() {
    let mut window = plain();
    let text = "{\"b\":1.0e5,\"a\":[1]}";
    came(&mut window, 1, "server", Content::text(text));
    window.harness.get_by_label(text).click_secondary();
    window.run();
    window.click("Format as JSON");
    let formatted = "{\n  \"b\": 1.0e5,\n  \"a\": [\n    1\n  ]\n}";
    window.harness.get_by_label(formatted).click_secondary();
    window.run();
    assert_eq!(copied(&mut window, "Copy text").as_deref(), Some(text));
    window.harness.get_by_label(formatted).click_secondary();
    window.run();
    window.click("Show as received");
    window.harness.get_by_label(text);
    window.click("Format JSON");
    window.harness.get_by_label(formatted);
}

#[test]
fn bytes_are_dumped_and_copied_as_hex() {
    let mut window = plain();
    came(&mut window, 1, "server", bytes("48656c6c6f00ff"));
    let shown = "00000000  48 65 6c 6c 6f 00 ff                              Hello..";
    window.harness.get_by_label(shown).click_secondary();
    window.run();
    assert_eq!(copied(&mut window, "Copy as hex").as_deref(), Some("48656c6c6f00ff"));
    came(&mut window, 2, "server", bytes(&"0a".repeat(100_000)));
    window.click("Show all 100000 bytes");
    window.harness.get_by_label("Show less");
}

#[test]
fn a_mebibyte_in_every_row_is_laid_out_by_the_screen() {
    let mut window = plain();
    for offset in 1..=6 {
        came(&mut window, offset, "server", Content::text("x".repeat(1024 * 1024)));
    }
    let last = "Show all 1048576 characters";
    window.harness.get_all_by_label(last).last().unwrap().click();
    window.run();
    window.harness.get_by_label("Show less");
    // Nothing of a frame holds more than a screenful of it.
    let nodes = window.harness.root().children_recursive();
    let longest = nodes.filter_map(|node| node.value().or_else(|| node.accesskit_node().label()));
    assert!(longest.map(|label| label.len()).max().unwrap_or(0) < 16 * 1024);
    window.scroll(-100_000.0);
    window.run();
}

#[test]
fn the_socket_is_spoken_of_in_both_languages() {
    let mut window = plain();
    came(
        &mut window,
        1,
        "server",
        socket(r#"{"socket":{"is":"opened","subprotocol":"mqtt","extensions":"x-a"}}"#),
    );
    let closed =
        r#"{"socket":{"is":"closed","code":1011,"reason":"Oh \u202e no","clean":true,"by":"server"}}"#;
    came(&mut window, 2, "server", socket(closed));
    came(&mut window, 3, "server", socket(r#"{"socket":{"is":"lost","detail":"reset by peer"}}"#));
    window.harness.get_all_by_label("Connection opened, subprotocol mqtt, extensions x-a").next().unwrap();
    let all = window.harness.get_all_by_label_contains("Closed by the server: 1011 (internal error)");
    let said = all.last().unwrap().value().unwrap_or_default();
    assert!(said.ends_with("clean") && !said.contains('\u{202e}'), "{said}");
    let lost = "Connection lost: it ended without a close frame (1006): reset by peer";
    window.harness.get_all_by_label(lost).next().unwrap();
    speak_korean(&mut window);
    window.harness.get_by_label("연결이 열렸습니다, 서브프로토콜 mqtt, 확장 x-a");
    window.harness.get_by_label("연결이 끊겼습니다: 종료 프레임 없이 끝남(1006): reset by peer");
    window.check_names();
}

/// Chooses what copies, and returns what is in the clipboard then.
fn copied(window: &mut Window, name: &str) -> Option<String> {
    window.harness.get_by_label(name).click();
    let copied = (0..5).find_map(|_| {
        window.harness.step();
        window.copied()
    });
    window.run();
    copied
}

fn sent(window: &mut Window) -> Vec<Content> {
    let sent = window.intents().into_iter().filter_map(|intent| match intent {
        Intent::Chat(ChatIntent::Send { content, .. }) => Some(content),
        _ => None,
    });
    sent.collect()
}

fn choose(window: &mut Window, name: &str, format: FrameFormat) {
    window.click(name);
    let chosen = Intent::Link(LinkIntent::SetFormat(CONNECTION, format));
    assert!(window.intents().contains(&chosen), "{name}");
    window.configure(|profile| profile.websocket.format = format);
}

#[test]
fn what_is_typed_is_sent_as_text_json_or_bytes_and_nothing_else() {
    let mut window = plain();
    window.type_message("**as** @it :smile: is");
    window.key(Key::Enter);
    assert_eq!(sent(&mut window), [Content::text("**as** @it :smile: is")]);
    choose(&mut window, "JSON", FrameFormat::Json);
    window.type_message("{\"a\" :}");
    window.key(Key::Enter);
    assert_eq!(sent(&mut window), []);
    window.harness.get_by_label("Not valid JSON at line 1, column 7.");
    window.fill("Message", "{\"a\" :1.0e5}");
    window.harness.get_by_label("12 bytes");
    window.key(Key::Enter);
    assert_eq!(sent(&mut window), [Content::text("{\"a\" :1.0e5}")]);
    choose(&mut window, "Hex", FrameFormat::Hex);
    window.type_message("48 6g");
    window.key(Key::Enter);
    window.harness.get_by_label("“g” isn't a hexadecimal digit (line 1, column 5).");
    window.fill("Message", "48 65 6C");
    window.harness.get_by_label("3 bytes");
    window.key(Key::Enter);
    assert_eq!(sent(&mut window), [bytes("48656c")]);
    window.check_names();
}

#[test]
fn nobody_is_told_of_typing_and_nothing_is_completed() {
    let mut window = plain();
    window.type_message("@");
    window.type_text(":sm");
    assert!(
        window.harness.query_by_label("People").is_none() && window.harness.query_by_label("Emoji").is_none()
    );
    window.key(Key::Enter);
    let typing = |intent: &Intent| matches!(intent, Intent::Chat(ChatIntent::Typing { .. }));
    assert!(!window.intents().iter().any(typing));
    window.click("More for Home");
    for absent in ["New room", "Invite people", "People and access"] {
        assert!(window.harness.query_by_label(absent).is_none(), "{absent}");
    }
    window.harness.get_by_label("Edit connection");
}

#[test]
fn one_click_sends_a_snippet_and_with_a_modifier_it_is_put_into_the_field() {
    let mut window = plain();
    let snippet = |name: &str, text: &str, format| Snippet { name: name.into(), text: text.into(), format };
    let all = vec![
        snippet("Ping", "{\"op\":\"ping\"}", FrameFormat::Json),
        snippet("", "00 ff", FrameFormat::Hex),
        snippet("Broken", "{", FrameFormat::Json),
    ];
    window.configure(|profile| profile.websocket.snippets = all);
    window.click("Send snippet Ping");
    window.click("Send snippet 00 ff");
    assert_eq!(sent(&mut window), [Content::text("{\"op\":\"ping\"}"), bytes("00ff")]);
    window.click("Send snippet Broken");
    assert_eq!((sent(&mut window), window.message_text()), (vec![], "{".to_owned()));
    window.fill("Message", "x");
    window.harness.get_by_label("Send snippet Ping").click_modifiers(Modifiers::COMMAND);
    window.run();
    assert_eq!(window.message_text(), "x{\"op\":\"ping\"}");
    assert_eq!(sent(&mut window), []);
}

#[test]
fn snippets_are_saved_named_put_in_order_and_deleted() {
    let mut window = plain();
    window.type_message("subscribe");
    window.click("Snippets");
    window.click("Save as snippet");
    window.fill("Snippet name", "Sub");
    window.check_names();
    window.click("Add snippet");
    window.fill("Snippet name", "Pong");
    window.fill("Snippet text", "pong");
    window.click("Move up");
    window.click("Save");
    let kept = |window: &mut Window| {
        let intents = window.intents();
        let kept = intents.iter().find_map(|intent| match intent {
            Intent::Link(LinkIntent::SetSnippets(CONNECTION, snippets)) => Some(snippets.clone()),
            _ => None,
        });
        kept.unwrap_or_else(|| panic!("{intents:?}"))
    };
    let snippets = kept(&mut window);
    let names: Vec<_> = snippets.iter().map(|s| (s.name.as_str(), s.text.as_str())).collect();
    assert_eq!(names, [("Pong", "pong"), ("Sub", "subscribe")]);
    window.configure(|profile| profile.websocket.snippets = snippets);
    window.click("Snippets");
    window.click("Edit snippets");
    window.click("Delete snippet");
    window.click("Save");
    assert_eq!(kept(&mut window).len(), 1);
}

#[test]
fn what_may_not_have_arrived_is_sent_again_or_deleted_by_the_person() {
    let mut window = plain();
    let id = window.queue_in(RoomId::messages(), "order 66", Delivery::Unsure, -1_000);
    window.harness.get_all_by_label("May not have arrived").next().unwrap();
    window.click("Send again");
    let again = Intent::Chat(ChatIntent::Resend { connection: CONNECTION, id });
    assert!(window.intents().contains(&again));
    window.click("Delete");
    assert!(window.intents().contains(&Intent::Chat(ChatIntent::Discard { connection: CONNECTION, id })));
}

#[test]
fn a_connection_of_a_newer_version_is_shown_and_only_removed() {
    let mut window = Window::online();
    let newer =
        |id, name: &str| NewerProfile { id: ConnectionId(id), name: name.into(), protocol: "mqtt".into() };
    window.update(Update::Setup(SetupUpdate::NewerConnections(vec![newer(7, "Broker"), newer(8, "")])));
    window.harness.get_by_label("Broker: Made by a newer version");
    window.click("More for Broker");
    assert!(window.harness.query_by_label("Edit connection").is_none());
    window.click("Remove connection");
    window.harness.get_by_role_and_label(Role::Dialog, "Remove Broker?");
    window.click("Remove");
    assert_eq!(window.intents(), [Intent::Link(LinkIntent::RemoveConnection(ConnectionId(7)))]);
    window.check_names();
}

#[test]
fn all_of_it_fits_a_small_window_and_speaks_korean() {
    let mut window = sized(800.0, 600.0);
    speak_korean(&mut window);
    came(&mut window, 1, "server", bytes(&"00".repeat(40)));
    window.harness.get_by_label_contains("일반 WebSocket");
    for name in ["텍스트", "JSON", "16진수", "저장된 메시지"] {
        let rect = window.rect(name);
        assert!(rect.right() <= 800.0 && rect.bottom() <= 600.0, "{name}: {rect:?}");
    }
    window.check_names();
    window.resize(1_000.0, 600.0);
    window.click("연결 추가");
    window.click("일반 WebSocket");
    window.resize(800.0, 600.0);
    for name in ["서버 URL", "사용자 이름", "비밀번호", "헤더 추가"] {
        assert!(window.rect(name).right() <= 800.0, "{name}");
    }
    window.check_names();
    let closed = Why::Closed {
        code: Some(4001),
        reason: String::new(),
        retry_after_ms: None,
        closing: Closing::ByServer,
    };
    window.key(Key::Escape);
    window.link(LinkState::Stopped { why: closed });
    window.pass(3_000);
    window.harness.get_by_label_contains("코드 4001, 서버가 정한 코드");
}

#[test]
fn chat_and_readings_that_come_are_noticed_and_shown_as_such_on_request() {
    let mut window = plain();
    let offer = "Show as chat and devices…";
    let sampled = |value: serde_json::Value| {
        Event::Link(LinkEvent::Sampled(Sample { source: "server".into(), args: vec![value], bytes: 20 }))
    };
    window.event(sampled(serde_json::json!("hello")));
    window.event(sampled(serde_json::json!({"status": "ok"})));
    window.run();
    assert!(window.harness.query_by_label(offer).is_none(), "words alone may be anything");
    window.event(sampled(serde_json::json!({"user": "jun", "text": "hi"})));
    window.event(sampled(serde_json::json!({"temperature": 21.5})));
    window.run();
    window.click(offer);
    window.run();
    assert!(window.harness.query_by_label("Show messages as chat and readings as devices").is_some());
    assert!(
        window.harness.query_by_label_contains("server: temperature = 21.5").is_some(),
        "what would be recognized"
    );
    window.intents();
    window.click("Save");
    window.run();
    let saved = window.intents().into_iter().find_map(|intent| match intent {
        Intent::Link(LinkIntent::SetMapping { connection, mapping, recognize }) => {
            Some((connection, mapping.is_empty(), recognize))
        }
        _ => None,
    });
    assert_eq!(saved, Some((CONNECTION, true, true)));
}
