//! What is offered while a slash command is typed: commands, devices, their properties and readings, and values.

use super::devices::{quoted, titled, titles};
use super::{Name, tokens, word_of};
use crate::model::device::{Metric, MetricType};
use crate::model::id::ConnectionId;
use crate::model::search::fold;
use crate::model::{Connection, Device};
use crate::ui::chat::complete::{Face, Found};
use crate::ui::text::Words;
use crate::ui::{Cx, harmless};

/// Longest option of a property that is offered, in characters.
const MAX_OPTION_CHARS: usize = 64;

/// Whether the word at this place of a command is one of a few; 0 is the command itself.
pub(super) fn has_choices(name: Name, place: usize) -> bool {
    match name {
        Name::Me => false,
        Name::Set => place <= 3,
        Name::Get => place <= 2,
        Name::Msg | Name::Invite => place <= 1,
        _ => false,
    }
}

/// What fits, for the text before the cursor.
pub(in crate::ui::chat) fn complete(cx: &Cx, id: ConnectionId, before: &str, most: usize) -> Vec<Found> {
    let mut all = tokens(before);
    let last = match all.pop_if(|token| !token.ended) {
        Some(token) => token.text,
        None => String::new(),
    };
    let typed = fold::folded_name(&last);
    let fits = |text: &str| fold::folded_name(text).starts_with(&typed);
    cx.model.read(|model| {
        let Some(connection) = model.connections.get(&id) else { return Vec::new() };
        let Some(command) = all.first() else {
            return commands(connection, cx.words, &last, most);
        };
        let Some(name) = word_of(&command.text).and_then(Name::of) else { return Vec::new() };
        let mut found = match all.len() {
            _ if matches!(name, Name::Msg | Name::Invite) => people(connection, &typed),
            1 => titles(connection)
                .filter(|(title, device)| fits(title) && is_meant(name, device))
                .map(plain)
                .collect(),
            _ => {
                let Ok(device) = titled(connection, &all[1].text) else { return Vec::new() };
                match all.get(2) {
                    None => metrics(name, device)
                        .filter(|metric| fits(metric.name.as_str()))
                        .map(of_metric)
                        .collect(),
                    Some(property) => {
                        let metric = device.spec.metric(&property.text);
                        metric.map(|metric| values(metric, &typed)).unwrap_or_default()
                    }
                }
            }
        };
        found.truncate(most);
        // Who has typed all of the only one needs no list.
        let is_whole = matches!(&found[..], [one] if one.insert == last);
        if is_whole { Vec::new() } else { found }
    })
}

fn commands(connection: &Connection, words: &Words, typed: &str, most: usize) -> Vec<Found> {
    let typed = typed.trim_start_matches('/').to_lowercase();
    let offered = Name::ALL.into_iter().filter(|name| name.is_offered(connection));
    let fitting = offered.filter(|name| name.word().starts_with(&typed));
    let found = fitting.map(|name| Found {
        label: (words.chat.command_help)(name).to_owned(),
        insert: format!("/{}", name.word()),
        face: Face::Plain,
    });
    found.take(most).collect()
}

/// The other people whose names begin so, in the order of their names.
fn people(connection: &Connection, typed: &str) -> Vec<Found> {
    let chat = &connection.chat;
    let me = chat.me.as_ref().map(|me| &me.id);
    let others = chat.people.values().filter(|one| one.who.kind.chats() && Some(&one.who.id) != me);
    let mut found: Vec<Found> = others
        .filter(|one| fold::folded_name(&one.who.name).starts_with(typed))
        .map(|one| Found {
            label: chat.known.shown(&one.who.id, &one.who.name, MAX_OPTION_CHARS).label(),
            insert: quoted(&harmless::line(&one.who.name, MAX_OPTION_CHARS)),
            face: Face::Person(one.online),
        })
        .collect();
    found.sort_by(|a, b| a.label.cmp(&b.label));
    found
}

/// Whether a device has something for a command.
fn is_meant(name: Name, device: &Device) -> bool {
    metrics(name, device).next().is_some()
}

fn metrics(name: Name, device: &Device) -> impl Iterator<Item = &Metric> {
    device
        .latest
        .iter()
        .map(|latest| &*latest.metric)
        .filter(move |metric| name != Name::Set || metric.writable)
}

fn plain((title, _): (String, &Device)) -> Found {
    Found { label: harmless::line(&title, MAX_OPTION_CHARS), insert: quoted(&title), face: Face::Plain }
}

fn of_metric(metric: &Metric) -> Found {
    let name = metric.name.as_str();
    Found { label: harmless::line(name, MAX_OPTION_CHARS), insert: quoted(name), face: Face::Plain }
}

/// The values that a property may be set to, where they are few.
fn values(metric: &Metric, typed: &str) -> Vec<Found> {
    let value = |text: &str| Found {
        label: harmless::line(text, MAX_OPTION_CHARS),
        insert: quoted(text),
        face: Face::Plain,
    };
    let options: Vec<&str> = match metric.kind {
        MetricType::Flag => vec!["on", "off"],
        MetricType::Enum => metric.options.iter().map(String::as_str).collect(),
        MetricType::Number | MetricType::Text => Vec::new(),
    };
    options.into_iter().filter(|option| fold::folded_name(option).starts_with(typed)).map(value).collect()
}
