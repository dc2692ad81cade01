//! [`Path`]: where a value is in what a server sent: `$.user.name`, `args[1]`, `args[0].items[2]`, `$['user name']`,
//! `source`, `source[2]`.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Incoming;

/// Maximum length of a path, in bytes of UTF-8.
pub const MAX_PATH_BYTES: usize = 256;
/// Maximum number of steps of a path.
pub const MAX_STEPS: usize = 16;

/// Where a value is. Text form:
///
/// - `$` is the first argument of an event, or the body of a message; `args[n]` is the argument at place `n`, from 0.
/// - `.name` and `['any name']` are fields, `[n]` is an element of a list, from 0; `[-1]` is the last one.
/// - `source` is the event's name or the destination; `source[n]` is its part at place `n`, between `/` and `.`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Path {
    root: Root,
    steps: Vec<Step>,
    text: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Root {
    Arg(usize),
    Source(Option<usize>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Field(String),
    At(i64),
}

/// A text is not a path; says what a path is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path:?} is not a path: {fault}. Examples: $.user.name, args[1], $['user name'], source[2]")]
pub struct InvalidPath {
    path: String,
    fault: &'static str,
}

impl Path {
    /// The value there; none if there is none.
    pub fn find<'a>(&self, incoming: &Incoming<'a>) -> Option<Cow<'a, Value>> {
        let mut value = match &self.root {
            Root::Source(part) => {
                let text = match part {
                    None => incoming.source,
                    Some(place) => parts(incoming.source).nth(*place)?,
                };
                return Some(Cow::Owned(Value::from(text)));
            }
            Root::Arg(place) => incoming.args.get(*place)?,
        };
        for step in &self.steps {
            value = match step {
                Step::Field(name) => value.get(name.as_str())?,
                Step::At(place) => {
                    let list = value.as_array()?;
                    let place = match usize::try_from(*place) {
                        Ok(place) => place,
                        Err(_) => list.len().checked_sub(usize::try_from(place.unsigned_abs()).ok()?)?,
                    };
                    list.get(place)?
                }
            };
        }
        Some(Cow::Borrowed(value))
    }
}

/// The parts of an event's name or a destination.
fn parts(source: &str) -> impl Iterator<Item = &str> {
    source.split(['/', '.']).filter(|part| !part.is_empty())
}

impl FromStr for Path {
    type Err = InvalidPath;

    fn from_str(text: &str) -> Result<Self, InvalidPath> {
        let fault = |fault| InvalidPath { path: text.chars().take(64).collect(), fault };
        if text.len() > MAX_PATH_BYTES {
            return Err(fault("it is longer than 256 bytes"));
        }
        let (is_args, is_source, mut rest) = match text {
            _ if text.starts_with('$') => (false, false, &text[1..]),
            _ if text.starts_with("args") => (true, false, &text[4..]),
            _ if text.starts_with("source") => (false, true, &text[6..]),
            _ => return Err(fault("it begins with $, args or source")),
        };
        let mut steps = Vec::new();
        while !rest.is_empty() {
            let (step, after) = step(rest).map_err(fault)?;
            rest = after;
            steps.push(step);
            if steps.len() > MAX_STEPS {
                return Err(fault("it has more than 16 steps"));
            }
        }
        let place = |step: Option<&Step>| match step {
            Some(Step::At(place)) => usize::try_from(*place).ok(),
            _ => None,
        };
        let root = match (is_args, is_source) {
            (true, _) => {
                let place = place(steps.first()).ok_or_else(|| fault("args needs a place, as in args[0]"))?;
                steps.remove(0);
                Root::Arg(place)
            }
            (_, true) if steps.is_empty() => Root::Source(None),
            (_, true) => {
                let first = place(steps.first()).filter(|_| steps.len() == 1);
                steps.clear();
                Root::Source(Some(first.ok_or_else(|| fault("a part of the source is source[0]"))?))
            }
            _ => Root::Arg(0),
        };
        Ok(Path { root, steps, text: text.to_owned() })
    }
}

/// The first step of a text, and what follows it.
fn step(text: &str) -> Result<(Step, &str), &'static str> {
    if let Some(rest) = text.strip_prefix('.') {
        let end = rest.find(['.', '[']).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        return match name.is_empty() {
            true => Err("a field's name is missing after a dot"),
            false => Ok((Step::Field(name.to_owned()), after)),
        };
    }
    let Some(rest) = text.strip_prefix('[') else { return Err("after a step comes . or [") };
    for quote in ['\'', '"'] {
        if let Some(quoted) = rest.strip_prefix(quote) {
            let (name, after) = quoted.split_once(quote).ok_or("a quotation mark is missing")?;
            let after = after.strip_prefix(']').ok_or("] is missing")?;
            return Ok((Step::Field(name.to_owned()), after));
        }
    }
    let (place, after) = rest.split_once(']').ok_or("] is missing")?;
    let place = place.trim().parse().map_err(|_| "between [ and ] is a number or a quoted name")?;
    Ok((Step::At(place), after))
}

impl TryFrom<String> for Path {
    type Error = InvalidPath;
    fn try_from(text: String) -> Result<Self, InvalidPath> {
        text.parse()
    }
}

impl From<Path> for String {
    fn from(path: Path) -> String {
        path.text
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn found(path: &str, source: &str, args: &[Value]) -> Option<Value> {
        let incoming = Incoming { source, args };
        path.parse::<Path>().unwrap().find(&incoming).map(Cow::into_owned)
    }

    #[test]
    fn a_path_leads_to_fields_elements_arguments_and_parts_of_the_source() {
        let args = [json!({"user": {"name": "jun"}, "user name": 1, "list": [1, 2, 3]}), json!("second")];
        for (path, value) in [
            ("$.user.name", Some(json!("jun"))),
            ("args[0].user.name", Some(json!("jun"))),
            ("$['user name']", Some(json!(1))),
            ("$[\"user name\"]", Some(json!(1))),
            ("$.list[-1]", Some(json!(3))),
            ("$.list[0]", Some(json!(1))),
            ("args[1]", Some(json!("second"))),
            ("$", Some(args[0].clone())),
            ("source", Some(json!("/topic/chat.room 1"))),
            ("source[2]", Some(json!("room 1"))),
            ("source[3]", None),
            ("$.list[3]", None),
            ("$.list[-4]", None),
            ("$.user[0]", None),
            ("$.nobody.name", None),
            ("args[2]", None),
        ] {
            assert_eq!(found(path, "/topic/chat.room 1", &args), value, "{path}");
        }
    }

    #[test]
    fn what_is_not_a_path_is_refused_with_examples() {
        let long = format!("${}", ".a".repeat(17));
        let longer = format!("$.{}", "a".repeat(256));
        for text in [
            "",
            "user",
            "$user",
            "$.",
            "$..a",
            "$[",
            "$[a]",
            "$['a]",
            "$['a'",
            "args",
            "args.a",
            "args[-1]",
            "source.a",
            "source[0][1]",
            &long,
            &longer,
        ] {
            let error = text.parse::<Path>().unwrap_err().to_string();
            assert!(error.contains("$.user.name"), "{text}: {error}");
        }
    }

    #[test]
    fn a_path_is_written_as_it_was_read() {
        for text in ["$.user.name", "args[1]", "$['a b'][-1]", "source[2]"] {
            let path: Path = serde_json::from_value(json!(text)).unwrap();
            assert_eq!(serde_json::to_value(&path).unwrap(), json!(text));
        }
    }
}
