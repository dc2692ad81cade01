//! Tests of one connection, against a server of which only the words are there.

use super::*;
use crate::model::time::BootMs;
use crate::model::time::WallMs;

const BEGIN: Time = Time { boot_ms: BootMs(1_000_000), wall_ms: WallMs(1_790_000_000_000) };

struct Peer {
    client: Client,
    now: Time,
}

impl Peer {
    fn new(config: Config, kept: Kept, is_stream: bool) -> Peer {
        let mut client = Client::new(config, kept);
        client.opened(BEGIN, &Agreed { is_stream, ..Agreed::default() });
        Peer { client, now: BEGIN }
    }

    /// Connected to a broker of this version, subscribed to these; what was sent and told so far is left out.
    fn online(version: &str, destinations: &[&str]) -> Peer {
        let destinations = destinations.iter().map(|text| Destination::parse(text).unwrap()).collect();
        let mut peer = Peer::new(Config { destinations, ..Config::default() }, Kept::default(), false);
        peer.says(&format!("CONNECTED\nversion:{version}\nheart-beat:10000,10000\nserver:RabbitMQ/3\n\n\0"));
        peer.outputs();
        peer
    }

    fn try_says(&mut self, text: &str) -> Result<(), WireError> {
        self.client.received(self.now, &frame::Frame::Text(text.to_owned()))
    }

    fn says(&mut self, text: &str) {
        self.try_says(text).unwrap();
    }

    fn outputs(&mut self) -> Vec<Output> {
        std::iter::from_fn(|| self.client.poll()).collect()
    }

    /// The frames that were sent, each as text without its NUL.
    fn sent(&mut self) -> Vec<String> {
        let text = |output| match output {
            Output::Send(frame::Frame::Text(text), _) => Some(text.trim_end_matches('\0').to_owned()),
            _ => None,
        };
        self.outputs().into_iter().filter_map(text).collect()
    }

    fn told(&mut self) -> Vec<Output> {
        self.outputs().into_iter().filter(|output| !matches!(output, Output::Send(..))).collect()
    }

    fn pass(&mut self, ms: u64) {
        let end = self.now.plus(ms);
        while let Some(at) = self.client.deadline().filter(|at| *at <= end.boot_ms) {
            self.now = self.now.plus(at.since(self.now.boot_ms));
            self.client.tick(self.now);
        }
        self.now = end;
    }

    fn send(&mut self, n: u8, destination: &str) -> MessageId {
        let id = MessageId::from_random([n; 16]);
        let message = Outgoing {
            id,
            destination: destination.to_owned(),
            content_type: "text/plain".to_owned(),
            headers: Vec::new(),
            body: vec![b'0' + n],
        };
        self.client.send(self.now, message);
        id
    }
}

fn secret(text: &str) -> Secret {
    Secret::new(text)
}

#[test]
fn connect_carries_what_the_person_set_and_is_not_escaped() {
    let config = Config {
        login: "me".into(),
        passcode: Some(secret("a:b\\c")),
        host: "/".into(),
        headers: vec![("Authorization".into(), secret("Bearer x:y"))],
        destinations: Vec::new(),
    };
    assert_eq!(
        Peer::new(config, Kept::default(), false).sent(),
        ["CONNECT\naccept-version:1.2,1.1,1.0\nheart-beat:10000,10000\nhost:/\nlogin:me\npasscode:a:b\\c\n\
          Authorization:Bearer x:y\n\n"]
    );
    let smuggled = Config { login: "me\nreceipt:1".into(), ..Config::default() };
    assert!(matches!(
        Peer::new(smuggled, Kept::default(), false).outputs()[..],
        [Output::Close(Why::Unsupported { .. })]
    ));
}

#[test]
fn a_subscription_is_made_as_the_version_has_it() {
    for (version, mode) in [("1.2", "client-individual"), ("1.1", "client-individual"), ("1.0", "client")] {
        let destinations = vec![Destination::parse("/topic/a:b | x-queue-type: quorum").unwrap()];
        let mut peer = Peer::new(Config { destinations, ..Config::default() }, Kept::default(), false);
        peer.outputs();
        peer.says(&format!("CONNECTED\nversion:{version}\n\n\0"));
        let name = if version == "1.0" { "/topic/a:b" } else { "/topic/a\\cb" };
        assert_eq!(
            peer.sent(),
            [format!(
                "SUBSCRIBE\nid:s-0\ndestination:{name}\nack:{mode}\nreceipt:s-0\nprefetch-count:64\n\
                 activemq.prefetchSize:64\nx-queue-type:quorum\n\n"
            )]
        );
        peer.says("RECEIPT\nreceipt-id:s-0\n\n\0");
        assert_eq!(peer.told(), [Output::Subscribed("/topic/a:b".into())]);
        assert!(peer.client.subscribe(peer.now, Destination::new("/topic/a:b")) && peer.sent().is_empty());
        peer.client.unsubscribe(peer.now, "/topic/a:b");
        assert_eq!(peer.sent(), [format!("UNSUBSCRIBE\nid:s-0\ndestination:{name}\n\n")]);
    }
}

#[test]
fn a_version_that_was_not_offered_or_none_is_noticed() {
    let begin = || Peer::new(Config::default(), Kept::default(), false);
    let mut peer = begin();
    assert!(peer.try_says("CONNECTED\nversion:3.0\n\n\0").is_err());
    let mut peer = begin();
    peer.says("CONNECTED\nsession:1\n\n\0");
    assert_eq!(peer.client.version(), Version::V1_0);
    for other in
        ["MESSAGE\n\n\0", "RECEIPT\nreceipt-id:1\n\n\0", "HTTP/1.1 200 OK\r\n", "{\"type\":\"hello\"}"]
    {
        assert!(begin().try_says(other).is_err(), "{other}");
    }
    for sockjs in ["o", "a[\"x\"]", "c[3000,\"Go away!\"]"] {
        let Err(WireError::Violation { detail }) = begin().try_says(sockjs) else { panic!("{sockjs}") };
        assert!(detail.contains("/websocket"), "{detail}");
    }
}

#[test]
fn a_message_is_acknowledged_once_it_is_on_disk() {
    let mut peer = Peer::online("1.2", &["/queue/a"]);
    peer.says(
        "MESSAGE\nsubscription:s-0\nmessage-id:1\nack:x\ndestination:/queue/a\n\nhi\0\nMESSAGE\nack:y\n\n",
    );
    peer.says("there\0");
    let told = peer.told();
    let [Output::Message(one, Some(first)), Output::Message(two, Some(second))] = &told[..] else {
        panic!("{told:?}")
    };
    assert_eq!((&one.body[..], &two.body[..]), (&b"hi"[..], &b"there"[..]));
    assert!(peer.sent().is_empty());
    peer.client.committed(peer.now, *first);
    assert_eq!(peer.sent(), ["ACK\nid:x\n\n"]);
    peer.client.committed(peer.now, *second);
    assert_eq!(peer.sent(), ["ACK\nid:y\n\n"]);
}

#[test]
fn a_receipt_is_the_delivery_and_every_attempt_has_the_same_id() {
    let mut peer = Peer::online("1.2", &[]);
    let id = peer.send(1, "/queue/a");
    assert_eq!(
        peer.sent(),
        [format!(
            "SEND\ndestination:/queue/a\nreceipt:m-{id}\nid:{id}\npersistent:true\ncontent-type:text/plain\n\
             content-length:1\n\n1"
        )]
    );
    peer.says(&format!("RECEIPT\nreceipt-id:m-{id}\n\n\0"));
    assert_eq!(peer.told(), [Output::Receipted(id)]);
    peer.says(&format!("RECEIPT\nreceipt-id:m-{id}\n\n\0"));
    assert!(matches!(peer.told()[..], [Output::Unusable(_)]), "nobody asked for a second one");
    assert!(peer.client.may_resend(id));
}

#[test]
fn what_is_never_confirmed_is_told_once_the_server_is_known_to_be_there() {
    let mut peer = Peer::online("1.2", &["/topic/a"]);
    peer.says("RECEIPT\nreceipt-id:s-0\n\n\0");
    peer.outputs();
    let id = peer.send(1, "/app/chat");
    peer.pass(4_999);
    assert!(peer.told().is_empty());
    peer.pass(1);
    assert_eq!(peer.told(), [Output::Ping], "it said nothing since");
    peer.client.pong(peer.now);
    assert_eq!(peer.told(), [Output::RoundTrip(0), Output::Unconfirmed(vec![id]), Output::Changed]);
    // From now on it is known, also by the next connection.
    let kept = peer.client.saved();
    assert!(kept.without_receipts.contains("/app/chat"));
    let mut next = Peer::new(Config::default(), kept, false);
    next.says("CONNECTED\nversion:1.2\n\n\0");
    let id = next.send(2, "/app/chat");
    assert!(!next.client.may_resend(id));
}

#[test]
fn heart_beats_are_sent_when_nothing_else_is() {
    let mut peer = Peer::online("1.2", &[]);
    assert_eq!(peer.client.quiet_ms(), Some(15_000));
    peer.pass(7_499);
    assert!(peer.sent().is_empty());
    peer.pass(1);
    assert_eq!(peer.sent(), ["\n"]);
    peer.pass(5_000);
    peer.send(1, "/queue/a");
    peer.outputs();
    peer.pass(7_000);
    assert!(peer.sent().is_empty(), "something was sent");
    let mut silent = Peer::new(Config::default(), Kept::default(), false);
    silent.says("CONNECTED\nversion:1.2\nheart-beat:0,0\n\n\0");
    silent.outputs();
    silent.pass(1_000_000);
    assert!(silent.sent().is_empty());
    assert_eq!((silent.client.deadline(), silent.client.quiet_ms()), (None, Some(25_000)));
}

#[test]
fn a_stream_is_probed_by_a_receipt() {
    let mut peer = Peer::new(Config::default(), Kept::default(), true);
    peer.says("CONNECTED\nversion:1.2\n\n\0");
    peer.outputs();
    peer.client.probe(peer.now);
    assert_eq!(peer.sent(), ["BEGIN\ntransaction:p-1\n\n", "ABORT\ntransaction:p-1\nreceipt:p-1\n\n"]);
    peer.now = peer.now.plus(12);
    peer.says("RECEIPT\nreceipt-id:p-1\n\n\0");
    assert_eq!(peer.told(), [Output::RoundTrip(12)]);
}

/// What an `ERROR` ends the connection with.
fn end(outputs: Vec<Output>) -> (bool, Option<String>, String) {
    match outputs.last() {
        Some(Output::Close(Why::Refused { of, said, is_final })) => (*is_final, of.clone(), said.clone()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_refused_connect_is_final_unless_it_passes() {
    let refused = |message: &str, body: &str| {
        let mut peer = Peer::new(Config::default(), Kept::default(), false);
        peer.says(&format!("ERROR\nmessage:{message}\n\n{body}\0"));
        end(peer.outputs())
    };
    let of_login = refused("Bad CONNECT", "Access refused for user 'x'\n");
    assert_eq!(of_login, (true, None, "Bad CONNECT: Access refused for user 'x'".into()));
    let of_csrf = refused("Failed to send message to ExecutorSubscribableChannel[clientInboundChannel]", "");
    assert!(of_csrf.0 && of_csrf.2.starts_with("Failed to send"));
    assert!(!refused("Broker not available.", "").0);
}

#[test]
fn a_refused_destination_is_named() {
    let mut peer = Peer::online("1.2", &["/queue/a", "/exchange/x", "/queue/b"]);
    peer.says("RECEIPT\nreceipt-id:s-0\n\n\0");
    peer.says("ERROR\nmessage:not_found\n\nNOT_FOUND - no exchange 'x' in vhost '/'\0");
    let (is_final, of, said) = end(peer.outputs());
    assert_eq!((is_final, of.as_deref()), (true, Some("/exchange/x")));
    assert!(said.contains("no exchange 'x'"));
    let mut peer = Peer::online("1.2", &["/queue/a", "/queue/b"]);
    peer.says("ERROR\nmessage:no\nreceipt-id:s-1\n\n\0");
    assert_eq!(end(peer.outputs()).1.as_deref(), Some("/queue/b"));
}

#[test]
fn a_message_that_ends_the_connection_is_refused_and_the_others_are_not() {
    let mut peer = Peer::online("1.2", &[]);
    let ids = [1, 2, 3].map(|n| peer.send(n, "/exchange/none/x"));
    let error = "ERROR\nmessage:not_found\n\nNOT_FOUND - no exchange 'none'\0";
    peer.says(error);
    let outputs = peer.outputs();
    assert!(
        !outputs.iter().any(|output| matches!(output, Output::Refused(..))),
        "which of them is not known"
    );
    assert!(!end(outputs).0);
    let kept = peer.client.saved();
    assert!(kept.one_by_one);
    let mut next = Peer::new(Config::default(), kept, false);
    next.says("CONNECTED\nversion:1.2\n\n\0");
    next.outputs();
    (1..=3).for_each(|n| _ = next.send(n, "/exchange/none/x"));
    assert_eq!(next.sent().len(), 1);
    next.says(error);
    let outputs = next.outputs();
    assert!(
        matches!(&outputs[1], Output::Refused(id, Refusal::Other { .. }) if *id == ids[0]),
        "{outputs:?}"
    );
    assert!(!end(outputs).0);
    // What may pass is tried again.
    let mut peer = Peer::online("1.2", &[]);
    peer.send(1, "/queue/a");
    peer.says("ERROR\nmessage:connection_forced\n\nbroker shutting down\0");
    assert!(!peer.outputs().iter().any(|output| matches!(output, Output::Refused(..))));
}

#[test]
fn one_by_one_ends_with_the_last_answer() {
    let kept = Kept { one_by_one: true, ..Kept::default() };
    let mut peer = Peer::new(Config::default(), kept, false);
    peer.says("CONNECTED\nversion:1.2\n\n\0");
    peer.outputs();
    let ids = [1, 2].map(|n| peer.send(n, "/queue/a"));
    for id in ids {
        assert_eq!(peer.sent().len(), 1);
        peer.says(&format!("RECEIPT\nreceipt-id:m-{id}\n\n\0"));
    }
    assert!(!peer.client.saved().one_by_one);
}

#[test]
fn it_says_goodbye_once() {
    let mut peer = Peer::online("1.2", &[]);
    let goodbye = frame::Frame::Text("DISCONNECT\nreceipt:goodbye\n\n\0".into());
    assert_eq!((peer.client.goodbye(), peer.client.goodbye()), (Some(goodbye), None));
    assert_eq!(Peer::new(Config::default(), Kept::default(), false).client.goodbye(), None);
}

#[test]
fn a_server_of_activemq_gets_text_without_a_length() {
    let mut peer = Peer::new(Config::default(), Kept::default(), false);
    peer.says("CONNECTED\nversion:1.2\nserver:ActiveMQ/5.18.3\n\n\0");
    peer.outputs();
    peer.send(1, "/queue/a");
    assert!(!peer.sent()[0].contains("content-length"));
}

#[test]
fn what_a_server_closes_three_connections_over_is_refused() {
    let connect = |kept: Kept, destinations: &[&str]| {
        let destinations = destinations.iter().map(|text| Destination::parse(text).unwrap()).collect();
        let mut peer = Peer::new(Config { destinations, ..Config::default() }, kept, false);
        peer.says("CONNECTED\nversion:1.2\n\n\0");
        peer.outputs();
        peer
    };
    let mut kept = Kept::default();
    for round in 1..=3 {
        let mut peer = connect(kept, &["/queue/a", "/exchange/none"]);
        peer.says("RECEIPT\nreceipt-id:s-0\n\n\0");
        let why = peer.client.closed(peer.now.plus(50), "STOMP died");
        let refused =
            Why::Refused { of: Some("/exchange/none".into()), said: "STOMP died".into(), is_final: true };
        assert_eq!(why, (round == 3).then_some(refused));
        kept = peer.client.saved();
    }
    let mut kept = Kept::default();
    for round in 1..=4 {
        let mut peer = connect(kept, &[]);
        peer.send(1, "/exchange/none");
        peer.send(2, "/queue/a");
        // Not at once: nothing is to blame.
        let later = if round == 2 { 60_000 } else { 50 };
        assert_eq!(peer.client.closed(peer.now.plus(later), "STOMP died"), None);
        let refused = peer.outputs().iter().any(|output| matches!(output, Output::Refused(..)));
        assert!(!refused, "round {round}");
        kept = peer.client.saved();
    }
    assert!(kept.one_by_one);
    let mut peer = connect(kept, &[]);
    let id = peer.send(1, "/exchange/none");
    assert_eq!(peer.client.closed(peer.now.plus(50), "STOMP died"), None);
    assert!(matches!(peer.outputs().last(), Some(Output::Refused(refused, _)) if *refused == id));
}
