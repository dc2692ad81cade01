//! English about a broker's topics.

use super::Words;
use super::topics::{FormProblem, FormWord, TopicWords, Totals, rounded, scaled};
use crate::model::file::size_text;
use crate::model::publication::{Properties, Qos};
use crate::model::topic::{PublishOutcome, Subscribed};
use crate::model::topics::ghosts::Gone;
use crate::model::topics::system::Figure;
use crate::ui::harmless;
use crate::ui::value::plain;

/// English about topics.
pub(super) static ENGLISH: TopicWords = TopicWords {
    title: "Topics",
    all_topics: "All topics",
    busiest: "Busiest",
    retained_tab: "Retained",
    broker: "Server",
    publish: "Publish",
    subscriptions: "Subscriptions",
    broker_choice: "Server",
    resize: "Width of the topic",
    totals: |words, totals| {
        let mut text = counted(words, totals.topics as u64, "topic", "topics");
        if totals.rate_milli > 0 {
            text.push_str(&format!(" · {}", rate(words, totals.rate_milli)));
        }
        text.push_str(&format!(" · {}", counted(words, totals.messages, "message", "messages")));
        text
    },
    not_shown,
    facts: |words, facts| {
        let mut parts = Vec::new();
        if facts.topics != 1 {
            parts.push(counted(words, facts.topics as u64, "topic", "topics"));
        }
        parts.push(counted(words, facts.messages, "message", "messages"));
        parts.extend(facts.bytes.map(size_text));
        parts.push(rate(words, facts.rate_milli));
        parts.join(" · ")
    },
    count: |words, count| counted(words, count as u64, "topic", "topics"),
    rate,
    with_share: |rate, share| format!("{rate}, {share}%"),

    tree: "Tree of topics",
    list: "List of topics",
    filter_topics: "Filter topics",
    filter_topics_hint: "Filter: words, or a pattern like home/+/power or home/#",
    searching: |words, count| format!("{} found so far…", number(words, count)),
    found_more: |words, count, listed| {
        format!("{} topics, the first {} are listed", number(words, count), number(words, listed))
    },
    empty_level: "(empty level)",
    empty: "(empty)",
    binary: |picture, size| match picture {
        Some(kind) => format!("{kind} picture, {size}"),
        None => format!("binary, {size}"),
    },
    replayed: "stored",
    retained: "retained",
    none_yet: "No message has arrived yet. Topics appear with their first message.",
    none_subscribed: "There are no subscriptions. Add one under Subscriptions to see topics.",
    none_offline: "Not connected. Topics appear once the connection is up.",
    busiest_text: "The topics with the most messages, by their present rate and share",
    all_quiet: "No messages at the moment",
    no_retained: "No retained messages found.",
    only_ghosts: "Only devices that are gone",
    ghosts_hint: "Discovery messages of devices that report being offline, or have sent nothing for a minute since we \
                  connected. Check before you clear them: a device that sleeps looks the same.",
    no_ghosts: "No discovery messages of devices that seem to be gone.",
    gone: |gone| match gone {
        Gone::Offline { .. } => "offline".to_owned(),
        Gone::Silent { .. } => "nothing heard".to_owned(),
    },

    topic: "Topic",
    back: "Back to the list",
    copy_topic: "Copy topic",
    copy_payload: "Copy payload",
    publish_here: "Publish…",
    clear_retained: "Clear retained message…",
    clear_below: "Clear retained messages below…",
    not_held: "This message is no longer in memory.",
    payload: "Payload",
    picture: "Picture in the payload",
    form: |form| match form {
        FormWord::Text => "Text",
        FormWord::Json => "JSON",
        FormWord::Cbor => "CBOR",
        FormWord::MessagePack => "MessagePack",
        FormWord::Hex => "Hex",
    },
    cut: |size| format!("Only the beginning is shown; the whole payload has {size}."),
    came: |when, age| format!("{when} ({age})"),
    was_kept: |when| format!("Stored by the server; its age is unknown. Received {when}"),
    kept_earlier: "Retained since before we connected",
    kept_since: |age| format!("Retained: published {age}"),
    qos: |qos| format!("QoS {}", qos.number()),
    properties,
    differences: "Changes since the message before",
    no_difference: "None",
    more_differences: "There are more changes.",
    nothing: "(none)",
    earlier: "Earlier messages",
    follow_last: "Show the latest",

    topic_hint: "home/kitchen/light/set",
    as_text: "Text",
    as_hex: "Hex",
    qos_label: "QoS",
    qos_meaning: |qos| match qos {
        Qos::AtMostOnce => "0: at most once, unconfirmed",
        Qos::AtLeastOnce => "1: at least once",
        Qos::ExactlyOnce => "2: exactly once",
    },
    retain: "Retain",
    retain_hint: "The server keeps the message and sends it to everyone who subscribes later",
    retain_empty: "An empty retained message clears the one that the server keeps.",
    show_properties: "Show MQTT 5 properties",
    hide_properties: "Hide MQTT 5 properties",
    is_text: "The payload is declared as text",
    content_type: "Content type",
    response_topic: "Response topic",
    correlation: "Correlation data",
    expiry: "Expires after (seconds)",
    user_properties: "User properties",
    user_properties_hint: "One per line: name: value",
    publishing: "Publishing…",
    outcome,
    problem: |problem| match problem {
        FormProblem::NoTopic => "Enter a topic.",
        FormProblem::Wildcard => "A topic to publish to can't contain + or #.",
        FormProblem::BadTopic => "This topic is too long or contains a character that is not allowed.",
        FormProblem::BadFilter => "Wildcards stand alone between slashes, and # only at the end.",
        FormProblem::Hex => "The payload is not hexadecimal: write two digits for each byte.",
        FormProblem::TooLong => "The payload is too long.",
        FormProblem::Expiry => "The expiry is a number of seconds.",
        FormProblem::UserProperty => "Write each user property as name: value.",
        FormProblem::UserProperties => "There are too many user properties.",
    },
    no_link: "Not connected",
    keep: "Save",
    keep_hint: "Fill in the form first",
    saved: "Saved messages",
    saved_full: "There is no space for more saved messages. Delete one first.",
    forget: |name| format!("Delete saved message: {name}"),

    subscriptions_text: "What the server sends to this connection. Changes stay until the subscriptions are changed in the \
                         connection's settings.",
    subscriptions_full: "There are as many subscriptions as possible. Remove one first.",
    filter_label: "Topic filter",
    filter_hint: "home/# or +/status",
    subscribe: "Subscribe",
    unsubscribe: |filter| format!("Unsubscribe from {filter}"),
    subscribed: |state| match state {
        Subscribed::Pending => "waiting for the server".to_owned(),
        Subscribed::Granted(qos) => format!("up to QoS {}", qos.number()),
        Subscribed::Refused { code, reason } => refused("Refused", *code, reason),
    },

    clear_title: "Clear retained messages",
    clear_text: |words, count| match count {
        1 => "The server will forget the retained message of this topic. This cannot be undone.".to_owned(),
        count => format!(
            "The server will forget the retained messages of these {} topics. This cannot be undone.",
            number(words, count)
        ),
    },
    clear_button: |words, count| match count {
        0 => "Clear…".to_owned(),
        1 => "Clear 1 message".to_owned(),
        count => format!("Clear {} messages", number(words, count)),
    },
    clearing: "Clearing…",
    cleared: |words, done, all, is_over| {
        let (done, all) = (number(words, done), number(words, all));
        if is_over { format!("{done} of {all} cleared.") } else { format!("Clearing: {done} of {all}…") }
    },
    not_cleared: |words, count| format!("{} could not be cleared.", number(words, count)),
    nothing_to_clear: "There are no retained messages here.",

    broker_text: "What the server says about itself in its $SYS topics.",
    ask_broker: "Show the server's figures",
    broker_silent: "The server has published nothing about itself. Not every server does, and some show it only to \
                    administrators.",
    broker_in_tree: "Show all of them in the tree",
    figure,
};

fn number(words: &Words, count: usize) -> String {
    plain(words, None, count as f64)
}

fn counted(words: &Words, count: u64, one: &str, many: &str) -> String {
    format!("{} {}", plain(words, None, count as f64), if count == 1 { one } else { many })
}

fn rate(words: &Words, rate_milli: u32) -> String {
    if rate_milli == 0 {
        return "0/s".to_owned();
    }
    let (number, unit) = scaled(rate_milli);
    format!("{}/{}", rounded(words, number), ["s", "min", "h"][usize::from(unit)])
}

fn not_shown(words: &Words, totals: &Totals) -> Option<String> {
    let mut parts = Vec::new();
    if totals.left_out > 0 {
        let count = counted(words, totals.left_out, "message", "messages");
        parts.push(format!("{count} left out: too many arrived at once, or their topics are too long"));
    }
    if totals.unlisted > 0 {
        let count = counted(words, totals.unlisted, "message", "messages");
        parts.push(format!("{count} on topics that are not listed: there are too many topics"));
    }
    (!parts.is_empty()).then(|| parts.join(" · "))
}

fn refused(word: &str, code: u8, reason: &str) -> String {
    match reason {
        "" => format!("{word} by the server (code 0x{code:02x})"),
        reason => format!("{word} by the server: {} (code 0x{code:02x})", harmless::line(reason, 200)),
    }
}

fn outcome(outcome: &PublishOutcome) -> String {
    match outcome {
        PublishOutcome::Sent => "Sent. At QoS 0 the server confirms nothing.".to_owned(),
        PublishOutcome::Confirmed { unheard: false } => "The server has it.".to_owned(),
        PublishOutcome::Confirmed { unheard: true } => {
            "The server has it, but nobody subscribes to this topic.".to_owned()
        }
        PublishOutcome::Refused { code, reason } => refused("Refused", *code, reason),
        PublishOutcome::Unsure => "The connection was lost: it may not have arrived.".to_owned(),
        PublishOutcome::NotSent => "Not sent: there was no connection.".to_owned(),
    }
}

fn properties(properties: &Properties) -> Vec<(String, String)> {
    let mut all = Vec::new();
    let mut add = |name: &str, value: String| all.push((name.to_owned(), value));
    if properties.is_text {
        add("Payload format", "text".to_owned());
    }
    if !properties.content_type.is_empty() {
        add("Content type", properties.content_type.clone());
    }
    if !properties.response_topic.is_empty() {
        add("Response topic", properties.response_topic.clone());
    }
    if !properties.correlation.is_empty() {
        add("Correlation data", super::topics::bytes_text(&properties.correlation));
    }
    if let Some(seconds) = properties.expiry_s {
        add("Expires after", format!("{seconds} s"));
    }
    for (name, value) in &properties.user {
        add(&harmless::line(name, 100), value.clone());
    }
    all
}

fn figure(figure: Figure) -> &'static str {
    match figure {
        Figure::Version => "Version",
        Figure::Uptime => "Running for",
        Figure::Connected => "Clients connected",
        Figure::Known => "Clients known, with those that are away",
        Figure::MostConnected => "Most clients at a time",
        Figure::Subscriptions => "Subscriptions",
        Figure::Retained => "Retained messages",
        Figure::Waiting => "Messages in memory",
        Figure::Received => "Messages received",
        Figure::Sent => "Messages sent",
        Figure::Dropped => "Messages dropped",
        Figure::ReceivedAMinute => "Messages received per minute",
        Figure::SentAMinute => "Messages sent per minute",
        Figure::BytesReceived => "Data received",
        Figure::BytesSent => "Data sent",
        Figure::Memory => "Memory in use",
        Figure::MostMemory => "Most memory in use",
    }
}
