//! WLED: `BASE/g`, `/c`, `/v` and `/status`.

use std::collections::HashSet;

use super::there;
use super::{new_metric, put};
use crate::mapping::mqtt::book::{Book, Rank};
use crate::mapping::mqtt::ha::{json_of, rgb};
use crate::mapping::mqtt::template::Payload;
use crate::mapping::mqtt::text;
use crate::model::device::{Control, MetricType, Value};
use crate::model::number::Number;

/// See the module.
#[derive(Default)]
pub(super) struct Wled {
    bases: HashSet<String>,
}

impl Wled {
    pub fn takes(&self, topic: &str, payload: &Payload<'_>) -> bool {
        let Some((base, last)) = topic.rsplit_once('/') else { return false };
        if !matches!(last, "g" | "c" | "v" | "status" | "col" | "api") {
            return false;
        }
        base.starts_with("wled/")
            || self.bases.contains(base)
            || last == "v" && payload.bytes.windows(4).take(256).any(|part| part == b"<vs>")
    }

    /// Long: one arm for each topic.
    pub fn receive(&mut self, book: &mut Book, id: u32, topic: &str, payload: &Payload<'_>) -> Vec<String> {
        let Some((base, last)) = topic.rsplit_once('/') else { return Vec::new() };
        let Some(dev) = book.device(Rank::Shape, &[&format!("wled:{base}")], base) else { return Vec::new() };
        book.describe(dev, Rank::Shape, base, "light", &[("manufacturer", "WLED"), ("topic", base)]);
        let said = payload.text();
        match last {
            "status" => {
                if let Some(is_there) = text::presence(&said) {
                    book.say(dev, topic, there(is_there));
                }
            }
            "g" => {
                if let Some(level) = text::number(&said) {
                    let is_on = level != Value::Number(0.0);
                    if let Some(metric) = new_metric(book, dev, "on", id, "On", MetricType::Flag) {
                        let topic = base.to_owned();
                        book.command_on(dev, metric, true, topic, |value| {
                            Ok(if *value == Value::Flag(true) { "ON" } else { "OFF" })
                        });
                    }
                    put(book, dev, "on", id, "On", Value::Flag(is_on), "");
                    if let Some(metric) = new_metric(book, dev, "g", id, "Brightness", MetricType::Number) {
                        book.change_metric(dev, metric, |metric| {
                            (metric.min, metric.max) = (Some(Number::from(0.0)), Some(Number::from(255.0)))
                        });
                        let topic = base.to_owned();
                        book.command_on(dev, metric, true, topic, |value| Ok(json_of(value).to_string()));
                    }
                    put(book, dev, "g", id, "Brightness", level, "");
                }
            }
            "c" => {
                if let Some(metric) = new_metric(book, dev, "c", id, "Colour", MetricType::Text) {
                    book.change_metric(dev, metric, |metric| metric.control = Some(Control::Colour));
                    let topic = format!("{base}/col");
                    book.command_on(dev, metric, true, topic, |value| {
                        let [red, green, blue] = rgb(value)?;
                        Ok(format!("#{red:02X}{green:02X}{blue:02X}"))
                    });
                }
                put(book, dev, "c", id, "Colour", text::text(said.trim()), "");
            }
            "v" => {
                for (tag, name) in [("fx", "Effect"), ("sx", "Effect speed"), ("fp", "Palette")] {
                    if let Some(value) = tagged(&said, tag).and_then(text::number) {
                        put(book, dev, tag, id, name, value, "");
                    }
                }
                if let Some(name) = tagged(&said, "ds").filter(|name| !name.is_empty() && *name != "WLED") {
                    book.describe(dev, Rank::Own, name, "", &[]);
                }
            }
            _ => {}
        }
        let is_new =
            !base.starts_with("wled/") && self.bases.len() < 1_000 && self.bases.insert(base.to_owned());
        if is_new { ["g", "c", "status"].map(|last| format!("{base}/{last}")).to_vec() } else { Vec::new() }
    }
}

/// What stands in an element of XML.
fn tagged<'a>(xml: &'a str, tag: &str) -> Option<&'a str> {
    let (_, rest) = xml.split_once(&format!("<{tag}>"))?;
    rest.split_once(&format!("</{tag}>")).map(|(inside, _)| inside.trim())
}
