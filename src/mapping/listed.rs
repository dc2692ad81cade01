//! People as servers list them: who is there, who came and who went.

use serde_json::{Map, Value};

use super::shape::{self, Fields, word};
use super::words;
use super::{Found, RoomKey, Who};

/// Maximum number of people found in one event.
const MAX_PEOPLE: usize = 5000;

/// The people that fields list: who is there, who came and who went.
pub(super) fn people_told(fields: &Fields<'_>, room: Option<&RoomKey>) -> Vec<Found> {
    let mut found = Vec::new();
    let list = |value| Some(value).filter(|value: &&Value| value.is_array()).and_then(list_of_people);
    let people = fields.find(words::PEOPLE, list_of_people);
    if let Some((_, people)) = people.or_else(|| fields.find(words::PEOPLE_OR_FLAG, list)) {
        found.push(Found::People { room: room.cloned(), people });
    }
    for (field, came) in [("joins", true), ("leaves", false)] {
        let people = fields.find(&[field], list_of_people).map(|(_, people)| people).unwrap_or_default();
        found.extend(people.into_iter().map(|(who, _)| came_or_went(room.cloned(), who, came)));
    }
    found
}

/// Whether an object has a field that only people have.
pub(super) fn is_somebody(map: &Map<String, Value>) -> bool {
    Fields::of(map).iter().any(|(folded, ..)| {
        words::SOMEBODY_FIELD.contains(&folded)
            || ["email", "avatar", "isonline", "fullname", "socketid", "playername"].contains(&folded)
    })
}

pub(super) fn came_or_went(room: Option<RoomKey>, who: Who, came: bool) -> Found {
    if came { Found::Joined { room, who } } else { Found::Left { room, who } }
}

/// Everybody who is there, or somebody who came: an object with an id of theirs. `is_wordless`: it holds no message.
pub(super) fn people_or_one(
    map: &Map<String, Value>,
    room: Option<RoomKey>,
    is_wordless: bool,
) -> Option<Found> {
    if let Some(who) = shape::person(map).filter(|who| is_wordless && who.id.is_some()) {
        return Some(came_or_went(room, who, true));
    }
    let has_others = map.values().any(|value| !value.is_string() && !value.is_object());
    if has_others || Fields::of(map).find(words::KIND, Value::as_str).is_some() {
        return None;
    }
    let people = people_in(&Value::Object(map.clone()));
    (!people.is_empty()).then_some(Found::People { room, people })
}

/// Whether somebody is there, by a field of theirs. `is_of_people`: the event's name says that it tells of people.
pub(super) fn presence(fields: &Fields<'_>, is_of_people: bool) -> Option<bool> {
    if !is_of_people && !fields.iter().any(|(folded, ..)| words::SOMEBODY_FIELD.contains(&folded)) {
        return None;
    }
    let flag = |value: &Value| match value {
        Value::Bool(is) => Some(*is),
        Value::String(word) => match word.to_lowercase().as_str() {
            "active" | "available" if is_of_people => Some(true),
            "online" | "connected" | "joined" | "join" => Some(true),
            "offline" | "disconnected" | "left" | "leave" => Some(false),
            _ => None,
        },
        _ => None,
    };
    fields
        .find(&["connected", "isconnected", "online", "isonline", "status", "presence"], flag)
        .map(|(_, is)| is)
}

/// The people in a list, or in an object whose fields are their ids.
pub(super) fn people_in(value: &Value) -> Vec<(Who, bool)> {
    match value {
        Value::Object(map) => {
            if let Some((_, people)) = Fields::of(map).find(words::PEOPLE, list_of_people) {
                return people;
            }
            let each = map.iter().take(MAX_PEOPLE).filter_map(|(id, value)| match value {
                Value::String(name) if !name.trim().is_empty() => {
                    let (id, name) = if shape::is_socket(name) { (name, id) } else { (id, name) };
                    Some((Who { id: Some(id.clone()), name: Some(name.clone()) }, true))
                }
                Value::Object(map) => {
                    let who = shape::person(map)?;
                    Some((Who { id: who.id.or_else(|| Some(id.clone())), name: who.name }, is_there(map)))
                }
                _ => None,
            });
            each.collect()
        }
        value => list_of_people(value).unwrap_or_default(),
    }
}

pub(super) fn list_of_people(value: &Value) -> Option<Vec<(Who, bool)>> {
    let list = match value {
        Value::Array(list) => list,
        Value::Object(map)
            if !map.is_empty() && map.values().all(|value| value.is_string() || value.is_object()) =>
        {
            return Some(people_in(value)).filter(|people| !people.is_empty());
        }
        _ => return None,
    };
    let each = list.iter().take(MAX_PEOPLE).filter_map(|value| match value {
        Value::Object(map) => Some((shape::person(map)?, is_there(map))),
        // Pairs of a JavaScript Map: `["sock1", "jun"]`.
        Value::Array(pair) => match pair.as_slice() {
            [id, Value::String(name)] => Some((Who { id: word(id), name: Some(name.clone()) }, true)),
            [id, Value::Object(map)] => {
                let who = shape::person(map)?;
                Some((Who { id: who.id.or_else(|| word(id)), name: who.name }, is_there(map)))
            }
            _ => None,
        },
        value => Some((shape::somebody(word(value)?), true)),
    });
    let people: Vec<(Who, bool)> = each.collect();
    (list.is_empty() || !people.is_empty()).then_some(people)
}

fn is_there(map: &Map<String, Value>) -> bool {
    let fields = Fields::of(map);
    let flag = |value: &Value| match value {
        Value::Bool(is) => Some(*is),
        Value::String(word) => match word.to_lowercase().as_str() {
            "online" | "connected" | "active" | "away" | "busy" => Some(true),
            "offline" | "disconnected" | "inactive" => Some(false),
            _ => None,
        },
        _ => None,
    };
    fields
        .find(&["connected", "online", "isonline", "active", "status", "presence"], flag)
        .is_none_or(|(_, is)| is)
}
