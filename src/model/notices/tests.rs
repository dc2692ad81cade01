//! Transcripts: events line by line, each followed by the expected notifications after `!`.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails should say so at once")]

use std::sync::Arc;

use super::*;
use crate::model::content::{Content, Draft};
use crate::model::device::{DeviceState, Readings, Spec, Value};
use crate::model::event::{ChatEvent, DeviceEvent, LinkEvent, LogKind};
use crate::model::id::Offset;
use crate::model::link_state::Why;
use crate::model::principal::{Principal, PrincipalKind, Sender};
use crate::model::profile::{Profile, Protocol, Socket};
use crate::model::time::BootMs;
use crate::model::time::WallMs;
use crate::model::{Epoch, MessageId, MetricName, Time};

const HUB: ConnectionId = ConnectionId(3);
const OTHER: ConnectionId = ConnectionId(4);

/// A model, a notifier and a simulated person.
struct Story {
    model: Model,
    notifier: Notifier,
    at: Moment,
    offset: BTreeMap<ConnectionId, Offset>,
    /// The last message that was said.
    last: Option<MessageId>,
}

impl Story {
    /// Two connections, online and caught up, at noon; the window is not focused. `pump`, `lamp` and `fan`
    /// are online.
    fn new() -> Story {
        let mut story = Story {
            model: Model::default(),
            notifier: Notifier::default(),
            at: Moment { boot_ms: BootMs(1_000_000), minute: 720 },
            offset: BTreeMap::new(),
            last: None,
        };
        for id in [HUB, OTHER] {
            story.hear(Update::Setup(SetupUpdate::Configured(Box::new(profile(id)))));
            story.up(id, 0);
            story.event(
                id,
                Event::Chat(ChatEvent::LogStarted {
                    epoch: Epoch(1),
                    from: Offset(1),
                    why: LogRestart::First,
                }),
            );
            story.list(id, &["pump+", "lamp+", "fan+"]);
        }
        story
    }

    fn hear(&mut self, update: Update) {
        self.notifier.hear(self.at, &self.model, &update);
        self.model.apply(Time { boot_ms: self.at.boot_ms, wall_ms: WallMs(0) }, update);
    }

    fn event(&mut self, id: ConnectionId, event: Event) {
        self.hear(Update::Connection(id, event));
    }

    fn up(&mut self, id: ConnectionId, behind: u64) {
        let me = Principal {
            id: PrincipalId("me".into()),
            kind: PrincipalKind::Person,
            name: "Ada".into(),
            role: None,
        };
        let head = self.offset.get(&id).copied().unwrap_or(Offset(0)) + behind;
        let welcomed = Event::Link(LinkEvent::Welcomed {
            me,
            server: "Hub".into(),
            log: LogKind::Server { head, next: head + 1 },
            now: WallMs(0),
            people: vec![],
            rooms: vec![],
            features: Default::default(),
        });
        self.event(id, welcomed);
        self.event(id, Event::Link(LinkEvent::State(LinkState::Online { since: WallMs(0), rtt_ms: None })));
    }

    fn list(&mut self, id: ConnectionId, devices: &[&str]) {
        let state = |word: &&str| {
            let (name, sign) = word.split_at(word.len() - 1);
            device(name, sign == "+")
        };
        let devices = devices.iter().map(state).collect();
        self.event(id, Event::Device(DeviceEvent::Listed { devices, started: WallMs(0), more: false }));
    }

    fn say(&mut self, id: ConnectionId, room: &str, by: &str, body: &str, live: bool) {
        self.last = Some(self.write(id, room, by, Content::text(body), live));
    }

    fn write(&mut self, id: ConnectionId, room: &str, by: &str, content: Content, live: bool) -> MessageId {
        let offset = self.offset.entry(id).or_default();
        *offset = offset.next();
        let mut bytes = [3; 16];
        bytes[..8].copy_from_slice(&offset.0.to_be_bytes());
        let entry = Entry {
            draft: Draft {
                id: MessageId::from_random(bytes),
                room: RoomId::new(room).unwrap(),
                content,
                at: WallMs(0),
            },
            offset: *offset,
            sender: Sender { id: PrincipalId(by.into()), name: by.into() },
            received: WallMs(0),
        };
        let written = entry.draft.id;
        self.event(id, Event::Chat(ChatEvent::Entries { entries: vec![entry], live }));
        written
    }

    fn pass(&mut self, ms: u64) {
        let until = self.at.boot_ms + ms;
        while let Some(due) = self.notifier.deadline().filter(|due| *due <= until) {
            let before = self.at.boot_ms;
            self.at.boot_ms = due.max(before);
            self.notifier.tick(self.at, &self.model);
            let next = self.notifier.deadline();
            assert!(next != Some(due) || due > before, "it would spin at {due:?}");
        }
        self.at.boot_ms = until;
    }

    fn command(&mut self, line: &str) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let device = |name: &str| DeviceId::new(name).unwrap();
        let room = |name: &str| RoomId::new(name).unwrap();
        let preferences = &mut self.model.preferences.notices;
        match words[..] {
            ["tell", "all"] => preferences.rooms = Level::All,
            ["tell", "nothing"] => preferences.rooms = Level::Nothing,
            ["no", "threads"] => preferences.threads = false,
            ["no", "reactions"] => preferences.reactions = false,
            ["react", "in", name, by, emoji] | ["unreact", "in", name, by, emoji] => {
                let content = Content::reaction(self.last.unwrap(), emoji, words[0] == "unreact");
                self.write(HUB, name, by, content, true);
            }
            ["reply", "in", name, by] => {
                let root = self.last.unwrap();
                let content = Content::reply("a reply", root, Some(root));
                self.write(HUB, name, by, content, true);
            }
            ["no", "text"] => preferences.show_text = false,
            ["no", "devices"] => preferences.devices = false,
            ["no", "links"] => preferences.link = false,
            ["quiet", "at", "night"] => preferences.quiet = true,
            ["clock", hour] => self.at.minute = hour.parse::<u16>().unwrap() * 60,
            ["disturb", "not"] => preferences.do_not_disturb = true,
            ["disturb"] => preferences.do_not_disturb = false,
            ["room", name, level] => {
                let level = match level {
                    "all" => Level::All,
                    "mentions" => Level::Mentions,
                    _ => Level::Nothing,
                };
                self.model.notice_choices.set_room(HUB, room(name), Some(level));
            }
            ["mute", name] => self.model.notice_choices.mute(HUB, device(name), true),
            ["look", "away"] => self.notifier.view(None),
            ["look", "here"] => self.notifier.view(Some(Viewing::default())),
            ["look", "at", name] => {
                self.notifier.view(Some(Viewing { room: Some((HUB, room(name))), device: None }));
            }
            ["look", "into", name] => {
                self.notifier.view(Some(Viewing { room: None, device: Some((HUB, device(name))) }));
            }
            ["read", name] => {
                let offset = self.offset[&HUB];
                self.event(HUB, Event::Chat(ChatEvent::ReadMarker { room: room(name), offset }));
            }
            ["lost"] => self.event(HUB, Event::Link(LinkEvent::State(waiting()))),
            ["lost", "both"] => [HUB, OTHER]
                .into_iter()
                .for_each(|id| self.event(id, Event::Link(LinkEvent::State(waiting())))),
            ["dialing"] => self.event(HUB, Event::Link(LinkEvent::State(LinkState::Dialing { attempt: 3 }))),
            ["off"] => self.event(HUB, Event::Link(LinkEvent::State(LinkState::Idle))),
            ["back"] => self.up(HUB, 0),
            ["back", "both"] => [HUB, OTHER].into_iter().for_each(|id| self.up(id, 0)),
            ["back", "behind", by] => self.up(HUB, by.parse().unwrap()),
            ["another", "log", "of", to] => {
                self.offset.insert(HUB, Offset(0));
                self.up(HUB, to.parse().unwrap());
                let why = LogRestart::EpochChanged;
                self.event(HUB, Event::Chat(ChatEvent::LogStarted { epoch: Epoch(2), from: Offset(1), why }));
            }
            ["list", ref devices @ ..] => self.list(HUB, devices),
            ["remove"] => self.hear(Update::Setup(SetupUpdate::Removed(HUB))),
            ["try"] => self.notifier.try_out(self.at),
            ["wake", "after", hours] => {
                // No tick in between: nothing runs while a computer is asleep.
                self.at.boot_ms += hours.parse::<u64>().unwrap() * 3_600_000;
                self.notifier.tick(self.at, &self.model);
            }
            [name, "offline"] => self.presence(name, false),
            [name, "online"] => self.presence(name, true),
            [name, "silent"] => {
                self.event(
                    HUB,
                    Event::Device(DeviceEvent::Silent {
                        device: device(name),
                        since: WallMs(self.at.boot_ms.0 as i64),
                    }),
                );
            }
            [name, "speaks"] => {
                let at = self.at.boot_ms.0 as i64;
                let values = vec![(MetricName::new("flow").unwrap(), Value::Number(1.0))];
                let readings = Readings::of(device(name), WallMs(at), WallMs(at), values);
                assert!(self.notifier.listens_to_readings());
                self.event(HUB, Event::Device(DeviceEvent::Readings(Arc::new(readings))));
            }
            _ => panic!("nobody knows what {line:?} is"),
        }
    }

    fn presence(&mut self, name: &str, online: bool) {
        let device = DeviceId::new(name).unwrap();
        let since = self.at.boot_ms.0 as i64;
        self.event(
            HUB,
            Event::Device(DeviceEvent::Presence {
                device,
                online,
                since: WallMs(since),
                reason: String::new(),
            }),
        );
    }

    fn told(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.notifier.poll()).map(|act| words(&act)).collect()
    }
}

fn profile(id: ConnectionId) -> Profile {
    Profile {
        id,
        name: "Hub".into(),
        urls: vec![],
        protocol: Protocol::Duplex,
        socket: Socket::Tungstenite,
        route: Default::default(),
        ca_file: None,
        fingerprint: None,
        auto_connect: true,
        websocket: Default::default(),
        network: Default::default(),
    }
}

fn device(name: &str, online: bool) -> DeviceState {
    DeviceState {
        spec: Spec::unannounced(DeviceId::new(name).unwrap()),
        incarnation: 1,
        online,
        since: WallMs(1),
        reason: String::new(),
        heard: Some(WallMs(1)),
        every_ms: None,
        values: vec![],
    }
}

fn waiting() -> LinkState {
    LinkState::Waiting { attempt: 1, down_since: BootMs(0), retry_at: BootMs(0), why: Why::Silent }
}

fn words(act: &NoticeAction) -> String {
    let topic = |topic: &Topic| match topic {
        Topic::Room(HUB, room) => room.to_string(),
        Topic::Room(_, room) => format!("other/{room}"),
        Topic::Rooms => "rooms".to_owned(),
        Topic::Reactions(_, room) => format!("reactions/{room}"),
        Topic::Devices(_) => "devices".to_owned(),
        Topic::Links => "links".to_owned(),
        Topic::Trial => "trial".to_owned(),
    };
    let notice = match act {
        NoticeAction::Withdraw(gone) => return format!("{} gone", topic(gone)),
        NoticeAction::Show(notice) => notice,
    };
    let at = |mention: &bool| if *mention { "@" } else { "" };
    let news = match &notice.news {
        NoticeContent::Messages { count, sender, text, mention, .. } => {
            format!("{count}{} {sender}: {}", at(mention), text.as_deref().unwrap_or("-"))
        }
        NoticeContent::ManyMessages { count, rooms, mention } => format!("{count}{} in {rooms}", at(mention)),
        NoticeContent::Reactions { count, sender, emoji, text, .. } => {
            format!("{count} {sender} {emoji}: {}", text.as_deref().unwrap_or("-"))
        }
        NoticeContent::Devices { count, names, gone } => format!("{count} {gone:?}: {}", names.join(" ")),
        NoticeContent::LinkLost { connections } => format!("{} lost", connections.len()),
        NoticeContent::Trial => "works".to_owned(),
    };
    let target = match &notice.target {
        ClickTarget::Room(_, room) => format!("#{room}"),
        ClickTarget::Device(_, device) => device.to_string(),
        other => format!("{other:?}"),
    };
    format!("{}: {news} -> {target}", topic(&notice.topic))
}

/// Plays a transcript. `room name: text` is a live message, with `~` before it a replayed one; `other/room`
/// is on the other connection; `+10s` passes time. The lines after `!` must list all notifications since the
/// last ones.
fn play(script: &str) {
    let mut story = Story::new();
    assert_eq!(story.told(), Vec::<String>::new(), "nothing at the start");
    let mut lines = script.lines().map(str::trim).filter(|line| !line.is_empty()).enumerate().peekable();
    while let Some((number, line)) = lines.next() {
        let (live, message) = line.strip_prefix('~').map_or((true, line), |rest| (false, rest));
        if let Some(time) = line.strip_prefix('+') {
            let ms = time.strip_suffix("ms").map(|ms| ms.parse::<u64>().unwrap());
            story.pass(ms.unwrap_or_else(|| time.trim_end_matches('s').parse::<u64>().unwrap() * 1_000));
        } else if let Some((head, body)) = message.split_once(": ") {
            let (room, by) = head.split_once(' ').unwrap();
            let (id, room) = room.strip_prefix("other/").map_or((HUB, room), |room| (OTHER, room));
            story.say(id, room, by, body, live);
        } else {
            story.command(line);
        }
        let mut expected = Vec::new();
        while let Some((_, told)) = lines.next_if(|(_, line)| line.starts_with('!')) {
            expected.push(told.trim_start_matches('!').trim().to_owned());
        }
        assert_eq!(story.told(), expected, "after line {} ({line}) of {script}", number + 1);
    }
}

#[test]
fn only_mentions_notify_by_default() {
    play(
        "general mina: hello
         general mina: look @Ada
         ! general: 1@ mina: look @Ada -> #general
         +60s
         general Ada: @bob is not me
         tell all
         lab mina: hello
         ! lab: 1 mina: hello -> #lab
         room lab nothing
         +60s
         lab mina: @ada
         +60s
         room lab mentions
         lab mina: hello
         lab mina: @ada
         ! lab: 2@ mina: @ada -> #lab
         tell nothing
         +60s
         general mina: @ada
         +60s",
    );
}

#[test]
fn reactions_to_ones_own_messages_notify_and_those_to_others_do_not() {
    play(
        "general mina: hello
         react in general bob 👍
         general me: done
         react in general bob 👍
         ! reactions/general: 1 bob 👍: done -> #general
         react in general mina 🎉
         unreact in general mina 🎉
         +60s
         react in general me 👍
         react in general cleo 👀
         ! reactions/general: 2 cleo 👀: done -> #general
         read general
         ! reactions/general gone
         no text
         react in general dora 👍
         ! reactions/general: 1 dora 👍: - -> #general
         look at general
         ! reactions/general gone
         react in general dora 👀
         look away
         no reactions
         react in general bob 🎉
         +60s",
    );
}

#[test]
fn replies_in_threads_that_one_takes_part_in_notify_unless_turned_off() {
    play(
        "general mina: hello
         reply in general bob
         general me: who comes?
         reply in general bob
         ! general: 1 bob: a reply -> #general
         no threads
         +60s
         reply in general bob
         +60s",
    );
}

#[test]
fn own_messages_do_not_notify() {
    play(
        "tell all
         general me: from my other window",
    );
}

#[test]
fn a_room_notifies_once_in_ten_seconds_and_shows_mentions_first() {
    play(
        "tell all
         general mina: one
         ! general: 1 mina: one -> #general
         general mina: two
         general bob: @ada three
         general bob: four
         +9900ms
         +100ms
         ! general: 4@ bob: @ada three -> #general
         +30s
         general mina: five
         ! general: 5 mina: five -> #general",
    );
}

#[test]
fn the_open_room_of_a_focused_window_does_not_notify() {
    play(
        "tell all
         look at general
         general mina: seen
         lab mina: not seen
         ! lab: 1 mina: not seen -> #lab
         look at lab
         ! lab gone
         look away
         +10s
         general mina: hello
         ! general: 1 mina: hello -> #general",
    );
}

#[test]
fn notifications_are_withdrawn_when_read_elsewhere() {
    play(
        "tell all
         general mina: one
         ! general: 1 mina: one -> #general
         general mina: two
         read general
         ! general gone
         +60s",
    );
}

#[test]
fn more_than_five_a_minute_are_combined() {
    play(
        "tell all
         a x: 1
         ! a: 1 x: 1 -> #a
         b x: 1
         ! b: 1 x: 1 -> #b
         c x: 1
         ! c: 1 x: 1 -> #c
         d x: 1
         ! d: 1 x: 1 -> #d
         other/e x: 1
         ! other/e: 1 x: 1 -> #e
         f x: 1
         g x: @ada
         g x: 2
         +59900ms
         +100ms
         ! f: 1 x: 1 -> #f
         ! g: 2@ x: @ada -> #g
         h x: 1
         ! h: 1 x: 1 -> #h
         i x: 1
         ! i: 1 x: 1 -> #i
         j x: 1
         ! j: 1 x: 1 -> #j
         +1s
         k x: 1
         +1s
         l x: @ada
         +1s
         k x: 2
         +1s
         m x: 1
         n x: 1
         o x: 1
         p x: 1
         +60s
         ! rooms: 7@ in 6 -> #l
         look here
         ! rooms gone",
    );
}

#[test]
fn quiet_hours_drop_notifications() {
    play(
        "tell all
         quiet at night
         clock 23
         general mina: @ada
         pump offline
         lost
         +60s
         clock 7
         back
         +60s
         general mina: good morning
         ! general: 1 mina: good morning -> #general
         disturb not
         lab mina: @ada
         +60s
         try
         ! trial: works -> Window
         disturb
         lab mina: @ada
         ! lab: 1@ mina: @ada -> #lab",
    );
}

#[test]
fn the_text_can_be_hidden() {
    play(
        "no text
         general mina: secret @ada
         ! general: 1@ mina: - -> #general",
    );
}

#[test]
fn after_an_outage_each_room_notifies_once_when_caught_up() {
    play(
        "tell all
         lost
         +5s
         back behind 4
         ~general mina: one
         +500ms
         ~lab mina: two
         ~general mina: three
         +500ms
         ~general me: mine
         +2s
         ! lab: 1 mina: two -> #lab
         ! general: 2 mina: three -> #general",
    );
    // A reset log sends everything again, which is not new.
    play(
        "tell all
         another log of 2
         ~general mina: one
         ~general mina: two
         +60s
         general mina: three
         ! general: 1 mina: three -> #general",
    );
}

#[test]
fn a_lost_device_notifies_and_withdraws_when_it_is_back() {
    play(
        "pump offline
         +1900ms
         +100ms
         ! devices: 1 Offline: pump -> pump
         pump online
         ! devices gone
         +60s
         lamp silent
         +2s
         ! devices: 1 Silent: lamp -> lamp
         fan speaks
         lamp speaks
         ! devices gone
         pump offline
         pump online
         +60s",
    );
}

#[test]
fn devices_lost_together_share_a_notification() {
    play(
        "list pump+ lamp+ fan+ a+ b+
         pump offline
         lamp offline
         +500ms
         fan silent
         a offline
         +2s
         ! devices: 4 Both: a fan lamp -> Devices
         b offline
         +4s
         pump online
         +6s
         ! devices: 4 Both: b a fan -> Devices
         list pump+ lamp+ fan+ a+ b+
         ! devices gone",
    );
}

#[test]
fn a_silent_device_that_goes_offline_notifies_again() {
    play(
        "pump silent
         +2s
         ! devices: 1 Silent: pump -> pump
         pump offline
         +10s
         ! devices: 1 Offline: pump -> pump",
    );
}

#[test]
fn muted_and_visible_devices_do_not_notify() {
    play(
        "mute pump
         pump offline
         look into lamp
         lamp offline
         fan offline
         mute fan
         +60s
         look away
         no devices
         lamp online
         lamp offline
         +60s",
    );
}

#[test]
fn an_outage_of_our_link_notifies_once_and_not_as_devices() {
    play(
        "pump offline
         lost
         dialing
         +29900ms
         +100ms
         ! links: 1 lost -> Connection(ConnectionId(3))
         +600s
         back
         ! links gone
         list pump- lamp+ fan-
         +2s
         ! devices: 1 Offline: fan -> fan
         lost
         +20s
         back
         +60s
         no links
         lost
         +60s",
    );
    // One outage for a computer without a network.
    play(
        "lost both
         +30s
         ! links: 2 lost -> Window
         back
         +10s
         back both
         ! links gone",
    );
}

#[test]
fn a_deliberate_or_visible_outage_does_not_notify() {
    play(
        "off
         +60s
         back
         look here
         lost
         +60s
         look away
         +60s",
    );
}

#[test]
fn links_get_time_to_reconnect_after_sleep() {
    play(
        "lost
         wake after 8
         +20s
         back
         +60s
         lost
         wake after 8
         +30s
         ! links: 1 lost -> Connection(ConnectionId(3))",
    );
}

#[test]
fn removing_a_connection_withdraws_its_notifications() {
    play(
        "tell all
         general mina: hello
         ! general: 1 mina: hello -> #general
         pump offline
         +2s
         ! devices: 1 Offline: pump -> pump
         remove
         ! devices gone
         ! general gone
         +60s",
    );
}
