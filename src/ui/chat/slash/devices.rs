//! `/set` and `/get`: a device's properties and readings from the message field. What may be set is what its page lets one
//! set.

use std::sync::Arc;

use super::{Notice, Outcome, tokens};
use crate::model::device::{DeviceId, Metric, MetricName, MetricType, Value};
use crate::model::id::ConnectionId;
use crate::model::intent::{DeviceIntent, Intent};
use crate::model::search::fold;
use crate::model::time::WallMs;
use crate::model::{Connection, Device, Number};
use crate::ui::devices::lock_of;
use crate::ui::text::Words;
use crate::ui::text::device_page::Lock;
use crate::ui::{Cx, harmless, value};

/// Longest title of a device or name of a reading in a sentence, in characters.
const MAX_TITLE_CHARS: usize = 60;
/// Longest value that is said back, in characters.
const MAX_VALUE_CHARS: usize = 120;

/// A word as it has to be typed to be one.
pub(super) fn quoted(text: &str) -> String {
    if text.contains(char::is_whitespace) { format!("\"{text}\"") } else { text.to_owned() }
}

/// The devices of a connection with what they are called; its own view of the link is none.
pub(super) fn titles(connection: &Connection) -> impl Iterator<Item = (String, &Device)> {
    let devices = connection.devices.iter().filter(|device| !device.is_local());
    devices.map(|device| (connection.device_name(&device.spec).0.replace('"', ""), device))
}

/// Why there is not one device of a name.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum NotOne {
    None,
    Several,
}

/// The device of a name or an id.
pub(super) fn titled<'a>(connection: &'a Connection, name: &str) -> Result<&'a Device, NotOne> {
    if let Some(device) = connection.devices.get(name).filter(|device| !device.is_local()) {
        return Ok(device);
    }
    let name = fold::folded_name(name);
    let mut fitting = titles(connection).filter(|(title, _)| fold::folded_name(title) == name);
    match (fitting.next(), fitting.next()) {
        (Some((_, device)), None) => Ok(device),
        (None, _) => Err(NotOne::None),
        (Some(_), Some(_)) => Err(NotOne::Several),
    }
}

fn not_one(words: &Words, name: &str, why: NotOne) -> Outcome {
    let name = harmless::line(name, MAX_TITLE_CHARS);
    let said = match why {
        NotOne::None => words.chat.no_such_device,
        NotOne::Several => words.chat.several_devices,
    };
    Outcome::Failed(Notice::bad(said(&name)))
}

/// What the person sees of a property before they set it.
struct Property {
    device: DeviceId,
    title: String,
    incarnation: u64,
    metric: Arc<Metric>,
    now: Value,
    lock: Option<Lock>,
}

fn metric_of(device: &Device, name: &str) -> Option<(Arc<Metric>, Value)> {
    let folded = fold::folded_name(name);
    let exact = device.metric(name);
    let latest = exact
        .or_else(|| device.latest.iter().find(|l| fold::folded_name(l.metric.name.as_str()) == folded))?;
    Some((Arc::clone(&latest.metric), latest.value.clone()))
}

/// Sets a property. None: something is missing.
pub(super) fn set(cx: &mut Cx, id: ConnectionId, rest: &str) -> Option<Outcome> {
    let words = cx.words;
    let all = tokens(rest);
    let [device, property, first, more @ ..] = &all[..] else { return None };
    let mut typed = first.text.clone();
    for word in more {
        typed.push(' ');
        typed.push_str(&word.text);
    }
    let name = harmless::line(&property.text, MAX_TITLE_CHARS);
    let found = cx.model.read(|model| {
        let connection = model.connections.get(&id).ok_or(NotOne::None)?;
        let found = titled(connection, &device.text)?;
        Ok(metric_of(found, &property.text).map(|(metric, now)| Property {
            device: found.spec.id.clone(),
            title: harmless::line(connection.device_name(&found.spec).0, MAX_TITLE_CHARS),
            incarnation: found.incarnation,
            metric,
            now,
            lock: lock_of(connection, found),
        }))
    });
    let property = match found {
        Err(why) => return Some(not_one(words, &device.text, why)),
        Ok(None) => {
            return Some(Outcome::Failed(Notice::bad((words.chat.no_such_property)(
                &harmless::line(&device.text, MAX_TITLE_CHARS),
                &name,
            ))));
        }
        Ok(Some(property)) => property,
    };
    let Property { device, title, incarnation, metric, now, lock } = property;
    let failed = |text: String| Some(Outcome::Failed(Notice::bad(text)));
    if !metric.writable {
        return failed((words.chat.not_settable)(&title, &name));
    }
    if let Some(lock) = lock {
        return failed((words.device_page.locked)(lock).to_owned());
    }
    let value = match read(words, &metric, &typed) {
        Ok(value) => value,
        Err(text) => return failed(text),
    };
    let said = harmless::line(&value::reading(words, &metric, &value), MAX_VALUE_CHARS);
    let switch = match value {
        Value::Flag(flag) => Some(flag),
        _ => None,
    };
    let (risky, property) = (metric.risky, metric.name.clone());
    let intent =
        Intent::Device(DeviceIntent::Command { connection: id, device, incarnation, property, value });
    if risky {
        let old = harmless::line(&value::reading(words, &metric, &now), MAX_VALUE_CHARS);
        let page = words.device_page;
        let text = format!("{} {}", (page.confirm_title)(&name, switch, &said), (page.confirm_text)(&old));
        let ask = Some(((page.confirm)(switch, &said), intent));
        return Some(Outcome::Done(Some(Notice { text: format!("{title}: {text}"), is_bad: false, ask })));
    }
    cx.intents.push(intent);
    Some(Outcome::Done(Some(Notice::said((words.chat.command_sent)(&title, &name, &said)))))
}

/// A value as it is typed, for a property.
///
/// # Errors
/// Returns what to say where it is none.
fn read(words: &Words, metric: &Metric, typed: &str) -> Result<Value, String> {
    let said = harmless::line(typed, MAX_TITLE_CHARS);
    let value = match metric.kind {
        MetricType::Number => Value::parse_number(&typed.replace('\u{2212}', "-"))
            .map_err(|_| (words.device_page.not_a_number)(&said))?,
        MetricType::Flag => {
            let is = |all: [&str; 5]| all.iter().any(|one| typed.eq_ignore_ascii_case(one));
            match () {
                () if is(["on", "true", "1", "yes", words.devices.on]) => Value::Flag(true),
                () if is(["off", "false", "0", "no", words.devices.off]) => Value::Flag(false),
                () => return Err((words.chat.not_on_or_off)(&said)),
            }
        }
        MetricType::Enum => {
            let fits =
                |option: &&String| **option == typed || fold::folded_name(option) == fold::folded_name(typed);
            let Some(option) = metric.options.iter().find(fits) else {
                let shown: Vec<_> = metric
                    .options
                    .iter()
                    .take(12)
                    .map(|option| harmless::line(option, MAX_TITLE_CHARS))
                    .collect();
                return Err((words.chat.not_an_option)(&said, &shown.join(", ")));
            };
            Value::Text(option.as_str().into())
        }
        MetricType::Text => Value::Text(typed.into()),
    };
    let shown = |limit: Option<Number>| limit.map(|limit| value::reading(words, metric, &limit.into()));
    match metric.check(&value) {
        Ok(()) => Ok(value),
        Err(_) => Err((words.device_page.not_within)(
            &said,
            shown(metric.min).as_deref(),
            shown(metric.max).as_deref(),
        )),
    }
}

/// Says a reading. None: something is missing.
pub(super) fn get(cx: &Cx, id: ConnectionId, rest: &str) -> Option<Outcome> {
    let words = cx.words;
    let all = tokens(rest);
    let [device, metric] = &all[..] else { return None };
    let name = harmless::line(&metric.text, MAX_TITLE_CHARS);
    let found = cx.model.read(|model| {
        let connection = model.connections.get(&id).ok_or(NotOne::None)?;
        let found = titled(connection, &device.text)?;
        let title = harmless::line(connection.device_name(&found.spec).0, MAX_TITLE_CHARS);
        let metric: Option<MetricName> =
            metric_of(found, &metric.text).map(|(metric, _)| metric.name.clone());
        let latest = metric.and_then(|metric| found.metric(metric.as_str()));
        let copied = latest.map(|latest| {
            let freshness = connection.freshness(found, latest);
            (Arc::clone(&latest.metric), latest.value.clone(), latest.received, freshness)
        });
        Ok((title, copied))
    });
    let (title, latest) = match found {
        Ok(found) => found,
        Err(why) => return Some(not_one(words, &device.text, why)),
    };
    let Some((metric, value, received, freshness)) = latest else {
        return Some(Outcome::Failed(Notice::bad((words.chat.no_such_reading)(&title, &name))));
    };
    if received == WallMs(0) {
        return Some(Outcome::Done(Some(Notice::said((words.chat.no_value_yet)(&title, &name)))));
    }
    let said = harmless::line(&value::reading(words, &metric, &value), MAX_VALUE_CHARS);
    let freshness = (words.devices.freshness)(freshness);
    let when = value::moment(cx, received);
    Some(Outcome::Done(Some(Notice::said((words.chat.reading)(&title, &name, &said, freshness, &when)))))
}
