//! MQTT servers in the window: setting one up.

use duplex::model::device::{DeviceId, DeviceState, Spec};
use duplex::model::event::DeviceEvent;
use duplex::model::intent::{Credential, LinkIntent};
use duplex::model::mqtt::{Filter, MergedDevices, MqttOptions, MqttVersion};
use duplex::model::profile::{Login, Protocol, Secret};
use duplex::model::publication::Qos;
use duplex::model::time::WallMs;
use duplex::model::{Event, Intent};
use egui_kittest::kittest::{NodeT, Queryable};

use crate::support::Window;

#[test]
fn the_address_is_all_that_is_needed() {
    let mut window = Window::online();
    window.click("Add connection");
    window.fill("Server address or invite", "mqtt://jun:p%40ss@localhost");
    window.check_names();
    window.click("Save");
    let (profile, credential) = window.saved();
    assert_eq!((profile.protocol, profile.urls), (Protocol::Mqtt, vec!["mqtt://localhost".to_owned()]));
    assert_eq!((*profile.websocket.mqtt, profile.websocket.user.as_str()), (MqttOptions::default(), "jun"));
    let login = Login { password: Some(Secret::new("p@ss")), ..Login::default() };
    assert_eq!(credential, Credential::Login(login));
}

#[test]
fn what_only_a_websocket_has_is_offered_for_one_alone() {
    let mut window = Window::sized(1_000.0, 1_800.0);
    window.click("Add connection");
    window.click("MQTT");
    window.click("Advanced");
    let mut offered = |address: &str| {
        window.fill("Server URL", address);
        ["Add header", "ewebsock"].map(|name| window.harness.query_by_label(name).is_some())
    };
    assert_eq!(offered("mqtts://a.example"), [false, false]);
    assert_eq!(offered("mqtts://a.example, wss://b.example/mqtt"), [true, true]);
}

#[test]
fn what_few_need_can_be_set() {
    // High enough for the whole dialog.
    let mut window = Window::sized(1_000.0, 1_800.0);
    window.click("Add connection");
    window.click("MQTT");
    window.fill("Server URL", "mqtts://a.example, wss://b.example/mqtt");
    window.fill("Subscriptions", "zigbee2mqtt/#\n\nalarms/+ | qos: 1");
    window.fill("Your name in the chat", "Jun");
    window.fill("Rooms are under the topic", "house/chat/");
    window.click("The server keeps messages for me while I am away");
    window.click("Advanced");
    window.click("Deliver chat messages exactly once (QoS 2)");
    window.click("MQTT 3.1.1");
    window.fill("Client ID", "desk");
    window.click("Save");
    let (profile, _) = window.saved();
    assert_eq!(profile.urls, ["mqtts://a.example", "wss://b.example/mqtt"]);
    let expected = MqttOptions {
        version: MqttVersion::V311,
        client_id: "desk".into(),
        subscriptions: ["zigbee2mqtt/#", "alarms/+ | qos: 1"]
            .map(|text| Filter::parse(text).unwrap())
            .to_vec(),
        chat: "house/chat".into(),
        chat_qos: Qos::ExactlyOnce,
        name: "Jun".into(),
        keeps_session: false,
        ..MqttOptions::default()
    };
    assert_eq!(*profile.websocket.mqtt, expected);
}

#[test]
fn what_is_no_topic_is_said_where_it_is_typed() {
    let mut window = Window::online();
    window.click("Add connection");
    window.fill("Server address or invite", "mqtt://127.0.0.1");
    window.fill("Subscriptions", "a/#/b");
    window.harness.get_by_label_contains("“#” at the end");
    assert!(window.harness.get_by_label("Save").accesskit_node().is_disabled());
    window.fill("Subscriptions", "a/#");
    window.click("Chat here: others see that I am online");
    assert!(window.harness.query_by_label("Rooms are under the topic").is_none());
    window.click("Save");
    let options = window.saved().0.websocket.mqtt;
    assert_eq!((options.chats, options.subscriptions.len()), (false, 1));
}

#[test]
fn two_devices_that_are_one_thing_are_merged_and_separated_again() {
    let mut window = Window::online();
    window.configure(|profile| profile.protocol = Protocol::Mqtt);
    let id = |text: &str| DeviceId::new(text).unwrap();
    let state = |text: &str| DeviceState {
        spec: Spec::unannounced(id(text)),
        incarnation: 0,
        online: true,
        since: WallMs(1),
        reason: String::new(),
        heard: None,
        every_ms: None,
        values: Vec::new(),
    };
    let listed = |names: &[&str]| {
        let devices = names.iter().map(|name| state(name)).collect();
        Event::Device(DeviceEvent::Listed { devices, started: WallMs(0), more: false })
    };
    window.event(listed(&["lamp", "plug", "pump"]));
    window.open_device(id("plug"));
    window.run();
    let act = |window: &mut Window, device: &str| {
        window.click(&format!("More for {device}"));
        window.click("Merge with another device…");
    };
    act(&mut window, "plug");
    window.check_names();
    window.fill("Search devices", "lam");
    assert!(window.harness.query_by_label("Merge with pump").is_none());
    window.intents();
    window.click("Merge with lamp");
    let merged = MergedDevices::from([(id("plug"), id("lamp"))]);
    let set = |merged: MergedDevices| Intent::Link(LinkIntent::SetMerged(crate::support::CONNECTION, merged));
    assert!(window.intents().contains(&set(merged.clone())));
    window.harness.get_by_label("plug is now part of lamp");
    // The page is the other device's now.
    window.configure(|profile| profile.websocket.mqtt.merged = merged.clone());
    window.event(listed(&["lamp", "pump"]));
    act(&mut window, "lamp");
    window.click("Separate plug");
    assert!(window.intents().contains(&set(MergedDevices::new())));
    window.click("Undo");
    assert!(window.intents().contains(&set(merged)));
}
