//! [`TopicWords`]: what is said about a broker's topics.

use super::Words;
use crate::model::publication::{Properties, Qos};
use crate::model::topic::{PublishOutcome, Subscribed};
use crate::model::topics::ghosts::Gone;
use crate::model::topics::system::Figure;

/// A way to show a payload.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum FormWord {
    /// As it is.
    Text,
    /// JSON.
    Json,
    /// CBOR.
    Cbor,
    /// MessagePack.
    MessagePack,
    /// Hexadecimal.
    Hex,
}

/// What is wrong with what is filled in.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum FormProblem {
    /// There is no topic or filter.
    NoTopic,
    /// A topic to publish to has wildcards.
    Wildcard,
    /// A topic or filter has a character that none may have, or is too long.
    BadTopic,
    /// A wildcard stands where none may stand.
    BadFilter,
    /// The payload is not hexadecimal.
    Hex,
    /// The payload is too long.
    TooLong,
    /// The expiry is no number of seconds.
    Expiry,
    /// A user property has no colon.
    UserProperty,
    /// There are too many user properties.
    UserProperties,
}

/// Numbers about a topic, or about all below a level.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Number of topics here and below.
    pub topics: usize,
    /// Number of messages.
    pub messages: u64,
    /// Size of their payloads; none where nothing is known of that.
    pub bytes: Option<u64>,
    /// Messages a second, in thousandths.
    pub rate_milli: u32,
}

/// Numbers about all topics of a broker.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Number of topics.
    pub topics: usize,
    /// Number of messages.
    pub messages: u64,
    /// Messages a second, in thousandths.
    pub rate_milli: u32,
    /// Number of messages that were left out.
    pub left_out: u64,
    /// Number of messages on topics that there was no space for.
    pub unlisted: u64,
}

/// All that is said about topics in one language. Text from outside comes in harmless.
#[allow(missing_docs)] // The names say it; the sentences are in the language's file.
pub struct TopicWords {
    // The pane
    pub title: &'static str,
    pub all_topics: &'static str,
    pub busiest: &'static str,
    pub retained_tab: &'static str,
    pub broker: &'static str,
    pub publish: &'static str,
    pub subscriptions: &'static str,
    pub broker_choice: &'static str,
    pub resize: &'static str,
    /// "1,234 topics · 56 messages a second · 7,890 messages".
    pub totals: fn(&Words, &Totals) -> String,
    /// What is not shown, if anything.
    pub not_shown: fn(&Words, &Totals) -> Option<String>,
    pub facts: fn(&Words, &Facts) -> String,
    /// "12 topics".
    pub count: fn(&Words, usize) -> String,
    /// "3.5/s".
    pub rate: fn(&Words, u32) -> String,
    /// "3.5/s, 12%": a rate and its share of all messages.
    pub with_share: fn(&str, u64) -> String,

    // Lists
    pub tree: &'static str,
    pub list: &'static str,
    pub filter_topics: &'static str,
    pub filter_topics_hint: &'static str,
    pub searching: fn(&Words, usize) -> String,
    pub found_more: fn(&Words, usize, usize) -> String,
    /// A level without a name.
    pub empty_level: &'static str,
    /// Of a payload without bytes.
    pub empty: &'static str,
    /// Of a payload that is no text: the kind of picture, if it is one, and its size.
    pub binary: fn(Option<&str>, &str) -> String,
    /// Instead of an age: only what the broker had kept has come.
    pub replayed: &'static str,
    pub retained: &'static str,
    pub none_yet: &'static str,
    pub none_subscribed: &'static str,
    pub none_offline: &'static str,
    pub busiest_text: &'static str,
    pub all_quiet: &'static str,
    pub no_retained: &'static str,
    pub only_ghosts: &'static str,
    pub ghosts_hint: &'static str,
    pub no_ghosts: &'static str,
    pub gone: fn(&Gone) -> String,

    // A topic
    pub topic: &'static str,
    pub back: &'static str,
    pub copy_topic: &'static str,
    pub copy_payload: &'static str,
    pub publish_here: &'static str,
    pub clear_retained: &'static str,
    pub clear_below: &'static str,
    pub not_held: &'static str,
    pub payload: &'static str,
    pub picture: &'static str,
    pub form: fn(FormWord) -> &'static str,
    /// Only a part is shown of a payload of this size.
    pub cut: fn(&str) -> String,
    /// When a message came, and how long ago.
    pub came: fn(&str, &str) -> String,
    /// When the broker sent what it had kept.
    pub was_kept: fn(&str) -> String,
    pub kept_earlier: &'static str,
    pub kept_since: fn(&str) -> String,
    pub qos: fn(Qos) -> String,
    /// Names and values.
    pub properties: fn(&Properties) -> Vec<(String, String)>,
    pub differences: &'static str,
    pub no_difference: &'static str,
    pub more_differences: &'static str,
    /// In place of a value that there was not.
    pub nothing: &'static str,
    pub earlier: &'static str,
    pub follow_last: &'static str,

    // Publishing
    pub topic_hint: &'static str,
    pub as_text: &'static str,
    pub as_hex: &'static str,
    pub qos_label: &'static str,
    pub qos_meaning: fn(Qos) -> &'static str,
    pub retain: &'static str,
    pub retain_hint: &'static str,
    pub retain_empty: &'static str,
    pub show_properties: &'static str,
    pub hide_properties: &'static str,
    pub is_text: &'static str,
    pub content_type: &'static str,
    pub response_topic: &'static str,
    pub correlation: &'static str,
    pub expiry: &'static str,
    pub user_properties: &'static str,
    pub user_properties_hint: &'static str,
    pub publishing: &'static str,
    pub outcome: fn(&PublishOutcome) -> String,
    pub problem: fn(FormProblem) -> &'static str,
    pub no_link: &'static str,
    pub keep: &'static str,
    pub keep_hint: &'static str,
    pub saved: &'static str,
    pub saved_full: &'static str,
    pub forget: fn(&str) -> String,

    // Subscriptions
    pub subscriptions_text: &'static str,
    pub subscriptions_full: &'static str,
    pub filter_label: &'static str,
    pub filter_hint: &'static str,
    pub subscribe: &'static str,
    pub unsubscribe: fn(&str) -> String,
    pub subscribed: fn(&Subscribed) -> String,

    // Clearing
    pub clear_title: &'static str,
    pub clear_text: fn(&Words, usize) -> String,
    pub clear_button: fn(&Words, usize) -> String,
    pub clearing: &'static str,
    /// How many were cleared, of how many, and whether it is over.
    pub cleared: fn(&Words, usize, usize, bool) -> String,
    pub not_cleared: fn(&Words, usize) -> String,
    pub nothing_to_clear: &'static str,

    // The broker
    pub broker_text: &'static str,
    pub ask_broker: &'static str,
    pub broker_silent: &'static str,
    pub broker_in_tree: &'static str,
    pub figure: fn(Figure) -> &'static str,
}

/// A rate: how many a second, or for few how many a minute or an hour. The number, and which of the three.
pub(super) fn scaled(rate_milli: u32) -> (f64, u8) {
    let rate = f64::from(rate_milli) / 1_000.0;
    match rate {
        rate if rate >= 1.0 => (rate, 0),
        rate if rate * 60.0 >= 1.0 => (rate * 60.0, 1),
        rate => (rate * 3_600.0, 2),
    }
}

/// A number with at most one decimal, and none from 10 on.
pub(super) fn rounded(words: &Words, number: f64) -> String {
    let number = if number >= 9.95 { number.round() } else { (number * 10.0).round() / 10.0 };
    crate::ui::value::plain(words, None, number)
}

/// Bytes as text where they are that, else hexadecimal.
pub(super) fn bytes_text(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.chars().any(char::is_control) => text.to_owned(),
        _ => data_encoding::HEXLOWER.encode(bytes),
    }
}
