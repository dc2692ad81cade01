//! [`Samples`]: what a foreign server sent last, so that a person sees what a mapping would make of it. In memory alone.

use std::collections::VecDeque;

use serde_json::Value;

/// Maximum number of samples of a connection.
pub const MAX_SAMPLES: usize = 200;
/// Maximum size of a sample's arguments as JSON, in bytes. Larger ones are not kept.
pub const MAX_SAMPLE_BYTES: usize = 8 * 1024;
/// Maximum size of all samples of a connection, in bytes.
const MAX_BYTES: usize = 256 * 1024;

/// Something that a server sent, as its mapping is given it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// The event's name, or the destination.
    pub source: String,
    /// Its arguments, or the body alone.
    pub args: Vec<Value>,
    /// Their size as JSON, in bytes.
    pub bytes: usize,
}

/// The last samples of a connection, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Samples {
    all: VecDeque<Sample>,
    bytes: usize,
    received: u64,
}

impl Samples {
    /// Adds one. The oldest of the source that has most gives way, so that a busy source leaves the others.
    pub fn push(&mut self, sample: Sample) {
        self.received += 1;
        self.bytes += sample.bytes;
        self.all.push_back(sample);
        while self.all.len() > MAX_SAMPLES || self.bytes > MAX_BYTES {
            let count = |of: &Sample| self.all.iter().filter(|other| other.source == of.source).count();
            let Some((place, _)) =
                self.all.iter().enumerate().max_by_key(|(place, sample)| (count(sample), usize::MAX - place))
            else {
                return;
            };
            if let Some(gone) = self.all.remove(place) {
                self.bytes -= gone.bytes;
            }
        }
    }

    /// All of them, oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Sample> {
        self.all.iter()
    }

    /// How many came in all: changes with every one.
    pub fn received(&self) -> u64 {
        self.received
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(source: &str, bytes: usize) -> Sample {
        Sample { source: source.to_owned(), args: Vec::new(), bytes }
    }

    #[test]
    fn a_busy_source_leaves_the_others() {
        let mut samples = Samples::default();
        samples.push(sample("rare", 10));
        for _ in 0..1000 {
            samples.push(sample("busy", 10));
        }
        assert_eq!(samples.iter().count(), MAX_SAMPLES);
        assert!(samples.iter().any(|sample| sample.source == "rare"));
        for _ in 0..100 {
            samples.push(sample("large", MAX_SAMPLE_BYTES));
        }
        assert!(samples.bytes <= MAX_BYTES && samples.iter().any(|sample| sample.source == "rare"));
    }
}
