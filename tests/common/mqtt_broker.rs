//! A small MQTT broker for tests: both versions over TCP, QoS 0 to 2 both ways, sessions, retained messages, wills. It forgets nothing
//! while it lives, and can cut its connections at any moment.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use duplex::model::mqtt::matches;
use mqtt_protocol_core::mqtt::packet::prelude::PropertyValueAccess;
use mqtt_protocol_core::mqtt::packet::{Property, Qos, SubscriptionIdentifier, v3_1_1, v5_0};
use mqtt_protocol_core::mqtt::result_code::{
    ConnectReasonCode, ConnectReturnCode, SubackReasonCode, SubackReturnCode,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{broadcast, mpsc};

/// What a broker does.
#[derive(Copy, Clone, Debug, Default)]
pub struct Policy {
    /// It knows only version 3.1.1, and closes others without a word.
    pub is_old: bool,
    /// It cuts a connection instead of sending its next acknowledgement of this kind (the first half of the first byte), once.
    pub cuts_at: Option<u8>,
}

#[derive(Clone, Debug)]
struct Message {
    topic: String,
    payload: Vec<u8>,
    qos: u8,
    retained: bool,
    number: Option<u32>,
}

#[derive(Default)]
struct Session {
    version: u8,
    /// Filters with their QoS, number and whether own messages come back.
    filters: Vec<(String, u8, Option<u32>, bool)>,
    connection: Option<(u64, mpsc::UnboundedSender<Vec<u8>>)>,
    queue: VecDeque<Message>,
    /// What was sent with QoS 1 and 2; `None`: released.
    under_way: BTreeMap<u16, Option<Message>>,
    taken: BTreeSet<u16>,
    next_id: u16,
}

#[derive(Default)]
struct State {
    policy: Policy,
    sessions: HashMap<String, Session>,
    retained: BTreeMap<String, Vec<u8>>,
    /// Every message that a client published, once: topic and payload.
    got: Vec<(String, Vec<u8>)>,
    connections: u64,
}

/// A running broker.
pub struct Broker {
    pub url: String,
    state: Arc<Mutex<State>>,
    cut: broadcast::Sender<()>,
}

impl Broker {
    pub async fn start(policy: Policy) -> Broker {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("mqtt://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State { policy, ..State::default() }));
        let (cut, _) = broadcast::channel(1);
        let (shared, cuts) = (Arc::clone(&state), cut.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&shared), cuts.subscribe()));
            }
        });
        Broker { url, state, cut }
    }

    /// Cuts all connections.
    pub fn cut(&self) {
        // Nobody may be connected.
        let _ = self.cut.send(());
    }

    pub fn change(&self, change: impl FnOnce(&mut Policy)) {
        change(&mut self.state.lock().unwrap().policy);
    }

    /// What came on a topic, as text.
    pub fn got(&self, topic: &str) -> Vec<String> {
        let state = self.state.lock().unwrap();
        let of_topic = state.got.iter().filter(|(known, _)| known == topic);
        of_topic.map(|(_, payload)| String::from_utf8_lossy(payload).into_owned()).collect()
    }

    /// What is retained on a topic, as text.
    pub fn retained(&self, topic: &str) -> Option<String> {
        let state = self.state.lock().unwrap();
        state.retained.get(topic).map(|payload| String::from_utf8_lossy(payload).into_owned())
    }

    /// Publishes a message of nobody.
    pub fn publish(&self, topic: &str, payload: &str, qos: u8) {
        self.say(topic, payload, qos, false);
    }

    /// Publishes one that is retained.
    pub fn retain(&self, topic: &str, payload: &str) {
        self.say(topic, payload, 0, true);
    }

    fn say(&self, topic: &str, payload: &str, qos: u8, retained: bool) {
        let (topic, payload) = (topic.to_owned(), payload.as_bytes().to_vec());
        self.state.lock().unwrap().publish("", Message { topic, payload, qos, retained, number: None });
    }

    /// The number of connections so far.
    pub fn connections(&self) -> u64 {
        self.state.lock().unwrap().connections
    }
}

fn qos_of(number: u8) -> Qos {
    match number {
        0 => Qos::AtMostOnce,
        1 => Qos::AtLeastOnce,
        _ => Qos::ExactlyOnce,
    }
}

fn number_of(qos: Qos) -> u8 {
    match qos {
        Qos::AtMostOnce => 0,
        Qos::AtLeastOnce => 1,
        Qos::ExactlyOnce => 2,
    }
}

impl Message {
    fn encode(&self, version: u8, id: Option<u16>, dup: bool) -> Vec<u8> {
        if version == 4 {
            let packet = v3_1_1::Publish::builder().topic_name(self.topic.as_str()).unwrap();
            let packet = packet.qos(qos_of(self.qos)).retain(self.retained).dup(dup).packet_id(id);
            return packet.payload(self.payload.as_slice()).build().unwrap().to_continuous_buffer();
        }
        let number = |n| Property::SubscriptionIdentifier(SubscriptionIdentifier::new(n).unwrap());
        let packet = v5_0::Publish::builder().topic_name(self.topic.as_str()).unwrap();
        let packet = packet.qos(qos_of(self.qos)).retain(self.retained).dup(dup).packet_id(id);
        let packet = packet.props(self.number.map(number).into_iter().collect::<Vec<_>>());
        packet.payload(self.payload.as_slice()).build().unwrap().to_continuous_buffer()
    }
}

impl Session {
    /// Sends what waits.
    fn flush(&mut self) {
        let Some((_, out)) = &self.connection else { return };
        while let Some(message) = self.queue.pop_front() {
            let id = (message.qos > 0).then(|| {
                self.next_id = self.next_id.checked_add(1).unwrap_or(1);
                self.under_way.insert(self.next_id, Some(message.clone()));
                self.next_id
            });
            // The connection may have ended.
            let _ = out.send(message.encode(self.version, id, false));
        }
    }

    fn again(&mut self) {
        let Some((_, out)) = &self.connection else { return };
        for (id, message) in &self.under_way {
            let [high, low] = id.to_be_bytes();
            let packet = match message {
                Some(message) => message.encode(self.version, Some(*id), true),
                None => vec![0x62, 2, high, low],
            };
            let _ = out.send(packet);
        }
    }
}

impl State {
    fn publish(&mut self, from: &str, message: Message) {
        if message.retained {
            match message.payload.is_empty() {
                true => _ = self.retained.remove(&message.topic),
                false => _ = self.retained.insert(message.topic.clone(), message.payload.clone()),
            }
        }
        for (client, session) in &mut self.sessions {
            for (filter, qos, number, no_local) in session.filters.clone() {
                if matches(&filter, &message.topic) && !(no_local && client == from) {
                    let qos = qos.min(message.qos);
                    if qos > 0 || session.connection.is_some() {
                        let copy = Message { qos, number, retained: false, ..message.clone() };
                        session.queue.push_back(copy);
                    }
                }
            }
            session.flush();
        }
    }
}

/// Serves one connection.
#[allow(clippy::disallowed_methods, reason = "a broker of tests keeps what its clients do not read")]
async fn serve(stream: TcpStream, state: Arc<Mutex<State>>, mut cuts: broadcast::Receiver<()>) {
    let (mut reader, mut writer) = stream.into_split();
    let (out, mut outgoing) = mpsc::unbounded_channel::<Vec<u8>>();
    let mut client = Client { state, out, id: String::new(), version: 0, connection: 0, will: None };
    let mut buffer = Vec::new();
    let mut piece = vec![0; 64 * 1024];
    let lost = loop {
        tokio::select! {
            _ = cuts.recv() => break true,
            read = reader.read(&mut piece) => match read {
                Ok(size) if size > 0 => buffer.extend_from_slice(&piece[..size]),
                _ => break true,
            },
            packet = outgoing.recv() => {
                if writer.write_all(&packet.unwrap()).await.is_err() {
                    break true;
                }
                continue;
            }
        }
        let mut ends = None;
        while let Some((first, body, total)) = cut_off(&buffer) {
            ends = client.packet(first, &body);
            buffer.drain(..total);
            if ends.is_some() {
                break;
            }
        }
        if let Some(lost) = ends {
            // What was answered before goes out.
            while let Ok(packet) = outgoing.try_recv() {
                let _ = writer.write_all(&packet).await;
            }
            break lost;
        }
    };
    client.gone(lost);
}

/// The first packet: its first byte, what follows its length, and how long it is.
fn cut_off(buffer: &[u8]) -> Option<(u8, Vec<u8>, usize)> {
    let (mut length, mut at) = (0, 1);
    loop {
        let byte = *buffer.get(at)?;
        length |= usize::from(byte & 0x7F) << (7 * (at - 1));
        at += 1;
        if byte & 0x80 == 0 {
            break;
        }
    }
    Some((*buffer.first()?, buffer.get(at..at + length)?.to_vec(), at + length))
}

struct Client {
    state: Arc<Mutex<State>>,
    out: mpsc::UnboundedSender<Vec<u8>>,
    id: String,
    version: u8,
    connection: u64,
    will: Option<Message>,
}

impl Client {
    /// Handles a packet. `Some`: the connection ends; `true`: it counts as lost.
    fn packet(&mut self, first: u8, body: &[u8]) -> Option<bool> {
        if self.version == 0 && (first >> 4 != 1 || body.get(2..6) != Some(b"MQTT") || body.len() < 10) {
            // This is no MQTT.
            return Some(true);
        }
        let shared = Arc::clone(&self.state);
        let mut state = shared.lock().unwrap();
        let id_at = |at: usize| u16::from_be_bytes([body[at], body[at + 1]]);
        let answer = match first >> 4 {
            1 => return self.connect(&mut state, body),
            3 => self.publish(&mut state, first, body),
            8 => Some(self.subscribe(&mut state, body)),
            10 => Some(match self.version {
                4 => vec![0xB0, 2, body[0], body[1]],
                _ => vec![0xB0, 4, body[0], body[1], 0, 0],
            }),
            12 => Some(vec![0xD0, 0]),
            14 => {
                self.will = None;
                return Some(false);
            }
            kind => {
                let session = state.sessions.get_mut(&self.id)?;
                let id = id_at(0);
                match kind {
                    4 | 7 => {
                        session.under_way.remove(&id);
                        None
                    }
                    5 => {
                        session.under_way.insert(id, None);
                        Some(vec![0x62, 2, body[0], body[1]])
                    }
                    6 => {
                        session.taken.remove(&id);
                        Some(vec![0x70, 2, body[0], body[1]])
                    }
                    kind => panic!("a packet of type {kind}"),
                }
            }
        };
        if let Some(answer) = answer {
            if state.policy.cuts_at == Some(answer[0] >> 4) {
                state.policy.cuts_at = None;
                return Some(true);
            }
            let _ = self.out.send(answer);
        }
        None
    }

    fn connect(&mut self, state: &mut State, body: &[u8]) -> Option<bool> {
        self.version = body[6];
        state.connections += 1;
        if state.policy.is_old && self.version == 5 {
            return Some(true);
        }
        let (id, clean, will, password) = if self.version == 5 {
            let (connect, _) = v5_0::Connect::parse(body).unwrap();
            let will = connect.will_topic().zip(connect.will_payload());
            let will = will.map(|(topic, payload)| (topic.to_owned(), payload.to_vec()));
            (
                connect.client_id().to_owned(),
                connect.clean_start(),
                will,
                connect.password().map(<[u8]>::to_vec),
            )
        } else {
            let (connect, _) = v3_1_1::Connect::parse(body).unwrap();
            let will = connect.will_topic().zip(connect.will_payload());
            let will = will.map(|(topic, payload)| (topic.to_owned(), payload.to_vec()));
            (
                connect.client_id().to_owned(),
                connect.clean_session(),
                will,
                connect.password().map(<[u8]>::to_vec),
            )
        };
        let is_good = password.is_none_or(|password| password == b"right");
        if clean {
            state.sessions.remove(&id);
        }
        let is_present = state.sessions.contains_key(&id);
        let connack = match self.version {
            5 => v5_0::Connack::builder()
                .session_present(is_present && is_good)
                .reason_code(if is_good {
                    ConnectReasonCode::Success
                } else {
                    ConnectReasonCode::BadUserNameOrPassword
                })
                .build()
                .unwrap()
                .to_continuous_buffer(),
            _ => v3_1_1::Connack::builder()
                .session_present(is_present && is_good)
                .return_code(if is_good {
                    ConnectReturnCode::Accepted
                } else {
                    ConnectReturnCode::BadUserNameOrPassword
                })
                .build()
                .unwrap()
                .to_continuous_buffer(),
        };
        let _ = self.out.send(connack);
        if !is_good {
            return Some(false);
        }
        self.will =
            will.map(|(topic, payload)| Message { topic, payload, qos: 1, retained: true, number: None });
        self.connection = state.connections;
        self.id.clone_from(&id);
        let session = state.sessions.entry(id).or_default();
        if let Some((_, other)) = session.connection.replace((self.connection, self.out.clone())) {
            // MQTT-3.1.4-3: the other connection of this client ends.
            let _ = other.send(vec![0xE0, 1, 0x8E]);
        }
        session.version = self.version;
        session.again();
        session.flush();
        None
    }

    /// Returns the acknowledgement.
    fn publish(&mut self, state: &mut State, first: u8, body: &[u8]) -> Option<Vec<u8>> {
        let flags = first & 0x0F;
        let (topic, payload, qos, id) = if self.version == 5 {
            let (publish, _) = v5_0::Publish::parse(flags, body.into()).unwrap();
            let payload = publish.payload().as_slice().to_vec();
            (publish.topic_name().to_owned(), payload, number_of(publish.qos()), publish.packet_id())
        } else {
            let (publish, _) = v3_1_1::Publish::parse(flags, body.into()).unwrap();
            let payload = publish.payload().as_slice().to_vec();
            (publish.topic_name().to_owned(), payload, number_of(publish.qos()), publish.packet_id())
        };
        let session = state.sessions.get_mut(&self.id)?;
        let is_new = qos < 2 || id.is_some_and(|id| session.taken.insert(id));
        if is_new {
            state.got.push((topic.clone(), payload.clone()));
            let retained = flags & 1 != 0;
            state.publish(&self.id, Message { topic, payload, qos, retained, number: None });
        }
        let [high, low] = id?.to_be_bytes();
        Some(vec![if qos == 2 { 0x50 } else { 0x40 }, 2, high, low])
    }

    fn subscribe(&mut self, state: &mut State, body: &[u8]) -> Vec<u8> {
        let id = u16::from_be_bytes([body[0], body[1]]);
        let (entries, number) = if self.version == 5 {
            let (subscribe, _) = v5_0::Subscribe::parse(body).unwrap();
            let number = subscribe.props().iter().find_map(|property| match property {
                Property::SubscriptionIdentifier(_) => property.as_u32(),
                _ => None,
            });
            (subscribe.entries().to_vec(), number)
        } else {
            (v3_1_1::Subscribe::parse(body).unwrap().0.entries().to_vec(), None)
        };
        let retained = state.retained.clone();
        let Some(session) = state.sessions.get_mut(&self.id) else { return Vec::new() };
        let mut granted = Vec::new();
        for entry in &entries {
            let (filter, options) = (entry.topic_filter().to_owned(), entry.sub_opts());
            let qos = number_of(options.qos());
            session.filters.retain(|(known, ..)| *known != filter);
            for (topic, payload) in retained.iter().filter(|(topic, _)| matches(&filter, topic)) {
                let (topic, payload) = (topic.clone(), payload.clone());
                session.queue.push_back(Message { topic, payload, qos: qos.min(1), retained: true, number });
            }
            session.filters.push((filter, qos, number, options.nl()));
            granted.push(qos);
        }
        session.flush();
        if self.version == 5 {
            let codes = granted.into_iter().map(|qos| SubackReasonCode::try_from(qos).unwrap()).collect();
            let suback = v5_0::Suback::builder().packet_id(id).reason_codes(codes);
            return suback.build().unwrap().to_continuous_buffer();
        }
        let codes: Vec<_> = granted.into_iter().map(|qos| SubackReturnCode::try_from(qos).unwrap()).collect();
        v3_1_1::Suback::builder().packet_id(id).return_codes(codes).build().unwrap().to_continuous_buffer()
    }

    fn gone(&mut self, lost: bool) {
        let mut state = self.state.lock().unwrap();
        if let Some(session) = state.sessions.get_mut(&self.id)
            && session.connection.as_ref().is_some_and(|(connection, _)| *connection == self.connection)
        {
            session.connection = None;
        }
        if let Some(will) = self.will.take().filter(|_| lost) {
            state.publish("", will);
        }
    }
}
