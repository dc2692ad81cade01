//! [`Part`]: one reading or control of an entity, and [`Parts`], which makes them of a configuration.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use serde_json::{Value as Json, json};

use super::config::{Config, words_of};
use super::decode::{Decode, Others};
use crate::mapping::mqtt::book::named;
use crate::mapping::mqtt::template::Step;
use crate::model::device::{Control, Metric, MetricType, Value};
use crate::model::number::Number;

/// What a state is picked out with.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Pick {
    Template(Option<String>),
    Field(Vec<Step>),
}

/// A value to send: what it is called in a template, or sent as without one.
pub(super) struct Sent {
    pub value: Json,
    pub more: Vec<(&'static str, Json)>,
}

impl Sent {
    pub fn of(value: impl Into<Json>) -> Self {
        Sent { value: value.into(), more: Vec::new() }
    }
}

/// Makes what is sent of the value that a person sets.
pub(super) type Encode = Arc<dyn Fn(&Value) -> Result<Sent, String> + Send + Sync>;

/// What sets a part.
#[derive(Clone)]
pub(super) struct Sends {
    pub topic: String,
    pub template: Option<String>,
    /// Another template for switching off.
    pub off_template: Option<String>,
    pub encode: Encode,
}

/// One reading or control of an entity.
#[derive(Clone)]
pub(super) struct Part {
    /// Unique within the entity.
    pub key: String,
    pub metric: Metric,
    /// Whether its type follows from what comes.
    pub is_guessed: bool,
    pub state: Option<(String, Pick)>,
    pub decode: Decode,
    pub sends: Option<Sends>,
    /// Where the last number is kept for another part's commands.
    pub last: Option<Arc<AtomicU64>>,
}

/// The parts of an entity, as they are made.
pub(super) struct Parts<'a> {
    pub config: &'a Config,
    /// The entity's name, empty where it has none besides the device's.
    own_name: String,
    pub list: Vec<Part>,
}

impl<'a> Parts<'a> {
    pub fn new(config: &'a Config) -> Self {
        let device = config.device.as_ref().map(|device| device.name.as_str()).unwrap_or_default();
        let own_name = config.name().filter(|name| name != device).unwrap_or_default();
        Parts { config, own_name, list: Vec::new() }
    }

    /// The name of the whole entity.
    fn name(&self) -> String {
        if !self.own_name.is_empty() {
            return self.own_name.clone();
        }
        let class = self.config.text("device_class").filter(|class| class != "None");
        let has_class = matches!(
            self.config.component.as_str(),
            "sensor" | "binary_sensor" | "number" | "cover" | "event" | "update"
        );
        match class.filter(|_| has_class) {
            Some(class) => words_of(&class),
            // Called like its device, which says more than *Sensor*.
            None if has_class => self.config.name().unwrap_or_else(|| words_of(&self.config.component)),
            None => words_of(&self.config.component),
        }
    }

    fn name_of(&self, part: &str) -> String {
        match (part.is_empty(), self.own_name.is_empty() || self.config.device.is_none()) {
            (true, _) => self.name(),
            (false, true) => words_of(part),
            (false, false) => format!("{} {}", self.own_name, part.to_lowercase()),
        }
    }

    /// Adds a part. `part`: what it is called beside the entity's name; empty: it is the entity itself.
    pub fn add(&mut self, part: &str, kind: MetricType) -> &mut Part {
        let mut metric = Metric::new(named(&self.name_of(part)), kind);
        if part.is_empty() {
            metric.icon = self.config.text("icon").unwrap_or_default();
        }
        self.list.push(Part {
            key: part.to_owned(),
            metric,
            is_guessed: false,
            state: None,
            decode: Decode::Plain,
            sends: None,
            last: None,
        });
        let at = self.list.len() - 1;
        &mut self.list[at]
    }

    /// Whether one of these fields is there.
    pub fn has(&self, keys: &[&str]) -> bool {
        keys.iter().any(|key| self.config.text(key).is_some())
    }
}

impl Part {
    /// Takes its state from the topic of one field, picked out by the template of another.
    pub fn state(&mut self, config: &Config, topic: &str, template: &str) -> &mut Self {
        self.state = config.text(topic).map(|topic| (topic, Pick::Template(config.text(template))));
        self
    }

    /// Takes its state from a field of the JSON state.
    pub fn field(&mut self, config: &Config, path: &[&str]) -> &mut Self {
        let path = path.iter().map(|name| Step::Field((*name).into())).collect();
        self.state = config.text("state_topic").map(|topic| (topic, Pick::Field(path)));
        self
    }

    pub fn decode(&mut self, decode: Decode) -> &mut Self {
        self.decode = decode;
        self
    }

    /// Sets it by the topic of one field, with the template of another.
    pub fn sends(&mut self, config: &Config, topic: &str, template: &str, encode: Encode) -> &mut Self {
        self.sends = config.text(topic).map(|topic| Sends {
            topic,
            template: config.text(template),
            off_template: None,
            encode,
        });
        self
    }

    pub fn range(&mut self, min: Option<f64>, max: Option<f64>, step: Option<f64>) -> &mut Self {
        (self.metric.min, self.metric.max) = (min.map(Number::from), max.map(Number::from));
        self.metric.step = step.map(Number::from);
        self
    }

    pub fn unit(&mut self, unit: &str) -> &mut Self {
        unit.clone_into(&mut self.metric.unit);
        self
    }

    pub fn options(&mut self, options: Vec<String>) -> &mut Self {
        self.metric.options = options;
        self
    }

    /// A choice of words, each of which sends its payload.
    pub fn chooses(
        &mut self,
        config: &Config,
        topic: &str,
        template: &str,
        choices: Choices<'_>,
    ) -> &mut Self {
        self.options(choices.iter().map(|(.., word)| (*word).to_owned()).collect());
        self.sends(config, topic, template, by_word(commands(config, choices)))
    }

    pub fn control(&mut self, control: Control) -> &mut Self {
        self.metric.control = Some(control);
        self
    }

    pub fn risky(&mut self) -> &mut Self {
        self.metric.risky = true;
        self
    }

    /// The last value is kept for commands of another part.
    pub fn kept(&mut self) -> Arc<AtomicU64> {
        let last = Arc::new(AtomicU64::new(f64::NAN.to_bits()));
        self.last = Some(Arc::clone(&last));
        last
    }
}

/// A value as it is.
pub(super) fn as_is() -> Encode {
    Arc::new(|value| Ok(Sent::of(json_of(value))))
}

/// On and off by these payloads.
pub(super) fn by_flag(on: String, off: String) -> Encode {
    Arc::new(move |value| match value {
        Value::Flag(true) => Ok(Sent::of(on.clone())),
        Value::Flag(false) => Ok(Sent::of(off.clone())),
        _ => Err("true or false is needed".to_owned()),
    })
}

/// Each option by its payload.
pub(super) fn by_word(words: Vec<(String, String)>) -> Encode {
    Arc::new(move |value| {
        let text = word(value)?;
        let word = words.iter().find(|(shown, _)| *shown == text).ok_or("there is no such option")?;
        Ok(Sent::of(word.1.clone()))
    })
}

/// A number, under this name in templates too.
pub(super) fn by_number(name: &'static str) -> Encode {
    Arc::new(move |value| {
        let number = json_of(value);
        Ok(Sent { value: number.clone(), more: vec![(name, number)] })
    })
}

/// A text, or an option.
pub(in super::super) fn word(value: &Value) -> Result<String, String> {
    let Value::Text(text) = value else { return Err("a text is needed".to_owned()) };
    Ok(text.to_string())
}

/// A value as JSON.
pub(in super::super) fn json_of(value: &Value) -> Json {
    match value {
        Value::Missing => Json::Null,
        Value::Flag(flag) => Json::Bool(*flag),
        Value::Text(text) => Json::String(text.to_string()),
        number => serde_json::to_value(number).unwrap_or(Json::Null),
    }
}

/// Red, green and blue of a colour as text.
pub(in super::super) fn rgb(value: &Value) -> Result<[u8; 3], String> {
    let wanted = "a colour like #FFA000 is needed";
    let Value::Text(text) = value else { return Err(wanted.to_owned()) };
    let digits = text.trim().trim_start_matches('#');
    let number = (digits.len() == 6).then(|| u32::from_str_radix(digits, 16).ok()).flatten().ok_or(wanted)?;
    let [_, red, green, blue] = number.to_be_bytes();
    Ok([red, green, blue])
}

/// A colour as `r,g,b`, and its parts by name.
pub(super) fn by_rgb() -> Encode {
    Arc::new(|value| {
        let [red, green, blue] = rgb(value)?;
        Ok(Sent {
            value: json!(format!("{red},{green},{blue}")),
            more: vec![("red", json!(red)), ("green", json!(green)), ("blue", json!(blue))],
        })
    })
}

/// What a person can choose: each word with the field of its payload, and the payload where the field is missing.
pub(super) type Choices<'a> = &'a [(&'a str, &'a str, &'a str)];

/// Payloads of a configuration, each with the word that is shown for it.
pub(super) fn words(config: &Config, pairs: Choices<'_>) -> Vec<(String, String)> {
    pairs.iter().map(|(key, default, shown)| (config.text_or(key, default), (*shown).to_owned())).collect()
}

/// The same the other way round: each word that a person picks, with its payload.
pub(super) fn commands(config: &Config, pairs: Choices<'_>) -> Vec<(String, String)> {
    words(config, pairs).into_iter().map(|(payload, shown)| (shown, payload)).collect()
}

/// Reads one of these words, and leaves what is none of them as it is.
pub(super) fn reads(words: Vec<(String, String)>) -> Decode {
    Decode::Words { words, others: Others::Shown }
}
