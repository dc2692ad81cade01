//! `duplexctl read-one`: waits for a value of a metric, prints it and exits.

use tokio::time::{Instant, timeout_at};

use super::args::ReadOne;
use super::devices::Seen;
use super::follow::Follow;
use super::{Exit, Failure, print};
use crate::model::devices::Latest;
use crate::model::event::{DeviceEvent, LinkEvent};
use crate::model::id::Offset;
use crate::model::link_state::{LinkState, Why};
use crate::model::{Event, Value};
use crate::wire::SavedState;

pub(super) async fn run(command: ReadOne) -> Result<(), Failure> {
    let deadline = Instant::now() + command.timeout;
    // Log entries are not needed.
    let saved = SavedState { resume: None, since: Some(Offset::MAX) };
    let mut follow = Follow::start(&command.server, saved, true)?;
    let mut attempt = Attempt { command, devices: Seen::default(), is_online: false, why: None };
    match timeout_at(deadline, attempt.outcome(&mut follow)).await {
        Ok(outcome) => {
            follow.end().await;
            outcome
        }
        Err(_) => Err(attempt.timed_out()),
    }
}

struct Attempt {
    command: ReadOne,
    devices: Seen,
    is_online: bool,
    /// What last prevented the connection.
    why: Option<Why>,
}

impl Attempt {
    async fn outcome(&mut self, follow: &mut Follow) -> Result<(), Failure> {
        loop {
            let event = follow.next().await;
            match &event {
                Event::Link(LinkEvent::State(LinkState::Online { .. })) => self.is_online = true,
                Event::Link(LinkEvent::State(LinkState::Waiting { why, .. })) => self.why = Some(why.clone()),
                Event::Link(LinkEvent::State(LinkState::Stopped { why })) => {
                    return Err(Failure::new(Exit::Refused, follow.reason(why)));
                }
                _ => {}
            }
            let is_description =
                matches!(event, Event::Device(DeviceEvent::Listed { .. } | DeviceEvent::Announced(_)));
            self.devices.take(event);
            if is_description && let Some(found) = self.devices.find(self.command.device.as_str()) {
                self.command.device = found.spec.id.clone();
            }
            if let Some(latest) = self.latest() {
                return self.print(latest);
            }
        }
    }

    /// The metric, once it has a value.
    fn latest(&self) -> Option<&Latest> {
        let ReadOne { device, metric, .. } = &self.command;
        let latest = self.devices.get(device.as_str())?.metric(metric.as_str())?;
        Some(latest).filter(|latest| latest.value != Value::Missing)
    }

    fn print(&self, latest: &Latest) -> Result<(), Failure> {
        let ReadOne { device, metric, json, .. } = &self.command;
        let (value, unit) = (&latest.value, latest.metric.unit.as_str());
        let text = match value {
            Value::Text(text) => text.to_string(),
            value => serde_json::to_string(value).unwrap_or_default(),
        };
        print::line(&match json {
            true => serde_json::json!({"device": device, "metric": metric, "value": value, "unit": unit})
                .to_string(),
            false => text,
        })
    }

    fn timed_out(&self) -> Failure {
        let ReadOne { device, metric, .. } = &self.command;
        let sentence = match (self.is_online, self.devices.get(device.as_str())) {
            (true, None) => match self.devices.examples() {
                ids if ids.is_empty() => format!("nothing was heard of a device {device}"),
                ids => format!("nothing was heard of a device {device}; there are: {ids}"),
            },
            (true, Some(known)) => {
                let names: Vec<&str> =
                    known.latest.iter().map(|latest| latest.metric.name.as_str()).take(50).collect();
                format!("{device} did not tell its {metric}; it has: {}", names.join(", "))
            }
            (false, _) => {
                let why = self.why.as_ref().map(print::reason);
                why.unwrap_or_else(|| "the server does not answer".to_owned())
            }
        };
        Failure::new(Exit::TimedOut, print::harmless(&sentence))
    }
}
