//! Devices that announce themselves and publish, and clients that watch them.

use std::collections::HashMap;

use duplex::hub::{Options, Running};
use duplex::model::device::{Metric, MetricType};
use duplex::model::time::WallMs;
use duplex::model::{DeviceId, DeviceState, MetricName, Spec, Value};
use duplex::wire::duplex::message::{ClientMessage, HubMessage, PublishedSample, ReadSample};
use tempfile::TempDir;

use super::client::{Client, get, hub, within};

pub fn id(text: &str) -> DeviceId {
    DeviceId::new(text).unwrap()
}

pub fn name(text: &str) -> MetricName {
    MetricName::new(text).unwrap()
}

/// A device with a temperature and a writable relay.
pub fn spec(device: &str) -> Spec {
    let mut temperature = Metric::new(name("temperature"), MetricType::Number);
    temperature.unit = "°C".to_owned();
    let mut relay = Metric::new(name("relay"), MetricType::Flag);
    relay.writable = true;
    let will = "the connection ended".to_owned();
    Spec { metrics: vec![temperature, relay], will, ..Spec::unannounced(id(device)) }
}

pub fn sample(device: &str, at: Option<WallMs>, values: &[(&str, f64)]) -> PublishedSample {
    let values = values.iter().map(|(metric, value)| (name(metric), Value::Number(*value))).collect();
    PublishedSample { device: id(device), at, values }
}

impl Client {
    /// The admin, connected.
    pub async fn admin(hub: &Running) -> Client {
        Client::enter(&hub.url, hub.admin_token.reveal(), None).await.0
    }

    /// Starts watching, and returns the list.
    pub async fn watch(&mut self) -> Vec<DeviceState> {
        self.say(&ClientMessage::Watch).await;
        let (mut all, mut complete) = (Vec::new(), false);
        while !complete {
            let piece = |message: &HubMessage| match message {
                HubMessage::Devices { devices, more, .. } => Some((devices.clone(), *more)),
                _ => None,
            };
            let (devices, more) = self.find(piece).await;
            all.extend(devices);
            complete = !more;
        }
        all
    }

    pub async fn announce(&mut self, spec: Spec) {
        self.say(&ClientMessage::Announce(spec)).await;
        self.settled().await;
    }

    pub async fn publish(&mut self, device: &str, values: &[(&str, f64)]) {
        self.say(&ClientMessage::Publish { samples: vec![sample(device, None, values)] }).await;
    }

    /// Waits until the hub has processed everything sent so far.
    pub async fn settled(&mut self) {
        let nonce = u64::from_be_bytes(duplex::clock::random().unwrap()) >> 12;
        self.say(&ClientMessage::Ping { nonce, pad: String::new() }).await;
        let pong = |message: &HubMessage| match message {
            HubMessage::Pong { nonce: back, .. } if *back == nonce => Some(()),
            _ => None,
        };
        self.find(pong).await;
    }

    /// The next announced device.
    pub async fn device(&mut self) -> DeviceState {
        self.find(|message| match message {
            HubMessage::Device { device } => Some((**device).clone()),
            _ => None,
        })
        .await
    }

    /// The next presence change of a device.
    pub async fn presence(&mut self) -> (String, bool, String) {
        self.find(|message| match message {
            HubMessage::DeviceState { device, online, reason, .. } => {
                Some((device.to_string(), *online, reason.clone()))
            }
            _ => None,
        })
        .await
    }

    /// The next readings, and how many were skipped before them.
    pub async fn readings(&mut self) -> (Vec<ReadSample>, u64) {
        self.find(|message| match message {
            HubMessage::Readings { samples, conflated } => Some((samples.clone(), *conflated)),
            _ => None,
        })
        .await
    }

    /// The next refusal of published data.
    pub async fn refusal(&mut self) -> (String, String) {
        self.find(|message| match message {
            HubMessage::PublishRefused { device, code, .. } => Some((device.clone(), code.clone())),
            _ => None,
        })
        .await
    }
}

/// A short form of a message.
fn gist(message: &HubMessage) -> Option<String> {
    match message {
        HubMessage::Device { device } => Some(format!("device {}", device.spec.id)),
        HubMessage::DeviceState { device, online, .. } => Some(format!("{device} {online}")),
        HubMessage::Readings { samples, .. } => {
            let values = samples.iter().flat_map(|sample| sample.values.values());
            Some(values.map(|value| format!("{:?}", value.as_chart())).collect::<Vec<_>>().join(" "))
        }
        _ => None,
    }
}

#[tokio::test]
async fn watchers_see_a_device_connect_publish_and_disconnect_in_order() {
    let (_dir, hub) = hub().await;
    let mut watcher = Client::admin(&hub).await;
    assert_eq!(watcher.watch().await, []);
    let mut pump = Client::admin(&hub).await;
    pump.announce(spec("pump")).await;
    pump.publish("pump", &[("temperature", 21.5)]).await;
    pump.publish("pump", &[("temperature", 22.0)]).await;
    let goes =
        ClientMessage::DeviceState { device: id("pump"), online: false, reason: "maintenance".to_owned() };
    pump.say(&goes).await;
    pump.publish("pump", &[("temperature", 23.0)]).await;
    pump.settled().await;
    drop(pump);
    let mut seen = Vec::new();
    while seen.iter().filter(|gist: &&String| *gist == "pump false").count() < 2 {
        seen.push(watcher.find(gist).await);
    }
    let seen = seen.join(", ").replace("Some(21.5), Some(22.0)", "Some(21.5) Some(22.0)");
    let expected = "device pump, Some(21.5) Some(22.0), pump false, pump true, Some(23.0), pump false";
    assert_eq!(seen, expected);

    let list = Client::admin(&hub).await.watch().await;
    let [state] = &list[..] else { panic!("{list:?}") };
    assert_eq!((state.online, state.reason.as_str()), (false, "the connection ended"));
    assert_eq!(state.spec.metrics, spec("pump").metrics);
    let temperature = state.values.iter().find(|last| last.metric.as_str() == "temperature").unwrap();
    assert_eq!(temperature.value, Value::Number(23.0));
    assert!(state.heard.is_some() && state.since >= temperature.received);
}

#[tokio::test]
async fn each_announcement_starts_a_new_incarnation_and_takes_over() {
    let (_dir, hub) = hub().await;
    let mut watcher = Client::admin(&hub).await;
    watcher.watch().await;
    let mut first = Client::admin(&hub).await;
    first.announce(spec("pump")).await;
    let one = watcher.device().await.incarnation;
    let mut second = Client::admin(&hub).await;
    second.announce(spec("pump")).await;
    let two = watcher.device().await.incarnation;
    assert!(two > one);
    first.publish("pump", &[("temperature", 1.0)]).await;
    assert_eq!(first.refusal().await, ("pump".to_owned(), "not_allowed".to_owned()));
    drop(first);
    second.publish("pump", &[("temperature", 2.0)]).await;
    let (samples, _) = watcher.readings().await;
    assert_eq!(samples[0].values[&name("temperature")], Value::Number(2.0), "and nothing from the first");
    drop(second);
    assert!(!watcher.presence().await.1, "only now is it offline");
}

#[tokio::test]
async fn a_device_token_is_valid_for_its_own_device_only() {
    let (dir, hub) = hub().await;
    let shed = duplex::hub::add_device(dir.path(), "shed", "The shed").unwrap();
    let (mut device, welcome) = Client::enter(&hub.url, shed.reveal(), None).await;
    assert_eq!((welcome.me.id.0.as_str(), welcome.me.name.as_str()), ("shed", "The shed"));
    device.publish("shed", &[("temperature", 1.0)]).await;
    device.say(&ClientMessage::Announce(spec("pump"))).await;
    assert_eq!(device.refusal().await, ("pump".to_owned(), "not_allowed".to_owned()));
    device.publish("pump", &[("temperature", 1.0)]).await;
    assert_eq!(device.refusal().await, ("pump".to_owned(), "not_allowed".to_owned()));
    let (mut ben, _) = Client::join(&dir, &hub.url, "Ben").await;
    ben.say(&ClientMessage::Announce(spec("ben"))).await;
    assert_eq!(ben.refusal().await, ("ben".to_owned(), "not_allowed".to_owned()));
    ben.publish("shed", &[("temperature", 9.0)]).await;
    assert_eq!(ben.refusal().await.1, "not_allowed");
    let mut admin = Client::admin(&hub).await;
    admin.publish("~link", &[("temperature", 1.0)]).await;
    assert_eq!(admin.refusal().await, ("~link".to_owned(), "bad_name".to_owned()));
    let list = ben.watch().await;
    assert_eq!(list.iter().map(|state| state.spec.title()).collect::<Vec<_>>(), ["The shed"]);
    assert_eq!(list[0].values[0].value, Value::Number(1.0), "a person may watch");
}

#[tokio::test]
async fn readings_add_unknown_devices_and_bring_offline_ones_back() {
    let (_dir, hub) = hub().await;
    let mut watcher = Client::admin(&hub).await;
    watcher.watch().await;
    let mut gateway = Client::admin(&hub).await;
    gateway.publish("attic", &[("temperature", 1.0)]).await;
    let attic = watcher.device().await;
    assert!(attic.online && attic.spec.kind.is_empty() && attic.incarnation == 0);
    assert_eq!(attic.spec.metrics, [Metric::new(name("temperature"), MetricType::Number)]);
    gateway.publish("attic", &[("temperature", 2.0), ("humidity", 40.0)]).await;
    assert_eq!(watcher.device().await.spec.metrics.len(), 2);
    gateway.publish("attic", &[("humidity", 41.0)]).await;
    gateway.publish("attic", &[("door", 0.0)]).await;
    assert_eq!(watcher.device().await.spec.metrics.len(), 3, "once for each new metric");

    gateway.announce(spec("pump")).await;
    drop(gateway);
    assert_eq!(watcher.presence().await, ("pump".into(), false, "the connection ended".into()));
    let mut gateway = Client::admin(&hub).await;
    gateway.publish("pump", &[("temperature", 3.0)]).await;
    assert_eq!(watcher.presence().await, ("pump".into(), true, String::new()));
}

#[tokio::test]
async fn excess_metrics_and_long_texts_are_rejected_and_the_rest_accepted() {
    let (_dir, hub) = hub().await;
    let mut gateway = Client::admin(&hub).await;
    let names: Vec<String> = (0..300).map(|number| format!("m{number:03}")).collect();
    let values: Vec<(&str, f64)> = names.iter().map(|name| (name.as_str(), 1.0)).collect();
    gateway.publish("attic", &values).await;
    assert_eq!(gateway.refusal().await, ("attic".to_owned(), "too_many".to_owned()));
    let values = [(name("m000"), Value::Text("x".repeat(2000).into())), (name("m001"), Value::Number(7.0))];
    let long = PublishedSample { device: id("attic"), at: None, values: values.into_iter().collect() };
    gateway.say(&ClientMessage::Publish { samples: vec![long] }).await;
    assert_eq!(gateway.refusal().await, ("attic".to_owned(), "too_large".to_owned()));
    let mut large = spec("attic");
    large.attributes = (0..1000).map(|number| (number.to_string(), "x".repeat(100))).collect();
    gateway.say(&ClientMessage::Announce(large)).await;
    assert_eq!(gateway.refusal().await, ("attic".to_owned(), "too_large".to_owned()));
    let list = gateway.watch().await;
    assert_eq!(list[0].values.len(), 256);
    let value = |metric: &str| list[0].values.iter().find(|l| l.metric.as_str() == metric).unwrap();
    assert_eq!((&value("m000").value, &value("m001").value), (&Value::Number(1.0), &Value::Number(7.0)));
}

#[tokio::test]
async fn nothing_is_lost_or_duplicated_between_the_list_and_the_readings() {
    let (_dir, hub) = hub().await;
    let mut gateway = Client::admin(&hub).await;
    // More than fits into one part of the list.
    let names: Vec<String> = (0..2_000).map(|number| format!("device {number}")).collect();
    for some in names.chunks(100) {
        let samples = some.iter().map(|name| sample(name, None, &[("count", 0.0)])).collect();
        gateway.say(&ClientMessage::Publish { samples }).await;
    }
    gateway.settled().await;
    let mut watcher = Client::admin(&hub).await;
    watcher.say(&ClientMessage::Watch).await;
    for round in 1..=20 {
        let samples = names[..100].iter().map(|name| sample(name, None, &[("count", f64::from(round))]));
        gateway.say(&ClientMessage::Publish { samples: samples.collect() }).await;
    }
    gateway.settled().await;
    let (mut counts, mut pieces, mut doubled) = (HashMap::new(), 0, 0);
    while names[..100].iter().any(|name| counts.get(name.as_str()) != Some(&20.0)) {
        match watcher.hear().await {
            HubMessage::Devices { devices, .. } => {
                pieces += 1;
                for state in devices {
                    let value = state.values.first().and_then(|last| last.value.as_chart());
                    counts.insert(state.spec.id.to_string(), value.unwrap_or(-1.0));
                }
            }
            HubMessage::Readings { samples, conflated: 0 } => {
                for sample in samples {
                    let value = sample.values[&name("count")].as_chart().unwrap();
                    let before = counts.insert(sample.device.to_string(), value).unwrap();
                    // -1 means that the value is not in the list because it follows as a reading.
                    assert!(before == value - 1.0 || before == -1.0, "{before} before {value}");
                    doubled += usize::from(before == value);
                }
            }
            other => assert!(!matches!(other, HubMessage::Readings { .. }), "{other:?}"),
        }
    }
    assert!(pieces > 1 && counts.len() == 2_000 && doubled == 0, "{pieces} pieces");
}

#[tokio::test]
async fn a_slow_client_gets_the_newest_values_an_exact_count_and_chat_at_once() {
    let (_dir, hub) = hub().await;
    let mut slow = Client::admin(&hub).await;
    slow.watch().await;
    let mut gateway = Client::admin(&hub).await;
    let names: Vec<String> = (0..100).map(|number| format!("device {number}")).collect();
    let metrics: Vec<String> = (0..10).map(|number| format!("metric {number}")).collect();
    const ROUNDS: u32 = 300;
    for round in 1..=ROUNDS {
        let values: Vec<(&str, f64)> = metrics.iter().map(|m| (m.as_str(), f64::from(round))).collect();
        let samples = names.iter().map(|name| sample(name, None, &values)).collect();
        gateway.say(&ClientMessage::Publish { samples }).await;
    }
    gateway.settled().await;
    let chat = gateway.send("can you hear me?").await;
    gateway.acked(chat).await;
    // The slow client starts reading only now.
    let (mut told, mut left_out, mut before_chat, mut chat_came) = (0, 0, 0, false);
    let mut last: HashMap<(String, String), f64> = HashMap::new();
    let all = u64::from(ROUNDS) * 1_000;
    while told + left_out < all || !chat_came {
        match slow.hear().await {
            HubMessage::Readings { samples, conflated } => {
                left_out += conflated;
                for sample in samples {
                    for (metric, value) in sample.values {
                        told += 1;
                        let (key, value) =
                            ((sample.device.to_string(), metric.to_string()), value.as_chart().unwrap());
                        let before = last.insert(key, value).unwrap_or(0.0);
                        assert!(before < value, "never backwards, never twice");
                    }
                }
            }
            HubMessage::Log { entries, .. } if entries.iter().any(|entry| entry.draft.id == chat) => {
                (chat_came, before_chat) = (true, told);
            }
            _ => {}
        }
    }
    assert_eq!(told + left_out, all);
    assert!(left_out > all / 2, "{left_out} of {all} were skipped");
    assert!(before_chat <= told && before_chat < all / 4, "{before_chat} readings before the message");
    assert!(last.len() == 1_000 && last.values().all(|value| *value == f64::from(ROUNDS)));
    let headers = format!("Host: localhost\r\nAuthorization: Bearer {}\r\n", hub.admin_token.reveal());
    let metrics = get(hub.addr, "/metrics", &headers).await;
    for line in [
        "duplex_devices 100".to_owned(),
        format!("duplex_readings_total {all}"),
        format!("duplex_readings_relayed_total {told}"),
        format!("duplex_readings_conflated_total {left_out}"),
    ] {
        assert!(metrics.lines().any(|found| found == line), "{line} is missing in {metrics}");
    }
}

#[tokio::test]
async fn twenty_thousand_readings_a_second_are_accepted() {
    let (_dir, hub) = hub().await;
    let mut gateway = Client::admin(&hub).await;
    for batch in 0..1_000 {
        let values: Vec<PublishedSample> =
            (0..10).map(|d| sample(&format!("d{d}"), Some(WallMs(batch)), &[("count", 1.0)])).collect();
        gateway.say(&ClientMessage::Publish { samples: values }).await;
    }
    let nonce = 1;
    gateway.say(&ClientMessage::Ping { nonce, pad: String::new() }).await;
    loop {
        match gateway.hear().await {
            HubMessage::Pong { .. } => break,
            HubMessage::Error { code, .. } => panic!("{code}"),
            _ => {}
        }
    }
}

async fn restarted(dir: &TempDir, hub: Running) -> Running {
    within("the hub to stop", hub.shutdown()).await;
    duplex::hub::start(Options::embedded(dir.path())).await.unwrap()
}

#[tokio::test]
async fn devices_survive_a_restart_of_the_hub() {
    let (dir, hub) = hub().await;
    let mut pump = Client::admin(&hub).await;
    pump.announce(spec("pump")).await;
    pump.publish("pump", &[("temperature", 21.5)]).await;
    pump.announce(spec("valve")).await;
    let goes = ClientMessage::DeviceState { device: id("valve"), online: false, reason: "winter".into() };
    pump.say(&goes).await;
    pump.settled().await;
    let hub = restarted(&dir, hub).await;
    let mut watcher = Client::admin(&hub).await;
    let mut list = watcher.watch().await;
    list.sort_by_key(|state| state.spec.id.clone());
    let [known, valve] = &list[..] else { panic!("{list:?}") };
    assert!(known.online, "the hub stopped, not the pump");
    assert_eq!(known.spec, spec("pump"));
    assert_eq!(known.values[0].value, Value::Number(21.5));
    assert!(known.heard.is_some_and(|heard| heard >= known.values[0].received));
    assert_eq!((valve.online, valve.reason.as_str()), (false, "winter"));
    let mut pump = Client::admin(&hub).await;
    pump.announce(spec("pump")).await;
    assert!(watcher.device().await.incarnation > known.incarnation);
}
