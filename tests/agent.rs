//! This computer as a device of the app's own hub, from the first start on: the real worker and the real hub, on loopback.
//! Nothing here sleeps for a result: what is waited for is named, and a guard turns a hang into a failure.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test program")]

use std::path::Path;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use duplex::agent;
use duplex::model::intent::DeviceIntent;
use duplex::model::link_device::link_spec;
use duplex::model::{
    Banner, Command, CommandState, Connection, ConnectionId, Device, DeviceId, DeviceLogEvent, Freshness,
    Intent, MetricName, SharedModel, Status, Value,
};
use duplex::store::readings::APP_FILE;
use duplex::worker::{Options, Worker};

const HUB: ConnectionId = ConnectionId::OWN_HUB;
const PATIENCE: Duration = Duration::from_secs(30);

struct App {
    model: SharedModel,
    worker: Worker,
    wakes: mpsc::Receiver<()>,
}

impl App {
    /// The app without a window, its own hub included.
    fn start(dir: &Path) -> App {
        let model = SharedModel::default();
        let (tell, wakes) = mpsc::sync_channel(1);
        let wake = Arc::new(move |_| _ = tell.try_send(()));
        let options = Options { data_dir: dir.to_owned(), only: None, tell: None };
        let worker = Worker::spawn(options, model.clone(), wake).unwrap();
        App { model, worker, wakes }
    }

    /// Waits until the connection to its own hub shows this, and returns it.
    fn until<T>(&self, what: &str, look: impl Fn(&Connection) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let found = self.model.read(|model| model.connections.get(&HUB).and_then(&look));
            if let Some(found) = found {
                return found;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "waited too long for {what}");
            // It may be woken for something else, or have been already.
            let _ = self.wakes.recv_timeout(left.min(Duration::from_secs(1)));
        }
    }

    fn command(&self, device: &Device, property: &str, value: Value) {
        let intent = Intent::Device(DeviceIntent::Command {
            connection: HUB,
            device: device.spec.id.clone(),
            incarnation: device.incarnation,
            property: MetricName::new(property).unwrap(),
            value,
        });
        self.worker.want(intent).unwrap();
    }
}

fn computer(connection: &Connection) -> Option<&Device> {
    connection.devices.get(agent::host_id().as_str())
}

/// This computer, once it is announced, online and said so by the hub.
fn online(connection: &Connection) -> Option<Device> {
    let device = computer(connection)?;
    (!device.spec.metrics.is_empty() && connection.status(device) == Status::Online).then(|| device.clone())
}

#[test]
fn this_computer_is_there_from_the_first_start() {
    let dir = tempfile::tempdir().unwrap();
    let app = App::start(dir.path());
    let device = app.until("this computer", online);
    assert_eq!((device.spec.kind.as_str(), device.is_local()), ("computer", false));
    assert!(device.spec.attributes.contains_key("cores"), "{:?}", device.spec.attributes);

    let moments = |connection: &Connection| {
        let memory = computer(connection)?.metric("memory")?;
        assert_ne!(connection.freshness(computer(connection)?, memory), Freshness::Stale);
        Some(memory.series.raw().len()).filter(|moments| *moments >= 2)
    };
    app.until("readings that go on", moments);
    let live = |connection: &Connection| {
        let cpu = computer(connection)?.metric("cpu")?;
        Some(connection.freshness(computer(connection)?, cpu)).filter(|fresh| *fresh == Freshness::Live)
    };
    app.until("the CPU's load as it is", live);
    app.worker.shut_down();
}

#[test]
fn a_command_travels_from_the_app_through_its_hub_to_this_computer_and_back() {
    let dir = tempfile::tempdir().unwrap();
    let app = App::start(dir.path());
    let device = app.until("this computer", online);
    app.command(&device, "interval", Value::Number(3.0));
    let ended = |connection: &Connection| {
        let command = computer(connection)?.commands.back()?;
        (command.state != CommandState::Pending).then(|| command.clone())
    };
    let command: Command = app.until("the command's end", ended);
    assert_eq!((command.state, command.value), (CommandState::Done, Value::Number(3.0)));
    let told =
        |connection: &Connection| Some(computer(connection)?.spec.expect_every_s).filter(|s| *s == Some(3.0));
    app.until("the new interval", told);

    // What the person saw when they touched it is another one now.
    app.command(&device, "interval", Value::Number(5.0));
    let refused = |connection: &Connection| {
        let command = computer(connection)?.commands.back().filter(|c| c.value == Value::Number(5.0))?;
        (command.state != CommandState::Pending).then(|| command.clone())
    };
    let command = app.until("the late touch's end", refused);
    assert!(matches!(command.state, CommandState::Refused { .. }), "{command:?}");

    let log = Intent::Device(DeviceIntent::LoadLog { connection: HUB, device: device.spec.id.clone() });
    app.worker.want(log).unwrap();
    let logged = |connection: &Connection| {
        let lines = &computer(connection)?.log;
        let is_done = |what: &DeviceLogEvent| matches!(what, DeviceLogEvent::Command { command } if command.state == CommandState::Done);
        (lines.iter().filter(|line| is_done(&line.what)).count() == 1).then_some(())
    };
    app.until("the command in the log, once", logged);
    app.worker.shut_down();
}

#[test]
fn the_link_itself_is_charted() {
    let dir = tempfile::tempdir().unwrap();
    let app = App::start(dir.path());
    let charted = |connection: &Connection| {
        let link = connection.devices.get(link_spec().id.as_str())?;
        let readings = link.metric("readings")?;
        (readings.series.raw().len() >= 2).then(|| connection.status(link))
    };
    assert_eq!(app.until("two seconds of the link", charted), Status::Online);
    app.worker.shut_down();
}

#[test]
fn the_links_states_are_told_with_the_time_in_which_nobody_looked() {
    let dir = tempfile::tempdir().unwrap();
    let states = || {
        Intent::Device(DeviceIntent::LoadStates {
            connection: HUB,
            device: link_spec().id,
            metric: MetricName::new("state").unwrap(),
        })
    };
    let told = |connection: &Connection| {
        let changes = connection.devices.states(link_spec().id.as_str(), "state")?;
        let said = changes.iter().map(|change| change.value.as_deref().map(str::to_owned));
        Some((said.collect::<Vec<_>>(), changes.is_sorted_by_key(|change| change.at)))
    };
    let is_charted = |connection: &Connection| {
        let state = connection.devices.get(link_spec().id.as_str())?.metric("state")?;
        (state.live && state.value == Value::Text("online".into())).then_some(())
    };
    let said = |text: &str| Some(text.to_owned());
    let app = App::start(dir.path());
    app.until("the link's state", is_charted);
    app.worker.want(states()).unwrap();
    let (first, _) = app.until("its past", told);
    assert_eq!(first.last(), Some(&said("online")), "{first:?}");
    app.worker.shut_down();

    let app = App::start(dir.path());
    app.until("the link's state", is_charted);
    app.worker.want(states()).unwrap();
    let (all, is_in_order) = app.until("its past", told);
    assert!(is_in_order);
    let (before, since) = all.split_at(first.len());
    assert_eq!(
        (before, since.first(), since.last()),
        (&first[..], Some(&None), Some(&said("online"))),
        "{all:?}"
    );
    app.worker.shut_down();
}

impl App {
    /// Waits for a banner.
    fn banner(&self, what: &str, is_it: impl Fn(&Banner) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !self.model.read(|model| model.banners.iter().any(&is_it)) {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "waited too long for {what}");
            let _ = self.wakes.recv_timeout(left.min(Duration::from_secs(1)));
        }
    }
}

#[test]
fn what_cannot_be_kept_or_was_damaged_is_told_and_readings_go_on() {
    let dir = tempfile::tempdir().unwrap();
    // Nothing can be written to a folder.
    std::fs::create_dir(dir.path().join(APP_FILE)).unwrap();
    let app = App::start(dir.path());
    app.banner("the trouble", |banner| matches!(banner, Banner::ReadingsNotWritten { .. }));
    app.until("this computer all the same", online);
    app.worker.shut_down();

    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join(APP_FILE), [b'?'; 8_192]).unwrap();
    let app = App::start(dir.path());
    app.banner("what was set aside", |banner| match banner {
        Banner::ReadingsSetAside { path } => path.exists(),
        _ => false,
    });
    app.until("this computer all the same", online);
    app.worker.shut_down();
}

#[test]
fn the_past_is_there_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let app = App::start(dir.path());
    app.until("this computer", online);
    let said = |connection: &Connection| {
        let memory = computer(connection)?.metric("memory")?;
        (memory.series.raw().len() >= 2).then_some(memory.received)
    };
    let last = app.until("readings", said);
    app.worker.shut_down();

    let app = App::start(dir.path());
    let ask = |device: DeviceId| {
        Intent::Device(DeviceIntent::LoadSeries {
            connection: HUB,
            device,
            metric: MetricName::new("memory").unwrap(),
            from: last - 60_000,
            to: last + 1,
            columns: 500,
        })
    };
    // As the disk holds it, or as the hub tells it: it is the same device.
    app.until("this computer", |connection| computer(connection).map(|_| ()));
    app.worker.want(ask(agent::host_id())).unwrap();
    let page = app.until("its past", |connection| {
        let page = connection.devices.page(agent::host_id().as_str(), "memory")?;
        (!page.buckets.is_empty()).then(|| page.clone())
    });
    assert!(page.buckets.iter().all(|bucket| (page.from..page.to).contains(&bucket.at)), "{page:?}");
    app.worker.shut_down();
}
