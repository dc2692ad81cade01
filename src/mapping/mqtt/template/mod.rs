//! [`Templates`]: Home Assistant's templates. Each is compiled once. The simplest, which only name a field, need no template engine.

mod filters;
mod moment;
mod python;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use foldhash::fast::RandomState;
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior, Value as Jinja, context};
use serde_json::Value as Json;

use super::json;
use crate::model::time::WallMs;

/// Number of steps after which a template ends.
const MAX_STEPS: u64 = 20_000;
/// Maximum length of a template, in bytes.
const MAX_SOURCE_BYTES: usize = 16 * 1024;
/// Maximum number of different templates.
const MAX_TEMPLATES: usize = 50_000;
/// Maximum length of what a template gives, in bytes.
const MAX_OUT_BYTES: usize = 64 * 1024;
/// What the error of an undefined value begins with.
const UNDEFINED: &str = "undefined";

/// A template.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in super::super) enum Template {
    /// The payload as it is.
    #[default]
    Whole,
    /// A field of the payload.
    Path(Vec<Step>),
    /// Any other.
    Jinja(Arc<str>),
    /// One that is not understood, and why.
    Broken(String),
}

/// A step of a path.
#[derive(Clone, Debug, PartialEq)]
pub(in super::super) enum Step {
    Field(Box<str>),
    Item(usize),
}

/// What a template gives.
#[derive(Debug, PartialEq)]
pub(in super::super) enum Given<'a> {
    /// A text.
    Text(String),
    /// A part of the payload.
    Json(&'a Json),
    /// Nothing: the message does not have it.
    Nothing,
}

impl Given<'_> {
    /// What was given as text; `None` for nothing.
    pub fn into_text(self) -> Option<String> {
        match self {
            Given::Text(text) => Some(text),
            Given::Json(Json::Null) => Some("None".to_owned()),
            Given::Json(Json::Bool(flag)) => Some(if *flag { "True" } else { "False" }.to_owned()),
            Given::Json(json) => {
                Some(json::string(json).map_or_else(|| json.to_string(), |text| text.into_owned()))
            }
            Given::Nothing => None,
        }
    }
}

/// A payload, parsed at most once.
pub(in super::super) struct Payload<'a> {
    pub bytes: &'a [u8],
    json: Option<Json>,
}

impl<'a> Payload<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Payload { bytes, json: json::parse(bytes) }
    }

    /// The payload as JSON, if it is that.
    pub fn json(&self) -> Option<&Json> {
        self.json.as_ref()
    }

    /// The payload as text.
    pub fn text(&self) -> std::borrow::Cow<'a, str> {
        String::from_utf8_lossy(self.bytes)
    }
}

/// See the module.
pub(in super::super) struct Templates {
    env: Environment<'static>,
    known: HashMap<Arc<str>, usize, RandomState>,
    now: Arc<AtomicI64>,
}

impl Templates {
    pub fn new() -> Templates {
        let now = Arc::new(AtomicI64::new(0));
        let mut env = Environment::new();
        env.set_fuel(Some(MAX_STEPS));
        env.set_recursion_limit(64);
        env.set_undefined_behavior(UndefinedBehavior::Chainable);
        env.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
        env.set_formatter(|out, _, value| {
            write!(out, "{}", python::display(value))
                .map_err(|_| minijinja::Error::new(minijinja::ErrorKind::WriteFailure, "too long"))
        });
        env.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
        filters::add(&mut env);
        moment::add(&mut env, &now);
        Templates { env, known: HashMap::default(), now }
    }

    /// Time as templates see it.
    pub fn set_now(&self, now: WallMs) {
        self.now.store(now.0, Ordering::Relaxed);
    }

    /// Compiles a template.
    pub fn compile(&mut self, source: &str) -> Template {
        if let Some(path) = simple_path(source) {
            return Template::Path(path);
        }
        if !source.contains("{{") && !source.contains("{%") && !source.contains("{#") {
            return match source.trim().is_empty() {
                true => Template::Whole,
                false => self.compiled(source),
            };
        }
        self.compiled(source)
    }

    fn compiled(&mut self, source: &str) -> Template {
        if source.len() > MAX_SOURCE_BYTES {
            return Template::Broken("the template is too long".to_owned());
        }
        if let Some((name, _)) = self.known.get_key_value(source) {
            let name = name.clone();
            self.known.entry(name.clone()).and_modify(|users| *users += 1);
            return Template::Jinja(name);
        }
        if self.known.len() >= MAX_TEMPLATES {
            return Template::Broken("there are too many templates".to_owned());
        }
        let name: Arc<str> = source.into();
        match self.env.add_template_owned(name.to_string(), name.to_string()) {
            Ok(()) => {
                self.known.insert(name.clone(), 1);
                Template::Jinja(name)
            }
            Err(error) => Template::Broken(reason(&error)),
        }
    }

    /// A template is not used any longer by one of its users.
    pub fn release(&mut self, template: &Template) {
        let Template::Jinja(name) = template else { return };
        let Some(users) = self.known.get_mut(name) else { return };
        *users -= 1;
        if *users == 0 {
            self.known.remove(name);
            self.env.remove_template(name);
        }
    }

    /// What a template gives for a payload.
    ///
    /// # Errors
    /// Why it gives nothing, in English.
    pub fn render<'a>(&self, template: &Template, payload: &'a Payload<'a>) -> Result<Given<'a>, String> {
        match template {
            Template::Whole => Ok(Given::Text(payload.text().into_owned())),
            Template::Broken(why) => Err(why.clone()),
            Template::Path(path) => {
                Ok(payload.json().and_then(|json| at(json, path)).map_or(Given::Nothing, Given::Json))
            }
            Template::Jinja(name) => {
                let value_json = match payload.json() {
                    Some(json) => Jinja::from(Serde(json)),
                    None => Jinja::UNDEFINED,
                };
                let value = payload.text();
                self.rendered(name, context! { value => value.as_ref(), value_json => value_json })
            }
        }
    }

    /// What a template makes of a value to send. `more`: further names it may use.
    ///
    /// # Errors
    /// Why it makes nothing, in English.
    pub fn command(
        &self,
        template: &Template,
        value: &Json,
        more: &[(&str, Json)],
    ) -> Result<String, String> {
        match template {
            Template::Whole => Ok(Given::Json(value).into_text().unwrap_or_default()),
            Template::Broken(why) => Err(why.clone()),
            Template::Path(_) => Err("a template for commands cannot read a payload".to_owned()),
            Template::Jinja(name) => {
                let mut names: HashMap<&str, &Json> = more.iter().map(|(name, json)| (*name, json)).collect();
                names.insert("value", value);
                let given = self.rendered(name, Jinja::from(Serde(&names)))?;
                given.into_text().ok_or_else(|| "the template gives nothing".to_owned())
            }
        }
    }

    fn rendered(&self, name: &str, names: Jinja) -> Result<Given<'static>, String> {
        let template = self.env.get_template(name).map_err(|error| reason(&error))?;
        match template.render(names) {
            Ok(text) if text.len() > MAX_OUT_BYTES => Err("the template gives too much text".to_owned()),
            Ok(text) => Ok(Given::Text(text.trim().to_owned())),
            Err(error) if error.detail().is_some_and(|detail| detail.starts_with(UNDEFINED)) => {
                Ok(Given::Nothing)
            }
            Err(error) => Err(reason(&error)),
        }
    }
}

fn reason(error: &minijinja::Error) -> String {
    let detail = error.detail().unwrap_or_default();
    let text = match detail.is_empty() {
        true => format!("the template is not understood: {}", error.kind()),
        false => format!("the template is not understood: {}: {detail}", error.kind()),
    };
    text.chars().take(200).collect()
}

/// The part of a payload at a path.
pub(in super::super) fn at<'a>(json: &'a Json, path: &[Step]) -> Option<&'a Json> {
    path.iter().try_fold(json, |json, step| match step {
        Step::Field(name) => json.get(&**name),
        Step::Item(at) => json.get(*at),
    })
}

/// The path of a template that only names a field, like `{{ value_json.energy['today'] }}`.
fn simple_path(source: &str) -> Option<Vec<Step>> {
    let inner = source.trim().strip_prefix("{{")?.strip_suffix("}}")?;
    let inner = inner.strip_prefix('-').unwrap_or(inner);
    let inner = inner.strip_suffix('-').unwrap_or(inner).trim();
    let mut rest = match inner.split_once('|') {
        Some((path, filter)) if filter.trim() == "is_defined" => path.trim(),
        Some(_) => return None,
        None => inner,
    };
    rest = rest.strip_prefix("value_json")?;
    let mut path = Vec::new();
    while !rest.is_empty() {
        if let Some(name) = rest.strip_prefix('.') {
            let end = name.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(name.len());
            let (name, after) = name.split_at(end);
            if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
                return None;
            }
            // A method of Python's: for the template engine.
            if after.starts_with('(') {
                return None;
            }
            path.push(Step::Field(name.into()));
            rest = after;
        } else {
            let inside = rest.strip_prefix('[')?.trim_start();
            if let Some(quote) = inside.chars().next().filter(|c| matches!(c, '\'' | '"')) {
                let inside = &inside[1..];
                let end = inside.find(quote)?;
                if inside[..end].contains('\\') {
                    return None;
                }
                path.push(Step::Field(inside[..end].into()));
                rest = inside[end + 1..].trim_start().strip_prefix(']')?;
            } else {
                let (number, after) = inside.split_once(']')?;
                path.push(Step::Item(number.trim().parse().ok()?));
                rest = after;
            }
        }
    }
    (!path.is_empty()).then_some(path)
}

#[cfg(test)]
mod tests;
