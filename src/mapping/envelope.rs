//! [`opened`]: events of protocols that wrap them: which event it is and what it says. Most servers put both into fields of their own
//! choice, which [`super::shape`] reads; here are those whose wrapping would be taken for a message or for readings.

use serde_json::{Map, Value};

use super::Incoming;

/// What is in an envelope.
#[derive(Debug, PartialEq)]
pub(super) enum Envelope {
    /// An event.
    Event {
        /// Its name.
        source: String,
        /// Its arguments.
        args: Vec<Value>,
        /// The room that the envelope names.
        room: Option<String>,
    },
    /// Nothing for a person: the protocol's own business.
    Nothing,
}

/// What is in the envelope that something came in; none where there is none.
pub(super) fn opened(incoming: &Incoming) -> Option<Envelope> {
    match incoming.args {
        [Value::Object(map)] => signalr(map)
            .or_else(|| discord(map))
            .or_else(|| ddp(map))
            .or_else(|| phoenix(map))
            .or_else(|| mattermost(map)),
        // Phoenix 2: `[join_ref, ref, topic, event, payload]`.
        [Value::Array(items)] => match items.as_slice() {
            [join, at, Value::String(topic), Value::String(event), payload @ Value::Object(_)]
                if is_reference(join) && is_reference(at) =>
            {
                channel(topic, event, payload)
            }
            _ => None,
        },
        _ => None,
    }
}

fn text<'a>(map: &'a Map<String, Value>, field: &str) -> Option<&'a str> {
    map.get(field)?.as_str()
}

fn event(source: &str, args: Vec<Value>) -> Option<Envelope> {
    Some(Envelope::Event { source: source.to_owned(), args, room: None })
}

fn is_reference(value: &Value) -> bool {
    value.is_null() || value.is_string()
}

/// SignalR: `{"type": 1, "target": "ReceiveMessage", "arguments": […]}`; other types are answers and heartbeats.
fn signalr(map: &Map<String, Value>) -> Option<Envelope> {
    match (map.get("type")?.as_u64()?, text(map, "target"), map.get("arguments")) {
        (1, Some(target), Some(Value::Array(args))) => event(target, args.clone()),
        (3 | 6, None, None) => Some(Envelope::Nothing),
        _ => None,
    }
}

/// Discord's gateway: `{"op": 0, "t": "MESSAGE_CREATE", "s": 3, "d": {…}}`.
fn discord(map: &Map<String, Value>) -> Option<Envelope> {
    let op = map.get("op")?.as_u64()?;
    match (op, text(map, "t"), map.get("d")) {
        (0, Some(name), Some(data)) => event(name, vec![data.clone()]),
        (0, ..) => None,
        _ => Some(Envelope::Nothing),
    }
}

/// Meteor's DDP, which Rocket.Chat speaks: `{"msg": "changed", "collection": …, "fields": {"eventName": …, "args": […]}}`.
fn ddp(map: &Map<String, Value>) -> Option<Envelope> {
    match (text(map, "msg")?, text(map, "collection")) {
        ("changed" | "added", Some(collection)) if map.contains_key("fields") => {
            let args = map.get("fields")?.get("args")?.as_array()?;
            let is_typing =
                |value: &Value| value.as_array().is_some_and(|words| words.contains(&"user-typing".into()));
            match (collection, args.as_slice()) {
                ("stream-room-messages", args) => event("message", args.to_vec()),
                ("stream-notify-room", [name, about, ..]) if is_typing(about) => {
                    event("typing", vec![name.clone()])
                }
                _ => Some(Envelope::Nothing),
            }
        }
        ("ping" | "pong" | "connected" | "ready" | "result" | "updated" | "nosub", None)
            if !map.contains_key("username") && !map.contains_key("user") =>
        {
            Some(Envelope::Nothing)
        }
        _ => None,
    }
}

/// Phoenix 1: `{"topic": "room:lobby", "event": "new_msg", "payload": {…}, "ref": null}`.
fn phoenix(map: &Map<String, Value>) -> Option<Envelope> {
    if !map.contains_key("ref") {
        return None;
    }
    channel(text(map, "topic")?, text(map, "event")?, map.get("payload")?)
}

fn channel(topic: &str, name: &str, payload: &Value) -> Option<Envelope> {
    let room = topic.split_once(':').map_or(topic, |(_, room)| room).to_owned();
    match name {
        "phx_reply" | "phx_close" | "heartbeat" => Some(Envelope::Nothing),
        // People by their names, each with what is known of their connections.
        "presence_state" => {
            let names: Vec<Value> = payload.as_object()?.keys().map(|name| name.as_str().into()).collect();
            Some(Envelope::Event { source: "users".to_owned(), args: vec![names.into()], room: Some(room) })
        }
        "presence_diff" => {
            let names = |field: &str| payload.get(field).and_then(Value::as_object).map(|map| map.keys());
            let came = names("joins").and_then(|mut names| names.next());
            let went = names("leaves").and_then(|mut names| names.next());
            let (source, name) = came.map(|name| ("joined", name)).or(went.map(|name| ("left", name)))?;
            let args = vec![name.as_str().into()];
            Some(Envelope::Event { source: source.to_owned(), args, room: Some(room) })
        }
        name => {
            Some(Envelope::Event { source: name.to_owned(), args: vec![payload.clone()], room: Some(room) })
        }
    }
}

/// Mattermost: `{"event": "posted", "data": {…}, "broadcast": {…}, "seq": 4}`.
fn mattermost(map: &Map<String, Value>) -> Option<Envelope> {
    if !(map.contains_key("broadcast") && map.contains_key("seq")) {
        return map.contains_key("seq_reply").then_some(Envelope::Nothing);
    }
    match text(map, "event")? {
        "hello" => Some(Envelope::Nothing),
        "posted" => event("message", vec![map.get("data")?.clone()]),
        name => event(name, vec![map.get("data")?.clone()]),
    }
}
