//! The topics of a broker in the window.

use std::sync::Arc;

use duplex::model::event::{ChoicesUpdate, DiskUpdate, Event, Update};
use duplex::model::features::{Feature, Features};
use duplex::model::intent::{AppIntent, Intent};
use duplex::model::link_state::LinkState;
use duplex::model::publication::{Properties, Publication, Publications, Qos, Retain};
use duplex::model::topic::{Filter, PublishOutcome, Subscribed, Subscription, TopicEvent, TopicRequest};
use duplex::model::{LanguageChoice, Preferences};
use duplex::ui::Options;
use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::kittest::{NodeT, Queryable};

use crate::support::{CONNECTION, Window};

/// A window of this size with a broker whose topics are shown.
fn window(width: f32, height: f32) -> Window {
    let mut window = Window::begun(width, height, Options::default(), &["general"]);
    window.offer(Features::new([Feature::Topics, Feature::TopicProperties].map(Feature::word)));
    window.click("Topics");
    window
}

fn message<'a>(topic: &'a str, payload: &'a [u8], retain: Retain) -> Publication<'a> {
    let (size, qos) = (payload.len() as u32, Qos::AtLeastOnce);
    Publication { topic, payload, size, qos, retain, properties: None }
}

fn see(window: &mut Window, messages: &[Publication<'_>]) {
    let mut seen = Publications::new(window.now());
    messages.iter().for_each(|message| seen.push(message));
    window.event(Event::Topic(TopicEvent::Seen(Arc::new(seen))));
}

/// A house with a few things.
fn house(window: &mut Window) {
    let discovery =
        br#"{"name":"Power","stat_t":"tele/plug/STATE","avty_t":"tele/plug/LWT","dev":{"name":"Plug"}}"#;
    see(
        window,
        &[
            message("home/kitchen/temperature", b"21.5", Retain::No),
            message("home/kitchen/plug", br#"{"power":12,"on":true}"#, Retain::No),
            message("home/hall/light", b"on", Retain::Replayed),
            message("tele/plug/LWT", b"offline", Retain::Replayed),
            message("homeassistant/sensor/plug/config", discovery, Retain::Replayed),
        ],
    );
}

/// The request of the last intent about topics.
fn request(window: &mut Window) -> TopicRequest {
    let intents = window.intents();
    let found = intents.iter().rev().find_map(|intent| match intent {
        Intent::Topic(CONNECTION, request) => Some(request.clone()),
        _ => None,
    });
    found.unwrap_or_else(|| panic!("{intents:?}"))
}

/// The button that publishes, beside the tab of the same name.
fn publish_button(window: &Window) -> egui_kittest::Node<'_> {
    let all = window.harness.get_all_by_label("Publish");
    all.into_iter().find(|node| node.accesskit_node().role() == Role::Button).unwrap()
}

/// The names of the rows, as they are read aloud.
fn rows(window: &Window, role: Role) -> Vec<String> {
    let rows = window.harness.query_all_by_role(role);
    rows.filter_map(|row| row.accesskit_node().label()).collect()
}

#[test]
fn without_a_broker_nothing_of_topics_is_offered() {
    let window = Window::online();
    assert!(window.harness.query_by_label("Topics").is_none());
}

#[test]
fn topics_are_a_tree_that_unfolds_with_the_keyboard() {
    let mut window = window(1_100.0, 720.0);
    window.harness.get_by_label_contains("There are no subscriptions");
    house(&mut window);
    // Levels with nothing beside them are one row.
    let chains =
        ["home, 3 topics", "homeassistant/sensor/plug/config, {", "tele/plug/LWT, offline, stored, retained"];
    let drawn = rows(&window, Role::TreeItem);
    assert!(
        drawn.len() == 3 && drawn.iter().zip(chains).all(|(row, begin)| row.starts_with(begin)),
        "{drawn:?}"
    );
    window.harness.get_by_label("Tree of topics").focus();
    window.key(Key::ArrowDown);
    window.key(Key::ArrowRight);
    window.key(Key::ArrowDown);
    window.key(Key::ArrowDown);
    window.key(Key::ArrowRight);
    window.key(Key::ArrowRight);
    let all = rows(&window, Role::TreeItem);
    assert_eq!(
        all[..4],
        [
            "home, 3 topics",
            "hall/light, on, stored, retained",
            "kitchen, 2 topics",
            r#"plug, {"power":12,"on":true}, now"#
        ]
    );
    window.key(Key::Enter);
    window.harness.get_by_label("home/kitchen/plug");
    // To the left: to the level above, then folded.
    window.key(Key::ArrowLeft);
    window.key(Key::ArrowLeft);
    assert_eq!(rows(&window, Role::TreeItem).len(), 5);
    window.check_names();
}

#[test]
fn what_is_unfolded_stays_so_when_a_level_gets_company() {
    let mut window = window(1_100.0, 720.0);
    let (one, two) = (message("a/b/c/one", b"1", Retain::No), message("a/b/c/two", b"2", Retain::No));
    see(&mut window, &[one, two]);
    window.click("a/b/c, 2 topics");
    assert_eq!(rows(&window, Role::TreeItem), ["a/b/c, 2 topics", "one, 1, now", "two, 2, now"]);
    see(&mut window, &[message("a/x", b"3", Retain::No)]);
    window.pass(100);
    let expected = ["a, 3 topics", "b/c, 2 topics", "one, 1, now", "two, 2, now", "x, 3, now"];
    assert_eq!(rows(&window, Role::TreeItem), expected);
}

#[test]
fn a_topic_shows_its_payload_what_differs_and_what_came_earlier() {
    let mut window = window(1_100.0, 720.0);
    house(&mut window);
    window.pass(2_000);
    see(&mut window, &[message("home/kitchen/plug", br#"{"power":15,"on":true}"#, Retain::No)]);
    window.fill("Filter topics", "kitchen plug");
    window.key(Key::Enter);
    window.key(Key::ArrowDown);
    window.key(Key::Enter);
    window.harness.get_by_label_contains("2 messages");
    window.harness.get_by_label_contains("\"power\": 15,");
    window.harness.get_by_label_contains("power  12 → 15");
    window.harness.get_by_label_contains("QoS 1");
    let earlier = window.harness.query_all_by_label_contains(r#"{"power":12,"on":true}"#);
    earlier.last().unwrap().click();
    window.run();
    window.harness.get_by_label_contains("\"power\": 12,");
    // A new message does not take away what is looked at.
    see(&mut window, &[message("home/kitchen/plug", br#"{"power":18}"#, Retain::No)]);
    window.harness.get_by_label_contains("\"power\": 12,");
    window.click("Show the latest");
    window.harness.get_by_label_contains("\"power\": 18");
    window.click("Hex");
    window.harness.get_by_label_contains("000000  7b 22 70 6f 77 65 72");
    window.harness.get_by_label("Copy payload").click();
    let copied = (0..10).find_map(|_| {
        window.harness.step();
        window.copied()
    });
    assert_eq!(copied.as_deref(), Some(r#"{"power":18}"#));
    window.check_names();
}

#[test]
fn a_filter_takes_words_or_a_pattern() {
    let mut window = window(1_100.0, 720.0);
    house(&mut window);
    window.fill("Filter topics", "HOME light");
    assert_eq!(rows(&window, Role::ListItem).iter().filter(|row| row.starts_with("home/")).count(), 1);
    window.fill("Filter topics", "home/+/temperature");
    let found = rows(&window, Role::ListItem);
    assert!(found.contains(&"home/kitchen/temperature, 21.5, now".to_owned()), "{found:?}");
    window.harness.get_by_label("1 topic");
    // A topic that comes later is found, too.
    see(&mut window, &[message("home/bath/temperature", b"23", Retain::No)]);
    window.pass(2_000);
    window.harness.get_by_label("2 topics");
    window.harness.get_by_label("Filter topics").focus();
    window.key(Key::Escape);
    assert!(window.harness.query_by_label("Tree of topics").is_some());
}

#[test]
fn the_age_of_a_retained_message_is_known_only_if_it_was_seen() {
    let mut window = window(1_100.0, 720.0);
    house(&mut window);
    see(&mut window, &[message("home/door", b"open", Retain::Live)]);
    window.click("Retained");
    let found = rows(&window, Role::ListItem);
    assert!(found.contains(&"home/hall/light, on, stored, retained".to_owned()), "{found:?}");
    window.click("home/hall/light, on, stored, retained");
    window.harness.get_by_label("Retained since before we connected");
    window.harness.get_by_label_contains("its age is unknown");
    window.pass(120_000);
    window.click("home/door, open, 2 min ago, retained");
    window.harness.get_by_label("Retained: published 2 min ago");
}

#[test]
fn retained_messages_are_cleared_after_a_preview() {
    let mut window = window(1_100.0, 720.0);
    house(&mut window);
    window.click("Retained");
    window.fill("Filter topics", "tele/#");
    window.click("Clear 1 message");
    window.harness.get_by_label_contains("This cannot be undone");
    assert!(window.intents().iter().all(|intent| !matches!(intent, Intent::Topic(..))), "only looked at");
    window.check_names();
    let all: Vec<_> = window.harness.get_all_by_label("Clear 1 message").collect();
    all.last().unwrap().click();
    drop(all);
    window.run();
    let TopicRequest::Clear { number, topics } = request(&mut window) else { panic!("not cleared") };
    assert_eq!(topics, ["tele/plug/LWT"]);
    window.harness.get_by_label("Clearing…");
    let (done, failed, is_over) = (0, 1, true);
    let why = Some(PublishOutcome::Refused { code: 0x87, reason: "not allowed".into() });
    window.event(Event::Topic(TopicEvent::Cleared { number, done, failed, why, is_over }));
    window
        .harness
        .get_by_label_contains("0 of 1 cleared. 1 could not be cleared. Refused by the server: not allowed");
    window.click("Close");
    see(&mut window, &[message("tele/plug/LWT", b"", Retain::Live)]);
    window.pass(2_000);
    window.harness.get_by_label("No retained messages found.");
}

#[test]
fn discovery_messages_of_devices_that_are_gone_are_found() {
    let mut window = window(1_100.0, 720.0);
    house(&mut window);
    window.click("Retained");
    window.click("Only devices that are gone");
    window.run();
    let found = rows(&window, Role::ListItem);
    let ghost = found.iter().find(|row| row.starts_with("homeassistant/")).unwrap();
    assert!(ghost.contains(", offline, retained"), "{ghost}");
    window.harness.get_by_label("1 topic");
    window.click("Clear 1 message");
    assert_eq!(window.harness.get_all_by_label_contains("homeassistant/sensor/plug/config").count(), 2);
}

#[test]
fn a_branch_is_cleared_as_a_whole() {
    let mut window = window(1_100.0, 720.0);
    house(&mut window);
    window.click("home, 3 topics");
    window.click("Clear retained messages below…");
    window.click("Clear 1 message");
    let TopicRequest::Clear { topics, .. } = request(&mut window) else { panic!("not cleared") };
    assert_eq!(topics, ["home/hall/light"]);
}

#[test]
fn the_busiest_topics_are_ranked() {
    let mut window = window(1_100.0, 720.0);
    for _ in 0..4 {
        let busy = [message("busy", b"1", Retain::No); 30];
        see(&mut window, &busy);
        see(&mut window, &[message("slow", b"1", Retain::No); 10]);
        window.pass(1_000);
    }
    window.click("Busiest");
    let found = rows(&window, Role::ListItem);
    let ranked: Vec<&String> = found.iter().filter(|row| row.contains("/s, ")).collect();
    assert_eq!(ranked, ["busy, 1, 30/s, 75%", "slow, 1, 10/s, 25%"]);
    window.pass(200_000);
    window.harness.get_by_label("No messages at the moment");
}

#[test]
fn a_message_is_published_and_what_became_of_it_is_said() {
    let mut window = window(1_100.0, 720.0);
    window.click("Publish");
    window.fill("Topic", "home/+/set");
    window.harness.get_by_label_contains("can't contain + or #");
    window.fill("Topic", "home/light/set");
    window.fill("Payload", "on");
    window.click("1: at least once");
    window.click("Retain");
    window.click("Show MQTT 5 properties");
    window.fill("Content type", "text/plain");
    window.fill("User properties", "by: me");
    window.check_names();
    publish_button(&window).click();
    window.run();
    let TopicRequest::Publish { number, message } = request(&mut window) else { panic!("not published") };
    assert_eq!((message.topic.as_str(), message.payload.as_slice()), ("home/light/set", b"on".as_slice()));
    assert_eq!((message.qos, message.retain), (Qos::AtLeastOnce, true));
    let user = vec![("by".to_owned(), "me".to_owned())];
    let expected = Properties { content_type: "text/plain".into(), user, ..Properties::default() };
    assert_eq!(message.properties, expected);
    window.harness.get_by_label("Publishing…");
    let outcome = PublishOutcome::Confirmed { unheard: true };
    window.event(Event::Topic(TopicEvent::Published { number, outcome }));
    window.harness.get_by_label_contains("nobody subscribes to this topic");
}

#[test]
fn a_saved_message_is_kept_and_filled_in_again() {
    let mut window = window(1_100.0, 720.0);
    window.click("Publish");
    window.fill("Topic", "home/light/set");
    window.click("Hex");
    window.fill("Payload", "00 ff");
    window.click("Save");
    let kept = window.panes().topics.saved;
    assert_eq!((kept.len(), kept[0].topic.as_str(), kept[0].is_hex), (1, "home/light/set", true));
    window.fill("Topic", "other");
    window.click("home/light/set: 00 ff");
    assert_eq!(window.harness.get_by_label("Topic").value().as_deref(), Some("home/light/set"));
    window.click("Delete saved message: home/light/set: 00 ff");
    assert_eq!(window.panes().topics.saved, []);
}

#[test]
fn subscriptions_change_while_connected() {
    let mut window = window(1_100.0, 720.0);
    let subscription =
        |filter: &str, qos, state| Subscription { filter: Filter { filter: filter.into(), qos }, state };
    let refused = Subscribed::Refused { code: 0x87, reason: String::new() };
    window.event(Event::Topic(TopicEvent::Subscriptions(vec![
        subscription("home/#", Qos::ExactlyOnce, Subscribed::Granted(Qos::AtLeastOnce)),
        subscription("secret/#", Qos::AtMostOnce, refused),
    ])));
    window.click("Subscriptions");
    window.harness.get_by_label("up to QoS 1");
    window.harness.get_by_label("Refused by the server (code 0x87)");
    window.click("Unsubscribe from home/#");
    assert_eq!(request(&mut window), TopicRequest::Unsubscribe("home/#".into()));
    window.fill("Topic filter", "a/#/b");
    window.harness.get_by_label_contains("Wildcards stand alone");
    window.fill("Topic filter", "a/#");
    window.click("Subscribe");
    let filter = Filter { filter: "a/#".into(), qos: Qos::AtMostOnce };
    assert_eq!(request(&mut window), TopicRequest::Subscribe(filter));
    window.check_names();
}

#[test]
fn the_servers_figures_are_in_plain_words() {
    let mut window = window(1_100.0, 720.0);
    window.click("Server");
    window.click("Show the server's figures");
    let filter = Filter { filter: "$SYS/#".into(), qos: Qos::AtMostOnce };
    assert_eq!(request(&mut window), TopicRequest::Subscribe(filter));
    see(
        &mut window,
        &[
            message("$SYS/broker/clients/connected", b"1234", Retain::Replayed),
            message("$SYS/broker/bytes/received", b"1500000", Retain::Replayed),
            message("$SYS/broker/version", b"mosquitto version 2.0.11", Retain::Replayed),
        ],
    );
    for label in ["Clients connected", "1,234", "Data received", "1.50 MB"] {
        window.harness.get_by_label(label);
    }
    window.click("Show all of them in the tree");
    assert_eq!(rows(&window, Role::TreeItem), ["$SYS/broker, 3 topics"]);
}

#[test]
fn without_a_connection_nothing_is_sent_and_what_was_seen_stays() {
    let mut window = window(1_100.0, 720.0);
    house(&mut window);
    window.link(LinkState::Idle);
    assert_eq!(rows(&window, Role::TreeItem).len(), 3);
    window.click("Publish");
    window.fill("Topic", "a");
    window.harness.get_by_label("Not connected");
    assert!(publish_button(&window).accesskit_node().is_disabled());
}

#[test]
fn in_a_narrow_window_a_topic_takes_the_place_of_the_list() {
    for (width, height) in [(380.0, 640.0), (800.0, 600.0)] {
        let mut window = window(width, height);
        house(&mut window);
        window.click("home, 3 topics");
        let is_narrow = width < 500.0;
        assert_eq!(window.harness.query_by_label("Tree of topics").is_none(), is_narrow, "{width}");
        window.check_names();
        if is_narrow {
            window.key(Key::Escape);
            assert!(window.harness.query_by_label("Tree of topics").is_some());
        }
    }
}

#[test]
fn beside_the_chat_tabs_switch_between_devices_and_topics() {
    let mut window = window(1_100.0, 720.0);
    window.key_with(Modifiers::COMMAND, Key::Num4);
    assert!(window.harness.query_by_label("Filter topics").is_some());
    let tabs: Vec<_> = window.harness.get_all_by_label("Devices").collect();
    tabs.iter().find(|tab| tab.accesskit_node().role() == Role::Tab).unwrap().click();
    drop(tabs);
    window.run();
    assert!(window.harness.query_by_label("Filter topics").is_none());
    assert!(window.harness.query_by_label("Filter devices").is_some());
    window.key_with(Modifiers::COMMAND, Key::Num5);
    assert!(window.harness.query_by_label("Filter topics").is_some());
}

#[test]
fn a_picture_is_decoded_by_the_worker() {
    let mut window = window(1_100.0, 720.0);
    let png = b"\x89PNG\r\n\x1a\n and so on";
    see(&mut window, &[message("camera", png, Retain::No)]);
    window.click("camera, PNG picture, 18 B, now");
    let asked = window.all_intents().into_iter().find_map(|intent| match intent {
        Intent::App(AppIntent::DecodePicture { number, bytes }) => Some((number, bytes)),
        _ => None,
    });
    let (number, bytes) = asked.unwrap();
    assert_eq!(&*bytes, png);
    let picture = duplex::model::export::Picture { width: 2, height: 2, rgba: Arc::from(vec![200; 16]) };
    let found = duplex::model::files::Thumbnail::Picture(picture);
    window.update(Update::Disk(DiskUpdate::PictureDecoded(number, found)));
    window.harness.get_by_label("Picture in the payload");
}

#[test]
fn only_the_rows_in_view_are_drawn_of_fifty_thousand_topics() {
    let mut window = window(1_100.0, 720.0);
    let names: Vec<String> = (0..50_000).map(|n| format!("sensor{n}")).collect();
    for part in names.chunks(500) {
        let mut seen = Publications::new(window.now());
        part.iter().for_each(|name| seen.push(&message(name, b"1", Retain::Replayed)));
        window.apply(Event::Topic(TopicEvent::Seen(Arc::new(seen))));
    }
    window.pass(2_000);
    let drawn = rows(&window, Role::TreeItem);
    assert!(drawn.len() < 60, "{}", drawn.len());
    assert_eq!(
        drawn[..3],
        ["sensor0, 1, stored, retained", "sensor1, 1, stored, retained", "sensor2, 1, stored, retained"]
    );
    window.harness.get_by_label("Tree of topics").focus();
    window.key(Key::End);
    assert!(rows(&window, Role::TreeItem).contains(&"sensor49999, 1, stored, retained".to_owned()));
    window.fill("Filter topics", "sensor4");
    window.run();
    window.harness.get_by_label("11,111 topics, the first 1,000 are listed");
}

#[test]
fn korean_is_spoken_too() {
    let mut window = window(1_100.0, 720.0);
    window.update(Update::Choices(ChoicesUpdate::Preferences(Preferences {
        language: LanguageChoice::Korean,
        ..Preferences::default()
    })));
    house(&mut window);
    window.click("보존 메시지");
    window.click("home/hall/light, on, 저장된 값, 보존됨");
    window.harness.get_by_label("연결하기 전부터 보존됨");
    window.check_names();
}
