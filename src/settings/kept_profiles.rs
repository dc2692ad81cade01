//! [`KeptProfiles`]: the connections as the settings file has them. A profile of a protocol or a transport that this version
//! does not know, and fields that it does not know of others, are written again as they were read.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::{Map, Value};

use crate::model::ConnectionId;
use crate::model::profile::{NewerProfile, Profile};

/// The fields of a profile that this version knows.
const KNOWN: [&str; 11] = [
    "id",
    "name",
    "urls",
    "protocol",
    "socket",
    "route",
    "ca_file",
    "fingerprint",
    "auto_connect",
    "websocket",
    "network",
];
/// Longest name shown of a profile that this version does not know, in characters.
const MAX_NAME_CHARS: usize = 200;

/// One entry of the list.
#[derive(Clone, Debug, PartialEq)]
enum Kept {
    Known { profile: Box<Profile>, unknown: Map<String, Value> },
    Newer { id: ConnectionId, fields: Map<String, Value> },
}

impl Kept {
    fn id(&self) -> ConnectionId {
        match self {
            Kept::Known { profile, .. } => profile.id,
            Kept::Newer { id, .. } => *id,
        }
    }
}

/// Connections, in the person's order.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct KeptProfiles(Vec<Kept>);

impl KeptProfiles {
    /// Those that this version can connect.
    pub(super) fn known(&self) -> impl Iterator<Item = &Profile> {
        self.0.iter().filter_map(|kept| match kept {
            Kept::Known { profile, .. } => Some(&**profile),
            Kept::Newer { .. } => None,
        })
    }

    /// For changing them; their ids stay.
    pub(super) fn known_mut(&mut self) -> impl Iterator<Item = &mut Profile> {
        self.0.iter_mut().filter_map(|kept| match kept {
            Kept::Known { profile, .. } => Some(&mut **profile),
            Kept::Newer { .. } => None,
        })
    }

    /// The others, as far as they can be told.
    pub(super) fn newer(&self) -> Vec<NewerProfile> {
        let text = |fields: &Map<String, Value>, name: &str| {
            let text = fields.get(name).and_then(Value::as_str).unwrap_or_default();
            text.chars().take(MAX_NAME_CHARS).collect::<String>()
        };
        let newer = self.0.iter().filter_map(|kept| match kept {
            Kept::Newer { id, fields } => {
                Some(NewerProfile { id: *id, name: text(fields, "name"), protocol: text(fields, "protocol") })
            }
            Kept::Known { .. } => None,
        });
        newer.collect()
    }

    /// Adds a connection, or changes the one with its id.
    pub(super) fn set(&mut self, new: Profile) {
        let known = self.0.iter_mut().find_map(|kept| match kept {
            Kept::Known { profile, .. } if profile.id == new.id => Some(profile),
            _ => None,
        });
        match known {
            Some(profile) => **profile = new,
            None => self.0.push(Kept::Known { profile: Box::new(new), unknown: Map::new() }),
        }
    }

    /// Takes a connection out, whether it is known or not.
    pub(super) fn remove(&mut self, id: ConnectionId) {
        self.0.retain(|kept| kept.id() != id);
    }

    /// The highest id; 0 where there is none.
    pub(super) fn highest_id(&self) -> u64 {
        self.0.iter().map(|kept| kept.id().0).max().unwrap_or(0)
    }
}

impl Serialize for KeptProfiles {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|kept| match kept {
            Kept::Known { profile, unknown } => {
                let mut fields = match serde_json::to_value(profile) {
                    Ok(Value::Object(fields)) => fields,
                    _ => Map::new(),
                };
                fields.extend(unknown.clone());
                fields
            }
            Kept::Newer { fields, .. } => fields.clone(),
        }))
    }
}

impl<'de> Deserialize<'de> for KeptProfiles {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let all = Vec::<Map<String, Value>>::deserialize(deserializer)?;
        all.into_iter().map(read).collect::<Result<_, _>>().map(KeptProfiles).map_err(de::Error::custom)
    }
}

fn read(fields: Map<String, Value>) -> Result<Kept, serde_json::Error> {
    match Profile::deserialize(Value::Object(fields.clone())) {
        Ok(profile) => {
            let unknown = fields.into_iter().filter(|(name, _)| !KNOWN.contains(&name.as_str())).collect();
            Ok(Kept::Known { profile: Box::new(profile), unknown })
        }
        Err(error) => match fields.get("id").and_then(Value::as_u64) {
            Some(id) if NewerProfile::has_unknown_words(&fields) => {
                Ok(Kept::Newer { id: ConnectionId(id), fields })
            }
            _ => Err(error),
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read_list(list: &Value) -> KeptProfiles {
        serde_json::from_value(list.clone()).unwrap()
    }

    #[test]
    fn what_a_newer_version_wrote_is_written_again_as_it_was() {
        let list = json!([
            {"id": 3, "name": "Home", "urls": ["ws://a/v1/socket"], "protocol": "duplex", "socket": "tungstenite",
             "auto_connect": true, "nodes": ["a", {"b": 1.5}]},
            {"id": 7, "name": "Broker", "protocol": "amqp", "urls": "amqp://b", "amqp": {"qos": 2}},
            {"id": 8, "name": "Poll", "protocol": "duplex", "urls": ["https://c"], "socket": "long_polling"},
            {"id": 9, "name": "Quick", "protocol": "duplex", "urls": ["https://d"], "route": "webtransport"},
        ]);
        let mut read = read_list(&list);
        assert_eq!(serde_json::to_value(&read).unwrap(), list);
        assert_eq!(read.known().map(|profile| profile.id.0).collect::<Vec<_>>(), [3]);
        let newer = read.newer();
        assert_eq!(
            (newer[0].id.0, newer[0].name.as_str(), newer[0].protocol.as_str()),
            (7, "Broker", "amqp")
        );
        assert_eq!(read.highest_id(), 9);
        let mut changed = read.known().next().unwrap().clone();
        changed.name = "Workshop".into();
        read.set(changed);
        read.remove(ConnectionId(9));
        let mut expected = list;
        expected[0]["name"] = "Workshop".into();
        expected.as_array_mut().unwrap().pop();
        assert_eq!(serde_json::to_value(&read).unwrap(), expected);
    }

    #[test]
    fn what_no_version_would_write_is_damage() {
        for damage in [
            json!([7]),
            json!([{"id": 3, "name": "x"}]),
            json!([{"id": 3, "name": "x", "urls": ["ws://a"], "protocol": 7}]),
            json!([{"id": "3", "name": "x", "urls": [], "protocol": "amqp"}]),
        ] {
            assert!(serde_json::from_value::<KeptProfiles>(damage.clone()).is_err(), "{damage}");
        }
    }

    #[test]
    fn every_field_of_a_profile_is_known() {
        let full = Profile {
            id: ConnectionId(3),
            name: "x".into(),
            urls: vec![],
            protocol: Default::default(),
            socket: Default::default(),
            route: crate::model::RouteChoice::Only(crate::model::Route::Sse),
            ca_file: Some("x".into()),
            fingerprint: Some("x".into()),
            auto_connect: true,
            websocket: crate::model::profile::WebSocketOptions { reconnect: false, ..Default::default() },
            network: crate::model::profile::NetworkOptions {
                proxy: crate::model::proxy::ProxyChoice::None,
                proxy_password: Some(crate::model::profile::Secret::new("in the keyring")),
                client_certificate: None,
            },
        };
        let Ok(Value::Object(fields)) = serde_json::to_value(&full) else { panic!() };
        assert_eq!(fields.len(), KNOWN.len());
        assert!(fields.keys().all(|name| KNOWN.contains(&name.as_str())));
    }
}
