//! `duplexctl command`.

use crate::model::Offset;
use tokio::time::{Instant, timeout_at};

use super::args::Set;
use super::follow::Follow;
use super::{Exit, Failure, print};
use crate::clock;
use crate::model::event::{DeviceEvent, LinkEvent};
use crate::model::link_state::{LinkState, Why};
use crate::model::number::NotHeld;
use crate::model::{
    Command, CommandRefusal, CommandState, Device, Event, MessageId, Metric, MetricType, Value,
};
use crate::wire::{DeviceRequest, Request, SavedState};

pub(super) async fn run(command: Set) -> Result<(), Failure> {
    let deadline = Instant::now() + command.timeout;
    let id = clock::random()
        .map(MessageId::from_random)
        .map_err(|error| Failure::new(Exit::Failed, format!("the system gives no randomness: {error}")))?;
    // Log entries are not needed.
    let saved = SavedState { resume: None, since: Some(Offset::MAX) };
    let mut follow = Follow::start(&command.server, saved, true)?;
    let mut attempt =
        Attempt { id, command, devices: super::devices::Seen::default(), sent: false, why: None };
    match timeout_at(deadline, attempt.outcome(&mut follow)).await {
        Ok(outcome) => {
            follow.end().await;
            outcome
        }
        Err(_) => Err(attempt.timed_out()),
    }
}

struct Attempt {
    id: MessageId,
    command: Set,
    devices: super::devices::Seen,
    /// Whether it was ever sent.
    sent: bool,
    /// What last prevented sending.
    why: Option<Why>,
}

impl Attempt {
    async fn outcome(&mut self, follow: &mut Follow) -> Result<(), Failure> {
        loop {
            let event = follow.next().await;
            match &event {
                Event::Device(DeviceEvent::Commanded(command)) if command.id == self.id => {
                    if let Some(outcome) = ended(command) {
                        return outcome;
                    }
                }
                Event::Link(LinkEvent::State(LinkState::Waiting { why, .. })) => self.why = Some(why.clone()),
                Event::Link(LinkEvent::State(LinkState::Stopped { why })) => {
                    let exit = if self.sent { Exit::Unknown } else { Exit::Refused };
                    return Err(Failure::new(exit, follow.reason(why)));
                }
                _ => {}
            }
            let is_list = matches!(event, Event::Device(DeviceEvent::Listed { .. }));
            self.devices.take(event);
            // Sent again after an outage with the same id, so it is carried out once.
            if is_list && self.devices.is_complete() {
                let request = self.request()?;
                self.sent = true;
                follow.ask(request);
            }
        }
    }

    fn request(&self) -> Result<Request, Failure> {
        let Set { device, property, value, .. } = &self.command;
        let refused = |sentence: String| Failure::new(Exit::Refused, print::harmless(&sentence));
        let Some(known) = self.devices.find(device.as_str()) else {
            let there_are = match self.devices.examples() {
                ids if ids.is_empty() => String::new(),
                ids => format!("; there are: {ids}"),
            };
            return Err(refused(format!("there is no device {device}{there_are}")));
        };
        let metric = writable(known, property.as_str()).map_err(refused)?;
        let value = read_value(value, metric).map_err(|what| refused(format!("{property} takes {what}")))?;
        let (id, device, property) = (self.id, known.spec.id.clone(), property.clone());
        Ok(Request::Device(DeviceRequest::Command { id, device, incarnation: None, property, value }))
    }

    fn timed_out(&self) -> Failure {
        if self.sent {
            let sentence = "no answer came in time; whether the device did it is not known";
            return Failure::new(Exit::Unknown, sentence);
        }
        let why = self.why.as_ref().map_or_else(|| "the server does not answer".to_owned(), print::reason);
        Failure::new(Exit::TimedOut, format!("not sent: {why}"))
    }
}

fn writable<'a>(device: &'a Device, property: &str) -> Result<&'a Metric, String> {
    let id = &device.spec.id;
    match device.metric(property) {
        Some(latest) if latest.metric.writable => Ok(&latest.metric),
        Some(_) => Err(format!("{property} of {id} cannot be set")),
        None => {
            let writable = device.latest.iter().filter(|latest| latest.metric.writable);
            let names: Vec<&str> = writable.map(|latest| latest.metric.name.as_str()).collect();
            let names = if names.is_empty() { "nothing".to_owned() } else { names.join(", ") };
            Err(format!("{id} has no {property}; what can be set: {names}"))
        }
    }
}

/// Parses a JSON scalar, or else a text, as the property's type.
fn read_value(text: &str, metric: &Metric) -> Result<Value, String> {
    let read = match Value::parse_number(text) {
        Ok(number) => number,
        Err(NotHeld::OutOfRange) if metric.kind == MetricType::Number => {
            return Err(format!("{}; {text} is {}", metric.limits(), NotHeld::OutOfRange));
        }
        Err(_) => serde_json::from_str::<Value>(text).unwrap_or_else(|_| Value::Text(text.into())),
    };
    let value = match (metric.kind, read) {
        // The property takes text, whatever it looks like.
        (
            MetricType::Text | MetricType::Enum,
            Value::Number(_) | Value::Whole(_) | Value::Flag(_) | Value::Missing,
        ) => Value::Text(text.into()),
        (MetricType::Flag, Value::Text(word)) => match &*word {
            "on" | "yes" => Value::Flag(true),
            "off" | "no" => Value::Flag(false),
            _ => Value::Text(word),
        },
        (MetricType::Flag, Value::Number(1.0)) => Value::Flag(true),
        (MetricType::Flag, Value::Number(0.0)) => Value::Flag(false),
        (_, value) => value,
    };
    metric.check(&value).map(|()| value)
}

/// The result, if there is one.
fn ended(command: &Command) -> Option<Result<(), Failure>> {
    let failed = |exit, sentence: String| Some(Err(Failure::new(exit, print::harmless(&sentence))));
    match &command.state {
        CommandState::Pending | CommandState::Unknown => None,
        CommandState::Done => {
            Some(print::line(&format!("{} did it", print::harmless(command.device.as_str()))))
        }
        CommandState::Failed { detail } => {
            failed(Exit::Failed, format!("{} could not: {detail}", command.device))
        }
        CommandState::Expired => {
            failed(Exit::Failed, format!("{} did not answer in time; it will not be done", command.device))
        }
        CommandState::Refused { why, detail } => {
            let why = match why {
                CommandRefusal::UnknownDevice => "there is no such device",
                CommandRefusal::NotWritable => "it cannot be set",
                CommandRefusal::BadValue => "it does not take this value",
                CommandRefusal::Changed => "the device is not what it was",
                CommandRefusal::NotAllowed => "this token may not do that",
                CommandRefusal::Other => "the server refused it",
            };
            let detail = if detail.is_empty() { String::new() } else { format!(" ({detail})") };
            failed(Exit::Refused, format!("{why}{detail}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::MetricName;
    use crate::model::time::WallMs;

    fn metric(kind: MetricType) -> Metric {
        let mut metric = Metric::new(MetricName::new("it").unwrap(), kind);
        (metric.min, metric.max) = (Some(1.0.into()), Some(60.0.into()));
        metric.options = vec!["auto".to_owned(), "1".to_owned()];
        metric
    }

    #[test]
    fn a_value_is_read_as_what_the_property_takes() {
        let read = |text: &str, kind| read_value(text, &metric(kind));
        assert_eq!(read("21.5", MetricType::Number), Ok(Value::Number(21.5)));
        assert_eq!(read("-3", MetricType::Number), Err("a number from 1 to 60".to_owned()));
        assert_eq!(read("warm", MetricType::Number), Err("a number from 1 to 60".to_owned()));
        assert_eq!(read("null", MetricType::Number), Err("a number from 1 to 60".to_owned()));
        assert_eq!(read("[1]", MetricType::Number), Err("a number from 1 to 60".to_owned()));
        let free = Metric::new(MetricName::new("it").unwrap(), MetricType::Number);
        for number in ["1724442618569203714", "-9223372036854775807", "18446744073709551615"] {
            let read = serde_json::to_string(&read_value(number, &free).unwrap()).unwrap();
            assert_eq!(read, number, "it is given as it was typed");
        }
        for number in ["18446744073709551616", "-9223372036854775809", "1e400"] {
            let error = read_value(number, &free).unwrap_err();
            assert!(error.contains(&format!("{number} is out of range")), "{error}");
        }
        assert_eq!(
            read("18446744073709551616", MetricType::Text),
            Ok(Value::Text("18446744073709551616".into()))
        );
        for (text, flag) in [("true", true), ("false", false), ("on", true), ("off", false), ("1", true)] {
            assert_eq!(read(text, MetricType::Flag), Ok(Value::Flag(flag)));
        }
        assert_eq!(read("maybe", MetricType::Flag), Err("true or false".to_owned()));
        assert_eq!(read("hello", MetricType::Text), Ok(Value::Text("hello".into())));
        assert_eq!(read("\"hello\"", MetricType::Text), Ok(Value::Text("hello".into())));
        assert_eq!(read("42", MetricType::Text), Ok(Value::Text("42".into())));
        assert_eq!(read("{\"a\":1}", MetricType::Text), Ok(Value::Text("{\"a\":1}".into())));
        assert_eq!(read("1", MetricType::Enum), Ok(Value::Text("1".into())));
        assert_eq!(read("auto", MetricType::Enum), Ok(Value::Text("auto".into())));
        assert_eq!(read("manual", MetricType::Enum), Err("one of auto, 1".to_owned()));
    }

    #[test]
    fn a_command_ends_as_it_ended() {
        let exit = |state| {
            let command = Command {
                id: MessageId::from_random([1; 16]),
                device: crate::model::DeviceId::new("shed").unwrap(),
                property: MetricName::new("relay").unwrap(),
                value: Value::Flag(true),
                by: crate::model::Sender {
                    id: crate::model::PrincipalId("p".to_owned()),
                    name: "Jun".to_owned(),
                },
                at: WallMs(0),
                state,
            };
            ended(&command).map(|outcome| outcome.err().map(|failure| failure.exit))
        };
        assert_eq!(exit(CommandState::Pending), None);
        assert_eq!(exit(CommandState::Done), Some(None));
        assert_eq!(exit(CommandState::Expired), Some(Some(Exit::Failed)));
        assert_eq!(exit(CommandState::Failed { detail: "stuck".to_owned() }), Some(Some(Exit::Failed)));
        let refused = CommandState::Refused { why: CommandRefusal::Changed, detail: String::new() };
        assert_eq!(exit(refused), Some(Some(Exit::Refused)));
    }
}
