//! [`Config`]: a discovery message as it would be written in full: abbreviations expanded, `~` replaced, the device apart.

use serde_json::{Map, Value as Json};

use super::words;
use crate::mapping::mqtt::{json, text};
use crate::model::mqtt::HOME_ASSISTANT_COMPONENTS as COMPONENTS;

/// Maximum number of components of one device-based message.
const MAX_COMPONENTS: usize = 512;
/// Maximum number of availability topics of an entity.
const MAX_AVAILABILITY: usize = 16;

/// A device as a discovery message describes it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct DeviceInfo {
    /// Keys that no other device has.
    pub keys: Vec<String>,
    /// The first identifier.
    pub id: String,
    pub name: String,
    pub attributes: Vec<(&'static str, String)>,
}

/// An entity as a discovery message describes it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Config {
    pub component: String,
    /// What tells it from other entities of the same message.
    pub id: String,
    /// The node and the object of its topic.
    pub node: String,
    pub object: String,
    pub device: Option<DeviceInfo>,
    pub fields: Map<String, Json>,
}

/// The part of a topic that says what is discovered: component, node and object. `None` if it is no discovery topic.
pub(super) fn place(topic: &str) -> Option<(&str, &str, &str)> {
    let path = topic.strip_suffix("/config")?;
    let (_, mut rest) = path.split_once('/')?;
    loop {
        let (level, after) = rest.split_once('/')?;
        if level == "device" || COMPONENTS.contains(&level) {
            // Some senders use more than one level for the node.
            let (node, object) = after.rsplit_once('/').unwrap_or(("", after));
            return Some((level, node, object));
        }
        rest = after;
    }
}

/// What a discovery message describes. `None` if it is none.
pub(super) fn read(topic: &str, payload: Map<String, Json>) -> Option<Vec<Config>> {
    let (component, node, object) = place(topic)?;
    let shared = expanded(payload);
    let device = shared.get("device").and_then(Json::as_object).map(device_info);
    if component != "device" {
        let is_config =
            shared.keys().any(|key| key.ends_with("topic") || key == "availability" || key == "device");
        let config = Config {
            component: component.to_owned(),
            id: String::new(),
            node: node.to_owned(),
            object: object.to_owned(),
            device,
            fields: shared,
        };
        return is_config.then(|| vec![config]);
    }
    let components = shared.get("components")?.as_object()?;
    let configs = components.iter().take(MAX_COMPONENTS).filter_map(|(id, own)| {
        let mut own = expanded_within(own.as_object()?.clone(), shared.get("~"));
        let component = own.get("platform")?.as_str()?.to_owned();
        // Only its platform: it is removed.
        if own.len() < 2 {
            return None;
        }
        for (key, value) in &shared {
            let is_shared =
                !matches!(key.as_str(), "components" | "device" | "origin" | "~" | "name" | "unique_id");
            if is_shared && !own.contains_key(key) {
                own.insert(key.clone(), value.clone());
            }
        }
        let device = device.clone();
        Some(Config {
            component,
            id: id.clone(),
            node: node.to_owned(),
            object: id.clone(),
            device,
            fields: own,
        })
    });
    Some(configs.filter(|config| COMPONENTS.contains(&config.component.as_str())).collect())
}

fn expanded(payload: Map<String, Json>) -> Map<String, Json> {
    let base = payload.get("~").cloned();
    expanded_within(payload, base.as_ref())
}

fn expanded_within(payload: Map<String, Json>, outer: Option<&Json>) -> Map<String, Json> {
    let base = payload.get("~").or(outer).and_then(Json::as_str).unwrap_or_default().to_owned();
    let mut full = Map::new();
    for (key, value) in payload {
        let key = words::full(&key).to_owned();
        let value = match (key.as_str(), value) {
            ("device", Json::Object(device)) => {
                let fields =
                    device.into_iter().map(|(key, value)| (words::full_of_device(&key).to_owned(), value));
                Json::Object(fields.collect())
            }
            ("availability", Json::Array(items)) => {
                let items = items.into_iter().take(MAX_AVAILABILITY).map(|item| match item {
                    Json::Object(item) => Json::Object(
                        item.into_iter().map(|(key, value)| full_pair(&key, value, &base)).collect(),
                    ),
                    other => other,
                });
                Json::Array(items.collect())
            }
            ("availability", Json::Object(item)) => {
                Json::Object(item.into_iter().map(|(key, value)| full_pair(&key, value, &base)).collect())
            }
            (key, value) => with_base(key, value, &base),
        };
        full.insert(key, value);
    }
    full
}

fn full_pair(key: &str, value: Json, base: &str) -> (String, Json) {
    let key = words::full(key);
    (key.to_owned(), with_base(key, value, base))
}

fn with_base(key: &str, value: Json, base: &str) -> Json {
    let Json::String(topic) = &value else { return value };
    if base.is_empty() || !key.ends_with("topic") {
        return value;
    }
    if let Some(rest) = topic.strip_prefix('~') {
        return Json::String(format!("{base}{rest}"));
    }
    match topic.strip_suffix('~') {
        Some(rest) => Json::String(format!("{rest}{base}")),
        None => value,
    }
}

/// A MAC address in one form; `None` if it is none.
pub(in super::super) fn mac(text: &str) -> Option<String> {
    let digits: String = text.chars().filter(|c| !matches!(c, ':' | '-' | '.')).collect();
    let is_mac = digits.len() == 12 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_mac.then(|| digits.to_ascii_uppercase())
}

/// The key of an identifier, by which other conventions know the device, too.
fn identifier(id: &str) -> String {
    let id = id.trim();
    if let Some(address) = id.strip_prefix("zigbee2mqtt_").filter(|rest| rest.starts_with("0x")) {
        return format!("ieee:{address}");
    }
    match mac(id) {
        Some(mac) => format!("mac:{mac}"),
        None => format!("ha:{id}"),
    }
}

fn device_info(device: &Map<String, Json>) -> DeviceInfo {
    let text_of =
        |key: &str| device.get(key).and_then(json::string).map(|text| text.into_owned()).unwrap_or_default();
    let ids: Vec<String> = match device.get("identifiers") {
        Some(Json::Array(ids)) => {
            ids.iter().take(4).filter_map(json::string).map(|id| id.into_owned()).collect()
        }
        Some(id) => json::string(id).map(|id| id.into_owned()).into_iter().collect(),
        None => Vec::new(),
    };
    let connections =
        device.get("connections").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
    let pairs = connections.iter().take(4).filter_map(|pair| {
        let pair = pair.as_array()?;
        Some((pair.first()?.as_str()?, json::string(pair.get(1)?)?))
    });
    let pairs: Vec<(&str, std::borrow::Cow<'_, str>)> = pairs.collect();
    let macs = pairs
        .iter()
        .filter(|(kind, _)| matches!(*kind, "mac" | "bluetooth"))
        .filter_map(|(_, value)| mac(value));
    let mut keys: Vec<String> = ids.iter().filter(|id| !id.is_empty()).map(|id| identifier(id)).collect();
    keys.extend(macs.map(|mac| format!("mac:{mac}")));
    if keys.is_empty() {
        keys.extend(pairs.first().map(|(kind, value)| format!("ha:{kind}:{value}")));
    }
    keys.dedup();
    let id = ids.first().or(keys.first()).cloned().unwrap_or_default();
    let id = id.strip_prefix("zigbee2mqtt_").map(str::to_owned).unwrap_or(id);
    let attributes = [
        ("manufacturer", "manufacturer"),
        ("model", "model"),
        ("firmware", "sw_version"),
        ("hardware", "hw_version"),
        ("serial", "serial_number"),
        ("area", "suggested_area"),
        ("url", "configuration_url"),
        ("via", "via_device"),
    ];
    let attributes = attributes.map(|(name, key)| (name, text_of(key)));
    let name = text::visible(&text_of("name"));
    DeviceInfo {
        keys,
        id,
        name,
        attributes: attributes.into_iter().filter(|(_, text)| !text.is_empty()).collect(),
    }
}

impl Config {
    /// A field as text; `None` if it is missing or empty.
    pub fn text(&self, key: &str) -> Option<String> {
        let text = match self.fields.get(key)? {
            // Home Assistant reads flags as Python's.
            Json::Bool(flag) => if *flag { "True" } else { "False" }.to_owned(),
            other => json::string(other)?.into_owned(),
        };
        (!text.is_empty()).then_some(text)
    }

    /// A field as text, or this.
    pub fn text_or(&self, key: &str, default: &str) -> String {
        self.text(key).unwrap_or_else(|| default.to_owned())
    }

    /// A field as a number, which may be given as a text.
    pub fn number(&self, key: &str) -> Option<f64> {
        json::number(self.fields.get(key))
    }

    /// A field as a flag.
    pub fn flag(&self, key: &str) -> bool {
        match self.fields.get(key) {
            Some(Json::Bool(flag)) => *flag,
            Some(other) => json::string(other).is_some_and(|text| text::flag(&text) == Some(true)),
            None => false,
        }
    }

    /// A field that is a list of texts.
    pub fn list(&self, key: &str) -> Vec<String> {
        let items = self.fields.get(key).and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
        items.iter().take(256).filter_map(json::string).map(|item| item.into_owned()).collect()
    }

    /// Its name, as far as it has one of its own.
    pub fn name(&self) -> Option<String> {
        self.text("name").map(|name| text::visible(&name)).filter(|name| !name.is_empty())
    }
}

/// Words of an identifier as a person writes them: `power_factor` is `Power factor`.
pub(in super::super) fn words_of(id: &str) -> String {
    const KNOWN: &[(&str, &str)] = &[
        ("co2", "CO2"),
        ("pm1", "PM1"),
        ("pm25", "PM2.5"),
        ("pm10", "PM10"),
        ("voc", "VOC"),
        ("gps", "GPS"),
    ];
    let mut spaced = id.replace('_', " ");
    for (word, written) in KNOWN {
        if spaced.split(' ').any(|own| own.eq_ignore_ascii_case(word)) {
            let words =
                spaced.split(' ').map(|own| if own.eq_ignore_ascii_case(word) { written } else { own });
            spaced = words.collect::<Vec<&str>>().join(" ");
        }
    }
    let mut chars = spaced.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => String::new(),
    }
}
