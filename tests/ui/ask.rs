//! A connection without a token asks for it, beside everything else.

use duplex::model::event::{ChoicesUpdate, Event, LinkEvent, SetupUpdate, TestOutcome, Update};
use duplex::model::id::ConnectionId;
use duplex::model::intent::{Credential, Intent, LinkIntent};
use duplex::model::link_state::{LinkState, Phase, Why};
use duplex::model::profile::{Profile, Secret};
use duplex::model::time::WallMs;
use duplex::model::{Banner, LanguageChoice, Preferences};
use egui::Key;
use egui::accesskit::{Live, Role};
use egui_kittest::kittest::{NodeT, Queryable};

use crate::support::{CONNECTION, Window, profile};

const FIELD: &str = "Token of Home";

fn stopped(window: &mut Window, why: Why) {
    window.link(LinkState::Stopped { why });
}

fn asks(window: &Window) -> bool {
    window.harness.query_by_label(FIELD).is_some()
}

/// What is said at once to those who listen.
fn alarm(window: &Window) -> String {
    let nodes = window.harness.root().children_recursive();
    let alarms = nodes.filter(|node| node.accesskit_node().live() == Live::Assertive);
    alarms
        .filter_map(|node| node.accesskit_node().label())
        .find(|text| text.contains("Home"))
        .unwrap_or_default()
}

#[test]
fn a_missing_token_is_asked_for_with_the_reason_and_given() {
    let mut window = Window::online();
    window.update(Update::Setup(SetupUpdate::Keyring(Some("no such service".into()))));
    stopped(&mut window, Why::NoToken);
    let said = alarm(&window);
    assert!(said.contains("No keyring is available") && !said.contains("no such service"), "{said}");
    window.harness.get_by_label_contains("The file is not encrypted");
    window.check_names();
    window.fill(FIELD, " s3cret ");
    window.key(Key::Enter);
    let token = Secret::new("s3cret");
    let given = window.intents();
    assert!(
        given.contains(&Intent::Link(LinkIntent::GiveToken { connection: CONNECTION, token })),
        "{given:?}"
    );
    assert!(!asks(&window));
    window.link(LinkState::Online { since: WallMs(0), rtt_ms: None });
    window.pass(5_000);
    assert!(!asks(&window));
}

#[test]
fn a_refused_token_is_asked_for_again_and_the_field_is_empty() {
    let mut window = Window::online();
    stopped(&mut window, Why::NoToken);
    window.fill(FIELD, "wrong");
    window.click("Connect");
    window.link(LinkState::Handshaking { attempt: 1 });
    stopped(&mut window, Why::Unauthorized);
    let said = alarm(&window);
    assert!(said.contains("doesn't know") && said.contains("Ask your server's admin"), "{said}");
    let field = window.harness.get_by_label(FIELD);
    assert_eq!(field.accesskit_node().role(), Role::PasswordInput);
    assert_eq!(field.value().unwrap_or_default(), "");
}

#[test]
fn the_rest_of_the_window_goes_on_and_a_question_can_wait() {
    let mut window = Window::online();
    let other = Profile { id: ConnectionId(4), name: "Other".into(), ..profile() };
    window.update(Update::Setup(SetupUpdate::Configured(Box::new(other))));
    let why = LinkState::Stopped { why: Why::NoToken };
    window.update(Update::Connection(ConnectionId(4), Event::Link(LinkEvent::State(why))));
    stopped(&mut window, Why::NoToken);
    // One dialog each.
    window.harness.get_by_label("Token of Other");
    window.harness.get_by_label(FIELD);
    window.type_message("still here");
    assert_eq!(window.message_text(), "still here");
    window.harness.get_all_by_label("Later").next().unwrap().click();
    window.run();
    window.harness.get_all_by_label("Later").next().unwrap().click();
    window.run();
    assert!(!asks(&window) && window.harness.query_by_label("Token of Other").is_none());
    window.pass(60_000);
    assert!(!asks(&window), "it does not ask again by itself");
    window.click("Retry now");
    window.run();
    assert!(asks(&window), "whoever tries again is asked again");
}

#[test]
fn other_troubles_and_the_apps_own_hub_ask_for_nothing() {
    let mut window = Window::online();
    for why in [Why::Forbidden, Why::ConnectionRefused, Why::TimedOut { during: Phase::Dial }] {
        stopped(&mut window, why);
        assert!(!asks(&window));
    }
    window.update(Update::Setup(SetupUpdate::Configured(Box::new(Profile {
        id: ConnectionId::OWN_HUB,
        name: String::new(),
        ..profile()
    }))));
    let why = LinkState::Stopped { why: Why::NoToken };
    window.update(Update::Connection(ConnectionId::OWN_HUB, Event::Link(LinkEvent::State(why))));
    assert!(window.harness.query_by_label("Token of This computer").is_none());
}

#[test]
fn it_asks_in_korean_and_within_a_narrow_window() {
    let mut window = Window::sized(480.0, 600.0);
    window.update(Update::Choices(ChoicesUpdate::Preferences(Preferences {
        language: LanguageChoice::Korean,
        ..Preferences::default()
    })));
    window.update(Update::Setup(SetupUpdate::Keyring(Some("x".into()))));
    stopped(&mut window, Why::NoToken);
    window.harness.get_by_role_and_label(Role::Heading, "Home 토큰");
    for name in ["Home 연결의 토큰", "나중에"] {
        let rect = window.rect(name);
        assert!(rect.left() >= 0.0 && rect.right() <= 480.0 && rect.bottom() <= 600.0, "{name}: {rect:?}");
    }
    window.check_names();
}

const INVITE: &str = "wss://hub.example#invite=K7Q2-9XMD";

/// Opens the dialog and types an invite and a name.
fn invited(window: &mut Window) {
    window.click("Add connection");
    window.fill("Server address or invite", INVITE);
    window.fill("Display name", "Mina");
}

#[test]
fn before_an_invite_is_used_a_missing_keyring_is_told_and_a_file_is_offered() {
    const KEEP: &str = "Keep the token in a file only you can read";
    let mut window = Window::online();
    invited(&mut window);
    assert!(window.harness.query_by_label(KEEP).is_none(), "there is a keyring, as far as is known");
    window.update(Update::Setup(SetupUpdate::Keyring(Some("no such service".into()))));
    window.harness.get_by_label_contains("an invite works only once");
    window.harness.get_by_label_contains("The file is not encrypted");
    window.check_names();
    window.click("Join");
    let intents = window.intents();
    assert!(
        !intents.contains(&Intent::Link(LinkIntent::KeepTokenInFile(None))),
        "never silently: {intents:?}"
    );

    invited(&mut window);
    window.click(KEEP);
    window.click("Join");
    let intents = window.intents();
    let at = |wanted: fn(&Intent) -> bool| intents.iter().position(wanted).unwrap();
    let keep = at(|intent| *intent == Intent::Link(LinkIntent::KeepTokenInFile(None)));
    assert!(
        keep < at(|intent| matches!(intent, Intent::Link(LinkIntent::SaveConnection { .. }))),
        "{intents:?}"
    );
}

#[test]
fn a_token_in_a_file_can_be_taken_out_again() {
    let mut window = Window::online();
    window.update(Update::Setup(SetupUpdate::TokenInFile(CONNECTION, true)));
    window.click("More for Home");
    window.click("Edit connection");
    window.click("Keep the token in a file only you can read");
    window.click("Save");
    assert!(window.intents().contains(&Intent::Link(LinkIntent::DropTokenFile(CONNECTION))));
}

#[test]
fn a_token_that_could_not_be_kept_is_shown_once_to_copy_or_kept_in_a_file() {
    let mut window = Window::online();
    let banner = Banner::SecretNotKept { connection: CONNECTION, detail: "no such service".into() };
    window.update(Update::Banner(banner));
    window.harness.get_by_label_contains("Couldn't save the token: no keyring is available");
    window.click("Keep in a file");
    assert_eq!(window.intents(), [Intent::Link(LinkIntent::KeepTokenInFile(Some(CONNECTION)))]);
    window.click("Copy token");
    assert_eq!(window.intents(), [Intent::Link(LinkIntent::ShowToken(CONNECTION))]);
    window.update(Update::Setup(SetupUpdate::ShownToken(Some((CONNECTION, Secret::new("s3cret-of-mina"))))));
    window.harness.get_by_role_and_label(Role::Dialog, "Your token for Home");
    window.harness.get_by_label("s3cret-of-mina");
    window.click("Done");
    assert_eq!(window.intents(), [Intent::Link(LinkIntent::HideToken)]);
    assert!(window.harness.query_by_label("s3cret-of-mina").is_none());
    window.update(Update::Setup(SetupUpdate::ShownToken(None)));
    window.update(Update::Setup(SetupUpdate::ShownToken(Some((CONNECTION, Secret::new("s3cret-of-mina"))))));
    assert!(window.harness.query_by_label("s3cret-of-mina").is_some(), "when it is asked for again");
}

#[test]
fn the_right_scheme_is_one_click_away() {
    let failed =
        |is_tls| Update::Setup(SetupUpdate::Test(Some(TestOutcome::Failed(Why::WrongScheme { is_tls }))));
    let mut window = Window::online();
    window.click("Add connection");
    window.fill("Server address or invite", "wss://127.0.0.1:7870");
    window.click("Test");
    window.intents();
    window.update(failed(false));
    window.harness.get_by_label_contains("This server doesn't use encryption");
    window.click("Use ws://127.0.0.1:7870/v1/socket");
    let intents = window.intents();
    let Some(Intent::Link(LinkIntent::TestConnection { profile, .. })) = intents.first() else {
        panic!("{intents:?}")
    };
    assert_eq!(profile.urls, ["ws://127.0.0.1:7870/v1/socket"], "it is tested at once");

    // To another computer nothing is sent unencrypted before the person has read what that means.
    window.fill("Server address or invite", "wss://hub.example");
    assert!(
        window.harness.query_by_label_contains("Connection works").is_none(),
        "another address is not tested"
    );
    window.click("Test");
    window.intents();
    window.update(failed(false));
    window.click("Use ws://hub.example/v1/socket");
    assert_eq!(window.intents(), []);
    window.harness.get_by_label_contains("ws:// is not encrypted");

    window.fill("Server address or invite", "ws://hub.example");
    window.click("Test");
    window.intents();
    window.update(failed(true));
    window.click("Use wss://hub.example/v1/socket");
    assert!(matches!(window.intents().first(), Some(Intent::Link(LinkIntent::TestConnection { .. }))));
}

#[test]
fn a_saved_connection_is_put_right_in_one_click() {
    let mut window = Window::online();
    let urls = vec!["ws://hub.example:7870/v1/socket".to_owned()];
    window.update(Update::Setup(SetupUpdate::Configured(Box::new(Profile { urls, ..profile() }))));
    stopped(&mut window, Why::WrongScheme { is_tls: true });
    window.pass(1_500);
    window.click("Use wss://hub.example:7870/v1/socket");
    let intents = window.intents();
    let Some(Intent::Link(LinkIntent::SaveConnection { profile: saved, credential: Credential::Keep })) =
        intents.first()
    else {
        panic!("{intents:?}")
    };
    assert_eq!(saved.urls, ["wss://hub.example:7870/v1/socket"]);
    // Without encryption only on this computer.
    let urls = vec!["wss://hub.example:7870/v1/socket".to_owned()];
    window.update(Update::Setup(SetupUpdate::Configured(Box::new(Profile { urls, ..profile() }))));
    stopped(&mut window, Why::WrongScheme { is_tls: false });
    assert!(window.harness.query_by_label_contains("Use ws://hub").is_none());
}
