//! A client's end against scripted servers, the cases of the protocols' own test suites that apply to a client among them.

use serde_json::{Value, json};

use crate::frame::Frame;
use crate::model::link_state::{Closing, Why};
use crate::model::profile::Secret;
use crate::model::time::BootMs;
use crate::model::time::WallMs;
use crate::model::{MessageId, Refusal, Time};
use crate::wire::socketio::conversation::{Came, Conversation, Emit, Namespaces, Outcome};
use crate::wire::socketio::saved::Known;

/// As servers of revision 4 open a session; 300 and 200 ms.
const OPEN: &str =
    r#"0{"sid":"abc","upgrades":[],"pingInterval":300,"pingTimeout":200,"maxPayload":1000000}"#;
/// As older ones and those of revision 3 do.
const OPEN_OLD: &str = r#"0{"sid":"abc","upgrades":[],"pingInterval":300,"pingTimeout":200}"#;

/// A conversation, and the time.
struct Client {
    conversation: Conversation,
    now: Time,
}

impl Client {
    fn new(names: &[&str], auth: Option<&str>, known: Known) -> Client {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        let namespaces = Namespaces { names, auth: auth.map(Secret::new) };
        let now = Time { boot_ms: BootMs(10_000), wall_ms: WallMs(1_795_000_000_000) };
        let mut conversation = Conversation::new(namespaces, known);
        conversation.opened(now);
        Client { conversation, now }
    }

    fn to_main() -> Client {
        Client::new(&[], None, Known::default())
    }

    /// In the main namespace.
    fn online() -> Client {
        let mut client = Client::to_main();
        client.takes(OPEN);
        client.takes(r#"40{"sid":"s1"}"#);
        client
    }

    /// What comes of a text frame.
    fn takes(&mut self, text: &str) -> Vec<Outcome> {
        self.conversation.frame(self.now, Frame::Text(text.to_owned())).unwrap();
        self.outcomes()
    }

    fn takes_bytes(&mut self, bytes: &[u8]) -> Vec<Outcome> {
        self.conversation.frame(self.now, Frame::Binary(bytes.to_vec())).unwrap();
        self.outcomes()
    }

    fn outcomes(&mut self) -> Vec<Outcome> {
        std::iter::from_fn(|| self.conversation.poll()).collect()
    }

    /// Lets time pass; ticks when it is due.
    fn wait(&mut self, ms: u64) -> Vec<Outcome> {
        let end = self.now.boot_ms + ms;
        let mut outcomes = Vec::new();
        while let Some(at) = self.conversation.deadline().filter(|at| *at <= end) {
            self.now.boot_ms = self.now.boot_ms.max(at);
            self.conversation.tick(self.now);
            outcomes.extend(self.outcomes());
        }
        self.now.boot_ms = end;
        outcomes
    }

    fn emit(
        &mut self,
        namespace: &str,
        name: &str,
        args: &[Value],
        asks_ack: bool,
    ) -> Result<Vec<Outcome>, Refusal> {
        let (namespace, name, args) = (namespace.to_owned(), name.to_owned(), args.to_vec());
        self.conversation.emit(Emit { id: Some(id(1)), namespace, name, args, asks_ack })?;
        Ok(self.outcomes())
    }

    fn known(&self) -> Known {
        Known::of_bytes(Some(&self.conversation.known().to_bytes()))
    }
}

fn id(number: u128) -> MessageId {
    MessageId::from_random(number.to_be_bytes())
}

fn send(text: &str) -> Outcome {
    Outcome::Send(Frame::Text(text.to_owned()), None)
}

fn joined(namespace: &str, recovered: Option<bool>, sid: &str) -> Outcome {
    Outcome::Joined { namespace: namespace.to_owned(), recovered, sid: sid.to_owned() }
}

/// Namespace, name and arguments of the only event.
fn came(outcomes: &[Outcome]) -> (&str, &str, &[Value]) {
    match outcomes {
        [Outcome::Event(Came { namespace, name, args, .. })] => (namespace, name, args),
        other => panic!("{other:?}"),
    }
}

fn close(outcomes: &[Outcome]) -> &Why {
    match outcomes.last() {
        Some(Outcome::Close(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn it_connects_to_the_main_namespace() {
    let mut client = Client::to_main();
    assert_eq!(client.takes(OPEN), [send("40")]);
    let outcomes = client.takes(r#"40{"sid":"s1"}"#);
    assert_eq!(outcomes, [Outcome::Learned, joined("/", None, "s1"), Outcome::Online, Outcome::Ping]);
    assert_eq!(came(&client.takes(r#"42["auth",{}]"#)), ("/", "auth", &[json!({})][..]));
}

#[test]
fn it_connects_to_namespaces_with_a_payload() {
    let mut client = Client::new(&["custom", "/", "/custom"], Some(r#"{"token":"abc"}"#), Known::default());
    assert_eq!(client.takes(OPEN), [send(r#"40/custom,{"token":"abc"}"#), send(r#"40{"token":"abc"}"#)]);
    assert_eq!(
        client.takes(r#"40/custom,{"sid":"s2"}"#)[1..],
        [joined("/custom", None, "s2")],
        "the other is waited for"
    );
    assert_eq!(
        client.takes(r#"40{"sid":"s1"}"#)[1..],
        [joined("/", None, "s1"), Outcome::Online, Outcome::Ping]
    );
    assert_eq!(came(&client.takes(r#"42/custom,["a",1]"#)), ("/custom", "a", &[json!(1)][..]));
    assert_eq!(client.takes(r#"42/other,["a",1]"#), [], "of a namespace that we are not in");
    // What is sent goes to the first one unless another is named.
    let sent = |text: &str| vec![Outcome::Send(Frame::Text(text.to_owned()), Some(id(1)))];
    assert_eq!(client.emit("", "m", &[json!("x")], false), Ok(sent(r#"42/custom,["m","x"]"#)));
    assert_eq!(client.emit("/", "m", &[json!("x")], false), Ok(sent(r#"42["m","x"]"#)));
    assert!(matches!(client.emit("/other", "m", &[], false), Err(Refusal::Other { .. })));
}

#[test]
fn a_namespace_that_never_answers_is_not_waited_for_long() {
    let mut client = Client::new(&["/", "/slow"], None, Known::default());
    client.takes(&OPEN.replace("300", "30000"));
    client.takes(r#"40{"sid":"s1"}"#);
    assert_eq!(client.wait(1_999), []);
    assert_eq!(client.wait(1), [Outcome::Online, Outcome::Ping]);
    assert_eq!(client.takes(r#"40/slow,{"sid":"s2"}"#)[1..], [joined("/slow", None, "s2")]);
}

#[test]
fn a_refused_namespace_is_told_with_its_data() {
    let mut client = Client::new(&["/random"], None, Known::default());
    client.takes(OPEN);
    let outcomes = client.takes(r#"44/random,{"message":"not authorized","data":{"code":401}}"#);
    let why = Why::NamespaceRefused {
        namespace: "/random".to_owned(),
        message: "not authorized".to_owned(),
        data: r#"{"code":401}"#.to_owned(),
    };
    assert_eq!(outcomes, [Outcome::Close(why.clone())]);
    assert!(!why.is_retryable());

    let mut client = Client::new(&["/random", "/"], None, Known::default());
    client.takes(OPEN);
    client.takes(r#"40{"sid":"s1"}"#);
    let outcomes = client.takes(r#"44/random,{"message":"Invalid namespace"}"#);
    let (namespace, message, data) = ("/random".to_owned(), "Invalid namespace".to_owned(), String::new());
    assert_eq!(outcomes, [Outcome::Refused { namespace, message, data }, Outcome::Online]);
    assert_eq!(client.takes(r#"44/random,{"message":"Invalid namespace"}"#), [], "once");
    assert_eq!(client.takes(r#"44/nobody,"asked""#), []);
}

#[test]
fn the_server_may_let_us_go() {
    let outcomes = Client::online().takes("41");
    let (message, data) = (String::new(), String::new());
    assert_eq!(close(&outcomes), &Why::NamespaceRefused { namespace: "/".to_owned(), message, data });
    let outcomes = Client::online().takes("1");
    let why = close(&outcomes);
    assert!(why.is_retryable() && matches!(why, Why::Closed { closing: Closing::ByServer, .. }));
}

#[test]
fn it_answers_pings_and_misses_them() {
    let mut client = Client::online();
    for _ in 0..3 {
        assert_eq!(client.wait(300), []);
        assert_eq!(client.takes("2")[0], send("3"));
    }
    assert_eq!(client.wait(499), []);
    assert_eq!(client.wait(1), [Outcome::Close(Why::Silent)]);
    assert_eq!(client.conversation.deadline(), None);
    // While nothing is read, the time does not count.
    let mut client = Client::online();
    client.now.boot_ms += 100_000;
    client.conversation.stood_still(100_000);
    assert_eq!(client.wait(499), []);
    assert_eq!(client.wait(1), [Outcome::Close(Why::Silent)]);
}

#[test]
fn a_round_trip_is_measured() {
    let mut client = Client::online();
    client.now.boot_ms += 12;
    client.conversation.pong(client.now);
    assert_eq!(client.outcomes(), [Outcome::RoundTrip(12)]);
    client.conversation.pong(client.now);
    assert_eq!(client.outcomes(), [], "nobody asked");
}

#[test]
fn events_come_with_bytes_and_acknowledgements() {
    let mut client = Client::online();
    assert_eq!(client.takes(r#"452-["m",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]"#), []);
    assert_eq!(client.takes_bytes(&[1, 2, 3]), []);
    let url = |base64: &str| json!(format!("data:application/octet-stream;base64,{base64}"));
    assert_eq!(came(&client.takes_bytes(&[4, 5, 6])), ("/", "m", &[url("AQID"), url("BAUG")][..]));

    // The server wants an acknowledgement: it gets one when the event is on disk, and not earlier.
    let outcomes = client.takes(r#"42456["first"]"#);
    let [Outcome::Event(first)] = &outcomes[..] else { panic!("{outcomes:?}") };
    let mark = client.conversation.taken(first.clone(), true).unwrap();
    let outcomes = client.takes(r#"42457["typing"]"#);
    let [Outcome::Event(second)] = &outcomes[..] else { panic!("{outcomes:?}") };
    assert_eq!(client.conversation.taken(second.clone(), false), None, "it is kept nowhere");
    assert_eq!(client.outcomes(), [], "but not overtaken");
    client.conversation.committed(mark);
    assert_eq!(client.outcomes(), [send("43456[]"), send("43457[]")]);
    assert_eq!(client.conversation.taken(second.clone(), false), None);
    assert_eq!(client.outcomes(), [send("43457[]")], "at once where nothing is before it");
}

#[test]
fn an_acknowledgement_answers_its_event_alone() {
    let mut client = Client::online();
    let sent = client.emit("", "chat", &[json!("x")], true);
    assert_eq!(sent, Ok(vec![Outcome::Send(Frame::Text(r#"420["chat","x"]"#.to_owned()), Some(id(1)))]));
    assert!(matches!(client.takes("431[]")[..], [Outcome::Unusable(_)]));
    assert!(matches!(client.takes("43/other,0[]")[..], [Outcome::Unusable(_)]));
    let outcomes = client.takes(r#"430[{"ok":true}]"#);
    let (event, args) = ("chat".to_owned(), vec![json!({"ok": true})]);
    assert_eq!(outcomes, [Outcome::Learned, Outcome::Acked { id: id(1), event, args }]);
    assert!(matches!(client.takes("430[]")[..], [Outcome::Unusable(_)]), "once");
    assert!(client.known().acknowledges.contains("chat"));
    client.emit("", "chat", &[], true).unwrap();
    client.conversation.give_up(id(1));
    assert!(client.known().ignores.contains("chat") && client.known().acknowledges.is_empty());
}

#[test]
fn what_is_too_large_for_the_server_is_not_sent() {
    let mut client = Client::online();
    let refusal = client.emit("", "m", &[json!("x".repeat(1_000_000))], true);
    assert_eq!(refusal, Err(Refusal::TooLarge { limit: 1_000_000 }));
    assert!(client.emit("", "m", &[json!("x".repeat(999_900))], true).is_ok());
}

#[test]
fn what_is_unusable_is_said_and_the_rest_goes_on() {
    let mut client = Client::online();
    for text in ["4abc", "42{}", r#"42abc["m"]"#, "abc", "", "4", r#"451-["m"]"#] {
        let outcomes = client.takes(text);
        assert!(matches!(outcomes[..], [Outcome::Unusable(_)] | []), "{text}: {outcomes:?}");
    }
    let outcomes = client.takes(r#"42["m"]"#);
    assert!(matches!(outcomes[..], [Outcome::Unusable(_), Outcome::Event(_)]), "{outcomes:?}");
}

#[test]
fn what_is_no_such_server_is_told_apart() {
    for said in ["hello", "4hello", r#"{"type":"welcome"}"#, "o", "CONNECTED\n\n\0", "0hello"] {
        let outcomes = Client::to_main().takes(said);
        assert_eq!(close(&outcomes), &Why::NotSocketIo { said: said.to_owned() });
    }
    let mut client = Client::to_main();
    assert!(client.conversation.frame(client.now, Frame::Text(r#"0{"sid":7}"#.to_owned())).is_err());
}

#[test]
fn revision_three_lets_us_in_unasked_and_is_pinged() {
    let mut client = Client::new(&["/", "/chat?token=1"], Some(r#"{"token":"abc"}"#), Known::default());
    assert_eq!(client.takes(OPEN_OLD), []);
    let outcomes = client.takes("40");
    assert_eq!(outcomes, [send("40/chat?token=1,"), Outcome::Learned, joined("/", None, "")]);
    assert_eq!(client.takes("40/chat,")[1..3], [joined("/chat", None, ""), Outcome::Online]);
    assert_eq!(client.known().revision(), Some(super::super::engine::Revision::V3));
    client.takes("3");
    assert_eq!(client.wait(299), []);
    assert_eq!(client.wait(1), [send("2")]);
    client.now.boot_ms += 7;
    assert_eq!(client.takes("3"), [Outcome::RoundTrip(7)]);
    assert_eq!(client.wait(293), [send("2")]);
    assert_eq!(client.wait(199), []);
    assert_eq!(client.wait(1), [Outcome::Close(Why::Silent)]);
    // Its middleware refuses before it lets us in.
    let mut client = Client::to_main();
    client.takes(OPEN_OLD);
    let outcomes = client.takes(r#"44"Authentication error""#);
    assert!(
        matches!(close(&outcomes), Why::NamespaceRefused { message, .. } if message == "Authentication error")
    );
    // Bytes have their type before them.
    let mut client = Client::to_main();
    client.takes(OPEN_OLD);
    client.takes("40");
    client.takes(r#"451-["m",{"_placeholder":true,"num":0}]"#);
    let bytes = json!("data:application/octet-stream;base64,AQI=");
    assert_eq!(came(&client.takes_bytes(&[4, 1, 2])), ("/", "m", &[bytes][..]));
}

#[test]
fn an_old_server_of_revision_four_is_greeted_when_it_stays_silent() {
    let mut client = Client::to_main();
    let open = OPEN_OLD.replace("300", "30000");
    assert_eq!(client.takes(&open), []);
    assert_eq!(client.wait(499), []);
    assert_eq!(client.wait(1), [send("40")]);
    client.takes(r#"40{"sid":"s1"}"#);
    // It is known from then on.
    let mut client = Client::new(&[], None, client.known());
    assert_eq!(client.takes(&open), [send("40")]);
}

#[test]
fn a_slow_server_of_revision_three_is_known_after_one_reconnect() {
    let open = OPEN_OLD.replace("300", "30000");
    let mut client = Client::to_main();
    client.takes(&open);
    assert_eq!(client.wait(700), [send("40")]);
    let outcomes = client.takes("40");
    assert!(outcomes.contains(&Outcome::Learned) && close(&outcomes).is_retryable());
    let mut client = Client::new(&[], None, client.known());
    client.takes(&open);
    assert_eq!(client.wait(700), []);
    assert!(client.takes("40").contains(&Outcome::Online));
}

/// The offsets of Socket.IO's own adapter, at the time of these tests.
fn offset(number: u32) -> String {
    const DIGITS: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_";
    let mut time = 1_795_000_000_000_i64 + i64::from(number);
    let mut text = Vec::new();
    while time > 0 {
        text.insert(0, DIGITS[usize::try_from(time % 64).unwrap()]);
        time /= 64;
    }
    String::from_utf8(text).unwrap()
}

#[test]
fn what_was_missed_is_recovered_after_what_is_on_disk() {
    let mut client = Client::to_main();
    client.takes(OPEN);
    client.takes(r#"40{"sid":"s1","pid":"p1"}"#);
    let mut marks = Vec::new();
    for number in 1..=3 {
        let outcomes = client.takes(&format!(r#"42["chat","hello {number}","{}"]"#, offset(number)));
        assert_eq!(came(&outcomes).2, [json!(format!("hello {number}"))], "the offset is no argument");
        let [Outcome::Event(came)] = &outcomes[..] else { panic!() };
        marks.extend(client.conversation.taken(came.clone(), true));
    }
    client.conversation.committed(marks[1]);
    // The third is not on disk: it comes again.
    let mut client = Client::new(&[], Some(r#"{"token":"t"}"#), client.known());
    let outcomes = client.takes(OPEN);
    let Outcome::Send(Frame::Text(text), None) = &outcomes[0] else { panic!("{outcomes:?}") };
    let sent: Value = serde_json::from_str(&text[2..]).unwrap();
    assert_eq!(sent, json!({"pid": "p1", "offset": offset(2), "token": "t"}));
    assert_eq!(client.takes(r#"40{"sid":"s1","pid":"p1"}"#)[1], joined("/", Some(true), "s1"));
    let outcomes = client.takes(&format!(r#"42["chat","hello 3","{}"]"#, offset(3)));
    assert_eq!(came(&outcomes).2, [json!("hello 3")]);
    // The server knows the session no more.
    let mut client = Client::new(&[], None, client.known());
    client.takes(OPEN);
    assert_eq!(client.takes(r#"40{"sid":"s2","pid":"p2"}"#)[1], joined("/", Some(false), "s2"));
    let mut client = Client::new(&[], None, client.known());
    assert_eq!(
        client.takes(OPEN),
        [send(r#"40{"pid":"p2"}"#)],
        "the place in the earlier session is forgotten"
    );
    // Recovery is turned off.
    assert_eq!(client.takes(r#"40{"sid":"s3"}"#)[1], joined("/", Some(false), "s3"));
    let outcomes = client.takes(&format!(r#"42["chat","hello","{}"]"#, offset(4)));
    assert_eq!(came(&outcomes).2.len(), 2, "a server that recovers nothing appends nothing");
}
