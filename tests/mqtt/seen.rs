//! What a person sees of the devices behind a broker: the changes that [`Conventions`] reports, applied one after the other.

use std::collections::BTreeMap;

use duplex::mapping::mqtt::{Change, Commanded, Conventions, Outgoing, Publication, There};
use duplex::model::time::BootMs;
use duplex::model::time::WallMs;
use duplex::model::{Metric, MetricName, Spec, Time, Value};

/// A device as it is shown.
#[derive(Debug, Default)]
pub struct Shown {
    pub spec: Option<Spec>,
    pub there: There,
    pub is_silent: bool,
    /// By metric: the last value, whether it was replayed, and when it was taken.
    pub values: BTreeMap<String, (Value, bool, Option<WallMs>)>,
    /// Number of readings of each metric.
    pub counts: BTreeMap<String, usize>,
}

impl Shown {
    pub fn title(&self) -> &str {
        self.spec.as_ref().map(Spec::title).unwrap_or_default()
    }

    pub fn metric(&self, name: &str) -> Option<&Metric> {
        self.spec.as_ref()?.metric(name)
    }
}

/// A broker's devices, by id.
#[derive(Default)]
pub struct Seen {
    pub conventions: Conventions,
    pub devices: BTreeMap<String, Shown>,
    pub published: Vec<Outgoing>,
    pub refused: Vec<(String, String)>,
    pub now: Time,
}

impl Seen {
    pub fn new() -> Self {
        Seen {
            now: Time { boot_ms: BootMs(1_000_000), wall_ms: WallMs(1_800_000_000_000) },
            ..Seen::default()
        }
    }

    /// A message comes, a second after the last one.
    pub fn message(&mut self, topic: &str, payload: &[u8], retained: bool) {
        self.now = self.now.plus(900);
        let changes = self.conventions.received(self.now, &Publication { topic, payload, retained });
        self.apply(changes);
        self.wait(100);
    }

    /// Time passes.
    pub fn wait(&mut self, ms: u64) {
        let end = self.now.plus(ms);
        while let Some(due) = self.conventions.deadline().filter(|due| *due <= end.boot_ms) {
            self.now = self.now.plus(due.since(self.now.boot_ms));
            let changes = self.conventions.tick(self.now);
            self.apply(changes);
        }
        self.now = end;
    }

    fn apply(&mut self, changes: Vec<Change>) {
        for change in changes {
            match change {
                Change::Described(spec) => {
                    let shown = self.devices.entry(spec.id.to_string()).or_default();
                    shown.spec = Some(*spec);
                    let names: Vec<&str> = shown
                        .spec
                        .iter()
                        .flat_map(|spec| &spec.metrics)
                        .map(|metric| metric.name.as_str())
                        .collect();
                    shown.values.retain(|name, _| names.contains(&name.as_str()));
                }
                Change::Gone(device) => {
                    assert!(self.devices.remove(device.as_str()).is_some(), "{device} was not there")
                }
                Change::Presence { device, there } => self.device(device.as_str()).there = there,
                Change::Silent { device, .. } => self.device(device.as_str()).is_silent = true,
                Change::Readings { device, at, replayed, values } => {
                    let shown = self.device(device.as_str());
                    shown.is_silent &= replayed;
                    for (name, value) in values {
                        assert!(shown.metric(name.as_str()).is_some(), "{device} has no metric {name}");
                        *shown.counts.entry(name.to_string()).or_default() += 1;
                        shown.values.insert(name.to_string(), (value, replayed, at));
                    }
                }
                Change::Publish(message) => self.published.push(message),
                Change::Refused { topic, why } => self.refused.push((topic, why)),
            }
        }
    }

    fn device(&mut self, id: &str) -> &mut Shown {
        self.devices.get_mut(id).unwrap_or_else(|| panic!("{id} was not described"))
    }

    /// The only device of this title.
    pub fn titled(&self, title: &str) -> Option<&Shown> {
        let mut found = self.devices.values().filter(|shown| shown.title() == title);
        let first = found.next();
        assert!(found.next().is_none(), "two devices are called {title}");
        first
    }

    pub fn command(&mut self, title: &str, property: &str, value: &Value) -> Result<Commanded, String> {
        let id = self.titled(title).and_then(|shown| Some(shown.spec.as_ref()?.id.clone()));
        let id = id.ok_or("there is no such device")?;
        let property = MetricName::new(property).map_err(|why| why.to_string())?;
        self.conventions.command(self.now, &id, &property, value)
    }

    /// Everything, as text.
    pub fn dump(&self) -> String {
        let mut out = String::new();
        for (id, shown) in &self.devices {
            let Some(spec) = &shown.spec else { continue };
            out += &format!(
                "device {id} | name {:?} | kind {:?} | {:?} {}\n",
                spec.name,
                spec.kind,
                shown.there,
                if shown.is_silent { "silent" } else { "" }
            );
            for (name, text) in &spec.attributes {
                out += &format!("    @{name}: {text}\n");
            }
            for metric in &spec.metrics {
                let value = shown.values.get(metric.name.as_str());
                let shown = value.map(|(value, replayed, at)| {
                    format!(
                        "{} {}{}",
                        show(value),
                        if *replayed { "(replayed)" } else { "" },
                        at.map(|at| format!(" at {}", at.0)).unwrap_or_default()
                    )
                });
                let more = [
                    metric.writable.then(|| "writable".to_owned()),
                    metric.write_only.then(|| "write-only".to_owned()),
                    metric.risky.then(|| "risky".to_owned()),
                    metric.min.map(|n| format!("min {n}")),
                    metric.max.map(|n| format!("max {n}")),
                    metric.step.map(|n| format!("step {n}")),
                    (!metric.options.is_empty()).then(|| format!("{:?}", metric.options)),
                    metric.control.map(|control| format!("{control:?}")),
                    (!metric.icon.is_empty()).then(|| metric.icon.clone()),
                    (!metric.note.is_empty()).then(|| format!("NOTE {}", metric.note)),
                ];
                let more: Vec<String> = more.into_iter().flatten().collect();
                out += &format!(
                    "    {} = {} [{}] {:?} {}\n",
                    metric.name,
                    shown.unwrap_or("-".to_owned()),
                    metric.unit,
                    metric.kind,
                    more.join(" ")
                );
            }
        }
        for (topic, why) in &self.refused {
            out += &format!("refused {topic}: {why}\n");
        }
        for message in &self.published {
            out += &format!("published {} {}\n", message.topic, String::from_utf8_lossy(&message.payload));
        }
        out
    }
}

/// A value as text.
pub fn show(value: &Value) -> String {
    match value {
        Value::Missing => "missing".to_owned(),
        Value::Flag(flag) => flag.to_string(),
        Value::Text(text) => format!("{text:?}"),
        number => number.as_number().map(|number| number.to_string()).unwrap_or_default(),
    }
}
