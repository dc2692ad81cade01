//! Commands: to a device and back, refused, expired.

use duplex::hub::{Options, Running};
use duplex::model::device::CommandRefusal;
use duplex::model::{Command, CommandState, LogLine, MessageId, Metric, MetricType, Value};
use duplex::wire::duplex::message::{ClientMessage, HubMessage};
use tempfile::TempDir;

use super::client::{Client, hub, new_id};
use super::devices::{id, name, spec};

fn command(id_: MessageId, incarnation: Option<u64>, property: &str, value: Value) -> ClientMessage {
    ClientMessage::Command { id: id_, device: id("pump"), incarnation, property: name(property), value }
}

fn switch_on(id: MessageId) -> ClientMessage {
    command(id, None, "relay", Value::Flag(true))
}

impl Client {
    /// The next message about a command.
    async fn commanded(&mut self) -> Command {
        self.find(|message| match message {
            HubMessage::Commanded { command } => Some(command.clone()),
            _ => None,
        })
        .await
    }

    async fn state_of(&mut self, id: MessageId) -> CommandState {
        let command = self.commanded().await;
        assert_eq!(command.id, id);
        command.state
    }

    /// The next command for one of this client's devices: its id, and its remaining time.
    async fn given(&mut self) -> (MessageId, u64) {
        self.find(|message| match message {
            HubMessage::Command { id, property, value, expires_in_ms, .. } => {
                assert_eq!((property.as_str(), value), ("relay", &Value::Flag(true)));
                Some((*id, *expires_in_ms))
            }
            _ => None,
        })
        .await
    }

    async fn done(&mut self, id: MessageId) {
        self.say(&ClientMessage::CommandResult { id, state: CommandState::Done }).await;
    }
}

/// A hub whose commands expire after this time.
async fn hub_with(command_ms: u64) -> (TempDir, Running) {
    let dir = tempfile::tempdir().unwrap();
    let options = Options { command_ms, ..Options::embedded(dir.path()) };
    let running = duplex::hub::start(options).await.unwrap();
    (dir, running)
}

#[tokio::test]
async fn a_command_reaches_the_device_and_its_outcome_all_watchers() {
    let (dir, hub) = hub().await;
    let mut watcher = Client::admin(&hub).await;
    watcher.watch().await;
    let mut pump = Client::admin(&hub).await;
    pump.announce(spec("pump")).await;
    let (mut ben, _) = Client::join(&dir, &hub.url, "Ben").await;
    let first = new_id();
    ben.say(&switch_on(first)).await;
    assert_eq!(ben.state_of(first).await, CommandState::Pending);
    let (given, expires_in_ms) = pump.given().await;
    assert!(given == first && expires_in_ms <= 30_000);
    pump.done(first).await;
    assert_eq!(ben.state_of(first).await, CommandState::Done, "the requester is told without watching");
    assert_eq!(watcher.state_of(first).await, CommandState::Pending);
    let end = watcher.commanded().await;
    assert_eq!((end.state, end.by.name.as_str()), (CommandState::Done, "Ben"));

    // The same id again is the same command.
    ben.say(&switch_on(first)).await;
    assert_eq!(ben.state_of(first).await, CommandState::Done);
    let second = new_id();
    ben.say(&switch_on(second)).await;
    ben.say(&switch_on(second)).await;
    assert_eq!(ben.state_of(second).await, CommandState::Pending);
    assert_eq!(ben.state_of(second).await, CommandState::Pending);
    assert_eq!(pump.given().await.0, second, "each command is passed on once");
    let detail = "the valve is stuck".to_owned();
    let failed = CommandState::Failed { detail };
    // Only the device's own connection may answer.
    watcher.done(second).await;
    watcher.settled().await;
    pump.say(&ClientMessage::CommandResult { id: second, state: failed.clone() }).await;
    assert_eq!(ben.state_of(second).await, failed);
    pump.say(&ClientMessage::CommandResult { id: second, state: CommandState::Done }).await;
    pump.settled().await;
    ben.say(&switch_on(second)).await;
    assert_eq!(ben.state_of(second).await, failed, "the outcome is final");
}

#[tokio::test]
async fn integers_reach_the_device_unchanged_or_are_refused() {
    let (dir, hub) = hub().await;
    let mut pump = Client::admin(&hub).await;
    let metric = |text: &str| Metric { writable: true, ..Metric::new(name(text), MetricType::Number) };
    let limit = |whole: i128| Value::whole(whole).unwrap().as_number();
    let mut announced = spec("pump");
    announced.metrics = vec![
        metric("serial"),
        Metric { max: limit(9_007_199_254_740_993), min: limit(-9_007_199_254_740_993), ..metric("narrow") },
    ];
    pump.announce(announced).await;
    let (mut ben, _) = Client::join(&dir, &hub.url, "Ben").await;
    for whole in
        [9_007_199_254_740_993, 1_724_442_618_569_203_714, i128::from(u64::MAX), i128::from(i64::MIN)]
    {
        let (first, value) = (new_id(), Value::whole(whole).unwrap());
        ben.say(&command(first, None, "serial", value.clone())).await;
        let told = pump
            .find(|message| match message {
                HubMessage::Command { id, value, .. } if *id == first => Some(value.clone()),
                _ => None,
            })
            .await;
        assert_eq!(serde_json::to_string(&told).unwrap(), whole.to_string());
        assert_eq!(ben.commanded().await.value, value);
        pump.done(first).await;
        assert_eq!(ben.state_of(first).await, CommandState::Done);
    }
    for (property, value, says) in [
        ("serial", "18446744073709551616", "18446744073709551616 is out of range"),
        ("serial", "-9223372036854775809", "-9223372036854775809 is out of range"),
        ("serial", "1e400", "1e400 is out of range"),
        ("narrow", "9007199254740994", "a number from -9007199254740993 to 9007199254740993"),
        ("narrow", "-9007199254740994", "a number from -9007199254740993 to 9007199254740993"),
    ] {
        let id = new_id();
        ben.raw_text(format!(
            r#"{{"type":"command","id":"{id}","device":"pump","property":"{property}","value":{value}}}"#
        ))
        .await;
        match ben.state_of(id).await {
            CommandState::Refused { why: CommandRefusal::BadValue, detail } => {
                assert!(detail.contains(says), "{value}: {detail}");
            }
            other => panic!("{value}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn invalid_commands_are_refused_with_a_reason() {
    let (dir, hub) = hub().await;
    let shed = duplex::hub::add_device(dir.path(), "shed", "").unwrap();
    let mut anna = Client::admin(&hub).await;
    anna.watch().await;
    let refusal = async |client: &mut Client, message: ClientMessage| {
        client.say(&message).await;
        match client.commanded().await.state {
            CommandState::Refused { why, detail } => (why, detail),
            other => panic!("{other:?}"),
        }
    };
    let on = Value::Flag(true);
    let unknown = refusal(&mut anna, command(new_id(), None, "relay", on.clone())).await.0;
    assert_eq!(unknown, CommandRefusal::UnknownDevice);
    let mut pump = Client::admin(&hub).await;
    pump.announce(spec("pump")).await;
    let incarnation = anna.device().await.incarnation;
    let readable = refusal(&mut anna, command(new_id(), None, "temperature", on.clone())).await.0;
    assert_eq!(readable, CommandRefusal::NotWritable);
    let bad = refusal(&mut anna, command(new_id(), None, "relay", Value::Number(7.0))).await;
    assert_eq!(bad, (CommandRefusal::BadValue, "true or false".to_owned()));
    let (mut device, _) = Client::enter(&hub.url, shed.reveal(), None).await;
    device.say(&command(new_id(), None, "relay", on.clone())).await;
    let error = |message: &HubMessage| match message {
        HubMessage::Error { code, .. } => Some(code.clone()),
        _ => None,
    };
    assert_eq!(device.find(error).await, "not_allowed", "devices may not send commands");
    // A command for the previous incarnation.
    pump.announce(spec("pump")).await;
    let changed = refusal(&mut anna, command(new_id(), Some(incarnation), "relay", on.clone())).await.0;
    assert_eq!(changed, CommandRefusal::Changed);
    let incarnation = anna.device().await.incarnation;
    let good = new_id();
    anna.say(&command(good, Some(incarnation), "relay", on)).await;
    assert_eq!(anna.state_of(good).await, CommandState::Pending);
    assert_eq!(pump.given().await.0, good, "none of the others was passed on");
}

#[tokio::test]
async fn a_command_to_an_offline_device_expires() {
    let (dir, hub) = hub_with(50).await;
    let mut pump = Client::admin(&hub).await;
    pump.announce(spec("pump")).await;
    let mut watcher = Client::admin(&hub).await;
    let incarnation = watcher.watch().await[0].incarnation;
    drop(pump);
    assert!(!watcher.presence().await.1);
    let (mut ben, _) = Client::join(&dir, &hub.url, "Ben").await;
    for seen in [None, Some(incarnation)] {
        let id = new_id();
        ben.say(&command(id, seen, "relay", Value::Flag(true))).await;
        assert_eq!(ben.state_of(id).await, CommandState::Pending);
        assert_eq!(ben.state_of(id).await, CommandState::Expired);
        assert_eq!(watcher.state_of(id).await, CommandState::Pending);
        assert_eq!(watcher.state_of(id).await, CommandState::Expired);
    }
    // A device that accepts a command and does not answer.
    let mut pump = Client::admin(&hub).await;
    pump.announce(spec("pump")).await;
    let id = new_id();
    ben.say(&switch_on(id)).await;
    let (given, expires_in_ms) = pump.given().await;
    assert!(given == id && expires_in_ms <= 50, "the expired one was not passed on");
    assert_eq!(ben.state_of(id).await, CommandState::Pending);
    assert_eq!(ben.state_of(id).await, CommandState::Expired);
}

#[tokio::test]
async fn a_command_waits_for_an_offline_device_of_the_same_incarnation() {
    let (_dir, hub) = hub().await;
    let mut pump = Client::admin(&hub).await;
    pump.announce(spec("pump")).await;
    let mut anna = Client::admin(&hub).await;
    let incarnation = anna.watch().await[0].incarnation;
    drop(pump);
    assert!(!anna.presence().await.1);
    let (any, old) = (new_id(), new_id());
    anna.say(&command(old, Some(incarnation), "relay", Value::Flag(true))).await;
    anna.say(&switch_on(any)).await;
    assert_eq!(anna.state_of(old).await, CommandState::Pending);
    assert_eq!(anna.state_of(any).await, CommandState::Pending);
    let mut pump = Client::admin(&hub).await;
    pump.announce(spec("pump")).await;
    let changed = CommandState::Refused { why: CommandRefusal::Changed, detail: String::new() };
    assert_eq!(anna.state_of(old).await, changed);
    assert_eq!(pump.given().await.0, any);
    pump.done(any).await;
    assert_eq!(anna.state_of(any).await, CommandState::Done);
}

#[tokio::test]
async fn outcomes_of_commands_are_in_the_devices_log() {
    let (_dir, hub) = hub().await;
    let mut pump = Client::admin(&hub).await;
    pump.announce(spec("pump")).await;
    let mut anna = Client::admin(&hub).await;
    let id_ = new_id();
    anna.say(&switch_on(id_)).await;
    pump.given().await;
    pump.done(id_).await;
    assert_eq!(anna.state_of(id_).await, CommandState::Pending);
    assert_eq!(anna.state_of(id_).await, CommandState::Done);
    anna.say(&ClientMessage::DeviceLog { device: id("pump") }).await;
    let lines: Vec<LogLine> = anna
        .find(|message| match message {
            HubMessage::DeviceLog { lines, .. } => Some(lines.clone()),
            _ => None,
        })
        .await;
    let text: Vec<String> = lines.iter().map(|line| serde_json::to_string(line).unwrap()).collect();
    assert!(text[0].contains(r#""what":"online""#), "{text:?}");
    assert!(text[1].contains(r#""state":"done""#) && text.len() == 2, "{text:?}");
}
