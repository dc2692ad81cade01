//! What the connection log says of a frame of the Duplex protocol.

use std::collections::HashSet;

use super::readings::{self, Names};
use crate::model::log::{Counts, json};
use crate::model::time::WallMs;
use crate::wire::{Describe, Described};

/// Members that are secret in whatever message.
const SECRET: &[&str] = &["token", "secret", "password", "mac", "authorization"];
/// Members that are secret where an invite is used or made: its code is worth a token.
const SECRET_WITH_CODE: &[&str] = &["token", "secret", "password", "mac", "authorization", "code"];

/// Knows the names that frames of readings refer to.
#[derive(Default)]
pub struct Describer {
    names: Names,
}

impl Describe for Describer {
    fn describe(&mut self, text: &str) -> Described {
        let kind = json::member(text, "type").unwrap_or_default();
        let secret = if matches!(&*kind, "hello" | "managed") { SECRET_WITH_CODE } else { SECRET };
        Described { kind: kind.into_owned(), counts: self.counts(text), secret }
    }
}

impl Describer {
    fn counts(&mut self, text: &str) -> Option<Counts> {
        let names = &mut self.names;
        let received =
            readings::decode(names, text).or_else(|| readings::decode_publish(names, text, WallMs(0)))?;
        let readings = received.ok()?.readings;
        let devices: HashSet<_> = readings.samples.iter().map(|sample| &sample.device).collect();
        let (values, left_out) = (readings.values.len(), readings.conflated);
        Some(Counts { devices: devices.len(), values, left_out })
    }
}
