//! Export and import of connections as text, to move them between computers: everything in a [`Profile`]
//! except its id, and the person's settings for its devices. Never includes credentials.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::address::{self, Address, BadAddress};
use super::device::DeviceId;
use super::device_choices::{self, DeviceChoice};
use super::id::ConnectionId;
use super::profile::{NewerProfile, Profile, Protocol};
use super::proxy::{Proxy, ProxyChoice};
use super::socketio_address::socketio_url;

/// Field that identifies such a text; its value is the format version.
const MARK: &str = "duplex_connections";
/// Format version that is written, and the newest that can be read.
const VERSION: u64 = 1;
/// Maximum number of connections; more are taken for a mistake.
const MAX_CONNECTIONS: usize = 1_000;

/// Why a text cannot be imported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BadList {
    /// Not valid JSON.
    NotJson {
        /// Line of the error, from 1.
        line: usize,
        /// Column of the error, from 1.
        column: usize,
    },
    /// Not a list of connections.
    NotConnections,
    /// Written by a later version of this program.
    Newer,
    /// A connection is invalid.
    Entry {
        /// Its index, from 1.
        number: usize,
        /// The parser's error message.
        detail: String,
    },
    /// A connection has a type that only a later version supports.
    NewerEntry {
        /// Its index, from 1.
        number: usize,
    },
    /// A connection has an invalid address.
    Address {
        /// Its index, from 1.
        number: usize,
        /// What is wrong with it.
        bad: BadAddress,
    },
}

/// Field of a connection with the person's settings for its devices.
const DEVICES: &str = "devices";

/// A connection on its way between computers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// The connection.
    pub profile: Profile,
    /// The person's settings for its devices.
    pub devices: BTreeMap<DeviceId, DeviceChoice>,
}

/// Exports connections as text.
pub fn export<'a>(connections: impl IntoIterator<Item = &'a Moved>) -> String {
    let entry = |moved: &Moved| {
        let mut fields = match serde_json::to_value(&moved.profile) {
            Ok(Value::Object(fields)) => fields,
            _ => Map::new(),
        };
        fields.remove("id");
        if !moved.devices.is_empty() {
            fields.insert(DEVICES.to_owned(), device_choices::write_list(&moved.devices).into());
        }
        Value::Object(fields)
    };
    let connections: Vec<Value> = connections.into_iter().map(entry).collect();
    let list = json!({ MARK: VERSION, "connections": connections });
    format!("{list:#}\n")
}

/// Imports connections from text. They have no id yet.
///
/// # Errors
/// If anything in it is invalid; nothing is imported then.
pub fn import(text: &str) -> Result<Vec<Moved>, BadList> {
    let list: Value = serde_json::from_str(text)
        .map_err(|error| BadList::NotJson { line: error.line(), column: error.column() })?;
    match list.get(MARK).and_then(Value::as_u64) {
        Some(VERSION) => {}
        Some(later) if later > VERSION => return Err(BadList::Newer),
        _ => return Err(BadList::NotConnections),
    }
    let Some(Value::Array(entries)) = list.get("connections") else { return Err(BadList::NotConnections) };
    if entries.len() > MAX_CONNECTIONS {
        return Err(BadList::NotConnections);
    }
    entries.iter().enumerate().map(|(at, entry)| one(at + 1, entry)).collect()
}

fn one(number: usize, entry: &Value) -> Result<Moved, BadList> {
    let bad = |detail: String| BadList::Entry { number, detail };
    let Value::Object(fields) = entry else { return Err(bad("it is not an object".to_owned())) };
    let mut fields = fields.clone();
    let devices = match fields.remove(DEVICES) {
        None => BTreeMap::new(),
        Some(Value::Array(list)) => device_choices::read_list(list).map_err(bad)?,
        Some(_) => return Err(bad("its devices are not a list".to_owned())),
    };
    fields.insert("id".to_owned(), 0.into());
    if NewerProfile::has_unknown_words(&fields) {
        return Err(BadList::NewerEntry { number });
    }
    let mut profile: Profile =
        serde_json::from_value(Value::Object(fields)).map_err(|error| bad(error.to_string()))?;
    profile.websocket.check().map_err(|problem| bad(problem.to_string()))?;
    if let ProxyChoice::Unreadable(text) = &profile.network.proxy {
        let what =
            Proxy::parse(text).map_or_else(|bad| bad.to_string(), |_| "the proxy has a password".to_owned());
        return Err(bad(what));
    }
    profile.id = ConnectionId(0);
    if profile.urls.is_empty() {
        return Err(BadList::Address { number, bad: BadAddress::Empty });
    }
    for url in &mut profile.urls {
        let read = match profile.protocol {
            // An invite is a credential and is not exported.
            Protocol::Duplex => Address::parse(url).map(|address| address.url),
            Protocol::WebSocket => address::websocket_url(url),
            Protocol::SocketIo => socketio_url(url),
            Protocol::Stomp => address::stomp_url(url),
            Protocol::Mqtt => address::mqtt_url(url),
        };
        *url = read.map_err(|bad| BadList::Address { number, bad })?;
    }
    Ok(Moved { profile, devices })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::profile::{FrameFormat, Snippet, Socket, WebSocketOptions};

    fn profile(id: u64, name: &str) -> Profile {
        Profile {
            id: ConnectionId(id),
            name: name.into(),
            urls: vec!["wss://a.example/v1/socket".into(), "wss://b.example/v1/socket".into()],
            protocol: Protocol::Duplex,
            socket: Socket::Ewebsock,
            route: Default::default(),
            ca_file: Some("/etc/ca.pem".into()),
            fingerprint: Some("ab".repeat(32)),
            auto_connect: false,
            websocket: Default::default(),
            network: Default::default(),
        }
    }

    /// Without settings for devices.
    fn bare(profile: Profile) -> Moved {
        Moved { profile, devices: BTreeMap::new() }
    }

    #[test]
    fn an_export_is_imported_completely_and_in_order() {
        let kiln = DeviceId::new("kiln").unwrap();
        let choice = json!({
            "name": "가마", "pinned": true, "readings": {"t1": {"name": "Flue", "unit": "°C"}}, "later": 1,
        });
        let choice: DeviceChoice = serde_json::from_value(choice).unwrap();
        let mut all = [bare(profile(3, "작업실")), bare(profile(9, "two"))];
        all[1].devices.insert(kiln, choice);
        let read = import(&export(&all)).unwrap();
        all.iter_mut().for_each(|moved| moved.profile.id = ConnectionId(0));
        assert_eq!(read, all);
        assert_eq!(import(&export(&[])), Ok(vec![]));
    }

    #[test]
    fn a_plain_websocket_is_exported_without_its_secrets() {
        let snippet = Snippet { name: "핑".into(), text: "{\"a\":1}".into(), format: FrameFormat::Json };
        let websocket = WebSocketOptions {
            subprotocols: vec!["v12.stomp".into()],
            headers: vec!["X-Api-Key".into()],
            user: "me".into(),
            reconnect: false,
            format: FrameFormat::Hex,
            snippets: vec![snippet],
            ..WebSocketOptions::default()
        };
        let urls = vec!["wss://echo.example/?x=1,2".into(), "ws://[::1]:9000/".into()];
        let plain = Profile { urls, protocol: Protocol::WebSocket, websocket, ..profile(4, "echo") };
        let read = import(&export([&bare(plain.clone())])).unwrap();
        assert_eq!(read, [bare(Profile { id: ConnectionId(0), ..plain.clone() })]);
        let bad = Profile { urls: vec!["ws://me:secret@x/".into()], ..plain.clone() };
        let bad = import(&export([&bare(bad)]));
        assert_eq!(bad, Err(BadList::Address { number: 1, bad: BadAddress::Userinfo }));
        let mut bad = plain;
        bad.websocket.headers.push("Host".into());
        assert!(matches!(import(&export([&bare(bad)])), Err(BadList::Entry { number: 1, .. })));
    }

    #[test]
    fn errors_say_where_and_what() {
        assert_eq!(import("{\n \"a\": }"), Err(BadList::NotJson { line: 2, column: 7 }));
        for other in
            ["[]", "{}", "7", r#"{"duplex_connections":1}"#, r#"{"duplex_connections":"1","connections":[]}"#]
        {
            assert_eq!(import(other), Err(BadList::NotConnections), "{other}");
        }
        assert_eq!(import(r#"{"duplex_connections":2,"connections":[]}"#), Err(BadList::Newer));
        let with = |entry: &str| import(&format!(r#"{{"duplex_connections":1,"connections":[{entry}]}}"#));
        assert!(matches!(with("7"), Err(BadList::Entry { number: 1, .. })));
        assert!(matches!(with(r#"{"name":"x"}"#), Err(BadList::Entry { number: 1, .. })));
        let newer = with(r#"{"name":"x","urls":["ws://x"],"protocol":"amqp"}"#);
        assert_eq!(newer, Err(BadList::NewerEntry { number: 1 }));
        let no_url = with(r#"{"name":"x","urls":[]}"#);
        assert_eq!(no_url, Err(BadList::Address { number: 1, bad: BadAddress::Empty }));
        let bad = with(r#"{"name":"x","urls":["ftp://x"]}"#);
        assert!(matches!(bad, Err(BadList::Address { number: 1, .. })), "{bad:?}");
        for devices in ["7", "[7]", r#"[{"device":""}]"#, r#"[{"device":"a","name":7}]"#] {
            let bad = with(&format!(r#"{{"name":"x","urls":["ws://x"],"devices":{devices}}}"#));
            assert!(matches!(bad, Err(BadList::Entry { number: 1, .. })), "{devices}: {bad:?}");
        }
    }
}
