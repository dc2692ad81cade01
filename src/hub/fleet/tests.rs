//! Tests of the fleet alone: what a client that watches is sent, reading by reading.

use std::collections::HashMap;
use std::sync::Arc;

use super::*;
use crate::model::time::BootMs;
use crate::model::time::WallMs;
use crate::model::{Principal, PrincipalId, PrincipalKind, Readings, Value};
use crate::wire::duplex::message::{Decoded, decode};
use crate::wire::duplex::server::{HubAnswer, HubDeviceAnswer, Input};

fn admin() -> Principal {
    Principal { id: PrincipalId("1".into()), kind: PrincipalKind::Admin, name: "Anna".into(), role: None }
}

fn publish(fleet: &DeviceHub, device: &str, values: &[(&str, f64)]) {
    let name = |text: &str| MetricName::new(text).unwrap();
    let values = values.iter().map(|(metric, value)| (name(metric), Value::Number(*value))).collect();
    let readings = Readings::of(DeviceId::new(device).unwrap(), WallMs(5), WallMs(7), values);
    let admin = admin();
    let (refused, _) =
        fleet.publish(Publisher { principal: &admin, client: None }, readings, None, BootMs(0));
    // Without a database the readings are not stored, which is reported; nothing else may be refused.
    let is_kept = |answer: &HubAnswer| {
        !matches!(answer, HubAnswer::Device(HubDeviceAnswer::Refused { code: NOT_KEPT, .. }))
    };
    assert!(!refused.iter().any(is_kept), "{refused:?}");
}

/// What one client has received.
#[derive(Default)]
struct Received {
    readings: u64,
    conflated: u64,
    last: HashMap<(String, String), f64>,
    online: HashMap<String, bool>,
}

impl Received {
    /// Receives one message; `false` if there was none.
    fn next(&mut self, relay: &mut Relay) -> bool {
        let Some(sent) = relay.next() else { return false };
        let (Input::Devices(text) | Input::Readings(text)) = sent.input else { panic!() };
        assert!(text.len() <= 320 * 1024, "{} bytes", text.len());
        match decode::<HubMessage>(&Frame::Text(text.to_string())).unwrap() {
            Decoded::Known(HubMessage::Readings { samples, conflated }) => {
                self.conflated += conflated;
                assert_eq!(conflated, sent.conflated);
                let before = self.readings;
                for sample in samples {
                    for (metric, value) in sample.values {
                        self.readings += 1;
                        let key = (sample.device.to_string(), metric.to_string());
                        let (value, known) = (value.as_chart().unwrap(), self.last.get(&key).copied());
                        assert!(known.is_none_or(|known| known < value), "{key:?}: {value} after {known:?}");
                        self.last.insert(key, value);
                    }
                    self.online.insert(sample.device.to_string(), true);
                }
                assert_eq!(self.readings - before, sent.readings);
            }
            Decoded::Known(HubMessage::DeviceState { device, online, .. }) => {
                self.online.insert(device.to_string(), online);
            }
            _ => {}
        }
        true
    }

    fn all(&mut self, relay: &mut Relay) {
        // Events meant for another client are skipped without a message.
        while self.next(relay) || relay.is_behind() {}
    }
}

async fn fleet() -> Arc<DeviceHub> {
    DeviceHub::open(None, WallMs(0), 30_000, DeviceLimits::default()).await
}

#[tokio::test]
async fn every_reading_is_sent_or_counted_as_skipped() {
    let fleet = fleet().await;
    let client = FleetClient::enter(&fleet, admin());
    let mut relay = client.watch().unwrap();
    let mut received = Received::default();
    let devices: Vec<String> = (0..500).map(|number| format!("device {number}")).collect();
    let mut published = 0;
    // Far behind, slightly behind, up to date, and behind again; some metrics change more often than others.
    for (rounds, receives) in [(40, 0), (1, 3), (1, usize::MAX), (2, 1), (60, 2), (1, usize::MAX), (7, 5)] {
        for round in 0..rounds {
            for (number, device) in devices.iter().enumerate() {
                if round == 0 || number % 7 < 3 {
                    published += 10;
                    let values: Vec<(String, f64)> =
                        (0..10).map(|m| (format!("metric {m}"), published as f64)).collect();
                    let values: Vec<(&str, f64)> = values.iter().map(|(m, v)| (m.as_str(), *v)).collect();
                    publish(&fleet, device, &values);
                }
            }
        }
        for _ in 0..receives {
            if !received.next(&mut relay) && !relay.is_behind() {
                break;
            }
        }
    }
    received.all(&mut relay);
    assert_eq!(received.readings + received.conflated, published);
    assert!(received.conflated > 0 && received.readings > 5_000);
    let records = &fleet.lock().records;
    assert_eq!(received.last.len(), 5_000);
    for record in records {
        let state = record.state_at(Seq::MAX);
        for last in state.values {
            let key = (state.spec.id.to_string(), last.metric.to_string());
            assert_eq!(
                received.last.get(&key).copied(),
                last.value.as_chart(),
                "the newest value was received"
            );
        }
    }
}

#[tokio::test]
async fn a_client_that_misses_events_is_sent_the_full_list_again() {
    let fleet = fleet().await;
    let client = FleetClient::enter(&fleet, admin());
    let mut relay = client.watch().unwrap();
    let mut received = Received::default();
    received.all(&mut relay);
    let owner = FleetClient::enter(&fleet, admin());
    let pump = DeviceId::new("pump").unwrap();
    assert!(owner.announce(crate::model::Spec::unannounced(pump.clone()), BootMs(0)).is_none());
    for round in 0..MAX_EVENTS {
        publish(&fleet, "attic", &[("t", round as f64)]);
        assert!(owner.set_presence(&pump, round % 2 == 1, "", BootMs(0)).is_none());
    }
    let mut lists = 0;
    while let Some(sent) = relay.next() {
        let Input::Devices(text) = sent.input else { panic!("readings before the list") };
        lists += usize::from(text.starts_with(r#"{"type":"devices""#));
        if lists == 1 {
            assert!(text.contains("pump") && text.contains("attic"));
            break;
        }
    }
    assert_eq!(lists, 1);
    publish(&fleet, "attic", &[("t", MAX_EVENTS as f64)]);
    received.all(&mut relay);
    assert_eq!(received.readings + received.conflated, MAX_EVENTS as u64 + 1);
}

#[tokio::test]
async fn late_readings_do_not_bring_a_device_back_online() {
    let fleet = fleet().await;
    let client = FleetClient::enter(&fleet, admin());
    let mut relay = client.watch().unwrap();
    let mut received = Received::default();
    received.all(&mut relay);
    let owner = FleetClient::enter(&fleet, admin());
    for name in ["pump", "valve"] {
        owner.announce(crate::model::Spec::unannounced(DeviceId::new(name).unwrap()), BootMs(0));
    }
    // Too much for the ring, so that only the newest values are sent.
    for round in 0..20_000 {
        publish(&fleet, "pump", &[("t", f64::from(round))]);
    }
    publish(&fleet, "valve", &[("t", 1.0)]);
    drop(owner);
    publish(&fleet, "attic", &[("t", 1.0)]);
    received.all(&mut relay);
    assert_eq!(received.readings + received.conflated, 20_002);
    assert!(received.conflated > 10_000);
    assert_eq!(
        (received.online["pump"], received.online["valve"], received.online["attic"]),
        (false, false, true)
    );
}

#[tokio::test]
async fn pending_commands_per_device_and_client_are_bounded() {
    let fleet = fleet().await;
    let owner = FleetClient::enter(&fleet, admin());
    let mut metric = crate::model::device::Metric::new(MetricName::new("relay").unwrap(), Default::default());
    metric.writable = true;
    let pump = DeviceId::new("pump").unwrap();
    let spec = crate::model::Spec { metrics: vec![metric], ..crate::model::Spec::unannounced(pump.clone()) };
    owner.announce(spec, BootMs(0));
    let mut asker = FleetClient::enter(&fleet, admin());
    let mut taken = 0;
    for number in 0..100u8 {
        let me = admin();
        let command = crate::model::Command {
            id: crate::model::MessageId::from_random([number; 16]),
            device: pump.clone(),
            property: MetricName::new("relay").unwrap(),
            value: Value::Number(1.0),
            by: crate::model::Sender { id: me.id, name: me.name },
            at: WallMs(0),
            state: crate::model::CommandState::Pending,
        };
        taken += usize::from(asker.command(CommandRequest { command, incarnation: None }, BootMs(0)));
    }
    assert_eq!(taken, 32);
    let mut refused = 0;
    for _ in 0..100 {
        let Some(CommandMessage::Commanded(text)) = asker.next_message().await else { panic!() };
        refused += usize::from(text.contains("too many commands are under way"));
    }
    assert_eq!(refused, 68);
}
