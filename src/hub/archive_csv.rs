//! [`Csv`]: the lines of an export as a table for spreadsheets.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use super::archive::Line;
use crate::model::content::Content;
use crate::model::time::WallMs;

/// A table for spreadsheets: messages as they were written, and readings.
#[derive(Debug, Default)]
pub struct Csv {
    /// Names of rooms by their ids.
    rooms: HashMap<String, String>,
}

impl Csv {
    /// The first line: what the columns are.
    pub const HEAD: &'static str = "kind,time,room,sender,id,text,device,metric,value";

    /// A row; none for what has no place in a table.
    pub fn row(&mut self, line: &Line) -> Option<String> {
        let fields = match line {
            Line::Room { id, name, .. } => {
                self.rooms.insert(id.as_str().to_owned(), name.as_str().to_owned());
                return None;
            }
            Line::Device { .. } => return None,
            Line::Entry { entry } => {
                let room = self.rooms.get(entry.draft.room.as_str());
                let room = room.map_or(entry.draft.room.as_str(), String::as_str);
                let content = &entry.draft.content;
                let text = match content {
                    Content::Reaction { emoji, .. } => emoji,
                    content => content.body(),
                };
                let time = time_text(entry.received);
                let (sender, id) = (entry.sender.name.as_str(), entry.draft.id.to_string());
                [content.kind(), &time, room, sender, &id, text, "", "", ""].map(cell)
            }
            Line::Reading { device, metric, at, value, minute } => {
                let kind = if *minute { "reading_minute" } else { "reading" };
                let (time, value) = (time_text(*at), value.to_string());
                let mut fields =
                    [kind, &time, "", "", "", "", device.as_str(), metric.as_str(), ""].map(cell);
                // A number is no formula, whatever its sign.
                fields[8] = value;
                fields
            }
        };
        Some(fields.join(","))
    }
}

/// A cell. A text that a spreadsheet would take for a formula is marked as text.
fn cell(text: &str) -> String {
    let marked = match text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        true => format!("'{text}"),
        false => text.to_owned(),
    };
    match marked.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", marked.replace('"', "\"\"")),
        false => marked,
    }
}

fn time_text(at: WallMs) -> String {
    let time = DateTime::<Utc>::from_timestamp_millis(at.0);
    time.map_or_else(|| at.0.to_string(), |time| time.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_hold_one_text_and_no_formula() {
        for (text, shown) in [
            ("plain", "plain"),
            ("a,b", "\"a,b\""),
            ("say \"hi\"\nthere", "\"say \"\"hi\"\"\nthere\""),
            ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
            ("-1+1", "'-1+1"),
            ("@SUM(A1,B1)", "\"'@SUM(A1,B1)\""),
        ] {
            assert_eq!(cell(text), shown);
        }
    }
}
