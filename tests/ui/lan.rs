//! The own server on the local network, servers that are found there, and what an invite link leads to.

use crate::support::Window;
use duplex::model::event::{
    ChoicesUpdate, DeviceEvent, Event, LinkEvent, LogKind, NetworkUpdate, SetupUpdate, Update,
};
use duplex::model::id::{ConnectionId, Offset, PrincipalId};
use duplex::model::intent::{Credential, Intent, LinkIntent};
use duplex::model::lan::{Lan, LanChoice, LanOpen, Nearby, NearbyServer, NotOpened};
use duplex::model::link_state::LinkState;
use duplex::model::principal::{Principal, PrincipalKind};
use duplex::model::profile::Secret;
use duplex::model::rights::{ManageAnswer, ManageRequest};
use duplex::model::time::WallMs;
use duplex::model::{Features, LanguageChoice, Preferences, Profile};
use egui::Key;
use egui::accesskit::Role;
use egui_kittest::kittest::Queryable;

const OWN: ConnectionId = ConnectionId::OWN_HUB;
const LINK: &str = "wss://192.168.1.7:7870/v1/socket#invite=abcd-efgh-ijkl-mnop";

fn fingerprint() -> String {
    "1a2b3c4d".repeat(8)
}

/// What the own server of this computer says when it is open.
fn open() -> LanOpen {
    LanOpen {
        port: 7870,
        addresses: vec!["192.168.1.7".parse().unwrap(), "10.0.0.7".parse().unwrap()],
        host: "duplex-1a2b3c4d.local".into(),
        name: "Workshop".into(),
        fingerprint: fingerprint(),
        public_key_pin: "sha256//abcd=".into(),
        visits: 0,
        visitors: 0,
        not_announced: None,
    }
}

fn closed() -> Lan {
    Lan::Closed { ended: None, port: 7870 }
}

/// A window with an own server beside the connection of every test.
fn wide() -> Window {
    let mut window = Window::sized(1_280.0, 800.0);
    window.become_who(crate::support::me());
    let profile = Profile {
        id: OWN,
        name: String::new(),
        urls: vec!["ws://127.0.0.1:41000/v1/socket".into()],
        protocol: Default::default(),
        socket: Default::default(),
        route: Default::default(),
        ca_file: None,
        fingerprint: None,
        auto_connect: true,
        websocket: Default::default(),
        network: Default::default(),
    };
    window.update(Update::Setup(SetupUpdate::Configured(Box::new(profile))));
    own(&mut window, Event::Link(LinkEvent::State(LinkState::Online { since: WallMs(0), rtt_ms: None })));
    let features = Features::all();
    let me = Principal {
        id: PrincipalId("me".into()),
        kind: PrincipalKind::Admin,
        name: "Jun".into(),
        role: None,
    };
    let (rooms, people) = (vec![crate::support::general().into()], Vec::new());
    let server = "Workshop".to_owned();
    own(
        &mut window,
        Event::Link(LinkEvent::Welcomed {
            me,
            server,
            log: LogKind::Server { head: Offset(0), next: Offset(1) },
            now: WallMs(0),
            people,
            rooms,
            features,
        }),
    );
    window.update(Update::Network(NetworkUpdate::Lan(closed())));
    window.intents();
    window
}

fn own(window: &mut Window, event: Event) {
    window.update(Update::Connection(OWN, event));
}

fn asked(window: &mut Window) -> Vec<(u64, ManageRequest)> {
    let of = |intent| match intent {
        Intent::Link(LinkIntent::Manage { connection: OWN, number, what }) => Some((number, what)),
        _ => None,
    };
    window.intents().into_iter().filter_map(of).collect()
}

fn choices(window: &mut Window) -> Vec<LanChoice> {
    let of = |intent| match intent {
        Intent::Link(LinkIntent::SetLan(choice)) => Some(choice),
        _ => None,
    };
    window.intents().into_iter().filter_map(of).collect()
}

fn copied_by(window: &mut Window, button: &str) -> String {
    window.harness.get_by_label(button).click();
    let mut frames = std::iter::repeat_with(|| {
        window.harness.step();
        window.copied()
    });
    frames.by_ref().take(8).flatten().next().unwrap()
}

/// The sheet that "Invite people" opens.
fn inviting(width: f32, height: f32) -> Window {
    let mut window = wide();
    window.click("Invite people");
    window.resize(width, height);
    let (number, _) = asked(&mut window).remove(0);
    own(
        &mut window,
        Event::Link(LinkEvent::Managed {
            id: number,
            managed: ManageAnswer::Invites { invites: vec![], next: None },
        }),
    );
    window
}

#[test]
fn the_switch_says_what_it_does_and_does_it() {
    let mut window = inviting(1_280.0, 800.0);
    window.harness.get_by_label_contains("other computers on your network can find it by name and join");
    window.harness.get_by_label_contains("Other computers can't use an invite until");
    window.click("Open this server to the local network");
    assert_eq!(choices(&mut window), [LanChoice { open: true, port: 7870 }]);
    window.update(Update::Network(NetworkUpdate::Lan(Lan::Changing)));
    window.update(Update::Network(NetworkUpdate::Lan(Lan::Open(open()))));
    window.harness.get_by_label_contains("Open at 192.168.1.7, port 7870.");
    window.harness.get_by_label_contains("a firewall on this computer may be blocking TCP port 7870");
    assert!(window.harness.query_by_label_contains("can't use an invite until").is_none());
    window.update(Update::Network(NetworkUpdate::Lan(Lan::Open(LanOpen {
        visits: 3,
        visitors: 2,
        ..open()
    }))));
    window.harness.get_by_label("2 connections from other computers.");
    assert!(window.harness.query_by_label_contains("firewall").is_none(), "somebody got through");
    window.click("Open this server to the local network");
    assert_eq!(choices(&mut window), [LanChoice { open: false, port: 7870 }]);
    window.update(Update::Network(NetworkUpdate::Lan(Lan::Closed { ended: Some(2), port: 7870 })));
    window.harness.get_by_label("The server is closed to the network. 2 connections were ended.");
}

#[test]
fn what_keeps_others_away_is_said_with_a_way_out() {
    let mut window = inviting(800.0, 600.0);
    window.update(Update::Network(NetworkUpdate::Lan(Lan::Failed { port: 7870, why: NotOpened::PortInUse })));
    window.harness.get_by_label_contains("Port 7870 is used by another program");
    window.click("Use another port");
    window.click("Try again");
    let [other, same] = [0, 7870].map(|port| LanChoice { open: true, port });
    assert_eq!(choices(&mut window), [other, same]);
    window
        .update(Update::Network(NetworkUpdate::Lan(Lan::Open(LanOpen { addresses: Vec::new(), ..open() }))));
    window.harness.get_by_label_contains("This computer isn't connected to a network");
    let not_announced = Some("no multicast".to_owned());
    window.update(Update::Network(NetworkUpdate::Lan(Lan::Open(LanOpen { not_announced, ..open() }))));
    window.harness.get_by_label_contains("The server may not appear on other computers (no multicast).");
}

#[test]
fn an_invite_leads_to_this_computer_and_stands_as_a_code_beside_it() {
    for (width, height) in [(800.0, 600.0), (1_280.0, 800.0), (420.0, 700.0)] {
        let mut window = inviting(width, height);
        window.update(Update::Network(NetworkUpdate::Lan(Lan::Open(open()))));
        // In a low window it is below what is seen, and the focus brings it up.
        window.harness.get_by_label("Create invite").focus();
        window.run();
        window.key(Key::Space);
        let (number, what) = asked(&mut window).remove(0);
        assert!(matches!(what, ManageRequest::Invite { kind: PrincipalKind::Person, .. }));
        let managed = ManageAnswer::Invited {
            code: Secret::new("abcd-efgh-ijkl-mnop"),
            expires: window.now().wall_ms + 1_000,
            url: open().url().unwrap(),
            fingerprint: Some(fingerprint()),
            also: open().also(),
        };
        own(&mut window, Event::Link(LinkEvent::Managed { id: number, managed }));
        let link = copied_by(&mut window, "Copy link");
        let pin = fingerprint();
        assert_eq!(link, format!("{LINK}&sha256={pin}&at=10.0.0.7&at=duplex-1a2b3c4d.local&name=Workshop"));
        window.harness.get_by_label_contains("Works once, for one person, until");
        let code = window.harness.get_by_role_and_label(Role::Image, "QR code of the invite link").rect();
        assert!(code.width() >= 180.0 && code.width() == code.height(), "{code}");
        // Where it does not fit, the sheet scrolls.
        assert!(code.right() <= width, "{code} at {width}");
        window.click("Done");
        assert!(window.harness.query_by_label("Copy link").is_none(), "a new one for each click");
    }
}

#[test]
fn a_link_for_this_computer_alone_says_so() {
    let mut window = inviting(1_280.0, 800.0);
    window.click("Create invite");
    let (number, _) = asked(&mut window).remove(0);
    let managed = ManageAnswer::Invited {
        code: Secret::new("abcd"),
        expires: window.now().wall_ms + 1_000,
        url: "ws://127.0.0.1:41000/v1/socket".into(),
        fingerprint: None,
        also: Vec::new(),
    };
    own(&mut window, Event::Link(LinkEvent::Managed { id: number, managed }));
    window.harness.get_by_label_contains("This invite works only on this computer");
}

fn server(name: &str, last: u8, id: &str) -> NearbyServer {
    NearbyServer {
        name: name.into(),
        addresses: vec![std::net::Ipv4Addr::new(192, 168, 1, last).into()],
        port: 7870,
        id: id.into(),
    }
}

fn full_link() -> String {
    format!("{LINK}&sha256={}&at=10.0.0.7&at=duplex-1a2b3c4d.local&name=Work%20%26%20shop", fingerprint())
}

#[test]
fn servers_on_the_network_are_looked_for_while_the_dialog_is_open() {
    let mut window = wide();
    window.click("Add connection");
    window.resize(800.0, 600.0);
    assert!(window.all_intents().contains(&Intent::Link(LinkIntent::LookForServers(true))));
    window.update(Update::Network(NetworkUpdate::Nearby(Nearby::Looking(Vec::new()))));
    window.harness.get_by_label("Looking for servers on your network…");
    window.pass(4_000);
    window.harness.get_by_label_contains("No servers found on your network.");
    window.update(Update::Network(NetworkUpdate::Nearby(Nearby::Failed("no socket".into()))));
    window.harness.get_by_label("Can't look for servers on your network: no socket");
    window.click("Cancel");
    assert!(window.all_intents().contains(&Intent::Link(LinkIntent::LookForServers(false))));
}

#[test]
fn a_server_that_is_found_fills_the_address_and_needs_an_invite() {
    let mut window = wide();
    window.click("Add connection");
    let found = vec![server("Lab", 9, ""), server("Workshop", 7, &fingerprint()[..16])];
    window.update(Update::Network(NetworkUpdate::Nearby(Nearby::Looking(found))));
    window.harness.get_by_label("Lab, 192.168.1.9:7870. Needs an invite");
    window.click("Workshop, 192.168.1.7:7870. Needs an invite");
    window.harness.get_by_label_contains("Ask the person who runs this server for an invite link.");
    window.fill("Invite link", "abcd-efgh-ijkl-mnop");
    window.harness.get_by_label_contains("Paste the whole link, not only the code");
    window.fill("Invite link", &full_link());
    window.harness.get_by_label("Server: Work & shop");
    assert!(window.harness.query_by_label("Invite link").is_none(), "it is the address now");
    assert!(window.harness.query_by_label_contains("different server").is_none());
    window.intents();
    window.fill(duplex::ui::text::ENGLISH.your_name, "Mina");
    window.click("Join");
    let (profile, credential) = window.saved();
    assert_eq!(profile.fingerprint, Some(fingerprint()));
    assert!(matches!(credential, Credential::Invite { name, .. } if name == "Mina"));
}

#[test]
fn an_invite_for_another_server_than_the_chosen_one_is_noticed() {
    let mut window = wide();
    window.click("Add connection");
    window.update(Update::Network(NetworkUpdate::Nearby(Nearby::Looking(vec![server(
        "Lab",
        9,
        &"9".repeat(16),
    )]))));
    window.click("Lab, 192.168.1.9:7870. Needs an invite");
    window.fill("Invite link", &full_link());
    window.harness.get_by_label("This invite is for a different server than Lab.");
}

#[test]
fn a_pasted_invite_fills_everything_and_says_what_is_joined() {
    let mut window = wide();
    window.click("Add connection");
    window.resize(800.0, 600.0);
    window.fill(duplex::ui::text::ENGLISH.address, &full_link());
    window.harness.get_by_label("Server: Work & shop");
    window.harness.get_by_label("Address: 192.168.1.7:7870 (and 2 more)");
    let grouped = ["1a2b 3c4d"; 8].join(" ");
    window.harness.get_by_label(&format!("Certificate fingerprint (SHA-256): {grouped}"));
    window.fill(duplex::ui::text::ENGLISH.your_name, "Mina");
    window.intents();
    window.click("Join");
    let (profile, _) = window.saved();
    let hosts = ["192.168.1.7", "10.0.0.7", "duplex-1a2b3c4d.local"];
    assert_eq!(profile.urls, hosts.map(|host| format!("wss://{host}:7870/v1/socket")));
}

#[test]
fn a_device_is_added_from_the_device_pane() {
    let mut window = wide();
    window.event(Event::Device(DeviceEvent::Listed { devices: Vec::new(), started: WallMs(0), more: false }));
    own(
        &mut window,
        Event::Device(DeviceEvent::Listed { devices: Vec::new(), started: WallMs(0), more: false }),
    );
    window.click("Add device");
    window.fill("Name", "온실 3");
    window.key(egui::Key::Enter);
    let (number, what) = asked(&mut window).remove(0);
    let ManageRequest::AddDevice { who, name, .. } = what else { panic!("no device: {what:?}") };
    assert_eq!((who.0.as_str(), name.as_str()), ("온실-3", "온실 3"));
    window.update(Update::Network(NetworkUpdate::Lan(Lan::Open(open()))));
    own(
        &mut window,
        Event::Link(LinkEvent::Managed {
            id: number,
            managed: ManageAnswer::Token { token: Secret::new("7f7f") },
        }),
    );
    assert_eq!(copied_by(&mut window, "Copy token"), "7f7f");
    window.click("on another computer");
    let curl = copied_by(&mut window, "Copy curl command");
    let begins =
        "curl --insecure --pinnedpubkey 'sha256//abcd=' https://192.168.1.7:7870/v1/devices/%EC%98%A8";
    assert!(curl.starts_with(begins), "{curl}");
    let agent = copied_by(&mut window, "Copy agent command");
    let url = format!("wss://192.168.1.7:7870/v1/socket#sha256={}", fingerprint());
    assert_eq!(agent, format!("DUPLEX_TOKEN=7f7f duplexctl agent --url '{url}'"));
    window.click("on this computer");
    let curl = copied_by(&mut window, "Copy curl command");
    assert!(curl.starts_with("curl http://127.0.0.1:41000/v1/devices/"), "{curl}");
    window.click("Done");
    assert!(window.harness.query_by_label("7f7f").is_none());
}

#[test]
fn the_plus_of_the_device_pane_adds_a_device_where_the_person_may() {
    let mut window = wide();
    window.click("Add device");
    window.harness.get_by_role_and_label(Role::Dialog, "Add a device");
    window.key(egui::Key::Escape);
    let me = Principal { kind: PrincipalKind::Person, ..crate::support::me() };
    let features = Features::all().without(duplex::model::Feature::People);
    let (rooms, people) = (vec![crate::support::general().into()], Vec::new());
    own(
        &mut window,
        Event::Link(LinkEvent::Welcomed {
            me,
            server: "W".into(),
            log: LogKind::Server { head: Offset(0), next: Offset(1) },
            now: WallMs(0),
            people,
            rooms,
            features,
        }),
    );
    assert!(window.harness.query_by_label("Add device").is_none());
}

#[test]
fn korean_has_all_of_it() {
    let mut window = wide();
    window.update(Update::Choices(ChoicesUpdate::Preferences(Preferences {
        language: LanguageChoice::Korean,
        ..Preferences::default()
    })));
    window.click("초대하기");
    window.harness.get_by_label("로컬 네트워크에 이 서버 공개");
    window.update(Update::Network(NetworkUpdate::Lan(Lan::Open(open()))));
    window.harness.get_by_label_contains("192.168.1.7, 포트 7870에서 공개 중입니다.");
    window.harness.get_by_label_contains("방화벽이 TCP 7870번 포트");
}
