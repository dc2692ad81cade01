//! What a person's rules find: the first that fits counts.

use serde_json::Value;

use super::document::{Rule, What};
use super::path::Path;
use super::people::People;
use super::shape::word;
use super::{Found, Incoming, RoomKey, Said, Who, listed, readings, time};

/// What the first rule that fits finds; none if none fits.
pub(super) fn find(rules: &[Rule], incoming: &Incoming, people: &People) -> Option<Vec<Found>> {
    let rule = rules.iter().find(|rule| fits(rule, incoming))?;
    Some(apply(rule, incoming, people))
}

fn fits(rule: &Rule, incoming: &Incoming) -> bool {
    is_like(&rule.source, incoming.source)
        && rule
            .when
            .as_ref()
            .is_none_or(|when| when.path.find(incoming).is_some_and(|value| *value == when.equals))
}

/// Whether a text is like a pattern, in which `*` stands for any characters.
fn is_like(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        let Some(place) = text.find(part) else { return false };
        text = &text[place + part.len()..];
    }
    text.len() >= last.len() && text.ends_with(last)
}

fn apply(rule: &Rule, incoming: &Incoming, people: &People) -> Vec<Found> {
    let at = |path: &Option<Path>| {
        path.as_ref().and_then(|path| path.find(incoming)).and_then(|value| word(&value))
    };
    let who = || {
        let who = Who { id: at(&rule.sender_id), name: at(&rule.sender) };
        (who != Who::default()).then(|| people.complete(who))
    };
    let room = at(&rule.room).map(|key| RoomKey { key, name: None });
    let when = || rule.time.as_ref()?.find(incoming).and_then(|value| time::of(&value));
    let values = || match &rule.values {
        Some(path) => path.find(incoming).map(std::borrow::Cow::into_owned),
        None => incoming.args.first().cloned(),
    };
    let found = match rule.is {
        What::Ignore => return Vec::new(),
        What::Message => at(&rule.text).map(|text| {
            Found::Message(Said {
                who: who(),
                room,
                text,
                id: at(&rule.id),
                at: when(),
                mine: None,
                old: false,
            })
        }),
        What::Notice => at(&rule.text).map(|text| Found::Notice { room, text }),
        What::Joined => who().map(|who| Found::Joined { room, who }),
        What::Left => who().map(|who| Found::Left { room, who }),
        What::Typing => Some(Found::Typing { room, who: who(), on: true }),
        What::People => values().map(|value| Found::People { room, people: listed::people_in(&value) }),
        What::Readings => {
            values().and_then(|value| measured(rule, incoming, &value, at(&rule.device), at(&rule.metric)))
        }
    };
    vec![found.unwrap_or(Found::Unmapped)]
}

fn measured(
    rule: &Rule,
    incoming: &Incoming,
    value: &Value,
    device: Option<String>,
    metric: Option<String>,
) -> Option<Found> {
    let mut measured = readings::of(incoming.source, value, device, &rule.unit)?;
    if let (Some(metric), [(name, ..)]) = (metric, measured.values.as_mut_slice()) {
        *name = metric;
    }
    if let Some(path) = &rule.time {
        measured.at = path.find(incoming).and_then(|value| time::of(&value));
    }
    Some(Found::Readings(measured))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::mapping::Mapping;
    use crate::model;
    use crate::model::time::WallMs;

    #[test]
    fn a_pattern_stands_for_many_names() {
        for (pattern, text, fits) in [
            ("chat", "chat", true),
            ("chat", "chats", false),
            ("*", "", true),
            ("chat*", "chat message", true),
            ("*.temp", "a.b.temp", true),
            ("/topic/*/temp", "/topic/shed/temp", true),
            ("/topic/*/temp", "/topic/temp", false),
            ("a*a", "a", false),
            ("a*b*c", "a1b2c", true),
            ("a*b*c", "acb", false),
        ] {
            assert_eq!(is_like(pattern, text), fits, "{pattern} {text}");
        }
    }

    #[test]
    fn the_first_rule_that_fits_counts() {
        let json = r#"{"rules": [
            {"event": "m", "when": {"path": "$.t", "equals": "hidden"}, "is": "ignore"},
            {"event": "m", "is": "message", "text": "$.x", "sender": "$.y.z", "room": "args[1]", "id": "$.i", "time": "$.w"},
            {"event": "r*", "is": "readings", "device": "source[1]", "metric": "args[1]", "unit": "°C"}
        ]}"#;
        let mapping = Mapping::parse(json).unwrap();
        let find = |source: &str, args: &[Value]| {
            find(&mapping.rules, &Incoming { source, args }, &People::default())
        };
        let message = [json!({"x": "hi", "y": {"z": "jun"}, "i": 7, "w": 1_767_323_045}), json!("Lathes")];
        let said = Said {
            who: Some(Who::named("jun")),
            room: Some(RoomKey { key: "Lathes".into(), name: None }),
            text: "hi".into(),
            id: Some("7".into()),
            at: Some(WallMs(1_767_323_045_000)),
            ..Said::default()
        };
        assert_eq!(find("m", &message), Some(vec![Found::Message(said)]));
        assert_eq!(find("m", &[json!({"t": "hidden", "x": "hi"})]), Some(vec![]));
        assert_eq!(find("m", &[json!({"other": 1})]), Some(vec![Found::Unmapped]));
        assert_eq!(find("other", &message), None);
        let found = find("r.shed", &[json!(21), json!("temperature")]).unwrap();
        let [Found::Readings(measured)] = found.as_slice() else { panic!("no readings: {found:?}") };
        assert_eq!(measured.device, "shed");
        assert_eq!(
            measured.values,
            [("temperature".to_owned(), model::Value::Number(21.0), "°C".to_owned())]
        );
    }
}
